"""A report as one HTML file: no script, nothing asked of any host, prints on A4."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Final

from graph.report.document import (
    MonthlyReport,
    ReportBlock,
    ReportChart,
    ReportParagraph,
    ReportSection,
    ReportTable,
)
from graph.report.svg_charts import render_svg_chart

ChartDrawing = Callable[[ReportChart], str]
STYLE_NAME: Final = "report.css"
BUILT_IN_STYLE_PATH: Final = Path(__file__).with_name(STYLE_NAME)
# Whatever a template says: the page asks nobody for anything, and runs nothing.
CONTENT_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def read_report_style(templates: Path | None = None) -> str:
    """The style sheet of the template folder, or the built-in one where there is none."""
    own = None if templates is None else templates / STYLE_NAME
    file = own if own is not None and own.exists() else BUILT_IN_STYLE_PATH
    # Within <style> nothing but its own end tag could leave it.
    return file.read_text("utf-8").replace("</", "<\\/")


def render_html_report(report: MonthlyReport, templates: Path | None = None) -> bytes:
    """The file. `templates`: a folder that may hold a style sheet of the department's own."""
    lang = "zh-CN" if report.language == "zh" else "en"
    title = escape(f"{report.title} {report.subtitle}")
    page = (
        f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{read_report_style(templates)}</style></head>"
        f'<body class="report-page">{render_report_body(report)}</body></html>\n'
    )
    return page.encode("utf-8")


def render_report_body(
    report: MonthlyReport, *, cover: bool = True, draw_chart: ChartDrawing = render_svg_chart
) -> str:
    """The report as one `<div class="monthly-report">`; without `cover`, the sections alone.

    `draw_chart` gives the HTML of a chart.
    """
    sections = "".join(
        _render_section(section, number, draw_chart)
        for number, section in enumerate(report.sections, 1)
    )
    front = _render_cover(report) + _render_contents(report) if cover else ""
    foot = f'<p class="report-foot">{escape(report.basis)}</p>'
    return f'<div class="monthly-report">{front}{sections}{foot}</div>'


def _render_cover(report: MonthlyReport) -> str:
    facts = "".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in report.facts)
    return (
        f'<header class="cover"><h1 class="title">{escape(report.title)}</h1>'
        f'<p class="subtitle">{escape(report.subtitle)}</p><dl>{facts}</dl></header>'
    )


def _render_contents(report: MonthlyReport) -> str:
    lines = "".join(
        f'<li><a href="#section{number}">{escape(section.title)}</a></li>'
        for number, section in enumerate(report.sections, 1)
    )
    return f'<nav class="contents"><h2>{escape(report.contents)}</h2><ol>{lines}</ol></nav>'


def _render_section(section: ReportSection, number: int, draw_chart: ChartDrawing) -> str:
    blocks = "".join(_render_block(block, draw_chart) for block in section.blocks)
    return f'<section id="section{number}"><h2>{escape(section.title)}</h2>{blocks}</section>'


def _render_block(block: ReportBlock, draw_chart: ChartDrawing) -> str:
    if isinstance(block, ReportParagraph):
        look = "" if block.style == "body" else f' class="{block.style}"'
        return f"<p{look}>{escape(block.text)}</p>"
    unit = f'<p class="unit">{escape(block.unit)}</p>' if block.unit else ""
    note = f'<p class="note">{escape(block.note)}</p>' if block.note else ""
    drawn = draw_chart(block) if isinstance(block, ReportChart) else _render_table(block)
    return f"<h3>{escape(block.title)}</h3>{unit}{drawn}{note}"


def _render_table(table: ReportTable) -> str:
    def cell(tag: str, place: int, text: str) -> str:
        look = ' class="n"' if place >= table.names else ""
        return f"<{tag}{look}>{escape(text)}</{tag}>"

    head = "".join(cell("th", place, text) for place, text in enumerate(table.heads))
    body = "".join(
        "<tr>" + "".join(cell("td", place, text) for place, text in enumerate(row)) + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
