"""For notebooks and scripts: `from shicheng import open_graph`; see docs/notebook.md."""

from graph.analysis.open_graph import OpenGraph, open_graph
from graph.errors import ShichengError
from graph.evidence.reasons import Explanation
from graph.policy import Policy

__all__ = ["Explanation", "OpenGraph", "Policy", "ShichengError", "open_graph"]
