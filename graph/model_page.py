"""docs/model.md, made from the one schema, so that it never says something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graph.model import (
    CHANGE,
    EVERY_TABLE,
    FACETS,
    LEVELS,
    LOAD,
    NODES,
    PROVENANCE,
    PUBLISHED,
    RELATIONS,
    Declared,
    NodeKind,
    Property,
    Relation,
    declared_tables,
)
from graph.schema import schema_statements

HEAD = """# The model

Made from `graph/model.py` by `make docs`; change it there. Every node and every relation also
carries its provenance: {provenance}.
"""
TABLES_HEAD = """## Exchange tables

One table a file in one folder: `people.csv`, `mentorships.csv.gz`, `talents.parquet`. Text is UTF-8
or GB18030. Every table but `people` may be absent. Headers are the names below, or the Chinese
ones. A day is written 2024-05-01, 2024/5/1, 2024.5.1, 20240501, 2024年5月1日 or as an Excel day; a
month (2024-05) is its first day, with a remark. Levels go by number or name. A row with a cell that
can't be read, or that names someone unknown, is refused and listed with file, row, column, value
and reason: accepted + refused = read. Every table may also have {every}.
"""

PUBLISHED_HEAD = """\
`shicheng driven --publish` writes the figures of each leading talent on its `Person`, for use in
Cypher. They are true for the revision in `driven_revision`: compare it with the newest
`Load.revision`. Loads don't touch them; the next publication replaces all of them.

"""


def page() -> str:
    """The whole page, as Markdown."""
    provenance = ", ".join(f"`{p.name}` ({p.en})" for p in PROVENANCE)
    every = " and ".join(f"`{p.name}` ({p.zh})" for p in EVERY_TABLE)
    parts = [
        HEAD.format(provenance=provenance),
        _drawing(),
        _ladder(),
        "## Nodes\n",
        *(_node(kind) for kind in (*NODES, LOAD)),
        _change(),
        _published(),
        "## Relations\n",
        *(_relation(relation) for relation in RELATIONS),
        TABLES_HEAD.format(every=every),
        *(_table(name, declared) for name, declared in declared_tables()),
        "## Constraints and indexes\n",
        "```cypher\n" + ";\n".join(statement for _, statement in schema_statements()) + ";\n```\n",
    ]
    return "\n".join(parts)


def _published() -> str:
    """What `shicheng driven --publish` leaves on the leading talents."""
    rows = [f"| `{p.name}` | {p.type.value} | {p.en} | {p.zh} |" for p in PUBLISHED]
    table = ["| property | type | meaning | 含义 |", "|---|---|---|---|", *rows]
    return "### Published on leading talents\n\n" + PUBLISHED_HEAD + "\n".join(table) + "\n"


def _drawing() -> str:
    lines = ["```mermaid", "flowchart LR"]
    lines += [f"  {kind.label}([{kind.label}<br/>{kind.zh}])" for kind in NODES]
    for relation in RELATIONS:
        for start in relation.start.kinds:
            for end in relation.end.kinds:
                lines.append(f"  {start} -- {relation.type} --> {end}")
    return "\n".join([*lines, "```\n"])


def _ladder() -> str:
    rows = [(str(level), zh, en) for level, (en, zh) in LEVELS.items()]
    return "## The eight-level ladder\n\nHigh-skilled is level 4 and above.\n\n" + _grid(
        ("level", "中文", "English"), rows
    )


def _node(kind: NodeKind) -> str:
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
    return f"### {kind.label} {kind.zh}\n\nKey: `{kind.key}`.\n\n{more}{_properties(properties)}"


def _change() -> str:
    return (
        f"### {CHANGE.label} {CHANGE.zh}\n\nWhat a load touched, at most 10,000 keys a node, "
        "written in the transactions of the records themselves.\nThe newest loads' are kept.\n\n"
        f"{_properties(CHANGE.properties)}"
    )


def _relation(relation: Relation) -> str:
    ends = {relation.start.column, relation.end.column}
    own = [p for p in relation.properties if p.name not in ends]
    text = f"### {relation.type} {relation.zh}\n\n`{relation.picture}`: {relation.en.lower()}.\n"
    if relation.key:
        apart = ", ".join(f"`{name}`" for name in relation.key)
        text += f"\nSeveral between the same two are told apart by {apart}.\n"
    return text + (f"\n{_properties(own)}" if own else "")


def _properties(properties: Sequence[Property]) -> str:
    rows = [(f"`{p.stored}`", _type(p), p.en, p.zh) for p in properties]
    return _grid(("property", "type", "English", "中文"), rows)


def _type(declared: Property) -> str:
    if declared.choices is not None:
        few = [f"`{code}` {zh}" for code, (_, zh) in list(declared.choices.items())[:8]]
        return ", ".join(few) + (", or other text" if declared.open_choice else "")
    return declared.type.value + (f", {declared.unit}" if declared.unit else "")


def _table(name: str, declared: Declared) -> str:
    rows = [
        (f"`{p.name}`", " / ".join((p.zh, *p.headers)), "yes" if p.required else "", _type(p))
        for p in declared.columns
    ]
    return f"### {name}.csv\n\n{_grid(('column', 'Chinese header', 'required', 'takes'), rows)}"


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(_lines(head, rows)) + "\n"


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
