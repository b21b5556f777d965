"""Finding by name: Chinese by any part, pinyin, initials, typing mistakes, numbers.

There are far fewer names than people (5 million share half a million), so what is typed is held
against the names: each distinct one with its pinyin and initials. Its people stand in one list
sorted by name, leading talents and higher levels first, of which a name is a slice. Both are made
once a snapshot and kept beside it (`names-2/`): the names as Parquet, read into memory; the list as
an Arrow file, which is opened at once.

Pinyin is put together from the readings of single characters: a surname has its own (曾 is zeng),
and characters with a second one that names are known to use are found by either (茜: qian, xi).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from graph.model import NODE_KINDS
from graph.whole import whole_folder

if TYPE_CHECKING:
    from graph.snapshot import Snapshot

# Raised when the files change, so that those of an older form are not read as these.
FORMAT: Final = 2
# The kinds that can be found, and the frame of a snapshot that holds each.
KINDS: Final = {
    "Person": "people",
    "Studio": "studios",
    "Enterprise": "enterprises",
    "School": "schools",
    "Occupation": "occupations",
    "Competition": "competitions",
    "Province": "provinces",
}
KIND: Final = pl.Enum(list(KINDS))

# Han, with its extensions.
HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
TOKENS: Final = rf"[{HAN}]|[\p{{L}}\p{{N}}]+"
RUNS: Final = re.compile(rf"[{HAN}]+|[^\W_]+")

# Readings of characters as surnames, where they are others than usually.
SURNAMES: Final = {
    "曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "盖": "ge", "朴": "piao",
    "区": "ou", "乐": "yue", "覃": "qin", "翟": "zhai", "员": "yun", "种": "chong", "折": "she",
    "黑": "he", "繁": "po", "召": "shao", "逄": "pang", "佴": "nai", "谌": "chen", "牟": "mu",
    "薄": "bo", "重": "chong", "郗": "xi", "任": "ren", "冼": "xian", "缪": "miao", "秘": "bi",
    "尉": "wei", "句": "gou", "藏": "zang", "那": "na", "晟": "cheng", "长": "zhang", "尹": "yin",
}  # fmt: skip
COMPOUND_SURNAMES: Final = {
    "尉迟": "yu chi", "万俟": "mo qi", "长孙": "zhang sun", "澹台": "tan tai", "单于": "chan yu",
    "令狐": "ling hu", "宿": "su",
}  # fmt: skip
# Characters of names that are read in a second way too.
SECOND: Final = {
    "茜": ("qian", "xi"), "乐": ("le", "yue"), "行": ("xing", "hang"), "长": ("chang", "zhang"),
    "朝": ("chao", "zhao"), "晟": ("sheng", "cheng"), "重": ("zhong", "chong"),
    "覃": ("qin", "tan"), "曾": ("zeng", "ceng"), "单": ("shan", "dan"), "解": ("xie", "jie"),
    "莎": ("sha", "suo"), "婷": ("ting", "ting"), "娜": ("na", "nuo"), "骁": ("xiao", "rao"),
    "俊": ("jun", "zun"), "会": ("hui", "kuai"), "石": ("shi", "dan"), "大": ("da", "dai"),
    "传": ("chuan", "zhuan"), "奇": ("qi", "ji"), "盛": ("sheng", "cheng"), "藏": ("cang", "zang"),
    "都": ("du", "dou"), "校": ("xiao", "jiao"), "厦": ("sha", "xia"), "查": ("zha", "cha"),
}  # fmt: skip
TONED_U: Final = str.maketrans(dict.fromkeys("üǖǘǚǜ", "v"))
INITIALS: Final = frozenset("abcdefghjklmnopqrstwxyz")
# How many ways to read one line of letters are looked for; the ones of fewest pieces.
MOST_READINGS: Final = 8

Match = Literal["exact", "beginning", "part", "sound", "mistake"]
MATCHES: Final[tuple[Match, ...]] = ("exact", "beginning", "part", "sound", "mistake")


@dataclass(frozen=True)
class Hit:
    """One thing found: its kind, its key, its name, and how what was typed meets the name."""

    kind: str
    key: str
    name: str
    match: Match


@dataclass(frozen=True)
class Found:
    """Of one kind: how many there are in all, and the first of them in order.

    `alike` of `total` only sound like what was typed, or differ by a typing mistake.
    """

    total: int
    alike: int
    hits: list[Hit]


# --- making it --------------------------------------------------------------------------------


def name_index(snapshot: Snapshot) -> NameIndex:
    """The names of a snapshot: the kept index, or one made now and kept beside it."""
    if snapshot.folder is None:
        return NameIndex(*_made(snapshot))
    place = snapshot.folder / f"names-{FORMAT}"
    if not place.exists():
        _keep(snapshot, place)
    keys = pl.read_ipc(place / "keys.arrow")["key"]
    return NameIndex(pl.read_parquet(place / "names.parquet"), keys)


def _keep(snapshot: Snapshot, place: Path) -> None:
    with whole_folder(place) as making:
        names, keys = _made(snapshot)
        names.write_parquet(making / "names.parquet", compression="lz4")
        keys.to_frame().write_ipc(making / "keys.arrow", compression="uncompressed")


def _made(snapshot: Snapshot) -> tuple[pl.DataFrame, pl.Series]:
    """The names (see `NameIndex`) and the keys in their order."""
    everything = pl.concat([_named(snapshot, kind) for kind in KINDS]).collect()
    names = everything.select("kind", "name").unique().sort("kind", "name").with_row_index("number")
    ordered = everything.join(names, on=["kind", "name"]).sort(
        "number", "leading", "level", "place", descending=[False, True, True, False]
    )
    counts = ordered.group_by("number", maintain_order=True).agg(
        count=pl.len(), leading=pl.col("leading").sum()
    )
    counts = counts.with_columns(first=pl.col("count").cum_sum() - pl.col("count"))
    whole = names.join(counts, on="number").join(spelled(names), on="number")
    columns = ("kind", "name", "spelled", "initials", "first", "count", "leading")
    return whole.sort("number").select(*columns), ordered["key"]


def _named(snapshot: Snapshot, kind: str) -> pl.LazyFrame:
    """Everything of a kind that has a name: kind, name, key, leading, level, place in its frame."""
    node, frame = NODE_KINDS[kind], snapshot.frames[KINDS[kind]]
    person = kind == "Person"
    return (
        frame.filter(pl.col("name").is_not_null() & (pl.col("name") != ""))
        .select(
            pl.lit(kind).cast(KIND).alias("kind"), "name", key=pl.col(node.key).cast(pl.String),
            leading=pl.col("leading") if person else pl.lit(False),
            level=(pl.col("level") if person else pl.lit(0)).cast(pl.Int8),
        )
        .with_row_index("place")
    )  # fmt: skip


def spelled(names: pl.DataFrame) -> pl.DataFrame:
    """How each name is spelled: number, spelled (syllables with a space), initials.

    Takes number, kind, name. A name that is read in two ways has two rows.
    """
    tokens = names.select(
        "number", "kind", token=pl.col("name").str.to_lowercase().str.extract_all(TOKENS)
    ).filter(pl.col("token").list.len() > 0)
    single = tokens.with_columns(size=pl.col("token").list.len()).explode("token")
    single = single.with_columns(
        place=pl.int_range(pl.len()).over("number"),
        following=pl.col("token").shift(-1).over("number"),
    )
    distinct = single["token"].unique().to_list()
    usual = {token: reading(token) for token in distinct}
    second = {token: other for token in distinct if (other := _second(token, usual[token]))}
    surname = (pl.col("place") == 0) & (pl.col("kind") == "Person") & (pl.col("size") > 1)
    first = pl.when(surname).then(
        pl.col("token").replace_strict(SURNAMES, default=None, return_dtype=pl.String)
    )
    pair = pl.col("token") + pl.col("following").fill_null("")
    before = pl.col("token").shift(1).over("number").fill_null("") + pl.col("token")
    compound = {name: text.split(" ") for name, text in COMPOUND_SURNAMES.items() if len(name) == 2}
    lead = {name: parts[0] for name, parts in compound.items()}
    trail = {name: parts[1] for name, parts in compound.items()}
    person = pl.col("kind") == "Person"
    spelling = pl.coalesce(
        pl.when(person & (pl.col("place") == 0)).then(
            pair.replace_strict(lead, default=None, return_dtype=pl.String)
        ),
        pl.when(person & (pl.col("place") == 1)).then(
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


def reading(token: str) -> str:
    """The usual reading of one character in letters, or a word without its accents.

    >>> reading("军"), reading("吕"), reading("Éric")
    ('jun', 'lv', 'eric')
    """
    from pypinyin import lazy_pinyin

    if re.fullmatch(f"[{HAN}]", token):
        if token in SECOND:
            return SECOND[token][0]
        return "".join(lazy_pinyin(token)).lower()
    return folded(token)


def _second(token: str, usual: str) -> str | None:
    for other in SECOND.get(token, ()):
        if other != usual:
            return other
    return None


def folded(text: str) -> str:
    """Letters in lower case without accents and tones; ü is v, as it is typed.

    >>> folded("Lǘ Yáng"), folded("Dvořák")
    ('lv yang', 'dvorak')
    """
    low = unicodedata.normalize("NFKC", text).lower().translate(TONED_U)
    apart = unicodedata.normalize("NFKD", low)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


# --- what was typed ---------------------------------------------------------------------------

# A piece of a spelling, and whether more letters may follow it within its syllable.
Piece = tuple[str, bool]
Pieces = tuple[Piece, ...]


@dataclass(frozen=True)
class Typed:
    """What was typed, cleaned: `text` as it stands, its runs of Han and of letters."""

    text: str
    runs: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Typed:
        """The runs of a text; tone digits and apostrophes are left out."""
        clean = unicodedata.normalize("NFKC", text).strip()
        letters = folded(clean).replace("u:", "v")
        if re.fullmatch(r"(?:[a-z]+[1-5]\s*)+", letters):
            letters = re.sub(r"[1-5]", " ", letters)
        letters = re.sub(r"(?<=[a-z])['’](?=[a-z])", " ", letters)
        return cls(clean, tuple(RUNS.findall(letters)))

    @property
    def han(self) -> str:
        """The Han of it, when it is nothing else; else ""."""
        return "".join(self.runs) if all(map(_is_han, self.runs)) else ""

    @property
    def letters(self) -> str:
        """The letters of it without spaces, when it is nothing else; else ""."""
        return "" if any(map(_is_han, self.runs)) else "".join(self.runs)


def _is_han(run: str) -> bool:
    return bool(re.match(f"[{HAN}]", run))


def readings(words: Sequence[str], syllables: frozenset[str]) -> list[Pieces]:
    """The ways to read letters as syllables of a name, of fewest pieces first.

    Each piece is a whole syllable or an initial; the last one may be the beginning of one. What
    reads as none is the beginnings of words.

    >>> known = frozenset({"yang", "yong", "jun", "ya", "xi", "an", "xian"})
    >>> readings(["yangyj"], known)[0]
    (('yang', False), ('y', True), ('j', True))
    >>> readings(["xian"], known)[:2]
    [(('xian', True),), (('xi', False), ('an', True))]
    """
    beginnings = _beginnings(syllables)
    each = [
        list(islice(_pieces(word, syllables, beginnings, last=at == len(words) - 1), 400))
        for at, word in enumerate(words)
    ]
    plain: Pieces = tuple((word, True) for word in words)
    joined = [
        tuple(piece for pieces in chosen for piece in pieces)
        for chosen in islice(product(*(sorted(e, key=len)[:MOST_READINGS] for e in each)), 400)
    ]
    ordered = sorted(joined, key=lambda pieces: (len(pieces), sum(o for _, o in pieces)))
    return list(dict.fromkeys([*ordered[:MOST_READINGS], plain]))


def _beginnings(syllables: frozenset[str]) -> frozenset[str]:
    return frozenset(s[:n] for s in syllables for n in range(1, len(s) + 1))


def _pieces(
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
            for rest in _pieces(word[size:], syllables, beginnings, last=last):
                yield ((piece, False), *rest)
        if (size == 1 and piece in INITIALS) or piece in ("zh", "ch", "sh"):
            for rest in _pieces(word[size:], syllables, beginnings, last=last):
                yield ((piece, True), *rest)


# --- finding ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class NameIndex:
    """The names of one snapshot.

    `names`: kind, name, spelled, initials, first and count (its slice of `keys`), leading (how
    many of the slice are leading talents; they stand first). A name read in two ways has two rows.
    """

    names: pl.DataFrame
    keys: pl.Series
    _parts: Mapping[str, pl.DataFrame] = field(init=False)

    def __post_init__(self) -> None:
        tight = pl.col("spelled").str.replace_all(" ", "", literal=True)
        whole = self.names.with_columns(tight=tight, low=pl.col("name").str.to_lowercase())
        parts = {kind: whole.filter(pl.col("kind") == kind) for kind in KINDS}
        object.__setattr__(self, "_parts", parts)

    @cached_property
    def syllables(self) -> frozenset[str]:
        """Every syllable or word of the names."""
        found = self.names["spelled"].unique().str.split(" ").explode().unique().drop_nulls()
        return frozenset(found.to_list()) - {""}

    def find(
        self, text: str, kinds: Iterable[str] = tuple(KINDS), most: int = 20
    ) -> dict[str, Found]:
        """What was typed, by kind: how many are found, and the first `most` of each.

        In order: the number itself; whole names; then leading talents, then the others, by whether
        the name begins so or has it as a part; at last, where there is room, names that sound so or
        differ by a typing mistake. Among equals, leading talents and higher levels are first.
        """
        typed = Typed.of(text)
        wanted = list(kinds)
        numbered = self._numbered(typed.text, wanted)
        found: dict[str, Found] = {}
        if typed.runs:
            for kind in wanted:
                found |= self._find(typed, kind, most)
            certain = numbered or any(one.total > one.alike for one in found.values())
            for kind in wanted:
                # Of people there is nearly always a whole name; the others are few.
                if not certain or (kind == "Person" and kind in found):
                    found |= self._nearly(typed, kind, most, found.get(kind))
        for hit in numbered:
            there = found.get(hit.kind, Found(0, 0, []))
            rest = [h for h in there.hits if h.key != hit.key]
            found[hit.kind] = Found(
                there.total + (len(rest) == len(there.hits)), there.alike, [hit, *rest][:most]
            )
        return {kind: found[kind] for kind in KINDS if kind in found}

    def _numbered(self, text: str, kinds: Sequence[str]) -> list[Hit]:
        """Who or what has exactly this number."""
        if not re.fullmatch(r"[\w.-]*\d[\w.-]*", text):
            return []
        places = (self.keys == text).arg_true().to_list()
        hits = []
        for place in places[:10]:
            row = self.names.filter(
                pl.col("first") <= place, pl.col("first") + pl.col("count") > place
            ).row(0, named=True)
            if row["kind"] in kinds:
                hits.append(Hit(row["kind"], text, row["name"], "exact"))
        return hits

    def _find(self, typed: Typed, kind: str, most: int) -> dict[str, Found]:
        """What of a kind holds what was typed."""
        met = self._met(self._parts[kind], typed)
        hits = self._first(met, most)
        return {kind: Found(int(met["count"].sum()), 0, hits)} if hits else {}

    def _nearly(self, typed: Typed, kind: str, most: int, found: Found | None) -> dict[str, Found]:
        """What was found of a kind and, where there is room, what is nearly so."""
        there = found or Found(0, 0, [])
        if there.total >= most:
            return {}
        near = self._alike(self._parts[kind], typed, kind == "Person")
        near = near.filter(~pl.col("name").is_in([hit.name for hit in there.hits]))
        alike = int(near["count"].sum())
        hits = there.hits + self._first(near, most - len(there.hits))
        return {kind: Found(there.total + alike, alike, hits)} if hits else {}

    def _met(self, names: pl.DataFrame, typed: Typed) -> pl.DataFrame:
        """The names that hold what was typed, once each, with `match` (place in `MATCHES`)."""
        han = [run for run in typed.runs if _is_han(run)]
        words = [run for run in typed.runs if not _is_han(run)]
        name = pl.col("low")
        for run in han:
            names = names.filter(name.str.contains(run, literal=True))
        if han:
            whole = "".join(typed.runs)
            begins = name.str.starts_with(han[0])
            match = pl.when(name == whole).then(0).when(begins).then(1).otherwise(2)
            names = names.with_columns(match=match.cast(pl.Int8))
        if words:
            literal = self._met_literally(names, typed.text.lower()) if not han else None
            spelt = [
                _met_by_reading(names, pieces, strict=not han)
                for pieces in readings(words, self.syllables)
            ]
            if literal is not None:
                spelt.append(literal)
            names = pl.concat(spelt)
        return _once(names)

    def _met_literally(self, names: pl.DataFrame, text: str) -> pl.DataFrame:
        """Letters as they stand in the name: "CNC", "2024"."""
        name = pl.col("low")
        match = pl.when(name == text).then(0).when(name.str.starts_with(text)).then(1).otherwise(2)
        return names.filter(name.str.contains(text, literal=True)).with_columns(
            match=match.cast(pl.Int8)
        )

    def _alike(self, names: pl.DataFrame, typed: Typed, person: bool) -> pl.DataFrame:
        """The names that sound like what was typed, or differ from it by a typing mistake."""
        parts = []
        if typed.han:
            parts.append(_same_sound(names, typed.han))
            parts.append(_one_sign_off(names, typed.han, person))
        elif len(typed.letters) >= 4:
            parts.append(_mistyped(names, typed.letters, person))
        if not parts:
            return names.clear().with_columns(match=pl.lit(0, pl.Int8))
        return _once(pl.concat(parts))

    def _first(self, met: pl.DataFrame, most: int) -> list[Hit]:
        """The first keys of these names, in the order that `find` says."""
        ranked = met.with_columns(size=pl.col("name").str.len_chars())
        order = ["match", "size", "spelled", "name"]
        exact = ranked.filter(pl.col("match") == 0)
        rest = ranked.filter(pl.col("match") > 0)
        hits: list[Hit] = []
        for names, leading in ((exact, True), (exact, False), (rest, True), (rest, False)):
            room = most - len(hits)
            if room <= 0:
                break
            there = pl.col("leading") > 0 if leading else pl.col("count") > pl.col("leading")
            chosen = names.filter(there)
            chosen = chosen.bottom_k(room, by=order) if chosen.height > room else chosen
            for row in chosen.sort(order).iter_rows(named=True):
                hits += self._of_name(row, leading, most - len(hits))
        return hits

    def _of_name(self, row: dict[str, object], leading: bool, most: int) -> list[Hit]:
        first, count, named = (int(row[c]) for c in ("first", "count", "leading"))  # type: ignore[call-overload]
        begin, end = (first, first + named) if leading else (first + named, first + count)
        keys = self.keys.slice(begin, min(most, end - begin)).to_list()
        match = MATCHES[int(row["match"])]  # type: ignore[call-overload]
        return [Hit(str(row["kind"]), key, str(row["name"]), match) for key in keys]


def _once(names: pl.DataFrame) -> pl.DataFrame:
    """Each name once, at its best match."""
    return names.sort("match").unique(["kind", "name"], keep="first", maintain_order=True)


def _met_by_reading(names: pl.DataFrame, pieces: Pieces, *, strict: bool) -> pl.DataFrame:
    """The names that one reading of the letters meets from the beginning of a syllable on."""
    initials = "".join(piece[0] for piece, _ in pieces)
    spelling = pl.col("spelled")
    last = len(pieces) - 1
    body = " ".join(
        piece + (r"[^ ]*" if may_follow or at == last else "")
        for at, (piece, may_follow) in enumerate(pieces)
    )
    whole = " ".join(piece for piece, _ in pieces)
    likely = names.filter(pl.col("initials").str.contains(initials, literal=True))
    if len(pieces) == 1:
        # A literal is quicker than a pattern, and one piece is what most names have.
        begins = spelling.str.starts_with(whole)
        there = begins | spelling.str.contains(" " + whole, literal=True)
    else:
        begins = spelling.str.contains(f"^{body}")
        there = spelling.str.contains(f"(?:^| ){body}")
    match = pl.when(spelling == whole).then(0).when(begins).then(1).otherwise(2).cast(pl.Int8)
    found = likely.filter(there)
    if strict:
        return found.with_columns(match=match)
    return found.with_columns(match=pl.max_horizontal("match", match))


def _same_sound(names: pl.DataFrame, han: str) -> pl.DataFrame:
    """The names that are read as the Han typed are."""
    kind = pl.lit("Person").cast(KIND)
    typed = pl.DataFrame({"number": [0], "name": [han]}).with_columns(kind=kind)
    spellings = spelled(typed)["spelled"].to_list() if len(han) > 1 else []
    met = pl.any_horizontal(
        [pl.lit(False), *((pl.col("spelled") == spelling) for spelling in spellings)]
    )
    return names.filter(met).with_columns(match=pl.lit(MATCHES.index("sound"), pl.Int8))


def _one_sign_off(names: pl.DataFrame, han: str, person: bool) -> pl.DataFrame:
    """The names with one wrong, missing or further character; of places, within a longer name."""
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    mark = pl.lit(MATCHES.index("mistake"), pl.Int8).alias("match")
    size, half = len(han), len(han) // 2
    name, length = pl.col("low"), pl.col("low").str.len_chars()
    if size < 2 or (size < 3 and not person):
        return names.clear().with_columns(mark)
    if size == 2:
        between = name.str.starts_with(han[0]) & name.str.ends_with(han[1]) & (length == 3)
        return names.filter(between).with_columns(mark)
    if person:
        # One mistake leaves the first half or the second whole.
        kept = name.str.starts_with(han[:half]) | name.str.ends_with(han[half:])
        swapped = name.str.starts_with(han[: half - 1] + han[half] + han[half - 1])
        near = names.filter((kept | swapped) & length.is_between(size - 1, size + 1))
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


def _mistyped(names: pl.DataFrame, letters: str, person: bool) -> pl.DataFrame:
    """The names whose spelling is one letter off (wrong, missing, further, two swapped).

    From 15 letters on, two. A mistake leaves one of two parts whole (two mistakes one of three),
    save for the letters at the cut, which a swap may take from both.
    """
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    mark = pl.lit(MATCHES.index("mistake"), pl.Int8).alias("match")
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
