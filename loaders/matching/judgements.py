"""What stewards judged of pairs of people or organisations: the same, different, or put off.

A judgement names two ids as departments gave them, with who and when. It stands in the notebook of
the data folder, so that loads, resets and restored stores leave it; a newer one on the same pair
takes its place, and the earlier ones stay as its history.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, Literal, cast, get_args

from graph.atomic import write_file_atomically
from graph.audit.log import record_event
from graph.errors import UsageError
from graph.programme.notebook import NOTEBOOK_FILE_NAME, EntryKind, Notebook
from graph.store.identity_merge import ENTERPRISES, PEOPLE, SCHOOLS, STUDIOS, IdentityKind

# `open` takes back what stood before.
Verdict = Literal["same", "different", "later", "open"]
IdPair = tuple[str, str]
# By the label of the nodes, the kind of entry in the notebook.
_ENTRY_KINDS: Final[Mapping[str, EntryKind]] = {
    PEOPLE.node.label: "identity",
    ENTERPRISES.node.label: "enterprise_identity",
    SCHOOLS.node.label: "school_identity",
    STUDIOS.node.label: "studio_identity",
}


@dataclass(frozen=True)
class Judgement:
    """One pair of ids (the lesser first), and what stands on it; `judged_at` is ISO 8601, UTC."""

    id_a: str
    id_b: str
    verdict: Verdict
    judged_by: str
    judged_at: str

    @property
    def pair(self) -> IdPair:
        """The two ids."""
        return self.id_a, self.id_b


def list_judgement_columns(identity: IdentityKind) -> tuple[str, ...]:
    """The columns in which judgements are written: `person_a` or `enterprise_a`, and so on."""
    name = identity.node.label.lower()
    return f"{name}_a", f"{name}_b", "verdict", "judged_by", "judged_at"


def order_pair(one: str, other: str) -> IdPair:
    """The two ids in the order in which a judgement names them. Raises UsageError for one id."""
    if one == other:
        raise UsageError("name two ids: {id} is one", id=one)
    return (one, other) if one < other else (other, one)


def save_judgement(
    home: Path,
    one: str,
    other: str,
    verdict: Verdict,
    owner: str,
    identity: IdentityKind = PEOPLE,
) -> Judgement:
    """Writes a judgement down."""
    a, b = order_pair(one, other)
    kind = _ENTRY_KINDS[identity.node.label]
    entry = Notebook(home).add(kind, owner, json.dumps([a, b]), {"verdict": verdict})
    return Judgement(a, b, verdict, owner, entry.made_at)


def list_judgements(home: Path, identity: IdentityKind = PEOPLE) -> list[Judgement]:
    """Those that stand, by their ids; pairs that were opened again are left out."""
    if not (home / NOTEBOOK_FILE_NAME).exists():
        return []
    found = []
    for subject, entry in Notebook(home).standing(_ENTRY_KINDS[identity.node.label]).items():
        a, b = json.loads(subject)
        verdict = cast(Verdict, entry.body["verdict"])
        by = str(entry.body.get("judged_by", entry.owner))
        at = str(entry.body.get("judged_at", entry.made_at))
        if verdict != "open":
            found.append(Judgement(a, b, verdict, by, at))
    return sorted(found, key=lambda one: one.pair)


def list_judged_pairs(judgements: Iterable[Judgement], verdict: Verdict) -> list[IdPair]:
    """The pairs on which this verdict stands."""
    return [one.pair for one in judgements if one.verdict == verdict]


def export_judgements(home: Path, path: Path, identity: IdentityKind = PEOPLE) -> int:
    """Writes all that stand as CSV, for another data folder; how many."""
    found = list_judgements(home, identity)
    record_event(home, "export", what="judgements", format="csv", rows=len(found))
    with (
        write_file_atomically(path) as making,
        making.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(list_judgement_columns(identity))
        writer.writerows(astuple(one) for one in found)
    return len(found)


def import_judgements(home: Path, path: Path, owner: str, identity: IdentityKind = PEOPLE) -> int:
    """Takes in what `export_judgements` wrote; how many were new. The later of two stands.

    Raises UsageError for a file of another form; then nothing is taken.
    """
    given = _read_judgements(path, identity)
    standing = {one.pair: one for one in list_judgements(home, identity)}
    notebook = Notebook(home)
    taken = 0
    for one in given:
        now = standing.get(one.pair)
        if now is not None and (now.judged_at >= one.judged_at or now.verdict == one.verdict):
            continue
        body = {"verdict": one.verdict, "judged_by": one.judged_by, "judged_at": one.judged_at}
        notebook.add(_ENTRY_KINDS[identity.node.label], owner, json.dumps(one.pair), body)
        taken += 1
    return taken


def _read_judgements(path: Path, identity: IdentityKind) -> list[Judgement]:
    found = []
    columns = list_judgement_columns(identity)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for number, row in enumerate(reader, 2):
            verdict, ids = row.get("verdict"), (row.get(columns[0]), row.get(columns[1]))
            if verdict not in get_args(Verdict) or not all(ids):
                raise UsageError(
                    "{file}, row {row}: a judgement has the columns {columns}, and its verdict is "
                    "same, different or later",
                    file=path,
                    row=number,
                    columns=list(columns),
                )
            a, b = order_pair(str(ids[0]), str(ids[1]))
            by, at = str(row.get("judged_by") or ""), str(row.get("judged_at") or "")
            found.append(Judgement(a, b, cast(Verdict, verdict), by, at))
    return found
