"""New mentorships: who may be paired, and the choice against every other one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import combinations, combinations_with_replacement, product
from math import e
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graph.errors import UsageError
from graph.forecast.coverage_choice import (
    ChosenMeasures,
    MeasureLimits,
    choose_links,
    choose_measures,
)
from graph.forecast.history import compute_driven_history
from graph.forecast.new_studios import MEMBER_COLUMNS
from graph.forecast.pairing import compute_pairing, find_pairing_options
from graph.forecast.pairing_rules import PairingRules
from graph.policy import Policy
from graph.programme.notebook import Notebook
from graph.programme.pair_decisions import (
    StudioToOpen,
    build_accepted_changes,
    count_accepted_members,
    find_other_members,
    format_pair,
    list_mentorships_to_start,
    put_accepted_members,
)
from graph.scenario.changes import parse_changes
from graph.snapshot.frames import Snapshot
from loaders.erasure.erasure_order import PersonTerms
from loaders.erasure.person_traces import erase_notebook_entries
from loaders.erasure.term_matcher import TermMatcher
from tests.unit.forecast_networks import LAST_DAY, make_network

POLICY = Policy(as_of=LAST_DAY)
OFFERS = {
    "person": pl.Int32,
    "cell": pl.UInt32,
    "free": pl.Int64,
    "record": pl.Float64,
}
SEEKERS = {"person": pl.Int32, "cell": pl.UInt32, "chance": pl.Float64}


def make_options(
    seed: int, *, records: bool, families: int
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Few mentors, of up to so many families, and people to be paired; and how many links."""
    random = np.random.default_rng(seed)
    offers = []
    for mentor in range(3):
        record = float(random.uniform(0.6, 1.8)) if records else 1.0
        free = int(random.integers(1, 3))
        for cell in random.choice(2, random.integers(1, families + 1), replace=False):
            offers.append((mentor, int(cell), free, record))
    seekers = [
        (10 + n, int(random.integers(0, 2)), float(random.uniform(0.05, 0.9))) for n in range(4)
    ]
    return (
        pl.DataFrame(offers, OFFERS, orient="row"),
        pl.DataFrame(seekers, SEEKERS, orient="row"),
        int(random.integers(1, 4)),
    )


def list_values(offers: pl.DataFrame, seekers: pl.DataFrame) -> dict[tuple[int, int], float]:
    pairs = offers.join(seekers, on="cell", suffix="_sought")
    return {
        (row["person"], row["person_sought"]): 1 - (1 - row["chance"]) ** row["record"]
        for row in pairs.iter_rows(named=True)
    }


def find_best(offers: pl.DataFrame, seekers: pl.DataFrame, most: int) -> float:
    """The largest f(S) of all sets of links that the places allow."""
    values = list_values(offers, seekers)
    free = dict(offers.select("person", "free").rows())
    best = 0.0
    for size in range(1, most + 1):
        for links in combinations(values, size):
            taken = [mentor for mentor, _ in links]
            if any(taken.count(mentor) > free[mentor] for mentor in taken):
                continue
            people = {person for _, person in links}
            total = sum(max(values[link] for link in links if link[1] == p) for p in people)
            best = max(best, total)
    return best


@pytest.mark.parametrize("seed", range(60))
def test_equal_records_of_one_family_are_paired_best(seed: int) -> None:
    offers, seekers, most = make_options(seed, records=False, families=1)
    found = choose_links(offers, seekers, most)
    assert sum(gain for *_, gain in found) == pytest.approx(find_best(offers, seekers, most))


@pytest.mark.parametrize("seed", range(60))
def test_the_choice_is_near_the_best_and_keeps_to_the_places(seed: int) -> None:
    offers, seekers, most = make_options(seed, records=True, families=2)
    found = choose_links(offers, seekers, most)
    values = list_values(offers, seekers)
    free = dict(offers.select("person", "free").rows())
    assert len(found) <= most and len({person for _, person, _ in found}) == len(found)
    for mentor, person, gain in found:
        assert gain == pytest.approx(values[mentor, person])
    for mentor in free:
        assert sum(m == mentor for m, *_ in found) <= free[mentor]
    best = find_best(offers, seekers, most)
    assert sum(gain for *_, gain in found) >= best / 2 - 1e-12
    many = offers.with_columns(free=pl.lit(9, pl.Int64))
    unbound = sum(gain for *_, gain in choose_links(many, seekers, most))
    assert unbound >= (1 - 1 / e) * find_best(many, seekers, most)


