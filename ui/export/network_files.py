"""A network as files: a page that needs no network, GraphML, GEXF, JSON and CSV.

The graphs are networkx graphs whose nodes and edges carry plain attributes. Dates are written as
ISO 8601 text in every format, since GraphML and GEXF have no type for them. The page is built by
pyvis; what pyvis would fetch from other hosts is taken out, so the file opens from a disk.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from graph.errors import UsageError
from graph.messages import AnyOf, Language
from graph.tabular import format_cell, render_csv_lines
from ui.export.layout import arrange_by_layer
from ui.export.layout import assign_layers as columns_of
from ui.shell import theme
from ui.shell.measures import MEASURES, render_line_sample, render_size_variables
from ui.words.text_width import estimate_text_width

if TYPE_CHECKING:
    import networkx as nx


ExportFormat = Literal["html", "graphml", "gexf", "json", "csv", "svg"]
# Of a full network or a part of it; a view can also be drawn (`ui.lineage.drawing`).
NETWORK_FORMATS: tuple[ExportFormat, ...] = ("html", "graphml", "gexf", "json", "csv")
FORMAT_SUFFIXES: Mapping[ExportFormat, str] = {
    "html": ".html",
    "graphml": ".graphml",
    "gexf": ".gexf",
    "json": ".json",
    "csv": ".zip",
    "svg": ".svg",
}
NETWORK_STYLE_PATH = Path(__file__).with_name("network_page.css")
MAX_HTML_PEOPLE = 5_000  # people: pyvis builds in quadratic time, and nobody reads more
# pyvis's page refers to a CDN in every mode: these complete tags, wherever they stand.
REMOTE_ASSET_PATTERN = re.compile(
    r"<link\b[^>]*?\bhref=[\"']https?:[^>]*>|<script\b[^>]*?\bsrc=[\"']https?:[^>]*>\s*</script>",
    re.IGNORECASE,
)
# A browser must not reach out even if something slipped through.
NO_REQUESTS_POLICY_TAG = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:\">"
)


def render_network_html(
    graph: nx.Graph[Any],
    *,
    title: str,
    label: Callable[[str, Mapping[str, Any]], str] | None = None,
    language: Language = "zh",
    mode: theme.ColourMode = "light",
    notes: Iterable[str] = (),
) -> str:
    """A page of its own that draws a network and asks no host for anything.

    Nodes use `name`, `level`, `state`, `leading`, `x` and `y` (px) where they have them; a node
    without `x` is laid out here. Edges use `channel`. `notes` stand under the title: what was
    left out, the day, the policy. More than 5,000 people raise `UsageError`.
    """
    count = graph.number_of_nodes()
    if count > MAX_HTML_PEOPLE:
        raise UsageError(
            "The network has {count:,} people, and a page can draw {most:,}; show "
            "fewer, or write GraphML, GEXF, JSON or CSV, which have no limit.",
            count=count,
            most=MAX_HTML_PEOPLE,
        )
    network = _build_pyvis_network(graph, label or _format_node_label, theme.TOKENS_BY_MODE[mode])
    page = REMOTE_ASSET_PATTERN.sub("", cast(str, network.generate_html(notebook=False)))
    return _decorate_network_page(page, title, list(notes), language, theme.TOKENS_BY_MODE[mode])


def write_network_file(graph: nx.Graph[Any], format: ExportFormat, path: Path, **page: Any) -> Path:
    """Write a network to a file and return its path; `page` are the words of `render_network_html`.

    `json` is networkx's node-link form. `csv` is a zip of nodes.csv, edges.csv and
    about.csv (what the figures depend on), UTF-8 with a byte order mark so that Excel reads the
    Chinese. Both are streamed; networkx builds GraphML and
    GEXF in memory first (40,000 people and 60,000 ties: 260 MB more, for a moment).
    """
    if format not in NETWORK_FORMATS:
        raise UsageError(
            "Unknown format {name!r}; choose one of {known}.",
            name=format,
            known=AnyOf(NETWORK_FORMATS),
        )
    with path.open("wb") as file:
        _write_network_to(graph, format, file, page)
    return path


def encode_network(graph: nx.Graph[Any], format: ExportFormat, **page: Any) -> bytes:
    """A network as the bytes of a file, for a download button."""
    file = io.BytesIO()
    _write_network_to(graph, format, file, page)
    return file.getvalue()


def _write_network_to(
    graph: nx.Graph[Any], format: ExportFormat, file: Any, page: Mapping[str, Any]
) -> None:
    import networkx as nx

    from ui.export import graph_xml

    match format:
        case "html":
            file.write(render_network_html(graph, **page).encode("utf-8"))
        case "graphml":
            graph_xml.write_graphml(graph, file)
        case "gexf":
            graph_xml.write_gexf(graph, file)
        case "json":
            document = nx.node_link_data(graph, edges="edges")
            for part in json.JSONEncoder(ensure_ascii=False, default=format_cell).iterencode(
                document
            ):
                file.write(part.encode("utf-8"))
        case "csv":
            _write_network_csv(graph, file)


def _write_network_csv(graph: nx.Graph[Any], file: Any) -> None:
    nodes = ((node, data) for node, data in graph.nodes(data=True))
    edges = ({"source": a, "target": b, **data} for a, b, data in graph.edges(data=True))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        columns = _list_attribute_names(data for _, data in graph.nodes(data=True))
        _write_csv_rows(archive, "nodes.csv", ["id", *columns], ({"id": n, **d} for n, d in nodes))
        columns = _list_attribute_names(data for _, _, data in graph.edges(data=True))
        _write_csv_rows(archive, "edges.csv", ["source", "target", *columns], edges)
        if graph.graph:
            about = ({"name": name, "value": value} for name, value in graph.graph.items())
            _write_csv_rows(archive, "about.csv", ["name", "value"], about)


def _list_attribute_names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every attribute name, in the order first met."""
    return list(dict.fromkeys(chain.from_iterable(rows)))


