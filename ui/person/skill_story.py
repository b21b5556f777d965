"""A person's skill story: dated facts only, each with the row that states it.

Whoever consents (`story_consent` of people) is named, with places and days. Without a consent on
record the story is masked: no name, no place, no occupation, years alone. A
mentor is named only with a consent of his or her own; apprentices are counted, never named. The
story holds nothing that only data stewards see, so it is the same for every role.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from graph.dates import YEAR, PartialDate
from graph.messages import Language
from graph.model.vocabularies import ACHIEVEMENT_KINDS, GRADES, LEVELS, PROJECT_KINDS
from ui.person.growth_story import GrowthEvent, build_growth_story
from ui.person.person import Apprentice, Person
from ui.words.i18n import translate, translate_label, translate_number
from ui.words.terms import format_person_name, format_province, translate_term

MAX_STORY_ROWS: Final = 4


@dataclass(frozen=True)
class SkillStory:
    """The story in one language.

    `is_open`: the person consents and is named. `title` and `facts` are what stands above the
    events, `file_name` that of its file, without the ending.
    """

    is_open: bool
    title: str
    facts: str
    events: tuple[StoryEvent, ...]
    language: Language
    file_name: str


@dataclass(frozen=True)
class StoryEvent:
    """A fact: when (as precise as may be shown), the sentence, the rows that state it."""

    when: str
    text: str
    rows: str


def build_skill_story(
    about: Person, apprentices: Sequence[Apprentice], language: Language
) -> SkillStory:
    """The story; facts without a day or without a row are left out."""
    is_open = about.story_consent is True
    found = [
        *(_list_open_events(about, language) if is_open else _list_masked_events(about, language)),
        *_list_apprentice_years(apprentices, language),
    ]
    stated = sorted((event for event in found if event.row), key=lambda event: event.day)
    events = tuple(
        StoryEvent(str(event.day) if is_open else str(event.day.year), event.text, event.row)
        for event in stated
    )
    if not is_open:
        title = translate(language, "A skilled worker's story")
        return SkillStory(False, title, _describe_level(about, language), events, language, "story")
    title = translate(
        language, "The story of {name}", name=format_person_name(about.name, language)
    )
    facts = _describe_person(about, language)
    return SkillStory(True, title, facts, events, language, f"story-{about.id}")


def _describe_level(about: Person, language: Language) -> str:
    return translate_label(LEVELS[about.level], language) if about.level else ""


def _describe_person(about: Person, language: Language) -> str:
    parts = [
        _describe_level(about, language),
        translate_term(about.occupation or "", language),
        format_province(about.province, language) if about.province else "",
        about.enterprise or "",
    ]
    return " · ".join(part for part in parts if part)


def _list_open_events(about: Person, language: Language) -> Iterator[GrowthEvent]:
    """As the growth story tells them, without employers and retirement; mentors who do not consent
    are not named.
    """
    named = tuple(mentor for mentor in about.mentors if mentor.consent is True)
    consenting = replace(about, mentors=named, employments=(), teaching=(), retired_on=None)
    yield from build_growth_story(consenting, (), language)
    unnamed = (mentor for mentor in about.mentors if mentor.consent is not True)
    for mentor in unnamed:
        if mentor.start is not None:
            text = translate(language, "Became an apprentice.")
            yield GrowthEvent(mentor.start, text, mentor.row or "")


def _list_masked_events(about: Person, language: Language) -> Iterator[GrowthEvent]:
    """What happened, without whatever tells who it was."""
    best = 0
    for recognition in about.recognitions:
        if recognition.level > best:
            best = recognition.level
            text = translate(
                language,
                "Recognised as {level}{occupation}.",
                level=translate_label(LEVELS[best], language),
                occupation="",
            )
            yield GrowthEvent(recognition.day, text, recognition.row or "")
    for naming in about.named:
        if naming.day is not None:
            text = translate(language, "Named a leading talent.")
            yield GrowthEvent(naming.day, text, naming.row or "")
    for honour in about.honours:
        if honour.day is not None:
            yield GrowthEvent(honour.day, _mask_honour(honour.grade, language), honour.row or "")
    yield from _list_masked_stays(about, language)
    yield from _list_masked_works(about, language)


def _mask_honour(grade: str | None, language: Language) -> str:
    if grade is None or grade not in GRADES:
        return translate(language, "Received an honour.")
    return translate(
        language, "Received an honour ({grade}).", grade=translate_label(GRADES[grade], language)
    )


def _list_masked_stays(about: Person, language: Language) -> Iterator[GrowthEvent]:
    for stays, text in (
        (about.mentors, translate(language, "Became an apprentice.")),
        (about.studios, translate(language, "Began to lead a studio.")),
        (about.trainings, translate(language, "Began a training.")),
    ):
        for stay in stays:
            if stay.start is not None:
                yield GrowthEvent(stay.start, text, stay.row or "")
    for placing in about.placings:
        text = translate(language, "Placed in a competition.")
        yield GrowthEvent(placing.day, text, placing.row or "")


def _list_masked_works(about: Person, language: Language) -> Iterator[GrowthEvent]:
    for project in about.projects:
        if project.start is not None:
            kind = translate_label(PROJECT_KINDS[project.kind], language)
            text = translate(language, "Began to work on a project ({kind}).", kind=kind)
            yield GrowthEvent(project.start, text, project.row or "")
    for one in about.achievements:
        if one.day is not None:
            kind = translate_label(ACHIEVEMENT_KINDS[one.kind], language)
            text = translate(language, "Achieved something new ({kind}).", kind=kind)
            yield GrowthEvent(one.day, text, one.row or "")


def _list_apprentice_years(
    apprentices: Sequence[Apprentice], language: Language
) -> Iterator[GrowthEvent]:
    """How many were taken on, and how many of them became high-skilled, by year."""
    taken: dict[int, list[tuple[date, str]]] = defaultdict(list)
    risen: dict[int, list[tuple[date, str]]] = defaultdict(list)
    for one in apprentices:
        if one.start is None:
            continue
        taken[one.start.year].append((one.start, one.row or ""))
        if one.skilled_on is not None and one.skilled_on >= one.start:
            risen[one.skilled_on.year].append((one.skilled_on, one.skilled_row or ""))
    for rows in taken.values():
        text = translate_number(
            language, "Took on {n} apprentice.", "Took on {n} apprentices.", len(rows), n=len(rows)
        )
        yield _sum_year(rows, text, language)
    for rows in risen.values():
        text = translate_number(
            language,
            "{n} apprentice became high-skilled.",
            "{n} apprentices became high-skilled.",
            len(rows),
            n=len(rows),
        )
        yield _sum_year(rows, text, language)


def _sum_year(found: Sequence[tuple[date, str]], text: str, language: Language) -> GrowthEvent:
    """One event: of one row on its day, of several in their year."""
    rows = sorted({row for _, row in found if row})
    row_list = "; ".join(rows[:MAX_STORY_ROWS])
    if more := len(rows) - MAX_STORY_ROWS:
        row_list += translate(language, "; {n} more rows", n=more) if more > 0 else ""
    first = min(day for day, _ in found)
    if len(found) > 1:
        first = PartialDate(first.year, first.month, first.day, YEAR)
    return GrowthEvent(first, text, row_list)
