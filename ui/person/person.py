"""One person as the pages show one: a record, made of the records of what he or she did.

A day of which the year alone is known is a `PartialDate`. `row` is where a record stands in what
was loaded, as `recognitions.csv:17`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class PersonRecognition:
    """A level of the ladder, and for which occupation, how and by which certificate."""

    level: int
    day: date
    mode: str | None = None
    certificate: str | None = None
    occupation: str | None = None
    row: str | None = None


@dataclass(frozen=True)
class PersonHonour:
    """An honour, or the basis on which the person was named a leading talent (by its code)."""

    honour: str
    day: date | None
    grade: str | None = None
    industry: str | None = None
    row: str | None = None


@dataclass(frozen=True)
class PersonStudio:
    """A studio that the person leads, from when to when."""

    id: str
    name: str
    kind: str
    grade: str | None = None
    start: date | None = None
    end: date | None = None
    row: str | None = None


@dataclass(frozen=True)
class PersonStay:
    """A time at a place, where the person trained or taught; `studio` is the id of one."""

    name: str
    start: date | None = None
    end: date | None = None
    row: str | None = None
    studio: str | None = None


@dataclass(frozen=True)
class PersonEmployment:
    """A time at an enterprise; `service_until`: the end, for anyone reemployed once retired."""

    name: str
    start: date
    end: date | None = None
    position: str | None = None
    service_until: date | None = None
    reemployed: bool | None = None
    non_compete_until: date | None = None
    retirement_postponed_until: date | None = None
    pay_form: str | None = None
    row: str | None = None


@dataclass(frozen=True)
class PersonMentor:
    """Whose apprentice the person was, from when to when; `consent`: to a story with the name."""

    id: str
    name: str
    start: date | None = None
    end: date | None = None
    row: str | None = None
    consent: bool | None = None


@dataclass(frozen=True)
class PersonPlacing:
    """A place in a competition."""

    name: str
    rank: int
    day: date
    row: str | None = None


@dataclass(frozen=True)
class PersonProject:
    """A project that the person worked on, in which role, from when to when."""

    id: str
    name: str
    kind: str
    role: str | None = None
    start: date | None = None
    end: date | None = None
    row: str | None = None


@dataclass(frozen=True)
class PersonAchievement:
    """A patent, a process, an improvement or an award."""

    title: str
    kind: str
    grade: str | None = None
    day: date | None = None
    row: str | None = None


@dataclass(frozen=True)
class PaidSubsidy:
    """A subsidy in yuan that was paid in a year, by the code or the name of its kind."""

    kind: str
    amount: float
    year: int
    row: str | None = None


@dataclass(frozen=True)
class Person:
    """Everything the pages show of one person; lists by day, the earliest first.

    `born` is a year. `leading`: named a leading talent; `target`: a key training target, since
    `listed_on`. `apprentices` counts people, those too whom the visitor may not see, and
    `unseen_mentors` the mentors who are left out of `mentors` for that.
    """

    id: str
    name: str
    sex: str | None = None
    born: int | None = None
    province: str | None = None
    type: str | None = None
    occupation: str | None = None
    enterprise: str | None = None
    retired_on: date | None = None
    retirement_category: str | None = None
    story_consent: bool | None = None
    leading: bool = False
    target: bool = False
    listed_on: date | None = None
    recognitions: tuple[PersonRecognition, ...] = ()
    named: tuple[PersonHonour, ...] = ()
    honours: tuple[PersonHonour, ...] = ()
    studios: tuple[PersonStudio, ...] = ()
    trainings: tuple[PersonStay, ...] = ()
    teaching: tuple[PersonStay, ...] = ()
    employments: tuple[PersonEmployment, ...] = ()
    mentors: tuple[PersonMentor, ...] = ()
    placings: tuple[PersonPlacing, ...] = ()
    projects: tuple[PersonProject, ...] = ()
    achievements: tuple[PersonAchievement, ...] = ()
    subsidies: tuple[PaidSubsidy, ...] = ()
    apprentices: int = 0
    unseen_mentors: int = 0

    @property
    def level(self) -> int | None:
        """The best level the person was recognised at."""
        return max((recognition.level for recognition in self.recognitions), default=None)

    def list_mentors(self) -> list[PersonMentor]:
        """Each mentor once, in the order of the first time with each."""
        first: dict[str, PersonMentor] = {}
        for mentor in self.mentors:
            first.setdefault(mentor.id, mentor)
        return list(first.values())


@dataclass(frozen=True)
class Apprentice:
    """A direct apprentice: taken on at `start` (`row` states it), high-skilled for the first time
    on `skilled_on` (`skilled_row` states it).
    """

    id: str
    name: str
    start: date | None = None
    leading: bool = False
    level: int | None = None
    skilled_on: date | None = None
    row: str | None = None
    skilled_row: str | None = None


@dataclass(frozen=True)
class PersonBox:
    """Enough of a person to draw a box; `skilled_on` is the first day of the level asked for."""

    id: str
    name: str
    leading: bool = False
    level: int | None = None
    skilled_on: date | None = None
    honours: tuple[str, ...] = ()
