"""New mentorships and supply and demand: seconds, memory, and what the choice of links is worth.

`python -m benchmarks.pairing SNAPSHOT_FOLDER [LINKS]`: the lazy greedy choice against random links,
and against those mentors first who have most apprentices, all under the same rules. The window
ends a year after the snapshot's as-of day: a month before its end nobody can rise any more.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.forecast import run_timed
from graph.driven.results import load_reach
from graph.forecast.coverage_choice import MeasureLimits, choose_links, choose_measures
from graph.forecast.pairing import (
    PairingOptions,
    compute_pairing,
    find_pairing_options,
)
from graph.forecast.pairing_rules import PairingRules
from graph.forecast.shortages import compute_shortages
from graph.forecast.stored_data import load_driven_history
from graph.policy import Policy
from graph.snapshot.frames import open_snapshot

POLICY = Policy(window_end=date(2027, 12, 31), as_of=date(2026, 11, 23))
RANDOM_RUNS = 5
STUDIOS = 100
MEMBERS = 10


def measure_baseline(options: PairingOptions, links: int, seed: int, *, most_first: bool) -> float:
    """f of links without a choice: seekers at random; mentors at random, or the busiest first."""
    random = np.random.default_rng(seed)
    offers = options.offers.with_columns(draw=pl.Series(random.random(options.offers.height)))
    order = ["training", "draw"] if most_first else ["draw"]
    mentors = offers.sort(order, descending=[True, False][: len(order)])
    seekers = options.seekers.sample(fraction=1.0, shuffle=True, seed=seed)
    waiting = dict(seekers.group_by("cell").agg("chance").rows())
    free = dict(mentors.select("person", "free").unique().rows())
    taken, total = 0, 0.0
    for person, cell, record in mentors.select("person", "cell", "record").rows():
        while free[person] and waiting[cell] and taken < links:
            total += 1 - (1 - waiting[cell].pop()) ** record
            free[person] -= 1
            taken += 1
    return total


def measure_pairing(folder: Path, links: int) -> None:
    """The time of both functions, and the value of the links against the baselines."""
    snapshot, rules = open_snapshot(folder), PairingRules(links=links, studios=0)
    run_timed("the reach", lambda: load_reach(snapshot, POLICY))
    run_timed("the history", lambda: load_driven_history(snapshot, POLICY))
    found = run_timed(f"pairing, {links:,} links", lambda: compute_pairing(snapshot, POLICY, rules))
    run_timed("supply and demand", lambda: compute_shortages(snapshot, POLICY))
    options = find_pairing_options(snapshot, POLICY, rules)
    run_timed("the choice alone", lambda: choose_links(options.offers, options.seekers, links))
    print(
        f"{found.links.height:,} links of {found.mentors:,} mentors with {found.places:,} places "
        f"and {found.apprentices:,} people: {found.expected:,.1f} ({found.low:,} to {found.high:,})"
    )
    for name, most_first in (("random", False), ("most apprentices first", True)):
        values = [
            measure_baseline(options, found.links.height, seed, most_first=most_first)
            for seed in range(RANDOM_RUNS)
        ]
        mean = float(np.mean(values))
        print(f"{name}: {mean:,.1f} (of {RANDOM_RUNS} runs), greedy {found.expected / mean:.2f} x")
    measure_studios(options, links)


def measure_studios(options: PairingOptions, links: int) -> None:
    """The choice of links and studios together, and what studios add against random leaders."""
    limits = MeasureLimits(links, STUDIOS, MEMBERS)
    run_timed(
        f"links and {STUDIOS} studios",
        lambda: choose_measures(options.offers, options.seekers, options.founders, limits),
    )
    alone = MeasureLimits(0, STUDIOS, MEMBERS)
    chosen = choose_measures(options.offers, options.seekers, options.founders, alone)
    total = sum(studio.gain for studio in chosen.studios)
    values = []
    for seed in range(RANDOM_RUNS):
        few = options.founders.unique("person", maintain_order=True).sample(
            min(STUDIOS, options.founders["person"].n_unique()), seed=seed
        )
        some = choose_measures(options.offers, options.seekers, few, alone)
        values.append(sum(studio.gain for studio in some.studios))
    mean = float(np.mean(values))
    leaders = options.founders["person"].n_unique()
    print(f"{STUDIOS} studios of {leaders:,} leaders: {total:,.1f}; random leaders {mean:,.1f}")


if __name__ == "__main__":
    measure_pairing(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
