"""A lineage view as an SVG drawing: the widget's boxes, ties, heads and legend, in one file.

It is self-contained: colours and type are written into it, text stays text, nothing is fetched, and
nothing in it can run. The page turns the same drawing into a PNG in the visitor's browser, with
the visitor's own fonts (`ui/browser/picture.js`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from ui.lineage.state import parse_lane_channel
from ui.lineage.widget import (
    compute_box_width,
    compute_studio_box_width,
    format_studio_count,
    lay_out_view,
    list_pills,
    route_arrows,
    trace_year_corners,
)
from ui.shell import theme
from ui.shell.measures import MEASURES, render_dash_attribute
from ui.words.lineage import LINEAGE_WORDS
from ui.words.text_width import estimate_text_width

if TYPE_CHECKING:
    from datetime import date

    from ui.export.layout import Arrow, BoxPosition, Layout
    from ui.lineage.state import TieChannel
    from ui.lineage.widget import (
        LineageEdge,
        LineageFlow,
        LineageGroup,
        LineageNode,
        LineageStudio,
        LineageView,
        Pill,
    )

DRAWING_MARGIN_PX = 24.0
COLUMN_HEAD_HEIGHT_PX = 44.0  # px between the heads of the columns and the first row
TEXT_LINE_HEIGHT_PX = 20.0
LEGEND_GAP_PX = 18.0  # px between two entries
LEGEND_TEXT_GAP_PX = 6.0  # px between a sample and its text


@dataclass(frozen=True)
class _DrawingFrame:
    """Where the picture begins, and how large it is."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class _DrawnView:
    """What a view draws and where: people, groups, studios, "+N", ties, with the columns' edges.

    `edges` are the left and the right end of each column, "+N" beside a person among it; `ends`
    where a line leaves each box, right of its "+N".
    """

    view: LineageView
    layout: Layout
    nodes: list[LineageNode]
    studios: list[LineageStudio]
    ties: list[LineageEdge]
    rows: list[Pill]
    beside: list[Pill]
    layers: Mapping[str, int]
    widths: Mapping[str, float]
    edges: Mapping[int, tuple[float, float]]
    ends: Mapping[str, float]

    @cached_property
    def heights(self) -> Mapping[Arrow, Sequence[float]]:
        """Where lines pass the columns they skip."""
        return route_arrows(self.view, self.layout) if self.view.axis == "generation" else {}

    @cached_property
    def corners(self) -> Mapping[Arrow, Sequence[BoxPosition]]:
        """The corners of the lines along an axis of years."""
        return trace_year_corners(self.view, self.layout) if self.view.axis == "year" else {}


