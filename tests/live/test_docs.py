"""What the documentation tells to type does what it says."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

from graph.driven.figures import Driven
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from loaders import folder
from loaders.sync import load_records
from tests.live.shell import run_here

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CASE = ROOT / "tests" / "conformance" / "case1"


def python_of(page: str) -> dict[str, Any]:
    """The names the page's Python block defines, given `folder` where it takes one."""
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    return {"block": compile(block, page, "exec")}


def test_the_loader_of_the_page_loads(empty_database: Database, settings: Settings) -> None:
    names = python_of("add-a-loader.md")
    exec(names["block"], names)
    tables = names["get"]([Path("list.txt")])
    report = load_records(empty_database, "office", tables, home=settings.home)
    assert (report.read, report.accepted) == (1, 1)
    (row,) = empty_database.read("MATCH (p:Person) RETURN p.name AS name, p.sources AS sources")
    assert row == {"name": "王一", "sources": ["our-office"]}


def test_the_metric_of_the_page_measures(empty_database: Database, settings: Settings) -> None:
    load_records(empty_database, "folder", folder.get([CASE]), home=settings.home)
    names = python_of("add-a-metric.md") | {
        "folder": take_snapshot(empty_database, settings).folder
    }
    exec(names["block"], names)
    driven: Driven = names["driven"]
    assert driven.national["driven_persons"] == 27


def run_commands(page: Path, settings: Settings, folder: Path, first: list[str]) -> None:
    """Runs some commands, then each of the page's, in the folder; each must end well."""
    commands = re.findall(r"^\$ (shicheng .*)$", page.read_text("utf-8"), re.MULTILINE)
    assert len(commands) >= 8
    given = {"SHICHENG_HOME": str(settings.home), "SHICHENG_HEAP_MB": "768"}
    for command in [*first, *commands]:
        words = shlex.split(command)
        if words[1] in ("db", "app"):  # the server the tests share; tests/live/test_admin.py
            continue
        done = run_here(words[1:], given, folder)
        assert done.returncode == 0, (command, done.stderr)


def test_the_commands_of_the_readme_run(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    made = "shicheng generate made --talents 12 --workers 600"
    run_commands(ROOT / "README.md", settings, tmp_path, [made, "shicheng load folder made"])


def test_the_commands_of_the_page_on_operation_run(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    for name in ("ministry", "unions"):
        shutil.copytree(CASE, tmp_path / name)
    run_commands(DOCS / "operation.md", settings, tmp_path, [])
    written = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert {"driven.csv", "driven.csv.about.json", "network.graphml", "refused.csv"} <= written
