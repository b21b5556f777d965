"""`shicheng story`: how one person rose and what was passed on, as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ForceOption
from cli.output import check_paths_writable, detect_output_format, write_output_file
from cli.root import cli
from cli.session import open_cli_database, print_load_notice, take_cli_snapshot
from cli.terminal import print_remark
from graph.errors import UsageError
from graph.messages import Language, Message, detect_terminal_language


@cli.command("story")
def story_command(
    person: Annotated[str, typer.Argument(help="The person's person_id.")],
    output: Annotated[Path, typer.Option("-o", "--out", "--output", help="The file: story.html.")],
    language: Annotated[
        Language | None,
        typer.Option("--language", help="Of the story. [default: the terminal's]"),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Write a person's skill story: dated facts, each with its row, in one file for any browser.

    Without the person's consent (story_consent of people) nobody is named and years alone stand.

    Example: shicheng story P0000001 --language zh -o story.html
    """
    detect_output_format(output, {"html": "html"})
    check_paths_writable([output], force=force)
    from graph.cypher.internal_queries import read_internal_query
    from graph.dates import restore_date_precision
    from graph.people.aliases import resolve_person_id
    from graph.policy import DEFAULT_POLICY
    from ui.person.person import Apprentice
    from ui.person.record import build_person
    from ui.person.skill_story import build_skill_story
    from ui.person.story_file import render_story_file

    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
        id, level = resolve_person_id(snapshot, person), DEFAULT_POLICY.high_skilled_level
        rows = restore_date_precision(read_internal_query(opened, "person_record", id=id))
        taken = restore_date_precision(
            read_internal_query(opened, "direct_apprentices", id=id, level=level)
        )
        print_load_notice(opened)
    if not rows:
        raise UsageError("nobody in the graph has the id {id}; check how it is written", id=person)
    said = language or detect_terminal_language()
    story = build_skill_story(build_person(rows[0]), [Apprentice(**row) for row in taken], said)
    write_output_file(output, render_story_file(story, snapshot.revision))
    print_remark(Message("{facts:,} facts -> {output}", facts=len(story.events), output=output))
