"""Every page in both languages and modes, on a phone too; and the guide's pictures of them.

`make docs` writes the pictures and, beside them, the words that stood on each page then. Without
it the words are compared: a page whose headings or controls have changed fails here until the
guide is made anew, so that neither pictures nor sections go stale.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.driven.results import load_driven
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from loaders.matching.match_model import FIELD_LEVELS
from loaders.matching.people_matching import write_review_queue
from tests.browser.seeing import (
    ROOT,
    WAIT,
    at_rest,
    lineage_ready,
    most_driven,
    pages_of_the_app,
    picture,
    serious_findings,
)
from tests.emptying import empty_notebook
from tests.filling import filled

GUIDE = ROOT / "docs" / "guide"
PICTURES = GUIDE / "pictures"
WORDS = PICTURES / "words.json"
# Chinese as most see it, English in the dark, so that both are looked at.
MODES = {"zh": "light", "en": "dark"}
PAPER = {"light": "rgb(251, 250, 246)", "dark": "rgb(18, 24, 31)"}
TYPED = "wang"  # what the guide finds
# What the guide brings in.
BROUGHT = ROOT / "tests/unit/department_lists/r01/2024年度高技能人才名单.xlsx"
# Pages that have no line in the sidebar.
UNLISTED = ("audit", "people", "review", "story")
PHONE = {"width": 390, "height": 844}
# What of the page's own text and controls stands out of a phone's screen; tables and drawings that
# scroll in a frame of their own may be wider.
WIDER_THAN_THE_PHONE = """() => [...document.querySelectorAll(
    '[data-testid=stMain] :is(h1, h2, p, button, input, [data-testid=stHtml])')]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && e.offsetParent)
    .filter((e) => { for (let up = e; up; up = up.parentElement) {
        if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(up).overflowX) &&
            up.dataset.testid !== 'stMain' && up.getBoundingClientRect().right <= innerWidth + 1)
            return false; } return true; })
    .map((e) => e.outerHTML.slice(0, 160))"""
# A table set by hand that runs out of its column, over what stands beside it.
WIDER_THAN_ITS_COLUMN = """() => [...document.querySelectorAll('[data-testid=stMain] .sc-table')]
    .filter((e) => e.offsetParent && getComputedStyle(e.parentElement).overflowX === 'visible')
    .filter((e) => e.getBoundingClientRect().right >
        e.closest('[data-testid=stColumn], [data-testid=stMainBlockContainer]')
            .getBoundingClientRect().right + 1)
    .map((e) => e.outerHTML.slice(0, 160))"""
# Labels of a chart's axis that lie over the one before; boxes are larger than words by some pixels,
# those of slanted words by more.
OVERLAPPING_LABELS = """() => [...document.querySelectorAll('svg .role-axis-label')]
    .flatMap((axis) => {
        const labels = [...axis.querySelectorAll('text')].filter((e) => e.textContent &&
            !/rotate\\((?!270\\))/.test(e.getAttribute('transform') || ''));
        const boxes = labels.map((e) => e.getBoundingClientRect());
        return labels.slice(1).filter((_, at) => {
            const [before, box] = [boxes[at], boxes[at + 1]];
            return Math.min(box.right, before.right) - Math.max(box.left, before.left) > 4 &&
                Math.min(box.bottom, before.bottom) - Math.max(box.top, before.top) > 4; })
            .map((e) => e.textContent); })"""
CHOSEN = """() => [...document.querySelectorAll('[data-testid=stSelectbox] input')]
    .map((e) => e.value).join(' ')"""
# The lines of the sidebar that are set as the page one is on.
HERE = """() => [...document.querySelectorAll('[data-testid=stSidebar] a')]
    .filter((a) => getComputedStyle(a.querySelector('p')).fontWeight > 400)
    .map((a) => a.pathname)"""
# What a page says whatever the data are: titles, labels, buttons; figures and names are left out.
SAID = """() => [...document.querySelectorAll(
    '[data-testid=stMain] :is(h2, [data-testid=stWidgetLabel], [role=tab])')]
    .filter((e) => e.offsetParent).map((e) => e.innerText)"""


@pytest.fixture(scope="module")
def guided(
    database: Database,
    settings: Settings,
    serve: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, str, str]]:
    """The app on a network large enough to look like a nation's: its URL; a talent's id, name."""
    made = tmp_path_factory.mktemp("guide") / "made"
    filled(database, settings, made, talents=80, workers=16_000, seed=2026)
    empty_notebook(settings.home)
    talent = most_driven(database, settings)
    url = serve(ROOT / "app.py", env={"SHICHENG_HOME": str(settings.home)})
    yield url, talent["talent_id"], talent["name"]


def words(page: Any) -> list[str]:
    """The page's titles and labels without what depends on the data."""
    return [re.sub(r"[\d.,%–-]+", "#", text).strip() for text in page.evaluate(SAID)]


