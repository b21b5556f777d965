"""A result as a chart, as a network and as a plan: what is drawn of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import altair as alt
import polars as pl
import pytest

from graph.cypher.named_queries import Table
from graph.cypher.plans import StatementPlan, find_error_place, read_plan
from graph.errors import RefusedError, UsageError
from ui.queries.plan import format_caret_lines, place_operators
from ui.queries.result_chart import (
    CHART_MARKS,
    ONE_COLOUR,
    ROW_COUNT,
    ChartChoice,
    build_result_chart,
    list_colour_columns,
    suggest_chart,
)
from ui.queries.result_network import (
    MAX_DRAWN_NODES,
    ResultNetwork,
    build_network_chart,
    extract_network,
    place_nodes,
)
from ui.shell.theme import TOKENS_BY_MODE

ROWS = pl.DataFrame(
    {
        "a.b[c]": ["甲", "乙", "甲", None],
        "n": [1, 2, 3, 4],
        "day": [dt.date(2024, 1, n) for n in (1, 2, 3, 4)],
        "of": ["x", "x", "y", "y"],
    }
)
TITLES = {name: name for name in ROWS.columns} | {ROW_COUNT: "rows"}
THEME = TOKENS_BY_MODE["light"]


def checked(spec: dict[str, Any]) -> pl.DataFrame:
    """The first table of a chart that Vega-Lite takes."""
    tables = spec.pop("datasets")
    alt.LayerChart.from_dict(spec) if "layer" in spec else alt.Chart.from_dict(spec)
    return next(iter(tables.values()))


@pytest.mark.parametrize("mark", CHART_MARKS)
@pytest.mark.parametrize("x", ["a.b[c]", "day", "n"])
@pytest.mark.parametrize(("y", "colour"), [("n", ONE_COLOUR), (ROW_COUNT, "of")])
def test_a_chart_of_any_columns(mark: Any, x: str, y: str, colour: str) -> None:
    table = checked(build_result_chart(ROWS, ChartChoice(x, y, colour, mark), TITLES, THEME))
    assert table["y"].sum() == (10 if y == "n" else 4)
    if (mark, x, colour) == ("bar", "a.b[c]", ONE_COLOUR):
        assert table.rows() == [("甲", "", 4), ("乙", "", 2), (None, "", 4)]


def test_a_chart_is_suggested() -> None:
    assert suggest_chart(ROWS) == ChartChoice("day", "n", ONE_COLOUR, "line")
    assert suggest_chart(ROWS.select("of")) == ChartChoice("of", ROW_COUNT, ONE_COLOUR, "bar")
    assert list_colour_columns(ROWS) == ["a.b[c]", "n", "day", "of"]


def node(id: str, label: str = "Person") -> dict[str, Any]:
    return {"labels": [label], "id": id, "properties": {"name": f"name of {id}"}}


def tie(start: str, end: str) -> dict[str, Any]:
    return {"type": "MENTORS", "start": start, "end": end, "properties": {}}


def test_a_network_is_found_in_nodes_paths_and_columns() -> None:
    path = [node("a"), tie("a", "b"), node("b"), tie("b", "c"), node("c")]
    found = extract_network(Table(("p", "n", "m"), [[path, 1, {"x": 1}], [[], None, node("d")]]))
    assert list(found.nodes) == ["a", "b", "c", "d"] and found.nodes["a"][0] == "name of a"
    assert found.links == {("a", "b", "MENTORS"), ("b", "c", "MENTORS")}
    places = place_nodes(found)
    assert [places[id][0] for id in "abcd"] == [0, 1, 2, 0]
    checked(build_network_chart(found, THEME))
    columns = Table(("mentor_id", "mentor", "person_id", "name"), [["a", "甲", "b", None]])
    named = extract_network(columns)
    assert named.nodes == {"a": ("甲", ""), "b": ("b", "")} and named.links == {("a", "b", "")}
    assert not extract_network(Table(("x",), [[1], ["a"]])).nodes


def test_a_circle_and_a_large_network_are_drawn_too() -> None:
    circle = ResultNetwork({id: (id, "") for id in "ab"}, {("a", "b", ""), ("b", "a", "")})
    assert place_nodes(circle) == place_nodes(circle)
    large = ResultNetwork({str(n): (str(n), "") for n in range(500)})
    assert large.is_cut and len(place_nodes(large)) == MAX_DRAWN_NODES
    checked(build_network_chart(large, THEME))


PLAN = {
    "operatorType": "ProduceResults@neo4j",
    "args": {"EstimatedRows": 3.0, "Details": "n"},
    "rows": 2,
    "dbHits": 0,
    "children": [
        {
            "operatorType": "CartesianProduct@neo4j",
            "args": {"EstimatedRows": 3.0},
            "rows": 2,
            "dbHits": 6,
            "children": [
                {"operatorType": "NodeByLabelScan@neo4j", "args": {"Details": "a  " * 200}},
                {"operatorType": "Argument@neo4j", "args": {}},
            ],
        }
    ],
}


def test_a_plan_is_a_tree_above_what_it_reads_from() -> None:
    plan = StatementPlan("profile", read_plan(PLAN), ())
    assert plan.db_hits == 6 and [one.name for one in plan.operators if one.is_costly] == [
        "CartesianProduct"
    ]
    assert plan.operators[2].rows is None and plan.operators[2].details.endswith("...")
    top, product, left, right = place_operators(plan.root)
    assert top.x == product.x == (left.x + right.x) / 2 and top.y < product.y < left.y == right.y


def test_an_error_has_its_place() -> None:
    error = UsageError("{line} {column}", line=2, column="5")
    place = find_error_place(error, "MATCH (n)\nRETRN n")
    assert place is not None and format_caret_lines(place) == ("RETRN n", "    ^")
    assert find_error_place(error, "one line") is None
    assert find_error_place(RefusedError("no"), "one line") is None
