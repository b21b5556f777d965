"""A steward's decision on a pair: checked, written down, and a merge that it contradicts undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graph.errors import UsageError
from graph.messages import Message, Say
from graph.people.aliases import resolve_person_ids
from loaders.broken_loads import undo_broken_loads
from loaders.load_nodes import build_load_id, open_load_folder
from loaders.matching.judgements import Judgement, Verdict, order_pair, save_judgement
from loaders.sync import write_person_split

if TYPE_CHECKING:
    from graph.server.database import Database
    from graph.snapshot.frames import Snapshot

_SAVED = {
    "same": Message("one person: merged with the next `shicheng people match` or load"),
    "different": Message("different people: this pair is not proposed again"),
    "later": Message("put off: the pair comes at the end of the list"),
    "open": Message("taken back: the pair is proposed again with the next match"),
}
_PARTED = Message("parted again: {id} is a person of its own (revision {revision})")


def decide_pair(
    database: Database,
    snapshot: Snapshot,
    one: str,
    other: str,
    verdict: Verdict,
    owner: str,
    *,
    say: Say = lambda line: None,
) -> Message:
    """Writes the decision down and says what it does.

    `different`, and the taking back of `same`, part two who were merged without an ID number.
    Raises UsageError for an id that nobody has, and where ID numbers or a mentorship forbid it.
    """
    a, b = order_pair(one, other)
    facts = _fetch_facts(database, a, b)
    if verdict == "same":
        _check_may_be_same(facts, a, b)
    merged = facts["person_a"] == facts["person_b"]
    if verdict == "different" and merged and _find_parting_id(facts, a, b) is None:
        raise UsageError(
            "{a} and {b} come with one citizen ID number: correct that number first", a=a, b=b
        )
    save_judgement(database.settings.home, a, b, verdict, owner)
    if not merged or verdict not in ("different", "open"):
        return _SAVED[verdict]
    parting = _find_parting_id(facts, a, b, decided_only=verdict == "open")
    if parting is None:
        return _SAVED[verdict]
    revision = part_person(database, parting, facts["person_a"], say=say)
    return _PARTED.with_values(id=parting, revision=revision)


def part_person(
    database: Database, alias_id: str, person_id: str, *, say: Say = lambda line: None
) -> int:
    """Makes a further id a person of its own again, as a load of its own; the new revision."""
    load_id = build_load_id()
    with open_load_folder(database.settings.home, load_id):
        undo_broken_loads(database, say)
        return write_person_split(database, load_id, alias_id, person_id, say=say)


def resolve_judged_pair(snapshot: Snapshot, judgement: Judgement) -> tuple[str, str]:
    """The ids that stand now for those of a judgement."""
    leading = resolve_person_ids(snapshot, judgement.pair)
    a, b = judgement.pair
    return leading.get(a, a), leading.get(b, b)


def _fetch_facts(database: Database, a: str, b: str) -> dict[str, Any]:
    """Who the two ids stand for, by what, with which digests, and whether one taught the other."""
    facts: dict[str, Any] = {}
    for name, id in (("a", a), ("b", b)):
        rows = database.read(
            "OPTIONAL MATCH (p:Person {person_id: $id}) "
            "OPTIONAL MATCH (:PersonAlias {alias_id: $id})-[x:IDENTIFIES]->(q:Person) "
            "WITH coalesce(p, q) AS who, x RETURN who.person_id AS person, "
            "who.id_digest AS digest, x.basis AS basis, x.probability AS probability",
            {"id": id},
        )
        if rows[0]["person"] is None:
            raise UsageError("nobody in the graph has the id {id}; check how it is written", id=id)
        facts |= {f"{key}_{name}": value for key, value in rows[0].items()}
    taught = database.read(
        "RETURN EXISTS { MATCH (:Person {person_id: $a})-[:MENTORS]-(:Person {person_id: $b}) } "
        "AS taught",
        {"a": facts["person_a"], "b": facts["person_b"]},
    )
    return facts | {"taught": taught[0]["taught"]}


def _check_may_be_same(facts: dict[str, Any], a: str, b: str) -> None:
    digests = {facts["digest_a"], facts["digest_b"]} - {None}
    if len(digests) > 1:
        raise UsageError(
            "{a} and {b} have two different citizen ID numbers, so they are never merged: find "
            "out which one is right",
            a=a,
            b=b,
        )
    if facts["person_a"] != facts["person_b"] and facts["taught"]:
        raise UsageError(
            "of {a} and {b} one is stated as the other's master, so they are not merged: correct "
            "that mentorship first",
            a=a,
            b=b,
        )


def _find_parting_id(
    facts: dict[str, Any], a: str, b: str, *, decided_only: bool = False
) -> str | None:
    """The further id to be parted: that of the less certain basis; None where an ID number joins
    the two, or nothing that may be undone.
    """
    allowed = {"decided"} if decided_only else {"decided", "probable"}
    found = [
        (facts[f"probability_{name}"] or 1.0, id)
        for name, id in (("a", a), ("b", b))
        if facts[f"basis_{name}"] in allowed
    ]
    return min(found)[1] if found else None
