"""Discrete-time hazards of the next promotion, and what they make of a person in so many months.

The hazard of a month is the chance that somebody who has not risen by its start rises in it. It is
estimated as promotions / months at risk, in a cell of level, months since the last promotion (or
since the chain arrived, where that is later), channel and occupation group. A small cell is drawn
to the next wider one, down to level and months alone: its parent's hazard counts as
`PRIOR_PROMOTIONS` promotions (the mean of a gamma posterior).

Source: Singer, Willett 1993, It's about time: using discrete-time survival analysis, Journal of
Educational Statistics 18:155; the shrinkage is that of a Poisson rate with a gamma prior.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graph.forecast.history import BLOCK_MONTHS, BOOTSTRAP_GROUPS, HISTORY_CHANNELS
from graph.policy import HIGHEST_LEVEL

Floats = NDArray[np.float64]

# Months since the last promotion from which each class of duration begins.
DURATION_STARTS: Final = (0, 1, 3, 6, 9, 12, 18, 24, 36, 60)
MAX_DURATION_MONTH: Final = 60
# The weight of a wider cell's hazard on a narrower one, in promotions.
PRIOR_PROMOTIONS: Final = 10.0
LEVELS: Final = HIGHEST_LEVEL + 1  # with 0, nothing on record
MAX_OCCUPATION_GROUPS: Final = 40
CELL_KEYS: Final = ("occupation", "channel_code", "level")


@dataclass(frozen=True)
class Exposure:
    """Months at risk and promotions by cell and block.

    - keys: one row a cell: what it was grouped by, and the `CELL_KEYS`
    - at_risk, promotions, high: cells x classes of duration x blocks; in months, promotions, and
      promotions to high-skilled levels
    - blocks: the blocks, as the month that each ends in, the oldest first
    """

    keys: pl.DataFrame
    at_risk: Floats
    promotions: Floats
    high: Floats
    blocks: tuple[int, ...]

    def as_table(self) -> pl.DataFrame:
        """A row a cell: the keys, and the counts of each kind and block as one array."""
        counts = {"at_risk": self.at_risk, "promotions": self.promotions, "high": self.high}
        columns = [
            pl.Series(f"{name}{block}", counts[name][:, :, at], pl.Array(pl.Float64, classes))
            for classes in (self.at_risk.shape[1],)
            for name in counts
            for at, block in enumerate(self.blocks)
        ]
        return self.keys.hstack(columns)

    @classmethod
    def from_table(cls, table: pl.DataFrame) -> Self:
        """What `as_table` gave."""
        counts: dict[str, list[str]] = {"at_risk": [], "promotions": [], "high": []}
        for column in table.columns:
            if isinstance(table.schema[column], pl.Array):
                counts[column.rstrip("-0123456789")].append(column)
        blocks = tuple(int(column.removeprefix("high")) for column in counts["high"])
        arrays = {
            name: np.stack([table[column].to_numpy() for column in columns], axis=2)
            for name, columns in counts.items()
        }
        keys = table.select(pl.exclude([c for columns in counts.values() for c in columns]))
        return cls(keys, **arrays, blocks=blocks)


def list_occupation_codes(spells: pl.DataFrame) -> list[str]:
    """The occupation groups with a code of their own in the cells, the largest first; the code of
    every other one, and of none, is 0.
    """
    counted = spells.lazy().group_by("occupation_group").agg(n=pl.len()).collect()
    named = counted.drop_nulls().with_columns(pl.col("occupation_group").cast(pl.String))
    return named.sort("n", "occupation_group", descending=[True, False])[
        "occupation_group"
    ].to_list()[:MAX_OCCUPATION_GROUPS]


def add_cell_codes(rows: pl.DataFrame, occupations: list[str]) -> pl.DataFrame:
    """The rows with `occupation` and `channel_code`, the numbers of their cell."""
    codes = {name: number + 1 for number, name in enumerate(occupations)}
    return rows.with_columns(
        occupation=pl.col("occupation_group")
        .cast(pl.String)
        .replace_strict(codes, default=0, return_dtype=pl.Int8)
        if codes
        else pl.lit(0, pl.Int8),
        channel_code=pl.col("channel").to_physical().cast(pl.Int8),
    )


def count_exposure(
    spells: pl.DataFrame, by: list[str], blocks: tuple[int, ...], high_level: int
) -> Exposure:
    """Months at risk and promotions of the spells, by cell and by these columns besides.

    A spell is at risk in each month from `since` to `until`, both included.
    """
    ends = (*DURATION_STARTS[1:], 10_000)
    since, until = pl.col("since").cast(pl.Int32), pl.col("until").cast(pl.Int32)
    duration = until - since
    at_risk, risen, high = [], [], []
    for low, above in zip(DURATION_STARTS, ends, strict=True):
        inside = (duration >= low) & (duration < above) & (pl.col("raised_to") > 0)
        for end in blocks:
            first = pl.max_horizontal(since + low, pl.lit(end - BLOCK_MONTHS + 1))
            last = pl.min_horizontal(since + above - 1, until, pl.lit(end))
            at_risk.append((last - first + 1).clip(0, BLOCK_MONTHS).sum().alias(f"a{low}/{end}"))
            here = inside & (until > end - BLOCK_MONTHS) & (until <= end)
            risen.append(here.sum().cast(pl.Int64).alias(f"p{low}/{end}"))
            high.append(
                (here & (pl.col("raised_to") >= high_level))
                .sum()
                .cast(pl.Int64)
                .alias(f"h{low}/{end}")
            )
    keys = [*by, *CELL_KEYS]
    found = (
        spells.lazy()
        .filter(pl.col("level") < HIGHEST_LEVEL, pl.col("until") > min(blocks) - BLOCK_MONTHS)
        .group_by(keys)
        .agg(*at_risk, *risen, *high)
        .collect()
    )
    shape = (found.height, len(DURATION_STARTS), len(blocks))

    def take(letter: str) -> Floats:
        chosen = [name for name in found.columns if name[0] == letter and "/" in name]
        return found.select(chosen).to_numpy().astype(np.float64).reshape(shape)

    return Exposure(found.select(keys), take("a"), take("p"), take("h"), blocks)


@dataclass(frozen=True)
class Hazards:
    """The hazards of each bootstrap draw, and where a promotion leads.

    - monthly: draws x occupations x channels x levels x classes of duration
    - transitions: levels x levels: the level that a promotion leads to
    """

    monthly: Floats
    transitions: Floats
    high_level: int


def estimate_hazards(
    exposure: Exposure,
    transitions: Floats,
    occupations: int,
    high_level: int,
    draws: int,
    random: np.random.Generator,
    channels: int = len(HISTORY_CHANNELS),
) -> Hazards:
    """Hazards from an exposure by bootstrap group (`group`); the first draw is all groups once.

    `occupations`, `channels`: the number of codes. The bootstrap draws the groups of persons with
    replacement.
    """
    groups = exposure.keys["group"].to_numpy()
    weights = np.ones((draws, BOOTSTRAP_GROUPS))
    weights[1:] = random.multinomial(
        BOOTSTRAP_GROUPS, [1 / BOOTSTRAP_GROUPS] * BOOTSTRAP_GROUPS, draws - 1
    )
    classes = len(DURATION_STARTS)
    cells = occupations * channels * LEVELS
    cell = (
        exposure.keys["occupation"].to_numpy().astype(np.int64) * channels
        + exposure.keys["channel_code"].to_numpy()
    ) * LEVELS + exposure.keys["level"].to_numpy()

    def weigh(counts: Floats) -> Floats:
        by_group = np.zeros((BOOTSTRAP_GROUPS, cells, classes))
        np.add.at(by_group, (groups, cell), counts.sum(axis=2))
        found = weights @ by_group.reshape(BOOTSTRAP_GROUPS, -1)
        return found.reshape(draws, occupations, channels, LEVELS, classes)

    monthly = shrink_hazards(weigh(exposure.promotions), weigh(exposure.at_risk))
    return Hazards(monthly, transitions, high_level)


def shrink_hazards(promotions: Floats, at_risk: Floats) -> Floats:
    """Each cell's hazard, drawn to that of its channel, and that to level and duration alone."""
    hazard = promotions.sum(axis=(1, 2)) / np.maximum(at_risk.sum(axis=(1, 2)), 1.0)
    channels = _draw_to_parent(promotions.sum(axis=1), at_risk.sum(axis=1), hazard[:, None])
    cells = _draw_to_parent(promotions, at_risk, channels[:, None])
    return np.minimum(cells, 1.0)


