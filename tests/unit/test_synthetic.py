"""The synthetic network: the same from the same seed, complete, plausible, and dirty on request."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.errors import UsageError
from graph.identity import is_valid_id_number
from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES
from graph.model.schema_types import NodeKind
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.snapshot.edges import build_influence_edges, compute_promotions
from graph.snapshot.frames import Snapshot
from loaders import folder as exchange
from loaders.synthetic.dirt import ACCEPTED_FAULTS, FAULTLESS_TABLES, REFUSED_FAULTS
from loaders.synthetic.names import OCCUPATIONS
from loaders.synthetic.network import (
    CHINESE_HEADERS_TABLE,
    GB18030_TABLE,
    SyntheticFolder,
    write_synthetic_folder,
)
from loaders.tables import CheckedTable, KnownKeys, check_references, check_table, list_references

TALENTS, WORKERS, SEED = 150, 40_000, 7
TODAY = date(2026, 11, 23)

Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("demo")
    write_synthetic_folder(folder, talents=TALENTS, workers=WORKERS, seed=SEED, parquet=True)
    return {path.stem: pl.read_parquet(path) for path in folder.iterdir()}


def checked_folder(folder: Path) -> dict[str, CheckedTable]:
    """The folder as the loader takes it, with no store."""
    alone = [check_table(raw, str, TODAY) for raw in exchange.get([folder])]
    nodes = {c.table: EXCHANGE_TABLES[c.table] for c in alone}
    known = KnownKeys(
        {
            kind.label: c.rows[kind.key]
            for c in alone
            if isinstance(kind := nodes[c.table], NodeKind) and not kind.key_from
        }
    )
    return {c.table: check_references(c, known, {})[0] for c in alone}


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def ages(people: pl.DataFrame, ids: pl.Series) -> pl.Series:
    born = dict(zip(people["person_id"], people["birth_date"], strict=True))
    return pl.Series([born[i] for i in ids], dtype=pl.Date)


# Files


@pytest.mark.parametrize(("parquet", "dirt"), [(False, 0.0), (True, 0.0), (False, 0.05)])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, parquet: bool, dirt: float) -> None:
    made = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_synthetic_folder(
            tmp_path / name, talents=6, workers=900, seed=seed, parquet=parquet, dirt=dirt
        )
        made.append(digests(tmp_path / name))
    assert made[0] == made[1] != made[2]


def test_every_table_with_the_schemas_headers(tmp_path: Path) -> None:
    said: list[str] = []
    steps: list[tuple[int, int]] = []
    made = write_synthetic_folder(
        tmp_path,
        talents=3,
        workers=500,
        seed=1,
        say=said.append,
        progress=lambda done, of: steps.append((done, of)),
    )
    assert {p.name for p in tmp_path.iterdir()} == {f"{table}.csv" for table in EXCHANGE_TABLES}
    assert set(made.rows) == set(EXCHANGE_TABLES) and len(said) == len(EXCHANGE_TABLES)
    assert steps[-1][0] == made.total and all(done <= of for done, of in steps)
    for table, declared in EXCHANGE_TABLES.items():
        header = (tmp_path / f"{table}.csv").read_text().splitlines()[0].split(",")
        assert header == [
            *(c.name for c in declared.columns if c.name in header),
            *(["source"] if "source" in header else []),
        ]
        required = {c.name for c in declared.columns if c.required}
        assert required <= set(header)


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    write_synthetic_folder(tmp_path / "csv", talents=3, workers=500, seed=1)
    write_synthetic_folder(tmp_path / "parquet", talents=3, workers=500, seed=1, parquet=True)
    for table in EXCHANGE_TABLES:
        parquet = pl.read_parquet(tmp_path / "parquet" / f"{table}.parquet")
        csv = pl.read_csv(tmp_path / "csv" / f"{table}.csv", schema=parquet.schema)
        assert csv.equals(parquet), table


@pytest.mark.parametrize(("talents", "workers"), [(1, 20), (1, 100), (40, 40), (2, 5000)])
def test_small_networks_load_whole(tmp_path: Path, talents: int, workers: int) -> None:
    made = write_synthetic_folder(tmp_path, talents=talents, workers=workers, seed=11)
    for table, checked in checked_folder(tmp_path).items():
        assert checked.findings.height == 0, checked.findings
        assert checked.accepted == checked.read == made.rows[table]


def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    cannot = ((0, 100, 1, 0), (1, 5, 1, 0), (1, 99, -1, 0), (1, 99, 1, 2))
    for talents, workers, seed, dirt in cannot:
        with pytest.raises(UsageError):
            write_synthetic_folder(
                tmp_path / "x", talents=talents, workers=workers, seed=seed, dirt=dirt
            )
    write_synthetic_folder(tmp_path / "x", talents=1, workers=100, seed=1)
    with pytest.raises(UsageError, match="already holds"):
        write_synthetic_folder(tmp_path / "x", talents=1, workers=100, seed=1)


def test_nothing_is_left_of_a_run_that_was_broken_off(tmp_path: Path) -> None:
    def break_off(line: Message) -> None:
        if str(line).startswith("people"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_synthetic_folder(tmp_path, talents=2, workers=200, seed=1, say=break_off)
    assert not list(tmp_path.iterdir())


# Whole


def test_every_reference_resolves(demo: Tables) -> None:
    keys = {
        kind.label: demo[table][kind.key]
        for table, kind in EXCHANGE_TABLES.items()
        if isinstance(kind, NodeKind) and not kind.key_from
    }
    for table, declared in EXCHANGE_TABLES.items():
        for column, kinds, _, _ in list_references(declared):
            if column not in demo[table].columns or not set(kinds) <= keys.keys():
                continue
            known = pl.concat([keys[kind] for kind in kinds])
            unknown = demo[table][column].drop_nulls().is_in(known.implode()).not_()
            assert not unknown.any(), (table, column)


def test_nobody_mentors_himself_or_the_same_one_twice(demo: Tables) -> None:
    mentorships = demo["mentorships"]
    assert mentorships.filter(pl.col("mentor_id") == pl.col("apprentice_id")).is_empty()
    assert not mentorships.select("mentor_id", "apprentice_id").is_duplicated().any()


def test_id_numbers_check_but_name_no_region(demo: Tables) -> None:
    numbers = demo["people"].filter(pl.col("id_number").is_not_null())
    assert all(map(is_valid_id_number, numbers["id_number"]))
    assert not numbers["id_number"].is_duplicated().any()
    assert numbers["id_number"].str.starts_with("99").all()
    dated = numbers.filter(pl.col("birth_date").is_not_null())
    assert (dated["id_number"].str.slice(6, 8) == dated["birth_date"].dt.strftime("%Y%m%d")).all()


def test_nothing_lies_in_the_future(demo: Tables) -> None:
    for table, frame in demo.items():
        for column in frame.select(pl.col(pl.Date)).columns:
            if not column.endswith("_until"):
                last = frame[column].max()
                assert last is None or last <= TODAY, (table, column)


def test_periods_run_forward(demo: Tables) -> None:
    for table, frame in demo.items():
        if {"start", "end"} <= set(frame.columns):
            assert frame.filter(pl.col("end") < pl.col("start")).is_empty(), table


# Shapes


def test_levels_rise_with_plausible_gaps(demo: Tables) -> None:
    rises = (
        demo["recognitions"]
        .sort("person_id", "date", "level")
        .with_columns(
            before=pl.col("level").shift(1).over("person_id"),
            years=pl.col("date").diff().over("person_id").dt.total_days() / 365.2425,
        )
        .drop_nulls("before")
    )
    assert (rises["level"] > rises["before"]).all()
    assert rises["years"].min() > 0.75  # type: ignore[operator]
    high = rises.filter((pl.col("level") >= 5) & (pl.col("before") >= 4))
    assert high["years"].min() >= 1.99  # type: ignore[operator]
    assert set(demo["recognitions"]["level"]) == set(range(1, 9))


def test_a_few_mentors_have_many_apprentices(demo: Tables) -> None:
    apprentices = demo["mentorships"].group_by("mentor_id").len()["len"]
    assert apprentices.quantile(0.5) <= 10  # type: ignore[operator]
    assert apprentices.quantile(0.99) > 10 * apprentices.median()  # type: ignore[operator]
    top = apprentices.sort(descending=True).head(len(apprentices) // 100).sum()
    assert top > 0.1 * apprentices.sum()
    mentors = demo["mentorships"].group_by("apprentice_id").len()["len"]
    assert 0.2 < (mentors > 1).mean() < 0.6  # type: ignore[operator]


def test_mentors_are_mostly_older_and_partly_no_talents(demo: Tables) -> None:
    pairs, people = demo["mentorships"], demo["people"]
    older = ages(people, pairs["mentor_id"]) < ages(people, pairs["apprentice_id"])
    assert older.mean() > 0.9  # type: ignore[operator]
    by_talents = pairs["mentor_id"].is_in(demo["talents"]["person_id"].implode()).mean()
    assert 0.15 < by_talents < 0.6  # type: ignore[operator]


def test_lineages_are_long_both_ways_and_stay_in_one_trade(demo: Tables) -> None:
    links = demo["mentorships"].drop_nulls("start").select("mentor_id", "apprentice_id", "start")
    talents = demo["talents"].select(pl.col("person_id").unique())
    deep = dict.fromkeys(("down", "up"), 0)
    for way, here, there in (
        ("down", "mentor_id", "apprentice_id"),
        ("up", "apprentice_id", "mentor_id"),
    ):
        at = talents.select(talent="person_id", person="person_id", since=pl.lit(None, pl.Date))
        later = pl.col("start") >= pl.col("since")
        in_order = later if way == "down" else pl.col("start") <= pl.col("since")
        while len(at) and deep[way] < 9:
            at = (
                at.join(links, left_on="person", right_on=here)
                .filter(in_order.fill_null(True))
                .select("talent", person=there, since="start")
                .unique()
            )
            deep[way] += bool(len(at))
    assert deep["down"] >= 4 and deep["up"] >= 3
    trade = demo["people"].select("person_id", "occupation_code", "enterprise_id")
    pairs = links.join(trade, left_on="mentor_id", right_on="person_id").join(
        trade, left_on="apprentice_id", right_on="person_id"
    )
    same = pairs["occupation_code"] == pairs["occupation_code_right"]
    assert same.mean() > 0.45  # type: ignore[operator]
    assert (pairs["enterprise_id"] == pairs["enterprise_id_right"]).mean() > 0.6  # type: ignore[operator]


def test_some_mentorships_are_undated_and_some_have_ended(demo: Tables) -> None:
    mentorships = demo["mentorships"]
    assert 0.01 < mentorships["start"].is_null().mean() < 0.03  # type: ignore[operator]
    assert set(mentorships["status"]) == {"ongoing", "completed", "ended"}
    assert mentorships["kind"].n_unique() == 5


def test_people_share_names_retire_and_come_back(demo: Tables) -> None:
    people, employments = demo["people"], demo["employments"]
    assert 0.01 < people["name"].is_duplicated().mean() < 0.95  # type: ignore[operator]
    assert people["retired_on"].drop_nulls().len() > 200
    back = employments.filter("reemployed")
    assert len(back) > 60 and back["service_until"].null_count() == 0
    assert set(back["person_id"]) <= set(people.drop_nulls("retired_on")["person_id"])


def test_winners_are_often_young_and_some_have_no_mentor(demo: Tables) -> None:
    winners = (
        demo["placings"]
        .join(demo["people"], on="person_id")
        .join(demo["competitions"], on="competition_id")
    )
    taught = winners["person_id"].is_in(demo["mentorships"]["apprentice_id"].implode())
    assert 0 < taught.mean() < 1  # type: ignore[operator]
    assert (winners["birth_date"].dt.year() > 1981).mean() > 0.9  # type: ignore[operator]
    ranks = winners.group_by("competition_id").agg(pl.col("rank").sort())["rank"].to_list()
    assert all(rank == list(range(1, len(rank) + 1)) for rank in ranks)


def test_provinces_weigh_unevenly(demo: Tables) -> None:
    share = Counter(demo["people"]["province"])
    assert set(share) <= set(PROVINCES)
    assert share["44"] + share["32"] > 10 * (share["63"] + share["46"])
    assert set(demo["people"]["occupation_code"]) <= set(OCCUPATIONS)


def test_demand_is_stated_wherever_somebody_works_and_a_small_network_has_little(
    demo: Tables, tmp_path: Path
) -> None:
    cell = ["occupation_code", "province"]
    stated = demo["demand"].group_by(cell).len()
    works = demo["people"].select(cell).drop_nulls().unique()
    years = works.join(stated, on=cell, how="left")["len"]
    assert set(years) == {3}
    small = write_synthetic_folder(tmp_path, talents=3, workers=60, seed=4)
    assert 0 < small.rows["demand"] < small.total / 4


def test_targets_are_to_scale_and_add_up(demo: Tables) -> None:
    targets = demo["targets"]
    national = targets.filter(pl.col("scope") == "national")
    assert national["year"].to_list() == [2024, 2025, 2026]
    assert national["leading_talents"].sum() == TALENTS
    assert national["high_skilled"].sum() == WORKERS
    provinces = targets.filter(pl.col("scope") != "national")
    assert provinces["scope"].n_unique() == 31
    for column in ("leading_talents", "high_skilled"):
        by_year = provinces.group_by("year").agg(pl.col(column).sum()).sort("year")[column]
        assert by_year.to_list() == national[column].to_list()


def as_snapshot(tables: Tables) -> Snapshot:
    """The engine's tables straight from the exchange tables, with no database between."""
    row = tables["people"].with_row_index("person").select("person_id", "person").lazy()

    def numbered(table: str, column: str = "person_id", to: str = "person") -> pl.LazyFrame:
        rows = tables[table].lazy().join(row, left_on=column, right_on="person_id")
        return rows.rename({"person": to}) if to != "person" else rows

    mentorships = (
        numbered("mentorships", "mentor_id", "mentor")
        .join(row.rename({"person": "apprentice"}), left_on="apprentice_id", right_on="person_id")
        .select("mentor", "apprentice", "start")
    )
    stay = ("person", "studio_id", "start", "end")
    trainings = numbered("trainings").rename({"place_id": "studio_id"}).select(stay)
    people = tables["people"].lazy().with_row_index("person")
    return Snapshot(
        0,
        None,
        {
            "people": people,
            "talents": numbered("talents").select("person"),
            "edges": build_influence_edges(
                mentorships, numbered("studio_leads").select(stay), trainings
            ),
            "promotions": compute_promotions(
                numbered("recognitions").select("person", pl.col("level").cast(pl.Int8), "date")
            ),
        },
    )


