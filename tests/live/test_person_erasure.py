"""A person erased is as never stated: figures, files, undo, later loads, kills."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.driven.results import load_driven
from graph.errors import DatabaseError, NothingLoadedError, RefusedLoadError, UsageError
from graph.policy import Policy
from graph.programme.notebook import Notebook
from graph.server import embedded
from graph.server.admin import DUMP_LIST_NAME
from graph.server.database import Database, connect
from graph.server.identity_key import build_id_digester
from graph.settings import Settings
from graph.snapshot.take import list_cached_snapshots, take_snapshot
from graph.store.digest import compute_store_digest, format_canonical_lines
from graph.store.standing import list_loads, read_graph_state
from loaders import folder
from loaders.erasure import completion
from loaders.erasure.activity_log import ACTIVITY_LOG_NAME
from loaders.erasure.erased_people import allow_erased_person, list_erased_people
from loaders.erasure.person_erasure import (
    complete_broken_erasure,
    erase_people,
    find_returned_people,
    plan_erasure,
)
from loaders.erasure.restatements import find_erasure_restatement
from loaders.erasure.retention import apply_retention, plan_retention
from loaders.findings import build_empty_findings
from loaders.load_nodes import create_load_node
from loaders.matching.judgements import list_judgements, save_judgement
from loaders.reports import LoadReport
from loaders.sync import load_records
from loaders.undoing import undo_finished_load
from tests.emptying import emptied
from tests.live.shell import run_here
from tests.live.test_bulk import write

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "conformance").glob("case*"))
POLICIES = (Policy(), Policy(generations=None, undated="include"), Policy(ordered=False))
REFERENCES = re.compile(r'^\[\[("Honour"|"Occupation"|"Province"|"Achievement"|"Subsidy")\]')
ROWS = re.compile(r'"row": "[^"]*"|\\"row\\": \\"[^"\\]*\\"(, )?')


def clear_traces(database: Database) -> Database:
    """The database without a node, its data folder without what an erasure reads or leaves."""
    remove_trace_files(database.settings.home)
    return emptied(database)


def remove_trace_files(home: Path) -> None:
    """Take away what an erasure reads or leaves in a data folder."""
    for name in (
        "erased.json",
        "retention.yaml",
        ACTIVITY_LOG_NAME,
        "notebook.sqlite",
        DUMP_LIST_NAME,
    ):
        (home / name).unlink(missing_ok=True)
    for path in home.glob("*.dump"):
        path.unlink()
    for name in ("rejects", "reports", "erasures", "snapshots", "uploads"):
        shutil.rmtree(home / name, ignore_errors=True)


@pytest.fixture
def own(database: Database) -> Iterator[Database]:
    """The session's server, warm as it is: for what leaves Neo4j's files as they are."""
    yield clear_traces(database)
    clear_traces(database)


@pytest.fixture
def searched(second: Settings) -> Iterator[Database]:
    """A data folder in whose every byte the person may be looked for; its server may be killed."""
    with connect(second) as database:
        yield clear_traces(database)
        remove_trace_files(second.home)  # who takes the server next empties it, if it runs at all


@pytest.fixture
def kept_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not about Neo4j's files does without writing the store anew: half a minute less."""
    monkeypatch.setattr(completion, "rebuild_store", lambda *given, **more: None)


def load(database: Database, *paths: Path, **given: Any) -> LoadReport:
    home = database.settings.home
    return load_records(database, "folder", folder.get(paths), home=home, **given)


