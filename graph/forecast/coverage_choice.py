"""The lazily greedy choice of new mentorships and new studios by what they add.

Every person a who may be reached is in one cell (occupation family and place). A link (m, a) is
worth 1 - (1 - chance(a)) ^ record(m); a studio of leader l with the members M is worth
1 - (1 - studio_chance(a)) ^ record(l) to each a in M. A set S of both is worth

    f(S) = sum over people of the largest value of what S has for them

which is monotone and submodular: what one more link or studio adds never grows. So an upper bound
of each stands in a heap; the first one that is up to date is the largest. Of all studios of one
leader the best has the members to whom it adds most, so no other need be looked at.

Source: Nemhauser, Wolsey, Fisher 1978, Mathematical Programming 14:265; Fisher, Nemhauser, Wolsey
1978, Mathematical Programming Study 8:73; Minoux 1978 (lazy evaluation).
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LINK_KIND: Final = 0
STUDIO_KIND: Final = 1


@dataclass(frozen=True)
class ChosenStudio:
    """A studio that a leader opens in a cell, and what it adds for each member, the most first."""

    leader: int
    cell: int
    members: tuple[tuple[int, float], ...]

    @property
    def gain(self) -> float:
        """What it adds when it is chosen."""
        return sum(gain for _, gain in self.members)


@dataclass(frozen=True)
class MeasureLimits:
    """At most so many links and studios, and members of a studio."""

    links: int
    studios: int = 0
    members: int = 1


@dataclass
class ChosenMeasures:
    """What was chosen, in order: links (mentor, apprentice, gain), and studios."""

    links: list[tuple[int, int, float]] = field(default_factory=list)
    studios: list[ChosenStudio] = field(default_factory=list)


def choose_links(
    offers: pl.DataFrame, seekers: pl.DataFrame, most: int
) -> list[tuple[int, int, float]]:
    """mentor, apprentice, gain: lazily greedy, at most so many; see `choose_measures`."""
    return choose_measures(offers, seekers, None, MeasureLimits(most)).links


def choose_measures(
    offers: pl.DataFrame,
    seekers: pl.DataFrame,
    founders: pl.DataFrame | None,
    limits: MeasureLimits,
) -> ChosenMeasures:
    """The links and studios, those that add most first.

    - offers: person, cell, free (places), record: a row a mentor and cell
    - seekers: person, cell, chance, and studio_chance where there are founders
    - founders: person, cell, record: who may open one studio, a row a leader and cell
    """
    best = offers.sort(["record", "free", "person"], descending=[True, True, False])
    teachers = dict(best.group_by("cell", maintain_order=True).agg("person").rows())
    ordered = seekers.sort(["chance", "person"], descending=[True, False])
    if founders is None:
        founders = offers.select("person", "cell", "record").clear()
        ordered = ordered.with_columns(studio_chance=pl.lit(0.0))
    cells = {
        cell: _Cell(
            np.array(people), np.array(chances), np.array(at_studio), teachers.get(cell, [])
        )
        for cell, people, chances, at_studio in ordered.group_by("cell", maintain_order=True)
        .agg("person", "chance", "studio_chance")
        .rows()
    }
    state = _MeasureChoice(
        cells,
        dict(offers.select("person", "free").unique().rows()),
        dict(offers.select("person", "record").unique().rows()),
        dict(founders.select("person", "record").unique().rows()),
    )
    places = founders.filter(pl.col("cell").is_in(list(cells))).select("person", "cell")
    return state.choose(limits, places.unique().sort("person", "cell").rows())


@dataclass
class _Cell:
    """The people of a cell, the likeliest first, and what is chosen for each so far.

    - best: the largest value of what is chosen; 0 where there is nothing
    - at: before it, everybody has something; trained: who has a studio and no link
    - teachers: the mentors, the best record first; `at_teacher`: before it, no place is free
    """

    people: NDArray[np.int64]
    chance: Floats
    studio_chance: Floats
    teachers: Sequence[int]
    best: Floats = field(init=False)
    trained: list[int] = field(default_factory=list)
    at: int = 0
    at_teacher: int = 0

    def __post_init__(self) -> None:
        self.best = np.zeros(len(self.people))

    def find_link(
        self, free: Mapping[int, int], record: Mapping[int, float]
    ) -> tuple[float, int, int] | None:
        """gain, mentor, place of the apprentice: the best link, None where none adds anything.

        A gain rises with the record, so the mentor is the best one who has a place left. Of people
        with nothing the likeliest gains most; who has a link gains nothing by another, as the first
        was with the best mentor; who has a studio may gain by a link.
        """
        while self.at_teacher < len(self.teachers) and not free[self.teachers[self.at_teacher]]:
            self.at_teacher += 1
        while self.at < len(self.people) and self.best[self.at] > 0:
            self.at += 1
        options = [*self.trained, *([self.at] if self.at < len(self.people) else [])]
        if self.at_teacher == len(self.teachers) or not options:
            return None
        mentor = self.teachers[self.at_teacher]
        gains = _value(self.chance[options], record[mentor]) - self.best[options]
        top = int(gains.argmax())
        return (float(gains[top]), mentor, options[top]) if gains[top] > 0 else None

    def take_link(self, place: int, gain: float) -> int:
        """Gives the person at the place a link; who it is."""
        self.best[place] += gain
        if place in self.trained:
            self.trained.remove(place)
        return int(self.people[place])

    def find_members(self, record: float, most: int) -> tuple[NDArray[np.int64], Floats]:
        """places, gains of those to whom a studio adds most, at most so many, the most first."""
        gains = _value(self.studio_chance, record) - self.best
        order = np.lexsort((self.people, -gains))[:most]
        order = order[gains[order] > 0]
        return order, gains[order]

    def take_members(self, places: NDArray[np.int64], gains: Floats) -> None:
        """Gives the people at the places a studio."""
        new = self.best[places] == 0
        self.best[places] += gains
        self.trained += places[new].tolist()


def _value(chance: Floats, record: float) -> Floats:
    found: Floats = 1.0 - (1.0 - chance) ** record
    return found


@dataclass
class _MeasureChoice:
    cells: Mapping[int, _Cell]
    free: dict[int, int]
    record: Mapping[int, float]
    founder_record: Mapping[int, float]

    def choose(self, limits: MeasureLimits, places: Sequence[tuple[int, int]]) -> ChosenMeasures:
        found, opened = ChosenMeasures(), set[int]()
        left = [limits.links, limits.studios]
        # Not looked at yet: no bound.
        heap = [(-np.inf, LINK_KIND, cell, cell) for cell in self.cells if limits.links]
        heap += [(-np.inf, STUDIO_KIND, leader, cell) for leader, cell in places if limits.studios]
        heapq.heapify(heap)
        while heap:
            stale, kind, leader, cell = heapq.heappop(heap)
            if not left[kind] or (kind == STUDIO_KIND and leader in opened):
                continue
            gain = self._measure_gain(kind, leader, cell, limits.members)
            if gain <= 0:
                continue
            if -stale > gain:  # out of date: it goes back to where it belongs now
                heapq.heappush(heap, (-gain, kind, leader, cell))
                continue
            left[kind] -= 1
            if kind == STUDIO_KIND:
                opened.add(leader)
                found.studios.append(self._open_studio(leader, cell, limits.members))
            else:
                found.links.append(self._begin_link(cell))
                heapq.heappush(heap, (-gain, kind, leader, cell))
        return found

    def _measure_gain(self, kind: int, leader: int, cell: int, members: int) -> float:
        if kind == STUDIO_KIND:
            _, gains = self.cells[cell].find_members(self.founder_record[leader], members)
            return float(gains.sum())
        link = self.cells[cell].find_link(self.free, self.record)
        return 0.0 if link is None else link[0]

    def _begin_link(self, cell: int) -> tuple[int, int, float]:
        link = self.cells[cell].find_link(self.free, self.record)
        assert link is not None, "a link that adds something was found"
        gain, mentor, place = link
        self.free[mentor] -= 1
        return mentor, self.cells[cell].take_link(place, gain), gain

    def _open_studio(self, leader: int, cell: int, members: int) -> ChosenStudio:
        there = self.cells[cell]
        places, gains = there.find_members(self.founder_record[leader], members)
        there.take_members(places, gains)
        people = there.people[places].tolist()
        return ChosenStudio(leader, cell, tuple(zip(people, gains.tolist(), strict=True)))
