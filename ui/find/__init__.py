"""The page `find`."""
