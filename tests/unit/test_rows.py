"""Rows by number are the table's own rows, whatever stands in them."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from graph import rows
from graph.chains import keep_arrays
from graph.metrics.examples import snapshot_of
from graph.rows import Rows, arrays_of

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


def test_rows_by_number_are_the_rows_of_the_table(tmp_path: Path) -> None:
    for seed, most in enumerate((65_000, 2)):  # the second: no text has few words
        rows.MOST_WORDS = most  # type: ignore[misc]
        try:
            whole = table(seed)
            arrays = arrays_of(whole)
        finally:
            rows.MOST_WORDS = 65_000  # type: ignore[misc]
        keep_arrays(arrays, tmp_path / str(seed))
        files = (tmp_path / str(seed)).glob("*.npy")
        opened = Rows({file.stem: np.load(file, mmap_mode="r") for file in files})
        for numbers in ([], [0], [SIZE - 1, 3, 3, 0], list(range(SIZE))):
            chosen = np.array(numbers, np.int64)
            expected = whole[numbers] if numbers else whole.clear()
            assert opened.at(chosen, whole.schema).equals(expected), (seed, numbers)


def test_mentorships_among_people_are_those_of_the_table() -> None:
    chance = random.Random(5)
    people = [f"p{n}" for n in range(40)]
    snapshot = snapshot_of(
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
        found = rows.mentorships_among(snapshot, among)
        assert sorted(found.select(ends).rows(), key=str) == sorted(
            inside.select(ends).rows(), key=str
        )
    assert taught.height == rows.mentorships_among(snapshot, everyone).height > 100


def test_numbers_are_found_by_id_however_ids_are_ordered() -> None:
    chance = random.Random(9)
    ids = [f"{chance.choice('Pp人éÅ-')}{n}" for n in range(300)]
    chance.shuffle(ids)
    snapshot = snapshot_of(
        talents=[{"person": ids[0]}],
        mentorships=[{"mentor": ids[0], "apprentice": id} for id in ids[1:]],
        recognitions=[
            {"person": id, "level": level, "date": f"20{12 + level}-01-01"}
            for id in ids[:50] for level in (3, 4, 5)
        ],
    )  # fmt: skip
    people = dict(snapshot.frames["people"].select("person_id", "person").collect().rows())
    assert rows.numbers_of(snapshot, ids) == {id: people[id] for id in ids}
    assert rows.numbers_of(snapshot, ["", "P", "人", "~", ids[7]]) == {ids[7]: people[ids[7]]}
    assert rows.numbers_of(snapshot, []) == {}
    found = rows.first_days(snapshot, [people[id] for id in ids[40:60]], 4)
    assert dict(found.rows()) == {people[id]: date(2016, 1, 1) for id in ids[40:50]}
