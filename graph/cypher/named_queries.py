"""The named queries of `queries/*.cypher`, and the read-only door for a user's own Cypher.

A query is a block in a file: lines of `//` that declare it, then its Cypher.

    // name: apprentices_of
    // title.en: Apprentices of a person
    // title.zh: 某人的徒弟
    // help.en: One row an apprentice. More help lines go on with the text.
    // help.zh: 每个徒弟一行。
    // param person_id: person | en: Mentor | zh: 师傅
    // param limit: integer = 100 (1..10000) | en: Rows at most | zh: 最多行数
    // param kind: choice? (school, peer) | en: Kind | zh: 类型
    MATCH (:Person {person_id: $person_id})-[:MENTORS]->(p:Person) ...

`// steward: retired_on, retires_on` names columns that only a data steward is given, and the
statement of any query may ask `$steward`, whether one asks; nobody can set it.

`// addable: recognitions, amount` names columns whose sum over the rows means something: no record
counts in two rows. Shares, medians, and people counted once a row are none.

`TYPE?` may be left empty and is then null in Cypher; `= value` is the default (`today` for a
date); a bracket holds the range of a number or the choices of a `choice`. A line
`// column NAME | en: ... | zh: ...` before a file's first query says what a column is called; it
serves all files, and the schema's own labels serve where there is none. All of it is checked when
the files are read: what is wrong is said with file and line. Blocks marked `// internal:` are not
for people: `graph.cypher.internal_queries` reads them.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from graph.audit.actor import find_current_actor
from graph.audit.log import record_event
from graph.cypher.guard import Token, tokenize_cypher, validate_statement
from graph.cypher.masking import mask_statement, mask_value, validate_fulltext_indexes
from graph.cypher.outline import outline_statement
from graph.cypher.query_files import (
    QUERY_FOLDER,
    QueryBlock,
    QueryFileError,
    QueryFileLine,
    parse_labels,
    read_own_block,
    read_query_files,
)
from graph.dates import is_precision, restore_date_precision
from graph.errors import RefusedError, UsageError
from graph.messages import NONE_WORDS, Message, Words
from graph.model.kinds import COMMON_TABLE_COLUMNS, FACETS, LOAD, NODES, PROVENANCE, RELATIONS
from graph.model.schema_types import Declared, Type
from graph.model.vocabularies import BASES, GRADES, LEVELS, PROVINCES, Choices
from graph.purposes import PURPOSES, opens_personal_data
from graph.roles import Role, has_permission
from graph.server.database import Database, convert_neo4j_record

if TYPE_CHECKING:
    from neo4j import Transaction

    from graph.server.console import Meter, Stream

# Rows of a user's own query that are returned; of a named query.
# From so many mentorships on, Neo4j takes minutes for a query that reads every record.
LARGE_STORE_MENTORSHIPS = 1_000_000
# Query name -> its answer from the tables of a snapshot, by the query's parameters.
TableAnswers = Mapping[str, Callable[[Mapping[str, Any]], Any]]
MAX_USER_QUERY_ROWS = 10_000
MAX_QUERY_ROWS = 100_000

# What a parameter may be. `person` and the other kinds of node are ids; a page may offer a search.
NODE_PARAMETER_TYPES = ("person", "enterprise", "school", "studio", "occupation")
PARAMETER_CHOICES: Mapping[str, Choices] = {
    "province": PROVINCES,
    "basis": BASES,
    "grade": GRADES,
    "level": {str(level): names for level, names in LEVELS.items()},
}
PARAMETER_TYPES = (
    "string",
    "integer",
    "float",
    "date",
    "boolean",
    "choice",
    *PARAMETER_CHOICES,
    *NODE_PARAMETER_TYPES,
)
# What a parameter takes, by its type; ids name the kind of record.
_PARAMETER_TYPE_MESSAGES = {
    "integer": Message("a whole number"),
    "float": Message("a number"),
    "date": Message("a day as 2024-05-01, or today"),
    "boolean": Message("true or false"),
    "string": Message("a text"),
}
_NODE_TYPE_WORDS = {
    "person": Words("a person", "人员"),
    "enterprise": Words("an enterprise", "企业"),
    "school": Words("a school", "院校"),
    "studio": Words("a studio", "工作室"),
    "occupation": Words("an occupation", "职业"),
}
_TRUE_WORDS = ("true", "yes", "1", "是")
_FALSE_WORDS = ("false", "no", "0", "否")


@dataclass(frozen=True)
class Table:
    """What a query returned: `rows` by column, plain Python values, dates as `datetime.date`.

    `truncated`: there are more rows than were asked for at most; `too_large`: because these are
    already as many bytes as may be read (`settings.result_mb`).
    """

    columns: tuple[str, ...]
    rows: list[list[Any]]
    truncated: bool = False
    too_large: bool = False
    notices: tuple[Message, ...] = ()

    def records(self) -> Iterator[dict[str, Any]]:
        """The rows as dicts by column."""
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)


@dataclass(frozen=True)
class Parameter:
    """A declared parameter. `low` and `high` bound numbers; `choices` are codes with labels."""

    name: str
    type: str
    en: str
    zh: str
    optional: bool = False
    default: str | None = None
    low: float | None = None
    high: float | None = None
    choices: Choices = field(default_factory=dict)

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return not self.optional and self.default is None

    @property
    def takes(self) -> Message:
        """What it takes, for help and errors: `a whole number from 1 to 6`."""
        if self.choices:
            return Message("one of {choices}", choices=[*self.choices])
        what = _PARAMETER_TYPE_MESSAGES.get(self.type) or Message(
            "the id of {kind}", kind=_NODE_TYPE_WORDS[self.type]
        )
        if self.low is not None and self.high is not None:
            return Message(
                "{what} from {low:g} to {high:g}", what=what, low=self.low, high=self.high
            )
        return what

    def label(self, language: str = "en") -> str:
        """Its label in a language (`en`, `zh`)."""
        return self.zh if language == "zh" else self.en

    def parse(self, value: Any) -> Any:
        """The value as Cypher takes it; nothing given (None, blank) is the default, else None.

        Raises `UsageError` that names the parameter, the value and what it takes.
        """
        if value is None or (isinstance(value, str) and not value.strip()):
            value = self.default
        if value is None:
            if self.required:
                raise UsageError(
                    "{label} is missing: give {takes} (parameter {name}).",
                    label=Words(self.en or self.name, self.zh or self.name),
                    name=self.name,
                    takes=self.takes,
                )
            return None
        try:
            parsed = self._parsed(value)
        except (ValueError, TypeError, KeyError):
            raise self._refused(value) from None
        if self.low is not None and parsed < self.low:
            raise self._refused(value)
        if self.high is not None and parsed > self.high:
            raise self._refused(value)
        return parsed

    def parse_default(self) -> Any:
        """The value that holds when none is given; None where one must be."""
        return None if self.required else self.parse(None)

    def _parsed(self, value: Any) -> Any:
        if self.choices:
            code = _parse_choice(value, self.choices)
            return int(code) if self.type == "level" else code
        parsers: dict[str, Callable[[Any], Any]] = {
            "integer": _parse_integer,
            "float": _parse_float,
            "date": _parse_query_day,
            "boolean": _parse_boolean,
        }
        parse: Callable[[Any], Any] = parsers.get(self.type, _parse_text)
        return parse(value)

    def _refused(self, value: Any) -> UsageError:
        shown = str(value)
        shown = shown if len(shown) <= 40 else shown[:40] + "..."
        return UsageError(
            "{label} has {value!r}, but takes {takes} (parameter {name}).",
            label=Words(self.en or self.name, self.zh or self.name),
            name=self.name,
            value=shown,
            takes=self.takes,
        )


def _parse_choice(value: Any, choices: Choices) -> str:
    """The code of a choice, given by its code or by one of its labels."""
    text = str(value).strip()
    if text in choices:
        return text
    for code, names in choices.items():
        if text.casefold() in (name.casefold() for name in names):
            return code
    raise ValueError


def _parse_integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)


def _parse_float(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or number != number or number in (float("inf"), -float("inf")):
        raise ValueError
    return number


def _parse_query_day(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    text = str(value).strip()
    return dt.date.today() if text == "today" else dt.date.fromisoformat(text)


def _parse_boolean(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE_WORDS + _FALSE_WORDS:
        raise ValueError
    return text in _TRUE_WORDS


def _parse_text(value: Any) -> str:
    return str(value).strip()


@dataclass(frozen=True)
class Query:
    """A named query: its Cypher, and all that a page or a command needs to offer it."""

    name: str
    title_en: str
    title_zh: str
    help_en: str
    help_zh: str
    parameters: tuple[Parameter, ...]
    text: str
    file: str
    line: int
    columns: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    for_stewards: frozenset[str] = frozenset()
    addable: frozenset[str] = frozenset()

    def title(self, language: str = "en") -> str:
        """Its title in a language (`en`, `zh`)."""
        return self.title_zh if language == "zh" else self.title_en

    def help(self, language: str = "en") -> str:
        """What it shows and how, in a language (`en`, `zh`)."""
        return self.help_zh if language == "zh" else self.help_en

    def column_label(self, column: str, language: str = "en") -> str:
        """What a column is called in a language (`en`, `zh`); its own name if nothing is known."""
        en, zh = self.columns.get(column, (column, column))
        return zh if language == "zh" else en

    def parse(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The value of each declared parameter, from texts or Python values.

        Raises `UsageError` for a value that a parameter does not take, for one that is missing
        and for a name that is not declared.
        """
        known = {parameter.name for parameter in self.parameters}
        for name in values:
            if name not in known:
                names = [p.name for p in self.parameters] or NONE_WORDS
                raise UsageError(
                    "{query} has no parameter {name}; it takes: {known}.",
                    query=self.name,
                    name=name,
                    known=names,
                )
        return {p.name: p.parse(values.get(p.name)) for p in self.parameters}


