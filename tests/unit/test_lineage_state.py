"""What is open, folded, hidden and pinned: pure, undoable, and the same again from its link."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

import networkx as nx
import pytest
from streamlit.testing.v1 import AppTest

from graph.errors import UsageError
from ui.lineage.state import MAX_DRAWN_PEOPLE, DisplayState, Filters, LineageEvent, LineageState
from ui.lineage.unfold import (
    OPENED_BATCH_PEOPLE,
    find_lineage_paths,
    list_path_people,
    unfold_lineage,
)
from ui.lineage.widget import (
    LineageEdge,
    LineageNode,
    LineageStudio,
    LineageView,
    build_widget_payload,
    lay_out_view,
    list_pills,
    parse_browser_events,
)


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
    assert back.shown == DisplayState()
    assert back.selected == "a"
    for _ in range(9):
        back = back.redo()
    assert back.shown == state.shown
    assert back.undo().expand("z").future == ()


def test_a_change_that_changes_nothing_is_no_step() -> None:
    assert LineageState("t").at(None).by("generation").hide("t") == LineageState("t")


def test_a_link_gives_the_same_view_again() -> None:
    state = (
        LineageState("t", "a")
        .expand("a", "down", "studio")
        .expand("a", "down", "studio")
        .fold("b", "up")
        .hide("c")
        .pin("d")
        .at((2000, 2024))
        .by("year")
        .trace("e-1_2.张")
        .expand("a", "down", "studio:S-7")
        .group(True)
        .close("S-7")
        .dated(True)
        .select_also("x_y")
        .filter(channels=["studio"], levels=(4, 8), provinces=["32", "44"], occupations=["6-18-02"])
    )
    again = LineageState.from_query(state.to_query())
    assert again is not None
    assert (again.focus, again.selected, again.also) == ("t", "a", ("x_y",))
    assert again.shown == state.shown
    view = state.to_query()["view"]
    assert quote(view, safe="") == view  # nothing that an address would have to escape
    assert len(view) < 160
    assert LineageState("t").to_query() == {"person": "t"}


@pytest.mark.parametrize(
    "view", ["", "{", "oa_d", "oa_x_1", "oa_d_n", "y2000", "l4_x", "cq", "fa", "...", '{"o":[1]}']
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
    assert state.apply(LineageEvent(None, "undo")).shown == DisplayState()


def test_only_a_new_click_selects() -> None:
    sent = {"selected": {"id": "a", "click": 7}}
    (event,), seen = parse_browser_events(sent, "b", 6)
    assert (event.selected, event.action, seen) == ("a", None, 7)
    assert parse_browser_events(sent, "b", 7) == ([], 7)


def test_what_the_browser_sent_is_parsed() -> None:
    years = {"action": "years", "years": [2001.0, 2004], "channel": "<b>", "direction": "x"}
    expand = {"action": "expand", "channel": "studio:S1"}
    sent = {"done": {"events": [{**years, "number": 1}, {**expand, "number": 2}]}}
    (event, opened), seen = parse_browser_events(sent, "b")
    assert (event.years, event.channel, event.direction) == ((2001, 2004), None, "down")
    assert (opened.channel, opened.selected, seen) == ("studio:S1", "b", 2)


def test_two_events_in_quick_succession_both_count_and_none_counts_twice() -> None:
    """Streamlit hands over the second of two triggers alone: it carries the first along."""
    undo = [{"action": "undo", "number": number} for number in (4, 5, 6)]
    first, seen = parse_browser_events({"done": {"events": undo[:1]}}, None, 3)
    both, seen = parse_browser_events({"done": {"events": undo}}, None, seen)
    assert [len(first), len(both), seen] == [1, 2, 6]
    assert parse_browser_events({"done": {"events": undo}}, None, seen) == ([], 6)


def test_a_click_counts_at_its_place_among_events() -> None:
    sent = {
        "selected": {"id": "a", "click": 2},
        "done": {"events": [{"action": "pin", "number": 1}, {"action": "fold", "number": 3}]},
    }
    events, _ = parse_browser_events(sent, "b")
    assert [(e.selected, e.action) for e in events] == [("b", "pin"), ("a", None), ("a", "fold")]


LATE_ADDRESS_SCRIPT = """
import streamlit as st
from ui.lineage import page
from ui.lineage.widget import read_lineage_state, save_lineage_state

def pin(person):
    save_lineage_state("lineage", read_lineage_state("lineage").pin(person))

for person in "ab":
    st.button(person, on_click=pin, args=(person,))
