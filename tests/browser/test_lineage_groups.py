"""A large lineage as groups, in the browser: counts, opening in place, lists, back to people."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.driven.figures import measure_driven
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot
from tests.browser.seeing import CANVAS, WAIT, at_rest, lineage_ready, most_driven, picture
from tests.filling import filled

Open = Callable[..., Any]
VIEW = f"{CANVAS}.shichengLineage"
BOXES = f"""() => [...{VIEW}.people.values()].map((p) => ({{id: p.id, layer: p.layer, name: p.name,
    persons: p.group?.persons, driven: p.group?.driven, target: p.group?.target, state: p.state,
    open: p.group?.open, shown: p.shown}}))"""


@pytest.fixture(scope="module")
def network(
    database: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A store with talents whose lineages have some hundred people."""
    made = tmp_path_factory.mktemp("groups") / "made"
    filled(database, settings, made, talents=8, workers=5_000, seed=11)
    yield database


@pytest.fixture(scope="module")
def snapshot(network: Database, settings: Settings) -> Snapshot:
    return take_snapshot(network, settings)


@pytest.fixture(scope="module")
def talent(network: Database, settings: Settings) -> dict[str, Any]:
    return most_driven(network, settings)


def boxes(page: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(BOXES)
    return found


def act(page: Any, what: str, then: str) -> None:
    """Does something in the widget and waits until its data say so."""
    page.evaluate(f"() => {{ const view = {VIEW}; {what} }}")
    page.wait_for_function(f"() => {{ const view = {VIEW}; return {then}; }}", timeout=WAIT)
    lineage_ready(page)


def test_a_large_lineage_begins_as_groups_that_add_up_to_the_figure(
    show: Open, snapshot: Snapshot, talent: dict[str, Any], pictures: Path | None
) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}"))
    workers = measure_driven(snapshot, Policy()).workers_of(talent["talent_id"])
    driven = dict(workers.group_by("generation").len().iter_rows())
    by_generation: dict[int, int] = {}
    for box in boxes(page):
        counts = box["driven"] if box["persons"] else int(box["state"] == "driven")
        by_generation[box["layer"]] = by_generation.get(box["layer"], 0) + counts
    assert {g: n for g, n in by_generation.items() if n} == driven
    heads = page.evaluate(f"() => [...{VIEW}.heads.element.children].map((head) => head.innerText)")
    for generation, number in driven.items():
        assert any(f"第 {generation} 代" in head and f"{number:,}" in head for head in heads)
    assert "view=bb" in page.url
    picture(page, pictures, "lineage-groups-zh")


def test_a_group_opens_by_keys_to_its_people_and_l_lists_them(
    show: Open, talent: dict[str, Any], pictures: Path | None
) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bo", "en", "dark"))
    group = max((b for b in boxes(page) if b["target"]), key=lambda b: b["persons"])
    page.evaluate(
        f"(id) => {{ const view = {VIEW}; view.canvas.focus();"
        " view.keyboard.standAt(view.people.get(id)); }",
        group["id"],
    )
    said = page.evaluate(f"() => {VIEW}.reader.live.textContent")
    assert f"{group['persons']:,}" in said and "driven" in said
    page.keyboard.press("Enter")
    page.wait_for_function(
        f"(id) => {VIEW}.people.get(id)?.group.open", arg=group["id"], timeout=WAIT
    )
    at_rest(page)
    inside = [b for b in boxes(page) if b["id"].startswith(group["id"] + "\n")]
    people = [b for b in boxes(page) if b["layer"] == group["layer"] and not b["persons"]]
    assert inside or people
    picture(page, pictures, "lineage-group-open-en-dark")

    page.keyboard.press("l")
    listed = page.locator(".st-key-lineage_list")
    listed.wait_for(timeout=WAIT)
    at_rest(page)
    assert f"{group['persons']:,} people" in listed.inner_text()
    with page.expect_download(timeout=WAIT) as download:
        listed.get_by_role("button", name="CSV").click()
    name = download.value.suggested_filename
    assert talent["name"] in name and name.endswith(".csv")
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert len(rows) == group["persons"]
    assert sum(row["State"] == "driven" for row in rows) == group["driven"]
    listed.get_by_role("button", name="Close the list").click()
    listed.wait_for(state="detached", timeout=WAIT)

    act(
        page,
        "view.actions.send({action: 'undo'})",
        f"!view.people.get({group['id']!r})?.group.open",
    )


