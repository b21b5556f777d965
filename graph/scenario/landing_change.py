"""How a scenario moves the landing forecast, in new high-skilled persons by the window's end.

The model is that of the revision itself, with its hazards, paths and seed: what changes is who is
followed by it. Four parts, each in every draw:

- counted: persons driven as known on the data date, with the changes less without them
- pending: for each person the changes touch, the chance of becoming high-skilled while reached
  and before leaving, with the changes less without them. Who is reached later than on the data date
  waits from that day on
- ceased: persons a leaving mentor would still have taken on and who would have risen: the new
  arrivals a quarter on the mentor's own links in the quarters looked back on, from the day of
  leaving on. Nobody is taken to stand in
- pace: a hazard r times as high leaves the share (1 - p)^r of those who would wait with chance p;
  so it does of the cohort's new arrivals, by links and by talents newly named

Chances are summed as means; those of "ceased" are drawn (Poisson). Further promotions are not
followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graph.driven.results import find_touched_people
from graph.forecast.hazards import CELL_KEYS, MAX_DURATION_MONTH, add_cell_codes
from graph.forecast.history import (
    BLOCK_MONTHS,
    HISTORY_CHANNELS,
    MONTH_DAYS,
    build_forecast_attributes,
    build_month,
    compute_known_events,
    compute_reached_people,
)
from graph.forecast.landing import DEFAULT_SEED, check_window_open
from graph.forecast.simulation import DRAWS, ForecastModel
from graph.forecast.stored_data import load_driven_history, load_forecast_data
from graph.policy import Policy
from graph.scenario.changes import Change, Scenario, find_last_days
from graph.snapshot.frames import Snapshot

Floats = NDArray[np.float64]

LINK_STREAM: Final = "low_by_link"
NAMING_STREAM: Final = "low_by_naming"
CHANGE_PARTS: Final = ("counted", "pending", "ceased", "pace")
# So many cells at a time: the chances of one take draws x horizons numbers.
CELLS_PER_STEP: Final = 256


@dataclass(frozen=True)
class LandingChange:
    """The change by the window's end, in persons.

    - draws: province (null = not stated) -> a change in each draw
    - parts: part (of `CHANGE_PARTS`), median, low_80, high_80, of the nation
    """

    data_date: date
    draws: dict[str | None, Floats]
    parts: pl.DataFrame

    def summarize(self) -> pl.DataFrame:
        """province, median, low_80, high_80 of the change; the nation's is the sum over all draws,
        under "nation".
        """
        nation: Floats = sum(self.draws.values(), np.zeros(DRAWS))
        rows = [("nation", nation), *self.draws.items()]
        return pl.DataFrame(
            [(value, *_quantiles(draws)) for value, draws in rows],
            schema={"province": pl.String} | _QUANTILE_SCHEMA,
            orient="row",
        )


_QUANTILE_SCHEMA: Final[dict[str, Any]] = {
    "median": pl.Int64,
    "low_80": pl.Int64,
    "high_80": pl.Int64,
}


def _quantiles(draws: Floats) -> tuple[int, ...]:
    return tuple(round(float(q)) for q in np.quantile(draws, (0.5, 0.1, 0.9)))


def compute_landing_change(
    snapshot: Snapshot,
    changed: Snapshot,
    scenario: Scenario,
    policy: Policy,
    *,
    seed: int = DEFAULT_SEED,
) -> LandingChange:
    """The change that the scenario makes under the policy.

    Raises `UsageError` as `graph.forecast.landing.compute_landing_forecast` does.
    """
    history = load_driven_history(snapshot, policy)
    check_window_open(history)
    horizons = [*map(float, range(1, int(history.months_left) + 1)), history.months_left]
    horizons = sorted({month for month in horizons if month > 0})
    random = np.random.default_rng([seed, 0])
    model = ForecastModel.fit(load_forecast_data(snapshot, policy), 0, horizons, random)
    touched = _find_touched(snapshot, changed, policy, scenario)
    sides = pl.concat(
        [
            _list_waiting(model, snapshot, touched, (), sign=-1),
            _list_waiting(model, changed, touched, scenario.changes, sign=1),
        ]
    )
    # People without a record change wait as they did, at another pace.
    paced = _list_paced(model, touched, scenario.changes)
    parts = {
        "counted": _count_difference(model, snapshot, changed, touched),
        "pending": _sum_chances(model, sides),
        "ceased": _draw_ceased(model, snapshot, scenario.changes),
        "pace": _add_parts(
            _sum_chances(model, paced), _draw_paced_arrivals(model, scenario.changes)
        ),
    }
    values = sorted(
        {value for part in parts.values() for value in part}, key=lambda v: (v is None, v)
    )
    nothing = np.zeros(DRAWS)
    draws = {
        value: sum((part.get(value, nothing) for part in parts.values()), nothing)
        for value in values
    }
    nation = {name: sum(part.values(), nothing) for name, part in parts.items()}
    summary = pl.DataFrame(
        [(name, *_quantiles(found)) for name, found in nation.items()],
        schema={"part": pl.String} | _QUANTILE_SCHEMA,
        orient="row",
    )
    return LandingChange(history.data_date, draws, summary)


def _find_touched(
    snapshot: Snapshot, changed: Snapshot, policy: Policy, scenario: Scenario
) -> pl.Series:
    """Row numbers of everybody whose waiting the record changes may change."""
    if changed is snapshot:
        return pl.Series(dtype=pl.Int32)
    found = find_touched_people(changed, policy)
    everybody = changed.frames["people"].select("person", "person_id").collect()
    if found is None:
        return everybody["person"]
    leaving = pl.Series([*find_last_days(scenario.changes)], dtype=pl.String)
    leavers = everybody.filter(pl.col("person_id").is_in(leaving.implode()))["person"]
    return pl.concat([found.persons.cast(pl.Int32), leavers.cast(pl.Int32)]).unique()


# --- who waits -----------------------------------------------------------------------------------


def _list_waiting(
    model: ForecastModel,
    snapshot: Snapshot,
    touched: pl.Series,
    changes: Sequence[Change],
    *,
    sign: int,
) -> pl.DataFrame:
    """Of these people who wait below high skill and are reached by the window's end, by cell.

    province, `CELL_KEYS`, duration (months waited when the waiting counts), horizon (months that it
    counts for), factor, weight (how many, times `sign`).
    """
    history = model.data.history
    policy, data_date = history.policy, history.data_date
    reached = compute_reached_people(snapshot, policy, policy.window_end, touched)
    of_them = pl.col("person").is_in(touched.implode())
    last = (
        snapshot.frames["promotions"]
        .filter(of_them, pl.col("day") <= data_date)
        .group_by("person")
        .agg(last=pl.col("day").max(), level=pl.col("level").max())
        .collect()
    )
    people = snapshot.frames["people"].filter(of_them).select("person", "person_id").collect()
    days = find_last_days(changes)
    leaving = pl.DataFrame(
        {"person_id": [*days], "leaves": [*days.values()]},
        schema={"person_id": pl.String, "leaves": pl.Date},
    )
    rows = (
        reached.join(last, on="person", how="left")
        .join(people, on="person")
        .join(leaving, on="person_id", how="left")
        .join(build_forecast_attributes(snapshot).filter(of_them), on="person", how="left")
        .with_columns(pl.col("level").fill_null(0))
        .filter(pl.col("level") < policy.high_skilled_level)
    )
    origin, end = pl.lit(data_date), pl.lit(policy.window_end)
    start = pl.max_horizontal("reached", origin)
    last_rise = pl.max_horizontal("reached", "last")
    months = [
        (pl.min_horizontal(end, "leaves") - start).dt.total_days() / MONTH_DAYS,
        (start - last_rise).dt.total_days() / MONTH_DAYS,
    ]
    timed = rows.with_columns(
        horizon=months[0].clip(0.0),
        duration=(months[1].floor() + 1).clip(0, MAX_DURATION_MONTH).cast(pl.Int64),
    )
    later = pl.col("reached") > data_date
    timed = timed.with_columns(duration=pl.when(later).then(0).otherwise("duration"))
    return _group_cells(model, timed, changes, sign)


def _group_cells(
    model: ForecastModel, rows: pl.DataFrame, changes: Sequence[Change], sign: int
) -> pl.DataFrame:
    if rows.is_empty():
        return pl.DataFrame(schema=_CELL_SCHEMA)
    rows = rows.with_columns(pl.col("channel").cast(pl.Enum(HISTORY_CHANNELS)))
    coded = rows if "occupation" in rows.columns else add_cell_codes(rows, model.data.occupations)
    return (
        coded.with_columns(pl.col("province").cast(pl.String), factor=build_pace(changes))
        .group_by("province", *CELL_KEYS, "duration", "horizon", "factor")
        .agg(weight=pl.len().cast(pl.Float64) * sign)
        .select(pl.col(name).cast(dtype) for name, dtype in _CELL_SCHEMA.items())
        .sort(pl.all())
    )


def build_pace(changes: Sequence[Change]) -> pl.Expr:
    """The factor of each row's hazard by its cohorts: the product of those that name one of them.

    One mapping an attribute: a condition a change would make an expression that no engine survives.
    """
    factors: dict[str, dict[str, float]] = {}
    for change in changes:
        if change.kind == "change_hazard":
            cohorts = factors.setdefault(change.attribute, {})
            cohorts[change.value] = cohorts.get(change.value, 1.0) * change.factor
    pace = pl.lit(1.0)
    for attribute, cohorts in factors.items():
        known = pl.col(attribute).cast(pl.String)
        pace *= known.replace_strict(cohorts, default=1.0, return_dtype=pl.Float64)
    return pace


_CELL_SCHEMA: Final[dict[str, Any]] = {
    "province": pl.String,
    **dict.fromkeys(CELL_KEYS, pl.Int64),
    "duration": pl.Int64,
    "horizon": pl.Float64,
    "factor": pl.Float64,
    "weight": pl.Float64,
}


def _list_paced(
    model: ForecastModel, touched: pl.Series, changes: Sequence[Change]
) -> pl.DataFrame:
    """The others of the cohorts who wait: once at their pace, once at the changed one."""
    waiting = model.select_open_spells().filter(
        pl.col("level") < model.hazards.high_level,
        ~pl.col("person").is_in(touched.implode()),
        build_pace(changes) != 1.0,
    )
    timed = waiting.with_columns(horizon=pl.lit(model.data.history.months_left))
    sides = [_group_cells(model, timed, (), -1), _group_cells(model, timed, changes, 1)]
    return pl.concat(sides)


def _sum_chances(model: ForecastModel, cells: pl.DataFrame) -> dict[str | None, Floats]:
    """By province, the sum of the cells' chances times their weights, in each draw."""
    found: dict[str | None, Floats] = {}
    for horizon, part in _slice_by_horizon(cells):
        paths = model.compute_chance_paths(part)
        paths = np.concatenate([np.zeros((*paths.shape[:2], 1)), paths], axis=2)
        chance = _interpolate(model, paths, np.array([horizon]))[..., 0]
        risen = 1.0 - (1.0 - np.clip(chance, 0.0, 1.0)) ** part["factor"].to_numpy()
        weighted = risen * part["weight"].to_numpy()
        for number, value in enumerate(part["province"]):
            found[value] = found.get(value, np.zeros(DRAWS)) + weighted[:, number]
    return found


