"""Neo4j's jars: a stored lock of coordinates and sha256, fetched once into the cache.

The lock of a version is `graph/server/jar_locks/VERSION.lock`, one jar a line: its coordinate
(group:artifact:version[:classifier]), its bytes, its sha256. It names no registry: the address is
jgo's own default or what jgo's settings name as `central`, or `SHICHENG_JARS_URL` (a mirror).

A lock is made by `python -m graph.server.jars lock VERSION`; it resolves `REQUIRED_ARTIFACTS` with
jgo.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from filelock import FileLock

from graph.atomic import write_file_atomically
from graph.errors import DatabaseError, UsageError
from graph.messages import Message
from graph.system_errors import reason_of

if TYPE_CHECKING:
    import requests

REQUIRED_ARTIFACTS = ("neo4j", "neo4j-bolt", "neo4j-import-tool")
JAR_LOCKS_FOLDER = Path(__file__).parent / "jar_locks"
PARALLEL_FETCHES = 8
FETCH_ATTEMPTS = 3
FETCH_CHUNK_BYTES = 1 << 15  # what a broken line loses at most

ByteProgress = Callable[[int, int], None]  # bytes that are here, bytes in all


@dataclass(frozen=True)
class Jar:
    """One jar of a lock: its address in a repository, and what it must be."""

    group: str
    artifact: str
    version: str
    classifier: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """Its file name."""
        tail = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{tail}.jar"

    @property
    def address(self) -> str:
        """Its path below the address of a Maven repository."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.name}"

    @property
    def line(self) -> str:
        """Its line in the lock."""
        parts = [self.group, self.artifact, self.version, self.classifier]
        return f"{':'.join(part for part in parts if part)} {self.size} {self.sha256}"


def locate_lock_file(version: str) -> Path:
    """Where the lock of a Neo4j version is stored; `UsageError` when there is none."""
    file = JAR_LOCKS_FOLDER / f"{version}.lock"
    if not file.is_file():
        known = ", ".join(sorted(lock.stem for lock in JAR_LOCKS_FOLDER.glob("*.lock")))
        raise UsageError(
            "SHICHENG_NEO4J_VERSION asks for Neo4j {version}, which has no lock of jars; "
            "these have one: {known}.",
            version=version,
            known=known,
        )
    return file


def parse_lock_line(line: str) -> Jar:
    """The jar that a line of a lock names."""
    coordinate, size, sha256 = line.split()
    group, artifact, version, *classifier = coordinate.split(":")
    return Jar(group, artifact, version, "".join(classifier), int(size), sha256)


def list_locked_jars(version: str) -> tuple[Jar, ...]:
    """The jars of a Neo4j version, as its lock states them."""
    lines = locate_lock_file(version).read_text(encoding="utf-8").splitlines()
    return tuple(parse_lock_line(line) for line in lines if line and not line.startswith("#"))


def locate_jars_folder(version: str, cache: Path) -> Path:
    """Where the jars of a version are, fetched or not."""
    return cache / "jars" / version


def fetch_jars(version: str, cache: Path, progress: ByteProgress | None = None) -> Path:
    """The folder with every jar of `version`, fetching what is missing or damaged.

    Parallel; a partial file is continued; each file is checked against the lock's sha256 before
    it takes its name. A complete folder is recognised by sizes and times, without reading it.
    `progress` is called with (bytes here, bytes in all) while something is fetched. Raises
    `DatabaseError` when the repository cannot be reached or sends other bytes than the lock's.
    """
    jars = list_locked_jars(version)
    place = locate_jars_folder(version, cache)
    if _is_jars_folder_complete(place, version, jars):
        return place
    try:
        place.mkdir(parents=True, exist_ok=True)
        # One process fetches at a time; another waits and then finds the jars.
        with FileLock(place / ".lock"):
            if not _is_jars_folder_complete(place, version, jars):
                _fetch_missing_jars(place, jars, progress)
                _write_complete_marker(place, version, jars)
    except OSError as error:
        raise DatabaseError(
            "Neo4j's jars cannot be kept in {place}: {reason}; free some space there or name "
            "another folder with SHICHENG_CACHE. What is fetched already is kept.",
            place=place,
            reason=reason_of(error),
        ) from error
    return place


