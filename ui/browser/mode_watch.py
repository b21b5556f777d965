"""Draws the page anew when the visitor's system turns light or dark while it is open.

Streamlit turns its own colours at once, but what Python has drawn (the style sheet, the charts)
is of the mode the page was drawn in; without this, half of the page would keep the old colours
until the next click.
"""

from __future__ import annotations

from pathlib import Path

from ui.browser.component import declare_component

# Streamlit tells Python the mode it shows, so it must have turned before it is asked to run again.
MODE_WATCH_SCRIPT_PATH = Path(__file__).with_name("mode_watch.js")


def watch_mode() -> None:
    """Watches while the page stands; draws nothing."""
    declare_component(MODE_WATCH_SCRIPT_PATH)(key="mode_watch", on_turned_change=lambda: None)
