"""docs/model.md, made from the one schema, so that it never says something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graph.model.constraints import build_schema_statements
from graph.model.kinds import (
    CHANGE,
    COMMON_TABLE_COLUMNS,
    CURRENT_LINK_KEY,
    FACETS,
    LOAD,
    NODES,
    PROVENANCE,
    PUBLISHED_PROPERTIES,
    RELATIONS,
    UNDO,
    is_stated_by_nodes,
    list_declared_tables,
)
from graph.model.schema_types import MAX_TEXT_BYTES, Declared, NodeKind, Property, Relation
from graph.model.vocabularies import LEVELS

MODEL_PAGE_HEAD = """# The model

Made from `graph/model/kinds.py` by `make docs`; change it there. Every node and every relation also
carries its provenance:

{provenance}

Most relations have one source and were written by the first load. Theirs is shorter: `sources` is
the name itself, not a list, and there is no `load`. So `'soc' IN r.sources` fails, and
`size(r.sources)` counts letters. `[] + r.sources` is a list in every case:

```cypher
MATCH (m:Person)-[r:MENTORS]->(a:Person)
WHERE '人社部' IN [] + r.sources AND size([] + r.sources) > 1
RETURN m.person_id, a.person_id
```

Where sources differ, the value of the source counts that is first in `SHICHENG_SOURCE_RANK`, then
the one with the newest `updated_on`, then the one whose source's name comes first. An empty cell
says nothing beside a value; `start` and `end` come from one source. `stated` then has a text a
source (JSON): its row, and what of its statement differs from the record. A node that is only
named, in a cell of another table, has `stated` with `named`.

Beside each date `NAME` stands `NAME_precision` where not the day is known: `year` (年) or `month`
(月). It comes from the source whose date stands.
"""
TABLES_HEAD = """## Exchange tables

One table a file in one folder: `people.csv`, `mentorships.csv.gz`, `talents.parquet`. Every table
but `people` may be absent. Headers are the names below, or the Chinese ones.

The same tables are read from any file that an office makes:

- workbooks (.xlsx, .xlsm, .xlsb, .xls, .et, .ods): a sheet a table, named as the table;
- CSV and text with any separator (comma, tab, semicolon, bar, full-width comma);
- Parquet, and JSON (a list of records, or a record a line);
- tables of web pages;
- any of these in gzip or zip.

The content decides what a file is, not its ending. The name may differ (People.csv, 人员.xlsx,
people_2024.csv): a file is a table if one of its first rows has the headers of all columns that the
table must have. Rows of titles above are left out, with a remark. Two files that are the same
table are refused; a file of exactly the right name goes before others. What is not read is named,
with the reason and the table it may be.

The encoding is found on the full file: UTF-8, UTF-16, GB18030 or Big5; the report states it, and
`--encoding` sets it. A file of rows in two encodings is refused, with the first row that differs.

Hidden rows and sheets of workbooks are read, with a remark. What a spreadsheet did to the data is
mended where it is certain, with a remark: a day's number in a column of dates, numbers that their
format shows with zeros in front, `.0` after integers, ="007". Lost digits (3.20102E+17)
and lost zeros are remarked; a rounded number is refused as an id. Limits: 1,048,576 rows and 16,384
columns a sheet, 1,000,000 characters a cell, 200 MB a workbook. A file that unpacks to far more
than it is packed, is protected by a password or is damaged is refused in a sentence.

Dates lie between 1600 and 2999: 2024-05-01, also 2024/5/1, 2024.5.1, 20240501, 2024年5月1日 or
a day of Excel, with a remark. A moment with a time zone is of its day in China. A month (2024-05)
is its first day, with a remark; a number 2024.1 of a spreadsheet is read only where the months of
its column tell January from October. A year alone is its first day;
as the start of a mentorship, a training or the lead of a studio, and as an end, it is its last day,
with a remark. How much is known is stored beside the day (`NAME_precision`: `year`, `month`), and
such a date is shown as the year or the month; from which day of its year a link counts the policy
says (`--year-alone`). 至今 and 长期 are an open end. Levels go by number or name.

A row is refused when a cell of a required column, or of one marked "decides", can't be read, or
when it names someone unknown; of any other column the cell alone is left empty, with a remark.
Cells of text hold at most {most:,} bytes. A cell that holds a citizen ID number (17 digits and the
right check character, in any form) is never stored nor shown, save as a digest in `id_number`.
Parquet columns of any type go through the same checks. All is listed with file, row (as a
spreadsheet counts), column, value and reason: accepted + refused = read. Every table may
also have {every}.
"""

CURRENT_NOTE = """
A fact may stand twice: as a row of `{table}`, and, with `key` = "{current}" and no dates, as a
column of the person's own row. To count each once, take `x.key <> '{current}'`, and the
"{current}" one only where there is no other:
`NOT EXISTS {{ MATCH (a)-[d:{type}]->(b) WHERE d.key <> '{current}' }}`. Snapshots and exports
do so.
"""
PUBLISHED_HEAD = """\
`shicheng driven --publish` writes the figures of each leading talent on its `Person`, for use in
Cypher. They are true for the revision in `driven_revision`: compare it with the newest
`Load.revision`. Loads don't touch them; the next publication replaces all of them.

