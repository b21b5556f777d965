"""`shicheng mappings`: the remembered mappings, from one data folder to another."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from loaders.mapping.mapping import MAPPINGS_FOLDER, ColumnMapping, Mapping, save_mapping
from tests.live.shell import run_here

Run = Callable[..., subprocess.CompletedProcess[str]]


def build(department: str, *headers: str, by_name: bool = False) -> Mapping:
    columns = tuple(ColumnMapping(header=h, field="person.name") for h in headers)
    return Mapping(department=department, columns=columns, by_name=by_name)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    save_mapping(home, build("甲局", "姓名"))
    save_mapping(home, build("甲局", "姓名", by_name=True))
    save_mapping(home, build("甲局", "姓名", "单位"))
    save_mapping(home, build("乙局", "姓名"))
    return home


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(
        *arguments: str | Path, code: int = 0, home: str = "home"
    ) -> subprocess.CompletedProcess[str]:
        given = {"SHICHENG_HOME": str(tmp_path / home)}
        done = run_here(["mappings", *arguments], given, tmp_path)
        assert done.returncode == code, done.stderr
        return done

    return command


def test_the_newest_revision_of_each_list(run: Run, home: Path) -> None:
    found = json.loads(run("list", "--json").stdout)["mappings"]
    named = [(one["department"], one["list_name"], one["revision"]) for one in found]
    assert named == [("乙局", "人员", 1), ("甲局", "人员", 2), ("甲局", "人员2", 1)]
    assert "by_name: true" in run("show", "甲局/人员").stdout
    assert "by_name" not in run("show", "甲局/人员", "--revision", "1").stdout
    assert "revision 9" in run("show", "甲局/人员", "--revision", "9", code=2).stderr
    assert "several lists" in run("show", "甲局", code=2).stderr


def test_to_another_data_folder_and_again(run: Run, home: Path) -> None:
    run("export", "all.yaml")
    assert "all.yaml" in run("export", "all.yaml", code=2).stderr
    run("import", "all.yaml", home="other")
    first, second = (run("list", "--json", home=one).stdout for one in ("home", "other"))
    assert json.loads(first) == json.loads(second)
    assert run("import", "all.yaml", home="other").stdout.count("unchanged") == 3
    run("export", "one.yaml", "甲局/人员2", "--force")
    assert run("import", "one.yaml", home="third").stdout.count("saved") == 1


def test_deleted_are_all_revisions_and_nothing_else(run: Run, home: Path) -> None:
    assert run("delete", "甲局/人员").stdout.count("deleted") == 2
    left = json.loads(run("list", "--json").stdout)["mappings"]
    assert [one["list_name"] for one in left] == ["人员", "人员2"]
    assert "丙局" in run("delete", "乙局", "丙局", code=2).stderr
    assert len(list((home / MAPPINGS_FOLDER).iterdir())) == 2
    run("delete", "甲局", "乙局")
    assert list((home / MAPPINGS_FOLDER).iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "- 1\n",
        "version: 1\ndepartment: 329999196201011015\ncolumns: []\n",
        "a: [",
        "\x00",
        "x: &a [*a]",
    ],
)
def test_what_is_no_mapping_is_not_taken_in(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yaml").write_text(text, "utf-8")
    stderr = run("import", "bad.yaml", code=2).stderr
    assert "bad.yaml" in stderr and "329999196201011015" not in stderr
