"""The tools of the lineage page beside the lineage itself: path, common mentors, two branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import networkx as nx
import streamlit as st

from graph.driven.branches import Branch
from graph.errors import NoPathError
from graph.people.path_graphs import PathTie, list_path_ties, list_shortest_paths
from ui.controls import chain_steps, people_picker
from ui.lineage import ties_between
from ui.lineage import view as lineage_view
from ui.lineage.state import LineageState
from ui.lineage.ties_between import PathWay
from ui.lineage.view import Lineage, build_sub_lineage
from ui.lineage.widget import LineageBranch, LineageView, read_lineage_state
from ui.person import record
from ui.person.person import Person, PersonBox
from ui.person.person_summary import render_person_step
from ui.shell import address, frame
from ui.words.i18n import current_language, join_sentences, t, tn
from ui.words.numbers import format_count, format_day, format_persons, format_share
from ui.words.terms import format_person_name

if TYPE_CHECKING:
    from graph.people.network import Graph

CONNECTION_STATE_KEY = "connection"
MAX_COMPARED_PEOPLE = 5
_BRANCH_LETTERS = {"zh": "甲乙", "en": "AB"}


@dataclass(frozen=True)
class ToolResult:
    """What a tool shows: the widget's view, and the sentence above it; None when there is none."""

    view: LineageView | None
    summary: str
    details: Any = None


# --- path -------------------------------------------------------------------------------------


def draw_path_tool(about: Person, seen: Lineage, state: LineageState) -> ToolResult:
    """The paths between two people: chosen above the widget, drawn in it."""
    ids = _list_tool_people(about, state, 2)
    people_picker.draw_people_picker(ids, 2, key="path", beside=_draw_path_way_control)
    if len(ids) < 2:
        return ToolResult(None, t("Choose a second person, and see by whom the two are tied."))
    way = _read_path_way()
    found = ties_between.fetch_path_graph(ids[0], ids[1], way)
    if isinstance(found, NoPathError):
        return ToolResult(None, _format_no_path(found, way))
    paths = list_shortest_paths(found)
    if way == "up":
        start, names = ids[1], (ids[1], ids[0])
    else:
        start, names = ids[0], (ids[0], ids[1])
    at = _read_path_index(len(paths))
    boxes = _fetch_tool_boxes(found, seen)
    view = _build_tool_view(found, seen, start, paths[at], boxes)
    summary = t(
        "{one} and {other} are {links} apart; {paths}.",
        one=format_person_name(boxes[names[0]].name),
        other=format_person_name(boxes[names[1]].name),
        links=tn("{n} link", "{n} links", found.graph["hops"], n=format_count(found.graph["hops"])),
        paths=tn(
            "{n} shortest path",
            "{n} shortest paths",
            found.graph["paths"],
            n=format_count(found.graph["paths"]),
        ),
    )
    if found.graph["left_out"]:
        left = format_persons(found.graph["left_out"], current_language())
        summary = join_sentences(
            summary, t("{persons} on further paths are not shown.", persons=left)
        )
    return ToolResult(view, summary, (found, paths, at, boxes))


def draw_path_panel(shown: ToolResult) -> None:
    """The path in ink, link by link with its dates, and the others to step through."""
    if shown.details is None:
        return
    found, paths, at, boxes = shown.details
    frame.draw_heading(
        t("The path"), t("{at} of {all}", at=at + 1, all=format_count(found.graph["paths"]))
    )
    if len(paths) > 1:
        with st.container(horizontal=True, key="path_steps"):
            st.button(t("Previous path"), on_click=_go_to_path, args=((at - 1) % len(paths),))
            st.button(t("Next path"), on_click=_go_to_path, args=((at + 1) % len(paths),))
    (ties,) = list_path_ties(found, [paths[at]])
    lines = [render_person_step(boxes[paths[at][0]])]
    for tie, onward in zip(ties, paths[at][1:], strict=True):
        lines.append(
            chain_steps.render_link_step(
                tie.channel, _format_path_tie(tie, down=tie.apprentice == onward)
            )
        )
        lines.append(render_person_step(boxes[onward]))
    chain_steps.draw_chain_steps("".join(lines), key="path_list")
    hint = t("Ties of any date: a path says who is tied to whom, not who counts.")
    frame.draw_muted(hint)


def _go_to_path(number: int) -> None:
    st.query_params["path"] = str(number + 1)


def _read_path_index(paths: int) -> int:
    return address.read_address_number("path", paths) - 1


PATH_WAYS: tuple[PathWay, ...] = ("either", "down", "up")


def _read_path_way() -> PathWay:
    asked = st.query_params.get("way")
    return next((way for way in PATH_WAYS if way == asked), "either")


def _draw_path_way_control() -> None:
    """Any tie, or only chains in which each taught the next; stored in the address."""
    words = {
        "either": t("any tie"),
        "down": t("first taught second"),
        "up": t("second taught first"),
    }
    address.draw_required_choice(
        "path", "way", t("Which ties"), words, "either", untitled=True, leaves=("path",)
    )


