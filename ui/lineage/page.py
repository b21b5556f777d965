"""Lineage: who taught one person, who was taught in turn, and why each of them counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape

import streamlit as st

from graph.model.vocabularies import LEVELS
from ui.browser.picture_button import draw_png_button
from ui.controls import downloads
from ui.export.network_files import FORMAT_SUFFIXES
from ui.lineage import (
    evidence_panel,
    filters,
    group_columns,
    notes,
    people_list,
    readings,
    tools,
    view_files,
)
from ui.lineage import view as lineage_view
from ui.lineage.state import ColumnContent, LineageEvent, LineageState
from ui.lineage.tools import ToolResult
from ui.lineage.view import Lineage
from ui.lineage.widget import (
    WIDGET_HEIGHT_PX,
    LineageView,
    draw_lineage,
    is_state_ahead_of_address,
    mark_state_addressed,
    read_lineage_state,
    save_lineage_state,
)
from ui.person import person_summary, record
from ui.person.person import Person, PersonBox
from ui.reading import talent_figures
from ui.reading.talent_figures import TalentFigures
from ui.shell import address, frame
from ui.shell.policy_form import current_policy
from ui.shell.visitor import identify_visitor
from ui.words.i18n import current_language, t, translate_label
from ui.words.numbers import format_count, format_interval, format_person_times, format_persons
from ui.words.terms import format_person_name

LINEAGE_STATE_KEY = "lineage"
BAR_HEIGHT_PX = 46  # px, a row above the widget
VIEW_PARAMETERS = ("selected", "also", "view")


@frame.page
def page() -> None:
    """The page: of the person whose id stands in the address."""
    about = person_summary.find_chosen_person("lineage")
    if about is None:
        return
    policy = current_policy()
    with st.spinner(t("Measuring the chains")):
        figures = talent_figures.fetch_talent_figures(about.id, policy) if about.leading else None
        seen = readings.fetch_lineage(about.id, policy)
    frame.draw_lead(person_summary.render_person_answer(about, figures, seen.studio_leaders()))
    _draw_lineage_instrument(about, figures, seen)


@frame.fragment()
def _draw_lineage_instrument(about: Person, figures: TalentFigures | None, seen: Lineage) -> None:
    """The lineage and, right of it, its person; a click reruns this alone."""
    with frame.show_errors_as_notes():
        state = _read_settled_state(about.id, seen)
        _write_state_address(state)
        under = st.container()
        left, right = st.columns([848, 280], gap="medium")
        with left:
            tool = _draw_lineage_bar(seen, state)
            if tool == "lineage":
                summary = _draw_lineage_view(about, seen, state)
                panel: Callable[[], None] = partial(
                    _draw_lineage_panel, about, figures, seen, state.selected
                )
            else:
                summary, panel = _draw_connection_tool(tool, about, figures, seen, state)
        with under:
            frame.draw_under_lead(_render_lineage_under_lead(figures, summary))
        with right, st.container(key="panel_person"):
            panel()
        if tool == "lineage":
            _draw_lineage_list(about, seen, state)


# --- the state of the page --------------------------------------------------------------------


def _read_settled_state(focus: str, seen: Lineage) -> LineageState:
    """The session's state; the address's, when somebody came here by another address.

    A large lineage begins as groups, unless somebody in it is to be seen.
    """
    state = _read_address_state(focus)
    if not seen.large:
        return state
    begins: ColumnContent = "branch" if seen.large and not state.selected else "people"
    settled = state.settled(begins)
    return state if settled is state else save_lineage_state(LINEAGE_STATE_KEY, settled)


def _read_address_state(focus: str) -> LineageState:
    asked = {name: st.query_params.get(name, "") for name in VIEW_PARAMETERS}
    start = LineageState.from_query({**asked, "person": focus}) or LineageState(focus)
    written: dict[str, str] = st.session_state.get("lineage.address", {})
    st.session_state["lineage.address"] = {"id": focus, **asked}
    moved = bool(written) and written != {"id": focus, **asked}
    late = written.get("id") == focus and is_state_ahead_of_address(LINEAGE_STATE_KEY)
    if moved and not late:
        return save_lineage_state(LINEAGE_STATE_KEY, start)
    return read_lineage_state(LINEAGE_STATE_KEY, start)


def _write_state_address(state: LineageState) -> None:
    """Writes the view into the address: ids, what is open, the years; never a name."""
    wanted = state.to_query()
    address.write_parameters({name: wanted.get(name) for name in VIEW_PARAMETERS})
    now = {name: wanted.get(name, "") for name in VIEW_PARAMETERS}
    st.session_state["lineage.address"] = {"id": state.focus, **now}
    mark_state_addressed(LINEAGE_STATE_KEY)


def _draw_lineage_bar(seen: Lineage, state: LineageState) -> str:
    """What is looked at, what the columns hold, and the views: one row above the widget."""
    words = {
        "lineage": t("Lineage"),
        "path": t("Path"),
        "common": t("Common mentors"),
        "branches": t("Branches"),
    }
    if not seen.reach.leading:
        del words["branches"]
    if identify_visitor().is_limited:  # the other views go by way of anybody
        words = {"lineage": words["lineage"]}
    with st.container(horizontal=True, key="lineage_bar", vertical_alignment="center"):
        tool = address.draw_required_choice(
            "lineage",
            "tool",
            t("Kind of view"),
            words,
            "lineage",
            untitled=True,
            leaves=("with", "way", "path"),
        )
        if tool == "lineage":
            _draw_columns_control(state)
            filters.draw_filter_box(seen, state, LINEAGE_STATE_KEY)
        with st.popover(t("Saved views"), key="lineage_saved"):
            notes.draw_saved_views()
        with st.popover(t("Share this view"), key="lineage_share"):
            notes.draw_share_address()
    return tool


def _draw_columns_control(state: LineageState) -> None:
    """What the columns hold: people, as many as fit, or everyone in groups."""
    words: dict[ColumnContent, str] = {
        "people": t("One screen"),
        "branch": t("By branch"),
        "occupation": t("By occupation"),
        "level": t("By level"),
        "studio": t("By studio"),
    }
    widget = "lineage_columns"
    st.session_state[widget] = state.shown.columns or "people"

    def keep() -> None:
        save_lineage_state(LINEAGE_STATE_KEY, state.hold(st.session_state[widget]))

    st.selectbox(
        t("What the columns hold"),
        list(words),
        key=widget,
        on_change=keep,
        width=150,
        format_func=lambda columns: words[columns],
        label_visibility="collapsed",
    )


def _render_lineage_under_lead(figures: TalentFigures | None, summary: str) -> str:
    language = current_language()
    parts = []
    if figures is not None:
        parts = [
            f"<b>{escape(format_persons(figures.driven, language))}</b>",
            f"<b>{escape(format_person_times(figures.person_times, language))}</b>",
            escape(t("{persons} pending", persons=format_persons(figures.pending, language))),
        ]
    return " · ".join([*parts, escape(summary)] if summary else parts)


# --- the exhibits -----------------------------------------------------------------------------


def _draw_lineage_view(about: Person, seen: Lineage, state: LineageState) -> str:
    """The lineage itself; returns how much of it is drawn."""
    view = (
        _build_groups_view(seen, state)
        if state.shown.in_groups
        else _build_people_view(seen, state)
    )
    people = [node.id for node in view.nodes if not node.group]
    noted = notes.count_notes(people)
    view = replace(view, marks=tuple(noted), mark_word=t("With notes") if noted else "")
    event = draw_lineage(view, key=LINEAGE_STATE_KEY, height=WIDGET_HEIGHT_PX - BAR_HEIGHT_PX)
    _apply_widget_event(event, view, seen, about.name, _format_export_title(about, seen))
    return lineage_view.describe_drawn_people(seen, len(people), state, current_language())


def _format_export_title(about: Person, seen: Lineage) -> str:
    """The title of what is taken away, in words."""
    if not seen.reach.leading:
        return t("Lineage of {name}", name=about.name)
    driven = format_persons(len(seen.reach.generation), current_language())
    return t("Lineage of {name}: {persons} driven", name=about.name, persons=driven)


def _build_people_view(seen: Lineage, state: LineageState) -> LineageView:
    shown, hops = seen.shown(state)
    boxes = _fetch_lineage_boxes(seen, list(shown.generations))
    studios = record.fetch_studio_names(list(shown.groups))
    return lineage_view.build_lineage_view(
        seen, state, shown, hops, boxes, current_language(), studios
    )


def _build_groups_view(seen: Lineage, state: LineageState) -> LineageView:
    return group_columns.build_grouped_view(
        seen,
        state,
        group_columns.group_lineage(seen, state.shown),
        seen.chain(state.selected) if state.selected else (),
        partial(_fetch_lineage_boxes, seen),
        people_list.build_group_namer(seen),
        current_language(),
    )


def _fetch_lineage_boxes(seen: Lineage, people: list[str]) -> dict[str, PersonBox]:
    return record.fetch_person_boxes(people, seen.policy.high_skilled_level)


def _draw_lineage_list(about: Person, seen: Lineage, state: LineageState) -> None:
    """The people of the group, or of the generation, that the address asks for."""
    asked = st.query_params.get("list")
    if not asked:
        return
    by: ColumnContent = state.shown.columns if state.shown.in_groups else "branch"
    shown = replace(state.shown, columns=by)
    found = group_columns.group_lineage(seen, shown)
    chosen = people_list.draw_group_list(seen, found, asked, about.name)
    if chosen:
        save_lineage_state(LINEAGE_STATE_KEY, state.select(chosen))
        st.rerun(scope="fragment")


def _draw_connection_tool(
    tool: str, about: Person, figures: TalentFigures | None, seen: Lineage, state: LineageState
) -> tuple[str, Callable[[], None]]:
    """A path, the common mentors or two branches: what it says, and how its panel is drawn."""
    make, panel = {
        "path": (tools.draw_path_tool, tools.draw_path_panel),
        "common": (tools.draw_common_mentors_tool, tools.draw_common_mentors_panel),
        "branches": (tools.draw_branch_tool, tools.draw_branch_panel),
    }[tool]
    shown = make(about, seen, state)
    frame.draw_html(f'<div class="sc-answer" role="status">{escape(shown.summary)}</div>')
    if shown.view is not None:
        event = draw_lineage(
            shown.view, key=tools.CONNECTION_STATE_KEY, height=WIDGET_HEIGHT_PX - 3 * BAR_HEIGHT_PX
        )
        _apply_widget_event(event, shown.view, seen, about.name, shown.summary)
    summary = t("{n} people shown", n=format_count(len(shown.view.nodes))) if shown.view else ""

    def beside() -> None:
        panel(shown)
        _draw_tool_selection(about, seen, shown)

    return summary, beside


def _draw_tool_selection(about: Person, seen: Lineage, shown: ToolResult) -> None:
    selected = shown.view.selected if shown.view else None
    if selected:
        frame.draw_rule()
        _draw_selected_person(selected, seen, about)


def _apply_widget_event(
    event: LineageEvent, view: LineageView, seen: Lineage, name: str, title: str
) -> None:
    """What the page itself does of what was done in the widget."""
    if event.action == "export":
        _open_export_dialog(view, seen, name, title)
    if event.action == "list" and event.person:
        st.query_params["list"] = event.person
    if event.action == "search":
        frame.switch_to_page("find", typed=address.store_typed_text(event.text))
    if event.action == "focus" and event.person:
        frame.switch_to_page("lineage", id=event.person)


def _draw_lineage_panel(
    about: Person, figures: TalentFigures | None, seen: Lineage, selected: str | None
) -> None:
    """Whoever is selected and why, first; then the person in focus with the figures."""
    other = selected if selected and selected != about.id else None
    if other:
        _draw_selected_person(other, seen, about)
        frame.draw_rule()
    person_summary.draw_person_summary(about)
    frame.draw_page_link("talent", t("Open the profile"), id=about.id)
    if figures is not None:
        frame.draw_rule()
        _draw_generation_bars(figures)
    if not other:
        frame.draw_rule()
        frame.draw_muted(t("Click a person to see why he or she counts."))
        notes.draw_notes_panel(about.id, about.name)


def _draw_generation_bars(figures: TalentFigures) -> None:
    """Bars in full credit, the mark when each worker is shared equally."""
    most = max([1, *figures.generations])
    rows = "".join(
        f"<tr><td>{escape(t('Gen {n}', n=n))}</td>"
        f'<td class="sc-track"><div class="sc-soft" style="width:{100 * number / most:.1f}%">'
        f'<i style="left:{100 * equal / most:.1f}%"></i></div></td>'
        f'<td class="n"><b>{format_count(number)}</b></td></tr>'
        for n, (number, equal) in enumerate(
            zip(figures.generations, figures.shared, strict=True), 1
        )
    )
    credits = (figures.equal, figures.nearest, figures.decay)
    low, high = min(credits), max(credits)
    lines = "".join(
        f'<tr><td colspan="2" class="sc-muted">{escape(name)}</td><td class="n">{value}</td></tr>'
        for name, value in (
            (t("by mentorship alone"), format_count(figures.mentorship_only)),
            (t("by studios alone"), format_count(figures.studio_only)),
            (t("by each of the two alone"), format_count(figures.both)),
            (t("by mixed chains alone"), format_count(figures.mixed)),
        )
    )
    total = format_count(figures.driven)
    band = escape(t("shared {low}–{high}", low=f"{low:,.0f}", high=f"{high:,.0f}"))
    frame.draw_heading(t("Driven persons, by generation"), "")
    legend = escape(t("bar: full · mark: shared"))
    rank = escape(
        t(
            "Rank {rank}: from the best to the worst place by full, equal, nearest and decaying "
            "credit.",
            rank=format_interval(*figures.ranks),
        )
    )
    frame.draw_html(
        f'<table class="sc-table plain sc-generations">{rows}'
        f"<tr class='total'><td>{escape(t('Total'))}</td><td class='sc-muted'>{band}</td>"
        f"<td class='n'><b>{total}</b></td></tr>{lines}</table>"
        f'<div class="sc-muted">{legend}<br>{rank}</div>'
    )


def _draw_selected_person(id: str, seen: Lineage, about: Person) -> None:
    """Why the selected person counts for the talent: the chain with its rows, or why not."""
    other = record.fetch_person(id)
    if other is None:
        return
    language, name = current_language(), format_person_name(other.name)
    titles = {
        "driven": t("Why {name} counts", name=name),
        "pending": t("{name} is pending", name=name),
    }
    none = t("Why {name} does not count", name=name)
    asked = seen.reach.leading and id != about.id
    title = titles.get(seen.reach.state(id), none) if asked else name
    frame.draw_heading(title, "")
    if asked:
        evidence_panel.draw_evidence_panel(seen.why(id))
        if identify_visitor().is_limited:
            frame.draw_muted(t("Chains by way of people outside your area are not shown."))
    badge = frame.render_level_badge(other.level)
    title = (
        translate_label(LEVELS[other.level], language) if other.level else t("no level recorded")
    )
    frame.draw_html(
        f"<div>{badge} "
        f"{escape(title)}</div>{frame.render_facts(person_summary.list_work_facts(other))}"
    )
    with st.container(horizontal=True, key="selected_links", vertical_alignment="center"):
        frame.draw_page_link("talent", t("Open {name}", name=name), id=id)
        # A page link to the page one is on does nothing; going there does.
        if id != about.id:
            if st.button(t("Lineage"), key=f"to_lineage_{id}", type="tertiary"):
                frame.switch_to_page("lineage", id=id)
            if not identify_visitor().is_limited and st.button(
                t("Path"), key=f"to_path_{id}", type="tertiary"
            ):
                frame.switch_to_page("lineage", {"with": [about.id, id]}, id=about.id, tool="path")
    notes.draw_notes_panel(id, other.name)


# --- taking away ------------------------------------------------------------------------------


def _build_export_filters(view: LineageView) -> dict[str, str]:
    """What an export says of the view beside the policy: ids and settings, as in the address."""
    return {
        name: ",".join(values)
        for name, values in notes.read_view_address().items()
        if name not in ("lang", *current_policy().as_dict())
    } | ({"years": f"{view.years[0]}-{view.years[1]}"} if view.years else {})


def _open_export_dialog(view: LineageView, seen: Lineage, name: str, title: str) -> None:
    """Offers the current view for download, exactly as drawn."""
    file = downloads.format_person_file_name(name, t("lineage"))

    @frame.dialog(t("Take this view away"))
    def offer() -> None:
        shown = t(
            "{n} people and {m} links, as shown, with the policy.",
            n=format_count(len(view.nodes)),
            m=format_count(len(view.edges)),
        )
        frame.draw_html(f"<div>{escape(shown)}</div>")
        about = talent_figures.build_page_about(seen.policy, _build_export_filters(view))
        mode = frame.detect_colour_mode()
        with st.container(horizontal=True, key="lineage_exports"):
            drawing = view_files.export_view_svg(view, about, title, mode)
            draw_png_button("PNG", drawing, f"{file}.png", key="lineage_PNG")
            for text, format, mime in view_files.VIEW_FORMATS:
                downloads.draw_download_button(
                    text,
                    partial(view_files.export_view_file, view, format, about, title, mode),
                    f"{file}{FORMAT_SUFFIXES[format]}",
                    mime,
                    key=f"lineage_{text}",
                )
        hint = t("The address of this page reopens the view: share it as it is.")
        frame.draw_muted(hint)

    offer()
