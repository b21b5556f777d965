"""Rows of text to rows that can be taken, and a finding for every one that can't.

A row is refused when a cell of it can't be read, a required cell is empty, or it names something
unknown where it must name something known. What is refused is listed with file, row, column,
value and reason; accepted + refused = read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from graph.model import (
    EVERY_TABLE,
    NODE_KINDS,
    TABLES,
    Declared,
    Facet,
    NodeKind,
    Property,
    Relation,
    Type,
)
from loaders.columns import Digest, plain, read_column, what_is_taken

REFUSED, REMARK = "refused", "remark"
FINDING = {
    "file": pl.String,
    "row": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "kind": pl.String,
}
# A spreadsheet's row number: the header is row 1.
ROW = "_row"
SOURCE = "_source"
FILE = "_file"
_MASK = "***"
_LONGEST_VALUE = 60


@dataclass(frozen=True)
class RawTable:
    """One file's rows as text. `rows` has the file's own headers and `_row`.

    `refused` are findings on rows that are not in `rows`; `unstated` are required columns that
    this source can't state.
    """

    table: str
    file: str
    source: str
    rows: pl.DataFrame
    refused: pl.DataFrame | None = None
    unstated: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Checked:
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

    def without(self, refused: pl.DataFrame) -> Checked:
        """This table less the rows that `refused` (findings) names."""
        gone = refused.filter(pl.col("kind") == REFUSED)["row"].unique()
        kept = self.rows.filter(~pl.col(ROW).is_in(gone.implode())) if gone.len() else self.rows
        return Checked(self.table, self.file, self.read, kept, pl.concat([self.findings, refused]))


def no_findings() -> pl.DataFrame:
    """An empty table of findings."""
    return pl.DataFrame(schema=FINDING)


def finding(
    file: str, row: int, column: str, value: str, reason: str, kind: str = REFUSED
) -> pl.DataFrame:
    """One finding."""
    return pl.DataFrame([(file, row, column, value, reason, kind)], schema=FINDING, orient="row")


def check_table(raw: RawTable, digest: Digest, today: dt.date) -> Checked:
    """Each row of `raw` taken or refused by itself; references come after, over all tables."""
    declared = TABLES[raw.table]
    columns = tuple(
        replace(p, required=p.required and p.name not in raw.unstated)
        for p in (*declared.columns, *EVERY_TABLE)
    )
    remarks, headers = _headers(raw, columns)
    lost = no_findings() if raw.refused is None else raw.refused
    missing = [p for p in columns if p.required and p.name not in headers.values()]
    text = _text(raw.rows, headers)
    read = text.height + lost.filter(pl.col("kind") == REFUSED)["row"].n_unique()
    if missing:
        return _all_refused(raw, read, [*remarks, lost], missing)
    rows, findings = _typed(text, columns, raw.file, digest)
    checked = Checked(raw.table, raw.file, read, _named(rows, columns, raw), no_findings())
    checked = checked.without(pl.concat([*remarks, lost, *findings]))
    return checked.without(_contradictions(checked, declared, today))


def _named(rows: pl.DataFrame, columns: Sequence[Property], raw: RawTable) -> pl.DataFrame:
    """The rows with every declared column, and where they come from."""
    absent = [
        pl.lit(None, dtype=_dtype(p)).alias(p.name) for p in columns if p.name not in rows.columns
    ]
    rows = rows.with_columns(*absent)
    return rows.with_columns(
        pl.coalesce("source", pl.lit(raw.source)).alias(SOURCE),
        pl.lit(raw.file).alias(FILE),
    ).drop("source")


def _dtype(declared: Property) -> type[pl.DataType]:
    return {
        Type.DATE: pl.Date,
        Type.INTEGER: pl.Int64,
        Type.LEVEL: pl.Int64,
        Type.FLOAT: pl.Float64,
        Type.BOOLEAN: pl.Boolean,
    }.get(declared.type, pl.String)


def _headers(
    raw: RawTable, columns: Sequence[Property]
) -> tuple[list[pl.DataFrame], dict[str, str]]:
    """The file's headers by the schema's names, with a remark on each that is not known."""
    known = {_header(w): p.name for p in columns for w in (p.name, p.zh, *p.headers)}
    remarks: list[pl.DataFrame] = []
    taken: dict[str, str] = {}
    for header in raw.rows.columns:
        if header == ROW:
            continue
        name = known.get(_header(header))
        if name is None:
            reason = f"this column is not known in {raw.table}; it is left out"
        elif name in taken.values():
            reason = f"{name} already stands in another column; this one is left out"
        else:
            taken[header] = name
            continue
        remarks.append(finding(raw.file, 1, header[:_LONGEST_VALUE], "", reason, REMARK))
    return remarks, taken


def _header(text: str) -> str:
    return text.strip().strip("\ufeff").casefold().replace(" ", "_")


def _text(rows: pl.DataFrame, headers: Mapping[str, str]) -> pl.DataFrame:
    """The known columns, stripped, empty cells null; rows that are empty throughout are none."""
    text = rows.select(
        ROW,
        *(
            pl.col(header).str.strip_chars().replace("", None).alias(name)
            if rows.schema[header] == pl.String
            else pl.col(header).alias(name)
            for header, name in headers.items()
        ),
    )
    anything = [pl.col(header) for header in rows.columns if header != ROW]
    if not anything:
        return text.clear()
    blank = pl.all_horizontal(
        *(
            (c.is_null() | (c.str.strip_chars() == ""))
            if rows.schema[c.meta.output_name()] == pl.String
            else c.is_null()
            for c in anything
        )
    )
    return text.filter(~rows.select(blank).to_series())


def _all_refused(
    raw: RawTable, read: int, findings: list[pl.DataFrame], missing: Sequence[Property]
) -> Checked:
    reasons = [
        finding(
            raw.file, 1, p.name, "",
            f"this column must be there (as {p.name} or {p.zh}); none of the {read} rows is taken",
        )
        for p in missing
    ]  # fmt: skip
    return Checked(raw.table, raw.file, read, pl.DataFrame(), pl.concat([*findings, *reasons]))


def _typed(
    text: pl.DataFrame, columns: Sequence[Property], file: str, digest: Digest
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The text read by type, and a finding for each cell that can't be."""
    values = [text[ROW]]
    findings = []
    for declared in columns:
        if declared.name not in text.columns:
            continue
        cells = text[declared.name]
        if cells.dtype == _dtype(declared) and cells.dtype != pl.String:
            values.append(cells)  # a Parquet file that has the type already
        else:
            cells = cells.cast(pl.String)
            if _is_reference(declared):
                cells = plain(cells)
            column = read_column(cells, declared, digest)
            values.append(column.values.alias(declared.name))
            unread = cells.is_not_null() & column.values.is_null()
            findings.append(
                _cells(text, unread, declared, file, f"{declared.name} {what_is_taken(declared)}")
            )
            if column.flagged is not None:
                findings.append(_cells(text, column.flagged, declared, file, column.remark, REMARK))
        if declared.required:
            reason = f"{declared.name} must not be empty"
            findings.append(_cells(text, cells.is_null(), declared, file, reason))
    return pl.DataFrame(values), findings


