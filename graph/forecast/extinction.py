"""The extinction clock: the year in which an occupation in a province loses its last mentor.

A mentor is someone with a dated apprentice who still worked at the start of the as-of year. Each
year is simulated from three things:

- who leaves: on the day on record, at the end of an agreed later retirement or of a contract of
  who is reemployed; else in the statutory month (`graph.people.retirement`); who works past it, at
  the latest month an agreement may choose, or within a year. A woman whose category is not known
  leaves at either of her two months, with even odds; past the earlier one, as a
  cadre. Who has no known month leaves as the mentors with one do.
- who is in training: each apprentice becomes a mentor in the k-th year of the apprenticeship
  with the chance of the nation's life table (`h(k)` = became / at risk, see
  `graph.metrics.replacement`)
- who will be taken on: apprentices a mentor and year, of the last `RECENT_YEARS` (of k mentors 1/k
  to each, from the first link on), drawn to the nation's by `PRIOR_APPRENTICES`; they become
  mentors by the same table

Somebody who becomes a mentor teaches for as many years as the nation's mentors with a known end
do in the median. Who leaves is drawn binomially; who becomes a mentor and who is taken on are
Poisson counts with these means; all from one seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.errors import UsageError
from graph.forecast.landing import DEFAULT_SEED
from graph.labels import MetricColumnLabels
from graph.metrics.replacement import follow_apprentices
from graph.people.retirement import list_leaving_days
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HORIZON_YEARS: Final = 40
EXTINCTION_DRAWS: Final = 400
EXTINCTION_VERSION: Final = 3
RECENT_YEARS: Final = 5
TRAINING_YEARS: Final = 30
# How many apprentices the nation's rate weighs as, in that of one occupation and province.
PRIOR_APPRENTICES: Final = 5.0
# Where nobody's end is known: a mentor teaches for so many years.
DEFAULT_TEACHING_YEARS: Final = 15
GROUP_KEYS: Final = ("occupation_code", "province")
PROBABILITY_YEARS: Final = (2030, 2035)

COLUMNS: Final[MetricColumnLabels] = {
    "occupation_code": ("occupation", "职业编码"),
    "province": ("province", "省份"),
    "mentors": ("mentors in work", "在职师傅人数"),
    "unknown": ("of them without one known retirement month", "其中退休月份不能确定人数"),
    "in_training": ("apprentices who may become mentors", "可成为师傅的在学徒弟人数"),
    "median": ("year of the last mentor, median", "最后一名师傅离岗年份（中位数）"),
    "early": ("10 % by", "10%分位年份"),
    "late": ("90 % by", "90%分位年份"),
    "probability_2030": ("probability by 2030", "2030年前失传概率"),
    "probability_2035": ("probability by 2035", "2035年前失传概率"),
}


@dataclass(frozen=True)
class _Craft:
    """What the simulation starts from; the arrays have a row a group of `groups`."""

    groups: pl.DataFrame
    leaving: Floats  # groups x years: mentors who leave by the end of that year, known
    women: Ints  # women with two months, a row each: group, first year and later year of leaving
    unknown: Ints  # groups
    survival: Floats  # years: share of the known mentors still there
    training: Floats  # groups x training years: apprentices in the k-th year
    life_table: Floats  # training years: chance of becoming a mentor in the k-th year
    rate: Floats  # groups: apprentices a mentor and year
    teaching_years: int
    first_part: float  # of the as-of year, the part that is left


def load_extinction(
    snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED
) -> pl.DataFrame:
    """As `compute_extinction`; stored beside the snapshot."""
    return load_cached_table(
        _build_extinction_path(snapshot, policy, seed),
        lambda: compute_extinction(snapshot, policy, seed=seed),
    )


def has_extinction(snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED) -> bool:
    """Whether the table is stored, so that asking for it costs little."""
    return has_cached_table(_build_extinction_path(snapshot, policy, seed))


def _build_extinction_path(snapshot: Snapshot, policy: Policy, seed: int) -> Path | None:
    return build_table_path(snapshot, "extinction", EXTINCTION_VERSION, policy.id, seed)


def compute_extinction(
    snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED
) -> pl.DataFrame:
    """A row an occupation and province that has a mentor now, the most endangered first.

    mentors (in work on the as-of day, with a dated mentorship at any time), unknown (of them
    without one known retirement month), in_training (apprentices who work and are no mentors yet),
    median, early (10 %) and late (90 %) year in which no mentor is left for the first time (null:
    not within `HORIZON_YEARS`), probability_2030 and probability_2035 (of that by the end of the
    year; null when gone by). Of the policy the as-of day alone bears on it. Raises `UsageError`
    where no mentor's retirement
    month is known.
    """
    craft = _describe_craft(snapshot, policy)
    if craft.groups.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.Null))
    random = np.random.default_rng(seed)
    first = policy.as_of.year
    ends = np.stack([_simulate_end(craft, random) for _ in range(EXTINCTION_DRAWS)], axis=1)
    columns: dict[str, pl.Series] = {}
    for name, share in (("median", 0.5), ("early", 0.1), ("late", 0.9)):
        found = np.quantile(ends, share, axis=1, method="higher")
        columns[name] = pl.Series(
            [first + int(y) if y < HORIZON_YEARS else None for y in found], dtype=pl.Int64
        )
    for year in PROBABILITY_YEARS:
        chance = (ends <= year - first).mean(axis=1) if year >= first else [None] * len(ends)
        columns[f"probability_{year}"] = pl.Series(chance, dtype=pl.Float64)
    rows = craft.groups.with_columns(**columns).select(*COLUMNS)
    order = ["probability_2030", "probability_2035", "mentors", *GROUP_KEYS]
    return rows.sort(order, descending=[True, True, False, False, False])


def _simulate_end(craft: _Craft, random: np.random.Generator) -> Ints:
    """For each group the first year from the as-of year on (0) at whose end no mentor is left."""
    size = craft.groups.height
    known = craft.groups["mentors"].to_numpy()[:, None] - craft.unknown[:, None]
    present = known - craft.leaving - _draw_women_left(craft, random)
    others, before = craft.unknown, 1.0
    joined = np.zeros((size, HORIZON_YEARS))
    training = craft.training.copy()
    end = np.full(size, HORIZON_YEARS, np.int64)
    for year in range(HORIZON_YEARS):
        part = craft.first_part if year == 0 else 1.0
        joined[:, year] = random.poisson(training @ craft.life_table * part)
        training *= 1 - craft.life_table * part
        if year:
            training[:, 1:] = training[:, :-1].copy()
        recent = joined[:, max(0, year - craft.teaching_years + 1) : year + 1].sum(axis=1)
        others = random.binomial(others, craft.survival[year] / before if before else 0.0)
        before = craft.survival[year]
        active = present[:, year] + others + recent
        begun = random.poisson(craft.rate * active * part)
        training[:, 0] = begun + (training[:, 0] if year == 0 else 0)
        end = np.where((end == HORIZON_YEARS) & (active <= 0), year, end)
    return end


def _draw_women_left(craft: _Craft, random: np.random.Generator) -> Floats:
    """groups x years: women with two months who have left; each at one of hers, by a coin."""
    group, first, later = craft.women.T
    year = np.where(random.random(len(group)) < 0.5, first, later)
    cells = craft.groups.height * (HORIZON_YEARS + 1)
    counts = np.bincount(group * (HORIZON_YEARS + 1) + year, minlength=cells)
    left: Floats = counts.reshape(-1, HORIZON_YEARS + 1)[:, :-1].cumsum(axis=1).astype(np.float64)
    return left


def count_mentors_by_decade(
    snapshot: Snapshot, policy: Policy, code: str, province: str | None = None
) -> pl.DataFrame:
    """decade (of birth, 1970; null: not known), mentors: those in work of one occupation, as
    `compute_extinction` counts them; of the nation without `province`.

    A decade is what everybody may see of a birth date.
    """
    began = _list_dated_links(snapshot, policy).select(person="mentor").unique()
    placed = pl.col("occupation_code").cast(pl.String) == code
    if province is not None:
        placed = placed & (pl.col("province").cast(pl.String) == province)
    return (
        snapshot.frames["people"]
        .filter(placed, pl.col("province").is_not_null())
        .select("person", decade=pl.col("birth_date").dt.year() // 10 * 10)
        .join(list_leaving_days(snapshot, policy.as_of).select("person"), on="person", how="semi")
        .join(began.lazy(), on="person", how="semi")
        .group_by("decade")
        .agg(mentors=pl.len().cast(pl.Int64))
        .sort("decade", nulls_last=True)
        .collect()
    )


# --- where it starts --------------------------------------------------------------------------


def _describe_craft(snapshot: Snapshot, policy: Policy) -> _Craft:
    links = _list_dated_links(snapshot, policy)
    working = _list_working_people(snapshot, policy)
    began = links.group_by(person="mentor").agg(began=pl.col("start").min())
    mentors = working.join(began, on="person")
    groups = (
        mentors.group_by(GROUP_KEYS)
        .agg(mentors=pl.len().cast(pl.Int64))
        .sort(GROUP_KEYS)
        .with_row_index("group")
    )
    mentors = mentors.join(groups.select("group", *GROUP_KEYS), on=GROUP_KEYS)
    entered = links.group_by(person="apprentice").agg(entered=pl.col("start").min())
    learning = (
        working.join(entered, on="person")
        .join(began, on="person", how="anti")
        .join(groups.select("group", *GROUP_KEYS), on=GROUP_KEYS)
        .with_columns(year=_count_years(pl.col("entered"), policy))
    )
    size = groups.height
    known = mentors.filter(pl.col("leaves").is_not_null(), pl.col("leaves_later").is_null())
    undecided = mentors.filter(pl.col("leaves_later").is_not_null())
    unknown = mentors.filter(pl.col("leaves").is_null())
    leaving = _count_left(known, "leaves", size, policy)
    if known.is_empty() and unknown.height:
        raise UsageError(
            "The extinction clock needs mentors whose retirement month is known: birth date, sex, "
            "and of women the category; no mentor in work has them all."
        )
    alive = 1 - leaving.sum(axis=0) / max(known.height, 1)
    taken_on = _share_apprentices(links, policy).join(
        mentors.select("group", mentor="person"), on="mentor"
    )
    taken_on = taken_on.group_by("group").agg(pl.col("share").sum())
    teaching = known.select(
        ((pl.col("leaves") - pl.col("began")).dt.total_days() / 365.25).median()
    )
    years = teaching.item()
    return _Craft(
        groups.join(_count_group(learning, "in_training"), on="group", how="left")
        .join(_count_group(pl.concat([unknown, undecided]), "unknown"), on="group", how="left")
        .with_columns(pl.col("in_training", "unknown").fill_null(0)),
        leaving,
        _list_women(undecided, policy),
        _spread(_count_group(unknown, "n"), size).astype(np.int64),
        alive,
        _count_training(learning, size),
        _build_life_table(links, policy),
        _estimate_rates(_spread(taken_on, size), groups),
        DEFAULT_TEACHING_YEARS if years is None else max(1, round(years)),
        (date(policy.as_of.year, 12, 31) - policy.as_of).days / 365.25,
    )


def _list_dated_links(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    return (
        snapshot.frames["edges"]
        .filter(pl.col("channel").cast(pl.String) == "mentorship")
        .filter(pl.col("start") <= policy.as_of, pl.col("mentor") != pl.col("apprentice"))
        .select("mentor", "apprentice", "start")
        .collect()
    )


def _share_apprentices(links: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """mentor, share: of each apprentice of the last `RECENT_YEARS`, from the first link of the two
    on; of k mentors each took on 1/k.
    """
    pairs = links.group_by("mentor", "apprentice").agg(pl.col("start").min())
    shared = pairs.with_columns(share=1.0 / pl.len().over("apprentice"))
    return shared.filter(_count_years(pl.col("start"), policy) < RECENT_YEARS)


def _list_women(undecided: pl.DataFrame, policy: Policy) -> Ints:
    years = [
        (pl.col(column).dt.year() - policy.as_of.year).clip(0, HORIZON_YEARS).cast(pl.Int64)
        for column in ("leaves", "leaves_later")
    ]
    rows: Ints = undecided.select(pl.col("group").cast(pl.Int64), *years).to_numpy()
    return rows


def _list_working_people(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """person, the group keys, leaves (null: not known), leaves_later (of a woman with two)."""
    keys = (pl.col(key).cast(pl.String) for key in GROUP_KEYS)
    people = snapshot.frames["people"].select("person", *keys).drop_nulls()
    leaving = list_leaving_days(snapshot, policy.as_of)
    return people.join(leaving, on="person").drop("gap").collect()


def _count_years(day: pl.Expr, policy: Policy) -> pl.Expr:
    """Full years from the day to the as-of day."""
    return ((pl.lit(policy.as_of) - day).dt.total_days() / 365.25).floor().cast(pl.Int64)


def _count_left(mentors: pl.DataFrame, column: str, size: int, policy: Policy) -> Floats:
    """groups x years: how many have left by the end of each year, the as-of year the first."""
    found = np.zeros((size, HORIZON_YEARS))
    year = mentors[column].dt.year().to_numpy().astype(np.int64) - policy.as_of.year
    inside = year < HORIZON_YEARS
    np.add.at(found, (mentors["group"].to_numpy()[inside], np.maximum(year[inside], 0)), 1)
    return np.cumsum(found, axis=1)


def _count_group(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return rows.group_by("group").agg(pl.len().cast(pl.Int64).alias(name))


def _spread(counts: pl.DataFrame, size: int) -> Floats:
    found = np.zeros(size)
    found[counts["group"].to_numpy()] = counts.to_series(1).to_numpy()
    return found


def _count_training(learning: pl.DataFrame, size: int) -> Floats:
    """groups x training years: apprentices by the years since they began."""
    found = np.zeros((size, TRAINING_YEARS))
    year = np.minimum(learning["year"].to_numpy(), TRAINING_YEARS - 1)
    np.add.at(found, (learning["group"].to_numpy(), year), 1)
    return found


def _build_life_table(links: pl.DataFrame, policy: Policy) -> Floats:
    """The chance of becoming a mentor in the k-th year, of who has not by then; nationally."""
    years = (pl.col("days") / 365.25).floor().cast(pl.Int64)
    followed = follow_apprentices(links, policy).select(
        "became", years=years.clip(0, TRAINING_YEARS - 1)
    )
    last = followed["years"].to_numpy()
    became = np.bincount(last[followed["became"].to_numpy()], minlength=TRAINING_YEARS)
    at_risk = np.bincount(last, minlength=TRAINING_YEARS)[::-1].cumsum()[::-1]
    chance: Floats = became / np.maximum(at_risk, 1)
    return chance


def _estimate_rates(taken_on: Floats, groups: pl.DataFrame) -> Floats:
    """Apprentices a mentor and year, of each group, drawn to the nation's."""
    exposure = groups["mentors"].to_numpy() * float(RECENT_YEARS)
    nation = taken_on.sum() / max(exposure.sum(), 1.0)
    if nation == 0:
        return np.zeros_like(taken_on)
    found: Floats = (taken_on + PRIOR_APPRENTICES) / (exposure + PRIOR_APPRENTICES / nation)
    return found
