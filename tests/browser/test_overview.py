"""A click on any part of the overview opens the people behind it, as many as the figure says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.browser.seeing import WAIT, at_rest, lineage_ready, on_screen

Open = Callable[..., Any]


def jiangsu(page: Any) -> tuple[float, float]:
    """Where its tile stands: column 5, line 4."""
    tiles = page.locator("[data-testid=stVegaLiteChart]").nth(2)
    tiles.locator("svg path, canvas").first.wait_for(timeout=WAIT)  # Vega itself comes later
    at_rest(page)
    place = tiles.bounding_box()
    return place["x"] + 5 * 49 + 23, place["y"] + 4 * 46 + 21


def people_of(page: Any) -> str:
    """What the list of people says it holds."""
    page.wait_for_url(re.compile("/people"), timeout=WAIT)
    page.locator(".sc-lead", has_text=re.compile(r"person|people")).wait_for(timeout=WAIT)
    text: str = at_rest(page).locator(".sc-lead").inner_text()
    return text


def test_a_tile_opens_the_province_and_its_figure_the_people(
    show: Open, network: Database, settings: Settings
) -> None:
    found = measure_driven(take_snapshot(network, settings), Policy()).by("province")
    times = dict(found.select("province", "driven_person_times").rows())
    page = show("", "en")
    page.mouse.click(*jiangsu(page))
    page.wait_for_url(re.compile("/areas.*code=32"), timeout=WAIT)
    number = at_rest(page).get_by_role("link", name=f"{times['32']:,}", exact=True).first
    number.click()
    assert f"{times['32']:,} person-time" in people_of(page)
    assert "province=32" in page.url
    again = show(page.url.split("/", 3)[3], "en")
    assert f"{times['32']:,} person-time" in again.locator(".sc-lead").inner_text()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_tile_says_in_words_what_it_stands_for(
    lang: str, show: Open, network: Database, settings: Settings
) -> None:
    found = measure_driven(take_snapshot(network, settings), Policy()).by("province")
    times = dict(found.select("province", "driven_person_times").rows())
    page = show("", lang)
    page.mouse.move(*jiangsu(page))
    read = page.locator("#vg-tooltip-element.visible")
    read.wait_for(timeout=WAIT)
    said = read.inner_text()
    name, path = {"zh": ("江苏", "时序进度"), "en": ("Jiangsu", "on-pace line")}[lang]
    assert name in said and path in said and f"{times['32']:,}" in said
    # No field of the data, and nothing of the tiles behind it shows through.
    assert not re.search(r"\b(x0|y0|fill|read_|province)\b", said)
    look = read.evaluate(
        "(e) => { const { opacity, backgroundColor } = getComputedStyle(e); "
        "return [opacity, backgroundColor]; }"
    )
    assert look[0] == "1" and not look[1].startswith("rgba")


def test_a_cell_and_a_bar_open_as_many_people_as_they_say(show: Open) -> None:
    page = show("?by=province", "en")
    cell = page.locator(".sc-grid a.sc-link").first
    cell.wait_for(timeout=WAIT)
    number = cell.inner_text()
    cell.click()
    assert re.search(rf" {number} (person|people)\b", people_of(page))
    assert "generation=1" in page.url
    page = show("?by=province", "en")
    bar = page.locator(".sc-cut tbody tr").first.locator("a.sc-link").last
    bar.wait_for(timeout=WAIT)
    number = bar.inner_text()
    bar.focus()
    page.keyboard.press("Enter")
    assert f" {number} person-time" in people_of(page)


def test_the_list_is_downloaded_whole_and_leads_to_why(show: Open) -> None:
    page = show("people?generation=1", "zh")
    number = re.search(r"[\d,]+", page.locator(".sc-lead b").first.inner_text())
    assert number
    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("button", name=re.compile("下载 .* 行 CSV")).click()
    rows = pl.read_csv(download.value.path())
    assert rows.height == int(number[0].replace(",", ""))
    page = show("people?generation=1", "zh")
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.wait_for(timeout=WAIT)
    place = at_rest(page).locator("[data-testid=stDataFrame] canvas").first.bounding_box()
    page.mouse.click(place["x"] + 60, place["y"] + 34 + 17)
    page.wait_for_url(re.compile("/lineage"), timeout=WAIT)
    assert f"selected={rows['编号'][0]}" in at_rest(page).url


def test_three_clicks_lead_to_a_talents_chain_and_one_more_to_why(
    show: Open, network: Database, settings: Settings
) -> None:
    driven = measure_driven(take_snapshot(network, settings), Policy())
    page = show("overview")
    page.get_by_role("link", name="领军人才", exact=True).click()
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.wait_for(timeout=WAIT)
    place = at_rest(page).locator("[data-testid=stDataFrame] canvas").first.bounding_box()
    page.mouse.click(place["x"] + 150, place["y"] + 34 + 19)
    page.wait_for_url(re.compile(r"/talent\?.*id="), timeout=WAIT)
    talent = re.findall(r"[?&]id=([^&]+)", at_rest(page).url)[0]
    name = driven.talents.filter(talent_id=talent)["name"][0]
    page.locator(".sc-lead", has_text=name).wait_for(timeout=WAIT)
    page.get_by_role("link", name="查看谱系").click()
    page.wait_for_url(re.compile("/lineage"), timeout=WAIT)
    seen = on_screen(lineage_ready(page))
    workers = driven.workers_of(talent)
    worker = next(id for id in workers["person_id"] if id in seen)
    page.mouse.click(*seen[worker])
    panel = page.locator(".st-key-panel_person")
    panel.get_by_role("heading", name=re.compile("计入的依据")).wait_for(timeout=WAIT)
    assert f"selected={worker}" in at_rest(page).url
    # Each step of the chain and the recognition say the file and the line they stand in.
    steps = workers.filter(person_id=worker)["generation"][0] + 1
    assert panel.locator(".sc-rows", has_text=re.compile(r"\.csv.*\d")).count() >= steps
