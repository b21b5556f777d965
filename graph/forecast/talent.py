"""The landing forecast of one leading talent's own list, in persons.

Who is on the list already is followed with the hazards of the nation, person by person
(`graph.forecast.hazards`). Who will still come onto it arrives at the rate of the quarters looked
back on: a Poisson rate with the gamma posterior of Jeffreys' prior, of shape arrivals + 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from graph.driven.engines import IN_MEMORY
from graph.driven.promotions import compute_events
from graph.driven.results import load_reach
from graph.driven.rounds import list_carried_arrivals
from graph.errors import UsageError
from graph.forecast.history import (
    BLOCK_MONTHS,
    DrivenHistory,
    build_month,
)
from graph.forecast.landing import DEFAULT_SEED, FIGURE_QUANTILES, check_window_open
from graph.forecast.simulation import DRAWS, ForecastModel
from graph.forecast.stored_data import load_driven_history, load_forecast_data
from graph.labels import MetricColumnLabels
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

Floats = NDArray[np.float64]

COLUMNS: Final[MetricColumnLabels] = {
    "person_id": ("person", "人员编号"),
    "name": ("name", "姓名"),
    "level": ("level", "等级"),
    "months": ("months waited", "已等待月数"),
    "chance": ("chance of rising by the window's end", "期末前晋升概率"),
}


@dataclass(frozen=True)
class TalentForecast:
    """One talent's list at the window's end, in persons.

    - counted: driven on the data date
    - figures: median, low_80, high_80, low_95, high_95
    - pending: person_id, name, level, months (waited), chance (of becoming high-skilled by the
      window's end), most likely first: who is on the list and not high-skilled yet
    - expected_pending, expected_arrivals: what each part adds on average
    """

    talent_id: str
    data_date: date
    counted: int
    figures: dict[str, int]
    pending: pl.DataFrame
    expected_pending: float
    expected_arrivals: float

    def table(self) -> pl.DataFrame:
        """The persons pending."""
        return self.pending


def compute_talent_forecast(
    snapshot: Snapshot, policy: Policy, talent_id: str, *, seed: int = DEFAULT_SEED
) -> TalentForecast:
    """The forecast of one talent's list.

    Raises `UsageError` for one who is no leading talent, and as
    `graph.forecast.landing.compute_landing_forecast` does.
    """
    number = _find_talent(snapshot, talent_id)
    history = load_driven_history(snapshot, policy)
    check_window_open(history)
    random = np.random.default_rng([seed, number])
    data = load_forecast_data(snapshot, policy)
    model = ForecastModel.fit(data, 0, [history.months_left], random)
    mine = load_reach(snapshot, policy).filter(pl.col("talent") == number)
    pending = _list_pending(model, _find_first_arrivals(mine, policy, history))
    chances = model.compute_chances(pending)
    persons = random.binomial(max(pending.height, 1), chances.mean(axis=1)) if pending.height else 0
    arrivals = _project_arrivals(model, snapshot, mine, policy, random)
    counted = _count_driven(snapshot, mine, policy, history)
    totals = counted + persons + random.poisson(arrivals)
    return TalentForecast(
        talent_id,
        history.data_date,
        counted,
        {name: round(float(np.quantile(totals, q))) for name, q in FIGURE_QUANTILES.items()},
        _name_pending(snapshot, pending, chances),
        float(chances.mean(axis=0).sum()) if pending.height else 0.0,
        float(arrivals.mean()),
    )


def _find_talent(snapshot: Snapshot, talent_id: str) -> int:
    people = snapshot.frames["people"].filter(pl.col("person_id") == talent_id).select("person")
    found = people.join(snapshot.frames["talents"].select("person").unique(), on="person").collect()
    if found.is_empty():
        raise UsageError(
            "{talent} is no leading talent in these data; look the id up on Find.", talent=talent_id
        )
    return int(found.item())


def _find_first_arrivals(
    mine: pl.LazyFrame, policy: Policy, history: DrivenHistory
) -> pl.DataFrame:
    """person, arrival: the day the talent's chains first arrive at each, by the data date."""
    arrival = pl.min_horizontal(list_carried_arrivals(policy)).min()
    first = mine.group_by("person").agg(arrival=arrival)
    return first.filter(pl.col("arrival") <= history.data_date).collect()


def _list_pending(model: ForecastModel, arrived: pl.DataFrame) -> pl.DataFrame:
    """The open spells of those on the list who are not high-skilled: see `DrivenHistory`."""
    waiting = model.select_open_spells().filter(pl.col("level") < model.hazards.high_level)
    return waiting.join(arrived.select("person"), on="person", how="semi")


def _project_arrivals(
    model: ForecastModel,
    snapshot: Snapshot,
    mine: pl.LazyFrame,
    policy: Policy,
    random: np.random.Generator,
) -> Floats:
    """The mean of who comes onto the list and rises by the window's end, a draw each."""
    history, high = model.data.history, policy.high_skilled_level
    arrived = _find_first_arrivals(mine, policy, history)
    risen = (
        snapshot.frames["promotions"]
        .filter(pl.col("level") >= high, pl.col("before") < high)
        .select("person", risen="day")
    )
    low = (
        arrived.lazy()
        .join(risen, on="person", how="left")
        .filter(pl.col("risen").is_null() | (pl.col("risen") >= pl.col("arrival")))
    )
    month = build_month("arrival", history.data_date)
    seen = low.filter(month > model.lookback[0] - BLOCK_MONTHS).select(pl.len()).collect().item()
    rate = random.gamma(seen + 0.5, 1.0 / len(model.lookback), DRAWS)
    ahead = int(np.ceil(history.months_left / BLOCK_MONTHS))
    found: Floats = model.follow_arrivals(np.repeat(rate[None, :, None], ahead, axis=2))[0, :, -1]
    return found


def _count_driven(
    snapshot: Snapshot, mine: pl.LazyFrame, policy: Policy, history: DrivenHistory
) -> int:
    promotions = nw.from_native(snapshot.frames["promotions"])
    events: pl.LazyFrame = compute_events(
        nw.from_native(mine), promotions, policy, IN_MEMORY
    ).to_native()
    known = events.filter(pl.col("first"), pl.col("day") <= history.data_date)
    return int(known.select(pl.col("person").n_unique()).collect().item())


def _name_pending(snapshot: Snapshot, pending: pl.DataFrame, chances: Floats) -> pl.DataFrame:
    people = snapshot.frames["people"].select("person", "person_id", "name")
    return (
        pending.select("person", "level", months=-pl.col("since").cast(pl.Int64))
        .with_columns(chance=pl.Series(chances.mean(axis=0), dtype=pl.Float64))
        .lazy()
        .join(people, on="person")
        .select("person_id", "name", "level", "months", "chance")
        .sort(["chance", "person_id"], descending=[True, False])
        .collect()
    )