def _write_csv_rows(
    archive: zipfile.ZipFile, name: str, columns: list[str], rows: Iterator[dict[str, Any]]
) -> None:
    with archive.open(name, "w") as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
        text.writelines(render_csv_lines(columns, ([row.get(c) for c in columns] for row in rows)))


def _format_node_label(node: str, data: Mapping[str, Any]) -> str:
    level = data.get("level")
    return f"{data.get('name', node)}  {level}" if level else str(data.get("name", node))


def _build_pyvis_network(
    graph: nx.Graph[Any],
    label: Callable[[str, Mapping[str, Any]], str],
    tokens: theme.Tokens,
) -> Any:
    from pyvis.network import Network

    network = Network(
        height="100%",
        width="100%",
        directed=True,
        cdn_resources="in_line",
        bgcolor=tokens.paper,
    )
    places = _compute_box_centres(graph)
    for node, data in graph.nodes(data=True):
        x, y = places[node]
        network.add_node(
            str(node), label=label(node, data), x=x, y=y, **_build_box_options(data, tokens)
        )
    for a, b, data in graph.edges(data=True):
        channel = data.get("channel", "mentorship")
        network.add_edge(
            str(a),
            str(b),
            channel=channel,
            dashes=MEASURES.dashes.get(channel) or False,
            title=_format_tie_title(data),
        )
    network.set_options(json.dumps(_build_pyvis_options(tokens)))
    return network


def _format_tie_title(data: Mapping[str, Any]) -> str:
    parts = [data.get("channel"), data.get("start"), data.get("end")]
    return _strip_markup(" · ".join(format_cell(part) for part in parts if part))


def _build_box_options(data: Mapping[str, Any], tokens: theme.Tokens) -> dict[str, Any]:
    """How a person's box looks: the same meanings as in the widget."""
    state, level = data.get("state"), data.get("level")
    fill, text, border = tokens.paper, tokens.ink, tokens.ring
    if state == "talent":
        fill, text, border = tokens.talent, tokens.on_talent, tokens.talent
    elif state == "driven":
        fill, border = tokens.soft, tokens.bar
    elif state == "none":
        text, border = tokens.muted, tokens.paper
    elif state is None and isinstance(level, int) and 1 <= level <= 8:
        fill, text, border = tokens.level(level), tokens.on_level(level), tokens.level(level)
    strong = bool(data.get("leading")) or state == "talent"
    if strong:
        border = tokens.talent
    lines = [format_cell(data[k]) for k in ("reason", "industry", "province") if data.get(k)]
    box = {
        "shape": "box",
        "borderWidth": MEASURES.edge.strong if strong else MEASURES.edge.thin,
        "color": {
            "background": fill,
            "border": border,
            "highlight": {"background": fill, "border": tokens.link},
        },
        "font": {"color": text, "face": theme.TEXT_FONT, "size": theme.FONT_SIZES_PX[0]},
    }
    return {**box, "title": _strip_markup("\n".join(lines))} if lines else box


def _strip_markup(text: str) -> str:
    """A note that cannot be taken for markup: pyvis writes a title with "href" into the page."""
    return text.replace("<", "‹").replace(">", "›").replace("href", "hre\u200bf")


def _compute_box_centres(graph: nx.Graph[Any]) -> dict[Any, tuple[float, float]]:
    """The middle of each box: where `x` and `y` are the middle of its left edge, or laid out."""
    placed = all("x" in data and "y" in data for _, data in graph.nodes(data=True))
    lefts = (
        {node: (data["x"], data["y"]) for node, data in graph.nodes(data=True)}
        if placed
        else _lay_out_network(graph)
    )
    return {
        node: (lefts[node][0] + _compute_export_box_width(str(node), data) / 2, lefts[node][1])
        for node, data in graph.nodes(data=True)
    }


