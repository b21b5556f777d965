"""Driven workers who would lose every chain to every talent if this node left.

A node is a person, a studio, or a place: the enterprise (or school) where a mentorship takes place,
or that hosts a studio. With a person go all links from and to that person, also when the person is
a leading talent; with a studio the links that arise there; with a place the mentorships that take
place there and the links of the studios it hosts.

irreplaceable(x) = |{w driven, w <> x : every counting chain to w, from any talent, takes x}|

In a plain graph x would be a dominator of w under one source above all talents, and the tree of
Cooper, Harvey, Kennedy (A Simple, Fast Dominance Algorithm, 2001) would answer. Chains here obey
the order of dates and have at most G hops, so a static graph has paths that are no chains, and a
person is not one state but several: one for each number of hops and day of arrival. What is carried
here instead is, for each person u and number of hops g,

    f(u, g)    = the earliest day on which a chain of at most g hops arrives at u
    f(u, g, x) = the same among the chains that do not take x

The earliest arrival is the best both for the next hop and for the event, with or without x, so

    f(v, g, x) = min of start over links u -> v that are not x's and start >= f(u, g - 1, x)

and w is lost without x when no link into w starts on or before the event's day and not before
f(u, G - 1, x). All x need not be tried: f(v, g, x) = f(v, g) unless x lies on the one chain that
gave f(v, g), so a person has at most three exceptions a hop, and the rounds are joins on the
exceptions alone. Exact under every policy; with `generations=all` the rounds go on until nothing
changes. With the dates ignored and no limit the exceptions are the strict dominators.

The one chain that may not count for w is one that starts at w itself. It matters only for workers
who are talents: each has a copy of its own of what stands above it, in which it is no talent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl
import psutil

from graph.errors import UsageError
from graph.labels import MetricColumnLabels
from graph.policy import Policy
from graph.snapshot.edges import build_studio_ties, filter_studio_trainings
from graph.snapshot.frames import Snapshot

COLUMNS: Final[MetricColumnLabels] = {
    "kind": ("kind of node", "类别"),
    "id": ("id", "编号"),
    "name": ("name", "名称"),
    "irreplaceable": (
        "lost if this person or place leaves (persons)",
        "离任影响人数（人）",
    ),
    "irreplaceable_person_times": (
        "lost if this person or place leaves (person-times)",
        "离任影响人次（人次）",
    ),
}
IRREPLACEABLE_KINDS: Final = ("person", "studio", "enterprise", "school")
# Days are integers here: what has always been there, and what never comes.
ALWAYS_DAY_NUMBER: Final = -(2**31)
NEVER_DAY_NUMBER: Final = 2**31 - 1
# Which columns of a link name the nodes it goes with.
LINK_CARRIER_COLUMNS: Final = ("by", "studio", "place")
# What one row of a join takes while it is grouped, measured and rounded up.
JOIN_ROW_BYTES: Final = 100


def compute_irreplaceable(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """One row a node that some driven worker cannot do without, the most irreplaceable first.

    kind (person, studio, enterprise, school), id, name, irreplaceable (distinct driven workers)
    and irreplaceable_person_times. The person's own promotions are not counted against it.
    Raises `UsageError` when a round would not fit in memory.

    Ann taught Bo and Cy, and both taught Di, all at E1. Di can do without Bo or Cy, but not without
    Ann, the one talent, or E1:

    >>> from graph.metrics.examples import build_example_snapshot
    >>> from graph.policy import Policy
    >>> pairs = ["Ann Bo", "Ann Cy", "Bo Di", "Cy Di"]
    >>> taught = [
    ...     dict(mentor=pair.split()[0], apprentice=pair.split()[1], start="2020-01-01",
    ...          enterprise_id="E1") for pair in pairs]
    >>> snapshot = build_example_snapshot(
    ...     talents=[{"person": "Ann"}], mentorships=taught,
    ...     enterprises=[{"enterprise_id": "E1", "name": "Loom Works"}],
    ...     recognitions=[{"person": "Di", "level": 4, "date": "2025-01-01"}])
    >>> for row in compute_irreplaceable(snapshot, Policy()).rows():
    ...     print(*row)
    person Ann Ann 1 1
    enterprise E1 Loom Works 1 1
    """
    nodes = _build_node_table(snapshot)
    links = _build_carrier_links(snapshot, policy, nodes)
    talents = snapshot.frames["talents"].select(node=_cast_node_number("person")).unique().collect()
    events = _collect_counting_events(snapshot, policy)
    links, events = _add_worker_copies(links, talents, events, nodes.height, policy)
    arrivals = _walk_hop_rounds(links, talents, policy)
    lost = _count_lost_workers(links, events, arrivals)
    return _add_node_names(lost, nodes)


# --- nodes, links, events ---------------------------------------------------------------------


def _cast_node_number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int32)


def _build_node_table(snapshot: Snapshot) -> pl.DataFrame:
    """node, kind, id, name: people keep their numbers, the rest are numbered after them."""
    frames = snapshot.frames
    kinds = {
        "person": frames["people"].sort("person").select(id="person_id", name="name"),
        "studio": frames["studios"].select(id="studio_id", name="name"),
        "enterprise": frames["enterprises"].select(id="enterprise_id", name="name"),
        "school": frames["schools"].select(id="school_id", name="name"),
    }
    kind_of = pl.Enum(IRREPLACEABLE_KINDS)
    named = [frame.with_columns(kind=pl.lit(kind, kind_of)) for kind, frame in kinds.items()]
    number = pl.int_range(pl.len(), dtype=pl.Int32).alias("node")
    return pl.concat(named).select(number, "kind", "id", "name").collect()


def _build_carrier_links(snapshot: Snapshot, policy: Policy, nodes: pl.DataFrame) -> pl.DataFrame:
    """The influence edges with what carries them: mentor, apprentice, start, by, studio, place.

    One edge through two studios is two links here, for it stays when one of them goes.
    """
    frames = snapshot.under(policy).frames
    taught = frames["mentorships"].select(
        "mentor",
        "apprentice",
        "start",
        studio_id=pl.lit(None, pl.String),
        place_id="enterprise_id",
        channel=pl.lit("mentorship"),
    )
    hosts = frames["studios"].select("studio_id", place_id="host_id")
    trained = (
        build_studio_ties(frames["leads"], filter_studio_trainings(frames["trainings"]))
        .join(hosts, on="studio_id", how="left")
        .select("mentor", "apprentice", "start", "studio_id", "place_id", channel=pl.lit("studio"))
    )
    channels = {"mentorship": taught, "studio": trained}
    usable = pl.concat([channels[channel] for channel in policy.channels]).filter(
        pl.col("mentor") != pl.col("apprentice")
    )
    if policy.undated == "exclude":
        usable = usable.filter(pl.col("start").is_not_null())
    start = (
        pl.col("start").to_physical().fill_null(ALWAYS_DAY_NUMBER)
        if policy.ordered
        else pl.lit(ALWAYS_DAY_NUMBER)
    )
    studios = nodes.lazy().filter(pl.col("kind") == "studio")
    places = nodes.lazy().filter(pl.col("kind").is_in(["enterprise", "school"]))
    return (
        usable.join(studios.select(studio_id="id", studio="node"), on="studio_id", how="left")
        .join(
            places.select(place_id="id", place="node").unique("place_id", keep="first"),
            on="place_id",
            how="left",
        )
        .select(
            _cast_node_number("mentor"),
            _cast_node_number("apprentice"),
            start.cast(pl.Int32).alias("start"),
            _cast_node_number("mentor").alias("by"),
            "studio",
            "place",
        )
        .unique()
        .collect()
    )


def _collect_counting_events(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """The promotions that can count: event (its number), node, day, first (made high-skilled)."""
    level, day = policy.high_skilled_level, pl.col("day")
    last = day.to_physical() if policy.ordered else pl.lit(NEVER_DAY_NUMBER)
    return (
        snapshot.frames["promotions"]
        .filter(pl.col("level") >= level, day >= policy.window_start, day <= policy.window_end)
        .select(
            pl.int_range(pl.len(), dtype=pl.Int32).alias("event"),
            node=_cast_node_number("person"),
            day=last.cast(pl.Int32),
            first=pl.col("before") < level,
        )
        .collect()
    )


# --- workers who are talents ------------------------------------------------------------------


def _add_worker_copies(
    links: pl.DataFrame, talents: pl.DataFrame, events: pl.DataFrame, free: int, policy: Policy
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Links and events, with a copy of what stands above each worker who is a talent.

    A copy holds the worker and the persons between it and other talents, numbered from `free` on;
    the worker's events stand at the copy, which is no talent.
    """
    own = events.join(talents, on="node", how="semi").select(worker="node").unique()
    above = _find_links_above(links, talents, own, policy)
    between = above.select("worker", node="mentor").join(talents, on="node", how="anti")
    copied = pl.concat([own.select("worker", node="worker"), between])
    number = (free + pl.int_range(pl.len())).cast(pl.Int32)
    numbers = copied.unique().sort("worker", "node").with_columns(copy=number)
    copies = (
        above.join(numbers.rename({"node": "apprentice"}), on=["worker", "apprentice"])
        .with_columns(apprentice="copy")
        .drop("copy")
        .join(numbers.rename({"node": "mentor"}), on=["worker", "mentor"], how="left")
        .with_columns(mentor=pl.coalesce("copy", "mentor"))
        .select(links.columns)
    )
    stands = numbers.filter(pl.col("worker") == pl.col("node")).select("node", "copy")
    moved = events.join(stands, on="node", how="left")
    node = pl.coalesce("copy", "node")
    return pl.concat([links, copies]), moved.with_columns(node=node).drop("copy")