# Reading the files

# What every statement may ask, beside its parameters: whether a data steward asks.
STEWARD_PARAMETER = "steward"
_PARAMETER_PATTERN = re.compile(
    r"(?P<name>[a-z]\w*)\s*:\s*(?P<type>\w+)(?P<optional>\??)"
    r"(?:\s*=\s*(?P<default>[^()|]*?))?\s*(?:\((?P<range>[^)]*)\))?\s*"
)


@cache
def load_queries(folder: Path = QUERY_FOLDER) -> Mapping[str, Query]:
    """The queries of a folder by name, in the order of the files and of the blocks in them.

    Raises `ShichengError` with `file:line` for what is wrong: an unused or undeclared parameter,
    a name that stands twice, a missing title or label, a default that is out of range.
    """
    blocks, declared = read_query_files(folder)
    columns = {**dict(_list_model_columns()), **declared}
    return {b.name: _build_query(b, columns) for b in blocks if not b.internal}


def parse_own_query(title: str, help: str, text: str) -> Query:
    """A statement of a user's own as a query: its lines `// param ...` declare what it asks for.

    Parameters that are used and not declared are none of it. Raises `UsageError` for a declaration
    that can't be read, or that the statement does not use.
    """
    block = read_own_block("own", text)
    block.said.update({f"title.{one}": title for one in ("en", "zh")})
    block.said.update({f"help.{one}": help or title for one in ("en", "zh")})
    try:
        parameters = tuple(_parse_parameter(place, said) for place, said in block.parameters)
        statement = block.statement()
    except QueryFileError as error:
        raise UsageError(
            "The lines of // param cannot be read ({why}); write each as // param province: "
            "province? | en: Province | zh: 省份.",
            why=str(error),
        ) from error
    names = [one.name for one in parameters]
    unused = [name for name in names if name not in block.used_parameters()]
    if unused or len(set(names)) < len(names):
        raise UsageError(
            "Each // param is declared once and used in the statement as ${name}; see to {names}.",
            name="name",
            names=unused or names,
        )
    columns = dict(_list_model_columns())
    addable = _split_columns(block.said.get("addable", ""))
    return Query(
        "own", title, title, help, help, parameters, statement, "own", 1, columns, addable=addable
    )


