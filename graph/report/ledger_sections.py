"""The sections on what was reached: headline, ledgers, provinces, the change since last month."""

from __future__ import annotations

from typing import Final

import polars as pl

from graph.driven.terms import CHAIN_KINDS
from graph.forecast.landing import LandingForecast
from graph.messages import Message
from graph.model.vocabularies import PROVINCES
from graph.programme.departures import Departures
from graph.report.document import (
    ChartSeries,
    ReportBlock,
    ReportChart,
    ReportParagraph,
    ReportSection,
    ReportTable,
)
from graph.report.figures import MonthLedger, ReportFigures
from graph.report.month_change import CHANGE_LEDGERS, MonthChange
from graph.report.small_cells import (
    draw_shown_values,
    format_group_size,
    protect_bounded_columns,
    protect_small_cells,
)
from graph.report.wording import (
    DASH,
    HIDDEN_TEXTS,
    SMALL_CELL_TEXT,
    ReportWords,
    format_number,
    format_part,
    format_signed_number,
)

MAX_CHART_PLACES: Final = 15
MAX_LISTED_PLACES: Final = 40
PLACE_FIGURES: Final = ("persons", "person_times", "month_person_times")
# In each row the first is no more than the second.
PLACE_BOUNDS: Final = (("persons", "person_times"), ("month_person_times", "person_times"))
PERSONS_UNIT: Final = ("persons", "人")
BOTH_UNITS: Final = ("persons and person-times", "人、人次")
PERSON_TIMES: Final = ("person-times", "人次")
CHAIN_KIND_WORDS: Final = {
    "mentorship_only": ("by mentorship", "仅师徒链"),
    "studio_only": ("by studios", "仅工作室链"),
    "both": ("by both", "两种链都有"),
    "mixed": ("mixed only", "仅混合链"),
}
LINE_WORDS: Final = {
    "first_promotions": ("first promotions of driven persons", "带动人员首次晋升"),
    "further_promotions": ("further promotions of driven persons", "带动人员再次晋升"),
    "high_skilled_before": (
        "promotions of people high-skilled before the window",
        "统计期前已是高技能人才者晋升",
    ),
    "later_promotions": (
        "later promotions of new people whose first one no chain reached",
        "首次晋升未被师承链覆盖者的后续晋升",
    ),
}
CAUSE_WORDS: Final = {
    "person": ("person", "人员"),
    "talent": ("naming of a leading talent", "领军人才认定"),
    "as_of": ("as-of day", "截至日"),
    "recognition": ("recognition", "等级认定"),
    "mentorship": ("mentorship", "师徒关系"),
    "lead": ("lead of a studio", "工作室领办"),
    "training": ("training", "培训"),
}
CAUSE_CHANGE_WORDS: Final = {
    "added": ("added", "新增"),
    "removed": ("taken back", "撤回"),
    "redated": ("dated anew", "改期"),
}
CHANGE_LEDGER_WORDS: Final = dict(zip(CHANGE_LEDGERS, (PERSONS_UNIT, PERSON_TIMES), strict=True))


def write_headline(figures: ReportFigures, words: ReportWords) -> ReportSection:
    """The answer in a few sentences."""
    ledger, month = figures.workers.ledger, figures.request.month
    first = Message(
        "Of {area}, up to {day}: leading talents have driven {persons:,} persons and {times:,} "
        "person-times to high skill; {month} added {new_persons:,} persons and {new_times:,} "
        "person-times.",
        area=words.area(figures.request.province),
        day=ledger.quarters["day"][-1],
        persons=ledger.persons,
        times=ledger.person_times,
        month=month,
        new_persons=figures.workers.month_persons,
        new_times=figures.workers.month_person_times,
    )
    blocks: list[ReportBlock] = [ReportParagraph(words.say(first), "lead")]
    blocks += [
        ReportParagraph(text)
        for text in (
            _describe_target(figures.workers, words),
            _describe_talents(figures, words),
            _describe_change(figures, words),
            _describe_landing(figures, words),
            _describe_leavers(figures, words),
        )
        if text
    ]
    return ReportSection(words.label(("Headline", "概要")), tuple(blocks))


def _describe_target(found: MonthLedger, words: ReportWords) -> str:
    ledger = found.ledger
    if ledger.target is None or ledger.gap is None or ledger.due is None:
        return words.say(Message("No target is loaded to hold the figures against."))
    message = Message(
        "By person-times that is {share} of the target of {target:,} for the window; on the "
        "straight path it would be {due:,}, a difference of {gap}.",
        share=format_part(ledger.person_times, ledger.target),
        target=ledger.target,
        due=round(ledger.due),
        gap=format_signed_number(ledger.gap),
    )
    return words.say(message)


