"""Words to the person at the terminal: remarks, progress, answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.output import (
    ColumnLabels,
    Output,
)
from graph.messages import Message, Words, detect_terminal_language
from graph.policy import Policy

if TYPE_CHECKING:
    import polars as pl

    from graph.tabular import About


# What goes to the terminal


def print_remark(line: Message) -> None:
    """A remark to the person at the terminal: on stderr, and not when it is piped."""
    if sys.stderr.isatty():
        print_notice(line)


def print_policy(policy: Policy) -> None:
    """Prints the policy in short, on a terminal only."""
    print_remark(Message("policy: {chip}", chip=Words(policy.chip(), policy.chip("zh"))))


@contextmanager
def show_progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal, silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=progress_caption(what), completed=done, total=total or None
        )


def progress_caption(step: str) -> str:
    """A step of a load, of the reading of a table or of a writing, in the terminal's language."""
    from loaders.progress_words import describe_load_step

    return describe_load_step(step).said(detect_terminal_language())


def write_table_output(
    found: pl.DataFrame, output: Output, about: About, words: ColumnLabels | None = None
) -> None:
    """A table to where it is to go."""
    output.write(found, about, words)
    print_written(found.height, output)


def print_written(rows: int, output: Output) -> None:
    """Prints how many rows went into which file, on a terminal only; nothing of stdout."""
    if output.path is not None:
        print_remark(Message("{rows:,} rows -> {output}", rows=rows, output=output.path))


def print_answer(line: Message) -> None:
    """What a command answers: on stdout."""
    print(line.said(detect_terminal_language()), flush=True)


def print_notice(line: Message) -> None:
    """What a person must know even when piped: on stderr."""
    print(line.said(detect_terminal_language()), file=sys.stderr)
