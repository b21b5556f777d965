"""The sections on what is to come, on the data and on the terms."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from graph.forecast.backtest import Backtest
from graph.forecast.landing import LandingForecast
from graph.messages import Message, Words
from graph.metrics.claims import CLAIM_KINDS
from graph.model.vocabularies import PROVINCES
from graph.people.retirement import RETIREMENT_GAPS
from graph.policy import Policy
from graph.programme.departures import (
    DEPARTURE_KINDS,
    Departures,
    count_departures_by_month,
)
from graph.report.document import (
    ChartBand,
    ChartSeries,
    ReportBlock,
    ReportChart,
    ReportParagraph,
    ReportSection,
    ReportTable,
)
from graph.report.figures import ReportFigures
from graph.report.ledger_sections import (
    BOTH_UNITS,
    PERSON_TIMES,
    PERSONS_UNIT,
    protect_places,
    select_landing,
    write_too_few,
)
from graph.report.small_cells import (
    format_group_size,
    protect_column,
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

MAX_FORECAST_ROWS: Final = 40
PART_WORDS: Final = {
    "pending": ("pending, who will rise", "待晋升人员晋升"),
    "taken_on": ("people who will still be taken on", "新收徒人员晋升"),
    "new_talents": ("new leading talents", "新领军人才"),
    "further": ("further promotions", "再次晋升"),
}
FORECAST_AREA_WORDS: Final = {
    "nation": ("the nation", "全国"),
    "province": ("provinces", "省份"),
    "industry": ("industries", "行业"),
    "occupation_group": ("occupation groups", "职业中类"),
}
COVERAGE_WORDS: Final = {
    "mentorships_dated": ("mentorships with a start", "有起始日期的师徒关系"),
    "leads_dated": ("studio leaders with a start", "有起始日期的工作室领办"),
    "trainings_dated": ("trainings with a start", "有起始日期的培训"),
    "people_levelled": ("people with a level", "有技能等级的人员"),
    "people_in_province": ("people with a province", "有省份的人员"),
    "people_in_occupation": ("people with an occupation", "有职业的人员"),
    "people_employed": ("people with an employer", "有单位的人员"),
    "talents_dated": ("namings of leading talents with a day", "有日期的领军人才认定"),
}


def _write_gap(title: str, why: Message, words: ReportWords) -> ReportSection:
    """A section that says why its figures are not there."""
    return ReportSection(title, (ReportParagraph(words.say(why)),))


def _format_chance(chance: float | None) -> str:
    """As an integer percentage; never 0 or 100, which no simulation can promise."""
    if chance is None:
        return DASH
    if chance < 0.01:
        return "<1%"
    return ">99%" if chance > 0.99 else f"{100 * chance:.0f}%"


def _format_range(low: int, high: int) -> str:
    return f"{format_number(low)} \N{EN DASH} {format_number(high)}"


# --- forecast ---------------------------------------------------------------------------------


def write_forecast(figures: ReportFigures, words: ReportWords) -> ReportSection:
    """Where the person-times will stand at the window's end, and what past forecasts were worth."""
    title = words.label(("Forecast and its back-test", "预测及其检验"))
    forecast, landing = figures.forecast, select_landing(figures)
    if isinstance(forecast, Message):
        return _write_gap(title, forecast, words)
    if landing is None:
        none = Message("Nobody of this area is on a chain yet, so that nothing can be forecast.")
        return _write_gap(title, none, words)
    blocks: list[ReportBlock] = [
        ReportParagraph(_describe_expected_landing(landing, words), "lead"),
        ReportParagraph(
            words.say(
                Message(
                    "From data up to {day}, simulated with seed {seed}; only what was known on "
                    "that day counts.",
                    day=forecast.data_date,
                    seed=forecast.seed,
                )
            ),
            "note",
        ),
        _chart_fan(forecast, figures, words),
        _tabulate_parts(forecast, figures, landing, words),
    ]
    if figures.request.province is None:
        blocks.append(_tabulate_landings(forecast, figures, words))
    blocks.append(_write_backtest(figures, words))
    return ReportSection(title, tuple(blocks))


def _describe_expected_landing(landing: dict[str, Any], words: ReportWords) -> str:
    expected = words.say(
        Message(
            "By {day}, {median:,} person-times are expected; with 80 % probability {low:,} to "
            "{high:,}.",
            day=landing["day"],
            median=landing["median"],
            low=landing["low_80"],
            high=landing["high_80"],
        )
    )
    target = landing["target"]
    if target is None:
        return expected
    if landing["counted"] >= target:
        reached = Message("The target of {target:,} is reached already.", target=target)
        return words.join(expected, words.say(reached))
    chance = Message(
        "The target of {target:,} is reached with a probability of {chance}.",
        target=target,
        chance=_format_chance(landing["probability"]),
    )
    return words.join(expected, words.say(chance))


