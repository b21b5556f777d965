"""The page `forecast`."""
