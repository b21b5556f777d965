"""Where a command's answer goes, and in which format: a file, stdout or the terminal.

Everything that can be wrong with the options is found before anything is computed or started.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cli.state import CommandState
from graph.atomic import write_file_atomically
from graph.audit.log import record_event
from graph.errors import UsageError
from graph.messages import AnyOf, Language, Words
from graph.system_errors import not_written

if TYPE_CHECKING:
    import polars as pl

    from graph.cypher.named_queries import Table
    from graph.tabular import About, Encoding, Format

TABLE_FORMATS = {name: name for name in ("csv", "json", "parquet", "xlsx")}
# A network as CSV is two tables and what they depend on, in a zip.
NETWORK_FORMAT_BY_ENDING = {"graphml": "graphml", "gexf": "gexf", "json": "json", "zip": "csv"}
BINARY_FORMATS = ("parquet", "xlsx")
TERMINAL_FORMAT = "table"  # columns for people, or lines with tabulators when piped
STDOUT_PATH = Path("-")
# Column -> its words in English and Chinese.
ColumnLabels = Mapping[str, tuple[str, str]]
# Formats that have no place for what the figures depend on: it goes into FILE.about.json.
FORMATS_WITHOUT_ABOUT = ("csv",)


@dataclass(frozen=True)
class Output:
    """Where a table goes. `path` None is stdout; `encoding` None is the usual one there.

    `labels`: the language in which heads are words, None = machine names.
    """

    format: str
    path: Path | None = None
    encoding: Encoding | None = None
    labels: Language | None = None

    @classmethod
    def chosen(
        cls,
        default: str,
        *,
        output: Path | None = None,
        format: str | None = None,
        as_json: bool = False,
        force: bool = False,
        encoding: Encoding | None = None,
        labels: Language | None = None,
    ) -> Output:
        """The output that options of the command line ask for.

        The format is the one named, else that of the file's ending, else `default`. Raises
        `UsageError` for an ending that names none, for a file that cannot be written or that
        stands there already, and for a binary format on a terminal.
        """
        path = None if output is None or output == STDOUT_PATH else output
        wanted = (
            "json" if as_json else format or detect_output_format(path, TABLE_FORMATS) or default
        )
        wanted = "csv" if wanted == TERMINAL_FORMAT and path is not None else wanted
        if encoding is not None and wanted != "csv":
            raise UsageError("--encoding is for csv, and the output is {format}", format=wanted)
        if path is not None:
            beside = (
                [_build_about_path(path)]
                if wanted in FORMATS_WITHOUT_ABOUT and not _is_device_file(path)
                else []
            )
            check_paths_writable([path, *beside], force=force)
        elif wanted in BINARY_FORMATS and (output is None or sys.stdout.isatty()):
            raise UsageError("{format} is not for a terminal; name a file with -o", format=wanted)
        return cls(wanted, path, encoding, labels)

    def write(
        self,
        table: pl.DataFrame,
        about: About,
        words: ColumnLabels | None = None,
        decimals: int | None = 6,
    ) -> None:
        """The table with what it depends on; `words` are its columns' in both languages."""
        from graph.tabular import render_table_bytes

        named = table.rename(self._heads(table.columns, words or {}))
        encoding = self.encoding or ("utf-8" if self.path is None else "utf-8-sig")
        format = cast("Format", self.format)
        self._put(
            render_table_bytes(named, format, about, encoding=encoding, decimals=decimals), about
        )

    def write_answer(self, answer: Table, about: About, words: ColumnLabels | None = None) -> None:
        """The rows of a query: columns on a terminal, JSON as a list of objects."""
        from graph.tabular import build_frame_from_rows, format_json

        heads = list(self._heads(answer.columns, words or {}).values())
        if self.format == TERMINAL_FORMAT:
            print_table(heads, answer.rows)
        elif self.format == "json":
            rows = [dict(zip(heads, row, strict=True)) for row in answer.rows]
            self._put((format_json(rows, indent=1) + "\n").encode(), about, beside=True)
        else:
            self.write(
                build_frame_from_rows(answer.columns, answer.rows), about, words, decimals=None
            )

    def write_json(self, value: object) -> None:
        """A value that is no table, as JSON; it holds what it depends on."""
        from graph.tabular import format_json

        self._put((format_json(value, indent=1) + "\n").encode(), None)

    def _heads(self, columns: Sequence[str], words: ColumnLabels) -> dict[str, str]:
        """Each column's head; where two would have the same words, the name stands beside."""
        if self.labels is None:
            return {column: column for column in columns}
        place = int(self.labels == "zh")
        heads_by_column = {c: words[c][place] if c in words else c for c in columns}
        heads = list(heads_by_column.values())
        return {c: f"{h} ({c})" if heads.count(h) > 1 else h for c, h in heads_by_column.items()}

    def _put(self, content: bytes, about: About | None, *, beside: bool = False) -> None:
        from graph.tabular import format_json

        if self.path is None:
            record_cli_export(self.format)
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        write_output_file(self.path, content)
        beside = (beside or self.format in FORMATS_WITHOUT_ABOUT) and not _is_device_file(self.path)
        if about is not None and beside:
            sidecar = format_json(about.as_json(), indent=1) + "\n"
            write_output_file(_build_about_path(self.path), sidecar.encode())