def _find_links_above(
    links: pl.DataFrame, talents: pl.DataFrame, own: pl.DataFrame, policy: Policy
) -> pl.DataFrame:
    """The links up to G hops above each worker, up to the first talent: worker and the link."""
    frontier = own.select("worker", node="worker")
    seen = frontier
    found = [links.clear().with_columns(worker="mentor")]
    ways_in = links.group_by("apprentice").agg(ways=pl.len())
    while frontier.height and (policy.generations is None or len(found) <= policy.generations):
        ways = frontier.join(ways_in, left_on="node", right_on="apprentice")["ways"].sum()
        _validate_free_memory(int(ways))
        up = frontier.join(links, left_on="node", right_on="apprentice").filter(
            pl.col("mentor") != pl.col("worker")
        )
        found.append(up.rename({"node": "apprentice"}).select(found[0].columns))
        frontier = (
            up.select("worker", node="mentor")
            .unique()
            .join(talents, on="node", how="anti")
            .join(seen, on=["worker", "node"], how="anti")
        )
        seen = pl.concat([seen, frontier])
    return pl.concat(found)


# --- the rounds -------------------------------------------------------------------------------


@dataclass(frozen=True)
class HopArrivals:
    """Where chains can have arrived after so many hops.

    earliest: node, arrival. without: node, x, arrival, a row where the earliest arrival without x
    is later than that, or NEVER.
    """

    earliest: pl.DataFrame
    without: pl.DataFrame

    def equals(self, other: HopArrivals) -> bool:
        return _is_same_frame(self.earliest, other.earliest, ["node"]) and _is_same_frame(
            self.without, other.without, ["node", "x"]
        )


