"""The definitions of the driven number walked by hand: plain Python, no dataframe, no shortcut.

It takes an exchange folder's rows as dictionaries of strings, as `csv.DictReader` gives them, and
follows every walk hop by hop. It is slow, and shares no line with the engine: that is its use.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from graph.policy import Policy

Rows = list[dict[str, str]]
World = dict[str, Rows]

TABLES = (
    "people",
    "talents",
    "recognitions",
    "mentorships",
    "studios",
    "studio_leads",
    "trainings",
)


def read_world(folder: Path) -> World:
    """The rows of the tables that bear on the number; an absent table is empty."""
    world: World = {}
    for table in TABLES:
        path = folder / f"{table}.csv"
        world[table] = (
            list(csv.DictReader(path.open(encoding="utf-8-sig"))) if path.exists() else []
        )
    return world


@dataclass(frozen=True)
class Link:
    """An influence edge; `start` is None when it is not known."""

    mentor: str
    apprentice: str
    start: date | None
    channel: str


@dataclass(frozen=True)
class Arrival:
    """A walk's last hop: whom it reached, when its last edge began, and the channels it took."""

    person: str
    start: date
    channels: frozenset[str]


def _day(text: str | None, of_year: str) -> date | None:
    """The day that is stated; of a year alone, its `last` or `first` day."""
    if text and len(text) == 4:
        text += "-12-31" if of_year == "last" else "-01-01"
    return date.fromisoformat(text) if text else None


def _links(world: World, year_alone: str) -> set[Link]:
    links = {
        Link(
            row["mentor_id"], row["apprentice_id"], _day(row.get("start"), year_alone), "mentorship"
        )
        for row in world["mentorships"]
    }
    studios = {row["studio_id"] for row in world["studios"]}
    for lead in world["studio_leads"]:
        for training in world["trainings"]:
            if lead["studio_id"] not in studios or training["place_id"] != lead["studio_id"]:
                continue
            starts = [_day(row.get("start"), year_alone) for row in (lead, training)]
            ends = [_day(row.get("end"), "last") for row in (lead, training)]
            first = max((day for day in starts if day), default=date.min)
            last = min((day for day in ends if day), default=date.max)
            if first > last:
                continue
            start = None if None in starts else first
            links.add(Link(lead["person_id"], training["person_id"], start, "studio"))
    return {link for link in links if link.mentor != link.apprentice}


def _promotions(world: World) -> dict[str, list[tuple[date, int]]]:
    highest: dict[str, dict[date, int]] = defaultdict(dict)
    for row in world["recognitions"]:
        day, level = _day(row["date"], "first"), int(row["level"])
        assert day is not None
        highest[row["person_id"]][day] = max(level, highest[row["person_id"]].get(day, 0))
    rises: dict[str, list[tuple[date, int]]] = {}
    for person, days in highest.items():
        best, rises[person] = 0, []
        for day in sorted(days):
            if days[day] > best:
                best = days[day]
                rises[person].append((day, best))
    return rises


def _hops(talent: str, links: set[Link], policy: Policy) -> list[set[Arrival]]:
    """What every walk from the talent can arrive with, after one hop, two hops, ..."""
    from_mentor: dict[str, list[tuple[str, date, str]]] = defaultdict(list)
    for link in links:
        if link.channel not in policy.channels:
            continue
        if link.start is None and policy.undated == "exclude":
            continue
        from_mentor[link.mentor].append((link.apprentice, link.start or date.min, link.channel))

    hops: list[set[Arrival]] = []
    seen: set[Arrival] = set()
    at = {Arrival(talent, date.min, frozenset())}
    while at and (policy.generations is None or len(hops) < policy.generations):
        at = {
            Arrival(person, start, arrival.channels | {channel})
            for arrival in at
            for person, start, channel in from_mentor[arrival.person]
            if start >= arrival.start or not policy.ordered
        }
        # A state seen before leads only where the earlier, shorter walk has led already.
        at -= seen
        seen |= at
        hops.append(at)
    return hops


