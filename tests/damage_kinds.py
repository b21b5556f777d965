"""Ways in which a file of a data folder may be damaged, shared by the tests of damage."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def cut(file: Path) -> None:
    """Only the first half of it is there."""
    os.truncate(file, file.stat().st_size // 2)


def empty(file: Path) -> None:
    """Nothing of it is there."""
    os.truncate(file, 0)


def garbage(file: Path) -> None:
    """It holds what no program of ours wrote: neither text, nor YAML, nor any format of ours."""
    file.write_bytes(b"\xff\xfe\x00: [garbage" * 50)


def absent(path: Path) -> None:
    """It was deleted."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def a_folder(file: Path) -> None:
    """A folder stands in its place."""
    file.unlink(missing_ok=True)
    file.mkdir()


def open_to_all(path: Path) -> None:
    """Everybody may read it."""
    path.chmod(0o755)
