"""Files that a visitor brings in: private, limited, and gone when they should be."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import UsageError
from loaders import upload_folders
from loaders.upload_folders import (
    UPLOADS_FOLDER,
    UploadFolder,
    clean_file_name,
    remove_abandoned_uploads,
)

ID_NUMBER = "329999196201011015"
LEAVE = """
import os, sys
from pathlib import Path
from loaders.upload_folders import UploadFolder
folder = UploadFolder(Path(sys.argv[1]))
folder.store("a.csv", b"x")
print(folder.path, flush=True)
os.kill(os.getpid(), 9)
"""


def test_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path)
    first, second = folder.store("名单.csv", b"1"), folder.store("名单.csv", b"2")
    assert [path.name for path in folder.list_files()] == ["名单 (2).csv", "名单.csv"]
    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.list_files()} == {0o600}
    folder.close()
    assert folder.is_removed and list((tmp_path / UPLOADS_FOLDER).iterdir()) == []
    with pytest.raises(UsageError, match="removed"):
        folder.store("a.csv", b"")


def test_a_folder_goes_with_its_session(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path)
    path = folder.path
    folder.store("a.csv", b"x")
    del folder
    gc.collect()
    assert not path.exists()


def test_a_folder_goes_after_a_long_pause(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path, idle_seconds=0.4)
    for _ in range(6):
        time.sleep(0.15)
        folder.touch()
    assert not folder.is_removed
    ends = time.monotonic() + 10
    while not folder.is_removed and time.monotonic() < ends:
        time.sleep(0.05)
    assert folder.is_removed


def test_what_a_killed_process_leaves_goes_at_the_next_start(tmp_path: Path) -> None:
    mine = UploadFolder(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", LEAVE, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    left = Path(done.stdout.strip())
    assert (left / "a.csv").exists()
    assert remove_abandoned_uploads(tmp_path) == 1
    assert not left.exists() and mine.path.exists()
    assert remove_abandoned_uploads(tmp_path / "nowhere") == 0
    mine.close()


def test_a_folder_that_is_being_made_is_not_taken_for_abandoned(tmp_path: Path) -> None:
    new = tmp_path / UPLOADS_FOLDER / "new"
    new.mkdir(parents=True)
    assert remove_abandoned_uploads(tmp_path) == 0 and new.exists()
    os.utime(new, (1, 1))
    assert remove_abandoned_uploads(tmp_path) == 1


def test_files_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_folders, "MAX_UPLOADED_FILES", 2)
    monkeypatch.setattr(upload_folders, "MAX_UPLOADED_BYTES", 2 << 20)
    folder = UploadFolder(tmp_path)
    with pytest.raises(UsageError, match="2 MB"):
        folder.store("a.csv", bytes((2 << 20) + 1))
    folder.store("a.csv", b"")
    folder.store("b.csv", b"")
    with pytest.raises(UsageError, match="2 files"):
        folder.store("c.csv", b"")
    folder.close()


@given(st.text(max_size=200))
def test_a_name_never_leaves_the_folder(name: str) -> None:
    found = clean_file_name(name)
    assert found and "/" not in found and "\\" not in found and found not in (".", "..")
    assert not found.startswith(".") and len(found.encode()) <= 400
    assert found.isprintable() or " " in found or not found.isascii()


def test_no_id_number_stands_in_a_name() -> None:
    assert ID_NUMBER not in clean_file_name(f"{ID_NUMBER}.xlsx")
