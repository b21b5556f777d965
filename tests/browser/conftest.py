"""A real browser and real Streamlit apps, for the tests of what a person sees.

`serve` starts a script on a free port with the environment a test gives; `open_page` opens it in
an emptied profile and fails the test when the page asks any host but this one or throws an error.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from graph.server.database import Database
from graph.settings import Settings
from tests import install
from tests.browser.seeing import WAIT, at_rest, watch_pages
from tests.emptying import empty_notebook
from tests.filling import fill_unless_filled
from tests.serving import build_app_command, find_own_port, wait_until_healthy

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
    # A page lives for seconds: what the last compiler of V8 makes of it is hardly run.
    "--js-flags=--no-opt",
)
# What a page may leave for the next visit; the cache of Streamlit's own files stays.
LEFT_BEHIND = "cookies,local_storage,indexeddb,service_workers,cache_storage"
HERE = ("127.0.0.1", "localhost")
EMPTY_SESSION = "() => { try { sessionStorage.clear() } catch { /* a blank page has none */ } }"
# To another address of the app, as a link in its text leads there: see ui/browser/navigation.js.
GO = """(address) => {
    history.pushState({}, '', address);
    dispatchEvent(new PopStateEvent('popstate', { state: {} }));
}"""
# The pages that the test under way has open, and the logs of the servers that run.
_open_pages: list[Any] = []
_server_logs: list[Path] = []
_REPORTED_CHARACTERS = 4_000
FAILED = pytest.StashKey[bool]()
SIZE = {"width": 1400, "height": 900}
PLAIN_MEDIA = {"media": "null", "color_scheme": "light", "reduced_motion": "no-preference"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test says what stood on its pages and what the servers wrote: all is synthetic."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    if report.when == "call" and report.failed:
        for page in _open_pages:
            report.sections.append((f"page {page.url}", _describe_page(page)))
        for log in _server_logs:
            text = log.read_text("utf-8", "replace")[-_REPORTED_CHARACTERS:]
            report.sections.append((f"server {log.parent.name}", text))
    return report


def _describe_page(page: Any) -> str:
    try:
        state = page.locator("[data-testid=stApp]").get_attribute("data-test-script-state")
        text = page.locator("body").inner_text(timeout=5_000)[:_REPORTED_CHARACTERS]
    except Exception as error:  # the page may be gone: the test's own error stands
        return repr(error)
    return f"script state: {state}\n{text}"


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
            port = port or find_own_port()
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
            _server_logs.append(log)
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


class Watch:
    """What pages did that none may do: they asked another host, or their script threw an error."""

    def __init__(self) -> None:
        self.outside: list[str] = []
        self.errors: list[str] = []

    def add(self, page: Any) -> None:
        """Watch this page from now on."""
        page.on("request", self._note_request)
        page.on("websocket", self._note_request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note_message)

    def _note_request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in HERE:
            self.outside.append(request.url)

    def _note_message(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.errors.append(message.text)

    def check(self) -> None:
        """Fail the test if there is anything; then begin anew."""
        outside, errors = self.outside[:], self.errors[:]
        self.outside.clear()
        self.errors.clear()
        assert not outside, f"asked other hosts: {outside}"
        assert not errors, f"errors in the page: {errors}"


class Tabs:
    """Pages that tests open and leave, a profile each; a page that was left serves again.

    To fetch and compile Streamlit's own scripts is two thirds of what opening a page costs. The
    process of a page that goes to another address has them still. A new page would also be a new
    window, whose own controls Chromium draws as a page beside it.
    """

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._left: dict[str, list[tuple[Any, Watch]]] = {}
        self._profiles: dict[Any, str] = {}  # page -> what its profile was made with

    def open(self, url: str, size: Any = SIZE, **how: Any) -> tuple[Any, Watch]:
        """A blank page with nothing in it that an earlier page left at this URL, and its watch."""
        media = {name: how.pop(name, usual) for name, usual in PLAIN_MEDIA.items()}
        profile = repr(sorted(how.items()))
        left = self._left.setdefault(profile, [])
        page, watch = left.pop() if left else self._make(**how)
        self._profiles[page] = profile
        page.set_viewport_size(size)
        page.emulate_media(**media)
        _empty(page, url)
        return page, watch

    def _make(self, **context: Any) -> tuple[Any, Watch]:
        profile = self._browser.new_context(**context)
        profile.set_default_timeout(WAIT)  # a click waits for a busy page as all else does
        watch_pages(profile)
        page, watch = profile.new_page(), Watch()
        watch.add(page)
        return page, watch

    def leave(self, page: Any, watch: Watch, failed: bool = False) -> None:
        """Take a page back, or close its profile when nobody knows in which state it is."""
        profile = self._profiles.pop(page)
        if failed or page.is_closed() or not _is_put_away(page):
            page.context.close()
        else:
            self._left[profile].append((page, watch))


def _is_put_away(page: Any) -> bool:
    """Whether the page went blank, the only one of its profile."""
    from playwright.sync_api import Error

    for other in page.context.pages:
        if other != page:
            other.close()
    try:
        page.mouse.move(0, 0)
        page.evaluate(EMPTY_SESSION)
        page.goto("about:blank")
    except Error:  # it was on its way to another address, or hangs
        return False
    return True


def _empty(page: Any, url: str) -> None:
    """Take away what a page of the profile left: cookies, storage, permissions, the way back."""
    page.context.clear_cookies()
    page.context.clear_permissions()
    parts = urlsplit(url)
    session = page.context.new_cdp_session(page)
    session.send("Page.resetNavigationHistory")
    if parts.scheme == "http":
        left = {"origin": f"http://{parts.netloc}", "storageTypes": LEFT_BEHIND}
        session.send("Storage.clearDataForOrigin", left)
    session.detach()


@pytest.fixture(scope="session")
def tabs(chromium: Any) -> Tabs:
    """The pages of the session's Chromium."""
    return Tabs(chromium)


