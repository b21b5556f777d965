"""The app as a person sees it: every page in both languages and modes, and the main way through.

`SHICHENG_PICTURES=docs/pictures pytest tests/browser/test_app.py -k pictures` writes the pictures
of the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.database import Database
from graph.evidence import Why, why, why_many
from graph.metrics.driven import measure
from graph.policy import Policy
from graph.settings import Settings
from graph.snapshot import Snapshot, take_snapshot
from loaders import folder
from loaders.sync import sync
from loaders.synthetic import generate

ROOT = Path(__file__).parents[2]
WAIT = 60_000  # ms; the machine may be busy
PAGES = ("", "find", "talents", "talent", "queries")
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
# The lineage stands in a shadow root; playwright's CSS selectors go through, scripts must ask.
CANVAS = """[...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
    .map((host) => host.shadowRoot?.querySelector('.canvas')).find((canvas) => canvas)"""

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def network(
    database: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A store that holds a generated network and nothing else."""
    while database.write("MATCH (n) WITH n LIMIT 10000 DETACH DELETE n").nodes_deleted:
        pass
    made = tmp_path_factory.mktemp("network") / "made"
    generate(made, talents=20, workers=2_000, seed=5)
    sync(database, "folder", folder.get([made]), home=settings.home)
    return database


@pytest.fixture
def show(network: Database, settings: Settings, serve: Callable[..., str], open_page: Open) -> Open:
    """`show("talents?province=32", lang="zh", mode="dark")` -> the page, when it is at rest."""
    url = serve(ROOT / "app.py", env={"SHICHENG_HOME": str(settings.home)})

    def start(path: str = "", lang: str = "zh", mode: str = "light", **context: Any) -> Any:
        locale = "zh-CN" if lang == "zh" else "en-GB"
        page = open_page(f"{url}/{path}", locale=locale, color_scheme=mode, **context)
        page.locator(".sc-lead, .sc-note").first.wait_for(timeout=WAIT)
        return at_rest(page)

    return start


def at_rest(page: Any) -> Any:
    """The page when its script has ended and what it drew stands."""
    page.wait_for_timeout(250)
    page.locator(IDLE).wait_for(timeout=WAIT)
    page.wait_for_timeout(250)
    return page


def most_driven(network: Database, settings: Settings) -> dict[str, Any]:
    rows = measure(take_snapshot(network, settings), Policy()).talents
    return rows.sort("driven").row(-1, named=True)


def lineage_ready(page: Any) -> Any:
    page.wait_for_function(f"() => {CANVAS}?.shichengNetwork", timeout=WAIT)
    return at_rest(page)


def people(page: Any) -> dict[str, tuple[float, float]]:
    """The people of the lineage: id -> where on the page."""
    places: dict[str, tuple[float, float]] = page.evaluate(
        f"""() => {{ const canvas = {CANVAS}; const network = canvas.shichengNetwork;
        const box = canvas.getBoundingClientRect();
        return Object.fromEntries(network.body.data.nodes.getIds().map((id) => {{
            const at = network.canvasToDOM(network.getPositions([id])[id]);
            return [id, [at.x + box.left, at.y + box.top]]; }})); }}"""
    )
    return places


def on_screen(page: Any) -> dict[str, tuple[float, float]]:
    """Those of the people whom one can click."""
    top, bottom = page.evaluate(
        f"() => {{ const box = {CANVAS}.getBoundingClientRect(); return [box.top, box.bottom]; }}"
    )
    left, right = page.evaluate(
        f"() => {{ const box = {CANVAS}.getBoundingClientRect(); return [box.left, box.right]; }}"
    )
    return {
        id: (x, y)
        for id, (x, y) in people(page).items()
        if top + 20 < y < min(bottom - 20, 880) and left + 30 < x < right - 40
    }


def picture(page: Any, folder: Path, name: str) -> Path:
    """A picture of the page as it stands, 1400 x 900."""
    path = folder / f"{name}.png"
    page.mouse.move(0, 0)
    page.wait_for_timeout(600)
    page.screenshot(path=path)
    return path


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_in_both_languages_and_modes(
    name: str, lang: str, mode: str, show: Open, pictures: Path
) -> None:
    page = show(name, lang, mode)
    sentence = page.locator(".sc-lead").inner_text()
    assert bool(re.search("[\u4e00-\u9fff]", sentence)) == (lang == "zh")
    assert page.locator(".sc-note, [data-testid=stException]").count() == 0
    paper = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert paper == ("rgb(251, 250, 246)" if mode == "light" else "rgb(18, 24, 31)")
    picture(page, pictures, f"{name or 'overview'}-{lang}-{mode}")


def test_the_language_is_switched_and_stays_in_the_address(show: Open) -> None:
    page = show()
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name=re.compile("Since 2024")).wait_for(timeout=WAIT)
    assert "lang=en" in page.url
    page.get_by_role("link", name="Leading talents").click()
    page.get_by_text("talents together drive").or_(page.get_by_text("together drive")).wait_for(
        timeout=WAIT
    )
    at_rest(page)
    assert "/talents" in page.url and "lang=en" in page.url


