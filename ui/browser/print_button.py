"""A button that opens the browser's own printing."""

from __future__ import annotations

from pathlib import Path

from ui.browser.component import declare_component

PRINT_SCRIPT_PATH = Path(__file__).with_name("print_button.js")


def draw_print_button(label: str) -> None:
    """The button; what stands on paper is the page's print style."""
    declare_component(PRINT_SCRIPT_PATH, isolate_styles=False)(
        key="print", data=label, width="content", height="content"
    )