def test_a_talent_drives_150_to_330_new_high_skilled_workers(demo: Tables) -> None:
    driven = measure_driven(as_snapshot(demo), Policy(as_of=TODAY))
    national = driven.national
    assert national["leading_talents"] == TALENTS
    assert 150 <= national["sum_over_talents"] / TALENTS <= 330
    assert 0.4 * WORKERS <= national["driven_persons"] <= 0.92 * WORKERS
    assert national["driven_person_times"] > national["driven_persons"]
    generations = driven.talents.select(pl.col("g1", "g2", "g3").sum()).row(0)
    assert min(generations[:2]) > generations[2] > 0


# Dirt


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SyntheticFolder]:
    folder = tmp_path_factory.mktemp("dirty")
    return folder, write_synthetic_folder(folder, talents=20, workers=4000, seed=5, dirt=0.06)


def test_every_sort_of_dirt_is_there_and_counted(dirty: tuple[Path, SyntheticFolder]) -> None:
    _, made = dirty
    assert (
        {"people", "mentorships", "recognitions"}
        <= set(made.dirt)
        <= set(EXCHANGE_TABLES) - set(FAULTLESS_TABLES)
    )
    sorts = {sort for counts in made.dirt.values() for sort in counts}
    assert sorts == {*ACCEPTED_FAULTS, *REFUSED_FAULTS}
    people = sum(made.dirt["people"].values())
    assert 0.045 < people / 4020 < 0.075


