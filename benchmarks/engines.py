"""The driven count at national size against graph libraries, on each engine, and as it grows.

    python -m benchmarks.engines SNAPSHOT_FOLDER [--home DATA_FOLDER] [--exchange FOLDER]
        [--times N] [PART ...]

PART is peers, engines, quick, growth; all of them when none is named. Each candidate has a fresh
process; its peak is that of its full process tree. Peers do the work all can do: mentorships
alone, dates ignored, three generations, the new high-skilled workers that each of `SAMPLE` talents
reaches, scaled up to all talents (~). `--home` has the same network in Neo4j, for Cypher alone;
`--exchange` the generator's folder, from which the growth is made.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psutil

from graph.driven.engines import open_engine
from graph.driven.figures import compute_figures_and_tables, open_frames
from graph.driven.promotions import compute_events
from graph.driven.results import TALENT_SORTED_TABLES, load_driven
from graph.driven.rounds import collect_frame, compute_reach
from graph.policy import Policy
from graph.snapshot.frames import open_snapshot

SAMPLE, GENERATIONS = 200, 3
# Runs of a peer in its process, and how long one may take to be run again.
ROUNDS = 3
SLOW_SECONDS = 30.0
PLAIN = Policy(ordered=False, undated="include", channels=("mentorship",))
GROWTH = (0.5, 1, 5, 10)
GIVE_UP_SECONDS = 3600
# A candidate that leaves the machine less memory than this is stopped: it does not fit.
LEAST_FREE = 1.5e9


# --- what a child process does: it prints seconds to build and to count, and a figure ----------


def read_edge_arrays(folder: Path) -> tuple[np.ndarray, np.ndarray, int, np.ndarray, list[int]]:
    """Mentors, apprentices, people, who is newly high-skilled, the sampled talents."""
    frames = open_snapshot(folder).frames
    taught = frames["edges"].filter(pl.col("channel") == "mentorship")
    links = taught.select("mentor", "apprentice").unique().collect()
    people = frames["people"].select(pl.len()).collect().item()
    policy = PLAIN
    new = frames["promotions"].filter(
        pl.col("level") >= policy.high_skilled_level,
        pl.col("before") < policy.high_skilled_level,
        pl.col("day").is_between(policy.window_start, policy.window_end),
    )
    skilled = np.zeros(people, bool)
    skilled[new.select("person").collect()["person"].to_numpy()] = True
    talents = frames["talents"].select("person").unique().sort("person").collect()["person"]
    chosen = talents.gather_every(max(talents.len() // SAMPLE, 1)).head(SAMPLE).to_list()
    return links["mentor"].to_numpy(), links["apprentice"].to_numpy(), people, skilled, chosen


def measure_ours(folder: Path) -> tuple[float, float, int, int]:
    """The rounds, over all talents: nothing is sampled."""
    began = time.perf_counter()
    snapshot = open_snapshot(folder)
    with open_engine("polars") as engine:
        frames = open_frames(snapshot, engine)
        built = time.perf_counter()
        reached = compute_reach(frames["edges"], frames["talents"], PLAIN, engine)
        found = collect_frame(compute_events(reached, frames["promotions"], PLAIN, engine)).filter(
            "first"
        )
        done = time.perf_counter()
    *_, chosen = read_edge_arrays(folder)
    talents = frames["talents"].to_native().select(pl.col("person").n_unique()).collect().item()
    sampled = found.filter(pl.col("talent").is_in(chosen)).height
    return built - began, done - built, talents, sampled


def measure_igraph(folder: Path) -> tuple[float, float, int, int]:
    """neighborhood(order=3)."""
    import igraph as ig

    began = time.perf_counter()
    mentors, apprentices, people, skilled, chosen = read_edge_arrays(folder)
    graph = ig.Graph(people, np.column_stack([mentors, apprentices]), directed=True)
    built = time.perf_counter()
    reached = graph.neighborhood(chosen, order=GENERATIONS, mode="out")
    figure = sum(
        int(skilled[found].sum()) - int(skilled[t])
        for t, found in zip(chosen, reached, strict=True)
    )
    return built - began, time.perf_counter() - built, len(chosen), figure


def _by_layers(
    next_of: Callable[[int], Iterable[int]], skilled: np.ndarray, chosen: list[int]
) -> int:
    figure = 0
    for talent in chosen:
        seen = layer = {talent}
        for _ in range(GENERATIONS):
            layer = {person for one in layer for person in next_of(one)} - seen
            seen = seen | layer
        figure += sum(bool(skilled[person]) for person in seen - {talent})
    return figure


def measure_rustworkx(folder: Path) -> tuple[float, float, int, int]:
    """successor_indices, layer by layer: it has no bounded descendants."""
    import rustworkx as rx

    began = time.perf_counter()
    mentors, apprentices, people, skilled, chosen = read_edge_arrays(folder)
    graph = rx.PyDiGraph()
    graph.add_nodes_from(range(people))
    graph.add_edges_from_no_data(list(zip(mentors.tolist(), apprentices.tolist(), strict=True)))
    built = time.perf_counter()
    figure = _by_layers(graph.successor_indices, skilled, chosen)
    return built - began, time.perf_counter() - built, len(chosen), figure


def measure_networkit(folder: Path) -> tuple[float, float, int, int]:
    """iterNeighbors, layer by layer."""
    import networkit as nk

    began = time.perf_counter()
    mentors, apprentices, people, skilled, chosen = read_edge_arrays(folder)
    links = (mentors.astype(np.uint64), apprentices.astype(np.uint64))
    graph = nk.GraphFromCoo(links, n=people, directed=True)
    built = time.perf_counter()
    figure = _by_layers(graph.iterNeighbors, skilled, chosen)
    return built - began, time.perf_counter() - built, len(chosen), figure


def measure_networkx(folder: Path) -> tuple[float, float, int, int]:
    """single_source_shortest_path_length(cutoff=3)."""
    import networkx as nx

    began = time.perf_counter()
    mentors, apprentices, people, skilled, chosen = read_edge_arrays(folder)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(people))
    graph.add_edges_from(zip(mentors.tolist(), apprentices.tolist(), strict=True))
    built = time.perf_counter()
    figure = 0
    for talent in chosen:
        found = nx.single_source_shortest_path_length(graph, talent, cutoff=GENERATIONS)
        figure += sum(bool(skilled[person]) for person in found if person != talent)
    return built - began, time.perf_counter() - built, len(chosen), figure


CYPHER = f"""
UNWIND $ids AS id
MATCH (t:Person {{person_id: id}})-[:MENTORS*1..{GENERATIONS}]->(w:Person) WHERE w <> t
WITH DISTINCT t, w
WITH COLLECT {{ MATCH (w)-[r:RECOGNISED]->() WHERE r.level >= $level
               RETURN r.date ORDER BY r.date LIMIT 1 }}[0] AS day
