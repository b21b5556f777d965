"""The examples of docs/mapping.md and of the guide do what the pages say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from graph.model.kinds import EXCHANGE_TABLES
from graph.server.identity_key import build_id_digester
from loaders.department_files import iterate_raw_tables, read_department_files
from loaders.mapping.aliases import list_known_fields
from loaders.mapping.mapping import MAPPINGS_FOLDER
from loaders.tables import RawTable, check_table
from tests.live.shell import run_here
from tests.unit.test_department_lists import TODAY

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "mapping.md").read_text("utf-8")
# The pages with public forms.
PAGES = [PAGE, *((DOCS / "guide" / f"{name}.md").read_text("utf-8") for name in ("en", "zh"))]


def get_block(language: str) -> str:
    (block, *_) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


def test_the_example_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(get_block("csv"), "utf-8")
    given = {"SHICHENG_HOME": str(tmp_path / "home")}
    first, second, _ = re.findall(r"^\$ shicheng (.*)$", get_block("console"), re.MULTILINE)
    asked, settled = (run_here(command.split(), given, tmp_path) for command in (first, second))
    assert (asked.returncode, settled.returncode) == (0, 0)
    assert "? ladder: " in asked.stdout
    (saved,) = (tmp_path / "home" / MAPPINGS_FOLDER).iterdir()
    assert saved.read_text("utf-8") == get_block("yaml")
    digest = build_id_digester(tmp_path / "home")
    read = read_department_files([tmp_path / "list.csv"], tmp_path / "home")
    tables = {
        raw.table: check_table(raw, digest, TODAY)
        for raw in iterate_raw_tables(read, digest)
        if isinstance(raw, RawTable)
    }
    listed = re.findall(r"^\| ([a-z]+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert [(name, str(table.accepted)) for name, table in tables.items()] == listed
    assert tables["recognitions"].rows["level"].to_list() == [6, 4]


def test_the_commands_on_mappings_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(get_block("csv"), "utf-8")
    given = {"SHICHENG_HOME": str(tmp_path / "home")}
    inspect = ["inspect", "list.csv", "--answer", "ladder=old", "--save"]
    assert run_here(inspect, given, tmp_path).returncode == 0
    _, block = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    commands = re.findall(r"^\$ shicheng (mappings .*)$", block, re.MULTILINE)
    done = [run_here(shlex.split(command), given, tmp_path) for command in commands]
    assert [one.returncode for one in done] == [0] * 5
    listed, shown, _, imported, deleted = (one.stdout for one in done)
    assert "某市人力资源和社会保障局/人员\t1\t8" in listed
    assert shown == get_block("yaml") == (tmp_path / "mappings.yaml").read_text("utf-8")
    assert "unchanged" in imported and "deleted" in deleted
    assert list((tmp_path / "home" / MAPPINGS_FOLDER).iterdir()) == []


EXAMPLE = re.compile(
    r"^```\w+ (\S+\.\w+)\n(.*?)^```\n\n"
    r"```console \1\n\$ shicheng (.*?)\n```\n\n`\1`(?:: |：)(.*?)$",
    re.DOTALL | re.MULTILINE,
)
EXAMPLES = [example for page in PAGES for example in EXAMPLE.findall(page)]


@pytest.mark.parametrize(("name", "content", "command", "expected"), EXAMPLES)
def test_each_public_form_of_the_pages(
    name: str, content: str, command: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    done = run_here(shlex.split(command), {"SHICHENG_HOME": str(tmp_path / "home")}, tmp_path)
    assert done.returncode == 0, done.stderr
    digest = build_id_digester(tmp_path / "home")
    read = read_department_files([tmp_path / name], tmp_path / "home")
    assert read.open == [] and read.unread == []
    tables = [
        check_table(raw, digest, TODAY)
        for raw in iterate_raw_tables(read, digest)
        if isinstance(raw, RawTable)
    ]
    said = {
        ", ".join(f"{one.table} {one.accepted}" for one in tables),
        "，".join(f"{EXCHANGE_TABLES[one.table].zh} {one.accepted}" for one in tables),
    }
    assert expected in said
    assert [one.refused for one in tables] == [0] * len(tables)


def test_every_public_form_of_the_pages_is_run() -> None:
    blocks = [len(re.findall(r"^```\w+ \S+\.\w+$", page, re.MULTILINE)) for page in PAGES]
    assert len(EXAMPLES) == sum(blocks) / 2 and min(blocks) >= 8


def test_the_page_names_fields_that_there_are() -> None:
    rows = re.findall(r"^\| (`[a-z`, ]+`) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    known = list_known_fields()
    named = {
        f"{role}.{field}"
        for roles, fields in rows
        for role in re.findall(r"`([a-z]+)`", roles)
        for field in re.findall(r"`([a-z_]+)`", fields)
    }
    of_roles = {
        name for name in named if name.partition(".")[0] in {k.partition(".")[0] for k in known}
    }
    unknown = {name for name in of_roles if name not in known and not name.startswith("host.")}
    assert unknown == set()
