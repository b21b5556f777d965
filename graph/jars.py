"""Neo4j's jars: a kept lock of coordinates and sha256, fetched once into the cache.

The lock of a version is `graph/jars/VERSION.lock`, one jar a line: its coordinate
(group:artifact:version[:classifier]), its bytes, its sha256. It names no registry: the address is
jgo's own default or what jgo's settings name as `central`, or `SHICHENG_JARS_URL` (a mirror).

A lock is made by `python -m graph.jars lock VERSION`; it resolves `REQUIRED` with jgo.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from graph.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    import requests

REQUIRED = ("neo4j", "neo4j-bolt", "neo4j-import-tool")
LOCKS = Path(__file__).parent / "jars"
PARALLEL = 8
ATTEMPTS = 3
CHUNK = 1 << 15  # what a broken line loses at most

Progress = Callable[[int, int], None]  # bytes that are here, bytes in all


@dataclass(frozen=True)
class Jar:
    """One jar of a lock: where it stands in a repository, and what it must be."""

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


def lock_file(version: str) -> Path:
    """Where the lock of a Neo4j version is kept; `UsageError` when there is none."""
    file = LOCKS / f"{version}.lock"
    if not file.is_file():
        known = ", ".join(sorted(lock.stem for lock in LOCKS.glob("*.lock")))
        raise UsageError(
            f"SHICHENG_NEO4J_VERSION asks for Neo4j {version}, which has no lock of jars; "
            f"these have one: {known}."
        )
    return file


def parse(line: str) -> Jar:
    """The jar that a line of a lock names."""
    coordinate, size, sha256 = line.split()
    group, artifact, version, *classifier = coordinate.split(":")
    return Jar(group, artifact, version, "".join(classifier), int(size), sha256)


def locked(version: str) -> tuple[Jar, ...]:
    """The jars of a Neo4j version, as its lock states them."""
    lines = lock_file(version).read_text(encoding="utf-8").splitlines()
    return tuple(parse(line) for line in lines if line and not line.startswith("#"))


def folder(version: str, cache: Path) -> Path:
    """Where the jars of a version are, fetched or not."""
    return cache / "jars" / version


def fetch(version: str, cache: Path, progress: Progress | None = None) -> Path:
    """The folder with every jar of `version`, fetching what is missing or damaged.

    Parallel; a partial file is continued; each file is checked against the lock's sha256 before
    it takes its name. A complete folder is recognised by sizes and times, without reading it.
    `progress` is called with (bytes here, bytes in all) while something is fetched. Raises
    `DatabaseError` when the repository cannot be reached or sends other bytes than the lock's.
    """
    jars = locked(version)
    place = folder(version, cache)
    if _complete(place, version, jars):
        return place
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _alone(place):
            if not _complete(place, version, jars):
                _fetch_missing(place, jars, progress)
                _mark(place, version, jars)
    except OSError as error:
        raise DatabaseError(
            f"Neo4j's jars cannot be kept in {place}: {error.strerror or error}; free some space "
            "there or name another folder with SHICHENG_CACHE. What is fetched already is kept."
        ) from error
    return place


def complete(version: str, cache: Path) -> bool:
    """Whether every jar of a version is in the cache already."""
    return _complete(folder(version, cache), version, locked(version))


def _stamps(place: Path, jars: tuple[Jar, ...]) -> dict[str, list[int]]:
    """Size and time of each jar that is there; quick to read, and changed by any damage."""
    stamps = {}
    for jar in jars:
        try:
            state = (place / jar.name).stat()
        except FileNotFoundError:
            continue
        stamps[jar.name] = [state.st_size, state.st_mtime_ns]
    return stamps


def _marker(place: Path) -> Path:
    return place / "complete.json"


def _digest(version: str) -> str:
    return hashlib.sha256(lock_file(version).read_bytes()).hexdigest()


def _complete(place: Path, version: str, jars: tuple[Jar, ...]) -> bool:
    try:
        mark = json.loads(_marker(place).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return bool(mark == {"lock": _digest(version), "jars": _stamps(place, jars)})


def _mark(place: Path, version: str, jars: tuple[Jar, ...]) -> None:
    mark = {"lock": _digest(version), "jars": _stamps(place, jars)}
    partial = place / "complete.json.part"
    partial.write_text(json.dumps(mark), encoding="utf-8")
    partial.replace(_marker(place))


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One process fetches at a time; another waits and then finds the jars."""
    import fcntl

    with (place / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _right(file: Path, jar: Jar) -> bool:
    """Whether a file is, byte for byte, the jar of the lock."""
    if not file.is_file() or file.stat().st_size != jar.size:
        return False
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == jar.sha256


def _base() -> str:
    """The address of the Maven repository: a mirror when one is named, else jgo's default."""
    mirror = os.environ.get("SHICHENG_JARS_URL")
    if mirror:
        return mirror.rstrip("/")
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL

    return str(GlobalSettings.load().repositories.get("central", MAVEN_CENTRAL_URL)).rstrip("/")


class _Count:
    """Bytes that are here, of all; told to `progress` a few times a second."""

    def __init__(self, here: int, total: int, progress: Progress | None) -> None:
        self.here, self.total, self.progress = here, total, progress
        self._lock = Lock()
        self._told = 0.0
        self._tell()

    def add(self, count: int) -> None:
        with self._lock:
            self.here += count
            if time.monotonic() - self._told > 0.1 or self.here == self.total:
                self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        if self.progress:
            self.progress(self.here, self.total)


def _part(place: Path, jar: Jar) -> Path:
    return place / f"{jar.name}.part"


def _begun(place: Path, jar: Jar) -> int:
    part = _part(place, jar)
    return part.stat().st_size if part.is_file() else 0


def _fetch_missing(place: Path, jars: tuple[Jar, ...], progress: Progress | None) -> None:
    import requests
    from requests.adapters import HTTPAdapter

    missing = [jar for jar in jars if not _right(place / jar.name, jar)]
    if not missing:
        return
    total = sum(jar.size for jar in jars)
    here = total - sum(jar.size - _begun(place, jar) for jar in missing)
    count, stop = _Count(here, total, progress), Event()
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(pool_maxsize=PARALLEL))
        session.mount("https://", HTTPAdapter(pool_maxsize=PARALLEL))
        base = _base()

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
            with ThreadPoolExecutor(PARALLEL) as pool:
                list(pool.map(one, largest))
        except requests.RequestException as error:
            raise DatabaseError(_unreachable(base, count, error)) from error


