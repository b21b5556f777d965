"""The page of the data: what was refused, masked by role; what a second load changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.model.kinds import EXCHANGE_TABLES
from graph.server.database import Database
from graph.settings import Settings
from loaders import folder
from loaders.reports import LoadReport
from loaders.sync import load_records
from loaders.undoing import undo_finished_load
from tests.filling import filled
from tests.live.visiting import text
from ui.data import load_reports
from ui.shell.visitor import Visitor

MANAGER, STEWARD = Visitor("a", "manager"), Visitor("b", "steward", purpose="check")


@pytest.fixture(scope="module")
def dirty(
    database: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LoadReport, Path]]:
    """A store that holds a dirty network and nothing else; its report and its folder."""
    made = tmp_path_factory.mktemp("dirty") / "made"
    report = filled(database, settings, made, talents=10, workers=800, seed=7, dirt=0.05)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield report, made
    st.cache_resource.clear()


def test_a_load_keeps_its_report_and_refusals(
    dirty: tuple[LoadReport, Path], settings: Settings
) -> None:
    report, _ = dirty
    stored = load_reports.fetch_load_report(settings.home, report.load_id)
    assert stored is not None and stored["refused"] == report.refused > 0
    assert (settings.home / "rejects" / f"{report.load_id}.csv").stat().st_mode & 0o777 == 0o600
    unmasked = load_reports.fetch_findings(settings.home, report.load_id, STEWARD)
    assert unmasked.height == report.findings.height
    assert json.dumps(stored)


def test_peoples_own_cells_are_hidden_from_a_manager(
    dirty: tuple[LoadReport, Path], settings: Settings
) -> None:
    report, _ = dirty
    shown = load_reports.fetch_findings(settings.home, report.load_id, MANAGER)
    unmasked = load_reports.fetch_findings(settings.home, report.load_id, STEWARD)
    own = pl.col("column").is_in(list(load_reports.PERSONAL_HEADERS)) & (
        pl.col("value").fill_null("") != ""
    )
    assert unmasked.filter(own).height > 0
    assert set(shown.filter(own)["value"]) == {load_reports.MASKED_VALUE}
    assert shown.filter(~own).equals(unmasked.filter(~own))


def test_the_page_lists_each_refusal(
    dirty: tuple[LoadReport, Path], app: Callable[..., AppTest]
) -> None:
    report, _ = dirty
    page = app("data", lang="en", view="refused")
    assert not page.exception
    table = page.dataframe[0].value
    assert len(table) == min(report.findings.height, 1000)
    refused = int((table["Outcome"] == "refused").sum())
    assert refused == report.findings.filter(pl.col("kind") == "refused").height
    one = report.findings["file"][0]
    narrowed = app("data", lang="en", view="refused", file=one).dataframe[0].value
    assert len(narrowed) == report.findings.filter(pl.col("file") == one).height
    assert set(narrowed["File"]) == {one}


def test_coverage_counts_what_has_a_day(
    dirty: tuple[LoadReport, Path], database: Database, app: Callable[..., AppTest]
) -> None:
    page = app("data", lang="en", view="coverage")
    table = page.dataframe[0].value.set_index("Item")
    known = database.read(
        "MATCH ()-[m:MENTORS]->() RETURN count(m.start) AS known, count(m) AS whole"
    )[0]
    row = table.loc["mentorships with a start"]
    assert (row["Known"], row["In all"]) == (known["known"], known["whole"])


def test_claims_open_to_their_findings(
    dirty: tuple[LoadReport, Path], app: Callable[..., AppTest]
) -> None:
    page = app("data", lang="en", view="claims")
    assert not page.exception
    kinds = page.dataframe[0].value
    found = kinds[kinds.iloc[:, 0] == "two promotions too close together"]
    opened = app("data", lang="en", view="claims", kind="too_close")
    assert len(opened.dataframe[1].value) == int(found["findings"].iloc[0]) > 0


def test_what_a_second_load_changed_adds_up(
    dirty: tuple[LoadReport, Path],
    database: Database,
    settings: Settings,
    app: Callable[..., AppTest],
) -> None:
    from ui.shell import graph_state

    _, made = dirty
    assert "Only one revision is kept" in text(app("data", lang="en", view="restated"))
    taught = pl.read_csv(made / "mentorships.csv", infer_schema=False, encoding="utf8-lossy")
    fewer = made.parent / "fewer"
    fewer.mkdir()
    taught.head(taught.height // 2).write_csv(fewer / "mentorships.csv")
    tables = folder.get([fewer], source="made")
    load_records(
        database,
        "folder",
        tables,
        home=settings.home,
        complete=True,
        agreed=True,
        withdrawn=[*EXCHANGE_TABLES],
    )
    graph_state.fetch_snapshot()
    page = app("data", lang="en", view="restated")
    page.button(key="begin_restated").click().run()
    for _ in range(200):
        if page.dataframe:
            break
        page.run()
    national = page.dataframe[0].value.set_index("Figure")
    causes = page.dataframe[1].value
    assert national.loc["Driven persons", "Difference"] < 0
    assert int(causes["driven_persons"].sum()) == national.loc["Driven persons", "Difference"]


def test_an_undone_load_is_listed_as_such_and_its_rows_do_not_count(
    dirty: tuple[LoadReport, Path],
    database: Database,
    settings: Settings,
    app: Callable[..., AppTest],
) -> None:
    report, _ = dirty
    newest = load_reports.fetch_loads()[0]
    before = text(app("data", lang="en"))
    undo_finished_load(database, newest.load_id, "clerk")
    st.cache_resource.clear()
    page = app("data", lang="en")
    listed = page.dataframe[0].value.set_index("Revision")["Undone"]
    undoing, undone = load_reports.fetch_loads()[:2]
    assert listed[undoing.revision] == f"undoes revision {undone.revision}"
    assert listed[undone.revision].endswith("by clerk")
    assert text(page) != before
    counting = [load for load in load_reports.fetch_loads() if load.counts]
    assert sum(load.rows_read or 0 for load in counting) == report.read