def test_the_loader_refuses_just_the_rows_that_must_be(dirty: tuple[Path, SyntheticFolder]) -> None:
    folder, made = dirty
    for table, checked in checked_folder(folder).items():
        counts = made.dirt.get(table, {})
        refused = sum(number for sort, number in counts.items() if sort in REFUSED_FAULTS)
        assert checked.read == made.rows[table], table
        assert checked.refused == refused, (table, counts, checked.findings)


def test_one_file_is_gb18030_and_one_has_chinese_headers(
    dirty: tuple[Path, SyntheticFolder],
) -> None:
    folder, _ = dirty
    with pytest.raises(UnicodeDecodeError):
        (folder / f"{GB18030_TABLE}.csv").read_text("utf-8")
    assert "人力资源社会保障部" in (folder / f"{GB18030_TABLE}.csv").read_text("gb18030")
    header = (folder / f"{CHINESE_HEADERS_TABLE}.csv").read_text().splitlines()[0]
    assert header.startswith("人员编号,企业编号")


def test_dirty_parquet_loads_like_dirty_csv(tmp_path: Path) -> None:
    for parquet in (False, True):
        write_synthetic_folder(
            tmp_path / str(parquet), talents=4, workers=800, seed=5, dirt=0.1, parquet=parquet
        )
    csv, other = checked_folder(tmp_path / "False"), checked_folder(tmp_path / "True")
    assert {t: (c.read, c.refused) for t, c in csv.items()} == {
        t: (c.read, c.refused) for t, c in other.items()
    }
