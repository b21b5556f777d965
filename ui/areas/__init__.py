"""The page `areas`."""
