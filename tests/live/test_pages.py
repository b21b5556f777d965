"""The pages on a real store, run without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.driven.figures import measure_driven
from graph.metrics.irreplaceable import compute_irreplaceable
from graph.policy import Policy
from graph.programme.nominations import HONOURS
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.visiting import lead, text
from ui.controls import decisions
from ui.pages import PAGES
from ui.person import record
from ui.person.person import PersonBox
from ui.reading import search

ROOT = Path(__file__).parents[2]
Open = Callable[..., AppTest]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_with_a_sentence(
    page: str, lang: str, network: Database, app: Open
) -> None:
    test = app(page, lang=lang)
    sentence = lead(test)
    assert bool(re.search("[\u4e00-\u9fff]", sentence)) == (lang == "zh")
    assert ("师承" if lang == "zh" else "Shicheng") in text(test)
    assert "sc-note" not in text(test).split("</style>")[-1]


def test_the_overview_says_what_the_metric_found(
    network: Database, settings: Settings, app: Open
) -> None:
    found = measure_driven(take_snapshot(network, settings), Policy()).national
    said = lead(app("overview", lang="en"))
    assert f"{found['driven_persons']:,} people" in said
    assert f"{found['driven_person_times']:,} person-times" in said


def test_a_policy_in_the_address_changes_the_figures(
    network: Database, settings: Settings, app: Open
) -> None:
    policy = Policy(generations=1, channels=("mentorship",))
    found = measure_driven(take_snapshot(network, settings), policy).national
    test = app("overview", lang="en", generations="1", channels="mentorship")
    assert f"{found['driven_persons']:,} people" in lead(test)
    assert test.query_params["generations"] == "1"
    everything = measure_driven(take_snapshot(network, settings), Policy()).national
    assert everything["driven_persons"] > found["driven_persons"]


def test_a_profile_is_saved_as_its_visitor_sees_it(
    network: Database, app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is written after the page's run, where nobody's language or role is known."""
    offered: dict[str, Callable[[], bytes]] = {}
    monkeypatch.setattr(
        st, "download_button", lambda label, data, *rest, key, **_: offered.update({key: data})
    )
    one = network.read(
        "MATCH (p:LeadingTalent)-[r:RECOGNISED]->() WHERE size(r.certificate_no) > 6 "
        "RETURN p.person_id AS id, p.birth_date.year AS born, r.certificate_no AS number LIMIT 1"
    )[0]
    sentence = lead(app("talent", lang="zh", id=one["id"], generations="2"))
    with ThreadPoolExecutor(1) as elsewhere:
        written = elsewhere.submit(offered["profile_sheet"]).result().decode("utf-8")
    said = re.sub("<[^>]+>", "", written)
    assert sentence in said and 'lang="zh-CN"' in written
    assert f"{one['born'] // 10}·" in said and str(one["born"]) + "年" not in said
    assert one["number"] not in written
    assert "&quot;generations&quot;: 2" in written


def test_a_broken_policy_in_the_address_is_the_default(network: Database, app: Open) -> None:
    test = app("overview", lang="en", generations="-3", window="x")
    assert "people" in lead(test)
    assert "generations" not in test.query_params


def test_an_unfinished_load_shows_the_revision_before_it(network: Database, app: Open) -> None:
    before = lead(app("overview", lang="en"))
    network.write("CREATE (:Load {load_id: 'cut-off', loader: 'folder', started_at: 'x'})")
    try:
        test = app("overview", lang="en")
        assert "A load was broken off" in text(test)
        assert lead(test) == before
    finally:
        network.write("MATCH (l:Load {load_id: 'cut-off'}) DELETE l")


def someone(network: Database, label: str) -> dict[str, Any]:
    return network.read(
        f"MATCH (p:{label}) RETURN p.person_id AS id, p.name AS name ORDER BY id LIMIT 1"
    )[0]


