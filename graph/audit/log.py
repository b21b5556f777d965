"""The lines of the audit log, and how one is added.

`audit/` in the data folder has a file a month of JSON lines, `2026-11.jsonl`. Each line holds its
number and the SHA-256 of the line before it, across the months. `head.json` holds the last line
and its SHA-256, so that a missing tail is found too; it is written first, so that a line that a
kill broke off is completed by the next one.

A line never holds personal data of people of the graph: their ids are keyed digests
(`digest.key`), and a fact that is no plain code is one too.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from filelock import FileLock

from graph.atomic import append_synced, create_synced, sync_folder, write_file_atomically
from graph.audit.actor import Actor, find_current_actor
from graph.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Iterator

AUDIT_FOLDER: Final = "audit"
HEAD_FILE_NAME: Final = "head.json"
MONTH_FILE_PATTERN: Final = "[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"
# What the first line has in place of the SHA-256 of the line before.
FIRST_PREVIOUS: Final = "0" * 64
# Most people whose digests one line holds; of more, their number alone.
MAX_LISTED_PEOPLE: Final = 500
_KEY_FILE_NAME: Final = "digest.key"
_LOCK_FILE_NAME: Final = "audit.lock"
_LOCK_SECONDS: Final = 30.0
# Hexadecimal digits of a digest: 128 bits.
_DIGEST_DIGITS: Final = 32
# Facts that are written as they are; any other text becomes a digest.
_PLAIN_FACT_PATTERN: Final = re.compile(r"[A-Za-z0-9_.:/=,+ -]{0,120}")
# A row of digits may be a certificate or an ID number, also written in groups; days are none.
_LONG_NUMBER_PATTERN: Final = re.compile(r"\d(?:[ ._:/+=-]*\d){8,}")
_DAY_PATTERN: Final = re.compile(r"(?<!\d)(?:19|20)\d\d-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])(?!\d)")
_LOAD_ID_PATTERN: Final = re.compile(r"\d{8}T\d{12}-[0-9a-f]{6}")

AuditEvent = Literal[
    "account",
    "backup",
    "decision",
    "erasure",
    "export",
    "load",
    "query",
    "read",
    "refusal",
    "restore",
    "sign_in",
    "undo",
]
# What opens or takes away personal data: with what for, where that was stated.
_PURPOSE_EVENTS: Final = frozenset({"export", "query", "read"})
Fact = str | int | float | bool | None


class Outline(str):
    """A text without anybody's data in it, which a line may hold as it is."""


@dataclass(frozen=True)
class AuditHead:
    """The last line: its number, SHA-256, file, where it begins in it, and itself."""

    seq: int
    sha256: str
    file: str
    offset: int
    line: str


def record_event(
    home: Path,
    event: AuditEvent,
    *,
    people: Iterable[str] = (),
    actor: Actor | None = None,
    **facts: Fact,
) -> None:
    """Adds a line, before the act it is of; `actor` is `find_current_actor()` if not given.

    `people` are ids, written as keyed digests. `facts` are codes, counts and names of the
    program's own; a text that is no plain code is written as its digest. Raises AuditError where
    the line cannot be written: the act must not happen then.
    """
    who = actor or find_current_actor()
    folder = home / AUDIT_FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = _load_digest_key(folder)
        cleaned = {name: _clean_fact(key, value) for name, value in facts.items()}
        listed = list(dict.fromkeys(people))
        if listed:
            cleaned["people_count"] = len(listed)
            cleaned["people"] = [digest_value(key, one) for one in listed[:MAX_LISTED_PEOPLE]]
        if who.purpose and event in _PURPOSE_EVENTS:
            cleaned["purpose"] = who.purpose
        with lock_audit_log(home):
            _append_line(folder, event, who, cleaned)
    except (OSError, TimeoutError) as error:  # filelock's Timeout is a TimeoutError
        raise AuditError(
            "The audit log in {folder} cannot be written ({why}), so nothing was done. Give room "
            "or rights there, then try again.",
            folder=folder,
            why=getattr(error, "strerror", None) or type(error).__name__,
        ) from error


@contextmanager
def lock_audit_log(home: Path) -> Iterator[None]:
    """Nobody adds a line within it. Raises TimeoutError or OSError where it is not had."""
    with FileLock(home / AUDIT_FOLDER / _LOCK_FILE_NAME, timeout=_LOCK_SECONDS, mode=0o600):
        yield


def list_month_files(home: Path) -> list[Path]:
    """The files of lines, the oldest first."""
    return sorted((home / AUDIT_FOLDER).glob(MONTH_FILE_PATTERN))


def read_audit_head(home: Path) -> AuditHead | None:
    """The head; None where there is none. Raises ValueError for a file that is none."""
    path = home / AUDIT_FOLDER / HEAD_FILE_NAME
    try:
        stated = json.loads(path.read_text("utf-8"))
        head = AuditHead(**stated)
    except FileNotFoundError:
        return None
    except TypeError as error:
        raise ValueError(HEAD_FILE_NAME) from error
    if [type(value) for value in asdict(head).values()] != [int, str, str, int, str]:
        raise ValueError(HEAD_FILE_NAME)
    return head


