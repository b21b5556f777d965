"""Rows into the graph: schema, merge, bulk import, undo, standing."""
