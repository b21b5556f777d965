"""What the documentation tells to type does what it says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from graph.database import Database
from graph.metrics.driven import Driven
from graph.settings import Settings
from graph.snapshot import take_snapshot
from loaders import folder
from loaders.sync import sync

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CASE = ROOT / "tests" / "conformance" / "case1"
SHICHENG = str(Path(sys.executable).with_name("shicheng"))


def python_of(page: str) -> dict[str, Any]:
    """The names the page's Python block defines, given `folder` where it takes one."""
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    return {"block": compile(block, page, "exec")}


def test_the_loader_of_the_page_loads(empty_database: Database, settings: Settings) -> None:
    names = python_of("add-a-loader.md")
    exec(names["block"], names)
    tables = names["get"]([Path("list.txt")])
    report = sync(empty_database, "office", tables, home=settings.home)
    assert (report.read, report.accepted) == (1, 1)
    (row,) = empty_database.read("MATCH (p:Person) RETURN p.name AS name, p.sources AS sources")
    assert row == {"name": "王一", "sources": ["our-office"]}


def test_the_metric_of_the_page_measures(empty_database: Database, settings: Settings) -> None:
    sync(empty_database, "folder", folder.get([CASE]), home=settings.home)
    names = python_of("add-a-metric.md") | {
        "folder": take_snapshot(empty_database, settings).folder
    }
    exec(names["block"], names)
    driven: Driven = names["driven"]
    assert driven.national["driven_persons"] == 27


def test_the_commands_of_the_readme_run(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    for name in ("ministry", "unions"):
        shutil.copytree(CASE, tmp_path / name)
    readme = (DOCS / "README.md").read_text("utf-8")
    commands = re.findall(r"^\$ (shicheng .*)$", readme, re.MULTILINE)
    assert len(commands) >= 8
    given = {**os.environ, "SHICHENG_HOME": str(settings.home), "SHICHENG_HEAP_MB": "768"}
    for command in commands:
        words = shlex.split(command)
        if words[1] == "db":  # stops the server the tests share; tests/live/test_admin.py runs it
            continue
        done = subprocess.run(
            [SHICHENG, *words[1:]], cwd=tmp_path, env=given, capture_output=True, check=False
        )
        assert done.returncode == 0, (command, done.stderr)
    written = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert {"driven.csv", "driven.csv.policy.json", "network.graphml", "refused.csv"} <= written
