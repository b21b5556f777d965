"""How figures are set in both languages."""

from __future__ import annotations

from datetime import date

import pytest

from graph.messages import Language
from ui.words import numbers


@pytest.mark.parametrize(
    ("number", "zh", "en"),
    [
        (0, "0", "0"),
        (4_126, "4,126", "4,126"),
        (-27, "−27", "−27"),
        (99_999, "99,999", "99,999"),
        (3_862_417, "386.2 万", "3.86 million"),
        (5_000_000, "500 万", "5 million"),
        (123_456_789, "1.23 亿", "123.46 million"),
        (-166_000, "−16.6 万", "−166,000"),
    ],
)
def test_large_numbers_as_a_person_would_say_them(number: int, zh: str, en: str) -> None:
    assert numbers.format_large(number, "zh") == zh
    assert numbers.format_large(number, "en") == en


@pytest.mark.parametrize(
    ("language", "persons", "times", "exact"),
    [
        ("zh", "386.2 万人", "441.7 万人次", "4,417,306 人次"),
        ("en", "3.86 million people", "4.42 million person-times", "4,417,306 person-times"),
    ],
)
def test_the_unit_always_stands_with_the_figure(
    language: Language, persons: str, times: str, exact: str
) -> None:
    assert numbers.format_persons(3_862_417, language) == persons
    assert numbers.format_person_times(4_417_306, language) == times
    assert numbers.format_person_times(4_417_306, language, exact=True) == exact


def test_signs_shares_and_intervals() -> None:
    assert numbers.format_person_times(-27, "zh", sign=True) == "−27 人次"
    assert numbers.format_person_times(32, "en", sign=True) == "+32 person-times"
    assert numbers.format_share(441.7, 500) == "88.3%"
    assert numbers.format_share(1, None) == numbers.NO_VALUE_DASH
    assert numbers.format_share(1, 0) == numbers.NO_VALUE_DASH
    assert numbers.format_interval(18, 31) == "18–31"
    assert numbers.format_interval(18, 18) == "18"
    assert numbers.format_count(None) == numbers.NO_VALUE_DASH


def test_days() -> None:
    assert numbers.format_day(date(2024, 5, 1)) == "2024-05-01"
    assert numbers.format_month(date(2024, 5, 1)) == "2024-05"
    assert numbers.format_day(None) == numbers.NO_VALUE_DASH
    assert numbers.format_short_day(date(2026, 10, 12), "zh") == "10 月 12 日"
    assert numbers.format_short_day(date(2026, 10, 12), "en") == "12 Oct"


def test_bold_is_escaped_and_holds_the_full_number() -> None:
    assert numbers.render_bold("386.2 万", "3,862,417") == '<b title="3,862,417">386.2 万</b>'
    assert numbers.render_bold("<i>") == "<b>&lt;i&gt;</b>"
