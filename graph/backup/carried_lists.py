"""The lists of a data folder that is replaced, brought together with those of the restored one.

Who was erased, and which copies there are, holds for both: whoever either folder names stays out.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, Final

from graph.atomic import write_private_file
from graph.errors import ShichengError
from graph.messages import Words

ERASED_LIST_NAME: Final = "erased.json"
LINE_LIST_NAMES: Final = ("erasures.log", "dumps.jsonl", "backups.jsonl")
_IDENTITY_KEY_NAME: Final = "identity.key"


def merge_carried_lists(home: Path, new: Path) -> None:
    """Adds to the lists of a restored folder what the one that it replaces holds.

    Raises ShichengError for a list of erased people that cannot be read.
    """
    _merge_erased_people(home / ERASED_LIST_NAME, new / ERASED_LIST_NAME)
    for name in LINE_LIST_NAMES:
        _merge_lines(home / name, new / name)


def has_same_identity_key(home: Path, new: Path) -> bool:
    """Whether both folders make the same digest of a person.

    With SHICHENG_ID_KEY set a folder needs no file of its own.
    """
    one, other = (folder / _IDENTITY_KEY_NAME for folder in (home, new))
    if not one.exists() and not other.exists():
        return "SHICHENG_ID_KEY" in os.environ
    try:
        return one.read_bytes() == other.read_bytes()
    except OSError:
        return False


def _merge_erased_people(standing: Path, restored: Path) -> None:
    """The entries of both lists, one a digest, the oldest first.

    Somebody who was allowed again after the backup is barred as when it was made: safer than to
    bring back who was not.
    """
    if not standing.is_file():
        return
    stated = _read_erased_list(standing, standing)
    lists = [stated]
    if restored.is_file():
        in_backup = Words("erased.json of the backup", "备份中的 erased.json")
        lists.append(_read_erased_list(restored, in_backup))
    people: dict[str, dict[str, Any]] = {}
    for entry in (entry for one in lists for entry in one["people"]):
        known = people.setdefault(entry["digest"], entry)
        digests = dict.fromkeys([*known["digests"], *entry["digests"]])
        day = min(known["day"], entry["day"])
        people[entry["digest"]] = {**known, "day": day, "digests": list(digests)}
    merged = sorted(people.values(), key=lambda entry: entry["day"])
    content = json.dumps({**stated, "people": merged}, indent=1)
    write_private_file(restored, content.encode())


def _read_erased_list(file: Path, called: Path | Words) -> dict[str, Any]:
    try:
        stated: dict[str, Any] = json.loads(file.read_text("utf-8"))
        for entry in stated["people"]:
            _ = entry["digest"] + entry["day"] + "".join(entry["digests"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        # Without it erased people would come back silently, so nothing is restored.
        raise ShichengError(
            "{file}, the list of who was erased, is damaged: put it back from a copy, so that no "
            "load brings anybody back.",
            file=called,
        ) from error
    return stated


def _merge_lines(standing: Path, restored: Path) -> None:
    """The lines of both files: the restored ones first, for the last line of a copy holds."""
    if not standing.is_file():
        return
    lines = _read_lines(restored) if restored.is_file() else []
    there = Counter(lines)
    for line in _read_lines(standing):
        if there[line]:
            there[line] -= 1
        else:
            lines.append(line)
    write_private_file(restored, b"".join(line + b"\n" for line in lines))


def _read_lines(file: Path) -> list[bytes]:
    return [line for line in file.read_bytes().split(b"\n") if line]
