"""What the graph says of one person. Birth dates leave it as years, ID numbers not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from graph.people.person_boxes import lookup_person_boxes
from ui.person.person import (
    Apprentice,
    PaidSubsidy,
    Person,
    PersonAchievement,
    PersonBox,
    PersonEmployment,
    PersonHonour,
    PersonMentor,
    PersonPlacing,
    PersonProject,
    PersonRecognition,
    PersonStay,
    PersonStudio,
)
from ui.shell import graph_state
from ui.shell.people_scope import (
    find_visible_ids,
    is_visible,
    keep_visible,
    mask_studio_names,
)

# What a person's lists are made of.
PERSON_PARTS: Mapping[str, Callable[..., object]] = {
    "recognitions": PersonRecognition,
    "named": PersonHonour,
    "honours": PersonHonour,
    "studios": PersonStudio,
    "trainings": PersonStay,
    "teaching": PersonStay,
    "employments": PersonEmployment,
    "mentors": PersonMentor,
    "placings": PersonPlacing,
    "projects": PersonProject,
    "achievements": PersonAchievement,
    "subsidies": PaidSubsidy,
}
# People whose boxes are looked up one by one.
MAX_QUERIED_IDS = 100


def fetch_person(id: str) -> Person | None:
    """Everything the pages show of one person; None when there is none of this id, or none that
    this visitor may see.
    """
    if not is_visible(id):
        return None
    rows = graph_state.read_live_rows("person_record", id=id)
    return _mask_studios(_hide_unseen_mentors(build_person(rows[0]))) if rows else None


def _hide_unseen_mentors(about: Person) -> Person:
    """The person with the mentors whom this visitor may see, and how many others there are."""
    mentors = {mentor.id for mentor in about.mentors}
    visible = find_visible_ids(mentors)
    return replace(
        about,
        mentors=tuple(mentor for mentor in about.mentors if mentor.id in visible),
        unseen_mentors=len(mentors - visible),
    )


def _mask_studios(about: Person) -> Person:
    """The person with the names of studios as this visitor may see them."""
    led = {studio.id: studio.name for studio in about.studios}
    trained = {stay.studio: stay.name for stay in about.trainings if stay.studio}
    names = mask_studio_names(trained | led)
    return replace(
        about,
        studios=tuple(replace(studio, name=names[studio.id]) for studio in about.studios),
        trainings=tuple(
            replace(stay, name=names[stay.studio]) if stay.studio else stay
            for stay in about.trainings
        ),
    )


def build_person(row: Mapping[str, Any]) -> Person:
    """The person of a row of the query `person_record`, whose columns are the record's fields, in
    its lists too.
    """
    parts = {name: tuple(kind(**part) for part in row[name]) for name, kind in PERSON_PARTS.items()}
    return Person(**{**row, **parts})


def fetch_person_boxes(ids: list[str], high_skilled_level: int) -> dict[str, PersonBox]:
    """Person id -> box, of each of the ids; one that nobody has is its own name, and so is one
    whom this visitor may not see.

    `skilled_on` of a box is the first day at `high_skilled_level` or above.
    """
    seen = keep_visible(ids)
    if len(seen) <= MAX_QUERIED_IDS:
        rows = graph_state.read_live_rows("person_boxes", ids=seen, level=high_skilled_level)
        found = {row["id"]: _build_person_box(row) for row in rows}
    else:
        found = _compute_person_boxes("\n".join(seen), high_skilled_level)
    return {id: found.get(id) or PersonBox(id, id) for id in ids}


def _build_person_box(row: Mapping[str, Any]) -> PersonBox:
    return PersonBox(**{**row, "honours": tuple(row["honours"])})


@graph_state.cache_by_graph_state(max_entries=32, resource=True)
def _compute_person_boxes(ids: str, level: int) -> dict[str, PersonBox]:
    """As `fetch_person_boxes`, out of the snapshot's tables: of thousands, that is the quicker
    way. `ids` stand one a line: as a key, one text is hashed far quicker than thousands.
    """
    found = lookup_person_boxes(graph_state.fetch_snapshot(), ids.split("\n"), level)
    return {id: _build_person_box(row) for id, row in found.items()}


def fetch_studio_names(ids: list[str]) -> dict[str, str]:
    """Studio id -> its name as this visitor may see it; those without one are left out."""
    rows = graph_state.read_live_rows("studio_names", ids=ids) if ids else []
    return mask_studio_names({row["id"]: row["name"] for row in rows})


def fetch_apprentices(id: str, high_skilled_level: int) -> list[Apprentice]:
    """Direct apprentices whom this visitor may see, latest first; of nobody, none."""
    if not is_visible(id):
        return []
    rows = graph_state.read_live_rows("direct_apprentices", id=id, level=high_skilled_level)
    visible = find_visible_ids([row["id"] for row in rows])
    return [Apprentice(**row) for row in rows if row["id"] in visible]
