"""The tools of the lineage page beside the lineage itself: path, common mentors, two branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import networkx as nx
import streamlit as st

from components import address, choosing, connections, frame, lineage_view, person, steps
from components.connections import Tie, Way
from components.i18n import current_language, joined, t, tn
from components.lineage import LineageBranch, LineageView, lineage_state
from components.lineage_state import LineageState
from components.lineage_view import Lineage
from components.numbers import count, day, persons, share
from graph.branches import Branch
from graph.errors import NoPathError

if TYPE_CHECKING:
    from graph.network import Graph

Boxes = Mapping[str, Mapping[str, Any]]
KEY = "connection"
MOST_COMPARED = 5


@dataclass(frozen=True)
class Shown:
    """What a tool shows: the widget's view, and the sentence above it; None when there is none."""

    view: LineageView | None
    told: str
    details: Any = None


# --- path -------------------------------------------------------------------------------------


def path(about: dict[str, Any], seen: Lineage, state: LineageState) -> Shown:
    """The paths between two people: chosen above the widget, drawn in it."""
    ids = _ids(about, state, 2)
    choosing.people(ids, 2, key="path", beside=_ways)
    if len(ids) < 2:
        return Shown(None, t("Choose a second person, and see by whom the two are tied."))
    way = _way()
    found = connections.path(ids[0], ids[1], way)
    if isinstance(found, NoPathError):
        return Shown(None, _no_path(found, way))
    paths = connections.listed(found)
    if way == "up":
        start, names = ids[1], (ids[1], ids[0])
    else:
        start, names = ids[0], (ids[0], ids[1])
    at = _which(len(paths))
    boxes = _boxes(found, seen)
    view = _view(found, seen, start, paths[at], boxes)
    told = t(
        "{one} and {other} are {links} apart; {paths}.",
        one=boxes[names[0]]["name"], other=boxes[names[1]]["name"],
        links=tn("{n} link", "{n} links", found.graph["hops"], n=count(found.graph["hops"])),
        paths=tn("{n} shortest path", "{n} shortest paths", found.graph["paths"],
                 n=count(found.graph["paths"])),
    )  # fmt: skip
    if found.graph["left_out"]:
        left = persons(found.graph["left_out"], current_language())
        told = joined(told, t("{persons} on further paths are not shown.", persons=left))
    return Shown(view, told, (found, paths, at, boxes))


def path_panel(shown: Shown) -> None:
    """The path in ink, link by link with its dates, and the others to step through."""
    if shown.details is None:
        return
    found, paths, at, boxes = shown.details
    frame.heading(t("The path"), t("{at} of {all}", at=at + 1, all=count(found.graph["paths"])))
    if len(paths) > 1:
        with st.container(horizontal=True, key="path_steps"):
            st.button(t("Previous path"), on_click=_to_path, args=((at - 1) % len(paths),))
            st.button(t("Next path"), on_click=_to_path, args=((at + 1) % len(paths),))
    (ties,) = connections.walked(found, [paths[at]])
    lines = [steps.person_step(paths[at][0], boxes)]
    for tie, onward in zip(ties, paths[at][1:], strict=True):
        lines.append(steps.link_step(tie.channel, _tie_told(tie, down=tie.apprentice == onward)))
        lines.append(steps.person_step(onward, boxes))
    steps.show("".join(lines), key="path_list")
    told = t("Ties of any date: a path says who is tied to whom, not who counts.")
    frame.muted(told)


def _to_path(number: int) -> None:
    st.query_params["path"] = str(number + 1)


def _which(paths: int) -> int:
    asked = st.query_params.get("path", "1")
    return min(max(int(asked) - 1, 0), paths - 1) if asked.isdigit() else 0


WAYS: tuple[Way, ...] = ("either", "down", "up")


def _way() -> Way:
    asked = st.query_params.get("way")
    return next((way for way in WAYS if way == asked), "either")


def _ways() -> None:
    """Any tie, or only chains in which each taught the next; kept in the address."""
    words = {"either": t("any tie"), "down": t("first taught second"),
             "up": t("second taught first")}  # fmt: skip
    address.one_of("path", "way", t("Which ties"), words, "either", untitled=True, leaves=("path",))


