"""A button that saves an SVG drawing as a PNG, drawn in the visitor's browser."""

from __future__ import annotations

from pathlib import Path

from ui.browser.component import declare_component

PICTURE_SCRIPT_PATH = Path(__file__).with_name("picture.js")


def draw_png_button(label: str, svg: str, name: str, *, key: str) -> None:
    """The button; `svg` must ask for nothing outside itself, `name` is the file's."""
    data = {"svg": svg, "name": name, "label": label}
    declare_component(PICTURE_SCRIPT_PATH, isolate_styles=False)(
        key=key, data=data, width="content", height="content"
    )
