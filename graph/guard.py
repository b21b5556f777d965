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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graph.errors import RefusedError, ShichengError, UsageError

if TYPE_CHECKING:
    from neo4j import ManagedTransaction
    from neo4j.exceptions import Neo4jError

# Steps that read, by the name before the bracket: Expand(All), Repeat(Trail), ...
_STEPS = """
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
READING_STEPS = frozenset(_STEPS.split())
# So end the names of the steps that find nodes and relations: NodeByLabelScan, NodeIndexSeek, ...
_FINDING = ("Scan", "Seek", "SeekByRange", "Search", "Lookup", "LabelsScan", "TypesScan")
# But these look something up in order to write.
_FOR_WRITING = ("Asserting",)

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
_NAMESPACES = frozenset(
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

_TOKEN = re.compile(
    r"""
      (?P<comment> //[^\r\n]* | /\*.*?\*/ )
    | (?P<string> '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" )
    | (?P<parameter> \$(?:\w+|`(?:``|[^`])*`) )
    | (?P<name> \w+ | `(?:``|[^`])*` )
    | (?P<sign> \S )
    """,
    re.VERBOSE | re.DOTALL,
)
_POSITION = re.compile(r"\s*\(line (\d+), column (\d+) \(offset: \d+\)\)")
_LONGEST_REASON = 160
_AGAINST_THE_TEXT = ("Neo.ClientError.Statement.", "Neo.ClientError.Procedure.")


@dataclass(frozen=True)
class Token:
    """A word, sign, string or parameter of a statement, and the line it stands in (from 1)."""

    kind: str
    text: str
    line: int

    @property
    def word(self) -> str:
        """The name as the engine compares key words: capitals, no backticks; else empty."""
        if self.kind != "name":
            return ""
        if self.text.startswith("`"):
            return self.text[1:-1].replace("``", "`")
        return self.text.upper()


def tokens(text: str) -> list[Token]:
    """The tokens of a Cypher text, without its comments."""
    found, line, at = [], 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        if match.lastgroup != "comment":
            found.append(Token(str(match.lastgroup), match.group(), line))
    return found


def judge(tx: ManagedTransaction, text: str, parameters: Mapping[str, Any]) -> None:
    """Returns when `text` only reads this graph; nothing of it is run.

    Raises `RefusedError` that says what was found, why it is refused and what to do instead;
    `UsageError` with line and column when it is no Cypher.
    """
    words = tokens(text)
    if not words:
        raise UsageError(
            "There is no query: write one, as MATCH (p:LeadingTalent) RETURN p.name LIMIT 10."
        )
    if words[0].word in ("EXPLAIN", "PROFILE"):
        raise RefusedError(
            f"{words[0].word} is not taken here, because a table of rows is what comes back: leave "
            "the word out, or use Neo4j's own browser for plans."
        )
    kind, steps = _explained(tx, text, parameters)
    _judge_steps(kind, steps)
    _judge_database(tx, steps)
    _judge_words(text, words)


@dataclass(frozen=True)
class _Step:
    name: str
    database: str
    details: str


def _explained(
    tx: ManagedTransaction, text: str, parameters: Mapping[str, Any]
) -> tuple[str, list[_Step]]:
    """The type of the statement (r, w, rw, s) and the steps of its plan, in the engine's words."""
    from neo4j.exceptions import ClientError

    try:
        # On a line of its own, so that the engine's lines are the user's plus one.
        summary = tx.run("EXPLAIN\n" + text, dict(parameters)).consume()
    except ClientError as error:
        if not str(error.code).startswith(_AGAINST_THE_TEXT):
            raise
        raise not_cypher(error) from error
    plan: Any = summary.plan
    if plan is None:
        raise RefusedError("Neo4j gives no plan of this statement, so it can't be judged.")
    return str(summary.query_type), list(_steps(plan))


def _steps(plan: Mapping[str, Any]) -> Iterator[_Step]:
    operator, _, database = str(plan["operatorType"]).partition("@")
    details = str(plan.get("args", {}).get("Details", ""))
    yield _Step(operator.partition("(")[0], database, details)
    for child in plan.get("children", ()):
        yield from _steps(child)


def _judge_steps(kind: str, steps: Sequence[_Step]) -> None:
    for step in steps:
        if not _reads(step.name):
            raise RefusedError(
                f"This statement is refused, because it does {step.name}, and here queries only "
                f"read the graph: {_instead(step.name)}."
            )
    called = [s.details.partition("(")[0].strip() for s in steps if s.name == "ProcedureCall"]
    for name in called:
        _judge_procedure(name)
    if kind != "r" and not (kind == "s" and _SYSTEM_PROCEDURES.intersection(called)):
        raise RefusedError(
            f"This statement is refused, because Neo4j takes it for one of type {kind}, and here "
            "queries only read the graph: leave out what changes or asks the server."
        )


def _reads(step: str) -> bool:
    return step in READING_STEPS or (step.endswith(_FINDING) and not step.startswith(_FOR_WRITING))


def _instead(step: str) -> str:
    """What to do instead of a refused step."""
    if step == "LoadCSV":
        return "put the file into an exchange folder and use `shicheng load folder`"
    if step.startswith("Transaction"):
        return "leave out IN TRANSACTIONS"
    if step.startswith(("Show", "Terminate", "Administration", "Alter")):
        return "ask the server's administrator, or `shicheng db status` and `shicheng db info`"
    if "Index" in step or "Constraint" in step:
        return "indexes and constraints come from graph/model.py with the next load"
    return "changes come in by `shicheng load`, which keeps their source"


def _judge_procedure(name: str) -> None:
    if name not in READING_PROCEDURES:
        known = ", ".join(sorted(READING_PROCEDURES))
        raise RefusedError(
            f"This statement is refused, because it calls {name}, which is not among the "
            f"procedures that only read the graph: use one of {known}."
        )


def _judge_database(tx: ManagedTransaction, steps: Sequence[_Step]) -> None:
    here = {step.database for step in _explained(tx, "RETURN 1", {})[1]}
    for step in steps:
        if step.database not in here:
            raise RefusedError(
                f"This statement is refused, because it reads the database {step.database}: leave "
                "out USE, or set NEO4J_DATABASE."
            )


def _judge_words(text: str, words: Sequence[Token]) -> None:
    """Refuses what the plan does not show: see the module's first lines."""
    if "\\u" in text.casefold():
        raise RefusedError(
            "This statement is refused, because it has a \\u escape, behind which other words can "
            "stand: write the character itself."
        )
    for at, token in enumerate(words[:-1]):
        after = words[at + 1]
        if token.word == "LOAD" and after.word == "CSV":
            _judge_steps("r", [_Step("LoadCSV", "", "")])
        name = _dotted(words, at + 1) if token.word == "CALL" else ""
        if "." in name:
            _judge_procedure(name)
    for name in _functions(words):
        raise RefusedError(
            f"This statement is refused, because it calls {name}, and a function that is not "
            "Neo4j's own may do anything: use Neo4j's own functions."
        )


def _dotted(words: Sequence[Token], at: int) -> str:
    """The name with dots that begins at a token, as it is written, without backticks."""
    parts = []
    while at < len(words) and words[at].kind == "name":
        parts.append(words[at].text.strip("`"))
        if at + 1 >= len(words) or words[at + 1].text != ".":
            break
        at += 2
    return ".".join(parts)


def _functions(words: Sequence[Token]) -> Iterator[str]:
    """Each function called by a name with dots that is not in one of Neo4j's own namespaces."""
    for at, token in enumerate(words):
        before = words[at - 1] if at else None
        begins = before is None or (before.text != "." and before.word != "CALL")
        if token.kind != "name" or token.text[0].isdigit() or not begins:
            continue
        name = _dotted(words, at)
        end = at + 2 * name.count(".") + 1
        called = end < len(words) and words[end].text == "("
        if "." in name and called and token.word not in _NAMESPACES:
            yield name


def not_cypher(error: Neo4jError) -> ShichengError:
    """What the engine has against a statement, with its line and column in the user's text."""
    first = (error.message or "").splitlines()[0].strip() if error.message else str(error.code)
    position = _POSITION.search(first)
    reason = _POSITION.sub("", first).rstrip(". ")
    if len(reason) > _LONGEST_REASON:
        reason = reason[:_LONGEST_REASON].rsplit(",", 1)[0] + ", ..."
    where = ""
    if position and int(position.group(1)) > 1:
        # The line of EXPLAIN is not the user's; a message about the whole text has line 0.
        where = f" at line {int(position.group(1)) - 1}, column {position.group(2)}"
    return UsageError(f"Neo4j can't take the query{where}: {reason}.")
