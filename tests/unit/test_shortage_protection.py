"""Nobody without Cypher can work out a group of one or two from supply and demand."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from graph.forecast.shortages import COLUMNS, ShortagePart, Shortages, describe_missing
from graph.report.document import ReportParagraph, ReportTable
from graph.report.shortage_protection import (
    CHANGED,
    COUNTED,
    list_told_people,
    protect_shortages,
)
from graph.report.shortage_section import write_shortages
from graph.report.wording import DASH, HIDDEN_TEXTS, ReportWords, format_number
from tests.unit.test_small_cells import check_hidden, make_figures

CODES = ["6-18-01-01", "6-18-01-02", "6-18-02-04", "6-20-01-01"]
PLACES = ["11", "31", "32", "44", None]
SIZES = [0, 0, 1, 1, 2, 3, 5, 8, 40]


def make_rows(seed: int) -> pl.DataFrame:
    """The rows of one year, with small groups everywhere."""
    random = np.random.default_rng(seed)
    cells = [
        {
            "code": code,
            "province": place,
            "stock": int(random.choice(SIZES)),
            "mentors": int(random.choice(SIZES)),
            "retiring": float(random.choice(SIZES)),
            "rising": float(random.choice(SIZES)) + 0.25,
        }
        for code in CODES
        for place in PLACES[: int(random.integers(2, 6))]
    ]
    leaf = pl.DataFrame(cells, schema_overrides={"province": pl.String})
    figures = (*COUNTED, *CHANGED)
    group = pl.col("code").str.slice(0, 4)
    none = pl.lit(None, pl.String)
    parts = []
    for kind, code in (("occupation", pl.col("code")), ("occupation_group", group)):
        for area, place in (("province", pl.col("province")), ("nation", none)):
            summed = leaf.group_by(code.alias("code"), place.alias("province"), maintain_order=True)
            labels = (pl.lit(kind).alias("kind"), pl.lit(area).alias("area"))
            parts.append(summed.agg(pl.col(figures).sum()).with_columns(labels))
    rows = pl.concat(parts).with_columns(
        year=pl.lit(2026, pl.Int64),
        moving_out=pl.col("stock") * 0.1,
        moving_in=pl.lit(0.0),
        positions=pl.lit(10, pl.Int64),
    )
    lost = pl.col("retiring") + pl.col("moving_out") - pl.col("rising")
    rows = rows.with_columns(gap=10 + lost, supply=pl.col("stock") - lost)
    missing = [pl.lit(1.0).alias(name) for name in COLUMNS if name not in rows.columns]
    return rows.with_columns(missing).select("kind", "area", *COLUMNS)


def make_two_cells() -> pl.DataFrame:
    """One occupation: two people in Jiangsu, of whom one retires, and 40 in Guangdong."""
    cells = {"32": (2, 1.0, 0.0), "44": (40, 2.0, 1.0), None: (42, 3.0, 1.0)}
    rows = [
        {
            "kind": kind,
            "area": "nation" if place is None else "province",
            "code": code,
            "province": place,
            "stock": stock,
            "retiring": retiring,
            "rising": rising,
            "supply": stock - retiring + rising,
            "gap": 10 + retiring - rising,
        }
        for kind, code in (("occupation", "6-18-01"), ("occupation_group", "6-18"))
        for place, (stock, retiring, rising) in cells.items()
    ]
    even = {"year": 2026, "positions": 10, "mentors": 0, "moving_out": 0.0, "moving_in": 0.0}
    frame = pl.DataFrame(rows, schema_overrides={"province": pl.String}).with_columns(
        pl.lit(value).alias(name) for name, value in even.items()
    )
    missing = [pl.lit(1.0).alias(name) for name in COLUMNS if name not in frame.columns]
    return frame.with_columns(missing).select("kind", "area", *COLUMNS)


def sum_told(values: pl.Series) -> float | None:
    """The sum; None where there is nothing to add up."""
    told = values.drop_nulls()
    return told.sum() if told.len() else None


def list_told(values: pl.Series) -> list[str]:
    return [DASH if value is None else format_number(round(value)) for value in values]


@pytest.mark.parametrize("seed", range(25))
def test_no_small_group_can_be_worked_out(seed: int) -> None:
    rows = make_rows(seed)
    protected = protect_shortages(rows)
    keys = ["kind", "area", "code", "province"]
    assert protected.select(keys).equals(rows.select(keys)) and protected.columns == rows.columns
    nation = {"kind": "occupation", "area": "nation"}
    truth_n, told_n = rows.filter(**nation), protected.filter(**nation)
    for name in COUNTED:
        truth = truth_n[name].to_list()
        check_hidden(list_told(told_n[name]), truth, [([*range(len(truth))], sum(truth))])
    for code, *totals in truth_n.select("code", *COUNTED, *CHANGED).rows():
        here = {"kind": "occupation", "area": "province", "code": code}
        truth, shown = rows.filter(**here), protected.filter(**here)
        for name, total in zip((*COUNTED, *CHANGED), totals, strict=True):
            hidden = told_n.filter(code=code)[name][0] is None
            rounded = [round(value) for value in truth[name]]
            # The nation's total stands in the monthly report as well.
            total = sum(rounded) if name in CHANGED else total
            relations = [] if hidden else [([*range(len(rounded))], total)]
            check_hidden(list_told(shown[name]), rounded, relations)
        assert (shown["retiring"].is_null() == shown["rising"].is_null()).all()
        assert (shown["stock"].is_null() == shown["supply"].is_null()).all()
        assert (shown["stock"].is_null() == shown["moving_out"].is_null()).all()


@pytest.mark.parametrize("seed", range(5))
def test_sums_are_those_of_what_is_told(seed: int) -> None:
    protected = protect_shortages(make_rows(seed))
    leaf = protected.filter(kind="occupation", area="province")
    for row in protected.filter(kind="occupation_group", area="province").iter_rows(named=True):
        below = leaf.filter(
            pl.col("code").str.starts_with(row["code"]),
            pl.col("province").eq_missing(pl.lit(row["province"], pl.String)),
        )
        for name in (*COUNTED, *CHANGED):
            assert row[name] == sum_told(below[name])
        if below["stock"].null_count():
            assert row["supply"] is None
    nation = protected.filter(kind="occupation", area="nation")
    for row in protected.filter(kind="occupation_group", area="nation").iter_rows(named=True):
        of_group = pl.col("code").str.starts_with(row["code"])
        assert row["stock"] == sum_told(nation.filter(of_group)["stock"])
        assert row["retiring"] == sum_told(leaf.filter(of_group)["retiring"])


def test_a_sum_of_nothing_is_no_figure() -> None:
    protected = protect_shortages(make_two_cells())
    for row in protected.iter_rows(named=True):
        assert row["retiring"] is None and row["rising"] is None
        if row["area"] == "province":
            assert row["stock"] is None and row["supply"] is None
        else:
            # The nation's total hides nobody; of the changes no part is told.
            assert row["stock"] == 42 and row["supply"] == 40
    assert describe_missing(protected, 2026) == {
        "stock": None,
        "without_demand": None,
        "unknown_retirement": None,
        "no_place": 0,
    }


def test_nobody_is_listed_who_is_behind_a_hidden_figure() -> None:
    rows = make_two_cells().with_columns(
        retiring=pl.when(province="44").then(5.0).otherwise(pl.col("retiring"))
    )
    rows = rows.with_columns(mentors=pl.when(province="44").then(6).otherwise(0))
    protected = protect_shortages(rows)
    people = pl.DataFrame(
        {
            "person_id": ["J", "G", "?"],
            "occupation_code": ["6-18-01", "6-18-01", None],
            "province": ["32", "44", None],
        }
    )

    def listed(part: ShortagePart, code: str, place: str | None = None) -> tuple[list[str], bool]:
        told, hidden = list_told_people(people, protected, part, 2026, code=code, province=place)
        return told["person_id"].to_list(), hidden

    assert listed("leaving", "6-18-01", "32") == ([], True)
    assert listed("leaving", "6-18") == ([], True)
    assert listed("mentors", "6-18") == (["J", "G"], False)
    assert listed("mentors", "6-18-01", "44") == (["G"], False)
    assert listed("mentors", "6-20") == ([], False)


def test_what_is_large_is_told_as_it_is() -> None:
    rows = make_rows(1).with_columns(
        pl.lit(value).alias(name)
        for name, value in {"stock": 50, "mentors": 9, "retiring": 4.0, "rising": 6.0}.items()
    )
    leaf = {"kind": "occupation", "area": "province"}
    names = [*COUNTED, *CHANGED]
    protected = protect_shortages(rows)
    assert protected.filter(**leaf).select(names).equals(rows.filter(**leaf).select(names))
    assert protected["raised"].null_count() == rows.height


# --- the monthly report --------------------------------------------------------------------------


def write_section(rows: pl.DataFrame, province: str | None) -> tuple[dict[str, list[str]], str]:
    """The table of the report's section by occupation, and its note."""
    figures = make_figures(random.Random(1), same_day=True)
    request = replace(figures.request, province=province)
    shown = replace(figures, request=request, shortages=Shortages(rows, pl.DataFrame()))
    section = write_shortages(shown, ReportWords("en"))
    tables = [block for block in section.blocks if isinstance(block, ReportTable)]
    texts = [block.text for block in section.blocks if isinstance(block, ReportParagraph)]
    note = next(text for text in texts if text.startswith("In the nation"))
    return {row[0]: list(row) for table in tables for row in table.rows}, note


