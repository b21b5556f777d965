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
from types import MappingProxyType
from typing import Any, ParamSpec
from urllib.parse import urlencode, urlsplit

import streamlit as st

from graph.errors import ShichengError
from graph.purposes import PURPOSE_LABELS, PURPOSES, StatedPurpose
from graph.server import damage
from graph.store.standing import build_load_message
from ui.browser.mode_watch import watch_mode
from ui.browser.navigation import watch_history
from ui.browser.return_to import restore_address, save_address
from ui.shell import address, graph_state
from ui.shell.account_pages import ACCOUNT_PATH, build_sign_in_address
from ui.shell.control_words import translate_controls
from ui.shell.policy_form import (
    POLICY_PARAMETERS,
    current_policy,
    draw_policy_form,
    format_policy_parameters,
)
from ui.shell.style import render_style_sheet
from ui.shell.theme import ColourMode
from ui.shell.visitor import (
    identify_visitor,
    is_account_sign_in_on,
    is_page_of_visitor,
    is_provider_sign_in_on,
    is_sign_in_on,
    state_purpose,
)
from ui.words.i18n import (
    LANGUAGE_NAMES,
    choose_language,
    current_language,
    join_sentences,
    t,
    translate_label,
    translate_message,
)
from ui.words.numbers import format_short_day

PagesByName = Mapping[str, Any]
P = ParamSpec("P")

_PURPOSE_KEY = "purpose_of_reading"
page_logger = logging.getLogger("shicheng.app")


def detect_colour_mode() -> ColourMode:
    """Light or dark, as the visitor's browser shows the app."""
    return "dark" if st.context.theme.type == "dark" else "light"


def draw_html(text: str) -> None:
    """A piece of HTML whose data has been escaped by the caller."""
    st.html(text)


def begin_page() -> None:
    """Title, style and language of the page; the first thing of each run."""
    st.set_page_config(
        page_title=t("Shicheng"),
        page_icon="🧭",
        layout="wide",
        initial_sidebar_state="locked",
    )
    draw_html(render_style_sheet(detect_colour_mode()))


def draw_sign_in() -> None:
    """All that a visitor sees who has not signed in."""
    draw_lead(escape(t("Sign in, and see who taught whom.")))
    save_address()
    if is_provider_sign_in_on():
        st.button(t("Sign in"), type="primary", on_click=st.login)
    if is_account_sign_in_on():
        parts = urlsplit(st.context.url or "/")
        asked = build_sign_in_address(f"{parts.path or '/'}?{urlencode(st.query_params.to_dict())}")
        draw_html(
            f'<a class="sc-button" target="_self" href="{escape(asked)}">'
            f"{escape(t('Sign in with an account'))}</a>"
        )


def draw_sidebar(groups: Sequence[tuple[str, Sequence[Any]]]) -> None:
    """Brand, pages by group, and at the foot: data up to, last load, language."""
    with st.sidebar:
        draw_html(
            '<div class="sc-brand"><div class="sc-seal" aria-hidden="true">师<br>承</div><div>'
            f"<b>{escape(t('Shicheng'))}</b><span>{escape(t('Mentor network'))}</span></div></div>"
        )
        with st.container(key="sidebar_pages"):
            for title, pages in groups:
                draw_html(f'<div class="sc-group">{escape(title)}</div>')
                for page in pages:
                    st.page_link(page, width="stretch")
        with st.container(key="sidebar_foot"):
            _draw_purpose()
            _draw_load_facts()
            _draw_language_buttons()
            watch_mode()
            translate_controls()
            watch_history(("lang", *POLICY_PARAMETERS))
            if is_provider_sign_in_on() and st.user.is_logged_in:
                restore_address()
                st.button(t("Sign out"), type="tertiary", on_click=st.logout)
            elif is_sign_in_on():
                draw_html(
                    f'<a target="_self" href="{ACCOUNT_PATH}?lang={current_language()}">'
                    f"{escape(t('Account'))}</a>"
                )


def _draw_purpose() -> None:
    """What a data steward reads personal data for: asked once a visit, and masked until then."""
    visitor = identify_visitor()
    if not visitor.may("personal_data"):
        return
    known = [one for one in PURPOSES if one == visitor.purpose]
    # A list keeps the words of its choice, so each language has one of its own.
    key = f"{_PURPOSE_KEY}_{current_language()}"
    st.selectbox(
        t("Purpose of reading personal data"),
        PURPOSES,
        index=PURPOSES.index(known[0]) if known else None,
        key=key,
        format_func=_name_purpose,
        placeholder=t("masked until stated"),
        on_change=_take_purpose,
        args=(key,),
    )


