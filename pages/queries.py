"""Queries: the named ones with their parameters, and a box for Cypher that only reads."""

from __future__ import annotations

from components import frame
from components.i18n import t


@frame.page
def page() -> None:
    """The page."""
    frame.lead(t("Queries"))
