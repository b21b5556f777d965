"""Rows of text to rows that can be taken, and a finding for every one that can't.

A row is refused when a cell of it can't be read, a required cell is empty, or it names something
unknown where it must name something known. What is refused is listed with file, row, column,
value and reason; accepted + refused = read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import polars as pl

from graph.messages import AnyOf, Message, Words
from graph.model.kinds import COMMON_TABLE_COLUMNS, EXCHANGE_TABLES, NODE_KINDS
from graph.model.schema_types import (
    MAX_TEXT_BYTES,
    Declared,
    Facet,
    NodeKind,
    Property,
    Relation,
    Type,
)
from graph.model.vocabularies import LEVELS
from loaders.columns import (
    ROUNDED_NUMBER_PATTERN,
    Digest,
    convert_to_text,
    describe_accepted_values,
    find_value_type,
    normalize_text_width,
    parse_column,
)
from loaders.findings import (
    FINDING_MASK,
    REFUSED,
    REMARK,
    Finding,
    build_empty_findings,
    build_findings,
    build_row_findings,
    format_reported_cells,
)
from loaders.id_numbers import flag_id_number_cells
from loaders.mapping.certificate_numbers import parse_certificate_numbers
from loaders.mapping.level_words import parse_bare_digits
from loaders.traditional_forms import simplify_characters

# A spreadsheet's row number: the header is row 1, or the first row that is not blank.
ROW_NUMBER_COLUMN = "_row"
ROW_SOURCE_COLUMN = "_source"
ROW_FILE_COLUMN = "_file"
_ID_NUMBER_REASON = Message(
    "the cell holds a citizen ID number, which is not stored; put it into id_number alone, and "
    "give people ids of their own"
)
_OVERLONG_TEXT_REASON = Message(
    "the cell has more than {bytes:,} bytes (about {characters:,} Chinese characters), more than "
    "can be stored; a stray quotation mark may have joined rows",
    bytes=MAX_TEXT_BYTES,
    characters=MAX_TEXT_BYTES // 3,
)
_BROKEN_ID_REASON = Message("{column} holds a line break or a control character")
_ROUNDED_NUMBER_REASON = Message(
    "a spreadsheet has rounded this number and its last digits are lost; format the column as text "
    "and enter it again"
)
# What stands in the last row of a list instead of an id or a name.
_TOTAL_ROW_PATTERN = r"^[合总小共累]\s*计\s*[:：]?$|^(?i:(?:sub|grand )?total)$"
_TOTAL_ROW_REASON = Message(
    "this is a row of totals, not a record of its own; take it out of the table"
)
_LOST_CHARACTERS_REMARK = Message(
    "characters of it were lost before the file was made; mend it at its source"
)
_OTHER_LEVEL_REASON = Message(
    "the row states {stated}, its certificate number {level}; mend the one that is wrong. If the "
    "levels of the list are digits of the old ladder (3 is 高级工), say so with --answer ladder=old"
)
_OTHER_LEVEL_REMARK = Message(
    "the row states {stated}, its certificate number {level}; mend the one that is wrong"
)
_OTHER_YEAR_REMARK = Message("the year in the certificate number is another one")
_CONTROL_REPLACED_REMARK = Message("line breaks or control characters in it are taken as a blank")
# Why an id of a reference is not known, was refused, or names several things: where the row is
# refused for it, and where the row is taken without the link.
_UNKNOWN_ID_REASONS = (
    Message("no {what} with this id is known; add its row and load again"),
    Message("the row of this {what} was refused; mend it and load again"),
    Message("this id is that of more than one {what}; give each its own"),
)
_UNKNOWN_ID_REMARKS = (
    Message(
        "no {what} with this id is known; add its row and load again; "
        "the row is taken without the link"
    ),
    Message(
        "the row of this {what} was refused; mend it and load again; "
        "the row is taken without the link"
    ),
    Message(
        "this id is that of more than one {what}; give each its own; "
        "the row is taken without the link"
    ),
)
# Blanks around a cell, also those that can't be seen.
_BLANK_CHARACTERS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u2060\ufeff"
# What other programs leave of characters that they can't write.
_LOST_CHARACTER_PATTERN = r"\u{FFFD}|^\?+$|\p{Han}\?|\?\p{Han}"
_CONTROL_CHARACTER_PATTERN = r"[\p{Cc}\u{2028}\u{2029}]"
_SUSPECT_CHARACTER_PATTERN = f"{_CONTROL_CHARACTER_PATTERN}|{_LOST_CHARACTER_PATTERN}"


@dataclass(frozen=True)
class RawTable:
    """One file's rows as text. `rows` has the file's own headers and `_row`.

    `refused` are findings on rows that are not in `rows`; `unstated` are required columns that
    this source can't state. `encoding` is that of its text, "parquet" for typed columns.
    """

    table: str
    file: str
    source: str
    rows: pl.DataFrame
    refused: pl.DataFrame | None = None
    unstated: frozenset[str] = frozenset()
    encoding: str = ""


@dataclass(frozen=True)
class UnreadFile:
    """A file or folder beside the tables that is not read, why, and the table it may be."""

    file: str
    reason: Message
    nearest: str | None = None
    is_folder: bool = False


@dataclass(frozen=True)
class RereadTables:
    """Tables that are read anew each time that somebody goes through them."""

    read: Callable[[], Iterable[RawTable | UnreadFile]]

    def __iter__(self) -> Iterator[RawTable | UnreadFile]:
        return iter(self.read())


@dataclass(frozen=True)
class CheckedTable:
    """What a file's rows came to. `rows` has the schema's columns, `_row`, `_source`, `_file`."""

    table: str
    file: str
    read: int
    rows: pl.DataFrame
    findings: pl.DataFrame

    @property
    def accepted(self) -> int:
        """Rows taken."""
        return self.rows.height

    @property
    def refused(self) -> int:
        """Rows refused."""
        return self.read - self.rows.height

    def without(self, refused: pl.DataFrame) -> CheckedTable:
        """This table less the rows that `refused` (findings) names."""
        gone = refused.filter(pl.col("kind") == REFUSED)["row"].unique()
        remaining = (
            self.rows.filter(~pl.col(ROW_NUMBER_COLUMN).is_in(gone.implode()))
            if gone.len()
            else self.rows
        )
        return CheckedTable(
            self.table, self.file, self.read, remaining, pl.concat([self.findings, refused])
        )


def check_table(raw: RawTable, digest: Digest, today: dt.date) -> CheckedTable:
    """Each row of `raw` taken or refused by itself; references come after, over all tables."""
    declared = EXCHANGE_TABLES[raw.table]
    columns = tuple(
        replace(p, required=p.required and p.name not in raw.unstated)
        for p in (*declared.columns, *COMMON_TABLE_COLUMNS)
    )
    remarks, headers = _match_headers(raw, columns)
    lost = build_empty_findings() if raw.refused is None else raw.refused
    missing = [p for p in columns if p.required and p.name not in headers.values()]
    text = _extract_text(raw.rows, headers)
    read = text.height + lost.filter(pl.col("kind") == REFUSED)["row"].n_unique()
    if missing:
        return _refuse_all_rows(raw, read, [remarks, lost], missing)
    rows, found = _parse_columns(text, columns, raw.file, digest)
    checked = CheckedTable(
        raw.table, raw.file, read, _add_missing_columns(rows, columns, raw), build_empty_findings()
    )
    checked = checked.without(pl.concat([remarks, lost, *found]))
    checked = checked.without(_find_contradictions(checked, declared, today))
    if raw.table == "recognitions":
        checked = checked.without(_find_certificate_contradictions(checked, text))
    return checked


def _add_missing_columns(
    rows: pl.DataFrame, columns: Sequence[Property], raw: RawTable
) -> pl.DataFrame:
    """The rows with every declared column, and where they come from."""
    stored = [p for c in columns for p in (c, c.precision) if p is not None]
    absent = [
        pl.lit(None, dtype=find_value_type(p)).alias(p.name)
        for p in stored
        if p.name not in rows.columns
    ]
    rows = rows.with_columns(*absent)
    return rows.with_columns(
        pl.coalesce("source", pl.lit(raw.source)).alias(ROW_SOURCE_COLUMN),
        pl.lit(raw.file).alias(ROW_FILE_COLUMN),
    ).drop("source")


def map_table_headers(raw: RawTable) -> dict[str, str]:
    """The file's own header of each column of the table that it has."""
    _, taken = _match_headers(raw, (*EXCHANGE_TABLES[raw.table].columns, *COMMON_TABLE_COLUMNS))
    return {name: header for header, name in taken.items()}


