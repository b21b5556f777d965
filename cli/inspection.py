"""`shicheng inspect`: what a department's file is taken for, and its confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.load import AnswerOption, FileEncodingOption
from cli.options import JsonOption, parse_option_pairs
from cli.output import print_json, print_table
from cli.root import cli
from cli.state import CommandState
from cli.terminal import print_answer, print_notice
from graph.errors import UsageError
from graph.messages import Message, Words, detect_terminal_language

if TYPE_CHECKING:
    from loaders.mapping.exchange_levels import ExchangeSheet
    from loaders.mapping.proposal import Proposal, ProposedColumn
    from loaders.readers.sheet import Sheet

_COLUMN_HEADS = (
    Message("header"),
    Message("field"),
    Message("filled"),
    Message("fits"),
    Message("examples"),
)


@cli.command("inspect")
def inspect_files(
    files: Annotated[list[Path], typer.Argument(help="Files as departments send them.")],
    source: Annotated[
        str | None,
        typer.Option("--source", help="The department that states the list."),
    ] = None,
    answer: AnswerOption = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", help="What a header means, as HEADER=FIELD; HEADER= leaves it out."
        ),
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Confirm it: later lists with these headers load so.")
    ] = False,
    encoding: FileEncodingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a department's file is taken for, and what must be answered before it loads.

    With --save the mapping is confirmed and remembered in the data folder (mappings/*.yaml).

    Example: shicheng inspect 名单.xlsx --answer ladder=old --save
    """
    from loaders.department_files import list_given_files
    from loaders.readers.sheets import read_sheets
    from loaders.tables import UnreadFile

    answers = parse_option_pairs(answer, "--answer")
    fields = parse_option_pairs(column, "--column")
    found: list[dict[str, Any]] = []
    open_questions = 0
    for path in list_given_files(files):
        for sheet in read_sheets(path, encoding=encoding):
            if isinstance(sheet, UnreadFile):
                print_notice(sheet.reason)
                continue
            shown = _inspect_sheet(sheet, path, source, answers, fields, save=save)
            open_questions += len(shown.get("questions", ()))
            found.append(shown)
    if as_json:
        print_json({"sheets": found})
    if save and open_questions:
        raise UsageError(
            "{n} questions are open, so not every mapping is saved: answer them with --answer "
            "KEY=VALUE",
            n=open_questions,
        )


def _inspect_sheet(
    sheet: Sheet,
    path: Path,
    source: str | None,
    answers: dict[str, str],
    fields: dict[str, str],
    *,
    save: bool,
) -> dict[str, Any]:
    """Prints one sheet, saves its mapping where that is asked for; what it is, for JSON."""
    from loaders.mapping.application import format_sheet_label
    from loaders.mapping.exchange_levels import find_exchange_sheet
    from loaders.mapping.header_rows import find_layout
    from loaders.mapping.proposal import propose_mapping
    from loaders.mapping.sheet_faults import find_sheet_fault

    label = format_sheet_label(sheet)
    department = source or path.resolve().parent.name
    exchange = find_exchange_sheet(sheet, path.name, label, department)
    if exchange is not None and not fields:
        return _inspect_exchange_sheet(exchange, label, answers, save=save)
    fault = find_sheet_fault(sheet, find_layout(sheet), label)
    if fault is not None:
        print_notice(fault)
        return {"file": label, "kind": "unknown"}
    proposal = propose_mapping(sheet, source, answers, fields)
    if proposal is None:
        print_notice(Message("{file}: no row of it is a row of headers that are known", file=label))
        return {"file": label, "kind": "unknown"}
    return _inspect_list(proposal, save=save)


