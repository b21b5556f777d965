"""Every named query with the rows it must give, and what the read-only door lets through."""

from __future__ import annotations

import csv
import datetime as dt
import time
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from graph.cypher import named_queries
from graph.cypher.internal_queries import load_internal_queries, read_internal_query
from graph.cypher.named_queries import Table, load_queries, run_cypher, run_query
from graph.cypher.spooled_answers import SpooledAnswer, start_answer
from graph.dates import restore_date_precision
from graph.errors import DatabaseError, RefusedError, ShichengError, UsageError
from graph.people.person_boxes import lookup_person_boxes
from graph.people.table_queries import TABLE_QUERIES, bind_snapshot
from graph.roles import ROLES, Role, has_permission
from graph.server import console
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store import standing
from loaders import folder, wikidata
from loaders.sync import load_records
from tests.emptying import emptied

pytestmark = pytest.mark.lts
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WIKIDATA = ROOT.parent / "shared" / "data" / "wikidata_mentors"
CASES = sorted(HERE.parent.glob("conformance/case*"))
TODAY = "2026-11-23"
D = dt.date


@pytest.fixture(scope="module")
def small(database: Database, settings: Settings) -> Database:
    """A network of twelve people, small enough to check by eye; the last tests replace it."""
    tables = folder.get([HERE / "small_network"])
    report = load_records(
        emptied(database), "folder", tables, home=settings.home, today=D.fromisoformat(TODAY)
    )
    assert report.refused == 0
    return database


E1, E2 = ("e1", "第一机床厂"), ("e2", "第二电机厂")
P1, P2, P3, P4 = ("p01", "王一"), ("p02", "李二"), ("p03", "Zhao San"), ("p04", "孙四")
P5, P6, P7, P8 = ("p05", "周五"), ("p06", "吴六"), ("p07", "郑七"), ("p08", "冯八")
P9, P10, P11, P12 = ("p09", "陈九"), ("p10", "楚十"), ("p11", "卫十一"), ("p12", "蒋十二")
K1, K2 = ("k1", "江苏技师学院"), ("k2", "北京职业技术学院")


def chain(*people: tuple[str, str]) -> tuple[Any, ...]:
    """The row of longest_chains for these people in order."""
    names, ids = [p[1] for p in people], [p[0] for p in people]
    return (len(people) - 1, len(people), *people[0], *people[-1], names, ids)


