"""Erasing people at their request, or by a rule: a revision of its own that nothing undoes.

A person goes with all relations, and the figures fall: whoever was counted by a chain through the
person is not any more. Who is erased at request is barred, so that later loads refuse the rows.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from graph.audit.log import record_event
from graph.driven.results import load_driven
from graph.errors import DatabaseError, IncompleteError, UsageError
from graph.messages import Message, Say, Words
from graph.policy import Policy
from graph.progress import Progress
from graph.server.database import Database
from graph.server.identity_key import build_id_digester
from graph.snapshot.take import take_snapshot
from graph.store.erasure import (
    PersonRecords,
    list_places_with_name,
    list_shared_names,
    read_person_records,
)
from graph.store.standing import list_loads
from loaders.broken_loads import undo_broken_loads
from loaders.erasure.backups import DataBackup, list_backups
from loaders.erasure.completion import CleanedFiles, ErasureOutcome, clean_files, complete_erasure
from loaders.erasure.erased_people import (
    ErasedPerson,
    bar_erased_people,
    build_erased_person,
    find_erased_person,
    open_erased_people,
)
from loaders.erasure.erasure_order import (
    ErasureOrder,
    PersonTerms,
    describe_erasure_store,
    read_erasure_order,
    write_erasure_order,
)
from loaders.erasure.term_matcher import TermMatcher
from loaders.load_nodes import build_load_id, open_load_folder
from loaders.mapping.identifiers import build_digest_id, normalize_certificate

# The reason of an erasure without one.
REQUEST_REASON: Final = "erased at request"
MAX_REASON_CHARACTERS: Final = 200
_FIGURE_WORDS: Final = {
    "leading_talents": Words("leading talents", "领军人才"),
    "driven_persons": Words("workers driven", "带动人数"),
    "driven_person_times": Words("person-times driven", "带动人次"),
    "sum_over_talents": Words("sum over talents", "各领军人才带动人数之和"),
}
_EVERY_ID_STATEMENT: Final = (
    "MATCH (p:Person) RETURN p.person_id AS person_id, p.person_id AS id, p.id_digest AS digest "
    "UNION ALL MATCH (a:PersonAlias)-[:IDENTIFIES]->(p:Person) "
    "RETURN p.person_id AS person_id, a.alias_id AS id, null AS digest"
)
_LOST_ERASURE_STATEMENT: Final = (
    "MATCH (l:Load) WHERE l.finished_at IS NULL AND l.erased > 0 "
    "RETURN l.load_id AS load, l.erased AS people, l.erasure_reason AS reason LIMIT 1"
)
_NUMBER_DIGEST: Final = "id_digest"
_CERTIFICATE: Final = "certificate_no"


@dataclass(frozen=True)
class ErasurePlan:
    """What an erasure takes away: of how many people, under how many ids, relations by type.

    `places`: kind and key of studios and others that have the name of one of them in theirs; they
    stay. `shared_names`: names that others' names have in them, which are left in free text.
    """

    people: int
    ids: int
    relations: dict[str, int]
    files: CleanedFiles
    places: tuple[tuple[str, str], ...]
    shared_names: int
    backups: tuple[DataBackup, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "people": self.people,
            "ids": self.ids,
            "relations": self.relations,
            "files": self.files.__dict__,
            "places": [{"kind": kind, "key": key} for kind, key in self.places],
            "shared_names": self.shared_names,
            "backups": [one.as_dict() for one in self.backups],
        }


def plan_erasure(database: Database, named: Sequence[str]) -> ErasurePlan:
    """What `erase_people` would take away; nothing is written.

    Raises UsageError for an id that nobody has.
    """
    people = _read_people(database, named)
    terms, shared = _collect_terms(database, people)
    order = ErasureOrder("", len(people), "", "", terms)
    relations = Counter(type for one in people for type, _ in one.relations)
    return ErasurePlan(
        len(people),
        len(terms.ids),
        dict(sorted(relations.items())),
        clean_files(database, order, dry_run=True),
        tuple(_list_places(database, terms)),
        shared,
        tuple(list_backups(database.settings.home)),
    )


def erase_people(
    database: Database,
    named: Sequence[str],
    *,
    by: str,
    reason: str = REQUEST_REASON,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> ErasureOutcome:
    """Erases people, each by any of their ids; `by` who does it, `reason` without personal data.

    Later loads refuse their rows. Raises UsageError for an id that nobody has and for a reason
    that names them; whatever breaks an erasure off, the next call or load completes it.
    """
    home, load_id = database.settings.home, build_load_id()
    with open_load_folder(home, load_id, database):
        undo_broken_loads(database, say, progress)
        return erase_people_locked(
            database, load_id, named, by=by, reason=reason, progress=progress, say=say
        )


def erase_people_locked(
    database: Database,
    load_id: str,
    named: Sequence[str],
    *,
    by: str,
    reason: str,
    is_barred: bool = True,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> ErasureOutcome:
    """As `erase_people`, inside `open_load_folder` and after `undo_broken_loads`.

    `is_barred`: later loads refuse their rows.
    """
    home = database.settings.home
    if any(one["state"] == "unfinished" for one in list_loads(database)):
        raise DatabaseError("Another load is under way: erase when it has finished.")
    people = _read_people(database, named)
    terms, _ = _collect_terms(database, people)
    _check_reason(reason, terms)
    entries = [_build_entry(home, one) for one in people]
    digests = tuple(one.digest for one in entries)
    store = describe_erasure_store(database)
    order = ErasureOrder(load_id, len(people), by, reason, terms, digests, store=store)
    order, talents = _measure_before(database, order, progress)
    ids = [one.digest for one in entries]
    record_event(home, "erasure", people=named, load_id=load_id, what="erase", entries=len(ids))
    if is_barred:
        bar_erased_people(home, entries)
    write_erasure_order(home, order, talents)
    return complete_erasure(database, progress=progress, say=say)


def find_returned_people(database: Database) -> list[str]:
    """The ids of people of the graph who were erased before: a restored dump brings them back."""
    erased = open_erased_people(database.settings.home)
    if erased is None:
        return []
    found: dict[str, None] = {}
    rows = database.read(_EVERY_ID_STATEMENT, seconds=3600)
    by_id = erased.find_ids(pl.Series("id", [row["id"] for row in rows], dtype=pl.String))
    digests = pl.Series("digest", [row["digest"] for row in rows], dtype=pl.String)
    by_number = erased.find_number_digests(digests)
    for row in rows:
        if row["id"] in by_id or row["digest"] in by_number:
            found[row["person_id"]] = None
    return list(found)


def complete_broken_erasure(
    database: Database,
    *,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> None:
    """Completes an erasure that broke off, as the next load would; also one whose order is gone,
    as in a restored dump: nobody else is taken away then, and `say` receives what to do.
    """
    with open_load_folder(database.settings.home, build_load_id(), database):
        is_lost = _write_lost_order(database)
        undo_broken_loads(database, say, progress)
    if is_lost:
        say(
            Message(
                "The list of what was to go had gone, so people may be left: erase them again with "
                "`shicheng forget --again --yes`."
            )
        )


def _write_lost_order(database: Database) -> bool:
    """Writes an order for an erasing of this data folder's own store that has none."""
    home = database.settings.home
    if not database.embedded or read_erasure_order(home) is not None:
        return False
    for row in database.read(_LOST_ERASURE_STATEMENT):
        order = ErasureOrder(row["load"], row["people"], "", row["reason"], PersonTerms())
        write_erasure_order(home, order)
        return True
    return False


