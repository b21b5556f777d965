"""How many new high-skilled workers each leading talent drives.

The definitions are in docs/metrics.md (`Policy` holds every rule of them). The engine is rounds of
one join: from the people each talent reaches in g hops, with the earliest day on which a chain can
have arrived there, to those it reaches in g + 1. The earliest arrival of a round is enough, for it
is the best one both for the next hop (an edge must not start before it) and for an event (which
must not come before it). Chains of mentorships alone and of studios alone are carried in two
further columns of the same rounds, so that the channels cost no walk of their own. Where the policy
leaves nothing to tell chains apart by (one channel, dates ignored) the pairs alone are carried.

Everything here is a narwhals expression, so that it runs on each engine of `graph.engines` alike;
what comes out (see `TABLES`) is kept as Parquet by `graph.results` and read by `Driven`.

Tables the engine takes (see `graph.snapshot` for how they come about):

- edges: mentor, apprentice (int), start (date, null = not known), channel
- promotions: person (int), day (date), level, before (the best level until then, 0 = none)
- talents: person (int), one row or more a leading talent
- people: person, person_id, name and the attributes by which figures are broken down
- enterprises: enterprise_id, industry, ownership
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

import narwhals as nw
import polars as pl

from graph.engines import IN_MEMORY, Engine, Frame
from graph.metrics import Labels
from graph.policy import CHANNELS, Policy
from graph.snapshot import Snapshot

# The start of what has always been there: an undated edge that is included, a talent's own place.
ALWAYS: Final = date(1700, 1, 1)
ARRIVALS: Final = ("arrival", *CHANNELS)
KINDS_OF_CHAIN: Final = ("mentorship_only", "studio_only", "both", "mixed")
CREDITS: Final = ("equal", "nearest", "decay")
# Columns `Driven.table` always has for the generations, as those who script against it expect.
LEAST_GENERATIONS: Final = 3
# Lists of fewer rows look their people up one by one, not by reading everyone.
FEW: Final = 100_000
# More than there are people: keeps two numbers apart in one.
APART: Final = 2**40
# A talent's and a person's row number (Int32) as one: a single key is joined and grouped quicker.
ROWS_APART: Final = 2**32
PAIR: Final = (nw.col("person").cast(nw.Int64) * ROWS_APART + nw.col("talent")).alias("pair")
# From so many generations on it pays to follow only the arrivals that improve on shorter chains.
LONG_WALK: Final = 4
# The tables of the snapshot that are needed, and those that come out.
NEEDED: Final = ("edges", "promotions", "talents", "people", "enterprises")
TABLES: Final = ("events", "pairs", "promotions", "waiting", "breakdowns")
# What the figures are broken down by: of the worker and the talent, and of the talent alone.
OF_PEOPLE: Final = ("province", "occupation_code", "type")
OF_EMPLOYERS: Final = ("industry", "ownership")
OF_TALENTS: Final = ("basis", "year")

# Lines of the reconciliation of person-times, in the words of the definition.
LEDGER: Final = {
    "first_promotions": "first promotions of driven persons",
    "further_promotions": "further promotions of driven persons",
    "high_skilled_before": "promotions of people who were high-skilled before the window",
    "later_promotions": "later promotions of new people whose first one no chain reached",
}

COLUMNS: Final[Labels] = {
    "talent_id": ("leading talent", "领军人才编号"),
    "name": ("name", "姓名"),
    "driven": ("driven", "带动人数"),
    "person_times": ("person-times", "带动人次"),
    "g1": ("generation 1", "第一代"),
    "g2": ("generation 2", "第二代"),
    "g3": ("generation 3", "第三代"),
    "pending": ("pending", "待晋升人数"),
    "equal": ("shared equally", "均分人数"),
    "nearest": ("credit to the nearest", "就近归属人数"),
    "decay": ("credit by generation", "逐代递减人数"),
}


# --- the rounds -------------------------------------------------------------------------------


def carried(policy: Policy) -> tuple[str, ...]:
    """The arrivals by which the policy's chains differ; none where every chain counts alike."""
    if policy.channels == CHANNELS:
        return ARRIVALS
    return ARRIVALS[:1] if policy.ordered else ()