def _compute_export_box_width(node: str, data: Mapping[str, Any]) -> float:
    return estimate_text_width(_format_node_label(node, data)) + 2 * MEASURES.person.padding_left


def _lay_out_network(graph: nx.Graph[Any]) -> dict[Any, tuple[float, float]]:
    """Left to right, people after all who taught them; those of a circle in one column."""
    if not graph:
        return {}
    arrows = [(str(a), str(b)) for a, b in graph.edges()] if graph.is_directed() else []
    layers = columns_of(map(str, graph), arrows)
    widths = {str(n): _compute_export_box_width(str(n), data) for n, data in graph.nodes(data=True)}
    layout = arrange_by_layer(
        layers, arrows, root=min(layers, key=lambda n: layers[n]), widths=widths
    )
    return {node: (layout.places[str(node)].x, layout.places[str(node)].y) for node in graph}


def _build_pyvis_options(tokens: theme.Tokens) -> dict[str, Any]:
    return {
        "physics": {"enabled": False},
        "layout": {"improvedLayout": False},
        "nodes": {
            "borderWidth": MEASURES.edge.thin,
            "margin": MEASURES.person.padding_left,
            "chosen": True,
            "shapeProperties": {"borderRadius": MEASURES.person.radius},
        },
        "edges": {
            "color": {"color": _fade(tokens.ink), "highlight": tokens.ink},
            "width": MEASURES.line.width,
            "selectionWidth": MEASURES.line.path_width - MEASURES.line.width,
            "arrows": {"to": {"enabled": True, "scaleFactor": 0.35}},
            "smooth": {
                "enabled": True,
                "type": "cubicBezier",
                "forceDirection": "horizontal",
                "roundness": 0.5,
            },
        },
        "interaction": {
            "hover": True,
            "dragNodes": True,
            "navigationButtons": False,
            "keyboard": {"enabled": True},
            "tooltipDelay": 120,
        },
    }


def _fade(colour: str) -> str:
    """A colour as #RRGGBBAA, as faint as lines off the path in focus are."""
    return f"{colour}{round(255 * MEASURES.line.quiet_opacity):02X}"


def _decorate_network_page(
    page: str, title: str, notes: list[str], language: str, tokens: theme.Tokens
) -> str:
    """pyvis's page with a title, the notes, a legend, our type and a policy of no requests."""
    head = f'<meta charset="utf-8">{NO_REQUESTS_POLICY_TAG}<title>{escape(title)}</title>'
    words = "".join(f"<p>{escape(note)}</p>" for note in notes)
    header = f"<header><h1>{escape(title)}</h1>{words}</header>"
    footer = f"<footer>{_render_network_legend(language)}</footer>"
    style = _render_network_style(tokens)
    page = page.replace('<meta charset="utf-8">', head, 1)
    page = page.replace("</head>", f"<style>{style}</style></head>", 1)
    page = page.replace("<body>", f"<body>{header}", 1)
    page = page.rsplit("</body>", 1)[0] + footer + "</body></html>\n"
    lang = "zh-CN" if language == "zh" else "en"
    return "<!DOCTYPE html>\n" + page.replace("<html>", f'<html lang="{lang}">', 1)


def _render_network_style(tokens: theme.Tokens) -> str:
    variables = f"{theme.render_css_variables(tokens)} {render_size_variables()}"
    levels = "".join(
        f"footer .level-{n} {{ background: var(--level-{n}); color: var(--on-level-{n}); }}\n"
        for n in theme.LADDER_LEVELS
    )
    return f":root {{ {variables} }}\n{NETWORK_STYLE_PATH.read_text('utf-8')}{levels}"


def _render_network_legend(language: str) -> str:
    """The ladder with the high-skilled line, the channels and the states, as HTML."""
    from ui.words.lineage import LINEAGE_WORDS

    words = LINEAGE_WORDS["zh" if language == "zh" else "en"]
    steps = "".join(
        f'{"<hr>" if n == theme.HIGH_SKILLED_FROM_LEVEL else ""}<i class="level level-{n}">{n}</i>'
        for n in theme.LADDER_LEVELS
    )
    entries = [f"<span>{steps}&nbsp;{words['high_skilled']}</span>"]
    for channel in MEASURES.dashes:
        entries.append(f"<span>{render_line_sample(channel)}{words[channel]}</span>")
    for mark in ("driven", "pending", "talent"):
        entries.append(f'<span><i class="{mark}"></i>{words[mark]}</span>')
    return "".join(entries)