def _name_purpose(purpose: StatedPurpose) -> str:
    return translate_label(PURPOSE_LABELS[purpose], current_language())


def _take_purpose(key: str) -> None:
    if chosen := st.session_state.get(key):
        state_purpose(chosen)


def _draw_load_facts() -> None:
    """Data up to, last load; nothing when the store cannot be read (the page says why)."""
    try:
        standing = graph_state.fetch_graph_revision()
    except ShichengError:
        return
    if standing.revision is None:
        return
    rows = []
    if standing.data_until is not None:
        rows.append((t("Data up to"), standing.data_until.isoformat()))
    if standing.loaded_at is not None:
        rows.append((t("Last load"), format_short_day(standing.loaded_at, current_language())))
    cells = "".join(f"<span>{escape(a)}</span><span>{escape(b)}</span>" for a, b in rows)
    draw_html(f'<div class="sc-facts">{cells}</div>')


def _draw_language_buttons() -> None:
    now = current_language()
    with st.container(key="languages", horizontal=True, horizontal_alignment="distribute"):
        for language, name in LANGUAGE_NAMES.items():
            st.button(
                name,
                key=f"language_{language}",
                type="tertiary",
                disabled=language == now,
                on_click=choose_language,
                args=(language,),
            )


def draw_lead(sentence: str) -> None:
    """The answer of the page, HTML with its figures bold."""
    draw_html(f'<h1 class="sc-lead">{sentence}</h1>')


def draw_under_lead(text: str = "", *, policy: bool = True) -> None:
    """The policy chip, and beside it what the figures are."""
    with st.container(key="underlead", horizontal=True, vertical_alignment="center"):
        if policy:
            draw_policy_chip("lead")
        if text:
            draw_html(f'<span class="sc-muted">{text}</span>')


def draw_policy_chip(key: str) -> None:
    """The chip that stands beside numbers and opens to the full policy and its definition."""
    chip = current_policy().chip(current_language())
    # Streamlit sets labels as Markdown: what is bold in it is the link colour of the style sheet.
    text = f"{chip}  **{t('define')}**"
    with st.popover(text, key=f"policy_chip_{key}"):
        draw_policy_form(key)


def draw_muted(text: str) -> None:
    """A line that explains, in muted ink; plain text."""
    draw_html(f'<div class="sc-muted">{escape(text)}</div>')


def draw_heading(title: str, aside: str = "") -> None:
    """A section title, 16 px, with what the figures are at its right."""
    draw_html(f'<div class="sc-h"><h2>{escape(title)}</h2><span>{escape(aside)}</span></div>')


def draw_figures(named: Sequence[tuple[str, str]]) -> None:
    """Figures side by side, each under its name."""
    cells = "".join(f"<div><span>{escape(a)}</span><b>{escape(b)}</b></div>" for a, b in named)
    draw_html(f'<div class="sc-figures">{cells}</div>')


def render_facts(named: Iterable[tuple[str, str]], look: str = "") -> str:
    """HTML: a list of facts, each beside its name; those without a value are left out."""
    cells = "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in named if b)
    return f'<dl class="{f"sc-dl {look}".strip()}">{cells}</dl>'


