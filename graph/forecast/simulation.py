"""Where both ledgers may stand: draws of what the next months add, nationally and by attribute.

What will be added falls into four parts:

- pending: persons who are reached and not high-skilled yet, and become so
- taken_on: persons that new links will reach and who become high-skilled after that
- new_talents: persons that the naming of new leading talents adds: those who became high-skilled
  before the naming, and those who do afterwards
- further: promotions to high-skilled levels that are not a person's first one (person-times alone)

Each draw takes hazards of one bootstrap of the persons (`graph.forecast.hazards`), a path of the
ratio between what happened and what those hazards expect, a path of the arrivals
(`graph.forecast.projection`), and Poisson counts with these means. In every draw the nation's
counts are shared out over the values of an attribute (multinomially, by their own means), so that
they add up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graph.errors import UsageError
from graph.forecast.hazards import (
    CELL_KEYS,
    LEVELS,
    MAX_DURATION_MONTH,
    Exposure,
    Hazards,
    Outlook,
    add_cell_codes,
    compute_outlook,
    count_exposure,
    estimate_hazards,
    estimate_transitions,
    list_occupation_codes,
)
from graph.forecast.history import (
    BLOCK_MONTHS,
    FORECAST_ATTRIBUTES,
    DrivenHistory,
)
from graph.forecast.projection import (
    ARRIVAL_TREND_DEVIATION,
    HAZARD_TREND_DEVIATION,
    project_log_ratios,
    project_part_ratios,
)

Floats = NDArray[np.float64]

LOOKBACK_BLOCKS: Final = 8
MIN_LOOKBACK_BLOCKS: Final = 4
# Fewer promotions of reached people than this in the blocks looked back on carry no forecast.
MIN_PROMOTIONS: Final = 50
HAZARD_DRAWS: Final = 40
OUTCOMES_PER_HAZARD_DRAW: Final = 25
DRAWS: Final = HAZARD_DRAWS * OUTCOMES_PER_HAZARD_DRAW
PARTS: Final = ("pending", "taken_on", "new_talents", "further")
PERSON_PARTS: Final = PARTS[:3]
NATION: Final = "nation"


@dataclass(frozen=True)
class ForecastData:
    """A history with the counts that forecasts from several origins share.

    `by_person` is the exposure by bootstrap group, `by_place` that by the attributes.
    """

    history: DrivenHistory
    occupations: list[str]
    spells: pl.DataFrame
    reached: pl.DataFrame
    by_person: Exposure
    by_place: Exposure

    @cached_property
    def values(self) -> dict[str, list[str | None]]:
        """The values of each attribute, sorted, `None` (not stated) last where there is one."""
        found: dict[str, list[str | None]] = {NATION: [None]}
        for name in FORECAST_ATTRIBUTES:
            stated = self.reached[name].cast(pl.String).unique()
            ordered: list[str | None] = sorted(stated.drop_nulls().to_list())
            found[name] = [*ordered, None] if stated.null_count() else ordered
        return found


def build_forecast_data(
    history: DrivenHistory,
    origins: int = 0,
    load: Callable[[str, Callable[[], Exposure]], Exposure] = lambda name, count: count(),
) -> ForecastData:
    """Counts what forecasts from the data date, and from `origins` blocks before it, need.

    `load` gives the counts of a name, or has them counted.
    """
    occupations = list_occupation_codes(history.spells)
    spells = add_cell_codes(history.spells, occupations)
    reached = add_cell_codes(history.reached, occupations)
    last = -BLOCK_MONTHS * (origins + LOOKBACK_BLOCKS - 1)
    blocks = tuple(range(last, 1, BLOCK_MONTHS))
    high = history.policy.high_skilled_level
    return ForecastData(
        history,
        occupations,
        spells,
        reached,
        load("person", partial(count_exposure, spells, ["group"], blocks, high)),
        load("place", partial(count_exposure, spells, [*FORECAST_ATTRIBUTES], blocks, high)),
    )


def choose_lookback(history: DrivenHistory, origin: int) -> tuple[int, ...]:
    """The blocks looked back on from the origin (a month), the oldest first.

    Those that lie entirely in the window, at most `LOOKBACK_BLOCKS`; the programme changed what
    came before. Where they are fewer than `MIN_LOOKBACK_BLOCKS`, so many whatever the window.
    """
    ends = [origin - BLOCK_MONTHS * n for n in range(LOOKBACK_BLOCKS)]
    inside = [end for end in ends if end - BLOCK_MONTHS + 1 >= history.first_month]
    return tuple(
        sorted(inside if len(inside) >= MIN_LOOKBACK_BLOCKS else ends[:MIN_LOOKBACK_BLOCKS])
    )


def count_lookback_promotions(data: ForecastData, origin: int) -> int:
    """The promotions of reached people in the blocks that a forecast from the origin looks at."""
    lookback = choose_lookback(data.history, origin)
    return int(_take_blocks(data.by_person, lookback).promotions.sum())


@dataclass(frozen=True)
class SimulatedLedgers:
    """What is added from the origin on, of one attribute's values (or of the nation, one value).

    `added`: part -> values x draws x horizons, counted from the origin to the end of each horizon.
    """

    values: Sequence[str | None]
    added: Mapping[str, Floats]

    def sum_persons(self) -> Floats:
        """New high-skilled persons added: values x draws x horizons."""
        total: Floats = sum((self.added[part] for part in PERSON_PARTS), np.zeros(()))
        return total

    def sum_person_times(self) -> Floats:
        """Person-times added: values x draws x horizons."""
        return self.sum_persons() + self.added["further"]


def simulate_ledgers(
    data: ForecastData, origin: int, horizons: Sequence[float], seed: int
) -> dict[str, SimulatedLedgers]:
    """Draws of what is added by the end of each horizon (months after the origin).

    By attribute, and of the nation under `NATION`. Only what was known at the origin, the end of
    that month, is looked at. Raises `UsageError` where too little has happened to tell.
    """
    random = np.random.default_rng([seed, -origin])
    return ForecastModel.fit(data, origin, horizons, random).simulate_all()


@dataclass(frozen=True)
class ForecastModel:
    data: ForecastData
    origin: int
    horizons: Sequence[float]
    lookback: tuple[int, ...]
    hazards: Hazards
    outlook: Outlook
    ratios: Mapping[str, Floats]  # ledger -> past blocks: observed to expected, nationally
    paths: Mapping[str, Floats]  # ledger or stream -> draws x blocks ahead, log ratios
    streams: Mapping[str, Floats]  # stream -> past blocks, nationally
    random: np.random.Generator

    @classmethod
    def fit(
        cls,
        data: ForecastData,
        origin: int,
        horizons: Sequence[float],
        random: np.random.Generator,
    ) -> ForecastModel:
        lookback = choose_lookback(data.history, origin)
        exposure = _take_blocks(data.by_person, lookback)
        seen = count_lookback_promotions(data, origin)
        if seen < MIN_PROMOTIONS:
            raise UsageError(
                "A forecast needs at least {least} promotions of people whom chains reach in the "
                "quarters before the data date; there are {found}.",
                least=MIN_PROMOTIONS,
                found=seen,
            )
        high = data.history.policy.high_skilled_level
        transitions = estimate_transitions(
            data.spells, lookback[0] - BLOCK_MONTHS + 1, lookback[-1]
        )
        hazards = estimate_hazards(
            exposure, transitions, len(data.occupations) + 1, high, HAZARD_DRAWS, random
        )
        outlook = compute_outlook(hazards, int(np.ceil(max(horizons))))
        ahead = int(np.ceil(max(horizons) / BLOCK_MONTHS))
        model = cls(data, origin, horizons, lookback, hazards, outlook, {}, {}, {}, random)
        ratios, paths, streams = {}, {}, {}
        observed, expected = model._count_promotions(NATION)
        for ledger in observed:
            counts, hoped = observed[ledger][0], np.maximum(expected[ledger][0], 0.5)
            ratios[ledger] = counts / hoped
            paths[ledger] = project_log_ratios(
                counts, hoped, ahead, DRAWS, random, HAZARD_TREND_DEVIATION
            )
        for stream, counts in model._count_streams(NATION).items():
            streams[stream] = counts[0]
            paths[stream] = project_log_ratios(
                counts[0],
                np.ones(len(lookback)),
                ahead,
                DRAWS,
                random,
                ARRIVAL_TREND_DEVIATION,
            )
        return cls(
            data, origin, horizons, lookback, hazards, outlook, ratios, paths, streams, random
        )

    # --- what happened -----------------------------------------------------------------------

    def _value_numbers(self, rows: pl.DataFrame, attribute: str) -> NDArray[np.int64]:
        if attribute == NATION:
            return np.zeros(rows.height, np.int64)
        values = self.data.values[attribute]
        numbers = {value: number for number, value in enumerate(values) if value is not None}
        missing = len(numbers)
        return (
            rows[attribute]
            .cast(pl.String)
            .replace_strict(numbers, default=missing, return_dtype=pl.Int64)
            .fill_null(missing)
            .to_numpy()
        )

    def _count_promotions(self, attribute: str) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """Observed and expected promotions by ledger part: values x past blocks.

        "first": to a high-skilled level from below; "further": from one to the next.
        """
        exposure = _take_blocks(self.data.by_place, self.lookback)
        keys = exposure.keys
        number = self._value_numbers(keys, attribute)
        size = len(self.data.values[attribute])
        level = keys["level"].to_numpy()
        low = level < self.hazards.high_level
        hazard = self.hazards.monthly[0][
            keys["occupation"].to_numpy(), keys["channel_code"].to_numpy(), level
        ]
        rises = self.hazards.transitions[:, self.hazards.high_level :].sum(axis=1)[level]
        hoped = (exposure.at_risk * hazard[:, :, None]).sum(axis=1) * rises[:, None]
        seen = exposure.high.sum(axis=1)
        observed: dict[str, Floats] = {}
        expected: dict[str, Floats] = {}
        for ledger, chosen in (("first", low), ("further", ~low)):
            for found, counts in ((observed, seen), (expected, hoped)):
                total = np.zeros((size, counts.shape[1]))
                np.add.at(total, number[chosen], counts[chosen])
                found[ledger] = total
        return observed, expected

    def _count_streams(self, attribute: str) -> dict[str, Floats]:
        """New arrivals and retroactive promotions: stream -> values x past blocks."""
        high = self.hazards.high_level
        reached, events = self.data.reached, self.data.history.events
        low = pl.col("level") < high
        late = events.filter("retroactive").with_columns(month="known")
        rows = {
            "low_by_link": reached.filter(low, ~pl.col("by_naming")),
            "low_by_naming": reached.filter(low, "by_naming"),
            "high": reached.filter(~low),
            "retroactive_first": late.filter("first"),
            "retroactive_further": late.filter(~pl.col("first")),
        }
        return {stream: self._count_by_block(found, attribute) for stream, found in rows.items()}

    def _count_by_block(self, rows: pl.DataFrame, attribute: str) -> Floats:
        start = self.lookback[0] - BLOCK_MONTHS
        inside = rows.filter(pl.col("month") > start, pl.col("month") <= self.origin)
        block = (inside["month"].to_numpy().astype(np.int64) - start - 1) // BLOCK_MONTHS
        found = np.zeros((len(self.data.values[attribute]), len(self.lookback)))
        np.add.at(found, (self._value_numbers(inside, attribute), block), 1.0)
        return found

    def select_open_spells(self) -> pl.DataFrame:
        """The spells open at the origin that a promotion can end, with `duration`: the months that
        the next one will be after the last promotion.
        """
        waited = self.origin + 1 - pl.col("since").cast(pl.Int32)
        return self.data.spells.filter(
            pl.col("since") <= self.origin,
            pl.col("until") > self.origin,
            pl.col("level") < LEVELS - 1,
        ).with_columns(duration=waited.clip(0, MAX_DURATION_MONTH))

    def list_arrivals(self) -> pl.DataFrame:
        """What arrived in each block looked back on, nationally: stream, day (its end), count."""
        days = [self.data.history.compute_day(month) for month in self.lookback]
        return pl.concat(
            pl.DataFrame({"stream": [stream] * len(days), "day": days, "count": counts}).cast(
                {"count": pl.Int64}
            )
            for stream, counts in self.streams.items()
        )

    # --- what may happen ---------------------------------------------------------------------

    def simulate_all(self) -> dict[str, SimulatedLedgers]:
        """The nation under `NATION`, and each attribute."""
        nation = self.simulate(NATION, None)
        return {
            NATION: nation,
            **{attribute: self.simulate(attribute, nation) for attribute in FORECAST_ATTRIBUTES},
        }

    def simulate(self, attribute: str, nation: SimulatedLedgers | None) -> SimulatedLedgers:
        values = self.data.values[attribute]
        paths = self._project_paths(attribute)
        means = self._compute_means(attribute, paths)
        if nation is None:
            steps = {part: self._draw_counts(mean) for part, mean in means.items()}
        else:
            steps = {
                part: self._share_out(np.diff(nation.added[part], axis=2, prepend=0.0)[0], mean)
                for part, mean in means.items()
            }
        return SimulatedLedgers(
            values, {part: np.cumsum(step, axis=2) for part, step in steps.items()}
        )

    def _project_paths(self, attribute: str) -> dict[str, Floats]:
        """Ledger part or stream -> values x draws x blocks ahead: ratios (of the ledgers), counts
        a block (of the streams).
        """
        ahead = next(iter(self.paths.values())).shape[1]
        observed, expected = self._count_promotions(attribute)
        found = {}
        for ledger, counts in observed.items():
            path = self.paths[ledger][None]
            if attribute != NATION:
                follow = expected[ledger] * self.ratios[ledger]
                path = path + project_part_ratios(counts, follow, ahead, DRAWS, self.random)
            found[ledger] = np.exp(path)
        for stream, counts in self._count_streams(attribute).items():
            path = self.paths[stream][None]
            if attribute != NATION:
                share = counts.sum(axis=1) / max(counts.sum(), 1.0)
                follow = share[:, None] * self.streams[stream]
                parts = project_part_ratios(counts, follow, ahead, DRAWS, self.random)
                path = path + parts + np.log(np.maximum(share, 1e-9))[:, None, None]
            found[stream] = np.exp(path)
        return found

    def _compute_means(self, attribute: str, paths: Mapping[str, Floats]) -> dict[str, Floats]:
        """Part -> values x draws x horizons: the mean of what each step from horizon to horizon
        adds.
        """
        pending, n = self._average_pending(attribute)
        _, first_steps = self._follow_ratio(pending["first"], paths["first"])
        means = {"pending": n["first"][:, None, None] * first_steps}
        further = n["further"][:, None, None] * self._scale_steps(
            pending["further"], paths["further"]
        )
        arriving = self._average_arrivals(attribute)
        for part, stream in (("taken_on", "low_by_link"), ("new_talents", "low_by_naming")):
            rising = self._convolve(paths[stream], arriving[stream]["first"])
            means[part] = rising * self._average_ratio(paths["first"])
            further = further + self._convolve(paths[stream], arriving[stream]["further"])
        further = further + self._convolve(paths["high"], arriving["high"]["further"])
        blocks = self._measure_overlaps() / BLOCK_MONTHS
        means["new_talents"] = means["new_talents"] + paths["retroactive_first"] @ blocks
        means["further"] = further + paths["retroactive_further"] @ blocks
        return {part: np.maximum(mean, 0.0) for part, mean in means.items()}

    def compute_chances(self, spells: pl.DataFrame) -> Floats:
        """Of each open spell, the chance of a first promotion to a high-skilled level by the last
        horizon: draws x spells.
        """
        return self.compute_chance_paths(spells)[..., -1]

    def compute_chance_paths(self, spells: pl.DataFrame) -> Floats:
        """As `compute_chances`, by each horizon: draws x spells x horizons.

        Takes the columns of cells (`CELL_KEYS`) and `duration`, as `select_open_spells` has them.
        """
        table = self.outlook.first[
            :,
            :,
            spells["occupation"].to_numpy(),
            spells["channel_code"].to_numpy(),
            spells["level"].to_numpy(),
            spells["duration"].to_numpy(),
        ]
        by_month = table.astype(np.float64).transpose(2, 1, 0)
        reached, _ = self._follow_ratio(
            self._at_horizons(by_month), np.exp(self.paths["first"])[None]
        )
        return np.swapaxes(reached, 0, 1)

    def follow_arrivals(self, counts: Floats, stream: str = "low_by_link") -> Floats:
        """What so many arrivals a block (values x draws x blocks) add by each horizon on average,
        with the outlook of those the stream brings nationally.
        """
        arriving = self._average_arrivals(NATION)[stream]["first"]
        steps = self._convolve(counts, arriving) * self._average_ratio(
            np.exp(self.paths["first"])[None]
        )
        return np.cumsum(steps, axis=2)

    def _average_pending(self, attribute: str) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """The mean outlook of the persons reached at the origin: ledger part -> values x draws x
        horizons, each from the origin on; and how many they are.

        First promotions are those of who is not high-skilled yet. Were the others among the mean,
        with their chance of 0, a ratio above 1 would raise more persons than wait.
        """
        open_spells = self.select_open_spells()
        keys = [*CELL_KEYS, "duration"]
        by = keys if attribute == NATION else [attribute, *keys]
        low = pl.col("level") < self.hazards.high_level
        found, persons = dict[str, Floats](), dict[str, Floats]()
        for part, chosen in (("first", low), ("further", pl.lit(True))):
            cells = open_spells.lazy().filter(chosen).group_by(by).agg(n=pl.len()).collect()
            durations = cells["duration"].to_numpy()
            outlook, persons[part] = self._average_outlook(cells, durations, attribute)
            found[part] = outlook[part]
        return found, persons

    def _average_arrivals(self, attribute: str) -> dict[str, dict[str, Floats]]:
        """Stream -> ledger part -> values x hazard draws x months since the arrival: the mean
        outlook of those who newly arrive, after the levels and groups of the last blocks.
        """
        high, found = self.hazards.high_level, {}
        start = self.lookback[0] - BLOCK_MONTHS
        inside = self.data.reached.filter(
            pl.col("month") > start, pl.col("month") <= self.origin, pl.col("level") < LEVELS - 1
        )
        low = pl.col("level") < high
        for stream, chosen in (
            ("low_by_link", low & ~pl.col("by_naming")),
            ("low_by_naming", low & pl.col("by_naming")),
            ("high", ~low),
        ):
            by = [*CELL_KEYS] if attribute == NATION else [attribute, *CELL_KEYS]
            cells = inside.lazy().filter(chosen).group_by(by).agg(n=pl.len()).collect()
            months = np.arange(self.outlook.first.shape[0])
            mean, _ = self._average_outlook(
                cells, np.zeros(cells.height, np.int64), attribute, months
            )
            found[stream] = mean
        return found

    def _average_outlook(
        self,
        cells: pl.DataFrame,
        durations: NDArray[np.int64],
        attribute: str,
        months: NDArray[np.int64] | None = None,
    ) -> tuple[dict[str, Floats], Floats]:
        size = len(self.data.values[attribute])
        shape = self.outlook.first.shape
        occupations, channels = shape[2], shape[3]
        flat = (
            (
                cells["occupation"].to_numpy().astype(np.int64) * channels
                + cells["channel_code"].to_numpy()
            )
            * LEVELS
            + cells["level"].to_numpy()
        ) * (MAX_DURATION_MONTH + 1) + durations
        number = self._value_numbers(cells, attribute)
        n = cells["n"].to_numpy().astype(np.float64)
        counts = sparse.csr_matrix(
            (n, (number, flat)), (size, occupations * channels * LEVELS * (MAX_DURATION_MONTH + 1))
        )
        total = np.asarray(counts.sum(axis=1)).ravel()
        used = np.unique(flat).astype(np.int64)
        narrow = counts[:, used]
        found = {}
        for ledger, outlook in (("first", self.outlook.first), ("further", self.outlook.further)):
            table = outlook.reshape(shape[0], shape[1], -1)[:, :, used]
            rows = table.reshape(shape[0] * shape[1], len(used)).T.astype(np.float64)
            mean = np.asarray(narrow @ rows) / np.maximum(total, 1.0)[:, None]
            by_month = mean.reshape(size, shape[0], shape[1]).transpose(0, 2, 1)
            found[ledger] = by_month if months is not None else self._at_horizons(by_month)
        return found, total

    def _at_horizons(self, by_month: Floats) -> Floats:
        """The last axis, months from 0 on, read at the horizons, between two months in a line."""
        months = np.arange(by_month.shape[-1])
        low = np.minimum(np.floor(self.horizons).astype(int), months[-1])
        high = np.minimum(low + 1, months[-1])
        part = np.asarray(self.horizons) - low
        found: Floats = by_month[..., low] * (1 - part) + by_month[..., high] * part
        return found

    def _spread(self, by_hazard_draw: Floats) -> Floats:
        """Values x hazard draws x ... as values x draws x ...: each hazard draw several times."""
        return np.repeat(by_hazard_draw, OUTCOMES_PER_HAZARD_DRAW, axis=1)

    def _average_ratio(self, ratio: Floats) -> Floats:
        """The ratio of the blocks in each step from horizon to horizon."""
        months = self._measure_overlaps()
        found: Floats = ratio @ (months / np.maximum(months.sum(axis=0), 1e-9))
        return found

    def _measure_overlaps(self) -> Floats:
        """Blocks ahead x steps: the months of each block that fall into each step."""
        edges = [0.0, *self.horizons]
        blocks = int(np.ceil(max(self.horizons) / BLOCK_MONTHS))
        found = np.zeros((blocks, len(self.horizons)))
        for step, (start, end) in enumerate(pairwise(edges)):
            for block in range(blocks):
                low, high = block * BLOCK_MONTHS, (block + 1) * BLOCK_MONTHS
                found[block, step] = max(0.0, min(end, high) - max(start, low))
        return found

    def _follow_ratio(self, chance: Floats, ratio: Floats) -> tuple[Floats, Floats]:
        """Chances by each horizon, and their steps, once the hazards run at the ratio.

        A hazard r times as high leaves (share not risen)^r of those who waited.
        """
        left = np.log(np.clip(1.0 - self._spread(chance), 1e-12, 1.0))
        steps = np.diff(left, axis=2, prepend=0.0) * self._average_ratio(ratio)
        reached = 1.0 - np.exp(np.cumsum(steps, axis=2))
        return reached, np.diff(reached, axis=2, prepend=0.0)

    def _scale_steps(self, expected: Floats, ratio: Floats) -> Floats:
        steps = np.diff(self._spread(expected), axis=2, prepend=0.0)
        found: Floats = steps * self._average_ratio(ratio)
        return found

    def _convolve(self, counts: Floats, outlook: Floats) -> Floats:
        """What arrivals add in each step: counts (values x draws x blocks), evenly over a block's
        months, each month's with its outlook (values x hazard draws x months) to the horizon.
        """
        chance = self._spread(outlook)
        last = chance.shape[2] - 1
        totals = np.zeros((counts.shape[0], counts.shape[1], len(self.horizons)))
        for at, horizon in enumerate(self.horizons):
            for month in range(int(np.ceil(horizon))):
                left = min(horizon - month, last)  # of the month that begins then
                part = min(1.0, horizon - month)
                low = int(np.floor(left))
                high = min(low + 1, last)
                mean = chance[..., low] * (1 - (left - low)) + chance[..., high] * (left - low)
                monthly = counts[..., month // BLOCK_MONTHS] / BLOCK_MONTHS
                totals[..., at] += part * monthly * mean
        found: Floats = np.diff(totals, axis=2, prepend=0.0)
        return found

    def _share_out(self, nation: Floats, means: Floats) -> Floats:
        """The nation's counts (draws x steps) over the values, each with the chance of its mean."""
        weights = np.moveaxis(means, 0, -1) + 1e-12
        chances = weights / weights.sum(axis=-1, keepdims=True)
        drawn = self.random.multinomial(nation.astype(np.int64), chances)
        return np.moveaxis(drawn, -1, 0).astype(np.float64)

    def _draw_counts(self, means: Floats) -> Floats:
        drawn: Floats = self.random.poisson(np.minimum(means, 1e9)).astype(np.float64)
        return drawn


def _take_blocks(exposure: Exposure, blocks: Sequence[int]) -> Exposure:
    at = [exposure.blocks.index(block) for block in blocks]
    return Exposure(
        exposure.keys,
        exposure.at_risk[..., at],
        exposure.promotions[..., at],
        exposure.high[..., at],
        tuple(blocks),
    )
