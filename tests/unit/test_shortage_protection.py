"""Nobody without Cypher can work out a group of one or two from supply and demand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from graph.forecast.shortages import COLUMNS
from graph.report.shortage_protection import CHANGED, COUNTED, protect_shortages
from graph.report.wording import DASH, format_number
from tests.unit.test_small_cells import check_hidden

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
            assert row[name] == below[name].sum()
    nation = protected.filter(kind="occupation", area="nation")
    for row in protected.filter(kind="occupation_group", area="nation").iter_rows(named=True):
        of_group = pl.col("code").str.starts_with(row["code"])
        assert row["stock"] == nation.filter(of_group)["stock"].sum()
        assert row["retiring"] == leaf.filter(of_group)["retiring"].sum()


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
