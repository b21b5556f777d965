"""The policy: what it refuses, how it is written and read, and that equal ones have one id."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from graph.errors import UsageError
from graph.policy import Policy, parse_generations, parse_window


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"window_start": date(2027, 1, 1)}, "2027-01-01"),
        ({"generations": 0}, "give 1 to 100, or all"),
        ({"generations": 101}, "give 1 to 100, or all"),
        ({"generations": 10**20}, "give 1 to 100, or all"),
        ({"high_skilled_level": 9}, "levels 1 to 8"),
        ({"channels": ()}, "empty"),
        ({"channels": ("mentorship", "rumour")}, "rumour"),
        ({"undated": "maybe"}, "include or exclude"),
        ({"year_alone": "middle"}, "last or first"),
    ],
)
def test_it_refuses_what_cannot_be(fields: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Policy(**fields)  # type: ignore[arg-type]


def test_it_is_read_as_the_command_line_writes_it() -> None:
    policy = Policy.parsed(
        window="2022-01-01:2023-12-31",
        generations="all",
        channels="studio, mentorship",
        ordered=False,
        undated="include",
        as_of="2025-06-30",
        high_skilled_level=5,
    )
    assert policy == Policy(
        date(2022, 1, 1),
        date(2023, 12, 31),
        None,
        5,
        False,
        ("mentorship", "studio"),
        "include",
        date(2025, 6, 30),
    )
    assert Policy.parsed() == Policy()
    assert parse_window("2022-01-01..2023-12-31") == (date(2022, 1, 1), date(2023, 12, 31))
    assert parse_generations("6") == 6


@pytest.mark.parametrize(
    "options",
    [
        {"window": "2024"},
        {"window": "2024-01-01:2024-13-01"},
        {"generations": "three"},
        {"channels": "rumour"},
        {"as_of": "soon"},
    ],
)
def test_what_cannot_be_read_names_its_option(options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=next(iter(options)).replace("_", "-")):
        Policy.parsed(**options)  # type: ignore[arg-type]


def test_equal_policies_have_one_id_and_any_change_another() -> None:
    changed = [
        replace(Policy(), generations=None),
        replace(Policy(), ordered=False),
        replace(Policy(), channels=("studio",)),
        replace(Policy(), undated="include"),
        replace(Policy(), as_of=date(2020, 1, 1)),
        replace(Policy(), year_alone="first"),
    ]
    assert Policy(channels=("studio", "mentorship")).id == Policy().id
    assert len({policy.id for policy in (Policy(), *changed)}) == 7
    assert json.loads(json.dumps(Policy().as_dict()))["generations"] == 3


def test_its_chip_in_both_languages() -> None:
    assert Policy().chip("en") == "2024-26 · 3 generations · dated"
    assert Policy().chip("zh") == "2024-26 · 3 代 · 按日期"
    other = Policy(
        date(2022, 3, 1),
        date(2022, 12, 31),
        None,
        5,
        False,
        ("studio",),
        "include",
        date(2022, 12, 31),
    )
    assert other.chip("en") == (
        "2022-03-01 – 2022-12-31 · all generations · dates ignored, undated included"
        " · level 5 and above · studios only · as of 2022-12-31"
    )
    assert other.chip("zh").startswith("2022-03-01 – 2022-12-31 · 不限代 · 不论先后、含无日期")
    assert Policy(date(2025, 1, 1), date(2025, 12, 31)).chip() == "2025 · 3 generations · dated"
    with pytest.raises(UsageError, match="en or zh"):
        Policy().chip("fr")


def test_from_which_day_a_year_counts_is_said_and_kept() -> None:
    first = Policy.parsed(year_alone="first", as_of="2026-06-01")
    assert Policy.of(json.loads(json.dumps(first.as_dict()))) == first
    assert "dated, years from their first day" in first.chip()
    assert "仅知年份的从年初起" in first.chip("zh")
    assert first.chains_id != replace(first, year_alone="last").chains_id
    older = {name: value for name, value in first.as_dict().items() if name != "year_alone"}
    assert Policy.of(older).year_alone == "last"
