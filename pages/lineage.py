"""Lineage: the instrument. Who taught one person, whom he or she taught, and who counts, why."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

import streamlit as st

from components import downloads, evidence, frame, lineage_view, person, portrait, store
from components.export import SUFFIXES
from components.i18n import current_language, label, t
from components.lineage import LineageState, lineage, lineage_state
from components.lineage_view import Lineage
from components.numbers import count, person_times, persons
from components.policy_form import current_policy
from components.portrait import Person
from graph.model import LEVELS

KEY = "lineage"


@frame.page
def page() -> None:
    """The page: of the person whose id stands in the address."""
    about = portrait.chosen("lineage")
    if about is None:
        return
    policy = current_policy()
    with st.spinner(t("Measuring the chains"), show_time=True):
        figures = store.figures_of(about["id"], policy) if about["leading"] else None
        seen = store.lineage_of(about["id"], policy)
    frame.lead(portrait.answer(about, figures))
    _instrument(about, figures, seen)


@st.fragment
def _instrument(about: Person, figures: dict[str, Any] | None, seen: Lineage) -> None:
    """The lineage and, right of it, whom it is about; a click reruns this alone."""
    with frame.notes():
        language = current_language()
        start = LineageState.from_query(
            {**st.query_params.to_dict(), "person": about["id"]}
        ) or LineageState(about["id"])
        state = lineage_state(KEY, start)
        _address(state)
        shown, hops = seen.shown(state)
        boxes = person.boxes(list(shown.generations), seen.policy.high_skilled_level)
        view = lineage_view.view(seen, state, shown, hops, boxes, language)
        frame.under_lead(_under(figures, seen, shown))
        left, right = st.columns([848, 280], gap="medium")
        with left:
            event = lineage(view, key=KEY)
        with right, st.container(key="panel_person"):
            _panel(about, figures, seen, state.selected)
        if event.action == "export":
            _export(view, seen, about["name"])
        if event.action == "search":
            st.session_state["find_text"] = event.text
            frame.go("find")


def _address(state: LineageState) -> None:
    """Writes the view into the address: ids, what is open, the years; never a name."""
    wanted = state.to_query()
    wanted.pop("person")
    for name in ("selected", "view"):
        if name in wanted:
            if st.query_params.get(name) != wanted[name]:
                st.query_params[name] = wanted[name]
        elif name in st.query_params:
            del st.query_params[name]


def _under(figures: dict[str, Any] | None, seen: Lineage, shown: Any) -> str:
    language = current_language()
    parts = []
    if figures is not None:
        parts = [
            f"<b>{escape(persons(figures['driven'], language))}</b>",
            f"<b>{escape(person_times(figures['person_times'], language))}</b>",
            escape(t("{persons} pending", persons=persons(figures["pending"], language))),
        ]
    return " · ".join([*parts, escape(lineage_view.told(seen, shown, language))])


def _panel(
    about: Person,
    figures: dict[str, Any] | None,
    seen: Lineage,
    selected: str | None,
) -> None:
    """The person in focus with the figures; below, whoever is selected and why."""
    portrait.who(about)
    if figures is not None:
        frame.rule()
        _by_generation(figures)
    if selected and selected != about["id"]:
        frame.rule()
        _selected(selected, seen)
    else:
        told = escape(t("Click a person to see why he or she counts."))
        frame.html(f'<div class="sc-muted">{told}</div>')


def _by_generation(figures: dict[str, Any]) -> None:
    """Bars in full credit, the mark when each worker is shared equally."""
    most = max([1, *figures["generations"]])
    rows = "".join(
        f"<tr><td>{escape(t('Gen {n}', n=n))}</td>"
        f'<td class="sc-track"><div class="sc-soft" style="width:{100 * number / most:.1f}%">'
        f'<i style="left:{100 * equal / most:.1f}%"></i></div></td>'
        f'<td class="n"><b>{count(number)}</b></td></tr>'
        for n, (number, equal) in enumerate(
            zip(figures["generations"], figures["shared"], strict=True), 1
        )
    )
    low, high = sorted((min(figures["credits"]), max(figures["credits"])))
    lines = "".join(
        f'<tr><td colspan="2" class="sc-muted">{escape(name)}</td><td class="n">{value}</td></tr>'
        for name, value in (
            (t("by mentorship alone"), count(figures["mentorship_only"])),
            (t("by studios alone"), count(figures["studio_only"])),
            (t("by each of the two alone"), count(figures["both"])),
            (t("by mixed chains alone"), count(figures["mixed"])),
        )
    )
    total = count(figures["driven"])
    band = escape(t("shared {low}–{high}", low=f"{low:,.0f}", high=f"{high:,.0f}"))
    frame.heading(t("Driven persons, by generation"), "")
    told = escape(t("bar: full · mark: shared"))
    frame.html(
        f'<table class="sc-table plain sc-generations">{rows}'
        f"<tr class='total'><td>{escape(t('Total'))}</td><td class='sc-muted'>{band}</td>"
        f"<td class='n'><b>{total}</b></td></tr>{lines}</table>"
        f'<div class="sc-muted">{told}</div>'
    )


def _selected(id: str, seen: Lineage) -> None:
    """Why the selected person counts for the talent: the chain with its rows, or why not."""
    other = person.person(id)
    if other is None:
        return
    language = current_language()
    titles = {
        "driven": t("Why {name} counts", name=other["name"]),
        "pending": t("{name} is pending", name=other["name"]),
    }
    none = t("Why {name} does not count", name=other["name"])
    title = titles.get(seen.reach.state(id), none) if seen.reach.leading else other["name"]
    frame.heading(title, "")
    if seen.reach.leading:
        evidence.panel(seen.why(id))
    badge = frame.level_badge(other["level"])
    title = label(LEVELS[other["level"]], language) if other["level"] else t("no level recorded")
    frame.html(f"<div>{badge} {escape(title)}</div>{portrait.facts(portrait.work(other))}")
    frame.link("talent", t("Open {name}", name=other["name"]), id=id)


def _export(view: Any, seen: Lineage, name: str) -> None:
    """Offers the view to take away, exactly as it stands."""

    @st.dialog(t("Take this view away"))
    def offer() -> None:
        shown = t("{n} people and {m} links, as shown, with the policy.",
                  n=count(len(view.nodes)), m=count(len(view.edges)))  # fmt: skip
        frame.html(f"<div>{escape(shown)}</div>")
        about = downloads.About(store.revision(), seen.policy)
        with st.container(horizontal=True, key="lineage_exports"):
            for text, format, mime in downloads.VIEWS:
                st.download_button(
                    text,
                    partial(downloads.view_file, view, format, about, name, frame.mode()),
                    f"lineage{SUFFIXES[format]}",
                    mime,
                    key=f"lineage_{text}",
                    on_click="ignore",
                )
        told = t("The address of this page reopens the view: share it as it is.")
        frame.html(f'<div class="sc-muted">{escape(told)}</div>')

    offer()


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()
