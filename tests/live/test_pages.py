"""The pages on a real store, run without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from components import decisions, person, search
from graph.database import Database
from graph.honours import HONOURS
from graph.metrics.driven import measure
from graph.metrics.irreplaceable import irreplaceable
from graph.policy import Policy
from graph.settings import Settings
from graph.snapshot import take_snapshot
from tests.live.visiting import lead, text

ROOT = Path(__file__).parents[2]
PAGES = sorted(f.stem for f in (ROOT / "pages").glob("*.py") if f.stem != "__init__")
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
    found = measure(take_snapshot(network, settings), Policy()).national
    said = lead(app("overview", lang="en"))
    assert f"{found['driven_persons']:,} persons" in said
    assert f"{found['driven_person_times']:,} person-times" in said


def test_a_policy_in_the_address_changes_the_figures(
    network: Database, settings: Settings, app: Open
) -> None:
    policy = Policy(generations=1, channels=("mentorship",))
    found = measure(take_snapshot(network, settings), policy).national
    test = app("overview", lang="en", generations="1", channels="mentorship")
    assert f"{found['driven_persons']:,} persons" in lead(test)
    assert test.query_params["generations"] == "1"
    everything = measure(take_snapshot(network, settings), Policy()).national
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
    assert "persons" in lead(test)
    assert "generations" not in test.query_params


def test_an_unfinished_load_shows_no_figure(network: Database, app: Open) -> None:
    network.write("CREATE (:Load {load_id: 'cut-off', loader: 'folder', started_at: 'x'})")
    try:
        test = app("overview", lang="en")
        assert "cut-off" in text(test) and "has not finished" in text(test)
        assert "sc-lead" not in text(test).split("</style>")[-1]
    finally:
        network.write("MATCH (l:Load {load_id: 'cut-off'}) DELETE l")


def someone(network: Database, label: str) -> dict[str, Any]:
    return network.read(
        f"MATCH (p:{label}) RETURN p.person_id AS id, p.name AS name ORDER BY id LIMIT 1"
    )[0]


def test_a_talents_page_shows_figures_and_no_personal_number(
    network: Database, settings: Settings, app: Open
) -> None:
    rows = measure(take_snapshot(network, settings), Policy()).talents.sort("driven")
    most = rows.row(-1, named=True)
    test = app("talent", lang="en", id=most["talent_id"])
    said = lead(test)
    assert most["name"] in said and f"{most['driven']:,} persons" in said
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
        test.text_input(key="find_text").set_value(part).run()
        assert not test.exception
        found = search.find(part)["Person"].rows
        assert talent["id"] in {row["id"] for row in found}
        assert all(part in row["name"] for row in found if row["match"] != "mistake")
        assert "find" not in test.query_params and part not in str(dict(test.query_params))
    assert search.find(talent["name"][0])["Person"].total > 0
    assert search.find(talent["id"])["Person"].rows[0]["id"] == talent["id"]
    for hostile in ('"', "a:b AND (", "*", "\\", "}) DETACH DELETE"):
        search.find(hostile)


def test_what_was_typed_is_kept_for_its_owner_and_can_be_taken_away(
    network: Database, app: Open
) -> None:
    name = someone(network, "LeadingTalent")["name"]
    test = app("find", lang="en")
    for typed in (name[:2], name):
        test.text_input(key="find_text").set_value(typed).run()
    kept = search.searches("recent", "local")
    assert kept[0].body["text"] == name
    assert name[:2] not in [entry.body["text"] for entry in kept]
    assert search.searches("recent", "somebody@else") == []
    test.text_input(key="find_text").set_value("").run()
    test.button(key=f"search_{kept[0].id}").click().run()
    assert test.text_input(key="find_text").value == name
    test.button(key="find_save").click().run()
    assert [entry.body["text"] for entry in search.searches("saved", "local")] == [name]
    test.text_input(key="find_text").set_value("").run()
    test.button(key=f"forget_{kept[0].id}").click().run()
    assert kept[0].id not in [entry.id for entry in search.searches("recent", "local")]


def test_filters_of_the_table_and_their_address(network: Database, app: Open) -> None:
    everyone = app("talents", lang="en")
    assert lead(everyone).startswith("12 leading talents")
    province = network.read(
        "MATCH (p:LeadingTalent) RETURN p.province AS code, count(*) AS n ORDER BY n DESC LIMIT 1"
    )[0]
    test = app("talents", lang="en", province=province["code"])
    if province["n"] < 12:
        assert lead(test).startswith(f"{province['n']} of 12 leading talents")
    test.text_input(key="talents_text").set_value("\u0000no such name").run()
    assert not test.exception and "No talent meets these filters" in text(test)


def test_a_named_query_and_the_guard(network: Database, app: Open) -> None:
    test = app("queries", lang="en", query="chain_down")
    talent = someone(network, "LeadingTalent")
    test.text_input(key="parameter_chain_down_person_id").set_value(talent["id"])
    test.button(key="run_chain_down").click().run()
    assert "rows" in lead(test) and "0 rows" not in lead(test)
    test.button_group(key="queries_kind").set_value("cypher").run()
    test.text_area(key="cypher").set_value("MATCH (n) DETACH DELETE n")
    test.button(key="run_cypher").click().run()
    assert not test.exception and "Not run" in text(test)
    assert network.read("MATCH (n) RETURN count(n) AS n")[0]["n"] > 900


def test_boxes_of_many_people_are_those_looked_up_one_by_one(
    network: Database, settings: Settings, app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app("overview", lang="en")
    rows = network.read("MATCH (p:Person) RETURN p.person_id AS id ORDER BY id LIMIT 400")
    ids = [row["id"] for row in rows]
    monkeypatch.setattr(person, "LOOKED_UP", 0)
    many = person.boxes(ids, 4)
    monkeypatch.setattr(person, "LOOKED_UP", len(ids))
    one_by_one = person.boxes(ids, 4)
    for box in (*many.values(), *one_by_one.values()):
        box["honours"] = sorted(box["honours"])
    assert many == one_by_one and many.keys() == set(ids)


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
    assert decisions.standing_of("target")[listed].body["rule"] == "40-35-25-90-35-1"
    again.button(key=f"decide_target_{listed}_rejected").click().run()
    assert decisions.standing_of("target")[listed].body["verdict"] == "rejected"
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
    most = measure(snapshot, Policy()).talents.sort("driven").row(-1, named=True)
    lost = irreplaceable(snapshot, Policy()).filter(kind="person", id=most["talent_id"])
    st.cache_resource.clear()
    shown = figures_shown(app("talent", lang="en", id=most["talent_id"]))
    assert shown[1] == f"{most['driven']:,} persons"
    assert shown[2] == f"{most['person_times']:,} person-times"
    assert shown[4] == f"{most['pending']:,} persons"
    assert shown[5].split()[0] == f"{lost['irreplaceable'].sum():,}"


def test_a_profile_is_masked_by_role(
    network: Database, app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    born = network.read(
        "MATCH (p:LeadingTalent) WHERE p.birth_date IS NOT NULL "
        "RETURN p.person_id AS id, p.birth_date.year AS year ORDER BY id LIMIT 1"
    )[0]
    whole, decade = f"born {born['year']}", f"born {born['year'] // 10}\u00b7"
    manager = text(app("talent", lang="en", id=born["id"]))
    assert decade in manager and whole not in manager
    monkeypatch.setenv("SHICHENG_ROLE", "steward")
    assert whole in text(app("talent", lang="en", id=born["id"]))


# The last ones: they empty the store that the tests above share; nothing stands below them.
@pytest.mark.parametrize("page", PAGES)
def test_an_empty_store_says_the_one_thing_to_do(
    page: str, empty_database: Database, app: Open
) -> None:
    test = app(page, lang="en")
    assert lead(test) == "Nothing is loaded yet."
    assert "shicheng load folder" in text(test)
