"""Report: the month in numbers, to read here and to take away as a Word file or an HTML page."""

from __future__ import annotations

import base64
from datetime import date
from functools import partial
from html import escape

import streamlit as st

from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.report.document import MonthlyReport, ReportChart, ReportParagraph
from graph.report.request import ReportMonth
from graph.report.svg_charts import render_svg_chart
from graph.report.templates import locate_report_templates
from graph.report.web import read_report_style, render_html_report, render_report_body
from graph.report.word import render_word_report
from ui.controls import downloads
from ui.reading import monthly_reports
from ui.shell import address, frame, graph_state, theme
from ui.shell.policy_form import current_policy
from ui.words.i18n import current_language, t, translate_labels

REPORT_PAGE = "report"
MAX_OFFERED_MONTHS = 24
DOCX_MIME_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
# The report in the colours and the type of the visit.
PREVIEW_STYLE = """
.monthly-report { --report-ink: var(--ink); --report-muted: var(--muted);
  --report-line: var(--hairline); --report-head: var(--sidebar); --report-slate: var(--slate);
  --report-target: var(--talent); --report-bar: var(--level-6); max-width: 900px; }
.monthly-report h2, .monthly-report h3, .monthly-report th, .monthly-report .lead {
  font-family: var(--font); }
"""


@frame.page
def page() -> None:
    """The page."""
    if graph_state.fetch_graph_revision().data_until is None:
        frame.draw_lead(escape(t("No month can be reported: no record has a date.")))
        frame.draw_muted(t("Load recognitions, mentorships or trainings with their dates."))
        return
    policy = current_policy()
    head = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", key="report_filters"):
        month, province = _draw_report_controls(policy)
    with st.spinner(t("Working out the month")):
        if not monthly_reports.ensure_monthly_report(policy, month, province):
            with head:
                frame.draw_lead(t("The figures are being worked out."))
            return
        report = monthly_reports.fetch_monthly_report(policy, month, province)
    with head:
        frame.draw_lead(_render_report_answer(report))
        frame.draw_under_lead(escape(report.basis), policy=False)
    _draw_report_downloads(report, month, province)
    frame.draw_rule()
    style = read_report_style() + PREVIEW_STYLE
    draw_chart = partial(_render_chart_image, style=_render_chart_style())
    body = render_report_body(report, cover=False, draw_chart=draw_chart)
    frame.draw_html(f"<style>{style}</style>{body}")


def _render_chart_style() -> str:
    """The style sheet of a chart that stands alone, in the colours of the visit's mode."""
    tokens = theme.render_css_variables(theme.TOKENS_BY_MODE[frame.detect_colour_mode()])
    own = read_report_style().replace(".monthly-report {", ":root {")
    shown = PREVIEW_STYLE.replace(".monthly-report {", ":root {")
    font = ".report-chart { font-family: var(--font); }"
    return f"<style>:root {{ {tokens} }}{own}{shown}{font}</style>"


def _render_chart_image(chart: ReportChart, *, style: str) -> str:
    """HTML: the chart as an image, for Streamlit takes SVG out of a page's HTML."""
    drawn = base64.b64encode(render_svg_chart(chart, style).encode("utf-8")).decode("ascii")
    said = escape(f"{chart.title} ({chart.unit})")
    return f'<img class="report-chart" alt="{said}" src="data:image/svg+xml;base64,{drawn}">'


def _draw_report_controls(policy: Policy) -> tuple[str, str | None]:
    """The month and the province's code that the address says."""
    months = _list_offered_months(policy, graph_state.fetch_graph_revision().data_until)
    with st.container(width=180):
        month = address.draw_required_choice(
            REPORT_PAGE, "month", t("Month"), {one: one for one in months}, months[0], folded=True
        )
    with st.container(width=180):
        province = address.draw_optional_select(
            REPORT_PAGE, "province", t("Province"), translate_labels(PROVINCES, current_language())
        )
    # The head of the page says that there is no such province; the report is the nation's.
    return month, province if province in PROVINCES else None


def _list_offered_months(policy: Policy, data_until: date | None) -> list[str]:
    """The months of the window that the data reach, the newest first; always one."""
    until = min(data_until or policy.window_end, policy.window_end)
    month = ReportMonth.of(max(until, policy.window_start))
    found: list[str] = []
    while len(found) < MAX_OFFERED_MONTHS and month.last >= policy.window_start:
        found.append(str(month))
        month = month.previous
    return found


def _render_report_answer(report: MonthlyReport) -> str:
    """The first sentence of the report (HTML)."""
    first = report.sections[0].blocks[0]
    assert isinstance(first, ReportParagraph)
    return escape(first.text)


def _draw_report_downloads(report: MonthlyReport, month: str, province: str | None) -> None:
    templates = locate_report_templates(graph_state.open_shared_database().settings)
    name = "-".join(part for part in ("report", month, province, report.language) if part)
    with st.container(horizontal=True, key="report_files"):
        downloads.draw_download_button(
            t("Download as Word"),
            partial(render_word_report, report, templates),
            f"{name}.docx",
            DOCX_MIME_TYPE,
            key="report_docx",
            type="primary",
        )
        downloads.draw_download_button(
            t("Download as a page"),
            partial(render_html_report, report, templates),
            f"{name}.html",
            "text/html",
            key="report_html",
        )
