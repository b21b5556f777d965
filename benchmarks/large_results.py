"""A result of a million rows: the first page, all of it, and a file of each format.

`python -m benchmarks.large_results [ROWS]`, on an empty store of its own. Memory is what this
process has more than before, at most, looked at every 20 ms.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import psutil

from benchmarks.run import data_folder
from graph.cypher.named_queries import run_cypher
from graph.cypher.spooled_answers import SpooledAnswer, start_answer
from graph.server.database import connect
from graph.settings import Settings
from graph.table_streams import TableStream, stream_table
from graph.tabular import About, Format, build_frame_from_rows

STATEMENT = (
    "UNWIND range(1, $rows) AS number RETURN number, 'P' + toString(number) AS person_id, "
    "date('2024-01-01') + duration({days: number % 1000}) AS day, number % 31 AS province, "
    "number * 1.5 AS score, ['mentorship', 'studio'] AS channels"
)
PAGE_ROWS = 1_000


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Prints how long the block took, and by how much this process grew in it at most."""
    process, over, most = psutil.Process(), threading.Event(), [0]
    before = process.memory_info().rss

    def watch() -> None:
        while not over.wait(0.02):
            most[0] = max(most[0], process.memory_info().rss - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        yield
    finally:
        took = time.perf_counter() - began
        over.set()
        watcher.join()
        print(f"| {what} | {took:.2f} s | {most[0] / 1e6:.0f} MB |", flush=True)


def build_stream(answer: SpooledAnswer) -> TableStream:
    """The answer as the page gives it away, without words."""
    dtypes = answer.list_dtypes()
    return TableStream(
        list(dtypes),
        list(dtypes.values()),
        answer.rows,
        lambda: (build_frame_from_rows(t.columns, t.rows) for t in answer.iterate_tables()),
        About(1),
    )


def main() -> None:
    """Prints the lines of the table of docs/benchmarks.md."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with data_folder() as home, connect(Settings().at(home)) as database:
        run_cypher(database, STATEMENT, {"rows": 3_000}, seconds=300)  # warm
        given = {"rows": rows}
        with measured(f"{rows:,} rows, all of them stored"):
            began = time.perf_counter()
            answer = start_answer(
                database, lambda reading: run_cypher(database, STATEMENT, given, reading=reading)
            )
            answer.wait_for_page()
            answer.read_page(0, PAGE_ROWS)
            first = time.perf_counter() - began
            answer.wait_for_end()
        print(f"| first page of them | {first:.2f} s | |")
        size = sum(part.path.stat().st_size for part in answer.folder.parts)
        print(f"| the files | {size / 1e6:.0f} MB on disk | |")
        with measured("the last page"):
            assert answer.read_page(rows - PAGE_ROWS, PAGE_ROWS).rows[-1][0] == rows
        with tempfile.TemporaryDirectory() as folder:
            for format in get_args(Format):
                with measured(f"{format}, streamed"):
                    pieces = stream_table(build_stream(answer), format, Path(folder))
                    sent = sum(len(piece) for piece in pieces)
                print(f"| {format} | {sent / 1e6:.0f} MB | |")
        answer.close()


if __name__ == "__main__":
    main()
