"""A networkx graph as a PyVis network that needs no other host.

PyVis's own page loads Bootstrap from a server on the internet, whatever its `cdn_resources` says.
The page made here holds its scripts itself, so that it opens without a network and tells nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Final

from graph.people.network import PLACE_NODE_KINDS, Graph

if TYPE_CHECKING:
    from pyvis.network import Network

_FOREIGN_RESOURCE_PATTERN: Final = re.compile(
    r"""<link\b[^>]*href=["']https?:[^>]*>|<script\b[^>]*src=["']https?:[^>]*>\s*</script>""",
    re.DOTALL,
)
LEADING_COLOR: Final = "#a8322a"
PERSON_COLOR: Final = "#5b6770"
PLACE_COLOR: Final = "#c9a227"
DASHED_CHANNELS: Final = frozenset({"studio", "leads", "trained_at"})


def build_pyvis_network(graph: Graph, *, height: str = "640px", notebook: bool = True) -> Network:
    """The graph as a `pyvis.network.Network`: `.show("page.html")` writes and shows it.

    Leading talents are red, places yellow; an arrow leads from who passes skill on, dashed for
    what goes by a studio. A title says what is known of a node or an edge. `height` is CSS.
    """
    from pyvis.network import Network

    found = Network(
        height=height, width="100%", directed=True, notebook=notebook, cdn_resources="in_line"
    )
    found.generate_html = _strip_foreign_resources(found.generate_html)
    for node, attributes in graph.nodes(data=True):
        found.add_node(
            str(node),
            label=str(attributes.get("name") or node),
            title=_describe_attributes(node, attributes),
            color=_pick_node_color(attributes),
        )
    for mentor, apprentice, attributes in graph.edges(data=True):
        found.add_edge(
            str(mentor),
            str(apprentice),
            title=_describe_attributes(attributes.get("channel", ""), attributes),
            dashes=attributes.get("channel") in DASHED_CHANNELS,
        )
    return found


def _strip_foreign_resources(generate: Callable[..., str]) -> Callable[..., str]:
    """PyVis's maker of pages, without what its pages load from other hosts."""

    def generate_html(*given: Any, **more: Any) -> str:
        return _FOREIGN_RESOURCE_PATTERN.sub("", generate(*given, **more))

    return generate_html


def _describe_attributes(first: Hashable, attributes: Mapping[str, Any]) -> str:
    lines = (
        f"{name}: {value}" for name, value in attributes.items() if name not in ("name", "row")
    )
    return "\n".join([str(first), *lines])


def _pick_node_color(attributes: Mapping[str, Any]) -> str:
    if attributes.get("kind") in PLACE_NODE_KINDS:
        return PLACE_COLOR
    return LEADING_COLOR if attributes.get("leading") else PERSON_COLOR
