"""Many visitors at once: how long each page and interaction takes, errors, the server's memory.

    python -m benchmarks.visitors --home DATA_FOLDER [--users 50] [--minutes 10] [--port 8599]
                                  [--analysts 5] [--runaways 10]

Starts the app on a data folder that is loaded and measured, then plays `--users` visitors, each a
session of its own over the app's own web socket, as a browser holds it: opens a page, waits until
the server says that the run has ended, reads for `READING` seconds, and goes on. What is drawn in
the browser is not timed; it is in `benchmarks.lineage` and in the browser tests. An error is a page
that shows an exception or a note that it failed, or a run that does not end in `GIVE_UP` seconds.

`--analysts` ask heavy statements of the same Neo4j all the while, one after the other without a
pause, from a process of their own as a notebook does; an answer that Neo4j has no turn for is
counted, not an error. `--runaways` such that never end are asked at once in the middle: each must
be answered within its limit and two seconds. All stays on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import polars as pl
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from graph.cypher.named_queries import run_cypher
from graph.errors import ShichengError
from graph.server.database import Database
from graph.server.database import connect as connect_neo4j
from graph.settings import Settings
from tests.serving import build_app_command, wait_until_healthy
from ui.pages import PAGES

ROOT = Path(__file__).parents[1]
READING = (10.0, 40.0)  # seconds: a person looks at a page before the next click
GIVE_UP = 60.0
SUBPROTOCOL = Subprotocol("streamlit")
FAILED = ("This part of the page failed", "页面的这一部分出错")
Visit = tuple[str, dict[str, str]]


@dataclass
class Found:
    """What was seen: seconds by page, errors as sentences, memory in MB by second."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)


# What an analyst asks that is heavy at national size.
HEAVY = (
    "MATCH (m:Person)-[:MENTORS]->(a)-[:MENTORS]->(b) RETURN m.province AS p, count(*) AS n",
    "MATCH (p:Person)-[r:RECOGNISED]->(o) RETURN o.name AS o, r.level AS l, count(*) AS n",
    "MATCH (p:Person) RETURN p.province AS p, p.sex AS s, count(*) AS n ORDER BY n DESC",
    "MATCH (p:Person)-[:EMPLOYED_BY]->(e) WITH e, count(p) AS n WHERE n > 3 "
    "RETURN e.name AS e, n ORDER BY n DESC LIMIT 100",
    "MATCH (t:LeadingTalent)-[:MENTORS*1..3]->(a) RETURN t.person_id AS t, count(DISTINCT a) AS n",
)
ENDLESS = "RETURN reduce(s = 0, x IN range(1, 100000000000) | s + x % 7) AS a"
RUNAWAY_SECONDS = 10.0


@dataclass
class Asked:
    """Seconds of the analysts' answers by what came of them, and of the runaways'."""

    answers: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    runaways: list[float] = field(default_factory=list)


def ask_heavy(database: Database, ends: float, seed: int, asked: Asked) -> None:
    """One analyst's statements, until the time is over."""
    draw = random.Random(seed)
    while time.monotonic() < ends:
        began = time.perf_counter()
        try:
            run_cypher(database, draw.choice(HEAVY))
            came = "answered"
        except ShichengError as error:
            came = str(error).partition(":")[0][:70]
            time.sleep(1)
        asked.answers[came].append(time.perf_counter() - began)


def ask_endless(database: Database, asked: Asked) -> None:
    """A statement that never ends, and how long until whoever asked it knew."""
    began = time.perf_counter()
    with suppress(ShichengError):
        run_cypher(database, ENDLESS, seconds=RUNAWAY_SECONDS)
    asked.runaways.append(time.perf_counter() - began)


@contextmanager
def ask_beside(home: Path, analysts: int, runaways: int, minutes: float) -> Iterator[Asked]:
    """Within it the analysts ask, and in the middle of the time the runaways are asked at once."""
    asked, ends = Asked(), time.monotonic() + 60 * minutes
    if not analysts + runaways:
        yield asked
        return
    with connect_neo4j(Settings().at(home)) as database:
        threads = [
            threading.Thread(target=ask_heavy, args=(database, ends, seed, asked))
            for seed in range(analysts)
        ]
        late = [
            threading.Timer(30 * minutes, ask_endless, args=(database, asked))
            for _ in range(runaways)
        ]
        for thread in (*threads, *late):
            thread.start()
        yield asked
        for thread in (*threads, *late):
            thread.join()


def print_asked(asked: Asked) -> None:
    """Prints what the analysts and the runaways got."""
    print("\n| analysts' statements | number | median s | longest s |\n|---|---|---|---|")
    for came, took in sorted(asked.answers.items()):
        print(f"| {came} | {len(took)} | {statistics.median(took):.1f} | {max(took):.1f} |")
    if asked.runaways:
        limit = RUNAWAY_SECONDS + 2
        late = sum(seconds > limit for seconds in asked.runaways)
        print(f"\nrunaways: {len(asked.runaways)}, longest {max(asked.runaways):.1f} s, ", end="")
        print(f"{late} later than {limit:g} s")


