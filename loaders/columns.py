"""One column of text to one column of values, by the type the schema declares for it.

Every function takes a series of stripped text (empty = null) and returns the values, null where
the text can't be read, with a mask of those taken but worth a look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from graph.identity import CHECK, WEIGHTS
from graph.model import LEVELS, PROVINCES, Property, Type

Digest = Callable[[str], str]

# Certificates of the five-level ladder before 2022 often print both names.
_OLD_LADDER = {"五级": 2, "四级": 3, "三级": 4, "二级": 5, "一级": 6}
_AUTONOMOUS = {
    "15": "内蒙古自治区",
    "45": "广西壮族自治区",
    "54": "西藏自治区",
    "64": "宁夏回族自治区",
    "65": "新疆维吾尔自治区",
    "81": "香港特别行政区",
    "82": "澳门特别行政区",
}
_MUNICIPALITIES = ("11", "12", "31", "50")
_BOOLEANS = {
    **dict.fromkeys(("是", "true", "1", "yes", "y", "t", "有"), True),
    **dict.fromkeys(("否", "false", "0", "no", "n", "f", "无"), False),
}
_DATE_PARTS = r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?$"
_COMPACT = r"^(\d{4})(\d{2})(\d{2})$"
_MOMENT = (
    r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ]"
    r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$"
)
_MONTH = r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?$"
_EXCEL_DAY = r"^(\d{5})(?:\.0+)?$"


@dataclass(frozen=True)
class Column:
    """Values as long as the text; `flagged` marks values taken with a remark (`remark`)."""

    values: pl.Series
    flagged: pl.Series | None = None
    remark: str = ""


def read_column(text: pl.Series, declared: Property, digest: Digest) -> Column:
    """The column's values by `declared.type`; null where the text can't be read."""
    if declared.choices is not None:
        chosen = _by_word(text, _choice_words(tuple(declared.choices.items())), pl.String)
        return Column(_or_text(chosen, text) if declared.open_choice else chosen)
    match declared.type:
        case Type.DATE:
            return _dates(text)
        case Type.INTEGER:
            return Column(_whole_numbers(text))
        case Type.FLOAT:
            return Column(_amounts(text))
        case Type.BOOLEAN:
            return Column(_by_word(text, _BOOLEANS, pl.Boolean))
        case Type.LEVEL:
            return Column(_by_word(text, _level_words(), pl.Int64))
        case Type.PROVINCE:
            return Column(_by_word(text, _province_words(), pl.String))
        case Type.ID_NUMBER:
            return Column(_digests(text, digest))
        case Type.STRING:
            return Column(text)


def what_is_taken(declared: Property) -> str:
    """What the column takes, for the reason of a refusal."""
    if declared.choices is not None:
        return "takes one of: " + ", ".join(declared.choices)
    return {
        Type.DATE: "takes a date between 1900 and 2100, such as 2024-05-01",
        Type.INTEGER: "takes a whole number, 0 or more",
        Type.FLOAT: "takes a number, 0 or more",
        Type.BOOLEAN: "takes 是 or 否, true or false",
        Type.LEVEL: "takes a level 1 to 8 or its name, such as 高级工",
        Type.PROVINCE: "takes a province's name or its two-digit code, such as 江苏 or 32",
        Type.ID_NUMBER: "takes 18 characters with a right check character",
        Type.STRING: "takes text",
    }[declared.type]


def plain(text: pl.Series) -> pl.Series:
    """Full-width letters, digits and signs as their ASCII forms (NFKC)."""
    if text.str.contains(r"[^\x00-\x7F]").any():
        return text.str.normalize("NFKC")
    return text


def _dates(text: pl.Series) -> Column:
    text = plain(text).alias("text")
    iso = text.str.contains(r"^\d{4}-\d{2}-\d{2}$")
    values = text.str.to_date("%Y-%m-%d", strict=False)
    values = pl.select(pl.when(iso).then(values)).to_series()
    if values.null_count() == text.null_count():
        return Column(_in_range(values))
    frame = pl.DataFrame({"text": text})
    pick = pl.coalesce(*(_parts(pattern) for pattern in (_DATE_PARTS, _COMPACT, _MOMENT)))
    month = pl.col("text").str.replace(_MONTH, "${1}-${2}-01")
    of_month = (
        pl.when(pl.col("text").str.contains(_MONTH))
        .then(month)
        .str.to_date("%Y-%m-%d", strict=False)
    )
    excel = pl.col("text").str.extract(_EXCEL_DAY, 1).cast(pl.Int32)
    of_excel = pl.lit("1899-12-30").str.to_date() + pl.duration(days=excel)
    read = frame.select(
        values=pl.coalesce(pick, of_month, of_excel.cast(pl.Date)),
        month=pl.coalesce(pick, of_excel.cast(pl.Date)).is_null() & of_month.is_not_null(),
    )
    remark = "a month: its first day is taken"
    return Column(_in_range(read["values"]), read["month"], remark)


def _parts(pattern: str) -> pl.Expr:
    matched = pl.when(pl.col("text").str.contains(pattern)).then(pl.col("text"))
    return matched.str.replace(pattern, "${1}-${2}-${3}").str.to_date("%Y-%m-%d", strict=False)


def _in_range(values: pl.Series) -> pl.Series:
    year = values.dt.year()
    return pl.select(pl.when((year >= 1900) & (year <= 2100)).then(values)).to_series()


def _whole_numbers(text: pl.Series) -> pl.Series:
    clean = plain(text).str.replace(r"\.0+$", "").str.replace_all(r"(\d),(\d{3})\b", "$1$2")
    return _not_negative(clean.cast(pl.Int64, strict=False))


def _amounts(text: pl.Series) -> pl.Series:
    clean = plain(text).str.replace_all(r"(\d),(\d{3})\b", "$1$2")
    number = clean.cast(pl.Float64, strict=False)
    return _not_negative(pl.select(pl.when(number.is_finite()).then(number)).to_series())


def _not_negative(values: pl.Series) -> pl.Series:
    return pl.select(pl.when(values >= 0).then(values)).to_series()


def _by_word(text: pl.Series, words: Mapping[str, object], dtype: type[pl.DataType]) -> pl.Series:
    """Values by a table of words; few words are distinct, so only those are looked up."""
    distinct = text.drop_nulls().unique()
    taken = [words.get(_word(entry)) for entry in plain(distinct)]
    found = pl.Series("found", taken, dtype=dtype)
    return text.replace_strict(distinct, found, default=None, return_dtype=dtype)


def _word(text: str) -> str:
    return text.strip().casefold().replace("-", " ").replace("_", " ")


def _or_text(chosen: pl.Series, text: pl.Series) -> pl.Series:
    return pl.select(pl.coalesce(chosen, text)).to_series()


@cache
def _choice_words(choices: tuple[tuple[str, tuple[str, str]], ...]) -> dict[str, object]:
    return {_word(word): code for code, names in choices for word in (code, *names)}


@cache
def _level_words() -> dict[str, object]:
    words: dict[str, object] = {}
    for level, (en, zh) in LEVELS.items():
        words |= dict.fromkeys((str(level), f"{level}.0", _word(en), zh), level)
    for old, level in _OLD_LADDER.items():
        zh = LEVELS[level][1]
        words |= dict.fromkeys(
            (f"{old}/{zh}", f"{zh}/{old}", f"{zh}({old})", f"{old}({zh})"), level
        )
    return words


@cache
def _province_words() -> dict[str, object]:
    words: dict[str, object] = {}
    for code, (en, zh) in PROVINCES.items():
        full = _AUTONOMOUS.get(code, zh + ("市" if code in _MUNICIPALITIES else "省"))
        for word in (code, f"{code}.0", f"{code}0000", _word(en), zh, full):
            words[word] = code
    return words


def _digests(text: pl.Series, digest: Digest) -> pl.Series:
    numbers = plain(text).str.to_uppercase().alias("number")
    valid = numbers.set(~_valid_numbers(numbers), None)
    return pl.Series(text.name, [None if n is None else digest(n) for n in valid], dtype=pl.String)


def _valid_numbers(numbers: pl.Series) -> pl.Series:
    """`id_number_is_valid` over a whole column."""
    number = pl.col("number")
    total = pl.sum_horizontal(
        weight * number.str.slice(at, 1).cast(pl.Int16, strict=False)
        for at, weight in enumerate(WEIGHTS)
    )
    check = (total % len(CHECK)).replace_strict(dict(enumerate(CHECK)), default=None)
    valid = number.str.contains(r"^[0-9]{17}[0-9X]$") & (number.str.slice(17, 1) == check)
    return numbers.to_frame().select(valid.fill_null(False)).to_series()
