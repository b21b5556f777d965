"""Several names or honours in one cell, and names as people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from graph.model.vocabularies import TWO_CHARACTER_FAMILY_NAMES
from loaders.traditional_forms import simplify_characters

_SEPARATOR_PATTERN: Final = re.compile(r"[、,，;；/／\n\r|｜]+|\s{2,}")
_NAME_PATTERN: Final = re.compile(
    r"[\u3400-\u9fff\U00020000-\U0003ffff·]{2,20}|[^\W\d_](?:[^\W\d_]|[ .,'’-])+"
)
_HAN_PATTERN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
# Of names in letters: beside one of these signs, a comma stands between the parts of one name.
_LETTER_SEPARATOR_PATTERN: Final = re.compile(r"\s*[、;；/／\n\r|｜]+\s*")
_COMMA_PATTERN: Final = re.compile(r"\s*[,，]\s*(?:(?:and|&)\s+)?|\s+(?:and|&)\s+")
# What people add to a name: 张三（组长）.
_NOTE_PATTERN: Final = re.compile(r"\s*[（(][^（）()]*[）)]$")
_SEVERAL_PATTERN: Final = re.compile(r"[、,，;；/／\n\r|｜]+")
_STATE_NOTE_PATTERN: Final = re.compile(
    r"\((?:已?退休|已?离休|返聘|退休返聘|借调|借用|外聘|兼职|已?离职|已?调离|已?调出|已?故|已?去世|已?逝世|在职|在岗)\)$"
)
_ANY_NOTE_PATTERN: Final = re.compile(r"\([^()]*\)$|[*#△▲★☆]+$")
# Dots between the parts of a name, of which one is the standard's (GB/T 2312's middle dot).
_DOTS: Final = "•・‧∙⋅●.．"
_DOT_PATTERN: Final = re.compile(f"[{_DOTS}]")


def normalize_name(text: str) -> str:
    """A person's name as it is compared: NFKC, one kind of dot, no blanks between Han characters.

    `贺 彪` and `贺　彪` are one name; a name in Latin letters keeps single blanks.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if re.search(r"[\u3400-\u9fff]", plain):
        # An accent that stood after a blank joins the letter before it.
        return unicodedata.normalize("NFKC", _DOT_PATTERN.sub("·", "".join(plain.split())))
    return " ".join(plain.split())


def list_written_names(name: str) -> list[str]:
    """Ways in which a normalized name is found written in lists; each normalizes to it.

    A name of Han characters with blanks between two of them or between all, or with another dot.
    """
    if not re.search(r"[\u3400-\u9fff]", name):
        return [name]
    blanks = (" ", "  ", "\u3000")
    parted = [f"{name[:at]}{blank}{name[at:]}" for at in range(1, len(name)) for blank in blanks]
    spaced = [blank.join(name) for blank in blanks]
    dotted = [name.replace("·", dot) for dot in _DOTS] if "·" in name else []
    return list(dict.fromkeys([name, *parted, *spaced, *dotted]))


def list_written_forms(names: Iterable[str]) -> list[str]:
    """The names, and what else the graph may have for them: it has each as it was written."""
    given = list(names)
    forms = {form for name in given for form in list_written_names(normalize_name(name))}
    return sorted(forms.union(given))


def split_items(text: str) -> list[str]:
    """The parts of a list in a cell, stripped, without empty ones; each once, in order."""
    parts = [part.strip() for part in _SEPARATOR_PATTERN.split(text)]
    return list(dict.fromkeys(part for part in parts if part))


def split_names(text: str) -> list[str]:
    """The names of a list in a cell; one name alone where the cell is no list of names.

    What stands in brackets after a name (组长) is left out. A blank parts names too, unless it
    stands between the characters of one name (贺 彪, 欧阳 娜娜). Beside another separator a comma
    is of a name in letters: `Gauss, Carl; Pfaff, Johann` are two.
    """
    parts = [_NOTE_PATTERN.sub("", part) for part in _split_by_signs(text)]
    if len(parts) == 1:
        by_blank = unicodedata.normalize("NFKC", parts[0]).split() or [""]
        if by_blank[0] not in TWO_CHARACTER_FAMILY_NAMES and all(map(_is_han_name, by_blank)):
            parts = list(dict.fromkeys(by_blank))
    names = [normalize_name(part) for part in parts]
    return names if all(map(_NAME_PATTERN.fullmatch, names)) else [normalize_name(text)]


def names_several_people(text: str) -> bool:
    """Whether a cell that is to name one person names several: 张三、李四."""
    plain = _NOTE_PATTERN.sub("", unicodedata.normalize("NFKC", text).strip())
    pattern = _SEVERAL_PATTERN if _HAN_PATTERN.search(plain) else _LETTER_SEPARATOR_PATTERN
    parts = [part.strip() for part in pattern.split(plain) if part.strip()]
    return len(parts) > 1 and all(_NAME_PATTERN.fullmatch(normalize_name(part)) for part in parts)


def strip_name_note(name: str, *, is_known: bool) -> str:
    """A normalized name without what people add to it: 张三(已退休), 李四*.

    A note may tell two people of one name apart (张伟(女)): where nothing but the name says who it
    is (`is_known` False), only a note on the person's state is left out.
    """
    matched = _STATE_NOTE_PATTERN.search(name)
    if matched is None and is_known:
        matched = _ANY_NOTE_PATTERN.search(name)
    return name[: matched.start()] if matched and matched.start() > 1 else name


def fold_name(name: str) -> str:
    """A name as it is compared within a list: its notes and traditional characters are gone."""
    return simplify_characters(strip_name_note(normalize_name(name), is_known=True))


def is_unclear_name_list(text: str) -> bool:
    """Whether a comma may part one name in letters or two: `Gauss, Carl`, `Plato, Socrates`."""
    if _HAN_PATTERN.search(text) or not re.search("[,，]", text):
        return False
    if len(_LETTER_SEPARATOR_PATTERN.split(text.strip())) > 1:
        return False
    parts = [part for part in _COMMA_PATTERN.split(text.strip()) if part]
    are_names = all(map(_NAME_PATTERN.fullmatch, parts))
    return len(parts) > 1 and are_names and any(len(part.split()) == 1 for part in parts)


def _split_by_signs(text: str) -> list[str]:
    if _HAN_PATTERN.search(text):
        return split_items(text)
    by_sign = [part for part in _LETTER_SEPARATOR_PATTERN.split(text.strip()) if part]
    parts = by_sign if len(by_sign) > 1 else _COMMA_PATTERN.split(text.strip())
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _is_han_name(text: str) -> bool:
    return _NAME_PATTERN.fullmatch(text) is not None and not text.isascii()
