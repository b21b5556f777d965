"""A check or a load under way, as the page follows it."""

from __future__ import annotations

import streamlit as st

from loaders.load_jobs import LoadJob
from loaders.progress_words import describe_load_step
from ui.shell import frame
from ui.words.i18n import t, translate_message
from ui.words.numbers import format_count

_POLL_SECONDS = 1.0


@frame.fragment(run_every=_POLL_SECONDS)
def draw_job_status(job: LoadJob) -> None:
    """How far it is, and the way to call it off; draws the full page anew when it has ended."""
    if job.is_over:
        st.rerun()
    with st.status(_name_state(job), expanded=True, state="running"):
        if job.rows_total:
            share = min(1.0, job.rows_done / job.rows_total)
            st.progress(
                share,
                t(
                    "{done} of {all} rows",
                    done=format_count(job.rows_done),
                    all=format_count(job.rows_total),
                ),
            )
        elif job.step:
            frame.draw_muted(translate_message(describe_load_step(job.step)))
        for message in job.said:
            frame.draw_muted(translate_message(message))
        _draw_cancel(job)


def _name_state(job: LoadJob) -> str:
    return {
        "waiting": t("Another load is running: this one waits for its turn"),
        "checking": t("Checking every row"),
        "writing": t("Writing"),
        "measuring": t("Working out what it changes"),
    }.get(job.state, t("Ready"))


def _draw_cancel(job: LoadJob) -> None:
    if job.state not in ("waiting", "checking"):
        frame.draw_muted(
            t(
                "It can no longer be called off. You may leave this page: the load goes on, and "
                "what it came to stands under Data."
            )
        )
        return
    if st.button(t("Call off"), key="load_cancel"):
        job.cancel()
    frame.draw_muted(t("Until the writing begins it can be called off, and nothing is changed."))