def _slice_by_horizon(cells: pl.DataFrame) -> Iterator[tuple[float, pl.DataFrame]]:
    """The cells of one horizon at a time, so many at once; nothing rises in no time."""
    waiting = cells.filter(pl.col("horizon") > 0)
    for (horizon,), part in waiting.group_by("horizon", maintain_order=True):
        for piece in part.iter_slices(CELLS_PER_STEP):
            yield float(horizon), piece


# --- who is driven already, and who would have come ----------------------------------------------


def _count_difference(
    model: ForecastModel, snapshot: Snapshot, changed: Snapshot, touched: pl.Series
) -> dict[str | None, Floats]:
    """By the worker's province, how many more are driven as known on the data date: who rises later
    waits on that day, and is followed as pending.
    """
    history, found = model.data.history, dict[str | None, Floats]()
    province = pl.col("province").cast(pl.String)
    for side, sign in ((snapshot, -1), (changed, 1)):
        known = compute_known_events(side, history.policy, history.data_date, touched)
        placed = build_forecast_attributes(side).select("person", province)
        persons = known.filter("first").join(placed, on="person", how="left")
        for value, n in persons.group_by("province").len().rows():
            found[value] = found.get(value, np.zeros(DRAWS)) + sign * n
    return {value: draws for value, draws in found.items() if draws.any()}


