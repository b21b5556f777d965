"""The parts that figures are cut into: their words, and the people behind them, for the pages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from graph.accounts.scope import Scope
from graph.cache.tables import build_table_path
from graph.dates import format_date_columns
from graph.driven.drill_down import (
    DRILL_DOWN_CUTS,
    UNSTATED,
    DrillDown,
    DrillDownFilter,
    load_drill_down,
)
from graph.driven.terms import TALENT_BREAKDOWNS
from graph.messages import Language
from graph.model.vocabularies import BASES, PERSON_TYPES, PROVINCES
from graph.people.lookup import lookup_people
from graph.policy import Policy
from ui.reading import cached_metrics, talent_figures
from ui.shell import graph_state
from ui.shell.people_scope import fetch_covered_people
from ui.words.i18n import t, translate_label
from ui.words.terms import translate_term

# What stands in the address for a cut, where it is not the cut's own name.
QUERY_NAME_BY_CUT: Mapping[str, str] = {"occupation_code": "occupation"}
# Of a part so many rows are shown; its download has all.
MAX_PART_ROWS = 1_000


def list_cut_titles() -> dict[str, str]:
    """The cuts by name, in the visit's language."""
    return {
        "quarter": t("Quarter"),
        "province": t("Province"),
        "industry": t("Industry"),
        "occupation_code": t("Occupation"),
        "type": t("Type of talent"),
        "basis": t("Basis"),
        "generation": t("Generation"),
        "channel": t("Channel"),
        "ownership": t("Ownership"),
        "year": t("Year named"),
    }


def list_scope_cuts(scope: Scope) -> tuple[str, ...]:
    """The cuts that a list of the people of a scope can have.

    The talents who drive a worker may be outside: what is known of them is none, for whoever tries
    one value after the other would read it.
    """
    if scope.everybody:
        return DRILL_DOWN_CUTS
    return tuple(name for name in DRILL_DOWN_CUTS if name not in TALENT_BREAKDOWNS)


def format_cut_value(cut: str, value: str | None, language: Language) -> str:
    """A value of a cut, in words."""
    if value is None or value == UNSTATED:
        return t("not stated")
    choices = {"province": PROVINCES, "type": PERSON_TYPES, "basis": BASES}.get(cut)
    if choices is not None:
        return translate_label(choices[value], language) if value in choices else value
    if cut == "occupation_code":
        return talent_figures.fetch_occupation_names().get(value, value)
    if cut == "generation":
        return t("Generation {n}", n=value)
    if cut == "channel":
        return list_chain_kind_words().get(value, value)
    if cut == "quarter":
        year, _, number = value.partition("Q")
        return t("{year} Q{n}", year=year, n=number)
    return translate_term(value, language)


def list_chain_kind_words() -> dict[str, str]:
    """The kinds of chain, in words."""
    return {
        "mentorship_only": t("by mentorship"),
        "studio_only": t("by studios"),
        "both": t("by both"),
        "mixed": t("mixed only"),
    }


def build_part_query(part: DrillDownFilter) -> dict[str, str]:
    """What the address of the list says of a part."""
    query = {QUERY_NAME_BY_CUT.get(name, name): value for name, value in part.cuts.items()}
    return query if part.count == "persons" else {"count": part.count, **query}


@graph_state.cache_by_graph_state(max_entries=8, resource=True)
def fetch_promotion_rows(policy: Policy) -> DrillDown:
    """The promotions behind the figures under a policy, of the current graph."""
    return load_drill_down(
        graph_state.fetch_snapshot(), talent_figures.fetch_driven_figures(policy)
    )


def start_promotion_rows_job(policy: Policy) -> None:
    """Has the rows written beside the page, so that the first click finds them there."""
    snapshot, driven = graph_state.fetch_snapshot(), talent_figures.fetch_driven_figures(policy)
    place = build_table_path(snapshot, "behind", policy.id)
    if place is not None and not place.exists():
        cached_metrics.start_background_job(
            ("behind", graph_state.fetch_graph_state(), policy),
            partial(load_drill_down, snapshot, driven),
        )


@graph_state.cache_by_graph_state(max_entries=256)
def fetch_part_count(policy: Policy, part: DrillDownFilter, scope: Scope) -> int:
    """How many persons or person-times a part has in a scope: of everybody, the figure that was
    clicked.
    """
    return int(_select_part_rows(policy, part, scope).select(pl.len()).collect().item())


@graph_state.cache_by_graph_state(max_entries=64)
def fetch_scope_counts(policy: Policy, cut: str, scope: Scope) -> pl.DataFrame:
    """value, persons, person_times: what a cut of the nation's figures holds of a scope."""
    rows = _select_part_rows(policy, DrillDownFilter("person_times"), scope)
    return fetch_promotion_rows(policy).count_values(cut, rows)


def _select_part_rows(policy: Policy, part: DrillDownFilter, scope: Scope) -> pl.LazyFrame:
    rows = fetch_promotion_rows(policy).of(part)
    if scope.everybody:
        return rows
    if not part.cuts.keys() <= {*list_scope_cuts(scope)}:
        return rows.filter(pl.lit(False))
    covered = pl.Series(np.flatnonzero(fetch_covered_people(scope)).astype(np.int32))
    return rows.filter(pl.col("person").is_in(covered.implode()))


def list_part_people(
    policy: Policy, part: DrillDownFilter, scope: Scope, most: int | None = MAX_PART_ROWS
) -> pl.DataFrame:
    """The people of a part and a scope, newest promotion first; `most` None gives all.

    person_id, name, day, province, occupation_code, enterprise, generation, channel, and the
    nearest talent's talent_id and talent, null where the scope does not cover the talent.
    """
    rows = _select_part_rows(policy, part, scope).select(
        "person", "day", "generation", "channel", "nearest"
    )
    found = (rows if most is None else rows.head(most)).collect()
    columns = "person", "person_id", "name", "province", "occupation_code", "enterprise_id"
    if most is None:
        people = graph_state.fetch_snapshot().frames["people"].select(columns)
    else:
        met = found["person"].unique().to_list()
        people = lookup_people(graph_state.fetch_snapshot(), met).lazy().select(columns)
    talents = talent_figures.fetch_driven_figures(policy).talents.select(
        "talent_id", talent="name", nearest="person"
    )
    if not scope.everybody:
        talents = talents.filter(pl.Series(fetch_covered_people(scope)[talents["nearest"]]))
    enterprises = (
        graph_state.fetch_snapshot()
        .frames["enterprises"]
        .select("enterprise_id", enterprise="name")
    )
    named = found.lazy().join(people, on="person", how="left", maintain_order="left")
    named = named.join(talents.lazy(), on="nearest", how="left", maintain_order="left")
    named = named.join(enterprises, on="enterprise_id", how="left", maintain_order="left")
    known = (
        graph_state.fetch_snapshot().frames["promotions"].select("person", "day", "day_precision")
    )
    known = known.filter(pl.col("day_precision").is_not_null())
    named = named.join(known, on=["person", "day"], how="left", maintain_order="left")
    return format_date_columns(named.drop("person", "nearest", "enterprise_id").collect())


def list_cut_options(policy: Policy, figures: Any, language: Language) -> dict[str, dict[str, str]]:
    """The values that each cut has, in words."""
    found: dict[str, dict[str, str]] = {}
    for name, rows in figures.cuts.items():
        values = [UNSTATED if value is None else value for value in rows["value"]]
        found[name] = {value: format_cut_value(name, value, language) for value in values}
    return found
