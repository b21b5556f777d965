"""Names in English: occupations, honours, industries, positions, from `locale/names/*.csv`.

The data hold such names in Chinese. An English page says them in English where a list knows the
name; a name that none knows stays as it is, so that nothing is invented.
"""

from __future__ import annotations

import csv
from functools import cache, lru_cache

import polars as pl

from graph.messages import Language
from graph.model.vocabularies import PROVINCES, TWO_CHARACTER_FAMILY_NAMES
from ui.words.i18n import LOCALE_DIR, current_language, translate_label
from ui.words.numbers import NO_VALUE_DASH

TERM_LISTS = ("occupations", "honours", "industries", "positions")


@cache
def load_english_terms() -> dict[str, str]:
    """Chinese name -> English name, of every list."""
    found: dict[str, str] = {}
    for name in TERM_LISTS:
        with (LOCALE_DIR / "names" / f"{name}.csv").open(encoding="utf-8") as file:
            found |= {row["zh"]: row["en"] for row in csv.DictReader(file)}
    return found


def list_term_translations(language: Language) -> dict[str, str]:
    """What a language replaces: every listed name in English, nothing in Chinese."""
    return load_english_terms() if language == "en" else {}


def translate_term(name: str, language: Language | None = None) -> str:
    """The name of an occupation, an honour or an industry in a language (the visit's)."""
    return (
        load_english_terms().get(name, name) if (language or current_language()) == "en" else name
    )


def format_province(code: str | None, language: Language | None = None) -> str:
    """The name of a province in a language (the visit's); a dash for a code that is none."""
    named = PROVINCES.get(code or "")
    return translate_label(named, language or current_language()) if named else NO_VALUE_DASH


@lru_cache(maxsize=4096)
def format_pinyin(name: str) -> str:
    """A Chinese person's name in pinyin, family name first: 陈玉莲 -> "Chen Yulian"; "" for others.

    >>> format_pinyin("欧阳修"), format_pinyin("Ana")
    ('Ouyang Xiu', '')
    """
    from pypinyin import lazy_pinyin

    if not 2 <= len(name) <= 4 or not all("\u4e00" <= sign <= "\u9fff" for sign in name):
        return ""
    family = 2 if name[:2] in TWO_CHARACTER_FAMILY_NAMES and len(name) > 2 else 1
    first, last = lazy_pinyin(name[:family]), lazy_pinyin(name[family:])
    return f"{''.join(first).capitalize()} {''.join(last).capitalize()}"


def format_person_name(name: str, language: Language | None = None) -> str:
    """A person's name as a page says it in a language (the visit's): in English with the pinyin.

    >>> format_person_name("陈玉莲", "en"), format_person_name("陈玉莲", "zh")
    ('陈玉莲 Chen Yulian', '陈玉莲')
    """
    said = format_pinyin(name) if (language or current_language()) == "en" else ""
    return f"{name} {said}" if said else name


def with_pinyin(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The rows with the names of people in these columns as the page says them."""
    if current_language() != "en":
        return rows
    return rows.with_columns(
        pl.col(name).map_elements(lambda one: format_person_name(one, "en"), pl.String)
        for name in columns
    )


def name_width(chinese: int = 80) -> int:
    """How wide a column of people's names is, in px; `chinese` of the names alone."""
    return chinese + 80 if current_language() == "en" else chinese
