"""A sheet and its mapping to raw tables: what each row states, and why a row states nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from graph.errors import UsageError
from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES
from loaders.columns import Digest
from loaders.findings import REFUSED, REMARK, Finding, build_findings
from loaders.mapping.aliases import normalize_list_header
from loaders.mapping.exchange_rows import (
    SheetRecords,
    add_reference_ids,
    build_exchange_tables,
    build_raw_table,
)
from loaders.mapping.field_values import AMOUNT_FIELDS, convert_fields
from loaders.mapping.header_rows import DATA, SheetLayout, find_layout, list_cell_columns
from loaders.mapping.identifiers import PeopleRoster, normalize_organisation
from loaders.mapping.mapping import ColumnMapping, Mapping, compute_fingerprint
from loaders.mapping.mentions import MentionReader, find_base_role, list_roles
from loaders.readers.sheet import Sheet
from loaders.tables import ROW_NUMBER_COLUMN, RawTable

_LEFT_OUT_REMARK: Final = Message("this column is not understood; it is left out")
_NOTHING_SAID_REASON: Final = Message(
    "no cell of this row is in a column that is understood, or it names nobody"
)
_HIDDEN_ROWS_REMARK: Final = Message("{n} rows that are hidden in the sheet are read too")
_NO_DATE_REMARK: Final = Message(
    "the list has no date of these levels, so they are no recognitions; they are left out"
)
_STUDIO_LEAD_PATTERN: Final = re.compile(
    r"^([\u4e00-\u9fff]{2,4}?)(?:国家级|省级|市级)?(?:\(.*?\))?"
    r"(?:技能大师|首席技师|劳模|劳动模范|工匠|创新|职工创新|劳模创新)+(?:人才)?(?:创新)?工作室$"
)


@dataclass(frozen=True)
class AppliedSheet:
    """`tables` of one sheet. `data_rows` are its rows that are no title, header, footer or blank;
    each is refused, or among `stated_rows`, the rows that state something, also what an earlier
    row has stated."""

    sheet: Sheet
    layout: SheetLayout
    tables: tuple[RawTable, ...]
    data_rows: int
    stated_rows: frozenset[int]


def format_sheet_label(sheet: Sheet) -> str:
    """The file, and the sheet where it has a name: `名单.xlsx [Sheet1]`."""
    return f"{sheet.file} [{sheet.name}]" if sheet.name else sheet.file


def apply_mapping(
    sheet: Sheet, mapping: Mapping, digest: Digest, roster: PeopleRoster | None = None
) -> AppliedSheet:
    """The raw tables of a sheet. Raises UsageError where its headers are not the mapping's.

    `roster`: the people of the department that are known beside this sheet.
    """
    layout = find_layout(sheet)
    if compute_fingerprint(drop_empty(layout.headers)) != mapping.fingerprint:
        raise UsageError(
            "{file} has other headers than its mapping: run `shicheng inspect` on it again",
            file=format_sheet_label(sheet),
        )
    records = read_records(sheet, layout, mapping, digest, roster or PeopleRoster())
    tables = dict(build_exchange_tables(records))
    findings = [*records.findings, *_list_column_remarks(records, sheet, layout, mapping)]
    findings += _refuse_silent_rows(records, tables)
    made = [build_raw_table(records, table, rows, []) for table, rows in tables.items()]
    return AppliedSheet(
        sheet,
        layout,
        tuple(_attach_findings(records, made, findings)),
        layout.count(DATA),
        frozenset(records.stated.union(*(rows[ROW_NUMBER_COLUMN] for rows in tables.values()))),
    )


def drop_empty(headers: tuple[str, ...]) -> list[str]:
    """The headers that are there."""
    return [header for header in headers if header]


def read_records(
    sheet: Sheet, layout: SheetLayout, mapping: Mapping, digest: Digest, roster: PeopleRoster
) -> SheetRecords:
    """The rows of the sheet by field, and the people that they name."""
    file = format_sheet_label(sheet)
    rows = read_field_rows(sheet, layout, mapping)
    if "studio" in mapping.subjects:
        rows = _add_studio_leads(rows)
    units = {c.field: c.unit for c in mapping.columns if c.unit is not None}
    rows = convert_fields(rows, mapping.ladder, units)
    rows = add_reference_ids(rows, mapping.department)
    reader = MentionReader(
        rows, file, mapping.department, digest, roster, mapping.by_name, mapping.by_number
    )
    people = {role: reader.read_role(role) for role in list_roles(rows.columns)}
    return SheetRecords(
        file,
        mapping.source,
        rows,
        people,
        mapping.subjects,
        " ".join(layout.titles),
        reader.findings,
    )


def read_field_rows(sheet: Sheet, layout: SheetLayout, mapping: Mapping) -> pl.DataFrame:
    """`_row` and a column of text for each field of the mapping, of the rows of the table.

    Of two columns with one field the first that is filled stands.
    """
    matched = match_columns(sheet, layout, mapping)
    cells = _fill_merged_cells(sheet, layout, matched)
    data = layout.kinds.filter(pl.col("kind") == DATA).select(ROW_NUMBER_COLUMN)
    cells = cells.join(data, on=ROW_NUMBER_COLUMN, how="semi", maintain_order="left")
    taken: dict[str, list[pl.Expr]] = {}
    for column, stated in matched.items():
        if stated.field and not stated.field.startswith("ignore."):
            cell = pl.col(column).str.strip_chars().replace("", None)
            taken.setdefault(stated.field, []).append(cell)
    rows = cells.select(
        pl.col(ROW_NUMBER_COLUMN).cast(pl.Int64),
        *(pl.coalesce(parts).alias(name) for name, parts in taken.items()),
    )
    for name, value in mapping.constants.items():
        parts = [pl.col(name)] if name in rows.columns else []
        rows = rows.with_columns(pl.coalesce(*parts, pl.lit(value)).alias(name))
    return rows


def match_columns(sheet: Sheet, layout: SheetLayout, mapping: Mapping) -> dict[str, ColumnMapping]:
    """The sheet's column of cells -> its mapping, by header; equal headers in their order."""
    left: dict[str, list[ColumnMapping]] = {}
    for column in mapping.columns:
        left.setdefault(normalize_list_header(column.header), []).append(column)
    matched: dict[str, ColumnMapping] = {}
    for cell_column, header in zip(list_cell_columns(sheet), layout.headers, strict=True):
        stated = left.get(normalize_list_header(header)) if header else None
        if stated:
            matched[cell_column] = stated.pop(0)
    return matched


