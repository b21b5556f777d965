"""What a list seems to mean, and what only a person can say of it.

`propose_mapping` reads headers, titles and a part of the rows; nothing is guessed where two
readings are possible: that is a question, and without its answer nothing is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from graph.errors import UsageError
from graph.identity import is_valid_id_number
from graph.messages import Message
from graph.model.schema_types import Property, Type
from graph.model.vocabularies import GRADES, LEVELS, SEXES, STUDIO_KINDS
from loaders.columns import parse_column
from loaders.mapping.aliases import (
    PEOPLE_WORD,
    SUBJECT_WORDS,
    find_subjects,
    is_known_field,
    match_header,
    normalize_list_header,
    simplify_list_header,
)
from loaders.mapping.amounts import MONEY_UNITS, find_money_unit, has_unit, parse_amount
from loaders.mapping.application import drop_empty, format_sheet_label
from loaders.mapping.certificate_numbers import parse_certificate_numbers
from loaders.mapping.edge_lists import find_pair_attribute, holds_numbers, match_unnamed_column
from loaders.mapping.field_values import AMOUNT_FIELDS, PERIOD_FIELDS, find_studio_kind
from loaders.mapping.header_rows import DATA, SheetLayout, find_layout, list_cell_columns
from loaders.mapping.identifiers import clean_id_number, is_credit_code, is_masked_id_number
from loaders.mapping.level_words import (
    LADDERS,
    OLD_DEGREE_LEVELS,
    Ladder,
    parse_bare_digits,
    parse_levels,
)
from loaders.mapping.mapping import ColumnMapping, Mapping
from loaders.mapping.periods import split_period
from loaders.mapping.titles import TITLE_MARK, TitleFacts, read_titles
from loaders.readers.sheet import Sheet
from loaders.tables import ROW_NUMBER_COLUMN

# Rows from which the share of values that fit is computed.
_PROBED_ROWS: Final = 10_000
_EXAMPLES: Final = 3
# Columns whose values may be shown in full: they say nothing of one person.
_SHOWN_FIELDS: Final = (
    "person.sex",
    "person.province",
    "occupation.name",
    "occupation.trade",
    "occupation.code",
    "recognition.level",
    "recognition.date",
    "recognition.mode",
    "mentorship.start",
    "mentorship.end",
    "mentorship.period",
    "mentorship.kind",
    "mentorship.status",
    "studio.kind",
    "studio.grade",
    "studio.founded",
    "studio.funding",
    "honour.grade",
    "honour.date",
    "competition.grade",
    "competition.date",
    "placing.rank",
    "placing.prize",
    "employer.name",
    "host.name",
)
DEPARTMENT, LADDER, UNIT, DATE, GRADE, KIND, BY_NAME, MENTOR, BY_NUMBER, PARENTS = (
    "department",
    "ladder",
    "unit",
    "date",
    "grade",
    "kind",
    "by_name",
    "mentor",
    "by_number",
    "parents",
)
ANSWER_KEYS: Final = (
    DEPARTMENT,
    LADDER,
    UNIT,
    DATE,
    GRADE,
    KIND,
    BY_NAME,
    MENTOR,
    BY_NUMBER,
    PARENTS,
)
DATE_ATTRIBUTES: Final = (
    "date",
    "birth_date",
    "start",
    "end",
    "founded",
    "recognised_on",
    "retired_on",
    "year",
    "service_until",
    "non_compete_until",
    "retirement_postponed_until",
)
# Of a mentor, an apprentice, a lead: who they are is stored, not what else the list says of them.
_UNSTORED_ATTRIBUTES: Final = ("level", "occupation", "phone", "certificate_no")
_NAME_WORD_PATTERN: Final = re.compile("姓名|名字|name")
_YES: Final = ("yes", "y", "true", "是", "1")
_NO: Final = ("no", "n", "false", "否", "0")
PARENTS_FIELD: Final = "ignore.parents"
# Beside the masters that are stated as such.
PARENT_MENTOR_FIELD: Final = "mentor2.own_number"
_PAIR_ROLE_PATTERN: Final = re.compile(r"(mentor|apprentice)\d?\.")
_STAFF_NUMBER_PATTERN: Final = re.compile("工号|职工|员工|会员|学号|job_?no")
_NO_DATE: Final = ("none", "无")
CONSTANT_DATE_ENDINGS: Final = ("date", "recognised_on")
# What a title may state of every row -> the fact of `TitleFacts`.
_TITLED_FIELDS: Final = {
    "recognition.level": "level",
    "honour.name": "honour",
    "competition.name": "competition",
}
# No question of a first list: a further one's title states what the confirmed mapping leaves out.
TITLE: Final = "title"
_NEW_TITLE_TEXT: Final = Message(
    "The title of this list states {stated} of every row, and the confirmed mapping leaves it out: "
    "confirm the list again"
)
_NO_DATE_TEXT: Final = Message(
    "The list has no date: of which year or day is what it states? (none: what "
    "needs a date is left out)"
)
_GRADE_TEXT: Final = Message("Of which grade are they?")
_KIND_TEXT: Final = Message("Of which kind are the studios?")


@dataclass(frozen=True)
class ProposedColumn:
    """`fits`: share of the filled cells that are of the field, None where every text is.

    `field` "" : not understood. `examples` hide what says something of one person.
    """

    header: str
    field: str
    filled: int
    fits: float | None
    examples: tuple[str, ...]

    @property
    def is_stored(self) -> bool:
        """Whether some exchange table takes it; others are understood, and have no place."""
        role, _, attribute = self.field.rpartition(".")
        if role == "ignore" or not self.field:
            return False
        return role.startswith(("person", "recognition")) or attribute not in _UNSTORED_ATTRIBUTES


@dataclass(frozen=True)
class Question:
    """What a person must answer, by `key`; `hint` is what the list itself says of it."""

    key: str
    text: Message
    choices: tuple[str, ...] = ()
    hint: Message | None = None


@dataclass(frozen=True)
class Proposal:
    """`mapping` with what is known so far; it may be saved once there are no `questions`."""

    file: str
    layout: SheetLayout
    mapping: Mapping
    columns: tuple[ProposedColumn, ...]
    questions: tuple[Question, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Headers that are not understood."""
        return tuple(column.header for column in self.columns if not column.field)


