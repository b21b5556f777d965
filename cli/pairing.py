"""`shicheng pairing`: the new mentorships that add most expected new driven workers."""

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
    from graph.forecast.pairing import Pairing


@cli.command("pairing")
@add_policy_options
@add_output_options()
def pairing_command(
    policy: Policy,
    output: Output,
    links: Annotated[int, typer.Option("--links", help="New mentorships at most.")] = 100,
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
        typer.Option("--accepted", help="The pairs accepted in the app, as changes of a scenario."),
    ] = False,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="Same seed, same figures.")
    ] = 2026,
) -> None:
    """New mentorships that add most expected new driven workers by the window's end.

    Example: shicheng pairing --links 200 --province 江苏 -o pairing.xlsx
    """
    from graph.forecast.pairing import COLUMNS, PairingRules, compute_pairing

    code = parse_province(province)
    if accepted and code is not None:
        raise UsageError("--accepted gives all accepted pairs; leave --province out")
    rules = PairingRules(links, capacity, place, family, code)
    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    if accepted:
        from graph.programme import pair_decisions
        from graph.programme.notebook import Notebook

        found = pair_decisions.list_mentorships_to_start(Notebook(CommandState.settings.home))
        about = build_cli_about(snapshot.revision, policy, content="pairing accepted")
        changes = pair_decisions.build_mentorship_changes(found)
        return write_table_output(changes, output, about, pair_decisions.MENTORSHIP_COLUMNS)
    pairing = compute_pairing(snapshot, policy, rules, seed=seed)
    _print_pairing(pairing)
    asked = {**rules.as_dict(), "seed": seed}
    about = build_cli_about(snapshot.revision, policy, parameters=asked, content="pairing")
    write_table_output(pairing.links, output, about, COLUMNS)


def _print_pairing(pairing: Pairing) -> None:
    """Says what the links add, and how many could have been paired."""
    print_remark(
        Message(
            "{n:,} links add {expected:,} new driven workers on average (80 %: {low:,} to "
            "{high:,}); {mentors:,} mentors with {places:,} places free, {apprentices:,} people "
            "without a mentor",
            n=pairing.links.height,
            expected=round(pairing.expected),
            low=pairing.low,
            high=pairing.high,
            mentors=pairing.mentors,
            places=pairing.places,
            apprentices=pairing.apprentices,
        )
    )
