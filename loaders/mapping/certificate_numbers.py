"""What a certificate number says of its own: degree, level, year, province.

A certificate of a skill level has one letter and 21 digits: kind, body (4), province (2), serial of
the body (6), year (2), degree of the old ladder (1), serial (6); of 特级技师 and 首席技师 two
letters and 20 digits. A certificate of the old qualifications has 16 digits: year (2), province
(2), city (2), kind of body (1), and serials, in which the degree has no fixed place.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import polars as pl

from graph.model.vocabularies import PROVINCES
from loaders.mapping.level_words import OLD_DEGREE_LEVELS

# Letter, body (4), province (2), the body's serial (6), year (2), degree, serial (6).
SKILL_CERTIFICATE_PATTERN: Final = r"^[A-Z]\d{4}(\d{2})\d{6}(\d{2})([1-5])\d{6}$"
_TOP_CERTIFICATE_PATTERN: Final = r"^[A-Z]{2}\d{4}(\d{2})\d{6}(\d{2})\d{6}$"
_OLD_CERTIFICATE_PATTERN: Final = r"^(\d{2})(\d{2})\d{12}$"
# Numbers of two digits above this are years of the last century.
_LAST_YEAR_OF_THIS_CENTURY: Final = 69


@dataclass(frozen=True)
class CertificateNumber:
    """`level` is of the eight-step ladder, None where the number does not hold it."""

    year: int
    province: str
    level: int | None = None


def parse_certificate_number(text: str) -> CertificateNumber | None:
    """The parts of the number; None where it has none of the three known forms."""
    number = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    if matched := re.match(SKILL_CERTIFICATE_PATTERN, number):
        province, year, level = matched[1], matched[2], OLD_DEGREE_LEVELS[int(matched[3])]
    elif matched := re.match(_TOP_CERTIFICATE_PATTERN, number):
        province, year, level = matched[1], matched[2], None
    elif matched := re.match(_OLD_CERTIFICATE_PATTERN, number):
        year, province, level = matched[1], matched[2], None
    else:
        return None
    if province not in PROVINCES:
        return None
    century = 2000 if int(year) <= _LAST_YEAR_OF_THIS_CENTURY else 1900
    return CertificateNumber(century + int(year), province, level)


def parse_certificate_numbers(cells: pl.Series) -> pl.DataFrame:
    """`year` and `level` (Int64) of each number of a column of text; null where it has none."""
    numbers = cells.str.replace_all(r"\s", "").str.to_uppercase().alias("number").to_frame()
    number = pl.col("number")
    two_digits = pl.coalesce(
        number.str.extract(SKILL_CERTIFICATE_PATTERN, 2),
        number.str.extract(_TOP_CERTIFICATE_PATTERN, 2),
        number.str.extract(_OLD_CERTIFICATE_PATTERN, 1),
    ).cast(pl.Int64)
    province = pl.coalesce(
        number.str.extract(SKILL_CERTIFICATE_PATTERN, 1),
        number.str.extract(_TOP_CERTIFICATE_PATTERN, 1),
        number.str.extract(_OLD_CERTIFICATE_PATTERN, 2),
    )
    century = pl.when(two_digits <= _LAST_YEAR_OF_THIS_CENTURY).then(2000).otherwise(1900)
    degree = number.str.extract(SKILL_CERTIFICATE_PATTERN, 3).cast(pl.Int64)
    level = degree.replace_strict(OLD_DEGREE_LEVELS, default=None, return_dtype=pl.Int64)
    known = province.is_in(list(PROVINCES))
    return numbers.select(
        year=pl.when(known).then(century.cast(pl.Int64) + two_digits),
        level=pl.when(known).then(level),
    )
