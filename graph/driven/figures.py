"""How many new high-skilled workers each leading talent drives.

The definitions are in docs/metrics.md (`Policy` holds every rule of them). The engine is rounds of
one join: from the people each talent reaches in g hops, with the earliest day on which a chain can
have arrived there, to those it reaches in g + 1. The earliest arrival of a round is enough, for it
is the best one both for the next hop (an edge must not start before it) and for an event (which
must not come before it). Chains of mentorships alone and of studios alone are carried in two
further columns of the same rounds, so that the channels cost no walk of their own. Where the policy
leaves nothing to tell chains apart by (one channel, dates ignored) the pairs alone are carried.

Everything here is a narwhals expression, so that it runs on each engine of `graph.driven.engines`
alike. `graph.driven.results` stores the results (see `RESULT_TABLES`) as Parquet; `Driven` reads
them.

Tables the engine takes (see `graph.snapshot.take` for how they come about):

- edges: mentor, apprentice (int), start (date, null = not known), channel
- promotions: person (int), day (date), level, before (the best level until then, 0 = none)
- talents: person (int), one row or more a leading talent
- people: person, person_id, name and the attributes by which figures are broken down
- enterprises: enterprise_id, industry, ownership
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import narwhals as nw
import polars as pl

from graph.driven.breakdowns import compute_breakdowns, compute_ledgers_by_value
from graph.driven.engines import IN_MEMORY, Engine, Frame
from graph.driven.promotions import (
    compute_credits,
    compute_events,
    compute_national_promotions,
    find_pending_pairs,
)
from graph.driven.rounds import collect_frame, compute_reach
from graph.driven.terms import (
    CHAIN_KINDS,
    CREDIT_COLUMNS,
    INPUT_TABLES,
    LEDGER_LINES,
    MIN_GENERATION_COLUMNS,
    SMALL_LOOKUP_ROWS,
    TALENT_BREAKDOWNS,
)
from graph.policy import Policy
from graph.snapshot.frames import EDGES, Snapshot

# --- the figures ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Driven:
    """What `measure_driven` found, under one policy at one revision of the graph.

    - talents: one row a leading talent, sorted by talent_id: talent_id, name, driven,
      person_times, g1, g2, g3[, ...], pending, equal, nearest, decay, and driven by channel:
      mentorship_only, studio_only, both, mixed (these four add up to driven); and person, the
      row number in `people`
    - national: leading_talents, driven_persons, driven_person_times, sum_over_talents
    - lines: person-times by line of the reconciliation, see `LEDGER_LINES`
    - tables: what the engine wrote, see `RESULT_TABLES`, as lazy frames
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

        generation, channel (see `CHAIN_KINDS`), day (of the first promotion), equal, nearest,
        decay.
        """
        return self.tables["pairs"].select(
            "talent", "person", "generation", _build_chain_kind(), "day", *CREDIT_COLUMNS
        )

    @property
    def promotions(self) -> pl.LazyFrame:
        """One row a (person, day) that any chain counts for.

        generation (the fewest hops from any talent), channel (over all talents), and ledger, the
        line of the reconciliation it stands in.
        """
        ledger = pl.col("ledger").replace_strict(
            dict(enumerate(LEDGER_LINES)), return_dtype=pl.Enum(list(LEDGER_LINES))
        )
        return self.tables["promotions"].select(
            "person", "day", "generation", _build_chain_kind(), ledger
        )

    @property
    def waiting(self) -> pl.LazyFrame:
        """One row a (talent, person) that is pending."""
        return self.tables["waiting"]

    def table(self) -> pl.DataFrame:
        """The columns of `shicheng driven`, credits rounded to six places."""
        return self.talents.drop(CHAIN_KINDS, "person").with_columns(
            pl.col(CREDIT_COLUMNS).round(6)
        )

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
            self.tables["promotions"]
            .group_by("generation", _build_chain_kind(), "ledger")
            .agg(n=pl.len())
        )
        both = pl.struct("generation", "channel").alias("part")
        return (
            compute_ledgers_by_value(found.select(both, "ledger", "n").collect(), "part")
            .unnest("part")
            .sort("generation", "channel")
        )

    def by_quarter(self) -> pl.DataFrame:
        """Both ledgers by the quarter of the promotion: quarter (its first day)."""
        quarter = pl.col("day").dt.truncate("1q").alias("quarter")
        found = self.tables["promotions"].group_by(quarter, "ledger").agg(n=pl.len())
        return compute_ledgers_by_value(found.collect(), "quarter")

    def by(self, attribute: str) -> pl.DataFrame:
        """The figures by an attribute (`PERSON_BREAKDOWNS`, `EMPLOYER_BREAKDOWNS`,
        `TALENT_BREAKDOWNS`).

        Persons and person-times stand where the worker is and add up to the nation's; in the same
        row stand the leading talents who are there: leading_talents, sum_over_talents, pending and
        the shared credits, which add up too. A null attribute is "not stated". By what talents
        alone have, driven_persons are those the row's talents drive together (see
        `count_persons_driven_together`).
        """
        part = self.tables["breakdowns"].filter(pl.col("attribute") == attribute)
        alone = ["driven_person_times", *LEDGER_LINES] if attribute in TALENT_BREAKDOWNS else []
        return part.drop("attribute", *alone).rename({"value": attribute}).collect()

    def _of(self, pairs: pl.LazyFrame, talent_ids: Iterable[str]) -> pl.LazyFrame:
        chosen = self.talents.filter(pl.col("talent_id").is_in(list(talent_ids)))
        return pairs.filter(pl.col("talent").is_in(chosen["person"].implode()))

    def _named(self, pairs: pl.LazyFrame) -> pl.DataFrame:
        found = pairs.collect()
        if self.ids is not None and found.height < SMALL_LOOKUP_ROWS:
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


def measure_driven(snapshot: Snapshot, policy: Policy, engine: Engine = IN_MEMORY) -> Driven:
    """Every figure of the number, exactly, under the policy; in memory alone.

    `graph.driven.results.load_driven` keeps them beside the snapshot. Raises `UsageError` when the
    policy asks for more than fits.
    """
    snapshot = snapshot.under(policy)
    frames = open_frames(snapshot, engine)
    reached = compute_reach(frames["edges"], frames["talents"], policy, engine)
    figures, tables = compute_figures_and_tables(frames, reached, policy, engine)
    held = {name: collect_frame(table).lazy() for name, table in tables.items()}
    held["breakdowns"] = figures.breakdowns.lazy()
    people = snapshot.frames["people"]
    small = (figures.talents, figures.national, figures.lines)
    return Driven(policy, snapshot.revision, *small, held, people)


def open_frames(snapshot: Snapshot, engine: Engine) -> dict[str, Frame]:
    """The snapshot's tables that the engine needs."""
    edges = {"edges": EDGES[snapshot.year_alone]}
    needed = {name: edges.get(name, name) for name in INPUT_TABLES if name in snapshot.frames}
    frames = {name: snapshot.frames[of] for of, name in needed.items()}
    folder = None if snapshot.folder is None else str(snapshot.folder)
    found = engine.open(frames, folder)
    return {of: found[name] for of, name in needed.items()}


