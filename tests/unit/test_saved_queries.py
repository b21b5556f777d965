"""Statements that are kept: versions, who sees them, and how one comes into everybody's library."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.errors import RefusedError, UsageError
from graph.programme.notebook import Notebook
from graph.programme.saved_queries import (
    PROMOTED_PREFIX,
    ask_for_review,
    find_review_verdict,
    list_promoted_queries,
    list_proposed_queries,
    list_query_versions,
    list_saved_queries,
    remove_saved_query,
    review_query,
    save_query,
)
from graph.settings import Settings

TEXT = """// param province: province? | en: Province | zh: 省份
// param rows: integer = 10 (1..100) | en: Rows | zh: 行数
MATCH (p:Person) WHERE $province IS NULL OR p.province = $province
RETURN p.person_id AS person_id LIMIT $rows"""


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(tmp_path)


def test_a_query_is_kept_in_versions_with_its_parameters(notebook: Notebook) -> None:
    first = save_query(notebook, "an", title=" By  province ", help="Who.", text=TEXT)
    assert first.title == "By province"
    query = first.build_query()
    assert [p.name for p in query.parameters] == ["province", "rows"]
    assert query.parse({"province": "江苏"}) == {"province": "32", "rows": 10}
    later = save_query(notebook, "an", title="By place", text="RETURN 1 AS a", id=first.id)
    assert [v.title for v in list_query_versions(notebook, "an", first.id)] == [
        "By place",
        "By province",
    ]
    assert list_saved_queries(notebook, "an") == [later]
    assert list_saved_queries(notebook, "bo") == list_query_versions(notebook, "bo", first.id) == []
    with pytest.raises(RefusedError, match="somebody else's"):
        save_query(notebook, "bo", title="Mine", text="RETURN 1", id=first.id)
    assert remove_saved_query(notebook, "bo", first.id) == 0
    assert remove_saved_query(notebook, "an", first.id) == 2
    assert list_saved_queries(notebook, "an") == []


def test_a_shared_query_names_nobody(notebook: Notebook) -> None:
    shared = save_query(notebook, "an", title="a", text="RETURN 1 AS a", shared=True)
    assert list_saved_queries(notebook, "bo") == [shared]
    named = "MATCH (p:Person {name: '王一'}) RETURN p.person_id AS a"
    own = save_query(notebook, "an", title="b", text=named)
    with pytest.raises(UsageError, match="names a person"):
        save_query(notebook, "an", title="b", text=named, shared=True)
    with pytest.raises(UsageError, match="names a person"):
        ask_for_review(notebook, "an", own.id)


@pytest.mark.parametrize(
    ("title", "text", "found"),
    [
        ("", "RETURN 1", "needs a title"),
        ("x" * 81, "RETURN 1", "needs a title"),
        ("a", "// param x integer\nRETURN $x AS x", "cannot be read"),
        ("a", "// param x: nothing | en: a | zh: b\nRETURN $x AS x", "cannot be read"),
        ("a", "// param x: integer | en: a | zh: b\nRETURN 1 AS x", "used in the statement"),
        ("a", "// param x: integer | en: a | zh: b", "no statement"),
    ],
)
def test_what_cannot_be_kept_is_said(notebook: Notebook, title: str, text: str, found: str) -> None:
    with pytest.raises(UsageError, match=found):
        save_query(notebook, "an", title=title, text=text)
    assert list_saved_queries(notebook, "an") == []


def test_a_query_comes_into_the_library_by_somebody_elses_review(
    notebook: Notebook, tmp_path: Path
) -> None:
    settings = Settings().at(tmp_path)
    query = save_query(notebook, "an", title="a", text=TEXT)
    name = PROMOTED_PREFIX + query.id
    with pytest.raises(RefusedError):
        ask_for_review(notebook, "bo", query.id)
    with pytest.raises(UsageError, match="Nobody proposes"):
        review_query(notebook, "di", "steward", query.id, "accepted", settings)
    ask_for_review(notebook, "an", query.id)
    assert list_proposed_queries(notebook) == [query]
    assert find_review_verdict(notebook, query) == "asked"
    with pytest.raises(RefusedError, match="does not decide"):
        review_query(notebook, "bo", "analyst", query.id, "accepted", settings)
    with pytest.raises(RefusedError, match="of their own"):
        review_query(notebook, "an", "steward", query.id, "accepted", settings)
    assert list_promoted_queries(notebook) == {}
    review_query(notebook, "di", "steward", query.id, "accepted", settings)
    assert list_promoted_queries(notebook) == {name: query} and not list_proposed_queries(notebook)
    # A later version has to be looked at again; till then the accepted one stands.
    later = save_query(notebook, "an", title="b", text="RETURN 1 AS a", id=query.id)
    assert find_review_verdict(notebook, later) is None
    ask_for_review(notebook, "an", query.id)
    assert list_promoted_queries(notebook) == {name: query}
    review_query(notebook, "di", "admin", query.id, "declined", settings)
    assert list_promoted_queries(notebook) == {}
