"""How quick finding is: the names' index built and opened, 200 queries of every kind.

`SHICHENG_HOME=... python -m benchmarks.find` takes the stored snapshot of that data folder.
"""

from __future__ import annotations

import random
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import polars as pl

from graph.people import search
from graph.policy import Policy
from graph.programme import nominations, training_targets
from graph.server.database import connect
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot

QUERIES = 200


def draw_queries(index: search.NameIndex, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Kind of query and what is typed, from names drawn at random."""
    chance = random.Random(seed)
    people = index.names.filter((pl.col("kind") == "Person") & (pl.col("spelled") != ""))
    places = index.names.filter(pl.col("kind") == "Enterprise")
    for number in range(QUERIES):
        name, spelled, initials = people.select("name", "spelled", "initials").row(
            chance.randrange(people.height)
        )
        tight = spelled.replace(" ", "")
        at = chance.randrange(1, len(tight))
        kinds = {
            "whole name": name,
            "part": name[-2:],
            "one character": name[0],
            "pinyin": tight,
            "pinyin, spaces": spelled,
            "initials": initials,
            "first letters": tight[:3],
            "letter missing": tight[:at] + tight[at + 1 :],
            "wrong character": name[:-1] + "饕",
            "enterprise": places["name"][chance.randrange(places.height)][:4],
        }
        kind = list(kinds)[number % len(kinds)]
        yield kind, kinds[kind]


def draw_broad_queries(index: search.NameIndex) -> Iterator[tuple[str, str, search.FacetFilter]]:
    """What finds very many: what it is, what is typed, the facets."""
    province, level = frozenset({"32"}), frozenset({"4"})
    yield "one letter", "w", {}
    yield "a syllable", "li", {}
    yield "one character, in a province", "王", {"province": province}
    yield "a province alone", "", {"province": province}
    yield "a province and a level alone", "", {"province": province, "level": level}
    yield "a number", str(index.keys[index.keys.len() // 2]), {}


def time_call(work: Callable[[], object]) -> float:
    """Seconds of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measures and prints."""
    with connect(Settings()) as opened:
        snapshot = take_snapshot(opened, opened.settings)
    alone = Snapshot(snapshot.revision, None, snapshot.frames)
    print("| what | figure |\n|---|---|")
    print(
        f"| index of the names, built | {time_call(lambda: search.load_name_index(alone)):.1f} s |"
    )
    search.load_name_index(snapshot)
    print(f"| opened | {time_call(lambda: search.load_name_index(snapshot)):.2f} s |")
    index = search.load_name_index(snapshot)
    index.find("a")
    size = index.names.estimated_size() / 1e6
    print(f"| names, in memory | {index.names.height:,}, {size:.0f} MB |")
    took: dict[str, list[float]] = {}
    for kind, typed in draw_queries(index):
        took.setdefault(kind, []).append(time_call(partial(index.find, typed)))
    every = sorted(one for ones in took.values() for one in ones)
    for kind, ones in {**took, "all 200": every}.items():
        p95 = sorted(ones)[int(0.95 * (len(ones) - 1))]
        print(f"| {kind}: p50, p95 | {1e3 * statistics.median(ones):.0f}, {1e3 * p95:.0f} ms |")
    for what, typed, only in draw_broad_queries(index):
        ones = [time_call(partial(index.find, typed, only=only)) for _ in range(5)]
        print(
            f"| {what}: median, longest | "
            f"{1e3 * statistics.median(ones):.0f}, {1e3 * max(ones):.0f} ms |"
        )
    policy = Policy()
    facts = training_targets.compute_candidate_facts
    print(
        f"| training targets, everyone's facts | {time_call(lambda: facts(alone, policy)):.1f} s |"
    )
    training_targets.load_candidate_facts(snapshot, policy)
    rule = training_targets.Rule(rise=41)
    again = time_call(
        lambda: training_targets.score_candidates(
            training_targets.load_candidate_facts(snapshot, policy), rule
        )
    )
    print(f"| another rule on the kept facts | {again:.2f} s |")
    print(
        f"| nominations, everyone's facts | "
        f"{time_call(lambda: nominations.load_nomination_facts(alone, policy)):.1f} s |"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"| most memory of the process | {peak:,.0f} MB |")


if __name__ == "__main__":
    assert Path("graph").is_dir(), "run it from the checkout"
    main()
