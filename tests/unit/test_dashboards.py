"""Dashboards: kept, shared by their address, and what parameters their queries share."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from graph.cypher.named_queries import load_queries, parse_own_query
from graph.errors import RefusedError, UsageError
from graph.programme.dashboards import (
    MAX_TILES,
    DashboardTile,
    collect_shared_parameters,
    find_dashboard,
    list_dashboards,
    remove_dashboard,
    save_dashboard,
    select_query_values,
)
from graph.programme.notebook import Notebook
from ui.queries import dashboard
from ui.shell import frame

TILES = [DashboardTile("loads", "table"), DashboardTile("demand_by_province", "chart")]


def test_a_dashboard_is_its_owners_and_opens_by_its_id(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path)
    first = save_dashboard(notebook, "an", title=" Supply ", tiles=TILES, figures=True)
    assert find_dashboard(notebook, first.id) == first and first.title == "Supply"
    assert list_dashboards(notebook, "an") == [first] and list_dashboards(notebook, "bo") == []
    with pytest.raises(RefusedError):
        save_dashboard(notebook, "bo", title="Mine", tiles=TILES, id=first.id)
    later = save_dashboard(notebook, "an", title="Supply", tiles=TILES[:1], id=first.id)
    assert list_dashboards(notebook, "an") == [later]
    assert remove_dashboard(notebook, "bo", first.id) == 0
    assert remove_dashboard(notebook, "an", first.id) == 2
    assert find_dashboard(notebook, first.id) is None


def test_what_a_dashboard_lacks_is_said(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path)
    for title, tiles in (("", TILES), ("a", []), ("a", TILES * MAX_TILES)):
        with pytest.raises(UsageError, match="A dashboard"):
            save_dashboard(notebook, "an", title=title, tiles=tiles)


def test_queries_share_parameters_of_one_name_and_type() -> None:
    library = load_queries()
    chosen = [library[n] for n in ("studios_by_output", "schools_by_output", "subsidies_by_kind")]
    shared = collect_shared_parameters(chosen)
    names = [parameter.name for parameter in shared]
    assert names == [
        "window_start",
        "window_end",
        "high_skilled_level",
        "province",
        "today",
        "year",
    ]
    values = {"province": "32", "year": 2024, "high_skilled_level": 5}
    assert select_query_values(chosen[1], shared, values) == {
        "province": "32",
        "high_skilled_level": 5,
    }
    assert select_query_values(chosen[2], shared, values) == {"year": 2024}


def test_a_tile_sums_no_shares_medians_or_people_counted_once_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[list[tuple[str, str]]] = []
    monkeypatch.setattr(frame, "draw_figures", drawn.append)
    monkeypatch.setattr(dashboard, "t", lambda text: text)
    library = load_queries()
    cases = {
        "mentorships_by_source": {"records": [10, 5], "undated": [1, 1], "dated_share": [0.9, 0.8]},
        "tenure_by_enterprise": {"people": [3, 4], "median_years": [2.5, 4.0]},
        "recognitions_by_level_and_year": {
            "year": [2024, 2025],
            "recognitions": [7, 8],
            "people": [6, 6],
        },
        # What is withheld would be missing in the sum.
        "subsidies_by_kind": {"recipients": [2, 9], "amount": [None, 2.5], "to_studios": [1.4, 2]},
    }
    for name, columns in cases.items():
        rows = pl.DataFrame(columns, strict=False)
        titles = {column: column for column in columns}
        dashboard._draw_tile_number(rows, titles, library[name].addable)
    rows_alone = [("number of rows", "2")]
    assert drawn == [rows_alone, rows_alone, [("recognitions", "15")], [("to_studios", "3")]]


def test_what_a_query_declares_addable_is_a_column_that_its_statement_returns() -> None:
    for query in load_queries().values():
        returned = query.text.rpartition("RETURN")[2]
        for name in query.addable:
            assert re.search(rf"\b{name}\b", returned), (query.name, name)
    own = parse_own_query("a", "", "// addable: n, m\nMATCH (p) RETURN count(p) AS n, 1 AS m")
    assert own.addable == {"n", "m"} and own.text.startswith("// addable")
