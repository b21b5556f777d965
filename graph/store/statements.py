"""Who is believed where sources state one record differently.

The schema says of each property what decides (`Property.wins`): the rank of the sources
(`SHICHENG_SOURCE_RANK`), then the newest `updated_on`, then the sources' names, so that the order
in which files are loaded never decides. An empty cell says nothing beside another source's value.
Properties that only make sense together, as the start and the end of a period, come from one
source. What the others state is stored: a record of several sources has in `stated` a text a source
(JSON): its row, and what of it differs from the record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from graph.dates import PRECISION, is_precision, make_partial_date
from graph.model.kinds import COMMON_TABLE_COLUMNS, stored_properties
from graph.model.schema_types import SOURCE_PRECEDENCE, Declared, Property, Relation, Type

UPDATED_ON_COLUMN: Final = "updated_on"
RELATION_KEY_COLUMN: Final = "key"
# The two ends of a period.
START, END = "start", "end"
# What a statement says of itself in `stated`, beside the values that differ.
_SOURCE_FIELD, _ROW_FIELD, _REFERENCE_FIELD = "source", "row", "named"


@dataclass(frozen=True)
class Statement:
    """What one source states of a record: the file and row, and its values, None where empty.

    `named`: the source only names the record in a cell of another table.
    """

    source: str
    row: str
    values: Mapping[str, Any]
    named: bool = False


@dataclass(frozen=True)
class Conflict:
    """A value that does not stand, and the one that does."""

    property: str
    source: str
    row: str
    value: Any
    standing_source: str
    standing: Any


@dataclass(frozen=True)
class Record:
    """What stands of a record: its values, the row of the source believed first, all sources.

    `stated` is None where one source alone states the record.
    """

    values: dict[str, Any]
    row: str
    sources: list[str]
    stated: list[str] | None = None
    conflicts: tuple[Conflict, ...] = ()


def parse_source_rank(text: str) -> dict[str, int]:
    """The rank of each source in a list with commas: the first is believed first."""
    names = [name.strip() for name in text.replace("，", ",").split(",")]
    return {name: place for place, name in enumerate(dict.fromkeys(filter(None, names)))}


def format_relation_sources(sources: Sequence[str]) -> str | list[str]:
    """The sources of a relation as the graph has them: of one alone its name, else a list.

    Neo4j gives every list of texts a block of 128 bytes, and most relations have one source.
    """
    return sources[0] if len(sources) == 1 else list(sources)


def parse_stored_sources(stored: str | Sequence[str] | None) -> list[str]:
    """The sources of a record that the graph has as a name or as a list of them."""
    return [stored] if isinstance(stored, str) else list(stored or ())


@dataclass(frozen=True)
class MergeRules:
    """How the statements on one kind of record become the record.

    `properties`: its columns by the name they are stored under. `prefix` stands before the
    provenance of a further label.
    """

    properties: Mapping[str, Property]
    ranks: Mapping[str, int]
    prefix: str = ""
    groups: tuple[tuple[str, ...], ...] = field(default=())

    @classmethod
    def of(cls, declared: Declared, ranks: Mapping[str, int], prefix: str = "") -> MergeRules:
        """The rules that the schema declares."""
        properties = {p.stored: p for p in stored_properties(declared)}
        properties[prefix + UPDATED_ON_COLUMN] = next(
            p for p in COMMON_TABLE_COLUMNS if p.name == UPDATED_ON_COLUMN
        )
        if isinstance(declared, Relation):
            properties[RELATION_KEY_COLUMN] = Property(RELATION_KEY_COLUMN, "", "")
        together: dict[str, list[str]] = {}
        for name, declared_property in properties.items():
            if declared_property.group:
                together.setdefault(declared_property.group, []).append(name)
        return cls(properties, ranks, prefix, tuple(map(tuple, together.values())))

    @property
    def is_of_relation(self) -> bool:
        """Whether the records are relations, whose provenance is stored in a shorter form."""
        return RELATION_KEY_COLUMN in self.properties

    def place(self, statement: Statement, wins: Sequence[str]) -> tuple[Any, ...]:
        """Where a statement stands among others: the lowest is believed first."""
        updated = statement.values.get(self.prefix + UPDATED_ON_COLUMN)
        by = {
            "rank": self.ranks.get(statement.source, len(self.ranks)),
            "updated_on": -updated.toordinal() if updated else 0,
        }
        return (statement.named, *(by[what] for what in wins), statement.source)

    def ordered(
        self, statements: Iterable[Statement], wins: Sequence[str] = SOURCE_PRECEDENCE
    ) -> list[Statement]:
        """The statements, the one that is believed first before the others."""
        return sorted(statements, key=lambda statement: self.place(statement, wins))

    def decide(self, statements: Iterable[Statement]) -> Record:
        """The record that the statements, one a source, lead to."""
        first, *rest = order = self.ordered(statements)
        if not rest:
            return Record(
                dict(first.values), first.row, [first.source], _build_reference_statement(order)
            )
        values = self._values(order)
        # Only the first one's row is the record's; another's is stated though it reads the same.
        stated = [
            _serialize_statement(first, values, first.row),
            *(_serialize_statement(one, values) for one in rest),
        ]
        conflicts = tuple(self._conflicts(order, values))
        return Record(values, first.row, [one.source for one in order], stated, conflicts)

    def join(self, first: Statement, second: Statement) -> Statement:
        """One source's two statements as one: what the first leaves empty the second says.

        A statement that only names the record comes after one that does not.
        """
        if first.named and not second.named:
            first, second = second, first
        values = self._values([first, second], by_precedence=False)
        return Statement(first.source, f"{first.row};{second.row}", values, first.named)

    def _values(self, order: Sequence[Statement], *, by_precedence: bool = True) -> dict[str, Any]:
        """`by_precedence`: a property may have an order of its own."""
        values: dict[str, Any] = {}
        for name in dict.fromkeys(name for one in order for name in one.values):
            wins = self.properties[name].wins if by_precedence else SOURCE_PRECEDENCE
            by = order if wins == SOURCE_PRECEDENCE else self.ordered(order, wins)
            values[name] = next(
                (value for one in by if (value := one.values.get(name)) is not None), None
            )
        for group in self.groups:
            for one in order:
                if any(one.values.get(name) is not None for name in group):
                    values |= {name: one.values.get(name) for name in group if name in values}
                    break
        return values

    def _conflicts(
        self, order: Sequence[Statement], values: Mapping[str, Any]
    ) -> Iterable[Conflict]:
        for name, standing in values.items():
            if name in (self.prefix + UPDATED_ON_COLUMN, RELATION_KEY_COLUMN) or is_precision(
                name, values
            ):
                continue
            believed = next((s.source for s in order if s.values.get(name) == standing), "")
            for one in order:
                value = one.values.get(name)
                if value is not None and value != standing and not one.named:
                    lost, stands = (
                        _restore_statement_date(name, one.values),
                        _restore_statement_date(name, values),
                    )
                    yield Conflict(name, one.source, one.row, lost, believed, stands)

    def statements(self, record: Mapping[str, Any], names: Iterable[str]) -> list[Statement]:
        """What each source states of a stored record; `names` are the values' names."""
        values = {name: record.get(name) for name in names}
        row = record[f"{self.prefix}row"]
        sources = parse_stored_sources(record[f"{self.prefix}sources"])
        texts = record.get(f"{self.prefix}stated")
        if not texts:
            return [Statement(source, row, values) for source in sources]
        return [self._read(json.loads(text), values, row) for text in texts]

    def _read(self, stated: dict[str, Any], values: Mapping[str, Any], row: str) -> Statement:
        source, own_row = stated.pop(_SOURCE_FIELD), stated.pop(_ROW_FIELD, row)
        named = bool(stated.pop(_REFERENCE_FIELD, False))
        own = {name: self._typed(name, value) for name, value in stated.items()}
        return Statement(source, own_row, {**values, **own}, named)

    def _typed(self, name: str, value: Any) -> Any:
        declared = self.properties.get(name)
        if value is not None and declared is not None and declared.type is Type.DATE:
            return date.fromisoformat(value)
        return value

    def stored(self, record: Record, load: str | None) -> dict[str, Any]:
        """The properties of the record as the graph has them; `load` None: none is named."""
        p = self.prefix
        sources = format_relation_sources(record.sources) if self.is_of_relation else record.sources
        return record.values | {
            f"{p}load": load,
            f"{p}row": record.row,
            f"{p}sources": sources,
            f"{p}stated": record.stated,
        }

    def ties(self, statements: Iterable[Statement]) -> list[list[Statement]]:
        """The statements on one pair, those that mean one tie together.

        A source's own statements are ties apart, and those of one key are one tie. The others come
        in the order of `decide`: a key's first statement joins the tie whose period it overlaps,
        the nearest start first, unless one source states both. So each tie has the key of its first
        statement and no other has it, and the order of loading does not decide. Of two statements
        of one source with one key, which only a fault can store, the first is heard.
        """
        by_key: dict[str, list[Statement]] = {}
        heard: set[tuple[str, str]] = set()
        for one in sorted(statements, key=self._place_of_tie):
            key = one.values[RELATION_KEY_COLUMN]
            if (one.source, key) not in heard:
                heard.add((one.source, key))
                by_key.setdefault(key, []).append(one)
        ties: list[list[Statement]] = []
        for of_key in by_key.values():
            _join_nearest_tie(ties, of_key)
        return ties

    def _place_of_tie(self, one: Statement) -> tuple[Any, ...]:
        """As `place`, also among the statements of one source."""
        return (*self.place(one, SOURCE_PRECEDENCE), one.values[RELATION_KEY_COLUMN], one.row)