def propose_mapping(
    sheet: Sheet,
    department: str | None = None,
    answers: MappingOf[str, str] | None = None,
    fields: MappingOf[str, str] | None = None,
) -> Proposal | None:
    """The mapping that the sheet seems to have; None where no row of it is a header.

    `answers` are to questions, by their key; `fields` say what a header means ("": nothing) in
    place of the proposal. Raises UsageError for an answer or a field that can't be.
    """
    layout = find_layout(sheet)
    if not layout.header_rows:
        return None
    given = dict(answers or {})
    facts = read_titles(layout.titles)
    headers = drop_empty(layout.headers)
    subjects = find_subjects(headers, " ".join(layout.titles))
    subjects = tuple(dict.fromkeys((*subjects, *_list_title_subjects(facts, headers))))
    if layout.pair is not None:
        subjects = tuple(dict.fromkeys(("mentorship", *subjects)))
    data = _probe_rows(sheet, layout)
    columns = _propose_columns(sheet, layout, subjects, fields or {})
    columns = _tell_numbers_from_names(columns, data, fields or {})
    asked = _Interview(layout, facts, columns, data, given, subjects, " ".join(layout.titles))
    mapping = asked.build_mapping(department)
    return Proposal(
        format_sheet_label(sheet),
        layout,
        mapping,
        tuple(_describe_column(c, cells) for c, cells in zip(columns, data, strict=True)),
        tuple(asked.questions),
    )


def find_title_questions(confirmed: Mapping, proposal: Proposal) -> tuple[Question, ...]:
    """What the title of a further list must be asked about, since the first list's said else.

    `proposal`: of the further list. A date, a grade or a kind that was to be in the title and is
    not; and what the title states that the confirmed mapping does not take.
    """
    facts = read_titles(proposal.layout.titles)
    marked = {field for field, value in confirmed.constants.items() if value == TITLE_MARK}
    of_dates = {field for field in marked if field.endswith(CONSTANT_DATE_ENDINGS)}
    questions = []
    if of_dates and not facts.day:
        questions.append(Question(DATE, _NO_DATE_TEXT))
    if any(field.endswith(".grade") for field in marked) and not facts.grade:
        questions.append(Question(GRADE, _GRADE_TEXT, tuple(GRADES)))
    if "studio.kind" in marked and not find_studio_kind(" ".join(proposal.layout.titles)):
        questions.append(Question(KIND, _KIND_TEXT, tuple(STUDIO_KINDS)))
    new = [
        getattr(facts, _TITLED_FIELDS[field])
        for field, value in proposal.mapping.constants.items()
        if value == TITLE_MARK and field in _TITLED_FIELDS and field not in confirmed.constants
    ]
    if new:
        questions.append(Question(TITLE, _NEW_TITLE_TEXT.with_values(stated=new)))
    return tuple(questions)


