"""Who holds the certificates of people known by a certificate number alone.

The id of such a person is a digest of the number (`loaders.mapping.identifiers`), so whoever is
recognised with that number, under the same name, is the same person: in the load and in the graph,
whichever came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from graph.server.database import Database
from graph.store.merge import WRITE_BATCH_ROWS
from loaders.columns import Digest
from loaders.mapping.identifiers import CERTIFICATE_ID_PREFIX, build_certificate_id
from loaders.mapping.name_lists import list_written_forms, normalize_name
from loaders.matching.judgements import IdPair
from loaders.staging import StagedTable

_IS_ANY_STORED: Final = (
    f"MATCH (p:Person) WHERE p.person_id STARTS WITH '{CERTIFICATE_ID_PREFIX}' "
    "WITH p LIMIT 1 RETURN true AS found UNION "
    f"MATCH (a:PersonAlias) WHERE a.alias_id STARTS WITH '{CERTIFICATE_ID_PREFIX}' "
    "WITH a LIMIT 1 RETURN true AS found"
)
_STORED_NAMES: Final = (
    "UNWIND $ids AS id OPTIONAL MATCH (p:Person {person_id: id}) "
    "OPTIONAL MATCH (:PersonAlias {alias_id: id})-[:IDENTIFIES]->(q:Person) "
    "WITH id, coalesce(p, q) AS found WHERE found IS NOT NULL "
    "RETURN id, found.person_id AS standing_id, found.name AS name"
)
_STORED_HOLDERS: Final = (
    "UNWIND $ids AS name MATCH (p:Person {name: name})-[r:RECOGNISED]->() "
    "WHERE r.certificate_no IS NOT NULL "
    "RETURN DISTINCT p.person_id AS id, name, r.certificate_no AS number"
)


@dataclass(frozen=True)
class Holding:
    """One who holds a certificate: the id, the name, and the id that its number alone gives."""

    id: str
    name: str
    certificate_id: str


def choose_certificate_pairs(named: Iterable[IdPair], holdings: Iterable[Holding]) -> list[IdPair]:
    """Pairs of an id made of a certificate number and the id of who holds it, in order.

    `named`: such ids with the names that they come with. Only a holder of the same name is paired;
    an id that comes with two names says of nobody who it is.
    """
    names: dict[str, set[str]] = {}
    for id, name in named:
        names.setdefault(id, set()).add(normalize_name(name))
    found = {
        (one.certificate_id, one.id)
        for one in holdings
        if one.certificate_id != one.id
        and names.get(one.certificate_id) == {normalize_name(one.name)}
    }
    return sorted(found)


def find_certificate_pairs(
    database: Database, staged: Sequence[StagedTable], digest: Digest, *, empty_store: bool
) -> list[IdPair]:
    """As `choose_certificate_pairs`, of all that this load touches."""
    named = list(_read_names(staged, pl.col("person_id").str.starts_with(CERTIFICATE_ID_PREFIX)))
    stored = not empty_store and bool(database.read(_IS_ANY_STORED))
    if not named and not stored:
        return []
    numbers = _read_stated_numbers(staged)
    texts = numbers["certificate_no"].unique()
    made = {text: build_certificate_id(text, digest) for text in texts}
    holdings: list[Holding] = []
    if not empty_store:
        wanted = sorted({id for id, _ in named} | set(made.values()))
        named += [(row["id"], row["name"]) for row in _read(database, _STORED_NAMES, wanted)]
        written = list_written_forms({name for _, name in named})
        holdings += [
            Holding(row["id"], row["name"], build_certificate_id(row["number"], digest))
            for row in _read(database, _STORED_HOLDERS, written)
        ]
    known = {id for id, _ in named}
    numbers = numbers.filter(pl.col("certificate_no").replace_strict(made).is_in(list(known)))
    names_by_id = _collect_holder_names(database, staged, numbers, empty_store=empty_store)
    holdings += [
        Holding(id, name, made[text])
        for id, text in numbers.iter_rows()
        for name in names_by_id.get(id, ())
    ]
    return choose_certificate_pairs(named, holdings)


def _read_names(staged: Sequence[StagedTable], which: pl.Expr) -> Iterator[IdPair]:
    """Id and name of some of the load's people."""
    for table in staged:
        if table.table == "people" and table.accepted:
            rows = table.columns(["person_id", "name"]).filter(which).drop_nulls()
            yield from rows.unique().iter_rows()


def _read_stated_numbers(staged: Sequence[StagedTable]) -> pl.DataFrame:
    """person_id, certificate_no: each pair that the load's recognitions state, once."""
    parts = [
        table.columns(["person_id", "certificate_no"]).drop_nulls()
        for table in staged
        if table.table == "recognitions" and table.accepted
    ]
    schema = {"person_id": pl.String, "certificate_no": pl.String}
    return pl.concat([pl.DataFrame(schema=schema), *parts]).unique()


def _collect_holder_names(
    database: Database,
    staged: Sequence[StagedTable],
    numbers: pl.DataFrame,
    *,
    empty_store: bool,
) -> dict[str, set[str]]:
    """The names of holders by id: as the load states them, or else as the graph has them."""
    ids = numbers["person_id"].unique()
    names: dict[str, set[str]] = {}
    for id, name in _read_names(staged, pl.col("person_id").is_in(ids.implode())):
        names.setdefault(id, set()).add(name)
    left = sorted(set(ids) - set(names))
    for row in () if empty_store else _read(database, _STORED_NAMES, left):
        names.setdefault(row["id"], set()).add(row["name"])
    return names


def _read(database: Database, statement: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    for at in range(0, len(ids), WRITE_BATCH_ROWS):
        part = {"ids": ids[at : at + WRITE_BATCH_ROWS]}
        yield from database.read(statement, part, seconds=600)
