"""Finding people, their chains and their neighbours."""
