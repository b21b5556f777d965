"""The restatement: every difference of two full runs has one cause each, that is really there.

`SHICHENG_EXAMPLES` sets how many random worlds are tried (default 300).
"""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.dates import restore_date_precision
from graph.driven.figures import Driven, measure_driven
from graph.errors import UsageError
from graph.evidence import restatement
from graph.evidence.restatement import (
    CAUSE_COLUMNS,
    CAUSE_KINDS,
    NATIONAL_FIGURES,
    TALENT_FIGURES,
    Restatement,
    compare_measurements,
    find_cached_restatement,
    load_restatement,
)
from graph.policy import Policy
from graph.snapshot.frames import Snapshot
from tests.conformance.brute_force import World
from tests.conformance.worlds import snapshot_of
from tests.unit.test_driven import DAYS, EXAMPLES, days, policies, worlds
from tests.unit.test_evidence import POLICY, SENIOR, STANDING, STUDIO, recognised, taught
from tests.unit.test_results import cached_in

DATED = {
    "mentorships": "start",
    "studio_leads": "start",
    "trainings": "start",
    "recognitions": "date",
}
PEOPLE_OF = ("person_id", "mentor_id", "apprentice_id")


def changed(world: World, seed: int) -> World:
    """The world after a few changes of every kind, its people in another order."""
    draw, new = random.Random(seed), copy.deepcopy(world)
    for _ in range(draw.randint(1, 6)):
        table = draw.choice(list(DATED))
        rows = new[table]
        what = draw.choice(("remove", "redate", "add", "person", "talent", "merge"))
        if what == "remove" and rows:
            rows.pop(draw.randrange(len(rows)))
        elif what == "redate" and rows:
            draw.choice(rows)[DATED[table]] = str(draw.choice(DAYS))
        elif what == "add" and rows:
            person = draw.choice([row["person_id"] for row in new["people"]])
            again = dict(draw.choice(rows))
            again[draw.choice([name for name in PEOPLE_OF if name in again])] = person
            rows.append(again)
        elif what == "talent":
            new["talents"] = [{"person_id": draw.choice(new["people"])["person_id"]}]
        elif what in ("person", "merge") and len(new["people"]) > 3:
            merge(new, draw, gone=what == "person")
    draw.shuffle(new["people"])
    return new


def merge(world: World, draw: random.Random, gone: bool) -> None:
    """Take a person out with all rows, or move all rows to another one."""
    person, other = (row["person_id"] for row in draw.sample(world["people"], 2))
    world["people"] = [row for row in world["people"] if row["person_id"] != person]
    for table, rows in world.items():
        if table in ("people", "studios"):
            continue
        ends = [name for name in PEOPLE_OF if rows and name in rows[0]]
        if gone:
            rows[:] = [row for row in rows if all(row[end] != person for end in ends)]
        for row in rows:
            row.update({end: other for end in ends if row[end] == person})


Measured = tuple[Snapshot, Driven]


def measured(world: World, policy: Policy) -> Measured:
    snapshot = snapshot_of(world)
    return snapshot, measure_driven(snapshot, policy)


def it_adds_up(found: Restatement, before: Driven, after: Driven) -> None:
    """The causes to the nation's figures, the changes to each talent's, each change to a cause."""
    for figure in NATIONAL_FIGURES:
        difference = after.national[figure] - before.national[figure]
        assert found.causes[figure].sum() == difference, figure
        row = found.national.row(by_predicate=pl.col("figure") == figure, named=True)
        assert (row["before"], row["after"], row["difference"]) == (
            before.national[figure],
            after.national[figure],
            difference,
        )
    figures = [
        {row["talent_id"]: row for row in driven.talents.to_dicts()} for driven in (before, after)
    ]
    for ledger in TALENT_FIGURES:
        sums = dict.fromkeys(figures[0].keys() | figures[1].keys(), 0)
        for row in found.changes.filter(pl.col("ledger") == ledger).iter_rows(named=True):
            sums[row["talent_id"]] += row["change"]
        for talent, total in sums.items():
            was, is_now = (of.get(talent, {}).get(ledger, 0) for of in figures)
            assert total == is_now - was, (talent, ledger)
    assert found.changes["cause"].null_count() == 0
    keys = ["ledger", "talent_id", "person_id", "day", "change"]
    assert found.changes.select(keys).is_duplicated().sum() == 0
    assert set(found.changes["cause"]) == set(found.causes["cause"])


