"""Loads on a live Neo4j: once, twice, from several sources, complete, killed half way."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from graph.messages import Message
from graph.model.constraints import build_schema_statements
from graph.server.database import Database, connect
from graph.server.location import load_server_password
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.digest import compute_store_digest, format_canonical_lines
from loaders import folder, wikidata
from loaders.load_nodes import MAX_LOAD_JOURNALS, compute_data_folder_id, finish_load
from loaders.reports import LoadReport
from loaders.sync import load_records
from loaders.undoing import undo_finished_load
from tests.emptying import emptied

pytestmark = pytest.mark.lts
ROOT = Path(__file__).parents[2]
WIKIDATA = ROOT.parent / "shared" / "data" / "wikidata_mentors"

PEOPLE = "person_id,name,province,occupation_code,enterprise_id\n"
BASE = {
    "people": PEOPLE + "p1,王一,32,6-18,e1\np2,李二,江苏,,e1\np3,Zhao San,,,\n",
    "enterprises": "enterprise_id,name,province\ne1,第一机床厂,32\n",
    "studios": "studio_id,name,kind,host_id\ns1,王一工作室,skill_master,e1\n",
    "schools": "school_id,name\nsc1,技师学院\n",
    "talents": "person_id,basis,recognised_on\np1,全国技术能手,2020-05-01\n",
    "mentorships": "mentor_id,apprentice_id,start\np1,p2,2021-03-01\np2,p3,\n",
    "recognitions": "person_id,level,date\np2,高级工,2024-06-01\n",
    "studio_leads": "studio_id,person_id,start\ns1,p1,2020-01-01\n",
    "trainings": "person_id,place_id,start,end\np3,s1,2022-01-01,\np3,sc1,2021-01-01,2021-02-01\n",
    "training_targets": "person_id,listed_on,reason\np3,2024-01-01,young\n",
    "targets": "scope,year,leading_talents,high_skilled\n全国,2026,15000,5000000\n",
}

UNION = {
    "people": "person_id,name,sex\np1,王一,男\n",
    "mentorships": "mentor_id,apprentice_id,start\np1,p2,2021-03-01\np3,p1,\n",
}


def write(path: Path, tables: Mapping[str, str]) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for old in path.iterdir():
        old.unlink()
    for table, text in tables.items():
        (path / f"{table}.csv").write_text(text, "utf-8")
    return path


def load(
    database: Database, settings: Settings, *paths: Path, complete: bool = False, gone: str = ""
) -> LoadReport:
    """`gone`: tables of which a complete load's sources state nothing any more."""
    tables = folder.get(paths)
    today = dt.date(2026, 11, 23)
    return load_records(
        database,
        "folder",
        tables,
        home=settings.home,
        complete=complete,
        agreed=bool(gone),
        withdrawn=gone.split(),
        today=today,
    )


ALL_BUT_PEOPLE = " ".join(
    (
        "enterprises",
        "studios",
        "schools",
        "talents",
        "mentorships",
        "recognitions",
        "studio_leads",
        "trainings",
        "training_targets",
        "targets",
    )
)


def one(database: Database, statement: str) -> object:
    (row,) = database.read(statement)
    return next(iter(row.values()))


