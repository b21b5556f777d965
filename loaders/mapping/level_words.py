"""The written forms of a skill level, and what a bare digit means on each ladder.

Names (高级工), degrees of the old five-step ladder (三级, 国家职业资格三级) and both together
(三级/高级工) say by themselves which level is meant. A bare digit does not: 3 is 高级工 where the
degrees of the old ladder are counted and 中级工 on the eight-step ladder, so the ladder is given.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal

import polars as pl

from graph.model.vocabularies import LEVELS
from loaders.traditional_forms import simplify_characters

# How a bare digit is read. "new": 1 to 8 upwards, as the exchange format has them; "old": degrees
# 5 to 1, of which 1 is the highest; "": not stated, so that a bare digit is no level.
Ladder = Literal["", "old", "new"]
LADDERS: Final[tuple[Ladder, ...]] = ("", "old", "new")
# Level of each degree of the old ladder.
OLD_DEGREE_LEVELS: Final = {5: 2, 4: 3, 3: 4, 2: 5, 1: 6}
_NAMES: Final = {
    **{zh: level for level, (_, zh) in LEVELS.items()},
    "高级技工": 4,
    "高级技能人员": 4,
    "高级技能": 4,
    "高级": 4,
    "中级技工": 3,
    "中级技能人员": 3,
    "中级技能": 3,
    "中级": 3,
    "初级技工": 2,
    "初级技能人员": 2,
    "初级技能": 2,
    "初级": 2,
    "学徒": 1,
}
_ENGLISH_NAMES: Final = {en: level for level, (en, _) in LEVELS.items()}
_NUMERALS: Final = {sign: at for at, sign in enumerate("一二三四五六七八", 1)} | {
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "v": 5,
}
_NAME_PATTERN: Final = re.compile("|".join(sorted(_NAMES, key=len, reverse=True)))
_DEGREE_PATTERN: Final = re.compile(r"(国家)?(职业资格)?([1-8一二三四五六七八]|i{1,3}|iv|v)级")
# What may stand beside a name and a degree.
_BESIDE_PATTERN: Final = re.compile(
    r"国家职业资格|职业资格|国家职业技能等级|职业技能等级|技能等级|等级|[\s/\\|、,，;；:：·()（）\[\]【】—–-]"
)
_BARE_DIGIT_PATTERN: Final = re.compile(r"0?([0-9])(?:\.0+)?|第([1-9一二三四五六七八])级")


@lru_cache(maxsize=4096)
def parse_level(text: str, ladder: Ladder) -> int | None:
    """The level 1-8 that the text names; None where it names none, or contradicts itself.

    On the "new" ladder a degree without a name (三级) is None: it is of the old ladder, while the
    list counts upwards.
    """
    word = _normalize_level_text(text)
    digit = parse_bare_digit(word)
    if digit is not None:
        return _read_bare_digit(digit, ladder)
    if word.replace("-", " ").replace("_", " ") in _ENGLISH_NAMES:
        return _ENGLISH_NAMES[word.replace("-", " ").replace("_", " ")]
    return _read_level_words("".join(word.split()), ladder)


def parse_bare_digit(text: str) -> int | None:
    """The digit of a cell that holds nothing but one (`3`, `3.0`, `第3级`); None for all else."""
    matched = _BARE_DIGIT_PATTERN.fullmatch(_normalize_level_text(text))
    if matched is None:
        return None
    sign = matched[1] or matched[2]
    return int(sign) if sign.isdigit() else _NUMERALS[sign]


def _normalize_level_text(text: str) -> str:
    return simplify_characters(unicodedata.normalize("NFKC", text)).strip().casefold()


def _read_bare_digit(digit: int, ladder: Ladder) -> int | None:
    match ladder:
        case "new":
            return digit if digit in LEVELS else None
        case "old":
            return OLD_DEGREE_LEVELS.get(digit)
        case "":
            return None


def _read_level_words(word: str, ladder: Ladder) -> int | None:
    degrees: set[int] = set()
    is_qualified = False

    def take_degree(matched: re.Match[str]) -> str:
        nonlocal is_qualified
        sign = matched[3]
        degrees.add(int(sign) if sign.isdigit() else _NUMERALS[sign])
        is_qualified = is_qualified or matched[2] is not None
        return "/"

    rest = _DEGREE_PATTERN.sub(take_degree, word)
    names = {_NAMES[name] for name in _NAME_PATTERN.findall(rest)}
    rest = _BESIDE_PATTERN.sub("", _NAME_PATTERN.sub("", rest))
    if rest or len(names) > 1 or len(degrees) > 1:
        return None
    if not degrees:
        return names.pop() if names else None
    degree = degrees.pop()
    if not names:
        is_old = is_qualified or ladder != "new"
        return OLD_DEGREE_LEVELS.get(degree) if is_old else None
    level = names.pop()
    # The steps above the old ladder have only their own numbers: 首席技师（八级）.
    return level if OLD_DEGREE_LEVELS.get(degree, degree) == level else None


def parse_levels(cells: pl.Series, ladder: Ladder) -> pl.Series:
    """`parse_level` of each cell (text); Int64, null where a cell names no level."""
    return _map_distinct(cells, lambda text: parse_level(text, ladder), pl.Int64())


def parse_bare_digits(cells: pl.Series) -> pl.Series:
    """`parse_bare_digit` of each cell (text); Int64, null where a cell is no bare digit."""
    return _map_distinct(cells, parse_bare_digit, pl.Int64())


def _map_distinct(
    cells: pl.Series, read: Callable[[str], object | None], dtype: pl.DataType
) -> pl.Series:
    distinct = cells.drop_nulls().unique()
    found = pl.Series("found", [read(text) for text in distinct], dtype=dtype)
    return cells.replace_strict(distinct, found, default=None, return_dtype=dtype)
