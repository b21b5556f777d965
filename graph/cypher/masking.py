"""What of people's data only a data steward reads: left out of statements and of their rows.

The schema says which properties these are (`Property.masked`). A statement of anybody else may not
name one, whatever it would do with it; nor may it reach one without its name:

- a computed name, `p[...]`: written anew so that a masked name gives null. Both readings
  of `[...]`, a place in a value and a list of one, stay what they are;
- all properties at once, `properties(p)` and `p {.*}`: only as what is returned, where
  `mask_value` takes the masked ones out as it does from full nodes;
- the names that something has, `keys(p)`: written anew without the masked ones, since that one has
  a name says that there is a value;
- a full-text index that somebody made over a masked property: not asked.

A `\\u` escape outside of a text is refused for everybody (`graph.cypher.guard`), and Neo4j compares
names sign by sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from graph.cypher.guard import Token, list_comments, tokenize_cypher
from graph.dates import PRECISION
from graph.errors import RefusedError
from graph.identity import is_valid_id_number
from graph.model.kinds import FACETS, NODES, PERSON_ID, PROVENANCE, RELATIONS, UNDO
from graph.model.schema_types import Declared, Type, build_facet_prefix

if TYPE_CHECKING:
    from neo4j import Transaction


def _list_masked_properties() -> Iterator[str]:
    every: tuple[Declared, ...] = (*NODES, UNDO, *FACETS, *RELATIONS)
    masked = [known for declared in every for known in declared.properties if known.masked]
    yield from (known.stored for known in masked)
    yield from (known.stored + PRECISION for known in masked if known.type is Type.DATE)
    provenance = [known.name for known in PROVENANCE if known.masked]
    yield from provenance
    yield from (build_facet_prefix(facet) + name for facet in FACETS for name in provenance)


MASKED_PROPERTIES: Final = frozenset(_list_masked_properties())
PERSON_DATA_PROPERTIES: Final = frozenset(
    p.stored for kind in NODES for p in kind.properties if p.personal or p.masked
)
_PERSON_NAMING_PROPERTIES: Final = PERSON_DATA_PROPERTIES | {PERSON_ID.stored}
# An id of a person as the generated data have it, and Neo4j's own of a node (`elementId`).
_PERSON_ID_PATTERN: Final = re.compile(
    r"(?<![A-Za-z0-9])[Pp]\d{3,}(?!\w)|\b\d+:[0-9a-f]{8}-[0-9a-f-]{27}:\d+"
)
_BINDING_WORDS: Final = frozenset({"WITH", "UNWIND", "LET"})
_CLAUSE_BEGINNINGS: Final = _BINDING_WORDS | {"MATCH", "WHERE", "RETURN", "CALL", "ORDER", "FILTER"}
_COMPARING_WORDS: Final = frozenset({"IN", "STARTS", "ENDS", "CONTAINS"})
_ID_NUMBER_CANDIDATE_PATTERN: Final = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
# The variable of what is written anew.
_MASKING_VARIABLE: Final = "shicheng_key"
_BRACKET_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
# Functions that never give a text, so that what they give is no name of a property.
_NUMERIC_FUNCTIONS: Final = frozenset({"size", "length", "count", "tointeger", "sum", "avg"})
_ARITHMETIC_CHARACTERS: Final = frozenset("+-*/%^()")


def mask_statement(text: str, words: Sequence[Token], parameters: Mapping[str, Any]) -> str:
    """The statement to run instead of `text` (its tokens are `words`): the same, without a way to
    a masked property. Raises `RefusedError` for a statement that would read one."""
    for token in words:
        if (
            read_token_name(token) in MASKED_PROPERTIES
            or read_token_name(token) == _MASKING_VARIABLE
        ):
            raise RefusedError(
                "This statement is refused, because it names {name}, which only a data steward "
                "may read: leave it out.",
                name=read_token_name(token),
            )
    _validate_all_properties(words)
    return _rewrite(text, words, parameters)


def validate_fulltext_indexes(tx: Transaction, words: Sequence[Token]) -> None:
    """Refuses a search in a server whose full-text indexes hold a masked property."""
    if not any(read_token_name(token).casefold() == "fulltext" for token in words):
        return
    asked = "SHOW INDEXES YIELD type, properties WHERE type = 'FULLTEXT' RETURN properties"
    for record in tx.run(asked):
        for name in MASKED_PROPERTIES.intersection(record["properties"]):
            raise RefusedError(
                "This statement is refused, because a full-text index of this server holds "
                "{name}, which only a data steward may read: drop that index.",
                name=name,
            )


def mask_value(value: Any) -> Any:
    """A plain value of a row without the masked properties of the nodes and maps in it."""
    if isinstance(value, dict):
        return {
            name: mask_value(item) for name, item in value.items() if name not in MASKED_PROPERTIES
        }
    if isinstance(value, list):
        return [mask_value(item) for item in value]
    return value


def has_personal_identifier(text: str) -> bool:
    """Whether a statement holds what tells a person: a name or id that is asked for, an ID number.

    It looks at the statement alone, not at the graph: a text that is put together, or that stands
    far from the property that it is compared with, is not found.

    >>> has_personal_identifier("MATCH (p:Person) WHERE p.name = '李雷' RETURN p.person_id")
    True
    >>> has_personal_identifier("MATCH (p:Person) WHERE p.province = '32' RETURN p.name")
    False
    """
    words = tokenize_cypher(text)
    if any(
        is_valid_id_number(found.upper()) for found in _ID_NUMBER_CANDIDATE_PATTERN.findall(text)
    ):
        return True
    texts = [token.text for token in words if token.kind == "string"]
    if any(map(_PERSON_ID_PATTERN.search, (*texts, *list_comments(text)))):
        return True
    searched = any(read_token_name(token).casefold() == "fulltext" for token in words)
    return any(
        token.kind == "string"
        and (searched or _PERSON_NAMING_PROPERTIES.intersection(_list_nearby_names(words, at)))
        for at, token in enumerate(words)
    ) or (_has_bound_text(words) and _compares_person_property(words))


def _has_bound_text(words: Sequence[Token]) -> bool:
    """Whether a text stands where a WITH, UNWIND or LET gives it a name."""
    clause = before = ""
    for token in words:
        if token.word in _CLAUSE_BEGINNINGS and before not in ("STARTS", "ENDS"):
            clause = token.word
        before = token.word
        if token.kind == "string" and clause in _BINDING_WORDS:
            return True
    return False


def _compares_person_property(words: Sequence[Token]) -> bool:
    """Whether what names a person is compared with something else than a parameter."""
    for at, token in enumerate(words):
        if read_token_name(token) not in _PERSON_NAMING_PROPERTIES:
            continue
        before = words[max(at - 4, 0) : at - 2] if at >= 3 and words[at - 1].text == "." else []
        compared = before and (before[-1].text in ("=", ">") or before[-1].word in _COMPARING_WORDS)
        if compared and all(one.kind != "parameter" for one in before):
            return True
        after = words[at + 1 : at + 4]
        compared = after and (after[0].text in ("=", "<", ":") or after[0].word in _COMPARING_WORDS)
        if compared and all(one.kind != "parameter" for one in after):
            return True
    return False


def _list_nearby_names(words: Sequence[Token], at: int) -> Iterator[str]:
    """The names that stand up to a comparison's length before and after a text, in its clause;
    without those that are compared with a parameter.
    """
    for place in range(max(at - 8, 0), at):
        if words[place + 1].text not in ("=", ":") or words[place + 2].kind != "parameter":
            yield read_token_name(words[place])
    for token in words[at + 1 : at + 6]:
        if token.word in ("RETURN", "WITH", "MATCH", "ORDER", "AND", "OR", "AS"):
            break
        yield read_token_name(token)


def read_token_name(token: Token) -> str:
    """The name as Neo4j takes it: as written, without backticks; empty for what is none."""
    if token.kind != "name":
        return ""
    if token.text.startswith("`"):
        return token.text[1:-1].replace("``", "`")
    return token.text


# All properties at once


def _validate_all_properties(words: Sequence[Token]) -> None:
    found = [at for at in range(len(words) - 1) if _is_all_properties(words, at)]
    if not found:
        return
    returned = _find_returned_all_properties(words)
    for at in found:
        if at not in returned:
            raise RefusedError(
                "This statement is refused, because it works with all properties of something at "
                "once, among which may be some that only a data steward may read: name the "
                "properties it needs, or return properties(x) or x {.*} as it is, unsorted."
            )


def _is_all_properties(words: Sequence[Token], at: int) -> bool:
    """Whether `properties(` or `.*` begins at a token."""
    token, after = words[at], words[at + 1].text
    if token.text == ".":
        return after == "*"
    return read_token_name(token).casefold() == "properties" and after == "("


def _find_returned_all_properties(words: Sequence[Token]) -> set[int]:
    """Where all properties are what the full statement returns, and nothing else is done to them.

    That is `properties(x)` or `x {.*}`, or the `collect` of it, as an item of the last RETURN,
    which is neither DISTINCT nor part of a UNION, and orders by none of them.
    """
    depths = list(_compute_bracket_depths(words))
    outer = [at for at, depth in enumerate(depths) if depth == 0]
    last = max((at for at in outer if words[at].word == "RETURN"), default=None)
    if last is None or any(words[at].word == "UNION" for at in outer):
        return set()
    end = next((at for at in outer if at > last and _is_items_end(words, at)), len(words))
    if words[last + 1].word == "DISTINCT":
        return set()
    found: set[int] = set()
    names: set[str] = set()
    for first, beyond in _split_return_items(words, depths, last + 1, end):
        at, name = _read_all_properties_item(words[first:beyond])
        if at is not None:
            found.add(first + at)
            names.add(name)
    ordering = range(end, len(words))
    sorted_by = any(
        read_token_name(words[at]) in names and (at + 1 == len(words) or words[at + 1].text != ".")
        for at in ordering
    )
    return set() if sorted_by else found


def _compute_bracket_depths(words: Sequence[Token]) -> Iterator[int]:
    """How many brackets each token stands in; a bracket itself stands outside of what it holds."""
    depth = 0
    for token in words:
        if token.text in _BRACKET_PAIRS.values():
            depth -= 1
        yield depth
        if token.text in _BRACKET_PAIRS:
            depth += 1


def _is_items_end(words: Sequence[Token], at: int) -> bool:
    return words[at].word in ("ORDER", "SKIP", "OFFSET", "LIMIT") or words[at].text == ";"


def _split_return_items(
    words: Sequence[Token], depths: Sequence[int], first: int, end: int
) -> Iterator[tuple[int, int]]:
    """The items between commas: first token, and the one beyond the last."""
    for at in range(first, end):
        if words[at].text == "," and depths[at] == 0:
            yield first, at
            first = at + 1
    yield first, end


def _read_all_properties_item(item: Sequence[Token]) -> tuple[int | None, str]:
    """Where in an item all properties are named, if they are the item; and what it is called."""
    texts = [token.text for token in item]
    called = ""
    if len(item) > 2 and item[-2].word == "AS":
        called, texts, item = read_token_name(item[-1]), texts[:-2], item[:-2]
    inside = 0
    if len(item) > 3 and item[0].word == "COLLECT" and texts[1] == "(" and texts[-1] == ")":
        inside, texts = 2, texts[2:-1]
    if len(texts) == 4 and texts[1] == "(" and texts[3] == ")" and item[inside + 2].kind == "name":
        return inside, called
    if len(texts) > 4 and texts[1] == "{" and texts[-1] == "}" and texts.count("{") == 1:
        stars = [at for at in range(len(texts) - 1) if texts[at : at + 2] == [".", "*"]]
        return (inside + stars[0] if stars else None), called or read_token_name(item[inside])
    return None, called


# Computed names


def _rewrite(text: str, words: Sequence[Token], parameters: Mapping[str, Any]) -> str:
    names = ", ".join(f"'{name}'" for name in sorted(MASKED_PROPERTIES))
    unmasked = f" WHERE NOT {_MASKING_VARIABLE} IN [{names}]]"
    # Place in the text, which goes first at one place, and what is put there.
    put: list[tuple[int, int, str]] = []
    for at, end in _find_subscripts(words):
        if not _is_harmless_subscript(words[at + 1 : end], parameters):
            put.append((words[at].at + 1, 0, f"[{_MASKING_VARIABLE} IN ["))
            put.append((words[end].at, 1, f"]{unmasked}[0]"))
    for at, end in _find_name_lists(words):
        put.append((words[at].at, 1, f"[{_MASKING_VARIABLE} IN "))
        put.append((words[end].at + 1, 0, unmasked))
    pieces, before = [], 0
    for place, _, more in sorted(put):
        pieces += [text[before:place], more]
        before = place
    return "".join([*pieces, text[before:]])


def _find_name_lists(words: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """The calls of `keys(...)`, first and last token."""
    for first, last in _list_bracket_pairs(words):
        called = first and read_token_name(words[first - 1]).casefold() == "keys"
        if words[last].text == ")" and called and (first < 2 or words[first - 2].text != "."):
            yield first - 1, last


def _find_subscripts(words: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """The brackets, first and last token, that may stand for a place in the value before them.

    Those of a relation or of a list come after a sign; after a key word (`IN [...]`) it may be
    either, for a variable may be called `in`.
    """
    for first, last in _list_bracket_pairs(words):
        if words[last].text == "]" and first and _is_value_token(words[first - 1]):
            yield first, last


def _list_bracket_pairs(words: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """The places of each bracket that opens and of the one that closes it, inner ones first."""
    open_at: list[int] = []
    for at, token in enumerate(words):
        if token.text in _BRACKET_PAIRS:
            open_at.append(at)
        elif token.text in _BRACKET_PAIRS.values() and open_at:
            yield open_at.pop(), at


def _is_value_token(token: Token) -> bool:
    return token.kind in ("name", "string", "parameter") or token.text in (")", "]", "}")


def _is_harmless_subscript(inside: Sequence[Token], parameters: Mapping[str, Any]) -> bool:
    """Whether what stands in a bracket can't give the name of a masked property."""
    depths = list(_compute_bracket_depths(inside))
    outer = [token for token, depth in zip(inside, depths, strict=True) if depth == 0]
    texts = [token.text for token in outer]
    if not inside or "," in texts or _is_list_slice(outer):
        return True
    if len(inside) == 1:
        return _is_harmless_word(inside[0], parameters)
    if inside[1].word == "IN" and inside[0].kind == "name" and inside[0].word != "CASE":
        return True  # a list made of a list, or true or false
    if _has_single_bar(outer):
        if any(token.word == "CASE" for token in outer):
            raise RefusedError(
                "This statement is refused, because it can't be told whether a CASE in a bracket "
                "gives the name of a property: put round brackets around it."
            )
        return True  # a list made of a pattern, or true or false
    return _is_numeric_call(inside, depths) or all(
        _is_number_token(t) or t.text in _ARITHMETIC_CHARACTERS for t in inside
    )


