"""Supply and demand on a loaded network: the command and the page say what the function gives."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from graph.forecast.shortages import load_shortages, select_shortages, sum_gaps
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.shell import run_here
from tests.live.visiting import lead, text


def test_the_command_gives_the_rows_and_the_people(network: Database, settings: Settings) -> None:
    policy = Policy()
    found = load_shortages(take_snapshot(network, settings), policy)
    expected = select_shortages(found.rows, "occupation_group", "province", policy.as_of.year)
    home = {"SHICHENG_HOME": str(settings.home)}
    done = run_here(["shortages", "--json"], home)
    assert done.returncode == 0, done.stderr
    rows = pl.DataFrame(json.loads(done.stdout)["rows"], infer_schema_length=None)
    assert (
        rows.select("code", "province", "gap").rows()
        == expected.select("code", "province", "gap").rows()
    )
    assert expected["stock"].sum() > 0 and expected["rank"].min() == 1
    gaps = sum_gaps(found.rows, policy.as_of.year)
    assert gaps is not None and f"{gaps.missing:,} high-skilled people are missing" in done.stderr
    most = expected.sort("mentors").row(-1, named=True)
    place = ["--code", most["code"], "--province", most["province"]]
    people = run_here(["shortages", "--people", "mentors", *place, "--json"], home)
    assert len(json.loads(people.stdout)["rows"]) == most["mentors"], people.stderr
    done = run_here(["shortages", "--show", "backtest", "--json"], home)
    scores = pl.DataFrame(json.loads(done.stdout)["rows"], infer_schema_length=None)
    assert scores["outcomes"].to_list() == found.backtest.scores["outcomes"].to_list()
    for wrong in (["--year", "1999"], ["--people", "rising"], ["--area", "nation", *place[2:]]):
        assert run_here(["shortages", *wrong], home).returncode == 2


def test_small_groups_are_not_told_to_a_manager(
    network: Database,
    settings: Settings,
    app: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = {"SHICHENG_HOME": str(settings.home), "SHICHENG_ROLE": "manager"}
    done = run_here(["shortages", "--by", "occupation", "--json"], home)
    rows = pl.DataFrame(json.loads(done.stdout)["rows"], infer_schema_length=None)
    assert "not told to your role" in done.stderr
    assert not rows["stock"].is_in([1, 2]).any() and rows["stock"].null_count() > 0
    assert not rows["mentors"].is_in([1, 2]).any()
    done = run_here(["shortages", "--show", "outcomes", "--json"], home)
    assert done.returncode == 2 and "--show backtest" in done.stderr
    monkeypatch.setenv("SHICHENG_ROLE", "manager")
    place = (
        rows.filter(pl.col("mentors").is_null()).drop_nulls(["code", "province"]).row(0, named=True)
    )
    cell = {"code": place["code"], "province": place["province"]}
    test = app("shortages", lang="en", of="occupation", people="mentors", **cell)
    assert not test.exception and "are not told to your role" in text(test)
    # The people would give the figure away: the list of rows is all that is there.
    assert "are not listed for your role" in text(test) and len(test.dataframe) == 1
    asked = ["--people", "mentors", "--code", cell["code"], "--province", cell["province"]]
    done = run_here(["shortages", *asked, "--json"], home)
    assert json.loads(done.stdout)["rows"] == [] and "are not listed" in done.stderr


def test_the_page_opens_a_cell_to_its_people(
    network: Database, settings: Settings, app: Callable[..., AppTest]
) -> None:
    policy = Policy()
    found = load_shortages(take_snapshot(network, settings), policy)
    year = policy.as_of.year
    rows = select_shortages(found.rows, "occupation_group", "province", year)
    test = app("shortages", lang="en")
    gaps = sum_gaps(found.rows, year)
    assert gaps is not None and f"{gaps.missing:,} high-skilled people" in lead(test)
    assert (f"{gaps.surplus:,} more than needed" in lead(test)) == bool(gaps.surplus)
    assert len(test.dataframe[0].value) == min(rows.height, 500)
    assert "What past forecasts were worth" in text(test)
    assert found.backtest.outcomes.height and "Loss ratio" in text(test)
    most = rows.filter(pl.col("code").is_not_null()).sort("mentors").row(-1, named=True)
    cell = {"province": most["province"], "code": most["code"], "people": "mentors"}
    opened = app("shortages", lang="zh", **cell)
    assert "缺口" in lead(opened) and "补足缺口需" in text(opened)
    assert len(opened.dataframe[1].value) == most["mentors"]
    wait = rows.filter(pl.col("code").is_not_null()).sort("rising").row(-1, named=True)
    rising = app(
        "shortages", lang="en", province=wait["province"], code=wait["code"], people="rising"
    )
    assert all(chance.endswith("%") for chance in rising.dataframe[1].value["Chance"])
    later = app("shortages", lang="en", by_end=str(year + 2), of="occupation")
    assert "no positions open are stated" in lead(later)
    undated = app("shortages", lang="en", ordered="false")
    assert lead(undated) == "Supply and demand cannot be given."
