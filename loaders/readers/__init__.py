"""Files to rows of text."""
