"""How many new high-skilled workers each leading talent drives.

The definitions are in docs of the metric (`Policy` holds every rule of them). The engine is rounds
of one join: from the people each talent reaches in g hops, with the earliest day on which a chain
can have arrived there, to those it reaches in g + 1. The earliest arrival of a round is enough,
for it is the best one both for the next hop (an edge must not start before it) and for an event
(which must not come before it). Chains of mentorships alone and of studios alone are carried in
two further columns of the same rounds, so that the channels cost no walk of their own.

Tables the engine takes (see `graph.snapshot` for how they come about):

- edges: mentor, apprentice (int), start (date, null = not known), channel
- promotions: person (int), day (date), level, before (the best level until then, 0 = none)
- talents: person (int), one row or more a leading talent
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

import narwhals as nw
import polars as pl
import psutil

from graph.errors import UsageError
from graph.policy import Policy
from graph.snapshot import Snapshot

# The start of what has always been there: an undated edge that is included, a talent's own place.
ALWAYS: Final = date(1, 1, 1)
ARRIVALS: Final = ("arrival", "mentorship", "studio")
KINDS_OF_CHAIN: Final = ("mentorship_only", "studio_only", "both", "mixed")
CREDITS: Final = ("equal", "nearest", "decay")
# Columns `Driven.table` always has for the generations, as those who script against it expect.
LEAST_GENERATIONS: Final = 3
# From so many generations on it pays to follow only the arrivals that improve on shorter chains.
LONG_WALK: Final = 4
# What one step of a round takes while it is joined and grouped, rounded up.
BYTES_A_STEP: Final = 64


# --- the rounds -------------------------------------------------------------------------------


def usable_edges(edges: nw.LazyFrame[Any], policy: Policy) -> nw.LazyFrame[Any]:
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


def first_frontier(talents: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Each talent where it stands, before everything: talent, person and the three arrivals."""
    always = nw.lit(ALWAYS, nw.Date)
    return (
        talents.select(talent=nw.col("person"))
        .unique()
        .with_columns(person=nw.col("talent"), **dict.fromkeys(ARRIVALS, always))
    )


