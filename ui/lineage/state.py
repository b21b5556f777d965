"""What a lineage shows and how: immutable, undoable, and the same again from its address.

Open, folded, hidden and pinned people, the years, the filters, the studios drawn as groups: one
`DisplayState`. A `LineageState` is a `DisplayState` with whose lineage it is, who is selected, and
what was shown before and after, for undo and redo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

TieChannel = Literal["mentorship", "studio", "teaching"]
Direction = Literal["up", "down"]
Axis = Literal["generation", "year"]
# What the columns hold: as many people as fit, or everyone in groups; "" = not chosen yet.
ColumnContent = Literal["", "people", "branch", "occupation", "level", "studio"]

COLUMN_CONTENTS: tuple[ColumnContent, ...] = ("people", "branch", "occupation", "level", "studio")
TIE_CHANNELS: tuple[TieChannel, ...] = ("mentorship", "studio", "teaching")
_CHANNEL_BY_NAME: Mapping[str, TieChannel] = {channel: channel for channel in TIE_CHANNELS}
MAX_DRAWN_PEOPLE = 5_000
MAX_UNDO_STEPS = 100  # of undo

Opening = tuple[str, Direction, str]  # person, where to, lane ("" = all)
# A lane is a channel, or one studio: "studio:ST0012".
STUDIO_LANE_PREFIX = "studio:"


def parse_lane_channel(lane: str) -> TieChannel:
    """The channel of a lane: "studio" of "studio:ST0012". Raises `KeyError` for what is no lane."""
    return _CHANNEL_BY_NAME[lane.partition(":")[0]]


def is_lane(text: str) -> bool:
    """Whether the text names a channel, or one studio."""
    return text.partition(":")[0] in _CHANNEL_BY_NAME


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
    "hide", "unhide", "pin", "trace", "also", "studios", "studio", "dates", "clear", "undo", "redo",
    "years", "axis", "columns" (`text` is what they hold) and "group" (`person` is the group to be
    open in its column) are in the state; "list" (`person` is a group's id),
    "focus" (`person` is to stand in the middle), "search" (with
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
class DisplayState:
    """What undo and redo cover.

    `traced` are people to whom every shortest path is shown in full; `grouped` draws studios as
    groups, of which `closed` are folded; `dates` writes its dates on each tie. `columns` is what
    the columns hold, `inside` the group open in each generation that has one, as
    `graph.people.lineage_groups` names it.
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
    columns: ColumnContent = ""
    inside: tuple[tuple[int, str], ...] = ()

    @property
    def in_groups(self) -> bool:
        """Whether the columns hold groups."""
        return self.columns not in ("", "people")


@dataclass(frozen=True)
class LineageState:
    """Whose lineage is shown and how; every change is a new state, with undo and redo.

    `also` are people selected besides `selected`, in the order chosen: to compare, to find the
    path between, to find their common mentors.
    """

    focus: str
    selected: str | None = None
    shown: DisplayState = DisplayState()
    past: tuple[DisplayState, ...] = ()
    future: tuple[DisplayState, ...] = ()
    also: tuple[str, ...] = field(default=())

    def _to(self, shown: DisplayState) -> LineageState:
        if shown == self.shown:
            return self
        return replace(
            self, shown=shown, past=(*self.past, self.shown)[-MAX_UNDO_STEPS:], future=()
        )

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

    def unhide(self) -> LineageState:
        """Show everyone who was taken away again."""
        return self._to(replace(self.shown, hidden=frozenset()))

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
        """Columns by generation, or an axis of years, along which people stand."""
        if axis == "year" and self.shown.in_groups:
            return self._to(replace(self.shown, axis=axis, columns="people", inside=()))
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

    def hold(self, columns: ColumnContent) -> LineageState:
        """What the columns hold from now on; nothing is open in them."""
        return self._to(replace(self.shown, columns=columns, inside=(), axis="generation"))

    def settled(self, columns: ColumnContent) -> LineageState:
        """The same view, what its columns hold chosen if nobody has; no step of undo."""
        if self.shown.columns:
            return self
        return replace(self, shown=replace(self.shown, columns=columns))

    def open_group(self, group: str) -> LineageState:
        """Open a group in its column, and fold what else was open there; a generation's own
        number folds all. What is no group of a column changes nothing.
        """
        number = group.partition("\n")[0]
        if not number.isdigit() or not self.shown.in_groups:
            return self
        inside = {g: open_ for g, open_ in self.shown.inside if g != int(number)}
        if number != group:
            inside[int(number)] = group
        return self._to(replace(self.shown, inside=tuple(sorted(inside.items()))))

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
            case "unhide":
                return state.unhide()
            case "columns":
                return state.hold(parse_column_content(event.text))
            case "group":
                return state.open_group(event.person or "")
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
            query["also"] = "_".join(map(_escape_id, self.also))
        if view := _encode_display_state(self.shown):
            query["view"] = view
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> LineageState | None:
        """The state of a deep link; None without a person; a broken `view` is left aside."""
        focus = query.get("person")
        if not focus:
            return None
        also = tuple(_unescape_id(text) for text in query.get("also", "").split("_") if text)
        selected = query.get("selected") or None
        return cls(
            focus,
            selected,
            _decode_display_state(query.get("view", "")),
            also=also if selected else (),
        )


