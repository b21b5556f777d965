"""The lineage widget in a real browser: what a person does, and what Python then has."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import partial
from operator import eq
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import pytest

from tests.browser.seeing import CALLS, WAIT, at_rest, lineage_steady, on_screen, picture
from ui.export.network_files import encode_network
from ui.lineage.html_page import render_view_page
from ui.lineage.network import build_view_network
from ui.lineage.state import LineageState
from ui.lineage.widget import (
    LineageEdge,
    LineageNode,
    LineageStudio,
    LineageView,
    format_studio_count,
)

DEMO = Path(__file__).with_name("lineage_demo.py")
# The widget stands in a shadow root; playwright's CSS selectors go through, scripts must ask.
WIDGET = """() => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
    .map((host) => host.shadowRoot?.querySelector('.canvas')).find((canvas) => canvas)"""

T = TypeVar("T")


class Widget:
    """The widget as a person has it: boxes at places, buttons by name, Python's word for it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.wait_for_function(f"({WIDGET})()?.shichengNetwork", timeout=WAIT)
        page.get_by_test_id("stCode").wait_for(timeout=WAIT)
        lineage_steady(at_rest(page, settle_ms=0))  # nothing was clicked yet

    def ask(self, script: str, *values: Any) -> Any:
        return self.page.evaluate(
            f"([...values]) => {{ const canvas = ({WIDGET})(); const network ="
            f" canvas.shichengNetwork; return ({script})(...values); }}",
            list(values),
        )

    def place(self, person: str) -> tuple[float, float]:
        found = self.ask(
            "(id) => { const box = canvas.getBoundingClientRect();"
            " const at = network.canvasToDOM(network.getPositions([id])[id]);"
            " return [at.x + box.left, at.y + box.top]; }",
            person,
        )
        return found[0], found[1]

    def people(self) -> set[str]:
        return set(self.ask("() => network.body.data.nodes.getIds()"))

    def view(self) -> tuple[float, float, float]:
        return tuple(
            self.ask(
                "() => { const p = network.getViewPosition();"
                " return [p.x, p.y, network.getScale()]; }"
            )
        )

    def python(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.page.get_by_test_id("stCode").inner_text())
        return said

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return self.poll(self.python, holds)

    def until_people(self, holds: Callable[[set[str]], bool]) -> set[str]:
        self.poll(self.people, holds)
        lineage_steady(self.page)  # the rows have slid
        return self.people()

    def poll(self, read: Callable[[], T], holds: Callable[[T], bool]) -> T:
        ends = monotonic() + WAIT / 1000
        while not holds(found := read()):
            assert monotonic() < ends, f"still {found}"
            self.page.wait_for_timeout(50)
        return found

    def rest(self) -> None:
        """Until nothing is on its way to Python or back, and nothing moves."""
        lineage_steady(at_rest(self.page))

    def press(self, act: str) -> None:
        self.page.locator(f"[data-act={act}]").click()

    def click(self, person: str) -> None:
        self.page.mouse.click(*self.place(person))

    def double_click(self, person: str) -> None:
        self.page.mouse.dblclick(*self.place(person))


Show = Callable[..., Widget]


@pytest.fixture
def show_widget(serve: Callable[..., str], visit: Callable[..., Any]) -> Show:
    """`show_widget("people=300", size=..., ...)` -> the widget as new, on the file's page."""

    def start(query: str = "", **how: Any) -> Widget:
        return Widget(visit(serve(DEMO), f"?visit={next(CALLS)}&{query}", **how))

    return start


@pytest.fixture
def widget(show_widget: Show) -> Widget:
    return show_widget()


def test_a_click_selects_in_python_and_lights_the_path(widget: Widget) -> None:
    widget.click("樊嘉豪")
    said = widget.until(lambda said: said["now"].get("selected") == "樊嘉豪")
    assert said["event"] is None
    live = widget.page.locator(".lineage [role=status]")
    assert "樊嘉豪" in live.inner_text() and "3 级" in live.inner_text()


