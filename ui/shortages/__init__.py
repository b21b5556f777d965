"""The page `shortages`."""
