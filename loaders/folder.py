"""The exchange folder: one table a file, `people.csv`, `mentorships.csv.gz`, `talents.parquet`.

Headers may be the schema's names or the Chinese ones. What the tables and their columns are stands
in docs/model.md. Whatever else lies in the folder is named as not read (`UnreadFile`).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from graph.errors import UsageError
from graph.identity import has_id_number, mask_id_numbers
from graph.messages import Message, Words
from graph.model.kinds import EXCHANGE_TABLES
from loaders.exchange_sheets import (
    TableMatch,
    build_sheet_table,
    find_table_by_name,
    guess_header_row,
    has_table_headers,
    match_exchange_table,
)
from loaders.readers.archives import unpack_gzip
from loaders.readers.delimited import add_row_numbers, read_delimited_rows
from loaders.readers.encodings import Bytes, detect_encoding, lookup_encoding
from loaders.readers.file_kinds import FileKind, detect_file_kind
from loaders.readers.sheets import Sheet, read_sheets
from loaders.readers.typed_columns import scan_parquet_table
from loaders.tables import ROW_NUMBER_COLUMN, RawTable, UnreadFile

# Files of these endings, under a table's name, are read the fast way if they are what they say.
TABLE_FILE_ENDINGS = (".csv", ".csv.gz", ".parquet")
# A file that is not called as a table is looked into up to this size.
_MAX_UNNAMED_BYTES = 1 << 28
_TABLES_INSIDE_REASON = Message("the folder {name} is not read; name it in the command to load it")
_NO_TABLES_INSIDE_REASON = Message(
    "the folder {name} is not read; nothing in it has a table's name"
)
_TWICE = Message("the file {name} is named twice in the command; it is read once, as {first}")
_NOT_A_TABLE_REASON = Message(
    "the file {name} is not read; neither its name nor its headers are a table's"
)
_SIMILAR_NAME_REASON = Message(
    "the file {name} is not read; if it is the table {table}, give it the headers of docs/model.md"
)
_OTHER_FILE_READ_REASON = Message(
    "the file {name} is not read; the table {table} is read from {other}"
)
_SHEET_REASON = Message(
    "the sheet {sheet} of {name} is not read; neither its name nor its headers are a table's"
)


@dataclass(frozen=True)
class _GivenPath:
    """A folder of the command, or a single file in it."""

    folder: Path
    only: Path | None = None

    @property
    def source(self) -> str:
        return self.folder.resolve().name


@dataclass
class _FoundFiles:
    """The files of one folder: by the table that they are called, and others that may hold one."""

    tables: dict[str, Path] = field(default_factory=dict)
    others: list[Path] = field(default_factory=list)
    unread: list[UnreadFile] = field(default_factory=list)


def get(
    paths: Sequence[Path], source: str | None = None, encoding: str | None = None
) -> Iterator[RawTable | UnreadFile]:
    """The raw tables of one or several exchange folders, or files, and what was not read there.

    A row's source is its `source` cell, else `source`, else its folder's name. `encoding` is that
    of every CSV; without it each file's is found. Raises UsageError for what is not there, holds no
    table, holds one table twice, or can't be read.
    """
    if encoding is not None:
        lookup_encoding(encoding)
    given = [_resolve_given_path(path) for path in paths]
    found = [_find_table_files(place) for place in given]
    _read_once(found)
    return _read_folder_tables(given, found, source, encoding)


def _read_folder_tables(
    given: Sequence[_GivenPath],
    found: Sequence[_FoundFiles],
    source: str | None,
    encoding: str | None,
) -> Iterator[RawTable | UnreadFile]:
    several = len({one.folder.resolve() for one in given}) > 1
    for place, files in zip(given, found, strict=True):
        before = f"{mask_id_numbers(place.source)}/" if several else ""
        stated_by = source or place.source
        if has_id_number(stated_by) and (files.tables or files.others):
            raise UsageError(
                "the source's name holds a citizen ID number; name the source with --source"
            )
        reader = _FolderReader(place, files, before, stated_by, encoding)
        yield from files.unread
        yield from reader.read_tables()


def _read_once(found: Sequence[_FoundFiles]) -> None:
    """Takes out, and names, files that the command names again, by themselves or by their folder.

    Raises UsageError for two files of one folder that are the same table.
    """
    seen: dict[Path, str] = {}
    of: dict[tuple[Path, str], Path] = {}
    for files in found:
        for table, path in list(files.tables.items()):
            other = of.setdefault((path.parent.resolve(), table), path)
            if path.resolve() in seen:
                del files.tables[table]
            elif other is not path:
                raise _one_table_twice(path.parent, other.name, path.name)
            _note_once(path, table, files, seen)
        for path in list(files.others):
            if path.resolve() in seen:
                files.others.remove(path)
            _note_once(path, None, files, seen)


def _note_once(path: Path, table: str | None, files: _FoundFiles, seen: dict[Path, str]) -> None:
    first = seen.setdefault(path.resolve(), mask_id_numbers(str(path)))
    if path not in (*files.tables.values(), *files.others):
        name = mask_id_numbers(path.name)
        files.unread.append(UnreadFile(name, _TWICE.with_values(name=name, first=first), table))


def _one_table_twice(folder: Path, one: str, other: str) -> UsageError:
    return UsageError(
        "{folder} holds {one} and {other}: keep one of the two",
        folder=folder,
        one=one,
        other=other,
    )


def _resolve_given_path(path: Path) -> _GivenPath:
    if path.is_dir():
        return _GivenPath(path)
    if path.is_file():
        return _GivenPath(path.parent, path)
    raise UsageError(
        "{path} is not there; name a folder that holds people.csv, or one file of it",
        path=path,
    )


def _find_table_files(place: _GivenPath) -> _FoundFiles:
    """The file of each table, in the schema's order, and what else is there."""
    exact: dict[str, Path] = {}
    near: dict[str, Path] = {}
    files = _FoundFiles()
    for path in [place.only] if place.only else sorted(place.folder.iterdir()):
        table, _, ending = path.name.partition(".")
        named = find_table_by_name(path.name.partition(".")[0])
        if not path.is_file():
            files.unread.append(_describe_folder(path))
        elif table in EXCHANGE_TABLES and "." + ending in TABLE_FILE_ENDINGS:
            if exact.setdefault(table, path) is not path:
                raise _one_table_twice(place.folder, exact[table].name, path.name)
        elif named is None or named in exact or near.setdefault(named, path) is not path:
            files.others.append(path)
    files.others += [path for table, path in near.items() if table in exact]
    for path in list(files.others):
        named = find_table_by_name(path.name.partition(".")[0])
        if named in exact:
            files.others.remove(path)
            files.unread.append(_describe_other_file(path, named, exact[named].name))
        elif named is not None:
            raise _one_table_twice(place.folder, near[named].name, path.name)
    tables = near | exact
    files.tables = {table: tables[table] for table in EXCHANGE_TABLES if table in tables}
    if not files.tables and not files.others:
        raise _build_no_table_error(place, files.unread)
    return files