def _fill_merged_cells(
    sheet: Sheet, layout: SheetLayout, matched: dict[str, ColumnMapping]
) -> pl.DataFrame:
    """The cells with merged ones filled down; not amounts, which would count several times."""
    if not sheet.merged or not layout.header_rows:
        return sheet.cells
    filled: dict[str, dict[int, str]] = {}
    columns = list_cell_columns(sheet)
    values = {
        row[-1]: row[:-1] for row in sheet.cells.select(*columns, ROW_NUMBER_COLUMN).iter_rows()
    }
    for first, left, last, right in sheet.merged:
        column = columns[left - 1] if left <= len(columns) else ""
        stated = matched.get(column)
        if first <= layout.header_rows[-1] or left != right or stated is None:
            continue
        if stated.field in AMOUNT_FIELDS or first not in values:
            continue
        value = values[first][left - 1]
        if value is not None:
            filled.setdefault(column, {}).update(dict.fromkeys(range(first + 1, last + 1), value))
    cells = sheet.cells
    for column, by_row in filled.items():
        below = pl.col(ROW_NUMBER_COLUMN).replace_strict(
            by_row, default=None, return_dtype=pl.String
        )
        cells = cells.with_columns(pl.coalesce(column, below).alias(column))
    return cells


def _add_studio_leads(rows: pl.DataFrame) -> pl.DataFrame:
    """`lead.name` from a studio's name (赵建国技能大师工作室) where no column states who leads."""
    people = [role for role in list_roles(rows.columns) if find_base_role(role) != "mentor"]
    if people or "studio.name" not in rows.columns:
        return rows
    names = [find_lead_name(text) if text else None for text in rows["studio.name"]]
    return rows.with_columns(pl.Series("lead.name", names, dtype=pl.String))