# query, the values given, the rows it must give on the small network, in order
EXPECTED: list[tuple[str, Mapping[str, Any], list[tuple[Any, ...]]]] = [
    (
        "chain_up",
        {"person_id": "p05", "generations": "2"},
        [
            (1, *P4, 4, False, *P5),
            (2, *P3, 5, False, *P4),
        ],
    ),
    (
        "chain_up",
        {"person_id": "p05", "generations": 8},
        [
            (1, *P4, 4, False, *P5),
            (2, *P3, 5, False, *P4),
            (3, *P1, None, True, *P3),
            (3, *P2, 6, True, *P3),
        ],
    ),
    # p03 is also the apprentice's apprentice: the nearest generation counts.
    (
        "chain_down",
        {"person_id": "p01"},
        [
            (1, *P2, 6, True, *P1),
            (1, *P3, 5, False, *P1),
            (2, *P4, 4, False, *P3),
            (2, *P6, 4, False, *P2),
            (2, *P7, 4, False, *P3),
            (2, *P11, 5, False, *P2),
            (3, *P5, 4, False, *P4),
            (3, *P10, 4, False, *P6),
        ],
    ),
    # A circle: p06 and p10 mentor each other, and nobody is their own apprentice.
    ("chain_down", {"person_id": "p06"}, [(1, *P10, 4, False, *P6)]),
    (
        "longest_chains",
        {"chains": 4},
        [
            chain(P1, P2, P3, P4, P5),
            chain(P1, P2, P3, P7),
            chain(P1, P2, P6, P10),
            chain(P1, P2, P11),
        ],
    ),
    (
        "path_between",
        {"from_id": "p11", "to_id": "p12"},
        [
            (0, *P11, "apprentice of"),
            (1, *P2, "mentor of"),
            (2, *P3, "mentor of"),
            (3, *P7, "apprentice of"),
            (4, *P12, None),
        ],
    ),
    ("path_between", {"from_id": "p01", "to_id": "p09"}, []),
    (
        "common_mentors",
        {"first_id": "p05", "second_id": "p07"},
        [
            (*P3, False, 2, 1, 3),
            (*P1, True, 3, 2, 5),
            (*P2, True, 3, 2, 5),
        ],
    ),
    # p06 by the studio alone, because the mentorship is undated; p10 began before p06 did.
    (
        "driven_workers",
        {"person_id": "p02"},
        [
            (1, *P6, D(2024, 9, 1), D(2023, 1, 1), 4),
            (2, *P4, D(2024, 3, 1), D(2015, 1, 1), 4),
            (2, *P7, D(2025, 2, 1), D(2024, 1, 1), 4),
            (3, *P5, D(2025, 5, 1), D(2021, 1, 1), 4),
        ],
    ),
    (
        "driven_workers",
        {
            "person_id": "p02",
            "generations": 2,
            "channels": "mentorship",
            "window_end": "2024-12-31",
        },
        [
            (2, *P4, D(2024, 3, 1), D(2015, 1, 1), 4),
        ],
    ),
    (
        "apprentices_who_mentor",
        {"province": "江苏"},
        [
            (*P2, D(1990, 1, 1), D(2000, 1, 1), 10, 3),
            (*P6, D(2023, 1, 1), D(2022, 1, 1), -1, 1),
            (*P10, D(2022, 1, 1), D(2023, 1, 1), 1, 1),
        ],
    ),
    (
        "co_mentored",
        {},
        [
            (*P3, 2, ["李二", "王一"]),
            (*P6, 2, ["李二", "楚十"]),
            (*P7, 2, ["Zhao San", "蒋十二"]),
        ],
    ),
    (
        "leading_talents",
        {"industry": "装备制造"},
        [
            (*P1, "32", "装备制造", "national_model_worker", D(2010, 5, 1), 2, 0),
            (*P2, "32", "装备制造", "national_technical_expert", D(2024, 6, 1), 3, 1),
        ],
    ),
    (
        "leading_talents",
        {"basis": "省级急需紧缺认定"},
        [
            (*P9, "44", "电子信息", "provincial_shortage_recognition", D(2025, 9, 1), 0, 0),
        ],
    ),
    (
        "talents_by_basis_and_province",
        {"province": "32"},
        [
            ("32", "national_model_worker", 1),
            ("32", "national_technical_expert", 1),
            ("32", "provincial_commendation", 1),
        ],
    ),
    # p02 was named again in 2025, and counts in 2024 alone.
    (
        "targets_and_named",
        {},
        [
            ("national", 2024, 2, 1, 1),
            ("national", 2025, 1, 1, 0),
            ("32", 2024, 1, 1, 0),
            ("装备制造", 2024, 3, 1, 2),
        ],
    ),
    ("talents_without_apprentices", {}, [(*P9, "44", 0, None, None)]),
    (
        "winners_without_mentor",
        {},
        [
            (*P8, 1, "全国焊工大赛", "national", D(2023, 11, 1), "44"),
        ],
    ),
    (
        "winners_without_mentor",
        {"rank": 5, "grade": "provincial"},
        [
            (*P8, 5, "广东电工大赛", "provincial", D(2025, 6, 1), "44"),
        ],
    ),
    (
        "training_targets",
        {},
        [
            (*P5, D(2025, 1, 10), "竞赛获奖", 4, ["孙四"]),
            (*P8, D(2024, 2, 1), "竞赛获奖", 3, []),
        ],
    ),
    (
        "training_targets",
        {"without_mentor": True},
        [
            (*P8, D(2024, 2, 1), "竞赛获奖", 3, []),
        ],
    ),
    (
        "career_of",
        {"person_id": "p05"},
        [
            (D(2015, 9, 1), "trained", "江苏技师学院"),
            (D(2021, 1, 1), "mentored", "孙四"),
            (D(2023, 1, 1), "recognised", "level 2"),
            (D(2023, 11, 1), "placed", "全国焊工大赛, 2"),
            (D(2025, 5, 1), "recognised", "level 4"),
        ],
    ),
    (
        "honours_of",
        {"person_id": "p02"},
        [
            ("national_technical_expert", "national", D(2024, 6, 1)),
            ("江苏工匠", "provincial", D(2019, 4, 30)),
        ],
    ),
    (
        "recognitions_by_level_and_year",
        {"from_year": 2024, "to_year": 2025},
        [
            (2024, 3, 1, 1),
            (2024, 4, 2, 2),
            (2024, 5, 1, 1),
            (2025, 4, 2, 2),
        ],
    ),
    (
        "skilled_before_mentored",
        {},
        [
            ("p02", "李二", *P11, D(2020, 1, 1), D(2023, 5, 1), 1216),
        ],
    ),
    # p02 is 60 and seven months in that month; p12 is retired already.
    (
        "mentors_about_to_retire",
        {"today": TODAY},
        [
            (*P2, D(2027, 9, 1), 2027, "age", 2, "32", "6-18"),
        ],
    ),
    (
        "mentors_about_to_retire",
        {"today": "2022-06-01"},
        [
            (*P12, D(2022, 12, 31), 2022, "record", 1, "11", "6-18"),
        ],
    ),
    (
        "retired_mentors_with_apprentices",
        {"today": TODAY},
        [
            (*P12, D(2022, 12, 31), 2022, 1423, 1),
        ],
    ),
    (
        "mentors_by_apprentices",
        {"today": TODAY, "rows": 4},
        [
            (*P2, True, "32", 3, 1),
            (*P1, True, "32", 2, 0),
            (*P3, False, "11", 2, 1),
            (*P4, False, "11", 1, 1),
        ],
    ),
    (
        "undated_mentorships",
        {},
        [
            (*P2, *P6, None, ["small_network"], "mentorships.csv:5"),
        ],
    ),
    # Of welding's four mentors p12 is retired, and so is p01.
    (
        "occupations_short_of_mentors",
        {"today": TODAY},
        [
            ("6-31", "数控车工", 15, 0, None),
            ("6-18", "焊工", 60, 3, 20.0),
            ("6-20", "电工", 30, 2, 15.0),
        ],
    ),
    (
        "kept_on_after_retirement",
        {},
        [
            (*P12, D(2022, 12, 31), 2022, *E2, D(2023, 1, 1), D(2025, 12, 31), 1),
        ],
    ),
    ("service_periods_ending", {"today": TODAY}, [(D(2027, 1, 31), *P2, True, *E1)]),
    # At s1, p11 was high-skilled before.
    (
        "studios_by_output",
        {},
        [
            ("s1", "李二技能大师工作室", "skill_master", "national", "32", ["李二"], 2, 1),
            (
                "s2",
                "蒋十二创新工作室",
                "model_worker_innovation",
                "provincial",
                "11",
                ["蒋十二"],
                1,
                1,
            ),
        ],
    ),
    (
        "studios_without_leader",
        {"today": TODAY},
        [
            ("s2", "蒋十二创新工作室", "model_worker_innovation", "北京职业技术学院", 1),
        ],
    ),
    # p09 trained at k1 after having left e2. Who was at e1 before the training does not count by
    # that enterprise's standing in the person's own row, too.
    ("schools_feeding_enterprises", {}, [(*K1, *E1, 1, True)]),
    ("front_line_education_fund", {}, [(*E2, "11", 500_000.0, 200_000.0, 0.4)]),
    ("enterprises_by_talents", {}, [(*E1, "32", "装备制造", 2, 1)]),
    (
        "idle_partnerships",
        {"today": TODAY},
        [
            (*E2, *K2, "现代学徒制", D(2020, 1, 1)),
        ],
    ),
    (
        "achievements_after_recognition",
        {},
        [(*P2, 6, D(2005, 1, 1), "一种焊接夹具", "patent", None, D(2020, 5, 1))],
    ),
    (
        "projects_by_people",
        {"today": TODAY},
        [
            ("j1", "重型机床攻关", "technical_problem", D(2022, 3, 1), None, E1[1], 3, 1, 2),
            ("j2", "援外电站", "foreign_aid", D(2019, 1, 1), D(2021, 12, 31), E2[1], 1, 0, 1),
        ],
    ),
    (
        "projects_by_people",
        {"today": TODAY, "going_on": True},
        [("j1", "重型机床攻关", "technical_problem", D(2022, 3, 1), None, E1[1], 3, 1, 2)],
    ),
    (
        "subsidies_by_kind",
        {},
        [
            ("vocational_training", 2025, 1, 350_000.0, 0.0, 0.0, 350_000.0, 0.0),
            ("本地补贴", 2025, 1, 5_000.0, 0.0, 0.0, 0.0, 5_000.0),
            ("studio_grant", 2024, 1, 100_000.0, 0.0, 100_000.0, 0.0, 0.0),
            ("talent_allowance", 2024, 1, 20_000.0, 20_000.0, 0.0, 0.0, 0.0),
            ("vocational_training", 2024, 1, 300_000.0, 0.0, 0.0, 300_000.0, 0.0),
        ],
    ),
    (
        "stated_by_several",
        {},
        [
            ("person", "p04", ["人社厅", "总工会"], "people.csv:5"),
        ],
    ),
    ("mentorships_by_source", {}, [("small_network", 11, 1, 0.909)]),
    ("new_high_skilled_by_province", {}, [("32", 3), ("11", 2)]),
    (
        "new_high_skilled_by_occupation",
        {},
        [("6-20", "电工", 3, 30), ("6-18", "焊工", 2, 60)],
    ),
    (
        "training_by_kind_and_year",
        {"from_year": 2020},
        [
            (2024, "key_project", 1, 1),
            (2024, "on_the_job", 1, 1),
            (2023, "on_the_job", 1, 1),
            (2020, "key_position", 1, 1),
        ],
    ),
    (
        "mentorships_by_kind_and_year",
        {"from_year": 2021},
        [
            (2024, "apprenticeship", 1, 1),
            (2023, "peer", 1, 1),
            (2023, "project", 1, 1),
            (2022, "peer", 1, 1),
            (2021, "apprenticeship", 1, 1),
        ],
    ),
    # The undated mentorship of p06 counts as one of the two mentors.
    (
        "apprentices_below_level",
        {"today": TODAY, "high_skilled_level": 5},
        [
            (*P7, "11", 4, 2, D(2019, 1, 1)),
            (*P5, "32", 4, 1, D(2021, 1, 1)),
            (*P10, "32", 4, 1, D(2022, 1, 1)),
            (*P6, "32", 4, 2, D(2023, 1, 1)),
        ],
    ),
    ("leavers_by_enterprise", {}, [(*E2, 1, 0)]),
    ("leavers_by_enterprise", {"window_start": "2010-01-01"}, [(*E2, 2, 0), (*E1, 1, 0)]),
    ("tenure_by_enterprise", {"today": TODAY, "people": 2}, [(*E1, 2, 22.0)]),
    ("mentors_by_enterprise", {}, [(*E1, 4, 5), (*E2, 3, 3)]),
    (
        "people_by_occupation_and_level",
        {"occupation_code": "6-18"},
        [("6-18", "焊工", 6, 1), ("6-18", "焊工", 5, 2), ("6-18", "焊工", 4, 2)],
    ),
    ("demand_by_province", {}, [("32", 70, 2), ("11", 20, 1), ("44", 15, 1)]),
    (
        "studios_by_kind_and_grade",
        {},
        [("model_worker_innovation", "provincial", 1, 1), ("skill_master", "national", 1, 2)],
    ),
    (
        "studios_founded_by_year",
        {},
        [(2016, "model_worker_innovation", 1), (2015, "skill_master", 1)],
    ),
    (
        "studios_without_new_trainees",
        {"today": TODAY},
        [
            ("s1", "李二技能大师工作室", "skill_master", "national", D(2024, 1, 1), 2),
            ("s2", "蒋十二创新工作室", "model_worker_innovation", "provincial", D(2024, 1, 1), 1),
        ],
    ),
    ("studios_without_new_trainees", {"today": TODAY, "months": 36}, []),
    ("schools_by_output", {"today": TODAY}, [(*K1, "32", 3, 2, 1), (*K2, "11", 0, 0, 1)]),
    # Before the second school's partnership begins, in 2020.
    ("schools_by_output", {"today": "2019-06-30"}, [(*K1, "32", 3, 2, 1), (*K2, "11", 0, 0, 0)]),
    (
        "partnerships_by_kind",
        {"today": TODAY},
        [("现代学徒制", 1, 1, 1), ("订单班", 1, 1, 1)],
    ),
    (
        "subsidies_by_province",
        {},
        [("32", 2025, 2, 355_000.0), ("32", 2024, 3, 420_000.0)],
    ),
    (
        "subsidies_to_organisations",
        {},
        [
            (*E1, "32", 650_000.0, 1, 2025),
            ("s1", "李二技能大师工作室", "32", 100_000.0, 1, 2024),
            (*K1, "32", 5_000.0, 1, 2025),
        ],
    ),
    (
        "projects_by_kind",
        {"today": TODAY},
        [("technical_problem", 1, 1, 3), ("foreign_aid", 1, 0, 1)],
    ),
    ("projects_without_talents", {}, [("j2", "援外电站", "foreign_aid", E2[1], 1)]),
    (
        "achievements_by_kind_and_year",
        {},
        [(2023, "process", 1, 1), (2020, "patent", 1, 2)],
    ),
    ("shared_achievements", {}, [("一种焊接夹具", "patent", 2, ["李二", "孙四"])]),
    (
        "competitions_by_grade_and_year",
        {},
        [(2025, "provincial", 1, 1), (2023, "national", 1, 2)],
    ),
    (
        "winners_not_recognised_since",
        {"rank": 5},
        [(*P8, 5, "广东电工大赛", "provincial", D(2025, 6, 1), 3)],
    ),
    (
        "honours_by_grade_and_year",
        {},
        [(2024, "national", 1, 1), (2019, "provincial", 1, 1)],
    ),
    ("talents_by_industry", {}, [("装备制造", 2), ("电子信息", 1)]),
    (
        "talents_by_year",
        {},
        [
            (2025, "provincial_shortage_recognition", 1),
            (2024, "national_technical_expert", 1),
            (2010, "national_model_worker", 1),
        ],
    ),
    (
        "completeness_by_province",
        {},
        [("32", 6, 6, 6, 5), ("11", 4, 4, 4, 3), ("44", 2, 2, 0, 1)],
    ),
    (
        "mentors_without_level",
        {},
        [
            (*P1, True, 2, ["small_network"], "people.csv:2"),
            (*P12, False, 1, ["small_network"], "people.csv:14"),
        ],
    ),
    (
        "mutual_mentorships",
        {},
        [(*P6, *P10, "peer", D(2022, 1, 1), D(2023, 1, 1))],
    ),
    (
        "records_by_source",
        {},
        [
            ("small_network", "mentorships", 11),
            ("small_network", "people", 11),
            ("small_network", "recognitions", 12),
            ("人社厅", "people", 1),
            ("总工会", "people", 1),
        ],
    ),
    ("merges_by_basis", {}, []),
]


