"""Chains of one talent and one worker, found backwards from the worker.

The engine goes forward from every talent at once. Here a question is a (talent, worker, day), and
the walk goes the other way: in each round stand the people from whom the worker is that many hops
away, with the latest start a link to them may have so that the rest of the chain still holds. A
worker has few mentors, so a question looks at some ten links of a nation's eight million; many
questions are walked together, as arrays.

`MentorLinks` has the links sorted by apprentice, built once per snapshot and stored in its folder
as memory-mapped arrays. Days are integers, counted from 1970-01-01, as in Arrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graph.atomic import write_folder_atomically
from graph.policy import CHANNELS, Policy
from graph.snapshot.frames import Snapshot

NumberArray: TypeAlias = NDArray[Any]

EPOCH_DAY: Final = date(1970, 1, 1)
# A latest start of NEVER: no chain of that kind. UNKNOWN is a link without a start, ALWAYS what
# such a link counts as where it is included, FOREVER the day of an event that does not bear on it.
NEVER_DAY: Final = -(2**31)
UNKNOWN_DAY: Final = NEVER_DAY
ALWAYS_DAY: Final = NEVER_DAY + 1
FOREVER_DAY: Final = 2**31 - 1
MENTORSHIP_CHANNEL: Final = CHANNELS.index("mentorship")
# Columns of the latest starts: of any chain, of mentorships alone, of studios alone.
CHAIN_KIND_COUNT: Final = 3
# Questions walked together; what they hold at once stays small.
WALK_BATCH_QUESTIONS: Final = 50_000
# Steps a list of chains looks at before it is cut short, where people are met again and again.
MOST_STEPS: Final = 100_000
LINK_ARRAYS: Final = ("offset", "mentor", "start", "channel")
APPRENTICE_LINK_ARRAYS: Final = ("offset", "apprentice")


def encode_day(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH_DAY).days


def decode_day(number: int) -> date | None:
    """The day of a number; None for one that is not known."""
    return None if number <= ALWAYS_DAY else EPOCH_DAY + timedelta(days=number)


# --- the links --------------------------------------------------------------------------------


@dataclass(frozen=True)
class MentorLinks:
    """The influence edges by apprentice: those of person p stand from offset[p] to offset[p + 1].

    offset (int64, one more than people), mentor (int32), start (int32, `UNKNOWN_DAY` without one)
    and channel (int8, the place in `CHANNELS`); a person's links by start, mentor, channel.
    """

    offset: NumberArray
    mentor: NumberArray
    start: NumberArray
    channel: NumberArray

    def into(self, people: NumberArray) -> tuple[NumberArray, NumberArray]:
        """The links into these people: which of `people` each is of, and which link it is."""
        return expand_offsets(self.offset, people)


@dataclass(frozen=True)
class ApprenticeLinks:
    """The apprentices of each person: those of person p from offset[p] to offset[p + 1].

    offset (int64, one more than people), apprentice (int32); one entry a link, by apprentice.
    """

    offset: NumberArray
    apprentice: NumberArray

    def out_of(self, people: NumberArray) -> tuple[NumberArray, NumberArray]:
        """The links out of these people: which of `people` each is of, and which link it is."""
        return expand_offsets(self.offset, people)


def expand_offsets(offset: NumberArray, people: NumberArray) -> tuple[NumberArray, NumberArray]:
    """What stands from offset[p] to offset[p + 1] of each of these people: which of `people` it is
    of, and its place.
    """
    first, count = offset[people], offset[people + 1] - offset[people]
    whose = np.repeat(np.arange(len(people)), count)
    before = np.cumsum(count) - count
    return whose, first[whose] + np.arange(len(whose)) - before[whose]


def load_mentor_links(snapshot: Snapshot) -> MentorLinks:
    """The snapshot's links; stored in its folder, where it has one, and read from there.

    Their starts are as the snapshot has them: see `Snapshot.under`.
    """
    name = "links" if snapshot.year_alone == "last" else f"links-{snapshot.year_alone}"
    return MentorLinks(*_load_link_arrays(snapshot, name, LINK_ARRAYS, _build_mentor_links))


def load_apprentice_links(snapshot: Snapshot) -> ApprenticeLinks:
    """The snapshot's links by who passes skill on; stored and read as those of
    `load_mentor_links`.
    """
    return ApprenticeLinks(
        *_load_link_arrays(snapshot, "onward", APPRENTICE_LINK_ARRAYS, _build_apprentice_links)
    )


def _load_link_arrays(
    snapshot: Snapshot, name: str, arrays: Sequence[str], build: Callable[[Snapshot], Any]
) -> list[NumberArray]:
    if snapshot.folder is None:
        built = build(snapshot)
        return [getattr(built, array) for array in arrays]
    array_folder = snapshot.folder / name
    if not array_folder.exists():
        built = build(snapshot)
        write_arrays({array: getattr(built, array) for array in arrays}, array_folder)
    return [np.load(array_folder / f"{array}.npy", mmap_mode="r") for array in arrays]


def _build_apprentice_links(snapshot: Snapshot) -> ApprenticeLinks:
    people = int(snapshot.frames["people"].select(pl.len()).collect().item())
    edges = snapshot.frames["edges"].select("mentor", "apprentice").sort("mentor", "apprentice")
    found = edges.collect()
    offset = np.searchsorted(found["mentor"].to_numpy(), np.arange(people + 1))
    return ApprenticeLinks(offset.astype(np.int64), found["apprentice"].to_numpy())


def _build_mentor_links(snapshot: Snapshot) -> MentorLinks:
    people = int(snapshot.frames["people"].select(pl.len()).collect().item())
    edges = (
        snapshot.frames["edges"]
        .select(
            "mentor",
            "apprentice",
            pl.col("start").cast(pl.Int32).fill_null(UNKNOWN_DAY),
            pl.col("channel").to_physical().cast(pl.Int8),
        )
        .sort("apprentice", "start", "mentor", "channel")
        .collect()
    )
    offset = np.searchsorted(edges["apprentice"].to_numpy(), np.arange(people + 1))
    mentor, start, channel = (edges[name].to_numpy() for name in LINK_ARRAYS[1:])
    return MentorLinks(offset.astype(np.int64), mentor, start, channel)


def write_arrays(arrays: Mapping[str, NumberArray], folder: Path) -> None:
    """The arrays as files of the folder, NAME.npy, all of them or none."""
    with write_folder_atomically(folder) as making:
        for name, array in arrays.items():
            np.save(making / f"{name}.npy", array)


# --- the walk ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Questions:
    """Does a chain lead from `talent` to `worker` by `day`? Row numbers and days, row by row."""

    talent: NumberArray
    worker: NumberArray
    day: NumberArray

    def __len__(self) -> int:
        return len(self.talent)

    def at(self, rows: Any) -> Questions:
        """Some of them."""
        return Questions(self.talent[rows], self.worker[rows], self.day[rows])


@dataclass(frozen=True)
class Round:
    """The hops of one round that chains can take: those so many hops from the worker's end."""

    question: NumberArray
    mentor: NumberArray
    apprentice: NumberArray
    start: NumberArray
    link: NumberArray


