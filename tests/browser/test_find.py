"""The page that finds, by keys alone and to each kind's own page; what is typed stays unsaid."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pypinyin import Style, lazy_pinyin

from graph.server.database import Database
from graph.settings import Settings
from tests.browser.seeing import WAIT, at_rest, most_driven

Open = Callable[..., Any]
RESULTS = ".st-key-find_results a[href]"


def links_to(page: Any, text: str) -> list[str]:
    """What is typed into the box with the keys; the addresses of what is found, in order."""
    page.locator("body[data-search-keys]").wait_for(state="attached", timeout=WAIT)
    page.keyboard.press("/")
    page.keyboard.type(text)
    page.locator(".sc-lead", has_text=text).wait_for(timeout=WAIT)
    at_rest(page)
    found: list[str] = page.locator(RESULTS).evaluate_all("(all) => all.map((a) => a.href)")
    return found


def asked_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_initials_arrows_and_enter_open_a_person(
    show: Open, network: Database, settings: Settings
) -> None:
    talent = most_driven(network, settings)
    initials = "".join(lazy_pinyin(talent["name"], style=Style.FIRST_LETTER))
    page = show("find")
    found = links_to(page, initials)
    place = next(n for n, a in enumerate(found) if asked_of(a).get("id") == talent["talent_id"])
    assert initials not in unquote(urlsplit(page.url).query)
    for _ in range(place + 1):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/talent[?]"), timeout=WAIT)
    page.locator(".sc-lead", has_text=talent["name"]).wait_for(timeout=WAIT)
    assert asked_of(page.url)["id"] == talent["talent_id"]
    address = unquote(page.url)
    assert talent["name"] not in address and f"={initials}" not in address


def test_each_kind_opens_on_its_own_page(show: Open, network: Database) -> None:
    page = show("find")
    for kind in ("Studio", "Enterprise", "School"):
        key = f"{kind.lower()}_id"
        rows = network.read(f"MATCH (n:{kind}) RETURN n.{key} AS id, n.name AS name ORDER BY id")
        # The last of its kind: the page that opens on the first by itself would not be seen.
        id, name = rows[-1]["id"], rows[-1]["name"]
        found = links_to(page, name)
        place = next(n for n, address in enumerate(found) if asked_of(address).get("id") == id)
        page.locator(RESULTS).nth(place).click()
        page.wait_for_url(re.compile("/places"), timeout=WAIT)
        page.locator(".st-key-panel_places").get_by_text(name).first.wait_for(timeout=WAIT)
        at_rest(page)
        assert asked_of(page.url)["id"] == id
        page.get_by_role("link", name="查找").click()
        page.wait_for_url(re.compile("/find"), timeout=WAIT)
        at_rest(page)
    code, name = network.read(
        "MATCH (p:LeadingTalent)-[:PRACTISES]->(o:Occupation) WITH o, count(DISTINCT p) AS n "
        "ORDER BY n, o.code LIMIT 1 RETURN o.code AS code, o.name AS name"
    )[0].values()
    found = links_to(page, name)
    place = next(n for n, a in enumerate(found) if asked_of(a).get("code") == code)
    page.locator(RESULTS).nth(place).click()
    page.wait_for_url(re.compile("/areas"), timeout=WAIT)
    page.locator(".sc-lead", has_text=name).wait_for(timeout=WAIT)
    at_rest(page)
    assert asked_of(page.url)["kind"] == "occupation" and asked_of(page.url)["code"] == code
