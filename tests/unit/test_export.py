"""A network as files: read back by the libraries that people open them with."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import date
from pathlib import Path

import networkx as nx
import pytest

from components.export import (
    FORMATS,
    HTML_AT_MOST,
    network_bytes,
    network_html,
    view_network,
    write_network,
)
from components.lineage import LineageEdge, LineageNode, LineageView
from graph.errors import UsageError


@pytest.fixture
def graph() -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph()
    graph.add_node("p1", name="杨勇军", level=8, leading=True, named=date(2024, 5, 1), note=None)
    graph.add_node("p2", name="唐晓雯", level=4, leading=False, codes=["a", "b"])
    graph.add_edge("p1", "p2", channel="mentorship", start=date(2019, 3, 12), end=None)
    graph.add_edge("p1", "p2", channel="studio", start=date(2020, 1, 1))
    return graph


def test_graphml_keeps_types_names_and_both_ties(graph: nx.MultiDiGraph) -> None:
    read = nx.read_graphml(io.BytesIO(network_bytes(graph, "graphml")), force_multigraph=True)
    assert read.nodes["p1"] == dict(name="杨勇军", level=8, leading=True, named="2024-05-01")
    assert read.nodes["p2"]["codes"] == "a;b"
    assert sorted(d["start"] for _, _, d in read.edges(data=True)) == ["2019-03-12", "2020-01-01"]


def test_gexf_opens_and_keeps_types(graph: nx.MultiDiGraph) -> None:
    read = nx.read_gexf(io.BytesIO(network_bytes(graph, "gexf")))
    assert read.nodes["p1"]["level"] == 8
    assert read.nodes["p1"]["named"] == "2024-05-01"
    assert read.number_of_edges() == 2


def test_json_is_node_link(graph: nx.MultiDiGraph) -> None:
    data = json.loads(network_bytes(graph, "json"))
    read = nx.node_link_graph(data, edges="edges")
    assert read.is_directed() and read.is_multigraph()
    assert read.nodes["p1"]["name"] == "杨勇军"
    assert read.nodes["p1"]["note"] is None


def tables(data: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert all(archive.read(n).startswith(b"\xef\xbb\xbf") for n in archive.namelist())
        texts = {n: archive.read(n).decode("utf-8-sig") for n in archive.namelist()}
    return {name: list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}


def test_csv_is_two_tables_that_excel_reads(graph: nx.MultiDiGraph) -> None:
    read = tables(network_bytes(graph, "csv"))
    assert list(read) == ["nodes.csv", "edges.csv"]
    assert read["nodes.csv"][0]["name"] == "杨勇军"
    assert read["nodes.csv"][0]["named"] == "2024-05-01"
    assert read["edges.csv"][1] == {
        "source": "p1", "target": "p2", "channel": "studio", "start": "2020-01-01", "end": "",
    }  # fmt: skip


def test_no_cell_begins_a_formula() -> None:
    graph = nx.DiGraph()
    graph.add_node("=cmd|x", name="=HYPERLINK(0)", amount=-5)
    row = tables(network_bytes(graph, "csv"))["nodes.csv"][0]
    assert row == {"id": "'=cmd|x", "name": "'=HYPERLINK(0)", "amount": "-5"}


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_takes_an_empty_and_an_odd_graph(format: str, tmp_path: Path) -> None:
    odd = nx.MultiDiGraph()
    odd.add_node("a", name="行\x00一\x0b&<>\"'", level=None)
    odd.add_edge("a", "a", channel="studio")
    for graph in (nx.MultiDiGraph(), odd):
        page = {"title": "谱系"} if format == "html" else {}
        written = write_network(graph, format, tmp_path / "file", **page)  # type: ignore[arg-type]
        assert written.stat().st_size > 0


def test_an_unknown_format_is_refused(graph: nx.MultiDiGraph, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="graphml"):
        write_network(graph, "dot", tmp_path / "file")  # type: ignore[arg-type]


def test_the_page_refers_to_no_host_and_holds_no_markup_of_names() -> None:
    graph = nx.DiGraph()
    payload = "</script><script>alert(1)</script>"
    graph.add_node("a", name=payload, reason=f'<a href="x">{payload}</a>')
    graph.add_node(payload, name="b")
    graph.add_edge("a", payload, channel=payload)
    page = network_html(graph, title=payload, notes=[payload])
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?https?:", page)
    assert "alert(1)</script>" not in page
    assert page.count("<script") == network_html(nx.DiGraph(), title="").count("<script")


def test_a_page_of_too_many_people_is_refused_and_says_what_else() -> None:
    graph = nx.empty_graph(HTML_AT_MOST + 1, create_using=nx.DiGraph)
    with pytest.raises(UsageError, match=r"5,001 people.*GraphML"):
        network_html(graph, title="全部")


def test_a_view_is_written_as_it_is_shown() -> None:
    view = LineageView(
        nodes=(
            LineageNode("t", "杨勇军", level=8, state="talent", more_down=46),
            LineageNode("a", "何志远", 1, 7), LineageNode("b", "谭浩然", 1, 3),
        ),
        edges=(
            LineageEdge("t", "a", start=date(2019, 3, 12)),
            LineageEdge("t", "b", "studio", start=date(2023, 1, 1)),
        ),
        focus="t",
    )  # fmt: skip
    graph = view_network(view)
    assert set(graph) == {"t", "a", "b"}
    assert graph.nodes["t"]["not_shown"] == 46
    assert graph.nodes["a"]["x"] > graph.nodes["t"]["x"]
    from dataclasses import replace

    assert set(view_network(replace(view, years=(2020, 2026)))) == {"t", "b"}
