"""Which ids of a load are one person, or one organisation: before the references are checked.

Departments number people each in their own way. Two ids are one person when both come with the
same citizen ID number (compared by its keyed digest), when one was made of a certificate number
that the other holds under the same name, when one is known in the graph as a further id of the
other, or when a steward judged them the same. An id that is stated with two
different ID numbers joins nobody: such a person would join two others who are not the same. Of the
ids of one person the first in order stands, whichever file came first, so that the order of loads
never decides.

Two ids of enterprises, schools or studios are one where a steward judged so, or the graph knows one
as a further id of the other; two credit codes never are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES
from graph.model.schema_types import Relation
from graph.server.database import Database
from graph.store.identity_merge import PEOPLE, IdentityKind, IdentityMerge
from graph.store.merge import WRITE_BATCH_ROWS
from loaders.certificate_holders import find_certificate_pairs
from loaders.columns import Digest
from loaders.findings import REFUSED, REMARK, build_row_findings
from loaders.mapping.identifiers import find_first_credit_code
from loaders.matching.judgements import IdPair, Judgement, list_judged_pairs
from loaders.matching.merge_choice import PersonClusters
from loaders.staging import StagedTable, list_identity_columns
from loaders.tables import ROW_NUMBER_COLUMN

_IDS_SCHEMA = {
    "id": pl.String,
    "standing_id": pl.String,
    "basis": pl.String,
    "probability": pl.Float64,
}
_STATED_SCHEMA = {"id": pl.String, "digest": pl.String}
# The remark on an id that another one stands for, by the basis.
_MERGED_REMARKS = {
    "id_number": Message("this is the person {person}, by the same citizen ID number"),
    "certificate": Message("this is the person {person}, by the same certificate number and name"),
    "probable": Message("this is the person {person}, as a match by probability found earlier"),
    "decided": Message("this is the person {person}, as a steward decided"),
}
_CONTESTED_CERTIFICATE_REMARK = Message(
    "this id is of a certificate number that people with two different citizen ID numbers hold, so "
    "it is joined with no more of them; find out whose it is"
)
_CONTESTED_REMARK = Message(
    "this id comes with two different citizen ID numbers, so it is not joined with anybody; find "
    "out which one is right"
)
_OTHER_NUMBER_REASON = Message(
    "this id stands for the person {person}, who has another citizen ID number; find out which "
    "one is right"
)
_OTHER_NUMBER_JUDGED_REASON = Message(
    "this id was joined with the person {person} without an ID number, and now comes with another "
    "one than that person's: part them with `shicheng people review --different {id} {person}`, "
    "then load again"
)
_SAME_ORGANISATION_REMARKS = {
    "name": Message("this is {standing}, by the same name and place"),
    "decided": Message("this is {standing}, as a steward decided"),
}
_SAME_PERSON_REASON = Message("{start} and {end} are two ids of one person, {person}")


@dataclass(frozen=True)
class LoadIdentities:
    """What the exact rules found.

    Each is a table of id and standing_id, the other id that stands for it, with basis (why) and
    probability (of a match that was computed). `renamed`: all that are
    to be put into the load's tables; `moved`: those of them that the graph does not know yet;
    `stored`: those of `moved` that the graph has as nodes of their own, to be merged there.
    """

    renamed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_IDS_SCHEMA))
    moved: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_IDS_SCHEMA))
    stored: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_IDS_SCHEMA))

    def list_merges(self) -> dict[str, IdentityMerge]:
        """What is to be merged in the graph: what stands, by the id of what goes."""
        return {id: IdentityMerge(*ground) for id, *ground in self.stored.iter_rows()}


def resolve_person_identities(
    database: Database,
    staged: Sequence[StagedTable],
    judgements: Sequence[Judgement] = (),
    digest: Digest | None = None,
    *,
    empty_store: bool,
) -> LoadIdentities:
    """The ids of a load that are one person, among themselves and with those of the graph.

    Puts the ids that stand into every staged table, and adds a remark for each row that was so
    changed; rows that cannot be true any more are refused. `digest`: of certificate numbers.
    """
    people = [table for table in staged if table.table == "people" and table.accepted]
    stated = _collect_stated_digests(people)
    known = pl.DataFrame(schema=_STATED_SCHEMA)
    aliases = pl.DataFrame(schema={**_IDS_SCHEMA, "digest": pl.String})
    judged = _collect_judged_ids(judgements)
    certified = (
        []
        if digest is None
        else find_certificate_pairs(database, staged, digest, empty_store=empty_store)
    )
    paired = pl.Series("id", sorted({id for pair in certified for id in pair}), dtype=pl.String)
    paired = pl.concat([judged, paired]).unique()
    if not empty_store:
        aliases = _fetch_aliases(database, PEOPLE, staged, paired)
        known = _fetch_people_with_digests(
            database, stated, pl.concat([paired, aliases["standing_id"].alias("id")])
        )
    nothing_known = aliases.is_empty() and known.is_empty() and not paired.len()
    if nothing_known and not _has_repetitions(stated):
        return LoadIdentities()
    disputed = _find_disputed_aliases(stated, aliases)
    stated = stated.join(disputed, on="id", how="anti")
    contested = _find_contested_ids(pl.concat([stated, known]))
    identities = _choose_standing_ids(stated, known, aliases, contested)
    numbers = pl.concat([stated, known])
    of_two: list[str] = []
    if certified:
        apart = list_judged_pairs(judgements, "different")
        certified = [pair for pair in certified if not set(pair) & set(contested["id"])]
        certified, of_two = _drop_contested_certificates(certified, identities, numbers)
        identities = _unite_pairs(identities, certified, apart, numbers, "certificate")
    if judged.len():
        there = _list_known_ids(database, PEOPLE, people, judged, empty_store=empty_store)
        identities = _apply_judgements(identities, judgements, there, numbers)
    if not empty_store:
        identities = replace(identities, stored=_find_stored(database, PEOPLE, identities.moved))
    for table in people:
        _report_people(table, identities.renamed, contested, disputed)
        _report_contested_certificates(table, of_two)
    _rename_tables(staged, PEOPLE, identities)
    return identities


def resolve_organisation_identities(
    database: Database,
    staged: Sequence[StagedTable],
    identity: IdentityKind,
    judgements: Sequence[Judgement] = (),
    *,
    empty_store: bool,
) -> LoadIdentities:
    """As `resolve_person_identities`, of organisations: by judgements and by further ids known."""
    tables = [one for one in staged if one.table == identity.node.table and one.accepted]
    judged = _collect_judged_ids(judgements)
    aliases = pl.DataFrame(schema={**_IDS_SCHEMA, "digest": pl.String})
    if not empty_store:
        aliases = _fetch_aliases(database, identity, staged, judged)
    if aliases.is_empty() and not judged.len():
        return LoadIdentities()
    leading = aliases.select(*_IDS_SCHEMA)
    identities = LoadIdentities(leading)
    if judged.len():
        there = _list_known_ids(database, identity, tables, judged, empty_store=empty_store)
        ids = sorted(there | set(leading["standing_id"]))
        further = {} if empty_store else _fetch_further_ids(database, identity, ids)
        codes = [
            (id, code)
            for id in ids
            if (code := find_first_credit_code([id, *further.get(id, ())])) is not None
        ]
        numbers = pl.DataFrame(codes, schema=_STATED_SCHEMA, orient="row")
        identities = _apply_judgements(identities, judgements, there, numbers)
    if not empty_store:
        identities = replace(identities, stored=_find_stored(database, identity, identities.moved))
    for table in tables:
        _report_organisations(table, identity, identities.renamed)
    _rename_tables(staged, identity, identities)
    return identities


def _collect_stated_digests(people: Sequence[StagedTable]) -> pl.DataFrame:
    """id, digest: each pair that the load's people state, once."""
    parts = [
        table.columns(["person_id", "id_number"])
        .rename({"person_id": "id", "id_number": "digest"})
        .drop_nulls()
        for table in people
    ]
    pairs = pl.concat([pl.DataFrame(schema=_STATED_SCHEMA), *parts])
    return pairs.unique(maintain_order=True) if _has_repetitions(pairs) else pairs


