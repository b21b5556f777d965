"""What the graph holds: vocabularies, kinds, tables, constraints."""
