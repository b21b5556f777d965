"""Choosing people by name or number: those chosen stand as buttons, a box adds to them.

Whom is chosen stands in the page's address (ids only), so that a link reopens it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from components import frame, search
from components.i18n import current_language, label, t
from graph.model import LEVELS

OFFERED = 6
PARAMETER = "with"


def chosen() -> list[str]:
    """The ids in the address, each once, in order."""
    return list(dict.fromkeys(st.query_params.get_all(PARAMETER)))


def keep(ids: list[str]) -> None:
    """Writes the ids into the address."""
    if ids:
        st.query_params[PARAMETER] = ids
    elif PARAMETER in st.query_params:
        del st.query_params[PARAMETER]


def people(
    ids: list[str], most: int, *, key: str, beside: Callable[[], None] = lambda: None
) -> None:
    """Those chosen, each with a button that takes him or her away, and the box that adds.

    `most` may be chosen; the box is shut when as many are. Changes are in the address at once.
    `beside` draws what stands in the same row.
    """
    known = {row["id"]: row for row in search.people(ids)}
    with st.container(horizontal=True, key=f"{key}_chosen", vertical_alignment="center"):
        for id in ids:
            name = known[id]["name"] if id in known else id
            st.button(
                f"{frame.plain(name)}  ✕", key=f"{key}_without_{id}",
                help=frame.plain(t("Take {name} away", name=name)),
                on_click=keep, args=([other for other in ids if other != id],),
            )  # fmt: skip
        text = st.text_input(
            t("Add a person"), key=f"{key}_text", placeholder=t("Add a person: name or number"),
            max_chars=60, label_visibility="collapsed", disabled=len(ids) >= most, width=210,
        )  # fmt: skip
        beside()
    if text and len(ids) < most:
        _offer(text, ids, key)


def _offer(text: str, ids: list[str], key: str) -> None:
    """The first people found, to click."""
    found = search.find(text, ("Person",)).get("Person")
    rows = [row for row in found.rows if row["id"] not in ids][:OFFERED] if found else []
    if not rows:
        frame.muted(t("Nobody is found; try fewer characters."))
        return
    with st.container(horizontal=True, key=f"{key}_offered"):
        for row in rows:
            st.button(
                frame.plain(_told(row)), key=f"{key}_add_{row['id']}", type="tertiary",
                on_click=_add, args=(row["id"], ids, f"{key}_text"),
            )  # fmt: skip


def _add(id: str, ids: list[str], text: str) -> None:
    keep([*ids, id])
    st.session_state[text] = ""


def _told(row: dict[str, Any]) -> str:
    level = label(LEVELS[row["level"]], current_language()) if row["level"] else ""
    return " · ".join(part for part in (row["name"], level, row["enterprise"] or "") if part)