def test_a_talents_page_shows_figures_and_no_personal_number(
    network: Database, settings: Settings, app: Open
) -> None:
    rows = measure_driven(take_snapshot(network, settings), Policy()).talents.sort("driven")
    most = rows.row(-1, named=True)
    test = app("talent", lang="en", id=most["talent_id"])
    said = lead(test)
    assert most["name"] in said and f"{most['driven']:,} people" in said
    born = network.read(
        "MATCH (p:Person {person_id: $id}) RETURN toString(p.birth_date) AS day",
        {"id": most["talent_id"]},
    )[0]["day"]
    assert born is None or born not in text(test)
    assert "id_number" not in text(test)


def test_anyone_has_a_page_and_nobody_is_said_so(network: Database, app: Open) -> None:
    apprentice = network.read(
        "MATCH (p:Apprentice) WHERE NOT p:LeadingTalent RETURN p.person_id AS id, p.name AS name "
        "ORDER BY id LIMIT 1"
    )[0]
    assert apprentice["name"] in lead(app("talent", lang="en", id=apprentice["id"]))
    assert "nobody" in lead(app("talent", lang="en", id="no such"))


def test_find_by_part_of_a_name(
    network: Database, app: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    talent = someone(network, "LeadingTalent")
    test = app("find", lang="zh")
    for part in {talent["name"][:2], talent["name"][-2:]}:
        test.text_input(key="find_typed_text").set_value(part).run()
        assert not test.exception
        found = search.search_by_text(part)["Person"].rows
        assert talent["id"] in {row.id for row in found}
        assert all(part in row.name for row in found if row.match != "mistake")
        assert "find" not in test.query_params and part not in str(dict(test.query_params))
    assert search.search_by_text(talent["name"][0])["Person"].total > 0
    assert search.search_by_text(talent["id"])["Person"].rows[0].id == talent["id"]
    project = network.read("MATCH (n:Project) RETURN n.project_id AS id, n.name AS name LIMIT 1")[0]
    assert project["id"] in {
        row.id for row in search.search_by_text(project["name"])["Project"].rows
    }
    test.text_input(key="find_typed_text").set_value(project["name"]).run()
    assert not test.exception and "项目" in lead(test)
    for hostile in ('"', "a:b AND (", "*", "\\", "}) DETACH DELETE"):
        search.search_by_text(hostile)


def test_what_was_typed_is_kept_for_its_owner_and_can_be_taken_away(
    network: Database, app: Open
) -> None:
    name = someone(network, "LeadingTalent")["name"]
    test = app("find", lang="en")
    for typed in (name[:2], name):
        test.text_input(key="find_typed_text").set_value(typed).run()
    searches = search.list_searches("recent", "local")
    assert searches[0].body["text"] == name
    assert name[:2] not in [entry.body["text"] for entry in searches]
    assert search.list_searches("recent", "somebody@else") == []
    test.text_input(key="find_typed_text").set_value("").run()
    test.button(key=f"search_{searches[0].id}").click().run()
    assert test.text_input(key="find_typed_text").value == name
    test.button(key="find_save").click().run()
    assert [entry.body["text"] for entry in search.list_searches("saved", "local")] == [name]
    test.text_input(key="find_typed_text").set_value("").run()
    test.button(key=f"forget_{searches[0].id}").click().run()
    assert searches[0].id not in [entry.id for entry in search.list_searches("recent", "local")]


def test_filters_of_the_table_and_their_address(network: Database, app: Open) -> None:
    everyone = app("talents", lang="en")
    assert lead(everyone).startswith("Together, 12 leading talents")
    province = network.read(
        "MATCH (p:LeadingTalent) RETURN p.province AS code, count(*) AS n ORDER BY n DESC LIMIT 1"
    )[0]
    test = app("talents", lang="en", province=province["code"])
    if province["n"] < 12:
        assert lead(test).startswith(f"Together, {province['n']} of 12 leading talents")
    test.text_input(key="talents_typed_text").set_value("\u0000no such name").run()
    assert not test.exception and "No talent matches these filters" in text(test)


def test_boxes_of_many_people_are_those_looked_up_one_by_one(
    network: Database, settings: Settings, app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app("overview", lang="en")
    rows = network.read("MATCH (p:Person) RETURN p.person_id AS id ORDER BY id LIMIT 400")
    ids = [row["id"] for row in rows]
    monkeypatch.setattr(record, "MAX_QUERIED_IDS", 0)
    many = record.fetch_person_boxes(ids, 4)
    monkeypatch.setattr(record, "MAX_QUERIED_IDS", len(ids))
    one_by_one = record.fetch_person_boxes(ids, 4)
    many, one_by_one = (
        {id: replace(box, honours=tuple(sorted(box.honours))) for id, box in found.items()}
        for found in (many, one_by_one)
    )
    assert many == one_by_one and many.keys() == set(ids)
    assert record.fetch_person_boxes(["nobody"], 4) == {"nobody": PersonBox("nobody", "nobody")}


def test_a_decision_on_a_candidate_stands_and_is_in_the_list(network: Database, app: Open) -> None:
    listed = network.read("MATCH (p:TrainingTarget) RETURN p.person_id AS id ORDER BY id LIMIT 1")[
        0
    ]["id"]
    test = app("targets", lang="en", person=listed, rule="40-35-25-90-35-1")
    assert "on the list" in lead(test)
    test.text_input(key=f"decide_target_{listed}_note").set_value("good hands")
    test.button(key=f"decide_target_{listed}_accepted").click().run()
    again = app("targets", lang="en", person=listed)
    assert "good hands" in text(again) and "accepted" in text(again)
    assert decisions.list_current_decisions("target")[listed].body["rule"] == "40-35-25-90-35-1"
    again.button(key=f"decide_target_{listed}_rejected").click().run()
    assert decisions.list_current_decisions("target")[listed].body["verdict"] == "rejected"
    assert "accepted" in text(again) and "rejected" in text(again)


def test_nominations_of_each_honour_say_how_many(network: Database, app: Open) -> None:
    for code in ("municipal_recognition", "china_skills_award"):
        test = app("nominations", lang="en", honour=code)
        assert HONOURS[code].en in lead(test)
        assert test.query_params["honour"] == code


def figures_shown(test: AppTest) -> list[str]:
    """The six figures of a profile, as they are set."""
    strip = re.search(r'<div class="sc-figures">(.*?</div>)</div>', text(test), re.DOTALL)
    assert strip, text(test)
    return re.findall(r"<b[^>]*>(.*?)</b>", strip[1])


def test_a_profiles_figures_are_the_engines(
    network: Database, settings: Settings, app: Open
) -> None:
    snapshot = take_snapshot(network, settings)
    most = measure_driven(snapshot, Policy()).talents.sort("driven").row(-1, named=True)
    lost = compute_irreplaceable(snapshot, Policy()).filter(kind="person", id=most["talent_id"])
    st.cache_resource.clear()
    shown = figures_shown(app("talent", lang="en", id=most["talent_id"]))
    assert shown[1] == f"{most['driven']:,} people"
    assert shown[2] == f"{most['person_times']:,} person-times"
    assert shown[4] == f"{most['pending']:,} people"
    assert shown[5].split()[0] == f"{lost['irreplaceable'].sum():,}"


def test_a_profile_is_masked_by_role(
    network: Database, app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    born = network.read(
        "MATCH (p:LeadingTalent) WHERE p.birth_date IS NOT NULL "
        "RETURN p.person_id AS id, p.birth_date.year AS year ORDER BY id LIMIT 1"
    )[0]
    full_year, decade = f"born {born['year']}", f"born {born['year'] // 10}\u00b7"
    manager = text(app("talent", lang="en", id=born["id"]))
    assert decade in manager and full_year not in manager
    monkeypatch.setenv("SHICHENG_ROLE", "steward")
    assert full_year in text(app("talent", lang="en", id=born["id"]))


# The last ones: they empty the store that the tests above share; nothing stands below them.
@pytest.mark.parametrize("page", sorted(PAGES.keys() - {"audit", "load"}))
def test_an_empty_store_says_the_one_thing_to_do(
    page: str, empty_database: Database, app: Open
) -> None:
    test = app(page, lang="en")
    assert lead(test) == "Nothing is loaded yet."
    assert "shicheng load folder" in text(test)
