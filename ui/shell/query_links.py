"""Named queries as files for scripts: `GET /api/queries/NAME.csv?parameter=value`, by a token.

The token stands in the header alone (`Authorization: Bearer ...`), for addresses are logged by
what stands between. Rows are those of `run_query` under the token's role; an error is a sentence
in both languages. The answer is written row by row.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from graph.analysis.api_tokens import ApiToken, find_token
from graph.audit.actor import Actor, acting_as
from graph.audit.log import record_event
from graph.cypher.named_queries import MAX_QUERY_ROWS, Query, Table, load_queries, run_query
from graph.errors import DatabaseError, IncompleteError, RefusedError, ShichengError, UsageError
from graph.messages import Message
from graph.people.table_queries import bind_snapshot
from graph.server.database import Database, connect
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.standing import read_newest_revision
from graph.tabular import (
    About,
    build_frame_from_rows,
    format_json,
    render_csv_lines,
    render_parquet,
)

QUERY_LINK_PATH: Final = "/api/queries/{file}"
MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
# Requests that one token may make in so many seconds.
MAX_TOKEN_REQUESTS: Final = 60
RATE_SECONDS: Final = 60.0
# What is asked for beside the query's own parameters.
LIMIT_PARAMETER: Final = "_limit"
CHUNK_ROWS: Final = 500


class RateLimiter:
    """How often each token may ask: so many requests in any window of so many seconds."""

    def __init__(self, most: int = MAX_TOKEN_REQUESTS, seconds: float = RATE_SECONDS) -> None:
        self._most, self._seconds = most, seconds
        self._asked: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, id: str, now: float | None = None) -> float:
        """0 when the token may ask, which is counted; else the seconds until it may again.

        >>> limiter = RateLimiter(most=2, seconds=10)
        >>> [limiter.take("a", now) for now in (0, 1, 4, 10, 10.5)]
        [0.0, 0.0, 6.0, 0.0, 0.5]
        """
        moment = time.monotonic() if now is None else now
        with self._lock:
            asked = self._asked.setdefault(id, deque())
            while asked and moment - asked[0] >= self._seconds:
                asked.popleft()
            if len(asked) >= self._most:
                return float(self._seconds - (moment - asked[0]))
            asked.append(moment)
            return 0.0


class _SharedConnection:
    """The connection of these requests, opened by the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database: Database | None = None

    def open(self, settings: Settings) -> Database:
        """The connection to the Neo4j of the settings."""
        with self._lock:
            if self._database is None or self._database.settings != settings:
                self.drop()
                self._database = connect(settings)
            return self._database

    def drop(self) -> None:
        """Closes it; the next request opens another one."""
        if self._database is not None:
            with suppress(ShichengError):
                self._database.close()
            self._database = None


_connection = _SharedConnection()
_limiter = RateLimiter()


def close_query_links() -> None:
    """Closes what the requests opened, at the server's end."""
    _connection.drop()


def build_query_routes() -> list[Route]:
    """The routes for the app's server."""
    return [Route(QUERY_LINK_PATH, answer_query_link, methods=["GET"])]


def answer_query_link(request: Request) -> Response:
    """One request; Starlette runs it on a thread of its own."""
    settings = Settings()
    try:
        token = _find_request_token(request, settings)
    except ShichengError as error:
        return _build_error(503, error.message)
    if token is None:
        refused = Message(
            "This address takes a token in the header Authorization: Bearer TOKEN; the one given "
            "is missing, unknown, revoked or expired."
        )
        return _build_error(401, refused, {"WWW-Authenticate": 'Bearer realm="shicheng"'})
    if wait := _limiter.take(token.id):
        message = Message(
            "This token has made {most} requests within {seconds:g} s; wait {wait:.0f} s.",
            most=MAX_TOKEN_REQUESTS,
            seconds=RATE_SECONDS,
            wait=wait + 0.5,
        )
        return _build_error(429, message, {"Retry-After": str(int(wait) + 1)})
    with acting_as(Actor(f"token:{token.id}", token.role, "token", token.purpose)):
        try:
            return _answer_token(request, settings, token)
        except ShichengError as error:
            return _build_error(_pick_status(error), error.message)


