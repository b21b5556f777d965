"""The editor of an analyst's own statements: several as tabs, what was run, what is kept, names to
insert.

All of it is sent with the form that the text stands in, so that nothing typed is lost by a click.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import streamlit as st

from graph.cypher.named_queries import Query, parse_own_query
from graph.errors import ShichengError
from graph.model.kinds import FACETS, NODES, RELATIONS
from graph.model.schema_types import Declared
from graph.programme.notebook import Notebook
from graph.programme.saved_queries import (
    SavedQuery,
    ask_for_review,
    find_review_verdict,
    list_query_versions,
    list_saved_queries,
    remove_saved_query,
    save_query,
)
from ui.queries.form import STATEMENT_PARAMETER
from ui.shell import frame
from ui.shell.visitor import check_permission, identify_visitor
from ui.words.i18n import t, translate_message

TABS_KEY: Final = "queries_tabs"
TAB_KEY: Final = "queries_tab"
HISTORY_KEY: Final = "queries_history"
NOTE_KEY: Final = "queries_saved_note"
MAX_TABS: Final = 8
MAX_HISTORY: Final = 30
_SHOWN_CHARACTERS: Final = 70
# Functions that statements of this graph use most.
_INSERTED_FUNCTIONS: Final = (
    "count(DISTINCT )",
    "collect()",
    "coalesce(, )",
    "date()",
    "date('2024-01-01')",
    "date.truncate('year', )",
    "duration.between(, )",
    "percentileCont(, 0.5)",
    "size()",
    "COUNT {  }",
    "EXISTS {  }",
    "COLLECT {  }",
    "SHORTEST 1",
)


@dataclass
class StatementTab:
    """A statement that is open: its text, and which saved query it is."""

    title: str
    text: str
    saved: SavedQuery | None = None


def list_statement_tabs() -> list[StatementTab]:
    """The statements that are open in this visit; at least one."""
    tabs: list[StatementTab] = st.session_state.setdefault(TABS_KEY, [])
    if not tabs:
        tabs.append(StatementTab("", ""))
    return tabs


def current_statement_tab() -> StatementTab:
    """The one that the text box shows."""
    tabs = list_statement_tabs()
    number: int = st.session_state.get(TAB_KEY, 0)
    return tabs[min(number, len(tabs) - 1)]


def remember_statement(text: str) -> None:
    """Puts a statement that is run at the top of the visit's list; it is stored nowhere."""
    history: list[str] = st.session_state.setdefault(HISTORY_KEY, [])
    if text in history:
        history.remove(text)
    history.insert(0, text)
    del history[MAX_HISTORY:]


def read_declared_query(text: str) -> Query | None:
    """The statement as a query where its `// param` lines declare parameters; None where not."""
    if "// param" not in text:
        return None
    try:
        return parse_own_query(t("Own Cypher"), "", text)
    except ShichengError:
        return None  # running it says what is wrong


# What is drawn in the form


def draw_statement_tabs() -> None:
    """A button a statement, and one for a new one."""
    tabs, shown = list_statement_tabs(), current_statement_tab()
    with st.container(horizontal=True, key="queries_tabs_row"):
        for number, tab in enumerate(tabs):
            st.form_submit_button(
                frame.escape_markdown(tab.title) or t("Statement {n}", n=number + 1),
                key=f"queries_tab_{number}",
                disabled=tab is shown,
                type="tertiary",
                on_click=_show_tab,
                args=(number,),
            )
        if len(tabs) < MAX_TABS:
            st.form_submit_button(
                t("New"), key="queries_tab_new", type="tertiary", on_click=_open_text, args=("",)
            )
        if len(tabs) > 1:
            st.form_submit_button(
                t("Close"), key="queries_tab_close", type="tertiary", on_click=_close_tab
            )


