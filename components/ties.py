"""Who feeds whom: ties between studios, enterprises and schools, counted from the people behind.

A kind of tie is a table of rows (person, a, b, year), kept beside the snapshot; the matrix and the
graph are small aggregates of it. Drawing is pages/ties.py's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import polars as pl
import streamlit as st

from components import kept, store
from components.i18n import t
from graph.kept_tables import is_there, kept_table, table_place
from graph.snapshot import Snapshot

# kind of tie: the kind of place at its start and at its end
ENDS: Final[Mapping[str, tuple[str, str]]] = {
    "studio_enterprise": ("studio", "enterprise"),
    "school_enterprise": ("school", "enterprise"),
    "teaching": ("enterprise", "school"),
    "partnership": ("enterprise", "school"),
}
PROJECTIONS: Final = ("pairs", "first", "second")
SIZES: Final = ("20", "30", "50")
GRAPH_NODES: Final = 150
GRAPH_EDGES: Final = 500


@dataclass(frozen=True)
class Shown:
    """What a matrix or a graph shows of the ties.

    - edges: a, b, n: the ties between the places shown, the strongest first
    - first, second: the places, in order: id, total (of all their ties), community
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


# --- the ties ---------------------------------------------------------------------------------


def found(snapshot: Snapshot, kind: str) -> pl.DataFrame:
    """Every tie of a kind: person (null for partnerships), a, b, year (null = not known); sorted.

    - studio_enterprise: trained at studio a, and works for enterprise b on record; the year of the
      first training there
    - school_enterprise: trained at school a, and employed by enterprise b from a day on or after
      the first training; the year of that employment
    - teaching: works for enterprise a on record, and teaches or taught at school b; the first year
    - partnership: a row each partnership of enterprise a with school b; the year it began
    A person stands once for each pair.
    """
    frames = snapshot.frames
    working = frames["people"].select("person", "enterprise_id").drop_nulls("enterprise_id")
    if kind == "studio_enterprise":
        trained = _first(_trainings(frames, "Studio"), "place_id")
        rows = trained.join(working, on="person").select("person", "start", a="place_id",
                                                         b="enterprise_id")  # fmt: skip
    elif kind == "school_enterprise":
        trained = _first(_trainings(frames, "School"), "place_id").drop_nulls("start")
        employed = frames["employments"].select("person", "enterprise_id", since="start")
        after = trained.join(employed, on="person").filter(pl.col("since") >= pl.col("start"))
        rows = after.group_by("person", a="place_id", b="enterprise_id").agg(
            start=pl.col("since").min()
        )
    elif kind == "teaching":
        teaching = _first(frames["teaching"].select("person", "school_id", "start"), "school_id")
        rows = teaching.join(working, on="person").select("person", "start", a="enterprise_id",
                                                          b="school_id")  # fmt: skip
    else:
        rows = frames["partnerships"].select(
            "start", person=pl.lit(None, pl.Int32), a="enterprise_id", b="school_id"
        )
    return (
        rows.select(pl.col("person").cast(pl.Int32), "a", "b", year=pl.col("start").dt.year())
        .sort("a", "b", "person")
        .collect()
    )


def _trainings(frames: Mapping[str, pl.LazyFrame], kind: str) -> pl.LazyFrame:
    at = frames["trainings"].filter(pl.col("place_kind") == kind)
    return at.select("person", "place_id", "start")


def _first(rows: pl.LazyFrame, place: str) -> pl.LazyFrame:
    return rows.group_by("person", place).agg(pl.col("start").min())


def _file(snapshot: Snapshot, kind: str) -> Any:
    return table_place(snapshot, f"ties-{kind}")


def _work(snapshot: Snapshot, kind: str) -> None:
    kept_table(_file(snapshot, kind), partial(found, snapshot, kind))


def there(kind: str, words: str) -> bool:
    """Whether the ties are counted; if not, they are being counted, and the page says so."""
    snapshot = store.snapshot()
    ready = kept.small() or is_there(_file(snapshot, kind))
    return kept.awaited((store.state(), "ties", kind), ready, partial(_work, snapshot, kind), words)


@st.cache_resource(max_entries=4, show_spinner=False)
def _ties(state: str, kind: str) -> pl.DataFrame:
    snapshot = store.snapshot()
    return kept_table(_file(snapshot, kind), partial(found, snapshot, kind))


