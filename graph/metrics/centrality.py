"""How central a mentor is in the network of mentorships: PageRank, harmonic, betweenness.

All three take who taught whom on record, dated or not, each pair once and nobody himself.

- pagerank: r(v) = (1 - d) / n + d (sum over v's apprentices u of r(u) / mentors(u) + lost / n),
  d = 0.85: a walk that goes from apprentice to mentor, to any of several alike. `lost` is the rank
  of those who have no mentor, shared out to all n people. Iterated until the changes add up to less
  than 1e-9; given in multiples of the average person's. Brin, Page 1998, Computer Networks 30:107.
- harmonic: H(v) = sum over all v's descendants t of 1 / d(v, t), in hops: an apprentice counts 1,
  an apprentice's apprentice 1/2. Boldi, Vigna 2014, Internet Mathematics 10:222.
- betweenness: B(v) = sum over all pairs s, t of the share of the shortest lineages from s to t
  that go through v, not normalised. Brandes 2001, Journal of Mathematical Sociology 25:163.

Harmonic and betweenness are sums over the apprentices t of what stands above t, so they are taken
from the apprentices upwards: few stand above a person, many may stand below. All apprentices are
taken where that is affordable, and the figures are exact. Otherwise k of the T apprentices are
drawn without replacement (Brandes, Pich 2007, doi 10.1142/S0218127407018403), and with the
contributions x(t) of those drawn the estimate is T times their mean, and its error
1.96 T sqrt((1 - k/T) s^2 / k), s^2 their variance: the half-width of the normal interval at 95 %
with the correction for a finite population.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl

from graph.errors import UsageError
from graph.labels import MetricColumnLabels
from graph.metrics.mpact import collect_mentorship_pairs
from graph.people.chains import expand_offsets
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

COLUMNS: Final[MetricColumnLabels] = {
    "person_id": ("person", "人员编号"),
    "name": ("name", "姓名"),
    "leading": ("leading talent", "领军人才"),
    "pagerank": ("PageRank, the average person's = 1", "PageRank（人均为 1）"),
    "harmonic": ("harmonic centrality, downwards", "调和中心性（向下）"),
    "harmonic_error": ("± at 95 %; 0 = exact, none = too few drawn", "95% 误差（0 为精确值）"),
    "betweenness": ("betweenness", "中介中心性"),
    "betweenness_error": ("± at 95 %; 0 = exact, none = too few drawn", "95% 误差（0 为精确值）"),
}
PAGERANK_DAMPING: Final = 0.85
PAGERANK_TOLERANCE: Final = 1e-9
# Places above apprentices that are walked at most, unless asked for more: about a minute's work.
MAX_WALKED_POSITIONS: Final = 60_000_000
# And how many of them are held at once.
WALK_BATCH_POSITIONS: Final = 3_000_000
# Apprentices that are tried to tell how many places there are.
SAMPLE_APPRENTICES: Final = 2_000
# So many drawn apprentices must stand below a person for the normal interval to mean something.
MIN_DRAWN_APPRENTICES: Final = 10
CONFIDENCE_Z_95: Final = 1.959964

Array = np.ndarray[Any, np.dtype[Any]]


def compute_centrality(
    snapshot: Snapshot, policy: Policy, *, apprentices: int = 0, seed: int = 1
) -> pl.DataFrame:
    """A row a mentor, sorted by person_id: pagerank, harmonic, betweenness and their errors.

    `apprentices` is how many are drawn for harmonic and betweenness (0 = all where that is
    affordable, else as many as are), `seed` which. An error is 0 where the figure is exact, and
    null where fewer than 10 of those drawn stand below the person. The policy bears on none of it.
    Raises `UsageError` when `apprentices` is negative.

    Ada taught Bo and Cy, and both of them Di:

    >>> from graph.metrics.examples import build_example_lineages
    >>> from graph.policy import Policy
    >>> snapshot = build_example_lineages("Ada Bo", "Ada Cy", "Bo Di", "Cy Di")
    >>> found = compute_centrality(snapshot, Policy())
    >>> for row in found.select("person_id", "pagerank", "harmonic", "betweenness").rows():
    ...     print(row[0], *(round(figure, 3) for figure in row[1:]))
    Ada 1.882 2.5 0.0
    Bo 0.784 1.0 0.5
    Cy 0.784 1.0 0.5
    """
    if apprentices < 0:
        raise UsageError(
            "apprentices is {apprentices}; give how many to draw, or 0 for all.",
            apprentices=apprentices,
        )
    people = snapshot.frames["people"].select("person", "person_id", "name", "leading").collect()
    pairs = collect_mentorship_pairs(snapshot)
    mentors = MentorAdjacency.of(pairs, people.height)
    found = compute_walk_measures(mentors, sample_apprentices(mentors, apprentices, seed))
    ranks = pl.DataFrame(
        {"person": np.arange(people.height), "pagerank": compute_pagerank(mentors)}
    )
    return (
        people.join(pairs.select(person="mentor").unique(), on="person", how="semi")
        .with_columns(pl.col("person").cast(pl.Int64))
        .join(ranks, on="person")
        .join(found, on="person", how="left")
        .select(list(COLUMNS))
        .sort("person_id")
    )


@dataclass(frozen=True)
class MentorAdjacency:
    """Each person's mentors: those of person p are mentors[first[p] : first[p + 1]]."""

    first: Array
    mentors: Array

    @classmethod
    def of(cls, pairs: pl.DataFrame, people: int) -> MentorAdjacency:
        """Takes mentor, apprentice (row numbers below `people`), each pair once."""
        ordered = pairs.sort("apprentice", "mentor")
        taught_by = np.bincount(ordered["apprentice"].to_numpy(), minlength=people)
        first = np.concatenate([[0], np.cumsum(taught_by)]).astype(np.int64)
        return cls(first, ordered["mentor"].to_numpy().astype(np.int64))

    @property
    def people(self) -> int:
        """How many people there are, with mentors or without."""
        return len(self.first) - 1

    @cached_property
    def numbers(self) -> Array:
        """How many mentors each person has."""
        return np.diff(self.first)

    def above(self, persons: Array) -> tuple[Array, Array]:
        """The mentors of these persons, one after the other: the place in `persons`, the mentor."""
        place, link = expand_offsets(self.first, persons)
        return place, self.mentors[link]


