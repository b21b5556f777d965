"""Why a worker counts for a leading talent, or the first reason why not; and all behind a number.

The verdict is found anew, backwards from the worker (`graph.chains`), not read from the engine's
result: that the two agree is a check on both.

When a worker does not count, the reason is the first of `REASONS` that holds. The last six look at
chains: each says that of the chains which met the reasons before it, none meets this rule too. So
there is always exactly one, and the chain shown is one that meets all rules before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from graph.chains import (
    FOREVER,
    Found,
    Links,
    Numbers,
    Questions,
    Step,
    best_chains,
    day_number,
    links_of,
    listed_chains,
    unanswered,
    walk_all,
)
from graph.errors import UsageError
from graph.policy import CHANNELS, Policy
from graph.snapshot import CHANNEL, Snapshot, studio_trainings

if TYPE_CHECKING:
    from graph.metrics.driven import Driven

# Chains shown of one pair, unless more are asked for.
SHOWN: Final = 5

# The reasons in their order, each in English and Chinese; {fields} are figures of the answer.
REASONS: Final[dict[str, tuple[str, str]]] = {
    "no_such_talent": (
        "There is no person {talent} in this revision; the number would have to be in the graph.",
        "该版本中没有编号为 {talent} 的人员；须先在图中有此人。",
    ),
    "no_such_worker": (
        "There is no person {worker} in this revision; the number would have to be in the graph.",
        "该版本中没有编号为 {worker} 的人员；须先在图中有此人。",
    ),
    "not_a_leading_talent": (
        "{talent} was not named a leading talent; only leading talents drive workers.",
        "{talent} 未获评领军人才；只有领军人才才计带动。",
    ),
    "same_person": (
        "They are one person; nobody drives himself or herself.",
        "两者是同一人；本人不带动自己。",
    ),
    "pending": (
        "Pending: a chain has arrived, but no recognition at level {level} or above is recorded; "
        "one between {window_start} and {window_end} would count.",
        "待认定：链条已到达，但没有 {level} 级及以上的认定记录；"
        "在 {window_start} 至 {window_end} 之间取得即可计入。",
    ),
    "never_high_skilled": (
        "No recognition at level {level} or above is recorded; one between {window_start} and "
        "{window_end} would have to be, and a chain arrive by then.",
        "没有 {level} 级及以上的认定记录；须在 {window_start} 至 {window_end} 之间取得，"
        "且链条在此之前到达。",
    ),
    "high_skilled_before": (
        "First recognised at level {level} or above on {day}, before the window, which begins on "
        "{window_start}; the first such recognition would have to lie inside it.",
        "首次取得 {level} 级及以上是在 {day}，早于窗口起日 {window_start}；首次取得须在窗口之内。",
    ),
    "high_skilled_after": (
        "First recognised at level {level} or above on {day}, after the window, which ends on "
        "{window_end}; the first such recognition would have to lie inside it.",
        "首次取得 {level} 级及以上是在 {day}，晚于窗口止日 {window_end}；首次取得须在窗口之内。",
    ),
    "no_chain": (
        "No chain of any length leads from the talent to the worker; a mentorship or a studio "
        "training would have to link them, directly or through others.",
        "从该人才到该工人没有任何长度的链条；须有师徒或工作室关系直接或逐代相连。",
    ),
    "too_many_hops": (
        "Only chains of more than {generations} hops: the shortest has {hops}; the policy would "
        "have to take {hops} generations.",
        "只有超过 {generations} 代的链条：最短的为 {hops} 代；口径须放宽到 {hops} 代。",
    ),
    "undated": (
        "Only through a link whose start is not known: {mentor} to {apprentice}; that date would "
        "have to be recorded, or the policy include undated links.",
        "只能经由起始日期不明的关系：{mentor} → {apprentice}；须补录该日期，"
        "或在口径中计入无日期关系。",
    ),
    "channel": (
        "Only through a channel that the policy leaves out: {mentor} to {apprentice} is a "
        "{channel} link; the policy would have to take it.",
        "只能经由口径不计的途径：{mentor} → {apprentice} 为{channel}关系；口径须计入该途径。",
    ),
    "back_in_time": (
        "Only chains that go back in time: {mentor} to {apprentice} began on {start}, after the "
        "next link, {apprentice} to {onward}, on {next_start}; nobody passes on what is not yet "
        "learned, so the next one would have to begin on {start} or later.",
        "只有时间倒流的链条：{mentor} → {apprentice} 始于 {start}，而下一段 "
        "{apprentice} → {onward} 始于 {next_start}；未学不能传，下一段须不早于 {start}。",
    ),
    "too_late": (
        "The chain arrives after the recognition: {mentor} to {apprentice} began on {start}, the "
        "recognition at level {reached} was on {day}; the link would have to begin by {day}.",
        "链条到达晚于认定：{mentor} → {apprentice} 始于 {start}，{reached} 级认定在 {day}；"
        "该关系须不晚于 {day} 开始。",
    ),
}
CHANNEL_WORDS: Final = {"mentorship": ("mentorship", "师徒"), "studio": ("studio", "工作室")}
NO_DATE: Final = ("no known day", "无日期（视为早已存在）")


@dataclass(frozen=True)
class Stated:
    """A row of a file that states something: its table, file, line, and who stated it."""

    table: str
    file: str
    row: int | None
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Hop:
    """One link of a chain: who taught whom, from when to when (None = not known, or open).

    `studio` is where, for a studio's link; `rows` are the rows that state it.
    """

    mentor: str
    apprentice: str
    start: date | None
    channel: str
    end: date | None = None
    studio: str | None = None
    rows: tuple[Stated, ...] = ()


@dataclass(frozen=True)
class Event:
    """A promotion of the worker to high skill or further, inside the window.

    `first` tells that it made the person high-skilled, so that it counts in both ledgers; any
    other counts as a person-time alone. `generation` and `channel` are of the chains that count
    for it, 0 and None when none does.
    """

    day: date
    level: int
    before: int
    first: bool
    generation: int
    channel: str | None
    rows: tuple[Stated, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether a chain counts for it."""
        return self.generation > 0


