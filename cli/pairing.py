"""`shicheng pairing`: new mentorships and studios that add most expected new driven workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.options import add_output_options, add_policy_options, parse_province
from cli.output import Output
from cli.root import cli
from cli.session import build_cli_about, open_cli_database, take_cli_snapshot
from cli.state import CommandState
from cli.terminal import print_policy, print_remark, write_table_output
from graph.errors import UsageError
from graph.messages import Message
from graph.policy import Policy

if TYPE_CHECKING:
    import polars as pl

    from graph.forecast.pairing import Pairing
    from graph.labels import MetricColumnLabels
    from graph.snapshot.frames import Snapshot


@cli.command("pairing")
@add_policy_options
@add_output_options()
def pairing_command(
    policy: Policy,
    output: Output,
    links: Annotated[int, typer.Option("--links", help="New mentorships at most.")] = 100,
    studios: Annotated[int, typer.Option("--studios", help="New studios at most.")] = 5,
    members: Annotated[
        int, typer.Option("--members", help="Members that a new studio has at most.")
    ] = 10,
    show: Annotated[
        Literal["links", "studios", "members"],
        typer.Option("--show", help="The new mentorships, the new studios, or their members."),
    ] = "links",
    capacity: Annotated[
        int, typer.Option("--capacity", help="Apprentices that a mentor may have at once.")
    ] = 3,
    place: Annotated[
        Literal["province", "enterprise"],
        typer.Option("--place", help="What mentor and apprentice must share."),
    ] = "province",
    family: Annotated[
        Literal["occupation_group", "occupation"],
        typer.Option("--family", help="Occupations that go together: a group, or one alone."),
    ] = "occupation_group",
    province: Annotated[
        str | None, typer.Option("--province", help="Name or code of a province.")
    ] = None,
    accepted: Annotated[
        bool,
        typer.Option(
            "--accepted",
            help="The pairs and studios accepted in the app, as changes of a scenario.",
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="Same seed, same figures.")
    ] = 2026,
) -> None:
    """New mentorships and studios that add most expected new driven workers by the window's end.

    Example: shicheng pairing --links 200 --studios 10 --province 江苏 -o pairing.xlsx
    """
    from graph.forecast.pairing import compute_pairing
    from graph.forecast.pairing_rules import PairingRules

    code = parse_province(province)
    if accepted and code is not None:
        raise UsageError("--accepted gives all accepted pairs; leave --province out")
    rules = PairingRules(links, capacity, place, family, code, studios, members)
    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    if accepted:
        return _write_accepted(snapshot, policy, output)
    pairing = compute_pairing(snapshot, policy, rules, seed=seed)
    _print_pairing(pairing)
    asked = {**rules.as_dict(), "seed": seed}
    about = build_cli_about(snapshot.revision, policy, parameters=asked, content=f"pairing {show}")
    table, columns = _select_pairing_table(pairing, show)
    write_table_output(table, output, about, columns)


def _write_accepted(snapshot: Snapshot, policy: Policy, output: Output) -> None:
    from graph.programme import pair_decisions
    from graph.programme.notebook import Notebook

    changes = pair_decisions.build_accepted_changes(Notebook(CommandState.settings.home))
    about = build_cli_about(snapshot.revision, policy, content="pairing accepted")
    write_table_output(changes, output, about, pair_decisions.CHANGE_COLUMNS)


def _select_pairing_table(
    pairing: Pairing, show: Literal["links", "studios", "members"]
) -> tuple[pl.DataFrame, MetricColumnLabels]:
    from graph.forecast.new_studios import MEMBER_COLUMNS, STUDIO_COLUMNS
    from graph.forecast.pairing import COLUMNS

    if show == "links":
        return pairing.links, COLUMNS
    if show == "studios":
        return pairing.studios, STUDIO_COLUMNS
    return pairing.members, MEMBER_COLUMNS


def _print_pairing(pairing: Pairing) -> None:
    """Says what links and studios add, and how many could have been paired."""
    print_remark(
        Message(
            "{n:,} links and {studios:,} studios add {expected:,} new driven workers on average "
            "(80 %: {low:,} to {high:,}); {mentors:,} mentors with {places:,} places free, "
            "{leaders:,} leading talents who could open a studio, {apprentices:,} people without a "
            "mentor",
            n=pairing.links.height,
            studios=pairing.studios.height,
            leaders=pairing.leaders,
            expected=round(pairing.expected),
            low=pairing.low,
            high=pairing.high,
            mentors=pairing.mentors,
            places=pairing.places,
            apprentices=pairing.apprentices,
        )
    )