def render_view_svg(
    view: LineageView,
    *,
    title: str,
    notes: Sequence[str] = (),
    about: Mapping[str, object] | None = None,
    mode: theme.ColourMode = "light",
    headed: bool = True,
) -> str:
    """The view as an SVG document; `notes` stand under the title, `about` in its metadata.

    With years chosen, only the ties begun in them, and the people these reach. Not `headed`, the
    title and the notes are only in its description: the page around it draws them.
    """
    tokens = theme.TOKENS_BY_MODE[mode]
    drawn = _lay_out_drawing(view)
    head = 32 + TEXT_LINE_HEIGHT_PX * len(notes) + 16 if headed else 0.0
    legend = _measure_legend(view, tokens) + 2 * DRAWING_MARGIN_PX
    frame = _compute_drawing_frame(drawn, head, legend)
    most = max((flow.persons for flow in view.flows), default=1)
    parts = [
        *(_render_drawing_header(title, notes, frame, tokens) if headed else ()),
        *_render_column_heads(drawn, frame, head, tokens),
        *(_render_flow(flow, most, drawn, tokens) for flow in view.flows),
        *(_render_tie(line, drawn, tokens) for line in _list_lines(drawn)),
        *(
            _render_pill_tie(pill, drawn, tokens)
            for pill in (*drawn.rows, *drawn.beside)
            if not (pill.beside and pill.direction == "down")
        ),
        *(_render_node_box(node, drawn, tokens) for node in drawn.nodes),
        *(_render_studio_box(studio, drawn, tokens) for studio in drawn.studios),
        *(
            _render_pill(
                _compute_pill_left(pill, drawn), drawn.layout.places[pill.id].y, pill.count, tokens
            )
            for pill in drawn.rows
        ),
        *(
            _render_pill(
                _compute_pill_left(pill, drawn),
                drawn.layout.places[pill.person].y,
                pill.count,
                tokens,
            )
            for pill in drawn.beside
        ),
        *_render_drawing_legend(view, frame, tokens),
    ]
    metadata = escape(json.dumps(dict(about or {}), ensure_ascii=False, default=str))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{frame.left:.0f} {frame.top:.0f} {frame.width:.0f} {frame.height:.0f}" '
        f'width="{frame.width:.0f}" height="{frame.height:.0f}" role="img" '
        f"font-family='{escape(theme.TEXT_FONT)}' font-size=\"{MEASURES.text.size}\">"
        f"<title>{escape(title)}</title><desc>{escape(chr(10).join(notes))}</desc>"
        f"<metadata>{metadata}</metadata>"
        f'<rect x="{frame.left:.0f}" y="{frame.top:.0f}" width="100%" height="100%" '
        f'fill="{tokens.paper}"/>' + "".join(parts) + "</svg>\n"
    )


def _lay_out_drawing(view: LineageView) -> _DrawnView:
    from ui.lineage.network import build_view_network

    drawn_ids = set(build_view_network(view))
    nodes = [node for node in view.nodes if node.id in drawn_ids or node.group]
    ties = [
        edge
        for edge in view.edges
        if edge.source in drawn_ids
        and edge.target in drawn_ids
        and _is_tie_in_years(edge, view.years)
    ]
    taught = {edge.studio for edge in ties}
    studios = [
        studio
        for studio in view.groups
        if studio.id in taught or (studio.closed and not view.years)
    ]
    every = [pill for pill in list_pills(view) if pill.person in drawn_ids and not view.years]
    layout = lay_out_view(view)
    rows = [pill for pill in every if not pill.beside]
    beside = [pill for pill in every if pill.beside]
    widths = {node.id: compute_box_width(node) for node in nodes}
    widths |= {studio.box: compute_studio_box_width(studio, view.language) for studio in studios}
    widths |= {pill.id: _compute_pill_width(pill.count) for pill in every}
    layers = {node.id: view.layer(node.generation) for node in nodes}
    layers |= {studio.box: 2 * studio.generation + 1 for studio in studios}
    layers |= {pill.id: pill.layer for pill in rows}
    ends = {
        box: layout.places[box].x + widths[box] + _list_box_indents(view).get(box, 0)
        for box in layers
    }
    edges: dict[int, tuple[float, float]] = {}
    for box, layer in layers.items():
        left, right = edges.get(layer, (float("inf"), float("-inf")))
        edges[layer] = (min(left, layout.places[box].x), max(right, ends[box]))
    for pill in beside:
        layer = layers[pill.person]
        left, right = edges[layer]
        place = layout.places[pill.person]
        if pill.direction == "down":
            ends[pill.person] += MEASURES.pill.gap_right + widths[pill.id]
        else:
            left = min(left, place.x - widths[pill.id] - MEASURES.pill.gap_left)
        edges[layer] = (left, max(right, ends[pill.person]))
    return _DrawnView(view, layout, nodes, studios, ties, rows, beside, layers, widths, edges, ends)


def _list_box_indents(view: LineageView) -> Mapping[str, float]:
    return {node.id: MEASURES.group.indent * node.indent for node in view.nodes if node.indent}


def _is_tie_in_years(edge: LineageEdge, years: tuple[int, int] | None) -> bool:
    return years is None or (edge.start is not None and years[0] <= edge.start.year <= years[1])


