"""The command line as a user's shell sees it: output, files, exit codes, silence when piped."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from graph.database import Database
from graph.settings import Settings

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "conformance").glob("case*"))
SHICHENG = str(Path(sys.executable).with_name("shicheng"))
POLICIES = {
    "default": [],
    "generations=1": ["--generations", "1"],
    "ordered=false, generations=6": ["--unordered", "--generations", "6"],
    "undated=include": ["--undated", "include"],
    "channels=mentorship": ["--channels", "mentorship"],
    "window=2022-01-01..2023-12-31": ["--window", "2022-01-01:2023-12-31"],
}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(settings: Settings) -> Run:
    """`run("driven", "--json")` on the session's store."""
    given = {**os.environ, "SHICHENG_HOME": str(settings.home), "SHICHENG_HEAP_MB": "768"}

    def shicheng(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [SHICHENG, *map(str, arguments)]
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return shicheng


@pytest.fixture
def loaded(run: Run, empty_database: Database) -> Run:
    """`run` on a store that holds the first conformance case."""
    run("load", "folder", CASES[0])
    return run


@pytest.mark.lts
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_conformance_from_files_to_figures(case: Path, run: Run, empty_database: Database) -> None:
    assert run("load", "folder", case).stderr.count("\n") <= 1  # where the refusals are
    rows = list(csv.DictReader(io.StringIO(run("driven").stdout)))
    expected = list(csv.DictReader((case / "expected.csv").open(encoding="utf-8")))
    assert [row["talent_id"] for row in rows] == sorted(row["talent_id"] for row in expected)
    by_id = {row["talent_id"]: row for row in expected}
    for row in rows:
        wanted = by_id[row["talent_id"]]
        assert {column: row[column] for column in wanted} == wanted
    national = json.loads((case / "expected_national.json").read_text("utf-8"))
    assert set(national) == set(POLICIES)
    for name, figures in national.items():
        found = json.loads(run("national", *POLICIES[name]).stdout)
        assert {field: found[field] for field in figures} == figures


def test_driven_has_its_columns_in_every_format(loaded: Run, tmp_path: Path) -> None:
    columns = ["talent_id", "name", "driven", "person_times", "g1", "g2", "g3", "pending",
               "equal", "nearest", "decay"]  # fmt: skip
    assert loaded("driven").stdout.splitlines()[0].split(",") == columns
    as_json = json.loads(loaded("driven", "--json").stdout)
    assert list(as_json["rows"][0]) == columns
    assert as_json["policy"]["generations"] == 3
    for ending in ("csv", "parquet"):
        loaded("driven", "--format", ending, "-o", tmp_path / f"driven.{ending}")
    frame = pl.read_parquet(tmp_path / "driven.parquet")
    assert frame.columns == columns
    metadata = pl.read_parquet_metadata(tmp_path / "driven.parquet")
    assert json.loads(metadata["shicheng.policy"])["channels"] == ["mentorship", "studio"]
    beside = json.loads((tmp_path / "driven.csv.policy.json").read_text("utf-8"))
    assert beside["undated"] == "exclude"
    more = loaded("driven", "--generations", "5").stdout.splitlines()[0]
    assert "g4,g5,pending" in more


def test_load_reports_and_lists_its_refusals(loaded: Run, tmp_path: Path) -> None:
    rejects = tmp_path / "refused.csv"
    report = json.loads(
        loaded("load", "folder", CASES[0], "--dry-run", "--rejects", rejects, "--json").stdout
    )
    assert report["read"] == report["accepted"] + report["refused"]
    assert report["refused"] == 1
    listed = list(csv.DictReader(rejects.open(encoding="utf-8-sig")))
    refused = [row for row in listed if row["kind"] == "refused"]
    assert [(row["file"], row["column"]) for row in refused] == [
        ("mentorships.csv", "apprentice_id")
    ]
    assert rejects.stat().st_mode & 0o777 == 0o600


def test_generate_writes_what_load_takes(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    run("generate", folder, "--talents", "3", "--workers", "200", "--seed", "1", "--dirt", "0.05")
    report = json.loads(run("load", "folder", folder, "--dry-run", "--json").stdout)
    assert report["read"] == report["accepted"] + report["refused"]
    assert report["refused"] > 0


def test_queries_by_name(loaded: Run) -> None:
    listed = json.loads(loaded("query", "--list", "--json").stdout)
    assert len(listed) >= 15
    rows = json.loads(loaded("query", "loads", "--json").stdout)
    assert len(rows) == 1
    assert "there is no query" in loaded("query", "nothing", code=2).stderr
    assert "key=value" in loaded("query", "loads", "-p", "x", code=2).stderr


def test_cypher_reads_only(loaded: Run) -> None:
    counted = "MATCH (p:Person) RETURN count(p) AS people"
    assert json.loads(loaded("cypher", counted, "--json").stdout) == [{"people": 120}]
    assert loaded("cypher", counted).stdout == "people\n120\n"
    refused = loaded("cypher", "MATCH (p:Person) DETACH DELETE p", code=4)
    assert refused.stdout == ""
    assert loaded("cypher", counted, "--format", "csv").stdout == "people\n120\n"
    wrong = loaded("cypher", "MATCH (p RETURN p", code=2)
    assert wrong.stderr.startswith("shicheng: ")


@pytest.mark.parametrize("format", ["graphml", "gexf", "json", "csv"])
def test_export_network(format: str, loaded: Run, tmp_path: Path) -> None:
    import networkx as nx

    file = tmp_path / f"network.{format}"
    loaded("export", "network", "--format", format, "-o", file)
    if format == "graphml":
        network = nx.read_graphml(file)
        assert network.number_of_nodes() >= 120
    assert file.stat().st_size > 1000


def test_silence_when_piped(loaded: Run) -> None:
    assert loaded("national").stderr == ""
    assert loaded("driven").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["driven", "--window", "2024"], "window"),
        (["driven", "--generations", "0"], "at least one hop"),
        (["national", "--channels", "rumour"], "rumour"),
        (["load", "fax", "."], "there is no loader fax"),
        (["load", "folder", "/nowhere"], "not a folder"),
        (["driven", "--format", "parquet"], "name a file"),
    ],
)
def test_wrong_use_is_said_in_one_line(loaded: Run, arguments: list[str], said: str) -> None:
    done = loaded(*arguments, code=2)
    assert said in done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_nothing_loaded_gives_no_figure(run: Run, empty_database: Database) -> None:
    done = run("national", code=5)
    assert done.stdout == ""


def test_an_unfinished_load_gives_no_figure(loaded: Run, database: Database) -> None:
    database.write("CREATE (:Load {load_id: 'cut-short', sources: ['case1']})")
    done = loaded("national", code=5)
    assert "cut-short" in done.stderr
    assert done.stdout == ""


def test_the_database_commands_answer(loaded: Run) -> None:
    assert json.loads(loaded("db", "status", "--json").stdout)["running"] is True
    assert json.loads(loaded("db", "info", "--json").stdout)["nodes"]["Person"] == 120
    assert "runs at" in loaded("db", "start").stdout


def test_doctor_finds_all_in_order(loaded: Run) -> None:
    findings = json.loads(loaded("doctor", "--json").stdout)
    assert all(finding["ok"] for finding in findings), findings


def test_own_server_by_uri(loaded: Run, database: Database, settings: Settings) -> None:
    from graph import embedded

    given = {
        **os.environ,
        "SHICHENG_HOME": str(settings.home.with_name("elsewhere")),
        "NEO4J_URI": database.uri,
        "NEO4J_PASSWORD": embedded.password(settings),
    }
    done = subprocess.run(
        [SHICHENG, "national"], env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["leading_talents"] == 12
