"""A nation into Neo4j: the first load, the snapshot, the figures, and a delta of 10,000 rows.

    python -m benchmarks.loads first FOLDER --home DATA_FOLDER
    python -m benchmarks.loads delta FOLDER --home DATA_FOLDER [--rows 10000] [--times 3]

`first` loads the exchange folder into an empty data folder and says where the seconds go; `delta`
loads rows made from it on top, and measures until the figures are right again. Peaks are those of
all processes together: the command's, Neo4j's and neo4j-admin's.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import psutil

from graph.driven.results import load_driven
from graph.policy import Policy
from graph.server.database import connect
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from loaders.folder import get
from loaders.sync import load_records

SEED = 20_261_125


def memory(home: Path) -> float:
    """What this process, its children and the data folder's server hold now, in GB."""
    found = [psutil.Process(), *psutil.Process().children(recursive=True)]
    try:
        server = psutil.Process(json.loads((home / "neo4j.json").read_text())["pid"])
        found += [server, *server.children(recursive=True)]
    except (OSError, ValueError, psutil.Error):
        pass
    total = 0
    for process in {process.pid: process for process in found}.values():
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total / 1e9


@contextmanager
def peak(home: Path) -> Iterator[list[float]]:
    """The most that was held inside the block, in GB: the only entry of the list."""
    most, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            most[0] = max(most[0], memory(home))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


class Stages:
    """Seconds by what `load_records` says it is doing."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}
        self.now, self.since = "start", time.perf_counter()

    def __call__(self, what: str, done: int, total: int) -> None:
        """The progress that `load_records` calls."""
        stage = "check" if what.startswith("check ") else what
        if stage != self.now:
            self.end(stage)

    def end(self, stage: str = "") -> None:
        """The stage before is over."""
        moment = time.perf_counter()
        self.took[self.now] = self.took.get(self.now, 0.0) + moment - self.since
        self.now, self.since = stage, moment


def first(folder: Path, settings: Settings) -> None:
    """The whole folder into an empty store, the snapshot, the figures."""
    with connect(settings) as database, peak(settings.home) as most:
        stages, began = Stages(), time.perf_counter()
        report = load_records(
            database, "folder", get([folder], None), home=settings.home, progress=stages
        )
        stages.end()
        seconds = time.perf_counter() - began
        print(
            f"first load: {report.accepted:,} of {report.read:,} rows, {seconds:.1f} s, "
            f"{most[0]:.1f} GB",
            flush=True,
        )
        for stage, took in stages.took.items():
            print(f"  {stage}: {took:.1f} s")
        most[0] = 0.0
        _figures(database, settings)
        print(f"  most memory of these two: {most[0]:.1f} GB")


def _figures(database: Any, settings: Settings) -> None:
    snapshot, took = timed(lambda: take_snapshot(database, settings))
    print(f"snapshot: {took:.1f} s", flush=True)
    found, counting = timed(lambda: load_driven(snapshot, Policy()))
    print(f"default policy: {counting:.1f} s, {found.national}", flush=True)
    print(f"together: {took + counting:.1f} s", flush=True)


def timed(task: Callable[[], Any]) -> tuple[Any, float]:
    """What the task gives, and its seconds."""
    began = time.perf_counter()
    given = task()
    return given, time.perf_counter() - began


def delta(folder: Path, settings: Settings, rows: int, times: int) -> None:
    """Rows on top, as a ministry sends them after a week, `times` over."""
    random = Random(f"{SEED} {time.time_ns()}")
    with connect(settings) as database, tempfile.TemporaryDirectory() as place:
        load_driven(take_snapshot(database, settings), Policy())
        for number in range(times):
            part = Path(place) / f"delta-{number}"
            week(folder, part, rows, random)
            stages = Stages()
            tables = get([part], "week")
            load = partial(load_records, database, "folder", tables)
            report, took = timed(partial(load, home=settings.home, progress=stages))
            stages.end()
            print(f"delta {number + 1}: {report.accepted:,} of {report.read:,} rows, {took:.2f} s")
            print("  " + ", ".join(f"{what} {s:.2f}" for what, s in stages.took.items()))
            _figures(database, settings)


def week(folder: Path, part: Path, rows: int, random: Random) -> None:
    """A delta of the folder: people and what they do, in the shares the nation has them."""
    part.mkdir(parents=True)
    persons = pl.scan_parquet(folder / "people.parquet")
    known = persons.select("person_id").collect()["person_id"]
    some = known.sample(3 * rows, seed=random.randrange(2**31)).to_list()
    new = rows // 10
    fresh = pl.scan_parquet(folder / "people.parquet").head(new).collect()
    mark = f"{random.randrange(16**8):08x}"
    ids = [f"N{mark}-{n}" for n in range(new)]
    blank = [c for c in ("id_number", "certificate") if c in fresh.columns]
    fresh = fresh.with_columns(
        pl.Series("person_id", ids), *(pl.lit(None, pl.String).alias(c) for c in blank)
    )
    fresh.write_parquet(part / "people.parquet")
    taught = int(rows * 0.45)

    def day() -> date:
        return date(2025, 1, 1) + timedelta(random.randrange(500))

    apprentices = ids + some[: taught - new]
    pl.DataFrame(
        {
            "mentor_id": some[rows : rows + taught],
            "apprentice_id": apprentices,
            "start": [day() for _ in range(taught)],
        }
    ).filter(pl.col("mentor_id") != pl.col("apprentice_id")).write_parquet(
        part / "mentorships.parquet"
    )
    raised = rows - new - taught
    pl.DataFrame(
        {
            "person_id": some[2 * rows : 2 * rows + raised],
            "level": [random.choice((3, 4, 4, 5)) for _ in range(raised)],
            "date": [day() for _ in range(raised)],
            "mode": ["assessed"] * raised,
        }
    ).write_parquet(part / "recognitions.parquet")


def main() -> None:
    """Prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["first", "delta"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    settings = Settings().at(given.home)
    if given.what == "first":
        first(given.folder, settings)
    else:
        delta(given.folder, settings, given.rows, given.times)


if __name__ == "__main__":
    main()
