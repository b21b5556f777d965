"""Loads in shuffled order, and writers at once: the same digest, nothing written again.

    python -m benchmarks.load_orders [orders] [writers] [--times 3] [--workers 20000] [--seed 1]

`orders`: three departments' folders that contradict each other, each of more than 100,000 rows at
the default size, loaded in so many shuffled orders. Each order must leave the same digest, the same
folders again in another order must leave it too, and the third time no record may be touched.
`writers`: eight commands at once, each with a data folder of its own, load 10,000 people into one
server, the same ids under eight sources; there must be 10,000 people afterwards, each stated by all
eight. First into an empty store, then into one that holds another load. Ends with 1 if anything
differs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.engines import print_row
from benchmarks.load_kills import (
    COMMAND,
    HEAP_MB,
    ID_KEY,
    JAVA_OPTIONS,
    build_settings,
    kill_server,
    run_load,
)
from graph.server.database import connect
from graph.server.location import USER, load_server_password
from graph.store.digest import compute_store_digest
from loaders.synthetic.network import write_synthetic_folder

DEPARTMENTS: Final = ("hr", "union", "school")
WRITERS: Final = 8
KEYS: Final = 10_000
PARTS: Final = ("orders", "writers")


def write_departments(folder: Path, workers: int) -> list[Path]:
    """The folders of three departments with the same ids and other words on each."""
    paths = [folder / name for name in DEPARTMENTS]
    for seed, path in enumerate(paths, 1):
        write_synthetic_folder(path, talents=workers // 100, workers=workers, seed=seed)
    return paths


def read_digest(home: Path) -> str:
    """The digest of the store of a data folder."""
    with connect(build_settings(home)) as database:
        return compute_store_digest(database)


def count_touched_keys(home: Path) -> int:
    """The records that the newest load touched; more than can be listed count as one."""
    with connect(build_settings(home)) as database:
        (found,) = database.read(
            "MATCH (l:Load) WITH l ORDER BY l.revision DESC LIMIT 1 "
            "OPTIONAL MATCH (c:Change {load_id: l.load_id}) RETURN sum(size(c.keys)) AS n"
        )
    return int(found["n"])


def try_order(home: Path, paths: list[Path], chance: Random) -> tuple[set[str], int, float]:
    """The digests after each round of three loads, keys touched in the last, processor seconds."""
    digests, seconds, touched = set[str](), 0.0, 0
    for round in range(3):
        touched = 0
        for path in chance.sample(paths, len(paths)):
            seconds += run_load(home, path)[0]
            if round == 2:
                touched += count_touched_keys(home)
        digests.add(read_digest(home))
    kill_server(home)
    return digests, touched, seconds


def try_orders(folder: Path, times: int, workers: int, seed: int) -> bool:
    """Whether all orders left one digest, and the third rounds touched nothing."""
    paths, digests, every = write_departments(folder, workers), set[str](), 0
    print_row("order", "digests", "touched the third time", "CPU s")
    print_row(*["---"] * 4)
    for time_ in range(times):
        found, touched, seconds = try_order(folder / f"order{time_}", paths, Random(seed + time_))
        digests |= found
        every += touched
        print_row(time_ + 1, len(digests), touched, f"{seconds:.0f}")
        sys.stdout.flush()
    return len(digests) == 1 and not every


def write_overlapping_people(folder: Path) -> list[Path]:
    """A folder a writer: the same ids, in an order of its own, each with a name of the writer's."""
    paths = []
    for writer in range(WRITERS):
        path = folder / f"writer{writer}"
        path.mkdir()
        ids = Random(writer).sample(range(KEYS), KEYS)
        rows = "".join(f"p{id:05},第{writer}名{id}\n" for id in ids)
        (path / "people.csv").write_text(f"person_id,name\n{rows}", "utf-8")
        paths.append(path)
    return paths


def start_writer(folder: Path, files: Path, given: dict[str, str]) -> subprocess.Popen[str]:
    """A command with a data folder of its own that loads into one server."""
    return subprocess.Popen(
        [*COMMAND, "load", "folder", str(files)],
        env={**os.environ, **given, "SHICHENG_HOME": str(folder / f"of-{files.name}")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def try_writers(folder: Path, loaded: bool) -> bool:
    """Whether eight writers at once left exactly their keys, each stated by all."""
    home, paths = folder / "server", write_overlapping_people(folder)
    if loaded:
        other = folder / "other"
        other.mkdir()
        (other / "schools.csv").write_text("school_id,name\nsc1,技师学院\n", "utf-8")
        run_load(home, other)
    settings = build_settings(home)
    with connect(settings) as database:
        given = {
            "NEO4J_URI": database.uri,
            "NEO4J_USERNAME": USER,
            "NEO4J_PASSWORD": load_server_password(settings),
            "SHICHENG_HEAP_MB": str(HEAP_MB),
            "SHICHENG_LANG": "en",
        }
        began = time.monotonic()
        commands = [start_writer(folder, path, given) for path in paths]
        said = [command.communicate()[1] for command in commands]
        seconds = time.monotonic() - began
        failed = [words for words, one in zip(said, commands, strict=True) if one.returncode]
        (found,) = database.read(
            "MATCH (p:Person) RETURN count(p) AS people, count(DISTINCT p.person_id) AS ids, "
            "sum(CASE WHEN size(p.sources) = $writers THEN 1 ELSE 0 END) AS stated",
            {"writers": WRITERS},
        )
    kill_server(home)
    where = "one with a load" if loaded else "empty"
    print_row(where, found["people"], found["ids"], found["stated"], len(failed), f"{seconds:.0f}")
    for words in failed:
        print(words.strip().splitlines()[-1], file=sys.stderr)
    return not failed and set(found.values()) == {KEYS}


def main() -> int:
    """Prints a line an order and a store; 1 when anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=PARTS)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--workers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.environ["SHICHENG_ID_KEY"] = ID_KEY
    os.environ.setdefault("JAVA_TOOL_OPTIONS", JAVA_OPTIONS)
    held = True
    with tempfile.TemporaryDirectory() as folder:
        if "orders" in given.parts:
            held = try_orders(Path(folder), given.times, given.workers, given.seed)
    if "writers" in given.parts:
        print_row("store", "people", "ids", "stated by all", "failed", "s")
        print_row(*["---"] * 6)
        for loaded in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                held = try_writers(Path(folder), loaded) and held
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
