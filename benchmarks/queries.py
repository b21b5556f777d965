"""Every named query on a store that is there: seconds and rows.

    python -m benchmarks.queries --home HOME [--times 3] [--only NAME ...]

Seconds of the processor tell what a query takes of a machine that does other work beside.

Each query runs once so that Neo4j has read what it needs, then `--times` times; the median counts.
A query asks for a leading talent with many apprentices and one of these apprentices.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from statistics import median

import psutil

from graph.cypher.named_queries import Query, load_queries, run_query
from graph.errors import ShichengError
from graph.people.table_queries import bind_snapshot
from graph.server.database import Database, connect
from graph.settings import Settings
from graph.snapshot.take import take_snapshot

# A query that takes longer than this is not waited for.
SECONDS = 180.0
SOMEBODY = """
MATCH (p:LeadingTalent)
WITH p, COUNT { (p)-[:MENTORS]->() } AS n ORDER BY n DESC, p.person_id LIMIT 1
MATCH (p)-[:MENTORS]->(a)
RETURN p.person_id AS talent, max(a.person_id) AS apprentice
"""


def choose_people(database: Database) -> Mapping[str, str]:
    """The person of each parameter that asks for one."""
    (row,) = database.read(SOMEBODY, seconds=SECONDS)
    talent, apprentice = row["talent"], row["apprentice"]
    return {
        "person_id": talent,
        "from_id": talent,
        "first_id": apprentice,
        "second_id": talent,
        "to_id": apprentice,
    }


def time_query(database: Database, query: Query, values: Mapping[str, str], times: int) -> str:
    """A line of the table: name, first run, median of the others, processor's seconds, rows."""
    given = {p.name: values[p.name] for p in query.parameters if p.required}
    seconds, worked = [], [read_processor_seconds(database)]
    for _ in range(times + 1):
        began = time.monotonic()
        try:
            table = run_query(
                database,
                query,
                given,
                role="steward",
                seconds=SECONDS,
                tables=bind_snapshot(lambda: take_snapshot(database, database.settings)),
            )
        except ShichengError as error:
            return f"| {query.name} | {time.monotonic() - began:.2f} | - | - | {error} |"
        seconds.append(time.monotonic() - began)
        worked.append(read_processor_seconds(database))
    own = median(b - a for a, b in pairwise(worked[1:]))
    rows = f"{len(table.rows):,}{'+' if table.truncated else ''}"
    return f"| {query.name} | {seconds[0]:.2f} | {median(seconds[1:]):.2f} | {own:.2f} | {rows} |"


def read_processor_seconds(database: Database) -> float:
    """Seconds that this process and the data folder's server have worked, on all cores."""
    times = [psutil.Process().cpu_times()]
    try:
        stated = json.loads((database.settings.home / "neo4j.json").read_text())
        times.append(psutil.Process(stated["pid"]).cpu_times())
    except (OSError, ValueError, psutil.Error):
        pass
    return float(sum(one.user + one.system for one in times))


def main() -> None:
    """Prints the table, with the machine's load before and after it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    asked = parser.parse_args()
    load = f"load {os.getloadavg()[0]:.1f}"
    with connect(Settings().at(asked.home)) as database:
        values = choose_people(database)
        print(
            f"{load}\n\n| query | first s | then s | processor s | rows |\n|---|---|---|---|---|",
            flush=True,
        )
        for query in load_queries().values():
            if not asked.only or query.name in asked.only:
                print(time_query(database, query, values, asked.times), flush=True)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