def _unreachable(base: str, count: _Count, error: requests.RequestException) -> str:
    from urllib.parse import urlsplit

    host = urlsplit(base).hostname
    said = f" (it answered {error.response.status_code})" if error.response is not None else ""
    return (
        f"Neo4j's jars ({count.total / 1e6:.0f} MB, needed once) cannot be fetched from "
        f"{host}{said}: check the network, or name a mirror with SHICHENG_JARS_URL, and run the "
        f"same command again; it goes on after the {count.here / 1e6:.0f} MB that are here."
    )


def _fetch_jar(session: requests.Session, base: str, place: Path, jar: Jar, count: _Count) -> None:
    """Fetch one jar, continuing its partial file; tried again when the line breaks."""
    import requests

    part = _part(place, jar)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _continue(session, f"{base}/{jar.address}", part, jar, count)
        except requests.RequestException as error:
            refused = isinstance(error, requests.HTTPError) and _lasting(error)
            if attempt == ATTEMPTS or refused:
                raise
            time.sleep(attempt)
            continue
        if _right(part, jar):
            part.replace(place / jar.name)
            return
        count.add(-_begun(place, jar))
        part.unlink()
    raise DatabaseError(
        f"{jar.name} came from the repository with other bytes than graph/jars states; it is not "
        "used: try again, or name another mirror with SHICHENG_JARS_URL."
    )


def _lasting(error: requests.HTTPError) -> bool:
    """Whether asking again cannot help (404, 403, ...)."""
    status = error.response.status_code if error.response is not None else 0
    return 400 <= status < 500 and status not in (408, 429)


def _continue(session: requests.Session, url: str, part: Path, jar: Jar, count: _Count) -> None:
    begun = part.stat().st_size if part.is_file() else 0
    if begun >= jar.size:
        return  # whole, or too long: the check of its bytes decides
    headers = {"Range": f"bytes={begun}-"} if begun else {}
    with session.get(url, headers=headers, stream=True, timeout=(10, 60)) as answer:
        answer.raise_for_status()
        continued = answer.status_code == 206
        if begun and not continued:
            count.add(-begun)
        with part.open("ab" if continued else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                count.add(len(chunk))


def make_lock(version: str) -> Path:
    """Resolve Neo4j `version` with jgo, fetch its jars into jgo's cache, write their lock."""
    import jgo

    endpoint = "+".join(f"org.neo4j:{artifact}:{version}" for artifact in REQUIRED)
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
    head = f"# Neo4j Community {version}; made by: python -m graph.jars lock {version}"
    lock = LOCKS / f"{version}.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return lock


def main(arguments: list[str]) -> int:
    """`lock VERSION` writes a lock; returns the exit code."""
    if len(arguments) != 2 or arguments[0] != "lock":
        print("usage: python -m graph.jars lock VERSION")
        return 2
    lock = make_lock(arguments[1])
    print(f"{lock}: {len(locked(arguments[1]))} jars")
    return 0


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
