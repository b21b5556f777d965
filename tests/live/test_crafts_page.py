"""The survival of crafts on its page: the rows of the clock, and one occupation."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from streamlit.testing.v1 import AppTest

from graph.forecast.extinction import compute_extinction, count_mentors_by_decade
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.visiting import lead, text


def test_the_page_shows_the_clock_and_one_craft(
    network: Database, settings: Settings, app: Callable[..., AppTest]
) -> None:
    snapshot, policy = take_snapshot(network, settings), Policy()
    clock = compute_extinction(snapshot, policy)
    at_risk = clock.filter(pl.col("probability_2035") >= 0.5).height
    test = app("crafts", lang="en")
    assert f"{at_risk:,} of {clock.height:,} occupations" in lead(test)
    assert len(test.dataframe[0].value) == min(clock.height, 500)
    most = clock.sort("mentors").row(-1, named=True)
    code, province = most["occupation_code"], most["province"]
    decades = count_mentors_by_decade(snapshot, policy, code, province)
    assert decades["mentors"].sum() == most["mentors"]
    opened = app("crafts", lang="zh", code=code, province=province)
    assert "师傅年龄分布" in text(opened) and f"{decades['decade'][0]} 年代" in text(opened)
