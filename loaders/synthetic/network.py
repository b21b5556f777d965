"""A network as large as asked for, made from a seed, written as an exchange folder.

The folder loader is what reads it, so the demo, the tests and the national benchmark all go the
way of a real file. The same arguments give the same bytes. All people and links are kept as
compact numpy columns (`loaders.synthetic.population`: about 100 bytes a person); the text is made
and written a block at a time.

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
from graph.messages import Message, Say
from graph.model.kinds import EXCHANGE_TABLES
from graph.model.schema_types import Type
from graph.model.vocabularies import (
    ACHIEVEMENT_KINDS,
    BASES,
    GRADES,
    PROJECT_KINDS,
    PROVINCES,
)
from loaders.synthetic import names
from loaders.synthetic.dirt import FaultInjector
from loaders.synthetic.population import (
    BLOCK_ROWS,
    LATEST_DAY,
    NO_REFERENCE,
    UNSTATED_DAY,
    WINDOW_START,
    YEAR_DAYS,
    Ints,
    Mask,
    Random,
    SyntheticNetwork,
    build_random_stream,
    compute_group_starts,
    draw_gamma_waits,
    draw_waits,
    draw_weighted,
    parse_day_number,
)

# The programme's 5,000,000 for a network of 5,000,000 workers; its 15,000 for 15,000 talents.
HIGH_SKILLED_PER_WORKER = 1.0
TARGET_SHARE_BY_YEAR: Mapping[int, float] = {2024: 0.28, 2025: 0.34, 2026: 0.38}


@dataclass(frozen=True)
class SyntheticFolder:
    """What was written: `rows` a table, the `seconds` it took, and the `dirt` put in.

    `dirt` is table -> sort of dirt -> rows; see `loaders.synthetic.dirt` for which sorts a loader
    refuses.
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


def _format_digits(number: NDArray[Any], width: int) -> NDArray[np.uint8]:
    """Numbers as rows of `width` ASCII digits."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (number.astype(np.int64)[:, None] // powers % 10 + 48).astype(np.uint8)


def _build_strings(matrix: NDArray[np.uint8]) -> pl.Series:
    """Rows of ASCII bytes as strings of that length."""
    n, width = matrix.shape
    offsets = np.arange(n + 1, dtype=np.int64) * width
    data = np.ascontiguousarray(matrix)
    array = pa.LargeStringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(data))
    return pl.Series(pl.from_arrow(array))


def _format_codes(prefix: str, number: NDArray[Any], width: int) -> pl.Series:
    """`P0000017`: a prefix and the number; null where the number is NONE."""
    head = np.frombuffer(prefix.encode(), np.uint8)
    matrix = np.empty((len(number), len(head) + width), np.uint8)
    matrix[:, : len(head)] = head
    matrix[:, len(head) :] = _format_digits(np.maximum(number, 0), width)
    return _mask_series(number != NO_REFERENCE, _build_strings(matrix))


def _mask_series(mask: Mask, series: pl.Series) -> pl.Series:
    """The series, null where the mask does not hold."""
    if mask.all():
        return series
    nothing = pl.Series([None], dtype=series.dtype).new_from_index(0, len(series))
    return series.zip_with(pl.Series(mask), nothing)


def _build_dates(days: Ints) -> pl.Series:
    """Days since 1970 as dates; null where NEVER."""
    return _mask_series(days != UNSTATED_DAY, pl.Series(days.astype(np.int32)).cast(pl.Date))


def _gather_words(words: Sequence[str], at: NDArray[Any]) -> pl.Series:
    """The word at each position; null at NONE."""
    series = pl.Series(list(words), dtype=pl.String)
    at = np.asarray(at)
    return _mask_series(
        at != NO_REFERENCE, series.gather(pl.Series(np.maximum(at, 0).astype(np.uint32)))
    )


CHECK_CHARACTER_BYTES: NDArray[np.uint8] = np.frombuffer(b"10X98765432", np.uint8)


def compute_check_digits(first17: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The check characters of citizen ID numbers, from rows of 17 ASCII digits (GB 11643)."""
    weights = np.array([2 ** (17 - i) % 11 for i in range(17)], dtype=np.int32)
    rest: Ints = (first17.astype(np.int32) - 48) @ weights % 11
    return CHECK_CHARACTER_BYTES[rest]


# Region codes that exist nowhere: no province, and no area a foreigner's card can name.
UNUSED_REGION_CODES = ("99", "90", "09", "00", "10", "20", "30", "40", "60", "70", "80")


