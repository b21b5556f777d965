"""What a lineage shows and how: immutable, undoable, and the same again from its address.

Open, folded, hidden and pinned people, the years, the filters, the studios drawn as groups: one
`Shown`. A `LineageState` is a `Shown` with whose lineage it is, who is selected, and what was
shown before and after, for undo and redo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Channel = Literal["mentorship", "studio", "teaching"]
Direction = Literal["up", "down"]
Axis = Literal["generation", "year"]

CHANNELS: tuple[Channel, ...] = ("mentorship", "studio", "teaching")
PEOPLE_AT_MOST = 5_000
STEPS_KEPT = 100  # of undo

Opening = tuple[str, Direction, str]  # person, where to, lane ("" = all)
# A lane is a channel, or one studio: "studio:ST0012".
STUDIO_LANE = "studio:"


def channel_of(lane: str) -> str:
    """The channel of a lane: "studio" of "studio:ST0012"."""
    return lane.partition(":")[0]


@dataclass(frozen=True)
class Filters:
    """Who is wanted; an empty set and None let everyone through.

    `levels` are the lowest and the highest, both included; `provinces` and `occupations` codes.
    `channels` says which ties are followed at all.
    """

    channels: frozenset[str] = frozenset()
    levels: tuple[int, int] | None = None
    provinces: frozenset[str] = frozenset()
    occupations: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self != Filters()

    def person(self, about: Mapping[str, Any]) -> bool:
        """Whether a person of these attributes (level, province, occupation_code) is wanted."""
        low, high = self.levels or (0, 99)
        return (
            low <= (about.get("level") or 0) <= high
            and (not self.provinces or about.get("province") in self.provinces)
            and (not self.occupations or about.get("occupation_code") in self.occupations)
        )

    def tie(self, channel: str) -> bool:
        """Whether ties of this channel are followed."""
        return not self.channels or channel in self.channels


@dataclass(frozen=True)
class LineageEvent:
    """What the person did in this run, already put into the state.

    `selected` is always the person selected now. `action` is what was done: "expand", "fold",
    "hide", "pin", "trace", "also", "studios", "studio", "dates", "clear", "undo", "redo",
    "years", "axis" are in the state; "focus" (`person` is to stand in the middle), "search" (with
    `text`) and the names of the view's `buttons` are for the page. `channel` is a lane.
    """

    selected: str | None = None
    action: str | None = None
    person: str | None = None
    direction: Direction = "down"
    channel: str | None = None
    years: tuple[int, int] | None = None
    axis: Axis = "generation"
    text: str = ""


@dataclass(frozen=True)
class Shown:
    """What undo and redo cover.

    `traced` are people to whom every shortest path is shown whole; `grouped` draws studios as
    groups, of which `closed` are folded; `dates` writes its dates on each tie.
    """

    opened: tuple[tuple[Opening, int], ...] = ()  # how often each "+N" was opened
    folded: frozenset[tuple[str, Direction]] = frozenset()
    hidden: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()
    traced: frozenset[str] = frozenset()
    years: tuple[int, int] | None = None
    axis: Axis = "generation"
    filters: Filters = Filters()
    grouped: bool = False
    closed: frozenset[str] = frozenset()
    dates: bool = False


@dataclass(frozen=True)
class LineageState:
    """Whose lineage is shown and how; every change is a new state, with undo and redo.

    `also` are people selected besides `selected`, in the order chosen: to compare, to find the
    path between, to find whom all of them go back to.
    """

    focus: str
    selected: str | None = None
    shown: Shown = Shown()
    past: tuple[Shown, ...] = ()
    future: tuple[Shown, ...] = ()
    also: tuple[str, ...] = field(default=())

    def _to(self, shown: Shown) -> LineageState:
        if shown == self.shown:
            return self
        return replace(self, shown=shown, past=(*self.past, self.shown)[-STEPS_KEPT:], future=())

    def select(self, person: str | None) -> LineageState:
        """The same view with another person selected, alone; not a step of undo."""
        return replace(self, selected=person, also=())

    def select_also(self, person: str) -> LineageState:
        """One more selected besides; a second time lets go. Not a step of undo."""
        if person == self.selected:
            return replace(self, selected=next(iter(self.also), None), also=self.also[1:])
        if self.selected is None:
            return replace(self, selected=person)
        if person in self.also:
            return replace(self, also=tuple(other for other in self.also if other != person))
        return replace(self, also=(*self.also, person))

    def expand(
        self, person: str, direction: Direction = "down", channel: str | None = None
    ) -> LineageState:
        """Unfold the person; or, when not folded, show the next batch of those not shown.

        `channel` is a lane: a channel, or "studio:" and a studio's id.
        """
        if (person, direction) in self.shown.folded:
            folded = self.shown.folded - {(person, direction)}
            return self._to(replace(self.shown, folded=folded))
        opened = dict(self.shown.opened)
        opening = (person, direction, channel or "")
        opened[opening] = opened.get(opening, 0) + 1
        return self._to(replace(self.shown, opened=tuple(sorted(opened.items()))))

    def fold(self, person: str, direction: Direction = "down") -> LineageState:
        """Take away those shown by way of this person, and forget what was opened on it.

        A second time unfolds: one taught by two mentors stays in view, and a double click on the
        folded one then asks to fold again.
        """
        if (person, direction) in self.shown.folded:
            return self.expand(person, direction)
        opened = tuple(o for o in self.shown.opened if o[0][:2] != (person, direction))
        folded = self.shown.folded | {(person, direction)}
        return self._to(replace(self.shown, opened=opened, folded=folded))

    def hide(self, person: str) -> LineageState:
        """Take one person away; the focus always stays."""
        if person == self.focus:
            return self
        hidden = replace(
            self.shown,
            hidden=self.shown.hidden | {person},
            pinned=self.shown.pinned - {person},
            traced=self.shown.traced - {person},
        )
        state = self._to(hidden)
        also = tuple(other for other in state.also if other != person)
        if self.selected == person:
            return replace(state, selected=None, also=also)
        return replace(state, also=also)

    def pin(self, person: str) -> LineageState:
        """Keep a person in the view whatever is folded; a second time lets go."""
        return self._to(replace(self.shown, pinned=self.shown.pinned ^ {person}))

    def trace(self, person: str) -> LineageState:
        """Show everyone on every shortest path to a person, hidden or folded; again lets go."""
        return self._to(replace(self.shown, traced=self.shown.traced ^ {person}))

    def at(self, years: tuple[int, int] | None) -> LineageState:
        """Show ties begun in these years, both included; None shows all."""
        return self._to(replace(self.shown, years=years))

    def by(self, axis: Axis) -> LineageState:
        """Columns by generation, or an axis of years."""
        return self._to(replace(self.shown, axis=axis))

    def filter(
        self,
        *,
        channels: Iterable[str] | None = None,
        levels: tuple[int, int] | Literal["all"] | None = None,
        provinces: Iterable[str] | None = None,
        occupations: Iterable[str] | None = None,
    ) -> LineageState:
        """Only those wanted, and the chains to them. None leaves a filter as it is.

        An empty set, and "all" for the levels, takes one away.
        """
        now = self.shown.filters
        wanted = Filters(
            now.channels if channels is None else frozenset(channels),
            now.levels if levels is None else (None if levels == "all" else levels),
            now.provinces if provinces is None else frozenset(provinces),
            now.occupations if occupations is None else frozenset(occupations),
        )
        return self._to(replace(self.shown, filters=wanted))

    def unfiltered(self) -> LineageState:
        """Everyone again."""
        return self._to(replace(self.shown, filters=Filters()))

    def group(self, on: bool) -> LineageState:
        """Studios as groups between leader and trainees, or each trainee's tie by itself."""
        return self._to(replace(self.shown, grouped=on))

    def close(self, studio: str) -> LineageState:
        """Fold a studio's group; a second time opens it."""
        return self._to(replace(self.shown, closed=self.shown.closed ^ {studio}))

    def dated(self, on: bool) -> LineageState:
        """Write on each tie when it began and ended, or only where it is asked for."""
        return self._to(replace(self.shown, dates=on))

    def undo(self) -> LineageState:
        """The view before the last change, or this one when there is none."""
        if not self.past:
            return self
        *past, shown = self.past
        return replace(self, shown=shown, past=tuple(past), future=(self.shown, *self.future))

    def redo(self) -> LineageState:
        """The change last undone, done again."""
        if not self.future:
            return self
        shown, *future = self.future
        return replace(self, shown=shown, past=(*self.past, self.shown), future=tuple(future))

    def apply(self, event: LineageEvent) -> LineageState:
        """The state after what the person did."""
        state = self if event.selected == self.selected else self.select(event.selected)
        person = event.person or state.selected or state.focus
        match event.action:
            case "expand":
                return state.expand(person, event.direction, event.channel)
            case "fold":
                return state.fold(person, event.direction)
            case "hide":
                return state.hide(person)
            case "pin":
                return state.pin(person)
            case "trace":
                return state.trace(person)
            case "also":
                return state.select_also(person)
            case "studios":
                return state.group(not state.shown.grouped)
            case "studio":
                return state.close(person)
            case "dates":
                return state.dated(not state.shown.dates)
            case "clear":
                return state.unfiltered()
            case "years":
                return state.at(event.years)
            case "axis":
                return state.by(event.axis)
            case "undo":
                return state.undo()
            case "redo":
                return state.redo()
        return state

    def to_query(self) -> dict[str, str]:
        """Query parameters of a deep link to exactly this view: ids only, no names, no history."""
        query = {"person": self.focus}
        if self.selected:
            query["selected"] = self.selected
        if self.also:
            query["also"] = "_".join(map(_safe, self.also))
        if view := _written(self.shown):
            query["view"] = view
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> LineageState | None:
        """The state of a deep link; None without a person; a broken `view` is left aside."""
        focus = query.get("person")
        if not focus:
            return None
        also = tuple(_plain(text) for text in query.get("also", "").split("_") if text)
        selected = query.get("selected") or None
        return cls(focus, selected, _read(query.get("view", "")), also=also if selected else ())