def draw_figure_table(first: str, heads: Sequence[str], rows: Iterable[str]) -> None:
    """A table of figures: the first column's head, those of the numbers, and the rows (HTML)."""
    head = "".join(f'<th class="n">{escape(name)}</th>' for name in heads)
    draw_html(
        f'<table class="sc-table"><thead><tr><th>{escape(first)}</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


@contextmanager
def draw_exhibit_foot(key: str, text: str = "") -> Iterator[None]:
    """The row under an exhibit: what of it is shown, as plain text; at the right what is drawn."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_foot"):
        if text:
            draw_muted(text)
        st.space("stretch")
        yield


def draw_rule() -> None:
    """A hairline."""
    draw_html('<div class="sc-rule"></div>')


def draw_note(title: str, text: str) -> None:
    """A calm note: what, why, and what to do next. Plain text."""
    draw_html(f'<div class="sc-note" role="status"><b>{escape(title)}</b><br>{escape(text)}</div>')


def draw_empty_state(title: str, text: str, command: str = "") -> None:
    """What would stand here, and the one thing to do."""
    code = f"<br><code>{escape(command)}</code>" if command else ""
    draw_html(f'<div class="sc-empty"><b>{escape(title)}</b>{escape(text)}{code}</div>')


def draw_nothing_loaded() -> None:
    """The empty state of a page when the store holds no load."""
    draw_lead(t("Nothing is loaded yet."))
    load = graph_state.fetch_graph_revision().unfinished
    if load is not None:
        message = build_load_message(load).said(current_language())
        draw_note(t("The first load has begun"), message[:1].upper() + message[1:])
        return
    draw_empty_state(
        t("Here will stand how many new high-skilled workers the leading talents drive"),
        t("Load an exchange folder, then reload this page:"),
        "shicheng load folder FOLDER",
    )
    if identify_visitor().may("load"):
        draw_page_link("load", t("Or bring departments' lists in here"))


@contextmanager
def show_errors_as_notes() -> Iterator[None]:
    """Shows what goes wrong as a calm note; what is not ours gets an id that the log names."""
    try:
        with graph_state.pin_graph_revision():
            yield
    except ShichengError as error:
        draw_note(t("This cannot be shown"), translate_message(error))
    except Exception as error:
        if graph_state.repair_damaged_snapshot():
            draw_note(t("A damaged file was found"), t("It is made anew: reload the page."))
            return
        number = secrets.token_hex(3)
        # The type and place alone: the text of an unknown error may hold personal data.
        page_logger.error(
            "page error %s: %s at %s", number, type(error).__name__, _format_error_location(error)
        )
        draw_note(
            t("This part of the page failed"),
            t("Reload the page; if it fails again, report the number {number}.", number=number),
        )
    finally:
        for message in damage.pop_damage_notes():
            draw_note(t("A damaged file was found"), message.said(current_language()))


def _format_error_location(error: BaseException) -> str:
    """The last file and line of the error's trace."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


@contextmanager
def show_address_faults() -> Iterator[None]:
    """Says above what is drawn within which parts of the address are not used."""
    place, complete = st.container(), False
    try:
        yield
        complete = True
    finally:
        faults = address.list_address_faults()
        with place:
            _draw_fault_note(
                t("Part of the address was not understood"),
                t("Left out, as if it were not there: {parts}."),
                {name: value for name, (fault, value) in faults.items() if fault == "ignored"},
            )
            _draw_fault_note(
                t("The address asks for what is not there"),
                t("Nothing here has this value: {parts}."),
                {name: value for name, (fault, value) in faults.items() if fault == "unknown"},
            )
        address.end_address_run(complete=complete)


def _draw_fault_note(title: str, template: str, values: Mapping[str, str]) -> None:
    if values:
        parts = t(", ").join(t("{name} = “{value}”", name=n, value=v) for n, v in values.items())
        draw_note(title, template.format(parts=parts))


def page(draw: Callable[[], None]) -> Callable[[], None]:
    """A page whose errors are notes, and which says so when nothing is loaded."""

    @wraps(draw)
    def drawn() -> None:
        with show_errors_as_notes():
            standing = graph_state.fetch_graph_revision()
            if standing.revision is None:
                draw_nothing_loaded()
                return
            with graph_state.record_live_reads() as live:
                place = st.container(key="data_as_of") if standing.unfinished else None
                try:
                    with show_address_faults():
                        draw()
                finally:
                    if place is not None:
                        with place:
                            _draw_data_as_of(standing, bool(live))

    return drawn


def fragment(*, run_every: float | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A part of a page that runs by itself, and draws the whole page anew as soon as its visitor
    is not the one it was drawn for.
    """

    return lambda draw: st.fragment(_check_visitor(draw), run_every=run_every)


def dialog(title: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A dialog; as `fragment` it asks whose page it stands on each time it is drawn."""
    return lambda draw: st.dialog(title)(_check_visitor(draw))


def _check_visitor(draw: Callable[P, None]) -> Callable[P, None]:
    @wraps(draw)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        if not is_page_of_visitor():
            st.rerun()
        draw(*args, **kwargs)

    return checked


def page_before_loads(draw: Callable[[], None]) -> Callable[[], None]:
    """A page that stands before anything is loaded too; its errors are notes."""

    @wraps(draw)
    def drawn() -> None:
        with show_errors_as_notes(), show_address_faults():
            draw()

    return drawn


def _draw_data_as_of(standing: graph_state.GraphRevision, live: bool) -> None:
    """Which data the page shows while a load is under way or broken off."""
    load, revision = standing.unfinished, standing.revision
    assert load is not None
    day = (
        "—"
        if standing.loaded_at is None
        else format_short_day(standing.loaded_at, current_language())
    )
    title = t("Data as of {day}, revision {n}", day=day, n=revision)
    text = build_load_message(load).said(current_language())
    text = text[:1].upper() + text[1:]
    if live:
        text = join_sentences(
            text,
            t(
                "Facts of single people, places and loads, and answers of queries, are read from "
                "the graph as it is now, in the middle of that load; all figures are of "
                "revision {n}.",
                n=revision,
            ),
        )
    draw_note(title, text)


def render_level_badge(level: int | None) -> str:
    """HTML: the level in a square of the ladder's colour."""
    return "" if not level else f'<span class="lv lv{level}">{level}</span>'


def register_pages(pages: PagesByName) -> None:
    """Keeps this run's pages by name, so that pages can lead to each other."""
    st.session_state["pages"] = pages


def draw_page_link(name: str, text: str, **query: str) -> None:
    """A link to a page of the app, opened in place; `text` is plain text."""
    pages: PagesByName = st.session_state["pages"]
    st.page_link(pages[name], label=escape_markdown(text), query_params=query)


def format_page_href(name: str, **query: str) -> str:
    """The address of a page of the app under the visit's policy and language, for `href="..."`."""
    given = {"lang": current_language()} | format_policy_parameters(current_policy()) | query
    return escape(f"{name}?{urlencode(given)}")


def render_page_anchor(name: str, text: str, **query: str) -> str:
    """HTML: a link to a page of the app; `text` is plain text."""
    return (
        f'<a class="sc-link" href="{format_page_href(name, **query)}" '
        f'target="_self">{escape(text)}</a>'
    )


def switch_to_page(
    name: str, lists: Mapping[str, Sequence[str]] = MappingProxyType({}), /, **query: str
) -> None:
    """Goes to a page of the app now; `lists` are the parameters of several values."""
    pages: PagesByName = st.session_state["pages"]
    st.switch_page(pages[name], query_params={**query, **lists})


def is_newly_chosen(key: str, chosen: object) -> bool:
    """Whether this has been chosen since the last run: a choice stands on, and acts once."""
    known = f"{key}_acted"
    if chosen == st.session_state.get(known):
        return False
    st.session_state[known] = chosen
    return chosen is not None


MARKDOWN_SPECIAL_CHARS = re.compile(r"([\\`*_{}\[\]()#+\-.!~|<>:$])")


def escape_markdown(text: str) -> str:
    """The text as Markdown that shows exactly it."""
    return MARKDOWN_SPECIAL_CHARS.sub(r"\\\1", text)


@dataclass(frozen=True)
class ListRow:
    """A line of a list: a name that may lead to a page, and cells of escaped HTML."""

    name: str
    cells: tuple[str, ...]
    page: str | None
    query: Mapping[str, str]


def draw_row_list(
    lines: Sequence[ListRow], *, key: str, head: Sequence[str] = (), names: int = 220
) -> None:
    """A list of lines with hairlines; names are links of the app, `names` px wide; the rest is a
    table beside.
    """
    width = max((len(line.cells) for line in lines), default=0)
    left, rest = st.columns([names, 1120 - names], gap=None, wrap=False)
    with left, st.container(key=f"names_{key}", gap=None):
        if head:
            draw_html(f'<div class="sc-rowhead">{escape(head[0])}</div>')
        for line in lines:
            if line.page is None:
                draw_html(f'<div class="sc-rowname">{escape(line.name)}</div>')
            else:
                draw_page_link(line.page, line.name, **line.query)
    titles = "".join(f"<th>{escape(title)}</th>" for title in head[1:])
    body = "".join(
        "<tr>"
        + "".join(f"<td>{cell}</td>" for cell in line.cells)
        + "<td></td>" * (width - len(line.cells))
        + "</tr>"
        for line in lines
    )
    with rest:
        draw_html(
            '<table class="sc-table sc-rows">'
            + (f"<thead><tr>{titles}</tr></thead>" if head else "")
            + f"<tbody>{body}</tbody></table>"
        )
