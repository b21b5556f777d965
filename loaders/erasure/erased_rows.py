"""Rows that state somebody who was erased: refused, listed and counted, never silently left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES
from loaders.erasure.erased_people import ErasedPeople
from loaders.erasure.erasure_order import PersonTerms
from loaders.erasure.term_matcher import TermMatcher
from loaders.findings import FINDING_MASK, REFUSED, build_findings
from loaders.mapping.identifiers import clean_id_number
from loaders.mapping.name_lists import split_items
from loaders.several_people import SEVERAL_SIGNS
from loaders.staging import StagedTable, list_person_columns
from loaders.tables import ROW_NUMBER_COLUMN, CheckedTable, RawTable, map_table_headers

PEOPLE_TABLE = "people"
_ERASED_REASON = Message(
    "this person was erased at request, so the row is not taken; take it out of the list, or take "
    "the bar back with `shicheng forget --allow`"
)
_REFERRING_REASON = Message(
    "the row refers to a person who was erased at request, so it is not taken; take it out of the "
    "list"
)


def mask_refused_rows(raw: RawTable, checked: CheckedTable, erased: ErasedPeople) -> CheckedTable:
    """The table with no cell of erased people in its findings, where their rows are refused.

    Such rows count as erased, whatever else is wrong with them.
    """
    refused = checked.findings.filter(pl.col("kind") == REFUSED)["row"].unique()
    if not refused.len():
        return checked
    headers, texts = map_table_headers(raw), pl.DataFrame(raw.rows[ROW_NUMBER_COLUMN])
    names = list_person_columns(EXCHANGE_TABLES[raw.table])
    for name in [*names, "id_number"]:
        if name in headers:
            cells = raw.rows[headers[name]].cast(pl.String, strict=False).str.strip_chars()
            texts = texts.with_columns(cells.alias(name))
    named = [name for name in names if name in texts.columns]
    barred = {id for name in named for id in erased.find_ids(texts[name])}
    if "id_number" in texts.columns and named:
        theirs = texts.filter(_flag_numbers(texts["id_number"], erased))
        barred |= set(theirs[named[0]].drop_nulls())
    listed = list(barred)
    rows = texts.filter(
        pl.col(ROW_NUMBER_COLUMN).is_in(refused.implode()),
        pl.any_horizontal(pl.lit(False), *(pl.col(name).is_in(listed) for name in named)),
    )[ROW_NUMBER_COLUMN]
    return (
        replace(checked, findings=_replace_findings(checked, set(rows))) if rows.len() else checked
    )


def _flag_numbers(cells: pl.Series, erased: ErasedPeople) -> pl.Series:
    """Which cells hold the ID number of somebody erased."""
    numbers = [None if one is None else erased.digester(clean_id_number(one)) for one in cells]
    digests = pl.Series("digest", numbers, dtype=pl.String)
    return digests.is_in(list(erased.find_number_digests(digests))).fill_null(False)


def refuse_erased_rows(staged: Sequence[StagedTable], erased: ErasedPeople) -> None:
    """Refuses, in every table, the rows of erased people and those that refer to them.

    A person is known by id, and by the ID number under whatever id. The findings say only that
    the row is not taken, and why.
    """
    tables = [one for one in staged if one.accepted and _list_id_columns(one)]
    barred = {id for one in tables for id in _find_barred_ids(one, erased)}
    if not barred:
        return
    listed = list(barred)
    for one in tables:
        rows = one.columns([ROW_NUMBER_COLUMN, *_list_id_columns(one)])
        named = pl.any_horizontal(pl.col(name).is_in(listed) for name in _list_id_columns(one))
        numbers = rows.filter(named)[ROW_NUMBER_COLUMN]
        if numbers.len():
            one.findings = _replace_findings(one, set(numbers))
            one.refuse_numbers(numbers)
    matcher = TermMatcher(PersonTerms(tuple(listed)))
    for one in staged:
        one.findings = mask_findings_texts(one.findings, matcher)


def mask_findings_texts(findings: pl.DataFrame, matcher: TermMatcher) -> pl.DataFrame:
    """The findings with `***` in place of what names people, also in the name of the file."""
    return findings.with_columns(
        pl.col(name).map_elements(matcher.mask, return_dtype=pl.String)
        for name in ("file", "value", "reason", "reason_zh")
        if name in findings.columns
    )


def count_erased_rows(findings: pl.DataFrame) -> int:
    """How many refused rows are of erased people, or refer to them."""
    reasons = [str(_ERASED_REASON), str(_REFERRING_REASON)]
    return findings.filter(pl.col("reason").is_in(reasons)).height


def _list_id_columns(table: StagedTable) -> list[str]:
    return list_person_columns(EXCHANGE_TABLES[table.table])


def _find_barred_ids(table: StagedTable, erased: ErasedPeople) -> Iterator[str]:
    """The ids in a table of who was erased; and the cells in which one of several ids is."""
    rows = table.columns(_list_id_columns(table))
    cells = pl.concat([rows[name].alias("id") for name in rows.columns]).drop_nulls().unique()
    yield from erased.find_ids(cells)
    parts = {cell: split_items(cell) for cell in cells.filter(cells.str.contains(SEVERAL_SIGNS))}
    several = pl.Series("id", [one for some in parts.values() for one in some], dtype=pl.String)
    barred = erased.find_ids(several)
    for cell, some in parts.items():
        if not barred.isdisjoint(some):
            yield from (cell, *barred.intersection(some))
    if table.table == PEOPLE_TABLE:
        people = table.columns(["person_id", "id_number"])
        digests = list(erased.find_number_digests(people["id_number"]))
        yield from people.filter(pl.col("id_number").is_in(digests))["person_id"]


def _replace_findings(table: StagedTable | CheckedTable, rows: set[int]) -> pl.DataFrame:
    """The table's findings with one in place of all that are on these rows."""
    reason = _ERASED_REASON if table.table == PEOPLE_TABLE else _REFERRING_REASON
    left = table.findings.filter(~pl.col("row").is_in(list(rows)))
    column = _find_person_column(table.table)
    added = [(table.file, row, column, FINDING_MASK, reason, REFUSED) for row in sorted(rows)]
    return pl.concat([left, build_findings(added)])


def _find_person_column(table: str) -> str:
    return list_person_columns(EXCHANGE_TABLES[table])[0]
