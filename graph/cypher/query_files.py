"""The files of `queries/`: blocks of lines of `//` that declare a query, each with its Cypher."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from graph.cypher.guard import tokenize_cypher
from graph.errors import ShichengError

QUERY_FOLDER: Final = Path(__file__).resolve().parents[2] / "queries"
_HEADER_PATTERN = re.compile(
    r"//\s*(name|title\.en|title\.zh|help\.en|help\.zh|steward|addable|internal)\s*:\s*(.*?)\s*$"
)
_DECLARATION_PATTERN = re.compile(r"//\s*(param|column)\s+(.*?)\s*$")
_QUERY_NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]*")


class QueryFileError(ShichengError):
    """A query file that can't be taken."""


@dataclass(frozen=True)
class QueryFileLine:
    """A line of a query file, by number from 1."""

    file: str
    line: int

    def wrong(self, what: str) -> QueryFileError:
        """The error that says what is wrong with the line."""
        return QueryFileError(f"{self.file}:{self.line}: {what}")


@dataclass
class QueryBlock:
    """A block: where it begins, its name, the texts of its lines by their kind, its statement.

    `parameters` are the declared ones with their lines, as they stand in the file.
    """

    place: QueryFileLine
    name: str
    said: dict[str, str] = field(default_factory=dict)
    parameters: list[tuple[QueryFileLine, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def internal(self) -> bool:
        """Whether pages and commands alone run it."""
        return "internal" in self.said

    def statement(self) -> str:
        """Its Cypher, without a last semicolon. Raises `QueryFileError` when there is none."""
        text = "\n".join(self.lines).strip().rstrip(";")
        if not text:
            raise self.place.wrong(f"{self.name} has no statement after its lines of `//`.")
        return text

    def used_parameters(self) -> frozenset[str]:
        """The names of the parameters in the statement."""
        tokens = tokenize_cypher("\n".join(self.lines))
        return frozenset(token.text[1:] for token in tokens if token.kind == "parameter")


def read_query_files(folder: Path) -> tuple[list[QueryBlock], dict[str, tuple[str, str]]]:
    """The blocks of a folder's files, and what the files call columns (English, Chinese).

    Raises `ShichengError` with `file:line` for a name or a column that stands twice, a statement
    without a name, and a folder without a block.
    """
    columns: dict[str, tuple[str, str]] = {}
    declared: dict[str, QueryFileLine] = {}
    blocks: list[QueryBlock] = []
    for path in sorted(folder.glob("*.cypher")):
        blocks += _read_query_blocks(path, columns, declared)
    if not blocks:
        raise ShichengError(
            "{folder} holds no query; it needs *.cypher files with named blocks.", folder=folder
        )
    first: dict[str, QueryFileLine] = {}
    for block in blocks:
        place = first.setdefault(block.name, block.place)
        if place is not block.place:
            raise block.place.wrong(
                f"the name {block.name} stands already at {place.file}:{place.line}; take another."
            )
    return blocks, columns


def _read_query_blocks(
    path: Path, columns: dict[str, tuple[str, str]], declared: dict[str, QueryFileLine]
) -> list[QueryBlock]:
    """The blocks of a file; what it says of columns goes into `columns`."""
    blocks: list[QueryBlock] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        place = QueryFileLine(path.name, number)
        header, other = _HEADER_PATTERN.match(line), _DECLARATION_PATTERN.match(line)
        if header and header.group(1) == "name":
            blocks.append(QueryBlock(place, _validate_query_name(place, header.group(2))))
        elif other and other.group(1) == "column":
            _declare_column(place, other.group(2), columns, declared)
        elif not blocks:
            if line.strip() and not line.startswith("//"):
                raise place.wrong("a statement before the first `// name:` line; name it.")
        elif header:
            _add_block_text(blocks[-1], place, header.group(1), header.group(2))
        elif other:
            blocks[-1].parameters.append((place, other.group(2)))
        else:
            blocks[-1].lines.append(line)
    return blocks


def read_own_block(name: str, text: str) -> QueryBlock:
    """The block of a statement of a user's own, whose lines `// param ...` declare what it asks,
    and `// addable: ...` what may be summed.
    """
    block = QueryBlock(QueryFileLine(name, 1), name)
    for number, line in enumerate(text.splitlines(), start=1):
        header, declared = _HEADER_PATTERN.match(line), _DECLARATION_PATTERN.match(line)
        if header and header.group(1) == "addable":
            block.said["addable"] = header.group(2)
        if declared and declared.group(1) == "param":
            block.parameters.append((QueryFileLine(name, number), declared.group(2)))
        else:
            block.lines.append(line)
    return block


def _validate_query_name(place: QueryFileLine, name: str) -> str:
    if not _QUERY_NAME_PATTERN.fullmatch(name):
        raise place.wrong(f"the name {name!r} must be lower case with underscores, as chain_up.")
    return name


def _add_block_text(block: QueryBlock, place: QueryFileLine, what: str, text: str) -> None:
    if what.startswith("title") and what in block.said:
        raise place.wrong(f"{block.name} has two lines {what}; keep one.")
    gap = "" if what == "help.zh" else " "
    block.said[what] = gap.join(filter(None, (block.said.get(what), text)))


def parse_labels(place: QueryFileLine, text: str) -> tuple[str, str, str]:
    """What stands before the labels, and the labels (English, Chinese): `... | en: ... | zh: ...`.

    Raises `QueryFileError` for a missing label.
    """
    parts = [part.strip() for part in text.split("|")]
    said = dict(part.split(":", 1) for part in parts[1:] if ":" in part)
    en, zh = said.get("en", "").strip(), said.get("zh", "").strip()
    if not en or not zh or len(parts) != 3:
        raise place.wrong("labels are missing; end the line with `| en: ... | zh: ...`.")
    return parts[0], en, zh


def _declare_column(
    place: QueryFileLine,
    text: str,
    columns: dict[str, tuple[str, str]],
    declared: dict[str, QueryFileLine],
) -> None:
    name, en, zh = parse_labels(place, text)
    if name in declared:
        first = declared[name]
        raise place.wrong(f"the column {name} is declared already at {first.file}:{first.line}.")
    declared[_validate_query_name(place, name)] = place
    columns[name] = (en, zh)
