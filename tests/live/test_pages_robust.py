"""The programme's pages hold at wrong addresses and in an empty or a bare store."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.server.database import Database
from graph.settings import Settings
from loaders import folder
from loaders.sync import load_records
from tests.emptying import emptied
from tests.live.visiting import go, lead, text

PAGES = (
    "scenarios",
    "shortages",
    "pairing",
    "crafts",
    "departures",
    "forecast",
    "report",
    "story",
)
# Whatever the page takes: nothing of it is there.
WRONG = {
    "province": "99",
    "month": "2026-99",
    "id": "nobody",
    "scenario": "nobody",
    "scenarios": "nobody,f" * 30,
    "code": "9-99-99",
    "value": "99",
    "attribute": "planet",
    "of": "planet",
    "by_end": "1066",
    "kind": "planet",
    "months": "-7",
    "people": "all",
    "links": "many",
    "capacity": "-1",
}


def is_said(test: AppTest, language: str) -> bool:
    """Whether the page answers in the reader's language."""
    words = re.sub("<[^>]+>", "", text(test))
    return bool(re.search("[\u4e00-\u9fff]", words)) == (language == "zh")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_holds_at_a_wrong_address_and_when_it_is_opened_again(
    network: Database, app: Callable[..., AppTest], page: str
) -> None:
    wrong = app(page, lang="zh", **WRONG)
    first = lead(wrong)
    assert first and is_said(wrong, "zh")
    # Reloaded, and in a second tab.
    assert lead(go(wrong, page, lang="zh", **WRONG)) == first
    assert lead(app(page, lang="zh", **WRONG)) == first


@pytest.fixture(scope="module", params=["empty", "bare"])
def poor_store(
    request: pytest.FixtureRequest,
    database: Database,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A store without anybody; and one whose people have no dates, occupations or places."""
    emptied(database)
    if request.param == "bare":
        made: Path = tmp_path_factory.mktemp("bare")
        (made / "people.csv").write_text("person_id,name\np1,甲\np2,乙\n")
        (made / "mentorships.csv").write_text("mentor_id,apprentice_id\np1,p2\n")
        load_records(database, "folder", folder.get([made]), home=settings.home)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield request.param
    emptied(database)
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_is_missing_in_a_poor_store(
    poor_store: str, app: Callable[..., AppTest], page: str
) -> None:
    opened = app(page, lang="en", **({"id": "p1"} if page == "story" else {}))
    assert not opened.exception
    words = re.sub("<[^>]+>", " ", text(opened))
    assert "This part of the page failed" not in words, words
    assert lead(opened), "a sentence says what is missing"
