"""The ids that were joined to somebody: how many the figures rest on, and which are whose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from graph.people.aliases import count_merged_ids, describe_merge, list_further_ids
from graph.people.organisation_aliases import (
    count_organisation_aliases,
    find_organisations_of,
    list_organisation_aliases,
)
from ui.shell.graph_state import cache_by_graph_state, fetch_snapshot
from ui.words.i18n import current_language, join_sentences, t
from ui.words.numbers import format_count


@cache_by_graph_state(max_entries=2, resource=True)
def fetch_merged_counts() -> dict[str, int]:
    """How many ids were joined, by the basis."""
    return count_merged_ids(fetch_snapshot())


def format_merged_counts() -> str:
    """On how many merges every figure rests, in a sentence; nothing where there are none."""
    counts = fetch_merged_counts()
    of_people = t(
        "The figures rest on {n} merged ids of people: {number} by citizen ID number, "
        "{certificate} by certificate number, {probable} by probability, {decided} by decision.",
        n=format_count(sum(counts.values())),
        number=format_count(counts["id_number"]),
        certificate=format_count(counts["certificate"]),
        probable=format_count(counts["probable"]),
        decided=format_count(counts["decided"]),
    )
    said = [of_people] if sum(counts.values()) else []
    organisations = fetch_organisation_counts()
    if sum(organisations.values()):
        said.append(
            t(
                "Places in them rest on merged ids too: {enterprises} of enterprises, {schools} of "
                "schools, {studios} of studios.",
                enterprises=format_count(organisations["Enterprise"]),
                schools=format_count(organisations["School"]),
                studios=format_count(organisations["Studio"]),
            )
        )
    return join_sentences(*said) if said else ""


@cache_by_graph_state(max_entries=2, resource=True)
def fetch_organisation_counts() -> dict[str, int]:
    """How many ids of organisations were joined, by label."""
    return count_organisation_aliases(fetch_snapshot())


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


def list_further_organisation_lines(ids: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """The further ids of organisations, given by label: the owner, reason and decision."""
    if not sum(fetch_organisation_counts().values()):
        return []
    wanted = {label: sorted(set(some)) for label, some in ids.items()}
    return [
        (
            row["organisation_id"],
            t(
                "{id} ({why}; {source})",
                id=row["alias_id"],
                why=describe_merge(row["basis"], None).said(current_language()),
                source=", ".join(row["sources"] or ()),
            ),
        )
        for row in list_organisation_aliases(fetch_snapshot(), wanted).iter_rows(named=True)
    ]


def list_resting_organisation_lines(
    people: Iterable[str], studios: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """The same of the employers of people, of studios and of their hosts."""
    if not sum(fetch_organisation_counts().values()):
        return []
    found = find_organisations_of(fetch_snapshot(), list(people), list(studios))
    return list_further_organisation_lines(found)
