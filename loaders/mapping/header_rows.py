"""Where in a sheet its table is: titles above, one or two rows of headers, rows, footers.

Every row of a sheet is of one kind (`SheetLayout.kinds`), so that none is lost in silence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import polars as pl

from loaders.mapping.aliases import (
    find_subjects,
    match_header,
    normalize_list_header,
    strip_group_words,
)
from loaders.mapping.edge_lists import (
    find_header_pair,
    find_unnamed_pairs,
    list_pair_words,
    number_equal_headers,
)
from loaders.readers.sheet import Sheet
from loaders.tables import ROW_NUMBER_COLUMN

# Kinds of rows.
TITLE, HEADER, DATA, FOOTER, TOTAL, BLANK = "title", "header", "data", "footer", "total", "blank"
# A header stands among so many rows that are not blank.
_MAX_TITLE_ROWS: Final = 40
_TOTAL_PATTERN: Final = (
    r"^(?:[合总總小共累本]\s*[计計页頁]\s*(?:[:：].*|\d*\s*人?)?|(?:sub|grand )?total)$"
)
_FOOTER_PATTERN: Final = (
    r"^(?:(?:填表|填[报報]|[制製]表|[审審]核|[复複覆]核|[经經][办辦]|[负負][责責]|[联聯][系繫絡]|[报報]送|[统統][计計])"
    r"[人单單日时時位期间間电電话話]{1,3}|[单單]位[负負][责責]人|注|註|[备備][注註]|[说說]明|填[写寫][说說]明"
    r"|附件[一二三四五六七八九十\d]*|（?\(?[盖蓋]章\)?）?|[电電][话話]|日期)\s*(?:[（(][^）)]*[）)])?\s*(?:[:：].*)?$"
)
# These stand at the foot of a list only with a colon; a cell of theirs alone may be data.
_FOOTER_TEXT_PATTERN: Final = (
    r"^\s*(?:注|註|[备備][注註]|[说說]明|填[写寫表][说說]明)\s*\d?\s*[:：]"
)
# The foot of a printed page, a count of the rows, a line that is to be signed.
_PAGE_FOOT_PATTERN: Final = (
    r"^\s*[（(]?\s*(?:第\s*\d+\s*页(?:\s*[,，、/]?\s*共\s*\d+\s*页)?|(?:以上|以下|总)?[共合总]?[计共]\s*[:：]?\s*\d+\s*[人名个项条]"
    r"|此[表页]可(?:续|另附|复制|加)[^:：]{0,6}|以下空白|(?:本页)?以下无正文)\s*[）)。]?\s*$"
)
_SIGNATURE_PATTERN: Final = (
    r"^\s*(?:(?:填表|填[报報]|[制製]表|[审審]核|[复複覆]核|[经經][办辦]|[负負][责責]|[联聯][系繫絡]|[单單]位[负負][责責]|[领領][导導]|分管[领領][导導]|主管)"
    r"人?(?:员|員)?\s*(?:[（(][^）)]*[）)])?\s*[:：]|(?:[电電][话話]|[联聯][系繫絡][电電][话話]|日期|填表日期|[单單]位[（(]?[盖蓋]章[）)]?)\s*[:：])"
)
_NUMBERED_NOTE_PATTERN: Final = r"^\s*[1-9]\d?\s*[.、．]\s*\D.{5,}"
_LONE_DAY_PATTERN: Final = r"^\s*(?:19|20)\d{2}\s*年\s*\d{0,2}\s*月?\s*\d{0,2}\s*日?\s*$"
# A heading among the rows that names whom they work for.
ORGANISATION_HEADING_PATTERN: Final = (
    r"(?:公司|集团|集團|厂|廠|医院|醫院|大学|学院|学校|研究院|研究所|设计院|中心|总队|支队|银行)"
    r"\s*(?:[（(]\s*(?:共|计|合计)?\s*\d+\s*[人名个]?\s*[）)]|\d+\s*人)?\s*[:：]?$"
)
_SECTION_PATTERN: Final = re.compile(
    r"^(?:[一二三四五六七八九十]+\s*[、.．]|[（(][一二三四五六七八九十]+[）)]|第[一二三四五六七八九十]+[批类部分章])"
)


@dataclass(frozen=True)
class SheetLayout:
    """`headers` are the texts of the columns, group heads in front; "" where a column has none.

    `header_rows`: spreadsheet numbers of the header rows, empty when none was found. `kinds`:
    `_row` and `kind` of every row of the sheet. `titles`: the texts above the header. `pair`: the
    headers of two columns of people of which nothing says who is the master
    (`loaders.mapping.edge_lists`). A list of pairs may have no header; its `header_rows` are (0,).
    """

    headers: tuple[str, ...]
    header_rows: tuple[int, ...]
    kinds: pl.DataFrame
    titles: tuple[str, ...] = ()
    pair: tuple[str, str] | None = None

    def count(self, kind: str) -> int:
        """Rows of the kind."""
        return self.kinds.filter(pl.col("kind") == kind).height


def list_cell_columns(sheet: Sheet) -> list[str]:
    """The names of the sheet's columns of cells, in order."""
    return [column for column in sheet.cells.columns if column != ROW_NUMBER_COLUMN]