def _split_columns(text: str) -> frozenset[str]:
    """The names in `a, b`."""
    return frozenset(filter(None, re.split(r"[,\s]+", text)))


def _list_model_columns() -> Iterator[tuple[str, tuple[str, str]]]:
    """The labels of the schema's properties; the first to use a name gives its label."""
    seen = set()
    every: tuple[Declared, ...] = (*reversed(NODES), LOAD, *FACETS, *RELATIONS)
    for declared in every:
        for known in declared.properties:
            if known.name not in seen:
                seen.add(known.name)
                yield known.name, (known.en, known.zh)
    for known in (*PROVENANCE, *COMMON_TABLE_COLUMNS):
        yield known.name, (known.en, known.zh)


def _build_query(block: QueryBlock, columns: Mapping[str, tuple[str, str]]) -> Query:
    for what in ("title.en", "title.zh", "help.en", "help.zh"):
        if not block.said.get(what):
            raise block.place.wrong(f"{block.name} has no `// {what}:` line; add one.")
    text = block.statement()
    parameters: dict[str, Parameter] = {}
    for place, said in block.parameters:
        parameter = _parse_parameter(place, said)
        if parameter.name in parameters:
            raise place.wrong(f"{block.name} declares {parameter.name} twice; keep one.")
        parameters[parameter.name] = parameter
    _validate_parameter_use(block, parameters)
    return Query(
        name=block.name,
        title_en=block.said["title.en"],
        title_zh=block.said["title.zh"],
        help_en=block.said["help.en"],
        help_zh=block.said["help.zh"],
        parameters=tuple(parameters.values()),
        text=text,
        file=block.place.file,
        line=block.place.line,
        columns=columns,
        for_stewards=_split_columns(block.said.get("steward", "")),
        addable=_split_columns(block.said.get("addable", "")),
    )


