"""Which new mentorships add most expected new driven workers by the window's end.

A link (m, a) is possible where

- the mentor m works, is high-skilled, and does not retire by the end of the window's last year; is
  a leading talent, or reached by a chain with a hop to spare, so that whom m teaches is driven; and
  has a place free: `capacity` less the apprentices of mentorships that go on
- the apprentice a works, is not high-skilled, has no mentorship going on, and no chain has reached
  a yet: without the link a would not count, with it a counts when a rises
- they share an occupation family (of m also those that m practises besides) and a place

Its value is the chance that a rises from the link's start to the window's end, by the hazards of
the forecast (`graph.forecast.rising`) of those whom a mentorship has just reached, at the mentor's
record:

    value(m, a) = 1 - (1 - chance(a)) ^ record(m)
    record(m) = (seen + `PRIOR_PROMOTIONS`) / (expected + `PRIOR_PROMOTIONS`)

with the first promotions of m's apprentices in the quarters looked back on, seen and expected by
the hazards; an apprentice of k mentors counts 1/k to each. A set S of links is worth

    f(S) = sum over apprentices of the largest value of their links in S

which is monotone and submodular. The links are chosen lazily greedy, the largest gain first: no
gain grows, so the first one that is up to date is the largest. Without capacities the greedy set
has at least 1 - 1/e of the best value, with them at least 1/2; where all mentors have the same
record and one family each, it is the best.

Source: Nemhauser, Wolsey, Fisher 1978, An analysis of approximations for maximizing submodular set
functions I and II, Mathematical Programming 14:265 and Study 8:73; Minoux 1978 (lazy evaluation).
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Final, Literal

import numpy as np
import polars as pl

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.dates import take_last_day
from graph.errors import UsageError
from graph.forecast.hazards import PRIOR_PROMOTIONS
from graph.forecast.history import (
    MONTH_DAYS,
    OCCUPATION_GROUP_CHARACTERS,
)
from graph.forecast.landing import DEFAULT_SEED, check_window_open
from graph.forecast.rising import RISING_CHANNELS, RisingModel, fit_rising_model
from graph.forecast.simulation import DRAWS
from graph.forecast.stored_data import load_driven_history
from graph.labels import MetricColumnLabels
from graph.people.retirement import judge_retirement_by, list_leaving_days
from graph.policy import Policy
from graph.programme.departures import find_mentors_in_place
from graph.snapshot.frames import Snapshot

PairingPlace = Literal["province", "enterprise"]
PairingFamily = Literal["occupation_group", "occupation"]
DEFAULT_LINKS: Final = 100
DEFAULT_CAPACITY: Final = 3
MAX_PAIRING_LINKS: Final = 100_000
PAIRING_VERSION: Final = 1

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
class PairingRules:
    """What limits the links: at most `links`; apprentices a mentor may have at once; what the two
    must share.
    """

    links: int = DEFAULT_LINKS
    capacity: int = DEFAULT_CAPACITY
    place: PairingPlace = "province"
    family: PairingFamily = "occupation_group"
    province: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.links <= MAX_PAIRING_LINKS:
            raise UsageError(
                "links is {links}; give 1 to {most}.", links=self.links, most=MAX_PAIRING_LINKS
            )
        if self.capacity < 1:
            raise UsageError("capacity is {capacity}; give 1 or more.", capacity=self.capacity)

    def as_dict(self) -> dict[str, str]:
        """The fields as text, as an export and a decision hold them."""
        found = {name: str(value) for name, value in vars(self).items() if value is not None}
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class Pairing:
    """The links in the order they were chosen (`COLUMNS`), and what they add.

    - expected: new driven workers, f(S); low, high: 80 % of `DRAWS` seeded draws
    - mentors, apprentices: how many could have been paired; places: free places of the mentors
    """

    links: pl.DataFrame
    expected: float
    low: int
    high: int
    mentors: int
    apprentices: int
    places: int


def compute_pairing(
    snapshot: Snapshot,
    policy: Policy,
    rules: PairingRules | None = None,
    *,
    seed: int = DEFAULT_SEED,
) -> Pairing:
    """The links that `rules` allow, those that add most first; they begin on the as-of day.

    Raises `UsageError` where chains have no dates, the window is over, or too few promotions are on
    record.
    """
    rules = rules or PairingRules()
    options = find_pairing_options(snapshot, policy, rules, seed=seed)
    chosen = choose_links(options.offers, options.seekers, rules.links)
    numbers = pl.DataFrame(
        chosen, {"mentor": pl.Int32, "apprentice": pl.Int32, "gain": pl.Float64}, orient="row"
    )
    links = _describe_links(snapshot, policy, rules, options, numbers)
    low, high = _draw_interval(options, numbers, seed)
    return Pairing(
        links,
        float(numbers["gain"].sum()),
        low,
        high,
        options.offers["person"].n_unique(),
        options.seekers.height,
        int(options.offers.unique("person")["free"].sum()),
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

    links, sums = _list_pairing_paths(snapshot, policy, rules, seed)
    names = [field.name for field in fields(Pairing) if field.name != "links"]
    table = load_cached_table(links, lambda: compute().links)
    stored = load_cached_table(
        sums, lambda: pl.DataFrame([{name: getattr(compute(), name) for name in names}])
    )
    return Pairing(table, **stored.row(0, named=True))


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
        for name in ("pairing", "pairing-sums")
    ]


# --- the choice ----------------------------------------------------------------------------------


def choose_links(
    offers: pl.DataFrame, seekers: pl.DataFrame, most: int
) -> list[tuple[int, int, float]]:
    """mentor, apprentice, gain: lazily greedy, at most so many.

    `offers`: person, cell, free, record, a row a mentor and cell (family and place); `seekers`:
    person, cell, chance. A gain rises with the chance and with the record, so the best link of a
    cell is that of its likeliest apprentice who is left with its best mentor who has a place left;
    and an apprentice with a link gains nothing by another, as the first was with the best one.
    """
    best = offers.sort(["record", "free", "person"], descending=[True, True, False])
    mentors = dict(best.group_by("cell", maintain_order=True).agg("person").rows())
    ordered = seekers.sort(["chance", "person"], descending=[True, False])
    waiting = {
        cell: list(zip(people, chances, strict=True))
        for cell, people, chances in ordered.group_by("cell", maintain_order=True)
        .agg("person", "chance")
        .rows()
        if cell in mentors
    }
    state = _LinkChoice(
        mentors,
        waiting,
        dict(offers.select("person", "free").unique().rows()),
        dict(offers.select("person", "record").unique().rows()),
    )
    return state.choose(most)


@dataclass
class _LinkChoice:
    mentors: Mapping[int, Sequence[int]]
    waiting: Mapping[int, Sequence[tuple[int, float]]]
    free: dict[int, int]
    record: Mapping[int, float]

    def choose(self, most: int) -> list[tuple[int, int, float]]:
        at_mentor = dict.fromkeys(self.mentors, 0)
        at_seeker = dict.fromkeys(self.waiting, 0)
        heap = [(-np.inf, cell) for cell in self.waiting]  # not looked at yet: no bound
        heapq.heapify(heap)
        found: list[tuple[int, int, float]] = []
        while heap and len(found) < most:
            stale, cell = heapq.heappop(heap)
            people, teachers = self.waiting[cell], self.mentors[cell]
            while at_mentor[cell] < len(teachers) and not self.free[teachers[at_mentor[cell]]]:
                at_mentor[cell] += 1
            if at_mentor[cell] == len(teachers) or at_seeker[cell] == len(people):
                continue
            mentor, (person, chance) = teachers[at_mentor[cell]], people[at_seeker[cell]]
            gain = 1.0 - (1.0 - chance) ** self.record[mentor]
            if gain <= 0:
                continue
            if -stale > gain:  # out of date: it goes back to where it belongs now
                heapq.heappush(heap, (-gain, cell))
                continue
            found.append((mentor, person, gain))
            self.free[mentor] -= 1
            at_seeker[cell] += 1
            heapq.heappush(heap, (-gain, cell))
        return found


# --- who may be paired ---------------------------------------------------------------------------


@dataclass(frozen=True)
class PairingOptions:
    """Who offers places and who seeks one.

    - offers: person, cell, free (places), record, training (apprentices now)
    - seekers: person, cell, chance, flat (the cell of the model)
    """

    offers: pl.DataFrame
    seekers: pl.DataFrame
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
    by_year = judge_retirement_by(policy.as_of, steward=False)
    in_place = find_mentors_in_place(snapshot, policy.as_of, by_year)
    staying = working.filter((pl.col("leaves") > date(end.year, 12, 31)).fill_null(True))
    placed = _list_pairing_places(snapshot, rules)
    offers = (
        _find_carriers(snapshot, policy)
        .join(staying.select("person"), on="person", how="semi")
        .join(in_place.select("person", training="apprentices"), on="person", how="left")
        .join(_measure_mentor_records(snapshot, policy, model), on="person", how="left")
        .with_columns(pl.col("training").fill_null(0), pl.col("record").fill_null(1.0))
        .with_columns(free=rules.capacity - pl.col("training").cast(pl.Int64))
        .filter(pl.col("free") > 0)
        .join(_add_practices(snapshot, placed, rules), on="person")
    )
    seekers = (
        _find_seekers(snapshot, policy, model, horizon)
        .join(staying.select("person"), on="person", how="semi")
        .join(placed, on="person")
    )
    offers, seekers = _number_pairing_cells(offers, seekers)
    return PairingOptions(offers, seekers, model, horizon)


def _find_carriers(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """person: high-skilled people of whom an apprentice who begins now would be driven.

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
    """person, chance, flat: who waits for a promotion, and whom neither a chain nor a mentor has.

    From the link's start on they wait anew, as those do whom a mentorship has just reached.
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
    linked = found.with_columns(
        channel_code=pl.lit(RISING_CHANNELS.index("mentorship"), pl.Int8),
        duration=pl.lit(0, pl.Int32),
    )
    flat = model.number_cells(linked)
    used, column = np.unique(flat, return_inverse=True)
    chances = model.compute_cell_chances([horizon])[0][:, used].T
    mean = model.follow_ratio(chances, horizon).mean(axis=1) if len(used) else np.zeros(0)
    return found.select("person").with_columns(
        chance=pl.Series(mean[column], dtype=pl.Float64), flat=pl.Series(flat)
    )


def _list_pairing_places(snapshot: Snapshot, rules: PairingRules) -> pl.DataFrame:
    """person, family, place; of those of whom both are known."""
    code = pl.col("occupation_code").cast(pl.String)
    place = pl.col("province" if rules.place == "province" else "enterprise_id").cast(pl.String)
    people = snapshot.frames["people"]
    if rules.province is not None:
        people = people.filter(pl.col("province") == rules.province)
    return (
        people.select("person", family=_cut_family(code, rules), place=place).drop_nulls().collect()
    )


def _cut_family(code: pl.Expr, rules: PairingRules) -> pl.Expr:
    grouped = rules.family == "occupation_group"
    return code.str.slice(0, OCCUPATION_GROUP_CHARACTERS) if grouped else code


def _add_practices(snapshot: Snapshot, placed: pl.DataFrame, rules: PairingRules) -> pl.DataFrame:
    """The places of mentors, and those of the occupations that they practise besides."""
    if "practices" not in snapshot.frames:
        return placed
    code = pl.col("occupation_code").cast(pl.String)
    besides = snapshot.frames["practices"].select("person", family=_cut_family(code, rules))
    more = besides.drop_nulls().collect().join(placed.select("person", "place"), on="person")
    return pl.concat([placed, more]).unique(maintain_order=True)


def _number_pairing_cells(
    offers: pl.DataFrame, seekers: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both with `cell` in the place of family and place; those without a counterpart drop out."""
    keys = ["family", "place"]
    cells = seekers.select(keys).unique().sort(keys).with_row_index("cell")
    mine = offers.join(cells, on=keys)
    theirs = seekers.join(cells, on=keys).join(mine.select("cell").unique(), on="cell", how="semi")
    return mine.drop(keys), theirs.drop(keys)


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
            _cut_family(pl.col("occupation_code").cast(pl.String), rules).alias("family"),
            "occupation_code",
            "province",
            "enterprise_id",
            pl.lit(policy.as_of).alias("start"),
        )
        .collect()
    )


def _draw_interval(options: PairingOptions, numbers: pl.DataFrame, seed: int) -> tuple[int, int]:
    """The 80 % interval of how many of the links' apprentices rise."""
    if numbers.is_empty():
        return 0, 0
    random = np.random.default_rng([seed, 5])
    records = options.offers.select(mentor="person", record="record").unique("mentor")
    linked = numbers.join(records, on="mentor").join(
        options.seekers.select(apprentice="person", flat="flat"), on="apprentice"
    )
    groups = linked.group_by("flat", "record").agg(n=pl.len()).sort("flat", "record")
    base = options.model.compute_cell_chances([options.horizon])[0][:, groups["flat"].to_numpy()].T
    totals = np.zeros(DRAWS)
    for part in np.array_split(np.arange(groups.height), 1 + groups.height // 2_000):
        rising = options.model.follow_ratio(base[part], options.horizon)
        power = groups["record"].to_numpy()[part, None]
        chance = 1.0 - (1.0 - rising) ** power
        totals += random.binomial(groups["n"].to_numpy()[part, None], chance).sum(axis=0)
    low, high = np.quantile(totals, (0.1, 0.9)).round()
    return int(low), int(high)
