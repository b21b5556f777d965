"""Files as departments have them, for `shicheng load FILE...`: exchange tables and their own lists.

Whatever a file is called: a sheet whose headers are those of an exchange table is that table; every
other sheet needs a mapping that a person has confirmed (`shicheng inspect`). The files of one load
are read together, so that a name in one list finds its person in another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import polars as pl

from graph.errors import ShichengError, UsageError
from graph.identity import has_id_number, mask_id_numbers
from graph.messages import Message
from graph.server.database import Database
from loaders.columns import Digest
from loaders.findings import REFUSED
from loaders.mapping.application import (
    AppliedSheet,
    apply_mapping,
    drop_empty,
    format_sheet_label,
    read_records,
)
from loaders.mapping.exchange_levels import (
    ExchangeSheet,
    convert_ladder,
    find_exchange_sheet,
    needs_ladder,
)
from loaders.mapping.header_rows import BLANK, DATA, find_layout, list_cell_columns
from loaders.mapping.identifiers import (
    PeopleRoster,
    PersonMention,
    build_own_id,
    is_certificate_id,
    normalize_certificate,
    unite_numbered_people,
)
from loaders.mapping.mapping import Mapping as ListMapping
from loaders.mapping.mapping import explain_changed_headers, find_mappings
from loaders.mapping.name_lists import list_written_forms, normalize_name
from loaders.mapping.proposal import (
    Question,
    ask_ladder,
    find_title_questions,
    propose_mapping,
)
from loaders.mapping.sheet_faults import find_sheet_fault
from loaders.mapping.titles import read_titles
from loaders.readers.sheet import Sheet
from loaders.readers.sheets import read_sheets
from loaders.tables import ROW_NUMBER_COLUMN, RawTable, UnreadFile

_NO_HEADER_REASON: Final = Message(
    "{file} is not read; no row of it is a row of headers that are known"
)
_NO_ROWS_REASON: Final = Message("{file} is not read; it has headers, but no rows below them")
_MASKED_CELL_PATTERN: Final = r"\d{3}[*xX×＊#●?]{2}"
_WHOSE_LIST: Final = Message("Which of the departments states this list? Say it with --source")
_UNREADABLE_REASON: Final = Message("{file} is not read: {why}")


# Department and names -> id, name, employer of its people in the store.
FindStoredPeople = Callable[[str, Sequence[str]], Iterable[tuple[str, str, str]]]
_NAMES_PER_QUERY: Final = 10_000
_STORED_PEOPLE_QUERY: Final = (
    "UNWIND $names AS name MATCH (p:Person {name: name}) "
    "WHERE any(s IN p.sources WHERE s = $department OR s STARTS WITH $department + '/') "
    "RETURN p.person_id AS id, name, "
    "COLLECT { MATCH (p)-[:EMPLOYED_BY]->(e:Enterprise) RETURN DISTINCT e.name } AS employers"
)


@dataclass(frozen=True)
class SheetSummary:
    """What a sheet came to: each row is data (in a table, or refused), blank, or other."""

    file: str
    rows: int
    data: int
    other: int
    blank: int


@dataclass(frozen=True)
class OpenSheet:
    """A sheet that can't be loaded yet, and what must be answered first."""

    file: str
    path: Path
    questions: tuple[Question, ...]
    change: Message | None = None


@dataclass(frozen=True)
class FoundSheet:
    """A sheet that can be loaded: an exchange table, or a list with its confirmed mapping."""

    sheet: Sheet
    path: Path
    source: str
    exchange: ExchangeSheet | None = None
    mapping: ListMapping | None = None

    @property
    def label(self) -> str:
        """As findings name it: see `format_sheet_label`."""
        return format_sheet_label(self.sheet)


@dataclass
class DepartmentFiles:
    """The tables of one load of files. `summaries` are there once the tables have been taken."""

    found: list[FoundSheet] = field(default_factory=list)
    unread: list[UnreadFile] = field(default_factory=list)
    open: list[OpenSheet] = field(default_factory=list)
    summaries: list[SheetSummary] = field(default_factory=list)


def list_given_files(paths: Sequence[Path]) -> list[Path]:
    """The files of a command, those of folders too, each once. Raises UsageError for one that is
    not there."""
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise UsageError("{path} is not there; name a folder or a file of it", path=path)
        inside = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for one in inside:
            if not one.name.startswith((".", "~$")):
                found.setdefault(one.resolve(), one)
    return list(found.values())


