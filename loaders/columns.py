"""One column of cells to one column of values, by the type the schema declares for it.

Cells are stripped text (empty = null), or values that have the declared type already; both go
through the same checks. The values are null where a cell can't be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from graph.dates import MONTH, YEAR
from graph.identity import CHECK_CHARACTERS, CHECK_WEIGHTS
from graph.messages import Message, Words
from graph.model.schema_types import Property, Type
from graph.model.vocabularies import LEVELS
from loaders.mapping.identifiers import (
    MASKED_ID_NUMBER_REMARK,
    find_occupation,
    is_masked_id_number,
)
from loaders.mapping.level_words import parse_levels
from loaders.value_words import find_province, list_choice_words, parse_rank

Digest = Callable[[str], str]

_BOOLEAN_WORDS = {
    **dict.fromkeys(("是", "true", "1", "yes", "y", "t", "有"), True),
    **dict.fromkeys(("否", "false", "0", "no", "n", "f", "无"), False),
}
_SEPARATED_DATE_PATTERN = r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?$"
_COMPACT_DATE_PATTERN = r"^(\d{4})(\d{2})(\d{2})$"
_DATETIME_PATTERN = (
    r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](?<hour>\d{1,2}):(?<minute>\d{2})"
    r"(?::\d{2}(?:\.\d+)?)?(?:(?<utc>Z)|(?<sign>[+-])(?<hours>\d{2}):?(?<minutes>\d{2}))?$"
)
_MONTH_PATTERN = r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?$"
_YEAR_PATTERN = r"^(\d{4})\s*年?$"
_EXCEL_DAY_PATTERN = r"^(\d{5})(?:\.\d+)?$"
# These days of a spreadsheet, 1952 to 1957, are written as a year and a month's digit are (20241).
_LIKE_YEAR_AND_MONTH = (19_000, 20_999)
# The day of a moment is the one in China, where the data are made.
_TIME_ZONE = "Asia/Shanghai"
_TIME_ZONE_MINUTES = 8 * 60

# Written forms that are brought into the others before they are read.
_ODD_DATE_PATTERN = r"[—–―‐‑−﹣·。〇○零一二三四五六七八九十号份]|[.]$|^(?:19|20)\d{4}$"
_NUMERAL_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
# A day of this year is a spreadsheet's way to say that no end is known.
_NO_END_YEAR = 9999
EARLIEST_YEAR, LATEST_YEAR = 1600, 2999
# Above this a number is no longer exact as a double, and is no count or amount of the schema's.
_MAX_EXACT_NUMBER = 10**15
_OPEN_END_WORDS = ("至今", "长期", "现在", "present", "now", "ongoing")
_UNKNOWN_VALUE_WORDS = (
    "无",
    "-",
    "--",
    "—",
    "——",
    "/",
    "\\",
    "不详",
    "未知",
    "n/a",
    "na",
    "null",
    "none",
    "nan",
)
_HIDDEN_DIGITS_PATTERN = r"[*＊#●?]{2,}|[xX]{2,}"
_RANK_COLUMN = "rank"
_CERTIFICATE = "certificate_no"
# A number as a spreadsheet shows one of too many digits: 3.20102E+17.
ROUNDED_NUMBER_PATTERN = r"^\d(?:\.\d+)?[eE]\+?\d+$"
ROUNDED_NUMBER_REMARK = Message("a rounded number may be that of several people, so it is left out")
# Columns of an end that may be open.
_OPEN_END_COLUMNS = ("end", "service_until", "non_compete_until", "retirement_postponed_until")
_MONTH_REMARK = Message("a month: its first day is taken")
_YEAR_START_REMARK = Message("a year alone: its first day is taken")
_YEAR_END_REMARK = Message("a year alone: its last day is taken")
_EXCEL_DAY_REMARK = Message("a spreadsheet's number of a day: it is read as that day")
_TIME_ZONE_REMARK = Message("a moment of another time zone: the day in China is taken")
# A code of the national list, or the beginning of one: a group of occupations.
_PLAIN_OCCUPATION_PATTERN = r"^[1-8](-\d{2}){1,3}$"
_UNKNOWN_OCCUPATION_REMARK = Message(
    "this is neither a code nor a name of the national list of occupations; it is taken as it is"
)
_UNKNOWN_VALUE_REMARK = Message("this says that it is not known; the cell is left empty")
ACCEPTED_VALUES_BY_TYPE: Mapping[Type, Message] = {
    Type.DATE: Message(
        "{column} takes a date between 1600 and 2999, such as 2024-05-01, or a year alone"
    ),
    Type.INTEGER: Message("{column} takes a whole number, 0 or more, below 10^15"),
    Type.FLOAT: Message("{column} takes a number, 0 or more, below 10^15"),
    Type.BOOLEAN: Message("{column} takes 是 or 否, true or false"),
    Type.LEVEL: Message("{column} takes a level 1 to 8 or its name, such as 高级工"),
    Type.PROVINCE: Message(
        "{column} takes a province's name or its two-digit code, such as 江苏 or 32"
    ),
    Type.OCCUPATION: Message("{column} takes a code or a name of the national list"),
    Type.ID_NUMBER: Message("{column} takes 18 characters with a right check character"),
    Type.STRING: Message("{column} takes text"),
}


@dataclass(frozen=True)
class ParsedColumn:
    """Values as long as the cells. `remarks`: which cells are taken with which remark.

    `empty` are cells that say that nothing is known. `precision`: of which dates only the year
    or the month is known; None = of none.
    """

    values: pl.Series
    remarks: tuple[tuple[pl.Series, Message], ...] = ()
    empty: pl.Series | None = None
    precision: pl.Series | None = None


def parse_column(cells: pl.Series, declared: Property, digest: Digest) -> ParsedColumn:
    """The column's values by `declared.type`; null where a cell can't be read."""
    if cells.dtype == find_value_type(declared) and cells.dtype != pl.String:
        return ParsedColumn(_drop_invalid_values(cells, declared))
    text = convert_to_text(cells)
    if declared.choices is not None:
        chosen = _lookup_words(
            text, _build_choice_words(tuple(declared.choices.items())), pl.String
        )
        return ParsedColumn(_fill_with_text(chosen, text) if declared.open_choice else chosen)
    match declared.type:
        case Type.DATE:
            return _parse_dates(text, declared)
        case Type.INTEGER:
            return ParsedColumn(_parse_integers(_replace_rank_words(text, declared)))
        case Type.FLOAT:
            return ParsedColumn(_parse_amounts(text))
        case Type.BOOLEAN:
            return ParsedColumn(_lookup_words(text, _BOOLEAN_WORDS, pl.Boolean))
        case Type.LEVEL:
            return ParsedColumn(parse_levels(text, "new"))
        case Type.PROVINCE:
            return ParsedColumn(_map_distinct_words(text, find_province))
        case Type.OCCUPATION:
            return _parse_occupations(text)
        case Type.ID_NUMBER:
            return _parse_id_numbers(text, digest)
        case Type.STRING:
            return (
                _parse_certificates(text) if declared.name == _CERTIFICATE else ParsedColumn(text)
            )


def _parse_certificates(text: pl.Series) -> ParsedColumn:
    """Certificate numbers; of those that a spreadsheet has rounded nobody is known."""
    rounded = text.str.contains(ROUNDED_NUMBER_PATTERN).fill_null(False)
    return ParsedColumn(
        _null_where_false(text, ~rounded), ((rounded, ROUNDED_NUMBER_REMARK),), rounded
    )


def find_value_type(declared: Property) -> type[pl.DataType]:
    """The type in which the column's values are stored."""
    return {
        Type.DATE: pl.Date,
        Type.INTEGER: pl.Int64,
        Type.LEVEL: pl.Int64,
        Type.FLOAT: pl.Float64,
        Type.BOOLEAN: pl.Boolean,
    }.get(declared.type, pl.String)


