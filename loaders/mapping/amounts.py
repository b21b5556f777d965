"""Amounts of money in the unit of their header, in yuan."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Final

import polars as pl

# Yuan of each unit.
MONEY_UNITS: Final = {
    "元": 1,
    "百元": 100,
    "千元": 1_000,
    "万元": 10_000,
    "百万元": 1_000_000,
    "亿元": 100_000_000,
}
_UNIT_WORDS: Final = {**MONEY_UNITS, "万": 10_000, "亿": 100_000_000, "yuan": 1}
_UNIT_PATTERN: Final = re.compile(r"百万元|亿元|万元|千元|百元|元|万|亿|yuan")
_AMOUNT_PATTERN: Final = re.compile(
    r"(?:人民币|¥|￥)?\s*(-?[\d,]*\.?\d+)\s*(百万元|亿元|万元|千元|百元|元|万|亿)?(?:整)?"
)


def find_money_unit(header: str) -> int | None:
    """Yuan of the unit that a header names, as in 资助经费（万元）; None where it names none."""
    plain = unicodedata.normalize("NFKC", header).casefold()
    found = _UNIT_PATTERN.findall(plain)
    return _UNIT_WORDS[found[-1]] if found else None


def parse_amount(text: str, unit: int | None) -> str | None:
    """The amount in yuan as text; None for what is no amount, or has no unit and is given none.

    A unit in the cell itself (8万元) comes before that of the header.
    """
    matched = _AMOUNT_PATTERN.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if matched is None:
        return None
    factor = _UNIT_WORDS[matched[2]] if matched[2] else unit
    if factor is None:
        return None
    try:
        amount = Decimal(matched[1].replace(",", "")) * factor
    except InvalidOperation:
        return None
    return f"{amount.normalize():f}"


def convert_amounts(cells: pl.Series, unit: int | None) -> pl.Series:
    """`parse_amount` of each cell; a cell that is no amount stays as it is, to be refused."""
    read = [None if text is None else (parse_amount(text, unit) or text) for text in cells]
    return pl.Series(cells.name, read, dtype=pl.String)


def has_unit(text: str) -> bool:
    """Whether an amount names its own unit."""
    matched = _AMOUNT_PATTERN.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return matched is not None and matched[2] is not None
