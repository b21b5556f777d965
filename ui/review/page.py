"""Review: two records side by side, why they are alike, and whether they are one.

People and organisations alike; which of them is shown, the visitor chooses.
"""

from __future__ import annotations

from html import escape
from typing import Any, Final

import polars as pl
import streamlit as st

from graph.errors import ShichengError
from graph.model.vocabularies import PROVINCES, SEXES
from graph.store.identity_merge import (
    ENTERPRISES,
    IDENTITY_KINDS,
    PEOPLE,
    SCHOOLS,
    STUDIOS,
    IdentityKind,
)
from loaders.matching.judgements import IdPair, Verdict, list_judgements
from loaders.matching.match_words import FIELD_WORDS, LEVEL_WORDS, describe_weight
from loaders.matching.organisation_matching import load_organisation_queue
from loaders.matching.pair_decisions import decide_pair
from loaders.matching.people_matching import load_review_queue
from ui.person import record
from ui.reading import merged_ids
from ui.review.organisation_pair import draw_organisation_pair
from ui.shell import address, frame, graph_state
from ui.shell.visitor import (
    Visitor,
    check_permission,
    identify_visitor,
    mask_birth_year,
    record_personal_read,
    record_role_refusal,
)
from ui.words.i18n import current_language, t, tn, translate_label, translate_message
from ui.words.numbers import format_count, format_day, render_bold
from ui.words.terms import format_person_name, translate_term

_REVIEW_PAGE: Final = "review"
_PLACE_KEY: Final = "review_place"
_SAID_KEY: Final = "review_said"
MAX_SHOWN_RECORDS: Final = 5


@frame.page
def page() -> None:
    """The page: the pair that waits first; for data stewards alone."""
    visitor = identify_visitor()
    if not visitor.may("review"):
        record_role_refusal("review")
        frame.draw_lead(escape(t("Pairs of records are reviewed by data stewards.")))
        frame.draw_muted(
            t("This page shows two people's records side by side, so it asks for that role.")
        )
        return
    identity = _choose_identity()
    try:
        queue = _fetch_queue(identity)
    except ShichengError as error:
        frame.draw_lead(escape(t("No pair of records waits for a decision.")))
        of_people = identity is PEOPLE
        frame.draw_empty_state(
            t("People have not been matched yet. ")
            if of_people
            else t("Organisations of this kind have not been matched yet. "),
            translate_message(error),
            f"shicheng {'people' if of_people else 'organisations'} match",
        )
        return
    _draw_queue(queue, identity, visitor)


def _choose_identity() -> IdentityKind:
    """Whose records are reviewed."""
    names = {
        PEOPLE.node.label: t("People"),
        ENTERPRISES.node.label: t("Enterprises"),
        SCHOOLS.node.label: t("Schools"),
        STUDIOS.node.label: t("Studios"),
    }
    label = address.draw_required_choice(
        _REVIEW_PAGE, "whose", t("Whose records"), names, PEOPLE.node.label, untitled=True
    )
    return IDENTITY_KINDS[label]


def _fetch_queue(identity: IdentityKind) -> pl.DataFrame:
    """The pairs that wait, as they are now: what another steward judged meanwhile is gone.

    The two ids are `id_a` and `id_b`.
    """
    home, snapshot = graph_state.open_shared_database().settings.home, graph_state.fetch_snapshot()
    judgements = list_judgements(home, identity)
    if identity is not PEOPLE:
        return load_organisation_queue(snapshot, home, judgements, identity)
    queue = load_review_queue(snapshot, home, judgements)
    return queue.rename({"person_a": "id_a", "person_b": "id_b"})


def _draw_queue(queue: pl.DataFrame, identity: IdentityKind, visitor: Visitor) -> None:
    if said := st.session_state.pop(_SAID_KEY, None):
        frame.draw_note(*said)
    if queue.is_empty():
        frame.draw_lead(escape(t("No pair of records waits for a decision.")))
        frame.draw_muted(t("What you decided acts with the next load, or the next matching."))
        return
    number = tn("{n} pair", "{n} pairs", queue.height, n=format_count(queue.height))
    of_people = identity is PEOPLE
    frame.draw_lead(
        t("{pairs} of records may be one person each.", pairs=render_bold(number))
        if of_people
        else t("{pairs} of records may be one organisation each.", pairs=render_bold(number))
    )
    frame.draw_muted(t("What you decide acts with the next load, or the next matching."))
    place = st.session_state.get(_PLACE_KEY, 0) % queue.height
    pair = queue.row(place, named=True)
    if of_people:
        record_personal_read("review", [pair["id_a"], pair["id_b"]])
        _draw_pair(pair, visitor)
    else:
        draw_organisation_pair(pair, identity)
    _draw_decision_buttons(pair, place, identity, visitor)


