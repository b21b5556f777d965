"""What the tests of the pages share: a small network in the store, and the pages on it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.server.database import Database
from graph.settings import Settings
from tests.emptying import empty_notebook
from tests.filling import fill_unless_filled
from tests.live.shell import Run, run_here
from tests.live.visiting import go


@pytest.fixture(scope="module")
def network(
    database: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A store that holds a small generated network and nothing else."""
    made = tmp_path_factory.mktemp("network") / "made"
    fill_unless_filled(database, settings, made, talents=12, workers=900, seed=11)
    empty_notebook(settings.home)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield database
    st.cache_resource.clear()


@pytest.fixture
def run(settings: Settings, empty_database: Database) -> Run:
    """The command line on an empty store that remembers no mapping; it must end with `code`."""
    shutil.rmtree(settings.home / "mappings", ignore_errors=True)

    def command(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = run_here(arguments, {"SHICHENG_HOME": str(settings.home)})
        assert done.returncode == code, done.stderr
        return done

    return command


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """`app("talents", lang="en", ...)` runs a page with that address.

    AppTest reaches only pages that are files of their own, so each is opened as the first.
    """
    monkeypatch.setenv("SHICHENG_HOME", str(settings.home))

    def start(page: str, /, **query: str) -> AppTest:
        script = "import app, streamlit\napp.main(streamlit.session_state['opened'])"
        test = AppTest.from_string(script, default_timeout=240)
        return go(test, page, **query)

    return start
