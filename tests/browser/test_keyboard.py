"""The app without a mouse: through the sidebar, and through the people of a lineage."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from graph.server.database import Database
from graph.settings import Settings
from tests.browser.seeing import WAIT, at_rest, lineage_ready, most_driven

Open = Callable[..., Any]
# What has the focus, in a shadow root too.
FOCUSED = """() => { let e = document.activeElement;
    while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    return {text: (e.textContent || '').trim(), role: e.getAttribute('role') || e.localName,
            ring: getComputedStyle(e).outlineStyle !== 'none'
                  || getComputedStyle(e).boxShadow !== 'none'}; }"""
MOST = 60  # stops of Tab before what is looked for


def tab_to(page: Any, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Presses Tab until what is wanted has the focus; what it is."""
    passed = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        now: dict[str, Any] = page.evaluate(FOCUSED)
        if wanted(now):
            return now
        passed.append(f"{now['role']} {now['text'][:20]}")
    raise AssertionError(f"Tab does not lead there, but to {passed}")


def test_from_the_overview_to_the_talents_by_keys(show: Open) -> None:
    page = show("overview")
    link = tab_to(page, lambda at: at["role"] == "a" and at["text"] == "领军人才")
    assert link["ring"]
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/talents"), timeout=WAIT)
    page.locator(".sc-lead", has_text="合计带动").wait_for(timeout=WAIT)


def test_the_lineage_is_walked_by_keys_to_why_a_person_counts(
    show: Open, network: Database, settings: Settings
) -> None:
    talent = most_driven(network, settings)["talent_id"]
    page = lineage_ready(show(f"lineage?id={talent}&view=bp"))
    tab_to(page, lambda at: at["role"] == "application")
    # To the person in focus, to the first apprentice, to the next one.
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("selected="), timeout=WAIT)
    at_rest(page)
    selected = re.search(r"selected=([^&]+)", page.url)
    assert selected and selected[1] != talent
    name = network.read("MATCH (p {person_id: $id}) RETURN p.name AS n", {"id": selected[1]})
    title = page.locator(".st-key-panel_person").get_by_role(
        "heading", name=re.compile(f"{re.escape(name[0]['n'])}.*计入")
    )
    title.wait_for(timeout=WAIT)
    assert page.evaluate(FOCUSED)["role"] == "application"
