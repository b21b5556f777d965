"""Memory-mapped random access to snapshot rows by row number.

To take some hundred rows of five million, Parquet scans entire columns, at every click. So people
by row number, their promotions, and mentorships by mentor are stored beside the snapshot as Arrow
IPC files too, built once per snapshot.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from graph.atomic import write_folder_atomically
from graph.messages import Message
from graph.people.chains import NumberArray, expand_offsets
from graph.server.damage import note_damage
from graph.snapshot.frames import Manifest, Snapshot, scan_stored_frame
from graph.snapshot.reader import PROVENANCE_COLUMNS, STATED_COLUMN, expand_provenance

# Text of at most so many different words, each twice on average, is dictionary-encoded.
MAX_DICTIONARY_WORDS: Final = 65_000
# Arrow's `string` holds less than 2 GiB of text, `large_string` any.
MAX_SMALL_TEXT_BYTES: Final = 1 << 31
# Of people, what a neighbourhood says of each.
PERSON_ROW_COLUMNS: Final = (
    "person_id",
    "name",
    "level",
    "leading",
    "target",
    "province",
    "occupation_code",
    "enterprise_id",
    "retired_on",
    "type",
)
# The names of the cached folders. A number goes up when what they hold changes.
PEOPLE_ROWS_NAME: Final = "rows-people-3"
PROMOTION_ROWS_NAME: Final = "rows-promotions-2"
MENTORSHIP_ROWS_NAME: Final = "rows-mentorships-2"
ROWS_FILE_NAME: Final = "rows.arrow"
INDEX_FILE_NAME: Final = "index.npy"
DIGESTS_FILE_NAME: Final = "digests.json"


@dataclass(frozen=True)
class IndexedRows:
    """A table as one batch of Arrow, and an array by which its rows are found.

    The index of people holds the row numbers in the order of the ids (uint32). That of promotions
    and mentorships says where each person's rows begin, and at last where all end (int64).
    """

    batch: pa.RecordBatch
    index: NumberArray

    def take(self, rows: NumberArray, columns: Sequence[str]) -> pl.DataFrame:
        """These rows, in their order, with these columns."""
        numbers = _build_arrow_numbers(rows)
        taken = [self.batch.column(name).take(numbers) for name in columns]
        return pl.DataFrame(
            [pl.Series(name, _decode(array)) for name, array in zip(columns, taken, strict=True)]
        )


def _build_arrow_numbers(rows: NumberArray) -> pa.Array:
    """The numbers in Arrow, not copied. `pyarrow.array` and `to_numpy` import pandas."""
    held = pa.py_buffer(np.ascontiguousarray(rows, np.int64))
    return pa.Array.from_buffers(pa.int64(), len(rows), [None, held])


def _decode(taken: pa.Array) -> pa.Array:
    """Codes as text. Polars would read in the entire dictionary."""
    return taken.dictionary_decode() if isinstance(taken, pa.DictionaryArray) else taken


def encode_rows(frame: pl.DataFrame) -> pa.RecordBatch:
    """A table of text, numbers, days and truth in Arrow, as one batch.

    Text of few words is dictionary-encoded. Other text has offsets of four bytes where they do.
    """
    return pa.record_batch({column.name: _encode_column(column) for column in frame})


def _encode_column(column: pl.Series) -> pa.Array:
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return column.rechunk().to_arrow()
    text = column.cast(pl.String)
    words = text.drop_nulls().unique().sort()
    if len(words) <= min(MAX_DICTIONARY_WORDS, len(text) // 2):
        return text.cast(pl.Enum(words)).rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    array = text.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    return array.cast(pa.string()) if array.nbytes < MAX_SMALL_TEXT_BYTES else array


# --- people -----------------------------------------------------------------------------------


def lookup_people(snapshot: Snapshot, people: Collection[int]) -> pl.DataFrame:
    """These people, by row number: person and `PERSON_ROW_COLUMNS`, in the order of the numbers."""
    numbers = np.unique(np.fromiter(people, np.int64, len(people)))
    found = _load_people_rows(snapshot).take(numbers, PERSON_ROW_COLUMNS)
    return found.insert_column(0, pl.Series("person", numbers, dtype=pl.Int32))


def lookup_person_ids_by_number(snapshot: Snapshot, people: pl.Series) -> pl.Series:
    """person_id of each of these row numbers."""
    return _load_people_rows(snapshot).take(people.to_numpy(), ["person_id"]).to_series()


def lookup_person_numbers(snapshot: Snapshot, ids: Collection[str]) -> dict[str, int]:
    """Row numbers by person_id; ids that nobody has are left out."""
    import pyarrow.compute as pc

    rows = _load_people_rows(snapshot)
    order, person_id = rows.index, rows.batch.column("person_id")
    if not len(order):
        return {}
    wanted = pl.Series(list(ids), dtype=pl.String).to_arrow().cast(person_id.type)
    # A binary search for all at once: of each, how many ids come before. Arrow and polars both
    # order text by its bytes.
    before = np.zeros(len(wanted), np.int64)
    for bit in reversed(range(len(order).bit_length())):
        place = before + (1 << bit) - 1
        inside = place < len(order)
        met = person_id.take(_build_arrow_numbers(order[np.where(inside, place, 0)]))
        before += (inside & pl.Series(pc.less(met, wanted)).to_numpy()) << bit
    numbers = order[np.minimum(before, len(order) - 1)]
    same = pc.equal(person_id.take(_build_arrow_numbers(numbers)), wanted).to_pylist()
    return {
        id: number for id, number, found in zip(ids, numbers.tolist(), same, strict=True) if found
    }


def _load_people_rows(snapshot: Snapshot) -> IndexedRows:
    return _load_cached_rows(snapshot, PEOPLE_ROWS_NAME, lambda: _build_indexed_people(snapshot))


def _build_indexed_people(snapshot: Snapshot) -> IndexedRows:
    people = snapshot.frames["people"]
    known = people.collect_schema()
    columns = [name for name in PERSON_ROW_COLUMNS if name in known]
    table = people.sort("person").select(columns).collect()
    by_id = table["person_id"].arg_sort().cast(pl.UInt32).to_numpy()
    return IndexedRows(encode_rows(table), by_id)


# --- promotions -------------------------------------------------------------------------------


def lookup_first_days(snapshot: Snapshot, people: Collection[int], level: int) -> pl.DataFrame:
    """The first day on which each of these people was at the level or above: person, day, and what
    is known of it, day_precision.

    Those who never were are left out.
    """
    rows = _load_promotion_rows(snapshot)
    numbers = np.unique(np.fromiter(people, np.int64, len(people)))
    whose, place = expand_offsets(rows.index, numbers)
    found = rows.take(place, ["level", "day", "day_precision"])
    found = found.insert_column(0, pl.Series("person", numbers[whose], dtype=pl.Int32))
    found = found.filter(pl.col("level") >= level)
    return found.group_by("person", maintain_order=True).agg(pl.col("day", "day_precision").first())


def _load_promotion_rows(snapshot: Snapshot) -> IndexedRows:
    return _load_cached_rows(
        snapshot, PROMOTION_ROWS_NAME, lambda: _build_indexed_promotions(snapshot)
    )


def _build_indexed_promotions(snapshot: Snapshot) -> IndexedRows:
    table = snapshot.frames["promotions"].sort("person", "day").collect()
    return IndexedRows(
        encode_rows(table.select("day", "level", "day_precision")),
        _build_person_offsets(snapshot, table["person"]),
    )


# --- mentorships ------------------------------------------------------------------------------


def lookup_mentorships_among(snapshot: Snapshot, people: Collection[int]) -> pl.DataFrame:
    """The mentorships between these people (row numbers): a row each with all but its sources."""
    rows, columns = _load_mentorship_rows(snapshot)
    numbers = np.unique(np.fromiter(people, np.int64, len(people)))
    whose, place = expand_offsets(rows.index, numbers)
    apprentice = rows.take(place, ["apprentice"]).to_series().to_numpy()
    inside = np.isin(apprentice, numbers)
    found = rows.take(place[inside], [name for name in columns if name != "mentor"])
    mentor = pl.Series("mentor", numbers[whose[inside]], dtype=pl.Int32)
    found = found.insert_column(0, mentor)
    if "row_file" in columns:
        stated = found.lazy().with_columns(stated_by=pl.lit(None, pl.String))
        found = expand_provenance(stated).drop("sources").collect()
    return found


def _load_mentorship_rows(snapshot: Snapshot) -> tuple[IndexedRows, Sequence[str]]:
    """The rows, and the columns that the stored table has."""
    frame = _scan_stored_mentorships(snapshot)
    return _load_cached_rows(
        snapshot, MENTORSHIP_ROWS_NAME, lambda: _build_indexed_mentorships(snapshot, frame)
    ), frame.collect_schema().names()


def _scan_stored_mentorships(snapshot: Snapshot) -> pl.LazyFrame:
    """As they are stored, without who states them: a file's name and a line are two columns."""
    frame = snapshot.frames["mentorships"]
    if snapshot.folder is not None:
        layered = Manifest.of(snapshot.folder).layered
        stored = scan_stored_frame(snapshot.folder, "mentorships", layered)
        frame = stored if set(PROVENANCE_COLUMNS) <= set(stored.collect_schema()) else frame
    return frame.drop("sources", "stated_by", STATED_COLUMN, strict=False)


