"""The model by which two records are compared: Fellegi and Sunter's, as splink computes it.

Each field of two records agrees to a level. A level adds log2(m / u) bits to the weight of the
pair: m is the share of pairs of one person that reach it, u the share of pairs of two people. For
names, employers, occupations and provinces u is the share of people who have that value (splink's
term-frequency adjustment), so that 王伟 says less than a rare name. The weight begins at
-log2(records): so rare is it that two records taken by chance are one person.

All m and u are fixed here, and the shares are counted in the data, so that the same people get the
same weight on every machine and in every order of rows. ID numbers are not weighed: equal ones
have already joined two records by rule, and different ones forbid it.

Fellegi, Sunter: A theory for record linkage (1969). https://moj-analytical-services.github.io/splink
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import splink.comparison_level_library as levels
from splink import SettingsCreator
from splink.blocking_rule_library import CustomRule
from splink.comparison_library import CustomComparison

if TYPE_CHECKING:
    from splink.internals.comparison_level_creator import ComparisonLevelCreator

# Field -> what its levels are called, from the one that says most. The last one is disagreement.
FIELD_LEVELS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("same", "same_sound", "one_character", "one_of_two", "different"),
    "birth": ("same", "same_year", "slip", "near", "different"),
    "sex": ("same", "different"),
    "employer": ("same", "earlier", "different"),
    "occupation": ("same_there", "same", "same_group", "different"),
    "province": ("same", "different"),
    "certificate": ("same", "different"),
}
# Bits from which a pair is merged by itself, and from which a person is asked.
MERGE_WEIGHT_BITS: Final = 6.0
ASK_WEIGHT_BITS: Final = -1.0
# A record with two partners of one department is nobody's, unless the better is so much better.
AMBIGUITY_BITS: Final = 6.0

# Slips are looked for in so many first characters of a name; few have more.
MAX_SLIP_PLACE: Final = 6

# Who works at one employer is in its province, and in one of its few occupations: these say little.
_ONE_EMPLOYER: Final = "coalesce(employer_l = employer_r, false)"
_APART: Final = "NOT list_has_any(l.departments, r.departments)"
# Two different ID numbers are never one person; a null says nothing.
_ID_NUMBERS_AGREE: Final = "coalesce(l.digest = r.digest, true)"
# What brings two records together at all. Each joins by equality, so that DuckDB hashes it.
BLOCKING_RULES: Final = tuple(
    f"({rule}) AND {_ID_NUMBERS_AGREE}"
    for rule in (
        "l.name = r.name AND l.birth = r.birth",
        f"l.birth = r.birth AND l.employer = r.employer AND {_APART}",
        f"l.name = r.name AND l.employer = r.employer AND {_APART} "
        "AND coalesce(abs(l.birth_year - r.birth_year) <= 1, true)",
        f"l.pinyin = r.pinyin AND l.birth = r.birth AND {_APART}",
        "l.birth = r.birth AND l.occupation = r.occupation AND l.province = r.province "
        f"AND left(l.name, 1) = left(r.name, 1) AND {_APART}",
        "l.name = r.name AND l.occupation = r.occupation AND l.province = r.province "
        f"AND coalesce(abs(l.birth_year - r.birth_year) <= 1, true) AND {_APART}",
    )
)


def build_match_settings(records: int, birth_share: float) -> SettingsCreator:
    """splink's settings for so many records. `birth_share`: the chance that two are born on one
    day.
    """
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        probability_two_random_records_match=1 / max(records, 2),
        blocking_rules_to_generate_predictions=[
            CustomRule(rule, sql_dialect="duckdb") for rule in BLOCKING_RULES
        ],
        comparisons=[
            _compare_names(),
            _compare_births(birth_share),
            _compare_sexes(),
            _compare_employers(),
            _compare_occupations(),
            _compare_provinces(),
            _compare_certificates(),
        ],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=True,
    )


def compute_probability(weight: float) -> float:
    """The probability that a pair of this weight (bits) is one person."""
    return 1 / (1 + 2.0**-weight) if weight > -math.inf else 0.0


def compute_weight(probability: float) -> float:
    """The bits of a pair that is one person with this probability."""
    return math.log2(probability / (1 - probability)) if probability < 1 else math.inf


def _compare(field: str, *found: ComparisonLevelCreator) -> CustomComparison:
    assert len(found) == len(FIELD_LEVELS[field]) + 1, field  # one for "not stated"
    return CustomComparison(output_column_name=field, comparison_levels=list(found))


def _skip(sql: str) -> ComparisonLevelCreator:
    """A level that says nothing, for or against."""
    return levels.CustomLevel(sql, sql).configure(is_null_level=True)


def _level(sql: str, m: float, u: float) -> ComparisonLevelCreator:
    return levels.CustomLevel(sql, sql).configure(m_probability=m, u_probability=u)


def _exact(column: str, m: float, u: float) -> ComparisonLevelCreator:
    """Equal values, weighed by how rare the value is."""
    return levels.ExactMatchLevel(column).configure(
        m_probability=m, u_probability=u, tf_adjustment_column=column
    )


def _else(m: float, u: float) -> ComparisonLevelCreator:
    return levels.ElseLevel().configure(m_probability=m, u_probability=u)


def _compare_names() -> CustomComparison:
    near = _build_one_slip_condition("name_l", "name_r")
    long = "least(length(name_l), length(name_r)) >= 3"
    return _compare(
        "name",
        levels.NullLevel("name"),
        _exact("name", 0.955, 1e-4),
        _level("pinyin_l = pinyin_r", 0.015, 3e-4),
        _level(f"{near} AND {long}", 0.018, 1.6e-3),
        _level(f"{near} AND left(name_l, 1) = left(name_r, 1)", 0.007, 3e-3),
        _else(0.0008, 0.965),
    )


def _build_one_slip_condition(one: str, other: str) -> str:
    """SQL: the texts differ by one character, one too few, or two turned.

    DuckDB's own distances count bytes, of which a Chinese character has three.
    """
    places = range(1, MAX_SLIP_PLACE + 1)
    rests = [(f"left({one}, {at - 1}) = left({other}, {at - 1})", at) for at in places]
    replaced = " OR ".join(
        f"({begin} AND substring({one}, {at + 1}) = substring({other}, {at + 1}))"
        for begin, at in rests
    )
    turned = " OR ".join(
        f"({begin} AND substring({one}, {at}, 1) = substring({other}, {at + 1}, 1) "
        f"AND substring({one}, {at + 1}, 1) = substring({other}, {at}, 1) "
        f"AND substring({one}, {at + 2}) = substring({other}, {at + 2}))"
        for begin, at in rests[:-1]
    )
    missing = " OR ".join(
        f"({begin} AND CASE WHEN length({one}) > length({other}) "
        f"THEN substring({one}, {at + 1}) = substring({other}, {at}) "
        f"ELSE substring({one}, {at}) = substring({other}, {at + 1}) END)"
        for begin, at in rests
    )
    return (
        f"CASE WHEN length({one}) = length({other}) THEN ({replaced} OR {turned}) "
        f"WHEN abs(length({one}) - length({other})) = 1 THEN ({missing}) ELSE false END"
    )


def _compare_births(share: float) -> CustomComparison:
    days = "abs(date_diff('day', try_cast(birth_l AS DATE), try_cast(birth_r AS DATE)))"
    swapped = (
        "left(birth_l, 4) = left(birth_r, 4) AND birth_l[6:7] = birth_r[9:10] "
        "AND birth_l[9:10] = birth_r[6:7]"
    )
    return _compare(
        "birth",
        levels.NullLevel("birth_year"),
        _level("birth_l = birth_r", 0.95, share),
        _level("(birth_l IS NULL OR birth_r IS NULL) AND birth_year_l = birth_year_r", 0.98, 3e-2),
        _level(
            f"damerau_levenshtein(birth_l, birth_r) <= 1 OR {days} <= 1 OR ({swapped})",
            0.025,
            2.5e-3,
        ),
        _level(f"{days} <= 31", 0.012, 5e-3),
        _else(0.013, 0.99),
    )


def _compare_sexes() -> CustomComparison:
    return _compare(
        "sex",
        levels.NullLevel("sex"),
        _level("sex_l = sex_r", 0.995, 0.5),
        _else(0.005, 0.5),
    )


def _compare_employers() -> CustomComparison:
    return _compare(
        "employer",
        levels.NullLevel("employer"),
        _exact("employer", 0.72, 1e-4),
        _level("list_has_any(employers_l, employers_r)", 0.04, 1e-3),
        _else(0.24, 0.998),
    )


def _compare_occupations() -> CustomComparison:
    return _compare(
        "occupation",
        levels.NullLevel("occupation"),
        _level(f"occupation_l = occupation_r AND {_ONE_EMPLOYER}", 0.65, 0.13),
        _exact("occupation", 0.9, 2e-2),
        _level("left(occupation_l, 4) = left(occupation_r, 4)", 0.05, 6e-2),
        _else(0.03, 0.92),
    )


def _compare_provinces() -> CustomComparison:
    return _compare(
        "province",
        _skip(f"province_l IS NULL OR province_r IS NULL OR {_ONE_EMPLOYER}"),
        _exact("province", 0.95, 5e-2),
        _else(0.02, 0.95),
    )


def _compare_certificates() -> CustomComparison:
    """Nobody else has one's certificate; two people and one person alike have different ones."""
    return _compare(
        "certificate",
        levels.NullLevel("certificates"),
        _level("list_has_any(certificates_l, certificates_r)", 0.3, 1e-8),
        _else(0.7, 1.0),
    )
