"""Further words for codes and places, as departments write them, beside those of the vocabularies.

A word stands here only where it can mean nothing else: 省部级 is either of two grades, so it is not
taken. Levels have a module of their own (`loaders.mapping.level_words`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from graph.model.vocabularies import (
    BASES,
    GRADES,
    MENTORSHIP_KINDS,
    MENTORSHIP_STATUSES,
    PROVINCES,
    RECOGNITION_MODES,
    SEXES,
    STUDIO_KINDS,
    Choices,
)

_RANK_WORDS: Final = {"冠军": 1, "亚军": 2, "季军": 3, "金牌": 1, "银牌": 2, "铜牌": 3}
_RANK_PATTERN: Final = re.compile(
    r"第?([0-9]{1,4}|[一二三四五六七八九]|十|十[一二三四五六七八九])名?"
)
# Cities and prefectures of GB/T 2260, and counties that provinces govern themselves.
DIVISIONS_FILE: Final = Path(__file__).with_name("divisions.csv")
AUTONOMOUS_REGION_NAMES: Final = {
    "15": "内蒙古自治区",
    "45": "广西壮族自治区",
    "54": "西藏自治区",
    "64": "宁夏回族自治区",
    "65": "新疆维吾尔自治区",
    "81": "香港特别行政区",
    "82": "澳门特别行政区",
}
_MUNICIPALITY_CODES: Final = ("11", "12", "31", "50")
_PROVINCE_SIGNS: Final = dict(
    zip(
        "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川黔滇藏陕甘青宁新台港澳",
        PROVINCES,
        strict=True,
    )
)
_FURTHER_PROVINCE_WORDS: Final = {"内蒙": "15", "新疆生产建设兵团": "65", "兵团": "65"}
# The words of each vocabulary, by code.
_FURTHER_WORDS: Final[tuple[tuple[Choices, Mapping[str, tuple[str, ...]]], ...]] = (
    # The digits are those of GB/T 2261.1; 0 and 9 say that nothing is known.
    (SEXES, {"male": ("男性", "1", "m", "先生"), "female": ("女性", "2", "f", "女士")}),
    (
        GRADES,
        {
            "national": ("国家", "全国", "国家级一类", "国家级二类", "国家一类", "国家二类"),
            "ministerial": ("部委级", "国家部委级"),
            "provincial": ("省", "全省", "省级一类", "省级二类", "省一类", "省二类", "自治区级"),
            "municipal": ("市", "全市", "地市级", "市级一类", "市级二类"),
            "enterprise": ("企业", "公司级", "集团级"),
        },
    ),
    (
        RECOGNITION_MODES,
        {
            "assessed": ("职业技能等级认定", "技能等级认定", "职业技能鉴定", "技能鉴定", "鉴定"),
            "direct": ("直接",),
            "exceptional": ("破格", "破格认定"),
        },
    ),
    (
        MENTORSHIP_KINDS,
        {
            "apprenticeship": ("新型学徒制", "企业新型学徒制", "现代学徒制", "中国特色学徒制"),
            "famous_teacher": ("名师带高徒", "名师带徒制"),
        },
    ),
    (
        MENTORSHIP_STATUSES,
        {
            "ongoing": ("未出师", "在带", "履行中", "在学", "培养中", "在徒", "否"),
            "completed": ("出师", "已结业", "期满出师", "是"),
            "ended": ("终止", "解除", "已解除", "中止"),
        },
    ),
    (
        STUDIO_KINDS,
        {
            "skill_master": ("首席技师工作室", "技能大师"),
            "model_worker_innovation": (
                "劳模创新工作室",
                "劳模工作室",
                "职工创新工作室",
                "劳模(工匠)创新工作室",
                "职工(劳模、工匠)创新工作室",
            ),
        },
    ),
    (
        BASES,
        {
            "national_model_worker": ("全国劳模",),
            "china_skills_award": ("中华技能大奖获得者",),
            "national_technical_expert": ("全国技术能手称号", "全国技术能手获得者"),
            "national_may_day_medal": ("全国五一劳动奖章获得者",),
            "government_allowance": (
                "国务院政府特殊津贴",
                "享受政府特殊津贴",
                "享受国务院政府特殊津贴",
                "享受国务院政府特殊津贴专家",
                "享受国务院政府特殊津贴人员",
                "国务院特殊津贴",
            ),
        },
    ),
)


def parse_rank(text: str) -> str | None:
    """第一名, 冠军, 金牌 as a place; None for a prize, which several may have (一等奖)."""
    plain = re.sub(r"\s", "", text)
    if plain in _RANK_WORDS:
        return str(_RANK_WORDS[plain])
    matched = _RANK_PATTERN.fullmatch(plain)
    if matched is None:
        return None
    sign = matched[1]
    if sign.isdigit():
        return str(int(sign))
    ones = "一二三四五六七八九".find(sign[-1]) + 1
    return str(ones + (10 if sign[0] == "十" else 0))


def list_choice_words(choices: Choices) -> dict[str, str]:
    """Word -> code of a vocabulary, its own names and codes among them."""
    words = {word: code for code, names in choices.items() for word in (code, *names)}
    for known, further in _FURTHER_WORDS:
        if known == choices:
            words |= {word: code for code, said in further.items() for word in said}
    return words


def find_province(text: str) -> str | None:
    """The code of the province that a place is in (江苏省南京市, 320100, 苏); else None."""
    plain = re.sub(r"\s", "", text)
    if matched := re.fullmatch(r"(\d{2})(?:\d{4}|\d{7}|\d{10})?(?:\.0)?", plain):
        return matched[1] if matched[1] in PROVINCES else None
    word = plain.casefold()
    if word in _PROVINCE_WORDS:
        return _PROVINCE_WORDS[word]
    full = (code for name, code in _FULL_PROVINCE_NAMES.items() if word.startswith(name))
    return next(full, None) or _load_cities().get(word)


@cache
def _load_cities() -> dict[str, str]:
    """Cities and prefectures, also without 市 and 地区, to their provinces; none that two have."""
    found: dict[str, set[str]] = {}
    with DIVISIONS_FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row["name"]
            for word in {name, name.removesuffix("市"), name.removesuffix("地区")}:
                if len(word) > 1:
                    found.setdefault(word, set()).add(row["code"][:2])
    return {name: min(codes) for name, codes in found.items() if len(codes) == 1}


def _get_full_province_name(code: str) -> str:
    ending = "市" if code in _MUNICIPALITY_CODES else "省"
    return AUTONOMOUS_REGION_NAMES.get(code, PROVINCES[code][1] + ending)


_FULL_PROVINCE_NAMES: Final = {_get_full_province_name(code): code for code in PROVINCES}
_PROVINCE_WORDS: Final = {
    **_PROVINCE_SIGNS,
    **_FURTHER_PROVINCE_WORDS,
    **{
        word: code
        for code, (en, zh) in PROVINCES.items()
        for word in (en.casefold().replace(" ", ""), zh, _get_full_province_name(code))
    },
}


@cache
def list_division_words() -> tuple[str, ...]:
    """Names of provinces and cities, with and without 省 and 市, the longest first."""
    words = {word for word in _PROVINCE_WORDS if len(word) > 1 and not word.isascii()}
    return tuple(sorted(words | set(_load_cities()), key=lambda word: (-len(word), word)))
