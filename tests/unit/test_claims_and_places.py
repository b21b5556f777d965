"""Claims, places and the bus factor against plain ways of computing the same, on random worlds."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.driven.arrivals import compute_last_hops, compute_ledgers
from graph.driven.figures import measure_driven
from graph.errors import UsageError
from graph.metrics import effects
from graph.metrics.bus_factor import (
    compute_bus_factor,
    count_remaining_workers,
    find_fewest_people,
    find_people_greedily,
)
from graph.metrics.claims import CLAIM_KINDS, find_claims
from graph.metrics.examples import build_example_snapshot
from graph.metrics.places import (
    compute_enterprise_output,
    compute_school_output,
    compute_studio_output,
    compute_window_years,
)
from graph.policy import CHANNELS, Policy
from graph.snapshot.frames import Snapshot
from tests.conformance.brute_force import World, brute_force
from tests.examples import limit_examples

PEOPLE = [f"p{number}" for number in range(7)]
DAYS = [date(2023, 1, 1) + timedelta(days=45 * step) for step in range(12)]
LIMITS = {"capacity": 1, "bulk": 1, "mentors": 1, "days": 100}
CLAIMS = int(os.environ.get("SHICHENG_EXAMPLES", "300")) // 6
FIGURES = ("driven_persons", "driven_person_times", "sum_over_talents")
FOREVER = date.max
Row = dict[str, Any]


def rows_of(seed: int) -> dict[str, list[Row]]:
    """Tables as `build_example_snapshot` takes them, with cycles, self loops, ties and unknown
    starts.
    """
    draw = random.Random(seed)

    def day(unknown: float = 0.15) -> str | None:
        return None if draw.random() < unknown else draw.choice(DAYS).isoformat()

    def some(most: int) -> range:
        return range(draw.randint(most // 3, most))

    who, place = lambda: draw.choice(PEOPLE), lambda: draw.choice(["s0", "s1"])
    return {
        "talents": [{"person": who()} for _ in range(draw.randint(1, 3))],
        "mentorships": [
            {
                "mentor": who(),
                "apprentice": who(),
                "start": day(),
                "end": day(0.6),
                "status": draw.choice([None, "ongoing", "completed"]),
                "enterprise_id": draw.choice(["e0", "e1", None]),
            }
            for _ in some(16)
        ],
        "leads": [
            {"person": who(), "studio_id": place(), "start": day(), "end": day(0.7)}
            for _ in some(4)
        ],
        "trainings": [
            {
                "person": who(),
                "place_id": place(),
                "place_kind": "Studio",
                "start": day(),
                "end": day(0.7),
            }
            for _ in some(6)
        ],
        "recognitions": [
            {
                "person": who(),
                "level": draw.randint(2, 7),
                "date": day(0),
                "mode": draw.choice(["assessed", "exceptional"]),
            }
            for _ in some(16)
        ],
        "studios": [
            {"studio_id": "s0", "name": "s0", "funding": 90.0},
            {"studio_id": "s1", "name": "s1"},
        ],
        "enterprises": [{"enterprise_id": e, "name": e} for e in ("e0", "e1")],
    }


def world_of(tables: dict[str, list[Row]]) -> World:
    """The same rows as the brute-force walk takes them."""
    names = {"person": "person_id", "mentor": "mentor_id", "apprentice": "apprentice_id"}
    frames = {"leads": "studio_leads"}
    world: dict[str, list[dict[str, str]]] = {
        "people": [{"person_id": one, "name": one} for one in PEOPLE]
    }
    for table, rows in tables.items():
        world[frames.get(table, table)] = [
            {names.get(k, k): "" if v is None else str(v) for k, v in row.items()} for row in rows
        ]
    return world


tables = st.integers(0, 2**32).map(rows_of)
policies = st.builds(
    Policy,
    window_start=st.just(DAYS[3]),
    window_end=st.just(DAYS[-1]),
    generations=st.sampled_from([None, 1, 2, 3, 3, 4]),
    ordered=st.sampled_from([True, True, False]),
    undated=st.sampled_from(["exclude", "include"]),
    channels=st.sampled_from([CHANNELS, CHANNELS, ("mentorship",), ("studio",)]),
)


def national(world: World, policy: Policy) -> tuple[int, ...]:
    found = brute_force(world, policy)["national"]
    return tuple(found[name] for name in FIGURES)


# --- claims -----------------------------------------------------------------------------------


def as_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def rises(given_rows: list[Row]) -> dict[str, list[tuple[date, int]]]:
    by_day: dict[str, dict[date, int]] = defaultdict(dict)
    for row in given_rows:
        on = date.fromisoformat(row["date"])
        by_day[row["person"]][on] = max(row["level"], by_day[row["person"]].get(on, 0))
    found: dict[str, list[tuple[date, int]]] = defaultdict(list)
    for person, levels in by_day.items():
        best = 0
        for on in sorted(levels):
            if levels[on] > best:
                best = levels[on]
                found[person].append((on, best))
    return found


def doubts(given_tables: dict[str, list[Row]], policy: Policy) -> Iterator[tuple[Any, ...]]:
    """kind, person, other, day, observed, and the numbers of the mentorships, recognitions."""
    taught = [
        (n, r["mentor"], r["apprentice"], as_day(r["start"]), as_day(r["end"]), r["status"])
        for n, r in enumerate(given_tables["mentorships"])
    ]
    risen = rises(given_tables["recognitions"])

    def level(person: str, on: date) -> int:
        return max([reached for rise, reached in risen[person] if rise <= on], default=0)

    above: dict[str, set[str]] = {p: {a for _, m, a, *_ in taught if m == p} for p in PEOPLE}
    for middle in PEOPLE:
        for one in PEOPLE:
            if middle in above[one]:
                above[one] |= above[middle]
    circles = {
        frozenset({one} | {p for p in above[one] if one in above[p]})
        for one in PEOPLE
        if one in above[one]
    }
    for circle in circles:
        inside = [r for r in taught if r[1] in circle and r[2] in circle]
        first = min((r[3] for r in inside if r[3]), default=None)
        yield "cycle", min(circle), None, first, len(circle), {r[0] for r in inside}, set()

    same: dict[tuple[Any, ...], set[int]] = defaultdict(set)
    for n, m, a, start, *_ in taught:
        same[m, a, start].add(n)
    for (m, a, start), numbers in same.items():
        if start and 0 < level(m, start) < level(a, start):
            yield "junior_mentor", m, a, start, level(m, start), numbers, set()
        high = [rise for rise, reached in risen[a] if reached >= policy.high_skilled_level]
        if start and high and high[0] < start:
            apart = (start - high[0]).days
            yield "recognised_before", m, a, high[0], apart, numbers, set()

    dated = [r for r in taught if r[3]]
    for one in PEOPLE:
        mine = [r for r in dated if r[1] == one]
        last = {
            n: max(start, end) if end else (start if status == "completed" else FOREVER)
            for n, _, _, start, end, status in mine
        }
        # Statements of the same two whose times overlap are one apprenticeship.
        first_days = {r[0]: r[3] for r in mine}
        for _ in mine:
            for r in mine:
                first_days[r[0]] = min(
                    first_days[q[0]]
                    for q in mine
                    if q[2] == r[2] and q[3] <= last[r[0]] and r[3] <= last[q[0]]
                )
        at_once = {
            day: len({q[2] for q in mine if q[3] <= day <= last[q[0]]})
            for day in first_days.values()
        }
        over = {r[0] for r in mine if at_once[first_days[r[0]]] > LIMITS["capacity"]}
        if over:
            most = max(at_once.values())
            yield (
                "over_capacity",
                one,
                None,
                min(d for d, n in at_once.items() if n == most),
                most,
                over,
                set(),
            )
        for start in {r[3] for r in mine}:
            begun = [r for r in mine if r[3] == start]
            number = len({r[2] for r in begun})
            if number > LIMITS["bulk"]:
                yield "bulk_links", one, None, start, number, {r[0] for r in begun}, set()
        claimed = [r for r in taught if r[2] == one != r[1]]
        number = len({r[1] for r in claimed})
        if number > LIMITS["mentors"]:
            first = min((r[3] for r in claimed if r[3]), default=None)
            yield "many_mentors", one, None, first, number, {r[0] for r in claimed}, set()
        for (before, _), (on, reached) in pairwise(risen[one]):
            today = [
                (n, r)
                for n, r in enumerate(given_tables["recognitions"])
                if r["person"] == one and r["date"] == on.isoformat()
            ]
            allowed = any(r["mode"] == "exceptional" and r["level"] == reached for _, r in today)
            if (on - before).days < LIMITS["days"] and not allowed:
                yield ("too_close", one, None, on, (on - before).days, set(), {n for n, _ in today})


def without(world: World, taught: set[int], recognised: set[int]) -> World:
    return world | {
        "mentorships": [r for n, r in enumerate(world["mentorships"]) if n not in taught],
        "recognitions": [r for n, r in enumerate(world["recognitions"]) if n not in recognised],
    }


@settings(max_examples=CLAIMS, deadline=None)
@given(tables, policies, st.sampled_from([None, 0, 12]))
def test_claims_equal_leaving_out_and_counting_again(
    given_tables: dict[str, list[Row]], policy: Policy, budget: int | None
) -> None:
    world = world_of(given_tables)
    before = national(world, policy)

    def change(taught: set[int], recognised: set[int]) -> tuple[int, ...]:
        after = national(without(world, taught, recognised), policy)
        return tuple(a - b for a, b in zip(after, before, strict=True))

    old = effects.MAX_WALKED_ROWS
    effects.MAX_WALKED_ROWS = old if budget is None else budget
    try:
        found = find_claims(build_example_snapshot(**given_tables), policy, **LIMITS)
    finally:
        effects.MAX_WALKED_ROWS = old
    expected = {
        (kind, person, other, day, observed): (taught, recognised)
        for kind, person, other, day, observed, taught, recognised in doubts(given_tables, policy)
    }
    if policy.generations == 1 and budget is None:
        assert found.findings["sum_change"].null_count() == 0
    got = {}
    for row in found.findings.to_dicts():
        key = tuple(row[name] for name in ("kind", "person_id", "other_id", "day", "observed"))
        got[key] = row
    assert set(got) == set(expected)
    for key, (taught, recognised) in expected.items():
        changes = tuple(got[key][name] for name in effects.EFFECT_COLUMNS)
        assert got[key]["rows"] == len(taught | recognised), key
        if changes == (None, None, None):
            assert budget is not None
        else:
            assert changes == change(taught, recognised), key
    for row in found.kinds.to_dicts():
        its = [both for key, both in expected.items() if row["kind"] in (key[0], "all")]
        taught = set().union(*(one for one, _ in its))
        recognised = set().union(*(other for _, other in its))
        assert row["findings"] == len(its)
        assert tuple(row[name] for name in effects.EFFECT_COLUMNS) == change(taught, recognised)
    assert found.kinds["kind"].to_list() == list(CLAIM_KINDS)


def test_over_capacity_counts_apprentices_not_rows() -> None:
    """Two departments state each of two apprenticeships, one with another day, in a third year."""
    rows = [
        {"mentor": "m", "apprentice": a, "start": start, "end": end}
        for a in ("a", "b")
        for start, end in (("2023-01-01", "2023-12-31"), ("2023-02-01", None))
    ]
    network = build_example_snapshot(talents=[{"person": "m"}], mentorships=rows)
    assert find_claims(network, Policy(), capacity=2).findings.is_empty()
    more = [*rows, {"mentor": "m", "apprentice": "c", "start": "2024-06-01"}]
    network = build_example_snapshot(talents=[{"person": "m"}], mentorships=more)
    (row,) = find_claims(network, Policy(), capacity=2).findings.to_dicts()
    columns = ("kind", "observed", "people", "rows", "day")
    assert [row[name] for name in columns] == ["over_capacity", 3, 2, 1, date(2024, 6, 1)]


@settings(max_examples=limit_examples(60), deadline=None)
@given(tables, policies)
def test_last_hops_count_as_the_engine_does(
    given_tables: dict[str, list[Row]], policy: Policy
) -> None:
    network = build_example_snapshot(**given_tables)
    found, driven = (
        compute_ledgers(compute_last_hops(network, policy).events),
        measure_driven(network, policy).national,
    )
    figures = (found.persons, found.person_times, found.sum_over_talents)
    assert figures == tuple(driven[name] for name in FIGURES)


# --- places -----------------------------------------------------------------------------------


def plain_ties(given_tables: dict[str, list[Row]]) -> set[tuple[Any, ...]]:
    """mentor, apprentice, start, channel, place of every link."""
    ties = {
        (r["mentor"], r["apprentice"], as_day(r["start"]), "mentorship", r["enterprise_id"])
        for r in given_tables["mentorships"]
    }
    for lead in given_tables["leads"]:
        for training in given_tables["trainings"]:
            if lead["studio_id"] != training["place_id"]:
                continue
            starts = [as_day(lead["start"]), as_day(training["start"])]
            known = [s for s in starts if s]
            ends = [e for e in (as_day(lead["end"]), as_day(training["end"])) if e]
            if not known or not ends or max(known) <= min(ends):
                start = max(known) if len(known) == 2 else None
                ties.add((lead["person"], training["person"], start, "studio", lead["studio_id"]))
    return ties


def taught_at(given_tables: dict[str, list[Row]], policy: Policy) -> set[tuple[Any, ...]]:
    """channel, place, mentor, worker, promotion day, first: whatever counts by a last hop there."""
    usable = [
        (m, a, (start or date.min) if policy.ordered else date.min, channel, place)
        for m, a, start, channel, place in plain_ties(given_tables)
        if m != a and channel in policy.channels and (start or policy.undated == "include")
    ]
    risen, level = rises(given_tables["recognitions"]), policy.high_skilled_level
    found = set()
    for talent in {r["person"] for r in given_tables["talents"]}:
        at, seen, hops = {(talent, date.min)}, set(), 0
        while at and (policy.generations is None or hops < policy.generations):
            taken = {
                (m, a, start, channel, place)
                for person, arrival in at
                for m, a, start, channel, place in usable
                if m == person and start >= arrival and a != talent
            }
            for m, a, start, channel, place in taken:
                for n, (on, reached) in enumerate(risen[a]):
                    first = n == 0 or risen[a][n - 1][1] < level
                    inside = policy.window_start <= on <= policy.window_end
                    if reached >= level and inside and start <= on:
                        found.add((channel, place, m, a, on, first))
            seen |= at
            at = {(a, start) for _, a, start, _, _ in taken} - seen
            hops += 1
    return found


@settings(max_examples=limit_examples(100), deadline=None)
@given(tables, policies)
def test_places_equal_plain_walks(given_tables: dict[str, list[Row]], policy: Policy) -> None:
    counted = taught_at(given_tables, policy)
    until = max(policy.window_end, policy.as_of)
    all_years = replace(policy, window_start=date.min, window_end=until)
    ever = taught_at(given_tables, all_years)
    network = build_example_snapshot(**given_tables)
    found = {
        "studio": compute_studio_output(network, policy).rename({"studio_id": "place_id"}),
        "mentorship": compute_enterprise_output(network, policy).rename(
            {"enterprise_id": "place_id"}
        ),
    }
    halved = compute_bus_factor(network, policy, of="studio,enterprise").to_dicts()
    for channel, rows in found.items():
        for row in rows.to_dicts():
            here = [e for e in counted if e[:2] == (channel, row["place_id"])]
            persons = {e[3] for e in here if e[5]}
            assert row["driven_persons"] == len(persons)
            assert row["driven_person_times"] == len({(e[3], e[4]) for e in here})
            if channel == "studio":
                always = {e[3] for e in ever if e[:2] == (channel, row["place_id"]) and e[5]}
                assert row["driven_ever"] == len(always) >= len(persons)
                cost = row["funding"] / len(always) if row["funding"] and always else None
                assert row["cost"] == cost
                here_trained = row["funding"] and row["trained"]
                each = row["funding"] / row["trained"] if here_trained else None
                assert row["trainee_cost"] == each
            kind = "studio" if channel == "studio" else "enterprise"
            its = [r for r in halved if (r["place_kind"], r["place_id"]) == (kind, row["place_id"])]
            assert len(its) == bool(persons)
            for one in its:
                mentors = {p: {e[2] for e in here if e[5] and e[3] == p} for p in persons}
                best = min(
                    k
                    for k in range(len(PEOPLE) + 1)
                    for gone in combinations(PEOPLE, k)
                    if sum(not m <= set(gone) for m in mentors.values()) * 2 <= len(persons)
                )
                assert (one["driven_persons"], one["bus_factor"]) == (len(persons), best)
                assert one["exact"] and one["at_least"] == best


@settings(max_examples=limit_examples(300), deadline=None)
@given(
    st.dictionaries(
        st.frozensets(st.sampled_from("abcdef"), min_size=1, max_size=3),
        st.integers(1, 9),
        min_size=1,
    )
)
def test_the_fewest_who_halve(sets: dict[frozenset[str], int]) -> None:
    half = sum(sets.values()) / 2
    best = min(
        k
        for k in range(7)
        for gone in combinations("abcdef", k)
        if count_remaining_workers(sets, gone) <= half
    )
    who, least = find_fewest_people(sets)
    assert len(who) == least == best
    assert count_remaining_workers(sets, who) <= half
    first = find_people_greedily(sets)
    assert count_remaining_workers(sets, first) <= half
    if all(len(mentors) == 1 for mentors in sets):
        assert len(first) == best


def test_what_is_not_stated_is_null_and_sixty_percent_is_met() -> None:
    funds = [(100.0, 60.0), (100.0, 59.9), (None, 5.0), (100.0, None), (0.0, 0.0), (10.0, 20.0)]
    rows = [
        {"enterprise_id": str(n), "education_fund": fund, "frontline_education_fund": part}
        for n, (fund, part) in enumerate(funds)
    ]
    found = compute_enterprise_output(build_example_snapshot(enterprises=rows), Policy())
    assert found["meets_frontline"].to_list() == [True, False, None, None, None, None]
    assert found["frontline_share"].to_list()[:2] == [0.6, pytest.approx(0.599)]
    assert found["cost"].null_count() == len(rows)


def test_who_is_employed_on_the_day() -> None:
    found = compute_enterprise_output(small_town(), Policy())
    by_id = {row["enterprise_id"]: row for row in found.to_dicts()}
    assert by_id["E1"]["employed_persons"] == by_id["E1"]["employed_person_times"] == 1
    assert by_id["E1"]["cost"] == pytest.approx(800.0 * compute_window_years(Policy()))
    assert by_id["E2"]["employed_persons"] == 0


def small_town() -> Snapshot:
    """Ada taught Bo, who trained at school C1 and works at its partner; Cy trained there too."""
    return build_example_snapshot(
        talents=[{"person": "Ada"}],
        mentorships=[{"mentor": "Ada", "apprentice": "Bo", "start": "2024-01-01"}],
        recognitions=[
            {"person": "Bo", "level": 4, "date": "2025-05-01"},
            {"person": "Cy", "level": 4, "date": "2025-05-01"},
        ],
        trainings=[
            {"person": p, "place_id": "C1", "place_kind": "School", "start": "2023-01-01"}
            for p in ("Bo", "Cy")
        ],
        employments=[
            {"person": "Bo", "enterprise_id": "E1", "start": "2023-09-01"},
            {"person": "Cy", "enterprise_id": "E2", "start": "2024-09-01", "end": "2025-01-01"},
        ],
        teaching=[
            {"person": "Ada", "school_id": "C1", "start": "2020-01-01"},
            {"person": "Cy", "school_id": "C1", "start": "2020-01-01", "end": "2021-01-01"},
        ],
        partnerships=[{"enterprise_id": "E1", "school_id": "C1", "start": "2020-01-01"}],
        enterprises=[
            {"enterprise_id": "E1", "education_fund": 800.0},
            {"enterprise_id": "E2"},
        ],
        schools=[{"school_id": "C1", "name": "one"}, {"school_id": "C2", "name": "two"}],
    )


def test_schools_and_where_their_people_go() -> None:
    rows = (
        compute_school_output(small_town(), Policy(as_of=date(2026, 1, 1)))
        .drop("kind", "province")
        .rows()
    )
    assert rows == [
        ("C1", "one", 1, 1, 1, 2, 2, 1, 2, 1, 2),
        ("C2", "two", 0, 0, 0, 0, 0, 0, 0, 0, 0),
    ]


def test_an_unknown_sort_of_place_is_said() -> None:
    with pytest.raises(UsageError, match="studio, enterprise or both"):
        compute_bus_factor(small_town(), Policy(), of="school")


def test_funding_of_all_years_is_not_held_against_the_workers_of_the_window() -> None:
    rows = [
        {"person": p, "place_id": "S1", "place_kind": "Studio", "start": "2015-02-01"}
        for p in ("Bo", "Cy", "Di")
    ]
    network = build_example_snapshot(
        talents=[{"person": "Ada"}],
        studios=[{"studio_id": "S1", "funding": 60_000.0}],
        leads=[{"person": "Ada", "studio_id": "S1", "start": "2010-01-01"}],
        trainings=rows,
        recognitions=[
            {"person": "Bo", "level": 4, "date": "2016-02-01"},
            {"person": "Cy", "level": 4, "date": "2025-02-01"},
        ],
    )
    row = compute_studio_output(network, Policy()).row(0, named=True)
    assert (row["driven_persons"], row["driven_ever"], row["trained"]) == (1, 2, 3)
    assert (row["cost"], row["trainee_cost"]) == (30_000.0, 20_000.0)


def test_the_years_of_a_window_that_have_passed() -> None:
    window = {"window_start": date(2024, 1, 1), "window_end": date(2026, 12, 31)}
    assert compute_window_years(Policy(**window, as_of=date(2023, 6, 1))) == 0
    assert compute_window_years(Policy(**window, as_of=date(2024, 12, 30))) == pytest.approx(
        1, abs=0.01
    )
    assert compute_window_years(Policy(**window, as_of=date(2030, 1, 1))) == pytest.approx(
        3, abs=0.01
    )