def find_layout(sheet: Sheet) -> SheetLayout:
    """Which rows of the sheet are titles, headers, rows of the table, footers."""
    columns = list_cell_columns(sheet)
    top = [(number, texts) for number, texts in iterate_top_rows(sheet, columns) if any(texts)]
    found = _find_header(sheet, top) or _find_pair_header(sheet, top)
    if found is None:
        kinds = _classify_rows(sheet, columns, (), ())
        return SheetLayout((), (), kinds)
    rows, headers, pair = found
    kinds = _classify_rows(sheet, columns, rows, headers)
    if pair is not None:
        headers = number_equal_headers(headers, pair)
    titles = tuple(
        text for number, texts in top if number < rows[0] for text in dict.fromkeys(texts) if text
    )
    people = None if pair is None else (headers[pair[0]], headers[pair[1]])
    return SheetLayout(headers, rows, kinds, titles, people)


def iterate_top_rows(sheet: Sheet, columns: Sequence[str]) -> list[tuple[int, list[str]]]:
    """Number and stripped texts of the first rows that are not blank."""
    blank = pl.all_horizontal(_build_blank(column) for column in columns)
    top = sheet.cells.filter(~blank).head(_MAX_TITLE_ROWS) if columns else sheet.cells.clear()
    return [
        (int(row[-1]), [(text or "").strip() for text in row[:-1]])
        for row in top.select(*columns, ROW_NUMBER_COLUMN).iter_rows()
    ]


def _build_blank(column: str) -> pl.Expr:
    return pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")


_Header = tuple[tuple[int, ...], tuple[str, ...], tuple[int, int] | None]


def _find_header(sheet: Sheet, top: Sequence[tuple[int, list[str]]]) -> _Header | None:
    """The rows of the header and its texts: those that name the most known fields."""
    candidates: list[tuple[tuple[int, ...], tuple[str, ...]]] = [
        ((number,), tuple(texts)) for number, texts in top
    ]
    candidates += [
        (_get_row_numbers(first, second), joined)
        for first, second in pairwise(top)
        if second[0] == first[0] + 1
        and (joined := _join_header_rows(sheet, first[0], first[1], second[1])) is not None
    ]
    best: tuple[int, tuple[int, ...], tuple[str, ...]] | None = None
    for rows, headers in candidates:
        known = count_known_headers(headers)
        named = sum(1 for header in headers if header)
        if known and 2 * known >= named and (best is None or known > best[0]):
            best = (known, rows, headers)
    if best is None or (best[0] < 2 and len(best[2]) > 1):
        return None
    return best[1], best[2], find_header_pair(best[2])


def _find_pair_header(sheet: Sheet, top: Sequence[tuple[int, list[str]]]) -> _Header | None:
    """The header of a list of pairs that says no more than that they are pairs, or has none."""
    for number, texts in top:
        pair = list_pair_words(texts)
        if pair is not None:
            return (number,), tuple(texts), pair
    unnamed = find_unnamed_pairs(sheet)
    return None if unnamed is None else ((unnamed.header_row,), unnamed.headers, (0, 1))


def _get_row_numbers(*rows: tuple[int, list[str]]) -> tuple[int, ...]:
    return tuple(number for number, _ in rows)


def count_known_headers(headers: Sequence[str]) -> int:
    """How many of the headers mean something, each meaning once."""
    subjects = find_subjects(headers)
    return len({match_header(header, subjects) for header in headers if header} - {None})


def _join_header_rows(
    sheet: Sheet, number: int, heads: Sequence[str], below: Sequence[str]
) -> tuple[str, ...] | None:
    """Group heads over the headers of their columns; None where the two rows are no such pair."""
    spread = _spread_group_heads(sheet, number, heads, below)
    joined = []
    has_group = False
    for head, sub in zip(spread, below, strict=True):
        if sub and head and normalize_list_header(sub) != normalize_list_header(head):
            has_group = True
            joined.append(_join_header(head, sub))
        else:
            joined.append(sub or head)
    return tuple(joined) if has_group else None


def _join_header(head: str, sub: str) -> str:
    """师傅 over 姓名 is 师傅姓名; a head that says nothing of its own is left out."""
    both = strip_group_words("".join(head.split())) + sub
    return both if match_header(both, ()) is not None or match_header(sub, ()) is None else sub


def _spread_group_heads(
    sheet: Sheet, number: int, heads: Sequence[str], below: Sequence[str]
) -> list[str]:
    """Each head over the columns it is merged over, or else over the blanks beside it."""
    spread = list(heads)
    merged = [m for m in sheet.merged if m[0] <= number <= m[2] and m[3] > m[1]]
    if merged:
        for _, first, _, last in merged:
            for at in range(first, min(last, len(spread))):
                spread[at] = spread[first - 1]
        return spread
    for at in range(1, len(spread)):
        if not spread[at] and below[at] and below[at - 1]:
            spread[at] = spread[at - 1]
    return spread