def _select_area(table: pl.DataFrame, figures: ReportFigures) -> pl.DataFrame:
    """The rows of the report's area."""
    province = figures.request.province
    return table.filter(
        pl.col("attribute") == ("nation" if province is None else "province"),
        pl.col("value").eq_missing(pl.lit(province, pl.String)),
    )


def _chart_fan(
    forecast: LandingForecast, figures: ReportFigures, words: ReportWords
) -> ReportChart:
    times = pl.col("ledger") == "person_times"
    past = _select_area(forecast.past, figures).filter(
        times, pl.col("day") >= forecast.policy.window_start
    )
    ahead = _select_area(forecast.figures, figures).filter(times).sort("day")
    known = dict(past.sort("day").select("day", "count").rows())
    known[forecast.data_date] = int(ahead["counted"][0])
    days = sorted({*known, *ahead["day"]})
    rows = {row["day"]: row for row in ahead.iter_rows(named=True)}
    # The fan begins at what is counted on the data date.
    start = {name: known[forecast.data_date] for name in ahead.columns}
    rows = {forecast.data_date: start} | rows

    def take(name: str) -> tuple[float | None, ...]:
        return tuple(float(rows[day][name]) if day in rows else None for day in days)

    def take_edge(name: str) -> tuple[float, ...]:
        # Before the data date the bands have no height: they lie on the line of what was known.
        return tuple(float(rows[day][name] if day in rows else known[day]) for day in days)

    series = [
        ChartSeries(
            words.label(("known by then", "当时已知")),
            tuple(float(known[day]) if day in known else None for day in days),
        ),
        ChartSeries(words.label(("median", "中位数")), take("median"), "dashed"),
    ]
    if (target := ahead["target"][0]) is not None:
        goal = (float(target),) * len(days)
        series.append(ChartSeries(words.label(("target", "目标")), goal, "target"))
    bands = tuple(
        ChartBand(words.label(name), take_edge(f"low_{level}"), take_edge(f"high_{level}"))
        for level, name in (
            ("95", ("95 % interval", "95%区间")),
            ("80", ("80 % interval", "80%区间")),
        )
    )
    return ReportChart(
        words.label(("The way to the window's end", "到期末的走势")),
        words.label(PERSON_TIMES),
        "lines",
        tuple(f"{day:%Y-%m}" for day in days),
        tuple(series),
        bands,
    )


def _tabulate_parts(
    forecast: LandingForecast, figures: ReportFigures, landing: dict[str, Any], words: ReportWords
) -> ReportTable:
    parts = {row["part"]: row for row in _select_area(forecast.parts, figures).to_dicts()}
    rows = [(words.label(("already counted", "已计入")), format_number(landing["counted"]), "")]
    rows += [
        (
            words.label(title),
            format_number(parts[part]["median"]),
            _format_range(parts[part]["low_80"], parts[part]["high_80"]),
        )
        for part, title in PART_WORDS.items()
        if part in parts
    ]
    ends = _format_range(landing["low_80"], landing["high_80"])
    total = ("at the window's end", "期末")
    rows.append((words.label(total), format_number(landing["median"]), ends))
    return ReportTable(
        words.label(("What the forecast is made of", "预测构成")),
        words.label(PERSON_TIMES),
        words.labels(("part", "组成部分"), ("median", "中位数"), ("80 % interval", "80%区间")),
        tuple(rows),
        words.say(Message("Medians of parts do not add up to the median of the sum.")),
    )


