"""What is open, folded, hidden and pinned: pure, undoable, and the same again from its link."""

from __future__ import annotations

from datetime import date

import networkx as nx
import pytest

from components.lineage import (
    BATCH,
    PEOPLE_AT_MOST,
    LineageEdge,
    LineageEvent,
    LineageNode,
    LineageState,
    LineageView,
    Shown,
    build,
    pills,
    read_event,
    unfold,
)
from graph.errors import UsageError


@pytest.fixture
def graph() -> nx.MultiDiGraph:
    """t teaches a00-a29 (a20-a29 in a studio); a00 and a01 teach b; b teaches c; m, k taught t."""
    graph = nx.MultiDiGraph()
    for number in range(30):
        channel = "studio" if number >= 20 else "mentorship"
        graph.add_edge("t", f"a{number:02}", channel=channel)
    for mentor, taught in (("a00", "b"), ("a01", "b"), ("b", "c"), ("m", "t"), ("k", "m")):
        graph.add_edge(mentor, taught, channel="mentorship")
    return graph


def test_every_change_is_a_step_of_undo_and_selection_is_none() -> None:
    state = LineageState("t").select("a").expand("a").hide("b").pin("c").at((2020, 2024)).by("year")
    assert len(state.past) == 5
    back = state
    for _ in range(9):
        back = back.undo()
    assert back.shown == Shown()
    assert back.selected == "a"
    for _ in range(9):
        back = back.redo()
    assert back.shown == state.shown
    assert back.undo().expand("z").future == ()


def test_a_change_that_changes_nothing_is_no_step() -> None:
    assert LineageState("t").at(None).by("generation").hide("t") == LineageState("t")


def test_a_link_gives_the_same_view_again() -> None:
    state = (
        LineageState("t", "a").expand("a", "down", "studio").expand("a", "down", "studio")
        .fold("b", "up").hide("c").pin("d").at((2000, 2024)).by("year")
    )  # fmt: skip
    again = LineageState.from_query(state.to_query())
    assert again is not None
    assert (again.focus, again.selected, again.shown) == ("t", "a", state.shown)
    assert LineageState("t").to_query() == {"person": "t"}


@pytest.mark.parametrize(
    "view", ["", "{", "[]", "{}", "null", '{"o":[1],"f":[],"h":[],"p":[],"y":null,"a":"x"}']
)
def test_a_broken_link_shows_the_person(view: str) -> None:
    assert LineageState.from_query({"person": "t", "view": view}) == LineageState("t")
    assert LineageState.from_query({"view": view}) is None


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (LineageEvent("a", "expand", "a"), LineageState("t").select("a").expand("a")),
        (LineageEvent("a", "hide"), LineageState("t").select("a").hide("a")),
        (LineageEvent(None, "fold", "t"), LineageState("t").fold("t")),
        (LineageEvent(None, "years", years=(1, 2)), LineageState("t").at((1, 2))),
        (LineageEvent(None, "axis", axis="year"), LineageState("t").by("year")),
        (LineageEvent(None, "export"), LineageState("t")),
    ],
)
def test_an_event_is_put_into_the_state(event: LineageEvent, expected: LineageState) -> None:
    assert LineageState("t").apply(event) == expected


def test_an_event_can_undo_what_another_did() -> None:
    state = LineageState("t").apply(LineageEvent(None, "expand", "a"))
    assert state.apply(LineageEvent(None, "undo")).shown == Shown()


def test_only_a_new_click_selects() -> None:
    sent = {"selected": {"id": "a", "click": 7}}
    assert read_event(sent, "b", 6).selected == "a"
    assert read_event(sent, "b", 7).selected == "b"
    done = {"action": "years", "years": [2001.0, 2004], "channel": "<b>", "direction": "x"}
    event = read_event({"done": done}, "b")
    assert (event.years, event.channel, event.direction) == ((2001, 2004), None, "down")


