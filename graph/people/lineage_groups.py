"""A lineage as columns of groups: a generation a column, its people by branch, occupation, ...

Pure: a table of people in, boxes and the flows between them out. Every person of the table is in
exactly one box of those that are drawn side by side, so that the boxes of a generation add up to
it. A group opens in place, to finer groups until its people fit; of each generation one group is
open at a time, so that a column never grows past a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import polars as pl

GroupKey = Literal["branch", "occupation", "level", "studio"]
GROUP_KEYS: Final[tuple[GroupKey, ...]] = ("branch", "occupation", "level", "studio")
MAX_COLUMN_GROUPS: Final = 10  # of a column, before the rest is one more
MAX_OPEN_SUBGROUPS: Final = 7  # of an open group, before the rest is one more
# Groups that stay beside the innermost open one, before the others are one; by how many are open.
SIBLING_GROUPS_BY_DEPTH: Final = {1: 3, 2: 1}
# What a group of people divides into next, by what the columns are grouped by.
FINER_GROUP_KEYS: Final[Mapping[GroupKey, tuple[GroupKey, ...]]] = {
    "branch": ("branch", "occupation", "level", "studio"),
    "occupation": ("occupation", "branch", "level", "studio"),
    "level": ("level", "occupation", "branch", "studio"),
    "studio": ("studio", "branch", "occupation", "level"),
}
REST_GROUP_ID: Final = "*"  # the smaller groups of an open or a closed one, as one
OTHERS_GROUP_ID: Final = "~"  # the groups beside an open one, as one
GROUP_ID_SEPARATOR: Final = "\n"  # between the parts of a group's id; no person's id holds it


@dataclass(frozen=True)
class Box:
    """One box of a column: a person (`person` is a place), or a group of people.

    `key` and `value` say what its people have in common; `groups` > 0: so many smaller groups as
    one; `key` None: people nobody could divide further. `depth` is how many open groups it stands
    in. `target` is the group open in its column after a click on it; "" = a click opens nothing.
    """

    id: str
    generation: int
    persons: int
    driven: int
    pending: int
    key: GroupKey | None = None
    value: str = ""
    groups: int = 0
    depth: int = 0
    open: bool = False
    target: str = ""
    person: int | None = None


@dataclass(frozen=True)
class Flow:
    """How many persons of box `target` come in by way of someone of box `source`."""

    source: str
    target: str
    persons: int


@dataclass(frozen=True)
class Groups:
    """The boxes, from the top of each column down, and the flows between them.

    `within` says of each person (by place) which group holds him or her, finest; a person's own
    box is no group. `aside` has, by box, the persons who come in from their own or a later
    generation, so that no flow is drawn: its flows and those add up to its persons.
    """

    boxes: tuple[Box, ...]
    flows: tuple[Flow, ...]
    aside: Mapping[str, int]
    within: pl.DataFrame = field(repr=False)

    def members(self, group: str) -> pl.Series:
        """The places of everyone in a group; a generation's number is all of it."""
        inside = (pl.col("group") == group) | pl.col("group").str.starts_with(
            group + GROUP_ID_SEPARATOR
        )
        return self.within.filter(inside)["place"]


def group_people(
    people: pl.DataFrame, by: GroupKey, opened: Mapping[int, str] | None = None
) -> Groups:
    """The columns of groups of a lineage.

    `people`: place, generation (0 = the focus), state (driven, pending, none), mentor (place of
    the person's mentor in the tree), and branch, occupation, level, studio as text ("" = none).
    `opened`: generation -> the id of the group open there, with all that enclose it.
    """
    below = people.filter(pl.col("generation") > 0)
    ranks = _rank_first_groups(below, by)
    columns = []
    for (generation,), part in below.sort("generation").group_by("generation", maintain_order=True):
        number = int(str(generation))
        path = (opened or {}).get(number, "")
        columns.append(_Column(number, by, path, ranks).filled(part))
    boxes = [box for column in columns for box in column.boxes]
    within = [part for column in columns for part in column.within]
    drawn = [part for column in columns for part in column.drawn]
    empty = pl.DataFrame(schema={"place": pl.Int64, "group": pl.String})
    held = pl.concat([empty, *within])
    flows, aside = _compute_flows(people, pl.concat([empty, *drawn]))
    return Groups(tuple(boxes), flows, aside, held)


