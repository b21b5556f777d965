"""The answer to why a worker counts, and the reasons why one does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import polars as pl

from graph.dates import (
    format_date_in_words,
    get_date_precision,
)
from graph.identity import mask_id_numbers
from graph.policy import Policy

# Chains shown of one pair, unless more are asked for.
DEFAULT_CHAIN_COUNT: Final = 5

# The reasons in their order, each in English and Chinese; {fields} are figures of the answer.
REASONS: Final[dict[str, tuple[str, str]]] = {
    "no_such_talent": (
        "There is no person {talent} in this revision; the number would have to be in the graph.",
        "该版本中没有编号为 {talent} 的人员；须先在图中有此人。",
    ),
    "no_such_worker": (
        "There is no person {worker} in this revision; the number would have to be in the graph.",
        "该版本中没有编号为 {worker} 的人员；须先在图中有此人。",
    ),
    "not_a_leading_talent": (
        "{talent} was not named a leading talent; only leading talents drive workers.",
        "{talent} 未获评领军人才；只有领军人才才计带动。",
    ),
    "same_person": (
        "They are one person; nobody drives himself or herself.",
        "两者是同一人；本人不带动自己。",
    ),
    "pending": (
        "Pending: a chain has arrived, but no recognition at level {level} or above is recorded; "
        "one between {window_start} and {window_end} would count.",
        "待认定：师承链已形成，但没有 {level} 级及以上的认定记录；"
        "在 {window_start} 至 {window_end} 之间取得即可计入。",
    ),
    "never_high_skilled": (
        "No recognition at level {level} or above is recorded; one between {window_start} and "
        "{window_end} would have to be, and a chain arrive by then.",
        "没有 {level} 级及以上的认定记录；须在 {window_start} 至 {window_end} 之间取得，"
        "且师承链在此之前形成。",
    ),
    "high_skilled_before": (
        "First recognised at level {level} or above {on_day}, before the window, which begins on "
        "{window_start}; the first such recognition would have to lie inside it.",
        "首次取得 {level} 级及以上是在 {day}，早于统计期起日 {window_start}；"
        "首次取得须在统计期内。",
    ),
    "high_skilled_after": (
        "First recognised at level {level} or above {on_day}, after the window, which ends on "
        "{window_end}; the first such recognition would have to lie inside it.",
        "首次取得 {level} 级及以上是在 {day}，晚于统计期止日 {window_end}；首次取得须在统计期内。",
    ),
    "no_chain": (
        "No chain of any length leads from the talent to the worker; a mentorship or a studio "
        "training would have to link them, directly or through others.",
        "从该人才到该工人没有任何长度的师承链；须有师徒或工作室关系直接或逐代相连。",
    ),
    "too_many_hops": (
        "Only chains of more than {generations} hops: the shortest has {hops}; the policy would "
        "have to take {hops} generations.",
        "只有超过 {generations} 代的师承链：最短的为 {hops} 代；口径须放宽到 {hops} 代。",
    ),
    "undated": (
        "Only through an undated link: {mentor} to {apprentice}; its start would have to be "
        "recorded, or the policy include undated links.",
        "只能经由无日期的关系：{mentor} → {apprentice}；须补录起始日期，"
        "或在口径中计入无日期的关系。",
    ),
    "channel": (
        "Only through a channel that the policy leaves out: {mentor} to {apprentice} is a "
        "{channel} link; the policy would have to take it.",
        "只能经由口径不计的渠道：{mentor} → {apprentice} 为{channel}关系；口径须计入该渠道。",
    ),
    "back_in_time": (
        "Only chains that go back in time: {mentor} to {apprentice} began {on_start}, after the "
        "next link, {apprentice} to {onward}, {on_next_start}; nobody passes on what is not yet "
        "learned, so the next one would have to begin {on_start} or later.",
        "只有日期前后倒置的师承链：{mentor} → {apprentice} 始于 {start}，而下一段 "
        "{apprentice} → {onward} 始于 {next_start}；未学不能传，下一段须不早于 {start}。",
    ),
    "too_late": (
        "The chain arrives after the recognition: {mentor} to {apprentice} began {on_start}, the "
        "recognition at level {reached} was {on_day}; the link would have to begin by {day}.",
        "师承链形成晚于认定：{mentor} → {apprentice} 始于 {start}，{reached} 级认定在 {day}；"
        "该关系须不晚于 {day} 开始。",
    ),
}
# In which ledgers a pair counts, by `Explanation.ledger`.
LEDGER_WORDS: Final = {
    "person": (
        "counts as a person and as {times} person-time{s}",
        "计入人数，并计入人次 {times} 次",
    ),
    "person_time": (
        "counts as {times} person-time{s} only, not as a person",
        "只计入人次 {times} 次，不计入人数",
    ),
    "none": (
        "does not count, neither as a person nor as a person-time",
        "人数、人次均不计入",
    ),
}
CHANNEL_WORDS: Final = {"mentorship": ("mentorship", "师徒"), "studio": ("studio", "工作室")}
NO_DATE: Final = ("no known day", "无日期（视为早已存在）")


@dataclass(frozen=True)
class SourceRow:
    """A row of a file that states something: its table, file, line, and who stated it."""

    table: str
    file: str
    row: int | None
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Hop:
    """One link of a chain: who taught whom, from when to when (None = not known, or open).

    `studio` is where, for a studio's link; `rows` are the rows that state it.
    """

    mentor: str
    apprentice: str
    start: date | None
    channel: str
    end: date | None = None
    studio: str | None = None
    rows: tuple[SourceRow, ...] = ()


@dataclass(frozen=True)
class PromotionEvent:
    """A promotion of the worker to high skill or further, inside the window.

    `first` tells that it made the person high-skilled, so that it counts in both ledgers; any
    other counts as a person-time alone. `generation` and `channel` are of the chains that count
    for it, 0 and None when none does.
    """

    day: date
    level: int
    before: int
    first: bool
    generation: int
    channel: str | None
    rows: tuple[SourceRow, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether a chain counts for it."""
        return self.generation > 0