def _has_repetitions(stated: pl.DataFrame) -> bool:
    """Whether an id or an ID number stands in two pairs; in a nation's first load, few do."""
    return any(stated[name].n_unique() < stated.height for name in ("id", "digest"))


def _collect_named_ids(staged: Sequence[StagedTable], identity: IdentityKind) -> pl.Series:
    """Every id of this kind that the load names."""
    found = [pl.Series("id", [], dtype=pl.String)]
    for table in staged:
        names = list_identity_columns(EXCHANGE_TABLES[table.table], identity.node.label)
        if table.accepted and names:
            rows = table.columns(names)
            found += [rows[name].drop_nulls().unique().alias("id") for name in names]
    return pl.concat(found).unique()


def _collect_judged_ids(judgements: Sequence[Judgement]) -> pl.Series:
    """Every id of which a steward judged something that decides."""
    ids = {id for one in judgements if one.verdict in ("same", "different") for id in one.pair}
    return pl.Series("id", sorted(ids), dtype=pl.String)


def _list_known_ids(
    database: Database,
    identity: IdentityKind,
    tables: Sequence[StagedTable],
    judged: pl.Series,
    *,
    empty_store: bool,
) -> set[str]:
    """Those of the judged ids under which the load or the graph has a node."""
    key, there = identity.node.key, set[str]()
    for table in tables:
        ids = table.columns([key])[key]
        there |= set(ids.filter(ids.is_in(judged.implode())))
    if not empty_store:
        statement = (
            f"UNWIND $ids AS id OPTIONAL MATCH (x:{identity.node.label} {{{key}: id}}) "
            f"OPTIONAL MATCH (a:{identity.alias.label} {{alias_id: id}}) "
            "WITH id, coalesce(x, a) AS known WHERE known IS NOT NULL RETURN id"
        )
        there |= set(_read_in_batches(database, statement, judged, {"id": pl.String})["id"])
    return there


