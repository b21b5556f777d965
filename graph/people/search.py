"""Finding by name: Chinese by any part, pinyin, initials, typing mistakes, numbers.

There are far fewer names than people (5 million share half a million), so what is typed is held
against the names: each distinct one with its pinyin and initials. Its people stand in one list
sorted by name, leading talents and higher levels first, of which a name is a slice; beside each
stand its facets (province, level, occupation) as codes, so that what is found is counted and
narrowed by lookups in arrays. Both are built once per snapshot and stored beside it (`names-5/`):
the names as Parquet, read into memory; the list as an Arrow file, which is opened at once. Texts
are compared where names are met, nowhere else: names come with their place in the order of what is
found, and the list with the order of its numbers.

Pinyin is put together from the readings of single characters: a surname has its own (曾 is zeng),
and characters with a second one that names are known to use are found by either (茜: qian, xi).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, product
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import polars as pl

from graph.atomic import write_folder_atomically
from graph.model.kinds import NODE_KINDS
from graph.model.vocabularies import PROVINCES

if TYPE_CHECKING:
    from graph.snapshot.frames import Snapshot

# Raised when the files change, so that those of an older form are not read as these.
NAME_INDEX_VERSION: Final = 5
# The kinds that can be found, and the frame of a snapshot that holds each.
SEARCH_KIND_FRAMES: Final = {
    "Person": "people",
    "Studio": "studios",
    "Enterprise": "enterprises",
    "School": "schools",
    "Occupation": "occupations",
    "Competition": "competitions",
    "Project": "projects",
    "Province": "provinces",
}
SEARCH_KIND_DTYPE: Final = pl.Enum(list(SEARCH_KIND_FRAMES))
# What is found is narrowed by these; a level is a digit, 0 where none is recorded.
SEARCH_FACETS: Final[tuple[str, ...]] = ("province", "level", "occupation")
LEVEL_DTYPE: Final = pl.Enum([str(level) for level in range(9)])
FacetFilter = Mapping[str, frozenset[str]]
IndexArray = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

# Han, with its extensions.
HAN_CHARACTER_RANGES: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
NAME_TOKEN_PATTERN: Final = rf"[{HAN_CHARACTER_RANGES}]|[\p{{L}}\p{{N}}]+"
TYPED_RUN_PATTERN: Final = re.compile(rf"[{HAN_CHARACTER_RANGES}]+|[^\W_]+")

# Readings of characters as surnames, where they are others than usually.
SURNAME_READINGS: Final = {
    "曾": "zeng",
    "单": "shan",
    "解": "xie",
    "仇": "qiu",
    "查": "zha",
    "盖": "ge",
    "朴": "piao",
    "区": "ou",
    "乐": "yue",
    "覃": "qin",
    "翟": "zhai",
    "员": "yun",
    "种": "chong",
    "折": "she",
    "黑": "he",
    "繁": "po",
    "召": "shao",
    "逄": "pang",
    "佴": "nai",
    "谌": "chen",
    "牟": "mu",
    "薄": "bo",
    "重": "chong",
    "郗": "xi",
    "任": "ren",
    "冼": "xian",
    "缪": "miao",
    "秘": "bi",
    "尉": "wei",
    "句": "gou",
    "藏": "zang",
    "那": "na",
    "晟": "cheng",
    "长": "zhang",
    "尹": "yin",
}
COMPOUND_SURNAME_READINGS: Final = {
    "尉迟": "yu chi",
    "万俟": "mo qi",
    "长孙": "zhang sun",
    "澹台": "tan tai",
    "单于": "chan yu",
    "令狐": "ling hu",
    "宿": "su",
}
# Characters of names that are read in a second way too.
SECOND_READINGS: Final = {
    "茜": ("qian", "xi"),
    "乐": ("le", "yue"),
    "行": ("xing", "hang"),
    "长": ("chang", "zhang"),
    "朝": ("chao", "zhao"),
    "晟": ("sheng", "cheng"),
    "重": ("zhong", "chong"),
    "覃": ("qin", "tan"),
    "曾": ("zeng", "ceng"),
    "单": ("shan", "dan"),
    "解": ("xie", "jie"),
    "莎": ("sha", "suo"),
    "婷": ("ting", "ting"),
    "娜": ("na", "nuo"),
    "骁": ("xiao", "rao"),
    "俊": ("jun", "zun"),
    "会": ("hui", "kuai"),
    "石": ("shi", "dan"),
    "大": ("da", "dai"),
    "传": ("chuan", "zhuan"),
    "奇": ("qi", "ji"),
    "盛": ("sheng", "cheng"),
    "藏": ("cang", "zang"),
    "都": ("du", "dou"),
    "校": ("xiao", "jiao"),
    "厦": ("sha", "xia"),
    "查": ("zha", "cha"),
}
TONED_U_TRANSLATION: Final = str.maketrans(dict.fromkeys("üǖǘǚǜ", "v"))
PINYIN_INITIALS: Final = frozenset("abcdefghjklmnopqrstwxyz")
# How many ways to read one line of letters are looked for; the ones of fewest pieces.
MAX_READINGS: Final = 8

MatchKind = Literal["exact", "beginning", "part", "sound", "mistake"]
MATCH_KINDS: Final[tuple[MatchKind, ...]] = ("exact", "beginning", "part", "sound", "mistake")


@dataclass(frozen=True)
class Hit:
    """One thing found: its kind, its key, its name, and how what was typed meets the name."""

    kind: str
    key: str
    name: str
    match: MatchKind


@dataclass(frozen=True)
class NameSearchResult:
    """Of one kind: how many there are in all, and the first of them in order.

    `alike` of `total` only sound like what was typed, or differ by a typing mistake. `counts` says
    of each facet how many of these (narrowed by the other facets) have which value.
    """

    total: int
    alike: int
    hits: list[Hit]
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


# --- making it --------------------------------------------------------------------------------


def load_name_index(snapshot: Snapshot) -> NameIndex:
    """The names of a snapshot: the stored index, or one built and stored now."""
    if snapshot.folder is None:
        return NameIndex(*_build_name_tables(snapshot))
    place = snapshot.folder / f"names-{NAME_INDEX_VERSION}"
    if not place.exists():
        _materialize_name_index(snapshot, place)
    return NameIndex(pl.read_parquet(place / "names.parquet"), pl.read_ipc(place / "keys.arrow"))


def _materialize_name_index(snapshot: Snapshot, place: Path) -> None:
    with write_folder_atomically(place) as making:
        names, keys = _build_name_tables(snapshot)
        names.write_parquet(making / "names.parquet", compression="lz4")
        keys.write_ipc(making / "keys.arrow", compression="uncompressed")


def _build_name_tables(snapshot: Snapshot) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The names and the keys with their facets (see `NameIndex`)."""
    everything = _encode_facets(
        pl.concat(
            [_scan_searchable_records(snapshot, kind) for kind in SEARCH_KIND_FRAMES]
        ).collect()
    )
    names = everything.select("kind", "name").unique().sort("kind", "name").with_row_index("number")
    numbers = everything.select("kind", "name").join(
        names, on=["kind", "name"], how="left", maintain_order="left"
    )["number"]
    places = _in_order(everything.with_columns(numbers))
    ordered = everything.drop("kind", "name").with_columns(numbers)[places]
    counts = ordered.group_by("number", maintain_order=True).agg(
        count=pl.len(), leading=pl.col("leading").sum()
    )
    counts = counts.with_columns(first=pl.col("count").cum_sum() - pl.col("count"))
    ranked = names.join(counts, on="number").join(spell_names(names), on="number")
    ranked = ranked.sort("number", maintain_order=True)
    columns = ("kind", "name", "spelled", "initials", "first", "count", "leading", "order")
    facets = pl.col("level").fill_null(0).clip(0, 8).cast(pl.String).cast(LEVEL_DTYPE)
    keys = ordered.select(
        "key",
        "province",
        "occupation",
        level=facets,
        by_key=_by_key(everything, places),
    )
    return rank_names(ranked).select(*columns), keys.rechunk()


