"""The lineage widget: mentors, a leading talent and those they drive, left to right.

vis-network, from the file that the pyvis wheel carries, draws on a canvas inside a Streamlit
component; places are computed in Python (`ui/export/layout.py`). What the browser gets comes in
three parts, so that a click sends next to nothing: the library once; the people and ties, columns
of plain lists, when they change; and who is selected, the paths in focus, the years.

What is open, folded, hidden, pinned, filtered, and the years shown are one immutable
`LineageState` (`ui/lineage/state.py`) in the session, with undo and redo. A page reads it,
builds a `LineageView` from it, and draws:

    state = lineage_state("lineage", LineageState(focus=person_id))
    event = lineage(view_of(state), key="lineage")

The widget's clicks are put into the state before the page runs again, so one click is one rerun.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from graph.errors import UsageError
from ui.browser.bundle import bundle_script
from ui.browser.component import declare_component, declare_script
from ui.export.layout import (
    LAYOUT_ROW_PX,
    Arrow,
    BoxPosition,
    Layout,
    arrange_by_layer,
    arrange_by_year,
    arrange_in_rows,
    route_around_boxes,
    route_between_rows,
)
from ui.lineage.state import (
    MAX_DRAWN_PEOPLE,
    STUDIO_LANE_PREFIX,
    TIE_CHANNELS,
    Axis,
    ColumnContent,
    Direction,
    LineageEvent,
    LineageState,
    TieChannel,
    is_lane,
    parse_direction,
    parse_lane_channel,
)
from ui.reading.lineage_reach import BoxState
from ui.shell import theme
from ui.shell.measures import MEASURES
from ui.words.lineage import LINEAGE_WORDS, WidgetLanguage
from ui.words.text_width import estimate_text_width

PILL_ROOM_PX = 38  # px that a layout leaves for a "+N" right of a box
WIDGET_HEIGHT_PX = 784  # px: toolbar 32, heads 30, 15 rows x 40, time band 56, legend 32, and air
WIDGET_SCRIPTS_DIR = Path(__file__).with_name("js")
MAX_BROWSER_EVENTS = 100  # that one answer of the page may take in
VIS_NETWORK_PATH = "templates/lib/vis-9.1.2/vis-network.min.js"


@dataclass(frozen=True)
class LineageGroup:
    """What a box says that stands for a group of people.

    `target` is the group that is open in the column after a click ("" = none opens), `open` that
    it is the head of what stands in it.
    """

    persons: int
    driven: int
    pending: int
    target: str = ""
    open: bool = False


@dataclass(frozen=True)
class LineageFlow:
    """How many persons of box `target` come in by way of box `source`."""

    source: str
    target: str
    persons: int


@dataclass(frozen=True)
class LineageNode:
    """One person of the view, or a `group` of them.

    `generation` is 0 for the focus, negative for mentors. `state` is why the box looks as it does;
    `reason` is the first, bold line of the note on hover and `lines` the others. `more_up` and
    `more_down` count people not shown, and `more_by` splits `more_down` by lane (a channel, or
    "studio:" and a studio's id). `link`: filtered out, and shown because a chain goes this way.
    `indent` is how many open groups enclose it.
    """

    id: str
    name: str
    generation: int = 0
    level: int | None = None
    state: BoxState = "none"
    honour: str = ""
    leading: bool = False
    more_up: int = 0
    more_down: int = 0
    more_by: tuple[tuple[str, int], ...] = ()
    reason: str = ""
    lines: tuple[str, ...] = ()
    pinned: bool = False
    link: bool = False
    group: LineageGroup | None = None
    indent: int = 0


@dataclass(frozen=True)
class LineageEdge:
    """One tie: `source` is the mentor, studio leader or teacher of `target`.

    `studio` is the id of the studio that a studio tie goes by way of.
    """

    source: str
    target: str
    channel: TieChannel = "mentorship"
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
    """One of several branches to compare: those of `people` who are shown carry its `letter`.

    `name` and `count` are what stands above the view: "何志远", "1,246 人，仅此支 1,102 人".
    """

    letter: str
    people: frozenset[str]
    name: str
    count: str = ""


@dataclass(frozen=True)
class LineageColumn:
    """The head of one generation: its name, and its count as text ("1,246 人").

    `words` is the count with {n} for the number, when the number follows the years.
    """

    generation: int
    name: str
    count: str = ""
    words: str = ""


@dataclass(frozen=True)
class LineageView:
    """All that the widget shows, in the order wished for within each generation.

    `paths` are chains of person ids in focus, mentor first: to the selected person, or all between
    two; `marks` are people to point out (common ancestors), `mark_word` what they are. `window` is
    the policy's first and last day; `years` the years shown (None = all) and `ties` the new ties a
    year of the full lineage (those of the view when empty). `studios` are drawn as groups,
    `grouped` says whether that was asked for; `dates` writes on each tie when it began and ended.
    `filtered_out` people do not pass the filters, `hidden` were taken away. `columns_hold` is what
    the columns hold: people, or groups in boxes one below the other with `flows` between them.
    `figures` are rows (generation, last year, persons driven) for ties begun from the first year
    shown. `more` are people of the lineage not drawn, `grouping` that they can be drawn as
    groups; `narrowed` says in words which years and filters are set. `buttons` adds
    (name, word) buttons at the toolbar's end, the last one red; a click comes back as the event's
    `action`. `words` overrides `LINEAGE_WORDS`.
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
    hidden: int = 0
    columns_hold: ColumnContent = "people"
    flows: tuple[LineageFlow, ...] = ()
    figures: tuple[tuple[int, int, int], ...] = ()
    more: int = 0
    grouping: bool = False
    narrowed: tuple[str, ...] = ()
    can_undo: bool = False
    can_redo: bool = False
    buttons: tuple[tuple[str, str], ...] = ()
    language: WidgetLanguage = "zh"
    words: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def groups(self) -> tuple[LineageStudio, ...]:
        """The studios that stand in a column of their own: none on an axis of years."""
        return self.studios if self.axis == "generation" else ()

    def layer(self, generation: int) -> int:
        """The column of a generation: every other one when studios stand between."""
        return 2 * generation if self.groups else generation


def compute_box_width(node: LineageNode) -> float:
    """About how wide a person's or a group's box is on the canvas, px."""
    if node.group:
        return MEASURES.group.width - MEASURES.group.indent * node.indent
    person, badge = MEASURES.person, MEASURES.badge
    return (
        person.padding_left
        + min(estimate_text_width(node.name), person.name_max)
        + (badge.gap + badge.size if node.level is not None else 0)
        + (badge.mark_gap + badge.size if node.honour else 0)
        + person.padding_right
    )


def compute_studio_box_width(studio: LineageStudio, language: WidgetLanguage) -> float:
    """About how wide a studio's box is on the canvas, px."""
    measures = MEASURES.studio
    count = estimate_text_width(format_studio_count(studio, language))
    name = min(estimate_text_width(studio.name), measures.name_max)
    return measures.padding_left + name + count + measures.padding_right


def format_studio_count(studio: LineageStudio, language: WidgetLanguage) -> str:
    """What stands after the name of a studio drawn as a group: " · 12 人"."""
    return " · " + LINEAGE_WORDS[language]["group"].format(count=f"{studio.trainees:,}")


@dataclass(frozen=True)
class Pill:
    """A "+N": whose people it counts, and where; `beside` = right next to the person.

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


def list_pills(view: LineageView) -> list[Pill]:
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
            by = groups.get((lane or "").removeprefix(STUDIO_LANE_PREFIX), node.id)
            layer = view.layer(node.generation + 1)
            if count:
                found.append(Pill(node.id, "down", lane, count, layer, beside, by))
        if node.more_up:
            beside = node.id not in taught_by or view.axis == "year"
            layer = view.layer(node.generation - 1)
            found.append(Pill(node.id, "up", None, node.more_up, layer, beside, node.id))
    return found


def list_arrows(view: LineageView) -> list[tuple[str, str]]:
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


def lay_out_view(view: LineageView) -> Layout:
    """Where each person, each studio drawn as a group, and each "+N" in a column stands."""
    if view.columns_hold != "people":
        return _lay_out_columns(view)
    if view.axis == "year":
        return _lay_out_years(view)
    every = list_pills(view)
    rows = [pill for pill in every if not pill.beside]
    beside = {pill.person for pill in every if pill.beside}
    layers = _order_boxes(view, rows)
    widths = {
        node.id: compute_box_width(node) + (PILL_ROOM_PX if node.id in beside else 0)
        for node in view.nodes
    }
    widths |= {
        studio.box: compute_studio_box_width(studio, view.language) for studio in view.groups
    }
    leads = list_arrows(view)
    leads += [(p.by, p.id) if p.direction == "down" else (p.id, p.person) for p in rows]
    return arrange_by_layer(layers, leads, root=view.focus, widths=widths)


def _lay_out_columns(view: LineageView) -> Layout:
    """Each column from the top down in the order given, the mentors and the focus in the middle."""
    by_layer: dict[int, list[str]] = {}
    for node in view.nodes:
        by_layer.setdefault(node.generation, []).append(node.id)
    rows: dict[str, int] = {}
    most = max(len(column) for layer, column in by_layer.items())
    for layer, column in by_layer.items():
        top = 0 if layer > 0 else (most - len(column)) // 2
        rows.update({id: top + n for n, id in enumerate(column)})
    widths = {
        node.id: compute_box_width(node) + MEASURES.group.indent * node.indent
        for node in view.nodes
    }
    layers = {node.id: node.generation for node in view.nodes}
    return arrange_in_rows(layers, rows, widths, root=view.focus)


def trace_year_corners(view: LineageView, layout: Layout) -> dict[Arrow, list[BoxPosition]]:
    """Arrow -> the corners of its line along an axis of years."""
    widths = {
        node.id: compute_box_width(node) + (PILL_ROOM_PX if node.more_down else 0)
        for node in view.nodes
    }
    return route_around_boxes(list_arrows(view), layout.places, widths)


def route_arrows(view: LineageView, layout: Layout) -> dict[Arrow, list[float]]:
    """Arrow -> at which heights its line passes the columns it skips: between rows, so that it
    runs through no box.
    """
    columns = {node.id: view.layer(node.generation) for node in view.nodes}
    columns |= {studio.box: 2 * studio.generation + 1 for studio in view.groups}
    leads = [*list_arrows(view), *((flow.source, flow.target) for flow in view.flows)]
    return route_between_rows(leads, columns, layout)


def _order_boxes(view: LineageView, rows: list[Pill]) -> dict[str, int]:
    """Box -> column, by channel as first tied, each group's "+N" at its end."""
    channel: dict[str, int] = {}
    for edge in view.edges:
        channel.setdefault(edge.target, TIE_CHANNELS.index(edge.channel))
    order: list[tuple[int, str, int]] = [
        (channel.get(node.id, 0), node.id, view.layer(node.generation)) for node in view.nodes
    ]
    order += [(_rank_lane(pill.channel), pill.id, pill.layer) for pill in rows]
    studio = TIE_CHANNELS.index("studio")
    order += [(studio, group.box, 2 * group.generation + 1) for group in view.groups]
    return {box: layer for _, box, layer in sorted(order, key=lambda entry: entry[0])}


def _rank_lane(lane: str | None) -> int:
    return TIE_CHANNELS.index(parse_lane_channel(lane)) if lane else len(TIE_CHANNELS)


def _lay_out_years(view: LineageView) -> Layout:
    by_generation = lay_out_view(replace(view, axis="generation", studios=()))
    ids = {node.id for node in view.nodes}
    years = _estimate_entry_years(view)
    rows = {
        box: place.y / LAYOUT_ROW_PX for box, place in by_generation.places.items() if box in ids
    }
    widths = {
        node.id: compute_box_width(node) + (PILL_ROOM_PX if node.more_down else 0)
        for node in view.nodes
    }
    return arrange_by_year(years, rows, widths, root=view.focus)


def _estimate_entry_years(view: LineageView) -> dict[str, int]:
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
class WidgetPayload:
    """What the browser is sent: the people and ties, and what changes from click to click.

    `turn["view"]` is the hash by which the browser knows the people and ties it has.
    """

    view: dict[str, Any]
    turn: dict[str, Any]


def build_widget_payload(view: LineageView) -> WidgetPayload:
    """The view as the browser draws it, `turn` apart from the larger part."""
    if len(view.nodes) > MAX_DRAWN_PEOPLE:
        raise UsageError(
            "The lineage view has {count:,} people, more than the {most:,} it can "
            "draw; show fewer generations or fewer people of each.",
            count=len(view.nodes),
            most=MAX_DRAWN_PEOPLE,
        )
    drawn = _hash_serialized_view(
        LineageView(
            view.nodes,
            view.edges,
            view.focus,
            columns=view.columns,
            axis=view.axis,
            studios=view.studios,
            columns_hold=view.columns_hold,
            flows=view.flows,
            figures=view.figures,
        )
    )
    return WidgetPayload(drawn, _build_turn(view, drawn["hash"]))


@lru_cache(maxsize=32)
def _hash_serialized_view(view: LineageView) -> dict[str, Any]:
    """`_serialize_view` of the part of a view that it depends on, and its hash; cached, for most
    clicks only change the turn and another visitor may open the same view.
    """
    drawn = _serialize_view(view)
    serialized = json.dumps(drawn, separators=(",", ":"), ensure_ascii=False).encode()
    return drawn | {"hash": blake2b(serialized, digest_size=12).hexdigest()}


def _build_turn(view: LineageView, known: str) -> dict[str, Any]:
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
            {
                "letter": b.letter,
                "name": b.name,
                "count": b.count,
                "people": sorted(b.people & shown),
            }
            for b in view.branches
        ],
        "window": view.window and [day.isoformat() for day in view.window],
        "years": view.years,
        "ties": _count_view_ties_by_year(view),
        "dates": view.dates,
        "grouped": view.grouped,
        "filtering": view.filtering,
        "filtered_out": view.filtered_out,
        "hidden": view.hidden,
        "more": view.more,
        "grouping": view.grouping,
        "undo": view.can_undo,
        "redo": view.can_redo,
        "buttons": [list(button) for button in view.buttons],
        "language": view.language,
        "words": {**LINEAGE_WORDS[view.language], **view.words},
    }


