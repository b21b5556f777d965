"""What a report is made of, in one language and without a format: sections of blocks.

The writers (`graph.report.word`, `graph.report.web`) set exactly this and add no figure of their
own. Texts are plain; numbers are formatted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graph.messages import Language

ParagraphStyle = Literal["lead", "body", "note"]
SeriesLook = Literal["ink", "slate", "dashed", "target"]


@dataclass(frozen=True)
class ReportParagraph:
    """A paragraph: the answer of a section, text, or a note in small print."""

    text: str
    style: ParagraphStyle = "body"


@dataclass(frozen=True)
class ReportTable:
    """A table with its caption, the unit of its figures, and what explains it.

    The first `names` columns are texts; the others are figures, set to the right.
    """

    title: str
    unit: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    names: int = 1


@dataclass(frozen=True)
class ChartSeries:
    """A line, or the bars, of a chart; a value that is None is not drawn."""

    name: str
    values: tuple[float | None, ...]
    look: SeriesLook = "ink"


@dataclass(frozen=True)
class ChartBand:
    """What lies between two lines of a chart; the first band of a chart is the widest."""

    name: str
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True)
class ReportChart:
    """A chart over `labels`: lines with bands behind them, or bars of one series."""

    title: str
    unit: str
    kind: Literal["lines", "bars"]
    labels: tuple[str, ...]
    series: tuple[ChartSeries, ...]
    bands: tuple[ChartBand, ...] = ()
    note: str = ""


ReportBlock = ReportParagraph | ReportTable | ReportChart


@dataclass(frozen=True)
class ReportSection:
    """A section, with its title and what stands in it."""

    title: str
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True)
class MonthlyReport:
    """A report in one language.

    `facts` stand on the cover, name and value; `basis` (policy, revision, data date) on every
    page; `month_end` is the last day it is of. `contents` is the title of the contents.
    """

    language: Language
    title: str
    subtitle: str
    month_end: str
    facts: tuple[tuple[str, str], ...]
    basis: str
    contents: str
    sections: tuple[ReportSection, ...]