def read_department_files(
    paths: Sequence[Path],
    home: Path,
    source: str | None = None,
    answers: Mapping[str, str] | None = None,
    encoding: str | None = None,
    *,
    departments: Mapping[str, str] | None = None,
    left_out: Collection[str] = (),
) -> DepartmentFiles:
    """Every sheet of the files, with its mapping, and those for which something must be answered.

    `source` is the department; without it that of the only mapping for a sheet's headers, or the
    folder's name for exchange tables. `departments` are those of single sheets, by their label
    (`format_sheet_label`); the sheets `left_out` are not looked at. Raises UsageError for a file
    of the command that can't be read.
    """
    of_sheet = departments or {}
    given = {path for path in paths if path.is_file()}
    read = DepartmentFiles()
    for path in list_given_files(paths):
        try:
            for one in read_sheets(path, encoding=encoding):
                if isinstance(one, UnreadFile):
                    read.unread.append(one)
                elif (label := format_sheet_label(one)) not in left_out:
                    stated_by = of_sheet.get(label, source)
                    _place_sheet(read, one, path, home, stated_by, answers or {})
        except ShichengError as error:
            if path in given:
                raise
            name = mask_id_numbers(path.name)
            reason = _UNREADABLE_REASON.with_values(file=name, why=error.message)
            read.unread.append(UnreadFile(name, reason))
    return read


def _place_sheet(
    read: DepartmentFiles,
    sheet: Sheet,
    path: Path,
    home: Path,
    source: str | None,
    answers: Mapping[str, str],
) -> None:
    """Adds the sheet to what can be loaded, what is asked, or what is not read."""
    label = format_sheet_label(sheet)
    stated_by = source or path.resolve().parent.name
    exchange = find_exchange_sheet(sheet, path.name, label, stated_by)
    layout = None if exchange else find_layout(sheet)
    fault = None if layout is None else find_sheet_fault(sheet, layout, label)
    if fault is not None:
        read.unread.append(UnreadFile(label, fault))
        return
    headers = exchange.headers if exchange else drop_empty(layout.headers if layout else ())
    if not headers:
        if sheet.cells.height and not _is_blank(sheet):
            reason = _NO_HEADER_REASON.with_values(file=label)
            read.unread.append(UnreadFile(label, reason))
        return
    titled = read_titles(layout.titles).department if layout and not source else ""
    mappings = find_mappings(home, headers, source)
    if titled:
        # The title says who states the list: another department's mapping is not for it.
        of_title = [mapping for mapping in mappings if mapping.department == titled]
        mappings = of_title or mappings
    if exchange is not None:
        _place_exchange_sheet(read, sheet, path, exchange, mappings, answers)
    elif len(mappings) == 1 and titled not in ("", mappings[0].department, mappings[0].titled):
        choices = tuple(sorted((titled, mappings[0].department)))
        read.open.append(OpenSheet(label, path, (Question("department", _WHOSE_LIST, choices),)))
    elif len(mappings) == 1:
        found = FoundSheet(sheet, path, mappings[0].department, None, mappings[0])
        questions = _find_new_questions(found)
        if questions:
            read.open.append(OpenSheet(label, path, questions))
        else:
            read.found.append(found)
    elif mappings:
        departments = tuple(sorted(mapping.department for mapping in mappings))
        question = Question("department", _WHOSE_LIST, departments)
        read.open.append(OpenSheet(label, path, (question,)))
    else:
        proposal = propose_mapping(sheet, source, answers)
        if proposal is not None and not proposal.layout.count(DATA):
            read.unread.append(UnreadFile(label, _NO_ROWS_REASON.with_values(file=label)))
            return
        questions = proposal.questions if proposal else ()
        change = explain_changed_headers(home, headers, source)
        read.open.append(OpenSheet(label, path, questions, change))


def _is_blank(sheet: Sheet) -> bool:
    return find_layout(sheet).kinds.filter(pl.col("kind") != BLANK).is_empty()


