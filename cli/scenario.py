"""`shicheng scenario`: what if these leave, studios open or close, mentorships begin."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.departures import parse_until
from cli.options import ForceOption, JsonOption, add_output_options, add_policy_options
from cli.output import Output, check_paths_writable, print_json, print_table, write_output_file
from cli.root import scenario_cli
from cli.session import (
    build_cli_about,
    decide_steward_view,
    open_cli_database,
    take_cli_snapshot,
)
from cli.state import CommandState
from cli.terminal import print_answer, print_notice, print_policy, write_table_output
from graph.errors import UsageError
from graph.messages import Message, detect_terminal_language
from graph.policy import Policy

if TYPE_CHECKING:
    import polars as pl

    from graph.programme.notebook import Notebook
    from graph.scenario.changes import Scenario
    from graph.scenario.comparison import ScenarioComparison

ScenarioTable = Literal[
    "headline",
    "provinces",
    "talents",
    "succession",
    "lost_mentors",
    "lost_leaders",
    "landing",
    "landing_parts",
    "changes",
]
_LIST_HEADS = tuple(Message(head) for head in ("id", "name", "changes", "saved by", "saved at"))


@scenario_cli.command("compare")
@add_policy_options
@add_output_options()
def compare_scenario_command(
    policy: Policy,
    output: Output,
    scenario: Annotated[
        str | None,
        typer.Argument(help="A saved scenario by name or id, or a file: JSON, CSV or a workbook."),
    ] = None,
    leave: Annotated[
        list[str] | None, typer.Option("--leave", help="A person who leaves; may be repeated.")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", help="The last month or day of those who leave, 2027-06.")
    ] = None,
    show: Annotated[
        ScenarioTable,
        typer.Option(
            "--show",
            help="Both ledgers and the succession (headline), one of them by province or talent, "
            "what is lost, how the forecast moves, or the changes themselves.",
        ),
    ] = "headline",
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="Same seed, same figures.")
    ] = 2026,
) -> None:
    """What a scenario changes, figure by figure, beside the revision as it is.

    Nothing is written into Neo4j. A table of changes has the columns change, on, person_id,
    other_id, studio_id, name, province, attribute, value and factor; see docs/metrics.md.

    Example: shicheng scenario compare --leave P0000012 --leave P0000031 --on 2027-06 --show talents
    """
    from graph.scenario.comparison import COLUMNS
    from graph.scenario.stored_comparison import load_comparison

    chosen = _choose_scenario(scenario, leave or [], on)
    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    steward = decide_steward_view()
    found = load_comparison(snapshot, policy, chosen, steward=steward, seed=seed)
    if found.no_landing is not None:
        print_notice(found.no_landing.message)
    asked = {"scenario": chosen.id, "name": chosen.name, "seed": seed}
    about = build_cli_about(snapshot.revision, policy, parameters=asked, content=f"scenario {show}")
    write_table_output(_select_scenario_table(found, show), output, about, COLUMNS)


def _choose_scenario(name: str | None, leave: list[str], on: str | None) -> Scenario:
    from graph.scenario.changes import Change, Scenario
    from graph.scenario.storage import find_saved_scenario
    from loaders.scenario_files import read_scenario_file

    if (name is None) == (not leave):
        raise UsageError("Name a scenario or a file, or say who leaves with --leave.")
    if bool(leave) != bool(on):
        raise UsageError("--leave and --on belong together: who leaves, and the last day.")
    if name is None:
        day = parse_until(on)
        return Scenario("--leave", tuple(Change("leave", day, person_id=id) for id in leave))
    path = Path(name)
    if path.suffix and path.exists():
        return read_scenario_file(path)
    return find_saved_scenario(_open_notebook(), name).scenario


def _open_notebook() -> Notebook:
    from graph.programme.notebook import Notebook

    return Notebook(CommandState.settings.home)


def _select_scenario_table(found: ScenarioComparison, show: ScenarioTable) -> pl.DataFrame:
    from graph.scenario.changes import build_change_table

    landing = found.landing
    tables: Mapping[str, pl.DataFrame | None] = {
        "headline": found.table(),
        "landing": landing.summarize() if landing else None,
        "landing_parts": landing.parts if landing else None,
        "changes": build_change_table(found.scenario.changes),
    }
    table = tables[show] if show in tables else getattr(found, show)
    if table is None:
        raise found.no_landing or UsageError("There is no forecast.")
    chosen: pl.DataFrame = table
    return chosen


@scenario_cli.command("save")
def save_scenario_command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, CSV or a workbook.")],
    name: Annotated[str | None, typer.Option("--name", help="[default: the file's]")] = None,
) -> None:
    """Save the scenario of a file under a name; the app shows it too.

    Example: shicheng scenario save leaving.csv --name 三人离任
    """
    from graph.scenario.storage import save_scenario
    from loaders.scenario_files import read_scenario_file

    scenario = read_scenario_file(path, name)
    saved = save_scenario(_open_notebook(), getpass.getuser(), scenario)
    print_answer(
        Message(
            "scenario {name} is saved with {n:,} changes, id {id}",
            name=saved.scenario.name,
            n=len(saved.scenario.changes),
            id=saved.scenario.id,
        )
    )


@scenario_cli.command("list")
def list_scenarios_command(as_json: JsonOption = False) -> None:
    """List the saved scenarios, the newest first.

    Example: shicheng scenario list
    """
    from graph.scenario.storage import list_saved_scenarios

    found = list_saved_scenarios(_open_notebook())
    rows = [
        (s.scenario.id, s.scenario.name, len(s.scenario.changes), s.owner, s.saved_at)
        for s in found
    ]
    if as_json:
        names = ("id", "name", "changes", "owner", "saved_at")
        print_json({"scenarios": [dict(zip(names, row, strict=True)) for row in rows]})
        return
    language = detect_terminal_language()
    print_table([head.said(language) for head in _LIST_HEADS], rows)


@scenario_cli.command("export")
def export_scenario_command(
    name: Annotated[str, typer.Argument(help="A saved scenario by name or id.")],
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The JSON file to write.")],
    force: ForceOption = False,
) -> None:
    """Write a saved scenario into a JSON file that `save` and `compare` read.

    Example: shicheng scenario export 三人离任 scenario.json
    """
    import json

    from graph.scenario.storage import find_saved_scenario

    saved = find_saved_scenario(_open_notebook(), name)
    check_paths_writable([path], force=force)
    text = json.dumps(saved.scenario.as_dict(), ensure_ascii=False, indent=1)
    write_output_file(path, f"{text}\n".encode())
    print_answer(Message("scenario {name} is in {file}", name=saved.scenario.name, file=path))


@scenario_cli.command("delete")
def delete_scenario_command(
    name: Annotated[str, typer.Argument(help="A saved scenario by name or id.")],
) -> None:
    """Delete a scenario that you saved.

    Example: shicheng scenario delete 三人离任
    """
    from graph.scenario.storage import delete_scenario, find_saved_scenario

    notebook = _open_notebook()
    saved = find_saved_scenario(notebook, name)
    if not delete_scenario(notebook, getpass.getuser(), saved.scenario.id):
        raise UsageError(
            "Scenario {name} was saved by {owner}, who alone can delete it.",
            name=saved.scenario.name,
            owner=saved.owner,
        )
    print_answer(Message("scenario {name} is deleted", name=saved.scenario.name))