def _serialize_view(view: LineageView) -> dict[str, Any]:
    """People and ties as columns of plain lists: a tenth of what a dictionary each would take.

    `notes` are the different notes on hover, `note` the place of each person's among them; ties
    name people by their place.
    """
    layout = lay_out_view(view)
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
        "studio": _index_tie_studios(view),
        "studios": [_serialize_studio(studio, layout) for studio in view.groups],
        "pills": [_serialize_pill(pill, layout) for pill in list_pills(view)],
        "hold": view.columns_hold,
        "group": {n: _serialize_group(node.group) for n, node in enumerate(nodes) if node.group},
        "indent": {n: node.indent for n, node in enumerate(nodes) if node.indent},
        "flows": [[place[f.source], place[f.target], f.persons] for f in view.flows],
        "figures": [list(row) for row in view.figures],
        "columns": _serialize_column_heads(view, layout),
        "via": _serialize_routes(view, layout),
    }


def _serialize_routes(view: LineageView, layout: Layout) -> list[list[Any]]:
    if view.axis == "year":
        return [
            [a, b, [[round(corner.x), round(corner.y)] for corner in line]]
            for (a, b), line in trace_year_corners(view, layout).items()
        ]
    return [[a, b, heights] for (a, b), heights in route_arrows(view, layout).items()]


