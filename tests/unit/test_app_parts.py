"""The parts of the app that need no browser and no database."""

from __future__ import annotations

import io
import re
import tomllib
from datetime import date
from pathlib import Path

import narwhals as nw
import polars as pl
import pytest

from components import charts, downloads
from components.figures import overview
from components.ladder import Ladder, ladder
from components.policy_form import parameters_of, policy_of
from components.style import style_sheet
from components.theme import MODES, Mode
from graph.metrics.driven import LEDGER, Driven, by_place_of_worker
from graph.model import PROVINCES
from graph.policy import Policy

ROOT = Path(__file__).parents[2]
POLICY = Policy(as_of=date(2026, 9, 30))


@pytest.mark.parametrize("mode", list(MODES))
def test_the_configuration_has_the_themes_colours(mode: Mode) -> None:
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    tokens, given = MODES[mode], config["theme"][mode]
    assert given["primaryColor"] == given["linkColor"] == tokens.link
    assert given["backgroundColor"] == tokens.paper
    assert given["textColor"] == tokens.ink
    assert given["borderColor"] == tokens.hairline
    assert given["sidebar"]["backgroundColor"] == tokens.sidebar
    assert config["client"]["showErrorDetails"] == "none"
    assert config["browser"]["gatherUsageStats"] is False
    assert config["server"]["address"] == "127.0.0.1"


@pytest.mark.parametrize("mode", list(MODES))
def test_the_style_sheet_uses_no_colour_it_does_not_define(mode: Mode) -> None:
    sheet = style_sheet(mode)
    used = set(re.findall(r"var\((--[\w-]+)\)", sheet))
    defined = set(re.findall(r"(--[\w-]+):", sheet))
    assert used <= defined
    assert "http" not in sheet and "@import" not in sheet


def test_every_province_has_one_tile_of_its_own() -> None:
    assert charts.TILES.keys() == PROVINCES.keys()
    places = [(column, line) for column, line, _ in charts.TILES.values()]
    assert len(set(places)) == len(places)
    assert len({letters for *_, letters in charts.TILES.values()}) == len(charts.TILES)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(),
        POLICY,
        Policy(generations=None, ordered=False, undated="include"),
        Policy(window_start=date(2025, 1, 1), channels=("studio",), high_skilled_level=5),
    ],
)
def test_a_policy_goes_through_the_address_and_back(policy: Policy) -> None:
    given = parameters_of(policy)
    assert policy_of(given) == policy
    if policy == Policy():
        assert given == {}


def driven_of(promotions: list[tuple[int, date, int, str, str]]) -> Driven:
    """What was measured, from the promotions; person 1 lives in 32, person 2 nowhere stated."""
    schema = {"person": pl.Int32, "day": pl.Date, "generation": pl.Int16, "channel": pl.String,
              "line": pl.String}  # fmt: skip
    by_mentorship, by_studio = (
        pl.col("channel").is_in([alone, "both"]).cast(pl.Int8).alias(name)
        for alone, name in (("mentorship_only", "by_mentorship"), ("studio_only", "by_studio"))
    )
    places = {line: place for place, line in enumerate(LEDGER)}
    rows = pl.DataFrame(promotions, schema=schema, orient="row").with_columns(
        by_mentorship, by_studio,
        ledger=pl.col("line").replace_strict(places, return_dtype=pl.Int8),
    )  # fmt: skip
    province = pl.col("person").replace_strict({1: "32", 2: None}, return_dtype=pl.String)
    lived = rows.select(province.alias("province"), "ledger")
    parts = by_place_of_worker(nw.from_native(lived.lazy()), "province")
    breakdowns = parts.rename({"province": "value"}).with_columns(
        attribute=pl.lit("province"), leading_talents=0, equal=0.0
    )
    talents = pl.DataFrame({"talent_id": ["p0"], "driven": [2], "equal": [2.0]})
    lines = {line: rows["line"].eq(line).sum() for line in LEDGER}
    national = {
        "leading_talents": 1, "driven_persons": 2, "driven_person_times": len(promotions),
        "sum_over_talents": 3,
    }  # fmt: skip
    tables = {"promotions": rows.lazy(), "breakdowns": breakdowns.lazy()}
    return Driven(POLICY, 1, talents, national, lines, tables, pl.LazyFrame())


