"""What is found by name, against names written out by hand and against mistakes made at random."""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.names import KIND, MATCHES, NameIndex, folded, spelled

PEOPLE = {
    "P1": ("杨勇军", False), "P2": ("杨勇军", True), "P3": ("杨永军", False),
    "P4": ("杨勇军强", True), "P5": ("王茜", False), "P6": ("曾伟", False),
    "P7": ("欧阳建国", False), "P8": ("吕芳", False), "P9": ("Éric Dvořák", False),
    "P10": ("先丽", False), "P11": ("尉迟明", False),
}  # fmt: skip
PLACES = {"S1": "杨勇军技能大师工作室", "S2": "西安精密技能大师工作室"}


def index(people: dict[str, tuple[str, bool]] = PEOPLE) -> NameIndex:
    """An index of a person a row, as a snapshot's would be."""
    rows = sorted((("Person", n, not lead, key) for key, (n, lead) in people.items()))
    rows += sorted(("Studio", name, True, key) for key, name in PLACES.items())
    names = pl.DataFrame(
        [row[:2] for row in dict.fromkeys(r[:2] for r in rows)],
        schema={"kind": KIND, "name": pl.String}, orient="row",
    ).with_row_index("number")  # fmt: skip
    counts = [
        (
            min(at for at, r in enumerate(rows) if r[:2] == (kind, name)),
            sum(r[:2] == (kind, name) for r in rows),
            sum(r[:2] == (kind, name) and not r[2] for r in rows),
        )
        for _, kind, name in names.iter_rows()
    ]
    told = pl.DataFrame(counts, schema=["first", "count", "leading"], orient="row")
    whole = pl.concat([names, told], how="horizontal").join(spelled(names), on="number")
    return NameIndex(whole.drop("number"), pl.Series("key", [r[3] for r in rows]))


INDEX = index()


def ids(text: str, kind: str = "Person") -> list[str]:
    found = INDEX.find(text)
    return [hit.key for hit in found[kind].hits] if kind in found else []


def matches(text: str) -> dict[str, str]:
    return {hit.key: hit.match for hit in INDEX.find(text)["Person"].hits}


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("勇军", "P2"), ("yangyongjun", "P2"), ("yang yong jun", "P2"), ("yáng yǒng jūn", "P2"),
        ("yang2yong3jun1", "P2"), ("YYJ", "P2"), ("yangyj", "P2"), ("yongj", "P2"),
        ("zengwei", "P6"), ("cengwei", "P6"), ("wangqian", "P5"), ("wangxi", "P5"),
        ("oyjg", "P7"), ("jianguo", "P7"), ("lvfang", "P8"), ("lüfang", "P8"), ("dvorak", "P9"),
        ("yuchi", "P11"), ("P10", "P10"), ("欧阳健国", "P7"), ("欧阳国", "P7"),
        ("yangyogjun", "P2"), ("yangyognjun", "P2"), ("yangyongjuun", "P2"),
    ],
)  # fmt: skip
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


@settings(max_examples=40, deadline=None)
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
        order = [MATCHES.index(hit.match) for hit in hits]
        assert order == sorted(order)


@given(st.text(max_size=20))
def test_folding_is_done_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)
