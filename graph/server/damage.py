"""Damaged files of the data folder: found, said in a sentence, and mended where that can be.

What can be made anew (a snapshot, a result, the runtime file, a password that nobody knows by
heart) is taken away and made again; what cannot (what people wrote, the key of the ID digests, the
store) is set aside or left as it is, with a sentence that says where and what to do.
`find_damage` only looks, for `shicheng doctor`; `mend_snapshot` and the modules that own a file
mend.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from graph.messages import Message, detect_terminal_language
from graph.server.locks import (
    LOAD_LOCK_NAME,
    OFFLINE_LOCK_NAME,
    SERVER_LOCK_NAME,
    START_LOCK_NAME,
)

if TYPE_CHECKING:
    from graph.settings import Settings

damage_log = logging.getLogger("shicheng.damage")
PASSWORD_PATTERN: Final = re.compile(r"[\x21-\x7e]{8,}")
VERSION_PATTERN: Final = re.compile(r"\d+(\.\d+){1,3}")
# Files that nobody but their owner may read.
PRIVATE_FILES: Final = (
    "neo4j.password",
    "identity.key",
    "notebook.sqlite",
    "tokens.json",
    "accounts/accounts.json",
    "audit/digest.key",
)
# What no program can make anew, and what is not there while all is well.
# Each with what its JSON is.
STATED_FILES: Final[Mapping[str, type]] = {
    "accounts/accounts.json": dict,
    "tokens.json": list,
    "erased.json": dict,
    "erasure/order.json": dict,
}
LINE_FILES: Final = ("backups.jsonl", "dumps.jsonl", "erasures.log")
LOCK_FILES: Final = (
    SERVER_LOCK_NAME,
    LOAD_LOCK_NAME,
    OFFLINE_LOCK_NAME,
    START_LOCK_NAME,
    "neo4j.port",
    "tokens.json.lock",
    "audit/audit.lock",
)
# What a process makes under such a name is in its place, or gone, within this time.
_LEFT_SECONDS: Final = 3_600.0
CHECKED_SUFFIXES: Final = (".json", ".parquet", ".npy", ".arrow")
_damage_notes: list[Message] = []


def note_damage(message: Message) -> None:
    """Notes what was found and done: in the log now, on the next page drawn, on the terminal."""
    damage_log.warning("%s", message.said(detect_terminal_language()))
    _damage_notes.append(message)


def pop_damage_notes() -> list[Message]:
    """What was noted since this was last asked."""
    notes = _damage_notes[:]
    del _damage_notes[: len(notes)]
    return notes


def is_readable(file: Path, json_type: type = dict) -> bool:
    """Whether a JSON, Parquet, NumPy or Arrow file can be read; its rows are not looked at."""
    try:
        if file.suffix == ".json":
            return isinstance(json.loads(file.read_text("utf-8")), json_type)
        if file.suffix == ".parquet":
            import pyarrow.parquet as pq

            pq.read_metadata(file)
        if file.suffix == ".npy":
            import numpy as np

            np.load(file, mmap_mode="r")
        if file.suffix == ".arrow":
            import pyarrow as pa

            with pa.memory_map(str(file)) as mapped:
                pa.ipc.open_file(mapped)
    except (OSError, ValueError, EOFError):
        return False
    except Exception as error:  # pyarrow has kinds of its own
        if type(error).__module__.startswith("pyarrow"):
            return False
        raise
    return True


def set_aside(path: Path) -> Path:
    """Renames a damaged file or folder beside itself, and says what it is called now."""
    made = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = path.with_name(f"{path.name}.damaged-{made}")
    path.rename(aside)
    return aside


def list_damaged_files(folder: Path) -> Iterator[Path]:
    """The files of a snapshot's folder and of its results that cannot be read."""
    for file in sorted(folder.rglob("*")):
        making = any(part.startswith(".making-") for part in file.relative_to(folder).parts)
        if (
            file.suffix in CHECKED_SUFFIXES
            and file.is_file()
            and not making
            and not is_readable(file)
        ):
            yield file


def mend_snapshot(folder: Path) -> bool:
    """Takes away what of a snapshot cannot be read, so that it is made anew; whether anything was.

    A damaged table takes its snapshot along; a damaged result, or a folder of what is looked up in
    the tables, only itself.
    """
    damaged = list(list_damaged_files(folder)) if folder.is_dir() else []
    lacking = folder.is_dir() and _has_missing_tables(folder)
    if not damaged and not lacking:
        return False
    if not lacking and all(file.parent != folder for file in damaged):
        for file in damaged:
            _remove_path(_locate_result(folder, file))
            note_damage(Message("The result {file} was damaged; it is counted anew.", file=file))
    else:
        shutil.rmtree(folder, ignore_errors=True)
        first = damaged[0] if damaged else folder
        note_damage(
            Message("{file} was damaged; the tables are read from the graph anew.", file=first)
        )
    return True