def _build_foot(texts: Sequence[pl.Expr]) -> pl.Expr:
    """Whether every cell of a row is one of a foot: 制表人：王某 | 审核人：李某 | 2024年12月1日."""
    foots = f"{_SIGNATURE_PATTERN}|{_LONE_DAY_PATTERN}"
    signed = pl.all_horizontal(text.is_null() | text.str.contains(foots) for text in texts)
    signed &= pl.any_horizontal(text.str.contains(_SIGNATURE_PATTERN) for text in texts)
    page = pl.all_horizontal(
        text.is_null() | text.str.contains(_PAGE_FOOT_PATTERN) for text in texts
    )
    return (signed | page).fill_null(False)


def _build_group_cell(texts: Sequence[pl.Expr], headers: Sequence[str]) -> pl.Expr:
    """Whether a cell stands in a column where the name of an organisation can only be a heading."""
    fields = [match_header(header, ()) or "" if header else "" for header in headers]
    heads = [
        text.is_not_null()
        for text, field in zip(texts, fields, strict=False)
        if field in ("", "ignore.row_number", "person.name", "mentor.name")
    ]
    return pl.any_horizontal(heads) if heads else pl.lit(False)


def find_heading_employer(text: str) -> str | None:
    """The organisation that a heading among the rows names: 一、江苏远航公司（2人）."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    bare = re.sub(
        r"^(?:[一二三四五六七八九十]+[、.]|\([一二三四五六七八九十]+\)|\d+[、.])", "", plain
    )
    bare = re.sub(r"[:(（]?(?:共|计|合计)?\d+[人名个项]\)?$", "", bare).rstrip(":")
    return bare if re.search(ORGANISATION_HEADING_PATTERN, bare) else None


def _classify_rows(
    sheet: Sheet, columns: Sequence[str], rows: tuple[int, ...], headers: Sequence[str]
) -> pl.DataFrame:
    """`_row` and `kind` of each row; without a header, all that is not blank is a title."""
    number = pl.col(ROW_NUMBER_COLUMN)
    texts = [pl.col(column).str.strip_chars().replace("", None) for column in columns]
    if not columns:
        return sheet.cells.select(ROW_NUMBER_COLUMN, kind=pl.lit(BLANK))
    filled = pl.sum_horizontal(text.is_not_null() for text in texts)
    cells = sheet.cells.select(
        number,
        first=pl.coalesce(texts),
        second=pl.coalesce(texts[1:]) if len(texts) > 1 else pl.lit(None, dtype=pl.String),
        filled=filled,
        again=pl.all_horizontal(
            text.fill_null("") == header for text, header in zip(texts, headers, strict=False)
        )
        if headers
        else pl.lit(False),
        is_foot=_build_foot(texts),
        names_group=_build_group_cell(texts, headers),
    )
    if not rows:
        kind = pl.when(pl.col("filled") == 0).then(pl.lit(BLANK)).otherwise(pl.lit(TITLE))
        return cells.select(number, kind=kind)
    few = pl.col("filled") <= max(2, len(columns) // 2)
    total = (
        pl.col("first").str.replace_all(r"\s", "").str.to_lowercase().str.contains(_TOTAL_PATTERN)
        | pl.col("second").str.replace_all(r"\s", "").str.contains(_TOTAL_PATTERN)
    ) & (few | pl.col("first").str.contains(_TOTAL_PATTERN))
    footer = few & (
        (pl.col("first").str.contains(_FOOTER_PATTERN) & pl.col("first").str.contains("[:：]|章"))
        | pl.col("first").str.contains(_FOOTER_TEXT_PATTERN)
        | pl.col("first").str.contains(r"^附件\s*[一二三四五六七八九十\d]*[:：]?$")
    )
    is_alone = (pl.col("filled") == 1) & (len(columns) > 2)
    noted = pl.col("first").str.contains(_FOOTER_TEXT_PATTERN).fill_null(False).cum_sum() > 0
    note = is_alone & noted & pl.col("first").str.contains(_NUMBERED_NOTE_PATTERN)
    section = is_alone & (
        pl.col("first").str.contains(_SECTION_PATTERN.pattern)
        | pl.col("again").shift(-1)  # the title of the next printed page
        | (pl.col("names_group") & pl.col("first").str.contains(ORGANISATION_HEADING_PATTERN))
    )
    kind = (
        pl.when(pl.col("filled") == 0)
        .then(pl.lit(BLANK))
        .when(number < rows[0])
        .then(pl.lit(TITLE))
        .when(number.is_in(list(rows)) | pl.col("again"))
        .then(pl.lit(HEADER))
        .when(total.fill_null(False))
        .then(pl.lit(TOTAL))
        .when((footer | note).fill_null(False) | pl.col("is_foot"))
        .then(pl.lit(FOOTER))
        .when(section.fill_null(False))
        .then(pl.lit(TITLE))
        .otherwise(pl.lit(DATA))
    )
    return cells.select(number, kind=kind)
