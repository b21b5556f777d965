"""The section on supply and demand."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from graph.forecast.shortages import Shortages, select_shortages
from graph.forecast.supply_backtest import AREA_OF_ROWS, JUDGED_FIGURE
from graph.messages import Message
from graph.policy import Policy
from graph.report.document import ReportBlock, ReportParagraph, ReportSection, ReportTable
from graph.report.figures import ReportFigures
from graph.report.shortage_protection import protect_shortages
from graph.report.small_cells import format_group_size, is_small_group
from graph.report.wording import DASH, SMALL_CELL_TEXT, ReportWords, format_number, format_part

MAX_SHORTAGE_ROWS: Final = 20
SHORTAGE_HEADS: Final = (
    ("occupation", "职业"),
    ("in work", "在岗"),
    ("retiring", "退休"),
    ("rising", "晋升"),
    ("positions", "岗位需求"),
    ("missing", "缺口"),
    ("mentors", "在岗师傅"),
    ("mentor-years", "补缺带徒人年"),
)


def write_shortages(figures: ReportFigures, words: ReportWords) -> ReportSection:
    """Where high-skilled people are missing by the end of a year."""
    title = words.label(("Shortages", "急需紧缺"))
    found = figures.shortages
    if not isinstance(found, Shortages):
        return ReportSection(title, (ReportParagraph(words.say(found)),))
    if found.backtest.defends_gaps() is False:
        none = Message(
            "Past forecasts of leavers and risers were no better than carrying on as before, so no "
            "gap is given."
        )
        return ReportSection(title, (ReportParagraph(words.say(none)),))
    year = _choose_year(found, figures.request.policy)
    province, told = figures.request.province, protect_shortages(found.rows)
    # The nation's totals stand in its report, so those of a province hide what would be left.
    rows = (
        select_shortages(found.rows, "occupation", "nation", year)
        if province is None
        else select_shortages(told, "occupation", "province", year, province)
    )
    missing = rows.filter(pl.col("gap") > 0).sort(
        pl.col("gap").round(), "code", descending=[True, False]
    )
    message = Message(
        "By the end of {year}, {n} occupations with a stated demand lack high-skilled people; "
        "{all} have a stated demand.",
        year=year,
        n=missing.height,
        all=rows["gap"].count(),
    )
    blocks: list[ReportBlock] = [ReportParagraph(words.say(message), "lead")]
    if not missing.is_empty():
        blocks.append(_tabulate_shortages(missing.head(MAX_SHORTAGE_ROWS), missing.height, words))
    return ReportSection(
        title, (*blocks, *_list_unknown(told, year, words), _say_worth(found, words))
    )


def _choose_year(found: Shortages, policy: Policy) -> int:
    """The year after the as-of year; where no demand is stated for it, the as-of year."""
    year = policy.as_of.year
    stated = found.rows.filter(pl.col("year") == year + 1)["gap"].count()
    return year + 1 if stated else year


def _tabulate_shortages(found: pl.DataFrame, number: int, words: ReportWords) -> ReportTable:
    rows = tuple(
        (
            words.translate_term(row["occupation"] or row["code"] or DASH),
            _format_people(row["stock"]),
            *_format_changes(row),
            _round_expected(row["positions"]),
            _round_expected(row["gap"]),
            _format_people(row["mentors"]),
            _round_expected(row["mentor_years"]),
        )
        for row in found.iter_rows(named=True)
    )
    note = Message(
        "The largest {shown} of {n}. Missing: positions open, plus who retires and moves out, less "
        "who moves in and becomes high-skilled; expected values. Mentor-years: what closes the gap "
        "at the rate observed. Fewer than three people are told as {small} or a dash, and more "
        "dashes hide what would tell them; where so few retire or rise, both are hidden.",
        shown=found.height,
        n=number,
        small=SMALL_CELL_TEXT,
    )
    return ReportTable(
        words.label(("Occupations that lack high-skilled people", "高技能人才紧缺职业")),
        words.label(("persons", "人")),
        words.labels(*SHORTAGE_HEADS),
        rows,
        words.say(note),
    )


def _format_people(number: float | None) -> str:
    return DASH if number is None else format_group_size(round(number))


def _format_changes(row: dict[str, Any]) -> tuple[str, str]:
    """How many retire, and how many rise. The gap reveals their difference, so where one is small
    or hidden, neither is shown.
    """
    changes = (row["retiring"], row["rising"])
    if any(number is None or is_small_group(number) for number in changes):
        return DASH, DASH
    retiring, rising = map(_round_expected, changes)
    return retiring, rising


def _round_expected(number: Any) -> str:
    return DASH if number is None else format_number(round(number))


def _list_unknown(told: pl.DataFrame, year: int, words: ReportWords) -> list[ReportBlock]:
    """Of how many people in work the demand is not stated, of the groups that are told.

    A total of all would give a hidden group as its difference to those that the page tells.
    """
    leaf = told.filter(pl.col("positions").is_null(), kind="occupation", area="province", year=year)
    message = Message(
        "In the nation, no demand is stated for {without:,} high-skilled people in work, groups of "
        "one or two people and what would tell them left out: these have no gap, and none is "
        "guessed. How many have no known retirement month stands under Retention.",
        without=int(leaf["stock"].sum()),
    )
    return [ReportParagraph(words.say(message), "note")]


def _say_worth(found: Shortages, words: ReportWords) -> ReportParagraph:
    """What past forecasts of the changes were worth."""
    scores = found.backtest.scores.filter(attribute=AREA_OF_ROWS["province"], figure=JUDGED_FIGURE)
    if found.backtest.defends_gaps() is None or scores.is_empty():
        none = Message("No past year can be tested yet: what the gaps are worth is not known.")
        return ReportParagraph(words.say(none), "note")
    row = scores.row(0, named=True)
    message = Message(
        "Of {n:,} past changes by occupation group and province, {inside} lay inside the 80 % "
        "interval; intervals are widened by what was missing. Their loss was {ratio} of the better "
        "baseline's; below 1 is better.",
        n=row["outcomes"],
        inside=format_part(row["coverage_80"], 1),
        ratio=f"{row['ratio']:.2f}",
    )
    return ReportParagraph(words.say(message), "note")
