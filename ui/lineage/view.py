"""A person's lineage as the widget shows it: people, their state, and the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from graph.dates import format_date_in_words
from graph.evidence.reasons import Explanation, Hop
from graph.messages import Language
from graph.model.vocabularies import PROVINCES
from graph.people.descent import Descent
from ui.lineage import filtered_people
from ui.lineage.state import DisplayState, Filters, LineageState, TieChannel
from ui.lineage.unfold import (
    FilteredPeople,
    Unfolded,
    filter_lineage,
    find_lineage_paths,
    fit_breadth_to_screen,
    list_path_people,
    unfold_lineage,
)
from ui.lineage.widget import (
    LineageColumn,
    LineageEdge,
    LineageNode,
    LineageStudio,
    LineageView,
    compute_box_width,
)
from ui.person.honour_marks import find_highest_honour_mark
from ui.person.person import PersonBox
from ui.shell.measures import MEASURES
from ui.words.i18n import translate, translate_labels
from ui.words.numbers import format_count
from ui.words.terms import format_pinyin

if TYPE_CHECKING:
    import networkx as nx

    from graph.policy import Policy

from ui.reading.lineage_reach import BoxState, LineageReach, raise_no_descent

SHOWN_MENTOR_GENERATIONS = 2
# People a person and channel shown at most at first, by links from the focus (-1: above it), in
# no more rows than a screen of the widget has. "+N" counts the rest.
BREADTH_BY_GENERATION = {0: 5, 1: 3, -1: 2}
SCREEN_ROWS = 13
COMPARISON_SCREEN_ROWS = 10  # under the sentence of a comparison
WIDGET_WIDTH_PX = 836.0  # px that the widget has beside the panel
PILL_SHARE_PX = 16.0  # px a column is wider for the "+N" right of some boxes
Breadth = Callable[[str, TieChannel], int]


@dataclass(frozen=True)
class Lineage:
    """The people around one, as far as the graph was read, and those he or she drives.

    `why` tells why a person counts for the one in focus, or does not; `walk_down` finds everyone
    below, however many. `rows` is how many a column has on one screen. `unseen` people are left
    out because the visitor may not see them.
    """

    graph: nx.MultiDiGraph
    reach: LineageReach
    policy: Policy
    focus: str
    why: Callable[[str], Explanation]
    walk_down: Callable[[], Descent] = raise_no_descent
    rows: int = SCREEN_ROWS
    unseen: int = 0
    filter_cache: dict[Filters, FilteredPeople] = field(default_factory=dict, compare=False)
    unfolded: dict[tuple[DisplayState, frozenset[str]], Unfolded] = field(
        default_factory=dict, compare=False
    )
    breadths: dict[Filters, tuple[int, Breadth]] = field(default_factory=dict, compare=False)
    let_through: dict[DisplayState, pl.DataFrame] = field(default_factory=dict, compare=False)

    def studio_leaders(self) -> int:
        """Of those right above the focus, how many are no mentors but led its studio."""
        above = self.graph.in_edges(self.focus, data="channel")
        mentors = {person for person, _, channel in above if channel == "mentorship"}
        return len({person for person, *_ in above} - mentors)

    def filtered(self, filters: Filters) -> FilteredPeople | None:
        """The people that pass the filters; None for everyone. The last few are cached."""
        if not filters:
            return None
        found = self.filter_cache.get(filters)
        if found is None:
            if len(self.filter_cache) > 8:
                self.filter_cache.clear()
            found = self.filter_cache[filters] = filter_lineage(self.graph, self.focus, filters)
        return found

    @cached_property
    def everyone(self) -> Descent:
        """Everyone within the policy's generations, however many."""
        return self.walk_down()

    def reached(self, shown: DisplayState) -> pl.DataFrame:
        """The people that pass the years and filters; the last few are cached."""
        seen = DisplayState(years=shown.years, filters=shown.filters)
        found = self.let_through.get(seen)
        if found is None:
            if len(self.let_through) > 8:
                self.let_through.clear()
            found = self.let_through[seen] = filtered_people.list_reached_people(self, shown)
        return found

    @cached_property
    def large(self) -> bool:
        """Whether so many people belong to it that it begins as groups."""
        return self.people > filtered_people.LARGE_LINEAGE_PEOPLE

    @property
    def people(self) -> int:
        """How many people the lineage has, those who were not read too."""
        read: int = self.graph.number_of_nodes()
        return read + int(self.graph.graph.get("left_out", 0))

    def paths(self, state: LineageState) -> tuple[tuple[str, ...], ...]:
        """All shortest paths between the focus and those whose paths are to be shown in full."""
        return tuple(
            path
            for person in sorted(state.shown.traced)
            for path in find_lineage_paths(self.graph, self.focus, person)
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
        return self.column(person, shown.generations[person])

    def column(self, person: str, walked: int) -> int:
        """The generation of a person who was come to `walked` links from the focus."""
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

    def shown(self, state: LineageState) -> tuple[Unfolded, tuple[Hop, ...]]:
        """The people a state of the widget shows, and the chain to the selected person.

        What one screen holds, and what was opened; those who lead to most driven people come
        first. A selection changes the people shown only when its chain goes by way of people
        who are not shown.
        """
        shown = self._unfolded(state, frozenset())
        hops = self.chain(state.selected, shown.generations) if state.selected else ()
        if {hop.apprentice for hop in hops} <= shown.generations.keys():
            return shown, hops
        return self._unfolded(state, frozenset(hop.apprentice for hop in hops)), hops

    def _unfolded(self, state: LineageState, keep: frozenset[str]) -> Unfolded:
        """The people a state shows, with `keep`; the last few are cached, enough for clicks."""
        seen = replace(state.shown, years=None, axis="generation", dates=False)
        found = self.unfolded.get((seen, keep))
        if found is None:
            if len(self.unfolded) > 16:
                self.unfolded.clear()
            found = self.unfolded[seen, keep] = self._unfold(state, keep)
        return found

    def _unfold(self, state: LineageState, keep: frozenset[str]) -> Unfolded:
        above, breadth = self._breadth(state.shown.filters)
        return self._unfolding(state, above, breadth, keep, list_path_people(self.paths(state)))

    def _unfolding(
        self,
        state: LineageState,
        above: int,
        breadth: Breadth,
        keep: frozenset[str] = frozenset(),
        unhide: frozenset[str] = frozenset(),
    ) -> Unfolded:
        return unfold_lineage(
            self.graph,
            state,
            up=above,
            down=self._down,
            breadth=breadth,
            rank=self._rank,
            keep=keep,
            unhide=unhide,
            only=self.filtered(state.shown.filters),
        )

    @property
    def _down(self) -> int:
        return min(self.policy.generations or 3, 6)

    def _rank(self, person: str) -> tuple[int, int]:
        order = {"talent": 0, "driven": 1, "pending": 2, "none": 3}
        return -self.below.get(person, 0), order[self.reach.state(person)]

    def _breadth(self, filters: Filters) -> tuple[int, Breadth]:
        """How many generations above, and how many people each brings, on one screen.

        As many mentors above as leave the columns room beside each other. The last few are cached.
        """
        found = self.breadths.get(filters)
        if found is None:
            if len(self.breadths) > 8:
                self.breadths.clear()
            found = self.breadths[filters] = self._on_a_screen(filters)
        return found

    def _on_a_screen(self, filters: Filters) -> tuple[int, Breadth]:
        state = LineageState(self.focus, shown=DisplayState(filters=filters))

        def most(person: str, channel: str) -> int:
            return BREADTH_BY_GENERATION.get(self.depth.get(person, -1), 1)

        for above in range(SHOWN_MENTOR_GENERATIONS, -1, -1):
            breadth = fit_breadth_to_screen(
                self.graph,
                self.focus,
                up=above,
                down=self._down,
                breadth=most,
                rows=self.rows,
                rank=self._rank,
                filters=filters,
                only=self.filtered(filters),
                column=self.column,
            )
            if not above or self._width(self._unfolding(state, above, breadth)) <= WIDGET_WIDTH_PX:
                break
        return above, breadth

    def _width(self, shown: Unfolded) -> float:
        """About how wide the columns of a view are at their narrowest, px."""
        wide: dict[int, float] = {}
        for person, walked in shown.generations.items():
            name = self.graph.nodes[person].get("name", person) if person in self.graph else person
            box = compute_box_width(LineageNode(person, str(name), level=1, honour="1"))
            box += PILL_SHARE_PX
            column = self.column(person, walked)
            wide[column] = max(wide.get(column, 0), box)
        return sum(wide.values()) + MEASURES.column.gap_min * (len(wide) - 1)


def build_sub_lineage(
    lineage: Lineage, graph: nx.MultiDiGraph, driven: Mapping[str, int]
) -> Lineage:
    """A part of a lineage as one of its own: these people and ties, and those they drive."""
    reach = replace(lineage.reach, generation=driven)
    return Lineage(
        graph, reach, lineage.policy, lineage.focus, lineage.why, rows=COMPARISON_SCREEN_ROWS
    )


def build_lineage_view(
    lineage: Lineage,
    state: LineageState,
    shown: Unfolded,
    hops: tuple[Hop, ...],
    boxes: Mapping[str, PersonBox],
    language: Language,
    studios: Mapping[str, str] | None = None,
) -> LineageView:
    """What the widget draws for a state. `shown` and `hops`: see `Lineage.shown`; `boxes`: see
    `ui.person.record.fetch_person_boxes`; `studios` are the names of those drawn as groups.
    """
    nodes = tuple(
        _build_person_node(person, lineage, shown, boxes[person], state, language)
        for person in shown.generations
    )
    policy = lineage.policy
    return LineageView(
        nodes,
        list_edges_among(lineage.graph, shown, state),
        lineage.focus,
        paths=_list_shown_paths(lineage, state, hops),
        selected=state.selected,
        also=state.also,
        traced=state.shown.traced,
        studios=_build_studio_groups(lineage, shown, state, studios or {}, language),
        grouped=state.shown.grouped,
        dates=state.shown.dates,
        filtering=bool(state.shown.filters),
        filtered_out=shown.filtered_out,
        columns=_build_generation_columns(lineage, shown, state, language),
        figures=filtered_people.count_driven_by_last_year(lineage, state.shown)
        if lineage.reach.leading and lineage.walk_down is not raise_no_descent
        else (),
        grouping=lineage.walk_down is not raise_no_descent,
        narrowed=describe_filters(state.shown, language),
        hidden=len(state.shown.hidden),
        more=lineage.people - len(shown.generations),
        window=(policy.window_start, policy.window_end),
        years=state.shown.years,
        ties=_count_links_by_year(lineage.graph),
        axis=state.shown.axis,
        buttons=(("export", translate(language, "Export")),),
        can_undo=bool(state.past),
        can_redo=bool(state.future),
        language=language,
    )


def _build_person_node(
    person: str,
    lineage: Lineage,
    shown: Unfolded,
    box: PersonBox,
    state: LineageState,
    language: Language,
) -> LineageNode:
    generation = lineage.generation(person, shown)
    standing: BoxState = (
        "talent"
        if person == lineage.focus and lineage.reach.leading
        else (lineage.reach.state(person))
    )
    node = LineageNode(
        person,
        box.name,
        generation=generation,
        state=standing,
        more_up=shown.more_up.get(person, 0),
        more_down=shown.more_down.get(person, 0),
        more_by=shown.more_by.get(person, ()),
        pinned=person in state.shown.pinned,
        link=person in shown.links,
    )
    return describe_node(node, lineage, box, language)


def describe_node(
    node: LineageNode, lineage: Lineage, box: PersonBox | None, language: Language
) -> LineageNode:
    """The person with level, honour, and why he or she does not count; a group, which has no
    box, as it is.
    """
    if box is None:
        return node
    reason = ""
    lines: tuple[str, ...] = ()
    if node.state == "none" and node.generation > 0 and lineage.reach.leading:
        reason, lines = explain_not_counted(box.skilled_on, lineage.policy, language)
    if language == "en" and (said := format_pinyin(node.name)):
        lines = (said, *lines)  # a column is too narrow for both; the pointer says it
    mark = find_highest_honour_mark(box.honours)
    return replace(
        node,
        level=box.level,
        honour=mark[language == "zh"] if mark else "",
        leading=box.leading,
        reason=reason,
        lines=lines,
    )


def _list_shown_paths(
    lineage: Lineage, state: LineageState, hops: tuple[Hop, ...]
) -> tuple[tuple[str, ...], ...]:
    """The chain by which the selected person counts, and every path that is to be shown in full."""
    chain = (lineage.focus, *(hop.apprentice for hop in hops))
    return ((chain,) if hops else ()) + lineage.paths(state)


def _build_studio_groups(
    lineage: Lineage,
    shown: Unfolded,
    state: LineageState,
    names: Mapping[str, str],
    language: Language,
) -> tuple[LineageStudio, ...]:
    """The studios drawn as groups, each right of the first of those who lead it."""
    return tuple(
        LineageStudio(
            id,
            names.get(id) or translate(language, "Studio"),
            min(lineage.generation(leader, shown) for leader in group.leaders),
            group.trainees,
            id in state.shown.closed,
        )
        for id, group in shown.groups.items()
    )


def explain_not_counted(
    skilled_on: date | None, policy: Policy, language: Language
) -> tuple[str, tuple[str, ...]]:
    """What the note on hover says of someone below a talent who does not count."""
    if skilled_on is not None and skilled_on < policy.window_start:
        return translate(language, "Not counted: high-skilled before the window"), (
            translate(language, "since {day}", day=format_date_in_words(skilled_on, language)),
        )
    if skilled_on is not None and skilled_on > policy.window_end:
        return translate(language, "Not counted: high-skilled after the window"), (
            translate(language, "since {day}", day=format_date_in_words(skilled_on, language)),
        )
    return translate(language, "Not counted"), (translate(language, "Click to see why."),)


def list_edges_among(
    graph: nx.MultiDiGraph, shown: Unfolded, state: LineageState
) -> tuple[LineageEdge, ...]:
    """One line a pair and channel (and studio, when drawn as groups): the one that starts first."""
    first: dict[tuple[str, str, str], LineageEdge] = {}
    filters = state.shown.filters
    for mentor in shown.generations:
        for _, apprentice, link in graph.out_edges(mentor, data=True):
            if apprentice not in shown.generations or not filters.tie(link["channel"]):
                continue
            studio = str(link.get("studio_id") or "")
            edge = LineageEdge(
                mentor,
                apprentice,
                link["channel"],
                link.get("start"),
                link.get("end"),
                studio
                if studio in shown.groups and apprentice in shown.groups[studio].shown
                else "",
            )
            lane = f"{edge.channel}:{edge.studio}"
            known = first.get((mentor, apprentice, lane))
            if known is None or (edge.start or date.max) < (known.start or date.max):
                first[mentor, apprentice, lane] = edge
    return tuple(first.values())


def _build_generation_columns(
    lineage: Lineage, shown: Unfolded, state: LineageState, language: Language
) -> tuple[LineageColumn, ...]:
    generations = sorted({lineage.generation(p, shown) for p in shown.generations})
    driven = filtered_people.count_shown_driven(lineage, state.shown)
    leaders = lineage.studio_leaders() > 0
    return build_column_heads(generations, driven, lineage.reach.leading, language, leaders=leaders)


def build_column_heads(
    generations: Sequence[int],
    driven: Mapping[int, int],
    leading: bool,
    language: Language,
    *,
    leaders: bool = False,
) -> tuple[LineageColumn, ...]:
    """The heads of the columns, those below a talent with how many are driven there.

    `leaders`: those right above are studio leaders too.
    """
    first = (
        translate(language, "Mentors, studio leaders")
        if leaders
        else translate(language, "Mentors")
    )
    above = {-1: first, -2: translate(language, "Their mentors")}
    columns = []
    for generation in generations:
        number = words = ""
        if generation < 0:
            name = above.get(generation, translate(language, "Earlier mentors"))
        elif generation == 0:
            talent, person = translate(language, "Talent"), translate(language, "Person")
            name = talent if leading else person
        else:
            name = translate(language, "Gen {n}", n=generation)
        if generation > 0 and leading:
            words = translate(language, "driven {n}", n="{n}")
            number = words.format(n=format_count(driven.get(generation, 0)))
        columns.append(LineageColumn(generation, name, number, words))
    return tuple(columns)


def _count_links_by_year(graph: nx.MultiDiGraph) -> tuple[tuple[int, int], ...]:
    """New links a year."""
    years = Counter(start.year for _, _, start in graph.edges(data="start") if start)
    return tuple(sorted(years.items()))


def describe_filters(shown: DisplayState, language: Language) -> tuple[str, ...]:
    """Which years and filters are set, in words; occupations by their codes."""
    filters, lines = shown.filters, []
    if shown.years:
        first, last = shown.years
        lines.append(translate(language, "Ties begun {first} to {last}", first=first, last=last))
    if filters.levels:
        low, high = filters.levels
        lines.append(translate(language, "Levels {low} to {high}", low=low, high=high))
    channels = {
        "mentorship": translate(language, "mentorship"),
        "studio": translate(language, "studio"),
    }
    places = translate_labels(PROVINCES, language)
    for title, values in (
        (translate(language, "Channel"), [channels.get(c, c) for c in sorted(filters.channels)]),
        (translate(language, "Province"), [places.get(p, p) for p in sorted(filters.provinces)]),
        (translate(language, "Occupation"), sorted(filters.occupations)),
    ):
        if values:
            said = translate(language, ", ").join(values)
            lines.append(translate(language, "{what}: {values}", what=title, values=said))
    return tuple(lines)


def describe_drawn_people(
    lineage: Lineage, drawn: int, state: LineageState, language: Language
) -> str:
    """How much of the lineage the view draws, and what the years chosen leave of the figures."""
    every, n = format_count(lineage.people), format_count(drawn)
    people = translate(language, "{n} of {all} people of the lineage drawn", n=n, all=every)
    groups = translate(language, "all {all} people of the lineage, in groups", all=every)
    parts = [groups if state.shown.in_groups else people]
    if lineage.unseen:
        unseen = format_count(lineage.unseen)
        parts.append(translate(language, "{n} outside your area", n=unseen))
    years = state.shown.years
    if years and lineage.reach.leading:
        reached = lineage.reached(state.shown)
        driven, waiting = (
            reached.filter(pl.col("state") == s).height for s in ("driven", "pending")
        )
        parts.append(
            translate(
                language,
                "by ties begun {first} to {last}: {driven} driven, {pending} pending",
                first=years[0],
                last=years[1],
                driven=format_count(driven),
                pending=format_count(waiting),
            )
        )
    return " · ".join(parts)
