"""What files of the data folder name people: taken out, or found.

Reports and lists of refusals stay, with `***` in place of what names the people, so that their
counts hold. In the notebook what is about them goes; what is about others is masked.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from graph.atomic import write_file_atomically
from graph.programme.notebook import NOTEBOOK_FILE_NAME, PAIR_SEPARATOR, Entry, Notebook
from graph.snapshot.frames import SNAPSHOT_MANIFEST_NAME
from graph.store.erasure import ERASED_MASK
from loaders.erasure.erased_rows import mask_findings_texts
from loaders.erasure.erasure_order import ORDER_FOLDER, PersonTerms
from loaders.erasure.term_matcher import TermMatcher, is_loose_id
from loaders.findings import FINDING_COLUMNS
from loaders.matching.review_queue import QUEUE_FILE_NAME, write_review_queue
from loaders.reports import write_findings

ERASURES_FOLDER: Final = "erasures"
# Entries that lead to a place of the app, or say what if, about whoever is named by id there.
_PLACE_KINDS: Final = ("view", "search", "scenario")
# Of more people at once not every byte of the data folder is searched: each has several terms.
MAX_SEARCHED_PEOPLE: Final = 20
SEARCHED_CHUNK_BYTES: Final = 1 << 20
_SNAPSHOTS: Final = "snapshots"


def mask_reports(home: Path, matcher: TermMatcher, *, dry_run: bool = False) -> int:
    """Masks the people in reports of loads and restatements of erasures; how many files."""
    changed = 0
    for folder in ("reports", ERASURES_FOLDER):
        for path in sorted((home / folder).glob("*.json")):
            if (stated := _read_report(path)) is not None:
                masked = _mask_conflicts(matcher, stated)
                if masked != stated:
                    changed += 1
                    if not dry_run:
                        _write_private_text(path, json.dumps(masked, ensure_ascii=False, indent=1))
    return changed


def list_unreadable_files(home: Path) -> list[Path]:
    """Reports, restatements and lists of refusals that are none, as a list that a spreadsheet
    saved in another encoding: nobody can be taken out of them."""
    reports = [
        path for folder in ("reports", ERASURES_FOLDER) for path in (home / folder).glob("*.json")
    ]
    lists = (home / "rejects").glob("*.csv")
    found = [path for path in reports if _read_report(path) is None]
    return sorted([*found, *(path for path in lists if _read_findings(path) is None)])


def _read_report(path: Path) -> dict[str, Any] | None:
    """A report as it was written; None where the file is none."""
    try:
        stated = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return stated if isinstance(stated, dict) else None


def _read_findings(path: Path) -> pl.DataFrame | None:
    """A list of refusals as it was written; None where the file is none."""
    try:
        found = pl.read_csv(path, schema_overrides=FINDING_COLUMNS)
    except (OSError, pl.exceptions.PolarsError):
        return None
    return found if {"file", "row", "value", "reason"} <= set(found.columns) else None


def _mask_conflicts(matcher: TermMatcher, stated: dict[str, Any]) -> Any:
    """A report masked; of a record of theirs, the values that do not stand too."""
    conflicts = [
        one | {"value": ERASED_MASK, "standing": ERASED_MASK}
        if matcher.is_in(one["record"]) or _has_id_word(matcher, one["record"])
        else one
        for one in stated.get("conflicts", [])
    ]
    values = stated | {"conflicts": conflicts} if conflicts else stated
    return matcher.mask_values(values)


def _has_id_word(matcher: TermMatcher, record: str) -> bool:
    return any(word in matcher.terms.ids for word in record.split(" "))


def mask_listed_findings(home: Path, matcher: TermMatcher, *, dry_run: bool = False) -> int:
    """Masks the people in the lists of refusals and remarks; how many files.

    A finding on a row of theirs has its value masked, whatever stands in it.
    """
    changed = 0
    for path in sorted((home / "rejects").glob("*.csv")):
        if (found := _read_findings(path)) is None:
            continue
        theirs = (pl.col("file") + ":" + pl.col("row").cast(pl.String)).is_in(
            list(matcher.terms.rows)
        )
        masked = mask_findings_texts(found, matcher)
        value = pl.when(theirs & (pl.col("value") != "")).then(pl.lit(ERASED_MASK))
        masked = masked.with_columns(value.otherwise(pl.col("value")).alias("value"))
        if not masked.equals(found):
            changed += 1
            if not dry_run:
                write_findings(masked, path)
    return changed


def erase_notebook_entries(home: Path, matcher: TermMatcher, *, dry_run: bool = False) -> int:
    """Takes out of the notebook what is about the people, and masks them in others' notes; how
    many entries. The file is written anew, so that nothing of them is left in it.
    """
    if not (home / NOTEBOOK_FILE_NAME).exists():
        return 0

    by_id = TermMatcher(PersonTerms(matcher.terms.ids))

    def redact(entry: Entry) -> Entry | None:
        if entry.kind in _PLACE_KINDS:
            is_theirs = by_id.mask_values(entry.body) != entry.body
        else:
            is_theirs = not set(_list_subject_ids(entry)).isdisjoint(matcher.terms.ids)
        return None if is_theirs else replace(entry, body=matcher.mask_values(entry.body))

    return Notebook(home).redact(redact, dry_run=dry_run)


def _list_subject_ids(entry: Entry) -> list[str]:
    """The person an entry is about: `person:ID` of a note, `LIST:ID` of a decision (on a pair,
    both), `["ID", "ID"]`.
    """
    if entry.kind != "identity":
        named = entry.subject.partition(":")[2]
        return [named, *named.split(PAIR_SEPARATOR)]
    with suppress(ValueError):
        return list(map(str, json.loads(entry.subject)))
    return []


def erase_review_pairs(home: Path, terms: PersonTerms, *, dry_run: bool = False) -> int:
    """Takes pairs with the people out of the queue of people who may be one; how many pairs."""
    path = home / QUEUE_FILE_NAME
    if not path.exists():
        return 0
    queue = pl.read_parquet(path)
    theirs = pl.any_horizontal(pl.col("person_a", "person_b").is_in(list(terms.ids)))
    left = queue.filter(~theirs)
    if left.height != queue.height and not dry_run:
        write_review_queue(home, left)
    return queue.height - left.height


def remove_snapshots(
    home: Path, current: Path, ids: Sequence[str], *, dry_run: bool = False
) -> int:
    """Removes the tables of every revision of this database (its folder: `current`), with all that
    was counted from them, and of other databases those that hold the people; how many.
    """
    removed = 0
    for folder in sorted((home / _SNAPSHOTS).glob("*/*")):
        if folder.parent == current or _holds_people(folder, ids):
            removed += (folder / SNAPSHOT_MANIFEST_NAME).exists()
            if not dry_run:
                shutil.rmtree(folder, ignore_errors=True)
    return removed


def _holds_people(folder: Path, ids: Sequence[str]) -> bool:
    """Whether a snapshot has one of the ids; one that cannot be read may have."""
    try:
        people = pl.scan_parquet(folder / "people.parquet").select("person_id")
        return not people.filter(pl.col("person_id").is_in(list(ids))).collect().is_empty()
    except (OSError, pl.exceptions.PolarsError):
        return True


def find_traces(home: Path, terms: PersonTerms) -> list[Path]:
    """The files of the data folder in which an id, a name or a certificate of theirs still stands,
    as UTF-8 or UTF-16. What is packed (a dump) or shortened can't be seen so.
    """
    wanted = [one for one in (*terms.ids, *terms.certificates) if is_loose_id(one)]
    encoded = [
        one.encode(encoding)
        for one in (*wanted, *terms.names)
        for encoding in ("utf-8", "utf-16-le", "utf-16-be")
    ]
    return [path for path in _iterate_files(home) if _holds_any(path, encoded)]


def _iterate_files(home: Path) -> Iterator[Path]:
    for path in sorted(home.rglob("*")):
        if path.relative_to(home).parts[0] != ORDER_FOLDER and path.is_file():
            yield path


def _holds_any(path: Path, wanted: Sequence[bytes]) -> bool:
    overlap = max(map(len, wanted), default=0)
    try:
        with path.open("rb") as file:
            before = b""
            while chunk := file.read(SEARCHED_CHUNK_BYTES):
                held = before + chunk
                # Neo4j takes room for its logs beforehand: most of that is zeros.
                if held != bytes(len(held)) and any(one in held for one in wanted):
                    return True
                before = held[max(len(held) - overlap, 0) :]
    except OSError:  # it has gone, or is no file that can be read
        return False
    return False


def _write_private_text(path: Path, text: str) -> None:
    with write_file_atomically(path) as making:
        making.touch(mode=0o600)
        making.write_text(text, encoding="utf-8")
