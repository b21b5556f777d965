"""The keyboard of the page that finds: `/` to the box, arrows through the results, Enter opens."""

from __future__ import annotations

from pathlib import Path

from ui.browser.component import declare_component

SEARCH_KEYS_SCRIPT_PATH = Path(__file__).parent / "search_keys.js"


def watch_search_keys() -> None:
    """Listens while the page stands; draws nothing."""
    declare_component(SEARCH_KEYS_SCRIPT_PATH)(key="search_keys")
