"""Statements that are kept: versions, who sees them, and how one comes into everybody's library."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.audit.entries import AuditFilter, iterate_audit_entries
from graph.cypher.masking import has_personal_identifier
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
        review_query(
            notebook, "di", "steward", query.id, "accepted", settings, version=query.version
        )
    ask_for_review(notebook, "an", query.id)
    assert list_proposed_queries(notebook) == [query]
    assert find_review_verdict(notebook, query) == "asked"
    with pytest.raises(RefusedError, match="does not decide"):
        review_query(
            notebook, "bo", "analyst", query.id, "accepted", settings, version=query.version
        )
    with pytest.raises(RefusedError, match="of their own"):
        review_query(
            notebook, "an", "steward", query.id, "accepted", settings, version=query.version
        )
    assert list_promoted_queries(notebook) == {}
    review_query(notebook, "di", "steward", query.id, "accepted", settings, version=query.version)
    assert list_promoted_queries(notebook) == {name: query} and not list_proposed_queries(notebook)
    # A later version has to be looked at again; till then the accepted one stands.
    later = save_query(notebook, "an", title="b", text="RETURN 1 AS a", id=query.id)
    assert find_review_verdict(notebook, later) is None
    ask_for_review(notebook, "an", query.id)
    assert list_promoted_queries(notebook) == {name: query}
    with pytest.raises(UsageError, match="changed since you looked"):
        review_query(notebook, "di", "admin", query.id, "accepted", settings, version=query.version)
    assert list_promoted_queries(notebook) == {name: query}
    review_query(notebook, "di", "admin", query.id, "declined", settings, version=later.version)
    assert list_promoted_queries(notebook) == {}


def test_a_reviewer_takes_in_what_was_read_alone(notebook: Notebook, tmp_path: Path) -> None:
    settings = Settings().at(tmp_path)
    read = save_query(notebook, "an", title="a", text="RETURN 1 AS a")
    ask_for_review(notebook, "an", read.id)
    save_query(notebook, "an", title="a", text="MATCH (n) RETURN n", id=read.id)
    ask_for_review(notebook, "an", read.id)
    with pytest.raises(UsageError, match="changed since you looked") as caught:
        review_query(notebook, "di", "steward", read.id, "accepted", settings, version=read.version)
    assert "已有变更" in caught.value.said("zh")
    assert list_promoted_queries(notebook) == {}


def test_sharing_shows_no_version_of_before(notebook: Notebook) -> None:
    own = save_query(notebook, "an", title="a", text="MATCH (p {name: '王一'}) RETURN p.person_id")
    shared = save_query(notebook, "an", title="a", text="RETURN 1 AS a", shared=True, id=own.id)
    assert list_query_versions(notebook, "bo", own.id) == [shared]
    assert list_query_versions(notebook, "an", own.id) == [shared, own]
    save_query(notebook, "an", title="a", text="RETURN 2 AS a", id=own.id)
    assert list_query_versions(notebook, "bo", own.id) == []


@pytest.mark.parametrize("text", ["RETURN 1 AS a // of 李雷", "/* 李雷 */ RETURN 1 AS a"])
def test_comments_are_not_shared(notebook: Notebook, text: str) -> None:
    own = save_query(notebook, "an", title="a", text=text)
    with pytest.raises(UsageError, match="has comments"):
        save_query(notebook, "an", title="a", text=text, shared=True)
    with pytest.raises(UsageError, match="has comments"):
        ask_for_review(notebook, "an", own.id)
    assert save_query(notebook, "an", title="a", text=TEXT, shared=True).shared


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("WITH '李雷' AS n MATCH (p:Person) WHERE p.name = n RETURN p.province", True),
        ("WITH '李雷' AS n MATCH (p:Person) WHERE n = p.name RETURN p.province", True),
        ("UNWIND ['a1', 'a2'] AS id MATCH (p:Person {person_id: id}) RETURN p.province", True),
        ("MATCH (p:Person {person_id: 'x-1'}) RETURN p.province", True),
        ("WITH ['p0034'] AS ids RETURN ids", True),
        ("RETURN 1 AS a // p0034", True),
        ("WITH '32' AS code MATCH (p:Person {province: code}) RETURN p.person_id, p.name", False),
        ("MATCH (p:Person) WHERE p.person_id = $id AND p.province = '32' RETURN p.name", False),
        ("WITH '32' AS a MATCH (p) WHERE $id = p.name AND p.province = a RETURN a", False),
        ("WITH '32' AS code MATCH (p {person_id: $id}) WHERE p.province = code RETURN p", False),
        ("MATCH (p:Person) WHERE p.province = '32' RETURN p.person_id AS person_id", False),
    ],
)
def test_statements_that_name_a_person_are_known(statement: str, named: bool) -> None:
    assert has_personal_identifier(statement) is named


def test_what_others_come_to_see_is_logged(notebook: Notebook, tmp_path: Path) -> None:
    query = save_query(notebook, "an", title="a", text="RETURN 1 AS a", shared=True)
    ask_for_review(notebook, "an", query.id)
    settings = Settings().at(tmp_path)
    review_query(notebook, "di", "steward", query.id, "accepted", settings, version=query.version)
    remove_saved_query(notebook, "an", query.id)
    assert list_promoted_queries(notebook) == {}
    logged = list(iterate_audit_entries(tmp_path, AuditFilter("decision")))
    verdicts = [entry.facts["verdict"] for entry in logged]
    assert sorted(verdicts) == ["accepted", "asked", "removed", "shared"]
    assert {entry.facts["what"] for entry in logged} == {"query"}
    versions = [entry.facts.get("version") for entry in logged]
    assert versions.count(query.version) == 2
