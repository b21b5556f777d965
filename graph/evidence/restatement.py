"""What changed between two revisions, and which rows changed it: the figures restated.

Each pair, person-time and pending person that is counted in one revision and not in the other is
a change, and has exactly one cause. The revision that counts it is `here`, the other `there`; the
cause is the first of these that holds:

1. person: the talent or the worker is not there (taken back, or merged into another number)
2. talent: the talent is not a leading talent there
3. as_of: it is pending there too, on the as-of day of here (where the two days differ)
4. recognition: the worker's event is not there, or came too early for the chains of here
5. mentorship, lead, training (or person): the first hop of the best chain of here that is not
   there; there must be one, for else the chain would count there too

Nationally a person or a person-time has the cause of its nearest talent's change. So the causes'
counts are sums of changes, and add up to the difference of every figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from graph.cache.tables import build_table_path, materialize_table
from graph.dates import PRECISION, least_known
from graph.driven.figures import Driven
from graph.driven.results import load_driven
from graph.errors import UsageError
from graph.evidence.merged_ids import compare_merged_ids
from graph.evidence.source_rows import list_link_rows
from graph.evidence.verdict import find_first_high_skilled
from graph.messages import Words
from graph.people.chains import (
    FOREVER_DAY,
    MentorLinks,
    NumberArray,
    Questions,
    find_best_chains,
    load_mentor_links,
    walk_chains_in_batches,
)
from graph.policy import Policy
from graph.snapshot.edges import filter_studio_trainings
from graph.snapshot.frames import Snapshot

# A ledger of `Restatement.changes`, and the figure it adds up to: of each talent, of the nation.
TALENT_FIGURES: Final = ("driven", "person_times", "pending")
NATIONAL_FIGURES: Final = (
    "leading_talents",
    "driven_persons",
    "driven_person_times",
    "sum_over_talents",
)
CAUSE_KINDS: Final = ("person", "talent", "as_of", "recognition", "mentorship", "lead", "training")
# What a cause is: `who` (and `whom`, for a mentorship), where and of which level, with the day
# before and after (null = not there, or not known).
CAUSE_COLUMNS: Final = ("kind", "change", "who", "whom", "studio_id", "level", "was", "becomes")
CAUSE_LINK_COLUMNS: Final = ("mentor", "apprentice", "start", "channel")
# The tables of a `Restatement`.
RESTATEMENT_TABLE_NAMES: Final = ("national", "talents", "causes", "changes", "merges")


@dataclass(frozen=True)
class Restatement:
    """The difference between two measurements.

    - national: figure, before, after, difference
    - talents: talent_id, and before, after and difference of driven, person_times and pending
      (driven_before, ...), those with any difference alone; one who was no leading talent has 0
    - causes: a row a cause: kind, change (added, removed, redated), who, whom, studio_id, level,
      was, becomes, rows (file and line), and how much it changed each figure
    - changes: a row a change: ledger, talent_id, person_id, day, change (+1 or -1), cause (the
      row of `causes`); the ledgers are those of talents, and leading_talents, driven_persons and
      driven_person_times for the nation (where talent_id is the nearest talent)
    - merges: the ids of people and organisations that were joined or parted between the two
      (`graph.evidence.merged_ids`); a change whose cause is a person's or a link's may rest on one
    """

    before: int
    after: int
    policy: Policy
    national: pl.DataFrame
    talents: pl.DataFrame
    causes: pl.DataFrame
    changes: pl.DataFrame
    merges: pl.DataFrame


@dataclass(frozen=True)
class MeasuredSnapshot:
    """One of the two: a snapshot with its measurement."""

    snapshot: Snapshot
    driven: Driven

    @cached_property
    def ids(self) -> pl.Series:
        """person_id by row number."""
        people = self.snapshot.frames["people"].select("person", "person_id").sort("person")
        return people.collect()["person_id"]

    @cached_property
    def leading(self) -> pl.Series:
        """The leading talents' row numbers."""
        return self.snapshot.frames["talents"].select("person").unique().collect()["person"]

    @cached_property
    def links(self) -> MentorLinks:
        """The influence edges by apprentice."""
        return load_mentor_links(self.snapshot)

    def table(self, ledger: str) -> pl.LazyFrame:
        """What is counted: talent, person, day and generation (null for pending)."""
        tables = self.driven.tables
        if ledger == "driven":
            found = tables["pairs"]
        elif ledger == "person_times":
            found = tables["events"]
        else:
            day = pl.lit(self.driven.policy.as_of, pl.Date)
            found = tables["waiting"].with_columns(day=day, generation=pl.lit(0))
        return found.select("talent", "person", "day", pl.col("generation").cast(pl.Int32))


