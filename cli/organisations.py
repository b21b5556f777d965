"""`shicheng organisations`: which ids are one enterprise, school or studio."""

from __future__ import annotations

from enum import StrEnum
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
from cli.root import organisations_cli
from cli.session import open_cli_database, take_cli_snapshot
from cli.state import CommandState
from cli.terminal import print_answer, print_notice, print_remark, show_progress_bar
from graph.messages import Message, Words, detect_terminal_language

if TYPE_CHECKING:
    from graph.store.identity_merge import IdentityKind
    from loaders.matching.judgements import Verdict
    from loaders.matching.organisation_matching import OrganisationMatchReport

_PAIR_HEADS = (
    Message("first id"),
    Message("second id"),
    Message("why alike"),
    Message("province"),
    Message("host"),
)
_AGREEMENT_WORDS = {True: Message("the same"), False: Message("different")}


class OrganisationKind(StrEnum):
    """The kinds of organisations, as the option names them."""

    ENTERPRISE = "enterprise"
    SCHOOL = "school"
    STUDIO = "studio"


@organisations_cli.command("match")
def match_organisations_command(
    kind: Annotated[
        OrganisationKind | None, typer.Option("--kind", help="Only these. [default: all]")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compare everything, write nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find ids of one enterprise, school or studio by their names.

    Two departments' names that are the same, with the place in them or of one province (studios: of
    one host), are merged, and what was decided. The other pairs are queued. Two different credit
    codes are never merged.

    Example: shicheng organisations match --dry-run
    """
    from graph.store.identity_merge import ORGANISATIONS
    from loaders.matching.organisation_matching import match_organisations

    wanted = [one for one in ORGANISATIONS if kind in (None, one.node.label.lower())]
    with open_cli_database() as opened, show_progress_bar() as bar:
        reports = [
            match_organisations(opened, one, dry_run=dry_run, progress=bar, say=print_remark)
            for one in wanted
        ]
    if as_json:
        print_json({"kinds": [report.__dict__ for report in reports]})
        return
    for report in reports:
        _print_organisation_report(report)
    if dry_run:
        print_notice(Message("Nothing was written."))


def _print_organisation_report(report: OrganisationMatchReport) -> None:
    from graph.model.kinds import NODE_KINDS

    what = NODE_KINDS[report.kind.capitalize()]
    print_answer(
        Message(
            "{what}: {compared:,} compared in {seconds:.1f} s: {named:,} ids merged by name and "
            "place, {decided:,} by decision; {waiting:,} pairs wait for a decision",
            what=Words(what.en, what.zh),
            compared=report.compared,
            seconds=report.seconds,
            named=report.named,
            decided=report.decided,
            waiting=report.waiting,
        )
    )
    if report.revision is not None:
        print_notice(Message("loaded as revision {revision}", revision=report.revision))
    if report.waiting:
        print_notice(
            Message("`shicheng organisations review --kind {kind}` lists them.", kind=report.kind)
        )


@organisations_cli.command("review")
def review_organisations_command(
    kind: Annotated[
        OrganisationKind, typer.Option("--kind", help="Which organisations the ids are of.")
    ] = OrganisationKind.ENTERPRISE,
    same: Annotated[
        tuple[str, str] | None,
        typer.Option("--same", metavar="ID ID", help="These two ids are one organisation."),
    ] = None,
    different: Annotated[
        tuple[str, str] | None,
        typer.Option("--different", metavar="ID ID", help="These two are different ones."),
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
    """List the pairs that may be one organisation, or decide on one; decisions survive every load.

    A decision acts with the next `shicheng organisations match` or `shicheng load`.

    Example: shicheng organisations review --same 远航重工 苏州远航重工集团有限公司
    """
    from graph.store.identity_merge import IDENTITY_KINDS

    identity = IDENTITY_KINDS[kind.value.capitalize()]
    asked: dict[Verdict, tuple[str, str] | None] = {
        "same": same,
        "different": different,
        "later": later,
        "open": undo,
    }
    if decide_asked_pair(identity, asked) or move_decisions(
        identity, export_to, import_from, listed=decisions, force=force, as_json=as_json
    ):
        return
    _list_waiting_organisations(identity, limit, as_json=as_json)


def _list_waiting_organisations(identity: IdentityKind, limit: int, *, as_json: bool) -> None:
    from loaders.matching.judgements import list_judgements
    from loaders.matching.organisation_matching import load_organisation_queue

    home = CommandState.settings.home
    with open_cli_database() as opened:
        judgements = list_judgements(home, identity)
        queue = load_organisation_queue(take_cli_snapshot(opened), home, judgements, identity)
    if as_json:
        print_json({"waiting": queue.height, "pairs": queue.head(limit).to_dicts()})
        return
    language = detect_terminal_language()
    rows = [_describe_pair_row(row) for row in queue.head(limit).iter_rows(named=True)]
    print_table([head.said(language) for head in _PAIR_HEADS], rows)
    print_answer(Message("{n:,} pairs wait for a decision", n=queue.height))


def _describe_pair_row(row: dict[str, Any]) -> tuple[str, ...]:
    """A pair: its ids, why the names are alike, and whether the places and the hosts are."""
    from loaders.matching.organisation_names import GROUND_WORDS

    language = detect_terminal_language()
    agreements = (
        "" if row[name] is None else _AGREEMENT_WORDS[row[name]].said(language)
        for name in ("province", "host")
    )
    return row["id_a"], row["id_b"], GROUND_WORDS[row["ground"]].said(language), *agreements
