"""What a visit says of its files ends a check only where it changes what would be loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import streamlit as st

from graph.server.database import Database
from loaders.department_files import DepartmentFiles
from loaders.load_jobs import LoadJob, LoadTask
from loaders.mapping.proposal import ProposedColumn
from loaders.readers.sheet import Sheet
from loaders.sheet_inspection import SheetChoices
from ui.load import sheet_panel
from ui.load.draft import DraftSheet, LoadDraft


def raise_unread() -> DepartmentFiles:
    raise AssertionError("no job is started here")


def raise_unopened() -> Database:
    raise AssertionError("no job is started here")


@pytest.fixture
def sheet(tmp_path: Path) -> DraftSheet:
    path = tmp_path / "名单.csv"
    choices = SheetChoices(department="某省总工会", answers={"ladder": "old"})
    return DraftSheet(Sheet(path.name, "", pl.DataFrame()), path, choices)


@pytest.fixture
def draft(sheet: DraftSheet, tmp_path: Path) -> LoadDraft:
    check = LoadJob(LoadTask(raise_unread, tmp_path), raise_unopened)
    return LoadDraft(department="某市人社局", sheets=[sheet], check=check)


@pytest.mark.parametrize(
    ("name", "given", "change"),
    [
        ("_choose_left_out", (), (False, True)),
        ("_choose_sheet_department", ("某省总工会",), ("某省总工会", "某省国资委")),
        ("_choose_answer", ("ladder",), ("old", "new")),
        (
            "_choose_field",
            (ProposedColumn("姓名", "person.name", 2, 1.0, ()),),
            ("person.name", "person.id"),
        ),
    ],
)
def test_a_control_that_says_what_is_in_force_ends_no_check(
    draft: LoadDraft,
    sheet: DraftSheet,
    name: str,
    given: tuple[Any, ...],
    change: tuple[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Streamlit says so of a control that left the page while its message was on the way.
    call = getattr(sheet_panel, name)
    monkeypatch.setattr(st, "session_state", {"box": change[0]})
    call(draft, sheet, *given, "box")
    assert draft.check is not None
    monkeypatch.setattr(st, "session_state", {"box": change[1]})
    call(draft, sheet, *given, "box")
    assert draft.check is None


def test_the_boxes_of_all_lists_end_no_check_where_they_stand(draft: LoadDraft) -> None:
    draft.choose_department(" 某市人社局 ")
    draft.choose_complete(False)
    assert draft.check is not None
    draft.choose_complete(True)
    assert draft.check is None


def test_another_choice_takes_a_fault_away(draft: LoadDraft, sheet: DraftSheet) -> None:
    draft.choose(sheet, replace(sheet.choices, is_left_out=True))
    assert sheet.choices.is_left_out and sheet.fault is None and draft.check is None