def _read_people(database: Database, named: Sequence[str]) -> list[PersonRecords]:
    """The people with these ids, each once."""
    found: dict[str, PersonRecords] = {}
    for id in named:
        one = read_person_records(database, id)
        if one is None:
            raise _build_unknown_error(database.settings.home, id)
        found[one.person_id] = one
    return list(found.values())


def _build_unknown_error(home: Path, id: str) -> UsageError:
    barred = find_erased_person(home, id)
    if barred is not None:
        return UsageError(
            "The person with this id was erased on {day}: nothing of the graph has it.",
            day=barred.day,
        )
    return UsageError("nobody of the graph has the id {id}", id=id)


def _build_entry(home: Path, person: PersonRecords) -> ErasedPerson:
    digester = build_id_digester(home)
    certificates = dict.fromkeys(_list_stated_values(person, _CERTIFICATE))
    made = [
        build_digest_id("cert", normalize_certificate(number), digester) for number in certificates
    ]
    day = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    numbers = dict.fromkeys(_list_stated_values(person, _NUMBER_DIGEST))
    return build_erased_person(home, [*person.ids, *made], numbers, day)


def _collect_terms(database: Database, people: Sequence[PersonRecords]) -> tuple[PersonTerms, int]:
    """By what files name the people, and how many of their names are in others' names too."""
    ids = [id for one in people for id in one.ids]
    names = dict.fromkeys(name for one in people for name in _list_stated_values(one, "name"))
    shared = list_shared_names(database, list(names), ids)
    own = [name for name in names if name not in shared]
    certificates = [value for one in people for value in _list_stated_values(one, _CERTIFICATE)]
    rows = [row for one in people for row in _list_rows(one)]
    terms = PersonTerms(*(tuple(dict.fromkeys(many)) for many in (ids, own, certificates, rows)))
    return terms, len(shared)