@pytest.mark.parametrize(("name", "values", "rows"), EXPECTED)
def test_query(
    small: Database, name: str, values: Mapping[str, Any], rows: list[tuple[Any, ...]]
) -> None:
    query = load_queries()[name]
    table = run_query(small, query, values, role="steward")
    assert [tuple(row) for row in table.rows] == rows
    assert not set(table.columns) - set(query.columns), "columns without a label"


@pytest.mark.parametrize(
    ("name", "values", "rows"), [case for case in EXPECTED if case[0] in TABLE_QUERIES]
)
def test_tables_give_the_same(
    small: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    values: Mapping[str, Any],
    rows: list[tuple[Any, ...]],
) -> None:
    """What a large store is answered from gives the rows of the Cypher, for whoever asks."""
    query = load_queries()[name]

    def tables(role: Role) -> Table:
        with monkeypatch.context() as patched:
            patched.setattr(named_queries, "LARGE_STORE_MENTORSHIPS", 0)
            taken = lambda: take_snapshot(small, settings)  # noqa: E731
            return run_query(small, query, values, role=role, tables=bind_snapshot(taken))

    assert [tuple(row) for row in tables("steward").rows] == rows
    for role in ("steward", "manager"):
        assert tables(role) == run_query(small, query, values, role=role)


