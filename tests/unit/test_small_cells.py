"""No group of one or two people can be inferred from the files of a report."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from html.parser import HTMLParser
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from graph.driven.terms import CHAIN_KINDS, LEDGER_LINES
from graph.forecast.landing import LandingForecast
from graph.forecast.shortages import Shortages
from graph.messages import Message
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.programme.departures import DEPARTURE_KINDS, Departures
from graph.programme.ledgers import Ledger
from graph.report.document import MonthlyReport
from graph.report.figures import DataQuality, MonthLedger, ReportFigures
from graph.report.ledger_sections import (
    PLACE_FIGURES,
    protect_places,
    write_headline,
    write_ledgers,
    write_places,
)
from graph.report.outlook_sections import write_forecast, write_retention
from graph.report.request import ReportMonth, ReportRequest
from graph.report.shortage_section import write_shortages
from graph.report.small_cells import protect_small_cells
from graph.report.web import render_html_report
from graph.report.word import render_word_report
from graph.report.wording import DASH, HIDDEN_TEXTS, SMALL_CELL_TEXT, ReportWords
from tests.unit.test_driven import EXAMPLES

MONTH = ReportMonth.parse("2026-11")
POLICY = Policy(date(2026, 1, 1), date(2026, 12, 31), as_of=MONTH.last)
MISSING = Message("No load ended in the month.")
WORDS = ReportWords("en")
CODES = sorted(PROVINCES)[:6]
LARGE = 10_000


def check_hidden(
    texts: list[str],
    truth: list[int],
    relations: list[tuple[list[int], int]],
    at_most: Sequence[tuple[int, int]] = (),
) -> None:
    """Fails if a hidden cell of one or two has one value alone by what is shown.

    Each of `relations` is cells and their sum, which is shown; each of `at_most` two cells of which
    the first is known to be no more than the second.
    """
    cells = list(zip(texts, truth, strict=True))
    low = [1 if t == SMALL_CELL_TEXT else 0 if t == DASH else n for t, n in cells]
    high = [2 if t == SMALL_CELL_TEXT else LARGE if t == DASH else n for t, n in cells]
    rows = np.zeros((len(relations), len(texts)))
    for at, (members, _) in enumerate(relations):
        rows[at, members] = 1
    sums = np.array([total for _, total in relations])
    orders = np.zeros((len(at_most), len(texts)))
    for at, (less, more) in enumerate(at_most):
        orders[at, [less, more]] = 1, -1
    known = [LinearConstraint(rows, sums, sums)]
    if len(at_most):
        known.append(LinearConstraint(orders, -np.inf, 0))
    for place, (text, number) in enumerate(zip(texts, truth, strict=True)):
        if text not in HIDDEN_TEXTS or not 0 < number < 3:
            continue
        found = set()
        for sign in (1, -1):
            aim = np.zeros(len(texts))
            aim[place] = sign
            solved = milp(
                aim,
                constraints=known,
                integrality=np.ones(len(texts)),
                bounds=(low, high),
            )
            assert solved.success, "what is shown contradicts itself"
            found.add(round(solved.x[place]))
        assert len(found) == 2, f"{number} of {truth} can be inferred from {texts}"


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=7))
@example([1, 3, 5])
@example([2, 3, 3])
@example([1, 1, 1])
def test_every_small_number_may_be_one_or_two(numbers: list[int]) -> None:
    texts = protect_small_cells(numbers)
    if texts is None:
        return
    assert all(text == f"{n}" for n, text in zip(numbers, texts, strict=True) if not n)
    check_hidden(list(texts), numbers, [(list(range(len(numbers))), sum(numbers))])


# --- the files -----------------------------------------------------------------------------------


@dataclass
class ReadReport(HTMLParser):
    """The tables and the bars of an HTML report, by their titles."""

    html: str
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    bars: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        for block in re.split(r"<h3>", self.html)[1:]:
            title, rest = block.split("</h3>", 1)
            rows = re.findall(r"<tr>(.*?)</tr>", rest.split("<svg")[0], re.S)
            cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
            if any(cells):
                self.tables[title] = [
                    [one.replace("&lt;", "<") for one in row] for row in cells if row
                ]
            texts = re.findall(r'<text class="axis middle"[^>]*>(.*?)</text>', rest)
            if "<rect" in rest:
                labels = [text for text in texts if not re.fullmatch(r"[\d,]+", text)]
                self.bars[title] = [(label, "") for label in labels]
                self.bars[title] += [("", text) for text in texts if text not in labels]


def count(text: str) -> int | None:
    return int(text.replace(",", "")) if re.fullmatch(r"[\d,]+", text) else None


def make_figures(pick: random.Random, same_day: bool) -> ReportFigures:
    """A month with small groups everywhere."""
    number = [0, 1, 1, 2, 2, 3, 4, 7, 30]
    wide = pick.randint(1, len(CODES))
    times = [max(1, pick.choice(number)) for _ in range(wide)]
    persons = [pick.randint(1, n) for n in times]
    months = [pick.randint(0, n) for n in times]
    places = pl.DataFrame(
        {
            "value": CODES[:wide],
            "persons": persons,
            "person_times": times,
            "month_person_times": months,
            "target": [50] * wide,
        }
    )
    counted = times if same_day else [n + pick.choice(number) for n in times]
    landing = [
        {"attribute": "province", "value": code, "counted": n}
        for code, n in zip(CODES, counted, strict=False)
    ]
    landing.append({"attribute": "nation", "value": None, "counted": sum(counted)})
    ends = ("median", "low_80", "high_80", "low_95", "high_95")
    figures = pl.DataFrame(
        [
            row
            | dict.fromkeys(ends, row["counted"])
            | {"ledger": "person_times", "day": POLICY.window_end, "target": 50, "probability": 0.4}
            for row in landing
        ]
    )
    parts = {"attribute": ["nation"], "value": [None], "part": ["pending"]}
    forecast = LandingForecast(
        POLICY,
        1,
        MONTH.last,
        1,
        figures,
        pl.DataFrame(parts | {name: [0] for name in ends[:3]}),
        figures.select("attribute", "value", "ledger", "day", count="counted").clear(),
        pl.DataFrame(),
        pl.DataFrame(),
    )
    generations = pl.DataFrame(
        [{"generation": g} | {kind: pick.choice(number) for kind in CHAIN_KINDS} for g in (1, 2)]
    )
    total = int(generations.select(CHAIN_KINDS).sum().sum_horizontal()[0])
    ledger = pl.DataFrame({"day": [MONTH.last], "persons": [total], "person_times": [sum(times)]})
    workers = Ledger(ledger, None, POLICY.window_start, POLICY.window_end)
    return ReportFigures(
        request=ReportRequest(MONTH, POLICY),
        revision=1,
        data_until=MONTH.last,
        state=None,
        workers=MonthLedger(workers, sum(months), sum(months)),
        talents=MonthLedger(workers, 0, 0),
        lines=dict.fromkeys(LEDGER_LINES, 0),
        generations=generations,
        places=places,
        occupations={},
        change=MISSING,
        forecast=forecast,
        backtest=MISSING,
        departures=make_departures(pick),
        shortages=make_shortages(pick),
        quality=DataQuality((), (), 0, pl.DataFrame({"values": []}), pl.DataFrame()),
    )


def make_departures(pick: random.Random) -> Departures:
    rows = [
        (f"p{month}{kind}{one}", date(2027, month, 5), kind, False, 1, 0)
        for month in (1, 2, 3)
        for kind in sorted(DEPARTURE_KINDS)[:2]
        for one in range(pick.choice([0, 1, 2, 3, 5]))
    ]
    table = pl.DataFrame(
        rows,
        schema={
            "person_id": pl.String,
            "day": pl.Date,
            "kind": pl.String,
            "last_mentor": pl.Boolean,
            "apprentices": pl.Int64,
            "irreplaceable": pl.Int64,
        },
        orient="row",
    ).with_columns(other_day=pl.lit(None, pl.Date), day_precision=pl.lit(None, pl.String))
    days = (MONTH.last, date(2027, 11, 30))
    return Departures(table, *days, *days, {}, 0)


def make_shortages(pick: random.Random) -> Shortages:
    half = [0.0, 0.5, 1.0, 2.0, 2.5, 4.0, 9.0]
    rows = pl.DataFrame(
        [
            {
                "kind": "occupation",
                "area": "nation",
                "code": f"6-{n}",
                "occupation": f"occupation {n}",
                "province": None,
                "year": 2027,
                "rank": n,
                "stock": pick.randint(1, 9),
                "retiring": (leave := pick.choice(half)),
                "rising": (rise := pick.choice(half)),
                "positions": 20,
                "gap": 20 + leave - rise,
                "gap_low": 20.0,
                "gap_high": 30.0,
                "mentors": pick.randint(0, 4),
                "mentor_years": 5.0,
            }
            for n in range(1, 5)
        ],
        schema_overrides={"province": pl.String},
    )
    names = (
        "kept_on",
        "moving_out",
        "moving_in",
        "supply",
        "without_demand",
        "unknown_retirement",
        "raised",
        "observed_mentor_years",
        "raised_per_year",
    )
    more = [pl.lit(0.0).alias(name) for name in names]
    return Shortages(rows.with_columns(*more, rate_of=pl.lit("own")), pl.DataFrame())


@pytest.mark.parametrize("seed", range(EXAMPLES // 4))
def test_no_hidden_number_can_be_worked_out_from_the_files(seed: int) -> None:
    figures = make_figures(random.Random(seed), same_day=seed % 2 == 0)
    write = (
        write_headline,
        write_ledgers,
        write_places,
        write_forecast,
        write_retention,
        write_shortages,
    )
    report = MonthlyReport(
        "en",
        "report",
        "nation",
        "2026-11-30",
        (),
        "",
        "Contents",
        tuple(one(figures, WORDS) for one in write),
    )
    read = ReadReport(render_html_report(report).decode())
    check_places(read, figures)
    check_generations(read, figures)
    check_departures(read, figures)
    check_shortages(read, figures)
    if seed < 4:
        assert list_word_numbers(report) <= list_numbers(read.html)


def check_places(read: ReadReport, figures: ReportFigures) -> None:
    """Of both tables by province and the chart, with the nation's totals."""
    names = {PROVINCES[code][0]: code for code in CODES}
    truth = {row["value"]: row for row in figures.places.to_dicts()}
    table = {names[row[0]]: row[1:] for row in read.tables.get("By province", [])}
    ahead = {names[row[0]]: row[1:] for row in read.tables.get("Forecast by province", [])}
    bars = {
        count(text) for _, text in read.bars.get("Person-times driven, the largest first", [])
    } - {None}
    shown_times = {count(row[1]) for row in table.values()}
    assert bars <= shown_times
    order = [code for code, row in table.items() if row[1] in HIDDEN_TEXTS]
    assert order == sorted(order), "the order tells which hidden number is larger"
    check_place_cells(
        [(truth[code], dict(zip(PLACE_FIGURES, table[code], strict=False))) for code in table]
    )
    assert isinstance(figures.forecast, LandingForecast)
    counted = dict(figures.forecast.select_landing("province").select("value", "counted").rows())
    codes = sorted(ahead)
    texts = [ahead[code][0] for code in codes]
    numbers = [counted[code] for code in codes]
    check_hidden(texts, numbers, [(list(range(len(codes))), sum(numbers))])
    for code, row in ahead.items():
        if row[0] in HIDDEN_TEXTS:
            assert row[1:3] == [DASH, DASH] and row[4] == DASH
        # Up to one day both tables are of the same people.
        if table and counted == {place: facts["person_times"] for place, facts in truth.items()}:
            assert (row[0] in HIDDEN_TEXTS) == (table[code][1] in HIDDEN_TEXTS)
    for row in table.values():
        assert row[1] not in HIDDEN_TEXTS or row[4] == DASH