def _locate_result(folder: Path, file: Path) -> Path:
    """What goes with a damaged file below a snapshot's tables: a result, or an entire folder."""
    parts = file.relative_to(folder).parts
    return folder.joinpath(*parts[: 2 if parts[0] == "results" else 1])


def _remove_path(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _has_missing_tables(folder: Path) -> bool:
    """Whether a table that the snapshot names is not there."""
    manifest = folder / "snapshot.json"
    if not manifest.is_file() or not is_readable(manifest):
        return True
    stated: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
    rows = stated.get("rows")
    if not isinstance(rows, dict) or not isinstance(stated.get("revision"), int):
        return True
    layered = stated.get("layered", [])
    names = [*rows, *(f"{name}.{part}" for name in layered for part in ("gone", "more"))]
    return any(not (folder / f"{name}.parquet").exists() for name in names)


def mend_notebook(file: Path) -> None:
    """Sets a notebook that SQLite cannot read aside; nothing is deleted."""
    if not file.exists() or is_notebook_intact(file):
        return
    aside = set_aside(file)
    note_damage(
        Message(
            "The notebook was damaged and is now {aside}; a new one has begun. Notes, saved views "
            "and decisions in it may be recovered with `sqlite3 {aside} .recover`.",
            aside=aside,
        )
    )


def is_notebook_intact(file: Path) -> bool:
    """Whether SQLite reads the notebook; one that cannot be opened now is taken for intact."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=2)) as opened:
            found = opened.execute("PRAGMA quick_check(1)").fetchone()
            return bool(found == ("ok",))
    except sqlite3.OperationalError:  # locked, or not ours to read: that is no damage
        return True
    except sqlite3.DatabaseError:
        return False


def find_damage(settings: Settings) -> list[Message]:
    """What of the data folder is damaged, and what to do; nothing is changed."""
    home = settings.home
    if not home.is_dir():
        return []
    return [
        *_find_server_damage(home),
        *_find_user_file_damage(home),
        *_find_stated_damage(home),
        *_find_foreign_files(home),
        *_find_left_files(home),
        *_find_snapshot_damage(home),
    ]


def _find_server_damage(home: Path) -> Iterator[Message]:
    for name, pattern in (("neo4j.version", VERSION_PATTERN), ("neo4j.password", PASSWORD_PATTERN)):
        file = home / name
        if file.exists() and not pattern.fullmatch(read_small_text(file).strip()):
            yield Message("{file} is damaged; the next start of Neo4j makes it anew.", file=file)
    runtime = home / "neo4j.json"
    if runtime.exists() and not is_readable(runtime):
        yield Message("{file} is damaged; the next start of Neo4j makes it anew.", file=runtime)
    if is_store_missing(home):
        yield build_missing_store_message(home)
    standing = home / "standing.json"
    if standing.is_file() and not is_readable(standing):
        yield Message("{file} is damaged; the next figures make it anew.", file=standing)
    for name in LOCK_FILES:
        if (home / name).is_dir():
            yield Message("{file} is a folder, not a file: take it away.", file=home / name)


def _find_user_file_damage(home: Path) -> Iterator[Message]:
    notebook = home / "notebook.sqlite"
    if notebook.exists() and not is_notebook_intact(notebook):
        yield Message(
            "{file} is damaged; the app sets it aside and begins a new one.", file=notebook
        )
    if notebook.is_file() and not notebook.stat().st_size:
        yield Message(
            "{file} is empty: what people noted and decided is gone. Put it back from a backup.",
            file=notebook,
        )
    key = home / "identity.key"
    if not key.exists() and (home / "erased.json").exists() and "SHICHENG_ID_KEY" not in os.environ:
        yield Message(
            "{file}, the key of the ID digests, is missing, so who was erased is not recognised: "
            "put it back from a backup before anything is loaded.",
            file=key,
        )
    if key.exists() and not is_identity_key_intact(key):
        yield build_damaged_key_message(key)
    for name in PRIVATE_FILES:
        file = home / name
        if file.is_file() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield Message(
                "Others can read {file}: make it yours alone with `chmod 600 {file}`.", file=file
            )
    for report in sorted((home / "reports").glob("*.json")):
        if not is_readable(report):
            yield Message("The report {file} of a load is damaged; take it away.", file=report)


def _find_stated_damage(home: Path) -> Iterator[Message]:
    """What people and commands stated, in files that cannot be made anew."""
    for name, json_type in STATED_FILES.items():
        if (home / name).is_file() and not is_readable(home / name, json_type):
            yield build_unreadable_message(home / name)
    for name in LINE_FILES:
        for number, line in enumerate(read_small_text(home / name).splitlines(), 1):
            if not _is_json_object(line):
                yield Message(
                    "{file}, line {line}: this is no line of it; the others count. Put the file "
                    "back from a backup, or take the line away.",
                    file=home / name,
                    line=number,
                )
    for file in (home / "retention.yaml", *sorted((home / "mappings").glob("*.yaml"))):
        if file.is_file() and not _is_yaml_object(file):
            yield build_unreadable_message(file)


def build_unreadable_message(file: Path) -> Message:
    """What to do about a file that only a backup brings back."""
    return Message("{file} is damaged: put it back from a backup.", file=file)


def _is_json_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _is_yaml_object(file: Path) -> bool:
    import yaml

    try:
        found = yaml.safe_load(read_small_text(file))
    except (yaml.YAMLError, RecursionError):
        return False
    return found is None or isinstance(found, dict)


def _find_foreign_files(home: Path) -> Iterator[Message]:
    """Other owners, rights that are too wide, links that lead nowhere."""
    if stat.S_IMODE(home.stat().st_mode) & 0o077:
        yield Message(
            "Others can look into {folder}: make it yours alone with `chmod 700 {folder}`.",
            folder=home,
        )
    for file in (home, *(home / name for name in PRIVATE_FILES)):
        if file.exists() and file.stat().st_uid != os.geteuid():
            yield Message(
                "{file} belongs to another account of this machine than the one that runs this "
                "command: run it as that one, or give the file back with `chown`.",
                file=file,
            )
    for entry in sorted(home.iterdir()):
        if entry.is_symlink() and not entry.exists():
            yield Message("{file} is a link that leads nowhere: take it away.", file=entry)


def _find_left_files(home: Path) -> Iterator[Message]:
    """What killed processes left half made."""
    patterns = (".making-*", "*/.making-*", ".dump-*", "restore-*")
    found = [path for pattern in patterns for path in home.glob(pattern)]
    for act in ("restoring", "verifying"):
        found += home.parent.glob(f".{home.name}.{act}-*")
    for path in sorted(found):
        if time.time() - path.lstat().st_mtime > _LEFT_SECONDS:
            yield Message(
                "{file} was left by a command that was killed, and nothing needs it: take it away.",
                file=path,
            )


def _find_snapshot_damage(home: Path) -> Iterator[Message]:
    for folder in sorted((home / "snapshots").glob("*/[!.]*")):
        if not folder.is_dir():
            continue
        first = next(list_damaged_files(folder), folder if _has_missing_tables(folder) else None)
        if first is not None:
            yield Message("{file} is damaged; it is made anew when it is asked for.", file=first)


def read_small_text(file: Path) -> str:
    """The text of a small file; what is no text of ours is shown as such, never raised."""
    try:
        return file.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def is_identity_key_intact(key: Path) -> bool:
    """Whether the key of the ID digests is as it was made, 64 hexadecimal digits."""
    return re.fullmatch(r"[0-9a-f]{64}", read_small_text(key).strip()) is not None


def build_damaged_key_message(key: Path) -> Message:
    """What to do about a key of the ID digests that is damaged."""
    return Message(
        "{file}, the key of the ID digests, is damaged, and with another key the same person has "
        "another digest: put it back from a copy; without one take it away and load all files "
        "again.",
        file=key,
    )


def is_store_missing(home: Path) -> bool:
    """Whether a store was there once, and its folder is not there any more."""
    known = VERSION_PATTERN.fullmatch(read_small_text(home / "neo4j.version").strip()) is not None
    return known and not (home / "neo4j" / "data" / "databases").is_dir()


def build_missing_store_message(home: Path) -> Message:
    """What to do about a store that is gone."""
    return Message(
        "The store in {home} is gone (neo4j/data is not there), though it held data: put it back "
        "with `shicheng db restore FILE`; to begin with an empty one, take {home}/neo4j.version "
        "away and load again.",
        home=home,
    )
