"""A lineage view as a file: HTML, SVG, GraphML, or CSV tables."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from graph.store.standing import UnfinishedLoad, build_load_message
from graph.tabular import About
from ui.words.i18n import translate
from ui.words.numbers import format_count

if TYPE_CHECKING:
    from ui.export.network_files import ExportFormat
    from ui.lineage.widget import LineageView
    from ui.shell.theme import ColourMode


def export_view_file(
    view: LineageView, format: ExportFormat, about: About, title: str, mode: ColourMode
) -> bytes:
    """A lineage view, exactly as shown, as a file: html, svg, graphml, or csv (a zip of tables)."""
    from ui.export.network_files import encode_network
    from ui.lineage.network import build_view_network

    if format == "svg":
        return export_view_svg(view, about, title, mode).encode("utf-8")
    if format == "html":
        return export_view_html(view, about, title, mode).encode("utf-8")
    graph = build_view_network(view)
    attributes = {name: str(value) for name, value in about.as_dict().items()}
    graph.graph.update(attributes)
    return encode_network(graph, format)


def export_view_svg(view: LineageView, about: About, title: str, mode: ColourMode) -> str:
    """A lineage view, exactly as shown, as an SVG document."""
    from ui.lineage.drawing import render_view_svg

    notes = build_view_notes(view, about)
    return render_view_svg(view, title=title, notes=notes, about=about.as_dict(), mode=mode)


def export_view_html(view: LineageView, about: About, title: str, mode: ColourMode) -> str:
    """A lineage view, exactly as shown, as a page of its own."""
    from ui.lineage.html_page import render_view_page

    notes = build_view_notes(view, about)
    return render_view_page(view, title=title, notes=notes, about=about.as_dict(), mode=mode)


def build_view_notes(view: LineageView, about: About) -> list[str]:
    """What stands under the title of an exported view, in words: how much, policy, years and
    filters, revision, day.
    """
    language = view.language
    lines = [_format_shown_count(view)]
    if about.policy is not None:
        lines.append(f"{about.policy.chip(language)} · {about.policy.id}")
    lines += view.narrowed
    lines.append(
        translate(
            language,
            "Revision {revision}; made on {day}.",
            revision=about.revision,
            day=date.today(),
        )
    )
    if about.data is not None:
        load = build_load_message(UnfinishedLoad(**about.data["load"])).said(language)
        as_of = translate(
            language, "Data as of {day}, revision {n}", day=about.loaded_on, n=about.revision
        )
        lines.append(f"{as_of}{'：' if language == 'zh' else ': '}{load}")
    return lines


def _format_shown_count(view: LineageView) -> str:
    """How much of the lineage the view draws."""
    people = [node for node in view.nodes if not node.group]
    groups = [node.group for node in view.nodes if node.group and not node.group.open]
    if groups:
        return translate(
            view.language,
            "{n} people by name and {persons} people in {groups} groups, as shown.",
            n=format_count(len(people)),
            persons=format_count(sum(group.persons for group in groups)),
            groups=format_count(len(groups)),
        )
    left = view.more if view.grouping else sum(node.more_up + node.more_down for node in people)
    return translate(
        view.language,
        "{n} people and {m} links, as shown; {left} more are not shown.",
        n=format_count(len(people)),
        m=format_count(len(view.edges)),
        left=format_count(left),
    )


# How a lineage view can be taken away: its name on the button, format, media type.
# The tables are three CSV files in one zip, and say so.
VIEW_FORMATS: tuple[tuple[str, ExportFormat, str], ...] = (
    ("SVG", "svg", "image/svg+xml"),
    ("HTML", "html", "text/html"),
    ("GraphML", "graphml", "application/graphml+xml"),
    ("CSV (zip)", "csv", "application/zip"),
)
