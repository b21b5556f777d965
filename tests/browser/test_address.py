"""The way back undoes one thing at a step; an address that is wrong says what was left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest

from graph.server.database import Database
from graph.settings import Settings
from tests.browser.seeing import ROOT, WAIT, at_rest, pages_of_the_app

Open = Callable[..., Any]


def back(page: Any) -> Any:
    page.go_back()
    return at_rest(page)


def test_back_keeps_a_filter_in_one_step(show: Open, network: Database) -> None:
    code = network.read("MATCH (p:LeadingTalent) RETURN p.province AS code LIMIT 1")[0]["code"]
    page = show(f"talents?province={code}", "en")
    lead = page.locator(".sc-lead").inner_text()
    table = page.locator("[data-testid=stDataFrame] canvas").first
    place = table.bounding_box()
    page.mouse.click(place["x"] + 150, place["y"] + 38 + 19)
    page.wait_for_url(re.compile(r"/talent\?"), timeout=WAIT)
    at_rest(page)
    back(page)
    assert f"talents?province={code}" in page.url
    assert page.locator(".sc-lead").inner_text() == lead


def test_back_brings_a_search_again_and_the_address_never_holds_it(show: Open) -> None:
    page = show("find", "en")
    page.locator("body[data-search-keys]").wait_for(state="attached", timeout=WAIT)
    page.keyboard.press("/")
    page.keyboard.type("wang")
    page.locator(".sc-lead", has_text="wang").wait_for(timeout=WAIT)
    at_rest(page)
    assert "wang" not in page.url
    page.locator(".st-key-find_results a[href]").first.click()
    page.wait_for_url(re.compile(r"/talent\?"), timeout=WAIT)
    at_rest(page)
    # A link in the page opens in place, so that the visit goes on.
    back(page)
    page.locator(".sc-lead", has_text="wang").wait_for(timeout=WAIT)
    assert page.get_by_role("searchbox").first.input_value() == "wang"
    assert "wang" not in page.url


def test_a_link_within_a_page_and_the_way_back_count_at_once_after_a_choice(
    show: Open, network: Database
) -> None:
    """Neither waits until the address of the choice is old."""
    (row,) = network.read(
        "MATCH (s:Studio)<-[:LEADS]-() MATCH (s)-[]-(e:Enterprise) "
        "RETURN s.studio_id AS studio, e.enterprise_id AS enterprise ORDER BY studio LIMIT 1"
    )
    page = show(f"places?kind_of_place=studio&id={row['studio']}", "en")
    page.evaluate("window.stays = true")
    link = page.locator(".st-key-panel_places a[href*='kind_of_place=enterprise']").first
    link.click()
    page.wait_for_url(re.compile("kind_of_place=enterprise"), timeout=WAIT)
    at_rest(page)
    assert page.evaluate("window.stays") is True
    kinds = page.locator(".st-key-places_kind_of_place")
    chosen = kinds.locator("[aria-checked=true], [kind*=Active]").first
    assert "Enterprise" in chosen.inner_text()
    kinds.get_by_text("School").first.click()
    page.wait_for_url(re.compile("kind_of_place=school"), timeout=WAIT)
    back(page)
    assert "kind_of_place=enterprise" in page.url
    assert "Enterprise" in chosen.inner_text()


def test_the_language_is_no_step_of_the_way_back(show: Open) -> None:
    page = show("overview")
    page.get_by_role("link", name="领军人才", exact=True).click()
    page.wait_for_url(re.compile("/talents"), timeout=WAIT)
    at_rest(page)
    page.get_by_role("button", name="English").click()
    page.locator(".sc-lead", has_text="talents").wait_for(timeout=WAIT)
    at_rest(page)
    back(page)
    assert "/overview" in page.url
    # The visit stays in the language that was chosen.
    page.locator(".sc-lead", has_text="Since").wait_for(timeout=WAIT)


def test_a_link_written_in_a_table_opens_in_place(show: Open) -> None:
    page = show("overview", "en")
    page.evaluate("window.stays = true")
    page.locator(".sc-grid a.sc-link").first.click()
    page.wait_for_url(re.compile("/people"), timeout=WAIT)
    page.locator(".sc-lead", has_text=re.compile("person|people")).wait_for(timeout=WAIT)
    at_rest(page)
    assert page.evaluate("window.stays") is True
    back(page)
    assert "/overview" in page.url and "Since" in page.locator(".sc-lead").inner_text()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_unknown_page_says_so_in_the_language_of_the_visit(lang: str, show: Open) -> None:
    page = show("nowhere", lang)
    note = page.locator(".sc-note").inner_text()
    assert "nowhere" in note and bool(re.search("[\u4e00-\u9fff]", note)) == (lang == "zh")
    assert page.get_by_role("dialog").count() == 0


def test_every_page_says_what_of_an_address_it_leaves_out(
    network: Database, settings: Settings, serve: Callable[..., str], visit: Open
) -> None:
    """In one language each; tests/live/test_address_pages.py reads every page in both."""
    url = serve(ROOT / "app.py", env={"SHICHENG_HOME": str(settings.home)})
    for name, lang in zip(pages_of_the_app(), cycle(("zh", "en")), strict=False):
        if name in ("lineage", "talent"):
            continue  # they say that there is nobody of the number
        page = visit(url, f"{name}?window=2030..2020&generations=3", lang)
        page.locator(".sc-note").first.wait_for(timeout=WAIT)
        note = at_rest(page).locator(".sc-note").inner_text()
        assert "window" in note and "2030..2020" in note and "generations" not in note
        assert bool(re.search("[\u4e00-\u9fff]", note)) == (lang == "zh")