def _build_no_table_error(place: _GivenPath, unread: Sequence[UnreadFile]) -> UsageError:
    return UsageError(
        "{place} holds no table of the exchange format; it needs at least people.csv (see "
        "docs/model.md). {unread}",
        place=place.only or place.folder,
        unread=[one.reason for one in unread],
    )


def _format_shown_name(path: Path) -> str:
    return mask_id_numbers(path.name.encode(errors="replace").decode())


def _describe_table(table: str) -> Words:
    return Words(table, EXCHANGE_TABLES[table].zh)


def _describe_other_file(path: Path, table: str, other: str) -> UnreadFile:
    name = _format_shown_name(path)
    reason = _OTHER_FILE_READ_REASON.with_values(
        name=name, table=_describe_table(table), other=mask_id_numbers(other)
    )
    return UnreadFile(name, reason, table)


def _describe_folder(path: Path) -> UnreadFile:
    """A folder that is not read, and the table that a file in it may be."""
    name = _format_shown_name(path)
    inside = path.iterdir() if path.is_dir() else ()
    tables = [table for table in map(_find_nearest_table, sorted(inside)) if table]
    reason = _TABLES_INSIDE_REASON if tables else _NO_TABLES_INSIDE_REASON
    return UnreadFile(name, reason.with_values(name=name), next(iter(tables), None), True)


