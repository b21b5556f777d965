"""`shicheng export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from cli.options import ForceOption, NetworkFormat
from cli.output import (
    NETWORK_FORMAT_BY_ENDING,
    STDOUT_PATH,
    check_paths_writable,
    detect_output_format,
    record_cli_export,
    write_output_file,
)
from cli.root import export_cli
from cli.session import open_cli_database, take_cli_snapshot
from cli.terminal import print_remark
from graph.errors import UsageError
from graph.messages import Message

if TYPE_CHECKING:
    from graph.snapshot.frames import Snapshot

# Most links that a part of the network reaches; far more than any chain of mentors has.
MOST_HOPS = 1_000


OutputFileOption = Annotated[
    Path,
    typer.Option(
        "-o",
        "--out",
        "--output",
        help="The file to write: .graphml, .gexf, .json or .zip (of CSV); - is stdout.",
    ),
]
NetworkFormatOption = Annotated[
    NetworkFormat | None,
    typer.Option("--format", help="Of the file. [default: as it ends]"),
]
EgoOption = Annotated[
    str | None, typer.Option("--ego", help="Only those within --radius links of this person.")
]
LineageOption = Annotated[
    str | None, typer.Option("--lineage", help="Only this person's mentors and descendants.")
]
PathOption = Annotated[
    tuple[str, str] | None,
    typer.Option("--path", help="Only the shortest chains from one person to another."),
]
StudioOption = Annotated[
    str | None, typer.Option("--studio", help="Only this studio and its people.")
]
RadiusOption = Annotated[
    int, typer.Option("--radius", min=1, max=MOST_HOPS, help="Links, with --ego.")
]
UpOption = Annotated[
    int, typer.Option("--up", min=0, max=MOST_HOPS, help="Generations above: --lineage.")
]
DownOption = Annotated[
    int, typer.Option("--down", min=0, max=MOST_HOPS, help="Generations below: --lineage.")
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="Most people of a part.")]


@export_cli.command("network")
def export_network(
    output: OutputFileOption,
    format: NetworkFormatOption = None,
    force: ForceOption = False,
    ego: EgoOption = None,
    lineage: LineageOption = None,
    path: PathOption = None,
    studio: StudioOption = None,
    radius: RadiusOption = 1,
    up: UpOption = 2,
    down: DownOption = 3,
    limit: LimitOption = 10_000,
) -> None:
    """Write the network, or one bounded part of it, for other tools.

    Example: shicheng export network --lineage P0000001 -o lineage.graphml
    """
    from ui.export.network_files import encode_network, write_network_file

    if sum(chosen is not None for chosen in (ego, lineage, path, studio)) > 1:
        raise UsageError("one of --ego, --lineage, --path and --studio at a time")
    to_stdout = output == STDOUT_PATH
    if to_stdout and format is None:
        raise UsageError("stdout has no ending; say which by --format")
    kind = format or cast(NetworkFormat, detect_output_format(output, NETWORK_FORMAT_BY_ENDING))
    if not to_stdout:
        check_paths_writable([output], force=force)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    found = _build_network_part(snapshot, ego, lineage, path, studio, radius, up, down, limit)
    if to_stdout:
        record_cli_export(kind)
        sys.stdout.buffer.write(encode_network(found, kind))
    else:
        write_output_file(output, lambda making: write_network_file(found, kind, making))
    _print_network_size(found, output)


def _print_network_size(found: Any, output: Path) -> None:
    if found.graph.get("left_out"):
        print_remark(
            Message(
                "{people:,} more people were left out; raise --limit",
                people=found.graph["left_out"],
            )
        )
    print_remark(
        Message(
            "{nodes:,} nodes, {relations:,} relations -> {output}",
            nodes=found.number_of_nodes(),
            relations=found.number_of_edges(),
            output=output,
        )
    )


def _build_network_part(
    snapshot: Snapshot,
    ego: str | None,
    lineage: str | None,
    path: tuple[str, str] | None,
    studio: str | None,
    radius: int,
    up: int,
    down: int,
    limit: int,
) -> Any:
    """The network or a part of it as a networkx graph; which part stands in `graph`."""
    from graph.people import network

    found: Any
    part: dict[str, Any]
    if ego is not None:
        found = network.build_ego_graph(snapshot, ego, radius=radius, limit=limit)
        part = {"part": "ego", "of": ego, "radius": radius, "limit": limit}
    elif lineage is not None:
        found = network.build_lineage_graph(snapshot, lineage, up=up, down=down, limit=limit)
        part = {"part": "lineage", "of": lineage, "up": up, "down": down, "limit": limit}
    elif path is not None:
        found = network.build_path_graph(snapshot, *path, limit=limit)
        part = {"part": "path", "of": " -> ".join(path), "limit": limit}
    elif studio is not None:
        found = network.build_studio_graph(snapshot, studio, limit=limit)
        part = {"part": "studio", "of": studio, "limit": limit}
    else:
        found, part = network.build_full_network(snapshot), {"part": "whole"}
    found.graph.update(part)
    return found
