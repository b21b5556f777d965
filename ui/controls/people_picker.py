"""Choosing people by name or number: those chosen stand as buttons, a box adds to them.

The page's address holds the choice (ids only), so that a link reopens it.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from graph.model.vocabularies import LEVELS
from ui.reading import search
from ui.reading.search import FoundPerson
from ui.shell import address, frame
from ui.words.i18n import current_language, t, translate_label
from ui.words.terms import format_person_name

MAX_OFFERED_PEOPLE = 6
PEOPLE_PARAMETER = "with"


def list_chosen_people() -> list[str]:
    """The ids in the address, each once, in order."""
    return list(dict.fromkeys(st.query_params.get_all(PEOPLE_PARAMETER)))


def write_chosen_people(ids: list[str]) -> None:
    """Writes the ids into the address."""
    if ids:
        st.query_params[PEOPLE_PARAMETER] = ids
    elif PEOPLE_PARAMETER in st.query_params:
        del st.query_params[PEOPLE_PARAMETER]


def draw_people_picker(
    ids: list[str], most: int, *, key: str, beside: Callable[[], None] = lambda: None
) -> None:
    """Those chosen, each with a button that takes him or her away, and the box that adds.

    `most` may be chosen; the box is shut when as many are. Changes are in the address at once.
    `beside` draws what stands in the same row.
    """
    known = {row.id: row for row in search.fetch_people_details(ids)}
    if unknown := [id for id in ids if id not in known]:
        address.record_address_fault(PEOPLE_PARAMETER, ",".join(unknown), "unknown")
    with st.container(horizontal=True, key=f"{key}_chosen", vertical_alignment="center"):
        for id in ids:
            name = format_person_name(known[id].name) if id in known else id
            st.button(
                f"{frame.escape_markdown(name)}  ✕",
                key=f"{key}_without_{id}",
                help=frame.escape_markdown(t("Take {name} away", name=name)),
                on_click=write_chosen_people,
                args=([other for other in ids if other != id],),
            )
        text = st.text_input(
            t("Add a person"),
            key=f"{key}_text",
            placeholder=t("Add a person: name or number"),
            max_chars=60,
            label_visibility="collapsed",
            disabled=len(ids) >= most,
            width=210,
        )
        beside()
    if text and len(ids) < most:
        _draw_people_offers(text, ids, key)


def _draw_people_offers(text: str, ids: list[str], key: str) -> None:
    """The first people found, to click."""
    rows = [row for row in search.search_people(text) if row.id not in ids][:MAX_OFFERED_PEOPLE]
    if not rows:
        frame.draw_muted(t("Nobody is found; try fewer characters."))
        return
    with st.container(horizontal=True, key=f"{key}_offered"):
        for row in rows:
            st.button(
                frame.escape_markdown(_format_person_offer(row)),
                key=f"{key}_add_{row.id}",
                type="tertiary",
                on_click=_add_chosen_person,
                args=(row.id, ids, f"{key}_text"),
            )


def draw_person_picker(parameter: str, title: str, *, key: str) -> str | None:
    """A person to choose by name or number, whose id stands in the address as `parameter`.

    The one chosen stands as a button that takes the choice back; without one, a box looks names up.
    """
    id = st.query_params.get(parameter)
    with st.container(key=f"{key}_one"):
        if not id:
            _draw_person_search(parameter, title, key)
            return None
        frame.draw_muted(title)
        known = next(iter(search.fetch_people_details([id])), None)
        name = f"{known.name} · {id}" if known else id
        st.button(
            f"{frame.escape_markdown(name)}  ✕",
            key=f"{key}_without",
            help=frame.escape_markdown(t("Take {name} away", name=name)),
            on_click=address.clear_parameters,
            args=(parameter,),
        )
    return id


def _draw_person_search(parameter: str, title: str, key: str) -> None:
    text = st.text_input(title, key=f"{key}_text", placeholder=t("Name or number"), max_chars=60)
    if not text:
        return
    rows = search.search_people(text)[:MAX_OFFERED_PEOPLE]
    if not rows:
        frame.draw_muted(t("Nobody is found; try fewer characters."))
    with st.container(horizontal=True, key=f"{key}_offered"):
        for row in rows:
            st.button(
                frame.escape_markdown(_format_person_offer(row)),
                key=f"{key}_add_{row.id}",
                type="tertiary",
                on_click=_choose_person,
                args=(parameter, row.id, f"{key}_text"),
            )


def _choose_person(parameter: str, id: str, text: str) -> None:
    address.write_parameter(parameter, id)
    st.session_state[text] = ""


def _add_chosen_person(id: str, ids: list[str], text: str) -> None:
    write_chosen_people([*ids, id])
    st.session_state[text] = ""


def _format_person_offer(row: FoundPerson) -> str:
    level = translate_label(LEVELS[row.level], current_language()) if row.level else ""
    parts = (format_person_name(row.name), level, row.enterprise or "")
    return " · ".join(part for part in parts if part)
