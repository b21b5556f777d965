"""The engine on the conformance folders: every figure as given, under every policy given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.policy import DEFAULT_POLICY, Policy
from tests.conformance.brute_force import brute_force, read_world
from tests.conformance.worlds import snapshot_of

CASES = sorted(Path(__file__).parent.glob("case*"))
EXPECTED = [
    (case, name, figures)
    for case in CASES
    for name, figures in json.loads((case / "expected_national.json").read_text()).items()
]


def policy_named(name: str) -> Policy:
    """The policy of a name like `ordered=false, generations=6`."""
    fields: dict[str, Any] = {}
    for part in [] if name == "default" else name.split(", "):
        field, _, value = part.partition("=")
        fields[field] = value != "false" if field == "ordered" else value
    return Policy.parsed(**fields)


def test_there_are_cases() -> None:
    assert len(CASES) == 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_engine_gives_every_talent_exactly(case: Path) -> None:
    expected = pl.read_csv(case / "expected.csv")
    found = measure_driven(snapshot_of(read_world(case)), DEFAULT_POLICY).table()
    assert found.select(expected.columns).rows() == expected.rows()


@pytest.mark.parametrize(
    ("case", "name", "figures"), EXPECTED, ids=[f"{c.name}-{n}" for c, n, _ in EXPECTED]
)
def test_the_engine_gives_the_nation_under_each_policy(
    case: Path, name: str, figures: dict[str, int]
) -> None:
    assert measure_driven(snapshot_of(read_world(case)), policy_named(name)).national == figures


@pytest.mark.parametrize(
    ("case", "name", "figures"), EXPECTED, ids=[f"{c.name}-{n}" for c, n, _ in EXPECTED]
)
def test_the_brute_force_walk_agrees_with_the_given_answers(
    case: Path, name: str, figures: dict[str, int]
) -> None:
    national = brute_force(read_world(case), policy_named(name))["national"]
    assert {field: national[field] for field in figures} == figures
