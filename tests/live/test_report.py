"""The monthly report by command and page: one set of figures, nobody named, the same file twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import docx
import polars as pl
from streamlit.testing.v1 import AppTest

from graph.model.vocabularies import PROVINCES
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.shell import run_here
from tests.live.visiting import lead, text

MONTH, MONTH_END = "2026-06", "2026-06-30"


def test_the_command_and_the_page_say_one_figure_and_name_nobody(
    network: Database, settings: Settings, app: Callable[..., AppTest], tmp_path: Path
) -> None:
    home = {"SHICHENG_HOME": str(settings.home)}

    def write(name: str, *more: str, month: str = MONTH) -> bytes:
        path = tmp_path / name
        done = run_here(["report", "--month", month, "-o", path, "--force", *more], home)
        assert done.returncode == 0, done.stderr
        return path.read_bytes()

    window = ["--window", f"2024-01-01:{MONTH_END}"]
    done = run_here(["national", *window], home)
    driven = json.loads(done.stdout)
    shown = f"{driven['driven_persons']:,} persons and {driven['driven_person_times']:,} person-t"
    page = write("a.html", "--language", "en").decode()
    assert shown in page
    seen = app("report", lang="en", month=MONTH)
    assert shown in lead(seen) and "2  Both ledgers" in text(seen)
    content = write("a.docx", "--language", "zh")
    assert content == write("b.docx", "--language", "zh")
    document = docx.Document(BytesIO(content))
    heads = [p.text for p in document.paragraphs if p.style and p.style.name == "Heading 1"]
    assert len(heads) == 9 and heads[0] == "1  概要"
    assert f"{driven['driven_person_times']:,} 人次" in "".join(p.text for p in document.paragraphs)
    assert "未保留更早的数据版本" in "".join(p.text for p in document.paragraphs)
    snapshot = take_snapshot(network, settings)
    people = snapshot.frames["people"].select("name", "person_id").collect()
    said = re.sub("<style>.*?</style>", "", page, flags=re.S) + document.element.xml
    assert not [id for id in people["person_id"] if id in said]
    assert not [name for name in people["name"].unique() if name in said]


def test_a_province_and_what_cannot_be_reported(
    network: Database, settings: Settings, app: Callable[..., AppTest], tmp_path: Path
) -> None:
    home = {"SHICHENG_HOME": str(settings.home)}
    people = take_snapshot(network, settings).frames["people"]
    code = people.select(pl.col("province").mode().sort().first()).collect().item()
    seen = app("report", lang="zh", month=MONTH, province=code)
    assert PROVINCES[code][1] in lead(seen) and "各职业进展" in text(seen)
    given = ["report", "--province", code, "-o", tmp_path / "p.html", "--month"]
    assert run_here([*given, MONTH], home).returncode == 0
    later = run_here([*given[:-3], "-o", tmp_path / "q.html", "--month", "2026-12"], home)
    assert later.returncode == 5 and "has no figures yet" in later.stderr
    outside = run_here([*given[:-3], "-o", tmp_path / "q.html", "--month", "2031-01"], home)
    assert outside.returncode == 2 and "outside the window" in outside.stderr
    wrong = run_here(["report", "--month", MONTH, "-o", tmp_path / "r.pdf"], home)
    assert wrong.returncode == 2 and not (tmp_path / "q.html").exists()
    made = run_here(["report-templates", tmp_path / "own"], home)
    assert made.returncode == 0 and sorted(p.name for p in (tmp_path / "own").iterdir()) == [
        "report.css",
        "report.docx",
    ]
