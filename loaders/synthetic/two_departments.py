"""People as two departments know them, with the faults of real lists, and who is who.

A truth set for the matching of people: the second department writes 3 % of the names with a wrong,
missing or turned character, 3 % of the birth dates a little off, and knows a quarter of the people
at another employer; either knows half of the ID numbers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from loaders.synthetic.names import GIVEN_NAME_CHARACTERS

FIRST_DEPARTMENT, SECOND_DEPARTMENT = "甲", "乙"
NAME_FAULT_SHARE: Final = 0.03
DATE_FAULT_SHARE: Final = 0.03
EMPLOYER_CHANGE_SHARE: Final = 0.25
ID_NUMBER_SHARE: Final = 0.5
MAX_DATE_SHIFT_DAYS: Final = 40


def build_two_views(people: pl.DataFrame, seed: int, overlap: float = 1.0) -> pl.DataFrame:
    """The rows of both departments, one below the other, for `complete_records`.

    `people` are those of a synthetic network with `employer`, the name of theirs. Column `truth`
    is the number of who it is; `overlap` the share of the people both departments know: of
    the others each has one half.
    """
    random = np.random.default_rng(seed)
    n = people.height
    knows = random.random(n)
    first = _build_view(people.filter(pl.Series(knows < (1 + overlap) / 2)), random, "A")
    second = _build_view(people.filter(pl.Series(knows >= (1 - overlap) / 2)), random, "B")
    second = _soil_view(second, people["employer"], random)
    both = pl.concat([first, second])
    return both.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("person"),
        pl.concat_list("employer").alias("employers"),
        pl.lit(None, pl.List(pl.String)).alias("certificates"),
        pl.lit(None, pl.String).alias("precision"),
    )


def _build_view(people: pl.DataFrame, random: np.random.Generator, mark: str) -> pl.DataFrame:
    """What one department knows, in an order of its own, under its own numbers."""
    order = random.permutation(people.height)
    source = FIRST_DEPARTMENT if mark == "A" else SECOND_DEPARTMENT
    known = pl.Series(random.random(people.height) < ID_NUMBER_SHARE)
    return people[order].select(
        pl.format("{}{}", pl.lit(mark), pl.int_range(pl.len()).cast(pl.String).str.zfill(8)).alias(
            "person_id"
        ),
        "truth",
        "name",
        "sex",
        "birth_date",
        "province",
        "occupation_code",
        "employer",
        pl.concat_list(pl.lit(source)).alias("sources"),
        pl.when(known).then("id_number").alias("digest"),
    )


def _soil_view(
    view: pl.DataFrame, employers: pl.Series, random: np.random.Generator
) -> pl.DataFrame:
    n = view.height
    wrong = np.flatnonzero(random.random(n) < NAME_FAULT_SHARE)
    names = [_misspell_name(name, random) for name in view["name"].gather(wrong)]
    shifted = pl.Series(random.random(n) < DATE_FAULT_SHARE)
    days = random.integers(1, MAX_DATE_SHIFT_DAYS + 1, n) * random.choice([-1, 1], n)
    # Most slips are of a day or two, some of weeks.
    days = np.where(random.random(n) < 0.5, np.sign(days) * (1 + np.abs(days) % 2), days)
    moved = pl.Series(random.random(n) < EMPLOYER_CHANGE_SHARE)
    other = employers.gather(random.integers(0, employers.len(), n))
    return view.with_columns(
        view["name"].scatter(wrong, names),
        pl.when(shifted)
        .then(pl.col("birth_date") + pl.duration(days=pl.lit(pl.Series(days))))
        .otherwise("birth_date")
        .alias("birth_date"),
        pl.when(moved).then(other).otherwise("employer").alias("employer"),
    )


def _misspell_name(name: str, random: np.random.Generator) -> str:
    """Another character, one too few, or two turned."""
    at = int(random.integers(1, len(name))) if len(name) > 1 else 0
    kind = random.random()
    if kind < 0.2 and len(name) > 2:
        return name[:at] + name[at + 1 :]
    if kind < 0.35 and len(name) > 2 and name[1] != name[2]:
        return name[0] + name[2] + name[1] + name[3:]
    pool = "".join(GIVEN_NAME_CHARACTERS[int(random.integers(0, 2))])
    new = pool[int(random.integers(0, len(pool)))]
    return name[:at] + (new if new != name[at] else "之") + name[at + 1 :]
