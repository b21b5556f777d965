"""Ties between studios, enterprises and schools, counted from the people in them.

A kind of tie is a table of rows (person, a, b, year), stored beside the snapshot; the matrix and
the graph are small aggregates of it, in which a place goes by its key, "studio:S1": a studio and an
enterprise may have one id. Drawing is ui/ties/page.py's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import polars as pl

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.dates import format_date_columns
from graph.programme.place_ties import ShownTies, compute_ties, count_place_ties, id_of
from graph.snapshot.frames import Snapshot
from ui.reading import cached_metrics, talent_figures
from ui.shell import graph_state
from ui.words.i18n import t

MATRIX_SIZES: Final = ("20", "30", "50")


# --- the ties ---------------------------------------------------------------------------------


def _build_ties_path(snapshot: Snapshot, kind: str) -> Any:
    return build_table_path(snapshot, f"ties-{kind}")


def _materialize_ties(snapshot: Snapshot, kind: str) -> None:
    load_cached_table(_build_ties_path(snapshot, kind), partial(compute_ties, snapshot, kind))


def ensure_ties(kind: str, words: str) -> bool:
    """Whether the ties are counted; if not, they are being counted, and the page says so."""
    snapshot = graph_state.fetch_snapshot()
    ready = cached_metrics.is_network_small() or has_cached_table(_build_ties_path(snapshot, kind))
    return cached_metrics.ensure_background_job(
        (graph_state.fetch_graph_state(), "ties", kind),
        ready,
        partial(_materialize_ties, snapshot, kind),
        words,
    )


@graph_state.cache_by_graph_state(max_entries=4, resource=True)
def _fetch_ties(kind: str) -> pl.DataFrame:
    snapshot = graph_state.fetch_snapshot()
    return load_cached_table(
        _build_ties_path(snapshot, kind), partial(compute_ties, snapshot, kind)
    )


@graph_state.cache_by_graph_state(max_entries=2, resource=True)
def fetch_tie_places() -> pl.DataFrame:
    """Every studio, enterprise, school and project: key, id, kind, name, province, industry."""
    frames = graph_state.fetch_snapshot().frames
    parts = [
        frames[f"{kind}s"].select(
            pl.col("name", "province"),
            pl.col("industry")
            if kind in ("studio", "enterprise")
            else pl.lit(None, pl.String).alias("industry"),
            id=f"{kind}_id",
            kind=pl.lit(kind),
            key=pl.lit(f"{kind}:") + pl.col(f"{kind}_id"),
        )
        for kind in ("studio", "enterprise", "school", "project")
    ]
    return pl.concat(parts, how="diagonal_relaxed").collect()


@graph_state.cache_by_graph_state(max_entries=4)
def fetch_tie_years(kind: str) -> tuple[int, int] | None:
    """The first and the last year of a kind of tie; None when none is dated."""
    years = _fetch_ties(kind)["year"].drop_nulls()
    return (min(years), max(years)) if years.len() else None


@graph_state.cache_by_graph_state(max_entries=24, resource=True)
def fetch_tie_edges(
    kind: str,
    period: tuple[int, int] | None,
    province: str | None,
    industry: str | None,
    place: str | None = None,
) -> pl.DataFrame:
    """The ties that meet the filters: a, b, n (people, or partnerships), the strongest first.

    A period leaves out ties of unknown year; a province or an industry keeps those with an end in
    it, a place (its key) those that end there. Ends go by their keys.
    """
    ties = _fetch_ties(kind).lazy()
    if period is not None:
        ties = ties.filter(pl.col("year").is_between(*period))
    edges = count_place_ties(ties, kind).collect()
    named = fetch_tie_places()
    for column, wanted in (("province", province), ("industry", industry)):
        if wanted:
            keys = named.filter(pl.col(column) == wanted)["key"].implode()
            edges = edges.filter(pl.col("a").is_in(keys) | pl.col("b").is_in(keys))
    if place:
        edges = edges.filter((pl.col("a") == place) | (pl.col("b") == place))
    return edges.sort(["n", "a", "b"], descending=[True, False, False])


# --- what is shown ----------------------------------------------------------------------------


def compute_place_positions(shown: ShownTies) -> dict[str, tuple[float, float]]:
    """Where each place stands in the graph, from -1 to 1 both ways; the same ties, the same places.

    Springs (Fruchterman and Reingold 1991), the stronger the tie the shorter.
    """
    import networkx as nx

    graph: Any = nx.Graph()
    for a, b, n in shown.edges.sort("a", "b").rows():
        graph.add_edge(a, b, weight=float(n) ** 0.5)
    if not graph:
        return {}
    placed = nx.spring_layout(
        graph, seed=1, weight="weight", iterations=120, k=2.2 / max(1, len(graph)) ** 0.5
    )
    return {place: (float(x), float(y)) for place, (x, y) in placed.items()}


# --- the people of a tie ----------------------------------------------------------------------


def list_tie_people(kind: str, a: str, b: str, period: tuple[int, int] | None) -> pl.DataFrame:
    """The people of a tie between two keys, as many as it counts: person, person_id, name, level,
    ..., year.
    """
    ties = _fetch_ties(kind).filter(pl.col("a") == id_of(a), pl.col("b") == id_of(b))
    if period is not None:
        ties = ties.filter(pl.col("year").is_between(*period))
    named = talent_figures.fetch_people_by_number(ties["person"].to_list())
    return named.join(ties.select("person", "year"), on="person")


def list_partnerships(a: str, b: str, period: tuple[int, int] | None) -> pl.DataFrame:
    """The partnerships of a tie between two keys, as many as it counts: kind, start, end."""
    rows = (
        graph_state.fetch_snapshot()
        .frames["partnerships"]
        .filter(pl.col("enterprise_id") == id_of(a), pl.col("school_id") == id_of(b))
    )
    if period is not None:
        rows = rows.filter(pl.col("start").dt.year().is_between(*period))
    known = ("start_precision", "end_precision")
    return format_date_columns(rows.select("kind", "start", "end", *known).sort("start").collect())


def list_tie_kind_words() -> dict[str, str]:
    """Every kind of tie, in words."""
    return {
        "studio_enterprise": t("Studio to enterprise"),
        "school_enterprise": t("School to enterprise"),
        "teaching": t("Enterprise staff teaching at schools"),
        "partnership": t("Partnerships"),
        "project": t("Shared projects"),
    }


def list_tie_meanings() -> dict[str, str]:
    """What each kind of tie counts."""
    return {
        "studio_enterprise": t("People trained at the studio who work for the enterprise now"),
        "school_enterprise": t("People trained at the school whom the enterprise then employed"),
        "teaching": t("People who work for the enterprise now and teach or taught at the school"),
        "partnership": t("Partnerships of the enterprise with the school, past or present"),
        "project": t(
            "People who work for the enterprise now and work or worked on the project; "
            "no driven figure counts them"
        ),
    }


def fetch_place_names(places_: Sequence[str]) -> dict[str, str]:
    """Key -> the place's name; the id where it has none."""
    wanted = pl.Series(list(places_), dtype=pl.String)
    found_ = fetch_tie_places().filter(pl.col("key").is_in(wanted.implode()))
    return {key: name or id for key, id, name in found_.select("key", "id", "name").rows()}