def _serialize_group(group: LineageGroup) -> list[Any]:
    return [group.persons, group.driven, group.pending, group.target, int(group.open)]


def _index_tie_studios(view: LineageView) -> dict[int, int]:
    """Tie -> place, among the groups, of the studio it goes by way of."""
    groups = {studio.id: number for number, studio in enumerate(view.groups)}
    return {n: groups[edge.studio] for n, edge in enumerate(view.edges) if edge.studio in groups}


def _serialize_studio(studio: LineageStudio, layout: Layout) -> dict[str, Any]:
    return {
        "id": studio.id,
        "name": studio.name,
        "count": studio.trainees,
        "closed": studio.closed,
        "layer": 2 * studio.generation + 1,
        "y": layout.places[studio.box].y,
    }


def _serialize_pill(pill: Pill, layout: Layout) -> dict[str, Any]:
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


def _serialize_column_heads(view: LineageView, layout: Layout) -> list[dict[str, Any]]:
    if view.axis == "year":
        return [
            {"layer": year, "x": x, "name": str(year), "count": "", "words": ""}
            for year, x in layout.columns.items()
        ]
    heads = {view.layer(column.generation): column for column in view.columns}
    return [
        {
            "layer": layer,
            "x": x,
            "name": heads[layer].name,
            "count": heads[layer].count,
            "words": heads[layer].words,
        }
        for layer, x in layout.columns.items()
        if layer in heads
    ]


