"""The figures at national size, one after the other: `make bench-national` (an hour or two).

    python -m benchmarks.national FOLDER [PART ...]

PART is one of `PARTS`; all of them, in this order, when none is named. Under FOLDER stand the
exchange folders (written when they are not there), the snapshot and the data folder, which stays
until it is deleted. 12 GB of disk; the growth to ten nations takes 30 GB and is asked for by name.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
import sys
from pathlib import Path

import psutil

from graph.server import embedded
from graph.settings import Settings

TALENTS, WORKERS, SEED = 15_000, 5_000_000, 1
PARTS = ("first", "delta", "engines", "quick", "metrics", "why", "peers")
BY_NAME = ("growth",)


def run_benchmark(module: str, *arguments: object) -> None:
    """One benchmark in a process of its own."""
    print(f"\n`python -m benchmarks.{module} {' '.join(map(str, arguments))}`\n", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    subprocess.run(command, check=True)


def write_exchange(folder: Path, *, parquet: bool) -> Path:
    """The nation's exchange folder, written when it is not there."""
    from loaders.synthetic.network import write_synthetic_folder

    place = folder / ("parquet" if parquet else "csv")
    if not (place / "people.parquet").exists() and not (place / "people.csv").exists():
        made = write_synthetic_folder(
            place, talents=TALENTS, workers=WORKERS, seed=SEED, parquet=parquet
        )
        kind = "Parquet" if parquet else "CSV"
        print(f"generator, {kind}: {made.total:,} rows, {made.total / made.seconds:,.0f} rows/s")
    return place


def make_snapshot(folder: Path) -> Path:
    """The nation's snapshot straight from the Parquet folder, made when it is not there."""
    place = folder / "snapshot"
    if not (place / "snapshot.json").exists():
        run_benchmark("snapshots", write_exchange(folder, parquet=True), place)
    return place


def main() -> None:
    """Prints the machine, then each part."""
    folder, parts = Path(sys.argv[1]), sys.argv[2:] or PARTS
    folder.mkdir(parents=True, exist_ok=True)
    memory = psutil.virtual_memory().total / 1e9
    print(
        f"{dt.date.today()}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )
    home = folder / "home"
    try:
        for part in parts:
            if part == "first":
                run_benchmark(
                    "loads", "first", write_exchange(folder, parquet=False), "--home", home
                )
            elif part == "delta":
                run_benchmark(
                    "loads", "delta", write_exchange(folder, parquet=True), "--home", home
                )
            elif part in ("engines", "quick"):
                run_benchmark("engines", make_snapshot(folder), part)
            elif part == "peers":
                given = ["--home", home] if home.exists() else []
                run_benchmark("engines", make_snapshot(folder), *given, "peers")
            elif part == "metrics":
                run_benchmark("metrics", make_snapshot(folder))
            elif part == "why":
                run_benchmark("why_agreement", make_snapshot(folder))
            elif part == "growth":
                run_benchmark(
                    "engines", make_snapshot(folder), "--exchange", folder / "parquet", "growth"
                )
            else:
                sys.exit(f"there is no part {part}; take one of: {', '.join(PARTS + BY_NAME)}")
    finally:
        if home.exists():
            embedded.stop_server(Settings().at(home))


if __name__ == "__main__":
    main()
