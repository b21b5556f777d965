"""A private folder of one visit: what a visitor brings in, and the rows of an answer.

It is its owner's alone, and holds a lock as long as it lives. It goes when it is closed or
collected (the visit ends), after a time without use, and when the process ends. What a killed
process leaves is known by its lock, which the kernel has freed, and is removed at the next start.
"""

from __future__ import annotations

import shutil
import threading
import time
import uuid
import weakref
from pathlib import Path
from typing import Final

from filelock import FileLock

from graph.server.locks import is_lock_held

FOLDER_LOCK_NAME: Final = ".lock"
# Between the making of a folder and its lock another process must not take it for abandoned.
_NEW_FOLDER_SECONDS: Final = 60.0
_TOUCH_SECONDS: Final = 30.0


class SessionFolder:
    """A new folder below `root`, mode 0700; removed with this object."""

    def __init__(self, root: Path, idle_seconds: float) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = root / uuid.uuid4().hex
        self.path.mkdir(mode=0o700)
        # Released by another thread than the one that took it: the timer's, the collector's.
        lock = FileLock(self.path / FOLDER_LOCK_NAME, thread_local=False)
        lock.acquire()
        self._lock, self._idle_seconds = lock, idle_seconds
        self._remove = weakref.finalize(self, _remove_locked_folder, self.path, lock)
        self._touched = time.monotonic()
        self._timer = self._start_timer()

    @property
    def is_removed(self) -> bool:
        """Whether it is gone: closed, or left alone for too long."""
        return not self.path.is_dir()

    def touch(self) -> None:
        """Says that the folder is in use, so that the time until it goes begins anew."""
        now = time.monotonic()
        if now - self._touched >= min(_TOUCH_SECONDS, self._idle_seconds / 4):
            self._touched = now
            self._timer.cancel()
            self._timer = self._start_timer()

    def close(self) -> None:
        """Removes the folder and all that is in it."""
        self._timer.cancel()
        self._remove()

    def _start_timer(self) -> threading.Timer:
        # The timer must not know this object: it would never be collected.
        timer = threading.Timer(self._idle_seconds, _remove_locked_folder, (self.path, self._lock))
        timer.daemon = True
        timer.start()
        return timer


def _remove_locked_folder(path: Path, lock: FileLock) -> None:
    shutil.rmtree(path, ignore_errors=True)
    lock.release(force=True)


def remove_abandoned_folders(root: Path) -> int:
    """Removes the folders below `root` whose process has ended; how many there were."""
    abandoned = list_abandoned_folders(root)
    for folder in abandoned:
        shutil.rmtree(folder, ignore_errors=True)
    return len(abandoned)


def list_abandoned_folders(root: Path) -> list[Path]:
    """The folders below `root` whose process has ended."""
    found: list[Path] = []
    for folder in list(root.iterdir()) if root.is_dir() else []:
        lock = folder / FOLDER_LOCK_NAME
        try:
            is_new = time.time() - folder.stat().st_mtime < _NEW_FOLDER_SECONDS
        except OSError:  # its session has just ended
            continue
        if is_lock_held(lock) or (is_new and not lock.exists()):
            continue
        found.append(folder)
    return found
