"""Talent: who one person is, how he or she rose, and who is driven."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import polars as pl
import streamlit as st

from graph.driven.reach_sets import compute_joint
from graph.messages import Language
from graph.model.vocabularies import (
    ACHIEVEMENT_KINDS,
    BASES,
    GRADES,
    LEVELS,
    PAY_FORMS,
    PERSON_TYPES,
    PROJECT_KINDS,
    RETIREMENT_CATEGORIES,
    SEXES,
    STUDIO_KINDS,
)
from graph.policy import Policy
from graph.tabular import About, series_of
from ui.browser import print_button
from ui.controls import downloads, joint_panel, people_picker
from ui.controls.charts import build_chart_spec
from ui.person import growth_story as stories
from ui.person import person_summary, record
from ui.person.person import (
    Apprentice,
    PaidSubsidy,
    Person,
    PersonAchievement,
    PersonEmployment,
    PersonHonour,
    PersonProject,
    PersonRecognition,
    PersonStay,
)
from ui.person.person_summary import format_studio, format_subsidy
from ui.profile import outlook, summary
from ui.profile.career_ladder import CareerLadder, build_ladder_chart
from ui.profile.career_ladder_svg import render_ladder_svg
from ui.profile.one_page_sheet import render_profile_sheet
from ui.reading import merged_ids, talent_figures
from ui.reading.talent_figures import TalentFigures
from ui.shell import address, frame, graph_state
from ui.shell.people_scope import filter_visible_rows
from ui.shell.policy_form import current_policy
from ui.shell.visitor import Visitor, identify_visitor, record_personal_read
from ui.shell.visitor import mask_birth_year as masked_born
from ui.shell.visitor import mask_certificate_number as masked_certificate
from ui.shell.visitor import mask_retirement_day as masked_retired
from ui.words.i18n import current_language, override_language, t, tn, translate_label
from ui.words.numbers import format_count, format_day, format_month
from ui.words.terms import format_person_name, translate_term

APPRENTICES_PER_PAGE = 12
MAX_PROFILE_TALENTS = 6


@frame.page
def page() -> None:
    """The page: of the person whose id stands in the address."""
    about = person_summary.find_chosen_person("talent")
    if about is None:
        return
    policy = current_policy()
    with st.spinner(t("Measuring the chains")):
        figures = talent_figures.fetch_talent_figures(about.id, policy) if about.leading else None
    taken = record.fetch_apprentices(about.id, policy.high_skilled_level)
    sentence = person_summary.render_person_answer(about, figures)
    frame.draw_lead(sentence)
    record_personal_read("profile", [about.id])
    frame.draw_under_lead(summary.render_facts_line(about, identify_visitor()))
    lost = None if figures is None else summary.fetch_irreplaceable_count(about.id, policy)
    _draw_profile_actions(about, figures, lost, taken, sentence)
    if figures is not None:
        summary.draw_figure_strip(about.id, figures, lost, policy)
    _draw_career_timeline(about, taken)
    _draw_profile_columns(about, figures, taken)
    with st.container(key="noprint_more"):
        frame.draw_rule()
        frame.draw_heading(t("Profile"), "")
        frame.draw_html(frame.render_facts(_list_profile_facts(about)))
        if figures is not None:
            if not identify_visitor().is_limited:  # it names who is pending
                frame.draw_rule()
                outlook.draw_talent_outlook(about.id, policy)
            frame.draw_rule()
            _draw_talent_comparison(about, figures)


def _draw_profile_actions(
    about: Person,
    figures: TalentFigures | None,
    lost: int | None,
    taken: list[Apprentice],
    sentence: str,
) -> None:
    """To the lineage, to paper, and to a file."""
    with st.container(horizontal=True, key="noprint_ways", vertical_alignment="center"):
        frame.draw_page_link("lineage", t("See the lineage"), id=about.id)
        if not identify_visitor().is_limited:
            frame.draw_page_link("story", t("Skill story"), id=about.id)
        st.space("stretch")
        print_button.draw_print_button(t("Print"))
        policy = current_policy()
        table = _render_shown_apprentices(about, taken[:APPRENTICES_PER_PAGE], policy)
        said = ProfileSnapshot(
            about,
            figures,
            lost,
            taken,
            sentence,
            table,
            graph_state.fetch_graph_revision(),
            current_language(),
            policy,
            identify_visitor(),
            talent_figures.build_page_about(policy),
        )
        downloads.draw_download_button(
            t("Save as a page"),
            partial(_build_profile_file, said),
            f"profile-{about.id}.html",
            "text/html",
            key="profile_sheet",
            people=[about.id],
            type="primary",
        )


@dataclass(frozen=True)
class ProfileSnapshot:
    """What the page says of a person to one visitor.

    Its file is written when it is asked for, outside the page's run, where nobody's language,
    policy or role is known. `lost` is that of `summary.fetch_irreplaceable_count`, `apprentices`
    their table (HTML).
    """

    about: Person
    figures: TalentFigures | None
    lost: int | None
    taken: list[Apprentice]
    sentence: str
    apprentices: str
    standing: graph_state.GraphRevision
    language: Language
    policy: Policy
    visitor: Visitor
    basis: About


def _build_profile_file(said: ProfileSnapshot) -> bytes:
    """The profile as one file that needs no network, as this visitor sees it."""
    about, taken, policy, figures = said.about, said.taken, said.policy, said.figures
    with override_language(said.language):
        head = [
            f'<h1 class="sc-lead">{said.sentence}</h1>',
            f"<p>{summary.render_facts_line(about, said.visitor)}</p>",
        ]
        if figures is not None:
            head.append(summary.render_six_figures(figures, said.lost))
        if about.recognitions:
            way = _build_career_ladder(about, taken, said.standing, said.visitor)
            head.append(render_ladder_svg(way, policy, said.language))
        reached = (
            [(t("Driven by generation and channel"), summary.render_reach_table(figures))]
            if (figures is not None)
            else []
        )
        shown = [(t("Apprentices"), said.apprentices)]
        events = stories.build_growth_story(
            _mask_growth_person(about, said.visitor), taken, said.language
        )[-14:]
        story = [(t("Growth"), summary.render_growth_story(events))]
        return render_profile_sheet(
            about.name, said.basis, said.language, head, [reached, shown, story]
        )


def _draw_career_timeline(about: Person, taken: list[Apprentice]) -> None:
    """The ladder over the years, with honours, mentors, studios and apprentices."""
    if not about.recognitions:
        return
    frame.draw_heading(t("Ladder and honours"), t("above the line: high-skilled"))
    way = _build_career_ladder(about, taken, graph_state.fetch_graph_revision(), identify_visitor())
    st.vega_lite_chart(
        build_chart_spec(
            build_ladder_chart(
                way, current_policy(), frame.detect_colour_mode(), current_language()
            )
        ),
        width="stretch",
        theme=None,
        key="ladder",
        alt=t("Ladder and honours"),
    )


def _draw_profile_columns(
    about: Person, figures: TalentFigures | None, taken: list[Apprentice]
) -> None:
    """Apprentices; who drives and is driven; the growth story."""
    # English names of the channels are the longer ones.
    widths = [410, 350, 360] if current_language() == "en" else [410, 310, 400]
    left, middle, right = st.columns(widths, gap="medium")
    with left:
        _draw_apprentices(about, taken)
    with middle:
        if figures is not None:
            frame.draw_heading(t("Driven by generation and channel"), t("persons"))
            frame.draw_html(summary.render_reach_table(figures))
            frame.draw_muted(t("Generation 1 is one link away: apprentices and studio trainees."))
        _draw_driving_talents(about)
        _draw_mentors(about)
    with right:
        frame.draw_heading(t("Growth"), t("the row each stands in: on hover"))
        events = stories.build_growth_story(
            _mask_growth_person(about, identify_visitor()), taken, current_language()
        )
        if events:
            frame.draw_html(summary.render_growth_story(events))
        else:
            frame.draw_empty_state(
                t("Nothing with a day is on record"), t("A later load may add it.")
            )


def _draw_driving_talents(about: Person) -> None:
    """The talents this person counts for; each leads to why."""
    every = talent_figures.fetch_talents_of_worker(about.id, current_policy())
    rows = filter_visible_rows(every, "talent_id")
    if every.height > rows.height:
        frame.draw_muted(
            t(
                "Counts for {n} leading talents outside your area.",
                n=format_count(every.height - rows.height),
            )
        )
        if rows.is_empty():
            return
    if rows.is_empty():
        if not about.leading:
            note = t("Counts for no leading talent under this policy.")
            frame.draw_muted(note)
        return
    frame.draw_heading(
        t("Counts for"),
        tn("{n} leading talent", "{n} leading talents", rows.height, n=format_count(rows.height)),
    )
    for row in rows.head(MAX_PROFILE_TALENTS).iter_rows(named=True):
        text = t(
            "{name}, generation {n}", name=format_person_name(row["name"]), n=row["generation"]
        )
        frame.draw_page_link("lineage", text, id=row["talent_id"], selected=about.id)


def _draw_mentors(about: Person) -> None:
    mentors = about.list_mentors()
    if not mentors and not about.unseen_mentors:
        return
    frame.draw_heading(t("Mentors"), format_count(len(mentors) + about.unseen_mentors))
    if about.unseen_mentors:
        frame.draw_muted(t("{n} outside your area", n=format_count(about.unseen_mentors)))
    for row in mentors[:MAX_PROFILE_TALENTS]:
        frame.draw_page_link("talent", format_person_name(row.name), id=row.id)


def _draw_talent_comparison(about: Person, figures: TalentFigures) -> None:
    """Another talent beside this one: figures, and the people both drive."""
    frame.draw_heading(t("Compare with another talent"), t("persons"))
    others = [id for id in people_picker.list_chosen_people() if id != about.id][:1]
    people_picker.draw_people_picker(others, 1, key="compare")
    if not others:
        hint = t("Choose one, and both stand side by side.")
        frame.draw_muted(hint)
        return
    other, policy = record.fetch_person(others[0]), current_policy()
    if other is None or not other.leading:
        frame.draw_empty_state(t("This person is no leading talent"), t("Choose a leading talent."))
        return
    theirs = talent_figures.fetch_talent_figures(other.id, policy)
    left, right = st.columns([560, 560], gap="large")
    with left:
        frame.draw_html(
            summary.render_talent_comparison(
                (format_person_name(about.name), figures),
                (format_person_name(other.name), theirs),
            )
        )
    with right:
        reach = talent_figures.fetch_talent_reach(policy)
        both = compute_joint([reach.of_key(id) for id in (about.id, other.id)])
        unit = t("persons")
        frame.draw_html(
            joint_panel.render_joint_sums(both, unit)
            + joint_panel.render_overlap_table(both, [about.name, other.name], unit)
        )


def _build_career_ladder(
    about: Person,
    taken: list[Apprentice],
    standing: graph_state.GraphRevision,
    visitor: Visitor,
) -> CareerLadder:
    years = Counter(row.start.year for row in taken if row.start is not None)
    language = current_language()
    honours = [
        (
            row.day,
            translate_label(BASES[row.honour], language)
            if row.honour in BASES
            else translate_term(row.honour),
        )
        for row in about.honours
        if row.day
    ]
    return CareerLadder(
        recognitions=[
            (r.day, r.level, _format_recognition(r, visitor)) for r in about.recognitions
        ],
        honours=honours,
        named=[row.day for row in about.named if row.day],
        mentors=[(m.name, m.start, m.end) for m in about.mentors if m.start],
        studios=[(format_studio(s), s.start, s.end) for s in about.studios if s.start],
        until=standing.data_until or date.today(),
        taken_on=years,
    )


def _mask_growth_person(about: Person, visitor: Visitor) -> Person:
    """The person as the growth story may show it: the day of retirement to data stewards."""
    return about if visitor.sees_personal_data else replace(about, retired_on=None)


def _format_recognition(row: PersonRecognition, visitor: Visitor) -> str:
    from graph.model.vocabularies import RECOGNITION_MODES

    language = current_language()
    parts = [
        translate_label(LEVELS[row.level], language),
        translate_term(row.occupation or ""),
    ]
    if row.mode:
        parts.append(translate_label(RECOGNITION_MODES[row.mode], language))
    if row.certificate:
        parts.append(masked_certificate(row.certificate, visitor))
    return " · ".join(part for part in parts if part)


def _list_profile_facts(about: Person) -> list[tuple[str, str]]:
    language = current_language()
    comma = t(", ")
    job = about.employments[-1] if about.employments else None
    rows = [
        (t("Number"), about.id),
        (t("Sex"), translate_label(SEXES[about.sex], language) if about.sex else ""),
        (t("Born"), masked_born(about.born, identify_visitor())),
        (
            t("Type"),
            translate_label(PERSON_TYPES[about.type], language) if about.type else "",
        ),
        (t("Position"), translate_term(job.position or "") if job else ""),
        (
            t("Serves until"),
            format_day(job.service_until) if job and job.service_until else "",
        ),
        (
            t("Non-compete until"),
            format_day(job.non_compete_until) if job and job.non_compete_until else "",
        ),
        (
            t("Retirement postponed until"),
            masked_retired(job.retirement_postponed_until, identify_visitor()) if job else "",
        ),
        (
            t("Form of pay"),
            translate_label(PAY_FORMS[job.pay_form], language) if job and job.pay_form else "",
        ),
        (
            t("Retires as"),
            translate_label(RETIREMENT_CATEGORIES[about.retirement_category], language)
            if about.retirement_category
            else "",
        ),
        (t("Retired on"), masked_retired(about.retired_on, identify_visitor())),
    ]
    further = merged_ids.list_further_id_lines([about.id])
    rows += [(t("Also known as"), line) for _, line in further]
    resting = merged_ids.list_resting_organisation_lines([about.id])
    rows += [(t("Its enterprise is also known as"), line) for _, line in resting]
    rows += [(t("Worked at"), _format_employment(row)) for row in about.employments]
    rows += [(t("Basis"), _format_naming(row)) for row in about.named]
    rows += [(t("Honour"), _format_honour_fact(row)) for row in about.honours]
    rows += [
        (t("Leads"), comma.join([s.name, translate_label(STUDIO_KINDS[s.kind], language)]))
        for s in about.studios
    ]
    rows += [(t("Trained at"), _format_period(row)) for row in about.trainings[:4]]
    rows += [(t("Teaches at"), _format_period(row)) for row in about.teaching]
    rows += [
        (t("Competition"), t("{name}, place {rank}", name=row.name, rank=row.rank))
        for row in about.placings
    ]
    rows += [(t("Project"), _format_project(row)) for row in about.projects]
    rows += [(t("Achievement"), _format_achievement(row)) for row in about.achievements]
    rows += [(t("Subsidy"), _format_paid(row)) for row in about.subsidies]
    if about.target:
        rows.append((t("Key training target"), format_day(about.listed_on)))
    return rows


def _format_paid(paid: PaidSubsidy) -> str:
    """A subsidy of the person, its amount for data stewards."""
    return format_subsidy(paid, amount_shown=identify_visitor().sees_personal_data)


def _format_naming(row: PersonHonour) -> str:
    basis = BASES.get(row.honour)
    name = translate_label(basis, current_language()) if basis else translate_term(row.honour)
    return t(", ").join(
        part for part in (name, translate_term(row.industry or ""), format_month(row.day)) if part
    )


def _format_honour_fact(row: PersonHonour) -> str:
    language = current_language()
    basis = BASES.get(row.honour)
    name = translate_label(basis, language) if basis else translate_term(row.honour)
    grade = translate_label(GRADES[row.grade], language) if row.grade else ""
    return t(", ").join(part for part in (name, grade, format_month(row.day)) if part)


def _format_project(row: PersonProject) -> str:
    kind = translate_label(PROJECT_KINDS[row.kind], current_language())
    parts = (_format_period(row), kind, translate_term(row.role or ""))
    return t(", ").join(part for part in parts if part)


def _format_achievement(row: PersonAchievement) -> str:
    language = current_language()
    kind = translate_label(ACHIEVEMENT_KINDS[row.kind], language)
    grade = translate_label(GRADES[row.grade], language) if row.grade else ""
    day = format_month(row.day) if row.day else ""
    return t(", ").join(part for part in (row.title, kind, grade, day) if part)


def _format_employment(row: PersonEmployment) -> str:
    """Where, from when to when, and whether the person was reemployed after retirement."""
    kept_on = t("kept on after retirement") if row.reemployed else ""
    parts = (_format_period(row), translate_term(row.position or ""), kept_on)
    return t(", ").join(part for part in parts if part)


def _format_period(row: PersonStay | PersonEmployment | PersonProject) -> str:
    if row.start is None and row.end is None:
        return str(row.name)
    end = format_month(row.end) if row.end else ""
    return f"{row.name} {format_month(row.start)}\N{EN DASH}{end}"


def _draw_apprentices(about: Person, rows: list[Apprentice]) -> None:
    """Direct apprentices with whether each counts, a page at a time."""
    unseen = about.apprentices - len({row.id for row in rows})
    if unseen > 0 and identify_visitor().is_limited:
        frame.draw_muted(t("Besides, {n} apprentices outside your area.", n=format_count(unseen)))
    if not rows:
        frame.draw_heading(t("Apprentices"), "")
        frame.draw_empty_state(
            t("No apprentice is recorded"), t("A mentorship in a later load adds one.")
        )
        return
    pages = -(-len(rows) // APPRENTICES_PER_PAGE)
    head = st.container()
    at = _draw_apprentice_pages(pages)
    shown = rows[APPRENTICES_PER_PAGE * (at - 1) : APPRENTICES_PER_PAGE * at]
    standing = _list_apprentice_states(about, rows, current_policy())
    with head:
        frame.draw_heading(
            t("Apprentices"),
            t("{n} of {all}", n=format_count(len(shown)), all=format_count(len(rows))),
        )
        frame.draw_html(_render_shown_apprentices(about, shown, current_policy()))
    with st.container(key="noprint_apprentices"):
        table = pl.DataFrame(
            {
                t("Number"): [row.id for row in rows],
                t("Name"): [row.name for row in rows],
                t("Level"): [row.level for row in rows],
                t("Taken on"): series_of("", [row.start for row in rows]),
                t("First high-skilled"): series_of("", [row.skilled_on for row in rows]),
                t("Counts?"): [standing[row.id][1] for row in rows],
            },
            strict=False,
        )
        basis = talent_figures.build_page_about(current_policy(), {"mentor": about.id})
        downloads.draw_download_buttons(table, basis, "apprentices")


def _render_shown_apprentices(about: Person, rows: list[Apprentice], policy: Policy) -> str:
    standing = _list_apprentice_states(about, rows, policy)
    return summary.render_apprentice_table(rows, standing)


def _list_apprentice_states(
    about: Person, rows: list[Apprentice], policy: Policy
) -> dict[str, tuple[str, str]]:
    """Apprentice's id -> how he or she stands to this talent, and the words for it."""
    if not about.leading:
        return {row.id: ("", "") for row in rows}
    states = talent_figures.fetch_person_states(about.id, policy)
    before = t("high-skilled before")
    words = {"driven": t("driven"), "pending": t("pending"), "none": t("does not count")}
    found: dict[str, tuple[str, str]] = {}
    for row in rows:
        state = states.state(row.id)
        early = row.skilled_on is not None and row.skilled_on < policy.window_start
        found[row.id] = state, before if state == "none" and early else words[state]
    return found


def _draw_apprentice_pages(pages: int) -> int:
    """Which page of the list is seen, from 1; `apprentices` in the address."""
    now = address.read_address_number("apprentices", pages)
    if pages == 1:
        return 1
    with st.container(key="noprint_pages"):
        chosen = st.number_input(
            t("Page, 1 to {n}", n=pages), 1, pages, now, key="apprentices_page", width=140
        )
    if chosen != now:
        st.query_params["apprentices"] = str(chosen)
    return int(chosen)
