"""What a statement of a user's own may do: read this graph, and nothing else.

The engine judges: EXPLAIN makes it parse and plan the statement without running it, and the plan
names what each step would do. Only statements of type read whose every step stands on a list of
reading steps go on, with procedures from a list, in this database.

A subquery inside an expression (`[x IN [1] | COLLECT { LOAD CSV ... }]`) is not among the plan's
steps, though it is run: Neo4j 5.26 and 2026.08 both do so. So the statement's words are looked at
as well, for LOAD CSV and for the names of procedures and functions, wherever they stand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graph.errors import RefusedError, ShichengError, UsageError
from graph.messages import AnyOf, Message, Words

if TYPE_CHECKING:
    from neo4j import SummaryNotification, Transaction
    from neo4j.exceptions import Neo4jError

# Steps that read, by the name before the bracket: Expand(All), Repeat(Trail), ...
_READING_STEP_NAMES = """
    AntiConditionalApply AntiSemiApply Anti Apply Argument ArgumentTracker AssertSameNode
    AssertSameRelationship BidirectionalRepeat CacheProperties CartesianProduct ConditionalApply
    Distinct Eager EagerAggregation EmptyResult EmptyRow ExhaustiveLimit Expand Filter
    LetAntiSemiApply LetSelectOrAntiSemiApply LetSelectOrSemiApply LetSemiApply Limit
    NodeCountFromCountStore NodeHashJoin NodeLeftOuterHashJoin NodeRightOuterHashJoin
    NonFuseable NullifyMetadata Optional OptionalExpand OrderedAggregation OrderedDistinct
    OrderedUnion PartialSort PartialTop PartitionedUnwind PathPropagatingBFS PreserveOrder
    ProcedureCall ProduceResults ProjectEndpoints Projection RelationshipCountFromCountStore
    RemoteBatchProperties RemoteBatchPropertiesWithFilter Repeat RepeatOptions RollUpApply
    SelectOrAntiSemiApply SelectOrSemiApply SemiApply ShortestPath ShowConstraints ShowFunctions
    ShowIndexes ShowProcedures Skip Sort StatefulShortestPath Top TriadicBuild TriadicFilter
    TriadicSelection Union Unwind ValueHashJoin ValueMergeJoin VarLengthExpand
