"""Locks in the data folder: a load runs, the store is offline.

Locks are taken with `filelock`, which the kernel frees when their process ends, however it ends.
Only whether one is held is asked with `flock` itself. The locks of filelock exclude each other, so
two who ask at the same moment would each take the other for the holder; its ReadWriteLock is a
database of SQLite, beside which a held file lock is not seen. And asking must not make the file.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock

LOAD_LOCK_NAME: Final = "load.lock"
# How long a load waits for its lock: whoever asks whether one runs has it for an instant.
LOAD_LOCK_SECONDS: Final = 1.0
SERVER_LOCK_NAME: Final = "neo4j.lock"
# Held by the server's own process while it starts, so that it outlives a killed command.
START_LOCK_NAME: Final = "neo4j.start.lock"
OFFLINE_LOCK_NAME: Final = "offline.lock"
# Held beside the lock of loads, which a backup holds so that none begins.
BACKUP_LOCK_NAME: Final = "backup.lock"


def is_lock_held(file: Path) -> bool:
    """Whether a lock is held, by this process or another; False where the file is not there."""
    try:
        with file.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def is_load_running(home: Path) -> bool:
    """Whether a load works on the data folder now."""
    return is_lock_held(home / LOAD_LOCK_NAME) and not is_backup_running(home)


def is_backup_running(home: Path) -> bool:
    """Whether a backup of the data folder is made now; no load begins meanwhile."""
    return is_lock_held(home / BACKUP_LOCK_NAME)


@contextmanager
def lock_store_offline(home: Path) -> Iterator[None]:
    """Says in the data folder, for the length of the block, that this process has the store.

    The lock goes with the process, however it ends.
    """
    with FileLock(home / OFFLINE_LOCK_NAME):
        yield


def is_store_offline(home: Path) -> bool:
    """Whether another process has the store offline now."""
    return is_lock_held(home / OFFLINE_LOCK_NAME)
