"""Everyone below one person, by generation, with the one link by which each comes in.

All of them, however many: the people and their links are arrays by place, 0 the person in focus.
The generation of a driven person is the engine's; of anyone else, the fewest links. Years
and channels narrow the links that are followed, and so who is reached; who counts stays the
engine's word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from graph.errors import UsageError
from graph.people.chains import UNKNOWN_DAY, NumberArray, encode_day
from graph.people.lookup import lookup_people, lookup_person_numbers
from graph.people.paths import load_ties
from graph.policy import CHANNELS
from graph.snapshot.edges import build_studio_ties, filter_studio_trainings
from graph.snapshot.frames import Snapshot

NO_POSITION: Final = -1  # a place nobody stands at
UNREACHED: Final = 2**15 - 1
# More generations than any chain of people who are not wanted has.
MAX_SKIPPED_GENERATIONS: Final = 50
Years = tuple[int, int]


@dataclass(frozen=True)
class Descent:
    """Everyone within the generations below one person, and the links among them.

    - people: place (0 = the focus), person (row number), person_id, name, level (0 = none),
      province, occupation_code, state, counted (the engine's generation; null = not driven)
    - mentor, apprentice: places; start: days, `UNKNOWN_DAY` without one; channel: in `CHANNELS`
    - generations: the most links from the focus, None for no limit
    - studios: (mentor, apprentice, start) -> studio_id
    """

    people: pl.DataFrame
    mentor: NumberArray
    apprentice: NumberArray
    start: NumberArray
    channel: NumberArray
    generations: int | None
    studios: Mapping[tuple[int, int, int], str]

    def restrict(self, keep: NumberArray) -> Descent:
        """Some of the people (one truth a place, the focus among them) and the links among them,
        as if there were no others.
        """
        place = np.cumsum(keep) - 1
        links = keep[self.mentor] & keep[self.apprentice]
        return Descent(
            self.people.filter(pl.Series(keep)),
            place[self.mentor[links]],
            place[self.apprentice[links]],
            self.start[links],
            self.channel[links],
            self.generations,
            {
                (int(place[mentor]), int(place[apprentice]), start): studio
                for (mentor, apprentice, start), studio in self.studios.items()
                if keep[mentor] and keep[apprentice]
            },
        )

    @cached_property
    def year(self) -> NumberArray:
        """The year each link began; 0 for an undated one."""
        days = self.start.astype("datetime64[D]")
        years = days.astype("datetime64[Y]").astype(np.int64) + 1970
        return np.where(self.start == UNKNOWN_DAY, 0, years)

    @cached_property
    def counted(self) -> NumberArray:
        """The engine's generation of each person; 0 for one who is not driven."""
        return self.people["counted"].fill_null(0).to_numpy()

    def followed(self, years: Years | None = None, channels: Collection[str] = ()) -> NumberArray:
        """Which links are followed: begun in these years, both included, of these channels.

        No channels are all of them. An undated link is followed when no years are asked for.
        """
        links = np.ones(len(self.mentor), bool)
        if years is not None:
            links &= (self.year >= years[0]) & (self.year <= years[1])
        if channels:
            links &= np.isin(self.channel, [CHANNELS.index(c) for c in channels if c in CHANNELS])
        return links

    def depth(self, links: NumberArray) -> NumberArray:
        """The fewest of these links from the focus to each person; `UNREACHED` for no way."""
        depth = np.full(self.people.height, UNREACHED, np.int16)
        depth[0] = 0
        mentor, apprentice = self.mentor[links], self.apprentice[links]
        for hop in range(1, 1 + (self.generations or self.people.height)):
            met = apprentice[depth[mentor] == hop - 1]
            met = met[depth[met] == UNREACHED]
            if not len(met):
                break
            depth[met] = hop
        return depth

    def reached(self, years: Years | None = None, channels: Collection[str] = ()) -> pl.DataFrame:
        """Everyone reached by links of these years and channels, the focus first.

        `people` with generation, and of the one link by which each comes in: mentor (a place),
        branch (the place of the first person below the focus on that way) and studio ("" = none).
        A person comes in by the nearest generation above, the earliest link first.
        """
        links = self.followed(years, channels)
        depth = self.depth(links)
        there = depth != UNREACHED
        generation = np.where(self.counted > 0, self.counted, depth)
        generation[0] = 0
        entry = self._entries(links, depth, generation)
        branch = self._branches(entry, depth, generation)
        place = np.arange(self.people.height)
        mentor = np.where(
            entry.link == NO_POSITION,
            NO_POSITION,
            self.mentor[entry.link] if len(self.mentor) else NO_POSITION,
        )
        studio = [self._studio(int(link)) for link in entry.link[there]]
        return self.people.filter(there).with_columns(
            generation=pl.Series(generation[there].astype(np.int32)),
            mentor=pl.Series(mentor[there].astype(np.int64)),
            branch=pl.Series(branch[there].astype(np.int64)),
            place=pl.Series(place[there]),
            studio=pl.Series(studio, dtype=pl.String),
        )

    def _studio(self, link: int) -> str:
        if link == NO_POSITION:
            return ""
        ends = (int(self.mentor[link]), int(self.apprentice[link]), int(self.start[link]))
        return self.studios.get(ends, "") if CHANNELS[self.channel[link]] == "studio" else ""

    def _entries(self, links: NumberArray, depth: NumberArray, generation: NumberArray) -> _Entries:
        """The link by which each person comes in, and that of the shortest way."""
        which = np.flatnonzero(links)
        mentor, apprentice = self.mentor[which], self.apprentice[which]
        known = (depth[mentor] != UNREACHED) & (depth[apprentice] != UNREACHED) & (apprentice != 0)
        start = np.where(self.start[which] == UNKNOWN_DAY, 2**31 - 1, self.start[which])
        first = np.lexsort((mentor, start, -generation[mentor], apprentice))
        first = first[known[first]]
        by_step = first[depth[mentor[first]] == depth[apprentice[first]] - 1]
        by_generation = first[generation[mentor[first]] < generation[apprentice[first]]]
        stepped = _find_first_links(apprentice, by_step, which, len(depth))
        found = _find_first_links(apprentice, by_generation, which, len(depth))
        return _Entries(
            np.where(found == NO_POSITION, stepped, found), stepped, found != NO_POSITION
        )

    def _branches(
        self, entry: _Entries, depth: NumberArray, generation: NumberArray
    ) -> NumberArray:
        """Whose branch each person comes in by: the first below the focus on the way there."""
        by_step = self._passed_on(entry.stepped, depth, None, np.zeros(len(depth), bool))
        return self._passed_on(entry.link, generation, by_step, ~entry.ahead)

    def _passed_on(
        self, link: NumberArray, order: NumberArray, given: NumberArray | None, settled: NumberArray
    ) -> NumberArray:
        """The branch of each, handed on from mentor to apprentice in this order."""
        branch = np.full(len(link), NO_POSITION, np.int64)
        if given is not None:
            branch[settled] = given[settled]
        having = np.flatnonzero(link != NO_POSITION)
        for step in np.unique(order[having]):
            now = having[(order[having] == step) & (branch[having] == NO_POSITION)]
            mentor = self.mentor[link[now]]
            branch[now] = np.where(mentor == 0, now, branch[mentor])
        return branch

    def last_years(self, first: int, channels: Collection[str] = ()) -> NumberArray:
        """By person the first year y so that links begun from `first` to y reach him or her.

        `UNREACHED` where no dated link does; the focus has 0.
        """
        links = self.followed((first, 9999), channels)
        mentor, apprentice, year = self.mentor[links], self.apprentice[links], self.year[links]
        latest = np.full(self.people.height, UNREACHED, np.int16)
        latest[0] = 0
        for _ in range(self.generations or self.people.height):
            onward = np.where(
                latest[mentor] == UNREACHED, UNREACHED, np.maximum(latest[mentor], year)
            )
            now = latest.copy()
            np.minimum.at(now, apprentice, onward.astype(np.int16))
            if (now == latest).all():
                break
            latest = now
        return latest


def list_wanted_people(
    everyone: Descent, people: pl.DataFrame, wanted: Sequence[bool]
) -> pl.DataFrame:
    """Those of `Descent.reached` who are wanted (one a row of `people`; the focus always is).

    As `graph.people.lineage_groups` takes them: mentor is the nearest above who is wanted, branch
    an id ("" for the focus), occupation the code ("" = not stated), level a text.
    """
    place = people["place"].to_numpy()
    included = np.zeros(everyone.people.height, bool)
    included[place] = wanted
    mentor = np.full(everyone.people.height, NO_POSITION, np.int64)
    mentor[place] = people["mentor"].to_numpy()
    for _ in range(MAX_SKIPPED_GENERATIONS):
        skip = (mentor != NO_POSITION) & ~included[mentor]
        if not skip.any():
            break
        mentor[skip] = mentor[mentor[skip]]
    ids = everyone.people["person_id"].to_list()
    branch = [ids[at] if at != NO_POSITION else "" for at in people["branch"].to_list()]
    return people.with_columns(
        mentor=pl.Series(np.maximum(mentor, 0)[place]),
        branch=pl.Series(branch, dtype=pl.String),
        occupation=pl.col("occupation_code").fill_null(""),
        level=pl.col("level").cast(pl.String),
    ).filter(pl.Series(included[place]))


def tabulate_driven_by_year(
    everyone: Descent, first: int, channels: Collection[str], wanted: Sequence[bool] | None = None
) -> tuple[tuple[int, int, int], ...]:
    """(generation, year, persons driven), sorted, for links begun from the year `first` on.

    The persons driven by links begun from `first` to a year are the rows up to that year.
    `wanted` has one value a row of `Descent.people`; None is everyone.
    """
    latest = everyone.last_years(first, channels)
    people = everyone.people.select("state", "counted", year=pl.Series(latest.astype(np.int32)))
    driven = people.filter(
        pl.lit(True) if wanted is None else pl.Series(wanted),
        pl.col("state") == "driven",
        pl.col("year") != UNREACHED,
    )
    counts = driven.group_by("counted", "year").len().sort("counted", "year")
    return tuple((generation, year, n) for generation, year, n in counts.iter_rows())


@dataclass(frozen=True)
class _Entries:
    """By person: the link that brings him or her in, that of the shortest way, and whether the
    first leads from an earlier generation."""

    link: NumberArray
    stepped: NumberArray
    ahead: NumberArray


def _find_first_links(
    apprentice: NumberArray, order: NumberArray, which: NumberArray, size: int
) -> NumberArray:
    """The first link of each apprentice in an order sorted by apprentice."""
    found = np.full(size, NO_POSITION, np.int64)
    persons, first = np.unique(apprentice[order], return_index=True)
    found[persons] = which[order[first]]
    return found


def build_descent(
    snapshot: Snapshot,
    person_id: str,
    *,
    generations: int | None,
    counted: Mapping[str, int],
    pending: Collection[str] = (),
) -> Descent:
    """Everyone below a person within so many generations; None for no limit.

    `counted` are those the engine says are driven, with their generation, `pending` those who
    wait. Raises `UsageError` when there is no such person.
    """
    number = lookup_person_numbers(snapshot, [person_id]).get(person_id)
    if number is None:
        raise UsageError("There is no person of that id in the graph; look the name up under Find.")
    ties = load_ties(snapshot)
    found, frontier, hop = {number}, {number}, 0
    while frontier and hop != generations:
        frontier = ties.beyond(frontier, "down") - found
        found |= frontier
        hop += 1
    persons = np.array([number, *sorted(found - {number})], np.int64)
    order = np.argsort(persons)
    whose, link = ties.up.into(persons)
    mentor = ties.up.mentor[link].astype(np.int64)
    at = np.searchsorted(persons, mentor, sorter=order).clip(max=len(persons) - 1)
    place = order[at]
    inside = persons[place] == mentor
    people = _build_descent_people(snapshot, persons, person_id, counted, frozenset(pending))
    mentor, apprentice = place[inside], whose[inside]
    start = np.asarray(ties.up.start[link[inside]])
    channel = np.asarray(ties.up.channel[link[inside]])
    studios = (
        _lookup_link_studios(snapshot, persons)
        if (channel == CHANNELS.index("studio")).any()
        else {}
    )
    return Descent(people, mentor, apprentice, start, channel, generations, studios)


def _build_descent_people(
    snapshot: Snapshot,
    persons: NumberArray,
    focus: str,
    counted: Mapping[str, int],
    pending: frozenset[str],
) -> pl.DataFrame:
    rows = lookup_people(snapshot, persons.tolist()).with_columns(pl.col("person").cast(pl.Int64))
    known = pl.DataFrame({"person": persons}).join(rows, on="person", how="left")
    ids = known["person_id"].to_list()
    driven = [counted.get(id) if id != focus else None for id in ids]
    state = [
        "driven" if n else "pending" if id in pending and id != focus else "none"
        for id, n in zip(ids, driven, strict=True)
    ]
    return known.select(
        "person",
        "person_id",
        "name",
        pl.col("level").fill_null(0),
        "province",
        "occupation_code",
        state=pl.Series(state, dtype=pl.String),
        counted=pl.Series(driven, dtype=pl.Int32),
    )


def _lookup_link_studios(
    snapshot: Snapshot, persons: NumberArray
) -> Mapping[tuple[int, int, int], str]:
    """(mentor, apprentice, start) of the studio links among these people, by place -> studio."""
    among = pl.col("person").is_in(pl.Series(persons, dtype=pl.Int32).implode())
    frames = snapshot.frames
    trained = build_studio_ties(
        frames["leads"].filter(among), filter_studio_trainings(frames["trainings"]).filter(among)
    ).select("mentor", "apprentice", "start", "studio_id")
    place = {int(person): n for n, person in enumerate(persons)}
    found: dict[tuple[int, int, int], str] = {}
    for mentor, apprentice, start, studio in trained.collect().iter_rows():
        ends = (
            place[mentor],
            place[apprentice],
            UNKNOWN_DAY if start is None else encode_day(start),
        )
        found[ends] = min(studio, found.get(ends, studio))
    return found
