"""A scenario equals a store that was loaded with its changes: every table, every figure."""

from __future__ import annotations

import os
import random
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from graph.driven.results import load_driven
from graph.driven.terms import RESULT_TABLES
from graph.policy import Policy
from graph.scenario.changes import Change, Scenario, build_change_table, parse_changes
from graph.scenario.materialize import load_scenario_driven
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot
from tests.live.test_snapshot_changes import World, load, named

ROUNDS = int(os.environ.get("SHICHENG_SCENARIO_ROUNDS", "2"))
POLICIES = (
    Policy(as_of=date(2026, 6, 30)),
    Policy(as_of=date(2026, 6, 30), generations=None, channels=("studio",)),
    Policy(as_of=date(2026, 6, 30), ordered=False, year_alone="first"),
)
# Which columns name people, and the column of the day a row begins with.
PERSONAL = {
    "mentorships": (("mentor_id", "apprentice_id"), "start"),
    "studio_leads": (("person_id",), "start"),
    "trainings": (("person_id",), "start"),
    "employments": (("person_id",), "start"),
    "participations": (("person_id",), "start"),
    "recognitions": (("person_id",), "date"),
    "talents": (("person_id",), "recognised_on"),
}
# Columns that the world does not state, and a change does.
FURTHER_COLUMNS = {
    "mentorships": "status",
    "people": "retired_on",
    "studios": "province,founded",
    "employments": "end",
}
Rows = list[dict[str, str]]


def parse_tables(tables: dict[str, list[str]]) -> dict[str, Rows]:
    return {
        name: [dict(zip(lines[0].split(","), line.split(","), strict=False)) for line in lines[1:]]
        for name, lines in tables.items()
    }


def write_tables(rows: dict[str, Rows], headers: dict[str, list[str]]) -> dict[str, list[str]]:
    return {
        name: [
            ",".join(headers[name]),
            *(",".join(row.get(column, "") for column in headers[name]) for row in rows[name]),
        ]
        for name in rows
    }


def begin(rows: dict[str, Rows], change: Change) -> None:
    day = str(change.on)
    if change.kind == "begin_mentorship":
        added = {"mentor_id": change.person_id, "apprentice_id": change.other_id, "start": day}
        rows["mentorships"].append(added | {"status": "ongoing"})
    if change.kind == "begin_training":
        added = {"person_id": change.person_id, "place_id": change.studio_id, "start": day}
        rows["trainings"].append(added)
    if change.kind in ("open_studio", "change_leader"):
        added = {"person_id": change.person_id, "studio_id": change.studio_id, "start": day}
        rows["studio_leads"].append(added)
    if change.kind == "open_studio":
        added = {"studio_id": change.studio_id, "name": change.name, "kind": "skill_master"}
        rows["studios"].append(added | {"province": change.province, "founded": day})


def end(row: dict[str, str], day: date) -> None:
    if not row.get("end") or row["end"] > str(day):
        row["end"] = str(day)


def finish(rows: dict[str, Rows], change: Change) -> None:
    """What the change ends, row by row: the second formulation of `graph.scenario.overlay`."""
    day = change.on
    if day is None:
        return
    if change.kind == "change_leader":
        for row in rows["studio_leads"]:
            of_giver = change.other_id in ("", row["person_id"])
            begun = row.get("start", "") < str(day)
            if row["studio_id"] == change.studio_id and of_giver and begun:
                end(row, day - timedelta(days=1))
    if change.kind == "close_studio":
        for table, column in (("studio_leads", "studio_id"), ("trainings", "place_id")):
            there = [row for row in rows[table] if row[column] == change.studio_id]
            rows[table] = [r for r in rows[table] if r not in there or r["start"] <= str(day)]
            for row in there:
                end(row, day)
    if change.kind == "leave":
        leave(rows, change.person_id, day)


