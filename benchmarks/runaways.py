"""What one person's queries can take away from everybody else: `python -m benchmarks.runaways`.

    python -m benchmarks.runaways [--home DATA_FOLDER]

Without a data folder an empty one is made. Ten queries that never end are asked at once while a
reader reads on; then a statement 10,000 brackets deep, an answer of 1.3 GB, a single value without
end, and the stop of a server in which a query runs for ever. Printed as lines of
docs/benchmarks.md: what was asked, how long until its answer, the longest and the 95th percentile
of the reader's waits meanwhile, and the most memory that the asking process has held.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.engines import print_row
from graph.cypher.named_queries import run_cypher
from graph.errors import ShichengError
from graph.server import embedded
from graph.server.database import Database, connect
from graph.settings import Settings

RUNAWAYS = 10
SECONDS = 10.0  # the limit of each query
WATCHED = 60.0  # the reader reads on for so long
ENDLESS = "RETURN reduce(s = 0, x IN range(1, 100000000000) | s + x % 7) AS a"
LARGE = (
    "WITH reduce(s = '', x IN range(1, 1280) | s + $part) AS t "
    "UNWIND range(1, 10000) AS i RETURN i, t"
)


@contextmanager
def watch_reader(database: Database, waits: list[float]) -> Iterator[None]:
    """A reader that asks a small thing again and again; `waits` are the seconds each took."""
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            began = time.perf_counter()
            database.read("MATCH (p:Person) RETURN p.person_id AS id LIMIT 5", seconds=60)
            waits.append(time.perf_counter() - began)
            time.sleep(0.05)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def ask_console(database: Database, text: str, **parameters: object) -> str:
    """What came of a query: its rows, or the sentence."""
    try:
        found = run_cypher(database, text, parameters, seconds=SECONDS)
    except ShichengError as error:
        return str(error).split(":")[0][:90]
    return f"{len(found.rows):,} rows" + (", cut" if found.truncated else "")


def print_line(what: str, database: Database, work: Callable[[], str]) -> None:
    """One line of the table."""
    waits: list[float] = []
    with watch_reader(database, waits):
        began = time.perf_counter()
        said = work()
        took = time.perf_counter() - began
    last = statistics.quantiles(waits, n=20)[-1] if len(waits) > 1 else waits[0]
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print_row(what, f"{took:.1f}", f"{max(waits):.2f}", f"{last:.2f}", f"{megabytes:.0f}", said)


def wait_without_query() -> str:
    """Ten seconds without a query: what the reader's waits are compared with."""
    time.sleep(10)
    return ""


def ask_together(database: Database) -> str:
    """Ten endless queries at once, and the rest of the minute."""
    until = time.perf_counter() + WATCHED
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda: said.append(ask_console(database, ENDLESS)))
        for _ in range(RUNAWAYS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(max(until - time.perf_counter(), 0))
    return (
        f"{sum('more run' in s for s in said)} refused, {sum('not end' in s for s in said)} ended"
    )


def measure_stop(settings: Settings) -> float:
    """Seconds to stop a server in which a query never ends."""
    with connect(settings) as database:
        driver, _ = database.console_driver()

        def ask() -> None:
            try:
                with database.session(driver) as session:
                    session.run(ENDLESS).consume()
            except Exception:
                return

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        time.sleep(3)
        began = time.perf_counter()
        embedded.stop_server(settings)
        took = time.perf_counter() - began
        thread.join(20)
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--home", type=Path, help="data folder; without it an empty one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        settings = Settings().at(given.home or Path(made))
        with connect(settings) as database:
            database.read("RETURN 1", seconds=60)
            print_row("asked", "s", "reader's longest s", "p95 s", "memory MB", "answer")
            print_row(*["---"] * 6)
            print_line("nothing", database, wait_without_query)
            print_line(
                "10,000 brackets", database, lambda: ask_console(database, "RETURN " + "(" * 9_990)
            )
            print_line(
                "10,000 rows of 128 kB",
                database,
                lambda: ask_console(database, LARGE, part="x" * 100),
            )
            print_line(
                "one value of 90 MB",
                database,
                lambda: ask_console(
                    database, "RETURN [x IN range(1, 900) | $p] AS a", p="x" * 100_000
                ),
            )
            print_line(f"{RUNAWAYS} that never end", database, lambda: ask_together(database))
        print(f"\nstop with a query that never ends: {measure_stop(settings):.1f} s")


if __name__ == "__main__":
    main()
