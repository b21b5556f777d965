"""The app's entry: the pages, and nothing else. `streamlit run app.py`, or `shicheng app`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from graph.errors import AuditError
from ui.shell.asgi import build_app_options

# What Streamlit tells the first page from the others by; its address is the app's own.
HOME_URL_PATH = "home"
# What an address may name as a page; anything else is none.
PAGE_PATH_PATTERN = re.compile(r"[\w-]{1,40}")


def main(first: str = "overview") -> None:
    """One run of the app; `first` is the page that an address without a path opens."""
    # Imported by a run of the page, not by the server: what they cache needs Streamlit's runtime.
    from ui.shell import graph_state
    from ui.words.i18n import current_language, override_language

    with graph_state.pin_graph_revision(), override_language(current_language()):
        _run_page(first)


def _run_page(first: str) -> None:
    from ui.shell import frame, visitor

    frame.begin_page()
    if visitor.is_sign_in_required():
        frame.draw_sign_in()
        return
    _run_visitor_page(first)


def _run_visitor_page(first: str) -> None:
    from ui.shell import address, frame, visitor
    from ui.shell.policy_form import write_visit_address
    from ui.words.i18n import t, translate_message

    try:
        visitor.record_sign_in()
    except AuditError as error:
        frame.draw_note(t("This cannot be shown"), translate_message(error))
        return
    listed = _list_open_pages()
    pages = {
        name: st.Page(
            page,
            title=title,
            url_path=HOME_URL_PATH if name == first else name,
            default=name == first,
        )
        for name, (page, title, _) in listed.items()
    }
    unknown = _find_unknown_path(pages)
    # The first page answers at its own address as well as at the app's; links lead to the one
    # that is open, so that the sidebar shows it as the page one is on.
    page, title, _ = listed[first]
    others = [st.Page(page, title=title, url_path=path) for path in (first, *unknown)]
    current = st.navigation([*pages.values(), *others], position="hidden")
    if current.url_path == first:
        pages[first] = current
    frame.register_pages(pages)
    address.begin_address_run(current.url_path)
    for path in unknown:
        address.record_address_fault(t("page"), path)
    write_visit_address()
    groups: dict[str, list[Any]] = {}
    for name, (_, _, group) in listed.items():
        if group:
            groups.setdefault(group, []).append(pages[name])
    frame.draw_sidebar(list(groups.items()))
    current.run()


def _list_open_pages() -> dict[str, tuple[Any, str, str]]:
    """As `_list_pages`; of a visitor who must not learn of everybody, the pages that are not made
    for that say so, and no group lists them.
    """
    from ui.pages import FIGURE_PAGES, SCOPED_PAGES
    from ui.shell.visitor import identify_visitor

    listed, visitor = _list_pages(), identify_visitor()
    if not visitor.is_limited:
        return listed
    open_pages = FIGURE_PAGES if visitor.people_scope.nobody else SCOPED_PAGES
    return {
        name: one if name in open_pages else (_build_refused_page(name), one[1], "")
        for name, one in listed.items()
    }


def _build_refused_page(name: str) -> Callable[[], None]:
    from ui.shell import frame, visitor
    from ui.words.i18n import t

    def refused() -> None:
        with frame.show_errors_as_notes():
            visitor.record_role_refusal(f"page {name}")
            frame.draw_note(
                t("This page is not open to you"),
                t(
                    "Your account sees national figures, and the people of its area alone, if it "
                    "has one; this page shows others too."
                ),
            )

    return refused


def _list_pages() -> dict[str, tuple[Any, str, str]]:
    """Each page by name: what draws it, its title, and the group that lists it ("": none)."""
    from ui.areas import page as areas
    from ui.audit import page as audit
    from ui.crafts import page as crafts
    from ui.data import page as data
    from ui.departures import page as departures
    from ui.find import page as find
    from ui.forecast import page as forecast
    from ui.lineage import page as lineage
    from ui.load import page as load
    from ui.nominations import page as nominations
    from ui.overview import page as overview
    from ui.pairing import page as pairing
    from ui.people import page as people
    from ui.places import page as places
    from ui.profile import page as talent
    from ui.queries import page as queries
    from ui.report import page as report
    from ui.review import page as review
    from ui.scenarios import page as scenarios
    from ui.shortages import page as shortages
    from ui.story import page as story
    from ui.talents import page as talents
    from ui.targets import page as targets
    from ui.ties import page as ties
    from ui.words.i18n import t

    programme, action, analysis = t("Programme"), t("Action"), t("Analysis")
    return {
        "overview": (overview.page, t("Overview"), programme),
        "find": (find.page, t("Find"), programme),
        "lineage": (lineage.page, t("Lineage"), programme),
        "talents": (talents.page, t("Leading talents"), programme),
        "talent": (talent.page, t("Talent profile"), programme),
        # Reached from a profile; it has no line in the sidebar.
        "story": (story.page, t("Skill story"), ""),
        "targets": (targets.page, t("Training targets"), action),
        # Reached from the figures alone; it has no line in the sidebar.
        "people": (people.page, t("People behind this figure"), ""),
        "nominations": (nominations.page, t("Nominations"), action),
        "departures": (departures.page, t("Departures and succession"), action),
        "pairing": (pairing.page, t("Pairing"), action),
        "scenarios": (scenarios.page, t("Scenarios"), action),
        "load": (load.page, t("Load data"), analysis),
        "data": (data.page, t("Data"), analysis),
        # Data stewards reach both from the Data page, administrators the second.
        "review": (review.page, t("Review of records"), ""),
        "audit": (audit.page, t("Audit log"), ""),
        "places": (places.page, t("Studios, enterprises, schools"), programme),
        "areas": (areas.page, t("Provinces, industries, occupations"), programme),
        "forecast": (forecast.page, t("Forecast"), programme),
        "shortages": (shortages.page, t("Supply and demand"), programme),
        "crafts": (crafts.page, t("Survival of crafts"), programme),
        "report": (report.page, t("Monthly report"), programme),
        "ties": (ties.page, t("Ties"), programme),
        "queries": (queries.page, t("Queries"), analysis),
    }


def _find_unknown_path(pages: dict[str, Any]) -> list[str]:
    """The path of the address when no page has it: it opens the first page, which says so."""
    path = urlsplit(st.context.url or "").path.rstrip("/").rpartition("/")[2]
    known = {*pages, HOME_URL_PATH, *(page.url_path for page in pages.values())}
    return [path] if PAGE_PATH_PATTERN.fullmatch(path) and path not in known else []


if __name__ == "__main__":
    main()
else:
    # `streamlit run` finds this name in the file, and serves it; each run of the page is above.
    server = st.App(__file__, **build_app_options())