def _describe_talents(figures: ReportFigures, words: ReportWords) -> str:
    ledger = figures.talents.ledger
    message = Message(
        "New leading talents: {persons:,} persons, {times:,} namings, of them {new:,} in {month}.",
        persons=ledger.persons,
        times=ledger.person_times,
        new=figures.talents.month_person_times,
        month=figures.request.month,
    )
    return words.say(message)


def _describe_change(figures: ReportFigures, words: ReportWords) -> str:
    change = figures.change
    if isinstance(change, Message):
        return ""
    name = "driven_person_times"
    reported = Message(
        "Against {month} as reported from revision {before}: {difference} person-times, of which "
        "{added} happened in the month and {restated} come from records of earlier months that "
        "were added, taken back or dated anew."
    )
    stored = Message(
        "Against {month} as revision {before} of {made} has it: {difference} person-times, of "
        "which {added} happened in the month and {restated} come from records of earlier months "
        "that were added, taken back or dated anew since that revision."
    )
    message = (reported if change.as_reported else stored).with_values(
        month=change.last_month,
        made=change.made,
        before=change.before,
        difference=format_signed_number(change.now[name] - change.reported[name]),
        added=format_signed_number(change.added[name]),
        restated=format_signed_number(change.restated[name]),
    )
    return words.say(message)


def _describe_landing(figures: ReportFigures, words: ReportWords) -> str:
    landing = select_landing(figures)
    if landing is None:
        return ""
    message = Message(
        "Forecast for {day}: {median:,} person-times, with 80 % probability {low:,} to {high:,}.",
        day=landing["day"],
        median=landing["median"],
        low=landing["low_80"],
        high=landing["high_80"],
    )
    return words.say(message)


def select_landing(figures: ReportFigures) -> dict[str, int] | None:
    """The forecast of the area's person-times at the window's end; None where there is none."""
    if not isinstance(figures.forecast, LandingForecast):
        return None
    attribute = "nation" if figures.request.province is None else "province"
    value = pl.lit(figures.request.province, pl.String)
    rows = figures.forecast.select_landing(attribute).filter(
        pl.col("value").eq_missing(value), pl.col("ledger") == "person_times"
    )
    return None if rows.is_empty() else rows.row(0, named=True)


def _describe_leavers(figures: ReportFigures, words: ReportWords) -> str:
    found = figures.departures
    if not isinstance(found, Departures):
        return ""
    message = Message(
        "People on whom others depend and who may leave within a year: {people}.",
        people=format_group_size(found.rows["person_id"].n_unique()),
    )
    return words.say(message)


# --- both ledgers -----------------------------------------------------------------------------


def write_ledgers(figures: ReportFigures, words: ReportWords) -> ReportSection:
    """Both ledgers against their targets, by month, by line and by generation."""
    blocks: list[ReportBlock] = [
        _tabulate_ledgers(figures, words),
        _chart_ledger(figures, words),
        _tabulate_lines(figures, words),
    ]
    if not figures.generations.is_empty():
        blocks.append(_tabulate_generations(figures, words))
    return ReportSection(words.label(("Both ledgers", "两项目标进展")), tuple(blocks))


def _tabulate_ledgers(figures: ReportFigures, words: ReportWords) -> ReportTable:
    rows = []
    for name, found in (
        (("new leading talents", "新领军人才"), figures.talents),
        (("new high-skilled workers driven", "带动新高技能人才"), figures.workers),
    ):
        ledger = found.ledger
        rows.append(
            (
                words.label(name),
                format_number(ledger.persons),
                format_number(ledger.person_times),
                format_number(found.month_persons),
                format_number(found.month_person_times),
                format_number(ledger.target),
                format_part(ledger.person_times, ledger.target),
                DASH if ledger.gap is None else format_signed_number(ledger.gap),
            )
        )
    heads = words.labels(
        ("ledger", "口径"),
        ("persons", "人数"),
        ("person-times", "人次"),
        ("month, persons", "本月人数"),
        ("month, person-times", "本月人次"),
        ("target", "目标"),
        ("share", "完成率"),
        ("against the path", "与时序进度相比"),
    )
    note = Message(
        "Persons count once; person-times count each promotion in the window to level {level} or "
        "above, and each naming. Target, share and path are person-times.",
        level=figures.request.policy.high_skilled_level,
    )
    title = words.label(("Both ledgers at the month's end", "月末两项目标进展"))
    return ReportTable(title, words.label(BOTH_UNITS), heads, tuple(rows), words.say(note))


