"""The ties of one pair, loaded source by source: no order, no reload and no old fault decides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from itertools import permutations
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.model.kinds import RELATION_KINDS
from graph.server.database import Database
from graph.store.merge import RelationChanges, Writer, list_stated_properties
from graph.store.statements import MergeRules, Statement
from tests.examples import limit_examples

MENTORS = RELATION_KINDS["MENTORS"]
D = date


def state(source: str, start: date, end: date | None, updated_on: date | None) -> Statement:
    key = f"{start}|"
    values = {"start": start, "end": end, "key": key, "updated_on": updated_on}
    return Statement(source, f"{source}:{key}", values)


class Pair:
    """The ties of one pair as the graph has them, without a graph."""

    def __init__(self, rank: str = "") -> None:
        database = SimpleNamespace(settings=SimpleNamespace(source_rank=rank))
        self.writer = Writer(cast("Database", database), "load")
        self.rules = MergeRules.of(MENTORS, self.writer.ranks)
        self.names = list_stated_properties(self.rules, MENTORS)
        self.here: dict[int, dict[str, Any]] = {}
        self.ids = 0

    def load(self, statements: Sequence[Statement]) -> None:
        change = RelationChanges()
        filled = [
            Statement(s.source, s.row, dict.fromkeys(self.names) | dict(s.values))
            for s in statements
        ]
        here = [{"id": id, "properties": properties} for id, properties in self.here.items()]
        self.writer.retie(self.rules, self.names, ("a", "b"), here, filled, change)
        for id in change.gone:
            del self.here[id]
        for one in change.old:
            self.here[one["id"]] = self.here[one["id"]] | one["properties"]
        for one in change.new:
            self.put(one["properties"])

    def put(self, properties: dict[str, Any]) -> None:
        self.here[self.ids] = properties
        self.ids += 1

    def keys(self) -> list[str]:
        return sorted(one["key"] for one in self.here.values())

    def __str__(self) -> str:
        ties = [
            {name: value for name, value in one.items() if value is not None}
            for one in self.here.values()
        ]
        return "\n".join(sorted(json.dumps(one, sort_keys=True, default=str) for one in ties))


THREE = {
    "A": [state("A", D(2020, 1, 1), None, None)],
    "B": [state("B", D(2021, 1, 1), None, D(2026, 1, 1))],
    "C": [
        state("C", D(2020, 1, 1), D(2020, 12, 31), None),
        state("C", D(2021, 1, 1), None, None),
    ],
}


def replay(sources: Sequence[Sequence[Statement]], times: int = 1, rank: str = "") -> Pair:
    pair = Pair(rank)
    for _ in range(times):
        for statements in sources:
            pair.load(statements)
    return pair


def test_ties_of_three_sources_have_a_key_each_and_reloads_add_none() -> None:
    first = replay([*THREE.values()])
    assert first.keys() == ["2020-01-01|", "2021-01-01|"]
    assert str(replay([*THREE.values()], times=3)) == str(first)


def test_relations_that_were_stored_twice_become_one_at_the_next_load() -> None:
    clean = replay([*THREE.values()])
    broken = replay([*THREE.values()])
    for one in [*broken.here.values()]:
        broken.put(dict(one))
    broken.load(THREE["A"])
    assert str(broken) == str(clean)


DAYS = st.sampled_from([D(2020, 1, 1), D(2020, 7, 1), D(2021, 1, 1), D(2022, 1, 1)])
OWN = st.lists(
    st.tuples(DAYS, st.none() | DAYS, st.none() | st.sampled_from([D(2025, 1, 1), D(2026, 1, 1)])),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one[0],
)


@given(st.tuples(OWN, OWN, OWN), st.sampled_from(["", "C", "B,A"]))
@settings(max_examples=limit_examples(300), deadline=None)
def test_no_order_of_loading_and_no_reload_decides_on_ties(
    stated: tuple[Any, Any, Any], rank: str
) -> None:
    sources = [[state(name, *one) for one in own] for name, own in zip("ABC", stated, strict=True)]
    found = {str(replay(order, rank=rank)) for order in permutations(sources)}
    assert len(found) == 1
    again = replay(sources, times=2, rank=rank)
    assert {str(again)} == found
    assert len(set(again.keys())) == len(again.keys()) >= max(map(len, sources))
