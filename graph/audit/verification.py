"""Whether the lines of the audit log are those that were written: all, unchanged, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from graph.audit.log import (
    AUDIT_FOLDER,
    FIRST_PREVIOUS,
    HEAD_FILE_NAME,
    AuditHead,
    hash_audit_line,
    list_month_files,
    lock_audit_log,
    read_audit_head,
)
from graph.errors import AuditError
from graph.messages import Message

# More faults than these are not listed: one removed line explains those that follow.
MAX_LISTED_FAULTS: Final = 20
_FIELDS: Final = ("seq", "at", "by", "role", "via", "event", "facts", "prev")


@dataclass(frozen=True)
class AuditCheck:
    """What verifying came to: how many lines, the head's SHA-256 ("": no line), what is wrong."""

    lines: int
    sha256: str
    faults: tuple[Message, ...]


@dataclass
class _Chain:
    """How far the lines have been read: the last one's number and SHA-256, the newest month."""

    seq: int = 0
    previous: str = FIRST_PREVIOUS
    month: str = ""
    file: str = ""
    lines: int = 0


def verify_audit_log(home: Path, expected: str | None = None) -> AuditCheck:
    """Every line against the one before it, and the last against the head.

    `expected` is the SHA-256 of a line that was noted elsewhere: it must be among them, which
    finds a log that was written anew as well. Raises AuditError where the files can't be read.
    """
    if not (home / AUDIT_FOLDER).is_dir():
        faults = [] if expected is None else [_build_unknown_hash_fault(expected)]
        return AuditCheck(0, "", tuple(faults))
    try:
        with lock_audit_log(home):
            contents = [(path.name, path.read_bytes()) for path in list_month_files(home)]
            head = _read_head(home)
    except (OSError, TimeoutError) as error:
        raise AuditError(
            "The audit log in {folder} cannot be read ({why}).",
            folder=home / AUDIT_FOLDER,
            why=getattr(error, "strerror", None) or type(error).__name__,
        ) from error
    chain, is_known = _Chain(), expected is None
    faults = []
    for name, content in contents:
        for fault in _check_month(chain, name, content):
            faults.append(fault)
        is_known = is_known or any(hash_audit_line(x) == expected for x in content.split(b"\n"))
    faults += _check_head(chain, head)
    if not is_known:
        faults.append(_build_unknown_hash_fault(str(expected)))
    found = head.sha256 if isinstance(head, AuditHead) else chain.previous if chain.lines else ""
    return AuditCheck(chain.lines, found, tuple(faults[:MAX_LISTED_FAULTS]))


def _build_unknown_hash_fault(expected: str) -> Message:
    return Message(
        "No line has the SHA-256 {hash}, which was noted elsewhere: lines were removed or written "
        "anew.",
        hash=expected,
    )


def _read_head(home: Path) -> AuditHead | Message | None:
    try:
        return read_audit_head(home)
    except ValueError:
        return Message("{file} is damaged.", file=HEAD_FILE_NAME)


def _check_month(chain: _Chain, name: str, content: bytes) -> Iterator[Message]:
    lines = content.split(b"\n")
    if lines.pop():
        yield Message("{file} ends in the middle of a line.", file=name)
    if not lines:
        yield Message("{file} has no whole line.", file=name)
    for number, line in enumerate(lines, 1):
        fault = _check_line(chain, name, number, line)
        if fault is not None:
            yield fault
    chain.file = name


def _check_line(chain: _Chain, name: str, number: int, line: bytes) -> Message | None:
    """What is wrong with a line; the chain goes on from it in any case."""
    wrong = _find_line_fault(chain, name, line)
    stated = _parse_line(line)
    chain.seq = stated["seq"] if stated else chain.seq + 1
    chain.month = max(chain.month, stated["at"][:7]) if stated else chain.month
    chain.previous = hash_audit_line(line)
    chain.lines += 1
    return None if wrong is None else wrong.with_values(file=name, line=number)


def _find_line_fault(chain: _Chain, name: str, line: bytes) -> Message | None:
    stated = _parse_line(line)
    if stated is None:
        return Message("{file}, line {line}: this is no line of the log.")
    if stated["prev"] != chain.previous:
        return Message(
            "{file}, line {line}: the line before it was changed, removed or put elsewhere."
        )
    if stated["seq"] != chain.seq + 1:
        return Message("{file}, line {line}: its number does not follow the line before.")
    if name != f"{max(chain.month, stated['at'][:7])}.jsonl":
        return Message("{file}, line {line}: it belongs into the file of another month.")
    if stated["event"] == "anchor_lost":
        return Message("{file}, line {line}: before it head.json was lost or damaged.")
    return None


def _parse_line(line: bytes) -> dict[str, Any] | None:
    try:
        stated = json.loads(line)
    except ValueError:
        return None
    if not isinstance(stated, dict) or tuple(stated) != _FIELDS:
        return None
    texts = all(isinstance(stated[name], str) for name in _FIELDS if name not in ("seq", "facts"))
    return stated if texts and type(stated["seq"]) is int else None


def _check_head(chain: _Chain, head: AuditHead | Message | None) -> Iterator[Message]:
    if isinstance(head, Message):
        yield head
    elif head is None:
        if chain.lines:
            yield Message("{file} is missing.", file=HEAD_FILE_NAME)
    elif (head.seq, head.sha256, head.file) != (chain.seq, chain.previous, chain.file):
        yield Message(
            "The last line is not line {seq} that {file} names: lines at the end were changed or "
            "removed, or a line was broken off while it was written, which the next one completes.",
            seq=head.seq,
            file=HEAD_FILE_NAME,
        )
    elif hash_audit_line(head.line.encode()) != head.sha256:
        yield Message("{file} is damaged.", file=HEAD_FILE_NAME)
