"""Where the rounds are computed: polars (the default), DuckDB (larger than memory), Spark.

The metrics are written once, as narwhals expressions. An engine only opens the tables, keeps a
step of the computation, puts rows in order where it gains by that, and writes a result as Parquet;
all three give the same figures.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import narwhals as nw
import polars as pl
import psutil

from graph.errors import UsageError
from graph.messages import AnyOf

Frame = nw.LazyFrame[Any]

# What one step of a round takes while it is joined and grouped in memory, measured and rounded up.
BYTES_PER_STEP: Final = 64
# The share of the memory now free that DuckDB may use before it spills.
DUCKDB_SHARE: Final = 0.5
# The memory of a Spark that runs in one process (`local[...]`), as a share of the machine's.
SPARK_SHARE: Final = 0.25
SPARK_CONF: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    # A hash join of each part instead of sorting both sides, wherever a part's table fits.
    "spark.sql.join.preferSortMergeJoin": "false",
    "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "256m",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


class Engine(Protocol):
    """What a metric needs of an engine."""

    name: str

    def open(self, tables: Mapping[str, pl.LazyFrame], folder: str | None) -> dict[str, Frame]:
        """The tables by name: from the folder's Parquet files, or from memory without one."""

    def keep(self, frame: Frame) -> Frame:
        """The frame computed now and held, so that what uses it twice computes it once."""

    def in_order(self, frame: Frame, column: str) -> Frame:
        """The same rows, in the order of the column where this engine joins and groups so."""

    def save(self, frame: Frame, path: Path) -> None:
        """Write the frame as Parquet."""

    def refuse_what_cannot_fit(self, steps: int, generation: int) -> None:
        """Raises `UsageError` when so many steps of one round are more than there is room for."""


class Polars:
    """In this process's memory: the quickest while a round fits there."""

    name = "polars"

    def open(self, tables: Mapping[str, pl.LazyFrame], folder: str | None) -> dict[str, Frame]:
        """The tables by name, read as they are asked for."""
        return {name: nw.from_native(frame) for name, frame in tables.items()}

    def keep(self, frame: Frame) -> Frame:
        """The frame computed, in memory."""
        return frame.collect().lazy()

    def in_order(self, frame: Frame, column: str) -> Frame:
        """The frame computed, in order and marked so: polars joins two such by merging them."""
        lazily: pl.LazyFrame = frame.to_native()
        found = lazily.collect()
        if found[column].is_sorted():
            found = found.with_columns(pl.col(column).set_sorted())
        return nw.from_native(found.sort(column).lazy())

    def save(self, frame: Frame, path: Path) -> None:
        """Write the frame as one Parquet file."""
        found: pl.LazyFrame = frame.to_native()
        found.collect().write_parquet(path)

    def refuse_what_cannot_fit(self, steps: int, generation: int) -> None:
        """Raises `UsageError` when the steps are more than the memory now free holds."""
        room = psutil.virtual_memory().available // BYTES_PER_STEP
        if steps > room:
            raise UsageError(
                "Generation {generation} takes {steps:,} steps, but the memory now free holds "
                "about {room:,}; ask for at most {most} generations, keep the order of dates, or "
                "take --engine duckdb, which spills to disk.",
                generation=generation,
                steps=steps,
                room=room,
                most=max(generation - 1, 1),
            )


IN_MEMORY: Final = Polars()


class DuckDB:
    """On disk where memory ends: tables are stored in a database file, deleted with the engine."""

    name = "duckdb"

    def __init__(self, folder: Path, *, memory: int | None = None) -> None:
        import duckdb

        self.folder = folder
        self.connection = duckdb.connect(folder / "rounds.duckdb")
        limit = memory or int(psutil.virtual_memory().available * DUCKDB_SHARE)
        self.connection.execute(f"SET memory_limit = '{limit // 2**20}MiB'")
        self.connection.execute("SET temp_directory = ?", [str(folder / "spilled")])
        self.connection.execute("SET preserve_insertion_order = false")
        self._kept = 0

    def open(self, tables: Mapping[str, pl.LazyFrame], folder: str | None) -> dict[str, Frame]:
        """The tables by name; those of memory are taken over through Arrow."""
        if folder is not None:
            return {
                name: nw.from_native(self.connection.read_parquet(f"{folder}/{name}.parquet"))
                for name in tables
            }
        return {
            name: nw.from_native(
                self.connection.from_arrow(_cast_enums_to_strings(frame).collect().to_arrow())
            )
            for name, frame in tables.items()
        }

    def keep(self, frame: Frame) -> Frame:
        """The frame as a table of the database file."""
        self._kept += 1
        name = f"step_{self._kept}"
        frame.to_native().create(name)
        return nw.from_native(self.connection.table(name))

    def in_order(self, frame: Frame, column: str) -> Frame:
        """The frame as it is: DuckDB joins by hashing."""
        return frame

    def save(self, frame: Frame, path: Path) -> None:
        """Write the frame as one Parquet file."""
        frame.to_native().write_parquet(str(path), compression="zstd")

    def refuse_what_cannot_fit(self, steps: int, generation: int) -> None:
        """Raises `UsageError` when the steps are more than the disk could take in."""
        room = shutil.disk_usage(self.folder).free // BYTES_PER_STEP
        if steps > room:
            raise UsageError(
                "Generation {generation} takes {steps:,} steps, but the free disk of {folder} "
                "holds about {room:,}; free some space there, or ask for at most {most} "
                "generations.",
                generation=generation,
                steps=steps,
                folder=self.folder,
                room=room,
                most=max(generation - 1, 1),
            )


