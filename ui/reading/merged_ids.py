"""The ids that were joined to somebody: how many the figures rest on, and which are whose."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from graph.people.aliases import (
    count_enterprise_aliases,
    count_merged_ids,
    describe_merge,
    list_further_ids,
)
from ui.shell.graph_state import cache_by_graph_state, fetch_snapshot
from ui.words.i18n import current_language, join_sentences, t, tn
from ui.words.numbers import format_count


@cache_by_graph_state(max_entries=2, resource=True)
def fetch_merged_counts() -> dict[str, int]:
    """How many ids were joined, by the basis."""
    return count_merged_ids(fetch_snapshot())


def format_merged_counts() -> str:
    """On how many merges every figure rests, in a sentence; nothing where there are none."""
    counts, enterprises = fetch_merged_counts(), _fetch_enterprise_count()
    of_enterprises = tn(
        "{n} merged id of an enterprise stands in them, by decision.",
        "{n} merged ids of enterprises stand in them, by decision.",
        enterprises,
        n=format_count(enterprises),
    )
    of_enterprises = of_enterprises if enterprises else ""
    if not sum(counts.values()):
        return of_enterprises
    of_people = t(
        "The figures rest on {n} merged ids of people: {number} by citizen ID number, "
        "{certificate} by certificate number, {probable} by probability, {decided} by decision.",
        n=format_count(sum(counts.values())),
        number=format_count(counts["id_number"]),
        certificate=format_count(counts["certificate"]),
        probable=format_count(counts["probable"]),
        decided=format_count(counts["decided"]),
    )
    return join_sentences(of_people, of_enterprises) if of_enterprises else of_people


@cache_by_graph_state(max_entries=2, resource=True)
def _fetch_enterprise_count() -> int:
    return count_enterprise_aliases(fetch_snapshot())


@cache_by_graph_state(max_entries=32, resource=True)
def _read_further_ids(ids: tuple[str, ...]) -> pl.DataFrame:
    return list_further_ids(fetch_snapshot(), ids)


def list_further_id_lines(ids: Iterable[str]) -> list[tuple[str, str]]:
    """The further ids of these people: whose, and each with why and who states it."""
    if not sum(fetch_merged_counts().values()):
        return []
    return [
        (
            row["person_id"],
            t(
                "{id} ({why}; {source})",
                id=row["alias_id"],
                why=describe_merge(row["basis"], row["probability"]).said(current_language()),
                source=", ".join(row["sources"] or ()),
            ),
        )
        for row in _read_further_ids(tuple(sorted(set(ids)))).iter_rows(named=True)
    ]
