"""The figures on the talents in Neo4j: what they say, and that they are never of another graph."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance.test_conformance import CASES

from graph.database import Database
from graph.digest import store_digest
from graph.errors import IncompleteError
from graph.metrics.driven import Driven, measure
from graph.policy import DEFAULT_POLICY, Policy
from graph.publish import publish
from graph.settings import Settings
from graph.snapshot import take_snapshot
from loaders import folder
from loaders.sync import sync

PUBLISHED = "MATCH (p:Person) WHERE p.driven_at IS NOT NULL RETURN p.person_id AS id, p AS p"


def loaded(database: Database, path: Path, home: Path) -> None:
    sync(database, "folder", folder.get([path]), home=home, complete=False)


def measured(
    database: Database, settings: Settings, home: Path, policy: Policy = DEFAULT_POLICY
) -> Driven:
    own = settings.model_copy(update={"home_path": home})
    return measure(take_snapshot(database, own), policy)


def test_the_figures_stand_on_the_talents_and_only_the_last_published(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    loaded(empty_database, CASES[0], tmp_path)
    digest = store_digest(empty_database)
    long = measured(empty_database, settings, tmp_path, Policy.parsed(generations="5"))
    empty_database.write("MATCH (p:Person) WHERE NOT p:LeadingTalent WITH p LIMIT 1 "
                         "SET p.driven = 9, p.driven_g4 = 9, p.driven_at = 'long ago'")  # fmt: skip
    assert publish(empty_database, long) == long.talents.height
    found = measured(empty_database, settings, tmp_path)
    assert publish(empty_database, found) == found.talents.height
    stated = {row["id"]: row["p"]["properties"] for row in empty_database.read(PUBLISHED)}
    assert set(stated) == set(found.talents["talent_id"])
    for row in found.talents.iter_rows(named=True):
        person = stated[row["talent_id"]]
        names = ("person_times", "g1", "g2", "g3", "pending", "equal", "nearest", "decay")
        assert person["driven"] == row["driven"]
        assert [person[f"driven_{name}"] for name in names] == [row[name] for name in names]
        assert "driven_g4" not in person
        assert person["driven_policy"] == DEFAULT_POLICY.id
        assert person["driven_revision"] == found.revision
    assert store_digest(empty_database) == digest


def test_a_load_leaves_them_as_they_are(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    loaded(empty_database, CASES[0], tmp_path)
    publish(empty_database, measured(empty_database, settings, tmp_path))
    before = {row["id"]: row["p"]["properties"]["driven"] for row in empty_database.read(PUBLISHED)}
    loaded(empty_database, CASES[0], tmp_path)
    after = {row["id"]: row["p"]["properties"]["driven"] for row in empty_database.read(PUBLISHED)}
    assert after == before != {}


def test_figures_of_an_older_graph_are_not_published(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    loaded(empty_database, CASES[0], tmp_path)
    old = measured(empty_database, settings, tmp_path)
    loaded(empty_database, CASES[0], tmp_path)
    with pytest.raises(IncompleteError, match="revision 1, but a load has changed"):
        publish(empty_database, old)
    new = measured(empty_database, settings, tmp_path)
    empty_database.write("CREATE (:Load {load_id: 'under way'})")
    with pytest.raises(IncompleteError, match="not published"):
        publish(empty_database, new)
    assert empty_database.read(PUBLISHED) == []