def _no_path(none: NoPathError, way: Way) -> str:
    if none.cut:
        return t("No path was found among the two million people nearest to the two; the search "
                 "stops there.")  # fmt: skip
    if way == "either":
        return t("Nothing ties the two: no path of mentorships and studios, however long.")
    return t("No chain in which each taught the next leads this way; try any tie.")


def _tie_told(tie: Tie, *, down: bool) -> str:
    words = {
        ("mentorship", True): t("took on as apprentice"),
        ("mentorship", False): t("was apprentice of"),
        ("studio", True): t("led the studio of"),
        ("studio", False): t("trained in the studio of"),
    }
    start = day(tie.start) if tie.start else t("no date")
    period = f"{start}\N{EN DASH}{day(tie.end)}" if tie.end else start
    return f"{period}\N{EM SPACE}{words[tie.channel, down]}"


# --- common mentors ---------------------------------------------------------------------------


def common(about: dict[str, Any], seen: Lineage, state: LineageState) -> Shown:
    """The nearest people whom two to five go back to, with the ways down."""
    ids = _ids(about, state, MOST_COMPARED)
    choosing.people(ids, MOST_COMPARED, key="common")
    if len(ids) < 2:
        return Shown(None, t("Choose one to four more people, and see whom all go back to."))
    found = connections.common(ids)
    nearest: dict[str, tuple[int, ...]] = found.graph["nearest"]
    if not nearest:
        return Shown(None, t("These people go back to nobody in common within 12 generations."))
    boxes = _boxes(found, seen)
    start = next(iter(nearest))
    view = _view(found, seen, start, [start], boxes)
    view = replace(view, marks=tuple(nearest), mark_word=t("Nearest common mentors"))
    name, number = boxes[start]["name"], found.graph["found"]
    if number == 1:
        told = t("All go back to {name}, the nearest mentor they have in common.", name=name)
    else:
        told = t("They have {n} nearest common mentors; the closest is {name}.",
                 n=count(number), name=name)  # fmt: skip
    if found.graph["left_out"]:
        left = persons(found.graph["left_out"], current_language())
        told = joined(told, t("{persons} on further ways are not shown.", persons=left))
    return Shown(view, told, (found, ids, boxes))


def common_panel(shown: Shown) -> None:
    """Each nearest common mentor with how many generations above each person."""
    if shown.details is None:
        return
    found, ids, boxes = shown.details
    frame.heading(t("Nearest common mentors"), t("generations above"))
    for number, (mentor, distances) in enumerate(found.graph["nearest"].items()):
        lines = [steps.person_step(mentor, boxes, "strong")]
        for id, distance in zip(ids, distances, strict=True):
            told = tn("{n} generation", "{n} generations", distance, n=distance)
            lines.append(f'<span></span><span class="sc-muted">{escape(told)}</span>')
            lines.append(steps.person_step(id, boxes))
        steps.show("".join(lines), key=f"common_{number}")
    more = found.graph["found"] - len(found.graph["nearest"])
    if more:
        told = tn("{n} more is not shown.", "{n} more are not shown.", more, n=count(more))
        frame.muted(told)


# --- branches ---------------------------------------------------------------------------------


def compare(about: dict[str, Any], seen: Lineage, state: LineageState) -> Shown:
    """Two branches of a talent side by side, by way of two of those he or she taught directly."""
    graph, talent = seen.graph, about["id"]
    direct = sorted(
        dict.fromkeys(graph.successors(talent)), key=lambda p: (-seen.below.get(p, 0), p)
    )
    if len(direct) < 2:
        return Shown(
            None, t("There are not two people taught directly, so no branches to compare.")
        )
    asked = [id for id in choosing.chosen() if id in graph and graph.has_edge(talent, id)]
    pair = [*asked, *(id for id in direct if id not in asked)][:2]
    names: Mapping[str, str] = dict(graph.nodes(data="name"))
    chosen = _two(direct, pair, names)
    found = connections.compared(seen.policy, talent, chosen)
    below = {talent}.union(*({id, *nx.descendants(graph, id)} for id in chosen))
    others = set(graph.successors(talent)) - set(chosen)
    edges = [(a, b, k) for a, b, k in graph.subgraph(below).edges(keys=True)
             if not (a == talent and b in others)]  # fmt: skip
    part = replace(seen, graph=graph.edge_subgraph(edges))
    its = _its_state(talent)
    shown, hops = part.shown(its)
    boxes = person.boxes(list(shown.generations), seen.policy.high_skilled_level)
    view = lineage_view.view(part, its, shown, hops, boxes, current_language())
    view = replace(view, branches=tuple(
        LineageBranch(
            frozenset({id, *nx.descendants(part.graph, id)}), names[id],
            persons(len(branch.driven), current_language()),
        )
        for id, branch in zip(chosen, found, strict=True)
    ))  # fmt: skip
    both = len(found[0].driven.keys() & found[1].driven.keys())
    language = current_language()
    told = t(
        "By way of {one} {persons} are driven, by way of {other} {others}; {both} by both.",
        one=names[chosen[0]], persons=persons(len(found[0].driven), language),
        other=names[chosen[1]], others=persons(len(found[1].driven), language),
        both=persons(both, language),
    )  # fmt: skip
    return Shown(view, told, (found, names))


