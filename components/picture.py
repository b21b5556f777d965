"""A button that saves an SVG drawing as a PNG, drawn in the visitor's browser."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("picture.js")


def png_button(label: str, svg: str, name: str, *, key: str) -> None:
    """The button; `svg` must ask for nothing outside itself, `name` is the file's."""
    data = {"svg": svg, "name": name, "label": label}
    _component()(key=key, data=data, width="content", height="content")


@cache
def _component() -> Any:
    import streamlit as st

    return st.components.v2.component(
        "shicheng_picture", js=SCRIPT.read_text("utf-8"), isolate_styles=False
    )