def _count_view_ties_by_year(view: LineageView) -> list[tuple[int, int]]:
    """New ties a year, every year from the first to the last, none left out."""
    counts = Counter(dict(view.ties)) or Counter(e.start.year for e in view.edges if e.start)
    if not counts:
        return []
    last = max([*counts, *([view.window[1].year] if view.window else [])])
    return [(year, counts[year]) for year in range(min(counts), last + 1)]


def read_lineage_state(key: str, start: LineageState | None = None) -> LineageState:
    """The state of the widget with this key, in this session; `start` when there is none yet.

    When `start` has another focus than the stored state, the state begins anew from `start`.
    """
    import streamlit as st

    state: LineageState | None = st.session_state.get(_format_state_key(key))
    if state is None or (start is not None and start.focus != state.focus):
        if start is None:
            raise KeyError(f"The lineage {key!r} has no state yet: give its start.")
        state = save_lineage_state(key, start)
    return state


def save_lineage_state(key: str, state: LineageState) -> LineageState:
    """Put a state into the session: of an event, or of the page's own making (a search, a link)."""
    import streamlit as st

    st.session_state[_format_state_key(key)] = state
    st.session_state[_format_ahead_key(key)] = True
    return state


def is_state_ahead_of_address(key: str) -> bool:
    """Whether the state has changed since `mark_state_addressed`.

    The address that comes with the next run is an older one then: a visitor who acts again before
    the browser has the new address must not lose what was done.
    """
    import streamlit as st

    return bool(st.session_state.get(_format_ahead_key(key)))


