"""Workbooks to send back to a department: its own sheets, what was refused or remarked on marked.

Each row stands where it stood, so that its number is the one that the refusals name. Why a row was
refused stands after its last cell, then what was changed, ignored or mended in a row that was
taken, in another colour; both in the language of the list. These are the department's own
data, ID numbers too: they are for whoever sent the file, and for nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from graph.atomic import create_private_file
from graph.messages import Language
from graph.store.identity_merge import IDENTITY_KINDS
from graph.tabular import MarkColor, MarkedNotes, MarkedSheet, render_marked_xlsx
from loaders.department_files import DepartmentFiles, FoundSheet
from loaders.findings import REFUSED, REMARK
from loaders.mapping.aliases import normalize_list_header
from loaders.mapping.application import match_columns
from loaders.mapping.header_rows import find_layout, list_cell_columns
from loaders.readers.sheet import Sheet, format_column_letter
from loaders.tables import ROW_NUMBER_COLUMN
from loaders.upload_folders import clean_file_name, find_free_path

_HAN_PATTERN: Final = re.compile(r"[\u4e00-\u9fff]")
# Kind of finding -> the colour of its marks, and the head of its column by language.
_NOTE_COLUMNS: Final[Mapping[str, tuple[MarkColor, Mapping[Language, str]]]] = {
    REFUSED: ("red", {"zh": "退回原因", "en": "Why it was refused"}),
    REMARK: ("amber", {"zh": "提示", "en": "Remarks"}),
}
# Remarks on these say by which id others know somebody, which is not meant for a department.
_IDENTITY_COLUMNS: Final = tuple(one.node.key for one in IDENTITY_KINDS.values())
# The worst that is said in a file -> the name of its workbook by language.
_FILE_NAMES: Final[Mapping[str, Mapping[Language, str]]] = {
    REFUSED: {"zh": "{name}-退回.xlsx", "en": "{name}-returned.xlsx"},
    REMARK: {"zh": "{name}-提示.xlsx", "en": "{name}-remarks.xlsx"},
}
_TOP_ROWS: Final = 40
# What tells a person at a terminal which option to give: of no use to a department.
_COMMAND_HINT_PATTERN: Final = re.compile(r"[^.。]*--answer[^.。]*[.。]?\s*$")
# Column of an exchange table -> the fields of a list that it comes from, the likeliest first.
_COLUMN_FIELDS: Final = {
    "person_id": ("person.id_number", "person.own_number", "person.name", "person.names"),
    "mentor_id": ("mentor.id_number", "mentor.own_number", "mentor.name", "person.name"),
    "apprentice_id": (
        "apprentice.id_number",
        "apprentice.own_number",
        "apprentice.name",
        "person.name",
    ),
    "occupation_code": ("occupation.code", "occupation.name", "occupation.trade"),
    "enterprise_id": ("employer.credit_code", "employer.own_number", "employer.name"),
    "studio_id": ("studio.name",),
    "host_id": ("host.credit_code", "host.name"),
    "competition_id": ("competition.own_number", "competition.name"),
    "place_id": ("training.place",),
    "school_id": ("training.place",),
    "honour": ("honour.name", "placing.prize"),
    "start": ("mentorship.start", "mentorship.period", "training.start", "training.period"),
    "end": ("mentorship.end", "mentorship.period", "training.end", "training.period"),
    "date": ("recognition.date", "honour.date", "competition.date"),
    "rank": ("placing.rank", "placing.prize"),
}


@dataclass(frozen=True)
class SheetHeads:
    """Where a sheet's columns are: header and field of each place (from 0), and its head rows."""

    headers: Mapping[int, str]
    fields: Mapping[int, str]
    rows: tuple[int, ...]


def list_returned_sheets(
    read: DepartmentFiles, findings: pl.DataFrame
) -> dict[str, list[FoundSheet]]:
    """Name of the workbook to send back -> the sheets of its file that have something marked.

    A file of which nothing was refused has another name, since nobody must mend it.
    """
    returned = _select_returned(findings)
    marked = set(returned["file"])
    refused = set(returned.filter(pl.col("kind") == REFUSED)["file"])
    files_refused = {one.sheet.file for one in read.found if one.label in refused}
    found: dict[str, list[FoundSheet]] = {}
    files: dict[str, str] = {}
    for one in read.found:
        if one.label in marked:
            kind = REFUSED if one.sheet.file in files_refused else REMARK
            name = files.get(one.sheet.file) or _name_return_file(one.sheet, kind, found)
            files[one.sheet.file] = name
            found.setdefault(name, []).append(one)
    return found


def build_return_workbook(sheets: Iterable[FoundSheet], findings: pl.DataFrame) -> bytes:
    """The workbook (.xlsx) of these sheets of one file, what was refused or remarked on marked."""
    returned = _select_returned(findings)
    return render_marked_xlsx([_mark_sheet(one, returned) for one in sheets])


def write_return_workbooks(
    read: DepartmentFiles, findings: pl.DataFrame, folder: Path
) -> list[Path]:
    """Writes a workbook for each file with marked rows into the folder, mode 0600; their paths.

    None overwrites another file: a second one of a name is numbered.
    """
    written = []
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, found in list_returned_sheets(read, findings).items():
        path = find_free_path(folder, name)
        content = build_return_workbook(found, findings)
        with create_private_file(path) as file:
            file.write(content)
        written.append(path)
    return written


def detect_sheet_language(sheet: Sheet) -> Language:
    """The language of a list: Chinese where its first rows have Chinese."""
    columns = list_cell_columns(sheet)
    top = sheet.cells.head(_TOP_ROWS).select(columns)
    texts = (cell for row in top.iter_rows() for cell in row if cell)
    return "zh" if any(_HAN_PATTERN.search(text) for text in texts) else "en"


