"""Mentor statements of Wikidata: P184 doctoral advisor, P185 doctoral student, P802 student,
P1066 student of, with awards, employers, schools and occupations.

Read: a folder or files in the form `mentor_qid,apprentice_qid,wikidata_property` and
`person_qid,kind,value_qid`, or the result of a SPARQL query, as JSON or CSV, with the variables
`mentor`, `apprentice`, `property` (and, where asked for, `mentorLabel`, `apprenticeLabel`), or
`person`, `kind`, `value` (and `personLabel`, `valueLabel`). The same pair stated by inverse
properties is one mentorship, and its `row` names every statement.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from graph.errors import UsageError
from graph.messages import Message
from loaders.findings import REFUSED
from loaders.tables import ROW_NUMBER_COLUMN, RawTable

SCHOOL_PROPERTIES = ("P184", "P185")
ATTRIBUTE_KINDS = ("award", "employer", "school", "occupation")
_COLUMN_BY_VARIABLE = {
    "mentor": "mentor_qid",
    "apprentice": "apprentice_qid",
    "property": "wikidata_property",
    "person": "person_qid",
    "value": "value_qid",
}
_STATEMENT_COLUMNS = {"mentor_qid", "apprentice_qid"}
_ATTRIBUTE_COLUMNS = {"person_qid", "kind", "value_qid"}


def get(paths: Sequence[Path], source: str | None = None) -> Iterator[RawTable]:
    """The raw exchange tables that the statements come to.

    Source is `source`, else "wikidata". Raises UsageError for a file that has neither form.
    """
    statements, attributes = [], []
    for path in _list_result_files(paths):
        rows = _read_result_file(path)
        if set(rows.columns) >= _STATEMENT_COLUMNS:
            statements.append((path.name, rows))
        elif set(rows.columns) >= _ATTRIBUTE_COLUMNS:
            attributes.append((path.name, rows))
        else:
            raise UsageError(
                "{file} holds neither mentor statements (mentor, apprentice, property) nor "
                "attributes (person, kind, value); it has {columns}",
                file=path.name,
                columns=tuple(rows.columns[:6]),
            )
    yield from _build_wikidata_tables(statements, attributes, source or "wikidata")


def _list_result_files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(p for p in path.iterdir() if p.suffix in (".csv", ".json"))
        elif path.is_file():
            files.append(path)
        else:
            raise UsageError(
                "{path} is not there; name a folder or a .csv or .json result", path=path
            )
    if not files:
        raise UsageError("there is no .csv or .json file to read; name a folder that holds some")
    return files


def _read_result_file(path: Path) -> pl.DataFrame:
    try:
        rows = (
            _read_sparql_json(path)
            if path.suffix == ".json"
            else pl.read_csv(path, infer_schema=False)
        )
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            "{file} can't be read; it must be a table of statements or a SPARQL result, as "
            "JSON or CSV",
            file=path.name,
        ) from error
    rows = rows.rename(
        {old: new for old, new in _COLUMN_BY_VARIABLE.items() if old in rows.columns}
    )
    entity = r"^https?://www\.wikidata\.org/(?:entity|prop/direct|prop)/"
    return rows.with_columns(pl.all().str.replace(entity, "")).with_columns(
        pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias(ROW_NUMBER_COLUMN)
    )


def _read_sparql_json(path: Path) -> pl.DataFrame:
    """A SPARQL 1.1 JSON result as a table, a column a variable."""
    result: Mapping[str, Any] = json.loads(path.read_text("utf-8-sig"))
    columns = result["head"]["vars"]
    rows = [[b.get(c, {}).get("value") for c in columns] for b in result["results"]["bindings"]]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


ResultFiles = Sequence[tuple[str, pl.DataFrame]]


def _build_wikidata_tables(
    statements: ResultFiles, attributes: ResultFiles, source: str
) -> Iterator[RawTable]:
    """People and mentorships from the statements, the rest from the attributes."""
    labels = _collect_labels([rows for _, rows in (*statements, *attributes)])
    seen: set[str] = set()
    for file, rows in statements:
        yield _build_person_table(
            file, rows, ("mentor_qid", "apprentice_qid"), labels, seen, source
        )
    for file, rows in attributes:
        people = _build_person_table(file, rows, ("person_qid",), labels, seen, source)
        yield replace(people, refused=_refuse_unknown_kinds(file, rows))
    for file, rows in statements:
        yield RawTable("mentorships", file, source, _build_mentorship_rows(rows))
    for file, rows in attributes:
        yield from _build_affiliation_tables(file, rows, labels, source)


def _collect_labels(frames: Sequence[pl.DataFrame]) -> dict[str, str]:
    """Names by QID, where the query asked for them."""
    pairs = (
        ("mentor_qid", "mentorLabel"),
        ("apprentice_qid", "apprenticeLabel"),
        ("person_qid", "personLabel"),
        ("value_qid", "valueLabel"),
    )
    return {
        qid: label
        for rows in frames
        for column, name in pairs
        if {column, name} <= set(rows.columns)
        for qid, label in rows.select(column, name).drop_nulls().iter_rows()
    }


def _add_label_names(rows: pl.DataFrame, key: str, labels: Mapping[str, str]) -> pl.DataFrame:
    """The rows with `name`: the label, or the QID where there is none."""
    return rows.with_columns(
        name=pl.col(key).replace_strict(labels, default=pl.col(key), return_dtype=pl.String)
    )


def _build_person_table(
    file: str,
    rows: pl.DataFrame,
    columns: Sequence[str],
    labels: Mapping[str, str],
    seen: set[str],
    source: str,
) -> RawTable:
    """Each person not met before, with the row that names them first."""
    met = pl.concat([rows.select(pl.col(c).alias("person_id"), ROW_NUMBER_COLUMN) for c in columns])
    people = (
        met.drop_nulls()
        .group_by("person_id")
        .agg(pl.col(ROW_NUMBER_COLUMN).min())
        .sort(ROW_NUMBER_COLUMN, "person_id")
    )
    people = people.filter(~pl.col("person_id").is_in(list(seen)))
    seen.update(people["person_id"])
    return RawTable("people", file, source, _add_label_names(people, "person_id", labels))


def _build_mentorship_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """A row a statement; those of one pair say the same, so that they become one mentorship."""
    pair = ["mentor_qid", "apprentice_qid"]
    taught = pl.lit(None, dtype=pl.String)
    if "wikidata_property" in rows.columns:
        taught = pl.col("wikidata_property").is_in(SCHOOL_PROPERTIES).any().over(pair)
        taught = pl.when(taught).then(pl.lit("school"))
    dates = [c for c in ("start", "end") if c in rows.columns]
    return rows.select(
        pl.col("mentor_qid").alias("mentor_id"),
        pl.col("apprentice_qid").alias("apprentice_id"),
        *dates,
        taught.alias("kind"),
        ROW_NUMBER_COLUMN,
    )


def _build_affiliation_tables(
    file: str, rows: pl.DataFrame, labels: Mapping[str, str], source: str
) -> Iterator[RawTable]:
    """Schools, enterprises, occupations and honours, and who belongs to them."""
    named = _add_label_names(rows, "value_qid", labels)
    of = {kind: named.filter(pl.col("kind") == kind) for kind in ATTRIBUTE_KINDS}
    schools, employers = of["school"], of["employer"]
    # A university that employs is the same school, so whoever it employs teaches there.
    at_school = pl.col("value_qid").is_in(schools["value_qid"].unique().implode())
    for held, table, key, belongs, end in (
        (schools, "schools", "school_id", "trainings", "place_id"),
        (employers.filter(at_school), None, "", "teaching", "school_id"),
        (
            employers.filter(~at_school),
            "enterprises",
            "enterprise_id",
            "employments",
            "enterprise_id",
        ),
    ):
        if held.height and table:
            places = held.select(pl.col("value_qid").alias(key), "name", ROW_NUMBER_COLUMN)
            yield RawTable(table, file, source, _drop_repeated_rows(places, key))
        if held.height:
            yield RawTable(belongs, file, source, _select_person_rows(held, "value_qid", end))
    honours = of["award"]
    if honours.height:
        awards = _select_person_rows(honours, "name", "honour")
        yield RawTable("honours", file, source, awards, unstated=frozenset({"grade", "date"}))
    yield from _build_occupation_tables(file, of["occupation"], source)


def _build_occupation_tables(
    file: str, occupations: pl.DataFrame, source: str
) -> Iterator[RawTable]:
    if occupations.height:
        codes = occupations.select(pl.col("value_qid").alias("code"), "name", ROW_NUMBER_COLUMN)
        yield RawTable("occupations", file, source, _drop_repeated_rows(codes, "code"))
        yield RawTable(
            "practices",
            file,
            source,
            _select_person_rows(occupations, "value_qid", "occupation_code"),
        )


def _refuse_unknown_kinds(file: str, rows: pl.DataFrame) -> pl.DataFrame:
    """A refusal for each attribute of a kind that the schema has no place for."""
    taken = Message("{column} takes one of: {choices}", column="kind", choices=ATTRIBUTE_KINDS)
    rest = rows.filter(~pl.col("kind").is_in(ATTRIBUTE_KINDS) | pl.col("kind").is_null())
    return rest.select(
        pl.lit(file).alias("file"),
        pl.col(ROW_NUMBER_COLUMN).alias("row"),
        pl.lit("kind").alias("column"),
        pl.col("kind").fill_null("").alias("value"),
        pl.lit(str(taken)).alias("reason"),
        pl.lit(taken.said("zh")).alias("reason_zh"),
        pl.lit(REFUSED).alias("kind"),
    )


def _drop_repeated_rows(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    return rows.unique(key, keep="first", maintain_order=True)


def _select_person_rows(rows: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    return rows.select(
        pl.col("person_qid").alias("person_id"), pl.col(column).alias(name), ROW_NUMBER_COLUMN
    )