@dataclass(frozen=True)
class Why:
    """Whether a worker is a driven person of a talent under a policy, and why so.

    - counts, generation (0 = none), channel: as the engine says of the pair
    - pending: whether it waits on the policy's as-of day
    - first_high: the day the worker was first high-skilled, whenever that was
    - events: the promotions inside the window, each with whether it counts as a person-time
    - chains: those that count by `arrived_by` (the day of the first event that counts, or the
      as-of day of one who is pending), the best first; `more` when there are others
    - reason: why it is not a driven person, a key of `REASONS`; None where it is
    - failing: where a chain breaks a rule, the one that meets all rules before it
    """

    talent_id: str
    worker_id: str
    policy: Policy
    revision: int
    counts: bool
    generation: int = 0
    channel: str | None = None
    pending: bool = False
    first_high: date | None = None
    events: tuple[Event, ...] = ()
    arrived_by: date | None = None
    chains: tuple[tuple[Hop, ...], ...] = ()
    more: bool = False
    reason: str | None = None
    failing: tuple[Hop, ...] = ()

    @cached_property
    def figures(self) -> dict[str, Any]:
        """What the sentence of the reason speaks of."""
        policy = self.policy
        told: dict[str, Any] = {
            "talent": self.talent_id, "worker": self.worker_id, "day": self.first_high,
            "level": policy.high_skilled_level, "hops": len(self.failing),
            "generations": policy.generations, "window_start": policy.window_start,
            "window_end": policy.window_end,
            "reached": self.events[0].level if self.events else None,
        }  # fmt: skip
        if self.reason in BREAKS:
            hop, onward = BREAKS[self.reason](self)
            told |= {"mentor": hop.mentor, "apprentice": hop.apprentice, "start": hop.start,
                     "channel": hop.channel}  # fmt: skip
            if onward is not None:
                told |= {"onward": onward.apprentice, "next_start": onward.start}
        return told

    def sentence(self, language: str = "en", names: dict[str, str] | None = None) -> str:
        """Why it does not count and what would have to be otherwise; empty when it counts.

        `language` is "en" or "zh"; `names` stand in place of the people's ids.
        """
        if self.reason is None:
            return ""
        place = int(language == "zh")
        told = {name: _told(value, place, names or {}) for name, value in self.figures.items()}
        return REASONS[self.reason][place].format(**told)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON takes it, with the sentence and the policy."""
        plain = asdict(self) | {"policy": self.policy.as_dict()}
        return plain | {"sentence": self.sentence(), "sentence_zh": self.sentence("zh")}


def _told(value: Any, place: int, names: dict[str, str]) -> str:
    if value is None:
        return NO_DATE[place]
    if value in CHANNEL_WORDS:
        return CHANNEL_WORDS[value][place]
    return names.get(value, str(value)) if isinstance(value, str) else str(value)


def _undated(why: Why) -> tuple[Hop, Hop | None]:
    return next(hop for hop in why.failing if hop.start is None), None


def _left_out(why: Why) -> tuple[Hop, Hop | None]:
    return next(hop for hop in why.failing if hop.channel not in why.policy.channels), None


def _contradiction(why: Why) -> tuple[Hop, Hop | None]:
    earliest = date.min
    return next(
        (hop, onward)
        for hop, onward in pairwise(why.failing)
        if (onward.start or earliest) < (hop.start or earliest)
    )


def _late(why: Why) -> tuple[Hop, Hop | None]:
    day = why.first_high or date.max
    return next(hop for hop in why.failing if hop.start is not None and hop.start > day), None


# Which hop of the failing chain breaks the rule.
BREAKS: Final = {
    "undated": _undated,
    "channel": _left_out,
    "back_in_time": _contradiction,
    "too_late": _late,
}


# --- the verdict ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Relaxed:
    """A policy with rules left out, and the reason when no chain meets the rules it still has."""

    reason: str
    policy: Policy


def relaxations(policy: Policy) -> list[Relaxed]:
    """The rules of a chain, one more in each: all but that it arrives by the day."""
    whole = replace(policy, generations=None, ordered=False, channels=CHANNELS, undated="include")
    short = replace(whole, generations=policy.generations)
    dated = replace(short, undated=policy.undated)
    allowed = replace(dated, channels=policy.channels)
    ordered = replace(allowed, ordered=policy.ordered)
    named = ("no_chain", "too_many_hops", "undated", "channel", "back_in_time")
    return [
        Relaxed(reason, one)
        for reason, one in zip(named, (whole, short, dated, allowed, ordered), strict=True)
    ]


def why_many(snapshot: Snapshot, policy: Policy, pairs: pl.DataFrame) -> pl.DataFrame:
    """The verdict on many pairs: talent_id, worker_id in, the same rows out with the answers.

    Adds counts, generation (0 = none), channel, pending, day (first high-skilled, null = never),
    and reason (null = it counts). Any order, repeats too.
    """
    return _answered(snapshot, policy, numbered(snapshot, pairs))


def _answered(snapshot: Snapshot, policy: Policy, asked: pl.DataFrame) -> pl.DataFrame:
    known = asked.drop_nulls(["talent", "worker"])
    judged = _judged(snapshot, links_of(snapshot), policy, known)
    unknown = pl.when(pl.col("talent").is_null()).then(pl.lit("no_such_talent")).otherwise(
        pl.when(pl.col("worker").is_null()).then(pl.lit("no_such_worker"))
    )  # fmt: skip
    answers = asked.join(judged, on="place", how="left", maintain_order="left")
    return answers.select(
        "talent_id", "worker_id",
        pl.col("counts").fill_null(False), pl.col("generation").fill_null(0), "channel",
        pl.col("pending").fill_null(False), "day", reason=pl.coalesce("reason", unknown),
    )  # fmt: skip


def numbered(snapshot: Snapshot, pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs with place, talent and worker, their row numbers (null = there is none)."""
    wanted = pl.concat([pairs["talent_id"], pairs["worker_id"]]).unique().implode()
    people = (
        snapshot.frames["people"]
        .filter(pl.col("person_id").is_in(wanted))
        .select("person_id", "person")
        .collect()
    )
    talents = people.rename({"person_id": "talent_id", "person": "talent"})
    workers = people.rename({"person_id": "worker_id", "person": "worker"})
    return (
        pairs.select("talent_id", "worker_id")
        .with_row_index("place")
        .join(talents, on="talent_id", how="left", maintain_order="left")
        .join(workers, on="worker_id", how="left", maintain_order="left")
    )