def _compute_drawing_frame(drawn: _DrawnView, head: float, least_width: float) -> _DrawingFrame:
    left = min(left for left, _ in drawn.edges.values()) - DRAWING_MARGIN_PX
    right = max(right for _, right in drawn.edges.values()) + DRAWING_MARGIN_PX
    heights = [drawn.layout.places[box].y for box in drawn.layers]
    heights += [y for line in drawn.heights.values() for y in line]
    top = (
        min(heights) - MEASURES.person.height / 2 - COLUMN_HEAD_HEIGHT_PX - head - DRAWING_MARGIN_PX
    )
    bottom = max(heights) + MEASURES.person.height / 2 + DRAWING_MARGIN_PX + 2 * TEXT_LINE_HEIGHT_PX
    return _DrawingFrame(left, top, max(right - left, least_width), bottom - top)


def _render_svg_text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{more}>{escape(text)}</text>'


def _compute_baseline(y: float, size: float = MEASURES.text.size) -> float:
    """Where text stands whose middle is at `y`."""
    return y + MEASURES.text.baseline * size


def _render_drawing_header(
    title: str, notes: Sequence[str], frame: _DrawingFrame, tokens: theme.Tokens
) -> Iterable[str]:
    x, y = frame.left + DRAWING_MARGIN_PX, frame.top + DRAWING_MARGIN_PX + 22
    yield _render_svg_text(x, y, title, tokens.ink, ' font-size="24" font-weight="700"')
    for number, note in enumerate(notes, 1):
        yield _render_svg_text(x, y + 8 + TEXT_LINE_HEIGHT_PX * number, note, tokens.muted)


def _render_column_heads(
    drawn: _DrawnView, frame: _DrawingFrame, head: float, tokens: theme.Tokens
) -> Iterable[str]:
    view = drawn.view
    y = frame.top + DRAWING_MARGIN_PX + head + 14
    names = {view.layer(c.generation): (c.name, c.count) for c in view.columns}
    every = sorted(drawn.layout.columns.items())
    columns = [(layer, x) for layer, x in every if view.axis == "year" or layer in names]
    ends = [x for _, x in columns[1:]] + [float("inf")]
    free = float("-inf")
    for (layer, x), end in zip(columns, ends, strict=False):  # no column may have a head
        name, number = (str(layer), "") if view.axis == "year" else names[layer]
        if x < free:  # of years, as many as stand clear of each other
            continue
        yield _render_svg_text(x, y, name, tokens.ink, ' font-weight="700"')
        after = x + estimate_text_width(name) + 8
        free = after if view.axis == "year" else float("-inf")
        if after + estimate_text_width(number) < end:  # or it would run into the next head
            yield _render_svg_text(after, y, number, tokens.muted)
    yield (
        f'<path d="M{frame.left + DRAWING_MARGIN_PX:.0f} '
        f'{y + 12:.0f}h{frame.width - 2 * DRAWING_MARGIN_PX:.0f}" '
        f'stroke="{tokens.hairline}"/>'
    )


# --- lines ------------------------------------------------------------------------------------


def _format_tie_path(a: str, b: str, drawn: _DrawnView) -> str:
    """The path of a line between two boxes: between columns and rows, through no box."""
    if points := drawn.corners.get((a, b)):
        return "M" + "L".join(f"{point.x:.1f} {point.y:.1f}" for point in points)
    via = list(drawn.heights.get((a, b), ()))
    places, layers = drawn.layout.places, drawn.layers
    if layers[a] == layers[b]:  # in one column: around the left of both
        out = drawn.edges[layers[a]][0] - MEASURES.line.detour
        one, other = places[a], places[b]
        return (
            f"M{one.x:.1f} {one.y:.1f}C{out:.1f} {one.y:.1f} {out:.1f} {other.y:.1f} "
            f"{other.x:.1f} {other.y:.1f}"
        )
    if layers[a] > layers[b]:
        a, b, via = b, a, via[::-1]
    x, y = drawn.ends[a], places[a].y
    path = [f"M{x:.1f} {y:.1f}H{drawn.edges[layers[a]][1]:.1f}"]
    x = drawn.edges[layers[a]][1]
    between = [n for n in sorted(drawn.layout.columns) if layers[a] < n < layers[b]]
    for layer, height in zip(between, via, strict=False):
        left, right = drawn.edges.get(layer, (drawn.layout.columns[layer],) * 2)
        path.append(_format_curve(x, y, left, height) + f"H{right:.1f}")
        x, y = right, height
    path.append(_format_curve(x, y, drawn.edges[layers[b]][0], places[b].y) + f"H{places[b].x:.1f}")
    return "".join(path)


