"""Dates of which the year or the month alone is known: what is written of them, and what counts."""

from __future__ import annotations

import copy
import csv
import io
import json
import pickle
from datetime import date, timedelta

import polars as pl
import pytest

from graph.dates import (
    MONTH,
    YEAR,
    PartialDate,
    first_days,
    format_date_columns,
    get_date_precision,
    make_partial_date,
    restore_date_precision,
)
from graph.model.kinds import EXCHANGE_TABLES, RELATION_KINDS, stored_properties
from graph.policy import Policy
from graph.snapshot.frames import Snapshot
from graph.store.statements import MergeRules, Statement
from graph.tabular import (
    About,
    build_frame_from_rows,
    format_cell,
    format_json,
    render_csv,
    render_parquet,
)
from ui.words.i18n import override_language
from ui.words.numbers import format_day, format_month

LAST = date(2019, 12, 31)
OF_YEAR = PartialDate(2019, 12, 31, YEAR)
OF_MONTH = PartialDate(2019, 5, 1, MONTH)


def test_it_counts_as_its_day_and_is_written_as_what_is_known() -> None:
    assert OF_YEAR == LAST and hash(OF_YEAR) == hash(LAST) and date(2020, 1, 1) > OF_YEAR
    assert OF_YEAR - timedelta(days=1) == date(2019, 12, 30)
    for text in (str(OF_YEAR), f"{OF_YEAR}", f"{OF_YEAR:%Y-%m}", OF_YEAR.isoformat()):
        assert text == "2019"
    assert (str(OF_MONTH), f"{OF_MONTH:%Y}", f"{OF_MONTH:%Y-%m}") == ("2019-05", "2019", "2019-05")
    assert format_cell(OF_YEAR) == "2019" and format_json([OF_YEAR]) == '["2019"]'
    for again in (copy.deepcopy(OF_YEAR), pickle.loads(pickle.dumps(OF_YEAR))):
        assert get_date_precision(again) == YEAR and again == LAST
    assert (
        get_date_precision(make_partial_date(LAST, None)) is None
        and make_partial_date(None, YEAR) is None
    )


def test_pages_say_the_year() -> None:
    with override_language("zh"):
        assert (format_day(OF_YEAR), format_month(OF_YEAR), format_month(OF_MONTH)) == (
            "2019 年",
            "2019 年",
            "2019-05",
        )
        assert (format_day(LAST), format_month(LAST), format_day(None)) == (
            "2019-12-31",
            "2019-12",
            "—",
        )
    with override_language("en"):
        assert (format_day(OF_YEAR), format_month(OF_YEAR), format_day(OF_MONTH)) == (
            "2019",
            "2019",
            "2019-05",
        )


def test_rows_take_the_precision_beside_a_date() -> None:
    row = {
        "id": "p",
        "ties": [{"start": LAST, "start_precision": YEAR, "end": None}],
        "date": LAST,
        "date_precision": None,
        "precision": 4,
    }
    found = restore_date_precision(row)
    assert (
        found["ties"] == [{"start": LAST, "end": None}] and str(found["ties"][0]["start"]) == "2019"
    )
    assert str(found["date"]) == "2019-12-31" and found["precision"] == 4


def test_files_have_the_year_and_parquet_the_day_beside_it() -> None:
    table = pl.DataFrame(
        {"day": [LAST, date(2019, 5, 1), LAST, None], "day_precision": [YEAR, MONTH, None, None]}
    )
    text = render_csv(table, "utf-8").decode()
    found = [row["day"] for row in csv.DictReader(io.StringIO(text))]
    assert found == ["2019", "2019-05", "2019-12-31"]  # an empty line is none to the reader
    assert format_date_columns(table).columns == ["day"]
    read_back = pl.read_parquet(io.BytesIO(render_parquet(table, About(1))))
    assert read_back.equals(table)
    # Where every day is known the column stays one of dates.
    known = table.with_columns(day_precision=pl.lit(None, pl.String))
    assert format_date_columns(known).schema == {"day": pl.Date}
    assert build_frame_from_rows(["day"], [[OF_YEAR], [LAST]])["day"].to_list() == [
        "2019",
        "2019-12-31",
    ]
    assert build_frame_from_rows(["day"], [[OF_YEAR]])["day"].to_list() == ["2019"]


def test_every_date_of_the_schema_has_its_precision() -> None:
    for declared in EXCHANGE_TABLES.values():
        names = [known.name for known in stored_properties(declared)]
        for known in declared.properties:
            if known.precision is not None:
                assert names[names.index(known.name) + 1] == f"{known.name}_precision"


def test_the_precision_is_that_of_the_source_whose_date_stands() -> None:
    rules = MergeRules.of(RELATION_KINDS["MENTORS"], {"hr": 0})
    years = Statement("hr", "m.csv:2", {"start": LAST, "start_precision": YEAR, "end": None})
    days = Statement(
        "union", "m.csv:3", {"start": date(2019, 3, 1), "start_precision": None, "end": None}
    )
    for order in ([years, days], [days, years]):
        record = rules.decide(order)
        assert (record.values["start"], record.values["start_precision"]) == (LAST, YEAR)
        (lost,) = record.conflicts
        assert (str(lost.value), str(lost.standing)) == ("2019-03-01", "2019")
        provenance = {"row": "m.csv:2", "sources": ["hr", "union"], "stated": record.stated}
        back = rules.statements({**record.values, **provenance}, record.values)
        assert {one.source: one.values["start_precision"] for one in back} == {
            "hr": YEAR,
            "union": None,
        }
        assert [json.loads(text)["source"] for text in record.stated or ()] == ["hr", "union"]


@pytest.mark.parametrize("known", [YEAR, MONTH, None])
def test_only_a_year_alone_begins_on_its_first_day(known: str | None) -> None:
    frame = pl.LazyFrame({"start": [LAST, None], "start_precision": [known, None]})
    first = date(2019, 1, 1) if known == YEAR else LAST
    assert first_days(frame).collect()["start"].to_list() == [first, None]
    bare = frame.drop("start_precision")
    assert first_days(bare).collect().equals(bare.collect())


def test_a_snapshot_under_the_default_policy_is_itself() -> None:
    snapshot = Snapshot(1, None, {})
    assert snapshot.under(Policy()) is snapshot
