"""Scenarios at size: 1,000 changes as a delta, beside counting everything again.

`python -m benchmarks.scenarios SNAPSHOT_FOLDER [SEED]`. The figures of both ways are compared.
"""

from __future__ import annotations

import random
import shutil
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from benchmarks.forecast import run_timed
from graph.driven.figures import measure_driven
from graph.driven.results import load_driven
from graph.policy import Policy
from graph.scenario.changes import Change, Scenario
from graph.scenario.comparison import compare_scenario
from graph.scenario.materialize import materialize_scenario
from graph.snapshot.frames import Snapshot, open_snapshot

LEAVING, BEGINNING, CLOSING, OPENING = 400, 400, 100, 100


def draw_changes(snapshot: Snapshot, seed: int) -> tuple[Change, ...]:
    """So many changes of each kind, of mentors, people and studios drawn from the snapshot."""
    draw = random.Random(seed)
    frames = snapshot.frames
    mentors = (
        frames["edges"]
        .select(person="mentor")
        .unique()
        .join(frames["people"].select("person", "person_id"), on="person")
    )
    mentor_ids = draw.sample(sorted(mentors.collect()["person_id"]), LEAVING + BEGINNING + OPENING)
    people = frames["people"].select("person_id").collect()["person_id"]
    others = people.sample(BEGINNING, seed=seed).to_list()
    studios = draw.sample(sorted(frames["studios"].collect()["studio_id"]), CLOSING)

    def day() -> date:
        return date(2024, 1, 1) + timedelta(days=draw.randrange(1_000))

    leaving, beginning = mentor_ids[:LEAVING], mentor_ids[LEAVING : LEAVING + BEGINNING]
    pairs = [(one, other) for one, other in zip(beginning, others, strict=True) if one != other]
    return (
        *(Change("leave", day(), id) for id in leaving),
        *(Change("begin_mentorship", day(), one, other) for one, other in pairs),
        *(Change("close_studio", day(), studio_id=id) for id in studios),
        *(
            Change("open_studio", day(), id, studio_id=f"scenario-{number}")
            for number, id in enumerate(mentor_ids[LEAVING + BEGINNING :])
        ),
    )


def measure_scenario(folder: Path, seed: int) -> None:
    """The scenario of a stored snapshot, step by step."""
    snapshot, policy = open_snapshot(folder), Policy()
    scenario = Scenario("benchmark", draw_changes(snapshot, seed))
    print(f"{len(scenario.changes):,} changes", flush=True)
    run_timed("figures of the revision (stored or not)", lambda: load_driven(snapshot, policy))
    changed = run_timed("records", lambda: materialize_scenario(snapshot, scenario))
    driven = run_timed("figures of the scenario", lambda: load_driven(changed, policy))
    found = run_timed("every figure beside", lambda: compare_scenario(snapshot, policy, scenario))
    print(found.table())
    if found.landing is not None:
        print(found.landing.parts)
    apart = replace(changed, folder=None)
    recounted = run_timed(
        "everything again, without the delta", lambda: measure_driven(apart, policy)
    )
    assert recounted.national == driven.national and recounted.lines == driven.lines
    columns = [name for name in driven.talents.columns if driven.talents[name].dtype != pl.Float64]
    assert driven.talents.select(columns).equals(recounted.talents.select(columns))
    print("both ways give the same figures")
    if changed.folder is not None and changed is not snapshot:
        shutil.rmtree(changed.folder)


if __name__ == "__main__":
    measure_scenario(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2026)