@st.cache_resource(max_entries=2, show_spinner=False)
def _places(state: str) -> pl.DataFrame:
    frames = store.snapshot().frames
    parts = [
        frames[f"{kind}s"].select(
            pl.col("name", "province"),
            pl.col("industry") if kind != "school" else pl.lit(None, pl.String).alias("industry"),
            id=f"{kind}_id", kind=pl.lit(kind),
        )
        for kind in ("studio", "enterprise", "school")
    ]  # fmt: skip
    return pl.concat(parts, how="diagonal_relaxed").collect()


def places() -> pl.DataFrame:
    """Every studio, enterprise and school: id, kind, name, province, industry."""
    return _places(store.state())


@st.cache_data(max_entries=4, show_spinner=False)
def _years(state: str, kind: str) -> tuple[int, int] | None:
    years = _ties(state, kind)["year"].drop_nulls()
    return (int(years.min()), int(years.max())) if years.len() else None  # type: ignore[arg-type]


def years(kind: str) -> tuple[int, int] | None:
    """The first and the last year of a kind of tie; None when none is dated."""
    return _years(store.state(), kind)


@st.cache_resource(max_entries=24, show_spinner=False)
def _edges(
    state: str, kind: str, period: tuple[int, int] | None, province: str | None,
    industry: str | None, place: str | None,
) -> pl.DataFrame:  # fmt: skip
    ties = _ties(state, kind).lazy()
    if period is not None:
        ties = ties.filter(pl.col("year").is_between(*period))
    edges = ties.group_by("a", "b").agg(n=pl.len().cast(pl.Int64)).collect()
    named = _places(state)
    for column, wanted in (("province", province), ("industry", industry)):
        if wanted:
            ids = named.filter(pl.col(column) == wanted)["id"].implode()
            edges = edges.filter(pl.col("a").is_in(ids) | pl.col("b").is_in(ids))
    if place:
        edges = edges.filter((pl.col("a") == place) | (pl.col("b") == place))
    return edges.sort(["n", "a", "b"], descending=[True, False, False])


def edges(
    kind: str, period: tuple[int, int] | None, province: str | None, industry: str | None,
    place: str | None = None,
) -> pl.DataFrame:  # fmt: skip
    """The ties that meet the filters: a, b, n (people, or partnerships), the strongest first.

    A period leaves out ties of unknown year; a province or an industry keeps those with an end in
    it, a place those that end there.
    """
    return _edges(store.state(), kind, period, province, industry, place)


# --- what is shown ----------------------------------------------------------------------------


def projected(pairs: pl.DataFrame, onto: str, most: int) -> pl.DataFrame:
    """Ties between places of one end: a, b, n = how many places of the other end they share.

    `onto` first or second; of the places with the largest totals, `most`. Each pair once, a < b.
    """
    one, other = ("a", "b") if onto == "first" else ("b", "a")
    chosen = totals(pairs, one).head(most)["id"]
    kept_ = pairs.filter(pl.col(one).is_in(chosen.implode())).select(place=one, shared=other)
    both = kept_.join(kept_, on="shared").filter(pl.col("place") < pl.col("place_right"))
    found_ = both.group_by(a="place", b="place_right").agg(n=pl.len().cast(pl.Int64))
    return found_.sort(["n", "a", "b"], descending=[True, False, False])


def totals(pairs: pl.DataFrame, end: str) -> pl.DataFrame:
    """id, total of the ties of each place at an end, the largest first."""
    summed = pairs.group_by(id=end).agg(total=pl.col("n").sum())
    return summed.sort(["total", "id"], descending=[True, False])


def matrix(pairs: pl.DataFrame, size: int, order: str) -> Shown:
    """The places with the largest totals at the start, and those they are tied to most.

    `order` total or community: how rows and columns are sorted.
    """
    first = totals(pairs, "a").head(size)
    within = pairs.filter(pl.col("a").is_in(first["id"].implode()))
    second = totals(within, "b").head(size)
    shown = within.filter(pl.col("b").is_in(second["id"].implode()))
    return _shown(pairs, shown, first, second, order)


def square(pairs: pl.DataFrame, size: int, order: str) -> Shown:
    """A projection as a matrix: the same places at both sides, each pair at both its cells."""
    both = pl.concat([pairs, pairs.select(a="b", b="a", n="n")])
    first = totals(both, "a").head(size)
    ids = first["id"].implode()
    shown = both.filter(pl.col("a").is_in(ids), pl.col("b").is_in(ids))
    return _shown(both, shown, first, first, order)