def _apply_judgements(
    identities: LoadIdentities,
    judgements: Sequence[Judgement],
    there: set[str],
    numbers: pl.DataFrame,
) -> LoadIdentities:
    """Joins what stewards judged the same, in the order in which they did, where nothing forbids
    it: two ID numbers never, nor a pair that was judged different.
    """
    ordered = sorted(judgements, key=lambda one: (one.judged_at, one.pair))
    known = [one for one in ordered if there.issuperset(one.pair)]
    same, different = (list_judged_pairs(known, verdict) for verdict in ("same", "different"))
    return _unite_pairs(identities, same, different, numbers, "decided")


def _unite_pairs(
    identities: LoadIdentities,
    same: Sequence[IdPair],
    different: Sequence[IdPair],
    numbers: pl.DataFrame,
    basis: str,
) -> LoadIdentities:
    """Joins pairs of ids, in their order; never two numbers, nor what stewards judged different."""
    leading = dict(identities.renamed.select("id", "standing_id").iter_rows())
    same, different = (
        [(leading.get(a, a), leading.get(b, b)) for a, b in pairs] for pairs in (same, different)
    )
    ids = sorted({id for pair in (*same, *different) for id in pair})
    places = {id: at for at, id in enumerate(ids)}
    digests = {leading.get(id, id): digest for id, digest in numbers.iter_rows()}
    clusters = PersonClusters([digests.get(id) for id in ids], [()] * len(ids))
    for a, b in different:
        if a != b:
            clusters.part(places[a], places[b])
    for a, b in same:
        clusters.join(places[a], places[b], judged=True)
    lowest: dict[int, str] = {}
    for id in ids:
        lowest.setdefault(clusters.find(places[id]), id)
    moved = {id: new for id in ids if (new := lowest[clusters.find(places[id])]) != id}
    return _move_to(identities, moved, basis)


def _move_to(identities: LoadIdentities, moved: Mapping[str, str], basis: str) -> LoadIdentities:
    """`moved`: ids that stood -> those that stand now; what they stood for goes along."""
    if not moved:
        return identities
    old, new = list(moved), list(moved.values())
    along = pl.col("standing_id").replace(old, new)
    added = pl.DataFrame(
        {"id": old, "standing_id": new, "basis": basis, "probability": None}, schema=_IDS_SCHEMA
    )
    return LoadIdentities(
        pl.concat([identities.renamed.with_columns(along), added]),
        pl.concat([identities.moved.with_columns(along), added]),
    )


def _drop_contested_certificates(
    pairs: Sequence[IdPair], identities: LoadIdentities, numbers: pl.DataFrame
) -> tuple[list[IdPair], list[str]]:
    """The pairs without those of a certificate that two ID numbers hold, and the ids of these."""
    leading = dict(identities.renamed.select("id", "standing_id").iter_rows())
    digests = {leading.get(id, id): digest for id, digest in numbers.iter_rows()}
    held: dict[str, set[str]] = {}
    for pair in pairs:
        held.setdefault(pair[0], set()).update(
            digest for id in pair if (digest := digests.get(leading.get(id, id))) is not None
        )
    contested = {id for id, found in held.items() if len(found) > 1}
    return [pair for pair in pairs if pair[0] not in contested], sorted(contested)


