"""The page `nominations`."""