def _describe_unread_file(path: Path) -> UnreadFile:
    """What a file is of which nothing is read, and the table it may be."""
    name, nearest = _format_shown_name(path), _find_nearest_table(path)
    if nearest is None:
        return UnreadFile(name, _NOT_A_TABLE_REASON.with_values(name=name))
    reason = _SIMILAR_NAME_REASON.with_values(name=name, table=_describe_table(nearest))
    return UnreadFile(name, reason, nearest)


def _find_nearest_table(path: Path) -> str | None:
    """The table whose name in either language is nearest to the file's."""
    stem = path.name.partition(".")[0].strip().casefold()
    words = {
        name: table for table, kind in EXCHANGE_TABLES.items() for name in (table, kind.zh, kind.en)
    }
    words = {word.casefold(): table for word, table in words.items()}
    for word in sorted(words, key=len, reverse=True):
        if stem and (word in stem or (len(stem) > 3 and stem in word)):
            return words[word]
    close = get_close_matches(stem, words, 1, 0.7)
    return words[close[0]] if close else None


class _FolderReader:
    """Reads the files of one folder, each table once."""

    def __init__(
        self, place: _GivenPath, files: _FoundFiles, before: str, source: str, encoding: str | None
    ) -> None:
        self._place, self._files, self._before = place, files, before
        self._source, self._encoding = source, encoding
        # Table -> the file or sheet it was read from.
        self._read: dict[str, str] = {}

    def read_tables(self) -> Iterator[RawTable | UnreadFile]:
        """Every table, and what is not read. Raises UsageError when nothing is."""
        unread: list[UnreadFile] = []
        for found in self._read_files():
            if isinstance(found, UnreadFile):
                unread.append(found)
            yield found
        if not self._read and (self._files.tables or self._files.others):
            raise _build_no_table_error(self._place, [*self._files.unread, *unread])

    def _read_files(self) -> Iterator[RawTable | UnreadFile]:
        for table, path in self._files.tables.items():
            yield from self._read_named_file(table, path)
        for path in self._files.others:
            yield from self._read_other_file(path)

    def _read_named_file(self, table: str, path: Path) -> Iterator[RawTable | UnreadFile]:
        """A file under the name of a table."""
        file = self._before + path.name
        raw = _read_fast(table, path, file, self._source, self._encoding)
        if raw is not None and (raw.rows.width == 1 or has_table_headers(raw.rows.columns, table)):
            self._note_table(table, file)
            yield raw
            return
        unread: list[tuple[UnreadFile, Sheet | None]] = []
        for sheet in read_sheets(path, encoding=self._encoding):
            found = sheet if isinstance(sheet, UnreadFile) else self._match_sheet(sheet, [table])
            if isinstance(found, RawTable):
                yield found
            else:
                unread.append((found, sheet if isinstance(sheet, Sheet) else None))
        sheets = [sheet for _, sheet in unread if sheet is not None]
        if table not in self._read and path.suffix == ".parquet":
            raise _build_damaged_file_error(file, "parquet")
        if table not in self._read and sheets:
            yield self._build_unmatched(sheets[0], table)
            unread = [one for one in unread if one[1] is not sheets[0]]
        yield from (one for one, _ in unread)

    def _build_unmatched(self, sheet: Sheet, table: str) -> RawTable:
        """A sheet that is called as a table whose headers it has not: its rows are refused."""
        match = TableMatch(table, guess_header_row(sheet, table))
        file = self._before + _name_sheet(sheet, table)
        self._note_table(table, file)
        return build_sheet_table(sheet, match, file, self._source)

    def _read_other_file(self, path: Path) -> Iterator[RawTable | UnreadFile]:
        """A file under another name: a workbook or archive of tables, or nothing of ours."""
        nearest = _find_nearest_table(path)
        if nearest is None and path.stat().st_size > _MAX_UNNAMED_BYTES:
            yield _describe_unread_file(path)
            return
        try:
            sheets = list(read_sheets(path, encoding=self._encoding))
        except UsageError as error:
            yield UnreadFile(_format_shown_name(path), error.message, nearest)
            return
        hints = [nearest] if nearest else []
        found = [
            one if isinstance(one, UnreadFile) else self._match_sheet(one, hints) for one in sheets
        ]
        if any(isinstance(one, RawTable) for one in found):
            yield from found
        elif len(found) == 1:
            yield _describe_unread_file(path)
        else:
            yield from found

    def _match_sheet(self, sheet: Sheet, hints: Sequence[str]) -> RawTable | UnreadFile:
        """The table that a sheet is by its own name, that of its file, or its headers."""
        stem = find_table_by_name(_find_stem(sheet.file))
        called = find_table_by_name(sheet.name) if sheet.name else stem
        if called is not None:
            match = match_exchange_table(sheet, [called], only_hints=True)
            if match is None:
                return self._build_unmatched(sheet, called)
        else:
            match = match_exchange_table(sheet, [stem, *hints] if stem else hints)
            if match is None:
                return _describe_unread_sheet(sheet)
        file = self._before + _name_sheet(sheet, match.table)
        self._note_table(match.table, file)
        return build_sheet_table(sheet, match, file, self._source)

    def _note_table(self, table: str, file: str) -> None:
        first = self._read.setdefault(table, file)
        if first != file:
            raise _one_table_twice(self._place.folder, first, file)