def mark_state_addressed(key: str) -> None:
    """The page has written the state into its address."""
    import streamlit as st

    st.session_state[_format_ahead_key(key)] = False


def draw_lineage(view: LineageView, *, key: str, height: int = WIDGET_HEIGHT_PX) -> LineageEvent:
    """Draw a view, `height` px high, and return what was done to it in this run.

    Clicks, folds, undo and years are in `read_lineage_state(key)` before the page's script runs.
    """
    import streamlit as st

    draw, people = (
        declare_component(WIDGET_SCRIPTS_DIR / name) for name in ("mount.js", "people.js")
    )
    library = declare_script("lineage_library", build_library_script())
    built = build_widget_payload(view)

    def take_in() -> None:
        _apply_browser_event(key)

    with st.container(gap=None, key=f"{key}-lineage"):
        library(key=f"{key}-library", height=1)
        people(key=f"{key}-people", height=1, data=built.view)
        draw(
            key=key,
            data={
                **built.turn,
                "height": height,
                "done": st.session_state.get(_format_seen_key(key), 0),
            },
            height=height,
            on_selected_change=take_in,
            on_done_change=take_in,
        )
    event: LineageEvent | None = st.session_state.pop(_format_event_key(key), None)
    return event or LineageEvent(selected=view.selected, years=view.years, axis=view.axis)


