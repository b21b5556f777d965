"""Neighbourhoods of the graph as networkx graphs, for the pages, the exports and notebooks.

They are cut out of a snapshot's tables: whom to show is looked up in its links, which stand by
apprentice and by mentor (`graph.paths`), and what is said of them by number (`graph.rows`), so that
no neighbourhood costs a pass over all of them. Every graph is a `MultiDiGraph` whose edges lead
from the one who passes skill on. Nodes and edges carry plain attributes; one that is not known is
left out.

- a person is the node `person_id`: kind "person", name, level (0 = none), leading, target,
  province, occupation_code, enterprise_id, retired_on, type
- a studio, enterprise or school is the node `studio:ID` and so on, with the model's properties
- an edge carries channel, start and end (dates), and what states it: kind, status, studio_id, row
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, TypeAlias

import networkx as nx
import polars as pl

from graph.errors import UsageError
from graph.paths import common_mentors, search, ties_of
from graph.rows import OF_PEOPLE, mentorships_among, people_at
from graph.snapshot import Snapshot, studio_ties, studio_trainings

Graph: TypeAlias = "nx.MultiDiGraph[Any]"

PERSON_ATTRIBUTES: Final = OF_PEOPLE[1:]
# Places: the frame, the column of its key, and the word before the key in the node's name.
PLACES: Final = {
    "studio": ("studios", "studio_id"),
    "enterprise": ("enterprises", "enterprise_id"),
    "school": ("schools", "school_id"),
}
# More people and relations than this are no graph for networkx, which keeps each as an object.
LARGEST: Final = 3_000_000


def lineage(
    snapshot: Snapshot,
    person_id: str,
    *,
    up: int = 2,
    down: int = 3,
    limit: int = 300,
    expanded: Collection[str] = (),
) -> Graph:
    """Mentors above a person and those taught below, with every link between the people shown.

    `up` and `down` are generations, `limit` the most people (nearest generations first), and
    `expanded` the ids of people whose own apprentices and mentors are wanted beyond that. Each
    node has also generation (negative above, 0 = the person), and more_up and more_down, how many
    of its mentors and apprentices are not in the graph. `graph.graph["left_out"]` is how many
    people within the generations the limit left out.
    Raises `UsageError` when there is no such person.
    """
    focus, ties = _number(snapshot, person_id), ties_of(snapshot)
    found = {focus: 0}
    for direction, generations in (("up", up), ("down", down)):
        frontier = {focus}
        for generation in range(1, generations + 1):
            frontier = ties.beyond(frontier, direction) - found.keys()
            sign = -1 if direction == "up" else 1
            found |= dict.fromkeys(sorted(frontier), sign * generation)
    shown = _nearest(found, limit)
    for person in _numbers(snapshot, expanded):
        if person in shown:
            for direction, sign in (("up", -1), ("down", 1)):
                for other in sorted(ties.beyond({person}, direction) - shown.keys()):
                    if len(shown) < limit:
                        shown[other] = shown[person] + sign
    graph, ids = _named_among(snapshot, shown.keys())
    nx.set_node_attributes(graph, {ids[n]: g for n, g in shown.items()}, "generation")
    for name, direction in (("more_up", "up"), ("more_down", "down")):
        hidden = ties.hidden(shown.keys(), direction)
        nx.set_node_attributes(graph, {ids[n]: hidden.get(n, 0) for n in shown}, name)
    graph.graph["left_out"] = len(found.keys() - shown.keys())
    return graph


def ego(snapshot: Snapshot, person_id: str, *, radius: int = 1, limit: int = 300) -> Graph:
    """The people within `radius` links of a person, either way, and every link between them.

    The nearest come first up to `limit`; `graph.graph["left_out"]` is how many were left out.
    Raises `UsageError` when there is no such person.
    """
    focus, ties = _number(snapshot, person_id), ties_of(snapshot)
    found = {focus: 0}
    frontier = {focus}
    for distance in range(1, radius + 1):
        around = ties.beyond(frontier, "up") | ties.beyond(frontier, "down")
        frontier = around - found.keys()
        found |= dict.fromkeys(sorted(frontier), distance)
    shown = _nearest(found, limit)
    graph = _among(snapshot, shown.keys())
    graph.graph["left_out"] = len(found) - len(shown)
    return graph


def path(
    snapshot: Snapshot, start_id: str, end_id: str, *, limit: int = 300, either_way: bool = False
) -> Graph:
    """Everyone on a shortest chain of links from one person to another, and their links.

    Links lead from mentor to apprentice, or are taken `either_way`; their dates are not looked at.
    `hop` is each node's distance from the start, `graph.graph["hops"]` the end's and "paths" how
    many shortest chains there are. Of more than `limit` people one whole chain is always among
    those shown.
    Raises `UsageError` when one of them is not there, `NoPathError` when nothing leads from the
    one to the other or the search was cut off.
    """
    start, end = _number(snapshot, start_id), _number(snapshot, end_id)
    between = search(ties_of(snapshot), start, end, either_way=either_way)
    found = {person: hop for hop, people in enumerate(between.hops) for person in people}
    first = between.first()
    others = [person for person in found if person not in first]
    shown = [*first, *others[: max(limit - len(first), 0)]]
    graph, ids = _named_among(snapshot, shown)
    nx.set_node_attributes(graph, {ids[person]: found[person] for person in shown}, "hop")
    graph.graph.update(
        hops=len(between.hops) - 1, paths=between.paths, left_out=len(found) - len(shown)
    )
    return graph


def common(
    snapshot: Snapshot, person_ids: Collection[str], *, limit: int = 300, nearest: int = 5
) -> Graph:
    """The nearest people whom all of these go back to, and everyone on the shortest ways down.

    `graph.graph["nearest"]` has the id of each (the `nearest` first ones, by the sum of the
    generations) with how many links each of `person_ids` is below, 0 for one who is it; "found"
    how many there are in all. Empty when they have none within the generations looked at.
    Raises `UsageError` when one of them is not there.
    """
    ties, people = ties_of(snapshot), [_number(snapshot, id) for id in person_ids]
    found = common_mentors(ties, people)
    best = found.nearest[:nearest]
    on_ways = dict.fromkeys([*best, *people])
    for mentor in best:
        on_ways |= dict.fromkeys(found.ways_down(ties, mentor))
    shown = list(on_ways)[:limit]
    graph, ids = _named_among(snapshot, shown)
    graph.graph.update(
        nearest={ids[m]: found.distances(m) for m in best}, found=len(found.nearest),
        left_out=len(on_ways) - len(shown),
    )  # fmt: skip
    return graph


def studio(snapshot: Snapshot, studio_id: str, *, limit: int = 300) -> Graph:
    """A studio with those who lead it and train there (up to `limit`), and links between them.

    The studio's own edges have the channels "leads" and "trained_at". Raises `UsageError` when
    there is no such studio.
    """
    at_studio = pl.col("studio_id") == studio_id
    studios = snapshot.frames["studios"].filter(at_studio).collect()
    if studios.is_empty():
        raise UsageError(f"There is no studio {studio_id} in the graph; look it up under Find.")
    leads = snapshot.frames["leads"].filter(at_studio).collect()
    trainings = studio_trainings(snapshot.frames["trainings"]).filter(at_studio).collect()
    people = dict.fromkeys([*leads["person"], *trainings["person"]])
    shown = list(people)[:limit]
    graph = _among(snapshot, shown)
    graph.graph["left_out"] = len(people) - len(shown)
    graph.add_nodes_from(_places(studios, "studio"))
    for channel, rows in (("leads", leads), ("trained_at", trainings)):
        rows = rows.filter(pl.col("person").is_in(shown)).with_columns(
            studio=pl.format("studio:{}", "studio_id")
        )
        _link(graph, snapshot, rows.drop("studio_id"), ("person", "studio"), channel)
    return graph


def whole(snapshot: Snapshot) -> Graph:
    """The whole network: people, studios, enterprises, schools, and what ties them together.

    Channels of its edges: mentorship, studio, leads, trained_at, employed_by, teaches_at,
    partners_with. Raises `UsageError` when it is too large for networkx.
    """
    frames = snapshot.frames
    nodes = [frames["people"], *(frames[frame] for frame, _ in PLACES.values())]
    ties = ["edges", "leads", "trainings", "employments", "teaching", "partnerships"]
    size = sum(_height(frame) for frame in [*nodes, *(frames[name] for name in ties)])
    if size > LARGEST:
        raise UsageError(
            f"The network has {size:,} people, places and relations, more than the {LARGEST:,} "
            "that can be exported whole; use the Parquet tables in "
            f"{snapshot.folder}, or export one person's lineage."
        )
    graph = _among(snapshot, None)
    for kind, (frame, _) in PLACES.items():
        graph.add_nodes_from(_places(frames[frame].collect(), kind))

    def place(kind: str) -> pl.Expr:
        return pl.format(f"{kind}:{{}}", PLACES[kind][1]).alias("place")

    trained_at = pl.format("{}:{}", pl.col("place_kind").str.to_lowercase(), "place_id")
    for channel, rows, key in (
        ("leads", frames["leads"].with_columns(place("studio")), "studio_id"),
        ("trained_at", frames["trainings"].with_columns(place=trained_at), "place_kind"),
        ("employed_by", frames["employments"].with_columns(place("enterprise")), "enterprise_id"),
        ("teaches_at", frames["teaching"].with_columns(place("school")), "school_id"),
    ):
        rest = rows.drop(key, *(["place_id"] if key == "place_kind" else [])).collect()
        _link(graph, snapshot, rest, ("person", "place"), channel)
    partners = frames["partnerships"].select(
        place("enterprise"), pl.format("school:{}", "school_id").alias("school"),
        "start", "end", "kind", "row",
    )  # fmt: skip
    _link(graph, snapshot, partners.collect(), ("place", "school"), "partners_with")
    working = frames["people"].filter(pl.col("enterprise_id").is_not_null())
    now = working.select("person", "enterprise_id").join(
        frames["employments"], on=["person", "enterprise_id"], how="anti"
    )
    known = frames["enterprises"].select("enterprise_id")
    stated = now.join(known, on="enterprise_id", how="semi").with_columns(place("enterprise"))
    _link(
        graph, snapshot, stated.drop("enterprise_id").collect(), ("person", "place"), "employed_by"
    )
    return graph


# --- finding whom -----------------------------------------------------------------------------


def _number(snapshot: Snapshot, person_id: str) -> int:
    found = _numbers(snapshot, [person_id])
    if not found:
        raise UsageError("There is no person of that id in the graph; look the name up under Find.")
    return found[0]


def _numbers(snapshot: Snapshot, person_ids: Collection[str]) -> list[int]:
    if not person_ids:
        return []
    chosen = snapshot.frames["people"].filter(pl.col("person_id").is_in(list(person_ids)))
    return chosen.select("person").collect()["person"].to_list()


def _ids(snapshot: Snapshot, people: Iterable[int]) -> dict[int, str]:
    chosen = snapshot.frames["people"].filter(_in("person", people)).select("person", "person_id")
    return dict(chosen.collect().iter_rows())


def _in(column: str, people: Iterable[int]) -> pl.Expr:
    return pl.col(column).is_in(pl.Series(list(people), dtype=pl.Int32).implode())


def _nearest(found: dict[int, int], limit: int) -> dict[int, int]:
    """The first `limit` people by how far they are, a generation above before the one below."""
    order = sorted(found.items(), key=lambda item: (abs(item[1]), item[1], item[0]))
    return dict(order[:limit])


# --- making graphs ----------------------------------------------------------------------------


def _among(snapshot: Snapshot, people: Collection[int] | None) -> Graph:
    """The people (None = all) and every mentorship and studio tie between them."""
    return _named_among(snapshot, people)[0]


def _named_among(
    snapshot: Snapshot, people: Collection[int] | None
) -> tuple[Graph, dict[int, str]]:
    """As `_among`, with each person's id by row number."""
    frames = snapshot.frames
    leads, trainings = frames["leads"], studio_trainings(frames["trainings"])
    if people is None:
        columns = ("person", "person_id", *PERSON_ATTRIBUTES)
        nodes = frames["people"].select(columns).collect()
        taught = frames["mentorships"].drop("sources").collect()
    else:
        nodes, taught = people_at(snapshot, people), mentorships_among(snapshot, people)
        leads, trainings = (frame.filter(_in("person", people)) for frame in (leads, trainings))
    graph: Graph = nx.MultiDiGraph(revision=snapshot.revision)
    ids: dict[int, str] = {}
    for row in nodes.iter_rows(named=True):
        ids[row.pop("person")] = row["person_id"]
        graph.add_node(row.pop("person_id"), kind="person", **_known(row))
    others = pl.col("mentor") != pl.col("apprentice")
    trained = studio_ties(leads, trainings).filter(others).collect()
    ends = ("mentor", "apprentice")
    _link(graph, snapshot, taught.filter(others), ends, "mentorship", ids)
    _link(graph, snapshot, trained, ends, "studio", ids)
    return graph, ids


def _link(
    graph: Graph, snapshot: Snapshot, rows: pl.DataFrame, ends: tuple[str, str], channel: str,
    ids: dict[int, str] | None = None,
) -> None:  # fmt: skip
    """Adds an edge a row; an end that is a person's number becomes the person's id."""
    numbered = [end for end in ends if rows.schema[end] == pl.Int32]
    if ids is None and numbered:
        ids = _ids(snapshot, pl.concat([rows[end] for end in numbered]).unique())
    for end in numbered:
        if ids:
            rows = rows.with_columns(
                pl.col(end).replace_strict(ids, default=None, return_dtype=pl.String)
            )
    rows = rows.select(*ends, pl.exclude(*ends, "sources")).sort(ends)
    names = rows.columns[2:]
    graph.add_edges_from(
        (start, end, {"channel": channel, **_known(dict(zip(names, values, strict=True)))})
        for start, end, *values in rows.iter_rows()
    )


def _places(rows: pl.DataFrame, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    key = PLACES[kind][1]
    for row in rows.iter_rows(named=True):
        known = _known(row)
        if "kind" in known:
            known["type"] = known.pop("kind")
        yield f"{kind}:{row[key]}", {"kind": kind, **known}


def _known(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


def _height(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect().item())
