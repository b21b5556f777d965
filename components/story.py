"""A person's growth as dated sentences, each from a row of a file; nothing is added to the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from components.i18n import Language, label, translate
from graph.model import BASES, GRADES, LEVELS

Person = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One thing that happened: the day, the sentence, the row it stands in ("file:line")."""

    day: date
    text: str
    row: str


def story(about: Person, apprentices: Sequence[Person], language: Language) -> list[Event]:
    """What the graph knows of a person with a day, in order."""
    found = [
        *_recognitions(about, language), *_honours(about, language), *_ties(about, language),
        *_posts(about, language), *_taken_on(apprentices, language),
    ]  # fmt: skip
    return sorted(found, key=lambda event: event.day)


def _recognitions(about: Person, language: Language) -> Iterator[Event]:
    """The rises of the best level; the occupation where it is another than before."""
    best, trade = 0, None
    for row in about["recognitions"]:
        if row["day"] is None or row["level"] <= best:
            continue
        best = row["level"]
        other, trade = row["occupation"] not in (None, trade), row["occupation"] or trade
        text = translate(
            language, "Recognised as {level}{occupation}.",
            level=label(LEVELS[best], language),
            occupation=_aside(row["occupation"], language) if other else "",
        )  # fmt: skip
        yield Event(row["day"], text, row["row"] or "")


def _honours(about: Person, language: Language) -> Iterator[Event]:
    for row in about["named"]:
        if row["day"] is not None:
            text = translate(
                language, "Named a leading talent: {basis}.", basis=_honour(row, language)
            )
            yield Event(row["day"], text, row["row"] or "")
    for row in about["honours"]:
        if row["day"] is not None:
            grade = label(GRADES[row["grade"]], language) if row["grade"] in GRADES else ""
            text = translate(
                language, "Honoured: {honour}{grade}.", honour=_honour(row, language),
                grade=_aside(grade, language),
            )  # fmt: skip
            yield Event(row["day"], text, row["row"] or "")
    for row in about["placings"]:
        if row["day"] is not None:
            text = translate(
                language, "Place {rank} in {name}.", rank=row["rank"], name=row["name"]
            )
            yield Event(row["day"], text, row["row"] or "")


def _honour(row: Person, language: Language) -> str:
    basis = BASES.get(row["honour"])
    return label(basis, language) if basis else str(row["honour"])


def _aside(text: str | None, language: Language) -> str:
    """In brackets, as the language sets them; nothing for nothing."""
    if not text:
        return ""
    return f"（{text}）" if language == "zh" else f" ({text})"


def _ties(about: Person, language: Language) -> Iterator[Event]:
    for row in about["mentors"]:
        if row["start"] is not None:
            text = translate(language, "Became an apprentice of {name}.", name=row["name"])
            yield Event(row["start"], text, row["row"] or "")
    for row in about["studios"]:
        if row["start"] is not None:
            text = translate(language, "Began to lead {name}.", name=row["name"])
            yield Event(row["start"], text, row["row"] or "")
    for row in about["trainings"]:
        if row["start"] is not None:
            text = translate(language, "Trained at {name}.", name=row["name"])
            yield Event(row["start"], text, row["row"] or "")


def _posts(about: Person, language: Language) -> Iterator[Event]:
    for row in about["employments"]:
        post = _aside(row["position"], language)
        text = translate(language, "Began to work at {name}{post}.", name=row["name"], post=post)
        if row["reemployed"]:
            text = translate(language, "Kept on after retirement at {name}{post}.",
                             name=row["name"], post=post)  # fmt: skip
        yield Event(row["start"], text, row["row"] or "")
    for row in about["teaching"]:
        if row["start"] is not None:
            text = translate(language, "Began to teach at {name}.", name=row["name"])
            yield Event(row["start"], text, row["row"] or "")
    if about["retired_on"] is not None:
        yield Event(about["retired_on"], translate(language, "Retired."), "")


def _taken_on(apprentices: Sequence[Person], language: Language) -> Iterator[Event]:
    """The first apprentice, and the first who became high-skilled."""
    taken = sorted((a for a in apprentices if a["start"]), key=lambda a: a["start"])
    if taken:
        first = taken[0]
        text = translate(language, "Took on the first apprentice, {name}.", name=first["name"])
        yield Event(first["start"], text, "")
    risen = [a for a in taken if a["skilled_on"] and a["skilled_on"] >= a["start"]]
    if risen:
        one = min(risen, key=lambda a: a["skilled_on"])
        text = translate(
            language, "{name} is the first of the apprentices to become high-skilled; {n} have.",
            name=one["name"], n=len(risen),
        )  # fmt: skip
        yield Event(one["skilled_on"], text, "")
