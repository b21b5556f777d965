"""Files that are there complete or not at all."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graph.atomic import write_file_atomically
from graph.store import standing
from loaders import reports
from tests.conftest import own_settings


def test_a_file_is_as_it_was_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("old")
    with pytest.raises(ZeroDivisionError), write_file_atomically(file) as making:
        making.write_text("ne")
        raise ZeroDivisionError
    assert file.read_text() == "old"
    with write_file_atomically(file) as making:
        making.write_text("new")
        assert file.read_text() == "old" and making.suffix == ".json"
    assert file.read_text() == "new" and list(tmp_path.iterdir()) == [file]


def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    for _ in range(2):
        reports._write_private_file(tmp_path / "reports" / "a.json", b"{}")
    (file,) = (tmp_path / "reports").iterdir()
    assert file.read_bytes() == b"{}" and file.stat().st_mode & 0o777 == 0o600


def test_two_visitors_note_where_the_graph_stands_at_once(tmp_path: Path) -> None:
    """They shared one partial file: the second found it renamed away."""
    database: Any = SimpleNamespace(embedded=True, settings=own_settings(tmp_path))
    failed: list[BaseException] = []

    def note(first: int) -> None:
        try:
            for number in range(first, first + 200):
                state = standing.GraphState(number, ("load",), str(number))
                standing._write_last_known_state(database, state)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=note, args=(first,)) for first in (0, 1_000, 2_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and [path.name for path in tmp_path.iterdir()] == ["standing.json"]