def hash_audit_line(line: bytes) -> str:
    """The SHA-256 of a line without its end, as the next one holds it."""
    return sha256(line).hexdigest()


def find_person_digest(home: Path, id: str) -> str | None:
    """What stands for a person's id in the lines; None where no line was ever written."""
    path = home / AUDIT_FOLDER / _KEY_FILE_NAME
    return digest_value(path.read_bytes(), id) if path.exists() else None


def digest_value(key: bytes, value: str) -> str:
    """The keyed digest of an id or a text."""
    return hmac.digest(key, value.encode(), "sha256").hex()[:_DIGEST_DIGITS]


def _clean_fact(key: bytes, value: Fact) -> Any:
    if not isinstance(value, str) or isinstance(value, Outline):
        return value
    if _LOAD_ID_PATTERN.fullmatch(value):
        return value
    digits = _DAY_PATTERN.sub("", value)
    if _PLAIN_FACT_PATTERN.fullmatch(value) and not _LONG_NUMBER_PATTERN.search(digits):
        return value
    return f"digest:{digest_value(key, value)}"


def _load_digest_key(folder: Path) -> bytes:
    path = folder / _KEY_FILE_NAME
    if not path.exists():
        making = folder / f".making-{secrets.token_hex(8)}"
        create_synced(making, secrets.token_hex(32).encode())
        try:
            os.link(making, path)  # the first one's stays where two make it at once
        except FileExistsError:
            pass
        finally:
            making.unlink()
    return path.read_bytes()


def _append_line(folder: Path, event: AuditEvent, who: Actor, facts: dict[str, Any]) -> None:
    now = dt.datetime.now(dt.UTC)
    head, lost = _find_last_line(folder)
    if lost:
        # Whoever removed the head must not be able to have a new one made in silence.
        marked = _compose_line(head, now, "anchor_lost", Actor("", "", "audit"), {})
        head = _write_line(folder, marked)
    _write_line(folder, _compose_line(head, now, event, who, facts))


def _find_last_line(folder: Path) -> tuple[AuditHead | None, bool]:
    """The head, and whether it was lost, so that it had to be made of the last line of the files.

    What a kill broke off is completed here.
    """
    with suppress(ValueError):
        head = read_audit_head(folder.parent)
        if head is not None:
            _complete_line(folder, head)
            return head, False
    files = sorted(folder.glob(MONTH_FILE_PATTERN))
    if not files and not (folder / HEAD_FILE_NAME).exists():
        return None, False
    last = files[-1] if files else folder / f"{dt.datetime.now(dt.UTC):%Y-%m}.jsonl"
    lines = last.read_bytes().splitlines() if files else []
    line = lines[-1] if lines else b""
    try:
        seq = int(json.loads(line)["seq"])
    except (ValueError, KeyError, TypeError):
        seq = 0
    return AuditHead(seq, hash_audit_line(line), last.name, 0, ""), True


def _complete_line(folder: Path, head: AuditHead) -> None:
    """Writes what the head has and the file has not, where a kill came between the two."""
    path, line = folder / head.file, f"{head.line}\n".encode()
    size = path.stat().st_size if path.exists() else 0
    if not head.offset <= size < head.offset + len(line):
        return
    with open(path, "r+b" if path.exists() else "w+b") as file:
        file.seek(head.offset)
        if line.startswith(file.read()):
            file.seek(head.offset)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _compose_line(
    head: AuditHead | None, now: dt.datetime, event: str, who: Actor, facts: dict[str, Any]
) -> AuditHead:
    """The next line as the head it will be; where it begins is found when it is written."""
    seq = 1 if head is None else head.seq + 1
    # A clock that was put back does not reopen an earlier month.
    file = max(f"{now:%Y-%m}.jsonl", "" if head is None else head.file)
    stated = {
        "seq": seq,
        "at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "by": who.id,
        "role": who.role,
        "via": who.via,
        "event": event,
        "facts": facts,
        "prev": FIRST_PREVIOUS if head is None else head.sha256,
    }
    line = json.dumps(stated, ensure_ascii=True, separators=(",", ":"))
    return AuditHead(seq, hash_audit_line(line.encode()), file, 0, line)


def _write_line(folder: Path, composed: AuditHead) -> AuditHead:
    path = folder / composed.file
    before = _find_file_end(path)
    head = AuditHead(**{**asdict(composed), "offset": before[0]})
    with write_file_atomically(folder / HEAD_FILE_NAME) as making:
        create_synced(making, json.dumps(asdict(head)).encode())
    append_synced(path, before[1] + head.line.encode() + b"\n")
    sync_folder(folder)
    return head


def _find_file_end(path: Path) -> tuple[int, bytes]:
    """Where the next line begins, and what must be written before it."""
    if not path.exists() or not (size := path.stat().st_size):
        return 0, b""
    with path.open("rb") as file:
        file.seek(size - 1)
        # What was damaged does not take the next line with it.
        return (size, b"") if file.read(1) == b"\n" else (size + 1, b"\n")
