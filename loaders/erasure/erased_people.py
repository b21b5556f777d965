"""Who was erased, as keyed digests alone, so that no later load brings a person back silently.

`erased.json` in the data folder has an entry a person: a day, and digests of all ids and of the ID
number under which files may state the person. They are keyed with `identity.key`, so that nobody
without it can try out ids. Nothing of the person can be read from them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import polars as pl

from graph.atomic import write_file_atomically
from graph.audit.log import record_event
from graph.errors import ShichengError, UsageError
from graph.server.identity_key import build_id_digester
from loaders.load_nodes import build_load_id, open_load_folder

ERASED_FILE_NAME: Final = "erased.json"
# Hexadecimal digits of a digest in the file: 128 bits.
_DIGEST_DIGITS: Final = 32
# As few digits name an entry, where no other begins so.
MIN_NAMED_DIGITS: Final = 8
_FORMAT_VERSION: Final = 1

Digester = Callable[[str], str]


@dataclass(frozen=True)
class ErasedPerson:
    """One entry: `digest` is that of the id that stood, `day` (ISO 8601) that of the erasure,
    `digests` those of every id and ID number."""

    digest: str
    day: str
    digests: tuple[str, ...]


@dataclass(frozen=True)
class ErasedPeople:
    """The entries of a data folder, to ask of ids and ID numbers."""

    digester: Digester
    entries: tuple[ErasedPerson, ...]
    digests: frozenset[str]

    def find_ids(self, ids: pl.Series) -> set[str]:
        """Those of the ids that are of somebody erased."""
        return self._find("id", ids)

    def find_number_digests(self, digests: pl.Series) -> set[str]:
        """Those of the digests of ID numbers that are of somebody erased."""
        return self._find("id_number", digests)

    def _find(self, kind: str, values: pl.Series) -> set[str]:
        return {
            value
            for value in values.drop_nulls().unique().to_list()
            if digest_erased(self.digester, kind, value) in self.digests
        }


def digest_erased(digester: Digester, kind: str, value: str) -> str:
    """What stays of an id (`kind` "id") or of the digest of an ID number ("id_number")."""
    return digester(f"erased {kind}|{value}")[:_DIGEST_DIGITS]


def build_erased_person(
    home: Path, ids: Sequence[str], number_digests: Iterable[str], day: str
) -> ErasedPerson:
    """The entry of a person: `ids` with the one that stood first."""
    digester = build_id_digester(home)
    digests = [
        *(digest_erased(digester, "id", id) for id in ids),
        *(digest_erased(digester, "id_number", one) for one in number_digests),
    ]
    return ErasedPerson(digests[0], day, tuple(dict.fromkeys(digests)))


def list_erased_people(home: Path) -> list[ErasedPerson]:
    """The entries, the oldest first. Raises ShichengError for a damaged file."""
    path = home / ERASED_FILE_NAME
    if not path.exists():
        return []
    try:
        stated = json.loads(path.read_text("utf-8"))
        return [
            ErasedPerson(one["digest"], one["day"], tuple(one["digests"]))
            for one in stated["people"]
        ]
    except (ValueError, KeyError, TypeError, OSError) as error:
        # Without it erased people would come back silently, so nothing is loaded.
        raise ShichengError(
            "{file}, the list of who was erased, is damaged: put it back from a copy, so that no "
            "load brings anybody back.",
            file=path,
        ) from error


def open_erased_people(home: Path) -> ErasedPeople | None:
    """The entries to ask of; None where nobody was erased."""
    entries = list_erased_people(home)
    if not entries:
        return None
    digests = frozenset(digest for one in entries for digest in one.digests)
    return ErasedPeople(build_id_digester(home), tuple(entries), digests)


def bar_erased_people(home: Path, people: Iterable[ErasedPerson]) -> None:
    """Writes the entries down; one that is there already stays as it is."""
    known = {one.digest: one for one in list_erased_people(home)}
    for one in people:
        known.setdefault(one.digest, one)
    _write_entries(home, known.values())


def find_erased_person(home: Path, named: str) -> ErasedPerson | None:
    """The entry that a digest begins, or of the person with this id; None where there is none.

    Raises UsageError where several digests begin so.
    """
    entries = list_erased_people(home)
    if not entries:
        return None
    digest = digest_erased(build_id_digester(home), "id", named)
    found = [one for one in entries if digest in one.digests]
    if not found and len(named) >= MIN_NAMED_DIGITS:
        found = [one for one in entries if one.digest.startswith(named.lower())]
    if len(found) > 1:
        raise UsageError("{n} digests begin so: give more of it", n=len(found))
    return found[0] if found else None


def allow_erased_person(home: Path, named: str) -> ErasedPerson:
    """Takes the bar back, so that files may state the person again; the entry that it was.

    Raises UsageError where there is none, DatabaseError while a load or an erasure runs.
    """
    with open_load_folder(home, build_load_id()):
        found = find_erased_person(home, named)
        if found is None:
            raise UsageError(
                "nobody with this digest or id is barred; `shicheng forget --list` lists the "
                "digests"
            )
        record_event(home, "erasure", what="allow", digest=found.digest)
        _write_entries(home, (one for one in list_erased_people(home) if one != found))
        return found


def _write_entries(home: Path, entries: Iterable[ErasedPerson]) -> None:
    stated = {"version": _FORMAT_VERSION, "people": [asdict(one) for one in entries]}
    with write_file_atomically(home / ERASED_FILE_NAME) as making:
        making.touch(mode=0o600)
        making.write_text(json.dumps(stated, indent=1), encoding="utf-8")
