"""`shicheng enterprises`: which ids are one enterprise, by name and by decision."""

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
from cli.root import enterprises_cli
from cli.session import open_cli_database, take_cli_snapshot
from cli.state import CommandState
from cli.terminal import print_answer, print_notice, print_remark, show_progress_bar
from graph.messages import Message, detect_terminal_language

if TYPE_CHECKING:
    from loaders.matching.judgements import Verdict

_PAIR_HEADS = (
    Message("first id"),
    Message("second id"),
    Message("why alike"),
    Message("province"),
)
_PROVINCE_WORDS = {True: Message("the same"), False: Message("different")}


@enterprises_cli.command("match")
def match_enterprises_command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compare everything, write nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find ids of one enterprise by their names: queue the pairs, merge what was decided.

    Names alone merge nothing. Two different credit codes are never merged.

    Example: shicheng enterprises match --dry-run
    """
    from loaders.matching.enterprise_matching import match_enterprises

    with open_cli_database() as opened, show_progress_bar() as bar:
        report = match_enterprises(opened, dry_run=dry_run, progress=bar, say=print_remark)
    if as_json:
        print_json(report.__dict__)
        return
    print_answer(
        Message(
            "{enterprises:,} enterprises compared in {seconds:.1f} s: {decided:,} ids merged by "
            "decision; {waiting:,} pairs wait for a decision",
            enterprises=report.enterprises,
            seconds=report.seconds,
            decided=report.decided,
            waiting=report.waiting,
        )
    )
    if report.dry_run:
        print_notice(Message("Nothing was written."))
    elif report.revision is not None:
        print_notice(Message("loaded as revision {revision}", revision=report.revision))
    if report.waiting:
        print_notice(Message("`shicheng enterprises review` lists the pairs."))


@enterprises_cli.command("review")
def review_enterprises_command(
    same: Annotated[
        tuple[str, str] | None,
        typer.Option("--same", metavar="ID ID", help="These two ids are one enterprise."),
    ] = None,
    different: Annotated[
        tuple[str, str] | None,
        typer.Option("--different", metavar="ID ID", help="These two are different enterprises."),
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
    """List the pairs that may be one enterprise, or decide on one; decisions survive every load.

    A decision acts with the next `shicheng enterprises match` or `shicheng load`.

    Example: shicheng enterprises review --same 远航重工 苏州远航重工集团有限公司
    """
    from graph.store.identity_merge import ENTERPRISES

    asked: dict[Verdict, tuple[str, str] | None] = {
        "same": same,
        "different": different,
        "later": later,
        "open": undo,
    }
    if decide_asked_pair(ENTERPRISES, asked) or move_decisions(
        ENTERPRISES, export_to, import_from, listed=decisions, force=force, as_json=as_json
    ):
        return
    _list_waiting_enterprises(limit, as_json=as_json)


def _list_waiting_enterprises(limit: int, *, as_json: bool) -> None:
    from graph.store.identity_merge import ENTERPRISES
    from loaders.matching.enterprise_matching import load_enterprise_queue
    from loaders.matching.judgements import list_judgements

    home = CommandState.settings.home
    with open_cli_database() as opened:
        judgements = list_judgements(home, ENTERPRISES)
        queue = load_enterprise_queue(take_cli_snapshot(opened), home, judgements)
    if as_json:
        print_json({"waiting": queue.height, "pairs": queue.head(limit).to_dicts()})
        return
    language = detect_terminal_language()
    rows = [_describe_enterprise_pair_row(row) for row in queue.head(limit).iter_rows(named=True)]
    print_table([head.said(language) for head in _PAIR_HEADS], rows)
    print_answer(Message("{n:,} pairs wait for a decision", n=queue.height))


def _describe_enterprise_pair_row(row: dict[str, Any]) -> tuple[str, ...]:
    """A pair: its ids, why the names are alike, and whether the provinces are."""
    from loaders.matching.enterprise_names import GROUND_WORDS

    language = detect_terminal_language()
    province = "" if row["province"] is None else _PROVINCE_WORDS[row["province"]].said(language)
    ground = GROUND_WORDS[row["ground"]].said(language)
    return row["enterprise_a"], row["enterprise_b"], ground, province
