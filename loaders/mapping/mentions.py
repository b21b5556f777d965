"""The people that the rows of a list name, one row each: who, by which key, or why nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from graph.messages import Message
from loaders.findings import REFUSED, REMARK, Finding
from loaders.mapping.identifiers import (
    MASKED_ID_NUMBER_REMARK,
    Digest,
    IdentifiedPerson,
    PeopleRoster,
    PersonMention,
    flag_repeated_names,
    has_id_number_shape,
    identify_person,
    is_masked_id_number,
)
from loaders.mapping.name_lists import (
    is_unclear_name_list,
    normalize_name,
    split_items,
    split_names,
)
from loaders.tables import ROW_NUMBER_COLUMN

PERSON_ATTRIBUTES: Final = (
    "name",
    "id_number",
    "own_number",
    "certificate_no",
    "sex",
    "birth_date",
    "employer",
)
_MENTION_SCHEMA: Final = {
    ROW_NUMBER_COLUMN: pl.Int64(),
    "person_id": pl.String(),
    **dict.fromkeys(PERSON_ATTRIBUTES, pl.String()),
}
_ROLE_COLUMN_PATTERN: Final = re.compile(r"((?:person|lead|mentor|apprentice)\d?)\.([a-z_]+)")
# Roles whose cells may hold several people.
_LIST_ROLES: Final = ("mentor", "apprentice", "lead")
_PAIR_COLUMN_PATTERN: Final = re.compile(
    r"(?:mentor|apprentice)\d?\.(?:name|names|own_number|id_number)"
)
_UNCLEAR_NAMES_REASON: Final = Message(
    "a comma stands between these words: they may be one name or several; part names with a "
    "semicolon"
)
_NUMBER_FOR_NAME_REMARK: Final = Message(
    "no list of this load names this person; the number stands for the name"
)
_SEVERAL_REASON: Final = Message(
    "{n} people of this department have this name; add the ID number or the person's own number"
)
_REPEATED_REASON: Final = Message(
    "this name stands in several rows, and nothing tells whether it is one person; add the ID "
    "number or the person's own number"
)
_NOBODY_REASON: Final = Message(
    "nothing but a name says who this is, and nobody of this department is known by it; add the ID "
    "number, or load the list of its people too"
)


def list_roles(columns: Sequence[str]) -> list[str]:
    """The roles of people among fields: person, mentor, mentor2, apprentice1 ..."""
    found = [m[1] for c in columns if (m := _ROLE_COLUMN_PATTERN.fullmatch(c))]
    return [
        role
        for role in dict.fromkeys(found)
        if {f"{role}.name", f"{role}.names", f"{role}.own_number", f"{role}.id_number"}
        & set(columns)
    ]


def find_base_role(role: str) -> str:
    """`apprentice` of apprentice2."""
    return role.rstrip("0123456789")


class MentionReader:
    """Reads the people of a sheet's rows. `rows`: `_row` and fields as text."""

    def __init__(
        self,
        rows: pl.DataFrame,
        file: str,
        department: str,
        digest: Digest,
        roster: PeopleRoster,
        by_name: bool,
        by_number: bool = False,
    ) -> None:
        self.rows, self.file, self.department = rows, file, department
        self.digest, self.roster = digest, roster
        self.by_name, self.by_number = by_name, by_number
        self._numbered: set[str] = set()
        self.findings: list[Finding] = []

    def read_role(self, role: str) -> pl.DataFrame:
        """`_row`, `person_id` (null: nobody that can be known) and PERSON_ATTRIBUTES.

        A row has as many rows here as it names people in this role.
        """
        said = [
            (row, mention, more)
            for row, cells in self._iterate_cells(role)
            for mention, more in self._split_people(role, cells)
        ]
        found = [
            identify_person(
                mention,
                self.department,
                self.digest,
                self.roster,
                by_name=self.by_name,
                is_reference=role != "person",
            )
            for _, mention, _ in said
        ]
        unclear: set[int] = set()
        if role == "person":
            unclear = flag_repeated_names([(row, mention) for row, mention, _ in said], found)
            unclear -= self._list_distinct_pairs(unclear, [row for row, *_ in said], found)
        frame = [
            self._build_row(role, row, mention, more, one, row in unclear)
            for (row, mention, more), one in zip(said, found, strict=True)
        ]
        return pl.DataFrame(frame, schema=_MENTION_SCHEMA, orient="row")

    def _list_distinct_pairs(
        self, unclear: set[int], rows: Sequence[int], found: Sequence[IdentifiedPerson]
    ) -> set[int]:
        """Those of the rows that name another master or apprentice than the person's other rows.

        A person of two masters has two rows; they state two pairs of one person.
        """
        columns = [c for c in self.rows.columns if _PAIR_COLUMN_PATTERN.fullmatch(c)]
        if not unclear or not columns:
            return set()
        beside = {
            row: names for row, *names in self.rows.select(ROW_NUMBER_COLUMN, *columns).rows()
        }
        pairs: dict[tuple[object, ...], list[int]] = {}
        for row, person in zip(rows, found, strict=True):
            if row in unclear:
                pairs.setdefault((person.person_id, *beside[row]), []).append(row)
        return {
            several[0] for pair, several in pairs.items() if len(several) == 1 and any(pair[1:])
        }

    def _iterate_cells(self, role: str) -> Iterator[tuple[int, dict[str, str | None]]]:
        columns = [c for c in self.rows.columns if c.startswith(f"{role}.")]
        names = [column.partition(".")[2] for column in columns]
        employer = [c for c in ("employer.name",) if c in self.rows.columns]
        certificate = [
            c
            for c in ("recognition.certificate_no",)
            if c in self.rows.columns and role == "person"
        ]
        more = ["employer"] * len(employer) + ["certificate_no"] * len(certificate)
        rows = self.rows.select(ROW_NUMBER_COLUMN, *columns, *employer, *certificate)
        for row, *cells in rows.iter_rows():
            said: dict[str, str | None] = {}
            for name, cell in zip([*names, *more], cells, strict=True):
                said[name] = said.get(name) or cell
            if any(said.get(name) for name in ("name", "names", "own_number", "id_number")):
                yield row, said

    def _split_people(
        self, role: str, cells: dict[str, str | None]
    ) -> Iterator[tuple[PersonMention, dict[str, str | None]]]:
        text, numbers = cells.get("names") or cells.get("name"), cells.get("own_number")
        if find_base_role(role) in _LIST_ROLES and text and is_unclear_name_list(text):
            text = None if numbers or cells.get("id_number") else text
            if text is not None:
                yield PersonMention(name=text), {}
                return
        is_list = "names" in cells or find_base_role(role) in _LIST_ROLES
        names: list[str | None] = [text and normalize_name(text)]
        if is_list and text:
            names = list(split_names(text))
        own = list(split_items(numbers)) if is_list and numbers else [numbers]
        if not text and len(own) > 1:
            names = [None] * len(own)
        alone = len(names) == 1
        for at, name in enumerate(names):
            number = own[at] if len(own) == len(names) else numbers if alone else None
            id_number = cells.get("id_number") if alone else None
            # A clerk who is asked for numbers of people may give their ID numbers.
            if number and has_id_number_shape(number):
                id_number, number = id_number or number, None
            yield (
                PersonMention(
                    name=name,
                    id_number=id_number,
                    certificate=cells.get("certificate_no") if alone else None,
                    own_number=number,
                    birth=cells.get("birth_date") if alone else None,
                    employer=cells.get("employer"),
                ),
                cells if alone else {},
            )

    def _build_row(
        self,
        role: str,
        row: int,
        said: PersonMention,
        more: dict[str, str | None],
        found: IdentifiedPerson,
        is_unclear: bool,
    ) -> tuple[object, ...]:
        person = found.person_id
        column = f"{role}.name"
        if is_unclear:
            person = None
            self._add(row, column, _REPEATED_REASON)
        elif self._is_unclear_list(role, said):
            person = None
            self._add(row, column, _UNCLEAR_NAMES_REASON)
        elif person is None and said.name:
            several = found.several > 1
            reason = _SEVERAL_REASON.with_values(n=found.several) if several else _NOBODY_REASON
            self._add(row, column, reason)
        id_number = said.id_number
        if id_number and is_masked_id_number(id_number):
            id_number = None
            self._add(row, f"{role}.id_number", MASKED_ID_NUMBER_REMARK, REMARK)
        return (
            row,
            person,
            said.name or self._call_by_number(role, row, said, person),
            id_number,
            said.own_number,
            said.certificate,
            more.get("sex"),
            said.birth,
            said.employer,
        )

    def _is_unclear_list(self, role: str, said: PersonMention) -> bool:
        is_list = find_base_role(role) in _LIST_ROLES and not said.own_number and not said.id_number
        return is_list and bool(said.name) and is_unclear_name_list(said.name or "")

    def _call_by_number(
        self, role: str, row: int, said: PersonMention, person: str | None
    ) -> str | None:
        """The number of a person no list of the load names, if that was agreed to."""
        if not self.by_number or person is None or person in self.roster.named_ids:
            return None
        if person not in self._numbered:
            self._numbered.add(person)
            self._add(row, f"{role}.own_number", _NUMBER_FOR_NAME_REMARK, REMARK)
        return said.own_number

    def _add(self, row: int, column: str, reason: Message, kind: str = REFUSED) -> None:
        self.findings.append((self.file, row, column, "***", reason, kind))
