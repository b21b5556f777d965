"""GEDCOM (5.5.1 and 7) to sheets: the people, and who is stated to be whose master.

Own code, and little of it, reads the lines (level, id, tag, value): ged4py takes 69 s for one line
of 50 MB and brings three more packages, gedcom7 reads version 7 alone, and neither it nor
fastgedcom says in which line a record stands, which every refusal needs.

A row of a sheet has the number of its line. The sheet INDI is the people; ASSO is their masters and
apprentices, as associations state them (RELA, ROLE, PHRASE). Parents stand in the column FAMC: they
are masters only if somebody says so (`loaders.mapping.proposal`).
"""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import networkx as nx
import polars as pl

from graph.errors import UsageError
from graph.messages import Message
from loaders.findings import REFUSED, REMARK, Finding
from loaders.mapping.aliases import match_header
from loaders.mapping.name_lists import split_names
from loaders.readers.sheet import Sheet
from loaders.tables import ROW_NUMBER_COLUMN

MAX_GEDCOM_LINE_CHARS: Final = 100_000
MAX_GEDCOM_PEOPLE: Final = 200_000
MAX_BROKEN_LINES: Final = 1_000
PEOPLE_HEADERS: Final = ("XREF", "NAME", "SEX", "BIRT", "OCCU", "FAMC")
PAIR_HEADERS: Final = (
    "mentor XREF",
    "mentor NAME",
    "apprentice XREF",
    "apprentice NAME",
    "start",
    "end",
)
_START_BYTES: Final = 1 << 16
_ANSEL_PATTERN: Final = re.compile(rb"^[ \t]*1[ \t]+CHAR[ \t]+ANSEL\b", re.MULTILINE)
_LINE_PATTERN: Final = re.compile(
    r"\s*(\d{1,2})[ \t]+(?:(@[^@\s][^@\n]*@)[ \t]+)?([A-Za-z0-9_]{1,64})(?:[ \t](.*))?", re.DOTALL
)
_POINTER_PATTERN: Final = re.compile(r"@([^@\s][^@]*)@")
_NO_POINTER: Final = "VOID"
# Signs that part several ids of a cell, and the one that stands for them.
_XREF_SIGNS: Final = re.compile(r"[%、,，;；/／|｜\s]")
_SLASHED_PATTERN: Final = re.compile(r"\s*/([^/]*)/\s*")
_HAN_PATTERN: Final = re.compile(r"[\u3400-\u9fff]")
_MONTH_WORDS: Final = re.findall("...", "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC")
_MONTHS: Final = {month: at for at, month in enumerate(_MONTH_WORDS, 1)}
_DAY: Final = r"(?:(?:(\d{1,2}) )?([A-Z]{3}) )?(\d{3,4})"
_DATE_PATTERN: Final = re.compile(rf"(?:@#DGREGORIAN@ |GREGORIAN )?{_DAY}")
_SPAN_PATTERN: Final = re.compile(r"(?:FROM (.+?))?(?:(?:^| )TO (.+))?")

