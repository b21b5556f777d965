"""The people that the rows of a list name, one row each: who, by which key, or why nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from graph.identity import is_valid_id_number
from graph.messages import Message
from loaders.findings import REFUSED, REMARK, Finding
from loaders.mapping.identifiers import (
    MASKED_ID_NUMBER_REMARK,
    Digest,
    IdentifiedPerson,
    PeopleRoster,
    PersonMention,
    clean_id_number,
    extend_old_id_number,
    flag_repeated_names,
    has_id_number_shape,
    identify_person,
    is_masked_id_number,
)
from loaders.mapping.name_lists import (
    fold_name,
    is_unclear_name_list,
    names_several_people,
    normalize_name,
    split_items,
    split_names,
    strip_name_note,
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
_ID_NUMBER_CHARS: Final = 18
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
_SEVERAL_OF_NUMBER_REASON: Final = Message(
    "several people of this department have this number; add the name or the ID number"
)
_REPEATED_REASON: Final = Message(
    "this name stands in several rows, and nothing tells whether it is one person; add the ID "
    "number or the person's own number"
)
_NOBODY_REASON: Final = Message(
    "nothing but a name says who this is, and nobody of this department is known by it; add the ID "
    "number, or load the list of its people too"
)


_SEVERAL_NAMES_REASON: Final = Message(
    "this cell names several people, and the row states one of each thing; give each person a row"
)
_SEVERAL_NUMBERS_REASON: Final = Message(
    "the names of this row are not as many as their ID numbers; give each person a row"
)
_OTHER_NAME_REASON: Final = Message(
    "row {row} gives this number to somebody of another name; one of the two is wrong"
)
_OTHER_FORM_REMARK: Final = Message("row {row} writes this name otherwise; that form stands")
_WRONG_ID_NUMBER_REASON: Final = Message(
    "this ID number can't be right (18 characters, the last of which is the check of the others), "
    "and nothing else says who this is; mend it"
)
_NAME_NOTE_REMARK: Final = Message("what stands after the name ({note}) is left out")
_OTHER_BIRTH_REMARK: Final = Message("the date of birth is another one than in the ID number")
_OTHER_SEX_REMARK: Final = Message("the sex is another one than in the ID number")
_OLD_ID_NUMBER_REMARK: Final = Message(
    "an ID number of 15 digits; it is read as the 18 characters that took its place"
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


def _find_crowd_reason(role: str, cells: dict[str, str | None]) -> Message | None:
    """Why the cells of a role can't be parted into people; None where they can."""
    text, id_number = cells.get("names") or cells.get("name"), cells.get("id_number")
    if not text:
        return None
    if "names" not in cells and find_base_role(role) not in _LIST_ROLES:
        return _SEVERAL_NAMES_REASON if names_several_people(text) else None
    several, numbers = len(split_names(text)), len(split_items(id_number or ""))
    return _SEVERAL_NUMBERS_REASON if numbers and several > 1 and several != numbers else None