@pytest.mark.parametrize("role", ROLES)
def test_cypher_of_ones_own_is_for_some_roles(small: Database, role: Role) -> None:
    statement = "MATCH (s:Studio) RETURN count(s) AS n"
    if has_permission(role, "cypher"):
        assert run_cypher(small, statement, role=role).rows
    else:
        with pytest.raises(RefusedError, match="named queries alone"):
            run_cypher(small, statement, role=role)
    if has_permission(role, "people"):
        assert run_query(small, load_queries()["loads"], role=role).rows
    else:
        with pytest.raises(RefusedError, match="national figures alone"):
            run_query(small, load_queries()["loads"], role=role)


def test_what_one_person_was_paid_is_a_stewards(small: Database) -> None:
    query = load_queries()["subsidies_by_kind"]
    rows = {(row[0], row[1]): row[2:] for row in run_query(small, query, {}).rows}
    assert rows["talent_allowance", 2024] == [1, None, None, 0.0, 0.0, 0.0]
    assert rows["studio_grant", 2024] == [1, 100_000.0, 0.0, 100_000.0, 0.0, 0.0]


def test_merges_are_counted_by_their_basis(small: Database) -> None:
    small.write(
        "MATCH (p:Person {person_id: 'p01'}), (s:Studio {studio_id: 's1'}) "
        "CREATE (:PersonAlias {alias_id: 'a1'})-[:IDENTIFIES {basis: 'id_number'}]->(p) "
        "CREATE (:PersonAlias {alias_id: 'a2'})-[:IDENTIFIES {basis: 'id_number'}]->(p) "
        "CREATE (:StudioAlias {alias_id: 'a3'})-[:DENOTES_STUDIO {basis: 'decided'}]->(s)"
    )
    try:
        rows = run_query(small, load_queries()["merges_by_basis"]).rows
        assert rows == [["people", "id_number", 2, 1], ["studios", "decided", 1, 1]]
    finally:
        small.write("MATCH (a:PersonAlias|StudioAlias) DETACH DELETE a")


def test_what_two_people_were_paid_in_a_province_is_a_stewards(small: Database) -> None:
    query = load_queries()["subsidies_by_province"]
    rows = {row[1]: row[3] for row in run_query(small, query, {}).rows}
    assert rows == {2025: 355_000.0, 2024: None}


def test_loads(small: Database) -> None:
    query = load_queries()["loads"]
    table = run_query(small, query)
    (load,) = table.records()
    assert not set(table.columns) - set(query.columns)
    assert load["state"] == "finished"
    assert load["sources"] == ["small_network", "人社厅", "总工会"]
    assert load["rows_read"] == load["rows_accepted"] > 0 == load["rows_rejected"]