def _chart_ledger(figures: ReportFigures, words: ReportWords) -> ReportChart:
    ledger = figures.workers.ledger
    days = ledger.quarters["day"].to_list()
    series = [
        ChartSeries(words.label(PERSON_TIMES), tuple(map(float, ledger.quarters["person_times"]))),
        ChartSeries(
            words.label(("persons", "人数")), tuple(map(float, ledger.quarters["persons"])), "slate"
        ),
    ]
    if ledger.target is not None:
        path = tuple(ledger.path(day) for day in days)
        series.append(ChartSeries(words.label(("straight path", "时序进度")), path, "target"))
    return ReportChart(
        words.label(("Driven by month, running total", "带动数量逐月累计")),
        words.label(BOTH_UNITS),
        "lines",
        tuple(f"{day:%Y-%m}" for day in days),
        tuple(series),
    )


def _tabulate_lines(figures: ReportFigures, words: ReportWords) -> ReportTable:
    rows = [
        (words.label(LINE_WORDS[line]), format_number(number))
        for line, number in figures.lines.items()
    ]
    total = sum(figures.lines.values())
    rows.append((words.label(("person-times in all", "人次合计")), format_number(total)))
    return ReportTable(
        words.label(("From persons to person-times", "从人数到人次")),
        words.label(PERSON_TIMES),
        words.labels(("line", "构成"), PERSON_TIMES),
        tuple(rows),
        words.say(Message("First promotions are the driven persons, each once.")),
    )


def _tabulate_generations(figures: ReportFigures, words: ReportWords) -> ReportBlock:
    found = figures.generations
    numbers = found.select(*CHAIN_KINDS).rows()
    # All cells together are the driven persons, whose number is shown.
    cells = protect_small_cells([n for row in numbers for n in row])
    if cells is None:
        return write_too_few(words)
    wide = len(CHAIN_KINDS)
    rows = tuple(
        (
            words.say(Message("generation {n}", n=generation)),
            *cells[place * wide : (place + 1) * wide],
        )
        for place, generation in enumerate(found["generation"])
    )
    heads = words.labels(("generation", "代"), *CHAIN_KIND_WORDS.values())
    return ReportTable(
        words.label(("Driven by generation and channel", "按代数与渠道")),
        words.label(PERSONS_UNIT),
        heads,
        rows,
        words.say(Message("Each person once, at the nearest generation.")),
    )


def write_too_few(words: ReportWords) -> ReportParagraph:
    """In place of a table that would tell a group of one or two people whatever it hides."""
    message = Message(
        "Too few people to break down: whatever the table hid, a group of one or two could be "
        "worked out from the total."
    )
    return ReportParagraph(words.say(message))


# --- provinces, or occupations of a province --------------------------------------------------


def write_places(figures: ReportFigures, words: ReportWords) -> ReportSection:
    """The provinces; of a province's report, its occupations."""
    national = figures.request.province is None
    title = words.label(("Provinces", "各省进展") if national else ("Occupations", "各职业进展"))
    if figures.places.is_empty():
        none = words.say(Message("Nobody is driven yet, so there is nothing to break down."))
        return ReportSection(title, (ReportParagraph(none),))
    protected = protect_places(figures)
    if protected is None:
        return ReportSection(title, (write_too_few(words),))
    found = protected.head(MAX_LISTED_PLACES)
    names = [_name_place(figures, value, words) for value in found["value"]]
    drawn = found.head(MAX_CHART_PLACES)
    times = draw_shown_values(drawn["person_times"], drawn["shown_person_times"])
    chart = ReportChart(
        words.label(("Person-times driven, the largest first", "带动人次（由多到少）")),
        words.label(PERSON_TIMES),
        "bars",
        tuple(names[: drawn.height]),
        (ChartSeries(words.label(PERSON_TIMES), times),),
    )
    return ReportSection(title, (_tabulate_places(figures, found, names, words), chart))


def protect_places(figures: ReportFigures) -> pl.DataFrame | None:
    """`figures.places` with the text shown for each number: shown_persons, shown_person_times,
    shown_month_person_times. None where nothing may be shown.

    Places whose persons or person-times are hidden come last, by their code.
    """
    found = figures.places
    if found.filter(pl.col("person_times") > 0).height < 2:
        return None
    # The order of the rows decides nothing, so that other tables of these numbers hide the same.
    found = found.sort("value", nulls_last=True)
    numbers = {name: found[name].to_list() for name in PLACE_FIGURES}
    if any(protect_small_cells(numbers[name]) is None for name in PLACE_FIGURES[:2]):
        return None
    protected = protect_bounded_columns(numbers, PLACE_BOUNDS)
    if protected is None:
        return None
    columns = [pl.Series(f"shown_{name}", cells) for name, cells in protected.items()]
    hidden = pl.any_horizontal(
        pl.col(f"shown_{name}").is_in(HIDDEN_TEXTS) for name in PLACE_FIGURES[:2]
    )
    times = pl.when(hidden).then(0).otherwise("person_times")
    return found.with_columns(*columns).sort(
        pl.col("value").is_null(), hidden, times, "value", descending=[False, False, True, False]
    )