def _judged(snapshot: Snapshot, links: Links, policy: Policy, pairs: pl.DataFrame) -> pl.DataFrame:
    """place, counts, generation, channel, pending, day and reason of pairs of row numbers."""
    leading = snapshot.frames["talents"].select("person").unique().collect()["person"].implode()
    high = first_high(snapshot, policy, pairs["worker"])
    facts = pairs.join(
        high, left_on="worker", right_on="person", how="left", maintain_order="left"
    ).with_columns(
        leading=pl.col("talent").is_in(leading),
        other=pl.col("talent") != pl.col("worker"),
        inside=pl.col("day").is_between(policy.window_start, policy.window_end).fill_null(False),
        waits=pl.col("day").is_null() | (pl.col("day") > policy.as_of),
    )
    may = facts["leading"] & facts["other"]
    asked = _questions(facts, facts["day"])
    as_of = _questions(facts, pl.repeat(policy.as_of, facts.height, dtype=pl.Date, eager=True))
    found = _asked(links, asked, policy, may & facts["inside"])
    waiting = _asked(links, as_of, policy, may & facts["waits"]).generation > 0
    missed = (may & facts["inside"]).to_numpy() & (found.generation == 0)
    return facts.with_columns(
        pl.Series("counts", found.generation > 0),
        pl.Series("generation", found.generation),
        found.channel(),
        pl.Series("pending", waiting),
        pl.Series("broken", _rules_broken(links, asked, policy, missed), pl.String),
    ).select(
        "place", "counts", "generation", "channel", "pending", "day", _reason(policy)
    )  # fmt: skip


