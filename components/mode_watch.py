"""Draws the page anew when the visitor's system turns light or dark while it is open.

Streamlit turns its own colours at once, but what Python has drawn (the style sheet, the charts)
is of the mode the page was drawn in; without this, half of the page would keep the old colours
until the next click.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

# Streamlit tells Python the mode it shows, so it must have turned before it is asked to run again.
SCRIPT: Final = """
export default function ({ setTriggerValue }) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let waiting = 0;
  const turned = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => setTriggerValue("turned", dark.matches), 200);
  };
  dark.addEventListener("change", turned);
  return () => { clearTimeout(waiting); dark.removeEventListener("change", turned); };
}
"""


@cache
def _component() -> Any:
    import streamlit as st

    return st.components.v2.component("shicheng_mode", js=SCRIPT)


def watch_mode() -> None:
    """Watches while the page stands; draws nothing."""
    _component()(key="mode_watch", on_turned_change=lambda: None)