def test_every_query_has_an_expectation() -> None:
    assert {name for name, _, _ in EXPECTED} | {"loads"} == set(load_queries())
    internal = {name for name, _, _ in EXPECTED_INTERNAL} | set(FOUND_RECORDS)
    assert internal == set(load_internal_queries())


def test_every_query_passes_the_guard(small: Database) -> None:
    for query in load_queries().values():
        given = {p.name: "p01" for p in query.parameters if p.required}
        steward = query.parse(given) | {"steward": True}
        run_cypher(small, query.text, steward, role="steward")
    values = {"id": "p01", "ids": ["p01"], "level": 4, "code": "6-18", "today": D(2026, 1, 1)}
    for internal in load_internal_queries().values():
        asked = {name: values[name] for name in internal.parameters}
        run_cypher(small, internal.text, asked, role="steward")


# internal query, its parameters, the rows it must give, in order, in the columns that are named
FROM_2015 = {"start": D(2015, 1, 1), "start_precision": None, "end": None, "end_precision": None}


def build_project(id: str, name: str, kind: str, role: str, row: int) -> dict[str, Any]:
    """A project of a person's record, on which the small network has p04."""
    period = {"j1": (D(2022, 6, 1), None), "j2": (D(2019, 1, 1), D(2021, 12, 31))}[id]
    stated = {"id": id, "name": name, "kind": kind, "role": role}
    dates = {"start": period[0], "start_precision": None, "end": period[1], "end_precision": None}
    return stated | dates | {"row": f"participations.csv:{row}"}


def build_achievement(
    title: str, kind: str, grade: str | None, day: D, precision: str | None, row: int
) -> dict[str, Any]:
    """An achievement of a person's record."""
    stated = {"title": title, "kind": kind, "grade": grade, "day": day}
    return stated | {"day_precision": precision, "row": f"achievements.csv:{row}"}


EXPECTED_INTERNAL: list[tuple[str, Mapping[str, Any], list[dict[str, Any]]]] = [
    (
        "person_record",
        {"id": "p12"},
        [
            {
                "id": "p12",
                "name": "蒋十二",
                "born": 1967,
                "retired_on": D(2022, 12, 31),
                "leading": False,
                "occupation": "焊工",
                "enterprise": E2[1],
                "recognitions": [],
                "named": [],
                "trainings": [],
                "mentors": [],
                "apprentices": 1,
            }
        ],
    ),
    (
        "person_record",
        {"id": "p04"},
        [
            {
                "id": "p04",
                "projects": [
                    build_project("j2", "援外电站", "foreign_aid", "参与人", 5),
                    build_project("j1", "重型机床攻关", "technical_problem", "参与人", 3),
                ],
                "achievements": [
                    build_achievement("一种焊接夹具", "patent", None, D(2020, 5, 1), None, 3),
                    build_achievement(
                        "窄间隙焊接工法", "process", "provincial", D(2023, 1, 1), "year", 4
                    ),
                ],
                "subsidies": [],
            }
        ],
    ),
    ("person_record", {"id": "p99"}, []),
    (
        "person_boxes",
        {"ids": ["p11", "p01", "p99"], "level": 4},
        [
            {"id": "p11", "name": "卫十一", "level": 5, "skilled_on": D(2020, 1, 1)},
            {"id": "p01", "name": "王一", "level": None, "skilled_on": None},
        ],
    ),
    (
        "direct_apprentices",
        {"id": "p02", "level": 4},
        [
            {"id": "p11", "start": D(2023, 5, 1), "level": 5, "skilled_on": D(2020, 1, 1)},
            {"id": "p03", "start": D(2000, 1, 1), "level": 5, "skilled_on": D(2012, 1, 1)},
            {"id": "p06", "start": None, "level": 4, "skilled_on": D(2024, 9, 1)},
        ],
    ),
    (
        "studio_names",
        {"ids": ["s2", "s9", "s1"]},
        [{"id": "s2", "name": "蒋十二创新工作室"}, {"id": "s1", "name": "李二技能大师工作室"}],
    ),
    (
        "studio_record",
        {"id": "s1"},
        [
            {
                "name": "李二技能大师工作室",
                "founded": D(2015, 1, 1),
                "hosts": [{"id": E1[0], "name": E1[1], "kind": "enterprise"}],
                "leaders": [{"id": P2[0], "name": P2[1], **FROM_2015}],
                "subsidies": [{"kind": "studio_grant", "amount": 100_000.0, "year": 2024}],
            }
        ],
    ),
    (
        "enterprise_record",
        {"id": "e1"},
        [
            {
                "name": E1[1],
                "talents": 2,
                "partners": [{"id": K1[0], "name": K1[1], **FROM_2015}],
                "studios": [{"id": "s1", "name": "李二技能大师工作室"}],
                "projects": [
                    {
                        "id": "j1",
                        "name": "重型机床攻关",
                        "start": D(2022, 3, 1),
                        "start_precision": None,
                        "end": None,
                        "end_precision": None,
                    }
                ],
                "subsidies": [
                    {"kind": "vocational_training", "amount": 350_000.0, "year": 2025},
                    {"kind": "vocational_training", "amount": 300_000.0, "year": 2024},
                ],
            }
        ],
    ),
    (
        "enterprise_review",
        {"id": "e1"},
        [
            {
                "name": E1[1],
                "province": "32",
                "industry": "装备制造",
                "ownership": "国有",
                "sources": ["small_network"],
                "employees": 6,
                "studios": 1,
                "further": [],
            }
        ],
    ),
    (
        "school_review",
        {"id": "k1"},
        [
            {
                "name": K1[1],
                "province": "32",
                "kind": "technical",
                "sources": ["small_network"],
                "teachers": 0,
                "trained": 3,
                "partners": 1,
                "further": [],
            }
        ],
    ),
    (
        "studio_review",
        {"id": "s1"},
        [
            {
                "name": "李二技能大师工作室",
                "province": "32",
                "kind": "skill_master",
                "grade": "national",
                "founded": D(2015, 1, 1),
                "sources": ["small_network"],
                "host": E1[1],
                "leaders": ["李二"],
                "trained": 2,
                "further": [],
            }
        ],
    ),
    (
        "school_record",
        {"id": "k1"},
        [
            {
                "name": K1[1],
                "teachers": [],
                "part_time": 0,
                "partners": [{"id": E1[0], "name": E1[1], **FROM_2015}],
                "subsidies": [{"kind": "本地补贴", "amount": 5_000.0, "year": 2025}],
            }
        ],
    ),
    (
        "people_found",
        {"ids": ["p02"]},
        [
            {
                "id": "p02",
                "name": "李二",
                "province": "32",
                "leading": True,
                "born": 1967,
                "level": 6,
                "occupation": "焊工",
                "enterprise": E1[1],
            }
        ],
    ),
    (
        "studios_found",
        {"ids": ["s2"]},
        [
            {
                "id": "s2",
                "kind": "model_worker_innovation",
                "grade": "provincial",
                "leader": {"id": P12[0], "name": P12[1]},
                "trained": 1,
            }
        ],
    ),
    ("occupation_demand", {"code": "6-18"}, [{"year": 2026, "positions": 60}]),
    ("occupation_demand", {"code": "6-99"}, []),
    ("last_recognition_day", {"today": D(2026, 1, 31)}, [{"day": D(2025, 5, 1)}]),
    ("last_recognition_day", {"today": D(2000, 1, 1)}, [{"day": None}]),
    ("own_statement_example", {}, []),
]
# Internal query of what is found -> the id of one, and what it is called.
FOUND_RECORDS = {
    "enterprises_found": E1,
    "schools_found": K2,
    "occupations_found": ("6-31", "数控车工"),
    "competitions_found": ("c2", "广东电工大赛"),
    "projects_found": ("j2", "援外电站"),
    "provinces_found": ("32", "江苏"),
}