def _reason(policy: Policy) -> pl.Expr:
    """The first of `REASONS`, in their order; null for a pair that counts."""
    day = pl.col("day")
    return (
        pl.when(~pl.col("leading")).then(pl.lit("not_a_leading_talent"))
        .when(~pl.col("other")).then(pl.lit("same_person"))
        .when(day.is_null() & pl.col("pending")).then(pl.lit("pending"))
        .when(day.is_null()).then(pl.lit("never_high_skilled"))
        .when(day < policy.window_start).then(pl.lit("high_skilled_before"))
        .when(day > policy.window_end).then(pl.lit("high_skilled_after"))
        .otherwise(pl.col("broken")).alias("reason")
    )  # fmt: skip


def _questions(pairs: pl.DataFrame, day: pl.Series) -> Questions:
    """Those of rows with talent and worker; a null day is `FOREVER`."""
    days: Numbers = day.cast(pl.Int32).fill_null(FOREVER).to_numpy()
    talent, worker = (pairs[name].to_numpy().astype(np.int64) for name in ("talent", "worker"))
    return Questions(talent, worker, days)


def _asked(links: Links, asked: Questions, policy: Policy, where: pl.Series) -> Found:
    """The walk's answers where it is asked for, elsewhere none."""
    rows = np.flatnonzero(where.to_numpy())
    some = walk_all(links, asked.at(rows), policy)
    found = unanswered(len(asked))
    found.generation[rows] = some.generation
    found.by_mentorship[rows], found.by_studio[rows] = some.by_mentorship, some.by_studio
    return found


def _rules_broken(
    links: Links, asked: Questions, policy: Policy, where: Numbers
) -> list[str | None]:
    """The reason that lies in the chains, row by row; None where it is not asked for."""
    reasons: list[str | None] = [None] * len(asked)
    left = np.flatnonzero(where)
    for rule in relaxations(policy):
        some = asked.at(left)
        forever = replace(some, day=np.full(len(some), FOREVER, np.int32))
        answered = walk_all(links, forever, rule.policy).generation > 0
        for row in left[~answered]:
            reasons[row] = rule.reason
        left = left[answered]
    for row in left:
        reasons[row] = "too_late"
    return reasons


def first_high(snapshot: Snapshot, policy: Policy, workers: pl.Series) -> pl.DataFrame:
    """The day each of these people (row numbers) was first high-skilled: person, day, level."""
    level = policy.high_skilled_level
    return (
        snapshot.frames["promotions"]
        .filter(
            pl.col("level") >= level, pl.col("before") < level,
            pl.col("person").is_in(workers.unique().implode()),
        )
        .select("person", "day", "level")
        .collect()
    )  # fmt: skip


# --- one pair ---------------------------------------------------------------------------------


