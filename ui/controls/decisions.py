"""What visitors decide on a person in a list: accepted, rejected or open, with a note.

A decision is an entry of the notebook on a subject (the list and the person's number). The newest
one stands; the others are its history, with whose they are and when.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any, Literal

import polars as pl
import streamlit as st

from graph.model.vocabularies import PROVINCES
from graph.programme.notebook import Entry
from graph.tabular import About
from ui.controls import downloads
from ui.shell import address, frame, graph_state
from ui.shell.visitor import identify_visitor
from ui.words.i18n import current_language, t, tn, translate_labels
from ui.words.numbers import NO_VALUE_DASH, format_count
from ui.words.terms import format_person_name, list_term_translations, name_width, with_pinyin
from ui.words.text_width import estimate_text_width

DECISION_VERDICTS = ("accepted", "rejected", "open")
UNDECIDED = "undecided"
DECISION_MARKS = {"accepted": "\N{CHECK MARK}", "rejected": "\N{MULTIPLICATION X}"}
# What is listed and exported: the best of the filtered ones; the page says of how many.
MAX_LISTED_DECISIONS = 2_000
DECISION_ROW_HEIGHT_PX = 38


def format_verdict(verdict: str) -> str:
    """The word for a verdict, in the language of the visit."""
    names = {"accepted": t("accepted"), "rejected": t("rejected"), "open": t("open again")}
    return names.get(verdict, verdict)


def list_current_decisions(scope: str) -> dict[str, Entry]:
    """Person's number -> the decision that stands, of one list (its scope)."""
    before = f"{scope}:"
    standing = graph_state.open_notebook().standing("decision")
    return {key[len(before) :]: e for key, e in standing.items() if key.startswith(before)}


def join_decisions(rows: pl.DataFrame, scope: str) -> pl.DataFrame:
    """The rows with decision, note, decided_by and decided_at beside them; null where none is."""
    found = [
        (person, e.body.get("verdict"), e.body.get("note") or None, e.owner, e.made_at)
        for person, e in list_current_decisions(scope).items()
    ]
    names = ["person_id", "decision", "note", "decided_by", "decided_at"]
    table = pl.DataFrame(found, schema=dict.fromkeys(names, pl.String), orient="row")
    return rows.join(table, on="person_id", how="left", maintain_order="left")


def list_decision_words() -> dict[str, str]:
    """What a decision is called: those that stand, and that there is none."""
    return {"accepted": t("accepted"), "rejected": t("rejected"), UNDECIDED: t("undecided")}


def format_decision(decision: str | None) -> str:
    """A decision as a row shows it, with a mark that is seen before it is read."""
    mark = DECISION_MARKS.get(decision or "")
    return f"{mark} {format_verdict(str(decision))}" if mark else NO_VALUE_DASH


def list_marked_decisions() -> dict[str, str]:
    """Each decision that stands -> as a row shows it."""
    return {verdict: format_decision(verdict) for verdict in DECISION_MARKS}


def _build_decision_expr() -> pl.Expr:
    """The decision that stands on a row; taken back is undecided."""
    return pl.col("decision").replace("open", UNDECIDED).fill_null(UNDECIDED)


def filter_by_decision(rows: pl.DataFrame, page: str) -> tuple[pl.DataFrame, str | None]:
    """The rows of the decision that the address asks for, by a list to choose it from."""
    chosen = address.draw_optional_select(page, "decision", t("Decision"), list_decision_words())
    return (rows.filter(_build_decision_expr() == chosen) if chosen else rows), chosen


def draw_decision_tally(rows: pl.DataFrame, title: str | None = None) -> None:
    """How many of the rows are accepted, rejected and not decided; `title` names what they are."""
    numbers = dict(rows.select(d=_build_decision_expr()).group_by("d").len().rows())
    parts = [
        f"{word} <b>{format_count(numbers.get(code, 0))}</b>"
        for code, word in list_decision_words().items()
    ]
    label = escape(title or t("Decisions (persons):"))
    frame.draw_html(
        f'<div class="sc-tally"><span class="sc-muted">{label}</span> {" · ".join(parts)}</div>'
    )


