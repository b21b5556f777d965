"""The app as a person sees it: the main way through."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl

from graph.driven.figures import measure_driven
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.browser.seeing import WAIT, at_rest, lineage_ready, most_driven, on_screen

Open = Callable[..., Any]


def test_the_language_is_switched_and_stays_in_the_address(show: Open) -> None:
    page = show()
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name=re.compile("Since 2024")).wait_for(timeout=WAIT)
    assert "lang=en" in page.url
    page.get_by_role("link", name="Leading talents").click()
    page.locator(".sc-lead", has_text="Together").wait_for(timeout=WAIT)
    at_rest(page)
    assert "/talents" in page.url and "lang=en" in page.url


def test_a_policy_is_set_shown_and_kept_in_the_address(
    show: Open, network: Database, settings: Settings
) -> None:
    page = show("", "en")
    page.get_by_role("button", name=re.compile("2024-26")).first.click()
    page.get_by_text("Dates of a chain must not go back").click()
    page.get_by_role("button", name="Apply").click()
    policy = Policy(ordered=False)
    found = measure_driven(take_snapshot(network, settings), policy).national["driven_persons"]
    page.locator(".sc-lead", has_text=f"{found:,} people").wait_for(timeout=WAIT)
    assert "ordered=false" in page.url
    again = show(page.url.split("/", 3)[3], "en")
    assert f"{found:,} people" in again.locator(".sc-lead").inner_text()


def test_the_table_is_downloaded_as_filtered(
    show: Open, network: Database, settings: Settings
) -> None:
    found = network.read(
        "MATCH (p:LeadingTalent) RETURN p.province AS code, count(*) AS n ORDER BY n DESC, code"
    )[0]
    page = show(f"talents?province={found['code']}", "en")
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for(timeout=WAIT)
    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("button", name=re.compile("Download .* rows, CSV")).click()
    rows = pl.read_csv(download.value.path())
    assert rows.height == found["n"]
    driven = measure_driven(take_snapshot(network, settings), Policy()).talents
    expected = dict(driven.select("talent_id", "driven").rows())
    assert dict(rows.select("Person number", "Driven (persons)").rows()).items() <= expected.items()
    assert f"_{Policy().id}_" in download.value.suggested_filename


def test_a_click_on_a_worker_of_the_lineage_says_why_it_counts(
    show: Open, network: Database, settings: Settings
) -> None:
    talent = most_driven(network, settings)["talent_id"]
    page = lineage_ready(show(f"lineage?id={talent}&view=bp"))
    driven = measure_driven(take_snapshot(network, settings), Policy()).workers_of(talent)
    far = driven.sort("generation", "person_id", descending=[True, False])["person_id"]
    seen = on_screen(page)
    page.mouse.click(*next(seen[id] for id in far if id in seen))
    page.get_by_role("heading", name=re.compile("计入的依据")).wait_for(timeout=WAIT)