def leave(rows: dict[str, Rows], person: str, day: date) -> None:
    for table, (columns, first) in PERSONAL.items():
        theirs = [r for r in rows[table] if person in [r[column] for column in columns]]
        later = [id(row) for row in theirs if row[first] > str(day)]
        rows[table] = [row for row in rows[table] if id(row) not in later]
        for row in theirs if first == "start" else ():
            end(row, day)
    for row in rows["people"]:
        if row["person_id"] == person and not "" < row.get("retired_on", "") <= str(day):
            row["retired_on"] = str(day)


def draw_changes(world: World, draw: random.Random) -> list[Change]:
    def day() -> date:
        return date(draw.randint(2019, 2026), draw.randint(1, 12), draw.choice([14, 15, 16]))

    def two() -> tuple[str, str]:
        one, other = draw.sample(world.people, 2)
        return one, other

    changes = [Change("leave", day(), draw.choice(world.people)) for _ in range(3)]
    changes.append(Change("open_studio", day(), two()[0], studio_id="s9", name="九室"))
    changes.append(Change("begin_training", day(), two()[0], studio_id="s9"))
    changes.append(Change("close_studio", day(), studio_id=draw.choice(["s1", "s2", "s9"])))
    changes.append(Change("change_leader", day(), two()[0], studio_id="s1"))
    changes.append(Change("change_leader", day(), *two(), studio_id="s2"))
    changes += [Change("begin_mentorship", day(), *two()) for _ in range(3)]
    gone = {c.person_id: c.on for c in changes if c.kind == "leave"}
    usable = [
        c
        for c in changes
        if c.kind == "leave" or not (c.on and (last := gone.get(c.person_id)) and c.on > last)
    ]
    usable = [
        c
        for c in usable
        if c.kind != "begin_mentorship" or not (c.on and c.on > gone.get(c.other_id, c.on))
    ]
    opened = any(c.kind == "open_studio" for c in usable)
    usable = [c for c in usable if c.studio_id != "s9" or opened]
    draw.shuffle(usable)
    return usable


def test_a_scenario_equals_a_store_loaded_with_its_changes(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"home_path": tmp_path / "own"})
    for number in range(ROUNDS):
        world, draw = World(seed=70 + number), random.Random(number)
        tables = world.tables()
        for name, columns in FURTHER_COLUMNS.items():
            tables[name] = [f"{tables[name][0]},{columns}", *tables[name][1:]]
        headers = {name: lines[0].split(",") for name, lines in tables.items()}
        load(empty_database, tmp_path / "in", tables, complete=True)
        base = take_snapshot(empty_database, own)
        changes = draw_changes(world, draw)
        scenario = Scenario("试算", parse_changes(build_change_table(changes).to_dicts()))
        assert scenario.changes == tuple(changes)
        found = {p: load_scenario_driven(base, p, scenario) for p in POLICIES}
        rows = parse_tables(tables)
        for step in (begin, finish):
            for change in sorted(changes, key=lambda c: c.kind != "change_leader"):
                step(rows, change)
        load(empty_database, tmp_path / "in", write_tables(rows, headers), complete=True)
        loaded = take_snapshot(empty_database, own)
        for policy, (changed, driven) in found.items():
            assert_same_tables(changed, loaded)
            expected = load_driven(loaded, policy)
            assert driven.national == expected.national and driven.lines == expected.lines
            assert driven.talents.drop("person").equals(expected.talents.drop("person"))
            for name in RESULT_TABLES:
                counted = driven.tables[name].collect().height
                assert counted == expected.tables[name].collect().height
            assert driven.workers.equals(expected.workers)


def assert_same_tables(one: Snapshot, other: Snapshot) -> None:
    """Every frame holds the same, but for what says where a row was read."""
    assert set(one.frames) == set(other.frames)
    for name in one.frames:
        frames = [named(s, name).drop("row", "sources", strict=False) for s in (one, other)]
        frames = [frame.sort(pl.all()) for frame in frames]
        assert frames[0].equals(frames[1]), (name, frames[0], frames[1])
