"""Who a person is, as the pages show it: name, level, marks and facts; the person in an address."""

from __future__ import annotations

from html import escape

import streamlit as st

from graph.model.vocabularies import BASES, GRADES, LEVELS, PROVINCES, SUBSIDY_KINDS
from ui.person import record
from ui.person.honour_marks import HONOUR_MARKS
from ui.person.person import PaidSubsidy, Person, PersonBox, PersonStudio
from ui.reading import talent_figures
from ui.reading.talent_figures import TalentFigures
from ui.shell import frame
from ui.shell.people_scope import filter_visible_rows, resolve_visible_id
from ui.shell.policy_form import current_policy
from ui.words.i18n import current_language, t, tn, translate_label
from ui.words.numbers import (
    format_count,
    format_interval,
    format_month,
    format_persons,
    render_bold,
)
from ui.words.terms import format_person_name, translate_term


def find_chosen_person(page: str) -> Person | None:
    """The person in the address, or the last one seen; else the page offers people to choose.

    `page` is the page that the names offered lead to.
    """
    id = st.query_params.get("id") or st.session_state.get("talent_id")
    about = record.fetch_person(id) if id else None
    if id and about is None:
        id = resolve_visible_id(id)
        about = record.fetch_person(id)
    if id is None or about is None:
        draw_person_suggestions(id, page)
        return None
    st.session_state["talent_id"] = id
    if st.query_params.get("id") != id:
        st.query_params["id"] = id
    return about


def draw_person_suggestions(id: str | None, page: str) -> None:
    """Nobody chosen yet, or nobody of this id: the talents who drive most, to begin with."""
    if id is None:
        frame.draw_lead(escape(t("Choose someone, and see who taught whom.")))
    else:
        frame.draw_lead(escape(t("There is nobody with this number.")))
        frame.draw_note(
            t("The address names a person who is not in the graph"),
            t("The number may be mistyped, or a later load has taken the person back."),
        )
    policy = current_policy()
    with st.spinner(t("Measuring the chains")):
        rows = filter_visible_rows(talent_figures.fetch_talent_rows(policy), "talent_id")
        rows = rows.sort("driven", descending=True).head(10)
    frame.draw_heading(t("The talents who drive most"), t("persons"))
    frame.draw_row_list(
        [
            frame.ListRow(
                format_person_name(row["name"]),
                (
                    frame.render_level_badge(row["level"]),
                    escape(translate_term(row["occupation"] or "—")),
                    escape(row["enterprise"] or "—"),
                    f"<b>{format_count(row['driven'])}</b>",
                ),
                page,
                {"id": row["talent_id"]},
            )
            for row in rows.iter_rows(named=True)
        ],
        key="most",
        head=(t("Name"), t("Level"), t("Occupation"), t("Enterprise"), t("Driven (persons)")),
    )
    frame.draw_page_link("find", t("Find someone else"))


def render_person_answer(about: Person, figures: TalentFigures | None, leaders: int = 0) -> str:
    """The page's sentence (HTML); `leaders` led a studio where the person trained, no mentor."""
    language = current_language()
    name = escape(format_person_name(about.name))
    if figures is None:
        number = len(about.list_mentors()) + about.unseen_mentors
        values = {
            "name": f"<b>{name}</b>",
            "apprentices": render_bold(
                tn(
                    "{n} apprentice",
                    "{n} apprentices",
                    about.apprentices,
                    n=format_count(about.apprentices),
                )
            ),
            "mentors": render_bold(tn("{n} mentor", "{n} mentors", number, n=format_count(number))),
        }
        if not leaders:
            return t("{name} has {apprentices} and learned from {mentors}.", **values)
        led = tn("{n} studio leader", "{n} studio leaders", leaders, n=format_count(leaders))
        return t(
            "{name} has {apprentices} and learned from {mentors} and {leaders}.",
            **values,
            leaders=render_bold(led),
        )
    return t(
        "{name} drives {persons} new to high skill, {own} own apprentices; rank {rank} of {all}.",
        name=name,
        persons=render_bold(format_persons(figures.driven, language), format_count(figures.driven)),
        own=render_bold(format_persons(figures.own, language)),
        rank=render_bold(format_interval(*figures.ranks)),
        all=format_count(figures.talents),
    )


def draw_person_summary(about: Person) -> None:
    language = current_language()
    level = about.level
    badge = frame.render_level_badge(level)
    title = translate_label(LEVELS[level], language) if level else t("no level recorded")
    honours = "".join(
        f'<span class="sc-honour" title="{escape(name)}">{mark}</span> '
        for mark, name in list_honour_marks(about)
    )
    named = about.named
    look = "sc-talent" if about.leading else ""
    naming = t("leading talent since {month}", month=format_month(named[0].day)) if named else ""
    frame.draw_html(
        f'<div class="sc-h"><h2 class="{look}">{escape(format_person_name(about.name))}</h2>'
        f"<span>{badge} {escape(title)} {honours}</span></div>"
        f'<div class="sc-muted">{escape(naming)}</div>{frame.render_facts(list_work_facts(about))}'
    )


def render_person_step(box: PersonBox, look: str = "") -> str:
    """Level badge and name (HTML), a step of a chain (`ui.controls.chain_steps`); a click centres
    the lineage on the person.
    """
    name = format_person_name(box.name)
    label = escape(t("Centre the lineage on {name}", name=name))
    return (
        f"<span>{frame.render_level_badge(box.level)}</span>"
        f'<button type="button" class="sc-centre {look}" data-person="{escape(box.id)}" '
        f'title="{label}">{escape(name)}</button>'
    )


def list_honour_marks(about: Person) -> list[tuple[str, str]]:
    """The honours' marks with their names, highest first."""
    language = current_language()
    held = {row.honour for row in (*about.named, *about.honours)}
    return [
        (mark[language == "zh"], translate_label(BASES[code], language))
        for code, mark in HONOUR_MARKS.items()
        if code in held
    ]


def list_work_facts(about: Person) -> list[tuple[str, str]]:
    language = current_language()
    comma = t(", ")
    studios = [format_studio(s) for s in about.studios]
    mentors = [format_person_name(m.name) for m in about.list_mentors()][:4]
    if about.unseen_mentors:
        mentors.append(t("{n} outside your area", n=format_count(about.unseen_mentors)))
    province = PROVINCES.get(about.province or "")
    place = [about.enterprise or "", translate_label(province, language) if province else ""]
    return [
        (t("Occupation"), translate_term(about.occupation or "")),
        (t("Works at"), comma.join(part for part in place if part)),
        (t("Learned from"), comma.join(mentors)),
        (t("Studio"), comma.join(studios[:2])),
        (t("Apprentices"), format_persons(about.apprentices, language)),
    ]


def format_studio(led: PersonStudio) -> str:
    """Its name and grade."""
    grade = translate_label(GRADES[led.grade], current_language()) if led.grade else ""
    return t(", ").join(part for part in (led.name, grade) if part)


def format_subsidy(paid: PaidSubsidy, *, amount_shown: bool = True) -> str:
    """Its kind, year and amount, or that data stewards alone see the amount; a kind that is none of
    the list by its own name.
    """
    known = SUBSIDY_KINDS.get(paid.kind)
    kind = translate_label(known, current_language()) if known else paid.kind
    amount = t("amount for data stewards")
    if amount_shown:
        amount = t("{n} yuan", n=format_count(round(paid.amount)))
    return t(", ").join((kind, str(paid.year), amount))
