"""`shicheng metric` as a shell sees it: every metric on a loaded store, every format."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from cli.main import cli
from graph.metrics.registry import METRICS
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from loaders import folder
from loaders.sync import load_records

CASE = Path(__file__).parents[1] / "conformance" / "case1"
SHICHENG = str(Path(sys.executable).with_name("shicheng"))


@pytest.fixture
def home(settings: Settings, empty_database: Database) -> Settings:
    """Settings of a store that holds the first conformance case."""
    load_records(empty_database, "folder", list(folder.get([CASE])), home=settings.home)
    return settings


def test_every_metric_from_the_graph(home: Settings, database: Database) -> None:
    snapshot = take_snapshot(database, home)
    for metric in METRICS.values():
        table = metric.table(snapshot, Policy())
        assert isinstance(table, pl.DataFrame), metric.name


def test_the_command_in_every_format(home: Settings, tmp_path: Path) -> None:
    def run(*arguments: object) -> str:
        given = ["--home", str(home.home), "metric", *map(str, arguments)]
        done = CliRunner().invoke(cli, given)
        assert done.exit_code == 0, done.output
        return done.stdout

    listed = json.loads(run("--list", "--json"))
    assert [row["name"] for row in listed] == list(METRICS)
    rows = json.loads(run("claims", "-p", "capacity=1", "--generations", "2", "--json"))
    assert rows["policy"]["generations"] == 2
    assert rows["rows"]
    csv = run("studios").splitlines()[0]
    for ending in ("csv", "parquet", "xlsx", "json"):
        run("studios", "--out", tmp_path / f"studios.{ending}")
    frame = pl.read_parquet(tmp_path / "studios.parquet")
    assert ",".join(frame.columns) == csv
    assert (tmp_path / "studios.csv").read_text("utf-8-sig").splitlines()[0] == csv
    assert json.loads((tmp_path / "studios.json").read_text())["policy"]["generations"] == 3
    assert (tmp_path / "studios.xlsx").read_bytes()[:2] == b"PK"


def test_a_wrong_name_is_a_sentence(settings: Settings) -> None:
    given = {**os.environ, "SHICHENG_HOME": str(settings.home)}
    command = [SHICHENG, "metric", "fame"]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "shicheng: there is no metric fame; `shicheng metric --list` names them all\n"
    )
