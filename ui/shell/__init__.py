"""What every page stands in: frame, address, theme, policy, visitor."""