@contextmanager
def serve_app(
    home: Path | None, port: int, script: Path = ROOT / "app.py"
) -> Iterator[subprocess.Popen[bytes]]:
    """The app on a data folder, or a script without one, from when it answers until the end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if home is not None:
        environment["SHICHENG_HOME"] = str(home)
    command = build_app_command(script, port)
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until_healthy(server, f"http://127.0.0.1:{port}")
        yield server
    finally:
        server.terminate()
        server.wait(15)


def choose_visits(home: Path) -> list[Visit]:
    """Pages and states of pages to open: each page, many talents, provinces and workers."""
    made = (home / "snapshots").glob("*/*/snapshot.json")
    newest = max(made, key=lambda file: file.stat().st_mtime).parent
    people = pl.scan_parquet(newest / "people.parquet")
    leading = people.filter("leading").select("person_id", "province").collect()
    some = leading.sample(min(200, leading.height), seed=1)
    pages = sorted(PAGES)
    plain: list[Visit] = [(page, {}) for page in pages if page not in ("lineage", "talent")]
    found = plain * 20
    for id, province in some.rows():
        found += [("lineage", {"id": id}), ("talent", {"id": id})]
        found.append(("talents", {"province": province}))
    return found


async def one_visitor(url: str, choices: list[Visit], ends: float, seed: int, found: Found) -> None:
    """Opens pages until the time is over; after an error with a new session."""
    draw = random.Random(seed)
    await asyncio.sleep(draw.random() * READING[1])
    page = "start"
    while time.monotonic() < ends:
        try:
            async with connect(url, subprotocols=[SUBPROTOCOL], max_size=None) as web:
                while time.monotonic() < ends:
                    page, query = draw.choice(choices)
                    await asyncio.wait_for(_open(web, page, query, found), GIVE_UP)
                    await asyncio.sleep(draw.uniform(*READING))
        except TimeoutError:
            found.errors.append(f"{page}: no answer in {GIVE_UP:.0f} s")
        except OSError as error:
            found.errors.append(f"{page}: {type(error).__name__}")


async def _open(web: ClientConnection, page: str, query: dict[str, str], found: Found) -> None:
    """Ask for a page and wait until its run has ended."""
    asked = BackMsg()
    asked.rerun_script.query_string = urlencode({"lang": "zh"} | query)
    asked.rerun_script.page_name = "" if page == "overview" else page
    asked.rerun_script.context_info.locale = "zh-CN"
    began = time.perf_counter()
    await web.send(asked.SerializeToString())
    while True:
        message = ForwardMsg()
        message.ParseFromString(await web.recv(decode=False))
        kind = message.WhichOneof("type")
        if kind == "delta":
            element = message.delta.new_element
            said = element.html.body if element.WhichOneof("type") == "html" else ""
            if element.WhichOneof("type") == "exception" or any(w in said for w in FAILED):
                found.errors.append(f"{page}: an error is shown")
        elif kind == "page_not_found":
            found.errors.append(f"{page}: there is no such page")
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                continue  # the page asked for another run, which follows
            if message.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
                found.errors.append(f"{page}: the run failed")
            break
    found.seconds[page].append(time.perf_counter() - began)


async def _memory(server: psutil.Process, ends: float, found: Found) -> None:
    began = time.monotonic()
    while time.monotonic() < ends:
        found.memory.append((time.monotonic() - began, server.memory_info().rss / 1e6))
        await asyncio.sleep(5)


async def _all(url: str, users: int, minutes: float, choices: list[Visit], server: int) -> Found:
    found, ends = Found(), time.monotonic() + 60 * minutes
    work = [one_visitor(url, choices, ends, seed, found) for seed in range(users)]
    await asyncio.gather(_memory(psutil.Process(server), ends, found), *work)
    return found


def print_report(found: Found, users: int, minutes: float) -> None:
    """Prints the table."""
    print(f"{users} visitors, {minutes:g} minutes\n")
    print("| page | runs | median s | p95 s | longest s |\n|---|---|---|---|---|")
    everything = [s for seconds in found.seconds.values() for s in seconds]
    for name, took in [*sorted(found.seconds.items()), ("all", everything)]:
        last = statistics.quantiles(took, n=20)[-1] if len(took) > 1 else took[0]
        middle = statistics.median(took)
        print(f"| {name} | {len(took)} | {middle:.2f} | {last:.2f} | {max(took):.2f} |")
    third = len(found.memory) // 3
    for name, part in (("first", found.memory[:third]), ("last", found.memory[-third:])):
        if part:
            print(f"\nmemory, {name} third: {statistics.median(m for _, m in part):.0f} MB", end="")
    print(f"\nerrors: {len(found.errors)}")
    for line in sorted(set(found.errors)):
        print(f"  {found.errors.count(line)} x {line}")


def main() -> None:
    """Plays the visitors and prints what they saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--port", type=int, default=8599)
    parser.add_argument("--analysts", type=int, default=0)
    parser.add_argument("--runaways", type=int, default=0)
    given = parser.parse_args()
    with serve_app(given.home, given.port) as server:
        choices = choose_visits(given.home)
        url = f"ws://127.0.0.1:{given.port}/_stcore/stream"
        warm = Found()
        asyncio.run(_warm(url, choices, warm))
        first = {page: took[0] for page, took in warm.seconds.items()}
        print("first opening of each page, s: ", {p: round(s, 2) for p, s in first.items()})
        alone = {
            page: statistics.quantiles(took[1:] or took * 2, n=20)[-1]
            for page, took in warm.seconds.items()
        }
        print("one visitor alone, p95 s: ", {p: round(s, 2) for p, s in alone.items()}, "\n")
        beside = ask_beside(given.home, given.analysts, given.runaways, given.minutes)
        with beside as asked:
            found = asyncio.run(_all(url, given.users, given.minutes, choices, server.pid))
        print_report(found, given.users, given.minutes)
        print_asked(asked)


async def _warm(url: str, choices: list[Visit], found: Found) -> None:
    """One visitor alone opens each page some times."""
    async with connect(url, subprotocols=[SUBPROTOCOL], max_size=None) as web:
        for page in sorted({page for page, _ in choices}):
            of_page = [query for name, query in choices if name == page]
            for query in random.Random(1).sample(of_page, min(20, len(of_page))):
                await _open(web, page, query, found)


if __name__ == "__main__":
    main()
