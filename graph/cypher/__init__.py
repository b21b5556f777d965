"""Users' own questions: named queries, the guard, masking."""
