"""The files and choices of one visit, until they are loaded; in this session alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import polars as pl
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from graph.errors import UsageError
from graph.messages import Message
from graph.server.identity_key import build_id_digester
from loaders.load_jobs import LoadJob
from loaders.mapping.application import format_sheet_label
from loaders.mapping.proposal import Question
from loaders.readers.sheet import Sheet
from loaders.sheet_inspection import (
    InspectedSheet,
    SheetChoices,
    inspect_sheet,
    read_file_sheets,
)
from loaders.tables import UnreadFile
from loaders.upload_folders import UploadFolder
from ui.shell.asgi import forbid_uploads

_DRAFT_KEY: Final = "load_draft"


@dataclass
class DraftSheet:
    """A sheet of the visit's files. `asked`: every question it has had, by key, in order."""

    sheet: Sheet
    path: Path
    choices: SheetChoices = field(default_factory=SheetChoices)
    asked: dict[str, Question] = field(default_factory=dict)
    fault: Message | None = None
    _inspected: tuple[SheetChoices, InspectedSheet] | None = None
    _last_choices: SheetChoices = field(default_factory=SheetChoices)

    @property
    def label(self) -> str:
        """As findings name it."""
        return format_sheet_label(self.sheet)

    def inspect(self, home: Path, department: str) -> InspectedSheet:
        """What it is taken for now; `department` is that of lists whose title names none.

        An answer that can't be is taken back, and said in `fault`.
        """
        asked = replace(self.choices, fallback_department=department)
        if self._inspected is not None and self._inspected[0] == asked:
            return self._inspected[1]
        digest = build_id_digester(home)
        try:
            found = inspect_sheet(self.sheet, self.path, home, asked, digest)
        except UsageError as error:
            self.fault, self.choices = error.message, self._last_choices
            asked = replace(self.choices, fallback_department=department)
            found = inspect_sheet(self.sheet, self.path, home, asked, digest)
        self._inspected, self._last_choices = (asked, found), self.choices
        self.asked |= {question.key: question for question in found.questions}
        return found

    def forget_inspection(self) -> None:
        """Looks at it anew next time: its mapping may have been saved since."""
        self._inspected = None


@dataclass
class LoadDraft:
    """`check` is the dry run, `load` the load itself; each stands until the files change.

    `agreed` and `withdrawn` (tables of which the lists state nothing any more) confirm what
    the last check would take back: another check needs them again. `number` tells the controls of
    one batch of files from those of the next.
    """

    folder: UploadFolder | None = None
    department: str = ""
    sheets: list[DraftSheet] = field(default_factory=list)
    unread: list[UnreadFile] = field(default_factory=list)
    complete: bool = False
    agreed: bool = False
    withdrawn: tuple[str, ...] = ()
    check: LoadJob | None = None
    load: LoadJob | None = None
    number: int = 0
    # What is shown of a job's refusals, by job and language: the same run after run.
    refusals: dict[tuple[int, str], tuple[pl.DataFrame, pl.DataFrame]] = field(default_factory=dict)
    notes: list[Message] = field(default_factory=list)

    @property
    def files(self) -> list[Path]:
        """The stored files that stand."""
        return [] if self.folder is None else self.folder.list_files()

    def add_files(self, home: Path, files: list[tuple[str, memoryview]]) -> None:
        """Stores the files in the visit's folder and reads their sheets."""
        self.drop_check()
        self.number += 1
        if self.folder is None or self.folder.is_removed:
            self.clear()
            self.folder = UploadFolder(home)
        for name, content in files:
            try:
                path = self.folder.store(name, content)
            except UsageError as error:
                self.notes.append(error.message)
                return
            sheets, unread = read_file_sheets(path)
            self.sheets += [DraftSheet(sheet, path) for sheet in sheets]
            self.unread += unread

    def remove_file(self, path: Path) -> None:
        """Takes one of the files back."""
        self.drop_check()
        if self.folder is not None:
            self.folder.remove_file(path)
        self.sheets = [one for one in self.sheets if one.path != path]
        self.unread = [one for one in self.unread if not one.file.startswith(path.name)]

    def choose(self, sheet: DraftSheet, choices: SheetChoices) -> None:
        """Says something else of a sheet; what is in force already ends no check."""
        if choices != sheet.choices:
            sheet.choices, sheet.fault = choices, None
            self.drop_check()

    def choose_department(self, department: str) -> None:
        """Says who states the lists whose titles name nobody."""
        if department.strip() != self.department:
            self.department = department.strip()
            self.drop_check()

    def choose_complete(self, is_complete: bool) -> None:
        """Says whether what the lists no longer state is to be taken back."""
        if is_complete != self.complete:
            self.complete = is_complete
            self.drop_check()

    def drop_check(self) -> None:
        """What was checked is no longer what would be loaded."""
        if self.check is not None and not self.check.is_over:
            self.check.cancel()
        self.check = None
        self.agreed, self.withdrawn = False, ()
        self.refusals = {}

    def attach_load(self, job: LoadJob) -> None:
        """Shows a load that this process runs: begun before the page was loaded anew, or elsewhere.

        The files of this visit go; those of the load are its own.
        """
        self.clear()
        self.load = job

    def clear(self) -> None:
        """Removes the files and their choices; a load that runs goes on."""
        if self.folder is not None and (self.load is None or self.load.is_over):
            self.folder.close()
        self.drop_check()
        self.folder, self.load = None, None
        self.sheets, self.unread, self.notes = [], [], []
        self.complete, self.department = False, ""
        self.number += 1

    def end_visit(self) -> None:
        """Gives the files up: the next visitor of the same session sees none of them."""
        self.clear()
        context = get_script_run_ctx()
        if context is not None:
            forbid_uploads(context.session_id)

    def inspect_sheets(self, home: Path) -> list[tuple[DraftSheet, InspectedSheet]]:
        """Each sheet that is not blank, with what it is taken for."""
        found = [(one, one.inspect(home, self.department)) for one in self.sheets]
        return [(one, seen) for one, seen in found if not seen.is_blank]

    def list_left_out(self) -> list[str]:
        """The labels of the sheets that are not to be loaded."""
        return [one.label for one in self.sheets if one.choices.is_left_out]


def open_draft() -> LoadDraft:
    """The draft of this visit."""
    state: Any = st.session_state
    if _DRAFT_KEY not in state:
        state[_DRAFT_KEY] = LoadDraft()
    draft: LoadDraft = state[_DRAFT_KEY]
    if draft.folder is not None:
        if draft.folder.is_removed and draft.load is None:
            draft.clear()
            draft.notes.append(
                Message("The files were removed after a long pause; choose them again.")
            )
        elif draft.folder is not None:
            draft.folder.touch()
    return draft


def map_departments(found: list[tuple[DraftSheet, InspectedSheet]]) -> Mapping[str, str]:
    """Label of a sheet -> the department that states it."""
    return {seen.label: seen.department for _, seen in found if seen.department}
