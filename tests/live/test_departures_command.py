"""`shicheng departures` and `successors` as a shell sees them, on a loaded network."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from cli.main import cli
from graph.errors import UsageError
from graph.programme.departures import COLUMNS, RISK_ORDER
from graph.programme.successors import REASONS
from graph.server.database import Database
from graph.settings import Settings
from tests.filling import filled


def test_who_leaves_and_who_takes_over(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(database, settings, tmp_path / "made", talents=20, workers=4_000, seed=2026)

    def run(*arguments: object) -> str:
        done = CliRunner().invoke(cli, ["--home", str(settings.home), *map(str, arguments)])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    asked = ("departures", "--as-of", "2026-11-23", "--until", "2027-12")
    rows = json.loads(run(*asked, "--json"))["rows"]
    assert [*rows[0]] == [*COLUMNS]
    parts = [tuple(-int(row[name]) for name in RISK_ORDER) for row in rows]
    assert parts == sorted(parts) and [row["rank"] for row in rows] == [*range(1, len(rows) + 1)]
    retiring = [row for row in rows if row["kind"] == "retires"]
    assert retiring and {len(str(row["day"])) for row in retiring} == {4}
    monkeypatch.setenv("SHICHENG_ROLE", "steward")
    run(*asked, "--province", "江苏", "-o", tmp_path / "left.parquet")
    left = pl.read_parquet(tmp_path / "left.parquet")
    months = left.filter(pl.col("known_by") == "age")["day"]
    assert months.len() and months.cast(pl.String).str.len_chars().unique().to_list() == [7]
    assert set(left["province"]) == {"32"}
    assert left["last_mentor"].any() or left["irreplaceable"].max() > 0  # type: ignore[operator]
    bench = json.loads(run("successors", rows[0]["person_id"], "--json"))["rows"]
    assert bench and rows[0]["person_id"] not in {row["person_id"] for row in bench}
    for row in bench:
        assert row["points"] == sum(row[name] is True for name in REASONS)
    for wrong in (("successors", "nobody"), (*asked[:1], "--until", "June")):
        with pytest.raises(UsageError):
            run(*wrong)
    assert date.fromisoformat(f"{min(months.cast(pl.String))}-01") >= date(2026, 11, 1)
