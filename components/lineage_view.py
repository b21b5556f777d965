"""A person's lineage as the widget shows it: whom, in which state, and why so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from components.honours import highest_honour
from components.i18n import Language, translate
from components.lineage import (
    LineageColumn,
    LineageEdge,
    LineageNode,
    LineageStudio,
    LineageView,
    State,
)
from components.lineage_state import PEOPLE_AT_MOST, Filters, LineageState, Shown
from components.lineage_unfold import (
    PEOPLE_SHOWN,
    Filtered,
    Unfolded,
    filtered,
    on_paths,
    shortest_paths,
    unfold,
)
from components.numbers import count, persons
from graph.evidence import Hop, Why

if TYPE_CHECKING:
    import networkx as nx

    from graph.policy import Policy

MENTORS_ABOVE = 2
# People a person and channel shown at first, by links from the focus (-1: above it): about what
# one screen of 15 rows holds. The rest are behind "+N".
BREADTH = {0: 3, 1: 2, -1: 2}
# What is tried when more people are asked for.
BREADTHS = (2, 4, 8, 16, 32, 64, PEOPLE_AT_MOST)


@dataclass(frozen=True)
class Reach:
    """Whom the person in focus drives, and who is pending; empty for one who is no talent."""

    generation: Mapping[str, int]
    skilled_on: Mapping[str, date]
    pending: frozenset[str]
    leading: bool

    def state(self, person: str) -> State:
        """Driven, pending, or neither."""
        if person in self.generation:
            return "driven"
        return "pending" if person in self.pending else "none"


@dataclass(frozen=True)
class Lineage:
    """The people around one, as far as the graph was read, and whom he or she drives.

    `why` tells why a person counts for the one in focus, or does not.
    """

    graph: nx.MultiDiGraph
    reach: Reach
    policy: Policy
    focus: str
    why: Callable[[str], Why]
    kept: dict[Filters, Filtered] = field(default_factory=dict, compare=False)
    unfolded: dict[tuple[Shown, frozenset[str], int | None], Unfolded] = field(
        default_factory=dict, compare=False
    )

    def filtered(self, filters: Filters) -> Filtered | None:
        """Whom the filters let through; None when they let everyone. The last few are kept."""
        if not filters:
            return None
        found = self.kept.get(filters)
        if found is None:
            if len(self.kept) > 8:
                self.kept.clear()
            found = self.kept[filters] = filtered(self.graph, self.focus, filters)
        return found

    def paths(self, state: LineageState) -> tuple[tuple[str, ...], ...]:
        """All shortest paths between the focus and those whose paths are to be shown whole."""
        return tuple(
            path
            for person in sorted(state.shown.traced)
            for path in shortest_paths(self.graph, self.focus, person)
        )

    def chain(self, person: str, among: Collection[str] = ()) -> tuple[Hop, ...]:
        """The chain by which `person` counts or is pending for the focus; empty when none does.

        Of the shortest ones, one that goes by way of `among` alone where there is one.
        """
        if self.reach.state(person) == "none":
            return ()
        chains = self.why(person).chains
        near = (
            chain
            for chain in chains
            if len(chain) == len(chains[0]) and {hop.apprentice for hop in chain} <= set(among)
        )
        return next(near, next(iter(chains), ()))

    def generation(self, person: str, shown: Unfolded) -> int:
        """Where a person stands: as the metric counts, else by the fewest links, 0 = the focus."""
        walked = shown.generations[person]
        if walked <= 0:
            return walked
        return self.reach.generation.get(person, self.depth.get(person, walked))

    @cached_property
    def depth(self) -> Mapping[str, int]:
        """The fewest links from the focus down to each person below it, whatever their dates."""
        import networkx as nx

        lengths: dict[str, int] = nx.single_source_shortest_path_length(self.graph, self.focus)
        return lengths

    @cached_property
    def below(self) -> Mapping[str, int]:
        """How many driven people are one or two links below each person (by way of each link)."""
        driven = self.reach.generation
        first = {p: sum(a in driven for a in self.graph.successors(p)) for p in self.graph}
        return {p: n + sum(first[a] for a in self.graph.successors(p)) for p, n in first.items()}

    def shown(
        self, state: LineageState, most: int | None = None
    ) -> tuple[Unfolded, tuple[Hop, ...]]:
        """Whom a state of the widget shows, and the chain to the selected person.

        About one screen, or up to `most` people, the nearest generations first; those who lead to
        most driven people come first. A selection changes whom the view shows only when its chain
        goes by way of people who are not shown.
        """
        shown = self._unfolded(state, frozenset(), most)
        hops = self.chain(state.selected, shown.generations) if state.selected else ()
        if {hop.apprentice for hop in hops} <= shown.generations.keys():
            return shown, hops
        return self._unfolded(state, frozenset(hop.apprentice for hop in hops), most), hops

    def _unfolded(self, state: LineageState, keep: frozenset[str], most: int | None) -> Unfolded:
        """Whom a state shows, with `keep`; the last few are kept, for a click changes no more."""
        seen = replace(state.shown, years=None, axis="generation", dates=False)
        found = self.unfolded.get((seen, keep, most))
        if found is None:
            if len(self.unfolded) > 16:
                self.unfolded.clear()
            found = self.unfolded[seen, keep, most] = self._unfold(state, keep, most)
        return found

    def _unfold(self, state: LineageState, keep: frozenset[str], most: int | None) -> Unfolded:
        traced = on_paths(self.paths(state))
        only = self.filtered(state.shown.filters)
        order = {"talent": 0, "driven": 1, "pending": 2, "none": 3}

        def rank(person: str) -> tuple[int, int]:
            return -self.below.get(person, 0), order[self.reach.state(person)]

        def one_screen(person: str, channel: str) -> int:
            return BREADTH.get(self.depth.get(person, -1), 1)

        return unfold(
            self.graph, state, up=MENTORS_ABOVE, down=min(self.policy.generations or 3, 6),
            # Of each person the same few more and more, so that every generation has its share.
            breadth=one_screen if most is None else BREADTHS,
            limit=most or PEOPLE_SHOWN, rank=rank, keep=keep, unhide=traced, only=only,
        )  # fmt: skip


def view(
    lineage: Lineage,
    state: LineageState,
    shown: Unfolded,
    hops: tuple[Hop, ...],
    boxes: Mapping[str, Mapping[str, Any]],
    language: Language,
    studios: Mapping[str, str] | None = None,
) -> LineageView:
    """What the widget draws for a state. `shown` and `hops`: see `Lineage.shown`; `boxes`: see
    `components.person.boxes`; `studios` are the names of those drawn as groups.
    """
    nodes = tuple(
        _node(person, lineage, shown, boxes.get(person, {}), state, language)
        for person in shown.generations
    )
    policy = lineage.policy
    return LineageView(
        nodes, _edges(lineage.graph, shown, state), lineage.focus,
        paths=_paths(lineage, state, hops), selected=state.selected, also=state.also,
        traced=state.shown.traced,
        studios=_studios(lineage, shown, state, studios or {}, language),
        grouped=state.shown.grouped, dates=state.shown.dates,
        filtering=bool(state.shown.filters), filtered_out=shown.filtered_out,
        columns=_columns(lineage, shown, language),
        window=(policy.window_start, policy.window_end), years=state.shown.years,
        ties=_ties(lineage.graph), axis=state.shown.axis,
        buttons=(("export", translate(language, "Export")),),
        can_undo=bool(state.past), can_redo=bool(state.future), language=language,
    )  # fmt: skip


def _node(
    person: str,
    lineage: Lineage,
    shown: Unfolded,
    box: Mapping[str, Any],
    state: LineageState,
    language: Language,
) -> LineageNode:
    generation = lineage.generation(person, shown)
    standing: State = "talent" if person == lineage.focus and lineage.reach.leading else (
        lineage.reach.state(person)
    )  # fmt: skip
    reason, lines = "", ()
    if standing == "none" and generation > 0 and lineage.reach.leading:
        reason, lines = why_not(box.get("skilled_on"), lineage.policy, language)
    mark = highest_honour(list(box.get("honours", ())))
    return LineageNode(
        person, str(box.get("name", person)), generation=generation, level=box.get("level"),
        state=standing, honour=mark[language == "zh"] if mark else "",
        leading=bool(box.get("leading")),
        more_up=shown.more_up.get(person, 0), more_down=shown.more_down.get(person, 0),
        more_by=shown.more_by.get(person, ()), reason=reason, lines=lines,
        pinned=person in state.shown.pinned, link=person in shown.links,
    )  # fmt: skip


def _paths(
    lineage: Lineage, state: LineageState, hops: tuple[Hop, ...]
) -> tuple[tuple[str, ...], ...]:
    """The chain by which the selected person counts, and every path that is to be shown whole."""
    chain = (lineage.focus, *(hop.apprentice for hop in hops))
    return ((chain,) if hops else ()) + lineage.paths(state)


def _studios(
    lineage: Lineage,
    shown: Unfolded,
    state: LineageState,
    names: Mapping[str, str],
    language: Language,
) -> tuple[LineageStudio, ...]:
    """The studios drawn as groups, each right of the first of those who lead it."""
    return tuple(
        LineageStudio(
            id, names.get(id) or translate(language, "Studio"),
            min(lineage.generation(leader, shown) for leader in group.leaders),
            group.trainees, id in state.shown.closed,
        )
        for id, group in shown.groups.items()
    )  # fmt: skip


def why_not(
    skilled_on: date | None, policy: Policy, language: Language
) -> tuple[str, tuple[str, ...]]:
    """What the note on hover says of someone below a talent who does not count."""
    if skilled_on is not None and skilled_on < policy.window_start:
        return translate(language, "Not counted: high-skilled before the window"), (
            translate(language, "since {day}", day=skilled_on),
        )
    if skilled_on is not None and skilled_on > policy.window_end:
        return translate(language, "Not counted: high-skilled after the window"), (
            translate(language, "since {day}", day=skilled_on),
        )
    return translate(language, "Not counted"), (translate(language, "Click to see why."),)


def _edges(graph: nx.MultiDiGraph, shown: Unfolded, state: LineageState) -> tuple[LineageEdge, ...]:
    """One line a pair and channel (and studio, when drawn as groups): the one that starts first."""
    first: dict[tuple[str, str, str], LineageEdge] = {}
    filters = state.shown.filters
    for mentor in shown.generations:
        for _, apprentice, link in graph.out_edges(mentor, data=True):
            if apprentice not in shown.generations or not filters.tie(link["channel"]):
                continue
            studio = str(link.get("studio_id") or "")
            edge = LineageEdge(
                mentor, apprentice, link["channel"], link.get("start"), link.get("end"),
                studio if studio in shown.groups and apprentice in shown.groups[studio].shown
                else "",
            )  # fmt: skip
            lane = f"{edge.channel}:{edge.studio}"
            known = first.get((mentor, apprentice, lane))
            if known is None or (edge.start or date.max) < (known.start or date.max):
                first[mentor, apprentice, lane] = edge
    return tuple(first.values())


def _columns(lineage: Lineage, shown: Unfolded, language: Language) -> tuple[LineageColumn, ...]:
    driven = Counter(lineage.reach.generation.values())
    above = {-1: translate(language, "Mentors"), -2: translate(language, "Their mentors")}
    columns = []
    for generation in sorted({lineage.generation(p, shown) for p in shown.generations}):
        if generation < 0:
            name, number = above.get(generation, translate(language, "Earlier mentors")), ""
        elif generation == 0 and lineage.reach.leading:
            name, number = translate(language, "Talent"), ""
        elif generation == 0:
            name, number = translate(language, "Person"), ""
        else:
            name = translate(language, "Gen {n}", n=generation)
            number = persons(driven[generation], language) if driven[generation] else ""
            if number and generation == 1:
                number = translate(language, "driven: {persons}", persons=number)
        columns.append(LineageColumn(generation, name, number))
    return tuple(columns)


def _ties(graph: nx.MultiDiGraph) -> tuple[tuple[int, int], ...]:
    """New links a year."""
    years = Counter(start.year for _, _, start in graph.edges(data="start") if start)
    return tuple(sorted(years.items()))


def told(lineage: Lineage, shown: Unfolded, language: Language) -> str:
    """How much of the lineage the view shows."""
    return translate(
        language, "{n} of {all} people of the lineage shown",
        n=count(len(shown.generations)), all=count(lineage.graph.number_of_nodes()),
    )  # fmt: skip