_ANSEL_MESSAGE = Message(
    "{file} is written in ANSEL, an encoding of old genealogy programs; export it again as UTF-8"
)
_CUT_MESSAGE = Message(
    "{file} ends in line {line} without its last line (0 TRLR): it is cut short; export it again"
)
_SECOND_HEAD_MESSAGE = Message(
    "{file}, line {line}: something stands here below the last line (0 TRLR), as when two files "
    "are joined; load each by itself"
)
_NOBODY_MESSAGE = Message(
    "{file}: none of its {n:,} people can be read; the first stands in line {line}: {why}"
)
_MANY_PEOPLE_MESSAGE = Message(
    "{file}, line {line}: it has more than {most:,} people; export a part of them at a time",
    most=MAX_GEDCOM_PEOPLE,
)
_NO_GRAMMAR_MESSAGE = Message(
    "{file}, line {line}: this is the first of more than {most:,} lines that are not of GEDCOM; "
    "export it again",
    most=MAX_BROKEN_LINES,
)
_BROKEN_LINE_REASON = Message("line {line} is no line of GEDCOM (level, tag, value)")
_LONG_LINE_REASON = Message(
    "line {line} has more than {most:,} characters", most=MAX_GEDCOM_LINE_CHARS
)
_LEVEL_REASON = Message("line {line} has level {level} below level {above}: a line is missing")
_NO_ID_REASON = Message("this person has no id (0 @I1@ INDI)")
_REPEATED_ID_REASON = Message("the person in line {line} has the same id")
_LEFT_OUT_REMARK = Message("{why}; what stands in it is left out")
_FUZZY_DATE_REMARK = Message(
    "a date that is about, before or after another, or of another calendar, is left out"
)
_OTHER_ROLES_REMARK = Message(
    "{n:,} associations are none of master and apprentice (godparents, witnesses ...); they are "
    "left out"
)
_OWN_ANCESTOR_REMARK = Message(
    "this person is among his or her own ancestors, so the parents are left out"
)


class GedcomLine(NamedTuple):
    """One line; `xref` and `value` are "" where it has none."""

    number: int
    level: int
    xref: str
    tag: str
    value: str


@dataclass
class GedcomRecord:
    """The lines from one of level 0 to the next; `fault`: what is wrong with its first bad line."""

    lines: list[GedcomLine]
    fault: Message | None = None

    @property
    def head(self) -> GedcomLine:
        """Its line of level 0."""
        return self.lines[0]

    def list_parts(self, tag: str, above: GedcomLine | None = None) -> list[GedcomLine]:
        """The lines with a tag one level below a line (without it, below the head)."""
        above = above or self.head
        found = []
        first = bisect_right(self.lines, above.number, key=lambda line: line.number)
        for at in range(first, len(self.lines)):
            line = self.lines[at]
            if line.level <= above.level:
                break
            if line.level == above.level + 1 and line.tag == tag:
                found.append(line)
        return found

    def find_value(self, tag: str, above: GedcomLine | None = None) -> str:
        """The first value of a tag below a line; "" where there is none."""
        return next((line.value.strip() for line in self.list_parts(tag, above) if line.value), "")


@dataclass
class _Genealogy:
    """What the records of a file say. `people`: line -> cells; `pairs`: line -> cells."""

    file: str
    people: dict[int, list[str]] = field(default_factory=dict)
    pairs: list[tuple[int, str, str, str, str]] = field(default_factory=list)
    parents: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[Finding] = field(default_factory=list)
    pair_remarks: list[Finding] = field(default_factory=list)
    others: list[int] = field(default_factory=list)

    def build_own_number(self, xref: str) -> str:
        """The id as the sheets have it: an id of GEDCOM says who is meant within its file alone."""
        return f"{_encode_signs(Path(self.file).stem)}#{xref}"

    def add(self, row: int, column: str, reason: Message, kind: str = REMARK) -> None:
        self.remarks.append((self.file, row, column, "", reason, kind))


def check_gedcom_encoding(data: bytes, file: str) -> None:
    """Raises UsageError for ANSEL: its letters with accents are read by no maintained library."""
    if _ANSEL_PATTERN.search(data[:_START_BYTES].replace(b"\0", b"").replace(b"\r", b"\n")):
        raise UsageError(_ANSEL_MESSAGE.with_values(file=file))