# --- the address ------------------------------------------------------------------------------
# A `Shown` is written as parts parted by "."; a part is a letter and its items parted by "_":
# oP0012_ds_2 = twice opened the studios of P0012, hP7 = hidden. Only characters that no address
# escapes are used, so that a link stays short; any other of an id is its code, "-2d-" for "-".

WAYS = {"d": "down", "u": "up"}
LANES = {"m": "mentorship", "s": "studio", "t": "teaching", "": ""}


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", lambda found: f"-{ord(found[0]):x}-", text)


def _plain(text: str) -> str:
    return re.sub(r"-([0-9a-f]{1,6})-", lambda found: chr(int(found[1], 16)), text)


def _lane_code(lane: str) -> str:
    if lane.startswith(STUDIO_LANE):
        return f"g{_safe(lane.removeprefix(STUDIO_LANE))}"
    return lane[:1]


def _lane(code: str) -> str:
    return STUDIO_LANE + _plain(code[1:]) if code[:1] == "g" else LANES[code]


def _written(shown: Shown) -> str:
    parts: list[tuple[str, Iterable[str]]] = [
        ("o", (item for (person, way, lane), times in shown.opened
               for item in (_safe(person), way[0] + _lane_code(lane), str(times)))),
        ("f", (item for person, way in sorted(shown.folded) for item in (_safe(person), way[0]))),
        ("h", map(_safe, sorted(shown.hidden))),
        ("p", map(_safe, sorted(shown.pinned))),
        ("t", map(_safe, sorted(shown.traced))),
        ("y", map(str, shown.years or ())),
        ("c", (channel[0] for channel in CHANNELS if channel in shown.filters.channels)),
        ("l", map(str, shown.filters.levels or ())),
        ("r", map(_safe, sorted(shown.filters.provinces))),
        ("j", map(_safe, sorted(shown.filters.occupations))),
        ("s", map(_safe, sorted(shown.closed))),
    ]  # fmt: skip
    written = [f"{letter}{'_'.join(items)}" for letter, items in parts]
    flags = {"a": shown.axis == "year", "g": shown.grouped, "d": shown.dates}
    return ".".join([part for part in written if len(part) > 1]
                    + [letter for letter, on in flags.items() if on])  # fmt: skip


