"""What the page of a province, an industry or an occupation shows, cached by state and policy."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, get_args

import polars as pl

from graph.messages import Language
from graph.policy import Policy
from graph.programme import areas
from graph.programme.areas import AREA_ATTRIBUTES, Area, AreaKind
from ui.reading import cached_metrics, drill_down, talent_figures
from ui.shell import graph_state
from ui.words.i18n import t

AREA_KINDS: Final[tuple[AreaKind, ...]] = get_args(AreaKind)
MAX_AREA_TALENTS: Final = 15
MAX_AREA_STUDIOS: Final = 10


def list_area_kind_titles() -> dict[AreaKind, str]:
    """The kinds of area, in the visit's language."""
    return {"province": t("Province"), "industry": t("Industry"), "occupation": t("Occupation")}


def list_area_options(policy: Policy, kind: AreaKind, language: Language) -> dict[str, str]:
    """Code -> name of the areas of a kind where anyone is driven, the most first."""
    rows = talent_figures.fetch_overview(policy).cuts.get(AREA_ATTRIBUTES[kind])
    if rows is None:
        return {}
    stated = rows.filter(pl.col("value").is_not_null())
    ordered = stated.sort("person_times", "value", descending=[True, False])["value"]
    return {
        code: drill_down.format_cut_value(AREA_ATTRIBUTES[kind], code, language) for code in ordered
    }


def fetch_occupation_demand(code: str) -> dict[str, Any] | None:
    """The newest year of which the positions open of an occupation are stated: year, positions."""
    return next(iter(graph_state.read_live_rows("occupation_demand", code=code)), None)


def is_area_data_cached(policy: Policy) -> bool:
    """Whether the tables of the areas are there."""
    return areas.has_area_tables(
        graph_state.fetch_snapshot(), talent_figures.fetch_driven_figures(policy)
    )


def start_area_tables_job(policy: Policy) -> None:
    """Has the tables written beside the page, so that the first click finds them there."""
    snapshot, driven = graph_state.fetch_snapshot(), talent_figures.fetch_driven_figures(policy)
    if not areas.has_area_tables(snapshot, driven):
        cached_metrics.start_background_job(
            format_area_job_key(policy), partial(areas.materialize_area_tables, snapshot, driven)
        )


def format_area_job_key(policy: Policy) -> tuple[str, str, Policy]:
    """What tells the work on the areas' tables from other work."""
    return "areas", graph_state.fetch_graph_state(), policy


@graph_state.cache_by_graph_state(max_entries=256, resource=True)
def fetch_area(policy: Policy, kind: AreaKind, code: str) -> Area:
    """The area, of the current graph."""
    return areas.build_area(
        graph_state.fetch_snapshot(),
        talent_figures.fetch_driven_figures(policy),
        talent_figures.fetch_talent_rows(policy),
        talent_figures.fetch_overview(policy).data_until,
        kind,
        code,
    )