WHERE day >= $start AND day <= $end
RETURN count(*) AS n
"""


def measure_cypher(folder: Path, home: Path) -> tuple[float, float, int, int]:
    """One query a talent, on the graph loaded already: nothing to build."""
    from graph.server.database import connect
    from graph.settings import Settings

    frames = open_snapshot(folder).frames
    *_, chosen = read_edge_arrays(folder)
    ids = frames["people"].filter(pl.col("person").is_in(chosen)).select("person_id").collect()
    given = {
        "level": PLAIN.high_skilled_level,
        "start": PLAIN.window_start,
        "end": PLAIN.window_end,
    }
    with connect(Settings().at(home)) as database:
        database.read(CYPHER, {"ids": ids["person_id"].to_list()[:1], **given}, seconds=600)
        began, figure = time.perf_counter(), 0
        for one in ids["person_id"]:
            figure += database.read(CYPHER, {"ids": [one], **given}, seconds=600)[0]["n"]
        return 0.0, time.perf_counter() - began, len(chosen), figure


def run_engine(folder: Path, engine: str, generations: str) -> dict[str, Any]:
    """The default policy on an engine: reach, everything, and stored on disk."""
    policy = Policy.parsed(generations=generations)
    work = Path(tempfile.mkdtemp(dir=folder))
    try:
        began = time.perf_counter()
        with open_engine(
            engine, folder=work, master="local[2]" if engine == "spark" else None
        ) as e:
            frames = open_frames(open_snapshot(folder), e)
            started = time.perf_counter()
            reached = compute_reach(frames["edges"], frames["talents"], policy, e)
            after_reach = time.perf_counter()
            figures, tables = compute_figures_and_tables(frames, reached, policy, e)
            after_all = time.perf_counter()
            for name, table in (tables | {"reach": reached}).items():
                ordered = table.sort("talent") if name in TALENT_SORTED_TABLES else table
                e.save(ordered, work / f"{name}.parquet")
            saved = time.perf_counter()
        return {
            "start": started - began,
            "reach": after_reach - started,
            "all": after_all - started,
            "kept": saved - after_all,
            "persons": figures.national["driven_persons"],
            "pairs": figures.national["sum_over_talents"],
            "credit off": max(
                abs(credit - figures.national["driven_persons"])
                for credit in figures.talents.select("equal", "nearest", "decay").sum().row(0)
            ),
        }
    finally:
        shutil.rmtree(work, ignore_errors=True)


def measure_result_reads(folder: Path) -> dict[str, float]:
    """From the stored result: one talent's list, a breakdown, a union of 50; the median of 5."""
    snapshot = open_snapshot(folder)
    policy = Policy()
    load_driven(snapshot, policy)
    ids = load_driven(snapshot, policy).talents["talent_id"].to_list()
    took: dict[str, list[float]] = {}
    for number in range(5):
        found = load_driven(snapshot, policy)
        tasks: dict[str, Callable[[], object]] = {
            "one talent's list": partial(found.workers_of, ids[number * 7]),
            "union of 50 talents": partial(found.union, ids[number * 50 : number * 50 + 50]),
            "by province": partial(found.by, "province"),
            "by quarter": found.by_quarter,
            "by generation and channel": found.by_generation_and_channel,
        }
        for name, task in tasks.items():
            began = time.perf_counter()
            task()
            took.setdefault(name, []).append(time.perf_counter() - began)
    return {name: sorted(seconds)[2] for name, seconds in took.items()}


