"""A talent's profile: its figures, another beside it, on paper, and as a file without a network."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graph.driven.figures import measure_driven
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.browser.seeing import WAIT, at_rest

Open = Callable[..., Any]
PAGE = re.compile(rb"/Type\s*/Page\b")


def two(network: Database, settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    rows = measure_driven(take_snapshot(network, settings), Policy()).talents.sort("driven")
    return rows.row(-1, named=True), rows.row(-2, named=True)


def ready(page: Any) -> Any:
    page.locator(".sc-story").wait_for(timeout=WAIT)
    page.locator("[data-testid=stVegaLiteChart] svg").first.wait_for(timeout=WAIT)
    return at_rest(page)


def test_another_talent_stands_beside_after_the_link_is_opened_again(
    show: Open, network: Database, settings: Settings
) -> None:
    one, other = two(network, settings)
    page = ready(show(f"talent?id={one['talent_id']}&with={other['talent_id']}", "en"))
    page.locator(".sc-upset").wait_for(timeout=WAIT)
    driven = measure_driven(take_snapshot(network, settings), Policy())
    union = driven.union([one["talent_id"], other["talent_id"]])
    assert f"{union:,} people" in page.locator(".sc-union").inner_text()
    beside = page.locator("table", has_text="Driven in all generations").last.inner_text()
    assert f"{one['driven']:,}" in beside and f"{other['driven']:,}" in beside
    assert one["name"] not in page.url and other["name"] not in page.url


def test_the_profile_is_one_sheet_of_paper(
    show: Open, network: Database, settings: Settings, tmp_path: Path
) -> None:
    one, _ = two(network, settings)
    page = ready(show(f"talent?id={one['talent_id']}"))
    paper = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(PAGE.findall(paper)) == 1
    page.emulate_media(media="print")
    assert not page.locator("[data-testid=stSidebar]").is_visible()
    assert page.locator(".sc-lead").is_visible() and page.locator(".sc-figures").is_visible()


def test_the_saved_page_opens_without_a_network(
    show: Open, open_page: Open, network: Database, settings: Settings, tmp_path: Path
) -> None:
    one, _ = two(network, settings)
    page = ready(show(f"talent?id={one['talent_id']}", "en"))
    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("button", name="Save as a page").click()
    file = tmp_path / "profile.html"
    download.value.save_as(file)
    alone = open_page(f"file://{file}", offline=True)
    assert f"{one['driven']:,} people" in alone.locator("h1").inner_text()
    assert alone.locator("svg rect").count() > 3
    assert alone.locator("script, link, img, iframe").count() == 0
    assert Policy().id in alone.locator("footer").inner_text()
    assert len(PAGE.findall(alone.pdf(prefer_css_page_size=True))) == 1