def _is_reference(declared: Property) -> bool:
    return declared.name.endswith(("_id", "_code")) or declared.name == "code"


def _cells(
    text: pl.DataFrame,
    which: pl.Series,
    declared: Property,
    file: str,
    reason: str,
    kind: str = REFUSED,
) -> pl.DataFrame:
    """A finding for each cell that `which` marks; personal values are not repeated."""
    if not which.any():
        return no_findings()
    cell = pl.col(declared.name).cast(pl.String).str.slice(0, _LONGEST_VALUE)
    value = pl.when(cell.is_not_null()).then(pl.lit(_MASK)) if declared.personal else cell
    return text.filter(which).select(
        pl.lit(file).alias("file"),
        pl.col(ROW).cast(pl.Int64).alias("row"),
        pl.lit(declared.name).alias("column"),
        value.fill_null("").alias("value"),
        pl.lit(reason).alias("reason"),
        pl.lit(kind).alias("kind"),
    )


def _contradictions(checked: Checked, declared: Declared, today: dt.date) -> pl.DataFrame:
    """What a row's cells say against each other, and against the calendar."""
    rows, file = checked.rows, checked.file
    found = []
    if isinstance(declared, Relation) and declared.start.kinds == declared.end.kinds:
        start, end = declared.start.column, declared.end.column
        reason = f"{start} and {end} are the same"
        found.append(_rows(rows, pl.col(start) == pl.col(end), end, file, reason, REFUSED))
    if {"start", "end"} <= set(rows.columns):
        backwards = pl.col("end") < pl.col("start")
        found.append(_rows(rows, backwards, "end", file, "it ends before it starts", REMARK))
    if checked.table == "recognitions":
        late = pl.col("date") > today
        found.append(_rows(rows, late, "date", file, "this day is still to come", REMARK))
    if isinstance(declared, NodeKind | Facet):
        key = declared.key if isinstance(declared, NodeKind) else declared.column
        columns = key_columns(declared)
        found.append(_second_statements(rows, columns, key, file))
    return pl.concat([no_findings(), *found])


def key_columns(declared: NodeKind | Facet) -> tuple[str, ...]:
    """The columns that together name the node."""
    if isinstance(declared, Facet):
        return (declared.column,)
    return declared.key_from or (declared.key,)


