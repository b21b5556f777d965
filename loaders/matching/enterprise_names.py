"""Names of enterprises that may be one enterprise's: full and short, with and without the place,
legal words and brackets, and the old name that a new one tells.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import polars as pl

from graph.messages import Words
from loaders.matching.match_records import normalize_employer_names
from loaders.value_words import list_division_words

# Why two names may be one enterprise's, from what says most.
GROUND_WORDS: Final[dict[str, Words]] = {
    "same_words": Words("the same but for legal words and brackets", "除组织形式和括号外相同"),
    "old_name": Words("one is told as the other's old name", "一方注明为另一方的原名"),
    "same_core": Words("the same but for the place", "除地名外相同"),
    "short_name": Words("one is short for the other", "一方为另一方的简称"),
}
# A short name has at least so many characters: 远航 alone may be anybody.
MIN_SHORT_NAME: Final = 3
# A name that so many enterprises have says nothing.
MAX_SAME_NAMES: Final = 50
_OLD_NAME: Final = re.compile(r"\((?:曾用名|原名|原|旧名|更名前|前身)(?:为|是|称)?[:,]?([^()]+)\)")
# What says that a name is a part of an enterprise, or a school of it.
_PART_WORDS: Final = re.compile(r"分公司|子公司|支公司|分厂|分部|营业部|事业部|学校|学院|医院")


def find_name_pairs(enterprises: pl.DataFrame) -> pl.DataFrame:
    """Pairs of enterprises with names that may be one's: record_l, record_r, ground.

    `enterprises`: record, name. Each pair stands once, with the ground that says most.
    """
    plain = [unicodedata.normalize("NFKC", name or "") for name in enterprises["name"]]
    olds = pl.Series([_OLD_NAME.findall(name) for name in plain], dtype=pl.List(pl.String))
    names = pl.Series([_OLD_NAME.sub("", name) for name in plain], dtype=pl.String)
    words = normalize_employer_names(names)
    cores = pl.Series([_strip_place(name) for name in words], dtype=pl.String)
    parts = pl.Series([_PART_WORDS.search(name) is not None for name in names])
    known = enterprises.select("record").with_columns(
        words=words, core=cores, old=olds, is_part=parts.cast(pl.Boolean)
    )
    known = known.filter(pl.col("words") != "")
    told = known.explode("old").drop_nulls("old").filter(pl.col("old") != "")
    told = told.select("record", words=normalize_employer_names(told["old"]))
    told = told.with_columns(core=pl.Series(map(_strip_place, told["words"]), dtype=pl.String))
    found = {
        "same_words": _join_pairs(known, known, "words"),
        "old_name": pl.concat([_join_pairs(told, known, by) for by in ("words", "core")]),
        "same_core": _join_pairs(known, known, "core"),
        "short_name": _find_short_names(known),
    }
    pairs = [frame.with_columns(ground=pl.lit(name)) for name, frame in found.items()]
    return pl.concat(pairs).unique(["record_l", "record_r"], keep="first", maintain_order=True)


def _strip_place(name: str) -> str:
    """The name without the province and the city that it begins with, where much is left."""
    for _ in range(2):
        place = next((word for word in list_division_words() if name.startswith(word)), "")
        rest = name.removeprefix(place)
        if not place or len(rest) < MIN_SHORT_NAME:
            break
        name = rest
    return name


def _join_pairs(some: pl.DataFrame, others: pl.DataFrame, by: str) -> pl.DataFrame:
    """Pairs of two records with the same name, the lesser first."""
    few = others.filter(pl.len().over(by) <= MAX_SAME_NAMES)
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
