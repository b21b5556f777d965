"""Damaged files of a data folder in use: mended where they are needed, and said on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.driven.results import load_driven
from graph.policy import Policy
from graph.server import damage, embedded, location
from graph.server.database import Database, connect
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot
from tests.damage_kinds import cut

DAMAGED = (
    "people.parquet",
    "edges.parquet",
    "snapshot.json",
    "results/*/result.json",
    "results/*/pairs.parquet",
    "results/*/reach.parquet",
)


def figures(snapshot: Snapshot) -> list[dict[str, object]]:
    """The figures of every talent."""
    table = load_driven(snapshot, Policy()).talents.sort("talent_id")
    return table.select("talent_id", "driven").to_dicts()


@pytest.mark.parametrize("name", DAMAGED)
def test_the_figures_are_the_same_after_a_file_was_damaged(
    network: Database, settings: Settings, name: str
) -> None:
    snapshot = take_snapshot(network, settings)
    before = figures(snapshot)
    assert snapshot.folder is not None
    cut(next(snapshot.folder.glob(name)))
    damage.pop_damage_notes()
    assert figures(take_snapshot(network, settings)) == before
    assert "was damaged" in str(damage.pop_damage_notes()[0])
    assert damage.find_damage(settings) == []


@pytest.mark.parametrize(("lang", "said"), [("zh", "发现损坏的文件"), ("en", "A damaged file")])
def test_a_page_says_that_a_damaged_file_is_made_anew(
    network: Database, settings: Settings, app: Callable[..., AppTest], lang: str, said: str
) -> None:
    folder = take_snapshot(network, settings).folder
    assert folder is not None
    cut(folder / "people.parquet")
    damage.pop_damage_notes()
    st.cache_resource.clear()
    shown = app("overview", lang=lang)
    texts = [block.proto.body for block in shown.get("html")]
    assert any(said in text for text in texts)
    assert any("sc-lead" in text for text in texts)


def test_a_lost_password_is_made_anew_for_a_server_that_runs(second: Settings) -> None:
    with connect(second) as database:
        database.write("MERGE (:Province {code: '33'})")
    first = location.find_running_server(second)
    (second.home / "neo4j.password").unlink()
    with connect(second) as database:
        assert database.read("MATCH (p:Province {code: '33'}) RETURN p.code AS code")
    assert location.find_running_server(second) != first


def test_another_program_connects_by_what_status_says(second: Settings) -> None:
    from neo4j import GraphDatabase

    embedded.start_server(second)
    found = location.build_connection_info(second)
    password = Path(found["password_file"]).read_text("ascii").strip()
    with GraphDatabase.driver(found["uri"], auth=(found["username"], password)) as driver:
        answer = driver.execute_query("RETURN 1 AS one", database_=found["database"])
        assert answer.records[0]["one"] == 1