def _format_curve(x: float, y: float, to: float, down: float) -> str:
    middle = (x + to) / 2
    return f"C{middle:.1f} {y:.1f} {middle:.1f} {down:.1f} {to:.1f} {down:.1f}"


@dataclass(frozen=True)
class _DrawnLine:
    """A line between two boxes; `start` is the first day of the one tie that it represents."""

    source: str
    target: str
    channel: TieChannel
    on_path: bool
    start: date | None = None


def _list_lines(drawn: _DrawnView) -> list[_DrawnLine]:
    """A line a tie; those of a studio go by way of its box, one line a person."""
    boxes = {studio.id: studio.box for studio in drawn.studios}
    lines: list[_DrawnLine] = []
    halves: dict[Arrow, bool] = {}
    for edge in drawn.ties:
        on_path = _is_edge_on_path(drawn.view, edge)
        box = boxes.get(edge.studio)
        if box is None:
            lines.append(_DrawnLine(edge.source, edge.target, edge.channel, on_path, edge.start))
            continue
        for ends in ((edge.source, box), (box, edge.target)):
            halves[ends] = halves.get(ends, False) or on_path
    return lines + [_DrawnLine(*ends, "studio", on_path) for ends, on_path in halves.items()]


def _render_tie(line: _DrawnLine, drawn: _DrawnView, tokens: theme.Tokens) -> str:
    look = _style_tie(line.channel, tokens, on_path=line.on_path)
    start = f"<title>{line.start}</title>" if line.start else ""
    return (
        f'<path class="tie" data-from="{_escape_box(line.source)}" '
        f'data-to="{_escape_box(line.target)}" '
        f'd="{_format_tie_path(line.source, line.target, drawn)}" fill="none" {look}>{start}</path>'
    )


def _escape_box(box: str) -> str:
    """The id of a box in an attribute, where a line break would be read as a space."""
    return escape(box).replace("\n", "&#10;")


def _style_tie(channel: str, tokens: theme.Tokens, *, on_path: bool = False) -> str:
    """The stroke of a tie: ink; quieter and thinner off the path in focus."""
    line = MEASURES.line
    width = line.path_width if on_path else line.width
    quiet = "" if on_path else f' stroke-opacity="{line.quiet_opacity}"'
    dashes = render_dash_attribute(channel)
    return f'stroke="{tokens.ink}" stroke-width="{width}"{quiet}{dashes}'


def _render_flow(flow: LineageFlow, most: int, drawn: _DrawnView, tokens: theme.Tokens) -> str:
    """A band as wide as the people are many who come this way; narrow between rows."""
    path = _format_tie_path(flow.source, flow.target, drawn)
    narrow = path.count("C") > 1
    line = MEASURES.line
    widest = line.flow_bent_max if narrow else line.flow_max
    width = min(max(1.0, line.flow_max * flow.persons / most), widest)
    return (
        f'<path class="flow" d="{path}" fill="none" stroke="{tokens.bar}" '
        f'stroke-opacity="{line.flow_opacity}" '
        f'stroke-width="{width:.1f}"><title>{flow.persons:,}</title></path>'
    )


