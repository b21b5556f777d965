"""What the title of a list says of all its rows: year, batch, grade, who reports it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loaders.traditional_forms import simplify_characters

_YEAR_PATTERN: Final = re.compile(r"(?<!\d)((?:19|20)\d{2})\s*(?:年度|年|届)")
_BATCH_PATTERN: Final = re.compile(r"第([一二三四五六七八九十\d]+)批")
_DEPARTMENT_PATTERN: Final = re.compile(
    r"(?:填报单位|报送单位|填报部门|申报单位|报送部门|填表单位)\s*(?:\(盖章\)|盖章)?\s*[::]\s*([^\s:]+?)\s*(?:\(盖章\)|$|\s)"
)
_GRADES: Final = (
    ("national", re.compile("国家级|全国")),
    ("ministerial", re.compile("部级")),
    ("provincial", re.compile("省级|全省|(?<![部])省.*(?:厅|总工会)|自治区级|全区")),
    ("municipal", re.compile("市级|全市")),
)


@dataclass(frozen=True)
class TitleFacts:
    """`grade` is a code of `GRADES`; "" and None for what the title does not say."""

    year: int | None = None
    batch: str = ""
    grade: str = ""
    department: str = ""


def read_titles(titles: Sequence[str]) -> TitleFacts:
    """What stands in the rows above the header. Two years in them are none."""
    text = " ".join(_simplify_title(title) for title in titles)
    head = next((t for t in titles if len(t) > 4 and ":" not in t.replace("：", ":")), text)
    head = _simplify_title(head)
    years = set(_YEAR_PATTERN.findall(head))
    batches = set(_BATCH_PATTERN.findall(text))
    departments = [name for title in titles if (name := _find_department(title))]
    return TitleFacts(
        year=int(years.pop()) if len(years) == 1 else None,
        batch=batches.pop() if len(batches) == 1 else "",
        grade=next((code for code, pattern in _GRADES if pattern.search(head)), ""),
        department=departments[0] if departments else "",
    )


def _simplify_title(title: str) -> str:
    return simplify_characters(unicodedata.normalize("NFKC", title))


def _find_department(title: str) -> str:
    """Who reports the list, in the characters of the title; "" where it does not say."""
    plain = unicodedata.normalize("NFKC", title)
    simple = simplify_characters(plain)
    matched = _DEPARTMENT_PATTERN.search(simple)
    if matched is None:
        return ""
    return plain[slice(*matched.span(1))] if len(plain) == len(simple) else matched[1]
