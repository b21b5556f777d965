"""Names of people as they are compared: one form for all ways to write one name, and its pinyin.

Departments write one name with and without blanks, in full width, in traditional characters, or
with the popular short form of a surname (闫 for 阎). All of these become one form. Names that sound
alike but are written apart (严 and 阎, 伟 and 玮) stay apart; their pinyin is the same.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from graph.people.search import compute_token_reading

# Popular short forms of surnames, and the surname that each stands for.
SHORT_NAME_FORMS: Final = {
    "闫": "阎",
    "肖": "萧",
    "付": "傅",
    "代": "戴",
    "兰": "蓝",
    "丘": "邱",
    "淩": "凌",
    "甯": "宁",
}
_FIRST_HAN, _LAST_HAN = 0x3400, 0x9FFF
_NO_LETTER: Final = r"[^\p{L}\p{N}]"


def fold_names(names: pl.Series) -> pl.Series:
    """The names in the form in which they are compared; null where nothing is left of one.

    >>> fold_names(pl.Series(["閻 建國", "闫建国", "Ａｎａ·Li", " "])).to_list()
    ['阎建国', '阎建国', 'ANALI', None]
    """
    distinct = names.drop_nulls().unique().alias("name")
    old, new = _list_character_forms()
    folded = (
        distinct.str.normalize("NFKC")
        .str.replace_all(_NO_LETTER, "")
        .str.to_uppercase()
        .str.replace_many(old, new)
    )
    table = pl.DataFrame({"name": distinct, "folded": folded.replace("", None)})
    found = names.alias("name").to_frame().join(table, on="name", how="left", maintain_order="left")
    return found["folded"].alias(names.name)


def romanize_names(names: pl.Series) -> pl.Series:
    """The pinyin of folded names, without tones and in one word; other letters as they are.

    >>> romanize_names(pl.Series(["严伟", "阎玮", "ANA"])).to_list()
    ['yanwei', 'yanwei', 'ana']
    """
    distinct = names.drop_nulls().unique()
    signs = distinct.str.split("").explode().drop_nulls().unique()
    readings = _read_characters("".join(signs.to_list()))
    spelt = distinct.str.to_lowercase().str.replace_many(list(readings), list(readings.values()))
    table = pl.DataFrame({"name": distinct, "spelt": spelt})
    found = names.alias("name").to_frame().join(table, on="name", how="left", maintain_order="left")
    return found["spelt"].alias(names.name)


@cache
def _list_character_forms() -> tuple[list[str], list[str]]:
    """Characters that have another form, and that form."""
    from opencc import OpenCC

    signs = [chr(code) for code in range(_FIRST_HAN, _LAST_HAN + 1)]
    # A line each, so that no two are converted as a word.
    simple = OpenCC("t2s").convert("\n".join(signs)).split("\n")
    forms = {old: new for old, new in zip(signs, simple, strict=True) if old != new}
    forms = {old: SHORT_NAME_FORMS.get(new, new) for old, new in forms.items()} | SHORT_NAME_FORMS
    return list(forms), list(forms.values())


def _read_characters(signs: str) -> dict[str, str]:
    """The usual reading of each Chinese character among the signs."""
    han = [sign for sign in signs if _FIRST_HAN <= ord(sign) <= _LAST_HAN]
    return {sign: compute_token_reading(sign) for sign in han}