def _is_edge_on_path(view: LineageView, edge: LineageEdge) -> bool:
    pairs = {pair for path in view.paths for pair in pairwise(path)}
    return (edge.source, edge.target) in pairs or (edge.target, edge.source) in pairs


def _render_pill_tie(pill: Pill, drawn: _DrawnView, tokens: theme.Tokens) -> str:
    channel = parse_lane_channel(pill.channel) if pill.channel and not pill.beside else "mentorship"
    look = f'fill="none" {_style_tie(channel, tokens)}'
    if pill.beside:
        person = drawn.layout.places[pill.person]
        right = _compute_pill_left(pill, drawn) + drawn.widths[pill.id]
        return f'<path d="M{right:.1f} {person.y:.1f}H{person.x:.1f}" {look}/>'
    box = pill.by if pill.by in drawn.layers else pill.person
    ends = (pill.id, box) if pill.direction == "up" else (box, pill.id)
    return f'<path d="{_format_tie_path(*ends, drawn)}" {look}/>'


def _compute_pill_left(pill: Pill, drawn: _DrawnView) -> float:
    if not pill.beside:
        return drawn.layout.places[pill.id].x
    person = drawn.layout.places[pill.person]
    if pill.direction == "up":
        return person.x - drawn.widths[pill.id] - MEASURES.pill.gap_left
    return person.x + drawn.widths[pill.person] + MEASURES.pill.gap_right


def _compute_pill_width(number: int) -> float:
    return estimate_text_width(f"+{number:,}") + 2 * MEASURES.pill.padding


# --- boxes ------------------------------------------------------------------------------------


def _render_node_box(node: LineageNode, drawn: _DrawnView, tokens: theme.Tokens) -> str:
    place = drawn.layout.places[node.id]
    moved = replace(place, x=place.x + _list_box_indents(drawn.view).get(node.id, 0))
    if node.group:
        return _render_group_box(node, node.group, moved, tokens)
    return _render_person_box(node, moved, drawn.view, tokens)


def _render_group_box(
    node: LineageNode, group: LineageGroup, place: BoxPosition, tokens: theme.Tokens
) -> str:
    """A group: its name and how many, below them the share driven and the share pending."""
    size = MEASURES.group
    width, top, left = compute_box_width(node), place.y - size.height / 2, place.x + size.padding
    number, across = f"{group.persons:,}", width - 2 * size.padding
    driven, pending = (across * n / group.persons for n in (group.driven, group.pending))
    name = _shorten_box_name(node.name, across - estimate_text_width(number) - size.padding)
    bold = ' font-weight="700"'
    line, bar = _compute_baseline(place.y - size.text_rise), top + size.height - size.share_bottom
    edge = tokens.ink if group.open else tokens.hairline
    return (
        f'<g class="group"><title>{escape(chr(10).join([node.name, *node.lines]))}</title>'
        + _render_box(place.x, place.y, width, size.height, tokens.paper)
        + _render_edge(place.x, place.y, width, size.height, edge, MEASURES.edge.thin)
        + _render_svg_text(left, line, name, tokens.ink, bold if group.open else "")
        + _render_svg_text(left + across, line, number, tokens.ink, f' text-anchor="end"{bold}')
        + f'<rect x="{left:.1f}" y="{bar:.1f}" width="{across:.1f}" height="{size.share}" '
        f'fill="{tokens.soft}"/>'
        f'<rect x="{left:.1f}" y="{bar:.1f}" width="{driven:.1f}" height="{size.share}" '
        f'fill="{tokens.bar}"/>'
        f'<rect x="{left + driven:.1f}" y="{bar + 0.5:.1f}" width="{pending:.1f}" '
        f'height="{size.share - 1}" fill="none" stroke="{tokens.ring}"/></g>'
    )


def _render_box(x: float, y: float, width: float, height: float, fill: str) -> str:
    """A filled box, `y` its middle."""
    return (
        f'<rect x="{x:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height}" '
        f'rx="{MEASURES.person.radius}" fill="{fill}"/>'
    )