def pairs_changed(before: Driven, after: Driven) -> set[tuple[Any, ...]]:
    was, is_now = (set(d.workers.select("talent_id", "person_id").rows()) for d in (before, after))
    return {(*pair, -1) for pair in was - is_now} | {(*pair, 1) for pair in is_now - was}


def it_is_really_so(cause: dict[str, Any], before: World, after: World) -> None:
    """The row a cause names is in the one world and not in the other."""
    assert cause["kind"] in CAUSE_KINDS
    if cause["kind"] == "as_of":
        return
    tables: dict[str, Any] = {
        "person": ("people", lambda r: r["person_id"] == cause["who"]),
        "talent": ("talents", lambda r: r["person_id"] == cause["who"]),
        "recognition": (
            "recognitions",
            lambda r: (r["person_id"], int(r["level"])) == (cause["who"], cause["level"]),
        ),
        "mentorship": (
            "mentorships",
            lambda r: (r["mentor_id"], r["apprentice_id"]) == (cause["who"], cause["whom"]),
        ),
        "lead": (
            "studio_leads",
            lambda r: (r["person_id"], r["studio_id"]) == (cause["who"], cause["studio_id"]),
        ),
        "training": (
            "trainings",
            lambda r: (r["person_id"], r["place_id"]) == (cause["who"], cause["studio_id"]),
        ),
    }
    table, of_cause = tables[cause["kind"]]
    rows = [
        {tuple(sorted(row.items())) for row in world[table] if of_cause(row)}
        for world in (before, after)
    ]
    assert rows[0] != rows[1], cause
    if cause["kind"] in ("person", "talent"):
        assert bool(rows[0]) == (cause["change"] == "removed")
        return
    dated = DATED[table]
    days = [{dict(row).get(dated) or None for row in found} for found in rows]
    cause = restore_date_precision(cause)
    assert cause["change"] == "added" or str(cause["was"] or "") in {d or "" for d in days[0]}
    assert cause["change"] == "removed" or str(cause["becomes"] or "") in {d or "" for d in days[1]}


