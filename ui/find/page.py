"""Find: one box for people, studios, enterprises, schools, occupations and projects."""

from __future__ import annotations

from html import escape

import streamlit as st

from graph.model.kinds import NODE_KINDS
from graph.model.vocabularies import (
    BASES,
    LEVELS,
    PROJECT_KINDS,
    PROVINCES,
    SCHOOL_KINDS,
    STUDIO_KINDS,
)
from graph.people.search import SEARCH_FACETS, FacetFilter
from ui.browser.search_keys import watch_search_keys
from ui.controls import selectable_table
from ui.find import examples
from ui.reading import search, talent_figures
from ui.reading.search import Found, FoundPerson, FoundRecord, FoundStudio, SearchResults
from ui.shell import address, frame
from ui.shell.policy_form import current_policy
from ui.shell.visitor import identify_visitor, mask_birth_year, record_personal_read
from ui.words.i18n import current_language, t, tn, translate_label, translate_labels
from ui.words.numbers import format_count, format_day, format_persons, render_bold
from ui.words.terms import format_person_name, format_province, name_width, translate_term

FIND_PAGE, SEARCH_PARAMETER = "find", "typed"
ALL_KINDS = "all"
SEARCHED_KINDS = (
    "Person",
    "Studio",
    "Enterprise",
    "School",
    "Occupation",
    "Competition",
    "Project",
)
# How many are shown of each kind: side by side with the others, or alone on a page.
MAX_OTHER_KIND_RESULTS = 6
RESULTS_PER_PAGE = 60


@frame.page
def page() -> None:
    """The page."""
    head = st.container()
    text, kind = _draw_search_box()
    facets = st.container(horizontal=True, vertical_alignment="bottom", key="find_facets")
    only = _read_facets()
    with st.spinner(t("Reading the names")):
        found, counts = _run_search(text, kind, only)
    with facets:
        _draw_facets(counts, bool(text or only))
    with head:
        frame.draw_lead(_render_search_answer(text, found, only))
        frame.draw_under_lead(
            escape(t("Press / for the box, the arrows to choose, Enter to open.")), policy=False
        )
    if not text and not only:
        _draw_search_start()
    elif not found:
        frame.draw_empty_state(
            t("Nothing is called so, sounds so or is one letter off"),
            t("Try fewer characters, or the person's number.")
            if not only
            else t("Take a filter away, or try fewer characters."),
        )
    elif text:
        _save_recent_search(text)
    with st.container(key="find_results"):
        for one, results in found.items():
            _draw_kind_results(one, results, alone=kind is not None)
    watch_search_keys()


def _draw_search_box() -> tuple[str, str | None]:
    """What is typed, and the kind that is asked for; None for all."""
    left, middle, right = st.columns([360, 140, 620], vertical_alignment="bottom")
    with left:
        text = address.draw_text_box(
            FIND_PAGE,
            SEARCH_PARAMETER,
            t("Name, pinyin, initials or number; several words"),
            type="search",
            live=True,
            max_chars=60,
            placeholder=t("a person, studio, enterprise, school, occupation or project"),
        )
    with middle:
        st.button(
            t("Save the search"), on_click=_save_typed_search, disabled=not text, key="find_save"
        )
    names = {
        one: translate_label((NODE_KINDS[one].en, NODE_KINDS[one].zh), current_language())
        for one in SEARCHED_KINDS
    }
    with right:
        kind = address.draw_required_choice(
            FIND_PAGE, "kind", t("Kind"), {ALL_KINDS: t("All")} | names, ALL_KINDS, leaves=("page",)
        )
    return text, None if kind == ALL_KINDS else kind


def _list_facet_titles() -> dict[str, str]:
    return {"province": t("Province"), "level": t("Level"), "occupation": t("Occupation")}


def _list_facet_values() -> dict[str, dict[str, str]]:
    """Of each facet every value and its word."""
    language = current_language()
    levels = {str(n): f"{n} {translate_label(pair, language)}" for n, pair in LEVELS.items()}
    return {
        "province": translate_labels(PROVINCES, language),
        "level": {**levels, "0": t("no level recorded")},
        "occupation": {
            code: translate_term(name)
            for code, name in talent_figures.fetch_occupation_names().items()
        },
    }


def _read_facets() -> FacetFilter:
    """The facets that the address asks for."""
    asked = {name: st.query_params.get(name) for name in SEARCH_FACETS}
    known = _list_facet_values()
    return {n: frozenset({v}) for n, v in asked.items() if v and v in known[n]}


