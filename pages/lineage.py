"""Lineage: the instrument. Who taught one person, whom he or she taught, and who counts, why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import streamlit as st

from components import (
    address,
    connecting,
    downloads,
    evidence,
    frame,
    lineage_filters,
    lineage_view,
    notes,
    person,
    portrait,
    store,
)
from components.connecting import Shown
from components.export import SUFFIXES
from components.i18n import current_language, label, t
from components.lineage import HEIGHT, LineageView, keep_state, lineage, lineage_state
from components.lineage_state import LineageEvent, LineageState
from components.lineage_view import Lineage
from components.numbers import count, interval, person_times, persons
from components.picture import png_button
from components.policy_form import current_policy
from components.portrait import Person
from graph.model import LEVELS

KEY = "lineage"
BAR = 46  # px, a row above the widget
Figures = dict[str, Any] | None
MOST = (300, 1_000, 5_000)  # people shown, when one screen is not enough
ADDRESS = ("selected", "also", "view")


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
def _instrument(about: Person, figures: Figures, seen: Lineage) -> None:
    """The lineage and, right of it, whom it is about; a click reruns this alone."""
    with frame.notes():
        state = _state(about["id"])
        _address(state)
        under = st.container()
        left, right = st.columns([848, 280], gap="medium")
        with left:
            tool, most = _bar(seen, state)
            if tool == "lineage":
                told = _lineage(about, seen, state, most)
                panel: Callable[[], None] = partial(_whom, about, figures, seen, state.selected)
            else:
                told, panel = _connection(tool, about, figures, seen, state)
        with under:
            frame.under_lead(_under(figures, told))
        with right, st.container(key="panel_person"):
            panel()


# --- the state of the page --------------------------------------------------------------------


def _state(focus: str) -> LineageState:
    """The session's state; the address's, when somebody came here by another address."""
    asked = {name: st.query_params.get(name, "") for name in ADDRESS}
    start = LineageState.from_query({**asked, "person": focus}) or LineageState(focus)
    written = st.session_state.get("lineage.address")
    st.session_state["lineage.address"] = {"id": focus, **asked}
    if written is not None and written != {"id": focus, **asked}:
        return keep_state(KEY, start)
    return lineage_state(KEY, start)


def _address(state: LineageState) -> None:
    """Writes the view into the address: ids, what is open, the years; never a name."""
    wanted = state.to_query()
    for name in ADDRESS:
        address.write(name, wanted.get(name))
    now = {name: wanted.get(name, "") for name in ADDRESS}
    st.session_state["lineage.address"] = {"id": state.focus, **now}


def _bar(seen: Lineage, state: LineageState) -> tuple[str, int | None]:
    """What is looked at, how many people at most, and the views: one row above the widget."""
    words = {
        "lineage": t("Lineage"), "path": t("Path"), "common": t("Common mentors"),
        "branches": t("Branches"),
    }  # fmt: skip
    if not seen.reach.leading:
        del words["branches"]
    most = None
    with st.container(horizontal=True, key="lineage_bar", vertical_alignment="center"):
        tool = address.one_of(
            "lineage", "tool", t("Kind of view"), words, "lineage", untitled=True,
            leaves=("with", "way", "path"),
        )  # fmt: skip
        if tool == "lineage":
            most = _most()
            lineage_filters.box(seen, state, KEY)
        with st.popover(t("Saved views"), key="lineage_saved"):
            notes.saved()
        with st.popover(t("Share this view"), key="lineage_share"):
            notes.share()
    return tool, most


def _most() -> int | None:
    """People shown at most; None for about one screen of them."""
    screen = "0"
    shown = {screen: t("one screen"), **{str(n): t("up to {n}", n=count(n)) for n in MOST}}
    chosen = address.one_of(
        "lineage", "most", t("People shown"), shown, screen, folded=True, untitled=True, width=124
    )
    return int(chosen) or None


def _under(figures: Figures, told: str) -> str:
    language = current_language()
    parts = []
    if figures is not None:
        parts = [
            f"<b>{escape(persons(figures['driven'], language))}</b>",
            f"<b>{escape(person_times(figures['person_times'], language))}</b>",
            escape(t("{persons} pending", persons=persons(figures["pending"], language))),
        ]
    return " · ".join([*parts, escape(told)] if told else parts)


# --- the exhibits -----------------------------------------------------------------------------


def _lineage(about: Person, seen: Lineage, state: LineageState, most: int | None) -> str:
    """The lineage itself; returns how much of it is shown."""
    shown, hops = seen.shown(state, most)
    boxes = person.boxes(list(shown.generations), seen.policy.high_skilled_level)
    studios = person.studio_names(list(shown.groups))
    view = lineage_view.view(seen, state, shown, hops, boxes, current_language(), studios)
    noted = notes.noted(list(shown.generations))
    view = replace(view, marks=tuple(noted), mark_word=t("With notes") if noted else "")
    _acted(
        lineage(view, key=KEY, height=HEIGHT - BAR),
        view,
        seen,
        t("Lineage of {name}", name=about["name"]),
    )
    return lineage_view.told(seen, shown, current_language())


def _connection(
    tool: str, about: Person, figures: Figures, seen: Lineage, state: LineageState
) -> tuple[str, Callable[[], None]]:
    """A path, the common mentors or two branches: what it says, and how its panel is drawn."""
    make, panel = {
        "path": (connecting.path, connecting.path_panel),
        "common": (connecting.common, connecting.common_panel),
        "branches": (connecting.compare, connecting.compare_panel),
    }[tool]
    shown = make(about, seen, state)
    frame.html(f'<div class="sc-answer" role="status">{escape(shown.told)}</div>')
    if shown.view is not None:
        event = lineage(shown.view, key=connecting.KEY, height=HEIGHT - 3 * BAR)
        _acted(event, shown.view, seen, shown.told)
    told = t("{n} people shown", n=count(len(shown.view.nodes))) if shown.view else ""

    def beside() -> None:
        panel(shown)
        _also_selected(about, seen, shown)

    return told, beside


def _also_selected(about: Person, seen: Lineage, shown: Shown) -> None:
    selected = shown.view.selected if shown.view else None
    if selected:
        frame.rule()
        _selected(selected, seen, about)


def _acted(event: LineageEvent, view: LineageView, seen: Lineage, title: str) -> None:
    """What the page itself does of what was done in the widget."""
    if event.action == "export":
        _export(view, seen, title)
    if event.action == "search":
        st.session_state["find_text"] = event.text
        frame.go("find")
    if event.action == "focus" and event.person:
        frame.go("lineage", id=event.person)


def _whom(about: Person, figures: Figures, seen: Lineage, selected: str | None) -> None:
    """The person in focus with the figures; below, whoever is selected and why."""
    portrait.who(about)
    frame.link("talent", t("Open the profile"), id=about["id"])
    if figures is not None:
        frame.rule()
        _by_generation(figures)
    frame.rule()
    if selected and selected != about["id"]:
        _selected(selected, seen, about)
    else:
        told = escape(t("Click a person to see why he or she counts."))
        frame.html(f'<div class="sc-muted">{told}</div>')
        notes.panel(about["id"], about["name"])


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
    rank = escape(
        t("Rank {rank}: from the best to the worst place by full, equal, nearest and decaying "
          "credit.", rank=interval(*figures["ranks"]))
    )  # fmt: skip
    frame.html(
        f'<table class="sc-table plain sc-generations">{rows}'
        f"<tr class='total'><td>{escape(t('Total'))}</td><td class='sc-muted'>{band}</td>"
        f"<td class='n'><b>{total}</b></td></tr>{lines}</table>"
        f'<div class="sc-muted">{told}<br>{rank}</div>'
    )


def _selected(id: str, seen: Lineage, about: Person) -> None:
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
    asked = seen.reach.leading and id != about["id"]
    title = titles.get(seen.reach.state(id), none) if asked else other["name"]
    frame.heading(title, "")
    if asked:
        evidence.panel(seen.why(id))
    badge = frame.level_badge(other["level"])
    title = label(LEVELS[other["level"]], language) if other["level"] else t("no level recorded")
    frame.html(f"<div>{badge} {escape(title)}</div>{frame.facts(portrait.work(other))}")
    with st.container(horizontal=True, key="selected_links", vertical_alignment="center"):
        frame.link("talent", t("Open {name}", name=other["name"]), id=id)
        # A page link to the page one is on does nothing; going there does.
        if id != about["id"]:
            if st.button(t("Lineage"), key=f"to_lineage_{id}", type="tertiary"):
                frame.go("lineage", id=id)
            if st.button(t("Path"), key=f"to_path_{id}", type="tertiary"):
                frame.go("lineage", id=about["id"], tool="path", **{"with": [about["id"], id]})
    notes.panel(id, other["name"])


# --- taking away ------------------------------------------------------------------------------


def _filters(view: LineageView) -> dict[str, str]:
    """What an export says of the view beside the policy: ids and settings, as in the address."""
    return {
        name: ",".join(values)
        for name, values in notes.address().items()
        if name not in ("lang", *current_policy().as_dict())
    } | ({"years": f"{view.years[0]}-{view.years[1]}"} if view.years else {})


def _export(view: LineageView, seen: Lineage, title: str) -> None:
    """Offers the view to take away, exactly as it stands."""

    @st.dialog(t("Take this view away"))
    def offer() -> None:
        shown = t("{n} people and {m} links, as shown, with the policy.",
                  n=count(len(view.nodes)), m=count(len(view.edges)))  # fmt: skip
        frame.html(f"<div>{escape(shown)}</div>")
        about = downloads.About(store.revision(), seen.policy, _filters(view))
        mode = frame.mode()
        with st.container(horizontal=True, key="lineage_exports"):
            drawing = downloads.view_drawing(view, about, title, mode)
            png_button("PNG", drawing, "lineage.png", key="lineage_PNG")
            for text, format, mime in downloads.VIEWS:
                st.download_button(
                    text,
                    partial(downloads.view_file, view, format, about, title, mode),
                    f"lineage{SUFFIXES[format]}",
                    mime,
                    key=f"lineage_{text}",
                    on_click="ignore",
                )
        told = t("The address of this page reopens the view: share it as it is.")
        frame.muted(told)

    offer()


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()
