"""A snapshot made from the one before it equals a full read, whatever the loads changed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.model.kinds import EXCHANGE_TABLES
from graph.people import lookup
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot import frames, incremental
from graph.snapshot import take as snapshots
from graph.snapshot.frames import Snapshot, open_snapshot
from graph.snapshot.take import take_snapshot
from loaders import folder
from loaders.sync import load_records

ROUNDS = 4


class World:
    """Tables of invented rows that a random step changes; `tables` by name: header and rows."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.people = [f"p{n:02}" for n in range(20)]
        self.rows: dict[str, dict[tuple[str, ...], str]] = {name: {} for name in HEADERS}
        for _ in range(60):
            self.state()

    def day(self) -> str:
        return f"20{self.random.randint(18, 26)}-{self.random.randint(1, 12):02}-15"

    def state(self) -> tuple[str, tuple[str, ...]]:
        """One more row, or one stated anew: its table and its key."""
        pick, day = self.random.choice, self.day()
        table = pick([*HEADERS, "mentorships", "recognitions", "trainings", "studio_leads"])
        person, other = pick(self.people), pick(self.people)
        key, row = {
            "mentorships": ((person, other, day), f"{person},{other},{day},,peer"),
            "recognitions": ((person, day), f"{person},{pick('345')},{day}"),
            "studio_leads": ((person, "s1"), f"{pick(['s1', 's2'])},{person},{day},"),
            "trainings": ((person, day), f"{person},{pick(['s1', 's2', 'c1'])},{day},"),
            "talents": ((person,), f"{person},china_skills_award,{day}"),
            "training_targets": ((person,), f"{person},{day}"),
            "employments": ((person, day), f"{person},e1,{day},{pick(['技师', '班长'])}"),
            "participations": ((person,), f"{person},{pick(['j1', 'j2'])},{day},"),
            "achievements": ((person, day), f"{person},成果{day[:4]},patent,{day}"),
            "subsidies": ((person,), f"{pick([person, 's1', 'c1', 'e1'])},补贴,{len(day)},2024"),
        }[table]
        self.rows[table][key] = row
        return table, key

    def change(self) -> Mapping[str, list[str]]:
        """Changes some rows and people; the full tables, as they now are."""
        if self.random.random() < 0.5:
            self.people.append(f"p{len(self.people):02}")
        for table in self.rows:
            for key in [k for k in self.rows[table] if self.random.random() < 0.08]:
                del self.rows[table][key]
        for _ in range(self.random.randint(1, 6)):
            self.state()
        return self.tables()

    def tables(self) -> dict[str, list[str]]:
        names = [
            f"{p},工人{self.random.choice('甲乙')},{self.random.choice(['11', '44', ''])},e1"
            for p in self.people
        ]
        fixed = {
            "people": ["person_id,name,province,enterprise_id", *names],
            "studios": ["studio_id,name,kind", "s1,一室,skill_master", "s2,二室,skill_master"],
            "schools": ["school_id,name", "c1,一校"],
            "enterprises": ["enterprise_id,name", "e1,一厂"],
            "projects": ["project_id,name,kind", "j1,一项,key_project", "j2,二项,exhibition"],
        }
        return fixed | {name: [HEADERS[name], *rows.values()] for name, rows in self.rows.items()}


HEADERS = {
    "mentorships": "mentor_id,apprentice_id,start,end,kind",
    "recognitions": "person_id,level,date",
    "studio_leads": "studio_id,person_id,start,end",
    "trainings": "person_id,place_id,start,end",
    "talents": "person_id,basis,recognised_on",
    "training_targets": "person_id,listed_on",
    "employments": "person_id,enterprise_id,start,position",
    "participations": "person_id,project_id,start,end",
    "achievements": "person_id,title,kind,date",
    "subsidies": "recipient_id,kind,amount,year",
}


