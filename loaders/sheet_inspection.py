"""What each sheet of a file is taken for, and its confirmation: for the Load page.

It stands between the proposal (`loaders.mapping.proposal`) and the load: what a person has chosen
for a sheet (`SheetChoices`) gives the mapping, the questions that are left and a preview of the
first rows. A confirmed mapping is the one that `shicheng inspect --save` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import polars as pl

from graph.errors import ShichengError
from graph.identity import mask_id_numbers
from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES
from loaders.columns import Digest
from loaders.mapping.amounts import MONEY_UNITS
from loaders.mapping.application import apply_mapping, drop_empty, format_sheet_label
from loaders.mapping.exchange_levels import (
    ExchangeSheet,
    build_ladder_mapping,
    convert_ladder,
    find_exchange_sheet,
    needs_ladder,
)
from loaders.mapping.header_rows import (
    BLANK,
    DATA,
    FOOTER,
    HEADER,
    TITLE,
    TOTAL,
    SheetLayout,
    find_layout,
)
from loaders.mapping.level_words import Ladder
from loaders.mapping.mapping import Mapping as ListMapping
from loaders.mapping.mapping import explain_changed_headers, find_mappings, save_mapping
from loaders.mapping.proposal import (
    BY_NAME,
    BY_NUMBER,
    CONSTANT_DATE_ENDINGS,
    DATE,
    DEPARTMENT,
    GRADE,
    KIND,
    LADDER,
    PARENTS,
    PARENTS_FIELD,
    UNIT,
    Proposal,
    ProposedColumn,
    Question,
    ask_ladder,
    mask_long_numbers,
    propose_mapping,
)
from loaders.mapping.sheet_faults import find_sheet_fault
from loaders.mapping.sheet_fields import preview_field_rows
from loaders.mapping.titles import TITLE_MARK, read_titles
from loaders.readers.sheet import Sheet
from loaders.readers.sheets import read_sheets
from loaders.tables import ROW_NUMBER_COLUMN, UnreadFile

PREVIEW_ROWS: Final = 5
# So many rows say which tables a list states something of.
_TABLE_PROBE_ROWS: Final = 300
_PREVIEW_CELL_CHARS: Final = 60
_HIDDEN_CELL: Final = "***"
# Long numbers that say nothing of a person's identity.
_SHOWN_NUMBER_ATTRIBUTES: Final = ("certificate_no", "credit_code")
# `table`: of the exchange format; `list`: of a department; `unknown`: no header is known.
SheetKind = Literal["table", "list", "unknown", "empty"]
_WHICH_DEPARTMENT: Final = Message("Which department or system states this list?")
_UNREADABLE_FILE: Final = Message("{file} is not read: {why}")


@dataclass(frozen=True)
class SheetChoices:
    """What a person has chosen for one sheet. `fields`: header -> field ("": left out).

    `department` is that of this sheet; `fallback_department` of sheets whose title names none.
    """

    department: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    is_left_out: bool = False
    fallback_department: str = ""


@dataclass(frozen=True)
class InspectedSheet:
    """What a sheet is taken for.

    - rows: kind of row (data, title, header, total, footer, blank) -> how many
    - tables: names of the exchange tables that it states something of
    - columns: of a list, in their order
    - remembered: the confirmed mapping that applies without a question; None where there is none
    - mapping: what is to be confirmed; None where nothing is
    - change: what is new and gone beside the confirmed list that is nearest
    - preview: the first rows as understood, one text column a field (or header of a table)
    """

    label: str
    path: Path
    kind: SheetKind
    department: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    columns: tuple[ProposedColumn, ...] = ()
    questions: tuple[Question, ...] = ()
    remembered: ListMapping | None = None
    mapping: ListMapping | None = None
    change: Message | None = None
    preview: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Headers that are not understood."""
        return tuple(column.header for column in self.columns if not column.field)

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands in it."""
        return self.kind == "empty" and not any(n for kind, n in self.rows.items() if kind != BLANK)

    @property
    def is_loadable(self) -> bool:
        """Whether it loads once it is confirmed."""
        return self.kind in ("table", "list") and not self.questions


def read_file_sheets(path: Path) -> tuple[list[Sheet], list[UnreadFile]]:
    """The sheets of a file, and what of it can't be read, with why. Raises nothing."""
    sheets: list[Sheet] = []
    unread: list[UnreadFile] = []
    try:
        for one in read_sheets(path):
            if isinstance(one, UnreadFile):
                unread.append(one)
            else:
                sheets.append(one)
    except ShichengError as error:
        name = mask_id_numbers(path.name)
        reason = _UNREADABLE_FILE.with_values(file=name, why=error.message)
        unread.append(UnreadFile(name, reason))
    return sheets, unread


