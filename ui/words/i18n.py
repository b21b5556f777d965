"""Chinese and English: the words of the app, from the gettext catalogues in `ui/words/locale`.

Message ids are the English keys. A language is a folder of plain `.po` files, one a part of the
app (`common.po` holds what several parts say), that Babel compiles in memory at the first use, so
that a translator edits a text file and nothing is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from gettext import GNUTranslations
from pathlib import Path
from typing import TypeVar

from graph.errors import ShichengError
from graph.messages import Language, Message, compile_catalogue, parse_language

# What a vocabulary names its words by: a text, or the number of a level.
LabelCode = TypeVar("LabelCode", str, int)
LANGUAGE_NAMES: dict[Language, str] = {"zh": "中文", "en": "English"}
LOCALE_BY_LANGUAGE: dict[Language, str] = {"zh": "zh_CN", "en": "en"}
LOCALE_DIR = Path(__file__).parent / "locale"


@lru_cache(maxsize=len(LOCALE_BY_LANGUAGE))
def compile_ui_catalogue(language: Language) -> GNUTranslations:
    """The compiled catalogue of one language."""
    return compile_catalogue(
        LOCALE_BY_LANGUAGE[language],
        sorted((LOCALE_DIR / LOCALE_BY_LANGUAGE[language]).glob("*.po")),
    )


def translate(language: Language, message: str, /, **values: object) -> str:
    """`message` in a language, its `{fields}` filled in."""
    text = compile_ui_catalogue(language).gettext(message)
    return text.format(**values) if values else text


def translate_number(
    language: Language, one: str, many: str, number: int, /, **values: object
) -> str:
    """`one` or `many`, as the language's plural rule wants for `number`."""
    return compile_ui_catalogue(language).ngettext(one, many, number).format(**values)


def translate_label(pair: tuple[str, str], language: Language) -> str:
    """The word for a choice of the model, which keeps (English, Chinese) pairs."""
    return pair[1] if language == "zh" else pair[0]


def translate_labels(
    named: Mapping[LabelCode, tuple[str, str]],
    language: Language,
    codes: Iterable[LabelCode] | None = None,
) -> dict[LabelCode, str]:
    """Code -> word, of all that are named, or of these in their order."""
    asked = named if codes is None else codes
    return {code: translate_label(named[code], language) for code in asked if code in named}


_language_override: ContextVar[Language | None] = ContextVar("spoken", default=None)


@contextmanager
def override_language(language: Language) -> Iterator[None]:
    """Within it everything is said in this language, whoever visits: a file is written so, which
    is made outside the run of a page."""
    token = _language_override.set(language)
    try:
        yield
    finally:
        _language_override.reset(token)


def current_language() -> Language:
    """The language of this visit: the one chosen (also `?lang=`), else the browser's."""
    import streamlit as st

    fixed = _language_override.get()
    if fixed is not None:
        return fixed
    asked = st.query_params.get("lang")
    # A link opens in its language; then the visit has one, which the way back does not change.
    if asked in LANGUAGE_NAMES and "language" not in st.session_state:
        st.session_state["language"] = asked
    chosen: Language | None = st.session_state.get("language")
    return chosen or parse_language(st.context.locale)


def choose_language(language: Language) -> None:
    """Keeps the language for this visit and writes it into the page's address."""
    import streamlit as st

    st.session_state["language"] = language
    st.query_params["lang"] = language


def join_sentences(*sentences: str) -> str:
    """Sentences one after the other, as the language of this visit sets them: Chinese ones have no
    space between them."""
    return ("" if current_language() == "zh" else " ").join(one for one in sentences if one)


def t(message: str, /, **values: object) -> str:
    """`message` in the language of this visit."""
    return translate(current_language(), message, **values)


def translate_marked(message: str) -> str:
    """A message that stands as data, as in a `ColumnSpec`, in the language of this visit."""
    return translate(current_language(), message)


def tn(one: str, many: str, number: int, /, **values: object) -> str:
    """`one` or `many` in the language of this visit, as `number` wants."""
    return translate_number(current_language(), one, many, number, **values)


def translate_message(message: Message | ShichengError) -> str:
    """An error or a message of `graph/` or `loaders/` in the language of this visit."""
    return message.said(current_language())