def read_gedcom_sheets(data: bytes, encoding: str, file: str) -> Iterator[Sheet]:
    """The sheets INDI and, where somebody is stated to be a master, ASSO.

    A person with a broken line is refused, with the number of the line. Raises UsageError, with
    the line, for a file that is cut short, is two, or is no GEDCOM.
    """
    found = _Genealogy(file)
    for record in _iterate_records(data, encoding, file):
        if record.head.tag == "INDI":
            _read_person(found, record)
        elif record.fault is not None:
            found.add(record.head.number, "", _LEFT_OUT_REMARK.with_values(why=record.fault))
        elif record.head.tag == "FAM":
            _read_family(found, record)
    _refuse_repeated_ids(found)
    _add_parents(found)
    _check_somebody_is_read(found)
    if found.others:
        reason = _OTHER_ROLES_REMARK.with_values(n=len(found.others))
        found.add(found.others[0], "", reason)
    people = [
        (number, [found.build_own_number(cells[0]), *cells[1:]])
        for number, cells in sorted(found.people.items())
    ]
    width = len(PEOPLE_HEADERS) - (not any(cells[-1] for _, cells in people))
    headers = PEOPLE_HEADERS[:width]
    yield _build_sheet(file, "INDI", headers, people, found.remarks, encoding)
    if found.pairs:
        pairs = _name_pairs(found)
        yield _build_sheet(file, "ASSO", PAIR_HEADERS, pairs, found.pair_remarks, encoding)


def _iterate_records(data: bytes, encoding: str, file: str) -> Iterator[GedcomRecord]:
    """The records of the file, up to its last line. `fault` stands on the record around it."""
    record: GedcomRecord | None = None
    number, broken = 0, []
    with io.TextIOWrapper(io.BytesIO(data), encoding, newline=None) as text:
        for number, line in enumerate(text, 1):
            plain = line.rstrip("\n").lstrip("\ufeff")
            if not plain.strip():
                continue
            read = _read_line(number, plain)
            if isinstance(read, GedcomLine) and record is not None and read.level:
                above = record.lines[-1].level
                if read.level > above + 1:
                    read = _LEVEL_REASON.with_values(line=number, level=read.level, above=above)
            if isinstance(read, Message):
                broken.append(number)
                if len(broken) > MAX_BROKEN_LINES:
                    raise UsageError(_NO_GRAMMAR_MESSAGE.with_values(file=file, line=broken[0]))
                if record is not None:
                    record.fault = record.fault or read
            elif read.level:
                if record is not None:
                    record.lines.append(read)
            else:
                if record is not None:
                    yield record
                if read.tag == "TRLR":
                    _check_nothing_follows(text, number, file)
                    return
                record = GedcomRecord([read])
    raise UsageError(_CUT_MESSAGE.with_values(file=file, line=number))


def _check_nothing_follows(text: Iterable[str], number: int, file: str) -> None:
    """Raises UsageError for a line below the last one; the end sign of DOS is none."""
    for after, line in enumerate(text, number + 1):
        if line.strip("\x1a\0 \t\n"):
            raise UsageError(_SECOND_HEAD_MESSAGE.with_values(file=file, line=after))


def _read_line(number: int, text: str) -> GedcomLine | Message:
    if len(text) > MAX_GEDCOM_LINE_CHARS:
        return _LONG_LINE_REASON.with_values(line=number)
    matched = _LINE_PATTERN.fullmatch(text)
    if matched is None:
        return _BROKEN_LINE_REASON.with_values(line=number)
    level, xref, tag, value = matched.groups()
    return GedcomLine(
        number, int(level), _clean_xref(xref) if xref else "", tag.upper(), value or ""
    )


def _clean_xref(text: str) -> str:
    """The id without its signs; what would part several ids of a cell by its code."""
    return _encode_signs(text.strip().removeprefix("@").removesuffix("@"))


def _encode_signs(text: str) -> str:
    return _XREF_SIGNS.sub(lambda sign: f"%{ord(sign[0]):X}", text)


def _read_pointer(value: str) -> str:
    """The id that a value points to; "" for text, and for a pointer to nobody."""
    matched = _POINTER_PATTERN.fullmatch(value.strip())
    return "" if matched is None or matched[1] == _NO_POINTER else _clean_xref(matched[1])