@dataclass(frozen=True)
class WalkResult:
    """What a walk found, row by row of the questions.

    generation is the fewest hops of a chain that counts (0: none does), by_mentorship and
    by_studio whether one of that channel alone counts. `rounds` are the hops, nearest the worker
    first; empty unless they were asked for.
    """

    generation: NumberArray
    by_mentorship: NumberArray
    by_studio: NumberArray
    rounds: list[Round] = field(default_factory=list)

    def channel(self) -> pl.Series:
        """The channel of each, in the engine's words; null where no chain counts."""
        both = np.where(self.by_studio, "both", "mentorship_only")
        single = np.where(self.by_studio, "studio_only", "mixed")
        kind = np.where(self.by_mentorship, both, single)
        return pl.Series("channel", kind.tolist(), pl.String).set(
            pl.Series(self.generation == 0), None
        )


@dataclass(frozen=True)
class _Frontier:
    """People by question: question, person, and latest (a row each, a column a kind of chain)."""

    question: NumberArray
    person: NumberArray
    latest: NumberArray


def walk_chains(
    links: MentorLinks, asked: Questions, policy: Policy, *, hops: bool = False
) -> WalkResult:
    """Whether a chain that the policy takes answers each question, in how many hops.

    Of an unlimited walk only what improves on shorter chains is followed, so it ends.
    """
    found = build_empty_walk_result(len(asked))
    day = asked.day if policy.ordered else np.full(len(asked), FOREVER_DAY, np.int32)
    at = _Frontier(
        np.arange(len(asked)),
        asked.worker.astype(np.int64),
        np.repeat(day[:, None], CHAIN_KIND_COUNT, 1),
    )
    best: _Frontier | None = None
    generation = 0
    while len(at.question) and generation != policy.generations:
        generation += 1
        steps, at = _walk_one_hop(links, at, asked, policy)
        if hops:
            found.rounds.append(steps)
        at = _record_arrivals(at, asked, found, generation)
        if policy.generations is None:
            at, best = _filter_improved(at, best)
    return found