def brute_force(world: World, policy: Policy) -> dict[str, Any]:
    """All figures of the definitions.

    `talents`: a dict by talent of driven, person_times, generations (list of counts), pending,
    the credits and the four channel counts. `national`: the four national figures and the
    reconciliation.
    """
    links, rises = _links(world, policy.year_alone), _promotions(world)
    level = policy.high_skilled_level
    first_high = {
        person: min(day for day, reached in days if reached >= level)
        for person, days in rises.items()
        if any(reached >= level for _, reached in days)
    }
    counted = {
        person: [
            day
            for day, reached in days
            if reached >= level and policy.window_start <= day <= policy.window_end
        ]
        for person, days in rises.items()
    }
    new = {
        person
        for person, day in first_high.items()
        if policy.window_start <= day <= policy.window_end
    }

    def counts(arrival: Arrival, day: date) -> bool:
        return not policy.ordered or arrival.start <= day

    talents = sorted({row["person_id"] for row in world["talents"]})
    generation: dict[tuple[str, str], int] = {}
    kinds: dict[tuple[str, str], set[frozenset[str]]] = defaultdict(set)
    times: dict[str, set[tuple[str, date]]] = {talent: set() for talent in talents}
    pending: dict[str, set[str]] = {talent: set() for talent in talents}
    for talent in talents:
        for hop, arrivals in enumerate(_hops(talent, links, policy), start=1):
            for arrival in arrivals:
                worker = arrival.person
                if worker == talent:
                    continue
                if worker in new and counts(arrival, first_high[worker]):
                    generation.setdefault((talent, worker), hop)
                    kinds[talent, worker].add(arrival.channels)
                for day in counted.get(worker, []):
                    if counts(arrival, day):
                        times[talent].add((worker, day))
                reached = worker in first_high and first_high[worker] <= policy.as_of
                if counts(arrival, policy.as_of) and not reached:
                    pending[talent].add(worker)

    drivers: dict[str, list[str]] = defaultdict(list)
    for talent, worker in generation:
        drivers[worker].append(talent)
    credits: dict[str, dict[str, float]] = {
        talent: {"equal": 0.0, "nearest": 0.0, "decay": 0.0} for talent in talents
    }
    for worker, shared in drivers.items():
        nearest = min(generation[talent, worker] for talent in shared)
        closest = [talent for talent in shared if generation[talent, worker] == nearest]
        weight = sum(0.5 ** generation[talent, worker] for talent in shared)
        for talent in shared:
            credits[talent]["equal"] += 1 / len(shared)
            credits[talent]["decay"] += 0.5 ** generation[talent, worker] / weight
        for talent in closest:
            credits[talent]["nearest"] += 1 / len(closest)

    rows: dict[str, dict[str, Any]] = {}
    for talent in talents:
        driven = {worker for owner, worker in generation if owner == talent}
        channels = {"mentorship_only": 0, "studio_only": 0, "both": 0, "mixed": 0}
        for worker in driven:
            by_mentorship = frozenset({"mentorship"}) in kinds[talent, worker]
            by_studio = frozenset({"studio"}) in kinds[talent, worker]
            if by_mentorship and by_studio:
                channels["both"] += 1
            elif by_mentorship:
                channels["mentorship_only"] += 1
            elif by_studio:
                channels["studio_only"] += 1
            else:
                channels["mixed"] += 1
        rows[talent] = {
            "driven": len(driven),
            "person_times": len(times[talent]),
            "generations": {
                hop: sum(1 for worker in driven if generation[talent, worker] == hop)
                for hop in {generation[talent, worker] for worker in driven}
            },
            "pending": len(pending[talent]),
            **credits[talent],
            **channels,
        }

    reached_times = set().union(*times.values()) if times else set()
    first = {(worker, day) for worker, day in reached_times if first_high[worker] == day}
    national = {
        "leading_talents": len(talents),
        "driven_persons": len(drivers),
        "driven_person_times": len(reached_times),
        "sum_over_talents": len(generation),
        "first_promotions": len(first),
        "further_promotions": sum(
            1 for worker, day in reached_times if worker in drivers and (worker, day) not in first
        ),
        "high_skilled_before": sum(
            1 for worker, _ in reached_times if first_high[worker] < policy.window_start
        ),
        "later_promotions": sum(
            1 for worker, _ in reached_times if worker in new and worker not in drivers
        ),
    }
    return {"talents": rows, "national": national}
