"""The metrics, one file each: a new one is its file and one line in `METRICS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final


@dataclass(frozen=True)
class Metric:
    """A metric: its name in both languages, and where its function is.

    The function takes a snapshot and a policy. It is imported when asked for, for it needs the
    dataframe library, which a short command must not wait for.
    """

    name: str
    en: str
    zh: str
    function: str

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        module, _, name = self.function.partition(":")
        function: Callable[..., Any] = getattr(import_module(module), name)
        return function


METRICS: Final[Mapping[str, Metric]] = {
    metric.name: metric
    for metric in (
        Metric(
            "driven",
            "new high-skilled workers driven",
            "带动新增高技能人才",
            "graph.metrics.driven:measure",
        ),
    )
}
