"""What pages read, cached by graph state and policy."""