def test_zooming_out_makes_groups_of_people_and_heads_stay(
    show: Open, talent: dict[str, Any]
) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp"))
    canvas = page.evaluate(
        f"() => {{ const b = {CANVAS}.getBoundingClientRect(); return [b.y, b.y + b.height]; }}"
    )
    heights = page.evaluate(
        f"() => [...{VIEW}.people.values()].map((p) =>"
        f" {CANVAS}.shichengNetwork.canvasToDOM({{x: p.x, y: p.y}}).y)"
    )
    assert min(heights) >= 0 and max(heights) <= canvas[1] - canvas[0]  # one screen is one screen
    act(page, "view.camera.scaleBy(0.6)", "view.network.getScale() < 0.7")
    shown = page.evaluate(
        f"() => [...{VIEW}.heads.element.children].map("
        "(head) => [head.style.visibility, head.innerText])"
    )
    assert all(visible == "visible" and text for visible, text in shown)
    act(page, "view.camera.scaleBy(0.5)", "view.data.hold === 'branch'")
    assert any(box["persons"] for box in boxes(page))
    page.locator(".st-key-lineage_columns input").click()
    page.get_by_role("option", name="人员（一屏）").click()
    page.wait_for_function(f"() => {VIEW}.data.hold === 'people'", timeout=WAIT)
    assert not any(box["persons"] for box in boxes(page))


def test_who_is_hidden_is_said_and_shown_again(show: Open, talent: dict[str, Any]) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp", "en"))
    before = {box["id"] for box in boxes(page)}
    other = next(b["id"] for b in boxes(page) if b["layer"] == 1)
    act(page, f"view.actions.send({{action: 'hide', person: {other!r}}})", "view.data.hidden === 1")
    assert other not in {box["id"] for box in boxes(page)}
    page.get_by_text("1 hidden", exact=True).wait_for(timeout=WAIT)
    page.locator("[data-act=unhide]").click()
    page.wait_for_function(f"() => {VIEW}.data.hidden === 0", timeout=WAIT)
    assert {box["id"] for box in boxes(page)} == before


def test_the_years_move_the_figures_and_play_begins_where_ties_begin(
    show: Open, snapshot: Snapshot, talent: dict[str, Any]
) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp"))
    counts = f"() => {VIEW}.heads.entries.map((head) => head.number.textContent).join()"
    first, last = page.evaluate(f"() => {VIEW}.time.bounds")
    all_years = page.evaluate(counts)
    page.evaluate(f"() => {VIEW}.time.setYears([{first}, {last - 2}])")  # under the hand
    moving = page.evaluate(counts)
    assert moving != all_years
    act(page, "view.time.sendYears()", f"String(view.data.years) === '{first},{last - 2}'")
    assert page.evaluate(counts) == moving
    said = page.locator(".st-key-underlead").inner_text()
    assert f"{first}–{last - 2}" in said
    act(page, "view.time.setYears(null); view.time.sendYears()", "!view.data.years")
    reached, began, earliest = page.evaluate(  # at once: a busy page plays on meanwhile
        f"() => {{ const view = {VIEW}; view.time.play(); view.time.stop();"
        " return [view.shown.reached.size, view.shown.years[1],"
        f" view.time.findFirstYear({first}, {last})]; }}"
    )
    assert reached > 1 and began == earliest  # what is seen is there from the first second


def test_whoever_is_chosen_is_explained_first(show: Open, talent: dict[str, Any]) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&view=bp"))
    other = next(b for b in boxes(page) if b["layer"] == 1)
    act(page, f"view.actions.select({other['id']!r})", f"view.data.selected === {other['id']!r}")
    panel = page.locator(".st-key-panel_person")
    panel.locator(f".st-key-notes_{other['id']}").wait_for(timeout=WAIT)
    heads = panel.locator("h2").all_inner_texts()
    assert other["name"] in heads[0] and heads.index(talent["name"]) > 0


def test_two_branches_are_laid_out_with_their_ties(show: Open, talent: dict[str, Any]) -> None:
    page = lineage_ready(show(f"lineage?id={talent['talent_id']}&tool=branches"))
    page.locator(".sc-compare").wait_for(timeout=WAIT)
    tied = page.evaluate(
        f"() => {{ const ends = new Set({VIEW}.data.edges.flatMap((e) => [e.from, e.to]));"
        f" return [...{VIEW}.people.keys()].filter((id) => !ends.has(id)); }}"
    )
    assert tied == []
