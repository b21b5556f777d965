"""The synthetic network, made from a seed."""