def _tabulate_landings(
    forecast: LandingForecast, figures: ReportFigures, words: ReportWords
) -> ReportBlock:
    """By province. A small group shows nothing but the target: where hardly anybody is pending,
    the median is what is counted.
    """
    every = forecast.select_landing("province").filter(pl.col("ledger") == "person_times")
    counted = protect_column(every, "counted", ["value"])
    if counted is None:
        return write_too_few(words)
    # The same people stand by province above, where the month reaches as far as the data do.
    placed = protect_places(figures)
    above = {} if placed is None else dict(placed.select("value", "shown_person_times").rows())
    hidden = {
        value
        for (value,), text in counted.items()
        if text in HIDDEN_TEXTS or above.get(value) in HIDDEN_TEXTS
    }
    found = (
        every.filter(pl.col("value").is_not_null())
        .with_columns(hidden=pl.col("value").is_in(list(hidden)))
        .with_columns(order=pl.when("hidden").then(0).otherwise("median"))
        .sort("hidden", "order", "value", descending=[False, True, False])
        .head(MAX_FORECAST_ROWS)
    )
    rows = tuple(
        (
            words.label(PROVINCES[row["value"]]) if row["value"] in PROVINCES else row["value"],
            *(
                (
                    _hide_count(counted[(row["value"],)]),
                    DASH,
                    DASH,
                    format_number(row["target"]),
                    DASH,
                )
                if row["hidden"]
                else _format_landing(row, words)
            ),
        )
        for row in found.iter_rows(named=True)
    )
    heads = words.labels(
        ("province", "省份"),
        ("counted", "已计入"),
        ("median", "中位数"),
        ("80 % interval", "80%区间"),
        ("target", "目标"),
        ("probability", "达标概率"),
    )
    title = words.label(("Forecast by province", "分省预测"))
    return ReportTable(title, words.label(PERSON_TIMES), heads, rows)


def _hide_count(text: str) -> str:
    return text if text in HIDDEN_TEXTS else DASH


def _format_landing(row: dict[str, Any], words: ReportWords) -> tuple[str, ...]:
    reached = row["target"] is not None and row["counted"] >= row["target"]
    return (
        format_number(row["counted"]),
        format_number(row["median"]),
        _format_range(row["low_80"], row["high_80"]),
        format_number(row["target"]),
        words.label(("reached", "已达标")) if reached else _format_chance(row["probability"]),
    )


def _write_backtest(figures: ReportFigures, words: ReportWords) -> ReportBlock:
    found = figures.backtest
    if not isinstance(found, Backtest):
        return ReportParagraph(words.say(found))
    if found.outcomes.is_empty():
        none = Message(
            "No past quarter-end has four quarters of the window before it, so no forecast can be "
            "tested yet."
        )
        return ReportParagraph(words.say(none))
    rows = tuple(
        (
            words.label(FORECAST_AREA_WORDS[row["attribute"]]),
            format_number(row["outcomes"]),
            format_part(row["coverage_80"], 1),
            format_part(row["error"], 1),
            DASH if row["ratio"] is None else f"{row['ratio']:.2f}",
        )
        for row in found.scores.filter(pl.col("ledger") == "person_times").to_dicts()
    )
    heads = words.labels(
        ("forecasts of", "预测对象"),
        ("tests", "检验次数"),
        ("inside 80 %", "落入80%区间"),
        ("error of the median", "中位数误差"),
        ("loss ratio", "损失比"),
    )
    note = Message(
        "From past quarter-ends everything later is hidden, forecast and compared. Loss ratio: "
        "quantile loss against the better of a straight line and the run rate of four quarters; "
        "below 1 is better."
    )
    title = words.label(("What past forecasts were worth", "以往预测的检验"))
    return ReportTable(title, words.label(PERSON_TIMES), heads, rows, words.say(note))


# --- retention --------------------------------------------------------------------------------


def write_retention(figures: ReportFigures, words: ReportWords) -> ReportSection:
    """Who may leave within a year, in numbers, and what hangs on them."""
    title = words.label(("Retention: departures by month", "人才留任：分月离任情况"))
    found = figures.departures
    if not isinstance(found, Departures):
        return _write_gap(title, found, words)
    people = found.rows["person_id"].n_unique()
    last = found.rows.filter("last_mentor")["person_id"].n_unique()
    message = Message(
        "From {since} to {until}, {people} people on whom others depend retire, end a term or "
        "become free to leave; {last} are the last mentor of their occupation in their province.",
        since=found.since,
        until=found.until,
        people=format_group_size(people),
        last=format_group_size(last),
    )
    blocks: list[ReportBlock] = [ReportParagraph(words.say(message), "lead")]
    if people:
        blocks += _show_departures(found, words)
    blocks += _list_retirement_gaps(found, words)
    return ReportSection(title, tuple(blocks))