def _format_state_key(key: str) -> str:
    return f"{key}.state"


def _format_ahead_key(key: str) -> str:
    return f"{key}.ahead"


def _format_event_key(key: str) -> str:
    return f"{key}.event"


def _format_seen_key(key: str) -> str:
    return f"{key}.seen"


def _apply_browser_event(key: str) -> None:
    """Put what the browser sent into the state; what was done last is this run's event.

    A click that also did something calls back twice; the second time nothing is new.
    """
    import streamlit as st

    state: LineageState | None = st.session_state.get(_format_state_key(key))
    seen: int = st.session_state.get(_format_seen_key(key), 0)
    events, seen = parse_browser_events(
        st.session_state[key], state.selected if state else None, seen
    )
    st.session_state[_format_seen_key(key)] = seen
    if not events:
        return
    last = [event for event in events if event.action][-1:] or events[-1:]
    st.session_state[_format_event_key(key)] = replace(last[0], selected=events[-1].selected)
    for event in events:
        state = state.apply(event) if state else None
    if state:
        save_lineage_state(key, state)


def parse_browser_events(
    sent: Mapping[str, Any], selected: str | None, seen: int = 0
) -> tuple[list[LineageEvent], int]:
    """The events that are new, in the order they were made, and the number of the last one.

    The browser numbers what is done and sends it until the page answers with a number at least
    as high: of two events in quick succession Streamlit hands over the second alone. `seen` is
    the number that was read last. The browser keeps its last selection; it counts only when it
    is a new click, so that a selection made in Python since then stands.
    """
    done = (sent.get("done") or {}).get("events") or []
    click = sent.get("selected") or {}
    made = [(int(event["number"]), event) for event in done[-MAX_BROWSER_EVENTS:]]
    if click:
        made.append((int(click["click"]), {"selected": click.get("id")}))
    new = sorted((one for one in made if one[0] > seen), key=lambda one: one[0])
    events = []
    for _, event in new:
        selected = event.get("selected", selected)
        events.append(_parse_browser_event(event, selected))
    return events, new[-1][0] if new else seen


def _parse_browser_event(done: Mapping[str, Any], selected: str | None) -> LineageEvent:
    years = done.get("years")
    channel = done.get("channel")
    return LineageEvent(
        selected=selected,
        action=done.get("action"),
        person=done.get("person"),
        direction=parse_direction(done.get("direction", "")),
        channel=channel if isinstance(channel, str) and is_lane(channel) else None,
        years=(int(years[0]), int(years[1])) if years else None,
        axis="year" if done.get("axis") == "year" else "generation",
        text=str(done.get("text", ""))[:100],
    )


@cache
def build_library_script() -> str:
    """vis-network from the pyvis wheel, then the widget's own script with its colours."""
    package = find_spec("pyvis")
    if package is None or package.origin is None:
        raise UsageError("pyvis is not installed; install the locked requirements again.")
    vis = Path(package.origin).parent / VIS_NETWORK_PATH
    tokens = {mode: asdict(colours) for mode, colours in theme.TOKENS_BY_MODE.items()}
    constants = {"TOKENS": tokens, "FONT": theme.TEXT_FONT}
    widget = bundle_script(WIDGET_SCRIPTS_DIR / "library.js", constants)
    return f"{vis.read_text('utf-8')}\n{widget}"
