"""A store that holds a generated network and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from graph.database import Database
from graph.settings import Settings
from loaders import folder
from loaders.sync import LoadReport, sync
from loaders.synthetic import generate
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
    generate(made, **size)
    changed(made)
    return sync(database, "folder", folder.get([made]), home=settings.home)