def _fetch_aliases(
    database: Database, identity: IdentityKind, staged: Sequence[StagedTable], judged: pl.Series
) -> pl.DataFrame:
    """id, standing_id, basis, probability, digest: ids of the load, and such as were judged, that
    the graph knows as further ids.
    """
    schema = {**_IDS_SCHEMA, "digest": pl.String}
    node, alias, relation = identity.node, identity.alias, identity.identifies
    if not database.read(f"MATCH (a:{alias.label}) RETURN count(a) AS n")[0]["n"]:
        return pl.DataFrame(schema=schema)
    statement = (
        f"UNWIND $ids AS id MATCH (:{alias.label} {{alias_id: id}})-[x:{relation.type}]->"
        f"(p:{node.label}) RETURN id, p.{node.key} AS standing_id, "
        "coalesce(x.basis, 'id_number') AS basis, "
        "x.probability AS probability, p.id_digest AS digest"
    )
    ids = pl.concat([_collect_named_ids(staged, identity), judged]).unique()
    return _read_in_batches(database, statement, ids, schema)


def _fetch_further_ids(
    database: Database, identity: IdentityKind, ids: Sequence[str]
) -> dict[str, list[str]]:
    """Of ids that stand in the graph, those they stand for; a credit code may be among them."""
    statement = (
        f"UNWIND $ids AS id MATCH (:{identity.node.label} {{{identity.node.key}: id}})"
        f"<-[:{identity.identifies.type}]-(a:{identity.alias.label}) "
        "RETURN id, a.alias_id AS further"
    )
    schema = {"id": pl.String, "further": pl.String}
    found = _read_in_batches(database, statement, pl.Series("id", ids, dtype=pl.String), schema)
    further: dict[str, list[str]] = {}
    for id, other in found.sort("id", "further").iter_rows():
        further.setdefault(id, []).append(other)
    return further


def _fetch_people_with_digests(
    database: Database, stated: pl.DataFrame, judged: pl.Series
) -> pl.DataFrame:
    """id, digest: the graph's people with one of these ID numbers, or one of these ids."""
    by_digest = (
        "UNWIND $ids AS digest MATCH (p:Person {id_digest: digest}) "
        "RETURN p.person_id AS id, digest"
    )
    by_id = (
        "UNWIND $ids AS id MATCH (p:Person {person_id: id}) WHERE p.id_digest IS NOT NULL "
        "RETURN id, p.id_digest AS digest"
    )
    ids = pl.concat([stated["id"], judged]).unique()
    found = [
        _read_in_batches(database, by_digest, stated["digest"].unique(), _STATED_SCHEMA),
        _read_in_batches(database, by_id, ids, _STATED_SCHEMA),
    ]
    return pl.concat(found).unique(maintain_order=True)


def _read_in_batches(
    database: Database, statement: str, ids: pl.Series, schema: Mapping[str, type[pl.DataType]]
) -> pl.DataFrame:
    rows = [
        row
        for at in range(0, ids.len(), WRITE_BATCH_ROWS)
        for row in database.read(
            statement, {"ids": ids.slice(at, WRITE_BATCH_ROWS).to_list()}, seconds=600
        )
    ]
    return pl.DataFrame(rows, schema=schema)


def _find_disputed_aliases(stated: pl.DataFrame, aliases: pl.DataFrame) -> pl.DataFrame:
    """id, standing_id, basis: further ids that now come with another ID number than their
    person's.
    """
    both = stated.join(aliases, on="id", how="inner", suffix="_known")
    return both.filter(pl.col("digest") != pl.col("digest_known")).select(
        "id", "standing_id", "basis"
    )


def _find_contested_ids(pairs: pl.DataFrame) -> pl.DataFrame:
    """id: those that come with two different ID numbers."""
    pairs = pairs.unique()
    return pairs.filter(pl.col("id").is_duplicated()).select("id").unique()


def _choose_standing_ids(
    stated: pl.DataFrame, known: pl.DataFrame, aliases: pl.DataFrame, contested: pl.DataFrame
) -> LoadIdentities:
    # A further id stands for its person wherever the person's ID number is compared.
    leading = aliases.select(*_IDS_SCHEMA)
    own = stated.join(leading, on="id", how="left").select(
        id=pl.coalesce("standing_id", "id"), digest="digest"
    )
    pairs = pl.concat([own, known]).unique().join(contested, on="id", how="anti")
    standing = pairs.with_columns(standing_id=pl.col("id").min().over("digest"))
    moved = standing.filter(pl.col("id") != pl.col("standing_id")).select(
        "id", "standing_id", basis=pl.lit("id_number"), probability=pl.lit(None, pl.Float64)
    )
    followed = leading.join(moved, left_on="standing_id", right_on="id", how="left").select(
        "id",
        pl.coalesce("standing_id_right", "standing_id").alias("standing_id"),
        "basis",
        "probability",
    )
    renamed = pl.concat([moved, followed]).unique(subset="id", keep="first", maintain_order=True)
    return LoadIdentities(renamed, moved)


