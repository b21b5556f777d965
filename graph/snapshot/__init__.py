"""The graph as tables of one revision."""
