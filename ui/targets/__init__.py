"""The page `targets`."""