@dataclass(frozen=True)
class DrivenFigures:
    """The small results: as in `Driven`, and the breakdowns."""

    talents: pl.DataFrame
    national: dict[str, int]
    lines: dict[str, int]
    breakdowns: pl.DataFrame


def compute_figures_and_tables(
    frames: Mapping[str, Frame], reached: Frame, policy: Policy, engine: Engine
) -> tuple[DrivenFigures, dict[str, Frame]]:
    """What the reach counts for: the figures, and the large tables (`RESULT_TABLES` but
    breakdowns).
    """
    promotions = frames["promotions"]
    counting = engine.keep(compute_events(reached, promotions, policy, engine))
    waiting = engine.keep(find_pending_pairs(reached, promotions, policy, engine))
    pairs = engine.keep(compute_credits(counting))
    promoted = engine.keep(compute_national_promotions(counting, promotions, policy))
    tables = {"events": counting, "pairs": pairs, "promotions": promoted, "waiting": waiting}
    return compute_figures(frames, tables, policy, engine), tables


def compute_figures(
    frames: Mapping[str, Frame], tables: Mapping[str, Frame], policy: Policy, engine: Engine
) -> DrivenFigures:
    """The small results from the large tables."""
    rows = build_talent_rows(frames, tables, policy)
    counts = collect_frame(tables["promotions"].group_by("ledger").agg(n=nw.len()))
    of_line = dict(counts.select("ledger", "n").rows())
    lines = {line: of_line.get(place, 0) for place, line in enumerate(LEDGER_LINES)}
    national = {
        "leading_talents": rows.height,
        "driven_persons": lines["first_promotions"],
        "driven_person_times": sum(lines.values()),
        "sum_over_talents": int(rows["driven"].sum()),
    }
    parts = compute_breakdowns(frames, rows, tables["pairs"], tables["promotions"], engine)
    return DrivenFigures(rows, national, lines, parts)


