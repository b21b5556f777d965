"""Talent: who one person is, how he or she rose, and whom he or she drives."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from components import (
    choosing,
    downloads,
    frame,
    joint_view,
    person,
    portrait,
    printing,
    profile,
    store,
)
from components import story as stories
from components.charts import specification
from components.i18n import Language, current_language, label, spoken, t, tn
from components.ladder import Ladder, ladder
from components.ladder_svg import ladder_svg
from components.numbers import count, day, month
from components.policy_form import current_policy
from components.portrait import Person, studio
from components.reach import joint
from components.sheet import sheet
from components.visitor import Visitor, visitor
from components.visitor import born as masked_born
from components.visitor import certificate as masked_certificate
from graph.model import BASES, GRADES, LEVELS, PERSON_TYPES, SEXES, STUDIO_KINDS
from graph.policy import Policy

MOST_APPRENTICES = 12
MOST_TALENTS = 6


@frame.page
def page() -> None:
    """The page: of the person whose id stands in the address."""
    about = portrait.chosen("talent")
    if about is None:
        return
    policy = current_policy()
    with st.spinner(t("Measuring the chains"), show_time=True):
        figures = store.figures_of(about["id"], policy) if about["leading"] else None
    taken = person.apprentices(about["id"], policy.high_skilled_level)
    sentence = portrait.answer(about, figures)
    frame.lead(sentence)
    frame.under_lead(profile.facts_line(about, visitor()))
    lost = None if figures is None else profile.lost_without(about["id"], policy)
    _ways_on(about, figures, lost, taken, sentence)
    if figures is not None:
        profile.strip(about["id"], figures, lost, policy)
    _timeline(about, taken)
    _three_columns(about, figures, taken)
    with st.container(key="noprint_more"):
        frame.rule()
        frame.heading(t("Profile"), "")
        frame.html(frame.facts(_profile_facts(about)))
        if figures is not None:
            frame.rule()
            _compared(about, figures)


def _ways_on(
    about: Person,
    figures: dict[str, Any] | None,
    lost: int | None,
    taken: list[Person],
    sentence: str,
) -> None:
    """To the lineage, to paper, and to a file."""
    with st.container(horizontal=True, key="noprint_ways", vertical_alignment="center"):
        frame.link("lineage", t("See the lineage"), id=about["id"])
        st.space("stretch")
        printing.print_button(t("Print"))
        policy = current_policy()
        table = _apprentice_table(about, taken[:MOST_APPRENTICES], policy)
        said = Said(
            about, figures, lost, taken, sentence, table, store.standing(), current_language(),
            policy, visitor(),
        )  # fmt: skip
        st.download_button(
            t("Save as a page"), partial(_sheet, said), f"profile-{about['id']}.html",
            "text/html", key="profile_sheet", on_click="ignore", type="primary",
        )  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What the page says of a person to one visitor.

    Its file is written when it is asked for, outside the page's run, where nobody's language,
    policy or role is known. `lost` is `profile.lost_without`, `apprentices` their table (HTML).
    """

    about: Person
    figures: dict[str, Any] | None
    lost: int | None
    taken: list[Person]
    sentence: str
    apprentices: str
    standing: store.Standing
    language: Language
    policy: Policy
    visitor: Visitor


def _sheet(said: Said) -> bytes:
    """The profile as one file that needs no network, as this visitor sees it."""
    about, taken, policy, figures = said.about, said.taken, said.policy, said.figures
    with spoken(said.language):
        head = [
            f'<h1 class="sc-lead">{said.sentence}</h1>',
            f"<p>{profile.facts_line(about, said.visitor)}</p>",
        ]
        if figures is not None:
            head.append(profile.six_figures(figures, said.lost))
        if about["recognitions"]:
            way = _ladder(about, taken, said.standing, said.visitor)
            head.append(ladder_svg(way, policy, said.language))
        reached = [(t("Driven by generation and channel"), profile.reach_table(figures))] if (
            figures is not None
        ) else []  # fmt: skip
        shown = [(t("Apprentices"), said.apprentices)]
        told = stories.story(about, taken, said.language)[-14:]
        story = [(t("Growth"), profile.growth(told))]
        basis = downloads.About(said.standing.revision or 0, policy)
        return sheet(about["name"], basis, said.language, head, [reached, shown, story])


def _timeline(about: Person, taken: list[Person]) -> None:
    """The ladder over the years, with honours, mentors, studios and apprentices."""
    if not about["recognitions"]:
        return
    frame.heading(t("Ladder and honours"), t("above the line: high-skilled"))
    way = _ladder(about, taken, store.standing(), visitor())
    st.vega_lite_chart(
        specification(ladder(way, current_policy(), frame.mode(), current_language())),
        width="stretch", theme=None, key="ladder", alt=t("Ladder and honours"),
    )  # fmt: skip


