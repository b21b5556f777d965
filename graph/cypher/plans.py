"""How Neo4j would answer a statement, and how it did: EXPLAIN and PROFILE as a tree of operators.

The statement is judged, masked and logged as if it were run. EXPLAIN runs nothing; PROFILE runs all
of it within the time of a read, takes no row, and counts what each operator gave and read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from graph.cypher.named_queries import (
    STEWARD_PARAMETER,
    FinishTable,
    Query,
    Reading,
    Table,
    is_unmasked,
    run_cypher,
)
from graph.errors import ShichengError, UsageError
from graph.messages import Message
from graph.roles import Role
from graph.server.database import Database

if TYPE_CHECKING:
    from neo4j import Transaction

    from graph.server.console import Meter

PlanKind = Literal["explain", "profile"]
MAX_PLAN_DETAIL_CHARACTERS: Final = 300


@dataclass(frozen=True)
class PlanOperator:
    """A step of a plan: its name, what it does, how many rows Neo4j expects of it.

    `rows` and `db_hits` (reads of the store) are counted where the statement was profiled.
    """

    name: str
    details: str
    estimated_rows: float
    rows: int | None
    db_hits: int | None
    children: tuple[PlanOperator, ...]

    def walk(self, depth: int = 0) -> Iterator[tuple[int, PlanOperator]]:
        """The operators with their depth, this one first, each before what it reads from."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)

    @property
    def is_costly(self) -> bool:
        """Whether it reads everything, or pairs everything with everything."""
        return self.name in _COSTLY_OPERATORS


# Steps that read all of something, by which a statement is slow at national size.
_COSTLY_OPERATORS: Final = frozenset(
    {"AllNodesScan", "CartesianProduct", "DirectedAllRelationshipsScan"}
)


@dataclass(frozen=True)
class StatementPlan:
    """The plan of a statement: the last operator, which gives the rows, and what it reads from."""

    kind: PlanKind
    root: PlanOperator
    notices: tuple[Message, ...]

    @property
    def operators(self) -> tuple[PlanOperator, ...]:
        """All operators, the last one first."""
        return tuple(operator for _, operator in self.root.walk())

    @property
    def db_hits(self) -> int:
        """What all operators read of the store; 0 where nothing was run."""
        return sum(operator.db_hits or 0 for operator in self.operators)


def plan_cypher(
    database: Database,
    text: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    kind: PlanKind = "explain",
    role: Role = "analyst",
) -> StatementPlan:
    """The plan of an analyst's own statement. Raises as `run_cypher`."""
    found: list[PlanOperator] = []

    def read(
        tx: Transaction,
        text: str,
        parameters: Mapping[str, Any],
        meter: Meter,
        finish: FinishTable,
    ) -> Table:
        # On a line of its own, so that the engine's lines are the user's plus one.
        result = tx.run(f"{kind.upper()}\n{text}", dict(parameters))
        columns = tuple(result.keys())
        for _ in result:
            if meter.full:
                break
        summary = result.consume()
        found.append(read_plan(summary.profile or summary.plan or {}))
        return finish(Table(columns, []))

    reading = Reading(read, lambda found, finish: Table((), []), database.settings.read_seconds)
    table = run_cypher(database, text, parameters, role=role, reading=reading)
    return StatementPlan(kind, found[0], table.notices)


def plan_query(
    database: Database,
    query: Query,
    values: Mapping[str, Any] | None = None,
    *,
    kind: PlanKind = "explain",
    role: Role = "analyst",
) -> StatementPlan:
    """The plan of a named query with these values; for whoever may write Cypher."""
    parameters = query.parse(values or {}) | {STEWARD_PARAMETER: is_unmasked(role)}
    return plan_cypher(database, query.text, parameters, kind=kind, role=role)


def read_plan(plan: Mapping[str, Any]) -> PlanOperator:
    """An operator of the driver's plan or profile, with those it reads from."""
    arguments: Mapping[str, Any] = plan.get("args", {})
    profiled = "dbHits" in plan or "DbHits" in arguments
    return PlanOperator(
        str(plan.get("operatorType", "")).partition("@")[0],
        _shorten_details(str(arguments.get("Details", ""))),
        float(arguments.get("EstimatedRows", 0.0)),
        int(plan.get("rows", arguments.get("Rows", 0))) if profiled else None,
        int(plan.get("dbHits", arguments.get("DbHits", 0))) if profiled else None,
        tuple(read_plan(child) for child in plan.get("children", ())),
    )


def _shorten_details(text: str) -> str:
    plain = re.sub(r"\s+", " ", text).strip()
    if len(plain) <= MAX_PLAN_DETAIL_CHARACTERS:
        return plain
    return plain[:MAX_PLAN_DETAIL_CHARACTERS] + " ..."


@dataclass(frozen=True)
class ErrorPlace:
    """Where in a statement Neo4j has something against it: the line, and the sign in it (from 1).

    `column` is at most one beyond the line's end.
    """

    number: int
    column: int
    line: str


def find_error_place(error: ShichengError, text: str) -> ErrorPlace | None:
    """The place that a syntax error names, in the statement that it is about; None where it names
    none.

    >>> find_error_place(UsageError("{line}, {column}", line=2, column="3"), "RETURN\\nRETRN n")
    ErrorPlace(number=2, column=3, line='RETRN n')
    """
    values = error.message.values
    number, column = values.get("line"), values.get("column")
    lines = text.splitlines()
    if not isinstance(error, UsageError) or number is None or column is None:
        return None
    if not 1 <= int(str(number)) <= len(lines):
        return None
    line = lines[int(str(number)) - 1]
    return ErrorPlace(int(str(number)), min(int(str(column)), len(line) + 1), line)