PEERS: dict[str, Callable[..., tuple[float, float, int, int]]] = {
    "ours": measure_ours,
    "igraph": measure_igraph,
    "rustworkx": measure_rustworkx,
    "networkit": measure_networkit,
    "networkx": measure_networkx,
}


def best_of(peer: Callable[..., tuple[float, float, int, int]], folder: Path) -> Any:
    """The quickest of `ROUNDS` full runs in this process, build and count; of one, if it is slow.

    The first run of any of them also pays for memory and threads that the process has not yet got.
    """
    found = [peer(folder)]
    while len(found) < ROUNDS and found[0][0] + found[0][1] < SLOW_SECONDS:
        found.append(peer(folder))
    return min(found, key=lambda run: run[0] + run[1])


def run_candidate(given: list[str]) -> None:
    """One candidate, in this process."""
    what, folder = given[0], Path(given[1])
    if what == "whole":
        result: Any = run_engine(folder, given[2], given[3])
    elif what == "quick":
        result = measure_result_reads(folder)
    elif what == "cypher":
        result = measure_cypher(folder, Path(given[2]))
    else:
        result = best_of(PEERS[what], folder)
    print("\n" + json.dumps(result))


# --- the parent -------------------------------------------------------------------------------


def run_child(*given: str, spill: Path | None = None) -> tuple[Any, float, float]:
    """A child's result, the peak of its process tree and what it spilled to disk, in GB."""
    command = [sys.executable, "-m", "benchmarks.engines", "child", *given]
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        peak = spilled = 0.0
        began = time.monotonic()
        while process.poll() is None:
            peak = max(peak, measure_tree_memory(process.pid))
            spilled = max(spilled, _measure_folder_gb(spill)) if spill else 0.0
            little = psutil.virtual_memory().available < LEAST_FREE
            if little or time.monotonic() - began > GIVE_UP_SECONDS:
                process.kill()
            time.sleep(0.1)
        out.seek(0)
        lines = [line for line in out.read().splitlines() if line.startswith(("[", "{"))]
    return (json.loads(lines[-1]) if lines and process.returncode == 0 else None), peak, spilled