def _render_edge(x: float, y: float, width: float, height: float, colour: str, thick: float) -> str:
    """The edge of a box, within it."""
    return (
        f'<rect x="{x + thick / 2:.1f}" y="{y - height / 2 + thick / 2:.1f}" '
        f'width="{width - thick:.1f}" height="{height - thick:.1f}" '
        f'rx="{MEASURES.person.radius}" fill="none" stroke="{colour}" stroke-width="{thick}"/>'
    )


@dataclass(frozen=True)
class _PersonLook:
    """How a person's box looks: the same meanings as on the screen (`paintPerson`)."""

    fill: str
    text: str
    edge: str
    edge_width: float
    bold: bool


def _style_person(node: LineageNode, view: LineageView, tokens: theme.Tokens) -> _PersonLook:
    """Off the path in focus, names are muted; so are those who do not count, or only link."""
    on_path = any(node.id in path for path in view.paths)
    if node.state == "talent" and not node.link:
        return _PersonLook(tokens.talent, tokens.on_talent, "", 0, bold=True)
    state = "none" if node.link else node.state
    muted = not on_path and (bool(view.paths) or state == "none")
    edge, width = "", 0.0
    if node.leading and not node.link:
        edge, width = tokens.talent, MEASURES.edge.strong
    elif on_path:
        edge, width = tokens.ink, MEASURES.edge.strong
    elif state == "pending":
        edge, width = tokens.ring, MEASURES.edge.thin
    fill = tokens.soft if state == "driven" else tokens.paper
    return _PersonLook(fill, tokens.muted if muted else tokens.ink, edge, width, bold=on_path)


def _render_person_box(
    node: LineageNode, place: BoxPosition, view: LineageView, tokens: theme.Tokens
) -> str:
    size, badge, look = MEASURES.person, MEASURES.badge, _style_person(node, view, tokens)
    width = compute_box_width(node)
    parts = [_render_box(place.x, place.y, width, size.height, look.fill)]
    if node.state == "driven" and not node.link:
        parts.append(_render_driven_bar(place, tokens.ink if look.bold else tokens.bar))
    if look.edge:
        parts.append(_render_edge(place.x, place.y, width, size.height, look.edge, look.edge_width))
    parts.append(
        _render_svg_text(
            place.x + size.padding_left,
            _compute_baseline(place.y),
            _shorten_box_name(node.name),
            look.text,
            ' font-weight="700"' if look.bold else "",
        )
    )
    right = place.x + width - size.padding_right
    if node.honour:
        right -= badge.size
        parts.append(_render_honour_mark(right, place.y, look.text, node.honour[0]))
        right -= badge.mark_gap
    if node.level:
        outline = tokens.on_talent if node.state == "talent" else tokens.ladder_outline
        parts.append(_render_badge(right - badge.size, place.y, node.level, outline, tokens))
    if node.pinned:
        parts.append(_render_pin(place.x, place.y - size.height / 2, tokens))
    if letters := "".join(b.letter for b in view.branches if node.id in b.people):
        parts.append(_render_letters(place.x + width, place.y - size.height / 2, letters, tokens))
    return f'<g class="person" data-id="{escape(node.id)}">{"".join(parts)}</g>'


def _render_studio_box(studio: LineageStudio, drawn: _DrawnView, tokens: theme.Tokens) -> str:
    """A studio between its leaders and trainees, as on the screen (`paintStudio`)."""
    size, line, place = MEASURES.studio, MEASURES.line, drawn.layout.places[studio.box]
    on_path = any(one.on_path for one in _list_lines(drawn) if one.target == studio.box)
    colour = tokens.ink if on_path or not drawn.view.paths else tokens.muted
    y = _compute_baseline(place.y)
    count = format_studio_count(studio, drawn.view.language)
    return (
        f'<g class="studio" data-id="{_escape_box(studio.box)}">'
        f'<rect x="{place.x:.1f}" y="{place.y - size.height / 2:.1f}" '
        f'width="{drawn.widths[studio.box]:.1f}" height="{size.height}" rx="{size.radius}" '
        f'fill="{tokens.paper}" stroke="{tokens.ink if on_path else tokens.ring}" '
        f'stroke-width="{line.path_width if on_path else line.width}"'
        f"{render_dash_attribute('studio')}/>"
        + _render_svg_text(place.x + size.sign_left, y, "▸" if studio.closed else "▾", colour)
        + _render_svg_text(
            place.x + size.padding_left,
            y,
            _shorten_box_name(studio.name, size.name_max) + count,
            colour,
        )
        + "</g>"
    )


