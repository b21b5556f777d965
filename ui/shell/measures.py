"""How large and how dashed what a lineage draws is: `measures.json`, read here and by the scripts.

The screen (`ui/lineage/js`), the SVG and HTML exports and the career ladder all take their sizes
from that one file, so they cannot differ. All are px, except shares of 1 (`baseline` of the text's
size, `..._opacity`) and dashes (px drawn, px left out, ...).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

MEASURES_PATH = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class TextMeasures:
    """Text in boxes: its size, an honour mark's, and how far below the middle the baseline is."""

    size: float
    mark_size: float
    baseline: float


@dataclass(frozen=True)
class PersonMeasures:
    """A person's box; `bar` is the width of the bar that marks a driven person."""

    height: float
    padding_left: float
    padding_right: float
    name_max: float
    radius: float
    bar: float


@dataclass(frozen=True)
class BadgeMeasures:
    """The badge of a level, `gap` right of the name, and the honour mark, `mark_gap` after it."""

    size: float
    radius: float
    gap: float
    mark_gap: float


@dataclass(frozen=True)
class GroupMeasures:
    """A group of people: `share` is the height of the bars below its name, `indent` by depth.

    `list`, on the screen alone, is the place at its right that opens the list of its people.
    """

    height: float
    width: float
    padding: float
    indent: float
    list: float
    share: float
    share_bottom: float
    text_rise: float


@dataclass(frozen=True)
class StudioMeasures:
    """A studio drawn as a group between leaders and trainees; ▸ or ▾ stands `sign_left` in it."""

    height: float
    name_max: float
    radius: float
    sign_left: float
    padding_left: float
    padding_right: float


@dataclass(frozen=True)
class PillMeasures:
    """A "+N", and its distance from the person beside it."""

    height: float
    padding: float
    gap_right: float
    gap_left: float


@dataclass(frozen=True)
class ColumnMeasures:
    """Between a column's widest box and the next column; `pitch` from left to left at least."""

    gap: float
    gap_min: float
    pitch: float


@dataclass(frozen=True)
class LineMeasures:
    """Ties, those on the path in focus, and flows between groups; `detour` within one column."""

    width: float
    path_width: float
    quiet_opacity: float
    detour: float
    flow_max: float
    flow_bent_max: float
    flow_opacity: float


@dataclass(frozen=True)
class EdgeMeasures:
    """The edges of boxes: `strong` for leading talents and the path in focus."""

    thin: float
    strong: float


@dataclass(frozen=True)
class LetterMeasures:
    """The letters of branches on a box's upper right corner: `rise` above and `overhang` beside it.

    `padding` is at each side of the text.
    """

    height: float
    width_min: float
    padding: float
    rise: float
    overhang: float
    radius: float


@dataclass(frozen=True)
class SwatchMeasures:
    """A sample in a legend."""

    width: float
    height: float


@dataclass(frozen=True)
class Measures:
    """All of `measures.json`; `row` is from the middle of one row to the next."""

    row: float
    text: TextMeasures
    person: PersonMeasures
    badge: BadgeMeasures
    group: GroupMeasures
    studio: StudioMeasures
    pill: PillMeasures
    column: ColumnMeasures
    line: LineMeasures
    edge: EdgeMeasures
    letter: LetterMeasures
    swatch: SwatchMeasures
    dashes: Mapping[str, list[float]]


def read_measures(path: Path = MEASURES_PATH) -> Measures:
    """The measures of a file; a name too many or too few raises `TypeError`."""
    read: dict[str, Any] = json.loads(path.read_text("utf-8"))
    kinds = {
        "text": TextMeasures,
        "person": PersonMeasures,
        "badge": BadgeMeasures,
        "group": GroupMeasures,
        "studio": StudioMeasures,
        "pill": PillMeasures,
        "column": ColumnMeasures,
        "line": LineMeasures,
        "edge": EdgeMeasures,
        "letter": LetterMeasures,
        "swatch": SwatchMeasures,
    }
    return Measures(**{name: kinds[name](**v) if name in kinds else v for name, v in read.items()})


MEASURES: Final = read_measures()


def render_size_variables() -> str:
    """The sizes as CSS declarations: `--person-height: 28px; --badge-size: 18px; ...`."""
    return " ".join(
        f"--{group}-{name.replace('_', '-')}: {size}px;"
        for group, sizes in asdict(MEASURES).items()
        if isinstance(sizes, dict)
        for name, size in sizes.items()
        if isinstance(size, int | float) and size >= 1  # a share of 1 is no size
    )


def render_dash_variables() -> str:
    """The dashes as CSS declarations: `--studio-dash: 5px; --studio-period: 9px; ...`."""
    return " ".join(
        f"--{channel}-dash: {dashes[0]}px; --{channel}-period: {sum(dashes)}px;"
        for channel, dashes in MEASURES.dashes.items()
        if dashes
    )


def render_dash_attribute(channel: str) -> str:
    """The dashes of a channel's line as an SVG attribute with a space before it; "" when solid."""
    dashes = MEASURES.dashes.get(channel)
    return f' stroke-dasharray="{" ".join(map(str, dashes))}"' if dashes else ""


def render_line_sample(channel: str) -> str:
    """A sample of a channel's line for a legend in HTML, in the colour of the text around it."""
    width, high = MEASURES.swatch.width, MEASURES.line.path_width
    return (
        f'<svg class="stroke" width="{width}" height="{high}" aria-hidden="true">'
        f'<path d="M0 {high / 2}h{width}" fill="none" stroke="var(--ink)" '
        f'stroke-width="{high}"{render_dash_attribute(channel)}/></svg>'
    )
