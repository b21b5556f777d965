"""Load data: departments' files from the browser into the graph, for data stewards.

Upload, what each sheet was taken for, the mapping to confirm, the dry run, the load, the report.
The reading, the checks and the load are those of `shicheng inspect` and `shicheng load FILE...`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from graph.driven.results import load_driven
from graph.errors import ShichengError
from graph.policy import Policy
from graph.server.database import Database
from graph.server.locks import is_load_running
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from loaders.department_files import DepartmentFiles, read_department_files
from loaders.load_jobs import LoadJob, LoadTask, find_running_load
from loaders.reports import LoadReport
from loaders.sheet_inspection import InspectedSheet, confirm_sheet
from ui.load.draft import DraftSheet, LoadDraft, map_departments, open_draft
from ui.load.outcome import (
    count_list_rows,
    draw_check_outcome,
    draw_load_outcome,
    name_table,
)
from ui.load.progress import draw_job_status
from ui.load.sheet_panel import draw_settled_sheet, draw_sheet_panel
from ui.load.upload import draw_upload, forbid_visit_uploads
from ui.shell import frame, graph_state
from ui.shell.policy_form import current_policy
from ui.shell.visitor import check_permission, record_personal_read
from ui.words.i18n import join_sentences, t, tn, translate_message
from ui.words.numbers import format_count, render_bold

# More panels than a page can draw quickly.
MAX_SHEET_PANELS = 40
DraftSheets = list[tuple[DraftSheet, InspectedSheet]]


@frame.page_before_loads
def page() -> None:
    """The page."""
    if not check_permission("load"):
        forbid_visit_uploads()
        frame.draw_lead(t("Data clerks and data stewards bring the departments' files in."))
        frame.draw_muted(
            t(
                "Give your lists to one of them. Whoever runs the app gives roles by shicheng "
                "account, or sets SHICHENG_ROLE=steward on a machine of one's own."
            )
        )
        return
    draft, home = open_draft(), Settings().home
    found = draft.inspect_sheets(home)
    if found:
        record_personal_read("load", sheets=len(found))
    frame.draw_lead(_render_load_answer(draft, found))
    if draft.load is not None:
        _draw_load(draft)
        return
    frame.draw_under_lead(t("Nothing is loaded before you have seen it and agreed."), policy=False)
    if draft.check is None:
        _draw_running_load(draft, home)
    draw_upload(draft)
    for note in draft.notes:
        frame.draw_note(t("Not taken"), translate_message(note))
    draft.notes = []
    for one in draft.unread:
        frame.draw_note(t("Not read"), translate_message(one.reason))
    if not found:
        return
    frame.draw_heading(
        t("2. What each list was taken for"),
        tn("{n} list", "{n} lists", len(found), n=format_count(len(found))),
    )
    _draw_sheets(draft, found)
    _draw_check(draft, found)


def _draw_running_load(draft: LoadDraft, home: Path) -> None:
    """That a load is running; whoever reloaded the page meanwhile finds the way back to it."""
    job = find_running_load(home)
    if job is None and not is_load_running(home):
        return
    frame.draw_note(
        t("Another load is running"), t("A check or a load that you begin waits for it.")
    )
    if job is not None:
        st.button(t("Show this load"), key="load_attach", on_click=draft.attach_load, args=(job,))


def _render_load_answer(draft: LoadDraft, found: DraftSheets) -> str:
    """The page's sentence (HTML)."""
    if draft.load is not None and draft.load.state == "done" and draft.load.report is not None:
        accepted, refused = count_list_rows(draft.load)
        return t(
            "Loaded as revision {revision}: {accepted} rows taken, {refused} refused.",
            revision=render_bold(format_count(draft.load.report.revision)),
            accepted=render_bold(format_count(accepted)),
            refused=render_bold(format_count(refused)),
        )
    if draft.load is not None:
        return t("The files are being loaded.") if not draft.load.is_over else t("Not loaded.")
    if not found:
        return t("Bring in the lists as the departments send them.")
    if draft.check is not None and draft.check.state == "done":
        accepted, refused = count_list_rows(draft.check)
        return t(
            "Checked: {accepted} rows can be loaded, {refused} refused.",
            accepted=render_bold(format_count(accepted)),
            refused=render_bold(format_count(refused)),
        )
    rows = sum(seen.rows.get("data", 0) for _, seen in found)
    asked = _count_open_questions(found)
    read = t(
        "{files} read: {lists} with {rows} rows.",
        files=tn("{n} file", "{n} files", len(draft.files), n=len(draft.files)),
        lists=tn("{n} list", "{n} lists", len(found), n=render_bold(format_count(len(found)))),
        rows=render_bold(format_count(rows)),
    )
    if not asked:
        return read
    open_questions = tn(
        "{n} question is open.", "{n} questions are open.", asked, n=render_bold(str(asked))
    )
    return join_sentences(read, open_questions)


