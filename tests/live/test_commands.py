"""The command line as a user's shell sees it: output, files, exit codes, silence when piped."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from graph.server.database import Database
from graph.settings import Settings
from tests.emptying import emptied
from tests.filling import load_unless_loaded
from tests.live.shell import run_here

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
def given(settings: Settings) -> dict[str, str]:
    """The variables of a shell on the session's store."""
    return {"SHICHENG_HOME": str(settings.home), "SHICHENG_HEAP_MB": "768"}


@pytest.fixture
def run(given: dict[str, str]) -> Run:
    """`run("driven", "--json")` on the session's store, without a process of its own."""

    def shicheng(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = run_here(arguments, given)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return shicheng


@pytest.fixture
def start(given: dict[str, str]) -> Run:
    """As `run`, in a process of its own."""

    def shicheng(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [SHICHENG, *map(str, arguments)]
        shell = {**os.environ, **given}
        done = subprocess.run(command, env=shell, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return shicheng


@pytest.fixture
def loaded(run: Run, database: Database) -> Run:
    """`run` on a store that holds the first conformance case."""

    def load() -> None:
        emptied(database)
        run("load", "folder", CASES[0])

    load_unless_loaded(database, "the first case", load)
    return run


@pytest.mark.lts
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_conformance_from_files_to_figures(
    case: Path, run: Run, start: Run, empty_database: Database
) -> None:
    shell = start if case == CASES[0] else run
    lines = shell("load", "folder", case).stderr.splitlines()
    # Where the refusals are, and that what the figures should be is no table.
    assert len([line for line in lines if "is not read" not in line]) <= 1
    rows = list(csv.DictReader(io.StringIO(shell("driven").stdout)))
    expected = list(csv.DictReader((case / "expected.csv").open(encoding="utf-8")))
    assert [row["talent_id"] for row in rows] == sorted(row["talent_id"] for row in expected)
    by_id = {row["talent_id"]: row for row in expected}
    for row in rows:
        wanted = by_id[row["talent_id"]]
        assert {column: row[column] for column in wanted} == wanted
    national = json.loads((case / "expected_national.json").read_text("utf-8"))
    assert set(national) == set(POLICIES)
    for name, figures in national.items():
        answer = shell if name == "default" else run
        found = json.loads(answer("national", *POLICIES[name]).stdout)
        assert {field: found[field] for field in figures} == figures


def test_driven_has_its_columns_in_every_format(loaded: Run, tmp_path: Path) -> None:
    columns = [
        "talent_id",
        "name",
        "driven",
        "person_times",
        "g1",
        "g2",
        "g3",
        "pending",
        "equal",
        "nearest",
        "decay",
    ]
    assert loaded("driven").stdout.splitlines()[0].split(",") == columns
    as_json = json.loads(loaded("driven", "--json").stdout)
    assert list(as_json["rows"][0]) == columns
    assert as_json["policy"]["generations"] == 3
    for ending in ("csv", "parquet"):
        loaded("driven", "--format", ending, "-o", tmp_path / f"driven.{ending}")
    frame = pl.read_parquet(tmp_path / "driven.parquet")
    assert frame.columns == columns
    metadata = pl.read_parquet_metadata(tmp_path / "driven.parquet")
    assert json.loads(metadata["shicheng"])["policy"]["channels"] == ["mentorship", "studio"]
    assert (tmp_path / "driven.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    beside = json.loads((tmp_path / "driven.csv.about.json").read_text("utf-8"))
    assert beside["policy"]["undated"] == "exclude" and beside["revision"] >= 1
    more = loaded("driven", "--generations", "5").stdout.splitlines()[0]
    assert "g4,g5,pending" in more


def test_the_ending_says_the_format_and_no_file_is_lost(loaded: Run, tmp_path: Path) -> None:
    for ending, begin in (
        ("csv", b"\xef\xbb\xbf"),
        ("json", b"["),
        ("parquet", b"PAR1"),
        ("xlsx", b"PK"),
    ):
        file = tmp_path / f"loads.{ending}"
        loaded("query", "loads", "-o", file)
        assert file.read_bytes().startswith(begin)
        assert "is there already" in loaded("query", "loads", "-o", file, code=2).stderr
    for ending in ("csv", "json"):
        about = json.loads((tmp_path / f"loads.{ending}.about.json").read_text("utf-8"))
        assert about["content"] == "query loads" and about["revision"] >= 1
    loaded("query", "loads", "--force", "--encoding", "utf-8", "-o", tmp_path / "loads.csv")
    assert not (tmp_path / "loads.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert loaded("query", "loads", "--format", "csv", "-o", "-").stdout.startswith("load_id,")
    loaded("export", "network", "--lineage", "p0034", "-o", tmp_path / "lineage.gexf")
    assert "part" in (tmp_path / "lineage.gexf").read_text("utf-8")


def test_why_goes_into_a_file_of_every_format(loaded: Run, tmp_path: Path) -> None:
    for ending in ("csv", "json", "parquet", "xlsx"):
        loaded("why", "p0034", "p0100", "-o", tmp_path / f"why.{ending}")
    parts = pl.read_parquet(tmp_path / "why.parquet")
    assert parts["part"].unique().sort().to_list() == ["chain", "promotion", "verdict"]
    assert pl.read_csv(tmp_path / "why.csv").height == parts.height
    about = json.loads((tmp_path / "why.csv.about.json").read_text("utf-8"))
    assert about["parameters"] == {"talent": "p0034", "worker": "p0100", "chains": 5}
    answer = json.loads((tmp_path / "why.json").read_text("utf-8"))
    assert answer["counts"] is True and answer["content"] == "why"
    assert len(answer["chains"][0]) == parts.filter(part="chain", number=1).height
    assert (
        "is there already"
        in loaded("why", "p0034", "p0100", "-o", tmp_path / "why.csv", code=2).stderr
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "network", "--ego", "p0034", "--radius", "9" * 20, "-o", "ego.json"],
        ["export", "network", "--lineage", "p0034", "--down", "9" * 20, "-o", "lineage.json"],
        ["generate", "made", "--talents", "9" * 20],
        ["generate", "made", "--workers", "9" * 20],
        ["app", "--port", "65536"],
        ["app", "--port", "-1"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_numbers_without_end_are_refused(run: Run, arguments: list[str]) -> None:
    assert "Invalid value for" in run(*arguments, code=2).stderr


def test_a_reader_that_has_enough_is_no_error(loaded: Run, settings: Settings) -> None:
    given = {**os.environ, "SHICHENG_HOME": str(settings.home), "SHICHENG": SHICHENG}
    rows = "UNWIND range(1, 100000) AS n RETURN n, 'a row of some length' AS text"
    for format in ("table", "csv"):
        command = f'"$SHICHENG" cypher "{rows}" --limit 100000 --format {format} | head -1'
        command += "; echo ${PIPESTATUS[0]}"
        done = subprocess.run(
            ["bash", "-c", command], env=given, capture_output=True, text=True, check=False
        )
        assert done.stdout.splitlines()[1:] == ["0"] and done.stderr == ""


def test_cells_of_rows_are_inert_days_and_json(loaded: Run, tmp_path: Path) -> None:
    text = "RETURN '=1+1' AS f, -5 AS n, date('2024-01-02') AS d, [1, {a: 2}] AS l"
    assert loaded("cypher", text, "--format", "csv").stdout == (
        'f,n,d,l\n\'=1+1,-5,2024-01-02,"[1, {""a"": 2}]"\n'
    )
    loaded("cypher", text, "-o", tmp_path / "cells.parquet")
    assert pl.read_parquet(tmp_path / "cells.parquet").row(0) == (
        "=1+1",
        -5,
        date(2024, 1, 2),
        '[1, {"a": 2}]',
    )
    cut = loaded("cypher", "UNWIND range(1, 9) AS n RETURN n", "--limit", "3")
    assert cut.stdout == "n\n1\n2\n3\n"
    assert cut.stderr == "these are the first 3 rows; more by --limit\n"


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


def test_the_list_of_loads(loaded: Run, tmp_path: Path) -> None:
    (row,) = json.loads(loaded("loads", "--json").stdout)
    assert row == json.loads(loaded("query", "loads", "--json").stdout)[0]
    assert (row["state"], row["merged_ids"]) == ("finished", 0)
    assert row["rows_read"] == row["rows_accepted"] + row["rows_rejected"] > 0
    assert "people.csv" in " ".join(row["files"])
    file = tmp_path / "loads.csv"
    loaded("loads", "--labels", "zh", "-o", file)
    assert "合并人员数" in file.read_text("utf-8-sig").splitlines()[0]
    assert row["load_id"] in loaded("loads").stdout


def test_a_load_is_undone_by_its_revision(run: Run, database: Database) -> None:
    emptied(database)
    run("load", "folder", CASES[0])
    figures = run("national", "--json").stdout
    run("load", "folder", CASES[0], "--source", "another")
    run("driven")
    assert "first load" in run("undo", "1", code=4).stderr
    undone = json.loads(run("undo", "2", "--json").stdout)
    assert (undone["undone_revision"], undone["revision"]) == (2, 3)
    assert "was undone on" in run("undo", "2", code=4).stderr
    again = run("national", "--json")
    assert "Revision 3 undoes the load of revision 2." in again.stderr
    assert json.loads(again.stdout)["revision"] == 3
    before, after = (json.loads(one) for one in (figures, again.stdout))
    assert before | {"revision": 3} == after
    assert run("diff", "2", "3").stderr.count("Revision 3 undoes") == 1
    states = [row["state"] for row in json.loads(run("loads", "--json").stdout)]
    assert states == ["finished", "undone", "finished"]


def test_cypher_reads_only(loaded: Run) -> None:
    counted = "MATCH (p:Person) RETURN count(p) AS people"
    assert json.loads(loaded("cypher", counted, "--json").stdout) == [{"people": 120}]
    assert loaded("cypher", counted).stdout == "people\n120\n"
    refused = loaded("cypher", "MATCH (p:Person) DETACH DELETE p", code=4)
    assert refused.stdout == ""
    assert loaded("cypher", counted, "--format", "csv").stdout == "people\n120\n"
    wrong = loaded("cypher", "MATCH (p RETURN p", code=2)
    assert wrong.stderr.startswith("shicheng: ")


def test_personal_data_is_for_stewards(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line has the role of the settings, as the app on one's own machine."""
    born = "MATCH (p:Person) RETURN p.birth_date AS born LIMIT 1"
    assert "only a data steward" in loaded("cypher", born, code=4).stderr
    (row,) = json.loads(loaded("cypher", "MATCH (p:Person) RETURN p LIMIT 1", "--json").stdout)
    assert "birth_date" not in row["p"]["properties"] and row["p"]["id"]
    columns = loaded("query", "mentors_about_to_retire", "--format", "csv").stdout.split("\n")[0]
    assert "retires_in" in columns and "retires_on" not in columns


def test_parameters_have_a_type(loaded: Run) -> None:
    """A number typed as text compares with nothing, and the answer would be 0 without a word."""
    at_level = "MATCH ()-[r:RECOGNISED]->() WHERE r.level >= $l RETURN count(r) AS n"
    (some,) = json.loads(loaded("cypher", at_level, "-p", "l=4", "--json").stdout)
    assert some["n"] > 0
    statement = "MATCH ()-[m:MENTORS]->() WHERE m.start >= $d RETURN count(m) AS n"
    (some,) = json.loads(loaded("cypher", statement, "-p", "d=1990-01-01", "--json").stdout)
    assert some["n"] > 0


@pytest.mark.parametrize("format", ["graphml", "gexf", "json", "csv"])
def test_export_network(format: str, loaded: Run, tmp_path: Path) -> None:
    import networkx as nx

    file = tmp_path / f"network.{format}"
    loaded("export", "network", "--format", format, "-o", file)
    if format == "graphml":
        network = nx.read_graphml(file)
        assert network.number_of_nodes() >= 120
    assert file.stat().st_size > 1000


@pytest.mark.usefixtures("loaded")
def test_silence_when_piped(start: Run) -> None:
    assert start("national").stderr == ""
    assert start("driven").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["driven", "--window", "2024"], "window"),
        (["driven", "--generations", "0"], "give 1 to 100, or all"),
        (["national", "--channels", "rumour"], "rumour"),
        (["load", "fax", "."], "there is no loader fax"),
        (["load", "folder", "/nowhere"], "/nowhere is not there"),
        (["driven", "-o", "/nowhere/driven.csv"], "there is no folder /nowhere"),
        (["driven", "-o", "driven.doc"], "does not say its format"),
        (["query", "loads", "-o", "/"], "is a folder"),
        (["driven", "--engine", "nosuch"], "no engine 'nosuch'"),
        (["cypher", "RETURN $l", "-p", "l=1", "-p", "l=2"], "-p l is given twice"),
        (["cypher", "RETURN 1", "-p", "=4"], "-p takes key=value, but got '=4'"),
        (["query", "chain_down", "-p", "person_id=a", "-p", "person_id=b"], "is given twice"),
        (["metric", "claims", "-p", "capacity=3", "-p", "capacity=4"], "is given twice"),
        (["metric", "communities", "-p", "iterations=2147483647"], "from 1 to 100"),
        (["national", "--engine", "nosuch"], "no engine 'nosuch'"),
        (["metric", "communities", "-p", "resolution=nan"], "resolution has nan"),
        (["metric", "claims", "-p", "capacity=-3"], "capacity has -3"),
        (["query", "loads", "\udcff"], "argument 3 is not valid UTF-8"),
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


def test_an_unfinished_load_leaves_the_revision_before_it(loaded: Run, database: Database) -> None:
    before = json.loads(loaded("national").stdout)
    database.write("CREATE (:Load {load_id: 'cut-short', sources: ['case1']})")
    done = loaded("national")
    assert "a load was broken off" in done.stderr
    after = json.loads(done.stdout)
    assert after.pop("data")["load"]["load_id"] == "cut-short"
    assert after == before


def test_the_database_commands_answer(loaded: Run) -> None:
    assert json.loads(loaded("db", "status", "--json").stdout)["running"] is True
    assert json.loads(loaded("db", "info", "--json").stdout)["nodes"]["Person"] == 120
    assert "runs at" in loaded("db", "start").stdout


def test_doctor_finds_all_in_order(loaded: Run) -> None:
    findings = json.loads(loaded("doctor", "--json").stdout)
    assert all(finding["ok"] for finding in findings), findings


def test_own_server_by_uri(loaded: Run, database: Database, settings: Settings) -> None:
    from graph.server import location

    given = {
        **os.environ,
        "SHICHENG_HOME": str(settings.home.with_name("elsewhere")),
        "NEO4J_URI": database.uri,
        "NEO4J_PASSWORD": location.load_server_password(settings),
    }
    done = subprocess.run(
        [SHICHENG, "national"], env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["leading_talents"] == 12
