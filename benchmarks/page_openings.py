"""How long the pages of forecasts take to read what is materialized, on the server's side.

`python -m benchmarks.page_openings SNAPSHOT_FOLDER`: everything is worked out and stored first.
Then each page's data are read `RUNS` times from a snapshot that is opened anew, as by the first
visitor after a restart. Asked for: 0.5 s. What the browser draws comes on top.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from graph.forecast.extinction import load_extinction
from graph.forecast.landing import load_backtest, load_landing_forecast
from graph.forecast.pairing import load_pairing
from graph.forecast.pairing_rules import PairingRules
from graph.forecast.pending_people import name_pending, select_pending
from graph.forecast.shortages import list_shortage_people, load_shortages, select_shortages
from graph.metrics.cached_tables import load_metric_table
from graph.policy import Policy
from graph.programme.departures import compute_until, list_departures
from graph.report.shortage_protection import protect_shortages
from graph.snapshot.frames import Snapshot, open_snapshot

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
    list_departures(snapshot, POLICY, UNTIL, steward=False)


OPENINGS: dict[str, Callable[[Snapshot], None]] = {
    "Forecast": open_forecast,
    "Forecast, who is pending": open_pending,
    "Supply and demand": open_shortages,
    "Supply and demand, the people of a row": open_shortage_people,
    "Pairing": open_pairing,
    "Survival of crafts": open_crafts,
    "Departures": open_departures,
}


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
    measure_openings(Path(sys.argv[1]))