@pytest.mark.parametrize("name", pages_of_the_app())
def test_a_page_stands_in_every_language_and_mode_and_as_in_the_guide(
    name: str,
    guided: tuple[str, str, str],
    database: Database,
    settings: Settings,
    serve: Callable[..., str],
    open_page: Callable[..., Any],
    pictures: Path | None,
) -> None:
    url, talent, known_name = guided
    if name in ("audit", "load", "review"):  # what the guide shows is a data steward's
        home = {"SHICHENG_HOME": str(settings.home), "SHICHENG_ROLE": "steward"}
        url = serve(ROOT / "app.py", env=home)
        shutil.rmtree(settings.home / "mappings", ignore_errors=True)
    if name == "review":
        queue_pair(database, settings.home)
    query = f"?id={talent}" if name in ("lineage", "talent", "story") else ""
    query = f"?with={talent}&on=2025-06-30" if name == "scenarios" else query
    page = open_page(f"{url}/{name}{query}", color_scheme="light", locale="zh-CN")
    page.locator(".sc-lead").first.wait_for(timeout=WAIT)
    at_rest(page)
    if name == "lineage":
        lineage_ready(page)

    def stands(lang: str, mode: str) -> None:
        sentence = page.locator(".sc-lead").inner_text().replace(known_name, "")
        assert bool(re.search("[\u4e00-\u9fff]", sentence)) == (lang == "zh")
        assert page.locator(".sc-note, [data-testid=stException]").count() == 0
        assert page.get_by_role("dialog").count() == 0
        assert page.evaluate(WIDER_THAN_ITS_COLUMN) == []
        # The sidebar shows where one is; the list behind a figure has no line there.
        # A list says its choice in the language the page has now.
        assert lang == "zh" or not re.search("[\u4e00-\u9fff]", page.evaluate(CHOSEN))
        assert page.evaluate(HERE) == ([] if name in UNLISTED else [f"/{name}"])
        if name == "find" and (lang, mode) == ("zh", "light"):
            page.locator("body[data-search-keys]").wait_for(state="attached", timeout=WAIT)
            page.keyboard.press("/")
            page.keyboard.type(TYPED)
            page.locator(".sc-lead", has_text=TYPED).wait_for(timeout=WAIT)
            at_rest(page)
        if name == "load" and (lang, mode) == ("zh", "light"):
            page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(str(BROUGHT))
            page.get_by_text(f"{BROUGHT.name} [名单]").first.wait_for(timeout=WAIT)
            at_rest(page)
        if MODES[lang] == mode:
            as_in_the_guide(page, picture(page, pictures, f"{name}-{lang}"))

    stands("zh", "light")
    assert serious_findings(page) == []
    become(page, "dark")
    stands("zh", "dark")
    assert serious_findings(page) == []
    page.get_by_role("button", name="English").click()
    at_rest(page)
    stands("en", "dark")
    become(page, "light")
    stands("en", "light")
    page.set_viewport_size(PHONE)  # English words are the longer ones
    at_rest(page)
    assert page.locator(".sc-lead").is_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(WIDER_THAN_THE_PHONE) == []
    assert page.evaluate(OVERLAPPING_LABELS) == []


def queue_pair(database: Database, home: Path) -> None:
    """A pair of records that waits for a decision: two of one name, place and occupation."""
    (pair,) = database.read(
        "MATCH (p:Person) WITH p.name AS name, p.province AS province, p.sex AS sex, "
        "p.occupation_code AS occupation, p ORDER BY p.person_id "
        "WITH name, province, sex, occupation, collect(p) AS people "
        "WHERE size(people) > 1 AND sex IS NOT NULL AND occupation IS NOT NULL "
        "AND people[0].birth_date.year <> people[1].birth_date.year "
        "AND people[0].enterprise_id <> people[1].enterprise_id "
        "RETURN people[0].person_id AS person_a, people[1].person_id AS person_b "
        "ORDER BY person_a LIMIT 1"
    )
    levels = {name: "same" for name in ("name", "sex", "occupation", "province")}
    levels |= {"birth": "different", "employer": "different"}
    bits = {"name": 9.2, "sex": 1.0, "occupation": 5.1, "province": 4.6}
    bits |= {"birth": -6.3, "employer": -2.1}
    said = {name: levels.get(name) for name in FIELD_LEVELS}
    weighed = {f"{name}_bits": bits.get(name, 0.0) for name in FIELD_LEVELS}
    found = {**pair, "probability": 0.16, "weight": -2.4, **said, **weighed}
    write_review_queue(home, pl.DataFrame([found]))