def test_a_click_counts_however_long_and_a_drag_is_none(widget: Widget) -> None:
    """vis-network has none of 250 or 251 ms: too long for its tap, too short for its hold."""
    mouse, (x, y) = widget.page.mouse, widget.place("樊嘉豪")
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 60, y)
    mouse.up()
    widget.rest()
    assert widget.python()["now"].get("selected") == "唐晓雯"
    mouse.move(*widget.place("樊嘉豪"))
    mouse.down()
    widget.ask("() => new Promise((held) => setTimeout(held, 250))")
    mouse.up()
    widget.until(lambda said: said["now"].get("selected") == "樊嘉豪")


def test_python_can_select_after_a_click(widget: Widget) -> None:
    widget.click("樊嘉豪")
    widget.until(lambda said: said["now"].get("selected") == "樊嘉豪")
    widget.page.get_by_role("button", name="select 苏明辉").click()
    widget.until(lambda said: said["now"].get("selected") == "苏明辉")
    widget.page.keyboard.press("Tab")
    widget.rest()
    assert widget.python()["now"]["selected"] == "苏明辉"


def test_double_click_folds_and_unfolds_and_undo_brings_back(widget: Widget) -> None:
    everyone = widget.people()
    widget.double_click("向宏")
    fewer = widget.until_people(lambda people: "廖海涛" not in people)
    assert everyone - fewer == {"廖海涛", "柳依依", "邹凯"}
    widget.double_click("向宏")
    widget.until_people(lambda people: people == everyone)
    widget.page.keyboard.press("Control+z")
    widget.until_people(lambda people: people == fewer)
    widget.press("undo")
    widget.until_people(lambda people: people == everyone)
    widget.page.keyboard.press("Control+Shift+z")
    widget.until_people(lambda people: "廖海涛" not in people)


def pill(widget: Widget, person: str) -> tuple[float, float]:
    """The middle of the "+N" beside a person."""
    x, y = widget.place(person)
    width = widget.ask("(id) => network.body.nodes[id].shape.width * network.getScale()", person)
    return x + width / 2 + 20, y


def test_more_people_come_by_their_pill_and_what_was_shown_stays_in_sight(widget: Widget) -> None:
    everyone = widget.people()
    before = widget.place("易安琪")
    widget.page.mouse.click(*pill(widget, "易安琪"))
    more = widget.until_people(lambda people: len(people) == len(everyone) + 4)
    assert everyone < more
    after = widget.place("易安琪")
    assert abs(after[0] - before[0]) < 2 and abs(after[1] - before[1]) < 2
    widget.until(lambda said: bool(said["now"].get("view")))


def test_zoom_and_pan_survive_a_rerun(widget: Widget) -> None:
    widget.press("zoom-in")
    lineage_steady(widget.page)
    at = widget.view()
    assert at[2] == pytest.approx(1.25, abs=0.2)
    x, y = widget.place("杨勇军")
    widget.page.mouse.move(x, y - 90)
    widget.page.mouse.down()
    widget.page.mouse.move(x - 60, y - 120, steps=4)
    widget.page.mouse.up()
    moved = widget.view()
    assert moved != at
    widget.click("龙小燕")
    widget.until(lambda said: said["now"].get("selected") == "龙小燕")
    widget.rest()
    assert widget.view() == pytest.approx(moved, abs=0.5)