def draw_decision_list(
    table: pl.DataFrame, people: pl.Series, columns: Mapping[str, Any], *, key: str, most: int
) -> list[str]:
    """Draws a list, a line each of the people, `most` px at most; who is ticked.

    One who is ticked alone stands in the address. `columns` are the configured ones beside those
    that every list of people to decide on has.
    """
    config = st.column_config
    common = {
        "name": config.TextColumn(t("Name"), width=name_width()),
        "decision": config.TextColumn(t("Decision"), width=96),
        "level": config.NumberColumn(t("Level"), help=t("Best level so far, 1 to 8"), width=54),
        "occupation": config.TextColumn(
            t("Occupation"), width=150 if current_language() == "en" else 118
        ),
        "province": config.TextColumn(t("Province"), width=92),
    }
    widened = {name: wide_enough(column) for name, column in {**common, **columns}.items()}
    # Another list, and what was decided on several, begin with nobody ticked.
    version = st.session_state.setdefault(f"{key}_version", 0)
    same = hashlib.sha256("\n".join(people).encode()).hexdigest()[:10]
    with st.container(key=key):
        event = st.dataframe(
            with_pinyin(table.select("name", "decision", pl.exclude("name", "decision")), "name"),
            key=f"{key}_{same}_{version}",
            hide_index=True,
            placeholder=NO_VALUE_DASH,
            row_height=DECISION_ROW_HEIGHT_PX,
            on_select="rerun",
            selection_mode="multi-row",
            height=min(DECISION_ROW_HEIGHT_PX * (table.height + 1) + 2, most),
            column_config=widened,
        )
    ticked = [people[row] for row in event.selection.rows if row < people.len()]
    if len(ticked) == 1:
        st.query_params["person"] = ticked[0]
    return ticked


def wide_enough(column: Any) -> Any:
    """A configured column, at least as wide as its head, in either language."""
    if not isinstance(column, dict):
        return column
    head = round(estimate_text_width(column.get("label") or "", 13)) + 26
    return {**column, "width": max(int(column.get("width") or 0), head)}


def draw_chosen_person(rows: pl.DataFrame) -> pl.DataFrame | None:
    """The row of the person in the address, with a link to the profile; None, with a hint."""
    asked = st.query_params.get("person")
    found = rows.filter(pl.col("person_id") == asked) if asked else rows.clear()
    if asked and found.is_empty():
        address.record_address_fault("person", asked, "unknown")
    if found.is_empty():
        frame.draw_heading(t("Who is chosen"))
        hint = t("Tick a line to see why, and decide; tick several to decide on them together.")
        frame.draw_muted(hint)
        return None
    id, name = found.select("person_id", "name").row(0)
    frame.draw_page_link("talent", format_person_name(name or id), id=id)
    return found


def draw_bulk_decision(
    scope: str,
    people: list[str],
    under: Mapping[str, Any] | Callable[[str], Mapping[str, Any]],
    *,
    key: str,
) -> None:
    """The same decision on all who are ticked in the list `key`, with one note.

    `under` is what is kept with each, or gives it for one of them.
    """
    frame.draw_heading(t("{n} ticked", n=format_count(len(people))), t("one decision for all"))
    note = st.text_input(t("Note"), key=f"{key}_note", max_chars=500)
    names = {"accepted": t("Accept all"), "rejected": t("Reject all"), "open": t("Take back all")}
    with st.container(horizontal=True):
        for verdict, name in names.items():
            look: Literal["primary", "secondary"] = (
                "primary" if verdict == "accepted" else "secondary"
            )
            if st.button(name, key=f"{key}_all_{verdict}", type=look):
                _save_bulk_decision(scope, people, verdict, note, under)
                st.session_state[f"{key}_version"] = st.session_state.get(f"{key}_version", 0) + 1
                st.rerun()
    frame.draw_muted(t("Each keeps its own history; a decision can be taken back."))


def _save_bulk_decision(
    scope: str,
    people: list[str],
    verdict: str,
    note: str,
    under: Mapping[str, Any] | Callable[[str], Mapping[str, Any]],
) -> None:
    """Stores the decision on each; without a current decision nothing is taken back."""
    if verdict == "open":
        standing = list_current_decisions(scope)
        people = [id for id in people if id in standing]
    body = {"verdict": verdict, "note": note.strip()}
    notebook, owner, done = graph_state.open_notebook(), identify_visitor().id, len(people)
    if callable(under):
        for id in people:
            notebook.add("decision", owner, f"{scope}:{id}", {**body, **under(id)})
    else:
        subjects = [f"{scope}:{id}" for id in people]
        done = notebook.add_all("decision", owner, subjects, {**body, **under})
    st.toast(tn("Kept for {n} person", "Kept for {n} people", done, n=format_count(done)))


