"""The lineage widget: mentors, a leading talent and those they drive, left to right.

vis-network, from the file that the pyvis wheel carries, draws on a canvas inside a Streamlit
component; places are computed in Python (`components/layout.py`) and pyvis's `Network` builds
nodes, edges and options. The library is mounted as a component of its own, so that a click sends
the small view and not the half megabyte of library again.

What is open, folded, hidden, pinned, and the years shown are one immutable `LineageState` in the
session, with undo and redo. A page reads it, builds a `LineageView` from it, and draws:

    state = lineage_state("lineage", LineageState(focus=person_id))
    event = lineage(view_of(state), key="lineage")

The widget's clicks are put into the state before the page runs again, so one click is one rerun.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from components import theme
from components.layout import ROW, Layout, arrange, arrange_by_year, text_width
from graph.errors import UsageError

if TYPE_CHECKING:
    import networkx as nx

Channel = Literal["mentorship", "studio", "teaching"]
State = Literal["talent", "driven", "pending", "none"]
Direction = Literal["up", "down"]
Axis = Literal["generation", "year"]
Language = Literal["zh", "en"]

CHANNELS: tuple[Channel, ...] = ("mentorship", "studio", "teaching")
PEOPLE_SHOWN = 300  # people of one view, unless the page asks for more
PEOPLE_AT_MOST = 5_000
BATCH = 20  # people a click on "+N" adds
WIDEST_NAME = 182  # px; a longer one is cut short, and whole on hover
HEIGHT = 784  # px: toolbar 32, heads 30, 15 rows x 40, time band 56, legend 32, and air
ASSETS = Path(__file__).with_name("lineage")
VIS = "templates/lib/vis-9.1.2/vis-network.min.js"

WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "lineage": "师承谱系", "find": "查找图中的人", "nobody": "图中没有此人",
        "everyone": "在全部人员中查找“{text}”",
        "undo": "撤销", "redo": "重做", "expand": "展开", "fold": "收起", "path": "路径",
        "hide": "隐藏", "pin": "固定", "unpin": "取消固定", "generation": "按代", "year": "按年",
        "fit": "适应窗口", "zoom_in": "放大", "zoom_out": "缩小",
        "time": "关系起于", "from": "起始年", "to": "截止年", "play": "逐年看", "stop": "停止",
        "undated": "无日期", "high_skilled": "4 级起为高技能",
        "mentorship": "师徒", "studio": "工作室", "teaching": "授课",
        "driven": "带动", "pending": "待认定", "none": "无框：不计入", "talent": "领军人才",
        "honour": "荣誉", "level": "{level} 级", "selected": "已选择",
        "state_talent": "领军人才", "state_driven": "带动", "state_pending": "待认定",
        "state_none": "不计入", "more": "另有 {count} 人，点击展开", "people": "图中人员",
        "loading": "正在画谱系",
    },
    "en": {
        "lineage": "Lineage", "find": "Find a person", "nobody": "nobody in this view",
        "everyone": "Search everyone for “{text}”",
        "undo": "Undo", "redo": "Redo", "expand": "Expand", "fold": "Fold", "path": "Path",
        "hide": "Hide", "pin": "Pin", "unpin": "Unpin", "generation": "Gen", "year": "Year",
        "fit": "Fit", "zoom_in": "Zoom in", "zoom_out": "Zoom out",
        "time": "Ties begun", "from": "first year", "to": "last year", "play": "Play",
        "stop": "Stop", "undated": "undated", "high_skilled": "high-skilled",
        "mentorship": "mentor", "studio": "studio", "teaching": "teaching",
        "driven": "driven", "pending": "pending", "none": "no box: not counted",
        "talent": "leading talent", "honour": "", "level": "level {level}",
        "selected": "selected", "state_talent": "leading talent",
        "state_driven": "driven", "state_pending": "pending", "state_none": "not counted",
        "more": "{count} more, click to show", "people": "People in this view",
        "loading": "Drawing the lineage",
    },
}  # fmt: skip


@dataclass(frozen=True)
class LineageNode:
    """One person of the view.

    `generation` is 0 for the focus, negative for mentors. `state` is why the box looks as it does;
    `reason` is the first, bold line of the note on hover and `lines` the others. `more_up` and
    `more_down` count people not shown, and `more_by` splits `more_down` by channel.
    """

    id: str
    name: str
    generation: int = 0
    level: int | None = None
    state: State = "none"
    honour: str = ""
    leading: bool = False
    more_up: int = 0
    more_down: int = 0
    more_by: tuple[tuple[Channel, int], ...] = ()
    reason: str = ""
    lines: tuple[str, ...] = ()
    pinned: bool = False


@dataclass(frozen=True)
class LineageEdge:
    """One tie: `source` is the mentor, studio leader or teacher of `target`."""

    source: str
    target: str
    channel: Channel = "mentorship"
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class LineageColumn:
    """The head of one generation: its name, and its count as text ("1,246 人")."""

    generation: int
    name: str
    count: str = ""


@dataclass(frozen=True)
class LineageView:
    """All that the widget shows, in the order wished for within each generation.

    `path` are the person ids from the focus to the selected person; `window` the policy's first and
    last day; `years` the years shown (None = all) and `ties` the new ties a year of the whole
    lineage (those of the view when empty). `buttons` adds (name, word) buttons at the toolbar's
    end, the last one red; a click comes back as the event's `action`. `words` overrides `WORDS`.
    """

    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    focus: str
    path: tuple[str, ...] = ()
    selected: str | None = None
    columns: tuple[LineageColumn, ...] = ()
    window: tuple[date, date] | None = None
    years: tuple[int, int] | None = None
    ties: tuple[tuple[int, int], ...] = ()
    axis: Axis = "generation"
    can_undo: bool = False
    can_redo: bool = False
    buttons: tuple[tuple[str, str], ...] = ()
    language: Language = "zh"
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LineageEvent:
    """What the person did in this run, already put into the state.

    `selected` is always the person selected now. `action` is what was done: "expand", "fold",
    "hide", "pin", "undo", "redo", "years", "axis", "search" (with `text`), or the name of one of
    the view's `buttons`.
    """

    selected: str | None = None
    action: str | None = None
    person: str | None = None
    direction: Direction = "down"
    channel: Channel | None = None
    years: tuple[int, int] | None = None
    axis: Axis = "generation"
    text: str = ""


Opening = tuple[str, Direction, str]  # person, where to, channel ("" = all)


@dataclass(frozen=True)
class Shown:
    """What undo and redo cover: open, folded, hidden, pinned, years and axis."""

    opened: tuple[tuple[Opening, int], ...] = ()  # how often each "+N" was opened
    folded: frozenset[tuple[str, Direction]] = frozenset()
    hidden: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()
    years: tuple[int, int] | None = None
    axis: Axis = "generation"


@dataclass(frozen=True)
class LineageState:
    """Whose lineage is shown and how; every change is a new state, with undo and redo."""

    focus: str
    selected: str | None = None
    shown: Shown = Shown()
    past: tuple[Shown, ...] = ()
    future: tuple[Shown, ...] = ()

    def _to(self, shown: Shown) -> LineageState:
        if shown == self.shown:
            return self
        return replace(self, shown=shown, past=(*self.past, self.shown)[-100:], future=())

    def select(self, person: str | None) -> LineageState:
        """The same view with another person selected; not a step of undo."""
        return replace(self, selected=person)

    def expand(
        self, person: str, direction: Direction = "down", channel: str | None = None
    ) -> LineageState:
        """Unfold the person; or, when not folded, show the next batch of those not shown."""
        if (person, direction) in self.shown.folded:
            folded = self.shown.folded - {(person, direction)}
            return self._to(replace(self.shown, folded=folded))
        opened = dict(self.shown.opened)
        opening = (person, direction, channel or "")
        opened[opening] = opened.get(opening, 0) + 1
        return self._to(replace(self.shown, opened=tuple(sorted(opened.items()))))

    def fold(self, person: str, direction: Direction = "down") -> LineageState:
        """Take away those shown by way of this person, and forget what was opened on it.

        A second time unfolds: one taught by two mentors stays in view, and a double click on the
        folded one then asks to fold again.
        """
        if (person, direction) in self.shown.folded:
            return self.expand(person, direction)
        opened = tuple(o for o in self.shown.opened if o[0][:2] != (person, direction))
        folded = self.shown.folded | {(person, direction)}
        return self._to(replace(self.shown, opened=opened, folded=folded))

    def hide(self, person: str) -> LineageState:
        """Take one person away; the focus always stays."""
        if person == self.focus:
            return self
        hidden = replace(
            self.shown,
            hidden=self.shown.hidden | {person},
            pinned=self.shown.pinned - {person},
        )
        selected = None if self.selected == person else self.selected
        return replace(self._to(hidden), selected=selected)

    def pin(self, person: str) -> LineageState:
        """Keep a person in the view whatever is folded; a second time lets go."""
        return self._to(replace(self.shown, pinned=self.shown.pinned ^ {person}))

    def at(self, years: tuple[int, int] | None) -> LineageState:
        """Show ties begun in these years, both included; None shows all."""
        return self._to(replace(self.shown, years=years))

    def by(self, axis: Axis) -> LineageState:
        """Columns by generation, or an axis of years."""
        return self._to(replace(self.shown, axis=axis))

    def undo(self) -> LineageState:
        """The view before the last change, or this one when there is none."""
        if not self.past:
            return self
        *past, shown = self.past
        return replace(self, shown=shown, past=tuple(past), future=(self.shown, *self.future))

    def redo(self) -> LineageState:
        """The change last undone, done again."""
        if not self.future:
            return self
        shown, *future = self.future
        return replace(self, shown=shown, past=(*self.past, self.shown), future=tuple(future))

    def apply(self, event: LineageEvent) -> LineageState:
        """The state after what the person did."""
        state = self if event.selected == self.selected else self.select(event.selected)
        person = event.person or state.selected or state.focus
        match event.action:
            case "expand":
                return state.expand(person, event.direction, event.channel)
            case "fold":
                return state.fold(person, event.direction)
            case "hide":
                return state.hide(person)
            case "pin":
                return state.pin(person)
            case "years":
                return state.at(event.years)
            case "axis":
                return state.by(event.axis)
            case "undo":
                return state.undo()
            case "redo":
                return state.redo()
        return state

    def to_query(self) -> dict[str, str]:
        """Query parameters of a deep link to exactly this view: ids only, no names, no history."""
        shown = self.shown
        query = {"person": self.focus}
        if self.selected:
            query["selected"] = self.selected
        if shown != Shown():
            query["view"] = json.dumps(
                {
                    "o": [[*opening, times] for opening, times in shown.opened],
                    "f": sorted(map(list, shown.folded)),
                    "h": sorted(shown.hidden),
                    "p": sorted(shown.pinned),
                    "y": shown.years,
                    "a": shown.axis,
                },
                separators=(",", ":"),
                ensure_ascii=False,
            )
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> LineageState | None:
        """The state of a deep link; None without a person; a broken `view` is left aside."""
        focus = query.get("person")
        if not focus:
            return None
        return cls(focus, query.get("selected") or None, _shown_from(query.get("view", "")))


def _shown_from(text: str) -> Shown:
    try:
        saved = json.loads(text)
        years = saved["y"] and (int(saved["y"][0]), int(saved["y"][1]))
        return Shown(
            opened=tuple(
                ((str(p), _direction(d), str(c)), min(int(n), PEOPLE_AT_MOST))
                for p, d, c, n in saved["o"]
            ),
            folded=frozenset((str(p), _direction(d)) for p, d in saved["f"]),
            hidden=frozenset(map(str, saved["h"])),
            pinned=frozenset(map(str, saved["p"])),
            years=years or None,
            axis="year" if saved["a"] == "year" else "generation",
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return Shown()


def _direction(text: str) -> Direction:
    return "up" if text == "up" else "down"


@dataclass(frozen=True)
class Unfolded:
    """Whom a state shows of a graph: person -> generation, and the people not shown."""

    generations: Mapping[str, int]
    more_up: Mapping[str, int]
    more_down: Mapping[str, int]
    more_by: Mapping[str, tuple[tuple[Channel, int], ...]]
    left_out: int  # of the graph's people


def unfold(
    graph: nx.MultiDiGraph,
    state: LineageState,
    *,
    up: int = 2,
    down: int = 3,
    breadth: int | Callable[[str, Channel], int] = 4,
    limit: int = PEOPLE_SHOWN,
    rank: Callable[[str], Any] | None = None,
    keep: frozenset[str] = frozenset(),
) -> Unfolded:
    """Whom a state shows of a graph whose edges lead from mentor to apprentice.

    Breadth first from the focus: `up` generations of mentors, `down` of those taught, `breadth` of
    them a person and channel (edge attribute `channel`; a number, or what a function of the two
    says), those of lowest `rank` first, then what was opened; `keep` (the path) and the pinned come
    in whatever the breadth. One entry a person, even with two mentors.
    """
    return _Unfolding(graph, state, (up, down), breadth, limit, rank, keep).result()


class _Unfolding:
    """One walk outwards from the focus; `unfold` says what it does."""

    def __init__(
        self,
        graph: nx.MultiDiGraph,
        state: LineageState,
        reach: tuple[int, int],
        breadth: int | Callable[[str, Channel], int],
        limit: int,
        rank: Callable[[str], Any] | None,
        keep: frozenset[str],
    ) -> None:
        self.graph, self.state, self.limit = graph, state, limit
        self.breadth = breadth if callable(breadth) else lambda person, channel: breadth
        self.reach: dict[Direction, int] = {"up": reach[0], "down": reach[1]}
        self.rank = rank or (lambda person: 0)
        self.keep = keep | state.shown.pinned
        self.opened = dict(state.shown.opened)
        self.shown: dict[str, int] = {state.focus: 0}

    def result(self) -> Unfolded:
        self._walk("down")
        self._walk("up")
        more_by = {p: self._not_shown(p, "down") for p in self.shown if self.shown[p] >= 0}
        more_up = {p: self._not_shown(p, "up") for p in self.shown if self.shown[p] <= 0}
        return Unfolded(
            generations=self.shown,
            more_up={p: sum(n for _, n in more) for p, more in more_up.items() if more},
            more_down={p: sum(n for _, n in more) for p, more in more_by.items() if more},
            more_by={p: more for p, more in more_by.items() if more},
            left_out=self.graph.number_of_nodes() - len(self.shown),
        )

    def _walk(self, direction: Direction) -> None:
        step = 1 if direction == "down" else -1
        queue = deque([self.state.focus])
        while queue:
            person = queue.popleft()
            if (person, direction) in self.state.shown.folded:
                continue
            within = abs(self.shown[person]) < self.reach[direction]
            for channel, others in self._others(person, direction).items():
                room = self._room(person, direction, channel, within)
                for place, other in enumerate(others):
                    wanted = place < room or other in self.keep
                    if wanted and other not in self.shown and len(self.shown) < self.limit:
                        self.shown[other] = self.shown[person] + step
                        queue.append(other)

    def _room(self, person: str, direction: Direction, channel: Channel, within: bool) -> int:
        clicks = self.opened.get((person, direction, channel), 0)
        clicks += self.opened.get((person, direction, ""), 0)
        return (self.breadth(person, channel) if within else 0) + BATCH * clicks

    def _others(self, person: str, direction: Direction) -> dict[Channel, list[str]]:
        """Those one tie away, by the first channel that ties them, lowest rank first."""
        if person not in self.graph:
            return {}
        edges = (
            self.graph.out_edges(person, data="channel")
            if direction == "down"
            else self.graph.in_edges(person, data="channel")
        )
        channels: dict[str, Channel] = {}
        for source, target, channel in edges:
            other = target if direction == "down" else source
            known = channels.get(other)
            if known is None or CHANNELS.index(channel) < CHANNELS.index(known):
                channels[other] = channel
        found: dict[Channel, list[str]] = {channel: [] for channel in CHANNELS}
        for other in sorted(channels, key=lambda o: (o not in self.keep, self.rank(o), o)):
            if other not in self.state.shown.hidden:
                found[channels[other]].append(other)
        return found

    def _not_shown(self, person: str, direction: Direction) -> tuple[tuple[Channel, int], ...]:
        counts = {
            channel: sum(other not in self.shown for other in others)
            for channel, others in self._others(person, direction).items()
        }
        return tuple((channel, count) for channel, count in counts.items() if count)


def box_width(node: LineageNode) -> float:
    """About how wide a person's box is on the canvas, px."""
    badge = 25 if node.level is not None else 0
    return 14 + min(text_width(node.name), WIDEST_NAME) + badge + (22 if node.honour else 0)


