"""A person's growth as dated sentences, each from a row of a file; nothing is added to the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter

from graph.messages import Language
from graph.model.vocabularies import ACHIEVEMENT_KINDS, BASES, GRADES, LEVELS, PROJECT_KINDS
from ui.person.person import Apprentice, Person, PersonHonour
from ui.words.i18n import translate, translate_label
from ui.words.terms import format_person_name, translate_term


@dataclass(frozen=True)
class GrowthEvent:
    """One thing that happened: the day, the sentence, its source row ("file:line")."""

    day: date
    text: str
    row: str


def build_growth_story(
    about: Person, apprentices: Sequence[Apprentice], language: Language
) -> list[GrowthEvent]:
    """What the graph knows of a person with a day, in order."""
    found = [
        *_list_recognition_events(about, language),
        *_list_honour_events(about, language),
        *_list_tie_events(about, language),
        *_list_post_events(about, language),
        *_list_project_events(about, language),
        *_list_apprentice_events(apprentices, language),
    ]
    return sorted(found, key=lambda event: event.day)


def _list_recognition_events(about: Person, language: Language) -> Iterator[GrowthEvent]:
    """The rises of the best level; the occupation where it is another than before."""
    best, trade = 0, None
    for row in about.recognitions:
        if row.level <= best:
            continue
        best = row.level
        other, trade = row.occupation not in (None, trade), row.occupation or trade
        text = translate(
            language,
            "Recognised as {level}{occupation}.",
            level=translate_label(LEVELS[best], language),
            occupation=_format_brackets(translate_term(row.occupation or "", language), language)
            if other
            else "",
        )
        yield GrowthEvent(row.day, text, row.row or "")


def _list_honour_events(about: Person, language: Language) -> Iterator[GrowthEvent]:
    for row in about.named:
        if row.day is not None:
            text = translate(
                language,
                "Named a leading talent: {basis}.",
                basis=_format_honour_name(row, language),
            )
            yield GrowthEvent(row.day, text, row.row or "")
    for row in about.honours:
        if row.day is not None:
            grade = GRADES.get(row.grade or "")
            text = translate(
                language,
                "Honoured: {honour}{grade}.",
                honour=_format_honour_name(row, language),
                grade=_format_brackets(translate_label(grade, language) if grade else "", language),
            )
            yield GrowthEvent(row.day, text, row.row or "")
    for placing in about.placings:
        text = translate(language, "Place {rank} in {name}.", rank=placing.rank, name=placing.name)
        yield GrowthEvent(placing.day, text, placing.row or "")


def _list_project_events(about: Person, language: Language) -> Iterator[GrowthEvent]:
    for project in about.projects:
        if project.start is not None:
            kind = translate_label(PROJECT_KINDS[project.kind], language)
            text = translate(
                language, "Began to work on {name} ({kind}).", name=project.name, kind=kind
            )
            yield GrowthEvent(project.start, text, project.row or "")
    for one in about.achievements:
        if one.day is not None:
            kind = translate_label(ACHIEVEMENT_KINDS[one.kind], language)
            text = translate(language, "Achieved: {title} ({kind}).", title=one.title, kind=kind)
            yield GrowthEvent(one.day, text, one.row or "")


def _format_honour_name(row: PersonHonour, language: Language) -> str:
    basis = BASES.get(row.honour)
    return translate_label(basis, language) if basis else translate_term(str(row.honour), language)


def _format_brackets(text: str | None, language: Language) -> str:
    """In brackets, as the language sets them; nothing for nothing."""
    if not text:
        return ""
    return f"（{text}）" if language == "zh" else f" ({text})"


def _list_tie_events(about: Person, language: Language) -> Iterator[GrowthEvent]:
    for mentor in about.mentors:
        if mentor.start is not None:
            text = translate(
                language,
                "Became an apprentice of {name}.",
                name=format_person_name(mentor.name, language),
            )
            yield GrowthEvent(mentor.start, text, mentor.row or "")
    for studio in about.studios:
        if studio.start is not None:
            text = translate(language, "Began to lead {name}.", name=studio.name)
            yield GrowthEvent(studio.start, text, studio.row or "")
    for training in about.trainings:
        if training.start is not None:
            text = translate(language, "Trained at {name}.", name=training.name)
            yield GrowthEvent(training.start, text, training.row or "")


def _list_post_events(about: Person, language: Language) -> Iterator[GrowthEvent]:
    for row in about.employments:
        post = _format_brackets(translate_term(row.position or "", language), language)
        text = translate(language, "Began to work at {name}{post}.", name=row.name, post=post)
        if row.reemployed:
            text = translate(
                language, "Kept on after retirement at {name}{post}.", name=row.name, post=post
            )
        yield GrowthEvent(row.start, text, row.row or "")
    for school in about.teaching:
        if school.start is not None:
            text = translate(language, "Began to teach at {name}.", name=school.name)
            yield GrowthEvent(school.start, text, school.row or "")
    if about.retired_on is not None:
        yield GrowthEvent(about.retired_on, translate(language, "Retired."), "")


def _list_apprentice_events(
    apprentices: Sequence[Apprentice], language: Language
) -> Iterator[GrowthEvent]:
    """The first apprentice, and the first who became high-skilled."""
    taken = [(one.start, one) for one in apprentices if one.start]
    if taken:
        day, first = min(taken, key=itemgetter(0))
        text = translate(
            language,
            "Took on the first apprentice, {name}.",
            name=format_person_name(first.name, language),
        )
        yield GrowthEvent(day, text, "")
    risen = [
        (one.skilled_on, start, one)
        for start, one in taken
        if one.skilled_on and one.skilled_on >= start
    ]
    if risen:
        day, _, first = min(risen, key=itemgetter(0, 1))
        text = translate(
            language,
            "{name} is the first of the apprentices to become high-skilled; {n} have.",
            name=format_person_name(first.name, language),
            n=len(risen),
        )
        yield GrowthEvent(day, text, "")