def draw_statement_tools(notebook: Notebook) -> None:
    """What is kept, what was run, and names to insert."""
    with st.container(horizontal=True, key="queries_tools"):
        with st.popover(t("Saved queries"), key="queries_saved"):
            _draw_saved_queries(notebook)
        with st.popover(t("Save"), key="queries_save"):
            _draw_save_fields(notebook)
        with st.popover(t("Run before"), key="queries_before"):
            _draw_history()
        with st.popover(t("Insert"), key="queries_insert"):
            _draw_insert_fields()
    note = st.session_state.pop(NOTE_KEY, None)
    if note:
        frame.draw_muted(note)


def _draw_saved_queries(notebook: Notebook) -> None:
    owner = identify_visitor().id
    found = list_saved_queries(notebook, owner)
    if not found:
        frame.draw_muted(t("Nothing is saved yet. Save keeps the statement that is open."))
    for query in found:
        by = "" if query.owner == owner else t("shared by {owner}", owner=query.owner)
        label = " · ".join(filter(None, (query.title, by)))
        st.form_submit_button(
            frame.escape_markdown(label),
            key=f"queries_open_{query.id}",
            type="tertiary",
            # Another analyst wrote it, and Streamlit sets it as Markdown.
            help=frame.escape_markdown(query.help) or None,
            on_click=_open_saved,
            args=(query,),
        )
    saved = current_statement_tab().saved
    versions = [] if saved is None else list_query_versions(notebook, owner, saved.id)
    if len(versions) > 1:
        frame.draw_muted(t("Versions of {title}", title=versions[0].title))
        for version in versions:
            st.form_submit_button(
                version.made_at[:16].replace("T", " "),
                key=f"queries_version_{version.version}",
                type="tertiary",
                on_click=_open_saved,
                args=(version,),
            )


def _draw_save_fields(notebook: Notebook) -> None:
    saved, owner = current_statement_tab().saved, identify_visitor().id
    own = saved if saved is not None and saved.owner == owner else None
    suffix = "new" if own is None else f"{own.id}_{own.version}"
    st.text_input(t("Title"), own.title if own else "", key=f"queries_title_{suffix}", max_chars=80)
    st.text_area(
        t("What it shows"),
        own.help if own else "",
        key=f"queries_help_{suffix}",
        height=80,
        max_chars=1000,
    )
    st.checkbox(
        t("Shared with all who write Cypher"),
        own.shared if own else False,
        key=f"queries_shared_{suffix}",
    )
    frame.draw_muted(
        t(
            "Parameters stand at the head, one a line: {example}",
            example="// param province: province? | en: Province | zh: 省份",
        )
    )
    st.form_submit_button(
        t("Save"), key="queries_save_now", on_click=_save_statement, args=(suffix, notebook)
    )
    if own is not None:
        _draw_own_actions(notebook, own)


def _draw_own_actions(notebook: Notebook, own: SavedQuery) -> None:
    verdict = find_review_verdict(notebook, own)
    if verdict is None:
        st.form_submit_button(
            t("Propose for the library"),
            key="queries_propose",
            on_click=_propose_statement,
            args=(own, notebook),
        )
    else:
        said = {
            "asked": t("This version waits for review."),
            "accepted": t("This version stands in everybody's library."),
            "declined": t("This version was not taken into the library."),
        }
        frame.draw_muted(said[verdict])
    st.form_submit_button(
        t("Delete all versions"), key="queries_delete", on_click=_delete_saved, args=(own, notebook)
    )


def _draw_history() -> None:
    history: list[str] = st.session_state.get(HISTORY_KEY, [])
    if not history:
        frame.draw_muted(t("Statements that you run in this visit stand here."))
    for number, text in enumerate(history):
        st.form_submit_button(
            " ".join(text.split())[:_SHOWN_CHARACTERS],
            key=f"queries_before_{number}",
            type="tertiary",
            on_click=_open_text,
            args=(text,),
        )