def _list_title_subjects(facts: TitleFacts, headers: list[str]) -> list[str]:
    """What the list is about by its title alone: its columns do not name the honour."""
    known = {match_header(header, ()) for header in headers}
    roles = (field.partition(".")[0] for field in _list_title_fields(facts, known))
    return [role for role in roles if role in SUBJECT_WORDS]


def _list_title_fields(facts: TitleFacts, known: Collection[str | None]) -> dict[str, str]:
    """Field -> what the title states of every row, where no column does."""
    if "person.name" not in known and "person.names" not in known:
        return {}
    has_places = not {"placing.rank", "placing.prize"}.isdisjoint(known)
    has_honours = not {"honour.name", "talent.basis", "competition.name"}.isdisjoint(known)
    stated = {
        "recognition.level": "" if "recognition.level" in known else facts.level,
        "honour.name": "" if has_honours or has_places else facts.honour,
        "competition.name": facts.competition if has_places and not has_honours else "",
    }
    return {field: text for field, text in stated.items() if text}


def _probe_rows(sheet: Sheet, layout: SheetLayout) -> list[pl.Series]:
    """The filled cells of each column that has a header."""
    data = layout.kinds.filter(pl.col("kind") == DATA).select(ROW_NUMBER_COLUMN)
    cells = sheet.cells.join(data, on=ROW_NUMBER_COLUMN, how="semi", maintain_order="left")
    named = [
        column
        for column, header in zip(list_cell_columns(sheet), layout.headers, strict=True)
        if header
    ]
    return [
        cells[c].str.strip_chars().replace("", None).drop_nulls().head(_PROBED_ROWS) for c in named
    ]


def _propose_columns(
    sheet: Sheet, layout: SheetLayout, subjects: tuple[str, ...], fields: MappingOf[str, str]
) -> list[ColumnMapping]:
    chosen = {normalize_list_header(header): field for header, field in fields.items()}
    headers = drop_empty(layout.headers)
    unknown = chosen.keys() - {normalize_list_header(header) for header in headers}
    if unknown:
        raise UsageError(
            "{file} has no column {headers}", file=format_sheet_label(sheet), headers=[*unknown]
        )
    wrong = [field for field in fields.values() if field and not is_known_field(field)]
    if wrong:
        raise UsageError("there is no field {fields}; see docs/mapping.md", fields=wrong)
    columns: list[ColumnMapping] = []
    taken: set[str] = set()
    for header in headers:
        field = chosen.get(normalize_list_header(header))
        if field is None:
            is_open = layout.pair is not None and header in layout.pair
            field = match_unnamed_column(header) or match_header(header, subjects) or ""
            field = "" if is_open else field
            # Of two columns with one meaning the first is read, the second is named as left out.
            field = "" if field in taken else field
        taken |= {field} if not field.startswith("ignore.") else set()
        unit = find_money_unit(header) if field in AMOUNT_FIELDS else None
        columns.append(ColumnMapping(header=header, field=field, unit=unit))
    return _assign_pair_levels(columns, chosen)


def _assign_pair_levels(
    columns: list[ColumnMapping], chosen: Collection[str]
) -> list[ColumnMapping]:
    """In a list of pairs alone, a level with a date is the apprentice's where a header says so.

    徒弟等级 and 晋级时间 are what the apprentice has reached; of 技能等级 nobody says whose it is.
    """
    fields = {column.field for column in columns}
    roles = {field.partition(".")[0].rstrip("0123456789") for field in fields}
    if "person" in roles or "apprentice" not in roles:
        return columns
    is_reached = {"apprentice.level", "recognition.date"} <= fields
    meant = {"recognition.level": ""}
    if is_reached and "recognition.level" not in fields:
        meant = {"apprentice.level": "recognition.level"}
        meant |= {"apprentice.certificate_no": "recognition.certificate_no"}
    return [
        column
        if normalize_list_header(column.header) in chosen
        else column.model_copy(update={"field": meant.get(column.field, column.field)})
        for column in columns
    ]