@dataclass(frozen=True)
class Pill:
    """A "+N": whose people it stands for, and where; `beside` = right next to the person."""

    person: str
    direction: Direction
    channel: Channel | None
    count: int
    layer: int
    beside: bool

    @property
    def id(self) -> str:
        """An id no person has: persons' ids hold no newline."""
        return f"+\n{self.person}\n{self.direction}\n{self.channel or ''}"


def pills(view: LineageView) -> list[Pill]:
    """The "+N" of a view: a row in the next column when some of the group are shown.

    Next to the person otherwise, and always where the columns are years.
    """
    generation = {node.id: node.generation for node in view.nodes}
    taught: set[str] = set()
    taught_by: set[str] = set()
    for edge in view.edges:
        if generation[edge.source] < generation[edge.target]:
            taught.add(edge.source)
            taught_by.add(edge.target)
    found: list[Pill] = []
    for node in view.nodes:
        beside = node.id not in taught or view.axis == "year"
        split: tuple[tuple[Channel | None, int], ...] = node.more_by
        if beside or not split:
            split = ((None, node.more_down),)
        found += [
            Pill(node.id, "down", channel, count, node.generation + 1, beside)
            for channel, count in split
            if count
        ]
        if node.more_up:
            beside = node.id not in taught_by or view.axis == "year"
            found.append(Pill(node.id, "up", None, node.more_up, node.generation - 1, beside))
    return found


