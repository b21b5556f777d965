"""Who a person is, as the pages say it: name, level, marks and facts; whom an address names."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from components import frame, person, store
from components.honours import MARKS
from components.i18n import current_language, label, t, tn
from components.numbers import bold, count, interval, month, persons
from components.policy_form import current_policy
from graph.model import BASES, GRADES, LEVELS, PROVINCES

Person = dict[str, Any]


def chosen(page: str) -> Person | None:
    """Whom the address names, or who was looked at last; else the page says whom one may choose.

    `page` is the page that the names offered lead to.
    """
    id = st.query_params.get("id") or st.session_state.get("talent_id")
    about = person.person(id) if id else None
    if id is None or about is None:
        nobody(id, page)
        return None
    st.session_state["talent_id"] = id
    if st.query_params.get("id") != id:
        st.query_params["id"] = id
    return about


def nobody(id: str | None, page: str) -> None:
    """Nobody chosen yet, or nobody of this id: the talents who drive most, to begin with."""
    if id is None:
        frame.lead(escape(t("Choose someone, and see who taught whom.")))
    else:
        frame.lead(escape(t("There is nobody with this number.")))
        frame.note(
            t("The address names a person who is not in the graph"),
            t("The number may be mistyped, or a later load has taken the person back."),
        )
    policy = current_policy()
    with st.spinner(t("Measuring the chains"), show_time=True):
        rows = store.talents(policy).sort("driven", descending=True).head(10)
    frame.heading(t("The talents who drive most"), t("persons"))
    frame.rows(
        [
            frame.Row(
                row["name"],
                (
                    frame.level_badge(row["level"]), escape(row["occupation"] or "—"),
                    escape(row["enterprise"] or "—"), f"<b>{count(row['driven'])}</b>",
                ),
                page, {"id": row["talent_id"]},
            )
            for row in rows.iter_rows(named=True)
        ],
        key="most",
        head=(t("Name"), t("Level"), t("Occupation"), t("Enterprise"), t("Driven (persons)")),
    )  # fmt: skip
    frame.link("find", t("Find someone else"))


def answer(about: Person, figures: dict[str, Any] | None) -> str:
    """The page's sentence (HTML)."""
    language = current_language()
    name = escape(about["name"])
    if figures is None:
        return t(
            "{name} has {apprentices} and learned from {mentors}.",
            name=f"<b>{name}</b>",
            apprentices=bold(tn("{n} apprentice", "{n} apprentices", about["apprentices"],
                                n=count(about["apprentices"]))),
            mentors=bold(tn("{n} mentor", "{n} mentors", len(distinct(about["mentors"])),
                            n=count(len(distinct(about["mentors"]))))),
        )  # fmt: skip
    return t(
        "{name} drives {persons} new to high skill, {own} own apprentices; rank {rank} of {all}.",
        name=name, persons=bold(persons(figures["driven"], language), count(figures["driven"])),
        own=bold(persons(figures["own"], language)), rank=bold(interval(*figures["ranks"])),
        all=count(figures["talents"]),
    )  # fmt: skip


def distinct(rows: list[Person]) -> list[Person]:
    """Each person once, the first row of each."""
    return list({row["id"]: row for row in reversed(rows)}.values())[::-1]


def who(about: Person) -> None:
    language = current_language()
    level = about["level"]
    badge = frame.level_badge(level)
    title = label(LEVELS[level], language) if level else t("no level recorded")
    honours = "".join(
        f'<span class="sc-honour" title="{escape(name)}">{mark}</span> '
        for mark, name in marks(about)
    )
    named = about["named"]
    look = "sc-talent" if about["leading"] else ""
    since = t("leading talent since {month}", month=month(named[0]["day"])) if named else ""
    frame.html(
        f'<div class="sc-h"><h2 class="{look}">{escape(about["name"])}</h2>'
        f"<span>{badge} {escape(title)} {honours}</span></div>"
        f'<div class="sc-muted">{escape(since)}</div>{frame.facts(work(about))}'
    )


def marks(about: Person) -> list[tuple[str, str]]:
    """The honours' marks with their names, highest first."""
    language = current_language()
    held = {row["honour"] for row in (*about["named"], *about["honours"])}
    return [
        (mark[language == "zh"], label(BASES[code], language))
        for code, mark in MARKS.items()
        if code in held
    ]


def work(about: Person) -> list[tuple[str, str]]:
    language = current_language()
    comma = t(", ")
    studios = [studio(s) for s in about["studios"]]
    mentors = [m["name"] for m in distinct(about["mentors"])]
    province = PROVINCES.get(about["province"] or "")
    place = [about["enterprise"] or "", label(province, language) if province else ""]
    return [
        (t("Occupation"), about["occupation"] or ""),
        (t("Works at"), comma.join(part for part in place if part)),
        (t("Learned from"), comma.join(mentors[:4])),
        (t("Studio"), comma.join(studios[:2])),
        (t("Apprentices"), persons(about["apprentices"], language)),
    ]


def studio(led: dict[str, Any]) -> str:
    """Its name and grade."""
    grade = label(GRADES[led["grade"]], current_language()) if led["grade"] else ""
    return t(", ").join(part for part in (led["name"], grade) if part)
