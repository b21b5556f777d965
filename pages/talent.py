"""Talent: who one person is, how he or she rose, and whom he or she drives."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import Any

import streamlit as st

from components import frame, person, portrait, profile, store
from components.i18n import current_language, label, t
from components.ladder import Ladder, ladder
from components.numbers import count, day, month
from components.policy_form import current_policy
from components.portrait import Person, facts, studio
from components.visitor import born as masked_born
from components.visitor import certificate as masked_certificate
from components.visitor import visitor
from graph.model import BASES, GRADES, LEVELS, PERSON_TYPES, SEXES, STUDIO_KINDS

MOST_APPRENTICES = 12


@frame.page
def page() -> None:
    """The page: of the person whose id stands in the address."""
    about = portrait.chosen("talent")
    if about is None:
        return
    policy = current_policy()
    with st.spinner(t("Measuring the chains"), show_time=True):
        figures = store.figures_of(about["id"], policy) if about["leading"] else None
    frame.lead(portrait.answer(about, figures))
    frame.under_lead(profile.facts_line(about, visitor()))
    frame.link("lineage", t("See the lineage"), id=about["id"])
    if figures is not None:
        profile.strip(about["id"], figures, policy)
    _profile(about, figures)


def _profile(about: Person, figures: dict[str, Any] | None) -> None:
    """The ladder over the years, then facts, honours and direct apprentices."""
    policy = current_policy()
    if about["recognitions"]:
        frame.heading(t("Ladder and honours"), t("above the line: high-skilled"))
        st.altair_chart(
            ladder(_ladder(about), policy, frame.mode(), current_language()),
            width="stretch", theme=None, key="ladder", alt=t("Ladder and honours"),
        )  # fmt: skip
    left, right = st.columns([400, 700], gap="large")
    with left:
        if figures is not None:
            frame.heading(t("Driven by generation and channel"), t("persons"))
            frame.html(profile.reach_table(figures))
        frame.heading(t("Profile"), "")
        frame.html(facts(_profile_facts(about)))
    with right:
        _apprentices(about, figures)


def _ladder(about: Person) -> Ladder:
    language = current_language()
    honours = [
        (row["day"], label(BASES[row["honour"]], language) if row["honour"] in BASES
         else row["honour"])
        for row in about["honours"]
        if row["day"]
    ]  # fmt: skip
    return Ladder(
        recognitions=[(r["day"], r["level"], _recognition(r)) for r in about["recognitions"]],
        honours=honours,
        named=[row["day"] for row in about["named"]],
        mentors=[(m["name"], m["start"], m["end"]) for m in about["mentors"] if m["start"]],
        studios=[(studio(s), s["start"], s["end"]) for s in about["studios"] if s["start"]],
        until=store.standing().data_until or date.today(),
    )  # fmt: skip


def _recognition(row: dict[str, Any]) -> str:
    from graph.model import MODES as RECOGNITION_MODES

    language = current_language()
    parts = [label(LEVELS[row["level"]], language), row["occupation"] or ""]
    if row["mode"]:
        parts.append(label(RECOGNITION_MODES[row["mode"]], language))
    if row["certificate"]:
        parts.append(masked_certificate(row["certificate"], visitor()))
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


def _apprentices(about: Person, figures: dict[str, Any] | None) -> None:
    """Direct apprentices with whether each counts."""
    policy = current_policy()
    rows = person.apprentices(about["id"], policy.high_skilled_level)
    if not rows:
        frame.heading(t("Apprentices"), "")
        frame.empty(t("No apprentice is recorded"), t("A mentorship in a later load adds one."))
        return
    pages = -(-len(rows) // MOST_APPRENTICES)
    at = _page_of_apprentices(pages)
    rows_shown = rows[MOST_APPRENTICES * (at - 1) : MOST_APPRENTICES * at]
    frame.heading(
        t("Apprentices"), t("{n} of {all}", n=count(len(rows_shown)), all=count(len(rows)))
    )
    reach = store.lineage_of(about["id"], policy).reach
    words = {
        "driven": f'<span class="sc-driven">{escape(t("driven"))}</span>',
        "pending": f'<span class="sc-pending">{escape(t("pending"))}</span>',
    }
    lines = []
    for row in rows_shown:
        before = row["skilled_on"] is not None and row["skilled_on"] < policy.window_start
        other = escape(t("high-skilled before")) if before else escape(t("does not count"))
        plain = f'<span class="sc-muted">{other}</span>' if reach.leading else ""
        lines.append(
            frame.Row(
                row["name"],
                (
                    frame.level_badge(row["level"]), month(row["start"]),
                    month(row["skilled_on"]), words.get(reach.state(row["id"]), plain),
                ),
                "talent", {"id": row["id"]},
            )
        )  # fmt: skip
    frame.rows(
        lines, key="apprentices",
        head=(t("Name"), t("Level"), t("Taken on"), t("First high-skilled"), t("Counts?")),
    )  # fmt: skip


def _page_of_apprentices(pages: int) -> int:
    """Which page of the list is seen, from 1; it stands in the address as `apprentices`."""
    given = st.query_params.get("apprentices", "1")
    now = min(max(int(given) if given.isdecimal() else 1, 1), pages)
    if pages == 1:
        return 1
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