def test_the_lazy_choice_is_the_plain_greedy_one() -> None:
    for seed in range(40):
        offers, seekers, most = make_options(seed, records=True, families=2)
        values, free = (
            list_values(offers, seekers),
            dict(offers.select("person", "free").rows()),
        )
        gains = []
        for _ in range(most):
            open_links = {link: value for link, value in values.items() if free[link[0]] > 0}
            if not open_links:
                break
            mentor, person = max(open_links, key=lambda link: open_links[link])
            gains.append(values[mentor, person])
            free[mentor] -= 1
            values = {link: value for link, value in values.items() if link[1] != person}
        assert [gain for *_, gain in choose_links(offers, seekers, most)] == pytest.approx(gains)


# --- studios ------------------------------------------------------------------------------------

Element = tuple[int, frozenset[int]]  # a leader and members, or a mentor and one apprentice


def make_measures(
    seed: int, *, records: bool, families: int
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, MeasureLimits]:
    """As `make_options`, and two leaders who may open a studio; the limits."""
    offers, seekers, links = make_options(seed, records=records, families=families)
    random = np.random.default_rng([seed, 1])
    seekers = seekers.with_columns(
        studio_chance=pl.Series(random.uniform(0.05, 0.9, seekers.height))
    )
    founders = [
        (20 + leader, int(cell), float(random.uniform(0.6, 1.8)) if records else 1.0)
        for leader in range(2)
        for cell in random.choice(2, random.integers(1, families + 1), replace=False)
    ]
    records_of = {person: record for person, _, record in founders}
    rows = [(person, cell, records_of[person]) for person, cell, _ in founders]
    kinds = {name: OFFERS[name] for name in ("person", "cell", "record")}
    limits = MeasureLimits(links, int(random.integers(1, 3)), int(random.integers(1, 4)))
    return offers, seekers, pl.DataFrame(rows, kinds, orient="row"), limits


def list_studio_values(
    founders: pl.DataFrame, seekers: pl.DataFrame, members: int
) -> dict[Element, dict[int, float]]:
    """Every studio that a leader could open, and what it is worth to each member."""
    found = {}
    for leader, cell, record in founders.rows():
        chances = dict(seekers.filter(cell=cell).select("person", "studio_chance").rows())
        for group in combinations(chances, min(members, len(chances))):
            values = {person: 1 - (1 - chances[person]) ** record for person in group}
            found[leader, frozenset(group)] = values
    return found


def list_link_values(
    offers: pl.DataFrame, seekers: pl.DataFrame
) -> dict[Element, dict[int, float]]:
    values = list_values(offers, seekers)
    return {(m, frozenset((a,))): {a: value} for (m, a), value in values.items()}


def value_set(chosen: list[dict[int, float]]) -> float:
    """f(S): of each person the largest value."""
    people = {person for values in chosen for person in values}
    return sum(max(values.get(person, 0.0) for values in chosen) for person in people)


def sum_gains(found: ChosenMeasures) -> float:
    return sum(gain for *_, gain in found.links) + sum(studio.gain for studio in found.studios)


def find_best_measures(
    links: dict[Element, dict[int, float]],
    studios: dict[Element, dict[int, float]],
    free: dict[int, int],
    limits: MeasureLimits,
) -> float:
    """The largest f of all sets of links and studios that the limits and places allow."""
    openings = [
        chosen
        for size in range(limits.studios + 1)
        for chosen in combinations(studios, size)
        if len({leader for leader, _ in chosen}) == size
    ]
    begun = [
        chosen
        for size in range(limits.links + 1)
        for chosen in combinations(links, size)
        if all([m for m, _ in chosen].count(m) <= free[m] for m, _ in chosen)
    ]
    return max(
        value_set([studios[one] for one in opened] + [links[one] for one in chosen])
        for opened in openings
        for chosen in begun
    )


