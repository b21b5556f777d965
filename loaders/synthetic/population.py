"""The people of a synthetic network and who taught whom, as numpy columns; no text yet.

People come in tiers: two generations of elders, the leading talents (older and younger), three
tiers of mentors, and the workforce. A tier learns from the tiers before it, from mentors drawn
by a heavy-tailed weight, mostly in the same enterprise, else in the same province and industry;
a mentor begins to mentor after having been trained. So lineages run over up to seven
generations, stay in one trade, and are nearly always ordered in time.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loaders.synthetic import names

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Random = np.random.Generator

BLOCK_ROWS = 250_000  # rows of text made at a time
UNSTATED_DAY = np.int32(-(2**30))  # a day that is not stated
NO_REFERENCE = np.int32(-1)  # a reference that is not there


def parse_day_number(text: str) -> np.int32:
    return np.int32((date.fromisoformat(text) - date(1970, 1, 1)).days)


# Nothing in the files is later than this day (agreed service apart).
LATEST_DAY = parse_day_number("2026-11-23")
WINDOW_START = parse_day_number("2024-01-01")
YEAR_DAYS = 365.2425


@dataclass(frozen=True)
class Tier:
    """A generation of the network: when its people are born, their mentors, how often.

    `learns_from` weighs the mentors of each earlier tier (about the apprentices one of them
    takes from this tier); `mentors` is the chance of none, one, two and three mentors.
    """

    name: str
    share: float  # of the talents (elders, talents) or of the workers
    born: tuple[float, float]  # years, low and high; later ones more often in the workforce
    learns_from: Mapping[str, float]
    mentors: tuple[float, float, float, float]
    to_senior: tuple[float, float] = (9.0, 2.5)  # years from entry to level 4: mean, spread
    at_studio: float = 0.0  # chance of a training at a studio


# In the order in which they learn from one another.
TIERS: tuple[Tier, ...] = (
    Tier("forebears", 0.4, (1930, 1946), {}, (1, 0, 0, 0), (12, 3)),
    Tier("elders", 0.8, (1944, 1958), {"forebears": 1}, (0.3, 0.6, 0.1, 0), (12, 3)),
    Tier("senior_talents", 0.6, (1963, 1977), {"elders": 1}, (0.12, 0.58, 0.24, 0.06)),
    Tier(
        "young_talents",
        0.4,
        (1977, 1995),
        {"senior_talents": 2, "elders": 0.4},
        (0.08, 0.57, 0.28, 0.07),
        (7, 1.5),
        0.3,
    ),
    Tier(
        "masters",
        0.015,
        (1966, 1986),
        {"senior_talents": 5, "young_talents": 3, "elders": 4},
        (0.14, 0.60, 0.21, 0.05),
        (9, 2.5),
        0.25,
    ),
    Tier(
        "mentors",
        0.04,
        (1974, 1992),
        {"senior_talents": 8, "young_talents": 8, "masters": 3},
        (0.14, 0.60, 0.21, 0.05),
        (10, 3),
        0.3,
    ),
    Tier(
        "young_mentors",
        0.06,
        (1984, 1999),
        {"senior_talents": 7, "young_talents": 11, "masters": 2, "mentors": 0.9},
        (0.12, 0.60, 0.23, 0.05),
        (8, 2.5),
        0.3,
    ),
    Tier(
        "workforce",
        0.0,
        (1978, 2006),
        {
            "senior_talents": 105,
            "young_talents": 160,
            "masters": 13,
            "mentors": 6,
            "young_mentors": 2.8,
        },
        (0.07, 0.56, 0.29, 0.08),
        (6, 2),
        0.26,
    ),
)
TALENT_TIERS = ("senior_talents", "young_talents")
# People are numbered talents first.
NUMBERED_TIERS = (
    *TALENT_TIERS,
    "forebears",
    "elders",
    "masters",
    "mentors",
    "young_mentors",
    "workforce",
)


def build_random_stream(seed: int, stage: str) -> Random:
    """A stream of its own for each stage, so that a change to one leaves the others alone."""
    return np.random.default_rng([seed, zlib.crc32(stage.encode())])


def draw_waits(random: Random, years: float, n: int) -> Ints:
    """Exponential waits of `years` on average, in days."""
    drawn = random.standard_exponential(n) * (years * YEAR_DAYS)
    return drawn.astype(np.int32)


def draw_gamma_waits(random: Random, years: float, n: int) -> Ints:
    """Humped waits (gamma, shape 2) of `years` on average, in days."""
    return (random.standard_gamma(2.0, n) * (years * YEAR_DAYS / 2)).astype(np.int32)


def draw_weighted(random: Random, weights: Sequence[float] | Floats, n: int) -> Ints:
    """`n` positions drawn by weight."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    drawn: NDArray[np.int64] = np.searchsorted(edges, random.random(n) * edges[-1], side="right")
    return drawn.astype(np.int32)


