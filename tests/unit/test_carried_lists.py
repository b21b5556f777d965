"""The lists of a replaced data folder and of the backup that takes its place: nobody is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graph.backup.carried_lists import has_same_identity_key, merge_carried_lists
from graph.errors import ShichengError
from loaders.erasure.erased_people import (
    ErasedPerson,
    bar_erased_people,
    list_erased_people,
    open_erased_people,
)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The folder that stands, and the restored one."""
    home, new = tmp_path / "home", tmp_path / "new"
    home.mkdir()
    new.mkdir()
    return home, new


def test_whoever_either_folder_names_stays_out(folders: tuple[Path, Path]) -> None:
    home, new = folders
    early = ErasedPerson("p1", "2026-01-01", ("p1", "a"))
    later = ErasedPerson("p1", "2026-03-01", ("p1", "b"))
    bar_erased_people(home, [ErasedPerson("p9", "2026-04-01", ("p9",)), later])
    bar_erased_people(new, [early, ErasedPerson("p2", "2026-02-01", ("p2",))])
    merge_carried_lists(home, new)
    assert list_erased_people(new) == [
        ErasedPerson("p1", "2026-01-01", ("p1", "b", "a")),
        ErasedPerson("p2", "2026-02-01", ("p2",)),
        ErasedPerson("p9", "2026-04-01", ("p9",)),
    ]
    opened = open_erased_people(new)
    assert opened is not None and opened.digests == {"p1", "a", "b", "p2", "p9"}
    assert (new / "erased.json").stat().st_mode & 0o777 == 0o600


def test_a_list_that_one_folder_has_is_taken_as_it_is(folders: tuple[Path, Path]) -> None:
    home, new = folders
    (home / "erased.json").write_text('{"version": 1, "people": []}')
    (new / "dumps.jsonl").write_text('{"file": "/b"}\n')
    merge_carried_lists(home, new)
    assert json.loads((new / "erased.json").read_text()) == {"version": 1, "people": []}
    assert (new / "dumps.jsonl").read_text() == '{"file": "/b"}\n'
    assert not (new / "erasures.log").exists()


@pytest.mark.parametrize("name", ["erasures.log", "dumps.jsonl", "backups.jsonl"])
def test_lines_of_both_folders_stay(folders: tuple[Path, Path], name: str) -> None:
    home, new = folders
    (home / name).write_text('{"n": 1}\n{"n": 3}\n{"n": 3}\n{"n": 4')  # the last one torn
    (new / name).write_text('{"n": 1}\n{"n": 2}\n{"n": 3}')
    merge_carried_lists(home, new)
    assert (new / name).read_text() == '{"n": 1}\n{"n": 2}\n{"n": 3}\n{"n": 3}\n{"n": 4\n'


@pytest.mark.parametrize("damaged", ["home", "new"])
def test_a_damaged_list_of_erased_people_is_not_passed_over(
    folders: tuple[Path, Path], damaged: str
) -> None:
    for folder in folders:
        bar_erased_people(folder, [ErasedPerson("p1", "2026-01-01", ("p1",))])
    broken = folders[0].with_name(damaged) / "erased.json"
    broken.write_text(broken.read_text()[:-9])
    with pytest.raises(ShichengError, match="list of who was erased, is damaged"):
        merge_carried_lists(*folders)


def test_an_identity_key_of_the_environment_serves_both_folders(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, new = folders
    monkeypatch.delenv("SHICHENG_ID_KEY", raising=False)
    assert not has_same_identity_key(home, new)
    monkeypatch.setenv("SHICHENG_ID_KEY", "0123456789abcdef" * 4)
    assert has_same_identity_key(home, new)
    (home / "identity.key").write_text("one")
    assert not has_same_identity_key(home, new)
    (new / "identity.key").write_text("other")
    assert not has_same_identity_key(home, new)
    (new / "identity.key").write_text("one")
    assert has_same_identity_key(home, new)
