"""Survival of crafts: how many mentors each mentor raises, and when the last one leaves."""