def test_a_first_load_makes_the_schema(
    bare_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(bare_database, settings, write(tmp_path / "hr", BASE))
    serving = bare_database.read("SHOW INDEXES YIELD name, state WHERE state = 'ONLINE'")
    assert {name for name, _ in build_schema_statements()} <= {row["name"] for row in serving}


def test_what_a_folder_becomes(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    report = load(empty_database, settings, write(tmp_path / "hr", BASE))
    assert (report.read, report.accepted, report.refused) == (15, 15, 0)
    row = empty_database.read(
        "MATCH (t:LeadingTalent)-[n:NAMED]->(h:Honour), (t)-[m:MENTORS]->(a:Apprentice) "
        "RETURN t.name AS name, h.honour AS basis, n.recognised_on AS named, m.start AS start, "
        "m.row AS row, m.sources AS sources, a.person_id AS apprentice"
    )
    assert row == [
        {
            "name": "王一",
            "basis": "national_technical_expert",
            "named": dt.date(2020, 5, 1),
            "start": dt.date(2021, 3, 1),
            "row": "mentorships.csv:2",
            "sources": "hr",
            "apprentice": "p2",
        }
    ]
    assert one(empty_database, "MATCH (g:Goal) RETURN g.goal_id") == "national|2026"
    assert one(empty_database, "MATCH (p:TrainingTarget) RETURN p.training_target_row") == (
        "training_targets.csv:2"
    )
    places = "MATCH (:Person {person_id: 'p3'})-[:TRAINED_AT]->(x) RETURN collect(labels(x)[0])"
    assert sorted(one(empty_database, places)) == ["School", "Studio"]  # type: ignore[arg-type]
    assert one(empty_database, "MATCH (s:Studio)-[:HOSTED_BY]->(e) RETURN e.name") == "第一机床厂"
    bare = "MATCH (n:!Load&!Change) WHERE n.sources IS NULL OR n.load IS NULL RETURN count(n)"
    assert one(empty_database, bare) == 0
    bare = "MATCH ()-[r]->() WHERE r.sources IS NULL OR r.row IS NULL RETURN count(r)"
    assert one(empty_database, bare) == 0
    named = "MATCH ()-[r]->() WHERE r.load IS NOT NULL RETURN count(r)"
    assert one(empty_database, named) == 0


def test_a_code_that_is_also_a_provinces_is_no_province(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    tables = {"people": PEOPLE + "p1,王一,32,32,\n"}
    load(empty_database, settings, write(tmp_path / "hr", tables))
    assert one(empty_database, "MATCH (o:Occupation {code: '32'}) RETURN o.name") is None
    assert one(empty_database, "MATCH (o:Province {code: '32'}) RETURN o.name") == "江苏"


def test_names_are_found_by_part(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write(tmp_path / "hr", BASE))
    empty_database.read("CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()")
    found = empty_database.read(
        "CALL db.index.fulltext.queryNodes('names', '机床') YIELD node RETURN node.name AS name"
    )
    assert found == [{"name": "第一机床厂"}]


def test_loading_twice_changes_nothing(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = write(tmp_path / "hr", BASE)
    load(empty_database, settings, path)
    once = compute_store_digest(empty_database)
    again = load(empty_database, settings, path)
    assert compute_store_digest(empty_database) == once
    assert again.revision == 2


def test_a_change_is_seen_in_the_digest(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write(tmp_path / "hr", BASE))
    once = compute_store_digest(empty_database)
    changed = BASE | {"recognitions": "person_id,level,date\np2,5,2024-06-01\n"}
    load(empty_database, settings, write(tmp_path / "hr", changed))
    assert compute_store_digest(empty_database) != once


def test_a_delta_moves_links_and_empties_cells(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write(tmp_path / "hr", BASE))
    delta = {
        "enterprises": "enterprise_id,name\ne2,第二机床厂\n",
        "people": PEOPLE + "p1,王一,44,,e2\np2,李二,,,\n",
    }
    load(empty_database, settings, write(tmp_path / "hr", delta))
    person = (
        "MATCH (p:Person {person_id: $id}) RETURN p.province AS province, "
        "[(p)-[:IN_PROVINCE]->(x) | x.code] AS provinces, "
        "[(p)-[:EMPLOYED_BY]->(x) | x.enterprise_id] AS enterprises, "
        "[(p)-[:PRACTISES]->(x) | x.code] AS occupations"
    )
    assert empty_database.read(person, {"id": "p1"}) == [
        {"province": "44", "provinces": ["44"], "enterprises": ["e2"], "occupations": []}
    ]
    assert empty_database.read(person, {"id": "p2"}) == [
        {"province": None, "provinces": [], "enterprises": [], "occupations": []}
    ]
    assert one(empty_database, "MATCH (:Person)-[m:MENTORS]->() RETURN count(m)") == 2


def test_two_sources_state_one_person(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    hr = write(tmp_path / "hr", BASE)
    union = write(
        tmp_path / "union",
        {
            "people": "person_id,name,sex\np1,王一,男\n",
            "mentorships": "mentor_id,apprentice_id,start\np1,p2,2021-03-01\n",
        },
    )
    load(empty_database, settings, hr, union)
    person = "MATCH (p:Person {person_id: 'p1'}) RETURN p.sex + p.province + p.sources[1]"
    assert one(empty_database, person) == "male32union"
    shared = "MATCH ({person_id: 'p1'})-[m:MENTORS]->({person_id: 'p2'}) RETURN m.sources"
    assert one(empty_database, shared) == ["hr", "union"]


def test_a_complete_statement_takes_back_what_it_no_longer_states(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    union = {"people": "person_id,name\np3,Zhao San\n"}
    load(empty_database, settings, write(tmp_path / "union", union))
    load(empty_database, settings, write(tmp_path / "hr", BASE))
    less = {"people": PEOPLE + "p9,钱九,,,\n"}
    report = load(
        empty_database,
        settings,
        write(tmp_path / "hr", less),
        complete=True,
        gone=ALL_BUT_PEOPLE,
    )
    people = "MATCH (p:Person) RETURN collect(p.person_id)"
    assert sorted(one(empty_database, people)) == ["p3", "p9"]  # type: ignore[arg-type]
    assert one(empty_database, "MATCH ()-[r]->() RETURN count(r)") == 0
    labels = "MATCH (p:Person {person_id: 'p3'}) RETURN labels(p)"
    assert one(empty_database, labels) == ["Person"]
    assert report.removed["MENTORS"] == 2


def test_a_store_whose_relations_name_their_load_and_list_one_source_goes_on_the_same(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    """So the version before wrote them."""
    hr, union = write(tmp_path / "hr", BASE), write(tmp_path / "union", UNION)
    less = {**BASE, "mentorships": "mentor_id,apprentice_id,start\np1,p2,2021-03-01\n"}
    later = write(tmp_path / "later" / "hr", less)
    found = []
    for is_older in (False, True):
        emptied(empty_database)
        load(empty_database, settings, hr)
        if is_older:
            empty_database.write(
                "MATCH (l:Load) MATCH ()-[x]->() SET x.load = l.load_id, x.sources = [] + x.sources"
            )
        load(empty_database, settings, union)
        lines = [*format_canonical_lines(empty_database)]
        report = load(empty_database, settings, later, complete=True, gone="recognitions")
        assert report.removed["MENTORS"] == 1
        frames = take_snapshot(empty_database, settings).frames
        ties = frames["mentorships"].select("mentor", "apprentice", "row", "sources").collect()
        found.append((lines, [*format_canonical_lines(empty_database)], ties.rows()))
        undo_finished_load(empty_database, "3", "test")
        assert [*format_canonical_lines(empty_database)] == lines
    assert found[0] == found[1]


def test_the_complete_load_of_the_same_changes_nothing(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = write(tmp_path / "hr", BASE)
    load(empty_database, settings, path)
    once = compute_store_digest(empty_database)
    report = load(empty_database, settings, path, complete=True)
    assert (report.removed, compute_store_digest(empty_database)) == ({}, once)


def journal(database: Database, revision: int) -> dict[str, list[str]]:
    rows = database.read(
        "MATCH (l:Load {revision: $revision}) WHERE l.journal "
        "MATCH (c:Change {load_id: l.load_id}) UNWIND coalesce(c.keys, []) + [null] AS key "
        "RETURN c.frame AS frame, collect(DISTINCT key) AS keys",
        {"revision": revision},
    )
    return {row["frame"]: sorted(row["keys"]) for row in rows}


def test_the_journal_says_what_a_load_touched(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write(tmp_path / "hr", BASE))
    assert journal(empty_database, 1) == {"*": []}
    delta = {
        "people": PEOPLE + "p2,李二,44,,\n",
        "mentorships": "mentor_id,apprentice_id\np3,p2\n",
        "training_targets": "person_id,listed_on\np1,2025-01-01\n",
    }
    load(empty_database, settings, write(tmp_path / "hr", delta))
    assert journal(empty_database, 2) == {
        "Person": ["p1", "p2"],
        "Province": ["44"],
        "IN_PROVINCE": ["p2"],
        "EMPLOYED_BY": ["p2"],
        "MENTORS": ["p3"],
    }
    less = {"people": PEOPLE + "p1,王一,32,6-18,\n"}
    load(
        empty_database,
        settings,
        write(tmp_path / "hr", less),
        complete=True,
        gone=ALL_BUT_PEOPLE,
    )
    went = journal(empty_database, 3)
    assert went["MENTORS"] == ["p1", "p2", "p3"]
    assert went["Person"] == ["p1", "p2", "p3"]
    assert (went["Studio"], went["RECOGNISED"], went["Goal"]) == (["s1"], ["p2"], ["national|2026"])


def test_the_journal_keeps_what_a_killed_load_touched_and_the_newest_loads(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = write(tmp_path / "hr", BASE)
    load(empty_database, settings, path)
    empty_database.write(
        "CREATE (:Load {load_id: 'killed', sources: ['hr']}), "
        "(:Change {load_id: 'killed', frame: 'LEADS', keys: ['p9']})"
    )
    load(empty_database, settings, path)
    assert journal(empty_database, 2)["LEADS"] == ["p1", "p9"]
    for _ in range(MAX_LOAD_JOURNALS - 1):
        load(empty_database, settings, write(tmp_path / "hr", {"people": PEOPLE + "p1,王一,,,\n"}))
    assert journal(empty_database, 1) == {}
    assert journal(empty_database, 2) != {}


def test_the_end_of_a_load_leaves_loads_of_other_data_folders_alone(
    empty_database: Database, settings: Settings
) -> None:
    secret = SecretStr(load_server_password(settings))
    named = settings.model_copy(update={"neo4j_uri": empty_database.uri, "neo4j_password": secret})
    with connect(named) as server:
        here = compute_data_folder_id(server)
        begun = [
            ("ends", ["hr"], here),
            ("cut short", ["hr"], here),
            ("same source", ["hr"], "elsewhere"),
            ("merges people", [], "elsewhere"),
        ]
        server.write(
            "UNWIND $begun AS one CREATE (:Load {load_id: one[0], sources: one[1], undo: one[2]}), "
            "(:Change {load_id: one[0], frame: 'LEADS', keys: []})",
            {"begun": begun},
        )
        assert finish_load(server, "ends") == 1
        left = "MATCH (l:Load) WHERE l.finished_at IS NULL RETURN l.load_id AS id ORDER BY id"
        assert [row["id"] for row in server.read(left)] == ["merges people", "same source"]
        journals = "MATCH (c:Change) RETURN c.load_id AS id, count(*) AS n ORDER BY id"
        assert [(row["id"], row["n"]) for row in server.read(journals)] == [
            ("ends", 2),
            ("merges people", 1),
            ("same source", 1),
        ]


def test_rows_that_differ_beside_an_equal_key_are_both_kept(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    trainings = (
        "person_id,place_id,start,end\np3,s1,2022-01-01,2022-02-01\np3,s1,2022-01-01,\n"
        "p3,s1,2022-01-01,\n"
    )
    path = write(tmp_path / "hr", BASE | {"trainings": trainings})
    load(empty_database, settings, path)
    rows = "MATCH (:Person)-[t:TRAINED_AT]->() WITH t ORDER BY t.row RETURN collect(t.row)"
    assert one(empty_database, rows) == ["trainings.csv:2", "trainings.csv:3;trainings.csv:4"]


def test_unknown_references(empty_database: Database, settings: Settings, tmp_path: Path) -> None:
    tables = {
        "people": PEOPLE + "p1,王一,,,nowhere\np2,,,,\n",
        "mentorships": "mentor_id,apprentice_id\np1,p2\np1,p9\n",
    }
    report = load(empty_database, settings, write(tmp_path / "hr", tables))
    found = report.findings.sort("file", "row").select("file", "row", "column", "kind").rows()
    assert found == [
        ("mentorships.csv", 2, "apprentice_id", "refused"),
        ("mentorships.csv", 3, "apprentice_id", "refused"),
        ("people.csv", 2, "enterprise_id", "remark"),
        ("people.csv", 3, "name", "refused"),
    ]
    assert "was refused" in report.findings.sort("file", "row")["reason"][0]
    assert (report.read, report.accepted, report.refused) == (4, 1, 3)


def test_a_table_without_a_required_column_does_not_stop_the_others(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    tables = BASE | {"mentorships": "mentor_id,start\np1,2021-03-01\n"}
    report = load(empty_database, settings, write(tmp_path / "hr", tables))
    assert (report.read, report.accepted, report.refused) == (14, 13, 1)
    assert one(empty_database, "MATCH (p:Person) RETURN count(p)") == 3


def test_a_reference_may_stand_in_the_store(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write(tmp_path / "hr", BASE))
    later = {"mentorships": "mentor_id,apprentice_id,start\np3,p1,2024-01-01\n"}
    assert load(empty_database, settings, write(tmp_path / "union", later)).accepted == 1


def test_one_id_for_two_places_is_refused(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    tables = BASE | {
        "schools": "school_id,name\ns1,也叫s1\n",
        "trainings": "person_id,place_id\np3,s1\n",
    }
    report = load(empty_database, settings, write(tmp_path / "hr", tables))
    assert "more than one" in report.findings["reason"][0]
    assert report.refused == 1


def test_a_dry_run_writes_nothing(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = write(tmp_path / "hr", BASE)
    report = load_records(
        empty_database, "folder", folder.get([path]), home=settings.home, dry_run=True
    )
    assert (report.accepted, report.revision) == (15, None)
    assert one(empty_database, "MATCH (n) RETURN count(n)") == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from graph.server.database import connect
from graph.server.location import find_running_server
from graph.settings import Settings
from loaders import folder
from loaders.sync import load_records
from loaders.undoing import undo_finished_load

settings = Settings().model_copy(update={"home_path": Path(sys.argv[1]), "heap_mb": 768})
after, batches = int(sys.argv[3]), 0

def progress(what, done, total):
    global batches
    batches += what == "write"
    if batches == after:
        os.kill(find_running_server(settings).pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

with connect(settings) as database:
    tables = folder.get([Path(sys.argv[2])])
    load_records(database, "folder", tables, home=settings.home, progress=progress)
"""


@pytest.mark.parametrize("places", [[7], pytest.param([3, 7], marks=pytest.mark.soak)])
def test_killed_half_way_then_loaded_again_is_as_never_killed(
    places: list[int],
    empty_database: Database,
    second_database: Database,
    settings: Settings,
    second: Settings,
    tmp_path: Path,
) -> None:
    """`places`: after how many batches the load and its server are killed."""
    path = write(tmp_path / "hr", BASE)
    load(empty_database, settings, path)
    clean = list(format_canonical_lines(empty_database))
    for after in places:
        command = [sys.executable, "-c", KILLED, str(second.home), str(path), str(after)]
        killed = subprocess.run(command, cwd=ROOT, env={**os.environ}, check=False)
        assert killed.returncode == -signal.SIGKILL
        unfinished = "MATCH (l:Load) WHERE l.finished_at IS NULL RETURN count(l)"
        assert one(second_database, unfinished) == 1
        said: list[Message] = []
        tables = list(folder.get([path]))
        load_records(second_database, "folder", tables, home=second.home, say=said.append)
        assert any("goes on at row" in str(line) for line in said)
        assert one(second_database, unfinished) == 0
        assert list(format_canonical_lines(second_database)) == clean
        emptied(second_database)


@pytest.mark.shared
@pytest.mark.skipif(not WIKIDATA.exists(), reason="../shared is absent")
def test_wikidata_mentors(empty_database: Database, settings: Settings) -> None:
    def again() -> LoadReport:
        return load_records(
            empty_database, "wikidata", wikidata.get([WIKIDATA]), home=settings.home
        )

    report = again()
    counts = "MATCH (a:Person)-[m:MENTORS]->(b:Person) WITH count(m) AS pairs "
    assert empty_database.read(counts + "MATCH (p:Person) RETURN pairs, count(p) AS people") == [
        {"pairs": 623, "people": 880}
    ]
    read = {(t.table, t.read, t.accepted) for t in report.tables}
    assert ("mentorships", 712, 712) in read
    assert report.read == report.accepted + report.refused
    assert set(report.findings["value"]) == {"position"}
    once = compute_store_digest(empty_database)
    again()
    assert compute_store_digest(empty_database) == once