@pytest.mark.parametrize(("name", "values", "rows"), EXPECTED_INTERNAL)
def test_internal_query(
    small: Database, name: str, values: Mapping[str, Any], rows: list[dict[str, Any]]
) -> None:
    found = read_internal_query(small, name, **values)
    assert len(found) == len(rows)
    assert [
        {column: row[column] for column in wanted} for row, wanted in zip(found, rows, strict=True)
    ] == rows


def test_boxes_are_the_same_from_the_tables(small: Database, settings: Settings) -> None:
    ids = [f"p{n:02d}" for n in range(1, 13)]
    rows = read_internal_query(small, "person_boxes", ids=ids, level=4)
    asked = {row["id"]: restore_date_precision(row) for row in rows}
    found = lookup_person_boxes(take_snapshot(small, settings), ids, 4)
    for boxes in (asked, found):
        for box in boxes.values():
            box["honours"] = sorted(box["honours"])
    assert found == asked


@pytest.mark.parametrize(("name", "record"), FOUND_RECORDS.items())
def test_records_that_are_found(small: Database, name: str, record: tuple[str, str]) -> None:
    id, called = record
    (row,) = read_internal_query(small, name, ids=[id, "no such id"])
    assert row["id"] == id
    assert row["properties"]["name"] == called


def test_counts_and_loads_of_the_graph(small: Database) -> None:
    nodes, relations = standing.count_records(small)
    assert (nodes["Person"], nodes["Studio"], relations["MENTORS"]) == (12, 2, 11)
    (load,) = standing.list_loads(small)
    assert [load] == list(run_query(small, load_queries()["loads"]).records())
    assert load["revision"] == standing.read_newest_revision(small) > 0
    assert not standing.is_store_empty(small)


# The door for a user's own Cypher


REFUSED = {
    "CREATE (n:X)": "creates nodes",
    "MERGE (n:X) RETURN n": "creates nodes",
    "MATCH (n) SET n.a = 1": "changes properties",
    "MATCH (n) REMOVE n.a RETURN n": "changes properties",
    "MATCH (n) DETACH DELETE n": "deletes nodes",
    "CREA\\u0054E (n:X)": "creates nodes",
    "FOREACH (x IN [1] | CREATE (:X))": "row by row",
    "CALL { CREATE (n:X) } IN TRANSACTIONS": "transactions of its own",
    "UNWIND [1] AS x CALL (x) { RETURN x AS y } IN TRANSACTIONS RETURN y": "IN TRANSACTIONS",
    "LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l": "reads a file",
    "LOAD CSV FROM 'http://127.0.0.1:9/x' AS l RETURN l": "reads a file",
    "RETURN [x IN [1] | COLLECT { LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l }] AS a": (
        "reads a file"
    ),
    "RETURN [x IN [1] | COLLECT { load /* a */ csv FROM 'file:///a' AS l RETURN l }] AS a": (
        "reads a file"
    ),
    "RETURN [x IN [1] | COLLECT { LOA\\u0044 CSV FROM 'file:///a' AS l RETURN l }] AS a": "escape",
    "RETURN [x IN [1] | COUNT { CALL db.clearQueryCaches() YIELD value RETURN value }] AS a": (
        "type s"
    ),
    "RETURN [x IN [1] | COUNT { CALL `db`.awaitIndex('names') RETURN 1 AS y }] AS a": (
        "db.awaitIndex"
    ),
    "SHOW SETTINGS": "asks the server",
    "SHOW TRANSACTIONS": "asks the server",
    "SHOW USERS": "administers the server",
    "SHOW CURRENT USER": "administers the server",
    "TERMINATE TRANSACTIONS 'neo4j-transaction-1'": "ends what others run",
    "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'": "administers the server",
    "CALL dbms.listConfig()": "dbms.listConfig",
    "CALL dbms.killConnection('bolt-1')": "dbms.killConnection",
    "CALL db.clearQueryCaches()": "db.clearQueryCaches",
    "CALL tx.setMetaData({a: 1})": "tx.setMetaData",
    "CALL db.awaitIndexes(1)": "db.awaitIndexes",
    "CREATE INDEX x FOR (n:X) ON (n.a)": "changes an index",
    "DROP CONSTRAINT person_key": "changes a constraint",
    # By its database in 2026.08; 5.26 has a step of its own for it.
    "USE system CALL dbms.components() YIELD name RETURN name": "because it",
    "PROFILE MATCH (n) RETURN n": "PROFILE",
    "EXPLAIN CREATE (n)": "EXPLAIN",
}