def _build_about_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.about.json")


def detect_output_format(path: Path | None, endings: Mapping[str, str]) -> str | None:
    """The format of the file's ending; None without a file. Raises `UsageError` for another."""
    if path is None or _is_device_file(path):
        return None
    _check_no_folder(path)
    ending = path.suffix[1:].lower()
    if ending not in endings:
        raise UsageError(
            "{path} does not say its format; end it with {known}, or give --format",
            path=path,
            known=AnyOf(f".{name}" for name in endings),
        )
    return endings[ending]


def _is_device_file(path: Path) -> bool:
    """Whether it is there and no file or folder: /dev/null, a pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _check_no_folder(path: Path) -> None:
    if path.is_dir():
        raise UsageError("{path} is a folder; name a file in it", path=path)


def check_paths_writable(paths: Sequence[Path], *, force: bool) -> None:
    """Raises `UsageError` where a file could not be written, or stands there without `force`."""
    for path in paths:
        _check_no_folder(path)
        if not path.parent.is_dir():
            raise UsageError(
                "{path} cannot be written: there is no folder {folder}; make it first",
                path=path,
                folder=path.parent,
            )
        if path.is_file() and not force:
            raise UsageError(
                "{path} is there already; take another name, or --force to overwrite it", path=path
            )


def record_cli_export(format: str) -> None:
    """Adds a line to the audit log: this command gives data away in this format."""
    home = CommandState.settings.home
    record_event(home, "export", what=CommandState.command, format=format)


def write_output_file(path: Path, content: bytes | Callable[[Path], object]) -> None:
    """Writes a file atomically; `content` may be a function that writes it to a path.

    Raises `ShichengError` when the disk does not take it, `AuditError` when the export cannot be
    logged; then nothing is written.
    """
    record_cli_export(path.suffix[1:].lower())
    opened = nullcontext(path) if _is_device_file(path) else write_file_atomically(path)
    try:
        with opened as making:
            if isinstance(content, bytes):
                making.write_bytes(content)
            else:
                content(making)
    except OSError as error:
        raise not_written(path, error) from None


# --- stdout -----------------------------------------------------------------------------------


class _Stdout(io.FileIO):
    """The command's stdout; what does not take the answer is said, not taken for a defect."""

    def write(self, content: Any) -> int:
        """As a file's; a reader that has had enough stays a `BrokenPipeError`."""
        try:
            return super().write(content)
        except BrokenPipeError:
            raise
        except OSError as error:
            leave_stdout()
            raise not_written(Words("stdout", "标准输出"), error) from None


def watch_stdout() -> None:
    """Has every command's writing to stdout end in a sentence where it fails."""
    if sys.stdout is None:  # it was closed
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        return
    lines = sys.stdout.isatty()
    stream = io.BufferedWriter(_Stdout(sys.stdout.fileno(), "wb", closefd=False))
    sys.stdout = io.TextIOWrapper(
        stream, sys.stdout.encoding, sys.stdout.errors, line_buffering=lines
    )


def leave_stdout() -> None:
    """What is still to be written goes nowhere, the rest at the program's end too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


# --- the terminal -----------------------------------------------------------------------------


def print_json(value: object) -> None:
    """`value` on stdout, as JSON with Chinese as it is."""
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """A table for people on a terminal; lines with tabulators when piped."""
    from graph.tabular import format_cell, render_tab_line

    if not sys.stdout.isatty():
        print(render_tab_line(columns))
        for row in rows:
            print(render_tab_line(row))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Columns

    table = Columns(title=title or None)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(escape(format_cell(cell)) for cell in row))
    Console().print(table)


def check_utf8(arguments: Sequence[str]) -> None:
    """Raises `UsageError` for an argument that is not UTF-8, which neither Neo4j nor JSON take."""
    for place, text in enumerate(arguments, 1):
        if not text.isprintable() and any("\ud800" <= sign <= "\udfff" for sign in text):
            raise UsageError(
                "argument {place} is not valid UTF-8: {text}", place=place, text=ascii(text)
            )
