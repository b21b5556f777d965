"""Ties between studios, enterprises, schools and projects, counted from the people behind them.

A kind of tie is a table of rows (person, a, b, year); matrix, projection and graph are aggregates
of it, in which a place goes by its key, "studio:S1": a studio and an enterprise may have one id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from graph.snapshot.frames import Snapshot

# kind of tie: the kind of place at its start and at its end
TIE_ENDS: Final[Mapping[str, tuple[str, str]]] = {
    "studio_enterprise": ("studio", "enterprise"),
    "school_enterprise": ("school", "enterprise"),
    "teaching": ("enterprise", "school"),
    "partnership": ("enterprise", "school"),
    "project": ("enterprise", "project"),
}
MAX_GRAPH_NODES: Final = 150
MAX_GRAPH_EDGES: Final = 500


@dataclass(frozen=True)
class ShownTies:
    """What a matrix or a graph shows of the ties.

    - edges: a, b, n: the ties between the places shown (by key), the strongest first
    - first, second: the places, in order: id (their key), total (of all their ties), community
    - total: the sum over all ties that meet the filters; places: how many of each end they join
    """

    edges: pl.DataFrame
    first: pl.DataFrame
    second: pl.DataFrame
    total: int
    places: tuple[int, int]

    @property
    def part(self) -> int:
        """The sum over the ties shown."""
        return int(self.edges["n"].sum())


def compute_ties(snapshot: Snapshot, kind: str) -> pl.DataFrame:
    """Every tie of a kind: person (null for partnerships), a, b, year (null = not known); sorted.

    - studio_enterprise: trained at studio a, and works for enterprise b on record; the year of the
      first training there
    - school_enterprise: trained at school a, and employed by enterprise b from a day on or after
      the first training; the year of that employment
    - teaching: works for enterprise a on record, and teaches or taught at school b; the first year
    - partnership: a row each partnership of enterprise a with school b; the year it began
    - project: works for enterprise a on record, and works or worked on project b; the first year.
      Two enterprises that share projects are tied by them. No skill passes on by such a tie, and
      no driven figure counts it.
    A person stands once for each pair.
    """
    frames = snapshot.frames
    working = frames["people"].select("person", "enterprise_id").drop_nulls("enterprise_id")
    if kind == "studio_enterprise":
        trained = _find_first_starts(_select_trainings(frames, "Studio"), "place_id")
        rows = trained.join(working, on="person").select(
            "person", "start", a="place_id", b="enterprise_id"
        )
    elif kind == "school_enterprise":
        trained = _find_first_starts(_select_trainings(frames, "School"), "place_id").drop_nulls(
            "start"
        )
        employed = frames["employments"].select("person", "enterprise_id", since="start")
        after = trained.join(employed, on="person").filter(pl.col("since") >= pl.col("start"))
        rows = after.group_by("person", a="place_id", b="enterprise_id").agg(
            start=pl.col("since").min()
        )
    elif kind == "teaching":
        teaching = _find_first_starts(
            frames["teaching"].select("person", "school_id", "start"), "school_id"
        )
        rows = teaching.join(working, on="person").select(
            "person", "start", a="enterprise_id", b="school_id"
        )
    elif kind == "project":
        worked = _find_first_starts(frames["participations"], "project_id")
        rows = worked.join(working, on="person").select(
            "person", "start", a="enterprise_id", b="project_id"
        )
    else:
        rows = frames["partnerships"].select(
            "start", person=pl.lit(None, pl.Int32), a="enterprise_id", b="school_id"
        )
    return (
        rows.select(pl.col("person").cast(pl.Int32), "a", "b", year=pl.col("start").dt.year())
        .sort("a", "b", "person")
        .collect()
    )


def _select_trainings(frames: Mapping[str, pl.LazyFrame], kind: str) -> pl.LazyFrame:
    at = frames["trainings"].filter(pl.col("place_kind") == kind)
    return at.select("person", "place_id", "start")


def _find_first_starts(rows: pl.LazyFrame, place: str) -> pl.LazyFrame:
    return rows.group_by("person", place).agg(pl.col("start").min())


def key_of(kind: str, id: str) -> str:
    """What a place goes by here.

    >>> key_of("studio", "S1")
    'studio:S1'
    """
    return f"{kind}:{id}"


def id_of(key: str) -> str:
    """The id of a place, from its key.

    >>> id_of("studio:S1")
    'S1'
    """
    return key.partition(":")[2]


def count_place_ties(ties: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    """a, b, n: how many of the rows of `compute_ties` tie one place, by its key, to another."""
    first, second = (f"{end}:" for end in TIE_ENDS[kind])
    return (
        ties.group_by("a", "b")
        .agg(n=pl.len().cast(pl.Int64))
        .with_columns(a=pl.lit(first) + pl.col("a"), b=pl.lit(second) + pl.col("b"))
    )


def project_ties(pairs: pl.DataFrame, onto: str, most: int) -> pl.DataFrame:
    """Ties between places of one end: a, b, n = how many places of the other end they share.

    `onto` first or second; of the places with the largest totals, `most`. Each pair once, a < b.
    """
    one, other = ("a", "b") if onto == "first" else ("b", "a")
    chosen = sum_tie_totals(pairs, one).head(most)["id"]
    kept_ = pairs.filter(pl.col(one).is_in(chosen.implode())).select(place=one, shared=other)
    both = kept_.join(kept_, on="shared").filter(pl.col("place") < pl.col("place_right"))
    found_ = both.group_by(a="place", b="place_right").agg(n=pl.len().cast(pl.Int64))
    return found_.sort(["n", "a", "b"], descending=[True, False, False])


def sum_tie_totals(pairs: pl.DataFrame, end: str) -> pl.DataFrame:
    """id, total of the ties of each place at an end, the largest first."""
    summed = pairs.group_by(id=end).agg(total=pl.col("n").sum())
    return summed.sort(["total", "id"], descending=[True, False])


def build_tie_matrix(pairs: pl.DataFrame, size: int, order: str) -> ShownTies:
    """The places with the largest totals at the start, and those they are tied to most.

    `order` total or community: how rows and columns are sorted.
    """
    first = sum_tie_totals(pairs, "a").head(size)
    within = pairs.filter(pl.col("a").is_in(first["id"].implode()))
    second = sum_tie_totals(within, "b").head(size)
    shown = within.filter(pl.col("b").is_in(second["id"].implode()))
    return _build_shown_ties(pairs, shown, first, second, order)


def build_projection_matrix(pairs: pl.DataFrame, size: int, order: str) -> ShownTies:
    """A projection as a matrix: the same places at both sides, each pair at both its cells."""
    both = pl.concat([pairs, pairs.select(a="b", b="a", n="n")])
    first = sum_tie_totals(both, "a").head(size)
    ids = first["id"].implode()
    shown = both.filter(pl.col("a").is_in(ids), pl.col("b").is_in(ids))
    return _build_shown_ties(both, shown, first, first, order)


def _build_shown_ties(
    pairs: pl.DataFrame, shown: pl.DataFrame, first: pl.DataFrame, second: pl.DataFrame, order: str
) -> ShownTies:
    groups = detect_tie_communities(shown)
    first, second = (
        one.with_columns(community=pl.Series([groups.get(i, 0) for i in one["id"]], dtype=pl.Int64))
        for one in (first, second)
    )
    if order == "community":
        keys, down = ["community", "total", "id"], [False, True, False]
        first, second = first.sort(keys, descending=down), second.sort(keys, descending=down)
    ends = (pairs["a"].n_unique(), pairs["b"].n_unique())
    return ShownTies(shown, first, second, int(pairs["n"].sum()), ends)


def build_tie_network(
    pairs: pl.DataFrame, nodes: int = MAX_GRAPH_NODES, most: int = MAX_GRAPH_EDGES
) -> ShownTies:
    """The strongest ties among the places with the largest totals, as many as can be read."""
    either = pl.concat([sum_tie_totals(pairs, "a"), sum_tie_totals(pairs, "b")])
    best = (
        either.group_by("id")
        .agg(pl.col("total").sum())
        .sort(["total", "id"], descending=[True, False])
        .head(nodes)
    )
    ids = best["id"].implode()
    shown = pairs.filter(pl.col("a").is_in(ids), pl.col("b").is_in(ids)).head(most)
    first = sum_tie_totals(pairs, "a").filter(pl.col("id").is_in(shown["a"].implode()))
    second = sum_tie_totals(pairs, "b").filter(pl.col("id").is_in(shown["b"].implode()))
    return _build_shown_ties(pairs, shown, first, second, "total")


def detect_tie_communities(shown: pl.DataFrame) -> dict[str, int]:
    """Place -> its community, 1 for the largest: Leiden on the ties shown, weighted by n."""
    if shown.is_empty():
        return {}
    from graspologic_native import leiden

    weighted = sorted({(min(a, b), max(a, b), float(n)) for a, b, n in shown.rows()})
    _, labels = leiden(weighted, iterations=5, seed=1)
    sizes: dict[int, list[str]] = {}
    for place, group in labels.items():
        sizes.setdefault(group, []).append(place)
    ranked = sorted(sizes.values(), key=lambda members: (-len(members), min(members)))
    return {place: number for number, members in enumerate(ranked, 1) for place in members}


def list_shared_places(pairs: pl.DataFrame, onto: str, one: str, other: str) -> pl.DataFrame:
    """The places that two places of one end share: id, n_one, n_other, as many as the tie says."""
    end, far = ("a", "b") if onto == "first" else ("b", "a")
    first = pairs.filter(pl.col(end) == one).select(id=far, n_one="n")
    second = pairs.filter(pl.col(end) == other).select(id=far, n_other="n")
    return first.join(second, on="id").sort(["n_one", "id"], descending=[True, False])
