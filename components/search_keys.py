"""The keyboard of the page that finds: `/` to the box, arrows through the results, Enter opens."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parent / "search_keys.js"


@cache
def _component() -> Any:
    import streamlit as st

    return st.components.v2.component("shicheng_keys", js=SCRIPT.read_text("utf-8"))


def search_keys() -> None:
    """Listens while the page stands; draws nothing."""
    _component()(key="search_keys")
