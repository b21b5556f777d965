"""Erasing people for good: what goes, what bars them from loads, and what goes by rule."""
