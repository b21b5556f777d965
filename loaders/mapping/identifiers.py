"""Ids that are made here, since lists of departments have none, and who is meant by a name.

A person is known by the ID number, else the certificate number, else the department's own number,
else by name, birth and employer, which a person must have agreed to. The rows of a department that
give one own number to one name are one person's, by the strongest key that any of them has. An ID
number and a certificate number never stand in an id: a keyed digest of them does, of letters only.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from graph.identity import is_valid_id_number
from graph.messages import Message
from loaders.mapping.name_lists import fold_name, normalize_name

Digest = Callable[[str], str]

OCCUPATIONS_FILE: Final = Path(__file__).with_name("occupations.csv")
# Letters of a digest in an id: 100 bits.
_DIGEST_LETTERS: Final = 25
_HEX_TO_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_MASKED_PATTERN: Final = re.compile(r"([0-9]{3,17})[*xX×＊#●?]{2,}([0-9]{0,4}[0-9Xx]?)")
MASKED_ID_NUMBER_REMARK: Final = Message(
    "digits of this ID number are hidden, so it is taken as not stated"
)
_DASHES: Final = re.compile(r"[—–―‐‑−－﹣_]")
_OCCUPATION_CODE_PATTERN: Final = re.compile(r"[1-8]-\d{2}-\d{2}(?:-\d{2})?|6-\d{2}-\d{2}")
_CREDIT_CODE_PATTERN: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_CREDIT_CODE_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # pragma: allowlist secret
WeakKey = tuple[str, str]
_ID_NUMBER_KIND: Final = "id"
_CERTIFICATE_KIND: Final = "cert"
CERTIFICATE_ID_PREFIX: Final = f"{_CERTIFICATE_KIND}-"


def clean_id_number(text: str) -> str:
    """An ID number without blanks and the mark that Excel puts before text, in capitals."""
    return re.sub(r"[\s'’`]", "", unicodedata.normalize("NFKC", text)).upper()


def extend_old_id_number(text: str) -> str | None:
    """The 18 characters of an ID number of 15 digits (before 1999); None for what is none.

    GB 11643-1999: the century 19 after the region, and the check character at the end.
    """
    old = clean_id_number(text)
    if not re.fullmatch(r"\d{8}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}", old):
        return None
    body = f"{old[:6]}19{old[6:]}"
    return next(n for sign in "0123456789X" if is_valid_id_number(n := body + sign))


def is_other_document(text: str) -> bool:
    """Whether the text is the number of a passport or a travel permit, not of an ID card."""
    return re.fullmatch(r"(?:[A-Z]{1,2}\d{7,8}|[HM]\d{8,10})", clean_id_number(text)) is not None


def is_masked_id_number(text: str) -> bool:
    """Whether digits of an ID number are hidden in the text: `110101********1234`."""
    return _MASKED_PATTERN.fullmatch(clean_id_number(text)) is not None


def has_id_number_shape(text: str) -> bool:
    """Whether the text can only be an ID number, right or wrong: 17 digits and a character."""
    return re.fullmatch(r"[0-9]{17}[0-9A-Z]", clean_id_number(text)) is not None


def build_weak_key(text: str) -> WeakKey | None:
    """First six and last four characters of an ID number, full or masked; None where hidden."""
    number = clean_id_number(text)
    if is_valid_id_number(number):
        return number[:6], number[-4:]
    matched = _MASKED_PATTERN.fullmatch(number)
    if matched is None or len(matched[1]) < 6 or len(matched[2]) < 4:
        return None
    return matched[1][:6], matched[2][-4:]


def build_digest_id(kind: str, text: str, digest: Digest) -> str:
    """`kind-` and letters: an id that gives nothing of the text away."""
    return f"{kind}-{digest(f'{kind}|{text}')[:_DIGEST_LETTERS].translate(_HEX_TO_LETTERS)}"


def is_certificate_id(person_id: str) -> bool:
    """Whether an id was made of a certificate number, since nothing better was known."""
    return person_id.startswith(CERTIFICATE_ID_PREFIX)


def build_certificate_id(number: str, digest: Digest) -> str:
    """The id of who is known by a certificate number alone, however the number is written."""
    return build_digest_id(_CERTIFICATE_KIND, normalize_certificate(number), digest)


def build_own_id(department: str, number: str) -> str:
    """A department's own number, which never meets another department's."""
    return f"{department}:{unicodedata.normalize('NFKC', number).strip()}"


def normalize_organisation(name: str) -> str:
    """An organisation's name as it is compared: NFKC, without blanks and quotation marks."""
    bare = re.sub(r"[\s\"'“”‘’《》]", "", unicodedata.normalize("NFKC", name))
    return unicodedata.normalize("NFKC", bare)


def is_credit_code(text: str) -> bool:
    """Whether the text is a unified social credit code with a right check character (GB 32100)."""
    if not _CREDIT_CODE_PATTERN.fullmatch(text):
        return False
    total = sum(
        pow(3, at, 31) * _CREDIT_CODE_CHARACTERS.index(sign) for at, sign in enumerate(text[:17])
    )
    return _CREDIT_CODE_CHARACTERS[-total % 31] == text[17]