def leave_out_demand(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rows of a network in which half of the cells have no demand row."""
    stated = np.random.default_rng(seed).random(rows.height) < 0.5
    leaf = (pl.col("kind") == "occupation") & (pl.col("area") == "province")
    gone = leaf & ~pl.Series(stated)
    return rows.with_columns(
        *(pl.when(~gone).then(pl.col(name)).alias(name) for name in ("positions", "gap")),
        occupation=pl.col("code"),
        gap_low=pl.lit(1.0),
        gap_high=pl.lit(40.0),
        year=pl.lit(2027, pl.Int64),
    ).with_columns(gap=pl.when(pl.col("gap").is_not_null()).then(pl.lit(20.0)))


@pytest.mark.parametrize("seed", range(25))
def test_reports_beside_the_page_tell_no_small_group(seed: int) -> None:
    """The nation's report, each province's and the page are read together."""
    rows = leave_out_demand(make_rows(seed), seed)
    protected = protect_shortages(rows)
    nation, note = write_section(rows, None)
    by_place = {place: write_section(rows, place)[0] for place in PLACES if place is not None}
    leaf = rows.filter(kind="occupation", area="province")
    told = protected.filter(kind="occupation", area="province")
    unstated = told["positions"].is_null().to_list()
    stocks: list[str] = []
    relations = []
    for code in leaf["code"].unique(maintain_order=True):
        cells = [at for at, one in enumerate(leaf["code"]) if one == code]
        if (total := nation[code][1]) not in HIDDEN_TEXTS:
            relations.append((cells, int(total)))
    for at, (code, place) in enumerate(leaf.select("code", "province").rows()):
        on_page = list_told(told["stock"])[at]
        in_report = by_place.get(place, {}).get(code, ["", DASH])[1]
        stocks.append(on_page if in_report == DASH else in_report)
    number = int(re.findall(r"\d[\d,]*", note)[0].replace(",", ""))
    truth = leaf["stock"].to_list()
    # A reader takes the figure for the total of all whose demand is not stated, if it can be that.
    missing = [at for at, one in enumerate(unstated) if one]
    if number == sum(truth[at] for at in missing):
        relations.append((missing, number))
    check_hidden(stocks, truth, relations)
    assert number == sum(int(stocks[at]) for at in missing if stocks[at] not in HIDDEN_TEXTS)
