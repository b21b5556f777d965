"""Rows of a snapshot's tables by number, read where they lie.

Parquet gives some hundred rows of five million only by a pass over whole columns, at every click.
So people by row number, their promotions, and mentorships by mentor stand beside the snapshot as
arrays too, made once a snapshot: numbers as they are, text of few words as places in a list, other
text as bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from graph.chains import Numbers, keep_arrays, places_of
from graph.reading import PROVENANCE_COLUMNS, provenance
from graph.snapshot import Manifest, Snapshot, stored_frame

# Text of at most so many different words is kept as places among them.
MOST_WORDS: Final = 65_000
# Of people, what a neighbourhood says of each.
OF_PEOPLE: Final = (
    "person_id", "name", "level", "leading", "target", "province", "occupation_code",
    "enterprise_id", "retired_on", "type",
)  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """A table's rows as arrays, by NAME.PART.

    Parts are number (numbers, days, truth), code and words (text of few words; 0 = none), ends
    and bytes (other text), and null, where some are.
    """

    arrays: Mapping[str, Numbers]

    def at(self, rows: Numbers, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """These rows, in their order, with these columns."""
        return pl.DataFrame([self._column(name, dtype, rows) for name, dtype in columns.items()])

    def texts(self, column: str, rows: Numbers) -> list[str]:
        """The text of a column in these rows; null is empty."""
        if f"{column}.code" in self.arrays:
            words = ["", *self.arrays[f"{column}.words"].tolist()]
            return [words[code] for code in self.arrays[f"{column}.code"][rows].tolist()]
        ends, held = self.arrays[f"{column}.ends"], self.arrays[f"{column}.bytes"].data
        first, last = ends[rows].tolist(), ends[rows + 1].tolist()
        return [str(held[a:b], "utf-8") for a, b in zip(first, last, strict=True)]

    def _column(self, name: str, dtype: pl.DataType, rows: Numbers) -> pl.Series:
        if f"{name}.number" in self.arrays:
            found = pl.Series(name, self.arrays[f"{name}.number"][rows]).cast(dtype)
        else:
            found = pl.Series(name, self.texts(name, rows), dtype=pl.String)
        if f"{name}.null" not in self.arrays:
            return found
        known = pl.Series(~self.arrays[f"{name}.null"][rows])
        return pl.select(pl.when(known).then(found).alias(name)).to_series()


def arrays_of(table: pl.DataFrame) -> dict[str, Numbers]:
    """The arrays of `Rows` for a table of text, numbers, days and truth."""
    found: dict[str, Numbers] = {}
    for column in table.iter_columns():
        found |= {f"{column.name}.{part}": array for part, array in _parts(column).items()}
    return found


def _parts(column: pl.Series) -> dict[str, Numbers]:
    null = {"null": column.is_null().to_numpy()} if column.null_count() else {}
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        whole = column.to_physical()
        number = whole.cast(pl.UInt8) if column.dtype == pl.Boolean else whole
        return {"number": number.fill_null(0).to_numpy(), **null}
    text = column.cast(pl.String)
    words = text.drop_nulls().unique().sort()
    if len(words) <= MOST_WORDS:
        code = text.cast(pl.Enum(words)).to_physical().cast(pl.UInt32) + 1
        small = pl.UInt8 if len(words) < 255 else pl.UInt16
        listed = np.array(words.to_list(), dtype=np.str_)
        return {"code": code.fill_null(0).cast(small).to_numpy(), "words": listed, **null}
    whole = text.fill_null("")
    ends = np.concatenate([[0], whole.str.len_bytes().cast(pl.UInt64).cum_sum().to_numpy()])
    size = np.uint32 if ends[-1] < 2**32 else np.uint64
    held = np.frombuffer("".join(whole.to_list()).encode("utf-8"), np.uint8)
    return {"ends": ends.astype(size), "bytes": held, **null}


# --- people -----------------------------------------------------------------------------------


def people_at(snapshot: Snapshot, people: Collection[int]) -> pl.DataFrame:
    """These people, by row number: person and `OF_PEOPLE`, in the order of the numbers."""
    numbers = np.unique(np.fromiter(people, np.int64, len(people)))
    schema = snapshot.frames["people"].collect_schema()
    found = _people(snapshot).at(numbers, {name: schema[name] for name in OF_PEOPLE})
    return found.insert_column(0, pl.Series("person", numbers, dtype=pl.Int32))


def ids_of(snapshot: Snapshot, people: pl.Series) -> pl.Series:
    """person_id of each of these row numbers."""
    return pl.Series("person_id", _people(snapshot).texts("person_id", people.to_numpy()),
                     dtype=pl.String)  # fmt: skip


def numbers_of(snapshot: Snapshot, ids: Collection[str]) -> dict[str, int]:
    """Row numbers by person_id; ids that nobody has are left out."""
    rows, wanted = _people(snapshot), list(ids)
    order = rows.arrays["by_id"]
    # Halved for all at once: text is ordered by its bytes here and there.
    low, high = np.zeros(len(wanted), np.int64), np.full(len(wanted), len(order), np.int64)
    while (open_ := low < high).any():
        middle = np.where(open_, (low + high) // 2, 0)
        met = rows.texts("person_id", order[middle])
        before = np.fromiter((m < w for m, w in zip(met, wanted, strict=True)), bool, len(wanted))
        low = np.where(open_ & before, middle + 1, low)
        high = np.where(open_ & ~before, middle, high)
    there = low < len(order)
    numbers = order[np.where(there, low, 0)].astype(np.int64) if len(order) else low
    met = rows.texts("person_id", numbers) if len(order) else [""] * len(wanted)
    return {w: n for w, m, n in zip(wanted, met, numbers.tolist(), strict=True) if m == w}


def _people(snapshot: Snapshot) -> Rows:
    return _kept(snapshot, "rows-people-2", lambda: _of_people(snapshot))


def _of_people(snapshot: Snapshot) -> dict[str, Numbers]:
    people = snapshot.frames["people"]
    known = people.collect_schema()
    columns = [name for name in OF_PEOPLE if name in known]
    table = people.sort("person").select(columns).collect()
    by_id = table["person_id"].arg_sort().cast(pl.UInt32).to_numpy()
    return arrays_of(table) | {"by_id": by_id}


# --- promotions -------------------------------------------------------------------------------


def first_days(snapshot: Snapshot, people: Collection[int], level: int) -> pl.DataFrame:
    """The first day on which each of these people was at the level or above: person, day.

    Those who never were are left out.
    """
    rows = _promotions(snapshot)
    numbers = np.unique(np.fromiter(people, np.int64, len(people)))
    whose, place = places_of(rows.arrays["offset"], numbers)
    high = rows.arrays["level.number"][place] >= level
    found = rows.at(place[high], {"day": pl.Date()})
    found = found.insert_column(0, pl.Series("person", numbers[whose[high]], dtype=pl.Int32))
    return found.group_by("person", maintain_order=True).agg(pl.col("day").min())


def _promotions(snapshot: Snapshot) -> Rows:
    return _kept(snapshot, "rows-promotions", lambda: _of_promotions(snapshot))


def _of_promotions(snapshot: Snapshot) -> dict[str, Numbers]:
    table = snapshot.frames["promotions"].sort("person", "day").collect()
    return arrays_of(table.select("day", "level")) | _offset(snapshot, table["person"])


# --- mentorships ------------------------------------------------------------------------------


def mentorships_among(snapshot: Snapshot, people: Collection[int]) -> pl.DataFrame:
    """The mentorships between these people (row numbers): a row each with all but its sources."""
    rows, columns = _mentorships(snapshot)
    numbers = np.unique(np.fromiter(people, np.int64, len(people)))
    whose, place = places_of(rows.arrays["offset"], numbers)
    inside = np.isin(rows.arrays["apprentice.number"][place], numbers)
    found = rows.at(place[inside], {name: columns[name] for name in columns if name != "mentor"})
    mentor = pl.Series("mentor", numbers[whose[inside]], dtype=pl.Int32)
    found = found.insert_column(0, mentor)
    if "row_file" in columns:
        stated = found.lazy().with_columns(stated_by=pl.lit(None, pl.String))
        found = provenance(stated).drop("sources").collect()
    return found


def _mentorships(snapshot: Snapshot) -> tuple[Rows, Mapping[str, pl.DataType]]:
    frame = _stored_mentorships(snapshot)
    columns = frame.collect_schema()
    return _kept(snapshot, "rows-mentorships", lambda: _by_mentor(snapshot, frame)), columns


def _stored_mentorships(snapshot: Snapshot) -> pl.LazyFrame:
    """As they are stored, without who states them: a file's name and a line are two columns."""
    frame = snapshot.frames["mentorships"]
    if snapshot.folder is not None:
        layered = Manifest.of(snapshot.folder).layered
        stored = stored_frame(snapshot.folder, "mentorships", layered)
        frame = stored if set(PROVENANCE_COLUMNS) <= set(stored.collect_schema()) else frame
    return frame.drop("sources", "stated_by", strict=False)


