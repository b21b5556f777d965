"""The set of people each key reaches, stored for fast unions and overlaps.

A key is a talent or a place; the persons are row numbers of the snapshot's people. Five million
pairs take 20 MB and a union of any keys some milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from graph.driven.figures import Driven

# Below this share of all people, sorting those reached is quicker than marking them among all.
SMALL_UNION_SHARE: Final = 0.01
PersonNumbers = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True)
class ReachSets:
    """The people of key k are persons[starts[i] : starts[i + 1]] with i = places[k]; no repeats."""

    places: Mapping[Any, int]
    starts: np.ndarray[Any, np.dtype[np.int64]]
    persons: PersonNumbers
    people: int

    @classmethod
    def of(cls, pairs: pl.DataFrame, key: str, people: int) -> ReachSets:
        """From rows of `key` and person (below `people`); a pair that stands twice counts once."""
        keys = pairs[key].unique().sort()
        if keys.dtype == pl.String:
            place = pairs[key].cast(pl.Enum(keys)).to_physical().to_numpy()
        else:
            place = np.searchsorted(keys.to_numpy(), pairs[key].to_numpy())
        # One number a pair: to sort these is quicker than to sort by two columns.
        both = place.astype(np.int64) * people + pairs["person"].to_numpy()
        ordered = pl.Series(both).sort().to_numpy()
        once = ordered[np.diff(ordered, prepend=-1) > 0]
        starts = np.searchsorted(once, np.arange(len(keys) + 1) * people)
        places = {name: number for number, name in enumerate(keys)}
        return cls(places, starts, (once % max(people, 1)).astype(np.int32), people)

    def of_key(self, key: Any) -> PersonNumbers:
        """The persons of one key; none for a key that reaches nobody."""
        place = self.places.get(key)
        if place is None:
            return self.persons[:0]
        return self.persons[self.starts[place] : self.starts[place + 1]]

    def union(self, keys: Iterable[Any]) -> int:
        """How many persons these reach together, each counted once."""
        parts = [self.of_key(key) for key in keys]
        if sum(map(len, parts)) < SMALL_UNION_SHARE * self.people:
            return len(np.unique(np.concatenate([self.persons[:0], *parts])))
        seen = np.zeros(self.people, dtype=bool)
        for part in parts:
            seen[part] = True
        return int(np.count_nonzero(seen))


def build_talent_reach(driven: Driven) -> ReachSets:
    """The people each talent drives, by talent id."""
    pairs = driven.pairs.select("talent", "person").collect()
    reach = ReachSets.of(pairs, "talent", count_row_numbers(driven.people))
    ids = dict(driven.talents.select("person", "talent_id").rows())
    return replace(reach, places={ids[talent]: at for talent, at in reach.places.items()})


def count_row_numbers(people: pl.LazyFrame) -> int:
    """One more than the highest row number of a snapshot's people; 0 where there is nobody."""
    highest = people.select(pl.col("person").max()).collect().item()
    return 0 if highest is None else int(highest) + 1


@dataclass(frozen=True)
class Overlap:
    """The number of persons in exactly one combination of sets; `members` has a flag per set."""

    members: tuple[bool, ...]
    persons: int

    @property
    def shared(self) -> bool:
        """Whether they are in more than one set."""
        return sum(self.members) > 1


@dataclass(frozen=True)
class Joint:
    """The union and the overlaps of several sets.

    - sizes: of each set; total: their sum; union: each person once; twice: total - union
    - overlaps: a row each combination that has anybody, the largest first; they add up to union
    """

    sizes: tuple[int, ...]
    union: int
    overlaps: tuple[Overlap, ...]

    @property
    def total(self) -> int:
        """The sum over the sets."""
        return sum(self.sizes)

    @property
    def twice(self) -> int:
        """How often a person was counted again."""
        return self.total - self.union

    def alone(self, place: int) -> int:
        """The persons in the set at this place alone: what the union loses without it."""
        return sum(o.persons for o in self.overlaps if o.members[place] and not o.shared)

    def common(self, one: int, other: int) -> int:
        """The persons in both sets."""
        return sum(o.persons for o in self.overlaps if o.members[one] and o.members[other])

    def without(self, place: int) -> int:
        """The union of the others."""
        return self.union - self.alone(place)

    def least(self) -> int:
        """The place of the set that adds least to the others; of equals the smaller, then first."""
        return min(range(len(self.sizes)), key=lambda i: (self.alone(i), self.sizes[i], i))


def compute_joint(sets: Sequence[PersonNumbers]) -> Joint:
    """The union and the overlaps of the sets; each holds a person at most once."""
    sizes = tuple(len(one) for one in sets)
    if not sets:
        return Joint((), 0, ())
    persons = np.concatenate(sets)
    bits = np.repeat(1 << np.arange(len(sets), dtype=np.int64), sizes)
    # Every person's bits add up to the combination, for no set holds a person twice.
    _, places = np.unique(persons, return_inverse=True)
    combined = np.bincount(places, weights=bits).astype(np.int64)
    found, counts = np.unique(combined, return_counts=True)
    overlaps = [
        Overlap(tuple(bool(mask >> i & 1) for i in range(len(sets))), int(n))
        for mask, n in zip(found.tolist(), counts.tolist(), strict=True)
    ]
    overlaps.sort(key=lambda o: (-o.persons, [not m for m in o.members]))
    return Joint(sizes, int(counts.sum()), tuple(overlaps))


def compute_lorenz_curve(values: Sequence[float]) -> list[tuple[float, float]]:
    """The Lorenz curve from the largest down: share of the holders, share of the sum held."""
    ordered = np.sort(np.asarray(values, dtype=float))[::-1]
    total = ordered.sum()
    if not len(ordered) or total <= 0:
        return [(0.0, 0.0), (1.0, 1.0)]
    held = np.concatenate([[0.0], ordered.cumsum() / total])
    at = np.linspace(0, len(ordered), min(len(ordered), 100) + 1).round().astype(int)
    return [(float(i / len(ordered)), float(held[i])) for i in at]


def compute_top_share(values: Sequence[float], share: float) -> float | None:
    """What part of the sum the largest `share` of the values hold; None when the sum is 0."""
    ordered = np.sort(np.asarray(values, dtype=float))[::-1]
    total = float(ordered.sum())
    if not len(ordered) or total <= 0:
        return None
    return float(ordered[: max(1, round(share * len(ordered)))].sum()) / total


def compute_gini(values: Sequence[float]) -> float | None:
    """0 when all have the same, near 1 when one has all; None when the sum is 0."""
    ordered = np.sort(np.asarray(values, dtype=float))
    n, total = len(ordered), float(ordered.sum())
    if not n or total <= 0:
        return None
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))
