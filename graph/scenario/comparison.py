"""A scenario beside its revision: the difference on every figure.

Everything is counted twice by the same engine, once on the revision's tables and once on those with
the changes; `before` is the revision, `after` the scenario.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import polars as pl

from graph.dates import take_last_day
from graph.driven.figures import Driven
from graph.driven.results import load_driven
from graph.driven.terms import LEDGER_LINES
from graph.errors import UsageError
from graph.forecast.landing import DEFAULT_SEED
from graph.labels import MetricColumnLabels
from graph.people.retirement import judge_retirement_by
from graph.policy import Policy
from graph.programme.departures import find_mentors_in_place, find_ongoing_mentorships
from graph.scenario.changes import Scenario, find_last_days, resolve_changes
from graph.scenario.landing_change import LandingChange, compute_landing_change
from graph.scenario.materialize import load_scenario_driven
from graph.scenario.overlay import find_last_change_day
from graph.snapshot.frames import Snapshot

HEADLINE_FIGURES: Final = {
    "driven_persons": ("driven (persons)", "带动人数（人）"),
    "driven_person_times": ("driven (person-times)", "带动人次（人次）"),
    "pending": ("pending (persons)", "待晋升（人）"),
    "leading_talents": ("leading talents (persons)", "领军人才（人）"),
    "sum_over_talents": ("sum over the talents (persons)", "各人才带动人数之和（人）"),
}
SUCCESSION_FIGURES: Final = {
    "mentors": ("mentors in place (persons)", "在岗师傅（人）"),
    "apprentices": ("apprentices with a mentor in place (persons)", "有在岗师傅的在带徒弟（人）"),
    "cells": ("occupations with a mentor, by province", "各省有在岗师傅的职业数"),
    "last_mentors": ("of them with a single mentor", "其中仅有一名在岗师傅的"),
    "studios": ("studios with a leader", "有领办人的工作室（个）"),
}
TALENT_FIGURES: Final = ("driven", "person_times", "pending", "equal")
PROVINCE_FIGURES: Final = ("driven_persons", "driven_person_times", "pending", "leading_talents")
COLUMNS: Final[MetricColumnLabels] = {
    "figure": ("figure", "指标"),
    "before": ("now", "现状"),
    "after": ("in the scenario", "情景"),
    "difference": ("difference", "变化"),
    "province": ("province", "省份"),
    "talent_id": ("leading talent", "领军人才编号"),
    "name": ("name", "姓名"),
    "occupation_code": ("occupation code", "职业代码"),
    "occupation": ("occupation", "职业"),
    "studio_id": ("studio", "工作室编号"),
    "mentors_before": ("mentors in place now", "现有在岗师傅（人）"),
    "mentors_after": ("mentors in place in the scenario", "情景下在岗师傅（人）"),
    "median": ("change, median", "变化中位数"),
    "low_80": ("80 % from", "80%区间下限"),
    "high_80": ("80 % to", "80%区间上限"),
    "part": ("part", "组成部分"),
    **{
        f"{figure}_{side}": (f"{words[0]}, {en}", f"{words[1]}（{zh}）")
        for figure, words in (
            ("driven", ("driven", "带动人数")),
            ("person_times", ("person-times", "带动人次")),
            ("driven_persons", ("driven (persons)", "带动人数")),
            ("driven_person_times", ("driven (person-times)", "带动人次")),
            ("pending", ("pending", "待晋升")),
            ("leading_talents", ("leading talents", "领军人才")),
            ("equal", ("shared equally", "均分人数")),
        )
        for side, en, zh in (
            ("before", "now", "现状"),
            ("after", "scenario", "情景"),
            ("difference", "difference", "变化"),
        )
    },
}


@dataclass(frozen=True)
class ScenarioComparison:
    """The revision and the scenario, side by side.

    - headline: figure (of `HEADLINE_FIGURES`, then of `LEDGER_LINES`), before, after, difference
    - provinces: province (null = not stated), and before, after and difference of each of
      `PROVINCE_FIGURES`
    - talents: talent_id, name, and before, after and difference of each of `TALENT_FIGURES`; those
      with any difference alone, the largest first
    - succession: as headline, of `SUCCESSION_FIGURES`, on `succession_day`
    - lost_mentors: occupation_code, occupation, province, mentors_before, mentors_after: where the
      scenario leaves no mentor, or one of several
    - lost_leaders: studio_id, name: studios that the scenario leaves without a leader
    - last_days: person_id -> the last day of each who leaves, by the ids that stand
    - landing: how the forecast moves; None where it cannot be said, for the reason `no_landing`
    """

    scenario: Scenario
    policy: Policy
    scenario_policy: Policy
    revision: int
    succession_day: date
    last_days: dict[str, date]
    headline: pl.DataFrame
    provinces: pl.DataFrame
    talents: pl.DataFrame
    succession: pl.DataFrame
    lost_mentors: pl.DataFrame
    lost_leaders: pl.DataFrame
    landing: LandingChange | None
    no_landing: UsageError | None

    def table(self) -> pl.DataFrame:
        """The headline and the succession figures."""
        return pl.concat([self.headline, self.succession])


def compare_scenario(
    snapshot: Snapshot,
    policy: Policy,
    scenario: Scenario,
    *,
    steward: bool = False,
    seed: int = DEFAULT_SEED,
    succession_day: date | None = None,
) -> ScenarioComparison:
    """The scenario beside the revision, under the policy.

    Succession is measured on `succession_day`, or on that of the scenario alone: scenarios beside
    each other need one day, for the revision's own figures differ by it (`find_succession_day`).
    Without `steward` retirements are judged by calendar years, as on every list of departures.
    Raises `UsageError` where a change is wrong.
    """
    scenario = replace(scenario, changes=resolve_changes(snapshot, scenario.changes))
    before = load_driven(snapshot, policy)
    scenario_policy = scenario.under(policy)
    changed, after = load_scenario_driven(snapshot, scenario_policy, scenario)
    day = succession_day or find_succession_day(policy, [scenario])
    retired_by = judge_retirement_by(day, steward=steward)
    states = [_measure_succession(one, day, retired_by) for one in (snapshot, changed)]
    landing, no_landing = _compute_landing(
        snapshot, changed, scenario, policy if scenario_policy == policy else None, seed
    )
    return ScenarioComparison(
        scenario,
        policy,
        scenario_policy,
        snapshot.revision,
        day,
        find_last_days(scenario.changes),
        _compare_headline(before, after),
        _compare_by_province(before, after),
        _compare_talents(before, after),
        _compare_figures(
            {
                name: (states[0].figures[name], states[1].figures[name])
                for name in SUCCESSION_FIGURES
            }
        ),
        _list_lost_mentors(snapshot, states[0].cells, states[1].cells),
        _list_lost_leaders(snapshot, states[0].led, states[1].led),
        landing,
        no_landing,
    )


def find_succession_day(policy: Policy, scenarios: Sequence[Scenario]) -> date:
    """The day after the last change of all, and no earlier than the policy's as-of day."""
    last = find_last_change_day([one for each in scenarios for one in each.record_changes])
    if last is None or last < policy.as_of:
        return policy.as_of
    return min(last, date.max - timedelta(days=1)) + timedelta(days=1)