def _find_request_token(request: Request, settings: Settings) -> ApiToken | None:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    return find_token(settings.home, text.strip()) if kind.lower() == "bearer" else None


def _pick_status(error: ShichengError) -> int:
    if isinstance(error, UsageError):
        return 400
    if isinstance(error, RefusedError):
        return 403
    return 503 if isinstance(error, DatabaseError | IncompleteError) else 500


def _answer_token(request: Request, settings: Settings, token: ApiToken) -> Response:
    """The rows, typed; raises `ShichengError` for what cannot be answered."""
    name, _, format = request.path_params["file"].rpartition(".")
    query = load_queries().get(name)
    if query is None or format not in MEDIA_TYPES:
        unknown = Message(
            "There is nothing at this address: it is /api/queries/NAME.csv, .json or .parquet, and "
            "`shicheng query --list` has the names."
        )
        return _build_error(404, unknown)
    values, limit = _read_parameters(request, query)
    database = _connection.open(settings)
    tables = bind_snapshot(lambda: take_snapshot(database, settings))
    table = run_query(database, query, values, role=token.role, limit=limit, tables=tables)
    about = About(
        read_newest_revision(database),
        parameters={n: v for n, v in query.parse(values).items() if v is not None},
        content=f"query {name}",
        capped=len(table.rows) if table.truncated else None,
    )
    # Before the first byte: an export that cannot be logged does not happen.
    record_event(settings.home, "export", what=f"query {name}", format=format)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}.{format}"',
        "X-Revision": str(about.revision),
        "X-Truncated": str(table.truncated).lower(),
    }
    return StreamingResponse(
        _render_query_rows(table, format, about), media_type=MEDIA_TYPES[format], headers=headers
    )


def _read_parameters(request: Request, query: Query) -> tuple[dict[str, str], int]:
    """The query's values, and the most rows. Raises `UsageError` for one that stands twice."""
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in values:
            raise UsageError("{name} stands twice in the address; give it once.", name=name)
        values[name] = value
    text = values.pop(LIMIT_PARAMETER, str(MAX_QUERY_ROWS))
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MAX_QUERY_ROWS:
        raise UsageError(
            "{name} has {text!r}; give a whole number from 1 to {most}.",
            name=LIMIT_PARAMETER,
            text=text[:40],
            most=MAX_QUERY_ROWS,
        )
    query.parse(values)
    return values, int(text)


def _render_query_rows(table: Table, format: str, about: About) -> Iterator[bytes]:
    if format == "parquet":
        yield render_parquet(build_frame_from_rows(table.columns, table.rows), about)
        return
    lines = (
        render_csv_lines(table.columns, table.rows)
        if format == "csv"
        else _render_json_lines(table, about)
    )
    yield from _join_lines(lines)


def _render_json_lines(table: Table, about: About) -> Iterator[str]:
    """One JSON object: what the answer depends on, and `rows`, a line a row."""
    head: Mapping[str, Any] = about.as_json() | {"columns": list(table.columns)}
    yield format_json(head)[:-1] + ', "rows": [\n'
    for number, record in enumerate(table.records()):
        yield (",\n" if number else "") + format_json(record)
    yield "\n]}\n"


def _join_lines(lines: Iterable[str]) -> Iterator[bytes]:
    """The lines in pieces of some hundreds, so that each is one write to the network."""
    held: list[str] = []
    for line in lines:
        held.append(line)
        if len(held) >= CHUNK_ROWS:
            yield "".join(held).encode()
            held.clear()
    yield "".join(held).encode()


def _build_error(
    status: int, message: Message, headers: Mapping[str, str] | None = None
) -> Response:
    body = {"error": message.said("en"), "error_zh": message.said("zh")}
    return JSONResponse(body, status, headers={"Cache-Control": "no-store", **(headers or {})})
