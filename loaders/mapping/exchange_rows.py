"""One list's rows as rows of the exchange tables: what each table takes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from graph.messages import Message
from loaders.findings import REFUSED, REMARK, Finding, build_findings
from loaders.mapping.field_values import find_grade, find_studio_kind
from loaders.mapping.identifiers import (
    build_enterprise_id,
    build_own_id,
    build_studio_id,
    find_occupation,
    load_occupations,
    normalize_occupation,
    normalize_organisation,
)
from loaders.mapping.mentions import find_base_role
from loaders.mapping.name_lists import split_items
from loaders.tables import ROW_NUMBER_COLUMN, RawTable

_TWO_VALUES_REMARK: Final = Message(
    "row {row} says something else of the same person; the first value stands"
)
_HALF_PAIR_REASONS: Final = {
    "mentor": Message("this row names no master; without one it is no mentorship"),
    "apprentice": Message("this row names no apprentice; without one it is no mentorship"),
}
_MEMBER_REMARK: Final = Message(
    "the list does not say that this person leads the studio, so nothing of the two is loaded"
)
_HONOUR_PATTERN: Final = re.compile(r"(honour\d?)\.name")
_HONOUR_YEAR_PATTERNS: Final = (
    re.compile(
        r"(?P<year>(?:19|20)\d{2})\s*年(?:度|\d{1,2}月)?\s*[:：]?(?:被?(?:授予|评为|获评|评)|荣?获得?|获)?(?P<name>[^\d\s].*)"
    ),
    re.compile(r"(?P<name>.*[^\d\s])\s*[（(](?P<year>(?:19|20)\d{2})\s*年?(?:度)?[)）]"),
)
_REVOKED_PATTERN: Final = "注销|作废|撤销|吊销|无效|失效|^否$"
_REVOKED_REASON: Final = Message("this certificate is no longer valid; its level is not loaded")
_LEADER_PATTERN: Final = re.compile(
    r"(?<!副)(?:领衔|领办|负责|带头|主持|领军|室主任|首席|组长|室长)|^主任$"
)
_NO_TRADE: Final = ("/", "-", "—", "无")
_EMPLOYMENT_TERMS: Final = (
    "service_until",
    "non_compete_until",
    "retirement_postponed_until",
    "pay_form",
    "reemployed",
)


@dataclass
class SheetRecords:
    """What the rows of one sheet say. `rows`: `_row` and converted fields; `people`: by role.

    `stated`: numbers of rows that state something, also what an earlier row has stated.
    """

    file: str
    source: str
    rows: pl.DataFrame
    people: dict[str, pl.DataFrame]
    subjects: tuple[str, ...]
    title: str = ""
    findings: list[Finding] = field(default_factory=list)
    stated: set[int] = field(default_factory=set)

    def has(self, *fields: str) -> bool:
        """Whether some column states one of the fields."""
        return any(name in self.rows.columns for name in fields)

    def pick(self, **named: str) -> pl.DataFrame:
        """`_row` and fields under the names of an exchange table; null where there is no column."""
        columns = [
            (pl.col(source) if source in self.rows.columns else pl.lit(None, pl.String)).alias(name)
            for name, source in named.items()
        ]
        return self.rows.select(ROW_NUMBER_COLUMN, *columns)

    def list_people(self, role: str) -> pl.DataFrame:
        """`_row` and `person_id` of the people of a role, also of its numbered ones."""
        parts = [
            people.select(ROW_NUMBER_COLUMN, "person_id")
            for one, people in self.people.items()
            if find_base_role(one) == role
        ]
        if not parts:
            return pl.DataFrame(schema={ROW_NUMBER_COLUMN: pl.Int64, "person_id": pl.String})
        return pl.concat(parts).drop_nulls("person_id").unique(maintain_order=True)


def add_reference_ids(rows: pl.DataFrame, department: str) -> pl.DataFrame:
    """The rows with `employer.id`, `host.id`, `occupation.id`, `studio.id`, `competition.id`."""
    for role in ("employer", "host"):
        rows = _add_enterprise_id(rows, role, department)
    rows = _add_occupation_id(rows)
    if "studio.name" in rows.columns:
        hosts = _get_cells(rows, "host.name")
        ids = [
            None if name is None else build_studio_id(name, host)
            for name, host in zip(rows["studio.name"], hosts, strict=True)
        ]
        rows = rows.with_columns(pl.Series("studio.id", ids, dtype=pl.String))
    if {"competition.name", "competition.own_number"} & set(rows.columns):
        rows = rows.with_columns(
            pl.Series("competition.id", _build_competition_ids(rows, department), dtype=pl.String)
        )
    return rows


def _get_cells(rows: pl.DataFrame, column: str) -> pl.Series:
    if column in rows.columns:
        return rows[column]
    return pl.Series(column, [None], dtype=pl.String).new_from_index(0, rows.height)


def _add_enterprise_id(rows: pl.DataFrame, role: str, department: str) -> pl.DataFrame:
    names, codes = _get_cells(rows, f"{role}.name"), _get_cells(rows, f"{role}.credit_code")
    own = _get_cells(rows, f"{role}.own_number")
    if names.null_count() == codes.null_count() == own.null_count() == rows.height:
        return rows
    code_of = {
        normalize_organisation(name): code
        for name, code in zip(names, codes, strict=True)
        if name and code
    }
    ids = []
    for name, code, number in zip(names, codes, own, strict=True):
        known = code or (code_of.get(normalize_organisation(name)) if name else None)
        made = build_enterprise_id(name, known)
        ids.append(made or (build_own_id(department, number) if number else None))
    return rows.with_columns(pl.Series(f"{role}.id", ids, dtype=pl.String))


def _add_occupation_id(rows: pl.DataFrame) -> pl.DataFrame:
    names, trades = _get_cells(rows, "occupation.name"), _get_cells(rows, "occupation.trade")
    codes = _get_cells(rows, "occupation.code")
    by_code, _ = load_occupations()
    ids, shown = [], []
    for name, trade, code in zip(names, trades, codes, strict=True):
        stated = name or (trade if trade not in _NO_TRADE else None)
        plain = None if stated is None else normalize_occupation(stated)
        known = None
        for text in (code, stated):
            known = known or (find_occupation(text) if text else None)
        shown.append(by_code.get(known or "") or (None if plain == known else plain))
        ids.append(known or plain)
    return rows.with_columns(
        pl.Series("occupation.id", ids, dtype=pl.String),
        pl.Series("occupation.shown", shown, dtype=pl.String),
    )


def _build_competition_ids(rows: pl.DataFrame, department: str) -> list[str | None]:
    names, own = _get_cells(rows, "competition.name"), _get_cells(rows, "competition.own_number")
    dates = _get_cells(rows, "competition.date")
    return [
        build_own_id(department, number)
        if number
        else None
        if name is None
        else f"{normalize_organisation(name)}@{(date or '')[:4]}"
        for name, number, date in zip(names, own, dates, strict=True)
    ]


def build_exchange_tables(records: SheetRecords) -> Iterator[tuple[str, pl.DataFrame]]:
    """Name and rows (text, `_row`) of each exchange table that the list states something of."""
    builders = {
        "occupations": _build_occupations,
        "enterprises": _build_enterprises,
        "schools": _build_schools,
        "studios": _build_studios,
        "competitions": _build_competitions,
        "people": _build_people,
        "talents": _build_talents,
        "recognitions": _build_recognitions,
        "mentorships": _build_mentorships,
        "honours": _build_honours,
        "studio_leads": _build_studio_leads,
        "trainings": _build_trainings,
        "teaching": _build_teaching,
        "employments": _build_employments,
        "placings": _build_placings,
        "practices": _build_practices,
        "projects": _build_projects,
        "participations": _build_participations,
        "achievements": _build_achievements,
        "subsidies": _build_subsidies,
    }
    for table, build in builders.items():
        rows = build(records)
        if rows.height:
            yield table, rows


def build_raw_table(
    records: SheetRecords, table: str, rows: pl.DataFrame, findings: list[Finding]
) -> RawTable:
    """The rows as a raw table of the department, with what was found of them before."""
    found = build_findings(findings) if findings else None
    return RawTable(table, records.file, records.source, rows, found)


def _take_first(records: SheetRecords, rows: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """One row a key, at its first row number, with the first value of each column."""
    rest = [c for c in rows.columns if c not in (*keys, ROW_NUMBER_COLUMN)]
    rows = rows.drop_nulls(list(keys))
    records.stated |= set(rows[ROW_NUMBER_COLUMN])
    return rows.group_by(*keys, maintain_order=True).agg(
        pl.col(ROW_NUMBER_COLUMN).first(), *(pl.col(c).drop_nulls().first() for c in rest)
    )


def _build_occupations(records: SheetRecords) -> pl.DataFrame:
    if not records.has("occupation.id"):
        return pl.DataFrame()
    rows = records.pick(code="occupation.id", name="occupation.shown")
    return _take_first(records, rows.drop_nulls("name"), "code")


def _build_enterprises(records: SheetRecords) -> pl.DataFrame:
    province = "person.province" if records.has("studio.name") else "employer.province"
    employers = records.pick(
        enterprise_id="employer.id",
        name="employer.name",
        province=province,
        industry="employer.industry",
        ownership="employer.ownership",
        education_fund="employer.education_fund",
        frontline_education_fund="employer.frontline_education_fund",
    )
    hosts = records.pick(enterprise_id="host.id", name="host.name")
    of_roles = [
        records.pick(name=f"{role}.employer").drop_nulls()
        for role in records.people
        if records.has(f"{role}.employer")
    ]
    named = [_add_normalized_names(part, "name", "enterprise_id") for part in of_roles]
    rows = pl.concat([employers, hosts, *named], how="diagonal").drop_nulls("name")
    return _take_first(records, _add_normalized_names(rows, "name", "name"), "enterprise_id")


def _build_schools(records: SheetRecords) -> pl.DataFrame:
    stated = [f for f in ("training.place", "teaching.school") if records.has(f)]
    if not stated:
        return pl.DataFrame()
    rows = pl.concat([records.pick(name=field) for field in stated]).drop_nulls()
    return _take_first(records, _add_normalized_names(rows, "name", "school_id"), "school_id")


def _build_studios(records: SheetRecords) -> pl.DataFrame:
    if not records.has("studio.name"):
        return pl.DataFrame()
    rows = records.pick(
        studio_id="studio.id",
        name="studio.name",
        kind="studio.kind",
        grade="studio.grade",
        host_id="host.id",
        province="studio.province",
        founded="studio.founded",
        industry="studio.industry",
        funding="studio.funding",
    ).drop_nulls("studio_id")
    kinds = [
        find_studio_kind(kind or "") or find_studio_kind(name or "") or kind
        for kind, name in zip(rows["kind"], rows["name"], strict=True)
    ]
    return _take_first(
        records, rows.with_columns(pl.Series("kind", kinds, dtype=pl.String)), "studio_id"
    )


def _build_competitions(records: SheetRecords) -> pl.DataFrame:
    if not records.has("competition.name"):
        return pl.DataFrame()
    rows = records.pick(
        competition_id="competition.id",
        name="competition.name",
        grade="competition.grade",
        date="competition.date",
    )
    return _take_first(records, _fill_grades(rows, "name"), "competition_id")


def _fill_grades(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """`grade` as a code where its words, or the name, say which it is."""
    grades = [
        find_grade(grade) or grade if grade else find_grade(text or "")
        for grade, text in zip(rows["grade"], rows[name], strict=True)
    ]
    return rows.with_columns(pl.Series("grade", grades, dtype=pl.String))


def _build_people(records: SheetRecords) -> pl.DataFrame:
    parts = []
    for role, people in records.people.items():
        said = people.select(
            ROW_NUMBER_COLUMN, "person_id", "name", "sex", "birth_date", "id_number"
        ).drop_nulls(["person_id", "name"])
        if role == "person":
            said = said.join(_pick_person_columns(records), on=ROW_NUMBER_COLUMN, how="left")
        elif records.has(f"{role}.employer"):
            where = (
                _add_normalized_names(people, "employer", "enterprise_id")
                .select(ROW_NUMBER_COLUMN, "person_id", "enterprise_id")
                .unique([ROW_NUMBER_COLUMN, "person_id"], maintain_order=True)
            )
            said = said.join(where, on=[ROW_NUMBER_COLUMN, "person_id"], how="left")
        elif records.has("employer.id"):
            where = records.pick(enterprise_id="employer.id")
            said = said.join(where, on=ROW_NUMBER_COLUMN, how="left")
        parts.append(said)
    if not parts:
        return pl.DataFrame()
    rows = pl.concat(parts, how="diagonal").sort(ROW_NUMBER_COLUMN, maintain_order=True)
    _remark_second_values(records, rows)
    return _take_first(records, rows, "person_id", "name")


def _pick_person_columns(records: SheetRecords) -> pl.DataFrame:
    return records.pick(
        province="person.province",
        retired_on="person.retired_on",
        type="person.type",
        retirement_category="person.retirement_category",
        story_consent="person.story_consent",
        occupation_code="occupation.id",
        enterprise_id="employer.id",
    )


def _remark_second_values(records: SheetRecords, rows: pl.DataFrame) -> None:
    """Remarks on what a later row says else of a person: a row is read as one statement."""
    for column in ("sex", "birth_date", "province", "type", "retired_on"):
        if column not in rows.columns:
            continue
        said = rows.drop_nulls([column, "person_id"])
        first = said.with_columns(
            _first=pl.col(column).first().over("person_id"),
            _at=pl.col(ROW_NUMBER_COLUMN).first().over("person_id"),
        )
        for row, at in (
            first.filter(pl.col(column) != pl.col("_first"))
            .select(ROW_NUMBER_COLUMN, "_at")
            .iter_rows()
        ):
            reason = _TWO_VALUES_REMARK.with_values(row=at)
            records.findings.append((records.file, row, column, "", reason, REMARK))


def _join_person(records: SheetRecords, rows: pl.DataFrame, role: str = "person") -> pl.DataFrame:
    """The rows with `person_id`: one for each person that their row names in the role."""
    return records.list_people(role).join(rows, on=ROW_NUMBER_COLUMN, how="inner")


def _drop_unsaid(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The rows that say something in one of the columns."""
    return rows.filter(pl.any_horizontal(pl.col(c).is_not_null() for c in columns))


