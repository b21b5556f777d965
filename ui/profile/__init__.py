"""The page `profile`."""
