"""Locks of the data folder: exclusive, freed by the end of their process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from graph.errors import DatabaseError
from graph.messages import Message
from graph.server import child, embedded, locks
from loaders import load_nodes

HOLD = """
import sys, time, filelock
lock = filelock.FileLock(sys.argv[1])
lock.acquire()
print(1, flush=True)
time.sleep(600)
"""


@contextmanager
def another_holder(file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that holds the lock until it is killed."""
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "1\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_killed_process_has_no_lock(tmp_path: Path) -> None:
    file = tmp_path / locks.LOAD_LOCK_NAME
    with another_holder(file) as process:
        assert locks.is_load_running(tmp_path)
        process.kill()
        process.wait()
        assert not locks.is_load_running(tmp_path)
        with load_nodes.open_load_folder(tmp_path, "load"):
            assert locks.is_load_running(tmp_path)
    assert not locks.is_load_running(tmp_path)


def test_a_second_load_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with another_holder(tmp_path / locks.LOAD_LOCK_NAME):
        began = time.monotonic()
        with (
            pytest.raises(DatabaseError, match="Another load with the data folder"),
            load_nodes.open_load_folder(tmp_path, "load"),
        ):
            pass
        assert time.monotonic() - began >= locks.LOAD_LOCK_SECONDS
        assert locks.is_load_running(tmp_path)


def test_a_queued_load_waits_for_its_turn_and_says_so(tmp_path: Path) -> None:
    messages: list[Message] = []
    with another_holder(tmp_path / locks.LOAD_LOCK_NAME) as process:
        ended = threading.Timer(locks.LOAD_LOCK_SECONDS + 0.3, process.kill)
        ended.start()
        with load_nodes.open_load_folder(tmp_path, "load", queue=True, say=messages.append):
            assert process.wait() != 0
    assert [str(line) for line in messages] == [
        "Another load is running: this one waits for its turn."
    ]


def test_a_load_waits_for_whoever_looks_whether_one_runs(tmp_path: Path) -> None:
    import fcntl

    (tmp_path / locks.LOAD_LOCK_NAME).touch()
    with (tmp_path / locks.LOAD_LOCK_NAME).open() as looked:
        fcntl.flock(looked, fcntl.LOCK_SH)
        threading.Timer(0.2, fcntl.flock, (looked, fcntl.LOCK_UN)).start()
        with load_nodes.open_load_folder(tmp_path, "load"):
            pass


def test_a_swap_that_was_killed_half_way_is_finished_before_its_folder_goes(tmp_path: Path) -> None:
    """Whoever loads next may have used the server before, and starts none."""
    new = tmp_path / "loads" / "killed" / "neo4j"
    there = new / "data" / "databases" / "neo4j"
    there.mkdir(parents=True)
    (there / "store").write_text("new")
    embedded.locate_swap_mark(tmp_path).write_text(str(new.relative_to(tmp_path)))
    with load_nodes.open_load_folder(tmp_path, "load"):
        store = embedded.locate_store(tmp_path) / "data" / "databases" / "neo4j" / "store"
        assert store.read_text() == "new"
        assert not new.exists()
    assert not embedded.locate_swap_mark(tmp_path).exists()


def test_those_who_look_do_not_see_each_other_and_make_no_file(tmp_path: Path) -> None:
    assert not locks.is_load_running(tmp_path) and not locks.is_store_offline(tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / locks.LOAD_LOCK_NAME).touch()
    seen: list[bool] = []

    def look() -> None:
        seen.extend(locks.is_load_running(tmp_path) for _ in range(2_000))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8_000 and not any(seen)


def test_the_store_is_offline_for_the_length_of_the_block(tmp_path: Path) -> None:
    with locks.lock_store_offline(tmp_path):
        assert locks.is_store_offline(tmp_path)
    assert not locks.is_store_offline(tmp_path)
    with another_holder(tmp_path / locks.OFFLINE_LOCK_NAME) as process:
        threading.Timer(0.2, process.kill).start()
        with locks.lock_store_offline(tmp_path):
            assert process.wait() != 0


def test_who_starts_the_server_waits_and_then_says_who_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.2)
    with (
        another_holder(tmp_path / locks.SERVER_LOCK_NAME),
        pytest.raises(DatabaseError, match="Another command has been starting or stopping"),
        embedded.hold_server_lock(tmp_path),
    ):
        pass
    with embedded.hold_server_lock(tmp_path):
        assert locks.is_lock_held(tmp_path / locks.SERVER_LOCK_NAME)
    assert not locks.is_lock_held(tmp_path / locks.SERVER_LOCK_NAME)


def test_two_threads_do_not_start_the_server_at_once(tmp_path: Path) -> None:
    inside, most = [0], [0]

    def start() -> None:
        for _ in range(5):
            with embedded.hold_server_lock(tmp_path):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.001)
                inside[0] -= 1

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_an_idle_server_leaves_only_where_nobody_is_starting(tmp_path: Path) -> None:
    runtime = tmp_path / "neo4j.json"
    runtime.touch()
    with FileLock(tmp_path / locks.SERVER_LOCK_NAME):
        assert child._release_runtime_file(tmp_path) is None
        assert runtime.exists()
    held = child._release_runtime_file(tmp_path)
    assert held is not None and not runtime.exists()
    assert locks.is_lock_held(tmp_path / locks.SERVER_LOCK_NAME)
    held.release()
    assert not locks.is_lock_held(tmp_path / locks.SERVER_LOCK_NAME)


def test_a_lock_does_not_pass_on_to_a_child_process(tmp_path: Path) -> None:
    """A server outlives the command that started it; the command's lock must not."""
    with embedded.hold_server_lock(tmp_path):
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert process.poll() is None
        assert not locks.is_lock_held(tmp_path / locks.SERVER_LOCK_NAME)
    finally:
        process.kill()
        process.communicate()