def why(
    snapshot: Snapshot, policy: Policy, talent_id: str, worker_id: str, *, chains: int = SHOWN
) -> Why:
    """Whether a worker counts for a talent under the policy, with the chains or the reason.

    `chains` is the most chains shown. A number that nobody has is a reason too, not an error.
    """
    pair = pl.DataFrame({"talent_id": [talent_id], "worker_id": [worker_id]})
    numbers = numbered(snapshot, pair)
    answer = _answered(snapshot, policy, numbers).row(0, named=True)
    first = answer.pop("day")
    base = Why(**answer, policy=policy, revision=snapshot.revision, first_high=first)
    if base.reason in ("no_such_talent", "no_such_worker", "not_a_leading_talent", "same_person"):
        return base
    links = links_of(snapshot)
    talent, worker = numbers["talent"].item(), numbers["worker"].item()
    found = _events(snapshot, links, policy, talent, worker)
    by = next((event.day for event in found if event.counts), None)
    if by is None and base.pending:
        by = policy.as_of
    counting = [] if by is None else _listed(links, (talent, worker, by), policy, chains + 1)
    failing = _failing(links, policy, (talent, worker), base.reason)
    told = _hops_of(snapshot, [*counting[:chains], *failing])
    return replace(
        base, events=found, arrived_by=by, chains=tuple(told[: len(counting[:chains])]),
        more=len(counting) > chains, failing=told[-1] if failing else (),
    )  # fmt: skip


def _listed(
    links: Links, question: tuple[int, int, date], policy: Policy, most: int
) -> list[tuple[Step, ...]]:
    talent, worker, by = question
    return list(islice(listed_chains(links, (talent, worker, day_number(by)), policy), most))


def _failing(
    links: Links, policy: Policy, pair: tuple[int, int], reason: str | None
) -> list[tuple[Step, ...]]:
    """The best chain that meets the rules before the one that none meets; none for others."""
    rules = relaxations(policy)
    order = [rule.reason for rule in rules] + ["too_late"]
    if reason not in order[1:]:
        return []
    met = rules[order.index(reason) - 1].policy
    return list(islice(listed_chains(links, (*pair, FOREVER), met), 1))


def _events(
    snapshot: Snapshot, links: Links, policy: Policy, talent: int, worker: int
) -> tuple[Event, ...]:
    """The worker's promotions inside the window that are to high skill or further."""
    level = policy.high_skilled_level
    rises = (
        snapshot.frames["promotions"]
        .filter(
            pl.col("person") == worker, pl.col("level") >= level,
            pl.col("day").is_between(policy.window_start, policy.window_end),
        )
        .sort("day").with_columns(talent=pl.lit(talent), worker=pl.lit(worker))
        .collect()
    )  # fmt: skip
    found = walk_all(links, _questions(rises, rises["day"]), policy)
    rows = recognition_rows(snapshot, rises)
    return tuple(
        Event(
            row["day"], row["level"], row["before"], row["before"] < level,
            int(generation), channel, rows.get((worker, row["day"], row["level"]), ()),
        )
        for row, generation, channel in zip(
            rises.iter_rows(named=True), found.generation, found.channel(), strict=True
        )
    )  # fmt: skip


# --- the rows that state it -------------------------------------------------------------------


def recognition_rows(
    snapshot: Snapshot, promoted: pl.DataFrame
) -> dict[tuple[int, date, int], tuple[Stated, ...]]:
    """(person, day, level) -> the rows that state that recognition."""
    stated = _stating(snapshot, "recognitions", pl.col("person"), promoted["person"])
    kept: dict[tuple[int, date, int], tuple[Stated, ...]] = {}
    for row in stated.iter_rows(named=True):
        key = row["person"], row["date"], row["level"]
        kept[key] = (*kept.get(key, ()), _row("recognitions", row["row"], row["sources"]))
    return kept


def _stating(snapshot: Snapshot, frame: str, who: pl.Expr, people: pl.Series) -> pl.DataFrame:
    """The rows of a relation that are of these people (row numbers), with row and sources."""
    wanted = who.is_in(people.unique().implode())
    return snapshot.frames[frame].filter(wanted).collect()


def _row(table: str, row: str | None, sources: Sequence[str] | None) -> Stated:
    file, _, line = (row or "").rpartition(":")
    return Stated(
        table, file or (row or ""), int(line) if line.isdigit() else None, tuple(sources or ())
    )