def _render_letters(right: float, top: float, text: str, tokens: theme.Tokens) -> str:
    """The letters of the branches a person is in, on the upper right corner of the box."""
    size, text_size = MEASURES.letter, MEASURES.text.mark_size
    width = max(size.width_min, estimate_text_width(text) + 2 * size.padding)
    left, middle = right + size.overhang - width, top - size.rise + size.height / 2
    return (
        f'<rect class="letter" x="{left:.1f}" y="{top - size.rise:.1f}" width="{width:.1f}" '
        f'height="{size.height}" rx="{size.radius}" fill="{tokens.ink}"/>'
        + _render_svg_text(
            left + width / 2,
            _compute_baseline(middle, text_size),
            text,
            tokens.paper,
            f' font-size="{text_size}" font-weight="700" text-anchor="middle"',
        )
    )


def _render_pin(left: float, top: float, tokens: theme.Tokens) -> str:
    return (
        f'<circle class="pin" cx="{left:.1f}" cy="{top:.1f}" r="4" '
        f'fill="{tokens.link}" stroke="{tokens.paper}" stroke-width="1.5"/>'
    )


def _render_driven_bar(place: BoxPosition, colour: str) -> str:
    width, height = MEASURES.person.bar, MEASURES.person.height
    return (
        f'<path d="M{place.x + width:.1f} {place.y - height / 2:.1f}v{height}'
        f"a{width} {width} 0 0 1 -{width} -{width}v{2 * width - height}"
        f'a{width} {width} 0 0 1 {width} -{width}z" fill="{colour}"/>'
    )


def _shorten_box_name(name: str, widest: float = MEASURES.person.name_max) -> str:
    """The name as far as a box holds it."""
    while estimate_text_width(name) > widest and len(name) > 1:
        name = name.removesuffix("…")[:-1] + "…"
    return name


def _render_badge(x: float, y: float, level: int, outline: str, tokens: theme.Tokens) -> str:
    """The badge of a level; the dark ones get an outline, where there is a colour for it."""
    size, radius = MEASURES.badge.size, MEASURES.badge.radius
    edge = f' stroke="{outline}"' if level > 6 and outline else ""
    return (
        f'<rect x="{x:.1f}" y="{y - size / 2:.1f}" width="{size}" height="{size}" rx="{radius}" '
        f'fill="{tokens.level(level)}"{edge}/>'
        + _render_svg_text(
            x + size / 2,
            _compute_baseline(y),
            str(level),
            tokens.on_level(level),
            ' text-anchor="middle"',
        )
    )


def _render_honour_mark(x: float, y: float, colour: str, mark: str) -> str:
    size, radius, text = MEASURES.badge.size, MEASURES.badge.radius, MEASURES.text.mark_size
    return (
        f'<rect x="{x + 0.5:.1f}" y="{y - size / 2 + 0.5:.1f}" width="{size - 1}" '
        f'height="{size - 1}" rx="{radius}" fill="none" stroke="{colour}"/>'
        + _render_svg_text(
            x + size / 2,
            _compute_baseline(y, text),
            mark,
            colour,
            f' font-size="{text}" text-anchor="middle"',
        )
    )


