"""People without ID numbers: matched, merged in a load of their own, decided on, parted again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.errors import UsageError
from graph.people.aliases import count_merged_ids
from graph.programme.notebook import Notebook
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.digest import format_canonical_lines
from loaders.matching.judgements import list_judgements, save_judgement
from loaders.matching.pair_decisions import decide_pair
from loaders.matching.people_matching import load_review_queue, match_people
from loaders.undoing import undo_finished_load
from tests.emptying import emptied
from tests.live.shell import run_here
from tests.live.test_bulk import write
from tests.live.test_person_identity import (
    LEVELS,
    MASTER,
    OTHER,
    TALENTS,
    TIES,
    count,
    fail,
    load,
    people_of,
)
from tests.live.visiting import text
from ui.pages import PAGES


@pytest.fixture(autouse=True)
def no_judgements(settings: Settings, second: Settings) -> Iterator[None]:
    """No decision of one test is known to another."""
    for each in (settings, second):
        forget_judgements(each)
    yield
    for each in (settings, second):
        forget_judgements(each)


def forget_judgements(settings: Settings) -> None:
    notebook = Notebook(settings.home)
    for entry in notebook.entries("identity", most=10_000):
        notebook.remove(entry.id, entry.owner)


HEADER = "人员编号,姓名,性别,出生日期,身份证号,省份,职业代码,企业编号\n"
COMPANIES = (
    "企业编号,企业名称,省份\n{mark}E1,江苏远航重工有限公司,江苏\n{mark}E2,苏州精测机电,江苏\n"
)


def write_department(folder: Path, mark: str, rows: tuple[str, ...], **more: str) -> Path:
    """A department's folder; 300 people nobody else knows make its shares those of a list."""
    shift = 400 * (mark > "M")
    others = "".join(
        f"{mark}X{at},{'王李张刘'[at % 4]}{chr(0x4E10 + at + shift)},男,"
        f"{1960 + (at + shift) % 37}-0{1 + at % 9}-{10 + at % 19},,{11 + at % 5},"
        f"6-{(at + shift) % 30:02d}-01-01,\n"
        for at in range(300)
    )
    people = HEADER + "".join(f"{row}\n" for row in rows) + others
    tables = {"people": people, "enterprises": COMPANIES.format(mark=mark), **more}
    return write(folder, tables)


def first_department(tmp_path: Path, number: str = "") -> Path:
    return write_department(
        tmp_path / "renshe",
        "G",
        (
            f"G001,欧阳建国,男,1970-01-01,{number},江苏,6-18-01-01,GE1",
            "G011,司徒小明,男,1990-05-06,,江苏,6-18-02-04,GE1",
        ),
        talents=TALENTS + "G001,全国技术能手,2023-01-01\n",
        mentorships=TIES + "G001,G011,2022-03-01\n",
    )


def second_department(tmp_path: Path, number: str = "") -> Path:
    return write_department(
        tmp_path / "xuexiao",
        "S",
        (
            f"S100,歐陽建國,男,1970-01-01,{number},32,6-18-01-01,SE1",
            "S200,司徒小铭,男,1990-05-06,,32,6-18-02-04,SE1",
        ),
        recognitions=LEVELS + "S200,三级/高级工,2024-06-01,S000032001000243000001\n",
    )


def known_people(database: Database) -> list[tuple[str, list[str]]]:
    return [(id, aliases) for id, aliases in people_of(database) if "X" not in id]


def test_the_same_people_are_merged_once_and_the_number_is_right(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, first_department(tmp_path))
    load(empty_database, settings, second_department(tmp_path))
    assert count(empty_database, settings) == (1, 0, 0)
    before = [*format_canonical_lines(empty_database)]
    dry = match_people(empty_database, dry_run=True)
    assert (dry.probable, dry.revision) == (2, None)
    assert [*format_canonical_lines(empty_database)] == before
    report = match_people(empty_database)
    assert (report.people, report.probable, report.decided) == (604, 2, 0)
    assert known_people(empty_database) == [("G001", ["S100"]), ("G011", ["S200"])]
    assert count(empty_database, settings) == (1, 1, 1)
    snapshot = take_snapshot(empty_database, settings)
    assert snapshot.revision == report.revision == 3
    assert count_merged_ids(snapshot) == {
        "id_number": 0,
        "certificate": 0,
        "name": 0,
        "probable": 2,
        "decided": 0,
    }
    (merge,) = empty_database.read(
        "MATCH (:PersonAlias {alias_id: 'S100'})-[x:IDENTIFIES]->() "
        "RETURN x.basis AS basis, x.probability AS probability"
    )
    assert merge["basis"] == "probable" and 0.985 < merge["probability"] <= 1
    # Matching again changes nothing, and what a department sends again goes to the same people.
    after = [*format_canonical_lines(empty_database)]
    again = match_people(empty_database)
    assert (again.probable, again.revision) == (0, None)
    load(empty_database, settings, second_department(tmp_path))
    assert [*format_canonical_lines(empty_database)] == after


