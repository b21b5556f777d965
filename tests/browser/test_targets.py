"""A decision on a candidate: it stands for whoever opens the page next, and in the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl

from tests.browser.seeing import WAIT, at_rest

Open = Callable[..., Any]


def test_an_accepted_candidate_stays_accepted_and_is_exported(show: Open) -> None:
    page = show("targets", "en")
    table = page.locator(".st-key-targets_table canvas").first
    table.wait_for(timeout=WAIT)
    place = at_rest(page) and table.bounding_box()
    page.mouse.click(place["x"] + 18, place["y"] + 38 + 19)
    panel = page.locator(".st-key-panel_targets")
    panel.get_by_text("none yet").wait_for(timeout=WAIT)
    at_rest(page)
    person = re.search(r"person=([^&]+)", page.url)
    assert person
    panel.get_by_label("Note").fill("seen at the <b>provincial</b> final")
    panel.get_by_role("button", name="Accept").click()
    panel.get_by_role("button", name="Undo the decision").wait_for(timeout=WAIT)

    again = show(page.url.split("/", 3)[3], "en")
    panel = again.locator(".st-key-panel_targets")
    panel.get_by_role("button", name="Undo the decision").wait_for(timeout=WAIT)
    assert "seen at the <b>provincial</b> final" in panel.inner_text()
    rows = decided(again)
    mine = rows.filter(pl.col("Person number") == person[1])
    assert mine["Decision"].to_list() == ["accepted"]
    assert mine["Note"].to_list() == ["seen at the <b>provincial</b> final"]
    assert rows.height > 1 and rows["Decision"].count() == 1
    assert "accepted 1" in again.locator(".sc-tally").inner_text()

    panel.get_by_role("button", name="Undo the decision").click()
    panel.get_by_text("none yet").wait_for(timeout=WAIT)
    mine = decided(again).filter(pl.col("Person number") == person[1])
    assert mine["Decision"].to_list() == ["open again"]


def test_several_are_decided_on_together_filtered_and_taken_away_alone(show: Open) -> None:
    page = show("targets", "en")
    table = page.locator(".st-key-targets_table canvas").first
    table.wait_for(timeout=WAIT)
    for row in (1, 2):
        place = at_rest(page) and table.bounding_box()
        page.mouse.click(place["x"] + 18, place["y"] + 38 * row + 19)
    panel = page.locator(".st-key-panel_targets")
    panel.get_by_role("button", name="Accept all").click()
    tally = page.locator(".sc-tally", has_text="accepted 2")
    tally.wait_for(timeout=WAIT)
    panel.get_by_role("button", name="Accept all").wait_for(state="detached", timeout=WAIT)
    accepted = decided(page, ".st-key-offer_training-targets-accepted")
    assert accepted.height == 2 and set(accepted["Decision"]) == {"accepted"}

    only = show("targets?decision=accepted", "en")
    assert decided(only)["Person number"].to_list() == accepted["Person number"].to_list()
    others = show("targets?decision=undecided", "en")
    left = decided(others)
    assert not set(left["Person number"]) & set(accepted["Person number"])


def decided(page: Any, within: str = ".st-key-offer_training-targets") -> pl.DataFrame:
    """The list as the page gives it away."""
    at_rest(page)
    with page.expect_download(timeout=WAIT) as download:
        offered = page.locator(within).get_by_role("button", name=re.compile("rows?, CSV"))
        offered.click()
    return pl.read_csv(download.value.path(), infer_schema=False)
