"""The page `people`."""
