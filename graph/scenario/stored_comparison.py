"""A scenario's comparison as a page opens it: worked out once, stored beside the snapshot.

The key is the revision (the snapshot's folder), the policy, the scenario's changes and policy, how
retirements are judged, the seed, and the day of the succession figures. One file holds the tables
of `ScenarioComparison`.
"""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypedDict

import polars as pl

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.errors import UsageError
from graph.forecast.landing import DEFAULT_SEED
from graph.messages import restore_message
from graph.policy import Policy
from graph.scenario.changes import Scenario
from graph.scenario.comparison import (
    ScenarioComparison,
    compare_scenario,
    find_succession_day,
)
from graph.scenario.landing_change import LandingChange
from graph.snapshot.frames import Snapshot

# Raised when a figure of a comparison changes, so that older ones are not read as these.
COMPARISON_VERSION: Final = 3
_TABLES: Final = (
    "headline",
    "provinces",
    "talents",
    "succession",
    "lost_mentors",
    "lost_leaders",
)


def load_comparison(
    snapshot: Snapshot,
    policy: Policy,
    scenario: Scenario,
    *,
    steward: bool = False,
    seed: int = DEFAULT_SEED,
    succession_day: date | None = None,
) -> ScenarioComparison:
    """As `graph.scenario.comparison.compare_scenario`, under the name that the scenario has here.

    Its `scenario` has the changes as they were stated.
    """
    how: _How = {"steward": steward, "seed": seed, "succession_day": succession_day}
    stored = load_cached_table(
        _build_comparison_path(snapshot, policy, scenario, **how),
        lambda: _pack_comparison(compare_scenario(snapshot, policy, scenario, **how)),
    )
    return _unpack_comparison(stored, snapshot, policy, scenario)


def has_comparison(
    snapshot: Snapshot,
    policy: Policy,
    scenario: Scenario,
    *,
    steward: bool = False,
    seed: int = DEFAULT_SEED,
    succession_day: date | None = None,
) -> bool:
    """Whether the comparison is stored, so that asking for it costs next to nothing."""
    how: _How = {"steward": steward, "seed": seed, "succession_day": succession_day}
    return has_cached_table(_build_comparison_path(snapshot, policy, scenario, **how))


class _How(TypedDict):
    """What the figures depend on beside the revision, the policy and the scenario."""

    steward: bool
    seed: int
    succession_day: date | None


def _build_comparison_path(
    snapshot: Snapshot,
    policy: Policy,
    scenario: Scenario,
    *,
    steward: bool,
    seed: int,
    succession_day: date | None,
) -> Path | None:
    day = succession_day or find_succession_day(policy, [scenario])
    return build_table_path(
        snapshot,
        "comparison",
        COMPARISON_VERSION,
        policy.id,
        scenario.id,
        "days" if steward else "years",
        seed,
        day.isoformat(),
    )


def _pack_comparison(found: ScenarioComparison) -> pl.DataFrame:
    """name, table: each table as an Arrow file; "facts" holds what is none, as JSON."""
    tables = {name: getattr(found, name) for name in _TABLES}
    facts: dict[str, Any] = {
        "succession_day": found.succession_day.isoformat(),
        "last_days": {id: day.isoformat() for id, day in found.last_days.items()},
    }
    if found.landing is not None:
        facts["data_date"] = found.landing.data_date.isoformat()
        tables["landing_parts"] = found.landing.parts
        tables["landing_draws"] = _tabulate_draws(found.landing)
    if found.no_landing is not None:
        message = found.no_landing.message
        facts["no_landing"] = {"id": message.id, "values": dict(message.values)}
    tables["facts"] = pl.DataFrame({"facts": [json.dumps(facts, default=str)]})
    packed = {name: _pack_table(table) for name, table in tables.items()}
    return pl.DataFrame(
        {"name": [*packed], "table": [*packed.values()]},
        schema={"name": pl.String, "table": pl.Binary},
    )


def _tabulate_draws(landing: LandingChange) -> pl.DataFrame:
    draws = [found.tolist() for found in landing.draws.values()]
    schema: dict[str, Any] = {"province": pl.String, "draws": pl.List(pl.Float64)}
    return pl.DataFrame({"province": [*landing.draws], "draws": draws}, schema=schema)


def _pack_table(table: pl.DataFrame) -> bytes:
    content = BytesIO()
    table.write_ipc(content)
    return content.getvalue()


def _unpack_comparison(
    stored: pl.DataFrame, snapshot: Snapshot, policy: Policy, scenario: Scenario
) -> ScenarioComparison:
    tables = {name: pl.read_ipc(BytesIO(table)) for name, table in stored.rows()}
    facts = json.loads(tables["facts"]["facts"][0])
    landing, reason = None, facts.get("no_landing")
    if "data_date" in facts:
        draws = dict(tables["landing_draws"].rows())
        landing = LandingChange(
            date.fromisoformat(facts["data_date"]),
            {value: pl.Series(found).to_numpy() for value, found in draws.items()},
            tables["landing_parts"],
        )
    return ScenarioComparison(
        scenario=scenario,
        policy=policy,
        scenario_policy=scenario.under(policy),
        revision=snapshot.revision,
        succession_day=date.fromisoformat(facts["succession_day"]),
        last_days={id: date.fromisoformat(day) for id, day in facts["last_days"].items()},
        landing=landing,
        no_landing=UsageError(restore_message(**reason)) if reason else None,
        **{name: tables[name] for name in _TABLES},
    )
