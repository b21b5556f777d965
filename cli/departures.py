"""`shicheng departures` and `shicheng successors`: who leaves, what is at stake, who takes over."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import add_output_options, add_policy_options, parse_province
from cli.output import Output
from cli.root import cli
from cli.session import (
    build_cli_about,
    decide_steward_view,
    open_cli_database,
    take_cli_snapshot,
)
from cli.terminal import print_notice, print_policy, write_table_output
from graph.errors import UsageError
from graph.messages import Message, Words
from graph.policy import Policy

if TYPE_CHECKING:
    from graph.programme.departures import Departures

_MONTH_PATTERN = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")


def parse_until(text: str | None) -> dt.date | None:
    """The last day of `2027-06`, or the day `2027-06-15`; raises `UsageError` for others."""
    if text is None:
        return None
    found = _MONTH_PATTERN.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        year, month = int(found[1]), int(found[2])
        return dt.date(year, month, int(found[3] or calendar.monthrange(year, month)[1]))
    except ValueError:
        raise UsageError(
            "--until has {text!r}; write a month as 2027-06, or a day as 2027-06-15", text=text
        ) from None


@cli.command("departures")
@add_policy_options
@add_output_options()
def departures_command(
    policy: Policy,
    output: Output,
    until: Annotated[
        str | None,
        typer.Option("--until", help="Last month or day, 2027-06. [default: a year on]"),
    ] = None,
    province: Annotated[
        str | None, typer.Option("--province", help="Name or code of a province.")
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--everyone", help="Also people with nothing at stake.")
    ] = False,
) -> None:
    """Who retires, ends a term or becomes free to leave by a day, and what is at stake.

    Without a data steward's rights retirements are given by calendar year.

    Example: shicheng departures --until 2027-06 --province 江苏 -o departures.xlsx
    """
    from graph.dates import format_date_columns
    from graph.programme.departures import COLUMNS, list_departures

    last, code = parse_until(until), parse_province(province)
    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    steward = decide_steward_view()
    found = list_departures(
        snapshot, policy, last, province=code, steward=steward, everyone=everyone
    )
    if not steward:
        _print_retirement_years(found)
    _print_unknown(found)
    asked = {"until": str(found.until), "province": code or "", "everyone": str(everyone)}
    ages = {"since": found.retirements_since, "until": found.retirements_until}
    asked |= {f"retirements_{name}": str(day) for name, day in ages.items()}
    about = build_cli_about(snapshot.revision, policy, parameters=asked, content="departures")
    write_table_output(format_date_columns(found.rows), output, about, COLUMNS)


def _print_retirement_years(found: Departures) -> None:
    """Says which retirements are in the list, where they are those of calendar years."""
    print_notice(
        Message(
            "retirements and lapsing postponements are those from {since} to {until}: whole years, "
            "as months are for data stewards",
            since=found.retirements_since,
            until=found.retirements_until,
        )
    )


def _print_unknown(found: Departures) -> None:
    """Says of how many people no single statutory month is known, and of how many it is past."""
    from graph.people.retirement import RETIREMENT_GAPS

    for gap, n in found.gaps.items():
        words = Words(*RETIREMENT_GAPS[gap])
        print_notice(
            Message("no single retirement month for {n:,} working people: {gap}", n=n, gap=words)
        )
    if found.overdue:
        print_notice(
            Message(
                "{n:,} working people are past their statutory month on {day}, with no retirement "
                "on record and no postponement in force",
                n=found.overdue,
                day=found.retirements_since,
            )
        )


@cli.command("successors")
@add_policy_options
@add_output_options()
def successors_command(
    policy: Policy,
    output: Output,
    id: Annotated[str, typer.Argument(help="A person or a studio, by id.")],
    most: Annotated[int, typer.Option("--rows", min=1, max=1000, help="Rows at most.")] = 20,
) -> None:
    """Who could take over from a person or in a studio, with the reasons, the best first.

    Without a data steward's rights retirements are judged by calendar years.

    Example: shicheng successors P0000012
    """
    from graph.programme.successors import COLUMNS, find_successors, list_missing_records

    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    steward = decide_steward_view()
    found = find_successors(snapshot, policy, id, most=most, steward=steward)
    for what in list_missing_records(snapshot, policy, id):
        print_notice(
            Message(
                "not on record for {id}: {what}; the reasons that ask for it are empty",
                id=id,
                what=Words(*what),
            )
        )
    about = build_cli_about(
        snapshot.revision, policy, parameters={"id": id, "rows": str(most)}, content="successors"
    )
    write_table_output(found, output, about, COLUMNS)