class Spark:
    """A cluster's engine: the same rounds on the same Parquet, on `master`."""

    name = "spark"

    def __init__(self, folder: str, master: str) -> None:
        from pyspark.sql import SparkSession

        # The workers' addresses: without it Spark looks the machine's name up.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        os.environ.setdefault("SPARK_LOCAL_HOSTNAME", "127.0.0.1")
        builder = SparkSession.builder.master(master).appName("shicheng")
        for key, value in (SPARK_CONF | _build_local_spark_conf(master)).items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")
        parts = max(4 * self.session.sparkContext.defaultParallelism, 8)
        self.session.conf.set("spark.sql.shuffle.partitions", str(parts))
        self.folder, self._kept = folder.rstrip("/"), 0

    def open(self, tables: Mapping[str, pl.LazyFrame], folder: str | None) -> dict[str, Frame]:
        """The tables by name; those of memory are written out first."""
        if folder is None:
            folder = f"{self.folder}/tables"
            Path(folder).mkdir(parents=True, exist_ok=True)
            for name, frame in tables.items():
                _cast_enums_to_strings(frame).collect().write_parquet(f"{folder}/{name}.parquet")
        return {
            name: nw.from_native(self.session.read.parquet(f"{folder}/{name}.parquet"))
            for name in tables
        }

    def keep(self, frame: Frame) -> Frame:
        """The frame as Parquet in the engine's folder, for no plan may grow with the rounds."""
        self._kept += 1
        path = f"{self.folder}/step-{self._kept}"
        frame.to_native().write.option("compression", "snappy").parquet(path)
        stored: Frame = nw.from_native(self.session.read.parquet(path))
        return stored

    def in_order(self, frame: Frame, column: str) -> Frame:
        """The frame as it is: its parts are joined by hashing."""
        return frame

    def save(self, frame: Frame, path: Path) -> None:
        """Write the frame as a folder of Parquet files."""
        frame.to_native().write.option("compression", "zstd").parquet(str(path))

    def refuse_what_cannot_fit(self, steps: int, generation: int) -> None:
        """A cluster spills and grows; what it cannot do, it says itself."""


def _build_local_spark_conf(master: str) -> dict[str, str]:
    """`local[...]` does all the work in the driver, which Spark would give 1 GB."""
    if master != "local" and not master.startswith("local["):
        return {}
    memory = max(int(psutil.virtual_memory().total * SPARK_SHARE) >> 20, 1024)
    return {"spark.driver.memory": f"{memory}m"}


ENGINES: Final = ("polars", "duckdb", "spark")


def check_engine(name: str, master: str | None = None) -> None:
    """Raises `UsageError` for an engine that does not exist or is not installed.

    Called before a cached result is read: no engine runs then, and a wrong name would pass.
    """
    if name not in ENGINES:
        raise UsageError(
            "There is no engine {name!r}; take one of {known}.", name=name, known=AnyOf(ENGINES)
        )
    if master is not None and name != "spark":
        raise UsageError("--master is for --engine spark; {name} runs in this process.", name=name)
    if name == "spark" and importlib.util.find_spec("pyspark") is None:
        raise UsageError("Spark is not installed; install it with `pip install -e '.[spark]'`.")
    if name == "spark" and not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise UsageError("Spark needs a Java 17 or 21: install one, or set JAVA_HOME.")


@contextmanager
def open_engine(
    name: str = "polars", *, folder: Path | None = None, master: str | None = None
) -> Iterator[Engine]:
    """The engine, with a folder of its own beneath `folder` for what it keeps; gone at the end.

    `master` is Spark's (`local[2]`, `spark://host:7077`). Raises `UsageError` as `check_engine`.
    """
    check_engine(name, master)
    with ExitStack() as stack:
        if name == "polars":
            yield IN_MEMORY
            return
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        work = tempfile.TemporaryDirectory(
            dir=folder, prefix=f".{name}-", ignore_cleanup_errors=True
        )
        place = Path(stack.enter_context(work))
        if name == "duckdb":
            duckdb = DuckDB(place)
            stack.callback(duckdb.connection.close)
            yield duckdb
        else:
            spark = Spark(str(place), master or "local[*]")
            stack.callback(spark.session.stop)
            yield spark


def _cast_enums_to_strings(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Enums as strings: what every engine reads."""
    enums = [name for name, dtype in frame.collect_schema().items() if isinstance(dtype, pl.Enum)]
    return frame.with_columns(pl.col(enums).cast(pl.String))
