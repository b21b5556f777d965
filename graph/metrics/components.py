"""Which people hang together through mentorships at all, and which teach one another in a circle.

A weak component is a largest set of people between any two of whom there is a way over mentorships,
whichever way they point: a lineage with all that married into it. A strong component is one in
which such a way leads from each to each following mentor to apprentice; one of two people or more
is a circle of mentorships, which is mostly an error in the records (see `claims`).

R. E. Tarjan, "Depth-first search and linear graph algorithms", SIAM Journal on Computing 1 (1972)
146-160; the work is scipy's, which measured best (benchmarks/graph_libraries.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from graph.errors import UsageError
from graph.labels import MetricColumnLabels
from graph.metrics.mpact import collect_mentorship_pairs
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

COLUMNS: Final[MetricColumnLabels] = {
    "component": ("component, by its first person", "连通分量（以首位人员编号命名）"),
    "people": ("people", "人数"),
    "mentorships": ("mentorships", "师徒关系数"),
    "mentors": ("mentors", "师傅人数"),
    "talents": ("leading talents", "领军人才人数"),
    "person_id": ("person", "人员编号"),
    "name": ("name", "姓名"),
}
CONNECTION_TYPES: Final = ("weak", "strong")


@dataclass(frozen=True)
class Components:
    """What `find_components` found: `sizes` is its table.

    - sizes: a row a component of two people or more: component (the least of its persons' ids),
      people, mentorships (pairs within it), mentors (who teach in it), talents, the largest first
    - members: component, person_id, name of everyone in them, sorted
    - alone: how many people are in none of them
    """

    sizes: pl.DataFrame
    members: pl.DataFrame
    alone: int

    def table(self) -> pl.DataFrame:
        """The components, the largest first."""
        return self.sizes


def find_components(snapshot: Snapshot, policy: Policy, *, connection: str = "weak") -> Components:
    """The weak or strong components of who taught whom, dated or not; see `Components`.

    The policy bears on none of it. Raises `UsageError` when `connection` is neither.

    >>> from graph.metrics.examples import build_example_lineages
    >>> from graph.policy import Policy
    >>> snapshot = build_example_lineages("Ada Bo", "Bo Cy", "Cy Bo", "Di Eve", talents="Ada")
    >>> find_components(snapshot, Policy()).table().rows()
    [('Ada', 3, 3, 3, 1), ('Di', 2, 1, 1, 0)]
    >>> find_components(snapshot, Policy(), connection="strong").table().rows()
    [('Bo', 2, 2, 2, 0)]
    """
    if connection not in CONNECTION_TYPES:
        raise UsageError(
            "connection is {connection!r}; give weak or strong.", connection=connection
        )
    from scipy.sparse.csgraph import connected_components

    pairs = collect_mentorship_pairs(snapshot)
    people = snapshot.frames["people"].select("person", "person_id", "name", "leading").collect()
    _, labels = connected_components(build_pair_matrix(pairs, people.height), connection=connection)
    members, sizes = build_groups(pairs, people, labels, "component")
    return Components(
        sizes.sort("people", "component", descending=[True, False]),
        members.select("component", "person_id", "name").sort("component", "person_id"),
        people.height - members.height,
    )


def build_pair_matrix(pairs: pl.DataFrame, people: int) -> Any:
    """The sparse matrix of the pairs: a one at (mentor, apprentice)."""
    from scipy.sparse import coo_array

    ends = (pairs["mentor"].to_numpy(), pairs["apprentice"].to_numpy())
    return coo_array((np.ones(pairs.height), ends), shape=(people, people)).tocsr()


def build_groups(
    pairs: pl.DataFrame, people: pl.DataFrame, labels: Any, name: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The members and the sizes of groups of two or more, each named by its least person id.

    Takes a label for each person, in the order of their numbers. The columns are those of
    `Components`; the members keep their number, and `name` is what the groups are called.
    """
    by_label = pl.Series("label", labels)
    numbered = people.sort("person").with_columns(by_label)
    sizes = numbered.group_by("label").agg(
        pl.col("person_id").min().alias(name),
        people=pl.len().cast(pl.Int64),
        talents=pl.col("leading").sum().cast(pl.Int64),
    )
    sizes = sizes.filter(pl.col("people") > 1)
    within = pl.DataFrame(
        {
            "label": by_label.gather(pairs["mentor"]),
            "other": by_label.gather(pairs["apprentice"]),
            "mentor": pairs["mentor"],
        }
    ).filter(pl.col("label") == pl.col("other"))
    links = within.group_by("label").agg(
        mentorships=pl.len().cast(pl.Int64), mentors=pl.col("mentor").n_unique().cast(pl.Int64)
    )
    sizes = sizes.join(links, on="label", how="left")
    members = numbered.join(sizes.select("label", name), on="label")
    return members, sizes.select(name, "people", "mentorships", "mentors", "talents")
