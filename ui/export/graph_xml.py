"""GraphML and GEXF as Gephi, Cytoscape, igraph and graphology read them.

networkx writes the key of a parallel edge as its GraphML id, so that every first edge of a pair is
"0", and readers that tell edges apart by id keep one of them. Here each edge has an id of its own
("e0", "e1", ...), each node a `label`, and what the figures depend on stands in the file: in
GraphML as data of the graph, in GEXF as JSON in its description.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, BinaryIO
from xml.etree.ElementTree import SubElement

import networkx as nx
from networkx.readwrite.gexf import GEXFWriter
from networkx.readwrite.graphml import GraphMLWriter

from graph.tabular import format_cell

# Characters that no XML document may hold, and that names copied from old systems do hold.
NON_XML_CHARS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _GraphML(GraphMLWriter):  # type: ignore[misc]  # networkx has no types
    """The writer with key ids that are unique and never "d3", which Gephi takes for a label."""

    def get_key(self, name: str, attr_type: str, scope: str, default: Any) -> str:
        """The id of the key that declares an attribute, declared where it is new."""
        if (name, attr_type, scope) not in self.keys:
            named = f"{scope}_{re.sub(r'[^0-9A-Za-z_]', '_', name)}"
            taken = set(self.keys.values())
            wanted = [named, *(f"{named}_{n}" for n in range(2, len(taken) + 3))]
            key = next(id for id in wanted if id not in taken)
            self.keys[name, attr_type, scope] = key
            declared = {"id": key, "for": scope, "attr.name": name, "attr.type": attr_type}
            self.xml.insert(0, self.myElement("key", declared))
        return str(self.keys[name, attr_type, scope])

    def add_data(
        self, name: str, element_type: type, value: str, scope: str = "all", default: Any = None
    ) -> Any:
        """An element of data; GraphML knows "true" and "false", not Python's words for them."""
        value = value.lower() if element_type is bool else value
        return super().add_data(name, element_type, value, scope, default)


def write_graphml(graph: nx.Graph[Any], file: BinaryIO) -> None:
    """Writes a network as GraphML; `graph.graph` becomes data of the graph."""
    writer = _GraphML(encoding="utf-8", infer_numeric_types=True)
    writer.add_graph_element(_build_typed_graph(graph))
    writer.dump(file)


def write_gexf(graph: nx.Graph[Any], file: BinaryIO) -> None:
    """Writes a network as GEXF 1.2; `graph.graph` becomes its description, as JSON."""
    typed = _build_typed_graph(graph)
    about, typed.graph = typed.graph, {}
    writer = GEXFWriter(encoding="utf-8", version="1.2draft")
    SubElement(writer.xml.find("meta"), "description").text = json.dumps(about, ensure_ascii=False)
    writer.add_graph(typed)
    writer.write(file)


def _build_typed_graph(graph: nx.Graph[Any]) -> nx.Graph[Any]:
    """The graph with only what both formats can type, edges numbered and nodes labelled.

    No None; dates and lists as text (JSON). Of an undirected graph the edges stay undirected.
    """
    typed: nx.Graph[Any] = nx.MultiDiGraph() if graph.is_directed() else nx.MultiGraph()
    typed.graph.update(_convert_attributes(graph.graph))
    for node, data in graph.nodes(data=True):
        typed.add_node(
            _strip_non_xml(node), **_convert_attributes({"label": data.get("name") or node, **data})
        )
    for number, (start, end, data) in enumerate(graph.edges(data=True)):
        typed.add_edge(
            _strip_non_xml(start),
            _strip_non_xml(end),
            key=f"e{number}",
            **_convert_attributes(data),
        )
    return typed


def _convert_attributes(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(name): _convert_attribute_value(value)
        for name, value in data.items()
        if value is not None
    }


def _convert_attribute_value(value: Any) -> str | int | float | bool:
    return value if isinstance(value, bool | int | float) else _strip_non_xml(format_cell(value))


def _strip_non_xml(value: Any) -> str:
    return NON_XML_CHARS.sub("", str(value))
