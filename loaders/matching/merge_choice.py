"""Which pairs become one person: in order of weight, and never across what must stay apart.

A cluster is the records of one person. Two clusters are joined only if the result holds
at most one ID digest, no pair that a steward judged different and, unless stewards judged it so,
no department twice: a department that gives two numbers means two people until somebody says
otherwise. As pairs are taken in order of weight, a chain of good pairs never joins what may not be
joined: the weakest of them is refused. What is refused goes to the review queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from loaders.matching.match_model import AMBIGUITY_BITS, MERGE_WEIGHT_BITS, compute_probability

PROBABLE_BASIS, DECIDED_BASIS = "probable", "decided"
# Who goes, who stands, why, and with what probability (null: decided).
MERGE_SCHEMA: Final = {
    "id": pl.String,
    "person_id": pl.String,
    "basis": pl.String,
    "probability": pl.Float64,
}
# Weighs more than any pair that was computed.
_JUDGED_BITS: Final = 1e6


@dataclass(frozen=True)
class MergeChoice:
    """`merges` as `MERGE_SCHEMA`; `asked` the rows of the pairs that a person has to judge."""

    merges: pl.DataFrame
    asked: pl.DataFrame


class PersonClusters:
    """Clusters of people by number, joined one pair at a time."""

    def __init__(self, digests: Sequence[str | None], departments: Sequence[Sequence[str]]) -> None:
        self.parents = list(range(len(digests)))
        self.digests = list(digests)
        self.departments = [set(names or ()) for names in departments]
        self.enemies: list[set[int]] = [set() for _ in digests]

    def find(self, one: int) -> int:
        """The number that stands for the one's cluster."""
        parents = self.parents
        while parents[one] != one:
            parents[one] = parents[parents[one]]
            one = parents[one]
        return one

    def part(self, one: int, other: int) -> None:
        """Says that these two are different people."""
        self.enemies[self.find(one)].add(other)
        self.enemies[self.find(other)].add(one)

    def join(self, one: int, other: int, *, judged: bool) -> bool:
        """Joins two clusters; False when they must stay apart."""
        a, b = self.find(one), self.find(other)
        if a == b:
            return True
        if not self._may_join(a, b, judged=judged):
            return False
        self.parents[b] = a
        self.digests[a] = self.digests[a] or self.digests[b]
        self.departments[a] |= self.departments[b]
        self.enemies[a] |= self.enemies[b]
        return True

    def _may_join(self, a: int, b: int, *, judged: bool) -> bool:
        if self.digests[a] and self.digests[b] and self.digests[a] != self.digests[b]:
            return False
        if any(self.find(enemy) == b for enemy in self.enemies[a]):
            return False
        if any(self.find(enemy) == a for enemy in self.enemies[b]):
            return False
        return judged or not self.departments[a] & self.departments[b]


def choose_merges(
    people: pl.DataFrame,
    pairs: pl.DataFrame,
    same: Iterable[tuple[str, str]] = (),
    different: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
    *,
    merge_bits: float = MERGE_WEIGHT_BITS,
) -> MergeChoice:
    """What to merge and what to ask. The order of the rows decides nothing.

    `people`: record, person_id, digest, departments. `pairs`: record_l, record_r, weight.
    `same`, `different`: pairs of person_ids that stewards judged. `apart`: such as are never merged
    by themselves, but asked. Pairs of ids that are not there are passed over.
    """
    people = people.sort("person_id")
    same, different, apart = list(same), list(different), list(apart)
    numbers = _number_people(people, [*same, *different, *apart])
    yes = _number_pairs(same, numbers)
    no = _number_pairs(different, numbers)
    places = people.select("record").with_row_index("place")
    edges = (
        pairs.join(places, left_on="record_l", right_on="record")
        .rename({"place": "a"})
        .join(places, left_on="record_r", right_on="record")
        .rename({"place": "b"})
        .with_columns(pl.col("a", "b").cast(pl.Int64))
    )
    # The lesser id first, so that of equal weights the same comes first whoever gave the pairs.
    turned = pl.col("a") > pl.col("b")
    edges = edges.with_columns(
        pl.when(turned).then(other).otherwise(one).alias(one)
        for one, other in (
            ("a", "b"),
            ("b", "a"),
            ("record_l", "record_r"),
            ("record_r", "record_l"),
        )
    )
    edges = _drop_judged(edges, [*yes, *no]).sort(
        ["weight", "a", "b"], descending=[True, False, False]
    )
    strong = _find_clear_edges(edges.filter(pl.col("weight") >= merge_bits), edges, people)
    chosen = [(a, b, _JUDGED_BITS) for a, b in sorted(yes)]
    chosen += strong.select("a", "b", "weight").rows()
    never = no | (_number_pairs(apart, numbers) - yes)
    clusters, taken = _join_clusters(people, chosen, sorted(never))
    merges = _list_merges(people, clusters, taken)
    roots = pl.Series(clusters, dtype=pl.Int64)
    apart = roots.gather(edges["a"]) != roots.gather(edges["b"])
    return MergeChoice(merges, edges.filter(apart).drop("a", "b"))