def test_find_by_slash_then_pin_hide_and_clear(widget: Widget) -> None:
    widget.click("杨勇军")
    widget.until(lambda said: said["now"].get("selected") == "杨勇军")
    widget.page.keyboard.press("/")
    widget.page.keyboard.type("田雨")
    widget.page.keyboard.press("Enter")
    widget.until(lambda said: said["now"].get("selected") == "田雨桐")
    widget.page.keyboard.press("ArrowDown")
    widget.page.keyboard.press("Enter")
    widget.until(lambda said: said["now"].get("selected") == "钟启明")
    widget.press("pin")
    pinned = LineageState("杨勇军").pin("钟启明").to_query()["view"]
    widget.until(lambda said: said["now"].get("view", "") == pinned)
    widget.press("hide")
    widget.until_people(lambda people: "钟启明" not in people)
    widget.click("田雨桐")
    widget.until(lambda said: said["now"].get("selected") == "田雨桐")
    widget.page.keyboard.press("Escape")
    widget.until(lambda said: "selected" not in said["now"])


def years_of(said: dict[str, Any]) -> tuple[int, int] | None:
    """The years that the address in Python's word names."""
    state = LineageState.from_query(said["now"])
    assert state is not None
    return state.shown.years


def test_the_keys_alone_walk_say_and_do(widget: Widget) -> None:
    """From the focus to an apprentice, along the column, back; each step is said, Python is not
    asked until Enter."""
    keys, live = widget.page.keyboard, widget.page.locator(".lineage [role=status]").first
    widget.page.locator(".canvas").focus()

    def at() -> str:
        return str(widget.ask("() => canvas.shichengLineage.keyboard.cursor"))

    keys.press("Home")
    assert at() == "杨勇军" and "8 级" in live.inner_text() and "领军人才" in live.inner_text()
    keys.press("ArrowRight")
    assert at() == "何志远" and "第一代" in live.inner_text()
    keys.press("ArrowDown")
    assert at() == "谭浩然" and "待认定" in live.inner_text()
    keys.press("ArrowUp")
    keys.press("ArrowRight")
    assert at() == "向宏"
    keys.press("ArrowLeft")
    keys.press("ArrowLeft")
    keys.press("ArrowLeft")
    assert at() in ("秦守义", "罗明山")
    assert widget.python()["now"].get("selected") == "唐晓雯"
    ring = "() => canvas.shichengLineage.keyboard.active && canvas.matches(':focus')"
    assert widget.ask(ring)
    keys.press("Home")
    keys.press("ArrowRight")
    everyone = widget.people()
    keys.press("-")
    fewer = widget.until_people(lambda people: "向宏" not in people)
    keys.press("Control+z")
    widget.until_people(lambda people: people == everyone)
    keys.press("Control+Shift+z")
    widget.until_people(lambda people: people == fewer)
    keys.press("Space")
    widget.until_people(lambda people: people == everyone)
    keys.press("Enter")
    widget.until(lambda said: said["now"].get("selected") == "何志远")
    keys.press("f")
    said = widget.until(lambda said: said["event"] == "focus")
    assert said["person"] == "何志远"
    keys.press("?")
    help = widget.page.get_by_role("dialog", name="键盘操作")
    assert "Ctrl+Z" in help.inner_text()
    keys.press("Escape")
    help.wait_for(state="hidden")
    keys.press("h")
    widget.until_people(lambda people: "何志远" not in people)


def test_every_path_to_a_person_is_shown_whole_though_hidden(widget: Widget) -> None:
    widget.click("邓丽萍")
    widget.until(lambda said: said["now"].get("selected") == "邓丽萍")
    widget.press("hide")
    widget.until_people(lambda people: "邓丽萍" not in people)
    widget.click("肖子轩")
    widget.until(lambda said: said["now"].get("selected") == "肖子轩")
    widget.press("path")
    widget.until_people(lambda people: "邓丽萍" in people)
    lit = widget.ask("() => [...canvas.shichengLineage.path]")
    assert set(lit) == {"杨勇军", "邓丽萍", "蒋文斌", "肖子轩"}
    assert widget.page.locator("[data-act=path]").get_attribute("aria-pressed") == "true"
    widget.press("path")
    widget.until_people(lambda people: "邓丽萍" not in people)


