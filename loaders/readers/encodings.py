"""In which encoding a text file is written: decided on the full file, never on its beginning.

UTF-8 is taken when every byte of the file is UTF-8, else UTF-16 by its zero bytes, else GB18030
or Big5. A file of which some rows are UTF-8 and others are not is refused with the first row that
differs: read in either way it would have wrong characters.
"""

from __future__ import annotations

import codecs
import csv
import io
import mmap
import re
from typing import Final

from graph.errors import UsageError

Bytes = bytes | mmap.mmap

_DECODE_CHUNK_BYTES: Final = 1 << 24
# Characters of a line; what is longer is no row of a table.
MAX_LINE_CHARS: Final = 4_000_000
_ENCODING_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_NON_ASCII_LINE_PATTERN: Final = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
# Chinese characters in UTF-8; four in a row of bytes that is UTF-8 are no accident of GB18030.
_CHINESE_UTF8_PATTERN: Final = re.compile(rb"[\xe3-\xe9][\x80-\xbf][\x80-\xbf]")
_MIN_CERTAIN_CHARS: Final = 4
# The characters in general use: the first level of GB 2312, and that of Big5.
_COMMON_CHAR_RANGES: Final = {"gb18030": (0xB0A1, 0xD7F9), "big5": (0xA440, 0xC67E)}
_SAMPLE_BYTES: Final = 1 << 18
# A smaller share of characters in general use is no Chinese text.
_MIN_COMMON_CHAR_SHARE: Final = 0.4


def detect_encoding(data: Bytes, file: str, given: str | None = None) -> str:
    """Python's name of the encoding of a file's bytes; `given` is taken when it holds throughout.

    Raises UsageError, with the first row that can't be read, when none does.
    """
    if given is not None:
        return _validate_encoding(data, file, lookup_encoding(given))
    for mark, encoding in _ENCODING_MARKS:
        if data[: len(mark)] == mark:
            return _validate_encoding(data, file, encoding)
    without_mark = _detect_utf16(data)
    if without_mark:
        return without_mark
    if find_first_invalid_byte(data, "utf-8") is None:
        return "utf-8"
    if has_long_line(data):
        raise UsageError(
            "{file} has a line of more than {most:,} bytes, so it is no table of text",
            file=file,
            most=MAX_LINE_CHARS,
        )
    _reject_mixed_encodings(data, file)
    return _detect_chinese_encoding(data, file)


def lookup_encoding(name: str) -> str:
    """Python's name of an encoding. Raises UsageError for one that is not known."""
    try:
        "".encode(name)  # not of text, as hex and rot13 are: LookupError, too
        return "utf-8-sig" if codecs.lookup(name).name == "utf-8" else codecs.lookup(name).name
    except (LookupError, ValueError):
        raise UsageError(
            "there is no encoding {name}; give one such as utf-8, gb18030, big5 or utf-16",
            name=name,
        ) from None


def find_first_invalid_byte(data: Bytes, encoding: str) -> int | None:
    """The place of the first byte that is not of the encoding; None when all are.

    Judged piece by piece: as one text a large file would take several times its size.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    for at in range(0, len(data), _DECODE_CHUNK_BYTES):
        piece = data[at : at + _DECODE_CHUNK_BYTES]
        try:
            decoder.decode(piece, final=at + _DECODE_CHUNK_BYTES >= len(data))
        except UnicodeError as error:
            if not isinstance(error, UnicodeDecodeError):
                return at
            return max(at + error.start - (len(error.object) - len(piece)), 0)
    return None


def find_row_number(data: Bytes, place: int, encoding: str) -> int:
    """The spreadsheet's number of the row in which a byte stands."""
    before = io.StringIO(data[:place].decode(encoding, errors="replace") + "x", newline="")
    csv.field_size_limit(_DECODE_CHUNK_BYTES)
    try:
        return sum(1 for _ in csv.reader(before))
    except csv.Error:
        return len(re.findall(rb"\r\n?|\n", data[:place])) + 1


def _validate_encoding(data: Bytes, file: str, encoding: str) -> str:
    place = find_first_invalid_byte(data, encoding)
    if place is None:
        return encoding
    raise _build_encoding_error(data, file, place, encoding)


def _build_encoding_error(data: Bytes, file: str, place: int, encoding: str) -> UsageError:
    return UsageError(
        "{file}, row {row}: the text there is not {encoding}; save the file as UTF-8, or name its "
        "encoding with --encoding",
        file=file,
        row=find_row_number(data, place, encoding),
        encoding=encoding.upper(),
    )