def _number_people(people: pl.DataFrame, named: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The places of the people that pairs name: a few of millions."""
    ids = pl.Series([id for pair in named for id in pair], dtype=pl.String).unique()
    placed = people.select("person_id").with_row_index("place")
    return dict(
        placed.filter(pl.col("person_id").is_in(ids.implode()))
        .select("person_id", "place")
        .iter_rows()
    )


def _number_pairs(
    pairs: Iterable[tuple[str, str]], numbers: dict[str, int]
) -> set[tuple[int, int]]:
    found = set()
    for one, other in pairs:
        if one in numbers and other in numbers and one != other:
            a, b = numbers[one], numbers[other]
            found.add((min(a, b), max(a, b)))
    return found


def _drop_judged(edges: pl.DataFrame, judged: Sequence[tuple[int, int]]) -> pl.DataFrame:
    if not judged:
        return edges
    known = pl.DataFrame(judged, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
    known = pl.concat([known, known.select(a="b", b="a")]).unique()
    return edges.join(known, on=["a", "b"], how="anti")


def _find_clear_edges(
    strong: pl.DataFrame, edges: pl.DataFrame, people: pl.DataFrame
) -> pl.DataFrame:
    """Those of the strong edges that no other edge of one of their ends comes near.

    Two partners of one department are rivals: only one of them can be the person.
    """
    departments = people.select("departments").with_row_index("end").cast({"end": pl.Int64})
    halves = pl.concat(
        [
            edges.select("a", "b", "weight", one="a", end="b"),
            edges.select("a", "b", "weight", one="b", end="a"),
        ]
    )
    crowded = halves.filter(pl.len().over("one") > 1)
    rivals = crowded.join(departments, on="end").explode("departments")
    rivals = rivals.filter(pl.len().over("one", "departments") > 1)
    best = pl.col("weight").max().over("one", "departments")
    second = pl.col("weight").top_k(2).min().over("one", "departments")
    tied = (pl.col("weight") == best).sum().over("one", "departments") > 1
    rival = pl.when((pl.col("weight") < best) | tied).then(best).otherwise(second)
    unclear = rivals.filter(rival > pl.col("weight") - AMBIGUITY_BITS).select("a", "b").unique()
    return strong.join(unclear, on=["a", "b"], how="anti", maintain_order="left")


def _join_clusters(
    people: pl.DataFrame,
    edges: Sequence[tuple[int, int, float]],
    different: Sequence[tuple[int, int]],
) -> tuple[np.ndarray, list[tuple[int, int, float]]]:
    """The number of each person's cluster, and the edges that joined.

    Connected people among whom nothing is in the way are one cluster at once; only the others are
    joined edge by edge, with the same result.
    """
    size = people.height
    ends = np.array([(a, b) for a, b, _ in edges], dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(size, size))
    count, labels = connected_components(graph, directed=False)
    judged = [(a, b) for a, b, weight in edges if weight == _JUDGED_BITS]
    hard = _find_hard_components(people, labels, [*different, *judged])
    first = np.full(count, size, dtype=np.int64)
    np.minimum.at(first, labels, np.arange(size))
    roots = first[labels]
    careful = np.isin(labels, list(hard))
    members = np.flatnonzero(careful)
    local = {int(person): at for at, person in enumerate(members)}
    taken = [edge for edge in edges if edge[0] not in local]
    digests, departments = (people[c].gather(members).to_list() for c in ("digest", "departments"))
    clusters = PersonClusters(digests, departments)
    for a, b in different:
        if a in local and b in local:
            clusters.part(local[a], local[b])
    for a, b, weight in edges:
        if a in local and clusters.join(local[a], local[b], judged=weight == _JUDGED_BITS):
            taken.append((a, b, weight))
    lowest: dict[int, int] = {}
    for at, person in enumerate(members):
        lowest.setdefault(clusters.find(at), int(person))
    roots[members] = [lowest[clusters.find(at)] for at in range(len(members))]
    return roots, taken


def _find_hard_components(
    people: pl.DataFrame, labels: np.ndarray, pairs: Iterable[tuple[int, int]]
) -> set[int]:
    """The components that hold two digests, a department twice, or an end of one of the pairs."""
    frame = people.select("digest", "departments").with_columns(pl.Series("label", labels))
    frame = frame.filter(pl.len().over("label") > 1)
    by_label = frame.group_by("label").agg(
        pl.col("digest").drop_nulls().n_unique().alias("digests"),
        pl.col("departments").list.len().sum().alias("named"),
        pl.col("departments").explode().drop_nulls().n_unique().alias("distinct"),
    )
    bad = (pl.col("digests") > 1) | (pl.col("named") > pl.col("distinct"))
    found = set(by_label.filter(bad)["label"].to_list())
    return found | {int(labels[end]) for pair in pairs for end in pair}


def _list_merges(
    people: pl.DataFrame, roots: np.ndarray, taken: Sequence[tuple[int, int, float]]
) -> pl.DataFrame:
    """A row for each who goes; the probability is that of the best pair by which one came in."""
    best = pl.DataFrame(
        [(end, weight) for a, b, weight in taken for end in (a, b)],
        schema={"place": pl.Int64, "weight": pl.Float64},
        orient="row",
    )
    best = best.group_by("place").agg(pl.col("weight").max())
    ids = people["person_id"]
    moved = np.flatnonzero(roots != np.arange(len(roots)))
    found = pl.DataFrame(
        {"place": moved, "id": ids.gather(moved), "person_id": ids.gather(roots[moved])}
    )
    found = found.join(best, on="place", how="left", maintain_order="left")
    decided = pl.col("weight") == _JUDGED_BITS
    probability = pl.Series(
        [None if w == _JUDGED_BITS else round(compute_probability(w), 8) for w in found["weight"]],
        dtype=pl.Float64,
    )
    return found.select(
        "id",
        "person_id",
        pl.when(decided)
        .then(pl.lit(DECIDED_BASIS))
        .otherwise(pl.lit(PROBABLE_BASIS))
        .alias("basis"),
        probability.alias("probability"),
    )
