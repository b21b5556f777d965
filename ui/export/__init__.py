"""Networks as files, and the layout they share."""