def usable_edges(edges: Frame, policy: Policy) -> Frame:
    """The edges the policy lets chains take: mentor, apprentice, start (never null), by_studio."""
    start = nw.col("start")
    usable = edges.filter(
        nw.col("channel").is_in(list(policy.channels)), nw.col("mentor") != nw.col("apprentice")
    )
    if policy.undated == "exclude":
        usable = usable.filter(~start.is_null())
    always = nw.lit(ALWAYS, nw.Date)
    known = nw.when(start.is_null()).then(always).otherwise(start)
    return usable.select(
        "mentor",
        "apprentice",
        start=known if policy.ordered else always,
        by_studio=nw.col("channel") == "studio",
    )


def first_frontier(talents: Frame, arrivals: Sequence[str], engine: Engine = IN_MEMORY) -> Frame:
    """Each talent where it stands, before everything: talent, person and these arrivals."""
    always = nw.lit(ALWAYS, nw.Date)
    homes = each_once(talents.select("person", talent=nw.col("person")), (), engine)
    return homes.select("talent", "person", **dict.fromkeys(arrivals, always))


def next_frontier(
    frontier: Frame, edges: Frame, arrivals: Sequence[str], engine: Engine = IN_MEMORY
) -> Frame:
    """One hop on: talent, person, and the earliest of these arrivals, each of its kind of chain.

    A null arrival means that no chain of that kind arrives.
    """
    start, by_studio = nw.col("start"), nw.col("by_studio")
    steps = frontier.join(edges, left_on="person", right_on="mentor", how="inner").filter(
        nw.col("apprentice") != nw.col("talent")
    )
    if arrivals:
        steps = steps.filter(start >= _earliest(arrivals))
    arriving = {
        "arrival": start >= nw.col("arrival"),
        "mentorship": ~by_studio & (start >= nw.col("mentorship")),
        "studio": by_studio & (start >= nw.col("studio")),
    }
    on = {column: nw.when(arriving[column]).then(start) for column in arrivals}
    return each_once(steps.select("talent", person=nw.col("apprentice"), **on), arrivals, engine)


