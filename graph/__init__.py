"""The graph: its one schema, the Neo4j it lives in, the queries and the metrics on it.

Nothing in here imports `loaders`, `pages`, `components`, `app` or `shicheng`.
"""