def _find_stem(file: str) -> str:
    """A file's name without folders, archives and endings."""
    return file.rpartition("/")[2].partition(".")[0]


def _name_sheet(sheet: Sheet, table: str) -> str:
    """How findings name a sheet: by its file alone if that has the table's name."""
    by_file = not sheet.name or find_table_by_name(_find_stem(sheet.file)) == table
    return sheet.file if by_file else f"{sheet.file}/{sheet.name}"


def _describe_unread_sheet(sheet: Sheet) -> UnreadFile:
    if not sheet.name:
        return UnreadFile(sheet.file, _NOT_A_TABLE_REASON.with_values(name=sheet.file))
    reason = _SHEET_REASON.with_values(sheet=sheet.name, name=sheet.file)
    return UnreadFile(sheet.file, reason, find_table_by_name(sheet.name))


def _read_fast(
    table: str, path: Path, file: str, source: str, encoding: str | None
) -> RawTable | None:
    """Plain CSV and Parquet under their right endings; None for what takes another reader."""
    try:
        with path.open("rb") as stream:
            kind = detect_file_kind(stream)
            if path.suffix == ".parquet" and kind is FileKind.PARQUET:
                return _read_parquet_table(table, path, file, source)
            if path.suffix == ".parquet" and kind is FileKind.TEXT and b"\0" in stream.read():
                raise _build_damaged_file_error(file, "parquet")
            if path.suffix == ".csv" and kind is FileKind.EMPTY:
                return _build_raw_table(table, b"", file, source, encoding, None)
            if path.suffix == ".csv" and kind is FileKind.TEXT:
                with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    return _build_raw_table(table, data, file, source, encoding, path)
            if path.suffix == ".gz" and kind is FileKind.GZIP:
                with unpack_gzip(stream, file) as unpacked:
                    if detect_file_kind(unpacked) not in (FileKind.TEXT, FileKind.EMPTY):
                        return None
                    text = unpacked.getvalue()
                return _build_raw_table(table, text, file, source, encoding, None)
    except PermissionError as error:
        raise UsageError(
            "{file} may not be read by you; ask its owner for the right to", file=file
        ) from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _build_damaged_file_error(file, path.suffix[1:]) from error
    return None


def _build_damaged_file_error(file: str, kind: str) -> UsageError:
    return UsageError(
        "{file} can't be read as {kind}: the file is damaged or cut short; export it again",
        file=file,
        kind=kind,
    )


def _read_parquet_table(table: str, path: Path, file: str, source: str) -> RawTable:
    frame = scan_parquet_table(path, path.stat().st_size, file).collect()
    frame = (
        frame.rename({ROW_NUMBER_COLUMN: f"{ROW_NUMBER_COLUMN} "})
        if ROW_NUMBER_COLUMN in frame.columns
        else frame
    )
    return RawTable(table, file, source, add_row_numbers(frame), encoding="parquet")


def _build_raw_table(
    table: str, data: Bytes, file: str, source: str, encoding: str | None, path: Path | None
) -> RawTable:
    found = detect_encoding(data, file, encoding)
    rows = read_delimited_rows(data, found, file, path)
    refused = rows.found if rows.found.height else None
    return RawTable(table, file, source, rows.frame, refused, encoding=found)
