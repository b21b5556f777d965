"""The tools of the lineage page: paths, common mentors, branches, notes, saved views, exports."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from graph.driven.branches import compute_branches
from graph.errors import NoPathError
from graph.people import network
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot
from tests.browser.conftest import FLAGS
from tests.browser.seeing import (
    CANVAS,
    WAIT,
    at_rest,
    lineage_ready,
    lineage_steady,
    most_driven,
    on_screen,
    people,
    picture,
    watch_pages,
)

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def snapshot(network: Database, settings: Settings) -> Snapshot:
    return take_snapshot(network, settings)


@pytest.fixture(scope="module")
def talent(network: Database, settings: Settings) -> dict[str, Any]:
    return most_driven(network, settings)


def name_of(snapshot: Snapshot, id: str) -> str:
    found = snapshot.frames["people"].filter(person_id=id).select("name").collect()
    name: str = found.item()
    return name


def far_apart(snapshot: Snapshot, start: str) -> tuple[str, Any]:
    """Someone three links or more from `start`, whichever way, and the paths to him or her."""
    ids = snapshot.frames["people"].select("person_id").collect()["person_id"]
    for other in ids.sort():
        try:
            graph = network.build_path_graph(snapshot, start, other, either_way=True)
        except NoPathError:
            continue
        if graph.graph["hops"] >= 3 and graph.graph["paths"] > 1:
            return other, graph
    raise AssertionError("nobody is three links away")


def test_a_path_is_found_by_name_drawn_and_reopened(
    show: Open, snapshot: Snapshot, talent: dict[str, Any], pictures: Path | None
) -> None:
    other, graph = far_apart(snapshot, talent["talent_id"])
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp", "en"))
    page.locator(".st-key-lineage_tool").get_by_text("Path", exact=True).click()
    box = page.get_by_placeholder("Add a person: name or number")
    box.fill(other)
    box.press("Enter")
    page.locator(f".st-key-path_add_{other} button").click(timeout=WAIT)
    answer = page.locator(".sc-answer", has_text=f"{graph.graph['hops']} links apart")
    answer.wait_for(timeout=WAIT)
    assert f"{graph.graph['paths']} shortest paths" in answer.inner_text()
    lineage_ready(page)
    assert people(page).keys() == set(graph)
    steps = page.locator(".st-key-path_list [data-person]")
    first = steps.evaluate_all("(all) => all.map((one) => one.dataset.person)")
    hops = dict(graph.nodes(data="hop"))
    assert [hops[id] for id in first] == list(range(graph.graph["hops"] + 1))
    assert first[0] == talent["talent_id"] and first[-1] == other
    for a, b in pairwise(first):
        starts = [
            link.get("start")
            for pair in ((a, b), (b, a))
            for link in graph.get_edge_data(*pair, default={}).values()
        ]
        said = page.locator(".st-key-path_list").inner_text()
        assert any(str(start) in said for start in starts) or None in starts
    page.get_by_role("button", name="Next path").click()
    page.wait_for_function(
        "(first) => [...document.querySelectorAll('.st-key-path_list [data-person]')]"
        ".map((one) => one.dataset.person).join() !== first",
        arg=",".join(first),
        timeout=WAIT,
    )
    second = steps.evaluate_all("(all) => all.map((one) => one.dataset.person)")
    picture(page, pictures, "lineage-path-en")

    assert name_of(snapshot, other) not in page.url
    again = lineage_ready(show(page.url.split("/", 3)[3], "en", "dark"))
    assert people(again).keys() == set(graph)
    steps = again.locator(".st-key-path_list [data-person]")
    assert steps.evaluate_all("(all) => all.map((one) => one.dataset.person)") == second
    picture(again, pictures, "lineage-path-en-dark")


def test_common_mentors_stand_above_all_who_are_named(
    show: Open, snapshot: Snapshot, talent: dict[str, Any], pictures: Path | None
) -> None:
    graph = network.build_lineage_graph(snapshot, talent["talent_id"], up=0, down=3, limit=500)
    last = [id for id, generation in graph.nodes(data="generation") if generation >= 2]
    chosen = next(
        [a, b]
        for a in last
        for b in reversed(last)
        if a != b
        and len(network.build_common_mentor_graph(snapshot, [a, b]).graph["nearest"]) == 1
        and not {a, b} & network.build_common_mentor_graph(snapshot, [a, b]).graph["nearest"].keys()
    )
    found = network.build_common_mentor_graph(snapshot, chosen)
    ((mentor, distances),) = found.graph["nearest"].items()
    query = "&".join(f"with={id}" for id in chosen)
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&tool=common&{query}"))
    page.locator(".sc-answer", has_text=name_of(snapshot, mentor)).wait_for(timeout=WAIT)
    assert people(page).keys() == set(found)
    said = page.locator(".st-key-common_0").inner_text()
    assert [int(n) for n in re.findall(r"(\d+) 代", said)] == list(distances)
    columns = {id: at[0] for id, at in people(page).items()}
    assert all(columns[mentor] < columns[id] for id in chosen)
    picture(page, pictures, "lineage-common-zh")


def test_two_branches_are_compared_by_the_engines_figures(
    show: Open, snapshot: Snapshot, talent: dict[str, Any], pictures: Path | None
) -> None:
    id = talent["talent_id"]
    page = lineage_ready(show(f"lineage?id={id}&tool=branches", "en"))
    table = page.locator(".sc-compare")
    table.wait_for(timeout=WAIT)
    names = table.locator("th").all_inner_texts()[1:]
    graph = network.build_lineage_graph(snapshot, id, up=0, down=1, limit=500)
    direct = {name_of(snapshot, other): other for other in graph if other != id}
    one, other = compute_branches(snapshot, Policy(), id, [direct[name] for name in names])
    rows = {row.split("\t")[0]: row.split("\t")[1:] for row in table.inner_text().split("\n")}
    assert rows["Driven (persons)"] == [f"{len(one.driven):,}", f"{len(other.driven):,}"]
    assert rows["Person-times"] == [f"{one.person_times:,}", f"{other.person_times:,}"]
    both = one.driven.keys() & other.driven.keys()
    assert f"{len(both):,} person" in page.locator(".sc-answer").inner_text()
    picture(page, pictures, "lineage-branches-en")


def test_a_line_of_the_chain_centres_the_lineage(
    show: Open, snapshot: Snapshot, talent: dict[str, Any]
) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp"))
    driven = network.build_lineage_graph(snapshot, talent["talent_id"], up=0, down=3)
    shown = [id for id in on_screen(page) if driven.nodes.get(id, {}).get("generation", 0) >= 1]
    for id in shown:
        page.mouse.click(*people(page)[id])
        page.locator(f".st-key-notes_{id}").wait_for(timeout=WAIT)
        at_rest(page)
        if page.locator(".st-key-evidence [data-person]").count():
            break
    step = page.locator(".st-key-evidence [data-person]").last
    where = step.get_attribute("data-person")
    step.click()
    lineage_steady(page)
    box = page.evaluate(
        f"() => {{ const b = {CANVAS}.getBoundingClientRect();"
        " return [b.x + b.width / 2, b.y + b.height / 2]; }"
    )
    x, y = people(page)[where]
    assert abs(x - box[0]) < 60 and abs(y - box[1]) < 30


def beside_the_focus(page: Any, focus: str) -> str:
    """Whoever else stands nearest to the person in focus."""
    places = on_screen(page)
    x, y = places[focus]
    others = sorted(
        (abs(at[0] - x) + abs(at[1] - y), id) for id, at in places.items() if id != focus
    )
    return others[0][1]


PAYLOAD = "<img src=x onerror=alert(1)> **粗** 第一次带徒很用心"


def test_a_note_is_kept_shown_escaped_and_taken_away(show: Open, talent: dict[str, Any]) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp", "en"))
    page.get_by_text("Add a note").click()
    page.get_by_label("Note on", exact=False).fill(PAYLOAD)
    page.get_by_role("button", name="Save the note").click()
    page.locator(".sc-written", has_text="第一次带徒很用心").wait_for(timeout=WAIT)
    again = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp", "en"))
    written = again.locator(".sc-written", has_text="第一次带徒很用心")
    written.wait_for(timeout=WAIT)
    assert PAYLOAD in written.inner_text() and not written.locator("img").count()
    assert re.search(r"\d{4}-\d\d-\d\d", written.inner_text())
    again.get_by_role("button", name="✕").first.click()
    written.wait_for(state="detached", timeout=WAIT)
    after = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp", "en"))
    assert not after.locator(".sc-written").count()


def test_a_view_is_saved_and_reopened_exactly(
    show: Open, snapshot: Snapshot, talent: dict[str, Any]
) -> None:
    id = talent["talent_id"]
    page = lineage_ready(show(f"lineage?id={id}&view=bp", "en"))
    before = people(page).keys()
    selected = beside_the_focus(page, id)
    page.mouse.click(*people(page)[selected])
    page.wait_for_url(f"**selected={selected}**", timeout=WAIT)
    at_rest(page)
    page.get_by_role("button", name="Saved views").click()
    page.get_by_label("Name of this view").fill("Three generations")
    page.get_by_label("A note on it").fill("for the quarter")
    page.get_by_role("button", name="Save this view").click()
    link = page.get_by_role("button", name="Three generations")
    link.wait_for(timeout=WAIT)
    assert "for the quarter" in page.locator("[class*=st-key-view_entry]").first.inner_text()

    fresh = lineage_ready(show(f"lineage?id={id}&view=bl", "en"))
    assert people(fresh).keys() != before
    fresh.get_by_role("button", name="Saved views").click()
    fresh.get_by_role("button", name="Three generations").click()
    fresh.wait_for_url(f"**selected={selected}**", timeout=WAIT)
    fresh.wait_for_function(
        f"(ids) => ids.every((id) => {CANVAS}.shichengLineage.people.has(id))",
        arg=sorted(before),
        timeout=WAIT,
    )
    lineage_ready(fresh)
    assert people(fresh).keys() == before
    assert "view=bp" in fresh.url
    remove = fresh.locator("[class*=st-key-view_remove] button").first
    if not remove.is_visible():
        fresh.get_by_role("button", name="Saved views").click()
    remove.click()
    fresh.get_by_role("button", name="Three generations").wait_for(state="detached", timeout=WAIT)


def test_the_address_to_share_reopens_the_view_in_a_fresh_profile(
    show: Open, talent: dict[str, Any]
) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp&generations=2", "en"))
    other = beside_the_focus(page, talent["talent_id"])
    page.mouse.click(*people(page)[other])
    page.wait_for_url(f"**selected={other}**", timeout=WAIT)
    at_rest(page)
    page.get_by_role("button", name="Share this view").click()
    address = page.locator("[data-testid=stPopoverBody] code").inner_text(timeout=WAIT)
    assert "generations=2" in address and talent["name"] not in address
    again = lineage_ready(show(address.split("/", 3)[3], "en"))
    assert people(again).keys() == people(page).keys()
    again.locator(f".st-key-notes_{other}").wait_for(timeout=WAIT)


@pytest.fixture(scope="module")
def taken(
    chromium: Any,
    serve: Callable[..., str],
    network: Database,
    settings: Settings,
    talent: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Path], set[str]]:
    """Every format of one view, by its button, and the people of the view."""
    folder = tmp_path_factory.mktemp("taken")
    root = Path(__file__).parents[2]
    url = serve(root / "app.py", env={"SHICHENG_HOME": str(settings.home)})
    profile = chromium.new_context(locale="en-GB", viewport={"width": 1400, "height": 900})
    profile.set_default_timeout(WAIT)
    watch_pages(profile)
    page = profile.new_page()
    page.goto(f"{url}/lineage?id={talent['talent_id']}&view=bp")
    lineage_ready(page)
    ids = set(people(page))
    page.get_by_role("button", name="Export").click()
    files = {}
    for name in ("PNG", "SVG", "HTML", "GraphML", "CSV (zip)"):
        button = page.get_by_role("button", name=name, exact=True)
        button.wait_for(timeout=WAIT)
        with page.expect_download(timeout=WAIT) as download:
            button.click()
        files[name] = folder / download.value.suggested_filename
        download.value.save_as(files[name])
    profile.close()
    return files, ids


def test_exports_hold_the_view_the_policy_and_the_revision(
    taken: tuple[dict[str, Path], set[str]], snapshot: Snapshot, talent: dict[str, Any]
) -> None:
    from xml.etree import ElementTree

    from PIL import Image

    files, ids = taken
    graph = nx.read_graphml(files["GraphML"])
    assert set(graph) == ids
    assert graph.graph["policy_id"] == Policy().id
    assert graph.graph["filter_id"] == talent["talent_id"]
    assert all(isinstance(level, int) for _, level in graph.nodes(data="level") if level)
    names = {file.name for file in files.values()}
    assert all(talent["name"] in name and date.today().isoformat() in name for name in names)
    assert files["CSV (zip)"].suffix == ".zip"
    with zipfile.ZipFile(files["CSV (zip)"]) as archive:
        nodes = archive.read("nodes.csv").decode("utf-8-sig").splitlines()
        about = archive.read("about.csv").decode("utf-8-sig")
    assert len(nodes) == len(ids) + 1
    assert Policy().id in about and f"revision,{snapshot.revision}" in about
    drawing = ElementTree.fromstring(files["SVG"].read_text("utf-8"))
    space = "{http://www.w3.org/2000/svg}"
    drawn = drawing.findall(f"{space}g[@class='person']")
    assert {person.get("data-id") for person in drawn} == ids
    metadata = json.loads(drawing.findtext(f"{space}metadata") or "")
    assert metadata["policy_id"] == Policy().id and metadata["revision"] == snapshot.revision
    image = Image.open(io.BytesIO(files["PNG"].read_bytes()))
    assert image.width >= 760 and len(image.convert("RGB").getcolors(1 << 24) or []) > 20


def test_the_page_taken_away_opens_by_itself_and_answers_to_the_mouse(
    taken: tuple[dict[str, Path], set[str]],
    open_page: Callable[..., Any],
    talent: dict[str, Any],
    pictures: Path | None,
) -> None:
    files, ids = taken
    assert "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1" in FLAGS
    page = open_page(files["HTML"].as_uri(), offline=True)
    people = page.locator("main svg .person")
    people.first.wait_for(timeout=WAIT)
    assert people.count() == len(ids)
    head = page.locator("header").inner_text()
    assert talent["name"] in head and Policy().id in head and "Revision" in head
    assert "Lineage of" in page.locator("h1").inner_text()
    drawn = page.locator("main svg").text_content()
    assert "high-skilled" in drawn and "Gen 1" in drawn and re.search(r"\+\d", drawn)
    page.locator(f"[data-id='{talent['talent_id']}']").click()
    page.locator(".person.on").first.wait_for(timeout=WAIT)
    box = "() => document.querySelector('main svg').viewBox.baseVal.width"
    width = page.evaluate(box)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"(width) => ({box})() < width", arg=width, timeout=WAIT)
    picture(page, pictures, "lineage-html-export")


def test_a_filter_leaves_those_asked_for_and_stands_in_the_address(
    show: Open, snapshot: Snapshot, talent: dict[str, Any], pictures: Path | None
) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp"))
    before = people(page).keys()
    page.get_by_role("button", name="筛选").click()
    page.locator(".st-key-lineage_channels button", has_text="工作室").click()
    page.wait_for_url("**view=cs**", timeout=WAIT)
    page.get_by_role("button", name="筛选（1）").wait_for(timeout=WAIT)
    lineage_ready(page)
    shown = people(page).keys()
    channels = page.evaluate(
        f"() => {CANVAS}.shichengNetwork.body.data.edges.get().map((edge) => edge.channel)"
    )
    assert set(channels) <= {"studio"} and shown != before
    picture(page, pictures, "lineage-filtered")
    again = lineage_ready(show(page.url.split("/", 3)[3]))
    assert people(again).keys() == shown
    again.get_by_role("button", name="筛选（1）").click()
    again.locator(".st-key-lineage_unfiltered button").click()
    again.get_by_role("button", name="筛选", exact=True).wait_for(timeout=WAIT)
    lineage_ready(again)
    assert people(again).keys() == before