def _place_exchange_sheet(
    read: DepartmentFiles,
    sheet: Sheet,
    path: Path,
    exchange: ExchangeSheet,
    mappings: Sequence[ListMapping],
    answers: Mapping[str, str],
) -> None:
    stated_by = exchange.raw.source
    if has_id_number(stated_by):
        raise UsageError(
            "the source's name holds a citizen ID number; name the source with --source"
        )
    if needs_ladder(exchange):
        known = {mapping.ladder for mapping in mappings if mapping.ladder}
        ladder = answers.get("ladder") or (known.pop() if len(known) == 1 else "")
        if ladder not in ("old", "new"):
            questions = (ask_ladder(exchange.levels, exchange.certificates),)
            read.open.append(OpenSheet(format_sheet_label(sheet), path, questions))
            return
        exchange = convert_ladder(exchange, "old" if ladder == "old" else "new")
    read.found.append(FoundSheet(sheet, path, stated_by, exchange))


def _find_new_questions(found: FoundSheet) -> tuple[Question, ...]:
    """What a later file asks that the first one did not: a digit among levels that were words."""
    mapping = found.mapping
    assert mapping is not None
    known: dict[str, str] = {"by_name": "yes" if mapping.by_name else "no", "date": "none"}
    known |= {"by_number": "yes" if mapping.by_number else "no", "parents": "no"}
    if mapping.ladder:
        known["ladder"] = mapping.ladder
    fields = {column.header: column.field for column in mapping.columns}
    proposal = propose_mapping(found.sheet, mapping.department, known, fields)
    if proposal is None:
        return ()
    asked = [question for question in proposal.questions if question.key == "ladder"]
    return (*asked, *find_title_questions(mapping, proposal))


def iterate_raw_tables(
    read: DepartmentFiles,
    digest: Digest,
    find_stored: FindStoredPeople | None = None,
) -> Iterator[RawTable | UnreadFile]:
    """The raw tables of all sheets; names are looked up among the people of the same department.

    `find_stored` gives those of the store that have one of some names; None: only this load's.
    """
    read.summaries.clear()
    yield from read.unread
    rosters = build_rosters(read, digest, find_stored)
    for one in read.found:
        if one.exchange is not None:
            read.summaries.append(_summarize_exchange_sheet(one.sheet, one.exchange.raw))
            yield one.exchange.raw
        elif one.mapping is not None:
            applied = apply_mapping(one.sheet, one.mapping, digest, rosters.get(one.source))
            read.summaries.append(_summarize_sheet(applied))
            yield from applied.tables


def count_sheet_rows(summary: SheetSummary, findings: pl.DataFrame) -> dict[str, int | str]:
    """What became of a sheet's rows: data = accepted + refused; the others are named by kind.

    A row is refused as soon as one of the things that it states is.
    """
    refused = findings.filter(
        (findings["kind"] == REFUSED) & (findings["file"] == summary.file) & (findings["row"] > 0)
    )["row"].n_unique()
    return {
        "file": summary.file,
        "rows": summary.rows,
        "data": summary.data,
        "accepted": summary.data - refused,
        "refused": refused,
        "other": summary.other,
        "blank": summary.blank,
    }


def _summarize_exchange_sheet(sheet: Sheet, raw: RawTable) -> SheetSummary:
    columns = [pl.col(c).str.strip_chars().fill_null("") for c in list_cell_columns(sheet)]
    filled = sheet.cells.filter(pl.any_horizontal(c != "" for c in columns)) if columns else None
    number = ROW_NUMBER_COLUMN
    stated = set(raw.rows[number])
    if raw.refused is not None:
        stated |= set(raw.refused.filter(pl.col("kind") == REFUSED)["row"])
    written = set() if filled is None else set(filled[number])
    # Rows that could not even be parted into cells are in no sheet, and are refused.
    data = (stated & written) | (stated - set(sheet.cells[number]))
    rows = len(data | set(sheet.cells[number]))
    other = len(written - data)
    return SheetSummary(raw.file, rows, len(data), other, rows - len(data) - other)


def _summarize_sheet(applied: AppliedSheet) -> SheetSummary:
    height, blank = applied.layout.kinds.height, applied.layout.count(BLANK)
    known = set(applied.layout.kinds[ROW_NUMBER_COLUMN])
    lost = {row for _, row, *_, kind in applied.sheet.remarks if kind == REFUSED} - known
    return SheetSummary(
        format_sheet_label(applied.sheet),
        height + len(lost),
        applied.data_rows + len(lost),
        height - applied.data_rows - blank,
        blank,
    )