def check_place_cells(rows: list[tuple[dict[str, int], dict[str, str]]]) -> None:
    """Nothing can be worked out by the totals and by no row having more persons, or person-times of
    the month, than person-times. Each row: its numbers and the texts shown.
    """
    persons, times, month = ([*range(n * len(rows), (n + 1) * len(rows))] for n in range(3))
    texts = [shown[name] for name in PLACE_FIGURES for _, shown in rows]
    numbers = [facts[name] for name in PLACE_FIGURES for facts, _ in rows]
    totals = [(cells, sum(numbers[at] for at in cells)) for cells in (persons, times, month)]
    at_most = [*zip(persons, times, strict=True), *zip(month, times, strict=True)]
    check_hidden(texts, numbers, totals, at_most)


place_rows = st.integers(0, 9).flatmap(
    lambda times: st.tuples(st.integers(0, times), st.just(times), st.integers(0, times))
)


@settings(deadline=None)
@given(st.lists(place_rows, max_size=6))
@example([(2, 5, 0), (3, 3, 0), (10, 12, 0)])  # person-times of 3 would say that 3 persons are 3
@example([(2, 2, 0), (1, 1, 0), (0, 1, 0), (9, 9, 0)])
@example([(0, 5, 2), (0, 3, 3), (0, 12, 10)])
def test_no_row_of_places_tells_persons_by_person_times(rows: list[tuple[int, ...]]) -> None:
    places = pl.DataFrame(
        [(f"{at:02}", *row, None) for at, row in enumerate(rows)],
        schema=dict.fromkeys(("value", *PLACE_FIGURES, "target"), pl.Int64) | {"value": pl.String},
        orient="row",
    )
    figures = replace(make_figures(random.Random(1), same_day=True), places=places)
    protected = protect_places(figures)
    if protected is None:
        return
    check_place_cells(
        [
            (row, {name: row[f"shown_{name}"] for name in PLACE_FIGURES})
            for row in protected.rows(named=True)
        ]
    )


