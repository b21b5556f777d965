"""The page `places`."""
