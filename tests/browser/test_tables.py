"""The table of talents: what is filtered and picked, its link reopened, its exports."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from graph.database import Database
from graph.metrics.driven import measure
from graph.policy import Policy
from graph.settings import Settings
from graph.snapshot import take_snapshot
from tests.browser.seeing import WAIT, at_rest

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
    found = measure(take_snapshot(network, settings), Policy())
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
    assert len(ids) == 2 and f"{union:,} persons" in page.locator(".sc-lead").inner_text()
    again = show(path_of(page), "en")
    assert again.locator(".sc-lead").inner_text() == page.locator(".sc-lead").inner_text()
    assert again.locator(".sc-upset").inner_text() == page.locator(".sc-upset").inner_text()
    people = pl.read_csv(downloaded(again, "Export the list"))
    assert set(people["Person"]) == set(found.workers_of(*ids)["person_id"])
    rows = pl.read_csv(downloaded(again, "Download .* rows, CSV"))
    told = re.search(r"of ([\d,]+)\. Ranks", again.locator("body").inner_text())
    assert told and rows.height == int(told[1].replace(",", ""))
    assert rows["Level"].is_between(4, 5).all()
    driven = rows["Driven (persons)"]
    assert driven.to_list() == sorted(driven, reverse=True)
