"""Under which rules a worker counts as driven: every field of it can be set and is shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from graph.errors import UsageError

CHANNELS: Final = ("mentorship", "studio")
UNDATED_CHOICES: Final = ("exclude", "include")
# From which of its days a link counts of which the year alone is known.
YEAR_ALONE: Final = ("last", "first")
LANGUAGES: Final = ("en", "zh")
HIGHEST_LEVEL: Final = 8
# The fields that decide on the chains.
CHAIN_FIELDS: Final = ("generations", "ordered", "channels", "undated", "year_alone")
# Each generation has a column of its own in the tables; whoever wants more asks for all.
MAX_POLICY_GENERATIONS: Final = 100


@dataclass(frozen=True)
class Policy:
    """The rules of one measurement; the default one gives the programme's headline.

    `generations` is the most hops of a chain, 1 to 100, None for no limit. `ordered=False` ignores
    every date of a chain, also against the day of the event. `undated="include"` takes a link of
    unknown start as always having been there. A link of which the year alone is known counts from
    the last day of it, or with `year_alone="first"` from its first; an end counts to the year's
    last day and a recognition from its first, whatever is chosen. `as_of` bears on `pending` alone.
    Raises `UsageError` when a field is out of range.
    """

    window_start: date = date(2024, 1, 1)
    window_end: date = date(2026, 12, 31)
    generations: int | None = 3
    high_skilled_level: int = 4
    ordered: bool = True
    channels: tuple[str, ...] = CHANNELS
    undated: str = "exclude"
    as_of: date = field(default_factory=date.today)
    year_alone: str = "last"

    def __post_init__(self) -> None:
        if self.window_start > self.window_end:
            raise UsageError(
                "The window starts on {window_start} but ends before that, on {window_end}; give "
                "the first day first, as 2024-01-01:2026-12-31.",
                window_start=self.window_start,
                window_end=self.window_end,
            )
        if self.generations is not None and not 1 <= self.generations <= MAX_POLICY_GENERATIONS:
            raise UsageError(
                "generations is {generations}; give 1 to {most}, or all.",
                generations=self.generations,
                most=MAX_POLICY_GENERATIONS,
            )
        if not 1 <= self.high_skilled_level <= HIGHEST_LEVEL:
            raise UsageError(
                "high-skilled-level is {high_skilled_level}, but the ladder has levels 1 to "
                "{highest}; give one of them.",
                high_skilled_level=self.high_skilled_level,
                highest=HIGHEST_LEVEL,
            )
        if self.undated not in UNDATED_CHOICES:
            raise UsageError(
                "undated is {undated!r}; give include or exclude.", undated=self.undated
            )
        if self.year_alone not in YEAR_ALONE:
            raise UsageError(
                "year-alone is {year_alone!r}; give last or first.", year_alone=self.year_alone
            )
        object.__setattr__(self, "channels", _validate_channels(self.channels))

    @classmethod
    def parsed(
        cls,
        *,
        window: str | None = None,
        generations: str | int | None = None,
        high_skilled_level: int | None = None,
        ordered: bool = True,
        channels: str | None = None,
        undated: str | None = None,
        as_of: str | None = None,
        year_alone: str | None = None,
    ) -> Policy:
        """The policy written as on the command line; what is None keeps its default."""
        given: dict[str, Any] = {"ordered": ordered}
        if window is not None:
            given["window_start"], given["window_end"] = parse_window(window)
        if generations is not None:
            given["generations"] = parse_generations(generations)
        if high_skilled_level is not None:
            given["high_skilled_level"] = high_skilled_level
        if channels is not None:
            given["channels"] = parse_channels(channels)
        if undated is not None:
            given["undated"] = undated
        if as_of is not None:
            given["as_of"] = parse_day(as_of, "as-of")
        if year_alone is not None:
            given["year_alone"] = year_alone
        return cls(**given)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Policy:
        """The policy that `as_dict` gave."""
        return cls.parsed(
            window=fields["window"],
            generations=fields["generations"],
            high_skilled_level=fields["high_skilled_level"],
            ordered=fields["ordered"],
            channels=",".join(fields["channels"]),
            undated=fields["undated"],
            as_of=fields["as_of"],
            year_alone=fields.get("year_alone"),
        )

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits, the same for equal policies on every machine."""
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def chains_id(self) -> str:
        """As `id`, of what decides on the chains alone: policies equal in it share a reach."""
        fields = self.as_dict()
        chosen = [fields[name] for name in CHAIN_FIELDS]
        return hashlib.sha256(json.dumps(chosen).encode()).hexdigest()[:12]

    def as_dict(self) -> dict[str, Any]:
        """Every field as JSON takes it: days in ISO, the channels a list, no limit = "all"."""
        return {
            "window": f"{self.window_start}..{self.window_end}",
            "generations": "all" if self.generations is None else self.generations,
            "high_skilled_level": self.high_skilled_level,
            "ordered": self.ordered,
            "channels": list(self.channels),
            "undated": self.undated,
            "as_of": self.as_of.isoformat(),
            "year_alone": self.year_alone,
        }

    def chip(self, language: str = "en") -> str:
        """What stands beside a number: "2024-26 · 3 generations · dated".

        The window, the generations and the dating always; the rest only where it is not the
        default. `language` is "en" or "zh".
        """
        if language not in LANGUAGES:
            raise UsageError("The language is {language!r}; give en or zh.", language=language)
        chinese = language == "zh"
        parts = [self._window_chip(), self._generations_chip(chinese), self._dating_chip(chinese)]
        if self.high_skilled_level != 4:
            level = self.high_skilled_level
            parts.append(f"{level} 级以上" if chinese else f"level {level} and above")
        if self.channels == ("mentorship",):
            parts.append("仅师徒" if chinese else "mentorship only")
        elif self.channels == ("studio",):
            parts.append("仅工作室" if chinese else "studios only")
        if self.as_of != date.today():
            parts.append(f"截至 {self.as_of}" if chinese else f"as of {self.as_of}")
        return " · ".join(parts)

    def _window_chip(self) -> str:
        start, end = self.window_start, self.window_end
        if (start.month, start.day, end.month, end.day) != (1, 1, 12, 31):
            return f"{start} – {end}"
        if start.year == end.year:
            return str(start.year)
        if start.year // 100 == end.year // 100:
            return f"{start.year}-{end.year % 100:02d}"
        return f"{start.year}-{end.year}"

    def _generations_chip(self, chinese: bool) -> str:
        if self.generations is None:
            return "不限代" if chinese else "all generations"
        if chinese:
            return f"{self.generations} 代"
        return f"{self.generations} generation{'s' if self.generations > 1 else ''}"

    def _dating_chip(self, chinese: bool) -> str:
        dated = (
            ("按日期" if chinese else "dated")
            if self.ordered
            else ("不论先后" if chinese else "dates ignored")
        )
        if self.undated == "include":
            dated += "、含无日期" if chinese else ", undated included"
        if self.year_alone == "first":
            dated += "、仅知年份的从年初起" if chinese else ", years from their first day"
        return dated