def _inspect_exchange_sheet(
    exchange: ExchangeSheet,
    label: str,
    answers: dict[str, str],
    *,
    save: bool,
) -> dict[str, Any]:
    from loaders.mapping.exchange_levels import build_ladder_mapping, needs_ladder
    from loaders.mapping.mapping import save_mapping
    from loaders.mapping.proposal import ask_ladder

    print_answer(
        Message(
            "{file}: the exchange table {table}, {rows:,} rows; it needs no mapping",
            file=label,
            table=exchange.table,
            rows=exchange.rows.height,
        )
    )
    found: dict[str, Any] = {"file": label, "kind": "exchange table", "table": exchange.table}
    if not needs_ladder(exchange):
        return found
    ladder = answers.get("ladder")
    if ladder not in ("old", "new"):
        question = ask_ladder(exchange.levels, exchange.certificates)
        _print_question(question.key, question.text, question.hint)
        return found | {"questions": [str(question.text)]}
    if save:
        stated_by = exchange.raw.source
        mapping = build_ladder_mapping(exchange, stated_by, "old" if ladder == "old" else "new")
        print_answer(
            Message("saved: {file}", file=save_mapping(CommandState.settings.home, mapping))
        )
    return found | {"ladder": ladder}


def _inspect_list(proposal: Proposal, *, save: bool) -> dict[str, Any]:
    from loaders.mapping.mapping import save_mapping

    language = detect_terminal_language()
    print_answer(_describe_list(proposal))
    rows = [
        (
            column.header,
            _describe_field(column).said(language),
            column.filled,
            "" if column.fits is None else f"{column.fits:.0%}",
            "  ".join(column.examples),
        )
        for column in proposal.columns
    ]
    print_table([head.said(language) for head in _COLUMN_HEADS], rows)
    for question in proposal.questions:
        _print_question(question.key, question.text, question.hint, question.choices)
    saved = None
    if save and not proposal.questions:
        saved = save_mapping(CommandState.settings.home, proposal.mapping)
        print_answer(Message("saved: {file}", file=saved))
    elif not proposal.questions:
        print_notice(Message("Confirm it with --save; then `shicheng load` takes the file."))
    return _describe_proposal(proposal) | {"saved": None if saved is None else str(saved)}


def _describe_list(proposal: Proposal) -> Message:
    from loaders.mapping.header_rows import DATA

    facts = {
        "file": proposal.file,
        "department": proposal.mapping.department or "?",
        "rows": proposal.layout.count(DATA),
    }
    header = proposal.layout.header_rows[-1]
    if not header:
        return Message("{file}: a list of {department}, {rows:,} rows, no header", **facts)
    return Message(
        "{file}: a list of {department}, {rows:,} rows, header in row {header}",
        **facts,
        header=header,
    )


def _describe_field(column: ProposedColumn) -> Message | Words:
    if not column.field:
        return Message("not understood, left out")
    if not column.is_stored:
        return Message("{field} (has no place, left out)", field=column.field)
    return Words(column.field, column.field)


def _describe_proposal(proposal: Proposal) -> dict[str, Any]:
    kinds = proposal.layout.kinds["kind"].value_counts().rows()
    return {
        "file": proposal.file,
        "kind": "list",
        "rows": dict(kinds),
        "header_rows": list(proposal.layout.header_rows),
        "mapping": proposal.mapping.model_dump(mode="json"),
        "columns": [
            {
                "header": column.header,
                "field": column.field,
                "filled": column.filled,
                "fits": column.fits,
                "examples": list(column.examples),
            }
            for column in proposal.columns
        ],
        "questions": [
            {
                "key": question.key,
                "en": question.text.said("en"),
                "zh": question.text.said("zh"),
                "choices": list(question.choices),
                "hint": None if question.hint is None else str(question.hint),
            }
            for question in proposal.questions
        ],
    }


def _print_question(
    key: str, text: Message, hint: Message | None, choices: Sequence[str] = ()
) -> None:
    print_answer(Message("? {key}: {text}", key=key, text=text))
    if hint is not None:
        print_answer(Message("   The list says: {hint}.", hint=hint))
    if choices:
        print_answer(Message("   --answer {key}={choices}", key=key, choices="|".join(choices)))
