"""A network as files: a page that needs no network, GraphML, GEXF, JSON and CSV.

The graphs are networkx graphs whose nodes and edges carry plain attributes. Dates are written as
ISO 8601 text in every format, since GraphML and GEXF have no type for them. The page is built by
pyvis; what pyvis would fetch from other hosts is taken out, so the file opens from a disk.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from html import escape
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from components import theme
from components.layout import arrange, text_width
from components.layout import layers as columns_of
from graph.errors import UsageError

if TYPE_CHECKING:
    import networkx as nx

    from components.lineage import LineageView

Format = Literal["html", "graphml", "gexf", "json", "csv", "svg"]
# Of a whole network or a part of it; a view can also be drawn (`components.drawing`).
FORMATS: tuple[Format, ...] = ("html", "graphml", "gexf", "json", "csv")
SUFFIXES: Mapping[Format, str] = {
    "html": ".html", "graphml": ".graphml", "gexf": ".gexf", "json": ".json", "csv": ".zip",
    "svg": ".svg",
}  # fmt: skip
HTML_AT_MOST = 5_000  # people: pyvis builds in quadratic time, and nobody reads more
DASHES: Mapping[str, Any] = {"mentorship": False, "studio": [6, 5], "teaching": [2, 4]}
MARGIN = 7  # px between a box and its text
# pyvis's page refers to a CDN in every mode: these tags, whole, wherever they stand.
FETCHED = re.compile(
    r"<link\b[^>]*?\bhref=[\"']https?:[^>]*>|<script\b[^>]*?\bsrc=[\"']https?:[^>]*>\s*</script>",
    re.IGNORECASE,
)
# A browser must not reach out even if something slipped through.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:\">"
)


def network_html(
    graph: nx.Graph[Any],
    *,
    title: str,
    label: Callable[[str, Mapping[str, Any]], str] | None = None,
    language: Literal["zh", "en"] = "zh",
    mode: theme.Mode = "light",
    notes: Iterable[str] = (),
) -> str:
    """A page of its own that draws a network and asks no host for anything.

    Nodes use `name`, `level`, `state`, `leading`, `x` and `y` (px) where they have them; a node
    without `x` is laid out here. Edges use `channel`. `notes` stand under the title: what was
    left out, the day, the policy. More than 5,000 people raise `UsageError`.
    """
    count = graph.number_of_nodes()
    if count > HTML_AT_MOST:
        raise UsageError(
            f"The network has {count:,} people, and a page can draw {HTML_AT_MOST:,}; "
            "show fewer, or write GraphML, GEXF, JSON or CSV, which have no limit."
        )
    network = _network(graph, label or _label, theme.MODES[mode])
    page = FETCHED.sub("", cast(str, network.generate_html(notebook=False)))
    return _dressed(page, title, list(notes), language, theme.MODES[mode])


def write_network(graph: nx.Graph[Any], format: Format, path: Path, **page: Any) -> Path:
    """Write a network to a file and return its path; `page` are the words of `network_html`.

    `json` is networkx's node-link form. `csv` is a zip of nodes.csv, edges.csv and
    about.csv (what the figures depend on), UTF-8 with a byte order mark so that Excel reads the
    Chinese. Both are streamed; networkx builds GraphML and
    GEXF in memory first (40,000 people and 60,000 ties: 260 MB more, for a moment).
    """
    if format not in FORMATS:
        raise UsageError(f"Unknown format {format!r}; choose one of {', '.join(FORMATS)}.")
    with path.open("wb") as file:
        _write(graph, format, file, page)
    return path


def network_bytes(graph: nx.Graph[Any], format: Format, **page: Any) -> bytes:
    """A network as the bytes of a file, for a download button."""
    file = io.BytesIO()
    _write(graph, format, file, page)
    return file.getvalue()


def view_network(view: LineageView) -> nx.MultiDiGraph[Any]:
    """A lineage view as a graph: exactly the people and ties shown, with their places.

    With years chosen, only the ties begun in them, and only the people these reach.
    """
    import networkx as nx

    from components.lineage import placed

    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph(focus=view.focus)
    places = placed(replace(view, studios=())).places
    for node in view.nodes:
        graph.add_node(
            node.id,
            name=node.name,
            generation=node.generation,
            level=node.level,
            state=node.state,
            leading=node.leading,
            honour=node.honour,
            reason=node.reason,
            not_shown=node.more_up + node.more_down,
            x=places[node.id].x,
            y=places[node.id].y,
        )
    for edge in view.edges:
        if _within(edge.start, view.years):
            graph.add_edge(
                edge.source, edge.target, channel=edge.channel, start=edge.start, end=edge.end
            )
    if view.years:
        reached = {view.focus} | nx.ancestors(graph, view.focus)
        reached |= nx.descendants(graph, view.focus)
        reached |= {node.id for node in view.nodes if node.pinned}
        graph.remove_nodes_from(set(graph) - reached)
    return graph


def _within(start: date | None, years: tuple[int, int] | None) -> bool:
    return years is None or (start is not None and years[0] <= start.year <= years[1])


def _write(graph: nx.Graph[Any], format: Format, file: Any, page: Mapping[str, Any]) -> None:
    import networkx as nx

    match format:
        case "html":
            file.write(network_html(graph, **page).encode("utf-8"))
        case "graphml":
            nx.write_graphml_xml(_typed(graph), file, encoding="utf-8", named_key_ids=True)
        case "gexf":
            nx.write_gexf(_typed(graph), file, encoding="utf-8")
        case "json":
            document = nx.node_link_data(graph, edges="edges")
            for part in json.JSONEncoder(ensure_ascii=False, default=_text).iterencode(document):
                file.write(part.encode("utf-8"))
        case "csv":
            _write_csv(graph, file)


def _typed(graph: nx.Graph[Any]) -> nx.Graph[Any]:
    """The graph with only what GraphML and GEXF can type: no None, dates and lists as text."""
    typed = graph.__class__(**{k: _plain(v) for k, v in graph.graph.items() if v is not None})
    typed.add_nodes_from((node, _attributes(data)) for node, data in graph.nodes(data=True))
    typed.add_edges_from((a, b, _attributes(data)) for a, b, data in graph.edges(data=True))
    return typed


# Characters that no XML document may hold, and that names copied from old systems do hold.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _attributes(data: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in data.items() if value is not None}


def _plain(value: Any) -> str | int | float | bool:
    if isinstance(value, bool | int | float):
        return value
    return NOT_XML.sub("", _text(value))


def _text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return ";".join(map(_text, value))
    return str(value)


def _write_csv(graph: nx.Graph[Any], file: Any) -> None:
    nodes = ((node, data) for node, data in graph.nodes(data=True))
    edges = ({"source": a, "target": b, **data} for a, b, data in graph.edges(data=True))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        columns = _columns(data for _, data in graph.nodes(data=True))
        _write_rows(archive, "nodes.csv", ["id", *columns], ({"id": n, **d} for n, d in nodes))
        columns = _columns(data for _, _, data in graph.edges(data=True))
        _write_rows(archive, "edges.csv", ["source", "target", *columns], edges)
        if graph.graph:
            about = ({"name": name, "value": value} for name, value in graph.graph.items())
            _write_rows(archive, "about.csv", ["name", "value"], about)


def _columns(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every attribute name, in the order first met."""
    return list(dict.fromkeys(chain.from_iterable(rows)))