def walk_chains_in_batches(links: MentorLinks, asked: Questions, policy: Policy) -> WalkResult:
    """The same of any number of questions, some at a time; without the hops."""
    return _concat_walk_results(
        [
            walk_chains(links, asked.at(slice(first, first + WALK_BATCH_QUESTIONS)), policy)
            for first in range(0, max(len(asked), 1), WALK_BATCH_QUESTIONS)
        ]
    )


def _concat_walk_results(parts: list[WalkResult]) -> WalkResult:
    return WalkResult(
        np.concatenate([part.generation for part in parts]),
        np.concatenate([part.by_mentorship for part in parts]),
        np.concatenate([part.by_studio for part in parts]),
    )


def build_empty_walk_result(number: int) -> WalkResult:
    """As many questions that no chain answers."""
    return WalkResult(np.zeros(number, np.int32), np.zeros(number, bool), np.zeros(number, bool))


def _walk_one_hop(
    links: MentorLinks, at: _Frontier, asked: Questions, policy: Policy
) -> tuple[Round, _Frontier]:
    """One hop back: the hops that chains can take, and the people they come from."""
    whose, link = links.into(at.person)
    mentor, start, channel = links.mentor[link], links.start[link], links.channel[link]
    usable = np.isin(channel, [CHANNELS.index(name) for name in policy.channels])
    usable &= mentor != asked.worker[at.question[whose]]
    if policy.undated == "exclude":
        usable &= start != UNKNOWN_DAY
    start = np.where((start == UNKNOWN_DAY) | (not policy.ordered), ALWAYS_DAY, start)
    pure = np.stack([usable, channel == MENTORSHIP_CHANNEL, channel != MENTORSHIP_CHANNEL], axis=1)
    holds = pure & usable[:, None] & (start[:, None] <= at.latest[whose])
    passable = holds.any(axis=1)
    whose, start = whose[passable], start[passable]
    latest = np.where(holds[passable], start[:, None], NEVER_DAY)
    question = at.question[whose]
    steps = Round(question, mentor[passable], at.person[whose], start, link[passable])
    return steps, _group_frontier(question, mentor[passable].astype(np.int64), latest)


def _group_frontier(question: NumberArray, person: NumberArray, latest: NumberArray) -> _Frontier:
    """A row a (question, person), with the latest start of each kind."""
    if not len(question):
        return _Frontier(question, person, latest)
    key = (question << 32) | person
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    return _Frontier(
        key[first] >> 32, key[first] & 0xFFFFFFFF, np.maximum.reduceat(latest[order], first)
    )