def _rank_first_groups(below: pl.DataFrame, by: GroupKey) -> Mapping[str, int]:
    """The order of the first groups, the same in every column: levels from the top, else the
    largest over all generations first.
    """
    sizes = below.group_by(by).len()
    order = (
        sizes.sort(pl.col(by).cast(pl.Int64, strict=False), descending=True)
        if by == "level"
        else sizes.sort(pl.col(by) == "", pl.col("len"), by, descending=[False, True, False])
    )
    return {value: rank for rank, value in enumerate(order[by])}


class _Column:
    """One generation: its boxes, which group holds each person, and which box draws each."""

    def __init__(self, generation: int, by: GroupKey, path: str, ranks: Mapping[str, int]) -> None:
        self.generation, self.by, self.path, self.ranks = generation, by, path, ranks
        self.boxes: list[Box] = []
        self.within: list[pl.DataFrame] = []
        self.drawn: list[pl.DataFrame] = []

    def filled(self, people: pl.DataFrame) -> _Column:
        """The column with its people in it."""
        self._divide(people, str(self.generation), FINER_GROUP_KEYS[self.by], 0)
        return self

    def _divide(
        self, people: pl.DataFrame, group: str, keys: Sequence[GroupKey], depth: int
    ) -> None:
        """The people of one group: each a box when they fit, else by the first key that parts."""
        keys = [key for key in keys if depth == 0 or people[key].n_unique() > 1]
        most = MAX_COLUMN_GROUPS if depth == 0 else MAX_OPEN_SUBGROUPS
        if people.height <= most + 1 or not keys:
            self._people(people, group, depth, most)
            return
        parts = list(self._parts(people, group, keys[0], most, depth))
        at = next((n for n, part in enumerate(parts) if self._is_open(part[0].id)), None)
        if at is None:
            for box, members in parts:
                self._add(box, members)
            return
        box, members = parts.pop(at)
        self.boxes.append(_mark_box_open(box, group))
        # A rest has groups of many values: it parts by the key again, once the largest are out.
        finer = keys if box.groups else keys[1:]
        self._divide(members, box.id, finer, depth + 1)
        beside = SIBLING_GROUPS_BY_DEPTH.get(depth + 1, 0) if self.path == box.id else 0
        for other, its in parts[:beside]:
            self._add(other, its)
        self._others(parts[beside:], group, depth)

    def _parts(
        self, people: pl.DataFrame, group: str, key: GroupKey, most: int, depth: int
    ) -> Iterator[tuple[Box, pl.DataFrame]]:
        """The groups by a key, the first `most` and the rest as one."""
        parts = people.partition_by(key, as_dict=True)
        values = sorted((str(value) for (value,) in parts), key=self._order(parts, key, depth))
        first, rest = (values, []) if len(values) <= most + 1 else (values[:most], values[most:])
        for value in first:
            id = f"{group}{GROUP_ID_SEPARATOR}{key[0]}{value}"
            yield self._box(id, parts[value,], key, value, 0, depth), parts[value,]
        if rest:
            members = pl.concat([parts[value,] for value in rest])
            box = self._box(
                f"{group}{GROUP_ID_SEPARATOR}{REST_GROUP_ID}", members, key, "", len(rest), depth
            )
            yield box, members

    def _order(
        self, parts: Mapping[tuple[Any, ...], pl.DataFrame], key: GroupKey, depth: int
    ) -> Callable[[str], Any]:
        if depth == 0:
            return lambda value: self.ranks[value]
        if key == "level":
            return lambda value: -int(value or 0)
        return lambda value: (value == "", -parts[value,].height, value)

    def _people(self, people: pl.DataFrame, group: str, depth: int, most: int) -> None:
        """Each person a box, those who count first; of too many, the rest as one."""
        order = pl.col("state").replace_strict(
            {"driven": 0, "pending": 1, "none": 2}, return_dtype=pl.Int8
        )
        rank = pl.col(self.by).replace_strict(self.ranks, default=0, return_dtype=pl.Int64)
        ranked = people.sort(*([rank] if depth == 0 else []), order, "place")
        fits = ranked.height if ranked.height <= most + 1 else most
        for place, state in ranked.head(fits).select("place", "state").iter_rows():
            self.boxes.append(
                Box(
                    f"{group}{GROUP_ID_SEPARATOR}={place}",
                    self.generation,
                    1,
                    int(state == "driven"),
                    int(state == "pending"),
                    depth=depth,
                    person=place,
                )
            )
        own = ranked.head(fits).select(
            "place", group=pl.lit(f"{group}{GROUP_ID_SEPARATOR}=") + pl.col("place").cast(pl.String)
        )
        self.within.append(own.with_columns(group=pl.lit(group)))
        self.drawn.append(own)
        if fits < ranked.height:
            rest = ranked.slice(fits)
            box = self._box(f"{group}{GROUP_ID_SEPARATOR}{REST_GROUP_ID}", rest, None, "", 0, depth)
            self._add(replace(box, target=""), rest)

    def _others(self, parts: Sequence[tuple[Box, pl.DataFrame]], group: str, depth: int) -> None:
        if not parts:
            return
        if len(parts) == 1:
            self._add(*parts[0])
            return
        members = pl.concat([its for _, its in parts])
        number = sum(box.groups or 1 for box, _ in parts)
        box = self._box(
            f"{group}{GROUP_ID_SEPARATOR}{OTHERS_GROUP_ID}",
            members,
            parts[0][0].key,
            "",
            number,
            depth,
        )
        self._add(replace(box, target=group), members)

    def _box(
        self,
        id: str,
        members: pl.DataFrame,
        key: GroupKey | None,
        value: str,
        groups: int,
        depth: int,
    ) -> Box:
        states = members["state"]
        return Box(
            id,
            self.generation,
            members.height,
            int((states == "driven").sum()),
            int((states == "pending").sum()),
            key,
            value,
            groups,
            depth,
            target=id,
        )

    def _add(self, box: Box, members: pl.DataFrame) -> None:
        """A closed box: a group of one is that person."""
        one = members.height == 1
        if one:
            place = int(members["place"][0])
            box = Box(
                f"{box.id}{GROUP_ID_SEPARATOR}={place}",
                box.generation,
                1,
                box.driven,
                box.pending,
                depth=box.depth,
                person=place,
            )
        self.boxes.append(box)
        held = members.select("place", group=pl.lit(box.id))
        self.drawn.append(held)
        self.within.append(
            held.with_columns(group=pl.lit(box.id.rpartition(GROUP_ID_SEPARATOR)[0]))
            if one
            else held
        )

    def _is_open(self, id: str) -> bool:
        return self.path == id or self.path.startswith(id + GROUP_ID_SEPARATOR)


def _mark_box_open(box: Box, group: str) -> Box:
    """The box as the head of what it opened to: a click on it folds it again."""
    return replace(box, open=True, target=group)


def _compute_flows(
    people: pl.DataFrame, drawn: pl.DataFrame
) -> tuple[tuple[Flow, ...], Mapping[str, int]]:
    focus = people.filter(pl.col("generation") == 0).select("place", group=pl.lit(""))
    boxes = pl.concat([drawn, focus.cast({"place": pl.Int64})])
    held = people.select("place", "generation", "mentor").join(boxes, on="place")
    above = held.select(mentor="place", source="group", above="generation")
    ties = held.filter(pl.col("generation") > 0).join(above, on="mentor", how="left")
    ahead = (pl.col("above") < pl.col("generation")).fill_null(False)
    counted = ties.filter(ahead).group_by("source", "group").len().sort("source", "group")
    flows = tuple(Flow(source, target, n) for source, target, n in counted.iter_rows())
    aside = ties.filter(~ahead).group_by("group").len().sort("group")
    return flows, dict(aside.iter_rows())
