"""Every metric can be called the same way, names its columns, and is explained."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from graph.errors import UsageError
from graph.metrics import METRICS, Metric
from graph.metrics.examples import lineages
from graph.policy import Policy

DOCS = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)


@every_metric
def test_it_has_a_section_in_the_docs(metric: Metric) -> None:
    heading = f"\n## {metric.name}\n"
    assert heading in DOCS
    section = DOCS.split(heading)[1].split("\n## ")[0]
    assert len(section.split()) > 20
    for parameter in metric.parameters:
        assert f"`{parameter}`" in section, parameter


@every_metric
def test_it_names_its_columns_in_both_languages(metric: Metric) -> None:
    snapshot = lineages("Ada Bo 2024-01-01", "Bo Cy 2024-02-01", talents="Ada")
    table = metric.table(snapshot, Policy())
    assert isinstance(table, pl.DataFrame)
    if metric.name != "driven":
        assert [name for name in table.columns if name not in metric.columns] == []
    assert all(en and zh for en, zh in metric.columns.values())
    assert metric.load().__doc__


def test_parameters_are_read_as_their_defaults_are() -> None:
    claims = METRICS["claims"]
    assert claims.parsed({"capacity": "8"}) == {"capacity": 8}
    with pytest.raises(UsageError, match="has no parameter size"):
        claims.parsed({"size": "8"})
    with pytest.raises(UsageError, match="it is a number"):
        claims.parsed({"capacity": "eight"})
    with pytest.raises(UsageError, match="has no parameter size"):
        claims.table(lineages("a b"), Policy(), size=1)
