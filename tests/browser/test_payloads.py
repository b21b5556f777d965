"""Fifty texts that are scripts, in every field that a file states freely: none runs on any page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.browser.seeing import IDLE, WAIT, at_rest, pages_of_the_app
from tests.filling import filled

ROOT = Path(__file__).parents[2]
SCRIPTS = (
    "<script>window.ran=1</script>",
    "<img src=x onerror='window.ran=1'>",
    '"><svg onload=window.ran=1>',
    "'><body onload=window.ran=1>",
    "<a href='javascript:window.ran=1'>href</a>",
    "<iframe srcdoc='<script>parent.ran=1</script>'>",
    "<details open ontoggle=window.ran=1>",
    "[x](javascript:window.ran=1)",
    "<math><mtext></p><style><img src=x onerror=window.ran=1>",
    "![x](x){{constructor.constructor('window.ran=1')()}}",
)
# Each as it is, and as if it stood within something.
AROUND = ("{}", "李{}", "</b>{}", "&quot;{}", "</script>{}")
PAYLOADS = tuple(around.format(script) for around in AROUND for script in SCRIPTS)
# Table -> the fields a file states as it likes and a page may show.
FIELDS = {
    "people": ("name",),
    "occupations": ("name",),
    "provinces": ("name",),
    "enterprises": ("name", "industry", "ownership"),
    "schools": ("name",),
    "studios": ("name", "industry"),
    "competitions": ("name",),
    "employments": ("position",),
    "partnerships": ("kind",),
    "training_targets": ("reason",),
    "talents": ("industry", "source"),
    "honours": ("honour", "source"),
    "recognitions": ("certificate_no",),
}


def with_payloads(table: pl.DataFrame, fields: tuple[str, ...]) -> pl.DataFrame:
    """The table with another payload in each row of these fields, where they are stated."""
    for field in fields:
        texts = pl.Series(PAYLOADS).sample(table.height, with_replacement=True, seed=1)
        marked = texts + pl.int_range(table.height, eager=True).cast(pl.String)
        table = table.with_columns(pl.when(pl.col(field).is_not_null()).then(marked).alias(field))
    return table


def poison(made: Path) -> None:
    """Writes a payload into every free text of the folder's tables."""
    for table, fields in FIELDS.items():
        file = made / f"{table}.csv"
        read = pl.read_csv(file, infer_schema=False)
        known = tuple(name for name in fields if name in read.columns)
        assert known, f"{table} has none of {fields}"
        with_payloads(read, known).write_csv(file)


@pytest.fixture(scope="module")
def hostile(
    database: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A store in which every free text is a payload; the talent who drives most."""
    made = tmp_path_factory.mktemp("hostile") / "made"
    report = filled(database, settings, made, changed=poison, talents=6, workers=400, seed=3)
    assert report.accepted > 0.9 * report.read
    rows = measure_driven(take_snapshot(database, settings), Policy()).talents
    yield str(rows.sort("driven")["talent_id"][-1])


@pytest.mark.parametrize("name", pages_of_the_app())
def test_no_payload_runs(
    name: str,
    hostile: str,
    settings: Settings,
    serve: Callable[..., str],
    visit: Callable[..., Any],
) -> None:
    assert len(set(PAYLOADS)) == 50
    url = serve(ROOT / "app.py", env={"SHICHENG_HOME": str(settings.home)})
    query = f"?id={hostile}" if name in ("lineage", "talent") else ""
    page = visit(url, f"{name}{query}")
    dialogs: list[str] = []

    def note_dialog(dialog: Any) -> None:
        dialogs.append(dialog.message)

    page.on("dialog", note_dialog)
    page.locator(".sc-lead, .sc-note").first.wait_for(timeout=WAIT)
    page.locator(IDLE).wait_for(timeout=WAIT)
    at_rest(page)
    if name == "find":
        page.locator("[data-testid=stMain] input").first.fill("李")
        page.locator(".sc-lead", has_text="李").wait_for(timeout=WAIT)
        at_rest(page)
    assert page.evaluate("window.ran") is None
    assert not dialogs
    page.remove_listener("dialog", note_dialog)
    made = "img[src='x'], iframe[srcdoc], details[ontoggle], a[href^='javascript:']"
    assert page.locator(made).count() == 0
