"""The skill story by command and page: named with a consent alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
from streamlit.testing.v1 import AppTest

from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.shell import run_here
from tests.live.visiting import lead, text


def test_whoever_consents_is_named_and_nobody_else(
    network: Database, settings: Settings, app: Callable[..., AppTest], tmp_path: Path
) -> None:
    home = {"SHICHENG_HOME": str(settings.home)}
    people = take_snapshot(network, settings).frames["people"].filter("leading").collect()
    consents = people.filter(pl.col("story_consent"))
    others = people.filter(~pl.col("story_consent").fill_null(False))
    for chosen, named in ((consents, True), (others, False)):
        id, name = chosen.sort("person_id").select("person_id", "name").row(0)
        path = tmp_path / f"{named}.html"
        done = run_here(["story", id, "--language", "zh", "-o", path], home)
        assert done.returncode == 0, done.stderr
        page = path.read_text("utf-8")
        seen = app("story", lang="zh", id=id)
        assert (name in page) == (name in lead(seen)) == named
        assert named or not (name in text(seen) or id in page)
        assert "talents.csv:" in page and "talents.csv:" in text(seen)
    nobody = run_here(["story", "nobody", "-o", tmp_path / "no.html"], home)
    assert nobody.returncode == 2 and "nobody in the graph" in nobody.stderr