def _three_columns(about: Person, figures: dict[str, Any] | None, taken: list[Person]) -> None:
    """Apprentices; who drives and is driven; the growth story."""
    # English names of the channels are the longer ones.
    widths = [410, 350, 360] if current_language() == "en" else [410, 310, 400]
    left, middle, right = st.columns(widths, gap="medium")
    with left:
        _apprentices(about, taken)
    with middle:
        if figures is not None:
            frame.heading(t("Driven by generation and channel"), t("persons"))
            frame.html(profile.reach_table(figures))
        _driven_by(about)
        _mentors(about)
    with right:
        frame.heading(t("Growth"), t("the row each stands in: on hover"))
        told = stories.story(about, taken, current_language())
        if told:
            frame.html(profile.growth(told))
        else:
            frame.empty(t("Nothing with a day is on record"), t("A later load may add it."))


def _driven_by(about: Person) -> None:
    """The talents for whom this person counts; each leads to why."""
    rows = store.driven_by(about["id"], current_policy())
    if rows.is_empty():
        if not about["leading"]:
            told = t("Counts for no leading talent under this policy.")
            frame.muted(told)
        return
    frame.heading(
        t("Counts for"),
        tn("{n} leading talent", "{n} leading talents", rows.height, n=count(rows.height)),
    )
    for row in rows.head(MOST_TALENTS).iter_rows(named=True):
        text = t("{name}, generation {n}", name=row["name"], n=row["generation"])
        frame.link("lineage", text, id=row["talent_id"], selected=about["id"])


def _mentors(about: Person) -> None:
    mentors = portrait.distinct(about["mentors"])
    if not mentors:
        return
    frame.heading(t("Mentors"), count(len(mentors)))
    for row in mentors[:MOST_TALENTS]:
        frame.link("talent", row["name"], id=row["id"])


def _compared(about: Person, figures: dict[str, Any]) -> None:
    """Another talent beside this one: figures, and whom both drive."""
    frame.heading(t("Compare with another talent"), t("persons"))
    others = [id for id in choosing.chosen() if id != about["id"]][:1]
    choosing.people(others, 1, key="compare")
    if not others:
        told = t("Choose one, and both stand side by side.")
        frame.muted(told)
        return
    other, policy = person.person(others[0]), current_policy()
    if other is None or not other["leading"]:
        frame.empty(t("This person is no leading talent"), t("Choose a leading talent."))
        return
    theirs = store.figures_of(other["id"], policy)
    left, right = st.columns([560, 560], gap="large")
    with left:
        frame.html(profile.side_by_side((about["name"], figures), (other["name"], theirs)))
    with right:
        reach = store.reach(policy)
        both = joint([reach.of_key(id) for id in (about["id"], other["id"])])
        unit = t("persons")
        frame.html(
            joint_view.sums(both, unit)
            + joint_view.overlaps(both, [about["name"], other["name"]], unit)
        )


def _ladder(
    about: Person, taken: list[Person], standing: store.Standing, visitor: Visitor
) -> Ladder:
    years = Counter(row["start"].year for row in taken if row["start"] is not None)
    language = current_language()
    honours = [
        (row["day"], label(BASES[row["honour"]], language) if row["honour"] in BASES
         else row["honour"])
        for row in about["honours"]
        if row["day"]
    ]  # fmt: skip
    return Ladder(
        recognitions=[
            (r["day"], r["level"], _recognition(r, visitor)) for r in about["recognitions"]
        ],
        honours=honours,
        named=[row["day"] for row in about["named"]],
        mentors=[(m["name"], m["start"], m["end"]) for m in about["mentors"] if m["start"]],
        studios=[(studio(s), s["start"], s["end"]) for s in about["studios"] if s["start"]],
        until=standing.data_until or date.today(),
        taken_on=years,
    )  # fmt: skip


def _recognition(row: dict[str, Any], visitor: Visitor) -> str:
    from graph.model import MODES as RECOGNITION_MODES

    language = current_language()
    parts = [label(LEVELS[row["level"]], language), row["occupation"] or ""]
    if row["mode"]:
        parts.append(label(RECOGNITION_MODES[row["mode"]], language))
    if row["certificate"]:
        parts.append(masked_certificate(row["certificate"], visitor))
    return " · ".join(part for part in parts if part)


