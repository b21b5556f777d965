"""Networks with hazards of known shape, made as snapshots in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

from graph.snapshot.edges import CHANNEL_DTYPE
from graph.snapshot.frames import Snapshot

FIRST_DAY = date(2022, 1, 1)
LAST_DAY = date(2026, 6, 30)
PROVINCES = ["11", "31", "32", "33", "37", "41", "42", "43", "44", "51", "61", "62"]
OCCUPATIONS = ["6-18-01-01", "6-20-03-02", "6-31-01-03", "4-10-01-05"]


def make_network(
    shape: str, *, people: int = 40_000, talents: int = 200, seed: int = 1
) -> Snapshot:
    """A network whose promotions follow hazards of one shape.

    - "constant": the same chance each month, another by province and occupation
    - "humped": rare at first, most often after a year, with a season and shocks by quarter
    """
    random = np.random.default_rng(seed)
    span = (LAST_DAY - FIRST_DAY).days
    n = people + talents
    province = random.choice(len(PROVINCES), n, p=random.dirichlet(np.full(len(PROVINCES), 3.0)))
    trade = random.integers(0, len(OCCUPATIONS), n)
    # Links: more of them each year; a third of the apprentices learn from apprentices.
    start = (span * random.random(people) ** 0.7).astype(int)
    mentor = random.integers(0, talents, people)
    middle = np.flatnonzero(random.random(people) < 0.3)
    elder = (random.random(len(middle)) * np.maximum(middle, 1)).astype(int)
    mentor[middle] = talents + np.where(middle > 0, elder, 0)
    apprentice = talents + np.arange(people)
    level = random.choice([0, 2, 3], people, p=[0.3, 0.3, 0.4])
    person, day, reached = _promote(
        random, shape, start, level, province[talents:], trade[talents:]
    )
    named = np.sort((span * random.random(talents) ** 0.8).astype(int))
    named[: talents // 2] = 0
    return _build_snapshot(
        people=pl.DataFrame(
            {
                "person_id": [f"P{number:07d}" for number in range(n)],
                "name": ["无名"] * n,
                "province": np.array(PROVINCES)[province],
                "occupation_code": np.array(OCCUPATIONS)[trade],
                "enterprise_id": [f"E{number % 50}" for number in range(n)],
                "leading": np.arange(n) < talents,
            }
        ),
        talents=pl.DataFrame(
            {"person": np.arange(talents, dtype=np.int32), "recognised_on": _days(named)}
        ),
        links=(mentor, apprentice, start),
        promotions=(talents + person, day, reached),
        entry=(apprentice, level),
    )


def _promote(
    random: np.random.Generator,
    shape: str,
    start: np.ndarray,
    level: np.ndarray,
    province: np.ndarray,
    trade: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Month by month: person (from 0), day, level reached."""
    months = (LAST_DAY - FIRST_DAY).days // 30 + 1
    by_province = np.exp(random.normal(0, 0.25, len(PROVINCES)))
    by_trade = np.exp(random.normal(0, 0.25, len(OCCUPATIONS)))
    shocks = np.exp(random.normal(0, 0.12, months // 3 + 1))
    season = np.array([0.8, 1.0, 1.3, 0.9])
    level, reached = level.copy(), start // 30
    last = (LAST_DAY - FIRST_DAY).days
    found = []
    for month in range(months):
        waited = np.maximum(month - reached, 0)
        base = np.full(len(level), 0.035)
        if shape == "humped":
            base = 0.09 * np.exp(-((np.log((waited + 1) / 13.0)) ** 2) / 0.7)
            base = base * season[(month // 3) % 4] * shocks[month // 3]
        chance = base * by_province[province] * by_trade[trade] * np.where(level >= 4, 0.4, 1.0)
        rises = np.flatnonzero(
            (month > reached) & (level < 7) & (random.random(len(level)) < chance)
        )
        level[rises] = np.where(level[rises] == 0, 3, level[rises] + 1)
        reached[rises] = month
        day = np.minimum(month * 30 + random.integers(0, 30, len(rises)), last)
        found.append((rises, day, level[rises].copy()))
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]


def _days(numbers: np.ndarray) -> pl.Series:
    return pl.Series(numbers.astype(np.int32) + (FIRST_DAY - date(1970, 1, 1)).days).cast(pl.Date)


def _build_snapshot(
    people: pl.DataFrame,
    talents: pl.DataFrame,
    links: tuple[np.ndarray, np.ndarray, np.ndarray],
    promotions: tuple[np.ndarray, np.ndarray, np.ndarray],
    entry: tuple[np.ndarray, np.ndarray],
) -> Snapshot:
    mentor, apprentice, start = links
    edges = pl.DataFrame(
        {
            "mentor": mentor.astype(np.int32),
            "apprentice": apprentice.astype(np.int32),
            "start": _days(start),
            "channel": pl.Series(["mentorship"] * len(mentor), dtype=CHANNEL_DTYPE),
        }
    )
    person, day, reached = promotions
    had, level = entry
    first = pl.DataFrame(
        {
            "person": had[level > 0].astype(np.int32),
            "day": [date(2015, 5, 1)] * int((level > 0).sum()),
            "level": level[level > 0].astype(np.int8),
        }
    )
    risen = pl.DataFrame(
        {"person": person.astype(np.int32), "day": _days(day), "level": reached.astype(np.int8)}
    )
    rows = (
        pl.concat([first, risen])
        .sort("person", "day")
        .with_columns(before=pl.col("level").shift(1).over("person").fill_null(0))
    )
    numbered = people.with_columns(person=pl.int_range(pl.len(), dtype=pl.Int32))
    enterprises = pl.DataFrame(
        {
            "enterprise_id": [f"E{number}" for number in range(50)],
            "industry": [f"I{number % 8}" for number in range(50)],
            "ownership": [None] * 50,
        },
        schema_overrides={"ownership": pl.String},
    )
    frames = {
        "people": numbered.lazy(),
        "talents": talents.lazy(),
        "edges": edges.lazy(),
        "promotions": rows.lazy(),
        "enterprises": enterprises.lazy(),
        "goals": pl.DataFrame(
            {
                "scope": ["national"],
                "year": [2026],
                "leading_talents": [200],
                "high_skilled": [18_000],
            }
        ).lazy(),
    }
    return Snapshot(1, None, frames)


def make_leaving_network(
    people: Sequence[Mapping[str, object]], employments: Sequence[Mapping[str, object]]
) -> Snapshot:
    """People alone, of whom what bears on retirement is stated, and their employments."""
    stated = {
        "birth_date": pl.Date,
        "sex": pl.String,
        "retirement_category": pl.String,
        "retired_on": pl.Date,
    }
    dates = ("start", "end", "service_until", "retirement_postponed_until")
    employed = {"person": pl.Int32, "reemployed": pl.Boolean, **dict.fromkeys(dates, pl.Date)}
    listed = pl.DataFrame([dict(row) for row in people], stated).with_columns(
        person=pl.int_range(pl.len(), dtype=pl.Int32)
    )
    frames = {
        "people": listed.lazy(),
        "employments": pl.DataFrame([dict(row) for row in employments], employed).lazy(),
    }
    return Snapshot(0, None, frames)
