"""What the title of a list says of all its rows: year, batch, grade, who reports it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loaders.traditional_forms import simplify_characters

_YEAR_PATTERN: Final = re.compile(r"(?<!\d)((?:19|20)\d{2})\s*(?:年度|年|届)")
_NUMERAL_YEAR_PATTERN: Final = re.compile(
    "(?:二[〇零○Oo]|一九)[〇零○Oo一二三四五六七八九]{2}(?=年)"
)
_NUMERAL_DIGITS: Final = str.maketrans("〇零○Oo一二三四五六七八九", "00000123456789")
_BATCH_PATTERN: Final = re.compile(r"第([一二三四五六七八九十\d]+)批")
_DEPARTMENT_PATTERN: Final = re.compile(
    r"(?:填报单位|报送单位|填报部门|申报单位|报送部门|填表单位)\s*(?:\(盖章\)|盖章)?\s*[::]\s*([^\s:]+?)\s*(?:\(盖章\)|$|\s)"
)
# A title row that is nothing but the name of an office: who reports the list.
_OFFICE_PATTERN: Final = re.compile(
    r"[\u4e00-\u9fff]{2,20}(?:总工会|人力资源和社会保障[厅局]|人社[厅局]|教育[厅局]|国资委"
    r"|国有资产监督管理委员会)(?:\(盖?章?\))?"
)
# What stands between what a title states and the word for a list: 特级技师评聘人员名单.
_LIST_WORDS: Final = (
    r"(?:评聘|聘任|评审|认定|考评|评选|评定|入选|当选|获奖|获得|荣获|获评|合格|通过|晋升|奖励|表彰)*(?:人员|人选|者|人才|个人|对象|得主)*"
    r"(?:基本)?(?:信息|情况)?(?:公示|统计|汇总)?(?:名单|名册|花名册|一览表|汇总表|登记表|台账|统计表|信息表|表)"
)
_LEVEL_TITLE_PATTERN: Final = re.compile(
    rf"(首席技师|特级技师|高级技师|技师|高级工|中级工|初级工){_LIST_WORDS}"
)
_LEVEL_WORD_PATTERN: Final = re.compile(
    "首席技师|特级技师|高级技师|技师(?!学院)|高级工|中级工|初级工"
)
_PLACE: Final = (
    r"(?:全国|中华|国务院|(?:(?!年|年度|届|批|第)[\u4e00-\u9fff]){2,8}?(?:省|市|自治区|县|区))?"
)
_HONOUR_WORDS: Final = "五一劳动奖章|技术能手|劳动模范|先进工作者|技能大奖|政府特殊津贴"
_HONOUR_TITLE_PATTERN: Final = re.compile(
    rf"(?:享受)?({_PLACE}(?:{_HONOUR_WORDS}))(?:称号)?{_LIST_WORDS}"
)
_COMPETITION_TITLE_PATTERN: Final = re.compile(
    r"(.{2,60}?(?:大赛|竞赛|比赛|技能赛|比武)(?:总?决赛|.{0,20}?赛区|.{0,20}?(?:赛项|项目))?)"
    r"(?:获奖|成绩|名次|竞赛结果|结果|优胜|排名).{0,12}(?:名单|表|公示|名册|台账)"
)
# The constant of a mapping that is what the title of each list states, not of the first one alone.
TITLE_MARK: Final = "{title}"
_GRADES: Final = (
    ("national", re.compile("国家级|全国")),
    ("ministerial", re.compile("部级")),
    ("provincial", re.compile("省级|全省|(?<![部])省.*(?:厅|总工会)|自治区级|全区")),
    ("municipal", re.compile("市级|全市")),
)


@dataclass(frozen=True)
class TitleFacts:
    """`grade` is a code of `GRADES`; "" and None for what the title does not say.

    `level`, `honour`, `competition`: what a list is of by its title, as in 特级技师评聘人员名单.
    """

    year: int | None = None
    batch: str = ""
    grade: str = ""
    department: str = ""
    level: str = ""
    honour: str = ""
    competition: str = ""

    @property
    def day(self) -> str:
        """The year as a date is written; "" where there is none."""
        return "" if self.year is None else str(self.year)


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
        level=_find_one(_LEVEL_TITLE_PATTERN, _LEVEL_WORD_PATTERN, head),
        honour=_find_one(_HONOUR_TITLE_PATTERN, re.compile(_HONOUR_WORDS), head),
        competition=matched[1].strip() if (matched := _match_competition(head)) else "",
    )


def _find_one(pattern: re.Pattern[str], word: re.Pattern[str], title: str) -> str:
    """What the title says its list is of; "" where it names two such things, or none."""
    plain = "".join(title.split())
    matched = pattern.search(plain)
    several = len(set(word.findall(plain))) > 1
    return matched[1] if matched and not several and "拟" not in plain else ""


def _match_competition(title: str) -> re.Match[str] | None:
    return _COMPETITION_TITLE_PATTERN.search("".join(title.split()))


def _simplify_title(title: str) -> str:
    plain = simplify_characters(unicodedata.normalize("NFKC", title))
    return _NUMERAL_YEAR_PATTERN.sub(lambda m: m[0].translate(_NUMERAL_DIGITS), plain)


def _find_department(title: str) -> str:
    """Who reports the list, in the characters of the title; "" where it does not say."""
    plain = unicodedata.normalize("NFKC", title)
    simple = simplify_characters(plain)
    matched = _DEPARTMENT_PATTERN.search(simple)
    if matched is None:
        bare = "".join(plain.split())
        return bare if _OFFICE_PATTERN.fullmatch(simplify_characters(bare)) else ""
    return plain[slice(*matched.span(1))] if len(plain) == len(simple) else matched[1]
