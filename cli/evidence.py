"""`shicheng why` and `shicheng rows`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import (
    TERMINAL_FORMAT,
    Output,
    print_table,
)
from graph.messages import Message, detect_terminal_language
from graph.policy import Policy

if TYPE_CHECKING:
    import polars as pl

    from graph.evidence.reasons import Explanation, PromotionEvent, SourceRow

from cli.figures import measure_snapshot_figures
from cli.options import QUERY_FORMAT, add_output_options, add_policy_options
from cli.root import cli
from cli.session import build_cli_about, open_cli_database, take_cli_snapshot
from cli.terminal import print_answer, print_notice, print_policy, write_table_output

# The evidence


@cli.command("why")
@add_policy_options
@add_output_options(TERMINAL_FORMAT, format=QUERY_FORMAT)
def why_command(
    policy: Policy,
    talent: Annotated[str, typer.Argument(help="The leading talent's person_id.")],
    worker: Annotated[str, typer.Argument(help="The worker's person_id.")],
    output: Output,
    chains: Annotated[
        int, typer.Option("--chains", min=1, max=10_000, help="Most chains shown.")
    ] = 5,
) -> None:
    """Why a worker counts for a leading talent, hop by hop with the rows, or why not.

    Example: shicheng why P0000001 P0000123 --generations 3 -o why.xlsx
    """
    from graph.evidence.answer import explain_pair
    from graph.evidence.reasons import WHY_COLUMNS
    from graph.people.aliases import list_further_ids, resolve_person_id
    from graph.people.organisation_aliases import find_organisations_of, list_organisation_aliases

    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
        talent, worker = (resolve_person_id(snapshot, one) for one in (talent, worker))
        answer = explain_pair(snapshot, policy, talent, worker, chains=chains)
        further = list_further_ids(snapshot, answer.list_people())
        resting = find_organisations_of(snapshot, answer.list_people(), answer.list_studios())
        places = list_organisation_aliases(snapshot, resting)
    if output.format == TERMINAL_FORMAT:
        _print_explanation(answer)
        _print_further_ids(further.rename({"person_id": "id"}))
        return _print_further_ids(places.rename({"organisation_id": "id"}))
    parameters = {"talent": talent, "worker": worker, "chains": chains}
    about = build_cli_about(answer.revision, policy, parameters=parameters, content="why")
    if output.format == "json":
        merged = {"further_ids": further.to_dicts(), "organisation_ids": places.to_dicts()}
        output.write_json(answer.as_dict() | merged | about.as_json())
        return
    write_table_output(answer.table(), output, about, WHY_COLUMNS)


def _print_explanation(answer: Explanation) -> None:
    language = detect_terminal_language()
    print_answer(
        Message(
            "{verdict}: {worker} for {talent}, {policy}",
            verdict=answer.verdict(language),
            worker=answer.worker_id,
            talent=answer.talent_id,
            policy=answer.policy.chip(language),
        )
    )
    if answer.counts:
        generation, channel = answer.generation, answer.channel
        print_answer(
            Message("generation {generation}, {channel}", generation=generation, channel=channel)
        )
    else:
        print(f"{answer.reason}: {answer.sentence(language)}")
    if answer.events:
        print_table(
            ("recognised", "level", "counts", "generation", "channel", "rows"),
            [
                (
                    e.day,
                    e.level,
                    _describe_event_ledgers(e),
                    e.generation,
                    e.channel,
                    _format_row_origins(e.rows),
                )
                for e in answer.events
            ],
        )
    shown = [(str(number), chain) for number, chain in enumerate(answer.chains, 1)]
    shown += [("falls short", answer.failing)] if answer.failing else []
    if shown:
        columns = ("chain", "hop", "mentor", "apprentice", "channel", "start", "end", "studio")
        print_table(
            (*columns, "rows", "sources"),
            [
                (
                    name,
                    hop,
                    link.mentor,
                    link.apprentice,
                    link.channel,
                    link.start,
                    link.end,
                    link.studio,
                    _format_row_origins(link.rows),
                    "; ".join(sorted({source for row in link.rows for source in row.sources})),
                )
                for name, chain in shown
                for hop, link in enumerate(chain, 1)
            ],
        )
    if answer.more:
        print_notice(Message("more chains count; see them with --chains"))


def _print_further_ids(further: pl.DataFrame) -> None:
    """The ids that were joined to those on the chains: all of it rests on these merges."""
    from graph.people.aliases import describe_merge

    for row in further.iter_rows(named=True):
        print_answer(
            Message(
                "{person} is also known as {id}: {why}; {rows} ({sources})",
                person=row["id"],
                id=row["alias_id"],
                why=describe_merge(row["basis"], row.get("probability")),
                rows=row["row"],
                sources="; ".join(row["sources"] or ()),
            )
        )


def _describe_event_ledgers(event: PromotionEvent) -> str:
    """In which ledgers a promotion counts."""
    if not event.counts:
        return "no"
    return "person and person-time" if event.first else "person-time"


def _format_row_origins(rows: Sequence[SourceRow]) -> str:
    return " + ".join(f"{row.file}:{row.row}" for row in rows)


@cli.command("rows")
@add_policy_options
@add_output_options()
def rows_command(
    policy: Policy,
    talent: Annotated[str, typer.Argument(help="The leading talent's person_id.")],
    output: Output,
) -> None:
    """Every person-time of a leading talent's number, one row each, with chains and source rows.

    Example: shicheng rows P0000001 --format xlsx -o behind.xlsx
    """
    from graph.evidence.ledger_rows import LEDGER_ROW_COLUMNS, list_ledger_rows
    from graph.people.aliases import resolve_person_id

    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
        talent = resolve_person_id(snapshot, talent)
        found = list_ledger_rows(snapshot, measure_snapshot_figures(snapshot, policy), talent)
    about = build_cli_about(
        snapshot.revision, policy, parameters={"talent": talent}, content="rows"
    )
    write_table_output(found, output, about, LEDGER_ROW_COLUMNS)
