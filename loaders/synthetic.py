"""A network as large as asked for, made from a seed, written as an exchange folder.

The folder loader is what reads it, so the demo, the tests and the national benchmark all go the
way of a real file. The same arguments give the same bytes. All people and links are kept as
compact numpy columns (`loaders.population`: about 100 bytes a person); the text is made and
written a block at a time.

No person exists: names are put together from lists, and citizen ID numbers have a right check
digit (GB 11643, MOD 11-2) but a region code no person can have (99xxxx, then 90, 09, 00).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from graph.errors import UsageError
from graph.model import BASES, PROVINCES, TABLES, Type
from loaders import names
from loaders.dirt import Dirt
from loaders.population import (
    BLOCK,
    LATEST,
    NEVER,
    NONE,
    WINDOW_START,
    YEAR,
    Ints,
    Mask,
    Network,
    Random,
    day,
    group_starts,
    humped_waits,
    pick,
    stream,
    waits,
)

# The programme's 5,000,000 for a network of 5,000,000 workers; its 15,000 for 15,000 talents.
HIGH_SKILLED_A_WORKER = 1.0
TARGET_YEARS: Mapping[int, float] = {2024: 0.28, 2025: 0.34, 2026: 0.38}


@dataclass(frozen=True)
class Generated:
    """What was written: `rows` a table, the `seconds` it took, and the `dirt` put in.

    `dirt` is table -> sort of dirt -> rows; see `loaders.dirt` for which sorts a loader refuses.
    """

    folder: Path
    rows: Mapping[str, int]
    seconds: float
    dirt: Mapping[str, Mapping[str, int]]

    @property
    def total(self) -> int:
        """Rows in all tables together."""
        return sum(self.rows.values())


# From columns to text


def _digits(number: NDArray[Any], width: int) -> NDArray[np.uint8]:
    """Numbers as rows of `width` ASCII digits."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (number.astype(np.int64)[:, None] // powers % 10 + 48).astype(np.uint8)


def _strings(matrix: NDArray[np.uint8]) -> pl.Series:
    """Rows of ASCII bytes as strings of that length."""
    n, width = matrix.shape
    offsets = np.arange(n + 1, dtype=np.int64) * width
    data = np.ascontiguousarray(matrix)
    array = pa.LargeStringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(data))
    return pl.Series(pl.from_arrow(array))


def _coded(prefix: str, number: NDArray[Any], width: int) -> pl.Series:
    """`P0000017`: a prefix and the number; null where the number is NONE."""
    head = np.frombuffer(prefix.encode(), np.uint8)
    matrix = np.empty((len(number), len(head) + width), np.uint8)
    matrix[:, : len(head)] = head
    matrix[:, len(head) :] = _digits(np.maximum(number, 0), width)
    return _where(number != NONE, _strings(matrix))


def _where(mask: Mask, series: pl.Series) -> pl.Series:
    """The series, null where the mask does not hold."""
    if mask.all():
        return series
    nothing = pl.Series([None], dtype=series.dtype).new_from_index(0, len(series))
    return series.zip_with(pl.Series(mask), nothing)


def _dates(days: Ints) -> pl.Series:
    """Days since 1970 as dates; null where NEVER."""
    return _where(days != NEVER, pl.Series(days.astype(np.int32)).cast(pl.Date))


def _words(words: Sequence[str], at: NDArray[Any]) -> pl.Series:
    """The word at each position; null at NONE."""
    series = pl.Series(list(words), dtype=pl.String)
    at = np.asarray(at)
    return _where(at != NONE, series.gather(pl.Series(np.maximum(at, 0).astype(np.uint32))))


CHECKS: NDArray[np.uint8] = np.frombuffer(b"10X98765432", np.uint8)


