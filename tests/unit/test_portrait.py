"""The sentence on a person agrees with the column above: mentors and studio leaders."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import networkx as nx
import pytest

from graph.policy import DEFAULT_POLICY, Policy
from ui.lineage.view import Lineage, build_column_heads
from ui.person import person_summary
from ui.person.person import Person, PersonMentor
from ui.reading.lineage_reach import LineageReach

LEADERS = 400


def lineage(graph: nx.MultiDiGraph, policy: Policy = DEFAULT_POLICY) -> Lineage:
    def why(person: str) -> Any:
        raise LookupError(person)

    return Lineage(graph, LineageReach({}, {}, frozenset(), False), policy, "w", why)


def trainee(mentors: int, leaders: int) -> nx.MultiDiGraph:
    """The person "w" with so many mentors, and so many who led the studio, the mentors too."""
    graph = nx.MultiDiGraph()
    graph.add_node("w")
    for number in range(mentors):
        graph.add_edge(f"m{number}", "w", channel="mentorship", start=date(2020, 1, 1))
        graph.add_edge(f"m{number}", "w", channel="studio", start=date(2020, 1, 1))
    for number in range(leaders):
        graph.add_edge(f"l{number}", "w", channel="studio", start=date(2020, 1, 1))
        graph.add_edge(f"l{number}", "w", channel="studio", start=date(2022, 1, 1))
    graph.add_edge("w", "a", channel="mentorship", start=date(2021, 1, 1))
    return graph


@pytest.mark.parametrize(
    ("mentors", "leaders", "language", "sentence", "head"),
    [
        (
            0,
            LEADERS,
            "en",
            "徒 has 1 apprentice and learned from 0 mentors and 400 studio leaders.",
            "Mentors, studio leaders",
        ),
        (
            1,
            1,
            "en",
            "徒 has 1 apprentice and learned from 1 mentor and 1 studio leader.",
            "Mentors, studio leaders",
        ),
        (2, 0, "en", "徒 has 1 apprentice and learned from 2 mentors.", "Mentors"),
        (0, LEADERS, "zh", "400 名领办人", "师傅、工作室领办人"),
        (2, 0, "zh", "2 名师傅", "师傅"),
    ],
)
def test_a_trainee_of_studio_leaders_has_them_in_the_sentence_and_in_the_head(
    mentors: int,
    leaders: int,
    language: str,
    sentence: str,
    head: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ui.words.i18n.current_language", lambda: language)
    monkeypatch.setattr(person_summary, "current_language", lambda: language)
    seen = lineage(trainee(mentors, leaders))
    assert seen.studio_leaders() == leaders
    taught_by = tuple(PersonMentor(f"m{n}", "师") for n in range(mentors))
    about = Person("p", "徒", apprentices=1, mentors=taught_by)
    said = re.sub(
        "<[^>]+>", "", person_summary.render_person_answer(about, None, seen.studio_leaders())
    )
    assert sentence in said and ("400" in said) == (leaders == LEADERS)
    columns = build_column_heads([-1, 0], {}, False, language, leaders=leaders > 0)  # type: ignore[arg-type]
    assert columns[0].name == head