def _validate_parameter_use(block: QueryBlock, parameters: Mapping[str, Parameter]) -> None:
    """Every parameter of the statement is declared, and every declared one is in it."""
    used = block.used_parameters()
    for name in sorted(used - set(parameters) - {STEWARD_PARAMETER}):
        raise block.place.wrong(
            f"{block.name} uses ${name}, which no `// param {name}: ...` line declares."
        )
    for place, said in block.parameters:
        name = _parse_parameter(place, said).name
        if name not in used:
            raise place.wrong(f"{block.name} declares {name}, but its statement has no ${name}.")


def _parse_parameter(place: QueryFileLine, text: str) -> Parameter:
    said, en, zh = parse_labels(place, text)
    match = _PARAMETER_PATTERN.fullmatch(said)
    if match is None:
        raise place.wrong(f"{said!r} is no parameter; write `name: type = default (low..high)`.")
    kind, default = match["type"], match["default"]
    if kind not in PARAMETER_TYPES:
        raise place.wrong(
            f"{match['name']} is of type {kind}; take one of {', '.join(PARAMETER_TYPES)}."
        )
    low, high, choices = _parse_range(place, kind, match["range"])
    default = default.strip().strip("\"'") if default else None
    parameter = Parameter(
        match["name"], kind, en, zh, bool(match["optional"]), default, low, high, choices
    )
    if default is not None:
        try:
            parameter.parse(default)
        except UsageError as error:
            raise place.wrong(f"the default of {error}") from error
    return parameter