def measure_tree_memory(pid: int) -> float:
    """Resident memory of a process and all below it, in GB; 0 if it is gone."""
    try:
        first = psutil.Process(pid)
        total = 0
        for process in [first, *first.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        return total / 1e9
    except psutil.Error:
        return 0.0


def _measure_folder_gb(folder: Path) -> float:
    total = 0
    for file in folder.glob("tmp*/.duckdb-*/**/*"):
        try:
            total += file.stat().st_size
        except OSError:
            continue
    return total / 1e9


def print_row(*cells: object) -> None:
    """A line of the table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def compare_peers(folder: Path, home: Path | None) -> None:
    """Ours against each, on the work all can do."""
    print_row(
        "three generations, undated",
        "build s",
        "count s, all talents",
        "together",
        "against ours",
        "peak GB",
        "reached by the sample",
    )
    print_row(*["---"] * 7)
    talents = open_snapshot(folder).frames["talents"].select(pl.col("person").n_unique())
    everyone = talents.collect().item()
    base = 0.0
    for name in [*PEERS, *(["cypher"] if home else [])]:
        extra = [str(home)] if name == "cypher" else []
        result, peak, _ = run_child(name, str(folder), *extra)
        if result is None:
            print_row(name, "failed", "", "", "", f"{peak:.1f}", "")
            continue
        build, count, sampled, figure = result
        scaled = count * everyone / sampled
        base = base or build + scaled
        about = "~" if sampled < everyone else ""
        print_row(
            name,
            f"{build:.1f}",
            f"{about}{scaled:.1f}",
            f"{about}{build + scaled:.1f}",
            f"{(build + scaled) / base:.1f}x",
            f"{peak:.1f}",
            figure,
        )


def _print_engine_head(measured: str) -> None:
    """The head of a table of `_whole` rows; `measured` is what a row is of."""
    head = (
        measured,
        "start s",
        "reach s",
        "everything s",
        "stored s",
        "peak GB",
        "spill GB",
        "persons",
        "pairs",
        "credits off by",
    )
    print_row(*head)
    print_row(*["---"] * len(head))


def compare_engines(folder: Path) -> None:
    """The default policy on each engine, and with no limit of generations."""
    _print_engine_head("policy, engine")
    for engine, generations in (
        ("polars", "3"),
        ("duckdb", "3"),
        ("spark", "3"),
        ("polars", "all"),
        ("duckdb", "all"),
    ):
        _report_engine(f"{generations} generations, {engine}", folder, engine, generations)


def _report_engine(name: str, folder: Path, engine: str, generations: str) -> None:
    result, peak, spilled = run_child("whole", str(folder), engine, generations, spill=folder)
    if result is None:
        print_row(name, "failed", *[""] * 3, f"{peak:.1f}", f"{spilled:.1f}", "", "", "")
        return
    print_row(
        name,
        *(f"{result[part]:.1f}" for part in ("start", "reach", "all", "kept")),
        f"{peak:.1f}",
        f"{spilled:.1f}",
        result["persons"],
        result["pairs"],
        f"{result['credit off']:.1e}",
    )


def report_result_reads(folder: Path) -> None:
    """What pages ask of the stored result."""
    result, _, _ = run_child("quick", str(folder))
    print_row("from the kept result", "seconds")
    print_row("---", "---")
    for name, seconds in (result or {}).items():
        print_row(name, f"{seconds:.3f}")


def measure_growth(exchange: Path, sizes: Iterable[float]) -> None:
    """Copies of the nation side by side; half of it is the generator's at half the size."""
    _print_engine_head("nations, engine")
    for times in sizes:
        with tempfile.TemporaryDirectory(dir=exchange.parent) as temporary:
            folder = Path(temporary) / "snapshot"
            source = exchange
            if times < 1:
                from loaders.synthetic.network import write_synthetic_folder

                source = Path(temporary) / "exchange"
                write_synthetic_folder(
                    source,
                    talents=int(15_000 * times),
                    workers=int(5_000_000 * times),
                    seed=1,
                    parquet=True,
                )
            made = [sys.executable, "-m", "benchmarks.snapshots", str(source), str(folder)]
            subprocess.run([*made, str(max(int(times), 1))], check=True)
            for engine in ("duckdb", "polars"):
                _report_engine(f"{times:g}, {engine}", folder, engine, "3")


def main() -> None:
    """Measures and prints."""
    if sys.argv[1:2] == ["child"]:
        run_candidate(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--exchange", type=Path)
    parser.add_argument("--times", type=float, action="append", help="for growth; all of GROWTH")
    parser.add_argument("parts", nargs="*")
    given = parser.parse_intermixed_args()
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    parts = given.parts or ["peers", "engines", "quick", "growth"]
    for part in parts:
        if part == "peers":
            compare_peers(given.snapshot, given.home)
        elif part == "engines":
            compare_engines(given.snapshot)
        elif part == "quick":
            report_result_reads(given.snapshot)
        elif part == "growth" and given.exchange:
            measure_growth(given.exchange, given.times or GROWTH)
        print(flush=True)


if __name__ == "__main__":
    main()
