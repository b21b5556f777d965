"""The scripts of the pages as components of Streamlit."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ui.browser.bundle import bundle_script


@cache
def declare_component(script: Path, *, isolate_styles: bool = True) -> Any:
    """The mounting command of a script, declared once a process under the script's name.

    `isolate_styles` False: the page's style sheet reaches what the script draws.
    """
    return declare_script(script.stem, bundle_script(script), isolate_styles=isolate_styles)


@cache
def declare_script(name: str, text: str, *, isolate_styles: bool = True) -> Any:
    """As `declare_component`, of a script that Python has put together."""
    # Only who draws needs Streamlit.
    import streamlit as st

    return st.components.v2.component(f"shicheng_{name}", js=text, isolate_styles=isolate_styles)