def find_lead_name(studio: str) -> str | None:
    """The name that a studio is called by; None where it is not called by a person's."""
    matched = _STUDIO_LEAD_PATTERN.match(normalize_organisation(studio))
    return matched[1] if matched else None


def _list_column_remarks(
    records: SheetRecords, sheet: Sheet, layout: SheetLayout, mapping: Mapping
) -> list[Finding]:
    """A remark on each column that is left out, and on what the reading said of the sheet."""
    row = layout.header_rows[-1]
    found = [
        (records.file, row, stated.header, "", _LEFT_OUT_REMARK, REMARK)
        for stated in match_columns(sheet, layout, mapping).values()
        if not stated.field
    ]
    if records.has("recognition.level") and not records.has("recognition.date"):
        found.append((records.file, row, "recognition.level", "", _NO_DATE_REMARK, REMARK))
    hidden = sheet.hidden_rows & set(records.rows[ROW_NUMBER_COLUMN])
    if hidden:
        reason = _HIDDEN_ROWS_REMARK.with_values(n=len(hidden))
        found.append((records.file, min(hidden), "", "", reason, REMARK))
    return [*found, *((records.file, *remark[1:]) for remark in sheet.remarks)]


def _refuse_silent_rows(
    records: SheetRecords, tables: dict[str, pl.DataFrame]
) -> Iterator[Finding]:
    """A refusal for each row of the sheet of which no table has anything, and none says why."""
    said = records.stated | {row for rows in tables.values() for row in rows[ROW_NUMBER_COLUMN]}
    said |= {row for _, row, *_, kind in records.findings if kind == REFUSED}
    for row in records.rows[ROW_NUMBER_COLUMN]:
        if row not in said:
            yield records.file, row, "", "", _NOTHING_SAID_REASON, REFUSED


# Where the refusal of a person counts: in the table that the row would have been in.
_TABLES_OF_ROLES: Final = {
    "mentor": ("mentorships",),
    "apprentice": ("mentorships",),
    "lead": ("studio_leads",),
    "person": (
        "recognitions",
        "talents",
        "honours",
        "placings",
        "trainings",
        "achievements",
        "participations",
        "subsidies",
    ),
}


def _attach_findings(
    records: SheetRecords, made: list[RawTable], findings: list[Finding]
) -> Iterator[RawTable]:
    """The tables with the findings: a refusal stands with a table that has no row of its number."""
    names_pairs = any(find_base_role(r) in ("mentor", "apprentice") for r in records.people)
    rows_of = {raw.table: set(raw.rows[ROW_NUMBER_COLUMN]) for raw in made}
    of: dict[str, list[Finding]] = {}
    for finding in findings:
        _, row, column, _, _, kind = finding
        first = "people" if "people" in rows_of or not made else made[0].table
        table = first
        if kind == REFUSED:
            base = find_base_role(column.partition(".")[0])
            stated = [t for t in _TABLES_OF_ROLES.get(base, ()) if base != "person" or t in rows_of]
            stated += ["mentorships"] if base == "person" and names_pairs else []
            wanted = [*stated, "people", first]
            table = next((t for t in wanted if row not in rows_of.get(t, set())), "")
        if not table:
            table, finding = first, (*finding[:5], REMARK)
        of.setdefault(table, []).append(finding)
    for raw in made:
        own = of.pop(raw.table, [])
        yield replace(raw, refused=build_findings(own)) if own else raw
    for table, own in of.items():
        yield build_raw_table(records, table, build_empty_rows(table), own)


def build_empty_rows(table: str) -> pl.DataFrame:
    """No rows of an exchange table, with all its columns."""
    names = [column.name for column in EXCHANGE_TABLES[table].columns]
    return pl.DataFrame(schema={ROW_NUMBER_COLUMN: pl.Int64, **dict.fromkeys(names, pl.String)})
