"""A file is taken only from a visit that may bring files in."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ui.shell import asgi
from ui.shell.asgi import SecurityMiddleware, allow_uploads, is_upload_allowed

PATH = "/_stcore/upload_file/{session}/file-1"


@pytest.mark.parametrize("base", ["", "/talents/app"])
def test_only_a_session_that_was_let_in_sends_files(base: str) -> None:
    session = f"clerk{len(base)}"
    path = base + PATH.format(session=session)
    assert not is_upload_allowed("PUT", path)
    allow_uploads(session)
    assert is_upload_allowed("PUT", path)
    assert not is_upload_allowed("PUT", base + PATH.format(session="other"))
    assert is_upload_allowed("GET", "/") and is_upload_allowed("DELETE", path)


def test_an_upload_of_another_visit_never_reaches_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "is_host_allowed", lambda host: True)
    reached: list[str] = []
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read")

    def ask(session: str) -> None:
        path = PATH.format(session=session)
        scope = {
            "type": "http",
            "method": "PUT",
            "path": path,
            "headers": [(b"host", b"localhost")],
        }
        with ThreadPoolExecutor(1) as thread:  # in this one a browser's loop may run
            thread.submit(asyncio.run, SecurityMiddleware(app)(scope, receive, send)).result()

    ask("a-manager")
    assert reached == [] and sent[0]["status"] == 403
    allow_uploads("a-steward")
    ask("a-steward")
    assert len(reached) == 1
