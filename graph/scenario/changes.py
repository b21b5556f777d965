"""The changes of a scenario: what each kind takes, read from tables, checked against the records.

The order of the changes makes no difference: what begins is put in first, then what ends is ended.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from typing import Any, Final, Literal, Self, get_args

import polars as pl

from graph.errors import UsageError
from graph.forecast.history import OCCUPATION_GROUP_CHARACTERS
from graph.messages import Message, Words
from graph.model.vocabularies import PROVINCES
from graph.people.aliases import resolve_person_ids
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

ChangeKind = Literal[
    "leave",
    "begin_mentorship",
    "begin_training",
    "open_studio",
    "close_studio",
    "change_leader",
    "change_hazard",
]
HazardAttribute = Literal["province", "industry", "occupation_group"]
MAX_CHANGES: Final = 10_000
MIDNIGHT_PATTERN: Final = re.compile(r"[ T]00:00(:00(\.0+)?)?$")
MAX_HAZARD_FACTOR: Final = 10.0
MAX_NAME_CHARACTERS: Final = 80


@dataclass(frozen=True)
class ChangeForm:
    """What a kind of change is called, and which fields it must and may have."""

    words: Words
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


CHANGE_FORMS: Final[Mapping[str, ChangeForm]] = {
    "leave": ChangeForm(Words("leaves", "离任"), ("person_id", "on")),
    "begin_mentorship": ChangeForm(
        Words("takes on an apprentice", "新增师徒"), ("person_id", "other_id", "on")
    ),
    "begin_training": ChangeForm(
        Words("trains at a studio", "进入工作室培训"), ("person_id", "studio_id", "on")
    ),
    "open_studio": ChangeForm(
        Words("studio opens", "新建工作室"), ("studio_id", "person_id", "on"), ("name", "province")
    ),
    "close_studio": ChangeForm(Words("studio closes", "撤销工作室"), ("studio_id", "on")),
    "change_leader": ChangeForm(
        Words("studio changes its leader", "更换工作室领办人"),
        ("studio_id", "person_id", "on"),
        ("other_id",),
    ),
    "change_hazard": ChangeForm(
        Words("promotions come faster or slower", "晋升速度变化"),
        ("attribute", "value", "factor"),
    ),
}
FIELD_WORDS: Final[Mapping[str, Words]] = {
    "change": Words("change", "变动"),
    "on": Words("day", "日期"),
    "person_id": Words("person", "人员编号"),
    "other_id": Words("other person", "另一人员编号"),
    "studio_id": Words("studio", "工作室编号"),
    "name": Words("name", "名称"),
    "province": Words("province", "省份"),
    "attribute": Words("cohort by", "群体划分"),
    "value": Words("cohort", "群体"),
    "factor": Words("factor", "倍数"),
}


@dataclass(frozen=True)
class Change:
    """One change; `CHANGE_FORMS` says which fields count for which kind.

    - leave: `person_id` stops working on the day `on`, the last one
    - begin_mentorship: `person_id` takes on `other_id` from the day
    - begin_training: `person_id` trains at `studio_id` from the day
    - open_studio: `studio_id`, new, led by `person_id` from the day
    - close_studio: leading and training at `studio_id` end on the day
    - change_leader: `person_id` leads `studio_id` from the day; `other_id`, or where it is empty
      whoever leads it then, until the day before
    - change_hazard: the chance of a promotion in a month is multiplied by `factor` for the people
      whose `attribute` is `value`; it bears on the forecast alone
    """

    kind: ChangeKind
    on: date | None = None
    person_id: str = ""
    other_id: str = ""
    studio_id: str = ""
    name: str = ""
    province: str = ""
    attribute: str = ""
    value: str = ""
    factor: float = 1.0

    def as_dict(self) -> dict[str, Any]:
        """The fields that count, as JSON takes them."""
        form = CHANGE_FORMS[self.kind]
        fields = {name: getattr(self, name) for name in (*form.required, *form.optional)}
        stated = {name: value for name, value in fields.items() if value not in ("", None)}
        return {"change": self.kind} | {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in stated.items()
        }


@dataclass(frozen=True)
class Scenario:
    """A named what-if: changes, and another policy where `policy` states fields of one.

    `policy` holds fields as `Policy.as_dict` writes them; what it does not state stays.
    """

    name: str
    changes: tuple[Change, ...] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits, the same for the same changes and policy under any name."""
        stated = sorted(json.dumps(change.as_dict(), sort_keys=True) for change in self.changes)
        text = json.dumps([stated, dict(self.policy)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def record_changes(self) -> tuple[Change, ...]:
        """Those that change records; the others bear on the forecast alone."""
        return tuple(change for change in self.changes if change.kind != "change_hazard")

    def under(self, policy: Policy) -> Policy:
        """The policy that the scenario counts by, where all else is counted by this one."""
        return Policy.of({**policy.as_dict(), **self.policy}) if self.policy else policy

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it; `parse_scenario` reads it back."""
        return {
            "name": self.name,
            "policy": dict(self.policy),
            "changes": [change.as_dict() for change in self.changes],
        }

    def renamed(self, name: str) -> Self:
        """The same under another name."""
        return replace(self, name=name)


def parse_scenario(stated: Mapping[str, Any]) -> Scenario:
    """The scenario that `Scenario.as_dict` wrote. Raises `UsageError` for a wrong one."""
    name, rows, policy = (stated.get(key) for key in ("name", "changes", "policy"))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError("The scenario has no list of changes: write them under `changes`.")
    if policy is not None and not isinstance(policy, dict):
        raise UsageError("The policy of the scenario is no set of fields: write name and value.")
    scenario = Scenario(parse_scenario_name(name), parse_changes(rows), policy or {})
    if unknown := sorted(scenario.policy.keys() - Policy().as_dict().keys()):
        raise UsageError(
            "The policy of the scenario has {name!r}, which is no field of one; take {known}.",
            name=unknown[0],
            known=", ".join(Policy().as_dict()),
        )
    try:
        counted = scenario.under(Policy()).as_dict()
        if wrong := [name for name in scenario.policy if counted[name] != scenario.policy[name]]:
            raise KeyError(wrong[0])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(
            "The policy of the scenario cannot be read: write fields as `shicheng driven --json` "
            "shows them."
        ) from error
    return scenario


def parse_scenario_name(name: object) -> str:
    """The name without spaces around it. Raises `UsageError` for none, or one that is too long."""
    text = " ".join(str(name or "").split())
    if not text or len(text) > MAX_NAME_CHARACTERS:
        raise UsageError(
            "A scenario needs a name of at most {most} characters.", most=MAX_NAME_CHARACTERS
        )
    return text


def parse_changes(
    rows: Iterable[Mapping[str, Any]], numbers: Iterable[int] | None = None
) -> tuple[Change, ...]:
    """The changes of rows with the columns of `FIELD_WORDS`; empty rows are passed over.

    Raises `UsageError` that names the first wrong row, by its place from 1 or by `numbers`, and
    the column.
    """
    found = []
    for number, row in zip(numbers or count(1), rows, strict=False):
        texts = {name: _format_cell(row.get(name)) for name in FIELD_WORDS}
        if any(texts.values()):
            found.append(_parse_change(number, texts))
    if len(found) > MAX_CHANGES:
        raise UsageError(
            "The scenario has {n:,} changes, but at most {most:,} are taken: split it.",
            n=len(found),
            most=MAX_CHANGES,
        )
    return tuple(found)


def _format_cell(value: object) -> str:
    return "" if value is None else str(value).strip()


def _parse_change(number: int, texts: Mapping[str, str]) -> Change:
    kind = _parse_change_kind(texts["change"])
    if kind is None:
        raise _build_row_error(
            number,
            "change",
            Message(
                "{text!r} is none of {known}", text=texts["change"], known=", ".join(CHANGE_FORMS)
            ),
        )
    form, fields = CHANGE_FORMS[kind], dict[str, Any]()
    for name in (*form.required, *form.optional):
        if not texts[name] and name in form.required:
            raise _build_row_error(number, name, Message("nothing is written; it is needed here"))
        if texts[name]:
            fields[name] = _parse_field(number, name, texts[name])
    change = Change(kind, **fields)
    if change.attribute == "province" and change.value not in PROVINCES:
        raise _build_row_error(number, "value", _say_no_province(change.value))
    if kind in ("begin_mentorship", "change_leader") and change.person_id == change.other_id:
        raise _build_row_error(number, "other_id", Message("it is the same person"))
    return change


def _parse_change_kind(text: str) -> ChangeKind | None:
    for kind, form in CHANGE_FORMS.items():
        if text in (kind, form.words.zh, form.words.en):
            return kind  # type: ignore[return-value]
    return None


def _parse_field(number: int, name: str, text: str) -> Any:
    if name == "on":
        try:
            # A workbook gives a day as its midnight.
            return date.fromisoformat(MIDNIGHT_PATTERN.sub("", text))
        except ValueError:
            raise _build_row_error(
                number, name, Message("{text!r} is no day; write it as 2027-01-31", text=text)
            ) from None
    if name == "factor":
        return _parse_factor(number, text)
    if name == "attribute" and text not in get_args(HazardAttribute):
        known = ", ".join(get_args(HazardAttribute))
        raise _build_row_error(
            number, name, Message("{text!r} is none of {known}", text=text, known=known)
        )
    if name == "province" and text not in PROVINCES:
        raise _build_row_error(number, name, _say_no_province(text))
    return text


def _say_no_province(text: str) -> Message:
    return Message("{text!r} is no code of a province; write it as 32", text=text)


def _parse_factor(number: int, text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = -1.0
    if 0 <= factor <= MAX_HAZARD_FACTOR:
        return factor
    raise _build_row_error(
        number,
        "factor",
        Message("{text!r} is no number from 0 to {most:g}", text=text, most=MAX_HAZARD_FACTOR),
    )


def _build_row_error(number: int, column: str, reason: Message) -> UsageError:
    return UsageError(
        "Change {row}, column {column}: {reason}.", row=number, column=column, reason=reason
    )


def resolve_changes(snapshot: Snapshot, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes with the ids that stand for the people they name.

    Raises `UsageError` that names the first change about somebody or a studio that is not there, or
    that contradicts another one.
    """
    ids = {id for change in changes for id in (change.person_id, change.other_id) if id}
    standing = resolve_person_ids(snapshot, ids)
    changes = tuple(
        replace(
            change,
            person_id=standing.get(change.person_id, change.person_id),
            other_id=standing.get(change.other_id, change.other_id),
        )
        for change in changes
    )
    for number, column, reason in _find_change_conflicts(snapshot, changes):
        raise _build_row_error(number, column, reason)
    return changes


def _find_change_conflicts(
    snapshot: Snapshot, changes: Sequence[Change]
) -> Iterator[tuple[int, str, Message]]:
    people = _find_known(
        snapshot, "people", "person_id", [id for c in changes for id in (c.person_id, c.other_id)]
    )
    studios = _find_known(snapshot, "studios", "studio_id", [c.studio_id for c in changes])
    opened = {change.studio_id for change in changes if change.kind == "open_studio"}
    opening = set(studios)
    last_days = find_last_days(changes)
    for number, change in enumerate(changes, start=1):
        for column in ("person_id", "other_id"):
            id = getattr(change, column)
            if id and id not in people:
                yield number, column, Message("nobody has the id {id}", id=id)
        beginning = [] if change.kind == "leave" else [change.person_id]
        if change.kind == "begin_mentorship":
            beginning.append(change.other_id)
        for id in beginning:
            last = last_days.get(id)
            if change.on and last and change.on > last:
                yield number, "on", Message("{id} has left by then", id=id)
        if change.kind == "open_studio" and change.studio_id in opening:
            yield number, "studio_id", Message("{id} is there already", id=change.studio_id)
        if change.kind == "open_studio":
            opening.add(change.studio_id)
        if change.studio_id and change.studio_id not in studios | opened:
            yield number, "studio_id", Message("no studio has the id {id}", id=change.studio_id)
        if change.kind == "change_hazard" and not _is_cohort(snapshot, change):
            yield number, "value", Message("nobody belongs to {value!r}", value=change.value)


def _is_cohort(snapshot: Snapshot, change: Change) -> bool:
    """Whether records state the industry or the occupation; a province is a code."""
    if change.attribute == "province":
        return True
    frame, column = {
        "industry": ("enterprises", "industry"),
        "occupation_group": ("occupations", "code"),
    }[change.attribute]
    stated = pl.col(column).cast(pl.String)
    if change.attribute == "occupation_group":
        stated = stated.str.slice(0, OCCUPATION_GROUP_CHARACTERS)
    return not snapshot.frames[frame].filter(stated == change.value).limit(1).collect().is_empty()


def find_last_days(changes: Iterable[Change]) -> dict[str, date]:
    """person_id -> the last day of each who leaves, the earliest that is stated."""
    found: dict[str, date] = {}
    for change in changes:
        if change.kind == "leave" and change.on is not None:
            found[change.person_id] = min(change.on, found.get(change.person_id, change.on))
    return found


def _find_known(snapshot: Snapshot, frame: str, key: str, ids: Sequence[str]) -> set[str]:
    wanted = pl.Series(sorted(set(ids)), dtype=pl.String)
    known = snapshot.frames[frame].filter(pl.col(key).is_in(wanted.implode())).select(key)
    return set(known.collect()[key])


def build_change_table(changes: Iterable[Change]) -> pl.DataFrame:
    """A row a change, with the columns of `FIELD_WORDS`: what `parse_changes` reads back."""
    rows = [{**dict.fromkeys(FIELD_WORDS), **change.as_dict()} for change in changes]
    schema = dict.fromkeys(FIELD_WORDS, pl.String()) | {"factor": pl.Float64()}
    return pl.DataFrame(rows, schema=schema)
