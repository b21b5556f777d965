"""The exactness figures in full: `make soak`. The same tests as `make test`, on far more cases.

    python -m benchmarks.soak [PART ...]

PART is a name in `PARTS`; all of them when none is named. Each is a test with so many random cases,
or the tests that `make test` leaves out: a load killed at every place, every order of loading, more
seeds. A difference fails it. `python -m
benchmarks.why_agreement SNAPSHOT` and `python -m benchmarks.engines SNAPSHOT engines` hold `why`
and the sums of credits to the engine at national size.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engines import print_row

TOGETHER = "SHICHENG_EXAMPLES_TOGETHER"
ROOT = Path(__file__).parents[1]
WALK = "tests/unit/test_driven.py::test_many_worlds_side_by_side_equal_the_brute_force_walk[{}]"


@dataclass(frozen=True)
class Part:
    """Tests, and what is set for them: the random cases, if any, and the version of Neo4j."""

    what: str
    tests: str
    cases: int | None = None
    variable: str = "SHICHENG_EXAMPLES"
    marker: str = ""
    neo4j: str | None = None


PARTS = {
    "polars": Part("polars against the walk", WALK.format("polars"), 10_000, TOGETHER),
    "duckdb": Part("DuckDB against the walk", WALK.format("duckdb"), 10_000, TOGETHER),
    "deltas": Part(
        "counted again after a delta against a full count",
        "tests/unit/test_results.py::test_after_a_delta_the_recount_equals_a_full_count",
        200,
    ),
    "cluster": Part(
        "Spark on a master and two workers against the walk",
        "tests/live/test_spark.py",
        200,
        "SHICHENG_EXAMPLES_SPARK",
    ),
    "conformance": Part("the conformance folders", "tests/conformance", 3),
    "properties": Part("every property of the unit tests", "tests/unit", 300),
    "repetitions": Part("kills, orders and seeds", "tests", marker="soak"),
    "lts": Part("the same on Neo4j 5.26", "tests/live", marker="soak and lts", neo4j="5.26.30"),
}


def try_part(part: Part) -> tuple[bool, float, str]:
    """Whether all held, the seconds, and the last line that pytest prints."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "--timeout=0",
        "-m",
        part.marker,
        part.tests,
    ]
    given = dict(os.environ)
    if part.cases is not None:
        given[part.variable] = str(part.cases)
    if part.neo4j is not None:
        given["SHICHENG_NEO4J_VERSION"] = part.neo4j
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        print(done.stdout[-4000:], file=sys.stderr)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return done.returncode == 0, seconds, lines[-1] if lines else ""


def main() -> int:
    """Prints a line a part; 1 when any of them differs."""
    print_row("what", "cases", "seconds", "differences")
    print_row(*["---"] * 4)
    every = True
    for name in sys.argv[1:] or PARTS:
        part = PARTS[name]
        held, seconds, last = try_part(part)
        every = every and held
        cases = "" if part.cases is None else f"{part.cases:,}"
        print_row(part.what, cases, f"{seconds:.0f}", "0" if held else f"differs: {last}")
    return 0 if every else 1


if __name__ == "__main__":
    sys.exit(main())