# --- the address ------------------------------------------------------------------------------
# A `DisplayState` is written as parts parted by "."; a part is a letter and its items parted by
# "_": oP0012_ds_2 = twice opened the studios of P0012, hP7 = hidden. Only characters that no
# address escapes are used, so that a link stays short; any other of an id is its code, "-2d-" for
# "-".

DIRECTION_BY_LETTER = {"d": "down", "u": "up"}
LANE_BY_LETTER = {"m": "mentorship", "s": "studio", "t": "teaching", "": ""}


def _escape_id(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", lambda found: f"-{ord(found[0]):x}-", text)


def _unescape_id(text: str) -> str:
    return re.sub(r"-([0-9a-f]{1,6})-", lambda found: chr(int(found[1], 16)), text)


def _encode_lane(lane: str) -> str:
    if lane.startswith(STUDIO_LANE_PREFIX):
        return f"g{_escape_id(lane.removeprefix(STUDIO_LANE_PREFIX))}"
    return lane[:1]


def _decode_lane(code: str) -> str:
    return STUDIO_LANE_PREFIX + _unescape_id(code[1:]) if code[:1] == "g" else LANE_BY_LETTER[code]


def _encode_display_state(shown: DisplayState) -> str:
    parts: list[tuple[str, Iterable[str]]] = [
        (
            "o",
            (
                item
                for (person, way, lane), times in shown.opened
                for item in (_escape_id(person), way[0] + _encode_lane(lane), str(times))
            ),
        ),
        (
            "f",
            (item for person, way in sorted(shown.folded) for item in (_escape_id(person), way[0])),
        ),
        ("h", map(_escape_id, sorted(shown.hidden))),
        ("p", map(_escape_id, sorted(shown.pinned))),
        ("t", map(_escape_id, sorted(shown.traced))),
        ("y", map(str, shown.years or ())),
        ("c", (channel[0] for channel in TIE_CHANNELS if channel in shown.filters.channels)),
        ("l", map(str, shown.filters.levels or ())),
        ("r", map(_escape_id, sorted(shown.filters.provinces))),
        ("j", map(_escape_id, sorted(shown.filters.occupations))),
        ("s", map(_escape_id, sorted(shown.closed))),
        ("b", [shown.columns[0]] if shown.columns else []),
        (
            "i",
            (
                item
                for generation, group in shown.inside
                for item in (str(generation), _escape_id(group))
            ),
        ),
    ]
    written = [f"{letter}{'_'.join(items)}" for letter, items in parts]
    flags = {"a": shown.axis == "year", "g": shown.grouped, "d": shown.dates}
    return ".".join(
        [part for part in written if len(part) > 1] + [letter for letter, on in flags.items() if on]
    )


def _decode_display_state(text: str) -> DisplayState:
    try:
        parts = {
            part[0]: part[1:].split("_") if part[1:] else [] for part in text.split(".") if part
        }
        opened = {
            (_unescape_id(person), _decode_direction(way[0]), _decode_lane(way[1:])): min(
                int(times), MAX_DRAWN_PEOPLE
            )
            for person, way, times in _chunk_items(parts.get("o", []), 3)
        }
        return DisplayState(
            opened=tuple(sorted(opened.items())),
            folded=frozenset(
                (_unescape_id(p), _decode_direction(way))
                for p, way in _chunk_items(parts.get("f", []), 2)
            ),
            hidden=_decode_ids(parts, "h"),
            pinned=_decode_ids(parts, "p"),
            traced=_decode_ids(parts, "t"),
            years=_decode_pair(parts.get("y")),
            axis="year" if "a" in parts else "generation",
            filters=Filters(
                frozenset(LANE_BY_LETTER[code] for code in parts.get("c", [])),
                _decode_pair(parts.get("l")),
                _decode_ids(parts, "r"),
                _decode_ids(parts, "j"),
            ),
            grouped="g" in parts,
            closed=_decode_ids(parts, "s"),
            dates="d" in parts,
            columns=_decode_column_content(parts.get("b")),
            inside=tuple(
                (int(g), _unescape_id(id)) for g, id in _chunk_items(parts.get("i", []), 2)
            ),
        )
    except (ValueError, KeyError, IndexError, OverflowError):
        return DisplayState()


def _chunk_items(items: list[str], size: int) -> Iterator[tuple[str, ...]]:
    """The items, `size` at a time; `ValueError` when they do not come out even."""
    return zip(*[iter(items)] * size, strict=True)


def _decode_ids(parts: Mapping[str, list[str]], letter: str) -> frozenset[str]:
    return frozenset(map(_unescape_id, parts.get(letter, [])))


def _decode_column_content(items: list[str] | None) -> ColumnContent:
    return {columns[0]: columns for columns in COLUMN_CONTENTS}[items[0]] if items else ""


def _decode_pair(items: list[str] | None) -> tuple[int, int] | None:
    if not items:
        return None
    first, last = items
    return int(first), int(last)


def _decode_direction(letter: str) -> Direction:
    return "up" if DIRECTION_BY_LETTER[letter] == "up" else "down"


def parse_column_content(text: str) -> ColumnContent:
    """What columns hold, as the browser or a list sent it; anything unknown is people."""
    return next((columns for columns in COLUMN_CONTENTS if columns == text), "people")


def parse_direction(text: str) -> Direction:
    """A direction as the browser sent it; anything but "up" is "down"."""
    return "up" if text == "up" else "down"
