"""Every metric can be called the same way, names its columns, and is explained."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from graph.errors import UsageError
from graph.metrics.examples import build_example_lineages
from graph.metrics.registry import BOUNDS, METRICS, Metric
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
    snapshot = build_example_lineages("Ada Bo 2024-01-01", "Bo Cy 2024-02-01", talents="Ada")
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
        claims.table(build_example_lineages("a b"), Policy(), size=1)


@pytest.mark.parametrize(
    ("metric", "name", "value"),
    [
        ("communities", "resolution", "nan"),
        ("communities", "resolution", "inf"),
        ("communities", "resolution", "-1"),
        ("communities", "seed", str(2**70)),
        ("communities", "iterations", "-3"),
        ("claims", "capacity", "-1"),
        ("claims", "days", str(10**30)),
        ("centrality", "apprentices", "-5"),
        ("communities", "iterations", "0"),
        ("communities", "iterations", "101"),
        ("communities", "iterations", str(2**31 - 1)),
        ("communities", "resolution", "0"),
        ("claims", "capacity", str(2**31 - 1)),
        ("claims_by_kind", "mentors", str(10**20)),
    ],
)
def test_a_number_out_of_range_is_refused_in_words(metric: str, name: str, value: str) -> None:
    """Not by a library beneath: one of them ends in a panic that is no `Exception`."""
    chosen = METRICS[metric]
    with pytest.raises(UsageError, match=f"{name} has .*; give a number from [0-9.]+ to "):
        chosen.parsed({name: value})
    number = type(chosen.parameters[name])(value)
    with pytest.raises(UsageError, match=f"{name} has"):
        chosen.table(build_example_lineages("a b"), Policy(), **{name: number})


def test_every_number_has_bounds() -> None:
    numbers = {
        name
        for metric in METRICS.values()
        for name, default in metric.parameters.items()
        if isinstance(default, int | float)
    }
    assert numbers == set(BOUNDS)
