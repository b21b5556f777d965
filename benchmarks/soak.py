"""The exactness figures in full: `make soak`. The same tests as `make test`, on far more cases.

    python -m benchmarks.soak [PART ...]

PART is polars, duckdb, deltas, cluster, conformance; all of them when none is named. Each is the
test named in `PARTS` with so many random cases; a difference fails it. `python -m
benchmarks.why_agreement SNAPSHOT` and `python -m benchmarks.engines SNAPSHOT engines` hold `why`
and the sums of credits to the engine at national size.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.engines import row

TOGETHER = "SHICHENG_EXAMPLES_TOGETHER"
ROOT = Path(__file__).parents[1]
WALK = "tests/unit/test_driven.py::test_many_worlds_side_by_side_equal_the_brute_force_walk[{}]"
# part: what it is, the tests, the variable that sets the cases, the cases
PARTS = {
    "polars": ("polars against the walk", WALK.format("polars"), TOGETHER, 10_000),
    "duckdb": ("DuckDB against the walk", WALK.format("duckdb"), TOGETHER, 10_000),
    "deltas": (
        "counted again after a delta against a full count",
        "tests/unit/test_results.py::test_after_a_delta_the_recount_equals_a_full_count",
        "SHICHENG_EXAMPLES",
        200,
    ),
    "cluster": (
        "Spark on a master and two workers against the walk",
        "tests/live/test_spark.py",
        "SHICHENG_EXAMPLES_SPARK",
        200,
    ),
    "conformance": ("the conformance folders", "tests/conformance", "SHICHENG_EXAMPLES", 3),
}


def tried(tests: str, variable: str, cases: int) -> tuple[bool, float, str]:
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
        tests,
    ]
    given = {**os.environ, variable: str(cases)}
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        print(done.stdout[-4000:], file=sys.stderr)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return done.returncode == 0, seconds, lines[-1] if lines else ""


def main() -> int:
    """Prints a line a part; 1 when any of them differs."""
    row("what", "cases", "seconds", "differences")
    row(*["---"] * 4)
    every = True
    for part in sys.argv[1:] or PARTS:
        what, tests, variable, cases = PARTS[part]
        held, seconds, last = tried(tests, variable, cases)
        every = every and held
        row(what, f"{cases:,}", f"{seconds:.0f}", "0" if held else f"differs: {last}")
    return 0 if every else 1


if __name__ == "__main__":
    sys.exit(main())