def _parse_range(
    place: QueryFileLine, kind: str, text: str | None
) -> tuple[float | None, float | None, Choices]:
    """The bounds of a number or the choices, from what stands in the bracket."""
    if kind == "choice":
        codes = [code.strip() for code in (text or "").split(",") if code.strip()]
        if len(codes) < 2:
            raise place.wrong("a choice has its choices in a bracket, as `(first, second)`.")
        return None, None, {code: _find_choice_labels(code) for code in codes}
    if text is None:
        return None, None, PARAMETER_CHOICES.get(kind, {})
    low, dots, high = text.partition("..")
    try:
        if kind not in ("integer", "float") or not dots or float(low) > float(high):
            raise ValueError
        return float(low), float(high), {}
    except ValueError:
        raise place.wrong(
            f"({text}) is no range; a number has one as `(1..6)`, a choice its choices."
        ) from None


def _find_choice_labels(code: str) -> tuple[str, str]:
    """The labels of a choice: the schema's, where it has that code."""
    every: tuple[Declared, ...] = (*NODES, *RELATIONS)
    for declared in every:
        for known in declared.properties:
            if known.choices and code in known.choices:
                return known.choices[code]
    return _CHOICE_LABELS.get(code, (code.replace("_", " "), code))


# The labels of choices that are no codes of the schema.
_CHOICE_LABELS: Choices = {
    "mentorship": ("mentorship", "师徒"),
    "studio": ("studio", "工作室"),
    "both": ("both", "全部"),
    "last": ("its last day", "当年最后一天"),
    "first": ("its first day", "当年第一天"),
    "finished": ("finished", "已完成"),
    "unfinished": ("unfinished", "未完成"),
    "person": ("person", "人员"),
    "age": ("by age", "按年龄推算"),
    "record": ("on record", "已登记"),
    "mentor of": ("mentor of", "是其师傅"),
    "apprentice of": ("apprentice of", "是其徒弟"),
    "recognised": ("recognised", "等级认定"),
    "honoured": ("honoured", "获荣誉"),
    "named": ("named a leading talent", "领军人才认定"),
    "placed": ("placed in a competition", "竞赛获奖"),
    "mentored": ("became an apprentice", "拜师"),
    "leads": ("leads a studio", "领办工作室"),
    "trained": ("trained at a studio", "工作室培训"),
    "people": ("people", "人员"),
    "mentorships": ("mentorships", "师徒关系"),
    "recognitions": ("recognitions", "等级认定"),
    "enterprises": ("enterprises", "企业"),
    "schools": ("schools", "院校"),
    "studios": ("studios", "工作室"),
}
# Columns of a result whose values are codes with a label.
CODED_COLUMNS: Final = frozenset(
    {
        "state",
        "kind",
        "known_by",
        "next_step",
        "event",
        "grade",
        "basis",
        "honour",
        "mode",
        "type",
        "ownership",
        "channel",
    }
)


def format_coded_value(column: str, value: Any, language: str) -> Any:
    """A value of a result in words: the label of a code in a column of codes, else itself."""
    if column not in CODED_COLUMNS or not isinstance(value, str):
        return value
    en, zh = _find_choice_labels(value)
    return zh if language == "zh" else en


# The values of a user's own statement

_COMPARISON_CHARACTERS = frozenset("=<>~")
_TYPES_BY_NAME: Mapping[str, Type] = {
    "string": Type.STRING,
    "date": Type.DATE,
    "integer": Type.INTEGER,
    "float": Type.FLOAT,
    "boolean": Type.BOOLEAN,
    "level": Type.INTEGER,
    "province": Type.STRING,
    "occupation": Type.STRING,
    "id number": Type.STRING,
}


def parse_typed_values(text: str, given: Mapping[str, str]) -> dict[str, Any]:
    """The values of a statement's parameters, from what was typed for them (`-p name=value`).

    A parameter that the statement compares with a property of the schema has that property's type:
    a `person_id` of digits stays a text, a `start` is a date. Any other is read as JSON (4, true,
    "4", [1, 2]), a day written 2024-05-01 as a date, and all else as the text it is. Raises
    UsageError for what Neo4j can't hold, and for a word where a day or a number is compared.
    """
    uses = _find_parameter_types(tokenize_cypher(text))
    return {name: _parse_typed_value(name, value, uses.get(name)) for name, value in given.items()}