def _detect_utf16(data: Bytes) -> str | None:
    """UTF-16 without a mark: half of the bytes of its commas and line ends are zero."""
    start = data[:_SAMPLE_BYTES]
    if b"\0" not in start or len(data) % 2:
        return None
    signs = (b",", b"\n", b"\r", b"\t", b";")
    for encoding, pairs in (
        ("utf-16-le", [sign + b"\0" for sign in signs]),
        ("utf-16-be", [b"\0" + sign for sign in signs]),
    ):
        units = {start[at : at + 2] for at in range(0, len(start) - 1, 2)}
        if units.intersection(pairs) and find_first_invalid_byte(data, encoding) is None:
            return encoding
    return None


def has_long_line(data: Bytes) -> bool:
    """Whether some line is longer than rows of a table are, so that it must not be read in full."""
    at = 0
    while len(data) - at > MAX_LINE_CHARS:
        end = data.rfind(b"\n", at, at + MAX_LINE_CHARS)
        if end < 0:
            end = data.rfind(b"\r", at, at + MAX_LINE_CHARS)
        if end < 0:
            return True
        at = end + 1
    return False


def _reject_mixed_encodings(data: Bytes, file: str) -> None:
    """Raises UsageError when some rows are UTF-8 and others, with signs of their own, are not."""
    certain, likely, others = 0, 0, 0
    first_utf8, first_other = None, None
    for match in _NON_ASCII_LINE_PATTERN.finditer(data):
        line = match[0]
        if not _can_decode(line, "utf-8"):
            others += 1
            first_other = match.start() if first_other is None else first_other
            continue
        chinese = len(_CHINESE_UTF8_PATTERN.findall(line))
        is_certain = chinese >= _MIN_CERTAIN_CHARS or (
            chinese > 0 and _is_implausible_chinese(line)
        )
        certain += is_certain
        likely += chinese > 0 and not is_certain
        if chinese and first_utf8 is None:
            first_utf8 = match.start()
    if first_utf8 is None or first_other is None:
        return
    if not certain and likely * 100 <= others:
        return
    mostly_utf8 = certain + likely >= others
    place, usual = (first_other, "utf-8") if mostly_utf8 else (first_utf8, "gb18030")
    row = find_row_number(data, place, usual)
    raise UsageError(
        "{file}, row {row}: this is the first of {rows:,} rows that are not {encoding} as the rest "
        "are, as when files are joined or bytes are damaged; save every part as UTF-8 and join "
        "them again",
        file=file,
        row=row,
        rows=min(others, certain + likely),
        encoding=usual.upper(),
    )


def _is_implausible_chinese(line: bytes) -> bool:
    """Whether a line of UTF-8 is neither GB 2312 nor Big5: read as GB18030 it has rare signs."""
    return not any(_can_decode(line, encoding) for encoding in ("gb2312", "big5"))


def _can_decode(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _detect_chinese_encoding(data: Bytes, file: str) -> str:
    """GB18030 or Big5, whichever makes of the bytes more of the characters in general use.

    A few names are too little for a general detector: of files with one name charset-normalizer
    knows one in six that are GBK, this share knows all. Where it can't tell, the file is refused.
    """
    sample = _sample_non_ascii_lines(data)
    shares = {
        encoding: _compute_common_char_share(sample, encoding) for encoding in _COMMON_CHAR_RANGES
    }
    most = max(shares.values())
    likely = [encoding for encoding, share in shares.items() if share == most]
    if most < _MIN_COMMON_CHAR_SHARE:
        raise _build_encoding_error(
            data, file, find_first_invalid_byte(data, "utf-8") or 0, "utf-8"
        )
    readable = [encoding for encoding in likely if find_first_invalid_byte(data, encoding) is None]
    if len(readable) > 1:
        raise UsageError(
            "{file} may be written in GB18030 or in Big5, and has too little text to tell; name "
            "the one with --encoding, or save the file as UTF-8",
            file=file,
        )
    return _validate_encoding(data, file, (readable or likely)[0])


def _sample_non_ascii_lines(data: Bytes) -> bytes:
    """Lines that are not ASCII, up to a quarter of a megabyte."""
    lines: list[bytes] = []
    size = 0
    for match in _NON_ASCII_LINE_PATTERN.finditer(data):
        lines.append(match[0])
        size += len(match[0])
        if size > _SAMPLE_BYTES:
            break
    return b"\n".join(lines)[:_SAMPLE_BYTES]


def _compute_common_char_share(sample: bytes, encoding: str) -> float:
    """Of the sample's characters beyond ASCII, the share in general use; broken ones are not."""
    first, last = _COMMON_CHAR_RANGES[encoding]
    signs = [sign for sign in sample.decode(encoding, errors="replace") if sign > "\x7f"]
    codes = [int.from_bytes(sign.encode(encoding, errors="ignore")) for sign in signs]
    return sum(first <= code <= last for code in codes) / max(len(codes), 1)