def test_a_policy_is_set_shown_and_kept_in_the_address(
    show: Open, network: Database, settings: Settings
) -> None:
    page = show("", "en")
    page.get_by_role("button", name=re.compile("2024-26")).first.click()
    page.get_by_text("Dates of a chain must not go back").click()
    page.get_by_role("button", name="Apply").click()
    policy = Policy(ordered=False)
    found = measure(take_snapshot(network, settings), policy).national["driven_persons"]
    page.locator(".sc-lead", has_text=f"{found:,} persons").wait_for(timeout=WAIT)
    assert "ordered=false" in page.url
    again = show(page.url.split("/", 3)[3], "en")
    assert f"{found:,} persons" in again.locator(".sc-lead").inner_text()


def test_from_part_of_a_name_to_why_a_worker_counts(
    show: Open, network: Database, settings: Settings
) -> None:
    talent = most_driven(network, settings)
    page = show("find")
    page.get_by_label("姓名或名称的一部分").fill(talent["name"][-2:])
    link = page.get_by_role("link", name=talent["name"], exact=True).first
    link.wait_for(timeout=WAIT)
    link.click()
    page.locator(".sc-lead", has_text=talent["name"]).wait_for(timeout=WAIT)
    lineage_ready(page)
    assert talent["name"] not in page.url and "id=P" in page.url

    before = people(page)
    driven = measure(take_snapshot(network, settings), Policy()).workers_of(talent["talent_id"])
    counted = set(driven["person_id"]) & on_screen(page).keys()
    worker = sorted(counted)[0]
    name = network.read("MATCH (p:Person {person_id: $id}) RETURN p.name AS n", {"id": worker})
    page.mouse.click(*before[worker])
    page.get_by_role("heading", name=f"{name[0]['n']}为什么计入").wait_for(timeout=WAIT)
    at_rest(page)
    assert f"selected={worker}" in page.url
    assert people(page).keys() == before.keys()

    reopened = lineage_ready(show(page.url.split("/", 3)[3]))
    reopened.get_by_role("heading", name=f"{name[0]['n']}为什么计入").wait_for(timeout=WAIT)
    assert people(reopened).keys() == before.keys()


@pytest.mark.parametrize(("lang", "mode"), [("zh", "light"), ("en", "dark")])
def test_one_click_shows_the_chain_with_its_rows_or_the_reason(
    lang: str, mode: str, show: Open, network: Database, settings: Settings, pictures: Path
) -> None:
    talent = most_driven(network, settings)["talent_id"]
    snapshot = take_snapshot(network, settings)
    page = lineage_ready(show(f"talent?id={talent}", lang, mode))
    answers = [why(snapshot, Policy(), talent, id) for id in on_screen(page) if id != talent]
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
    lang: str, mode: str, show: Open, network: Database, settings: Settings, pictures: Path
) -> None:
    snapshot = take_snapshot(network, settings)
    talent = most_driven(network, settings)["talent_id"]
    workers = snapshot.frames["people"].select(talent_id=pl.lit(talent), worker_id="person_id")
    found = why_many(snapshot, Policy(), workers.collect()).filter(reason="back_in_time")
    answer = why(snapshot, Policy(), talent, found["worker_id"][0])
    page = lineage_ready(show(f"talent?id={talent}&selected={answer.worker_id}", lang, mode))
    said = evidence_of(page, snapshot, answer)
    assert len(answer.failing) > 1
    for hop in answer.failing:
        assert str(hop.start) in said
    assert answer.sentence(lang).partition(answer.talent_id)[0][:12].strip() in said
    picture(page, pictures, f"evidence-{lang}-{mode}-{answer.reason}")