def each_once(pairs: Frame, least: Sequence[str], engine: Engine) -> Frame:
    """The (talent, person) pairs, each once, with the least that each of the columns has for it.

    With arrivals beside it by hashing, else in order, which is quicker for so little, and what
    joins the persons after that can merge where the engine does.
    """
    pair, packed = nw.col("pair"), pairs.select(PAIR, *least)
    hashed = not set(least).isdisjoint(ARRIVALS)
    if not hashed:
        packed = engine.in_order(packed, "pair")
    found = (
        packed.group_by("pair").agg(*(nw.col(column).min() for column in least))
        if least
        else packed.unique()
    )
    unpacked = found.select(
        (pair % ROWS_APART).cast(nw.Int32).alias("talent"),
        (pair // ROWS_APART).cast(nw.Int32).alias("person"),
        *least,
    )
    return unpacked if hashed else engine.in_order(unpacked, "person")


def improved(frontier: Frame, best: Frame, arrivals: Sequence[str]) -> Frame:
    """What of the frontier is earlier than the best so far; an arrival that is not becomes null.

    Only this can lead anywhere new, so a walk with no limit goes on from it alone and ends.
    """
    frontier, best = frontier.with_columns(PAIR), best.select(PAIR, *arrivals)
    if not arrivals:
        return frontier.join(best, on="pair", how="anti").drop("pair")
    compared = frontier.join(best, on="pair", how="left", suffix="_best")
    earlier = {
        column: nw.when(
            nw.col(f"{column}_best").is_null() | (nw.col(column) < nw.col(f"{column}_best"))
        ).then(nw.col(column))
        for column in arrivals
    }
    kept = compared.select("talent", "person", **earlier)
    return kept.filter(~_earliest(arrivals).is_null())


def reach(edges: Frame, talents: Frame, policy: Policy, engine: Engine = IN_MEMORY) -> Frame:
    """Everyone the talents' chains arrive at: talent, person, generation and the arrivals.

    One row a (talent, person, generation), with the earliest arrivals of chains of that many
    hops; from `LONG_WALK` generations on, only rows that arrive earlier than a shorter chain.
    Under one channel the arrival alone; where its dates are ignored too (see `carried`), one row a
    (talent, person), of the fewest generations. Raises `UsageError` when the next round would not
    fit.
    """
    arrivals = carried(policy)
    edges = engine.keep(engine.in_order(usable_edges(edges, policy), "mentor"))
    ways_on = engine.keep(engine.in_order(edges.group_by("mentor").agg(ways=nw.len()), "mentor"))
    long = policy.generations is None or policy.generations >= LONG_WALK
    frontier = engine.keep(first_frontier(talents, arrivals, engine))
    best: Frame | None = None
    rounds: list[Frame] = []
    while policy.generations is None or len(rounds) < policy.generations:
        engine.refuse_what_cannot_fit(_steps(frontier, ways_on), len(rounds) + 1)
        frontier = next_frontier(frontier, edges, arrivals, engine)
        if best is not None:
            frontier = improved(frontier, best, arrivals)
        frontier = engine.keep(frontier)
        if best is not None and _rows(frontier) == 0:
            break
        rounds.append(frontier.with_columns(generation=nw.lit(len(rounds) + 1, nw.Int16)))
        if long:
            best = engine.keep(
                frontier
                if best is None
                else each_once(nw.concat([best, frontier]), arrivals, engine)
            )
    reached = nw.concat(rounds)
    return reached if arrivals else engine.keep(fewest(reached, engine))


def fewest(reached: Frame, engine: Engine = IN_MEMORY) -> Frame:
    """Of a reach whose chains all count alike, each (talent, person) once: as `reach` has them."""
    always = nw.lit(ALWAYS, nw.Date)
    return each_once(reached, ["generation"], engine).with_columns(arrival=always)


def _earliest(arrivals: Sequence[str]) -> nw.Expr:
    """The earliest of the arrivals; one alone is it (Spark's least takes two or more)."""
    columns = [nw.col(column) for column in arrivals]
    return nw.min_horizontal(*columns) if len(columns) > 1 else columns[0]


def _steps(frontier: Frame, ways_on: Frame) -> int:
    steps = frontier.join(ways_on, left_on="person", right_on="mentor", how="inner")
    return int(_item(steps.select(nw.col("ways").sum())) or 0)


def _rows(frame: Frame) -> int:
    return int(_item(frame.select(nw.len())))


def _item(frame: Frame) -> Any:
    return in_memory(frame).item(0, 0)


def in_memory(frame: Frame) -> pl.DataFrame:
    """The frame's rows as polars holds them, from any engine."""
    found: pl.DataFrame = frame.collect("polars").to_native()
    return found


# --- what the chains count for ----------------------------------------------------------------


def events(reached: Frame, promotions: Frame, policy: Policy, engine: Engine = IN_MEMORY) -> Frame:
    """The promotions that chains count for: one row a (talent, person, day).

    generation is the fewest hops of a chain that counts for it; by_mentorship and by_studio tell
    whether a chain of that channel alone counts; first whether it made the person high-skilled.
    """
    day, level = nw.col("day"), policy.high_skilled_level
    inside = promotions.filter(
        nw.col("level") >= level, day >= policy.window_start, day <= policy.window_end
    ).select("person", "day", first=nw.col("before") < level)
    counting = reached.join(engine.in_order(inside, "person"), on="person", how="inner")
    of_promotion, arrivals = ("talent", "person", "day", "first"), carried(policy)
    alone = {f"by_{channel}": _alone(channel, policy) for channel in CHANNELS}
    if not arrivals:
        # Every chain counts, and the reach has each pair once: so is each promotion of it here.
        return counting.select(*of_promotion, "generation", **alone)
    generation = nw.when(nw.col("arrival") <= day).then(nw.col("generation"))
    return (
        counting.filter(_earliest(arrivals) <= day)
        .select(*of_promotion, generation=generation, **alone)
        .group_by(*of_promotion)
        .agg(nw.col("generation").min(), *(nw.col(kind).max() for kind in alone))
    )


def _alone(channel: str, policy: Policy) -> nw.Expr:
    """1 where a chain of the channel alone arrives by the day, else 0."""
    if policy.channels == CHANNELS:
        arrives = nw.col(channel) <= nw.col("day")
        return nw.when(arrives).then(nw.lit(1, nw.Int8)).otherwise(nw.lit(0, nw.Int8))
    return nw.lit(int(channel in policy.channels), nw.Int8)


def pending(reached: Frame, promotions: Frame, policy: Policy, engine: Engine = IN_MEMORY) -> Frame:
    """The (talent, person) pairs that wait on the as-of day: reached, not high-skilled by then."""
    level = policy.high_skilled_level
    skilled = promotions.filter(
        nw.col("level") >= level, nw.col("before") < level, nw.col("day") <= policy.as_of
    ).select("person")
    arrived = reached.filter(nw.col("arrival") <= policy.as_of) if policy.ordered else reached
    waiting = arrived.select("talent", "person").join(skilled, on="person", how="anti")
    return each_once(waiting, (), engine) if carried(policy) else waiting


def credited(counted: Frame) -> Frame:
    """The driven pairs of `events`, each with its share of the worker's credit.

    equal is 1/|T(w)|, the Shapley value of the coverage game; nearest shares one among the talents
    of the smallest generation; decay shares it in proportion to 0.5^generation.
    """
    first = counted.filter(nw.col("first")).drop("first")
    generation, number = nw.col("generation").cast(nw.Int64), nw.col("number")
    by_generation = first.group_by("person", "generation").agg(number=nw.len().cast(nw.Int64))
    shared = by_generation.group_by("person").agg(
        talents=number.sum(),
        weights=(number * nw.lit(0.5) ** generation).sum(),
        # The smallest generation and how many are of it, as one number.
        nearest=(generation * APART + number).min(),
    )
    is_closest = nw.col("generation") == nw.col("nearest") // APART
    return first.join(shared, on="person", how="inner").select(
        "talent", "person", "day", "generation", "by_mentorship", "by_studio",
        equal=1.0 / nw.col("talents"),
        nearest=nw.when(is_closest).then(1.0 / (nw.col("nearest") % APART)).otherwise(nw.lit(0.0)),
        decay=nw.lit(0.5) ** generation / nw.col("weights"),
    )  # fmt: skip


def national_promotions(counted: Frame, promotions: Frame, policy: Policy) -> Frame:
    """The promotions that any talent's chain counts for, once each.

    One row a (person, day): generation (the fewest hops from any talent), by_mentorship,
    by_studio, and ledger: the place in `LEDGER` of the line of the reconciliation it stands in.
    """
    once = counted.group_by("person", "day", "first").agg(
        nw.col("generation").min(), nw.col("by_mentorship").max(), nw.col("by_studio").max()
    )
    level = policy.high_skilled_level
    high_since = promotions.filter(nw.col("level") >= level, nw.col("before") < level).select(
        "person", high_since=nw.col("day")
    )
    driven = once.filter(nw.col("first")).select("person", driven=nw.lit(True))
    code = {line: nw.lit(place, nw.Int8) for place, line in enumerate(LEDGER)}
    line = (
        nw.when(nw.col("first")).then(code["first_promotions"])
        .when(nw.col("high_since") < policy.window_start).then(code["high_skilled_before"])
        .when(nw.col("driven")).then(code["further_promotions"])
        .otherwise(code["later_promotions"])
    )  # fmt: skip
    return (
        once.join(high_since, on="person", how="inner")
        .join(driven, on="person", how="left")
        .select("person", "day", "generation", "by_mentorship", "by_studio", ledger=line)
    )


# --- broken down ------------------------------------------------------------------------------


def attributes(people: Frame, enterprises: Frame | None) -> Frame:
    """By what people's figures are broken down: person, and those attributes that are stated."""
    names = people.collect_schema().names()
    known = [name for name in OF_PEOPLE if name in names]
    if enterprises is None or "enterprise_id" not in names:
        return people.select("person", *known)
    employers = enterprises.select("enterprise_id", *OF_EMPLOYERS)
    placed = people.select("person", "enterprise_id", *known)
    return placed.join(employers, on="enterprise_id", how="left").drop("enterprise_id")


def first_naming(talents: Frame) -> Frame | None:
    """Each talent by the first day it was named: person, basis, year; None where none is stated.

    Of several bases on that day the first by name stands.
    """
    if "basis" not in talents.collect_schema().names():
        return None
    day = nw.col("recognised_on")
    first = talents.group_by("person").agg(named=day.min())
    named = talents.join(first, on="person", how="inner").filter(day == nw.col("named"))
    return named.group_by("person", "named").agg(nw.col("basis").cast(nw.String).min()).select(
        "person", "basis", year=nw.col("named").dt.year().cast(nw.String)
    )  # fmt: skip


def by_place_of_worker(workers: Frame, attribute: str) -> pl.DataFrame:
    """Both ledgers and their lines by an attribute of the workers: value and the counts."""
    lines = workers.group_by(attribute, "ledger").agg(n=nw.len())
    return _ledgers(in_memory(lines), attribute)


def _ledgers(lines: pl.DataFrame, attribute: str) -> pl.DataFrame:
    """Both ledgers by value from counts (`n`) by value and line, sorted by value."""
    of_line = {
        line: pl.col("n").filter(pl.col("ledger") == place).sum().cast(pl.Int64)
        for place, line in enumerate(LEDGER)
    }
    return (
        lines.group_by(attribute)
        .agg(
            of_line["first_promotions"].alias("driven_persons"),
            pl.col("n").sum().cast(pl.Int64).alias("driven_person_times"),
            **of_line,
        )
        .sort(attribute)
    )


def of_talents(rows: pl.DataFrame, placed: pl.DataFrame, attribute: str) -> pl.DataFrame:
    """The talents' own figures by an attribute of theirs; each adds up to the nation's."""
    summed = ("driven", *CREDITS, "pending")
    found = rows.join(placed.select("person", attribute), on="person", how="left")
    return found.group_by(attribute).agg(
        pl.len().cast(pl.Int64).alias("leading_talents"), pl.col(summed).sum()
    ).rename({"driven": "sum_over_talents"})  # fmt: skip


def together(pairs: Frame, named: Frame, attribute: str) -> pl.DataFrame:
    """How many persons the talents of each value drive together, each person once a value.

    One whom talents of two values drive stands under both, so these do not add up.
    """
    both = pairs.select("talent", "person").join(
        named.select(attribute, talent="person"), on="talent", how="inner"
    )
    return in_memory(both.group_by(attribute).agg(driven_persons=nw.col("person").n_unique()))


def breakdowns(
    frames: Mapping[str, Frame], rows: pl.DataFrame, pairs: Frame, promoted: Frame, engine: Engine
) -> pl.DataFrame:
    """Every breakdown in one table: attribute, value (null = not stated) and the figures.

    By `OF_PEOPLE` and `OF_EMPLOYERS`: both ledgers and their lines by where the worker is, and the
    talents' own figures by where the talent is. By `OF_TALENTS`: the talents' own figures, and
    driven_persons as in `together`.
    """
    placed = attributes(frames["people"], frames.get("enterprises"))
    chosen = frames["talents"].select("person").unique().join(placed, on="person", how="inner")
    chosen_rows = in_memory(chosen)
    workers = promoted.select("person", "ledger").join(placed, on="person", how="inner")
    workers = engine.keep(workers.drop("person"))
    parts = [
        by_place_of_worker(workers, attribute)
        .join(of_talents(rows, chosen_rows, attribute), on=attribute, how="full", coalesce=True,
              nulls_equal=True)
        .with_columns(pl.exclude(attribute).fill_null(0))
        .pipe(_as_part, attribute)
        for attribute in chosen_rows.columns[1:]
    ]  # fmt: skip
    named = first_naming(frames["talents"])
    if named is not None:
        named_rows = in_memory(named)
        parts += [
            of_talents(rows, named_rows, attribute)
            .join(together(pairs, named, attribute), on=attribute, how="left", nulls_equal=True)
            .with_columns(pl.col("driven_persons").fill_null(0).cast(pl.Int64))
            .pipe(_as_part, attribute)
            for attribute in OF_TALENTS
        ]
    return pl.concat(parts, how="diagonal_relaxed")


def _as_part(found: pl.DataFrame, attribute: str) -> pl.DataFrame:
    value = pl.col(attribute).cast(pl.String).alias("value")
    return found.sort(attribute).select(
        pl.lit(attribute).alias("attribute"), value, pl.exclude(attribute)
    )


# --- the figures ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Driven:
    """What `measure` found, under one policy at one revision of the graph.

    - talents: one row a leading talent, sorted by talent_id: talent_id, name, driven,
      person_times, g1, g2, g3[, ...], pending, equal, nearest, decay, and driven by channel:
      mentorship_only, studio_only, both, mixed (these four add up to driven); and person, the
      row number in `people`
    - national: leading_talents, driven_persons, driven_person_times, sum_over_talents
    - lines: person-times by line of the reconciliation, see `LEDGER`
    - tables: what the engine wrote, see `TABLES`, as lazy frames
    - people: the snapshot's
    - ids: person_id of row numbers, where the snapshot can look a few up; None = read everyone
    """

    policy: Policy
    revision: int
    talents: pl.DataFrame
    national: dict[str, int]
    lines: dict[str, int]
    tables: Mapping[str, pl.LazyFrame]
    people: pl.LazyFrame
    ids: Callable[[pl.Series], pl.Series] | None = None

    @property
    def pairs(self) -> pl.LazyFrame:
        """One row a (talent, driven person), both as row numbers of `people`.

        generation, channel (see `KINDS_OF_CHAIN`), day (of the first promotion), equal, nearest,
        decay.
        """
        return self.tables["pairs"].select(
            "talent", "person", "generation", _channel(), "day", *CREDITS
        )

    @property
    def promotions(self) -> pl.LazyFrame:
        """One row a (person, day) that any chain counts for.

        generation (the fewest hops from any talent), channel (over all talents), and ledger, the
        line of the reconciliation it stands in.
        """
        ledger = pl.col("ledger").replace_strict(
            dict(enumerate(LEDGER)), return_dtype=pl.Enum(list(LEDGER))
        )
        return self.tables["promotions"].select("person", "day", "generation", _channel(), ledger)

    @property
    def waiting(self) -> pl.LazyFrame:
        """One row a (talent, person) that is pending."""
        return self.tables["waiting"]

    def table(self) -> pl.DataFrame:
        """The columns of `shicheng driven`, credits rounded to six places."""
        return self.talents.drop(KINDS_OF_CHAIN, "person").with_columns(pl.col(CREDITS).round(6))

    @cached_property
    def workers(self) -> pl.DataFrame:
        """`pairs` with the people's ids: talent_id, person_id and the rest, sorted by both."""
        return self._named(self.pairs)

    def workers_of(self, *talent_ids: str) -> pl.DataFrame:
        """The driven workers of these talents, as in `workers`; empty for one who drives none."""
        return self._named(self._of(self.pairs, talent_ids))

    def waiting_of(self, *talent_ids: str) -> pl.DataFrame:
        """The persons pending for these talents: talent_id, person_id."""
        return self._named(self._of(self.waiting, talent_ids))

    def union(self, talent_ids: Iterable[str]) -> int:
        """How many persons these talents drive together, each counted once."""
        persons = self._of(self.pairs, talent_ids).select(pl.col("person").n_unique())
        return int(persons.collect().item())

    def reconciliation(self) -> dict[str, int]:
        """The lines that add up from driven persons to person-times, nationally."""
        return dict(self.lines)

    def by_generation_and_channel(self) -> pl.DataFrame:
        """Both ledgers by generation (from the nearest talent) and channel (over all talents)."""
        found = (
            self.tables["promotions"].group_by("generation", _channel(), "ledger").agg(n=pl.len())
        )
        both = pl.struct("generation", "channel").alias("part")
        return (
            _ledgers(found.select(both, "ledger", "n").collect(), "part")
            .unnest("part").sort("generation", "channel")
        )  # fmt: skip

    def by_quarter(self) -> pl.DataFrame:
        """Both ledgers by the quarter of the promotion: quarter (its first day)."""
        quarter = pl.col("day").dt.truncate("1q").alias("quarter")
        found = self.tables["promotions"].group_by(quarter, "ledger").agg(n=pl.len())
        return _ledgers(found.collect(), "quarter")

    def by(self, attribute: str) -> pl.DataFrame:
        """The figures by an attribute (`OF_PEOPLE`, `OF_EMPLOYERS`, `OF_TALENTS`).

        Persons and person-times stand where the worker is and add up to the nation's; in the same
        row stand the leading talents who are there: leading_talents, sum_over_talents, pending and
        the shared credits, which add up too. A null attribute is "not stated". By what talents
        alone have, driven_persons are those the row's talents drive together (see `together`).
        """
        part = self.tables["breakdowns"].filter(pl.col("attribute") == attribute)
        alone = ["driven_person_times", *LEDGER] if attribute in OF_TALENTS else []
        return part.drop("attribute", *alone).rename({"value": attribute}).collect()

    def _of(self, pairs: pl.LazyFrame, talent_ids: Iterable[str]) -> pl.LazyFrame:
        chosen = self.talents.filter(pl.col("talent_id").is_in(list(talent_ids)))
        return pairs.filter(pl.col("talent").is_in(chosen["person"].implode()))

    def _named(self, pairs: pl.LazyFrame) -> pl.DataFrame:
        found = pairs.collect()
        if self.ids is not None and found.height < FEW:
            named = found.with_columns(person_id=self.ids(found["person"]))
        else:
            people = self.people.select("person", "person_id").collect()
            named = found.join(people, on="person")
        first = ["talent_id", "person_id"]
        talents = self.talents.select("talent_id", talent="person")
        return (
            named.join(talents, on="talent")
            .drop("talent", "person")
            .select(*first, pl.exclude(first))
            .sort(first)
        )


def measure(snapshot: Snapshot, policy: Policy, engine: Engine = IN_MEMORY) -> Driven:
    """Every figure of the number, exactly, under the policy; in memory alone.

    `graph.results.measured` keeps them beside the snapshot. Raises `UsageError` when the policy
    asks for more than fits.
    """
    frames = opened(snapshot, engine)
    reached = reach(frames["edges"], frames["talents"], policy, engine)
    figures, tables = counted(frames, reached, policy, engine)
    held = {name: in_memory(table).lazy() for name, table in tables.items()}
    held["breakdowns"] = figures.breakdowns.lazy()
    people = snapshot.frames["people"]
    small = (figures.talents, figures.national, figures.lines)
    return Driven(policy, snapshot.revision, *small, held, people)


def opened(snapshot: Snapshot, engine: Engine) -> dict[str, Frame]:
    """The snapshot's tables that the engine needs."""
    needed = {name: snapshot.frames[name] for name in NEEDED if name in snapshot.frames}
    return engine.open(needed, None if snapshot.folder is None else str(snapshot.folder))


@dataclass(frozen=True)
class Figures:
    """The small results: as in `Driven`, and the breakdowns."""

    talents: pl.DataFrame
    national: dict[str, int]
    lines: dict[str, int]
    breakdowns: pl.DataFrame


def counted(
    frames: Mapping[str, Frame], reached: Frame, policy: Policy, engine: Engine
) -> tuple[Figures, dict[str, Frame]]:
    """What the reach counts for: the figures, and the large tables (`TABLES` but breakdowns)."""
    promotions = frames["promotions"]
    counting = engine.keep(events(reached, promotions, policy, engine))
    waiting = engine.keep(pending(reached, promotions, policy, engine))
    pairs = engine.keep(credited(counting))
    promoted = engine.keep(national_promotions(counting, promotions, policy))
    tables = {"events": counting, "pairs": pairs, "promotions": promoted, "waiting": waiting}
    return figures_of(frames, tables, policy, engine), tables


def figures_of(
    frames: Mapping[str, Frame], tables: Mapping[str, Frame], policy: Policy, engine: Engine
) -> Figures:
    """The small results from the large tables."""
    rows = talent_rows(frames, tables, policy)
    counts = in_memory(tables["promotions"].group_by("ledger").agg(n=nw.len()))
    of_line = dict(counts.select("ledger", "n").rows())
    lines = {line: of_line.get(place, 0) for place, line in enumerate(LEDGER)}
    national = {
        "leading_talents": rows.height,
        "driven_persons": lines["first_promotions"],
        "driven_person_times": sum(lines.values()),
        "sum_over_talents": int(rows["driven"].sum()),
    }
    parts = breakdowns(frames, rows, tables["pairs"], tables["promotions"], engine)
    return Figures(rows, national, lines, parts)


def talent_rows(
    frames: Mapping[str, Frame], tables: Mapping[str, Frame], policy: Policy
) -> pl.DataFrame:
    """One row a leading talent: see `Driven.talents`."""
    kinds = ("by_mentorship", "by_studio")
    parts = in_memory(
        tables["pairs"].group_by("talent", "generation", *kinds)
        .agg(driven=nw.len(), **{credit: nw.col(credit).sum() for credit in CREDITS})
    ).with_columns(_channel())  # fmt: skip
    last = policy.generations or int(parts["generation"].max() or 0)  # type: ignore[arg-type]
    generations = range(1, max(last, LEAST_GENERATIONS) + 1)
    n = pl.col("driven")
    driven = parts.group_by("talent").agg(
        n.sum(),
        *(n.filter(pl.col("generation") == g).sum().alias(f"g{g}") for g in generations),
        *(n.filter(pl.col("channel") == kind).sum().alias(kind) for kind in KINDS_OF_CHAIN),
        *(pl.col(credit).sum() for credit in CREDITS),
    )
    counts = ["driven", "person_times", *(f"g{g}" for g in generations), "pending"]
    people = frames["people"].select("person", "name", talent_id="person_id")
    talents = in_memory(frames["talents"].select("person").unique().join(people, on="person"))
    return (
        talents.join(driven, left_on="person", right_on="talent", how="left")
        .join(_number(tables["events"], "person_times"), on="person", how="left")
        .join(_number(tables["waiting"], "pending"), on="person", how="left")
        .select(
            "talent_id", "name", pl.col(counts).fill_null(0).cast(pl.Int64),
            pl.col(CREDITS).fill_null(0.0),
            pl.col(KINDS_OF_CHAIN).fill_null(0).cast(pl.Int64), "person",
        )
        .sort("talent_id")
    )  # fmt: skip


def _number(rows: Frame, name: str) -> pl.DataFrame:
    return in_memory(rows.group_by("talent").agg(n=nw.len())).select(
        pl.col("talent").alias("person"), pl.col("n").alias(name)
    )


def _channel() -> pl.Expr:
    by_mentorship, by_studio = pl.col("by_mentorship") == 1, pl.col("by_studio") == 1
    kind = (
        pl.when(by_mentorship & by_studio).then(pl.lit("both"))
        .when(by_mentorship).then(pl.lit("mentorship_only"))
        .when(by_studio).then(pl.lit("studio_only"))
        .otherwise(pl.lit("mixed"))
    )  # fmt: skip
    return kind.cast(pl.Enum(KINDS_OF_CHAIN)).alias("channel")
