"""A steward's decision on a pair: checked, written down, and a merge that it contradicts undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graph.audit.log import record_event
from graph.errors import UsageError
from graph.messages import Message, Say, Words
from graph.store.identity_merge import PEOPLE, IdentityKind
from loaders.broken_loads import undo_broken_loads
from loaders.load_nodes import build_load_id, open_load_folder
from loaders.mapping.identifiers import find_credit_code
from loaders.matching.judgements import Verdict, order_pair, save_judgement
from loaders.sync import write_identity_split

if TYPE_CHECKING:
    from graph.server.database import Database

_SAVED = {
    "same": Message("one person: merged with the next `shicheng people match` or load"),
    "different": Message("different people: this pair is not proposed again"),
    "later": Message("put off: the pair comes at the end of the list"),
    "open": Message("taken back: the pair is proposed again with the next match"),
}
_SAVED_OF_ORGANISATIONS = _SAVED | {
    "same": Message("one: merged with the next `shicheng organisations match` or load"),
    "different": Message("different ones: this pair is not proposed again"),
}
_PARTED_PERSON = Message("parted again: {id} is a person of its own (revision {revision})")
_PARTED = Message("parted again: {id} stands for itself (revision {revision})")


def decide_pair(
    database: Database,
    one: str,
    other: str,
    verdict: Verdict,
    owner: str,
    identity: IdentityKind = PEOPLE,
    *,
    say: Say = lambda line: None,
) -> Message:
    """Writes the decision down and says what it does.

    `different`, and the taking back of `same`, part two that were merged without an ID number.
    Raises UsageError for an id that is not there, and where ID numbers, credit codes or a
    mentorship forbid it.
    """
    a, b = order_pair(one, other)
    facts = _fetch_facts(database, identity, a, b)
    if verdict == "same":
        _check_may_be_same(facts, a, b)
    merged = facts["standing_a"] == facts["standing_b"]
    if verdict == "different" and merged and _find_parting_id(facts, a, b) is None:
        raise UsageError(
            "{a} and {b} come with one citizen ID number: correct that number first", a=a, b=b
        )
    save_judgement(database.settings.home, a, b, verdict, owner, identity)
    saved = _SAVED if identity is PEOPLE else _SAVED_OF_ORGANISATIONS
    if not merged or verdict not in ("different", "open"):
        return saved[verdict]
    parting = _find_parting_id(facts, a, b, decided_only=verdict == "open")
    if parting is None:
        return saved[verdict]
    revision = part_identity(database, identity, parting, facts["standing_a"], say=say)
    parted = _PARTED_PERSON if identity is PEOPLE else _PARTED
    return parted.with_values(id=parting, revision=revision)


def part_identity(
    database: Database,
    identity: IdentityKind,
    alias_id: str,
    standing_id: str,
    *,
    say: Say = lambda line: None,
) -> int:
    """Makes a further id a node of its own again, as a load of its own; the new revision."""
    load_id = build_load_id()
    with open_load_folder(database.settings.home, load_id, database):
        undo_broken_loads(database, say)
        people = [alias_id, standing_id] if identity is PEOPLE else []
        record_event(
            database.settings.home, "decision", people=people, what="part", load_id=load_id
        )
        return write_identity_split(database, load_id, identity, alias_id, standing_id, say=say)


def _fetch_facts(database: Database, identity: IdentityKind, a: str, b: str) -> dict[str, Any]:
    """What the two ids stand for, by what, with which numbers, and whether one taught the other."""
    node, alias, relation = identity.node, identity.alias, identity.identifies
    facts: dict[str, Any] = {"taught": False}
    for name, id in (("a", a), ("b", b)):
        rows = database.read(
            f"OPTIONAL MATCH (p:{node.label} {{{node.key}: $id}}) "
            f"OPTIONAL MATCH (:{alias.label} {{alias_id: $id}})-[x:{relation.type}]->"
            f"(q:{node.label}) "
            f"WITH coalesce(p, q) AS found, x RETURN found.{node.key} AS standing, "
            "found.id_digest AS number, x.basis AS basis, x.probability AS probability",
            {"id": id},
        )
        if rows[0]["standing"] is None:
            raise _build_unknown_id_error(identity, id)
        facts |= {f"{key}_{name}": value for key, value in rows[0].items()}
    if identity is PEOPLE:
        taught = database.read(
            "RETURN EXISTS { MATCH (:Person {person_id: $a})-[:MENTORS]-(:Person {person_id: $b}) "
            "} AS taught",
            {"a": facts["standing_a"], "b": facts["standing_b"]},
        )
        return facts | taught[0]
    for name in ("a", "b"):
        facts[f"code_{name}"] = find_credit_code(facts[f"standing_{name}"])
    return facts


def _build_unknown_id_error(identity: IdentityKind, id: str) -> UsageError:
    if identity is PEOPLE:
        return UsageError("nobody in the graph has the id {id}; check how it is written", id=id)
    return UsageError(
        "no {what} in the graph has the id {id}; check how it is written",
        what=Words(identity.node.en.lower(), identity.node.zh),
        id=id,
    )


def _check_may_be_same(facts: dict[str, Any], a: str, b: str) -> None:
    if len({facts.get("code_a"), facts.get("code_b")} - {None}) > 1:
        raise UsageError(
            "{a} and {b} have two different credit codes, so they are never merged: find out "
            "which one is right",
            a=a,
            b=b,
        )
    digests = {facts["number_a"], facts["number_b"]} - {None}
    if len(digests) > 1:
        raise UsageError(
            "{a} and {b} have two different citizen ID numbers, so they are never merged: find "
            "out which one is right",
            a=a,
            b=b,
        )
    if facts["standing_a"] != facts["standing_b"] and facts["taught"]:
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
    allowed = {"decided"} if decided_only else {"decided", "probable", "certificate", "name"}
    found = [
        (facts[f"probability_{name}"] or 1.0, id)
        for name, id in (("a", a), ("b", b))
        if facts[f"basis_{name}"] in allowed
    ]
    return min(found)[1] if found else None
