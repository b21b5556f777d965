"""The files in a backup, one after the other, and at the end the list of all with their SHA-256.

A part is its name (JSON, its length in four bytes before it) and its bytes in blocks, each with
its length before it; a block of length 0 ends it. So a part is written while it comes, and no size
need be known before.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import Any, Final, Literal, get_args

from graph.archive.sealing import CHUNK_BYTES, SealedReader, SealedWriter
from graph.errors import ArchiveError

# "file": one of the data folder; "graph": the store, as neo4j-admin dumps it.
PartKind = Literal["file", "graph"]
_LENGTH_BYTES: Final = 4
_MAX_NAME_BYTES: Final = 1 << 26


@dataclass(frozen=True)
class ArchivedPart:
    """One part as the list at the end has it; `path` is relative to the data folder."""

    path: str
    kind: PartKind
    size: int
    sha256: str


class PartWriter:
    """Writes parts into a sealed stream."""

    def __init__(self, out: SealedWriter) -> None:
        self._out = out
        self.parts: list[ArchivedPart] = []

    def add_part(self, path: str, kind: PartKind, blocks: Iterable[bytes]) -> ArchivedPart:
        """Writes one part to its end.

        The first block is asked for before anything is written. So a file that vanished raises
        FileNotFoundError here and leaves no name without an end in the stream.
        """
        rest = iter(blocks)
        first_block = next(rest, b"")
        self._write_sized(json.dumps({"path": path, "kind": kind}).encode())
        total, size = hashlib.sha256(), 0
        for block in chain((first_block,), rest):
            for first in range(0, len(block), CHUNK_BYTES):
                piece = block[first : first + CHUNK_BYTES]
                self._write_sized(piece)
                total.update(piece)
                size += len(piece)
        self._write_sized(b"")
        part = ArchivedPart(path, kind, size, total.hexdigest())
        self.parts.append(part)
        return part

    def finish_parts(self) -> None:
        """Writes the list of all, and ends the stream."""
        self._write_sized(json.dumps({"parts": [asdict(part) for part in self.parts]}).encode())
        self._out.finish()

    def _write_sized(self, data: bytes) -> None:
        self._out.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def iterate_parts(
    stream: SealedReader, name: os.PathLike[str]
) -> Iterator[tuple[str, PartKind, Iterator[bytes]]]:
    """Each part: its path, kind and blocks. What was not asked of its blocks is read too.

    After the last one the list at the end is compared with what came. Raises ArchiveError.
    """
    found: list[ArchivedPart] = []
    while "parts" not in (stated := _read_statement(stream, name)):
        path, kind = _parse_part_name(stated, name)
        total, size = hashlib.sha256(), 0

        def iterate_blocks() -> Iterator[bytes]:
            nonlocal size
            while block := _read_sized(stream, CHUNK_BYTES, name):
                total.update(block)  # noqa: B023 - used up before the next part begins
                size += len(block)
                yield block

        blocks = iterate_blocks()
        yield path, kind, blocks
        for _ in blocks:
            pass
        found.append(ArchivedPart(path, kind, size, total.hexdigest()))
    stream.expect_end()
    if [asdict(part) for part in found] != stated["parts"]:
        raise _build_content_error(name)


def _read_statement(stream: SealedReader, name: os.PathLike[str]) -> dict[str, Any]:
    """The name of a part, or the list at the end."""
    try:
        stated = json.loads(_read_sized(stream, _MAX_NAME_BYTES, name))
    except (ValueError, RecursionError) as error:
        raise _build_content_error(name) from error
    if not isinstance(stated, dict):
        raise _build_content_error(name)
    return stated


def _parse_part_name(stated: Mapping[str, Any], name: os.PathLike[str]) -> tuple[str, PartKind]:
    """Path and kind of a part. Raises ArchiveError for what is none."""
    path: Any = stated.get("path")
    kind: Any = stated.get("kind")
    if not isinstance(path, str) or kind not in get_args(PartKind):
        raise _build_content_error(name)
    _check_part_path(path, name)
    return path, kind


def _read_sized(stream: SealedReader, most: int, name: os.PathLike[str]) -> bytes:
    length = int.from_bytes(stream.read(_LENGTH_BYTES), "big")
    if length > most:
        raise _build_content_error(name)
    return stream.read(length)


def _build_content_error(name: os.PathLike[str]) -> ArchiveError:
    return ArchiveError(
        "{file} does not hold what its list of contents states: take another copy of it.",
        file=name,
    )


def _check_part_path(path: str, name: os.PathLike[str]) -> None:
    """A part must not be written outside the folder that it is restored into."""
    parsed = PurePosixPath(path)
    if not parsed.parts or "\0" in path or parsed.is_absolute() or ".." in parsed.parts:
        raise ArchiveError(
            "{file} names a file outside the data folder: it was not made by this program.",
            file=name,
        )
