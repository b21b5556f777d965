"""An erasure under way: who goes, written down before anything is taken away.

`erasure/` in the data folder (mode 0700) holds the order until all of it is done, so that whoever
comes next completes what broke off: the person's name can't be read any more by then. It goes last.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from graph.atomic import write_file_atomically
from graph.server.database import Database

ORDER_FOLDER: Final = "erasure"
# The data folder's own store: it goes wherever the order goes.
EMBEDDED_STORE: Final = "embedded"
_ORDER_NAME: Final = "order.json"
_TALENTS_NAME: Final = "talents.parquet"


@dataclass(frozen=True)
class PersonTerms:
    """By what files may name the people who go.

    `ids`: every id; `names` that no other name of the graph has in it; `certificates`; `rows`: file
    and row of what was stated of them, as `people.csv:17`.
    """

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class ErasureOrder:
    """What is to be done, and how far it is.

    `people`: how many; `digests` name them in the log; `policy` and `before` are the figures
    that stood (None where there were none); `rebuilt`: the store is written anew; `store`: which
    one it is for (`describe_erasure_store`).
    """

    load_id: str
    people: int
    by: str
    reason: str
    terms: PersonTerms
    digests: tuple[str, ...] = ()
    policy: dict[str, Any] | None = None
    revision_before: int | None = None
    before: dict[str, int] = field(default_factory=dict)
    rebuilt: bool = False
    store: str = EMBEDDED_STORE


def describe_erasure_store(database: Database) -> str:
    """Which store an order is for: the data folder's own, or a server's address and database."""
    return EMBEDDED_STORE if database.embedded else f"{database.uri} {database.name}"


def write_erasure_order(
    home: Path, order: ErasureOrder, talents: pl.DataFrame | None = None
) -> None:
    """Writes the order down; `talents` are their figures that stood."""
    folder = home / ORDER_FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if talents is not None:
        with write_file_atomically(folder / _TALENTS_NAME) as making:
            talents.write_parquet(making)
    with write_file_atomically(folder / _ORDER_NAME) as making:
        making.touch(mode=0o600)
        making.write_text(json.dumps(asdict(order), ensure_ascii=False), encoding="utf-8")


def note_erasure_progress(home: Path, order: ErasureOrder, **done: Any) -> ErasureOrder:
    """The order with how far it is now, written down."""
    order = replace(order, **done)
    write_erasure_order(home, order)
    return order


def read_erasure_order(home: Path) -> ErasureOrder | None:
    """The order that was begun here and is not done; None where there is none."""
    path = home / ORDER_FOLDER / _ORDER_NAME
    if not path.exists():
        return None
    stated = json.loads(path.read_text("utf-8"))
    terms = PersonTerms(**{name: tuple(many) for name, many in stated.pop("terms").items()})
    return ErasureOrder(**stated | {"terms": terms, "digests": tuple(stated["digests"])})


def read_talents_before(home: Path) -> pl.DataFrame | None:
    """The talents' figures that stood before; None where there were none."""
    path = home / ORDER_FOLDER / _TALENTS_NAME
    return pl.read_parquet(path) if path.exists() else None


def remove_erasure_order(home: Path) -> None:
    """Takes the order away: all of it is done, or nothing was begun."""
    (home / ORDER_FOLDER / _ORDER_NAME).unlink(missing_ok=True)
    shutil.rmtree(home / ORDER_FOLDER, ignore_errors=True)
