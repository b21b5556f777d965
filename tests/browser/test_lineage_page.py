"""The lineage page as a person uses it: people shown, why a worker counts, what it exports."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.evidence.answer import explain_pair
from graph.evidence.reasons import Explanation
from graph.evidence.verdict import explain_pairs
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot
from tests.browser.seeing import (
    CANVAS,
    WAIT,
    at_rest,
    lineage_ready,
    most_driven,
    on_screen,
    people,
    picture,
)

Open = Callable[..., Any]


def test_from_part_of_a_name_to_why_a_worker_counts(
    show: Open, network: Database, settings: Settings
) -> None:
    talent = most_driven(network, settings)
    page = show("find")
    page.get_by_label("姓名、拼音、首字母或编号，可输入多个词").fill(talent["name"][-2:])
    page.locator(".sc-lead", has_text=talent["name"][-2:]).wait_for(timeout=WAIT)
    results = at_rest(page).locator(".st-key-find_results")
    link = results.get_by_role("link", name=talent["name"], exact=True).first
    link.wait_for(timeout=WAIT)
    link.click()
    page.locator(".sc-lead", has_text=talent["name"]).wait_for(timeout=WAIT)
    page.get_by_role("link", name="查看谱系").click()
    lineage_ready(page)
    assert talent["name"] not in page.url and "id=P" in page.url
    if "view=bb" in page.url:  # a large lineage begins as groups
        page.locator(".st-key-lineage_columns input").click()
        page.get_by_role("option", name="人员（一屏）").click()
        page.wait_for_url("**view=bp**", timeout=WAIT)
        lineage_ready(page)

    before = people(page)
    driven = measure_driven(take_snapshot(network, settings), Policy()).workers_of(
        talent["talent_id"]
    )
    counted = set(driven["person_id"]) & on_screen(page).keys()
    worker = sorted(counted)[0]
    name = network.read("MATCH (p:Person {person_id: $id}) RETURN p.name AS n", {"id": worker})
    page.mouse.click(*before[worker])
    page.get_by_role("heading", name=f"{name[0]['n']}计入的依据").wait_for(timeout=WAIT)
    at_rest(page)
    assert f"selected={worker}" in page.url
    assert people(page).keys() == before.keys()

    reopened = lineage_ready(show(page.url.split("/", 3)[3]))
    reopened.get_by_role("heading", name=f"{name[0]['n']}计入的依据").wait_for(timeout=WAIT)
    assert people(reopened).keys() == before.keys()


def test_the_page_is_whole_after_another_page(
    show: Open, network: Database, settings: Settings
) -> None:
    page = lineage_ready(show(f"lineage?id={most_driven(network, settings)['talent_id']}&view=bp"))
    page.get_by_role("link", name="查询台").click()
    page.wait_for_url(re.compile("/queries"), timeout=WAIT)
    at_rest(page)
    page.get_by_role("link", name="谱系", exact=True).click()
    page.wait_for_url(re.compile("/lineage"), timeout=WAIT)
    lineage_ready(page)
    assert page.locator(".sc-note").count() == 0


@pytest.mark.parametrize(("lang", "mode"), [("zh", "light"), ("en", "dark")])
def test_one_click_shows_the_chain_with_its_rows_or_the_reason(
    lang: str, mode: str, show: Open, network: Database, settings: Settings, pictures: Path | None
) -> None:
    talent = most_driven(network, settings)["talent_id"]
    snapshot = take_snapshot(network, settings)
    page = lineage_ready(show(f"lineage?id={talent}&view=bp", lang, mode))
    answers = [
        explain_pair(snapshot, Policy(), talent, id) for id in on_screen(page) if id != talent
    ]
    for counts in (True, False):
        answer = next(a for a in answers if a.counts == counts and a.reason != "no_chain")
        page.mouse.click(*people(page)[answer.worker_id])
        said = evidence_of(page, snapshot, answer)
        for hop in answer.chains[0] if answer.chains else ():
            assert str(hop.start) in said
            assert all(row.file in said and str(row.row) in said for row in hop.rows)
        picture(page, pictures, f"evidence-{lang}-{mode}-{answer.reason or 'counts'}")


@pytest.mark.parametrize(("lang", "mode"), [("zh", "dark"), ("en", "light")])
def test_the_chain_that_falls_short_is_shown_with_the_reason(
    lang: str, mode: str, show: Open, network: Database, settings: Settings, pictures: Path | None
) -> None:
    snapshot = take_snapshot(network, settings)
    talent = most_driven(network, settings)["talent_id"]
    workers = snapshot.frames["people"].select(talent_id=pl.lit(talent), worker_id="person_id")
    found = explain_pairs(snapshot, Policy(), workers.collect()).filter(reason="back_in_time")
    answer = explain_pair(snapshot, Policy(), talent, found["worker_id"][0])
    page = lineage_ready(show(f"lineage?id={talent}&selected={answer.worker_id}", lang, mode))
    said = evidence_of(page, snapshot, answer)
    assert len(answer.failing) > 1
    for hop in answer.failing:
        assert str(hop.start) in said
    assert answer.sentence(lang).partition(answer.talent_id)[0][:12].strip() in said
    picture(page, pictures, f"evidence-{lang}-{mode}-{answer.reason}")


def evidence_of(page: Any, snapshot: Snapshot, answer: Explanation) -> str:
    """What the panel says of the selected worker, when it says it."""
    panel = page.locator(".st-key-panel_person")
    name = snapshot.frames["people"].filter(person_id=answer.worker_id).select("name").collect()
    panel.get_by_role("heading", name=name.item()).wait_for(timeout=WAIT)
    at_rest(page)
    if not answer.counts:
        assert panel.locator(f"[data-reason={answer.reason}]").count() == 1
    said: str = panel.inner_text()
    return said


def test_a_double_click_folds_and_unfolds(
    show: Open, network: Database, settings: Settings
) -> None:
    talent = most_driven(network, settings)["talent_id"]
    page = lineage_ready(show(f"lineage?id={talent}&view=bp"))
    before = people(page)
    links = page.evaluate(
        f"() => {CANVAS}.shichengLineage.data.edges.map((edge) => [edge.from, edge.to])"
    )
    mentors = {to: [a for a, b in links if b == to] for _, to in links}
    taught = {of: [b for a, b in links if a == of] for of, _ in links}
    # Someone the talent taught, who alone taught somebody below.
    folded = next(
        id
        for id in sorted(on_screen(page))
        if [talent, id] in links and any(mentors[a] == [id] for a in taught.get(id, []))
    )
    page.mouse.dblclick(*before[folded])
    page.wait_for_function(
        f"(n) => {CANVAS}.shichengNetwork.body.data.nodes.length < n", arg=len(before), timeout=WAIT
    )
    lineage_ready(page)
    fewer = people(page)
    assert folded in fewer and "view=" in page.url
    page.mouse.dblclick(*fewer[folded])
    page.wait_for_function(
        f"(n) => {CANVAS}.shichengNetwork.body.data.nodes.length === n",
        arg=len(before),
        timeout=WAIT,
    )


def test_the_view_is_exported_as_shown(show: Open, network: Database, settings: Settings) -> None:
    import networkx as nx

    talent = most_driven(network, settings)["talent_id"]
    page = lineage_ready(show(f"lineage?id={talent}&view=bp", "en"))
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("button", name="GraphML").click()
    graph = nx.read_graphml(download.value.path())
    assert set(graph) == people(page).keys()
    assert graph.graph["policy_id"] == Policy().id
