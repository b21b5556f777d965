"""Parting two ids: who stated the one that leaves."""

from __future__ import annotations

import json
from typing import cast

import pytest

from graph.store.identity_merge import PEOPLE, FoundRelation
from graph.store.identity_split import _list_digest_aliases
from graph.store.merge import Writer


class StatementReader:
    """As much of a writer as reads what is stored."""

    statements_of = Writer.statements_of
    first = False
    load_id = "2"
    replaced: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.ranks: dict[str, int] = {}


@pytest.mark.parametrize("stored", ["soc", ["soc"]])
def test_a_relation_of_one_source_names_it(stored: str | list[str]) -> None:
    stated = [
        json.dumps({"source": "hr", "row": "people.csv:2"}),
        json.dumps({"source": "soc", "row": "members.csv:2"}),
    ]
    node = {
        "labels": ["Person"],
        "properties": {
            "person_id": "P1",
            "id_digest": "d",
            "sources": ["hr", "soc"],
            "row": "people.csv:2",
            "stated": stated,
            "load": "1",
        },
    }
    alias = FoundRelation(
        PEOPLE.identifies,
        "PersonAlias",
        "S9",
        "Person",
        "P1",
        {"basis": "id_number", "sources": stored, "row": "members.csv:2"},
    )
    writer = cast("Writer", StatementReader())
    # "soc" knows the number by the further id alone: it goes with the one who leaves.
    assert _list_digest_aliases(writer, node, [alias], {"hr"}) == {"S9"}