def _in_order(everything: pl.DataFrame) -> pl.Series:
    """Where each of the list stands in `everything`: by name, talents and higher levels first.

    The four are one number, since one is sorted many times quicker.
    """
    number, place = (pl.col(c).cast(pl.Int64) for c in ("number", "place"))
    within = (
        16 * (~pl.col("leading")).cast(pl.Int64) + 15 - pl.col("level").fill_null(0).clip(0, 15)
    )
    return everything.select(((32 * number + within) * 2**32 + place).arg_sort()).to_series()


def _by_key(everything: pl.DataFrame, places: pl.Series) -> pl.Series:
    """The places of the list kind by kind, those of a kind in the order of their keys."""
    place_of = np.empty(everything.height, dtype=np.uint32)
    place_of[places.to_numpy()] = np.arange(everything.height, dtype=np.uint32)
    found, start = [], 0
    for kind in SEARCH_KIND_FRAMES:
        keys = everything["key"].slice(start, int((everything["kind"] == kind).sum()))
        own = place_of[start : start + keys.len()]
        # A full snapshot has them in this order.
        found.append(own if keys.is_sorted() else own[keys.arg_sort().to_numpy()])
        start += keys.len()
    return pl.Series(np.concatenate(found))


def rank_names(names: pl.DataFrame) -> pl.DataFrame:
    """The names with `order`: their places when shorter names come first, then by spelling."""
    size = pl.col("name").str.len_chars()
    by = names.select(size.alias("size"), "spelled", "name").with_row_index("at")
    at = by.sort("size", "spelled", "name")["at"].to_numpy()
    places = np.empty(names.height, dtype=np.uint32)
    places[at] = np.arange(names.height, dtype=np.uint32)
    return names.with_columns(order=pl.Series(places))


def _encode_facets(everything: pl.DataFrame) -> pl.DataFrame:
    """Provinces and occupations as enumerations, as they stand in few bytes."""
    known = everything["occupation"].drop_nulls().unique().sort()
    return everything.with_columns(
        pl.col("province").cast(pl.Enum(list(PROVINCES)), strict=False),
        pl.col("occupation").cast(pl.Enum(known)),
    )


