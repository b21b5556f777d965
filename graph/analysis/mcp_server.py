"""The graph for assistants: a server of the Model Context Protocol, by its official SDK.

Each tool is a method of `OpenGraph`, so that an assistant gets what a notebook of the same role
gets, and nothing else: statements are judged by the guard, people's data is masked, and time, rows
and bytes are limited as on the command line. No tool changes anything. Over HTTP the server
listens on loopback alone and takes no request with a foreign `Host` or `Origin`, so that no page
in a browser reaches it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from graph.analysis.open_graph import OpenGraph
from graph.audit.actor import Actor, acting_as, read_user_name
from graph.audit.log import record_event
from graph.cypher.masking import MASKED_PROPERTIES
from graph.cypher.named_queries import MAX_USER_QUERY_ROWS, Table, load_queries
from graph.errors import ShichengError
from graph.messages import Message, detect_terminal_language
from graph.model.kinds import NODES, RELATIONS
from graph.model.schema_types import Property
from graph.policy import Policy
from graph.tabular import format_json

if TYPE_CHECKING:
    import uvicorn

MCP_HOST: Final = "127.0.0.1"
DEFAULT_MCP_PORT: Final = 8765
MCP_PATH: Final = "/mcp"
# Rows of an answer unless more are asked for: what an assistant reads in one go.
DEFAULT_ANSWER_ROWS: Final = 200
INSTRUCTIONS: Final = (
    "A Neo4j graph of mentorship in China's programme for leading skilled talents: people, "
    "studios, enterprises, schools, who taught whom, and how many new high-skilled workers each "
    "leading talent drives. Ask `schema` before you write Cypher. Take `driven` and `why` for the "
    "number and its evidence: counting chains in Cypher gives other figures. Persons and "
    "person-times are two ledgers and are never added up."
)
_READ_ONLY: Final = {
    "read_only_hint": True,
    "destructive_hint": False,
    "idempotent_hint": True,
    "open_world_hint": False,
}


class RowsAnswer(BaseModel):
    """Rows, each an object by column. `truncated`: there are more; `revision`: of which load."""

    revision: int
    columns: list[str]
    rows: list[dict[str, Any]]
    truncated: bool = False
    notices: list[str] = Field(default_factory=list)


class DrivenAnswer(RowsAnswer):
    """The leading talents, with the national figures under the same policy."""

    policy: dict[str, Any]
    national: dict[str, int]


class WhyAnswer(BaseModel):
    """Why a worker counts: an object a talent, each with chains down to file and row."""

    revision: int
    answers: list[dict[str, Any]]


class SchemaAnswer(BaseModel):
    """Labels and relation types with their properties (name -> what it is)."""

    revision: int
    nodes: dict[str, dict[str, str]]
    relations: dict[str, dict[str, str]]


class PolicyRules(BaseModel):
    """The rules of counting; what is left out has its default."""

    window: str | None = Field(None, description="First and last day, 2024-01-01:2026-12-31.")
    generations: str | None = Field(None, description="Most hops of a chain, 1 to 100, or all.")
    high_skilled_level: int | None = Field(None, description="Lowest level that counts, 1 to 8.")
    undated: str | None = Field(None, description="Undated links: include or exclude.")
    channels: str | None = Field(None, description="mentorship, studio or both with a comma.")

    def build(self) -> Policy:
        """The policy. Raises `UsageError` for a value out of range."""
        return Policy.parsed(**self.model_dump())


RowLimit = Annotated[int, Field(ge=1, le=MAX_USER_QUERY_ROWS, description="Most rows.")]


class GraphTools:
    """The tools, each with the docstring that an assistant reads."""

    def __init__(self, graph: OpenGraph) -> None:
        self._graph = graph

    def schema(self) -> SchemaAnswer:
        """The labels, relation types and properties that Cypher can ask for."""
        return SchemaAnswer(
            revision=self._graph.refresh(),
            nodes={kind.label: self._list_properties(kind.properties) for kind in NODES},
            relations={
                relation.picture: self._list_properties(relation.properties)
                for relation in RELATIONS
            },
        )

    def _list_properties(self, properties: Sequence[Property]) -> dict[str, str]:
        hidden = frozenset() if self._graph.opens_personal_data else MASKED_PROPERTIES
        return {p.stored: f"{p.en}, {p.type.value}" for p in properties if p.stored not in hidden}

    def list_queries(self) -> RowsAnswer:
        """The named queries: what each gives, and its parameters."""
        rows = [
            {
                "name": query.name,
                "title": query.title_en,
                "help": query.help_en,
                "parameters": {p.name: str(p.takes) for p in query.parameters},
                "required": [p.name for p in query.parameters if p.required],
            }
            for query in load_queries().values()
        ]
        return RowsAnswer(revision=self._graph.revision, columns=list(rows[0]), rows=rows)

    def run_query(
        self,
        name: str,
        parameters: dict[str, Any] | None = None,
        limit: RowLimit = DEFAULT_ANSWER_ROWS,
    ) -> RowsAnswer:
        """Runs a named query (see list_queries) with values for its parameters."""
        self._graph.refresh()
        return self._build_answer(self._graph.run_named_query(name, parameters or {}, limit=limit))

    def cypher(
        self,
        statement: str,
        parameters: dict[str, Any] | None = None,
        limit: RowLimit = DEFAULT_ANSWER_ROWS,
    ) -> RowsAnswer:
        """Runs a Cypher statement that only reads. Ask schema first. Give values as parameters."""
        return self._build_answer(
            self._graph.run_statement(statement, parameters or {}, limit=limit)
        )

    def driven(
        self,
        policy: PolicyRules | None = None,
        talent_ids: list[str] | None = None,
        limit: RowLimit = DEFAULT_ANSWER_ROWS,
    ) -> DrivenAnswer:
        """How many new high-skilled workers each leading talent drives, most first.

        driven counts persons, person_times promotions; g1, g2, ... are persons by generation.
        """
        rules = (policy or PolicyRules()).build()
        revision = self._graph.refresh()
        self._record_reading("driven", talent_ids or ())
        found = self._graph.driven(rules).sort(["driven", "talent_id"], descending=[True, False])
        if talent_ids is not None:
            found = found.filter(found["talent_id"].is_in(talent_ids))
        return DrivenAnswer(
            revision=revision,
            columns=found.columns,
            rows=_convert_to_json(found.head(limit).to_dicts()),
            truncated=found.height > limit,
            policy=rules.as_dict(),
            national=self._graph.national(rules),
        )

    def why(
        self, worker_id: str, talent_id: str | None = None, policy: PolicyRules | None = None
    ) -> WhyAnswer:
        """Why a worker counts for a leading talent, or the reason why not, with the source rows.

        Without talent_id: for each talent who drives this worker, the nearest first.
        """
        rules = (policy or PolicyRules()).build()
        revision = self._graph.refresh()
        self._record_reading("why", [id for id in (worker_id, talent_id) if id])
        if talent_id is None:
            found = self._graph.why(worker_id, policy=rules)
        else:
            found = [self._graph.why(worker_id, talent_id, policy=rules)]
        answers = _convert_to_json([answer.as_dict() for answer in found])
        return WhyAnswer(revision=revision, answers=answers)

    def search(
        self,
        text: str,
        kinds: list[str] | None = None,
        most: Annotated[int, Field(ge=1, le=100, description="Most of each kind.")] = 20,
    ) -> RowsAnswer:
        """Finds people, studios, enterprises, schools, occupations by name, pinyin or id."""
        revision = self._graph.refresh()
        self._record_reading("search")
        more = {} if kinds is None else {"kinds": kinds}
        found = self._graph.search(text, most=most, **more)
        return RowsAnswer(revision=revision, columns=found.columns, rows=found.to_dicts())

    def _record_reading(self, what: str, people: Sequence[str] = ()) -> None:
        """A line in the audit log; queries and statements have their own."""
        home = self._graph.database.settings.home
        record_event(home, "read", people=people, what=what)

    def _build_answer(self, table: Table) -> RowsAnswer:
        language = detect_terminal_language()
        return RowsAnswer(
            revision=self._graph.revision,
            columns=list(table.columns),
            rows=_convert_to_json(list(table.records())),
            truncated=table.truncated,
            notices=[notice.said(language) for notice in table.notices],
        )


TOOL_NAMES: Final = ("schema", "list_queries", "run_query", "cypher", "driven", "why", "search")


def build_mcp_server(graph: OpenGraph) -> MCPServer:
    """The server with its tools; `run()` serves stdin and stdout."""
    server = MCPServer("shicheng", title="Shicheng 师承", instructions=INSTRUCTIONS)
    tools = GraphTools(graph)
    for name in TOOL_NAMES:
        tool = _say_errors(getattr(tools, name), graph)
        annotations = ToolAnnotations(title=name.replace("_", " "), **_READ_ONLY)
        server.add_tool(tool, name=name, annotations=annotations, structured_output=True)
    return server


def _say_errors(tool: Callable[..., Any], graph: OpenGraph) -> Callable[..., Any]:
    """The tool, acting as this process's user; what goes wrong is a sentence."""

    @functools.wraps(tool)
    def run(**given: Any) -> Any:
        purpose = graph.database.settings.purpose
        actor = Actor(read_user_name(), graph.role, "mcp", purpose)
        with acting_as(actor), _translate_errors():
            return tool(**given)

    return run


@contextmanager
def _translate_errors() -> Iterator[None]:
    language = detect_terminal_language()
    try:
        yield
    except ShichengError as error:
        raise ToolError(error.said(language)) from None
    except Exception as error:  # its text may hold personal data
        defect = Message("a defect of the program ({kind})", kind=type(error).__name__)
        raise ToolError(defect.said(language)) from None


def build_http_server(graph: OpenGraph, port: int = DEFAULT_MCP_PORT) -> uvicorn.Server:
    """A web server for `MCP_PATH` on loopback; it asks for its own `Host`, and `Origin` if any."""
    import uvicorn

    hosts = [f"{name}:{port}" for name in (MCP_HOST, "localhost")]
    security = TransportSecuritySettings(
        allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts]
    )
    app = build_mcp_server(graph).streamable_http_app(
        streamable_http_path=MCP_PATH, transport_security=security, host=MCP_HOST
    )
    return uvicorn.Server(uvicorn.Config(app, host=MCP_HOST, port=port, log_level="warning"))


def _convert_to_json(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows as JSON has them: days as text, no number that JSON does not have."""
    import json

    converted: list[dict[str, Any]] = json.loads(format_json(list(rows)))
    return converted
