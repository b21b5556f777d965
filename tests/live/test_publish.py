"""The figures on the talents in Neo4j: what they say, and that they are never of another graph."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from graph.driven.figures import Driven, measure_driven
from graph.driven.publish import publish_figures
from graph.errors import IncompleteError
from graph.metrics.band import compute_rank_band
from graph.metrics.cached_tables import load_metric_table
from graph.model import kinds
from graph.policy import DEFAULT_POLICY, Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.digest import compute_store_digest
from loaders import folder
from loaders.sync import load_records
from tests.conformance.test_conformance import CASES

NO_RANKS = pl.DataFrame(
    schema={"talent_id": pl.String, "rank_best": pl.Int64, "rank_worst": pl.Int64}
)
PUBLISHED = "MATCH (p:Person) WHERE p.driven_at IS NOT NULL RETURN p.person_id AS id, p AS p"


def loaded(database: Database, path: Path, home: Path) -> None:
    load_records(database, "folder", folder.get([path]), home=home, complete=False)


def measured(
    database: Database, settings: Settings, home: Path, policy: Policy = DEFAULT_POLICY
) -> Driven:
    own = settings.model_copy(update={"home_path": home})
    return measure_driven(take_snapshot(database, own), policy)


def published(database: Database, settings: Settings, home: Path, driven: Driven) -> int:
    """Publishes the figures with the rank band of the newest snapshot."""
    own = settings.model_copy(update={"home_path": home})
    ranks = load_metric_table(take_snapshot(database, own), driven.policy, "rank_band")
    return publish_figures(database, driven, ranks)


def test_the_figures_stand_on_the_talents_and_only_the_last_published(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    loaded(empty_database, CASES[0], tmp_path)
    digest = compute_store_digest(empty_database)
    long = measured(empty_database, settings, tmp_path, Policy.parsed(generations="5"))
    empty_database.write(
        "MATCH (p:Person) WHERE NOT p:LeadingTalent WITH p LIMIT 1 "
        "SET p.driven = 9, p.driven_g4 = 9, p.driven_at = 'long ago'"
    )
    assert published(empty_database, settings, tmp_path, long) == long.talents.height
    found = measured(empty_database, settings, tmp_path)
    own = settings.model_copy(update={"home_path": tmp_path})
    snapshot = take_snapshot(empty_database, own)
    assert published(empty_database, settings, tmp_path, found) == found.talents.height
    ranks = {
        id: (best, worst)
        for id, best, worst in compute_rank_band(snapshot, DEFAULT_POLICY)
        .talents.select("talent_id", "rank_best", "rank_worst")
        .iter_rows()
    }
    stated = {row["id"]: row["p"]["properties"] for row in empty_database.read(PUBLISHED)}
    assert set(stated) == set(found.talents["talent_id"])
    for row in found.talents.iter_rows(named=True):
        person = stated[row["talent_id"]]
        names = ("person_times", "g1", "g2", "g3", "pending", "equal", "nearest", "decay")
        assert person["driven"] == row["driven"]
        assert [person[f"driven_{name}"] for name in names] == [row[name] for name in names]
        assert "driven_g4" not in person
        best, worst = ranks[row["talent_id"]]
        assert (person["driven_rank_best"], person["driven_rank_worst"]) == (best, worst)
        assert {p.name for p in kinds.PUBLISHED_PROPERTIES} <= person.keys()
        assert person["driven_policy"] == DEFAULT_POLICY.id
        assert person["driven_revision"] == found.revision
    assert compute_store_digest(empty_database) == digest


def test_a_load_leaves_them_as_they_are(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    loaded(empty_database, CASES[0], tmp_path)
    published(empty_database, settings, tmp_path, measured(empty_database, settings, tmp_path))
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
        publish_figures(empty_database, old, NO_RANKS)
    new = measured(empty_database, settings, tmp_path)
    empty_database.write("CREATE (:Load {load_id: 'under way'})")
    with pytest.raises(IncompleteError, match="not published"):
        publish_figures(empty_database, new, NO_RANKS)
    assert empty_database.read(PUBLISHED) == []