def test_unfolding_shows_the_first_of_each_channel_and_counts_the_rest(
    graph: nx.MultiDiGraph,
) -> None:
    shown = unfold(graph, LineageState("t"), breadth=2)
    assert shown.generations == {
        "t": 0, "a00": 1, "a01": 1, "a20": 1, "a21": 1, "b": 2, "c": 3, "m": -1, "k": -2,
    }  # fmt: skip
    assert shown.more_by["t"] == (("mentorship", 18), ("studio", 8))
    assert shown.more_down["t"] == 26
    assert shown.left_out == 26


def test_opening_adds_a_batch_and_folding_takes_away(graph: nx.MultiDiGraph) -> None:
    state = LineageState("t").expand("t", "down", "mentorship")
    shown = unfold(graph, state, breadth=2)
    assert sum(p.startswith("a") for p in shown.generations) == min(20, 2 + BATCH) + 2
    folded = unfold(graph, state.fold("a00").fold("a01"), breadth=2)
    assert "b" not in folded.generations
    assert folded.more_down["a00"] == 1
    assert unfold(graph, LineageState("t").fold("t", "up")).more_up == {"t": 1}
    assert "b" in unfold(graph, state.fold("a00").fold("a01").expand("a00")).generations
    assert state.fold("a00").fold("a00").shown == state.shown


def test_the_path_the_pinned_and_the_hidden(graph: nx.MultiDiGraph) -> None:
    assert "a15" in unfold(graph, LineageState("t"), breadth=1, keep=frozenset({"a15"})).generations
    assert "a15" in unfold(graph, LineageState("t").pin("a15"), breadth=1).generations
    hidden = unfold(graph, LineageState("t").hide("a00"), breadth=1)
    assert "a00" not in hidden.generations and "a01" in hidden.generations


def test_no_more_people_than_the_limit_and_nobody_twice(graph: nx.MultiDiGraph) -> None:
    graph.add_edge("c", "t", channel="mentorship")  # a circle
    assert len(unfold(graph, LineageState("t"), breadth=99, limit=10).generations) == 10
    assert len(unfold(graph, LineageState("t"), breadth=99).generations) == 35


def view(*nodes: LineageNode, edges: tuple[LineageEdge, ...] = ()) -> LineageView:
    return LineageView(nodes, edges, nodes[0].id)


def test_the_rest_of_a_group_is_a_row_and_of_one_alone_stands_beside() -> None:
    talent = LineageNode(
        "t", "T", more_down=5, more_by=(("mentorship", 2), ("studio", 3)), more_up=1
    )
    alone = LineageNode("a", "A", 1, more_down=4, more_by=(("studio", 4),))
    drawn = view(talent, alone, edges=(LineageEdge("t", "a"),))
    found = {(p.person, p.direction, p.channel, p.count, p.beside) for p in pills(drawn)}
    assert found == {
        ("t", "down", "mentorship", 2, False), ("t", "down", "studio", 3, False),
        ("t", "up", None, 1, True), ("a", "down", None, 4, True),
    }  # fmt: skip


@pytest.mark.parametrize("axis", ["generation", "year"])
def test_the_view_is_built_by_pyvis_with_places(axis: str) -> None:
    from dataclasses import replace

    drawn = view(
        LineageNode("t", "杨勇军", level=8, state="talent", more_down=3),
        LineageNode("a", "何志远", 1, 7), LineageNode("m", "秦守义", -1, 7),
        edges=(LineageEdge("t", "a", "studio", date(2019, 3, 12)), LineageEdge("m", "t")),
    )  # fmt: skip
    built = build(replace(drawn, axis=axis))  # type: ignore[arg-type]
    assert {node["shape"] for node in built["nodes"]} == {"custom"}
    x = {node["id"]: node["x"] for node in built["nodes"]}
    assert x["m"] < x["t"] < x["a"]
    assert built["edges"][0]["channel"] == "studio"
    assert built["edges"][0]["start"] == "2019-03-12"
    assert built["options"]["physics"]["enabled"] is False
    assert built["ties"] == [(2019, 1)]


def test_too_many_people_are_refused() -> None:
    nodes = tuple(LineageNode(str(n), "x", min(n, 1)) for n in range(PEOPLE_AT_MOST + 1))
    with pytest.raises(UsageError, match="fewer generations"):
        build(view(*nodes))