def _format_no_path(none: NoPathError, way: PathWay) -> str:
    if none.cut:
        return t(
            "No path was found among the two million people nearest to the two; the search "
            "stops there."
        )
    if way == "either":
        return t("Nothing ties the two: no path of mentorships and studios, however long.")
    return t("No chain in which each taught the next leads this way; try any tie.")


def _format_path_tie(tie: PathTie, *, down: bool) -> str:
    words = {
        ("mentorship", True): t("took on as apprentice"),
        ("mentorship", False): t("was apprentice of"),
        ("studio", True): t("led the studio of"),
        ("studio", False): t("trained in the studio of"),
    }
    start = format_day(tie.start) if tie.start else t("undated")
    period = f"{start}\N{EN DASH}{format_day(tie.end)}" if tie.end else start
    return f"{period}\N{EM SPACE}{words[tie.channel, down]}"


# --- common mentors ---------------------------------------------------------------------------


def draw_common_mentors_tool(about: Person, seen: Lineage, state: LineageState) -> ToolResult:
    """The nearest common mentors of two to five people, with the ways down."""
    ids = _list_tool_people(about, state, MAX_COMPARED_PEOPLE)
    people_picker.draw_people_picker(ids, MAX_COMPARED_PEOPLE, key="common")
    if len(ids) < 2:
        return ToolResult(None, t("Choose one to four more people, and see whom all go back to."))
    found = ties_between.fetch_common_mentors(ids)
    nearest: dict[str, tuple[int, ...]] = found.graph["nearest"]
    if not nearest:
        return ToolResult(
            None, t("These people go back to nobody in common within 12 generations.")
        )
    boxes = _fetch_tool_boxes(found, seen)
    start = next(iter(nearest))
    view = _build_tool_view(found, seen, start, [start], boxes)
    view = replace(view, marks=tuple(nearest), mark_word=t("Nearest common mentors"))
    name, number = format_person_name(boxes[start].name), found.graph["found"]
    if number == 1:
        summary = t("All go back to {name}, the nearest mentor they have in common.", name=name)
    else:
        summary = t(
            "They have {n} nearest common mentors; the closest is {name}.",
            n=format_count(number),
            name=name,
        )
    if found.graph["left_out"]:
        left = format_persons(found.graph["left_out"], current_language())
        summary = join_sentences(
            summary, t("{persons} on further ways are not shown.", persons=left)
        )
    return ToolResult(view, summary, (found, ids, boxes))


def draw_common_mentors_panel(shown: ToolResult) -> None:
    """Each nearest common mentor with how many generations above each person."""
    if shown.details is None:
        return
    found, ids, boxes = shown.details
    frame.draw_heading(t("Nearest common mentors"), t("generations above"))
    for number, (mentor, distances) in enumerate(found.graph["nearest"].items()):
        lines = [render_person_step(boxes[mentor], "strong")]
        for id, distance in zip(ids, distances, strict=True):
            note = tn("{n} generation", "{n} generations", distance, n=distance)
            lines.append(f'<span></span><span class="sc-muted">{escape(note)}</span>')
            lines.append(render_person_step(boxes[id]))
        chain_steps.draw_chain_steps("".join(lines), key=f"common_{number}")
    more = found.graph["found"] - len(found.graph["nearest"])
    if more:
        note = tn("{n} more is not shown.", "{n} more are not shown.", more, n=format_count(more))
        frame.draw_muted(note)


# --- branches ---------------------------------------------------------------------------------