def _drop_invalid_values(values: pl.Series, declared: Property) -> pl.Series:
    """Values of the declared type, null where text of the same would not be taken."""
    match declared.type:
        case Type.DATE:
            return _drop_out_of_range_dates(values)
        case Type.LEVEL:
            return _null_where_false(values, values.is_in(list(LEVELS)))
        case Type.INTEGER | Type.FLOAT:
            return _drop_invalid_numbers(values)
        case _:
            return values


def convert_to_text(cells: pl.Series) -> pl.Series:
    """Typed cells as a CSV of them would write them; integers without `.0`."""
    if cells.dtype.is_float():
        integers = _null_where_false(cells, cells.is_finite() & (cells == cells.round()))
        short = integers.cast(pl.Int64, strict=False).cast(pl.String)
        return _fill_with_text(short, cells.cast(pl.String))
    if isinstance(cells.dtype, pl.Datetime):
        if cells.dtype.time_zone:
            cells = cells.dt.convert_time_zone(_TIME_ZONE)
        return cells.dt.replace_time_zone(None).dt.strftime("%Y-%m-%d %H:%M:%S")
    if cells.dtype == pl.Binary:
        read = [None if cell is None else cell.decode(errors="replace") for cell in cells]
        return pl.Series(cells.name, read, dtype=pl.String)
    return cells.cast(pl.String)


