"""The app's entry: the pages, and nothing else. `streamlit run app.py`, or `shicheng app`."""

from __future__ import annotations

from typing import Any

import streamlit as st

from components import frame, store, visitor
from components.i18n import current_language, spoken, t
from components.policy_form import address
from pages import (
    data,
    find,
    lineage,
    nominations,
    overview,
    people,
    places,
    queries,
    talent,
    talents,
    targets,
    ties,
)

# The pages by group, in the order of the sidebar.
PROGRAMME = ("overview", "find", "lineage", "talents", "talent")

# What Streamlit tells the first page from the others by; its address is the app's own.
HOME = "home"


def main(first: str = "overview") -> None:
    """One run of the app; `first` is the page that an address without a path opens."""
    with store.one_look(), spoken(current_language()):
        _run(first)


def _run(first: str) -> None:
    frame.begin()
    if visitor.must_sign_in():
        frame.sign_in()
        return
    programme, action, analysis = t("Programme"), t("Action"), t("Analysis")
    listed = {
        "overview": (overview.page, t("Overview"), programme),
        "find": (find.page, t("Find"), programme),
        "lineage": (lineage.page, t("Lineage"), programme),
        "talents": (talents.page, t("Leading talents"), programme),
        "talent": (talent.page, t("Talent profile"), programme),
        "targets": (targets.page, t("Training targets"), action),
        # Reached from the figures alone; it has no line in the sidebar.
        "people": (people.page, t("People behind this figure"), ""),
        "nominations": (nominations.page, t("Nominations"), action),
        "data": (data.page, t("Data"), analysis),
        "places": (places.page, t("Studios, enterprises, schools"), programme),
        "ties": (ties.page, t("Ties"), programme),
        "queries": (queries.page, t("Queries"), analysis),
    }
    pages = {
        name: st.Page(
            page, title=title, url_path=HOME if name == first else name, default=name == first
        )
        for name, (page, title, _) in listed.items()
    }
    # The first page answers at its own address as well as at the app's; links lead to the one
    # that is open, so that the sidebar shows it as the page one is on.
    page, title, _ = listed[first]
    current = st.navigation(
        [*pages.values(), st.Page(page, title=title, url_path=first)], position="hidden"
    )
    if current.url_path == first:
        pages[first] = current
    frame.register(pages)
    address()
    groups: dict[str, list[Any]] = {}
    for name, (_, _, group) in listed.items():
        if group:
            groups.setdefault(group, []).append(pages[name])
    frame.sidebar(list(groups.items()))
    current.run()


if __name__ == "__main__":
    main()