def _match_headers(
    raw: RawTable, columns: Sequence[Property]
) -> tuple[pl.DataFrame, dict[str, str]]:
    """The file's headers by the schema's names, with a remark on each that is not known."""
    known = {normalize_header(w): p.name for p in columns for w in (p.name, p.zh, *p.headers)}
    remarks: list[Finding] = []
    taken: dict[str, str] = {}
    named: set[str] = set()
    for header in raw.rows.columns:
        if header == ROW_NUMBER_COLUMN:
            continue
        name = known.get(normalize_header(header))
        if name is None or name in named or raw.rows.schema[header].is_nested():
            reason = _explain_dropped_column(raw, header, name, named)
            remarks.append((raw.file, 1, header, "", reason, REMARK))
        else:
            taken[header] = name
            named.add(name)
    return build_findings(remarks), taken


def _explain_dropped_column(
    raw: RawTable, header: str, name: str | None, named: AbstractSet[str]
) -> Message:
    if name is None:
        return Message("this column is not known in {table}; it is left out", table=raw.table)
    if name in named:
        return Message("{name} already stands in another column; this one is left out", name=name)
    kind = raw.rows.schema[header].base_type().__name__
    return Message(
        "its cells are lists or records ({kind}), not single values; it is left out", kind=kind
    )