def check_generations(read: ReadReport, figures: ReportFigures) -> None:
    numbers = [n for row in figures.generations.select(CHAIN_KINDS).rows() for n in row]
    rows = read.tables.get("Driven by generation and channel")
    if rows is not None:
        texts = [cell for row in rows for cell in row[1:]]
        check_hidden(texts, numbers, [(list(range(len(numbers))), sum(numbers))])


def check_departures(read: ReadReport, figures: ReportFigures) -> None:
    assert isinstance(figures.departures, Departures)
    truth: dict[tuple[str, str], int] = {}
    for day, kind in figures.departures.rows.select("day", "kind").rows():
        key = (f"{day:%Y-%m}", DEPARTURE_KINDS[kind][0])
        truth[key] = truth.get(key, 0) + 1
    rows = read.tables.get("Departures by month and reason", [])
    if not rows:
        return
    keys = [(row[0], row[1]) for row in rows]
    numbers = [truth[key] for key in keys]
    relations = [(list(range(len(keys))), sum(numbers))]
    shown = [
        count(text)
        for _, text in read.bars.get("Departures by month; of retirements, the year", [])
    ]
    for month in sorted({month for month, _ in keys}):
        cells = [at for at, key in enumerate(keys) if key[0] == month]
        total = sum(numbers[at] for at in cells)
        # Whoever reads a bar of that height takes it for the month's.
        if total in shown and all(rows[at][2] not in HIDDEN_TEXTS for at in cells):
            relations.append((cells, total))
    shown_months = {m for m, _ in keys if all(r[2] not in HIDDEN_TEXTS for r in rows if r[0] == m)}
    assert len([n for n in shown if n is not None]) == len(shown_months)
    check_hidden([row[2] for row in rows], numbers, relations)


