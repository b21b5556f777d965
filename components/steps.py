"""The steps of a chain as a list, each person a button that brings him or her into the middle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from components import frame
from components.i18n import t

Boxes = Mapping[str, Mapping[str, Any]]
SCRIPT = Path(__file__).with_name("steps.js")


def person_step(id: str, boxes: Boxes, look: str = "") -> str:
    """Level badge and name (HTML); a click centres the lineage on the person."""
    box = boxes.get(id, {})
    name = escape(str(box.get("name", id)))
    told = escape(t("Centre the lineage on {name}", name=box.get("name", id)))
    return (
        f"<span>{frame.level_badge(box.get('level'))}</span>"
        f'<button type="button" class="sc-centre {look}" data-person="{escape(id)}" '
        f'title="{told}">{name}</button>'
    )


def link_step(channel: str, told: str, rows: Sequence[str] = ()) -> str:
    """What ties one person to the next (HTML); `told` is plain text, `rows` where it is stated."""
    places = "".join(f'<br><span class="sc-rows">{escape(row)}</span>' for row in rows)
    return (
        f'<span class="sc-step {escape(channel)}"></span>'
        f'<span class="sc-muted">{escape(told)}{places}</span>'
    )


def show(html: str, *, key: str) -> None:
    """Draws steps. The data in `html` must have been escaped."""
    _component()(key=key, data={"html": f'<div class="sc-steps">{html}</div>'}, height="content")


@cache
def _component() -> Any:
    import streamlit as st

    return st.components.v2.component(
        "shicheng_steps", js=SCRIPT.read_text("utf-8"), isolate_styles=False
    )
