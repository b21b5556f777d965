"""While a load runs, and after one broke off, everybody sees the last complete revision."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.errors import IncompleteError
from graph.policy import Policy
from graph.server import admin, embedded
from graph.server.database import Database, connect
from graph.server.locks import is_load_running
from graph.settings import Settings
from graph.snapshot.take import list_cached_snapshots, take_snapshot
from graph.store.standing import read_graph_state
from loaders import folder
from loaders.sync import load_records
from tests.live.shell import run_here
from tests.live.test_loads import BASE, PEOPLE, write
from tests.live.visiting import text
from ui.controls import downloads
from ui.reading import talent_figures

ROOT = Path(__file__).parents[2]
Open = Callable[..., AppTest]

MORE = {
    "people": PEOPLE + "p1,王一,44,,\np4,赵四,,,\np5,钱五,,,\n",
    "mentorships": "mentor_id,apprentice_id,start\np1,p4,2024-01-01\np1,p5,2024-01-01\n",
    "recognitions": "person_id,level,date\np4,4,2025-06-01\np5,4,2025-06-01\n",
}

PAUSED = """
import sys
from pathlib import Path
from graph.server.database import connect
from graph.settings import Settings
from loaders import folder
from loaders.sync import load_records

settings = Settings().model_copy(update={"home_path": Path(sys.argv[1]), "heap_mb": 768})

def progress(what, done, total):
    if what == sys.argv[3] and done:
        print("paused", flush=True)
        sys.stdin.readline()

bulk = 0 if sys.argv[4] == "bulk" else 10**9
with connect(settings) as database:
    tables = folder.get([Path(sys.argv[2])])
    load_records(database, "folder", tables, home=settings.home, progress=progress, bulk_rows=bulk)
"""


class Paused:
    """A load in a process of its own that waits in the middle."""

    def __init__(self, settings: Settings, path: Path, at: str = "write", how: str = "") -> None:
        arguments = [str(settings.home), str(path), at, how]
        self.process = subprocess.Popen(
            [sys.executable, "-c", PAUSED, *arguments],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "paused\n"

    def killed(self) -> None:
        """Ends it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def went_on(self) -> None:
        """Lets it go on to its end."""
        self.process.communicate("\n" * 1000)
        assert self.process.returncode == 0


@pytest.fixture
def loaded(empty_database: Database, settings: Settings, tmp_path: Path) -> Iterator[Database]:
    path = write(tmp_path / "hr", BASE)
    load_records(empty_database, "folder", folder.get([path]), home=settings.home)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield empty_database
    st.cache_resource.clear()
    st.cache_data.clear()


def command(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_here(arguments, {"SHICHENG_HOME": str(settings.home)})


def test_while_a_load_runs_all_see_the_revision_before_it(
    loaded: Database, settings: Settings, tmp_path: Path, app: Open
) -> None:
    load = Paused(settings, write(tmp_path / "more", MORE))
    try:
        standing = read_graph_state(loaded)
        assert (standing.revision, standing.unfinished and standing.unfinished.condition) == (
            1,
            "running",
        )
        # Nobody had asked for a figure of revision 1: the load itself has stored its tables.
        assert take_snapshot(loaded, settings).frames["people"].collect().height == 3
        done = command(settings, "national")
        assert (done.returncode, "a load is running" in done.stderr) == (0, True), done.stderr
        national = json.loads(done.stdout)
        assert national["data"]["load"]["condition"] == "running"
        assert (national["data"]["revision"], national["driven_persons"]) == (1, 1)
        live = command(settings, "cypher", "MATCH (p:Person) RETURN count(p) AS n", "--json")
        assert "graph as it is now" in live.stderr
        assert json.loads(live.stdout)[0]["n"] > 3
        for language, said in (("en", "a load is running"), ("zh", "正在载入数据")):
            for page in ("overview", "talents", "data", "queries", "find", "places"):
                shown = text(app(page, lang=language)).lower()
                assert said in shown, page
                assert "cannot be shown" not in shown and "无法显示" not in shown, page
        talent = app("talent", lang="en", id="p1")
        assert "are read from the graph as it is now" in text(talent)
        assert "are read from the graph as it is now" not in text(app("overview", lang="en"))
        # So does every file that a page gives: in its name, and in a workbook in words.
        about = talent_figures.build_page_about(Policy(), {"province": "32"})
        assert (about.revision, about.data and about.data["load"]["condition"]) == (1, "running")
        assert about.loaded_on and about.loaded_on in downloads.format_table_file_name(
            "talents", about, "csv"
        )
        assert "during-a-load" in downloads.format_table_file_name("talents", about, "csv")
        assert "正在载入" in (downloads.in_words(about, "zh", "load_under_way", "") or "")
    finally:
        load.went_on()
    assert read_graph_state(loaded).unfinished is None
    assert take_snapshot(loaded, settings).frames["people"].collect().height == 5
    assert "load is running" not in text(app("overview", lang="en"))
    assert [snapshot.revision for snapshot in list_cached_snapshots(loaded, settings)] == [2, 1]
    diff = command(settings, "diff", "1", "2", "--json")
    assert diff.returncode == 0, diff.stderr
    assert "data" not in json.loads(diff.stdout)


@pytest.mark.lts
def test_a_load_that_was_killed_leaves_every_figure_as_it_was(
    loaded: Database, settings: Settings, tmp_path: Path, app: Open
) -> None:
    Paused(settings, write(tmp_path / "more", MORE)).killed()
    assert not is_load_running(settings.home)
    done = command(settings, "national")
    assert (done.returncode, "was broken off" in done.stderr) == (0, True), done.stderr
    assert json.loads(done.stdout)["data"]["load"]["condition"] == "broken off"
    assert json.loads(done.stdout)["driven_persons"] == 1
    for language, said in (("en", "was broken off"), ("zh", "载入中断")):
        assert said in text(app("overview", lang=language))


@pytest.mark.lts
def test_while_the_store_is_made_as_a_whole_nothing_waits(second: Settings, tmp_path: Path) -> None:
    with connect(second) as reader:
        reader.write("MATCH (n) DETACH DELETE n")
        # What was known of a store before it must not answer for the new one.
        tables = folder.get([write(tmp_path / "before", BASE)])
        load_records(reader, "folder", tables, home=second.home)
        assert read_graph_state(reader).revision == 1
        reader.write("MATCH (n) DETACH DELETE n")
        load = Paused(second, write(tmp_path / "first", BASE), "write the import files", "bulk")
        try:
            with pytest.raises(IncompleteError, match="Nothing is loaded yet: a load is running"):
                read_graph_state(reader)
            done = command(second, "national")
            assert (done.returncode, done.stdout) == (5, "")
            assert "Nothing is loaded yet: a load is running" in done.stderr
        finally:
            load.went_on()
        assert read_graph_state(reader).revision == 1
        take_snapshot(reader, second)
        with admin.take_store_offline(second):
            # As while a dump is made: the tables are there, the database is not.
            done = command(second, "national")
            assert (done.returncode, "being copied" in done.stderr) == (0, True), done.stderr
            assert json.loads(done.stdout)["driven_persons"] == 1
    embedded.stop_server(second)
