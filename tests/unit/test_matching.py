"""Which people are one: the laws of clusters, weights that depend on no order, judgements."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import UsageError
from graph.store.identity_merge import ENTERPRISES, SCHOOLS, STUDIOS, IdentityKind
from loaders.matching.judgements import (
    export_judgements,
    import_judgements,
    list_judged_pairs,
    list_judgements,
    save_judgement,
)
from loaders.matching.match_model import AMBIGUITY_BITS, FIELD_LEVELS, MERGE_WEIGHT_BITS
from loaders.matching.match_pairs import score_pairs
from loaders.matching.match_records import complete_records, normalize_employer_names
from loaders.matching.match_words import FIELD_WORDS, LEVEL_WORDS, list_field_agreements
from loaders.matching.merge_choice import MergeChoice, choose_merges
from loaders.matching.organisation_matching import find_organisation_pairs
from loaders.matching.organisation_names import find_name_pairs
from loaders.matching.person_names import fold_names, romanize_names
from loaders.synthetic.two_departments import build_two_views
from tests.examples import limit_examples

IDS = [f"p{at}" for at in range(9)]
PAIRS = st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)).filter(lambda pair: pair[0] < pair[1])
PEOPLE = st.lists(
    st.tuples(st.sampled_from([None, None, "d1", "d2"]), st.sampled_from(["A", "B", "C", "D"])),
    min_size=len(IDS),
    max_size=len(IDS),
)
WEIGHTS = st.dictionaries(PAIRS, st.sampled_from([-1.0, 5.0, 9.5, 12.0, 20.0, 30.0]), max_size=16)
JUDGED = st.dictionaries(PAIRS, st.sampled_from(["same", "different"]), max_size=5)


def build_people(known: list[tuple[str | None, str]]) -> pl.DataFrame:
    rows = [(at, IDS[at], digest, [name]) for at, (digest, name) in enumerate(known)]
    schema = {"record": pl.Int64, "person_id": pl.String, "digest": pl.String}
    return pl.DataFrame(rows, schema={**schema, "departments": pl.List(pl.String)}, orient="row")


def build_pairs(weights: dict[tuple[str, str], float]) -> pl.DataFrame:
    rows = [(IDS.index(a), IDS.index(b), weight) for (a, b), weight in weights.items()]
    schema = {"record_l": pl.Int64, "record_r": pl.Int64, "weight": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def choose(
    people: pl.DataFrame, pairs: pl.DataFrame, judged: dict[tuple[str, str], str]
) -> MergeChoice:
    of = defaultdict(list)
    for pair, verdict in judged.items():
        of[verdict].append(pair)
    return choose_merges(people, pairs, of["same"], of["different"])


def clusters_of(choice: MergeChoice) -> dict[str, set[str]]:
    found = {id: {id} for id in IDS}
    for id, person in choice.merges.select("id", "person_id").iter_rows():
        found[person].add(id)
        del found[id]
    return found


@given(PEOPLE, WEIGHTS, JUDGED, st.randoms(use_true_random=False))
@settings(max_examples=limit_examples(300), deadline=None)
def test_no_cluster_holds_what_must_stay_apart(
    known: list[tuple[str | None, str]],
    weights: dict[tuple[str, str], float],
    judged: dict[tuple[str, str], str],
    random: Any,
) -> None:
    people, pairs = build_people(known), build_pairs(weights)
    choice = choose(people, pairs, judged)
    clusters = clusters_of(choice)
    of = {id: cluster for cluster in clusters.values() for id in cluster}
    digests = dict(zip(IDS, (digest for digest, _ in known), strict=True))
    for person, cluster in clusters.items():
        assert person == min(cluster)
        assert len({digests[id] for id in cluster} - {None}) <= 1
    for (a, b), verdict in judged.items():
        if verdict == "different":
            assert of[a] is not of[b]
    # Without a decision on one of them, no cluster has a department twice.
    departments = dict(zip(IDS, (name for _, name in known), strict=True))
    decided = {id for pair, verdict in judged.items() for id in pair if verdict == "same"}
    for cluster in clusters.values():
        if not cluster & decided:
            assert len({departments[id] for id in cluster}) == len(cluster)
    # The order of the rows decides nothing, neither of people nor of pairs.
    shuffled = list(range(people.height))
    random.shuffle(shuffled)
    order = list(range(pairs.height))
    random.shuffle(order)
    turned = pairs[order].select(record_l="record_r", record_r="record_l", weight="weight")
    again = choose(people[shuffled], turned, judged)
    assert again.merges.equals(choice.merges)
    assert again.asked.height == choice.asked.height


@given(PEOPLE, WEIGHTS, PAIRS)
@settings(max_examples=limit_examples(200), deadline=None)
def test_a_judgement_wins_over_what_is_computed(
    known: list[tuple[str | None, str]],
    weights: dict[tuple[str, str], float],
    pair: tuple[str, str],
) -> None:
    people, pairs = build_people(known), build_pairs(weights)
    a, b = pair
    apart = clusters_of(choose(people, pairs, {pair: "different"}))
    assert not any({a, b} <= cluster for cluster in apart.values())
    numbers = {known[IDS.index(id)][0] for id in pair} - {None}
    together = clusters_of(choose(people, pairs, {pair: "same"}))
    assert any({a, b} <= cluster for cluster in together.values()) == (len(numbers) < 2)


@given(PEOPLE, WEIGHTS)
@settings(max_examples=limit_examples(200), deadline=None)
def test_the_asked_and_the_merged_are_all_pairs(
    known: list[tuple[str | None, str]], weights: dict[tuple[str, str], float]
) -> None:
    choice = choose(build_people(known), build_pairs(weights), {})
    of = {id: person for person, cluster in clusters_of(choice).items() for id in cluster}
    apart = {pair for pair in weights if of[pair[0]] != of[pair[1]]}
    asked = {(IDS[a], IDS[b]) for a, b, _ in choice.asked.iter_rows()}
    assert asked == apart


def test_a_chain_never_joins_two_id_numbers() -> None:
    people = build_people([("d1", "A"), (None, "B"), ("d2", "C"), *[(None, "D")] * 6])
    pairs = build_pairs({("p0", "p1"): 20.0, ("p1", "p2"): 30.0})
    choice = choose(people, pairs, {})
    assert choice.merges.select("id", "person_id").rows() == [("p2", "p1")]
    assert choice.asked.select("record_l", "record_r").rows() == [(0, 1)]


def test_two_near_partners_of_one_department_are_asked_both() -> None:
    people = build_people([(None, "A"), (None, "B"), (None, "B"), *[(None, "C")] * 6])
    near = build_pairs({("p0", "p1"): 20.0, ("p0", "p2"): 20.0 - AMBIGUITY_BITS / 2})
    assert choose(people, near, {}).merges.is_empty()
    clear = build_pairs({("p0", "p1"): 20.0, ("p0", "p2"): 19.0 - AMBIGUITY_BITS})
    assert choose(people, clear, {}).merges["id"].to_list() == ["p1"]


def test_names_are_compared_in_one_form() -> None:
    written = pl.Series(["蕭　建國", "肖建国", "Ana Li", "ＡＮＡ·LI", None, "··"])
    assert fold_names(written).to_list() == ["萧建国", "萧建国", "ANALI", "ANALI", None, None]
    spelt = romanize_names(pl.Series(["严明", "阎铭", None]))
    assert spelt.to_list() == ["yanming", "yanming", None]
    companies = pl.Series(["江苏远航（集团）有限公司", "江苏 远航", "有限公司"])
    assert normalize_employer_names(companies).to_list() == ["江苏远航", "江苏远航", "有限公司"]


def build_rows(*rows: dict[str, Any]) -> pl.DataFrame:
    """Records of people of whom each row states some; the rest is the same for all."""
    usual = {
        "name": "欧阳修远",
        "sex": "male",
        "birth_date": dt.date(1985, 3, 14),
        "precision": None,
        "province": "32",
        "occupation_code": "6-18-01-01",
        "employer": "江苏远航",
        "employers": ["江苏远航"],
        "digest": None,
        "certificates": None,
    }
    found = [
        {**usual, "person": at, "person_id": f"r{at}", "sources": [f"d{at}/list"], **row}
        for at, row in enumerate(rows)
    ]
    schema = {"digest": pl.String, "certificates": pl.List(pl.String), "precision": pl.String}
    return complete_records(pl.DataFrame(found, schema_overrides=schema))


def fill(count: int) -> list[dict[str, Any]]:
    """People who are others, so that shares are those of a list of some size."""
    return [
        {
            "name": f"{'王李张刘'[at % 4]}{chr(0x4E00 + at)}",
            "birth_date": dt.date(1960, 1, 1) + dt.timedelta(days=37 * at),
            "employer": f"厂{at}",
            "employers": [f"厂{at}"],
            "occupation_code": f"6-{at % 30:02d}-01-01",
            "province": f"{11 + at % 30}",
        }
        for at in range(count)
    ]


def weigh(tmp_path: Path, *rows: dict[str, Any]) -> dict[str, Any]:
    """The pair of the first two rows: its levels and weight; empty where it is none."""
    pairs = score_pairs(build_rows(*rows, *fill(300)), tmp_path, at_least=-60.0)
    found = pairs.filter((pl.col("record_l") == 0) & (pl.col("record_r") == 1))
    return found.row(0, named=True) if found.height else {}


@pytest.mark.parametrize(
    ("other", "field", "level"),
    [
        ({}, "name", "same"),
        ({"name": "歐陽 修遠"}, "name", "same"),
        ({"name": "欧阳休远"}, "name", "same_sound"),
        ({"name": "欧阳修哉"}, "name", "one_character"),
        ({"name": "欧阳哉远"}, "name", "one_character"),
        ({"name": "欧阳远修"}, "name", "one_character"),
        ({"name": "欧阳远"}, "name", "one_character"),
        ({"name": "欧阳修远哉"}, "name", "one_character"),
        ({"name": "欧哉修大"}, "name", "different"),
        ({"birth_date": dt.date(1985, 3, 15)}, "birth", "slip"),
        ({"birth_date": dt.date(1985, 4, 2)}, "birth", "near"),
        ({"birth_date": dt.date(1985, 1, 1), "precision": "year"}, "birth", "same_year"),
        ({"birth_date": None}, "birth", None),
        ({"employer": "苏州精测", "employers": ["苏州精测"]}, "employer", "different"),
        ({"employer": "苏州精测", "employers": ["江苏远航", "苏州精测"]}, "employer", "earlier"),
        ({"occupation_code": "6-18-04-06"}, "occupation", "same_group"),
        ({"province": None}, "province", None),
        ({"sex": "female"}, "sex", "different"),
    ],
)
def test_a_field_agrees_to_a_level(
    tmp_path: Path, other: dict[str, Any], field: str, level: str | None
) -> None:
    assert weigh(tmp_path, {}, other)[field] == level


def test_what_two_lists_say_of_a_person_merges_and_two_numbers_never_do(tmp_path: Path) -> None:
    moved = {"employer": "苏州精测", "employers": ["苏州精测"]}
    assert weigh(tmp_path, {}, moved)["weight"] > MERGE_WEIGHT_BITS
    assert weigh(tmp_path, {"digest": "a"}, {})["weight"] > MERGE_WEIGHT_BITS
    assert weigh(tmp_path, {"digest": "a"}, {"digest": "b"}) == {}
    alone = {"birth_date": None, "occupation_code": None, "province": None, **moved}
    assert not weigh(tmp_path, {}, alone)
    certified = {"certificates": ["S1"], **alone}
    assert weigh(tmp_path, {"certificates": ["S0", "S1"]}, certified)["weight"] > 0


def test_every_level_has_words() -> None:
    assert set(FIELD_WORDS) == set(FIELD_LEVELS)
    assert {level for found in FIELD_LEVELS.values() for level in found} == set(LEVEL_WORDS)
    row = {"name": "same", "name_bits": 12.0, "sex": "different", "sex_bits": -6.6}
    alike, apart = list_field_agreements(row)
    assert [one.said("en") for one in (*alike, *apart)] == ["name: the same", "sex: different"]


def test_two_departments_are_matched_alike_in_any_order(tmp_path: Path) -> None:
    people = pl.DataFrame(
        [
            {
                "truth": at,
                "name": "王李张刘陈杨"[at % 6] + chr(0x4E10 + at * 7 % 900) + chr(0x5E10 + at % 67),
                "sex": "male" if at % 3 else "female",
                "birth_date": dt.date(1960, 1, 1) + dt.timedelta(days=at * 61 % 14_000),
                "province": f"{11 + at % 31}",
                "occupation_code": f"6-{at * 3 % 25:02d}-01-01",
                "employer": f"厂{at * 5 % 150}",
                "id_number": f"n{at}",
            }
            for at in range(400)
        ]
    )
    views = build_two_views(people, 7)
    records = complete_records(views)
    pairs = score_pairs(records, tmp_path)
    again = score_pairs(records.sample(fraction=1.0, shuffle=True, seed=3), tmp_path)
    assert pairs.equals(again)
    truth = dict(views.select("person_id", "truth").iter_rows())
    merges = choose_merges(records, pairs).merges
    assert merges.height > 330
    assert all(truth[a] == truth[b] for a, b in merges.select("id", "person_id").iter_rows())


def test_judgements_are_kept_undone_and_carried_to_another_folder(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    save_judgement(here, "b", "a", "same", "li")
    save_judgement(here, "a", "c", "different", "li")
    save_judgement(here, "c", "d", "same", "li")
    save_judgement(here, "c", "d", "open", "wang")
    found = list_judgements(here)
    assert list_judged_pairs(found, "same") == [("a", "b")]
    assert [(one.pair, one.verdict, one.judged_by) for one in found] == [
        (("a", "b"), "same", "li"),
        (("a", "c"), "different", "li"),
    ]
    assert export_judgements(here, tmp_path / "judged.csv") == 2
    assert import_judgements(there, tmp_path / "judged.csv", "zhao") == 2
    assert list_judgements(there) == found
    assert import_judgements(there, tmp_path / "judged.csv", "zhao") == 0
    (tmp_path / "other.csv").write_text("person_a,person_b\na,b\n", "utf-8")
    with pytest.raises(UsageError, match="row 2"):
        import_judgements(there, tmp_path / "other.csv", "zhao")
    with pytest.raises(UsageError):
        save_judgement(here, "a", "a", "same", "li")


NAMES = {
    "苏州远航重工集团有限公司": "full",
    "远航重工": "short",
    "远航重工(集团)股份公司": "brackets",
    "新星机电有限公司（原苏州第一机床厂）": "new",
    "第一机床厂": "old",
    "远航重工集团苏州分公司": "branch",
    "南通远航重工学校": "school",
    "恒力": "two signs",
    "恒力机械": "longer",
    "江南造船": "begin",
    "上海江南造船修配": "begun",
}


def test_names_of_one_enterprise_are_found_and_others_are_not() -> None:
    names = list(NAMES.values())
    records = pl.DataFrame({"record": range(len(NAMES)), "name": list(NAMES)}).with_columns(
        digest=pl.lit(None, pl.String)
    )
    pairs = {(names[a], names[b]): why for a, b, why in find_name_pairs(records).iter_rows()}
    assert pairs == {
        ("short", "brackets"): "same_words",
        ("new", "old"): "old_name",
        ("full", "short"): "same_core",
        ("full", "brackets"): "same_core",
        ("begin", "begun"): "short_name",
    }


def find_pairs(identity: IdentityKind, *rows: tuple[str, str | None, str | None, str]) -> Any:
    """Ground and whether it merges by itself, by the names' places in the list.

    `rows`: name, province, host (its id and name), department.
    """
    code = "91320500711111111X"
    schema = {"organisation_id": pl.String, "digest": pl.String, "departments": pl.List(pl.String)}
    known = pl.DataFrame(
        {
            "record": range(len(rows)),
            "name": [row[0] for row in rows],
            "province": [row[1] for row in rows],
            "host_id": [row[2] for row in rows],
            "host": [row[2] for row in rows],
            "digest": [code + row[3] if row[3].isdigit() else None for row in rows],
            "departments": [[row[3]] for row in rows],
            "organisation_id": [str(at) for at in range(len(rows))],
        },
        schema_overrides={**schema, **dict.fromkeys(("province", "host_id", "host"), pl.String)},
    )
    pairs = find_organisation_pairs(known, identity)
    return {
        (row["record_l"], row["record_r"]): (row["ground"], row["weight"] > 0)
        for row in pairs.iter_rows(named=True)
    }


def test_the_same_name_merges_where_the_place_is_told_and_nothing_forbids_it() -> None:
    place, bare = "苏州远航重工有限公司", "远航重工有限公司"
    full = (place, None, None, "A"), (place.replace("州", "州 "), None, None, "B")
    assert find_pairs(ENTERPRISES, *full) == {(0, 1): ("same_name", True)}
    assert find_pairs(ENTERPRISES, full[0], full[0]) == {(0, 1): ("same_name", False)}
    unplaced = (bare, None, None, "A"), (bare, "32", None, "B")
    assert find_pairs(ENTERPRISES, *unplaced) == {(0, 1): ("same_name", False)}
    records = (bare, "32", None, "A"), (bare, "32", None, "B"), (bare, "33", None, "C")
    assert find_pairs(ENTERPRISES, *records) == {
        (0, 1): ("same_name", True),
        (0, 2): ("same_name", False),
        (1, 2): ("same_name", False),
    }
    assert find_pairs(ENTERPRISES, (place, "32", None, "1"), (place, "32", None, "2")) == {}
    one = find_pairs(ENTERPRISES, (place, "32", None, "1"), ("远航", None, None, "1"))
    assert one == {(0, 1): ("same_code", True)}


def test_schools_and_studios_are_asked_by_what_tells_them_apart() -> None:
    schools = ("江苏省苏州技师学院", "32", None, "A"), ("苏州技师学院", "32", None, "B")
    assert find_pairs(SCHOOLS, *schools) == {(0, 1): ("same_core", False)}
    branch = ("苏州技师学院", None, None, "A"), ("苏州技师学院附属学校", None, None, "B")
    assert find_pairs(SCHOOLS, *branch) == {}
    full, short = "苏州远航重工集团有限公司", "远航重工"
    grades = ("张建国国家级技能大师工作室", None, full, "A"), ("张建国工作室", None, short, "B")
    assert find_pairs(STUDIOS, *grades) == {(0, 1): ("same_subject", False)}
    elsewhere = ("技能大师工作室", None, full, "A"), ("技能大师工作室", None, "无锡机床厂", "B")
    assert find_pairs(STUDIOS, *elsewhere) == {}
    hosted = ("焊接工作室", None, full, "A"), ("焊接 工作室", None, full, "B")
    assert find_pairs(STUDIOS, *hosted) == {(0, 1): ("same_name", True)}
