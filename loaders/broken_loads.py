"""What broke off here before: undone, or completed where there is no way back."""

from __future__ import annotations

from typing import Final

from graph.errors import DatabaseError
from graph.messages import Message, Say
from graph.progress import Progress
from graph.server.database import Database
from graph.store.undo import delete_old_undo_images, undo_load
from loaders.erasure.completion import complete_erasure
from loaders.erasure.erasure_order import read_erasure_order
from loaders.load_nodes import (
    build_undoing_elsewhere_error,
    complete_undoing,
)

_UNDER_WAY_ELSEWHERE_STATEMENT: Final = (
    "MATCH (l:Load) WHERE l.finished_at IS NULL AND (l.undoes <> '' OR l.erased > 0) "
    "RETURN l.erased IS NOT NULL AS erasing"
)


def undo_broken_loads(
    database: Database,
    say: Say,
    progress: Progress = lambda what, done, total: None,
) -> None:
    """Undoes the loads that broke off; none of them runs now, for it is this one's turn.

    Whatever data folder began them: what is loaded now would be lost if they were undone later. An
    undoing or an erasure that broke off is completed. Raises DatabaseError where another data
    folder has to complete an erasure.
    """
    if read_erasure_order(database.settings.home) is not None:
        complete_erasure(database, progress=progress, say=say)
        say(Message("An erasure of people that broke off has been completed."))
    broken = database.read(
        "MATCH (l:Load) WHERE l.finished_at IS NULL AND l.erased IS NULL AND l.undo IS NOT NULL "
        "RETURN l.load_id AS load, l.undoes AS undoes ORDER BY load DESC"
    )
    for row in broken:
        if row["undoes"] is None:
            undo_load(database, row["load"])
            say(Message("A load that broke off has been undone."))
        else:
            complete_undoing(database, row["load"], row["undoes"], progress)
            say(Message("The undoing of a load that broke off has been completed."))
    if elsewhere := database.read(_UNDER_WAY_ELSEWHERE_STATEMENT):
        # In its own store nobody else writes: the lock of the data folder is held.
        if database.embedded and elsewhere[0]["erasing"]:
            raise DatabaseError(
                "An erasure of people broke off, and the list of what was to go is gone: run "
                "`shicheng forget --resume`."
            )
        raise build_undoing_elsewhere_error()
    delete_old_undo_images(database, database.settings.undo_loads)
