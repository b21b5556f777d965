"""The parts of the app that need no browser and no database."""

from __future__ import annotations

import io
import itertools
import re
import tomllib
from datetime import date
from pathlib import Path

import narwhals as nw
import polars as pl
import pytest

from graph.driven.breakdowns import break_down_by_worker
from graph.driven.figures import Driven
from graph.driven.terms import LEDGER_LINES
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.programme import ledgers
from graph.programme.overview import build_overview
from graph.tabular import render_xlsx
from ui.controls import charts, downloads
from ui.crafts.province_map import build_craft_map
from ui.profile.career_ladder import CareerLadder, build_ladder_chart
from ui.shell.policy_form import format_policy_parameters, parse_policy_parameters
from ui.shell.style import render_style_sheet
from ui.shell.theme import TOKENS_BY_MODE, ColourMode
from ui.shortages.heat_map import build_heat_map

ROOT = Path(__file__).parents[2]
POLICY = Policy(as_of=date(2026, 9, 30))


@pytest.mark.parametrize("mode", list(TOKENS_BY_MODE))
def test_the_configuration_has_the_themes_colours(mode: ColourMode) -> None:
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    tokens, given = TOKENS_BY_MODE[mode], config["theme"][mode]
    assert given["primaryColor"] == given["linkColor"] == tokens.link
    assert given["backgroundColor"] == tokens.paper
    assert given["textColor"] == tokens.ink
    assert given["borderColor"] == tokens.hairline
    assert given["sidebar"]["backgroundColor"] == tokens.sidebar
    assert config["client"]["showErrorDetails"] == "none"
    assert config["browser"]["gatherUsageStats"] is False
    assert config["server"]["address"] == "127.0.0.1"


@pytest.mark.parametrize("mode", list(TOKENS_BY_MODE))
def test_the_style_sheet_uses_no_colour_it_does_not_define(mode: ColourMode) -> None:
    sheet = render_style_sheet(mode)
    used = set(re.findall(r"var\((--[\w-]+)\)", sheet))
    defined = set(re.findall(r"(--[\w-]+):", sheet))
    assert used <= defined
    assert "http" not in sheet and "@import" not in sheet


def test_every_province_has_one_tile_of_its_own() -> None:
    assert charts.PROVINCE_TILES.keys() == PROVINCES.keys()
    places = [(column, line) for column, line, _ in charts.PROVINCE_TILES.values()]
    assert len(set(places)) == len(places)
    assert len({letters for *_, letters in charts.PROVINCE_TILES.values()}) == len(
        charts.PROVINCE_TILES
    )


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
    given = format_policy_parameters(policy)
    assert parse_policy_parameters(given) == policy
    if policy == Policy():
        assert given == {}


def driven_of(promotions: list[tuple[int, date, int, str, str]]) -> Driven:
    """What was measured, from the promotions; person 1 lives in 32, person 2 nowhere stated."""
    schema = {
        "person": pl.Int32,
        "day": pl.Date,
        "generation": pl.Int16,
        "channel": pl.String,
        "line": pl.String,
    }
    by_mentorship, by_studio = (
        pl.col("channel").is_in([alone, "both"]).cast(pl.Int8).alias(name)
        for alone, name in (("mentorship_only", "by_mentorship"), ("studio_only", "by_studio"))
    )
    places = {line: place for place, line in enumerate(LEDGER_LINES)}
    rows = pl.DataFrame(promotions, schema=schema, orient="row").with_columns(
        by_mentorship,
        by_studio,
        ledger=pl.col("line").replace_strict(places, return_dtype=pl.Int8),
    )
    province = pl.col("person").replace_strict({1: "32", 2: None}, return_dtype=pl.String)
    lived = rows.select(province.alias("province"), "ledger")
    parts = break_down_by_worker(nw.from_native(lived.lazy()), "province")
    breakdowns = parts.rename({"province": "value"}).with_columns(
        attribute=pl.lit("province"), leading_talents=0, equal=0.0
    )
    talents = pl.DataFrame({"talent_id": ["p0"], "driven": [2], "equal": [2.0]})
    lines = {line: rows["line"].eq(line).sum() for line in LEDGER_LINES}
    national = {
        "leading_talents": 1,
        "driven_persons": 2,
        "driven_person_times": len(promotions),
        "sum_over_talents": 3,
    }
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
    found = build_overview(driven, named, goals, date(2026, 2, 14))
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


@pytest.mark.parametrize("mode", list(TOKENS_BY_MODE))
@pytest.mark.parametrize("target", [None, 0, 40_000])
def test_the_charts_are_valid_and_fetch_nothing(mode: ColourMode, target: int | None) -> None:
    quarters = pl.DataFrame(
        {"day": [date(2024, 3, 31), date(2024, 6, 30)], "persons": [3, 5], "person_times": [4, 8]}
    )
    ledger = ledgers.Ledger(quarters, target, date(2024, 1, 1), date(2026, 12, 31))
    provinces = pl.DataFrame(
        {"province": ["11"], "persons": [1], "person_times": [2], "target": [target]}
    )
    shortages = pl.DataFrame(
        {"code": ["6-18", None], "province": ["11", "32"], "gap": [3.2, 1.0], "stock": [0, 1]}
    ).with_columns(positions=4)
    way = CareerLadder(
        [(date(2010, 1, 1), 3, "x"), (date(2015, 1, 1), 5, "y"), (date(2015, 1, 1), 4, "z")],
        [(date(2020, 1, 1), "全国技术能手"), (date(2020, 6, 1), "政府特殊津贴")],
        [date(2024, 5, 1)],
        [("秦守义", date(2009, 1, 1), None)],
        [],
        date(2026, 9, 30),
    )
    for chart in (
        charts.build_ledger_chart(ledger, mode, "zh"),
        charts.build_tile_map(provinces, 0.9, mode, "en")[0],
        build_ladder_chart(way, POLICY, mode, "zh"),
        build_heat_map(shortages, {}, mode, "en"),
        build_craft_map({"11": 3}, mode, "zh"),
    ):
        text = chart.to_json()
        assert "NaN" not in text
        assert not re.findall(r'"url"', text)
    assert [step.level for step in way.steps()] == [3, 5]


