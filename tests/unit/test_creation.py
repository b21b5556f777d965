"""Several sessions write a first load at once: every row once, no two sessions at one node."""

from __future__ import annotations

from random import Random

import polars as pl
import pytest

from graph.model.kinds import NODE_KINDS, RELATION_KINDS
from graph.store import creation
from graph.store.creation import (
    build_node_creation,
    build_relation_creation,
    split_batches,
    split_node_rounds,
    split_relation_rounds,
)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creation, "CREATE_BATCH_ROWS", 50)
    monkeypatch.setattr(creation, "HUB_ROWS", 100)


@pytest.mark.parametrize(
    ("type", "ends"), [("MENTORS", 400), ("RECOGNISED", 3), ("RECOGNISED", 300), ("RECOGNISED", 1)]
)
@pytest.mark.parametrize("sessions", [1, 2, 3])
def test_no_two_sessions_lock_one_node_and_every_row_is_written_once(
    type: str, ends: int, sessions: int
) -> None:
    chance, same = Random(f"{type} {ends} {sessions}"), type == "MENTORS"
    rows = pl.DataFrame(
        {
            "_from": [str(chance.randrange(400)) for _ in range(2_000)],
            "_to": [str(chance.randrange(ends)) for _ in range(2_000)],
            "number": range(2_000),
        }
    )
    common = rows.group_by("_to").len().filter(pl.col("len") >= 100)["_to"].to_list()
    hubs = set() if same else {("end", one) for one in common}
    written: list[int] = []
    widest = 0
    filled: dict[tuple[str, str], int] = {}
    for turn in split_relation_rounds(RELATION_KINDS[type], same, rows, sessions):
        widest = max(widest, len(turn))
        dense = {hub for hub in hubs if filled.get(hub, 0) > 50}
        locked: set[tuple[str, str]] = set()
        for part in turn:
            written.extend(part["number"])
            nodes = {("start", one) for one in part["_from"]}
            nodes |= {("start" if same else "end", one) for one in part["_to"]}
            assert not (nodes - dense) & locked
            locked |= nodes
            for end in part["_to"]:
                filled["end", end] = filled.get(("end", end), 0) + 1
    assert sorted(written) == list(range(2_000))
    assert widest == (1 if same or ends == 300 else sessions)


def test_batches_are_of_one_size_and_no_row_is_left_out() -> None:
    rows = pl.DataFrame({"number": range(101)})
    assert [batch.height for batch in split_batches(rows)] == [34, 34, 33]
    assert list(split_batches(rows.clear())) == []
    parts = [part["number"].to_list() for (part,) in [[p] for p in next(split_node_rounds(rows))]]
    assert [number for part in parts for number in part] == list(range(101))


def test_what_all_rows_share_is_sent_once_and_what_none_has_is_not_written() -> None:
    rows = pl.DataFrame(
        {
            "_from": ["a", "b"],
            "_to": ["x", "y"],
            "key": ["", ""],
            "start": [None, None],
            "_origin": ["f:1", "f:2"],
            "_source": ["hr", "hr"],
        }
    )
    made = build_relation_creation(RELATION_KINDS["MENTORS"], "Person", "Person", rows)
    assert made.statement == (
        "UNWIND range(0, $count - 1) AS i MATCH (a:Person {person_id: $c__from[i]}) "
        "MATCH (b:Person {person_id: $c__to[i]}) SET b:Apprentice CREATE (a)-[x:MENTORS "
        "{key: $c_key, row: $c__origin[i], sources: $c__source}]->(b)"
    )
    assert made.build_parameters(rows.tail(1)) == {
        "count": 1,
        "c_key": "",
        "c__source": "hr",
        "c__from": ["b"],
        "c__to": ["y"],
        "c__origin": ["f:2"],
    }
    people = pl.DataFrame({"person_id": ["a"], "_origin": ["f:1"], "_source": ["hr"]})
    assert "(x:Person {person_id: $c_person_id," in (
        build_node_creation(NODE_KINDS["Person"], people, "load").statement
    )