def _record_arrivals(
    at: _Frontier, asked: Questions, found: WalkResult, generation: int
) -> _Frontier:
    """Notes which questions are answered; what goes on, for a chain has its talent once."""
    there = at.person == asked.talent[at.question]
    question, latest = at.question[there], at.latest[there] > NEVER_DAY
    new = question[latest[:, 0] & (found.generation[question] == 0)]
    found.generation[new] = generation
    found.by_mentorship[question] |= latest[:, 1]
    found.by_studio[question] |= latest[:, 2]
    return _Frontier(at.question[~there], at.person[~there], at.latest[~there])


def _filter_improved(at: _Frontier, best: _Frontier | None) -> tuple[_Frontier, _Frontier]:
    """The rows that come later than the best so far, what does not as NEVER; and the new best."""
    if best is None:
        return at, at
    place = np.searchsorted(_build_frontier_key(best), _build_frontier_key(at))
    known = np.minimum(place, max(len(best.question) - 1, 0))
    same = (place < len(best.question)) & (
        _build_frontier_key(best)[known] == _build_frontier_key(at)
    )
    before = np.where(same[:, None], best.latest[known], NEVER_DAY)
    latest = np.where(at.latest > before, at.latest, NEVER_DAY)
    improved = (latest > NEVER_DAY).any(axis=1)
    both = _group_frontier(
        np.r_[best.question, at.question],
        np.r_[best.person, at.person],
        np.r_[best.latest, at.latest],
    )
    return _Frontier(at.question[improved], at.person[improved], latest[improved]), both


def _build_frontier_key(at: _Frontier) -> NumberArray:
    return (at.question << 32) | at.person


# --- the chains -------------------------------------------------------------------------------

HOP_SCHEMA: Final[dict[str, Any]] = {
    "question": pl.Int64,
    "hop": pl.Int32,
    "mentor": pl.Int32,
    "apprentice": pl.Int32,
    "start": pl.Date,
    "channel": pl.Enum(CHANNELS),
}


def find_best_chains(
    links: MentorLinks, asked: Questions, policy: Policy
) -> tuple[WalkResult, pl.DataFrame]:
    """What a walk found, and of each question that it answers the best chain.

    The best has the fewest hops; of equally short ones its first link begins earliest, then its
    second, and so on (a link without a start is the earliest). A row a hop: question (its row),
    hop (1 is the talent's own), mentor, apprentice, start (null = not known), channel; sorted by
    question and hop.
    """
    parts = [
        _trace_best_chains(
            links, asked.at(slice(first, first + WALK_BATCH_QUESTIONS)), policy, first
        )
        for first in range(0, max(len(asked), 1), WALK_BATCH_QUESTIONS)
    ]
    found = _concat_walk_results([part for part, _ in parts])
    return found, pl.concat([chains for _, chains in parts]).sort("question", "hop")


def _trace_best_chains(
    links: MentorLinks, asked: Questions, policy: Policy, first: int
) -> tuple[WalkResult, pl.DataFrame]:
    found = walk_chains(links, asked, policy, hops=True)
    at = pl.DataFrame(
        {
            "question": np.flatnonzero(found.generation),
            "mentor": asked.talent[found.generation > 0].astype(np.int32),
            "left": found.generation[found.generation > 0],
        }
    ).with_columns(after=pl.lit(ALWAYS_DAY, pl.Int32), hop=pl.lit(1, pl.Int32))
    taken = [pl.DataFrame(schema=HOP_SCHEMA)]
    for left in range(len(found.rounds), 0, -1):
        hops = _find_next_hops(links, at.filter(pl.col("left") == left), found.rounds[left - 1])
        taken.append(
            _add_hop_details(links, hops)
            .with_columns(pl.col("question") + first)
            .select(list(HOP_SCHEMA))
        )
        gone_on = hops.select(
            "question",
            mentor="apprentice",
            left=pl.col("left") - 1,
            after="start",
            hop=pl.col("hop") + 1,
        )
        at = pl.concat([at.filter(pl.col("left") < left), gone_on.select(at.columns)])
    return found, pl.concat(taken)


