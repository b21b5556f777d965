"""起止时间 in one cell: a first and a last day."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import polars as pl

_DAY: Final = (
    r"(?:\d{4}\s*年\s*(?:\d{1,2}\s*月(?:\s*\d{1,2}\s*日)?)?"
    r"|\d{8}|\d{6}|\d{4}(?:[-/.]\d{1,2}(?:[-/.]\d{1,2})?)?)"
)
_OPEN_END: Final = r"至今|今|现在|长期|present|now"
_BETWEEN: Final = r"\s*(?:[-—–―~～]+|至|到|to)\s*"
_PERIOD_PATTERN: Final = re.compile(
    rf"(?:自|从)?\s*({_DAY})(?:(?:起?{_BETWEEN})({_DAY}|{_OPEN_END})?|起)?\s*(?:止)?"
)
# How long it is, which the two days say too: 2024.3-2026.3（两年）, 共2年.
_LENGTH_PATTERN: Final = re.compile(
    r"[\s,;]*(?:\((?:共|计|期限)?[\d一二三四五六七八九十两]+(?:年|个月)\)|共[\d一二三四五六七八九十两]+(?:年|个月))$"
)
_OPEN_PATTERN: Final = re.compile(rf"(?:自|从)?\s*({_DAY})\s*起?\s*(?:{_OPEN_END})")


def split_period(text: str) -> tuple[str, str] | None:
    """First and last day as they are written, the last "" or 至今 where it is open; None for what
    is no period. `2013.09-2018.07` is one; `2024-05` is a month alone, and so its first day.
    """
    plain = _LENGTH_PATTERN.sub("", unicodedata.normalize("NFKC", text).strip())
    if matched := _OPEN_PATTERN.fullmatch(plain):
        return matched[1].strip(), "至今"
    for start, end in _iterate_splits(plain):
        return start, "至今" if re.fullmatch(_OPEN_END, end) else end
    return None


def _iterate_splits(plain: str) -> list[tuple[str, str]]:
    """The one way to part the text; a text that is a day by itself is not parted."""
    if re.fullmatch(_DAY, plain):
        return [(plain, "")]
    matched = _PERIOD_PATTERN.fullmatch(plain)
    return [] if matched is None else [(matched[1].strip(), (matched[2] or "").strip())]


def split_periods(cells: pl.Series) -> pl.DataFrame:
    """`start` and `end` of each cell, null where there is none; a cell that is no period stands in
    `start` as it is, so that the check of dates names it."""
    parts = [None if text is None else (split_period(text) or (text, "")) for text in cells]
    return pl.DataFrame(
        {
            "start": [None if part is None else part[0] for part in parts],
            "end": [None if part is None else part[1] or None for part in parts],
        },
        schema={"start": pl.String, "end": pl.String},
    )