def test_studios_are_groups_that_fold(widget: Widget, pictures: Path | None) -> None:
    trained = {"刘可欣", "覃思源", "申国强"}  # and 彭立新, who stays: the path leads by way of him
    widget.press("studios")
    widget.page.wait_for_function(
        f"({WIDGET})().shichengLineage.studios.length === 2", timeout=WAIT
    )
    widget.rest()
    picture(widget.page, pictures, "lineage-studios")
    x, y, text = widget.ask(
        "() => { const s = canvas.shichengLineage.studios.find((s) => s.id === 'S-杨勇军');"
        " const at = network.canvasToDOM({x: s.left + s.width / 2, y: s.y});"
        " const box = canvas.getBoundingClientRect();"
        " return [at.x + box.left, at.y + box.top, s.text]; }"
    )
    drawn = format_studio_count(LineageStudio("S-杨勇军", "", 0, 262), "zh")  # in the exports
    assert text.endswith(drawn) and drawn.endswith("· 262 人") and text.startswith("杨勇军")
    assert widget.place("杨勇军")[0] < x < widget.place("彭立新")[0]
    everyone = widget.people()
    widget.page.mouse.click(x, y)
    fewer = widget.until_people(lambda people: not trained & people)
    assert {"何志远", "彭立新"} <= fewer
    widget.press("undo")
    widget.until_people(lambda people: people == everyone)


def test_a_tie_tells_its_dates_on_hover_and_all_when_asked(
    widget: Widget, pictures: Path | None
) -> None:
    a, b = widget.place("何志远"), widget.place("向宏")
    middle = widget.ask(
        "() => { const l = canvas.shichengLineage.lines.find((l) => l.to.id === '向宏');"
        " const parts = canvas.shichengLineage.router.route(l.from, l.to);"
        " const c = parts[Math.floor(parts.length / 2)];"
        " const box = canvas.getBoundingClientRect();"
        " const at = network.canvasToDOM({x: (c[0] + c[6]) / 2, y: (c[1] + c[7]) / 2});"
        " return [at.x + box.left, at.y + box.top]; }"
    )
    assert a[0] < middle[0] < b[0]
    widget.page.mouse.move(*middle)
    note = widget.page.locator(".note")
    note.wait_for(state="visible")
    assert "师徒: 何志远 → 向宏" in note.inner_text() and "-03-01" in note.inner_text()
    before = b[0] - a[0]
    widget.press("dates")
    widget.until(lambda said: said["now"].get("view") == "d")
    widget.rest()
    assert widget.place("向宏")[0] - widget.place("何志远")[0] > before  # room for the dates
    picture(widget.page, pictures, "lineage-dates")


def test_a_filter_keeps_the_chains_says_how_many_are_out_and_is_cleared(widget: Widget) -> None:
    everyone = widget.people()
    widget.page.get_by_role("button", name="only level 4").click()
    fewer = widget.until_people(lambda people: "谭浩然" not in people)
    assert "唐晓雯" in fewer and "彭立新" in fewer  # level 4, and who leads there
    assert widget.ask("() => canvas.shichengLineage.people.get('彭立新').link")
    said = widget.page.locator(".out")
    assert "不显示" in said.inner_text()
    widget.until(lambda said: said["now"].get("view") == "l4_4")
    widget.press("clear")
    widget.until_people(lambda people: people == everyone)
    said.wait_for(state="hidden")


def test_finding_someone_who_is_not_shown_asks_the_page(widget: Widget) -> None:
    widget.page.get_by_role("combobox").fill("王五")
    widget.page.keyboard.press("Enter")
    said = widget.until(lambda said: said["event"] == "search")
    assert said["text"] == "王五"


def test_the_box_that_has_the_focus_again_keeps_what_it_found(widget: Widget) -> None:
    box = widget.page.get_by_role("combobox")
    box.fill("彭")
    found = widget.page.locator(".found")
    found.wait_for(timeout=WAIT)
    box.evaluate("(box) => { box.blur(); box.focus(); }")
    box.evaluate("() => new Promise((past) => setTimeout(past, 200))")
    assert found.is_visible()
    box.blur()
    found.wait_for(state="hidden", timeout=WAIT)