def placed(view: LineageView) -> Layout:
    """Where each person and each "+N" in a column stands."""
    if view.axis == "year":
        return _placed_by_year(view)
    rows = [pill for pill in pills(view) if not pill.beside]
    beside = {pill.person: pill for pill in pills(view) if pill.beside}
    layers = _in_wished_order(view, rows)
    widths = {node.id: box_width(node) + (38 if node.id in beside else 0) for node in view.nodes}
    arrows = [(edge.source, edge.target) for edge in view.edges]
    arrows += [(p.person, p.id) if p.direction == "down" else (p.id, p.person) for p in rows]
    return arrange(layers, arrows, root=view.focus, widths=widths)


def _in_wished_order(view: LineageView, rows: list[Pill]) -> dict[str, int]:
    """Box -> generation, by channel as first tied, each group's "+N" at its end."""
    channel: dict[str, int] = {}
    for edge in view.edges:
        channel.setdefault(edge.target, CHANNELS.index(edge.channel))
    order: list[tuple[int, str, int]] = [
        (channel.get(node.id, 0), node.id, node.generation) for node in view.nodes
    ]
    order += [
        (CHANNELS.index(pill.channel) if pill.channel else len(CHANNELS), pill.id, pill.layer)
        for pill in rows
    ]
    return {box: layer for _, box, layer in sorted(order, key=lambda entry: entry[0])}


