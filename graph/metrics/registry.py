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
from graph.messages import NONE_WORDS

if TYPE_CHECKING:
    import polars as pl

    from graph.driven.figures import Driven
    from graph.policy import Policy
    from graph.snapshot.frames import Snapshot

from graph.labels import MetricColumnLabels

MetricRowKind = Literal[
    "talent",
    "person",
    "studio",
    "enterprise",
    "school",
    "finding",
    "kind",
    "nation",
    "occupation",
    "component",
    "community",
    "node",
]
MAX_METRIC_NUMBER: Final = 2**31 - 1
# What each parameter that is a number may be: the only place that says so.
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "capacity": (0, 1_000_000),
    "bulk": (0, 1_000_000),
    "mentors": (0, 1_000_000),
    "days": (0, 36_525),
    "years": (1, 60),
    "apprentices": (0, MAX_METRIC_NUMBER),
    "resolution": (0.001, 1_000),
    "iterations": (1, 100),
    "seed": (0, MAX_METRIC_NUMBER),
}


@dataclass(frozen=True)
class Metric:
    """A metric: its name in both languages, what a row of it is, and where its function is.

    The function is imported when asked for, for it needs the dataframe library, which a short
    command must not wait for.
    """

    name: str
    en: str
    zh: str
    row: MetricRowKind
    function: str

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        module, _, name = self.function.partition(":")
        function: Callable[..., Any] = getattr(import_module(module), name)
        return function

    @property
    def columns(self) -> MetricColumnLabels:
        """The words in English and Chinese of every column its tables can have."""
        labels: MetricColumnLabels = getattr(
            import_module(self.function.partition(":")[0]), "COLUMNS", {}
        )
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
                known = tuple(self.parameters) or NONE_WORDS
                raise UsageError(
                    "{metric} has no parameter {name}; it has: {known}.",
                    metric=self.name,
                    name=name,
                    known=known,
                )
            check_range(name, parameters[name])
        snapshot = snapshot.under(policy)
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
                known = tuple(self.parameters) or NONE_WORDS
                raise UsageError(
                    "{metric} has no parameter {name}; it has: {known}.",
                    metric=self.name,
                    name=name,
                    known=known,
                )
            default = self.parameters[name]
            try:
                values[name] = type(default)(text)
            except ValueError:
                raise UsageError(
                    "{name} has {text!r}, but it is a number; give one, as {default}.",
                    name=name,
                    text=text[:40],
                    default=default,
                ) from None
            check_range(name, values[name])
        return values


def check_range(name: str, value: Any) -> None:
    """Raises `UsageError` for a number outside the parameter's `BOUNDS`, or that is none.

    Such a number would end the libraries beneath, some of them without an exception, or run on.
    """
    low, high = BOUNDS.get(name, (0, MAX_METRIC_NUMBER))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and not low <= value <= high:
        raise UsageError(
            "{name} has {value}; give a number from {low:,} to {high:,}.",
            name=name,
            value=value,
            low=low,
            high=high,
        )


METRICS: Final[Mapping[str, Metric]] = {
    metric.name: metric
    for metric in (
        Metric(
            "driven",
            "new high-skilled workers driven",
            "带动新高技能人才",
            "talent",
            "graph.driven.figures:measure_driven",
        ),
        Metric(
            "rank_band",
            "ranks under every rule",
            "各种口径下的排名区间",
            "talent",
            "graph.metrics.band:compute_rank_band",
        ),
        Metric(
            "headline_band",
            "the headline under every rule",
            "各种口径下的总数",
            "nation",
            "graph.metrics.band:compute_headline_band",
        ),
        Metric(
            "mpact",
            "mentorship impact (MPACT)",
            "师承影响力（MPACT）",
            "person",
            "graph.metrics.mpact:compute_mpact",
        ),
        Metric(
            "genealogical_index",
            "genealogical index",
            "师承谱系指数",
            "person",
            "graph.metrics.genealogy:compute_genealogical_index",
        ),
        Metric(
            "claims",
            "findings that move the headline",
            "数据核查：影响总数的疑点",
            "finding",
            "graph.metrics.claims:find_claims",
        ),
        Metric(
            "claims_by_kind",
            "findings that move the headline, by kind",
            "数据核查：按类型汇总",
            "kind",
            "graph.metrics.claims:summarize_claims_by_kind",
        ),
        Metric(
            "bus_factor",
            "fewest people whose leaving halves the driven count",
            "关键人依赖度",
            "studio",
            "graph.metrics.bus_factor:compute_bus_factor",
        ),
        Metric(
            "studios",
            "studios: output and cost",
            "工作室：产出与成本",
            "studio",
            "graph.metrics.places:compute_studio_output",
        ),
        Metric(
            "enterprises",
            "enterprises: output and education fund",
            "企业：产出与职工教育经费",
            "enterprise",
            "graph.metrics.places:compute_enterprise_output",
        ),
        Metric(
            "schools",
            "schools: teachers, partnerships, paths into enterprises",
            "院校：师资、校企合作与就业去向",
            "school",
            "graph.metrics.places:compute_school_output",
        ),
        Metric(
            "irreplaceable",
            "lost if this person leaves",
            "离任影响人数",
            "node",
            "graph.metrics.irreplaceable:compute_irreplaceable",
        ),
        Metric(
            "replacement",
            "does the craft live on: later mentors raised a mentor",
            "师傅更替率",
            "occupation",
            "graph.metrics.replacement:compute_replacement",
        ),
        Metric(
            "centrality",
            "centrality of mentors",
            "师傅中心性",
            "person",
            "graph.metrics.centrality:compute_centrality",
        ),
        Metric(
            "components",
            "components of mentorship",
            "师承连通分量",
            "component",
            "graph.metrics.components:find_components",
        ),
        Metric(
            "communities",
            "communities of mentorship",
            "师承社群",
            "community",
            "graph.metrics.communities:find_communities",
        ),
    )
}
