"""Shortest paths between two people, and the common mentors of several.

Both look at the links by row numbers, up by apprentice and down by mentor, as memory-mapped
arrays (`graph.people.chains`). A path is searched from both ends at once, so that among
five million people it looks at some thousands: the two frontiers meet half way. Dates are not
looked at: paths show ties, not who counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np

from graph.errors import NoPathError
from graph.messages import Message
from graph.people.chains import (
    ApprenticeLinks,
    MentorLinks,
    NumberArray,
    load_apprentice_links,
    load_mentor_links,
)
from graph.snapshot.frames import Snapshot

# People a search meets before it is cut off; far beyond what two frontiers meet in a nation.
MAX_SEARCH_PEOPLE: Final = 2_000_000
# Generations up that common mentors are looked for.
MAX_COMMON_MENTOR_GENERATIONS: Final = 12


@dataclass(frozen=True)
class Ties:
    """The links of a snapshot, both ways."""

    up: MentorLinks
    down: ApprenticeLinks

    def around(
        self, people: NumberArray, directions: Collection[str]
    ) -> tuple[NumberArray, NumberArray]:
        """Those one link on: which of `people` each is of, and who it is. Repeats stay."""
        whose, who = [], []
        if "up" in directions:
            of, link = self.up.into(people)
            whose.append(of)
            who.append(self.up.mentor[link])
        if "down" in directions:
            of, link = self.down.out_of(people)
            whose.append(of)
            who.append(self.down.apprentice[link])
        return np.concatenate(whose), np.concatenate(who).astype(np.int64)

    def beyond(self, people: Collection[int], direction: str) -> set[int]:
        """Those one link on from any of the people: "up" to mentors, "down" to apprentices."""
        _, who = self.around(_build_number_array(people), (direction,))
        found: list[int] = np.unique(who).tolist()
        return set(found)

    def hidden(self, shown: Collection[int], direction: str) -> dict[int, int]:
        """By person, how many of those one link on are not among the shown; none = left out."""
        people = _build_number_array(shown)
        whose, who = self.around(people, (direction,))
        pairs = np.unique(np.stack([people[whose], who]), axis=1)
        outside = pairs[0][~np.isin(pairs[1], people)]
        persons, counts = np.unique(outside, return_counts=True)
        return dict(zip(persons.tolist(), counts.tolist(), strict=True))


def load_ties(snapshot: Snapshot) -> Ties:
    """The snapshot's links; built once per snapshot and stored in its folder."""
    return Ties(load_mentor_links(snapshot), load_apprentice_links(snapshot))


def _build_number_array(people: Collection[int]) -> NumberArray:
    return np.fromiter(people, np.int64, len(people))


# --- paths ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShortestPaths:
    """Every shortest path between two people: `hops` holds those 0, 1, 2, ... links on, in order.

    `onward` has, for each person of a hop but the last, the people of the next hop a link leads to.
    """

    hops: tuple[tuple[int, ...], ...]
    onward: dict[int, tuple[int, ...]]

    @cached_property
    def paths(self) -> int:
        """How many shortest paths there are; two links between the same people are one."""
        ways = dict.fromkeys(self.hops[-1], 1)
        for people in reversed(self.hops[:-1]):
            ways |= {person: sum(ways[n] for n in self.onward[person]) for person in people}
        return ways[self.hops[0][0]]

    def listed(self) -> Iterator[tuple[int, ...]]:
        """The paths, that of the lowest row numbers first."""
        stack: list[tuple[int, ...]] = [self.hops[0]]
        while stack:
            path = stack.pop()
            if len(path) == len(self.hops):
                yield path
            else:
                stack += [(*path, person) for person in reversed(self.onward[path[-1]])]

    def first(self) -> tuple[int, ...]:
        """One of the paths."""
        return next(self.listed())


class _SearchSide:
    """One end of a search: how far each person is from it, as far as it has been followed."""

    def __init__(self, person: int, size: int, directions: Collection[str]) -> None:
        self.directions = directions
        self.hop = np.full(size, -1, np.int16)
        self.hop[person] = 0
        self.frontiers = [np.array([person], np.int64)]
        self.met = 1

    def go_on(self, ties: Ties) -> NumberArray:
        """The people one link further."""
        _, who = ties.around(self.frontiers[-1], self.directions)
        new = np.unique(who[self.hop[who] < 0])
        self.hop[new] = len(self.frontiers)
        self.frontiers.append(new)
        self.met += len(new)
        return new


_NO_CHAIN_MESSAGE = Message("No chain of links leads from the first person to the second.")
_ASK_REVERSED_MESSAGE = Message(
    "No chain of links leads from the first person to the second; ask the other way round."
)


