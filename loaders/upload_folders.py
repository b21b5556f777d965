"""Files that a visitor brings in, until they are loaded: a private folder of each session.

The folder lies in the data folder and is readable by its owner alone. It goes at the end of the
load, when the visitor cancels, when the session ends (`UploadFolder` is then collected), after
`UPLOAD_IDLE_SECONDS` without use, and when the process ends. What a killed process leaves
is known by its lock, which the kernel has freed, and is removed at the next start.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
import unicodedata
import uuid
import weakref
from pathlib import Path
from typing import Final

from filelock import FileLock

from graph.errors import UsageError
from graph.identity import mask_id_numbers
from graph.server.locks import is_lock_held

UPLOADS_FOLDER: Final = "uploads"
MAX_UPLOADED_FILES: Final = 200
MAX_UPLOADED_BYTES: Final = 256 << 20
UPLOAD_IDLE_SECONDS: Final = 2 * 3600.0
_LOCK_NAME: Final = ".lock"
# Between the making of a folder and its lock another process must not take it for abandoned.
_NEW_FOLDER_SECONDS: Final = 60.0
_TOUCH_SECONDS: Final = 30.0
_MAX_NAME_CHARS: Final = 80
_MAX_SUFFIX_CHARS: Final = 16


class UploadFolder:
    """The folder of one session, mode 0700; its files are 0600. Removed with this object."""

    def __init__(self, home: Path, idle_seconds: float = UPLOAD_IDLE_SECONDS) -> None:
        uploads = home / UPLOADS_FOLDER
        uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = uploads / uuid.uuid4().hex
        self.path.mkdir(mode=0o700)
        # Released by another thread than the one that took it: the timer's, the collector's.
        lock = FileLock(self.path / _LOCK_NAME, thread_local=False)
        lock.acquire()
        self._idle_seconds = idle_seconds
        self._lock = lock
        self._remove = weakref.finalize(self, _remove_locked_folder, self.path, lock)
        self._touched = time.monotonic()
        self._timer = self._start_timer()

    @property
    def is_removed(self) -> bool:
        """Whether it is gone: closed, or left alone for too long."""
        return not self.path.is_dir()

    def list_files(self) -> list[Path]:
        """The stored files, in the order of their names."""
        if self.is_removed:
            return []
        return sorted(p for p in self.path.iterdir() if p.name != _LOCK_NAME)

    def store(self, name: str, content: bytes | memoryview) -> Path:
        """Writes a file under a name like the given one; its path.

        Raises UsageError for one file too many, for too many bytes, and where the folder is gone.
        """
        self.touch()
        files = self.list_files()
        if self.is_removed:
            raise UsageError("The files were removed after a long pause; choose them again.")
        if len(files) >= MAX_UPLOADED_FILES:
            raise UsageError(
                "At most {most} files are taken at once; load these first.", most=MAX_UPLOADED_FILES
            )
        size = len(content) + sum(file.stat().st_size for file in files)
        if size > MAX_UPLOADED_BYTES:
            raise UsageError(
                "The files are more than {most} MB together; load some of them first.",
                most=MAX_UPLOADED_BYTES >> 20,
            )
        path = find_free_path(self.path, clean_file_name(name))
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        return path

    def remove_file(self, path: Path) -> None:
        """Removes one of the files."""
        if path.parent == self.path:
            path.unlink(missing_ok=True)

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


def remove_abandoned_uploads(home: Path) -> int:
    """Removes the folders whose process has ended; how many there were."""
    abandoned = list_abandoned_uploads(home)
    for folder in abandoned:
        shutil.rmtree(folder, ignore_errors=True)
    return len(abandoned)


def list_abandoned_uploads(home: Path) -> list[Path]:
    """The folders whose process has ended."""
    found: list[Path] = []
    uploads = home / UPLOADS_FOLDER
    for folder in list(uploads.iterdir()) if uploads.is_dir() else []:
        try:
            is_new = time.time() - folder.stat().st_mtime < _NEW_FOLDER_SECONDS
        except OSError:  # its session has just ended
            continue
        if is_lock_held(folder / _LOCK_NAME) or (is_new and not (folder / _LOCK_NAME).exists()):
            continue
        found.append(folder)
    return found


def clean_file_name(name: str) -> str:
    r"""The last part of a name as it may stand in a folder: no path, no control sign, not hidden.

    >>> clean_file_name("../a/名单.xlsx"), clean_file_name("C:\\x\\.htaccess"), clean_file_name("/")
    ('名单.xlsx', 'htaccess', 'file')
    """
    plain = unicodedata.normalize("NFC", name.encode(errors="replace").decode())
    last = re.split(r"[/\\]", plain)[-1]
    shown = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    bare = mask_id_numbers(shown).strip().lstrip(".~$").strip()
    path = Path(bare or "file")
    return path.stem[:_MAX_NAME_CHARS] + path.suffix[:_MAX_SUFFIX_CHARS]


def find_free_path(folder: Path, name: str) -> Path:
    """A path for a file of this name that no other has: 名单.xlsx, 名单 (2).xlsx."""
    path, at = folder / name, 1
    while path.exists():
        at += 1
        path = folder / f"{Path(name).stem} ({at}){Path(name).suffix}"
    return path
