"""The forecast on its page, on the overview and on the command line: one figure everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl
from streamlit.testing.v1 import AppTest

from graph.driven.results import load_driven
from graph.forecast.landing import load_landing_forecast
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.shell import run_here
from tests.live.visiting import lead, text

Open = Callable[..., AppTest]


def test_the_page_the_overview_and_the_command_say_one_figure(
    network: Database, settings: Settings, app: Open
) -> None:
    snapshot = take_snapshot(network, settings)
    assert "expected" not in text(app("overview", lang="en"))
    forecast = load_landing_forecast(snapshot, Policy())
    nation = forecast.select_landing().filter(ledger="person_times").row(0, named=True)
    assert nation["counted"] == load_driven(snapshot, Policy()).national["driven_person_times"]
    shown = f"{nation['median']:,} person-times"
    assert shown in lead(app("forecast", lang="en"))
    assert shown in text(app("overview", lang="en"))
    province = forecast.select_landing("province").filter(ledger="person_times")
    first = province.sort("median", descending=True).row(0, named=True)
    page = app("forecast", lang="en", by="province", value=first["value"])
    assert f"{first['median']:,} person-times" in lead(page)
    persons = app("forecast", lang="zh", count="persons")
    assert "人" in lead(persons) and "预测构成" in text(persons)
    home = {"SHICHENG_HOME": str(settings.home)}
    done = run_here(["forecast", "--json", "--by", "province"], home)
    assert done.returncode == 0, done.stderr
    rows = pl.DataFrame(json.loads(done.stdout)["rows"], infer_schema_length=None)
    assert rows.filter(ledger="person_times")["median"].sum() > 0
    assert set(rows["value"]) == set(province["value"])


def test_a_page_without_a_forecast_says_what_is_missing(network: Database, app: Open) -> None:
    over = app("forecast", lang="en", window="2024-01-01:2025-12-31")
    assert lead(over) == "No forecast can be given."
    assert "nothing left to forecast" in text(over)
    undated = app("forecast", lang="zh", ordered="false")
    assert "暂无法给出预测" in lead(undated) and "按日期统计" in text(undated)


def test_pending_opens_to_its_people(network: Database, settings: Settings, app: Open) -> None:
    forecast = load_landing_forecast(take_snapshot(network, settings), Policy())
    waiting = forecast.waiting.collect()
    assert waiting.height == forecast.pending["persons"].sum() > 0
    opened = app("forecast", lang="en", people="pending")
    assert not opened.exception
    assert f"{waiting.height:,} persons, of whom" in text(opened)
    assert len(opened.dataframe[-1].value) == min(100, waiting.height)
    home = {"SHICHENG_HOME": str(settings.home)}
    done = run_here(["forecast", "--show", "people", "--page", "0", "--json"], home)
    rows = json.loads(done.stdout)["rows"]
    assert len(rows) == waiting.height, done.stderr
    province = waiting["province"].drop_nulls().mode()[0]
    here = ["--by", "province", "--value", province]
    some = run_here(["forecast", "--show", "people", *here, "--json"], home)
    assert {row["person_id"] for row in json.loads(some.stdout)["rows"]} < {
        row["person_id"] for row in rows
    }
    assert run_here(["forecast", "--show", "people", "--by", "all"], home).returncode == 2
    assert run_here(["forecast", "--value", "32"], home).returncode == 2


def test_a_talents_list_on_the_command_line(
    network: Database, settings: Settings, app: Open
) -> None:
    snapshot = take_snapshot(network, settings)
    best = load_driven(snapshot, Policy()).talents.sort("driven", descending=True)["talent_id"][0]
    home = {"SHICHENG_HOME": str(settings.home)}
    done = run_here(["forecast", "--talent", best, "--json"], home)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {"person_id", "name", "level", "months", "chance"} == set(rows[0])
    profile = text(app("talent", lang="en", id=best))
    assert "own list<" in profile and rows[0]["name"] in profile
    unknown = run_here(["forecast", "--talent", "nobody"], home)
    assert unknown.returncode == 2 and "no leading talent" in unknown.stderr
