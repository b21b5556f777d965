"""Java's quick compiler alone in the servers that tests start: Neo4j, neo4j-admin and Spark.

The other compiler pays after minutes of the same work. A server of the tests lives for less, so
that it would spend a third of its time on compiling what is never run again.
"""

from __future__ import annotations

import os

NAME = "JAVA_TOOL_OPTIONS"  # every Java reads it, one inside a Python process too

if NAME not in os.environ:
    os.environ[NAME] = "-XX:TieredStopAtLevel=1"
