"""Every string of the app is in both catalogues, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from graph.messages import Language, parse_language
from ui.words.i18n import LOCALE_BY_LANGUAGE, LOCALE_DIR, translate, translate_number

ROOT = Path(__file__).parents[2]
# Function -> which of its arguments are messages.
MARKED = {
    "t": (0,),
    "tn": (0, 1),
    "translate": (1,),
    "translate_number": (1, 2),
    "ColumnSpec": (1, 2),
    "AboutLine": (1,),
}
# Of these each argument is a message of its own, and an empty one is none.
SEPARATE = ("ColumnSpec",)
FIELDS = re.compile(r"{\w+}")
HAN = re.compile(r"[\u4e00-\u9fff]")
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def sources() -> Iterator[Path]:
    yield ROOT / "app.py"
    yield from (f for f in sorted((ROOT / "ui").rglob("*.py")) if f.name != "i18n.py")


def marked() -> dict[tuple[str, ...], str]:
    """Message id (with its plural where it has one) -> where it stands."""
    found = {}
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in MARKED:
                continue
            where = f"{file.relative_to(ROOT)}:{node.lineno}"
            parts = [node.args[place] for place in MARKED[node.func.id]]
            texts = [part.value for part in parts if isinstance(part, ast.Constant)]
            assert len(texts) == len(parts), f"{where}: a message must be a literal"
            if node.func.id in SEPARATE:
                found |= {(str(text),): where for text in texts if text}
            else:
                found[tuple(str(text) for text in texts)] = where
    return found


def catalogue(language: Language) -> dict[tuple[str, ...], Message]:
    """Every message of the language; each stands in one part only."""
    found: dict[tuple[str, ...], Message] = {}
    for part in sorted((LOCALE_DIR / LOCALE_BY_LANGUAGE[language]).glob("*.po")):
        with part.open("rb") as file:
            messages = read_po(file, locale=LOCALE_BY_LANGUAGE[language])
        for m in messages:
            if not m.id:
                continue
            key = m.id if isinstance(m.id, tuple) else (str(m.id),)
            assert key not in found, f"{key} stands in {part.name} and in another part"
            found[key] = m
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_string_is_missing_and_none_is_unused(language: Language) -> None:
    used, known = marked(), catalogue(language)
    missing = {key: where for key, where in used.items() if key not in known}
    assert not missing
    assert not known.keys() - used.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_is_translated_with_the_same_fields(language: Language) -> None:
    for key, message in catalogue(language).items():
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        for text in texts:
            assert text, f"{key} has no {language}"
            assert set(FIELDS.findall(text)) <= set(FIELDS.findall(" ".join(key))), key
            assert set(FIELDS.findall(key[-1])) <= set(FIELDS.findall(text)), key
            assert not message.fuzzy


def test_chinese_is_chinese_and_nothing_exclaims() -> None:
    for key, message in catalogue("zh").items():
        text = FIELDS.sub("", "".join(message.string))
        assert HAN.search(text) or not re.search("[A-Za-z]", text), key
    for language in LANGUAGES:
        texts = ["".join(message.string) for message in catalogue(language).values()]
        assert not [text for text in texts if "!" in text or "！" in text]


def test_the_browsers_locale_chooses_the_first_language() -> None:
    assert [parse_language(name) for name in ("zh-CN", "zh_Hant", "en-GB", "fr", None)] == [
        "zh",
        "zh",
        "en",
        "en",
        "en",
    ]


def test_translations_fill_fields_and_plurals() -> None:
    assert translate("zh", "target {n}", n="500 万") == "目标 500 万"
    assert translate_number("en", "{n} person", "{n} persons", 1, n=1) == "1 person"
    assert translate_number("en", "{n} person", "{n} persons", 2, n=2) == "2 people"
    assert translate_number("zh", "{n} person", "{n} persons", 2, n=2) == "2 人"