def build_talent_rows(
    frames: Mapping[str, Frame], tables: Mapping[str, Frame], policy: Policy
) -> pl.DataFrame:
    """One row a leading talent: see `Driven.talents`."""
    kinds = ("by_mentorship", "by_studio")
    parts = collect_frame(
        tables["pairs"]
        .group_by("talent", "generation", *kinds)
        .agg(driven=nw.len(), **{credit: nw.col(credit).sum() for credit in CREDIT_COLUMNS})
    ).with_columns(_build_chain_kind())
    last = policy.generations or parts.select(pl.col("generation").max()).item() or 0
    generations = range(1, max(last, MIN_GENERATION_COLUMNS) + 1)
    n = pl.col("driven")
    driven = parts.group_by("talent").agg(
        n.sum(),
        *(n.filter(pl.col("generation") == g).sum().alias(f"g{g}") for g in generations),
        *(n.filter(pl.col("channel") == kind).sum().alias(kind) for kind in CHAIN_KINDS),
        *(pl.col(credit).sum() for credit in CREDIT_COLUMNS),
    )
    counts = ["driven", "person_times", *(f"g{g}" for g in generations), "pending"]
    people = frames["people"].select("person", "name", talent_id="person_id")
    talents = collect_frame(frames["talents"].select("person").unique().join(people, on="person"))
    return (
        talents.join(driven, left_on="person", right_on="talent", how="left")
        .join(_count_by_talent(tables["events"], "person_times"), on="person", how="left")
        .join(_count_by_talent(tables["waiting"], "pending"), on="person", how="left")
        .select(
            "talent_id",
            "name",
            pl.col(counts).fill_null(0).cast(pl.Int64),
            pl.col(CREDIT_COLUMNS).fill_null(0.0),
            pl.col(CHAIN_KINDS).fill_null(0).cast(pl.Int64),
            "person",
        )
        .sort("talent_id")
    )


def _count_by_talent(rows: Frame, name: str) -> pl.DataFrame:
    return collect_frame(rows.group_by("talent").agg(n=nw.len())).select(
        pl.col("talent").alias("person"), pl.col("n").alias(name)
    )


def _build_chain_kind() -> pl.Expr:
    by_mentorship, by_studio = pl.col("by_mentorship") == 1, pl.col("by_studio") == 1
    kind = (
        pl.when(by_mentorship & by_studio)
        .then(pl.lit("both"))
        .when(by_mentorship)
        .then(pl.lit("mentorship_only"))
        .when(by_studio)
        .then(pl.lit("studio_only"))
        .otherwise(pl.lit("mixed"))
    )
    return kind.cast(pl.Enum(CHAIN_KINDS)).alias("channel")
