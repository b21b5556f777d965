"""Pairing: which new mentorships add most expected new driven workers."""