def _rows(
    rows: pl.DataFrame, which: pl.Expr, column: str, file: str, reason: str | pl.Expr, kind: str
) -> pl.DataFrame:
    why = pl.lit(reason) if isinstance(reason, str) else reason
    return rows.filter(which).select(
        pl.lit(file).alias("file"),
        pl.col(ROW).cast(pl.Int64).alias("row"),
        pl.lit(column).alias("column"),
        pl.col(column).cast(pl.String).str.slice(0, _LONGEST_VALUE).fill_null("").alias("value"),
        why.cast(pl.String).alias("reason"),
        pl.lit(kind).alias("kind"),
    )


def _second_statements(
    rows: pl.DataFrame, keys: Sequence[str], key: str, file: str
) -> pl.DataFrame:
    """Later rows of one source that say something else of a thing an earlier row has stated."""
    if rows.select(pl.struct(*keys, SOURCE).is_duplicated().any()).item() is not True:
        return no_findings()
    stated = [c for c in rows.columns if c not in (ROW, FILE)]
    first = pl.col(ROW).min().over(*keys, SOURCE)
    same = pl.struct(*stated) == pl.struct(*stated).sort_by(ROW).first().over(*keys, SOURCE)
    reason = pl.format("row {} states the same {} with other values", first, pl.lit(key))
    doubled = rows.with_columns(_other=(pl.col(ROW) != first) & ~same, _reason=reason)
    return _rows(doubled, pl.col("_other"), keys[0], file, pl.col("_reason"), REFUSED)


@dataclass(frozen=True)
class Known:
    """The keys of each kind of node that are there: in the store, and in this load."""

    of: Mapping[str, pl.Series]

    def kinds_of(self, ids: pl.Series, kinds: Sequence[str]) -> pl.DataFrame:
        """Those of `ids` (distinct) that are known: id, kind (null when it is of several)."""
        frames = [
            ids.alias("id").to_frame().join(self.of[kind].alias("id").to_frame(), "id", "semi")
            .with_columns(kind=pl.lit(kind))
            for kind in kinds
            if kind in self.of and self.of[kind].len()
        ]  # fmt: skip
        if not frames:
            return pl.DataFrame(schema={"id": pl.String, "kind": pl.String})
        found = pl.concat(frames)
        if len(frames) == 1 or found["id"].n_unique() == found.height:
            return found
        one = pl.when(pl.len() == 1).then(pl.col("kind").first())
        return found.group_by("id", maintain_order=True).agg(one.alias("kind"))


def references(declared: Declared) -> list[tuple[str, tuple[str, ...], bool, bool]]:
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
    checked: Checked, known: Known, refused_ids: Mapping[str, pl.Series]
) -> tuple[Checked, dict[str, pl.DataFrame]]:
    """`checked` less the rows that name what is not known; and, of each column that
    may be of several kinds or unknown, the table of id and kind.

    `refused_ids` are the keys that stood in this load in rows that were refused, so that the
    reason can say so.
    """
    declared = TABLES[checked.table]
    found, ends = [], {}
    for column, kinds, must, create in references(declared):
        if create or column not in checked.rows.columns:
            continue
        ids = checked.rows[column].drop_nulls().unique()
        kinds_of = known.kinds_of(ids, kinds)
        if not must or len(kinds) > 1:
            ends[column] = kinds_of
        found += _unknown(checked, column, kinds, kinds_of, must, refused_ids)
    return checked.without(pl.concat([no_findings(), *found])), ends


def _unknown(
    checked: Checked,
    column: str,
    kinds: Sequence[str],
    kinds_of: pl.DataFrame,
    must: bool,
    refused_ids: Mapping[str, pl.Series],
) -> list[pl.DataFrame]:
    """Findings on the cells of `column` whose id is of no kind, or of more than one."""
    what = " or ".join(NODE_KINDS[kind].en.lower() for kind in kinds)
    kind = REFUSED if must else REMARK
    tail = "" if must else "; the row is taken without the link"
    rows, file = checked.rows.filter(pl.col(column).is_not_null()), checked.file
    lost = rows.join(kinds_of, left_on=column, right_on="id", how="anti", maintain_order="left")
    refused = pl.concat([refused_ids[k] for k in kinds if k in refused_ids] or [_no_ids()])
    in_refused = pl.col(column).is_in(refused.implode())
    reasons = (
        (~in_refused, f"no {what} with this id is known; add its row and load again"),
        (in_refused, f"the row of this {what} was refused; mend it and load again"),
    )
    found = [_rows(lost, which, column, file, reason + tail, kind) for which, reason in reasons]
    twice = kinds_of.filter(pl.col("kind").is_null())["id"]
    if twice.len():
        reason = f"this id is that of more than one {what}; give each its own" + tail
        which = pl.col(column).is_in(twice.implode())
        found.append(_rows(rows, which, column, file, reason, kind))
    return found


def _no_ids() -> pl.Series:
    return pl.Series("id", [], dtype=pl.String)