def _show_departures(found: Departures, words: ReportWords) -> list[ReportBlock]:
    months = count_departures_by_month(found.rows, found.retirements_since)
    people = protect_small_cells(months["people"].to_list())
    apprentices = protect_small_cells(months["apprentices"].to_list())
    if people is None:
        return [write_too_few(words)]
    if apprentices is None:
        apprentices = (DASH,) * months.height
    rows = tuple(
        (
            _format_departure_period(month, words),
            words.label(DEPARTURE_KINDS[kind]),
            leaving,
            taught,
        )
        for month, kind, leaving, taught in zip(
            months["month"], months["kind"], people, apprentices, strict=True
        )
    )
    heads = words.labels(
        ("month", "月份"), ("reason", "原因"), PERSONS_HEAD, ("apprentices", "在带徒弟")
    )
    note = Message(
        "Retirements are those of whole calendar years, without months: a month would tell a "
        "birthday. Fewer than three are told as {small}; a dash hides what would tell them.",
        small=SMALL_CELL_TEXT,
    )
    title = words.label(("Departures by month and reason", "分月分原因离任人数"))
    return [
        ReportTable(title, words.label(PERSONS_UNIT), heads, rows, words.say(note), 2),
        _chart_departures(months.with_columns(text=pl.Series(people)), words),
    ]


PERSONS_HEAD: Final = ("persons", "人数")


def _chart_departures(months: pl.DataFrame, words: ReportWords) -> ReportChart:
    """`months`: month, people, text. A month with a hidden reason has no bar: its sum less the
    reasons shown would reveal it.
    """
    by_month = (
        months.group_by("month")
        .agg(pl.col("people").sum(), shown=~pl.col("text").is_in(HIDDEN_TEXTS).any())
        .sort("month")
    )
    values = tuple(
        float(people) if shown else None
        for people, shown in by_month.select("people", "shown").rows()
    )
    return ReportChart(
        words.label(("Departures by month; of retirements, the year", "分月离任人数（退休按年）")),
        words.label(PERSONS_UNIT),
        "bars",
        tuple(_format_departure_period(month, words) for month in by_month["month"]),
        (ChartSeries(words.label(PERSONS_HEAD), values),),
        note=words.say(Message("A month without a bar has a group of one or two people.")),
    )


def _format_departure_period(month: str, words: ReportWords) -> str:
    """A month as it is; a year, which stands for all its months, says so."""
    return month if "-" in month else words.label((f"all of {month}", f"{month} 全年"))


def _list_retirement_gaps(found: Departures, words: ReportWords) -> list[ReportBlock]:
    blocks: list[ReportBlock] = []
    for gap, n in found.gaps.items():
        message = Message(
            "Of {n} working people no single retirement month is known: {gap}.",
            n=format_group_size(n),
            gap=Words(*RETIREMENT_GAPS[gap]),
        )
        blocks.append(ReportParagraph(words.say(message), "note"))
    if found.overdue:
        late = Message(
            "{n} working people are past their statutory month on {day}, with no retirement on "
            "record and no postponement in force.",
            n=format_group_size(found.overdue),
            day=found.retirements_since,
        )
        blocks.append(ReportParagraph(words.say(late), "note"))
    return blocks


# --- data quality -----------------------------------------------------------------------------


def write_quality(figures: ReportFigures, words: ReportWords) -> ReportSection:
    """What of the data can be counted with, what was refused, and where sources differ."""
    quality = figures.quality
    blocks: list[ReportBlock] = [
        ReportParagraph(
            words.say(
                Message(
                    "Of the nation's records. Loads up to revision {revision} refused {refused:,} "
                    "rows; {conflicts:,} values do not stand as another source takes precedence.",
                    revision=figures.revision,
                    refused=quality.refused,
                    conflicts=int(quality.conflicts["values"].sum()),
                )
            )
        ),
        _tabulate_coverage(figures, words),
        _tabulate_loads(figures, words),
    ]
    if not quality.conflicts.is_empty():
        blocks.append(_tabulate_conflicts(figures, words))
    blocks.append(_tabulate_claims(figures, words))
    return ReportSection(words.label(("Data quality", "数据质量")), tuple(blocks))


def _tabulate_coverage(figures: ReportFigures, words: ReportWords) -> ReportTable:
    rows = tuple(
        (
            words.label(COVERAGE_WORDS[share.what]),
            format_number(share.known),
            format_number(share.whole),
            format_part(share.known, share.whole),
        )
        for share in figures.quality.coverage
    )
    heads = words.labels(
        ("records", "记录"), ("known", "已知"), ("in all", "总数"), ("share", "占比")
    )
    title = words.label(("How much of the data can be counted with", "可用于统计的数据比例"))
    return ReportTable(title, words.label(("records", "条")), heads, rows)