def _draw_ceased(
    model: ForecastModel, snapshot: Snapshot, changes: Sequence[Change]
) -> dict[str | None, Floats]:
    """By province, the loss of those the leaving mentors would still have taken on, drawn."""
    history, found = model.data.history, dict[str | None, Floats]()
    days = find_last_days(changes)
    people = snapshot.frames["people"].select("person", "person_id")
    wanted = pl.Series([*days], dtype=pl.String)
    leavers = people.filter(pl.col("person_id").is_in(wanted.implode())).collect()
    if leavers.is_empty():
        return found
    edges = (
        snapshot.under(history.policy)
        .frames["edges"]
        .filter(pl.col("mentor").is_in(leavers["person"].implode()))
        .select("mentor", person="apprentice", month=build_month("start", history.data_date))
        .collect()
    )
    taken = (
        _select_low_arrivals(model, LINK_STREAM)
        .join(edges.unique(), on=["person", "month"])
        .join(leavers.rename({"person": "mentor"}), on="mentor")
        .group_by("person_id", pl.col("province").cast(pl.String), factor=build_pace(changes))
        .agg(n=pl.col("person").n_unique())
        .sort("person_id", "province", "factor")
    )
    path = _follow_one_arrival(model, LINK_STREAM)
    for person_id, province, factor, n in taken.rows():
        left = (history.policy.window_end - max(days[person_id], history.data_date)).days
        mean = n * _expect_arriving_risers(model, path, max(left, 0) / MONTH_DAYS, factor)
        lost = model.random.poisson(mean).astype(np.float64)
        found[province] = found.get(province, np.zeros(DRAWS)) - lost
    return found