def test_years_by_the_handles_by_keys_and_by_play(widget: Widget) -> None:
    start = widget.page.locator(".handle[data-end=from]")
    box = start.bounding_box()
    widget.page.mouse.move(box["x"] + 7, box["y"] + 7)
    widget.page.mouse.down()
    widget.page.mouse.move(box["x"] + 300, box["y"] + 7, steps=5)
    widget.page.mouse.up()
    said = widget.until(lambda said: years_of(said) is not None)
    first = years_of(said)[0]
    assert 2005 < first < 2018
    start.press("ArrowRight")
    widget.until(lambda said: (years_of(said) or (0,))[0] == first + 1)
    assert start.get_attribute("aria-valuenow") == str(first + 1)
    widget.press("undo")
    widget.press("undo")
    widget.until(lambda said: "view" not in said["now"])
    widget.press("play")
    widget.page.wait_for_timeout(2500)
    assert "1996" in widget.page.locator(".span span").inner_text()
    widget.press("play")
    said = widget.until(lambda said: years_of(said) is not None)
    assert years_of(said)[0] == 1996 and years_of(said)[1] < 2026


def test_of_events_in_quick_succession_none_is_lost_or_overtaken(widget: Widget) -> None:
    """Streamlit hands over the last of several triggers that come before it answers."""
    widget.press("dates")
    widget.until(lambda said: said["now"].get("view") == "d")
    press = "act => canvas.closest('.lineage').querySelector(`[data-act=${act}]`).click()"
    widget.ask(f"(...acts) => acts.forEach({press})", "axis-year", "undo", "axis-year", "undo")
    widget.until(lambda said: said["now"].get("view") == "d")
    # years by the keys wait for the next key, and an undo pressed meanwhile takes them back
    widget.page.locator(".handle[data-end=from]").press("ArrowRight")
    widget.press("undo")
    widget.until(lambda said: said["event"] == "undo" and said["now"].get("view") == "d")
    widget.press("undo")
    widget.until(lambda said: "view" not in said["now"])


def test_the_year_axis_and_a_pages_own_button(widget: Widget) -> None:
    before = widget.place("唐晓雯")
    widget.press("axis-year")
    widget.until(lambda said: said["now"].get("view", "") == "a")
    widget.rest()
    assert widget.place("唐晓雯") != before
    widget.press("export")
    widget.until(lambda said: said["event"] == "export")


def test_the_note_stands_beside_the_box(widget: Widget) -> None:
    x, y = widget.place("莫晓东")
    widget.page.mouse.move(x, y)
    note = widget.page.locator(".note")
    note.wait_for(state="visible")
    assert note.locator("b").inner_text() == "不计入：日期倒退"
    box = note.bounding_box()
    inside = box["x"] <= x <= box["x"] + box["width"] and box["y"] <= y <= box["y"] + box["height"]
    assert not inside


