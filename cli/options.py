"""Options that several commands share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, get_args

import typer

from cli import completion
from cli.output import (
    Output,
)
from graph.errors import UsageError
from graph.messages import Language
from graph.policy import Policy


class NetworkSize(TypedDict):
    """How many people a synthetic network has, and the seed that it is drawn from."""

    talents: int
    workers: int
    seed: int


DEMO_NETWORK: NetworkSize = {"talents": 150, "workers": 40_000, "seed": 2026}
# Most people of a kind that a synthetic network has; ten times the nation's.
MOST_MADE = 50_000_000

TableFormat = Literal["csv", "json", "parquet", "xlsx"]
QueryFormat = Literal["table", "csv", "json", "parquet", "xlsx"]
NetworkFormat = Literal["graphml", "gexf", "json", "csv"]
Encodings = Literal["utf-8-sig", "utf-8", "gb18030"]

JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable JSON on stdout.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]
# The options of every command that gives a table, by their names in `Output.chosen`.
OUTPUT_OPTIONS: dict[str, Any] = {
    "format": Annotated[
        TableFormat | None,
        typer.Option("--format", help="Of the output. [default: as the file ends]"),
    ],
    "as_json": Annotated[bool, typer.Option("--json", help="The same as --format json.")],
    "output": Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            "--output",
            help="Write to this file, in the format of its ending; - is stdout.",
        ),
    ],
    "force": ForceOption,
    "encoding": Annotated[
        Encodings | None,
        typer.Option(
            "--encoding",
            help="Of CSV. [default: utf-8-sig, with the mark spreadsheets need, in a file; utf-8 "
            "on stdout]",
        ),
    ],
    "labels": Annotated[
        Language | None,
        typer.Option("--labels", help="Heads in words of a language, not machine names."),
    ],
}
QUERY_FORMAT = Annotated[
    QueryFormat | None,
    typer.Option("--format", help="Of the output. [default: as the file ends, or table]"),
]
# The options of every command under a policy, by their names in `Policy.parsed`.
POLICY_OPTIONS: dict[str, Any] = {
    "window": Annotated[
        str | None, typer.Option("--window", help="First and last day, 2024-01-01:2026-12-31.")
    ],
    "generations": Annotated[
        str | None,
        typer.Option(
            "--generations",
            autocompletion=completion.complete_generations,
            help="Most hops of a chain, or all (default: 3).",
        ),
    ],
    "unordered": Annotated[
        bool, typer.Option("--unordered", help="Ignore the dates of chains and events.")
    ],
    "undated": Annotated[
        str | None,
        typer.Option(
            "--undated",
            autocompletion=completion.complete_undated,
            help="Undated links: include or exclude (default).",
        ),
    ],
    "year_alone": Annotated[
        str | None,
        typer.Option(
            "--year-alone",
            autocompletion=completion.complete_year_alone,
            help="Links of which the year alone is known count from its last day (last, default) "
            "or its first (first).",
        ),
    ],
    "channels": Annotated[
        str | None,
        typer.Option(
            "--channels",
            autocompletion=completion.complete_channels,
            help="mentorship, studio, or both with a comma.",
        ),
    ],
    "as_of": Annotated[
        str | None, typer.Option("--as-of", help="The day as of which people are pending.")
    ],
    "high_skilled_level": Annotated[
        int | None,
        typer.Option(
            "--high-skilled-level",
            autocompletion=completion.complete_levels,
            help="Lowest level that counts, 1-8.",
        ),
    ],
}


Command = Callable[..., None]


def _add_options(
    command: Command, name: str, options: Mapping[str, Any], make: Callable[..., Any]
) -> Command:
    """The command with these options, from which `make` gives it one argument: `name`."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.name != name]
    added = [
        inspect.Parameter(
            option,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=kind,
            default=False if get_args(kind)[0] is bool else None,
        )
        for option, kind in options.items()
    ]
    arguments = [p for p in own if p.default is inspect.Parameter.empty]
    rest = [p for p in own if p not in arguments]
    every = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*arguments, *added, *rest)]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        chosen = {option: given.pop(option) for option in options}
        command(**{name: make(**chosen)}, **given)

    # Typer reads the options from it; a function has the attribute without declaring it.
    run.__signature__ = signature.replace(parameters=every)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in every}
    return run


def add_policy_options(command: Command) -> Command:
    """The command with the options of the policy, which it is given as one: `policy`."""

    def policy(*, unordered: bool, **rules: Any) -> Policy:
        return Policy.parsed(ordered=not unordered, **rules)

    return _add_options(command, "policy", POLICY_OPTIONS, policy)


def add_output_options(default: str = "csv", **options: Any) -> Callable[[Command], Command]:
    """The command with the options of a table's output, which it is given as one: `output`.

    `default` is the format without a file; `options` stand in place of those of the same name
    (None: there is none).
    """
    kinds = {name: kind for name, kind in (OUTPUT_OPTIONS | options).items() if kind is not None}

    def decorate(command: Command) -> Command:
        chosen = functools.partial(Output.chosen, default)
        return _add_options(command, "output", kinds, chosen)

    return decorate


# The number


EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        autocompletion=completion.build_choice_completer("polars", "duckdb", "spark"),
        help="polars, duckdb (spills to disk) or spark (a cluster).",
    ),
]
MasterOption = Annotated[
    str | None, typer.Option("--master", help="Spark's: local[2], spark://host:7077 ...")
]
SnapshotOption = Annotated[
    str | None,
    typer.Option("--snapshot", help="A snapshot's folder, or its address in Spark's storage."),
]


def parse_option_pairs(given: Sequence[str] | None, option: str = "-p") -> dict[str, str]:
    """Names and values of `-p key=value`; each name stands once."""
    pairs: dict[str, str] = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise UsageError("{option} takes key=value, but got {text!r}", option=option, text=text)
        if key in pairs:
            raise UsageError("{option} {key} is given twice; give it once", option=option, key=key)
        pairs[key] = value
    return pairs


def parse_province(text: str | None) -> str | None:
    """The code of a province that is named or numbered."""
    if text is None:
        return None
    from loaders.value_words import find_province

    if (code := find_province(text)) is not None:
        return code
    raise UsageError(
        "--province has {text!r}; write its name or its code, as 江苏 or 32", text=text
    )
