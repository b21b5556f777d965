"""Two records of enterprises, schools or studios side by side, and why they may be one."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from graph.model.vocabularies import GRADES, PROVINCES, SCHOOL_KINDS, STUDIO_KINDS
from graph.store.identity_merge import IdentityKind
from loaders.mapping.identifiers import is_credit_code
from loaders.matching.organisation_names import GROUND_WORDS
from ui.shell import frame, graph_state
from ui.words.i18n import current_language, t, translate_label
from ui.words.numbers import format_count, format_day

_MAX_SHOWN_SOURCES: Final = 5


def draw_organisation_pair(pair: dict[str, Any], identity: IdentityKind) -> None:
    """Both records, and between them why the names are alike."""
    left, middle, right = st.columns([4, 3, 4], gap="medium")
    with left:
        _draw_organisation(pair["id_a"], identity)
    with middle:
        frame.draw_heading(t("Why alike"), "")
        facts = [(t("Name"), GROUND_WORDS[pair["ground"]].said(current_language()))]
        for name, title in (("province", t("Province")), ("host", t("Host"))):
            if pair[name] is not None:
                facts.append((title, t("the same") if pair[name] else t("different")))
        frame.draw_html(frame.render_facts(facts))
    with right:
        _draw_organisation(pair["id_b"], identity)


def _draw_organisation(id: str, identity: IdentityKind) -> None:
    label = identity.node.label
    rows = graph_state.read_live_rows(f"{label.lower()}_review", id=id)
    if not rows:
        frame.draw_note(id, t("This record has changed since; match the organisations again."))
        return
    (about,) = rows
    province = PROVINCES.get(about["province"] or "")
    frame.draw_heading(about["name"] or id, id if about["name"] != id else "")
    facts = [
        (t("Credit code"), id if is_credit_code(id) else ""),
        (t("Province"), translate_label(province, current_language()) if province else ""),
        *_list_own_facts(about, label),
        (t("Stated by"), t(", ").join(about["sources"][:_MAX_SHOWN_SOURCES])),
        (t("Also known as"), t(", ").join(about["further"])),
    ]
    frame.draw_html(frame.render_facts(facts))


def _list_own_facts(about: dict[str, Any], label: str) -> list[tuple[str, str]]:
    """What a kind alone says of itself."""
    language = current_language()
    if label == "Enterprise":
        return [
            (t("Industry"), about["industry"] or ""),
            (t("Ownership"), about["ownership"] or ""),
            (t("Employees"), format_count(about["employees"])),
            (t("Studios"), format_count(about["studios"])),
        ]
    kinds = SCHOOL_KINDS if label == "School" else STUDIO_KINDS
    kind = kinds.get(about["kind"] or "")
    facts = [(t("Kind"), translate_label(kind, language) if kind else "")]
    if label == "School":
        return [
            *facts,
            (t("Teachers"), format_count(about["teachers"])),
            (t("Trained here"), format_count(about["trained"])),
            (t("Partner enterprises"), format_count(about["partners"])),
        ]
    grade = GRADES.get(about["grade"] or "")
    return [
        *facts,
        (t("Grade"), translate_label(grade, language) if grade else ""),
        (t("Host"), about["host"] or ""),
        (t("Founded"), format_day(about["founded"]) if about["founded"] else ""),
        (t("Led by"), t(", ").join(about["leaders"])),
        (t("Trained here"), format_count(about["trained"])),
    ]
