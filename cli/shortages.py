"""`shicheng shortages`: high-skilled people in work, leavers and risers against the demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.options import add_output_options, add_policy_options, parse_province
from cli.output import Output
from cli.root import cli
from cli.session import build_cli_about, open_cli_database, take_cli_snapshot
from cli.state import CommandState
from cli.terminal import print_notice, print_policy, write_table_output
from graph.errors import UsageError
from graph.messages import Message
from graph.policy import Policy
from graph.roles import has_permission

if TYPE_CHECKING:
    import polars as pl

    from graph.forecast.shortages import ShortagePart, Shortages
    from graph.snapshot.frames import Snapshot


@cli.command("shortages")
@add_policy_options
@add_output_options()
def shortages_command(
    policy: Policy,
    output: Output,
    by: Annotated[
        Literal["occupation_group", "occupation"],
        typer.Option("--by", help="A row an occupation, or a group of them (the first two parts)."),
    ] = "occupation_group",
    area: Annotated[
        Literal["province", "nation"],
        typer.Option("--area", help="By province, or of the nation together."),
    ] = "province",
    year: Annotated[
        int | None, typer.Option("--year", help="The as-of year (default) or one of the next two.")
    ] = None,
    code: Annotated[
        str | None,
        typer.Option("--code", help="Of --people: an occupation, or the beginning of its code."),
    ] = None,
    people: Annotated[
        Literal["leaving", "rising", "mentors"] | None,
        typer.Option("--people", help="The people behind a figure of --code, instead."),
    ] = None,
    province: Annotated[
        str | None, typer.Option("--province", help="Name or code of a province.")
    ] = None,
    show: Annotated[
        Literal["figures", "backtest", "outcomes"],
        typer.Option(
            "--show",
            help="The figures, or what past forecasts of leavers and risers were worth: scores "
            "(backtest) or each of them (outcomes).",
        ),
    ] = "figures",
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="Same seed, same figures.")
    ] = 2026,
) -> None:
    """High-skilled people in work, expected leavers and risers, against the positions open.

    Example: shicheng shortages --by occupation --province 江苏 -o shortages.xlsx
    """
    place, years = parse_province(province), _list_years(policy)
    chosen = years[0] if year is None else year
    _ensure_asked(chosen, years, code, people, (area, place))
    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    found = _load_shortages(snapshot, policy, seed)
    if show != "figures":
        return _output_backtest(found, show, snapshot.revision, policy, seed, output)
    if people is not None and code is not None:
        asked = (people, chosen, code, place)
        return _output_people(snapshot, policy, found, asked, seed, output)
    _output_shortages(found, policy, snapshot.revision, (by, area, chosen, place), seed, output)


def _list_years(policy: Policy) -> list[int]:
    from graph.forecast.supply_changes import list_shortage_years

    return list_shortage_years(policy)


def _load_shortages(snapshot: Snapshot, policy: Policy, seed: int) -> Shortages:
    from graph.forecast.shortages import load_shortages

    return load_shortages(snapshot, policy, seed=seed)


def _output_shortages(
    found: Shortages,
    policy: Policy,
    revision: int,
    rows: tuple[str, str, int, str | None],
    seed: int,
    output: Output,
) -> None:
    from graph.forecast.shortages import COLUMNS, select_shortages

    by, area, year, place = rows
    asked = {"by": by, "area": area, "year": year, "province": place or "", "seed": seed}
    _print_judgement(found)
    told = _list_told_rows(found)
    _print_gaps(told, year, place)
    _print_missing(told, year)
    about = build_cli_about(revision, policy, parameters=asked, content="shortages")
    write_table_output(select_shortages(told, by, area, year, place), output, about, COLUMNS)


def _output_people(
    snapshot: Snapshot,
    policy: Policy,
    found: Shortages,
    row: tuple[ShortagePart, int, str, str | None],
    seed: int,
    output: Output,
) -> None:
    from graph.forecast.shortages import PEOPLE_COLUMNS, list_shortage_people

    part, year, code, place = row
    table = list_shortage_people(snapshot, policy, found, part, year, code=code, province=place)
    if not has_permission(CommandState.settings.role, "cypher"):
        table = _hide_people(table, found, part, year, code, place)
    asked = {"year": year, "province": place or "", "seed": seed, "code": code}
    about = build_cli_about(
        snapshot.revision, policy, parameters=asked, content=f"shortages {part}"
    )
    write_table_output(table, output, about, PEOPLE_COLUMNS)


def _output_backtest(
    found: Shortages, show: str, revision: int, policy: Policy, seed: int, output: Output
) -> None:
    from graph.forecast.supply_backtest import COLUMNS

    asked = {"show": show, "seed": seed}
    about = build_cli_about(revision, policy, parameters=asked, content="shortages")
    write_table_output(_take_backtest(found, show), output, about, COLUMNS)


def _ensure_asked(
    year: int,
    years: list[int],
    code: str | None,
    people: str | None,
    place: tuple[str, str | None],
) -> None:
    if year not in years:
        raise UsageError(
            "--year has {year}; figures are given for {first} to {last}: choose one of them, or "
            "another as-of day.",
            year=year,
            first=years[0],
            last=years[-1],
        )
    if (people is None) != (code is None):
        raise UsageError("--people and --code go together: who, and of which occupation")
    if place[0] == "nation" and place[1] is not None:
        raise UsageError("--area nation has no province; leave one of the two out")


def _take_backtest(found: Shortages, show: str) -> pl.DataFrame:
    """The scores, or each outcome where the role may count small groups."""
    if show == "backtest":
        return found.backtest.scores
    if not has_permission(CommandState.settings.role, "cypher"):
        raise UsageError(
            "--show outcomes counts groups of one or two people, which are not told to your role: "
            "ask for --show backtest."
        )
    return found.backtest.outcomes


def _print_judgement(found: Shortages) -> None:
    """Says where past forecasts do not defend a gap, or cannot tell."""
    defended = found.backtest.defends_gaps()
    if defended is None:
        print_notice(
            Message("no past year can be tested yet: what the gaps are worth is not known")
        )
    elif not defended:
        print_notice(
            Message(
                "past forecasts of leavers and risers were no better than carrying on as before "
                "(--show backtest), so no gap is given"
            )
        )


def _list_told_rows(found: Shortages) -> pl.DataFrame:
    """The rows as the role may see them."""
    from graph.report.shortage_protection import protect_shortages

    if has_permission(CommandState.settings.role, "cypher"):
        return found.rows
    print_notice(
        Message(
            "groups of one or two people, and what would give them away, are not told to your "
            "role: these cells are empty, and sums leave them out"
        )
    )
    return protect_shortages(found.rows)


def _hide_people(
    table: pl.DataFrame,
    found: Shortages,
    part: ShortagePart,
    year: int,
    code: str,
    province: str | None,
) -> pl.DataFrame:
    """The people without those behind a figure that the role does not see."""
    from graph.report.shortage_protection import list_told_people, protect_shortages

    protected = protect_shortages(found.rows)
    listed, hidden = list_told_people(table, protected, part, year, code=code, province=province)
    if hidden:
        print_notice(
            Message(
                "the people behind a hidden figure are not listed for your role: their names would "
                "give the figure away"
            )
        )
    return listed


def _print_gaps(rows: pl.DataFrame, year: int, province: str | None) -> None:
    """Says how many are missing, and how many are too many elsewhere."""
    from graph.forecast.shortages import sum_gaps

    gaps = sum_gaps(rows, year, province)
    if gaps is None:
        return
    print_notice(
        Message(
            "by the end of {year} {missing:,} high-skilled people are missing for {positions:,} "
            "open positions; in other occupations or provinces there are {surplus:,} more than "
            "needed, who fill none of these gaps",
            year=year,
            missing=gaps.missing,
            positions=gaps.positions,
            surplus=gaps.surplus,
        )
    )


def _print_missing(rows: pl.DataFrame, year: int) -> None:
    """Says what the figures leave out."""
    from graph.forecast.shortages import describe_missing

    missing = describe_missing(rows, year)
    stock = missing["stock"]
    if n := missing["without_demand"]:
        print_notice(
            Message(
                "no demand is stated for {year} of the occupation and province of {n:,} of the "
                "{stock:,} high-skilled in work: they have no gap",
                year=year,
                n=n,
                stock=stock,
            )
        )
    if n := missing["unknown_retirement"]:
        print_notice(
            Message(
                "of {n:,} of the {stock:,} high-skilled in work no single retirement month is "
                "known; a woman of unknown category counts half between her two months, the "
                "others as not retiring",
                n=n,
                stock=stock,
            )
        )
    if n := missing["no_place"]:
        print_notice(
            Message("{n:,} of the high-skilled in work have no province or occupation", n=n)
        )
