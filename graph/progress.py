"""How a long piece of work reports its progress."""

from __future__ import annotations

from collections.abc import Callable

# What is being done, rows done, rows in all.
Progress = Callable[[str, int, int], None]
