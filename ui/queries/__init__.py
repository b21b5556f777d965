"""The page `queries`."""
