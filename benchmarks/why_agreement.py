"""`explain_pair` against the engine: does each give the same verdict on 100,000 (talent, worker)
pairs?

    python -m benchmarks.why_agreement SNAPSHOT_FOLDER [PAIRS]

Half are pairs the engine counts, drawn at random. The other half are pairs it does not: drawn at
random among all, and near misses: people on or near the talent's chains who do not count. Each
verdict, generation, channel and day is compared both ways; each chain is checked hop by hop
against the snapshot's own edges and every rule of the policy.
"""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from graph.driven.figures import Driven, measure_driven
from graph.evidence.answer import explain_pair
from graph.evidence.verdict import explain_pairs, resolve_pair_numbers
from graph.people.chains import Questions, find_best_chains, load_mentor_links
from graph.policy import Policy
from graph.snapshot.frames import Snapshot, open_snapshot

SEED = 2026
SINGLE = 50


def sample_counted_pairs(driven: Driven, number: int) -> pl.DataFrame:
    """Pairs the engine counts: talent_id, worker_id, generation, channel, day."""
    pairs = driven.pairs.collect().sample(number, seed=SEED)
    ids = driven.people.select("person", "person_id").collect()
    talents = ids.rename({"person": "talent", "person_id": "talent_id"})
    workers = ids.rename({"person_id": "worker_id"})
    named = pairs.join(talents, on="talent").join(workers, on="person")
    return named.select("talent_id", "worker_id", "generation", "channel", "day")


def not_counted(snapshot: Snapshot, driven: Driven, number: int) -> pl.DataFrame:
    """Pairs the engine does not count: half at random, half within four links of the talent."""
    draw = np.random.default_rng(SEED)
    ids = snapshot.frames["people"].select("person", "person_id").sort("person").collect()
    talents = snapshot.frames["talents"].select("person").unique().collect()["person"].sort()
    random = pl.DataFrame(
        {
            "talent": draw.choice(talents.to_numpy(), number),
            "person": draw.integers(0, ids.height, number).astype(np.int32),
        }
    )
    edges = snapshot.frames["edges"].select(person="mentor", next="apprentice").collect()
    near = pl.DataFrame({"talent": draw.choice(talents.to_numpy(), 4 * number)}).with_columns(
        person="talent"
    )
    parts = []
    for _ in range(4):
        near = near.join(edges, on="person").select("talent", person="next").unique()
        near = near.sample(min(near.height, 2 * number), seed=SEED)
        parts.append(near)
    both = [part.sample(fraction=1, shuffle=True, seed=SEED) for part in (random, pl.concat(parts))]
    known = driven.pairs.select("talent", "person").collect()
    missed = [
        part.unique(maintain_order=True).join(known, on=["talent", "person"], how="anti").head(n)
        for part, n in zip(both, (number // 2, number - number // 2), strict=True)
    ]
    named = pl.concat(missed).select(
        pl.col("talent").cast(pl.Int32), pl.col("person").cast(pl.Int32)
    )
    return named.select(
        talent_id=ids["person_id"].gather(named["talent"]),
        worker_id=ids["person_id"].gather(named["person"]),
    )


def bad_chains(snapshot: Snapshot, policy: Policy, pairs: pl.DataFrame) -> tuple[int, int]:
    """How many chains were checked, and how many break a rule or take a link that is not there."""
    people = resolve_pair_numbers(snapshot, pairs)
    day = pairs["day"].cast(pl.Int32).to_numpy()
    asked = Questions(people["talent"].to_numpy(), people["worker"].to_numpy(), day)
    _, hops = find_best_chains(load_mentor_links(snapshot), asked, policy)
    keys = ["mentor", "apprentice", "start", "channel"]
    edges = snapshot.frames["edges"].select(keys).collect()
    there = hops.join(edges, on=keys, how="semi", nulls_equal=True).height
    chain = pl.col("question")
    expected = pl.DataFrame(
        {
            "question": np.arange(len(pairs)),
            "talent": people["talent"],
            "worker": people["worker"],
            "day": pairs["day"],
            "generation": pairs["generation"],
        }
    )
    joined = (pl.col("mentor") == pl.col("apprentice").shift(1).over(chain)).fill_null(True)
    forward = (pl.col("start") >= pl.col("start").shift(1).over(chain)).fill_null(True)
    checked = (
        hops.with_columns(joined=joined, forward=forward)
        .group_by("question")
        .agg(
            pl.len().alias("hops"),
            pl.col("mentor").first(),
            pl.col("apprentice").last(),
            pl.col("start").last(),
            pl.col("start").null_count().alias("undated"),
            pl.col("joined").all(),
            pl.col("forward").all(),
        )
        .join(expected, on="question", how="right")
    )
    good = checked.filter(
        pl.col("joined"),
        pl.col("forward"),
        pl.col("undated") == 0,
        pl.col("mentor") == pl.col("talent"),
        pl.col("apprentice") == pl.col("worker"),
        pl.col("hops") == pl.col("generation"),
        pl.col("start") <= pl.col("day"),
    )
    return checked.height, checked.height - good.height + hops.height - there


def main() -> None:
    """Prints what agrees and the seconds it took."""
    folder, number = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    snapshot, policy = open_snapshot(folder), Policy(as_of=date(2026, 11, 24))
    start = time.perf_counter()
    load_mentor_links(snapshot)
    print(f"links by apprentice, made or opened: {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    driven = measure_driven(snapshot, policy)
    print(f"the engine, every talent: {time.perf_counter() - start:.1f} s")
    yes, no = (
        sample_counted_pairs(driven, number // 2),
        not_counted(snapshot, driven, number - number // 2),
    )
    pairs = pl.concat([yes.select("talent_id", "worker_id"), no])
    start = time.perf_counter()
    answers = explain_pairs(snapshot, policy, pairs)
    print(f"why of {pairs.height:,} pairs: {time.perf_counter() - start:.1f} s")
    first, second = answers.head(yes.height), answers.tail(no.height)
    same = ["counts", "generation", "channel", "day"]
    agreed = (
        first.select(same)
        .with_columns(pl.col("channel").cast(pl.String))
        .equals(
            yes.select(
                pl.lit(True).alias("counts"),
                pl.col("generation").cast(pl.Int32),
                pl.col("channel").cast(pl.String),
                "day",
            )
        )
    )
    wrong = first.filter(~pl.col("counts")).height + first["reason"].count()
    print(f"counted pairs {yes.height:,}: {wrong} refused; generation, channel, day same: {agreed}")
    wrong = second.filter("counts").height + second["reason"].null_count()
    print(f"other pairs {no.height:,}: {wrong} counted or without a reason")
    print(second["reason"].value_counts(sort=True).rows())
    checked, bad = bad_chains(snapshot, policy, yes)
    print(f"chains checked {checked:,}: {bad} break a rule")
    singles = pairs.sample(SINGLE, seed=SEED).rows()
    seconds = []
    for talent, worker in singles:
        start = time.perf_counter()
        explain_pair(snapshot, policy, talent, worker)
        seconds.append(time.perf_counter() - start)
    print(
        f"one why with chains and rows: median {np.median(seconds):.2f} s, most {max(seconds):.2f}"
    )


if __name__ == "__main__":
    main()