def _read(text: str) -> Shown:
    try:
        parts = {
            part[0]: part[1:].split("_") if part[1:] else [] for part in text.split(".") if part
        }
        opened = {
            (_plain(person), _way(way[0]), _lane(way[1:])): min(int(times), PEOPLE_AT_MOST)
            for person, way, times in _taken(parts.get("o", []), 3)
        }
        return Shown(
            opened=tuple(sorted(opened.items())),
            folded=frozenset((_plain(p), _way(way)) for p, way in _taken(parts.get("f", []), 2)),
            hidden=_ids(parts, "h"),
            pinned=_ids(parts, "p"),
            traced=_ids(parts, "t"),
            years=_pair(parts.get("y")),
            axis="year" if "a" in parts else "generation",
            filters=Filters(
                frozenset(LANES[code] for code in parts.get("c", [])),
                _pair(parts.get("l")),
                _ids(parts, "r"),
                _ids(parts, "j"),
            ),
            grouped="g" in parts,
            closed=_ids(parts, "s"),
            dates="d" in parts,
        )
    except (ValueError, KeyError, IndexError, OverflowError):
        return Shown()


def _taken(items: list[str], size: int) -> Iterator[tuple[str, ...]]:
    """The items, `size` at a time; `ValueError` when they do not come out even."""
    return zip(*[iter(items)] * size, strict=True)


def _ids(parts: Mapping[str, list[str]], letter: str) -> frozenset[str]:
    return frozenset(map(_plain, parts.get(letter, [])))


def _pair(items: list[str] | None) -> tuple[int, int] | None:
    if not items:
        return None
    first, last = items
    return int(first), int(last)


def _way(letter: str) -> Direction:
    return "up" if WAYS[letter] == "up" else "down"


def read_direction(text: str) -> Direction:
    """A direction as the browser sent it; anything but "up" is "down"."""
    return "up" if text == "up" else "down"
