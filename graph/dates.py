"""Dates of which only the year, or the month, is known.

A record keeps such a date as one day, which counting and sorting need, and says beside it, in
`NAME_precision`, how much of it is known. Whoever shows it to a person shows no more than that:
`PartialDate` is a day that is written so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, Self

import polars as pl

DAY: Final = "day"  # said nowhere but while two dates are compared
YEAR: Final = "year"
MONTH: Final = "month"
# The suffix that makes the name of a date that of its precision.
PRECISION: Final = "_precision"
# How much of a date is written, by what is known of it.
_WRITTEN: Final = {YEAR: "%Y", MONTH: "%Y-%m"}


class PartialDate(date):
    """A day of which only the year or the month is known: it counts as the day, and is written as
    what is known.

    >>> first = PartialDate(2019, 12, 31, YEAR)
    >>> str(first), f"{first:%Y-%m}", first == date(2019, 12, 31)
    ('2019', '2019', True)
    """

    precision: str = ""

    def __new__(cls, year: int, month: int, day: int, precision: str = "") -> Self:
        """The day, and what of it is known."""
        made = super().__new__(cls, year, month, day)
        made.precision = precision
        return made

    def isoformat(self) -> str:
        """What is known, in ISO 8601: `2019`, `2019-05`."""
        written = _WRITTEN.get(self.precision)
        return super().isoformat() if written is None else super().strftime(written)

    __str__ = isoformat

    def strftime(self, format: str) -> str:
        """As `isoformat` where the format asks for more than is known."""
        return self.isoformat() if self.is_finer(format) else super().strftime(format)

    def is_finer(self, format: str) -> bool:
        """Whether a format asks for more than is known."""
        unknown = {YEAR: ("%m", "%d", "%b", "%B", "%j"), MONTH: ("%d", "%j")}
        return any(sign in format for sign in unknown.get(self.precision, ()))

    def __format__(self, format: str) -> str:
        return self.strftime(format) if format else self.isoformat()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.year, self.month, self.day, self.precision)


def make_partial_date(day: date | None, precision: str | None) -> date | None:
    """The day with what is known of it."""
    if day is None or precision is None:
        return day
    return PartialDate(day.year, day.month, day.day, precision)


def get_date_precision(day: date | None) -> str | None:
    """What is known of a day: `year`, `month`, or None for all of it."""
    return (day.precision or None) if isinstance(day, PartialDate) else None


def format_date_in_words(day: date, language: str) -> str:
    """A date in a sentence, as precise as it is known.

    >>> format_date_in_words(make_partial_date(date(2019, 12, 31), YEAR), "zh")
    '2019 年'
    >>> format_date_in_words(date(2019, 12, 31), "zh")
    '2019-12-31'
    """
    in_chinese = language == "zh" and get_date_precision(day) == YEAR
    return f"{day.year} 年" if in_chinese else day.isoformat()


def restore_date_precision(value: Any) -> Any:
    """Rows, maps and lists with each date as precise as its `NAME_precision` says, which goes.

    >>> row = {"start": date(2019, 12, 31), "start_precision": "year"}
    >>> str(restore_date_precision(row)["start"])
    '2019'
    """
    if isinstance(value, list):
        return [restore_date_precision(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    found = {name: restore_date_precision(one) for name, one in value.items()}
    for name in [name for name in found if is_precision(name, found)]:
        of = name.removesuffix(PRECISION)
        found[of] = make_partial_date(found[of], found.pop(name))
    return found


def is_precision(name: str, names: Any) -> bool:
    """Whether a name is that of the precision of another one of `names`."""
    return name.endswith(PRECISION) and name.removesuffix(PRECISION) in names


def format_date_columns(table: pl.DataFrame) -> pl.DataFrame:
    """A table as people read it: dates of known precision as text of it, their precision gone.

    A column whose days are all known stays one of dates.
    """
    precisions = [name for name in table.columns if is_precision(name, table.columns)]
    texts = []
    for name in precisions:
        of = name.removesuffix(PRECISION)
        if table[name].null_count() < table.height and table.schema[of] == pl.Date:
            texts.append(written_dates(of))
    return table.with_columns(texts).drop(precisions)


def written_dates(name: str) -> pl.Expr:
    """The dates of a column as text, as precise as the column `NAME_precision` says."""
    day, known = pl.col(name), pl.col(name + PRECISION)
    return (
        pl.when(known == YEAR)
        .then(day.dt.strftime(_WRITTEN[YEAR]))
        .when(known == MONTH)
        .then(day.dt.strftime(_WRITTEN[MONTH]))
        .otherwise(day.cast(pl.String))
        .alias(name)
    )


def least_known(name: str) -> pl.Expr:
    """What is known of a date that several rows state: the day, where one of them states it."""
    known = pl.col(name)
    return pl.when(known.is_not_null().all()).then(known.max()).alias(name)


def take_last_day(frame: pl.LazyFrame, name: str) -> pl.Expr:
    """The last day on which a date may fall: of the month or the year that alone is known.

    A period that ends in a month goes on until the month is over. The dates of a frame that says
    nothing of the precision are as they are.
    """
    known = name + PRECISION
    day = pl.col(name)
    if known not in frame.collect_schema():
        return day
    return (
        pl.when(pl.col(known) == YEAR)
        .then(day.dt.truncate("1y").dt.offset_by("11mo").dt.month_end())
        .when(pl.col(known) == MONTH)
        .then(day.dt.month_end())
        .otherwise(day)
    )


def first_days(frame: pl.LazyFrame, name: str = "start") -> pl.LazyFrame:
    """The frame with the first day of the year for each date of which the year alone is known.

    A frame that says nothing of the precision is as it was.
    """
    known = name + PRECISION
    if known not in frame.collect_schema():
        return frame
    first = pl.col(name).dt.truncate("1y")
    return frame.with_columns(
        pl.when(pl.col(known) == YEAR).then(first).otherwise(name).alias(name)
    )
