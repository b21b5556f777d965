"""Which new mentorships and studios add most expected new driven workers by the window's end.

A link (m, a) is possible where

- the mentor m works, is high-skilled, and does not retire by the end of the window's last year; is
  a leading talent, or reached by a chain with a hop to spare, so that the people m teaches are
  driven; and has a place free: `capacity` less the apprentices of mentorships that go on
- the apprentice a works, is not high-skilled, has no mentorship going on, and no chain has reached
  a yet: without the link a would not count, with it a counts when a rises
- they share an occupation family (of m also those that m practises besides) and a place

A studio of a leading talent (`graph.forecast.new_studios`) has up to `members` such apprentices of
one family and place as members. The value for one person is the chance that they rise from the
start to the window's end, by the hazards of the forecast (`graph.forecast.rising`) of those whom a
mentorship, or a studio, has just reached, at the record of the mentor or leader:

    value(m, a) = 1 - (1 - chance(a)) ^ record(m)
    record(m) = (seen + `PRIOR_PROMOTIONS`) / (expected + `PRIOR_PROMOTIONS`)

with the first promotions of m's apprentices in the quarters looked back on, seen and expected by
the hazards; an apprentice of k mentors counts 1/k to each. Of a woman who may have left
by then at the earlier of her two retirement months, record and chance count half. A set S of links
and studios is worth

    f(S) = sum over people of the largest value of what S has for them

and is chosen lazily greedy (`graph.forecast.coverage_choice`). Of links alone, or studios alone, by
their number alone, the greedy set has at least 1 - 1/e of the best value; with the mentors' places,
one studio a leader and both kinds, at least 1/2; where all mentors have the same record and one
family each, links alone are the best, and so are studios alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.dates import take_last_day
from graph.errors import UsageError
from graph.forecast.coverage_choice import ChosenMeasures, MeasureLimits, choose_measures
from graph.forecast.hazards import PRIOR_PROMOTIONS
from graph.forecast.history import MONTH_DAYS
from graph.forecast.landing import DEFAULT_SEED, check_window_open
from graph.forecast.new_studios import describe_members, describe_studios, find_founders
from graph.forecast.pairing_rules import PairingRules, add_practices, list_pairing_places
from graph.forecast.rising import RISING_CHANNELS, RisingModel, fit_rising_model
from graph.forecast.simulation import DRAWS
from graph.forecast.stored_data import load_driven_history
from graph.labels import MetricColumnLabels
from graph.people.retirement import judge_retirement_by, list_leaving_days, weigh_staying
from graph.policy import Policy
from graph.programme.departures import find_mentors_in_place
from graph.snapshot.frames import Snapshot

PAIRING_VERSION: Final = 5

COLUMNS: Final[MetricColumnLabels] = {
    "rank": ("rank", "次序"),
    "mentor_id": ("mentor", "师傅编号"),
    "mentor": ("mentor's name", "师傅姓名"),
    "apprentice_id": ("apprentice", "徒弟编号"),
    "apprentice": ("apprentice's name", "徒弟姓名"),
    "gain": ("expected new driven workers", "预计新增带动人数"),
    "chance": ("chance of rising by the window's end", "期末前晋升概率"),
    "record": ("mentor's record", "师傅带徒成效"),
    "mentor_level": ("mentor's level", "师傅技能等级"),
    "level": ("apprentice's level", "徒弟技能等级"),
    "training": ("the mentor's apprentices now", "师傅在带徒弟（人）"),
    "family": ("occupation family", "职业类别"),
    "occupation_code": ("apprentice's occupation", "徒弟职业代码"),
    "province": ("province", "省份"),
    "enterprise_id": ("apprentice's enterprise", "徒弟企业编号"),
    "start": ("begins on", "开始日期"),
}


@dataclass(frozen=True)
class Pairing:
    """The links in the order they were chosen (`COLUMNS`), new studios (`STUDIO_COLUMNS`) with
    their members (`MEMBER_COLUMNS`), and what all of them add.

    - expected: new driven workers, f(S); low, high: 80 % of `DRAWS` seeded draws
    - mentors, apprentices: how many could have been paired; places: free places of the mentors
    - leaders: how many could have opened a studio
    """

    links: pl.DataFrame
    studios: pl.DataFrame
    members: pl.DataFrame
    expected: float
    low: int
    high: int
    mentors: int
    apprentices: int
    places: int
    leaders: int


PAIRING_TABLES: Final = ("links", "studios", "members")


def compute_pairing(
    snapshot: Snapshot,
    policy: Policy,
    rules: PairingRules | None = None,
    *,
    seed: int = DEFAULT_SEED,
) -> Pairing:
    """The links and studios that `rules` allow, those that add most first; they begin on the as-of
    day.

    Raises `UsageError` where chains have no dates, the window is over, or too few promotions are on
    record.
    """
    rules = rules or PairingRules()
    options = find_pairing_options(snapshot, policy, rules, seed=seed)
    limits = MeasureLimits(rules.links, rules.studios, rules.members)
    chosen = choose_measures(options.offers, options.seekers, options.founders, limits)
    numbers = pl.DataFrame(
        chosen.links, {"mentor": pl.Int32, "apprentice": pl.Int32, "gain": pl.Float64}, orient="row"
    )
    studios = describe_studios(snapshot, policy, options.founders, options.families, chosen.studios)
    low, high = _draw_interval(options, chosen, seed)
    return Pairing(
        _describe_links(snapshot, policy, rules, options, numbers),
        studios,
        describe_members(snapshot, options.seekers, chosen.studios),
        float(numbers["gain"].sum()) + float(studios["gain"].sum()),
        low,
        high,
        options.offers["person"].n_unique(),
        options.seekers.height,
        int(options.offers.unique("person")["free"].sum()),
        options.founders["person"].n_unique(),
    )


def load_pairing(
    snapshot: Snapshot, policy: Policy, rules: PairingRules, *, seed: int = DEFAULT_SEED
) -> Pairing:
    """As `compute_pairing`; stored beside the snapshot."""
    found: list[Pairing] = []

    def compute() -> Pairing:
        if not found:
            found.append(compute_pairing(snapshot, policy, rules, seed=seed))
        return found[0]

    *places, sums = _list_pairing_paths(snapshot, policy, rules, seed)
    names = [field.name for field in fields(Pairing) if field.name not in PAIRING_TABLES]
    makers: list[Callable[[], pl.DataFrame]] = [
        lambda: compute().links,
        lambda: compute().studios,
        lambda: compute().members,
    ]
    links, studios, members = map(load_cached_table, places, makers)
    stored = load_cached_table(
        sums, lambda: pl.DataFrame([{name: getattr(compute(), name) for name in names}])
    )
    return Pairing(links, studios, members, **stored.row(0, named=True))


def has_pairing(
    snapshot: Snapshot, policy: Policy, rules: PairingRules, *, seed: int = DEFAULT_SEED
) -> bool:
    """Whether the links are stored, so that asking for them costs little."""
    return all(map(has_cached_table, _list_pairing_paths(snapshot, policy, rules, seed)))


def _list_pairing_paths(
    snapshot: Snapshot, policy: Policy, rules: PairingRules, seed: int
) -> list[Path | None]:
    return [
        build_table_path(snapshot, name, PAIRING_VERSION, policy.id, rules.as_dict(), seed)
        for name in (*(f"pairing-{table}" for table in PAIRING_TABLES), "pairing-sums")
    ]


# --- who may be paired ---------------------------------------------------------------------------


@dataclass(frozen=True)
class PairingOptions:
    """Who offers places, who seeks one, and who may open a studio.

    - offers: person, cell, free (places), record, training (apprentices now)
    - seekers: person, cell, chance, studio_chance, flat, studio_flat (cells of the model), stays
      (the odds of not having left by then)
    - founders: person, cell, record, training, host_kind, host_id, host
    - families: cell, family
    """

    offers: pl.DataFrame
    seekers: pl.DataFrame
    founders: pl.DataFrame
    families: pl.DataFrame
    model: RisingModel
    horizon: float


def find_pairing_options(
    snapshot: Snapshot, policy: Policy, rules: PairingRules, *, seed: int = DEFAULT_SEED
) -> PairingOptions:
    """Everybody who could be paired under the rules. Raises as `compute_pairing`."""
    history = load_driven_history(snapshot, policy)
    check_window_open(history)
    end = policy.window_end
    working = list_leaving_days(snapshot, policy.as_of).collect()
    horizon = max((end - max(policy.as_of, history.data_date)).days / MONTH_DAYS, 0.0)
    model = fit_rising_model(snapshot, history, working.select("person"), horizon + 1, seed)
    staying = weigh_staying(working, date(end.year, 12, 31)).filter(pl.col("stays") > 0)
    staff = _list_staff(snapshot, policy, rules, model, staying)
    placed = list_pairing_places(snapshot, rules)
    practised = add_practices(snapshot, placed, rules)
    carriers = _find_carriers(snapshot, policy) if rules.links else staff.clear()
    offers = staff.join(carriers, on="person", how="semi").join(practised, on="person")
    founding = staff if rules.studios else staff.clear()
    founders = find_founders(snapshot, policy, founding).join(practised, on="person")
    seekers = (
        _find_seekers(snapshot, policy, model, horizon)
        .join(staying.select("person", "stays"), on="person")
        .with_columns(pl.col("chance", "studio_chance") * pl.col("stays"))
        .join(placed, on="person")
    )
    keys = ["family", "place"]
    cells = seekers.select(keys).unique().sort(keys).with_row_index("cell")
    offers, founders = (rows.join(cells, on=keys).drop(keys) for rows in (offers, founders))
    reachable = pl.concat([offers.select("cell"), founders.select("cell")])
    seekers = seekers.join(cells, on=keys).join(reachable, on="cell", how="semi").drop(keys)
    return PairingOptions(offers, seekers, founders, cells.select("cell", "family"), model, horizon)


def _list_staff(
    snapshot: Snapshot,
    policy: Policy,
    rules: PairingRules,
    model: RisingModel,
    staying: pl.DataFrame,
) -> pl.DataFrame:
    """person, training, record, free: of those who may stay, everybody with a place free.

    The record of who may have left counts by the odds of staying.
    """
    by_year = judge_retirement_by(policy.as_of, steward=False)
    in_place = find_mentors_in_place(snapshot.under(policy), policy.as_of, by_year)
    return (
        staying.select("person", "stays")
        .join(in_place.select("person", training="apprentices"), on="person", how="left")
        .join(_measure_mentor_records(snapshot, policy, model), on="person", how="left")
        .with_columns(
            pl.col("training").fill_null(0), pl.col("record").fill_null(1.0) * pl.col("stays")
        )
        .drop("stays")
        .with_columns(free=rules.capacity - pl.col("training").cast(pl.Int64))
        .filter(pl.col("free") > 0)
    )


def _find_carriers(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """person: high-skilled people whose new apprentices would be driven.

    A chain by mentorships must count under the policy.
    """
    from graph.driven.results import load_reach

    if "mentorship" not in policy.channels:
        raise UsageError("Pairing starts mentorships: count chains of mentorships as well.")
    reach = load_reach(snapshot, policy)
    if policy.generations is not None:
        reach = reach.filter(pl.col("generation") < policy.generations)
    known = pl.col("arrival") <= policy.as_of
    reached = reach.filter(known).select("person")
    talents = snapshot.frames["talents"].select("person")
    high = snapshot.frames["people"].filter(pl.col("level") >= policy.high_skilled_level)
    carriers = pl.concat([reached, talents]).unique()
    return carriers.join(high.select("person"), on="person", how="semi").collect()


def _find_seekers(
    snapshot: Snapshot, policy: Policy, model: RisingModel, horizon: float
) -> pl.DataFrame:
    """person, chance, flat, studio_chance, studio_flat: who waits for a promotion, and whom neither
    a chain nor a mentor has.

    From the start on they wait anew, as those do whom a mentorship, or a studio, has just reached.
    """
    last = take_last_day(snapshot.frames["mentorships"], "end")
    mentored = (
        snapshot.frames["mentorships"]
        .filter(pl.col("end").is_null() | (last >= policy.as_of))
        .filter(pl.col("status").fill_null("ongoing") == "ongoing")
        .select(person="apprentice")
        .unique()
        .collect()
    )
    none = RISING_CHANNELS.index("none")
    found = model.waiting.filter(pl.col("channel_code") == none).join(
        mentored, on="person", how="anti"
    )
    linked = _follow_channel(found, model, "mentorship", horizon)
    trained = _follow_channel(found, model, "studio", horizon)
    return linked.with_columns(studio_chance=trained["chance"], studio_flat=trained["flat"])


def _follow_channel(
    waiting: pl.DataFrame, model: RisingModel, channel: str, horizon: float
) -> pl.DataFrame:
    """person, chance, flat: those who wait, as if a chain by the channel had just reached them."""
    linked = waiting.with_columns(
        channel_code=pl.lit(RISING_CHANNELS.index(channel), pl.Int8),
        duration=pl.lit(0, pl.Int32),
    )
    flat = model.number_cells(linked)
    used, column = np.unique(flat, return_inverse=True)
    chances = model.compute_cell_chances([horizon])[0][:, used].T
    mean = model.follow_ratio(chances, horizon).mean(axis=1) if len(used) else np.zeros(0)
    return waiting.select("person").with_columns(
        chance=pl.Series(mean[column], dtype=pl.Float64), flat=pl.Series(flat)
    )


def _measure_mentor_records(snapshot: Snapshot, policy: Policy, model: RisingModel) -> pl.DataFrame:
    """person (a mentor), record: promotions of the apprentices, seen to expected, drawn to 1."""
    pairs = (
        snapshot.under(policy)
        .frames["mentorships"]
        .filter(pl.col("start") <= policy.as_of, pl.col("mentor") != pl.col("apprentice"))
        .select("mentor", person="apprentice")
        .unique()
        .collect()
    )
    shared = pairs.with_columns(share=1.0 / pl.len().over("person")).join(
        model.records, on="person"
    )
    seen, hoped = ((pl.col(name) * pl.col("share")).sum() for name in ("seen", "hoped"))
    record = (seen + PRIOR_PROMOTIONS) / (hoped + PRIOR_PROMOTIONS)
    return shared.group_by(person="mentor").agg(record=record)


# --- the rows ------------------------------------------------------------------------------------


def _describe_links(
    snapshot: Snapshot,
    policy: Policy,
    rules: PairingRules,
    options: PairingOptions,
    numbers: pl.DataFrame,
) -> pl.DataFrame:
    people = snapshot.frames["people"].select(
        "person", "person_id", "name", "level", "occupation_code", "province", "enterprise_id"
    )
    mentor = people.select(
        mentor="person", mentor_id="person_id", mentor_name="name", mentor_level="level"
    )
    training = options.offers.select(mentor="person", training="training", record="record")
    chance = options.seekers.select(apprentice="person", chance="chance")
    return (
        numbers.lazy()
        .with_row_index("rank", 1)
        .join(mentor, on="mentor", how="left")
        .join(training.unique("mentor").lazy(), on="mentor", how="left")
        .join(chance.lazy(), on="apprentice", how="left")
        .join(people.rename({"person": "apprentice"}), on="apprentice", how="left")
        .sort("rank")
        .select(
            pl.col("rank").cast(pl.Int64),
            "mentor_id",
            pl.col("mentor_name").alias("mentor"),
            pl.col("person_id").alias("apprentice_id"),
            pl.col("name").alias("apprentice"),
            "gain",
            "chance",
            "record",
            pl.col("mentor_level").cast(pl.Int64),
            pl.col("level").cast(pl.Int64),
            pl.col("training").cast(pl.Int64),
            rules.cut_family(pl.col("occupation_code").cast(pl.String)).alias("family"),
            "occupation_code",
            "province",
            "enterprise_id",
            pl.lit(policy.as_of).alias("start"),
        )
        .collect()
    )


def _draw_interval(options: PairingOptions, chosen: ChosenMeasures, seed: int) -> tuple[int, int]:
    """The 80 % interval of how many of the people with a link or a studio rise."""
    covered = _list_covered(options, chosen)
    if covered.is_empty():
        return 0, 0
    random = np.random.default_rng([seed, 5])
    keys = ("flat", "record", "stays")
    groups = covered.group_by(keys).agg(n=pl.len()).sort(keys)
    base = options.model.compute_cell_chances([options.horizon])[0][:, groups["flat"].to_numpy()].T
    totals = np.zeros(DRAWS)
    for part in np.array_split(np.arange(groups.height), 1 + groups.height // 2_000):
        rising = options.model.follow_ratio(base[part], options.horizon)
        rising *= groups["stays"].to_numpy()[part, None]
        power = groups["record"].to_numpy()[part, None]
        chance = 1.0 - (1.0 - rising) ** power
        totals += random.binomial(groups["n"].to_numpy()[part, None], chance).sum(axis=0)
    low, high = np.quantile(totals, (0.1, 0.9)).round()
    return int(low), int(high)


def _list_covered(options: PairingOptions, chosen: ChosenMeasures) -> pl.DataFrame:
    """person, flat, record, stays: whoever has a link or a studio, by its largest worth."""
    taught = [(mentor, person) for mentor, person, _ in chosen.links]
    trained = [(studio.leader, person) for studio in chosen.studios for person, _ in studio.members]
    kinds = {"mentor": pl.Int32, "person": pl.Int32}
    parts = []
    for pairs, teachers, prefix in (
        (taught, options.offers, ""),
        (trained, options.founders, "studio_"),
    ):
        records = teachers.select("record", mentor="person").unique("mentor")
        seekers = options.seekers.select(
            "person", "stays", chance=f"{prefix}chance", flat=f"{prefix}flat"
        )
        rows = pl.DataFrame(pairs, kinds, orient="row").join(records, on="mentor")
        columns = ("person", "flat", "record", "stays", "chance")
        parts.append(rows.join(seekers, on="person").select(columns))
    worth = 1.0 - (1.0 - pl.col("chance")) ** pl.col("record")
    return (
        pl.concat(parts)
        .sort(worth, descending=True, maintain_order=True)
        .unique("person", keep="first", maintain_order=True)
    )
