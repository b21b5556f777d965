"""A network as files: read back by the libraries that people open them with."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import igraph
import networkx as nx
import pytest

from graph.errors import UsageError
from ui.export.network_files import (
    MAX_HTML_PEOPLE,
    NETWORK_FORMATS,
    encode_network,
    render_network_html,
    write_network_file,
)
from ui.lineage.network import build_view_network
from ui.lineage.widget import LineageEdge, LineageNode, LineageView


@pytest.fixture
def graph() -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph()
    graph.add_node("p1", name="杨勇军", level=8, leading=True, named=date(2024, 5, 1), note=None)
    graph.add_node("p2", name="唐晓雯", level=4, leading=False, codes=["a", "b"])
    graph.add_edge("p1", "p2", channel="mentorship", start=date(2019, 3, 12), end=None)
    graph.add_edge("p1", "p2", channel="studio", start=date(2020, 1, 1))
    return graph


def test_graphml_keeps_types_names_and_both_ties(graph: nx.MultiDiGraph) -> None:
    read = nx.read_graphml(io.BytesIO(encode_network(graph, "graphml")), force_multigraph=True)
    assert read.nodes["p1"] == dict(
        label="杨勇军", name="杨勇军", level=8, leading=True, named="2024-05-01"
    )
    assert read.nodes["p2"]["codes"] == '["a", "b"]'
    assert sorted(d["start"] for _, _, d in read.edges(data=True)) == ["2019-03-12", "2020-01-01"]


def test_gexf_opens_and_keeps_types(graph: nx.MultiDiGraph) -> None:
    read = nx.read_gexf(io.BytesIO(encode_network(graph, "gexf")))
    assert read.nodes["p1"]["level"] == 8
    assert read.nodes["p1"]["named"] == "2024-05-01"
    assert read.number_of_edges() == 2


LINKS = Path(__file__).parent / "graphml_two_links"


def links_of(folder: Path) -> nx.MultiDiGraph:
    """The people and mentorships of an exchange folder, as `graph.people.network` has them."""
    graph = nx.MultiDiGraph(revision=3, left_out=2)
    for row in csv.DictReader((folder / "people.csv").open(encoding="utf-8")):
        graph.add_node(row["person_id"], kind="person", name=row["name"])
    for row in csv.DictReader((folder / "mentorships.csv").open(encoding="utf-8")):
        graph.add_edge(
            row["mentor_id"],
            row["apprentice_id"],
            channel="mentorship",
            kind="apprenticeship",
            start=date.fromisoformat(row["start"]),
        )
    graph.add_edge("v1", "v2", channel="studio", start=date(2025, 1, 1))
    return graph


def test_another_reader_tells_every_edge_and_person_apart(tmp_path: Path) -> None:
    file = write_network_file(links_of(LINKS), "graphml", tmp_path / "links.graphml")
    read = igraph.Graph.Read_GraphML(str(file))
    assert (read.vcount(), read.ecount(), read.is_directed()) == (3, 3, True)
    # igraph 1.0 puts the nodes' ids there, and Gephi and graphology tell edges apart by theirs.
    ids = re.findall(r'<edge [^>]*\bid="([^"]*)"', file.read_text("utf-8"))
    assert len(set(ids)) == len(ids) == 3
    assert dict(zip(read.vs["id"], read.vs["label"], strict=True)) == {
        "v1": "吕一",
        "v2": "吕二",
        "v3": "吕三",
    }
    assert sorted(read.es["channel"]) == ["mentorship", "mentorship", "studio"]
    assert (read["revision"], read["left_out"]) == (3, 2)


def test_no_key_of_graphml_is_declared_twice() -> None:
    """Of one name in several places, or of several types, each has a key of its own."""
    graph = links_of(LINKS)
    graph.nodes["v1"]["amount"], graph.nodes["v2"]["amount"] = 5, 5.5
    graph.nodes["v3"]["amount"] = "五"
    graph.graph["kind"] = "谱系"
    text = encode_network(graph, "graphml").decode()
    keys = re.findall(r'<key id="([^"]*)"', text)
    assert len(keys) == len(set(keys)) and "d3" not in keys
    assert all(re.fullmatch(r"(graph|node|edge)_\w+", key) for key in keys)
    assert "True" not in text and "False" not in text


def test_gexf_has_labels_ids_and_what_it_depends_on() -> None:
    root = ElementTree.fromstring(encode_network(links_of(LINKS), "gexf"))
    space = {"g": "http://www.gexf.net/1.2draft"}
    labels = {n.get("id"): n.get("label") for n in root.iterfind(".//g:node", space)}
    assert labels == {"v1": "吕一", "v2": "吕二", "v3": "吕三"}
    edges = [edge.get("id") for edge in root.iterfind(".//g:edge", space)]
    assert len(set(edges)) == len(edges) == 3
    about = json.loads(root.findtext("g:meta/g:description", namespaces=space))
    assert about == {"revision": 3, "left_out": 2}


def test_json_is_node_link(graph: nx.MultiDiGraph) -> None:
    data = json.loads(encode_network(graph, "json"))
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
    read = tables(encode_network(graph, "csv"))
    assert list(read) == ["nodes.csv", "edges.csv"]
    assert read["nodes.csv"][0]["name"] == "杨勇军"
    assert read["nodes.csv"][0]["named"] == "2024-05-01"
    assert read["edges.csv"][1] == {
        "source": "p1",
        "target": "p2",
        "channel": "studio",
        "start": "2020-01-01",
        "end": "",
    }


def test_no_cell_begins_a_formula() -> None:
    graph = nx.DiGraph()
    graph.add_node("=cmd|x", name="=HYPERLINK(0)", amount=-5)
    row = tables(encode_network(graph, "csv"))["nodes.csv"][0]
    assert row == {"id": "'=cmd|x", "name": "'=HYPERLINK(0)", "amount": "-5"}


@pytest.mark.parametrize("format", NETWORK_FORMATS)
def test_every_format_takes_an_empty_and_an_odd_graph(format: str, tmp_path: Path) -> None:
    odd = nx.MultiDiGraph()
    odd.add_node("a", name="行\x00一\x0b&<>\"'", level=None)
    odd.add_edge("a", "a", channel="studio")
    for graph in (nx.MultiDiGraph(), odd):
        page = {"title": "谱系"} if format == "html" else {}
        written = write_network_file(graph, format, tmp_path / "file", **page)  # type: ignore[arg-type]
        assert written.stat().st_size > 0


def test_an_unknown_format_is_refused(graph: nx.MultiDiGraph, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="graphml"):
        write_network_file(graph, "dot", tmp_path / "file")  # type: ignore[arg-type]


def test_the_page_refers_to_no_host_and_holds_no_markup_of_names() -> None:
    graph = nx.DiGraph()
    payload = "</script><script>alert(1)</script>"
    graph.add_node("a", name=payload, reason=f'<a href="x">{payload}</a>')
    graph.add_node(payload, name="b")
    graph.add_edge("a", payload, channel=payload)
    page = render_network_html(graph, title=payload, notes=[payload])
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?https?:", page)
    assert "alert(1)</script>" not in page
    assert page.count("<script") == render_network_html(nx.DiGraph(), title="").count("<script")


def test_a_page_of_too_many_people_is_refused_and_says_what_else() -> None:
    graph = nx.empty_graph(MAX_HTML_PEOPLE + 1, create_using=nx.DiGraph)
    with pytest.raises(UsageError, match=r"5,001 people.*GraphML"):
        render_network_html(graph, title="全部")


def test_a_view_is_written_as_it_is_shown() -> None:
    view = LineageView(
        nodes=(
            LineageNode("t", "杨勇军", level=8, state="talent", more_down=46),
            LineageNode("a", "何志远", 1, 7),
            LineageNode("b", "谭浩然", 1, 3),
        ),
        edges=(
            LineageEdge("t", "a", start=date(2019, 3, 12)),
            LineageEdge("t", "b", "studio", start=date(2023, 1, 1)),
        ),
        focus="t",
    )
    graph = build_view_network(view)
    assert set(graph) == {"t", "a", "b"}
    assert graph.nodes["t"]["not_shown"] == 46
    assert graph.nodes["a"]["x"] > graph.nodes["t"]["x"]
    from dataclasses import replace

    assert set(build_view_network(replace(view, years=(2020, 2026)))) == {"t", "b"}
