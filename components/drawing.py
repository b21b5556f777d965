"""A lineage view as an SVG drawing: the widget's boxes, ties, heads and legend, in one file.

It stands by itself: colours and type are written into it, text stays text, nothing is fetched, and
nothing in it can run. The page turns the same drawing into a PNG in the visitor's browser, with
the visitor's own fonts (`components/picture.js`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from components import theme
from components.layout import text_width
from components.lineage import box_width, pills, placed
from components.lineage_words import WORDS

if TYPE_CHECKING:
    from components.layout import Layout, Place
    from components.lineage import LineageEdge, LineageNode, LineageView, Pill

BOX = 28.0  # px, a person's box is this high
PAD = 8.0
BADGE = 18.0
MARGIN = 24.0
HEAD = 44.0  # px between the heads of the columns and the first row
LINE = 20.0
LEAST_WIDTH = {"zh": 780.0, "en": 960.0}  # the legend needs it
DASHES: Mapping[str, str] = {"mentorship": "", "studio": "6 5", "teaching": "2 4"}


@dataclass(frozen=True)
class _Frame:
    """Where the picture begins, and how large it is."""

    left: float
    top: float
    width: float
    height: float


def view_svg(
    view: LineageView,
    *,
    title: str,
    notes: Sequence[str] = (),
    about: Mapping[str, object] | None = None,
    mode: theme.Mode = "light",
) -> str:
    """The view as an SVG document; `notes` stand under the title, `about` in its metadata.

    With years chosen, only the ties begun in them, and the people these reach.
    """
    from components.export import view_network

    view = replace(view, studios=())  # each trainee's tie by itself
    tokens = theme.MODES[mode]
    kept = set(view_network(view))
    nodes = [node for node in view.nodes if node.id in kept]
    edges = [edge for edge in view.edges if edge.source in kept and edge.target in kept
             and _begun(edge, view.years)]  # fmt: skip
    layout = placed(view)
    beside = {pill.person: pill for pill in pills(view) if pill.beside and pill.person in kept}
    rows = [pill for pill in pills(view) if not pill.beside and pill.person in kept]
    head = 32 + LINE * len(notes) + 16
    frame = _frame(nodes, rows, layout, head, LEAST_WIDTH[view.language])
    widths = {node.id: box_width(node) for node in nodes}
    parts = [
        *_header(title, notes, frame, tokens),
        *_heads(view, layout, frame, head, tokens),
        *(_tie(edge, layout.places, widths, view, tokens) for edge in edges),
        *(_short_tie(pill, layout.places, widths, tokens) for pill in rows),
        *(_person(node, layout.places[node.id], view, tokens) for node in nodes),
        *(_pill(pill, layout.places[pill.id], tokens) for pill in rows),
        *(_pill_beside(pill, layout.places[id], widths[id], tokens) for id, pill in beside.items()),
        *_legend(view, frame, tokens),
    ]
    told = escape(json.dumps(dict(about or {}), ensure_ascii=False, default=str))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{frame.left:.0f} {frame.top:.0f} {frame.width:.0f} {frame.height:.0f}" '
        f'width="{frame.width:.0f}" height="{frame.height:.0f}" role="img" '
        f"font-family='{escape(theme.FONT)}' font-size=\"13\">"
        f"<title>{escape(title)}</title><desc>{escape(chr(10).join(notes))}</desc>"
        f"<metadata>{told}</metadata>"
        f'<rect x="{frame.left:.0f}" y="{frame.top:.0f}" width="100%" height="100%" '
        f'fill="{tokens.paper}"/>' + "".join(parts) + "</svg>\n"
    )


def _begun(edge: LineageEdge, years: tuple[int, int] | None) -> bool:
    return years is None or (edge.start is not None and years[0] <= edge.start.year <= years[1])


def _frame(
    nodes: Iterable[LineageNode],
    rows: Iterable[Pill],
    layout: Layout,
    head: float,
    least_width: float,
) -> _Frame:
    boxes = [(layout.places[node.id], box_width(node) + 44) for node in nodes]
    boxes += [(layout.places[pill.id], 60.0) for pill in rows]
    left = min(place.x for place, _ in boxes) - MARGIN
    right = max(place.x + width for place, width in boxes) + MARGIN
    top = min(place.y for place, _ in boxes) - BOX / 2 - HEAD - head - MARGIN
    bottom = max(place.y for place, _ in boxes) + BOX / 2 + MARGIN + 2 * LINE
    return _Frame(left, top, max(right - left, least_width), bottom - top)


def _text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{more}>{escape(text)}</text>'


def _header(title: str, notes: Sequence[str], frame: _Frame, tokens: theme.Tokens) -> Iterable[str]:
    x, y = frame.left + MARGIN, frame.top + MARGIN + 22
    yield _text(x, y, title, tokens.ink, ' font-size="24" font-weight="700"')
    for number, note in enumerate(notes, 1):
        yield _text(x, y + 8 + LINE * number, note, tokens.muted)


def _heads(
    view: LineageView, layout: Layout, frame: _Frame, head: float, tokens: theme.Tokens
) -> Iterable[str]:
    y = frame.top + MARGIN + head + 14
    names = {column.generation: (column.name, column.count) for column in view.columns}
    columns = sorted(layout.columns.items())
    ends = [x for _, x in columns[1:]] + [float("inf")]
    for (layer, x), end in zip(columns, ends, strict=True):
        name, number = (str(layer), "") if view.axis == "year" else names.get(layer, ("", ""))
        yield _text(x, y, name, tokens.ink, ' font-weight="700"')
        after = x + text_width(name) + 8
        if after + text_width(number) < end:  # or it would run into the next head
            yield _text(after, y, number, tokens.muted)
    yield (
        f'<path d="M{frame.left + MARGIN:.0f} {y + 12:.0f}h{frame.width - 2 * MARGIN:.0f}" '
        f'stroke="{tokens.hairline}"/>'
    )


def _curve(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    bend = max(abs(x2 - x1) / 2, 24)
    return (
        f'<path d="M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} '
        f'{x2:.1f} {y2:.1f}" fill="none" {look}/>'
    )


def _tie(
    edge: LineageEdge,
    places: Mapping[str, Place],
    widths: Mapping[str, float],
    view: LineageView,
    tokens: theme.Tokens,
) -> str:
    a, b = places[edge.source], places[edge.target]
    on_path = _on_path(view, edge)
    look = f'stroke="{tokens.ink}" stroke-width="2"' if on_path else f'stroke="{tokens.ring}"'
    if dashes := DASHES.get(edge.channel):
        look += f' stroke-dasharray="{dashes}"'
    start = str(edge.start) if edge.start else ""
    drawn = _curve(a.x + widths[edge.source], a.y, b.x, b.y, look)
    return drawn.replace("/>", f"><title>{escape(start)}</title></path>") if start else drawn


def _on_path(view: LineageView, edge: LineageEdge) -> bool:
    pairs = {pair for path in view.paths for pair in pairwise(path)}
    return (edge.source, edge.target) in pairs or (edge.target, edge.source) in pairs


def _short_tie(
    pill: Pill, places: Mapping[str, Place], widths: Mapping[str, float], tokens: theme.Tokens
) -> str:
    person, at = places[pill.person], places[pill.id]
    look = f'stroke="{tokens.ring}" stroke-opacity=".5"'
    if pill.direction == "up":
        return _curve(at.x + 40, at.y, person.x, person.y, look)
    return _curve(person.x + widths[pill.person], person.y, at.x, at.y, look)


def _person(node: LineageNode, place: Place, view: LineageView, tokens: theme.Tokens) -> str:
    width, top = box_width(node), place.y - BOX / 2
    on_path = any(node.id in path for path in view.paths)
    talent = node.state == "talent"
    fill = {"talent": tokens.talent, "driven": tokens.soft}.get(node.state, tokens.paper)
    stroke, thick = fill, 1.0
    if node.leading and not talent:
        stroke, thick = tokens.talent, 1.8
    elif on_path and not talent:
        stroke, thick = tokens.ink, 1.8
    elif node.state == "pending":
        stroke = tokens.ring
    ink = tokens.on_talent if talent else tokens.muted if node.state == "none" else tokens.ink
    parts = [
        f'<rect x="{place.x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{BOX:.0f}" rx="4" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="{thick}"/>'
    ]
    if node.state == "driven":
        parts.append(
            f'<rect x="{place.x:.1f}" y="{top:.1f}" width="3" height="{BOX:.0f}" rx="1" '
            f'fill="{tokens.bar}"/>'
        )
    bold = ' font-weight="700"' if talent or on_path else ""
    parts.append(_text(place.x + PAD, place.y + 4.5, _short(node.name), ink, bold))
    right = place.x + width - 6
    if node.honour:
        right -= BADGE
        parts.append(_square(right, place.y, "none", ink, ink, node.honour))
        right -= 4
    if node.level:
        fill, on = tokens.level(node.level), tokens.on_level(node.level)
        outline = tokens.ladder_outline if node.level > 6 and tokens.ladder_outline else fill
        parts.append(_square(right - BADGE, place.y, fill, outline, on, str(node.level)))
    return f"<g>{''.join(parts)}</g>"


def _short(name: str) -> str:
    """The name as far as a box holds it."""
    from components.lineage import WIDEST_NAME

    while text_width(name) > WIDEST_NAME and len(name) > 1:
        name = name.removesuffix("…")[:-1] + "…"
    return name


def _square(x: float, y: float, fill: str, stroke: str, ink: str, text: str) -> str:
    mark = _text(x + BADGE / 2, y + 4.5, text, ink, ' text-anchor="middle"')
    return (
        f'<rect x="{x:.1f}" y="{y - BADGE / 2:.1f}" width="{BADGE:.0f}" height="{BADGE:.0f}" '
        f'rx="3" fill="{fill}" stroke="{stroke}"/>{mark}'
    )


def _pill(pill: Pill, place: Place, tokens: theme.Tokens) -> str:
    return _plus(place.x, place.y, pill.count, tokens)


def _pill_beside(pill: Pill, place: Place, width: float, tokens: theme.Tokens) -> str:
    x = place.x + width + 6 if pill.direction == "down" else place.x - 44
    return _plus(x, place.y, pill.count, tokens)


def _plus(x: float, y: float, number: int, tokens: theme.Tokens) -> str:
    text = f"+{number:,}"
    width = text_width(text) + 16
    return (
        f'<rect x="{x:.1f}" y="{y - 11:.1f}" width="{width:.1f}" height="22" rx="11" '
        f'fill="{tokens.paper}" stroke="{tokens.hairline}"/>'
        + _text(x + width / 2, y + 4.5, text, tokens.muted, ' text-anchor="middle"')
    )


def _legend(view: LineageView, frame: _Frame, tokens: theme.Tokens) -> Iterable[str]:
    """The ladder with the high-skilled line, the channels and the states."""
    words = WORDS[view.language]
    x, y = frame.left + MARGIN, frame.top + frame.height - MARGIN
    for level in theme.LEVELS:
        if level == theme.HIGH_SKILLED_FROM:
            yield f'<path d="M{x + 2:.0f} {y - 12:.0f}v24" stroke="{tokens.ink}" stroke-width="2"/>'
            x += 7
        fill = tokens.level(level)
        yield _square(x, y, fill, fill, tokens.on_level(level), str(level))
        x += BADGE + 1
    yield _text(x + 6, y + 4.5, words["high_skilled"], tokens.muted)
    x += 6 + text_width(words["high_skilled"]) + 20
    marks = {
        "mentorship": f'<path d="M{{x}} {{y}}h24" stroke="{tokens.ink}"/>',
        "studio": f'<path d="M{{x}} {{y}}h24" stroke="{tokens.ink}" stroke-dasharray="6 5"/>',
        "driven": f'<rect x="{{x}}" y="{{t}}" width="24" height="18" rx="4" fill="{tokens.soft}"/>'
        f'<rect x="{{x}}" y="{{t}}" width="3" height="18" fill="{tokens.bar}"/>',
        "pending": f'<rect x="{{x}}" y="{{t}}" width="24" height="18" rx="4" fill="none" '
        f'stroke="{tokens.ring}"/>',
        "none": "",
        "talent": f'<rect x="{{x}}" y="{{t}}" width="24" height="18" rx="4" fill="none" '
        f'stroke="{tokens.talent}" stroke-width="1.8"/>',
    }
    for name, mark in marks.items():
        yield mark.format(x=f"{x:.1f}", y=f"{y:.1f}", t=f"{y - 9:.1f}")
        x += 30 if mark else 0
        yield _text(x, y + 4.5, words[name], tokens.muted)
        x += text_width(words[name]) + 18
