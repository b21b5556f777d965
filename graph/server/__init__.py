"""The Neo4j server: jars, process, connections, administration."""