def _scan_searchable_records(snapshot: Snapshot, kind: str) -> pl.LazyFrame:
    """Everything of a kind: kind, name ("" where none is), key, leading, level, the facets, place
    in its frame.
    """
    node, frame = NODE_KINDS[kind], snapshot.frames[SEARCH_KIND_FRAMES[kind]]
    person, columns = kind == "Person", frame.collect_schema().names()
    none = pl.lit(None, pl.String)
    return frame.select(
        pl.lit(kind).cast(SEARCH_KIND_DTYPE).alias("kind"),
        pl.col("name").fill_null(""),
        key=pl.col(node.key).cast(pl.String),
        leading=pl.col("leading") if person else pl.lit(False),
        level=(pl.col("level") if person else pl.lit(0)).cast(pl.Int8),
        province=pl.col("province") if "province" in columns else none,
        occupation=pl.col("occupation_code") if person else none,
    ).with_row_index("place")


def spell_names(names: pl.DataFrame) -> pl.DataFrame:
    """How each name is spelled: number, spelled (syllables with a space), initials.

    Takes number, kind, name. A name that is read in two ways has two rows.
    """
    tokens = names.select(
        "number",
        "kind",
        token=pl.col("name").str.to_lowercase().str.extract_all(NAME_TOKEN_PATTERN),
    ).filter(pl.col("token").list.len() > 0)
    single = tokens.with_columns(size=pl.col("token").list.len()).explode("token")
    # Tokens of one name stand together: the first of each is where the number changes.
    begins = pl.col("number") != pl.col("number").shift(1)
    ends = pl.col("number") != pl.col("number").shift(-1)
    single = single.with_columns(
        starts=begins.fill_null(True),
        second=begins.shift(1).fill_null(True) & ~begins.fill_null(True),
        following=pl.when(~ends).then(pl.col("token").shift(-1)),
        preceding=pl.when(~begins).then(pl.col("token").shift(1)),
    )
    distinct = single["token"].unique().to_list()
    usual = {token: compute_token_reading(token) for token in distinct}
    second = {
        token: other for token in distinct if (other := _find_second_reading(token, usual[token]))
    }
    surname = pl.col("starts") & (pl.col("kind") == "Person") & (pl.col("size") > 1)
    first = pl.when(surname).then(
        pl.col("token").replace_strict(SURNAME_READINGS, default=None, return_dtype=pl.String)
    )
    pair = pl.col("token") + pl.col("following").fill_null("")
    before = pl.col("preceding").fill_null("") + pl.col("token")
    compound = {
        name: text.split(" ") for name, text in COMPOUND_SURNAME_READINGS.items() if len(name) == 2
    }
    lead = {name: parts[0] for name, parts in compound.items()}
    trail = {name: parts[1] for name, parts in compound.items()}
    person = pl.col("kind") == "Person"
    spelling = pl.coalesce(
        pl.when(person & pl.col("starts")).then(
            pair.replace_strict(lead, default=None, return_dtype=pl.String)
        ),
        pl.when(person & pl.col("second")).then(
            before.replace_strict(trail, default=None, return_dtype=pl.String)
        ),
        first,
        pl.col("token").replace_strict(usual, default=None, return_dtype=pl.String),
    )
    read = single.with_columns(one=spelling).with_columns(
        other=pl.col("token").replace_strict(second, default=None, return_dtype=pl.String)
    )
    joined = read.group_by("number", maintain_order=True).agg(
        pl.col("one").str.join(" "),
        pl.coalesce("other", "one").str.join(" ").alias("two"),
    )
    main = joined.select("number", spelled="one")
    twice = joined.filter(pl.col("one") != pl.col("two")).select("number", spelled="two")
    unread = names.join(joined, on="number", how="anti").select("number", spelled=pl.lit(""))
    initials = pl.col("spelled").str.replace_all(r"(\S)\S*\s*", "$1")
    return pl.concat([main, twice, unread]).with_columns(initials=initials)


def compute_token_reading(token: str) -> str:
    """The usual reading of one character in letters, or a word without its accents.

    >>> compute_token_reading("军"), compute_token_reading("吕"), compute_token_reading("Éric")
    ('jun', 'lv', 'eric')
    """
    from pypinyin import lazy_pinyin

    if re.fullmatch(f"[{HAN_CHARACTER_RANGES}]", token):
        if token in SECOND_READINGS:
            return SECOND_READINGS[token][0]
        return "".join(lazy_pinyin(token)).lower()
    return fold_letters(token)


def _find_second_reading(token: str, usual: str) -> str | None:
    for other in SECOND_READINGS.get(token, ()):
        if other != usual:
            return other
    return None


def fold_letters(text: str) -> str:
    """Letters in lower case without accents and tones; ü is v, as it is typed.

    >>> fold_letters("Lǘ Yáng"), fold_letters("Dvořák")
    ('lv yang', 'dvorak')
    """
    low = unicodedata.normalize("NFKC", text).lower().translate(TONED_U_TRANSLATION)
    apart = unicodedata.normalize("NFKD", low)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


# --- what was typed ---------------------------------------------------------------------------

# A piece of a spelling, and whether more letters may follow it within its syllable.
Piece = tuple[str, bool]
Pieces = tuple[Piece, ...]


