"""The page on which data stewards bring departments' files in."""