def load(database: Database, path: Path, tables: Mapping[str, list[str]], complete: bool) -> None:
    path.mkdir(exist_ok=True)
    for table, lines in tables.items():
        (path / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    load_records(
        database,
        "folder",
        folder.get([path]),
        home=path.parent,
        complete=complete,
        agreed=True,
        withdrawn=[*EXCHANGE_TABLES],
    )


def named(snapshot: Snapshot, name: str) -> pl.DataFrame:
    """A frame with people's ids for their numbers, in an order of its own."""
    frame = snapshot.frames[name].collect()
    ids = snapshot.frames["people"].select("person", "person_id").collect()
    for column in ("person", "mentor", "apprentice"):
        if column in frame.columns:
            numbered = ids.select(pl.col("person").alias(column), pl.col("person_id").alias("_id"))
            frame = frame.join(numbered, on=column, how="left").with_columns(
                pl.col("_id").alias(column)
            )
            frame = frame.drop("_id")
    if "sources" in frame.columns:
        frame = frame.with_columns(pl.col("sources").list.sort().list.join(";"))
    return frame.sort(pl.all())


def assert_same(one: Snapshot, other: Snapshot) -> None:
    assert set(one.frames) == set(other.frames)
    for name in one.frames:
        assert named(one, name).equals(named(other, name)), name
        assert one.frames[name].collect_schema() == other.frames[name].collect_schema(), name


def read_frame(snapshot: Snapshot, name: str) -> pl.DataFrame:
    assert snapshot.folder is not None
    return pl.read_parquet(snapshot.folder / f"changed-{name}.parquet")


@pytest.mark.parametrize("layers", [True, False], ids=["layered", "written whole"])
def test_what_is_read_again_equals_a_whole_reading(
    layers: bool,
    empty_database: Database,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if layers:
        monkeypatch.setattr(incremental, "SINGLE_READ_RECORDS", 0)
        monkeypatch.setattr(incremental, "MAX_GONE_SHARE", 0.9)
    own = settings.model_copy(update={"home_path": tmp_path / "a"})
    apart = settings.model_copy(update={"home_path": tmp_path / "b"})
    world = World(seed=2026 + layers)
    load(empty_database, tmp_path / "in", world.tables(), complete=True)
    before = take_snapshot(empty_database, own)
    followed = 0
    for _ in range(ROUNDS):
        load(empty_database, tmp_path / "in", world.change(), complete=world.random.random() < 0.5)
        now = take_snapshot(empty_database, own)
        with monkeypatch.context() as unread:
            unread.setattr(incremental, "_read_touched_keys", lambda *_: None)
            full = take_snapshot(empty_database, apart)
        assert_same(now, full)
        assert_looked_up(now)
        assert now.folder and before.folder
        manifest = frames.Manifest.of(now.folder)
        if manifest.previous is not None:
            followed += 1
            assert manifest.previous == before.folder.name
            assert_told(before, now)
        before = now
    assert followed == ROUNDS


def assert_looked_up(snapshot: Snapshot) -> None:
    """What is looked up by number is what the tables hold, in whatever layers they stand."""
    people = snapshot.frames["people"].select("person", *lookup.PERSON_ROW_COLUMNS).collect()
    assert lookup.lookup_people(snapshot, people["person"].to_list()).equals(people)
    numbers = dict(people.select("person_id", "person").rows())
    assert lookup.lookup_person_numbers(snapshot, [*numbers, "nobody", ""]) == numbers
    high = snapshot.frames["promotions"].filter(pl.col("level") >= 4).group_by("person")
    days = lookup.lookup_first_days(snapshot, numbers.values(), 4)
    assert (
        days.select("person", "day")
        .sort("person")
        .equals(high.agg(pl.col("day").min()).sort("person").collect())
    )
    taught = snapshot.frames["mentorships"].drop("sources").collect()
    found = lookup.lookup_mentorships_among(snapshot, people["person"].to_list()).select(
        taught.columns
    )
    assert found.sort(taught.columns).equals(taught.sort(taught.columns))


def assert_told(before: Snapshot, now: Snapshot) -> None:
    """The numbers stay, and what came and went is just the difference."""
    people = [s.frames["people"].select("person", "person_id").collect() for s in (before, now)]
    assert people[1].head(people[0].height).equals(people[0])
    for name in ("edges", "promotions", "talents"):
        told_rows = read_frame(now, name)
        columns = [column for column in told_rows.columns if column != "gone"]
        old, new = (s.frames[name].select(columns).collect() for s in (before, now))
        went = old.join(new, on=columns, how="anti", nulls_equal=True)
        came = new.join(old, on=columns, how="anti", nulls_equal=True)
        for changed, gone in ((went, True), (came, False)):
            stated = told_rows.filter(pl.col("gone") == gone).select(columns)
            assert stated.sort(columns).equals(changed.sort(columns)), (name, gone)


def test_a_person_who_went_means_a_whole_reading(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"home_path": tmp_path})
    people = ["person_id,name", *(f"p{n:03},工人" for n in range(30))]
    load(empty_database, tmp_path / "in", {"people": people}, complete=True)
    take_snapshot(empty_database, own)
    load(empty_database, tmp_path / "in", {"people": [people[0], *people[2:]]}, complete=True)
    taken = take_snapshot(empty_database, own)
    assert taken.folder and frames.Manifest.of(taken.folder).previous is None
    numbers = taken.frames["people"].select("person").collect()["person"].to_list()
    assert numbers == list(range(29))


def test_untouched_files_are_shared_and_stay_when_the_old_snapshot_goes(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"home_path": tmp_path, "keep_revisions": 2})
    tables = World(1).tables()
    load(empty_database, tmp_path / "in", tables, complete=False)
    first = take_snapshot(empty_database, own)
    assert first.folder is not None
    number = (first.folder / "mentorships.parquet").stat().st_ino
    (first.folder / "results").mkdir()
    for name in ("甲", "乙"):
        person = ["person_id,name", f"p00,{name}"]
        for file in (tmp_path / "in").iterdir():
            file.unlink()
        load(empty_database, tmp_path / "in", {"people": person}, complete=False)
        last = take_snapshot(empty_database, own)
    assert last.folder is not None
    assert not first.folder.exists()
    assert (last.folder / "mentorships.parquet").stat().st_ino == number
    ends = [row.split(",")[:2] for row in tables["mentorships"][1:]]
    accepted = [mentor for mentor, apprentice in ends if mentor != apprentice]
    assert last.frames["mentorships"].collect().height == len(accepted)
    assert not (last.folder / "results").exists()


