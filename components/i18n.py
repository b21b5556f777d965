"""Chinese and English: the words of the app, from the gettext catalogues in `components/locale`.

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
from io import BytesIO
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: dict[Language, str] = {"zh": "中文", "en": "English"}
LOCALES: dict[Language, str] = {"zh": "zh_CN", "en": "en"}
FOLDER = Path(__file__).parent / "locale"


@lru_cache(maxsize=len(LOCALES))
def catalogue(language: Language) -> GNUTranslations:
    """The compiled catalogue of one language."""
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    # One catalogue of all parts: a message is looked up once, not part after part.
    whole = Catalog(locale=LOCALES[language])
    for part in sorted((FOLDER / LOCALES[language]).glob("*.po")):
        with part.open("rb") as file:
            for message in read_po(file, locale=LOCALES[language]):
                if message.id:
                    whole[message.id] = message
    assert len(whole), f"no catalogue of {language}"
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return GNUTranslations(compiled)


def language_of(locale: str | None) -> Language:
    """The language to begin with, from the browser's locale ("zh-CN", "en-GB", none)."""
    return "zh" if locale is not None and locale.lower().startswith("zh") else "en"


def translate(language: Language, message: str, /, **values: object) -> str:
    """`message` in a language, its `{fields}` filled in."""
    text = catalogue(language).gettext(message)
    return text.format(**values) if values else text


def translate_number(
    language: Language, one: str, many: str, number: int, /, **values: object
) -> str:
    """`one` or `many`, as the language's plural rule wants for `number`."""
    return catalogue(language).ngettext(one, many, number).format(**values)


def label(pair: tuple[str, str], language: Language) -> str:
    """The word for a choice of the model, which keeps (English, Chinese) pairs."""
    return pair[1] if language == "zh" else pair[0]


def labels(
    named: Mapping[str, tuple[str, str]], language: Language, codes: Iterable[str] | None = None
) -> dict[str, str]:
    """Code -> word, of all that are named, or of these in their order."""
    asked = named if codes is None else codes
    return {code: label(named[code], language) for code in asked if code in named}


_spoken: ContextVar[Language | None] = ContextVar("spoken", default=None)


@contextmanager
def spoken(language: Language) -> Iterator[None]:
    """Within it everything is said in this language, whoever visits: a file is written so, which
    is made outside the run of a page."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def current_language() -> Language:
    """The language of this visit: the one chosen (also `?lang=`), else the browser's."""
    import streamlit as st

    fixed = _spoken.get()
    if fixed is not None:
        return fixed
    asked = st.query_params.get("lang")
    if asked in LANGUAGES:
        st.session_state["language"] = asked
    chosen: Language | None = st.session_state.get("language")
    return chosen or language_of(st.context.locale)


def choose_language(language: Language) -> None:
    """Keeps the language for this visit and writes it into the page's address."""
    import streamlit as st

    st.session_state["language"] = language
    st.query_params["lang"] = language


def joined(*sentences: str) -> str:
    """Sentences one after the other, as the language of this visit sets them: Chinese ones have no
    space between them."""
    return ("" if current_language() == "zh" else " ").join(one for one in sentences if one)


def t(message: str, /, **values: object) -> str:
    """`message` in the language of this visit."""
    return translate(current_language(), message, **values)


def tn(one: str, many: str, number: int, /, **values: object) -> str:
    """`one` or `many` in the language of this visit, as `number` wants."""
    return translate_number(current_language(), one, many, number, **values)
