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
    panel.get_by_role("button", name="Take back").wait_for(timeout=WAIT)

    again = show(page.url.split("/", 3)[3], "en")
    panel = again.locator(".st-key-panel_targets")
    panel.get_by_role("button", name="Take back").wait_for(timeout=WAIT)
    assert "seen at the <b>provincial</b> final" in panel.inner_text()
    rows = decided(again)
    mine = rows.filter(person_id=person[1])
    assert mine["decision"].to_list() == ["accepted"]
    assert mine["note"].to_list() == ["seen at the <b>provincial</b> final"]
    assert rows.height > 1 and rows["decision"].count() == 1

    panel.get_by_role("button", name="Take back").click()
    panel.get_by_text("none yet").wait_for(timeout=WAIT)
    assert decided(again).filter(person_id=person[1])["decision"].to_list() == ["open"]


def decided(page: Any) -> pl.DataFrame:
    """The list as the page gives it away."""
    at_rest(page)
    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("button", name=re.compile("Download .* rows, CSV")).click()
    return pl.read_csv(download.value.path(), infer_schema=False)