def build_rosters(
    read: DepartmentFiles,
    digest: Digest,
    find_stored: FindStoredPeople | None = None,
) -> dict[str, PeopleRoster]:
    """The people of each department that some sheet, or the store, knows by more than a name."""
    mapped = [one for one in read.found if one.mapping is not None]
    if not mapped or (len(read.found) < 2 and not any(map(_needs_roster, mapped))):
        return {}
    names: dict[str, set[str]] = {}
    rosters: dict[str, PeopleRoster] = {}
    listed: list[_ListedPerson] = []
    for one in read.found:
        roster = rosters.setdefault(one.source, PeopleRoster())
        if one.exchange is not None and one.exchange.table == "people":
            _add_exchange_people(roster, one.exchange)
        elif one.mapping is not None:
            found, unknown = _list_people(one.sheet, one.mapping, digest)
            listed += [(one.source, *person) for person in found]
            names.setdefault(one.source, set()).update(unknown)
    _add_listed_people(rosters, listed)
    for one in read.found:
        if one.mapping is not None and one.mapping.by_name:
            _add_named_people(rosters[one.source], one.sheet, one.mapping, digest)
    for department, wanted in names.items():
        stored = find_stored(department, sorted(wanted)) if find_stored and wanted else []
        for person_id, name, employer in stored:
            rosters[department].add(person_id, PersonMention(name=name, employer=employer))
    return rosters


def _needs_roster(found: FoundSheet) -> bool:
    """Whether a row of the sheet may mean somebody whom another row of it knows better."""
    mapping = found.mapping
    if mapping is None:
        return False
    fields = {column.field for column in mapping.columns}
    roles = {field.partition(".")[0].rstrip("0123456789") for field in fields}
    if mapping.by_name or roles & {"mentor", "apprentice", "lead", "studio"}:
        return True
    if "person.own_number" in fields:
        return bool(fields & {"person.id_number", "recognition.certificate_no"})
    return "person.id_number" in fields and _has_masked_cells(found.sheet)


def _has_masked_cells(sheet: Sheet) -> bool:
    names = list_cell_columns(sheet)
    masked = sheet.cells.select(pl.col(names).str.contains(_MASKED_CELL_PATTERN).any())
    return any(masked.row(0))


def _add_exchange_people(roster: PeopleRoster, exchange: ExchangeSheet) -> None:
    rows = exchange.rows.rename({h: n for h, n in exchange.fields.items() if h != n})
    wanted = [c for c in ("person_id", "name", "id_number") if c in rows.columns]
    for row in rows.select(wanted).iter_rows(named=True):
        if row["person_id"]:
            number = row.get("id_number")
            said = PersonMention(name=row["name"], id_number=number, own_number=row["person_id"])
            roster.add(row["person_id"].strip(), said)


# The department, the person's id in its list alone, and what the list says.
_ListedPerson = tuple[str, str, PersonMention]


def _list_people(
    sheet: Sheet, mapping: ListMapping, digest: Digest
) -> tuple[list[tuple[str, PersonMention]], set[str]]:
    """The people of a list that have a number; the names of the others."""
    stated = mapping.model_copy(update={"by_name": False, "by_number": False})
    records = read_records(sheet, find_layout(sheet), stated, digest, PeopleRoster())
    listed = []
    for people in records.people.values():
        for row in people.drop_nulls("person_id").iter_rows(named=True):
            said = PersonMention(
                name=row["name"],
                id_number=row["id_number"],
                certificate=row["certificate_no"],
                own_number=row["own_number"],
                employer=row["employer"],
            )
            listed.append((row["person_id"], said))
    nameless = (p.filter(pl.col("person_id").is_null())["name"] for p in records.people.values())
    return listed, {name for names in nameless for name in names.drop_nulls()}


def _add_listed_people(
    rosters: Mapping[str, PeopleRoster], listed: Sequence[_ListedPerson]
) -> None:
    """Adds the people of all lists.

    The rows of a department with one own number and name lead to one person. The name of one known
    by a certificate number alone leads to the person that another list of the load, whichever comes
    first, knows by that number and name: the load joins the two ids later.
    """
    listed = unite_numbered_people(listed)
    holders = {
        _build_holder_key(said): person_id
        for _, person_id, said in listed
        if said.certificate and not is_certificate_id(person_id)
    }
    for department, person_id, said in listed:
        known = holders.get(_build_holder_key(said)) if is_certificate_id(person_id) else None
        is_of_number = said.own_number and person_id == build_own_id(department, said.own_number)
        # A number that nobody is known better by leads to its own id without the roster.
        said = replace(said, own_number=None) if is_of_number else said
        rosters[department].add(known or person_id, said)


