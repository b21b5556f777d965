"""What a check or a load came to: what is refused first, then what is taken, then what follows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from html import escape
from typing import Final

import polars as pl
import streamlit as st

from graph.model.kinds import EXCHANGE_TABLES
from loaders.department_files import DepartmentFiles, FoundSheet, count_sheet_rows
from loaders.load_jobs import LoadJob
from loaders.refused_rows import count_refusal_reasons, list_refused_rows
from loaders.reports import LoadReport
from loaders.return_workbooks import build_return_workbook, list_returned_sheets
from ui.controls import downloads
from ui.controls.downloads import XLSX_MIME_TYPE
from ui.load.draft import LoadDraft
from ui.shell import frame
from ui.words.i18n import current_language, t, tn, translate_label, translate_message
from ui.words.numbers import NO_VALUE_DASH, format_count

MAX_REFUSED_ROWS: Final = 500
_MAX_REASONS: Final = 30
_FIGURES: Final = ("driven_persons", "driven_person_times")


def draw_check_outcome(draft: LoadDraft, check: LoadJob) -> None:
    """What the dry run found."""
    if check.report is None or check.read is None:
        if check.error is not None:
            frame.draw_note(t("The check stopped"), translate_message(check.error))
        st.button(t("Check again"), key="load_recheck", on_click=draft.drop_check)
        return
    headline = check.report.headline
    if headline is not None and headline.after is not None:
        _draw_headline_change(headline.before, headline.after)
        frame.draw_muted(
            t(
                "Counted with these lists on the graph as it stands now; nothing is written. Where "
                "sources differ is known once it is loaded, and is shown then."
            )
        )
    elif headline is not None and headline.unknown is not None:
        frame.draw_heading(t("What it does to the headline"), "")
        frame.draw_note(t("Not known yet"), translate_message(headline.unknown))
    _draw_report(draft, check, f"check_{draft.number}")


def draw_load_outcome(draft: LoadDraft, job: LoadJob) -> None:
    """The report of the load."""
    if job.state == "done" and job.after is not None:
        _draw_headline_change(job.before, job.after)
    if job.report is not None and job.read is not None:
        _draw_report(draft, job, f"load_{draft.number}")
        _draw_conflicts(job.report)
    if job.state != "done":
        return
    with st.container(horizontal=True):
        frame.draw_page_link("find", t("Find a person of these lists"))
        frame.draw_page_link("data", t("All loads and what they refused"))


def count_list_rows(job: LoadJob) -> tuple[int, int]:
    """Rows of the lists that a check or a load took, and those that it refused."""
    if job.report is None or job.read is None:
        return 0, 0
    counts = [count_sheet_rows(one, job.report.findings) for one in job.read.summaries]
    return sum(int(c["accepted"]) for c in counts), sum(int(c["refused"]) for c in counts)


def _draw_headline_change(before: Mapping[str, int] | None, after: Mapping[str, int]) -> None:
    """The national figures before and after; those before are none while nothing is loaded."""
    named = (t("Driven persons"), t("Driven person-times"))
    rows = []
    for name, figure in zip(named, _FIGURES, strict=True):
        was, now = (before or {}).get(figure), after[figure]
        change = NO_VALUE_DASH if was is None else f"{now - was:+,}".replace("-", "\N{MINUS SIGN}")
        rows.append((name, format_count(was), format_count(now), change))
    heads = (t("Figure"), t("Before"), t("After"), t("Difference"))
    frame.draw_heading(t("What it does to the headline"), t("under the policy of this visit"))
    _draw_plain_table(pl.DataFrame(rows, schema=heads, orient="row"), "load_headline")


def _draw_report(draft: LoadDraft, job: LoadJob, key: str) -> None:
    report, read = job.report, job.read
    assert report is not None and read is not None
    _draw_refusals(draft, job, report, read, key)
    counts = [count_sheet_rows(one, report.findings) for one in read.summaries]
    frame.draw_heading(t("Rows of each list"), t("data = accepted + refused"))
    names = {
        "file": t("List"),
        "refused": t("Refused"),
        "accepted": t("Accepted"),
        "data": t("Data rows"),
        "other": t("Titles and footers"),
        "blank": t("Blank"),
        "rows": t("Rows"),
    }
    table = pl.DataFrame(counts) if counts else pl.DataFrame(schema=dict.fromkeys(names, pl.Int64))
    _draw_plain_table(table.select(pl.col(c).alias(name) for c, name in names.items()), f"{key}_s")
    remarks = report.findings.filter(pl.col("kind") == "remark").height
    with st.expander(
        tn("{n} remark; rows of each table", "{n} remarks; rows of each table", remarks, n=remarks)
    ):
        _draw_table_counts(report, key)
        _draw_remarks(report, key)
    facts = [
        (t("Ids joined to other persons"), format_count(report.merged_ids)),
    ]
    frame.draw_html(frame.render_facts(facts))
    _draw_taken_back(report, key)


def _draw_taken_back(report: LoadReport, key: str) -> None:
    """What a complete load takes back, table by table."""
    if not report.taken_back:
        return
    rows = [
        (name_table(one.table), one.stated, one.taken_back, f"{one.share:.1%}", one.removed)
        for one in report.taken_back
    ]
    heads = (
        t("Table"),
        t("Stated so far"),
        t("No longer stated"),
        t("Share"),
        t("Records that go"),
    )
    frame.draw_heading(t("Taken back"), t("what these lists no longer state"))
    _draw_plain_table(pl.DataFrame(rows, schema=heads, orient="row"), f"{key}_taken")


def name_table(table: str) -> str:
    """An exchange table as the reader calls it."""
    kind = EXCHANGE_TABLES[table]
    return translate_label((kind.en, kind.zh), current_language())


def _draw_refusals(
    draft: LoadDraft, job: LoadJob, report: LoadReport, read: DepartmentFiles, key: str
) -> None:
    """What is refused: by reason, then row by row as received, then the workbooks to send back."""
    language = current_language()
    refused = report.findings.filter((pl.col("kind") == "refused") & (pl.col("row") > 0))
    rows = refused.select("file", "row").unique().height
    frame.draw_heading(t("Refused rows"), tn("{n} row", "{n} rows", rows, n=format_count(rows)))
    if not rows:
        frame.draw_muted(t("Every row can be taken."))
        _draw_return_buttons(report, read, key)
        return
    asked = id(job), language
    if asked not in draft.refusals:
        draft.refusals[asked] = (
            count_refusal_reasons(read, report.findings, language).head(_MAX_REASONS),
            list_refused_rows(read, report.findings, language, MAX_REFUSED_ROWS),
        )
    reasons, shown = draft.refusals[asked]
    body = "".join(
        f"<tr><td>{escape(file)}</td><td>{escape(column or NO_VALUE_DASH)}</td>"
        f'<td>{escape(reason)}</td><td class="n">{format_count(n)}</td></tr>'
        for file, column, reason, n in reasons.iter_rows()
    )
    heads = "".join(f"<th>{escape(name)}</th>" for name in (t("List"), t("Column"), t("Reason")))
    frame.draw_html(
        f'<table class="sc-table"><thead><tr>{heads}<th class="n">{escape(t("Rows"))}</th>'
        f"</tr></thead><tbody>{body}</tbody></table>"
    )
    _draw_plain_table(
        shown.rename(
            {
                "file": t("List"),
                "row": t("Row"),
                "column": t("Column"),
                "value": t("Value"),
                "reason": t("Why, and what to do"),
                "cells": t("The row as it stood"),
            }
        ),
        f"{key}_refused",
    )
    _draw_return_buttons(report, read, key)


def _draw_return_buttons(report: LoadReport, read: DepartmentFiles, key: str) -> None:
    """The workbooks to send back, also of files of which nothing but remarks is said."""
    returned = list_returned_sheets(read, report.findings)
    if not returned:
        return
    frame.draw_muted(
        t(
            "To send back: the department's own rows with the refused or remarked cells marked, "
            "and why, in the language of the list. They hold whole ID numbers: give them to that "
            "department alone."
        )
    )
    with st.container(horizontal=True, key=f"{key}_return"):
        for name, sheets in returned.items():
            downloads.draw_download_button(
                frame.escape_markdown(name),
                partial(_build_returned, sheets, report.findings),
                name,
                XLSX_MIME_TYPE,
                key=f"{key}_return_{name}",
                icon=":material/undo:",
            )


def _build_returned(sheets: list[FoundSheet], findings: pl.DataFrame) -> bytes:
    return build_return_workbook(sheets, findings)


def _draw_table_counts(report: LoadReport, key: str) -> None:
    rows = [
        (
            name_table(one.table),
            one.file,
            one.read,
            one.accepted,
            one.refused,
            one.remarks,
        )
        for one in report.tables
    ]
    heads = (t("Table"), t("List"), t("Rows read"), t("Accepted"), t("Refused"), t("Remarks"))
    _draw_plain_table(pl.DataFrame(rows, schema=heads, orient="row"), f"{key}_tables")


def _draw_remarks(report: LoadReport, key: str) -> None:
    reason = "reason_zh" if current_language() == "zh" else "reason"
    remarks = report.findings.filter(pl.col("kind") == "remark").head(MAX_REFUSED_ROWS)
    if remarks.is_empty():
        return
    table = remarks.select(
        pl.col("file").alias(t("List")),
        pl.col("row").alias(t("Row")),
        pl.col("column").alias(t("Column")),
        pl.col("value").alias(t("Value")),
        pl.col(reason).alias(t("Remark")),
    )
    _draw_plain_table(table, f"{key}_remarks")


def _draw_conflicts(report: LoadReport) -> None:
    if not report.conflicts:
        return
    n = len(report.conflicts)
    frame.draw_muted(
        tn(
            "{n} value does not stand, since another source is believed: see Data, Sources differ.",
            "{n} values do not stand, since other sources are believed: see Data, Sources differ.",
            n,
            n=format_count(n),
        )
    )


def _draw_plain_table(table: pl.DataFrame, key: str) -> None:
    numbers = (name for name, dtype in table.schema.items() if dtype.is_integer())
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        placeholder=NO_VALUE_DASH,
        key=key,
        column_config={name: st.column_config.NumberColumn(format="localized") for name in numbers},
    )