def _profile_facts(about: Person) -> list[tuple[str, str]]:
    language = current_language()
    comma = t(", ")
    job = about["employments"][-1] if about["employments"] else None
    rows = [
        (t("Number"), about["id"]),
        (t("Sex"), label(SEXES[about["sex"]], language) if about["sex"] else ""),
        (t("Born"), masked_born(about["born"], visitor())),
        (t("Type"), label(PERSON_TYPES[about["type"]], language) if about["type"] else ""),
        (t("Position"), (job["position"] or "") if job else ""),
        (t("Serves until"), day(job["service_until"]) if job and job["service_until"] else ""),
        (t("Retired on"), day(about["retired_on"]) if about["retired_on"] else ""),
    ]
    rows += [(t("Worked at"), _employed(row)) for row in about["employments"]]
    rows += [(t("Basis"), _named(row)) for row in about["named"]]
    rows += [(t("Honour"), _honour(row)) for row in about["honours"]]
    rows += [
        (t("Leads"), comma.join([s["name"], label(STUDIO_KINDS[s["kind"]], language)]))
        for s in about["studios"]
    ]
    rows += [(t("Trained at"), _period(row)) for row in about["trainings"][:4]]
    rows += [(t("Teaches at"), _period(row)) for row in about["teaching"]]
    rows += [
        (t("Competition"), t("{name}, place {rank}", name=row["name"], rank=row["rank"]))
        for row in about["placings"]
    ]
    if about["target"]:
        rows.append((t("Key training target"), day(about["listed_on"])))
    return rows  # fmt: skip


def _named(row: dict[str, Any]) -> str:
    basis = BASES.get(row["honour"])
    name = label(basis, current_language()) if basis else row["honour"]
    return t(", ").join(part for part in (name, row["industry"] or "", month(row["day"])) if part)


def _honour(row: dict[str, Any]) -> str:
    language = current_language()
    basis = BASES.get(row["honour"])
    name = label(basis, language) if basis else row["honour"]
    grade = label(GRADES[row["grade"]], language) if row["grade"] else ""
    return t(", ").join(part for part in (name, grade, month(row["day"])) if part)


def _employed(row: dict[str, Any]) -> str:
    """Where, from when to when, and whether the person was kept on after retirement."""
    kept_on = t("kept on after retirement") if row["reemployed"] else ""
    return t(", ").join(part for part in (_period(row), row["position"] or "", kept_on) if part)


def _period(row: dict[str, Any]) -> str:
    if row["start"] is None and row["end"] is None:
        return str(row["name"])
    end = month(row["end"]) if row["end"] else ""
    return f"{row['name']} {month(row['start'])}\N{EN DASH}{end}"


def _apprentices(about: Person, rows: list[Person]) -> None:
    """Direct apprentices with whether each counts, a page at a time."""
    if not rows:
        frame.heading(t("Apprentices"), "")
        frame.empty(t("No apprentice is recorded"), t("A mentorship in a later load adds one."))
        return
    pages = -(-len(rows) // MOST_APPRENTICES)
    head = st.container()
    at = _page_of_apprentices(pages)
    shown = rows[MOST_APPRENTICES * (at - 1) : MOST_APPRENTICES * at]
    standing = _standings(about, rows, current_policy())
    with head:
        frame.heading(
            t("Apprentices"), t("{n} of {all}", n=count(len(shown)), all=count(len(rows)))
        )
        frame.html(_apprentice_table(about, shown, current_policy()))
    with st.container(key="noprint_apprentices"):
        table = pl.DataFrame(
            {
                t("Number"): [row["id"] for row in rows],
                t("Name"): [row["name"] for row in rows],
                t("Level"): [row["level"] for row in rows],
                t("Taken on"): [row["start"] for row in rows],
                t("First high-skilled"): [row["skilled_on"] for row in rows],
                t("Counts?"): [standing[row["id"]][1] for row in rows],
            },
            strict=False,
        )
        about_file = downloads.About(store.revision(), current_policy())
        downloads.offer(table, about_file, "apprentices")


def _apprentice_table(about: Person, rows: list[Person], policy: Policy) -> str:
    standing = _standings(about, rows, policy)
    return profile.apprentices([row | {"state": standing[row["id"]]} for row in rows])


def _standings(about: Person, rows: list[Person], policy: Policy) -> dict[str, tuple[str, str]]:
    """Apprentice's id -> how he or she stands to this talent, and the words for it."""
    if not about["leading"]:
        return {row["id"]: ("", "") for row in rows}
    states = store.states_of(about["id"], policy)
    before = t("high-skilled before")
    words = {"driven": t("driven"), "pending": t("pending"), "none": t("does not count")}
    found = {}
    for row in rows:
        state = states.state(row["id"])
        early = row["skilled_on"] is not None and row["skilled_on"] < policy.window_start
        found[row["id"]] = state, before if state == "none" and early else words[state]
    return found


def _page_of_apprentices(pages: int) -> int:
    """Which page of the list is seen, from 1; it stands in the address as `apprentices`."""
    given = st.query_params.get("apprentices", "1")
    now = min(max(int(given) if given.isdecimal() else 1, 1), pages)
    if pages == 1:
        return 1
    with st.container(key="noprint_pages"):
        chosen = st.number_input(
            t("Page, 1 to {n}", n=pages), 1, pages, now, key="apprentices_page", width=140
        )
    if chosen != now:
        st.query_params["apprentices"] = str(chosen)
    return int(chosen)


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()