@dataclass(frozen=True)
class Explanation:
    """Whether a worker is a driven person of a talent under a policy, and why so.

    - counts, generation (0 = none), channel: as the engine says of the pair
    - pending: whether it waits on the policy's as-of day
    - first_high: the day the worker was first high-skilled, whenever that was
    - events: the promotions inside the window, each with whether it counts as a person-time
    - chains: those that count by `arrived_by` (the day of the first event that counts, or the
      as-of day of one who is pending), the best first; `more` when there are others
    - reason: why it is not a driven person, a key of `REASONS`; None where it is
    - failing: where a chain breaks a rule, the one that meets all rules before it
    """

    talent_id: str
    worker_id: str
    policy: Policy
    revision: int
    counts: bool
    generation: int = 0
    channel: str | None = None
    pending: bool = False
    first_high: date | None = None
    events: tuple[PromotionEvent, ...] = ()
    arrived_by: date | None = None
    chains: tuple[tuple[Hop, ...], ...] = ()
    more: bool = False
    reason: str | None = None
    failing: tuple[Hop, ...] = ()

    @cached_property
    def figures(self) -> dict[str, Any]:
        """The values that the sentence of the reason needs."""
        policy = self.policy
        values: dict[str, Any] = {
            "talent": self.talent_id,
            "worker": self.worker_id,
            "day": self.first_high,
            "level": policy.high_skilled_level,
            "hops": len(self.failing),
            "generations": policy.generations,
            "window_start": policy.window_start,
            "window_end": policy.window_end,
            "reached": self.events[0].level if self.events else None,
        }
        if self.reason in RULE_BREAK_FINDERS:
            hop, onward = RULE_BREAK_FINDERS[self.reason](self)
            values |= {
                "mentor": hop.mentor,
                "apprentice": hop.apprentice,
                "start": hop.start,
                "channel": hop.channel,
            }
            if onward is not None:
                values |= {"onward": onward.apprentice, "next_start": onward.start}
        return values

    def list_people(self) -> list[str]:
        """The talent, the worker and everybody on the chains shown, once."""
        hops = [hop for chain in (*self.chains, self.failing) for hop in chain]
        between = [id for hop in hops for id in (hop.mentor, hop.apprentice)]
        return list(dict.fromkeys([self.talent_id, self.worker_id, *between]))

    def list_studios(self) -> list[str]:
        """The studios of the chains shown, once."""
        hops = [hop for chain in (*self.chains, self.failing) for hop in chain]
        return list(dict.fromkeys(hop.studio for hop in hops if hop.studio))

    @property
    def person_times(self) -> int:
        """How many of the promotions count as person-times."""
        return sum(event.counts for event in self.events)

    @property
    def ledger(self) -> str:
        """person (and person-times), person_time (alone), or none: a key of `LEDGER_WORDS`."""
        if self.counts:
            return "person"
        return "person_time" if self.person_times else "none"

    def verdict(self, language: str = "en") -> str:
        """The ledgers in which it counts; everything else in the answer explains this."""
        times = self.person_times
        words = LEDGER_WORDS[self.ledger][int(language == "zh")]
        return words.format(times=times, s="" if times == 1 else "s")

    def sentence(self, language: str = "en", names: dict[str, str] | None = None) -> str:
        """Why it does not count and what would have to be otherwise; empty when it counts.

        `language` is "en" or "zh"; `names` stand in place of the people's ids.
        """
        if self.reason is None:
            return ""
        place = int(language == "zh")
        texts = {
            name: _format_reason_value(value, place, names or {})
            for name, value in self.figures.items()
        }
        for name in ("day", "start", "next_start"):
            partial = get_date_precision(self.figures.get(name)) is not None
            texts[f"on_{name}"] = f"{'in' if partial else 'on'} {texts.get(name)}"
        return mask_id_numbers(REASONS[self.reason][place].format(**texts))

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON takes it, with the sentence and the policy."""
        plain = asdict(self) | {"policy": self.policy.as_dict()}
        said = {"sentence": self.sentence(), "sentence_zh": self.sentence("zh")}
        ledgers = {"ledger": self.ledger, "person_times": self.person_times}
        return (
            plain | ledgers | {"verdict": self.verdict(), "verdict_zh": self.verdict("zh")} | said
        )

    def table(self) -> pl.DataFrame:
        """The answer as rows: the verdict, each promotion, each hop of the chains shown.

        `part` says which: verdict, promotion, chain, or falls_short; `number` counts the
        promotions and the chains, `hop` the links of one.
        """
        table_rows: list[dict[str, Any]]
        table_rows = [
            {
                "part": "verdict",
                "counts": self.verdict(),
                "counts_zh": self.verdict("zh"),
                "reason": self.reason,
                "generation": self.generation or None,
                "channel": self.channel,
            }
        ]
        table_rows[0] |= {
            "sentence": self.sentence() or None,
            "sentence_zh": self.sentence("zh") or None,
        }
        for number, event in enumerate(self.events, 1):
            ledger = _ledger_words(event)
            table_rows.append(
                {
                    "part": "promotion",
                    "number": number,
                    "day": event.day,
                    "level": event.level,
                    "counts": ledger[0],
                    "counts_zh": ledger[1],
                    "generation": event.generation or None,
                    "channel": event.channel,
                    **_describe_source_rows(event.rows),
                }
            )
        shown = [("chain", number, chain) for number, chain in enumerate(self.chains, 1)]
        shown += [("falls_short", 1, self.failing)] if self.failing else []
        for part, number, chain in shown:
            table_rows += [
                {
                    "part": part,
                    "number": number,
                    "hop": hop,
                    "mentor_id": link.mentor,
                    "apprentice_id": link.apprentice,
                    "channel": link.channel,
                    "start": link.start,
                    "end": link.end,
                    "studio_id": link.studio,
                    **_describe_source_rows(link.rows),
                }
                for hop, link in enumerate(chain, 1)
            ]
        return pl.DataFrame(table_rows, schema=_WHY_TYPES)


def _ledger_words(event: PromotionEvent) -> tuple[str, str]:
    if not event.counts:
        return "no", "不计入"
    return (
        ("person and person-time", "计入人数与人次") if event.first else ("person-time", "计入人次")
    )


def _describe_source_rows(rows: Sequence[SourceRow]) -> dict[str, str]:
    sources = sorted({source for row in rows for source in row.sources})
    places = (f"{row.file}:{row.row}" for row in rows)
    return {"rows": " + ".join(places), "sources": "; ".join(sources)}


# The columns of `Explanation.table`, in both languages, and their types.
WHY_COLUMNS: Final = {
    "part": ("part of the answer", "内容"),
    "number": ("number", "序号"),
    "hop": ("hop", "第几段"),
    "mentor_id": ("mentor", "师傅编号"),
    "apprentice_id": ("apprentice", "徒弟编号"),
    "channel": ("channel", "渠道"),
    "start": ("start", "起始日期"),
    "end": ("end", "结束日期"),
    "studio_id": ("studio", "工作室编号"),
    "day": ("day of the recognition", "认定日期"),
    "level": ("level", "技能等级"),
    "generation": ("generation", "代数"),
    "counts": ("counts", "是否计入（英文）"),
    "counts_zh": ("counts, in Chinese", "是否计入"),
    "reason": ("reason", "原因代码"),
    "sentence": ("why not", "原因（英文）"),
    "sentence_zh": ("why not, in Chinese", "原因"),
    "rows": ("rows that state it", "依据行"),
    "sources": ("sources", "数据来源"),
}
_WHY_TYPES: Final[dict[str, Any]] = dict.fromkeys(WHY_COLUMNS, pl.String) | {
    "number": pl.Int64,
    "hop": pl.Int64,
    "level": pl.Int64,
    "generation": pl.Int64,
    "start": pl.Date,
    "end": pl.Date,
    "day": pl.Date,
}


def _format_reason_value(value: Any, place: int, names: dict[str, str]) -> str:
    if value is None:
        return NO_DATE[place]
    if value in CHANNEL_WORDS:
        return CHANNEL_WORDS[value][place]
    if isinstance(value, date):
        return format_date_in_words(value, "zh" if place else "en")
    return names.get(value, str(value)) if isinstance(value, str) else str(value)


def _find_undated_hop(why: Explanation) -> tuple[Hop, Hop | None]:
    return next(hop for hop in why.failing if hop.start is None), None


def _find_excluded_channel_hop(why: Explanation) -> tuple[Hop, Hop | None]:
    return next(hop for hop in why.failing if hop.channel not in why.policy.channels), None


def _find_backward_hop(why: Explanation) -> tuple[Hop, Hop | None]:
    earliest = date.min
    return next(
        (hop, onward)
        for hop, onward in pairwise(why.failing)
        if (onward.start or earliest) < (hop.start or earliest)
    )


def _find_late_hop(why: Explanation) -> tuple[Hop, Hop | None]:
    day = why.first_high or date.max
    return next(hop for hop in why.failing if hop.start is not None and hop.start > day), None


# Which hop of the failing chain breaks the rule.
RULE_BREAK_FINDERS: Final = {
    "undated": _find_undated_hop,
    "channel": _find_excluded_channel_hop,
    "back_in_time": _find_backward_hop,
    "too_late": _find_late_hop,
}
