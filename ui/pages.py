"""The app's pages: the name of each in its address, and the module that draws it.

What a visitor who must not learn of everybody may open is listed here; every other page is refused
to such a visitor, a new one too. A page is listed once all that it gives goes by
`ui.shell.people_scope`, which tests/live/test_scope.py checks.
"""

from __future__ import annotations

from typing import Final

PAGES: Final = {
    "overview": "ui.overview.page",
    "find": "ui.find.page",
    "lineage": "ui.lineage.page",
    "talents": "ui.talents.page",
    "talent": "ui.profile.page",
    "story": "ui.story.page",
    "targets": "ui.targets.page",
    "people": "ui.people.page",
    "nominations": "ui.nominations.page",
    "departures": "ui.departures.page",
    "pairing": "ui.pairing.page",
    "load": "ui.load.page",
    "data": "ui.data.page",
    "places": "ui.places.page",
    "areas": "ui.areas.page",
    "forecast": "ui.forecast.page",
    "shortages": "ui.shortages.page",
    "crafts": "ui.crafts.page",
    "report": "ui.report.page",
    "scenarios": "ui.scenarios.page",
    "ties": "ui.ties.page",
    "review": "ui.review.page",
    "audit": "ui.audit.page",
    "queries": "ui.queries.page",
}
# Open to a viewer, who sees nobody: they name no one.
FIGURE_PAGES: Final = frozenset({"overview"})
# Open to a manager of some provinces or industries.
SCOPED_PAGES: Final = FIGURE_PAGES | {"find", "lineage", "people", "talent", "talents"}