def _render_pill(x: float, y: float, number: int, tokens: theme.Tokens) -> str:
    text = f"+{number:,}"
    width, height = _compute_pill_width(number), MEASURES.pill.height
    return (
        f'<rect x="{x:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height}" '
        f'rx="{height / 2}" fill="{tokens.paper}" stroke="{tokens.hairline}" '
        f'stroke-width="{MEASURES.edge.thin}"/>'
        + _render_svg_text(
            x + width / 2, _compute_baseline(y), text, tokens.muted, ' text-anchor="middle"'
        )
    )


def _render_drawing_legend(
    view: LineageView, frame: _DrawingFrame, tokens: theme.Tokens
) -> Iterable[str]:
    """The ladder with the high-skilled line, the channels and the states."""
    left, y = frame.left + DRAWING_MARGIN_PX, frame.top + frame.height - DRAWING_MARGIN_PX
    for x, mark, text in _place_legend(view, tokens):
        yield f'<g transform="translate({left + x:.1f} {y:.1f})">{mark}</g>'
        if text:
            after = left + x + (MEASURES.swatch.width + LEGEND_TEXT_GAP_PX if mark else 0)
            yield _render_svg_text(after, _compute_baseline(y), text, tokens.muted)


def _place_legend(view: LineageView, tokens: theme.Tokens) -> Iterable[tuple[float, str, str]]:
    """Where each entry of the legend begins, its sample (SVG) and its text."""
    words, x = LINEAGE_WORDS[view.language], 0.0
    for level in theme.LADDER_LEVELS:
        if level == theme.HIGH_SKILLED_FROM_LEVEL:
            yield x + 2, f'<path d="M0 -12v24" stroke="{tokens.ink}" stroke-width="2"/>', ""
            x += 7
        yield x, _render_badge(0, 0, level, tokens.ladder_outline, tokens), ""
        x += MEASURES.badge.size + 2
    x += LEGEND_TEXT_GAP_PX
    named = [(words[name], mark) for name, mark in _list_legend_marks(view, tokens)]
    for text, mark in [(words["high_skilled"], ""), *named, *_list_branch_marks(view, tokens)]:
        yield x, mark, text
        x += (MEASURES.swatch.width + LEGEND_TEXT_GAP_PX if mark else 0) + LEGEND_GAP_PX
        x += estimate_text_width(text)


def _measure_legend(view: LineageView, tokens: theme.Tokens) -> float:
    """How wide the legend is, px."""
    *_, (x, mark, text) = _place_legend(view, tokens)
    return (
        x + (MEASURES.swatch.width + LEGEND_TEXT_GAP_PX if mark else 0) + estimate_text_width(text)
    )


def _list_branch_marks(view: LineageView, tokens: theme.Tokens) -> Iterable[tuple[str, str]]:
    """Each branch with its letter: its name and figures, its sample."""
    size = MEASURES.letter
    for branch in view.branches:
        letter = _render_letters(
            size.width_min - size.overhang, size.rise - size.height / 2, branch.letter, tokens
        )
        yield f"{branch.name} {branch.count}".rstrip(), letter


def _list_legend_marks(view: LineageView, tokens: theme.Tokens) -> Iterable[tuple[str, str]]:
    """What a legend explains, each with its sample: right of 0, its middle at 0."""
    width, height = MEASURES.swatch.width, MEASURES.swatch.height
    for channel in MEASURES.dashes:
        if channel != "teaching" or any(edge.channel == channel for edge in view.edges):
            look = _style_tie(channel, tokens, on_path=True)
            yield channel, f'<path d="M0 0h{width}" {look}/>'
    yield (
        "driven",
        _render_box(0, 0, width, height, tokens.soft)
        + f'<rect y="{-height / 2}" width="{MEASURES.person.bar}" height="{height}" '
        f'fill="{tokens.bar}"/>',
    )
    yield "pending", _render_edge(0, 0, width, height, tokens.ring, MEASURES.edge.thin)
    yield "none", ""
    yield "talent", _render_edge(0, 0, width, height, tokens.talent, MEASURES.edge.strong)
