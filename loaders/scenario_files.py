"""Scenarios in files: JSON as the app writes it, or a table of changes in a workbook or CSV."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from graph.errors import UsageError
from graph.scenario.changes import (
    FIELD_WORDS,
    Change,
    Scenario,
    parse_changes,
    parse_scenario,
    parse_scenario_name,
)
from loaders.readers.sheet import Sheet
from loaders.readers.sheets import read_sheets

T = TypeVar("T")
MAX_SCENARIO_BYTES: Final = 20_000_000


def read_scenario_file(path: Path, name: str | None = None) -> Scenario:
    """The scenario of a file, under `name` or else under the file's own.

    Raises `UsageError` that names file, row and column of what is wrong.
    """
    if path.suffix.lower() == ".json":
        found = _read_json_scenario(path)
        return found.renamed(parse_scenario_name(name)) if name else found
    sheets = [sheet for sheet in read_sheets(path) if isinstance(sheet, Sheet)]
    if not sheets:
        raise UsageError("{file} holds no table of changes.", file=path.name)
    return Scenario(parse_scenario_name(name or path.stem), _parse_sheet(sheets[0]))


def _read_json_scenario(path: Path) -> Scenario:
    try:
        if path.stat().st_size > MAX_SCENARIO_BYTES:
            raise UsageError(
                "{file} is larger than {mb:.0f} MB: split the scenario.",
                file=path.name,
                mb=MAX_SCENARIO_BYTES / 1e6,
            )
        stated = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UsageError(
            "{file} cannot be read as JSON in UTF-8: export the scenario again.", file=path.name
        ) from error
    if not isinstance(stated, dict):
        raise UsageError("{file} holds no scenario: export it again.", file=path.name)
    return _say_file(path.name, lambda: parse_scenario(stated))


def _parse_sheet(sheet: Sheet) -> tuple[Change, ...]:
    heads, *rows = sheet.cells.drop("_row").rows() or [()]
    numbers = sheet.cells["_row"].to_list()[1:]
    names = [_find_field(head) for head in heads]
    unknown = [head for head, name in zip(heads, names, strict=True) if head and name is None]
    if unknown or "change" not in names:
        raise UsageError(
            "{file}: the first row must hold the names of columns, `change` among them; known are "
            "{known}.",
            file=sheet.file,
            known=", ".join(FIELD_WORDS),
        )
    records = [
        {name: cell for name, cell in zip(names, row, strict=True) if name is not None}
        for row in rows
    ]
    return _say_file(sheet.file, lambda: parse_changes(records, numbers))


def _find_field(head: str | None) -> str | None:
    text = (head or "").strip()
    for name, words in FIELD_WORDS.items():
        if text.lower() in (name, words.en.lower()) or text == words.zh:
            return name
    return None


def _say_file(file: str, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except UsageError as error:
        raise UsageError(
            "{file} holds a wrong change: {error}", file=file, error=error.message
        ) from error