def _name_place(figures: ReportFigures, value: str | None, words: ReportWords) -> str:
    if value is None:
        return words.label(("not stated", "未填写"))
    if figures.request.province is None:
        return words.label(PROVINCES[value]) if value in PROVINCES else value
    return words.translate_term(figures.occupations.get(value) or value)


def _tabulate_places(
    figures: ReportFigures, found: pl.DataFrame, names: list[str], words: ReportWords
) -> ReportTable:
    columns = [found[f"shown_{name}"].to_list() for name in PLACE_FIGURES]
    national = figures.request.province is None
    heads = [
        ("province", "省份") if national else ("occupation", "职业"),
        ("persons", "人数"),
        ("person-times", "人次"),
        ("month, person-times", "本月人次"),
    ]
    rows = [list(cells) for cells in zip(names, *columns, strict=True)]
    if national:
        heads += [("target", "目标"), ("share", "完成率")]
        for row, times, target in zip(rows, found["person_times"], found["target"], strict=True):
            hidden = row[2] in HIDDEN_TEXTS
            row += [format_number(target), DASH if hidden else format_part(times, target)]
    note = Message(
        "{n} of {all} rows. Groups of one or two people are told as {small}; a dash hides what "
        "would tell them.",
        n=found.height,
        all=figures.places.height,
        small=SMALL_CELL_TEXT,
    )
    return ReportTable(
        words.label(("By province", "分省情况") if national else ("By occupation", "分职业情况")),
        words.label(BOTH_UNITS),
        words.labels(*heads),
        tuple(map(tuple, rows)),
        words.say(note),
    )


# --- what changed -----------------------------------------------------------------------------


def write_changes(figures: ReportFigures, words: ReportWords) -> ReportSection:
    """What changed since last month's report, and why."""
    title = words.label(("What changed since last month, and why", "与上月相比的变化及原因"))
    change = figures.change
    if isinstance(change, Message):
        return ReportSection(title, (ReportParagraph(words.say(change)),))
    blocks: list[ReportBlock] = [
        ReportParagraph(
            words.say(
                Message(
                    "{month} as the data of revision {before} gave it ({made}), and {now} as those "
                    "of revision {after} give it, under one policy.",
                    month=change.last_month,
                    before=change.before,
                    made=change.made,
                    now=figures.request.month,
                    after=change.after,
                )
            )
        ),
        _tabulate_way(change, words),
    ]
    if change.causes.is_empty():
        blocks.append(
            ReportParagraph(words.say(Message("No record of earlier months changed a figure.")))
        )
    else:
        blocks.append(_tabulate_causes(change, words))
    return ReportSection(title, tuple(blocks))


def _tabulate_way(change: MonthChange, words: ReportWords) -> ReportTable:
    reported = ("last month, as reported", "上月报告数")
    stored = ("last month, as in the earlier revision", "上月数（按较早版本）")
    lines = [
        (reported if change.as_reported else stored, change.reported, format_number),
        (("records of earlier months", "以前月份记录变动"), change.restated, format_signed_number),
        (("happened in the month", "本月新增"), change.added, format_signed_number),
        (("this month", "本月数"), change.now, format_number),
    ]
    rows = tuple(
        (words.label(line), *(form(numbers[name]) for name in CHANGE_LEDGERS))
        for line, numbers, form in lines
    )
    heads = words.labels(("from last month to this", "由上月到本月"), *CHANGE_LEDGER_WORDS.values())
    title = words.label(("The way from last month's figure", "由上月数到本月数"))
    return ReportTable(title, words.label(BOTH_UNITS), heads, rows)


def _tabulate_causes(change: MonthChange, words: ReportWords) -> ReportTable:
    rows = [
        (
            words.label(CAUSE_WORDS[row["kind"]]),
            words.label(CAUSE_CHANGE_WORDS[row["change"]]),
            format_number(row["records"]),
            *(format_signed_number(row[name]) for name in CHANGE_LEDGERS),
        )
        for row in change.causes.iter_rows(named=True)
    ]
    if any(change.moved.values()):
        moved = ("people whose province changed", "省份变更人员")
        figures = (format_signed_number(change.moved[name]) for name in CHANGE_LEDGERS)
        rows.append((words.label(moved), DASH, DASH, *figures))
    heads = words.labels(
        ("record", "记录"),
        ("what became of it", "变动"),
        ("records", "记录数"),
        *CHANGE_LEDGER_WORDS.values(),
    )
    note = Message(
        "Each change has one cause, and the causes add up. Every single row: shicheng diff "
        "{before} {after}.",
        before=change.before,
        after=change.after,
    )
    title = words.label(("Why earlier months changed", "以前月份变动原因"))
    return ReportTable(title, words.label(BOTH_UNITS), heads, tuple(rows), words.say(note), 2)
