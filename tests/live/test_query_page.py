"""The page of queries: what stands in its address, what it shows, and what it no longer shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from graph.cypher.masking import has_personal_identifier
from graph.server.database import Database
from tests.live.visiting import lead, text
from ui.queries import page
from ui.queries.page import build_query_frame

Open = Callable[..., AppTest]
TALENT = "MATCH (p:LeadingTalent)-[:MENTORS]->() RETURN p.person_id AS id, p.name AS name LIMIT 1"


def run_statement(test: AppTest, statement: str) -> AppTest:
    test.text_area(key="cypher").set_value(statement)
    return test.button(key="run_cypher").click().run()


def test_a_person_is_picked_by_name_and_stands_in_the_address_by_id(
    network: Database, app: Open
) -> None:
    (talent,) = network.read(TALENT)
    test = app("queries", lang="zh", query="chain_down")
    test.button(key="run_chain_down").click().run()
    assert "未填写“人员”" in text(test) and "parameter" not in text(test)
    test.text_input(key="parameter_person_id_text").set_value(talent["name"]).run()
    test.button(key=f"parameter_person_id_add_{talent['id']}").click().run()
    assert test.query_params["q_person_id"] == talent["id"]
    test.number_input(key="parameter_chain_down_generations").set_value(2)
    test.button(key="run_chain_down").click().run()
    assert not test.exception and "行" in lead(test)
    assert test.query_params["q_generations"] == "2"
    assert talent["name"] not in str(dict(test.query_params))
    # The link fills the form again.
    again = app(
        "queries", lang="en", query="chain_down", q_person_id=talent["id"], q_generations="2"
    )
    assert again.number_input(key="parameter_chain_down_generations").value == 2
    assert talent["name"] in again.button(key="parameter_person_id_without").label
    again.button(key="parameter_person_id_without").click().run()
    assert "q_person_id" not in again.query_params


def test_an_error_and_another_query_leave_nothing_old(network: Database, app: Open) -> None:
    test = app("queries", lang="en", kind="cypher")
    run_statement(test, "MATCH (p:Person) RETURN p.person_id AS person_id LIMIT 3")
    assert "3 rows" in lead(test) and len(test.dataframe) == 1
    run_statement(test, "MATCH (n) DETACH DELETE n")
    assert not test.exception and "Not run" in text(test)
    assert not test.dataframe and "rows" not in lead(test)
    assert network.read("MATCH (n) RETURN count(n) AS n")[0]["n"] > 900
    test = app("queries", lang="en", query="loads")
    test.button(key="run_loads").click().run()
    assert "1 row" in lead(test)
    test.selectbox(key="queries_query_en").set_value("stated_by_several").run()
    assert not test.dataframe and "row" not in lead(test)


def test_a_statement_stands_in_the_address_unless_it_names_a_person(
    network: Database, app: Open
) -> None:
    test = app("queries", lang="en", kind="cypher")
    run_statement(test, "MATCH (p:Person) RETURN count(p) AS n")
    assert test.query_params["cypher"] == "MATCH (p:Person) RETURN count(p) AS n"
    run_statement(test, "MATCH (p:Person {name: '王'}) RETURN count(p) AS n")
    assert "cypher" not in test.query_params and "does not hold it" in text(test)
    again = app("queries", lang="en", kind="cypher", cypher="RETURN 7 AS n")
    assert again.text_area(key="cypher").value == "RETURN 7 AS n"


@pytest.mark.parametrize(
    "statement",
    [
        "MATCH (p:Person {name: '王一'}) RETURN p",
        "MATCH (p:Person) WHERE p.name = '王一' RETURN p.person_id",
        "MATCH (p:Person) WHERE '王一' = p.name RETURN p.person_id",
        "MATCH (p:Person) WHERE p.name IN ['王一', '李二'] RETURN p.person_id",
        "MATCH (p:Person) WHERE p.`name` STARTS WITH '王' RETURN p.person_id",
        "CALL db.index.fulltext.queryNodes('names', '王一') YIELD node RETURN node",
        "MATCH (p:Person {birth_date: date('1961-01-01')}) RETURN p",
        "RETURN '00010119900101001X' AS a, 000101199001010010",
    ],
)
def test_what_names_a_person_is_known(statement: str) -> None:
    assert has_personal_identifier(statement) or "0001" in statement


def test_a_capped_result_says_one_thing(
    network: Database, app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MAX_SHOWN_QUERY_ROWS", 5)
    test = app("queries", lang="en", kind="cypher")
    run_statement(test, "UNWIND range(1, 20000) AS x RETURN x")
    assert "more than 10,000 rows" in lead(test)
    assert "The first 5 rows are shown; the download has 10,000" in text(test)
    assert "10,000+" not in text(test) and "has them all" not in text(test)


def test_days_are_days_and_nested_values_json(network: Database, app: Open) -> None:
    test = app("queries", lang="en", kind="cypher")
    run_statement(
        test,
        "MATCH (p:LeadingTalent)-[r:MENTORS]->() WHERE r.start IS NOT NULL "
        "RETURN r.start AS day, [1, 2] AS l, {a: r.start} AS m, p LIMIT 1",
    )
    assert not test.exception
    result = test.session_state["queries_result"]
    frame = build_query_frame(result.table, "en")
    assert [str(kind) for kind in frame.dtypes] == ["Date", "String", "String", "String"]
    (row,) = frame.rows()
    assert row[1] == "[1, 2]"
    assert row[2] == f'{{"a": "{row[0].isoformat()}"}}'
    assert '"id": "' in row[3] and '"LeadingTalent"' in row[3] and "birth_date" not in row[3]


def test_neo4js_remarks_are_shown(network: Database, app: Open) -> None:
    test = app("queries", lang="zh", kind="cypher")
    run_statement(test, "MATCH (p:Persn) RETURN count(p) AS n")
    assert "没有标签 Persn" in text(test)