@pytest.mark.parametrize(("text", "found"), REFUSED.items())
def test_refused(small: Database, text: str, found: str) -> None:
    # Only their plan may be looked at: the constraint must stand after it.
    with pytest.raises(RefusedError) as error:
        run_cypher(small, text)
    assert found in str(error.value) and ":" in str(error.value)
    assert "\n" not in str(error.value)


NO_CYPHER = {
    "": "There is no query",
    "  // nothing": "There is no query",
    "MATC (n) RETURN n": "line 1, column 1: Invalid input 'MATC'",
    "MATCH (n)\nWHERE n.a ==\nRETURN n": "line 2, column",
    "RETURN 1; CREATE (n:X)": "one statement",
    "DROP DATABASE neo4j": "DROP DATABASE",
    "USE system SHOW USERS": "USE",
    "CALL nothing.here()": "nothing.here",
    "RETURN nothing.here() AS a": "nothing.here",
    "RETURN $x AS x": "x",
}


@pytest.mark.parametrize(("text", "found"), NO_CYPHER.items())
def test_no_cypher(small: Database, text: str, found: str) -> None:
    with pytest.raises(UsageError, match=r".") as error:
        run_cypher(small, text)
    assert found in str(error.value)


ALLOWED = [
    "MATCH (p:Person)-[:MENTORS]->{1,3}(q) RETURN p.name, count(q) AS n",
    "CALL db.labels() YIELD label RETURN label",
    "CALL db.schema.visualization()",
    "CALL dbms.components() YIELD name, versions RETURN name",
    "CALL db.index.fulltext.queryNodes('names', '王') YIELD node RETURN node.name AS name",
    "SHOW INDEXES",
    "RETURN 'LOAD CSV; CALL dbms.listConfig()' AS text // CALL dbms.listConfig()",
    "WITH 1 AS call, 2 AS load RETURN call, load AS csv;",
    "RETURN date.truncate('year', date()) AS a, [x IN [1] | COUNT { (:Person) }] AS b",
    "MATCH p = SHORTEST 1 (:Person {person_id: 'p01'})-[:MENTORS]->+(:Person {name: '周五'}) "
    "RETURN p",
    "CYPHER 5 RETURN 1 AS a",
]


@pytest.mark.parametrize("text", ALLOWED)
def test_allowed(small: Database, text: str) -> None:
    assert run_cypher(small, text).columns


def test_values_come_plain(small: Database) -> None:
    table = run_cypher(
        small,
        "MATCH p = (a:Person {person_id: $id})-[m:MENTORS]->(b {person_id: 'p02'}) "
        "RETURN a, m.start AS start, p",
        {"id": "p01"},
        role="steward",
    )
    (row,) = table.rows
    assert table.columns == ("a", "start", "p")
    assert row[0]["labels"] == ["LeadingTalent", "Person"]
    assert row[0]["id"] == "p01"
    assert row[0]["properties"]["retired_on"] == D(2018, 3, 1)
    assert row[1] == D(1990, 1, 1)
    assert [step.get("type") for step in row[2]] == [None, "MENTORS", None]
    assert (row[2][1]["start"], row[2][1]["end"]) == ("p01", "p02")


def test_what_neo4j_remarks_is_said(small: Database) -> None:
    """Nothing is found by a label that is written wrong, and Neo4j says so alone."""
    table = run_cypher(small, "MATCH (p:Persn)-[:MENTOR]->(q) RETURN p.nam AS a")
    said = " ".join(str(notice) for notice in table.notices)
    assert table.rows == []
    assert "no label Persn" in said and "no relation MENTOR" in said and "no property nam" in said
    assert "没有标签 Persn" in " ".join(notice.said("zh") for notice in table.notices)
    assert not run_cypher(small, "MATCH (p:Person) RETURN p.name AS a").notices


def test_rows_beyond_the_limit_are_cut(small: Database) -> None:
    assert run_cypher(small, "UNWIND range(1, 5) AS x RETURN x", limit=5) == Table(
        ("x",), [[1], [2], [3], [4], [5]]
    )
    cut = run_cypher(small, "UNWIND range(1, 100000000000) AS x RETURN x", limit=3)
    assert cut == Table(("x",), [[1], [2], [3]], truncated=True)


def start_statement(database: Database, text: str, **settings: Any) -> SpooledAnswer:
    """An analyst's statement, begun under these settings."""
    own = copy(database)
    own.settings = database.settings.model_copy(update=settings)
    return start_answer(own, lambda reading: run_cypher(own, text, reading=reading))


def test_an_answer_of_any_size_is_read_while_its_first_page_is_looked_at(small: Database) -> None:
    text = "UNWIND range(1, 30000) AS x MATCH (p:Person {person_id: 'p01'}) RETURN x, p, [x] AS xs"
    answer = start_statement(small, text)
    assert answer.wait_for_page(60) and answer.columns == ("x", "p", "xs")
    assert answer.wait_for_end(120) and answer.rows == 30_000 and answer.stopped is None
    (last,) = answer.read_page(29_999, 10).rows
    assert last[0] == 30_000 and last[2] == [30_000]
    assert last[1]["id"] == "p01" and "birth_date" not in last[1]["properties"]
    path = answer.folder.path
    assert "1958" not in str(answer.read_page(0, 2).rows)
    answer.close()
    assert not path.exists()
    full = start_statement(small, "UNWIND range(1, 10000000) AS x RETURN x, rand()", spool_mb=1)
    assert full.wait_for_end(60) and "SHICHENG_SPOOL_MB" in str(full.stopped)
    late = start_statement(small, "UNWIND range(1, 100000000000) AS x RETURN x", spool_seconds=2)
    assert late.wait_for_end(60) and "2 s were over" in str(late.stopped) and late.rows > 1_000
    for one in (full, late):
        one.close()