def _draw_paced_arrivals(
    model: ForecastModel, changes: Sequence[Change]
) -> dict[str | None, Floats]:
    """By province, what the new arrivals of a cohort add at another pace, less at their own."""
    found: dict[str | None, Floats] = {}
    months = model.data.history.months_left
    for stream in (LINK_STREAM, NAMING_STREAM):
        paced = _select_low_arrivals(model, stream).select(
            pl.col("province").cast(pl.String), factor=build_pace(changes)
        )
        counts = paced.filter(pl.col("factor") != 1).group_by("province", "factor").len("n")
        if counts.is_empty():
            continue
        path = _follow_one_arrival(model, stream)
        usual = _expect_arriving_risers(model, path, months, 1.0)
        for province, factor, n in counts.sort("province", "factor").rows():
            more = n * (_expect_arriving_risers(model, path, months, factor) - usual)
            found[province] = found.get(province, np.zeros(DRAWS)) + more
    return found


def _select_low_arrivals(model: ForecastModel, stream: str) -> pl.DataFrame:
    """Who was newly reached in the blocks looked back on, below high skill, by this stream."""
    start = model.lookback[0] - BLOCK_MONTHS
    return model.data.reached.filter(
        pl.col("month") > start,
        pl.col("month") <= model.origin,
        pl.col("level") < model.hazards.high_level,
        pl.col("by_naming") == (stream == NAMING_STREAM),
    )


def _follow_one_arrival(model: ForecastModel, stream: str) -> Floats:
    """How many one arrival in all the blocks looked back on adds: draws x (0 and the horizons)."""
    blocks = int(np.ceil(max(model.horizons) / BLOCK_MONTHS))
    rate = np.full((1, DRAWS, blocks), 1.0 / len(model.lookback))
    return np.concatenate([np.zeros((DRAWS, 1)), model.follow_arrivals(rate, stream)[0]], axis=1)


def _expect_arriving_risers(
    model: ForecastModel, path: Floats, months: float, factor: float
) -> Floats:
    """How many of the people of one arrival rise within so many months, a draw each.

    Each of them rises with the path's mean chance p, and at a factor r with 1 - (1 - p)^r.
    """
    arrivals = min(months, model.horizons[-1]) / BLOCK_MONTHS / len(model.lookback)
    if arrivals <= 0:
        return np.zeros(DRAWS)
    chance = _interpolate(model, path, np.array([months]))[:, 0] / arrivals
    found: Floats = arrivals * (1.0 - (1.0 - np.clip(chance, 0.0, 1.0)) ** factor)
    return found


def _interpolate(model: ForecastModel, path: Floats, months: Floats) -> Floats:
    """What paths (... x 0 and the horizons) have reached after so many months: ... x months."""
    edges = np.array([0.0, *model.horizons])
    months = np.minimum(months, edges[-1])
    at = np.clip(np.searchsorted(edges, months, "right") - 1, 0, len(edges) - 2)
    share = (months - edges[at]) / (edges[at + 1] - edges[at])
    found: Floats = path[..., at] * (1 - share) + path[..., at + 1] * share
    return found


def _add_parts(*parts: dict[str | None, Floats]) -> dict[str | None, Floats]:
    found: dict[str | None, Floats] = {}
    for part in parts:
        for value, draws in part.items():
            found[value] = found.get(value, np.zeros(DRAWS)) + draws
    return found
