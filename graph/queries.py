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

`TYPE?` may be left empty and is then null in Cypher; `= value` is the default (`today` for a
date); a bracket holds the range of a number or the choices of a `choice`. A line
`// column NAME | en: ... | zh: ...` before a file's first query says what a column is called; it
serves all files, and the schema's own labels serve where there is none. All of it is checked when
the files are read: what is wrong is said with file and line.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph.database import Database, plain_record
from graph.errors import DatabaseError, ShichengError, UsageError
from graph.guard import judge, tokens
from graph.model import (
    BASES,
    EVERY_TABLE,
    FACETS,
    GRADES,
    LEVELS,
    LOAD,
    NODES,
    PROVENANCE,
    PROVINCES,
    RELATIONS,
    Choices,
    Declared,
)

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

FOLDER = Path(__file__).resolve().parent.parent / "queries"
# Rows of a user's own query that are kept; of a named query.
MOST_ROWS = 10_000
MOST_QUERY_ROWS = 100_000
# How long past its time limit a query is waited for before it is given up.
GRACE_SECONDS = 3.0

# What a parameter may be. `person` and the other kinds of node are ids; a page may offer a search.
NODE_TYPES = ("person", "enterprise", "school", "studio", "occupation")
CHOICES: Mapping[str, Choices] = {
    "province": PROVINCES,
    "basis": BASES,
    "grade": GRADES,
    "level": {str(level): names for level, names in LEVELS.items()},
}
TYPES = ("string", "integer", "float", "date", "boolean", "choice", *CHOICES, *NODE_TYPES)
_YES = ("true", "yes", "1", "是")
_NO = ("false", "no", "0", "否")


@dataclass(frozen=True)
class Table:
    """What a query returned: `rows` by column, plain Python values, dates as `datetime.date`.

    `truncated`: there are more rows than were asked for at most.
    """

    columns: tuple[str, ...]
    rows: list[list[Any]]
    truncated: bool = False

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
    def takes(self) -> str:
        """What it takes, for help and errors: `a whole number from 1 to 6`."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        what = {
            "integer": "a whole number",
            "float": "a number",
            "date": "a day as 2024-05-01, or today",
            "boolean": "true or false",
            "string": "a text",
        }.get(self.type, f"the id of {'an' if self.type[0] in 'aeo' else 'a'} {self.type}")
        if self.low is not None and self.high is not None:
            what += f" from {self.low:g} to {self.high:g}"
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
                raise UsageError(f"{self.name} is missing: give {self.takes} (-p {self.name}=...).")
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

    def _parsed(self, value: Any) -> Any:
        if self.choices:
            code = _choice(value, self.choices)
            return int(code) if self.type == "level" else code
        parsers: dict[str, Callable[[Any], Any]] = {
            "integer": _integer,
            "float": _float,
            "date": _day,
            "boolean": _boolean,
        }
        parse: Callable[[Any], Any] = parsers.get(self.type, _text)
        return parse(value)

    def _refused(self, value: Any) -> UsageError:
        shown = str(value)
        shown = shown if len(shown) <= 40 else shown[:40] + "..."
        return UsageError(f"{self.name} has {shown!r}, but takes {self.takes}.")


def _choice(value: Any, choices: Choices) -> str:
    """The code of a choice, given by its code or by one of its labels."""
    text = str(value).strip()
    if text in choices:
        return text
    for code, names in choices.items():
        if text.casefold() in (name.casefold() for name in names):
            return code
    raise ValueError


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)


def _float(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or number != number or number in (float("inf"), -float("inf")):
        raise ValueError
    return number


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    text = str(value).strip()
    return dt.date.today() if text == "today" else dt.date.fromisoformat(text)


def _boolean(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _YES + _NO:
        raise ValueError
    return text in _YES


def _text(value: Any) -> str:
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
                names = ", ".join(p.name for p in self.parameters) or "none"
                raise UsageError(f"{self.name} has no parameter {name}; it takes: {names}.")
        return {p.name: p.parse(values.get(p.name)) for p in self.parameters}


# Reading the files


class _Wrong(ShichengError):
    """A query file that can't be taken."""


@dataclass
class _Place:
    file: str
    line: int

    def wrong(self, what: str) -> _Wrong:
        return _Wrong(f"{self.file}:{self.line}: {what}")


