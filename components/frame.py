"""What every page stands in: the sidebar, the answer as a sentence, the policy chip, the notes."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from html import escape
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from components import store
from components.i18n import LANGUAGES, choose_language, current_language, t
from components.mode_watch import watch_mode
from components.numbers import short_day
from components.policy_form import current_policy, parameters_of, policy_form
from components.return_to import keep_address, return_to_address
from components.style import style_sheet
from components.theme import Mode
from components.visitor import sign_in_is_on
from graph.errors import DatabaseError, IncompleteError, ShichengError, UsageError

Pages = Mapping[str, Any]

log = logging.getLogger("shicheng.app")


def mode() -> Mode:
    """Light or dark, as the visitor's browser shows the app."""
    return "dark" if st.context.theme.type == "dark" else "light"


def html(text: str) -> None:
    """A piece of HTML whose data has been escaped by the caller."""
    st.html(text)


def begin() -> None:
    """Title, style and language of the page; the first thing of each run."""
    st.set_page_config(
        page_title=t("Shicheng"),
        page_icon="🧭",
        layout="wide",
        initial_sidebar_state="locked",
    )
    html(style_sheet(mode()))


def sign_in() -> None:
    """All that a visitor sees who has not signed in."""
    lead(escape(t("Sign in, and see who taught whom.")))
    keep_address()
    st.button(t("Sign in"), type="primary", on_click=st.login)


def sidebar(groups: Sequence[tuple[str, Sequence[Any]]]) -> None:
    """Brand, pages by group, and at the foot: data up to, last load, language."""
    with st.sidebar:
        html(
            '<div class="sc-brand"><div class="sc-seal" aria-hidden="true">师<br>承</div><div>'
            f"<b>{escape(t('Shicheng'))}</b><span>{escape(t('Mentor network'))}</span></div></div>"
        )
        with st.container(key="sidebar_pages"):
            for title, pages in groups:
                html(f'<div class="sc-group">{escape(title)}</div>')
                for page in pages:
                    st.page_link(page, width="stretch")
        with st.container(key="sidebar_foot"):
            _facts()
            _languages()
            watch_mode()
            if sign_in_is_on():
                return_to_address()
                st.button(t("Sign out"), type="tertiary", on_click=st.logout)


def _facts() -> None:
    """Data up to, last load; nothing when the store cannot be read (the page says why)."""
    try:
        standing = store.standing()
    except ShichengError:
        return
    if standing.revision is None:
        return
    rows = []
    if standing.data_until is not None:
        rows.append((t("Data up to"), standing.data_until.isoformat()))
    if standing.loaded_at is not None:
        rows.append((t("Last load"), short_day(standing.loaded_at, current_language())))
    cells = "".join(f"<span>{escape(a)}</span><span>{escape(b)}</span>" for a, b in rows)
    html(f'<div class="sc-facts">{cells}</div>')


def _languages() -> None:
    now = current_language()
    with st.container(key="languages", horizontal=True, horizontal_alignment="distribute"):
        for language, name in LANGUAGES.items():
            st.button(
                name,
                key=f"language_{language}",
                type="tertiary",
                disabled=language == now,
                on_click=choose_language,
                args=(language,),
            )


def lead(sentence: str) -> None:
    """The answer of the page, HTML with its figures bold."""
    html(f'<h1 class="sc-lead">{sentence}</h1>')


def under_lead(text: str = "", *, policy: bool = True) -> None:
    """The policy chip, and beside it what the figures are."""
    with st.container(key="underlead", horizontal=True, vertical_alignment="center"):
        if policy:
            policy_chip("lead")
        if text:
            html(f'<span class="sc-muted">{text}</span>')


def policy_chip(key: str) -> None:
    """The chip that stands beside numbers and opens to the full policy and its definition."""
    chip = current_policy().chip(current_language())
    # Streamlit sets labels as Markdown: what is bold in it is the link colour of the style sheet.
    text = f"{chip}  **{t('define')}**"
    with st.popover(text, key=f"policy_chip_{key}"):
        policy_form(key)


def muted(text: str) -> None:
    """A line that explains, in muted ink; plain text."""
    html(f'<div class="sc-muted">{escape(text)}</div>')


def heading(title: str, aside: str = "") -> None:
    """A section title, 16 px, with what the figures are at its right."""
    html(f'<div class="sc-h"><h2>{escape(title)}</h2><span>{escape(aside)}</span></div>')


def figures(named: Sequence[tuple[str, str]]) -> None:
    """Figures side by side, each under its name."""
    cells = "".join(f"<div><span>{escape(a)}</span><b>{escape(b)}</b></div>" for a, b in named)
    html(f'<div class="sc-figures">{cells}</div>')


def facts(named: Iterable[tuple[str, str]], look: str = "") -> str:
    """HTML: a list of facts, each beside its name; those without a value are left out."""
    cells = "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in named if b)
    return f'<dl class="{f"sc-dl {look}".strip()}">{cells}</dl>'