def _write_rows(
    archive: zipfile.ZipFile, name: str, columns: list[str], rows: Iterator[dict[str, Any]]
) -> None:
    with (
        archive.open(name, "w") as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text,
    ):
        writer = csv.writer(text)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row.get(column)) for column in columns])


def _cell(value: Any) -> Any:
    """A cell that a spreadsheet shows and does not run: no text begins a formula."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _text(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _label(node: str, data: Mapping[str, Any]) -> str:
    level = data.get("level")
    return f"{data.get('name', node)}  {level}" if level else str(data.get("name", node))


def _network(
    graph: nx.Graph[Any],
    label: Callable[[str, Mapping[str, Any]], str],
    tokens: theme.Tokens,
) -> Any:
    from pyvis.network import Network

    network = Network(
        height="100%", width="100%", directed=True, cdn_resources="in_line",
        bgcolor=tokens.paper,
    )  # fmt: skip
    places = _places(graph)
    for node, data in graph.nodes(data=True):
        x, y = places[node]
        network.add_node(str(node), label=label(node, data), x=x, y=y, **_box(data, tokens))
    for a, b, data in graph.edges(data=True):
        channel = data.get("channel", "mentorship")
        network.add_edge(
            str(a), str(b), channel=channel, dashes=DASHES.get(channel, False), title=_tie(data)
        )
    network.set_options(json.dumps(_options(tokens)))
    return network


def _tie(data: Mapping[str, Any]) -> str:
    parts = [data.get("channel"), data.get("start"), data.get("end")]
    return _unmarked(" · ".join(_text(part) for part in parts if part))


def _box(data: Mapping[str, Any], tokens: theme.Tokens) -> dict[str, Any]:
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
    if data.get("leading") and state != "talent":
        border = tokens.talent
    lines = [_text(data[k]) for k in ("reason", "industry", "province") if data.get(k)]
    box = {
        "shape": "box",
        "color": {"background": fill, "border": border,
                  "highlight": {"background": fill, "border": tokens.link}},
        "font": {"color": text, "face": theme.FONT, "size": theme.SIZES[0]},
    }  # fmt: skip
    return {**box, "title": _unmarked("\n".join(lines))} if lines else box


def _unmarked(text: str) -> str:
    """A note that cannot be taken for markup: pyvis writes a title with "href" into the page."""
    return text.replace("<", "‹").replace(">", "›").replace("href", "hre\u200bf")


def _places(graph: nx.Graph[Any]) -> dict[Any, tuple[float, float]]:
    """The middle of each box: where `x` and `y` are the middle of its left edge, or laid out."""
    placed = all("x" in data and "y" in data for _, data in graph.nodes(data=True))
    lefts = (
        {node: (data["x"], data["y"]) for node, data in graph.nodes(data=True)}
        if placed
        else _laid_out(graph)
    )
    return {
        node: (lefts[node][0] + _width(str(node), data) / 2, lefts[node][1])
        for node, data in graph.nodes(data=True)
    }


def _width(node: str, data: Mapping[str, Any]) -> float:
    return text_width(_label(node, data)) + 2 * MARGIN


def _laid_out(graph: nx.Graph[Any]) -> dict[Any, tuple[float, float]]:
    """Left to right, people after all who taught them; those of a circle in one column."""
    if not graph:
        return {}
    arrows = [(str(a), str(b)) for a, b in graph.edges()] if graph.is_directed() else []
    layers = columns_of(map(str, graph), arrows)
    widths = {str(n): _width(str(n), data) for n, data in graph.nodes(data=True)}
    layout = arrange(layers, arrows, root=min(layers, key=lambda n: layers[n]), widths=widths)
    return {node: (layout.places[str(node)].x, layout.places[str(node)].y) for node in graph}


def _options(tokens: theme.Tokens) -> dict[str, Any]:
    return {
        "physics": {"enabled": False},
        "layout": {"improvedLayout": False},
        "nodes": {"borderWidth": 1.4, "margin": MARGIN, "chosen": True,
                  "shapeProperties": {"borderRadius": 4}},
        "edges": {"color": {"color": tokens.ring, "highlight": tokens.ink}, "width": 1.1,
                  "arrows": {"to": {"enabled": True, "scaleFactor": 0.35}},
                  "smooth": {"enabled": True, "type": "cubicBezier",
                             "forceDirection": "horizontal", "roundness": 0.5}},
        "interaction": {"hover": True, "dragNodes": True, "navigationButtons": False,
                        "keyboard": {"enabled": True}, "tooltipDelay": 120},
    }  # fmt: skip


def _dressed(page: str, title: str, notes: list[str], language: str, tokens: theme.Tokens) -> str:
    """pyvis's page with a title, the notes, a legend, our type and a policy of no requests."""
    head = f'<meta charset="utf-8">{POLICY}<title>{escape(title)}</title>'
    words = "".join(f"<p>{escape(note)}</p>" for note in notes)
    header = f"<header><h1>{escape(title)}</h1>{words}</header>"
    footer = f"<footer>{_legend(language)}</footer>"
    style = STYLE.replace("/*TOKENS*/", theme.css_variables(tokens))
    page = page.replace('<meta charset="utf-8">', head, 1)
    page = page.replace("</head>", f"<style>{style}</style></head>", 1)
    page = page.replace("<body>", f"<body>{header}", 1)
    page = page.rsplit("</body>", 1)[0] + footer + "</body></html>\n"
    lang = "zh-CN" if language == "zh" else "en"
    return "<!DOCTYPE html>\n" + page.replace("<html>", f'<html lang="{lang}">', 1)


