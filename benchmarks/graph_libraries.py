"""Which library for which graph metric: each candidate on one network, in one run.

    python -m benchmarks.graph_libraries SNAPSHOT_FOLDER [TASK ...]

It needs the peers beside the project: in an environment of its own, install the project and
igraph, leidenalg, networkit, rustworkx. Each candidate has a fresh process: seconds to build its
graph from two integer arrays, seconds to run, the process's peak memory, a figure that shows that
the answers agree, and the time against the quickest of its task. Where a library would take hours,
some starting points are run and the time is scaled up to all: marked `~`.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from graph.metrics import components
from graph.metrics.mpact import collect_mentorship_pairs
from graph.snapshot.frames import open_snapshot

DAMPING, TOLERANCE = 0.85, 1e-6
# Starting points of a run that is scaled up, and how many people it stands for.
PIVOTS = 20
GIVE_UP_SECONDS = 240

Arrays = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], int]
# A candidate builds its graph, then runs: what run gives is (figure, factor to scale up by).
Run = Callable[[], tuple[float, float]]
CANDIDATES: dict[str, dict[str, Callable[[Arrays], Run]]] = {}


def register_candidate(task: str, library: str) -> Callable[[Callable[[Arrays], Run]], object]:
    """Registers how a library does a task."""

    def register(build: Callable[[Arrays], Run]) -> object:
        CANDIDATES.setdefault(task, {})[library] = build
        return build

    return register


def read_arrays(folder: Path) -> Arrays:
    """The mentorships of the snapshot: mentors, apprentices, number of people."""
    snapshot = open_snapshot(folder)
    pairs = collect_mentorship_pairs(snapshot).sort("mentor", "apprentice")
    people = snapshot.frames["people"].select(pl.len()).collect().item()
    return pairs["mentor"].to_numpy(), pairs["apprentice"].to_numpy(), people


def build_frame(given: Arrays) -> pl.DataFrame:
    """The pairs as ours take them."""
    return pl.DataFrame({"mentor": given[0], "apprentice": given[1]})


# --- the graphs of the libraries --------------------------------------------------------------


def build_matrix(given: Arrays, symmetric: bool = False) -> Any:
    one_way = components.build_pair_matrix(build_frame(given), given[2])
    return one_way + one_way.T if symmetric else one_way


def igraph_of(given: Arrays, directed: bool = True) -> Any:
    import igraph

    mentor, apprentice, people = given
    return igraph.Graph(people, np.column_stack([mentor, apprentice]), directed=directed)


def networkit_of(given: Arrays, directed: bool = True) -> Any:
    import networkit

    mentor, apprentice, people = given
    networkit.setNumberOfThreads(os.cpu_count() or 1)
    edges = (mentor.astype(np.uint64), apprentice.astype(np.uint64))
    return networkit.GraphFromCoo(edges, n=people, directed=directed)


def rustworkx_of(given: Arrays) -> Any:
    import rustworkx

    mentor, apprentice, people = given
    graph = rustworkx.PyDiGraph(multigraph=True, node_count_hint=people)
    graph.add_nodes_from(range(people))
    graph.add_edges_from_no_data(list(zip(mentor.tolist(), apprentice.tolist(), strict=True)))
    return graph


# --- components -------------------------------------------------------------------------------


def _scipy_components(connection: str) -> Callable[[Arrays], Run]:
    def build(given: Arrays) -> Run:
        from scipy.sparse.csgraph import connected_components

        graph = build_matrix(given)
        return lambda: (connected_components(graph, connection=connection)[0], 1)

    return build


def _igraph_components(connection: str) -> Callable[[Arrays], Run]:
    def build(given: Arrays) -> Run:
        graph = igraph_of(given)
        return lambda: (len(graph.connected_components(mode=connection)), 1)

    return build


def _networkit_components(connection: str) -> Callable[[Arrays], Run]:
    def build(given: Arrays) -> Run:
        import networkit

        graph = networkit_of(given)
        kinds = {
            "weak": networkit.components.WeaklyConnectedComponents,
            "strong": networkit.components.StronglyConnectedComponents,
        }
        return lambda: (kinds[connection](graph).run().numberOfComponents(), 1)

    return build


def _rustworkx_components(connection: str) -> Callable[[Arrays], Run]:
    def build(given: Arrays) -> Run:
        import rustworkx

        graph = rustworkx_of(given)
        kinds = {
            "weak": rustworkx.weakly_connected_components,
            "strong": rustworkx.strongly_connected_components,
        }
        return lambda: (len(kinds[connection](graph)), 1)

    return build


for connection in ("weak", "strong"):
    task = f"{connection} components"
    register_candidate(task, "scipy")(_scipy_components(connection))
    register_candidate(task, "igraph")(_igraph_components(connection))
    register_candidate(task, "networkit")(_networkit_components(connection))
    register_candidate(task, "rustworkx")(_rustworkx_components(connection))


# --- pagerank ---------------------------------------------------------------------------------


@register_candidate("pagerank", "ours")
def _(given: Arrays) -> Run:
    from graph.metrics.centrality import MentorAdjacency, compute_pagerank

    mentors = MentorAdjacency.of(build_frame(given), given[2])
    return lambda: (compute_pagerank(mentors).max(), 1)


@register_candidate("pagerank", "scipy")
def _(given: Arrays) -> Run:
    mentor, apprentice, people = given
    graph = build_matrix((apprentice, mentor, people))

    def run() -> tuple[float, float]:
        out = graph.sum(axis=1)
        share = np.divide(1, out, where=out > 0, out=np.zeros(people))
        backward, rank = graph.T.tocsr(), np.full(people, 1 / people)
        while True:
            before, lost = rank, rank[out == 0].sum()
            rank = DAMPING * (backward @ (rank * share) + lost / people) + (1 - DAMPING) / people
            if np.abs(rank - before).sum() < TOLERANCE:
                return rank.max() * people, 1

    return run


@register_candidate("pagerank", "igraph")
def _(given: Arrays) -> Run:
    mentor, apprentice, people = given
    graph = igraph_of((apprentice, mentor, people))
    return lambda: (max(graph.pagerank(damping=DAMPING)) * people, 1)


@register_candidate("pagerank", "rustworkx")
def _(given: Arrays) -> Run:
    import rustworkx

    mentor, apprentice, people = given
    graph = rustworkx_of((apprentice, mentor, people))

    def run() -> tuple[float, float]:
        found = rustworkx.pagerank(graph, alpha=DAMPING, tol=TOLERANCE)
        return max(found.values()) * people, 1

    return run


@register_candidate("pagerank", "networkit")
def _(given: Arrays) -> Run:
    import networkit

    mentor, apprentice, people = given
    graph = networkit_of((apprentice, mentor, people))
    # Its default drops the rank of those who learned from nobody; this shares it out as others do.
    sinks = networkit.centrality.SinkHandling.DistributeSinks
    rank = networkit.centrality.PageRank(graph, DAMPING, TOLERANCE, False, sinks)
    return lambda: (max(rank.run().scores()) * people, 1)


# --- harmonic and betweenness -----------------------------------------------------------------


def draw_pivots(people: int) -> list[int]:
    """The starting points of a run that is scaled up: the same for every library."""
    return sorted(np.random.default_rng(0).choice(people, PIVOTS, replace=False).tolist())


def _build_walk(name: str) -> Callable[[Arrays], Run]:
    def build(given: Arrays) -> Run:
        from graph.metrics import centrality

        mentors = centrality.MentorAdjacency.of(build_frame(given), given[2])
        everyone = centrality.sample_apprentices(mentors, given[2], seed=1)

        def run() -> tuple[float, float]:
            found = centrality.compute_walk_measures(mentors, everyone)
            return found.select(pl.col(name).max()).item(), 1

        return run

    return build


# One walk gives both; each is timed with the whole of it. Theirs are scaled up: the figures differ.
register_candidate("harmonic", "ours")(_build_walk("harmonic"))
register_candidate("betweenness", "ours")(_build_walk("betweenness"))


@register_candidate("harmonic", "igraph")
def _(given: Arrays) -> Run:
    graph, people = igraph_of(given), given[2]

    def run() -> tuple[float, float]:
        found = graph.harmonic_centrality(draw_pivots(people), mode="out", normalized=False)
        return float(np.nansum(found)), people / PIVOTS

    return run


@register_candidate("betweenness", "igraph")
def _(given: Arrays) -> Run:
    graph, people = igraph_of(given), given[2]
    # Paths that end at the pivots, as ours; all others stand open.
    chosen = draw_pivots(people)
    return lambda: (max(graph.betweenness(targets=chosen)), people / PIVOTS)


@register_candidate("betweenness", "networkit")
def _(given: Arrays) -> Run:
    import networkit

    mentor, apprentice, people = given
    graph = networkit_of((apprentice, mentor, people))
    estimate = networkit.centrality.EstimateBetweenness(graph, PIVOTS)
    return lambda: (max(estimate.run().scores()), people / PIVOTS)


# --- communities ------------------------------------------------------------------------------


@register_candidate("communities", "graspologic-native")
def _(given: Arrays) -> Run:
    from graspologic_native import leiden_csr

    graph = build_matrix(given, symmetric=True)
    indptr, indices = graph.indptr.astype(np.int64), graph.indices.astype(np.int32)
    return lambda: (leiden_csr(indptr, indices, graph.data, given[2], seed=1)[0], 1)


@register_candidate("communities", "igraph")
def _(given: Arrays) -> Run:
    import random

    import igraph

    graph = igraph_of(given, directed=False)

    def run() -> tuple[float, float]:
        igraph.set_random_number_generator(random.Random(1))
        found = graph.community_leiden(objective_function="modularity", n_iterations=2)
        return graph.modularity(found.membership), 1

    return run


@register_candidate("communities", "leidenalg")
def _(given: Arrays) -> Run:
    import leidenalg

    graph = igraph_of(given, directed=False)
    kind = leidenalg.ModularityVertexPartition

    def run() -> tuple[float, float]:
        return leidenalg.find_partition(graph, kind, n_iterations=2, seed=1).modularity, 1

    return run


@register_candidate("communities", "networkit")
def _(given: Arrays) -> Run:
    import networkit

    graph = networkit_of(given, directed=False)
    networkit.setSeed(1, False)

    def run() -> tuple[float, float]:
        found = networkit.community.ParallelLeiden(graph, iterations=2).run().getPartition()
        return networkit.community.Modularity().getQuality(found, graph), 1

    return run


# --- measuring --------------------------------------------------------------------------------


def measure_here(folder: Path, task: str, library: str) -> None:
    """Runs one candidate in this process and prints its figures for the parent."""
    given = read_arrays(folder)
    began = time.perf_counter()
    run = CANDIDATES[task][library](given)
    built = time.perf_counter()
    figure, factor = run()
    took = (time.perf_counter() - built) * factor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(built - began, took, peak, figure, factor)


def measure_candidate(folder: Path, task: str, library: str) -> tuple[float, ...] | str:
    """The figures of one candidate in a fresh process, or why there are none."""
    command = [sys.executable, "-m", __spec__.name, str(folder), "--one", task, library]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIVE_UP_SECONDS)
    except subprocess.TimeoutExpired:
        return f"given up after {GIVE_UP_SECONDS} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
    return tuple(float(number) for number in done.stdout.split()[-5:])


def main(folder: Path, tasks: list[str]) -> None:
    """Measures and prints."""
    people = pl.scan_parquet(folder / "people.parquet").select(pl.len()).collect().item()
    print(f"{people:,} people; ratio = build and run against the quickest of the task\n")
    print("| task | library | build s | run s | ratio | peak GB | figure |\n|" + "---|" * 7)
    for task in tasks or CANDIDATES:
        found = {library: measure_candidate(folder, task, library) for library in CANDIDATES[task]}
        best = min(f[0] + f[1] for f in found.values() if not isinstance(f, str))
        for library, figures in found.items():
            if isinstance(figures, str):
                print(f"| {task} | {library} | {figures} |", flush=True)
                continue
            build, run, peak, figure, factor = figures
            scaled = "~" if factor > 1 else ""
            print(
                f"| {task} | {library} | {build:.1f} | {scaled}{run:,.1f} | "
                f"{(build + run) / best:,.1f} | {peak:.1f} | {figure:.6g} |",
                flush=True,
            )


if __name__ == "__main__":
    if "--one" in sys.argv:
        measure_here(Path(sys.argv[1]), *sys.argv[3:])
    else:
        main(Path(sys.argv[1]), sys.argv[2:])
