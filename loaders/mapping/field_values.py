"""The cells of each field in the form that the checks of the exchange tables take.

A cell that can't be read stays as it is written: the check then names it in its refusal.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from graph.model.vocabularies import LEVELS
from loaders.mapping.amounts import convert_amounts
from loaders.mapping.level_words import Ladder, parse_bare_digits, parse_levels
from loaders.mapping.periods import split_periods

AMOUNT_FIELDS: Final = (
    "studio.funding",
    "employer.education_fund",
    "employer.frontline_education_fund",
    "subsidy.amount",
)
PERIOD_FIELDS: Final = (
    "mentorship.period",
    "training.period",
    "employment.period",
    "teaching.period",
)
_ORGANISATION_PATTERN: Final = re.compile(
    r"^(.*(?:公司|集团|总厂|分厂|工厂|厂|医院|大学|学院|学校|研究院|研究所|设计院|局|中心|总队|支队|银行|车间|工会))"
    r"[\s/,，、;；]*(.*)$"
)
_GRADE_SIGNS: Final = (
    ("national", re.compile("全国|国家级|国家技|中华|国务院")),
    ("ministerial", re.compile(r"(?<!省)部级")),
    ("provincial", re.compile("省级|全省|自治区级|^省(?!部)|省(?:劳|五一|技术|首席|级)")),
    ("municipal", re.compile("市级|全市|市(?:劳|五一|技术|首席)")),
    ("enterprise", re.compile("企业级|公司级|集团")),
)
_STUDIO_KIND_SIGNS: Final = (
    ("skill_master", re.compile("技能大师|首席技师|传统工艺|手艺")),
    ("model_worker_innovation", re.compile("劳模|劳动模范|工匠|创新")),
)


def convert_fields(rows: pl.DataFrame, ladder: Ladder, units: dict[str, int]) -> pl.DataFrame:
    """The rows with levels as numbers of the new ladder, periods as two days, money in yuan."""
    for column in rows.columns:
        if column == "recognition.level":
            rows = rows.with_columns(convert_levels(rows[column], ladder).alias(column))
        elif column in PERIOD_FIELDS:
            rows = _add_period(rows, column)
        elif column in AMOUNT_FIELDS:
            rows = rows.with_columns(convert_amounts(rows[column], units.get(column)).alias(column))
        elif column == "employer.name_and_position":
            rows = _split_employers(rows, column)
    return rows


def convert_levels(cells: pl.Series, ladder: Ladder) -> pl.Series:
    """Levels by name, bare digits as digits of the new ladder; what names no level unchanged.

    A digit that is of no level of the ladder gets a question mark: it must not pass as another.
    """
    levels = parse_levels(cells, ladder)
    names = levels.replace_strict(
        {level: zh for level, (_, zh) in LEVELS.items()}, default=None, return_dtype=pl.String
    )
    digits = pl.select(
        pl.when(parse_bare_digits(cells).is_not_null()).then(levels.cast(pl.String))
    ).to_series()
    unread = cells.str.replace(r"^\s*([0-9０-９.]+)\s*$", "${1}?")
    return pl.select(pl.coalesce(digits, names, unread)).to_series()


def split_unit_and_position(text: str) -> tuple[str, str]:
    """某医院重症医学科医生 as the unit and the post; the post "" where no unit's word is found."""
    matched = _ORGANISATION_PATTERN.match(text)
    return (matched[1].strip(), matched[2].strip()) if matched else (text, "")


def find_grade(text: str) -> str | None:
    """The grade that the name of an honour or a list says, as a code of `GRADES`."""
    return next((code for code, sign in _GRADE_SIGNS if sign.search(text)), None)


def find_studio_kind(text: str) -> str | None:
    """The kind that a studio's name or kind says, as a code of `STUDIO_KINDS`."""
    return next((code for code, sign in _STUDIO_KIND_SIGNS if sign.search(text)), None)


def _add_period(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    role = column.partition(".")[0]
    parts = split_periods(rows[column])
    for end in ("start", "end"):
        name, cells = f"{role}.{end}", parts[end]
        if name in rows.columns:
            cells = pl.select(pl.coalesce(rows[name], cells)).to_series()
        rows = rows.with_columns(cells.alias(name))
    return rows.drop(column)


def _split_employers(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    parts = [("", "") if text is None else split_unit_and_position(text) for text in rows[column]]
    for name, at in (("employer.name", 0), ("employment.position", 1)):
        cells = pl.Series(name, [part[at] or None for part in parts], dtype=pl.String)
        if name not in rows.columns:
            rows = rows.with_columns(cells)
    return rows.drop(column)