def _by_mentor(snapshot: Snapshot, frame: pl.LazyFrame) -> dict[str, Numbers]:
    table = frame.sort("mentor", "apprentice").collect()
    return arrays_of(table.drop("mentor")) | _offset(snapshot, table["mentor"])


# --- kept beside the snapshot -----------------------------------------------------------------


def _kept(snapshot: Snapshot, name: str, made: Callable[[], dict[str, Numbers]]) -> Rows:
    """The rows kept under the name, made where they are not; of a snapshot in memory made anew."""
    if snapshot.folder is None:
        return Rows(made())
    place = snapshot.folder / name
    if not place.exists():
        keep_arrays(made(), place)
    return _opened(place)


@lru_cache(maxsize=8)
def _opened(place: Path) -> Rows:
    files = sorted(place.glob("*.npy"))
    return Rows({file.stem: np.load(file, mmap_mode="r") for file in files})


def _offset(snapshot: Snapshot, sorted_people: pl.Series) -> dict[str, Numbers]:
    """Where each person's rows begin in a table sorted by them, and at last where all end."""
    people = int(snapshot.frames["people"].select(pl.len()).collect().item())
    offset = np.searchsorted(sorted_people.to_numpy(), np.arange(people + 1))
    return {"offset": offset.astype(np.int64)}


def prepare(snapshot: Snapshot) -> None:
    """Makes what is looked up here, where it is not there yet."""
    _people(snapshot)
    _promotions(snapshot)
    _mentorships(snapshot)