def _build_holder_key(said: PersonMention) -> tuple[str, str]:
    return normalize_name(said.name or ""), normalize_certificate(said.certificate or "")


def _add_named_people(
    roster: PeopleRoster, sheet: Sheet, mapping: ListMapping, digest: Digest
) -> None:
    """Adds the people of a list who have a row of their own and nothing but a name.

    A name that refers to one of them finds them there, whatever else their own row says.
    """
    if not {"person.name", "person.names"} & {column.field for column in mapping.columns}:
        return
    records = read_records(sheet, find_layout(sheet), mapping, digest, roster)
    for row in records.people["person"].drop_nulls("person_id").iter_rows(named=True):
        if row["person_id"] not in roster.named_ids:
            said = PersonMention(name=row["name"], employer=row["employer"])
            roster.add(row["person_id"], said)


def fetch_stored_people(
    database: Database, department: str, names: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Id, name and employer of the department's people in the store who have one of the names.

    The employer is "" where the store has none, or several.
    """
    written = list_written_forms(names)
    found: list[tuple[str, str, str]] = []
    for at in range(0, len(written), _NAMES_PER_QUERY):
        given = {"names": written[at : at + _NAMES_PER_QUERY], "department": department}
        for row in database.read(_STORED_PEOPLE_QUERY, given):
            employers = row["employers"]
            found.append((row["id"], row["name"], employers[0] if len(employers) == 1 else ""))
    return found


def explain_open_sheets(sheets: Iterable[OpenSheet]) -> UsageError:
    """The error that names every question, and the command that answers it."""
    lines: list[Message] = []
    for one in sheets:
        said = _explain_open_sheet(one)
        if one.change is not None:
            said = Message("{what} ({change})", what=said, change=one.change)
        lines.append(said)
    return UsageError("Nothing is loaded before this is answered. {questions}", questions=lines)


def _explain_open_sheet(one: OpenSheet) -> Message:
    if not one.questions:
        return Message(
            "{file}: look at what it is taken for, and confirm it with `shicheng inspect --save`",
            file=one.file,
        )
    return Message(
        "{file}: {questions} Answer with `shicheng inspect --save --answer KEY=VALUE`",
        file=one.file,
        questions=[
            Message("({key}) {text}", key=question.key, text=question.text)
            if question.hint is None
            else Message(
                "({key}) {text} {hint}.", key=question.key, text=question.text, hint=question.hint
            )
            for question in one.questions
        ],
    )


def settle_folder_ladders(
    tables: Iterable[RawTable | UnreadFile], home: Path, answers: Mapping[str, str]
) -> Iterator[RawTable | UnreadFile]:
    """The tables of an exchange folder, with bare digits of levels read by the stated ladder.

    Under the schema's own header `level` they are those of the exchange format. Raises UsageError
    where the header is another one and nobody has said which ladder they are of.
    """
    for raw in tables:
        if isinstance(raw, UnreadFile) or raw.table != "recognitions":
            yield raw
            continue
        exchange = ExchangeSheet.of_table(raw)
        if not needs_ladder(exchange):
            yield raw
            continue
        mappings = find_mappings(home, exchange.headers, raw.source)
        known = {mapping.ladder for mapping in mappings if mapping.ladder}
        ladder = answers.get("ladder") or (known.pop() if len(known) == 1 else "")
        if ladder not in ("old", "new"):
            question = ask_ladder(exchange.levels, exchange.certificates)
            raise explain_folder_ladder(raw.file, question)
        yield convert_ladder(exchange, "old" if ladder == "old" else "new").raw


def explain_folder_ladder(file: str, question: Question) -> UsageError:
    """The error of a folder's table of which the ladder is not known."""
    if question.hint is not None:
        return UsageError(
            "{file}: {question} Say it with --answer ladder=old or --answer ladder=new; {hint}",
            file=file,
            question=question.text,
            hint=question.hint,
        )
    return UsageError(
        "{file}: {question} Say it with --answer ladder=old or --answer ladder=new",
        file=file,
        question=question.text,
    )
