"""How two records agree, in words: fields, levels, and how much each says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graph.messages import Message, Words

FIELD_WORDS: Final[dict[str, Words]] = {
    "name": Words("name", "姓名"),
    "birth": Words("birth date", "出生日期"),
    "sex": Words("sex", "性别"),
    "employer": Words("employer", "工作单位"),
    "occupation": Words("occupation", "职业"),
    "province": Words("province", "省份"),
    "certificate": Words("certificate number", "证书编号"),
}
LEVEL_WORDS: Final[dict[str, Words]] = {
    "same": Words("the same", "相同"),
    "same_sound": Words("written apart, sounds the same", "写法不同、读音相同"),
    "one_character": Words("one character differs", "相差一字"),
    "one_of_two": Words("one of two characters differs", "两字中相差一字"),
    "same_year": Words("the same year, no day stated", "同年，未填月日"),
    "slip": Words("differs by a slip", "疑似笔误"),
    "near": Words("less than a month apart", "相差不到一个月"),
    "earlier": Words("the same at another time", "曾在同一单位"),
    "same_there": Words("the same, as others at that employer", "相同（同单位常见）"),
    "same_group": Words("the same group", "同类"),
    "different": Words("different", "不同"),
}
# Bits from which a field speaks strongly, or at all.
STRONG_BITS, WEAK_BITS = 8.0, 3.0


def list_field_agreements(pair: Mapping[str, Any]) -> tuple[list[Words], list[Words]]:
    """What speaks for one person, and what against, the strongest first."""
    found = sorted(
        (field for field in FIELD_WORDS if pair.get(field) is not None),
        key=lambda field: -abs(pair[f"{field}_bits"] or 0.0),
    )
    said = {field: describe_agreement(field, pair[field]) for field in found}
    alike = [said[field] for field in found if (pair[f"{field}_bits"] or 0.0) >= 0]
    apart = [said[field] for field in found if (pair[f"{field}_bits"] or 0.0) < 0]
    return alike, apart


def describe_agreement(field: str, level: str) -> Words:
    """One field's agreement."""
    name, how = FIELD_WORDS[field], LEVEL_WORDS[level]
    return Words(f"{name.en}: {how.en}", f"{name.zh}：{how.zh}")


def describe_weight(bits: float) -> Message:
    """How much so many bits say, for or against."""
    if bits >= STRONG_BITS:
        return Message("speaks strongly for one person")
    if bits >= WEAK_BITS:
        return Message("speaks for one person")
    if bits >= 0:
        return Message("says little")
    return Message("speaks against it")