def _null_where_false(values: pl.Series, holds: pl.Series) -> pl.Series:
    return pl.select(pl.when(holds).then(values)).to_series().alias(values.name)


def describe_accepted_values(declared: Property) -> Message:
    """What the column takes, for the reason of a refusal or remark."""
    if declared.choices is not None:
        names = [Words(code, f"{zh} ({code})") for code, (_, zh) in declared.choices.items()]
        return Message("{column} takes one of: {choices}", column=declared.name, choices=names)
    return ACCEPTED_VALUES_BY_TYPE[declared.type].with_values(column=declared.name)


def normalize_text_width(text: pl.Series) -> pl.Series:
    """Full-width letters, digits and signs as their ASCII forms (NFKC)."""
    if text.str.contains(r"[^\x00-\x7F]").any():
        return text.str.normalize("NFKC")
    return text


def _parse_dates(cells: pl.Series, declared: Property) -> ParsedColumn:
    text = _normalize_date_text(normalize_text_width(cells)).alias("text")
    iso = text.str.contains(r"^\d{4}-\d{2}-\d{2}$")
    values = _null_where_false(text.str.to_date("%Y-%m-%d", strict=False), iso)
    if values.null_count() == text.null_count():
        in_range = _drop_out_of_range_dates(values)
        if in_range.null_count() == text.null_count():
            return ParsedColumn(in_range)
    read = text.to_frame().select(_build_date_expressions(declared))
    days = _drop_out_of_range_dates(read["values"])
    taken = days.is_not_null()
    of_year = _YEAR_END_REMARK if _is_year_end_assumed(declared) else _YEAR_START_REMARK
    remarks = (
        (read["month"] & taken, _MONTH_REMARK),
        (read["year"] & taken, of_year),
        (read["excel"] & taken, _EXCEL_DAY_REMARK),
        (read["moved"] & taken, _TIME_ZONE_REMARK),
        (read["nothing"], _UNKNOWN_VALUE_REMARK),
    )
    known = pl.when("year").then(pl.lit(YEAR)).when("month").then(pl.lit(MONTH))
    precision = _null_where_false(read.select(precision=known)["precision"], days.is_not_null())
    return ParsedColumn(days, remarks, read["nothing"] | read["open"], precision)


def _normalize_date_text(text: pl.Series) -> pl.Series:
    """Dates with one kind of dash and dot, Chinese numerals as digits, and no 份 or last dot."""
    odd = text.str.contains(_ODD_DATE_PATTERN).fill_null(False)
    if not odd.any():
        return text
    mended = [_normalize_odd_date(cell) for cell in text.filter(odd)]
    return text.scatter(odd.arg_true(), pl.Series(mended, dtype=pl.String))


def _normalize_odd_date(text: str) -> str:
    plain = re.sub(r"[—–―‐‑−﹣]", "-", re.sub(r"[·。]", ".", text)).strip()
    plain = re.sub(r"(?<=[一二三四五六七八九])[OoＯ](?=[OoＯ〇一二三四五六七八九年])", "〇", plain)
    if re.fullmatch("[〇○零一二三四五六七八九十年月日号]+", plain):
        year, _, rest = plain.partition("年")
        plain = year.translate(_NUMERAL_DIGITS) + "年" + _read_chinese_days(rest)
    elif matched := re.fullmatch(r"(\d{4}年)([一二三四五六七八九十月日号]+)", plain):
        plain = matched[1] + _read_chinese_days(matched[2])
    plain = re.sub(r"^(\d{4}\s*年\s*\d{1,2}\s*月)份$", r"\1", plain).replace("号", "日")
    if matched := re.fullmatch(r"((?:19|20)\d{2})(0[1-9]|1[0-2])", plain):
        plain = f"{matched[1]}-{matched[2]}"
    return re.sub(r"(\d)[.]$", r"\1", plain)


