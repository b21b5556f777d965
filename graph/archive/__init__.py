"""Backups as files: their format, their key, and the list of those that were made."""