def _is_same_frame(one: pl.DataFrame, other: pl.DataFrame, keys: list[str]) -> bool:
    return one.height == other.height and one.sort(keys).equals(other.sort(keys))


def _walk_hop_rounds(links: pl.DataFrame, talents: pl.DataFrame, policy: Policy) -> HopArrivals:
    """The arrivals after G - 1 hops at those who teach: the last hop is `_count_lost_workers`'s."""
    start = talents.with_columns(arrival=pl.lit(ALWAYS_DAY_NUMBER, pl.Int32))
    nobody = pl.DataFrame(schema={"node": pl.Int32, "x": pl.Int32, "arrival": pl.Int32})
    arrivals = HopArrivals(start, nobody)
    teachers = links.select(apprentice="mentor").unique()
    between = links.join(teachers, on="apprentice", how="semi").join(
        talents, left_on="apprentice", right_on="node", how="anti"
    )
    hops = 1
    while policy.generations is None or hops < policy.generations:
        _validate_free_memory(between.height + 3 * arrivals.without.height)
        after = _advance_hop_arrivals(between, arrivals)
        after = HopArrivals(pl.concat([start, after.earliest]), after.without)
        if after.equals(arrivals):
            break
        arrivals, hops = after, hops + 1
    return arrivals


def _advance_hop_arrivals(links: pl.DataFrame, arrivals: HopArrivals) -> HopArrivals:
    """One hop on, over all links that a chain can take."""
    start = pl.col("start")
    steps = (
        links.join(arrivals.earliest, left_on="mentor", right_on="node")
        .filter(start >= pl.col("arrival"))
        .drop("arrival")
    )
    chosen = _take_first_steps(steps)
    suspects = _find_suspects(chosen, arrivals.without)
    several = pl.col("ways") > 1
    spared = _find_spared_steps(suspects.filter(several), steps, arrivals.without)
    without = (
        suspects.join(spared, on=["apprentice", "x"], how="left")
        .with_columns(arrival=pl.col("arrival").fill_null(NEVER_DAY_NUMBER))
        .filter(pl.col("arrival") > start)
        .select("x", "arrival", node="apprentice")
        .select("node", "x", "arrival")
    )
    return HopArrivals(chosen.select(node="apprentice", arrival="start"), without)