def compute_pagerank(mentors: MentorAdjacency) -> Array:
    """Everyone's rank, in multiples of the average."""
    numbers, people = mentors.numbers, mentors.people
    apprentice = np.repeat(np.arange(people), numbers)
    alone = numbers == 0
    rank: Array = np.ones(people)
    while True:
        passed = (rank / np.maximum(numbers, 1))[apprentice]
        gathered = np.bincount(mentors.mentors, passed, people) + rank[alone].sum() / people
        before, rank = rank, 1 - PAGERANK_DAMPING + PAGERANK_DAMPING * gathered
        if np.abs(rank - before).sum() < PAGERANK_TOLERANCE * people:
            return rank


# --- harmonic and betweenness -----------------------------------------------------------------


@dataclass(frozen=True)
class ApprenticeSample:
    """The apprentices walked up from, how many there are in all, how many to walk from at once."""

    persons: Array
    all: int
    at_once: int


def sample_apprentices(mentors: MentorAdjacency, wanted: int, seed: int) -> ApprenticeSample:
    """So many apprentices, or with 0 as many as are affordable."""
    mixed = np.random.default_rng(seed).permutation(np.flatnonzero(mentors.numbers))
    each = _estimate_positions_above(mentors, mixed[:SAMPLE_APPRENTICES])
    affordable = wanted or max(int(MAX_WALKED_POSITIONS / each), 2)
    return ApprenticeSample(mixed[:affordable], len(mixed), int(WALK_BATCH_POSITIONS / each) + 1)