def compute_group_starts(keys: Ints, n: int) -> NDArray[np.int64]:
    """Where each of `n` groups begins in sorted `keys`; n + 1 positions."""
    return np.searchsorted(keys, np.arange(n + 1))


class Enterprises:
    """Enterprises with their place and trade, sorted by province and industry."""

    def __init__(self, seed: int, people: int) -> None:
        random = build_random_stream(seed, "enterprises")
        self.size = max(12, people // 250)
        self.weight: Floats = np.minimum(random.lognormal(0, 1.1, self.size), 40)
        province = draw_weighted(random, [w for w, _ in names.PROVINCE_WEIGHTS.values()], self.size)
        makes = np.array([m for _, m in names.PROVINCE_WEIGHTS.values()])[province]
        weights: Floats = np.array([w for w, _, _ in names.INDUSTRIES.values()], dtype=float)
        stronger = np.array(
            [industry in names.MANUFACTURING_INDUSTRIES for industry in names.INDUSTRIES]
        )
        heavier: Floats = np.where(stronger, weights * 2, weights)
        industry = np.where(
            makes,
            draw_weighted(random, heavier, self.size),
            draw_weighted(random, weights, self.size),
        )
        order = np.lexsort((industry, province))
        self.province: Ints = province[order].astype(np.int32)
        self.industry: Ints = industry[order].astype(np.int32)
        self.cell: Ints = self.province * len(names.INDUSTRIES) + self.industry

    def draw(self, random: Random, n: int) -> Ints:
        """The enterprises of `n` people: large ones more often."""
        return draw_weighted(random, self.weight, n)

    @cached_property
    def scopes(self) -> tuple[tuple[Ints, int], ...]:
        """Enterprise -> its group at each widening scope: itself, its cell, province, all."""
        own = np.arange(self.size, dtype=np.int32)
        cells = len(names.PROVINCE_WEIGHTS) * len(names.INDUSTRIES)
        return (
            (own, self.size),
            (self.cell, cells),
            (self.province, len(names.PROVINCE_WEIGHTS)),
            (np.zeros_like(own), 1),
        )


class MemberPool:
    """Members (mentors, studios) to be drawn by weight within an enterprise or a wider scope."""

    def __init__(
        self, enterprises: Enterprises, member: Ints, enterprise: Ints, weight: Floats
    ) -> None:
        order = np.argsort(enterprise, kind="stable")
        self.member = member[order]
        self.weight = np.concatenate(([0.0], np.cumsum(weight[order])))
        self.enterprises = enterprises
        at = enterprise[order]
        self.bounds = [compute_group_starts(group[at], n) for group, n in enterprises.scopes]

    def draw(self, random: Random, enterprise: Ints, wider: Sequence[float]) -> Ints:
        """A member for each person of `enterprise`.

        `wider` weighs the scopes; an empty scope falls back to the next wider one.
        """
        n = len(enterprise)
        if not len(self.member):
            return np.full(n, NO_REFERENCE)
        scope = draw_weighted(random, wider, n)
        low = np.zeros(n, dtype=np.int64)
        high = np.zeros(n, dtype=np.int64)
        for level, ((group, _), bounds) in enumerate(
            zip(self.enterprises.scopes, self.bounds, strict=True)
        ):
            open_ = (scope <= level) & (low == high)
            key = group[enterprise[open_]]
            low[open_], high[open_] = bounds[key], bounds[key + 1]
        start, stop = self.weight[low], self.weight[high]
        at = np.searchsorted(self.weight, start + random.random(n) * (stop - start), side="right")
        drawn: Ints = self.member[np.clip(at - 1, low, high - 1)]
        return drawn


@dataclass
class LinkColumns:
    """Columns of links a -> b with their days, grown tier by tier."""

    a: list[Ints] = field(default_factory=list)
    b: list[Ints] = field(default_factory=list)
    start: list[Ints] = field(default_factory=list)

    def add(self, a: Ints, b: Ints, start: Ints) -> None:
        self.a.append(a)
        self.b.append(b)
        self.start.append(start)

    def joined(self) -> tuple[Ints, Ints, Ints]:
        """The three columns joined; the parts are freed."""
        parts = (self.a, self.b, self.start)
        columns = tuple(np.concatenate([*part, np.empty(0, np.int32)]) for part in parts)
        for part in parts:
            part.clear()
        return columns[0], columns[1], columns[2]


class SyntheticNetwork:
    """The people and their links, as numpy columns indexed by the person's number.

    Columns: `born`, `entry` (first working day), `senior` (first day at level 4 or above, NEVER
    when pending), `ready` (may mentor from), `until` (last working day, after which nobody is
    mentored), `retired`, `enterprise`, `occupation`, `female`, `draw` (a mentor's heavy-tailed
    weight), `first` (first mentor, NONE without).
    """

    def __init__(self, talents: int, workers: int, seed: int) -> None:
        self.talents, self.workers, self.seed = talents, workers, seed
        self.people = talents + workers
        self.ranges = self._number()
        self.enterprises = Enterprises(seed, self.people)
        self._people()
        self._careers()
        links, trained = LinkColumns(), LinkColumns()
        for tier in TIERS:
            self._mentor(tier, links)
            if tier.name == TALENT_TIERS[-1]:
                self._studios()
            if tier.at_studio:
                self._train(tier, trained)
        self.mentorships = links.joined()
        self.studio_trainings = trained.joined()

    def _number(self) -> dict[str, slice]:
        """Tier -> its people's numbers. The workforce is whoever is left."""
        sizes: dict[str, int] = {}
        by_name = {tier.name: tier for tier in TIERS}
        sizes["senior_talents"] = max(1, round(self.talents * by_name["senior_talents"].share))
        sizes["young_talents"] = self.talents - sizes["senior_talents"]
        left = self.workers
        for name in NUMBERED_TIERS[2:-1]:
            of = self.talents if name in ("forebears", "elders") else self.workers
            sizes[name] = min(round(of * by_name[name].share), left // 6)
            left -= sizes[name]
        sizes["workforce"] = left
        ranges, at = {}, 0
        for name in NUMBERED_TIERS:
            ranges[name] = slice(at, at + sizes[name])
            at += sizes[name]
        return ranges

    def _people(self) -> None:
        random = build_random_stream(self.seed, "people")
        n = self.people
        self.enterprise = self.enterprises.draw(random, n)
        self.female: Mask = random.random(n) < 0.34
        self.occupation = self.trade(random, self.enterprise)
        self.born = np.empty(n, np.int32)
        for tier in TIERS:
            at = self.ranges[tier.name]
            low, high = ((year - 1970) * YEAR_DAYS for year in tier.born)
            share = random.random(at.stop - at.start)
            if tier.name == "workforce":  # the young are the more numerous
                share = 1 - np.abs(random.random(len(share)) * 1.2 - share * 0.5) * 0.75
            self.born[at] = low + np.clip(share, 0, 1) * (high - low)
        self.draw = np.minimum(random.lognormal(-0.4, 0.9, n), 6).astype(np.float32)
        self.first = np.full(n, NO_REFERENCE)

    def trade(self, random: Random, enterprise: Ints) -> Ints:
        """An occupation of each enterprise's industry: the first ones more often."""
        codes = list(names.OCCUPATIONS)
        width = max(len(own) for _, _, own in names.INDUSTRIES.values())
        table = np.zeros((len(names.INDUSTRIES), width), np.int32)
        count = np.zeros(len(names.INDUSTRIES))
        for row, (_, _, own) in enumerate(names.INDUSTRIES.values()):
            table[row, : len(own)] = [codes.index(code) for code in own]
            count[row] = len(own)
        industry = self.enterprises.industry[enterprise]
        at = (random.random(len(enterprise)) ** 1.5 * count[industry]).astype(np.int32)
        trade: Ints = table[industry, at]
        return trade

    def _careers(self) -> None:
        """Entry, first day at level 4 or above, retirement."""
        random = build_random_stream(self.seed, "careers")
        n = self.people
        self.entry = self.born + ((16.5 + random.random(n) * 5.5) * YEAR_DAYS).astype(np.int32)
        self.senior = np.full(n, UNSTATED_DAY)
        for tier in TIERS:
            at = self.ranges[tier.name]
            mean, spread = tier.to_senior
            wait = np.maximum(random.normal(mean, spread, at.stop - at.start), 3) * YEAR_DAYS
            self.senior[at] = self.entry[at] + wait.astype(np.int32)
        self._recent(random, "workforce", new=0.87, before=0.05)
        self._recent(random, "young_mentors", new=0.50, before=0.38)
        self.senior[self.senior > LATEST_DAY] = UNSTATED_DAY
        self._retirement(random)
        self.ready = self.entry + draw_gamma_waits(random, 4.0, n)

    def _recent(self, random: Random, tier: str, *, new: float, before: float) -> None:
        """Most of the workforce reach level 4 in the window; some before; the rest not yet."""
        at = self.ranges[tier]
        n = at.stop - at.start
        drawn = random.random(n)
        span = float(LATEST_DAY - WINDOW_START)
        fresh = (WINDOW_START + random.random(n) ** 0.8 * span).astype(np.int32)
        senior = np.where(drawn < new, fresh, UNSTATED_DAY)
        early = (drawn >= new) & (drawn < new + before)
        senior[early] = np.minimum(self.senior[at][early], WINDOW_START - 30)
        too_soon = senior < self.entry[at] + np.int32(1.5 * YEAR_DAYS)
        self.senior[at] = np.where(too_soon, UNSTATED_DAY, senior)

    def _retirement(self, random: Random) -> None:
        """Men at 60, women at 50 (talents and masters 55), later and later since 2025."""
        n = self.people
        age = np.where(self.female, 50.0, 60.0)
        for name in (*TALENT_TIERS, "masters"):
            at = self.ranges[name]
            age[at] = np.where(self.female[at], 55.0, 60.0)
        due = (self.born + age * YEAR_DAYS).astype(np.int32)
        months = np.maximum(due - parse_day_number("2025-01-01"), 0) / 30.44
        delay = np.minimum(np.ceil(months / np.where(age == 50, 2, 4)), 36) * 30.44
        due += delay.astype(np.int32)
        self.retired = np.where(due <= LATEST_DAY, due, UNSTATED_DAY)
        self.reemployed: Mask = (self.retired != UNSTATED_DAY) & (random.random(n) < 0.35)
        last_day = np.where(self.reemployed, due + np.int32(3 * YEAR_DAYS), due)
        self.until: Ints = np.where(
            self.retired == UNSTATED_DAY, LATEST_DAY, np.minimum(last_day, LATEST_DAY)
        )

    def _mentor(self, tier: Tier, links: LinkColumns) -> None:
        """Give a tier its mentors, block by block: a first one, and for some two more."""
        pool = self._mentors_of(tier)
        random = build_random_stream(self.seed, f"mentors of {tier.name}")
        at = self.ranges[tier.name]
        for low in range(at.start, at.stop, 4 * BLOCK_ROWS):
            people = np.arange(low, min(low + 4 * BLOCK_ROWS, at.stop), dtype=np.int32)
            count = draw_weighted(random, tier.mentors, len(people))
            met: list[Ints] = []
            for turn in range(3):
                apprentice = people[count > turn]
                mentor = pool.draw(random, self.enterprise[apprentice], (0.8, 0.15, 0.03, 0.02))
                slot = np.full(len(people), NO_REFERENCE)
                slot[apprentice - low] = mentor
                for earlier in met:
                    slot[slot == earlier] = NO_REFERENCE
                met.append(slot)
                held = slot != NO_REFERENCE
                self._begin(random, tier, turn, slot[held], people[held], links)

    def _mentors_of(self, tier: Tier) -> MemberPool:
        ranges = [(self.ranges[name], weight) for name, weight in tier.learns_from.items()]
        member = np.concatenate(
            [np.arange(at.start, at.stop, dtype=np.int32) for at, _ in ranges]
            or [np.empty(0, np.int32)]
        )
        weight = np.concatenate([self.draw[at] * w for at, w in ranges] or [np.empty(0)])
        return MemberPool(self.enterprises, member, self.enterprise[member], weight)

    def _begin(
        self,
        random: Random,
        tier: Tier,
        turn: int,
        mentor: Ints,
        apprentice: Ints,
        links: LinkColumns,
    ) -> None:
        """When each mentorship starts: after the mentor's own training, before retirement."""
        n = len(mentor)
        start = self._first_day(random, tier, turn, apprentice)
        start = np.maximum(start, self.ready[mentor] + draw_waits(random, 0.3, n))
        late = start > self.until[mentor]
        start[late] = self.until[mentor[late]] - draw_waits(random, 1.0, int(late.sum()))
        future = start > LATEST_DAY - 7
        start[future] = LATEST_DAY - random.integers(7, 400, int(future.sum()), dtype=np.int32)
        old_enough = start > self.born[apprentice] + np.int32(16 * YEAR_DAYS)
        mentor, apprentice, start = mentor[old_enough], apprentice[old_enough], start[old_enough]
        if turn == 0:
            self._follow(random, mentor, apprentice)
            if tier.name != "workforce":
                gap = (random.random(len(start)) * 2 + 1.5) * YEAR_DAYS
                ready = np.maximum(self.ready[apprentice], start + gap.astype(np.int32))
                self.ready[apprentice] = np.minimum(ready, parse_day_number("2024-09-01"))
        links.add(mentor, apprentice, start)

    def _first_day(self, random: Random, tier: Tier, turn: int, apprentice: Ints) -> Ints:
        n = len(apprentice)
        if tier.name != "workforce":
            return self.entry[apprentice] + draw_waits(random, 2.5 + 2.5 * turn, n)
        senior = self.senior[apprentice]
        lag = np.int32(60) + draw_gamma_waits(random, 1.6, n)
        after = random.random(n) < 0.05  # recognised before the mentorship began
        day = np.where(after, senior + random.integers(5, 400, n, dtype=np.int32), senior - lag)
        lately = LATEST_DAY - 30 - draw_waits(random, 1.5, n)
        day = np.where(senior == UNSTATED_DAY, lately, day)
        return np.maximum(day, self.entry[apprentice]).astype(np.int32)

    def _follow(self, random: Random, mentor: Ints, apprentice: Ints) -> None:
        """Four in five take up the trade of their first mentor, when the industry is the same."""
        self.first[apprentice] = mentor
        industry = self.enterprises.industry
        same = industry[self.enterprise[mentor]] == industry[self.enterprise[apprentice]]
        same &= random.random(len(mentor)) < 0.8
        self.occupation[apprentice[same]] = self.occupation[mentor[same]]

    def _studios(self) -> None:
        """Studios, hosted by their leader's enterprise; a quarter have a second leader."""
        random = build_random_stream(self.seed, "studios")
        n = max(1, round(self.talents * 0.7))
        leaders = random.permutation(self.talents)[:n].astype(np.int32)
        masters = self.ranges["masters"]
        if masters.stop > masters.start:
            led = random.random(n) < 0.08  # by someone who is no leading talent
            leaders[led] = random.integers(masters.start, masters.stop, int(led.sum()))
        self.studio_leader = leaders
        self.studio_host = self.enterprise[leaders]
        open_from = np.maximum(self.ready[leaders], parse_day_number("2008-05-01"))
        founded = open_from + draw_waits(random, 4.0, n)
        end = np.minimum(self.until[leaders] - 200, parse_day_number("2025-06-30"))
        self.studio_founded: Ints = np.minimum(
            founded, np.maximum(end, parse_day_number("2008-05-01"))
        )
        talents = np.arange(self.talents, dtype=np.int32)
        pool = MemberPool(
            self.enterprises, talents, self.enterprise[talents], np.ones(self.talents)
        )
        second = pool.draw(random, self.studio_host, (0.9, 0.1, 0, 0))
        shared = (random.random(n) < 0.27) & (second != leaders)
        self.studio_second: Ints = np.where(shared, second, NO_REFERENCE)
        self.studio_joined: Ints = self.studio_founded + draw_waits(random, 1.5, n)
        self.studio_joined = np.minimum(self.studio_joined, LATEST_DAY - 100)
        weight = np.minimum(random.lognormal(0, 0.9, n), 6)
        self.studio_pool = MemberPool(
            self.enterprises, np.arange(n, dtype=np.int32), self.studio_host, weight
        )

    def _train(self, tier: Tier, trained: LinkColumns) -> None:
        """Trainings at studios: mostly in the enterprise, before the recognition they prepare."""
        random = build_random_stream(self.seed, f"studio trainings of {tier.name}")
        at = self.ranges[tier.name]
        for low in range(at.start, at.stop, 4 * BLOCK_ROWS):
            people = np.arange(low, min(low + 4 * BLOCK_ROWS, at.stop), dtype=np.int32)
            times = (random.random(len(people)) < tier.at_studio).astype(np.int32)
            times += (times > 0) & (random.random(len(people)) < 0.15)
            person = np.repeat(people, times)
            studio = self.studio_pool.draw(random, self.enterprise[person], (0.7, 0.2, 0.08, 0.02))
            senior = self.senior[person]
            n = len(person)
            day = senior - 20 - draw_gamma_waits(random, 0.9, n)
            if tier.name != "workforce":
                day = self.entry[person] + draw_gamma_waits(random, 6.0, n)
            day = np.where(
                senior == UNSTATED_DAY, LATEST_DAY - 40 - draw_waits(random, 1.2, n), day
            )
            day = np.maximum(day, self.entry[person] + 30)
            opened = self.studio_founded[studio] + random.integers(0, 90, n, dtype=np.int32)
            day = np.minimum(np.maximum(day, opened), LATEST_DAY - 5)
            others = self.studio_leader[studio] != person
            trained.add(person[others], studio[others], day[others].astype(np.int32))
