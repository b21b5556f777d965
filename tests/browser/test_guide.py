"""The guide's pictures, made by opening every page; and that guide and pages still say the same.

`make guide` writes the pictures and, beside them, the words that stood on each page then. Without
it the words are compared: a page whose headings or controls have changed fails here until the
guide is made anew, so that neither pictures nor sections go stale.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from graph.database import Database
from graph.metrics.driven import measure
from graph.notebook import Kind, Notebook
from graph.policy import Policy
from graph.settings import Settings
from graph.snapshot import take_snapshot
from loaders import folder
from loaders.sync import sync
from loaders.synthetic import generate
from tests.browser.seeing import ROOT, WAIT, at_rest, lineage_ready, pages_of_the_app, picture
from tests.emptying import emptied

GUIDE = ROOT / "docs" / "guide"
PICTURES = GUIDE / "pictures"
WORDS = PICTURES / "words.json"
# Chinese as most see it, English in the dark, so that both are looked at.
MODES = {"zh": "light", "en": "dark"}
# What a page says whatever the data are: titles, labels, buttons; figures and names are left out.
SAID = """() => [...document.querySelectorAll(
    '[data-testid=stMain] :is(h2, [data-testid=stWidgetLabel], [role=tab])')]
    .filter((e) => e.offsetParent).map((e) => e.innerText)"""


@pytest.fixture(scope="module")
def guided(
    database: Database,
    settings: Settings,
    serve: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, str]]:
    """The app on a network large enough to look like a nation's: its URL, and a talent."""
    emptied(database)
    made = tmp_path_factory.mktemp("guide") / "made"
    generate(made, talents=80, workers=16_000, seed=2026)
    sync(database, "folder", folder.get([made]), home=settings.home)
    notebook = Notebook(settings.home)
    for kind in get_args(Kind):
        for entry in notebook.entries(kind, most=10_000):
            notebook.remove(entry.id, entry.owner)
    rows = measure(take_snapshot(database, settings), Policy()).talents
    yield (
        serve(ROOT / "app.py", env={"SHICHENG_HOME": str(settings.home)}),
        str(rows.sort("driven")["talent_id"][-1]),
    )


def words(page: Any) -> list[str]:
    """The page's titles and labels without what depends on the data."""
    return [re.sub(r"[\d.,%–-]+", "#", text).strip() for text in page.evaluate(SAID)]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", pages_of_the_app())
def test_the_guide_shows_the_page_as_it_is(
    name: str,
    lang: str,
    guided: tuple[str, str],
    open_page: Callable[..., Any],
    pictures: Path,
) -> None:
    url, talent = guided
    query = f"&id={talent}" if name in ("lineage", "talent") else ""
    page = open_page(f"{url}/{name}?lang={lang}{query}", color_scheme=MODES[lang], locale="zh-CN")
    page.locator(".sc-lead").first.wait_for(timeout=WAIT)
    at_rest(page)
    if name == "lineage":
        lineage_ready(page)
    file = picture(page, pictures, f"{name}-{lang}")
    said = words(page)
    if os.environ.get("SHICHENG_PICTURES"):
        known = json.loads(WORDS.read_text("utf-8")) if WORDS.exists() else {}
        known[file.stem] = said
        WORDS.write_text(
            json.dumps(dict(sorted(known.items())), ensure_ascii=False, indent=1) + "\n", "utf-8"
        )
    assert (PICTURES / file.name).exists(), "make guide"
    assert json.loads(WORDS.read_text("utf-8"))[file.stem] == said, "the guide is stale: make guide"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_guide_has_a_section_and_a_picture_of_every_page(lang: str) -> None:
    text = (GUIDE / f"{lang}.md").read_text("utf-8")
    for name in pages_of_the_app():
        assert f"](pictures/{name}-{lang}.png)" in text
    shown = re.findall(r"\]\((pictures/[^)]+)\)", text)
    assert [picture for picture in shown if not (GUIDE / picture).exists()] == []