def test_downloads_hold_the_policy_and_run_no_formula() -> None:
    table = pl.DataFrame({"name": ["=1+1", "李雷"], "n": [-1, 2]})
    about = downloads.About(7, POLICY, {"province": "11"})
    data = downloads.encode_table_csv(table, about)
    assert data.startswith(b"\xef\xbb\xbf")
    read = pl.read_csv(io.BytesIO(data))
    assert read["name"].to_list() == ["'=1+1", "李雷"] and read["n"].to_list() == [-1, 2]
    assert read.columns == ["name", "n"]
    name = downloads.format_table_file_name("people", about, "csv")
    assert (
        name
        == f"people_r7_2024-26-3-generations-dated-as-of-2026-09-30_{POLICY.id}_province=11.csv"
    )
    book = render_xlsx(table, about)
    assert book[:2] == b"PK"


def test_the_workbook_keeps_text_as_text() -> None:
    import zipfile

    table = pl.DataFrame({"name": ["=1+1", "http://a.b"]})
    book = zipfile.ZipFile(io.BytesIO(render_xlsx(table, downloads.About(7, POLICY))))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    strings = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet and "=1+1" in strings
    assert POLICY.id in strings


def lightness(colour: str) -> float:
    """CIE L* of #RRGGBB."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    line = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    y = 0.2126 * line[0] + 0.7152 * line[1] + 0.0722 * line[2]
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


@pytest.mark.parametrize("mode", list(TOKENS_BY_MODE))
def test_the_steps_of_the_tiles_are_told_apart(mode: ColourMode) -> None:
    light = [lightness(fill) for fill in charts.TILE_FILL_RAMP[mode]]
    gaps = [abs(b - a) for a, b in itertools.pairwise(light)]
    assert min(gaps) >= 8 and gaps[2] >= 18


def by_province(shares: list[float]) -> pl.DataFrame:
    """So many provinces with a target of 1,000, and the share each has reached."""
    codes = [code for code in charts.PROVINCE_TILES if code not in charts.PROVINCES_WITHOUT_TARGET][
        : len(shares)
    ]
    times = [round(1000 * share) for share in shares]
    return pl.DataFrame(
        {"province": codes, "persons": times, "person_times": times, "target": [1000] * len(codes)}
    )


def test_provinces_below_the_path_are_parted_into_equal_groups() -> None:
    shares = [0.30 + 0.005 * n for n in range(26)] + [0.93, 0.95, 0.99, 1.0, 1.2]
    provinces = by_province(shares)
    rows = charts._build_tile_rows(provinces, 0.92, "light", "zh")
    counts = rows.filter(~pl.col("dashed"))["fill"].value_counts().sort("count")
    assert counts["count"].to_list() == [2, 3, 8, 9, 9]
    steps = charts.compute_tile_steps(provinces, 0.92)
    assert steps.limits[2:] == (0.92, 1.0) and steps.below == 3
    assert charts.render_tile_legend(steps, "dark").count("<i ") == 5


@pytest.mark.parametrize("shares", [[], [0.5], [0.5] * 31, [0.2, 0.4], [1.1, 1.2], [0.0] * 5])
@pytest.mark.parametrize("path", [0.0, 0.9, 1.0])
def test_few_or_equal_provinces_have_fewer_steps(shares: list[float], path: float) -> None:
    provinces = by_province(shares)
    steps = charts.compute_tile_steps(provinces, path)
    assert list(steps.limits) == sorted(set(steps.limits))
    assert len(steps.fills) == len(steps.limits) + 1
    assert charts.render_tile_legend(steps, "light").count("<i ") == len(steps.fills)
    for share in shares:
        fill, _ = charts._pick_tile_colours(share, steps, "light")
        low = charts.TILE_FILL_RAMP["light"].index(fill) < 3
        assert low == (share < min(path, 1.0))


def test_a_tile_says_in_words_what_it_stands_for() -> None:
    chart, _ = charts.build_tile_map(by_province([0.5, 0.95]), 0.9, "light", "en")
    spec = charts.build_chart_spec(chart)
    assert spec["config"]["mark"]["tooltip"] is None
    *others, touched = spec["layer"]
    assert not any("tooltip" in layer["encoding"] for layer in others)
    titles = [one["title"] for one in touched["encoding"]["tooltip"]]
    assert titles[:2] == ["Province", "Person-times"] and "read" not in " ".join(titles)
    read = charts._format_tile_figures({"persons": 4, "person_times": 500}, 1000, 0.9, "en")
    assert read["read_gap"].startswith("\N{MINUS SIGN}400") or "400" in read["read_gap"]