def build_person_export_columns() -> list[pl.Expr]:
    """Who a row is, as a file says it: number, name, place, trade, level."""
    language = current_language()
    return [
        pl.col("person_id").alias(t("Person number")),
        pl.col("name").alias(t("Name")),
        pl.col("province").replace(translate_labels(PROVINCES, language)).alias(t("Province")),
        pl.col("occupation_code").alias(t("Occupation code")),
        pl.col("occupation").replace(list_term_translations(language)).alias(t("Occupation")),
        pl.col("level").cast(pl.Int64).alias(t("Level")),
    ]


def build_decision_export_columns() -> list[pl.Expr]:
    """What was decided on a row, as a file says it."""
    verdicts = {verdict: format_verdict(verdict) for verdict in DECISION_VERDICTS}
    return [
        pl.col("decision").replace(verdicts).alias(t("Decision")),
        pl.col("note").alias(t("Note")),
        pl.col("decided_by").alias(t("Decided by")),
        pl.col("decided_at").alias(t("Decided at")),
    ]


def draw_decision_downloads(
    rows: pl.DataFrame,
    make: Callable[[pl.DataFrame], pl.DataFrame],
    about: About,
    name: str,
) -> None:
    """The list to take away, the best of it, and beside it those alone who are accepted.

    `make` gives the rows as they are written, in the language of the visit.
    """
    few = rows.head(MAX_LISTED_DECISIONS)
    with st.container(horizontal=True, vertical_alignment="center", key=f"take_{name}"):
        downloads.draw_lazy_download_buttons(few.height, partial(make, few), about, name)
        accepted = rows.filter(pl.col("decision") == "accepted")
        if accepted.height:
            note = tn(
                "Only the {n} accepted:",
                "Only the {n} accepted:",
                accepted.height,
                n=format_count(accepted.height),
            )
            frame.draw_muted(note)
            narrowed = replace(about, filters={**about.filters, "decision": "accepted"})
            make_them = partial(make, accepted)
            downloads.draw_lazy_download_buttons(
                accepted.height, make_them, narrowed, f"{name}-accepted", main=True
            )


def draw_decision_panel(
    scope: str, person_id: str, under: Mapping[str, Any], *, is_changed: bool = False
) -> None:
    """Accept, reject, take back, note; and earlier decisions. `under` is stored with each.

    `is_changed`: what was accepted is not what stands here now, so it may be accepted again.
    """
    subject = f"{scope}:{person_id}"
    history = graph_state.open_notebook().entries("decision", subject=subject)
    now = history[0].body.get("verdict") if history else None
    key = f"decide_{scope}_{person_id}"
    frame.draw_heading(
        t("Decision"), format_verdict(str(now)) if now and now != "open" else t("none yet")
    )
    note = st.text_input(t("Note"), key=f"{key}_note", max_chars=500)
    with st.container(horizontal=True):
        for verdict, name in (("accepted", t("Accept")), ("rejected", t("Reject"))):
            if st.button(
                name,
                key=f"{key}_{verdict}",
                disabled=now == verdict and not note and not (is_changed and verdict == "accepted"),
                type="primary" if verdict == "accepted" else "secondary",
            ):
                _save_decision(subject, verdict, note, under)
        if now in ("accepted", "rejected") and st.button(t("Take back"), key=f"{key}_open"):
            _save_decision(subject, "open", note, under)
    for entry in history[:10]:
        author = f"{entry.made_at[:16].replace('T', ' ')} · {entry.owner}"
        words = format_verdict(str(entry.body.get("verdict")))
        written = escape(str(entry.body.get("note") or ""))
        frame.draw_html(
            f"<div><b>{escape(words)}</b> <span class='sc-muted'>{escape(author)}</span>"
            f"<div class='sc-written'>{written}</div></div>"
        )


def _save_decision(subject: str, verdict: str, note: str, under: Mapping[str, Any]) -> None:
    body = {"verdict": verdict, "note": note.strip(), **under}
    graph_state.open_notebook().add("decision", identify_visitor().id, subject, body)
    st.rerun()