def _draw_facets(counts: dict[str, dict[str, int]], looking: bool) -> None:
    """A list a facet: its values with how many there are of each, most first for occupations."""
    values = _list_facet_values()
    for name, title in _list_facet_titles().items():
        numbers = counts.get(name, {})
        asked = st.query_params.get(name)
        there = [code for code in values[name] if not looking or numbers.get(code) or code == asked]
        if name == "occupation":
            there.sort(key=lambda code: -numbers.get(code, 0))
        options = {
            code: _format_facet_value(values[name][code], numbers.get(code)) for code in there
        }
        with st.container(width=210):
            address.draw_optional_select(FIND_PAGE, name, title, options)
    st.button(
        t("Clear filters"),
        on_click=address.clear_parameters,
        args=(*SEARCH_FACETS, "page"),
        key="find_clear",
        disabled=not _read_facets(),
    )


def _format_facet_value(word: str, number: int | None) -> str:
    return f"{word} · {format_count(number)}" if number else word


def _run_search(
    text: str, kind: str | None, only: FacetFilter
) -> tuple[dict[str, SearchResults], dict[str, dict[str, int]]]:
    """What is found, by kind, and of each facet how many have which value."""
    if not text and not only:
        return {}, {}
    kinds, most = (
        ((kind,), RESULTS_PER_PAGE) if kind else (SEARCHED_KINDS, search.MAX_RESULTS_PER_KIND)
    )
    found = search.search_by_text(
        text, kinds, most, first=_compute_result_offset(text, kind, only), only=only
    )
    counts = search.sum_facet_counts(found)
    return {one: results for one, results in found.items() if results.total}, counts


def _compute_result_offset(text: str, kind: str | None, only: FacetFilter) -> int:
    """How many stand on the pages before; another question begins at its first page."""
    asked, page = (text, kind, *sorted(only.items())), st.query_params.get("page")
    before = st.session_state.get("find_asked")
    st.session_state["find_asked"] = (asked, page)
    if before is not None and before[0] != asked and before[1] == page:
        address.write_parameter("page", None)
        page = None
    if kind is None or page is None:
        return 0
    return (int(page) - 1) * RESULTS_PER_PAGE if page.isdecimal() and 0 < int(page) < 10**6 else 0


def _render_search_answer(text: str, found: dict[str, SearchResults], only: FacetFilter) -> str:
    language = current_language()
    if not text and not only:
        return escape(t("Find anyone, and see who taught whom."))
    typed = escape(text or _format_facets(only))
    if not found:
        return t("Nothing is found of “{text}”.", text=typed)
    parts = []
    for kind, results in found.items():
        if kind == "Person":
            parts.append(
                render_bold(format_persons(results.total, language), format_count(results.total))
            )
        else:
            parts.append(_render_kind_count(kind, results.total))
    listed = t(", ").join(parts)
    if all(results.alike == results.total for results in found.values()):
        return t("Nothing is called “{text}”; alike are {found}.", text=typed, found=listed)
    return t("“{text}”: {found}.", text=typed, found=listed)


def _format_facets(only: FacetFilter) -> str:
    """The facets that are asked for, in words."""
    known = _list_facet_values()
    return t(", ").join(known[name][value] for name, values in only.items() for value in values)


def _render_kind_count(kind: str, number: int) -> str:
    """So many of a kind (HTML)."""
    n = render_bold(format_count(number))
    words = {
        "Studio": tn("{n} studio", "{n} studios", number, n=n),
        "Enterprise": tn("{n} enterprise", "{n} enterprises", number, n=n),
        "School": tn("{n} school", "{n} schools", number, n=n),
        "Occupation": tn("{n} occupation", "{n} occupations", number, n=n),
        "Competition": tn("{n} competition", "{n} competitions", number, n=n),
        "Project": tn("{n} project", "{n} projects", number, n=n),
        "Province": tn("{n} province", "{n} provinces", number, n=n),
    }
    return words[kind]


