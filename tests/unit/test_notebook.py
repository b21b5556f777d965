"""The notebook keeps what people add, and only its owner takes an entry away."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from graph.errors import UsageError
from graph.programme.notebook import MAX_ENTRY_CHARACTERS, NOTEBOOK_FILE_NAME, Notebook


def test_what_is_written_is_kept_newest_first(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "home")
    first = notebook.add("note", "a", "P1", {"text": "看过"})
    second = notebook.add("note", "b", "P1", {"text": "done"})
    notebook.add("view", "a", "P1", {"query": "id=P1"})
    again = Notebook(tmp_path / "home")
    assert again.entries("note") == [second, first]
    assert again.entries("note", owner="a") == [first]
    assert again.entries("note", subject="P2") == []
    assert stat.S_IMODE((tmp_path / "home" / NOTEBOOK_FILE_NAME).stat().st_mode) == 0o600


def test_the_newest_decision_stands_and_the_others_stay(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path)
    notebook.add("decision", "a", "P1", {"verdict": "accept"})
    last = notebook.add("decision", "b", "P1", {"verdict": "reject"})
    other = notebook.add("decision", "a", "P2", {"verdict": "accept"})
    assert notebook.standing("decision") == {"P1": last, "P2": other}
    assert len(notebook.entries("decision", subject="P1")) == 2


def test_only_the_owner_takes_an_entry_away(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path)
    entry = notebook.add("note", "a", "P1", {"text": "x"})
    assert not notebook.remove(entry.id, "b")
    assert notebook.remove(entry.id, "a")
    assert notebook.entries("note") == []


def test_a_note_too_long_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="shorten it"):
        Notebook(tmp_path).add("note", "a", "P1", {"text": "x" * MAX_ENTRY_CHARACTERS})
