"""The people a state shows of a graph: a walk outwards from the focus; "+N" counts the rest."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ui.lineage.state import (
    STUDIO_LANE_PREFIX,
    TIE_CHANNELS,
    Direction,
    DisplayState,
    Filters,
    LineageState,
    TieChannel,
    parse_lane_channel,
)

if TYPE_CHECKING:
    import networkx as nx

MAX_SHOWN_PEOPLE = 300  # people of one view, unless the page asks for more
OPENED_BATCH_PEOPLE = 20  # people a click on "+N" adds


@dataclass(frozen=True)
class StudioGroup:
    """A studio between those who lead it and those who train there: both as shown, and all."""

    leaders: tuple[str, ...]
    shown: frozenset[str]
    trainees: int


@dataclass(frozen=True)
class FilteredPeople:
    """People after filtering: `shown`, of which `links` only connect; how many are left out."""

    shown: frozenset[str]
    links: frozenset[str]
    left_out: int


@dataclass(frozen=True)
class Unfolded:
    """The people a state shows of a graph: person -> generation, and the people not shown.

    `more_by` splits `more_down` by lane. `links` are people filtered out who stay because they
    lead to one who is not; `filtered_out` counts those who do not stay. `groups` are the studios
    drawn as such.
    """

    generations: Mapping[str, int]
    more_up: Mapping[str, int]
    more_down: Mapping[str, int]
    more_by: Mapping[str, tuple[tuple[str, int], ...]]
    left_out: int  # of the graph's people
    links: frozenset[str] = frozenset()
    filtered_out: int = 0
    groups: Mapping[str, StudioGroup] = field(default_factory=dict)


def unfold_lineage(
    graph: nx.MultiDiGraph,
    state: LineageState,
    *,
    up: int = 2,
    down: int = 3,
    breadth: int | Sequence[int] | Callable[[str, TieChannel], int] = 4,
    limit: int = MAX_SHOWN_PEOPLE,
    rank: Callable[[str], Any] | None = None,
    keep: frozenset[str] = frozenset(),
    unhide: frozenset[str] = frozenset(),
    only: FilteredPeople | None = None,
) -> Unfolded:
    """The people a state shows of a graph whose edges lead from mentor to apprentice.

    Breadth first from the focus: `up` generations of mentors, `down` of those taught, `breadth` of
    them a person and channel (edge attribute `channel`), those of lowest `rank` first, then what
    was opened; `keep` (the path) and the pinned come in whatever the breadth, `unhide` even when
    hidden, each with the chain that leads there. One entry a person, even with two mentors.
    `breadth` is a number, what a function of the two says, or numbers to try: the last that stays
    below the `limit` holds.
    `only` is `filter_lineage` of the state's filters, if known.
    """
    if only is None and state.shown.filters:
        only = filter_lineage(graph, state.focus, state.shown.filters)
    return _Unfolding(graph, state, (up, down), breadth, limit, rank, (keep, unhide), only).result()


def fit_breadth_to_screen(
    graph: nx.MultiDiGraph,
    focus: str,
    *,
    up: int,
    down: int,
    breadth: Callable[[str, TieChannel], int],
    rows: int,
    rank: Callable[[str], Any] | None = None,
    filters: Filters | None = None,
    only: FilteredPeople | None = None,
    column: Callable[[str, int], int] = lambda person, walked: walked,
) -> Callable[[str, TieChannel], int]:
    """The breadth with which no column has more `rows`, those of "+N" too: for `unfold_lineage`.

    At most `breadth`; those of lowest rank bring fewer. It is found for the view before anything
    is opened, folded or hidden, so that these change nothing elsewhere. `column` says where one
    stands who was come to so many links from the focus.
    """
    state = LineageState(focus, shown=DisplayState(filters=filters or Filters()))
    if only is None and state.shown.filters:
        only = filter_lineage(graph, focus, state.shown.filters)
    nobody = (frozenset[str](), frozenset[str]())
    walk = _Unfolding(graph, state, (up, down), breadth, MAX_SHOWN_PEOPLE, rank, nobody, only)
    return walk.on_a_screen(rows, column)


def filter_lineage(graph: nx.MultiDiGraph, focus: str, filters: Filters) -> FilteredPeople:
    """The people wanted, and the chains of fewest links that tie them to the focus."""
    parents = {focus: focus}
    for direction in ("down", "up"):
        parents = {**_find_parents(graph, focus, direction, filters), **parents}
    wanted = {person for person in parents if filters.person(graph.nodes[person])} | {focus}
    shown: set[str] = set()
    for person in wanted:
        while person not in shown:
            shown.add(person)
            person = parents[person]
    return FilteredPeople(
        frozenset(shown), frozenset(shown - wanted), graph.number_of_nodes() - len(shown)
    )


def _find_parents(
    graph: nx.MultiDiGraph, focus: str, direction: Direction, filters: Filters
) -> dict[str, str]:
    """Who first leads to each person on a walk from the focus in one direction."""
    found = {focus: focus}
    if focus not in graph:
        return found
    onward = graph.succ if direction == "down" else graph.pred
    queue = deque([focus])
    while queue:
        person = queue.popleft()
        for other, ties in onward[person].items():
            if other not in found and any(filters.tie(t["channel"]) for t in ties.values()):
                found[other] = person
                queue.append(other)
    return found


class _Unfolding:
    """One walk outwards from the focus; `unfold_lineage` says what it does."""

    def __init__(
        self,
        graph: nx.MultiDiGraph,
        state: LineageState,
        reach: tuple[int, int],
        breadth: int | Sequence[int] | Callable[[str, TieChannel], int],
        limit: int,
        rank: Callable[[str], Any] | None,
        wanted: tuple[frozenset[str], frozenset[str]],
        only: FilteredPeople | None,
    ) -> None:
        self.graph, self.state, self.limit, self.only = graph, state, limit, only
        self.breadths: list[Callable[[str, TieChannel], int]] = (
            [breadth]
            if callable(breadth)
            else [
                _build_constant_breadth(n)
                for n in ([breadth] if isinstance(breadth, int) else breadth)
            ]
        )
        self.reach: dict[Direction, int] = {"up": reach[0], "down": reach[1]}
        self.rank = rank or (lambda person: 0)
        keep, self.unhide = wanted
        self.keep = keep | self.unhide | state.shown.pinned
        self.opened = dict(state.shown.opened)
        self.breadth = self.breadths[0]
        self.shown: dict[str, int] = {state.focus: 0}
        self.known: dict[tuple[str, Direction], dict[str, list[str]]] = {}

    def result(self) -> Unfolded:
        shown = self._people(self.breadths[0])
        for breadth in self.breadths[1:]:
            wider = self._people(breadth)
            if len(wider) >= self.limit:
                break
            shown = wider
        self.shown = shown
        more_by = {p: self._not_shown(p, "down") for p in self.shown if self.shown[p] >= 0}
        more_up = {p: self._not_shown(p, "up") for p in self.shown if self.shown[p] <= 0}
        return Unfolded(
            generations=self.shown,
            more_up={p: sum(n for _, n in more) for p, more in more_up.items() if more},
            more_down={p: sum(n for _, n in more) for p, more in more_by.items() if more},
            more_by={p: more for p, more in more_by.items() if more},
            left_out=self.graph.number_of_nodes() - len(self.shown),
            links=self.only.links & self.shown.keys() if self.only else frozenset(),
            filtered_out=self.only.left_out if self.only else 0,
            groups=self._groups() if self.state.shown.grouped else {},
        )

    def _people(self, breadth: Callable[[str, TieChannel], int]) -> dict[str, int]:
        """The people a breadth shows, and the generation of each."""
        self.breadth, self.shown = breadth, {self.state.focus: 0}
        self._walk("down")
        self._walk("up")
        self._add_missing()
        return self.shown

    def on_a_screen(
        self, rows: int, column: Callable[[str, int], int]
    ) -> Callable[[str, TieChannel], int]:
        """The breadth that so many rows hold: while a column is too full, someone brings fewer."""
        most, fewer = self.breadths[0], dict[str, int]()

        def breadth(person: str, channel: TieChannel) -> int:
            return min(most(person, channel), fewer.get(person, MAX_SHOWN_PEOPLE))

        while True:
            shown = self._people(breadth)
            crowding = self._crowding(shown, rows, fewer, column)
            if crowding is None:
                return breadth
            at = fewer.get(crowding, max(most(crowding, c) for c in TIE_CHANNELS))
            fewer[crowding] = max(at - 1, 1) if crowding == self.state.focus else 0

    def _crowding(
        self,
        shown: Mapping[str, int],
        rows: int,
        fewer: Mapping[str, int],
        column_of: Callable[[str, int], int],
    ) -> str | None:
        """Who is to bring fewer into the fullest column; None when all fit, or nobody can."""
        at = {person: column_of(person, walked) for person, walked in shown.items()}
        brought: dict[int, list[str]] = {}
        filled: Counter[int] = Counter(at.values())
        for person, walked in shown.items():
            if walked < 0:
                continue
            lanes = self._others(person, "down")
            taught = [o for others in lanes.values() for o in others if o in shown]
            if any(at[other] > at[person] for other in taught):
                filled[at[person] + 1] += len(self._not_shown(person, "down"))
            for other in taught:
                brought.setdefault(at[other], []).append(person)
        for column, number in filled.most_common():
            if number <= rows:
                return None
            least = 1 if column == 1 else 0
            able = [p for p in brought.get(column, ()) if fewer.get(p, MAX_SHOWN_PEOPLE) > least]
            if able:
                return max(able, key=lambda p: (at[p], list(shown).index(p)))
        return None

    def _walk(self, direction: Direction) -> None:
        step = 1 if direction == "down" else -1
        queue = deque([(self.state.focus, False)])
        while queue:
            person, under = queue.popleft()  # under a folded one: only those to keep go on
            folded = under or (person, direction) in self.state.shown.folded
            within = abs(self.shown[person]) < self.reach[direction]
            for lane, others in self._others(person, direction).items():
                shut = folded or lane.removeprefix(STUDIO_LANE_PREFIX) in self.state.shown.closed
                room = 0 if shut else self._room(person, direction, lane, within)
                for place, other in enumerate(others):
                    wanted = place < room or other in self.keep
                    if wanted and other not in self.shown and len(self.shown) < self.limit:
                        self.shown[other] = self.shown[person] + step
                        queue.append((other, shut))

    def _add_missing(self) -> None:
        """Adds people to keep that the walk missed, each with a chain of fewest links."""
        missing = [p for p in sorted(self.keep) if p not in self.shown and self._may_show(p)]
        ways: tuple[tuple[Direction, int], ...] = (("down", 1), ("up", -1))
        for direction, step in ways if missing else ():
            parents = _find_parents(
                self.graph, self.state.focus, direction, self.state.shown.filters
            )
            for person in missing:
                chain = []
                while person in parents and person not in self.shown:
                    chain.append(person)
                    person = parents[person]
                if chain and person in self.shown and all(map(self._may_show, chain)):
                    for other in reversed(chain):
                        self.shown[other] = self.shown[parents[other]] + step

    def _may_show(self, person: str) -> bool:
        if person in self.unhide:
            return True
        passes = self.only is None or person in self.only.shown
        return passes and person not in self.state.shown.hidden

    def _room(self, person: str, direction: Direction, lane: str, within: bool) -> int:
        channel = parse_lane_channel(lane)
        clicks = sum(self.opened.get((person, direction, o), 0) for o in {lane, channel, ""})
        return (self.breadth(person, channel) if within else 0) + OPENED_BATCH_PEOPLE * clicks

    def _ties(self, person: str, direction: Direction) -> Iterator[tuple[str, str]]:
        """Those one tie away that may be shown, each with the lane of the tie."""
        if person not in self.graph:
            return
        onward = (self.graph.succ if direction == "down" else self.graph.pred)[person]
        for other, ties in onward.items():
            if not self._may_show(other):
                continue
            for tie in ties.values():
                if self.state.shown.filters.tie(tie["channel"]):
                    yield other, self._lane(tie)

    def _lane(self, tie: Mapping[str, Any]) -> str:
        if self.state.shown.grouped and tie["channel"] == "studio" and tie.get("studio_id"):
            return f"{STUDIO_LANE_PREFIX}{tie['studio_id']}"
        return str(tie["channel"])

    def _others(self, person: str, direction: Direction) -> dict[str, list[str]]:
        """Those one tie away, by the first lane that ties them, lowest rank first."""
        if (person, direction) in self.known:
            return self.known[person, direction]
        lanes: dict[str, str] = {}
        for other, lane in self._ties(person, direction):
            if other not in lanes or _build_lane_sort_key(lane) < _build_lane_sort_key(
                lanes[other]
            ):
                lanes[other] = lane
        found: dict[str, list[str]] = {
            lane: [] for lane in sorted(set(lanes.values()), key=_build_lane_sort_key)
        }
        for other in sorted(lanes, key=lambda o: (o not in self.keep, self.rank(o), o)):
            found[lanes[other]].append(other)
        self.known[person, direction] = found
        return found

    def _not_shown(self, person: str, direction: Direction) -> tuple[tuple[str, int], ...]:
        counts = {
            lane: sum(other not in self.shown for other in others)
            for lane, others in self._others(person, direction).items()
            if lane.removeprefix(STUDIO_LANE_PREFIX) not in self.state.shown.closed
        }
        return tuple((lane, count) for lane, count in counts.items() if count)

    def _groups(self) -> dict[str, StudioGroup]:
        """The studios with someone shown on either side, or folded."""
        leaders: dict[str, list[str]] = {}
        trainees: dict[str, set[str]] = {}
        for person in self.shown:
            for other, lane in self._ties(person, "down"):
                if lane.startswith(STUDIO_LANE_PREFIX):
                    studio = lane.removeprefix(STUDIO_LANE_PREFIX)
                    if person not in leaders.setdefault(studio, []):
                        leaders[studio].append(person)
                    trainees.setdefault(studio, set()).add(other)
        found = {}
        for studio, led_by in leaders.items():
            first = min(self.shown[leader] for leader in led_by)
            below = {p for p in trainees[studio] & self.shown.keys() if self.shown[p] > first}
            if below or studio in self.state.shown.closed:
                found[studio] = StudioGroup(tuple(led_by), frozenset(below), len(trainees[studio]))
        return found


def _build_constant_breadth(breadth: int) -> Callable[[str, TieChannel], int]:
    return lambda person, channel: breadth


def _build_lane_sort_key(lane: str) -> tuple[int, str]:
    return TIE_CHANNELS.index(parse_lane_channel(lane)), lane


def find_lineage_paths(
    graph: nx.MultiDiGraph, start: str, end: str, *, most: int = 60
) -> tuple[tuple[str, ...], ...]:
    """All shortest paths from mentor to apprentice, whichever of the two stands above.

    At most `most` of them; none when no chain leads from the one to the other.
    """
    from itertools import islice

    import networkx as nx

    if start not in graph or end not in graph:
        return ()
    for first, last in ((start, end), (end, start)):
        if nx.has_path(graph, first, last):
            plain = nx.DiGraph(graph)  # one tie a pair, or a path would come once a channel
            return tuple(map(tuple, islice(nx.all_shortest_paths(plain, first, last), most)))
    return ()


def list_path_people(paths: Iterable[Iterable[str]]) -> frozenset[str]:
    """Everyone on any of the paths."""
    return frozenset(person for path in paths for person in path)