@dataclass(frozen=True)
class ComparisonSide:
    """The changes that `here` counts and `there` does not; `sign` is +1 where here is after."""

    here: MeasuredSnapshot
    there: MeasuredSnapshot
    across: NumberArray
    back: NumberArray
    sign: int

    @property
    def policy(self) -> Policy:
        """The policy here; there only its as-of day may be another."""
        return self.here.driven.policy


def compare_measurements(
    before: tuple[Snapshot, Driven], after: tuple[Snapshot, Driven]
) -> Restatement:
    """What changed from one measured snapshot to another, each change with its one cause.

    People are the same by person_id. Raises `UsageError` when the policies differ in more than
    their as-of day, for then no row explains the difference.
    """
    old, new = (
        MeasuredSnapshot(taken.under(driven.policy), driven) for taken, driven in (before, after)
    )
    _validate_same_rules(old.driven.policy, new.driven.policy)
    across, back = _match_people(old.ids, new.ids)
    sides = (ComparisonSide(old, new, across, back, -1), ComparisonSide(new, old, back, across, 1))
    explained = pl.concat([_explain_changes(side) for side in sides])
    changes = pl.concat([explained, *(_build_national_changes(explained, side) for side in sides)])
    causes = changes.select(CAUSE_COLUMNS).unique().sort(CAUSE_COLUMNS).with_row_index("cause")
    numbered = (
        changes.join(causes, on=CAUSE_COLUMNS, how="left", nulls_equal=True)
        .select(
            "ledger",
            "talent_id",
            "person_id",
            "day",
            "change_by",
            "cause",
        )
        .rename({"change_by": "change"})
        .sort("ledger", "talent_id", "person_id", "day")
    )
    return Restatement(
        old.snapshot.revision,
        new.snapshot.revision,
        new.driven.policy,
        _build_national_table(old.driven, new.driven),
        _build_talent_table(old.driven, new.driven),
        _add_cause_rows(_add_cause_counts(causes, numbered), old, new),
        numbered,
        compare_merged_ids(old.snapshot, new.snapshot),
    )


def load_restatement(before: Snapshot, after: Snapshot, policy: Policy) -> Restatement:
    """`compare_measurements` of the two measured under the policy: read from the cache beside the
    later one, or computed and cached there.

    Raises `UsageError` as `compare_measurements` and `graph.driven.results.load_driven` do.
    """
    if (found := find_cached_restatement(before, after, policy)) is not None:
        return found
    computed = compare_measurements(
        (before, load_driven(before, policy)), (after, load_driven(after, policy))
    )
    for name, place in _build_restatement_paths(before, after, policy).items():
        materialize_table(place, partial(getattr, computed, name))
    return computed


def find_cached_restatement(
    before: Snapshot, after: Snapshot, policy: Policy
) -> Restatement | None:
    """The restatement that `load_restatement` has cached, if any."""
    places = _build_restatement_paths(before, after, policy)
    if not places or not all(place.exists() for place in places.values()):
        return None
    tables = {name: pl.read_parquet(place) for name, place in places.items()}
    return Restatement(before.revision, after.revision, policy, **tables)


def _build_restatement_paths(before: Snapshot, after: Snapshot, policy: Policy) -> dict[str, Path]:
    """Where each table of a restatement is cached; none for snapshots in memory."""
    if before.folder is None or after.folder is None:
        return {}
    first = before.folder.name
    places = {
        n: build_table_path(after, f"restated-{n}", first, policy.id)
        for n in RESTATEMENT_TABLE_NAMES
    }
    return {name: place for name, place in places.items() if place is not None}