@pytest.mark.parametrize("seed", range(40))
def test_studios_of_equal_leaders_of_one_family_are_the_best(seed: int) -> None:
    offers, seekers, founders, limits = make_measures(seed, records=False, families=1)
    alone = replace(limits, links=0)
    found = choose_measures(offers, seekers, founders, alone)
    studios = list_studio_values(founders, seekers, limits.members)
    assert not found.links
    assert sum_gains(found) == pytest.approx(find_best_measures({}, studios, {}, alone))


@pytest.mark.parametrize("seed", range(25))
def test_links_and_studios_together_are_near_the_best(seed: int) -> None:
    offers, seekers, founders, limits = make_measures(seed, records=True, families=2)
    limits = replace(limits, links=min(limits.links, 2))
    found = choose_measures(offers, seekers, founders, limits)
    assert len(found.links) <= limits.links and len(found.studios) <= limits.studios
    assert len({studio.leader for studio in found.studios}) == len(found.studios)
    links = list_link_values(offers, seekers)
    studios = list_studio_values(founders, seekers, limits.members)
    worth = [links[m, frozenset((a,))] for m, a, _ in found.links]
    chances = dict(seekers.select("person", "studio_chance").rows())
    records = dict(founders.select("person", "record").rows())
    for studio in found.studios:
        assert len(studio.members) <= limits.members
        worth.append({p: 1 - (1 - chances[p]) ** records[studio.leader] for p, _ in studio.members})
    assert sum_gains(found) == pytest.approx(value_set(worth))
    free = dict(offers.select("person", "free").rows())
    best = find_best_measures(links, studios, free, limits)
    assert sum_gains(found) >= best / 2 - 1e-12
    # By number alone, as if a leader could open any number of studios.
    copies = pl.concat(
        founders.with_columns(pl.col("person") + 100 * n) for n in range(limits.studios)
    )
    unbound = choose_measures(offers, seekers, copies, replace(limits, links=0))
    sets = combinations_with_replacement(studios.values(), limits.studios)
    assert sum_gains(unbound) >= (1 - 1 / e) * max(map(value_set, map(list, sets)))


@pytest.mark.parametrize("seed", range(40))
def test_links_and_studios_are_chosen_as_by_the_plain_greedy_way(seed: int) -> None:
    offers, seekers, founders, limits = make_measures(seed, records=True, families=2)
    links = list_link_values(offers, seekers)
    studios = list_studio_values(founders, seekers, limits.members)
    free = dict(offers.select("person", "free").rows())
    taken: list[dict[int, float]] = []
    left = {"links": limits.links, "studios": limits.studios}
    while True:
        options = [(value_set([*taken, v]), "links", key) for key, v in links.items()]
        options += [(value_set([*taken, v]), "studios", key) for key, v in studios.items()]
        options = [
            (value, kind, key)
            for value, kind, key in options
            if left[kind] and (kind == "studios" or free[key[0]] > 0)
        ]
        if not options:
            break
        value, kind, key = max(options, key=lambda option: option[0])
        if value <= value_set(taken) + 1e-15:
            break
        taken.append((links if kind == "links" else studios)[key])
        left[kind] -= 1
        if kind == "links":
            free[key[0]] -= 1
        else:
            studios = {one: values for one, values in studios.items() if one[0] != key[0]}
    found = choose_measures(offers, seekers, founders, limits)
    assert sum_gains(found) == pytest.approx(value_set(taken))