def _tabulate_loads(figures: ReportFigures, words: ReportWords) -> ReportBlock:
    if not figures.quality.loads:
        return ReportParagraph(words.say(Message("No load ended in the month.")))
    rows = tuple(
        (
            str(load["revision"]),
            str(load["finished_at"])[:10],
            *(format_number(load[f"rows_{part}"]) for part in ("read", "accepted", "rejected")),
        )
        for load in figures.quality.loads
    )
    heads = words.labels(
        ("revision", "版本"),
        ("day", "日期"),
        ("rows read", "读取行数"),
        ("accepted", "接受行数"),
        ("refused", "拒绝行数"),
    )
    title = words.label(("Loads of the month", "本月数据载入"))
    return ReportTable(title, words.label(("rows", "行")), heads, rows, names=2)


def _tabulate_conflicts(figures: ReportFigures, words: ReportWords) -> ReportTable:
    rows = tuple((t, format_number(n)) for t, n in figures.quality.conflicts.rows())
    heads = words.labels(("table", "数据表"), ("values", "数值"))
    title = words.label(("Where sources differ", "来源不一致"))
    return ReportTable(title, words.label(("values", "个")), heads, rows)


def _tabulate_claims(figures: ReportFigures, words: ReportWords) -> ReportTable:
    rows = tuple(
        (
            words.label(CLAIM_KINDS[row["kind"]]),
            format_number(row["findings"]),
            *(
                DASH if row[name] is None else format_signed_number(row[name])
                for name in ("persons_change", "person_times_change")
            ),
        )
        for row in figures.quality.claims.with_columns(pl.col("kind").cast(pl.String)).to_dicts()
    )
    heads = words.labels(
        ("finding", "疑点"),
        ("findings", "疑点数"),
        ("persons without it", "剔除后人数变化"),
        ("person-times without it", "剔除后人次变化"),
    )
    note = Message(
        "What an auditor would ask about, and what the headline would change by without it. A "
        "finding is a question, not an error; kinds overlap and do not add up."
    )
    title = words.label(("Findings to check", "待核查疑点"))
    return ReportTable(title, words.label(BOTH_UNITS), heads, rows, words.say(note))


# --- definitions ------------------------------------------------------------------------------


def write_definitions(figures: ReportFigures, words: ReportWords) -> ReportSection:
    """The policy in force, and what the figures mean under it."""
    policy = figures.request.policy
    meaning = (
        Message(
            "Driven: a worker who became high-skilled (level {level} or above) in the window, and "
            "whom a chain of mentorships and studio trainings from a leading talent had reached by "
            "that day.",
            level=policy.high_skilled_level,
        ),
        Message(
            "Persons: each worker once. Person-times: each promotion to that level or above in the "
            "window. The two are never mixed."
        ),
        Message("Straight path: the target of the window, spread evenly over its days."),
        Message(
            "Restated: what later records changed of figures of earlier months, each change with "
            "its one cause."
        ),
        Message(
            "Nobody is named in this report. Tables by place, generation, month and reason tell "
            "groups of one or two people as {small} only; the totals of the area are told in full.",
            small=SMALL_CELL_TEXT,
        ),
    )
    blocks: list[ReportBlock] = [ReportParagraph(words.say(one)) for one in meaning]
    blocks.append(_tabulate_policy(policy, words))
    return ReportSection(words.label(("Definitions and policy", "统计口径与定义")), tuple(blocks))


def _tabulate_policy(policy: Policy, words: ReportWords) -> ReportTable:
    label = words.label
    yes_no = {True: ("yes", "是"), False: ("no", "否")}
    channels = {"mentorship": ("mentorship", "师徒"), "studio": ("studio", "工作室")}
    comma = label((", ", "、"))
    ends = {"last": ("from its last day", "从年末起"), "first": ("from its first day", "从年初起")}
    rows = (
        (("window", "统计期"), f"{policy.window_start} \N{EN DASH} {policy.window_end}"),
        (
            ("generations at most", "最多代数"),
            label(("no limit", "不限")) if policy.generations is None else str(policy.generations),
        ),
        (("high-skilled from level", "高技能起始等级"), str(policy.high_skilled_level)),
        (("chains follow dates", "按日期先后"), label(yes_no[policy.ordered])),
        (("channels", "渠道"), comma.join(label(channels[one]) for one in policy.channels)),
        (("undated links count", "无日期关系计入"), label(yes_no[policy.undated == "include"])),
        (("a link known by its year counts", "仅写到年份的关系"), label(ends[policy.year_alone])),
        (("as-of day", "截至日"), str(policy.as_of)),
        (("policy id", "口径编号"), policy.id),
    )
    return ReportTable(
        label(("The policy in force", "本报告统计口径")),
        "",
        words.labels(("rule", "规则"), ("value", "取值")),
        tuple((label(name), value) for name, value in rows),
        names=2,
    )
