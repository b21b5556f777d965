"""Notes on people, saved views, and the address to share: what people add on the lineage page."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from components import frame, store
from components.i18n import current_language, t, tn
from components.numbers import short_day
from components.visitor import LOCAL, visitor
from graph.errors import UsageError
from graph.notebook import Entry

LONGEST_NOTE = 1_000
LONGEST_NAME = 60
VIEWS = "lineage"  # the subject under which views of this page are kept


def of_person(id: str) -> list[Entry]:
    """The notes on a person, newest first, whoever wrote them."""
    return store.notebook().entries("note", subject=_subject(id))


def noted(ids: list[str]) -> dict[str, int]:
    """Person id -> how many notes there are, of those who have any."""
    subjects = {_subject(id): id for id in ids}
    found: dict[str, int] = {}
    for entry in store.notebook().entries("note", most=1_000):
        if entry.subject in subjects:
            id = subjects[entry.subject]
            found[id] = found.get(id, 0) + 1
    return found


def _subject(id: str) -> str:
    return f"person:{id}"


def panel(id: str, name: str) -> None:
    """The notes on a person, and a box for one more."""
    entries = of_person(id)
    title = (
        tn("{n} note", "{n} notes", len(entries), n=len(entries)) if entries else t("Add a note")
    )
    with st.expander(title, key=f"notes_{id}", expanded=bool(entries)):
        for entry in entries:
            _note(entry)
        text = st.text_area(
            t("Note on {name}", name=name), key=f"note_{id}", max_chars=LONGEST_NOTE, height=80
        )
        st.button(
            t("Keep the note"), key=f"note_keep_{id}", on_click=_add, args=(id, f"note_{id}"),
            disabled=not visitor().id,
        )  # fmt: skip
        if not text:
            told = t("Notes are seen by everyone who uses this app; only you can take yours away.")
            frame.muted(told)


def _note(entry: Entry) -> None:
    mine = entry.owner == visitor().id
    with st.container(horizontal=True, key=f"note_entry_{entry.id}", vertical_alignment="top"):
        frame.html(
            f'<div class="sc-written"><span class="sc-muted">{escape(_signed(entry))}</span><br>'
            f"{escape(str(entry.body.get('text', '')))}</div>"
        )
        if mine:
            st.button(
                "✕", key=f"note_remove_{entry.id}", type="tertiary", help=t("Take this note away"),
                on_click=_remove, args=(entry.id,),
            )  # fmt: skip


def _signed(entry: Entry) -> str:
    made = datetime.fromisoformat(entry.made_at)
    day = f"{made:%Y-%m-%d}"
    return day if entry.owner == LOCAL else f"{day} · {entry.owner}"


def _add(id: str, key: str) -> None:
    text = str(st.session_state[key]).strip()
    if text:
        store.notebook().add("note", visitor().id, _subject(id), {"text": text})
        st.session_state[key] = ""


def _remove(id: int) -> None:
    store.notebook().remove(id, visitor().id)


# --- views ------------------------------------------------------------------------------------


def address() -> dict[str, list[str]]:
    """The address of what is seen, as it stands: names of parameters and their values."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def share() -> None:
    """The exact address of what is seen, to copy."""
    url = (st.context.url or "").partition("?")[0]
    frame.html(f"<div>{escape(t('This address reopens exactly what you see:'))}</div>")
    st.code(f"{url}?{urlencode(address(), doseq=True)}", language=None, wrap_lines=True)
    told = t("It holds numbers of people and settings, no names; it works for whoever may sign in.")
    frame.muted(told)


def saved() -> None:
    """The visitor's own saved views, to reopen and to take away, and a box to keep this one."""
    entries = store.notebook().entries("view", owner=visitor().id, subject=VIEWS)
    if not entries:
        told = t("Views you keep stand here; each reopens with one click.")
        frame.muted(told)
    for entry in entries:
        _saved(entry)
    st.text_input(t("Name of this view"), key="view_name", max_chars=LONGEST_NAME)
    st.text_input(t("A note on it"), key="view_note", max_chars=LONGEST_NOTE)
    st.button(t("Keep this view"), key="view_keep", on_click=_keep, disabled=not visitor().id)
    if problem := st.session_state.pop("view_problem", None):
        frame.note(t("The view was not kept"), problem)


def _saved(entry: Entry) -> None:
    query: dict[str, Any] = dict(entry.body.get("query", {}))
    with st.container(horizontal=True, key=f"view_entry_{entry.id}", vertical_alignment="center"):
        # A page link to the page one is on does nothing; going there does.
        name = frame.plain(str(entry.body.get("name", "")))
        if st.button(name, key=f"view_open_{entry.id}", type="tertiary"):
            frame.go("lineage", **query)
        made = datetime.fromisoformat(entry.made_at)
        note = str(entry.body.get("note", ""))
        told = " · ".join(part for part in (short_day(made, current_language()), note) if part)
        frame.muted(told)
        st.button(
            "✕", key=f"view_remove_{entry.id}", type="tertiary", help=t("Take the view away"),
            on_click=_remove, args=(entry.id,),
        )  # fmt: skip


def _keep() -> None:
    name = str(st.session_state["view_name"]).strip()
    if not name:
        st.session_state["view_problem"] = t("Give it a name first.")
        return
    body = {"name": name, "note": str(st.session_state["view_note"]).strip(), "query": address()}
    try:
        store.notebook().add("view", visitor().id, VIEWS, body)
    except UsageError as error:
        st.session_state["view_problem"] = str(error)
        return
    st.session_state["view_name"] = st.session_state["view_note"] = ""
