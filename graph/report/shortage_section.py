"""The section on supply and demand."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from graph.forecast.shortages import Shortages, describe_missing, select_shortages
from graph.messages import Message
from graph.policy import Policy
from graph.report.document import ReportBlock, ReportParagraph, ReportSection, ReportTable
from graph.report.figures import ReportFigures
from graph.report.wording import DASH, ReportWords, format_number, protect_small_cells

MAX_SHORTAGE_ROWS: Final = 20
SHORTAGE_HEADS: Final = (
    ("occupation", "职业"),
    ("in work", "在岗"),
    ("retiring", "退休"),
    ("rising", "晋升"),
    ("positions", "岗位需求"),
    ("missing", "缺口"),
    ("80 % interval", "80%区间"),
    ("mentors", "在岗师傅"),
    ("mentor-years", "补缺带徒人年"),
)


def write_shortages(figures: ReportFigures, words: ReportWords) -> ReportSection:
    """Where high-skilled people are missing by the end of a year."""
    title = words.label(("Shortages", "急需紧缺"))
    found = figures.shortages
    if not isinstance(found, Shortages):
        return ReportSection(title, (ReportParagraph(words.say(found)),))
    year = _choose_year(found, figures.request.policy)
    area = "nation" if figures.request.province is None else "province"
    rows = select_shortages(found.rows, "occupation", area, year, figures.request.province)
    missing = rows.filter(pl.col("gap") > 0).sort(
        pl.col("gap").round(), "code", descending=[True, False]
    )
    told = Message(
        "By the end of {year}, {n} occupations with a stated demand lack high-skilled people; "
        "{all} have a stated demand.",
        year=year,
        n=missing.height,
        all=rows["gap"].count(),
    )
    blocks: list[ReportBlock] = [ReportParagraph(words.say(told), "lead")]
    if not missing.is_empty():
        blocks.append(_tabulate_shortages(missing.head(MAX_SHORTAGE_ROWS), missing.height, words))
    return ReportSection(title, (*blocks, *_list_unknown(found, year, words)))


def _choose_year(found: Shortages, policy: Policy) -> int:
    """The year after the as-of year; where no demand is stated for it, the as-of year."""
    year = policy.as_of.year
    stated = found.rows.filter(pl.col("year") == year + 1)["gap"].count()
    return year + 1 if stated else year


def _tabulate_shortages(found: pl.DataFrame, number: int, words: ReportWords) -> ReportTable:
    stock, mentors = (
        protect_small_cells([round(n) for n in found[name].fill_null(0)], False)
        for name in ("stock", "mentors")
    )
    rows = tuple(
        (
            words.translate_term(row["occupation"] or row["code"] or DASH),
            in_work,
            *(_round_expected(row[name]) for name in ("retiring", "rising", "positions", "gap")),
            f"{_round_expected(row['gap_low'])} \N{EN DASH} {_round_expected(row['gap_high'])}",
            in_place,
            _round_expected(row["mentor_years"]),
        )
        for in_work, in_place, row in zip(stock, mentors, found.iter_rows(named=True), strict=True)
    )
    note = Message(
        "The largest {shown} of {n}. Missing: positions open, plus who retires and moves out, less "
        "who moves in and becomes high-skilled; expected values. Mentor-years: what closes the gap "
        "at the rate observed.",
        shown=found.height,
        n=number,
    )
    return ReportTable(
        words.label(("Occupations that lack high-skilled people", "高技能人才紧缺职业")),
        words.label(("persons", "人")),
        words.labels(*SHORTAGE_HEADS),
        rows,
        words.say(note),
    )


def _round_expected(number: Any) -> str:
    return DASH if number is None else format_number(round(number))


def _list_unknown(found: Shortages, year: int, words: ReportWords) -> list[ReportBlock]:
    """Of how many people in work the demand or the retirement month is not known."""
    counts = describe_missing(found.rows, year)
    without = counts.get("without_demand", 0)
    unknown = counts.get("unknown_retirement", 0)
    told = Message(
        "In the nation, no demand is stated for {without:,} high-skilled people in work, and the "
        "retirement month of {unknown:,} is not known: these are counted, not guessed.",
        without=round(without),
        unknown=round(unknown),
    )
    return [ReportParagraph(words.say(told), "note")]
