"""What holds for the length of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graph.settings import Settings

if TYPE_CHECKING:
    from graph.store.standing import GraphState


class CommandState:
    """The state of one command: the settings with `--home` taken in, and, while a load is under
    way, the data that its answer is of. `command` is the first word of its name."""

    settings = Settings()
    standing: GraphState | None = None
    command = ""
