"""The import for notebooks: its page, its notebook, and what a manager does not get from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.cypher.masking import MASKED_PROPERTIES
from graph.errors import RefusedError, UsageError
from graph.server.database import Database
from graph.settings import Settings
from shicheng import OpenGraph, open_graph

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def opened(network: Database, settings: Settings) -> Iterator[OpenGraph]:
    with open_graph(settings=settings) as graph:
        yield graph


def run_blocks(blocks: list[str], where: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{where}, block {number}", "exec"), names)
    return names


def test_the_examples_of_the_page_run(
    network: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHICHENG_HOME", str(settings.home))
    text = (DOCS / "notebook.md").read_text("utf-8")
    names = run_blocks(re.findall(r"```python\n(.*?)```", text, re.DOTALL), "notebook.md")
    table = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    documented = {name for row in table for name in re.findall(r"`(\w+)`", row)}
    assert documented == set(names["figures"].columns)
    assert names["why"].counts and names["lineage"].number_of_nodes() > 1


def test_the_notebook_runs(
    network: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHICHENG_HOME", str(settings.home))
    notebook = json.loads((DOCS / "notebook.ipynb").read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells)  # nobody's data goes along
    names = run_blocks(["".join(cell["source"]) for cell in cells], "notebook.ipynb")
    assert names["both"].height == 12 and names["why"].counts


def test_why_without_a_talent_names_everybody_who_drives_the_person(opened: OpenGraph) -> None:
    workers = opened.measure().workers
    worker, count = workers["person_id"].value_counts().sort("count", "person_id").row(-1)
    found = opened.why(worker)
    talents = workers.filter(pl.col("person_id") == worker)["talent_id"]
    assert {one.talent_id for one in found} == set(talents) and len(found) == count
    assert [one.generation for one in found] == sorted(one.generation for one in found)
    assert len(opened.why(worker, talents=1)) == 1
    with pytest.raises(UsageError, match="no person of that id"):
        opened.why("nobody")


def test_links_are_the_edges_of_the_snapshot_by_id(opened: OpenGraph) -> None:
    links, lineage = opened.links(), opened.network()
    taught = [e for e in lineage.edges(data=True) if e[2]["channel"] == "mentorship"]
    assert links.filter(pl.col("channel") == "mentorship").height == len(taught)
    assert links.select("mentor_id", "apprentice_id").null_count().row(0) == (0, 0)


def test_a_manager_gets_nothing_masked_and_a_steward_does(
    opened: OpenGraph, settings: Settings
) -> None:
    assert opened.role == "analyst"
    people = opened.people()
    assert not MASKED_PROPERTIES & set(people.columns) and "retired_in" in people.columns
    with pytest.raises(RefusedError, match="birth_date"):
        opened.cypher("MATCH (p:Person) RETURN p.birth_date")
    (row,) = opened.cypher("MATCH (p:Person) RETURN properties(p) AS p LIMIT 1").iter_rows()
    assert "birth_date" not in row[0]
    steward = settings.model_copy(update={"role": "steward"})
    with open_graph(settings=steward) as graph:
        born = graph.people()["birth_date"].drop_nulls()
        asked = "MATCH (p:Person) WHERE p.birth_date IS NOT NULL RETURN count(p) AS n"
        assert graph.cypher(asked)["n"].item() == len(born) > 0


def test_what_cannot_be_asked_is_said(opened: OpenGraph) -> None:
    with pytest.raises(RefusedError):
        opened.cypher("MATCH (n) DETACH DELETE n")
    with pytest.raises(UsageError, match="no query"):
        opened.query("nothing")
    with pytest.raises(UsageError, match="no metric"):
        opened.metric("nothing")
    with pytest.raises(UsageError, match="no kind"):
        opened.search("a", kinds=["Planet"])
    with pytest.warns(UserWarning, match="first 3 rows"):
        assert opened.cypher("MATCH (p:Person) RETURN p.person_id AS id", limit=3).height == 3


def test_a_pyvis_page_asks_no_other_host(opened: OpenGraph, tmp_path: Path) -> None:
    talent = opened.driven()["talent_id"][0]
    page = opened.to_pyvis(opened.lineage(talent), notebook=False)
    html = page.generate_html()
    loaded = re.findall(r"<(?:link|script|img)\b[^>]*(?:href|src)\s*=\s*[\"'](\S+?)[\"']", html)
    assert [address for address in loaded if "//" in address] == []
    assert talent in html and "new vis.Network" in html