def check_digits(first17: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The check characters of citizen ID numbers, from rows of 17 ASCII digits (GB 11643)."""
    weights = np.array([2 ** (17 - i) % 11 for i in range(17)], dtype=np.int32)
    rest: Ints = (first17.astype(np.int32) - 48) @ weights % 11
    return CHECKS[rest]


# Region codes that exist nowhere: no province, and no area a foreigner's card can name.
REGIONS = ("99", "90", "09", "00", "10", "20", "30", "40", "60", "70", "80")


def _id_numbers(person: Ints, born: Ints, female: Mask) -> pl.Series:
    """One number a person: unique while there are fewer than 55 million people."""
    n = len(person)
    matrix = np.empty((n, 18), np.uint8)
    regions = np.array([list(code.encode()) for code in REGIONS], np.uint8)
    matrix[:, :2] = regions[np.minimum(person // 5_000_000, len(REGIONS) - 1)]
    matrix[:, 2:6] = _digits(person % 10_000, 4)
    matrix[:, 6:14] = _digits(_yyyymmdd(born), 8)
    matrix[:, 14:17] = _digits(person // 10_000 % 500 * 2 + ~female, 3)
    matrix[:, 17] = check_digits(matrix[:, :17])
    return _strings(matrix)


def _yyyymmdd(days: Ints) -> NDArray[np.int64]:
    dates = days.astype("datetime64[D]")
    firsts = dates.astype("datetime64[M]")
    months: NDArray[np.int64] = firsts.astype(np.int64)
    within: NDArray[np.int64] = (dates - firsts).astype(np.int64) + 1
    return (months // 12 + 1970) * 10_000 + (months % 12 + 1) * 100 + within


def _scattered(number: Ints, seed: int) -> NDArray[np.uint64]:
    """64 random-looking bits of each number (SplitMix64)."""
    mixed = number.astype(np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _at(bits: NDArray[np.uint64], shift: int, weights: Sequence[float]) -> NDArray[np.int64]:
    """Positions drawn by weight with 16 of the bits."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    drawn = (bits >> np.uint64(shift) & np.uint64(0xFFFF)).astype(float) / 65536
    at: NDArray[np.int64] = np.searchsorted(edges, drawn * edges[-1], side="right")
    return at


def _shared(total: int, weights: Iterable[float]) -> list[int]:
    """Whole parts by weight that add up to the total (largest remainders)."""
    share = np.array(list(weights), dtype=float)
    exact = total * share / share.sum()
    parts = np.floor(exact).astype(np.int64)
    parts[np.argsort(parts - exact, kind="stable")[: total - int(parts.sum())]] += 1
    return [int(part) for part in parts]


class Tables:
    """The exchange tables of a network, each as frames of at most BLOCK rows or so."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.width = max(7, len(str(network.people)))
        self.provinces = list(names.PROVINCE_WEIGHTS)
        self.industries = list(names.INDUSTRIES)
        self.codes = list(names.OCCUPATIONS)
        self.schools = max(6, network.workers // 2500)
        self.competitions = max(12, network.talents // 12)
        self._place_schools()

    def frames(self) -> Iterator[tuple[str, Iterator[pl.DataFrame]]]:
        """Each table's name with its frames, in the order in which they are written."""
        for name in TABLES:
            yield name, getattr(self, f"_{name}")()

    def expected(self) -> int:
        """About how many rows there will be."""
        n = self.network
        links = len(n.mentorships[0]) + round(1.5 * len(n.studio_trainings[0]))
        return round(3.4 * n.people) + links

    # Names for numbers

    def _person(self, number: Ints) -> pl.Series:
        return _coded("P", number, self.width)

    def _enterprise(self, number: NDArray[Any]) -> pl.Series:
        return _coded("E", number, 6)

    def _school(self, number: NDArray[Any]) -> pl.Series:
        return _coded("C", number, 5)

    def _studio(self, number: NDArray[Any]) -> pl.Series:
        return _coded("G", number, 6)

    def _occupation(self, number: NDArray[Any]) -> pl.Series:
        return _words(self.codes, number)

    def _random(self, stage: str) -> Random:
        return stream(self.network.seed, stage)

    def _blocks(self, n: int) -> Iterator[Ints]:
        for low in range(0, n, BLOCK):
            yield np.arange(low, min(low + BLOCK, n), dtype=np.int32)

    # Reference tables

    def _provinces(self) -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"code": list(PROVINCES), "name": [zh for _, zh in PROVINCES.values()]})

    def _occupations(self) -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"code": self.codes, "name": list(names.OCCUPATIONS.values())})

    def _enterprises(self) -> Iterator[pl.DataFrame]:
        random, own = self._random("enterprise details"), self.network.enterprises
        n = own.size
        staff = np.bincount(self.network.enterprise, minlength=n)
        fund = np.round(staff * random.lognormal(7.4, 0.35, n), -2) + 20_000
        front = np.round(fund * np.clip(random.normal(0.58, 0.12, n), 0.15, 0.95), -2)
        brands = [a + b for a in names.BRAND_FIRST for b in names.BRAND_SECOND]
        # A running number within the cell, scattered over the brands: no name twice in a cell.
        turn = np.arange(n) - group_starts(own.cell, int(own.cell.max()) + 1)[own.cell]
        brand = (turn * 251 + own.cell * 37) % len(brands)
        suffix = np.array(["有限公司", "股份有限公司", "集团有限公司"])[
            np.minimum((own.weight > 3).astype(int) + (own.weight > 12), 2)
        ]
        name = [
            f"{PROVINCES[self.provinces[p]][1]}{brands[b]}{self._noun(i)}{s}"
            + (f"第{t // len(brands) + 1}分公司" if t >= len(brands) else "")
            for p, b, i, s, t in zip(own.province, brand, own.industry, suffix, turn, strict=True)
        ]
        owner = pick(random, list(names.OWNERSHIPS.values()), n)
        yield pl.DataFrame({
            "enterprise_id": self._enterprise(np.arange(n)),
            "name": name,
            "province": _words(self.provinces, own.province),
            "industry": _words(self.industries, own.industry),
            "ownership": _words(list(names.OWNERSHIPS), owner),
            "education_fund": fund,
            "frontline_education_fund": front,
        })  # fmt: skip

    def _noun(self, industry: int) -> str:
        return names.INDUSTRIES[self.industries[industry]][1]

    def _place_schools(self) -> None:
        """Schools sorted by province, at least one nearby for nearly every enterprise."""
        random = self._random("schools")
        weights = [w for w, _ in names.PROVINCE_WEIGHTS.values()]
        self.school_province: Ints = np.sort(pick(random, weights, self.schools))
        bounds = group_starts(self.school_province, len(self.provinces))
        self.school_bounds = bounds

    def _near_school(self, random: Random, province: Ints) -> Ints:
        """A school of the province; any school where the province has none."""
        low, high = self.school_bounds[province], self.school_bounds[province + 1]
        empty = low == high
        low, high = np.where(empty, 0, low), np.where(empty, self.schools, high)
        return (low + random.random(len(province)) * (high - low)).astype(np.int32)

    def _schools(self) -> Iterator[pl.DataFrame]:
        random = self._random("school details")
        kinds = list(names.SCHOOL_NOUNS)
        kind = pick(random, (34, 30, 14, 16, 6), self.schools)
        nouns = [names.SCHOOL_NOUNS[kinds[k]][i % len(names.SCHOOL_NOUNS[kinds[k]])]
                 for i, k in enumerate(kind)]  # fmt: skip
        brands = [a + b for b in names.BRAND_SECOND for a in names.BRAND_FIRST]
        name = [
            f"{PROVINCES[self.provinces[p]][1]}{brands[i * 131 % len(brands)]}{noun}"
            for i, (p, noun) in enumerate(zip(self.school_province, nouns, strict=True))
        ]
        yield pl.DataFrame({
            "school_id": self._school(np.arange(self.schools)),
            "name": name,
            "kind": _words(kinds, kind),
            "province": _words(self.provinces, self.school_province),
        })  # fmt: skip

    def _studios(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("studio details"), self.network
        n = len(net.studio_leader)
        leader = self._named(net.studio_leader)
        kind = (random.random(n) < 0.45).astype(np.int32)
        noun = _words(("技能大师工作室", "劳模和工匠人才创新工作室"), kind)
        grade = pick(random, (14, 6, 40, 25, 15), n)
        grades = ("national", "ministerial", "provincial", "municipal", "enterprise")
        money = np.array([200_000, 150_000, 100_000, 50_000, 20_000])[grade]
        funding = np.round(money * (0.6 + random.random(n)), -3)
        # A few are hosted by a school.
        host = self._enterprise(net.studio_host)
        at_school = random.random(n) < 0.06
        province = net.enterprises.province[net.studio_host]
        host = host.zip_with(
            pl.Series(~at_school), self._school(self._near_school(random, province))
        )
        yield pl.DataFrame({
            "studio_id": self._studio(np.arange(n)),
            "name": leader + noun,
            "kind": _words(("skill_master", "model_worker_innovation"), kind),
            "grade": _words(grades, grade),
            "host_id": host,
            "province": _words(self.provinces, province),
            "founded": _dates(net.studio_founded),
            "industry": _words(self.industries, net.enterprises.industry[net.studio_host]),
            "funding": funding,
        })  # fmt: skip

    def _competitions(self) -> Iterator[pl.DataFrame]:
        random = self._random("competitions")
        n = self.competitions
        low = day("2014-06-01")
        held = (low + random.random(n) ** 0.8 * (LATEST - 30 - low)).astype(np.int32)
        self.competition_held: Ints = np.sort(held)
        self.competition_trade = self._random("competition trades").choice(
            self.network.occupation, n
        )
        grade = pick(random, (20, 15, 45, 20), n)
        levels = ("全国", "全国行业", "省级", "市级")
        year = _yyyymmdd(self.competition_held) // 10_000
        trades = list(names.OCCUPATIONS.values())
        province = pick(random, [w for w, _ in names.PROVINCE_WEIGHTS.values()], n)
        where = [
            PROVINCES[self.provinces[p]][1] if g > 1 else ""
            for g, p in zip(grade, province, strict=True)
        ]
        name = [
            f"{y}年{place}{levels[g]}职业技能竞赛{trades[t]}项目"
            for y, place, g, t in zip(year, where, grade, self.competition_trade, strict=True)
        ]
        yield pl.DataFrame({
            "competition_id": _coded("K", np.arange(n), 5),
            "name": name,
            "grade": _words(("national", "ministerial", "provincial", "municipal"), grade),
            "date": _dates(self.competition_held),
        })  # fmt: skip

    def _targets(self) -> Iterator[pl.DataFrame]:
        """15,000 and 5,000,000 at national size, else in proportion; a year's and a province's
        targets add up to the whole."""
        net = self.network
        high = round(net.workers * HIGH_SKILLED_A_WORKER)
        weights = np.array([w for code, (w, _) in names.PROVINCE_WEIGHTS.items() if code < "70"])
        mainland = [code for code in self.provinces if code < "70"]
        rows: list[tuple[str, int, int, int]] = []
        yearly = _shared(net.talents, TARGET_YEARS.values()), _shared(high, TARGET_YEARS.values())
        for year, goal, workers in zip(TARGET_YEARS, *yearly, strict=True):
            rows.append(("national", year, goal, workers))
            shares = _shared(goal, weights), _shared(workers, weights)
            rows += [(c, year, a, b) for c, a, b in zip(mainland, *shares, strict=True)]
        columns = ("scope", "year", "leading_talents", "high_skilled")
        yield pl.DataFrame(rows, schema=columns, orient="row")

    def _demand(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("demand"), self.network
        trades, mainland, years = len(self.codes), 31, np.array([2024, 2025, 2026])
        at = np.arange(trades * mainland * len(years))
        trade, province, year = at // 93, at // 3 % 31, years[at % 3]
        staff = np.bincount(net.occupation, minlength=trades)[trade]
        share = np.array([w for w, _ in names.PROVINCE_WEIGHTS.values()])[province] / 1100
        wanted = staff * share * random.lognormal(-1.6, 0.5, len(at)) * (1 + (year - 2024) * 0.06)
        positions = np.ceil(wanted).astype(np.int64)
        yield pl.DataFrame({
            "occupation_code": self._occupation(trade),
            "province": _words(self.provinces, province),
            "year": year,
            "positions": positions,
        })  # fmt: skip

    # People

    def _named(self, person: Ints) -> pl.Series:
        """A surname and one or two characters of the person's day; the same wherever asked."""
        net = self.network
        drawn = _scattered(person, net.seed)
        surname = _at(drawn, 0, list(names.SURNAMES.values()))
        year = net.born[person] / YEAR + 1970
        period = np.searchsorted([1980, 1995], year, side="right")
        pools = [pool for sex in names.GIVEN for pool in sex]
        offsets = np.cumsum([0, *map(len, pools)])
        pool = net.female[person] * len(names.GIVEN[0]) + period
        length = np.diff(offsets)[pool]
        first = offsets[pool] + (drawn >> np.uint64(16) & np.uint64(0xFFFF)) * length // 65536
        second = offsets[pool] + (drawn >> np.uint64(32) & np.uint64(0xFFFF)) * length // 65536
        single = (drawn >> np.uint64(48)) % np.uint64(100) < 22
        characters = [*"".join(pools), ""]
        second = np.where(single, len(characters) - 1, second)
        return (
            _words(list(names.SURNAMES), surname)
            + _words(characters, first.astype(np.int64))
            + _words(characters, second.astype(np.int64))
        )

    def _people(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("person details"), self.network
        kinds = ("technical", "compound", "knowledge", "digital")
        for person in self._blocks(net.people):
            n, at = len(person), slice(int(person[0]), int(person[-1]) + 1)
            female = net.female[at]
            employer = np.where(random.random(n) < 0.97, net.enterprise[at], NONE)
            type_ = np.where(random.random(n) < 0.8, pick(random, (60, 18, 12, 10), n), NONE)
            province = net.enterprises.province[net.enterprise[at]]
            stated = random.random((3, n))
            yield pl.DataFrame({
                "person_id": self._person(person),
                "name": self._named(person),
                "sex": _words(("male", "female"), np.where(stated[0] < 0.99, female, NONE)),
                "birth_date": _dates(np.where(stated[1] < 0.98, net.born[at], NEVER)),
                "id_number": _where(stated[2] < 0.97, _id_numbers(person, net.born[at], female)),
                "province": _words(self.provinces, province),
                "occupation_code": self._occupation(net.occupation[at]),
                "enterprise_id": self._enterprise(employer),
                "retired_on": _dates(net.retired[at]),
                "type": _words(kinds, type_),
            })  # fmt: skip

    def _talents(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("talents"), self.network
        n = net.talents
        person = np.arange(n, dtype=np.int32)
        fresh = random.random(n) < 0.8  # named inside the programme's window
        span = LATEST - WINDOW_START - 20
        inside = WINDOW_START + (random.random(n) ** 0.9 * span).astype(np.int32)
        before = day("2016-05-01") + random.integers(0, 2700, n, dtype=np.int32)
        self.named_on: Ints = np.where(fresh, inside, before)
        self.basis = pick(random, (9, 3, 22, 14, 12, 26, 14), n)
        grade = np.where(self.basis < 5, 0, 2)
        grade[(self.basis == 2) & (random.random(n) < 0.2)] = 1
        yield pl.DataFrame({
            "person_id": self._person(person),
            "basis": _words(list(BASES), self.basis),
            "recognised_on": _dates(self.named_on),
            "industry": _words(self.industries, net.enterprises.industry[net.enterprise[:n]]),
            "grade": _words(("national", "ministerial", "provincial"), grade),
            "source": _words(("人力资源社会保障部", "省级人社厅", "全国总工会"),
                             np.where(self.basis == 3, 2, (self.basis >= 5).astype(int))),
        })  # fmt: skip

    def _training_targets(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("training targets"), self.network
        young = np.flatnonzero(net.born[net.talents :] > day("1986-01-01")) + net.talents
        person = np.sort(random.permutation(young)[: max(1, net.people // 300)]).astype(np.int32)
        listed = day("2023-06-01") + random.integers(0, 1250, len(person), dtype=np.int32)
        reason = pick(random, (25, 25, 20, 18, 12), len(person))
        yield pl.DataFrame({
            "person_id": self._person(person),
            "listed_on": _dates(listed),
            "reason": _words(names.TARGET_REASONS, reason),
        })  # fmt: skip

    # Careers

    def _recognitions(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("recognitions"), self.network
        row = 0
        for person in self._blocks(net.people):
            ladder = self._ladder(random, person)
            who, level = np.nonzero(ladder != NEVER)
            day, level, n = ladder[who, level], (level + 1).astype(np.int32), len(who)
            mode = pick(random, (93, 4.5, 2.5), n)
            number = np.concatenate((
                np.full((n, 1), ord("Y"), np.uint8), _digits(_yyyymmdd(day) // 10_000, 4),
                _digits(level, 1), _digits(np.arange(row, row + n), 8),
            ), axis=1)  # fmt: skip
            row += n
            yield pl.DataFrame({
                "person_id": self._person(person[who]),
                "level": level,
                "occupation_code": self._occupation(
                    np.where(random.random(n) < 0.98, net.occupation[person[who]], NONE)),
                "date": _dates(day),
                "mode": _words(("assessed", "direct", "exceptional"), mode),
                "certificate_no": _where(random.random(n) < 0.9, _strings(number)),
            })  # fmt: skip

    def _ladder(self, random: Random, person: Ints) -> Ints:
        """The day of each of the eight levels for each person; NEVER where it is not on record.

        Level 4 (or, once in a dozen, 5 at once) falls on `senior`; the years before and after
        it keep the gaps that the rules for assessment ask for.
        """
        net, n = self.network, len(person)
        senior, entry = net.senior[person], net.entry[person]
        experienced = person < net.talents
        days = np.full((n, 8), NEVER)
        leap = (random.random(n) < 0.08) & (senior != NEVER)
        days[:, 3] = np.where(leap, NEVER, senior)
        days[:, 4] = np.where(leap, senior, NEVER)
        self._higher(random, days, experienced, person)
        self._lower(random, days, senior, entry, experienced)
        # Those who have not reached level 4: an early level, two in three on record.
        pending = senior == NEVER
        reached = pick(random, (26, 22, 18, 34), n)
        since = entry + np.int32(0.8 * YEAR) + (reached * 1.3 * YEAR).astype(np.int32)
        since += waits(random, 1.0, n)
        shown = pending & (reached < 3) & (since <= LATEST)
        days[np.flatnonzero(shown), reached[shown]] = since[shown]
        last = np.where(net.retired[person] == NEVER, LATEST, net.retired[person])
        days[days > last[:, None]] = NEVER
        return days

    def _higher(self, random: Random, days: Ints, talent: Mask, person: Ints) -> None:
        """Levels 5 to 8: each with a chance, years after the one before it."""
        n = len(days)
        mentor = person < self.network.ranges["workforce"].start
        go_on = np.where(talent, 0.97, np.where(mentor, 0.72, 0.55))
        on = days[:, 3] != NEVER
        last = np.where(on, days[:, 3], days[:, 4])
        reached = last != NEVER
        for level, least, spread in ((4, 2.0, 2.5), (5, 3.0, 3.0), (6, 4.0, 3.0), (7, 4.0, 4.0)):
            already = days[:, level] != NEVER
            reached &= already | (random.random(n) < go_on)
            later = last + np.int32(least * YEAR) + humped_waits(random, spread, n)
            step = reached & ~already & (later <= LATEST)
            days[step, level] = later[step]
            last = np.where(step | already, np.where(already, days[:, level], later), last)
            reached &= step | already
            go_on = go_on * 0.8

    def _lower(self, random: Random, days: Ints, senior: Ints, entry: Ints, talent: Mask) -> None:
        """Levels 3, 2, 1, before level 4: mostly too long ago to be on record."""
        n = len(days)
        before = senior
        for level, least, kept in ((2, 1.5, 0.34), (1, 1.0, 0.15), (0, 0.8, 0.08)):
            before = before - np.int32(least * YEAR) - waits(random, 1.0, n)
            chance = np.where(talent, 0.7, kept)
            shown = (senior != NEVER) & (before > entry) & (random.random(n) < chance)
            days[shown, level] = before[shown]

    def _practices(self) -> Iterator[pl.DataFrame]:
        """A second trade, for one in fifty: another one of the enterprise's industry."""
        random, net = self._random("practices"), self.network
        for person in self._blocks(net.people):
            who = person[random.random(len(person)) < 0.02]
            trade = net.trade(random, net.enterprise[who])
            other = trade != net.occupation[who]
            yield pl.DataFrame({
                "person_id": self._person(who[other]),
                "occupation_code": self._occupation(trade[other]),
            })  # fmt: skip

    def _employments(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("employments"), self.network
        for person in self._blocks(net.people):
            n = len(person)
            place, entry, retired = net.enterprise[person], net.entry[person], net.retired[person]
            current = random.random(n) < 0.955
            changed = current & (random.random(n) < 0.04)  # came from another enterprise
            joined = np.minimum(entry + waits(random, 1.0, n), LATEST - 3)
            moved = joined + ((LATEST - joined) * random.random(n) * 0.6).astype(np.int32) + 1
            moved = np.where(retired != NEVER, np.minimum(moved, retired - 200), moved)
            changed &= moved > joined
            back = current & net.reemployed[person]
            who = np.concatenate([np.flatnonzero(m) for m in (current, changed, back)])
            part = np.repeat([0, 1, 2], [current.sum(), changed.sum(), back.sum()])
            other = net.enterprises.draw(random, len(who))
            here = np.where(changed, moved, joined)
            start = np.choose(part, (here[who], joined[who], retired[who]))
            end = np.choose(part, (retired[who], moved[who] - 1, np.full(len(who), NEVER)))
            over = (part == 2) & (retired[who] + np.int32(3 * YEAR) < LATEST)
            end = np.where(over, retired[who] + np.int32(3 * YEAR), end)
            agreed = LATEST + random.integers(-200, 1800, len(who), dtype=np.int32)
            serves = (part == 0) & (end == NEVER) & (random.random(len(who)) < 0.07)
            until = np.where(serves, agreed, NEVER)
            until = np.where(part == 2, retired[who] + np.int32(3 * YEAR), until)
            order = np.argsort(who, kind="stable")
            columns = (who, part, start, end, until, np.where(part == 1, other, place[who]))
            who, part, start, end, until, at = (column[order] for column in columns)
            yield pl.DataFrame({
                "person_id": self._person(person[who]),
                "enterprise_id": self._enterprise(at),
                "start": _dates(start),
                "end": _dates(end),
                "position": self._positions(random, person[who]),
                "service_until": _dates(until),
                "reemployed": part == 2,
            })  # fmt: skip

    def _positions(self, random: Random, person: Ints) -> pl.Series:
        words = (*names.POSITIONS, *names.MASTER_POSITIONS)
        plain = pick(random, (50, 20, 9, 9, 8, 4), len(person))
        master = len(names.POSITIONS) + pick(random, (30, 30, 16, 8, 16), len(person))
        leads = person < self.network.ranges["mentors"].stop
        return _words(words, np.where(leads, master, plain))

    def _teaching(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("teaching"), self.network
        masters = net.ranges["masters"]
        teachers = np.concatenate((
            np.flatnonzero(random.random(net.talents) < 0.3),
            masters.start + np.flatnonzero(random.random(masters.stop - masters.start) < 0.06),
        )).astype(np.int32)  # fmt: skip
        n = len(teachers)
        province = net.enterprises.province[net.enterprise[teachers]]
        start = np.minimum(net.ready[teachers] + waits(random, 5.0, n), LATEST - 120)
        ended = random.random(n) < 0.25
        end = np.minimum(start + 200 + waits(random, 2.0, n), LATEST)
        yield pl.DataFrame({
            "person_id": self._person(teachers),
            "school_id": self._school(self._near_school(random, province)),
            "start": _dates(start),
            "end": _dates(np.where(ended, end, NEVER)),
            "part_time": random.random(n) < 0.9,
        })  # fmt: skip

    # Ties

    def _mentorships(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("mentorship details"), self.network
        mentors, apprentices, starts = net.mentorships
        kinds = ("apprenticeship", "famous_teacher", "school", "project", "peer")
        for at in self._blocks(len(mentors)):
            n, block = len(at), slice(int(at[0]), int(at[-1]) + 1)
            mentor, apprentice, start = mentors[block], apprentices[block], starts[block]
            kind = pick(random, (76, 6, 6, 8, 4), n)
            kind[(mentor < net.talents) & (random.random(n) < 0.45)] = 1
            lasts = random.choice((365, 365, 730, 730, 1096), n) + random.integers(-20, 60, n)
            end = start + lasts.astype(np.int32)
            broken = random.random(n) < 0.03
            end = np.where(broken, start + lasts.astype(np.int32) // 3, end)
            status = np.where(end > LATEST, 0, np.where(broken, 2, 1))
            undated = random.random(n) < 0.02
            end = np.where((end > LATEST) | undated, NEVER, end)
            yield pl.DataFrame({
                "mentor_id": self._person(mentor),
                "apprentice_id": self._person(apprentice),
                "start": _dates(np.where(undated, NEVER, start)),
                "end": _dates(end),
                "kind": _words(kinds, kind),
                "enterprise_id": self._enterprise(net.enterprise[apprentice]),
                "status": _words(("ongoing", "completed", "ended"), status),
            })  # fmt: skip

    def _honours(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("honours"), self.network
        n = net.talents
        person = np.arange(n, dtype=np.int32)
        # What a talent was named for, some weeks to years before (a shortage is no honour).
        based = np.flatnonzero(self.basis != len(BASES) - 1).astype(np.int32)
        bases = list(BASES)
        others = list(names.OTHER_HONOURS)
        more = np.flatnonzero(random.random(n) < 0.7).astype(np.int32)
        mentors = np.arange(net.ranges["masters"].start, net.ranges["young_mentors"].stop)
        rest = mentors[random.random(len(mentors)) < 0.04].astype(np.int32)
        who = np.concatenate((person[based], more, rest))
        other = pick(random, (15, 30, 20, 25, 10), len(who)) + len(bases)
        is_basis = np.arange(len(who)) < len(based)
        honour = np.where(is_basis, self.basis[np.minimum(who, n - 1)], other)
        grades = ["national"] * 5 + ["provincial"] * 2 + list(names.OTHER_HONOURS.values())
        latest = np.where(who < n, self.named_on[np.minimum(who, n - 1)], LATEST - 10)
        date_ = np.maximum(latest - 20 - waits(random, 1.5, len(who)), net.entry[who] + 900)
        yield pl.DataFrame({
            "person_id": self._person(who),
            "honour": _words(bases + others, honour),
            "grade": _words(grades, honour),
            "date": _dates(np.minimum(date_, LATEST)),
            "source": _words(("人力资源社会保障部", "省级人社厅", "总工会"),
                             np.where(honour < 3, 0, np.where(honour == 5, 1, 2))),
        })  # fmt: skip

    def _studio_leads(self) -> Iterator[pl.DataFrame]:
        net = self.network
        n = len(net.studio_leader)
        shared = np.flatnonzero(net.studio_second != NONE).astype(np.int32)
        retired = net.retired[net.studio_leader]
        left = (retired != NEVER) & ~net.reemployed[net.studio_leader]
        left &= retired > net.studio_founded
        yield pl.DataFrame({
            "studio_id": self._studio(np.concatenate((np.arange(n), shared))),
            "person_id": self._person(
                np.concatenate((net.studio_leader, net.studio_second[shared]))),
            "start": _dates(np.concatenate((net.studio_founded, net.studio_joined[shared]))),
            "end": _dates(np.concatenate((np.where(left, retired, NEVER),
                                          np.full(len(shared), NEVER)))),
        })  # fmt: skip

    def _trainings(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("trainings"), self.network
        people, studios, starts = net.studio_trainings
        for at in self._blocks(len(people)):
            block = slice(int(at[0]), int(at[-1]) + 1)
            kind = pick(random, (55, 0, 25, 19, 1), len(at))
            yield self._trained(
                random, people[block], self._studio(studios[block]), starts[block], kind
            )
        for person in self._blocks(net.people):
            yield self._other_trainings(random, person)

    def _other_trainings(self, random: Random, person: Ints) -> pl.DataFrame:
        """At a school nearby or in the enterprise."""
        net = self.network
        chosen = random.random(len(person)) < 0.08
        who = person[chosen & (net.retired[person] == NEVER)]
        n = len(who)
        at_school = random.random(n) < 0.55
        province = net.enterprises.province[net.enterprise[who]]
        school = self._school(self._near_school(random, province))
        place = school.zip_with(pl.Series(at_school), self._enterprise(net.enterprise[who]))
        start = np.maximum(LATEST - 30 - waits(random, 2.0, n), net.entry[who])
        kind = np.where(at_school, 1, pick(random, (70, 0, 20, 9, 1), n))
        return self._trained(random, who, place, np.minimum(start, LATEST - 3), kind)

    def _trained(
        self, random: Random, person: Ints, place: pl.Series, start: Ints, kind: NDArray[Any]
    ) -> pl.DataFrame:
        kinds = ("on_the_job", "school_enterprise", "key_position", "key_project", "overseas")
        end = start + random.integers(4, 200, len(start), dtype=np.int32)
        return pl.DataFrame({
            "person_id": self._person(person),
            "place_id": place,
            "start": _dates(start),
            "end": _dates(np.where(end > LATEST, NEVER, end)),
            "kind": _words(kinds, kind),
        })  # fmt: skip

    def _partnerships(self) -> Iterator[pl.DataFrame]:
        random, own = self._random("partnerships"), self.network.enterprises
        times = pick(random, (50, 35, 15), own.size)
        enterprise = np.repeat(np.arange(own.size, dtype=np.int32), times)
        n = len(enterprise)
        start = day("2012-09-01") + (random.random(n) * 5100).astype(np.int32)
        ended = random.random(n) < 0.2
        end = np.minimum(start + random.integers(365, 1500, n, dtype=np.int32), LATEST)
        kind = pick(random, (35, 30, 20, 15), n)
        yield pl.DataFrame({
            "enterprise_id": self._enterprise(enterprise),
            "school_id": self._school(self._near_school(random, own.province[enterprise])),
            "start": _dates(start),
            "end": _dates(np.where(ended, end, NEVER)),
            "kind": _words(names.PARTNERSHIP_KINDS, kind),
        })  # fmt: skip

    def _placings(self) -> Iterator[pl.DataFrame]:
        """The first 6 to 20 of each final: young people of the trade, one in six self-taught."""
        random, net = self._random("placings"), self.network
        age = (LATEST - net.born) / YEAR
        able = np.flatnonzero((age < 45) & (net.first != NONE)).astype(np.int32)
        alone = np.flatnonzero((age < 38) & (net.first == NONE)).astype(np.int32)
        trades = len(self.codes)
        pools = [(pool[np.argsort(net.occupation[pool], kind="stable")]) for pool in (able, alone)]
        bounds = [group_starts(net.occupation[pool], trades) for pool in pools]
        rows: list[tuple[int, int, int]] = []
        for number, (trade, held) in enumerate(
            zip(self.competition_trade, self.competition_held, strict=True)
        ):
            placed_already: set[int] = set()
            for _ in range(int(random.integers(6, 21))):
                which = int(random.random() < 0.17)
                low, high = bounds[which][trade], bounds[which][trade + 1]
                if low == high:
                    continue
                person = int(pools[which][random.integers(low, high)])
                if held > net.entry[person] and person not in placed_already:
                    placed_already.add(person)
                    rows.append((person, number, len(placed_already)))
        placed = np.array(rows, np.int32).reshape(-1, 3)
        yield pl.DataFrame({
            "person_id": self._person(placed[:, 0]),
            "competition_id": _coded("K", placed[:, 1], 5),
            "rank": placed[:, 2],
            "occupation_code": self._occupation(self.competition_trade[placed[:, 1]]),
        })  # fmt: skip


# Writing


class _File:
    """One table's file, written a frame at a time, every column as the model types it."""

    def __init__(self, path: Path, table: str, *, chinese: bool, encoding: str, text: bool) -> None:
        self.path, self.table = path, table
        self.chinese, self.encoding, self.text = chinese, encoding, text
        self.rows = 0
        self._out: BinaryIO | None = None
        self._parquet: pq.ParquetWriter | None = None

    def write(self, frame: pl.DataFrame) -> None:
        frame = self._columns(frame)
        if self.path.suffix == ".parquet":
            self._to_parquet(frame)
        else:
            self._to_csv(frame)
        self.rows += len(frame)

    def _columns(self, frame: pl.DataFrame) -> pl.DataFrame:
        types = {
            Type.DATE: pl.Date, Type.INTEGER: pl.Int64, Type.LEVEL: pl.Int64,
            Type.FLOAT: pl.Float64, Type.BOOLEAN: pl.Boolean,
        }  # fmt: skip
        out = []
        for column in TABLES[self.table].columns:
            if column.name in frame.columns:
                dtype = pl.String if self.text else types.get(column.type, pl.String)
                name = column.zh if self.chinese else column.name
                out.append(pl.col(column.name).cast(dtype).alias(name))
        extra = ["source"] if "source" in frame.columns else []
        return frame.select(*out, *extra)

    def _to_parquet(self, frame: pl.DataFrame) -> None:
        table = frame.to_arrow()
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self._parquet.write_table(table)

    def _to_csv(self, frame: pl.DataFrame) -> None:
        if self._out is None:
            self._out = self.path.open("wb")
        header = self.rows == 0
        if self.encoding == "utf-8":
            frame.write_csv(self._out, include_header=header, float_precision=0)
        else:
            text = frame.write_csv(include_header=header, float_precision=0)
            self._out.write(text.encode(self.encoding))

    def close(self) -> None:
        if self._out is not None:
            self._out.close()
        if self._parquet is not None:
            self._parquet.close()


# What the dirty folder does to whole files: one with Chinese headers, one in GB18030.
CHINESE_HEADERS, GB18030 = "employments", "honours"


def generate(
    folder: Path,
    *,
    talents: int,
    workers: int,
    seed: int,
    parquet: bool = False,
    dirt: float = 0.0,
    say: Callable[[str], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Generated:
    """Write a network of `talents` leading talents and `workers` other people to `folder`.

    All tables of the exchange format, as CSV (UTF-8) or Parquet; nothing is seen in the folder
    before all of it is there. `dirt` (0 to 1) is the share of rows given a fault of real files.
    `say` hears a line a table; `progress` the rows written and about how many there will be.
    Raises UsageError for sizes that make no network and for a folder that holds tables already.
    """
    began = time.perf_counter()
    _check(folder, talents, workers, seed, dirt)
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".generating-", dir=folder))
    try:
        tables = Tables(Network(talents, workers, seed))
        soil = Dirt(dirt, seed) if dirt else None
        rows = _write(staging, tables, soil, parquet, say, progress)
        for file in sorted(staging.iterdir()):
            os.replace(file, folder / file.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    counts = soil.counts if soil else {}
    return Generated(folder, rows, time.perf_counter() - began, counts)


def _check(folder: Path, talents: int, workers: int, seed: int, dirt: float) -> None:
    if talents < 1 or workers < 20:
        raise UsageError(
            f"A network of {talents} talents and {workers} workers is too small; "
            "ask for at least 1 talent and 20 workers."
        )
    if seed < 0:
        raise UsageError(f"The seed is {seed}, but it must be zero or a positive whole number.")
    if not 0 <= dirt <= 1:
        raise UsageError(f"The share of dirty rows is {dirt}, but it must lie from 0 to 1.")
    if folder.is_file():
        raise UsageError(f"{folder} is a file; name a folder to write to.")
    if folder.is_dir():
        for file in folder.iterdir():
            if file.name.split(".")[0] in TABLES:
                raise UsageError(f"{folder} already holds {file.name}; name a new or empty folder.")


def _write(
    staging: Path,
    tables: Tables,
    soil: Dirt | None,
    parquet: bool,
    say: Callable[[str], None] | None,
    progress: Callable[[int, int], None] | None,
) -> dict[str, int]:
    """Every table to its file; returns the rows of each."""
    rows: dict[str, int] = {}
    done, expected = 0, tables.expected()
    for table, frames in tables.frames():
        file = _File(
            staging / f"{table}.{'parquet' if parquet else 'csv'}",
            table,
            chinese=soil is not None and table == CHINESE_HEADERS,
            encoding="gb18030" if soil is not None and table == GB18030 else "utf-8",
            text=soil is not None,
        )
        try:
            for frame in frames:
                file.write(soil.on(table, frame) if soil else frame)
                if progress:
                    progress(done + file.rows, max(expected, done + file.rows))
        finally:
            file.close()
        rows[table] = file.rows
        done += file.rows
        if say:
            say(f"{table}: {file.rows:,} rows")
    return rows
