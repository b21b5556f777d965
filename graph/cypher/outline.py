"""A statement as the audit log may hold it: what it asks of the schema, and nobody's data."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from graph.audit.log import Outline
from graph.cypher.guard import MAX_STATEMENT_CHARACTERS, tokenize_cypher
from graph.model.kinds import FACETS, LOAD, NODES, PROVENANCE, RELATIONS, UNDO
from graph.model.schema_types import build_facet_prefix

MAX_OUTLINE_CHARACTERS: Final = 600
_KEYWORD_TEXT: Final = """
    ALL AND ANY AS ASC ASCENDING AVG BY CALL CASE COLLECT CONTAINS COUNT DESC DESCENDING DISTINCT
    ELSE END ENDS EXISTS FALSE FILTER FOREACH IN IS LIMIT MATCH MAX MIN NODES NONE NOT NULL OFFSET
    OPTIONAL OR ORDER PROPERTIES RELATIONSHIPS RETURN SHORTEST SHORTESTPATH SINGLE SIZE SKIP STARTS
    SUM THEN TRUE UNION UNWIND WHEN WHERE WITH XOR YIELD
"""
_KEYWORDS: Final = frozenset(_KEYWORD_TEXT.split())
# What stands for a name that is neither Cypher's nor the schema's, and for a value.
_NAME: Final = "x"
_VALUE: Final = "?"
_SIGN_PATTERN: Final = re.compile(r"[^A-Za-z0-9_\s\"'`$]{1,3}")


def outline_statement(text: str) -> Outline:
    """The statement with only key words, names of the schema and signs; every value is `?` and
    every other name `x`, cut at `MAX_OUTLINE_CHARACTERS`."""
    words: list[str] = []
    for token in tokenize_cypher(text[:MAX_STATEMENT_CHARACTERS]):
        name = token.text.strip("`")
        if token.kind == "name":
            known = token.word in _KEYWORDS or name in _list_schema_names()
            words.append(name if known else _NAME)
        elif token.text.isascii() and _SIGN_PATTERN.fullmatch(token.text):
            words.append(token.text)
        else:
            words.append(_VALUE)
    return Outline(" ".join(words)[:MAX_OUTLINE_CHARACTERS])


@cache
def _list_schema_names() -> frozenset[str]:
    names = {one.name for one in PROVENANCE}
    for node in (*NODES, UNDO, LOAD):
        names |= {node.label, *(one.stored for one in node.properties)}
    for relation in RELATIONS:
        names |= {relation.type, *(one.stored for one in relation.properties)}
    for facet in FACETS:
        names |= {one.stored for one in facet.properties}
        names |= {build_facet_prefix(facet) + one.name for one in PROVENANCE}
    return frozenset(names)
