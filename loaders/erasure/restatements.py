"""By how much figures fell when people were erased: written down, for no older tables stay."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from graph.errors import UsageError
from graph.messages import Words
from graph.policy import Policy
from graph.server.database import Database
from graph.store.standing import list_loads
from loaders.erasure.person_traces import ERASURES_FOLDER

# What stands as the kind of cause beside those of `graph.evidence.restatement`.
ERASED_CAUSE: Final = "erased"


@dataclass(frozen=True)
class ErasureRestatement:
    """The difference that an erasure made, under one policy.

    `national` and `talents` have the columns of `graph.evidence.restatement.Restatement`; `causes`
    is one row: kind ("erased"), change ("removed"), people, reason, and the national differences.
    """

    before: int
    after: int
    policy: Policy
    national: pl.DataFrame
    talents: pl.DataFrame
    causes: pl.DataFrame

    def check_policy(self, asked: Policy) -> None:
        """Raises UsageError for other rules than those under which it was counted."""
        if replace(asked, as_of=self.policy.as_of) != self.policy:
            raise UsageError(
                "By how much an erasure changed the figures was counted under {policy} alone; the "
                "tables of revision {before} are gone with the erased.",
                policy=Words(self.policy.chip(), self.policy.chip("zh")),
                before=self.before,
            )


def find_erasure_restatement(
    database: Database, before: int, after: int
) -> ErasureRestatement | None:
    """What was written down of the erasure that led from one revision to the next, if any."""
    known = {one["load_id"] for one in list_loads(database) if one["revision"] == after}
    for load_id in known:
        path = database.settings.home / ERASURES_FOLDER / f"{load_id}.json"
        with suppress(OSError, ValueError, KeyError):
            stated = json.loads(path.read_text("utf-8"))
            if stated["before"] == before:
                return _build_restatement(stated)
    return None


def _build_restatement(stated: dict[str, Any]) -> ErasureRestatement:
    national = pl.DataFrame(stated["national"])
    cause = {"kind": ERASED_CAUSE, "change": "removed"}
    fell = dict(national.select("figure", "difference").iter_rows())
    known = {name: stated[name] for name in ("people", "reason")}
    return ErasureRestatement(
        stated["before"],
        stated["after"],
        Policy.of(stated["policy"]),
        national,
        pl.DataFrame(stated["talents"]),
        pl.DataFrame([cause | known | fell]),
    )
