"""The faults of real files, put into the synthetic ones on purpose and counted.

Sorts in TAKEN are other ways to write the same thing (or a slip that leaves the row usable): a
loader takes the row. Rows with a sort in REFUSED must go to the reject report. So that one
refused person does not take hundreds of good rows along, a refused row of a node's own table is
an additional one, under an id that nothing else names; in the other tables the row itself is
spoilt.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from graph.model.kinds import EXCHANGE_TABLES
from graph.model.schema_types import Declared, Facet, NodeKind, Property, Relation, Type
from graph.model.vocabularies import LEVELS, PROVINCES

ACCEPTED_FAULTS = (
    "date_slashed",
    "date_chinese",
    "date_compact",
    "date_month",
    "level_name",
    "province_name",
    "choice_word",
    "spaces",
    "full_width",
    "duplicated",
    "unknown_link",
    "wrong_id_checksum",
)
REFUSED_FAULTS = (
    "unknown_id",
    "missing_value",
    "impossible_date",
    "unknown_level",
    "self_mentorship",
)
# Lists of codes and targets: short, and maintained with care.
FAULTLESS_TABLES = ("provinces", "occupations", "targets")

TextRow = dict[str, str | None]
_FULL_WIDTH_DIGITS = str.maketrans("0123456789-", "０１２３４５６７８９－")


class FaultInjector:
    """Soils a `share` of the rows of each frame; `counts` is table -> sort -> rows."""

    def __init__(self, share: float, seed: int) -> None:
        self.share, self.seed = share, seed
        self.counts: dict[str, dict[str, int]] = {}
        self._tables: dict[str, _TableFaults] = {}

    def on(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame as text, with its share of faults."""
        text = frame.select(pl.all().cast(pl.String))
        if table in FAULTLESS_TABLES or not len(text):
            return text
        if table not in self._tables:
            self._tables[table] = _TableFaults(table, text.columns, self.seed)
        soil = self._tables[table]
        chosen = np.flatnonzero(soil.draws.random(len(text)) < self.share).tolist()
        if not chosen:
            return text
        soiled: list[TextRow] = []
        place: list[int] = []
        for at, row in zip(chosen, text[chosen].iter_rows(named=True), strict=True):
            rows = soil.rows(row)
            soiled += rows
            place += [at] * len(rows)
        self.counts[table] = soil.counts
        order = pl.Series("_at", place, dtype=pl.UInt32)
        spoilt = pl.DataFrame(soiled, schema=text.schema).insert_column(0, order)
        rest = text.with_row_index("_at").filter(~pl.col("_at").is_in(chosen))
        return pl.concat([rest, spoilt]).sort("_at", maintain_order=True).drop("_at")


