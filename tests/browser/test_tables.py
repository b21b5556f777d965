"""The table of talents: what is filtered and picked, its link reopened, its exports."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import streamlit as st

from graph.driven.figures import measure_driven
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.browser.seeing import WAIT, at_rest
from ui.controls import decisions
from ui.words.i18n import override_language

Open = Callable[..., Any]


def path_of(page: Any) -> str:
    """The page's address without the host, as `show` takes it."""
    return str(page.url.split("/", 3)[3])


def grid(page: Any) -> dict[str, float]:
    """Where the first table stands on the page."""
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.wait_for(timeout=WAIT)
    at_rest(page)
    return dict(table.bounding_box())


def downloaded(page: Any, name: str) -> Path:
    buttons = page.get_by_role("button", name=re.compile(name))
    with page.expect_download(timeout=WAIT) as download:
        buttons.first.click()
    return Path(download.value.path())


def test_filter_and_selection_reopen_from_the_link_and_are_exported(
    show: Open, network: Database, settings: Settings
) -> None:
    found = measure_driven(take_snapshot(network, settings), Policy())
    page = show("talents?level=4-5&sort=driven", "en")
    place = grid(page)
    for row in (0, 1):
        page.mouse.click(place["x"] + 18, place["y"] + 38 * (row + 1) + 19)
        at_rest(page)
    page.locator(".sc-lead", has_text="The 2 selected").wait_for(timeout=WAIT)
    chosen = re.search(r"sel=([^&]+)", page.url.replace("%2C", ","))
    assert chosen
    ids = chosen[1].split(",")
    union = found.union(ids)
    assert len(ids) == 2 and f"{union:,} people" in page.locator(".sc-lead").inner_text()
    again = show(path_of(page), "en")
    assert again.locator(".sc-lead").inner_text() == page.locator(".sc-lead").inner_text()
    assert again.locator(".sc-upset").inner_text() == page.locator(".sc-upset").inner_text()
    people = pl.read_csv(downloaded(again, "Export the list"))
    assert set(people["Person number"]) == set(found.workers_of(*ids)["person_id"])
    rows = pl.read_csv(downloaded(again, "Download .* rows, CSV"))
    shown = re.search(r"of ([\d,]+)\. Ranks", again.locator("body").inner_text())
    assert shown and rows.height == int(shown[1].replace(",", ""))
    assert rows["Level"].is_between(4, 5).all()
    driven = rows["Driven (persons)"]
    assert driven.to_list() == sorted(driven, reverse=True)


def header(page: Any, x: float) -> None:
    """A click on the head of the column that stands at x px of the first table."""
    place = grid(page)
    page.mouse.click(place["x"] + x, place["y"] + 19)


def test_a_header_of_the_places_sorts_and_opens_nothing(show: Open) -> None:
    page = show("places", "en")
    header(page, 150)
    page.wait_for_url(re.compile("sort=name"), timeout=WAIT)
    at_rest(page)
    assert "id=" not in page.url and "order=" not in page.url
    header(page, 150)
    page.wait_for_url(re.compile("order=desc"), timeout=WAIT)
    assert "id=" not in at_rest(page).url
    rows = pl.read_csv(downloaded(page, "Download .* rows, CSV"))
    assert rows["Place"].to_list() == sorted(rows["Place"], reverse=True)


@pytest.mark.parametrize("address", ["people?generation=1", "talents?view=groups"])
def test_a_header_of_a_list_opens_nobody(address: str, show: Open) -> None:
    page = show(address, "en")
    before = page.url
    table = page.locator("[data-testid=stDataFrame] canvas table").first
    orders = []
    for _ in range(3):  # up, down, and as the page sorts
        header(page, 20)  # further right is the menu of a narrow column
        assert at_rest(page).url == before
        orders.append(table.locator("tbody").text_content())
    assert len(set(orders)) > 1


TOOLS = """() => [...document.querySelectorAll('[data-testid=stElementToolbar] button')]
    .map((button) => button.getAttribute('aria-label') || button.title || button.innerText)"""


@pytest.mark.parametrize("address", ["talents", "people", "targets", "data?view=loads"])
def test_a_table_has_no_download_but_the_pages_own(address: str, show: Open) -> None:
    """Streamlit's CSV would have no byte order mark, live formulas and no policy."""
    page = show(address, "en")
    place = grid(page)
    page.mouse.move(place["x"] + 30, place["y"] + 60)
    page.locator("[data-testid=stElementToolbar] button").first.wait_for(
        state="attached", timeout=WAIT
    )
    tools = page.evaluate(TOOLS)
    assert any("Search" in tool for tool in tools), tools
    assert not [tool for tool in tools if "CSV" in tool or "ownload" in tool]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_head_of_the_list_to_decide_on_is_seen_whole(lang: str, show: Open) -> None:
    page = show("targets", lang)
    grid(page)
    # The title's own width as the table sets it, against the column's.
    cut = page.evaluate(
        """() => { const heads = [...document.querySelectorAll(
            '[data-testid=stDataFrame] canvas table thead th')].map((e) => e.textContent);
        const pen = document.createElement('canvas').getContext('2d');
        pen.font = '13px ' + getComputedStyle(document.body).fontFamily;
        return heads.map((head) => [head, pen.measureText(head).width]); }"""
    )
    widths = dict(cut)
    head = "技能等级" if lang == "zh" else "Level"
    with override_language(lang):  # type: ignore[arg-type]
        column = decisions.wide_enough(st.column_config.NumberColumn(head, width=54))
    assert head in widths and column["width"] >= widths[head] + 16  # its air on both sides