"""


def page() -> str:
    """The full page, as Markdown."""
    provenance = "\n".join(f"- `{p.name}`: {p.en}" for p in PROVENANCE)
    every = " and ".join(f"`{p.name}` ({p.zh})" for p in COMMON_TABLE_COLUMNS)
    parts = [
        MODEL_PAGE_HEAD.format(provenance=provenance),
        _render_schema_diagram(),
        _render_level_ladder(),
        "## Nodes\n",
        *(_render_node_kind(kind) for kind in (*NODES, LOAD)),
        _render_change_section(),
        _render_undo_section(),
        _render_published_section(),
        "## Relations\n",
        *(_render_relation(relation) for relation in RELATIONS),
        TABLES_HEAD.format(every=every, most=MAX_TEXT_BYTES),
        *(_render_exchange_table(name, declared) for name, declared in list_declared_tables()),
        "## Constraints and indexes\n",
        "```cypher\n"
        + ";\n".join(statement for _, statement in build_schema_statements())
        + ";\n```\n",
    ]
    return "\n".join(parts)


def _render_published_section() -> str:
    """What `shicheng driven --publish` leaves on the leading talents."""
    rows = [f"| `{p.name}` | {p.type.value} | {p.en} | {p.zh} |" for p in PUBLISHED_PROPERTIES]
    table = ["| property | type | meaning | 含义 |", "|---|---|---|---|", *rows]
    return "### Published on leading talents\n\n" + PUBLISHED_HEAD + "\n".join(table) + "\n"


def _render_schema_diagram() -> str:
    lines = ["```mermaid", "flowchart LR"]
    lines += [f"  {kind.label}([{kind.label}<br/>{kind.zh}])" for kind in NODES]
    for relation in RELATIONS:
        for start in relation.start.kinds:
            for end in relation.end.kinds:
                lines.append(f"  {start} -- {relation.type} --> {end}")
    return "\n".join([*lines, "```\n"])


def _render_level_ladder() -> str:
    rows = [(str(level), zh, en) for level, (en, zh) in LEVELS.items()]
    return (
        "## The eight-level ladder\n\nHigh-skilled is level 4 and above.\n\n"
        + _render_markdown_table(("level", "中文", "English"), rows)
    )


def _render_node_kind(kind: NodeKind) -> str:
    facets = [facet for facet in FACETS if facet.kind == kind.label]
    earned = [
        f"`{side.label}` (has `{relation.type}`)"
        for relation in RELATIONS
        for side in (relation.start, relation.end)
        if side.label and kind.label in side.kinds
    ]
    labels = [*earned, *(f"`{facet.label}` ({facet.en}, {facet.zh})" for facet in facets)]
    more = f"Further labels, where they hold: {', '.join(labels)}.\n\n" if labels else ""
    properties = [*kind.properties, *(p for facet in facets for p in facet.properties[1:])]
    return (
        f"### {kind.label} {kind.zh}\n\nKey: "
        f"`{kind.key}`.\n\n{more}{_render_property_table(properties)}"
    )


def _render_change_section() -> str:
    return (
        f"### {CHANGE.label} {CHANGE.zh}\n\nWhat a load touched, at most 10,000 keys a node, "
        "written in the transactions of the records themselves.\nThose of the newest loads "
        "are stored.\n\n"
        f"{_render_property_table(CHANGE.properties)}"
    )


def _render_undo_section() -> str:
    return (
        f"### {UNDO.label} {UNDO.zh}\n\nWhat stood before each batch of a load, so that a load "
        "that cannot finish is undone,\nand `shicheng undo` can undo the newest ones. Those of "
        "older loads go.\n\n"
        f"{_render_property_table(UNDO.properties)}"
    )


def _render_relation(relation: Relation) -> str:
    ends = {relation.start.column, relation.end.column}
    own = [p for p in relation.properties if p.name not in ends]
    text = f"### {relation.type} {relation.zh}\n\n`{relation.picture}`: {relation.en.lower()}.\n"
    if relation.one_tie:
        text += "\nWhat two sources state of overlapping periods is one relation.\n"
    if relation.key:
        apart = ", ".join(f"`{name}`" for name in relation.key)
        text += f"\nSeveral between the same two differ in {apart}.\n"
    if is_stated_by_nodes(relation):
        text += CURRENT_NOTE.format(
            type=relation.type, table=relation.table, current=CURRENT_LINK_KEY
        )
    return text + (f"\n{_render_property_table(own)}" if own else "")


def _render_property_table(properties: Sequence[Property]) -> str:
    rows = [(f"`{p.stored}`", _format_property_type(p), p.en, p.zh) for p in properties]
    return _render_markdown_table(("property", "type", "English", "中文"), rows)


def _format_property_type(declared: Property) -> str:
    if declared.choices is not None:
        few = [f"`{code}` {zh}" for code, (_, zh) in list(declared.choices.items())[:8]]
        return ", ".join(few) + (", or other text" if declared.open_choice else "")
    return declared.type.value + (f", {declared.unit}" if declared.unit else "")


def _render_exchange_table(name: str, declared: Declared) -> str:
    rows = [
        (
            f"`{p.name}`",
            " / ".join((p.zh, *p.headers)),
            _format_required(p),
            _format_property_type(p),
        )
        for p in declared.columns
    ]
    table = _render_markdown_table(("column", "Chinese header", "required", "takes"), rows)
    return f"### {name}.csv\n\n{table}"


def _format_required(column: Property) -> str:
    return "yes" if column.required else "decides" if column.decides else ""


def _render_markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(_render_markdown_rows(head, rows)) + "\n"


def _render_markdown_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