def _validate_same_rules(before: Policy, after: Policy) -> None:
    if replace(before, as_of=after.as_of) != after:
        raise UsageError(
            "The policies differ ({before}; {after}), so their figures do not compare; measure "
            "both revisions under one policy.",
            before=Words(before.chip(), before.chip("zh")),
            after=Words(after.chip(), after.chip("zh")),
        )


def _match_people(old: pl.Series, new: pl.Series) -> tuple[NumberArray, NumberArray]:
    """From the row numbers of each to the other's; -1 for people the other does not have."""
    shared = min(len(old), len(new))
    if old.head(shared).equals(new.head(shared)):
        rows = np.arange(max(len(old), len(new)))
        same = np.where(rows < shared, rows, -1)
        return same[: len(old)], same[: len(new)]
    pairs = (
        pl.DataFrame({"id": old})
        .with_row_index("old")
        .join(pl.DataFrame({"id": new}).with_row_index("new"), on="id")
    )
    across, back = np.full(len(old), -1), np.full(len(new), -1)
    across[pairs["old"]], back[pairs["new"]] = pairs["new"], pairs["old"]
    return across, back


# --- the changes ------------------------------------------------------------------------------


def _find_changes(side: ComparisonSide, ledger: str) -> pl.DataFrame:
    """What the ledger counts here and not there, in row numbers of here."""
    keys = ["talent", "person", "day"] if ledger == "person_times" else ["talent", "person"]
    there = side.there.table(ledger).collect()
    there = there.with_columns(_map_row_numbers(side.back, name) for name in ("talent", "person"))
    here = side.here.table(ledger).collect()
    return here.join(there, on=keys, how="anti").select(
        pl.lit(ledger).alias("ledger"), "talent", "person", "day", "generation"
    )


def _map_row_numbers(numbers: NumberArray, column: str) -> pl.Expr:
    """A column of row numbers as the other snapshot's; -1 for people it does not have."""
    return pl.col(column).map_batches(
        lambda series: pl.Series(numbers[series.to_numpy()], dtype=pl.Int32),
        return_dtype=pl.Int32,
    )


def _explain_changes(side: ComparisonSide) -> pl.DataFrame:
    """Every change of the talents' figures, and of who is one, with its cause."""
    rows = pl.concat([_find_changes(side, ledger) for ledger in TALENT_FIGURES]).with_row_index(
        "row"
    )
    facts = _classify_changes(side, rows)
    chosen = pl.concat(
        [
            _find_person_causes(side, facts),
            _find_recognition_causes(side, facts.filter(pl.col("cause") == "recognition")),
            _find_link_causes(side, facts),
        ],
        how="diagonal_relaxed",
    )
    explained = facts.join(chosen, on="row", how="left")
    named = _add_change_ids(side, explained).select(*CHANGE_COLUMNS)
    return pl.concat([named, _find_leading_talent_changes(side)])


CHANGE_COLUMNS: Final = (
    "ledger",
    "talent_id",
    "person_id",
    "day",
    "generation",
    "change_by",
    *CAUSE_COLUMNS,
)
CAUSE_SCHEMA: Final[dict[str, Any]] = {
    "kind": pl.String,
    "change": pl.String,
    "who": pl.String,
    "whom": pl.String,
    "studio_id": pl.String,
    "level": pl.Int8,
    "was": pl.Date,
    "becomes": pl.Date,
}


def _add_change_ids(side: ComparisonSide, rows: pl.DataFrame) -> pl.DataFrame:
    ids = side.here.ids
    return rows.with_columns(
        talent_id=ids.gather(rows["talent"]),
        person_id=ids.gather(rows["person"]),
        change_by=pl.lit(side.sign, pl.Int32),
    ).with_columns(pl.col(name).cast(dtype) for name, dtype in CAUSE_SCHEMA.items())