def test_every_control_has_a_name(widget: Widget) -> None:
    names = widget.page.locator(".lineage button, .lineage input, .lineage [role=slider]")
    for control in names.all():
        assert control.evaluate("e => e.getAttribute('aria-label') || e.textContent.trim()")
    assert widget.page.locator(".canvas").get_attribute("aria-label") == "师承谱系"
    widget.page.get_by_role("button", name="以列表读出图中人员").press("Enter")
    assert widget.page.locator(".lineage ul.unseen li").count() == len(widget.people())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_both_modes_and_languages(
    show_widget: Show, pictures: Path | None, language: str, mode: str
) -> None:
    widget = show_widget(f"language={language}", color_scheme=mode)
    page = widget.page
    widget.rest()
    picture(page, pictures, f"lineage-{mode}-{language}")
    paper = widget.ask("() => canvas.closest('.lineage').style.getPropertyValue('--paper').trim()")
    assert paper == ("#FBFAF6" if mode == "light" else "#12181F")
    x, y = widget.place("杨勇军")
    red = widget.ask(
        "(x, y) => { const drawn = canvas.querySelector('canvas');"
        " const box = drawn.getBoundingClientRect(); const ratio = drawn.width / box.width;"
        " return [...drawn.getContext('2d')"
        ".getImageData((x - box.left) * ratio, (y - box.top) * ratio, 1, 1).data]; }",
        x,
        y + 11,
    )
    assert red[:3] == ([178, 58, 46] if mode == "light" else [240, 122, 104])
    assert page.get_by_role("button", name="撤销" if language == "zh" else "Undo").count() == 1


def test_the_mode_changes_while_the_page_is_open(widget: Widget) -> None:
    widget.page.emulate_media(color_scheme="dark")
    paper = "canvas.closest('.lineage').style.getPropertyValue('--paper').trim()"
    widget.poll(lambda: widget.ask(f"() => {paper}"), lambda colour: bool(colour == "#12181F"))


def test_the_wheel_walks_the_rows_and_with_ctrl_it_zooms(show_widget: Show) -> None:
    widget = show_widget("people=300")
    widget.page.mouse.move(*widget.place("杨勇军"))
    before = widget.view()
    widget.page.mouse.wheel(0, 300)  # is answered before the page has heard of it
    aim = pytest.approx((before[0], before[1] + 300 / before[2], before[2]), abs=1)
    walked = widget.poll(widget.view, lambda view: bool(view == aim))
    widget.page.keyboard.down("Control")
    widget.page.mouse.wheel(0, -200)
    widget.poll(widget.view, lambda view: view[2] > walked[2])
    widget.page.keyboard.up("Control")


def test_a_narrow_page_keeps_every_control_in_reach(
    show_widget: Show, pictures: Path | None
) -> None:
    widget = show_widget(size={"width": 480, "height": 900})
    page = widget.page
    widget.rest()
    picture(page, pictures, "lineage-narrow")
    for control in page.locator(".lineage .toolbar button").all():
        box = control.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 480


def test_less_motion_means_none(show_widget: Show) -> None:
    widget = show_widget(reduced_motion="reduce")
    widget.press("zoom-in")
    assert widget.view()[2] == pytest.approx(1.25, abs=0.2)


def test_fifty_names_that_are_scripts_run_nothing(show_widget: Show) -> None:
    widget = show_widget("payloads=1&people=60")
    page = widget.page
    names = widget.ask("() => canvas.shichengLineage.data.nodes.map((node) => node.name)")
    assert len(set(names)) >= 50
    inside = sorted(on_screen(page))
    pointed_at = "() => canvas.shichengLineage.pointer.hover?.id"
    for person in inside[:5]:
        widget.page.mouse.move(*widget.place(person))
        widget.poll(lambda: widget.ask(pointed_at), partial(eq, person))
        assert "ran" in page.locator(".note").inner_text()
    widget.click(inside[0])
    widget.until(lambda said: said["now"].get("selected") == inside[0])
    widget.rest()
    page.get_by_role("combobox").fill("script")
    page.locator(".found li").nth(10).wait_for(timeout=WAIT)
    assert page.evaluate("window.ran") is None
    assert page.locator(".lineage img, .lineage iframe, .lineage script").count() == 0


def exported() -> bytes:
    payload = '<img src=x onerror="window.ran=1">href</script><script>window.ran=1</script>'
    view = LineageView(
        nodes=(
            LineageNode("t", "杨勇军", level=8, state="talent"),
            LineageNode(
                "a", payload, 1, 7, leading=True, reason=f"<a href='javascript:1'>{payload}"
            ),
            LineageNode("b", "谭浩然", 1, 3, state="pending"),
        ),
        edges=(LineageEdge("t", "a"), LineageEdge("t", "b", "studio")),
        focus="t",
    )
    return encode_network(build_view_network(view), "html", title=payload, notes=[payload])