def _is_wrong_id_number(said: PersonMention) -> bool:
    """Whether the row has something for an ID number that is none, nor hidden, nor of abroad."""
    text = said.id_number or ""
    return bool(re.search(r"\d{6}", text)) and not is_masked_id_number(text)


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
        # Rows of the role that is read that can't name anybody, and why.
        self._crowded: dict[int, Message] = {}
        # The row and the form that first gave a name to a number's person, in any role.
        self._first_names: dict[str, tuple[int, str]] = {}
        self.findings: list[Finding] = []

    def read_role(self, role: str) -> pl.DataFrame:
        """`_row`, `person_id` (null: nobody that can be known) and PERSON_ATTRIBUTES.

        A row has as many rows here as it names people in this role.
        """
        read = list(self._iterate_cells(role))
        self._crowded = {row: r for row, cells in read if (r := _find_crowd_reason(role, cells))}
        said = [
            (row, self._clean_mention(role, row, mention), more)
            for row, cells in read
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
        said = self._unify_names(role, said, found)
        frame = [
            self._build_row(role, row, mention, more, one, row in unclear)
            for (row, mention, more), one in zip(said, found, strict=True)
        ]
        return pl.DataFrame(frame, schema=_MENTION_SCHEMA, orient="row")

    def _clean_mention(self, role: str, row: int, said: PersonMention) -> PersonMention:
        """The mention with its ID number in 18 characters, and its name without notes."""
        is_short = said.id_number is not None and len(said.id_number) != _ID_NUMBER_CHARS
        if is_short and (longer := extend_old_id_number(said.id_number or "")):
            self._add(row, f"{role}.id_number", _OLD_ID_NUMBER_REMARK, REMARK)
            said = replace(said, id_number=longer)
        if not said.name or row in self._crowded or said.name[-1].isalpha():
            return said
        is_known = bool(said.own_number or said.certificate) or (
            said.id_number is not None and is_valid_id_number(clean_id_number(said.id_number))
        )
        name = strip_name_note(said.name, is_known=is_known)
        if name != said.name:
            note = _NAME_NOTE_REMARK.with_values(note=said.name[len(name) :][:20])
            self._add(row, f"{role}.name", note, REMARK)
        return replace(said, name=name)

    def _unify_names(
        self,
        role: str,
        said: Sequence[tuple[int, PersonMention, dict[str, str | None]]],
        found: Sequence[IdentifiedPerson],
    ) -> list[tuple[int, PersonMention, dict[str, str | None]]]:
        """The mentions with one form of a name for one number; another name is refused."""
        first = self._first_names
        unified = []
        for (row, mention, more), person in zip(said, found, strict=True):
            key = person.person_id
            if mention.name and key and not person.by_name_alone:
                at, name = first.setdefault(key, (row, mention.name))
                if name == mention.name:
                    pass
                elif fold_name(name) != fold_name(mention.name):
                    self._crowded[row] = _OTHER_NAME_REASON.with_values(row=at)
                else:
                    remark = _OTHER_FORM_REMARK.with_values(row=at)
                    self._add(row, f"{role}.name", remark, REMARK)
                    mention = replace(mention, name=name)
            unified.append((row, mention, more))
        return unified

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
        id_numbers = split_items(cells.get("id_number") or "")
        if not text and len(own) > 1:
            names = [None] * len(own)
        alone = len(names) == 1
        for at, name in enumerate(names):
            number = own[at] if len(own) == len(names) else numbers if alone else None
            id_number = cells.get("id_number") if alone else None
            if not alone and len(id_numbers) == len(names):
                id_number = id_numbers[at]
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
        if row in self._crowded:
            person = None
            self._add(row, column, self._crowded[row])
        elif is_unclear:
            person = None
            self._add(row, column, _REPEATED_REASON)
        elif self._is_unclear_list(role, said):
            person = None
            self._add(row, column, _UNCLEAR_NAMES_REASON)
        elif person is None and said.name:
            several = found.several > 1
            nobody = _WRONG_ID_NUMBER_REASON if _is_wrong_id_number(said) else _NOBODY_REASON
            reason = _SEVERAL_REASON.with_values(n=found.several) if several else nobody
            self._add(row, column, reason)
        elif person is None and found.several > 1:
            self._add(row, f"{role}.own_number", _SEVERAL_OF_NUMBER_REASON)
        id_number = said.id_number
        if id_number:
            self._compare_id_number(role, row, id_number, said.birth, more.get("sex"))
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

    def _compare_id_number(
        self, role: str, row: int, id_number: str, birth: str | None, sex: str | None
    ) -> None:
        """Remarks where the list says another birth or sex than the ID number has in it."""
        number = clean_id_number(id_number) if birth or sex else ""
        if not is_valid_id_number(number):
            return
        digits = re.sub(r"\D", "", birth or "")
        if len(digits) in (4, 8) and not number[6:14].startswith(digits):
            self._add(row, f"{role}.birth_date", _OTHER_BIRTH_REMARK, REMARK)
        stated = {"男": 1, "女": 0}.get((sex or "").strip())
        if stated is not None and int(number[16]) % 2 != stated:
            self._add(row, f"{role}.sex", _OTHER_SEX_REMARK, REMARK)

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