def _select_returned(findings: pl.DataFrame) -> pl.DataFrame:
    """The remarks on single rows, without what only says whose further id one is."""
    said = (pl.col("kind") != REMARK) | ~pl.col("column").is_in(_IDENTITY_COLUMNS)
    return findings.filter((pl.col("row") > 0) & said)


def _name_return_file(sheet: Sheet, kind: str, taken: Mapping[str, object]) -> str:
    form = _FILE_NAMES[kind][detect_sheet_language(sheet)]
    stem = Path(clean_file_name(sheet.file)).stem
    forms = (form.format(name=f"{stem}{f'-{at}' if at else ''}") for at in range(len(taken) + 1))
    return next(name for name in forms if name not in taken)


def _mark_sheet(found: FoundSheet, returned: pl.DataFrame) -> MarkedSheet:
    sheet, heads = found.sheet, find_sheet_heads(found)
    language = detect_sheet_language(sheet)
    of_sheet = returned.filter(pl.col("file") == found.label)
    parts = ((kind, of_sheet.filter(pl.col("kind") == kind)) for kind in _NOTE_COLUMNS)
    notes = [_collect_notes(kind, part, heads, language) for kind, part in parts if part.height]
    columns = len(list_cell_columns(sheet))
    return MarkedSheet(sheet.name, _iterate_sheet_rows(sheet), heads.rows, notes, columns)


def _collect_notes(
    kind: str, findings: pl.DataFrame, heads: SheetHeads, language: Language
) -> MarkedNotes:
    marks: set[tuple[int, int]] = set()
    texts: dict[int, list[str]] = {}
    reason = "reason_zh" if language == "zh" else "reason"
    for row, column, said in findings.select("row", "column", reason).iter_rows():
        marks |= {(row, place) for place in find_marked_places(column, heads)}
        text = _join_note(find_finding_header(column, heads), column, said, language)
        if text not in texts.setdefault(row, []):
            texts[row].append(text)
    gap = "；" if language == "zh" else "; "
    color, titles = _NOTE_COLUMNS[kind]
    joined = {row: gap.join(said) for row, said in texts.items()}
    return MarkedNotes(titles[language], color, marks, joined)


def _join_note(header: str, column: str, said: str, language: Language) -> str:
    text = format_reason(said, column, header)
    if not header or text.startswith(header):
        return text
    return f"{header}{'：' if language == 'zh' else ': '}{text}"


def find_finding_header(column: str, heads: SheetHeads | None) -> str:
    """The list's own header of the column that a finding names; "" where there is none."""
    places = find_marked_places(column, heads) if heads is not None else []
    return " ".join(heads.headers.get(places[0], "").split()) if heads and places else ""


def format_reason(said: str, column: str, header: str) -> str:
    """The reason with the list's own header for a column's name, and without a command's option.

    >>> format_reason("date 应为日期", "date", "发证日期")
    '发证日期 应为日期'
    """
    plain = _COMMAND_HINT_PATTERN.sub("", said) or said
    if header and column and plain.startswith(f"{column} "):
        return header + plain.removeprefix(column)
    return plain


def _iterate_sheet_rows(sheet: Sheet) -> Iterator[tuple[int, Sequence[str | None]]]:
    columns = list_cell_columns(sheet)
    for *texts, number in sheet.cells.select(*columns, ROW_NUMBER_COLUMN).iter_rows():
        yield int(number), texts


def find_sheet_heads(found: FoundSheet) -> SheetHeads:
    """The headers of a sheet, and the field (or column of the exchange table) under each."""
    columns = list_cell_columns(found.sheet)
    if found.mapping is not None:
        layout = find_layout(found.sheet)
        matched = match_columns(found.sheet, layout, found.mapping)
        headers = {at: text for at, text in enumerate(layout.headers) if text}
        fields = {columns.index(cell): stated.field for cell, stated in matched.items()}
        return SheetHeads(headers, fields, layout.header_rows)
    assert found.exchange is not None
    wanted = set(found.exchange.headers)
    count = partial(_count_headers, wanted=wanted)
    top = [
        (int(row[-1]), row[:-1])
        for row in found.sheet.cells.select(*columns, ROW_NUMBER_COLUMN).head(_TOP_ROWS).iter_rows()
    ]
    number, texts = max(top, key=lambda row: count(row[1]), default=(1, ()))
    headers = {at: text for at, text in enumerate(texts) if text}
    known = found.exchange.fields
    return SheetHeads(headers, {at: known.get(h, "") for at, h in headers.items()}, (number,))


def _count_headers(texts: Sequence[str | None], wanted: set[str]) -> int:
    return len(wanted.intersection(text for text in texts if text))


def find_marked_places(column: str, heads: SheetHeads) -> list[int]:
    """The places of the cells that a finding on `column` is about; none where it is the row.

    `column` is a header, the letters of a column, a field, or a column of an exchange table.
    """
    if not column:
        return []
    wanted = normalize_list_header(column)
    named = [at for at, text in heads.headers.items() if normalize_list_header(text) == wanted]
    if named:
        return named[:1]
    stated = {field: at for at, field in sorted(heads.fields.items(), reverse=True) if field}
    likely = (column, *_COLUMN_FIELDS.get(column, ()))
    found = [stated[field] for field in likely if field in stated]
    found += [at for field, at in stated.items() if field.rpartition(".")[2] == column]
    if found:
        return found[:1]
    letters = {format_column_letter(at + 1): at for at in heads.headers}
    return [letters[column]] if column in letters else []
