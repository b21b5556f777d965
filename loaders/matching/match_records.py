"""The people of a snapshot as records that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from graph.snapshot.reader import SOURCE_SEPARATOR
from loaders.matching.person_names import fold_names, romanize_names

if TYPE_CHECKING:
    from graph.server.database import Database
    from graph.snapshot.frames import Snapshot

# A record's columns. `record` is the person's row number in the snapshot; `employer` the present
# one's name as it is compared, `employers` all that are known; `departments` who states the person.
RECORD_SCHEMA: Final[Mapping[str, Any]] = {
    "record": pl.Int64,
    "person_id": pl.String,
    "name": pl.String,
    "pinyin": pl.String,
    "birth": pl.String,
    "birth_year": pl.Int32,
    "sex": pl.String,
    "employer": pl.String,
    "employers": pl.List(pl.String),
    "occupation": pl.String,
    "province": pl.String,
    "digest": pl.String,
    "certificates": pl.List(pl.String),
    "departments": pl.List(pl.String),
}
# Between a department and the list of it that states a record.
LIST_SEPARATOR: Final = "/"
READ_PEOPLE: Final = 20_000
# Words that say what a company is in law, and no part of its name.
_COMPANY_WORDS: Final = r"(股份|有限|责任|集团|控股|总公司|公司|分公司)"
_NO_LETTER: Final = r"[^\p{L}\p{N}]"


def build_match_records(database: Database, snapshot: Snapshot) -> pl.DataFrame:
    """A record a person, by `RECORD_SCHEMA`, in the order of the ids.

    The people come from the snapshot; what no snapshot holds (ID digests, sources, certificate
    numbers) from the store, in lists of 20,000 people.
    """
    columns = ["person", "person_id", "name", "sex", "birth_date", "province"]
    people = snapshot.frames["people"]
    has = people.collect_schema().names()
    precise = pl.col("birth_date_precision") if "birth_date_precision" in has else pl.lit(None)
    found = people.select(*columns, "occupation_code", "enterprise_id", precision=precise).collect()
    ids = found["person_id"]
    found = found.join(_collect_employers(snapshot), on="person", how="left")
    found = found.join(_fetch_provenance(database, ids), on="person_id", how="left")
    found = found.join(_fetch_certificates(database, ids), on="person_id", how="left")
    return complete_records(found)


def complete_records(people: pl.DataFrame) -> pl.DataFrame:
    """The records of people with these columns: person, person_id, name, sex, birth_date,
    precision (null: to the day), province, occupation_code, employer, employers, sources, digest,
    certificates.
    """
    full_date = pl.col("precision").is_null() | (pl.col("precision") == "day")
    departments = pl.col("sources").list.eval(
        pl.element().str.split(LIST_SEPARATOR).list.first().unique().sort()
    )
    name = fold_names(people["name"])
    made = people.with_columns(
        name,
        romanize_names(name).alias("pinyin"),
        pl.col("person").cast(pl.Int64).alias("record"),
        pl.when(full_date).then(pl.col("birth_date").dt.to_string("%Y-%m-%d")).alias("birth"),
        pl.col("birth_date").dt.year().alias("birth_year"),
        pl.col("occupation_code").alias("occupation"),
        departments.alias("departments"),
    )
    cells = [pl.col(name).cast(kind) for name, kind in RECORD_SCHEMA.items()]
    return made.select(cells).sort("person_id")


def normalize_employer_names(names: pl.Series) -> pl.Series:
    """Names of enterprises as they are compared: without blanks, brackets and legal words."""
    plain = names.str.normalize("NFKC").str.replace_all(_NO_LETTER, "")
    short = plain.str.replace_all(_COMPANY_WORDS, "").str.to_uppercase()
    return pl.select(pl.when(short != "").then(short).otherwise(plain)).to_series()


def _collect_employers(snapshot: Snapshot) -> pl.DataFrame:
    """person, employer, employers."""
    frames = snapshot.frames
    companies = frames["enterprises"].select("enterprise_id", "name").collect()
    companies = companies.with_columns(normalize_employer_names(companies["name"]).alias("name"))
    now = frames["people"].select("person", "enterprise_id").drop_nulls()
    past = frames["employments"].select("person", "enterprise_id").drop_nulls()
    names = companies.lazy().rename({"name": "employer"})
    present = now.join(names, on="enterprise_id")
    every = pl.concat([present, past.join(names, on="enterprise_id")])
    known = every.group_by("person").agg(pl.col("employer").unique().sort().alias("employers"))
    return known.join(present.select("person", "employer"), on="person", how="left").collect()


def _fetch_provenance(database: Database, ids: pl.Series) -> pl.DataFrame:
    """person_id, digest, sources."""
    statement = (
        "UNWIND $ids AS id MATCH (p:Person {person_id: id}) RETURN collect(id) AS person_id, "
        "collect(coalesce(p.id_digest, '')) AS digest, "
        "collect(reduce(all = '', s IN p.sources | all + $apart + s)) AS sources"
    )
    found = _read_lists(database, statement, ids, ("person_id", "digest", "sources"))
    sources = pl.col("sources").str.strip_prefix(SOURCE_SEPARATOR).str.split(SOURCE_SEPARATOR)
    return found.with_columns(pl.col("digest").replace("", None), sources)


def _fetch_certificates(database: Database, ids: pl.Series) -> pl.DataFrame:
    """person_id, certificates."""
    statement = (
        "UNWIND $ids AS id MATCH (:Person {person_id: id})-[r:RECOGNISED]->() "
        "WHERE r.certificate_no IS NOT NULL "
        "RETURN collect(id) AS person_id, collect(r.certificate_no) AS certificates"
    )
    found = _read_lists(database, statement, ids, ("person_id", "certificates"))
    return found.group_by("person_id").agg(pl.col("certificates").unique().sort())


def _read_lists(
    database: Database, statement: str, ids: pl.Series, names: tuple[str, ...]
) -> pl.DataFrame:
    """What the statement answers of all ids: a list a column, 20,000 people at a time."""
    schema = dict.fromkeys(names, pl.String)
    found = [pl.DataFrame(schema=schema)]
    for at in range(0, ids.len(), READ_PEOPLE):
        given = {"ids": ids.slice(at, READ_PEOPLE).to_list(), "apart": SOURCE_SEPARATOR}
        (row,) = database.read(statement, given, seconds=600)
        found.append(pl.DataFrame({name: row[name] for name in names}, schema=schema))
    return pl.concat(found)
