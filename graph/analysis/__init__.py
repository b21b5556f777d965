"""What analysts and their programs ask: one open graph, its figures, people and statements."""
