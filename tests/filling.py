"""A store that holds a generated network and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from graph.server.database import Database
from graph.settings import Settings
from graph.store.digest import compute_store_digest
from loaders import folder
from loaders.reports import LoadReport
from loaders.sync import load_records
from loaders.synthetic.network import write_synthetic_folder
from tests.emptying import emptied


def filled(
    database: Database,
    settings: Settings,
    made: Path,
    *,
    changed: Callable[[Path], None] = lambda made: None,
    **size: Any,
) -> LoadReport:
    """The report of loading the network that is written to `made`, after `changed` had it."""
    emptied(database)
    write_synthetic_folder(made, **size)
    changed(made)
    return load_records(database, "folder", folder.get([made]), home=settings.home)


# What each store was filled with, by its data folder, and what it held then.
_CONTENTS: dict[Path, tuple[Hashable, tuple[str, str]]] = {}


def load_unless_loaded(database: Database, content: Hashable, load: Callable[[], object]) -> None:
    """Call `load` unless it left this very content, and the store holds it as it was."""
    home = database.settings.home
    if home in _CONTENTS and _CONTENTS[home] == (content, _describe_store(database)):
        return
    load()
    _CONTENTS[home] = (content, _describe_store(database))


def _describe_store(database: Database) -> tuple[str, str]:
    """Its loads and the digest of its records."""
    loads = database.read("MATCH (l:Load) RETURN properties(l) AS load ORDER BY l.load_id")
    return repr(loads), compute_store_digest(database)


def fill_unless_filled(database: Database, settings: Settings, made: Path, **size: Any) -> None:
    """As `filled`, for tests that only read the network: one load serves file after file."""
    content = ("network", *sorted(size.items()))
    load_unless_loaded(database, content, lambda: filled(database, settings, made, **size))