def _compute_landing(
    snapshot: Snapshot,
    changed: Snapshot,
    scenario: Scenario,
    policy: Policy | None,
    seed: int,
) -> tuple[LandingChange | None, UsageError | None]:
    if policy is None:
        return None, UsageError(
            "The scenario counts by another policy, so its forecast is another one: see Forecast "
            "under that policy."
        )
    try:
        return compute_landing_change(snapshot, changed, scenario, policy, seed=seed), None
    except UsageError as error:
        return None, error


# --- driven --------------------------------------------------------------------------------------


def _compare_figures(figures: dict[str, tuple[int, int]]) -> pl.DataFrame:
    rows = [(name, before, after, after - before) for name, (before, after) in figures.items()]
    schema = {"figure": pl.String} | dict.fromkeys(("before", "after", "difference"), pl.Int64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _compare_headline(before: Driven, after: Driven) -> pl.DataFrame:
    figures = [
        one.national | {"pending": _count_pending_persons(one)} | one.lines
        for one in (before, after)
    ]
    names = (*HEADLINE_FIGURES, *LEDGER_LINES)
    return _compare_figures({name: (figures[0][name], figures[1][name]) for name in names})


def _count_pending_persons(driven: Driven) -> int:
    return int(driven.waiting.select(pl.col("person").n_unique()).collect().item())


def _compare_by_province(before: Driven, after: Driven) -> pl.DataFrame:
    tables = [one.by("province").select("province", *PROVINCE_FIGURES) for one in (before, after)]
    return _join_sides(tables[0], tables[1], ["province"], PROVINCE_FIGURES).sort(
        "province", nulls_last=True
    )


def _compare_talents(before: Driven, after: Driven) -> pl.DataFrame:
    tables = [one.talents.select("talent_id", "name", *TALENT_FIGURES) for one in (before, after)]
    joined = _join_sides(tables[0], tables[1], ["talent_id", "name"], TALENT_FIGURES)
    counts = [f"{figure}_difference" for figure in TALENT_FIGURES]
    moved = joined.filter(pl.any_horizontal(pl.col(name).abs() > 1e-9 for name in counts))
    largest = [pl.col(f"{figure}_difference").abs() for figure in TALENT_FIGURES]
    return moved.sort([*largest, pl.col("talent_id")], descending=[True] * 4 + [False])


def _join_sides(
    before: pl.DataFrame, after: pl.DataFrame, keys: Sequence[str], figures: Sequence[str]
) -> pl.DataFrame:
    """The keys, and before, after and difference of each figure; who is on one side alone has 0
    on the other.
    """
    joined = before.join(
        after, on=list(keys), how="full", coalesce=True, nulls_equal=True, suffix="_after"
    )
    columns: list[pl.Expr] = []
    for figure in figures:
        sides = pl.col(figure).fill_null(0), pl.col(f"{figure}_after").fill_null(0)
        columns += [
            sides[0].alias(f"{figure}_before"),
            sides[1].alias(f"{figure}_after"),
            (sides[1] - sides[0]).alias(f"{figure}_difference"),
        ]
    return joined.select(*keys, *columns)


# --- succession ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Succession:
    """Who passes skill on, on a day: `figures`; `cells` (occupation_code, province, mentors);
    `led` (studio_id).
    """

    figures: dict[str, int]
    cells: pl.DataFrame
    led: pl.DataFrame


def _measure_succession(snapshot: Snapshot, day: date, retired_by: date) -> _Succession:
    mentors = find_mentors_in_place(snapshot, day, retired_by)
    place = ("occupation_code", "province")
    cells = (
        snapshot.frames["people"]
        .select("person", *place)
        .drop_nulls()
        .join(mentors.lazy().select("person"), on="person", how="semi")
        .group_by(place)
        .agg(mentors=pl.len().cast(pl.Int64))
        .collect()
    )
    leads = snapshot.frames["leads"]
    open_now = (pl.col("start").is_null() | (pl.col("start") <= day)) & (
        pl.col("end").is_null() | (take_last_day(leads, "end") >= day)
    )
    led = leads.filter(open_now).select("studio_id").unique().collect()
    figures = {
        "mentors": mentors.height,
        "apprentices": _count_taught_apprentices(snapshot, mentors, day),
        "cells": cells.height,
        "last_mentors": int((cells["mentors"] == 1).sum()),
        "studios": led.height,
    }
    return _Succession(figures, cells, led)


def _count_taught_apprentices(snapshot: Snapshot, mentors: pl.DataFrame, day: date) -> int:
    taught = find_ongoing_mentorships(snapshot, day).join(
        mentors.lazy().select(mentor="person"), on="mentor", how="semi"
    )
    return int(taught.select(pl.col("apprentice").n_unique()).collect().item())


def _list_lost_mentors(
    snapshot: Snapshot, before: pl.DataFrame, after: pl.DataFrame
) -> pl.DataFrame:
    place = ["occupation_code", "province"]
    names = snapshot.frames["occupations"].select(occupation_code="code", occupation="name")
    joined = before.join(after, on=place, how="left", suffix="_after").join(
        names.collect(), on="occupation_code", how="left"
    )
    left = pl.col("mentors_after").fill_null(0)
    return (
        joined.filter((left < pl.col("mentors")) & (left <= 1))
        .select(
            "occupation_code",
            "occupation",
            "province",
            mentors_before="mentors",
            mentors_after=left,
        )
        .sort("mentors_after", *place)
    )


def _list_lost_leaders(
    snapshot: Snapshot, before: pl.DataFrame, after: pl.DataFrame
) -> pl.DataFrame:
    names = snapshot.frames["studios"].select("studio_id", "name").collect()
    gone = before.join(after, on="studio_id", how="anti")
    return gone.join(names, on="studio_id", how="left").sort("studio_id")