def _draw_sheets(draft: LoadDraft, found: DraftSheets) -> None:
    """A panel a list; of very many those that need somebody, first."""
    order = sorted(range(len(found)), key=lambda at: _is_settled(found[at][1]))
    shown = sorted(order[:MAX_SHEET_PANELS])
    for at in shown:
        if draft.check is None:
            draw_sheet_panel(draft, *found[at], f"{draft.number}_{at}")
        else:
            draw_settled_sheet(*found[at])
    if draft.check is not None:
        st.button(t("Change something"), key="load_edit", on_click=draft.drop_check)
    if len(found) > len(shown):
        frame.draw_muted(
            t("{n} further lists are not drawn here.", n=format_count(len(found) - len(shown)))
        )


def _is_settled(seen: InspectedSheet) -> bool:
    return not seen.questions and (seen.remembered is not None or seen.kind == "table")


def _count_open_questions(found: DraftSheets) -> int:
    return sum(len(seen.questions) for sheet, seen in found if not sheet.choices.is_left_out)


def _draw_check(draft: LoadDraft, found: DraftSheets) -> None:
    """Confirm and check; what the check found; the way to the load."""
    taken = [seen for sheet, seen in found if not sheet.choices.is_left_out and seen.is_loadable]
    asked = _count_open_questions(found)
    frame.draw_heading(t("3. Check before loading"), t("nothing is written"))
    if draft.check is None:
        _draw_complete_choice(draft)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                t("Confirm and check"),
                key="load_check",
                type="primary",
                disabled=bool(asked) or not taken,
                on_click=_begin_check,
                args=(draft, found),
            )
            if asked:
                frame.draw_muted(t("Answer the open questions first."))
            elif not taken:
                frame.draw_muted(t("No list of these files can be loaded."))
        return
    if not draft.check.is_over:
        draw_job_status(draft.check)
        return
    if draft.check.state == "cancelled":
        draft.drop_check()
        st.rerun()
    draw_check_outcome(draft, draft.check)
    _draw_load_button(draft, draft.check)


def _draw_complete_choice(draft: LoadDraft) -> None:
    with st.expander(t("These files are all that the departments state"), expanded=draft.complete):
        frame.draw_muted(
            t(
                "Only for a complete report: what the same lists stated before and do not state "
                "now is taken back. Usually leave it off."
            )
        )
        box = f"load_complete_{draft.number}"
        st.checkbox(
            t("Take back what these lists no longer state"),
            value=draft.complete,
            key=box,
            on_change=_choose_complete,
            args=(draft, box),
        )


def _choose_complete(draft: LoadDraft, key: str) -> None:
    draft.choose_complete(st.session_state[key])


def _begin_check(draft: LoadDraft, found: DraftSheets) -> None:
    """Saves every mapping that is to be confirmed, and begins the dry run."""
    if not check_permission("load"):
        return
    home = Settings().home
    try:
        for sheet, seen in found:
            if not sheet.choices.is_left_out and confirm_sheet(home, seen) is not None:
                sheet.forget_inspection()
    except ShichengError as error:
        draft.notes.append(error.message)
        return
    draft.check = _build_job(draft, found, dry_run=True).start()