def has_all_jars(version: str, cache: Path) -> bool:
    """Whether every jar of a version is in the cache already."""
    return _is_jars_folder_complete(
        locate_jars_folder(version, cache), version, list_locked_jars(version)
    )


def _read_jar_stamps(place: Path, jars: tuple[Jar, ...]) -> dict[str, list[int]]:
    """Size and time of each jar that is there; quick to read, and changed by any damage."""
    stamps = {}
    for jar in jars:
        try:
            state = (place / jar.name).stat()
        except FileNotFoundError:
            continue
        stamps[jar.name] = [state.st_size, state.st_mtime_ns]
    return stamps


def _locate_complete_marker(place: Path) -> Path:
    return place / "complete.json"


def _compute_lock_digest(version: str) -> str:
    return hashlib.sha256(locate_lock_file(version).read_bytes()).hexdigest()


def _is_jars_folder_complete(place: Path, version: str, jars: tuple[Jar, ...]) -> bool:
    try:
        mark = json.loads(_locate_complete_marker(place).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return bool(
        mark == {"lock": _compute_lock_digest(version), "jars": _read_jar_stamps(place, jars)}
    )


def _write_complete_marker(place: Path, version: str, jars: tuple[Jar, ...]) -> None:
    mark = {"lock": _compute_lock_digest(version), "jars": _read_jar_stamps(place, jars)}
    with write_file_atomically(_locate_complete_marker(place)) as making:
        making.write_text(json.dumps(mark), encoding="utf-8")


def _is_locked_jar(file: Path, jar: Jar) -> bool:
    """Whether a file is, byte for byte, the jar of the lock."""
    if not file.is_file() or file.stat().st_size != jar.size:
        return False
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == jar.sha256


def _find_repository_address() -> str:
    """The address of the Maven repository: a mirror when one is named, else jgo's default."""
    mirror = os.environ.get("SHICHENG_JARS_URL")
    if mirror:
        return mirror.rstrip("/")
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL

    return str(GlobalSettings.load().repositories.get("central", MAVEN_CENTRAL_URL)).rstrip("/")


class _FetchProgress:
    """Bytes that are here, of all; reported to `progress` a few times a second."""

    def __init__(self, here: int, total: int, progress: ByteProgress | None) -> None:
        self.here, self.total, self.progress = here, total, progress
        self._lock = Lock()
        self._reported_at = 0.0
        self._tell()

    def add(self, count: int) -> None:
        with self._lock:
            self.here += count
            if time.monotonic() - self._reported_at > 0.1 or self.here == self.total:
                self._tell()

    def _tell(self) -> None:
        self._reported_at = time.monotonic()
        if self.progress:
            self.progress(self.here, self.total)


def _locate_partial_jar(place: Path, jar: Jar) -> Path:
    return place / f"{jar.name}.part"


def _count_partial_bytes(place: Path, jar: Jar) -> int:
    part = _locate_partial_jar(place, jar)
    return part.stat().st_size if part.is_file() else 0


def _fetch_missing_jars(place: Path, jars: tuple[Jar, ...], progress: ByteProgress | None) -> None:
    import requests
    from requests.adapters import HTTPAdapter

    missing = [jar for jar in jars if not _is_locked_jar(place / jar.name, jar)]
    if not missing:
        return
    total = sum(jar.size for jar in jars)
    here = total - sum(jar.size - _count_partial_bytes(place, jar) for jar in missing)
    count, stop = _FetchProgress(here, total, progress), Event()
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(pool_maxsize=PARALLEL_FETCHES))
        session.mount("https://", HTTPAdapter(pool_maxsize=PARALLEL_FETCHES))
        base = _find_repository_address()

        def one(jar: Jar) -> None:
            if stop.is_set():
                return
            try:
                _fetch_jar(session, base, place, jar, count)
            except BaseException:
                stop.set()
                raise

        # The large ones first: the last seconds are then shared by small ones.
        largest = sorted(missing, key=lambda jar: -jar.size)
        try:
            with ThreadPoolExecutor(PARALLEL_FETCHES) as pool:
                list(pool.map(one, largest))
        except requests.RequestException as error:
            raise _build_repository_error(base, count, error) from error


