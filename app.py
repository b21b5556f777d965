"""The app's entry: the pages, and nothing else. `streamlit run app.py`, or `shicheng app`."""

from __future__ import annotations

import streamlit as st

from components import frame
from components.i18n import t
from components.policy_form import address
from pages import find, overview, queries, talent, talents


def main() -> None:
    """One run of the app."""
    frame.begin()
    pages = {
        "overview": st.Page(overview.page, title=t("Overview"), url_path="overview", default=True),
        "find": st.Page(find.page, title=t("Find"), url_path="find"),
        "talents": st.Page(talents.page, title=t("Leading talents"), url_path="talents"),
        "talent": st.Page(talent.page, title=t("Talent and lineage"), url_path="talent"),
        "queries": st.Page(queries.page, title=t("Queries"), url_path="queries"),
    }
    frame.register(pages)
    current = st.navigation(list(pages.values()), position="hidden")
    address()
    frame.sidebar(
        [
            (t("Programme"), [pages[n] for n in ("overview", "find", "talents", "talent")]),
            (t("Analysis"), [pages["queries"]]),
        ]
    )
    current.run()


main()