def _find_next_hops(links: MentorLinks, at: pl.DataFrame, round: Round) -> pl.DataFrame:
    """The next hop of each chain: the earliest that does not go back in time."""
    wanted = np.isin(round.question, at["question"].to_numpy())
    hops = pl.DataFrame(
        {
            "question": round.question[wanted],
            "mentor": round.mentor[wanted].astype(np.int32),
            "apprentice": round.apprentice[wanted].astype(np.int32),
            "start": round.start[wanted].astype(np.int32),
            "link": round.link[wanted],
        }
    )
    return (
        at.join(hops, on=["question", "mentor"])
        .filter(pl.col("start") >= pl.col("after"))
        .sort("question", "start", "apprentice", "link")
        .unique("question", keep="first", maintain_order=True)
    )


def _add_hop_details(links: MentorLinks, hops: pl.DataFrame) -> pl.DataFrame:
    """The hops with their own start and channel, whatever the policy took the start for."""
    link = hops["link"].to_numpy()
    start = pl.Series("start", links.start[link].astype(np.int32))
    return hops.with_columns(
        start.set(start == UNKNOWN_DAY, None).cast(pl.Date),
        pl.Series(
            "channel", [CHANNELS[place] for place in links.channel[link]], HOP_SCHEMA["channel"]
        ),
    )


@dataclass(frozen=True)
class Step:
    """One hop of a listed chain, by row numbers of people."""

    mentor: int
    apprentice: int
    start: date | None
    channel: str


def list_chains_best_first(
    links: MentorLinks, question: tuple[int, int, int], policy: Policy
) -> Iterator[tuple[Step, ...]]:
    """Chains that answer one question (talent, worker, day), the best first.

    In the order of `find_best_chains`; nobody is in a chain twice. An unlimited policy follows only
    what improves on shorter chains, so that not every longer one is listed.
    """
    talent = question[0]
    asked = Questions(*(np.array([n], np.int64) for n in question))
    rounds = [
        _group_hops_by_mentor(links, round)
        for round in walk_chains(links, asked, policy, hops=True).rounds
    ]
    looked_at = 0
    for hops in range(1, len(rounds) + 1):
        chain: list[_ListedHop] = []
        open_at = [iter(rounds[hops - 1].get(talent, ()))]
        while open_at and looked_at < MOST_STEPS:
            looked_at += 1
            hop = next(open_at[-1], None)
            if hop is None:
                open_at.pop()
                del chain[-1:]
                continue
            earliest = chain[-1].start if chain else ALWAYS_DAY
            met = {talent, *(earlier.step.apprentice for earlier in chain)}
            if hop.start < earliest or hop.step.apprentice in met:
                continue
            if len(chain) == hops - 1:
                yield (*(earlier.step for earlier in chain), hop.step)
            else:
                chain.append(hop)
                beyond = rounds[hops - 1 - len(chain)]
                open_at.append(iter(beyond.get(hop.step.apprentice, ())))


@dataclass(frozen=True)
class _ListedHop:
    """A hop with its start as the policy takes it."""

    start: int
    step: Step


def _group_hops_by_mentor(links: MentorLinks, round: Round) -> dict[int, list[_ListedHop]]:
    """The hops by mentor, in the order of `find_best_chains`."""
    hops: dict[int, list[_ListedHop]] = {}
    for place in np.lexsort((round.link, round.apprentice, round.start)):
        link, mentor = int(round.link[place]), int(round.mentor[place])
        start, channel = decode_day(int(links.start[link])), CHANNELS[int(links.channel[link])]
        step = Step(mentor, int(round.apprentice[place]), start, channel)
        hops.setdefault(mentor, []).append(_ListedHop(int(round.start[place]), step))
    return hops
