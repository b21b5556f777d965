"""Neighbourhoods of the graph as networkx graphs, for the pages, the exports and notebooks.

They are cut out of a snapshot's tables: the people to show come from its links, which are
sorted by apprentice and by mentor (`graph.people.paths`), and their attributes from a lookup by
row number (`graph.people.lookup`), so that no neighbourhood costs a scan of a table. Every graph is
a `MultiDiGraph` whose edges lead from the one who passes skill on. Nodes and edges carry plain
attributes; one that is not known is left out.

- a person is the node `person_id`: kind "person", name, level (0 = none), leading, target,
  province, occupation_code, enterprise_id, retired_in (the year: the day tells the birthday), type
- a studio, enterprise or school is the node `studio:ID` and so on, with the model's properties;
  where places are shown, a person whose id begins as theirs do is the node `person:ID`
- an edge carries channel, start and end (dates; `PartialDate` where the year alone is known), and
  what states it: kind, status, studio_id, row
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, TypeAlias

import networkx as nx
import polars as pl

from graph.dates import restore_date_precision
from graph.errors import UsageError
from graph.people.lookup import PERSON_ROW_COLUMNS, lookup_mentorships_among, lookup_people
from graph.people.paths import find_common_mentors, find_shortest_paths, load_ties
from graph.snapshot.edges import build_studio_ties, filter_studio_trainings
from graph.snapshot.frames import Snapshot

Graph: TypeAlias = "nx.MultiDiGraph[Any]"

PERSON_ATTRIBUTES: Final = PERSON_ROW_COLUMNS[1:]
# Places: the frame, the column of its key, and the word before the key in the node's name.
PLACE_NODE_KINDS: Final = {
    "studio": ("studios", "studio_id"),
    "enterprise": ("enterprises", "enterprise_id"),
    "school": ("schools", "school_id"),
}
# How the nodes of places begin, and those of people that could be taken for one.
NODE_ID_PREFIXES: Final = (*(f"{kind}:" for kind in PLACE_NODE_KINDS), "person:")
# More people and relations than this are no graph for networkx, which keeps each as an object.
MAX_NETWORK_ROWS: Final = 3_000_000


def build_lineage_graph(
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
    focus, ties = _find_person_number(snapshot, person_id), load_ties(snapshot)
    found = {focus: 0}
    for direction, generations in (("up", up), ("down", down)):
        frontier = {focus}
        for generation in range(1, generations + 1):
            frontier = ties.beyond(frontier, direction) - found.keys()
            if not frontier:
                break
            sign = -1 if direction == "up" else 1
            found |= dict.fromkeys(sorted(frontier), sign * generation)
    shown = _take_nearest_people(found, limit)
    for person in _find_person_numbers(snapshot, expanded):
        if person in shown:
            for direction, sign in (("up", -1), ("down", 1)):
                for other in sorted(ties.beyond({person}, direction) - shown.keys()):
                    if len(shown) < limit:
                        shown[other] = shown[person] + sign
    graph, ids = _build_people_graph(snapshot, shown.keys())
    nx.set_node_attributes(graph, {ids[n]: g for n, g in shown.items()}, "generation")
    for name, direction in (("more_up", "up"), ("more_down", "down")):
        hidden = ties.hidden(shown.keys(), direction)
        nx.set_node_attributes(graph, {ids[n]: hidden.get(n, 0) for n in shown}, name)
    graph.graph["left_out"] = len(found.keys() - shown.keys())
    return graph


def build_ego_graph(
    snapshot: Snapshot, person_id: str, *, radius: int = 1, limit: int = 300
) -> Graph:
    """The people within `radius` links of a person, either way, and every link between them.

    The nearest come first up to `limit`; `graph.graph["left_out"]` is how many were left out.
    Raises `UsageError` when there is no such person.
    """
    focus, ties = _find_person_number(snapshot, person_id), load_ties(snapshot)
    found = {focus: 0}
    frontier = {focus}
    for distance in range(1, radius + 1):
        around = ties.beyond(frontier, "up") | ties.beyond(frontier, "down")
        frontier = around - found.keys()
        if not frontier:
            break
        found |= dict.fromkeys(sorted(frontier), distance)
    shown = _take_nearest_people(found, limit)
    graph, _ = _build_people_graph(snapshot, shown.keys())
    graph.graph["left_out"] = len(found) - len(shown)
    return graph


def build_path_graph(
    snapshot: Snapshot, start_id: str, end_id: str, *, limit: int = 300, either_way: bool = False
) -> Graph:
    """Everyone on a shortest chain of links from one person to another, and their links.

    Links lead from mentor to apprentice, or are taken `either_way`; their dates are not looked at.
    `hop` is each node's distance from the start, `graph.graph["hops"]` the end's and "paths" how
    many shortest chains there are. Of more than `limit` people one complete chain is always among
    those shown.
    Raises `UsageError` when one of them is not there, `NoPathError` when nothing leads from the
    one to the other or the search was cut off.
    """
    start, end = _find_person_number(snapshot, start_id), _find_person_number(snapshot, end_id)
    between = find_shortest_paths(load_ties(snapshot), start, end, either_way=either_way)
    found = {person: hop for hop, people in enumerate(between.hops) for person in people}
    first = between.first()
    others = [person for person in found if person not in first]
    shown = [*first, *others[: max(limit - len(first), 0)]]
    graph, ids = _build_people_graph(snapshot, shown)
    nx.set_node_attributes(graph, {ids[person]: found[person] for person in shown}, "hop")
    graph.graph.update(
        hops=len(between.hops) - 1, paths=between.paths, left_out=len(found) - len(shown)
    )
    return graph


def build_common_mentor_graph(
    snapshot: Snapshot, person_ids: Collection[str], *, limit: int = 300, nearest: int = 5
) -> Graph:
    """The nearest mentors that all of these have in common, and everyone on the shortest ways down.

    `graph.graph["nearest"]` has the id of each (the `nearest` first ones, by the sum of the
    generations) with how many links each of `person_ids` is below, 0 for one who is it; "found"
    how many there are in all. Empty when they have none within the generations looked at.
    Raises `UsageError` when one of them is not there.
    """
    ties, people = load_ties(snapshot), [_find_person_number(snapshot, id) for id in person_ids]
    found = find_common_mentors(ties, people)
    best = found.nearest[:nearest]
    on_ways = dict.fromkeys([*best, *people])
    for mentor in best:
        on_ways |= dict.fromkeys(found.ways_down(ties, mentor))
    shown = list(on_ways)[:limit]
    graph, ids = _build_people_graph(snapshot, shown)
    graph.graph.update(
        nearest={ids[m]: found.distances(m) for m in best},
        found=len(found.nearest),
        left_out=len(on_ways) - len(shown),
    )
    return graph


def build_studio_graph(snapshot: Snapshot, studio_id: str, *, limit: int = 300) -> Graph:
    """A studio with those who lead it and train there (up to `limit`), and links between them.

    The studio's own edges have the channels "leads" and "trained_at". Raises `UsageError` when
    there is no such studio.
    """
    at_studio = pl.col("studio_id") == studio_id
    studios = snapshot.frames["studios"].filter(at_studio).collect()
    if studios.is_empty():
        raise UsageError(
            "There is no studio {studio_id} in the graph; look it up under Find.",
            studio_id=studio_id,
        )
    leads = snapshot.frames["leads"].filter(at_studio).collect()
    trainings = filter_studio_trainings(snapshot.frames["trainings"]).filter(at_studio).collect()
    people = dict.fromkeys([*leads["person"], *trainings["person"]])
    shown = list(people)[:limit]
    graph, ids = _build_people_graph(snapshot, shown, places=True)
    graph.graph["left_out"] = len(people) - len(shown)
    graph.add_nodes_from(_build_organization_nodes(studios, "studio"))
    for channel, rows in (("leads", leads), ("trained_at", trainings)):
        rows = rows.filter(pl.col("person").is_in(shown)).with_columns(
            studio=pl.format("studio:{}", "studio_id")
        )
        _add_edges(graph, rows.drop("studio_id"), ("person", "studio"), channel, ids)
    return graph


def build_full_network(snapshot: Snapshot) -> Graph:
    """The full network: people, studios, enterprises, schools, and what ties them together.

    Channels of its edges: mentorship, studio, leads, trained_at, employed_by, teaches_at,
    partners_with. Raises `UsageError` when it is too large for networkx.
    """
    frames = snapshot.frames
    nodes = [frames["people"], *(frames[frame] for frame, _ in PLACE_NODE_KINDS.values())]
    ties = ["edges", "leads", "trainings", "employments", "teaching", "partnerships"]
    size = sum(_count_frame_rows(frame) for frame in [*nodes, *(frames[name] for name in ties)])
    if size > MAX_NETWORK_ROWS:
        raise UsageError(
            "The network has {count:,} people, places and relations, more than the "
            "{most:,} that can be exported whole; use the Parquet tables in {folder}, or "
            "export one person's lineage.",
            count=size,
            most=MAX_NETWORK_ROWS,
            folder=snapshot.folder,
        )
    graph, ids = _build_people_graph(snapshot, None, places=True)
    for kind, (frame, _) in PLACE_NODE_KINDS.items():
        graph.add_nodes_from(_build_organization_nodes(frames[frame].collect(), kind))

    def place(kind: str) -> pl.Expr:
        return pl.format(f"{kind}:{{}}", PLACE_NODE_KINDS[kind][1]).alias("place")

    trained_at = pl.format("{}:{}", pl.col("place_kind").str.to_lowercase(), "place_id")
    for channel, rows, key in (
        ("leads", frames["leads"].with_columns(place("studio")), "studio_id"),
        ("trained_at", frames["trainings"].with_columns(place=trained_at), "place_kind"),
        ("employed_by", frames["employments"].with_columns(place("enterprise")), "enterprise_id"),
        ("teaches_at", frames["teaching"].with_columns(place("school")), "school_id"),
    ):
        rest = rows.drop(key, *(["place_id"] if key == "place_kind" else [])).collect()
        _add_edges(graph, rest, ("person", "place"), channel, ids)
    partners = frames["partnerships"].select(
        place("enterprise"),
        pl.format("school:{}", "school_id").alias("school"),
        "start",
        "end",
        "kind",
        "row",
        "start_precision",
        "end_precision",
    )
    _add_edges(graph, partners.collect(), ("place", "school"), "partners_with", ids)
    working = frames["people"].filter(pl.col("enterprise_id").is_not_null())
    now = working.select("person", "enterprise_id").join(
        frames["employments"], on=["person", "enterprise_id"], how="anti"
    )
    known = frames["enterprises"].select("enterprise_id")
    stated = now.join(known, on="enterprise_id", how="semi").with_columns(place("enterprise"))
    employments = stated.drop("enterprise_id").collect()
    _add_edges(graph, employments, ("person", "place"), "employed_by", ids)
    return graph


# --- finding people ---------------------------------------------------------------------------


def _find_person_number(snapshot: Snapshot, person_id: str) -> int:
    found = _find_person_numbers(snapshot, [person_id])
    if not found:
        raise UsageError("There is no person of that id in the graph; look the name up under Find.")
    return found[0]


def _find_person_numbers(snapshot: Snapshot, person_ids: Collection[str]) -> list[int]:
    if not person_ids:
        return []
    chosen = snapshot.frames["people"].filter(pl.col("person_id").is_in(list(person_ids)))
    return chosen.select("person").collect()["person"].to_list()


def _build_membership_filter(column: str, people: Iterable[int]) -> pl.Expr:
    return pl.col(column).is_in(pl.Series(list(people), dtype=pl.Int32).implode())


def _take_nearest_people(found: dict[int, int], limit: int) -> dict[int, int]:
    """The first `limit` people by how far they are, a generation above before the one below."""
    order = sorted(found.items(), key=lambda item: (abs(item[1]), item[1], item[0]))
    return dict(order[:limit])


# --- making graphs ----------------------------------------------------------------------------


def _build_people_graph(
    snapshot: Snapshot, people: Collection[int] | None, *, places: bool = False
) -> tuple[Graph, dict[int, str]]:
    """The people (None = all) and every mentorship and studio tie between them.

    With each person's node by row number; `places` are to stand in the same graph.
    """
    frames = snapshot.frames
    leads, trainings = frames["leads"], filter_studio_trainings(frames["trainings"])
    if people is None:
        columns = ("person", "person_id", *PERSON_ATTRIBUTES)
        nodes = frames["people"].select(columns).collect()
        taught = frames["mentorships"].drop("sources").collect()
    else:
        nodes, taught = lookup_people(snapshot, people), lookup_mentorships_among(snapshot, people)
        leads, trainings = (
            frame.filter(_build_membership_filter("person", people)) for frame in (leads, trainings)
        )
    retired = pl.col("retired_on").dt.year().alias("retired_in")
    nodes = nodes.with_columns(retired).drop("retired_on")
    graph: Graph = nx.MultiDiGraph(revision=snapshot.revision)
    ids: dict[int, str] = {}
    for row in nodes.iter_rows(named=True):
        person_id = row.pop("person_id")
        apart = places and person_id.startswith(NODE_ID_PREFIXES)
        ids[row.pop("person")] = node = f"person:{person_id}" if apart else person_id
        graph.add_node(node, kind="person", **_drop_unknown_attributes(row))
    others = pl.col("mentor") != pl.col("apprentice")
    trained = build_studio_ties(leads, trainings).filter(others).collect()
    ends = ("mentor", "apprentice")
    _add_edges(graph, taught.filter(others), ends, "mentorship", ids)
    _add_edges(graph, trained, ends, "studio", ids)
    return graph, ids


def _add_edges(
    graph: Graph, rows: pl.DataFrame, ends: tuple[str, str], channel: str, ids: dict[int, str]
) -> None:
    """Adds an edge a row; an end that is a person's number becomes the person's node."""
    for end in (end for end in ends if ids and rows.schema[end] == pl.Int32):
        rows = rows.with_columns(
            pl.col(end).replace_strict(ids, default=None, return_dtype=pl.String)
        )
    rows = rows.select(*ends, pl.exclude(*ends, "sources")).sort(ends)
    names = rows.columns[2:]
    graph.add_edges_from(
        (
            start,
            end,
            {"channel": channel, **_drop_unknown_attributes(dict(zip(names, values, strict=True)))},
        )
        for start, end, *values in rows.iter_rows()
    )


def _build_organization_nodes(
    rows: pl.DataFrame, kind: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    key = PLACE_NODE_KINDS[kind][1]
    for row in rows.iter_rows(named=True):
        known = _drop_unknown_attributes(row)
        if "kind" in known:
            known["type"] = known.pop("kind")
        yield f"{kind}:{row[key]}", {"kind": kind, **known}


def _drop_unknown_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in attributes.items() if value is not None}
    return {
        name: value for name, value in restore_date_precision(known).items() if value is not None
    }


def _count_frame_rows(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect().item())