def _draw_to_parent(promotions: Floats, at_risk: Floats, parent: Floats) -> Floats:
    prior = PRIOR_PROMOTIONS / np.maximum(parent, 1e-9)
    found: Floats = (promotions + PRIOR_PROMOTIONS) / (at_risk + prior)
    return np.where(parent > 0, found, promotions / np.maximum(at_risk, 1.0))


def estimate_transitions(spells: pl.DataFrame, first: int, last: int) -> Floats:
    """levels x levels: the share of promotions from each level that led to each; where too few
    are on record, most lead one level on.
    """
    counted = (
        spells.lazy()
        .filter(pl.col("raised_to") > 0, pl.col("until").is_between(first, last))
        .group_by("level", "raised_to")
        .agg(n=pl.len())
        .collect()
    )
    found = np.zeros((LEVELS, LEVELS))
    for level in range(HIGHEST_LEVEL):
        found[level, level + 1] = PRIOR_PROMOTIONS / 10
    for level, raised_to, n in counted.select("level", "raised_to", "n").rows():
        found[level, raised_to] += n
    shares: Floats = found / np.maximum(found.sum(axis=1, keepdims=True), 1e-9)
    return shares


@dataclass(frozen=True)
class Outlook:
    """What a person in a cell is expected to do in so many months.

    - first: months (0 to `last`) x draws x occupations x channels x levels x durations: the chance
      of having become high-skilled for the first time
    - further: the same shape: promotions to high-skilled levels beyond that first one, expected
    """

    first: NDArray[np.float32]
    further: NDArray[np.float32]


