"""The parts that figures are cut into: their words, and the people behind them, for the pages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from components import kept, store
from components.i18n import Language, label, t
from graph.behind import CUTS, UNSTATED, Behind, Part, behind
from graph.kept_tables import table_place
from graph.model import BASES, PERSON_TYPES, PROVINCES
from graph.policy import Policy
from graph.rows import people_at

# What stands in the address for a cut, where it is not the cut's own name.
NAMES: Mapping[str, str] = {"occupation_code": "occupation"}
# Of a part so many rows are shown; its download has all.
ROWS = 1_000


def titles() -> dict[str, str]:
    """The cuts by name, in the visit's language."""
    return {
        "quarter": t("Quarter"), "province": t("Province"), "industry": t("Industry"),
        "occupation_code": t("Occupation"), "type": t("Type of talent"), "basis": t("Basis"),
        "generation": t("Generation"), "channel": t("Channel"), "ownership": t("Ownership"),
        "year": t("Year named"),
    }  # fmt: skip


def word(cut: str, value: str | None, language: Language) -> str:
    """A value of a cut, in words."""
    if value is None or value == UNSTATED:
        return t("not stated")
    choices = {"province": PROVINCES, "type": PERSON_TYPES, "basis": BASES}.get(cut)
    if choices is not None:
        return label(choices[value], language) if value in choices else value
    if cut == "occupation_code":
        return store.occupations().get(value, value)
    if cut == "generation":
        return t("Generation {n}", n=value)
    if cut == "channel":
        return channels().get(value, value)
    if cut == "quarter":
        year, _, number = value.partition("Q")
        return t("{year} Q{n}", year=year, n=number)
    return value


def channels() -> dict[str, str]:
    """The kinds of chain, in words."""
    return {
        "mentorship_only": t("by mentorship"), "studio_only": t("by studios"),
        "both": t("by both"), "mixed": t("mixed only"),
    }  # fmt: skip


def query_of(part: Part) -> dict[str, str]:
    """What the address of the list says of a part."""
    query = {NAMES.get(name, name): value for name, value in part.cuts.items()}
    return query if part.count == "persons" else {"count": part.count, **query}


def part_of(query: Mapping[str, str]) -> Part:
    """The part that an address asks for."""
    cuts = {name: query.get(NAMES.get(name, name), "") for name in CUTS}
    return Part("person_times" if query.get("count") == "person_times" else "persons", **cuts)


@st.cache_resource(max_entries=8, show_spinner=False)
def _behind(state: str, policy: Policy) -> Behind:
    return behind(store.snapshot(), store.driven(policy))


def rows_behind(policy: Policy) -> Behind:
    """The promotions behind the figures under a policy, of the graph as it stands."""
    return _behind(store.state(), policy)


def prepare(policy: Policy) -> None:
    """Has the rows written beside the page, so that the first click finds them there."""
    snapshot, driven = store.snapshot(), store.driven(policy)
    place = table_place(snapshot, "behind", policy.id)
    if place is not None and not place.exists():
        kept.begin(("behind", store.state(), policy), partial(behind, snapshot, driven))


@st.cache_data(max_entries=256, show_spinner=False)
def _number(state: str, policy: Policy, part: Part) -> int:
    return rows_behind(policy).number(part)


def number(policy: Policy, part: Part) -> int:
    """How many persons or person-times a part has: the figure that was clicked."""
    return _number(store.state(), policy, part)


def listed(policy: Policy, part: Part, most: int | None = ROWS) -> pl.DataFrame:
    """The people of a part, newest promotion first; `most` None gives all.

    person_id, name, day, province, occupation_code, enterprise, generation, channel, and the
    nearest talent's talent_id and talent.
    """
    rows = rows_behind(policy).of(part).select("person", "day", "generation", "channel", "nearest")
    found = (rows if most is None else rows.head(most)).collect()
    columns = "person", "person_id", "name", "province", "occupation_code", "enterprise_id"
    if most is None:
        people = store.snapshot().frames["people"].select(columns)
    else:
        met = found["person"].unique().to_list()
        people = people_at(store.snapshot(), met).lazy().select(columns)
    talents = store.driven(policy).talents.select("talent_id", talent="name", nearest="person")
    enterprises = store.snapshot().frames["enterprises"].select("enterprise_id", enterprise="name")
    named = found.lazy().join(people, on="person", how="left", maintain_order="left")
    named = named.join(talents.lazy(), on="nearest", how="left", maintain_order="left")
    named = named.join(enterprises, on="enterprise_id", how="left", maintain_order="left")
    return named.drop("person", "nearest", "enterprise_id").collect()


def options(policy: Policy, figures: Any, language: Language) -> dict[str, dict[str, str]]:
    """The values that each cut has, in words."""
    found: dict[str, dict[str, str]] = {}
    for name, rows in figures.cuts.items():
        values = [UNSTATED if value is None else value for value in rows["value"]]
        found[name] = {value: word(name, value, language) for value in values}
    return found