state = page._read_address_state("t")
page._write_state_address(state)
st.text(" ".join(sorted(state.shown.pinned)))
"""


def test_a_second_act_stands_though_the_browser_has_the_address_of_before_the_first() -> None:
    test = AppTest.from_string(LATE_ADDRESS_SCRIPT).run()
    assert test.button[0].click().run().text[0].value == "a"
    del test.query_params["view"]  # the browser has not been told it yet
    assert test.button[1].click().run().text[0].value == "a b"
    del test.query_params["view"]  # the way back: nothing was done, so the address holds
    assert test.run().text[0].value == ""


def test_unfolding_shows_the_first_of_each_channel_and_counts_the_rest(
    graph: nx.MultiDiGraph,
) -> None:
    shown = unfold_lineage(graph, LineageState("t"), breadth=2)
    assert shown.generations == {
        "t": 0,
        "a00": 1,
        "a01": 1,
        "a20": 1,
        "a21": 1,
        "b": 2,
        "c": 3,
        "m": -1,
        "k": -2,
    }
    assert shown.more_by["t"] == (("mentorship", 18), ("studio", 8))
    assert shown.more_down["t"] == 26
    assert shown.left_out == 26


def test_opening_adds_a_batch_and_folding_takes_away(graph: nx.MultiDiGraph) -> None:
    state = LineageState("t").expand("t", "down", "mentorship")
    shown = unfold_lineage(graph, state, breadth=2)
    assert sum(p.startswith("a") for p in shown.generations) == min(20, 2 + OPENED_BATCH_PEOPLE) + 2
    folded = unfold_lineage(graph, state.fold("a00").fold("a01"), breadth=2)
    assert "b" not in folded.generations
    assert folded.more_down["a00"] == 1
    assert unfold_lineage(graph, LineageState("t").fold("t", "up")).more_up == {"t": 1}
    assert "b" in unfold_lineage(graph, state.fold("a00").fold("a01").expand("a00")).generations
    assert state.fold("a00").fold("a00").shown == state.shown


def test_the_path_the_pinned_and_the_hidden(graph: nx.MultiDiGraph) -> None:
    assert (
        "a15"
        in unfold_lineage(graph, LineageState("t"), breadth=1, keep=frozenset({"a15"})).generations
    )
    assert "a15" in unfold_lineage(graph, LineageState("t").pin("a15"), breadth=1).generations
    hidden = unfold_lineage(graph, LineageState("t").hide("a00"), breadth=1)
    assert "a00" not in hidden.generations and "a01" in hidden.generations


def test_every_shortest_path_is_shown_whole_hidden_or_folded(graph: nx.MultiDiGraph) -> None:
    paths = find_lineage_paths(graph, "t", "c")
    assert set(paths) == {("t", "a00", "b", "c"), ("t", "a01", "b", "c")}
    assert find_lineage_paths(graph, "c", "t") == find_lineage_paths(graph, "t", "c")
    assert find_lineage_paths(graph, "a00", "a01") == ()
    state = LineageState("t").hide("a01").fold("b").fold("t").trace("c")
    assert "c" not in unfold_lineage(graph, state, breadth=1).generations
    shown = unfold_lineage(graph, state, breadth=1, unhide=list_path_people(paths)).generations
    assert {"a00", "a01", "b", "c"} <= shown.keys() and "a02" not in shown
    with_chain = unfold_lineage(
        graph, LineageState("t").fold("t"), breadth=9, keep=frozenset({"a00"})
    )
    assert {p for p in with_chain.generations if p[0] in "abc"} == {
        "a00"
    }  # not those below as well


def test_filters_leave_those_wanted_and_the_chains_to_them(graph: nx.MultiDiGraph) -> None:
    nx.set_node_attributes(graph, {"c": 5, "a02": 5, "a00": 3}, "level")
    nx.set_node_attributes(graph, {"c": "32", "a02": "44"}, "province")
    state = LineageState("t").filter(levels=(4, 8))
    shown = unfold_lineage(graph, state, breadth=9)
    assert shown.generations.keys() == {"t", "a00", "b", "c", "a02"}
    assert shown.links == {"a00", "b"}
    assert shown.filtered_out == graph.number_of_nodes() - 5
    assert not shown.more_down
    fewer = unfold_lineage(graph, state.filter(provinces=["44"]), breadth=9)
    assert fewer.generations.keys() == {"t", "a02"}
    studio = unfold_lineage(graph, LineageState("t").filter(channels=["studio"]), breadth=9)
    assert {p for p in studio.generations if p > "a"} - {"t"} == {f"a2{n}" for n in range(9)}
    assert state.filter(levels="all").shown == state.undo().shown == DisplayState()
    assert state.unfiltered().shown.filters == Filters()


def test_a_studio_is_a_group_with_its_own_rest_and_folds(graph: nx.MultiDiGraph) -> None:
    for n, (_, _, tie) in enumerate(graph.edges("t", data=True)):
        if tie["channel"] == "studio":
            tie["studio_id"] = "S1" if n < 25 else "S2"
    state = LineageState("t").group(True)
    shown = unfold_lineage(graph, state, breadth=2)
    assert dict(shown.more_by["t"]) == {"mentorship": 18, "studio:S1": 3, "studio:S2": 3}
    assert {s: g.trainees for s, g in shown.groups.items()} == {"S1": 5, "S2": 5}
    more = unfold_lineage(graph, state.expand("t", "down", "studio:S1"), breadth=2)
    assert dict(more.more_by["t"]) == {"mentorship": 18, "studio:S2": 3}
    closed = unfold_lineage(graph, state.close("S1"), breadth=2)
    assert not closed.generations.keys() & {f"a2{n}" for n in range(5)}
    assert closed.groups["S1"].trainees == 5 and not closed.groups["S1"].shown
    assert "studio:S1" not in dict(closed.more_by["t"])
    assert unfold_lineage(graph, state.group(False), breadth=2).groups == {}


def test_no_more_people_than_the_limit_and_nobody_twice(graph: nx.MultiDiGraph) -> None:
    graph.add_edge("c", "t", channel="mentorship")  # a circle
    assert len(unfold_lineage(graph, LineageState("t"), breadth=99, limit=10).generations) == 10
    assert len(unfold_lineage(graph, LineageState("t"), breadth=99).generations) == 35


def view(*nodes: LineageNode, edges: tuple[LineageEdge, ...] = ()) -> LineageView:
    return LineageView(nodes, edges, nodes[0].id)


def test_the_rest_of_a_group_is_a_row_and_of_one_alone_stands_beside() -> None:
    talent = LineageNode(
        "t", "T", more_down=5, more_by=(("mentorship", 2), ("studio", 3)), more_up=1
    )
    alone = LineageNode("a", "A", 1, more_down=4, more_by=(("studio", 4),))
    drawn = view(talent, alone, edges=(LineageEdge("t", "a"),))
    found = {(p.person, p.direction, p.channel, p.count, p.beside) for p in list_pills(drawn)}
    assert found == {
        ("t", "down", "mentorship", 2, False),
        ("t", "down", "studio", 3, False),
        ("t", "up", None, 1, True),
        ("a", "down", None, 4, True),
    }


@pytest.mark.parametrize("axis", ["generation", "year"])
def test_the_view_is_built_with_places(axis: str) -> None:
    from dataclasses import replace

    drawn = view(
        LineageNode("t", "杨勇军", level=8, state="talent", more_down=3),
        LineageNode("a", "何志远", 1, 7),
        LineageNode("m", "秦守义", -1, 7),
        edges=(LineageEdge("t", "a", "studio", date(2019, 3, 12)), LineageEdge("m", "t")),
    )
    built = build_widget_payload(replace(drawn, axis=axis))  # type: ignore[arg-type]
    sent = built.view
    places = lay_out_view(replace(drawn, axis=axis)).places  # type: ignore[arg-type]
    assert places["m"].x < places["t"].x < places["a"].x
    assert sent["id"] == ["t", "a", "m"] and sent["name"][0] == "杨勇军"
    assert [sent["id"][n] for n in (sent["from"][0], sent["to"][0])] == ["t", "a"]
    assert sent["channel"] == "sm" and sent["start"] == ["2019-03-12", ""]
    assert sent["y"] == [places[id].y for id in sent["id"]]
    assert built.turn["ties"] == [(2019, 1)]
    assert built.turn["view"] == sent["hash"]


def test_a_selection_leaves_the_people_sent_as_they_are() -> None:
    from dataclasses import replace

    drawn = view(
        LineageNode("t", "杨勇军"), LineageNode("a", "何志远", 1), edges=(LineageEdge("t", "a"),)
    )
    chosen = replace(drawn, selected="a", paths=(("t", "a"),), years=(2000, 2020), dates=True)
    assert build_widget_payload(chosen).view == build_widget_payload(drawn).view
    assert (
        build_widget_payload(replace(drawn, focus="a")).view["hash"]
        != build_widget_payload(drawn).view["hash"]
    )


def test_a_studio_stands_between_its_leader_and_its_trainees() -> None:
    drawn = LineageView(
        (
            LineageNode("t", "T", more_down=3, more_by=(("studio:S", 3),)),
            LineageNode("a", "A", 1),
            LineageNode("b", "B", 1),
        ),
        (LineageEdge("t", "a", "studio", studio="S"), LineageEdge("t", "b")),
        "t",
        studios=(LineageStudio("S", "工作室", 0, 4),),
        grouped=True,
    )
    places = lay_out_view(drawn).places
    (pill,) = list_pills(drawn)
    assert places["t"].x < places["=\nS"].x < places["a"].x == places["b"].x
    assert pill.by == "=\nS" and places[pill.id].x == places["a"].x
    assert build_widget_payload(drawn).view["studio"] == {0: 0}


def test_too_many_people_are_refused() -> None:
    nodes = tuple(LineageNode(str(n), "x", min(n, 1)) for n in range(MAX_DRAWN_PEOPLE + 1))
    with pytest.raises(UsageError, match="fewer generations"):
        build_widget_payload(view(*nodes))