def _read_person(found: _Genealogy, record: GedcomRecord) -> None:
    head = record.head
    fault = record.fault or (None if head.xref else _NO_ID_REASON)
    if fault is not None:
        found.add(head.number, "", fault, REFUSED)
        return
    if len(found.people) >= MAX_GEDCOM_PEOPLE:
        raise UsageError(_MANY_PEOPLE_MESSAGE.with_values(file=found.file, line=head.number))
    birth = next(iter(record.list_parts("BIRT")), None)
    born = record.find_value("DATE", birth) if birth is not None else ""
    read = format_gedcom_date(born)
    if born and not read:
        found.add(head.number, "BIRT", _FUZZY_DATE_REMARK)
    name, sex = _read_name(record), record.find_value("SEX").upper()
    known_sex = sex if sex in ("M", "F") else ""
    found.people[head.number] = [
        head.xref, name, known_sex, read, record.find_value("OCCU"), ""
    ]  # fmt: skip
    above: dict[int, GedcomLine] = {}
    dates: dict[int, str] = {}
    for line in record.lines:
        above[line.level] = line
        if line.level == 0 or not line.value.startswith("@"):
            continue
        event = above[line.level - 1]
        if event.level and event.number not in dates:
            dates[event.number] = record.find_value("DATE", event)
        _read_association(found, record, line, dates.get(event.number, ""))


def _read_name(record: GedcomRecord) -> str:
    """The first name: its text without slashes; a Chinese name with the surname first."""
    name = next(iter(record.list_parts("NAME")), None)
    if name is None:
        return ""
    text = name.value.replace("@@", "@").strip()
    surname = " ".join(part.strip() for part in _SLASHED_PATTERN.findall(text))
    given = " ".join(_SLASHED_PATTERN.sub(" ", text).split())
    if not surname and not given:
        surname, given = record.find_value("SURN", name), record.find_value("GIVN", name)
        text = f"{given} /{surname}/"
    if _HAN_PATTERN.search(surname + given):
        return f"{surname}{given}".replace(" ", "") if surname else given
    return " ".join(text.replace("/", " ").split())


def _read_association(
    found: _Genealogy, record: GedcomRecord, line: GedcomLine, event_date: str
) -> None:
    """Adds the pair that an association of the person, or of an event of a date, states."""
    other = _read_pointer(line.value)
    is_own_tag = line.tag.startswith("_") and _find_role(line.tag.strip("_")) != ""
    if not other or not (line.tag == "ASSO" or is_own_tag):
        return
    role_line = next(iter(record.list_parts("ROLE", line)), None)
    words = [record.find_value("RELA", line), record.find_value("ROLE", line)]
    if role_line is not None:
        words.insert(0, record.find_value("PHRASE", role_line))
    words.append(line.tag if is_own_tag else "")
    role = next((role for word in words if (role := _find_role(word.strip("_")))), "")
    if not role:
        found.others.append(line.number)
        return
    stated = record.find_value("DATE", line) or event_date
    start, end = _read_span(stated)
    if stated and not start and not end:
        reason = _FUZZY_DATE_REMARK
        found.pair_remarks.append((found.file, line.number, "start", "", reason, REMARK))
    pair = (other, record.head.xref) if role == "mentor" else (record.head.xref, other)
    found.pairs.append((line.number, *pair, start, end))


@lru_cache(maxsize=4096)
def _find_role(word: str) -> str:
    """`mentor` for what the associated person is called as a master; "" for other words."""
    field_name = match_header(word, ()) if word else None
    role, _, attribute = (field_name or "").partition(".")
    role = role.rstrip("0123456789")
    return role if attribute == "name" and role in ("mentor", "apprentice") else ""


def _read_span(text: str) -> tuple[str, str]:
    """First and last day of `FROM 1950 TO 1955`; a date alone is the first day."""
    plain = " ".join(text.upper().split())
    matched = _SPAN_PATTERN.fullmatch(plain) if plain.startswith(("FROM ", "TO ")) else None
    if matched is None:
        return format_gedcom_date(plain), ""
    return format_gedcom_date(matched[1] or ""), format_gedcom_date(matched[2] or "")