def link_rows(snapshot: Snapshot, hops: pl.DataFrame) -> pl.DataFrame:
    """The rows that state these hops: mentor, apprentice, start, channel in, repeats dropped.

    A row a stating row: the hop, end (of the mentorship, or of what the periods at a studio
    share), studio_id, table, row, sources. Of a studio's hop both the leading and the training
    are given.
    """
    keys = ["mentor", "apprentice", "start", "channel"]
    wanted = hops.select(keys).unique()
    taught = (
        _stating(snapshot, "mentorships", pl.col("apprentice"), wanted["apprentice"])
        .with_columns(channel=pl.lit("mentorship", CHANNEL))
        .select(*keys, "end", studio_id=pl.lit(None, pl.String), table=pl.lit("mentorships"),
                row="row", sources="sources")
    )  # fmt: skip
    stated = [taught]
    ties = _studio_ties(snapshot, wanted["mentor"], wanted["apprentice"])
    for table, prefix in (("studio_leads", ""), ("trainings", "_trained")):
        stated.append(
            ties.with_columns(channel=pl.lit("studio", CHANNEL), table=pl.lit(table)).select(
                *keys, "end", "studio_id", "table",
                row=f"row{prefix}", sources=f"sources{prefix}",
            )
        )  # fmt: skip
    return (
        pl.concat(stated)
        .join(wanted, on=keys, how="semi", nulls_equal=True)
        .unique(maintain_order=True)
        .sort(*keys, "table", "row", nulls_last=True)
    )


def _studio_ties(snapshot: Snapshot, mentors: pl.Series, apprentices: pl.Series) -> pl.DataFrame:
    """As `graph.snapshot.studio_ties`, between these people, with the rows of both sides."""
    leads = _stating(snapshot, "leads", pl.col("person"), mentors).lazy()
    trained = _stating(snapshot, "trainings", pl.col("person"), apprentices).lazy()
    dated = pl.col("start").is_not_null() & pl.col("start_trained").is_not_null()
    later = pl.max_horizontal("start", "start_trained")
    return (
        leads.join(studio_trainings(trained), on="studio_id", suffix="_trained")
        .select(
            "studio_id", "row", "sources", "row_trained", "sources_trained",
            mentor="person", apprentice="person_trained", start=pl.when(dated).then(later),
            end=pl.min_horizontal("end", "end_trained"), later=later,
        )
        .filter((pl.col("later") <= pl.col("end")).fill_null(True))
        .collect()
    )  # fmt: skip


def _hops_of(snapshot: Snapshot, chains: Sequence[Sequence[Step]]) -> list[tuple[Hop, ...]]:
    """The chains with people's ids, periods, studios and the rows that state each hop."""
    steps = {step for chain in chains for step in chain}
    if not steps:
        return [() for _ in chains]
    ids = person_ids(snapshot, {p for step in steps for p in (step.mentor, step.apprentice)})
    hops = {
        step: Hop(ids[step.mentor], ids[step.apprentice], step.start, step.channel)
        for step in steps
    }
    asked = pl.DataFrame([asdict(step) for step in steps], schema=STEP)
    for row in link_rows(snapshot, asked).iter_rows(named=True):
        step = Step(row["mentor"], row["apprentice"], row["start"], row["channel"])
        hop, stated = hops[step], _row(row["table"], row["row"], row["sources"])
        hops[step] = replace(
            hop, end=hop.end or row["end"], studio=hop.studio or row["studio_id"],
            rows=(*hop.rows, stated),
        )  # fmt: skip
    return [tuple(hops[step] for step in chain) for chain in chains]


STEP: Final[dict[str, Any]] = {
    "mentor": pl.Int32,
    "apprentice": pl.Int32,
    "start": pl.Date,
    "channel": CHANNEL,
}


def person_ids(snapshot: Snapshot, people: Iterable[int]) -> dict[int, str]:
    """Row number -> person_id of these people."""
    wanted = pl.Series(list(people), dtype=pl.Int32).implode()
    found = snapshot.frames["people"].filter(pl.col("person").is_in(wanted))
    return dict(found.select("person", "person_id").collect().rows())


# --- all behind a number ----------------------------------------------------------------------

ROWS: Final = (
    "talent_id", "person_id", "day", "level", "driven", "generation", "channel",
    "chain", "starts", "channels", "rows", "recognition_rows", "sources",
)  # fmt: skip
ONWARD: Final = " > "


