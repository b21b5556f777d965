"""Which ids of a load are one person: exact rules, before the references are checked.

Departments number people each in their own way. Two ids are one person when both come with the
same citizen ID number (compared by its keyed digest), or when one is known in the graph as a
further id of the other. An id that is stated with two different ID numbers joins nobody: such a
person would join two others who are not the same. Of the ids of one person the first in order
stands, whichever file came first, so that the order of loads never decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES
from graph.model.schema_types import Relation
from graph.server.database import Database
from graph.store.merge import WRITE_BATCH_ROWS
from loaders.findings import REFUSED, REMARK, build_row_findings
from loaders.staging import StagedTable, list_person_columns
from loaders.tables import ROW_NUMBER_COLUMN

_IDS_SCHEMA = {"id": pl.String, "person_id": pl.String}
_STATED_SCHEMA = {"id": pl.String, "digest": pl.String}
_MERGED_REMARK = Message("this is the person {person}, by the same citizen ID number")
_CONTESTED_REMARK = Message(
    "this id comes with two different citizen ID numbers, so it is not joined with anybody; find "
    "out which one is right"
)
_OTHER_NUMBER_REASON = Message(
    "this id stands for the person {person}, who has another citizen ID number; find out which "
    "one is right"
)
_SAME_PERSON_REASON = Message("{start} and {end} are two ids of one person, {person}")


@dataclass(frozen=True)
class PersonIdentities:
    """What the exact rules found.

    Each is a table of id and person_id, the other id that stands for it. `renamed`: all that are
    to be put into the load's tables; `moved`: those of them that the graph does not know yet;
    `stored`: those of `moved` that the graph has as people of their own, to be merged there.
    """

    renamed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_IDS_SCHEMA))
    moved: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_IDS_SCHEMA))
    stored: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_IDS_SCHEMA))


def resolve_person_identities(
    database: Database, staged: Sequence[StagedTable], *, empty_store: bool
) -> PersonIdentities:
    """The ids of a load that are one person, among themselves and with those of the graph.

    Puts the ids that stand into every staged table, and adds a remark for each row that was so
    changed; rows that cannot be true any more are refused.
    """
    people = [table for table in staged if table.table == "people" and table.accepted]
    stated = _collect_stated_digests(people)
    known = pl.DataFrame(schema=_STATED_SCHEMA)
    aliases = pl.DataFrame(schema={**_IDS_SCHEMA, "digest": pl.String})
    if not empty_store:
        aliases = _fetch_aliases(database, staged)
        known = _fetch_people_with_digests(database, stated)
    if stated.is_empty() and aliases.is_empty():
        return PersonIdentities()
    disputed = _find_disputed_aliases(stated, aliases)
    stated = stated.join(disputed, on="id", how="anti")
    contested = _find_contested_ids(pl.concat([stated, known]))
    identities = _choose_standing_ids(stated, known, aliases, contested)
    if not empty_store:
        identities = replace(identities, stored=_find_stored_people(database, identities.moved))
    for table in people:
        _report_people(table, identities.renamed, contested, disputed)
    if identities.renamed.height:
        for table in staged:
            _rename_people(table, identities.renamed)
    return identities


def _collect_stated_digests(people: Sequence[StagedTable]) -> pl.DataFrame:
    """id, digest: each pair that the load's people state, once."""
    parts = [
        table.columns(["person_id", "id_number"])
        .rename({"person_id": "id", "id_number": "digest"})
        .drop_nulls()
        for table in people
    ]
    return pl.concat([pl.DataFrame(schema=_STATED_SCHEMA), *parts]).unique(maintain_order=True)


def _collect_person_ids(staged: Sequence[StagedTable]) -> pl.Series:
    """Every id of a person that the load names."""
    found = [pl.Series("id", [], dtype=pl.String)]
    for table in staged:
        names = list_person_columns(EXCHANGE_TABLES[table.table])
        if table.accepted and names:
            rows = table.columns(names)
            found += [rows[name].drop_nulls().unique().alias("id") for name in names]
    return pl.concat(found).unique()


def _fetch_aliases(database: Database, staged: Sequence[StagedTable]) -> pl.DataFrame:
    """id, person_id, digest: the ids of the load that the graph knows as further ids."""
    schema = {**_IDS_SCHEMA, "digest": pl.String}
    if not database.read("MATCH (a:PersonAlias) RETURN count(a) AS n")[0]["n"]:
        return pl.DataFrame(schema=schema)
    statement = (
        "UNWIND $ids AS id MATCH (:PersonAlias {alias_id: id})-[:IDENTIFIES]->(p:Person) "
        "RETURN id, p.person_id AS person_id, p.id_digest AS digest"
    )
    return _read_in_batches(database, statement, _collect_person_ids(staged), schema)