def test_the_overview_holds_both_ledgers_against_the_sums_of_the_targets() -> None:
    driven = driven_of(
        [
            (1, date(2024, 2, 1), 1, "mentorship_only", "first_promotions"),
            (2, date(2025, 5, 1), 2, "mixed", "first_promotions"),
            (1, date(2026, 1, 5), 1, "both", "further_promotions"),
        ]
    )
    named = pl.DataFrame(
        {"person": [0, 0, 1], "day": [date(2024, 1, 1), date(2025, 1, 1), date(2020, 1, 1)]}
    )
    goals = [
        {"scope": "national", "year": 2024, "leading_talents": 4, "high_skilled": 10},
        {"scope": "全国", "year": 2026, "leading_talents": 2, "high_skilled": 20},
        {"scope": "national", "year": 2020, "leading_talents": 9, "high_skilled": 99},
        {"scope": "江苏", "year": 2025, "leading_talents": None, "high_skilled": 7},
        {"scope": "manufacturing", "year": 2025, "leading_talents": 1, "high_skilled": 7},
    ]
    found = overview(driven, named, goals, date(2026, 2, 14))
    assert found.workers.target == 30 and found.talents.target == 6
    last = found.workers.quarters.row(-1, named=True)
    assert last == {"day": date(2026, 2, 14), "persons": 2, "person_times": 3}
    assert found.workers.quarters.height == 9
    assert found.talents.quarters.row(-1)[1:] == (1, 2)
    rows = {row["province"]: row for row in found.provinces.iter_rows(named=True)}
    assert len(rows) == len(PROVINCES)
    assert rows["32"] == {"province": "32", "target": 7, "persons": 1, "person_times": 2}
    assert rows["11"]["target"] is None
    totals = found.generations.drop("generation").sum().row(0)
    assert found.generations.height == 3 and sum(totals) == found.persons == 2
    assert sum(found.lines.values()) == found.person_times == 3
    assert found.workers.path(date(2026, 12, 31)) == 30
    assert 0 < found.on_path < 1


@pytest.mark.parametrize("mode", list(MODES))
@pytest.mark.parametrize("target", [None, 0, 40_000])
def test_the_charts_are_valid_and_fetch_nothing(mode: Mode, target: int | None) -> None:
    quarters = pl.DataFrame(
        {"day": [date(2024, 3, 31), date(2024, 6, 30)], "persons": [3, 5], "person_times": [4, 8]}
    )
    ledger = charts.Ledger(quarters, target, date(2024, 1, 1), date(2026, 12, 31))
    provinces = pl.DataFrame(
        {"province": ["11"], "persons": [1], "person_times": [2], "target": [target]}
    )
    way = Ladder(
        [(date(2010, 1, 1), 3, "x"), (date(2015, 1, 1), 5, "y"), (date(2015, 1, 1), 4, "z")],
        [(date(2020, 1, 1), "全国技术能手"), (date(2020, 6, 1), "政府特殊津贴")],
        [date(2024, 5, 1)], [("秦守义", date(2009, 1, 1), None)], [], date(2026, 9, 30),
    )  # fmt: skip
    for chart in (
        charts.ledger_chart(ledger, mode, "zh"),
        charts.tile_map(provinces, 0.9, mode, "en")[0],
        ladder(way, POLICY, mode, "zh"),
    ):
        text = chart.to_json()
        assert "NaN" not in text
        assert not re.findall(r'"url"', text)
    assert [step["level"] for step in way.steps()] == [3, 5]


def test_downloads_hold_the_policy_and_run_no_formula() -> None:
    table = pl.DataFrame({"name": ["=1+1", "李雷"], "n": [-1, 2]})
    about = downloads.About(7, POLICY, {"province": "11"})
    data = downloads.csv(table, about)
    assert data.startswith(b"\xef\xbb\xbf")
    read = pl.read_csv(io.BytesIO(data))
    assert read["name"].to_list() == ["'=1+1", "李雷"] and read["n"].to_list() == [-1, 2]
    assert POLICY.id in read["policy"][0] and '"filter_province": "11"' in read["policy"][0]
    book = downloads.xlsx(table, about)
    assert book[:2] == b"PK"


def test_the_workbook_keeps_text_as_text() -> None:
    import zipfile

    table = pl.DataFrame({"name": ["=1+1", "http://a.b"]})
    book = zipfile.ZipFile(io.BytesIO(downloads.xlsx(table, downloads.About(7, POLICY))))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    strings = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet and "=1+1" in strings
    assert POLICY.id in strings
