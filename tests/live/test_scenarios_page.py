"""Scenarios as a shell and as a visitor see them, on a loaded network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from cli.main import cli
from graph.driven.results import load_driven
from graph.errors import UsageError
from graph.policy import Policy
from graph.programme.notebook import Notebook
from graph.scenario.changes import Change, Scenario
from graph.scenario.comparison import (
    HEADLINE_FIGURES,
    SUCCESSION_FIGURES,
    ScenarioComparison,
    compare_scenario,
    find_succession_day,
)
from graph.scenario.landing_change import LandingChange
from graph.scenario.storage import delete_scenario, list_saved_scenarios, save_scenario
from graph.scenario.stored_comparison import has_comparison, load_comparison
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot
from loaders.erasure.erasure_order import PersonTerms
from loaders.erasure.person_traces import erase_notebook_entries
from loaders.erasure.term_matcher import TermMatcher
from tests.filling import fill_unless_filled
from tests.live.visiting import lead, text

POLICY = Policy(as_of=date(2025, 12, 31))
AS_OF = ("--as-of", "2025-12-31")


@pytest.fixture
def snapshot(database: Database, settings: Settings, tmp_path: Path) -> Snapshot:
    fill_unless_filled(database, settings, tmp_path / "made", talents=20, workers=4_000, seed=2026)
    return take_snapshot(database, settings)


def run(settings: Settings, *arguments: object) -> str:
    done = CliRunner().invoke(cli, ["--home", str(settings.home), *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def find_best(snapshot: Snapshot, most: int) -> list[str]:
    best = load_driven(snapshot, POLICY).talents.sort("driven", "talent_id", descending=True)
    return best["talent_id"].head(most).to_list()


def test_the_command_compares_saves_lists_exports_and_deletes(
    snapshot: Snapshot, settings: Settings, tmp_path: Path
) -> None:
    three = find_best(snapshot, 3)
    leaving = [word for id in three for word in ("--leave", id)]
    asked = ("scenario", "compare", *leaving, "--on", "2025-01", *AS_OF)
    rows = json.loads(run(settings, *asked, "--json"))["rows"]
    figures = {row["figure"]: row for row in rows}
    assert {*HEADLINE_FIGURES, *SUCCESSION_FIGURES} <= figures.keys()
    driven = load_driven(snapshot, POLICY)
    assert figures["driven_persons"]["before"] == driven.national["driven_persons"]
    assert all(row["after"] - row["before"] == row["difference"] for row in rows)
    assert figures["sum_over_talents"]["difference"] < 0
    moved = json.loads(run(settings, *asked, "--show", "talents", "--json"))["rows"]
    assert {row["talent_id"] for row in moved} & set(three)
    parts = json.loads(run(settings, *asked, "--show", "landing_parts", "--json"))["rows"]
    assert [row["part"] for row in parts] == ["counted", "pending", "ceased", "pace"]
    # Nothing is drawn of what is known on the as-of day; the window's figures go on after it.
    assert parts[0]["median"] == parts[0]["low_80"] < 0
    assert parts[2]["median"] <= 0 and parts[3]["median"] == 0
    table = tmp_path / "three.csv"
    table.write_text("change,on,person_id\n" + "".join(f"离任,2025-01-31,{id}\n" for id in three))
    assert json.loads(run(settings, "scenario", "compare", table, *AS_OF, "--json"))["rows"] == rows
    run(settings, "scenario", "save", table, "--name", "三人离任")
    saved = json.loads(run(settings, "scenario", "list", "--json"))["scenarios"]
    assert [(one["name"], one["changes"]) for one in saved] == [("三人离任", 3)]
    run(settings, "scenario", "export", "三人离任", tmp_path / "three.json")
    again = run(settings, "scenario", "compare", tmp_path / "three.json", *AS_OF, "--json")
    assert json.loads(again)["rows"] == rows
    run(settings, "scenario", "delete", saved[0]["id"])
    assert json.loads(run(settings, "scenario", "list", "--json"))["scenarios"] == []


def test_what_is_wrong_is_named_by_file_row_and_column(
    snapshot: Snapshot, settings: Settings, tmp_path: Path
) -> None:
    person = find_best(snapshot, 1)[0]
    table = tmp_path / "wrong.csv"
    for rows, reason in (
        (f"leave,soon,{person},", "wrong.csv.*Change 2, column on: 'soon' is no day"),
        (f"fly,2025-01-31,{person},", "Change 2, column change: 'fly' is none of leave"),
        ("leave,2025-01-31,,", "Change 2, column person_id: nothing is written"),
        ("leave,2025-01-31,nobody,", "Change 1, column person_id: nobody has the id nobody"),
        (f"close_studio,2025-01-31,,S?{person}", "column studio_id: no studio has the id"),
        (
            f"leave,2025-01-31,{person},\nopen_studio,2025-03-01,{person},S-new",
            "Change 2, column on: .* has left by then",
        ),
    ):
        table.write_text(f"change,on,person_id,studio_id\n{rows}\n")
        with pytest.raises(UsageError, match=reason):
            run(settings, "scenario", "compare", table)
    table.write_text(
        "change,on,person_id,attribute,value,factor\n"
        f"leave,2025-01-31,{person},,,\nchange_hazard,,,industry,nonsense,2\n"
        "change_hazard,,,occupation_group,9-99,2\n"
    )
    with pytest.raises(UsageError, match="Change 2, column value: nobody belongs to 'nonsense'"):
        run(settings, "scenario", "compare", table)
    stated = tmp_path / "wrong.json"
    for policy, reason in (
        ({"generation": 1}, "'generation', which is no field"),
        ({"generations": 0}, "generations is 0"),
        ({"window": 3}, "cannot be read"),
    ):
        stated.write_text(json.dumps({"name": "x", "changes": [], "policy": policy}))
        with pytest.raises(UsageError, match=reason):
            run(settings, "scenario", "compare", stated)
    for wrong in ((), ("--leave", person), ("never saved",)):
        with pytest.raises(UsageError):
            run(settings, "scenario", "compare", *wrong)


def test_a_pace_moves_the_forecast_alone_and_a_policy_counts_otherwise(snapshot: Snapshot) -> None:
    province = str(snapshot.frames["people"].select(pl.col("province").mode()).collect()[0, 0])
    change = Change("change_hazard", attribute="province", value=province, factor=2.0)
    found = compare_scenario(snapshot, POLICY, Scenario("快一倍", (change,)))
    assert found.headline["difference"].abs().sum() == 0 and found.talents.is_empty()
    assert found.landing is not None
    gained = found.landing.summarize()
    assert gained["median"][0] > 0 and set(gained["province"]) == {"nation", province}
    stopped = Change("change_hazard", attribute="province", value=province, factor=0.0)
    lost = compare_scenario(snapshot, POLICY, Scenario("停", (stopped,))).landing
    assert lost is not None and lost.summarize()["median"][0] < 0
    other = compare_scenario(snapshot, POLICY, Scenario("一代", policy={"generations": 1}))
    one = load_driven(snapshot, Policy(as_of=POLICY.as_of, generations=1))
    assert other.headline["after"][0] == one.national["driven_persons"]
    assert other.landing is None and "another policy" in str(other.no_landing)


def test_who_leaves_is_known_by_a_further_id_too(snapshot: Snapshot) -> None:
    (person,) = find_best(snapshot, 1)
    number = snapshot.frames["people"].filter(pl.col("person_id") == person).select("person")
    alias = pl.DataFrame({"alias_id": ["另一编号"], "person": number.collect()["person"]})
    known = replace(snapshot, frames={**snapshot.frames, "aliases": alias.lazy()})
    day = date(2025, 1, 31)
    by_alias, by_id = (
        compare_scenario(known, POLICY, Scenario("离任", (Change("leave", day, id),)))
        for id in ("另一编号", person)
    )
    assert by_alias.last_days == by_id.last_days == {person: day}
    assert by_alias.table().equals(by_id.table())
    assert by_alias.landing and by_id.landing
    assert by_alias.landing.parts.equals(by_id.landing.parts)


def test_scenarios_beside_each_other_have_one_now(
    snapshot: Snapshot, settings: Settings, app: Callable[..., AppTest]
) -> None:
    """Mentors retire between the days after their last changes."""
    one, other = find_best(snapshot, 2)
    scenarios = [
        Scenario("甲", (Change("leave", date(2026, 12, 31), one),)),
        Scenario("乙", (Change("leave", date(2031, 6, 30), other),)),
    ]
    notebook = Notebook(settings.home)
    for scenario in scenarios:
        save_scenario(notebook, "me", scenario)
    alone = [compare_scenario(snapshot, POLICY, scenario).succession for scenario in scenarios]
    assert not alone[0]["before"].equals(alone[1]["before"])
    day = find_succession_day(POLICY, scenarios)
    assert day == date(2031, 7, 1)
    test = app(
        "scenarios", lang="en", as_of="2025-12-31", scenario=",".join(each.id for each in scenarios)
    )
    shown = text(test)
    assert f"Succession is as of {day}" in shown
    figures = [
        load_comparison(snapshot, POLICY, each, succession_day=day).table() for each in scenarios
    ]
    assert figures[0]["before"].equals(figures[1]["before"])
    assert all(has_comparison(snapshot, POLICY, each, succession_day=day) for each in scenarios)
    for each in scenarios:
        assert delete_scenario(notebook, "me", each.id)


def check_same_comparison(stored: ScenarioComparison, computed: ScenarioComparison) -> None:
    """What was stored, and read again, is what was computed."""
    for one in fields(ScenarioComparison):
        before, after = (getattr(side, one.name) for side in (computed, stored))
        if isinstance(before, pl.DataFrame):
            assert before.equals(after) and before.schema == after.schema
        elif isinstance(before, LandingChange):
            assert before.summarize().equals(after.summarize())
            assert before.parts.equals(after.parts) and before.data_date == after.data_date
        else:
            assert before == after, one.name


def test_a_stored_comparison_says_why_it_has_no_forecast(snapshot: Snapshot) -> None:
    other = Scenario("一代", policy={"generations": 1})
    found = load_comparison(snapshot, POLICY, other)
    assert found.landing is None and found.no_landing is not None
    assert "counts by another policy" in str(found.no_landing)


def test_the_page_answers_what_if_these_three_leave(
    snapshot: Snapshot, settings: Settings, app: Callable[..., AppTest]
) -> None:
    three = find_best(snapshot, 3)
    scenario = Scenario("离任", tuple(Change("leave", date(2025, 1, 31), id) for id in three))
    test = app("scenarios", lang="en", as_of="2025-12-31", on="2025-01-31", **{"with": three})
    expected = compare_scenario(snapshot, POLICY, scenario)
    check_same_comparison(load_comparison(snapshot, POLICY, scenario), expected)
    assert has_comparison(snapshot, POLICY, scenario.renamed("又名"))
    assert not has_comparison(snapshot, POLICY, scenario, steward=True)
    assert "This scenario" in lead(test)
    lost = int((expected.lost_mentors["mentors_after"] == 0).sum())
    assert (f"{lost} occupations lose their last mentor" in lead(test)) == (lost > 0)
    assert "persons driven so far" in lead(test) and "against the forecast" in lead(test)
    shown = text(test)
    assert "Leading talents whose figures change" in shown
    assert "What depends on those who leave" in shown
    assert f"id={expected.talents['talent_id'][0]}" in shown
    test.text_input(key="scenario_name").set_value("三人离任").run()
    test.button(key="scenario_save_button").click().run()
    assert test.query_params["scenario"] == scenario.id
    assert "三人离任" in lead(test)
    notebook = Notebook(settings.home)
    assert [one.scenario.id for one in list_saved_scenarios(notebook)] == [scenario.id]
    again = app("scenarios", lang="zh", as_of="2025-12-31", scenario=scenario.id)
    assert "三人离任" in lead(again) and "迄今带动人数变化" in lead(again)
    # Whoever is erased takes along what was said about him or her.
    matcher = TermMatcher(PersonTerms((three[0],)))
    assert erase_notebook_entries(settings.home, matcher) == 1
    assert list_saved_scenarios(notebook) == []
    assert "What if" in lead(app("scenarios", lang="en"))
