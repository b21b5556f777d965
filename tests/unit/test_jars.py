"""Neo4j's jars are fetched once, continued when broken off, and never used damaged."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from graph.errors import DatabaseError, UsageError
from graph.server import jars

VERSION = "1.0.0"


class Repository(SimpleHTTPRequestHandler):
    """A Maven repository on loopback that answers ranges, and notes what it was asked."""

    asked: list[tuple[str, str | None]] = []  # noqa: RUF012
    ranges = True
    break_after: int | None = None

    def do_GET(self) -> None:
        """Send a file, from where the range begins; cut the line after `break_after` bytes."""
        self.asked.append((self.path, self.headers.get("Range")))
        file = Path(self.translate_path(self.path))
        if not file.is_file():
            self.send_error(404)
            return
        begin = 0
        if self.ranges and (wanted := self.headers.get("Range")):
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
        content = file.read_bytes()[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: type(self).break_after])

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository with three jars and a lock that names them; the folder it serves."""
    root, locks = tmp_path / "served", tmp_path / "locks"
    locks.mkdir()
    lines = ["# three jars"]
    for number, size in enumerate((300_000, 5_000, 256)):
        content = bytes(range(256)) * (size // 256)
        jar = jars.Jar(
            "org.some",
            f"jar{number}",
            VERSION,
            "linux" if number else "",
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
        (root / jar.address).parent.mkdir(parents=True)
        (root / jar.address).write_bytes(content)
        lines.append(jar.line)
    (locks / f"{VERSION}.lock").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(jars, "JAR_LOCKS_FOLDER", locks)
    monkeypatch.setattr(jars, "FETCH_ATTEMPTS", 1)
    Repository.asked, Repository.ranges, Repository.break_after = [], True, None
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Repository, directory=str(root)))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("SHICHENG_JARS_URL", f"http://127.0.0.1:{server.server_port}/")
    yield root
    server.shutdown()
    server.server_close()


def is_complete(cache: Path) -> bool:
    """Whether every jar in the cache is what the lock says."""
    folder = jars.locate_jars_folder(VERSION, cache)
    return all(
        hashlib.sha256((folder / jar.name).read_bytes()).hexdigest() == jar.sha256
        for jar in jars.list_locked_jars(VERSION)
    )


def test_fetched_once_with_progress(repository: Path, tmp_path: Path) -> None:
    reports: list[tuple[int, int]] = []
    jars.fetch_jars(VERSION, tmp_path, lambda here, total: reports.append((here, total)))
    assert is_complete(tmp_path)
    total = sum(jar.size for jar in jars.list_locked_jars(VERSION))
    assert reports[0] == (0, total) and reports[-1] == (total, total)
    asked = len(Repository.asked)
    jars.fetch_jars(VERSION, tmp_path)
    assert len(Repository.asked) == asked


def test_continued_where_it_broke_off(repository: Path, tmp_path: Path) -> None:
    Repository.break_after = 100_000
    with pytest.raises(DatabaseError, match="goes on after"):
        jars.fetch_jars(VERSION, tmp_path)
    part = jars.locate_jars_folder(VERSION, tmp_path) / f"jar0-{VERSION}.jar.part"
    begun = part.stat().st_size
    assert 0 < begun <= 100_000
    assert not jars.has_all_jars(VERSION, tmp_path)
    Repository.break_after, Repository.asked = None, []
    jars.fetch_jars(VERSION, tmp_path)
    assert is_complete(tmp_path)
    assert f"bytes={begun}-" in [wanted for _, wanted in Repository.asked]
    assert not list(jars.locate_jars_folder(VERSION, tmp_path).glob("*.part"))


def test_begun_again_when_the_repository_knows_no_ranges(repository: Path, tmp_path: Path) -> None:
    Repository.break_after, Repository.ranges = 100_000, False
    with pytest.raises(DatabaseError):
        jars.fetch_jars(VERSION, tmp_path)
    Repository.break_after = None
    reports: list[tuple[int, int]] = []
    jars.fetch_jars(VERSION, tmp_path, lambda here, total: reports.append((here, total)))
    assert is_complete(tmp_path)
    assert reports[-1][0] == reports[-1][1]


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "marker"])
def test_damage_is_found_and_mended(repository: Path, tmp_path: Path, damage: str) -> None:
    folder = jars.fetch_jars(VERSION, tmp_path)
    jar = folder / f"jar0-{VERSION}.jar"
    content = jar.read_bytes()
    if damage == "cut":
        jar.write_bytes(content[:1000])
    elif damage == "changed":
        jar.write_bytes(b"\xff" + content[1:])
    elif damage == "gone":
        jar.unlink()
    else:
        (folder / "complete.json").write_text("{")
    Repository.asked = []
    jars.fetch_jars(VERSION, tmp_path)
    assert is_complete(tmp_path)
    assert len(Repository.asked) == (0 if damage == "marker" else 1)


def test_other_bytes_than_the_lock_are_refused(repository: Path, tmp_path: Path) -> None:
    jar = jars.list_locked_jars(VERSION)[0]
    (repository / jar.address).write_bytes(b"\0" * jar.size)
    with pytest.raises(DatabaseError, match="other bytes than graph/server/jar_locks states"):
        jars.fetch_jars(VERSION, tmp_path)
    assert not (jars.locate_jars_folder(VERSION, tmp_path) / jar.name).exists()


def test_a_jar_the_repository_lacks(repository: Path, tmp_path: Path) -> None:
    (repository / jars.list_locked_jars(VERSION)[0].address).unlink()
    with pytest.raises(DatabaseError, match=r"it answered 404.*SHICHENG_JARS_URL"):
        jars.fetch_jars(VERSION, tmp_path)


def test_no_network(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("SHICHENG_JARS_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(DatabaseError, match=r"check the network.*run the same command again"):
        jars.fetch_jars(VERSION, tmp_path)


def test_a_version_without_a_lock_is_named_with_those_that_have_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Neo4j 4\.4\.0.*2026\.08\.1.*5\.26\.30"):
        jars.fetch_jars("4.4.0", tmp_path)


@pytest.mark.parametrize("version", ["2026.08.1", "5.26.30"])
def test_the_kept_locks_are_whole_and_name_no_registry(version: str) -> None:
    named = jars.list_locked_jars(version)
    assert len({jar.name for jar in named}) == len(named) > 200
    assert {jar.artifact for jar in named} >= set(jars.REQUIRED_ARTIFACTS)
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) and jar.size for jar in named)
    assert jars.parse_lock_line(named[0].line) == named[0]
    assert "://" not in jars.locate_lock_file(version).read_text()


def test_the_mirror_of_jgos_own_settings_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "jgo.conf"
    file.write_text("[repositories]\ncentral = http://127.0.0.1:1/maven/\n")
    monkeypatch.delenv("SHICHENG_JARS_URL", raising=False)
    monkeypatch.setenv("JGO_CONFIG_FILE", str(file))
    assert jars._find_repository_address() == "http://127.0.0.1:1/maven"


def test_the_marker_is_small_and_plain(repository: Path, tmp_path: Path) -> None:
    folder = jars.fetch_jars(VERSION, tmp_path)
    mark = json.loads((folder / "complete.json").read_text())
    assert set(mark) == {"lock", "jars"} and len(mark["jars"]) == 3
