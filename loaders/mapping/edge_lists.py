"""Lists of pairs whose headers do not say who is the master: source and target, or no header.

Such a list has two columns of the same kind, names or numbers. Which of them is the master only a
person can say (`loaders.mapping.proposal`); what else stands beside them are dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from graph.model.schema_types import Property, Type
from loaders.columns import parse_column
from loaders.mapping.aliases import match_header, simplify_list_header
from loaders.mapping.name_lists import split_items
from loaders.mapping.periods import split_period
from loaders.readers.sheet import Sheet
from loaders.tables import ROW_NUMBER_COLUMN

NAME, NUMBER, DATE, PERIOD = "姓名", "编号", "日期", "起止时间"
_PAIRED_HEADERS: Final = (
    ("source", "target"),
    ("src", "dst"),
    ("from", "to"),
    ("fromid", "toid"),
    ("from_id", "to_id"),
    ("from_node", "to_node"),
    ("fromnodeid", "tonodeid"),
    ("tail", "head"),
    ("parent", "child"),
    ("甲", "乙"),
    ("甲方", "乙方"),
    ("起点", "终点"),
    ("来源", "目标"),
)
_FAMILY_PATTERN: Final = re.compile(
    r"((?:person|people|node|id|name|pid|individual|actor|user|人员|人|姓名|名字|编号|工号|证件号码)"
    r"(?:_?(?:id|name|编号|姓名))?)_?([12ab一二甲乙])(?:_?(?:id|name|编号|姓名))?"
)
# Headers of two columns of people that may be the same word.
_PERSON_FIELDS: Final = ("person.name", "person.own_number", "person.id_number")
# What may stand beside the two: nothing that makes it a list of something else.
_ROLES_BESIDE_PAIRS: Final = frozenset(
    ("", "mentorship", "ignore", "employer", "training", "degree", "occupation")
)
_UNNAMED_PATTERN: Final = re.compile(r"第(\d+)列(?:[(（](\w+)[)）])?")
_UNNAMED_FIELDS: Final = {
    "开始日期": "mentorship.start",
    "结束日期": "mentorship.end",
    PERIOD: "mentorship.period",
}
_HAN_NAME_PATTERN: Final = (
    r"[\u3400-\u9fff\x{20000}-\x{3ffff}][\u3400-\u9fff\x{20000}-\x{3ffff}·•・.\s]{1,18}"
)
_LATIN_NAME_PATTERN: Final = (
    r"[\p{Latin}\p{Cyrillic}\p{Greek}][\p{Latin}\p{Cyrillic}\p{Greek} .,'’-]+"
)
_NAME_PATTERN: Final = rf"^(?:{_HAN_NAME_PATTERN}|{_LATIN_NAME_PATTERN})$"
_NUMBER_PATTERN: Final = r"^[\w.:@#-]*\d[\w.:@#-]*$"
_DECIMAL_PATTERN: Final = r"^-?\d+\.\d+$|^-"
_HAN_PATTERN: Final = r"[\u3400-\u9fff]"
# A column is of the kind that so many of its cells are.
_MIN_KIND_SHARE: Final = 0.9
_MAX_COLUMNS: Final = 6
_MIN_ROWS: Final = 2
_PROBED_ROWS: Final = 10_000


@dataclass(frozen=True)
class UnnamedPairs:
    """`header_row` is 0 where the first row is a pair already; `headers` are those of a mapping."""

    header_row: int
    headers: tuple[str, ...]


def find_header_pair(headers: Sequence[str]) -> tuple[int, int] | None:
    """The places of the two columns of people of which no header says who is the master."""
    fields = [match_header(header, ("mentorship",)) or "" for header in headers]
    words = [simplify_list_header(header) for header in headers]
    places = {word: at for at, word in reversed(list(enumerate(words))) if word}
    found = _find_pair_by_words(words, places) or _find_pair_by_fields(fields)
    if found is None:
        return None
    others = {field.partition(".")[0] for at, field in enumerate(fields) if at not in found}
    return found if others <= _ROLES_BESIDE_PAIRS else None


def _find_pair_by_words(words: Sequence[str], places: dict[str, int]) -> tuple[int, int] | None:
    for first, second in _PAIRED_HEADERS:
        if first in places and second in places:
            return places[first], places[second]
    if len(words) >= 2 and all(map(_UNNAMED_PATTERN.fullmatch, words)):
        return 0, 1
    families: dict[str, list[int]] = {}
    for at, word in enumerate(words):
        if matched := _FAMILY_PATTERN.fullmatch(word):
            families.setdefault(matched[1], []).append(at)
    pairs = [found for found in families.values() if len(found) == 2]
    return (pairs[0][0], pairs[0][1]) if len(pairs) == 1 else None


def _find_pair_by_fields(fields: Sequence[str]) -> tuple[int, int] | None:
    """Two columns of one meaning: 姓名 and 姓名."""
    for field in _PERSON_FIELDS:
        same = [at for at, one in enumerate(fields) if one == field]
        if len(same) == 2:
            return same[0], same[1]
    return None


def number_equal_headers(headers: Sequence[str], pair: tuple[int, int]) -> tuple[str, ...]:
    """The headers with a number after the two of a pair that are one word."""
    first, second = pair
    if simplify_list_header(headers[first]) != simplify_list_header(headers[second]):
        return tuple(headers)
    numbered = {first: f"{headers[first]}（1）", second: f"{headers[second]}（2）"}
    return tuple(numbered.get(at, header) for at, header in enumerate(headers))


def match_unnamed_column(header: str) -> str | None:
    """The field of a column without a header, by the kind of its cells."""
    matched = _UNNAMED_PATTERN.fullmatch(header)
    return None if matched is None else _UNNAMED_FIELDS.get(matched[2] or "")


def find_pair_attribute(header: str, cells: pl.Series) -> str:
    """What a column of a pair states of its people: `name`, `own_number` or `id_number`."""
    field = match_header(header, ()) or ""
    if field in _PERSON_FIELDS:
        return field.partition(".")[2]
    return "own_number" if holds_numbers(cells) else "name"


def holds_numbers(cells: pl.Series) -> bool:
    """Whether the filled cells are numbers of people, also several in a cell, and not names."""
    filled = cells.drop_nulls().head(_PROBED_ROWS)
    parts = [part for cell in filled for part in split_items(cell)]
    return bool(parts) and _has_kind(pl.Series(parts, dtype=pl.String), NUMBER)


def find_unnamed_pairs(sheet: Sheet) -> UnnamedPairs | None:
    """The sheet as pairs of people in its first two columns; None where it is anything else."""
    names = [column for column in sheet.cells.columns if column != ROW_NUMBER_COLUMN]
    if not 2 <= len(names) <= _MAX_COLUMNS:
        return None
    cells = sheet.cells.with_columns(pl.col(names).str.strip_chars().replace("", None))
    cells = cells.filter(pl.any_horizontal(pl.col(names).is_not_null())).head(_PROBED_ROWS)
    if cells.height < _MIN_ROWS:
        return None
    below = cells.slice(1)
    kinds = [_find_kind(below[column], at) for at, column in enumerate(names)]
    if kinds[0] != kinds[1] or kinds[0] not in (NAME, NUMBER) or _is_row_count(cells[names[0]]):
        return None
    both = below.drop_nulls(names[:2]).height
    if both < _MIN_KIND_SHARE * below.height or not _may_be_people(cells, names):
        return None
    first = cells.row(0)[: len(names)]
    if any(
        one and not _has_kind(pl.Series([one]), kind)
        for one, kind in zip(first, kinds, strict=True)
        if kind
    ):
        is_table = all(first) and below.height >= _MIN_ROWS
        return _take_first_row_for_header(cells, first) if is_table else None
    return UnnamedPairs(0, _build_headers(kinds)) if all(first[:2]) else None


def _take_first_row_for_header(cells: pl.DataFrame, first: Sequence[str]) -> UnnamedPairs | None:
    """The first row as a header whose first two words mean nothing; no number is in a header."""
    fields = [match_header(text, ("mentorship",)) or "" for text in first]
    roles = {field.partition(".")[0] for field in fields[2:]}
    is_header = not any(re.search(r"\d{3,}", text) for text in first)
    if any(fields[:2]) or not roles <= _ROLES_BESIDE_PAIRS or not is_header:
        return None
    return UnnamedPairs(int(cells[ROW_NUMBER_COLUMN][0]), tuple(first))


def _build_headers(kinds: Sequence[str]) -> tuple[str, ...]:
    """`第1列（姓名）` ...: what a mapping knows the columns by."""
    dates = iter(("开始日期", "结束日期"))
    words = [next(dates, "") if kind == DATE else kind for kind in kinds]
    return tuple(f"第{at}列（{word}）" if word else f"第{at}列" for at, word in enumerate(words, 1))


def _find_kind(cells: pl.Series, at: int) -> str:
    filled = cells.drop_nulls()
    order = (NAME, NUMBER) if at < 2 else (DATE, PERIOD)
    return next((kind for kind in order if filled.len() and _has_kind(filled, kind)), "")


def _has_kind(cells: pl.Series, kind: str) -> bool:
    if kind == NAME:
        fits = _count_true(cells.str.contains(_NAME_PATTERN))
    elif kind == NUMBER:
        is_number = cells.str.contains(_NUMBER_PATTERN) & ~cells.str.contains(_HAN_PATTERN)
        fits = _count_true(is_number & ~cells.str.contains(_DECIMAL_PATTERN))
    elif kind == DATE:
        read = parse_column(cells, Property("end", "", "", Type.DATE), str)
        # 至今 is the last day of what goes on.
        fits = _count_true(read.values.is_not_null())
        fits += 0 if read.empty is None else _count_true(read.empty)
    else:
        fits = sum(split_period(cell) is not None for cell in cells)
    return fits >= _MIN_KIND_SHARE * cells.len()


def _count_true(flags: pl.Series) -> int:
    return int(flags.fill_null(False).sum())


def _may_be_people(cells: pl.DataFrame, names: Sequence[str]) -> bool:
    """Whether bare numbers come again, as people do who have two apprentices or are both."""
    both = pl.concat([cells[name].alias("both").drop_nulls() for name in names[:2]])
    return not both.str.contains(r"^\d+$").all() or both.n_unique() < both.len()


def _is_row_count(cells: pl.Series) -> bool:
    """Whether the cells are 1, 2, 3 ...: numbers of rows, not of people."""
    numbers = cells.str.to_integer(strict=False).drop_nulls()
    return numbers.len() > 2 and numbers.to_list() == list(
        range(numbers[0], numbers[0] + numbers.len())
    )


def list_pair_words(texts: Iterable[str]) -> tuple[int, int] | None:
    """As `find_header_pair`, of a row that may be no header: its words must be those of pairs."""
    row = list(texts)
    pair = find_header_pair(row)
    if pair is None:
        return None
    named = [text for text in row if text]
    known = {at for at, text in enumerate(row) if text and match_header(text, ("mentorship",))}
    return pair if 2 * len(known | set(pair)) >= len(named) else None
