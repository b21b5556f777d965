"""What is refused, changed or left out in a file: one finding a cell or row, in both languages.

No finding repeats a citizen ID number.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from graph.identity import mask_id_numbers
from graph.messages import Message
from loaders.id_numbers import flag_id_number_suspects

REFUSED, REMARK = "refused", "remark"
FINDING_COLUMNS = {
    "file": pl.String,
    "row": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "reason_zh": pl.String,
    "kind": pl.String,
}
MAX_REPORTED_VALUE_CHARS = 60
FINDING_MASK = "***"

# File, row (the spreadsheet's, 0 for the full file), column, value, reason, kind.
Finding = tuple[str, int, str, str, Message, str]


def build_empty_findings() -> pl.DataFrame:
    """An empty table of findings."""
    return pl.DataFrame(schema=FINDING_COLUMNS)


def build_finding(
    file: str, row: int, column: str, value: str, reason: Message, kind: str = REFUSED
) -> pl.DataFrame:
    """One finding; its reason stands in it in both languages."""
    return build_findings([(file, row, column, value, reason, kind)])


def build_findings(found: Sequence[Finding]) -> pl.DataFrame:
    """The table of several findings."""
    rows = [
        (
            file,
            row,
            format_reported_text(column),
            format_reported_text(value),
            str(reason),
            reason.said("zh"),
            kind,
        )
        for file, row, column, value, reason, kind in found
    ]
    return pl.DataFrame(rows, schema=FINDING_COLUMNS, orient="row")


def build_row_findings(
    rows: pl.Series,
    file: str,
    column: str,
    value: pl.Series,
    reason: Message,
    kind: str,
    **values: pl.Series,
) -> pl.DataFrame:
    """A finding for each of `rows` (their numbers); `values` are fields of the reason by row."""
    filled = {name: pl.lit(of_row) for name, of_row in values.items()}
    return pl.select(
        pl.lit(file).alias("file"),
        rows.cast(pl.Int64).alias("row"),
        pl.lit(column).alias("column"),
        value.alias("value"),
        reason.said_of_rows("en", **filled).alias("reason"),
        reason.said_of_rows("zh", **filled).alias("reason_zh"),
        pl.lit(kind).alias("kind"),
    )


def format_reported_text(text: str) -> str:
    """The text as a report may show it: without ID numbers, and cut."""
    return mask_id_numbers(text[: 20 * MAX_REPORTED_VALUE_CHARS])[:MAX_REPORTED_VALUE_CHARS]


def format_reported_cells(cells: pl.Series) -> pl.Series:
    """`format_reported_text` of each cell; null is empty."""
    text = cells.cast(pl.String).fill_null("")
    suspect = flag_id_number_suspects(text)
    cut = text.str.slice(0, MAX_REPORTED_VALUE_CHARS)
    if not suspect.any():
        return cut
    masked = pl.Series(
        [format_reported_text(cell) for cell in text.filter(suspect)], dtype=pl.String
    )
    return cut.scatter(suspect.arg_true(), masked)
