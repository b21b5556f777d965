"""The programme's pages show the revision that a load made, and nothing of the one before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
from streamlit.testing.v1 import AppTest

from graph.driven.results import load_driven
from graph.forecast.pairing import compute_pairing
from graph.forecast.pairing_rules import PairingRules
from graph.people.retirement import judge_retirement_by
from graph.policy import Policy
from graph.programme.departures import find_mentors_in_place
from graph.programme.notebook import Notebook
from graph.scenario.changes import resolve_changes
from graph.scenario.storage import delete_scenario, list_saved_scenarios
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot
from loaders import folder
from loaders.sync import load_records
from tests.live.visiting import go, lead, text

NEWCOMERS = 3
# The pages whose figures come from tables that are stored beside a snapshot.
STORED_PAGES = ("forecast", "shortages", "pairing", "crafts", "departures", "report")


def write_delta(made: Path, network: Database, settings: Settings) -> None:
    """Mentors retire, half of the people below the high-skilled level rise, and newcomers in the
    trades and provinces of leading talents without a studio wait for a mentor.
    """
    snapshot, policy = take_snapshot(network, settings), Policy()
    people = snapshot.frames["people"].select("person", "person_id", "name", "level").collect()
    by_year = judge_retirement_by(policy.as_of, steward=False)
    mentors = find_mentors_in_place(snapshot, policy.as_of, by_year).select("person")
    leaving = people.join(mentors, on="person", how="semi").head(20)
    rising = people.filter(pl.col("level").is_between(1, 3)).gather_every(2)
    newcomers = list_newcomers(snapshot)
    pl.concat(
        [
            leaving.select("person_id", "name", retired_on=pl.lit("2025-06-30")),
            newcomers,
        ],
        how="diagonal",
    ).write_csv(made / "people.csv")
    day = policy.as_of.isoformat()
    pl.concat(
        [
            rising.select("person_id", level=pl.lit(4), date=pl.lit(day)),
            newcomers.select("person_id", level=pl.lit(3), date=pl.lit("2024-05-01")),
        ]
    ).write_csv(made / "recognitions.csv")


def list_newcomers(snapshot: Snapshot) -> pl.DataFrame:
    """Three for each leading talent who leads no studio."""
    talents = snapshot.frames["people"].filter("leading")
    leads = snapshot.frames["leads"].filter(pl.col("end").is_null())
    free = talents.join(leads.select("person"), on="person", how="anti").drop_nulls("province")
    places = pl.col("province", "occupation_code").cast(pl.String)
    found = free.select(places).collect()
    return (
        pl.concat([found] * NEWCOMERS)
        .with_row_index("n")
        .select(
            pl.format("newcomer{}", "n").alias("person_id"),
            pl.lit("新来").alias("name"),
            "province",
            "occupation_code",
        )
    )


def test_every_stored_page_follows_a_load(
    network: Database, settings: Settings, app: Callable[..., AppTest], tmp_path: Path
) -> None:
    visits = {page: app(page, lang="en") for page in STORED_PAGES}
    before = {page: (lead(visit), text(visit)) for page, visit in visits.items()}
    write_delta(tmp_path, network, settings)
    load_records(network, "folder", folder.get([tmp_path]), home=settings.home)
    for page, visit in visits.items():
        # The tab that was open, and another one.
        again = go(visit, page, lang="en")
        assert text(again) != before[page][1], f"{page} still shows the revision before"
        assert lead(app(page, lang="en")) == lead(again)
    counted = load_driven(take_snapshot(network, settings), Policy()).national
    assert f"{counted['driven_person_times']:,}" in text(go(visits["forecast"], "forecast"))
    open_a_studio(network, settings, app)


def open_a_studio(network: Database, settings: Settings, app: Callable[..., AppTest]) -> None:
    """A new studio is proposed, accepted, and sent into a scenario with its members."""
    rules = PairingRules(links=20, capacity=5)
    found = compute_pairing(take_snapshot(network, settings), Policy(), rules)
    studio = found.studios.row(0, named=True)
    query = {"links": "20", "capacity": "5", "of": "studios", "person": studio["leader_id"]}
    test = app("pairing", lang="en", **query)
    assert not test.exception
    assert f"new studios: {found.studios.height}." in lead(test)
    assert len(test.dataframe[0].value) == found.studios.height
    next(button for button in test.button if button.label == "Accept").click().run()
    test.button(key="pairing_scenario").click().run()
    assert not test.exception
    notebook = Notebook(settings.home)
    (saved,) = list_saved_scenarios(notebook)
    changes = saved.scenario.changes
    opening = [change.person_id for change in changes if change.kind == "open_studio"]
    training = [change.person_id for change in changes if change.kind == "begin_training"]
    mine = found.members.filter(leader_id=studio["leader_id"])
    assert opening == [studio["leader_id"]] and training == mine["person_id"].to_list() != []
    assert resolve_changes(take_snapshot(network, settings), changes)
    assert delete_scenario(notebook, saved.owner, saved.scenario.id)
    for entry in notebook.entries("decision", subject=f"new_studios:{studio['leader_id']}"):
        notebook.remove(entry.id, entry.owner)
