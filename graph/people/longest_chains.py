"""The longest mentorship chains, computed from the snapshot's tables.

Rounds over those who mentor: a state of a round is the person a chain has reached, and the members
of that person's circle it has visited. Of the chains that end in one state only the first by ids
goes on. Where nobody is on a circle that is the longest path of an acyclic graph, a pass over the
ties a round. On a circle the states are the ways through it, at most `MOST_STATES` a round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

MOST_HOPS: Final = 40
# Ways through circles that one round follows, the first by ids.
MOST_STATES: Final = 20_000
# A circle up to this long without a mentor from outside begins chains of its own.
LONGEST_START_CIRCLE: Final = 4
PAIR_COLUMNS: Final = ["mentor", "apprentice"]


def find_longest_chains(ties: pl.DataFrame, ids: pl.DataFrame, chains: int) -> pl.DataFrame:
    """hops, path (the people's numbers, the first mentor first): one row for each last person.

    `ties` (mentor, apprentice; people's numbers, repeated where stated more than once), `ids`
    (person, person_id). Nobody stands twice on a chain, and its last person has no apprentice who
    is not on it. The longest come first, then by the ids of the first and the last person.
    """
    world = _build_chain_world(ties, ids)
    inner = world.select_pairs(world.teaches, "apprentice")
    inner = inner.join(_find_circles(inner), left_on="apprentice", right_on="person", how="left")
    rounds = _run_chain_rounds(_find_first_mentors(world, inner), inner, world)
    return _collect_longest_chains(rounds, world, chains)


@dataclass(frozen=True)
class ChainWorld:
    """The ties, and what is asked of people by their number, as arrays.

    A nation has millions of ties of which few are between people who mentor: hash tables of all
    of them, or of all people, would cost more than the chains.
    """

    ties: pl.DataFrame
    ranks: NDArray[np.int64]
    teaches: NDArray[np.bool_]
    is_taught: NDArray[np.bool_]

    @property
    def dtype(self) -> pl.DataType:
        """Of people's numbers."""
        return self.ties["mentor"].dtype

    def select_ties(self, flags: NDArray[np.bool_], end: str) -> pl.DataFrame:
        """The ties whose end (mentor or apprentice) is flagged."""
        return self.ties.filter(pl.Series(flags[self.ties[end].to_numpy()]))

    def select_pairs(self, flags: NDArray[np.bool_], end: str) -> pl.DataFrame:
        """As `select_ties`, each pair of two people once."""
        return (
            self.select_ties(flags, end).unique().filter(pl.col("mentor") != pl.col("apprentice"))
        )

    def pairs_of(self, mentors: pl.Series) -> pl.DataFrame:
        """mentor, apprentice: the pairs of these mentors."""
        flags = np.zeros_like(self.teaches)
        flags[mentors.to_numpy()] = True
        return self.select_pairs(flags, "mentor")

    def add_rank(
        self, people: pl.DataFrame, name: str = "rank", of: str = "person"
    ) -> pl.DataFrame:
        """The rows with where the person stands by id."""
        return people.with_columns(pl.Series(name, self.ranks[people[of].to_numpy()]))

    def is_mentor(self, people: pl.Series) -> pl.Series:
        """Whether each has an apprentice other than himself or herself."""
        return pl.Series(self.teaches[people.to_numpy()], dtype=pl.Boolean)


def _build_chain_world(ties: pl.DataFrame, ids: pl.DataFrame) -> ChainWorld:
    mentor, apprentice = (ties[name].to_numpy() for name in PAIR_COLUMNS)
    columns = (ids["person"].to_numpy(), mentor, apprentice)
    size = 1 + max((int(column.max()) for column in columns if column.size), default=0)
    # A full snapshot has its people in order of their ids.
    ordered = ids if ids["person_id"].is_sorted() else ids.sort("person_id")
    ranks = np.zeros(size, np.int64)
    ranks[ordered["person"].to_numpy()] = np.arange(len(ordered))
    teaches, is_taught = np.zeros(size, bool), np.zeros(size, bool)
    teaches[mentor[mentor != apprentice]] = True
    is_taught[apprentice] = True
    return ChainWorld(ties.select(PAIR_COLUMNS), ranks, teaches, is_taught)


def _find_circles(inner: pl.DataFrame) -> pl.DataFrame:
    """person, circle: those from whom ties lead back to themselves, by strong component."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    people = pl.concat([inner["mentor"], inner["apprentice"]]).unique().sort()
    if people.is_empty():
        return pl.DataFrame(schema={"person": inner["mentor"].dtype, "circle": pl.Int32})
    numbers = people.to_numpy()
    ends = [np.searchsorted(numbers, inner[name].to_numpy()) for name in PAIR_COLUMNS]
    links = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(len(numbers),) * 2)
    _, component = connected_components(links.tocsr(), connection="strong")
    found = pl.DataFrame({"person": people, "circle": component})
    return found.filter(pl.len().over("circle") > 1)


def _find_first_mentors(world: ChainWorld, inner: pl.DataFrame) -> pl.DataFrame:
    """person: mentors who have no mentor, or who are on a short circle of mentorships."""
    numbers = np.flatnonzero(world.teaches & ~world.is_taught)
    free = pl.DataFrame({"person": pl.Series(numbers, dtype=world.dtype)})
    of_self = pl.col("mentor") == pl.col("apprentice")
    twice = world.ties.filter(of_self).group_by(person="mentor").len()
    return pl.concat(
        [free, twice.filter(pl.col("len") > 1).select("person"), _find_short_circle_members(inner)]
    ).unique()


def _find_short_circle_members(inner: pl.DataFrame) -> pl.DataFrame:
    on = inner.drop_nulls("circle").select("mentor", "apprentice")
    walked, found = on.rename({"mentor": "first", "apprentice": "now"}), []
    for _ in range(2, LONGEST_START_CIRCLE + 1):
        walked = walked.join(on, left_on="now", right_on="mentor")
        walked = walked.select("first", now="apprentice").unique()
        found.append(walked.filter(pl.col("first") == pl.col("now")).select(person="first"))
        walked = walked.filter(pl.col("first") != pl.col("now"))
    return pl.concat(found).unique()


def _run_chain_rounds(
    starts: pl.DataFrame, inner: pl.DataFrame, world: ChainWorld
) -> list[pl.DataFrame]:
    """A frame a round: state, person, seen, before (the state it came from), rank among them."""
    circles = inner.select(person="apprentice", circle="circle").unique()
    first = world.add_rank(starts).join(circles, on="person", how="left")
    first = first.with_columns(before=pl.lit(None, pl.Int64), seen=_build_seen_expression())
    rounds = [_number_chain_states(first, ["rank"])]
    for _ in range(MOST_HOPS - 1):
        step = _advance_round(rounds[-1], inner, world)
        if step.is_empty():
            break
        rounds.append(step)
    return rounds


def _build_seen_expression() -> pl.Expr:
    """A chain that comes to a circle has visited this person of it; elsewhere the list is empty."""
    nobody = pl.lit([], pl.List(pl.UInt32))
    here = pl.concat_list(pl.col("person").cast(pl.UInt32))
    return pl.when(pl.col("circle").is_not_null()).then(here).otherwise(nobody)


def _advance_round(last: pl.DataFrame, inner: pl.DataFrame, world: ChainWorld) -> pl.DataFrame:
    came = last.select("person", "seen", from_circle="circle", before="state", way="place")
    steps = came.join(inner, left_on="person", right_on="mentor").rename({"apprentice": "to"})
    same = (pl.col("from_circle") == pl.col("circle")).fill_null(False)
    again = same & pl.col("seen").list.contains(pl.col("to").cast(pl.UInt32))
    steps = steps.filter(~again).drop("person").rename({"to": "person"})
    here = pl.concat_list(pl.col("person").cast(pl.UInt32))
    steps = steps.with_columns(
        seen=pl.when(same)
        .then(pl.concat_list("seen", here).list.sort())
        .otherwise(_build_seen_expression())
    )
    steps = world.add_rank(steps).sort("way", "rank")
    return _number_chain_states(_take_first_chains(steps), ["way", "rank"])


def _take_first_chains(steps: pl.DataFrame) -> pl.DataFrame:
    """Of the chains that end in one state, the first by ids; so many on circles and no more."""
    off = steps.filter(pl.col("circle").is_null())
    on = steps.filter(pl.col("circle").is_not_null())
    texts = pl.col("seen").cast(pl.List(pl.String)).list.join(",")
    on = on.with_columns(key=texts).unique(["person", "key"], keep="first", maintain_order=True)
    off = off.unique("person", keep="first", maintain_order=True)
    return pl.concat([off, on.drop("key").head(MOST_STATES)])


def _number_chain_states(states: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """With `place`, where the state's chain stands among the round's by ids, and its number."""
    states = states.sort(by).with_columns(
        state=pl.int_range(pl.len(), dtype=pl.Int64),
        place=pl.struct(by).rle_id().cast(pl.Int64),
    )
    return states.select("state", "person", "seen", "circle", "before", "place")


def _collect_longest_chains(
    rounds: list[pl.DataFrame], world: ChainWorld, chains: int
) -> pl.DataFrame:
    found: list[pl.DataFrame] = []
    known = pl.DataFrame(schema={"person": world.dtype})
    for hops in range(len(rounds), 0, -1):
        ends = _find_chain_ends(rounds[hops - 1], world).join(known, on="person", how="anti")
        if ends.is_empty():
            continue
        known = pl.concat([known, ends.select("person")])
        firsts = _find_chain_starts(rounds, hops)
        ends = ends.join(firsts, left_on="before", right_on="state")
        ends = world.add_rank(ends, "first_rank", of="first")
        wanted = chains - sum(len(frame) for frame in found)
        ends = ends.sort("first_rank", "rank").head(wanted)
        found.append(_build_chain_paths(rounds, hops, ends))
        if len(ends) == wanted:
            break
    return pl.concat(found) if found else _build_empty_chains(world)


def _build_empty_chains(world: ChainWorld) -> pl.DataFrame:
    return pl.DataFrame(schema={"hops": pl.Int64, "path": pl.List(world.dtype)})


def _find_chain_ends(last: pl.DataFrame, world: ChainWorld) -> pl.DataFrame:
    """person, rank, before: the last persons of the round's chains, by the first such chain."""
    came = last.select("seen", mentor="person", before="state", way="place")
    steps = came.join(world.pairs_of(came["mentor"]), on="mentor").rename({"apprentice": "person"})
    leaf = steps.filter(~world.is_mentor(steps["person"]))
    ends = pl.concat([leaf, _find_circle_ends(steps, world)])
    return (
        world.add_rank(ends)
        .sort("way", "rank")
        .unique("person", keep="first", maintain_order=True)
        .select("person", "rank", "before")
    )


def _find_circle_ends(steps: pl.DataFrame, world: ChainWorld) -> pl.DataFrame:
    """Steps to a mentor all of whose apprentices the chain has been at."""
    at = pl.col("seen").list.contains(pl.col("person").cast(pl.UInt32))
    steps = steps.filter((pl.col("seen").list.len() > 0) & ~at)
    steps = steps.filter(world.is_mentor(steps["person"]))
    pairs = world.pairs_of(steps["person"])
    beyond = (
        steps.select("before", "seen", "person")
        .join(pairs.rename({"mentor": "person"}), on="person")
        .filter(~pl.col("seen").list.contains(pl.col("apprentice").cast(pl.UInt32)))
    )
    return steps.join(beyond, on=["before", "person"], how="anti")


def _find_chain_starts(rounds: list[pl.DataFrame], hops: int) -> pl.DataFrame:
    """state, first: the first person of the chain of each state of the round."""
    firsts = rounds[0].select("state", first="person")
    for states in rounds[1:hops]:
        firsts = (
            states.select("state", "before")
            .join(firsts, left_on="before", right_on="state")
            .select("state", "first")
        )
    return firsts


def _build_chain_paths(rounds: list[pl.DataFrame], hops: int, ends: pl.DataFrame) -> pl.DataFrame:
    path, state = [ends["person"]], ends["before"]
    for states in reversed(rounds[:hops]):
        at = states[state.to_numpy()]
        path.append(at["person"])
        state = at["before"]
    people = pl.DataFrame({str(n): column for n, column in enumerate(reversed(path))})
    return people.select(hops=pl.lit(hops, pl.Int64), path=pl.concat_list(pl.all()))
