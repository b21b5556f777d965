"""New mentorships: who may be paired, and the choice against every other one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import combinations, product
from math import e
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graph.errors import UsageError
from graph.forecast.history import compute_driven_history
from graph.forecast.pairing import PairingRules, choose_links, compute_pairing
from graph.policy import Policy
from graph.programme.notebook import Notebook
from graph.programme.pair_decisions import (
    build_mentorship_changes,
    format_pair,
    list_mentorships_to_start,
)
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
    found = compute_pairing(network, POLICY, PairingRules(links=1_000))
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
    again = compute_pairing(network, POLICY, PairingRules(links=10))
    assert again.links["apprentice_id"].to_list() == links["apprentice_id"][:10].to_list()
    one = compute_pairing(network, POLICY, PairingRules(links=1_000, province="32")).links
    assert set(one["province"]) == {"32"}


def test_wrong_rules_are_said(network: Snapshot) -> None:
    for wrong in ({"links": 0}, {"capacity": 0}):
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
    assert build_mentorship_changes(found).rows()[0] == ("begin_mentorship", day, "P1", "P2")
    # Who is erased is in no pair any more.
    assert erase_notebook_entries(tmp_path, TermMatcher(PersonTerms(("P2",)))) == 2
    assert list_mentorships_to_start(notebook).rows() == [("P5", "P6", day)]
