"""The page `ties`."""