def _restore_statement_date(name: str, values: Mapping[str, Any]) -> Any:
    """A value; a date as precise as is stated."""
    value = values[name]
    return (
        make_partial_date(value, values.get(name + PRECISION)) if isinstance(value, date) else value
    )


def _build_reference_statement(order: Sequence[Statement]) -> list[str] | None:
    """A record that is only named says so, so that a row of its own differs from it."""
    (one,) = order
    return [_serialize_statement(one, one.values, one.row)] if one.named else None


def _serialize_statement(one: Statement, values: Mapping[str, Any], row: str | None = None) -> str:
    fields: dict[str, Any] = {_SOURCE_FIELD: one.source}
    if row is None or one.row != row:
        fields[_ROW_FIELD] = one.row
    if one.named:
        fields[_REFERENCE_FIELD] = True
    fields |= {
        name: one.values.get(name)
        for name in sorted(values)
        if one.values.get(name) != values[name]
    }
    return json.dumps(fields, ensure_ascii=False, default=str)


def _join_nearest_tie(ties: list[list[Statement]], of_key: list[Statement]) -> None:
    """Puts the statements of one key, the first one before the others, where they belong."""
    first, sources = of_key[0], {one.source for one in of_key}
    near = [
        (_compute_start_distance(tie, first), place)
        for place, tie in enumerate(ties)
        if sources.isdisjoint(one.source for one in tie) and _has_period_overlap(tie, first)
    ]
    if near:
        ties[min(near)[1]] += of_key
    else:
        ties.append(of_key)


def _has_period_overlap(tie: Sequence[Statement], one: Statement) -> bool:
    """Whether the period of a statement has a day of any of the tie's; an empty end is open."""
    return any(
        _is_started_before_end(one, other) and _is_started_before_end(other, one) for other in tie
    )


def _is_started_before_end(one: Statement, other: Statement) -> bool:
    start, end = one.values.get(START), other.values.get(END)
    return start is None or end is None or bool(start <= end)


def _compute_start_distance(tie: Sequence[Statement], one: Statement) -> int:
    """Days between the starts; a start that is not known is farthest."""
    start = one.values.get(START)
    days = [
        abs((start - other.values[START]).days)
        for other in tie
        if start is not None and other.values.get(START) is not None
    ]
    return min(days, default=10**6)
