"""Every written form a cell may have, and what it is read as."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from graph.model import GRADES, PROVINCES, Property, Type
from loaders.columns import read_column

MAY = dt.date(2024, 5, 1)


def read(type: Type, *cells: str | None, **more: object) -> list[object]:
    column = pl.Series("column", cells, dtype=pl.String)
    declared = Property("column", "", "", type, **more)  # type: ignore[arg-type]
    return read_column(column, declared, lambda number: "digest").values.to_list()


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01", "2024-5-1", "2024/5/1", "2024.5.1", "20240501", "2024年5月1日", "45413",
        "45413.0", "2024-05-01 00:00:00", "2024-05-01T08:30:00Z", "２０２４年５月１日",
    ],
)  # fmt: skip
def test_a_day_in_any_form(text: str) -> None:
    assert read(Type.DATE, text, "2024-05-01") == [MAY, MAY]


@pytest.mark.parametrize("text", ["2024-05", "2024/5", "2024年5月"])
def test_a_month_is_its_first_day_and_flagged(text: str) -> None:
    column = read_column(
        pl.Series([text, "2024-05-01"]), Property("d", "", "", Type.DATE), lambda number: number
    )
    assert column.values.to_list() == [MAY, MAY]
    assert column.flagged is not None
    assert column.flagged.to_list() == [True, False]


@pytest.mark.parametrize(
    "text",
    ["2023-02-30", "2024-13-01", "1850-01-01", "2200-01-01", "soon", "2024", "-", "20241301"],
)
def test_no_day(text: str) -> None:
    assert read(Type.DATE, text, None) == [None, None]


@pytest.mark.parametrize(
    ("text", "level"),
    [("1", 1), ("8", 8), ("高级工", 4), ("Senior Worker", 4), ("特级技师", 7), ("三级/高级工", 4),
     ("高级技师（一级）", 6), ("４", 4), ("9", None), ("0", None), ("三级", None), ("4.5", None)],
)  # fmt: skip
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


def test_id_numbers_are_checked_and_only_their_digest_is_kept() -> None:
    right, wrong = "11010519491231002X", "110105194912310021"
    assert read(Type.ID_NUMBER, right, right.lower(), wrong, "1") == [
        "digest",
        "digest",
        None,
        None,
    ]
