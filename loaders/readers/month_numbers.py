"""Months that a spreadsheet holds as numbers: 2024.10 is the number 2024.1, which January is too.

A column of such numbers says how its months are written: where January to September have two digits
(2024.02), the number 2024.1 is October. Where they have one (2024.2), nobody can tell January from
October, and the cell is not read. Where October stands as text (2024.10), the number is January.
"""

from __future__ import annotations

from typing import Final

import polars as pl

# A number that may be October's; all that numbers of months and of years look like.
AMBIGUOUS_MONTH_PATTERN: Final = r"^(?:19|20)\d{2}\.1$"
_MONTH_OR_YEAR_PATTERN: Final = r"^(?:19|20)\d{2}(?:\.(?:0[1-9]|1[0-2]?|[2-9]))?$"
_TWO_DIGIT_PATTERN: Final = r"^(?:19|20)\d{2}\.0[1-9]$"
_ONE_DIGIT_PATTERN: Final = r"^(?:19|20)\d{2}\.[2-9]$"
_OCTOBER_PATTERN: Final = r"^(?:19|20)\d{2}[.]10$"
_MIN_MONTH_SHARE: Final = 0.8


def mark_october_numbers(text: pl.Series, is_number: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Which cells of a column are October, and which may be January or October; never both.

    `text`: the cells as they stand; `is_number`: which of them are numbers to the spreadsheet.
    """
    is_number = is_number.fill_null(False)
    number = text.filter(is_number)
    nowhere = pl.repeat(False, text.len(), eager=True)
    asked = (text.str.contains(AMBIGUOUS_MONTH_PATTERN) & is_number).fill_null(False)
    share = number.str.contains(_MONTH_OR_YEAR_PATTERN).mean()
    if not asked.any() or not isinstance(share, float) or share < _MIN_MONTH_SHARE:
        return nowhere, nowhere
    if text.str.contains(_OCTOBER_PATTERN).any():
        return nowhere, nowhere
    of_two_digits = number.str.contains(_TWO_DIGIT_PATTERN).any()
    of_one_digit = number.str.contains(_ONE_DIGIT_PATTERN).any()
    return (asked, nowhere) if of_two_digits and not of_one_digit else (nowhere, asked)
