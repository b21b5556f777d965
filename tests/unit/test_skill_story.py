"""The skill story: dated facts with their rows; without a consent nothing tells who it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from graph.dates import PartialDate
from graph.messages import Language
from ui.person.person import (
    Apprentice,
    Person,
    PersonAchievement,
    PersonEmployment,
    PersonHonour,
    PersonMentor,
    PersonPlacing,
    PersonProject,
    PersonRecognition,
    PersonStay,
    PersonStudio,
)
from ui.person.skill_story import build_skill_story
from ui.person.story_file import render_story_file

SECRETS = ("陈玉莲", "Chen", "P7", "王师傅", "李师傅", "徒弟甲", "焊工", "第一工作室", "一厂")
SECRETS += ("攻关项目", "专利名", "大赛", "江苏", "13·cert", "2012-03-04", "-05-")


def day(year: int) -> date:
    return date(year, 5, 7)


ABOUT = Person(
    "P7",
    "陈玉莲",
    born=1970,
    province="32",
    occupation="焊工",
    enterprise="一厂",
    retired_on=date(2025, 1, 1),
    recognitions=(
        PersonRecognition(4, day(2005), certificate="13·cert", occupation="焊工", row="r.csv:2"),
        PersonRecognition(6, PartialDate(2012, 1, 1, "year"), occupation="焊工", row="r.csv:3"),
    ),
    named=(PersonHonour("national_model_worker", day(2020), row="t.csv:2"),),
    honours=(PersonHonour("中华技能大奖", day(2019), "national", row="h.csv:2"),),
    studios=(PersonStudio("s1", "第一工作室", "skill_master", start=day(2014), row="l.csv:2"),),
    trainings=(PersonStay("第一工作室", day(2003), row="n.csv:2"),),
    employments=(PersonEmployment("一厂", day(2000), row="e.csv:2"),),
    mentors=(
        PersonMentor("m1", "王师傅", day(2001), row="m.csv:2", consent=True),
        PersonMentor("m2", "李师傅", day(2002), row="m.csv:3"),
        PersonMentor("m3", "赵师傅", None, row="m.csv:4", consent=True),
    ),
    placings=(PersonPlacing("大赛", 2, day(2008), row="c.csv:2"),),
    projects=(PersonProject("j1", "攻关项目", "key_project", start=day(2009), row="p.csv:2"),),
    achievements=(
        PersonAchievement("专利名", "patent", day=day(2010), row="a.csv:2"),
        PersonAchievement("无来源", "patent", day=day(2010)),
    ),
    story_consent=True,
)
TAKEN = [
    Apprentice(
        f"a{n}", "徒弟甲", day(2015), skilled_on=skilled, row=f"m.csv:{n}", skilled_row="r:9"
    )
    for n, skilled in ((20, day(2018)), (21, day(2014)), (22, None))
]


def render_story(about: Person, language: Language = "zh") -> str:
    return render_story_file(build_skill_story(about, TAKEN, language), 3).decode()


def test_a_story_tells_dated_facts_in_order_each_with_its_row() -> None:
    story = build_skill_story(ABOUT, TAKEN, "en")
    assert story.is_open and story.file_name == "story-P7"
    assert all(event.rows for event in story.events)
    whens = [event.when for event in story.events]
    assert whens == sorted(whens) and "2012" in whens  # a year alone stays one
    texts = [event.text for event in story.events]
    assert "Took on 3 apprentices." in texts and "1 apprentice became high-skilled." in texts
    assert not [text for text in texts if "无来源" in text or "一厂" in text or "Retired" in text]
    taken = next(event for event in story.events if event.text.startswith("Took on"))
    assert (taken.when, taken.rows) == ("2015", "m.csv:20; m.csv:21; m.csv:22")


def test_whoever_does_not_consent_is_not_named_in_anybodys_story() -> None:
    page = render_story(ABOUT)
    assert "陈玉莲" in page and "王师傅" in page and "第一工作室" in page
    assert not [name for name in ("李师傅", "徒弟甲", "13·cert", "1970", "2025") if name in page]
    assert "拜师学艺。" in page


def test_without_a_consent_the_story_is_masked_in_both_languages() -> None:
    for consent in (None, False):
        for language in ("zh", "en"):
            page = render_story(replace(ABOUT, story_consent=consent), language)  # type: ignore[arg-type]
            assert [secret for secret in SECRETS if secret in page] == []
            assert "m.csv:2" in page and "2005" in page
    story = build_skill_story(replace(ABOUT, story_consent=None), TAKEN, "en")
    assert story.file_name == "story" and not story.is_open
    assert len(story.events) == len(build_skill_story(ABOUT, TAKEN, "en").events)


def test_the_file_asks_nobody_and_escapes_what_it_is_given() -> None:
    page = render_story(replace(ABOUT, name="<script>1</script>"))
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", "") and "default-src 'none'" in page