def _placed_by_year(view: LineageView) -> Layout:
    by_generation = placed(replace(view, axis="generation"))
    ids = {node.id for node in view.nodes}
    years = _years_of(view)
    rows = {box: place.y / ROW for box, place in by_generation.places.items() if box in ids}
    widths = {node.id: box_width(node) + (38 if node.more_down else 0) for node in view.nodes}
    return arrange_by_year(years, rows, widths, root=view.focus)


def _years_of(view: LineageView) -> dict[str, int]:
    """The year each person came in: of the first dated tie to them, else next to who they know."""
    came: dict[str, int] = {}
    taught: dict[str, int] = {}
    for edge in view.edges:
        if edge.start:
            year = edge.start.year
            came[edge.target] = min(came.get(edge.target, year), year)
            taught[edge.source] = min(taught.get(edge.source, year), year)
    years: dict[str, int] = {}
    near: dict[str, list[str]] = {node.id: [] for node in view.nodes}
    for edge in view.edges:
        near[edge.target].append(edge.source)
        near[edge.source].append(edge.target)
    for node in sorted(view.nodes, key=lambda node: abs(node.generation)):
        side = -1 if node.generation < 0 else 1
        known = [years[other] + side for other in near[node.id] if other in years]
        if node.id in came:
            years[node.id] = came[node.id]
        elif node.id in taught:
            years[node.id] = taught[node.id] - 1
        else:
            years[node.id] = min(known, default=date.today().year)
    return years