@dataclass(frozen=True)
class SearchText:
    """What was typed, cleaned: `text` unchanged, its runs of Han and of letters."""

    text: str
    runs: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> SearchText:
        """The runs of a text; tone digits and apostrophes are left out."""
        clean = unicodedata.normalize("NFKC", text).strip()
        letters = fold_letters(clean).replace("u:", "v")
        if re.fullmatch(r"(?:[a-z]+[1-5]\s*)+", letters):
            letters = re.sub(r"[1-5]", " ", letters)
        letters = re.sub(r"(?<=[a-z])['’](?=[a-z])", " ", letters)
        return cls(clean, tuple(TYPED_RUN_PATTERN.findall(letters)))

    @property
    def han(self) -> str:
        """The Han of it, when it is nothing else; else ""."""
        return "".join(self.runs) if all(map(_is_han, self.runs)) else ""

    @property
    def letters(self) -> str:
        """The letters of it without spaces, when it is nothing else; else ""."""
        return "" if any(map(_is_han, self.runs)) else "".join(self.runs)


def _is_han(run: str) -> bool:
    return bool(re.match(f"[{HAN_CHARACTER_RANGES}]", run))


def list_readings(words: Sequence[str], syllables: frozenset[str]) -> list[Pieces]:
    """The ways to read letters as syllables of a name, of fewest pieces first.

    Each piece is a full syllable or an initial; the last one may be the beginning of one. What
    reads as none is the beginnings of words.

    >>> known = frozenset({"yang", "yong", "jun", "ya", "xi", "an", "xian"})
    >>> list_readings(["yangyj"], known)[0]
    (('yang', False), ('y', True), ('j', True))
    >>> list_readings(["xian"], known)[:2]
    [(('xian', True),), (('xi', False), ('an', True))]
    """
    beginnings = _list_prefixes(syllables)
    each = [
        list(
            islice(_split_into_pieces(word, syllables, beginnings, last=at == len(words) - 1), 400)
        )
        for at, word in enumerate(words)
    ]
    plain: Pieces = tuple((word, True) for word in words)
    joined = [
        tuple(piece for pieces in chosen for piece in pieces)
        for chosen in islice(product(*(sorted(e, key=len)[:MAX_READINGS] for e in each)), 400)
    ]
    ordered = sorted(joined, key=lambda pieces: (len(pieces), sum(o for _, o in pieces)))
    return list(dict.fromkeys([*ordered[:MAX_READINGS], plain]))


def _list_prefixes(syllables: frozenset[str]) -> frozenset[str]:
    return frozenset(s[:n] for s in syllables for n in range(1, len(s) + 1))


def _split_into_pieces(
    word: str, syllables: frozenset[str], beginnings: frozenset[str], *, last: bool
) -> Iterator[Pieces]:
    """The ways to cut one word, longer first pieces first."""
    if last and word in beginnings:
        yield ((word, True),)
    elif word in syllables:
        yield ((word, False),)
    for size in range(min(len(word) - 1, 6), 0, -1):
        piece = word[:size]
        if piece in syllables and (size > 1 or piece in "aeo"):
            for rest in _split_into_pieces(word[size:], syllables, beginnings, last=last):
                yield ((piece, False), *rest)
        if (size == 1 and piece in PINYIN_INITIALS) or piece in ("zh", "ch", "sh"):
            for rest in _split_into_pieces(word[size:], syllables, beginnings, last=last):
                yield ((piece, True), *rest)


