"""Options of Java in what tests start: Neo4j, neo4j-admin and Spark.

A server of the tests lives for seconds or minutes. Java's second compiler would spend a third of
that time on compiling what is never run again, and a collector with threads of its own a seventh.
"""

from __future__ import annotations

import os

NAME = "JAVA_TOOL_OPTIONS"  # every Java reads it, one inside a Python process too

if NAME not in os.environ:
    os.environ[NAME] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
