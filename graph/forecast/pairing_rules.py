"""What limits new mentorships and new studios, and which of their parts must match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from graph.errors import UsageError
from graph.forecast.history import OCCUPATION_GROUP_CHARACTERS
from graph.snapshot.frames import Snapshot

PairingPlace = Literal["province", "enterprise"]
PairingFamily = Literal["occupation_group", "occupation"]
DEFAULT_LINKS: Final = 100
DEFAULT_CAPACITY: Final = 3
DEFAULT_STUDIOS: Final = 5
DEFAULT_MEMBERS: Final = 10
MAX_PAIRING_LINKS: Final = 100_000
MAX_STUDIOS: Final = 1_000
MAX_MEMBERS: Final = 50


@dataclass(frozen=True)
class PairingRules:
    """What limits the choice: at most `links` and `studios`; apprentices a mentor may have at once;
    `members` of a new studio; what mentor and apprentice, leader and member must share.
    """

    links: int = DEFAULT_LINKS
    capacity: int = DEFAULT_CAPACITY
    place: PairingPlace = "province"
    family: PairingFamily = "occupation_group"
    province: str | None = None
    studios: int = DEFAULT_STUDIOS
    members: int = DEFAULT_MEMBERS

    def __post_init__(self) -> None:
        if not 0 <= self.links <= MAX_PAIRING_LINKS:
            raise UsageError(
                "links is {links}; give 0 to {most}.", links=self.links, most=MAX_PAIRING_LINKS
            )
        if self.capacity < 1:
            raise UsageError("capacity is {capacity}; give 1 or more.", capacity=self.capacity)
        if not 0 <= self.studios <= MAX_STUDIOS:
            raise UsageError(
                "studios is {studios}; give 0 to {most}.", studios=self.studios, most=MAX_STUDIOS
            )
        if not 1 <= self.members <= MAX_MEMBERS:
            raise UsageError(
                "members is {members}; give 1 to {most}.", members=self.members, most=MAX_MEMBERS
            )
        if not self.links and not self.studios:
            raise UsageError("links and studios are both 0: nothing is asked for.")

    def as_dict(self) -> dict[str, str]:
        """The fields as text, as an export and a decision hold them."""
        found = {name: str(value) for name, value in vars(self).items() if value is not None}
        return dict(sorted(found.items()))

    def cut_family(self, code: pl.Expr) -> pl.Expr:
        """The family of an occupation code."""
        grouped = self.family == "occupation_group"
        return code.str.slice(0, OCCUPATION_GROUP_CHARACTERS) if grouped else code


def list_pairing_places(snapshot: Snapshot, rules: PairingRules) -> pl.DataFrame:
    """person, family, place; of those of whom both are known."""
    code = pl.col("occupation_code").cast(pl.String)
    place = pl.col("province" if rules.place == "province" else "enterprise_id").cast(pl.String)
    people = snapshot.frames["people"]
    if rules.province is not None:
        people = people.filter(pl.col("province") == rules.province)
    return (
        people.select("person", family=rules.cut_family(code), place=place).drop_nulls().collect()
    )


def add_practices(snapshot: Snapshot, placed: pl.DataFrame, rules: PairingRules) -> pl.DataFrame:
    """The places of mentors, and those of the occupations that they practise besides."""
    if "practices" not in snapshot.frames:
        return placed
    code = pl.col("occupation_code").cast(pl.String)
    besides = snapshot.frames["practices"].select("person", family=rules.cut_family(code))
    more = besides.drop_nulls().collect().join(placed.select("person", "place"), on="person")
    return pl.concat([placed, more]).unique(maintain_order=True)