def evidence_of(page: Any, snapshot: Snapshot, answer: Why) -> str:
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
    page = lineage_ready(show(f"talent?id={talent}"))
    before = people(page)
    links = page.evaluate(
        f"() => {CANVAS}.shichengNetwork.body.data.edges.get().map((edge) => [edge.from, edge.to])"
    )
    mentors = {to: [a for a, b in links if b == to] for _, to in links}
    taught = {of: [b for a, b in links if a == of] for of, _ in links}
    # Someone the talent taught, who alone taught those below.
    folded = next(
        id
        for id in sorted(on_screen(page))
        if [talent, id] in links and id in taught and all(mentors[a] == [id] for a in taught[id])
    )
    page.mouse.dblclick(*before[folded])
    page.wait_for_function(
        f"(n) => {CANVAS}.shichengNetwork.body.data.nodes.length < n", arg=len(before), timeout=WAIT
    )
    at_rest(page)
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
    page = lineage_ready(show(f"talent?id={talent}", "en"))
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("button", name="GraphML").click()
    graph = nx.read_graphml(download.value.path())
    assert set(graph) == people(page).keys()
    assert graph.graph["policy_id"] == Policy().id


def test_the_table_is_downloaded_as_filtered(
    show: Open, network: Database, settings: Settings
) -> None:
    found = network.read(
        "MATCH (p:LeadingTalent) RETURN p.province AS code, count(*) AS n ORDER BY n DESC, code"
    )[0]
    page = show(f"talents?province={found['code']}", "en")
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for(timeout=WAIT)
    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("button", name=re.compile("Download .* rows, CSV")).click()
    rows = pl.read_csv(download.value.path())
    assert rows.height == found["n"]
    driven = measure(take_snapshot(network, settings), Policy()).talents
    expected = dict(driven.select("talent_id", "driven").rows())
    assert dict(rows.select("Person", "Driven (persons)").rows()).items() <= expected.items()
    assert Policy().id in rows["policy"][0]


def test_a_click_on_a_line_of_the_table_opens_the_talent(
    show: Open, network: Database, settings: Settings
) -> None:
    page = show("talents", "en")
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.wait_for(timeout=WAIT)
    at_rest(page)
    place = table.bounding_box()
    page.mouse.click(place["x"] + 40, place["y"] + 34 + 19)
    page.wait_for_url(re.compile(r"/talent\?.*id="), timeout=WAIT)
    page.locator(".sc-lead", has_text=most_driven(network, settings)["name"]).wait_for(timeout=WAIT)


def test_a_click_on_a_province_leads_to_its_talents(show: Open, network: Database) -> None:
    page = show("", "en")
    tiles = page.locator("[data-testid=stVegaLiteChart]").nth(2)
    tiles.wait_for(timeout=WAIT)
    place = at_rest(page).locator("[data-testid=stVegaLiteChart]").nth(2).bounding_box()
    # Jiangsu: column 5, line 4.
    page.mouse.click(place["x"] + 5 * 49 + 23, place["y"] + 4 * 46 + 21)
    page.wait_for_url(re.compile("/talents"), timeout=WAIT)
    at_rest(page)
    assert "province=32" in page.url


def test_pictures_of_the_documentation(
    show: Open, network: Database, settings: Settings, pictures: Path
) -> None:
    """Writes overview.png, lineage.png and table.png."""
    picture(show(), pictures, "overview")
    talent = most_driven(network, settings)["talent_id"]
    page = lineage_ready(show(f"talent?id={talent}"))
    driven = measure(take_snapshot(network, settings), Policy()).workers_of(talent)
    far = driven.sort("generation", "person_id", descending=[True, False])["person_id"]
    seen = on_screen(page)
    page.mouse.click(*next(seen[id] for id in far if id in seen))
    page.get_by_role("heading", name=re.compile("为什么计入")).wait_for(timeout=WAIT)
    picture(at_rest(page), pictures, "lineage")
    page = show("talents")
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for(timeout=WAIT)
    picture(at_rest(page), pictures, "table")
    for name in ("overview", "lineage", "table"):
        assert (pictures / f"{name}.png").stat().st_size > 20_000