def _is_harmless_word(word: Token, parameters: Mapping[str, Any]) -> bool:
    if word.kind == "string":
        if word.text[1:-1] in MASKED_PROPERTIES:
            raise RefusedError(
                "This statement is refused, because it names {name}, which only a data steward "
                "may read: leave it out.",
                name=word.text[1:-1],
            )
        return "\\" not in word.text
    if word.kind == "parameter":
        value = parameters.get(word.text[1:].strip("`"))
        return not (isinstance(value, str) and value in MASKED_PROPERTIES)
    return _is_number_token(word)


def _is_number_token(token: Token) -> bool:
    return token.kind == "name" and token.text[0].isdigit()


def _is_list_slice(outer: Sequence[Token]) -> bool:
    """Whether it is a part of a list, `[1..3]`."""
    return any(a.text == b.text == "." and b.at == a.at + 1 for a, b in pairwise(outer))


def _has_single_bar(outer: Sequence[Token]) -> bool:
    """Whether a `|` stands there that is not half of a `||`."""
    bars = [token.at for token in outer if token.text == "|"]
    return any(at - 1 not in bars and at + 1 not in bars for at in bars)


def _is_numeric_call(inside: Sequence[Token], depths: Sequence[int]) -> bool:
    """Whether it is one call of a function that gives a number."""
    called = read_token_name(inside[0]).casefold() in _NUMERIC_FUNCTIONS and inside[1].text == "("
    return called and list(depths[2:]).count(0) == 1
