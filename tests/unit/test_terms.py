"""English pages say national names in English; a name that no list knows stays as it is."""

from __future__ import annotations

import re

import polars as pl

from loaders.synthetic.names import (
    INDUSTRIES,
    MASTER_POSITIONS,
    OCCUPATIONS,
    OTHER_HONOURS,
    POSITIONS,
)
from ui.words.i18n import override_language
from ui.words.terms import (
    format_person_name,
    load_english_terms,
    name_width,
    translate_term,
    with_pinyin,
)

HAN = re.compile(r"[\u4e00-\u9fff]")


def test_every_occupation_honour_and_industry_in_use_has_an_english_name() -> None:
    honours = [name for names in (OTHER_HONOURS,) for name in _texts(names)]
    for name in (*OCCUPATIONS.values(), *INDUSTRIES, *POSITIONS, *MASTER_POSITIONS, *honours):
        assert name in load_english_terms(), name
    assert not [name for name in load_english_terms().values() if HAN.search(name)]


def _texts(value: object) -> list[str]:
    """The Chinese names anywhere in a table of the generator."""
    if isinstance(value, str):
        return [value] if HAN.search(value) else []
    if isinstance(value, dict):
        return [text for item in value.items() for text in _texts(item)]
    if isinstance(value, tuple | list):
        return [text for item in value for text in _texts(item)]
    return []


def test_a_name_is_said_in_the_language_of_the_page() -> None:
    assert translate_term("焊工", "en") == "Welder" and translate_term("焊工", "zh") == "焊工"
    assert translate_term("某新职业", "en") == "某新职业"


def test_pinyin_stands_beside_the_names_of_an_english_page_alone() -> None:
    rows = pl.DataFrame({"name": ["陈玉莲", "Ana", None], "place": ["甲厂", "乙厂", "丙厂"]})
    with override_language("en"):
        said = with_pinyin(rows, "name")
        wide = name_width()
        assert format_person_name("陈玉莲") == "陈玉莲 Chen Yulian"
    assert said["name"].to_list() == ["陈玉莲 Chen Yulian", "Ana", None]
    assert said["place"].to_list() == rows["place"].to_list()
    with override_language("zh"):
        assert with_pinyin(rows, "name").equals(rows) and name_width() < wide
