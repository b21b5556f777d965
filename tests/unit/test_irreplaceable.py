"""Who cannot be spared: against counting anew without each node in turn, and against dominators.

`SHICHENG_EXAMPLES` sets how many random worlds are tried (default 150).
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Iterator

import networkx as nx
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from graph.errors import UsageError
from graph.metrics import irreplaceable as metric
from graph.metrics.irreplaceable import compute_irreplaceable
from graph.policy import Policy
from graph.snapshot.frames import Snapshot
from tests.conformance.brute_force import World, brute_force
from tests.conformance.worlds import day_of, known_of, snapshot_of
from tests.unit.test_driven import policies, random_world

EXAMPLES = int(os.environ.get("SHICHENG_EXAMPLES", "150"))
PLACES = ["e0", "e1", "school"]
Lost = dict[tuple[str, str], tuple[int, int]]


def placed_world(seed: int) -> World:
    """A random world whose mentorships and studios have places."""
    world, draw = random_world(seed), random.Random(seed)
    for row in world["mentorships"]:
        row["enterprise_id"] = draw.choice(["e0", "e1", ""])
    for row in world["studios"]:
        row["host_id"] = draw.choice([*PLACES, ""])
    return world


def snapshot_with_places(world: World) -> Snapshot:
    """The world's snapshot with all the frames the metric takes."""
    number = {row["person_id"]: place for place, row in enumerate(world["people"])}

    def frame(rows: list[dict[str, str]], **columns: str) -> pl.LazyFrame:
        def cell(row: dict[str, str], column: str, source: str) -> object:
            text = row.get(source) or None
            if text is None or column.endswith("_id") or column == "place_kind":
                return text
            if column.endswith("_precision"):
                return known_of(text)
            return number[text] if text in number else day_of(text)

        types = {"start": pl.Date, "end": pl.Date}
        people = ("mentor", "apprentice", "person")
        schema = {
            name: pl.Int32 if name in people else types.get(name, pl.String) for name in columns
        }
        given = {n: [cell(row, n, source) for row in rows] for n, source in columns.items()}
        return pl.LazyFrame(given, schema=schema)

    studios = {row["studio_id"] for row in world["studios"]}
    trainings = [
        row | {"kind": "Studio" if row["place_id"] in studios else "School"}
        for row in world["trainings"]
    ]
    period = {"start": "start", "end": "end", "start_precision": "start"}
    named = [("enterprises", "enterprise_id", PLACES[:2]), ("schools", "school_id", PLACES[2:])]
    frames = {
        "mentorships": frame(
            world["mentorships"],
            mentor="mentor_id",
            apprentice="apprentice_id",
            enterprise_id="enterprise_id",
            **period,
        ),
        "leads": frame(
            [row for row in world["studio_leads"] if row["studio_id"] in studios],
            person="person_id",
            studio_id="studio_id",
            **period,
        ),
        "trainings": frame(
            trainings, person="person_id", place_id="place_id", place_kind="kind", **period
        ),
        "studios": frame(
            world["studios"], studio_id="studio_id", name_id="studio_id", host_id="host_id"
        ).rename({"name_id": "name"}),
        **{name: pl.LazyFrame({key: ids, "name": ids}) for name, key, ids in named},
    }
    snapshot = snapshot_of(world)
    return Snapshot(snapshot.revision, None, {**snapshot.frames, **frames})


def without(world: World) -> Iterator[tuple[str, str, World, World]]:
    """Each node's kind and id, the world that its leaving is compared to, and the world left."""
    for person in (row["person_id"] for row in world["people"]):
        own = [row for row in world["recognitions"] if row["person_id"] != person]
        still = world | {"recognitions": own}
        columns = ("person_id", "mentor_id", "apprentice_id")
        left = {
            table: [row for row in rows if person not in [row.get(c) for c in columns]]
            for table, rows in still.items()
        }
        yield "person", person, still, left
    for studio in (row["studio_id"] for row in world["studios"]):
        studios = [row for row in world["studios"] if row["studio_id"] != studio]
        yield "studio", studio, world, world | {"studios": studios}
    for place in PLACES:
        left = world | {
            "mentorships": [r for r in world["mentorships"] if r.get("enterprise_id") != place],
            "studios": [r for r in world["studios"] if r.get("host_id") != place],
        }
        yield "school" if place == "school" else "enterprise", place, world, left


def lost_by_counting_anew(world: World, policy: Policy) -> Lost:
    lost = {}
    for kind, name, still, left in without(world):
        before, after = (brute_force(w, policy)["national"] for w in (still, left))
        lost[kind, name] = (
            before["driven_persons"] - after["driven_persons"],
            before["driven_person_times"] - after["driven_person_times"],
        )
    return {node: counts for node, counts in lost.items() if any(counts)}


