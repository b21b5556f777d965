"""A lineage as groups: every count is exact, whatever is open, and adds up to what is driven."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import networkx as nx
import numpy as np
import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.people.descent import NO_POSITION, Descent, build_descent
from graph.people.lineage_groups import (
    GROUP_ID_SEPARATOR,
    GROUP_KEYS,
    MAX_COLUMN_GROUPS,
    MAX_OPEN_SUBGROUPS,
    GroupKey,
    Groups,
    group_people,
)
from graph.policy import Policy
from graph.snapshot.frames import Snapshot
from tests.conformance.worlds import snapshot_of
from tests.examples import list_seeds
from tests.unit.test_driven import random_world
from ui.lineage.filtered_people import count_driven_by_last_year, count_shown_driven
from ui.lineage.group_columns import group_lineage
from ui.lineage.state import DisplayState, Filters
from ui.lineage.view import Lineage
from ui.reading.lineage_reach import LineageReach

POLICIES = (Policy(), Policy(generations=2, channels=("mentorship",)), Policy(generations=None))


def invented(seed: int, size: int = 400) -> pl.DataFrame:
    """People by chance, in four generations, as `Descent.reached` gives them."""
    chance = random.Random(seed)
    rows = [(0, 0, "none", NO_POSITION, "", "", "8", "")]
    for place in range(1, size):
        mentor = chance.randrange(max(0, place - 60), place)
        generation = min(rows[mentor][1] + 1, 4)
        branch = str(place) if mentor == 0 else rows[mentor][4] or str(place)
        rows.append(
            (
                place,
                generation,
                chance.choice(["driven", "pending", "none"]),
                mentor,
                branch,
                f"6-{chance.randrange(12)}",
                str(chance.randrange(9)),
                chance.choice(["", "S1", "S2/甲"]),
            )
        )
    names = ["place", "generation", "state", "mentor", "branch", "occupation", "level", "studio"]
    return pl.DataFrame(rows, schema=names, orient="row")


def drawn(groups: Groups, generation: int) -> list:
    """The boxes of a column that stand for people: the heads of open groups stand for none."""
    return [b for b in groups.boxes if b.generation == generation and not b.open]


def adds_up(groups: Groups, people: pl.DataFrame) -> None:
    """The boxes of each generation are its people, each once, and so are the flows into them."""
    into = Counter(groups.aside)
    for flow in groups.flows:
        into[flow.target] += flow.persons
    for (generation,), part in people.filter(pl.col("generation") > 0).group_by("generation"):
        boxes = drawn(groups, generation)
        states = Counter(part["state"])
        assert sum(b.persons for b in boxes) == part.height
        assert sum(b.driven for b in boxes) == states["driven"]
        assert sum(b.pending for b in boxes) == states["pending"]
        for box in boxes:
            assert into[box.id] == box.persons
    assert len({b.id for b in groups.boxes}) == len(groups.boxes)
    assert groups.within["place"].is_unique().all()
    assert groups.within.height == people.height - 1
    for box in groups.boxes:
        if box.person is None:
            members = people.join(groups.members(box.id).to_frame(), on="place")
            assert members.height == box.persons
            assert (members["state"] == "driven").sum() == box.driven


@pytest.mark.parametrize("by", GROUP_KEYS)
@pytest.mark.parametrize("seed", list_seeds(8))
def test_groups_add_up_whatever_is_open(seed: int, by: GroupKey) -> None:
    people, chance = invented(seed), random.Random(seed)
    opened: dict[int, str] = {}
    for _ in range(12):
        groups = group_people(people, by, opened)
        adds_up(groups, people)
        for generation in people["generation"].unique():
            assert len([b for b in groups.boxes if b.generation == generation]) <= 16
        clickable = [b for b in groups.boxes if b.target]
        if not clickable:
            break
        box = chance.choice(clickable)
        opened[box.generation] = box.target


def test_a_group_opens_in_place_until_its_people_stand_there_and_folds_again() -> None:
    people = invented(3, 900)
    closed = group_people(people, "occupation")
    column = [b for b in closed.boxes if b.generation == 4]
    assert len(column) == MAX_COLUMN_GROUPS + 1 and column[-1].groups > 1
    opened, seen = {}, 0
    box = column[0]
    while box is not None:
        opened[4] = box.target
        groups = group_people(people, "occupation", opened)
        head = next(b for b in groups.boxes if b.id == box.id)
        assert head.open and head.persons == box.persons and head.driven == box.driven
        inside = [
            b for b in groups.boxes if b.id.startswith(box.id + GROUP_ID_SEPARATOR) and not b.open
        ]
        assert (
            sum(b.persons for b in inside) == box.persons and len(inside) <= MAX_OPEN_SUBGROUPS + 1
        )
        seen = sum(b.person is not None for b in inside)
        box = next((b for b in inside if b.target), None)
    assert seen
    while opened[4] != "4":
        groups = group_people(people, "occupation", opened)
        innermost = next(b for b in groups.boxes if b.id == opened[4])
        opened[4] = innermost.target
    assert group_people(people, "occupation", opened).boxes == closed.boxes


def test_an_address_that_opens_nothing_that_is_there_changes_nothing() -> None:
    people = invented(5)
    assert group_people(people, "level", {2: "2\nlx\n\n", 9: "?"}).boxes == (
        group_people(people, "level").boxes
    )
    nobody = people.head(1)
    assert group_people(nobody, "level").boxes == ()


def with_levels(snapshot: Snapshot) -> Snapshot:
    """The snapshot with what a store's people say besides."""
    people = snapshot.frames["people"].with_columns(
        level=(pl.col("person") % 9).cast(pl.Int8),
        leading=pl.lit(False),
        target=pl.lit(False),
        retired_on=pl.lit(None, pl.Date),
    )
    return replace(snapshot, frames={**snapshot.frames, "people": people})