def test_the_exported_page_draws_from_a_disk_with_no_network(
    open_page: Callable[..., Any], tmp_path: Path, pictures: Path | None
) -> None:
    file = tmp_path / "谱系.html"
    file.write_bytes(exported())
    page = open_page(file.as_uri())
    page.locator("canvas").wait_for(timeout=WAIT)
    page.wait_for_function(
        "() => { const c = document.querySelector('canvas'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let n = 0;"
        " for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n > 2_000; }",
        timeout=WAIT,
    )
    picture(page, pictures, "export")
    box = page.locator("canvas").bounding_box()
    at = page.evaluate("() => network.canvasToDOM(network.getPositions(['a'])['a'])")
    page.mouse.move(box["x"] + at["x"], box["y"] + at["y"])
    page.locator("div.vis-tooltip", has_text="ran").wait_for(timeout=WAIT)
    assert page.evaluate("window.ran") is None


def test_a_click_on_the_page_taken_away_marks_who_is_tied_by_way_of_a_studio(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    """t leads studio S, where a and c train; b is an apprentice."""
    view = LineageView(
        nodes=(
            LineageNode("t", "杨勇军", level=8, state="talent"),
            *(LineageNode(id, f"徒{id}", 1, 4, state="driven") for id in "abc"),
        ),
        edges=(
            *(LineageEdge("t", id, "studio", date(2020, 1, 1), studio="S") for id in "ac"),
            LineageEdge("t", "b", start=date(2021, 1, 1)),
        ),
        focus="t",
        studios=(LineageStudio("S", "杨勇军工作室", 0, 2),),
        grouped=True,
    )
    file = tmp_path / "谱系.html"
    file.write_text(render_view_page(view, title="谱系"), "utf-8")
    page = open_page(file.as_uri(), offline=True)
    studio = page.locator("main svg .studio").get_attribute("data-id", timeout=WAIT)

    def click(box: str) -> tuple[set[str], set[tuple[str, str]]]:
        """Whom and which ties a click on a box marks."""
        page.locator(f"main svg {box}").click()
        boxes, ties = page.evaluate(
            """() => [':is(.person, .studio).on', '.tie.on'].map((marked) =>
                [...document.querySelectorAll(marked)].map((e) => e.dataset.id
                    ?? [e.dataset.from, e.dataset.to]))"""
        )
        return set(boxes), {(a, b) for a, b in ties}

    led, to_a, to_c = ("t", studio), (studio, "a"), (studio, "c")
    assert click(".studio") == ({studio, "t", "a", "c"}, {led, to_a, to_c})
    assert click("[data-id=a]") == ({"a", studio, "t"}, {led, to_a})
    assert click("[data-id=b]") == ({"b", "t"}, {("t", "b")})
    assert click("[data-id=t]") == ({"t", "b", studio, "a", "c"}, {led, to_a, to_c, ("t", "b")})
    page.keyboard.press("Escape")
    assert page.locator(".chosen, .on").count() == 0


def test_three_hundred_people_are_drawn_and_a_click_sends_little(
    serve: Callable[..., str], open_page: Callable[..., Any], pictures: Path | None
) -> None:
    page = open_page("about:blank")
    received: list[int] = []
    page.once(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))),
    )
    page.goto(f"{serve(DEMO)}/?people=300")
    widget = Widget(page)
    assert len(widget.people()) == 300
    widget.rest()
    picture(page, pictures, "lineage-300")
    first, received[:] = sum(received), []
    widget.click("杨勇军")
    widget.until(lambda said: said["now"].get("selected") == "杨勇军")
    assert first > 400_000  # the library, once
    assert sum(received) < 30_000  # who is selected; people, ties and library are there already