def _parse_typed_value(name: str, value: str, type: Type | None) -> Any:
    if type is Type.STRING and not value.lstrip().startswith(('"', "[", "null")):
        return value
    try:
        found = (
            _parse_query_day(value.strip().strip('"')) if type is Type.DATE else json.loads(value)
        )
    except ValueError:
        found = _parse_day_or_text(value)
    if not _is_neo4j_value(found):
        raise UsageError(
            "-p {name} holds a value that Neo4j can't: {value!r}", name=name, value=value
        )
    if type in _COMPARED_TYPE_WORDS and isinstance(found, str):
        raise UsageError(
            "-p {name} is compared with {what}, but has {value!r}; give one, as {example}",
            name=name,
            value=value,
            what=_COMPARED_TYPE_WORDS[type][0],
            example=_COMPARED_TYPE_WORDS[type][1],
        )
    return found


# With a text none of these ever compares as true or false: the answer would be empty in silence.
_COMPARED_TYPE_WORDS: Mapping[Type | None, tuple[Words, str]] = {
    Type.DATE: (Words("a date", "日期"), "2024-05-01"),
    Type.INTEGER: (Words("a whole number", "整数"), "4"),
    Type.FLOAT: (Words("a number", "数字"), "4.5"),
    Type.BOOLEAN: (Words("true or false", "真假值"), "true"),
}
_ISO_DAY_PATTERN = re.compile(r"\d{4}-\d\d-\d\d")


def _parse_day_or_text(value: str) -> dt.date | str:
    try:
        return dt.date.fromisoformat(value) if _ISO_DAY_PATTERN.fullmatch(value) else value
    except ValueError:
        return value


def _is_neo4j_value(value: Any) -> bool:
    """Whether Bolt can carry it: integers of 64 bits, text without lone surrogates."""
    if isinstance(value, str):
        return value.isascii() or value == value.encode(errors="ignore").decode()
    if isinstance(value, list):
        return all(map(_is_neo4j_value, value))
    if isinstance(value, dict):
        return all(map(_is_neo4j_value, (*value, *value.values())))
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _find_parameter_types(words: Sequence[Token]) -> dict[str, Type]:
    """The type of the property that each parameter is compared with, where the schema knows it."""
    types = _collect_property_types()
    found: dict[str, Type] = {}
    for at, token in enumerate(words):
        if token.kind != "parameter":
            continue
        for name in _list_compared_properties(words, at):
            if name in types:
                found.setdefault(token.text[1:].strip("`"), types[name])
    return found


def _list_compared_properties(words: Sequence[Token], at: int) -> Iterator[str]:
    """The names of properties beside a parameter: `{name: $x}`, `p.name >= $x`, `$x <= p.name`."""
    before, after = at - 1, at + 1
    if before > 0 and words[before].text == ":":
        yield words[before - 1].text.strip("`")
    while before > 0 and _is_comparison_token(words[before]):
        before -= 1
    if 0 < before < at - 1 and words[before - 1].text == ".":
        yield words[before].text.strip("`")
    while after < len(words) and _is_comparison_token(words[after]):
        after += 1
    if after > at + 1 and after + 2 < len(words) and words[after + 1].text == ".":
        yield words[after + 2].text.strip("`")


def _is_comparison_token(token: Token) -> bool:
    return token.text in _COMPARISON_CHARACTERS or token.word in (
        "CONTAINS",
        "STARTS",
        "ENDS",
        "WITH",
        "IN",
    )


@cache
def _collect_property_types() -> Mapping[str, Type]:
    """The type of each property that has one and the same everywhere in the schema."""
    types: dict[str, set[Type]] = {}
    every: tuple[Declared, ...] = (*NODES, LOAD, *FACETS, *RELATIONS)
    for declared in every:
        for known in declared.properties:
            types.setdefault(known.stored, set()).add(_TYPES_BY_NAME[known.type.value])
    return {name: next(iter(its)) for name, its in types.items() if len(its) == 1}