@pytest.fixture
def open_page(tabs: Tabs, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """`open_page(url, **context)` -> a playwright Page of an emptied profile, 1400 x 900.

    Two that are open at once have a profile each.
    Afterwards the test fails if a page asked another host, or if its script threw an error.
    """
    pages: list[tuple[Any, Watch]] = []

    def start(url: str, **context: Any) -> Any:
        pages.append(tabs.open(url, **context))
        page = pages[-1][0]
        _open_pages.append(page)
        page.goto(url)
        return page

    yield start
    _open_pages.clear()
    for page, watch in pages:
        tabs.leave(page, watch, _failed(request))
    for _, watch in pages:
        watch.check()


def _failed(request: pytest.FixtureRequest) -> bool:
    return bool(request.node.stash.get(FAILED, False))


@pytest.fixture(scope="module")
def standing_pages(tabs: Tabs) -> Iterator[dict[tuple[str, str], tuple[Any, Watch]]]:
    """The pages that the tests of a file share, by the app's address and the language."""
    pages: dict[tuple[str, str], tuple[Any, Watch]] = {}
    yield pages
    for page, watch in pages.values():
        tabs.leave(page, watch)


@pytest.fixture
def visit(
    tabs: Tabs,
    standing_pages: dict[tuple[str, str], tuple[Any, Watch]],
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Any]]:
    """`visit(url, "talents?province=32", lang="zh")` -> the page of the file's tests, there.

    It goes there as by the way back, without loading Streamlit anew: a run, not an opening. The
    session goes on, so this is for what holds in any session. It is 1400 x 900, light, in motion.
    """
    visited: dict[tuple[str, str], tuple[Any, Watch]] = {}

    def start(url: str, path: str = "", lang: str = "zh", size: Any = SIZE, **media: Any) -> Any:
        stands = (url, lang) in standing_pages
        if not stands:
            locale = "zh-CN" if lang == "zh" else "en-GB"
            standing_pages[url, lang] = tabs.open(url, locale=locale)
        visited[url, lang] = standing_pages[url, lang]
        page = visited[url, lang][0]
        _open_pages.append(page)
        page.mouse.move(0, 0)
        page.set_viewport_size(size)
        page.emulate_media(**{**PLAIN_MEDIA, **media})
        if stands:
            page.evaluate(GO, f"/{path}")
        else:
            page.goto(f"{url}/{path}")
        return page

    yield start
    _open_pages.clear()
    if _failed(request):
        for key, (page, watch) in visited.items():
            del standing_pages[key]
            tabs.leave(page, watch, failed=True)
    for _, watch in visited.values():
        watch.check()


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where screenshots go: SHICHENG_PICTURES. Without it none is taken: nobody would see it."""
    named = os.environ.get("SHICHENG_PICTURES")
    if not named:
        return None
    folder = Path(named)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def network(
    database: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A store that holds a generated network and nothing else."""
    made = tmp_path_factory.mktemp("network") / "made"
    fill_unless_filled(database, settings, made, talents=20, workers=2_000, seed=5)
    empty_notebook(settings.home)
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
        return at_rest(page, settle_ms=0)  # nothing was clicked yet

    return start