def find_shortest_paths(
    ties: Ties, start: int, end: int, *, either_way: bool = False, most: int = MAX_SEARCH_PEOPLE
) -> ShortestPaths:
    """Every shortest path from one person (row number) to another.

    Down the links from mentor to apprentice, or `either_way`. Raises `NoPathError` when there is
    none, or when more than `most` people were met before one was found (`cut`).
    """
    size = len(ties.up.offset) - 1
    down = ("up", "down") if either_way else ("down",)
    up = ("up", "down") if either_way else ("up",)
    ahead, back = _SearchSide(start, size, down), _SearchSide(end, size, up)
    while not (back.hop[ahead.frontiers[-1]] >= 0).any():
        side = ahead if len(ahead.frontiers[-1]) <= len(back.frontiers[-1]) else back
        if ahead.met + back.met > most:
            raise NoPathError(
                "No chain was found among the {people:,} people nearest to the two, and the search "
                "stops there; choose people who stand nearer.",
                people=ahead.met + back.met,
                cut=True,
            )
        if not len(side.go_on(ties)):
            raise NoPathError(_NO_CHAIN_MESSAGE if either_way else _ASK_REVERSED_MESSAGE)
    return _build_shortest_paths(ties, ahead, back)


def _build_shortest_paths(ties: Ties, ahead: _SearchSide, back: _SearchSide) -> ShortestPaths:
    """What lies on the shortest paths, of two sides that have met."""
    last = ahead.frontiers[-1]
    meeting = last[back.hop[last] >= 0]
    before = [meeting]
    for hop in range(len(ahead.frontiers) - 2, -1, -1):
        _, who = ties.around(before[-1], back.directions)
        before.append(np.unique(who[ahead.hop[who] == hop]))
    hops = before[::-1]
    for hop in range(int(back.hop[meeting[0]]) - 1, -1, -1):
        _, who = ties.around(hops[-1], ahead.directions)
        hops.append(np.unique(who[back.hop[who] == hop]))
    onward: dict[int, tuple[int, ...]] = {}
    for people, following in pairwise(hops):
        whose, who = ties.around(people, ahead.directions)
        on_path = np.isin(who, following)
        pairs = np.unique(np.stack([people[whose[on_path]], who[on_path]]), axis=1).T
        for person, other in pairs.tolist():
            onward[person] = (*onward.get(person, ()), other)
    return ShortestPaths(tuple(tuple(people.tolist()) for people in hops), onward)


# --- common mentors ---------------------------------------------------------------------------


@dataclass(frozen=True)
class CommonMentors:
    """The mentors, direct or not, that several people have in common.

    `nearest` are those with no other common mentor below them, fewest links in all first;
    `above` has for each of the people, in the order asked, everyone above with how many links.
    """

    people: tuple[int, ...]
    nearest: tuple[int, ...]
    above: tuple[dict[int, int], ...]

    def distances(self, mentor: int) -> tuple[int, ...]:
        """How many links below this mentor each of the people is."""
        return tuple(found[mentor] for found in self.above)

    def ways_down(self, ties: Ties, mentor: int) -> set[int]:
        """Everyone on a shortest way from the mentor down to each of the people."""
        on_ways = {mentor}
        for found in self.above:
            standing = {mentor}
            for left in range(found[mentor] - 1, -1, -1):
                below = ties.beyond(standing, "down")
                standing = {person for person in below if found.get(person) == left}
                on_ways |= standing
        return on_ways


def find_common_mentors(
    ties: Ties, people: Sequence[int], *, generations: int = MAX_COMMON_MENTOR_GENERATIONS
) -> CommonMentors:
    """The common mentors of these people within so many generations; oneself counts as 0."""
    above = tuple(_find_mentors_above(ties, person, generations) for person in people)
    shared = set(above[0]).intersection(*above[1:])
    # Whoever is above a common one is common too, so the mentors of the common are not nearest.
    higher = ties.beyond(sorted(shared), "up") if shared else set()

    def links(mentor: int) -> tuple[int, int]:
        return sum(found[mentor] for found in above), mentor

    # In a circle each is above the others: then the fewest links decide alone.
    nearest = shared - higher or {min(shared, key=links)} if shared else set()
    return CommonMentors(tuple(people), tuple(sorted(nearest, key=links)), above)


def _find_mentors_above(ties: Ties, person: int, generations: int) -> dict[int, int]:
    """Everyone above a person, and the person, with the fewest links."""
    found, frontier = {person: 0}, {person}
    for generation in range(1, generations + 1):
        frontier = ties.beyond(frontier, "up") - found.keys()
        if not frontier:
            break
        found |= dict.fromkeys(frontier, generation)
    return found
