"""The tables of talents and places, and the ties, on a real store without a browser."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.metrics.cached_tables import has_cached_metric_table, load_metric_table
from graph.metrics.places import find_reached_people
from graph.metrics.registry import METRICS
from graph.policy import Policy
from graph.programme import place_ties
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot
from tests.live.visiting import go, lead, text
from ui.controls import table_columns
from ui.places import table as place_table
from ui.shell import address
from ui.talents import table as talent_table


@pytest.fixture
def snapshot(network: Database, settings: Settings) -> Snapshot:
    return take_snapshot(network, settings)


def test_a_selection_in_the_address_is_held_together(snapshot: Snapshot, app: Any) -> None:
    found = measure_driven(snapshot, Policy())
    chosen = found.talents.sort("driven", descending=True)["talent_id"].head(3).to_list()
    test = app("talents", lang="en", sel=",".join(chosen))
    union = found.union(chosen)
    assert f"The 3 selected drive {union:,} people together" in lead(test)
    assert f"<b>{union:,}</b>" in text(test)
    total = int(found.talents.filter(pl.col("talent_id").is_in(chosen))["driven"].sum())
    assert f"{total:,} people" in text(test)
    assert test.query_params["sel"] == ",".join(chosen)


def test_someone_unknown_in_the_address_is_left_out(network: Database, app: Any) -> None:
    test = app("talents", lang="en", sel="nobody", cols="name,level", sort="x", view="y")
    assert lead(test).startswith("Together, 12 leading talents")


def test_a_control_shows_what_the_address_says(network: Database, app: Any) -> None:
    test = app("talents", lang="en")

    def view() -> Any:
        return test.button_group(key="talents_view").value

    test.button_group(key="talents_view").set_value("groups").run()
    assert view() == "groups" and test.query_params["view"] == "groups"
    go(test, "overview", lang="en")
    go(test, "talents", lang="en")
    assert view() == "table" and "view" not in test.query_params
    # Links that lead to other addresses of the page one is on.
    go(test, "talents", lang="en", view="distribution", level="6-8")
    assert view() == "distribution" and test.selectbox(key="talents_level_en").value == "6-8"
    go(test, "talents", lang="en")
    assert view() == "table" and test.selectbox(key="talents_level_en").value is None


def test_a_choice_stands_until_the_browser_has_its_address(
    network: Database, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that takes; the way back counts at once."""
    test = app("talents", lang="en")
    test.button_group(key="talents_view").set_value("groups").run()
    del test.query_params["view"]
    test.button_group(key="talents_credit").set_value("equal").run()
    assert (test.query_params["view"], test.query_params["credit"]) == ("groups", "equal")
    with monkeypatch.context() as back:
        back.setattr(address, "is_history_run", lambda: True)
        del test.query_params["credit"]
        test.run()
    assert test.query_params["view"] == "groups" and "credit" not in test.query_params
    test.selectbox(key="talents_level_en").set_value("6-8").run()
    test.button(key="talents_clear").click().run()
    assert test.selectbox(key="talents_level_en").value is None and "level" not in test.query_params


def test_no_column_chosen_is_not_the_columns_asked_for(network: Database, app: Any) -> None:
    test = app("talents", lang="en", cols="name,driven")
    assert list(test.dataframe[0].value.columns) == ["name", "driven"]
    test.multiselect(key="talents_cols_en").set_value([]).run()
    assert test.multiselect(key="talents_cols_en").value == []
    assert list(test.dataframe[0].value.columns) == list(talent_table.DEFAULT_COLUMNS)


def test_another_kind_of_place_leaves_the_filters_of_the_last(snapshot: Snapshot, app: Any) -> None:
    test = app("places", lang="en", kind_of_place="enterprise", frontline="below", sort="name")
    test.button_group(key="places_kind_of_place").set_value("school").run()
    assert lead(test) and test.query_params["kind_of_place"] == "school"
    assert not {"frontline", "sort"} & set(test.query_params)


@pytest.mark.parametrize("view", ["distribution", "smalls", "groups"])
@pytest.mark.parametrize("by", ["province", "basis", "occupation_code", "enterprise_id"])
def test_every_view_of_the_talents(view: str, by: str, network: Database, app: Any) -> None:
    test = app("talents", lang="zh", view=view, by=by)
    assert lead(test) and "sc-note" not in text(test).split("</style>")[-1]
    assert test.query_params["view"] == view


def test_every_column_is_there_and_goes_into_the_export(
    snapshot: Snapshot, app: Any, settings: Settings
) -> None:
    names = list(talent_table.build_talent_columns())
    test = app("talents", lang="en", cols=",".join(names))
    assert lead(test) and "sc-note" not in text(test).split("</style>")[-1]
    shown = test.dataframe[0].value
    assert list(shown.columns) == names and len(shown) == 12
    expected = dict(
        METRICS["irreplaceable"]
        .table(snapshot, Policy())
        .filter(pl.col("kind") == "person")
        .select("id", "irreplaceable")
        .rows()
    )
    ids = measure_driven(snapshot, Policy()).talents.select("name", "talent_id")
    by_name = {n: expected.get(i, 0) for n, i in ids.rows()}
    # Beside the name stands the pinyin.
    said = {r["name"].split()[0]: r["irreplaceable"] for _, r in shown.iterrows()}
    assert said == by_name


