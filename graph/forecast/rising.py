"""The chances of everybody who works to become high-skilled, reached by a chain or not.

The hazards are those of the forecast (`graph.forecast.hazards`): by level, months waited, channel
and occupation group, estimated over the people in work, with one more channel, "none": whom no
chain of a leading talent had reached. In every draw one path of the ratio between promotions and
what the hazards expect holds for everybody (`graph.forecast.projection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graph.errors import UsageError
from graph.forecast.hazards import (
    DURATION_STARTS,
    LEVELS,
    MAX_DURATION_MONTH,
    Exposure,
    Hazards,
    add_cell_codes,
    count_exposure,
    estimate_hazards,
    estimate_transitions,
    list_occupation_codes,
    walk_outlook,
)
from graph.forecast.history import (
    BLOCK_MONTHS,
    BOOTSTRAP_GROUPS,
    EARLIEST_MONTH,
    GROUP_MODULUS,
    GROUP_STRIDE,
    HISTORY_CHANNELS,
    NEVER_MONTH,
    DrivenHistory,
    build_forecast_attributes,
    build_month,
)
from graph.forecast.projection import HAZARD_TREND_DEVIATION, project_log_ratios
from graph.forecast.simulation import (
    DRAWS,
    HAZARD_DRAWS,
    MIN_PROMOTIONS,
    OUTCOMES_PER_HAZARD_DRAW,
    choose_lookback,
)
from graph.snapshot.frames import Snapshot

Floats = NDArray[np.float64]

RISING_CHANNELS: Final = (*HISTORY_CHANNELS, "none")
CHANNEL_KIND: Final = pl.Enum(RISING_CHANNELS)


@dataclass(frozen=True)
class RisingModel:
    """Hazards of everybody in work, and who may still become high-skilled.

    - waiting: person, occupation, channel_code, level, duration (months), occupation_group, of each
      person in work below the high-skilled level on the data date
    - records: person, seen, hoped: first promotions to a high-skilled level of each person in the
      quarters looked back on, and what the hazards expect of them; of those at risk of one
    - paths: draws x blocks ahead: log ratio of promotions to what the hazards expect
    """

    history: DrivenHistory
    occupations: list[str]
    hazards: Hazards
    waiting: pl.DataFrame
    records: pl.DataFrame
    paths: Floats

    def number_cells(self, rows: pl.DataFrame) -> NDArray[np.int64]:
        """The number of each row's cell (occupation, channel_code, level, duration)."""
        numbers: NDArray[np.int64] = np.ravel_multi_index(
            tuple(
                rows[name].to_numpy().astype(np.int64)
                for name in ("occupation", "channel_code", "level", "duration")
            ),
            self._cell_shape(),
        )
        return numbers

    def _cell_shape(self) -> tuple[int, int, int, int]:
        return len(self.occupations) + 1, len(RISING_CHANNELS), LEVELS, MAX_DURATION_MONTH + 1

    def compute_cell_chances(self, horizons: Sequence[float]) -> Floats:
        """Horizons (months, rising) x hazard draws x cells: the chance of a first promotion to a
        high-skilled level by then, at ratio 1; between two months in a line.
        """
        wanted = {month for h in horizons for month in (int(h), int(h) + 1)}
        steps = enumerate(walk_outlook(self.hazards, max(wanted)))
        flat = {
            month: step.first.reshape(HAZARD_DRAWS, -1).astype(np.float64)
            for month, step in steps
            if month in wanted
        }
        return np.stack([flat[int(h)] * (1 - h % 1) + flat[int(h) + 1] * (h % 1) for h in horizons])

    def average_ratio(self, horizon: float) -> Floats:
        """Of each draw the ratio, on average from the data date to the horizon (months)."""
        edges = np.arange(self.paths.shape[1]) * BLOCK_MONTHS
        months = np.clip(horizon - edges, 0, BLOCK_MONTHS)
        found: Floats = np.exp(self.paths) @ (months / max(months.sum(), 1e-9))
        return found

    def follow_ratio(self, chances: Floats, horizon: float) -> Floats:
        """Chances (rows x hazard draws) as draws (rows x draws) once the hazards run at the ratio.

        A hazard r times as high leaves (share not risen)^r of those who waited.
        """
        spread = np.repeat(np.clip(chances, 0.0, 1 - 1e-12), OUTCOMES_PER_HAZARD_DRAW, axis=1)
        found: Floats = 1.0 - (1.0 - spread) ** self.average_ratio(horizon)
        return found


def fit_rising_model(
    snapshot: Snapshot, history: DrivenHistory, working: pl.DataFrame, months: float, seed: int
) -> RisingModel:
    """The model of the people in `working` (person), to so many months after the data date.

    Raises `UsageError` where too few promotions are on record to tell.
    """
    random = np.random.default_rng([seed, 3])
    spells = _build_all_spells(snapshot, history).join(working, on="person", how="semi")
    occupations = list_occupation_codes(spells)
    spells = add_cell_codes(spells, occupations)
    lookback = choose_lookback(history, 0)
    high = history.policy.high_skilled_level
    exposure = count_exposure(spells, ["group"], lookback, high)
    seen = int(exposure.promotions.sum())
    if seen < MIN_PROMOTIONS:
        raise UsageError(
            "Expected risers need at least {least} promotions of people in work in the quarters "
            "before the data date; there are {found}.",
            least=MIN_PROMOTIONS,
            found=seen,
        )
    transitions = estimate_transitions(spells, lookback[0] - BLOCK_MONTHS + 1, lookback[-1])
    hazards = estimate_hazards(
        exposure,
        transitions,
        len(occupations) + 1,
        high,
        HAZARD_DRAWS,
        random,
        channels=len(RISING_CHANNELS),
    )
    counts, hoped = _count_first_promotions(exposure, hazards)
    ahead = max(1, int(np.ceil(months / BLOCK_MONTHS)))
    paths = project_log_ratios(counts, hoped, ahead, DRAWS, random, HAZARD_TREND_DEVIATION)
    return RisingModel(
        history,
        occupations,
        hazards,
        _select_waiting(spells, high),
        _measure_records(spells, hazards, lookback),
        paths,
    )


