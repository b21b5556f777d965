"""`shicheng people`: which ids are one person, by probability and by decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ForceOption, JsonOption
from cli.output import print_json, print_table
from cli.review import (
    DecisionsOption,
    ExportOption,
    ImportOption,
    LaterOption,
    PairLimitOption,
    UndoOption,
    decide_asked_pair,
    move_decisions,
)
from cli.root import people_cli
from cli.session import open_cli_database, take_cli_snapshot
from cli.state import CommandState
from cli.terminal import print_answer, print_notice, print_remark, show_progress_bar
from graph.messages import Message, detect_terminal_language

if TYPE_CHECKING:
    from loaders.matching.judgements import Verdict
    from loaders.matching.people_matching import MatchReport

_PAIR_HEADS = (
    Message("first id"),
    Message("second id"),
    Message("probability"),
    Message("what agrees"),
    Message("what differs"),
)


@people_cli.command("match")
def match_command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compare everything, write nothing.")
    ] = False,
    merge_at: Annotated[
        float | None,
        typer.Option(
            "--merge-at",
            min=0.9,
            max=1.0,
            help="The probability from which a pair is merged by itself. [default: 0.985]",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find ids of one person where no ID number says so: merge the certain ones, queue the others.

    What `shicheng people review` decided stands before what is computed. Two different ID numbers
    are never merged.

    Example: shicheng people match --dry-run
    """
    from loaders.matching.match_model import MERGE_WEIGHT_BITS, compute_weight
    from loaders.matching.people_matching import match_people

    bits = MERGE_WEIGHT_BITS if merge_at is None else compute_weight(merge_at)
    with open_cli_database() as opened, show_progress_bar() as bar:
        report = match_people(
            opened, dry_run=dry_run, merge_bits=bits, progress=bar, say=print_remark
        )
    if as_json:
        print_json(report.__dict__)
        return
    _print_match_report(report)


def _print_match_report(report: MatchReport) -> None:
    print_answer(
        Message(
            "{people:,} people compared in {seconds:.1f} s: {probable:,} ids merged by "
            "probability, {decided:,} by decision; {waiting:,} pairs wait for a decision",
            people=report.people,
            seconds=report.seconds,
            probable=report.probable,
            decided=report.decided,
            waiting=report.waiting,
        )
    )
    if report.dry_run:
        print_notice(Message("Nothing was written."))
    elif report.revision is not None:
        print_notice(Message("loaded as revision {revision}", revision=report.revision))
    if report.waiting:
        print_notice(Message("`shicheng people review` lists the pairs."))


@people_cli.command("review")
def review_command(
    same: Annotated[
        tuple[str, str] | None,
        typer.Option("--same", metavar="ID ID", help="These two ids are one person."),
    ] = None,
    different: Annotated[
        tuple[str, str] | None,
        typer.Option("--different", metavar="ID ID", help="These two are different people."),
    ] = None,
    later: LaterOption = None,
    undo: UndoOption = None,
    decisions: DecisionsOption = False,
    export_to: ExportOption = None,
    import_from: ImportOption = None,
    force: ForceOption = False,
    limit: PairLimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """List the pairs that may be one person, or decide on one; decisions survive every load.

    A decision acts with the next `shicheng people match` or `shicheng load`.

    Example: shicheng people review --same R011 Q2021
    """
    from graph.store.identity_merge import PEOPLE

    asked: dict[Verdict, tuple[str, str] | None] = {
        "same": same,
        "different": different,
        "later": later,
        "open": undo,
    }
    if decide_asked_pair(PEOPLE, asked) or move_decisions(
        PEOPLE, export_to, import_from, listed=decisions, force=force, as_json=as_json
    ):
        return
    _list_waiting_pairs(limit, as_json=as_json)


def _list_waiting_pairs(limit: int, *, as_json: bool) -> None:
    from loaders.matching.judgements import list_judgements
    from loaders.matching.people_matching import load_review_queue

    home = CommandState.settings.home
    with open_cli_database() as opened:
        queue = load_review_queue(take_cli_snapshot(opened), home, list_judgements(home))
    if as_json:
        print_json({"waiting": queue.height, "pairs": queue.head(limit).to_dicts()})
        return
    language = detect_terminal_language()
    rows = [_describe_pair(row) for row in queue.head(limit).iter_rows(named=True)]
    print_table([head.said(language) for head in _PAIR_HEADS], rows)
    print_answer(Message("{n:,} pairs wait for a decision", n=queue.height))


def _describe_pair(row: dict[str, Any]) -> tuple[str, ...]:
    """A pair without anything personal: its ids, and how its fields agree."""
    from loaders.matching.match_words import list_field_agreements

    language = detect_terminal_language()
    alike, apart = list_field_agreements(row)
    said = ["; ".join(one.said(language) for one in found) for found in (alike, apart)]
    return row["person_a"], row["person_b"], f"{row['probability']:.4f}", *said
