"""The embedded Neo4j: found, shared, killed, crowded out, out of disk; one sentence each."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from graph.errors import DatabaseError
from graph.messages import Message
from graph.server import configuration, embedded, location
from graph.server.database import Database, connect
from graph.server.locks import START_LOCK_NAME, is_lock_held
from graph.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import os
from graph.server.database import connect
from graph.settings import Settings
with connect(Settings()) as database:
    database.read("RETURN 1")
    print(database.uri, sum(os.times()[:2]))
"""


def ask(settings: Settings) -> subprocess.Popen[str]:
    """Another command that uses the database of these settings and prints its address."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SHICHENG_HOME": str(settings.home),
        "SHICHENG_HEAP_MB": str(settings.heap_mb),
        "SHICHENG_NEO4J_VERSION": settings.neo4j_version,
    }
    return subprocess.Popen(
        [sys.executable, "-c", ASK], env=environment, stdout=subprocess.PIPE, text=True
    )


def answer(command: subprocess.Popen[str]) -> tuple[str, float]:
    """The address it printed, and the seconds of processor it took."""
    printed, _ = command.communicate(timeout=300)
    uri, seconds = printed.split()
    return uri, float(seconds)


def mode(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def running(settings: Settings) -> location.Server:
    """The server that runs there."""
    server = location.find_running_server(settings)
    assert server is not None
    return server


def test_only_its_owner_reads_it_and_only_this_machine_reaches_it(
    database: Database, settings: Settings
) -> None:
    assert mode(settings.home / "neo4j.password") == 0o600
    server = running(settings)
    process = psutil.Process(server.pid)
    listening = [c.laddr for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert [address.port for address in listening] == [server.port]
    assert listening[0].ip.removeprefix("::ffff:") == "127.0.0.1"


def test_another_command_uses_the_same_server_at_once(
    database: Database, settings: Settings
) -> None:
    uri, seconds = answer(ask(settings))
    assert uri == database.uri
    # Of processor time, which other work on the machine does not change; the clock says the same
    # on a quiet machine.
    assert seconds < 1.5


def test_killed_it_is_started_again_once_for_all_who_ask(second: Settings) -> None:
    with connect(second) as database:
        database.write("MERGE (:Province {code: '11'})")
        killed = running(second)
        os.kill(killed.pid, signal.SIGKILL)
        commands = [ask(second), ask(second)]
        rows = database.read("MATCH (p:Province {code: '11'}) RETURN p.code AS code")
        uris = {answer(command)[0] for command in commands}
        assert rows == [{"code": "11"}]
        assert uris == {database.uri}
        assert running(second).pid != killed.pid


def test_stop_is_quick_and_clean(second: Settings) -> None:
    embedded.start_server(second)
    assert embedded.stop_server(second) is True
    assert location.find_running_server(second) is None
    assert embedded.stop_server(second) is False


def test_a_server_whose_command_was_killed_while_it_started_serves_the_next_one(
    second: Settings,
) -> None:
    embedded.stop_server(second)
    command = ask(second)
    while not is_lock_held(second.home / START_LOCK_NAME):
        assert command.poll() is None
        time.sleep(0.01)
    command.kill()
    command.wait()
    assert location.find_running_server(second) is None  # it is still starting
    uri, _ = answer(ask(second))
    server = running(second)
    assert uri.endswith(f":{server.port}")
    starts = [p for p in psutil.process_iter() if str(second.home) == _find_working_folder(p)]
    assert [p.pid for p in starts] == [server.pid]  # not two of them


def _find_working_folder(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        if "graph.server.child" in process.cmdline():
            return process.cwd()
    return ""


def test_a_store_that_another_process_has_open_is_refused(second: Settings) -> None:
    server = embedded.start_server(second)
    os.kill(server.pid, signal.SIGSTOP)  # it holds its store and cannot see its file go
    location.locate_runtime_file(second.home).unlink()
    try:
        with pytest.raises(DatabaseError, match="Another Neo4j uses the store in"):
            embedded.start_server(second)
    finally:
        os.kill(server.pid, signal.SIGKILL)
        wait_for_end(server)


def test_a_port_that_is_taken_or_lost_is_given_up_for_another_and_idleness_ends_it(
    second: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.stop_server(second)
    hasty = second.model_copy(update={"idle_minutes": 0.05})
    find, given = configuration.find_free_port, list[int]()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        last = other.getsockname()[1]
        second.home.mkdir(exist_ok=True)
        (second.home / "neo4j.port").write_text(str(last))  # as if the last server had it

        def lose(preferred: int) -> int:
            """Gives at first the port that another has, as if it was lost after the choice."""
            given.append(preferred)
            return find(preferred) if given[1:] else last

        monkeypatch.setattr(embedded, "find_free_port", lose)
        server = embedded.start_server(hasty)
        assert given == [last, 0]
        assert last not in {server.port, find(last)}
    wait_for_end(server)
    assert not location.locate_runtime_file(second.home).exists()
    assert "without a query" in location.locate_log_file(second.home).read_text()


def wait_for_end(server: location.Server, seconds: float = 120) -> None:
    """Wait until its process is gone."""
    until = time.monotonic() + seconds
    while server.alive:
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_full_disk_is_said(settings: Settings, small_disk: Path) -> None:
    cramped = settings.at(small_disk / "home")
    with pytest.raises(DatabaseError, match=r"is full.*free some space"):
        embedded.start_server(cramped)
    assert location.find_running_server(cramped) is None


@pytest.fixture
def filling_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 240 MB."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=240m", "tmpfs", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_disk_that_gets_full_is_said_and_what_was_stored_stays(
    settings: Settings, filling_disk: Path
) -> None:
    filling = settings.at(filling_disk / "home")
    rest = filling_disk / "rest"
    with connect(filling) as database:
        try:
            database.write("CREATE (:Kept)")
            with contextlib.suppress(OSError), rest.open("wb", buffering=0) as file:
                while file.write(bytes(100_000)):
                    pass
            with pytest.raises(DatabaseError, match=r"cannot store any more.*free some space"):
                for _ in range(40):
                    database.write(
                        "UNWIND range(1, 1500) AS n CREATE (:Filler {n: n, text: $text})",
                        {"text": "x" * 3000},
                    )
            rest.unlink()
            assert database.read("MATCH (k:Kept) RETURN count(k) AS n") == [{"n": 1}]
        finally:
            embedded.stop_server(filling)


def test_a_folder_that_cannot_be_made_is_said(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match=r"cannot be written.*--home"):
        embedded.start_server(settings.at(tmp_path / "file" / "home"))


def test_no_network_at_the_first_start_is_said(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHICHENG_JARS_URL", "http://127.0.0.1:1")
    bare = settings.model_copy(update={"home_path": tmp_path / "h", "cache_path": tmp_path / "c"})
    messages: list[Message] = []
    with pytest.raises(DatabaseError, match=r"check the network.*SHICHENG_JARS_URL"):
        connect(bare, say=messages.append)
    assert [str(line) for line in messages] == [f"Fetching Neo4j {bare.neo4j_version} (once) ..."]


@pytest.mark.parametrize(
    ("wrote", "asked", "fits"),
    [
        ("2026.08.1", "2026.08.1", True),
        ("2026.07.0", "2026.08.1", True),
        ("2026.08.1", "2026.07.0", False),
        ("5.26.30", "2026.08.1", False),
        ("2026.08.1", "5.26.30", False),
        ("5.26.29", "5.26.30", True),
    ],
)
def test_a_store_of_another_version_is_refused(
    settings: Settings, tmp_path: Path, wrote: str, asked: str, fits: bool
) -> None:
    (tmp_path / "neo4j.version").write_text(wrote)
    asking = settings.at(tmp_path).model_copy(update={"neo4j_version": asked})
    if fits:
        embedded.check_store_version(asking)
        return
    with pytest.raises(DatabaseError, match=f"written by Neo4j {wrote}.*asks for {asked}"):
        connect(asking)
