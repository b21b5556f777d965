"""Why: the verdict against the engine and the walk by hand; each chain, each reason, each row.

`SHICHENG_EXAMPLES` sets how many random worlds are tried (default 300).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise, product
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from graph.driven.figures import measure_driven
from graph.errors import UsageError
from graph.evidence.answer import explain_pair
from graph.evidence.ledger_rows import list_ledger_rows
from graph.evidence.reasons import REASONS, Explanation, Hop, PromotionEvent
from graph.evidence.verdict import build_relaxed_policies, explain_pairs
from graph.policy import CHANNELS, DEFAULT_POLICY, Policy
from graph.snapshot.frames import Snapshot
from tests.conformance.brute_force import World, read_world
from tests.conformance.test_conformance import CASES, EXPECTED, policy_named
from tests.conformance.worlds import snapshot_of
from tests.unit.test_driven import EXAMPLES, policies, worlds

OF_CHAINS = [rule.reason for rule in build_relaxed_policies(DEFAULT_POLICY)] + ["too_late"]


def all_pairs(snapshot: Snapshot) -> pl.DataFrame:
    people = snapshot.frames["people"].select("person_id").collect()["person_id"].to_list()
    both = list(product(people, people))
    return pl.DataFrame(both, schema=["talent_id", "worker_id"], orient="row")


def it_obeys(chain: tuple[Hop, ...], why: Explanation, policy: Policy, by: date | None) -> None:
    """Rule by rule, from the definitions."""
    assert chain[0].mentor == why.talent_id and chain[-1].apprentice == why.worker_id
    assert all(hop.apprentice == onward.mentor for hop, onward in pairwise(chain))
    assert policy.generations is None or len(chain) <= policy.generations
    assert {hop.channel for hop in chain} <= set(policy.channels)
    if policy.undated == "exclude":
        assert all(hop.start for hop in chain)
    starts = [hop.start or date.min for hop in chain]
    if policy.ordered:
        assert starts == sorted(starts)
        assert by is None or starts[-1] <= by


def its_rows_state_it(chain: tuple[Hop, ...], world: World) -> None:
    """Each row named is the row of that line, of these two people."""
    people: dict[str, Any] = {
        "mentorships": lambda row: (row["mentor_id"], row["apprentice_id"]),
        "studio_leads": lambda row: (row["person_id"], None),
        "trainings": lambda row: (None, row["person_id"]),
    }
    for hop in chain:
        tables = {row.table for row in hop.rows}
        taught = hop.channel == "mentorship"
        assert tables == ({"mentorships"} if taught else {"studio_leads", "trainings"})
        assert (hop.studio is None) == taught
        for row in hop.rows:
            assert row.row is not None and row.file == f"{row.table}.csv"
            stated = people[row.table](world[row.table][row.row - 2])
            assert all(
                who in (None, end)
                for who, end in zip(stated, (hop.mentor, hop.apprentice), strict=True)
            )


def it_agrees(world: World, policy: Policy) -> None:
    """Every pair of the world, both ways; every chain, reason and row looked at."""
    snapshot = snapshot_of(world)
    driven = measure_driven(snapshot, policy)
    expected = {(r["talent_id"], r["person_id"]): r for r in driven.workers.to_dicts()}
    waiting = set(
        driven.waiting_of(*driven.talents["talent_id"]).select("talent_id", "person_id").rows()
    )
    pairs = all_pairs(snapshot)
    for row in explain_pairs(snapshot, policy, pairs).iter_rows(named=True):
        pair = row["talent_id"], row["worker_id"]
        assert row["counts"] == (pair in expected) == (row["reason"] is None)
        assert row["pending"] == (pair in waiting)
        if pair in expected:
            assert row["generation"] == expected[pair]["generation"]
            assert row["channel"] == expected[pair]["channel"]
            assert row["day"] == expected[pair]["day"]
    # One at a time is slow: those of one talent, and of somebody else.
    times = dict(driven.talents.select("talent_id", "person_times").head(1).rows())
    counted = dict.fromkeys(times, 0)
    for pair in pairs.filter(pl.col("talent_id").is_in([*times, "p0"])).rows():
        answer = explain_pair(snapshot, policy, *pair)
        assert answer.counts == (pair in expected)
        if answer.talent_id in counted:
            counted[answer.talent_id] += sum(event.counts for event in answer.events)
        for chain in answer.chains:
            it_obeys(chain, answer, policy, answer.arrived_by)
            its_rows_state_it(chain, world)
        assert len(set(answer.chains)) == len(answer.chains)
        lengths = [len(chain) for chain in answer.chains]
        assert lengths == sorted(lengths)
        if answer.counts:
            assert lengths[0] == answer.generation and answer.reason is None
        else:
            its_reason_holds(answer, policy)
    assert counted == times


def its_reason_holds(answer: Explanation, policy: Policy) -> None:
    assert answer.reason in REASONS
    for language in ("en", "zh"):
        assert "{" not in answer.sentence(language)
    if answer.reason not in OF_CHAINS[1:]:
        assert not answer.failing
        return
    place = OF_CHAINS.index(answer.reason)
    it_obeys(answer.failing, answer, build_relaxed_policies(policy)[place - 1].policy, None)
    broken = policy if place == len(OF_CHAINS) - 1 else build_relaxed_policies(policy)[place].policy
    with pytest.raises(AssertionError):
        it_obeys(answer.failing, answer, broken, answer.first_high)


@settings(
    max_examples=max(EXAMPLES // 10, 1),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(world=worlds, policy=policies)
def test_why_agrees_with_the_engine(world: World, policy: Policy) -> None:
    it_agrees(world, policy)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_why_agrees_on_the_hostile_folders(case: Any) -> None:
    world = read_world(case)
    snapshot = snapshot_of(world)
    names = [name for of, name, _ in EXPECTED if of == case]
    for name in names:
        policy = replace(policy_named(name), as_of=date(2026, 12, 31))
        answers = explain_pairs(snapshot, policy, all_pairs(snapshot))
        driven = measure_driven(snapshot, policy).workers.select("talent_id", "person_id")
        counted = answers.filter("counts").select("talent_id", person_id="worker_id")
        assert counted.sort(pl.all()).equals(driven.sort(pl.all()))


# --- each reason, by hand ---------------------------------------------------------------------

STANDING: World = {
    "people": [{"person_id": p, "name": p} for p in ("t", "a", "b", "c", "w", "x")],
    "talents": [{"person_id": "t"}],
    "studios": [{"studio_id": "s"}],
    "studio_leads": [],
    "trainings": [],
    "mentorships": [],
    "recognitions": [],
}


def taught(*links: tuple[str, str, str]) -> list[dict[str, str]]:
    return [
        {"mentor_id": mentor, "apprentice_id": apprentice, "start": start, "end": ""}
        for mentor, apprentice, start in links
    ]


def recognised(*events: tuple[str, int, str]) -> list[dict[str, str]]:
    return [{"person_id": p, "level": str(level), "date": day} for p, level, day in events]


SENIOR = recognised(("w", 4, "2025-06-01"))
STUDIO = {
    "studio_leads": [{"studio_id": "s", "person_id": "t", "start": "2020-01-01", "end": ""}],
    "trainings": [{"person_id": "w", "place_id": "s", "start": "2021-01-01", "end": "2022-01-01"}],
}
POLICY = Policy(as_of=date(2026, 11, 24))
MENTORS_ALONE = replace(POLICY, channels=("mentorship",))
FOUR = taught(
    ("t", "a", "2018-01-01"),
    ("a", "b", "2019-01-01"),
    ("b", "c", "2020-01-01"),
    ("c", "w", "2021-01-01"),
)
BY_HAND: list[tuple[str, World, Policy, str]] = [
    ("never_high_skilled", {"recognitions": recognised(("w", 3, "2025-06-01"))}, POLICY, "level 4"),
    ("pending", {"mentorships": taught(("t", "w", "2021-01-01"))}, POLICY, "2026-12-31"),
    (
        "high_skilled_before",
        {"recognitions": recognised(("w", 4, "2023-12-31"))},
        POLICY,
        "2023-12-31, before the window, which begins on 2024-01-01",
    ),
    (
        "high_skilled_after",
        {"recognitions": recognised(("w", 5, "2027-01-01"))},
        POLICY,
        "2027-01-01, after the window",
    ),
    (
        "no_chain",
        {"recognitions": SENIOR, "mentorships": taught(("w", "t", "2020-01-01"))},
        POLICY,
        "No chain of any length",
    ),
    (
        "too_many_hops",
        {"recognitions": SENIOR, "mentorships": FOUR},
        POLICY,
        "more than 3 hops: the shortest has 4",
    ),
    ("undated", {"recognitions": SENIOR, "mentorships": taught(("t", "w", ""))}, POLICY, "t to w"),
    ("channel", {"recognitions": SENIOR, **STUDIO}, MENTORS_ALONE, "t to w is a studio link"),
    (
        "back_in_time",
        {
            "recognitions": SENIOR,
            "mentorships": taught(("t", "a", "2022-01-01"), ("a", "w", "2021-01-01")),
        },
        POLICY,
        "t to a began on 2022-01-01, after the next link, a to w, on 2021-01-01",
    ),
    (
        "back_in_time",
        {"recognitions": SENIOR, "mentorships": taught(("t", "a", "2022-01-01"), ("a", "w", ""))},
        replace(POLICY, undated="include"),
        "a to w, on no known day",
    ),
    (
        "too_late",
        {"recognitions": SENIOR, "mentorships": taught(("t", "w", "2025-06-02"))},
        POLICY,
        "t to w began on 2025-06-02, the recognition at level 4 was on 2025-06-01",
    ),
]


@pytest.mark.parametrize(
    ("reason", "world", "policy", "said"), BY_HAND, ids=[r for r, *_ in BY_HAND]
)
def test_each_reason_says_what_would_have_to_be_otherwise(
    reason: str, world: World, policy: Policy, said: str
) -> None:
    answer = explain_pair(snapshot_of(STANDING | world), policy, "t", "w")
    assert (answer.counts, answer.reason) == (False, reason)
    assert said in answer.sentence()
    assert "{" not in answer.sentence("zh") and "None" not in answer.sentence("zh")
    assert answer.pending == (reason == "pending")


def test_the_first_reason_is_the_one_no_chain_gets_past() -> None:
    """A direct link that came too late goes before a long chain and an undated one."""
    late = taught(("t", "w", "2025-07-01"), ("t", "x", ""), ("x", "w", "2020-01-01"))
    world = STANDING | {"recognitions": SENIOR, "mentorships": FOUR + late}
    assert explain_pair(snapshot_of(world), POLICY, "t", "w").reason == "too_late"
    assert (
        explain_pair(snapshot_of(world), replace(POLICY, generations=None), "t", "w").generation
        == 4
    )


def test_who_is_nobody_no_talent_or_the_same() -> None:
    snapshot = snapshot_of(STANDING)
    reasons = {
        ("nobody", "w"): "no_such_talent",
        ("t", "nobody"): "no_such_worker",
        ("a", "w"): "not_a_leading_talent",
        ("t", "t"): "same_person",
    }
    for pair, reason in reasons.items():
        assert explain_pair(snapshot, POLICY, *pair).reason == reason
    many = pl.DataFrame(list(reasons), schema=["talent_id", "worker_id"], orient="row")
    assert explain_pairs(snapshot, POLICY, many)["reason"].to_list() == list(reasons.values())


def test_the_chain_that_counts_never_goes_back_in_time() -> None:
    links = taught(
        ("t", "a", "2020-01-01"),
        ("a", "w", "2019-01-01"),  # before a was taken on
        ("b", "c", "2019-01-01"),
        ("c", "w", "2021-01-01"),
        ("t", "x", ""),
        ("x", "w", "2021-01-01"),
    )
    in_studio = {
        "studio_leads": [{"studio_id": "s", "person_id": "t", "start": "2018-01-01"}],
        "trainings": [{"person_id": "b", "place_id": "s", "start": "2017-01-01"}],
    }
    world = STANDING | in_studio | {"mentorships": links, "recognitions": SENIOR}
    snapshot = snapshot_of(world)

    def people(**rules: Any) -> list[str]:
        answer = explain_pair(snapshot, replace(POLICY, **rules), "t", "w")
        return [hop.apprentice for hop in answer.chains[0]] if answer.counts else []

    assert people() == ["b", "c", "w"]
    assert people(generations=2) == []
    assert people(undated="include") == ["x", "w"]
    assert people(ordered=False) == ["a", "w"]
    assert people(channels=("studio",)) == []
    (hop, *_) = explain_pair(snapshot, POLICY, "t", "w").chains[0]
    assert (hop.channel, hop.studio, hop.start) == ("studio", "s", date(2018, 1, 1))
    assert [(row.file, row.row) for row in hop.rows] == [
        ("studio_leads.csv", 2),
        ("trainings.csv", 2),
    ]


def test_all_chains_are_listed_up_to_the_number_asked_for() -> None:
    links = [("t", p, f"201{n}-01-01") for n, p in enumerate("abcx")]
    links += [(p, "w", "2021-01-01") for p in "abcx"]
    world = STANDING | {"mentorships": taught(*links), "recognitions": SENIOR}
    answer = explain_pair(snapshot_of(world), POLICY, "t", "w", chains=3)
    assert [chain[0].apprentice for chain in answer.chains] == ["a", "b", "c"]
    assert answer.more
    assert not explain_pair(snapshot_of(world), POLICY, "t", "w", chains=4).more


# --- the rows of a number ---------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_add_up_to_the_talents_figures(case: Any) -> None:
    world = read_world(case)
    snapshot = snapshot_of(world)
    driven = measure_driven(snapshot, POLICY)
    for talent in driven.talents.iter_rows(named=True):
        found = list_ledger_rows(snapshot, driven, talent["talent_id"])
        assert found.height == talent["person_times"]
        first = found.filter("driven")
        assert first.height == first["person_id"].n_unique() == talent["driven"]
        for generation in (1, 2, 3):
            assert first["generation"].eq(generation).sum() == talent[f"g{generation}"]
        for row in found.head(3).iter_rows(named=True):
            answer = explain_pair(snapshot, POLICY, talent["talent_id"], row["person_id"])
            event = next(event for event in answer.events if event.day == row["day"])
            assert (event.level, event.generation, event.channel) == (
                row["level"],
                row["generation"],
                row["channel"],
            )
            assert row["recognition_rows"].split(" + ") == [
                f"{stated.file}:{stated.row}" for stated in event.rows
            ]
            assert row["sources"] == "office"
        both = first.select(pl.col("chain", "starts", "channels", "rows").str.count_matches(" > "))
        assert first.is_empty() or both["starts"].equals(both["rows"], check_names=False)


def test_rows_are_of_leading_talents_only() -> None:
    snapshot = snapshot_of(STANDING)
    with pytest.raises(UsageError, match="no leading talent w"):
        list_ledger_rows(snapshot, measure_driven(snapshot, POLICY), "w")


def test_links_kept_in_the_folder_are_the_same(tmp_path: Any) -> None:
    world = read_world(CASES[0])
    snapshot = snapshot_of(world)
    in_folder = replace(snapshot, folder=tmp_path)
    for _ in range(2):
        found = explain_pairs(in_folder, POLICY, all_pairs(in_folder))
        assert found.equals(explain_pairs(snapshot, POLICY, all_pairs(snapshot)))
    assert [path.name for path in tmp_path.iterdir()] == ["links"]


def test_every_channel_and_reason_has_its_words() -> None:
    assert set(OF_CHAINS) < set(REASONS)
    assert all(len(words) == 2 and all(words) for words in REASONS.values())
    assert set(CHANNELS) == {"mentorship", "studio"}


@pytest.mark.parametrize(
    ("counts", "generations", "ledger", "english", "chinese"),
    [
        (
            True,
            (1, 2),
            "person",
            "counts as a person and as 2 person-times",
            "计入人数，并计入人次 2 次",
        ),
        (
            False,
            (0, 2),
            "person_time",
            "counts as 1 person-time only, not as a person",
            "只计入人次 1 次，不计入人数",
        ),
        (
            False,
            (0,),
            "none",
            "does not count, neither as a person nor as a person-time",
            "人数、人次均不计入",
        ),
    ],
)
def test_the_verdict_says_which_ledger(
    counts: bool, generations: tuple[int, ...], ledger: str, english: str, chinese: str
) -> None:
    events = tuple(PromotionEvent(date(2025, 1, 1), 4, 0, False, g, None) for g in generations)
    found = Explanation("t", "w", Policy(), 1, counts=counts, events=events)
    assert (found.ledger, found.verdict(), found.verdict("zh")) == (ledger, english, chinese)
    assert found.as_dict()["verdict"] == english
