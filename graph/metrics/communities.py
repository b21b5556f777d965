"""Circles of people who taught one another more than they taught others.

The network is who taught whom, whichever way, each pair of people once. The communities are those
the Leiden algorithm finds as it raises the modularity

    Q = sum over communities c of  L_c / m - r (K_c / 2m)^2

with m the pairs in all, L_c those within c, K_c the sum of its members' degrees, r the resolution
(higher gives smaller communities): the share of pairs within communities beyond what chance would
put there. Each is connected, which Louvain's need not be; the parts add up to Q.

V. A. Traag, L. Waltman, N. J. van Eck, "From Louvain to Leiden: guaranteeing well-connected
communities", Scientific Reports 9 (2019) 5233; M. E. J. Newman, M. Girvan, Physical Review E 69
(2004) 026113. The work is graspologic-native's (benchmarks/graph_libraries.py). The same seed gives
the same communities; another may give others about as good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from graph.labels import MetricColumnLabels
from graph.metrics.components import build_groups, build_pair_matrix
from graph.metrics.mpact import collect_mentorship_pairs
from graph.metrics.registry import check_range
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

COLUMNS: Final[MetricColumnLabels] = {
    "community": ("community, by its first person", "社群（以首位人员编号命名）"),
    "people": ("people", "人数"),
    "mentorships": ("mentorships", "师徒关系数"),
    "mentors": ("mentors", "师傅人数"),
    "talents": ("leading talents", "领军人才人数"),
    "modularity": ("its part of the modularity", "对模块度的贡献"),
    "person_id": ("person", "人员编号"),
    "name": ("name", "姓名"),
}


@dataclass(frozen=True)
class Communities:
    """What `find_communities` found: `sizes` is its table.

    - sizes: a row a community of two people or more: community (the least of its persons' ids),
      people, mentorships (pairs within it), mentors (who teach in it), talents, and modularity,
      its part of Q, the largest community first
    - members: community, person_id, name of everyone in them, sorted
    - modularity: Q
    """

    sizes: pl.DataFrame
    members: pl.DataFrame
    modularity: float

    def table(self) -> pl.DataFrame:
        """The communities, the largest first."""
        return self.sizes


def find_communities(
    snapshot: Snapshot,
    policy: Policy,
    *,
    resolution: float = 1.0,
    iterations: int = 1,
    seed: int = 1,
) -> Communities:
    """The communities of who taught whom, dated or not; see `Communities`.

    `iterations` is how many times over the algorithm runs from what it found: more raise Q a little
    and take longer. The policy bears on none of it. Raises `UsageError` when the resolution, the
    iterations or the seed is out of range.

    Zachary's karate club (1977), the friends taken for mentor and apprentice, whose best partition
    has the modularity 0.4198:

    >>> import networkx as nx
    >>> from graph.metrics.examples import build_example_lineages
    >>> from graph.policy import Policy
    >>> club = build_example_lineages(*(f"{u:02} {v:02}" for u, v in nx.karate_club_graph().edges))
    >>> found = find_communities(club, Policy(), iterations=10)
    >>> round(found.modularity, 4), sorted(found.sizes["people"])
    (0.4198, [5, 6, 11, 12])
    """
    for name, value in (("resolution", resolution), ("iterations", iterations), ("seed", seed)):
        check_range(name, value)
    pairs = collect_mentorship_pairs(snapshot).sort("mentor", "apprentice")
    people = snapshot.frames["people"].select("person", "person_id", "name", "leading").collect()
    ties = _build_tie_matrix(pairs, people.height)
    labels = _run_leiden(ties, resolution, iterations, seed)
    members, sizes = build_groups(pairs, people, labels, "community")
    parts = _compute_modularity(ties, labels, resolution)
    names = members.group_by("community").agg(label=pl.col("label").first())
    sizes = sizes.join(
        names.with_columns(modularity=pl.Series(parts).gather(names["label"])), on="community"
    ).drop("label")
    return Communities(
        sizes.sort("people", "community", descending=[True, False]),
        members.select("community", "person_id", "name").sort("community", "person_id"),
        float(parts.sum()),
    )


def _build_tie_matrix(pairs: pl.DataFrame, people: int) -> Any:
    """The symmetric matrix of who taught whom whichever way, a one for each pair of people."""
    one_way = build_pair_matrix(pairs, people)
    ties = one_way + one_way.T
    ties.data[:] = 1.0
    return ties


def _run_leiden(ties: Any, resolution: float, iterations: int, seed: int) -> Any:
    """A label from 0 on for each person; one without ties has a label of its own."""
    people = ties.shape[0]
    if not ties.nnz:
        return np.arange(people)
    from graspologic_native import leiden_csr

    _, found = leiden_csr(
        ties.indptr.astype(np.int64),
        ties.indices.astype(np.int32),
        ties.data,
        people,
        resolution=resolution,
        iterations=iterations,
        seed=seed,
    )
    persons = np.fromiter(found.keys(), np.int64, len(found))
    labels = np.empty(people, np.int64)
    labels[persons] = np.fromiter(found.values(), np.int64, len(found))
    return labels


def _compute_modularity(ties: Any, labels: Any, resolution: float) -> Any:
    """Each label's part of Q."""
    twice = ties.nnz
    if not twice:
        return np.zeros(int(labels.max()) + 1 if len(labels) else 0)
    degrees = np.diff(ties.indptr)
    tied = np.repeat(labels, degrees)
    within = tied == labels[ties.indices]
    number = int(labels.max()) + 1
    inside = np.bincount(tied, within, number)
    return inside / twice - resolution * (np.bincount(labels, degrees, number) / twice) ** 2
