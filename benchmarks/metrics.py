"""Every metric of the registry on a snapshot, each in a process of its own.

    python -m benchmarks.metrics SNAPSHOT_FOLDER [METRIC ...]

The driven counts are those stored beside the snapshot; what a metric stands on besides, it finds
itself. The peak is the process's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.engines import measure_tree_memory, print_row
from graph.driven.results import load_driven
from graph.metrics.registry import METRICS
from graph.policy import Policy
from graph.snapshot.frames import open_snapshot

# Those that open the stored result need it made; it is made first, in a process of its own.
FIRST = "driven"


def run_metric(name: str, folder: Path) -> None:
    """One metric in this process."""
    snapshot, policy = open_snapshot(folder), Policy()
    began = time.perf_counter()
    if name == FIRST:
        found = load_driven(snapshot, policy).table()
    else:
        found = METRICS[name].table(snapshot, policy)
    print("\n" + json.dumps({"seconds": time.perf_counter() - began, "rows": found.height}))


def run_metric_child(name: str, folder: Path) -> tuple[dict[str, float] | None, float]:
    """What the child says, and its peak in GB."""
    command = [sys.executable, "-m", "benchmarks.metrics", "child", name, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, measure_tree_memory(process.pid))
        time.sleep(0.1)
    out = process.communicate()[0]
    return (None if process.returncode else json.loads(out.splitlines()[-1])), peak


def main() -> None:
    """Prints the table."""
    if sys.argv[1] == "child":
        run_metric(sys.argv[2], Path(sys.argv[3]))
        return
    folder, names = Path(sys.argv[1]), sys.argv[2:] or [*METRICS]
    print_row("metric", "seconds", "peak GB", "rows")
    print_row(*["---"] * 4)
    for name in names:
        found, peak = run_metric_child(name, folder)
        if found is None:
            print_row(name, "failed", f"{peak:.1f}", "")
        else:
            print_row(name, f"{found['seconds']:.1f}", f"{peak:.1f}", f"{found['rows']:,}")


if __name__ == "__main__":
    main()