def draw_branch_tool(about: Person, seen: Lineage, state: LineageState) -> ToolResult:
    """Two branches of a talent side by side, by way of two of those he or she taught directly."""
    graph, talent = seen.graph, about.id
    direct = sorted(
        dict.fromkeys(graph.successors(talent)), key=lambda p: (-seen.below.get(p, 0), p)
    )
    if len(direct) < 2:
        return ToolResult(
            None, t("There are not two people taught directly, so no branches to compare.")
        )
    asked = [
        id
        for id in people_picker.list_chosen_people()
        if id in graph and graph.has_edge(talent, id)
    ]
    pair = [*asked, *(id for id in direct if id not in asked)][:2]
    names: Mapping[str, str] = dict(graph.nodes(data="name"))
    chosen = _draw_branch_selects(direct, pair, names)
    found = ties_between.fetch_compared_branches(seen.policy, talent, chosen)
    below = {talent}.union(*({id, *nx.descendants(graph, id)} for id in chosen))
    others = set(graph.successors(talent)) - set(chosen)
    edges = [
        (a, b, k)
        for a, b, k in graph.subgraph(below).edges(keys=True)
        if not (a == talent and b in others)
    ]
    together: dict[str, int] = {}
    for branch in found:
        for worker, generation in branch.driven.items():
            together[worker] = min(generation, together.get(worker, generation))
    part = build_sub_lineage(seen, graph.edge_subgraph(edges), together)
    its = _read_tool_state(talent)
    shown, hops = part.shown(its)
    boxes = record.fetch_person_boxes(list(shown.generations), seen.policy.high_skilled_level)
    view = lineage_view.build_lineage_view(part, its, shown, hops, boxes, current_language())
    view = replace(
        view,
        branches=tuple(
            LineageBranch(
                letter,
                frozenset({id, *nx.descendants(part.graph, id)}),
                names[id],
                format_persons(len(branch.driven), current_language()),
            )
            for letter, id, branch in zip(
                _BRANCH_LETTERS[current_language()], chosen, found, strict=True
            )
        ),
    )
    both = len(found[0].driven.keys() & found[1].driven.keys())
    language = current_language()
    summary = t(
        "By way of {one} {persons} are driven, by way of {other} {others}; {both} by both.",
        one=format_person_name(names[chosen[0]]),
        persons=format_persons(len(found[0].driven), language),
        other=format_person_name(names[chosen[1]]),
        others=format_persons(len(found[1].driven), language),
        both=format_persons(both, language),
    )
    return ToolResult(view, summary, (found, names))


def _draw_branch_selects(direct: list[str], pair: list[str], names: Mapping[str, str]) -> list[str]:
    """Two boxes to choose a branch each; what is chosen stands in the address."""
    keys = ("branch_one", "branch_other")
    for key, id in zip(keys, pair, strict=True):
        if st.session_state.get(key) not in direct:
            st.session_state[key] = id

    def keep() -> None:
        people_picker.write_chosen_people([st.session_state[key] for key in keys])

    with st.container(horizontal=True, key="branches_chosen"):
        for key, title in zip(keys, (t("First branch"), t("Second branch")), strict=True):
            st.selectbox(
                title,
                direct,
                key=key,
                format_func=lambda id: format_person_name(names.get(id, id)),
                label_visibility="collapsed",
                on_change=keep,
                width=220,
            )
    return [st.session_state[key] for key in keys]


def draw_branch_panel(shown: ToolResult) -> None:
    """The figures of both branches, a row each."""
    if shown.details is None:
        return
    found, names = shown.details
    frame.draw_heading(t("Branches compared"), "")
    one, other = found
    rows = [
        (t("Driven (persons)"), *(format_count(len(branch.driven)) for branch in found)),
        (t("Person-times"), *(format_count(branch.person_times) for branch in found)),
        *(
            (t("Gen {n}", n=n), *(format_count(branch.generations.get(n, 0)) for branch in found))
            for n in sorted({*one.generations, *other.generations})
        ),
        (t("Pending (persons)"), *(format_count(len(branch.pending)) for branch in found)),
        (
            t("Only by this branch"),
            format_count(len(one.driven.keys() - other.driven.keys())),
            format_count(len(other.driven.keys() - one.driven.keys())),
        ),
    ]
    head = "".join(f'<th class="n">{escape(names[branch.first])}</th>' for branch in found)
    body = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(f'<td class="n">{v}</td>' for v in values)
        + "</tr>"
        for name, *values in rows
    )
    frame.draw_html(f'<table class="sc-table sc-compare"><tr><th></th>{head}</tr>{body}</table>')
    frame.draw_muted(_format_branch_overlap(one, other))


def _format_branch_overlap(one: Branch, other: Branch) -> str:
    both, either = one.driven.keys() & other.driven.keys(), one.driven.keys() | other.driven.keys()
    language = current_language()
    return t(
        "Together {union}; {both} by both, {part} of them. A branch counts the chains whose first "
        "link leads to that person; a worker reached by both counts in each.",
        union=format_persons(len(either), language),
        both=format_persons(len(both), language),
        part=format_share(len(both), len(either)),
    )


# --- what they share --------------------------------------------------------------------------


def _list_tool_people(about: Person, state: LineageState, most: int) -> list[str]:
    """The people in the address; else the person in focus, and whoever is selected."""
    ids = people_picker.list_chosen_people() or [
        about.id,
        *([state.selected] if state.selected else []),
    ]
    return list(dict.fromkeys(ids))[:most]


def _fetch_tool_boxes(graph: Graph, seen: Lineage) -> Mapping[str, PersonBox]:
    return record.fetch_person_boxes(list(graph), seen.policy.high_skilled_level)


def _read_tool_state(focus: str) -> LineageState:
    return read_lineage_state(CONNECTION_STATE_KEY, LineageState(focus))


def _build_tool_view(
    graph: Graph, seen: Lineage, focus: str, path: Sequence[str], boxes: Mapping[str, PersonBox]
) -> LineageView:
    state = _read_tool_state(focus)
    return ties_between.build_connection_view(graph, seen, state, path, boxes, current_language())