# Running

# What becomes of rows before anybody sees them: dates as precise as they are known, masked.
FinishTable = Callable[[Table], Table]


@dataclass(frozen=True)
class Reading:
    """How the rows of an answer are taken: by default into memory, at most so many.

    `read` takes them from the open transaction, and `take` from a frame of Polars that holds them
    all; both hand them to `finish`, and return a table of what they did not put elsewhere.
    `seconds` is the time limit, and `stream` holds for an answer that is read while it comes.
    """

    read: Callable[[Transaction, str, Mapping[str, Any], Meter, FinishTable], Table]
    take: Callable[[Any, FinishTable], Table]
    seconds: float
    stream: Stream | None = None


def build_memory_reading(database: Database, limit: int, seconds: float | None) -> Reading:
    """At most `limit` rows, in memory, within the time of a read."""

    def read(
        tx: Transaction,
        text: str,
        parameters: Mapping[str, Any],
        meter: Meter,
        finish: FinishTable,
    ) -> Table:
        return finish(_read_result_table(tx, text, parameters, limit, meter))

    def take(found: Any, finish: FinishTable) -> Table:
        rows = [list(row) for row in found.head(limit).iter_rows()]
        return finish(Table(tuple(found.columns), rows, truncated=found.height > limit))

    allowed = database.settings.read_seconds if seconds is None else seconds
    return Reading(read, take, allowed)


def run_query(
    database: Database,
    query: Query,
    values: Mapping[str, Any] | None = None,
    *,
    role: Role = "manager",
    limit: int = MAX_QUERY_ROWS,
    seconds: float | None = None,
    tables: TableAnswers | None = None,
    reading: Reading | None = None,
) -> Table:
    """The rows of a named query with these values of its parameters (see `Query.parse`).

    Who is no data steward (`role`) gets the rows without `Query.for_stewards`. At most `limit` rows
    are returned, and `Table.truncated` says whether there are more. In a large store a query that
    reads every record is answered from `tables` (`graph.people.table_queries`) where it is there.
    Raises `RefusedError` for a role that sees nobody, `UsageError` for values a parameter does not
    take, `DatabaseError` for what Neo4j can't do.
    """
    _require_people_role(database, role, f"query {query.name}")
    steward = is_unmasked(role)
    parameters = query.parse(values or {}) | {STEWARD_PARAMETER: steward}
    asked = [parameters[one.name] for one in query.parameters if one.type == "person"]
    record_event(
        database.settings.home,
        "query",
        people=[id for id in asked if id is not None],
        name=query.name,
        whole=steward,
    )
    how = reading or build_memory_reading(database, limit, seconds)

    def finish(table: Table) -> Table:
        table = _restore_result_dates(table)
        if steward:
            return table
        notices = (*table.notices, *list_purpose_notices(role))
        return mask_table(replace(table, notices=notices), query.for_stewards)

    found = _run_table_query(database, query, parameters, tables)
    if found is not None:
        return how.take(found, finish)
    return database.console.ask(
        lambda tx, meter: how.read(tx, query.text, parameters, meter, finish),
        seconds=how.seconds,
        stream=how.stream,
    )


def is_unmasked(role: Role) -> bool:
    """Whether rows come unmasked: to a data steward who said what for. Asks who acts."""
    return opens_personal_data(role, find_current_actor().purpose)


def list_purpose_notices(role: Role) -> tuple[Message, ...]:
    """What a data steward is told whose answer is masked for want of a purpose."""
    if not has_permission(role, "personal_data"):
        return ()
    return (
        Message(
            "personal data is masked until you say what you read it for: --purpose, or "
            "SHICHENG_PURPOSE, one of {purposes}; in the app at the left",
            purposes=list(PURPOSES),
        ),
    )


def _require_people_role(database: Database, role: Role, what: str) -> None:
    """Raises `RefusedError` for a role that sees figures alone: rows may name people."""
    if not has_permission(role, "people"):
        record_event(database.settings.home, "refusal", what=what)
        raise RefusedError("The role {role} sees national figures alone, no queries.", role=role)


