"""The app's entry: the pages, and nothing else. `streamlit run app.py`, or `shicheng app`."""

from __future__ import annotations

import streamlit as st

from components import frame, visitor
from components.i18n import t
from components.policy_form import address
from pages import find, lineage, overview, queries, talent, talents

# The pages by group, in the order of the sidebar.
PROGRAMME = ("overview", "find", "lineage", "talents", "talent")


def main(first: str = "overview") -> None:
    """One run of the app; `first` is the page that an address without a path opens."""
    frame.begin()
    if visitor.must_sign_in():
        frame.sign_in()
        return
    titles = {
        "overview": (overview.page, t("Overview")),
        "find": (find.page, t("Find")),
        "lineage": (lineage.page, t("Lineage")),
        "talents": (talents.page, t("Leading talents")),
        "talent": (talent.page, t("Talent profile")),
        "queries": (queries.page, t("Queries")),
    }
    pages = {
        name: st.Page(page, title=title, url_path=name, default=name == first)
        for name, (page, title) in titles.items()
    }
    frame.register(pages)
    current = st.navigation(list(pages.values()), position="hidden")
    address()
    frame.sidebar(
        [
            (
                t("Programme"),
                [pages[n] for n in ("overview", "find", "lineage", "talents", "talent")],
            ),
            (t("Analysis"), [pages["queries"]]),
        ]
    )
    current.run()


if __name__ == "__main__":
    main()
