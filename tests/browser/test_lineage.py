"""The lineage widget in a real browser: what a person does, and what Python then has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.export import network_bytes, view_network
from components.lineage import LineageEdge, LineageNode, LineageView

DEMO = Path(__file__).with_name("lineage_demo.py")
WAIT = 30_000  # ms; the machine may be busy
# The widget stands in a shadow root; playwright's CSS selectors go through, scripts must ask.
WIDGET = """() => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
    .map((host) => host.shadowRoot?.querySelector('.canvas')).find((canvas) => canvas)"""


class Widget:
    """The widget as a person has it: boxes at places, buttons by name, Python's word for it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.wait_for_function(f"({WIDGET})()?.shichengNetwork", timeout=WAIT)
        page.get_by_test_id("stCode").wait_for(timeout=WAIT)

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
            self.ask("() => { const p = network.getViewPosition();"
                     " return [p.x, p.y, network.getScale()]; }")
        )  # fmt: skip

    def python(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.page.get_by_test_id("stCode").inner_text())
        return said

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for _ in range(WAIT // 100):
            said = self.python()
            if holds(said):
                return said
            self.page.wait_for_timeout(100)
        raise AssertionError(f"Python still has {self.python()}")

    def until_people(self, holds: Callable[[set[str]], bool]) -> set[str]:
        for _ in range(WAIT // 100):
            if holds(self.people()):
                self.page.wait_for_timeout(400)  # the rows have slid
                return self.people()
            self.page.wait_for_timeout(100)
        raise AssertionError(f"still shown: {len(self.people())} people")

    def press(self, act: str) -> None:
        self.page.locator(f"[data-act={act}]").click()

    def click(self, person: str) -> None:
        self.page.mouse.click(*self.place(person))

    def double_click(self, person: str) -> None:
        self.page.mouse.dblclick(*self.place(person))


@pytest.fixture
def widget(serve: Callable[..., str], open_page: Callable[..., Any]) -> Widget:
    return Widget(open_page(serve(DEMO)))


def test_a_click_selects_in_python_and_lights_the_path(widget: Widget) -> None:
    widget.click("樊嘉豪")
    said = widget.until(lambda said: said["now"].get("selected") == "樊嘉豪")
    assert said["event"] is None
    live = widget.page.locator(".lineage [role=status]")
    assert "樊嘉豪" in live.inner_text() and "3 级" in live.inner_text()


def test_python_can_select_after_a_click(widget: Widget) -> None:
    widget.click("樊嘉豪")
    widget.until(lambda said: said["now"].get("selected") == "樊嘉豪")
    widget.page.get_by_role("button", name="select 苏明辉").click()
    widget.until(lambda said: said["now"].get("selected") == "苏明辉")
    widget.page.keyboard.press("Tab")
    widget.page.wait_for_timeout(500)
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
    assert widget.python()["now"]["view"]


def test_zoom_and_pan_survive_a_rerun(widget: Widget) -> None:
    widget.press("zoom-in")
    widget.page.wait_for_timeout(500)
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
    widget.page.wait_for_timeout(300)
    assert widget.view() == pytest.approx(moved, abs=0.5)


def test_keys_walk_find_hide_and_clear(widget: Widget) -> None:
    widget.click("杨勇军")
    widget.until(lambda said: said["now"].get("selected") == "杨勇军")
    widget.page.keyboard.press("ArrowLeft")
    widget.until(lambda said: said["now"].get("selected") in ("秦守义", "罗明山"))
    widget.page.keyboard.press("ArrowRight")
    widget.until(lambda said: said["now"].get("selected") == "杨勇军")
    widget.page.keyboard.press("/")
    widget.page.keyboard.type("田雨")
    widget.page.keyboard.press("Enter")
    widget.until(lambda said: said["now"].get("selected") == "田雨桐")
    widget.page.keyboard.press("ArrowDown")
    widget.until(lambda said: said["now"].get("selected") == "钟启明")
    widget.press("pin")
    widget.until(lambda said: '"p":["钟启明"]' in said["now"].get("view", ""))
    widget.press("hide")
    widget.until_people(lambda people: "钟启明" not in people)
    widget.click("田雨桐")
    widget.until(lambda said: said["now"].get("selected") == "田雨桐")
    widget.page.keyboard.press("Escape")
    widget.until(lambda said: "selected" not in said["now"])


def test_finding_someone_who_is_not_shown_asks_the_page(widget: Widget) -> None:
    widget.page.get_by_role("combobox").fill("王五")
    widget.page.keyboard.press("Enter")
    said = widget.until(lambda said: said["event"] == "search")
    assert said["text"] == "王五"


def test_years_by_the_handles_by_keys_and_by_play(widget: Widget) -> None:
    start = widget.page.locator(".handle[data-end=from]")
    box = start.bounding_box()
    widget.page.mouse.move(box["x"] + 7, box["y"] + 7)
    widget.page.mouse.down()
    widget.page.mouse.move(box["x"] + 300, box["y"] + 7, steps=5)
    widget.page.mouse.up()
    said = widget.until(lambda said: '"y":[' in said["now"].get("view", ""))
    first = json.loads(said["now"]["view"])["y"][0]
    assert 2005 < first < 2018
    start.press("ArrowRight")
    widget.until(lambda said: f'"y":[{first + 1},' in said["now"].get("view", ""))
    widget.press("undo")
    widget.press("undo")
    widget.until(lambda said: "view" not in said["now"])
    widget.press("play")
    widget.page.wait_for_timeout(2500)
    assert "1996" in widget.page.locator(".span span").inner_text()
    widget.press("play")
    said = widget.until(lambda said: '"y":[1996' in said["now"].get("view", ""))
    assert json.loads(said["now"]["view"])["y"][1] < 2026


def test_the_year_axis_and_a_pages_own_button(widget: Widget) -> None:
    before = widget.place("唐晓雯")
    widget.press("axis-year")
    widget.until(lambda said: '"a":"year"' in said["now"].get("view", ""))
    widget.page.wait_for_timeout(500)
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
    assert widget.page.locator(".lineage ul.unseen li").count() == len(widget.people())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_both_modes_and_languages(
    serve: Callable[..., str],
    open_page: Callable[..., Any],
    pictures: Path,
    language: str,
    mode: str,
) -> None:
    page = open_page(f"{serve(DEMO)}/?language={language}", color_scheme=mode)
    widget = Widget(page)
    page.wait_for_timeout(500)
    page.screenshot(path=pictures / f"lineage-{mode}-{language}.png")
    paper = widget.ask("() => canvas.closest('.lineage').style.getPropertyValue('--paper').trim()")
    assert paper == ("#FBFAF6" if mode == "light" else "#12181F")
    x, y = widget.place("杨勇军")
    red = widget.ask(
        "(x, y) => { const drawn = canvas.querySelector('canvas');"
        " const box = drawn.getBoundingClientRect(); const ratio = drawn.width / box.width;"
        " return [...drawn.getContext('2d')"
        ".getImageData((x - box.left) * ratio, (y - box.top) * ratio, 1, 1).data]; }",
        x, y + 11,
    )  # fmt: skip
    assert red[:3] == ([178, 58, 46] if mode == "light" else [240, 122, 104])
    assert page.get_by_role("button", name="撤销" if language == "zh" else "Undo").count() == 1


def test_the_mode_changes_while_the_page_is_open(widget: Widget) -> None:
    widget.page.emulate_media(color_scheme="dark")
    paper = "canvas.closest('.lineage').style.getPropertyValue('--paper').trim()"
    for _ in range(50):
        if widget.ask(f"() => {paper}") == "#12181F":
            return
        widget.page.wait_for_timeout(100)
    raise AssertionError("still light")


def test_the_wheel_walks_the_rows_and_with_ctrl_it_zooms(
    serve: Callable[..., str], open_page: Callable[..., Any]
) -> None:
    widget = Widget(open_page(f"{serve(DEMO)}/?people=300"))
    widget.page.mouse.move(*widget.place("杨勇军"))
    before = widget.view()
    widget.page.mouse.wheel(0, 300)
    widget.page.wait_for_timeout(200)
    walked = widget.view()
    assert walked == pytest.approx((before[0], before[1] + 300 / before[2], before[2]), abs=1)
    widget.page.keyboard.down("Control")
    widget.page.mouse.wheel(0, -200)
    widget.page.keyboard.up("Control")
    widget.page.wait_for_timeout(200)
    assert widget.view()[2] > walked[2]


def test_a_narrow_page_keeps_every_control_in_reach(
    serve: Callable[..., str], open_page: Callable[..., Any], pictures: Path
) -> None:
    page = open_page(serve(DEMO), viewport={"width": 480, "height": 900})
    Widget(page)
    page.wait_for_timeout(500)
    page.screenshot(path=pictures / "lineage-narrow.png")
    for control in page.locator(".lineage .toolbar button").all():
        box = control.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 480


def test_less_motion_means_none(serve: Callable[..., str], open_page: Callable[..., Any]) -> None:
    widget = Widget(open_page(serve(DEMO), reduced_motion="reduce"))
    widget.press("zoom-in")
    assert widget.view()[2] == pytest.approx(1.25, abs=0.2)


def test_fifty_names_that_are_scripts_run_nothing(
    serve: Callable[..., str], open_page: Callable[..., Any]
) -> None:
    page = open_page(f"{serve(DEMO)}/?payloads=1&people=60")
    widget = Widget(page)
    names = widget.ask("() => network.body.data.nodes.get().map((node) => node.label)")
    assert len(set(names)) >= 50
    box = page.locator(".canvas").bounding_box()
    inside = [p for p in sorted(widget.people()) if 20 < widget.place(p)[1] - box["y"] < 500]
    for person in inside[:5]:
        widget.page.mouse.move(*widget.place(person))
        page.wait_for_timeout(100)
        assert "ran" in page.locator(".note").inner_text()
    widget.click(inside[0])
    widget.until(lambda said: said["now"].get("selected") == inside[0])
    page.get_by_role("combobox").fill("script")
    page.wait_for_timeout(300)
    assert page.locator(".found li").count() > 10
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
    )  # fmt: skip
    return network_bytes(view_network(view), "html", title=payload, notes=[payload])


def test_the_exported_page_draws_from_a_disk_with_no_network(
    open_page: Callable[..., Any], tmp_path: Path, pictures: Path
) -> None:
    file = tmp_path / "谱系.html"
    file.write_bytes(exported())
    page = open_page(file.as_uri())
    page.locator("canvas").wait_for(timeout=WAIT)
    page.wait_for_timeout(400)
    page.screenshot(path=pictures / "export.png")
    inked = page.evaluate(
        "() => { const c = document.querySelector('canvas'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let n = 0;"
        " for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"
    )
    assert inked > 2_000
    box = page.locator("canvas").bounding_box()
    at = page.evaluate("() => network.canvasToDOM(network.getPositions(['a'])['a'])")
    page.mouse.move(box["x"] + at["x"], box["y"] + at["y"])
    page.wait_for_timeout(600)
    assert page.evaluate("window.ran") is None


def test_three_hundred_people_are_drawn_and_a_click_sends_little(
    serve: Callable[..., str], open_page: Callable[..., Any], pictures: Path
) -> None:
    page = open_page("about:blank")
    received: list[int] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))),
    )
    page.goto(f"{serve(DEMO)}/?people=300")
    widget = Widget(page)
    assert len(widget.people()) == 300
    page.wait_for_timeout(500)
    page.screenshot(path=pictures / "lineage-300.png")
    first, received[:] = sum(received), []
    widget.click("杨勇军")
    widget.until(lambda said: said["now"].get("selected") == "杨勇军")
    assert first > 400_000  # the library, once
    assert sum(received) < 200_000  # the view of 300 people; the library is not sent again