def test_cancelling_frees_the_server(small: Database) -> None:
    rows = start_statement(small, "UNWIND range(1, 100000000000) AS x RETURN x")
    assert rows.wait_for_page(60)
    none = start_statement(small, "UNWIND range(1, 1000000000000) AS x RETURN sum(x) AS a")
    assert not none.wait_for_page(0.5)
    for answer in (rows, none):
        answer.cancel()
        assert answer.wait_for_end(10) and "cancelled" in str(answer.stopped)
    assert rows.rows >= 1_000 and none.rows == 0
    running = "SHOW TRANSACTIONS YIELD metaData WHERE metaData.question IS NOT NULL RETURN metaData"
    assert small.read(running) == []
    began = time.monotonic()
    late = start_statement(
        small, "UNWIND range(1, 1000000000000) AS x RETURN sum(x)", read_seconds=1
    )
    with pytest.raises(DatabaseError, match="did not end in 1 s"):
        late.wait_for_end(60)
    assert time.monotonic() - began < 20
    refused = start_statement(small, "CREATE (n:X)")
    with pytest.raises(RefusedError, match="creates nodes"):
        refused.wait_for_page(60)


ENDLESS = {
    "UNWIND range(1, 1000000000000) AS x RETURN sum(x) AS a": "did not end in 1 s",
    "UNWIND range(1, 1000000) AS x UNWIND range(1, 1000000) AS y RETURN max(x * y) AS a": (
        "did not end in 1 s"
    ),
    "RETURN size([x IN range(1, 1000000000) | toString(x)]) AS a": "more memory",
}


@pytest.mark.parametrize(("text", "said"), ENDLESS.items())
def test_endless_and_hoarding(small: Database, text: str, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(DatabaseError) as error:
        run_cypher(small, text, seconds=30 if "memory" in said else 1)
    assert said in str(error.value)
    assert time.monotonic() - began < 30


def test_one_long_expression_is_not_waited_for(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine does not look at the clock in it; some seconds here, so that it ends soon.

    However busy the machine, the server is not ended for it here: other tests go on with it.
    """
    monkeypatch.setattr(console, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(console, "RESTART_WAIT_SECONDS", 600.0)
    with pytest.raises(DatabaseError, match=r"did not end in 0\.3 s, .* started again"):
        run_cypher(
            small, "RETURN reduce(s = 0, x IN range(1, 200000000) | s + x % 7) AS a", seconds=0.3
        )


def test_nothing_was_changed_by_what_was_refused(small: Database) -> None:
    assert small.read("MATCH (n:X) RETURN count(n) AS n") == [{"n": 0}]
    names = {row["name"] for row in small.read("SHOW CONSTRAINTS YIELD name")}
    assert "person_key" in names


def test_values_of_named_queries(small: Database) -> None:
    query = load_queries()["chain_up"]
    with pytest.raises(
        UsageError, match=r"Generations has '9', but takes a whole number from 1 to"
    ):
        run_query(small, query, {"person_id": "p05", "generations": "9"})
    with pytest.raises(ShichengError, match="Person is missing"):
        run_query(small, query, {})


# With other networks in the store; these come last


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_driven_workers_are_the_engines(
    empty_database: Database, settings: Settings, case: Path
) -> None:
    load_records(empty_database, "folder", folder.get([case]), home=settings.home)
    query = load_queries()["driven_workers"]
    for expected in csv.DictReader((case / "expected.csv").open(encoding="utf-8")):
        rows = run_query(empty_database, query, {"person_id": expected["talent_id"]}).rows
        generations = [sum(row[0] == g for row in rows) for g in (1, 2, 3)]
        assert [len(rows), *generations] == [
            int(expected[column]) for column in ("driven", "g1", "g2", "g3")
        ], expected["talent_id"]


@pytest.mark.shared
@pytest.mark.skipif(not WIKIDATA.is_dir(), reason="../shared is absent")
def test_longest_chain_of_wikidata(empty_database: Database, settings: Settings) -> None:
    load_records(empty_database, "wikidata", wikidata.get([WIKIDATA]), home=settings.home)
    with (WIKIDATA / "mentor_edges.csv").open(encoding="utf-8") as file:
        pairs = [(row["mentor_qid"], row["apprentice_qid"]) for row in csv.DictReader(file)]
    graph = nx.DiGraph(pairs)
    assert graph.number_of_edges() == 623
    hops = nx.dag_longest_path_length(graph)
    table = run_query(empty_database, load_queries()["longest_chains"], {"chains": 5})
    found = next(table.records())
    assert found["hops"] == hops == 5
    assert nx.is_path(graph, found["path"])


def test_longest_chain_through_a_circle(empty_database: Database) -> None:
    edges = ["ab", "bc", "cb", "cd", "de", "xy", "yx"]
    empty_database.write(
        "UNWIND $edges AS e MERGE (a:Person {person_id: e[0]}) MERGE (b:Person {person_id: e[1]}) "
        "MERGE (a)-[:MENTORS]->(b)",
        {"edges": [list(edge) for edge in edges]},
    )
    table = run_query(empty_database, load_queries()["longest_chains"])
    paths = ["".join(row["path"]) for row in table.records()]
    assert paths == ["abcde", "cb", "xy", "yx"]


def test_an_empty_store_has_no_revision(empty_database: Database) -> None:
    assert standing.is_store_empty(empty_database)
    assert standing.read_newest_revision(empty_database) == 0
