"""The driven number: the engine against the brute-force walk on small random worlds, and by hand.

`SHICHENG_EXAMPLES` sets how many random worlds are tried (default 300), and
`SHICHENG_EXAMPLES_TOGETHER` how many side by side (default 200 an engine).
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.driven import engines
from graph.driven.engines import Engine, open_engine
from graph.driven.figures import Driven, measure_driven
from graph.driven.terms import (
    CHAIN_KINDS,
    CREDIT_COLUMNS,
    EMPLOYER_BREAKDOWNS,
    PERSON_BREAKDOWNS,
    TALENT_BREAKDOWNS,
)
from graph.errors import UsageError
from graph.metrics.registry import METRICS
from graph.policy import CHANNELS, DEFAULT_POLICY, YEAR_ALONE, Policy
from tests.conformance.brute_force import World, brute_force
from tests.conformance.worlds import snapshot_of

EXAMPLES = int(os.environ.get("SHICHENG_EXAMPLES", "300"))
# A tenth of the speed on worlds so small, so a fifth of them by default.
EXAMPLES_DUCKDB = int(os.environ.get("SHICHENG_EXAMPLES", "60"))
# Worlds put side by side into one, so that an engine's cost a run is shared (see `make soak`).
TOGETHER = 50
EXAMPLES_TOGETHER = int(os.environ.get("SHICHENG_EXAMPLES_TOGETHER", "200"))
PEOPLE = [f"p{number}" for number in range(8)]
STUDIOS = ["s0", "s1"]
# A year ends in the middle of the days.
FIRST = date(2022, 7, 1)


def _row(**columns: Any) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in columns.items()}


# Few days, so that ties on one day are common; they reach outside most of the windows.
DAYS = [FIRST + timedelta(days=30 * month) for month in range(12)]
days = st.sampled_from(DAYS)


def random_world(seed: int) -> World:
    """A small world, dense enough that most have chains that count, with every kind of dirt.

    Self loops, cycles, repeated rows, starts that are not known, periods that overlap or end
    before they start, trainings elsewhere, dates of which the year alone is known. Drawn by seed,
    for worlds grown row by row stay sparse.
    """
    world = _of_known_days(seed)
    draw = random.Random(~seed)
    share = draw.choice([0.0, 0.2, 0.5])
    for name in ("mentorships", "studio_leads", "trainings", "recognitions"):
        for row in world[name]:
            for column in [c for c in ("start", "end", "date") if c in row]:
                if draw.random() < share:
                    row[column] = row[column][:4]
    return world


def _of_known_days(seed: int) -> World:
    draw = random.Random(seed)

    def day(unknown: float = 0.0, days: list[date] = DAYS) -> date | None:
        return None if draw.random() < unknown else draw.choice(days)

    def stay(place: str) -> dict[str, str]:
        return _row(
            studio_id=place,
            place_id=place,
            person_id=draw.choice(PEOPLE),
            start=day(0.15, DAYS[:8]),
            end=day(0.6),
        )

    def some(most: int) -> range:
        return range(draw.randint(most // 3, most))

    taught = [
        _row(mentor_id=draw.choice(PEOPLE), apprentice_id=draw.choice(PEOPLE), start=day(0.15))
        for _ in some(24)
    ]
    return {
        "people": [
            _row(
                person_id=p,
                name=p,
                province=n % 3 or None,
                occupation_code=f"o{n % 4}",
                type="digital" if n % 5 else None,
                enterprise_id=f"e{n % 3}" if n % 4 else None,
            )
            for n, p in enumerate(PEOPLE)
        ],
        "enterprises": [
            _row(enterprise_id="e0", industry="steel", ownership="state"),
            _row(enterprise_id="e1", industry="steel", ownership=None),
        ],
        "studios": [_row(studio_id=studio) for studio in STUDIOS],
        "talents": [
            _row(
                person_id=draw.choice(PEOPLE),
                basis=draw.choice(["medal", "award"]),
                recognised_on=draw.choice(DAYS[::4]),
            )
            for _ in range(draw.randint(1, 4))
        ],
        "mentorships": taught,
        "studio_leads": [stay(draw.choice(STUDIOS)) for _ in some(5)],
        "trainings": [stay(draw.choice([*STUDIOS, "school"])) for _ in some(12)],
        "recognitions": [
            _row(person_id=draw.choice(PEOPLE), level=draw.randint(2, 7), date=day())
            for _ in some(24)
        ],
    }


def side_by_side(seeds: list[int]) -> World:
    """Many worlds as one: each with ids of its own, but for the enterprises."""
    combined: World = {}
    for place, seed in enumerate(seeds):
        for table, rows in random_world(seed).items():
            own = {"person_id", "mentor_id", "apprentice_id", "studio_id", "place_id"}
            combined.setdefault(table, []).extend(
                {
                    name: f"{place:03d}{value}" if name in own else value
                    for name, value in row.items()
                }
                for row in rows
                if table != "enterprises" or place == 0
            )
    return combined


worlds = st.integers(0, 2**32).map(random_world)
policies = st.builds(
    lambda window, **fields: Policy(min(window), max(window), **fields),
    window=st.one_of(st.tuples(days, days), st.just((DAYS[2], DAYS[-1]))),
    generations=st.sampled_from([None, 1, 2, 3, 3, 4, 6]),
    high_skilled_level=st.integers(3, 6),
    ordered=st.sampled_from([True, True, False]),
    channels=st.sampled_from([CHANNELS, CHANNELS, ("mentorship",), ("studio",)]),
    undated=st.sampled_from(["exclude", "include"]),
    as_of=days,
    year_alone=st.sampled_from(YEAR_ALONE),
)


def table_of(found: Driven) -> dict[str, dict[str, Any]]:
    return {row["talent_id"]: row for row in found.talents.to_dicts()}


def generations_in(row: dict[str, Any]) -> dict[int, int]:
    columns = ((name[1:], count) for name, count in row.items() if name[0] == "g")
    return {int(hops): count for hops, count in columns if count}


tried = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@tried
@given(world=worlds, policy=policies)
def test_the_engine_equals_the_brute_force_walk(world: World, policy: Policy) -> None:
    found = measure_driven(snapshot_of(world), policy)
    it_equals_the_walk(found, world, policy)
    it_adds_up(found)
    its_breakdowns_are_right(found, world)


@pytest.fixture(scope="module")
def duckdb() -> Iterator[Engine]:
    """One engine for world after world: to open it costs as much as a world does."""
    with open_engine("duckdb") as engine:
        yield engine


@settings(tried, max_examples=EXAMPLES_DUCKDB)
@given(world=worlds, policy=policies)
def test_duckdb_equals_the_brute_force_walk(duckdb: Engine, world: World, policy: Policy) -> None:
    found = measure_driven(snapshot_of(world), policy, duckdb)
    it_equals_the_walk(found, world, policy)
    it_adds_up(found)
    its_breakdowns_are_right(found, world)


@pytest.mark.parametrize("name", ["polars", "duckdb"])
@settings(tried, max_examples=-(-EXAMPLES_TOGETHER // TOGETHER))
@given(seed=st.integers(0, 2**32), policy=policies)
def test_many_worlds_side_by_side_equal_the_brute_force_walk(
    name: str, seed: int, policy: Policy
) -> None:
    world = side_by_side([seed * TOGETHER + number for number in range(TOGETHER)])
    with open_engine(name) as engine:
        found = measure_driven(snapshot_of(world), policy, engine)
    it_equals_the_walk(found, world, policy)
    it_adds_up(found)
    its_breakdowns_are_right(found, world)


def it_equals_the_walk(found: Driven, world: World, policy: Policy) -> None:
    """Every figure as the brute-force walk finds it."""
    expected = brute_force(world, policy)
    assert found.national | found.reconciliation() == expected["national"]
    got = table_of(found)
    assert list(got) == list(expected["talents"])
    for talent, figures in expected["talents"].items():
        row = got[talent]
        for name in ("driven", "person_times", "pending", *CHAIN_KINDS):
            assert row[name] == figures[name], (talent, name)
        for credit in CREDIT_COLUMNS:
            assert row[credit] == pytest.approx(figures[credit], abs=1e-9), (talent, credit)
        assert generations_in(row) == figures["generations"], talent


def it_adds_up(found: Driven) -> None:
    """The identities that hold whatever the world."""
    national, talents = found.national, found.talents
    persons, times = national["driven_persons"], national["driven_person_times"]
    for credit in CREDIT_COLUMNS:
        assert talents[credit].sum() == pytest.approx(persons, abs=1e-6)
    lines = found.reconciliation()
    assert sum(lines.values()) == times
    assert lines["first_promotions"] == persons
    assert talents["driven"].sum() == national["sum_over_talents"] == found.workers.height
    generations = [name for name in talents.columns if name[0] == "g"]
    for parts in (list(CHAIN_KINDS), generations):
        assert talents.select(pl.sum_horizontal(parts)).to_series().to_list() == (
            talents["driven"].to_list()
        )
    breakdowns = [found.by_generation_and_channel(), found.by_quarter(), found.by("province")]
    for breakdown in breakdowns:
        assert breakdown["driven_persons"].sum() == persons
        assert breakdown["driven_person_times"].sum() == times
        assert {line: breakdown[line].sum() for line in lines} == lines


def its_breakdowns_are_right(found: Driven, world: World) -> None:
    """Each breakdown as counting the lists of workers by hand gives it."""
    employers = {row["enterprise_id"]: row for row in world["enterprises"]}
    of_person = {
        row["person_id"]: row | employers.get(row["enterprise_id"], dict(industry="", ownership=""))
        for row in world["people"]
    }
    pairs = found.workers.select("talent_id", "person_id").rows()
    for attribute in (*PERSON_BREAKDOWNS, *EMPLOYER_BREAKDOWNS):
        expected = Counter(of_person[worker][attribute] for worker in {w for _, w in pairs})
        rows = found.by(attribute).select(pl.col(attribute).fill_null(""), "driven_persons").rows()
        assert {value: count for value, count in rows if count} == expected, attribute
        its_talents_add_up(found, attribute)
    named: dict[str, tuple[str, str]] = {}
    for row in sorted(world["talents"], key=lambda row: (row["recognised_on"], row["basis"])):
        named.setdefault(row["person_id"], (row["basis"], row["recognised_on"][:4]))
    for place, attribute in enumerate(TALENT_BREAKDOWNS):
        together = Counter(value for value, _ in {(named[t][place], w) for t, w in pairs})
        rows = found.by(attribute).select(attribute, "driven_persons").rows()
        assert {value: count for value, count in rows if count} == together, attribute
        its_talents_add_up(found, attribute)


def its_talents_add_up(found: Driven, attribute: str) -> None:
    """What a breakdown says of the talents, in all."""
    part = found.by(attribute)
    assert part["leading_talents"].sum() == found.national["leading_talents"]
    assert part["sum_over_talents"].sum() == found.national["sum_over_talents"]
    for column in (*CREDIT_COLUMNS, "pending"):
        assert part[column].sum() == pytest.approx(found.talents[column].sum(), abs=1e-9)


def world_of(**tables: list[dict[str, str]]) -> World:
    """A small world by hand: p0 is the leading talent."""
    base: World = {name: [] for name in ("mentorships", "studio_leads", "trainings")}
    base["people"] = [_row(person_id=p, name=f"name of {p}", province="11") for p in PEOPLE]
    base["talents"] = [_row(person_id="p0")]
    base["studios"] = [_row(studio_id=studio) for studio in STUDIOS]
    base["recognitions"] = [recognised(p, "2024-06-01") for p in PEOPLE[1:]]
    return base | tables


def recognised(person: str, day: str, level: int = 4) -> dict[str, str]:
    return _row(person_id=person, level=level, date=day)


def taught(mentor: str, apprentice: str, start: str | None) -> dict[str, str]:
    return _row(mentor_id=mentor, apprentice_id=apprentice, start=start)


def stay(person: str, start: str | None, end: str | None) -> dict[str, str]:
    return _row(studio_id="s0", place_id="s0", person_id=person, start=start, end=end)


CHAIN = [taught("p0", "p1", "2023-01-01"), taught("p1", "p2", "2023-02-01")]
BACKWARDS = [taught("p0", "p1", "2023-02-01"), taught("p1", "p2", "2023-01-01")]


@pytest.mark.parametrize(
    ("tables", "policy", "workers"),
    [
        pytest.param({"mentorships": CHAIN}, Policy(), {"p1": 1, "p2": 2}, id="a chain"),
        pytest.param({"mentorships": BACKWARDS}, Policy(), {"p1": 1}, id="starts go back"),
        pytest.param(
            {"mentorships": BACKWARDS},
            Policy(ordered=False),
            {"p1": 1, "p2": 2},
            id="starts go back, unordered",
        ),
        pytest.param(
            {"mentorships": [taught("p0", "p1", "2023-01-01"), taught("p1", "p2", "2023-01-01")]},
            Policy(),
            {"p1": 1, "p2": 2},
            id="two starts on one day",
        ),
        pytest.param(
            {"mentorships": [taught("p0", "p1", "2024-06-01")]},
            Policy(),
            {"p1": 1},
            id="start on the day of the event",
        ),
        pytest.param(
            {"mentorships": [taught("p0", "p1", "2024-06-02")]},
            Policy(),
            {},
            id="start after the event",
        ),
        pytest.param(
            {"mentorships": [*BACKWARDS, taught("p1", "p2", "2023-03-01")]},
            Policy(),
            {"p1": 1, "p2": 2},
            id="the later of two rows of one pair carries on",
        ),
        pytest.param(
            {"mentorships": [taught("p0", "p0", "2023-01-01"), taught("p1", "p0", "2023-01-01")]},
            Policy(),
            {},
            id="self loop, and an apprentice who taught the talent",
        ),
        pytest.param(
            {"mentorships": [taught("p0", "p1", None), taught("p1", "p2", "2023-02-01")]},
            Policy(undated="include"),
            {"p1": 1, "p2": 2},
            id="undated, always been there",
        ),
        pytest.param(
            {"mentorships": [taught("p0", "p1", "2023-01-01"), taught("p1", "p2", None)]},
            Policy(undated="include"),
            {"p1": 1},
            id="undated was there before the dated hop",
        ),
        pytest.param(
            {"mentorships": [taught("p0", "p1", "1600-01-01"), taught("p1", "p2", "1643-01-04")]},
            Policy(),
            {"p1": 1, "p2": 2},
            id="links from the earliest day that is taken",
        ),
        pytest.param(
            {"mentorships": [taught("p0", "p1", None), taught("p1", "p2", "1643-01-04")]},
            Policy(undated="include"),
            {"p1": 1, "p2": 2},
            id="undated, before every date",
        ),
        pytest.param(
            {"mentorships": CHAIN, "recognitions": [recognised("p1", "2023-12-31", 6)]},
            Policy(),
            {},
            id="high-skilled before the window",
        ),
        pytest.param(
            {
                "mentorships": CHAIN,
                "recognitions": [recognised("p1", "2026-12-31"), recognised("p2", "2027-01-01")],
            },
            Policy(),
            {"p1": 1},
            id="the window's last day counts",
        ),
        pytest.param(
            {
                "studio_leads": [stay("p0", "2022-01-01", "2023-01-01")],
                "trainings": [stay("p1", "2023-01-01", None), stay("p2", "2023-01-02", None)],
            },
            Policy(),
            {"p1": 1},
            id="studio periods that touch on a day overlap",
        ),
        pytest.param(
            {
                "studio_leads": [stay("p0", None, "2023-01-01")],
                "trainings": [stay("p1", "2022-01-01", None), stay("p2", "2024-01-02", None)],
            },
            Policy(undated="include"),
            {"p1": 1},
            id="unknown start of a lead is open",
        ),
        pytest.param(
            {
                "studio_leads": [stay("p0", "2024-05-01", "2024-03-01")],
                "trainings": [stay("p1", "2024-01-01", "2024-12-31")],
            },
            Policy(),
            {},
            id="a period that ends before it starts overlaps nothing",
        ),
        pytest.param(
            {
                "studio_leads": [stay("p0", "2022-01-01", None)],
                "trainings": [stay("p0", "2022-02-01", None), stay("p1", "2022-02-01", None)],
            },
            Policy(),
            {"p1": 1},
            id="one who leads and trains at one studio",
        ),
    ],
)
def test_by_hand(
    tables: dict[str, list[dict[str, str]]], policy: Policy, workers: dict[str, int]
) -> None:
    found = measure_driven(snapshot_of(world_of(**tables)), policy)
    assert dict(found.workers.select("person_id", "generation").rows()) == workers


def test_person_times_count_each_rise_once_at_the_days_highest() -> None:
    found = measure_driven(
        snapshot_of(
            world_of(
                mentorships=CHAIN,
                recognitions=[
                    recognised("p1", "2024-06-01", 4),
                    recognised("p1", "2024-06-01", 5),
                    recognised("p1", "2025-06-01", 5),
                    recognised("p1", "2026-06-01", 6),
                    recognised("p2", "2023-06-01", 4),
                    recognised("p2", "2024-06-01", 5),
                ],
            )
        ),
        DEFAULT_POLICY,
    )
    assert found.national["driven_persons"] == 1
    assert found.national["driven_person_times"] == 3
    assert found.reconciliation() == {
        "first_promotions": 1,
        "further_promotions": 1,
        "high_skilled_before": 1,
        "later_promotions": 0,
    }


def test_the_table_has_the_columns_others_script_against() -> None:
    head = ["talent_id", "name", "driven", "person_times"]
    tail = ["pending", "equal", "nearest", "decay"]
    snapshot = snapshot_of(world_of(mentorships=CHAIN))
    expected = {1: 3, 3: 3, 6: 6, None: 3}
    for generations, columns in expected.items():
        table = measure_driven(snapshot, Policy(generations=generations)).table()
        assert table.columns == [*head, *(f"g{g}" for g in range(1, columns + 1)), *tail]
    assert table.row(0)[:3] == ("p0", "name of p0", 2)


def test_the_lists_behind_a_talent() -> None:
    links = [*CHAIN, taught("p2", "p3", "2023-03-01"), taught("p2", "p4", "2027-01-01")]
    world = world_of(mentorships=links)
    world["recognitions"] = [recognised("p1", "2024-06-01"), recognised("p2", "2024-07-01")]
    found = measure_driven(snapshot_of(world), Policy(as_of=date(2026, 1, 1)))
    assert found.workers_of("p0")["person_id"].to_list() == ["p1", "p2"]
    assert found.workers_of("p0")["day"].to_list() == [date(2024, 6, 1), date(2024, 7, 1)]
    assert found.waiting_of("p0").rows() == [("p0", "p3")]
    assert found.workers_of("p1").height == 0


def test_a_world_with_no_links_and_one_with_no_talent() -> None:
    alone = measure_driven(snapshot_of(world_of()), DEFAULT_POLICY)
    assert alone.national["driven_persons"] == 0
    assert alone.table().row(0)[2:] == (0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0)
    for generations in (3, None):
        policy = Policy(generations=generations)
        nobody = measure_driven(snapshot_of(world_of(talents=[], mentorships=CHAIN)), policy)
        assert nobody.table().height == 0
        assert nobody.national["leading_talents"] == 0
        it_adds_up(nobody)


def test_it_refuses_what_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BYTES_PER_STEP", 10**15)
    with pytest.raises(UsageError, match="Generation 1 takes 1 steps"):
        measure_driven(snapshot_of(world_of(mentorships=CHAIN)), DEFAULT_POLICY)


def test_it_is_in_the_registry() -> None:
    measured: Callable[..., Any] = METRICS["driven"].load()
    assert measured is measure_driven
