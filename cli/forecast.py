"""`shicheng forecast`: where both ledgers will stand at the window's end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.options import add_output_options, add_policy_options
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
    "figures", "parts", "path", "past", "pending", "arrivals", "backtest", "outcomes"
]


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
            "to come, or past; who is pending and what arrived, of the nation; what past forecasts "
            "were worth: scores (backtest) or each of them (outcomes).",
        ),
    ] = "figures",
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="Same seed, same figures.")
    ] = 2026,
) -> None:
    """Forecast both ledgers at the window's end: median, 80 % and 95 % interval, probability.

    Example: shicheng forecast --by province -o forecast.xlsx
    """
    if talent is not None and (by, show) != ("nation", "figures"):
        raise UsageError("--talent gives one list of its own; leave --by and --show out")
    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    content = f"forecast {show}" if talent is None else f"forecast talent {talent}"
    asked = {"by": by, "seed": seed} if talent is None else {"seed": seed}
    about = build_cli_about(snapshot.revision, policy, parameters=asked, content=content)
    if talent is not None:
        from graph.forecast import talent as of_talent
        from graph.people.aliases import resolve_person_id

        found = of_talent.compute_talent_forecast(
            snapshot, policy, resolve_person_id(snapshot, talent), seed=seed
        )
        _print_talent_forecast(found)
        return write_table_output(found.table(), output, about, of_talent.COLUMNS)
    from graph.forecast.landing import COLUMNS

    table = _select_table(snapshot, policy, show, seed)
    if by != "all" and "attribute" in table.columns:
        table = table.filter(table["attribute"] == by)
    write_table_output(table, output, about, COLUMNS)


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
