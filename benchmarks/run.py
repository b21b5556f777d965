"""The figures of docs/benchmarks.md, measured here and printed as its table: `make bench`.

Each is the wall time of what a user waits for, in seconds, the median of `ROUNDS` where it can be
repeated. Machines differ and are noisy: compare within one run only.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil

from graph.server import embedded, location
from graph.settings import Settings

ROOT = Path(__file__).parents[1]
SHICHENG = str(Path(sys.executable).with_name("shicheng"))
ROUNDS = 5
PAGES = ("overview", "find", "lineage", "talents", "talent", "queries")


def run_shicheng(home: Path, *arguments: str) -> str:
    """One command on a data folder; what it printed."""
    given = {**os.environ, "SHICHENG_HOME": str(home)}
    done = subprocess.run([SHICHENG, *arguments], env=given, check=True, capture_output=True)
    return done.stdout.decode()


def time_work(work: Callable[[], object], rounds: int = 1) -> float:
    """The median wall time of `work`."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


@contextmanager
def data_folder() -> Iterator[Path]:
    """An empty data folder whose server is stopped at the end."""
    with tempfile.TemporaryDirectory() as parent:
        home = Path(parent) / "home"
        try:
            yield home
        finally:
            embedded.stop_server(Settings().at(home))


def start_and_commands(home: Path) -> Iterator[tuple[str, str]]:
    """First start of an empty folder, a start of a store that is there, the second command."""
    yield (
        "first start (jars there, empty folder)",
        f"{time_work(lambda: run_shicheng(home, 'db', 'start')):.1f} s",
    )
    server = location.find_running_server(Settings().at(home))
    if server:
        size = psutil.Process(server.pid).memory_info().rss / 1e6
        yield "Neo4j after its start, resident", f"{size:.0f} MB"
    run_shicheng(home, "db", "stop")
    yield (
        "start of a store that is there",
        f"{time_work(lambda: run_shicheng(home, 'db', 'start')):.1f} s",
    )
    count = ("cypher", "MATCH (n) RETURN count(n) AS n")
    run_shicheng(home, *count)
    took = time_work(lambda: run_shicheng(home, *count), ROUNDS)
    yield "second command (`shicheng cypher`)", f"{took:.2f} s"


def load_and_measure(home: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """The demo network written, loaded, loaded again, and the number."""
    from loaders.synthetic.network import write_synthetic_folder

    made = write_synthetic_folder(folder, talents=150, workers=40_000, seed=2026)
    yield "write the demo folder", f"{made.total:,} rows, {made.total / made.seconds:,.0f} rows/s"
    for what in ("first load of the demo", "the same load again"):
        took = time_work(lambda: run_shicheng(home, "load", "folder", str(folder)))
        yield what, f"{took:.0f} s, {made.total / took:,.0f} rows/s"
    yield (
        "`shicheng national`, snapshot taken",
        f"{time_work(lambda: run_shicheng(home, 'national')):.1f} s",
    )
    took = time_work(lambda: run_shicheng(home, "national"), ROUNDS)
    yield "`shicheng national`, snapshot kept", f"{took:.2f} s"


def list_pages(home: Path) -> Iterator[tuple[str, str]]:
    """Each page's server time: the second run of its script, everything cached once."""
    os.environ["SHICHENG_HOME"] = str(home)
    logging.disable()  # Streamlit warns that no browser is there
    from streamlit.testing.v1 import AppTest

    def open_page(name: str) -> None:
        script = f"from app import main\nmain({name!r})\n"
        app = AppTest.from_string(script, default_timeout=120)
        if name in ("lineage", "talent"):
            app.query_params["id"] = "P0000001"
        app.run()
        assert not app.exception, app.exception

    sys.path.insert(0, str(ROOT))
    for name in PAGES:
        first = time_work(partial(open_page, name))
        again = time_work(partial(open_page, name), ROUNDS)
        yield f"page {name}: first, then median", f"{first:.2f} s, {again:.2f} s"


def main() -> None:
    """Measures and prints."""
    memory = psutil.virtual_memory().total / 1e9
    machine = f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}"
    print(f"{dt.date.today()}, {machine}, Python {platform.python_version()}, `make bench`\n")
    print("| what | figure |\n|---|---|")
    with data_folder() as home:
        folder = home.with_name("demo")
        for part in (start_and_commands(home), load_and_measure(home, folder), list_pages(home)):
            for what, figure in part:
                print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
