"""Real input on screen: the longest mentorship chain of the Wikidata mentors.

`SHICHENG_PICTURES=docs/pictures pytest tests/browser/test_wikidata.py` writes chain.png.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graph.cypher.named_queries import load_queries, run_query
from graph.server.database import Database
from graph.settings import Settings
from loaders import wikidata
from loaders.sync import load_records
from tests.browser.seeing import ROOT, WAIT, at_rest, lineage_ready, on_screen, people, picture
from ui.lineage.state import LineageState

WIKIDATA = ROOT.parent / "shared" / "data" / "wikidata_mentors"


@pytest.mark.shared
@pytest.mark.skipif(not WIKIDATA.exists(), reason="../shared is absent")
def test_the_longest_chain_is_on_screen(
    empty_database: Database,
    settings: Settings,
    serve: Callable[..., str],
    open_page: Callable[..., Any],
    pictures: Path | None,
) -> None:
    report = load_records(empty_database, "wikidata", wikidata.get([WIKIDATA]), home=settings.home)
    assert report.written["MENTORS"] == 623
    longest = run_query(empty_database, load_queries()["longest_chains"], {"chains": 1})
    chain = next(longest.records())["path"]
    assert len(chain) == 6
    url = serve(ROOT / "app.py", env={"SHICHENG_HOME": str(settings.home)})
    # One screen has no room for everyone: the way to the first mentor is asked for.
    view = LineageState(chain[2]).trace(chain[0]).to_query()["view"]
    page = open_page(
        f"{url}/lineage?id={chain[2]}&view={view}&lang=zh",
        locale="zh-CN",
        color_scheme="light",
    )
    page.locator(".sc-lead, .sc-note").first.wait_for(timeout=WAIT)
    lineage_ready(at_rest(page))
    page.get_by_role("button", name="适应画面").click()
    at_rest(page)
    assert set(chain) <= set(people(page))
    page.mouse.click(*on_screen(page)[chain[-1]])
    page.get_by_role("heading", name=chain[-1]).or_(page.get_by_text(chain[-1])).first.wait_for(
        timeout=WAIT
    )
    picture(at_rest(page), pictures, "chain")