def _tell_numbers_from_names(
    columns: list[ColumnMapping], data: list[pl.Series], fields: MappingOf[str, str]
) -> list[ColumnMapping]:
    """The columns with numbers of people under 师傅 or advisor as numbers, not as names."""
    said = {normalize_list_header(header) for header in fields}
    taken = {column.field for column in columns}
    settled = []
    for column, cells in zip(columns, data, strict=True):
        number = column.field.replace(".name", ".own_number")
        if (
            re.fullmatch(r"(mentor|apprentice)\d?\.name", column.field)
            and not _NAME_WORD_PATTERN.search(normalize_list_header(column.header))
            and normalize_list_header(column.header) not in said
            and number not in taken
            and holds_numbers(cells)
        ):
            column = column.model_copy(update={"field": number})
        settled.append(column)
    return settled


def ask_ladder(levels: pl.Series, certificates: pl.Series) -> Question:
    """The question whose ladder the bare digits of a list are of."""
    text = Message(
        "The levels are bare digits: is 3 高级工 (old, 1 is the highest) or 中级工 (new, 8 is the "
        "highest)?"
    )
    return Question(LADDER, text, ("old", "new"), _find_ladder_hint(levels, certificates))


def _find_ladder_hint(levels: pl.Series, certificates: pl.Series) -> Message | None:
    """What the certificate numbers say of the direction, counted over the rows."""
    if certificates.len() != levels.len():
        return None
    said = parse_certificate_numbers(certificates)["level"]
    agree = {
        ladder: int((parse_levels(levels, ladder) == said).fill_null(False).sum())
        for ladder in LADDERS
        if ladder
    }
    if not any(agree.values()):
        return None
    return Message(
        "of {n} certificate numbers {old} agree with old, {new} with new",
        n=said.len() - said.null_count(),
        old=agree["old"],
        new=agree["new"],
    )


