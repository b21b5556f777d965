"""Statements that analysts keep: named, with help and typed parameters, in versions, shared, and
promoted to everybody's library by review.

Each saving is an entry of the notebook, so that no version is lost. A shared query is seen by all
who may write Cypher. Promotion is asked for by the owner and decided by whoever reviews; what is
promoted is that version, and a later one has to be reviewed again. A promoted query is run as an
analyst's statement, by whomever: judged and masked.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from graph.audit.log import record_event
from graph.cypher.guard import list_comments
from graph.cypher.masking import has_personal_identifier
from graph.cypher.named_queries import Query, parse_own_query
from graph.errors import RefusedError, UsageError
from graph.programme.notebook import Entry, Notebook
from graph.roles import Role, has_permission
from graph.settings import Settings

ReviewVerdict = Literal["asked", "accepted", "declined"]
MAX_QUERY_TITLE_CHARACTERS: Final = 80
MAX_QUERY_HELP_CHARACTERS: Final = 1_000
MAX_SAVED_QUERIES: Final = 2_000
# Before the id of a promoted query where named queries are chosen.
PROMOTED_PREFIX: Final = "own_"


@dataclass(frozen=True)
class SavedQuery:
    """A version of a query: `version` is the number of its entry, `id` that of all versions."""

    id: str
    owner: str
    title: str
    help: str
    text: str
    shared: bool
    version: int
    made_at: str

    def build_query(self) -> Query:
        """The query with its parameters. Raises `UsageError` where they can't be read."""
        return parse_own_query(self.title, self.help, self.text)


def save_query(
    notebook: Notebook,
    owner: str,
    *,
    title: str,
    help: str = "",
    text: str,
    shared: bool = False,
    id: str | None = None,
) -> SavedQuery:
    """Keeps a query, or a new version of the owner's own with this id.

    Raises `UsageError` for a missing title, for parameters that can't be read, and for a shared
    statement that names a person or has comments. The audit log has a line of what is shared.
    """
    title, help = " ".join(title.split()), help.strip()
    if not title or len(title) > MAX_QUERY_TITLE_CHARACTERS:
        raise UsageError(
            "A saved query needs a title of 1 to {most} characters.",
            most=MAX_QUERY_TITLE_CHARACTERS,
        )
    if len(help) > MAX_QUERY_HELP_CHARACTERS:
        raise UsageError(
            "The help has {length} characters, and at most {most} are taken; shorten it.",
            length=len(help),
            most=MAX_QUERY_HELP_CHARACTERS,
        )
    parse_own_query(title, help, text)
    if shared:
        _validate_shared_text(text)
    before = None if id is None else _find_newest(notebook, id)
    if before is not None and before.owner != owner:
        raise RefusedError("This query is somebody else's: save it under a title of your own.")
    body = {"title": title, "help": help, "text": text, "shared": shared}
    id = id or uuid.uuid4().hex
    if shared:
        record_event(notebook.home, "decision", what="query", verdict="shared", query=id)
    return _read_entry(notebook.add("query", owner, id, body))


def _validate_shared_text(text: str) -> None:
    """Raises `UsageError` where others must not read the statement."""
    if has_personal_identifier(text):
        raise UsageError(
            "The statement names a person, so it is not shared: ask for the person by a "
            "parameter, as // param person_id: person | en: Person | zh: 人员."
        )
    # Nothing tells whether a comment names somebody. Without its lines of // param:
    if list_comments(parse_own_query("", "", text).text):
        raise UsageError(
            "The statement has comments, which may name a person, so it is not shared: take them "
            "out, and say in the help what it shows. Lines of // param may stay."
        )


def list_saved_queries(notebook: Notebook, owner: str) -> list[SavedQuery]:
    """The newest version of each of the owner's own queries, then of those that others share."""
    newest = [_read_entry(entry) for entry in notebook.standing("query").values()]
    seen = [one for one in newest if one.owner == owner or one.shared]
    return sorted(seen, key=lambda one: (one.owner != owner, one.title.casefold(), one.id))


def list_query_versions(notebook: Notebook, owner: str, id: str) -> list[SavedQuery]:
    """The versions of a query, the newest first: all to the owner; to others those that were
    shared themselves, while the newest one is.
    """
    entries = notebook.entries("query", subject=id, most=MAX_SAVED_QUERIES)
    versions = [_read_entry(entry) for entry in entries]
    if versions and versions[0].owner == owner:
        return versions
    return [one for one in versions if one.shared and versions[0].shared]