# --- finding ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class NameIndex:
    """The names of one snapshot.

    `names`: kind, name, spelled, initials, first and count (its slice of `listed`), leading (how
    many of the slice are leading talents; they stand first), order (see `rank_names`); in the order
    of their slices. A name read in two ways has two rows. `listed`: key, of the facets those that
    are known, and by_key (the places in the order of the keys).
    """

    names: pl.DataFrame
    listed: pl.DataFrame
    _parts: Mapping[str, pl.DataFrame] = field(init=False)

    def __post_init__(self) -> None:
        tight = pl.col("spelled").str.replace_all(" ", "", literal=True)
        low = pl.col("name").str.to_lowercase()
        numbered = self.names.with_columns(
            tight=tight, low=low, initials=pl.col("initials").cast(pl.Categorical)
        ).with_row_index("row")
        parts = {kind: numbered.filter(pl.col("kind") == kind) for kind in SEARCH_KIND_FRAMES}
        object.__setattr__(self, "_parts", parts)

    @property
    def keys(self) -> pl.Series:
        """The keys in their order."""
        return self.listed["key"]

    @cached_property
    def spans(self) -> dict[str, slice]:
        """By kind, where its places stand in the list."""
        found, start = {}, 0
        for kind, names in self._parts.items():
            size = int(names.unique("first")["count"].sum())
            found[kind], start = slice(start, start + size), start + size
        return found

    def restrict(self, keep: Mask) -> NameIndex:
        """The index of some places of the list alone, as if the others had never been.

        How names are read and which are nearly so depends on all names, so that a filter on what
        is found would tell of the others.
        """
        before = np.concatenate([[0], np.cumsum(keep)])

        def count_kept(first: pl.Series, size: pl.Series) -> pl.Series:
            begin = first.cast(pl.Int64).to_numpy()
            remaining = before[begin + size.cast(pl.Int64).to_numpy()] - before[begin]
            return pl.Series(size.name, remaining).cast(size.dtype)

        first = self.names["first"]
        names = self.names.with_columns(
            pl.Series("first", before[first.cast(pl.Int64).to_numpy()]).cast(first.dtype),
            count_kept(first, self.names["leading"]),
            count_kept(first, self.names["count"]),
        )
        listed = self.listed.filter(pl.Series(keep)).drop("by_key", strict=False)
        return NameIndex(names.filter(pl.col("count") > 0), listed)

    @cached_property
    def syllables(self) -> frozenset[str]:
        """Every syllable or word of the names."""
        found = self.names["spelled"].unique().str.split(" ").explode().unique().drop_nulls()
        return frozenset(found.to_list()) - {""}

    def find(
        self,
        text: str,
        kinds: Iterable[str] = tuple(SEARCH_KIND_FRAMES),
        most: int = 20,
        *,
        first: int = 0,
        only: FacetFilter = MappingProxyType({}),
    ) -> dict[str, NameSearchResult]:
        """What was typed, by kind: how many are found, and `most` of each from the `first` on.

        In order: the number itself; full names; then leading talents, then the others, by whether
        the name begins so or has it as a part; at last, where there is room, names that sound so or
        differ by a typing mistake. Among equals, leading talents and higher levels are first.
        `only` keeps those that have one of the values of each facet; with it, nothing typed is
        everyone.
        """
        typed, wanted = SearchText.of(text), list(kinds)
        numbered = self._numbered(text.strip(), wanted) or self._numbered(typed.text, wanted)
        everyone = bool(only) and not typed.text
        met = {kind: self._met_of(typed, kind, everyone) for kind in wanted}
        certain = bool(numbered) or any(names.height for names in met.values())
        found: dict[str, NameSearchResult] = {}
        for kind in SEARCH_KIND_FRAMES:
            if kind not in met:
                continue
            near = self._near_of(typed, kind, met[kind], most, certain)
            slices = Slices.of(met[kind], near, numbered.get(kind, []), complete=everyone)
            if one := self._listed(kind, slices, most, first, only):
                found[kind] = one
        return found

    @cached_property
    def _by_key(self) -> dict[str, IndexArray]:
        """By kind, the places of the list in the order of their keys."""
        found: dict[str, IndexArray] = {}
        for kind, span in self.spans.items():
            if "by_key" in self.listed.columns:
                found[kind] = self.listed["by_key"].to_numpy()[span]
            else:
                found[kind] = span.start + self.keys[span].arg_sort().to_numpy().astype(np.int64)
        return found

    def _numbered(self, text: str, kinds: Sequence[str]) -> dict[str, list[int]]:
        """Where in the list stands who or what has exactly this number, by kind."""
        if not text:
            return {}
        found: dict[str, list[int]] = {}
        keys = self.keys
        for kind in kinds:
            by_key = self._by_key[kind]
            at = bisect_left(by_key, text, key=lambda place: str(keys[int(place)]))
            if at < len(by_key) and keys[int(by_key[at])] == text:
                found[kind] = [int(by_key[at])]
        return found

    @cached_property
    def _firsts(self) -> IndexArray:
        return self.names["first"].to_numpy()

    def _name_at(self, place: int) -> dict[str, Any]:
        """The row of `names` of which a place of the list is."""
        return self.names.row(
            int(np.searchsorted(self._firsts, place, side="right")) - 1, named=True
        )

    def _met_of(self, typed: SearchText, kind: str, everyone: bool) -> pl.DataFrame:
        """The names of a kind that hold what was typed; all of them when nothing was."""
        if typed.runs:
            return self._met(kind, typed)
        return self._each_once[kind] if everyone else self._each_once[kind].clear()

    @cached_property
    def _each_once(self) -> dict[str, pl.DataFrame]:
        """By kind every name, once, as a match."""
        mark = pl.lit(MATCH_KINDS.index("part"), pl.Int8).alias("match")
        return {
            kind: _deduplicate_names(names.with_columns(mark))
            for kind, names in self._parts.items()
        }

    def _near_of(
        self, typed: SearchText, kind: str, met: pl.DataFrame, most: int, certain: bool
    ) -> pl.DataFrame:
        """The names that are nearly so, where there is room for them."""
        person, total = kind == "Person", int(met["count"].sum())
        # Of people there is nearly always a full name; the others are few.
        looked = typed.runs and total < most and (not certain or (person and total))
        names = self._parts[kind]
        if not looked:
            return names.clear().with_columns(match=pl.lit(0, pl.Int8))
        near = self._alike(names, typed, person)
        return near.filter(~pl.col("first").is_in(met["first"].implode()))

    def _listed(
        self, kind: str, slices: Slices, most: int, first: int, only: FacetFilter
    ) -> NameSearchResult | None:
        """How many there are and a page of them; None when there is nothing."""
        codes = {name: each[slices.places] for name, each in self._codes.items()}
        masks = {
            name: self._wanted(name, values)[codes[name]]
            for name, values in only.items()
            if name in codes
        }
        once = slices.once()
        fits = _combine_masks([*once, *masks.values()])
        if not only and (not slices.total or (fits is not None and not fits.any())):
            return None
        counts = {
            name: self._counted(
                name,
                codes[name],
                _combine_masks([*once, *(mask for other, mask in masks.items() if other != name)]),
            )
            for name in codes
        }
        lengths = slices.fitting(fits)
        alike = int(lengths[slices.group >= ALIKE_MATCH_GROUP].sum())
        hits = self._page(kind, slices, fits, lengths, first, most)
        if not hits and not any(map(bool, counts.values())):
            return None
        return NameSearchResult(int(lengths.sum()), alike, hits, counts)

    @cached_property
    def _codes(self) -> dict[str, IndexArray]:
        """Of each place of the list, the facet's value as a number from 1 on; 0 = there is none."""
        return {
            name: (self.listed[name].to_physical().cast(pl.Int16) + 1).fill_null(0).to_numpy()
            for name in SEARCH_FACETS
            if name in self.listed.columns
        }

    def _values(self, facet: str) -> list[str]:
        dtype = self.listed.schema[facet]
        assert isinstance(dtype, pl.Enum)
        return dtype.categories.to_list()

    def _wanted(self, facet: str, values: frozenset[str]) -> Mask:
        """By the number of a facet's value, whether it is wanted."""
        return np.array([False, *(value in values for value in self._values(facet))])

    def _counted(self, facet: str, codes: IndexArray, fits: Mask | None) -> dict[str, int]:
        values = self._values(facet)
        met = codes if fits is None else codes[fits]
        numbers = np.bincount(met, minlength=len(values) + 1)[1:]
        return {value: int(n) for value, n in zip(values, numbers, strict=True) if n}

    def _page(
        self,
        kind: str,
        slices: Slices,
        fits: Mask | None,
        lengths: IndexArray,
        first: int,
        most: int,
    ) -> list[Hit]:
        """The hits from the `first` on, `most` of them."""
        hits: list[Hit] = []
        passed = 0
        # Each slice has someone, so that more of them are never needed.
        for at in slices.first_of(np.flatnonzero(lengths), first + most).tolist():
            if len(hits) >= most:
                break
            length = int(lengths[at])
            if passed + length > first:
                places = slices.places_of(at, fits)[max(0, first - passed) :]
                hits += self._hits(kind, places[: most - len(hits)], slices, at)
            passed += length
        return hits

    def _hits(self, kind: str, places: IndexArray, slices: Slices, at: int) -> list[Hit]:
        keys = self.keys.gather(pl.Series(places)).to_list()
        match, row = MATCH_KINDS[slices.match[at]], int(slices.row[at])
        name = self.names["name"][row] if row >= 0 else None
        return [
            Hit(kind, key, name or self._name_at(place)["name"], match)
            for place, key in zip(places.tolist(), keys, strict=True)
        ]

    def _met(self, kind: str, typed: SearchText) -> pl.DataFrame:
        """The names that hold what was typed, once each, with `match` (place in `MATCH_KINDS`)."""
        han = [run for run in typed.runs if _is_han(run)]
        words = [run for run in typed.runs if not _is_han(run)]
        names = self._parts[kind]
        name = pl.col("low")
        for run in han:
            names = names.filter(name.str.contains(run, literal=True))
        if han:
            joined = "".join(typed.runs)
            begins = name.str.starts_with(han[0])
            match = pl.when(name == joined).then(0).when(begins).then(1).otherwise(2)
            names = names.with_columns(match=match.cast(pl.Int8))
        if words:
            spelt = [
                _match_reading(self._likely(kind, names, pieces), pieces, strict=not han)
                for pieces in list_readings(words, self.syllables)
            ]
            if not han:
                spelt.append(self._met_literally(kind, typed.text.lower()))
            names = pl.concat(spelt)
        return _deduplicate_names(names)

    @cached_property
    def _initials(self) -> dict[str, tuple[pl.Series, IndexArray]]:
        """By kind, the initials there are, and of each name the place of its own among them."""
        found = {}
        for kind, names in self._parts.items():
            initials = names["initials"].unique()
            codes = initials.to_physical().to_numpy()
            numbers = np.zeros(codes.max(initial=0) + 1, dtype=np.int32)
            numbers[codes] = np.arange(initials.len())
            found[kind] = (
                initials.cast(pl.String),
                numbers[names["initials"].to_physical().to_numpy()],
            )
        return found

    def _likely(self, kind: str, names: pl.DataFrame, pieces: Pieces) -> pl.DataFrame:
        """Those of the names whose initials have these of a reading.

        There are far fewer initials than names, so that they are what is looked through.
        """
        wanted = "".join(piece[0] for piece, _ in pieces)
        initials, numbers = self._initials[kind]
        there = initials.str.contains(wanted, literal=True).to_numpy()
        if names is self._parts[kind]:
            return names[np.flatnonzero(there[numbers])]
        if names.is_empty():
            return names
        places = (names["row"] - self._parts[kind]["row"][0]).to_numpy()
        return names.filter(pl.Series(there[numbers[places]]))

    @cached_property
    def _lettered(self) -> dict[str, pl.DataFrame]:
        """By kind, the names that are not of Han alone."""
        other = pl.col("low").str.contains(rf"[^{HAN_CHARACTER_RANGES}]")
        return {kind: names.filter(other) for kind, names in self._parts.items()}

    def _met_literally(self, kind: str, text: str) -> pl.DataFrame:
        """Letters as they stand in the name: "CNC", "2024"."""
        name = pl.col("low")
        match = pl.when(name == text).then(0).when(name.str.starts_with(text)).then(1).otherwise(2)
        return (
            self._lettered[kind]
            .filter(name.str.contains(text, literal=True))
            .with_columns(match=match.cast(pl.Int8))
        )

    def _alike(self, names: pl.DataFrame, typed: SearchText, person: bool) -> pl.DataFrame:
        """The names that sound like what was typed, or differ from it by a typing mistake."""
        parts = []
        if typed.han:
            parts.append(_match_same_sound(names, typed.han))
            parts.append(_match_one_character_off(names, typed.han, person))
        elif len(typed.letters) >= 4:
            parts.append(_match_mistyped_spelling(names, typed.letters, person))
        if not parts:
            return names.clear().with_columns(match=pl.lit(0, pl.Int8))
        return _deduplicate_names(pl.concat(parts))