def inspect_sheet(
    sheet: Sheet, path: Path, home: Path, choices: SheetChoices, digest: Digest
) -> InspectedSheet:
    """What the sheet is taken for, with the choices for it.

    Raises UsageError for an answer or a field that can't be.
    """
    label = format_sheet_label(sheet)
    exchange = None
    if not choices.fields:
        stated_by = choices.department or choices.fallback_department
        exchange = find_exchange_sheet(sheet, path.name, label, stated_by)
    if exchange is not None:
        return _inspect_exchange_table(exchange, path, home, choices)
    layout = find_layout(sheet)
    rows = {kind: layout.count(kind) for kind in (DATA, TITLE, HEADER, TOTAL, FOOTER, BLANK)}
    fault = find_sheet_fault(sheet, layout, label)
    if fault is not None:
        return InspectedSheet(label, path, "unknown", rows=rows, change=fault)
    if not layout.header_rows:
        kind: SheetKind = "empty" if rows[BLANK] == layout.kinds.height else "unknown"
        return InspectedSheet(label, path, kind, rows=rows)
    if not rows[DATA]:
        return InspectedSheet(label, path, "empty", rows=rows)
    found = _inspect_department_list(sheet, layout, path, home, choices)
    shown = found.mapping or found.remembered
    if shown is None:
        return replace(found, rows=rows)
    return replace(
        found,
        rows=rows,
        tables=_list_stated_tables(sheet, shown, digest),
        preview=_mask_preview(preview_field_rows(sheet, layout, shown, PREVIEW_ROWS)),
    )


def confirm_sheet(home: Path, inspected: InspectedSheet) -> Path | None:
    """Saves the mapping that is to be confirmed; its file, None where nothing is to be saved."""
    if inspected.questions or inspected.mapping is None:
        return None
    return save_mapping(home, inspected.mapping)


def _inspect_exchange_table(
    exchange: ExchangeSheet, path: Path, home: Path, choices: SheetChoices
) -> InspectedSheet:
    questions: list[Question] = []
    mapping = None
    department = exchange.raw.source
    if not department:
        questions.append(Question(DEPARTMENT, _WHICH_DEPARTMENT))
    if needs_ladder(exchange):
        mappings = find_mappings(home, exchange.headers, department or None)
        known = {one.ladder for one in mappings if one.ladder}
        said = choices.answers.get(LADDER) or (known.pop() if len(known) == 1 else "")
        if said not in ("old", "new"):
            questions.append(ask_ladder(exchange.levels, exchange.certificates))
        else:
            ladder: Ladder = "old" if said == "old" else "new"
            if department and choices.answers.get(LADDER):
                mapping = build_ladder_mapping(exchange, department, ladder)
            exchange = convert_ladder(exchange, ladder)
    return InspectedSheet(
        exchange.raw.file,
        path,
        "table",
        department,
        {DATA: exchange.rows.height},
        (exchange.table,),
        questions=tuple(questions),
        mapping=mapping,
        preview=_preview_exchange_table(exchange),
    )


def _inspect_department_list(
    sheet: Sheet, layout: SheetLayout, path: Path, home: Path, choices: SheetChoices
) -> InspectedSheet:
    headers = drop_empty(layout.headers)
    titled = read_titles(layout.titles).department
    label = format_sheet_label(sheet)
    known = {one.department: one for one in find_mappings(home, headers, None)}
    department = choices.department or titled or choices.fallback_department
    if not department and len(known) > 1:
        question = Question(DEPARTMENT, _WHICH_DEPARTMENT, tuple(sorted(known)))
        return InspectedSheet(label, path, "list", questions=(question,))
    if not department and known:
        (department,) = known
    remembered = known.get(department)
    recalled = recall_answers(remembered) if remembered is not None else {}
    fields = dict(choices.fields)
    if remembered is not None:
        fields = {c.header: c.field for c in remembered.columns} | fields
    answers = {**recalled, **choices.answers}
    proposal = propose_mapping(sheet, department or None, answers, fields)
    assert proposal is not None  # a row of headers was found
    if remembered is not None and _is_as_confirmed(remembered, proposal):
        return _build_remembered_sheet(proposal, remembered, path)
    change = None
    if remembered is None:
        change = explain_changed_headers(home, headers, department or None)
    return InspectedSheet(
        label,
        path,
        "list",
        proposal.mapping.department,
        columns=proposal.columns,
        questions=proposal.questions,
        mapping=proposal.mapping,
        change=change,
    )


