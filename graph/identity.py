"""Citizen ID numbers: checked, then stored only as a keyed digest.

The digest (HMAC-SHA-256) lets two departments' rows of one person be matched without the number
being stored. Its key is made once, stored in the data folder with mode 0600, or given as
SHICHENG_ID_KEY when several machines must give the same digests.
"""

from __future__ import annotations

import re
import unicodedata

ID_NUMBER_PATTERN = re.compile(r"\d{17}[\dX]")
CHECK_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"


def is_valid_id_number(number: str) -> bool:
    """Whether `number` has 18 characters and its last one is the check of the others.

    GB 11643-1999, check character by ISO 7064 MOD 11-2. Region and birth date are not judged.
    """
    if not ID_NUMBER_PATTERN.fullmatch(number):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(CHECK_WEIGHTS, number, strict=False))
    return CHECK_CHARACTERS[total % 11] == number[17]


# Between the digits of one number: blanks, dashes, signs that group digits, invisible signs.
_DIGIT_SEPARATORS = "[\\s\\-\u2010-\u2015\u2212_.,·'\u200b-\u200f\u2060\ufeff]"
# Where an ID number may stand in NFKC text, for engines without look-around (RE2, Rust).
ID_NUMBER_SHAPE = f"(?:^|[^0-9])(?:[0-9]{_DIGIT_SEPARATORS}?){{17}}[0-9Xx](?:$|[^0-9])"
_ID_NUMBER_IN_TEXT_PATTERN = re.compile(
    f"(?=((?<![0-9])[0-9](?:{_DIGIT_SEPARATORS}?[0-9]){{16}}{_DIGIT_SEPARATORS}?[0-9Xx])(?![0-9]))"
)
_CREDIT_CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # pragma: allowlist secret


def has_id_number(text: str) -> bool:
    """Whether the text holds an ID number, also in full-width digits or parted by blanks.

    An ID number is 17 digits and the right check character with no further digit beside them.
    Digits in groups are one only with a date where the birth date stands, and so is a right social
    credit code (GB 32100-2015), so that lists of numbers and organisations are none.
    """
    return any(True for _ in _find_id_number_spans(unicodedata.normalize("NFKC", text)))


def mask_id_numbers(text: str) -> str:
    """The text with `***` in place of each ID number; a text without one as it is."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    spans = list(_find_id_number_spans(plain))
    for start, end in reversed(spans):
        plain = f"{plain[:start]}***{plain[end:]}"
    return plain if spans else text


def _find_id_number_spans(text: str) -> list[tuple[int, int]]:
    """Where ID numbers stand in NFKC text, in order and apart."""
    spans: list[tuple[int, int]] = []
    for match in _ID_NUMBER_IN_TEXT_PATTERN.finditer(text):
        number = re.sub(_DIGIT_SEPARATORS, "", match[1]).upper()
        in_doubt = number != match[1].upper() or _is_credit_code(number)
        after_last = not spans or match.start(1) >= spans[-1][1]
        if after_last and is_valid_id_number(number) and (not in_doubt or _has_birth_date(number)):
            spans.append(match.span(1))
    return spans


def _is_credit_code(number: str) -> bool:
    total = sum(
        pow(3, at, 31) * _CREDIT_CODE_CHARACTERS.index(sign) for at, sign in enumerate(number[:17])
    )
    return _CREDIT_CODE_CHARACTERS[-total % 31] == number[17]


def _has_birth_date(number: str) -> bool:
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    return 1850 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31