"""
READING_STEPS = frozenset(_READING_STEP_NAMES.split())
# So end the names of the steps that find nodes and relations: NodeByLabelScan, NodeIndexSeek, ...
_FINDING_STEP_SUFFIXES = (
    "Scan",
    "Seek",
    "SeekByRange",
    "Search",
    "Lookup",
    "LabelsScan",
    "TypesScan",
)
# But these look something up in order to write.
_WRITING_STEP_PREFIXES = ("Asserting",)

READING_PROCEDURES = frozenset(
    {
        "db.index.fulltext.listAvailableAnalyzers",
        "db.index.fulltext.queryNodes",
        "db.index.fulltext.queryRelationships",
        "db.labels",
        "db.propertyKeys",
        "db.relationshipTypes",
        "db.schema.nodeTypeProperties",
        "db.schema.relTypeProperties",
        "db.schema.visualization",
        "dbms.components",
    }
)
# Reading ones that the engine counts among the system's all the same.
_SYSTEM_PROCEDURES = frozenset({"dbms.components"})
# `date.truncate`, `duration.between`, ...: Neo4j's own functions that have a dot in their name.
_FUNCTION_NAMESPACES = frozenset(
    {
        "COLL",
        "DATE",
        "DATETIME",
        "DURATION",
        "LOCALDATETIME",
        "LOCALTIME",
        "POINT",
        "TIME",
        "VECTOR",
    }
)

_TOKEN_PATTERN = re.compile(
    r"""
      (?P<comment> //[^\r\n]* | /\*.*?\*/ )
    | (?P<string> '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" )
    | (?P<parameter> \$(?:\w+|`(?:``|[^`])*`) )
    | (?P<name> \w+ | `(?:``|[^`])*` )
    | (?P<sign> \S )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE_PATTERN = re.compile(r"\\[uU]+([0-9a-fA-F]*)")
_POSITION_PATTERN = re.compile(r"\s*\(line (\d+), column (\d+) \(offset: \d+\)\)")
# What refused steps do, by a part of their name; the first that fits is said.
_REFUSED_STEP_ACTIONS = (
    ("Show", Message("asks the server about itself")),
    ("Terminate", Message("ends what others run")),
    ("Administration", Message("administers the server")),
    ("Alter", Message("administers the server")),
    ("LoadCSV", Message("reads a file")),
    ("Transaction", Message("opens transactions of its own")),
    ("Index", Message("changes an index or asks for one")),
    ("Constraint", Message("changes a constraint or asks for one")),
    ("Delete", Message("deletes nodes or relationships")),
    ("Remove", Message("removes labels or properties")),
    ("Set", Message("changes properties or labels")),
    ("Merge", Message("creates nodes or relationships")),
    ("Create", Message("creates nodes or relationships")),
    ("Foreach", Message("changes the graph row by row")),
)
_NOTICE_NAME_PATTERN = re.compile(r"the missing [a-z ]+ is: ([^)]+)\)")
_UNKNOWN_NAME_WORDS = {
    "UnknownLabelWarning": Words("label", "标签"),
    "UnknownRelationshipTypeWarning": Words("relation", "关系类型"),
    "UnknownPropertyKeyWarning": Words("property", "属性"),
}
_MAX_REASON_CHARACTERS = 160
# A statement deeper than Neo4j's threads have stack for is never answered, and breaks classes of
# the server for all who ask after it. Brackets and operators are what makes one deep.
MAX_STATEMENT_CHARACTERS = 20_000
MAX_NESTING_DEPTH = 50
MOST_OPERATORS = 1_000
MOST_CLAUSES = 200
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_OPERATOR_WORDS = frozenset(
    ("AND", "OR", "XOR", "NOT", "IN", "IS", "STARTS", "ENDS", "CONTAINS", "WHEN")
)
_CLAUSE_WORDS = frozenset(
    ("MATCH", "WITH", "RETURN", "UNWIND", "UNION", "CALL", "FINISH", "FILTER", "LET", "NEXT")
)
_STATEMENT_ERROR_PREFIXES = ("Neo.ClientError.Statement.", "Neo.ClientError.Procedure.")


@dataclass(frozen=True)
class Token:
    """A word, sign, string or parameter of a statement; its line (from 1) and its first sign's
    place in the text (from 0)."""

    kind: str
    text: str
    line: int
    at: int = 0

    @property
    def word(self) -> str:
        """The name as the engine compares key words: capitals, no backticks; else empty."""
        if self.kind != "name":
            return ""
        if self.text.startswith("`"):
            return self.text[1:-1].replace("``", "`")
        return self.text.upper()


def tokenize_cypher(text: str) -> list[Token]:
    """The tokens of a Cypher text, without its comments."""
    found, line, at = [], 1, 0
    for match in _TOKEN_PATTERN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        if match.lastgroup != "comment":
            found.append(Token(str(match.lastgroup), match.group(), line, at))
    return found


def list_comments(text: str) -> list[str]:
    """The comments of a Cypher text, with their signs, in order."""
    return [m.group() for m in _TOKEN_PATTERN.finditer(text) if m.lastgroup == "comment"]


@dataclass(frozen=True)
class ValidatedStatement:
    """A statement that only reads: the columns it returns, and what the engine remarks of it."""

    columns: tuple[str, ...]
    notices: tuple[Message, ...]


def validate_statement(
    tx: Transaction, text: str, parameters: Mapping[str, Any]
) -> ValidatedStatement:
    """What `text` returns, when it only reads this graph; nothing of it is run.

    Raises `RefusedError` that says what was found, why it is refused and what to do instead;
    `UsageError` with line and column when it is no Cypher.
    """
    words = tokenize_cypher(text)
    if not words:
        raise UsageError(
            "There is no query: write one, as MATCH (p:LeadingTalent) RETURN p.name LIMIT 10."
        )
    validate_statement_size(text, words)
    if words[0].word in ("EXPLAIN", "PROFILE"):
        raise RefusedError(
            "{word} is not taken here, because a table of rows is what comes back: leave the "
            "word out, or use Neo4j's own browser for plans.",
            word=words[0].word,
        )
    kind, steps, judged = _explain_statement(tx, text, parameters)
    _validate_plan_steps(kind, steps)
    _validate_database(tx, steps)
    _validate_words(text, words)
    return judged


def validate_statement_size(text: str, words: Sequence[Token]) -> None:
    """Refuses a statement that is too long, too deep or of too many parts for Neo4j to take."""
    for what, found, most in (
        (Message("characters"), len(text), MAX_STATEMENT_CHARACTERS),
        (
            Message("brackets and CASE inside each other"),
            _compute_nesting_depth(words),
            MAX_NESTING_DEPTH,
        ),
        (Message("operators"), sum(map(_is_operator, words)), MOST_OPERATORS),
        (Message("clauses"), sum(token.word in _CLAUSE_WORDS for token in words), MOST_CLAUSES),
    ):
        if found > most:
            raise RefusedError(
                "This statement is refused, because it has {found} {what}, and Neo4j takes at "
                "most {most} of them safely: give long lists as parameters, or ask in parts.",
                found=found,
                what=what,
                most=most,
            )


def _compute_nesting_depth(words: Sequence[Token]) -> int:
    """How many brackets and CASEs are open at once, at most."""
    deepest = depth = 0
    for token in words:
        if token.text in _OPENING or token.word == "CASE":
            depth += 1
            deepest = max(deepest, depth)
        elif token.text in _CLOSING or token.word == "END":
            depth = max(depth - 1, 0)
    return deepest


def _is_operator(token: Token) -> bool:
    """Whether the token joins what stands before and after it, or turns what follows."""
    if token.kind == "sign":
        return token.text not in _OPENING | _CLOSING | frozenset(",;:`")
    return token.word in _OPERATOR_WORDS


@dataclass(frozen=True)
class _PlanStep:
    name: str
    database: str
    details: str


def _explain_statement(
    tx: Transaction, text: str, parameters: Mapping[str, Any]
) -> tuple[str, list[_PlanStep], ValidatedStatement]:
    """The type of the statement (r, w, rw, s), the steps of its plan, in the engine's words, and
    what it returns."""
    from neo4j.exceptions import ClientError

    try:
        # On a line of its own, so that the engine's lines are the user's plus one.
        result = tx.run("EXPLAIN\n" + text, dict(parameters))
        columns = tuple(result.keys())
        summary = result.consume()
    except ClientError as error:
        if not str(error.code).startswith(_STATEMENT_ERROR_PREFIXES):
            raise
        raise build_syntax_error(error) from error
    plan: Any = summary.plan
    if plan is None:
        raise RefusedError("Neo4j gives no plan of this statement, so it can't be judged.")
    judged = ValidatedStatement(columns, tuple(map(_build_notice, summary.summary_notifications)))
    return str(summary.query_type), list(_list_plan_steps(plan)), judged


def _build_notice(notification: SummaryNotification) -> Message:
    """What the engine remarks of a statement that it takes all the same."""
    code, said = notification.code.rpartition(".")[2], notification.description
    named = _NOTICE_NAME_PATTERN.search(said)
    if code in _UNKNOWN_NAME_WORDS and named is not None:
        return Message(
            "the graph has no {kind} {name}; check how it is written, or see docs/model.md",
            kind=_UNKNOWN_NAME_WORDS[code],
            name=named.group(1),
        )
    return Message("Neo4j says: {said}", said=said.splitlines()[0].strip())


def _list_plan_steps(plan: Mapping[str, Any]) -> Iterator[_PlanStep]:
    operator, _, database = str(plan["operatorType"]).partition("@")
    details = str(plan.get("args", {}).get("Details", ""))
    yield _PlanStep(operator.partition("(")[0], database, details)
    for child in plan.get("children", ()):
        yield from _list_plan_steps(child)


def _validate_plan_steps(kind: str, steps: Sequence[_PlanStep]) -> None:
    for step in steps:
        if not _is_reading_step(step.name):
            raise RefusedError(
                "This statement is refused, because it {does}, and here queries only read "
                "the graph: {instead}.",
                does=_describe_refused_step(step.name),
                instead=_suggest_alternative(step.name),
            )
    called = [s.details.partition("(")[0].strip() for s in steps if s.name == "ProcedureCall"]
    for name in called:
        _validate_procedure(name)
    if kind != "r" and not (kind == "s" and _SYSTEM_PROCEDURES.intersection(called)):
        raise RefusedError(
            "This statement is refused, because Neo4j takes it for one of type {kind}, and "
            "here queries only read the graph: leave out what changes or asks the server.",
            kind=kind,
        )


def _is_reading_step(step: str) -> bool:
    return step in READING_STEPS or (
        step.endswith(_FINDING_STEP_SUFFIXES) and not step.startswith(_WRITING_STEP_PREFIXES)
    )


def _describe_refused_step(step: str) -> Message:
    """What a refused step does, in words; a step that has none is named."""
    for part, does in _REFUSED_STEP_ACTIONS:
        if part in step:
            return does
    return Message("takes the step {step}", step=step)


def _suggest_alternative(step: str) -> Message:
    """What to do instead of a refused step."""
    if step == "LoadCSV":
        return Message("put the file into an exchange folder and use `shicheng load folder`")
    if step.startswith("Transaction"):
        return Message("leave out IN TRANSACTIONS")
    if step.startswith(("Show", "Terminate", "Administration", "Alter")):
        return Message(
            "ask the server's administrator, or `shicheng db status` and `shicheng db info`"
        )
    if "Index" in step or "Constraint" in step:
        return Message("indexes and constraints come from graph/model/kinds.py with the next load")
    return Message("changes come in by `shicheng load`, which keeps their source")


def _validate_procedure(name: str) -> None:
    if name not in READING_PROCEDURES:
        raise RefusedError(
            "This statement is refused, because it calls {name}, which is not among the "
            "procedures that only read the graph: use one of {known}.",
            name=name,
            known=AnyOf(sorted(READING_PROCEDURES)),
        )


def _validate_database(tx: Transaction, steps: Sequence[_PlanStep]) -> None:
    here = {step.database for step in _explain_statement(tx, "RETURN 1", {})[1]}
    for step in steps:
        if step.database not in here:
            raise RefusedError(
                "This statement is refused, because it reads the database {database}: leave out "
                "USE, or set NEO4J_DATABASE.",
                database=step.database,
            )


def _validate_words(text: str, words: Sequence[Token]) -> None:
    """Refuses what the plan does not show: see the module's first lines."""
    if _has_hiding_escape(text, words):
        raise RefusedError(
            "This statement is refused, because it has a \\u escape, behind which other words can "
            "stand: write the character itself."
        )
    for at, token in enumerate(words[:-1]):
        after = words[at + 1]
        if token.word == "LOAD" and after.word == "CSV":
            _validate_plan_steps("r", [_PlanStep("LoadCSV", "", "")])
        name = _read_dotted_name(words, at + 1) if token.word == "CALL" else ""
        if "." in name:
            _validate_procedure(name)
    for name in _list_foreign_functions(words):
        raise RefusedError(
            "This statement is refused, because it calls {name}, and a function that is not "
            "Neo4j's own may do anything: use Neo4j's own functions.",
            name=name,
        )


def _has_hiding_escape(text: str, words: Sequence[Token]) -> bool:
    r"""Whether a `\u` escape stands where another word can stand behind it.

    Neo4j 5 puts the signs in their place before it looks for words. Inside a text a letter, a digit
    or a Chinese sign changes nothing; a quote would end it. `C:\\users` has no escape.
    """
    texts = [(t.at, t.at + len(t.text)) for t in words if t.kind == "string"]
    return any(
        not any(first < match.start() and match.end() < beyond for first, beyond in texts)
        or not _is_harmless_escape(match[1])
        for match in _ESCAPE_PATTERN.finditer(text)
    )


def _is_harmless_escape(digits: str) -> bool:
    """Whether the sign of an escape ends no text; fewer than four digits are no escape."""
    if len(digits) < 4:
        return True
    sign = chr(int(digits[:4], 16))
    if sign.isascii():
        return sign.isalnum() and sign not in "uU"
    return unicodedata.category(sign)[0] in "LMNPS"


def _read_dotted_name(words: Sequence[Token], at: int) -> str:
    """The name with dots that begins at a token, as it is written, without backticks."""
    parts = []
    while at < len(words) and words[at].kind == "name":
        parts.append(words[at].text.strip("`"))
        if at + 1 >= len(words) or words[at + 1].text != ".":
            break
        at += 2
    return ".".join(parts)


def _list_foreign_functions(words: Sequence[Token]) -> Iterator[str]:
    """Each function called by a name with dots that is not in one of Neo4j's own namespaces."""
    for at, token in enumerate(words):
        before = words[at - 1] if at else None
        begins = before is None or (before.text != "." and before.word != "CALL")
        if token.kind != "name" or token.text[0].isdigit() or not begins:
            continue
        name = _read_dotted_name(words, at)
        end = at + 2 * name.count(".") + 1
        called = end < len(words) and words[end].text == "("
        if "." in name and called and token.word not in _FUNCTION_NAMESPACES:
            yield name


def build_syntax_error(error: Neo4jError) -> ShichengError:
    """What the engine has against a statement, with its line and column in the user's text."""
    first = (error.message or "").splitlines()[0].strip() if error.message else str(error.code)
    position = _POSITION_PATTERN.search(first)
    reason = _POSITION_PATTERN.sub("", first).rstrip(". ")
    if len(reason) > _MAX_REASON_CHARACTERS:
        reason = reason[:_MAX_REASON_CHARACTERS].rsplit(",", 1)[0] + ", ..."
    # The line of EXPLAIN is not the user's; a message about the full text has line 0.
    if position is None or int(position.group(1)) <= 1:
        return UsageError("Neo4j can't take the query: {reason}.", reason=reason)
    return UsageError(
        "Neo4j can't take the query at line {line}, column {column}: {reason}.",
        line=int(position.group(1)) - 1,
        column=position.group(2),
        reason=reason,
    )
