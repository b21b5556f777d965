"""How long the pages of forecasts take to read what is materialized, on the server's side.

`python -m benchmarks.page_openings SNAPSHOT_FOLDER`: everything is worked out and stored first.
Then each page's data are read `RUNS` times from a snapshot that is opened anew, as by the first
visitor after a restart. Asked for: 0.5 s. What the browser draws comes on top.

`python -m benchmarks.page_openings PEOPLE` (a number) makes a network of so many people without
Neo4j, by tests/unit/forecast_networks.py.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks.snapshots import write_missing_frames
from graph.forecast.extinction import load_extinction
from graph.forecast.history import find_data_date
from graph.forecast.landing import load_backtest, load_landing_forecast
from graph.forecast.pairing import load_pairing
from graph.forecast.pairing_rules import PairingRules
from graph.forecast.pending_people import name_pending, select_pending
from graph.forecast.shortages import list_shortage_people, load_shortages, select_shortages
from graph.metrics.cached_tables import load_metric_table
from graph.policy import Policy
from graph.programme.departures import compute_until
from graph.programme.stored_departures import load_departures
from graph.report.request import ReportMonth, ReportRequest, ReportSources
from graph.report.shortage_protection import protect_shortages
from graph.report.stored_report import load_monthly_report
from graph.scenario.changes import Change, Scenario
from graph.scenario.stored_comparison import load_comparison
from graph.snapshot.frames import (
    READABLE_VERSIONS,
    Manifest,
    Snapshot,
    open_snapshot,
    write_snapshot_frame,
)
from tests.unit.forecast_networks import make_network
from ui.words.terms import translate_term

RUNS = 7
LIMIT_S = 0.5
POLICY = Policy()
UNTIL = compute_until(POLICY.as_of, 12)


def open_forecast(snapshot: Snapshot) -> None:
    """Figures, parts, past and back-test."""
    load_landing_forecast(snapshot, POLICY)
    load_backtest(snapshot, POLICY)


def open_pending(snapshot: Snapshot) -> None:
    """The second page of who is pending in the nation, with names and how many there are."""
    rows = select_pending(load_landing_forecast(snapshot, POLICY).waiting)
    rows.select("chance").sum().collect()
    name_pending(snapshot, rows.slice(100, 100).collect())


def open_shortages(snapshot: Snapshot) -> None:
    """The rows, and those of a role that is not told small groups."""
    protect_shortages(load_shortages(snapshot, POLICY).rows)


def open_shortage_people(snapshot: Snapshot) -> None:
    """Who may rise, of the occupation group and province with most of them."""
    found = load_shortages(snapshot, POLICY)
    year = POLICY.as_of.year
    rows = select_shortages(found.rows, "occupation_group", "province", year)
    most = rows.drop_nulls(["code", "province"]).sort("rising").row(-1, named=True)
    list_shortage_people(
        snapshot, POLICY, found, "rising", year, code=most["code"], province=most["province"]
    )


def open_pairing(snapshot: Snapshot) -> None:
    """The links and studios."""
    load_pairing(snapshot, POLICY, PairingRules())


def open_crafts(snapshot: Snapshot) -> None:
    """The replacement rate and the extinction clock."""
    load_metric_table(snapshot, POLICY, "replacement")
    load_extinction(snapshot, POLICY)


def open_departures(snapshot: Snapshot) -> None:
    """A year's departures with what hangs on them."""
    load_departures(snapshot, POLICY, UNTIL)


def open_report(snapshot: Snapshot) -> None:
    """The nation's report of the month that the data reach, in Chinese."""
    month = ReportMonth.of(find_data_date(snapshot, POLICY))
    sources, request = ReportSources(snapshot, []), ReportRequest.of(month, POLICY)
    load_monthly_report(sources, request, "zh", partial(translate_term, language="zh"))


def open_scenario(snapshot: Snapshot) -> None:
    """What if three leading talents leave."""
    people = snapshot.frames["people"].filter("leading").select("person_id").head(3).collect()
    day = POLICY.as_of.replace(day=1)
    changes = tuple(Change("leave", day, person_id=id) for id in people["person_id"])
    load_comparison(snapshot, POLICY, Scenario("three leave", changes))


OPENINGS: dict[str, Callable[[Snapshot], None]] = {
    "Forecast": open_forecast,
    "Forecast, who is pending": open_pending,
    "Supply and demand": open_shortages,
    "Supply and demand, the people of a row": open_shortage_people,
    "Pairing": open_pairing,
    "Survival of crafts": open_crafts,
    "Departures": open_departures,
    "Monthly report": open_report,
    "Scenarios": open_scenario,
}


def write_made_snapshot(folder: Path, people: int) -> None:
    """A network with people in work of every age, mentorships and positions, as a snapshot.

    It states no more frames than these: it is written in a form that has the others empty.
    """
    made = make_network("humped", people=people, talents=max(people // 330, 10))
    frames = {name: frame.collect() for name, frame in made.frames.items()}
    levels = frames["promotions"].group_by("person").agg(pl.col("level").max())
    number, day = pl.col("person"), pl.date(1962, 1, 15)
    codes = frames["people"]["occupation_code"].unique().sort()
    frames["people"] = (
        frames["people"]
        .join(levels, on="person", how="left", maintain_order="left")
        .with_columns(
            pl.when("leading").then(6).otherwise(pl.col("level").fill_null(3)).alias("level"),
            birth_date=day + pl.duration(days=number * 37 % 15_000),
            sex=pl.when(number % 3 == 0).then(pl.lit("female")).otherwise(pl.lit("male")),
            retirement_category=pl.when(number % 2 == 0).then(pl.lit("cadre")),
            target=pl.lit(False),
        )
    )
    frames["recognitions"] = frames["promotions"].select("person", "level", date="day")
    frames["mentorships"] = frames["edges"].select("mentor", "apprentice", "start")
    frames["occupations"] = pl.DataFrame({"code": codes, "name": codes})
    frames["demand"] = pl.DataFrame(
        [
            {"occupation_code": code, "province": place, "year": year, "positions": 500}
            for code in codes
            for place in frames["people"]["province"].unique()
            for year in (POLICY.as_of.year, POLICY.as_of.year + 1)
        ]
    )
    for name, frame in frames.items():
        write_snapshot_frame(folder, name, frame)
    rows = {name: frame.height for name, frame in frames.items()}
    rows |= write_missing_frames(folder, frames)
    Manifest(1, (), rows, format=READABLE_VERSIONS[-1]).write(folder)


def measure_openings(folder: Path) -> None:
    """Prints the median and the longest of the runs, by page."""
    for name, read in OPENINGS.items():
        began = time.perf_counter()
        read(open_snapshot(folder))
        print(f"{name}: worked out and stored, {time.perf_counter() - began:.1f} s", flush=True)
    for name, read in OPENINGS.items():
        spent = []
        for _ in range(RUNS):
            began = time.perf_counter()
            read(open_snapshot(folder))
            spent.append(time.perf_counter() - began)
        median, longest = statistics.median(spent), max(spent)
        verdict = "" if median <= LIMIT_S else "  above the limit"
        print(f"{name}: {median:.3f} s, at most {longest:.3f} s{verdict}", flush=True)


if __name__ == "__main__":
    if sys.argv[1].isdecimal():
        with tempfile.TemporaryDirectory() as made_folder:
            write_made_snapshot(Path(made_folder), int(sys.argv[1]))
            measure_openings(Path(made_folder))
    else:
        measure_openings(Path(sys.argv[1]))
