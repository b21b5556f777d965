"""A sheet and its mapping to raw tables: what each row states, and why a row states nothing."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from graph.errors import UsageError
from graph.identity import mask_id_numbers
from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES
from loaders.columns import Digest
from loaders.findings import REFUSED, REMARK, Finding, build_findings
from loaders.mapping.aliases import match_header, normalize_list_header
from loaders.mapping.error_cells import drop_error_cells, drop_rounded_numbers
from loaders.mapping.exchange_rows import (
    SheetRecords,
    add_reference_ids,
    build_exchange_tables,
    build_raw_table,
)
from loaders.mapping.field_names import name_field
from loaders.mapping.field_values import AMOUNT_FIELDS, convert_fields, find_studio_kind
from loaders.mapping.header_rows import (
    DATA,
    TITLE,
    SheetLayout,
    find_heading_employer,
    find_layout,
    list_cell_columns,
)
from loaders.mapping.identifiers import (
    PeopleRoster,
    find_credit_code,
    find_occupation,
    normalize_organisation,
)
from loaders.mapping.mapping import ColumnMapping, Mapping, compute_fingerprint
from loaders.mapping.mentions import MentionReader, find_base_role, list_roles
from loaders.mapping.titles import TITLE_MARK, read_titles
from loaders.readers.sheet import Sheet, format_column_letter
from loaders.tables import ROW_NUMBER_COLUMN, RawTable

_LEFT_OUT_REMARK: Final = Message("this column is not understood; it is left out")
_TITLE_REMARK: Final = Message(
    "the title of the list says so of every row without a cell of its own"
)
_CONSTANT_REMARK: Final = Message(
    "the confirmed mapping says so of every row without a cell of its own"
)
_NO_COMPETITION_REMARK: Final = Message(
    "neither a column nor the title names the competition, so its places and prizes are left out"
)
_LONE_COLUMN_REMARK: Final = Message(
    "the list has no column for this one to belong to ({needed}), so it is left out"
)
# Role -> the fields of which one must be there for the others to be loaded.
_NEEDED_FIELDS: Final = {
    "talent": ("talent.basis",),
    "recognition": ("recognition.level", "recognition.certificate_no"),
    "mentorship": (
        *("mentor.name", "mentor.names", "mentor.own_number", "mentor.id_number"),
        *("apprentice.name", "apprentice.names", "apprentice.own_number", "apprentice.id_number"),
    ),
    "studio": ("studio.name",),
    "honour": ("honour.name",),
    "competition": ("competition.name", "competition.own_number"),
    "training": ("training.place",),
    "teaching": ("teaching.school",),
    "employment": ("employer.name", "employer.credit_code", "employer.own_number"),
    "achievement": ("achievement.title",),
    "project": ("project.name",),
    "subsidy": ("subsidy.amount",),
    "degree": ("training.place", "mentor.name", "mentor.own_number"),
}
_WRONG_OCCUPATION_REMARK: Final = Message(
    "this is no code of an occupation (such as 6-18-02-04), so it is left out"
)
_WRONG_CREDIT_CODE_REMARK: Final = Message(
    "this is no right unified social credit code (18 characters, the last of which is the check of "
    "the others), so it is left out"
)
_DITTO_PATTERN: Final = r"^(?:同\s*上|〃|″|′′)$"
_HEADING_REMARK: Final = Message("a heading among the rows; nothing of it is loaded")
_HEADING_EMPLOYER_REMARK: Final = Message(
    "a heading among the rows; it is the employer of the people below it"
)
_NAMELESS_COLUMN_REMARK: Final = Message(
    "this column has no header, so its {n:,} filled cells are left out"
)
_SAME_MEANING_REMARK: Final = Message(
    "another column of the list means the same; this one is left out"
)
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
    rows, errors = drop_error_cells(read_field_rows(sheet, layout, mapping), file)
    rows, rounded = drop_rounded_numbers(rows, file)
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
        [*errors, *rounded, *reader.findings],
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
    rows = _fill_dittos(rows)
    if "employer.name" not in rows.columns and "employer.name_and_position" not in rows.columns:
        rows = _add_heading_employers(rows, sheet, layout)
    for name, constant in mapping.constants.items():
        value = resolve_constant(name, constant, layout.titles)
        if value is None:
            continue
        parts = [pl.col(name)] if name in rows.columns else []
        rows = rows.with_columns(pl.coalesce(*parts, pl.lit(value)).alias(name))
    return rows


def _fill_dittos(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the cell above in place of 同上 and 〃; not of numbers, which are one row's."""
    filled = []
    for name in rows.columns:
        if name == ROW_NUMBER_COLUMN or name.endswith("certificate_no"):
            continue
        is_ditto = rows[name].str.contains(_DITTO_PATTERN)
        if is_ditto.any():
            above = pl.when(~is_ditto).then(name).forward_fill()
            filled.append(pl.when(is_ditto).then(above).otherwise(name).alias(name))
    return rows.with_columns(filled)


def resolve_constant(field: str, constant: str, titles: Sequence[str]) -> str | None:
    """What holds for every row of a list; None where its title was to say it, and does not."""
    if constant != TITLE_MARK:
        return constant
    facts = read_titles(titles)
    if field == "studio.kind":
        return find_studio_kind(" ".join(titles))
    named = {
        "recognition.level": facts.level,
        "honour.name": facts.honour,
        "competition.name": facts.competition,
        "competition.grade": facts.grade,
    }
    return named.get(field, facts.day) or None