def find_first_credit_code(ids: Iterable[str]) -> str | None:
    """The credit code of the first of these ids, in their order, that is one."""
    return next((code for id in ids if (code := find_credit_code(id)) is not None), None)


def find_credit_code(text: str) -> str | None:
    """The right credit code that the text is, however it is written; None for what is none."""
    code = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
    return code if is_credit_code(code) else None


def build_enterprise_id(name: str | None, credit_code: str | None) -> str | None:
    """The credit code where it is a right one, else the normalised name."""
    if credit_code is not None and (code := find_credit_code(credit_code)) is not None:
        return code
    return normalize_organisation(name) if name else None


def build_studio_id(name: str, host: str | None) -> str:
    """A studio by its name and its host: 创新工作室@远航重工."""
    own = normalize_organisation(name)
    return f"{own}@{normalize_organisation(host)}" if host else own


def normalize_occupation_code(text: str) -> str | None:
    """`4-08-05-02` however its dashes are written; None for what is no code."""
    code = _DASHES.sub("-", re.sub(r"\s", "", unicodedata.normalize("NFKC", text)))
    return code if _OCCUPATION_CODE_PATTERN.fullmatch(code) else None


def find_occupation(text: str) -> str | None:
    """The national list's code of an occupation: by a code in any writing, or by its name.

    `4—08—05—02`, `4080502` and `电工` are found; None for what is neither code nor name.
    """
    names, codes = load_occupations()
    if code := normalize_occupation_code(text):
        return code
    name = normalize_occupation(text)
    if matched := re.fullmatch(r"(\d)(\d{2})(\d{2})(\d{2})?", name):
        code = "-".join(part for part in matched.groups() if part)
        return code if code in names else None
    return codes.get(name)


def normalize_occupation(name: str) -> str:
    """An occupation's name without the direction in brackets: 汽车维修工（智能网联方向）."""
    bare = re.sub(r"\s", "", unicodedata.normalize("NFKC", name))
    plain = unicodedata.normalize("NFKC", bare)
    return re.sub(r"\([^()]*\)$", "", plain) or plain


@cache
def load_occupations() -> tuple[dict[str, str], dict[str, str]]:
    """Name by code, and code by name, of the national list of occupations (edition of 2022).

    A name that two occupations have is of neither code.
    """
    names: dict[str, str] = {}
    codes: dict[str, set[str]] = {}
    with OCCUPATIONS_FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            names[row["code"]] = row["name"]
            codes.setdefault(row["name"], set()).add(row["code"])
    return names, {name: min(of) for name, of in codes.items() if len(of) == 1}


@dataclass(frozen=True)
class PersonMention:
    """What one cell group of a row says of one person; all as written, None where nothing."""

    name: str | None = None
    id_number: str | None = None
    certificate: str | None = None
    own_number: str | None = None
    birth: str | None = None
    employer: str | None = None


@dataclass(frozen=True)
class IdentifiedPerson:
    """`person_id`, or the other people that the name may be (`several`), or neither."""

    person_id: str | None = None
    several: int = 0
    by_name_alone: bool = False


@dataclass
class PeopleRoster:
    """The people of one department that a load or the store knows, to find who a name is.

    `by_name`: normalised name -> person id -> employer, "" where it is not known.
    `by_own_number`: number -> folded name, "" where none is stated -> person ids.
    """

    by_name: dict[str, dict[str, str]] = field(default_factory=dict)
    by_own_number: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    by_weak_key: dict[tuple[str, WeakKey], set[str]] = field(default_factory=dict)
    named_ids: set[str] = field(default_factory=set)

    def add(self, person_id: str, said: PersonMention) -> None:
        """A person whose id is known by more than the name."""
        if said.name:
            name = normalize_name(said.name)
            employer = normalize_organisation(said.employer or "")
            self.named_ids.add(person_id)
            known = self.by_name.setdefault(name, {})
            known[person_id] = known.get(person_id) or employer
            weak = build_weak_key(said.id_number) if said.id_number else None
            if weak is not None:
                self.by_weak_key.setdefault((name, weak), set()).add(person_id)
        if said.own_number:
            of_number = self.by_own_number.setdefault(said.own_number.strip(), {})
            of_number.setdefault(_fold_stated_name(said), set()).add(person_id)

    def find_by_own_number(self, said: PersonMention) -> IdentifiedPerson:
        """Who of the department has the number, under the name where one is stated.

        Somebody of another name is found by the number alone, so that the name can be questioned.
        """
        of_number = self.by_own_number.get((said.own_number or "").strip(), {})
        people = of_number.get(_fold_stated_name(said), set())
        if not people and not (said.certificate and said.name and "" not in of_number):
            people = set().union(*of_number.values())
        if len(people) == 1:
            return IdentifiedPerson(next(iter(people)))
        return IdentifiedPerson(several=len(people))

    def find_by_name(
        self, name: str, employer: str | None, *, is_reference: bool
    ) -> IdentifiedPerson:
        """Who of the department has the name; those of the employer where that is known.

        A name that only refers to a person (a mentor's) is enough where one alone has it. A row
        of a person's own is another person's, unless the employer is the same.
        """
        known = self.by_name.get(normalize_name(name), {})
        wanted = normalize_organisation(employer or "")
        there = {one: at for one, at in known.items() if wanted and at == wanted}
        if not is_reference:
            known = there
        elif wanted:
            known = there or {one: at for one, at in known.items() if not at}
        if len(known) == 1:
            return IdentifiedPerson(next(iter(known)), by_name_alone=True)
        return IdentifiedPerson(several=len(known))


