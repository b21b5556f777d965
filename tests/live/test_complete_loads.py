"""Loads that say they are complete, and loads of which nothing can be taken."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from graph.errors import NothingLoadedError, RefusedLoadError, UsageError
from graph.server.database import Database
from graph.settings import Settings
from graph.store.digest import compute_store_digest
from loaders import folder
from loaders.reports import LoadReport
from loaders.sync import load_records
from tests.live.shell import run_here
from tests.live.test_loads import one, write

pytestmark = pytest.mark.lts
FIRST = {
    "people": "人员编号,姓名\nK1,师傅\nK2,徒\nK3,徒\n",
    "talents": "人员编号,认定依据,认定日期\nK1,全国技术能手,2023-01-01\n",
    "mentorships": "师傅编号,徒弟编号,开始日期\nK1,K2,2022-03-01\nK1,K3,2022-03-01\n",
    "recognitions": "人员编号,技能等级,发证日期\nK2,高级工,2024-06-01\nK3,高级工,2024-06-01\n",
}
RENAMED = FIRST["mentorships"].replace("师傅编号,徒弟编号", "师傅工号,徒弟工号")
UNKNOWN = FIRST["mentorships"].replace("K1", "X1")
EMPTY = "师傅编号,徒弟编号,开始日期\n"


def load(database: Database, settings: Settings, path: Path, **given: Any) -> LoadReport:
    tables = folder.get([path])
    return load_records(database, "folder", tables, home=settings.home, complete=True, **given)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (FIRST | {"mentorships": RENAMED}, "None of the 2 rows of mentorships.csv"),
        (FIRST | {"mentorships": UNKNOWN}, "None of the 2 rows of mentorships.csv"),
        (FIRST | {"mentorships": EMPTY}, "mentorships.csv states none"),
        ({k: v for k, v in FIRST.items() if k != "mentorships"}, "no file mentorships was read"),
    ],
    ids=["renamed header", "refused", "empty", "missing"],
)
def test_a_table_that_is_lost_makes_no_complete_load(
    second: Mapping[str, str],
    reason: str,
    empty_database: Database,
    settings: Settings,
    tmp_path: Path,
) -> None:
    load(empty_database, settings, write(tmp_path / "shi", FIRST))
    before = compute_store_digest(empty_database)
    path = write(tmp_path / "shi", second)
    with pytest.raises(RefusedLoadError, match=reason) as refused:
        load(empty_database, settings, path, agreed=True)
    assert refused.value.exit_code == 4
    lost = {r.table: r.removed for r in refused.value.report.taken_back}
    assert lost == {"mentorships": 2}
    assert compute_store_digest(empty_database) == before
    assert one(empty_database, "MATCH (l:Load) RETURN count(l)") == 1
    trial = load(empty_database, settings, path, dry_run=True)
    assert reason in str(trial.refusal)
    assert trial.as_dict()["removed"] == {"mentorships": 2}


def test_what_is_really_gone_is_withdrawn_by_name(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write(tmp_path / "shi", FIRST))
    less = {k: v for k, v in FIRST.items() if k != "mentorships"}
    path = write(tmp_path / "shi", less)
    report = load(empty_database, settings, path, withdrawn=["mentorships"])
    assert (report.revision, report.removed) == (2, {"MENTORS": 2})
    with pytest.raises(UsageError, match="no table mentorship;"):
        load(empty_database, settings, path, withdrawn=["mentorship"])


def test_many_removals_need_a_word_of_agreement(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    people = "person_id,name\n" + "".join(f"p{n},人{n}\n" for n in range(40))
    load(empty_database, settings, write(tmp_path / "hr", {"people": people}))
    few, many = (people.replace(f"p{n},人{n}\n", "") for n in (1, 2))
    many = many.replace("p3,人3\n", "").replace("p4,人4\n", "")
    path = write(tmp_path / "hr", {"people": many})
    trial = load(empty_database, settings, path, dry_run=True)
    assert [(r.table, r.stated, r.taken_back) for r in trial.taken_back] == [("people", 40, 3)]
    with pytest.raises(RefusedLoadError, match=r"people: 3 of 40 \(8 %\).*--yes"):
        load(empty_database, settings, path)
    few = write(tmp_path / "hr", {"people": few})
    assert load(empty_database, settings, few).removed == {"Person": 1}
    agreed = load(empty_database, settings, write(tmp_path / "hr", {"people": many}), agreed=True)
    assert agreed.removed == {"Person": 3}


def test_a_record_that_others_state_too_is_taken_back_and_stays(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    people = "person_id,name,source\np1,一,hr\np1,一,union\np2,二,hr\n"
    load(empty_database, settings, write(tmp_path / "both", {"people": people}))
    less = "person_id,name,source\np2,二,hr\n"
    path = write(tmp_path / "both", {"people": less})
    (found,) = load(empty_database, settings, path, dry_run=True).taken_back
    assert (found.stated, found.taken_back, found.removed) == (2, 1, 0)


def test_a_load_that_takes_nothing_is_none(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write(tmp_path / "shi", FIRST))
    for people, reason in (
        ("人员编号,姓名\n,无\n", "None of the 1 rows"),
        ("人员编号,姓名\n", "no rows"),
    ):
        path = write(tmp_path / "other", {"people": people})
        with pytest.raises(NothingLoadedError, match=reason) as nothing:
            load_records(empty_database, "folder", folder.get([path]), home=settings.home)
        assert nothing.value.exit_code == 6
        assert one(empty_database, "MATCH (l:Load) RETURN collect(l.revision)") == [1]


@pytest.fixture
def run(settings: Settings, database: Database) -> Callable[..., subprocess.CompletedProcess[str]]:
    def command(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = run_here(arguments, {"SHICHENG_HOME": str(settings.home)})
        assert done.returncode == code, done.stderr
        return done

    return command


def test_the_command_says_what_a_complete_load_takes_back(
    run: Callable[..., subprocess.CompletedProcess[str]],
    empty_database: Database,
    tmp_path: Path,
) -> None:
    run("load", "folder", str(write(tmp_path / "shi", FIRST)), "--complete")
    path = str(write(tmp_path / "shi", FIRST | {"mentorships": RENAMED}))
    for also in ((), ("--dry-run",), ("--yes",)):
        done = run("load", "folder", path, "--complete", *also, code=4)
        assert "mentorships\t2\t2\t100.0%\t2" in done.stdout
        assert "mentorships.csv" in done.stderr
    assert one(empty_database, "MATCH ()-[m:MENTORS]->() RETURN count(m)") == 2
    answer = json.loads(run("load", "folder", path, "--complete", "--json", code=4).stdout)
    assert answer["removed"] == {"mentorships": 2}
    assert answer["taken_back"][0]["table"] == "mentorships"
    nothing = str(write(tmp_path / "shi", {"people": "姓名\n无\n"}))
    assert "None of the 1 rows" in run("load", "folder", nothing, code=6).stderr
    assert "go with --complete" in run("load", "folder", nothing, "--yes", code=2).stderr