def format_gedcom_date(text: str) -> str:
    """A day, month or year of the common calendar as written in lists; "" for all else.

    >>> [format_gedcom_date(text) for text in ("5 MAR 1960", "Mar 1960", "1960", "ABT 1960")]
    ['1960-03-05', '1960-03', '1960', '']
    """
    matched = _DATE_PATTERN.fullmatch(" ".join(text.upper().split()))
    if matched is None or (matched[2] and matched[2] not in _MONTHS):
        return ""
    day, month, year = matched.groups()
    parts = [f"{int(year):04}"]
    parts += [f"{_MONTHS[month]:02}"] if month else []
    return "-".join([*parts, f"{int(day):02}"] if day else parts)


def _read_family(found: _Genealogy, record: GedcomRecord) -> None:
    both = [*record.list_parts("HUSB"), *record.list_parts("WIFE")]
    parents = [xref for line in both if (xref := _read_pointer(line.value))]
    for line in record.list_parts("CHIL"):
        if child := _read_pointer(line.value):
            found.parents.setdefault(child, []).extend(parents)


def _refuse_repeated_ids(found: _Genealogy) -> None:
    """Refuses every person of an id that several have: a pointer to it says nothing."""
    times = Counter(cells[0] for cells in found.people.values())
    lines: dict[str, list[int]] = {}
    for number, cells in found.people.items():
        if times[cells[0]] > 1:
            lines.setdefault(cells[0], []).append(number)
    for numbers in lines.values():
        for number in numbers:
            other = numbers[1] if number == numbers[0] else numbers[0]
            found.add(number, "XREF", _REPEATED_ID_REASON.with_values(line=other), REFUSED)
            del found.people[number]


def _check_somebody_is_read(found: _Genealogy) -> None:
    refused = [one for one in found.remarks if one[-1] == REFUSED]
    if refused and not found.people:
        (_, line, _, _, why, _), *_ = refused
        raise UsageError(
            _NOBODY_MESSAGE.with_values(file=found.file, n=len(refused), line=line, why=why)
        )


def _add_parents(found: _Genealogy) -> None:
    """The ids of the parents, in the last cell of each person who is not his own ancestor."""
    edges = [(child, parent) for child, parents in found.parents.items() for parent in parents]
    loops = {
        person
        for several in nx.strongly_connected_components(nx.DiGraph(edges))
        if len(several) > 1
        for person in several
    } | {child for child, parent in edges if child == parent}
    for number, cells in found.people.items():
        parents = list(dict.fromkeys(found.parents.get(cells[0], ())))
        if parents and cells[0] in loops:
            found.add(number, "FAMC", _OWN_ANCESTOR_REMARK)
        else:
            cells[-1] = "、".join(map(found.build_own_number, parents))


def _name_pairs(found: _Genealogy) -> Iterator[tuple[int, list[str]]]:
    paired = {xref for _, *both, _, _ in found.pairs for xref in both}
    # A name that could be read as several says nothing beside an id.
    names = {
        xref: name
        for xref, name, *_ in found.people.values()
        if xref in paired and len(split_names(name)) == 1
    }
    for number, mentor, apprentice, start, end in found.pairs:
        both = [
            cell
            for xref in (mentor, apprentice)
            for cell in (found.build_own_number(xref), names.get(xref, ""))
        ]
        yield number, [*both, start, end]


def _build_sheet(
    file: str,
    name: str,
    headers: tuple[str, ...],
    rows: Iterable[tuple[int, list[str]]],
    remarks: list[Finding],
    encoding: str,
) -> Sheet:
    """The sheet; its header stands for the file's first line."""
    width = len(headers)
    given = [(*headers, 1), *((*cells[:width], number) for number, cells in rows)]
    schema: dict[str, pl.DataType] = {f"c{at}": pl.String() for at in range(width)}
    frame = pl.DataFrame(given, {**schema, ROW_NUMBER_COLUMN: pl.Int64()}, orient="row")
    cells = frame.with_columns(pl.col(list(schema)).replace("", None))
    return Sheet(file, name, cells, encoding=encoding, remarks=tuple(remarks))
