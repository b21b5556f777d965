"""What managers decide by: gaps to the straight path, coverage, what a load changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.people.talent_attributes import list_talent_attributes
from graph.policy import Policy
from graph.programme.coverage import DATED_COLUMNS, find_newest_days, measure_coverage
from graph.programme.ledgers import Ledger
from graph.programme.nominations import HONOURS, count_nominees, find_nominees
from graph.programme.overview import (
    build_overview,
    count_provinces_on_path,
    list_reached_provinces,
)
from graph.programme.revision_change import MeasuredRevision, compare_revisions
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import CachedSnapshot
from tests.conformance.worlds import snapshot_of
from tests.unit.test_driven import random_world
from tests.unit.test_honours import HELD, frame

START, END = date(2024, 1, 1), date(2024, 12, 31)


def ledger(target: int | None, *times: int) -> Ledger:
    days = [date(2024, 3, 31), date(2024, 7, 1)][: len(times)]
    rows = pl.DataFrame({"day": days, "persons": [t - 1 for t in times], "person_times": times})
    return Ledger(rows, target, START, END)


def test_a_ledger_is_held_against_the_straight_path() -> None:
    # 183 of 366 days are over on 1 July.
    ahead = ledger(100, 10, 60)
    assert (ahead.persons, ahead.person_times) == (59, 60)
    assert (ahead.due, ahead.gap) == (50.0, 10)
    assert ledger(100, 10, 20).gap == -30
    assert (ledger(None, 10).due, ledger(None, 10).gap) == (None, None)


def goal(scope: str, high_skilled: int, year: int = 2024) -> dict[str, Any]:
    return {"scope": scope, "year": year, "leading_talents": 1, "high_skilled": high_skilled}


@pytest.mark.parametrize("seed", range(6))
def test_the_overview_s_gap_and_its_provinces(seed: int) -> None:
    driven = measure_driven(snapshot_of(random_world(seed)), Policy())
    times = dict(driven.by("province").select("province", "driven_person_times").rows())
    goals = [goal("11", 4), goal("national", 40)]
    named = pl.DataFrame(
        {"person": [0], "day": [date(2024, 5, 1)]}, schema={"person": pl.Int32, "day": pl.Date}
    )
    overview = build_overview(driven, named, goals, driven.policy.window_end)
    national = driven.national
    assert overview.on_path == 1
    assert overview.gap == national["driven_person_times"] - 40
    assert overview.driven_by_several == national["sum_over_talents"] - national["driven_persons"]
    reached = times.get("11", 0) >= 4
    assert count_provinces_on_path(overview) == (int(reached), 1)
    assert list_reached_provinces(driven.by("province"), goals, 2024, 2026) == (
        {"11"} if reached else set()
    )
    without = build_overview(driven, named, [], driven.policy.window_end)
    assert without.gap is None
    assert count_provinces_on_path(without) == (0, 0)


def stored(revision: int) -> CachedSnapshot:
    return CachedSnapshot(revision, "2026-01-01T00:00:00", Path(f"/snapshots/{revision}"))


def test_what_a_load_changed_is_the_difference_of_two_revisions() -> None:
    policy = Policy()
    revisions = []
    for number, seed in enumerate((1, 2)):
        snapshot = snapshot_of(random_world(seed))
        goals = pl.LazyFrame([goal("11", 1), goal("12", 10_000)])
        snapshot = replace(snapshot, frames={**snapshot.frames, "goals": goals})
        revisions.append(
            MeasuredRevision(stored(number), snapshot, measure_driven(snapshot, policy))
        )
    before, after = revisions
    found = compare_revisions(before, after, policy)
    was, now = before.driven.national, after.driven.national
    assert found.persons == now["driven_persons"] - was["driven_persons"]
    assert found.person_times == now["driven_person_times"] - was["driven_person_times"]
    assert found.talents == now["leading_talents"] - was["leading_talents"]
    assert (found.before, found.after) == (stored(0), stored(1))
    same = compare_revisions(after, after, policy)
    assert (same.persons, same.namings, same.reached) == (0, 0, ())


def dated(days: list[date | None], column: str) -> pl.LazyFrame:
    return pl.LazyFrame({column: days}, schema={column: pl.Date})


def test_coverage_and_freshness_count_what_is_stated() -> None:
    some = [date(2024, 1, 1), None, date(2026, 5, 1), date(2030, 1, 1)]
    frames = {name: dated(some, column or "day") for name, column in DATED_COLUMNS.items()}
    frames["leads"] = dated([], "start")
    frames["people"] = pl.LazyFrame(
        {
            "level": [0, 4],
            "province": ["11", None],
            "occupation_code": [None, None],
            "enterprise_id": ["E", "F"],
        },
        schema_overrides={"occupation_code": pl.String},
    )
    snapshot = Snapshot(0, None, frames)
    found = {share.what: (share.known, share.whole) for share in measure_coverage(snapshot)}
    assert found["mentorships_dated"] == found["talents_dated"] == (3, 4)
    assert found["leads_dated"] == (0, 0)
    assert found["people_levelled"] == found["people_in_province"] == (1, 2)
    assert (found["people_in_occupation"], found["people_employed"]) == ((0, 2), (2, 2))
    days = {name: rest for name, *rest in find_newest_days(snapshot, date(2026, 12, 31)).rows()}
    assert days["recognitions"] == [4, date(2026, 5, 1)]
    assert days["placings"] == [4, None]
    assert find_newest_days(snapshot, None)["newest"].null_count() == len(DATED_COLUMNS)


def test_nominees_are_counted_by_what_they_miss() -> None:
    nothing = dict.fromkeys((*HELD, "leads", "apprentices"), 0)
    placed = dict.fromkeys(("placed_municipal", "placed_provincial", "placed_national"), 0)
    person = {"level": 8, "years_at_5": 9.0, "years_at_6": 9.0, **nothing, **placed}
    rows = [person, person | {"holds_national": 1}, person | {"apprentices": 12}]
    people = frame(rows)
    counted = count_nominees(people)
    for code, honour in HONOURS.items():
        found = find_nominees(people, honour).collect()
        holders = sum(any(row[name] for name in honour.held_by) for row in rows)
        of = counted.filter(pl.col("honour") == code)
        numbers = dict(found.group_by("missed").len().rows())
        assert dict(of.select("missed", "n").rows()) == numbers
        assert set(of["holders"]) <= {holders}


def test_who_the_talents_are() -> None:
    keys = {"person": pl.Int32, "person_id": pl.String, "province": pl.String, "type": pl.String}
    people = pl.LazyFrame(
        [(0, "A", "11", None, 8, "6-1", "E1"), (1, "B", None, None, 0, None, None)],
        schema=keys | {"level": pl.Int8, "occupation_code": pl.String, "enterprise_id": pl.String},
        orient="row",
    )
    talents = pl.LazyFrame(
        [
            (0, "x", "steel", date(2025, 1, 1)),
            (0, "y", None, date(2026, 1, 1)),
            (1, "x", None, None),
        ],
        schema={
            "person": pl.Int32,
            "basis": pl.String,
            "industry": pl.String,
            "recognised_on": pl.Date,
        },
        orient="row",
    )
    frames = {
        "people": people,
        "talents": talents,
        "studios": pl.LazyFrame({"studio_id": ["S2", "S1"], "name": ["two", "one"]}),
        "leads": pl.LazyFrame(
            {"person": [0, 0, 0], "studio_id": ["S2", "S1", "S1"]},
            schema_overrides={"person": pl.Int32},
        ),
        "enterprises": pl.LazyFrame({"enterprise_id": ["E1"], "name": ["plant"]}),
        "occupations": pl.LazyFrame({"code": ["6-1"], "name": ["welder"]}),
    }
    found = list_talent_attributes(Snapshot(0, None, frames)).sort("talent_id")
    assert found.height == 2
    first, second = found.iter_rows(named=True)
    assert (first["bases"], first["industry"], first["year"]) == (["x", "y"], "steel", 2025)
    assert (first["studio_ids"], first["studio"]) == (["S1", "S2"], "one\ntwo")
    assert (first["enterprise"], first["occupation"], first["level"]) == ("plant", "welder", 8)
    assert (second["level"], second["studio"], second["year"]) == (None, None, None)