def _find_stored(database: Database, identity: IdentityKind, moved: pl.DataFrame) -> pl.DataFrame:
    node = identity.node
    statement = f"UNWIND $ids AS id MATCH (:{node.label} {{{node.key}: id}}) RETURN id"
    there = _read_in_batches(database, statement, moved["id"], {"id": pl.String})
    return moved.join(there, on="id", how="semi", maintain_order="left")


def _report_people(
    table: StagedTable,
    renamed: pl.DataFrame,
    contested: pl.DataFrame,
    disputed: pl.DataFrame,
) -> None:
    """Findings on the rows of people: who is somebody else, who is in doubt."""
    rows = table.columns([ROW_NUMBER_COLUMN, "person_id"])
    by_number = pl.col("basis") == "id_number"
    for found, kind, reason in (
        *(
            (renamed.filter(pl.col("basis") == basis), REMARK, remark)
            for basis, remark in _MERGED_REMARKS.items()
        ),
        (disputed.filter(by_number), REFUSED, _OTHER_NUMBER_REASON),
        (disputed.filter(~by_number), REFUSED, _OTHER_NUMBER_JUDGED_REASON),
        (contested.with_columns(standing_id="id"), REMARK, _CONTESTED_REMARK),
    ):
        marked = rows.join(found, left_on="person_id", right_on="id", how="inner")
        if marked.height:
            _add_findings(table, marked, "person_id", reason, kind, "standing_id")
    _refuse_rows(table, rows.join(disputed, left_on="person_id", right_on="id", how="semi"))


def _report_contested_certificates(table: StagedTable, ids: Sequence[str]) -> None:
    """Remarks on the rows of those known by a certificate number that two ID numbers hold."""
    rows = table.columns([ROW_NUMBER_COLUMN, "person_id"]) if ids else None
    if rows is not None:
        marked = rows.filter(pl.col("person_id").is_in(list(ids)))
        _add_findings(
            table, marked, "person_id", _CONTESTED_CERTIFICATE_REMARK, REMARK, "person_id"
        )


def _report_organisations(
    table: StagedTable, identity: IdentityKind, renamed: pl.DataFrame
) -> None:
    """Remarks on the rows of organisations that are another one."""
    key = identity.node.key
    rows = table.columns([ROW_NUMBER_COLUMN, key])
    for basis, remark in _SAME_ORGANISATION_REMARKS.items():
        of_basis = renamed.filter(pl.col("basis") == basis)
        marked = rows.join(of_basis, left_on=key, right_on="id", how="inner")
        if marked.height:
            found = build_row_findings(
                marked[ROW_NUMBER_COLUMN],
                table.file,
                key,
                marked[key],
                remark,
                REMARK,
                standing=marked["standing_id"],
            )
            table.findings = pl.concat([table.findings, found])


def _add_findings(
    table: StagedTable, rows: pl.DataFrame, column: str, reason: Message, kind: str, person: str
) -> None:
    found = build_row_findings(
        rows[ROW_NUMBER_COLUMN],
        table.file,
        column,
        rows[column],
        reason,
        kind,
        person=rows[person],
        id=rows[column],
    )
    table.findings = pl.concat([table.findings, found])


def _refuse_rows(table: StagedTable, rows: pl.DataFrame) -> None:
    if rows.height:
        table.refuse_numbers(rows[ROW_NUMBER_COLUMN])


def _rename_tables(
    staged: Sequence[StagedTable], identity: IdentityKind, identities: LoadIdentities
) -> None:
    """Puts the ids that stand into the tables; two ids of one person are no two ends of a row."""
    label = identity.node.label
    for table in staged:
        declared = EXCHANGE_TABLES[table.table]
        if not table.accepted or not list_identity_columns(declared, label):
            continue
        if identities.renamed.height:
            table.renamed[label] = identities.renamed
        elif not table.is_parted:
            continue
        if isinstance(declared, Relation) and declared.start.kinds == declared.end.kinds:
            _refuse_loops(table, declared)


def _refuse_loops(table: StagedTable, declared: Relation) -> None:
    start, end = declared.start.column, declared.end.column
    rows = table.columns([ROW_NUMBER_COLUMN, start, end])
    same = rows.filter(pl.col(start) == pl.col(end))
    if same.height:
        reason = _SAME_PERSON_REASON.with_values(start=start, end=end)
        _add_findings(table, same, end, reason, REFUSED, end)
        table.refuse_loops(start, end)
