"""The page Audit log."""