def _classify_changes(side: ComparisonSide, rows: pl.DataFrame) -> pl.DataFrame:
    """The changes with what they meet there, and the class of their cause."""
    policy, there = side.policy, side.there.snapshot
    level, day = policy.high_skilled_level, pl.col("day")
    over = rows.with_columns(
        talent_there=pl.Series(side.across[rows["talent"].to_numpy()], dtype=pl.Int32),
        person_there=pl.Series(side.across[rows["person"].to_numpy()], dtype=pl.Int32),
    )
    high = find_first_high_skilled(there, policy, over["person_there"]).select(
        person_there="person", first_there="day"
    )
    wanted = over["person_there"].unique().implode()
    rises = (
        there.frames["promotions"]
        .filter(pl.col("level") >= level, pl.col("person").is_in(wanted))
        .select("day", person_there="person", rises=pl.lit(True))
        .collect()
    )
    over = over.join(high, on="person_there", how="left", maintain_order="left").join(
        rises, on=["person_there", "day"], how="left", maintain_order="left"
    )
    inside = pl.col("first_there").is_between(policy.window_start, policy.window_end)
    over = over.with_columns(
        leads=pl.col("talent_there").is_in(side.there.leading.implode()),
        event=pl.when(pl.col("ledger") == "driven")
        .then(inside.fill_null(False))
        .when(pl.col("ledger") == "person_times")
        .then(pl.col("rises").fill_null(False))
        .otherwise((pl.col("first_there") > day).fill_null(True)),
        by=pl.when(pl.col("ledger") == "driven").then(pl.col("first_there")).otherwise(day),
    )
    reaches, waits = _find_still_reached(side, over)
    return over.with_columns(
        cause=pl.when(pl.col("talent_there").lt(0) | pl.col("person_there").lt(0))
        .then(pl.lit("person"))
        .when(~pl.col("leads"))
        .then(pl.lit("talent"))
        .when(waits & pl.col("event"))
        .then(pl.lit("as_of"))
        .when(~pl.col("event") | ~reaches)
        .then(pl.lit("recognition"))
        .otherwise(pl.lit("link"))
    )


def _build_walk_questions(rows: pl.DataFrame, talent: str, worker: str) -> Questions:
    days: NumberArray = rows["by"].cast(pl.Int32).fill_null(FOREVER_DAY).to_numpy()
    first, last = (rows[name].to_numpy().astype(np.int64) for name in (talent, worker))
    return Questions(first, last, days)


