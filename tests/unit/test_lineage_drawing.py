"""A lineage drawn: one screen is one screen, no line runs through a box, groups stand there."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import networkx as nx
import pytest

from ui.export.layout import LAYOUT_ROW_PX, BoxPosition, route_around_boxes, route_between_rows
from ui.export.network_files import encode_network
from ui.lineage.drawing import render_view_svg
from ui.lineage.html_page import render_view_page
from ui.lineage.network import build_view_network
from ui.lineage.state import DisplayState, LineageEvent, LineageState
from ui.lineage.unfold import fit_breadth_to_screen, unfold_lineage
from ui.lineage.view import BREADTH_BY_GENERATION, SCREEN_ROWS
from ui.lineage.widget import (
    LineageBranch,
    LineageColumn,
    LineageEdge,
    LineageFlow,
    LineageGroup,
    LineageNode,
    LineageStudio,
    LineageView,
    build_widget_payload,
    compute_box_width,
    lay_out_view,
    list_pills,
)
from ui.shell.measures import MEASURES

SVG = "{http://www.w3.org/2000/svg}"
BOX = 28


def random_lineage(seed: int, size: int = 400) -> nx.MultiDiGraph:
    """People by chance below "p0", some with two mentors, some taught in a studio."""
    chance = random.Random(seed)
    graph = nx.MultiDiGraph()
    graph.add_node("p0")
    for number in range(1, size):
        for mentor in {chance.randrange(max(0, number - 80), number) for _ in range(2)}:
            graph.add_edge(
                f"p{mentor}",
                f"p{number}",
                channel=chance.choice(["mentorship", "studio"]),
                start=date(2000 + chance.randrange(26), 1, 1),
            )
    graph.add_edge("m", "p0", channel="mentorship")
    return graph


def one_screen(graph: nx.MultiDiGraph, state: LineageState) -> LineageView:
    depth = nx.single_source_shortest_path_length(graph, "p0")

    def most(person: str, channel: str) -> int:
        return BREADTH_BY_GENERATION.get(depth.get(person, -1), 1)

    breadth = fit_breadth_to_screen(graph, "p0", up=2, down=3, breadth=most, rows=SCREEN_ROWS)
    shown = unfold_lineage(graph, state, breadth=breadth)
    nodes = tuple(
        LineageNode(
            p,
            f"人{p}",
            g,
            4,
            more_up=shown.more_up.get(p, 0),
            more_down=shown.more_down.get(p, 0),
            more_by=shown.more_by.get(p, ()),
        )
        for p, g in shown.generations.items()
    )
    edges = tuple(
        LineageEdge(a, b, link["channel"], link.get("start"))
        for a, b, link in graph.edges(data=True)
        if a in shown.generations and b in shown.generations
    )
    columns = tuple(
        LineageColumn(g, f"代{g}", f"{g} 人") for g in sorted({n.generation for n in nodes})
    )
    return LineageView(nodes, edges, "p0", columns=columns)


@pytest.mark.parametrize("seed", range(20))
def test_one_screen_is_one_screen_however_many_there_are(seed: int) -> None:
    view = one_screen(random_lineage(seed, 20 + 60 * seed), LineageState("p0"))
    rows = Counter(node.generation for node in view.nodes)
    rows.update(pill.layer for pill in list_pills(view) if not pill.beside)
    assert max(rows.values()) <= SCREEN_ROWS
    heights = [place.y for place in lay_out_view(view).places.values()]
    assert max(heights) - min(heights) <= LAYOUT_ROW_PX * (SCREEN_ROWS - 1)
    known = {node.id for node in view.nodes}
    graph = random_lineage(seed, 20 + 60 * seed)
    for node in view.nodes:  # nobody is lost: "+N" has the others
        if node.generation >= 0:
            below = set(graph.successors(node.id)) - known
            assert node.more_down == len(below)


def test_what_is_opened_comes_though_the_screen_is_full() -> None:
    graph = random_lineage(3, 900)
    closed = one_screen(graph, LineageState("p0"))
    person = max(closed.nodes, key=lambda node: node.more_down)
    opened = one_screen(graph, LineageState("p0").expand(person.id))
    by_id = {node.id: node for node in opened.nodes}
    assert by_id[person.id].more_down < person.more_down
    assert {node.id for node in closed.nodes} <= by_id.keys()  # nobody goes for it
    folded = one_screen(graph, LineageState("p0").fold(closed.nodes[1].id))
    assert {node.id for node in folded.nodes} < {node.id for node in closed.nodes}


def points(path: str) -> list[tuple[float, float]]:
    """Points along an SVG path of M, H, L and C."""
    found: list[tuple[float, float]] = []
    for letter, rest in re.findall(r"([MHLC])([^MHLC]*)", path):
        numbers = [float(n) for n in rest.split()]
        if letter in "ML":
            target = (numbers[0], numbers[1])
        elif letter == "H":
            target = (numbers[0], found[-1][1])
        else:
            (x, y), (a, b, c, d, x2, y2) = found[-1], numbers
            for part in (n / 40 for n in range(1, 41)):
                rest_ = 1 - part
                found.append(
                    (
                        rest_**3 * x
                        + 3 * rest_**2 * part * a
                        + 3 * rest_ * part**2 * c
                        + part**3 * x2,
                        rest_**3 * y
                        + 3 * rest_**2 * part * b
                        + 3 * rest_ * part**2 * d
                        + part**3 * y2,
                    )
                )
            continue
        if found:
            (x, y), (x2, y2) = found[-1], target
            found += [(x + (x2 - x) * n / 40, y + (y2 - y) * n / 40) for n in range(1, 41)]
        else:
            found.append(target)
    return found


def boxes_of(view: LineageView) -> dict[str, tuple[float, float, float, float]]:
    """Every box and every "+N": left, top, right, bottom."""
    places = lay_out_view(view).places
    found = {
        node.id: (
            places[node.id].x,
            places[node.id].y - BOX / 2,
            places[node.id].x + compute_box_width(node),
            places[node.id].y + BOX / 2,
        )
        for node in view.nodes
    }
    for pill in list_pills(view):
        if not pill.beside:
            at = places[pill.id]
            found[pill.id] = (at.x, at.y - 11, at.x + 30, at.y + 11)
        elif pill.direction == "down":
            _, top, right, _ = found[pill.person]
            found[pill.id] = (right + 6, top + 3, right + 36, top + 25)
    return found


@pytest.mark.parametrize("axis", ["generation", "year"])
@pytest.mark.parametrize("seed", range(12))
def test_no_line_runs_through_a_name_or_a_pill(seed: int, axis: str) -> None:
    view = replace(one_screen(random_lineage(seed, 300), LineageState("p0")), axis=axis)  # type: ignore[arg-type]
    drawing = ElementTree.fromstring(render_view_svg(view, title="谱系"))
    boxes = boxes_of(view)
    lines = [p for p in drawing.iter(f"{SVG}path") if p.get("class") == "tie"]
    assert len(lines) == len(view.edges)
    for line in lines:
        ends = {line.get("data-from"), line.get("data-to")}
        along = points(line.get("d") or "")
        for box, (left, top, right, bottom) in boxes.items():
            if box in ends or ends & set(box.split("\n")):
                continue
            struck = [
                (x, y) for x, y in along if left + 1 < x < right - 1 and top + 1 < y < bottom - 1
            ]
            assert not struck, (ends, box, struck[0])


def test_the_drawing_has_the_letters_of_compared_branches_and_names_them() -> None:
    view = one_screen(random_lineage(5, 40), LineageState("p0"))
    one, both = view.nodes[3].id, view.nodes[4].id
    branches = (
        LineageBranch("甲", frozenset({one, both}), "何志远", "12 人"),
        LineageBranch("乙", frozenset({both}), "沈思源", "3 人"),
    )
    drawing = ElementTree.fromstring(
        render_view_svg(replace(view, branches=branches), title="谱系")
    )
    texts = {
        person: [t.text for t in drawing.findall(f"{SVG}g[@data-id='{person}']/{SVG}text")]
        for person in (one, both)
    }
    assert texts[one][-1] == "甲" and texts[both][-1] == "甲乙"
    assert len(drawing.findall(f".//{SVG}rect[@class='letter']")) == 2 + 2  # two in the legend
    said = [text.text for text in drawing.iter(f"{SVG}text")]
    assert "何志远 12 人" in said and "沈思源 3 人" in said


def test_a_pinned_person_has_a_pin_in_the_drawing() -> None:
    view = one_screen(random_lineage(1, 60), LineageState("p0"))
    pinned = view.nodes[3].id
    nodes = tuple(replace(node, pinned=node.id == pinned) for node in view.nodes)
    drawing = ElementTree.fromstring(render_view_svg(replace(view, nodes=nodes), title="谱系"))
    (pin,) = drawing.iter(f"{SVG}circle")
    (box,) = drawing.findall(f"{SVG}g[@data-id='{pinned}']")
    assert pin in list(box)


def studio_view(**changes: Any) -> LineageView:
    """t leads studio S, where a and c train; c is two generations down; b is an apprentice."""
    view = LineageView(
        (
            LineageNode("t", "T", more_down=3, more_by=(("studio:S", 3),)),
            LineageNode("a", "A", 1),
            LineageNode("b", "B", 1),
            LineageNode("c", "C", 2),
        ),
        (
            LineageEdge("t", "a", "studio", date(2020, 1, 1), studio="S"),
            LineageEdge("t", "c", "studio", date(2021, 1, 1), studio="S"),
            LineageEdge("t", "b", start=date(2022, 1, 1)),
        ),
        "t",
        columns=tuple(LineageColumn(g, f"代{g}", f"{g} 人") for g in range(3)),
        studios=(LineageStudio("S", "师承工作室", 0, 5),),
        grouped=True,
    )
    return replace(view, **changes)


def test_a_studio_stands_in_the_drawing_as_on_the_screen() -> None:
    view = studio_view()
    drawing = ElementTree.fromstring(render_view_svg(view, title="谱系"))
    (sent,) = build_widget_payload(view).view["studios"]
    (group,) = drawing.findall(f"{SVG}g[@class='studio']")
    (box,), size = group.findall(f"{SVG}rect"), MEASURES.studio
    assert float(box.get("y", "")) + size.height / 2 == sent["y"]
    assert float(box.get("x", "")) == round(lay_out_view(view).places["=\nS"].x, 1)
    assert (box.get("height"), box.get("rx")) == (str(size.height), str(size.radius))
    assert box.get("stroke-dasharray") == " ".join(map(str, MEASURES.dashes["studio"]))
    left = float(box.get("x", ""))
    sign, name = group.findall(f"{SVG}text")
    assert (sign.text, float(sign.get("x", "")) - left) == ("▾", size.sign_left)
    assert (name.text, float(name.get("x", "")) - left) == ("师承工作室 · 5 人", size.padding_left)
    ties = {
        (line.get("data-from"), line.get("data-to")): points(line.get("d") or "")
        for line in drawing.iter(f"{SVG}path")
        if line.get("class") == "tie"
    }
    # The leader's line is drawn once, however many train there.
    assert set(ties) == {("t", "=\nS"), ("=\nS", "a"), ("=\nS", "c"), ("t", "b")}
    assert ties["t", "=\nS"][-1] == (left, sent["y"])
    heads = [text.text for text in drawing.findall(f"{SVG}text[@font-weight='700']")]
    assert [head for head in heads if head and head.startswith("代")] == ["代0", "代1", "代2"]


def test_a_path_by_way_of_a_studio_stands_out_in_the_drawing() -> None:
    drawn = render_view_svg(studio_view(paths=(("t", "a"),)), title="谱系")
    strong = re.findall(r'data-from="([^"]*)" data-to="([^"]*)"[^>]*stroke-width="2"', drawn)
    assert strong == [("t", "=&#10;S"), ("=&#10;S", "a")]


@pytest.mark.parametrize(
    ("changes", "signs"),
    [
        ({"years": (2021, 2021)}, ["▾"]),
        ({"years": (2022, 2022)}, []),
        ({"axis": "year"}, []),
        ({"studios": (LineageStudio("S", "工作室", 0, 5, closed=True),), "edges": ()}, ["▸"]),
    ],
)
def test_a_studio_without_a_tie_in_the_years_shown_is_not_drawn(
    changes: dict[str, Any], signs: list[str]
) -> None:
    drawing = ElementTree.fromstring(render_view_svg(studio_view(**changes), title="谱系"))
    groups = drawing.findall(f"{SVG}g[@class='studio']")
    assert [group.findtext(f"{SVG}text") for group in groups] == signs


def test_lines_pass_between_rows_and_stand_apart() -> None:
    view = LineageView(
        tuple(LineageNode(i, i, g) for i, g in (("a", 0), ("b", 1), ("c", 2), ("d", 2))),
        (LineageEdge("a", "b"), LineageEdge("a", "c"), LineageEdge("a", "d")),
        "a",
    )
    layers = {node.id: node.generation for node in view.nodes}
    found = route_between_rows([("a", "c"), ("d", "a"), ("a", "b")], layers, lay_out_view(view))
    assert ("a", "b") not in found and len(found["a", "c"]) == 1
    for heights in found.values():
        assert all(abs((y / LAYOUT_ROW_PX) % 1 - 0.5) < 0.1 for y in heights)


def test_a_line_along_years_goes_down_where_nobody_stands() -> None:
    places = {
        "a": BoxPosition(0, 0),
        "b": BoxPosition(200, 80),
        "x": BoxPosition(180, 40),
        "y": BoxPosition(40, 40),
    }
    widths = dict.fromkeys(places, 60.0)
    line = route_around_boxes([("a", "b")], places, widths)["a", "b"]
    assert (line[0], line[-1]) == (BoxPosition(60, 0), BoxPosition(200, 80))
    for one, other in pairwise(line):
        assert one.x == other.x or one.y == other.y
        if one.x == other.x:
            low, high = sorted((one.y, other.y))
            stand = [p for p in (places["x"], places["y"]) if low < p.y < high]
            assert not any(p.x - 1 < one.x < p.x + 61 for p in stand)


def grouped_view() -> LineageView:
    return LineageView(
        (
            LineageNode("t", "杨勇军", 0, 8, "talent", "奖"),
            LineageNode("m", "秦守义", -1, 6, more_up=1),
            LineageNode(
                "1\nbA",
                "何志远一支",
                1,
                group=LineageGroup(412, 250, 40, "1\nbA"),
                lines=("共 412 人",),
            ),
            LineageNode("2\nbA", "<b>一支", 2, group=LineageGroup(1_000, 10, 0, "2", open=True)),
            LineageNode(
                "2\nbA\nl4", "4 级", 2, group=LineageGroup(999, 9, 0, "2\nbA\nl4"), indent=1
            ),
            LineageNode("w", "唐晓雯", 2, 4, "driven", indent=1),
        ),
        (LineageEdge("m", "t"),),
        "t",
        columns=(
            LineageColumn(0, "领军人才"),
            LineageColumn(1, "第 1 代", "带动 250 人", "带动 {n} 人"),
        ),
        flows=(
            LineageFlow("t", "1\nbA", 412),
            LineageFlow("1\nbA", "2\nbA\nl4", 900),
            LineageFlow("1\nbA", "w", 1),
            LineageFlow("t", "2\nbA\nl4", 99),
        ),
        columns_hold="branch",
        figures=((1, 2020, 250),),
        more=1_411,
        grouping=True,
    )


def test_groups_are_sent_with_their_counts_and_flows() -> None:
    sent = build_widget_payload(grouped_view())
    assert sent.view["group"][2] == [412, 250, 40, "1\nbA", 0]
    assert sent.view["group"][3][4] == 1 and sent.view["indent"] == {4: 1, 5: 1}
    assert [n for _, _, n in sent.view["flows"]] == [412, 900, 1, 99]
    assert sent.view["hold"] == "branch" and sent.turn["more"] == 1_411
    ((source, target, heights),) = sent.view["via"]
    assert (source, target) == ("t", "2\nbA\nl4") and len(heights) == 1
    rows = {
        node.id: lay_out_view(grouped_view()).places[node.id].y for node in grouped_view().nodes
    }
    assert rows["2\nbA"] < rows["2\nbA\nl4"] < rows["w"]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_groups_heads_and_pills_are_drawn_and_taken_away_as_a_page(mode: str) -> None:
    title = "杨勇军的师承谱系：带动新高技能人才 4,126 人"
    page = render_view_page(grouped_view(), title=title, notes=["说明 <x>"], mode=mode)  # type: ignore[arg-type]
    assert f"<h1>{title}</h1>" in page and f"<title>{title}</title>" in page
    assert "说明 &lt;x&gt;" in page and "<b>一支" not in page
    assert not re.search(r"(?:src|href)=[\"']?https?:", page)
    drawing = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    said = " ".join(text.text or "" for text in drawing.iter(f"{SVG}text"))
    for word in ("第 1 代", "带动 250 人", "何志远一支", "412", "+1", "唐晓雯", "奖"):
        assert word in said
    assert len([g for g in drawing.iter(f"{SVG}g") if g.get("class") == "group"]) == 3
    assert len([p for p in drawing.iter(f"{SVG}path") if p.get("class") == "flow"]) == 4


def test_groups_stand_in_the_files_for_other_programs() -> None:
    graph = build_view_network(grouped_view())
    assert graph.nodes["group:1/bA"]["persons"] == 412
    assert graph.nodes["group:1/bA"]["driven"] == 250
    flows = [d for _, _, d in graph.edges(data=True) if d.get("channel") == "flow"]
    assert sorted(d["persons"] for d in flows) == [1, 99, 412, 900]
    assert json.loads(encode_network(graph, "json"))["nodes"]


def test_groups_open_fold_and_stand_in_the_address() -> None:
    state = LineageState("t").hold("occupation")
    opened = (
        state.open_group("2\no6-18/甲 1").open_group("3\nl4\nbP_1").open_group("2\no6-18/甲 1\nl4")
    )
    assert dict(opened.shown.inside) == {2: "2\no6-18/甲 1\nl4", 3: "3\nl4\nbP_1"}
    assert LineageState.from_query(opened.to_query()).shown == opened.shown  # type: ignore[union-attr]
    assert dict(opened.open_group("2").shown.inside) == {3: "3\nl4\nbP_1"}
    assert opened.undo().undo().undo().shown == state.shown
    assert opened.hold("level").shown.inside == () and state.open_group("x").shown == state.shown
    assert state.by("year").shown.columns == "people"
    assert LineageState("t").open_group("2\nl4").shown == DisplayState()
    assert state.apply(LineageEvent(None, "group", "1\nl4")).shown.inside == ((1, "1\nl4"),)
    assert state.apply(LineageEvent(None, "columns", text="<b>")).shown.columns == "people"
    assert LineageState("t").settled("branch").shown.columns == "branch"
    assert not LineageState("t").settled("branch").past
    assert state.settled("branch") is state


def test_everyone_hidden_comes_back_at_once() -> None:
    state = LineageState("t").hide("a").hide("b")
    back = state.apply(LineageEvent(None, "unhide"))
    assert back.shown.hidden == frozenset() and back.undo().shown == state.shown