def normalize_header(text: str) -> str:
    """A header as it is compared: in simplified characters, without case, marks, and the ways to
    part its words."""
    plain = text.strip().strip("\ufeff").strip().casefold()
    return re.sub(r"[\s-]+", "_", simplify_characters(plain))


def _extract_text(rows: pl.DataFrame, headers: Mapping[str, str]) -> pl.DataFrame:
    """The known columns, stripped, empty cells null; rows that are empty throughout are none."""
    rows = rows.with_columns(
        convert_to_text(rows[c]) for c, kind in rows.schema.items() if _is_text_like(kind)
    )
    text = rows.select(
        ROW_NUMBER_COLUMN,
        *(
            pl.col(header).str.strip_chars(_BLANK_CHARACTERS).replace("", None).alias(name)
            if rows.schema[header] == pl.String
            else pl.col(header).alias(name)
            for header, name in headers.items()
        ),
    )
    others = [
        _build_blank_expr(column, kind)
        for column, kind in rows.schema.items()
        if column != ROW_NUMBER_COLUMN and column not in headers
    ]
    if rows.width == 1:
        return text.clear()
    blank = (
        text.select(pl.all_horizontal(pl.exclude(ROW_NUMBER_COLUMN).is_null())) if headers else None
    )
    if others:
        empty = rows.select(pl.all_horizontal(others))
        blank = empty if blank is None else blank.select(pl.first() & empty.to_series())
    assert blank is not None
    return text.filter(~blank.to_series())


def _is_text_like(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.Binary | pl.Categorical | pl.Enum)


def _build_blank_expr(column: str, kind: pl.DataType) -> pl.Expr:
    cells = pl.col(column)
    if kind != pl.String:
        return cells.is_null()
    return cells.is_null() | (cells.str.strip_chars(_BLANK_CHARACTERS) == "")


def _refuse_all_rows(
    raw: RawTable, read: int, found: list[pl.DataFrame], missing: Sequence[Property]
) -> CheckedTable:
    reasons = [
        (raw.file, 1, p.name, "", _describe_missing_column(p, read), REFUSED) for p in missing
    ]
    return CheckedTable(
        raw.table, raw.file, read, pl.DataFrame(), pl.concat([*found, build_findings(reasons)])
    )


def _describe_missing_column(column: Property, read: int) -> Message:
    return Message(
        "this column must be there (as {name} or {zh}); none of the {read} rows is taken",
        name=column.name,
        zh=column.zh,
        read=read,
    )


