"""Reach: the rounds by which chains arrive at people, on any engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from graph.driven.engines import IN_MEMORY, Engine, Frame
from graph.driven.terms import (
    ALWAYS_DATE,
    ARRIVAL_COLUMNS,
    LONG_WALK_GENERATIONS,
    PAIR_KEY,
    PAIR_KEY_BASE,
)
from graph.policy import CHANNELS, Policy

# --- the rounds -------------------------------------------------------------------------------


def list_carried_arrivals(policy: Policy) -> tuple[str, ...]:
    """The arrivals by which the policy's chains differ; none where every chain counts alike."""
    if policy.channels == CHANNELS:
        return ARRIVAL_COLUMNS
    return ARRIVAL_COLUMNS[:1] if policy.ordered else ()


def filter_usable_edges(edges: Frame, policy: Policy) -> Frame:
    """The edges the policy lets chains take: mentor, apprentice, start (never null), by_studio."""
    start = nw.col("start")
    usable = edges.filter(
        nw.col("channel").is_in(list(policy.channels)), nw.col("mentor") != nw.col("apprentice")
    )
    if policy.undated == "exclude":
        usable = usable.filter(~start.is_null())
    always = nw.lit(ALWAYS_DATE, nw.Date)
    known = nw.when(start.is_null()).then(always).otherwise(start)
    return usable.select(
        "mentor",
        "apprentice",
        start=known if policy.ordered else always,
        by_studio=nw.col("channel") == "studio",
    )


def build_first_frontier(
    talents: Frame, arrivals: Sequence[str], engine: Engine = IN_MEMORY
) -> Frame:
    """The start of every walk, each talent at itself, always: talent, person, these arrivals."""
    always = nw.lit(ALWAYS_DATE, nw.Date)
    homes = deduplicate_pairs(talents.select("person", talent=nw.col("person")), (), engine)
    return homes.select("talent", "person", **dict.fromkeys(arrivals, always))


def compute_next_frontier(
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
        steps = steps.filter(start >= build_earliest_arrival(arrivals))
    arriving = {
        "arrival": start >= nw.col("arrival"),
        "mentorship": ~by_studio & (start >= nw.col("mentorship")),
        "studio": by_studio & (start >= nw.col("studio")),
    }
    on = {column: nw.when(arriving[column]).then(start) for column in arrivals}
    return deduplicate_pairs(
        steps.select("talent", person=nw.col("apprentice"), **on), arrivals, engine
    )


def deduplicate_pairs(pairs: Frame, least: Sequence[str], engine: Engine) -> Frame:
    """The (talent, person) pairs, each once, with the least that each of the columns has for it.

    With arrivals beside it by hashing, else in order, which is quicker for so little, and what
    joins the persons after that can merge where the engine does.
    """
    pair, packed = nw.col("pair"), pairs.select(PAIR_KEY, *least)
    hashed = not set(least).isdisjoint(ARRIVAL_COLUMNS)
    if not hashed:
        packed = engine.in_order(packed, "pair")
    found = (
        packed.group_by("pair").agg(*(nw.col(column).min() for column in least))
        if least
        else packed.unique()
    )
    unpacked = found.select(
        (pair % PAIR_KEY_BASE).cast(nw.Int32).alias("talent"),
        (pair // PAIR_KEY_BASE).cast(nw.Int32).alias("person"),
        *least,
    )
    return unpacked if hashed else engine.in_order(unpacked, "person")


def filter_improved_arrivals(frontier: Frame, best: Frame, arrivals: Sequence[str]) -> Frame:
    """What of the frontier is earlier than the best so far; an arrival that is not becomes null.

    Only this can lead anywhere new, so a walk with no limit goes on from it alone and ends.
    """
    frontier, best = frontier.with_columns(PAIR_KEY), best.select(PAIR_KEY, *arrivals)
    if not arrivals:
        return frontier.join(best, on="pair", how="anti").drop("pair")
    compared = frontier.join(best, on="pair", how="left", suffix="_best")
    earlier = {
        column: nw.when(
            nw.col(f"{column}_best").is_null() | (nw.col(column) < nw.col(f"{column}_best"))
        ).then(nw.col(column))
        for column in arrivals
    }
    improved = compared.select("talent", "person", **earlier)
    return improved.filter(~build_earliest_arrival(arrivals).is_null())


def compute_reach(
    edges: Frame, talents: Frame, policy: Policy, engine: Engine = IN_MEMORY
) -> Frame:
    """Everyone the talents' chains arrive at: talent, person, generation and the arrivals.

    One row a (talent, person, generation), with the earliest arrivals of chains of that many
    hops; from `LONG_WALK_GENERATIONS` generations on, only rows that arrive earlier than a shorter
    chain. Under one channel the arrival alone; where its dates are ignored too (see
    `list_carried_arrivals`), one row a (talent, person), of the fewest generations. Raises
    `UsageError` when the next round would not fit.
    """
    arrivals = list_carried_arrivals(policy)
    edges = engine.keep(engine.in_order(filter_usable_edges(edges, policy), "mentor"))
    ways_on = engine.keep(engine.in_order(edges.group_by("mentor").agg(ways=nw.len()), "mentor"))
    long = policy.generations is None or policy.generations >= LONG_WALK_GENERATIONS
    frontier = engine.keep(build_first_frontier(talents, arrivals, engine))
    best: Frame | None = None
    rounds: list[Frame] = []
    while policy.generations is None or len(rounds) < policy.generations:
        engine.refuse_what_cannot_fit(_count_next_steps(frontier, ways_on), len(rounds) + 1)
        frontier = compute_next_frontier(frontier, edges, arrivals, engine)
        if best is not None:
            frontier = filter_improved_arrivals(frontier, best, arrivals)
        frontier = engine.keep(frontier)
        if best is not None and _count_rows(frontier) == 0:
            break
        rounds.append(frontier.with_columns(generation=nw.lit(len(rounds) + 1, nw.Int16)))
        if long:
            best = engine.keep(
                frontier
                if best is None
                else deduplicate_pairs(nw.concat([best, frontier]), arrivals, engine)
            )
    reached = nw.concat(rounds)
    return reached if arrivals else engine.keep(take_fewest_generations(reached, engine))


def take_fewest_generations(reached: Frame, engine: Engine = IN_MEMORY) -> Frame:
    """Of a reach whose chains all count alike, each (talent, person) once: as `compute_reach` has
    them.
    """
    always = nw.lit(ALWAYS_DATE, nw.Date)
    return deduplicate_pairs(reached, ["generation"], engine).with_columns(arrival=always)


def build_earliest_arrival(arrivals: Sequence[str]) -> nw.Expr:
    """The earliest of the arrivals; one alone is it (Spark's least takes two or more)."""
    columns = [nw.col(column) for column in arrivals]
    return nw.min_horizontal(*columns) if len(columns) > 1 else columns[0]


def _count_next_steps(frontier: Frame, ways_on: Frame) -> int:
    steps = frontier.join(ways_on, left_on="person", right_on="mentor", how="inner")
    return int(_read_single_value(steps.select(nw.col("ways").sum())) or 0)


def _count_rows(frame: Frame) -> int:
    return int(_read_single_value(frame.select(nw.len())))


def _read_single_value(frame: Frame) -> Any:
    return collect_frame(frame).item(0, 0)


def collect_frame(frame: Frame) -> pl.DataFrame:
    """The frame's rows as polars holds them, from any engine."""
    found: pl.DataFrame = frame.collect("polars").to_native()
    return found
