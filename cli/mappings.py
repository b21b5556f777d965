"""`shicheng mappings`: what was confirmed of departments' lists, as files to move and to delete."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ForceOption, JsonOption
from cli.output import check_paths_writable, print_json, print_table, write_output_file
from cli.root import mappings_cli
from cli.state import CommandState
from cli.terminal import print_answer
from graph.messages import Message, detect_terminal_language

_LIST_HEADS = Message("list"), Message("revision"), Message("columns"), Message("file")
SourcesArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Lists as `shicheng mappings list` names them, or departments."),
]


@mappings_cli.command("list")
def list_mappings_command(as_json: JsonOption = False) -> None:
    """List the remembered mappings: department and list, newest revision, columns, file.

    Example: shicheng mappings list
    """
    from loaders.mapping.mapping import list_newest_mappings

    found = list_newest_mappings(CommandState.settings.home)
    if as_json:
        print_json({"mappings": [one.model_dump(mode="json") for _, one in found]})
        return
    language = detect_terminal_language()
    rows = [(one.source, one.revision, len(one.columns), path.name) for path, one in found]
    print_table([head.said(language) for head in _LIST_HEADS], rows)


@mappings_cli.command("show")
def show_mapping_command(
    source: Annotated[str, typer.Argument(help="The list: DEPARTMENT/LIST.")],
    revision: Annotated[
        int | None, typer.Option("--revision", help="An earlier one. [default: the newest]")
    ] = None,
) -> None:
    """Print a mapping as YAML.

    Example: shicheng mappings show 某市人社局/人员
    """
    from loaders.mapping.mapping import find_mapping_revision, render_mapping

    found = find_mapping_revision(CommandState.settings.home, source, revision)
    print(render_mapping(found), end="")


@mappings_cli.command("export")
def export_mappings_command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The YAML file to write.")],
    sources: SourcesArgument = None,
    force: ForceOption = False,
) -> None:
    """Write mappings, in their newest revision, into one YAML file: all of them, or those named.

    The file holds headers and answers, no row of any list.

    Example: shicheng mappings export mappings.yaml
    """
    from loaders.mapping.mapping import list_newest_mappings, render_mapping

    found = list_newest_mappings(CommandState.settings.home, sources or ())
    check_paths_writable([path], force=force)
    text = "---\n".join(render_mapping(mapping) for _, mapping in found)
    write_output_file(path, text.encode())
    print_answer(Message("{n} mappings are in {file}", n=len(found), file=path))


@mappings_cli.command("import")
def import_mappings_command(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="YAML files.")],
) -> None:
    """Take in mappings that `shicheng mappings export` has written, or files of mappings/.

    Each is the next revision of its list; one that says the same is not written again. Nothing is
    taken in where a file is no mapping.

    Example: shicheng mappings import mappings.yaml
    """
    from loaders.mapping.mapping import list_mappings, read_exported_mappings, save_mapping

    home = CommandState.settings.home
    for mapping in [one for path in paths for one in read_exported_mappings(path)]:
        before = {path for path, _ in list_mappings(home)}
        saved = save_mapping(home, mapping)
        if saved in before:
            print_answer(Message("unchanged: {source}", source=mapping.source))
        else:
            print_answer(Message("saved: {file}", file=saved))


@mappings_cli.command("delete")
def delete_mappings_command(
    sources: Annotated[
        list[str],
        typer.Argument(help="Lists as `shicheng mappings list` names them, or departments."),
    ],
) -> None:
    """Delete mappings with all their revisions: such lists are asked about again.

    What was loaded by them stays. `shicheng mappings export` keeps a copy.

    Example: shicheng mappings delete 某市人社局/人员
    """
    from loaders.mapping.mapping import delete_mappings

    for gone in delete_mappings(CommandState.settings.home, sources):
        print_answer(
            Message(
                "deleted: {source}, revision {revision}",
                source=gone.source,
                revision=gone.revision,
            )
        )