def test_a_matching_is_undone_exactly_and_can_be_done_again(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, first_department(tmp_path))
    load(empty_database, settings, second_department(tmp_path))
    before = [*format_canonical_lines(empty_database)]
    match_people(empty_database)
    matched = [*format_canonical_lines(empty_database)]
    undone = undo_finished_load(empty_database, "3", "clerk")
    assert (undone.undone_revision, undone.revision) == (3, 4)
    assert [*format_canonical_lines(empty_database)] == before
    assert count(empty_database, settings) == (1, 0, 0)
    merged = count_merged_ids(take_snapshot(empty_database, settings))
    assert merged == {"id_number": 0, "certificate": 0, "name": 0, "probable": 0, "decided": 0}
    assert match_people(empty_database).revision == 5
    assert [*format_canonical_lines(empty_database)] == matched
    assert count(empty_database, settings) == (1, 1, 1)


def test_the_overview_says_on_how_many_merges_its_figures_rest(
    empty_database: Database, settings: Settings, tmp_path: Path, app: Callable[..., AppTest]
) -> None:
    load(empty_database, settings, first_department(tmp_path))
    load(empty_database, settings, second_department(tmp_path))
    st.cache_resource.clear()
    st.cache_data.clear()
    said = text(app("overview", lang="en"))
    assert "merged ids" not in said and "This part of the page failed" not in said
    assert "Breakdown" in said  # nobody is driven yet: by what there is
    match_people(empty_database)
    said = text(app("overview", lang="en"))
    assert (
        "The figures rest on 2 merged ids of people: 0 by citizen ID number, 0 by certificate "
        "number, 2 by probability, 0 by decision." in said
    )
    assert "This part of the page failed" not in said


def test_every_page_stands_before_and_after_people_were_merged(
    empty_database: Database, settings: Settings, tmp_path: Path, app: Callable[..., AppTest]
) -> None:
    """At first nobody is driven; then one worker is, by way of two merged ids."""
    load(empty_database, settings, first_department(tmp_path))
    load(empty_database, settings, second_department(tmp_path))
    for driven in (0, 1):
        assert count(empty_database, settings)[1] == driven
        st.cache_resource.clear()
        st.cache_data.clear()
        for page in PAGES:
            shown = {"id": "S100" if driven else "G001"} if page in ("lineage", "talent") else {}
            test = app(page, lang="en", **shown)
            assert not test.exception, page
            assert "This part of the page failed" not in text(test), page
        match_people(empty_database)


def test_the_commands_of_the_page_on_identity_run(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, first_department(tmp_path))
    load(empty_database, settings, second_department(tmp_path))
    page = (Path(__file__).parents[2] / "docs" / "identity.md").read_text("utf-8")
    commands = re.findall(r"^\$ (shicheng people .*)$", page, re.MULTILINE)
    assert len(commands) >= 8
    for command in commands:
        words = command.replace("R011", "G011").replace("Q2021", "S200").split()[1:]
        done = run_here(words, {"SHICHENG_HOME": str(settings.home)}, tmp_path)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert (tmp_path / "decisions.csv").is_file()