def _shown(
    pairs: pl.DataFrame, shown: pl.DataFrame, first: pl.DataFrame, second: pl.DataFrame, order: str
) -> Shown:
    groups = communities(shown)
    first, second = (
        one.with_columns(community=pl.Series([groups.get(i, 0) for i in one["id"]], dtype=pl.Int64))
        for one in (first, second)
    )
    if order == "community":
        keys, down = ["community", "total", "id"], [False, True, False]
        first, second = first.sort(keys, descending=down), second.sort(keys, descending=down)
    ends = (pairs["a"].n_unique(), pairs["b"].n_unique())
    return Shown(shown, first, second, int(pairs["n"].sum()), ends)


def network(pairs: pl.DataFrame, nodes: int = GRAPH_NODES, most: int = GRAPH_EDGES) -> Shown:
    """The strongest ties among the places with the largest totals, as many as can be read."""
    either = pl.concat([totals(pairs, "a"), totals(pairs, "b")])
    best = either.group_by("id").agg(pl.col("total").sum()).sort(
        ["total", "id"], descending=[True, False]
    ).head(nodes)  # fmt: skip
    ids = best["id"].implode()
    shown = pairs.filter(pl.col("a").is_in(ids), pl.col("b").is_in(ids)).head(most)
    first = totals(pairs, "a").filter(pl.col("id").is_in(shown["a"].implode()))
    second = totals(pairs, "b").filter(pl.col("id").is_in(shown["b"].implode()))
    return _shown(pairs, shown, first, second, "total")


def communities(shown: pl.DataFrame) -> dict[str, int]:
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


def positions(shown: Shown) -> dict[str, tuple[float, float]]:
    """Where each place stands in the graph, from -1 to 1 both ways; the same ties, the same places.

    Springs (Fruchterman and Reingold 1991), the stronger the tie the shorter.
    """
    import networkx as nx

    graph: Any = nx.Graph()
    for a, b, n in shown.edges.sort("a", "b").rows():
        graph.add_edge(a, b, weight=float(n) ** 0.5)
    if not graph:
        return {}
    placed = nx.spring_layout(graph, seed=1, weight="weight", iterations=120,
                              k=2.2 / max(1, len(graph)) ** 0.5)  # fmt: skip
    return {place: (float(x), float(y)) for place, (x, y) in placed.items()}


# --- the people behind a tie ------------------------------------------------------------------


def people(kind: str, a: str, b: str, period: tuple[int, int] | None) -> pl.DataFrame:
    """Those behind a tie, as many as it counts: person, person_id, name, level, ..., year."""
    ties = _ties(store.state(), kind).filter(pl.col("a") == a, pl.col("b") == b)
    if period is not None:
        ties = ties.filter(pl.col("year").is_between(*period))
    named = store.people_named(ties["person"].to_list())
    return named.join(ties.select("person", "year"), on="person")


def agreements(a: str, b: str, period: tuple[int, int] | None) -> pl.DataFrame:
    """The partnerships behind a tie, as many as it counts: kind, start, end."""
    rows = store.snapshot().frames["partnerships"].filter(
        pl.col("enterprise_id") == a, pl.col("school_id") == b
    )  # fmt: skip
    if period is not None:
        rows = rows.filter(pl.col("start").dt.year().is_between(*period))
    return rows.select("kind", "start", "end").sort("start").collect()


def shared(pairs: pl.DataFrame, onto: str, one: str, other: str) -> pl.DataFrame:
    """The places that two places of one end share: id, n_one, n_other, as many as the tie says."""
    end, far = ("a", "b") if onto == "first" else ("b", "a")
    first = pairs.filter(pl.col(end) == one).select(id=far, n_one="n")
    second = pairs.filter(pl.col(end) == other).select(id=far, n_other="n")
    return first.join(second, on="id").sort(["n_one", "id"], descending=[True, False])


def kinds() -> dict[str, str]:
    """Every kind of tie, in words."""
    return {
        "studio_enterprise": t("Studio to enterprise"),
        "school_enterprise": t("School to enterprise"),
        "teaching": t("Enterprise staff teaching at schools"),
        "partnership": t("Partnerships"),
    }


def meanings() -> dict[str, str]:
    """What each kind of tie counts."""
    return {
        "studio_enterprise": t("People trained at the studio who work for the enterprise now"),
        "school_enterprise": t("People trained at the school whom the enterprise then employed"),
        "teaching": t("People who work for the enterprise now and teach or taught at the school"),
        "partnership": t("Partnerships of the enterprise with the school, past or present"),
    }


def words_of(places_: Sequence[str]) -> dict[str, str]:
    """Place -> its name; the id where it has none."""
    wanted = pl.Series(list(places_), dtype=pl.String)
    found_ = places().filter(pl.col("id").is_in(wanted.implode()))
    return {id: name or id for id, name in found_.select("id", "name").rows()}