def next_frontier(frontier: nw.LazyFrame[Any], edges: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """One hop on: talent, person, and the earliest arrival of any chain and of the pure ones.

    A null arrival means that no chain of that kind arrives.
    """
    start, by_studio = nw.col("start"), nw.col("by_studio")
    steps = frontier.join(edges, left_on="person", right_on="mentor", how="inner").filter(
        start >= nw.min_horizontal(*ARRIVALS), nw.col("apprentice") != nw.col("talent")
    )
    return (
        steps.select(
            "talent",
            person=nw.col("apprentice"),
            arrival=nw.when(start >= nw.col("arrival")).then(start),
            mentorship=nw.when(~by_studio & (start >= nw.col("mentorship"))).then(start),
            studio=nw.when(by_studio & (start >= nw.col("studio"))).then(start),
        )
        .group_by("talent", "person")
        .agg(*(nw.col(column).min() for column in ARRIVALS))
    )


def improved(frontier: nw.LazyFrame[Any], best: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """What of the frontier is earlier than the best so far; an arrival that is not becomes null.

    Only this can lead anywhere new, so a walk with no limit goes on from it alone and ends.
    """
    compared = frontier.join(best, on=["talent", "person"], how="left", suffix="_best")
    earlier = {
        column: nw.when(
            nw.col(f"{column}_best").is_null() | (nw.col(column) < nw.col(f"{column}_best"))
        ).then(nw.col(column))
        for column in ARRIVALS
    }
    kept = compared.select("talent", "person", **earlier)
    return kept.filter(~nw.min_horizontal(*ARRIVALS).is_null())


def reach(
    edges: nw.LazyFrame[Any], talents: nw.LazyFrame[Any], policy: Policy
) -> nw.LazyFrame[Any]:
    """Everyone the talents' chains arrive at: talent, person, generation and the arrivals.

    One row a (talent, person, generation), with the earliest arrivals of chains of that many
    hops; from `LONG_WALK` generations on, only rows that arrive earlier than a shorter chain.
    Raises `UsageError` when the next round would not fit in memory.
    """
    edges = _kept(usable_edges(edges, policy))
    ways_on = _kept(edges.group_by("mentor").agg(ways=nw.len()))
    long = policy.generations is None or policy.generations >= LONG_WALK
    frontier = _kept(first_frontier(talents))
    best: nw.LazyFrame[Any] | None = None
    rounds: list[nw.LazyFrame[Any]] = []
    while policy.generations is None or len(rounds) < policy.generations:
        refuse_what_cannot_fit(_steps(frontier, ways_on), len(rounds) + 1)
        frontier = next_frontier(frontier, edges)
        if best is not None:
            frontier = improved(frontier, best)
        frontier = _kept(frontier)
        if best is not None and _rows(frontier) == 0:
            break
        rounds.append(frontier.with_columns(generation=nw.lit(len(rounds) + 1, nw.Int16)))
        if long:
            best = _kept(_earliest([frontier] if best is None else [best, frontier]))
    return nw.concat(rounds)


def refuse_what_cannot_fit(steps: int, generation: int) -> None:
    """Raises `UsageError` when so many steps of one round are more than the memory now free."""
    room = psutil.virtual_memory().available // BYTES_A_STEP
    if steps > room:
        raise UsageError(
            f"Generation {generation} takes {steps:,} steps, but the memory now free holds about "
            f"{room:,}; ask for at most {max(generation - 1, 1)} generations, "
            "or keep the order of dates."
        )


def _steps(frontier: nw.LazyFrame[Any], ways_on: nw.LazyFrame[Any]) -> int:
    steps = frontier.join(ways_on, left_on="person", right_on="mentor", how="inner")
    return int(steps.select(nw.col("ways").sum()).collect().item(0, 0) or 0)


def _earliest(frames: list[nw.LazyFrame[Any]]) -> nw.LazyFrame[Any]:
    pairs = nw.concat(frames).group_by("talent", "person")
    return pairs.agg(*(nw.col(column).min() for column in ARRIVALS))


def _kept(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    return frame.collect().lazy()


def _rows(frame: nw.LazyFrame[Any]) -> int:
    return int(frame.select(nw.len()).collect().item(0, 0))


# --- what the chains count for ----------------------------------------------------------------


def events(
    reached: nw.LazyFrame[Any], promotions: nw.LazyFrame[Any], policy: Policy
) -> nw.LazyFrame[Any]:
    """The promotions that chains count for: one row a (talent, person, day).

    generation is the fewest hops of a chain that counts for it; by_mentorship and by_studio tell
    whether a chain of that channel alone counts; first whether it made the person high-skilled;
    before whether the person was so before the window.
    """
    day, level = nw.col("day"), policy.high_skilled_level
    inside = promotions.filter(
        nw.col("level") >= level, day >= policy.window_start, day <= policy.window_end
    ).select("person", "day", first=nw.col("before") < level)
    counting = reached.join(inside, on="person", how="inner").filter(
        nw.min_horizontal(*ARRIVALS) <= day
    )
    return (
        counting.select(
            "talent", "person", "day", "first",
            generation=nw.when(nw.col("arrival") <= day).then(nw.col("generation")),
            by_mentorship=_at_all(nw.col("mentorship") <= day),
            by_studio=_at_all(nw.col("studio") <= day),
        )
        .group_by("talent", "person", "day", "first")
        .agg(nw.col("generation").min(), nw.col("by_mentorship").max(), nw.col("by_studio").max())
    )  # fmt: skip


def pending(
    reached: nw.LazyFrame[Any], promotions: nw.LazyFrame[Any], policy: Policy
) -> nw.LazyFrame[Any]:
    """The (talent, person) pairs that wait on the as-of day: reached, not high-skilled by then."""
    level = policy.high_skilled_level
    skilled = promotions.filter(
        nw.col("level") >= level, nw.col("before") < level, nw.col("day") <= policy.as_of
    ).select("person")
    arrived = reached.filter(nw.col("arrival") <= policy.as_of) if policy.ordered else reached
    return arrived.select("talent", "person").unique().join(skilled, on="person", how="anti")


def _at_all(condition: nw.Expr) -> nw.Expr:
    """1 where the condition holds, 0 where it does not or nothing arrives."""
    return nw.when(condition).then(nw.lit(1, nw.Int8)).otherwise(nw.lit(0, nw.Int8))


# --- the figures ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Driven:
    """What `measure` found, under one policy at one revision of the graph.

    - talents: one row a leading talent, sorted by talent_id: talent_id, name, driven,
      person_times, g1, g2, g3[, ...], pending, equal, nearest, decay, and driven by channel:
      mentorship_only, studio_only, both, mixed (these four add up to driven)
    - pairs: one row a (talent, driven person), both as row numbers of `people`: generation,
      channel, day (of the first promotion), equal, nearest, decay
    - promotions: one row a (person, day) that any chain counts for: generation (the fewest hops
      from any talent), channel, and ledger, the line of the reconciliation it stands in
    - national: leading_talents, driven_persons, driven_person_times, sum_over_talents
    - waiting: one row a (talent, person) that is pending
    """

    policy: Policy
    revision: int
    talents: pl.DataFrame
    pairs: pl.DataFrame
    promotions: pl.DataFrame
    waiting: pl.DataFrame
    national: dict[str, int]
    people: pl.LazyFrame

    def table(self) -> pl.DataFrame:
        """The columns of `shicheng driven`, credits rounded to six places."""
        return self.talents.drop(KINDS_OF_CHAIN).with_columns(pl.col(CREDITS).round(6))

    @cached_property
    def workers(self) -> pl.DataFrame:
        """`pairs` with the people's ids: talent_id, person_id and the rest, sorted by both."""
        return self._named(self.pairs)

    def workers_of(self, talent_id: str) -> pl.DataFrame:
        """The driven workers of one talent, as in `workers`; empty for one who drives none."""
        return self._named(self._pairs_of(self.pairs, talent_id))

    def waiting_of(self, talent_id: str) -> pl.DataFrame:
        """The persons pending for one talent: talent_id, person_id."""
        return self._named(self._pairs_of(self.waiting, talent_id))

    def reconciliation(self) -> dict[str, int]:
        """The lines that add up from driven persons to person-times, nationally."""
        return {line: int(self.promotions["ledger"].eq(line).sum()) for line in LEDGER}

    def by_generation_and_channel(self) -> pl.DataFrame:
        """Both ledgers by generation (from the nearest talent) and channel (over all talents)."""
        return _ledgers(self.promotions, ["generation", "channel"])

    def by_quarter(self) -> pl.DataFrame:
        """Both ledgers by the quarter of the promotion: quarter (its first day)."""
        quarter = pl.col("day").dt.truncate("1q").alias("quarter")
        return _ledgers(self.promotions.with_columns(quarter), ["quarter"])

    def by(self, attribute: str) -> pl.DataFrame:
        """Both ledgers by an attribute of people, as province, occupation_code or type.

        Persons and person-times stand where the worker is and add up to the nation's; in the same
        row stand the leading talents who are there: leading_talents, sum_over_talents and equal,
        their shared credit, which add up too. A null attribute is "not stated".
        """
        people = self.people.select("person", "person_id", attribute).collect()
        workers = self.promotions.join(people, on="person", how="left")
        talents = self.talents.join(people, left_on="talent_id", right_on="person_id", how="left")
        of_talents = talents.group_by(attribute).agg(
            pl.len().cast(pl.Int64).alias("leading_talents"),
            pl.col("driven").sum().alias("sum_over_talents"),
            pl.col("equal").sum(),
        )
        joined = _ledgers(workers, [attribute]).join(
            of_talents, on=attribute, how="full", coalesce=True, nulls_equal=True
        )
        return joined.with_columns(pl.exclude(attribute).fill_null(0)).sort(attribute)

    def _pairs_of(self, pairs: pl.DataFrame, talent_id: str) -> pl.DataFrame:
        chosen = self.people.filter(pl.col("person_id") == talent_id).select("person").collect()
        return pairs.filter(pl.col("talent").is_in(chosen["person"].implode()))

    def _named(self, pairs: pl.DataFrame) -> pl.DataFrame:
        ids = self.people.select("person", "person_id").collect()
        named = (
            pairs.join(ids.rename({"person": "talent", "person_id": "talent_id"}), on="talent")
            .join(ids, on="person")
            .drop("talent", "person")
        )
        first = ["talent_id", "person_id"]
        return named.select(*first, pl.exclude(first)).sort(first)


# Lines of the reconciliation of person-times, in the words of the definition.
LEDGER: Final = {
    "first_promotions": "first promotions of driven persons",
    "further_promotions": "further promotions of driven persons",
    "high_skilled_before": "promotions of people who were high-skilled before the window",
    "later_promotions": "later promotions of new people whose first one no chain reached",
}


def measure(snapshot: Snapshot, policy: Policy) -> Driven:
    """Every figure of the number, exactly, under the policy.

    Raises `UsageError` when the policy asks for more than fits in memory.
    """
    promotions, talents, people = (
        snapshot.frames[name] for name in ("promotions", "talents", "people")
    )
    reached = reach(nw.from_native(snapshot.frames["edges"]), nw.from_native(talents), policy)
    rises = nw.from_native(promotions)
    counted = events(reached, rises, policy).collect().to_native()
    waiting = pending(reached, rises, policy).collect().to_native()
    pairs = credited(counted)
    promoted = national_promotions(counted, promotions, policy)
    rows = talent_rows(talents, people, counted, pairs, waiting, policy)
    national = {
        "leading_talents": rows.height,
        "driven_persons": int(promoted["ledger"].eq("first_promotions").sum()),
        "driven_person_times": promoted.height,
        "sum_over_talents": pairs.height,
    }
    return Driven(policy, snapshot.revision, rows, pairs, promoted, waiting, national, people)


def credited(counted: pl.DataFrame) -> pl.DataFrame:
    """The driven pairs of `events`, each with its share of the worker's credit.

    equal is 1/|T(w)|, the Shapley value of the coverage game; nearest shares one among the talents
    of the smallest generation; decay shares it in proportion to 0.5^generation.
    """
    weight = pl.lit(0.5).pow(pl.col("generation"))
    nearest = pl.col("generation") == pl.col("generation").min().over("person")
    return (
        counted.lazy()
        .filter("first")
        .select(
            "talent", "person", "day", "generation", _channel(),
            (1 / pl.len().over("person")).alias("equal"),
            (nearest / nearest.sum().over("person")).alias("nearest"),
            (weight / weight.sum().over("person")).alias("decay"),
        )
        .collect()
    )  # fmt: skip


def national_promotions(
    counted: pl.DataFrame, promotions: pl.LazyFrame, policy: Policy
) -> pl.DataFrame:
    """The promotions that any talent's chain counts for, once each: see `Driven.promotions`."""
    once = (
        counted.lazy()
        .group_by("person", "day", "first")
        .agg(pl.col("generation").min(), pl.col("by_mentorship", "by_studio").max())
    )
    driven = once.filter("first").select("person", pl.lit(True).alias("driven"))
    level = policy.high_skilled_level
    earlier = promotions.filter(
        pl.col("level") >= level, pl.col("before") < level, pl.col("day") < policy.window_start
    ).select("person", pl.lit(True).alias("earlier"))
    line = (
        pl.when("first").then(pl.lit("first_promotions"))
        .when(pl.col("driven").fill_null(False)).then(pl.lit("further_promotions"))
        .when(pl.col("earlier").fill_null(False)).then(pl.lit("high_skilled_before"))
        .otherwise(pl.lit("later_promotions"))
    )  # fmt: skip
    return (
        once.join(driven, on="person", how="left")
        .join(earlier, on="person", how="left")
        .select(
            "person", "day", "generation", _channel(),
            line.cast(pl.Enum(list(LEDGER))).alias("ledger"),
        )
        .collect()
    )  # fmt: skip


def talent_rows(
    talents: pl.LazyFrame,
    people: pl.LazyFrame,
    counted: pl.DataFrame,
    pairs: pl.DataFrame,
    waiting: pl.DataFrame,
    policy: Policy,
) -> pl.DataFrame:
    """One row a leading talent: see `Driven.talents`."""
    last = policy.generations or int(pairs["generation"].max() or 0)  # type: ignore[arg-type]
    generations = range(1, max(last, LEAST_GENERATIONS) + 1)
    driven = pairs.group_by("talent").agg(
        pl.len().alias("driven"),
        *((pl.col("generation") == g).sum().alias(f"g{g}") for g in generations),
        *((pl.col("channel") == kind).sum().alias(kind) for kind in KINDS_OF_CHAIN),
        *(pl.col(credit).sum() for credit in CREDITS),
    )
    counts = ["driven", "person_times", *(f"g{g}" for g in generations), "pending"]
    return (
        talents.select(talent="person").unique()
        .join(people.select(talent="person", talent_id="person_id", name="name"), on="talent")
        .collect()
        .join(driven, on="talent", how="left")
        .join(_number(counted, "person_times"), on="talent", how="left")
        .join(_number(waiting, "pending"), on="talent", how="left")
        .select(
            "talent_id", "name", pl.col(counts).fill_null(0).cast(pl.Int64),
            pl.col(CREDITS).fill_null(0.0),
            pl.col(KINDS_OF_CHAIN).fill_null(0).cast(pl.Int64),
        )
        .sort("talent_id")
    )  # fmt: skip


def _number(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return rows.group_by("talent").agg(pl.len().alias(name))


def _channel() -> pl.Expr:
    by_mentorship, by_studio = pl.col("by_mentorship") == 1, pl.col("by_studio") == 1
    kind = (
        pl.when(by_mentorship & by_studio).then(pl.lit("both"))
        .when(by_mentorship).then(pl.lit("mentorship_only"))
        .when(by_studio).then(pl.lit("studio_only"))
        .otherwise(pl.lit("mixed"))
    )  # fmt: skip
    return kind.cast(pl.Enum(KINDS_OF_CHAIN)).alias("channel")


def _ledgers(promotions: pl.DataFrame, by: Iterable[str]) -> pl.DataFrame:
    """Both ledgers and their reconciliation by these columns, sorted by them."""
    lines = [(pl.col("ledger") == line).sum().cast(pl.Int64).alias(line) for line in LEDGER]
    return (
        promotions.group_by(by)
        .agg(
            (pl.col("ledger") == "first_promotions").sum().cast(pl.Int64).alias("driven_persons"),
            pl.len().cast(pl.Int64).alias("driven_person_times"),
            *lines,
        )
        .sort(by)
    )