def _build_id_numbers(person: Ints, born: Ints, female: Mask) -> pl.Series:
    """One number a person: unique while there are fewer than 55 million people."""
    n = len(person)
    matrix = np.empty((n, 18), np.uint8)
    regions = np.array([list(code.encode()) for code in UNUSED_REGION_CODES], np.uint8)
    matrix[:, :2] = regions[np.minimum(person // 5_000_000, len(UNUSED_REGION_CODES) - 1)]
    matrix[:, 2:6] = _format_digits(person % 10_000, 4)
    matrix[:, 6:14] = _format_digits(_encode_yyyymmdd(born), 8)
    matrix[:, 14:17] = _format_digits(person // 10_000 % 500 * 2 + ~female, 3)
    matrix[:, 17] = compute_check_digits(matrix[:, :17])
    return _build_strings(matrix)


def _encode_yyyymmdd(days: Ints) -> NDArray[np.int64]:
    dates = days.astype("datetime64[D]")
    firsts = dates.astype("datetime64[M]")
    months: NDArray[np.int64] = firsts.astype(np.int64)
    within: NDArray[np.int64] = (dates - firsts).astype(np.int64) + 1
    return (months // 12 + 1970) * 10_000 + (months % 12 + 1) * 100 + within


def _hash_numbers(number: Ints, seed: int) -> NDArray[np.uint64]:
    """64 random-looking bits of each number (SplitMix64)."""
    mixed = number.astype(np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _draw_from_bits(
    bits: NDArray[np.uint64], shift: int, weights: Sequence[float]
) -> NDArray[np.int64]:
    """Positions drawn by weight with 16 of the bits."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    drawn = (bits >> np.uint64(shift) & np.uint64(0xFFFF)).astype(float) / 65536
    at: NDArray[np.int64] = np.searchsorted(edges, drawn * edges[-1], side="right")
    return at


def _apportion_total(total: int, weights: Iterable[float]) -> list[int]:
    """Integer parts by weight that add up to the total (largest remainders)."""
    share = np.array(list(weights), dtype=float)
    exact = total * share / share.sum()
    parts = np.floor(exact).astype(np.int64)
    parts[np.argsort(parts - exact, kind="stable")[: total - int(parts.sum())]] += 1
    return [int(part) for part in parts]


class SyntheticTables:
    """The exchange tables of a network, each as frames of at most BLOCK rows or so."""

    def __init__(self, network: SyntheticNetwork) -> None:
        self.network = network
        self.width = max(7, len(str(network.people)))
        self.provinces = list(names.PROVINCE_WEIGHTS)
        self.industries = list(names.INDUSTRIES)
        self.codes = list(names.OCCUPATIONS)
        self.schools = max(6, network.workers // 2500)
        self.competitions = max(12, network.talents // 12)
        self.projects = max(4, network.workers // 1500)
        self._place_schools()

    def frames(self) -> Iterator[tuple[str, Iterator[pl.DataFrame]]]:
        """Each table's name with its frames, in the order in which they are written."""
        for name in EXCHANGE_TABLES:
            yield name, getattr(self, f"_{name}")()

    def expected(self) -> int:
        """About how many rows there will be."""
        n = self.network
        links = len(n.mentorships[0]) + round(1.5 * len(n.studio_trainings[0]))
        return round(3.5 * n.people) + links

    # Names for numbers

    def _person(self, number: Ints) -> pl.Series:
        return _format_codes("P", number, self.width)

    def _enterprise(self, number: NDArray[Any]) -> pl.Series:
        return _format_codes("E", number, 6)

    def _school(self, number: NDArray[Any]) -> pl.Series:
        return _format_codes("C", number, 5)

    def _studio(self, number: NDArray[Any]) -> pl.Series:
        return _format_codes("G", number, 6)

    def _occupation(self, number: NDArray[Any]) -> pl.Series:
        return _gather_words(self.codes, number)

    def _random(self, stage: str) -> Random:
        return build_random_stream(self.network.seed, stage)

    def _blocks(self, n: int) -> Iterator[Ints]:
        for low in range(0, n, BLOCK_ROWS):
            yield np.arange(low, min(low + BLOCK_ROWS, n), dtype=np.int32)

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
        brands = [
            a + b for a in names.BRAND_FIRST_CHARACTERS for b in names.BRAND_SECOND_CHARACTERS
        ]
        # A running number within the cell, scattered over the brands: no name twice in a cell.
        turn = np.arange(n) - compute_group_starts(own.cell, int(own.cell.max()) + 1)[own.cell]
        brand = (turn * 251 + own.cell * 37) % len(brands)
        suffix = np.array(["有限公司", "股份有限公司", "集团有限公司"])[
            np.minimum((own.weight > 3).astype(int) + (own.weight > 12), 2)
        ]
        name = [
            f"{PROVINCES[self.provinces[p]][1]}{brands[b]}{self._noun(i)}{s}"
            + (f"第{t // len(brands) + 1}分公司" if t >= len(brands) else "")
            for p, b, i, s, t in zip(own.province, brand, own.industry, suffix, turn, strict=True)
        ]
        owner = draw_weighted(random, list(names.OWNERSHIPS.values()), n)
        yield pl.DataFrame(
            {
                "enterprise_id": self._enterprise(np.arange(n)),
                "name": name,
                "province": _gather_words(self.provinces, own.province),
                "industry": _gather_words(self.industries, own.industry),
                "ownership": _gather_words(list(names.OWNERSHIPS), owner),
                "education_fund": fund,
                "frontline_education_fund": front,
            }
        )

    def _noun(self, industry: int) -> str:
        return names.INDUSTRIES[self.industries[industry]][1]

    def _place_schools(self) -> None:
        """Schools sorted by province, at least one nearby for nearly every enterprise."""
        random = self._random("schools")
        weights = [w for w, _ in names.PROVINCE_WEIGHTS.values()]
        self.school_province: Ints = np.sort(draw_weighted(random, weights, self.schools))
        bounds = compute_group_starts(self.school_province, len(self.provinces))
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
        kind = draw_weighted(random, (34, 30, 14, 16, 6), self.schools)
        nouns = [
            names.SCHOOL_NOUNS[kinds[k]][i % len(names.SCHOOL_NOUNS[kinds[k]])]
            for i, k in enumerate(kind)
        ]
        brands = [
            a + b for b in names.BRAND_SECOND_CHARACTERS for a in names.BRAND_FIRST_CHARACTERS
        ]
        name = [
            f"{PROVINCES[self.provinces[p]][1]}{brands[i * 131 % len(brands)]}{noun}"
            for i, (p, noun) in enumerate(zip(self.school_province, nouns, strict=True))
        ]
        yield pl.DataFrame(
            {
                "school_id": self._school(np.arange(self.schools)),
                "name": name,
                "kind": _gather_words(kinds, kind),
                "province": _gather_words(self.provinces, self.school_province),
            }
        )

    def _studios(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("studio details"), self.network
        n = len(net.studio_leader)
        leader = self._named(net.studio_leader)
        kind = (random.random(n) < 0.45).astype(np.int32)
        noun = _gather_words(("技能大师工作室", "劳模和工匠人才创新工作室"), kind)
        grade = draw_weighted(random, (14, 6, 40, 25, 15), n)
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
        yield pl.DataFrame(
            {
                "studio_id": self._studio(np.arange(n)),
                "name": leader + noun,
                "kind": _gather_words(("skill_master", "model_worker_innovation"), kind),
                "grade": _gather_words(grades, grade),
                "host_id": host,
                "province": _gather_words(self.provinces, province),
                "founded": _build_dates(net.studio_founded),
                "industry": _gather_words(
                    self.industries, net.enterprises.industry[net.studio_host]
                ),
                "funding": funding,
            }
        )

    def _competitions(self) -> Iterator[pl.DataFrame]:
        random = self._random("competitions")
        n = self.competitions
        low = parse_day_number("2014-06-01")
        held = (low + random.random(n) ** 0.8 * (LATEST_DAY - 30 - low)).astype(np.int32)
        self.competition_held: Ints = np.sort(held)
        self.competition_trade = self._random("competition trades").choice(
            self.network.occupation, n
        )
        grade = draw_weighted(random, (20, 15, 45, 20), n)
        levels = ("全国", "全国行业", "省级", "市级")
        year = _encode_yyyymmdd(self.competition_held) // 10_000
        trades = list(names.OCCUPATIONS.values())
        province = draw_weighted(random, [w for w, _ in names.PROVINCE_WEIGHTS.values()], n)
        where = [
            PROVINCES[self.provinces[p]][1] if g > 1 else ""
            for g, p in zip(grade, province, strict=True)
        ]
        name = [
            f"{y}年{place}{levels[g]}职业技能竞赛{trades[t]}项目"
            for y, place, g, t in zip(year, where, grade, self.competition_trade, strict=True)
        ]
        yield pl.DataFrame(
            {
                "competition_id": _format_codes("K", np.arange(n), 5),
                "name": name,
                "grade": _gather_words(
                    ("national", "ministerial", "provincial", "municipal"), grade
                ),
                "date": _build_dates(self.competition_held),
            }
        )

    def _targets(self) -> Iterator[pl.DataFrame]:
        """15,000 and 5,000,000 at national size, else in proportion; a year's and a province's
        targets add up to the total."""
        net = self.network
        high = round(net.workers * HIGH_SKILLED_PER_WORKER)
        weights = np.array([w for code, (w, _) in names.PROVINCE_WEIGHTS.items() if code < "70"])
        mainland = [code for code in self.provinces if code < "70"]
        rows: list[tuple[str, int, int, int]] = []
        yearly = (
            _apportion_total(net.talents, TARGET_SHARE_BY_YEAR.values()),
            _apportion_total(high, TARGET_SHARE_BY_YEAR.values()),
        )
        for year, goal, workers in zip(TARGET_SHARE_BY_YEAR, *yearly, strict=True):
            rows.append(("national", year, goal, workers))
            shares = _apportion_total(goal, weights), _apportion_total(workers, weights)
            rows += [(c, year, a, b) for c, a, b in zip(mainland, *shares, strict=True)]
        columns = ("scope", "year", "leading_talents", "high_skilled")
        yield pl.DataFrame(rows, schema=columns, orient="row")

    def _demand(self) -> Iterator[pl.DataFrame]:
        """Of an occupation and province where somebody works, or a whole position is wanted."""
        random, net = self._random("demand"), self.network
        trades, mainland, years = len(self.codes), 31, np.array([2024, 2025, 2026])
        at = np.arange(trades * mainland * len(years))
        trade, province, year = at // 93, at // 3 % 31, years[at % 3]
        staff = np.bincount(net.occupation, minlength=trades)[trade]
        share = np.array([w for w, _ in names.PROVINCE_WEIGHTS.values()])[province] / 1100
        wanted = staff * share * random.lognormal(-1.6, 0.5, len(at)) * (1 + (year - 2024) * 0.06)
        works = np.zeros((trades, len(self.provinces)), dtype=bool)
        works[net.occupation, net.enterprises.province[net.enterprise]] = True
        stated = np.flatnonzero(works[trade, province] | (wanted >= 1))
        yield pl.DataFrame(
            {
                "occupation_code": self._occupation(trade[stated]),
                "province": _gather_words(self.provinces, province[stated]),
                "year": year[stated],
                "positions": np.ceil(wanted[stated]).astype(np.int64),
            }
        )

    # People

    def _named(self, person: Ints) -> pl.Series:
        """A surname and one or two characters of the person's day; the same wherever asked."""
        net = self.network
        drawn = _hash_numbers(person, net.seed)
        surname = _draw_from_bits(drawn, 0, list(names.SURNAME_WEIGHTS.values()))
        year = net.born[person] / YEAR_DAYS + 1970
        period = np.searchsorted([1980, 1995], year, side="right")
        pools = [pool for sex in names.GIVEN_NAME_CHARACTERS for pool in sex]
        offsets = np.cumsum([0, *map(len, pools)])
        pool = net.female[person] * len(names.GIVEN_NAME_CHARACTERS[0]) + period
        length = np.diff(offsets)[pool]
        first = offsets[pool] + (drawn >> np.uint64(16) & np.uint64(0xFFFF)) * length // 65536
        second = offsets[pool] + (drawn >> np.uint64(32) & np.uint64(0xFFFF)) * length // 65536
        single = (drawn >> np.uint64(48)) % np.uint64(100) < 22
        characters = [*"".join(pools), ""]
        second = np.where(single, len(characters) - 1, second)
        return (
            _gather_words(list(names.SURNAME_WEIGHTS), surname)
            + _gather_words(characters, first.astype(np.int64))
            + _gather_words(characters, second.astype(np.int64))
        )

    def _people(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("person details"), self.network
        kinds = ("technical", "compound", "knowledge", "digital")
        for person in self._blocks(net.people):
            n, at = len(person), slice(int(person[0]), int(person[-1]) + 1)
            female = net.female[at]
            employer = np.where(random.random(n) < 0.97, net.enterprise[at], NO_REFERENCE)
            type_ = np.where(
                random.random(n) < 0.8, draw_weighted(random, (60, 18, 12, 10), n), NO_REFERENCE
            )
            province = net.enterprises.province[net.enterprise[at]]
            stated = random.random((3, n))
            yield pl.DataFrame(
                {
                    "person_id": self._person(person),
                    "name": self._named(person),
                    "sex": _gather_words(
                        ("male", "female"), np.where(stated[0] < 0.99, female, NO_REFERENCE)
                    ),
                    "birth_date": _build_dates(
                        np.where(stated[1] < 0.98, net.born[at], UNSTATED_DAY)
                    ),
                    "id_number": _mask_series(
                        stated[2] < 0.97, _build_id_numbers(person, net.born[at], female)
                    ),
                    "province": _gather_words(self.provinces, province),
                    "occupation_code": self._occupation(net.occupation[at]),
                    "enterprise_id": self._enterprise(employer),
                    "retired_on": _build_dates(net.retired[at]),
                    "type": _gather_words(kinds, type_),
                    "retirement_category": self._retirement_categories(person),
                    "story_consent": self._story_consents(person),
                }
            )

    def _retirement_categories(self, person: Ints) -> pl.Series:
        """Of nine in ten people, whether they retire as workers or as cadres."""
        random = build_random_stream(self.network.seed, f"retirement categories {person[0]}")
        drawn = draw_weighted(random, (62, 22, 6, 10), len(person))
        words = ("worker", "cadre", "unknown")
        return _gather_words(words, np.where(drawn == 3, NO_REFERENCE, drawn))

    def _story_consents(self, person: Ints) -> pl.Series:
        """Three in ten consent to a story, one in twenty does not; of the others it is unknown."""
        random = build_random_stream(self.network.seed, f"story consents {person[0]}")
        drawn = draw_weighted(random, (30, 5, 65), len(person))
        return pl.Series([True, False, None], dtype=pl.Boolean).gather(drawn)

    def _talents(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("talents"), self.network
        n = net.talents
        person = np.arange(n, dtype=np.int32)
        fresh = random.random(n) < 0.8  # named inside the programme's window
        span = LATEST_DAY - WINDOW_START - 20
        inside = WINDOW_START + (random.random(n) ** 0.9 * span).astype(np.int32)
        before = parse_day_number("2016-05-01") + random.integers(0, 2700, n, dtype=np.int32)
        self.named_on: Ints = np.where(fresh, inside, before)
        self.basis = draw_weighted(random, (9, 3, 22, 14, 12, 26, 14), n)
        grade = np.where(self.basis < 5, 0, 2)
        grade[(self.basis == 2) & (random.random(n) < 0.2)] = 1
        yield pl.DataFrame(
            {
                "person_id": self._person(person),
                "basis": _gather_words(list(BASES), self.basis),
                "recognised_on": _build_dates(self.named_on),
                "industry": _gather_words(
                    self.industries, net.enterprises.industry[net.enterprise[:n]]
                ),
                "grade": _gather_words(("national", "ministerial", "provincial"), grade),
                "source": _gather_words(
                    ("人力资源社会保障部", "省级人社厅", "全国总工会"),
                    np.where(self.basis == 3, 2, (self.basis >= 5).astype(int)),
                ),
            }
        )

    def _training_targets(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("training targets"), self.network
        young = (
            np.flatnonzero(net.born[net.talents :] > parse_day_number("1986-01-01")) + net.talents
        )
        person = np.sort(random.permutation(young)[: max(1, net.people // 300)]).astype(np.int32)
        listed = parse_day_number("2023-06-01") + random.integers(
            0, 1250, len(person), dtype=np.int32
        )
        reason = draw_weighted(random, (25, 25, 20, 18, 12), len(person))
        yield pl.DataFrame(
            {
                "person_id": self._person(person),
                "listed_on": _build_dates(listed),
                "reason": _gather_words(names.TARGET_REASONS, reason),
            }
        )

    # Careers

    def _recognitions(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("recognitions"), self.network
        row = 0
        for person in self._blocks(net.people):
            ladder = self._ladder(random, person)
            who, level = np.nonzero(ladder != UNSTATED_DAY)
            day, level, n = ladder[who, level], (level + 1).astype(np.int32), len(who)
            mode = draw_weighted(random, (93, 4.5, 2.5), n)
            number = np.concatenate(
                (
                    np.full((n, 1), ord("Y"), np.uint8),
                    _format_digits(_encode_yyyymmdd(day) // 10_000, 4),
                    _format_digits(level, 1),
                    _format_digits(np.arange(row, row + n), 8),
                ),
                axis=1,
            )
            row += n
            yield pl.DataFrame(
                {
                    "person_id": self._person(person[who]),
                    "level": level,
                    "occupation_code": self._occupation(
                        np.where(random.random(n) < 0.98, net.occupation[person[who]], NO_REFERENCE)
                    ),
                    "date": _build_dates(day),
                    "mode": _gather_words(("assessed", "direct", "exceptional"), mode),
                    "certificate_no": _mask_series(random.random(n) < 0.9, _build_strings(number)),
                }
            )

    def _ladder(self, random: Random, person: Ints) -> Ints:
        """The day of each of the eight levels for each person; NEVER where it is not on record.

        Level 4 (or, once in a dozen, 5 at once) falls on `senior`; the years before and after
        it keep the gaps that the rules for assessment ask for.
        """
        net, n = self.network, len(person)
        senior, entry = net.senior[person], net.entry[person]
        experienced = person < net.talents
        days = np.full((n, 8), UNSTATED_DAY)
        leap = (random.random(n) < 0.08) & (senior != UNSTATED_DAY)
        days[:, 3] = np.where(leap, UNSTATED_DAY, senior)
        days[:, 4] = np.where(leap, senior, UNSTATED_DAY)
        self._higher(random, days, experienced, person)
        self._lower(random, days, senior, entry, experienced)
        # Those who have not reached level 4: an early level, two in three on record.
        pending = senior == UNSTATED_DAY
        reached = draw_weighted(random, (26, 22, 18, 34), n)
        shown_from = (
            entry + np.int32(0.8 * YEAR_DAYS) + (reached * 1.3 * YEAR_DAYS).astype(np.int32)
        )
        shown_from += draw_waits(random, 1.0, n)
        shown = pending & (reached < 3) & (shown_from <= LATEST_DAY)
        days[np.flatnonzero(shown), reached[shown]] = shown_from[shown]
        last = np.where(net.retired[person] == UNSTATED_DAY, LATEST_DAY, net.retired[person])
        days[days > last[:, None]] = UNSTATED_DAY
        return days

    def _higher(self, random: Random, days: Ints, talent: Mask, person: Ints) -> None:
        """Levels 5 to 8: each with a chance, years after the one before it."""
        n = len(days)
        mentor = person < self.network.ranges["workforce"].start
        go_on = np.where(talent, 0.97, np.where(mentor, 0.72, 0.55))
        on = days[:, 3] != UNSTATED_DAY
        last = np.where(on, days[:, 3], days[:, 4])
        reached = last != UNSTATED_DAY
        for level, least, spread in ((4, 2.0, 2.5), (5, 3.0, 3.0), (6, 4.0, 3.0), (7, 4.0, 4.0)):
            already = days[:, level] != UNSTATED_DAY
            reached &= already | (random.random(n) < go_on)
            later = last + np.int32(least * YEAR_DAYS) + draw_gamma_waits(random, spread, n)
            step = reached & ~already & (later <= LATEST_DAY)
            days[step, level] = later[step]
            last = np.where(step | already, np.where(already, days[:, level], later), last)
            reached &= step | already
            go_on = go_on * 0.8

    def _lower(self, random: Random, days: Ints, senior: Ints, entry: Ints, talent: Mask) -> None:
        """Levels 3, 2, 1, before level 4: mostly too long ago to be on record."""
        n = len(days)
        before = senior
        for level, least, share in ((2, 1.5, 0.34), (1, 1.0, 0.15), (0, 0.8, 0.08)):
            before = before - np.int32(least * YEAR_DAYS) - draw_waits(random, 1.0, n)
            chance = np.where(talent, 0.7, share)
            shown = (senior != UNSTATED_DAY) & (before > entry) & (random.random(n) < chance)
            days[shown, level] = before[shown]

    def _practices(self) -> Iterator[pl.DataFrame]:
        """A second trade, for one in fifty: another one of the enterprise's industry."""
        random, net = self._random("practices"), self.network
        for person in self._blocks(net.people):
            who = person[random.random(len(person)) < 0.02]
            trade = net.trade(random, net.enterprise[who])
            other = trade != net.occupation[who]
            yield pl.DataFrame(
                {
                    "person_id": self._person(who[other]),
                    "occupation_code": self._occupation(trade[other]),
                }
            )

    def _employments(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("employments"), self.network
        for person in self._blocks(net.people):
            n = len(person)
            place, entry, retired = net.enterprise[person], net.entry[person], net.retired[person]
            current = random.random(n) < 0.955
            changed = current & (random.random(n) < 0.04)  # came from another enterprise
            joined = np.minimum(entry + draw_waits(random, 1.0, n), LATEST_DAY - 3)
            moved = joined + ((LATEST_DAY - joined) * random.random(n) * 0.6).astype(np.int32) + 1
            moved = np.where(retired != UNSTATED_DAY, np.minimum(moved, retired - 200), moved)
            changed &= moved > joined
            back = current & net.reemployed[person]
            who = np.concatenate([np.flatnonzero(m) for m in (current, changed, back)])
            part = np.repeat([0, 1, 2], [current.sum(), changed.sum(), back.sum()])
            other = net.enterprises.draw(random, len(who))
            here = np.where(changed, moved, joined)
            start = np.choose(part, (here[who], joined[who], retired[who]))
            end = np.choose(part, (retired[who], moved[who] - 1, np.full(len(who), UNSTATED_DAY)))
            over = (part == 2) & (retired[who] + np.int32(3 * YEAR_DAYS) < LATEST_DAY)
            end = np.where(over, retired[who] + np.int32(3 * YEAR_DAYS), end)
            agreed = LATEST_DAY + random.integers(-200, 1800, len(who), dtype=np.int32)
            serves = (part == 0) & (end == UNSTATED_DAY) & (random.random(len(who)) < 0.07)
            until = np.where(serves, agreed, UNSTATED_DAY)
            until = np.where(part == 2, retired[who] + np.int32(3 * YEAR_DAYS), until)
            order = np.argsort(who, kind="stable")
            columns = (who, part, start, end, until, np.where(part == 1, other, place[who]))
            who, part, start, end, until, at = (column[order] for column in columns)
            yield pl.DataFrame(
                {
                    "person_id": self._person(person[who]),
                    "enterprise_id": self._enterprise(at),
                    "start": _build_dates(start),
                    "end": _build_dates(end),
                    "position": self._positions(random, person[who]),
                    "service_until": _build_dates(until),
                    "reemployed": part == 2,
                    **self._employment_terms(person[who], (part == 0) & (end == UNSTATED_DAY)),
                }
            )

    def _employment_terms(self, person: Ints, working: Mask) -> dict[str, pl.Series]:
        """Non-competes, postponed retirements and forms of pay of those who still work there."""
        n, first = len(person), person[0] if len(person) else 0
        random = build_random_stream(self.network.seed, f"employment terms {first}")
        senior = person < self.network.ranges["workforce"].start
        bound = working & (random.random(n) < np.where(senior, 0.12, 0.01))
        soon = LATEST_DAY + random.integers(-100, 730, n, dtype=np.int32)
        late = (LATEST_DAY - self.network.born[person]) / YEAR_DAYS > 58
        postponed = working & senior & late & (random.random(n) < 0.3)
        later = LATEST_DAY + random.integers(30, 900, n, dtype=np.int32)
        form = draw_weighted(random, (40, 30, 20, 10), n)
        paid = working & (random.random(n) < np.where(senior, 0.3, 0.01))
        forms = ("annual", "agreement", "project", "equity")
        return {
            "non_compete_until": _build_dates(np.where(bound, soon, UNSTATED_DAY)),
            "retirement_postponed_until": _build_dates(np.where(postponed, later, UNSTATED_DAY)),
            "pay_form": _gather_words(forms, np.where(paid, form, NO_REFERENCE)),
        }

    def _positions(self, random: Random, person: Ints) -> pl.Series:
        words = (*names.POSITIONS, *names.MASTER_POSITIONS)
        plain = draw_weighted(random, (50, 20, 9, 9, 8, 4), len(person))
        master = len(names.POSITIONS) + draw_weighted(random, (30, 30, 16, 8, 16), len(person))
        leads = person < self.network.ranges["mentors"].stop
        return _gather_words(words, np.where(leads, master, plain))

    def _teaching(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("teaching"), self.network
        masters = net.ranges["masters"]
        teachers = np.concatenate(
            (
                np.flatnonzero(random.random(net.talents) < 0.3),
                masters.start + np.flatnonzero(random.random(masters.stop - masters.start) < 0.06),
            )
        ).astype(np.int32)
        n = len(teachers)
        province = net.enterprises.province[net.enterprise[teachers]]
        start = np.minimum(net.ready[teachers] + draw_waits(random, 5.0, n), LATEST_DAY - 120)
        ended = random.random(n) < 0.25
        end = np.minimum(start + 200 + draw_waits(random, 2.0, n), LATEST_DAY)
        yield pl.DataFrame(
            {
                "person_id": self._person(teachers),
                "school_id": self._school(self._near_school(random, province)),
                "start": _build_dates(start),
                "end": _build_dates(np.where(ended, end, UNSTATED_DAY)),
                "part_time": random.random(n) < 0.9,
            }
        )

    # Ties

    def _mentorships(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("mentorship details"), self.network
        mentors, apprentices, starts = net.mentorships
        kinds = ("apprenticeship", "famous_teacher", "school", "project", "peer")
        for at in self._blocks(len(mentors)):
            n, block = len(at), slice(int(at[0]), int(at[-1]) + 1)
            mentor, apprentice, start = mentors[block], apprentices[block], starts[block]
            kind = draw_weighted(random, (76, 6, 6, 8, 4), n)
            kind[(mentor < net.talents) & (random.random(n) < 0.45)] = 1
            lasts = random.choice((365, 365, 730, 730, 1096), n) + random.integers(-20, 60, n)
            end = start + lasts.astype(np.int32)
            broken = random.random(n) < 0.03
            end = np.where(broken, start + lasts.astype(np.int32) // 3, end)
            status = np.where(end > LATEST_DAY, 0, np.where(broken, 2, 1))
            undated = random.random(n) < 0.02
            end = np.where((end > LATEST_DAY) | undated, UNSTATED_DAY, end)
            yield pl.DataFrame(
                {
                    "mentor_id": self._person(mentor),
                    "apprentice_id": self._person(apprentice),
                    "start": _build_dates(np.where(undated, UNSTATED_DAY, start)),
                    "end": _build_dates(end),
                    "kind": _gather_words(kinds, kind),
                    "enterprise_id": self._enterprise(net.enterprise[apprentice]),
                    "status": _gather_words(("ongoing", "completed", "ended"), status),
                }
            )

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
        other = draw_weighted(random, (15, 30, 20, 25, 10), len(who)) + len(bases)
        is_basis = np.arange(len(who)) < len(based)
        honour = np.where(is_basis, self.basis[np.minimum(who, n - 1)], other)
        grades = ["national"] * 5 + ["provincial"] * 2 + list(names.OTHER_HONOURS.values())
        latest = np.where(who < n, self.named_on[np.minimum(who, n - 1)], LATEST_DAY - 10)
        date_ = np.maximum(latest - 20 - draw_waits(random, 1.5, len(who)), net.entry[who] + 900)
        yield pl.DataFrame(
            {
                "person_id": self._person(who),
                "honour": _gather_words(bases + others, honour),
                "grade": _gather_words(grades, honour),
                "date": _build_dates(np.minimum(date_, LATEST_DAY)),
                "source": _gather_words(
                    ("人力资源社会保障部", "省级人社厅", "总工会"),
                    np.where(honour < 3, 0, np.where(honour == 5, 1, 2)),
                ),
            }
        )

    def _studio_leads(self) -> Iterator[pl.DataFrame]:
        net = self.network
        n = len(net.studio_leader)
        shared = np.flatnonzero(net.studio_second != NO_REFERENCE).astype(np.int32)
        retired = net.retired[net.studio_leader]
        left = (retired != UNSTATED_DAY) & ~net.reemployed[net.studio_leader]
        left &= retired > net.studio_founded
        yield pl.DataFrame(
            {
                "studio_id": self._studio(np.concatenate((np.arange(n), shared))),
                "person_id": self._person(
                    np.concatenate((net.studio_leader, net.studio_second[shared]))
                ),
                "start": _build_dates(
                    np.concatenate((net.studio_founded, net.studio_joined[shared]))
                ),
                "end": _build_dates(
                    np.concatenate(
                        (np.where(left, retired, UNSTATED_DAY), np.full(len(shared), UNSTATED_DAY))
                    )
                ),
            }
        )

    def _trainings(self) -> Iterator[pl.DataFrame]:
        random, net = self._random("trainings"), self.network
        people, studios, starts = net.studio_trainings
        for at in self._blocks(len(people)):
            block = slice(int(at[0]), int(at[-1]) + 1)
            kind = draw_weighted(random, (55, 0, 25, 19, 1), len(at))
            yield self._trained(
                random, people[block], self._studio(studios[block]), starts[block], kind
            )
        for person in self._blocks(net.people):
            yield self._other_trainings(random, person)

    def _other_trainings(self, random: Random, person: Ints) -> pl.DataFrame:
        """At a school nearby or in the enterprise."""
        net = self.network
        chosen = random.random(len(person)) < 0.08
        who = person[chosen & (net.retired[person] == UNSTATED_DAY)]
        n = len(who)
        at_school = random.random(n) < 0.55
        province = net.enterprises.province[net.enterprise[who]]
        school = self._school(self._near_school(random, province))
        place = school.zip_with(pl.Series(at_school), self._enterprise(net.enterprise[who]))
        start = np.maximum(LATEST_DAY - 30 - draw_waits(random, 2.0, n), net.entry[who])
        kind = np.where(at_school, 1, draw_weighted(random, (70, 0, 20, 9, 1), n))
        return self._trained(random, who, place, np.minimum(start, LATEST_DAY - 3), kind)

    def _trained(
        self, random: Random, person: Ints, place: pl.Series, start: Ints, kind: NDArray[Any]
    ) -> pl.DataFrame:
        kinds = ("on_the_job", "school_enterprise", "key_position", "key_project", "overseas")
        end = start + random.integers(4, 200, len(start), dtype=np.int32)
        return pl.DataFrame(
            {
                "person_id": self._person(person),
                "place_id": place,
                "start": _build_dates(start),
                "end": _build_dates(np.where(end > LATEST_DAY, UNSTATED_DAY, end)),
                "kind": _gather_words(kinds, kind),
            }
        )

    def _partnerships(self) -> Iterator[pl.DataFrame]:
        random, own = self._random("partnerships"), self.network.enterprises
        times = draw_weighted(random, (50, 35, 15), own.size)
        enterprise = np.repeat(np.arange(own.size, dtype=np.int32), times)
        n = len(enterprise)
        start = parse_day_number("2012-09-01") + (random.random(n) * 5100).astype(np.int32)
        ended = random.random(n) < 0.2
        end = np.minimum(start + random.integers(365, 1500, n, dtype=np.int32), LATEST_DAY)
        kind = draw_weighted(random, (35, 30, 20, 15), n)
        yield pl.DataFrame(
            {
                "enterprise_id": self._enterprise(enterprise),
                "school_id": self._school(self._near_school(random, own.province[enterprise])),
                "start": _build_dates(start),
                "end": _build_dates(np.where(ended, end, UNSTATED_DAY)),
                "kind": _gather_words(names.PARTNERSHIP_KINDS, kind),
            }
        )

    def _placings(self) -> Iterator[pl.DataFrame]:
        """The first 6 to 20 of each final: young people of the trade, one in six self-taught."""
        random, net = self._random("placings"), self.network
        age = (LATEST_DAY - net.born) / YEAR_DAYS
        able = np.flatnonzero((age < 45) & (net.first != NO_REFERENCE)).astype(np.int32)
        alone = np.flatnonzero((age < 38) & (net.first == NO_REFERENCE)).astype(np.int32)
        trades = len(self.codes)
        pools = [(pool[np.argsort(net.occupation[pool], kind="stable")]) for pool in (able, alone)]
        bounds = [compute_group_starts(net.occupation[pool], trades) for pool in pools]
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
        yield pl.DataFrame(
            {
                "person_id": self._person(placed[:, 0]),
                "competition_id": _format_codes("K", placed[:, 1], 5),
                "rank": placed[:, 2],
                "occupation_code": self._occupation(self.competition_trade[placed[:, 1]]),
            }
        )

    # Projects, achievements, subsidies

    def _projects(self) -> Iterator[pl.DataFrame]:
        random, net, n = self._random("projects"), self.network, self.projects
        self.project_host: Ints = random.integers(0, net.enterprises.size, n, dtype=np.int32)
        low = parse_day_number("2018-01-01")
        self.project_start: Ints = low + random.integers(0, LATEST_DAY - 200 - low, n, np.int32)
        end = self.project_start + random.integers(180, 1800, n, dtype=np.int32)
        self.project_end: Ints = np.where(end > LATEST_DAY, UNSTATED_DAY, end)
        kind = draw_weighted(random, (34, 20, 8, 6, 6, 26), n)
        names_zh = [zh for _, zh in PROJECT_KINDS.values()]
        host = net.enterprises
        name = [
            f"{PROVINCES[self.provinces[host.province[h]]][1]}{self._noun(host.industry[h])}"
            f"{names_zh[k]}{number + 1}号"
            for number, (h, k) in enumerate(zip(self.project_host, kind, strict=True))
        ]
        yield pl.DataFrame(
            {
                "project_id": _format_codes("J", np.arange(n), 5),
                "name": name,
                "kind": _gather_words(list(PROJECT_KINDS), kind),
                "start": _build_dates(self.project_start),
                "end": _build_dates(self.project_end),
                "enterprise_id": self._enterprise(self.project_host),
                "province": _gather_words(self.provinces, host.province[self.project_host]),
            }
        )

    def _participations(self) -> Iterator[pl.DataFrame]:
        """Four to a dozen people a project, one in three of them a mentor or a talent."""
        random, net = self._random("participations"), self.network
        size = random.integers(4, 13, self.projects)
        project = np.repeat(np.arange(self.projects, dtype=np.int32), size)
        n = len(project)
        master = random.random(n) < 0.33
        last = np.where(master, net.ranges["workforce"].start, net.people)
        person = (random.random(n) * last).astype(np.int32)
        start = np.maximum(self.project_start[project], net.entry[person])
        end = self.project_end[project]
        able = (start < LATEST_DAY - 10) & ((end == UNSTATED_DAY) | (end > start))
        able &= ~(pl.DataFrame({"a": project, "b": person}).is_duplicated().to_numpy())
        role = draw_weighted(random, (15, 60, 25), n)
        role = np.where(master & (role == 1), 0, role)
        yield pl.DataFrame(
            {
                "person_id": self._person(person[able]),
                "project_id": _format_codes("J", project[able], 5),
                "role": _gather_words(names.PROJECT_ROLES, role[able]),
                "start": _build_dates(start[able]),
                "end": _build_dates(end[able]),
            }
        )

    def _achievements(self) -> Iterator[pl.DataFrame]:
        """One or two a leading talent, and of one mentor in twelve."""
        random, net = self._random("achievements"), self.network
        mentors = np.arange(net.ranges["masters"].start, net.ranges["young_mentors"].stop)
        talents = np.repeat(
            np.arange(net.talents), draw_weighted(random, (30, 40, 30), net.talents)
        )
        person = np.concatenate((talents, mentors[random.random(len(mentors)) < 0.08]))
        person = person.astype(np.int32)
        n = len(person)
        kind = draw_weighted(random, (38, 18, 30, 14), n)
        words = [zh for _, zh in ACHIEVEMENT_KINDS.values()]
        trades = list(names.OCCUPATIONS.values())
        title = [
            f"{trades[t]}{words[k]}（{number + 1}）"
            for number, (t, k) in enumerate(zip(net.occupation[person], kind, strict=True))
        ]
        latest = np.where(net.retired[person] == UNSTATED_DAY, LATEST_DAY, net.retired[person])
        day = np.maximum(latest - 20 - draw_waits(random, 5.0, n), net.entry[person] + 700)
        grade = draw_weighted(random, (12, 8, 35, 25, 20), n)
        yield pl.DataFrame(
            {
                "person_id": self._person(person),
                "title": title,
                "kind": _gather_words(list(ACHIEVEMENT_KINDS), kind),
                "grade": _gather_words(list(GRADES), np.where(kind < 3, NO_REFERENCE, grade)),
                "date": _build_dates(np.minimum(day, LATEST_DAY)),
            }
        )

    def _subsidies(self) -> Iterator[pl.DataFrame]:
        """To talents, studios, enterprises and schools, in the three years of the programme."""
        random, net = self._random("subsidies"), self.network
        studios = len(net.studio_leader)
        sizes = (net.talents, studios, net.enterprises.size, self.schools)
        makers = (self._person, self._studio, self._enterprise, self._school)
        kinds, means = (
            ("talent_allowance", "studio_grant", "vocational_training", "apprentice_training"),
            (2.4e4, 1e5, 4e5, 2e5),
        )
        for number, (size, make) in enumerate(zip(sizes, makers, strict=True)):
            years = np.repeat(np.array(list(TARGET_SHARE_BY_YEAR)), size)
            at = np.tile(np.arange(size, dtype=np.int32), len(TARGET_SHARE_BY_YEAR))
            paid = random.random(len(at)) < (0.5, 0.4, 0.25, 0.3)[number]
            amount = np.round(means[number] * random.lognormal(-0.2, 0.6, len(at)), -2) + 1000
            yield pl.DataFrame(
                {
                    "recipient_id": make(at[paid]),
                    "kind": pl.Series([kinds[number]]).new_from_index(0, int(paid.sum())),
                    "amount": amount[paid],
                    "year": years[paid],
                }
            )


# Writing


class _TableFile:
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
            Type.DATE: pl.Date,
            Type.INTEGER: pl.Int64,
            Type.LEVEL: pl.Int64,
            Type.FLOAT: pl.Float64,
            Type.BOOLEAN: pl.Boolean,
        }
        out = []
        for column in EXCHANGE_TABLES[self.table].columns:
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


# What the dirty folder does to entire files: one with Chinese headers, one in GB18030.
CHINESE_HEADERS_TABLE, GB18030_TABLE = "employments", "honours"


def write_synthetic_folder(
    folder: Path,
    *,
    talents: int,
    workers: int,
    seed: int,
    parquet: bool = False,
    dirt: float = 0.0,
    say: Say | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SyntheticFolder:
    """Write a network of `talents` leading talents and `workers` other people to `folder`.

    All tables of the exchange format, as CSV (UTF-8) or Parquet; nothing is seen in the folder
    before all of it is there. `dirt` (0 to 1) is the share of rows given a fault of real files.
    `say` hears a line a table; `progress` the rows written and about how many there will be.
    Raises UsageError for sizes that make no network and for a folder that holds tables already.
    """
    began = time.perf_counter()
    _validate_network_request(folder, talents, workers, seed, dirt)
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".generating-", dir=folder))
    try:
        tables = SyntheticTables(SyntheticNetwork(talents, workers, seed))
        soil = FaultInjector(dirt, seed) if dirt else None
        rows = _write_synthetic_tables(staging, tables, soil, parquet, say, progress)
        for file in sorted(staging.iterdir()):
            os.replace(file, folder / file.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    counts = soil.counts if soil else {}
    return SyntheticFolder(folder, rows, time.perf_counter() - began, counts)


def _validate_network_request(
    folder: Path, talents: int, workers: int, seed: int, dirt: float
) -> None:
    if talents < 1 or workers < 20:
        raise UsageError(
            "A network of {talents} talents and {workers} workers is too small; ask for at "
            "least 1 talent and 20 workers.",
            talents=talents,
            workers=workers,
        )
    if seed < 0:
        raise UsageError(
            "The seed is {seed}, but it must be zero or a positive whole number.", seed=seed
        )
    if not 0 <= dirt <= 1:
        raise UsageError(
            "The share of dirty rows is {dirt}, but it must lie from 0 to 1.", dirt=dirt
        )
    if folder.is_file():
        raise UsageError("{folder} is a file; name a folder to write to.", folder=folder)
    if folder.is_dir():
        for file in folder.iterdir():
            if file.name.split(".")[0] in EXCHANGE_TABLES:
                raise UsageError(
                    "{folder} already holds {file}; name a new or empty folder.",
                    folder=folder,
                    file=file.name,
                )


def _write_synthetic_tables(
    staging: Path,
    tables: SyntheticTables,
    soil: FaultInjector | None,
    parquet: bool,
    say: Say | None,
    progress: Callable[[int, int], None] | None,
) -> dict[str, int]:
    """Every table to its file; returns the rows of each."""
    rows: dict[str, int] = {}
    done, expected = 0, tables.expected()
    for table, frames in tables.frames():
        file = _TableFile(
            staging / f"{table}.{'parquet' if parquet else 'csv'}",
            table,
            chinese=soil is not None and table == CHINESE_HEADERS_TABLE,
            encoding="gb18030" if soil is not None and table == GB18030_TABLE else "utf-8",
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
            say(Message("{table}: {rows:,} rows", table=table, rows=file.rows))
    return rows
