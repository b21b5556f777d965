"""Why, rows and diff as a user's shell sees them; and the page that explains them."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.driven.figures import measure_driven
from graph.evidence.answer import explain_pair
from graph.evidence.ledger_rows import list_ledger_rows
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from tests.conformance.brute_force import read_world
from tests.conformance.worlds import snapshot_of
from tests.live.shell import run_here

ROOT = Path(__file__).parents[2]
CASE = ROOT / "tests" / "conformance" / "case1"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


@pytest.fixture
def shell(empty_database: Database, settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """A folder to type commands in, which holds `ministry`; the snapshots of it are taken away."""
    shutil.copytree(CASE, tmp_path / "ministry")
    yield tmp_path
    shutil.rmtree(settings.home / "snapshots", ignore_errors=True)


def typed(shell: Path, settings: Settings, command: str, code: int = 0) -> str:
    given = {"SHICHENG_HOME": str(settings.home), "SHICHENG_HEAP_MB": "768"}
    done = run_here(shlex.split(command), given, shell)
    assert done.returncode == code, (command, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stdout


def take_a_row_back(folder: Path) -> None:
    path = folder / "mentorships.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "p0087,p0074" not in line), "utf-8")


def test_the_page_shows_what_the_commands_say(shell: Path, settings: Settings) -> None:
    page = (ROOT / "docs" / "evidence.md").read_text("utf-8")
    said = ""
    for block in BLOCK.findall(page):
        for line in block.splitlines():
            if line.startswith("$ shicheng "):
                if "--complete" in line:
                    take_a_row_back(shell / "ministry")
                said = typed(shell, settings, line.removeprefix("$ shicheng "))
            else:
                assert any(found_in(part, line) for part in said.splitlines()), (line, said)
    found = list(csv.DictReader((shell / "changes.csv").open(encoding="utf-8-sig")))
    assert sum(int(row["change"]) for row in found if row["ledger"] == "driven") == -2
    assert (shell / "behind.xlsx").stat().st_size > 5_000
    about = json.loads((shell / "behind.csv.about.json").read_text("utf-8"))
    assert about["policy"]["generations"] == 3


def found_in(printed: str, line: str) -> bool:
    """Whether the words of a line of the page stand in a printed line, in their order."""
    return re.search(".*".join(map(re.escape, line.split())), printed) is not None


def test_why_and_rows_out_of_neo4j_are_those_of_the_files(shell: Path, settings: Settings) -> None:
    typed(shell, settings, "load folder ministry")
    straight = snapshot_of(read_world(CASE))
    policy = Policy()
    for worker in ("p0100", "p0081"):
        expected = explain_pair(straight, policy, "p0034", worker)
        found = json.loads(typed(shell, settings, f"why p0034 {worker} --json"))
        assert (found["counts"], found["reason"]) == (expected.counts, expected.reason)
        assert found["sentence"] == expected.sentence()
        assert found["sentence_zh"] == expected.sentence("zh")
        ends = [[hop["apprentice"] for hop in chain] for chain in found["chains"]]
        assert ends == [[hop.apprentice for hop in chain] for chain in expected.chains]
        places = [
            [(row["file"], row["row"]) for hop in chain for row in hop["rows"]]
            for chain in found["chains"]
        ]
        assert places == [
            [(row.file, row.row) for hop in chain for row in hop.rows] for chain in expected.chains
        ]
    listed = json.loads(typed(shell, settings, "rows p0034 --json"))["rows"]
    expected_rows = list_ledger_rows(straight, measure_driven(straight, policy), "p0034")
    columns = ["person_id", "driven", "generation", "chain", "rows", "recognition_rows"]
    assert [[row[c] for c in columns] for row in listed] == [
        list(row) for row in expected_rows.select(columns).rows()
    ]
    assert {row["sources"] for row in listed} == {"ministry"}


def test_wrong_numbers_are_said_in_one_line(shell: Path, settings: Settings) -> None:
    typed(shell, settings, "load folder ministry")
    typed(shell, settings, "rows nobody", code=2)
    typed(shell, settings, "rows p0034 --format xlsx", code=2)
    typed(shell, settings, "diff 1 7", code=2)
