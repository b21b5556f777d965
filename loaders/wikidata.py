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
from loaders.tables import REFUSED, ROW, RawTable

SCHOOLING = ("P184", "P185")
KINDS = ("award", "employer", "school", "occupation")
_SPARQL = {
    "mentor": "mentor_qid",
    "apprentice": "apprentice_qid",
    "property": "wikidata_property",
    "person": "person_qid",
    "value": "value_qid",
}
_MENTORS = {"mentor_qid", "apprentice_qid"}
_ATTRIBUTES = {"person_qid", "kind", "value_qid"}


def get(paths: Sequence[Path], source: str | None = None) -> Iterator[RawTable]:
    """The raw exchange tables that the statements come to.

    Source is `source`, else "wikidata". Raises UsageError for a file that has neither form.
    """
    statements, attributes = [], []
    for path in _files(paths):
        rows = _read(path)
        if set(rows.columns) >= _MENTORS:
            statements.append((path.name, rows))
        elif set(rows.columns) >= _ATTRIBUTES:
            attributes.append((path.name, rows))
        else:
            raise UsageError(
                f"{path.name} holds neither mentor statements (mentor, apprentice, property) nor "
                f"attributes (person, kind, value); it has {', '.join(rows.columns[:6])}"
            )
    yield from _tables(statements, attributes, source or "wikidata")


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(p for p in path.iterdir() if p.suffix in (".csv", ".json"))
        elif path.is_file():
            files.append(path)
        else:
            raise UsageError(f"{path} is not there; name a folder or a .csv or .json result")
    if not files:
        raise UsageError("there is no .csv or .json file to read; name a folder that holds some")
    return files


def _read(path: Path) -> pl.DataFrame:
    try:
        rows = _bindings(path) if path.suffix == ".json" else pl.read_csv(path, infer_schema=False)
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"{path.name} can't be read; it must be a table of statements or a SPARQL result, "
            "as JSON or CSV"
        ) from error
    rows = rows.rename({old: new for old, new in _SPARQL.items() if old in rows.columns})
    entity = r"^https?://www\.wikidata\.org/(?:entity|prop/direct|prop)/"
    return rows.with_columns(pl.all().str.replace(entity, "")).with_columns(
        pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias(ROW)
    )


def _bindings(path: Path) -> pl.DataFrame:
    """A SPARQL 1.1 JSON result as a table, a column a variable."""
    result: Mapping[str, Any] = json.loads(path.read_text("utf-8-sig"))
    columns = result["head"]["vars"]
    rows = [[b.get(c, {}).get("value") for c in columns] for b in result["results"]["bindings"]]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


Files = Sequence[tuple[str, pl.DataFrame]]


def _tables(statements: Files, attributes: Files, source: str) -> Iterator[RawTable]:
    """People and mentorships from the statements, the rest from the attributes."""
    labels = _labels([rows for _, rows in (*statements, *attributes)])
    seen: set[str] = set()
    for file, rows in statements:
        yield _people(file, rows, ("mentor_qid", "apprentice_qid"), labels, seen, source)
    for file, rows in attributes:
        people = _people(file, rows, ("person_qid",), labels, seen, source)
        yield replace(people, refused=_without_a_place(file, rows))
    for file, rows in statements:
        yield RawTable("mentorships", file, source, _mentorships(rows))
    for file, rows in attributes:
        yield from _places(file, rows, labels, source)


def _labels(frames: Sequence[pl.DataFrame]) -> dict[str, str]:
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


def _named(rows: pl.DataFrame, key: str, labels: Mapping[str, str]) -> pl.DataFrame:
    """The rows with `name`: the label, or the QID where there is none."""
    return rows.with_columns(
        name=pl.col(key).replace_strict(labels, default=pl.col(key), return_dtype=pl.String)
    )


def _people(
    file: str,
    rows: pl.DataFrame,
    columns: Sequence[str],
    labels: Mapping[str, str],
    seen: set[str],
    source: str,
) -> RawTable:
    """Each person not met before, with the row that names them first."""
    met = pl.concat([rows.select(pl.col(c).alias("person_id"), ROW) for c in columns])
    people = met.drop_nulls().group_by("person_id").agg(pl.col(ROW).min()).sort(ROW, "person_id")
    people = people.filter(~pl.col("person_id").is_in(list(seen)))
    seen.update(people["person_id"])
    return RawTable("people", file, source, _named(people, "person_id", labels))


def _mentorships(rows: pl.DataFrame) -> pl.DataFrame:
    """A row a statement; those of one pair say the same, so that they become one mentorship."""
    pair = ["mentor_qid", "apprentice_qid"]
    taught = pl.lit(None, dtype=pl.String)
    if "wikidata_property" in rows.columns:
        taught = pl.col("wikidata_property").is_in(SCHOOLING).any().over(pair)
        taught = pl.when(taught).then(pl.lit("school"))
    dates = [c for c in ("start", "end") if c in rows.columns]
    return rows.select(
        pl.col("mentor_qid").alias("mentor_id"),
        pl.col("apprentice_qid").alias("apprentice_id"),
        *dates,
        taught.alias("kind"),
        ROW,
    )


def _places(
    file: str, rows: pl.DataFrame, labels: Mapping[str, str], source: str
) -> Iterator[RawTable]:
    """Schools, enterprises, occupations and honours, and who belongs to them."""
    named = _named(rows, "value_qid", labels)
    of = {kind: named.filter(pl.col("kind") == kind) for kind in KINDS}
    schools, employers = of["school"], of["employer"]
    # A university that employs is the same school, so whoever it employs teaches there.
    at_school = pl.col("value_qid").is_in(schools["value_qid"].unique().implode())
    for held, table, key, belongs, end in (
        (schools, "schools", "school_id", "trainings", "place_id"),
        (employers.filter(at_school), None, "", "teaching", "school_id"),
        (employers.filter(~at_school), "enterprises", "enterprise_id", "employments",
         "enterprise_id"),
    ):  # fmt: skip
        if held.height and table:
            places = held.select(pl.col("value_qid").alias(key), "name", ROW)
            yield RawTable(table, file, source, _first(places, key))
        if held.height:
            yield RawTable(belongs, file, source, _who(held, "value_qid", end))
    honours = of["award"]
    if honours.height:
        awards = _who(honours, "name", "honour")
        yield RawTable("honours", file, source, awards, unstated=frozenset({"grade", "date"}))
    yield from _occupations(file, of["occupation"], source)


def _occupations(file: str, occupations: pl.DataFrame, source: str) -> Iterator[RawTable]:
    if occupations.height:
        codes = occupations.select(pl.col("value_qid").alias("code"), "name", ROW)
        yield RawTable("occupations", file, source, _first(codes, "code"))
        yield RawTable("practices", file, source, _who(occupations, "value_qid", "occupation_code"))


def _without_a_place(file: str, rows: pl.DataFrame) -> pl.DataFrame:
    """A refusal for each attribute of a kind that the schema has no place for."""
    rest = rows.filter(~pl.col("kind").is_in(KINDS) | pl.col("kind").is_null())
    return rest.select(
        pl.lit(file).alias("file"),
        pl.col(ROW).alias("row"),
        pl.lit("kind").alias("column"),
        pl.col("kind").fill_null("").alias("value"),
        pl.lit("takes one of: " + ", ".join(KINDS)).alias("reason"),
        pl.lit(REFUSED).alias("kind"),
    )


def _first(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    return rows.unique(key, keep="first", maintain_order=True)


def _who(rows: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    return rows.select(pl.col("person_qid").alias("person_id"), pl.col(column).alias(name), ROW)
