"""Audit log: who did what when, and whether every line still stands; for data stewards."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import Final, get_args

import polars as pl
import streamlit as st

from graph.audit.entries import AuditEntry, AuditFilter, iterate_audit_entries
from graph.audit.log import AuditEvent
from graph.audit.verification import verify_audit_log
from graph.settings import Settings
from ui.controls import downloads
from ui.shell import address, frame
from ui.shell.visitor import identify_visitor, record_role_refusal
from ui.words.i18n import t, tn, translate_message
from ui.words.numbers import format_count

AUDIT_PAGE: Final = "audit"
# More lines than these are looked up with `shicheng audit search`.
MAX_SHOWN_ENTRIES: Final = 500
_DAYS: Final = ("1", "7", "31", "366")


@frame.page_before_loads
def page() -> None:
    """The page: the newest lines that are asked for; for data stewards alone."""
    if not identify_visitor().may("audit"):
        record_role_refusal(AUDIT_PAGE)
        frame.draw_lead(t("Data stewards read the audit log."))
        return
    home = Settings().home
    check = verify_audit_log(home)
    frame.draw_lead(
        tn("{n} line is in the log.", "{n} lines are in the log.", check.lines, n=check.lines)
    )
    for fault in check.faults:
        frame.draw_note(t("The log was damaged or changed"), translate_message(fault))
    if check.lines and not check.faults:
        frame.draw_under_lead(t("Every line stands as it was written."), policy=False)
    wanted = _draw_filters()
    entries = list(islice(iterate_audit_entries(home, wanted), MAX_SHOWN_ENTRIES))
    if not entries:
        frame.draw_empty_state(t("No line is like this"), t("Look further back, or at all acts."))
        return
    _draw_entries(entries)


def _draw_filters() -> AuditFilter:
    words = _list_event_words()
    with st.container(horizontal=True, vertical_alignment="bottom", key="audit_filters"):
        days = address.draw_required_choice(
            AUDIT_PAGE, "days", t("Days back"), {one: one for one in _DAYS}, "7"
        )
        with st.container(width=230):
            event = address.draw_optional_select(AUDIT_PAGE, "event", t("Act"), words)
    since = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=int(days) - 1)
    return AuditFilter(event=event, since=since.isoformat())


def _list_event_words() -> dict[str, str]:
    """What each act is called."""
    words = {
        "account": t("account changed"),
        "backup": t("backup"),
        "decision": t("decision"),
        "erasure": t("erasure"),
        "export": t("export"),
        "load": t("load"),
        "query": t("query"),
        "read": t("personal data read"),
        "refusal": t("refusal"),
        "restore": t("restore"),
        "sign_in": t("sign-in or visit"),
        "undo": t("load undone"),
    }
    assert set(words) == set(get_args(AuditEvent))
    return words


def _draw_entries(entries: list[AuditEntry]) -> None:
    words = _list_event_words()
    table = pl.DataFrame(
        [
            {
                t("Number"): one.seq,
                t("When (UTC)"): one.at[:19].replace("T", " "),
                t("Who"): one.by,
                t("Role"): one.role,
                t("Door"): one.via,
                t("Act"): words.get(one.event, one.event),
                t("Facts"): one.facts_text,
            }
            for one in entries
        ]
    )
    st.dataframe(table, hide_index=True, width="stretch", key="audit_lines")
    with frame.draw_exhibit_foot(
        AUDIT_PAGE, t("The newest {n} lines that are asked for.", n=format_count(len(entries)))
    ):
        downloads.draw_download_button(
            t("Download the lines"),
            lambda: "".join(f"{one.raw}\n" for one in entries),
            "audit.jsonl",
            "application/jsonl",
            key="audit_file",
        )