def rows(snapshot: Snapshot, driven: Driven, talent_id: str) -> pl.DataFrame:
    """Everything behind a talent's figures: a row a person-time, sorted by person_id and day.

    - driven: whether it is the worker's first high-skilled promotion; as many of these as the
      talent's driven persons, as many rows as its person-times
    - generation, channel: of the chains that count for it
    - chain: the people of the best chain, from the talent on, with starts, channels, and rows, the
      file and line that state each hop ("?" = not known, " + " between the rows of one hop)
    - recognition_rows, sources: the rows that state the promotion, and who states any of it

    No names: ids alone, as in every table of workers. Raises `UsageError` when there is no such
    leading talent.
    """
    talent = _leading(snapshot, talent_id)
    counted = _events_of(snapshot, driven, talent)
    asked = _questions(counted, counted["day"])
    found, hops = best_chains(links_of(snapshot), asked, driven.policy)
    told = counted.with_columns(
        pl.Series("generation", found.generation), found.channel(),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("question"),
    )  # fmt: skip
    chains = _chain_texts(snapshot, hops)
    recognised = _recognition_texts(snapshot, counted)
    ids = _ids_of(snapshot, counted["worker"])
    return (
        told.join(chains, on="question", how="left")
        .join(recognised, on=["worker", "day", "level"], how="left")
        .join(ids.rename({"person": "worker"}), on="worker")
        .with_columns(
            talent_id=pl.lit(talent_id),
            sources=pl.concat_list("sources", "sources_of_recognition")
            .list.unique().list.sort().list.join("; "),
        )
        .select(ROWS)
        .sort("person_id", "day")
    )  # fmt: skip


def _leading(snapshot: Snapshot, talent_id: str) -> int:
    named = snapshot.frames["talents"].select("person").unique()
    people = snapshot.frames["people"].filter(pl.col("person_id") == talent_id)
    found = people.join(named, on="person", how="semi").select("person").collect()
    if found.is_empty():
        raise UsageError(
            f"There is no leading talent {talent_id} in revision {snapshot.revision}; "
            "`shicheng driven` lists them all."
        )
    return int(found.item())


def _events_of(snapshot: Snapshot, driven: Driven, talent: int) -> pl.DataFrame:
    """The promotions one talent's chains count for: talent, worker, day, level, driven."""
    of_talent = driven.tables["events"].filter(pl.col("talent") == talent).select(
        "talent", "person", "day", driven=pl.col("first").cast(pl.Boolean)
    ).collect()  # fmt: skip
    rises = snapshot.frames["promotions"].select("person", "day", "level")
    return (
        rises.filter(pl.col("person").is_in(of_talent["person"].unique().implode()))
        .join(of_talent.lazy(), on=["person", "day"])
        .select("talent", "day", "level", "driven", worker="person")
        .sort("worker", "day")
        .collect()
    )


def _ids_of(snapshot: Snapshot, people: pl.Series) -> pl.DataFrame:
    wanted = people.unique().implode()
    found = snapshot.frames["people"].filter(pl.col("person").is_in(wanted))
    return found.select("person", "person_id").collect()


def _chain_texts(snapshot: Snapshot, hops: pl.DataFrame) -> pl.DataFrame:
    """question -> chain, starts, channels, rows (texts) and sources (a list)."""
    keys = ["mentor", "apprentice", "start", "channel"]
    stated = link_rows(snapshot, hops).group_by(keys, maintain_order=True).agg(
        pl.col("row").fill_null("?").unique(maintain_order=True).str.join(" + "),
        pl.col("sources").explode().drop_nulls().unique(),
    )  # fmt: skip
    ids = _ids_of(snapshot, pl.concat([hops["mentor"], hops["apprentice"]]))
    named = (
        hops.join(stated, on=keys, how="left", nulls_equal=True)
        .join(ids.rename({"person": "mentor", "person_id": "from"}), on="mentor")
        .join(ids.rename({"person": "apprentice", "person_id": "to"}), on="apprentice")
        .sort("question", "hop")
    )
    whole = pl.col("from").first() + ONWARD + pl.col("to").str.join(ONWARD)
    return named.group_by("question", maintain_order=True).agg(
        chain=whole,
        starts=pl.col("start").cast(pl.String).fill_null("?").str.join(ONWARD),
        channels=pl.col("channel").cast(pl.String).str.join(ONWARD),
        rows=pl.col("row").fill_null("?").str.join(ONWARD),
        sources=pl.col("sources").explode().drop_nulls(),
    )


def _recognition_texts(snapshot: Snapshot, counted: pl.DataFrame) -> pl.DataFrame:
    """worker, day, level -> recognition_rows (text) and sources_of_recognition (a list)."""
    return (
        _stating(snapshot, "recognitions", pl.col("person"), counted["worker"])
        .group_by(worker="person", day="date", level="level")
        .agg(
            pl.col("row").fill_null("?").unique().sort().str.join(" + ").alias("recognition_rows"),
            pl.col("sources").explode().drop_nulls().alias("sources_of_recognition"),
        )
    )
