"""A store that holds a generated network and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graph.server.database import Database
from graph.server.location import DATABASE, locate_store
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


@dataclass(frozen=True)
class _Filling:
    """What a store was filled with, what it held then, and when its log was last written to."""

    content: Hashable
    held: tuple[str, str]
    logged: tuple[tuple[str, int], ...]


_FILLINGS: dict[Path, _Filling] = {}  # by the store's data folder


def load_unless_loaded(database: Database, content: Hashable, load: Callable[[], object]) -> None:
    """Call `load` unless it left this very content, and the store holds it as it was."""
    home = database.settings.home
    before = _FILLINGS.get(home)
    if before is not None and before.content == content:
        # No transaction wrote since: to read all that the store holds takes seconds.
        if before.logged == _read_log_times(home):
            return
        if before.held == _describe_store(database):
            _FILLINGS[home] = replace(before, logged=_read_log_times(home))
            return
    load()
    _FILLINGS[home] = _Filling(content, _describe_store(database), _read_log_times(home))


def _read_log_times(home: Path) -> tuple[tuple[str, int], ...]:
    """When each file of the transaction log was last written to; every write ends up in one."""
    logs = (locate_store(home) / "data" / "transactions" / DATABASE).glob("neostore.transaction.*")
    return tuple(sorted((log.name, log.stat().st_mtime_ns) for log in logs))


def _describe_store(database: Database) -> tuple[str, str]:
    """Its loads and the digest of its records."""
    loads = database.read("MATCH (l:Load) RETURN properties(l) AS load ORDER BY l.load_id")
    return repr(loads), compute_store_digest(database)


def fill_unless_filled(database: Database, settings: Settings, made: Path, **size: Any) -> None:
    """As `filled`, for tests that only read the network: one load serves file after file."""
    content = ("network", *sorted(size.items()))
    load_unless_loaded(database, content, lambda: filled(database, settings, made, **size))