def _fetch_people_with_digests(database: Database, stated: pl.DataFrame) -> pl.DataFrame:
    """id, digest: the graph's people with one of these ID numbers, or one of these ids."""
    by_digest = (
        "UNWIND $ids AS digest MATCH (p:Person {id_digest: digest}) "
        "RETURN p.person_id AS id, digest"
    )
    by_id = (
        "UNWIND $ids AS id MATCH (p:Person {person_id: id}) WHERE p.id_digest IS NOT NULL "
        "RETURN id, p.id_digest AS digest"
    )
    found = [
        _read_in_batches(database, by_digest, stated["digest"].unique(), _STATED_SCHEMA),
        _read_in_batches(database, by_id, stated["id"].unique(), _STATED_SCHEMA),
    ]
    return pl.concat(found).unique(maintain_order=True)


def _read_in_batches(
    database: Database, statement: str, ids: pl.Series, schema: Mapping[str, type[pl.DataType]]
) -> pl.DataFrame:
    rows = [
        row
        for at in range(0, ids.len(), WRITE_BATCH_ROWS)
        for row in database.read(
            statement, {"ids": ids.slice(at, WRITE_BATCH_ROWS).to_list()}, seconds=600
        )
    ]
    return pl.DataFrame(rows, schema=schema)


def _find_disputed_aliases(stated: pl.DataFrame, aliases: pl.DataFrame) -> pl.DataFrame:
    """id, person_id: further ids that now come with another ID number than their person's."""
    both = stated.join(aliases, on="id", how="inner", suffix="_known")
    return both.filter(pl.col("digest") != pl.col("digest_known")).select("id", "person_id")


def _find_contested_ids(pairs: pl.DataFrame) -> pl.DataFrame:
    """id: those that come with two different ID numbers."""
    pairs = pairs.unique()
    return pairs.filter(pl.col("id").is_duplicated()).select("id").unique()


def _choose_standing_ids(
    stated: pl.DataFrame, known: pl.DataFrame, aliases: pl.DataFrame, contested: pl.DataFrame
) -> PersonIdentities:
    # A further id stands for its person wherever the person's ID number is compared.
    leading = aliases.select("id", "person_id")
    own = stated.join(leading, on="id", how="left").select(
        id=pl.coalesce("person_id", "id"), digest="digest"
    )
    pairs = pl.concat([own, known]).unique().join(contested, on="id", how="anti")
    standing = pairs.with_columns(person_id=pl.col("id").min().over("digest"))
    moved = standing.filter(pl.col("id") != pl.col("person_id")).select("id", "person_id")
    followed = leading.join(moved, left_on="person_id", right_on="id", how="left").select(
        "id", person_id=pl.coalesce("person_id_right", "person_id")
    )
    renamed = pl.concat([moved, followed]).unique(subset="id", keep="first", maintain_order=True)
    return PersonIdentities(renamed, moved)


def _find_stored_people(database: Database, moved: pl.DataFrame) -> pl.DataFrame:
    statement = "UNWIND $ids AS id MATCH (:Person {person_id: id}) RETURN id"
    there = _read_in_batches(database, statement, moved["id"], {"id": pl.String})
    return moved.join(there, on="id", how="semi", maintain_order="left")


def _report_people(
    table: StagedTable,
    renamed: pl.DataFrame,
    contested: pl.DataFrame,
    disputed: pl.DataFrame,
) -> None:
    """Findings on the rows of people: who is somebody else, who is in doubt."""
    rows = table.columns([ROW_NUMBER_COLUMN, "person_id"])
    for found, kind, reason in (
        (renamed, REMARK, _MERGED_REMARK),
        (disputed, REFUSED, _OTHER_NUMBER_REASON),
        (contested.with_columns(person_id="id"), REMARK, _CONTESTED_REMARK),
    ):
        marked = rows.join(found, left_on="person_id", right_on="id", how="inner", suffix="_now")
        if marked.height:
            _add_findings(table, marked, "person_id", reason, kind, "person_id_now")
    _refuse_rows(table, rows.join(disputed, left_on="person_id", right_on="id", how="semi"))


def _add_findings(
    table: StagedTable, rows: pl.DataFrame, column: str, reason: Message, kind: str, person: str
) -> None:
    found = build_row_findings(
        rows[ROW_NUMBER_COLUMN],
        table.file,
        column,
        rows[column],
        reason,
        kind,
        person=rows[person],
    )
    table.findings = pl.concat([table.findings, found])


def _refuse_rows(table: StagedTable, rows: pl.DataFrame) -> None:
    if rows.height:
        table.gone = pl.concat([table.gone, rows[ROW_NUMBER_COLUMN]])
        table.accepted -= rows.height


def _rename_people(table: StagedTable, renamed: pl.DataFrame) -> None:
    """Puts the ids that stand into a table; two ids of one person are no two ends of a row."""
    declared = EXCHANGE_TABLES[table.table]
    if not table.accepted or not list_person_columns(declared):
        return
    table.renamed = renamed
    if not isinstance(declared, Relation) or declared.start.kinds != declared.end.kinds:
        return
    start, end = declared.start.column, declared.end.column
    rows = table.columns([ROW_NUMBER_COLUMN, start, end])
    same = rows.filter(pl.col(start) == pl.col(end))
    if same.height:
        reason = _SAME_PERSON_REASON.with_values(start=start, end=end)
        _add_findings(table, same, end, reason, REFUSED, end)
        _refuse_rows(table, same)
