"""A metric's table, computed once a snapshot and policy and stored beside the snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.driven.figures import Driven
from graph.metrics.registry import METRICS
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

# Rows of these metrics are people, or people and places: only those of leading talents are stored.
PERSON_ROW_KINDS: Final = frozenset({"person", "node"})
# On these the policy does not bear (docs/metrics.md): one table a snapshot.
WITHOUT_POLICY: Final = frozenset(
    {"mpact", "genealogical_index", "centrality", "components", "communities"}
)


def load_metric_table(
    snapshot: Snapshot,
    policy: Policy,
    name: str,
    *,
    driven: Driven | None = None,
    **parameters: str,
) -> pl.DataFrame:
    """The metric's table under the policy: the stored one, or one computed and stored now.

    Raises `UsageError` as the metric does.
    """
    place = _build_metric_table_path(snapshot, policy, name, parameters)

    def found() -> pl.DataFrame:
        table = METRICS[name].table(snapshot, policy, driven=driven, **parameters)
        return (
            filter_leading_talents(table, snapshot)
            if METRICS[name].row in PERSON_ROW_KINDS
            else table
        )

    return load_cached_table(place, found)


def filter_leading_talents(table: pl.DataFrame, snapshot: Snapshot) -> pl.DataFrame:
    """The table without the persons who are no leading talents; others' rows as they are."""
    for key in ("person_id", "id"):
        if key in table.columns:
            talents = (snapshot.frames["people"].filter("leading").select("person_id").collect())[
                "person_id"
            ]
            is_talent = pl.col(key).is_in(talents.implode())
            if "kind" in table.columns:
                return table.filter((pl.col("kind") != "person") | is_talent)
            return table.filter(is_talent)
    return table


def has_cached_metric_table(
    snapshot: Snapshot, policy: Policy, name: str, **parameters: str
) -> bool:
    """Whether the table is there, so that asking for it costs next to nothing."""
    return has_cached_table(_build_metric_table_path(snapshot, policy, name, parameters))


def _build_metric_table_path(
    snapshot: Snapshot, policy: Policy, name: str, parameters: dict[str, str]
) -> Path | None:
    rules = "" if name in WITHOUT_POLICY else policy.id
    return build_table_path(snapshot, name, rules, sorted(parameters.items()))
