"""The other metrics, one a file."""