def _build_indexed_mentorships(snapshot: Snapshot, frame: pl.LazyFrame) -> IndexedRows:
    table = frame.sort("mentor", "apprentice").collect()
    return IndexedRows(
        encode_rows(table.drop("mentor")), _build_person_offsets(snapshot, table["mentor"])
    )


# --- the cache beside the snapshot ------------------------------------------------------------


def _load_cached_rows(
    snapshot: Snapshot, name: str, build: Callable[[], IndexedRows]
) -> IndexedRows:
    """The rows cached under the name, built where they are not; of a snapshot in memory built anew.

    Damaged ones are taken away, noted, and built anew.
    """
    if snapshot.folder is None:
        return build()
    folder = snapshot.folder / name
    if folder.exists():
        try:
            return _open_cached_rows(folder, folder.stat().st_mtime_ns)
        except (OSError, ValueError):  # pyarrow's own errors are of these kinds
            note_damage(Message("The result {file} was damaged; it is counted anew.", file=folder))
            shutil.rmtree(folder, ignore_errors=True)
    _write_rows(build(), folder)
    _sweep_older_rows(folder)
    return _open_cached_rows(folder, folder.stat().st_mtime_ns)


def _write_rows(rows: IndexedRows, folder: Path) -> None:
    with write_folder_atomically(folder) as making:
        with pa.ipc.new_file(making / ROWS_FILE_NAME, rows.batch.schema) as file:
            file.write_batch(rows.batch)
        np.save(making / INDEX_FILE_NAME, rows.index)
        (making / DIGESTS_FILE_NAME).write_text(json.dumps(_compute_digests(making)))