def compute_outlook(hazards: Hazards, months: int) -> Outlook:
    """The chances after 0 to `months` months."""
    steps = walk_outlook(hazards, months)
    start = next(steps)
    first = np.zeros((months + 1, *start.first.shape), np.float32)
    further = np.zeros_like(first)
    for month, step in enumerate(steps, 1):
        first[month], further[month] = step.first, step.further
    return Outlook(first, further)


def walk_outlook(hazards: Hazards, months: int) -> Iterator[Outlook]:
    """The outlook of 0, 1, ... `months` months, one after the other, without the axis of months.

    Going back one month at a time, with V(m) the outlook with m months left, h the hazard of the
    month and T the transitions:
    V(m) = h * T (gain + V(m-1) after a promotion) + (1 - h) * V(m-1, one month older).
    """
    of_class = np.searchsorted(DURATION_STARTS, np.arange(MAX_DURATION_MONTH + 1), "right") - 1
    hazard = hazards.monthly[..., of_class].astype(np.float32)
    levels, high = np.arange(LEVELS), hazards.high_level
    transitions = hazards.transitions.astype(np.float32)
    rises = transitions * (levels >= high)  # to a high-skilled level
    is_low = (levels < high).astype(np.float32)
    gain_first = (rises.sum(axis=1) * is_low)[:, None]
    gain_further = (rises.sum(axis=1) * (1 - is_low))[:, None]
    # A first promotion ends the wait for one: only moves among the low levels go on.
    low_moves = transitions * is_low

    def step(before: NDArray[np.float32], gain: Any, moves: Any) -> NDArray[np.float32]:
        after = np.einsum("ij,...j->...i", moves, before[..., min(1, MAX_DURATION_MONTH)])
        older = np.concatenate([before[..., 1:], before[..., -1:]], axis=-1)
        found: NDArray[np.float32] = hazard * (gain + after[..., None]) + (1 - hazard) * older
        return found

    found = Outlook(np.zeros(hazard.shape, np.float32), np.zeros(hazard.shape, np.float32))
    yield found
    for _ in range(months):
        found = Outlook(
            step(found.first, gain_first, low_moves),
            step(found.further, gain_further, transitions),
        )
        yield found