def _measure_records(
    spells: pl.DataFrame, hazards: Hazards, lookback: Sequence[int]
) -> pl.DataFrame:
    first, last = lookback[0] - BLOCK_MONTHS + 1, lookback[-1]
    rows = spells.filter(
        pl.col("level") < hazards.high_level, pl.col("until") >= first, pl.col("since") <= last
    )
    since = rows["since"].to_numpy().astype(np.int64)
    until = np.minimum(rows["until"].to_numpy().astype(np.int64), last)
    level = rows["level"].to_numpy()
    hazard = hazards.monthly[0][
        rows["occupation"].to_numpy(), rows["channel_code"].to_numpy(), level
    ]
    hoped = np.zeros(rows.height)
    for at, (low, above) in enumerate(pairwise((*DURATION_STARTS, 10_000))):
        months = np.minimum(since + above - 1, until) - np.maximum(since + low, first) + 1
        hoped += np.clip(months, 0, None) * hazard[:, at]
    rises = hazards.transitions[:, hazards.high_level :].sum(axis=1)
    inside = pl.col("until").is_between(first, last) & (pl.col("raised_to") >= hazards.high_level)
    return (
        rows.select("person", seen=inside.cast(pl.Float64), hoped=pl.Series(hoped * rises[level]))
        .group_by("person")
        .agg(pl.col("seen", "hoped").sum())
    )


def _count_first_promotions(exposure: Exposure, hazards: Hazards) -> tuple[Floats, Floats]:
    """By block: first promotions to a high-skilled level, and what the hazards expect of them."""
    keys = exposure.keys
    level = keys["level"].to_numpy()
    low = level < hazards.high_level
    hazard = hazards.monthly[0][
        keys["occupation"].to_numpy(), keys["channel_code"].to_numpy(), level
    ]
    rises = hazards.transitions[:, hazards.high_level :].sum(axis=1)[level]
    hoped = (exposure.at_risk * hazard[:, :, None]).sum(axis=1) * rises[:, None]
    seen = exposure.high.sum(axis=1)
    return seen[low].sum(axis=0), hoped[low].sum(axis=0)


def _select_waiting(spells: pl.DataFrame, high: int) -> pl.DataFrame:
    """The spells that are open on the data date, below the high-skilled level."""
    waited = 1 - pl.col("since").cast(pl.Int32)
    return spells.filter(
        pl.col("since") <= 0, pl.col("until") == NEVER_MONTH, pl.col("level") < high
    ).select(
        "person",
        "occupation",
        "channel_code",
        "level",
        "occupation_group",
        duration=waited.clip(0, MAX_DURATION_MONTH),
    )


def _build_all_spells(snapshot: Snapshot, history: DrivenHistory) -> pl.DataFrame:
    """person, group, channel, level, since, until, raised_to, occupation_group: those of the
    history, and those of people while no chain had reached them.
    """
    names = ["person", "group", "channel", "level", "since", "until", "raised_to"]
    reached = history.spells.with_columns(pl.col("channel").cast(pl.String).cast(CHANNEL_KIND))
    attributes = build_forecast_attributes(snapshot).select("person", "occupation_group")
    return pl.concat([reached.select(names), _build_unreached_spells(snapshot, history)]).join(
        attributes, on="person", how="left"
    )


def _build_unreached_spells(snapshot: Snapshot, history: DrivenHistory) -> pl.DataFrame:
    """The stays at one level before a chain arrived, or without a chain.

    Who has no promotion yet has waited for longer than any class of duration.
    """
    reached = history.reached.select("person", reached="month").lazy()
    promotions = (
        snapshot.frames["promotions"]
        .filter(pl.col("day") <= history.data_date)
        .select("person", "level", "before", month=build_month("day", history.data_date))
        .join(reached, on="person", how="left")
        .filter(pl.col("reached").is_null() | (pl.col("month") < pl.col("reached")))
        .sort("person", "month", "level")
    )
    same = pl.col("person") == pl.col("person").shift(1)
    start = pl.lit(EARLIEST_MONTH, pl.Int16)
    risen = promotions.select(
        "person",
        level="before",
        since=pl.when(same).then(pl.col("month").shift(1)).otherwise(start),
        until="month",
        raised_to="level",
    )
    last = promotions.group_by("person").agg(pl.col("month").max(), pl.col("level").max())
    still = (
        snapshot.frames["people"]
        .select("person")
        .join(last, on="person", how="left")
        .join(reached, on="person", how="left")
        .select(
            "person",
            level=pl.col("level").fill_null(0),
            since=pl.col("month").fill_null(start),
            until=pl.col("reached").fill_null(NEVER_MONTH),
            raised_to=pl.lit(0, pl.Int8),
        )
    )
    number = pl.col("person").cast(pl.Int64) * GROUP_STRIDE % GROUP_MODULUS % BOOTSTRAP_GROUPS
    return (
        pl.concat([risen, still], how="vertical_relaxed")
        .select(
            "person",
            group=number.cast(pl.Int16),
            channel=pl.lit("none").cast(CHANNEL_KIND),
            level=pl.col("level").cast(pl.Int8),
            since=pl.col("since").cast(pl.Int16),
            until=pl.col("until").cast(pl.Int16),
            raised_to=pl.col("raised_to").cast(pl.Int8),
        )
        .collect()
    )