def _parse_columns(
    text: pl.DataFrame, columns: Sequence[Property], file: str, digest: Digest
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The text read by type, and a finding for each cell that can't be."""
    values = [text[ROW_NUMBER_COLUMN]]
    found: list[pl.DataFrame] = []
    for declared in columns:
        if declared.name not in text.columns:
            continue
        stated = text[declared.name]
        cells, wrong, tidied = _clean_cells(stated, declared)
        column = parse_column(cells, declared, digest)
        values.append(column.values.alias(declared.name))
        if declared.precision is not None and column.precision is not None:
            values.append(column.precision.alias(declared.precision.name))
        unread = cells.is_not_null() & column.values.is_null()
        if column.empty is not None:
            unread &= ~column.empty
        wrong.append((unread, describe_accepted_values(declared)))
        for which, reason in wrong:
            found.append(
                _build_unusable_findings(
                    stated, which, text[ROW_NUMBER_COLUMN], declared, file, reason
                )
            )
        for which, reason in (*tidied, *column.remarks):
            found.append(
                _build_cell_findings(
                    stated, which, text[ROW_NUMBER_COLUMN], declared, file, reason, REMARK
                )
            )
        if declared.required:
            empty = stated.is_null()
            if column.empty is not None:
                empty |= column.empty
            found.append(
                _build_cell_findings(
                    stated,
                    empty,
                    text[ROW_NUMBER_COLUMN],
                    declared,
                    file,
                    _describe_empty_cell(declared),
                )
            )
    return pl.DataFrame(values), found


def _describe_empty_cell(declared: Property) -> Message:
    return Message("{column} must not be empty", column=declared.name)


CellFaults = list[tuple[pl.Series, Message]]


def _clean_cells(stated: pl.Series, declared: Property) -> tuple[pl.Series, CellFaults, CellFaults]:
    """The cells as text that may be stored, which are wrong and why, which were changed and how.

    Wrong ones are null. Typed cells, and those of columns whose type lets no free text in, are as
    they were.
    """
    if not _is_free_text(declared):
        return stated, [], []
    cells = convert_to_text(stated)
    if _is_reference_column(declared):
        cells = normalize_text_width(cells)
    wrong: CellFaults = []
    for which, reason in _iterate_text_checks(cells, declared):
        if which.any():
            cells = cells.set(which, None)
            wrong.append((which, reason))
    if (
        _is_reference_column(declared)
        or not _match_pattern(cells, _SUSPECT_CHARACTER_PATTERN).any()
    ):
        return cells, wrong, []
    tidied = [
        (_match_pattern(cells, _CONTROL_CHARACTER_PATTERN), _CONTROL_REPLACED_REMARK),
        (_match_pattern(cells, _LOST_CHARACTER_PATTERN), _LOST_CHARACTERS_REMARK),
    ]
    return cells.str.replace_all(f"{_CONTROL_CHARACTER_PATTERN}+", " "), wrong, tidied


def _is_free_text(declared: Property) -> bool:
    is_text = declared.type in (Type.STRING, Type.OCCUPATION)
    return is_text and (declared.choices is None or declared.open_choice)


def _iterate_text_checks(
    cells: pl.Series, declared: Property
) -> Iterator[tuple[pl.Series, Message]]:
    long = (cells.str.len_bytes() > MAX_TEXT_BYTES).fill_null(False)
    yield long, _OVERLONG_TEXT_REASON
    yield flag_id_number_cells(cells.set(long, None)), _ID_NUMBER_REASON
    if declared.required:
        yield _match_pattern(cells, _TOTAL_ROW_PATTERN), _TOTAL_ROW_REASON
    if _is_reference_column(declared):
        yield (
            _match_pattern(cells, _CONTROL_CHARACTER_PATTERN),
            _BROKEN_ID_REASON.with_values(column=declared.name),
        )
        yield _match_pattern(cells, ROUNDED_NUMBER_PATTERN), _ROUNDED_NUMBER_REASON


def _match_pattern(cells: pl.Series, pattern: str) -> pl.Series:
    return cells.str.contains(pattern).fill_null(False)


def _is_reference_column(declared: Property) -> bool:
    return declared.name.endswith(("_id", "_code")) or declared.name == "code"


def _build_unusable_findings(
    stated: pl.Series,
    which: pl.Series,
    rows: pl.Series,
    declared: Property,
    file: str,
    reason: Message,
) -> pl.DataFrame:
    """Findings on cells that can't be used: they refuse the row, or the cell alone is emptied."""
    if declared.required or declared.decides:
        return _build_cell_findings(stated, which, rows, declared, file, reason)
    emptied = Message("{why}; the cell is left empty", why=reason)
    return _build_cell_findings(stated, which, rows, declared, file, emptied, REMARK)


def _build_cell_findings(
    stated: pl.Series,
    which: pl.Series,
    rows: pl.Series,
    declared: Property,
    file: str,
    reason: Message,
    kind: str = REFUSED,
) -> pl.DataFrame:
    """A finding for each cell that `which` marks; personal values are not repeated."""
    if not which.any():
        return build_empty_findings()
    cells = stated.filter(which)
    value = format_reported_cells(cells)
    if declared.personal:
        value = value.set(cells.is_not_null(), FINDING_MASK)
    return build_row_findings(rows.filter(which), file, declared.name, value, reason, kind)


def _find_contradictions(checked: CheckedTable, declared: Declared, today: dt.date) -> pl.DataFrame:
    """What a row's cells say against each other, and against the calendar."""
    rows, file = checked.rows, checked.file
    found = []
    if isinstance(declared, Relation) and declared.start.kinds == declared.end.kinds:
        start, end = declared.start.column, declared.end.column
        reason = Message("{start} and {end} are the same", start=start, end=end)
        found.append(
            _build_marked_row_findings(
                rows, pl.col(start) == pl.col(end), end, file, reason, REFUSED
            )
        )
    if {"start", "end"} <= set(rows.columns):
        backwards = pl.col("end") < pl.col("start")
        reason = Message("it ends before it starts")
        found.append(_build_marked_row_findings(rows, backwards, "end", file, reason, REMARK))
    if checked.table == "recognitions":
        late = pl.col("date") > today
        reason = Message("this day is still to come")
        found.append(_build_marked_row_findings(rows, late, "date", file, reason, REMARK))
    if isinstance(declared, NodeKind | Facet):
        key = declared.key if isinstance(declared, NodeKind) else declared.column
        columns = list_key_columns(declared)
        found.append(_find_second_statements(rows, columns, key, file))
    return pl.concat([build_empty_findings(), *found])


def _find_certificate_contradictions(checked: CheckedTable, text: pl.DataFrame) -> pl.DataFrame:
    """Rows whose certificate number holds another level, or another year, than the row states.

    A level that is a bare digit in `text` is refused: it may be of the old ladder. One that is
    named is not in doubt, and is remarked.
    """
    rows, file = checked.rows, checked.file
    if rows.is_empty():
        return build_empty_findings()
    said = parse_certificate_numbers(rows["certificate_no"])
    digits = parse_bare_digits(convert_to_text(text["level"])).is_not_null()
    doubtful = text[ROW_NUMBER_COLUMN].filter(digits)
    rows = rows.with_columns(
        said["level"].alias("_level"),
        said["year"].alias("_year"),
        pl.col(ROW_NUMBER_COLUMN).is_in(doubtful.implode()).alias("_doubtful"),
    )
    other_level = rows.filter(pl.col("_level") != pl.col("level"))
    names = {level: Words(en, zh) for level, (en, zh) in LEVELS.items()}
    found = [
        _build_marked_row_findings(
            part,
            pl.lit(True),
            "level",
            file,
            (_OTHER_LEVEL_REASON if doubt else _OTHER_LEVEL_REMARK).with_values(
                stated=names[int(str(stated))], level=names[int(str(level))]
            ),
            REFUSED if doubt else REMARK,
        )
        for (stated, level, doubt), part in other_level.group_by(
            "level", "_level", "_doubtful", maintain_order=True
        )
    ]
    other_year = pl.col("_year") != pl.col("date").dt.year()
    found.append(
        _build_marked_row_findings(rows, other_year, "date", file, _OTHER_YEAR_REMARK, REMARK)
    )
    return pl.concat(found)


def list_key_columns(declared: NodeKind | Facet) -> tuple[str, ...]:
    """The columns that together name the node."""
    if isinstance(declared, Facet):
        return (declared.column,)
    return declared.key_from or (declared.key,)


def _build_marked_row_findings(
    rows: pl.DataFrame, which: pl.Expr, column: str, file: str, reason: Message, kind: str
) -> pl.DataFrame:
    marked = rows.filter(which)
    return build_row_findings(
        marked[ROW_NUMBER_COLUMN], file, column, format_reported_cells(marked[column]), reason, kind
    )


def _find_second_statements(
    rows: pl.DataFrame, keys: Sequence[str], key: str, file: str
) -> pl.DataFrame:
    """Later rows of one source that say something else of a thing an earlier row has stated."""
    if rows.select(pl.struct(*keys, ROW_SOURCE_COLUMN).is_duplicated().any()).item() is not True:
        return build_empty_findings()
    stated = [c for c in rows.columns if c not in (ROW_NUMBER_COLUMN, ROW_FILE_COLUMN)]
    first = pl.col(ROW_NUMBER_COLUMN).min().over(*keys, ROW_SOURCE_COLUMN)
    same = pl.struct(*stated) == pl.struct(*stated).sort_by(ROW_NUMBER_COLUMN).first().over(
        *keys, ROW_SOURCE_COLUMN
    )
    doubled = rows.with_columns(_other=(pl.col(ROW_NUMBER_COLUMN) != first) & ~same, _first=first)
    doubled = doubled.filter("_other")
    value, stated_at = format_reported_cells(doubled[keys[0]]), doubled["_first"]
    reason = Message("row {row} states the same {key} with other values", key=key)
    return build_row_findings(
        doubled[ROW_NUMBER_COLUMN], file, keys[0], value, reason, REFUSED, row=stated_at
    )


@dataclass(frozen=True)
class KnownKeys:
    """The keys of each kind of node that are there: in the store, and in this load."""

    of: Mapping[str, pl.Series]

    def kinds_of(self, ids: pl.Series, kinds: Sequence[str]) -> pl.DataFrame:
        """Those of `ids` (distinct) that are known: id, kind (null when it is of several)."""
        frames = [
            ids.alias("id")
            .to_frame()
            .join(self.of[kind].alias("id").to_frame(), "id", "semi")
            .with_columns(kind=pl.lit(kind))
            for kind in kinds
            if kind in self.of and self.of[kind].len()
        ]
        if not frames:
            return pl.DataFrame(schema={"id": pl.String, "kind": pl.String})
        found = pl.concat(frames)
        if len(frames) == 1 or found["id"].n_unique() == found.height:
            return found
        one = pl.when(pl.len() == 1).then(pl.col("kind").first())
        return found.group_by("id", maintain_order=True).agg(one.alias("kind"))


def list_references(declared: Declared) -> list[tuple[str, tuple[str, ...], bool, bool]]:
    """The columns that name other nodes: column, kinds, must it be known, is it made when not."""
    if isinstance(declared, NodeKind):
        return [(link.column, link.ends, False, link.create) for link in declared.links]
    if isinstance(declared, Facet):
        return [(declared.column, (declared.kind,), True, False)]
    ends = [(end.column, end.kinds, True, end.create) for end in (declared.start, declared.end)]
    named = {column for column, *_ in ends}
    extra = [
        (p.name, (kind,), False, False)
        for p in declared.columns
        for kind in ("Enterprise",)
        if p.name == NODE_KINDS[kind].key and p.name not in named
    ]
    return ends + extra


def check_references(
    checked: CheckedTable, known: KnownKeys, refused_ids: Mapping[str, pl.Series]
) -> tuple[CheckedTable, dict[str, pl.DataFrame]]:
    """`checked` less the rows that name what is not known; and, of each column that
    may be of several kinds or unknown, the table of id and kind.

    `refused_ids` are the keys that stood in this load in rows that were refused, so that the
    reason can say so.
    """
    declared = EXCHANGE_TABLES[checked.table]
    found, ends = [], {}
    for column, kinds, must, create in list_references(declared):
        if create or column not in checked.rows.columns:
            continue
        ids = checked.rows[column].drop_nulls().unique()
        kinds_of = known.kinds_of(ids, kinds)
        if not must or len(kinds) > 1:
            ends[column] = kinds_of
        found += _find_unknown_references(checked, column, kinds, kinds_of, must, refused_ids)
    return checked.without(pl.concat([build_empty_findings(), *found])), ends


def _find_unknown_references(
    checked: CheckedTable,
    column: str,
    kinds: Sequence[str],
    kinds_of: pl.DataFrame,
    must: bool,
    refused_ids: Mapping[str, pl.Series],
) -> list[pl.DataFrame]:
    """Findings on the cells of `column` whose id is of no kind, or of more than one."""
    what = AnyOf(Words(NODE_KINDS[kind].en.lower(), NODE_KINDS[kind].zh) for kind in kinds)
    unknown, in_refused, ambiguous = _UNKNOWN_ID_REASONS if must else _UNKNOWN_ID_REMARKS
    kind = REFUSED if must else REMARK
    rows, file = checked.rows.filter(pl.col(column).is_not_null()), checked.file
    lost = rows.join(kinds_of, left_on=column, right_on="id", how="anti", maintain_order="left")
    refused = pl.concat([refused_ids[k] for k in kinds if k in refused_ids] or [_build_empty_ids()])
    was_refused = pl.col(column).is_in(refused.implode())
    found = [
        _build_marked_row_findings(
            lost, ~was_refused, column, file, unknown.with_values(what=what), kind
        ),
        _build_marked_row_findings(
            lost, was_refused, column, file, in_refused.with_values(what=what), kind
        ),
    ]
    twice = kinds_of.filter(pl.col("kind").is_null())["id"]
    if twice.len():
        which = pl.col(column).is_in(twice.implode())
        found.append(
            _build_marked_row_findings(
                rows, which, column, file, ambiguous.with_values(what=what), kind
            )
        )
    return found


def _build_empty_ids() -> pl.Series:
    return pl.Series("id", [], dtype=pl.String)
