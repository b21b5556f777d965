"""Who meets the bases of which next honour, by criteria stated here as data.

The criteria are the part of the schemes that records can decide: level and years at it, honours
held, apprentices brought to high skill, a studio led, places in competitions. What records cannot
decide is stated with each honour (`Honour.undecided`). To meet them is no decision and no promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from graph.cache.tables import build_table_path, has_cached_table, scan_cached_table
from graph.model.vocabularies import BASES
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

NOMINATION_FACTS_VERSION: Final = 1
SERVICE_YEAR_DAYS: Final = 365.25
# The lowest level anyone is nominated at: below it nobody is looked at.
LOWEST_NOMINATION_LEVEL: Final = 5
# Places of honours by grade: those of a grade are one step of the ladder.
MUNICIPAL: Final = "municipal_recognition"
PROVINCIAL: Final = "provincial_commendation"


@dataclass(frozen=True)
class Criterion:
    """One criterion: its code and words, and the column and least value that decide it.

    `any_of`: it is met when one of these columns reaches its least value.
    """

    code: str
    en: str
    zh: str
    any_of: Mapping[str, float]

    @property
    def met(self) -> pl.Expr:
        """Whether a row of `load_nomination_facts` meets it."""
        return pl.any_horizontal(
            [(pl.col(name) >= least).fill_null(False) for name, least in self.any_of.items()]
        )


def _build_level_criterion(level: int, words: tuple[str, str]) -> Criterion:
    return Criterion(f"level{level}", f"{words[0]} or above", f"{words[1]}及以上", {"level": level})


def _build_years_criterion(level: int, years: int) -> Criterion:
    return Criterion(
        f"years{level}",
        f"{years} year{'s' if years > 1 else ''} at level {level} or above",
        f"{level} 级及以上满 {years} 年",
        {f"years_at_{level}": years},
    )


def _build_honour_criterion(code: str, en: str, zh: str, *names: str) -> Criterion:
    return Criterion(code, en, zh, {f"holds_{name}": 1 for name in names})


def _build_merit_criterion(apprentices: int, place: str, en: str, zh: str) -> Criterion:
    return Criterion(
        "merit",
        f"leads a studio, or has {apprentices} high-skilled apprentices, or {en}",
        f"领办工作室，或带出 {apprentices} 名高技能徒弟，或{zh}",
        {"leads": 1, "apprentices": apprentices, place: 1},
    )


@dataclass(frozen=True)
class Honour:
    """One step: its code, names, criteria, and what of the real scheme the data cannot decide.

    `held_by`: the columns of `load_nomination_facts` any of which says that the person holds it.
    """

    code: str
    en: str
    zh: str
    criteria: tuple[Criterion, ...]
    undecided: tuple[str, str]
    held_by: tuple[str, ...]


TECHNICIAN: Final = ("technician", "技师")
SENIOR: Final = ("senior technician", "高级技师")
CONDUCT: Final = (
    "conduct, the recommending unit, public notice, the quota",
    "思想品德、推荐单位、公示、名额",
)
WORKS: Final = (
    "conduct, technical innovations and their benefit, special skills, recommendation, the quota",
    "思想品德、技术革新成果与效益、绝技绝活、推荐程序、名额",
)
PROVINCIAL_GRADE: Final = _build_honour_criterion(
    "provincial", "holds an honour of provincial grade", "已获省级荣誉", PROVINCIAL
)
EXPERT: Final = _build_honour_criterion(
    "expert", "is a National Technical Expert", "已是全国技术能手", "national_technical_expert"
)

# In order, from the first step up; codes are those of `BASES` where they are bases.
HONOURS: Final[Mapping[str, Honour]] = {
    honour.code: honour
    for honour in (
        Honour(
            MUNICIPAL,
            "Municipal recognition",
            "市级荣誉",
            (
                _build_level_criterion(5, TECHNICIAN),
                _build_years_criterion(5, 1),
                _build_merit_criterion(
                    2,
                    "placed_municipal",
                    "top 3 of a municipal competition or a higher one",
                    "市级及以上竞赛前 3 名",
                ),
            ),
            CONDUCT,
            ("holds_municipal_recognition", "holds_provincial_commendation", "holds_national"),
        ),
        Honour(
            PROVINCIAL,
            *BASES["provincial_commendation"],
            (
                _build_level_criterion(5, TECHNICIAN),
                _build_years_criterion(5, 3),
                _build_honour_criterion(
                    "municipal", "holds an honour of municipal grade", "已获市级荣誉", MUNICIPAL
                ),
                _build_merit_criterion(
                    3,
                    "placed_provincial",
                    "top 5 of a provincial competition or a higher one",
                    "省级及以上竞赛前 5 名",
                ),
            ),
            CONDUCT,
            ("holds_provincial_commendation", "holds_national"),
        ),
        Honour(
            "national_technical_expert",
            *BASES["national_technical_expert"],
            (
                _build_level_criterion(5, TECHNICIAN),
                _build_years_criterion(5, 3),
                PROVINCIAL_GRADE,
                _build_merit_criterion(
                    5,
                    "placed_national",
                    "top 5 of a national or ministerial competition",
                    "国家级或部级竞赛前 5 名",
                ),
            ),
            WORKS,
            ("holds_national_technical_expert",),
        ),
        Honour(
            "national_may_day_medal",
            *BASES["national_may_day_medal"],
            (
                _build_level_criterion(5, TECHNICIAN),
                _build_years_criterion(5, 5),
                PROVINCIAL_GRADE,
                _build_merit_criterion(
                    5,
                    "placed_national",
                    "top 5 of a national or ministerial competition",
                    "国家级或部级竞赛前 5 名",
                ),
            ),
            WORKS,
            ("holds_national_may_day_medal",),
        ),
        Honour(
            "government_allowance",
            *BASES["government_allowance"],
            (
                _build_level_criterion(6, SENIOR),
                _build_years_criterion(6, 3),
                EXPERT,
                _build_merit_criterion(
                    8,
                    "placed_national",
                    "top 5 of a national or ministerial competition",
                    "国家级或部级竞赛前 5 名",
                ),
            ),
            WORKS,
            ("holds_government_allowance",),
        ),
        Honour(
            "china_skills_award",
            *BASES["china_skills_award"],
            (
                _build_level_criterion(6, SENIOR),
                _build_years_criterion(6, 3),
                EXPERT,
                _build_merit_criterion(
                    10,
                    "placed_national",
                    "top 5 of a national or ministerial competition",
                    "国家级或部级竞赛前 5 名",
                ),
            ),
            WORKS,
            ("holds_china_skills_award",),
        ),
        Honour(
            "national_model_worker",
            *BASES["national_model_worker"],
            (
                _build_level_criterion(5, TECHNICIAN),
                _build_years_criterion(5, 5),
                _build_honour_criterion(
                    "medal",
                    "holds the National May Day Medal or is a National Technical Expert",
                    "已获全国五一劳动奖章或全国技术能手",
                    "national_may_day_medal",
                    "national_technical_expert",
                ),
                _build_merit_criterion(
                    10,
                    "placed_national",
                    "top 5 of a national or ministerial competition",
                    "国家级或部级竞赛前 5 名",
                ),
            ),
            WORKS,
            ("holds_national_model_worker",),
        ),
    )
}
NATIONAL_HONOUR_CODES: Final = tuple(code for code in BASES if not code.startswith("provincial"))


def load_nomination_facts(snapshot: Snapshot, policy: Policy) -> pl.LazyFrame:
    """What the criteria look at: a row for everyone at level 5 or above who has not retired.

    person_id, name, province, occupation_code, enterprise_id, level, years_at_5, years_at_6,
    apprentices (own, high-skilled after the mentorship began), leads, placed_municipal,
    placed_provincial, placed_national, holds_... (1 or 0). Cached beside the snapshot.
    """
    return scan_cached_table(
        _build_nomination_facts_path(snapshot, policy),
        partial(_compute_nomination_facts, snapshot, policy),
    )


def has_nomination_facts(snapshot: Snapshot, policy: Policy) -> bool:
    """Whether the facts are there, so that asking for them costs next to nothing."""
    return has_cached_table(_build_nomination_facts_path(snapshot, policy))


def _build_nomination_facts_path(snapshot: Snapshot, policy: Policy) -> Path | None:
    return build_table_path(
        snapshot,
        "honours",
        policy.as_of,
        policy.high_skilled_level,
        policy.year_alone,
        NOMINATION_FACTS_VERSION,
    )


def _compute_nomination_facts(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    frames, as_of = snapshot.under(policy).frames, policy.as_of
    first_days = {
        n: pl.col("day").filter(pl.col("level") >= n).min()
        for n in (LOWEST_NOMINATION_LEVEL, LOWEST_NOMINATION_LEVEL + 1)
    }
    rises = frames["promotions"].filter(pl.col("day") <= as_of)
    careers = (
        rises.group_by("person")
        .agg(
            best=pl.col("level").max(),
            skilled=pl.col("day").filter(pl.col("level") >= policy.high_skilled_level).min(),
            **{
                f"years_at_{n}": (pl.lit(as_of) - day).dt.total_days() / SERVICE_YEAR_DAYS
                for n, day in first_days.items()
            },
        )
        .collect()
    )
    skilled = careers.lazy().select(apprentice="person", skilled="skilled").drop_nulls()
    able = careers.filter(pl.col("best") >= LOWEST_NOMINATION_LEVEL).drop("skilled")
    own = (
        frames["edges"]
        .filter(pl.col("channel") == "mentorship", pl.col("start").is_not_null())
        .join(able.lazy(), left_on="mentor", right_on="person", how="semi")
        .join(skilled, on="apprentice")
        .filter(pl.col("start") <= pl.col("skilled"))
        .group_by(person="mentor")
        .agg(apprentices=pl.col("apprentice").n_unique())
    )
    now = (pl.col("end").is_null() | (pl.col("end") >= as_of)) & (
        pl.col("start").is_null() | (pl.col("start") <= as_of)
    )
    leads = frames["leads"].filter(now).select("person", leads=pl.lit(1)).unique()
    found = (
        frames["people"]
        .join(able.lazy(), on="person")
        .filter(~(pl.col("retired_on") <= as_of).fill_null(False))
        .select(
            "person",
            "person_id",
            "name",
            "province",
            "occupation_code",
            "enterprise_id",
            "years_at_5",
            "years_at_6",
            level="best",
        )
    )
    for part in (own, leads, _flag_placings(frames, policy), _flag_held_honours(frames, policy)):
        found = found.join(part, on="person", how="left")
    counted = pl.selectors.starts_with("apprentices", "leads", "placed_", "holds_")
    return found.with_columns(counted.fill_null(0)).sort("person_id").drop("person").collect()


def _flag_placings(frames: Mapping[str, pl.LazyFrame], policy: Policy) -> pl.LazyFrame:
    """Whether one placed well in a competition of a grade or a higher one."""
    held = frames["competitions"].select("competition_id", "grade", day="date")
    grades = ("municipal", "provincial", "ministerial", "national")

    def placed(lowest: str, rank: int) -> pl.Expr:
        high = list(grades[grades.index(lowest) :])
        return ((pl.col("rank") <= rank) & pl.col("grade").is_in(high)).any().cast(pl.Int32)

    return (
        frames["placings"]
        .join(held, on="competition_id")
        .filter(pl.col("day") <= policy.as_of)
        .group_by("person")
        .agg(
            placed_municipal=placed("municipal", 3),
            placed_provincial=placed("provincial", 5),
            placed_national=placed("ministerial", 5),
        )
    )


def _flag_held_honours(frames: Mapping[str, pl.LazyFrame], policy: Policy) -> pl.LazyFrame:
    """Which honours one holds: as honours, or as the bases one was named a leading talent on."""
    named = frames["talents"].select("person", "grade", honour="basis", date="recognised_on")
    honours = frames["honours"].select("person", "grade", "honour", "date")
    every = pl.concat([honours, named], how="diagonal_relaxed").filter(
        pl.col("date") <= policy.as_of
    )
    honour, grade = pl.col("honour"), pl.col("grade")
    codes = {f"holds_{code}": honour == code for code in NATIONAL_HONOUR_CODES}
    # Who holds an honour of a grade holds what stands below it.
    national = honour.is_in(list(NATIONAL_HONOUR_CODES))
    provincial = (grade == "provincial") | honour.str.starts_with("provincial") | national
    tests = codes | {
        "holds_national": national,
        f"holds_{PROVINCIAL}": provincial,
        f"holds_{MUNICIPAL}": (grade == "municipal") | provincial,
    }
    return every.group_by("person").agg(
        **{name: test.fill_null(False).any().cast(pl.Int32) for name, test in tests.items()}
    )


def find_nominees(found: pl.LazyFrame, honour: Honour) -> pl.LazyFrame:
    """Of the facts, those who meet all criteria of an honour but one at most, and do not hold it.

    Besides the facts: missing (how many are not met, 0 or 1), missed (the code of that one). Those
    who meet all first, then by own apprentices and by years at level 5.
    """
    not_held = pl.all_horizontal([pl.col(name) == 0 for name in honour.held_by])
    missed = pl.coalesce(
        *[pl.when(~criterion.met).then(pl.lit(criterion.code)) for criterion in honour.criteria]
    )
    missing = pl.sum_horizontal([(~criterion.met).cast(pl.Int8) for criterion in honour.criteria])
    return (
        found.filter(not_held)
        .with_columns(missing=missing, missed=missed)
        .filter(pl.col("missing") <= 1)
        .sort(
            "missing",
            "apprentices",
            "years_at_5",
            "person_id",
            descending=[False, True, True, False],
        )
    )


def count_nominees(found: pl.LazyFrame) -> pl.DataFrame:
    """Of the facts, how many people meet each honour's criteria or miss one, and hold it already.

    A row an honour and missed criterion: honour (its code), missed (the criterion's code; null:
    all are met), n (persons), holders (persons; the same in all rows of an honour).
    """
    parts = []
    for honour in HONOURS.values():
        near = find_nominees(found, honour).group_by("missed").agg(n=pl.len()).collect()
        held = pl.any_horizontal([pl.col(name) > 0 for name in honour.held_by])
        holders = found.select(held.sum()).collect().item()
        parts.append(near.with_columns(honour=pl.lit(honour.code), holders=pl.lit(holders)))
    return pl.concat(parts)
