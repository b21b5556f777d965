"""Rows by number are the table's own rows, whatever stands in them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.metrics.examples import build_example_snapshot
from graph.people import lookup
from graph.people.lookup import IndexedRows, encode_rows
from graph.server import damage
from graph.snapshot.frames import Snapshot
from tests.examples import limit_examples

SIZE = 500


def table(seed: int) -> pl.DataFrame:
    """Text of few words and of many, numbers, days, truth; each with nulls and without."""
    chance = random.Random(seed)

    def some(values: list[object], nulls: float) -> list[object]:
        return [None if chance.random() < nulls else chance.choice(values) for _ in range(SIZE)]

    names = ["", "陆德昌", "Ana", "'; DROP", "a\nb", "😀"]
    return pl.DataFrame(
        {
            "id": [f"人{n}" * chance.randint(1, 4) for n in range(SIZE)],
            "word": some(list(names), 0.3),
            "always": some(list(names), 0),
            "level": pl.Series(some([0, 4, 8], 0), dtype=pl.Int8),
            "line": pl.Series(some([1, 2**32 - 1], 0.2), dtype=pl.UInt32),
            "day": pl.Series(some([date(1949, 10, 1), date(2026, 1, 1)], 0.5), dtype=pl.Date),
            "leading": pl.Series(some([True, False], 0.1), dtype=pl.Boolean),
            "nothing": pl.Series([None] * SIZE, dtype=pl.String),
        }
    )


def test_rows_by_number_are_the_rows_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second: no text has few words, and none is short enough for offsets of four bytes.
    for seed, (most, small) in enumerate([(65_000, 2**31), (2, 0)]):
        monkeypatch.setattr(lookup, "MAX_DICTIONARY_WORDS", most)
        monkeypatch.setattr(lookup, "MAX_SMALL_TEXT_BYTES", small)
        for full in (table(seed), table(seed).clear()):
            folder = tmp_path / f"{seed}-{full.height}"
            lookup._write_rows(IndexedRows(encode_rows(full), np.arange(3)), folder)
            opened = lookup._open_cached_rows(folder, 0)
            id_type = opened.batch.schema.field("id").type
            assert full.is_empty() or id_type == (pa.string() if small else pa.large_string())
            assert opened.index.tolist() == [0, 1, 2]
            dictionaries = [pa.types.is_dictionary(t) for t in opened.batch.schema.types]
            assert sum(dictionaries) == (4 if not full.height else 3 if most > 2 else 1)
            for numbers in ([], [0], [SIZE - 1, 3, 3, 0], list(range(SIZE))):
                if full.is_empty() and numbers:
                    continue
                found = opened.take(np.array(numbers, np.int64), full.columns)
                assert found.equals(full[numbers] if numbers else full.clear()), (seed, numbers)
                assert found.schema == full.schema
                some = opened.take(np.array(numbers, np.int64), ["day", "id"])
                assert some.equals(found.select("day", "id"))


def test_mentorships_among_people_are_those_of_the_table() -> None:
    chance = random.Random(5)
    people = [f"p{n}" for n in range(40)]
    snapshot = build_example_snapshot(
        talents=[{"person": "p0"}],
        mentorships=[
            {"mentor": a, "apprentice": b, "start": chance.choice([None, "2024-01-01"])}
            for a, b in (chance.sample(people, 2) for _ in range(150))
        ],
        recognitions=[],
    )
    taught = snapshot.frames["mentorships"].collect()
    everyone = snapshot.frames["people"].select("person").collect()["person"].to_list()
    ends = ["mentor", "apprentice", "start"]
    for among in (everyone, chance.sample(everyone, 12), everyone[:1], []):
        inside = taught.filter(pl.col("mentor").is_in(among), pl.col("apprentice").is_in(among))
        found = lookup.lookup_mentorships_among(snapshot, among)
        assert sorted(found.select(ends).rows(), key=str) == sorted(
            inside.select(ends).rows(), key=str
        )
    assert taught.height == lookup.lookup_mentorships_among(snapshot, everyone).height > 100


def test_numbers_are_found_by_id_however_ids_are_ordered() -> None:
    chance = random.Random(9)
    ids = [f"{chance.choice('Pp人éÅ-')}{n}" for n in range(300)]
    chance.shuffle(ids)
    snapshot = build_example_snapshot(
        talents=[{"person": ids[0]}],
        mentorships=[{"mentor": ids[0], "apprentice": id} for id in ids[1:]],
        recognitions=[
            {"person": id, "level": level, "date": f"20{12 + level}-01-01"}
            for id in ids[:50]
            for level in (3, 4, 5)
        ],
    )
    people = dict(snapshot.frames["people"].select("person_id", "person").collect().rows())
    assert lookup.lookup_person_numbers(snapshot, ids) == {id: people[id] for id in ids}
    assert lookup.lookup_person_numbers(snapshot, ["", "P", "人", "~", ids[7]]) == {
        ids[7]: people[ids[7]]
    }
    assert lookup.lookup_person_numbers(snapshot, []) == {}
    found = lookup.lookup_first_days(snapshot, [people[id] for id in ids[40:60]], 4)
    assert dict(found.select("person", "day").rows()) == {
        people[id]: date(2016, 1, 1) for id in ids[40:50]
    }


@settings(deadline=None, max_examples=limit_examples(150))
@given(
    ids=st.lists(st.text(max_size=6), unique=True, max_size=40),
    others=st.lists(st.text(max_size=6), max_size=10),
)
def test_numbers_by_id_are_those_of_a_dict(ids: list[str], others: list[str]) -> None:
    people = pl.DataFrame({"person": range(len(ids)), "person_id": pl.Series(ids, dtype=pl.String)})
    snapshot = Snapshot(0, None, {"people": people.lazy()})
    numbers = {id: number for number, id in enumerate(ids)}
    asked = [*ids, *others]
    found = lookup.lookup_person_numbers(snapshot, asked)
    assert found == {id: numbers[id] for id in asked if id in numbers}


# --- the cache --------------------------------------------------------------------------------


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """People, promotions and mentorships in a folder."""
    chance = random.Random(3)
    names = [f"p{n}" for n in range(60)]
    example = build_example_snapshot(
        talents=[{"person": "p0"}],
        mentorships=[
            {"mentor": a, "apprentice": b, "start": "2024-01-01"}
            for a, b in (chance.sample(names, 2) for _ in range(200))
        ],
        recognitions=[
            {"person": name, "level": level, "date": f"20{12 + level}-01-01"}
            for name in names
            for level in (3, 4)
        ],
    )
    extra = {name: pl.lit(None, pl.String) for name in lookup.PERSON_ROW_COLUMNS}
    people = example.frames["people"].collect()
    people = people.with_columns(e.alias(n) for n, e in extra.items() if n not in people.columns)
    frames = {name: frame.collect().lazy() for name, frame in example.frames.items()}
    folder = tmp_path / "000001-0123456789ab"
    folder.mkdir()
    # No manifest beside them: the tables stand in memory, what is looked up in the folder.
    return Snapshot(1, folder, frames | {"people": people.lazy()})


def looked_up(snapshot: Snapshot) -> list[object]:
    """What pages ask of people and their promotions."""
    numbers = lookup.lookup_person_numbers(snapshot, ["p1", "p59", "nobody"])
    people = lookup.lookup_people(snapshot, range(60)).rows()
    return [numbers, people, lookup.lookup_first_days(snapshot, range(60), 4).rows()]


CACHED = (lookup.PEOPLE_ROWS_NAME, lookup.PROMOTION_ROWS_NAME)


def flip(file: Path, at: int) -> None:
    """One bit of it is another."""
    held = bytearray(file.read_bytes())
    held[at] ^= 1 << (at % 8)
    file.write_bytes(held)


def cut(file: Path) -> None:
    """Only the first half of it is there."""
    os.truncate(file, file.stat().st_size // 2)


def zero(file: Path) -> None:
    """As long as it was, with nothing in it: what a loss of power leaves."""
    file.write_bytes(bytes(file.stat().st_size))


def replace_by_new_file(change: Callable[[Path], None], file: Path) -> None:
    """The change, in a copy: this process has the file itself mapped."""
    copy = file.with_suffix(".copy")
    copy.write_bytes(file.read_bytes())
    change(copy)
    copy.replace(file)
    os.utime(file.parent)


@pytest.mark.parametrize("name", CACHED)
@pytest.mark.parametrize("file", ["rows.arrow", "index.npy", "digests.json"])
@pytest.mark.parametrize("how", [cut, zero, Path.unlink])
def test_damaged_rows_are_made_anew(
    snapshot: Snapshot, name: str, file: str, how: Callable[[Path], None]
) -> None:
    assert snapshot.folder is not None
    before = looked_up(snapshot)
    damaged = snapshot.folder / name / file
    if how is Path.unlink:
        damaged.unlink()
        os.utime(damaged.parent)
    else:
        replace_by_new_file(how, damaged)
    damage.pop_damage_notes()
    assert looked_up(snapshot) == before
    (note,) = damage.pop_damage_notes()
    assert name in str(note) and "was damaged" in str(note)
    assert looked_up(snapshot) == before and damage.pop_damage_notes() == []


def test_a_flipped_bit_is_seen_wherever_it_stands(snapshot: Snapshot) -> None:
    assert snapshot.folder is not None
    before = looked_up(snapshot)
    for name in CACHED:
        file = snapshot.folder / name / "rows.arrow"
        for at in range(0, file.stat().st_size, max(1, file.stat().st_size // 40)):
            replace_by_new_file(lambda copy, at=at: flip(copy, at), file)  # type: ignore[misc]
            damage.pop_damage_notes()
            assert looked_up(snapshot) == before
            assert len(damage.pop_damage_notes()) == 1


def test_a_folder_made_anew_is_opened_anew(snapshot: Snapshot) -> None:
    """A snapshot read in full again numbers its people anew, in a folder of the same name."""
    assert snapshot.folder is not None
    before = lookup.lookup_person_numbers(snapshot, ["p1"])
    people = snapshot.frames["people"].collect()
    turned = people.with_columns(pl.col("person_id").reverse())
    other = Snapshot(1, snapshot.folder, {**snapshot.frames, "people": turned.lazy()})
    assert lookup.lookup_person_numbers(other, ["p1"]) == before
    damage._remove_path(snapshot.folder / lookup.PEOPLE_ROWS_NAME)
    assert lookup.lookup_person_numbers(other, ["p1"]) == {"p1": 59 - before["p1"]}


def test_rows_of_earlier_versions_are_swept(snapshot: Snapshot) -> None:
    assert snapshot.folder is not None
    older = ("rows-people-2", "rows-people-1", "rows-promotions", "rows-mentorships")
    for name in (*older, "links"):
        (snapshot.folder / name).mkdir()
        np.save(snapshot.folder / name / "level.number.npy", np.arange(3))
    lookup._load_people_rows(snapshot)
    lookup._load_promotion_rows(snapshot)
    left = {path.name for path in snapshot.folder.iterdir()}
    assert left == {*CACHED, "rows-mentorships", "links"}


def test_a_lookup_does_not_read_in_the_dictionary() -> None:
    words = pl.Series("enterprise_id", [f"E{n % 60_000:06}" for n in range(120_000)])
    rows = IndexedRows(encode_rows(words.to_frame()), np.arange(0))
    assert pa.types.is_dictionary(rows.batch.schema.types[0])
    taken = rows.take(np.array([5, 60_005]), ["enterprise_id"]).to_series()
    assert taken.to_list() == ["E000005"] * 2
    assert taken.estimated_size() < 1_000


def test_a_command_that_looks_rows_up_does_not_import_pandas(tmp_path: Path) -> None:
    table(1).write_parquet(tmp_path / "people.parquet")
    ask = f"""
import sys, numpy, polars
from graph.people import lookup
people = polars.read_parquet({str(tmp_path / "people.parquet")!r})
rows = lookup.IndexedRows(lookup.encode_rows(people), numpy.arange(3))
lookup._write_rows(rows, lookup.Path({str(tmp_path / "rows")!r}))
rows = lookup._open_cached_rows(lookup.Path({str(tmp_path / "rows")!r}), 0)
assert rows.take(numpy.array([3, 0]), people.columns).equals(people[[3, 0]])
people = polars.DataFrame({{"person": range(9), "person_id": list("abcdefghi")}})
numbers = lookup.lookup_person_numbers(lookup.Snapshot(0, None, {{"people": people.lazy()}}), "dab")
assert numbers == {{"d": 3, "a": 0, "b": 1}}
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", ask], check=True, cwd=Path(__file__).parents[2])