def blank_rows(case: Path, made: Path, ids: set[str]) -> Path:
    """The folder with empty rows in place of those that name one of the ids."""
    made.mkdir(parents=True)
    for path in case.glob("*.csv"):
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
        with (made / path.name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([[""] * len(r) if ids & set(r) else r for r in rows])
    return made


def read_lines(database: Database) -> list[str]:
    """The store's records; of codes that cells name, not which row named them first."""
    lines = format_canonical_lines(database)
    return sorted(ROWS.sub("", line) if REFERENCES.match(line) else line for line in lines)


def measure(database: Database, policy: Policy) -> Any:
    driven = measure_driven(take_snapshot(database, database.settings), policy)
    # Sums of credits differ in their last bits by the order in which they are added up.
    shares = pl.col(pl.Float64).round(9)
    talents = driven.talents.drop("person").with_columns(shares).to_dicts()
    return driven.national, driven.lines, talents


def erase(database: Database, *ids: str, **given: Any) -> Any:
    return erase_people(database, ids, by="steward", **given)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_figures_and_records_are_those_of_the_files_without_the_person(
    case: Path, own: Database, kept_store: None, tmp_path: Path
) -> None:
    load(own, case)
    before = measure(own, Policy())[0]
    (found,) = own.read(
        "MATCH (p:Person) WITH p, COUNT {(p)--()} AS ties, p:LeadingTalent AS leading "
        "ORDER BY leading DESC, ties DESC, p.person_id WITH leading, collect(p.person_id) AS ids "
        "WITH collect([ids[0], ids[-1]]) AS ids RETURN ids[0] AS talents, ids[1] AS workers"
    )
    busiest, idlest = found["talents"]
    steps = [[busiest], [found["workers"][0], idlest, found["workers"][1]]]
    expected, gone = [], set()
    for ids in steps:
        gone |= set(ids)
        emptied(own)
        load(own, blank_rows(case, tmp_path / ids[0] / case.name, gone))
        expected.append(([measure(own, policy) for policy in POLICIES], read_lines(own)))
    emptied(own)
    load(own, case)
    for step, ids in enumerate(steps):
        outcome = erase(own, *ids)
        figures = [measure(own, policy) for policy in POLICIES]
        assert figures == expected[step][0]
        assert read_lines(own) == expected[step][1]
        assert (outcome.revision, outcome.people) == (step + 2, len(ids))
        now = figures[0][0]
        assert outcome.national == {name: (before[name], now[name]) for name in outcome.national}
        assert outcome.national["leading_talents"][1] == before["leading_talents"] - 1
        before = now
    stood = own.read("MATCH (n:Load|Change) RETURN properties(n) AS n")
    assert not any(f'"{id}"' in json.dumps(stood, default=str) for id in gone)


NUMBER, OTHER_NUMBER = "329999197001011015", "329999199902022028"
NAMES = ("欧阳明远", "欧阳明运")
IDS = ("RSJ-771100", "GH-882200")
CERTIFICATES = ("S000032001000243000771", "S000032001000246000772")
FIRST = {
    "people": "person_id,name,id_number,birth_date,source\n"
    f"{IDS[0]},{NAMES[0]},{NUMBER},1970-01-01,hr\n{IDS[1]},{NAMES[1]},{NUMBER},1970-01-02,union\n"
    f"w1,徒甲,{OTHER_NUMBER},,hr\nw2,徒乙,,,hr\nt2,师丙,,,hr\n",
    "talents": f"person_id,basis,recognised_on,source\n{IDS[1]},全国技术能手,2023-01-01,hr\n"
    "t2,全国技术能手,2023-01-01,hr\n",
    "studios": f"studio_id,name,kind\ns1,{NAMES[0]}工作室,skill_master\n",
    "studio_leads": f"studio_id,person_id,start,source\ns1,{IDS[0]},2020-01-01,hr\n",
    "mentorships": "mentor_id,apprentice_id,start,source\n"
    f"{IDS[0]},w1,2022-03-01,hr\n{IDS[1]},w2,2022-03-01,union\nt2,w2,2022-04-01,hr\n"
    f"t2,{IDS[0]},2022-01-01,hr\n",
    "recognitions": "person_id,level,date,certificate_no,source\n"
    f"{IDS[0]},高级工,2024-06-01,{CERTIFICATES[0]},hr\nw1,高级工,2024-07-01,,hr\n"
    f"w2,高级工,2024-07-01,,hr\n",
    "projects": "project_id,name,kind\nj1,攻关,technical_problem\n",
    "participations": f"person_id,project_id,source\n{IDS[0]},j1,hr\nw1,j1,hr\n",
    "achievements": "person_id,title,kind,source\n"
    f"{IDS[1]},{NAMES[1]}操作法,process,union\nw1,夹具,patent,hr\n{IDS[0]},夹具,patent,hr\n",
    "subsidies": f"recipient_id,kind,amount,year,source\n{IDS[0]},人才津贴,20000,2024,hr\n"
    "s1,工作室补助,50000,2024,hr\n",
}
# The person's node and relations change, one row is refused, and one who had nothing to do.
SECOND = {
    "people": f"person_id,name,source,birth_date\n{IDS[0]},{NAMES[0]},hr,1970-01-05\n"
    f"{IDS[1]},{NAMES[1]},union,不详\nw3,徒丁,hr,\n",
    "recognitions": f"person_id,level,date,certificate_no,source\n{IDS[0]},技师,2025-06-01,"
    f"{CERTIFICATES[1]},hr\n{IDS[0]},不知,2025-06-01,{CERTIFICATES[1]},hr\n",
    "mentorships": f"mentor_id,apprentice_id,start,source\n{IDS[0]},w3,2024-03-01,hr\n",
}
THIRD = {"people": "person_id,name,source\nw4,徒戊,hr\n"}
# Of another department, under a number of its own.
AGAIN = {
    "people": f"person_id,name,id_number\nXX-993300,{NAMES[0]},{NUMBER}\nw5,徒己,\n"
    f"XX-993300,{NAMES[0]},{NUMBER[:-1]}\n",
    "mentorships": "mentor_id,apprentice_id,start\nXX-993300,w5,2024-01-01\n"
    f"w5,{IDS[0]},2024-01-01\nt2,w5,2024-01-01\n",
}


def hold_bytes(home: Path, *texts: str) -> set[str]:
    """The files of a data folder in which a text stands, in either encoding."""
    encoded = [t.encode(e) for t in texts for e in ("utf-8", "utf-16-le", "utf-16-be")]
    return {
        str(path.relative_to(home))
        for path in home.rglob("*")
        if path.is_file() and holds_any(read_content(path), encoded)
    }


def holds_any(content: bytes, wanted: list[bytes]) -> bool:
    return any(one in content for one in wanted)


def read_content(path: Path) -> bytes:
    """The bytes of a file without the room beyond them that Neo4j takes beforehand for its logs."""
    held = path.read_bytes()
    return held.rstrip(b"\0") + held[-1:]  # one zero may belong to UTF-16


def hold_packed(home: Path, *texts: str) -> set[str]:
    """The Parquet files of a data folder that have a text in a cell."""
    found = set()
    for path in home.rglob("*.parquet"):
        cells = str(pl.read_parquet(path).to_dicts())
        if any(text in cells for text in texts):
            found.add(str(path.relative_to(home)))
    return found


def fill_notebook(home: Path) -> None:
    notebook = Notebook(home)
    notebook.add("note", "m", f"person:{IDS[1]}", {"text": "三年后再看"})
    notebook.add("note", "m", "person:w1", {"text": f"由{NAMES[0]}（{IDS[0]}）推荐，表现好"})
    notebook.add("decision", "m", f"targets:{IDS[0]}", {"verdict": "accepted"})
    notebook.add("decision", "m", "targets:w1", {"verdict": "accepted"})
    notebook.add("view", "m", "lineage", {"query": {"selected": IDS[0]}})
    notebook.add("search", "m", "recent", {"text": NAMES[0]})
    save_judgement(home, IDS[0], "w1", "different", "m")
    save_judgement(home, "w1", "w2", "different", "m")


def test_no_load_before_an_erasure_can_be_undone_any_more(
    own: Database, kept_store: None, tmp_path: Path
) -> None:
    load(own, write(tmp_path / "first", FIRST))
    load(own, write(tmp_path / "second", SECOND))
    assert own.read("MATCH (u:Undo) RETURN count(u) > 0 AS stood") == [{"stood": True}]
    erase(own, IDS[0])
    assert own.read("MATCH (u:Undo) RETURN u") == []
    stood = compute_store_digest(own)
    load(own, write(tmp_path / "third", THIRD))
    assert [one["undoable"] for one in list_loads(own)] == [True, False, False, False]
    assert undo_finished_load(own, "4", "clerk").revision == 5
    assert compute_store_digest(own) == stood
    with pytest.raises(RefusedLoadError, match="revision 3 erased people"):
        undo_finished_load(own, "2", "clerk")
    with pytest.raises(RefusedLoadError, match="nothing undoes that"):
        undo_finished_load(own, "3", "clerk")


def test_later_loads_refuse_the_person_until_the_bar_is_taken_back(
    own: Database, kept_store: None, tmp_path: Path
) -> None:
    home = own.settings.home
    load(own, write(tmp_path / "first", FIRST))
    erase(own, IDS[0])
    stood = compute_store_digest(own)
    assert not any(one in (home / "erased.json").read_text() for one in (*IDS, *NAMES, NUMBER))
    (barred,) = list_erased_people(home)
    only = {"people": f"person_id,name\n{IDS[1]},{NAMES[1]}\n"}
    with pytest.raises(NothingLoadedError) as refused:
        load(own, write(tmp_path / "only", only))
    assert refused.value.report.erased == 1
    report = load(own, write(tmp_path / "again", AGAIN))
    assert (report.read, report.accepted, report.refused, report.erased) == (6, 2, 4, 4)
    counts = {one.table: (one.read, one.accepted, one.refused) for one in report.tables}
    assert counts == {"people": (3, 1, 2), "mentorships": (3, 1, 2)}
    reasons = set(report.findings.filter(pl.col("kind") == "refused")["reason"])
    assert len(reasons) == 2 and all("erased at request" in reason for reason in reasons)
    both = {"mentorships": f"mentor_id,apprentice_id,start\nt2、{IDS[1]},w5,2024-05-01\n"}
    with pytest.raises(NothingLoadedError) as refused:
        load(own, write(tmp_path / "both", both))
    assert refused.value.report.erased == 1
    assert not any(IDS[1] in value for value in refused.value.report.findings["value"])
    listed = (home / "rejects" / f"{report.load_id}.csv").read_text("utf-8-sig")
    assert not any(one in listed for one in (*IDS, *NAMES, "XX-993300", NUMBER))
    assert own.read("MATCH (p:Person {name: $name}) RETURN p", {"name": NAMES[0]}) == []
    with pytest.raises(UsageError, match="nobody with this digest"):
        allow_erased_person(home, "feedfeed")
    assert allow_erased_person(home, barred.digest[:12]) == barred
    assert list_erased_people(home) == []
    load(own, tmp_path / "first")
    assert own.read("MATCH (p:Person {name: $name}) RETURN p.person_id AS id", {"name": NAMES[0]})
    assert compute_store_digest(own) != stood


def test_people_of_a_restored_dump_are_found_again(
    own: Database, kept_store: None, tmp_path: Path
) -> None:
    load(own, write(tmp_path / "first", FIRST))
    erase(own, IDS[0], "t2")
    assert find_returned_people(own) == []
    barred = (own.settings.home / "erased.json").read_text()
    emptied(own)
    (own.settings.home / "erased.json").unlink()
    load(own, tmp_path / "first")
    (own.settings.home / "erased.json").write_text(barred)
    assert sorted(find_returned_people(own)) == sorted([min(IDS), "t2"])


def test_an_erasing_whose_order_is_gone_is_ended(
    own: Database, kept_store: None, tmp_path: Path
) -> None:
    load(own, write(tmp_path / "first", FIRST))
    more = {"erased": 1, "erasure_reason": "erased at request"}
    create_load_node(
        own, LoadReport("0-lost", "erase", (), False, (), build_empty_findings()), more
    )
    with pytest.raises(DatabaseError, match="forget --resume"):
        load(own, tmp_path / "first")
    said: list[str] = []
    complete_broken_erasure(own, say=lambda one: said.append(str(one)))
    assert any("forget --again" in one for one in said)
    assert (list_loads(own)[0]["revision"], list_loads(own)[0]["erased"]) == (2, 1)
    load(own, write(tmp_path / "third", THIRD))


def test_a_name_in_another_name_is_left_alone(
    own: Database, kept_store: None, tmp_path: Path
) -> None:
    people = "person_id,name\nlm1,李明\nlm2,李明华\nw9,欧阳某\n"
    load(own, write(tmp_path / "first", {"people": people}))
    notebook = Notebook(own.settings.home)
    notebook.add("note", "m", "person:lm2", {"text": "lm1 比李明华强，欧阳某亦然"})
    assert plan_erasure(own, ["lm1"]).shared_names == 1
    erase(own, "lm1", "w9")
    assert [one.body["text"] for one in notebook.entries("note")] == ["*** 比李明华强，***亦然"]


KILLED = """
import os, signal, sys
from pathlib import Path
from graph.server.database import connect
from graph.server.location import find_running_server
from graph.settings import Settings
from loaders.erasure import completion, person_erasure

settings = Settings().model_copy(update={"home_path": Path(sys.argv[1]), "heap_mb": 768})

def die(*given, **more):
    if "with its server" in sys.argv:
        os.kill(find_running_server(settings).pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)

module, name = sys.argv[2].split(".")
setattr({"completion": completion, "person_erasure": person_erasure}[module], name, die)
if "middle" in sys.argv:
    from graph.store import erasure
    erasure._ERASE_NODES_STATEMENTS = ()
    erasure.delete_old_undo_images = die
with connect(settings) as database:
    person_erasure.erase_people(database, [sys.argv[3]], by="steward")
"""


@pytest.mark.parametrize(
    "again", [[], pytest.param(["with its server"], marks=pytest.mark.soak)], ids=len
)
def test_an_erasure_that_was_killed_is_completed(
    again: list[str], searched: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`again`: whether the server is killed a second time, when all it has is committed."""
    settings, home = searched.settings, searched.settings.home
    first = write(tmp_path / "first", FIRST)
    load(searched, first)
    load(searched, write(tmp_path / "second", SECOND))
    take_snapshot(searched, settings)

    def kill(place: str, person: str, *more: str) -> None:
        command = [sys.executable, "-c", KILLED, str(home), place, person, *more]
        killed = subprocess.run(command, cwd=ROOT, check=False, env=dict(os.environ))
        assert killed.returncode == -signal.SIGKILL
        assert (home / "erasure" / "order.json").exists()

    # In the middle of the graph: the figures are those before it, and say so.
    kill("completion._log_erasure", IDS[0], "middle", "with its server")
    state = read_graph_state(searched)
    assert state.unfinished is not None
    assert state.unfinished.condition == "erasing broken off"
    assert "shicheng forget" in str(state.said())
    assert take_snapshot(searched, settings).revision == 2
    complete_broken_erasure(searched)
    terms = (*IDS, NAMES[1], *CERTIFICATES)
    assert hold_bytes(home, *terms) == hold_packed(home, *terms) == set()
    restated = find_erasure_restatement(searched, 2, 3)
    assert restated is not None and restated.national["difference"][0] == -1
    # The order is written, the graph untouched: the next load completes it, and is barred. What
    # it does to Neo4j's files is shown above.
    kill("person_erasure.complete_erasure", "w2")
    with monkeypatch.context() as patched:
        patched.setattr(completion, "rebuild_store", lambda *given, **more: None)
        load(searched, first)
    assert not searched.read(
        "MATCH (p:Person) WHERE p.person_id IN $ids RETURN p", {"ids": [*IDS, "w2"]}
    )
    assert read_graph_state(searched).revision == 5
    # The store is written anew, and the restatement is left to do: another erasure completes it.
    kill("completion._write_restatement", "w1", *again)
    with monkeypatch.context() as patched:
        patched.setattr(completion, "rebuild_store", lambda *given, **more: None)
        assert erase(searched, "w3").revision == 7
    assert len(list_erased_people(home)) == 4
    assert not (home / "erasure").exists() and not list((home / "loads").iterdir())
    assert [one["erased"] for one in list_loads(searched)] == [1, 1, None, 1, 1, None, None]


def test_no_byte_of_the_person_is_left_in_the_data_folder(
    searched: Database, tmp_path: Path
) -> None:
    settings, home = searched.settings, searched.settings.home
    load(searched, write(tmp_path / "first", FIRST))
    load_driven(take_snapshot(searched, settings), Policy())
    load(searched, write(tmp_path / "second", SECOND))
    before = load_driven(take_snapshot(searched, settings), Policy())
    fill_notebook(home)
    (home / "backup.dump").write_bytes(b"packed")
    pairs = {"person_a": [IDS[0], "w1"], "person_b": ["w1", "w2"]}
    pl.DataFrame(pairs).write_parquet(home / "review-pairs.parquet")
    digest = build_id_digester(home)(NUMBER)
    terms = (*IDS, *NAMES, *CERTIFICATES, digest)
    plan = plan_erasure(searched, [IDS[1]])
    assert (plan.people, plan.ids, plan.shared_names) == (1, 2, 0)
    assert plan.places == (("Studio", "s1"),)
    assert plan.files.refusals and plan.files.reports and plan.files.snapshots == 2
    assert (plan.files.entries, plan.files.pairs) == (6, 1)
    held = hold_bytes(home, *terms)
    assert any("neo4j/data/transactions" in path for path in held)
    assert {"notebook.sqlite", "review-pairs.parquet"} <= held

    outcome = erase(searched, IDS[1])

    # The studio goes by its leader's name: it is listed, and stays.
    left = {NAMES[0]}
    assert (
        hold_bytes(home, *(set(terms) - left)) == hold_packed(home, *(set(terms) - left)) == set()
    )
    assert [one.path.name for one in outcome.backups] == ["backup.dump"]
    assert outcome.files == plan.files.__class__(
        **{**plan.files.__dict__, "uploads": outcome.files.uploads}
    )
    assert not (home / "erasure").exists()
    notes = [entry.body["text"] for entry in Notebook(home).entries("note")]
    assert notes == ["由***（***）推荐，表现好"]
    assert [one.subject for one in Notebook(home).entries("decision")] == ["targets:w1"]
    assert [one.pair for one in list_judgements(home)] == [("w1", "w2")]
    assert pl.read_parquet(home / "review-pairs.parquet").rows() == [("w1", "w2")]
    refused = [pl.read_csv(path) for path in sorted((home / "rejects").glob("*.csv"))]
    assert {"***"} <= set(pl.concat(refused)["value"])
    log = (home / ACTIVITY_LOG_NAME).read_text("utf-8").splitlines()
    assert [json.loads(line)["what"] for line in log] == ["erase"]
    restated = find_erasure_restatement(searched, 2, 3)
    assert restated is not None
    figures = dict(restated.national.select("figure", "difference").iter_rows())
    # The person, who was driven too, and one apprentice; the other has another master.
    assert (figures["leading_talents"], figures["driven_persons"]) == (-1, -2)
    now = measure_driven(take_snapshot(searched, settings), Policy())
    assert now.national["driven_persons"] - before.national["driven_persons"] == -2
    assert restated.causes.select("kind", "change", "people", "reason").rows() == [
        ("erased", "removed", 1, "erased at request")
    ]
    assert [one.revision for one in list_cached_snapshots(searched, settings)] == [3]
    newest = list_loads(searched)[0]
    assert (newest["loader"], newest["erased"]) == ("erase", 1)
    with pytest.raises(UsageError, match="was erased on"):
        erase(searched, IDS[0])
    with pytest.raises(UsageError, match="nobody of the graph"):
        erase(searched, "nobody")
    with pytest.raises(UsageError, match="must not name the person"):
        erase(searched, "w1", reason="w1 asked for it 徒甲")
    embedded.stop_server(settings)
    assert hold_bytes(home, *(set(terms) - left)) == set()
    named = {path.split("/")[0] for path in hold_bytes(home, NAMES[0])}
    assert named <= {"neo4j", "snapshots"}


def test_rules_take_what_is_old_and_nothing_else(
    own: Database, kept_store: None, tmp_path: Path
) -> None:
    home = own.settings.home
    load(own, write(tmp_path / "first", FIRST))
    load(own, write(tmp_path / "second", SECOND))
    take_snapshot(own, own.settings)
    assert plan_retention(own) == []
    (home / "retention.yaml").write_text(
        "refused_rows_days: 10\nload_reports_days: 20\nundo_images_days: 5\nsnapshots_days: 3\n"
        "uploads: true\nbackups_days: 400\npeople_silent_years: 3\n"
    )
    (home / "old.dump").write_bytes(b"packed")
    today = dt.datetime.now(dt.UTC).date()
    nothing = {one.rule: one.count for one in plan_retention(own)}
    assert set(nothing.values()) == {0} and len(nothing) == 7
    later = today + dt.timedelta(days=15)
    counts = {one.rule: one.count for one in apply_retention(own, by="m", today=later)}
    assert counts == {
        "refused_rows_days": 2,
        "load_reports_days": 0,
        "undo_images_days": 1,
        "snapshots_days": 1,
        "uploads": 0,
        "backups_days": 0,
        "people_silent_years": 0,
    }
    assert not list((home / "rejects").iterdir()) and len(list((home / "reports").iterdir())) == 2
    assert own.read("MATCH (u:Undo) RETURN count(u) AS n") == [{"n": 0}]
    assert [one.revision for one in list_cached_snapshots(own, own.settings)] == [2]
    # Leading talents stay; w1 has a mentorship of a newer day.
    far = dt.date(today.year + 4, 1, 1)
    extra = {"mentorships": f"mentor_id,apprentice_id,start,source\nt2,w1,{far},hr\n"}
    load(own, write(tmp_path / "third", extra))
    far = far + dt.timedelta(days=365)
    taken = {one.rule: one for one in apply_retention(own, by="m", today=far)}
    assert taken["people_silent_years"].count == 2
    assert taken["backups_days"].count == 1 and not (home / "old.dump").exists()
    people = own.read("MATCH (p:Person) RETURN collect(p.person_id) AS ids")[0]["ids"]
    assert sorted(people) == sorted([min(IDS), "t2", "w1"])
    assert list_erased_people(home) == []
    newest = list_loads(own)[0]
    assert newest["erasure_reason"] == "retention rule people_silent_years: 3"
    log = (home / ACTIVITY_LOG_NAME).read_text("utf-8")
    assert not any(id in log for id in (*IDS, "w2", "w3"))


def test_the_commands_of_the_page_run(own: Database, kept_store: None, tmp_path: Path) -> None:
    home = own.settings.home
    load(own, CASES[0])
    given = {"SHICHENG_HOME": str(home), "SHICHENG_HEAP_MB": "768", "SHICHENG_LANG": "en"}
    page = (ROOT / "docs" / "erasure.md").read_text("utf-8")
    said = {}
    for command in re.findall(r"^\$ shicheng (.*)$", page, re.MULTILINE):
        done = run_here(shlex.split(command), given, tmp_path)
        assert done.returncode == 0, (command, done.stderr)
        said[command] = done.stdout
    assert "people\t1" in said["forget p0034 --dry-run"]
    assert "1 people erased" in said['forget p0034 --yes --reason "request 2026-113"']
    assert "leading_talents\t12\t11\t-1" in said["diff 1 2"]
    assert "erased\tremoved\t1\trequest 2026-113" in said["diff 1 2"]
    (digest,) = re.findall("[0-9a-f]{32}", said["forget --list"])
    assert digest in said["forget --allow p0034"]
    refused = run_here(["forget", "p0035"], given)
    assert refused.returncode == 4 and "--dry-run" in refused.stderr
    assert run_here(["forget", "p0035", "--list"], given).returncode == 2
    assert run_here(["diff", "1", "2", "--generations", "2"], given).returncode == 2
    answer = json.loads(run_here(["diff", "1", "2", "--json"], given).stdout)
    assert answer["causes"][0]["kind"] == "erased"
    notice = run_here(["national"], given).stderr
    assert "Revision 2 erases 1 people" in notice
