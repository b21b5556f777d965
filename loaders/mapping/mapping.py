"""What a department's list means, as data: one YAML file a department and set of headers.

A mapping is found again by the department and the fingerprint of the headers; a list with other
headers has none, so it is asked about anew. Saving a mapping again writes the next revision and
leaves the earlier ones, so what a load was read by can be looked up.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from graph.errors import UsageError
from graph.identity import has_id_number
from graph.messages import NONE_WORDS, Message
from loaders.mapping.aliases import PEOPLE_WORD, is_known_field, normalize_list_header
from loaders.mapping.level_words import Ladder

MAPPINGS_FOLDER: Final = "mappings"
_FORMAT_VERSION: Final = 1
_MAX_FILE_NAME_CHARS: Final = 40
_NO_ID_NUMBER: Final = "a mapping must not hold a citizen ID number"


def _refuse_id_number(text: str) -> str:
    if has_id_number(text):
        raise ValueError(_NO_ID_NUMBER)
    return text


SafeText = Annotated[str, AfterValidator(_refuse_id_number)]


class ColumnMapping(BaseModel):
    """One column. `field` "": it is left out. `unit`: yuan of one unit of its amounts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    header: SafeText
    field: str = ""
    unit: int | None = None


class Mapping(BaseModel):
    """How the lists of one department with one set of headers are read.

    Each list of a department is a source of its own (`source`): what a second list leaves empty
    must not take back what the first one states. `constants`: field -> what holds for every row
    that has no cell of its own; `{title}`: what the title of each list states. `by_name`: people
    without any number are distinguished by name, birth and employer. `by_number`: people of whom
    there is nothing but a number are called by it.
    `titled`: whom the title of the confirmed list named, where that is not the department.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    revision: int = 1
    department: SafeText
    list_name: SafeText = PEOPLE_WORD
    subjects: tuple[str, ...] = ()
    columns: tuple[ColumnMapping, ...]
    ladder: Ladder = ""
    by_name: bool = False
    by_number: bool = False
    constants: dict[str, SafeText] = {}
    titled: SafeText = ""

    @property
    def fingerprint(self) -> str:
        """That of its headers."""
        return compute_fingerprint([column.header for column in self.columns])

    @property
    def source(self) -> str:
        """Who states its rows: 人社局/师徒."""
        return f"{self.department}/{self.list_name}"


def compute_fingerprint(headers: Sequence[str]) -> str:
    """16 hexadecimal digits of a set of headers, whatever their order and blanks.

    What stands in brackets counts: 经费（万元） and 经费（元） are two headers.
    """
    plain = "\n".join(sorted(normalize_list_header(header) for header in headers))
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def list_mappings(home: Path) -> Iterator[tuple[Path, Mapping]]:
    """Every mapping of the data folder, the newest revision of each last."""
    found = [(path, read_mapping(path)) for path in (home / MAPPINGS_FOLDER).glob("*.yaml")]
    yield from sorted(found, key=lambda one: (one[1].department, one[1].revision, one[0].name))


def find_mappings(home: Path, headers: Sequence[str], department: str | None) -> list[Mapping]:
    """The newest mapping of each department for these headers; of one department where given."""
    wanted = compute_fingerprint(headers)
    newest = {
        mapping.department: mapping
        for _, mapping in list_mappings(home)
        if mapping.fingerprint == wanted and department in (None, mapping.department)
    }
    return list(newest.values())


def explain_changed_headers(
    home: Path, headers: Sequence[str], department: str | None
) -> Message | None:
    """What is new and gone beside the confirmed list that is nearest; None where none is near."""
    given = {normalize_list_header(header): header for header in headers}
    nearest: tuple[int, Mapping] | None = None
    for _, mapping in list_mappings(home):
        known = {normalize_list_header(column.header) for column in mapping.columns}
        shared = len(known & given.keys())
        is_near = 2 * shared >= max(len(known), len(given))
        if is_near and department in (None, mapping.department):
            nearest = max(nearest or (0, mapping), (shared, mapping), key=lambda one: one[0])
    if nearest is None:
        return None
    stated = {normalize_list_header(column.header): column.header for column in nearest[1].columns}
    return Message(
        "the headers are not those of the confirmed list {name} (new: {new}; gone: {gone})",
        name=nearest[1].source,
        new=[given[one] for one in given if one not in stated] or NONE_WORDS,
        gone=[stated[one] for one in stated if one not in given] or NONE_WORDS,
    )


def read_mapping(path: Path) -> Mapping:
    """The mapping of a YAML file. Raises UsageError, with what is wrong in it, for any other."""
    stated = read_exported_mappings(path)
    if len(stated) != 1:
        raise UsageError("{path} holds {n} mappings, not one", path=path, n=len(stated))
    return stated[0]


def read_exported_mappings(path: Path) -> list[Mapping]:
    """The mappings of a YAML file of one or several documents. Raises UsageError, with what is
    wrong in it, for any other."""
    try:
        documents = list(yaml.safe_load_all(path.read_text("utf-8")))
        return [_validate_mapping(stated, path) for stated in documents]
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise UsageError(
            "{path} can't be read as YAML ({why}); mend it or make it anew with `shicheng inspect`",
            path=path,
            why=type(error).__name__,
        ) from None


def _validate_mapping(stated: object, path: Path) -> Mapping:
    try:
        mapping = Mapping.model_validate(stated)
    except ValidationError as error:
        wrong = [
            Message(
                "{place}: {why}",
                place=".".join(map(str, one["loc"])) or "?",
                why=one["msg"],
            )
            for one in error.errors()[:3]
        ]
        raise UsageError(
            "{path} is no mapping; mend it or make it anew with `shicheng inspect`: {wrong}",
            path=path,
            wrong=wrong,
        ) from None
    unknown = [c.field for c in mapping.columns if c.field and not is_known_field(c.field)]
    if unknown:
        raise UsageError(
            "{path} names fields that there are not: {unknown}", path=path, unknown=unknown
        )
    return mapping


def list_newest_mappings(home: Path, names: Sequence[str] = ()) -> list[tuple[Path, Mapping]]:
    """The newest revision of each list, by source; of the named sources or departments alone.

    Raises UsageError for a name that no mapping has.
    """
    newest = {mapping.source: (path, mapping) for path, mapping in list_mappings(home)}
    known = {name for _, one in newest.values() for name in (one.source, one.department)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            "there is no mapping of {unknown}; `shicheng mappings list` lists them",
            unknown=unknown,
        )
    return [
        newest[source]
        for source in sorted(newest)
        if not names or {source, newest[source][1].department} & set(names)
    ]


def find_mapping_revision(home: Path, source: str, revision: int | None = None) -> Mapping:
    """A revision of the mapping of a source, the newest without a number.

    Raises UsageError where there is none.
    """
    list_newest_mappings(home, [source])
    found = {m.revision: m for _, m in list_mappings(home) if m.source == source}
    if not found:
        raise UsageError(
            "{source} has several lists; name one as `shicheng mappings list` does", source=source
        )
    wanted = max(found) if revision is None else revision
    if wanted not in found:
        raise UsageError(
            "the mapping of {source} has no revision {revision}; there are {known}",
            source=source,
            revision=wanted,
            known=sorted(found),
        )
    return found[wanted]


def delete_mappings(home: Path, names: Sequence[str]) -> list[Mapping]:
    """Deletes every revision of the mappings of sources or departments; those that went.

    Raises UsageError for a name that no mapping has; then nothing is deleted.
    """
    sources = {mapping.source for _, mapping in list_newest_mappings(home, names)}
    gone = [(path, m) for path, m in list_mappings(home) if m.source in sources]
    for path, _ in gone:
        path.unlink()
    return [mapping for _, mapping in gone]


def render_mapping(mapping: Mapping) -> str:
    """The mapping as YAML, headers as they are written."""
    stated = mapping.model_dump(mode="json", exclude_defaults=True) | {
        "version": _FORMAT_VERSION,
        "revision": mapping.revision,
        "list_name": mapping.list_name,
    }
    ordered = {name: stated[name] for name in Mapping.model_fields if name in stated}
    return yaml.safe_dump(ordered, allow_unicode=True, sort_keys=False, width=100)


def save_mapping(home: Path, mapping: Mapping) -> Path:
    """Writes the mapping as the next revision of its department and headers, mode 0600.

    The same mapping again is not written anew. Returns its file.
    """
    folder = home / MAPPINGS_FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mapping = _name_list_apart(home, mapping)
    for before in find_mappings(home, [c.header for c in mapping.columns], mapping.department):
        if before.model_copy(update={"revision": 1}) == mapping.model_copy(update={"revision": 1}):
            return _build_mapping_path(folder, before)
        mapping = mapping.model_copy(update={"revision": before.revision + 1})
    path = _build_mapping_path(folder, mapping)
    making = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(render_mapping(mapping))
        making.replace(path)
    finally:
        making.unlink(missing_ok=True)
    return path


def _name_list_apart(home: Path, mapping: Mapping) -> Mapping:
    """The mapping with a list name that no other list of the department has: 师徒, 师徒2."""
    others = [m for _, m in list_mappings(home) if m.department == mapping.department]
    own = [m.list_name for m in others if m.fingerprint == mapping.fingerprint]
    taken = {m.list_name for m in others if m.fingerprint != mapping.fingerprint}
    if own and mapping.list_name in own[-1]:
        return mapping.model_copy(update={"list_name": own[-1]})
    names = (f"{mapping.list_name}{'' if at == 1 else at}" for at in count(1))
    free = next(name for name in names if name not in taken)
    return mapping.model_copy(update={"list_name": free})


def _build_mapping_path(folder: Path, mapping: Mapping) -> Path:
    department = re.sub(r"[^\w]+", "_", mapping.department)[:_MAX_FILE_NAME_CHARS]
    of = hashlib.sha256(mapping.department.encode()).hexdigest()[:6]
    return folder / f"{department}-{of}-{mapping.fingerprint}-{mapping.revision}.yaml"
