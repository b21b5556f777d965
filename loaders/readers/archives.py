"""Zip and gzip files to the files inside, never more of them in memory than a table is."""

from __future__ import annotations

import gzip
import io
import posixpath
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from graph.errors import UsageError
from graph.identity import mask_id_numbers
from graph.messages import Message
from loaders.readers.workbook_process import WorkbookError, iterate_part

MAX_ARCHIVE_MEMBERS: Final = 2_000
MAX_MEMBER_BYTES: Final = 256 << 20
_UNPACK_CHUNK_BYTES: Final = 1 << 20
# Text of tables is packed to a tenth; what grows more than this is no table, unless it is small.
_MAX_UNPACK_RATIO: Final = 50
_ALWAYS_UNPACKED_BYTES: Final = 1 << 26
# What macOS and Windows add to an archive of their own.
_SYSTEM_NAMES: Final = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")

UNPACK_RATIO_MESSAGE = Message(
    "{file} grows to more than {times} times its size when unpacked, as no table "
    "does; pack it again from the CSV",
    times=_MAX_UNPACK_RATIO,
)
DAMAGED_ARCHIVE_MESSAGE = Message(
    "{file} can't be unpacked: the file is damaged or cut short; pack it again"
)
_MEMBER_SIZE_MESSAGE = Message(
    "{file} unpacks to more than {most:,} bytes, or to another size than the archive states; "
    "send it unpacked, or as CSV",
    most=MAX_MEMBER_BYTES,
)
_MANY_MEMBERS_MESSAGE = Message(
    "{file} holds more than {most:,} files; send those with the lists alone",
    most=MAX_ARCHIVE_MEMBERS,
)
_LOCKED_MEMBER_MESSAGE = Message(
    "{file} is protected by a password; unpack it and send the files themselves"
)
_PACKING_MESSAGE = Message(
    "{file} is packed in a way that is not read; unpack it and pack it again as a plain zip"
)


def unpack_gzip(stream: BinaryIO, file: str, most: int | None = None) -> io.BytesIO:
    """The content of a gzip file, of `most` bytes.

    Raises UsageError for one that is damaged, or grows more than a table does.
    """
    by_ratio = max(_ALWAYS_UNPACKED_BYTES, _MAX_UNPACK_RATIO * stream.seek(0, 2))
    limit = by_ratio if most is None else min(most, by_ratio)
    stream.seek(0)
    unpacked = io.BytesIO()
    size = 0
    try:
        with gzip.GzipFile(fileobj=stream) as packed:
            while part := packed.read(_UNPACK_CHUNK_BYTES):
                size += len(part)
                if size > limit:
                    message = UNPACK_RATIO_MESSAGE if size > by_ratio else _MEMBER_SIZE_MESSAGE
                    raise UsageError(message.with_values(file=file))
                unpacked.write(part)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(DAMAGED_ARCHIVE_MESSAGE.with_values(file=file)) from error
    unpacked.seek(0)
    return unpacked


def iterate_zip_members(stream: BinaryIO, file: str) -> Iterator[tuple[str, BinaryIO | UsageError]]:
    """Each file of a zip by its shown name ("list.zip/people.csv"), unpacked, or why not.

    Raises UsageError for an archive that can't be read at all.
    """
    try:
        archive = zipfile.ZipFile(stream)
        members = [info for info in archive.infolist() if _is_member_of_interest(info)]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UsageError(DAMAGED_ARCHIVE_MESSAGE.with_values(file=file)) from error
    if len(members) > MAX_ARCHIVE_MEMBERS:
        raise UsageError(_MANY_MEMBERS_MESSAGE.with_values(file=file))
    for info in members:
        shown = f"{file}/{mask_id_numbers(decode_member_name(info))}"
        try:
            member = _unpack_member(stream, info, shown)
        except UsageError as error:
            yield shown, error
        else:
            with member:
                yield shown, member


def _is_member_of_interest(info: zipfile.ZipInfo) -> bool:
    name = info.filename.casefold()
    system = name.startswith(_SYSTEM_NAMES[0]) or posixpath.basename(name) in _SYSTEM_NAMES
    return not info.is_dir() and not system


def decode_member_name(info: zipfile.ZipInfo) -> str:
    """The name of a member: Windows in China writes GBK where the format knows only cp437."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    try:
        stored = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030", "big5"):
        try:
            return stored.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _unpack_member(stream: BinaryIO, info: zipfile.ZipInfo, file: str) -> BinaryIO:
    if info.flag_bits & 1:
        raise UsageError(_LOCKED_MEMBER_MESSAGE.with_values(file=file))
    most = max(_ALWAYS_UNPACKED_BYTES, _MAX_UNPACK_RATIO * info.compress_size)
    if info.file_size > most:
        raise UsageError(UNPACK_RATIO_MESSAGE.with_values(file=file))
    if info.file_size > MAX_MEMBER_BYTES:
        raise UsageError(_MEMBER_SIZE_MESSAGE.with_values(file=file))
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    crc = 0
    try:
        for part in iterate_part(stream, info):
            crc = zlib.crc32(part, crc)
            unpacked.write(part)
        if crc != info.CRC:
            raise WorkbookError("damaged")
    except (WorkbookError, OSError, zlib.error) as error:
        unpacked.close()
        words = {"bomb": _MEMBER_SIZE_MESSAGE, "packing": _PACKING_MESSAGE}
        message = words.get(str(error), DAMAGED_ARCHIVE_MESSAGE)
        raise UsageError(message.with_values(file=file)) from error
    unpacked.seek(0)
    return unpacked