def _is_as_confirmed(remembered: ListMapping, proposal: Proposal) -> bool:
    """Whether what was confirmed is all that is needed, and nothing else has been said."""
    if any(question.key == LADDER for question in proposal.questions):
        return False
    same = {"revision": remembered.revision, "list_name": remembered.list_name}
    return proposal.mapping.model_copy(update=same) == remembered


def _build_remembered_sheet(
    proposal: Proposal, remembered: ListMapping, path: Path
) -> InspectedSheet:
    return InspectedSheet(
        proposal.file,
        path,
        "list",
        remembered.department,
        columns=proposal.columns,
        remembered=remembered,
    )


def recall_answers(mapping: ListMapping) -> dict[str, str]:
    """The answers that gave the mapping, by the key of their question."""
    fields = {column.field for column in mapping.columns}
    answers = {
        BY_NAME: "yes" if mapping.by_name else "no",
        BY_NUMBER: "yes" if mapping.by_number else "no",
        PARENTS: "no" if PARENTS_FIELD in fields else "yes",
        LADDER: mapping.ladder,
    }
    units = {column.unit for column in mapping.columns if column.unit is not None}
    words = [word for word, yuan in MONEY_UNITS.items() if yuan in units]
    answers[UNIT] = words[0] if len(words) == 1 else ""
    constants = {f: v for f, v in mapping.constants.items() if v != TITLE_MARK}
    grade = next((v for f, v in constants.items() if f.endswith(".grade")), "")
    kind = constants.get("studio.kind", "")
    dates = [v for f, v in mapping.constants.items() if f.endswith(CONSTANT_DATE_ENDINGS)]
    date = TITLE_MARK if TITLE_MARK in dates else next(iter(dates), "none")
    answers |= {GRADE: grade, KIND: kind, DATE: date}
    return {key: answer for key, answer in answers.items() if answer}


def _list_stated_tables(sheet: Sheet, mapping: ListMapping, digest: Digest) -> tuple[str, ...]:
    """The exchange tables of which the first rows state something."""
    few = replace(sheet, cells=sheet.cells.head(_TABLE_PROBE_ROWS), remarks=())
    applied = apply_mapping(few, mapping, digest)
    named = {raw.table for raw in applied.tables if raw.rows.height}
    return tuple(table for table in EXCHANGE_TABLES if table in named)


def _preview_exchange_table(exchange: ExchangeSheet) -> pl.DataFrame:
    personal = {
        column.name for column in EXCHANGE_TABLES[exchange.table].columns if column.personal
    }
    rows = exchange.rows.drop(ROW_NUMBER_COLUMN, strict=False).head(PREVIEW_ROWS)
    rows = rows.select(pl.all().cast(pl.String))
    attributes = {h: n for h, n in exchange.fields.items() if n not in personal or "id" not in n}
    hidden = [header for header in exchange.fields if header not in attributes]
    return _mask_preview(rows, attributes | dict.fromkeys(hidden, "id_number"))


def _mask_preview(
    rows: pl.DataFrame, attributes: Mapping[str, str] = MappingProxyType({})
) -> pl.DataFrame:
    """The rows as they may be shown: no ID number, no phone number.

    `attributes`: of the columns whose names are no fields.
    """
    masked = []
    for column in rows.get_columns():
        attribute = attributes.get(column.name, column.name.rpartition(".")[2])
        if attribute == "id_number":
            masked.append(rows.select(_hide_filled(column.name)).to_series())
            continue
        shown = [None if cell is None else mask_preview_cell(attribute, cell) for cell in column]
        masked.append(pl.Series(column.name, shown, dtype=pl.String))
    return pl.DataFrame(masked)


def mask_preview_cell(attribute: str, cell: str) -> str:
    """The cell of a field's attribute as a preview shows it."""
    text = mask_id_numbers(cell)[:_PREVIEW_CELL_CHARS]
    return text if attribute in _SHOWN_NUMBER_ATTRIBUTES else mask_long_numbers(text)


def _hide_filled(column: str) -> pl.Expr:
    return pl.when(pl.col(column).is_not_null()).then(pl.lit(_HIDDEN_CELL)).alias(column)