def remove_saved_query(notebook: Notebook, owner: str, id: str) -> int:
    """Takes away all versions of the owner's own query; how many there were.

    One that stands in everybody's library goes from there too, with a line of the audit log.
    """
    entries = notebook.entries("query", owner=owner, subject=id, most=MAX_SAVED_QUERIES)
    if entries and PROMOTED_PREFIX + id in list_promoted_queries(notebook):
        record_event(notebook.home, "decision", what="query", verdict="removed", query=id)
    return sum(notebook.remove(entry.id, owner) for entry in entries)


# Review


def ask_for_review(notebook: Notebook, owner: str, id: str) -> None:
    """Proposes the newest version for everybody's library, with a line of the audit log.

    Raises `RefusedError` for another's, `UsageError` for a statement that must not be shared.
    """
    query = _find_newest(notebook, id)
    if query is None or query.owner != owner:
        raise RefusedError("Only the owner of a query proposes it for the library.")
    _validate_shared_text(query.text)
    version = query.version
    record_event(
        notebook.home, "decision", what="query", verdict="asked", query=id, version=version
    )
    notebook.add("query_review", owner, id, {"verdict": "asked", "version": version})


def review_query(
    notebook: Notebook,
    reviewer: str,
    role: Role,
    id: str,
    verdict: Literal["accepted", "declined"],
    settings: Settings,
    *,
    version: int,
) -> None:
    """Decides on the proposed version, the one that was read, with a line of the audit log.

    Raises `RefusedError` for a role that reviews nothing, and for one's own query; `UsageError`
    where another version is proposed by now.
    """
    if not may_review_queries(role):
        raise RefusedError(
            "The role {role} does not decide on the library; data stewards and administrators do.",
            role=role,
        )
    asked = notebook.standing("query_review").get(id)
    query = None if asked is None else _find_version(notebook, id, int(asked.body["version"]))
    if asked is None or query is None:
        raise UsageError("Nobody proposes this query any more; look at the list again.")
    if query.version != version:
        raise UsageError(
            "This query has changed since you looked at it: read the version that waits now, then "
            "decide."
        )
    if query.owner == reviewer and verdict == "accepted":
        raise RefusedError("Nobody accepts a query of their own: ask another data steward.")
    record_event(
        settings.home, "decision", what="query", verdict=verdict, query=id, version=version
    )
    body = {"verdict": verdict, "version": version}
    notebook.add("query_review", reviewer, id, body)


def may_review_queries(role: Role) -> bool:
    """Whether the role decides what stands in everybody's library."""
    return has_permission(role, "review") or role == "admin"


def list_proposed_queries(notebook: Notebook) -> list[SavedQuery]:
    """The versions that wait for a decision."""
    found = (
        _find_version(notebook, id, int(entry.body["version"]))
        for id, entry in notebook.standing("query_review").items()
        if entry.body["verdict"] == "asked"
    )
    return [query for query in found if query is not None]


def list_promoted_queries(notebook: Notebook) -> dict[str, SavedQuery]:
    """Name in the library -> the version that was accepted last, also while a newer one waits."""
    found: dict[str, SavedQuery] = {}
    for entry in reversed(notebook.entries("query_review", most=MAX_SAVED_QUERIES)):
        name = PROMOTED_PREFIX + entry.subject
        if entry.body["verdict"] == "accepted":
            query = _find_version(notebook, entry.subject, int(entry.body["version"]))
            if query is not None:
                found[name] = query
        elif entry.body["verdict"] == "declined":
            found.pop(name, None)
    return found


def find_review_verdict(notebook: Notebook, query: SavedQuery) -> ReviewVerdict | None:
    """What was decided last on this version; None where it was never proposed."""
    for entry in notebook.entries("query_review", subject=query.id, most=MAX_SAVED_QUERIES):
        if int(entry.body["version"]) == query.version:
            verdict: ReviewVerdict = entry.body["verdict"]
            return verdict
    return None


def _find_newest(notebook: Notebook, id: str) -> SavedQuery | None:
    entries = notebook.entries("query", subject=id, most=1)
    return _read_entry(entries[0]) if entries else None


def _find_version(notebook: Notebook, id: str, version: int) -> SavedQuery | None:
    entries = notebook.entries("query", subject=id, most=MAX_SAVED_QUERIES)
    return next((_read_entry(entry) for entry in entries if entry.id == version), None)


def _read_entry(entry: Entry) -> SavedQuery:
    body: Mapping[str, Any] = entry.body
    return SavedQuery(
        entry.subject,
        entry.owner,
        str(body["title"]),
        str(body.get("help", "")),
        str(body["text"]),
        bool(body.get("shared")),
        entry.id,
        entry.made_at,
    )