def _legend(language: str) -> str:
    """The ladder with the high-skilled line, the channels and the states, as HTML."""
    from components.lineage_words import WORDS

    words = WORDS["zh" if language == "zh" else "en"]
    steps = "".join(
        f'{"<hr>" if n == theme.HIGH_SKILLED_FROM else ""}<i class="level level-{n}">{n}</i>'
        for n in theme.LEVELS
    )
    entries = [f"<span>{steps}&nbsp;{words['high_skilled']}</span>"]
    for mark in ("mentorship", "studio", "teaching", "driven", "pending", "talent"):
        entries.append(f'<span><i class="{mark}"></i>{words[mark]}</span>')
    return "".join(entries)


STYLE = """
:root { /*TOKENS*/ }
html, body { margin: 0; height: 100%; background: var(--paper); color: var(--ink);
  font: 13px/20px var(--font); }
body { display: flex; flex-direction: column; }
center { display: none; }
header { padding: 16px 24px 12px; border-bottom: 1px solid var(--hairline); }
header h1 { margin: 0; font-size: 24px; line-height: 32px; overflow-wrap: anywhere; }
header p { margin: 0; color: var(--muted); }
.card { flex: 1; min-height: 0; border: 0; }
#mynetwork { border: 0 !important; height: 100% !important; }
footer { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 12px 24px; color: var(--muted);
  border-top: 1px solid var(--hairline); }
footer span { display: inline-flex; align-items: center; gap: 2px; }
footer i { width: 24px; height: 18px; margin-right: 5px; box-sizing: border-box; border-radius: 4px;
  font-style: normal; line-height: 18px; text-align: center; }
footer .level { width: 18px; margin: 0; border-radius: 3px; }
footer hr { width: 2px; height: 24px; margin: 0 4px; border: 0; background: var(--ink); }
footer .mentorship, footer .studio, footer .teaching { height: 0; border-radius: 0;
  border-top: 2px solid var(--ink); }
footer .studio { border-top-style: dashed; }
footer .teaching { border-top-style: dotted; }
footer .driven { background: var(--soft); border: 1px solid var(--bar); }
footer .pending { border: 1px solid var(--ring); }
footer .talent { border: 2px solid var(--talent); }
div.vis-tooltip { white-space: pre-line !important; font: 13px/20px var(--font) !important;
  color: var(--ink) !important; background: var(--paper) !important; max-width: 320px;
  border: 1px solid var(--ring) !important; border-radius: 4px !important;
  box-shadow: none !important; }
""" + "".join(
    f"footer .level-{n} {{ background: var(--level-{n}); color: var(--on-level-{n}); }}\n"
    for n in theme.LEVELS
)
