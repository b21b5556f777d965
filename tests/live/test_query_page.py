"""The page of queries: what stands in its address, what it shows, and what it no longer shows."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from graph.audit.entries import AuditFilter, iterate_audit_entries
from graph.cypher.masking import has_personal_identifier
from graph.server.database import Database
from tests.live.visiting import go, lead, text
from ui.queries import result
from ui.queries.result import build_query_frame
from ui.shell import visitor as visiting
from ui.shell.result_files import build_result_routes
from ui.shell.visitor import Visitor

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


def test_a_large_result_is_read_page_by_page_and_taken_away_whole(
    network: Database, app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result, "MAX_SHOWN_QUERY_ROWS", 500)
    test = app("queries", lang="en", kind="cypher")
    run_statement(test, "UNWIND range(1, 25000) AS x RETURN x, [x] AS xs")
    answer = test.session_state["queries_result"].answer
    assert answer.wait_for_end(60)
    test.run()
    assert "25,000 rows" in lead(test) and "Rows 1 to 500 of 25,000" in text(test)
    test.session_state["queries_page"] = 50
    test.run()
    assert not test.exception and "Rows 24,501 to 25,000" in text(test)
    assert test.dataframe[0].value.iloc[-1].to_list() == [25_000, "[25000]"]
    holder = test.session_state["queries_result"].tickets["en"]
    client = TestClient(Starlette(routes=build_result_routes()))
    files = {f: client.get("/" + holder.address(f)) for f in ("csv", "json", "parquet", "xlsx")}
    assert {f: answer.status_code for f, answer in files.items()} == dict.fromkeys(files, 200)
    assert files["csv"].text.splitlines()[-1] == "25000,[25000]"
    assert len(files["json"].json()["rows"]) == 25_000
    assert pl.read_parquet(files["parquet"].content).height == 25_000
    assert files["xlsx"].content[:2] == b"PK"
    logged = iterate_audit_entries(network.settings.home, AuditFilter("export"))
    assert {e.facts["format"] for e in logged if e.facts.get("what") == "query"} >= set(files)
    other = TestClient(client.app, cookies={"shicheng_session": "of somebody else"})
    assert other.get("/" + holder.address("csv")).status_code == 404
    # Another query takes the first one's files away.
    run_statement(test, "RETURN 1 AS x")
    assert answer.folder.is_removed
    assert client.get("/" + holder.address("csv")).status_code in (404, 409)


def test_the_next_visitor_of_a_session_sees_none_of_a_stewards_rows(
    network: Database, app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    masked = "MATCH ()-[r]->() WHERE r.certificate_no IS NOT NULL RETURN r.certificate_no AS c"
    numbers = [row["c"] for row in network.read(f"{masked} LIMIT 3")]
    assert len(numbers) == 3
    monkeypatch.setattr(visiting, "_identify", lambda _: Visitor("di", "steward"))
    test = app("queries", lang="en", kind="cypher")
    run_statement(test, f"{masked} LIMIT 500")
    assert numbers[0] in list(test.dataframe[0].value["c"])
    result = test.session_state["queries_result"]
    monkeypatch.setattr(visiting, "_identify", lambda _: Visitor("an", "analyst"))
    go(test, "queries", lang="en", kind="cypher")
    assert not test.exception and not test.dataframe and not test.code
    drawn = text(test) + str([one.value for one in (*test.text_area, *test.text_input)])
    assert not any(number in drawn for number in numbers) and "certificate_no" not in drawn
    assert "queries_result" not in test.session_state
    assert result.answer.folder.is_removed
    # Nor is it shown where it was stored all the same.
    test.session_state["queries_result"] = result
    go(test, "queries", lang="en", kind="cypher")
    assert not test.exception and not test.dataframe


def test_days_are_days_and_nested_values_json(network: Database, app: Open) -> None:
    test = app("queries", lang="en", kind="cypher")
    run_statement(
        test,
        "MATCH (p:LeadingTalent)-[r:MENTORS]->() WHERE r.start IS NOT NULL "
        "RETURN r.start AS day, [1, 2] AS l, {a: r.start} AS m, p LIMIT 1",
    )
    assert not test.exception
    answer = test.session_state["queries_result"].answer
    frame = build_query_frame(answer.read_page(0, 10), "en")
    assert [str(kind) for kind in frame.dtypes] == ["Date", "String", "String", "String"]
    (row,) = frame.rows()
    assert row[1] == "[1, 2]"
    assert row[2] == f'{{"a": "{row[0].isoformat()}"}}'
    assert '"id": "' in row[3] and '"LeadingTalent"' in row[3] and "birth_date" not in row[3]


def test_neo4js_remarks_are_shown(network: Database, app: Open) -> None:
    test = app("queries", lang="zh", kind="cypher")
    run_statement(test, "MATCH (p:Persn) RETURN count(p) AS n")
    assert "没有标签 Persn" in text(test)


def test_a_plan_is_drawn_and_an_error_has_its_place(network: Database, app: Open) -> None:
    test = app("queries", lang="en", kind="cypher")
    test.text_area(key="cypher").set_value(
        "MATCH (p:Person), (q:Studio) RETURN p.name AS a, q.name AS b"
    )
    test.button(key="explain_cypher").click().run()
    assert not test.exception and "nothing was run" in text(test)
    assert "CartesianProduct" in text(test) and 'class="box costly"' in text(test)
    assert list(test.dataframe[0].value)[:2] == ["Operator", "Expected rows"]
    test.text_area(key="cypher").set_value("MATCH (p:Person) RETURN p.province AS a, count(*) AS n")
    test.button(key="profile_cypher").click().run()
    table = test.dataframe[0].value
    assert table["Rows"].iloc[0] > 1 and table["Reads of the store"].sum() > 900
    run_statement(test, "MATCH (p:Person)\nWHERE p.a ==\nRETURN p")
    assert "line 2, column" in text(test) and test.code[0].value.endswith("^")
    test.text_area(key="cypher").set_value("MATCH (p:Person) RETURN p.birth_date AS a")
    test.button(key="explain_cypher").click().run()
    assert "only a data steward" in text(test) and not test.dataframe
    named = app("queries", lang="zh", query="loads")
    named.button(key="explain_loads").click().run()
    assert not named.exception and "ProduceResults" in text(named)


def test_statements_are_tabs_that_are_saved_and_asked_for_their_parameters(
    network: Database, app: Open
) -> None:
    test = app("queries", lang="en", kind="cypher")
    statement = (
        "// param province: province? | en: Province | zh: 省份\n"
        "MATCH (p:Person) WHERE $province IS NULL OR p.province = $province RETURN count(p) AS n"
    )
    run_statement(test, statement)
    (all_people,) = test.dataframe[0].value["n"]
    test.selectbox(key="parameter_own_province").set_value("32")
    test.button(key="run_cypher").click().run()
    assert 0 < test.dataframe[0].value["n"].iloc[0] < all_people
    test.text_input(key="queries_title_new").set_value("People of a province")
    test.button(key="queries_save_now").click().run()
    assert not test.exception and "is saved" in text(test)
    test.button(key="queries_tab_new").click().run()
    assert test.text_area(key="cypher").value == ""
    test.selectbox(key="queries_inserted").set_value(":LeadingTalent")
    test.button(key="queries_insert_now").click().run()
    assert test.text_area(key="cypher").value == ":LeadingTalent"
    (saved,) = [one for one in test.button if one.label == "People of a province"][:1]
    saved.click().run()
    assert test.text_area(key="cypher").value == statement


def test_a_dashboard_is_put_together_run_and_opened_by_its_address(
    network: Database, app: Open
) -> None:
    test = app("queries", lang="en", kind="dashboard")
    test.text_input(key="dashboard_title_new").set_value("Supply")
    test.multiselect(key="dashboard_queries_new").set_value(
        ["talents_by_industry", "studios_by_kind_and_grade"]
    ).run()
    test.button(key="dashboard_save").click().run()
    assert not test.exception and "Supply is saved" in text(test)
    again = app("queries", lang="zh", kind="dashboard", dashboard=test.query_params["dashboard"])
    again.button(key="run_dashboard").click().run()
    assert not again.exception and len(again.dataframe) == 2
    assert "领军人才数量（按行业）" in text(again)
