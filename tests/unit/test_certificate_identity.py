"""People known by a certificate number alone: one with whoever holds it, in any order of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders import certificate_holders
from loaders.certificate_holders import Holding, choose_certificate_pairs
from loaders.findings import build_empty_findings
from loaders.load_identities import resolve_person_identities
from loaders.mapping.identifiers import build_certificate_id, build_digest_id
from loaders.mapping.name_lists import list_written_names, normalize_name
from loaders.staging import StagedTable
from tests.examples import limit_examples

Record = tuple[str, str, str | None, str | None]  # id, name, ID number's digest, certificate
PERSON = "Person"


def digest(text: str) -> str:
    return text.encode().hex().ljust(64, "0")


@dataclass
class MemoryTable(StagedTable):
    """A staged table whose rows stand in memory."""

    data: pl.DataFrame = field(default_factory=pl.DataFrame)

    def columns(self, names: Sequence[str]) -> pl.DataFrame:
        return self._rename_ids(self._drop_gone(self.data)).select(names)


def stage(records: Iterable[Record]) -> list[MemoryTable]:
    rows = [(at, *one) for at, one in enumerate(records, 2)]
    schema = ["_row", "person_id", "name", "id_number", "certificate_no"]
    data = pl.DataFrame(
        rows, schema=dict.fromkeys(schema, pl.String) | {"_row": pl.Int64}, orient="row"
    )
    frames = {
        "people": data.drop("certificate_no"),
        "recognitions": data.select("_row", "person_id", "certificate_no").drop_nulls(),
    }
    return [
        MemoryTable(
            name,
            name,
            Path(),
            "s",
            ("s",),
            rows.height,
            rows.height,
            build_empty_findings(),
            data=rows,
        )
        for name, rows in frames.items()
    ]


@dataclass
class MemoryStore:
    """A graph that answers what the identity rules ask, and takes what they found."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: dict[str, tuple[str, str]] = field(default_factory=dict)

    def load(self, records: Iterable[Record]) -> None:
        tables, empty = stage(records), not self.people
        found = resolve_person_identities(self, tables, (), digest, empty_store=empty)  # type: ignore[arg-type]
        for id, merge in found.list_merges().items():
            gone = self.people.pop(id)
            there = self.people.setdefault(
                merge.standing_id, {"names": [], "digests": [], "numbers": set()}
            )
            there["names"] += gone["names"]
            there["digests"] += gone["digests"]
            there["numbers"] |= gone["numbers"]
            moved = {
                old: (merge.standing_id, basis)
                for old, (to, basis) in self.aliases.items()
                if to == id
            }
            self.aliases |= {id: (merge.standing_id, merge.basis), **moved}
        renamed = {id: (to, basis) for id, to, basis, _ in found.renamed.iter_rows()}
        self.aliases |= {
            id: found for id, found in renamed.items() if id in set(tables[0].data["person_id"])
        }
        people, numbers = (table._rename_ids(table.data) for table in tables)
        for id, name, number in people.select("person_id", "name", "id_number").iter_rows():
            known = self.people.setdefault(id, {"names": [], "digests": [], "numbers": set()})
            known["names"].append(name)
            known["digests"] += [number] if number else []
        for id, number in numbers.select("person_id", "certificate_no").iter_rows():
            self.people[id]["numbers"].add(number)

    def read(
        self, statement: str, given: Mapping[str, Any] | None = None, seconds: float = 0
    ) -> list[dict[str, Any]]:
        ids = (given or {}).get("ids", ())
        if statement.startswith("MATCH (a:PersonAlias) RETURN count"):
            return [{"n": len(self.aliases)}]
        if statement == certificate_holders._IS_ANY_STORED:
            return [{"found": True}] * any(
                id.startswith("cert-") for id in [*self.people, *self.aliases]
            )
        if statement == certificate_holders._STORED_HOLDERS:
            return [
                {"id": id, "name": known["names"][0], "number": number}
                for id, known in self.people.items()
                if known["names"][0] in ids
                for number in known["numbers"]
            ]
        if "{id_digest: digest}" in statement:
            known = ((id, one["digests"]) for id, one in self.people.items() if one["digests"])
            return [{"id": id, "digest": of[0]} for id, of in known if of[0] in ids]
        return [row for id in ids if (row := self._find(statement, id)) is not None]

    def _find(self, statement: str, id: str) -> dict[str, Any] | None:
        """What is known of one id, as the statement asks."""
        to, basis = self.aliases.get(id, (id, ""))
        known = self.people.get(to)
        if known is None:
            return None
        number = known["digests"][0] if known["digests"] else None
        row = {"id": id, "standing_id": to, "name": known["names"][0], "basis": basis}
        if "IDENTIFIES" in statement and "AS basis" in statement:
            return {**row, "probability": None, "digest": number} if basis else None
        if statement == certificate_holders._STORED_NAMES:
            return row
        if "p.id_digest IS NOT NULL" in statement:
            return {"id": id, "digest": number} if id == to and number else None
        return {"id": id} if id == to else None

    def list_clusters(self) -> set[frozenset[str]]:
        """The ids of each person."""
        found: dict[str, set[str]] = {id: {id} for id in self.people}
        for id, (to, _) in self.aliases.items():
            found[to].add(id)
        return {frozenset(ids) for ids in found.values()}