def _add_heading_employers(rows: pl.DataFrame, sheet: Sheet, layout: SheetLayout) -> pl.DataFrame:
    """`employer.name` from the headings among the rows, where they are organisations."""
    employers = {row: find_heading_employer(text) for row, text in list_headings(sheet, layout)}
    if not any(employers.values()):
        return rows
    starts = sorted(employers)
    at = [bisect.bisect(starts, row) for row in rows[ROW_NUMBER_COLUMN]]
    names = [employers[starts[place - 1]] if place else None for place in at]
    return rows.with_columns(pl.Series("employer.name", names, dtype=pl.String))


def list_headings(sheet: Sheet, layout: SheetLayout) -> list[tuple[int, str]]:
    """Row and text of the headings that stand among the rows of the table."""
    columns = list_cell_columns(sheet)
    below = layout.kinds.filter(
        (pl.col("kind") == TITLE) & (pl.col(ROW_NUMBER_COLUMN) > max(layout.header_rows))
    )
    found = sheet.cells.join(below, on=ROW_NUMBER_COLUMN, how="semi", maintain_order="left")
    first = pl.coalesce(pl.col(c).str.strip_chars().replace("", None) for c in columns)
    return [(int(row), text) for row, text in found.select(ROW_NUMBER_COLUMN, first).iter_rows()]


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
    fields = {column.field for column in mapping.columns} - {""}
    found = [
        (
            records.file,
            row,
            stated.header,
            "",
            _SAME_MEANING_REMARK
            if match_header(stated.header, mapping.subjects) in fields
            else _LEFT_OUT_REMARK,
            REMARK,
        )
        for stated in match_columns(sheet, layout, mapping).values()
        if not stated.field
    ]
    if records.has("recognition.level") and not records.has("recognition.date"):
        found.append((records.file, row, "recognition.level", "", _NO_DATE_REMARK, REMARK))
    found += _list_unused_columns(records, layout, mapping)
    found += _list_heading_remarks(records, sheet, layout, mapping)
    found += _list_nameless_columns(records, sheet, layout)
    found += _list_wrong_codes(records)
    found += _list_constant_remarks(records, layout, mapping)
    hidden = sheet.hidden_rows & set(records.rows[ROW_NUMBER_COLUMN])
    if hidden:
        reason = _HIDDEN_ROWS_REMARK.with_values(n=len(hidden))
        found.append((records.file, min(hidden), "", "", reason, REMARK))
    return [*found, *((records.file, *remark[1:]) for remark in sheet.remarks)]


def _list_constant_remarks(
    records: SheetRecords, layout: SheetLayout, mapping: Mapping
) -> Iterator[Finding]:
    """What stands for every row without being in one; places of a nameless competition."""
    row = layout.header_rows[-1]
    for field, constant in mapping.constants.items():
        value = resolve_constant(field, constant, layout.titles)
        if value is not None:
            reason = _TITLE_REMARK if constant == TITLE_MARK else _CONSTANT_REMARK
            yield records.file, row, field, value, reason, REMARK
    if records.has("placing.rank", "placing.prize") and not records.has("competition.name"):
        yield records.file, row, "placing.rank", "", _NO_COMPETITION_REMARK, REMARK


def _list_wrong_codes(records: SheetRecords) -> Iterator[Finding]:
    """A remark on each code of an occupation or an organisation that is none."""
    for field, is_code, reason in (
        ("occupation.code", find_occupation, _WRONG_OCCUPATION_REMARK),
        ("employer.credit_code", find_credit_code, _WRONG_CREDIT_CODE_REMARK),
        ("host.credit_code", find_credit_code, _WRONG_CREDIT_CODE_REMARK),
    ):
        if not records.has(field):
            continue
        for row, code in records.rows.select(ROW_NUMBER_COLUMN, field).drop_nulls().iter_rows():
            if is_code(code) is None:
                yield records.file, row, field, mask_id_numbers(code[:40]), reason, REMARK


def _list_unused_columns(
    records: SheetRecords, layout: SheetLayout, mapping: Mapping
) -> Iterator[Finding]:
    """A remark on each column that is understood, while the list lacks what it belongs to."""
    for column in mapping.columns:
        role = column.field.partition(".")[0].rstrip("0123456789")
        needed = _NEEDED_FIELDS.get(role, ())
        if needed and column.field not in needed and not records.has(*needed):
            reason = _LONE_COLUMN_REMARK.with_values(needed=name_field(needed[0]))
            yield records.file, layout.header_rows[-1], column.header, "", reason, REMARK


def _list_heading_remarks(
    records: SheetRecords, sheet: Sheet, layout: SheetLayout, mapping: Mapping
) -> Iterator[Finding]:
    """What was made of each heading among the rows."""
    stated = {column.field for column in mapping.columns}
    has_employer = bool({"employer.name", "employer.name_and_position"} & stated)
    for row, text in list_headings(sheet, layout):
        is_employer = not has_employer and find_heading_employer(text) is not None
        reason = _HEADING_EMPLOYER_REMARK if is_employer else _HEADING_REMARK
        yield records.file, row, "", mask_id_numbers(text[:60]), reason, REMARK


def _list_nameless_columns(
    records: SheetRecords, sheet: Sheet, layout: SheetLayout
) -> Iterator[Finding]:
    """A remark on each column that has cells and no header."""
    rows = records.rows.select(ROW_NUMBER_COLUMN)
    cells = sheet.cells.join(rows, on=ROW_NUMBER_COLUMN, how="semi", maintain_order="left")
    for at, (column, header) in enumerate(
        zip(list_cell_columns(sheet), layout.headers, strict=True), 1
    ):
        filled = 0 if header else int((cells[column].str.strip_chars().fill_null("") != "").sum())
        if filled:
            reason = _NAMELESS_COLUMN_REMARK.with_values(n=filled)
            yield records.file, layout.header_rows[-1], format_column_letter(at), "", reason, REMARK


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
    "recognition": ("recognitions",),
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