def _draw_load_button(draft: LoadDraft, check: LoadJob) -> None:
    report = check.report
    if report is None or check.state != "done":
        return
    frame.draw_heading(t("4. Load"), t("what is refused stays out"))
    if report.refusal is not None and report.taken_back:
        _draw_agreement(draft, report)
    if report.refusal is not None:
        frame.draw_note(t("It cannot be loaded so"), translate_message(report.refusal))
        return
    accepted, _ = count_list_rows(check)
    st.button(
        tn("Load {n} row", "Load {n} rows", accepted, n=format_count(accepted)),
        key="load_begin",
        type="primary",
        on_click=_begin_load,
        args=(draft,),
    )


def _draw_agreement(draft: LoadDraft, report: LoadReport) -> None:
    """What has to be said before so much is taken back; each is checked anew."""
    gone = [
        one.table
        for one in report.taken_back
        if one.taken_back == one.stated and one.table not in draft.withdrawn
    ]
    for table in gone:
        name = name_table(table)
        label = t("The departments really state nothing of {table} any more", table=name)
        if st.checkbox(label, key=f"load_withdraw_{table}"):
            _check_again(draft, agreed=draft.agreed, withdrawn=(*draft.withdrawn, table))
    agreement = t("I have looked at what would be taken back, and agree")
    if not draft.agreed and st.checkbox(agreement, key="load_agree"):
        _check_again(draft, agreed=True, withdrawn=draft.withdrawn)


def _check_again(draft: LoadDraft, *, agreed: bool, withdrawn: tuple[str, ...]) -> None:
    draft.drop_check()
    draft.agreed, draft.withdrawn = agreed, withdrawn
    draft.check = _build_job(draft, draft.inspect_sheets(Settings().home), dry_run=True).start()
    st.rerun()


def _begin_load(draft: LoadDraft) -> None:
    if not check_permission("load"):
        return
    found = draft.inspect_sheets(Settings().home)
    draft.load = _build_job(draft, found, dry_run=False).start()


def _build_job(draft: LoadDraft, found: DraftSheets, *, dry_run: bool) -> LoadJob:
    home, folder, database = Settings().home, draft.folder, graph_state.open_shared_database()
    assert folder is not None
    policy = current_policy()
    task = LoadTask(
        read=partial(
            _read_draft_files,
            draft.files,
            home,
            dict(map_departments(found)),
            draft.list_left_out(),
        ),
        home=home,
        dry_run=dry_run,
        complete=draft.complete,
        agreed=draft.agreed,
        withdrawn=draft.withdrawn,
        policy=policy,
        measure=partial(_measure_national, database, policy),
        # The files go when the load has ended, however it ended; the page may be closed by then.
        finish=(lambda: None) if dry_run else folder.close,
        touch=folder.touch,
    )
    return LoadJob(task, lambda: database)


def _read_draft_files(
    files: list[Path], home: Path, departments: dict[str, str], left_out: list[str]
) -> DepartmentFiles:
    return read_department_files(files, home, departments=departments, left_out=left_out)


def _measure_national(database: Database, policy: Policy) -> dict[str, int]:
    snapshot = take_snapshot(database, database.settings)
    return dict(load_driven(snapshot, policy).national)


def _draw_load(draft: LoadDraft) -> None:
    """The load under way, or what it came to."""
    job = draft.load
    assert job is not None
    if not job.is_over:
        draw_job_status(job)
        return
    if job.state == "cancelled":
        frame.draw_note(t("Called off"), t("Nothing was written. The files have been removed."))
    elif job.state == "failed" and job.error is not None:
        frame.draw_note(t("Nothing was loaded"), translate_message(job.error))
    draw_load_outcome(draft, job)
    st.button(t("Bring in further files"), key="load_again", on_click=draft.clear)