def _draw_insert_fields() -> None:
    st.selectbox(
        t("Label, relation, property or function"),
        list_insertable_names(),
        index=None,
        key="queries_inserted",
        placeholder=t("type a part of its name"),
    )
    st.form_submit_button(t("Insert at the end"), key="queries_insert_now", on_click=_insert_name)


@cache
def list_insertable_names() -> tuple[str, ...]:
    """What can stand in a statement: labels, relations with their ends, properties, functions."""
    earned = {end.label for relation in RELATIONS for end in (relation.start, relation.end)}
    further = sorted({facet.label for facet in FACETS} | {label for label in earned if label})
    labels = [f":{label}" for label in (*(node.label for node in NODES), *further)]
    relations = [f"-[:{relation.type}]->" for relation in RELATIONS]
    every: tuple[Declared, ...] = (*NODES, *RELATIONS)
    names = {one.stored for kind in every for one in kind.properties if not one.masked}
    return (*labels, *relations, *(f".{name}" for name in sorted(names)), *_INSERTED_FUNCTIONS)


# What a click does, before the page is drawn


def _store_text() -> None:
    current_statement_tab().text = st.session_state.get(STATEMENT_PARAMETER, "")


def _show_tab(number: int) -> None:
    _store_text()
    st.session_state[TAB_KEY] = number
    st.session_state[STATEMENT_PARAMETER] = current_statement_tab().text


def _open_text(text: str, title: str = "", saved: SavedQuery | None = None) -> None:
    _store_text()
    tabs = list_statement_tabs()
    if len(tabs) >= MAX_TABS:
        tabs.pop(0)
    tabs.append(StatementTab(title, text, saved))
    st.session_state[TAB_KEY] = len(tabs) - 1
    st.session_state[STATEMENT_PARAMETER] = text


def _open_saved(query: SavedQuery) -> None:
    _open_text(query.text, query.title, query)


def _close_tab() -> None:
    tabs = list_statement_tabs()
    if len(tabs) > 1:
        tabs.remove(current_statement_tab())
    st.session_state[TAB_KEY] = max(0, min(st.session_state.get(TAB_KEY, 0), len(tabs) - 1))
    st.session_state[STATEMENT_PARAMETER] = current_statement_tab().text


def _insert_name() -> None:
    name = st.session_state.get("queries_inserted")
    if name:
        text = st.session_state.get(STATEMENT_PARAMETER, "")
        gap = "" if name.startswith((".", ":", "-")) or not text else " "
        st.session_state[STATEMENT_PARAMETER] = text.rstrip() + gap + name


def _save_statement(suffix: str, notebook: Notebook) -> None:
    if not check_permission("cypher"):
        return
    _store_text()
    tab, state = current_statement_tab(), st.session_state
    own = tab.saved if suffix != "new" else None
    try:
        tab.saved = save_query(
            notebook,
            identify_visitor().id,
            title=state.get(f"queries_title_{suffix}", ""),
            help=state.get(f"queries_help_{suffix}", ""),
            text=tab.text,
            shared=bool(state.get(f"queries_shared_{suffix}")),
            id=None if own is None else own.id,
        )
    except ShichengError as error:
        state[NOTE_KEY] = translate_message(error)
        return
    tab.title = tab.saved.title
    state[NOTE_KEY] = t("{title} is saved.", title=tab.title)


def _propose_statement(own: SavedQuery, notebook: Notebook) -> None:
    if not check_permission("cypher"):
        return
    try:
        ask_for_review(notebook, identify_visitor().id, own.id)
        st.session_state[NOTE_KEY] = t("{title} waits for review.", title=own.title)
    except ShichengError as error:
        st.session_state[NOTE_KEY] = translate_message(error)


def _delete_saved(own: SavedQuery, notebook: Notebook) -> None:
    if not check_permission("cypher"):
        return
    remove_saved_query(notebook, identify_visitor().id, own.id)
    current_statement_tab().saved = None