@contextmanager
def foot(key: str, told: str = "") -> Iterator[None]:
    """The row under an exhibit: what of it is shown, as plain text; at the right what is drawn."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_foot"):
        if told:
            muted(told)
        st.space("stretch")
        yield


def rule() -> None:
    """A hairline."""
    html('<div class="sc-rule"></div>')


def note(title: str, text: str) -> None:
    """A calm note: what, why, and what to do next. Plain text."""
    html(f'<div class="sc-note" role="status"><b>{escape(title)}</b><br>{escape(text)}</div>')


def empty(title: str, text: str, command: str = "") -> None:
    """What would stand here, and the one thing to do."""
    code = f"<br><code>{escape(command)}</code>" if command else ""
    html(f'<div class="sc-empty"><b>{escape(title)}</b>{escape(text)}{code}</div>')


def nothing_loaded() -> None:
    """The empty state of a page when the store holds no load."""
    lead(t("Nothing is loaded yet."))
    empty(
        t("Here will stand how many new high-skilled workers the leading talents drive"),
        t("Load an exchange folder, then reload this page:"),
        "shicheng load folder FOLDER",
    )


@contextmanager
def notes() -> Iterator[None]:
    """Shows what goes wrong as a calm note; what is not ours gets an id that the log names."""
    try:
        with store.one_look():
            yield
    except ShichengError as error:
        note(t("This cannot be shown"), _told(error))
    except Exception as error:
        number = secrets.token_hex(3)
        # The type and place alone: the text of an unknown error may hold personal data.
        log.error("page error %s: %s at %s", number, type(error).__name__, _place(error))
        note(
            t("This part of the page failed"),
            t("Reload the page; if it fails again, report the number {number}.", number=number),
        )


def _told(error: ShichengError) -> str:
    """What is wrong in the visitor's language; then the error's own sentence, in English."""
    if current_language() == "en":
        return str(error)
    kinds = {
        IncompleteError: t("A load has not finished: wait until it ends, or load it again."),
        DatabaseError: t("The database cannot be used now; try again, or tell who runs it."),
        UsageError: t("What is asked for cannot be shown: change the policy or the filters."),
    }
    told = next((words for kind, words in kinds.items() if isinstance(error, kind)), "")
    return f"{told}（{error}）" if told else str(error)


def _place(error: BaseException) -> str:
    """The last file and line of the error's trace."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def page(draw: Callable[[], None]) -> Callable[[], None]:
    """A page whose errors are notes, and which says so when nothing is loaded."""

    @wraps(draw)
    def drawn() -> None:
        with notes():
            if store.standing().revision is None:
                nothing_loaded()
            else:
                draw()

    return drawn


def level_badge(level: int | None) -> str:
    """HTML: the level in a square of the ladder's colour."""
    return "" if not level else f'<span class="lv lv{level}">{level}</span>'


def register(pages: Pages) -> None:
    """Keeps this run's pages by name, so that pages can lead to each other."""
    st.session_state["pages"] = pages


def link(name: str, text: str, **query: str) -> None:
    """A link to a page of the app, opened in place; `text` is plain text."""
    pages: Pages = st.session_state["pages"]
    st.page_link(pages[name], label=plain(text), query_params=query)


def href(name: str, **query: str) -> str:
    """The address of a page of the app under the visit's policy and language, for `href="..."`."""
    given = {"lang": current_language()} | parameters_of(current_policy()) | query
    return escape(f"{name}?{urlencode(given)}")


def anchor(name: str, text: str, **query: str) -> str:
    """HTML: a link to a page of the app; `text` is plain text."""
    return f'<a class="sc-link" href="{href(name, **query)}" target="_self">{escape(text)}</a>'


def go(name: str, **query: str) -> None:
    """Goes to a page of the app now."""
    pages: Pages = st.session_state["pages"]
    st.switch_page(pages[name], query_params=query)


def just_chosen(key: str, chosen: object) -> bool:
    """Whether this has been chosen since the last run: a choice stands on, and acts once."""
    known = f"{key}_acted"
    if chosen == st.session_state.get(known):
        return False
    st.session_state[known] = chosen
    return chosen is not None


MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!~|<>:$])")


def plain(text: str) -> str:
    """The text as Markdown that shows exactly it."""
    return MARKDOWN.sub(r"\\\1", text)


@dataclass(frozen=True)
class Row:
    """A line of a list: a name that may lead to a page, and cells of escaped HTML."""

    name: str
    cells: tuple[str, ...]
    page: str | None
    query: Mapping[str, str]


def rows(lines: Sequence[Row], *, key: str, head: Sequence[str] = (), names: int = 220) -> None:
    """A list of lines with hairlines; names are links of the app, `names` px wide; the rest is a
    table beside.
    """
    width = max((len(line.cells) for line in lines), default=0)
    left, rest = st.columns([names, 1120 - names], gap=None, wrap=False)
    with left, st.container(key=f"names_{key}", gap=None):
        if head:
            html(f'<div class="sc-rowhead">{escape(head[0])}</div>')
        for line in lines:
            if line.page is None:
                html(f'<div class="sc-rowname">{escape(line.name)}</div>')
            else:
                link(line.page, line.name, **line.query)
    titles = "".join(f"<th>{escape(title)}</th>" for title in head[1:])
    body = "".join(
        "<tr>"
        + "".join(f"<td>{cell}</td>" for cell in line.cells)
        + "<td></td>" * (width - len(line.cells))
        + "</tr>"
        for line in lines
    )
    with rest:
        html(
            '<table class="sc-table sc-rows">'
            + (f"<thead><tr>{titles}</tr></thead>" if head else "")
            + f"<tbody>{body}</tbody></table>"
        )