def _validate_channels(names: Iterable[str]) -> tuple[str, ...]:
    """The channels in their one order, without repeats."""
    given = set(names)
    unknown = sorted(given - set(CHANNELS))
    if not given:
        raise UsageError("channels is empty; give mentorship, studio or both with a comma.")
    if unknown:
        raise UsageError(
            "channels has {text!r}; give mentorship, studio or both with a comma.", text=unknown[0]
        )
    return tuple(name for name in CHANNELS if name in given)


def parse_day(text: str, what: str) -> date:
    """The day of an ISO date; `what` names the option in the error."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            "{what} has {text!r}, which is no day; write it as 2024-01-31.", what=what, text=text
        ) from None


def parse_window(text: str) -> tuple[date, date]:
    """First and last day of `2024-01-01:2026-12-31` (`..` in place of the colon is taken too)."""
    start, colon, end = text.replace("..", ":").partition(":")
    if not colon:
        raise UsageError(
            "window has {text!r}; write two days, as 2024-01-01:2026-12-31.", text=text
        )
    return parse_day(start, "window"), parse_day(end, "window")


def parse_generations(text: str | int) -> int | None:
    """The most hops of a chain; `all` gives None."""
    if isinstance(text, str) and text.strip().lower() == "all":
        return None
    try:
        return int(text)
    except ValueError:
        raise UsageError(
            "generations has {text!r}; give a whole number, or all.", text=text
        ) from None


def parse_channels(text: str) -> tuple[str, ...]:
    """The channels of `mentorship,studio`."""
    return _validate_channels(name.strip() for name in text.split(",") if name.strip())


DEFAULT_POLICY: Final = Policy()