def build(view: LineageView) -> dict[str, Any]:
    """The view as the browser draws it: nodes, edges and options by pyvis, and what it says."""
    layout = placed(view)
    network = _network(view, layout)
    return {
        "nodes": network.nodes,
        "edges": network.edges,
        "options": json.loads(network.options.to_json()),
        "pills": [_pill(pill, layout) for pill in pills(view)],
        "columns": _heads(view, layout),
        "focus": view.focus,
        "selected": view.selected,
        "path": list(view.path),
        "window": view.window and [day.isoformat() for day in view.window],
        "years": view.years,
        "ties": _ties(view),
        "axis": view.axis,
        "undo": view.can_undo,
        "redo": view.can_redo,
        "buttons": [list(button) for button in view.buttons],
        "language": view.language,
        "words": {**WORDS[view.language], **view.words},
    }


def _network(view: LineageView, layout: Layout) -> Any:
    """pyvis's Network of the view, physics off, every box at its place."""
    from pyvis.network import Network

    if len(view.nodes) > PEOPLE_AT_MOST:
        raise UsageError(
            f"The lineage view has {len(view.nodes):,} people, more than the {PEOPLE_AT_MOST:,} it "
            "can draw; show fewer generations or fewer people of each."
        )
    network = Network(directed=True)
    for node in view.nodes:
        place = layout.places[node.id]
        network.add_node(
            node.id, label=node.name, shape="custom", x=place.x, y=place.y, about=_about(node)
        )
    for number, edge in enumerate(view.edges):
        network.add_edge(
            edge.source,
            edge.target,
            id=f"{edge.source}\n{edge.target}\n{number}",
            channel=edge.channel,
            start=edge.start and edge.start.isoformat(),
        )
    network.toggle_physics(False)
    return network


