"""What tests share: settings of their own, and one embedded Neo4j for the whole session.

`SHICHENG_NEO4J_VERSION=5.26.30 pytest tests/live` runs the same on that version.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.java_options
import tests.memory_disk
import tests.polars_threads

# isort: split
import tests.planning  # noqa: F401
from graph.server import embedded
from graph.server.database import Database, connect
from graph.settings import Settings
from tests.emptying import emptied
from tests.order import sort_tests

# A developer's own server must never be what the tests empty.
for name in ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD", "NEO4J_DATABASE", "SHICHENG_HOME"):
    os.environ.pop(name, None)
Settings.model_config["env_file"] = None
# Stewards of tests have said what for, but where a test is of that.
os.environ["SHICHENG_PURPOSE"] = "check"

# Small enough that several servers fit beside Chromium on a small machine.
HEAP_MB = 768


def own_settings(home: Path) -> Settings:
    """Settings with a data folder of the test's own; the cache of jars is the user's."""
    return Settings().model_copy(update={"home_path": home, "heap_mb": HEAP_MB})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers take file after file: see `tests.order`."""
    sort_tests(items)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of the session: its data folder, and the server there stopped at the end."""
    settings = own_settings(tmp_path_factory.mktemp("home"))
    yield settings
    embedded.stop_server(settings)


@pytest.fixture(scope="session")
def database(settings: Settings) -> Iterator[Database]:
    """The session's embedded Neo4j, shared by all tests."""
    with connect(settings) as database:
        yield database


@pytest.fixture
def empty_database(database: Database) -> Database:
    """The session's Neo4j with no node in it; the schema of an earlier load may stand."""
    return emptied(database)


@pytest.fixture
def bare_database(empty_database: Database) -> Database:
    """The session's Neo4j with no node, constraint or index in it, as on the first day."""
    for row in empty_database.read("SHOW CONSTRAINTS YIELD name"):
        empty_database.write(f"DROP CONSTRAINT `{row['name']}`")
    for row in empty_database.read("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'"):
        empty_database.write(f"DROP INDEX `{row['name']}`")
    return empty_database


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a second embedded server, for what stops, kills or restores it."""
    settings = own_settings(tmp_path_factory.mktemp("second"))
    yield settings
    embedded.stop_server(settings)


@pytest.fixture
def second_database(second: Settings) -> Iterator[Database]:
    """The second server with no node in it, for loads that stop it to make the store as a whole.

    A server that was just started takes many times as long for a load as one that ran some.
    """
    with connect(second) as database:
        yield emptied(database)
