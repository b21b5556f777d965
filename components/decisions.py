"""What visitors decide on a person in a list: accepted, rejected or open, with a note.

A decision is an entry of the notebook on a subject (the list and the person's number). The newest
one stands; the others are its history, with whose they are and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from components import frame, store
from components.i18n import t
from components.visitor import visitor
from graph.notebook import Entry

VERDICTS = ("accepted", "rejected", "open")
# What is listed and exported: the best of the filtered ones; the page says of how many.
SHOWN = 2_000
ROW_HEIGHT = 38


def verdict_name(verdict: str) -> str:
    """The word for a verdict, in the language of the visit."""
    names = {"accepted": t("accepted"), "rejected": t("rejected"), "open": t("open again")}
    return names.get(verdict, verdict)


def standing_of(scope: str) -> dict[str, Entry]:
    """Person's number -> the decision that stands, of one list (its scope)."""
    before = f"{scope}:"
    standing = store.notebook().standing("decision")
    return {key[len(before) :]: e for key, e in standing.items() if key.startswith(before)}


def with_decisions(rows: pl.DataFrame, scope: str) -> pl.DataFrame:
    """The rows with decision, note, decided_by and decided_at beside them; null where none is."""
    found = [
        (person, e.body.get("verdict"), e.body.get("note") or None, e.owner, e.made_at)
        for person, e in standing_of(scope).items()
    ]
    names = ["person_id", "decision", "note", "decided_by", "decided_at"]
    table = pl.DataFrame(found, schema=dict.fromkeys(names, pl.String), orient="row")
    return rows.join(table, on="person_id", how="left", maintain_order="left")


def listed(
    table: pl.DataFrame, people: pl.Series, columns: Mapping[str, Any], *, key: str, most: int
) -> None:
    """Draws a list, a line each of the people, `most` px at most; the address says who is chosen.

    `columns` are the configured ones beside those that every list of people to decide on has.
    """
    config = st.column_config
    common = {
        "name": config.TextColumn(t("Name"), width=80),
        "level": config.NumberColumn(t("Level"), help=t("Best level so far, 1 to 8"), width=54),
        "occupation": config.TextColumn(t("Occupation"), width=125),
        "province": config.TextColumn(t("Province"), width=92),
        "decision": config.TextColumn(t("Decision"), width=90),
    }
    event = st.dataframe(
        table, key=key, hide_index=True, row_height=ROW_HEIGHT, on_select="rerun",
        height=min(ROW_HEIGHT * (table.height + 1) + 2, most), selection_mode="single-row",
        column_config={**common, **columns},
    )  # fmt: skip
    picked = event.selection.rows
    if picked and picked[0] < people.len():
        st.query_params["person"] = people[picked[0]]


def chosen(rows: pl.DataFrame) -> pl.DataFrame | None:
    """The row of whom the address names, with a link to the profile; None, and so it says."""
    asked = st.query_params.get("person")
    found = rows.filter(pl.col("person_id") == asked) if asked else rows.clear()
    if found.is_empty():
        frame.heading(t("Who is chosen"))
        told = t("Choose a line to see why, and decide.")
        frame.muted(told)
        return None
    id, name = found.select("person_id", "name").row(0)
    frame.link("talent", name or id, id=id)
    return found


def panel(scope: str, person_id: str, under: dict[str, str]) -> None:
    """Accept, reject, take back, note; and what was decided before. `under` is kept with each."""
    subject = f"{scope}:{person_id}"
    history = store.notebook().entries("decision", subject=subject)
    now = history[0].body.get("verdict") if history else None
    key = f"decide_{scope}_{person_id}"
    frame.heading(t("Decision"), verdict_name(str(now)) if now and now != "open" else t("none yet"))
    note = st.text_input(t("Note"), key=f"{key}_note", max_chars=500)
    with st.container(horizontal=True):
        for verdict, name in (("accepted", t("Accept")), ("rejected", t("Reject"))):
            if st.button(
                name,
                key=f"{key}_{verdict}",
                disabled=now == verdict and not note,
                type="primary" if verdict == "accepted" else "secondary",
            ):
                _decide(subject, verdict, note, under)
        if now in ("accepted", "rejected") and st.button(t("Take back"), key=f"{key}_open"):
            _decide(subject, "open", note, under)
    for entry in history[:10]:
        told = f"{entry.made_at[:16].replace('T', ' ')} · {entry.owner}"
        words = verdict_name(str(entry.body.get("verdict")))
        written = escape(str(entry.body.get("note") or ""))
        frame.html(
            f"<div><b>{escape(words)}</b> <span class='sc-muted'>{escape(told)}</span>"
            f"<div class='sc-written'>{written}</div></div>"
        )


def _decide(subject: str, verdict: str, note: str, under: dict[str, str]) -> None:
    body = {"verdict": verdict, "note": note.strip(), **under}
    store.notebook().add("decision", visitor().id, subject, body)
    st.rerun()