def _about(node: LineageNode) -> dict[str, Any]:
    """What the canvas needs of a person; what is empty is left out, a click sends less."""
    about = {
        "generation": node.generation,
        "level": node.level,
        "state": node.state,
        "honour": node.honour,
        "leading": node.leading,
        "pinned": node.pinned,
        "reason": node.reason,
        "lines": list(node.lines),
    }
    return {name: value for name, value in about.items() if value or name == "generation"}


def _pill(pill: Pill, layout: Layout) -> dict[str, Any]:
    place = layout.places.get(pill.id)
    return {
        "id": pill.id,
        "person": pill.person,
        "direction": pill.direction,
        "channel": pill.channel,
        "generation": pill.layer,
        "count": pill.count,
        "x": place and place.x,
        "y": place and place.y,
    }


def _heads(view: LineageView, layout: Layout) -> list[dict[str, Any]]:
    if view.axis == "year":
        return [
            {"generation": year, "x": x, "name": str(year), "count": ""}
            for year, x in layout.columns.items()
        ]
    heads = {column.generation: column for column in view.columns}
    return [
        {"generation": layer, "x": x, "name": heads[layer].name, "count": heads[layer].count}
        for layer, x in layout.columns.items()
        if layer in heads
    ]


def _ties(view: LineageView) -> list[tuple[int, int]]:
    """New ties a year, every year from the first to the last, none left out."""
    counts = Counter(dict(view.ties)) or Counter(e.start.year for e in view.edges if e.start)
    if not counts:
        return []
    last = max([*counts, *([view.window[1].year] if view.window else [])])
    return [(year, counts[year]) for year in range(min(counts), last + 1)]


def lineage_state(key: str, start: LineageState | None = None) -> LineageState:
    """The state of the widget with this key, in this session; `start` when there is none yet.

    When `start` has another focus than the state kept, the state begins anew from `start`.
    """
    import streamlit as st

    kept: LineageState | None = st.session_state.get(_kept(key))
    if kept is None or (start is not None and start.focus != kept.focus):
        if start is None:
            raise KeyError(f"The lineage {key!r} has no state yet: give its start.")
        kept = keep_state(key, start)
    return kept


