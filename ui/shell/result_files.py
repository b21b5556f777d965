"""Results of any size as files: `GET /results/TICKET.csv`, written while it is sent.

A page that shows a result makes a ticket for it. The ticket is random, belongs to the browser that
the page was drawn for (its cookies of sign-in) and goes with the visit; the file itself is written
from the result's spool when it is asked for, and the audit log has a line of it before its first
byte.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from graph.audit.actor import Actor
from graph.audit.log import record_event
from graph.errors import ShichengError
from graph.messages import Language
from graph.settings import Settings
from graph.table_streams import TableStream, stream_table
from graph.tabular import Format
from ui.shell.account_pages import SESSION_COOKIE_NAME

RESULT_FILE_PATH: Final = "/results/{file}"
RESULT_MEDIA_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# The cookies by which a browser is signed in: this app's own, and the provider's.
_SIGN_IN_COOKIES: Final = (SESSION_COOKIE_NAME, "_streamlit_user")
TICKET_GONE_TEXT: Final = (
    "404: this result is not there any more, or not for this browser. Open the page again and run "
    "the query.\n该结果已不存在，或不属于当前浏览器。请重新打开页面并运行查询。\n"
)


@dataclass(frozen=True)
class ResultFile:
    """What a ticket gives: the rows, what the file is called, and who asks for it."""

    table: TableStream
    name: str
    what: str
    folder: Path
    actor: Actor
    language: Language
    browser: str
    # Whether the visitor is still signed in, with the same rights (`bind_visitor_check`).
    is_still_allowed: Callable[[], bool]
    # What else the audit log's line says of it.
    facts: Mapping[str, Any] = field(default_factory=dict)


class TicketHolder:
    """Holds one ticket; the ticket goes with it."""

    def __init__(self, file: ResultFile) -> None:
        self.ticket = secrets.token_urlsafe(24)
        with _lock:
            _files[self.ticket] = file
        weakref.finalize(self, _files.pop, self.ticket, None)

    def address(self, format: Format) -> str:
        """Where the file of a format is, from the page on."""
        return f"results/{self.ticket}.{format}"


_files: dict[str, ResultFile] = {}
_lock = threading.Lock()


def identify_browser(cookies: Mapping[str, str]) -> str:
    """What tells one signed-in browser from another; nothing of it can be read back."""
    values = (cookies.get(name) for name in _SIGN_IN_COOKIES)
    signed = "\0".join(value if isinstance(value, str) else "" for value in values)
    return hashlib.sha256(signed.encode()).hexdigest()


def build_result_routes() -> list[Route]:
    """The routes for the app's server."""
    return [Route(RESULT_FILE_PATH, answer_result_file, methods=["GET"])]


def answer_result_file(request: Request) -> Response:
    """One file; Starlette runs it on a thread of its own."""
    ticket, _, ending = request.path_params["file"].rpartition(".")
    file = _files.get(ticket)
    format = next((one for one in get_args(Format) if one == ending), None)
    if file is None or format is None or not _is_files_visitor(request, file):
        return PlainTextResponse(TICKET_GONE_TEXT, 404)
    try:
        # Before the first byte: an export that cannot be logged does not happen.
        record_event(
            Settings().home,
            "export",
            actor=file.actor,
            what=file.what,
            format=format,
            **file.facts,
        )
        pieces = stream_table(file.table, format, file.folder)
        first = next(pieces)  # what is wrong with the whole file shows here
    except ShichengError as error:
        return PlainTextResponse(error.said(file.language) + "\n", 409)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}.{format}",
    }
    return StreamingResponse(
        _chain_pieces(first, pieces), media_type=RESULT_MEDIA_TYPES[format], headers=headers
    )


def _is_files_visitor(request: Request, file: ResultFile) -> bool:
    """Whether the browser is the one of the ticket, and its session has not ended since."""
    return identify_browser(request.cookies) == file.browser and file.is_still_allowed()


def _chain_pieces(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from itertools.chain([first], rest)