def _build_repository_error(
    base: str, count: _FetchProgress, error: requests.RequestException
) -> DatabaseError:
    from urllib.parse import urlsplit

    host = urlsplit(base).hostname
    answer: Message | str | None = host
    if error.response is not None:
        answer = Message("{host} (it answered {code})", host=host, code=error.response.status_code)
    return DatabaseError(
        "Neo4j's jars ({total:.0f} MB, needed once) cannot be fetched from {host}: check the "
        "network, or name a mirror with SHICHENG_JARS_URL, and run the same command again; it goes "
        "on after the {here:.0f} MB that are here.",
        total=count.total / 1e6,
        host=answer,
        here=count.here / 1e6,
    )


def _fetch_jar(
    session: requests.Session, base: str, place: Path, jar: Jar, count: _FetchProgress
) -> None:
    """Fetch one jar, continuing its partial file; tried again when the line breaks."""
    import requests

    part = _locate_partial_jar(place, jar)
    for attempt in range(1, FETCH_ATTEMPTS + 1):
        try:
            _continue_download(session, f"{base}/{jar.address}", part, jar, count)
        except requests.RequestException as error:
            refused = isinstance(error, requests.HTTPError) and _is_permanent_http_error(error)
            if attempt == FETCH_ATTEMPTS or refused:
                raise
            time.sleep(attempt)
            continue
        if _is_locked_jar(part, jar):
            part.replace(place / jar.name)
            return
        count.add(-_count_partial_bytes(place, jar))
        part.unlink()
    raise DatabaseError(
        "{jar} came from the repository with other bytes than graph/server/jar_locks states; it is "
        "not used: try again, or name another mirror with SHICHENG_JARS_URL.",
        jar=jar.name,
    )


def _is_permanent_http_error(error: requests.HTTPError) -> bool:
    """Whether asking again cannot help (404, 403, ...)."""
    status = error.response.status_code if error.response is not None else 0
    return 400 <= status < 500 and status not in (408, 429)


def _continue_download(
    session: requests.Session, url: str, part: Path, jar: Jar, count: _FetchProgress
) -> None:
    begun = part.stat().st_size if part.is_file() else 0
    if begun >= jar.size:
        return  # complete, or too long: the check of its bytes decides
    headers = {"Range": f"bytes={begun}-"} if begun else {}
    with session.get(url, headers=headers, stream=True, timeout=(10, 60)) as answer:
        answer.raise_for_status()
        continued = answer.status_code == 206
        if begun and not continued:
            count.add(-begun)
        with part.open("ab" if continued else "wb") as file:
            for chunk in answer.iter_content(FETCH_CHUNK_BYTES):
                file.write(chunk)
                count.add(len(chunk))


def write_jar_lock(version: str) -> Path:
    """Resolve Neo4j `version` with jgo, fetch its jars into jgo's cache, write their lock."""
    import jgo

    endpoint = "+".join(f"org.neo4j:{artifact}:{version}" for artifact in REQUIRED_ARTIFACTS)
    jars = []
    for artifact in jgo.resolve(endpoint):
        file = Path(artifact.resolve())
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        jars.append(
            Jar(
                artifact.groupId,
                artifact.artifactId,
                artifact.version,
                artifact.classifier or "",
                file.stat().st_size,
                sha256,
            )
        )
    lines = sorted(jar.line for jar in jars)
    head = f"# Neo4j Community {version}; made by: python -m graph.server.jars lock {version}"
    lock = JAR_LOCKS_FOLDER / f"{version}.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return lock


def main(arguments: list[str]) -> int:
    """`lock VERSION` writes a lock; returns the exit code."""
    if len(arguments) != 2 or arguments[0] != "lock":
        print("usage: python -m graph.server.jars lock VERSION")
        return 2
    lock = write_jar_lock(arguments[1])
    print(f"{lock}: {len(list_locked_jars(arguments[1]))} jars")
    return 0


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