def _find_still_reached(side: ComparisonSide, rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Whether a chain of here reaches the event of there; whether one of there is there on the
    as-of day of here (for what is pending, where the as-of days differ)."""
    asked = rows["event"] & (rows["talent_there"] >= 0) & (rows["person_there"] >= 0)
    reaches = np.zeros(len(rows), bool)
    some = np.flatnonzero(asked.to_numpy())
    found = walk_chains_in_batches(
        side.here.links, _build_walk_questions(rows, "talent", "person").at(some), side.policy
    )
    reaches[some] = found.generation > 0
    waits = np.zeros(len(rows), bool)
    if side.policy.as_of != side.there.driven.policy.as_of:
        some = np.flatnonzero((asked & (rows["ledger"] == "pending")).to_numpy())
        over = _build_walk_questions(rows, "talent_there", "person_there").at(some)
        waits[some] = walk_chains_in_batches(side.there.links, over, side.policy).generation > 0
    return pl.Series(reaches), pl.Series(waits)


def _build_national_changes(changes: pl.DataFrame, side: ComparisonSide) -> pl.DataFrame:
    """The nation's gained or lost persons and person-times, by the nearest talent's change."""
    of_side = changes.filter(pl.col("change_by") == side.sign)
    parts = []
    for ledger, of_talent, keys in (
        ("driven_persons", "driven", ["person"]),
        ("driven_person_times", "person_times", ["person", "day"]),
    ):
        here, there = (
            _collect_counted_promotions(world, ledger) for world in (side.here, side.there)
        )
        over = there.with_columns(_map_row_numbers(side.back, "person"))
        new = here.join(over, on=keys, how="anti")
        named = new.with_columns(person_id=side.here.ids.gather(new["person"]))
        on = ["person_id", *keys[1:]]
        nearest = (
            of_side.filter(pl.col("ledger") == of_talent)
            .join(named.select(on), on=on, how="semi")
            .sort(*on, "generation", "talent_id")
            .unique(on, keep="first", maintain_order=True)
        )
        parts.append(nearest.with_columns(ledger=pl.lit(ledger)))
    return pl.concat(parts)


def _collect_counted_promotions(world: MeasuredSnapshot, ledger: str) -> pl.DataFrame:
    promotions = world.driven.promotions.lazy()
    if ledger == "driven_persons":
        promotions = promotions.filter(pl.col("ledger").cast(pl.String) == "first_promotions")
    return promotions.select("person", "day").collect()


def _find_leading_talent_changes(side: ComparisonSide) -> pl.DataFrame:
    """Who is a leading talent here and not there."""
    here = pl.DataFrame({"talent": side.here.leading.sort()})
    over = pl.Series(side.across[here["talent"].to_numpy()], dtype=pl.Int32)
    rows = (
        here.with_columns(there=over)
        .filter(~pl.col("there").is_in(side.there.leading.implode()))
        .with_columns(
            ledger=pl.lit("leading_talents"),
            person=pl.col("talent"),
            row=pl.lit(0, pl.UInt32),
            day=pl.lit(None, pl.Date),
            generation=pl.lit(0, pl.Int32),
            kind=pl.when(pl.col("there") < 0).then(pl.lit("person")).otherwise(pl.lit("talent")),
            change=pl.lit(_format_one_sided_change(side)),
            whom=None,
            studio_id=None,
            level=None,
            was=None,
            becomes=None,
        )
    )
    named = rows.with_columns(who=side.here.ids.gather(rows["talent"]))
    return _add_change_ids(side, named).select(*CHANGE_COLUMNS)


def _format_one_sided_change(side: ComparisonSide) -> str:
    """What happened to a row that is here alone."""
    return "added" if side.sign > 0 else "removed"


# --- the causes -------------------------------------------------------------------------------


def _find_person_causes(side: ComparisonSide, facts: pl.DataFrame) -> pl.DataFrame:
    """Causes of the classes person, talent and as_of: row and the columns of a cause."""
    rows = facts.filter(pl.col("cause").is_in(["person", "talent", "as_of"]))
    ids, cause = side.here.ids, pl.col("cause")
    missing = pl.when(pl.col("talent_there") < 0).then(pl.col("talent")).otherwise(pl.col("person"))
    who = pl.when(cause == "talent").then(pl.col("talent")).otherwise(missing)
    days = (side.policy.as_of, side.there.driven.policy.as_of)
    here, there = (pl.when(cause == "as_of").then(pl.lit(day, pl.Date)) for day in days)
    named = rows.with_columns(who=ids.gather(rows.select(who).to_series()))
    return named.select(
        "row",
        kind="cause",
        change=pl.when(cause == "as_of")
        .then(pl.lit("redated"))
        .otherwise(pl.lit(_format_one_sided_change(side))),
        who=pl.when(cause != "as_of").then(pl.col("who")),
        **_build_cause_days(side, here, there),
    )


def _build_cause_days(side: ComparisonSide, here: pl.Expr, there: pl.Expr) -> dict[str, pl.Expr]:
    """The days of here and there as before and after."""
    return {"was": there, "becomes": here} if side.sign > 0 else {"was": here, "becomes": there}


def _find_recognition_causes(side: ComparisonSide, rows: pl.DataFrame) -> pl.DataFrame:
    """The recognition that explains each row: the event's own if it is not there, else the first
    that there alone has; moved, where both have one of the level."""
    ids = side.here.ids
    mine = _collect_recognitions(side.here.snapshot, rows["person"])
    theirs = _collect_recognitions(
        side.there.snapshot, rows["person_there"].filter(rows["person_there"] >= 0)
    )
    moved = theirs.with_columns(_map_row_numbers(side.back, "person"))
    keys = ["person", "day", "level"]
    gone, new = mine.join(moved, on=keys, how="anti"), moved.join(mine, on=keys, how="anti")
    own = (
        rows.select("row", "person", "day")
        .join(gone, on=["person", "day"])
        .sort("row", "level", descending=[False, True])
        .unique("row", keep="first", maintain_order=True)
    )
    again = new.sort("day").unique(["person", "level"], keep="first", maintain_order=True)
    own = own.join(again.rename({"day": "other"}), on=["person", "level"], how="left")
    level = side.policy.high_skilled_level
    rest = rows.select("row", "person").join(own, on="row", how="anti")
    either = pl.concat(
        [new.with_columns(here=pl.lit(False)), gone.with_columns(here=pl.lit(True))]
    ).with_columns(high=pl.col("level") >= level)
    first = (
        rest.join(either, on="person")
        .sort("row", "high", "here", "day", "level", descending=[False, True, False, False, True])
        .unique("row", keep="first", maintain_order=True)
    )
    mine_only, theirs_only = ("added", "removed") if side.sign > 0 else ("removed", "added")
    parts = [
        own.select(
            "row",
            "person",
            "level",
            change=pl.when(pl.col("other").is_null())
            .then(pl.lit(mine_only))
            .otherwise(pl.lit("redated")),
            **_build_cause_days(side, pl.col("day"), pl.col("other")),
        ),
        first.select(
            "row",
            "person",
            "level",
            change=pl.when("here").then(pl.lit(mine_only)).otherwise(pl.lit(theirs_only)),
            **_build_cause_days(
                side, pl.when("here").then("day"), pl.when(~pl.col("here")).then("day")
            ),
        ),
    ]
    both = pl.concat(parts)
    return both.with_columns(kind=pl.lit("recognition"), who=ids.gather(both["person"])).drop(
        "person"
    )


def _collect_recognitions(snapshot: Snapshot, people: pl.Series) -> pl.DataFrame:
    wanted = pl.col("person").is_in(people.unique().implode())
    found = snapshot.frames["recognitions"].filter(wanted)
    return (
        found.select("person", day="date", level=pl.col("level").cast(pl.Int8)).unique().collect()
    )


def _find_link_causes(side: ComparisonSide, facts: pl.DataFrame) -> pl.DataFrame:
    """The first hop of the best chain of here that is not there, as mentorship or studio row."""
    rows = facts.filter(pl.col("cause") == "link")
    _, hops = find_best_chains(
        side.here.links, _build_walk_questions(rows, "talent", "person"), side.policy
    )
    over = hops.with_columns(
        mentor_there=_map_row_numbers(side.across, "mentor"),
        apprentice_there=_map_row_numbers(side.across, "apprentice"),
    )
    ends = {"mentor_there": "mentor", "apprentice_there": "apprentice"}
    edges = (
        side.there.snapshot.frames["edges"]
        .filter(pl.col("mentor").is_in(over["mentor_there"].unique().implode()))
        .rename({name: there for there, name in ends.items()})
        .collect()
    )
    keys = ["mentor_there", "apprentice_there", "channel"]
    broken = (
        over.join(edges, on=[*keys, "start"], how="anti", nulls_equal=True)
        .sort("question", "hop")
        .unique("question", keep="first", maintain_order=True)
    )
    broken = broken.with_columns(row=rows["row"].gather(broken["question"]))
    taught = broken.filter(pl.col("channel").cast(pl.String) == "mentorship")
    at_studios = broken.filter(pl.col("channel").cast(pl.String) == "studio")
    redated = edges.sort("start").unique(keys, keep="first", maintain_order=True)
    return pl.concat(
        [
            _find_mentorship_causes(side, taught, redated, keys),
            _find_studio_causes(side, at_studios),
        ],
        how="diagonal_relaxed",
    )


def _find_mentorship_causes(
    side: ComparisonSide, broken: pl.DataFrame, there: pl.DataFrame, keys: Sequence[str]
) -> pl.DataFrame:
    found = broken.join(
        there.select(*keys, other="start", dated=pl.lit(True)),
        on=keys,
        how="left",
        maintain_order="left",
    )
    ids, dated = side.here.ids, pl.col("dated").fill_null(False)
    mentor, apprentice = (ids.gather(found[name]) for name in ("mentor", "apprentice"))
    gone_mentor, gone = pl.col("mentor_there") < 0, pl.col("apprentice_there") < 0
    person = gone_mentor | gone
    named = found.with_columns(mentor_id=mentor, apprentice_id=apprentice)
    return named.select(
        "row",
        kind=pl.when(person).then(pl.lit("person")).otherwise(pl.lit("mentorship")),
        change=pl.when(dated)
        .then(pl.lit("redated"))
        .otherwise(pl.lit(_format_one_sided_change(side))),
        who=pl.when(gone & ~gone_mentor).then("apprentice_id").otherwise("mentor_id"),
        whom=pl.when(~person).then("apprentice_id"),
        **_build_cause_days(side, pl.when(~person).then("start"), pl.when(~person).then("other")),
    )


def _find_studio_causes(side: ComparisonSide, broken: pl.DataFrame) -> pl.DataFrame:
    """The leading or the training that a studio's hop lacks there; the leading first."""
    stated = (
        list_link_rows(side.here.snapshot, broken)
        .select(*CAUSE_LINK_COLUMNS, "studio_id")
        .sort("studio_id")
    )
    one = stated.unique(CAUSE_LINK_COLUMNS, keep="first", maintain_order=True)
    hops = broken.join(
        one, on=CAUSE_LINK_COLUMNS, how="left", nulls_equal=True, maintain_order="left"
    )
    leads = _find_stay_causes(side, hops, "lead", "mentor")
    rest = hops.join(leads, on="row", how="anti")
    trained = _find_stay_causes(side, rest, "training", "apprentice")
    left = rest.join(trained, on="row", how="anti")
    other = left.with_columns(who=side.here.ids.gather(left["apprentice"])).select(
        "row",
        "who",
        "studio_id",
        kind=pl.lit("training"),
        change=pl.lit(_format_one_sided_change(side)),
        **_build_cause_days(side, pl.col("start"), pl.lit(None, pl.Date)),
    )
    return pl.concat([leads, trained, other], how="diagonal_relaxed")


def _find_stay_causes(
    side: ComparisonSide, hops: pl.DataFrame, kind: str, end: str
) -> pl.DataFrame:
    """Those of the hops whose leading (or training) at the studio is not the same there."""
    mine = _collect_stays(side.here.snapshot, kind, hops[end])
    theirs = _collect_stays(
        side.there.snapshot, kind, hops[f"{end}_there"].filter(hops[f"{end}_there"] >= 0)
    )
    over = theirs.with_columns(_map_row_numbers(side.back, "person"))
    keys = ["person", "studio_id", "start", "end"]
    gone = mine.join(over, on=keys, how="anti", nulls_equal=True)
    stay = gone.sort("start").unique(keys[:2], keep="first", maintain_order=True)
    new = over.join(mine, on=keys, how="anti", nulls_equal=True)
    again = (
        new.sort("start")
        .unique(keys[:2], keep="first", maintain_order=True)
        .select(*keys[:2], other="start", again=pl.lit(True))
    )
    found = (
        hops.drop("start")
        .join(stay, left_on=[end, "studio_id"], right_on=keys[:2])
        .join(again, left_on=[end, "studio_id"], right_on=keys[:2], how="left")
    )
    person, dated = pl.col(f"{end}_there") < 0, pl.col("again").fill_null(False)
    named = found.with_columns(who=side.here.ids.gather(found[end]))
    return named.select(
        "row",
        "who",
        kind=pl.when(person).then(pl.lit("person")).otherwise(pl.lit(kind)),
        change=pl.when(dated)
        .then(pl.lit("redated"))
        .otherwise(pl.lit(_format_one_sided_change(side))),
        studio_id=pl.when(~person).then("studio_id"),
        **_build_cause_days(side, pl.when(~person).then("start"), pl.when(~person).then("other")),
    )


def _collect_stays(snapshot: Snapshot, kind: str, people: pl.Series) -> pl.DataFrame:
    frames = snapshot.frames
    frame = frames["leads"] if kind == "lead" else filter_studio_trainings(frames["trainings"])
    wanted = frame.filter(pl.col("person").is_in(people.unique().implode()))
    return wanted.select("person", "studio_id", "start", "end").unique().collect()


# --- the tables -------------------------------------------------------------------------------


def _build_national_table(old: Driven, new: Driven) -> pl.DataFrame:
    rows = [(name, old.national[name], new.national[name]) for name in NATIONAL_FIGURES]
    frame = pl.DataFrame(rows, schema=["figure", "before", "after"], orient="row")
    return frame.with_columns(difference=pl.col("after") - pl.col("before"))


def _build_talent_table(old: Driven, new: Driven) -> pl.DataFrame:
    return compare_talent_figures(old.talents, new.talents)


def compare_talent_figures(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """`Restatement.talents` of the talents' figures at two revisions."""
    before, after = (talents.select("talent_id", *TALENT_FIGURES) for talents in (old, new))
    both = before.join(after, on="talent_id", how="full", coalesce=True, suffix="_after")
    both = both.with_columns(pl.exclude("talent_id").fill_null(0))
    columns: list[pl.Expr] = []
    for name in TALENT_FIGURES:
        was, is_now = pl.col(name), pl.col(f"{name}_after")
        columns += [was.alias(f"{name}_before"), is_now, (is_now - was).alias(f"{name}_difference")]
    changed = pl.any_horizontal(pl.col(f"{name}_difference") != 0 for name in TALENT_FIGURES)
    return both.select("talent_id", *columns).filter(changed).sort("talent_id")


def _add_cause_counts(causes: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """The causes with how much each changed every figure."""
    ledgers = {name: name for name in (*NATIONAL_FIGURES[:3], *TALENT_FIGURES)} | {
        "driven": NATIONAL_FIGURES[3]
    }
    counts = changes.group_by("cause").agg(
        pl.col("change").filter(pl.col("ledger") == ledger).sum().cast(pl.Int64).alias(name)
        for ledger, name in ledgers.items()
    )
    order = [*NATIONAL_FIGURES, *TALENT_FIGURES[1:]]
    return causes.join(counts, on="cause", how="left").select("cause", *CAUSE_COLUMNS, *order)


def _add_cause_rows(
    causes: pl.DataFrame, old: MeasuredSnapshot, new: MeasuredSnapshot
) -> pl.DataFrame:
    """The causes with the file and line that state the row: of after, else of before."""
    stated = pl.concat([_find_stating_rows(world, causes) for world in (new, old)])
    first = stated.unique("cause", keep="first", maintain_order=True)
    found = causes.join(first.select("cause", "rows"), on="cause", how="left")
    for world, name in ((old, "was"), (new, "becomes")):
        known = _find_stating_rows(world, causes, (name,)).select(
            "cause", pl.col("day_precision").alias(name + PRECISION)
        )
        found = found.join(known, on="cause", how="left")
    return found.sort("cause")


def _find_stating_rows(
    world: MeasuredSnapshot, causes: pl.DataFrame, days: Sequence[str] = ("becomes", "was")
) -> pl.DataFrame:
    """cause, rows, and what is known of the day, of those causes whose row this snapshot has."""
    ids = (
        pl.DataFrame({"id": world.ids})
        .with_row_index("number")
        .with_columns(pl.col("number").cast(pl.Int32))
    )
    wanted = pl.concat([causes["who"], causes["whom"]]).drop_nulls().unique()
    ids = ids.filter(pl.col("id").is_in(wanted.implode()))
    numbered = causes.join(ids.rename({"id": "who", "number": "person"}), on="who").join(
        ids.rename({"id": "whom", "number": "apprentice"}), on="whom", how="left"
    )
    frames, parts = world.snapshot.frames, []
    for kind, frame, renamed, keys in CAUSE_ROW_SOURCES:
        some = numbered.filter(pl.col("kind") == kind)
        table = filter_studio_trainings(frames[frame]) if frame == "trainings" else frames[frame]
        dated = next(name for name, to in renamed.items() if to == "day")
        table = table.rename({**renamed, dated + PRECISION: "day_precision"}, strict=False)
        if "day_precision" not in table.collect_schema():
            table = table.with_columns(day_precision=pl.lit(None, pl.String))
        rows = table.filter(pl.col("person").is_in(some["person"].unique().implode())).collect()
        both = [some.with_columns(day=pl.col(name)) for name in days]
        found = pl.concat(both).join(rows, on=["person", "day", *keys], nulls_equal=True)
        parts.append(
            found.group_by("cause").agg(
                pl.col("row").drop_nulls().unique().sort().str.join(" + ").alias("rows"),
                least_known("day_precision"),
            )
        )
    return pl.concat(parts)


# Kind of cause, the frame that states it, its columns as those of a cause, and what must match.
CAUSE_ROW_SOURCES: Final[tuple[tuple[str, str, dict[str, str], tuple[str, ...]], ...]] = (
    ("recognition", "recognitions", {"date": "day"}, ("level",)),
    ("mentorship", "mentorships", {"mentor": "person", "start": "day"}, ("apprentice",)),
    ("lead", "leads", {"start": "day"}, ("studio_id",)),
    ("training", "trainings", {"start": "day"}, ("studio_id",)),
)
