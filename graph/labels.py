"""Words of a column, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

# Column -> its words in English and in Chinese.
MetricColumnLabels = Mapping[str, tuple[str, str]]