def _take_first_steps(steps: pl.DataFrame) -> pl.DataFrame:
    """The earliest step to each apprentice, any of them where several are: `ways` in all."""
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    key = pl.col("start").cast(pl.Int64) * 2**32 + place
    first = (
        steps.lazy()
        .select("apprentice", key=key)
        .group_by("apprentice")
        .agg(pl.col("key").min(), ways=pl.len())
        .collect()
    )
    rows = first["key"].to_numpy() & 0xFFFFFFFF
    return steps[rows].with_columns(first["ways"])


def _find_suspects(chosen: pl.DataFrame, without: pl.DataFrame) -> pl.DataFrame:
    """The nodes without which the chosen step cannot be taken: apprentice, x, start, ways."""
    own = [
        chosen.lazy().select("apprentice", "start", "ways", x=carrier).drop_nulls("x")
        for carrier in LINK_CARRIER_COLUMNS
    ]
    earlier = (
        chosen.lazy()
        .join(without.lazy(), left_on="mentor", right_on="node")
        .filter(pl.col("arrival") > pl.col("start"))
        .select("apprentice", "start", "ways", "x")
    )
    return pl.concat([*own, earlier]).unique(["apprentice", "x"]).collect()


def _find_spared_steps(
    suspects: pl.DataFrame, steps: pl.DataFrame, without: pl.DataFrame
) -> pl.DataFrame:
    """The earliest step that does not need x, where there is one: apprentice, x, arrival."""
    x = pl.col("x")
    return (
        suspects.lazy()
        .select("apprentice", "x")
        .join(steps.lazy(), on="apprentice")
        .filter(*(x.ne_missing(pl.col(carrier)) for carrier in LINK_CARRIER_COLUMNS))
        .join(without.lazy(), left_on=["mentor", "x"], right_on=["node", "x"], how="left")
        .filter(pl.col("start") >= pl.col("arrival").fill_null(ALWAYS_DAY_NUMBER))
        .group_by("apprentice", "x")
        .agg(arrival=pl.col("start").min())
        .collect()
    )


def _validate_free_memory(rows: int) -> None:
    room = psutil.virtual_memory().available // JOIN_ROW_BYTES
    if rows > room:
        raise UsageError(
            "irreplaceable would hold {steps:,} steps at once under this policy, but the "
            "memory now free holds about {room:,}; ask for fewer generations, or keep the "
            "order of dates.",
            steps=rows,
            room=room,
        )


# --- what is lost -----------------------------------------------------------------------------


def _count_lost_workers(
    links: pl.DataFrame, events: pl.DataFrame, arrivals: HopArrivals
) -> pl.DataFrame:
    """node, irreplaceable, irreplaceable_person_times: the last hop goes to events, not people."""
    last = (
        links.lazy()
        .join(arrivals.earliest.lazy(), left_on="mentor", right_on="node", how="semi")
        .join(events.lazy(), left_on="apprentice", right_on="node")
        .filter(pl.col("start") <= pl.col("day"))
        .with_columns(apprentice="event")
        .select(links.columns)
        .collect()
    )
    _validate_free_memory(3 * last.height)
    without = _advance_hop_arrivals(last, arrivals).without.filter(
        pl.col("arrival") == NEVER_DAY_NUMBER
    )
    counted = without.join(events.select("event", "first"), left_on="node", right_on="event")
    return counted.group_by(node="x").agg(
        irreplaceable=pl.col("first").sum(), irreplaceable_person_times=pl.len()
    )


def _add_node_names(lost: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    return (
        nodes.join(lost, on="node")
        .drop("node")
        .sort(
            "irreplaceable",
            "irreplaceable_person_times",
            "kind",
            "id",
            descending=[True, True, False, False],
        )
    )