def _two(direct: list[str], pair: list[str], names: Mapping[str, str]) -> list[str]:
    """Two boxes to choose a branch each; what is chosen stands in the address."""
    keys = ("branch_one", "branch_other")
    for key, id in zip(keys, pair, strict=True):
        if st.session_state.get(key) not in direct:
            st.session_state[key] = id

    def keep() -> None:
        choosing.keep([st.session_state[key] for key in keys])

    with st.container(horizontal=True, key="branches_chosen"):
        for key, title in zip(keys, (t("First branch"), t("Second branch")), strict=True):
            st.selectbox(
                title, direct, key=key, format_func=lambda id: names.get(id, id),
                label_visibility="collapsed", on_change=keep, width=220,
            )  # fmt: skip
    return [st.session_state[key] for key in keys]


def compare_panel(shown: Shown) -> None:
    """The figures of both branches, a row each."""
    if shown.details is None:
        return
    found, names = shown.details
    frame.heading(t("Branches compared"), "")
    one, other = found
    rows = [
        (t("Driven (persons)"), *(count(len(branch.driven)) for branch in found)),
        (t("Person-times"), *(count(branch.person_times) for branch in found)),
        *((t("Gen {n}", n=n), *(count(branch.generations.get(n, 0)) for branch in found))
          for n in sorted({*one.generations, *other.generations})),
        (t("Pending (persons)"), *(count(len(branch.pending)) for branch in found)),
        (t("Only by this branch"), count(len(one.driven.keys() - other.driven.keys())),
         count(len(other.driven.keys() - one.driven.keys()))),
    ]  # fmt: skip
    head = "".join(f'<th class="n">{escape(names[branch.first])}</th>' for branch in found)
    body = "".join(
        f"<tr><td>{escape(name)}</td>" + "".join(f'<td class="n">{v}</td>' for v in values)
        + "</tr>"
        for name, *values in rows
    )  # fmt: skip
    frame.html(f'<table class="sc-table sc-compare"><tr><th></th>{head}</tr>{body}</table>')
    frame.muted(_overlap(one, other))


def _overlap(one: Branch, other: Branch) -> str:
    both, either = one.driven.keys() & other.driven.keys(), one.driven.keys() | other.driven.keys()
    language = current_language()
    return t(
        "Together {union}; {both} by both, {part} of them. A branch counts the chains whose first "
        "link leads to that person; a worker reached by both counts in each.",
        union=persons(len(either), language), both=persons(len(both), language),
        part=share(len(both), len(either)),
    )  # fmt: skip


# --- what they share --------------------------------------------------------------------------


def _ids(about: dict[str, Any], state: LineageState, most: int) -> list[str]:
    """Whom the address names; else the person in focus, and whoever is selected."""
    ids = choosing.chosen() or [about["id"], *([state.selected] if state.selected else [])]
    return list(dict.fromkeys(ids))[:most]


def _boxes(graph: Graph, seen: Lineage) -> Boxes:
    return person.boxes(list(graph), seen.policy.high_skilled_level)


def _its_state(focus: str) -> LineageState:
    return lineage_state(KEY, LineageState(focus))


def _view(
    graph: Graph, seen: Lineage, focus: str, path: Sequence[str], boxes: Boxes
) -> LineageView:
    state = _its_state(focus)
    return connections.view(graph, seen, state, path, boxes, current_language())