def test_a_decision_parts_who_was_merged_and_outlives_the_store(
    empty_database: Database, second_database: Database, settings: Settings, tmp_path: Path
) -> None:
    paths = first_department(tmp_path), second_department(tmp_path)
    for path in paths:
        load(empty_database, settings, path)
    before = [*format_canonical_lines(empty_database)]
    match_people(empty_database)
    snapshot = take_snapshot(empty_database, settings)
    said = decide_pair(empty_database, "G001", "S100", "different", "li")
    assert str(said).startswith("parted again: S100")
    assert known_people(empty_database)[:2] == [("G001", []), ("G011", ["S200"])]
    match_people(empty_database)
    assert dict(known_people(empty_database))["G001"] == []
    decide_pair(empty_database, "G011", "S200", "different", "li")
    assert [*format_canonical_lines(empty_database)] == before
    # Into an empty store: what was judged different stays apart, what is judged the same is one.
    decide_pair(empty_database, "G011", "S200", "open", "li")
    decide_pair(empty_database, "G011", "S200", "same", "wang")
    emptied(empty_database)
    for path in paths:
        load(empty_database, settings, path)
    found = dict(known_people(empty_database))
    assert found == {"G001": [], "G011": ["S200"], "S100": []}
    assert count(empty_database, settings) == (1, 1, 1)
    match_people(empty_database)
    assert dict(known_people(empty_database)) == found
    # So it does in a store that is made in one step.
    fresh, own = second_database, second_database.settings
    for one in list_judgements(settings.home):
        save_judgement(own.home, *one.pair, one.verdict, one.judged_by)
    load(fresh, own, *paths, bulk_rows=1)
    assert dict(known_people(fresh)) == found
    snapshot = take_snapshot(fresh, own)
    assert count_merged_ids(snapshot) == {
        "id_number": 0,
        "certificate": 0,
        "name": 0,
        "probable": 0,
        "decided": 1,
    }
    # Taken back, the two part again.
    decide_pair(fresh, "G011", "S200", "open", "wang")
    assert dict(known_people(fresh)) == {"G001": [], "G011": [], "S100": [], "S200": []}


def test_two_id_numbers_are_never_merged_nor_decided_so(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, first_department(tmp_path, MASTER))
    load(empty_database, settings, second_department(tmp_path, OTHER))
    match_people(empty_database)
    assert dict(known_people(empty_database))["G001"] == []
    with pytest.raises(UsageError, match="two different citizen ID numbers"):
        decide_pair(empty_database, "G001", "S100", "same", "li")
    with pytest.raises(UsageError, match="master"):
        decide_pair(empty_database, "G001", "G011", "same", "li")
    with pytest.raises(UsageError, match="nobody"):
        decide_pair(empty_database, "G001", "nobody", "same", "li")
    assert list_judgements(settings.home) == []


def test_pairs_in_doubt_wait_until_they_are_judged(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, first_department(tmp_path))
    doubtful = (
        "S100,欧阳建国,男,1970-01-01,,32,6-18-01-01,SE1",
        "S101,欧阳建国,男,1970-01-01,,32,6-18-01-01,SE1",
    )
    load(empty_database, settings, write_department(tmp_path / "xuexiao", "S", doubtful))
    report = match_people(empty_database)
    assert report.probable == 0

    def waiting() -> list[tuple[str, str]]:
        snapshot = take_snapshot(empty_database, settings)
        queue = load_review_queue(snapshot, settings.home, list_judgements(settings.home))
        return sorted(queue.select("person_a", "person_b").rows())

    assert waiting() == [("G001", "S100"), ("G001", "S101"), ("S100", "S101")]
    decide_pair(empty_database, "G001", "S101", "different", "li")
    decide_pair(empty_database, "S100", "S101", "later", "li")
    assert waiting() == [("G001", "S100"), ("S100", "S101")]
    decide_pair(empty_database, "G001", "S100", "same", "li")
    assert waiting() == [("S100", "S101")]
    assert match_people(empty_database).decided == 1
    assert dict(known_people(empty_database)) == {"G001": ["S100"], "G011": [], "S101": []}
    # S100 goes on as G001, who is not S101.
    assert waiting() == []


def test_a_matching_that_fails_leaves_the_store_as_it_was(
    empty_database: Database,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(empty_database, settings, first_department(tmp_path))
    load(empty_database, settings, second_department(tmp_path))
    before = [*format_canonical_lines(empty_database)]
    with monkeypatch.context() as patched:
        patched.setattr("graph.store.identity_merge.delete_identity_nodes", fail)
        with pytest.raises(RuntimeError):
            match_people(empty_database)
    assert [*format_canonical_lines(empty_database)] == before
    assert match_people(empty_database).probable == 2


def test_who_is_stated_twice_by_one_source_is_not_parted(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    rows = (
        "G001,欧阳建国,男,1970-01-01,,江苏,6-18-01-01,GE1",
        "G002,欧阳建国,男,1970-01-01,,江苏,6-18-01-01,GE1",
    )
    load(empty_database, settings, write_department(tmp_path / "renshe", "G", rows))
    assert match_people(empty_database).probable == 0
    decide_pair(empty_database, "G001", "G002", "same", "li")
    assert match_people(empty_database).decided == 1
    before = [*format_canonical_lines(empty_database)]
    with pytest.raises(UsageError, match="under several ids"):
        decide_pair(empty_database, "G001", "G002", "different", "li")
    assert [*format_canonical_lines(empty_database)] == before
    (judged,) = list_judgements(settings.home)
    assert judged.verdict == "different"