def _fold_stated_name(said: PersonMention) -> str:
    return fold_name(said.name) if said.name else ""


# Department, own number and folded name, "" where none is stated.
_NumberKey = tuple[str, str, str]


def _build_number_key(department: str, said: PersonMention) -> _NumberKey | None:
    if not said.own_number:
        return None
    return department, said.own_number.strip(), _fold_stated_name(said)


def unite_numbered_people(
    listed: Sequence[tuple[str, str, PersonMention]],
) -> list[tuple[str, str, PersonMention]]:
    """Department, person id and what a row says, with one id for one own number and name.

    As given, the id is the one of a row's own keys. An ID number is stronger than a certificate
    number, that than the own number; of several certificate numbers the least id stands, in
    whatever order the rows are. Rows of a number and a name with two ID numbers stay as they are.
    """
    keys = [_build_number_key(department, said) for department, _, said in listed]
    ids: dict[_NumberKey, set[str]] = {}
    for key, (_, person_id, _) in zip(keys, listed, strict=True):
        if key is not None:
            ids.setdefault(key, set()).add(person_id)
    chosen = {key: _choose_strongest_id(people) for key, people in ids.items()}
    return [
        (department, (key and chosen[key]) or person_id, said)
        for key, (department, person_id, said) in zip(keys, listed, strict=True)
    ]


def _choose_strongest_id(people: Iterable[str]) -> str | None:
    """The id of the strongest key; None where two ID numbers contradict each other."""
    by_id_number = [one for one in people if one.startswith(f"{_ID_NUMBER_KIND}-")]
    if len(by_id_number) > 1:
        return None
    by_certificate = [one for one in people if is_certificate_id(one)]
    return min(by_id_number or by_certificate or people)


def normalize_certificate(text: str) -> str:
    """A certificate number as it is compared: NFKC, without blanks, in capitals."""
    bare = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    return unicodedata.normalize("NFKC", bare)


def identify_person(
    said: PersonMention,
    department: str,
    digest: Digest,
    roster: PeopleRoster,
    *,
    by_name: bool = False,
    is_reference: bool = True,
) -> IdentifiedPerson:
    """The id of the person a row names, by the strongest key that it has.

    `by_name`: somebody has agreed that a name of one birth and employer is one person.
    `is_reference`: the row is not the person's own, as that of a mentor's apprentice.
    """
    if said.id_number and is_valid_id_number(number := clean_id_number(said.id_number)):
        return IdentifiedPerson(build_digest_id(_ID_NUMBER_KIND, number, digest))
    name = normalize_name(said.name) if said.name else ""
    weak = build_weak_key(said.id_number) if said.id_number else None
    if weak is not None and len(known := roster.by_weak_key.get((name, weak), set())) == 1:
        return IdentifiedPerson(next(iter(known)))
    numbered = roster.find_by_own_number(said) if said.own_number else IdentifiedPerson()
    if numbered.person_id:
        return numbered
    if said.certificate:
        return IdentifiedPerson(build_certificate_id(said.certificate, digest))
    if said.own_number:
        own = build_own_id(department, said.own_number.strip())
        return numbered if numbered.several else IdentifiedPerson(own)
    if said.id_number and is_other_document(said.id_number):
        document = clean_id_number(said.id_number)
        return IdentifiedPerson(build_digest_id("doc", document, digest))
    if not name:
        return IdentifiedPerson()
    if weak is not None:
        return IdentifiedPerson(build_digest_id("part", f"{name}|{'|'.join(weak)}", digest))
    employer = normalize_organisation(said.employer or "")
    keys = "|".join((department, name, said.birth or "", employer))
    by_keys = IdentifiedPerson(build_digest_id("name", keys, digest), by_name_alone=True)
    if by_name and not is_reference and by_keys.person_id in roster.named_ids:
        return by_keys
    found = roster.find_by_name(name, said.employer, is_reference=is_reference)
    if found.person_id and not is_reference and not by_name:
        return IdentifiedPerson()
    return found if found.person_id or found.several or not by_name else by_keys


def flag_repeated_names(
    said: Iterable[tuple[int, PersonMention]], identified: Iterable[IdentifiedPerson]
) -> set[int]:
    """The rows (their numbers) that share a name, and no other key tells whether they are one."""
    rows: dict[str, list[int]] = {}
    for (row, mention), found in zip(said, identified, strict=True):
        if found.by_name_alone and found.person_id and mention.name:
            rows.setdefault(found.person_id, []).append(row)
    return {row for several in rows.values() if len(set(several)) > 1 for row in several}
