"""Two records of enterprises side by side, and why they may be one."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from graph.model.vocabularies import PROVINCES
from loaders.mapping.identifiers import is_credit_code
from loaders.matching.enterprise_names import GROUND_WORDS
from ui.shell import frame, graph_state
from ui.words.i18n import current_language, t, translate_label
from ui.words.numbers import format_count

_MAX_SHOWN_SOURCES: Final = 5


def draw_enterprise_pair(pair: dict[str, Any]) -> None:
    """Both records, and between them why the names are alike."""
    left, middle, right = st.columns([4, 3, 4], gap="medium")
    with left:
        _draw_enterprise(pair["id_a"])
    with middle:
        frame.draw_heading(t("Why alike"), "")
        facts = [(t("Name"), GROUND_WORDS[pair["ground"]].said(current_language()))]
        if pair["province"] is not None:
            same = t("the same") if pair["province"] else t("different")
            facts.append((t("Province"), same))
        frame.draw_html(frame.render_facts(facts))
    with right:
        _draw_enterprise(pair["id_b"])


def _draw_enterprise(id: str) -> None:
    rows = graph_state.read_live_rows("enterprise_review", id=id)
    if not rows:
        frame.draw_note(id, t("This record has changed since; match the enterprises again."))
        return
    (about,) = rows
    province = PROVINCES.get(about["province"] or "")
    frame.draw_heading(about["name"] or id, id if about["name"] != id else "")
    facts = [
        (t("Credit code"), id if is_credit_code(id) else ""),
        (t("Province"), translate_label(province, current_language()) if province else ""),
        (t("Industry"), about["industry"] or ""),
        (t("Ownership"), about["ownership"] or ""),
        (t("Employees"), format_count(about["employees"])),
        (t("Studios"), format_count(about["studios"])),
        (t("Stated by"), t(", ").join(about["sources"][:_MAX_SHOWN_SOURCES])),
        (t("Also known as"), t(", ").join(about["further"])),
    ]
    frame.draw_html(frame.render_facts(facts))
