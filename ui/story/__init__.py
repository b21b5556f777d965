"""The page of a person's skill story."""