def check_shortages(read: ReadReport, figures: ReportFigures) -> None:
    """The gap less the positions is who retires less who rises: one tells the other."""
    assert isinstance(figures.shortages, Shortages)
    truth = {row["occupation"]: row for row in figures.shortages.rows.to_dicts()}
    for row in read.tables.get("Occupations that lack high-skilled people", []):
        facts = truth[row[0]]
        small = any(0 < facts[name] < 3 for name in ("retiring", "rising"))
        assert (row[2:4] == [DASH, DASH]) == small
        for place, name in ((1, "stock"), (6, "mentors")):
            assert (row[place] == SMALL_CELL_TEXT) == (0 < facts[name] < 3)


def list_numbers(text: str) -> set[str]:
    return set(re.findall(r"\d[\d,]*", re.sub(r"<style.*?</style>", "", text, flags=re.S)))


def list_word_numbers(report: MonthlyReport) -> set[str]:
    """The numbers of the text and of the charts of the Word file."""
    found: set[str] = set()
    with ZipFile(BytesIO(render_word_report(report))) as file:
        for name in file.namelist():
            content = file.read(name)
            if name == "word/document.xml":
                found |= list_numbers(
                    " ".join(re.findall(r"<w:t(?: [^>]*)?>(.*?)</w:t>", content.decode()))
                )
            if name.startswith("word/charts/") and name.endswith(".xml"):
                values = re.findall(r"<c:v>([\d.]+)</c:v>", content.decode())
                found |= {f"{float(value):,.0f}" for value in values}
            if name.endswith(".xlsx"):
                with ZipFile(BytesIO(content)) as book:
                    sheet = book.read("xl/worksheets/sheet1.xml").decode()
                values = re.findall(r"<c r=[^>]*?(?<!t=\"s\")><v>([\d.]+)</v>", sheet)
                found |= {f"{float(value):,.0f}" for value in values}
    return found
