"""Provinces, industries and occupations: their pages say what the breakdowns say."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from graph.driven.drill_down import DrillDownFilter, load_drill_down
from graph.driven.figures import measure_driven
from graph.policy import Policy
from graph.programme.areas import AREA_ATTRIBUTES
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.visiting import lead, text

Open = Callable[..., AppTest]


@pytest.mark.parametrize("kind", list(AREA_ATTRIBUTES))
def test_an_area_says_what_the_breakdown_says(
    kind: str, network: Database, settings: Settings, app: Open
) -> None:
    snapshot = take_snapshot(network, settings)
    driven = measure_driven(snapshot, Policy())
    attribute = AREA_ATTRIBUTES[kind]  # type: ignore[index]
    rows = driven.by(attribute).drop_nulls(attribute).sort("driven_person_times", descending=True)
    most = rows.row(0, named=True)
    test = app("areas", lang="en", kind=kind, code=most[attribute])
    assert not test.exception
    assert f"{most['driven_persons']:,} pe" in lead(test)
    assert f"{most['driven_person_times']:,} person-time" in lead(test)
    people = load_drill_down(snapshot, driven).number(
        DrillDownFilter(**{attribute: most[attribute]})
    )
    said = text(test)
    assert f">{people:,}</a>" in said and "Who brings it about" in said
    assert "page=" not in said and re.search(r'href="talent\?[^"]*id=', said)


def test_where_no_target_is_set_the_page_says_what_is_missing(network: Database, app: Open) -> None:
    assert "sets no targets by occupation" in text(app("areas", lang="en", kind="occupation"))
    industry = text(app("areas", lang="en", kind="industry"))
    assert "whose scope is its name" in industry
    zh = app("areas", lang="zh", kind="province", code="71")
    assert "未载入该省份的目标" in text(zh) and not zh.exception


def test_overview_and_find_lead_to_the_page_of_an_area(network: Database, app: Open) -> None:
    for cut, kind in (("province", "province"), ("occupation_code", "occupation")):
        assert "areas?" in text(app("overview", lang="en", by=cut))
        assert f"kind={kind}" in text(app("overview", lang="en", by=cut))
    assert "areas?" in text(app("find", lang="en"))