@dataclass
class _Block:
    place: _Place
    name: str
    said: dict[str, str] = field(default_factory=dict)
    parameters: list[tuple[_Place, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


_HEADER = re.compile(r"//\s*(name|title\.en|title\.zh|help\.en|help\.zh)\s*:\s*(.*?)\s*$")
_DECLARED = re.compile(r"//\s*(param|column)\s+(.*?)\s*$")
_PARAMETER = re.compile(
    r"(?P<name>[a-z]\w*)\s*:\s*(?P<type>\w+)(?P<optional>\??)"
    r"(?:\s*=\s*(?P<default>[^()|]*?))?\s*(?:\((?P<range>[^)]*)\))?\s*"
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@cache
def load_queries(folder: Path = FOLDER) -> Mapping[str, Query]:
    """The queries of a folder by name, in the order of the files and of the blocks in them.

    Raises `ShichengError` with `file:line` for what is wrong: an unused or undeclared parameter,
    a name that stands twice, a missing title or label, a default that is out of range.
    """
    columns = dict(_model_columns())
    declared: dict[str, _Place] = {}
    blocks: list[_Block] = []
    for path in sorted(folder.glob("*.cypher")):
        blocks += _blocks(path, columns, declared)
    if not blocks:
        raise ShichengError(f"{folder} holds no query; it needs *.cypher files with named blocks.")
    queries: dict[str, Query] = {}
    for block in blocks:
        if block.name in queries:
            first = queries[block.name]
            raise block.place.wrong(
                f"the name {block.name} stands already at {first.file}:{first.line}; take another."
            )
        queries[block.name] = _query(block, columns)
    return queries


def _model_columns() -> Iterator[tuple[str, tuple[str, str]]]:
    """The labels of the schema's properties; the first to use a name gives its label."""
    seen = set()
    every: tuple[Declared, ...] = (*reversed(NODES), LOAD, *FACETS, *RELATIONS)
    for declared in every:
        for known in declared.properties:
            if known.name not in seen:
                seen.add(known.name)
                yield known.name, (known.en, known.zh)
    for known in (*PROVENANCE, *EVERY_TABLE):
        yield known.name, (known.en, known.zh)


def _blocks(
    path: Path, columns: dict[str, tuple[str, str]], declared: dict[str, _Place]
) -> list[_Block]:
    """The blocks of a file; what it says of columns goes into `columns`."""
    blocks: list[_Block] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        place = _Place(path.name, number)
        header, other = _HEADER.match(line), _DECLARED.match(line)
        if header and header.group(1) == "name":
            blocks.append(_Block(place, _checked_name(place, header.group(2))))
        elif other and other.group(1) == "column":
            _column(place, other.group(2), columns, declared)
        elif not blocks:
            if line.strip() and not line.startswith("//"):
                raise place.wrong("a statement before the first `// name:` line; name it.")
        elif header:
            _say(blocks[-1], place, header.group(1), header.group(2))
        elif other:
            blocks[-1].parameters.append((place, other.group(2)))
        else:
            blocks[-1].lines.append(line)
    return blocks


def _checked_name(place: _Place, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise place.wrong(f"the name {name!r} must be lower case with underscores, as chain_up.")
    return name


def _say(block: _Block, place: _Place, what: str, text: str) -> None:
    if what.startswith("title") and what in block.said:
        raise place.wrong(f"{block.name} has two lines {what}; keep one.")
    gap = "" if what == "help.zh" else " "
    block.said[what] = gap.join(filter(None, (block.said.get(what), text)))


def _labels(place: _Place, text: str) -> tuple[str, str, str]:
    """What stands before the labels, and the labels: `... | en: ... | zh: ...`."""
    parts = [part.strip() for part in text.split("|")]
    said = dict(part.split(":", 1) for part in parts[1:] if ":" in part)
    en, zh = said.get("en", "").strip(), said.get("zh", "").strip()
    if not en or not zh or len(parts) != 3:
        raise place.wrong("labels are missing; end the line with `| en: ... | zh: ...`.")
    return parts[0], en, zh


def _column(
    place: _Place, text: str, columns: dict[str, tuple[str, str]], declared: dict[str, _Place]
) -> None:
    name, en, zh = _labels(place, text)
    if name in declared:
        first = declared[name]
        raise place.wrong(f"the column {name} is declared already at {first.file}:{first.line}.")
    declared[_checked_name(place, name)] = place
    columns[name] = (en, zh)


def _query(block: _Block, columns: Mapping[str, tuple[str, str]]) -> Query:
    for what in ("title.en", "title.zh", "help.en", "help.zh"):
        if not block.said.get(what):
            raise block.place.wrong(f"{block.name} has no `// {what}:` line; add one.")
    text = "\n".join(block.lines).strip().rstrip(";")
    if not text:
        raise block.place.wrong(f"{block.name} has no statement after its lines of `//`.")
    parameters: dict[str, Parameter] = {}
    for place, said in block.parameters:
        parameter = _parameter(place, said)
        if parameter.name in parameters:
            raise place.wrong(f"{block.name} declares {parameter.name} twice; keep one.")
        parameters[parameter.name] = parameter
    _check_used(block, parameters)
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
    )


def _check_used(block: _Block, parameters: Mapping[str, Parameter]) -> None:
    """Every parameter of the statement is declared, and every declared one is in it."""
    used = {t.text[1:] for t in tokens("\n".join(block.lines)) if t.kind == "parameter"}
    for name in sorted(used - set(parameters)):
        raise block.place.wrong(
            f"{block.name} uses ${name}, which no `// param {name}: ...` line declares."
        )
    for place, said in block.parameters:
        name = _parameter(place, said).name
        if name not in used:
            raise place.wrong(f"{block.name} declares {name}, but its statement has no ${name}.")


def _parameter(place: _Place, text: str) -> Parameter:
    said, en, zh = _labels(place, text)
    match = _PARAMETER.fullmatch(said)
    if match is None:
        raise place.wrong(f"{said!r} is no parameter; write `name: type = default (low..high)`.")
    kind, default = match["type"], match["default"]
    if kind not in TYPES:
        raise place.wrong(f"{match['name']} is of type {kind}; take one of {', '.join(TYPES)}.")
    low, high, choices = _range(place, kind, match["range"])
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


def _range(
    place: _Place, kind: str, text: str | None
) -> tuple[float | None, float | None, Choices]:
    """The bounds of a number or the choices, from what stands in the bracket."""
    if kind == "choice":
        codes = [code.strip() for code in (text or "").split(",") if code.strip()]
        if len(codes) < 2:
            raise place.wrong("a choice has its choices in a bracket, as `(first, second)`.")
        return None, None, {code: _names(code) for code in codes}
    if text is None:
        return None, None, CHOICES.get(kind, {})
    low, dots, high = text.partition("..")
    try:
        if kind not in ("integer", "float") or not dots or float(low) > float(high):
            raise ValueError
        return float(low), float(high), {}
    except ValueError:
        raise place.wrong(
            f"({text}) is no range; a number has one as `(1..6)`, a choice its choices."
        ) from None


def _names(code: str) -> tuple[str, str]:
    """The labels of a choice: the schema's, where it has that code."""
    every: tuple[Declared, ...] = (*NODES, *RELATIONS)
    for declared in every:
        for known in declared.properties:
            if known.choices and code in known.choices:
                return known.choices[code]
    return _WORDS.get(code, (code.replace("_", " "), code))


# The labels of choices that are no codes of the schema.
_WORDS: Choices = {
    "mentorship": ("mentorship", "师徒"),
    "studio": ("studio", "工作室"),
    "both": ("both", "全部"),
}


# Running


def run(
    database: Database,
    query: Query,
    values: Mapping[str, Any] | None = None,
    *,
    limit: int = MOST_QUERY_ROWS,
    seconds: float | None = None,
) -> Table:
    """The rows of a named query with these values of its parameters (see `Query.parse`).

    At most `limit` rows are kept, and `Table.truncated` says whether there are more. Raises
    `UsageError` for values a parameter does not take, `DatabaseError` for what Neo4j can't do.
    """
    parameters = query.parse(values or {})
    return database.read_with(lambda tx: _table(tx, query.text, parameters, limit), seconds=seconds)


def run_cypher(
    database: Database,
    text: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    limit: int = MOST_ROWS,
    seconds: float | None = None,
) -> Table:
    """The rows of a user's own Cypher, which may only read (see `graph.guard`).

    At most `limit` rows are kept, and `Table.truncated` says whether there are more. Raises
    `RefusedError` for a statement that does more than read, `UsageError` with line and column for
    what is no Cypher, `DatabaseError` for one that does not end in time (`seconds`; default
    `settings.read_seconds`) or needs too much memory.
    """
    given = dict(parameters or {})

    def work(tx: ManagedTransaction) -> Table:
        judge(tx, text, given)
        return _table(tx, text, given, limit)

    allowed = database.settings.read_seconds if seconds is None else seconds
    return _waited(lambda: database.read_with(work, seconds=allowed), allowed)


def _table(tx: ManagedTransaction, text: str, parameters: Mapping[str, Any], limit: int) -> Table:
    result = tx.run(text, dict(parameters))
    columns = tuple(result.keys())
    rows: list[list[Any]] = []
    for record in result:
        if len(rows) >= limit:
            return Table(columns, rows, truncated=True)
        rows.append(list(plain_record(record).values()))
    return Table(columns, rows)


def _waited(work: Callable[[], Table], seconds: float) -> Table:
    """What `work` returns, given up some time after its limit.

    Neo4j looks at the clock between rows: one long expression goes on past the limit (32 s where
    2 s were allowed), and its connection stays silent for as long.
    """
    done: list[Table] = []
    failed: list[BaseException] = []

    def once() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=once, daemon=True, name="cypher")
    thread.start()
    thread.join(seconds + GRACE_SECONDS)
    if failed:
        raise failed[0]
    if not done:
        raise DatabaseError(
            f"The query did not end in {seconds:g} s, and Neo4j can't break off the long "
            "expression it is in: ask for less (a shorter list or range, a LIMIT)."
        )
    return done[0]
