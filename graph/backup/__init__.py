"""A data folder as one backup, at one moment: made, verified and restored."""
