"""Departures as a page opens them: the list of a period, stored beside the snapshot."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.policy import Policy
from graph.programme.departures import Departures, list_departures
from graph.snapshot.frames import Snapshot

# Raised when the list changes, so that those of an older form are not read as these.
DEPARTURES_VERSION: Final = 2
PERIOD_NAMES: Final = ("since", "until", "retirements_since", "retirements_until")


def load_departures(
    snapshot: Snapshot,
    policy: Policy,
    until: date,
    *,
    province: str | None = None,
    steward: bool = False,
) -> Departures:
    """As `graph.programme.departures.list_departures`; stored beside the snapshot."""
    found: list[Departures] = []

    def list_now() -> Departures:
        if not found:
            found.append(
                list_departures(snapshot, policy, until, province=province, steward=steward)
            )
        return found[0]

    rows_path, facts_path = _list_departure_paths(snapshot, policy, until, province, steward)
    rows = load_cached_table(rows_path, lambda: list_now().rows)
    facts = load_cached_table(facts_path, lambda: _collect_facts(list_now())).row(0, named=True)
    periods = {name: facts[name] for name in PERIOD_NAMES}
    return Departures(rows, **periods, gaps=json.loads(facts["gaps"]), overdue=facts["overdue"])


def has_departures(
    snapshot: Snapshot,
    policy: Policy,
    until: date,
    *,
    province: str | None = None,
    steward: bool = False,
) -> bool:
    """Whether the list is stored, so that asking for it costs next to nothing."""
    paths = _list_departure_paths(snapshot, policy, until, province, steward)
    return all(map(has_cached_table, paths))


def _collect_facts(found: Departures) -> pl.DataFrame:
    facts = {name: getattr(found, name) for name in PERIOD_NAMES}
    return pl.DataFrame([facts | {"gaps": json.dumps(dict(found.gaps)), "overdue": found.overdue}])


def _list_departure_paths(
    snapshot: Snapshot, policy: Policy, until: date, province: str | None, steward: bool
) -> list[Path | None]:
    precision = "days" if steward else "years"
    return [
        build_table_path(
            snapshot,
            name,
            DEPARTURES_VERSION,
            policy.id,
            until.isoformat(),
            province or "",
            precision,
        )
        for name in ("departures", "departure-facts")
    ]
