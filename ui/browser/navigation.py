"""The browser's way back, and links that open in place: one step back is one thing undone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ui.browser.component import declare_component

NAVIGATION_SCRIPT_PATH = Path(__file__).with_suffix(".js")


def watch_history(of_visit: Sequence[str]) -> None:
    """Watches while the page stands; draws nothing.

    `of_visit` are the parameters of the address that a change of is no step of the history.
    """
    declare_component(NAVIGATION_SCRIPT_PATH)(key="navigation", data=list(of_visit))