@settings(
    max_examples=max(EXAMPLES // 6, 1),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(world=worlds, seed=st.integers(0, 2**32), policy=policies, as_of=days)
def test_every_difference_has_one_cause(
    world: World, seed: int, policy: Policy, as_of: date
) -> None:
    after = changed(world, seed)
    policies = policy, replace(policy, as_of=as_of) if seed % 2 else policy
    old, new = measured(world, policies[0]), measured(after, policies[1])
    found = compare_measurements(old, new)
    it_adds_up(found, old[1], new[1])
    named = found.changes.filter(pl.col("ledger") == "driven")
    pairs = set(named.select("talent_id", "person_id", "change").rows())
    assert pairs == pairs_changed(old[1], new[1])
    for cause in found.causes.iter_rows(named=True):
        it_is_really_so(cause, world, after)


def test_nothing_changed_is_nothing_said() -> None:
    world = STANDING | {"recognitions": SENIOR, "mentorships": taught(("t", "w", "2021-01-01"))}
    found = compare_measurements(measured(world, POLICY), measured(world, POLICY))
    assert found.causes.is_empty() and found.changes.is_empty() and found.talents.is_empty()
    assert found.national["difference"].to_list() == [0, 0, 0, 0]


def test_what_is_kept_of_a_restatement_is_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = STANDING | {"recognitions": SENIOR, "mentorships": taught(("t", "w", "2021-01-01"))}
    old = cached_in(tmp_path / "000001", world | {"mentorships": []})
    new = cached_in(tmp_path / "000002", world)
    assert find_cached_restatement(old, new, POLICY) is None
    found = load_restatement(old, new, POLICY)
    assert found.causes.height == 1
    monkeypatch.setattr(
        restatement, "compare_measurements", None
    )  # the second time nothing is computed
    again = load_restatement(old, new, POLICY)
    for part in restatement.RESTATEMENT_TABLE_NAMES:
        table: pl.DataFrame = getattr(again, part)
        assert table.equals(getattr(found, part)) and table.schema == getattr(found, part).schema
    assert find_cached_restatement(old, new, replace(POLICY, generations=1)) is None
    assert find_cached_restatement(new, old, POLICY) is None


LINKED = {"mentorships": taught(("t", "w", "2021-01-01")), "recognitions": SENIOR}
BY_HAND: list[tuple[str, World, World, tuple[Any, ...], str | None]] = [
    (
        "a mentorship taken back",
        LINKED,
        LINKED | {"mentorships": []},
        ("mentorship", "removed", "t", "w", None, None, date(2021, 1, 1), None),
        "mentorships.csv:2",
    ),
    (
        "a mentorship redated",
        LINKED,
        LINKED | {"mentorships": taught(("t", "w", "2025-07-01"))},
        ("mentorship", "redated", "t", "w", None, None, date(2021, 1, 1), date(2025, 7, 1)),
        "mentorships.csv:2",
    ),
    (
        "a recognition redated",
        LINKED,
        LINKED | {"recognitions": recognised(("w", 4, "2023-06-01"))},
        ("recognition", "redated", "w", None, None, 4, date(2025, 6, 1), date(2023, 6, 1)),
        "recognitions.csv:2",
    ),
    (
        "an earlier recognition came to light",
        LINKED,
        LINKED | {"recognitions": [*SENIOR, *recognised(("w", 5, "2022-06-01"))]},
        ("recognition", "added", "w", None, None, 5, None, date(2022, 6, 1)),
        "recognitions.csv:3",
    ),
    (
        "a talent named",
        LINKED | {"talents": []},
        LINKED,
        ("talent", "added", "t", None, None, None, None, None),
        None,
    ),
    (
        "a training taken back",
        STUDIO | {"recognitions": SENIOR},
        STUDIO | {"recognitions": SENIOR, "trainings": []},
        ("training", "removed", "w", None, "s", None, date(2021, 1, 1), None),
        "trainings.csv:2",
    ),
    (
        "a leading added",
        STUDIO | {"recognitions": SENIOR, "studio_leads": []},
        STUDIO | {"recognitions": SENIOR},
        ("lead", "added", "t", None, "s", None, None, date(2020, 1, 1)),
        "studio_leads.csv:2",
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "cause", "rows"),
    [case[1:] for case in BY_HAND],
    ids=[case[0] for case in BY_HAND],
)
def test_the_cause_of_one_change(
    before: World, after: World, cause: tuple[Any, ...], rows: str | None
) -> None:
    found = compare_measurements(
        measured(STANDING | before, POLICY), measured(STANDING | after, POLICY)
    )
    (row,) = found.causes.to_dicts()
    assert tuple(row[name] for name in CAUSE_COLUMNS) == cause
    assert row["rows"] == rows
    sign = 1 if row["change"] == "added" and row["kind"] != "recognition" else -1
    assert row["driven_persons"] == row["sum_over_talents"] == sign


def test_a_merged_person_is_the_cause() -> None:
    merged = STANDING | LINKED | {"people": STANDING["people"] + [{"person_id": "w2", "name": "w"}]}
    before = merged | {
        "mentorships": taught(("t", "w2", "2021-01-01")),
        "recognitions": recognised(("w2", 4, "2025-06-01")),
    }
    found = compare_measurements(measured(before, POLICY), measured(STANDING | LINKED, POLICY))
    causes = found.causes.select("kind", "change", "who", "driven_persons").rows()
    assert ("person", "removed", "w2", -1) in causes
    assert found.causes["driven_persons"].sum() == 0


def test_other_rules_do_not_compare() -> None:
    one = measured(STANDING, POLICY)
    other = measured(STANDING, replace(POLICY, generations=2))
    with pytest.raises(UsageError, match="measure both revisions under one policy"):
        compare_measurements(one, other)