def below(seed: int, policy: Policy) -> list[tuple[str, Descent, dict, set]]:
    snapshot = with_levels(snapshot_of(random_world(seed)))
    found = measure_driven(snapshot, policy)
    every = []
    for talent in found.talents["talent_id"]:
        workers = found.workers_of(talent)
        counted = dict(workers.select("person_id", "generation").iter_rows())
        waiting = set(found.waiting_of(talent)["person_id"])
        its = build_descent(
            snapshot, talent, generations=policy.generations, counted=counted, pending=waiting
        )
        every.append((talent, its, counted, waiting))
    return every


def as_groups(reached: pl.DataFrame, by: GroupKey) -> Groups:
    branch = pl.col("branch").cast(pl.String)
    people = reached.with_columns(
        branch=branch,
        occupation=pl.col("occupation_code").fill_null(""),
        level=pl.col("level").cast(pl.String),
    )
    groups = group_people(people, by)
    adds_up(groups, people)
    return groups


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", list_seeds(12))
def test_the_groups_reconcile_with_what_the_engine_says_is_driven(
    seed: int, policy: Policy
) -> None:
    for _, its, counted, waiting in below(seed, policy):
        reached = its.reached()
        assert reached.height == its.people.height
        assert (reached["mentor"][1:] != NO_POSITION).all() and (reached["branch"][1:] > 0).all()
        groups = as_groups(reached, GROUP_KEYS[seed % 4])
        by_generation: Counter = Counter()
        for box in groups.boxes:
            by_generation[box.generation] += box.driven
        assert +by_generation == Counter(counted.values())
        assert sum(box.pending for box in groups.boxes) == len(waiting)


@pytest.mark.parametrize("seed", list_seeds(12))
def test_years_reach_whom_a_walk_by_hand_reaches(seed: int) -> None:
    chance = random.Random(seed)
    for _, its, _, _ in below(seed, Policy(generations=chance.choice([1, 2, 3, None]))):
        years = sorted(chance.sample(range(2005, 2028), 2))
        links = [
            (m, a)
            for m, a, year in zip(
                its.mentor.tolist(), its.apprentice.tolist(), its.year.tolist(), strict=True
            )
            if years[0] <= year <= years[1]
        ]
        there, hop = {0}, 0
        frontier = {0}
        while frontier and hop != its.generations:
            frontier = {a for m, a in links if m in frontier} - there
            there |= frontier
            hop += 1
        reached = its.reached((years[0], years[1]))
        assert set(reached["place"]) == there
        as_groups(reached, "branch")
        latest = its.last_years(years[0])
        assert set(np.flatnonzero(latest <= years[1]).tolist()) == there


def lineages(seed: int, policy: Policy) -> list[Lineage]:
    return [
        Lineage(
            nx.MultiDiGraph(),
            LineageReach(counted, {}, frozenset(waiting), True),
            policy,
            talent,
            lambda person: None,
            lambda its=its: its,
        )  # type: ignore[misc]
        for talent, its, counted, waiting in below(seed, policy)
    ]


@pytest.mark.parametrize("seed", list_seeds(10))
def test_filters_leave_groups_that_add_up_and_name_nobody_left_out(seed: int) -> None:
    for lineage in lineages(seed, Policy()):
        filters = Filters(levels=(seed % 5, 8), channels=frozenset({"mentorship"}))
        shown = DisplayState(columns=GROUP_KEYS[seed % 4], filters=filters)
        found = group_lineage(lineage, shown)
        people = found.people
        adds_up(found.groups, people)
        assert people["place"][0] == 0 and set(people["mentor"][1:]) <= set(people["place"])
        assert all(int(level) >= seed % 5 for level in people["level"][1:])
        driven = people.filter(pl.col("state") == "driven")["generation"].to_list()
        assert count_shown_driven(lineage, shown) == Counter(driven)
        everyone = count_shown_driven(lineage, DisplayState())
        assert everyone == Counter(lineage.reach.generation.values())
        for group in ("1", *(box.id for box in found.groups.boxes if box.person is None)):
            assert found.members(group).height == found.groups.members(group).len()


@pytest.mark.parametrize("seed", list_seeds(10))
def test_the_figures_that_follow_the_years_are_those_of_the_years(seed: int) -> None:
    for lineage in lineages(seed, Policy(generations=2 + seed % 2)):
        for first in (2006, 2015):
            shown = DisplayState(years=(first, 2026))
            rows = count_driven_by_last_year(lineage, shown)
            for last in (2010, 2018, 2026):
                moved = Counter()  # as the browser adds them while a handle moves
                for generation, year, number in rows:
                    moved[generation] += number if year <= last else 0
                asked = count_shown_driven(lineage, DisplayState(years=(first, last)))
                assert +moved == Counter(asked)
