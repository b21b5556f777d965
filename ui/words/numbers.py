"""How numbers are set: thousands separated, 万/亿 in Chinese, persons and person-times with
their unit, shares with one decimal, intervals with an en dash.

Everything here is plain text except `render_bold`, which is HTML with the full number on hover.
"""

from __future__ import annotations

from datetime import date, datetime
from html import escape

from graph.dates import YEAR, format_date_in_words, get_date_precision
from graph.messages import Language
from ui.words.i18n import current_language, translate_number

MINUS_SIGN = "\N{MINUS SIGN}"
NO_VALUE_DASH = "\N{EM DASH}"


def format_count(number: int | None) -> str:
    """1234 -> "1,234"; nothing -> a dash."""
    if number is None:
        return NO_VALUE_DASH
    return f"{number:,}".replace("-", MINUS_SIGN)


def format_large(number: int, language: Language) -> str:
    """A number as a person would say it: 3862417 -> "386.2 万" or "3.86 million"."""
    size = abs(number)
    if language == "zh":
        if size >= 100_000_000:
            return _format_scaled(number, 100_000_000, 2) + " 亿"
        if size >= 100_000:
            return _format_scaled(number, 10_000, 1) + " 万"
    elif size >= 1_000_000:
        return _format_scaled(number, 1_000_000, 2) + " million"
    return format_count(number)


def _format_scaled(number: int, unit: int, decimals: int) -> str:
    text = f"{number / unit:,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", MINUS_SIGN)


def format_persons(
    number: int, language: Language, *, exact: bool = False, sign: bool = False
) -> str:
    """ "386.2 万人", "4,126 people"; `exact` writes every digit, `sign` a plus."""
    text = format_count(number) if exact else format_large(number, language)
    if sign and number > 0:
        text = f"+{text}"
    return _join_unit(translate_number(language, "{n} person", "{n} persons", abs(number), n=text))


def format_person_times(
    number: int, language: Language, *, exact: bool = False, sign: bool = False
) -> str:
    """ "441.7 万人次", "4,873 person-times"; `exact` writes every digit, `sign` a plus."""
    text = format_count(number) if exact else format_large(number, language)
    if sign and number > 0:
        text = f"+{text}"
    message = translate_number(language, "{n} person-time", "{n} person-times", abs(number), n=text)
    return _join_unit(message)


def _join_unit(text: str) -> str:
    """No space between 万 or 亿 and its unit."""
    return text.replace("万 人", "万人").replace("亿 人", "亿人")


def format_share(part: float | None, total: float | None) -> str:
    """`part` of `total` with one decimal: "88.3%"; a dash without a total."""
    if part is None or not total:
        return NO_VALUE_DASH
    return f"{100 * part / total:.1f}%"


def format_interval(low: int, high: int) -> str:
    """18, 31 -> "18–31"; equal ends -> one number."""
    return (
        format_count(low) if low == high else f"{format_count(low)}\N{EN DASH}{format_count(high)}"
    )


def format_day(value: date | None) -> str:
    """2024-05-01; an unknown day is a dash, and of one whose year alone is known the year."""
    return NO_VALUE_DASH if value is None else format_date_in_words(value, current_language())


def format_month(value: date | None) -> str:
    """2024-05; 2024 where the year alone is known."""
    if value is None:
        return NO_VALUE_DASH
    return format_day(value) if get_date_precision(value) == YEAR else f"{value:%Y-%m}"


def format_short_day(value: date | datetime, language: Language) -> str:
    """10 月 12 日, 12 Oct."""
    if language == "zh":
        return f"{value.month} 月 {value.day} 日"
    return f"{value.day} {value:%b}"


def render_bold(text: str, full: str | None = None) -> str:
    """HTML: the figure in bold, `full` (the full number) on hover."""
    hover = f' title="{escape(full)}"' if full and full != text else ""
    return f"<b{hover}>{escape(text)}</b>"