@pytest.fixture(scope="module")
def network() -> Snapshot:
    """A network with people that no chain has reached, in three provinces of one trade."""
    made = make_network("constant", people=6_000, talents=60)
    people = made.frames["people"].collect()
    n, extra = people.height, 90
    more = people.head(extra).with_columns(
        person_id=pl.format("N{}", pl.int_range(pl.len())),
        person=pl.int_range(n, n + extra, dtype=pl.Int32),
        leading=pl.lit(False),
    )
    people = pl.concat([people, more]).with_columns(
        birth_date=pl.lit(date(1980, 1, 1)),
        sex=pl.lit("male"),
        retirement_category=pl.lit(None, pl.String),
        retired_on=pl.when(pl.col("person_id") == "N0").then(pl.lit(date(2020, 1, 1))),
    )
    promotions = made.frames["promotions"].collect()
    levels = promotions.group_by("person").agg(pl.col("level").max())
    talents = pl.col("leading")
    people = people.join(levels, on="person", how="left").with_columns(
        level=pl.when(talents).then(pl.lit(6, pl.Int8)).otherwise(pl.col("level").fill_null(0))
    )
    low = pl.DataFrame(
        {"person": more["person"], "day": [date(2024, 1, 1)] * extra, "level": [3] * extra}
    ).with_columns(pl.col("level").cast(pl.Int8), before=pl.lit(0, pl.Int8))
    dates = dict.fromkeys(("start", "end", "service_until", "retirement_postponed_until"), pl.Date)
    employments = pl.LazyFrame(schema={"person": pl.Int32, "reemployed": pl.Boolean, **dates})
    edges = made.frames["edges"].select("mentor", "apprentice", "start").collect()
    mentored = pl.DataFrame(
        {"mentor": [0], "apprentice": [n + 1], "start": [date(2026, 6, 1)]},
        schema=edges.schema,
    )
    mentorships = pl.concat([edges, mentored]).with_columns(
        end=pl.when(pl.col("start") < date(2026, 1, 1)).then(pl.lit(date(2026, 1, 31))),
        status=pl.lit(None, pl.String),
    )
    frames = {
        **made.frames,
        "people": people.lazy(),
        "promotions": pl.concat([promotions, low.select(promotions.columns)]).lazy(),
        "employments": employments,
        "mentorships": mentorships.lazy(),
    }
    return replace(made, frames=frames)


def test_who_is_paired(network: Snapshot) -> None:
    found = compute_pairing(network, POLICY, PairingRules(links=1_000, studios=0))
    links = found.links
    seeking = set(links["apprentice_id"])
    # Of the newcomers all but who is retired (N0) and who has a mentor (N1) seek one.
    assert {id for id in seeking if id[0] == "N"} == {f"N{n}" for n in range(2, 90)}
    reached = compute_driven_history(network, POLICY).reached.select("person")
    ids = network.frames["people"].select("person", "person_id").collect()
    assert seeking.isdisjoint(ids.join(reached, on="person")["person_id"])
    people = network.frames["people"].collect()
    at = dict(people.select("person_id", pl.struct("province", "occupation_code", "level")).rows())
    for row in links.iter_rows(named=True):
        mentor, apprentice = at[row["mentor_id"]], at[row["apprentice_id"]]
        assert mentor["province"] == apprentice["province"] and mentor["level"] >= 4
        assert mentor["occupation_code"][:4] == apprentice["occupation_code"][:4]
        assert row["gain"] == pytest.approx(1 - (1 - row["chance"]) ** row["record"])
    taken = links.group_by("mentor_id").agg(pl.len(), pl.col("training").first())
    assert (taken["len"] + taken["training"]).max() <= 3  # type: ignore[operator]
    assert links["gain"].to_list() == sorted(links["gain"], reverse=True)
    assert found.expected == pytest.approx(links["gain"].sum())
    assert found.low <= found.expected <= found.high
    again = compute_pairing(network, POLICY, PairingRules(links=10, studios=0))
    assert again.links["apprentice_id"].to_list() == links["apprentice_id"][:10].to_list()
    rules = PairingRules(links=1_000, studios=0, province="32")
    assert set(compute_pairing(network, POLICY, rules).links["province"]) == {"32"}