# Slices of the list in the order of what is found: the number itself, full names, the others,
# those that are only alike; of each, leading talents first.
ALIKE_MATCH_GROUP: Final = 5


@dataclass(frozen=True)
class Slices:
    """What is found as slices of the list, a place in each array for each of them.

    `group` is the first that orders them, `match` the second, `order` the last; `row` is that of
    the name, -1 where a place stands for itself. Their places stand one slice after the other in
    `places` (all of the list that they span, where they are everyone); `begin` says where.
    """

    group: IndexArray
    match: IndexArray
    order: IndexArray
    row: IndexArray
    begin: IndexArray
    length: IndexArray
    places: IndexArray | slice
    total: int

    @classmethod
    def of(
        cls, met: pl.DataFrame, near: pl.DataFrame, numbered: Sequence[int], *, complete: bool
    ) -> Slices:
        """The slices of these names, two a name (its leading talents, and the others), and of
        single places; `complete`: the names are all of a kind, whose places follow each other.
        """
        parts = [
            _of_names(met, np.where(met["match"].to_numpy() == 0, 1, 3)),
            _of_names(near, np.full(near.height, ALIKE_MATCH_GROUP)),
            _of_places(numbered),
        ]
        each = zip(*parts, strict=True)
        group, match, order, row, start, length = map(np.concatenate, each)
        total = int(length.sum())
        if complete and not numbered:
            lowest = int(start.min()) if total else 0
            return cls(
                group,
                match,
                order,
                row,
                start - lowest,
                length,
                slice(lowest, lowest + total),
                total,
            )
        begin = np.cumsum(length) - length
        places = np.arange(total, dtype=np.int64) + np.repeat(start - begin, length)
        return cls(group, match, order, row, begin, length, places, total)

    def once(self) -> list[Mask]:
        """Of each place whether it counts: one that stands for itself counts there only."""
        alone = np.flatnonzero(self.group == 0)
        if not alone.size or isinstance(self.places, slice):
            return []
        own = self.begin[alone]
        counts = ~np.isin(self.places, self.places[own])
        counts[own] = True
        return [counts]

    def fitting(self, fits: Mask | None) -> IndexArray:
        """How many of each slice fit; all when nothing is asked."""
        if fits is None:
            return self.length
        so_far = np.concatenate([[0], np.cumsum(fits)])
        found: IndexArray = so_far[self.begin + self.length] - so_far[self.begin]
        return found

    def first_of(self, some: IndexArray, most: int) -> IndexArray:
        """Those of some slices that come first, in order."""
        rank = ((self.group[some] * 8 + self.match[some]) << 40) + self.order[some]
        if some.size > most:
            nearest = np.argpartition(rank, most)[:most]
            some, rank = some[nearest], rank[nearest]
        ordered: IndexArray = some[np.argsort(rank, kind="stable")]
        return ordered

    def places_of(self, at: int, fits: Mask | None) -> IndexArray:
        """The places of one slice that fit."""
        span = slice(int(self.begin[at]), int(self.begin[at] + self.length[at]))
        if isinstance(self.places, slice):
            places: IndexArray = np.arange(span.start, span.stop) + self.places.start
        else:
            places = self.places[span]
        return places if fits is None else places[fits[span]]


