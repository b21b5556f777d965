"""What a file is, by its content: its name is often another's."""

from __future__ import annotations

import re
import zipfile
from enum import Enum
from typing import BinaryIO, Final

from graph.messages import Words


class FileKind(Enum):
    """The kinds of files that are read, each by its own reader."""

    EMPTY = "empty"
    TEXT = "text"
    WEB_PAGE = "web page"
    SPREADSHEET_XML = "spreadsheet xml"
    JSON = "json"
    GEDCOM = "gedcom"
    GZIP = "gzip"
    ZIP = "zip"
    PARQUET = "parquet"
    XLSX = "xlsx"
    XLSB = "xlsb"
    XLS = "xls"
    ODS = "ods"
    ENCRYPTED_WORKBOOK = "encrypted workbook"


_START_BYTES: Final = 1 << 16
_OLE_MARK: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Kinds that hold no table this program reads: their first bytes, and what to call them.
_OTHER_KINDS: Final = (
    (b"%PDF", Words("a PDF", "PDF 文件")),
    (b"\x89PNG", Words("a picture", "图片")),
    (b"\xff\xd8\xff", Words("a picture", "图片")),
    (b"GIF8", Words("a picture", "图片")),
    (b"BM", Words("a picture", "图片")),
    (b"Rar!", Words("a RAR archive", "RAR 压缩文件")),
    (b"7z\xbc\xaf", Words("a 7z archive", "7z 压缩文件")),
    (b"BZh", Words("a bzip2 file", "bzip2 压缩文件")),
    (b"\xfd7zXZ", Words("an xz file", "xz 压缩文件")),
    (b"\x28\xb5\x2f\xfd", Words("a zstd file", "zstd 压缩文件")),
    (b"MIME-Version:", Words("a web archive (.mht)", "网页归档（.mht）")),
    (b"SQLite format 3", Words("a database (SQLite)", "SQLite 数据库")),
    (b"{\\rtf", Words("a document (.rtf)", "文档（.rtf）")),
    (b"\x09\x00\x04\x00", Words("a workbook of Excel 2", "Excel 2 工作簿")),
    (b"\x09\x02\x06\x00", Words("a workbook of Excel 3", "Excel 3 工作簿")),
    (b"\x09\x04\x06\x00", Words("a workbook of Excel 4", "Excel 4 工作簿")),
)
_WEB_PAGE_PATTERN: Final = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|meta|table|body|div)",
    re.IGNORECASE | re.DOTALL,
)
_SPREADSHEET_XML_PATTERN: Final = re.compile(
    rb"\s*<\?xml.*?<(?:\w+:)?Workbook\b.*?urn:schemas-microsoft-com:office:spreadsheet", re.DOTALL
)
_GEDCOM_PATTERN: Final = re.compile(rb"\s*0[ \t]+HEAD\s")
_JSON_PATTERN: Final = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\[{\]])")


def detect_file_kind(stream: BinaryIO) -> FileKind | Words:
    """The kind of a file's content; `Words` for one that holds no table that is read."""
    stream.seek(0)
    start = stream.read(_START_BYTES)
    stream.seek(0)
    if not start:
        return FileKind.EMPTY
    if start.startswith(b"\x1f\x8b"):
        return FileKind.GZIP
    if start.startswith(b"PAR1"):
        return FileKind.PARQUET
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _detect_zip_kind(stream)
    if start.startswith(_OLE_MARK):
        return _detect_ole_kind(stream)
    if start[257:262] == b"ustar":
        return Words("a tar archive", "tar 压缩文件")
    for first, words in _OTHER_KINDS:
        if start.startswith(first) and (first != b"BM" or b"\0" in start[:16]):
            return words
    return _detect_text_kind(start)


def _detect_text_kind(start: bytes) -> FileKind | Words:
    plain = start.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf")
    plain = plain.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    if _GEDCOM_PATTERN.match(plain):
        return FileKind.GEDCOM
    if _SPREADSHEET_XML_PATTERN.match(plain):
        return FileKind.SPREADSHEET_XML
    if _WEB_PAGE_PATTERN.match(plain):
        return FileKind.WEB_PAGE
    if plain.lstrip().startswith(b"<?xml"):
        return Words("an XML file", "XML 文件")
    return FileKind.JSON if _JSON_PATTERN.match(plain) else FileKind.TEXT


def _detect_zip_kind(stream: BinaryIO) -> FileKind | Words:
    try:
        with zipfile.ZipFile(stream) as archive:
            names = {name.lstrip("/").lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return FileKind.ZIP
    finally:
        stream.seek(0)
    if "[content_types].xml" in names:
        return _detect_office_kind(names)
    if {"content.xml", "mimetype"} <= names:
        return FileKind.ODS
    return FileKind.ZIP


def _detect_office_kind(names: set[str]) -> FileKind | Words:
    """The kind of an Office file by its parts."""
    if "xl/workbook.bin" in names:
        return FileKind.XLSB
    if any(name.startswith("word/") for name in names):
        return Words("a document (.docx)", "Word 文档（.docx）")
    if any(name.startswith("ppt/") for name in names):
        return Words("a presentation (.pptx)", "演示文稿（.pptx）")
    return FileKind.XLSX


def _detect_ole_kind(stream: BinaryIO) -> FileKind | Words:
    """An OLE file is a workbook, an encrypted one, or a document: its folder names the parts."""
    content = stream.read(1 << 26)
    stream.seek(0)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return FileKind.ENCRYPTED_WORKBOOK
    if "WordDocument".encode("utf-16-le") in content:
        return Words("a document (.doc)", "Word 文档（.doc）")
    if "PowerPoint Document".encode("utf-16-le") in content:
        return Words("a presentation (.ppt)", "演示文稿（.ppt）")
    return FileKind.XLS