def _sweep_older_rows(folder: Path) -> None:
    """Takes away what earlier versions of the program cached under this name."""
    name = "-".join(folder.name.split("-")[:2])
    for other in folder.parent.glob(f"{name}*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


@lru_cache(maxsize=8)
def _open_cached_rows(folder: Path, written_ns: int) -> IndexedRows:
    """The rows of a folder, memory-mapped. `written_ns` tells a folder from its predecessor.

    Every byte is checked once a process: a wrong offset would end it. Raises `OSError` or
    `ValueError` where a file is damaged.
    """
    if json.loads((folder / DIGESTS_FILE_NAME).read_text()) != _compute_digests(folder):
        raise ValueError(f"{folder} does not match its digests")
    with pa.ipc.open_file(pa.memory_map(str(folder / ROWS_FILE_NAME))) as file:
        batch = file.get_batch(0)
    return IndexedRows(batch, np.load(folder / INDEX_FILE_NAME, mmap_mode="r"))


def _compute_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the files, by name."""
    digests = {}
    for name in (ROWS_FILE_NAME, INDEX_FILE_NAME):
        with (folder / name).open("rb") as file:
            digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _build_person_offsets(snapshot: Snapshot, sorted_people: pl.Series) -> NumberArray:
    """Where each person's rows begin in a table sorted by them, and at last where all end."""
    people = int(snapshot.frames["people"].select(pl.len()).collect().item())
    offset = np.searchsorted(sorted_people.to_numpy(), np.arange(people + 1))
    return offset.astype(np.int64)


def materialize_rows(snapshot: Snapshot) -> None:
    """Makes what is looked up here, where it is not there yet."""
    _load_people_rows(snapshot)
    _load_promotion_rows(snapshot)
    _load_mentorship_rows(snapshot)