def build_record(said: tuple[int, int, int, int]) -> Record:
    """What a list says of a person: by ID number, by certificate, or by its own number."""
    person, way, certificate, department = said
    name = ("赵甲", "赵　甲", "钱乙")[person] if department else ("赵甲", "赵 甲", "钱乙")[person]
    number = f"d{person}"
    text = f"C{person}{certificate}"
    written = f" c{text[1:]}" if department else text
    if way == 0:
        return build_digest_id("id", number, digest), name, number, written
    if way == 1:
        return build_digest_id("id", number, digest), name, number, None
    if way == 2:
        return build_certificate_id(text, digest), name, None, written
    return f"{'RS'[department]}{person}", name, number if certificate else None, written


# Three people, two with one name: how a list knows one, by which certificate.
SAID = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 1), st.integers(0, 1))
FILES = st.lists(st.lists(SAID.map(build_record), min_size=1, max_size=3), min_size=1, max_size=5)


@given(FILES, st.randoms(use_true_random=False))
@settings(max_examples=limit_examples(120), deadline=None)
def test_any_order_of_files_gives_the_same_people(files: list[list[Record]], random: Any) -> None:
    one, other, together = MemoryStore(), MemoryStore(), MemoryStore()
    for records in files:
        one.load(records)
    for records in random.sample(files, len(files)):
        other.load(records)
    together.load([record for records in files for record in records])
    assert one.list_clusters() == other.list_clusters() == together.list_clusters()


@given(FILES, st.integers(0, 2))
@settings(max_examples=limit_examples(60), deadline=None)
def test_two_id_numbers_are_never_joined_by_a_certificate(
    files: list[list[Record]], wrong: int
) -> None:
    """Where lists give one certificate to people of two ID numbers and one name."""
    store = MemoryStore()
    for records in files:
        store.load([(id, "赵甲", number, text and f"C{wrong}") for id, _, number, text in records])
        assert all(len(set(known["digests"])) < 2 for known in store.people.values())


def test_a_number_that_comes_with_two_names_is_nobodys() -> None:
    holdings = [Holding("d1:1", "张三", "cert-x"), Holding("d2:7", "李四", "cert-x")]
    assert choose_certificate_pairs([("cert-x", "张三")], holdings) == [("cert-x", "d1:1")]
    both = [("cert-x", "张三"), ("cert-x", "李四")]
    assert choose_certificate_pairs(both, holdings) == []


def test_who_was_known_by_a_certificate_first_is_one_person() -> None:
    by_certificate = (build_certificate_id("C1", digest), "赵甲", None, "c1")
    by_number = (build_digest_id("id", "d1", digest), "赵 甲", "d1", "C1")
    of_another_name = (build_digest_id("id", "d2", digest), "钱乙", "d2", "C1")
    store = MemoryStore()
    for record in (by_certificate, by_number, of_another_name):
        store.load([record])
    assert {len(ids) for ids in store.list_clusters()} == {1, 2}
    assert store.aliases == {by_number[0]: (by_certificate[0], "certificate")}


@given(st.text("赵钱孙李·. aé", max_size=6).map(normalize_name))
def test_each_way_of_writing_a_name_is_that_name(name: str) -> None:
    written = list_written_names(name)
    assert written[0] == name
    assert {normalize_name(one) for one in written} == {name}
