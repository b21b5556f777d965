"""Decisions on proposed mentorships: stored in the notebook, and exported as mentorships.

A decision is an entry of the notebook on a pair (`PAIRING_SCOPE`, mentor and apprentice), with a
verdict, a note, and the day on which the mentorship is to begin. The newest one stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from graph.labels import MetricColumnLabels
from graph.programme.notebook import PAIR_SEPARATOR, Entry, Notebook

PAIRING_SCOPE: Final = "pairing"
MENTORSHIP_COLUMNS: Final[MetricColumnLabels] = {
    "change": ("change", "变动"),
    "on": ("begins on", "日期"),
    "person_id": ("mentor", "师傅编号"),
    "other_id": ("apprentice", "徒弟编号"),
}


def format_pair(mentor_id: str, apprentice_id: str) -> str:
    """A pair as decisions name it."""
    return f"{mentor_id}{PAIR_SEPARATOR}{apprentice_id}"


def list_accepted_pairs(standing: Mapping[str, Entry]) -> list[tuple[str, str, date]]:
    """mentor_id, apprentice_id, start of the pairs that stand as accepted, by pair."""
    found = []
    for subject, entry in sorted(standing.items()):
        scope, _, pair = subject.partition(":")
        mentor, separator, apprentice = pair.partition(PAIR_SEPARATOR)
        if scope == PAIRING_SCOPE and separator and entry.body.get("verdict") == "accepted":
            start = str(entry.body.get("start") or entry.made_at[:10])
            found.append((mentor, apprentice, date.fromisoformat(start)))
    return found


def list_mentorships_to_start(notebook: Notebook) -> pl.DataFrame:
    """mentor_id, apprentice_id, start: the accepted pairs as dated mentorships."""
    return pl.DataFrame(
        list_accepted_pairs(notebook.standing("decision")),
        {"mentor_id": pl.String, "apprentice_id": pl.String, "start": pl.Date},
        orient="row",
    )


def build_mentorship_changes(mentorships: pl.DataFrame) -> pl.DataFrame:
    """`MENTORSHIP_COLUMNS`: dated mentorships as a scenario takes them."""
    return mentorships.select(
        change=pl.lit("begin_mentorship"),
        on="start",
        person_id="mentor_id",
        other_id="apprentice_id",
    )
