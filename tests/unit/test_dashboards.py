"""Dashboards: kept, shared by their address, and what parameters their queries share."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.cypher.named_queries import load_queries
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
    assert names == ["window_start", "window_end", "high_skilled_level", "province", "year"]
    values = {"province": "32", "year": 2024, "high_skilled_level": 5}
    assert select_query_values(chosen[1], shared, values) == {
        "province": "32",
        "high_skilled_level": 5,
    }
    assert select_query_values(chosen[2], shared, values) == {"year": 2024}