class _TableFaults:
    """The faults that one table can have."""

    def __init__(self, table: str, columns: list[str], seed: int) -> None:
        self.table = table
        self.random = random.Random(f"{seed} {table}")
        self.draws = np.random.default_rng([seed, *table.encode()])
        self.counts: dict[str, int] = {}
        declared = EXCHANGE_TABLES[table]
        self.node = declared if isinstance(declared, NodeKind) else None
        self.columns = [column for column in declared.columns if column.name in columns]
        self.known = _list_required_references(declared)
        self.extra = 0
        able = {sort: self._able(sort) for sort in (*ACCEPTED_FAULTS, *REFUSED_FAULTS)}
        self.sorts = [sort for sort, ok in able.items() if ok]

    def rows(self, row: TextRow) -> list[TextRow]:
        """The rows that come in place of `row`."""
        sort = self.random.choice(self.sorts)
        if sort == "duplicated":
            self._count(sort)
            return [row, row]
        spoilt = self._spoil(sort, dict(row))
        if spoilt is None:  # this row has no such cell
            sort, spoilt = "spaces", self._spoil("spaces", dict(row)) or dict(row)
        self._count(sort)
        if sort in REFUSED_FAULTS and self.node is not None:
            return [row, self._renamed(row, spoilt)]
        return [spoilt]

    def _count(self, sort: str) -> None:
        self.counts[sort] = self.counts.get(sort, 0) + 1

    def _renamed(self, row: TextRow, spoilt: TextRow) -> TextRow:
        """An additional node under an id of its own, unless the id is what is missing."""
        assert self.node is not None
        if spoilt[self.node.key] == row[self.node.key]:
            self.extra += 1
            spoilt[self.node.key] = f"X{self.extra:06d}"
        return spoilt

    def _able(self, sort: str) -> bool:
        types = {column.type for column in self.columns if column.choices is None}
        if sort == "impossible_date":
            return any(self._fits(sort, column) for column in self.columns)
        if sort.startswith("date_") or sort == "full_width":
            return Type.DATE in types
        return {
            "level_name": Type.LEVEL in types,
            "unknown_level": Type.LEVEL in types,
            "province_name": Type.PROVINCE in types,
            "choice_word": any(column.choices for column in self.columns),
            "unknown_link": self.table in ("people", "mentorships"),
            "unknown_id": bool(self.known),
            "self_mentorship": self.table == "mentorships",
            "wrong_id_checksum": Type.ID_NUMBER in types,
        }.get(sort, True)

    def _spoil(self, sort: str, row: TextRow) -> TextRow | None:
        column = self._column(sort, row)
        if column is None:
            return None
        value = row[column.name] or ""
        row[column.name] = self._value(sort, column, value, row)
        return row

    def _column(self, sort: str, row: TextRow) -> Property | None:
        """A column of the row where this fault can be: one that has a value."""
        fits = [c for c in self.columns if row[c.name] is not None and self._fits(sort, c)]
        if sort == "choice_word":  # an open choice may hold a word of its own
            fits = [c for c in fits if c.choices and row[c.name] in c.choices]
        return self.random.choice(fits) if fits else None

    def _fits(self, sort: str, column: Property) -> bool:
        if sort == "date_month":  # a last day taken as a first would turn the period around
            return column.name in ("start", "date", "founded")
        if sort == "impossible_date":  # of other dates the cell alone is left empty
            return column.type is Type.DATE and (column.required or column.decides)
        if sort.startswith("date_") or sort == "full_width":
            return column.type is Type.DATE
        return {
            "level_name": column.type is Type.LEVEL,
            "unknown_level": column.type is Type.LEVEL,
            "province_name": column.type is Type.PROVINCE,
            "choice_word": column.choices is not None,
            "missing_value": column.required,
            "unknown_link": column.name == "enterprise_id",
            "unknown_id": column.name in self.known,
            "self_mentorship": column.name == "apprentice_id",
            "wrong_id_checksum": column.type is Type.ID_NUMBER,
        }.get(sort, True)

    def _value(self, sort: str, column: Property, value: str, row: TextRow) -> str | None:
        if sort in _VALUE_REWRITERS:
            return _VALUE_REWRITERS[sort](value)
        if sort == "choice_word":
            assert column.choices is not None
            return column.choices[value][1]
        if sort in ("unknown_link", "unknown_id"):
            return f"Z{self.random.randrange(10**6):06d}"
        if sort == "self_mentorship":
            return row["mentor_id"]
        return None  # missing_value


def _list_required_references(declared: Declared) -> tuple[str, ...]:
    """The columns that must name something that is there."""
    if isinstance(declared, Facet):
        return (declared.column,)
    if isinstance(declared, Relation):
        return tuple(end.column for end in (declared.start, declared.end) if not end.create)
    return ()


def _format_chinese_date(value: str) -> str:
    year, month, day = value.split("-")
    return f"{year}年{int(month)}月{int(day)}日"


def _format_slashed_date(value: str) -> str:
    year, month, day = value.split("-")
    return f"{year}/{int(month)}/{int(day)}"


def _corrupt_check_character(value: str) -> str:
    return value[:17] + ("0" if value[17] != "0" else "1")


_VALUE_REWRITERS: Mapping[str, Callable[[str], str]] = {
    "date_slashed": _format_slashed_date,
    "date_chinese": _format_chinese_date,
    "date_compact": lambda value: value.replace("-", ""),
    "date_month": lambda value: value[:7],
    "level_name": lambda value: LEVELS[int(value)][1],
    "province_name": lambda value: PROVINCES[value][1],
    "spaces": lambda value: f"  {value} ",
    "full_width": lambda value: value.translate(_FULL_WIDTH_DIGITS),
    "impossible_date": lambda value: f"{value[:4]}-02-30",
    "unknown_level": lambda value: f"{int(value) + 10}级",
    "wrong_id_checksum": _corrupt_check_character,
}
