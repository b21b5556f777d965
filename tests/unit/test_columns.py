"""Every written form a cell may have, and what it is read as."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from graph.model.schema_types import Property, Type
from graph.model.vocabularies import GRADES, PROVINCES
from loaders.columns import ParsedColumn, parse_column

MAY = dt.date(2024, 5, 1)


def remarked(column: ParsedColumn, words: str) -> list[bool]:
    """Which cells have the remark that begins with `words`."""
    (found,) = [which for which, reason in column.remarks if str(reason).startswith(words)]
    return found.to_list()


def read(type: Type, *cells: str | None, **more: object) -> list[object]:
    column = pl.Series("column", cells, dtype=pl.String)
    name = more.pop("name", "column")
    declared = Property(name, "", "", type, **more)  # type: ignore[arg-type]
    return parse_column(column, declared, lambda number: "digest").values.to_list()


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01",
        "2024-5-1",
        "2024/5/1",
        "2024.5.1",
        "20240501",
        "2024年5月1日",
        "45413",
        "45413.0",
        "2024-05-01 00:00:00",
        "2024-05-01T08:30:00Z",
        "２０２４年５月１日",
    ],
)
def test_a_day_in_any_form(text: str) -> None:
    assert read(Type.DATE, text, "2024-05-01") == [MAY, MAY]


@pytest.mark.parametrize(
    ("text", "day", "moved"),
    [
        ("2023-12-31T16:00:00.000Z", "2024-01-01", True),  # midnight in China, as JavaScript writes
        ("2024-01-01T15:59:59Z", "2024-01-01", False),
        ("2024-01-01 00:00+08:00", "2024-01-01", False),
        ("2024-01-01T00:30:00+0900", "2023-12-31", True),
        ("2023-12-31T22:00:00-05:00", "2024-01-01", True),
        ("2023-12-31T23:59:59", "2023-12-31", False),
    ],
)
def test_a_moment_is_of_its_day_in_china(text: str, day: str, moved: bool) -> None:
    column = parse_column(
        pl.Series([text, "2024-05-01"]), Property("d", "", "", Type.DATE), lambda number: number
    )
    assert column.values.to_list() == [dt.date.fromisoformat(day), MAY]
    assert remarked(column, "a moment of another time zone") == [moved, False]


def test_typed_moments_are_of_their_day_in_china() -> None:
    moments = pl.Series([dt.datetime(2023, 12, 31, 16)]).dt.replace_time_zone("UTC")
    declared = Property("d", "", "", Type.DATE)
    assert parse_column(moments, declared, str).values.to_list() == [dt.date(2024, 1, 1)]


@pytest.mark.parametrize(
    ("name", "text", "day"),
    [
        ("date", "45413", MAY),
        ("date", "20241", None),  # January 2024, not 1 June 1955
        ("birth_date", "20241", dt.date(1955, 6, 1)),
    ],
)
def test_a_spreadsheets_number_of_a_day_is_remarked(
    name: str, text: str, day: dt.date | None
) -> None:
    column = parse_column(pl.Series([text, "2024-05-01"]), Property(name, "", "", Type.DATE), str)
    assert column.values.to_list() == [day, MAY]
    assert remarked(column, "a spreadsheet's number of a day") == [day is not None, False]


@pytest.mark.parametrize("text", ["2024-05", "2024/5", "2024年5月"])
def test_a_month_is_its_first_day_and_flagged(text: str) -> None:
    column = parse_column(
        pl.Series([text, "2024-05-01"]), Property("d", "", "", Type.DATE), lambda number: number
    )
    assert column.values.to_list() == [MAY, MAY]
    assert remarked(column, "a month") == [True, False]


@pytest.mark.parametrize(
    "text",
    ["2023-02-30", "2024-13-01", "1599-12-31", "3000-01-01", "soon", "1024", "20241301", "0000"],
)
def test_no_day(text: str) -> None:
    assert read(Type.DATE, text, None) == [None, None]


@pytest.mark.parametrize("text", ["1643-01-04", "1899-12-31", "2101-01-01", "2999-12-31"])
def test_days_long_ago_and_far_ahead(text: str) -> None:
    assert read(Type.DATE, text, "2024/5/1") == [dt.date.fromisoformat(text), MAY]


@pytest.mark.parametrize("text", ["1643", "1643年", "１６４３"])
def test_a_year_alone_is_its_first_day_and_remarked(text: str) -> None:
    declared = Property("birth_date", "", "", Type.DATE)
    column = parse_column(pl.Series([text, "2024-05-01"]), declared, str)
    assert column.values.to_list() == [dt.date(1643, 1, 1), MAY]
    assert remarked(column, "a year alone") == [True, False]


@pytest.mark.parametrize(("name", "decides"), [("start", True), ("end", False)])
def test_a_link_of_a_year_counts_from_its_last_day(name: str, decides: bool) -> None:
    assert read(Type.DATE, "2020", decides=decides, name=name) == [dt.date(2020, 12, 31)]


@pytest.mark.parametrize("text", ["至今", "长期", "9999-12-31", "present"])
def test_an_open_end_is_empty_and_no_fault(text: str) -> None:
    declared = Property("end", "", "", Type.DATE)
    column = parse_column(pl.Series([text, "2024-05-01"]), declared, str)
    assert column.values.to_list() == [None, MAY]
    assert column.empty is not None and column.empty.to_list() == [True, False]
    assert (
        parse_column(pl.Series([text]), Property("start", "", "", Type.DATE), str).empty[0] is False
    )


@pytest.mark.parametrize("text", ["不详", "无", "-", "N/A"])
def test_words_for_nothing_are_empty_and_remarked(text: str) -> None:
    column = parse_column(pl.Series([text]), Property("start", "", "", Type.DATE), str)
    assert column.values.to_list() == [None]
    assert remarked(column, "this says that it is not known") == [True]


@pytest.mark.parametrize(
    ("type", "values", "taken"),
    [
        (Type.LEVEL, pl.Series([4, 0, 9, 99, -1]), [4, None, None, None, None]),
        (Type.INTEGER, pl.Series([5, -5, 10**18]), [5, None, None]),
        (Type.FLOAT, pl.Series([1.5, -1.0, float("nan"), float("inf"), 1e300]), [1.5] + [None] * 4),
        (Type.DATE, pl.Series([MAY, dt.date(1, 1, 1), dt.date(9999, 12, 31)]), [MAY, None, None]),
        (Type.BOOLEAN, pl.Series([True, False]), [True, False]),
        (Type.LEVEL, pl.Series([4.0, 4.5, float("nan")]), [4, None, None]),
        (Type.LEVEL, pl.Series([4, 9], dtype=pl.Int8), [4, None]),
        (Type.STRING, pl.Series([7.0, 3.5, 1e15]), ["7", "3.5", "1000000000000000"]),
        (Type.STRING, pl.Series([7, None]), ["7", None]),
        (Type.DATE, pl.Series([dt.datetime(2024, 5, 1, 8, 30), dt.datetime(1, 1, 1)]), [MAY, None]),
        (Type.PROVINCE, pl.Series([32, 99]), ["32", None]),
        (Type.STRING, pl.Series(["a"], dtype=pl.Categorical), ["a"]),
        (Type.STRING, pl.Series([b"a", b"\xff"]), ["a", "\ufffd"]),
    ],
)
def test_typed_cells_meet_the_checks_of_text(
    type: Type, values: pl.Series, taken: list[object]
) -> None:
    declared = Property("column", "", "", type)
    assert parse_column(values, declared, str).values.to_list() == taken


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("1", 1),
        ("8", 8),
        ("高级工", 4),
        ("Senior Worker", 4),
        ("特级技师", 7),
        ("三级/高级工", 4),
        ("高级技师（一级）", 6),
        ("４", 4),
        ("9", None),
        ("0", None),
        ("三级", None),
        ("4.5", None),
    ],
)
def test_levels_by_number_or_name(text: str, level: int | None) -> None:
    assert read(Type.LEVEL, text) == [level]


def test_old_numerals_alone_are_refused_for_they_run_the_other_way() -> None:
    assert read(Type.LEVEL, "一级", "五级") == [None, None]


@pytest.mark.parametrize("code", sorted(PROVINCES))
def test_provinces_by_code_and_name(code: str) -> None:
    english, chinese = PROVINCES[code]
    assert read(Type.PROVINCE, code, f"{code}0000", english, chinese) == [code] * 4


def test_provinces_by_full_name() -> None:
    names = ("江苏省", "北京市", "内蒙古自治区", "香港特别行政区", "火星")
    assert read(Type.PROVINCE, *names) == ["32", "11", "15", "81", None]


def test_numbers() -> None:
    assert read(Type.INTEGER, "1,234", "12.0", "-1", "1.5", "x") == [1234, 12, None, None, None]
    assert read(Type.FLOAT, "1,234.5", "3e5", "nan", "inf", "-1") == [1234.5, 3e5, None, None, None]


def test_booleans() -> None:
    assert read(Type.BOOLEAN, "是", "No", "TRUE", "0", "maybe") == [True, False, True, False, None]


def test_choices_by_code_and_by_name() -> None:
    cells = ("national", "国家级", "National", "planetary")
    assert read(Type.STRING, *cells, choices=GRADES) == ["national"] * 3 + [None]
    assert read(Type.STRING, *cells, choices=GRADES, open_choice=True)[3] == "planetary"


def test_an_occupation_is_its_code_by_any_writing_or_by_its_name() -> None:
    written = (
        "焊工",
        "6-18-02-04",
        "6—18—02—04",
        "6180204",
        "６－１８－０２－０４",
        "焊工（钢结构方向）",
    )
    assert read(Type.OCCUPATION, *written) == ["6-18-02-04"] * len(written)
    assert read(Type.OCCUPATION, "6-18", "电焊工", "9999999", None) == [
        "6-18",
        "电焊工",
        "9999999",
        None,
    ]


def test_an_occupation_that_the_national_list_has_not_is_remarked() -> None:
    cells = pl.Series(["电焊工", "Q177220", "焊工", None])
    ((remarked, message),) = parse_column(
        cells, Property("x", "x", "x", Type.OCCUPATION), str
    ).remarks
    assert remarked.to_list() == [True, False, False, False]
    assert "neither" in message.said("en")


def test_id_numbers_are_checked_and_only_their_digest_is_kept() -> None:
    right, wrong = "11010519491231002X", "110105194912310021"
    assert read(Type.ID_NUMBER, right, right.lower(), wrong, "1") == [
        "digest",
        "digest",
        None,
        None,
    ]


@pytest.mark.parametrize("name", ["start", "end", "date"])
def test_what_is_known_of_a_date_is_kept_beside_it(name: str) -> None:
    cells = pl.Series(["2019", "2019年", "2019-05", "2019-05-01", "soon", None])
    found = parse_column(cells, Property(name, "", "", Type.DATE), lambda number: number)
    assert found.precision is not None
    assert found.precision.to_list() == ["year", "year", "month", None, None, None]
    assert found.values.is_null().to_list() == [False] * 4 + [True] * 2


def test_a_rounded_certificate_number_is_left_out() -> None:
    declared = Property("certificate_no", "", "", Type.STRING)
    column = parse_column(pl.Series(["1.50001E+15", "S000032001051243000001"]), declared, str)
    assert column.values.to_list() == [None, "S000032001051243000001"]
    assert remarked(column, "a rounded number") == [True, False]
