"""JSON to rows of cells: a list of records, an object that holds one, or a record a line.

Numbers keep the digits that the file has; a list of values is one cell ("甲、乙"), a record JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from graph.errors import UsageError
from graph.messages import Message
from loaders.findings import REFUSED, REMARK, Finding

MAX_JSON_BYTES: Final = 16 << 20
MAX_JSON_RECORDS: Final = 500_000
_NESTED_REMARK = Message("this value is a list or a record; its parts stand in one cell")
_DUPLICATE_KEY_REMARK = Message(
    "the name {name} stands twice in this record; the last value is taken"
)
_BROKEN_LINE_REASON = Message("this line is no JSON record; mend it and load again")
_SIZE_MESSAGE = Message(
    "{file} is JSON of more than {most:,} bytes or {records:,} records; save it as CSV (UTF-8) or "
    "as Parquet",
    most=MAX_JSON_BYTES,
    records=MAX_JSON_RECORDS,
)


class _Record(dict[str, Any]):
    """A JSON object that knows which of its names stood twice."""

    twice: tuple[str, ...] = ()


def _build_record(pairs: list[tuple[str, Any]]) -> _Record:
    record = _Record(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        record.twice = tuple({name for name in names if names.count(name) > 1})
    return record


def _parse_json(text: str) -> Any:
    return json.loads(
        text,
        parse_int=str,
        parse_float=str,
        parse_constant=str,
        object_pairs_hook=_build_record,
    )


def parse_json_records(text: str, file: str) -> tuple[list[list[str]], list[Finding]] | None:
    """Rows of cells, the names of the columns first; None for text that is no JSON records.

    Raises UsageError for what is too large.
    """
    if len(text) > MAX_JSON_BYTES:
        raise UsageError(_SIZE_MESSAGE.with_values(file=file))
    findings: list[Finding] = []
    try:
        records = _find_records(_parse_json(text))
    except (ValueError, RecursionError):
        records = _parse_record_lines(text, file, findings)
    if not records:
        return None
    if len(records) > MAX_JSON_RECORDS:
        raise UsageError(_SIZE_MESSAGE.with_values(file=file))
    if all(isinstance(record, list) for record in records):
        return [[_format_value(cell) for cell in record] for record in records], findings
    if not all(record is None or isinstance(record, _Record) for record in records):
        return None
    return _build_record_rows(records, file, findings), findings


def _find_records(value: Any) -> list[Any]:
    """The list of records: the value itself, or the one list of an object."""
    if isinstance(value, list):
        return value
    lists = [part for part in value.values() if isinstance(part, list) and part]
    if len(lists) == 1 and all(isinstance(part, dict) for part in lists[0]):
        return list(lists[0])
    inside = [part for part in value.values() if isinstance(part, dict)]
    if len(inside) == 1 and not any(isinstance(part, dict) for one in lists for part in one):
        return _find_records(inside[0])
    # Records under their numbers, as genealogies have them: {"18231": {"id": 18231, ...}, ...}.
    if len(inside) > 1 and len(inside) == len(value):
        return inside
    return [value]


def _parse_record_lines(text: str, file: str, findings: list[Finding]) -> list[Any]:
    """A record a line; lines that are none are refused. None of them is: no records."""
    records: list[Any] = []
    good = 0
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.rstrip()), 2):
        try:
            record = _parse_json(line) if line.strip() else None
        except (ValueError, RecursionError):
            findings.append((file, number, "", "", _BROKEN_LINE_REASON, REFUSED))
            record = None
        good += isinstance(record, _Record)
        records.append(record)
    if good * 2 < len(records):
        findings.clear()
        return []
    return records


def _build_record_rows(
    records: list[_Record | None], file: str, findings: list[Finding]
) -> list[list[str]]:
    names: dict[str, int] = {}
    for record in records:
        for name in record or ():
            names.setdefault(name, len(names))
    rows = [list(names)]
    for number, record in enumerate(records, 2):
        cells = [""] * len(names)
        for name, value in (record or {}).items():
            cells[names[name]] = _format_value(value)
            if isinstance(value, list | dict) and value:
                findings.append((file, number, name, "", _NESTED_REMARK, REMARK))
        for name in record.twice if record is not None else ():
            reason = _DUPLICATE_KEY_REMARK.with_values(name=name)
            findings.append((file, number, name, "", reason, REMARK))
        rows.append(cells)
    return rows


def _format_value(value: Any) -> str:
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return "、".join(map(_format_value, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