def test_who_may_have_left_by_then_counts_half(network: Snapshot) -> None:
    # As a worker she leaves in November 2026, as a cadre in October 2032.
    women = network.frames["people"].with_columns(
        birth_date=pl.lit(date(1976, 3, 5)), sex=pl.lit("female")
    )
    rules = PairingRules()
    full, half = (
        find_pairing_options(one, POLICY, rules)
        for one in (network, replace(network, frames=network.frames | {"people": women}))
    )
    for part, columns in (("seekers", ("chance", "studio_chance")), ("offers", ("record",))):
        rows, halved = (getattr(one, part).unique("person").sort("person") for one in (full, half))
        assert rows["person"].to_list() == halved["person"].to_list() != []
        for column in columns:
            assert halved[column].to_list() == pytest.approx((rows[column] / 2).to_list())


def test_which_studios_open(network: Snapshot) -> None:
    rules = PairingRules(links=20, capacity=1_000, studios=4, members=6)
    before = compute_pairing(network, POLICY, rules)
    # The first leader leads a studio by now; of another one it is over.
    first, second = before.studios["leader_id"][:2]
    people = network.frames["people"].collect()
    number = dict(people.select("person_id", "person").rows())
    leads = pl.LazyFrame(
        {
            "person": [number[first], number[second]],
            "studio_id": ["S1", "S2"],
            "start": [date(2020, 1, 1)] * 2,
            "end": [None, date(2024, 1, 1)],
        },
        {"person": pl.Int32, "studio_id": pl.String, "start": pl.Date, "end": pl.Date},
    )
    changed = replace(network, frames={**network.frames, "leads": leads})
    founders = find_pairing_options(changed, POLICY, rules).founders["person"].to_list()
    assert number[first] not in founders and number[second] in founders
    at = dict(people.select("person_id", pl.struct(pl.exclude("person_id"))).rows())
    assert before.studios.height == 4 == before.studios["leader_id"].n_unique()
    for row in before.studios.iter_rows(named=True):
        leader, mine = at[row["leader_id"]], before.members.filter(leader_id=row["leader_id"])
        assert leader["leading"] and row["host_id"] == leader["enterprise_id"]
        assert 0 < mine.height == row["members"] <= 6
        assert mine["gain"].sum() == pytest.approx(row["gain"])
        for member in map(at.__getitem__, mine["person_id"]):
            assert member["province"] == leader["province"] and member["level"] < 4
            assert member["occupation_code"][:4] == leader["occupation_code"][:4] == row["family"]
    total = before.links["gain"].sum() + before.studios["gain"].sum()
    assert before.expected == pytest.approx(total)
    assert before.low <= before.expected <= before.high
    uncounted = replace(POLICY, channels=("mentorship",))
    assert compute_pairing(network, uncounted, rules).studios.is_empty()
    alone = compute_pairing(network, replace(POLICY, channels=("studio",)), replace(rules, links=0))
    assert alone.links.is_empty() and not alone.studios.is_empty()


def test_without_studios_nobody_counts_whom_only_a_studio_reaches(network: Snapshot) -> None:
    asked = PairingRules(links=5, capacity=1_000, studios=0)
    options = find_pairing_options(network, POLICY, asked)
    assert options.founders.is_empty() and not options.offers.is_empty()
    assert {*options.seekers["cell"]} <= {*options.offers["cell"]}
    both = find_pairing_options(network, POLICY, replace(asked, studios=5))
    assert not both.founders.is_empty()


def test_wrong_rules_are_said(network: Snapshot) -> None:
    for wrong in (
        {"links": -1},
        {"capacity": 0},
        {"studios": -1},
        {"members": 0},
        {"links": 0, "studios": 0},
    ):
        with pytest.raises(UsageError):
            PairingRules(**wrong)
    with pytest.raises(UsageError, match="count chains of mentorships"):
        compute_pairing(network, replace(POLICY, channels=("studio",)))


