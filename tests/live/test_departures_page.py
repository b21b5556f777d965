"""The page of departures on a real store: the same rows as the function, masked by role."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from graph.policy import Policy
from graph.programme.departures import compute_until, list_departures
from graph.programme.successors import find_successors
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.visiting import lead, text


def test_the_rows_of_the_page_are_those_of_the_function(
    network: Database,
    settings: Settings,
    app: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot, policy = take_snapshot(network, settings), Policy()
    until = compute_until(policy.as_of, 24)
    expected = list_departures(snapshot, policy, until).rows
    first = expected["person_id"][0]
    test = app("departures", lang="en", months="24", id=first)
    assert f"{expected['person_id'].n_unique():,}" in lead(test)
    bench = find_successors(snapshot, policy, first)
    assert [len(frame.value) for frame in test.dataframe] == [expected.height, bench.height]
    days = test.dataframe[0].value["Day"]
    retiring = test.dataframe[0].value["Reason"] == "retires"
    assert {len(day) for day in days[retiring]} == {4}
    monkeypatch.setenv("SHICHENG_ROLE", "steward")
    seen = app("departures", lang="en", months="24", kind="retires").dataframe[0].value
    assert 7 in {len(day) for day in seen["Day"]}
    assert "sc-note" not in text(test).split("</style>")[-1]
    assert "nobody-here" in text(app("departures", lang="en", id="nobody-here"))
