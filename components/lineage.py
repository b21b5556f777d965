"""The lineage widget: mentors, a leading talent and those they drive, left to right.

vis-network, from the file that the pyvis wheel carries, draws on a canvas inside a Streamlit
component; places are computed in Python (`components/layout.py`). What the browser gets comes in
three parts, so that a click sends next to nothing: the library once; the people and ties, columns
of plain lists, when they change; and who is selected, the paths in focus, the years.

What is open, folded, hidden, pinned, filtered, and the years shown are one immutable
`LineageState` (`components/lineage_state.py`) in the session, with undo and redo. A page reads it,
builds a `LineageView` from it, and draws:

    state = lineage_state("lineage", LineageState(focus=person_id))
    event = lineage(view_of(state), key="lineage")

The widget's clicks are put into the state before the page runs again, so one click is one rerun.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from components import theme
from components.layout import ROW, Layout, arrange, arrange_by_year, text_width
from components.lineage_state import (
    CHANNELS,
    PEOPLE_AT_MOST,
    STUDIO_LANE,
    Axis,
    Channel,
    Direction,
    LineageEvent,
    LineageState,
    channel_of,
    read_direction,
)
from components.lineage_words import WORDS, Language
from graph.errors import UsageError

State = Literal["talent", "driven", "pending", "none"]

WIDEST_NAME = 182  # px; a longer one is cut short, and whole on hover
WIDEST_STUDIO = 128  # px of a studio's name
HEIGHT = 784  # px: toolbar 32, heads 30, 15 rows x 40, time band 56, legend 32, and air
ASSETS = Path(__file__).with_name("lineage")
VIS = "templates/lib/vis-9.1.2/vis-network.min.js"


@dataclass(frozen=True)
class LineageNode:
    """One person of the view.

    `generation` is 0 for the focus, negative for mentors. `state` is why the box looks as it does;
    `reason` is the first, bold line of the note on hover and `lines` the others. `more_up` and
    `more_down` count people not shown, and `more_by` splits `more_down` by lane (a channel, or
    "studio:" and a studio's id). `link`: filtered out, and shown because a chain goes this way.
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
    more_by: tuple[tuple[str, int], ...] = ()
    reason: str = ""
    lines: tuple[str, ...] = ()
    pinned: bool = False
    link: bool = False


@dataclass(frozen=True)
class LineageEdge:
    """One tie: `source` is the mentor, studio leader or teacher of `target`.

    `studio` is the id of the studio that a studio tie goes by way of.
    """

    source: str
    target: str
    channel: Channel = "mentorship"
    start: date | None = None
    end: date | None = None
    studio: str = ""


@dataclass(frozen=True)
class LineageStudio:
    """A studio drawn as a group between those who lead it and those who train there.

    `generation` is that of the first leader, `trainees` how many train there in all.
    """

    id: str
    name: str
    generation: int
    trainees: int
    closed: bool = False

    @property
    def box(self) -> str:
        """An id no person has: persons' ids hold no newline."""
        return f"=\n{self.id}"


@dataclass(frozen=True)
class LineageBranch:
    """One of several branches to compare: those of `people` who are shown carry its letter.

    `name` and `count` are what stands above the view: "何志远", "1,246 人，仅此支 1,102 人".
    """

    people: frozenset[str]
    name: str
    count: str = ""


@dataclass(frozen=True)
class LineageColumn:
    """The head of one generation: its name, and its count as text ("1,246 人")."""

    generation: int
    name: str
    count: str = ""


@dataclass(frozen=True)
class LineageView:
    """All that the widget shows, in the order wished for within each generation.

    `paths` are chains of person ids in focus, mentor first: to the selected person, or all between
    two; `marks` are people to point out (common ancestors), `mark_word` what they are. `window` is
    the policy's first and last day; `years` the years shown (None = all) and `ties` the new ties a
    year of the whole lineage (those of the view when empty). `studios` are drawn as groups,
    `grouped` says whether that was asked for; `dates` writes on each tie when it began and ended.
    `filtered_out` people do not pass the filters. `buttons` adds (name, word) buttons at the
    toolbar's end, the last one red; a click comes back as the event's `action`. `words` overrides
    `WORDS`.
    """

    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    focus: str
    paths: tuple[tuple[str, ...], ...] = ()
    selected: str | None = None
    also: tuple[str, ...] = ()
    traced: frozenset[str] = frozenset()
    marks: tuple[str, ...] = ()
    mark_word: str = ""
    branches: tuple[LineageBranch, ...] = ()
    columns: tuple[LineageColumn, ...] = ()
    window: tuple[date, date] | None = None
    years: tuple[int, int] | None = None
    ties: tuple[tuple[int, int], ...] = ()
    axis: Axis = "generation"
    studios: tuple[LineageStudio, ...] = ()
    grouped: bool = False
    dates: bool = False
    filtered_out: int = 0
    filtering: bool = False
    can_undo: bool = False
    can_redo: bool = False
    buttons: tuple[tuple[str, str], ...] = ()
    language: Language = "zh"
    words: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def groups(self) -> tuple[LineageStudio, ...]:
        """The studios that stand in a column of their own: none on an axis of years."""
        return self.studios if self.axis == "generation" else ()

    def layer(self, generation: int) -> int:
        """The column of a generation: every other one when studios stand between."""
        return 2 * generation if self.groups else generation


def box_width(node: LineageNode) -> float:
    """About how wide a person's box is on the canvas, px."""
    badge = 25 if node.level is not None else 0
    return 14 + min(text_width(node.name), WIDEST_NAME) + badge + (22 if node.honour else 0)


def group_width(studio: LineageStudio) -> float:
    """About how wide a studio's box is on the canvas, px."""
    count = text_width(f" · {studio.trainees:,}") + 30
    return min(text_width(studio.name), WIDEST_STUDIO) + count


@dataclass(frozen=True)
class Pill:
    """A "+N": whose people it stands for, and where; `beside` = right next to the person.

    `channel` is a lane, None = all; `by` the box its line leads from: the person, or a studio.
    """

    person: str
    direction: Direction
    channel: str | None
    count: int
    layer: int
    beside: bool
    by: str

    @property
    def id(self) -> str:
        """An id no person has: persons' ids hold no newline."""
        return f"+\n{self.person}\n{self.direction}\n{self.channel or ''}"


def pills(view: LineageView) -> list[Pill]:
    """The "+N" of a view: a row in the next column when some of the group are shown.

    Next to the person otherwise, and always where the columns are years.
    """
    generation = {node.id: node.generation for node in view.nodes}
    groups = {studio.id: studio.box for studio in view.groups}
    taught: set[str] = set()
    taught_by: set[str] = set()
    for edge in view.edges:
        if generation[edge.source] < generation[edge.target]:
            taught.add(edge.source)
            taught_by.add(edge.target)
    found: list[Pill] = []
    for node in view.nodes:
        beside = node.id not in taught or view.axis == "year"
        split: tuple[tuple[str | None, int], ...] = node.more_by
        if beside or not split:
            split = ((None, node.more_down),)
        for lane, count in split:
            by = groups.get((lane or "").removeprefix(STUDIO_LANE), node.id)
            layer = view.layer(node.generation + 1)
            if count:
                found.append(Pill(node.id, "down", lane, count, layer, beside, by))
        if node.more_up:
            beside = node.id not in taught_by or view.axis == "year"
            layer = view.layer(node.generation - 1)
            found.append(Pill(node.id, "up", None, node.more_up, layer, beside, node.id))
    return found


def arrows(view: LineageView) -> list[tuple[str, str]]:
    """What leads from box to box: ties, those of a studio drawn as a group by way of it."""
    boxes = {studio.id: studio.box for studio in view.groups}
    found = []
    for edge in view.edges:
        box = boxes.get(edge.studio)
        if box:
            found += [(edge.source, box), (box, edge.target)]
        else:
            found.append((edge.source, edge.target))
    return list(dict.fromkeys(found))


def placed(view: LineageView) -> Layout:
    """Where each person, each studio drawn as a group, and each "+N" in a column stands."""
    if view.axis == "year":
        return _placed_by_year(view)
    every = pills(view)
    rows = [pill for pill in every if not pill.beside]
    beside = {pill.person for pill in every if pill.beside}
    layers = _in_wished_order(view, rows)
    widths = {node.id: box_width(node) + (38 if node.id in beside else 0) for node in view.nodes}
    widths |= {studio.box: group_width(studio) for studio in view.groups}
    leads = arrows(view)
    leads += [(p.by, p.id) if p.direction == "down" else (p.id, p.person) for p in rows]
    return arrange(layers, leads, root=view.focus, widths=widths)


def _in_wished_order(view: LineageView, rows: list[Pill]) -> dict[str, int]:
    """Box -> column, by channel as first tied, each group's "+N" at its end."""
    channel: dict[str, int] = {}
    for edge in view.edges:
        channel.setdefault(edge.target, CHANNELS.index(edge.channel))
    order: list[tuple[int, str, int]] = [
        (channel.get(node.id, 0), node.id, view.layer(node.generation)) for node in view.nodes
    ]
    order += [(_rank(pill.channel), pill.id, pill.layer) for pill in rows]
    studio = CHANNELS.index("studio")
    order += [(studio, group.box, 2 * group.generation + 1) for group in view.groups]
    return {box: layer for _, box, layer in sorted(order, key=lambda entry: entry[0])}


def _rank(lane: str | None) -> int:
    return CHANNELS.index(channel_of(lane)) if lane else len(CHANNELS)  # type: ignore[arg-type]


def _placed_by_year(view: LineageView) -> Layout:
    by_generation = placed(replace(view, axis="generation", studios=()))
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


@dataclass(frozen=True)
class Built:
    """What the browser is sent: the people and ties, and what changes from click to click.

    `turn["view"]` is the hash by which the browser knows the people and ties it has.
    """

    view: dict[str, Any]
    turn: dict[str, Any]


def build(view: LineageView) -> Built:
    """The view as the browser draws it, `turn` apart from the larger part."""
    if len(view.nodes) > PEOPLE_AT_MOST:
        raise UsageError(
            f"The lineage view has {len(view.nodes):,} people, more than the {PEOPLE_AT_MOST:,} it "
            "can draw; show fewer generations or fewer people of each."
        )
    drawn = _hashed(
        LineageView(
            view.nodes, view.edges, view.focus, columns=view.columns, axis=view.axis,
            studios=view.studios,
        )
    )  # fmt: skip
    return Built(drawn, _turn(view, drawn["hash"]))


@lru_cache(maxsize=32)
def _hashed(view: LineageView) -> dict[str, Any]:
    """`_drawn` of the part of a view that it depends on, and its hash; kept, for most clicks only
    change the turn and another visitor may open the same view.
    """
    drawn = _drawn(view)
    told = json.dumps(drawn, separators=(",", ":"), ensure_ascii=False).encode()
    return drawn | {"hash": blake2b(told, digest_size=12).hexdigest()}


def _turn(view: LineageView, known: str) -> dict[str, Any]:
    shown = {node.id for node in view.nodes}
    return {
        "view": known,
        "selected": view.selected,
        "also": list(view.also),
        "paths": [list(path) for path in view.paths],
        "pinned": [node.id for node in view.nodes if node.pinned],
        "traced": sorted(view.traced),
        "marks": list(view.marks),
        "mark": view.mark_word,
        "branches": [
            {"name": b.name, "count": b.count, "people": sorted(b.people & shown)}
            for b in view.branches
        ],
        "window": view.window and [day.isoformat() for day in view.window],
        "years": view.years,
        "ties": _ties(view),
        "dates": view.dates,
        "grouped": view.grouped,
        "filtering": view.filtering,
        "filtered_out": view.filtered_out,
        "undo": view.can_undo,
        "redo": view.can_redo,
        "buttons": [list(button) for button in view.buttons],
        "language": view.language,
        "words": {**WORDS[view.language], **view.words},
    }


def _drawn(view: LineageView) -> dict[str, Any]:
    """People and ties as columns of plain lists: a tenth of what a dictionary each would take.

    `notes` are the different notes on hover, `note` the place of each person's among them; ties
    name people by their place.
    """
    layout = placed(view)
    nodes = view.nodes
    place = {node.id: number for number, node in enumerate(nodes)}
    notes: dict[tuple[str, ...], int] = {("",): 0}
    note = [notes.setdefault((node.reason, *node.lines), len(notes)) for node in nodes]
    by_year = view.axis == "year"
    return {
        "focus": view.focus,
        "axis": view.axis,
        "id": [node.id for node in nodes],
        "name": [node.name for node in nodes],
        "generation": [node.generation for node in nodes],
        "layer": [view.layer(node.generation) for node in nodes],
        "level": [node.level or 0 for node in nodes],
        "state": "".join(node.state[0] for node in nodes),
        "honour": {n: node.honour for n, node in enumerate(nodes) if node.honour},
        "leading": [n for n, node in enumerate(nodes) if node.leading],
        "link": [n for n, node in enumerate(nodes) if node.link],
        "note": note,
        "notes": [list(text) for text in notes],
        "x": [round(layout.places[node.id].x) for node in nodes] if by_year else [],
        "y": [round(layout.places[node.id].y) for node in nodes],
        "from": [place[edge.source] for edge in view.edges],
        "to": [place[edge.target] for edge in view.edges],
        "channel": "".join(edge.channel[0] for edge in view.edges),
        "start": [edge.start.isoformat() if edge.start else "" for edge in view.edges],
        "end": {n: edge.end.isoformat() for n, edge in enumerate(view.edges) if edge.end},
        "studio": _studios_of(view),
        "studios": [_studio(studio, layout) for studio in view.groups],
        "pills": [_pill(pill, layout) for pill in pills(view)],
        "columns": _heads(view, layout),
    }


def _studios_of(view: LineageView) -> dict[int, int]:
    """Tie -> place, among the groups, of the studio it goes by way of."""
    groups = {studio.id: number for number, studio in enumerate(view.groups)}
    return {n: groups[edge.studio] for n, edge in enumerate(view.edges) if edge.studio in groups}


def _studio(studio: LineageStudio, layout: Layout) -> dict[str, Any]:
    return {
        "id": studio.id,
        "name": studio.name,
        "count": studio.trainees,
        "closed": studio.closed,
        "layer": 2 * studio.generation + 1,
        "y": layout.places[studio.box].y,
    }


def _pill(pill: Pill, layout: Layout) -> dict[str, Any]:
    place = layout.places.get(pill.id)
    return {
        "id": pill.id,
        "person": pill.person,
        "by": pill.by.removeprefix("=\n") if pill.by != pill.person else None,
        "direction": pill.direction,
        "channel": pill.channel,
        "layer": pill.layer,
        "count": pill.count,
        "x": place and place.x,
        "y": place and place.y,
    }


def _heads(view: LineageView, layout: Layout) -> list[dict[str, Any]]:
    if view.axis == "year":
        return [
            {"layer": year, "x": x, "name": str(year), "count": ""}
            for year, x in layout.columns.items()
        ]
    heads = {view.layer(column.generation): column for column in view.columns}
    return [
        {"layer": layer, "x": x, "name": heads[layer].name, "count": heads[layer].count}
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

    draw, people, library = _components()
    built = build(view)

    def take_in() -> None:
        _take_in(key)

    with st.container(gap=None, key=f"{key}-lineage"):
        library(key=f"{key}-library", height=1)
        people(key=f"{key}-people", height=1, data=built.view)
        draw(
            key=key,
            data={**built.turn, "height": height},
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
        direction=read_direction(done.get("direction", "")),
        channel=channel if _is_lane(channel) else None,
        years=(int(years[0]), int(years[1])) if years else None,
        axis="year" if done.get("axis") == "year" else "generation",
        text=str(done.get("text", ""))[:100],
    )


def _is_lane(channel: Any) -> bool:
    return isinstance(channel, str) and channel_of(channel) in CHANNELS


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
def _components() -> tuple[Any, Any, Any]:
    """The view's, its people's and the library's mounting commands, registered once a process."""
    import streamlit as st

    mount, people = ((ASSETS / name).read_text("utf-8") for name in ("mount.js", "people.js"))
    return (
        st.components.v2.component("shicheng_lineage", js=mount),
        st.components.v2.component("shicheng_lineage_people", js=people),
        st.components.v2.component("shicheng_lineage_library", js=library_script()),
    )
