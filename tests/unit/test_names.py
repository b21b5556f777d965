"""What is found by name, against names written out by hand and against mistakes made at random."""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.people.search import (
    MATCH_KINDS,
    SEARCH_KIND_DTYPE,
    NameIndex,
    fold_letters,
    rank_names,
    spell_names,
)
from tests.examples import limit_examples

PEOPLE = {
    "P1": ("杨勇军", False),
    "P2": ("杨勇军", True),
    "P3": ("杨永军", False),
    "P4": ("杨勇军强", True),
    "P5": ("王茜", False),
    "P6": ("曾伟", False),
    "P7": ("欧阳建国", False),
    "P8": ("吕芳", False),
    "P9": ("Éric Dvořák", False),
    "P10": ("先丽", False),
    "P11": ("尉迟明", False),
}
PLACES = {"S1": "杨勇军技能大师工作室", "S2": "西安精密技能大师工作室"}


def index(people: dict[str, tuple[str, bool]] = PEOPLE) -> NameIndex:
    """An index of a person a row, as a snapshot's would be."""
    rows = sorted((("Person", n, not lead, key) for key, (n, lead) in people.items()))
    rows += sorted(("Studio", name, True, key) for key, name in PLACES.items())
    names = pl.DataFrame(
        [row[:2] for row in dict.fromkeys(r[:2] for r in rows)],
        schema={"kind": SEARCH_KIND_DTYPE, "name": pl.String},
        orient="row",
    ).with_row_index("number")
    counts = [
        (
            min(at for at, r in enumerate(rows) if r[:2] == (kind, name)),
            sum(r[:2] == (kind, name) for r in rows),
            sum(r[:2] == (kind, name) and not r[2] for r in rows),
        )
        for _, kind, name in names.iter_rows()
    ]
    counted = pl.DataFrame(counts, schema=["first", "count", "leading"], orient="row")
    joined = pl.concat([names, counted], how="horizontal").join(spell_names(names), on="number")
    return NameIndex(rank_names(joined.drop("number")), pl.DataFrame({"key": [r[3] for r in rows]}))


INDEX = index()


def ids(text: str, kind: str = "Person") -> list[str]:
    found = INDEX.find(text)
    return [hit.key for hit in found[kind].hits] if kind in found else []


def matches(text: str) -> dict[str, str]:
    return {hit.key: hit.match for hit in INDEX.find(text)["Person"].hits}


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("勇军", "P2"),
        ("yangyongjun", "P2"),
        ("yang yong jun", "P2"),
        ("yáng yǒng jūn", "P2"),
        ("yang2yong3jun1", "P2"),
        ("YYJ", "P2"),
        ("yangyj", "P2"),
        ("yongj", "P2"),
        ("zengwei", "P6"),
        ("cengwei", "P6"),
        ("wangqian", "P5"),
        ("wangxi", "P5"),
        ("oyjg", "P7"),
        ("jianguo", "P7"),
        ("lvfang", "P8"),
        ("lüfang", "P8"),
        ("dvorak", "P9"),
        ("yuchi", "P11"),
        ("P10", "P10"),
        ("欧阳健国", "P7"),
        ("欧阳国", "P7"),
        ("yangyogjun", "P2"),
        ("yangyognjun", "P2"),
        ("yangyongjuun", "P2"),
    ],
)
def test_a_person_is_found_however_typed(typed: str, first: str) -> None:
    assert ids(typed)[0] == first


def test_whole_names_come_first_then_talents_then_what_sounds_so_or_is_one_sign_off() -> None:
    assert ids("杨勇军") == ["P2", "P1", "P4", "P3"]
    assert matches("杨勇军") == {"P2": "exact", "P1": "exact", "P4": "beginning", "P3": "sound"}
    assert matches("杨永军")["P3"] == "exact" and matches("杨永军")["P1"] == "sound"
    assert matches("杨军") == {"P2": "mistake", "P1": "mistake", "P3": "mistake"}


def test_a_syllable_is_met_from_its_beginning_only() -> None:
    assert ids("xianli") == ["P10"]
    assert "S2" in ids("xian", "Studio") and ids("ongjun") == []


def test_places_are_found_by_parts_with_a_space_and_by_pinyin() -> None:
    assert ids("西安 工作室", "Studio") == ["S2"]
    assert ids("xajm", "Studio") == ["S2"]
    assert ids("西安精蜜技能", "Studio") == ["S2"]


@pytest.mark.parametrize("text", ['"', "*", "(", "\\", "", "  ", "a(b", "}) DETACH", "%", "[王"])
def test_nothing_typed_breaks_it(text: str) -> None:
    INDEX.find(text)


def test_the_number_of_a_kind_counts_all_and_shows_the_first() -> None:
    found = INDEX.find("杨", most=2)["Person"]
    assert (found.total, len(found.hits), found.alike) == (4, 2, 0)


SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周", "伟磊勇涛超鹏杰斌波辉刚健峰亮飞龙凯俊旭东"
NAMES = st.builds(
    lambda s, g: s + g, st.sampled_from(SURNAMES), st.text(GIVEN, min_size=2, max_size=2)
)