def test_a_metric_is_worked_out_once_and_kept(snapshot: Snapshot) -> None:
    policy = Policy(generations=2)
    assert not has_cached_metric_table(snapshot, policy, "irreplaceable")
    first = load_metric_table(snapshot, policy, "irreplaceable")
    assert has_cached_metric_table(snapshot, policy, "irreplaceable")
    assert load_metric_table(snapshot, policy, "irreplaceable").equals(first)
    assert not has_cached_metric_table(snapshot, Policy(generations=1), "irreplaceable")
    talents = set(measure_driven(snapshot, policy).talents["talent_id"])
    persons = set(first.filter(pl.col("kind") == "person")["id"])
    assert persons <= talents


@pytest.mark.parametrize("kind", place_table.PLACE_KINDS)
def test_a_places_reach_is_what_its_metric_counts(kind: str, snapshot: Snapshot) -> None:
    rows = METRICS[place_table.METRIC_BY_PLACE_KIND[kind]].table(snapshot, Policy())
    output = place_table.OUTPUT_COLUMN_BY_KIND[kind]
    expected = {i: n for i, n in rows.select(f"{kind}_id", output).rows() if n}
    found = find_reached_people(snapshot, Policy(), of=kind)
    assert dict(found.group_by("place_id").len().rows()) == expected and expected


@pytest.mark.parametrize("kind", place_table.PLACE_KINDS)
def test_places_by_their_kind(kind: str, snapshot: Snapshot, app: Any) -> None:
    found = find_reached_people(snapshot, Policy(), of=kind)
    places = found.group_by("place_id").len().sort("len", "place_id", descending=True)
    chosen = places["place_id"].head(2).to_list()
    test = app("places", lang="en", kind_of_place=kind, sel=",".join(chosen))
    union = found.filter(pl.col("place_id").is_in(chosen))["person"].n_unique()
    assert f"{union:,} people together" in lead(test)
    alone = app("places", lang="en", id=chosen[0])
    assert kind == "studio" or alone.query_params["kind_of_place"] == kind
    assert place_table.find_place_kind(chosen[0]) == kind
    assert "sc-wide" in text(alone)


def test_an_enterprise_below_its_share_is_flagged(snapshot: Snapshot, app: Any) -> None:
    rows = METRICS["enterprises"].table(snapshot, Policy())
    below = rows.filter(pl.col("meets_frontline") == False)  # noqa: E712
    test = app("places", lang="en", kind_of_place="enterprise", frontline="below")
    assert len(test.dataframe[0].value) == below.height
    assert f"{below.height} of {below.height} that state it" in lead(test)


@pytest.mark.parametrize("kind", list(place_ties.TIE_ENDS))
def test_a_tie_leads_to_as_many_as_it_counts(kind: str, snapshot: Snapshot, app: Any) -> None:
    rows = place_ties.compute_ties(snapshot, kind)
    counts = rows.group_by("a", "b").len().sort("len", "a", "b", descending=[True, False, False])
    a, b, n = counts.row(0)
    test = app("ties", lang="en", kind=kind, tie=f"{a},{b}")
    assert len(test.dataframe[0].value) == n
    assert f"<b>{rows.height:,}</b>" in text(test) or f"<b>{rows.height}</b>" in text(test)
    period = app("ties", lang="en", kind=kind, **{"from": "1950", "to": "1951"})
    assert "No connection matches these filters" in text(period)


def test_ties_between_two_of_one_kind_are_what_they_share(snapshot: Snapshot, app: Any) -> None:
    pairs = (
        place_ties.compute_ties(snapshot, "studio_enterprise")
        .group_by("a", "b")
        .agg(n=pl.len().cast(pl.Int64))
    )
    made = place_ties.project_ties(pairs, "second", 300)
    a, b, n = made.row(0)
    of = {e: set(pairs.filter(pl.col("b") == e)["a"]) for e in (a, b)}
    assert n == len(of[a] & of[b]) == place_ties.list_shared_places(pairs, "second", a, b).height
    test = app("ties", lang="en", onto="second", tie=f"{a},{b}", view="graph")
    assert len(test.dataframe[0].value) == n


def test_graphml_holds_the_ties_shown(network: Database) -> None:
    import networkx as nx

    from graph.tabular import About
    from ui.ties.page import encode_ties_graphml

    pairs = pl.DataFrame({"a": ["S1", "S1", "S2"], "b": ["E1", "E2", "E1"], "n": [3, 1, 2]})
    shown = place_ties.build_tie_network(pairs)
    graph = nx.read_graphml(
        io.BytesIO(encode_ties_graphml(shown, {"S1": "<one>"}, About(revision=1)))
    )
    assert {(a, b): d["weight"] for a, b, d in graph.edges(data=True)} == {
        ("S1", "E1"): 3,
        ("S1", "E2"): 1,
        ("S2", "E1"): 2,
    }
    assert graph.nodes["S1"]["name"] == "<one>" and graph.graph["revision"] == "1"


def test_exported_columns_are_those_shown() -> None:
    rows = pl.DataFrame({"id": ["x"], "n": [3], "bins": [[1, 2]], "share": [0.123456789]})
    known = {
        "n": table_columns.TableColumn("N", ""),
        "bins": table_columns.TableColumn("B", "", "bars"),
        "share": table_columns.TableColumn("S", "", "share"),
    }
    table = table_columns.select_export_columns(rows, known, {"id": "Number"})
    assert table.rows(named=True) == [{"Number": "x", "N": 3, "B 1": 1, "B 2": 2, "S": 0.123457}]
