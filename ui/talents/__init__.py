"""The page `talents`."""