def _iterate_statements(person: PersonRecords) -> Iterator[dict[str, Any]]:
    """Every record of a person, and what each source states of it."""
    for properties in (person.properties, *(of for _, of in person.relations)):
        yield dict(properties)
        for text in properties.get("stated") or ():
            yield json.loads(text)


def _list_stated_values(person: PersonRecords, name: str) -> Iterable[str]:
    return [str(one[name]) for one in _iterate_statements(person) if one.get(name)]


def _list_rows(person: PersonRecords) -> Iterable[str]:
    texts = _list_stated_values(person, "row")
    return [row for text in texts for row in text.split(";")]


def _list_places(database: Database, terms: PersonTerms) -> Iterator[tuple[str, str]]:
    for name in terms.names:
        yield from list_places_with_name(database, name, terms.ids)


def _check_reason(reason: str, terms: PersonTerms) -> None:
    if len(reason) > MAX_REASON_CHARACTERS or TermMatcher(terms).is_in(reason):
        raise UsageError(
            "the reason must not name the person, nor be longer than {most} characters: it stays "
            "in the log",
            most=MAX_REASON_CHARACTERS,
        )


def _measure_before(
    database: Database, order: ErasureOrder, progress: Progress
) -> tuple[ErasureOrder, pl.DataFrame | None]:
    """The order with the figures that stand, and the talents' figures."""
    policy = Policy()
    try:
        snapshot = take_snapshot(database, database.settings, progress=progress)
        driven = load_driven(snapshot, policy)
    except (IncompleteError, UsageError):
        return order, None
    known = {**order.__dict__, "policy": policy.as_dict(), "before": driven.national}
    return ErasureOrder(**known | {"revision_before": driven.revision}), driven.talents.drop("name")


def _describe_reason(reason: str) -> Words:
    """The reason that was given; the usual one in both languages."""
    return Words(reason, "应请求删除" if reason == REQUEST_REASON else reason)


def describe_erasure(outcome: ErasureOutcome) -> list[Message]:
    """What an erasure came to, in sentences."""
    messages = [
        Message(
            "{people:,} people erased with all their relations, as revision {revision}, in "
            "{seconds:.1f} s.",
            people=outcome.people,
            revision=outcome.revision,
            seconds=outcome.seconds,
        )
    ]
    for figure, (before, after) in outcome.national.items():
        messages.append(
            Message(
                "{figure}: {before:,} -> {after:,} ({difference:+,}): {reason}",
                figure=_FIGURE_WORDS[figure],
                reason=_describe_reason(outcome.reason),
                before=before,
                after=after,
                difference=after - before,
            )
        )
    return messages