class _Interview:
    """Answers, and the questions that are left, for one list."""

    def __init__(
        self,
        layout: SheetLayout,
        facts: TitleFacts,
        columns: list[ColumnMapping],
        data: list[pl.Series],
        answers: dict[str, str],
        subjects: tuple[str, ...],
        title: str,
    ) -> None:
        self.layout, self.facts, self.columns, self.data = layout, facts, columns, data
        self.answers, self.subjects, self.title = answers, subjects, title
        self.questions: list[Question] = []
        self.fields = {c.field for c in columns}
        self.is_pair_settled = False
        self.titled: dict[str, str] = {}

    def build_mapping(self, department: str | None) -> Mapping:
        """The mapping with everything that is known; what is not stands in `questions`."""
        self._settle_pair()
        self._settle_parents()
        columns = self._settle_units()
        titled = self._settle_titled()
        constants = titled | self._settle_date() | self._settle_grade() | self._settle_kind()
        constants |= self._settle_reemployed()
        stated_by = self._settle_department(department)
        in_title = self.facts.department
        return Mapping(
            department=stated_by,
            titled="" if in_title == stated_by else in_title,
            list_name=SUBJECT_WORDS[self.subjects[0]] if self.subjects else PEOPLE_WORD,
            subjects=self.subjects,
            columns=tuple(columns),
            ladder=self._settle_ladder(),
            by_name=self._settle_by_name(),
            by_number=self._settle_by_number(),
            constants=constants,
        )

    def _get_cells(self, field: str) -> pl.Series:
        parts = [
            cells for c, cells in zip(self.columns, self.data, strict=True) if c.field == field
        ]
        return pl.concat(parts) if parts else pl.Series("none", [], dtype=pl.String)

    def _choose(self, key: str, choices: tuple[str, ...]) -> str | None:
        answer = self.answers.get(key)
        if answer is not None and answer not in choices:
            raise UsageError(
                "{key} can't be {answer}; take one of: {choices}",
                key=key,
                answer=answer,
                choices=list(choices),
            )
        return answer

    def _settle_department(self, department: str | None) -> str:
        found = self.answers.get(DEPARTMENT) or department or self.facts.department
        if not found:
            self.questions.append(
                Question(DEPARTMENT, Message("Which department or system states this list?"))
            )
        return found

    def _settle_ladder(self) -> Ladder:
        """The ladder of bare digits: asked wherever a cell is nothing but a digit."""
        cells = self._get_cells("recognition.level")
        digits = parse_bare_digits(cells)
        if digits.null_count() == digits.len():
            return ""
        answer = self._choose(LADDER, ("old", "new"))
        if answer is None:
            certificates = self._get_cells("recognition.certificate_no")
            self.questions.append(ask_ladder(cells, certificates))
        return "old" if answer == "old" else "new" if answer == "new" else ""

    def _settle_units(self) -> list[ColumnMapping]:
        """The columns with the unit of amounts, which is in the header, in each cell, or asked."""
        answer = self._choose(UNIT, tuple(MONEY_UNITS))
        settled, is_open = [], []
        for column, cells in zip(self.columns, self.data, strict=True):
            open_unit = column.field in AMOUNT_FIELDS and column.unit is None
            if open_unit and not all(has_unit(cell) for cell in cells):
                if answer is None:
                    is_open.append(column.header)
                else:
                    column = column.model_copy(update={"unit": MONEY_UNITS[answer]})
            settled.append(column)
        if is_open:
            self.questions.append(
                Question(
                    UNIT,
                    Message("In which unit are the amounts of {headers}?", headers=is_open),
                    tuple(MONEY_UNITS),
                )
            )
        return settled

    def _settle_titled(self) -> dict[str, str]:
        """What the title states of every row: it is read from the title of each list anew."""
        self.titled = _list_title_fields(self.facts, self.fields)
        self.fields |= self.titled.keys()
        return dict.fromkeys(self.titled, TITLE_MARK)

    def _settle_date(self) -> dict[str, str]:
        """A date for what needs one and has no column: the title's year, if that is agreed to."""
        needed = [
            date
            for of, date in (
                ("recognition.level", "recognition.date"),
                ("honour.name", "honour.date"),
                ("talent.basis", "talent.recognised_on"),
                ("competition.name", "competition.date"),
            )
            if of in self.fields and date not in self.fields
        ]
        if not needed:
            return {}
        answer = self.answers.get(DATE)
        is_of_title = self.facts.year is not None
        if is_of_title and answer in (None, TITLE_MARK, self.facts.day):
            # The year of 2023年全国技术能手名单 is that of the honour; other years are asked about.
            of_title = [d for d in needed if d.partition(".")[0] in self._list_titled_roles()]
            if answer is not None or of_title == needed:
                return dict.fromkeys(needed, TITLE_MARK)
        if answer in (None, TITLE_MARK):
            hint = (
                None
                if self.facts.year is None
                else Message("the title says {year}", year=self.facts.year)
            )
            self.questions.append(Question(DATE, _NO_DATE_TEXT, (), hint))
            return {}
        if answer in _NO_DATE:
            return {}
        if not _is_date(answer):
            raise UsageError(
                "{answer} is no date; write 2024, 2024-05 or 2024-05-01", answer=answer
            )
        return dict.fromkeys(needed, answer)

    def _list_titled_roles(self) -> set[str]:
        return {field.partition(".")[0] for field in self.titled}

    def _settle_grade(self) -> dict[str, str]:
        needed = [
            f"{of}.grade"
            for of in ("competition",)
            if f"{of}.name" in self.fields and f"{of}.grade" not in self.fields
        ]
        if not needed:
            return {}
        answer = self._choose(GRADE, tuple(GRADES))
        if answer is None and self.facts.grade:
            return dict.fromkeys(needed, TITLE_MARK)
        if not answer:
            self.questions.append(Question(GRADE, _GRADE_TEXT, tuple(GRADES)))
            return {}
        return dict.fromkeys(needed, answer)

    def _settle_kind(self) -> dict[str, str]:
        """The kind of studios whose names do not say it."""
        names = self._get_cells("studio.name")
        unsaid = [name for name in names if find_studio_kind(name) is None]
        if not unsaid or "studio.kind" in self.fields:
            return {}
        answer = self._choose(KIND, tuple(STUDIO_KINDS))
        if answer is None and find_studio_kind(self.title):
            return {"studio.kind": TITLE_MARK}
        if not answer:
            self.questions.append(Question(KIND, _KIND_TEXT, tuple(STUDIO_KINDS)))
            return {}
        return {"studio.kind": answer}

    def _settle_reemployed(self) -> dict[str, str]:
        """A list of people who work on after their retirement says so of each row."""
        if "reemployment" not in self.subjects or "employment.reemployed" in self.fields:
            return {}
        of_term = [f for f in self.fields if f.startswith("employment.")]
        return {"employment.reemployed": "是"} if of_term else {}

    def _settle_by_name(self) -> bool:
        """Whether a name alone tells people apart, where no column has a number of theirs."""
        keyless = [role for role in _list_name_roles(self.fields) if self._is_keyless(role)]
        in_studio_names = "studio.name" in self.fields and not _list_name_roles(self.fields)
        if not keyless and not in_studio_names:
            return False
        if BY_NAME not in self.answers and self.is_pair_settled:
            return True  # the question of the pair says so
        answer = self._choose_yes(BY_NAME)
        if answer is None:
            text = Message(
                "Some people have only a name: is one name at one employer one person? (no: rows "
                "of people that no other list of the department has are refused)"
            )
            self.questions.append(Question(BY_NAME, text, ("yes", "no")))
        return bool(answer)

    def _settle_by_number(self) -> bool:
        """Whether people of a list that has nothing but their numbers are called by them."""
        roles = {f.partition(".")[0] for f in self.fields if _PAIR_ROLE_PATTERN.match(f)}
        if not roles or not {f"{role}.own_number" for role in roles} <= self.fields:
            return False
        if any(
            re.fullmatch(r"\w+\.(names?|id_number)", f) for f in self.fields if _is_person_field(f)
        ):
            return False
        if BY_NUMBER not in self.answers and self.is_pair_settled:
            return True
        if BY_NUMBER not in self.answers and self._has_staff_numbers():
            return False
        answer = self._choose_yes(BY_NUMBER)
        if answer is None:
            text = Message(
                "The list has numbers of people and no names: may people whom no list names be "
                "called by their number? (no: rows with a number that no other list has are "
                "refused)"
            )
            self.questions.append(Question(BY_NUMBER, text, ("yes", "no")))
        return bool(answer)

    def _has_staff_numbers(self) -> bool:
        """Whether the numbers are those of a department's staff, of whom it has a list."""
        headers = [c.header for c in self.columns if _PAIR_ROLE_PATTERN.match(c.field)]
        return any(_STAFF_NUMBER_PATTERN.search(simplify_list_header(one)) for one in headers)

    def _settle_pair(self) -> None:
        """Which of two columns is the master, where no header says it."""
        pair = self.layout.pair
        if pair is None:
            return
        at = [next(i for i, c in enumerate(self.columns) if c.header == header) for header in pair]
        if any(self.columns[place].field for place in at):
            return
        answer = self.answers.get(MENTOR)
        if answer is None:
            text = Message(
                "Which column is the master's, {first} or {second}? (The list is taken for pairs "
                "of master and apprentice; one name, or one number, is one person.)",
                first=pair[0],
                second=pair[1],
            )
            self.questions.append(Question(MENTOR, text, pair, self._count_pair(at)))
            return
        words = [normalize_list_header(header) for header in pair]
        chosen = normalize_list_header(answer)
        if chosen not in (*words, "1", "2"):
            self._choose(MENTOR, pair)
        is_first = chosen == words[0] or (chosen == "1" and chosen != words[1])
        roles = ("mentor", "apprentice") if is_first else ("apprentice", "mentor")
        for place, role in zip(at, roles, strict=True):
            column = self.columns[place]
            attribute = find_pair_attribute(column.header, self.data[place])
            self.columns[place] = column.model_copy(update={"field": f"{role}.{attribute}"})
        self.fields = {c.field for c in self.columns}
        self.is_pair_settled = True

    def _count_pair(self, at: list[int]) -> Message:
        """A master has several apprentices: the column with fewer people is the likelier."""
        first, second = (self.data[place].n_unique() for place in at)
        return Message(
            "the first has {first:,} different entries, the second {second:,}",
            first=first,
            second=second,
        )

    def _settle_parents(self) -> None:
        """Whether the parents of a genealogy are masters: they are not, unless somebody says so."""
        at = [i for i, c in enumerate(self.columns) if c.field == PARENTS_FIELD]
        if not any(self.data[place].len() for place in at):
            return
        answer = self._choose_yes(PARENTS)
        if answer is None:
            text = Message(
                "Are parents the masters of their children in this file? (no: family ties are "
                "left out)"
            )
            self.questions.append(Question(PARENTS, text, ("no", "yes")))
        elif answer:
            for place in at:
                field = {"field": PARENT_MENTOR_FIELD}
                self.columns[place] = self.columns[place].model_copy(update=field)
            self.fields = {c.field for c in self.columns}

    def _choose_yes(self, key: str) -> bool | None:
        answer = self.answers.get(key)
        if answer is None:
            return None
        if answer.casefold() not in (*_YES, *_NO):
            raise UsageError("{key} takes yes or no", key=key)
        return answer.casefold() in _YES

    def _is_keyless(self, role: str) -> bool:
        keys = [f"{role}.id_number", f"{role}.own_number"]
        keys += ["recognition.certificate_no"] if role == "person" else []
        names = self._get_cells(f"{role}.name").len() + self._get_cells(f"{role}.names").len()
        return all(self._get_cells(key).len() < names for key in keys)