def test_accepted_pairs_are_mentorships_to_start(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path)
    pairs = [("P1", "P2"), ("P3", "P4"), ("P5", "P6")]
    for (mentor, apprentice), verdict in product(pairs, ("rejected", "accepted")):
        body = {"verdict": verdict, "note": "", "start": "2026-12-01"}
        notebook.add("decision", "me", f"pairing:{format_pair(mentor, apprentice)}", body)
    notebook.add("decision", "me", f"pairing:{format_pair('P3', 'P4')}", {"verdict": "open"})
    notebook.add("decision", "me", "targets:P9", {"verdict": "accepted"})
    found = list_mentorships_to_start(notebook)
    day = date(2026, 12, 1)
    assert found.rows() == [("P1", "P2", day), ("P5", "P6", day)]
    first = build_accepted_changes(notebook).row(0)
    assert first == ("begin_mentorship", day, "P1", "P2", None, None)
    # Who is erased is in no pair any more.
    assert erase_notebook_entries(tmp_path, TermMatcher(PersonTerms(("P2",)))) == 2
    assert list_mentorships_to_start(notebook).rows() == [("P5", "P6", day)]


def test_an_accepted_studio_is_filed_with_the_members_it_was_accepted_with() -> None:
    day = date(2026, 12, 1)
    names = {"A": ("P1", "P2"), "B": ("P3", "P4"), "C": ("P5",)}
    members = pl.DataFrame(
        [
            (rank, leader, id, f"name of {id}", 0.5, 0.4, 3, "6-18", "32", "E1")
            for rank, (leader, ids) in enumerate(names.items(), start=1)
            for id in ids
        ],
        list(MEMBER_COLUMNS),
        orient="row",
    )
    accepted = [
        StudioToOpen("A", day, "32", ("P2", "P1")),
        StudioToOpen("B", day, "32", ("P3", "P8", "P9")),
        StudioToOpen("Z", day, "32", ("P9",)),
    ]
    others = find_other_members(members, accepted)
    assert [*others] == ["B"]
    people = members.select("person_id", "person", "level", "occupation_code", "province")
    people = pl.concat([people, people.head(2).with_columns(person_id=pl.Series(["P8", "P9"]))])
    people = people.with_columns(enterprise_id=pl.lit("E2"))
    filed = put_accepted_members(members, others, people)
    assert filed.columns == members.columns
    assert filed.select("rank", "leader_id", "person_id", "gain").rows() == [
        (1, "A", "P1", 0.5),
        (1, "A", "P2", 0.5),
        (2, "B", "P3", 0.5),
        (2, "B", "P8", None),
        (2, "B", "P9", None),
        (3, "C", "P5", 0.5),
    ]
    studios = pl.DataFrame({"leader_id": ["A", "B"], "members": [2, 2], "gain": [1.0, 1.0]})
    counted = count_accepted_members(studios, others).rows()
    assert counted == [("A", 2, 1.0), ("B", 3, None)]


def test_an_accepted_studio_opens_with_its_members(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path)
    body = {"start": "2026-12-01", "members": ["P00000002", "P00000003"], "province": "32"}
    for leader, verdict in (("P00000001", "accepted"), ("P00000009", "rejected")):
        notebook.add("decision", "me", f"new_studios:{leader}", {"verdict": verdict, **body})
    changes = parse_changes(build_accepted_changes(notebook).to_dicts())
    assert [(c.kind, c.person_id, c.studio_id, c.province) for c in changes] == [
        ("open_studio", "P00000001", "new-P00000001", "32"),
        ("begin_training", "P00000002", "new-P00000001", ""),
        ("begin_training", "P00000003", "new-P00000001", ""),
    ]
    assert {change.on for change in changes} == {date(2026, 12, 1)}
    # A member who is erased is no member any more; a studio without its leader is none.
    erase_notebook_entries(tmp_path, TermMatcher(PersonTerms(("P00000003",))))
    assert build_accepted_changes(notebook)["person_id"].to_list() == ["P00000001", "P00000002"]
    erase_notebook_entries(tmp_path, TermMatcher(PersonTerms(("P00000001",))))
    assert build_accepted_changes(notebook).is_empty()