def _restore_result_dates(table: Table) -> Table:
    """The table with each date as precise as the column `NAME_precision` says, which goes."""
    names = [name for name in table.columns if not is_precision(name, table.columns)]
    if len(names) == len(table.columns):
        return table
    rows = [
        restore_date_precision(dict(zip(table.columns, row, strict=True))) for row in table.rows
    ]
    return replace(table, columns=tuple(names), rows=[[row[n] for n in names] for row in rows])


def _run_table_query(
    database: Database,
    query: Query,
    parameters: Mapping[str, Any],
    tables: TableAnswers | None,
) -> Any:
    """The rows from the tables of a large store's snapshot; None where Neo4j is to be asked."""
    if tables is None or query.name not in tables:
        return None
    (counted,) = database.read("MATCH ()-[r:MENTORS]->() RETURN count(r) AS n")
    if counted["n"] < LARGE_STORE_MENTORSHIPS:
        return None
    return tables[query.name](parameters)


def run_cypher(
    database: Database,
    text: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    role: Role = "analyst",
    limit: int = MAX_USER_QUERY_ROWS,
    seconds: float | None = None,
    reading: Reading | None = None,
) -> Table:
    """The rows of a user's own Cypher, which may only read (see `graph.cypher.guard`), and nothing
    of people's data that only a data steward may (see `graph.cypher.masking`), unless `role` is
    one.

    At most `limit` rows are returned, and `Table.truncated` says whether there are more. Raises
    `RefusedError` for a role that may not (`graph.roles`) and for a statement that does more than
    read, `UsageError` with line and column for
    what is no Cypher, `DatabaseError` for one that does not end in time (`seconds`; default
    `settings.read_seconds`) or needs too much memory.
    """
    given = dict(parameters or {})
    how = reading or build_memory_reading(database, limit, seconds)
    unmasked = is_unmasked(role)

    def work(tx: Transaction, meter: Meter) -> Table:
        judged = validate_statement(tx, text, given)
        notices = judged.notices if unmasked else (*judged.notices, *list_purpose_notices(role))
        stated: dict[str, Any] = {"columns": judged.columns, "notices": notices}
        if unmasked:
            return how.read(tx, text, given, meter, lambda table: replace(table, **stated))
        words = tokenize_cypher(text)
        validate_fulltext_indexes(tx, words)
        masked = mask_statement(text, words, given)
        return how.read(tx, masked, given, meter, lambda t: mask_table(replace(t, **stated)))

    home, outline = database.settings.home, outline_statement(text)
    if not has_permission(role, "cypher"):
        record_event(home, "refusal", what="cypher", statement=outline, text=text)
        raise RefusedError(
            "The role {role} runs named queries alone; analysts and data stewards write Cypher of "
            "their own.",
            role=role,
        )
    record_event(home, "query", statement=outline, text=text, whole=unmasked)
    try:
        return database.console.ask(work, seconds=how.seconds, stream=how.stream)
    except RefusedError:
        record_event(home, "refusal", what="cypher", statement=outline, text=text)
        raise


def mask_table(table: Table, columns: Collection[str] = ()) -> Table:
    """The table without these columns, and without the masked properties in its values."""
    shown = [at for at, name in enumerate(table.columns) if name not in columns]
    rows = [[mask_value(row[at]) for at in shown] for row in table.rows]
    return replace(table, columns=tuple(table.columns[at] for at in shown), rows=rows)


def _read_result_table(
    tx: Transaction, text: str, parameters: Mapping[str, Any], limit: int, meter: Meter
) -> Table:
    result = tx.run(text, dict(parameters))
    columns = tuple(result.keys())
    rows: list[list[Any]] = []
    for record in result:
        if len(rows) >= limit or meter.full:
            return Table(columns, rows, truncated=True, too_large=meter.full)
        rows.append(list(convert_neo4j_record(record).values()))
    return Table(columns, rows)