def _is_person_field(field: str) -> bool:
    """Whether the field says something of a person of the row."""
    return re.match(r"(person|lead|mentor|apprentice)\d?\.", field) is not None


def _list_name_roles(fields: set[str]) -> list[str]:
    return sorted(
        {f.partition(".")[0] for f in fields if f.endswith((".name", ".names"))}
        & {
            role
            for f in fields
            if re.fullmatch(r"(person|lead|mentor|apprentice)\d?", role := f.partition(".")[0])
        }
    )


def _is_date(text: str) -> bool:
    return bool(_count_dates(pl.Series([text]), "date"))


def _count_dates(cells: pl.Series, name: str) -> int:
    column = parse_column(cells, Property(name, "", "", Type.DATE), str)
    read = column.values.is_not_null()
    if column.empty is not None:
        read |= column.empty
    return int(read.sum())


def _describe_column(column: ColumnMapping, cells: pl.Series) -> ProposedColumn:
    fits = count_fitting_cells(column, cells)
    share = None if fits is None or not cells.len() else fits / cells.len()
    distinct = cells.unique(maintain_order=True).head(_EXAMPLES)
    examples = tuple(mask_example(column.field, cell) for cell in distinct)
    return ProposedColumn(column.header, column.field, cells.len(), share, examples)


