"""Files from the visitor's machine: chosen or dragged here, listed, taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit import config
from streamlit.runtime.scriptrunner import get_script_run_ctx

from graph.settings import Settings
from loaders.upload_folders import MAX_UPLOADED_BYTES, MAX_UPLOADED_FILES, UPLOAD_IDLE_SECONDS
from ui.load.draft import LoadDraft
from ui.shell import frame
from ui.shell.asgi import allow_uploads, forbid_uploads
from ui.words.i18n import current_language, t
from ui.words.numbers import format_count

_KILOBYTE = 1024


def draw_upload(draft: LoadDraft) -> None:
    """The department, the place to drop files, and the files that are there."""
    _allow_visit_uploads()
    frame.draw_heading(t("1. Files"), t("workbooks, CSV, text, Parquet, JSON; zip files of them"))
    left, right = st.columns([2, 1])
    with right:
        box = f"load_department_{draft.number}"
        st.text_input(
            t("Department"),
            value=draft.department,
            key=box,
            on_change=_choose_department,
            args=(draft, box),
            placeholder=t("as the title of each list says"),
            help=t("Who states the lists. Needed only where no title of a list says it."),
            max_chars=80,
        )
        is_folder = st.toggle(t("A whole folder"), key="load_folder")
    with left:
        several: Literal[True, "directory"] = "directory" if is_folder else True
        given = st.file_uploader(
            t("Drag the lists here, as they are"),
            accept_multiple_files=several,
            # Its words stay those of the language in which it was first drawn.
            key=f"load_files_{draft.number}_{current_language()}",
        )
    frame.draw_muted(
        t(
            "At most {each} MB a file, {files} files and {all} MB together. The files are kept "
            "where this visit alone has them, and removed after the load, when the visit ends, or "
            "after {hours} hours without use.",
            each=config.get_option("server.maxUploadSize"),
            files=MAX_UPLOADED_FILES,
            all=MAX_UPLOADED_BYTES >> 20,
            hours=int(UPLOAD_IDLE_SECONDS // 3600),
        )
    )
    if given:
        with st.spinner(t("Reading the files")):
            draft.add_files(Settings().home, [(one.name, one.getbuffer()) for one in given])
        # The next run has an empty place for files, so that no second copy stays in memory.
        st.rerun()
    _draw_files(draft)


def _choose_department(draft: LoadDraft, key: str) -> None:
    draft.choose_department(st.session_state[key] or "")


def _allow_visit_uploads() -> None:
    """Lets the browser of this visit, which may bring files in, send them."""
    context = get_script_run_ctx()
    if context is not None:
        allow_uploads(context.session_id)


def forbid_visit_uploads() -> None:
    """The browser of this visit, which may no longer bring files in, sends none."""
    context = get_script_run_ctx()
    if context is not None:
        forbid_uploads(context.session_id)


def _draw_files(draft: LoadDraft) -> None:
    files = draft.files
    for at, path in enumerate(files):
        with st.container(
            horizontal=True, vertical_alignment="center", width=520, key=f"load_file_{at}"
        ):
            frame.draw_muted(f"{path.name} · {_format_size(path)}")
            st.space("stretch")
            st.button(
                t("Remove"),
                key=f"load_drop_{draft.number}_{at}",
                help=frame.escape_markdown(t("Removes {file}", file=path.name)),
                type="tertiary",
                on_click=draft.remove_file,
                args=(path,),
            )
    if len(files) > 1:
        st.button(t("Remove all files"), key="load_clear", type="tertiary", on_click=draft.clear)


def _format_size(path: Path) -> str:
    size = path.stat().st_size
    if size < _KILOBYTE * _KILOBYTE:
        return f"{format_count(-(-size // _KILOBYTE))} KB"
    return f"{size / _KILOBYTE / _KILOBYTE:.1f} MB"
