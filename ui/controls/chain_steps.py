"""The steps of a chain as a list, each person a button that brings him or her into the middle."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ui.browser.component import declare_component

STEPS_SCRIPT_PATH = Path(__file__).with_name("steps.js")


def render_link_step(channel: str, text: str, rows: Sequence[str] = ()) -> str:
    """The tie from one person to the next (HTML); `text` is plain text, `rows` its source rows."""
    places = "".join(f'<br><span class="sc-rows">{escape(row)}</span>' for row in rows)
    return (
        f'<span class="sc-step {escape(channel)}"></span>'
        f'<span class="sc-muted">{escape(text)}{places}</span>'
    )


def draw_chain_steps(html: str, *, key: str) -> None:
    """Draws steps. The data in `html` must have been escaped."""
    declare_component(STEPS_SCRIPT_PATH, isolate_styles=False)(
        key=key, data={"html": f'<div class="sc-steps">{html}</div>'}, height="content"
    )
