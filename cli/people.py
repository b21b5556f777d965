"""`shicheng people`: which ids are one person, by probability and by decision."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ForceOption, JsonOption
from cli.output import check_paths_writable, print_json, print_table
from cli.root import CommandState, people_cli
from cli.session import open_cli_database, take_cli_snapshot
from cli.terminal import print_answer, print_notice, print_remark, show_progress_bar
from graph.errors import UsageError
from graph.messages import Message, detect_terminal_language

if TYPE_CHECKING:
    from loaders.matching.judgements import Verdict
    from loaders.matching.people_matching import MatchReport

PairOption = Annotated[tuple[str, str] | None, typer.Option(metavar="ID ID")]
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
    later: Annotated[
        tuple[str, str] | None,
        typer.Option("--later", metavar="ID ID", help="Put the pair at the end of the list."),
    ] = None,
    undo: Annotated[
        tuple[str, str] | None,
        typer.Option("--undo", metavar="ID ID", help="Take the decision on the pair back."),
    ] = None,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="List the decisions that stand.")
    ] = False,
    export_to: Annotated[
        Path | None, typer.Option("--export", help="Write the decisions that stand as CSV.")
    ] = None,
    import_from: Annotated[
        Path | None, typer.Option("--import", help="Take in decisions written by --export.")
    ] = None,
    force: ForceOption = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most pairs listed.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the pairs that may be one person, or decide on one; decisions survive every load.

    A decision acts with the next `shicheng people match` or `shicheng load`.

    Example: shicheng people review --same R011 Q2021
    """
    verdicts: dict[Verdict, tuple[str, str] | None] = {
        "same": same,
        "different": different,
        "later": later,
        "open": undo,
    }
    asked = [(verdict, pair) for verdict, pair in verdicts.items() if pair is not None]
    if len(asked) > 1:
        raise UsageError("one decision at a time: --same, --different, --later or --undo")
    if asked:
        _decide_pair(*asked[0])
    elif import_from is not None:
        _import_decisions(import_from)
    elif export_to is not None:
        _export_decisions(export_to, force=force)
    elif decisions:
        _list_decisions(as_json=as_json)
    else:
        _list_waiting_pairs(limit, as_json=as_json)


def _decide_pair(verdict: Verdict, pair: tuple[str, str]) -> None:
    from loaders.matching.pair_decisions import decide_pair

    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
        outcome = decide_pair(opened, snapshot, *pair, verdict, getpass.getuser())
    print_answer(outcome)


def _import_decisions(path: Path) -> None:
    from loaders.matching.judgements import import_judgements

    if not path.exists():
        raise UsageError("{path} is not there; name a folder or a file of it", path=path)
    taken = import_judgements(CommandState.settings.home, path, getpass.getuser())
    print_answer(Message("{n:,} decisions taken in", n=taken))


def _export_decisions(path: Path, *, force: bool) -> None:
    from loaders.matching.judgements import export_judgements

    check_paths_writable([path], force=force)
    written = export_judgements(CommandState.settings.home, path)
    print_answer(Message("{n:,} decisions -> {file}", n=written, file=path))


def _list_decisions(*, as_json: bool) -> None:
    from loaders.matching.judgements import JUDGEMENT_COLUMNS, list_judgements

    found = list_judgements(CommandState.settings.home)
    if as_json:
        print_json({"decisions": [one.__dict__ for one in found]})
        return
    rows = [tuple(getattr(one, name) for name in JUDGEMENT_COLUMNS) for one in found]
    print_table(JUDGEMENT_COLUMNS, rows)


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