def _build_talents(records: SheetRecords) -> pl.DataFrame:
    if not records.has("talent.basis"):
        return pl.DataFrame()
    rows = records.pick(
        basis="talent.basis",
        recognised_on="talent.recognised_on",
        industry="talent.industry",
        grade="talent.grade",
    )
    items = [split_items(text) if text else [] for text in rows["basis"]]
    rows = rows.with_columns(pl.Series("basis", items, dtype=pl.List(pl.String))).explode("basis")
    return _join_person(records, _drop_unsaid(rows, "basis"))


def _build_recognitions(records: SheetRecords) -> pl.DataFrame:
    if not records.has("recognition.level") or not records.has("recognition.date"):
        return pl.DataFrame()
    rows = records.pick(
        level="recognition.level",
        occupation_code="occupation.id",
        date="recognition.date",
        mode="recognition.mode",
        certificate_no="recognition.certificate_no",
    )
    rows = _refuse_revoked(records, rows)
    # A list of pairs states the level that the apprentice has reached.
    role = "person" if "person" in records.people else "apprentice"
    return _join_person(records, _drop_unsaid(rows, "level", "certificate_no"), role)


def _refuse_revoked(records: SheetRecords, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose certificates are valid; a refusal for each that was revoked."""
    if not records.has("recognition.status"):
        return rows
    states = records.rows["recognition.status"]
    revoked = states.str.contains(_REVOKED_PATTERN).fill_null(False)
    for row, state in zip(
        rows.filter(revoked)[ROW_NUMBER_COLUMN], states.filter(revoked), strict=True
    ):
        finding = (records.file, row, "recognition.status", state, _REVOKED_REASON, REFUSED)
        records.findings.append(finding)
    return rows.filter(~revoked)


def _build_mentorships(records: SheetRecords) -> pl.DataFrame:
    mentors = records.list_people("mentor").rename({"person_id": "mentor_id"})
    apprentices = records.list_people("apprentice").rename({"person_id": "apprentice_id"})
    people = records.list_people("person")
    roles = {find_base_role(role) for role in records.people}
    _refuse_half_pairs(records)
    is_named = records.has("person.name")
    if not {"mentor", "apprentice"} <= roles or is_named:
        # A row of a genealogy has a person of its own between advisers and students.
        above = mentors.join(people.rename({"person_id": "apprentice_id"}), on=ROW_NUMBER_COLUMN)
        below = people.rename({"person_id": "mentor_id"}).join(apprentices, on=ROW_NUMBER_COLUMN)
    else:
        above = mentors.join(apprentices, on=ROW_NUMBER_COLUMN)
        below = above.clear()
    rows = records.pick(
        start="mentorship.start",
        end="mentorship.end",
        kind="mentorship.kind",
        enterprise_id="employer.id",
        status="mentorship.status",
        degree="degree.year",
    )
    # The year of a row's degree ends the years with its own advisers, not those of its students.
    ended = rows.with_columns(end=pl.coalesce("end", "degree"))
    pairs = [above.join(ended, on=ROW_NUMBER_COLUMN), below.join(rows, on=ROW_NUMBER_COLUMN)]
    found = pl.concat(pairs, how="diagonal").drop("degree")
    return _join_repeated_pairs(records, found) if above.height and below.height else found


def _join_repeated_pairs(records: SheetRecords, pairs: pl.DataFrame) -> pl.DataFrame:
    """One row a pair that both its rows state: the adviser's among its students, and the other."""
    records.stated |= set(pairs[ROW_NUMBER_COLUMN])
    keys = ["mentor_id", "apprentice_id", "start", "kind"]
    rest = [c for c in pairs.columns if c not in (*keys, ROW_NUMBER_COLUMN)]
    return pairs.group_by(keys, maintain_order=True).agg(
        pl.col(ROW_NUMBER_COLUMN).first(), *(pl.col(c).drop_nulls().first() for c in rest)
    )


def _refuse_half_pairs(records: SheetRecords) -> None:
    """A refusal for each row that names a master of nobody, or an apprentice of nobody.

    A person of a list may have no master, and a master of several columns no apprentice yet.
    """
    if any(role[-1].isdigit() for role in records.people):
        return
    named = {role: _flag_named_rows(records, role) for role in records.people}
    nobody = pl.repeat(False, records.rows.height, dtype=pl.Boolean, eager=True)
    for role, other in (("mentor", "apprentice"), ("apprentice", "mentor")):
        beside = named.get(other, nobody) | named.get("person", nobody)
        for row in records.rows.filter(named.get(role, nobody) & ~beside)[ROW_NUMBER_COLUMN]:
            reason = _HALF_PAIR_REASONS[other]
            records.findings.append((records.file, row, f"{other}.name", "", reason, REFUSED))


def _flag_named_rows(records: SheetRecords, role: str) -> pl.Series:
    columns = [f"{role}.{attribute}" for attribute in ("name", "names", "own_number", "id_number")]
    stated = [pl.col(c).is_not_null() for c in columns if c in records.rows.columns]
    return records.rows.select(named=pl.any_horizontal(stated)).to_series()


def _build_honours(records: SheetRecords) -> pl.DataFrame:
    named = _build_named_honours(records)
    prizes = _build_prizes(records)
    parts = [part for part in (named, prizes) if part.height]
    return pl.concat(parts, how="diagonal") if parts else pl.DataFrame()


def _build_named_honours(records: SheetRecords) -> pl.DataFrame:
    roles = sorted({m[1] for c in records.rows.columns if (m := _HONOUR_PATTERN.fullmatch(c))})
    if not roles:
        return pl.DataFrame()
    parts = [
        records.pick(honour=f"{role}.name", grade=f"{role}.grade", date=f"{role}.date")
        for role in roles
    ]
    rows = pl.concat(parts).sort(ROW_NUMBER_COLUMN, maintain_order=True).drop_nulls("honour")
    items = [
        [split_honour_year(item) for item in split_items(text)] if text else []
        for text in rows["honour"]
    ]
    dtype = pl.List(pl.Struct({"honour": pl.String, "year": pl.String}))
    said = [[{"honour": name, "year": year} for name, year in one] for one in items]
    rows = rows.with_columns(pl.Series("honour", said, dtype=dtype)).explode("honour")
    rows = rows.unnest("honour").drop_nulls("honour")
    rows = rows.with_columns(date=pl.coalesce("year", "date")).drop("year")
    return _join_person(records, _fill_grades(rows, "honour"))


def split_honour_year(text: str) -> tuple[str, str | None]:
    """An honour and its year: 2020年全国技术能手, 全国技术能手（2020年）.

    >>> split_honour_year("2020年获全国技术能手"), split_honour_year("全国技术能手")
    (('全国技术能手', '2020'), ('全国技术能手', None))
    """
    for pattern in _HONOUR_YEAR_PATTERNS:
        if matched := pattern.fullmatch(text.strip()):
            return matched["name"], matched["year"]
    return text, None


def _build_prizes(records: SheetRecords) -> pl.DataFrame:
    """A prize that several may have (一等奖) is an honour of the competition, not a place in it."""
    if not records.has("placing.prize") or not records.has("competition.name"):
        return pl.DataFrame()
    rows = records.pick(
        prize="placing.prize",
        competition="competition.name",
        grade="competition.grade",
        date="competition.date",
    ).drop_nulls(["prize", "competition"])
    rows = _fill_grades(rows, "competition").select(
        ROW_NUMBER_COLUMN,
        pl.format("{}{}", "competition", "prize").alias("honour"),
        "grade",
        "date",
    )
    return _join_person(records, rows)


def _build_studio_leads(records: SheetRecords) -> pl.DataFrame:
    if not records.has("studio.id"):
        return pl.DataFrame()
    rows = records.pick(studio_id="studio.id").drop_nulls()
    if any(find_base_role(r) == "lead" for r in records.people):
        return _join_person(records, rows, "lead")
    return _choose_leaders(records, rows)


def _choose_leaders(records: SheetRecords, rows: pl.DataFrame) -> pl.DataFrame:
    """The leaders among the people of studios: by their role, else as the only one, else by name.

    Members of a studio are no leaders of it; a remark names each who is left out.
    """
    said = records.pick(role="studio.role", studio="studio.name")
    named = records.people.get("person", pl.DataFrame(schema={ROW_NUMBER_COLUMN: pl.Int64}))
    people = _join_person(records, rows).join(said, on=ROW_NUMBER_COLUMN, how="left")
    if not people.height:
        return people.select(ROW_NUMBER_COLUMN, "person_id", "studio_id")
    names = dict(named.select(ROW_NUMBER_COLUMN, "name").iter_rows())
    one = people.select(pl.col("person_id").n_unique().over("studio_id") == 1).to_series()
    leads = [
        is_leader_role(role) if role else alone or bool(name and name in (studio or ""))
        for role, alone, name, studio in zip(
            people["role"],
            one,
            [names.get(row) for row in people[ROW_NUMBER_COLUMN]],
            people["studio"],
            strict=True,
        )
    ]
    chosen = pl.Series("leads", leads, dtype=pl.Boolean)
    for row in people.filter(~chosen)[ROW_NUMBER_COLUMN]:
        records.findings.append((records.file, row, "studio.name", "", _MEMBER_REMARK, REMARK))
    records.stated |= set(people[ROW_NUMBER_COLUMN])
    return people.filter(chosen).select(ROW_NUMBER_COLUMN, "person_id", "studio_id")


def is_leader_role(text: str) -> bool:
    """Whether the words of a role in a studio are those of who leads it."""
    return _LEADER_PATTERN.search(text) is not None


def _build_trainings(records: SheetRecords) -> pl.DataFrame:
    if not records.has("training.place"):
        return pl.DataFrame()
    rows = records.pick(
        place="training.place",
        start="training.start",
        end="training.end",
        kind="training.kind",
        degree="degree.year",
    ).drop_nulls("place")
    rows = rows.with_columns(end=pl.coalesce("end", "degree")).drop("degree")
    rows = _add_normalized_names(rows, "place", "place_id").drop("place")
    # In a list of advisers and students it is the student who was at the school.
    return _join_person(records, rows, "person" if "person" in records.people else "apprentice")


def _build_teaching(records: SheetRecords) -> pl.DataFrame:
    if not records.has("teaching.school"):
        return pl.DataFrame()
    rows = records.pick(
        school="teaching.school",
        start="teaching.start",
        end="teaching.end",
        part_time="teaching.part_time",
    ).drop_nulls("school")
    return _join_person(records, _add_normalized_names(rows, "school", "school_id").drop("school"))


def _build_employments(records: SheetRecords) -> pl.DataFrame:
    """Employments of which more than the employer is said, and further ones of one person."""
    if not records.has("employer.id"):
        return pl.DataFrame()
    rows = records.pick(
        enterprise_id="employer.id",
        start="employment.start",
        end="employment.end",
        position="employment.position",
        **{name: f"employment.{name}" for name in _EMPLOYMENT_TERMS},
    ).drop_nulls("enterprise_id")
    rows = _join_person(records, rows)
    further = pl.col("enterprise_id") != pl.col("enterprise_id").first().over("person_id")
    stated = ("start", "end", "position", *_EMPLOYMENT_TERMS)
    said = pl.any_horizontal(pl.col(c).is_not_null() for c in stated)
    return rows.filter(further | said).unique(maintain_order=True)


def _build_placings(records: SheetRecords) -> pl.DataFrame:
    if not records.has("placing.rank") or not records.has("competition.id"):
        return pl.DataFrame()
    rows = records.pick(
        competition_id="competition.id", rank="placing.rank", occupation_code="occupation.id"
    )
    return _join_person(records, _drop_unsaid(rows, "rank"))


def _build_projects(records: SheetRecords) -> pl.DataFrame:
    """A project a name: a list of participants says what and of which kind it is, not its dates."""
    if not records.has("project.name"):
        return pl.DataFrame()
    rows = records.pick(name="project.name", kind="project.kind", enterprise_id="employer.id")
    rows = _add_normalized_names(rows, "name", "project_id")
    # Participants of several employers do not say who runs it.
    one = pl.col("enterprise_id").n_unique().over("project_id") == 1
    rows = rows.with_columns(enterprise_id=pl.when(one).then("enterprise_id"))
    return _take_first(records, rows, "project_id")


def _add_normalized_names(rows: pl.DataFrame, name: str, into: str) -> pl.DataFrame:
    """The rows with the names of a column as they are compared, in the column `into`."""
    compared = [None if text is None else normalize_organisation(text) for text in rows[name]]
    return rows.with_columns(pl.Series(into, compared, dtype=pl.String))


def _build_participations(records: SheetRecords) -> pl.DataFrame:
    if not records.has("project.name"):
        return pl.DataFrame()
    rows = records.pick(
        name="project.name", role="project.role", start="project.start", end="project.end"
    )
    rows = _add_normalized_names(rows, "name", "project_id").drop_nulls("project_id").drop("name")
    return _join_person(records, rows)


def _build_achievements(records: SheetRecords) -> pl.DataFrame:
    if not records.has("achievement.title"):
        return pl.DataFrame()
    rows = records.pick(
        title="achievement.title",
        kind="achievement.kind",
        grade="achievement.grade",
        date="achievement.date",
    ).drop_nulls("title")
    return _join_person(records, _fill_grades(rows, "title"))


def _build_subsidies(records: SheetRecords) -> pl.DataFrame:
    """What people received; a list of places says to whom by a name that is no id yet."""
    if not records.has("subsidy.amount"):
        return pl.DataFrame()
    rows = records.pick(kind="subsidy.kind", amount="subsidy.amount", year="subsidy.paid_in")
    rows = rows.with_columns(pl.col("year").str.strip_chars_end("年度"))
    paid = _join_person(records, _drop_unsaid(rows, "amount"))
    return paid.rename({"person_id": "recipient_id"})


def _build_practices(records: SheetRecords) -> pl.DataFrame:
    """Further occupations of one person: the first stands in the person's own row."""
    if not records.has("occupation.id"):
        return pl.DataFrame()
    rows = records.pick(occupation_code="occupation.id").drop_nulls("occupation_code")
    rows = _join_person(records, rows)
    further = pl.col("occupation_code") != pl.col("occupation_code").first().over("person_id")
    return rows.filter(further).unique(["person_id", "occupation_code"], maintain_order=True)
