"""A real browser and real Streamlit apps, for the tests of what a person sees.

`serve` starts a script on a free port with the environment a test gives; `open_page` opens it in
a fresh profile and fails the test when the page asks any host but this one or throws an error.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from graph.server.configuration import find_free_port
from graph.server.database import Database
from graph.settings import Settings
from tests import install
from tests.browser.seeing import WAIT, at_rest
from tests.filling import fill_unless_filled
from tests.serving import build_app_command, wait_until_healthy

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
HERE = ("127.0.0.1", "localhost")


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """`serve(script, env={...}, options=[...])` -> the URL of the running app; once a script."""
    running: dict[tuple[Any, ...], str] = {}
    with ExitStack() as stack:

        def start(
            script: Path | str,
            env: dict[str, str] | None = None,
            options: tuple[str, ...] = (),
            port: int | None = None,
        ) -> str:
            known = (str(script), tuple(sorted((env or {}).items())), tuple(options))
            if known in running:
                return running[known]
            port = port or find_free_port(0)
            log = tmp_path_factory.mktemp("streamlit") / "log.txt"
            command = build_app_command(script, port, *options)
            output = stack.enter_context(log.open("wb"))
            server = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            stack.callback(_stop, server)
            url = f"http://127.0.0.1:{port}"
            wait_until_healthy(server, url, log)
            running[known] = url
            return url

        yield start


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium that can reach this machine only (a playwright Browser)."""
    from playwright.sync_api import sync_playwright

    executable = install.chromium()
    if executable is None:
        pytest.fail("no Chromium starts here: run `make packages`, or put one on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, headless=True, args=list(FLAGS)
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """`open_page(url, **context)` -> a playwright Page of a fresh profile, 1400 x 900.

    Afterwards the test fails if a page asked another host, or if its script threw an error.
    """
    contexts: list[Any] = []
    outside: list[str] = []
    errors: list[str] = []

    def note(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in HERE:
            outside.append(request.url)

    def forbidden(message: Any) -> None:
        if "Content Security Policy" in message.text:
            errors.append(message.text)

    def start(url: str, **context: Any) -> Any:
        context.setdefault("viewport", {"width": 1400, "height": 900})
        profile = chromium.new_context(**context)
        contexts.append(profile)
        page = profile.new_page()
        page.on("request", note)
        page.on("websocket", lambda socket: note(socket))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", forbidden)
        page.goto(url)
        return page

    yield start
    for profile in contexts:
        profile.close()
    assert not outside, f"asked other hosts: {outside}"
    assert not errors, f"errors in the page: {errors}"


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: SHICHENG_PICTURES, or a temporary folder."""
    named = os.environ.get("SHICHENG_PICTURES")
    folder = Path(named) if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def network(
    database: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A store that holds a generated network and nothing else."""
    made = tmp_path_factory.mktemp("network") / "made"
    fill_unless_filled(database, settings, made, talents=20, workers=2_000, seed=5)
    return database


@pytest.fixture
def show(
    network: Database, settings: Settings, serve: Callable[..., str], open_page: Callable[..., Any]
) -> Callable[..., Any]:
    """`show("talents?province=32", lang="zh", mode="dark")` -> the page, when it is at rest."""
    url = serve(ROOT / "app.py", env={"SHICHENG_HOME": str(settings.home)})

    def start(path: str = "", lang: str = "zh", mode: str = "light", **context: Any) -> Any:
        locale = "zh-CN" if lang == "zh" else "en-GB"
        page = open_page(f"{url}/{path}", locale=locale, color_scheme=mode, **context)
        page.locator(".sc-lead, .sc-note").first.wait_for(timeout=WAIT)
        return at_rest(page)

    return start