@settings(max_examples=limit_examples(40), deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_one_mistake_in_han_or_pinyin_still_finds(names: list[str], chance: random.Random) -> None:
    made = index({f"N{at}": (name, False) for at, name in enumerate(names)})
    name = chance.choice(names)
    wrong = list(name)
    wrong[chance.randrange(3)] = "饕"
    spelling = made.names.filter(pl.col("name") == name)["spelled"][0].replace(" ", "")
    at = chance.randrange(len(spelling))
    missing = spelling[:at] + spelling[at + 1 :]
    for typed in ("".join(wrong), spelling[:at] + "q" + spelling[at + 1 :], missing, spelling):
        hits = made.find(typed, most=50)["Person"].hits
        assert name in {hit.name for hit in hits}, typed
        order = [MATCH_KINDS.index(hit.match) for hit in hits]
        assert order == sorted(order)


@given(st.text(max_size=20))
def test_folding_is_done_once(text: str) -> None:
    assert fold_letters(fold_letters(text)) == fold_letters(text)


# --- facets, pages, whole numbers --------------------------------------------------------------


def made_of(people: list[dict[str, object]]) -> NameIndex:
    """The index of a snapshot of these people."""
    from graph.people.search import load_name_index
    from graph.snapshot.frames import Snapshot

    schema = {
        "person_id": pl.String,
        "name": pl.String,
        "province": pl.String,
        "occupation_code": pl.String,
        "level": pl.Int8,
        "leading": pl.Boolean,
    }
    frames = {"people": pl.LazyFrame(people, schema=schema)}
    for frame, key in (
        ("studios", "studio_id"),
        ("enterprises", "enterprise_id"),
        ("schools", "school_id"),
        ("occupations", "code"),
        ("competitions", "competition_id"),
        ("projects", "project_id"),
        ("provinces", "code"),
    ):
        named = {key: pl.String, "name": pl.String, "province": pl.String}
        frames[frame] = pl.LazyFrame({}, schema=named)
    return load_name_index(Snapshot(1, None, frames))


def person(id: str, name: str | None, province: str, level: int, trade: str) -> dict[str, object]:
    return {
        "person_id": id,
        "name": name,
        "province": province,
        "occupation_code": trade,
        "level": level,
        "leading": level == 8,
    }


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["王伟", "王芳", "李伟", "王大伟"]),
            st.sampled_from(["32", "33"]),
            st.integers(0, 8),
            st.sampled_from(["a", "b"]),
        ),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(["王", "伟", "wang", "王伟"]),
    st.fixed_dictionaries(
        {},
        optional={
            "province": st.sampled_from(["32", "33"]),
            "level": st.sampled_from(["0", "4", "8"]),
            "occupation": st.sampled_from(["a", "b"]),
        },
    ),
)
@settings(max_examples=limit_examples(60), deadline=None)
def test_pages_and_facets_agree_with_a_walk_over_everyone(
    rows: list[tuple[str, str, int, str]], typed: str, only: dict[str, str]
) -> None:
    people = [person(f"P{n}", *row) for n, row in enumerate(rows)]
    made = made_of(people)
    every = made.find(typed, ("Person",), 1_000).get("Person")
    everyone = [hit.key for hit in every.hits] if every else []
    value = {"province": "province", "level": "level", "occupation": "occupation_code"}
    of = {str(one["person_id"]): one for one in people}

    def meets(id: str, but: str = "") -> bool:
        return all(str(of[id][value[n]]) == v for n, v in only.items() if n != but)

    wanted = [id for id in everyone if meets(id)]
    chosen = {name: frozenset({v}) for name, v in only.items()}
    paged = []
    for first in range(0, len(everyone) + 3, 3):
        found = made.find(typed, ("Person",), 3, first=first, only=chosen).get("Person")
        if found:
            # Beyond the first page those who are only alike may be left out.
            paged += [hit.key for hit in found.hits]
    certain = every.total - every.alike if every else 0
    assert paged[: len([id for id in everyone[:certain] if meets(id)])] == [
        id for id in everyone[:certain] if meets(id)
    ]
    everything = made.find(typed, ("Person",), 1_000, only=chosen).get("Person")
    assert [hit.key for hit in everything.hits] == wanted if everything else not wanted
    for name in value if everything else ():
        counted: dict[str, int] = {}
        for id in everyone:
            if meets(id, name):
                code = str(of[id][value[name]])
                counted[code] = counted.get(code, 0) + 1
        assert everything.counts[name] == counted


def test_nothing_typed_and_a_facet_is_everyone_there() -> None:
    made = made_of(
        [
            person("P1", "王伟", "32", 8, "a"),
            person("P2", None, "32", 3, "b"),
            person("P3", "李伟", "33", 3, "b"),
        ]
    )
    found = made.find("", only={"province": frozenset({"32"})})["Person"]
    assert (found.total, [hit.key for hit in found.hits]) == (2, ["P1", "P2"])
    assert made.find("") == {}


@pytest.mark.parametrize("id", ["S/1 #甲", "甲", "a b c", "#", "（一）", "P.1-2", "p1"])
def test_any_number_typed_whole_is_found_even_of_one_without_a_name(id: str) -> None:
    made = made_of([person(id, None, "32", 3, "a"), person("P7", "王伟", "32", 3, "a")])
    hits = made.find(f" {id} ")["Person"].hits
    assert (hits[0].key, hits[0].match) == (id, "exact")
    assert made.find(id)["Person"].total == 1