def keep_state(key: str, state: LineageState) -> LineageState:
    """Put a state of the page's own making (a search, a link of the panel) into the session."""
    import streamlit as st

    st.session_state[_kept(key)] = state
    return state


def lineage(view: LineageView, *, key: str, height: int = HEIGHT) -> LineageEvent:
    """Draw a view, `height` px high, and return what was done to it in this run.

    Clicks, folds, undo and years are in `lineage_state(key)` before the page's script runs.
    """
    import streamlit as st

    draw, library = _components()

    def take_in() -> None:
        _take_in(key)

    with st.container(gap=None, key=f"{key}-lineage"):
        library(key=f"{key}-library", height=1)
        draw(
            key=key,
            data={**build(view), "height": height},
            height=height,
            on_selected_change=take_in,
            on_done_change=take_in,
        )
    event: LineageEvent | None = st.session_state.pop(_event(key), None)
    return event or LineageEvent(selected=view.selected, years=view.years, axis=view.axis)


def _kept(key: str) -> str:
    return f"{key}.state"


def _event(key: str) -> str:
    return f"{key}.event"


def _take_in(key: str) -> None:
    """Put what the browser sent into the state and keep it as this run's event."""
    import streamlit as st

    sent: Mapping[str, Any] = st.session_state[key]
    state: LineageState | None = st.session_state.get(_kept(key))
    before: tuple[Hashable, Hashable] = st.session_state.get(f"{key}.seen", (None, None))
    click = (sent.get("selected") or {}).get("click")
    number = (sent.get("done") or {}).get("number")
    if (click, number or before[1]) == before:
        return  # a click that also did something calls back twice
    event = read_event(sent, state.selected if state else None, before[0])
    st.session_state[f"{key}.seen"] = (click, number or before[1])
    st.session_state[_event(key)] = event
    if state:
        st.session_state[_kept(key)] = state.apply(event)


def read_event(
    sent: Mapping[str, Any], selected: str | None, seen: Hashable = None
) -> LineageEvent:
    """The event of what the browser sent; `seen` is the click that was read last.

    The browser keeps its last selection; it counts only when it is a new click, so that a
    selection made in Python since then stands.
    """
    click = sent.get("selected") or {}
    if click.get("click") != seen:
        selected = click.get("id")
    done = sent.get("done") or {}
    years = done.get("years")
    channel = done.get("channel")
    return LineageEvent(
        selected=selected,
        action=done.get("action"),
        person=done.get("person"),
        direction=_direction(done.get("direction", "")),
        channel=channel if channel in CHANNELS else None,
        years=(int(years[0]), int(years[1])) if years else None,
        axis="year" if done.get("axis") == "year" else "generation",
        text=str(done.get("text", ""))[:100],
    )


@cache
def library_script() -> str:
    """vis-network from the pyvis wheel, then the widget's own script with its colours."""
    package = find_spec("pyvis")
    if package is None or package.origin is None:
        raise UsageError("pyvis is not installed; install the locked requirements again.")
    vis = Path(package.origin).parent / VIS
    tokens = {mode: asdict(colours) for mode, colours in theme.MODES.items()}
    widget = (
        (ASSETS / "lineage.js")
        .read_text("utf-8")
        .replace("/*TOKENS*/{}", json.dumps(tokens))
        .replace("/*FONT*/''", json.dumps(theme.FONT))
        .replace("/*STYLE*/''", json.dumps((ASSETS / "lineage.css").read_text("utf-8")))
    )
    return "\n".join([vis.read_text("utf-8"), widget, "export default function () {}\n"])


@cache
def _components() -> tuple[Any, Any]:
    """The view's and the library's mounting commands, registered once a process."""
    import streamlit as st

    mount = (ASSETS / "mount.js").read_text("utf-8")
    return (
        st.components.v2.component("shicheng_lineage", js=mount),
        st.components.v2.component("shicheng_lineage_library", js=library_script()),
    )
