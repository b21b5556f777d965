"""Neighbourhoods as networkx graphs, of a small network that went through Neo4j."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import networkx as nx
import polars as pl
import pytest

from graph.errors import UsageError
from graph.people import network
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.edges import CHANNEL_DTYPE
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot
from loaders import folder
from loaders.sync import load_records

# p1 taught p2, p3 and p4; p2 taught p5 (twice) and p6; p0 taught p1; p6 taught p0: a cycle.
# p4 leads the studio s1, where p7 trained in time and p8 too late; p4 trained there as well.
TABLES = {
    "people": [
        "person_id,name,province,retired_on",
        *(f"p{n},第{n}人,11,{'2021-03-04' if n == 0 else ''}" for n in range(10)),
    ],
    "talents": ["person_id,basis,recognised_on", "p1,china_skills_award,2020-05-01"],
    "recognitions": ["person_id,level,date", "p1,6,2015-01-01", "p5,4,2024-02-01"],
    "mentorships": [
        "mentor_id,apprentice_id,start,end,kind",
        "p0,p1,2010-01-01,,apprenticeship",
        "p1,p2,2015-01-01,2018-01-01,apprenticeship",
        "p1,p3,,,apprenticeship",
        "p1,p4,2016-01-01,,apprenticeship",
        "p2,p5,2019-01-01,,apprenticeship",
        "p2,p5,2021-01-01,,project",
        "p2,p6,2020-01-01,,apprenticeship",
        "p6,p0,2022-01-01,,peer",
    ],
    "studios": ["studio_id,name,kind,grade", "s1,一号工作室,skill_master,national"],
    "schools": ["school_id,name,kind", "c1,一号学校,technical"],
    "enterprises": ["enterprise_id,name", "e1,一号厂"],
    "studio_leads": ["studio_id,person_id,start,end", "s1,p4,2018-01-01,2020-12-31"],
    "trainings": [
        "person_id,place_id,start,end",
        "p7,s1,2020-01-01,2022-01-01",
        "p8,s1,2021-01-01,",
        "p4,s1,2018-01-01,",
    ],
    "employments": ["person_id,enterprise_id,start,end,position", "p5,e1,2020-01-01,,钳工"],
    "teaching": ["person_id,school_id,start", "p1,c1,2020-01-01"],
    "partnerships": ["enterprise_id,school_id,start", "e1,c1,2021-01-01"],
}


@pytest.fixture(scope="module")
def taken(
    database: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Snapshot:
    """The snapshot of the small network; the database is not asked again after it."""
    exchange: Path = tmp_path_factory.mktemp("network")
    for table, lines in TABLES.items():
        (exchange / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    database.write("MATCH (n) DETACH DELETE n")
    load_records(database, "folder", folder.get([exchange]), home=settings.home, complete=True)
    home = tmp_path_factory.mktemp("home")
    return take_snapshot(database, settings.model_copy(update={"home_path": home}))


def generations(graph: nx.MultiDiGraph[Any]) -> dict[str, int]:
    return dict(graph.nodes(data="generation"))


def channels(graph: nx.MultiDiGraph[Any]) -> list[tuple[str, str, str]]:
    return sorted(graph.edges(data="channel"))


def test_a_lineage_has_its_generations_and_counts_whom_it_hides(taken: Snapshot) -> None:
    graph = network.build_lineage_graph(taken, "p1", up=1, down=1)
    assert generations(graph) == {"p1": 0, "p0": -1, "p2": 1, "p3": 1, "p4": 1}
    assert graph.nodes["p2"]["more_down"] == 2  # p5 counts once, though taught twice
    assert graph.nodes["p4"]["more_down"] == 1  # through the studio; not p8, nor p4 himself
    assert graph.nodes["p0"]["more_up"] == 1
    # The day of retirement tells the birthday: networks leave the program with its year.
    assert graph.nodes["p0"]["retired_in"] == 2021 and "retired_on" not in graph.nodes["p0"]
    assert graph.nodes["p1"] == {
        "kind": "person",
        "name": "第1人",
        "level": 6,
        "leading": True,
        "target": False,
        "province": "11",
        "generation": 0,
        "more_up": 0,
        "more_down": 0,
    }


def test_its_links_say_when_and_what_states_them(taken: Snapshot) -> None:
    graph = network.build_lineage_graph(taken, "p1", up=0, down=2)
    assert set(graph) == {"p1", "p2", "p3", "p4", "p5", "p6", "p7"}
    assert graph.number_of_edges("p2", "p5") == 2
    first = graph.edges["p1", "p2", 0]
    assert first["channel"] == "mentorship"
    assert (first["start"], first["end"]) == (date(2015, 1, 1), date(2018, 1, 1))
    assert first["row"] == "mentorships.csv:3"
    assert "start" not in graph.edges["p1", "p3", 0]
    assert graph.edges["p4", "p7", 0] == {
        "channel": "studio",
        "studio_id": "s1",
        "start": date(2020, 1, 1),
        "end": date(2020, 12, 31),
    }
    assert not graph.has_edge("p4", "p4")


def test_the_limit_keeps_the_nearest_and_says_how_many_it_left_out(taken: Snapshot) -> None:
    graph = network.build_lineage_graph(taken, "p1", up=1, down=2, limit=4)
    assert generations(graph) == {"p1": 0, "p0": -1, "p2": 1, "p3": 1}
    assert graph.graph["left_out"] == 4
    assert graph.nodes["p1"]["more_down"] == 1


def test_people_are_expanded_beyond_the_generations(taken: Snapshot) -> None:
    graph = network.build_lineage_graph(taken, "p1", up=0, down=1, expanded=["p2", "nobody"])
    assert generations(graph) == {"p1": 0, "p2": 1, "p3": 1, "p4": 1, "p5": 2, "p6": 2}


def test_ego_and_studio(taken: Snapshot) -> None:
    assert set(network.build_ego_graph(taken, "p6")) == {"p6", "p2", "p0"}
    assert set(network.build_ego_graph(taken, "p6", radius=2)) == {"p6", "p2", "p0", "p1", "p5"}
    graph = network.build_studio_graph(taken, "s1")
    assert set(graph) == {"studio:s1", "p4", "p7", "p8"}
    assert graph.nodes["studio:s1"]["kind"] == "studio"
    assert graph.nodes["studio:s1"]["type"] == "skill_master"
    assert channels(graph) == [
        ("p4", "p7", "studio"),
        ("p4", "studio:s1", "leads"),
        ("p4", "studio:s1", "trained_at"),
        ("p7", "studio:s1", "trained_at"),
        ("p8", "studio:s1", "trained_at"),
    ]


def test_a_person_named_as_a_place_stays_a_person(taken: Snapshot) -> None:
    other = pl.col("person_id").replace({"p7": "studio:s1", "p8": "person:studio:s1"})
    people = taken.frames["people"].with_columns(other)
    odd = replace(taken, folder=None, frames={**taken.frames, "people": people})
    for graph in (network.build_studio_graph(odd, "s1"), network.build_full_network(odd)):
        assert graph.nodes["studio:s1"]["kind"] == "studio"
        assert graph.nodes["person:studio:s1"]["name"] == "第7人"
        assert graph.nodes["person:person:studio:s1"]["name"] == "第8人"
        assert graph.has_edge("person:studio:s1", "studio:s1")
    assert set(network.build_ego_graph(odd, "studio:s1")) >= {"studio:s1", "p4"}


def test_a_path_has_every_shortest_chain_and_no_other(taken: Snapshot) -> None:
    graph = network.build_path_graph(taken, "p1", "p5")
    assert dict(graph.nodes(data="hop")) == {"p1": 0, "p2": 1, "p5": 2}
    assert (graph.graph["hops"], graph.graph["left_out"]) == (2, 0)
    through_a_studio = network.build_path_graph(taken, "p0", "p7")
    assert dict(through_a_studio.nodes(data="hop")) == {"p0": 0, "p1": 1, "p4": 2, "p7": 3}
    assert set(network.build_path_graph(taken, "p2", "p2")) == {"p2"}
    with pytest.raises(UsageError, match="the other way round"):
        network.build_path_graph(taken, "p7", "p1")


def test_one_whole_path_stands_whatever_the_limit(taken: Snapshot) -> None:
    """p1 taught p2, p3 and p4; here each of them taught p9."""
    links = pl.DataFrame(
        [(1, 2), (1, 3), (1, 4), (2, 9), (3, 9), (4, 9)],
        schema={"mentor": pl.Int32, "apprentice": pl.Int32},
        orient="row",
    ).with_columns(start=pl.lit(None, pl.Date), channel=pl.lit("mentorship", CHANNEL_DTYPE))
    # In memory alone: the stored snapshot's own links are in its folder.
    diamond = replace(taken, folder=None, frames={**taken.frames, "edges": links.lazy()})
    graph = network.build_path_graph(diamond, "p1", "p9", limit=1)
    assert dict(graph.nodes(data="hop")) == {"p1": 0, "p2": 1, "p9": 2}
    assert graph.graph["left_out"] == 2
    assert set(network.build_path_graph(diamond, "p1", "p9")) == {"p1", "p2", "p3", "p4", "p9"}


def test_an_ego_says_how_many_it_left_out(taken: Snapshot) -> None:
    assert network.build_ego_graph(taken, "p1", radius=3, limit=3).graph["left_out"] > 0


def test_the_whole_network_can_be_written_and_read_again(taken: Snapshot, tmp_path: Path) -> None:
    from ui.export.network_files import write_network_file

    graph = network.build_full_network(taken)
    assert graph.number_of_nodes() == 10 + 3
    ties = channels(graph)
    assert ("p5", "enterprise:e1", "employed_by") in ties
    assert ("p1", "school:c1", "teaches_at") in ties
    assert ("enterprise:e1", "school:c1", "partners_with") in ties
    assert ("p7", "studio:s1", "trained_at") in ties
    assert sum(channel == "mentorship" for *_, channel in ties) == 8
    written = nx.read_graphml(write_network_file(graph, "graphml", tmp_path / "network.graphml"))
    assert set(written) == set(graph)
    assert written.number_of_edges() == graph.number_of_edges()


def test_who_is_not_there_is_said(taken: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    for look in (network.build_lineage_graph, network.build_ego_graph):
        with pytest.raises(UsageError, match="no person"):
            look(taken, "nobody")
    with pytest.raises(UsageError, match="no studio s9"):
        network.build_studio_graph(taken, "s9")
    monkeypatch.setattr(network, "MAX_NETWORK_ROWS", 3)
    with pytest.raises(UsageError, match="more than the 3"):
        network.build_full_network(replace(taken))


def test_a_cycle_shows_a_person_once_where_it_is_first_met(taken: Snapshot) -> None:
    graph = network.build_lineage_graph(taken, "p1", up=2, down=3)
    assert generations(graph) == {
        "p1": 0,
        "p0": -1,
        "p6": -2,
        "p2": 1,
        "p3": 1,
        "p4": 1,
        "p5": 2,
        "p7": 2,
    }
    assert graph.has_edge("p6", "p0")
