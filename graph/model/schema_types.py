"""What a schema is made of: properties, node kinds, relations, facets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from graph.dates import PRECISION
from graph.model.vocabularies import Choices

# How much is known of a date; where nothing is said, the day.
PRECISIONS: Choices = {"year": ("the year", "年"), "month": ("the month", "月")}


class Type(StrEnum):
    """What a value is, in the exchange tables and in Neo4j."""

    STRING = "string"
    DATE = "date"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    LEVEL = "level"  # 1-8, or its name; stored as an integer
    PROVINCE = "province"  # a two-digit code, or the province's name; stored as the code
    OCCUPATION = "occupation"  # a code or name of the national list, stored as the code; else text
    ID_NUMBER = "id number"  # checked, then stored only as a keyed digest


# Bytes of UTF-8 that a cell of text may have: Neo4j's range index takes no more than some 8,160.
MAX_TEXT_BYTES = 8_000
# What decides between sources: the rank of the source, then the newest `updated_on`; the sources'
# names decide last.
SOURCE_PRECEDENCE = ("rank", "updated_on")


@dataclass(frozen=True)
class Property:
    """One property of a node kind or relation, and the exchange column it comes from.

    `zh` is both its Chinese label and its Chinese header; `headers` are further headers taken.
    `open_choice`: a text that is none of the choices is taken unchanged. `decides`: who is
    counted depends on it, so that a cell that can't be read refuses its row; of other columns that
    need not be there the cell alone is left empty. `masked`: only a data steward sees it in full
    (`graph.cypher.masking`); `personal` ones are kept out of lists of refusals.
    `wins`: what decides, one after the other, where sources state it differently
    (`graph.store.statements`); of properties with the same `together` all come from one source.
    `of_a_day`: a date of which nothing is noted but the day.
    """

    name: str
    en: str
    zh: str
    type: Type = Type.STRING
    required: bool = False
    choices: Choices | None = None
    open_choice: bool = False
    decides: bool = False
    unit: str = ""
    personal: bool = False
    masked: bool = False
    headers: tuple[str, ...] = ()
    wins: tuple[str, ...] = SOURCE_PRECEDENCE
    together: str = ""
    of_a_day: bool = False

    @property
    def stored(self) -> str:
        """Its name in Neo4j; an ID number is stored only as a digest."""
        return "id_digest" if self.type is Type.ID_NUMBER else self.name

    @property
    def precision(self) -> Property | None:
        """What says of a date that only the year or the month is known (`graph.dates`).

        It comes from the source whose date stands.
        """
        if self.type is not Type.DATE or self.of_a_day:
            return None
        return Property(
            self.name + PRECISION,
            f"{self.en}: what is known of it",
            f"{self.zh}精度",
            choices=PRECISIONS,
            wins=self.wins,
            together=self.together or self.name,
        )

    @property
    def group(self) -> str:
        """The properties of one group come from one source: a date's precision goes with it."""
        return self.together or ("" if self.precision is None else self.name)


@dataclass(frozen=True)
class Link:
    """A reference column of a node's table: an edge from the node to the one it names.

    `create` makes the other end when it is not there (reference kinds: a code is enough);
    otherwise an unknown reference is a warning and the row is taken without the link.
    """

    column: str
    relation: str
    ends: tuple[str, ...]
    create: bool = False


@dataclass(frozen=True)
class NodeKind:
    """A kind of node: its label, key, properties, and the exchange table that states it."""

    label: str
    en: str
    zh: str
    key: str
    properties: tuple[Property, ...]
    table: str | None = None
    links: tuple[Link, ...] = ()
    key_from: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Property, ...]:
        """The columns of its exchange table, in order."""
        return tuple(p for p in self.properties if not (self.key_from and p.name == self.key))


@dataclass(frozen=True)
class End:
    """One end of a relation: the column that names it, the kinds it may be, a label it earns."""

    column: str
    kinds: tuple[str, ...]
    label: str | None = None
    create: bool = False


@dataclass(frozen=True)
class Relation:
    """A kind of relation. `key` are the properties that tell two between the same ends apart.

    `one_tie`: what two sources state of overlapping periods between the same ends is one relation.
    """

    type: str
    en: str
    zh: str
    start: End
    end: End
    properties: tuple[Property, ...] = ()
    key: tuple[str, ...] = ()
    table: str | None = None
    indexes: tuple[str, ...] = ()
    one_tie: bool = False

    @property
    def picture(self) -> str:
        """`(:Person)-[:LEADS]->(:Studio)`."""
        left, right = "|".join(self.start.kinds), "|".join(self.end.kinds)
        return f"(:{left})-[:{self.type}]->(:{right})"

    @property
    def columns(self) -> tuple[Property, ...]:
        """The columns of its exchange table, in order."""
        return self.properties


@dataclass(frozen=True)
class Facet:
    """A further label on a node, with properties of its own, stated by a table of its own."""

    label: str
    en: str
    zh: str
    kind: str
    column: str
    table: str
    properties: tuple[Property, ...]

    @property
    def columns(self) -> tuple[Property, ...]:
        """The columns of its exchange table, in order."""
        return self.properties


def build_facet_prefix(facet: Facet) -> str:
    """`training_target_` for TrainingTarget: before the provenance of a facet's properties."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", facet.label).lower() + "_"


Declared = NodeKind | Relation | Facet