def _read_chinese_days(text: str) -> str:
    """十二月三十一日 as 12月31日."""

    def read(matched: re.Match[str]) -> str:
        tens, ten, ones = re.fullmatch("(.*?)(十?)(.*)", matched[0]).groups()  # type: ignore[union-attr]
        if not ten:
            return (tens + ones).translate(_NUMERAL_DIGITS)
        return (tens or "一").translate(_NUMERAL_DIGITS) + (ones or "〇").translate(_NUMERAL_DIGITS)

    return re.sub("[一二三四五六七八九十]+", read, text)


def _build_date_expressions(declared: Property) -> list[pl.Expr]:
    """`values`, and which cells state a month, a year alone, an open end, or nothing."""
    word = pl.col("text").str.to_lowercase()
    of_excel = _build_excel_day_expr(declared)
    written = _build_full_date_expr(_DATETIME_PATTERN)
    of_moment = written.dt.offset_by(pl.format("{}d", _build_day_shift_expr()))
    day = pl.coalesce(
        _build_full_date_expr(_SEPARATED_DATE_PATTERN),
        _build_full_date_expr(_COMPACT_DATE_PATTERN),
        of_moment,
        of_excel,
    )
    month = _build_date_expr(_MONTH_PATTERN, "${1}-${2}-01")
    year = _build_date_expr(
        _YEAR_PATTERN, "${1}-12-31" if _is_year_end_assumed(declared) else "${1}-01-01"
    )
    no_end = pl.lit(declared.name in _OPEN_END_COLUMNS)
    endless = word.is_in(_OPEN_END_WORDS) | (day.dt.year() == _NO_END_YEAR)
    return [
        pl.coalesce(day, month, year).alias("values"),
        (day.is_null() & month.is_not_null()).alias("month"),
        (day.is_null() & month.is_null() & year.is_not_null()).alias("year"),
        of_excel.is_not_null().alias("excel"),
        (of_moment != written).fill_null(False).alias("moved"),
        (no_end & endless).fill_null(False).alias("open"),
        word.is_in(_UNKNOWN_VALUE_WORDS).fill_null(False).alias("nothing"),
    ]


def _build_excel_day_expr(declared: Property) -> pl.Expr:
    number = pl.col("text").str.extract(_EXCEL_DAY_PATTERN, 1).cast(pl.Int32)
    if declared.name != "birth_date":
        number = pl.when(~number.is_between(*_LIKE_YEAR_AND_MONTH)).then(number)
    return (pl.lit("1899-12-30").str.to_date() + pl.duration(days=number)).cast(pl.Date)


def _build_day_shift_expr() -> pl.Expr:
    """By how many days a moment's day in China differs from the day as written: -1 to 1."""
    part = pl.col("text").str.extract_groups(_DATETIME_PATTERN).struct
    hour, minute, hours, minutes = (
        part.field(name).cast(pl.Int32) for name in ("hour", "minute", "hours", "minutes")
    )
    stated = pl.when(part.field("sign") == "-").then(-1).otherwise(1) * (hours * 60 + minutes)
    offset = pl.when(part.field("utc").is_not_null()).then(0).otherwise(stated)
    there = hour * 60 + minute + (_TIME_ZONE_MINUTES - offset).fill_null(0)
    return there.floordiv(24 * 60)


def _is_year_end_assumed(declared: Property) -> bool:
    """Whether a year alone stands for its last day: a link that may have begun on it, an end."""
    return declared.decides or declared.name in _OPEN_END_COLUMNS


def _build_date_expr(pattern: str, day: str) -> pl.Expr:
    matched = pl.when(pl.col("text").str.contains(pattern)).then(pl.col("text"))
    return matched.str.replace(pattern, day).str.to_date("%Y-%m-%d", strict=False)


def _build_full_date_expr(pattern: str) -> pl.Expr:
    return _build_date_expr(pattern, "${1}-${2}-${3}")


def _drop_out_of_range_dates(values: pl.Series) -> pl.Series:
    return _null_where_false(values, values.dt.year().is_between(EARLIEST_YEAR, LATEST_YEAR))


def _replace_rank_words(text: pl.Series, declared: Property) -> pl.Series:
    """Places in words (第一名, 金牌) as numbers; other columns as they are."""
    if declared.name != _RANK_COLUMN:
        return text
    return _fill_with_text(_map_distinct_words(text, parse_rank), text)


def _parse_integers(text: pl.Series) -> pl.Series:
    clean = (
        normalize_text_width(text)
        .str.replace(r"\.0+$", "")
        .str.replace_all(r"(\d),(\d{3})\b", "$1$2")
    )
    return _drop_invalid_numbers(clean.cast(pl.Int64, strict=False))