def _of_names(names: pl.DataFrame, group: IndexArray) -> tuple[IndexArray, ...]:
    """Of each name two slices: group, match, order, row, start, length."""
    match, order, row, start, count, leading = (
        names[column].cast(pl.Int64).to_numpy()
        for column in ("match", "order", "row", "first", "count", "leading")
    )
    twice = [
        (group, group + 1),
        (match, match),
        (order, order),
        (row, row),
        (start, start + leading),
        (leading, count - leading),
    ]
    return tuple(np.concatenate(pair).astype(np.int64) for pair in twice)


def _of_places(places: Sequence[int]) -> tuple[IndexArray, ...]:
    """A slice a place: what was typed is its number."""
    at, none = np.array(places, dtype=np.int64), np.zeros(len(places), dtype=np.int64)
    return none, none, none, none - 1, at, none + 1


def _combine_masks(masks: Sequence[Mask]) -> Mask | None:
    """Where all of these hold; None where nothing is asked."""
    combined: Mask | None = None
    for mask in masks:
        combined = mask if combined is None else combined & mask
    return combined


def _deduplicate_names(names: pl.DataFrame) -> pl.DataFrame:
    """Each name once, at its best match."""
    if names["first"].is_unique().all():
        return names
    best = 2**40 * pl.col("match").cast(pl.Int64) + pl.col("order").cast(pl.Int64)
    ordered = names.with_columns(best=best).sort("best")
    return ordered.unique("first", keep="first", maintain_order=True).drop("best")


