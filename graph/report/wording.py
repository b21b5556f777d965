"""How a report sets numbers, dashes and names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from graph.dates import format_date_in_words
from graph.messages import Language, Message
from graph.model.vocabularies import PROVINCES

DASH: Final = "\N{EM DASH}"
MINUS: Final = "\N{MINUS SIGN}"
# Groups of fewer people than this are shown as "<3" only.
SMALL_CELL_PERSONS: Final = 3
SMALL_CELL_TEXT: Final = f"<{SMALL_CELL_PERSONS}"
# The texts that stand in place of a hidden number.
HIDDEN_TEXTS: Final = (SMALL_CELL_TEXT, DASH)


@dataclass(frozen=True)
class ReportWords:
    """The language of a report, and how it says names that the data hold in Chinese."""

    language: Language
    translate_term: Callable[[str], str] = str

    def say(self, message: Message) -> str:
        """A sentence."""
        return message.said(self.language)

    def label(self, pair: tuple[str, str]) -> str:
        """A word of the model or of a table."""
        return pair[1] if self.language == "zh" else pair[0]

    def labels(self, *pairs: tuple[str, str]) -> tuple[str, ...]:
        """Words of a table, as its heads."""
        return tuple(self.label(pair) for pair in pairs)

    def join(self, *sentences: str) -> str:
        """Sentences one after the other; Chinese ones have no space between them."""
        return ("" if self.language == "zh" else " ").join(one for one in sentences if one)

    def area(self, province: str | None) -> str:
        """The nation, or the name of a province."""
        return self.label(PROVINCES[province] if province else ("the nation", "全国"))

    def day(self, day: date) -> str:
        """A day, as precise as it is known."""
        return format_date_in_words(day, self.language)


def format_number(number: int | None) -> str:
    """Thousands apart; nothing is a dash.

    >>> format_number(12345), format_number(-3), format_number(None)
    ('12,345', '−3', '—')
    """
    return DASH if number is None else f"{number:,}".replace("-", MINUS)


def format_signed_number(number: int) -> str:
    """With its sign.

    >>> format_signed_number(3), format_signed_number(0), format_signed_number(-3)
    ('+3', '0', '−3')
    """
    return f"+{number:,}" if number > 0 else format_number(number)


def format_part(part: float | None, total: float | None) -> str:
    """`part` of `total` with one decimal; a dash where there is no total.

    >>> format_part(1, 8), format_part(1, 0)
    ('12.5%', '—')
    """
    return DASH if part is None or not total else f"{100 * part / total:.1f}%"