def _parse_amounts(text: pl.Series) -> pl.Series:
    clean = normalize_text_width(text).str.replace_all(r"(\d),(\d{3})\b", "$1$2")
    return _drop_invalid_numbers(clean.cast(pl.Float64, strict=False))


def _drop_invalid_numbers(values: pl.Series) -> pl.Series:
    """Counts and amounts: null where negative, not a number, or too large to be exact."""
    return _null_where_false(values, values.is_between(0, _MAX_EXACT_NUMBER, closed="left"))


def _parse_occupations(text: pl.Series) -> ParsedColumn:
    """Codes of the national list; other texts as they stand, those that are words remarked.

    A code of another list (Q177220) is taken without a word.
    """
    plain = text.str.contains(_PLAIN_OCCUPATION_PATTERN)
    if plain.all():
        return ParsedColumn(text)
    found = _map_distinct_words(text, find_occupation)
    unknown = found.is_null() & text.str.contains(r"\p{Han}").fill_null(False)
    return ParsedColumn(_fill_with_text(found, text), ((unknown, _UNKNOWN_OCCUPATION_REMARK),))


def _lookup_words(
    text: pl.Series, words: Mapping[str, object], dtype: type[pl.DataType]
) -> pl.Series:
    """Values by a table of words; few words are distinct, so only those are looked up."""
    distinct = text.drop_nulls().unique()
    taken = [words.get(_normalize_word(entry)) for entry in normalize_text_width(distinct)]
    found = pl.Series("found", taken, dtype=dtype)
    return text.replace_strict(distinct, found, default=None, return_dtype=dtype)


def _map_distinct_words(text: pl.Series, find: Callable[[str], str | None]) -> pl.Series:
    """Values by a function of the NFKC text; only distinct texts are looked at, which are few."""
    distinct = text.drop_nulls().unique()
    found = pl.Series(
        "found", [find(entry) for entry in normalize_text_width(distinct)], dtype=pl.String
    )
    return text.replace_strict(distinct, found, default=None, return_dtype=pl.String)


def _normalize_word(text: str) -> str:
    return text.strip().casefold().replace("-", " ").replace("_", " ")


def _fill_with_text(chosen: pl.Series, text: pl.Series) -> pl.Series:
    return pl.select(pl.coalesce(chosen, text)).to_series()


@cache
def _build_choice_words(choices: tuple[tuple[str, tuple[str, str]], ...]) -> dict[str, object]:
    words = list_choice_words(dict(choices))
    return {_normalize_word(word): code for word, code in words.items()}


def _parse_id_numbers(text: pl.Series, digest: Digest) -> ParsedColumn:
    """Digests; a number with hidden digits is absent, with a remark of its own."""
    suspect = text.str.contains(_HIDDEN_DIGITS_PATTERN).fill_null(False)
    masked = suspect
    if suspect.any():
        held = [is_masked_id_number(cell) for cell in text.filter(suspect)]
        masked = suspect.scatter(suspect.arg_true(), pl.Series(held, dtype=pl.Boolean))
    remarks = ((masked, MASKED_ID_NUMBER_REMARK),)
    return ParsedColumn(_digest_id_numbers(text, digest), remarks, masked)


def _digest_id_numbers(text: pl.Series, digest: Digest) -> pl.Series:
    bare = normalize_text_width(text).str.replace_all(r"[\s']", "")
    numbers = bare.str.to_uppercase().alias("number")
    valid = numbers.set(~_check_id_numbers(numbers), None)
    return pl.Series(text.name, [None if n is None else digest(n) for n in valid], dtype=pl.String)


def _check_id_numbers(numbers: pl.Series) -> pl.Series:
    """Which of the texts are ID numbers with the right check character."""
    number = pl.col("number")
    total = pl.sum_horizontal(
        weight * number.str.slice(at, 1).cast(pl.Int16, strict=False)
        for at, weight in enumerate(CHECK_WEIGHTS)
    )
    check = (total % len(CHECK_CHARACTERS)).replace_strict(
        dict(enumerate(CHECK_CHARACTERS)), default=None
    )
    valid = number.str.contains(r"^[0-9]{17}[0-9X]$") & (number.str.slice(17, 1) == check)
    return numbers.to_frame().select(valid.fill_null(False)).to_series()
