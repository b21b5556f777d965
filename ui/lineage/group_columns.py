"""A lineage of any size as columns of groups: a generation a column, everyone in exactly one box.

The counts are those of everyone within the generations (`graph.people.descent`), however many are
drawn; those driven are the engine's, so that the boxes of a generation add up to the talent's
figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import polars as pl

from graph.messages import Language
from graph.people.lineage_groups import Box, GroupKey, Groups, group_people
from ui.lineage.state import DisplayState, LineageState
from ui.lineage.unfold import Unfolded, unfold_lineage
from ui.lineage.widget import (
    LineageColumn,
    LineageEdge,
    LineageFlow,
    LineageGroup,
    LineageNode,
    LineageView,
)
from ui.person.person import PersonBox
from ui.words.i18n import translate, translate_number
from ui.words.numbers import format_count

if TYPE_CHECKING:
    from graph.evidence.reasons import Hop
    from ui.lineage.view import Lineage

from ui.lineage.filtered_people import count_shown_driven

GROUPED_MENTOR_GENERATIONS = 1  # beside the groups there is room for no more

GroupNamer = Callable[[GroupKey, str], str]


@dataclass(frozen=True)
class Grouped:
    """The groups a state shows, and everyone they are of."""

    people: pl.DataFrame
    groups: Groups

    def members(self, group: str) -> pl.DataFrame:
        """Everyone of a group (or of a generation, by its number), who counts first."""
        order = {"driven": 0, "pending": 1, "none": 2}
        rank = pl.col("state").replace_strict(order, return_dtype=pl.Int8)
        inside = self.groups.members(group).to_frame()
        return self.people.join(inside, on="place", how="semi").sort(rank, "name", "place")


def group_lineage(lineage: Lineage, shown: DisplayState) -> Grouped:
    """The groups that a view shows."""
    people = lineage.reached(shown)
    return Grouped(people, group_people(people, cast(GroupKey, shown.columns), dict(shown.inside)))


def build_grouped_view(
    lineage: Lineage,
    state: LineageState,
    found: Grouped,
    hops: tuple[Hop, ...],
    boxes: Callable[[list[str]], Mapping[str, PersonBox]],
    names: GroupNamer,
    language: Language,
) -> LineageView:
    """What the widget draws of a state that holds groups. `hops`: the selected person's chain."""
    from ui.lineage import view as lineage_view

    above = _unfold_mentors(lineage, state)
    place = {n: id for n, id in found.people.select("place", "person_id").iter_rows()}
    drawn = [
        box
        for box in found.groups.boxes
        if box.person is None or place[box.person] not in state.shown.hidden
    ]
    persons = [place[box.person] for box in drawn if box.person is not None]
    about = boxes([*above.generations, *persons])
    base = lineage_view.build_lineage_view(lineage, state, above, (), about, language)
    # The same person may stand above and below (a circle): below counts.
    nodes = {node.id: node for node in base.nodes}
    for box in drawn:
        node = _build_group_node(box, place, found.groups, about, names, language)
        nodes[node.id] = lineage_view.describe_node(node, lineage, about.get(node.id), language)
    ids = {box.id: place[box.person] if box.person is not None else box.id for box in drawn}
    edges = _list_shown_edges(lineage, state, [*above.generations, *persons])
    tied = {(edge.source, edge.target) for edge in edges}
    flows = tuple(
        LineageFlow(a, b, flow.persons)
        for flow in found.groups.flows
        for a, b in [
            (
                ids.get(flow.source, lineage.focus if not flow.source else ""),
                ids.get(flow.target, ""),
            )
        ]
        if a and b and (a, b) not in tied
    )
    reached = {lineage.focus, *persons, *(end for tie in tied for end in tie)}
    nodes = {id: node for id, node in nodes.items() if node.group or id in reached}
    chain = (lineage.focus, *(hop.apprentice for hop in hops))
    shown = tuple(person for person in chain if person in nodes)
    return replace(
        base,
        nodes=tuple(nodes.values()),
        edges=edges,
        flows=flows,
        paths=(shown,) if hops else (),
        columns_hold=state.shown.columns,
        columns=_build_group_heads(lineage, state, found, above, language),
        studios=(),
        grouped=False,
        more=found.people.height - 1 - len(persons),
    )


def _unfold_mentors(lineage: Lineage, state: LineageState) -> Unfolded:
    """The person in focus and the mentors beside the groups."""
    alone = LineageState(state.focus, shown=DisplayState(filters=replace(state.shown.filters)))
    found = unfold_lineage(lineage.graph, alone, up=GROUPED_MENTOR_GENERATIONS, down=0, breadth=2)
    return replace(found, more_down={}, more_by={})


def _build_group_node(
    box: Box,
    place: Mapping[int, str],
    groups: Groups,
    about: Mapping[str, PersonBox],
    names: GroupNamer,
    language: Language,
) -> LineageNode:
    if box.person is not None:
        id = place[box.person]
        return LineageNode(
            id,
            about[id].name,
            generation=box.generation,
            indent=box.depth,
            state="driven" if box.driven else "pending" if box.pending else "none",
        )
    lines = [_format_group_counts(box, language)]
    if groups.aside.get(box.id):
        lines.append(
            translate(
                language,
                "{n} of them came by way of someone of the same or a later generation",
                n=format_count(groups.aside[box.id]),
            )
        )
    return LineageNode(
        box.id,
        format_group_name(box, names, language),
        generation=box.generation,
        reason="",
        lines=tuple(lines),
        indent=box.depth,
        group=LineageGroup(box.persons, box.driven, box.pending, box.target, box.open),
    )


def _format_group_counts(box: Box, language: Language) -> str:
    return translate(
        language,
        "{all} persons: {driven} driven, {pending} pending, {others} not counted",
        all=format_count(box.persons),
        driven=format_count(box.driven),
        pending=format_count(box.pending),
        others=format_count(box.persons - box.driven - box.pending),
    )


def format_group_name(box: Box, names: GroupNamer, language: Language) -> str:
    """What a group's people have in common, in words."""
    if box.groups == box.persons:
        return translate(language, "the others")
    if box.groups:
        return translate_number(
            language, "+{n} group", "+{n} groups", box.groups, n=format_count(box.groups)
        )
    return names(box.key, box.value) if box.key else translate(language, "the others")


def _list_shown_edges(
    lineage: Lineage, state: LineageState, people: list[str]
) -> tuple[LineageEdge, ...]:
    from ui.lineage import view as lineage_view

    among = Unfolded(dict.fromkeys(people, 0), {}, {}, {}, 0)
    every = lineage_view.list_edges_among(lineage.graph, among, state)
    years = state.shown.years
    return tuple(
        edge
        for edge in every
        if years is None or (edge.start and years[0] <= edge.start.year <= years[1])
    )


def _build_group_heads(
    lineage: Lineage, state: LineageState, found: Grouped, above: Unfolded, language: Language
) -> tuple[LineageColumn, ...]:
    from ui.lineage import view as lineage_view

    below = found.people["generation"].unique().to_list()
    generations = sorted({*above.generations.values(), *below})
    driven = count_shown_driven(lineage, state.shown)
    return lineage_view.build_column_heads(generations, driven, lineage.reach.leading, language)
