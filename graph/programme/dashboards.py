"""Pages that analysts put together: several queries of the library, with parameters they share.

A dashboard is an entry of the notebook, in versions as a saved query is. Whoever has its address
opens it, and sees what the role allows of its rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

from graph.cypher.named_queries import Parameter, Query
from graph.errors import RefusedError, UsageError
from graph.programme.notebook import Entry, Notebook

TileView = Literal["table", "chart", "number"]
TILE_VIEWS: Final[tuple[TileView, ...]] = get_args(TileView)
MAX_TILES: Final = 12
MAX_DASHBOARD_TITLE_CHARACTERS: Final = 80


@dataclass(frozen=True)
class DashboardTile:
    """A query of the library, by name, and how its rows are shown."""

    query: str
    view: TileView


@dataclass(frozen=True)
class Dashboard:
    """The newest version of a dashboard; `figures`: the policy's own figures stand on top."""

    id: str
    owner: str
    title: str
    tiles: tuple[DashboardTile, ...]
    figures: bool


def save_dashboard(
    notebook: Notebook,
    owner: str,
    *,
    title: str,
    tiles: Sequence[DashboardTile],
    figures: bool = False,
    id: str | None = None,
) -> Dashboard:
    """Keeps a dashboard, or a new version of the owner's own. Raises `UsageError` for what is
    missing or too much, `RefusedError` for another's."""
    title = " ".join(title.split())
    if not title or len(title) > MAX_DASHBOARD_TITLE_CHARACTERS:
        raise UsageError(
            "A dashboard needs a title of 1 to {most} characters.",
            most=MAX_DASHBOARD_TITLE_CHARACTERS,
        )
    if not 1 <= len(tiles) <= MAX_TILES:
        raise UsageError(
            "A dashboard has 1 to {most} queries, not {number}; choose some.",
            most=MAX_TILES,
            number=len(tiles),
        )
    before = None if id is None else find_dashboard(notebook, id)
    if before is not None and before.owner != owner:
        raise RefusedError("This dashboard is somebody else's: save it under a title of your own.")
    body = {"title": title, "tiles": [asdict(tile) for tile in tiles], "figures": figures}
    return _read_dashboard(notebook.add("dashboard", owner, id or uuid.uuid4().hex, body))


def find_dashboard(notebook: Notebook, id: str) -> Dashboard | None:
    """The dashboard with this id, whoever made it; None where there is none."""
    entries = notebook.entries("dashboard", subject=id, most=1)
    return _read_dashboard(entries[0]) if entries else None


def list_dashboards(notebook: Notebook, owner: str) -> list[Dashboard]:
    """The owner's own, by title."""
    entries = notebook.standing("dashboard").values()
    own = [_read_dashboard(entry) for entry in entries if entry.owner == owner]
    return sorted(own, key=lambda one: (one.title.casefold(), one.id))


def remove_dashboard(notebook: Notebook, owner: str, id: str) -> int:
    """Takes away all versions of the owner's own; how many there were."""
    entries = notebook.entries("dashboard", owner=owner, subject=id, most=10_000)
    return sum(notebook.remove(entry.id, owner) for entry in entries)


def collect_shared_parameters(queries: Iterable[Query]) -> tuple[Parameter, ...]:
    """The parameters of several queries, each name once; of one name the first declaration counts.

    One that is declared with another type elsewhere keeps its default there.
    """
    found: dict[str, Parameter] = {}
    for query in queries:
        for parameter in query.parameters:
            found.setdefault(parameter.name, parameter)
    return tuple(found.values())


def select_query_values(
    query: Query, shared: Sequence[Parameter], values: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of the shared parameters that a query takes: of the same name and type."""
    types = {parameter.name: parameter.type for parameter in shared}
    return {
        parameter.name: values[parameter.name]
        for parameter in query.parameters
        if parameter.name in values and types.get(parameter.name) == parameter.type
    }


def _read_dashboard(entry: Entry) -> Dashboard:
    body: Mapping[str, Any] = entry.body
    tiles = tuple(DashboardTile(str(one["query"]), one["view"]) for one in body["tiles"])
    return Dashboard(
        entry.subject, entry.owner, str(body["title"]), tiles, bool(body.get("figures"))
    )
