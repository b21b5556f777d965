"""`shicheng forecast`: where both ledgers will stand at the window's end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.options import add_output_options, add_policy_options, parse_province
from cli.output import Output
from cli.root import cli
from cli.session import build_cli_about, open_cli_database, take_cli_snapshot
from cli.terminal import print_policy, print_remark, write_table_output
from graph.errors import UsageError
from graph.messages import Message
from graph.policy import Policy

if TYPE_CHECKING:
    import polars as pl

    from graph.forecast.talent import TalentForecast
    from graph.snapshot.frames import Snapshot

ForecastTable = Literal[
    "figures", "parts", "path", "past", "pending", "people", "arrivals", "backtest", "outcomes"
]
PEOPLE_PAGE_ROWS = 1_000


@cli.command("forecast")
@add_policy_options
@add_output_options()
def forecast_command(
    policy: Policy,
    output: Output,
    by: Annotated[
        Literal["nation", "province", "industry", "occupation_group", "all"],
        typer.Option("--by", help="Of the nation, of each value of an attribute, or of all."),
    ] = "nation",
    talent: Annotated[
        str | None,
        typer.Option("--talent", help="Of one leading talent's own list: who may still rise."),
    ] = None,
    show: Annotated[
        ForecastTable,
        typer.Option(
            "--show",
            help="The figures at the window's end; the parts they are made of; the path by quarter "
            "to come, or past; who is pending and what arrived, of the nation; the people who are "
            "pending; what past forecasts were worth: scores (backtest) or each of them "
            "(outcomes).",
        ),
    ] = "figures",
    value: Annotated[
        str | None,
        typer.Option("--value", help="Of --show people: the value of --by that they belong to."),
    ] = None,
    page: Annotated[
        int,
        typer.Option("--page", min=0, help="Of --show people: which 1,000 of them; 0 gives all."),
    ] = 1,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="Same seed, same figures.")
    ] = 2026,
) -> None:
    """Forecast both ledgers at the window's end: median, 80 % and 95 % interval, probability.

    Example: shicheng forecast --by province -o forecast.xlsx
    """
    from graph.forecast.landing import COLUMNS
    from graph.forecast.pending_people import PENDING_COLUMNS
    from graph.forecast.talent import COLUMNS as TALENT_COLUMNS

    _ensure_forecast_asked(by, show, value, talent)
    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    asked = {"by": by, "seed": seed} if talent is None else {"seed": seed}
    content = f"forecast {show if talent is None else f'talent {talent}'}"
    about = build_cli_about(snapshot.revision, policy, parameters=asked, content=content)
    if talent is not None:
        listed = _compute_talent_forecast(snapshot, policy, talent, seed).table()
        return write_table_output(listed, output, about, TALENT_COLUMNS)
    if show == "people":
        people = _list_pending_people(snapshot, policy, (by, value), page, seed)
        about = replace(about, parameters={**asked, "value": value or "", "page": page})
        return write_table_output(people, output, about, PENDING_COLUMNS)
    table = _select_attribute(_select_table(snapshot, policy, show, seed), by)
    write_table_output(table, output, about, COLUMNS)


def _select_attribute(table: pl.DataFrame, by: str) -> pl.DataFrame:
    """The rows of an attribute, where the table tells attributes apart."""
    if by == "all" or "attribute" not in table.columns:
        return table
    return table.filter(table["attribute"] == by)


def _ensure_forecast_asked(
    by: str, show: ForecastTable, value: str | None, talent: str | None
) -> None:
    if talent is not None and (by, show) != ("nation", "figures"):
        raise UsageError("--talent gives one list of its own; leave --by and --show out")
    if value is not None and show != "people":
        raise UsageError("--value goes with --show people; leave it out")
    if show == "people" and (by == "all" or (by == "nation") != (value is None)):
        raise UsageError(
            "--show people gives the nation, or one value: add --by province --value 32, or leave "
            "both out"
        )


def _list_pending_people(
    snapshot: Snapshot, policy: Policy, area: tuple[str, str | None], page: int, seed: int
) -> pl.DataFrame:
    import polars

    from graph.forecast.landing import load_landing_forecast
    from graph.forecast.pending_people import name_pending, select_pending

    attribute, value = area
    if attribute == "province":
        value = parse_province(value)
    forecast = load_landing_forecast(snapshot, policy, seed=seed)
    rows = select_pending(forecast.waiting, attribute, value)
    n = rows.select(polars.len()).collect().item()
    if page:
        rows = rows.slice((page - 1) * PEOPLE_PAGE_ROWS, PEOPLE_PAGE_ROWS)
    found = name_pending(snapshot, rows.collect())
    print_remark(
        Message(
            "{n:,} of {all:,} people who are pending, the likeliest first", n=found.height, all=n
        )
    )
    return found


@cli.command("extinction")
@add_policy_options
@add_output_options()
def extinction_command(
    policy: Policy,
    output: Output,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="Same seed, same figures.")
    ] = 2026,
) -> None:
    """The year in which each occupation in each province loses its last mentor, simulated.

    Example: shicheng extinction -o extinction.xlsx
    """
    from graph.forecast.extinction import COLUMNS, compute_extinction

    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    about = build_cli_about(
        snapshot.revision, policy, parameters={"seed": seed}, content="extinction"
    )
    write_table_output(compute_extinction(snapshot, policy, seed=seed), output, about, COLUMNS)


def _select_table(
    snapshot: Snapshot, policy: Policy, show: ForecastTable, seed: int
) -> pl.DataFrame:
    from graph.forecast.landing import load_backtest, load_landing_forecast

    if show in ("backtest", "outcomes"):
        found = load_backtest(snapshot, policy, seed=seed)
        if found.outcomes.is_empty():
            raise UsageError(
                "No past quarter-end has four quarters of the window before it, so no forecast "
                "can be tested yet."
            )
        return found.scores if show == "backtest" else found.outcomes
    forecast = load_landing_forecast(snapshot, policy, seed=seed)
    print_remark(Message("data up to {day}, seed {seed}", day=forecast.data_date, seed=seed))
    if show == "path":
        return forecast.figures
    return forecast.table() if show == "figures" else getattr(forecast, show)


def _compute_talent_forecast(
    snapshot: Snapshot, policy: Policy, talent_id: str, seed: int
) -> TalentForecast:
    from graph.forecast.talent import compute_talent_forecast
    from graph.people.aliases import resolve_person_id

    asked = resolve_person_id(snapshot, talent_id)
    found = compute_talent_forecast(snapshot, policy, asked, seed=seed)
    _print_talent_forecast(found)
    return found


def _print_talent_forecast(found: TalentForecast) -> None:
    print_remark(
        Message(
            "{talent}: {counted:,} driven on {day}; {median:,} by the window's end (80 %: "
            "{low:,} to {high:,}), of them {pending:,} of those pending and {arrivals:,} who are "
            "still to come, on average",
            talent=found.talent_id,
            counted=found.counted,
            day=found.data_date,
            median=found.figures["median"],
            low=found.figures["low_80"],
            high=found.figures["high_80"],
            pending=round(found.expected_pending),
            arrivals=round(found.expected_arrivals),
        )
    )