def count_fitting_cells(column: ColumnMapping, cells: pl.Series) -> int | None:
    """How many of the cells are values of the field; None where every text is one."""
    attribute = column.field.rpartition(".")[2]
    if column.field == "recognition.level" or attribute == "level":
        digits = parse_bare_digits(cells)
        known = parse_levels(cells, "").is_not_null() | digits.is_in([*LEVELS, *OLD_DEGREE_LEVELS])
        return int(known.fill_null(False).sum())
    if attribute in DATE_ATTRIBUTES:
        return _count_dates(cells, attribute)
    if column.field in PERIOD_FIELDS:
        return sum(split_period(cell) is not None for cell in cells)
    if column.field in AMOUNT_FIELDS:
        return sum(parse_amount(cell, column.unit or 1) is not None for cell in cells)
    if attribute == "id_number":
        return sum(
            is_valid_id_number(clean_id_number(cell)) or is_masked_id_number(cell) for cell in cells
        )
    if attribute == "credit_code":
        return sum(is_credit_code(cell.strip().upper()) for cell in cells)
    if attribute == "certificate_no":
        return int(parse_certificate_numbers(cells)["year"].is_not_null().sum())
    kinds: dict[str, Any] = {
        "sex": {"choices": SEXES},
        "province": {"type": Type.PROVINCE},
    }
    if attribute in kinds:
        values = parse_column(cells, Property(attribute, "", "", **kinds[attribute]), str).values
        return int(values.is_not_null().sum())
    return None


def mask_example(field: str, cell: str) -> str:
    """The cell as an example may show it; of people's own and unknown columns only its form."""
    if field in _SHOWN_FIELDS:
        return mask_long_numbers(cell[:40])
    if field.rpartition(".")[2] == "id_number":
        return "***"
    return f"{cell[:1]}{'*' * min(len(cell) - 1, 8)}"


def mask_long_numbers(text: str) -> str:
    """The text with `***` in place of every run of nine digits or more."""
    return re.sub(r"\d{9,}[\dXx]?", "***", text)