def _estimate_positions_above(mentors: MentorAdjacency, tried: Array) -> float:
    """The mean number of positions above an apprentice, its own included, from a sample."""
    places, walked = 1, 0
    # A few at a time, for nobody knows yet how many stand above them.
    for some in np.array_split(tried, len(tried) // 50 + 1):
        places += sum(len(level.person) for level in _build_walk_levels(mentors, some))
        walked += len(some)
        if places > WALK_BATCH_POSITIONS:
            break
    return max(places / max(walked, 1), 1.0)


def compute_walk_measures(mentors: MentorAdjacency, drawn: ApprenticeSample) -> pl.DataFrame:
    """person, harmonic, betweenness and their errors, of all people."""
    sums = np.zeros((5, mentors.people))
    for start in range(0, len(drawn.persons), drawn.at_once):
        _add_contributions(sums, mentors, drawn.persons[start : start + drawn.at_once])
    below, harmonic, harmonic_squares, betweenness, betweenness_squares = sums
    few = below < MIN_DRAWN_APPRENTICES
    figures: dict[str, Any] = {"person": np.arange(mentors.people)}
    for name, total, squares in (
        ("harmonic", harmonic, harmonic_squares),
        ("betweenness", betweenness, betweenness_squares),
    ):
        figures[name], error = _estimate_total(total, squares, drawn)
        exact = len(drawn.persons) == drawn.all
        figures[f"{name}_error"] = error if exact else np.where(few, np.nan, error)
    return pl.DataFrame(figures, nan_to_null=True)


def _estimate_total(total: Array, squares: Array, drawn: ApprenticeSample) -> tuple[Array, Array]:
    """The estimate and its error from the sums of the contributions and of their squares."""
    number = len(drawn.persons)
    if number == drawn.all:
        return total, np.zeros_like(total)
    variance = np.maximum(squares - total**2 / number, 0) / max(number - 1, 1)
    error = np.sqrt((1 - number / drawn.all) * variance / number)
    return drawn.all * total / number, CONFIDENCE_Z_95 * drawn.all * error


def _add_contributions(sums: Array, mentors: MentorAdjacency, apprentices: Array) -> None:
    """Adds what these apprentices give: how many, 1/d, its square, the dependency, its square."""
    levels = _build_walk_levels(mentors, apprentices)
    dependency: Array = np.zeros(len(levels[-1].person))
    given = []
    for distance in range(len(levels) - 1, 0, -1):
        level, below = levels[distance], levels[distance - 1]
        near = np.full(len(level.person), 1 / distance)
        one = np.ones(len(level.person))
        given.append((level.person, one, near, near**2, dependency, dependency**2))
        share = below.paths[level.lower] / level.paths[level.upper]
        passed = share * (1 + dependency[level.upper])
        dependency = np.bincount(level.lower, passed, len(below.person))
    if given:
        people, *figures = map(np.concatenate, zip(*given, strict=True))
        for row, weights in zip(sums, figures, strict=True):
            row += np.bincount(people, weights, mentors.people)


@dataclass(frozen=True)
class WalkLevel:
    """The places so many hops above the apprentices, and the steps that first lead there.

    walk, person, paths (the number of shortest ways): one for each place. lower, upper: the places
    in the level below and in this one that each step joins.
    """

    walk: Array
    person: Array
    paths: Array
    lower: Array
    upper: Array


def _build_walk_levels(mentors: MentorAdjacency, apprentices: Array) -> list[WalkLevel]:
    """Breadth first from all these apprentices at once, each a walk of its own, upwards."""
    none = np.zeros(0, np.int64)
    walk = np.arange(len(apprentices))
    levels = [WalkLevel(walk, apprentices, np.ones(len(apprentices)), none, none)]
    seen: Array = walk * mentors.people + apprentices
    while True:
        last = levels[-1]
        lower, mentor = mentors.above(last.person)
        key = last.walk[lower] * mentors.people + mentor
        fresh = ~_find_sorted_members(key, seen)
        lower, (key, upper) = lower[fresh], np.unique(key[fresh], return_inverse=True)
        if not len(key):
            return levels
        walk, person = np.divmod(key, mentors.people)
        paths = np.bincount(upper, last.paths[lower], len(key))
        levels.append(WalkLevel(walk, person, paths, lower, upper))
        seen = np.sort(np.concatenate([seen, key]), kind="stable")


def _find_sorted_members(keys: Array, ordered: Array) -> Array:
    place = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    found: Array = ordered[place] == keys
    return found
