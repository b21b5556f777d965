"""Files that a visitor brings in, until they are loaded: a private folder of each session.

The folder lies in the data folder and goes with the visit (`graph.server.session_folder`), at the
end of the load, when the visitor cancels, or after `UPLOAD_IDLE_SECONDS` without use.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Final

from graph.atomic import create_private_file
from graph.errors import UsageError
from graph.identity import mask_id_numbers
from graph.server.session_folder import (
    FOLDER_LOCK_NAME,
    SessionFolder,
    list_abandoned_folders,
    remove_abandoned_folders,
)

UPLOADS_FOLDER: Final = "uploads"
MAX_UPLOADED_FILES: Final = 200
MAX_UPLOADED_BYTES: Final = 256 << 20
UPLOAD_IDLE_SECONDS: Final = 2 * 3600.0
_MAX_NAME_CHARS: Final = 80
_MAX_SUFFIX_CHARS: Final = 16


class UploadFolder(SessionFolder):
    """The folder of one session, mode 0700; its files are 0600. Removed with this object."""

    def __init__(self, home: Path, idle_seconds: float = UPLOAD_IDLE_SECONDS) -> None:
        super().__init__(home / UPLOADS_FOLDER, idle_seconds)

    def list_files(self) -> list[Path]:
        """The stored files, in the order of their names."""
        if self.is_removed:
            return []
        return sorted(p for p in self.path.iterdir() if p.name != FOLDER_LOCK_NAME)

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
        with create_private_file(path) as file:
            file.write(content)
        return path

    def remove_file(self, path: Path) -> None:
        """Removes one of the files."""
        if path.parent == self.path:
            path.unlink(missing_ok=True)


def remove_abandoned_uploads(home: Path) -> int:
    """Removes the folders whose process has ended; how many there were."""
    return remove_abandoned_folders(home / UPLOADS_FOLDER)


def list_abandoned_uploads(home: Path) -> list[Path]:
    """The folders whose process has ended."""
    return list_abandoned_folders(home / UPLOADS_FOLDER)


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