def become(page: Any, mode: str) -> None:
    """The visitor's system turns light or dark while the page is open; all of it follows."""
    page.emulate_media(color_scheme=mode)
    page.wait_for_function(
        """([paper, mode]) =>
            getComputedStyle(document.querySelector('.stApp')).backgroundColor === paper
            && getComputedStyle(document.documentElement).colorScheme === mode""",
        arg=[PAPER[mode], mode],
        timeout=WAIT,
    )
    at_rest(page)


def as_in_the_guide(page: Any, name: str) -> None:
    """The page says what it said when the guide's picture was taken."""
    said = words(page)
    if os.environ.get("SHICHENG_PICTURES"):
        known = json.loads(WORDS.read_text("utf-8")) if WORDS.exists() else {}
        known[name] = said
        WORDS.write_text(
            json.dumps(dict(sorted(known.items())), ensure_ascii=False, indent=1) + "\n", "utf-8"
        )
    assert (PICTURES / f"{name}.png").exists(), "make docs"
    assert json.loads(WORDS.read_text("utf-8"))[name] == said, "the guide is stale: make docs"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_guide_has_a_section_and_a_picture_of_every_page(lang: str) -> None:
    text = (GUIDE / f"{lang}.md").read_text("utf-8")
    for name in pages_of_the_app():
        assert f"](pictures/{name}-{lang}.png)" in text
    shown = re.findall(r"\]\((pictures/[^)]+)\)", text)
    assert [picture for picture in shown if not (GUIDE / picture).exists()] == []


def test_a_managers_questions_are_answered_from_the_overview(
    guided: tuple[str, str, str],
    database: Database,
    settings: Settings,
    open_page: Callable[..., Any],
) -> None:
    """Will Jiangsu reach its target? Who retires by June, and what breaks? What if these three
    leave?
    """
    driven = load_driven(take_snapshot(database, settings), Policy()).talents
    three = driven.sort("driven", "talent_id", descending=True)["talent_id"].head(3).to_list()
    page = open_page(f"{guided[0]}/overview", color_scheme="light", locale="zh-CN")
    at_rest(page).get_by_role("link", name="预测").first.click()
    page.wait_for_url(re.compile("/forecast"), timeout=WAIT)
    page.locator(".sc-lead", has_text="全国").wait_for(timeout=WAIT)
    at_rest(page).get_by_text("省份", exact=True).first.click()
    at_rest(page).get_by_role("link", name="江苏").first.click()
    lead = page.locator(".sc-lead", has_text="江苏")
    lead.wait_for(timeout=WAIT)
    assert re.search(r"达到目标 .+ 的概率为 .*\d+%", lead.inner_text())
    at_rest(page).get_by_role("link", name="离任", exact=False).first.click()
    page.wait_for_url(re.compile("/departures"), timeout=WAIT)
    at_rest(page).get_by_text("6 个月", exact=True).first.click()
    page.wait_for_url(re.compile("months=6"), timeout=WAIT)
    lead = at_rest(page).locator(".sc-lead").inner_text()
    assert re.search(r"\d+ 名有人依靠的人员可能离任：其中 \d+ 人在 .+退休，.+唯一师傅", lead)
    table = page.locator("[data-testid=stDataFrame] canvas table").first
    heads = table.locator("thead th").all_text_contents()
    assert {"唯一师傅", "受影响工作室", "离任影响（人）", "在带徒弟（人）"} <= {*heads}
    shown = page.locator("[data-testid=stMain]").inner_text()
    assert re.search(r"\d{4} 年全年\s+退休\s+\d+\s+\d+", shown) and "可接续人员" in shown
    page.get_by_role("link", name="情景推演").first.click()
    page.wait_for_url(re.compile("/scenarios"), timeout=WAIT)
    page.locator(".sc-lead", has_text="如果").wait_for(timeout=WAIT)
    for id in three:
        at_rest(page).get_by_placeholder("添加人员", exact=False).fill(id)
        page.keyboard.press("Enter")
        page.locator(f".st-key-leavers_add_{id} button").click(timeout=WAIT)
        page.locator(f".st-key-leavers_without_{id}").wait_for(timeout=WAIT)
    at_rest(page)
    assert "本情景" in page.locator(".sc-lead").inner_text()
    page.get_by_text("离任者的影响").wait_for(timeout=WAIT)
    assert len(re.findall("with=", page.url)) == len(three)
    assert page.locator("[data-testid=stException]").count() == 0
