"""The one door by which a page gets people: who of them this visitor may see.

A person outside the visitor's scope (`graph.accounts.scope`) is as one who does not exist. What is
cached by graph state holds everybody and is the same for all visitors, so that it is narrowed here,
after the cache; what is narrowed at a cost is cached by the scope too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import polars as pl

from graph.accounts.scope import Scope
from graph.people.aliases import resolve_person_id
from graph.people.covered_people import (
    CoveredMask,
    compute_covered_people,
    find_covered_ids,
    find_covered_studios,
)
from ui.shell.graph_state import cache_by_graph_state, fetch_snapshot
from ui.shell.visitor import identify_visitor
from ui.words.i18n import t


def find_visible_ids(ids: Collection[str]) -> frozenset[str]:
    """Those of the ids whose people this visitor may see.

    To a visitor who is not limited all of them, those that nobody has too.
    """
    scope = identify_visitor().people_scope
    if scope.everybody:
        return frozenset(ids)
    return find_covered_ids(fetch_snapshot(), scope, ids)


def is_visible(id: str) -> bool:
    """Whether this visitor may see the person of the id."""
    return id in find_visible_ids([id])


def keep_visible(ids: Iterable[str]) -> list[str]:
    """The ids that this visitor may see, in their order."""
    given = list(ids)
    visible = find_visible_ids(given)
    return [id for id in given if id in visible]


def filter_visible_rows(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """The rows whose person, by the id in the column, this visitor may see."""
    if identify_visitor().people_scope.everybody:
        return rows
    visible = find_visible_ids(rows[column].drop_nulls().unique().to_list())
    return rows.filter(pl.col(column).is_in(list(visible)))


def resolve_visible_id(id: str) -> str:
    """The id that stands for this one, where it is a further id of somebody who may be seen."""
    found = resolve_person_id(fetch_snapshot(), id)
    return found if found == id or is_visible(found) else id


def mask_studio_names(names: Mapping[str, str]) -> dict[str, str]:
    """Studio id -> name, each often called after who leads it, as this visitor may see them.

    A list is asked about at once: who visits is found out once a call.
    """
    scope = identify_visitor().people_scope
    if scope.everybody:
        return dict(names)
    shown, masked = _fetch_covered_studios(scope), t("a studio outside your area")
    return {id: name if id in shown else masked for id, name in names.items()}


@cache_by_graph_state(max_entries=8, resource=True)
def _fetch_covered_studios(scope: Scope) -> frozenset[str]:
    return find_covered_studios(fetch_snapshot(), scope)


@cache_by_graph_state(max_entries=8, resource=True)
def fetch_covered_people(scope: Scope) -> CoveredMask:
    """Of everybody, by row number, whether a scope covers the person."""
    return compute_covered_people(fetch_snapshot(), scope)