KILLED = """
import sys
from pathlib import Path
from graph.server.database import connect
from graph.settings import Settings
from graph.snapshot.take import take_snapshot

def wait(what, done, total):
    if what == "recognitions":
        print("reading", flush=True)
        sys.stdin.read()

settings = Settings().model_copy(update={"home_path": Path(sys.argv[1])})
with connect(settings) as database:
    take_snapshot(database, settings, progress=wait)
"""


def test_a_killed_one_is_never_seen(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, tmp_path / "in", World(3).tables(), complete=False)
    command = [sys.executable, "-c", KILLED, str(settings.home)]
    killed = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(), text=True
    )
    assert killed.stdout and killed.stdout.readline() == "reading\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    snapshots_folder = settings.home / "snapshots"
    assert list(snapshots_folder.rglob(".making-*")) != []
    assert snapshots.list_cached_snapshots(empty_database, settings) == []
    taken = take_snapshot(empty_database, settings)
    assert taken.folder and taken.frames["people"].collect().height == 20
    for left in snapshots_folder.rglob(".making-*"):
        old = time.time() - snapshots.ABANDONED_SECONDS - 1
        os.utime(left, (old, old))
    load(empty_database, tmp_path / "in", World(4).tables(), complete=False)
    take_snapshot(empty_database, settings)
    assert list(snapshots_folder.rglob(".making-*")) == []


def _environment() -> dict[str, Any]:
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root}


def test_a_folder_without_a_journal_of_its_layers_opens(tmp_path: Path) -> None:
    """Frames written by other means open as they are: with row and sources as plain columns."""
    pl.DataFrame({"mentor": [1], "row": ["a.csv:2"], "sources": [["a"]]}).write_parquet(
        tmp_path / "mentorships.parquet"
    )
    (tmp_path / "snapshot.json").write_text('{"revision": 7, "rows": {"mentorships": 1}}')
    opened = open_snapshot(tmp_path)
    assert opened.revision == 7
    assert opened.frames["mentorships"].collect()["sources"].to_list() == [["a"]]