def _draw_kind_results(kind: str, results: SearchResults, *, alone: bool) -> None:
    names = NODE_KINDS[kind].en, NODE_KINDS[kind].zh
    rows = results.rows
    if kind != "Person" and not alone:
        rows = rows[:MAX_OTHER_KIND_RESULTS]
    pages = max(1, -(-results.total // RESULTS_PER_PAGE)) if alone else 1
    number = address.read_address_number("page", pages) if alone else 1
    aside = format_count(results.total)
    if results.total > len(rows):
        first = (number - 1) * RESULTS_PER_PAGE
        aside = t(
            "{first} to {last} of {all}",
            first=format_count(first + 1),
            last=format_count(first + len(rows)),
            all=format_count(results.total),
        )
    frame.draw_heading(translate_label(names, current_language()), aside)
    people = [row.id for row in rows if isinstance(row, FoundPerson) and row.born]
    if people:
        record_personal_read("find", people)
    with st.container(key=f"results_{kind}"):
        frame.draw_row_list(
            [_build_result(row) for row in rows],
            key=kind,
            names=name_width(90) if kind == "Person" else 220,
        )
    with st.container(horizontal=True, vertical_alignment="center", key=f"find_further_{kind}"):
        if results.total > len(rows) and not alone:
            st.button(
                t("Show all {n}", n=format_count(results.total)),
                key=f"find_all_{kind}",
                type="tertiary",
                on_click=address.write_parameter,
                args=("kind", kind),
            )
        selectable_table.draw_page_buttons(f"find_{kind}", number, pages)
        if pages > 1:
            frame.draw_muted(
                t("page {n} of {all}", n=format_count(number), all=format_count(pages))
            )


def _build_result(row: Found) -> frame.ListRow:
    """The line of what is found."""
    match row:
        case FoundPerson():
            return _build_person_result(row)
        case FoundStudio():
            return _build_studio_result(row)
        case FoundRecord():
            return _build_record_result(row)


def _render_match_note(row: Found) -> str:
    """What says that a name is not just what was typed (HTML)."""
    words = {"sound": t("sounds so"), "mistake": t("nearly so")}
    word = words.get(row.match)
    return f'<span class="sc-muted">{escape(word)}</span>' if word else ""


def _build_person_result(row: FoundPerson) -> frame.ListRow:
    language = current_language()
    level = translate_label(LEVELS[row.level], language) if row.level else t("no level recorded")
    # In English the pinyin takes the room of the level's name; its number says the same.
    beside = level if language == "zh" or not row.level else ""
    named = escape(t("leading talent")) if row.leading else ""
    marks = f'<span class="sc-talent">{named}</span>' if named else ""
    honours = [
        translate_label(BASES[b], language) if b in BASES else translate_term(b) for b in row.bases
    ]
    few = honours[: 2 if language == "zh" else 1]
    about = " ".join(part for part in (marks, escape("、".join(few))) if part)
    if few:
        about = f'<span title="{escape(t(", ").join(honours))}">{about}</span>'
    cells = (
        (
            f'<span title="{escape(level)}">{frame.render_level_badge(row.level)} '
            f"{escape(beside)}</span>"
        ),
        escape(translate_term(row.occupation or "—")),
        escape(format_province(row.province)),
        escape(row.enterprise or "—"),
        escape(t("born {year}", year=mask_birth_year(row.born, identify_visitor())))
        if row.born
        else "",
        f'<span class="sc-muted">{escape(row.id)}</span>',
        " ".join(part for part in (_render_match_note(row), about) if part),
    )
    return frame.ListRow(format_person_name(row.name or row.id), cells, "talent", {"id": row.id})


def _build_studio_result(row: FoundStudio) -> frame.ListRow:
    kind = STUDIO_KINDS.get(row.kind or "")
    cells = (
        escape(translate_label(kind, current_language()) if kind else "—"),
        escape(format_province(row.province)),
        t("led by {name}", name=escape(format_person_name(row.leader))) if row.leader else "—",
        escape(t("{n} trained", n=format_count(row.trained))),
        _render_match_note(row),
    )
    return frame.ListRow(row.name or row.id, cells, "places", _build_place_query("studio", row.id))


def _build_record_result(row: FoundRecord) -> frame.ListRow:
    kinds = PROJECT_KINDS if row.node == "Project" else SCHOOL_KINDS
    kind = kinds.get(row.kind or "")
    facts = [
        translate_label(kind, current_language()) if kind else None,
        format_province(row.province) if row.province else None,
        translate_term(row.industry or ""),
        format_day(row.day) if row.day else None,
        row.id,
    ]
    cells = (*(escape(fact) for fact in facts if fact), _render_match_note(row))
    if identify_visitor().is_limited:  # the pages of these are not open
        return frame.ListRow(translate_term(row.name), cells, None, {})
    if row.node in ("Enterprise", "School"):
        return frame.ListRow(
            row.name, cells, "places", _build_place_query(row.node.lower(), row.id)
        )
    if row.node in ("Province", "Occupation"):
        query = {"kind": row.node.lower(), "code": row.id}
        return frame.ListRow(translate_term(row.name), cells, "areas", query)
    if row.node == "Project":
        return frame.ListRow(row.name, cells, "ties", _build_project_query(row.id))
    return frame.ListRow(row.name, cells, None, {})


def _build_project_query(id: str) -> dict[str, str]:
    """The address of one project among the ties of places."""
    return {"kind": "project", "place": f"project:{id}"}


def _build_place_query(kind: str, id: str) -> dict[str, str]:
    """The address of one studio, enterprise or school among its like."""
    return {"kind_of_place": kind, "id": id}


# --- before anything is typed -----------------------------------------------------------------


def _draw_search_start() -> None:
    """What there is to find, with a few of each; the visitor's own searches; ways to type."""
    with st.spinner(t("Measuring the chains")):
        largest = examples.list_largest_examples(current_policy())
    left, right = st.columns([700, 380], gap="large")
    with left:
        _draw_kind_examples(largest)
    with right:
        _draw_saved_searches()
        if largest["Person"]:
            _draw_typing_examples(*largest["Person"][0])


def _draw_kind_examples(largest: examples.ExamplesByKind) -> None:
    """A line a kind: how many there are, and the largest by name; each leads to its page."""
    by = {
        "Person": t("drive most"),
        "Studio": t("trained most people"),
        "Enterprise": t("employ most people"),
        "School": t("trained most people"),
        "Occupation": t("have most leading talents"),
        "Project": t("have most participants"),
    }
    frame.draw_heading(t("What there is to find"))
    body = ""
    for kind, number in examples.count_searchable_nodes().items():
        names = translate_label((NODE_KINDS[kind].en, NODE_KINDS[kind].zh), current_language())
        links = "".join(
            f"<li>{_render_example_link(kind, *one)}</li>" for one in largest.get(kind, [])
        )
        body += (
            f'<tr><td>{escape(names)}</td><td class="n">{format_count(number)}</td>'
            f'<td><ul class="sc-some">{links}</ul></td>'
            f'<td class="sc-muted sc-by">{escape(by[kind])}</td></tr>'
        )
    head = (
        f'<th></th><th class="n">{escape(t("How many"))}</th><th>{escape(t("For example"))}</th>'
        f'<th class="sc-by">{escape(t("because they"))}</th>'
    )
    frame.draw_html(
        f'<table class="sc-table sc-kinds"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _render_example_link(kind: str, key: str, name: str) -> str:
    """HTML: a name that leads to its page."""
    if kind == "Person":
        return frame.render_page_anchor("talent", format_person_name(name), id=key)
    if kind == "Occupation":
        return frame.render_page_anchor("areas", translate_term(name), kind="occupation", code=key)
    if kind == "Project":
        return frame.render_page_anchor("ties", name, **_build_project_query(key))
    return frame.render_page_anchor("places", name, **_build_place_query(kind.lower(), key))


def _draw_typing_examples(id: str, name: str) -> None:
    """One name typed in each way; a click puts it into the box."""
    part, sound, initials = examples.list_typing_examples(name)
    ways = {
        t("part of a name"): part,
        t("pinyin"): sound,
        t("initials"): initials,
        t("number"): id,
    }
    frame.draw_heading(t("Ways to type"), t("click to try"))
    with st.container(key="find_ways", gap=None):
        for number, (way, text) in enumerate(ways.items()):
            if not text:
                continue
            with st.container(horizontal=True, vertical_alignment="center"):
                frame.draw_muted(way)
                st.button(
                    frame.escape_markdown(text),
                    key=f"find_way_{number}",
                    type="tertiary",
                    on_click=_rerun_search,
                    args=(text,),
                )
    hint = t("A mistake of one letter or sign does no harm.")
    frame.draw_muted(hint)


def _draw_saved_searches() -> None:
    """The visitor's own searches, to run again or take away."""
    owner = identify_visitor().id
    saved, recent = search.list_searches("saved", owner), search.list_searches("recent", owner)
    for title, entries in ((t("Saved searches"), saved), (t("Recent searches"), recent)):
        if not entries:
            continue
        frame.draw_heading(title, t("only you see them"))
        with st.container(key=f"searches_{entries[0].subject}", gap=None):
            for entry in entries:
                with st.container(horizontal=True, vertical_alignment="center"):
                    text = str(entry.body["text"])
                    st.button(
                        frame.escape_markdown(text),
                        key=f"search_{entry.id}",
                        type="tertiary",
                        on_click=_rerun_search,
                        args=(text,),
                    )
                    st.button(
                        t("remove"),
                        key=f"forget_{entry.id}",
                        type="tertiary",
                        on_click=search.remove_search,
                        args=(entry.id, owner),
                    )


def _rerun_search(text: str) -> None:
    address.fill_text_box(FIND_PAGE, SEARCH_PARAMETER, text)
    st.session_state.pop("find_draft", None)


def _save_typed_search() -> None:
    text = st.session_state.get(address.format_text_box_key(FIND_PAGE, SEARCH_PARAMETER)) or ""
    if search.save_search("saved", identify_visitor().id, text) is not None:
        st.toast(t("Saved; it stands under the empty box."))
    elif search.has_typed_id_number(text):
        st.toast(t("Not saved: an ID number is never kept."))


def _save_recent_search(text: str) -> None:
    """Keeps what is typed, in place of what stood in the box on the way to it."""
    text = text.strip()
    number, before = st.session_state.get("find_draft", (None, ""))
    if text == before:
        return
    on_the_way = bool(before) and (text.startswith(before) or before.startswith(text))
    if on_the_way and len(text) < len(before):
        return
    saved_id = search.save_search(
        "recent", identify_visitor().id, text, number if on_the_way else None
    )
    st.session_state["find_draft"] = (saved_id, text)
