"""A nation into Neo4j: the first load, the snapshot, the figures, and a delta of 10,000 rows.

    python -m benchmarks.loads first FOLDER --home DATA_FOLDER
    python -m benchmarks.loads delta FOLDER --home DATA_FOLDER [--rows 10000] [--times 3]
    python -m benchmarks.loads uri FOLDER [--beside CHECKOUT] [--times 3]

`first` loads the exchange folder into an empty data folder and says where the seconds go; `delta`
loads rows made from it on top, and measures until the figures are right again. Peaks are those of
all processes together: the command's, Neo4j's and neo4j-admin's. `uri` loads the folder by
NEO4J_URI into an empty server of its own that has just started, then again after emptying it;
`--beside` has another checkout of the project do the same in turn, and gives the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
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
from pydantic import SecretStr

from graph.driven.results import load_driven
from graph.policy import Policy
from graph.server.database import Database, connect
from graph.server.embedded import stop_server
from graph.server.location import load_server_password
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from loaders.folder import get
from loaders.sync import load_records

SEED = 20_261_125
ROOT = Path(__file__).parents[1]
STATES = ("just started", "warm")
# Runs this file with the packages of a checkout, wherever it stands itself.
RUN_BESIDE = """
import runpy, sys
checkout, file, folder = sys.argv[1:]
sys.path.insert(0, checkout)
sys.argv = [file, "once", folder]
runpy.run_path(file, run_name="__main__")
"""


def measure_home_memory(home: Path) -> float:
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
def watch_peak_memory(home: Path) -> Iterator[list[float]]:
    """The most that was held inside the block, in GB: the only entry of the list."""
    most, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            most[0] = max(most[0], measure_home_memory(home))

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
        self.now, self.started = "start", time.perf_counter()

    def __call__(self, what: str, done: int, total: int) -> None:
        """The progress that `load_records` calls."""
        stage = "check" if what.startswith("check ") else what
        if stage != self.now:
            self.end(stage)

    def end(self, stage: str = "") -> None:
        """The stage before is over."""
        moment = time.perf_counter()
        self.took[self.now] = self.took.get(self.now, 0.0) + moment - self.started
        self.now, self.started = stage, moment


def measure_first_load(folder: Path, settings: Settings) -> None:
    """The full folder into an empty store, the snapshot, the figures."""
    with connect(settings) as database, watch_peak_memory(settings.home) as most:
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
        _count_figures(database, settings)
        print(f"  most memory of these two: {most[0]:.1f} GB")


def _count_figures(database: Any, settings: Settings) -> None:
    snapshot, took = time_task(lambda: take_snapshot(database, settings))
    print(f"snapshot: {took:.1f} s", flush=True)
    found, counting = time_task(lambda: load_driven(snapshot, Policy()))
    print(f"default policy: {counting:.1f} s, {found.national}", flush=True)
    print(f"together: {took + counting:.1f} s", flush=True)


def time_task(task: Callable[[], Any]) -> tuple[Any, float]:
    """What the task gives, and its seconds."""
    began = time.perf_counter()
    given = task()
    return given, time.perf_counter() - began


def measure_delta(folder: Path, settings: Settings, rows: int, times: int) -> None:
    """Rows on top, as a ministry sends them after a week, `times` over."""
    random = Random(f"{SEED} {time.time_ns()}")
    with connect(settings) as database, tempfile.TemporaryDirectory() as place:
        load_driven(take_snapshot(database, settings), Policy())
        for number in range(times):
            part = Path(place) / f"delta-{number}"
            write_week(folder, part, rows, random)
            stages = Stages()
            tables = get([part], "week")
            load = partial(load_records, database, "folder", tables)
            report, took = time_task(partial(load, home=settings.home, progress=stages))
            stages.end()
            print(f"delta {number + 1}: {report.accepted:,} of {report.read:,} rows, {took:.2f} s")
            print("  " + ", ".join(f"{what} {s:.2f}" for what, s in stages.took.items()))
            _count_figures(database, settings)


def write_week(folder: Path, part: Path, rows: int, random: Random) -> None:
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


def load_by_uri(folder: Path) -> list[dict[str, float]]:
    """Rows, seconds and CPU seconds of two first loads into one server, emptied between them."""
    with tempfile.TemporaryDirectory() as place:
        own = Settings().at(Path(place) / "server")
        own.home.mkdir()
        measured = []
        try:
            with connect(own) as server:
                pid = json.loads((own.home / "neo4j.json").read_text())["pid"]
                secret = SecretStr(load_server_password(own))
                for state in STATES:
                    home = Path(place) / state
                    home.mkdir()
                    named = Settings().at(home)
                    given = {"neo4j_uri": server.uri, "neo4j_password": secret}
                    measured.append(_load_once(folder, named.model_copy(update=given), pid))
                    empty_store(server)
        finally:
            stop_server(own)
    return measured


def _load_once(folder: Path, settings: Settings, pid: int) -> dict[str, float]:
    server, here = psutil.Process(pid), psutil.Process()

    def spent(process: psutil.Process) -> float:
        return float(sum(process.cpu_times()[:2]))

    before = spent(server), spent(here)
    with connect(settings) as database:
        tables = get([folder], None)
        load = partial(load_records, database, "folder", tables, home=settings.home)
        report, seconds = time_task(load)
    return {
        "rows": report.accepted,
        "seconds": seconds,
        "server": spent(server) - before[0],
        "loader": spent(here) - before[1],
    }


def empty_store(database: Database) -> None:
    """No node, constraint or index in it any more."""
    for what in ("()-[x]->()", "(x)"):
        while database.write(f"MATCH {what} WITH x LIMIT 10000 DELETE x").contains_updates:
            pass
    for row in database.read("SHOW CONSTRAINTS YIELD name"):
        database.write(f"DROP CONSTRAINT `{row['name']}`")
    for row in database.read("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'"):
        database.write(f"DROP INDEX `{row['name']}`")


def compare_by_uri(folder: Path, beside: Path | None, times: int) -> None:
    """First loads by NEO4J_URI, each in a fresh process, those of the other checkout in turn."""
    checkouts = [ROOT, *([beside.resolve()] if beside else [])]
    print("| checkout | server | rows/s | s | CPU s, server | CPU s, loader | machine |")
    print("|---|---|---|---|---|---|---|")
    best: dict[tuple[Path, str], float] = {}
    for _ in range(times):
        for checkout in reversed(checkouts):
            words = [str(checkout), str(Path(__file__).resolve()), str(folder.resolve())]
            command = [sys.executable, "-c", RUN_BESIDE, *words]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            measured = json.loads(printed.stdout.splitlines()[-1])
            for state, one in zip(STATES, measured, strict=True):
                rate = one["rows"] / one["seconds"]
                best[checkout, state] = max(rate, best.get((checkout, state), 0.0))
                print(
                    f"| {checkout.name} | {state} | {rate:,.0f} | {one['seconds']:.1f} | "
                    f"{one['server']:.1f} | {one['loader']:.1f} | {os.getloadavg()[0]:.1f} |",
                    flush=True,
                )
    for state in STATES if beside else ():
        new, old = (best[checkout, state] for checkout in checkouts)
        print(f"{state}: {new:,.0f} rows/s beside {old:,.0f}, {new / old:.2f} times (best of each)")


def main() -> None:
    """Prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["first", "delta", "uri", "once"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    if given.what == "once":
        print(json.dumps(load_by_uri(given.folder)))
        return
    if given.what == "uri":
        compare_by_uri(given.folder, given.beside, given.times)
        return
    if given.home is None:
        parser.error("--home is needed")
    settings = Settings().at(given.home)
    if given.what == "first":
        measure_first_load(given.folder, settings)
    else:
        measure_delta(given.folder, settings, given.rows, given.times)


if __name__ == "__main__":
    main()
