"""Notes on people, saved views, and the address to share: what people add on the lineage page."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from graph.errors import UsageError
from graph.programme.notebook import Entry
from ui.shell import frame, graph_state
from ui.shell.visitor import LOCAL_VISITOR_ID, check_permission, identify_visitor
from ui.words.i18n import current_language, t, tn, translate_message
from ui.words.numbers import format_short_day

MAX_NOTE_CHARS = 1_000
MAX_VIEW_NAME_CHARS = 60
SAVED_VIEW_SUBJECT = "lineage"  # the subject under which views of this page are stored


def list_person_notes(id: str) -> list[Entry]:
    """The notes on a person, newest first, whoever wrote them; a visitor who must not learn of
    everybody reads only his or her own, for others' may name anybody.
    """
    return graph_state.open_notebook().entries(
        "note", owner=_limit_note_owner(), subject=_format_note_subject(id)
    )


def _limit_note_owner() -> str | None:
    visitor = identify_visitor()
    return visitor.id if visitor.is_limited else None


def count_notes(ids: list[str]) -> dict[str, int]:
    """Person id -> how many notes there are, of those who have any."""
    subjects = {_format_note_subject(id): id for id in ids}
    found: dict[str, int] = {}
    for entry in graph_state.open_notebook().entries("note", owner=_limit_note_owner(), most=1_000):
        if entry.subject in subjects:
            id = subjects[entry.subject]
            found[id] = found.get(id, 0) + 1
    return found


def _format_note_subject(id: str) -> str:
    return f"person:{id}"


def draw_notes_panel(id: str, name: str) -> None:
    """The notes on a person, and a box for one more."""
    entries = list_person_notes(id)
    title = (
        tn("{n} note", "{n} notes", len(entries), n=len(entries)) if entries else t("Add a note")
    )
    with st.expander(title, key=f"notes_{id}", expanded=bool(entries)):
        for entry in entries:
            _draw_note_entry(entry)
        text = st.text_area(
            t("Note on {name}", name=name), key=f"note_{id}", max_chars=MAX_NOTE_CHARS, height=80
        )
        st.button(
            t("Keep the note"),
            key=f"note_keep_{id}",
            on_click=_save_note,
            args=(id, f"note_{id}"),
            disabled=not identify_visitor().id,
        )
        if not text:
            hint = t("Notes are seen by everyone who uses this app; only you can take yours away.")
            frame.draw_muted(hint)


def _draw_note_entry(entry: Entry) -> None:
    mine = entry.owner == identify_visitor().id
    with st.container(horizontal=True, key=f"note_entry_{entry.id}", vertical_alignment="top"):
        frame.draw_html(
            f'<div class="sc-written"><span '
            f'class="sc-muted">{escape(_format_note_signature(entry))}</span><br>'
            f"{escape(str(entry.body.get('text', '')))}</div>"
        )
        if mine:
            st.button(
                "✕",
                key=f"note_remove_{entry.id}",
                type="tertiary",
                help=t("Take this note away"),
                on_click=_remove_entry,
                args=(entry.id,),
            )


def _format_note_signature(entry: Entry) -> str:
    made = datetime.fromisoformat(entry.made_at)
    day = f"{made:%Y-%m-%d}"
    return day if entry.owner == LOCAL_VISITOR_ID else f"{day} · {entry.owner}"


def _save_note(id: str, key: str) -> None:
    if not check_permission("people"):
        return
    text = str(st.session_state[key]).strip()
    if text:
        graph_state.open_notebook().add(
            "note", identify_visitor().id, _format_note_subject(id), {"text": text}
        )
        st.session_state[key] = ""


def _remove_entry(id: int) -> None:
    if not check_permission("people"):
        return
    graph_state.open_notebook().remove(id, identify_visitor().id)


# --- views ------------------------------------------------------------------------------------


def read_view_address() -> dict[str, list[str]]:
    """The current address of what is seen: names of parameters and their values."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def draw_share_address() -> None:
    """The exact address of what is seen, to copy."""
    url = (st.context.url or "").partition("?")[0]
    frame.draw_html(f"<div>{escape(t('This address reopens exactly what you see:'))}</div>")
    st.code(f"{url}?{urlencode(read_view_address(), doseq=True)}", language=None, wrap_lines=True)
    hint = t("It holds numbers of people and settings, no names; it works for whoever may sign in.")
    frame.draw_muted(hint)


def draw_saved_views() -> None:
    """The visitor's own saved views, to reopen and to take away, and a box to keep this one."""
    entries = graph_state.open_notebook().entries(
        "view", owner=identify_visitor().id, subject=SAVED_VIEW_SUBJECT
    )
    if not entries:
        hint = t("Views you keep stand here; each reopens with one click.")
        frame.draw_muted(hint)
    for entry in entries:
        _draw_saved_view(entry)
    st.text_input(t("Name of this view"), key="view_name", max_chars=MAX_VIEW_NAME_CHARS)
    st.text_input(t("A note on it"), key="view_note", max_chars=MAX_NOTE_CHARS)
    st.button(
        t("Keep this view"),
        key="view_keep",
        on_click=_save_view,
        disabled=not identify_visitor().id,
    )
    if problem := st.session_state.pop("view_problem", None):
        frame.draw_note(t("The view was not kept"), problem)


def _draw_saved_view(entry: Entry) -> None:
    query: dict[str, Any] = dict(entry.body.get("query", {}))
    with st.container(horizontal=True, key=f"view_entry_{entry.id}", vertical_alignment="center"):
        # A page link to the page one is on does nothing; going there does.
        name = frame.escape_markdown(str(entry.body.get("name", "")))
        if st.button(name, key=f"view_open_{entry.id}", type="tertiary"):
            frame.switch_to_page("lineage", **query)
        made = datetime.fromisoformat(entry.made_at)
        note = str(entry.body.get("note", ""))
        details = " · ".join(
            part for part in (format_short_day(made, current_language()), note) if part
        )
        frame.draw_muted(details)
        st.button(
            "✕",
            key=f"view_remove_{entry.id}",
            type="tertiary",
            help=t("Take the view away"),
            on_click=_remove_entry,
            args=(entry.id,),
        )


def _save_view() -> None:
    if not check_permission("people"):
        return
    name = str(st.session_state["view_name"]).strip()
    if not name:
        st.session_state["view_problem"] = t("Give it a name first.")
        return
    body = {
        "name": name,
        "note": str(st.session_state["view_note"]).strip(),
        "query": read_view_address(),
    }
    try:
        graph_state.open_notebook().add("view", identify_visitor().id, SAVED_VIEW_SUBJECT, body)
    except UsageError as error:
        st.session_state["view_problem"] = translate_message(error)
        return
    st.session_state["view_name"] = st.session_state["view_note"] = ""
