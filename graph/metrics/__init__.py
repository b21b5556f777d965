"""The metrics, one file each: a new one is its file and one line in `METRICS`.

A metric is a function `(snapshot, policy, *, driven=None, **parameters)` that gives a polars table,
or a typed result with `.table()`. One that stands on the driven counts takes them as `driven` where
they are at hand, and measures them itself where they are not; one that does not has no such
argument. Its further keyword arguments are its parameters, each with a default of the type it has.
Its file declares `COLUMNS`: every column of its tables, in both languages. docs/metrics.md has a
section for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Final, Literal

from graph.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from graph.metrics.driven import Driven
    from graph.policy import Policy
    from graph.snapshot import Snapshot

Row = Literal[
    "talent", "person", "studio", "enterprise", "school", "finding", "kind", "nation", "component",
    "community", "node",
]  # fmt: skip
# Column -> its words in English and in Chinese.
Labels = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Metric:
    """A metric: its name in both languages, what a row of it is, and where its function is.

    The function is imported when asked for, for it needs the dataframe library, which a short
    command must not wait for.
    """

    name: str
    en: str
    zh: str
    row: Row
    function: str

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        module, _, name = self.function.partition(":")
        function: Callable[..., Any] = getattr(import_module(module), name)
        return function

    @property
    def columns(self) -> Labels:
        """The words in English and Chinese of every column its tables can have."""
        labels: Labels = getattr(import_module(self.function.partition(":")[0]), "COLUMNS", {})
        return labels

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What can be set beside the policy, with the defaults."""
        taken = signature(self.load()).parameters.values()
        return {
            p.name: p.default
            for p in taken
            if p.kind is Parameter.KEYWORD_ONLY and p.name != "driven"
        }

    def table(
        self,
        snapshot: Snapshot,
        policy: Policy,
        *,
        driven: Driven | None = None,
        **parameters: Any,
    ) -> pl.DataFrame:
        """Its table. `driven` goes on to it where it takes it.

        Raises `UsageError` when there is no such parameter, or when what is asked for cannot be
        computed.
        """
        for name in parameters:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise UsageError(f"{self.name} has no parameter {name}; it has: {known}.")
        function = self.load()
        if driven is not None and "driven" in signature(function).parameters:
            parameters["driven"] = driven
        result = function(snapshot, policy, **parameters)
        table: pl.DataFrame = result.table() if hasattr(result, "table") else result
        return table

    def parsed(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Parameters as on the command line, each as the type of its default.

        Raises `UsageError` when there is no such parameter or the value is of another type.
        """
        values = {}
        for name, text in given.items():
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise UsageError(f"{self.name} has no parameter {name}; it has: {known}.")
            default = self.parameters[name]
            try:
                values[name] = type(default)(text)
            except ValueError:
                raise UsageError(
                    f"{name} has {text!r}, but it is a number; give one, as {default}."
                ) from None
        return values


METRICS: Final[Mapping[str, Metric]] = {
    metric.name: metric
    for metric in (
        Metric(
            "driven",
            "new high-skilled workers driven",
            "带动新增高技能人才",
            "talent",
            "graph.metrics.driven:measure",
        ),
        Metric(
            "rank_band",
            "ranks under every rule",
            "各种口径下的排名区间",
            "talent",
            "graph.metrics.band:band",
        ),
        Metric(
            "headline_band",
            "the headline under every rule",
            "各种口径下的总数",
            "nation",
            "graph.metrics.band:headline_band",
        ),
        Metric(
            "mpact",
            "mentorship impact (MPACT)",
            "师承影响力（MPACT）",
            "person",
            "graph.metrics.mpact:mpact",
        ),
        Metric(
            "genealogical_index",
            "genealogical index",
            "师承谱系指数",
            "person",
            "graph.metrics.genealogy:genealogical_index",
        ),
        Metric(
            "claims",
            "findings that move the headline",
            "数据核查：影响总数的疑点",
            "finding",
            "graph.metrics.claims:claims",
        ),
        Metric(
            "claims_by_kind",
            "findings that move the headline, by kind",
            "数据核查：按类型汇总",
            "kind",
            "graph.metrics.claims:claims_by_kind",
        ),
        Metric(
            "bus_factor",
            "fewest people whose leaving halves the driven count",
            "关键人依赖度",
            "studio",
            "graph.metrics.bus_factor:bus_factor",
        ),
        Metric(
            "studios",
            "studios: output and cost",
            "工作室：产出与成本",
            "studio",
            "graph.metrics.places:studios",
        ),
        Metric(
            "enterprises",
            "enterprises: output and education fund",
            "企业：产出与职工教育经费",
            "enterprise",
            "graph.metrics.places:enterprises",
        ),
        Metric(
            "schools",
            "schools: teachers, partnerships, paths into enterprises",
            "院校：师资、校企合作与就业去向",
            "school",
            "graph.metrics.places:schools",
        ),
        Metric(
            "irreplaceable",
            "driven workers who would lose every chain",
            "不可替代性",
            "node",
            "graph.metrics.irreplaceable:irreplaceable",
        ),
        Metric(
            "centrality",
            "centrality of mentors",
            "导师中心性",
            "person",
            "graph.metrics.centrality:centrality",
        ),
        Metric(
            "components",
            "components of mentorship",
            "师承连通分量",
            "component",
            "graph.metrics.components:components",
        ),
        Metric(
            "communities",
            "communities of mentorship",
            "师承社群",
            "community",
            "graph.metrics.communities:communities",
        ),
    )
}