def lost_by_the_metric(world: World, policy: Policy) -> Lost:
    rows = compute_irreplaceable(snapshot_with_places(world), policy).drop("name").rows()
    return {(kind, name): (persons, times) for kind, name, persons, times in rows}


worlds = st.integers(0, 2**32).map(placed_world)


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(world=worlds, policy=policies)
def test_it_equals_counting_anew_without_each_node(world: World, policy: Policy) -> None:
    assert lost_by_the_metric(world, policy) == lost_by_counting_anew(world, policy)


def by_hand(*links: tuple[str, str, str], talents: str, events: str = "p3") -> World:
    """A world of mentorships from persons p0 to p4, each recognised in the middle of 2024."""
    return {
        "people": [{"person_id": f"p{n}", "name": ""} for n in range(5)],
        "talents": [{"person_id": talent} for talent in talents.split()],
        "mentorships": [
            {"mentor_id": u, "apprentice_id": v, "start": s, "enterprise_id": ""}
            for u, v, s in links
        ],
        "recognitions": [
            {"person_id": p, "level": "4", "date": "2024-06-01"} for p in events.split()
        ],
        "studios": [],
        "studio_leads": [],
        "trainings": [],
    }


JANUARY, MARCH, MAY = "2024-01-01", "2024-03-01", "2024-05-01"


@pytest.mark.parametrize(
    ("world", "lost"),
    [
        pytest.param(
            by_hand(
                ("p0", "p1", JANUARY),
                ("p1", "p3", MARCH),
                ("p0", "p2", MAY),
                ("p2", "p3", MARCH),
                talents="p0",
            ),
            {"p0", "p1"},
            id="the other path of the static graph is against the order of dates",
        ),
        pytest.param(
            by_hand(
                ("p0", "p1", JANUARY),
                ("p1", "p3", MARCH),
                ("p0", "p2", JANUARY),
                ("p2", "p1", JANUARY),
                ("p2", "p4", JANUARY),
                ("p4", "p3", MARCH),
                talents="p0",
            ),
            {"p0"},
            id="one person reached in two ways is one",
        ),
        pytest.param(
            by_hand(
                ("p0", "p1", MAY),
                ("p0", "p2", JANUARY),
                ("p2", "p1", JANUARY),
                ("p1", "p3", MARCH),
                talents="p0",
            ),
            {"p0", "p1", "p2"},
            id="needed for an earlier arrival alone",
        ),
        pytest.param(
            by_hand(
                ("p3", "p1", JANUARY),
                ("p1", "p3", MARCH),
                ("p0", "p2", JANUARY),
                ("p2", "p3", MARCH),
                talents="p0 p3",
            ),
            {"p0", "p2"},
            id="a talent's chain to itself is no chain to fall back on",
        ),
        pytest.param(
            by_hand(("p3", "p1", JANUARY), ("p1", "p3", MARCH), talents="p3"),
            set(),
            id="nor does it drive",
        ),
    ],
)
def test_by_hand(world: World, lost: set[str]) -> None:
    assert lost_by_the_metric(world, Policy()) == {("person", p): (1, 1) for p in lost}


@example([(0, 1), (1, 2), (2, 1), (1, 3)], [0])
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25),
    st.lists(st.integers(7, 9), min_size=1, max_size=2),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_without_dates_and_limit_they_are_the_dominators(
    pairs: list[tuple[int, int]], talents: list[int]
) -> None:
    workers = [n for n in range(10) if n not in talents]
    graph = nx.DiGraph([(u, v) for u, v in pairs if u != v] + [("above", t) for t in talents])
    above = nx.immediate_dominators(graph, "above")
    expected: dict[str, int] = defaultdict(int)
    for worker in set(workers) & set(above):
        while (worker := above[worker]) != "above":
            expected[f"p{worker}"] += 1
    world = by_hand(
        *((f"p{u}", f"p{v}", JANUARY) for u, v in pairs),
        talents=" ".join(f"p{t}" for t in talents),
        events=" ".join(f"p{w}" for w in workers),
    ) | {"people": [{"person_id": f"p{n}", "name": ""} for n in range(10)]}
    found = lost_by_the_metric(world, Policy(generations=None, ordered=False))
    assert {name: persons for (_, name), (persons, _) in found.items()} == expected


def test_it_refuses_what_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metric, "JOIN_ROW_BYTES", 10**15)
    world = by_hand(("p0", "p1", JANUARY), ("p1", "p3", MARCH), talents="p0")
    with pytest.raises(UsageError, match="irreplaceable would hold"):
        lost_by_the_metric(world, Policy())
