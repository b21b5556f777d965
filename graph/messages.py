"""What is said to a person, in English and in Chinese: errors, refusals, remarks, progress.

A message is its English sentence with `{fields}`, which is also its id, and the values of the
fields. The Chinese stands in `graph/locale/zh_CN/*.po`, a file a part of the program. Whoever
raises or reports makes the message; whoever shows it says it in the reader's language.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, Final, Literal

from graph.identity import mask_id_numbers

if TYPE_CHECKING:
    import polars as pl

Language = Literal["zh", "en"]
LOCALE_FOLDER: Final = Path(__file__).parent / "locale"
COMMA_BY_LANGUAGE: Final = {"en": ", ", "zh": "、"}
OR_BY_LANGUAGE: Final = {"en": " or ", "zh": "或"}


@dataclass(frozen=True)
class Words:
    """A name that is known in both languages, as the schema and the registry hold them."""

    en: str
    zh: str

    def said(self, language: Language) -> str:
        """The name in a language."""
        return self.zh if language == "zh" else self.en


NONE_WORDS: Final = Words("none", "无")


class AnyOf(tuple[object, ...]):
    """Values of which one holds: "a, b or c"."""


@dataclass(frozen=True, init=False)
class Message:
    """A sentence and its values; `str(message)` is English. It never says a citizen ID number.

    A value may be a message or `Words` itself, or a list of values, which is said with commas
    (`AnyOf`: with "or" before the last).
    """

    id: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __init__(self, id: str, /, **values: object) -> None:
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "values", values)

    def with_values(self, **values: object) -> Message:
        """The same sentence with these values too."""
        return Message(self.id, **{**self.values, **values})

    def said(self, language: Language) -> str:
        """The sentence in a language; English where there is no other."""
        text = _translate_message(self.id, language)
        said = {name: _format_message_value(value, language) for name, value in self.values.items()}
        return mask_id_numbers(text.format(**said) if said else text)

    def said_of_rows(self, language: Language, /, **values: pl.Expr) -> pl.Expr:
        """The sentence of each row of a frame; `values` are the fields that differ by row."""
        import polars as pl

        texts, filled = [], []
        for before, name, form, _ in Formatter().parse(_translate_message(self.id, language)):
            texts.append(before)
            if name is not None:
                same = format(_format_message_value(self.values.get(name), language), form or "")
                filled.append(values.get(name, pl.lit(same)))
                texts.append("{}")
        return pl.format("".join(texts), *filled) if filled else pl.lit("".join(texts))

    def __str__(self) -> str:
        return self.said("en")

    def __hash__(self) -> int:
        return hash((self.id, str(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        return restore_message, (self.id, dict(self.values))


# A callback for progress messages.
Say = Callable[[Message], None]


def restore_message(id: str, values: Mapping[str, object]) -> Message:
    """The message with this id and these values, as it was stored."""
    return Message(id, **values)


def _format_message_value(value: object, language: Language) -> object:
    if isinstance(value, Message | Words):
        return value.said(language)
    if isinstance(value, list | tuple):
        parts = [str(_format_message_value(part, language)) for part in value]
        if isinstance(value, AnyOf) and len(parts) > 1:
            return OR_BY_LANGUAGE[language].join(
                (COMMA_BY_LANGUAGE[language].join(parts[:-1]), parts[-1])
            )
        return COMMA_BY_LANGUAGE[language].join(parts)
    return value


def _translate_message(id: str, language: Language) -> str:
    return id if language == "en" else load_message_catalogue(language).gettext(id)


@lru_cache(maxsize=2)
def load_message_catalogue(language: Language) -> GNUTranslations:
    """The compiled messages of a language that is not English."""
    return compile_catalogue(
        {"zh": "zh_CN"}[language], sorted((LOCALE_FOLDER / "zh_CN").glob("*.po"))
    )


def compile_catalogue(locale: str, parts: Sequence[Path]) -> GNUTranslations:
    """One catalogue of all `parts` (.po files)."""
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    catalogue = Catalog(locale=locale)
    for part in parts:
        with part.open("rb") as file:
            for message in read_po(file, locale=locale):
                if message.id:
                    catalogue[message.id] = message
    assert len(catalogue), f"no catalogue of {locale}"
    made = BytesIO()
    write_mo(made, catalogue)
    made.seek(0)
    return GNUTranslations(made)


def parse_language(locale: str | None) -> Language:
    """The language of a locale ("zh-CN", "zh_CN.UTF-8"); English where it says nothing else."""
    return "zh" if locale is not None and locale.lower().startswith("zh") else "en"


def detect_terminal_language(environment: Mapping[str, str] = os.environ) -> Language:
    """The language of the command line: SHICHENG_LANG, else the locale of the terminal."""
    named = (environment.get(name) for name in ("SHICHENG_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))
    return parse_language(next((locale for locale in named if locale), None))
