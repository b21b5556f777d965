"""A data steward says what for before personal data opens, and each opening is logged with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from graph.analysis.api_tokens import create_token
from graph.audit.actor import Actor, acting_as
from graph.audit.entries import AuditFilter, iterate_audit_entries
from graph.cypher.named_queries import load_queries, run_cypher, run_query
from graph.errors import UsageError
from graph.purposes import PURPOSES
from graph.server.database import Database
from graph.settings import Settings
from shicheng import open_graph
from tests.live.shell import run_here
from tests.live.visiting import go, text
from ui.shell import visitor as visiting
from ui.shell.visitor import Visitor

BORN = "MATCH (p:Person) WHERE p.birth_date IS NOT NULL RETURN p.birth_date AS born LIMIT 3"
PURPOSE_KEY = "purpose_of_reading_en"


@pytest.fixture(autouse=True)
def unstated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of these tests state no purpose."""
    monkeypatch.delenv("SHICHENG_PURPOSE")


def read_purposes(settings: Settings, event: str) -> list[str | None]:
    """What the lines of an event say of the purpose, the newest first."""
    lines = iterate_audit_entries(settings.home, AuditFilter(event))
    return [line.facts.get("purpose") for line in lines]


def test_queries_are_masked_until_it_is_stated(network: Database, settings: Settings) -> None:
    retiring = load_queries()["mentors_about_to_retire"]
    given = {"today": "2026-11-01", "months": 240}
    named = "MATCH (p:Person) WHERE p.name = $x RETURN p"
    masked = run_query(network, retiring, given, role="steward")
    assert "retires_on" not in masked.columns and "--purpose" in masked.notices[0].said("en")
    assert "查阅目的" in masked.notices[0].said("zh")
    assert run_cypher(network, named, {"x": "x"}, role="steward").notices
    assert not run_cypher(network, named, {"x": "x"}, role="analyst").notices
    with pytest.raises(UsageError), acting_as(Actor("di", "steward", "cli", "fun")):
        run_cypher(network, "RETURN", role="steward")
    with acting_as(Actor("di", "steward", "cli", "retirement")):
        opened = run_query(network, retiring, given, role="steward")
        assert "retires_on" in opened.columns and not opened.notices
        assert len(run_cypher(network, BORN, role="steward").rows) == 3
    assert read_purposes(settings, "query")[:2] == ["retirement", "retirement"]
    # It opens nothing to another role.
    with acting_as(Actor("an", "analyst", "cli", "retirement")):
        assert "retires_on" not in run_query(network, retiring, given, role="analyst").columns


def test_a_command_takes_it(network: Database, settings: Settings) -> None:
    shell = {"SHICHENG_HOME": str(settings.home), "SHICHENG_ROLE": "steward"}
    refused = run_here(["cypher", BORN], shell)
    assert refused.returncode == 4 and "birth_date" in refused.stderr
    opened = run_here(["--purpose", "check", "cypher", BORN], shell)
    assert opened.returncode == 0, opened.stderr
    assert read_purposes(settings, "query")[0] == "check"
    assert run_here(["cypher", BORN], shell | {"SHICHENG_PURPOSE": "check"}).returncode == 0
    assert run_here(["--purpose", "fun", "cypher", BORN], shell).returncode == 2
    departures = ["departures", "--until", "2027-12", "--everyone", "--format", "csv"]
    assert "--purpose" in run_here(departures, shell).stderr
    assert "--purpose" not in run_here(["--purpose", "check", *departures], shell).stderr


def test_tokens_and_python_take_it(network: Database, settings: Settings) -> None:
    steward = settings.model_copy(update={"role": "steward", "purpose": ""})
    stated = steward.model_copy(update={"purpose": "inspection"})
    with pytest.raises(UsageError, match="--purpose"):
        create_token(steward, "a test", "steward", 1)
    assert create_token(stated, "a test", "steward", 1)[0].purpose == "inspection"
    assert create_token(stated, "a test", "manager", 1)[0].purpose == ""
    for chosen, shown in ((steward, False), (stated, True)):
        with open_graph(settings=chosen) as graph:
            assert ("birth_date" in graph.people().columns) == shown
            found = graph.query("mentors_about_to_retire", today="2026-11-01", months=240)
            assert ("retires_on" in found.columns) == shown


def test_a_visit_is_asked_once(
    network: Database,
    settings: Settings,
    app: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (born,) = network.read(
        "MATCH (p:LeadingTalent) WHERE p.birth_date IS NOT NULL "
        "RETURN p.person_id AS id, toString(p.birth_date.year) AS year LIMIT 1"
    )
    decade = f"{born['year'][:3]}·"
    for role in ("analyst", "steward"):
        monkeypatch.setattr(visiting, "_identify", lambda _, role=role: Visitor("di", role))
        test = app("talent", lang="en", id=born["id"])
        assert decade in text(test) and not test.exception
        assert bool([one for one in test.selectbox if one.key == PURPOSE_KEY]) == (
            role == "steward"
        )
    before = len(read_purposes(settings, "read"))
    test.selectbox(key=PURPOSE_KEY).set_value(PURPOSES[0]).run()
    assert not test.exception and decade not in text(test)
    assert read_purposes(settings, "read")[0] == PURPOSES[0]
    go(test, "talent", lang="en", id=born["id"])
    assert decade not in text(test) and len(read_purposes(settings, "read")) == before + 1
    test.selectbox(key=PURPOSE_KEY).set_value(PURPOSES[1]).run()
    assert read_purposes(settings, "read")[:2] == [PURPOSES[1], PURPOSES[0]]
    # Whoever comes next is asked again.
    monkeypatch.setattr(visiting, "_identify", lambda _: Visitor("yu", "steward"))
    go(test, "talent", lang="en", id=born["id"])
    assert decade in text(test) and test.selectbox(key=PURPOSE_KEY).value is None
