"""What is found of what a visitor types, with what tells each apart; recent and saved searches.

The names are found in `graph.people.search`; here the few that are shown are looked up in the
graph. What was typed may be a name: it is stored in the visitor's own notebook and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Final, Literal

from graph.model.vocabularies import LEVELS, PROVINCES
from graph.people.organisation_aliases import resolve_organisation_id
from graph.people.search import (
    SEARCH_FACETS,
    SEARCH_KIND_FRAMES,
    FacetFilter,
    MatchKind,
    NameSearchResult,
)
from graph.programme.notebook import Entry
from ui.reading import talent_figures
from ui.shell import graph_state
from ui.shell.people_scope import keep_visible, resolve_visible_id
from ui.shell.visitor import identify_visitor

MAX_RESULTS_PER_KIND = 20
MAX_RECENT_SEARCHES = 10
SEARCH_ID_PATTERN: Final = re.compile(r"\d{17}[\dXx]")
# Fewer letters than this are not stored as a search: they are on the way to one.
MIN_SAVED_SEARCH_CHARS = 2


SearchList = Literal["recent", "saved"]


@dataclass(frozen=True)
class FoundPerson:
    """Who is found, with what tells one apart from another of the name; `born` is a year.

    `bases` are those of being named a leading talent, `match` how the name is like what was typed.
    """

    id: str
    name: str
    province: str | None = None
    leading: bool = False
    born: int | None = None
    level: int | None = None
    occupation: str | None = None
    enterprise: str | None = None
    bases: tuple[str, ...] = ()
    honours: tuple[str, ...] = ()
    match: MatchKind = "exact"


@dataclass(frozen=True)
class FoundStudio:
    """A studio that is found; `leader` is the name of who led it last."""

    id: str
    name: str
    province: str | None = None
    kind: str | None = None
    grade: str | None = None
    leader: str | None = None
    trained: int = 0
    match: MatchKind = "exact"


@dataclass(frozen=True)
class FoundRecord:
    """Of the other kinds of node (`node`): what they have of these; `kind` is that of a school or
    project.
    """

    node: str
    id: str
    name: str
    kind: str | None = None
    province: str | None = None
    industry: str | None = None
    day: date | None = None
    match: MatchKind = "exact"


Found = FoundPerson | FoundStudio | FoundRecord


@dataclass(frozen=True)
class SearchResults:
    """Of one kind: how many are found, how many of them are only alike, and the first rows.

    `counts` are those of `graph.people.search.NameSearchResult`.
    """

    total: int
    alike: int
    rows: Sequence[Found]
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


NO_FACETS: Final[FacetFilter] = MappingProxyType({})
# Of a word that is to name occupations by a part of their names, at least so many signs.
MIN_OCCUPATION_CHARS = 2


@dataclass(frozen=True)
class ParsedSearch:
    """What several words say: the words of a name, and facets that the others name."""

    name: str
    only: FacetFilter


def search_by_text(
    text: str,
    kinds: Iterable[str] = tuple(SEARCH_KIND_FRAMES),
    most: int = MAX_RESULTS_PER_KIND,
    *,
    first: int = 0,
    only: FacetFilter = NO_FACETS,
) -> dict[str, SearchResults]:
    """What is found of what was typed, by kind, in the order of
    `graph.people.search.NameIndex.find`.

    Of several words, some may name a province, a level or an occupation: where no name has them
    all, the others are looked for among those who are there. A further id of a person or
    an organisation finds its owner.
    """
    snapshot = graph_state.fetch_snapshot()
    text = resolve_visible_id(text)
    if not identify_visitor().is_limited:
        text = resolve_organisation_id(snapshot, text)
    wanted, names = list(kinds), talent_figures.fetch_name_index()
    found = dict(names.find(text, wanted, most, first=first, only=only))
    for asked in parse_search_words(text):
        named = [kind for kind in wanted if _is_uncertain(found.get(kind))]
        both = _intersect_facets(asked.only, only)
        better = names.find(asked.name, named, most, first=first, only=both)
        found |= {kind: one for kind, one in better.items() if one.total > one.alike}
    return {
        kind: _build_search_results(kind, found[kind])
        for kind in SEARCH_KIND_FRAMES
        if kind in found
    }


def search_people(text: str) -> list[FoundPerson]:
    """The first people found of what was typed."""
    found = search_by_text(text, ("Person",)).get("Person")
    return [row for row in found.rows if isinstance(row, FoundPerson)] if found else []


def _is_uncertain(found: NameSearchResult | None) -> bool:
    return found is None or found.total == found.alike


def _intersect_facets(one: FacetFilter, other: FacetFilter) -> FacetFilter:
    """Those who meet both."""
    shared = {name: one[name] & other[name] for name in one.keys() & other.keys()}
    return {**one, **other, **shared}


def _build_search_results(kind: str, found: NameSearchResult) -> SearchResults:
    rows = fetch_result_details(kind, [hit.key for hit in found.hits])
    matched = {hit.key: hit.match for hit in found.hits}
    rows = [replace(row, match=matched[row.id]) for row in rows]
    return SearchResults(found.total, found.alike, rows, found.counts)


def parse_search_words(text: str) -> list[ParsedSearch]:
    """How several words can be read, beside as a name: nothing when none of them names a facet."""
    words = text.split()
    if len(words) < 2:
        return []
    only: dict[str, frozenset[str]] = {}
    name = []
    for word in words:
        facet, values = find_word_facet(word)
        if facet is None:
            name.append(word)
        else:
            only[facet] = only.get(facet, values) & values
    return [ParsedSearch(" ".join(name), only)] if only else []


def find_word_facet(word: str) -> tuple[str | None, frozenset[str]]:
    """The facet that a word names, and which of its values; None when it names none."""
    low = word.casefold()
    for facet, named in (("province", PROVINCES), ("level", LEVELS)):
        values = {str(code) for code, pair in named.items() if low in map(str.casefold, pair)}
        if values:
            return facet, frozenset(values)
    if len(low) < MIN_OCCUPATION_CHARS or low.isascii():
        return None, frozenset()
    occupations = talent_figures.fetch_occupation_names().items()
    values = {code for code, name in occupations if low in name.casefold()}
    return ("occupation" if values else None), frozenset(values)


def sum_facet_counts(found: Mapping[str, SearchResults]) -> dict[str, dict[str, int]]:
    """Of each facet how many of what is found have which value, over all kinds."""
    totals: dict[str, dict[str, int]] = {name: {} for name in SEARCH_FACETS}
    for results in found.values():
        for name, counts in results.counts.items():
            for value, n in counts.items():
                totals[name][value] = totals[name].get(value, 0) + n
    return totals


def fetch_result_details(kind: str, ids: list[str]) -> Sequence[Found]:
    """What tells these apart, in their order; those that the graph no longer has are left out."""
    if kind == "Person":
        return fetch_people_details(ids)
    if identify_visitor().is_limited and kind != "Occupation":
        return []  # a place may be named after a person
    if kind == "Studio":
        return [_build_found_studio(row) for row in _fetch_in_order("studios_found", ids)]
    rows = _fetch_in_order(f"{SEARCH_KIND_FRAMES[kind]}_found", ids)
    return [_build_found_record(kind, row["id"], row["properties"]) for row in rows]


def fetch_people_details(ids: list[str]) -> list[FoundPerson]:
    """Who these are, in their order; those that the graph no longer has are left out, and those
    whom this visitor may not see.
    """
    return [
        FoundPerson(**{**row, "bases": tuple(row["bases"]), "honours": tuple(row["honours"])})
        for row in _fetch_in_order("people_found", keep_visible(ids))
    ]


def _build_found_studio(row: Mapping[str, Any]) -> FoundStudio:
    leader = row["leader"]
    return FoundStudio(**{**row, "leader": leader["name"] if leader else None})


def _build_found_record(node: str, id: str, stored: Mapping[str, Any]) -> FoundRecord:
    return FoundRecord(
        node,
        id,
        stored.get("name") or id,
        stored.get("kind"),
        stored.get("province"),
        stored.get("industry"),
        stored.get("date") or stored.get("start"),
    )


def _fetch_in_order(query: str, ids: list[str]) -> list[dict[str, Any]]:
    rows = {row["id"]: row for row in graph_state.read_live_rows(query, ids=ids)}
    return [rows[id] for id in ids if id in rows]


# --- recent and saved -------------------------------------------------------------------------


def list_searches(which: SearchList, owner: str) -> list[Entry]:
    """The owner's searches, the newest first; `body["text"]` is what was typed."""
    most = MAX_RECENT_SEARCHES if which == "recent" else 200
    return graph_state.open_notebook().entries("search", owner=owner, subject=which, most=most)


def save_search(
    which: SearchList, owner: str, text: str, instead_of: int | None = None
) -> int | None:
    """Stores what was typed as the newest; the entry's number, None when it is too short.

    The same text stored before goes, and so does `instead_of`: what the visitor typed on the way.
    """
    text = text.strip()
    notebook = graph_state.open_notebook()
    if has_typed_id_number(text):
        return None
    if instead_of is not None:
        notebook.remove(instead_of, owner)
    if len(text) < MIN_SAVED_SEARCH_CHARS:
        return None
    earlier = notebook.entries("search", owner=owner, subject=which)
    for place, entry in enumerate(earlier):
        if entry.body.get("text") == text or (
            which == "recent" and place >= MAX_RECENT_SEARCHES - 1
        ):
            notebook.remove(entry.id, owner)
    return notebook.add("search", owner, which, {"text": text}).id


def has_typed_id_number(text: str) -> bool:
    """Whether someone's ID number is in what was typed: it is not stored."""
    return SEARCH_ID_PATTERN.search(text) is not None


def remove_search(id: int, owner: str) -> None:
    """Takes one of the owner's searches away."""
    graph_state.open_notebook().remove(id, owner)