def _draw_pair(pair: dict[str, Any], visitor: Visitor) -> None:
    """Both records, and between them how each field agrees."""
    left, middle, right = st.columns([4, 3, 4], gap="medium")
    with left:
        _draw_record(pair["id_a"], visitor)
    with middle:
        frame.draw_heading(t("Why alike"), f"{pair['probability']:.2%}")
        frame.draw_html(frame.render_facts(_list_agreements(pair)))
    with right:
        _draw_record(pair["id_b"], visitor)


def _list_agreements(pair: dict[str, Any]) -> list[tuple[str, str]]:
    """Each field that both state: how it agrees, and how much that says."""
    language = current_language()
    found = [field for field in FIELD_WORDS if pair[field] is not None]
    found.sort(key=lambda field: -abs(pair[f"{field}_bits"] or 0.0))
    return [
        (
            FIELD_WORDS[field].said(language),
            t(
                "{level} ({weight})",
                level=LEVEL_WORDS[pair[field]].said(language),
                weight=describe_weight(pair[f"{field}_bits"] or 0.0).said(language),
            ),
        )
        for field in found
    ]


def _draw_record(id: str, visitor: Visitor) -> None:
    about = record.fetch_person(id)
    if about is None:
        frame.draw_note(id, t("This record has changed since; match the people again."))
        return
    language = current_language()
    sex, province = SEXES.get(about.sex or ""), PROVINCES.get(about.province or "")
    frame.draw_heading(format_person_name(about.name), about.id)
    facts = [
        (t("Sex"), translate_label(sex, language) if sex else ""),
        (t("Born"), mask_birth_year(about.born, visitor)),
        (t("Province"), translate_label(province, language) if province else ""),
        (t("Enterprise"), about.enterprise or ""),
        (t("Occupation"), translate_term(about.occupation or "")),
    ]
    facts += [(t("Worked at"), job.name) for job in about.employments[:MAX_SHOWN_RECORDS]]
    facts += [
        (t("Recognised"), t("level {level}, {day}", level=one.level, day=format_day(one.day)))
        for one in about.recognitions[:MAX_SHOWN_RECORDS]
    ]
    facts += [(t("Mentor"), one.name) for one in about.mentors[:MAX_SHOWN_RECORDS]]
    facts += [(t("Also known as"), line) for _, line in merged_ids.list_further_id_lines([id])]
    frame.draw_html(frame.render_facts(facts))
    frame.draw_page_link("talent", t("The whole profile"), id=id)


def _draw_decision_buttons(
    pair: dict[str, Any], place: int, identity: IdentityKind, visitor: Visitor
) -> None:
    """What can be decided; each has a key of its own."""
    of_people = identity is PEOPLE
    verdicts: dict[Verdict, tuple[str, str]] = {
        "same": (t("One person") if of_people else t("One and the same"), "m"),
        "different": (t("Different people") if of_people else t("Different ones"), "d"),
        "later": (t("Later"), "l"),
    }
    with st.container(horizontal=True, key="review_decisions"):
        for verdict, (name, shortcut) in verdicts.items():
            # Bound to the pair that is drawn: another steward may have judged it meanwhile, and
            # the next run's queue begins with another one.
            st.button(
                name,
                key=f"review_{verdict}",
                shortcut=shortcut,
                type="primary" if verdict == "same" else "secondary",
                on_click=_save_verdict,
                args=((pair["id_a"], pair["id_b"]), verdict, identity, visitor),
            )
        if st.button(t("Next"), key="review_next", shortcut="n"):
            st.session_state[_PLACE_KEY] = place + 1
            st.rerun()


def _save_verdict(pair: IdPair, verdict: Verdict, identity: IdentityKind, visitor: Visitor) -> None:
    """What was decided of the pair that was drawn, or why nothing could be, for the next run."""
    if not check_permission("review") or identify_visitor() != visitor:
        return
    try:
        title = t("Written down")
        said = decide_pair(
            graph_state.open_shared_database(), *pair, verdict, visitor.id, identity
        ).said(current_language())
    except ShichengError as error:
        title, said = t("This cannot be shown"), translate_message(error)
    st.session_state[_SAID_KEY] = title, said
