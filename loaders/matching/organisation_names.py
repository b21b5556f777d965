"""Names of organisations that may be one's: full and short, with and without the place, legal words
and brackets, the grade and kind of a studio, and the old name that a new one tells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from graph.messages import Words
from graph.store.identity_merge import ENTERPRISES, SCHOOLS, STUDIOS
from loaders.mapping.identifiers import normalize_organisation
from loaders.matching.match_records import normalize_employer_names
from loaders.value_words import list_division_words

# Why two names may be one organisation's, from what says most.
GROUND_WORDS: Final[dict[str, Words]] = {
    "same_code": Words("the ids are the same credit code", "编号为同一统一社会信用代码"),
    "same_name": Words("the same", "相同"),
    "same_words": Words("the same but for legal words and brackets", "除组织形式和括号外相同"),
    "old_name": Words("one is told as the other's old name", "一方注明为另一方的原名"),
    "same_core": Words("the same but for the place", "除地名外相同"),
    "same_subject": Words("the same but for grade and kind", "除级别和类型用语外相同"),
    "short_name": Words("one is short for the other", "一方为另一方的简称"),
}
# A short name has at least so many characters: 远航 alone may be anybody.
MIN_SHORT_NAME: Final = 3
# A name that so many organisations have says nothing.
MAX_SAME_NAMES: Final = 50
_OLD_NAME: Final = re.compile(r"\((?:曾用名|原名|原|旧名|更名前|前身)(?:为|是|称)?[:,]?([^()]+)\)")


@dataclass(frozen=True)
class _NameWords:
    """What says that a name is of a part of one, and what says no more than the kind."""

    parts: re.Pattern[str]
    kind: re.Pattern[str] | None = None


_NAME_WORDS: Final[Mapping[str, _NameWords]] = {
    ENTERPRISES.node.label: _NameWords(
        re.compile(r"分公司|子公司|支公司|分厂|分部|营业部|事业部|学校|学院|医院")
    ),
    SCHOOLS.node.label: _NameWords(re.compile(r"分校|校区|附属|附中|附小|医院|公司")),
    STUDIOS.node.label: _NameWords(
        re.compile(r"分站|分室"),
        re.compile(
            r"(国家|省|市|区|县|厂|企业|公司|集团)级|高技能|技能|大师|劳动模范|劳模|工匠|首席|技师|"
            r"创新|名师|人才|工作室|工作站"
        ),
    ),
}


def find_name_pairs(
    organisations: pl.DataFrame, label: str = ENTERPRISES.node.label
) -> pl.DataFrame:
    """Pairs of organisations with names that may be one's: record_l, record_r, ground.

    `organisations`: record, name, digest (the credit code, where known). Each pair stands once,
    with the ground that says most.
    """
    words = _NAME_WORDS[label]
    known, former = _build_name_forms(organisations, words)
    coded = organisations.drop_nulls("digest")
    found = {
        "same_code": _join_pairs(coded, coded, "digest"),
        "same_name": _join_pairs(known, known, "name"),
        "same_words": _join_pairs(known, known, "words"),
        "old_name": pl.concat([_join_pairs(former, known, by) for by in ("words", "core")]),
        "same_core": _join_pairs(known, known, "core"),
        "same_subject": _join_pairs(known, known, "subject"),
        "short_name": _find_short_names(known),
    }
    pairs = [frame.with_columns(ground=pl.lit(name)) for name, frame in found.items()]
    return pl.concat(pairs).unique(["record_l", "record_r"], keep="first", maintain_order=True)


def _build_name_forms(
    organisations: pl.DataFrame, words: _NameWords
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each name in its forms, and the old names that some tell: record, words, core."""
    plain = [unicodedata.normalize("NFKC", name or "") for name in organisations["name"]]
    olds = pl.Series([_OLD_NAME.findall(name) for name in plain], dtype=pl.List(pl.String))
    present = [_OLD_NAME.sub("", name) for name in plain]
    short = normalize_employer_names(pl.Series(present, dtype=pl.String))
    known = organisations.select("record").with_columns(
        name=pl.Series(map(normalize_organisation, present), dtype=pl.String),
        words=short,
        core=pl.Series(map(strip_place, short), dtype=pl.String),
        subject=pl.Series([_strip_kind(name, words) for name in short], dtype=pl.String),
        is_part=pl.Series([bool(words.parts.search(n)) for n in present], dtype=pl.Boolean),
        old=olds,
    )
    known = known.filter(pl.col("words") != "")
    former = known.explode("old").drop_nulls("old").filter(pl.col("old") != "")
    former = former.select("record", words=normalize_employer_names(former["old"]))
    return known, former.with_columns(
        core=pl.Series(map(strip_place, former["words"]), dtype=pl.String)
    )


def strip_place(name: str) -> str:
    """The name without the province and the city that it begins with, where much is left."""
    for _ in range(2):
        place = _find_place(name)
        rest = name.removeprefix(place)
        if not place or len(rest) < MIN_SHORT_NAME:
            break
        name = rest
    return name


def flag_placed_names(names: pl.Series) -> pl.Series:
    """Whether each name begins with a province or a city, so that there is one such at most."""
    plain = (normalize_organisation(name or "") for name in names)
    return pl.Series([bool(_find_place(name)) for name in plain], dtype=pl.Boolean)


def _find_place(name: str) -> str:
    """The longest name of a province or a city that the name begins with."""
    words, lengths = _index_division_words()
    return next((name[:n] for n in lengths if name[:n] in words), "")


@cache
def _index_division_words() -> tuple[frozenset[str], tuple[int, ...]]:
    """The names of provinces and cities, and how long they are, the longest first."""
    words = frozenset(list_division_words())
    return words, tuple(sorted({len(word) for word in words}, reverse=True))


def _strip_kind(name: str, words: _NameWords) -> str | None:
    """What a studio's name says beside its grade and kind; None where that is nothing."""
    if words.kind is None:
        return None
    return words.kind.sub("", strip_place(name)) or None


def _join_pairs(some: pl.DataFrame, others: pl.DataFrame, by: str) -> pl.DataFrame:
    """Pairs of two records with the same name, the lesser first."""
    few = others.drop_nulls(by).filter(pl.len().over(by) <= MAX_SAME_NAMES)
    pairs = some.select(by, "record").join(few.select(by, other="record"), on=by)
    return _order_pairs(pairs.filter(pl.col("record") != pl.col("other")))


def _order_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    ordered = pairs.select(
        record_l=pl.min_horizontal("record", "other"), record_r=pl.max_horizontal("record", "other")
    )
    return ordered.unique().sort("record_l", "record_r")


def _find_short_names(known: pl.DataFrame) -> pl.DataFrame:
    """Pairs of which one's name, without its place, begins the other's, and neither is a part."""
    cores = known.filter(
        (pl.col("core").str.len_chars() >= MIN_SHORT_NAME) & ~pl.col("is_part")
    ).select("record", "core", begin=pl.col("core").str.slice(0, MIN_SHORT_NAME))
    few = cores.filter(pl.len().over("begin") <= MAX_SAME_NAMES)
    pairs = few.join(few.rename({"record": "other", "core": "longer"}), on="begin")
    begun = pl.col("longer").str.starts_with(pl.col("core"))
    return _order_pairs(pairs.filter(begun & (pl.col("longer") != pl.col("core"))))
