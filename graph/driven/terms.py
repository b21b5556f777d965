"""Columns, constants and words of the driven counts."""

from __future__ import annotations

from datetime import date
from typing import Final

import narwhals as nw

from graph.labels import MetricColumnLabels
from graph.policy import CHANNELS

# The start of what has always been there: an undated edge that is included, a talent's own place.
# Before every date taken in (`loaders.columns.EARLIEST_YEAR`), and in the calendar of today.
ALWAYS_DATE: Final = date(1583, 1, 1)
ARRIVAL_COLUMNS: Final = ("arrival", *CHANNELS)
CHAIN_KINDS: Final = ("mentorship_only", "studio_only", "both", "mixed")
CREDIT_COLUMNS: Final = ("equal", "nearest", "decay")
# Columns `Driven.table` always has for the generations, as those who script against it expect.
MIN_GENERATION_COLUMNS: Final = 3
# Lists of fewer rows look their people up one by one, not by reading everyone.
SMALL_LOOKUP_ROWS: Final = 100_000
# More than there are people: keeps two numbers apart in one.
GENERATION_KEY_BASE: Final = 2**40
# A talent's and a person's row number (Int32) as one: a single key is joined and grouped quicker.
PAIR_KEY_BASE: Final = 2**32
PAIR_KEY: Final = (nw.col("person").cast(nw.Int64) * PAIR_KEY_BASE + nw.col("talent")).alias("pair")
# From so many generations on it pays to follow only the arrivals that improve on shorter chains.
LONG_WALK_GENERATIONS: Final = 4
# The tables of the snapshot that are needed, and those that come out.
INPUT_TABLES: Final = ("edges", "promotions", "talents", "people", "enterprises")
RESULT_TABLES: Final = ("events", "pairs", "promotions", "waiting", "breakdowns")
# What the figures are broken down by: of the worker and the talent, and of the talent alone.
PERSON_BREAKDOWNS: Final = ("province", "occupation_code", "type")
EMPLOYER_BREAKDOWNS: Final = ("industry", "ownership")
TALENT_BREAKDOWNS: Final = ("basis", "year")

# Lines of the reconciliation of person-times, in the words of the definition.
LEDGER_LINES: Final = {
    "first_promotions": "first promotions of driven persons",
    "further_promotions": "further promotions of driven persons",
    "high_skilled_before": "promotions of people who were high-skilled before the window",
    "later_promotions": "later promotions of new people whose first one no chain reached",
}

COLUMNS: Final[MetricColumnLabels] = {
    "talent_id": ("leading talent", "领军人才编号"),
    "name": ("name", "姓名"),
    "driven": ("driven", "带动人数"),
    "person_times": ("person-times", "带动人次"),
    "g1": ("generation 1", "第一代"),
    "g2": ("generation 2", "第二代"),
    "g3": ("generation 3", "第三代"),
    "pending": ("pending", "待晋升人数"),
    "equal": ("shared equally", "均分人数"),
    "nearest": ("credit to the nearest", "就近归属人数"),
    "decay": ("credit by generation", "逐代递减人数"),
}