def _match_reading(likely: pl.DataFrame, pieces: Pieces, *, strict: bool) -> pl.DataFrame:
    """The names that one reading of the letters meets from the beginning of a syllable on."""
    spelling = pl.col("spelled")
    last = len(pieces) - 1
    body = " ".join(
        piece + (r"[^ ]*" if may_follow or at == last else "")
        for at, (piece, may_follow) in enumerate(pieces)
    )
    joined = " ".join(piece for piece, _ in pieces)
    if len(pieces) == 1:
        # A literal is quicker than a pattern, and one piece is what most names have.
        begins = spelling.str.starts_with(joined)
        there = begins | spelling.str.contains(" " + joined, literal=True)
    else:
        begins = spelling.str.contains(f"^{body}")
        there = spelling.str.contains(f"(?:^| ){body}")
    match = pl.when(spelling == joined).then(0).when(begins).then(1).otherwise(2).cast(pl.Int8)
    found = likely.filter(there)
    if strict:
        return found.with_columns(match=match)
    return found.with_columns(match=pl.max_horizontal("match", match))


def _match_same_sound(names: pl.DataFrame, han: str) -> pl.DataFrame:
    """The names that are read as the Han typed are."""
    kind = pl.lit("Person").cast(SEARCH_KIND_DTYPE)
    typed = pl.DataFrame({"number": [0], "name": [han]}).with_columns(kind=kind)
    spellings = spell_names(typed)["spelled"].to_list() if len(han) > 1 else []
    met = pl.any_horizontal(
        [pl.lit(False), *((pl.col("spelled") == spelling) for spelling in spellings)]
    )
    return names.filter(met).with_columns(match=pl.lit(MATCH_KINDS.index("sound"), pl.Int8))


def _match_one_character_off(names: pl.DataFrame, han: str, person: bool) -> pl.DataFrame:
    """The names with one wrong, missing or further character; of places, within a longer name."""
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    mark = pl.lit(MATCH_KINDS.index("mistake"), pl.Int8).alias("match")
    size, half = len(han), len(han) // 2
    name, length = pl.col("low"), pl.col("low").str.len_chars()
    if size < 2 or (size < 3 and not person):
        return names.clear().with_columns(mark)
    if size == 2:
        between = name.str.starts_with(han[0]) & name.str.ends_with(han[1]) & (length == 3)
        return names.filter(between).with_columns(mark)
    if person:
        # One mistake leaves the first or the second half unchanged.
        half_equal = name.str.starts_with(han[:half]) | name.str.ends_with(han[half:])
        swapped = name.str.starts_with(han[: half - 1] + han[half] + han[half - 1])
        near = names.filter((half_equal | swapped) & length.is_between(size - 1, size + 1))
        apart = process.cdist([han], near["low"].to_list(), scorer=OSA.distance, score_cutoff=1)[0]
        return near.filter(pl.Series(apart <= 1, dtype=pl.Boolean)).with_columns(mark)
    halves = (han[:half], han[half:])
    near = names.filter(
        (length >= size - 1)
        & pl.any_horizontal([name.str.contains(h, literal=True) for h in halves])
    )
    likeness = process.cdist([han], near["low"].to_list(), scorer=fuzz.partial_ratio)[0]
    enough = 100 * (1 - 1 / size) - 0.01
    return near.filter(pl.Series(likeness >= enough, dtype=pl.Boolean)).with_columns(mark)


def _match_mistyped_spelling(names: pl.DataFrame, letters: str, person: bool) -> pl.DataFrame:
    """The names whose spelling is one letter off (wrong, missing, further, two swapped).

    From 15 letters on, two. A mistake leaves one of two parts unchanged (two mistakes one of
    three), save for the letters at the cut, which a swap may take from both.
    """
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    mark = pl.lit(MATCH_KINDS.index("mistake"), pl.Int8).alias("match")
    off = 2 if len(letters) >= 15 else 1
    cut = len(letters) // (off + 1)
    tight = pl.col("tight")
    parts = [tight.str.starts_with(letters[: cut - 1]), tight.str.ends_with(letters[-cut + 1 :])]
    if cut < 2:
        parts = [tight.str.starts_with(letters[0]), tight.str.ends_with(letters[-1])]
    if off == 2:
        parts.append(tight.str.contains(letters[cut + 1 : 2 * cut - 1], literal=True))
    if person:
        length = tight.str.len_bytes()
        size = length.is_between(len(letters) - off, len(letters) + off)
        near = names.filter(size & pl.any_horizontal(parts))
        apart = process.cdist(
            [letters], near["tight"].to_list(), scorer=OSA.distance, score_cutoff=off
        )[0]
        return near.filter(pl.Series(apart <= off, dtype=pl.Boolean)).with_columns(mark)
    if len(letters) < 6:
        return names.clear().with_columns(mark)
    long_enough = names.filter(tight.str.len_bytes() >= len(letters) - off)
    likeness = process.cdist([letters], long_enough["tight"].to_list(), scorer=fuzz.partial_ratio)[
        0
    ]
    enough = 100 * (1 - off / len(letters)) - 0.01
    return long_enough.filter(pl.Series(likeness >= enough, dtype=pl.Boolean)).with_columns(mark)
