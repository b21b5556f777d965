# ruff: noqa: E501 (statements stand as they are typed)
"""Statements that would get at what only a data steward reads, by kinds: each kind is a way.

Templates stand for several properties: `{v}` is the value as it would be named, `{k}` the name put
together from two texts, `{n}` what holds it, `{m}` the pattern that finds it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

Attempt = tuple[str, Mapping[str, Any]]

# What is masked, by where it is: the pattern, its variable, and the name in two parts.
PERSON: Final = "MATCH (p:Person) "
_PLACES: Final = (
    (PERSON, "p", "birth", "_date"),
    (PERSON, "p", "id_", "digest"),
    ("MATCH (p:Person)-[r:RECOGNISED]->() ", "r", "certificate", "_no"),
)

_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "aggregation": (
        "RETURN max({v}) AS a",
        "RETURN count({v}) AS a",
        "RETURN count(DISTINCT {v}) AS a",
        "RETURN collect({k}) AS a",
        "RETURN count({k}) AS a",
        "RETURN max(toString({k})) AS a",
        "RETURN {k} AS a, count(*) AS n",
        "WITH {k} AS g, collect(p.name) AS names RETURN names AS a",
        "RETURN sum(CASE WHEN {k} IS NULL THEN 0 ELSE 1 END) AS a",
        "RETURN percentileDisc(size(toString({k})), 0.5) AS a",
        "RETURN count(CASE WHEN toString({k}) STARTS WITH '1' THEN 1 END) AS a",
        "RETURN stdev(size(coalesce(toString({k}), ''))) AS a",
    ),
    "ordering": (
        "RETURN p.person_id AS a ORDER BY {v}",
        "RETURN p.person_id AS a ORDER BY {v} DESC LIMIT 1",
        "WITH p, {n} ORDER BY {k}, p.person_id LIMIT 1 RETURN p.person_id AS a",
        "WITH p, {n} ORDER BY toString({k}) DESC, p.person_id RETURN collect(p.person_id)[0] AS a",
        "WITH p, {n} ORDER BY {k} IS NULL, p.person_id SKIP 1 RETURN p.person_id AS a",
        "WITH {k} AS x, p ORDER BY x, p.person_id RETURN collect(p.name) AS a",
        "WITH [{k}, p.person_id] AS x ORDER BY x RETURN x[1] AS a",
        "RETURN max([toString({k}), p.person_id]) AS a",
        "RETURN min({{v: {k}, who: p.person_id}}) AS a",
    ),
    "functions": (
        "RETURN toUpper({v}) AS a",
        "RETURN coalesce({k}, 'none') AS a, p.person_id AS b",
        "RETURN toString({k}) AS a, p.person_id AS b",
        "RETURN size(toString({k})) AS a, p.person_id AS b",
        "RETURN split(toString({k}), '-') AS a",
        "RETURN toString({k}) =~ '1.*' AS a, p.person_id AS b",
        "RETURN valueType({k}) AS a",
        "RETURN isEmpty(toString({k})) AS a, p.person_id AS b",
        "RETURN nullIf({k}, date('1961-02-03')) AS a",
        "RETURN replace('abc', 'b', coalesce(toString({k}), '')) AS a",
        "RETURN range(1, size(coalesce(toString({k}), ''))) AS a",
        "RETURN toStringList([{k}]) AS a",
    ),
    "maps and lists": (
        "RETURN {n} {{a: {k}}} AS a",
        "RETURN {{a: {k}}} AS a",
        "RETURN [{k}] AS a",
        "RETURN [x IN [{k}] WHERE x IS NOT NULL] AS a",
        "WITH {{holder: {n}}} AS m RETURN m.holder['{first}' + '{rest}'] AS a",
        "WITH [{n}, 1] AS l RETURN l[0]['{first}' + '{rest}'] AS a",
        "RETURN any(x IN ['{first}'] WHERE {n}[x + '{rest}'] IS NOT NULL) AS a, p.person_id AS b",
        "RETURN reduce(s = '', x IN ['{first}'] | s + coalesce(toString({n}[x + '{rest}']), '')) AS a",
        "RETURN [x IN ['{rest}'] | {n}['{first}' + x]] AS a",
        "RETURN {n}[$first + $rest] AS a",
        "RETURN {n}[$m.first + $m.rest] AS a",
        "UNWIND ['{first}{rest}'] AS k RETURN {n}[k] AS a",
        "WITH {n} AS keys RETURN keys['{first}' + '{rest}'] AS a",
        "WITH {n} AS properties RETURN properties['{first}' + '{rest}'] AS a",
    ),
    "names that are there": (
        "RETURN '{first}' + '{rest}' IN keys({n}) AS a, p.person_id AS b",
        "RETURN size(keys({n})) AS a, p.person_id AS b",
        "RETURN [k IN keys({n}) WHERE k STARTS WITH '{first}'] AS a, p.person_id AS b",
        "RETURN size([k IN `keys` ({n}) WHERE k ENDS WITH '{rest}']) AS a, p.person_id AS b",
        "RETURN count(CASE WHEN '{first}' + '{rest}' IN KEYS({n}) THEN 1 END) AS a",
        "WITH p, keys({n}) AS ks ORDER BY size(ks), p.person_id RETURN collect(p.person_id) AS a",
    ),
    "existence": (
        "WHERE {v} IS NOT NULL RETURN count(*) AS a",
        "WHERE {k} IS NOT NULL RETURN p.person_id AS a",
        "WHERE NOT {k} IS NULL RETURN p.person_id AS a",
        "WHERE {k} = $guess RETURN p.person_id AS a",
        "WHERE {k} IN $guesses RETURN p.person_id AS a",
        "WHERE {k} > $guess RETURN p.person_id AS a",
        "WHERE toString({k}) STARTS WITH '1961' RETURN p.person_id AS a",
        "WHERE toString({k}) CONTAINS '7' RETURN p.person_id AS a",
        "WHERE EXISTS {{ WITH {n} WHERE {k} IS NOT NULL RETURN 1 }} RETURN p.person_id AS a",
        "RETURN EXISTS {{ WITH {n} AS q WHERE q['{first}' + '{rest}'] = $guess RETURN 1 }} AS a",
        "WHERE COUNT {{ WITH {n} AS q WHERE q['{first}' + '{rest}'] IS NOT NULL RETURN 1 }} > 0 RETURN p.name AS a",
        "RETURN CASE {k} WHEN $guess THEN 1 ELSE 0 END AS a, p.person_id AS b",
    ),
    "error texts": (
        "RETURN 1 / CASE WHEN {k} IS NULL THEN 1 ELSE 0 END AS a",
        "RETURN toInteger({k}) AS a",
        "RETURN date(toString({k}) + 'x') AS a",
        "RETURN duration(coalesce(toString({k}), 'P1D')) AS a",
        "RETURN point({{x: {k}, y: 1}}) AS a",
        "RETURN toBoolean({k}) AS a",
        "RETURN range(0, 1, CASE WHEN {k} IS NULL THEN 1 ELSE 0 END) AS a",
        "RETURN substring('abc', -size(coalesce(toString({k}), ''))) AS a",
        "RETURN {k} + {n} AS a",
        "RETURN [1, 2][coalesce({k}, 0)] AS a",
    ),
    "time": (
        "WHERE CASE WHEN {k} IS NULL THEN true ELSE size([x IN range(1, 300000) WHERE x % 7 = 0]) > 0 END RETURN p.person_id AS a",
        "RETURN CASE WHEN {k} IS NULL THEN 0 ELSE size([x IN range(1, 300000) | x]) END AS a, p.person_id AS b",
        "UNWIND CASE WHEN {k} IS NULL THEN [1] ELSE range(1, 50000) END AS x RETURN p.person_id AS a, count(x) AS n",
    ),
    "subqueries": (
        "CALL ({n}) {{ RETURN {k} AS a }} RETURN a",
        "CALL ({n}) {{ WITH {n} AS q RETURN q['{first}' + '{rest}'] AS a }} RETURN a",
        "RETURN COLLECT {{ WITH {n} AS q RETURN q['{first}' + '{rest}'] }} AS a",
        "CALL ({n}) {{ RETURN 1 AS a UNION RETURN {k} AS a }} RETURN a",
        "CALL (*) {{ RETURN {k} AS a }} RETURN a",
    ),
}
# Ways that are not of one property.
_PATHS: Final = (
    "MATCH a = (p:Person)-[:RECOGNISED]->() RETURN [x IN relationships(a) | x['certificate' + '_no']] AS a",
    "MATCH a = (p:Person)-->() RETURN [x IN nodes(a) | x['birth' + '_date']] AS a",
    "MATCH a = (p:Person)-->() RETURN head(nodes(a))['birth' + '_date'] AS a",
    "MATCH a = (p:Person)-->() RETURN a AS a",
    "MATCH a = (p:Person)-->() RETURN collect(a) AS a",
    "MATCH a = (p:Person)-->() RETURN {path: a} AS a",
    "MATCH a = (p:Person)-->() RETURN toString(a) AS a",
    "MATCH (p:Person) ((x)-[r:RECOGNISED]->(y)){1,1} (b) RETURN [one IN r | one['certificate' + '_no']] AS a",
    "MATCH (p:Person) ((x)-[r:RECOGNISED]->(y)){1,1} (b) RETURN r AS a",
    "MATCH (p:Person) ((x)-[r]->(y) WHERE x['birth' + '_date'] < date()){1,1} (b) RETURN p.person_id AS a",
    "MATCH a = SHORTEST 1 (p:Person)-->+(b) WHERE p['birth' + '_date'] IS NOT NULL RETURN p.person_id AS a",
    "MATCH a = ANY SHORTEST (p:Person)-[x]->+(b) RETURN [one IN x | one['certificate' + '_no']] AS a",
    "MATCH (p:Person)-[x*1..2]->(b) RETURN [one IN x | one['certificate' + '_no']] AS a",
    "MATCH (p:Person)-[x*1..1 {certificate_no: 'CERT-4711-0815'}]->(b) RETURN p.person_id AS a",
    "MATCH (p:Person)-[x:RECOGNISED WHERE x['certificate' + '_no'] IS NOT NULL]->(b) RETURN p.person_id AS a",
    "MATCH (p:Person WHERE p['birth' + '_date'] IS NOT NULL) RETURN p.person_id AS a",
    "MATCH (p:Person) RETURN [(p)-[x]->() WHERE x['certificate' + '_no'] IS NOT NULL | p.person_id] AS a",
    "MATCH (p:Person) RETURN [(p)-[x]->() | x['certificate' + '_no']] AS a",
    "MATCH (p:Person) RETURN [y = (p)-[]->() | nodes(y)[0]['birth' + '_date']] AS a",
    "MATCH (p:Person)-[x]->() RETURN startNode(x)['birth' + '_date'] AS a",
)
_FULL_TEXT: Final = tuple(
    f"CALL db.index.fulltext.queryNodes('names', '{asked}') YIELD node, score RETURN {given} AS a"
    for asked in ("王一", "*:*", "birth_date:1961", "id_digest:f00d*", "stated:*")
    for given in (
        "node['birth' + '_date']",
        "node",
        "[node, score]",
        "[k IN keys(node) | node[k]]",
        "node {.*, birth: node['birth' + '_date']}",
    )
)
_INDEXES: Final = (
    "SHOW INDEXES YIELD name, properties WHERE 'birth_date' IN properties RETURN name AS a",
    "SHOW CONSTRAINTS YIELD name, properties RETURN [x IN properties WHERE x STARTS WITH 'id'] AS a",
    "CALL db.index.fulltext.queryRelationships('names', 'CERT*') YIELD relationship AS a RETURN a",
    "MATCH (p:Person) WHERE p.birth_date = date('1961-02-03') RETURN p AS a",
    "MATCH (p:Person) USING SCAN p:Person WHERE p['birth' + '_date'] = date('1961-02-03') RETURN p.name AS a",
    "MATCH (p:Person), (q:Person) WHERE p['birth' + '_date'] < q['birth' + '_date'] RETURN p.name AS a",
    "MATCH (p:Person), (q:Person) WHERE p < q RETURN p.person_id AS a",
    "MATCH (p:Person), (q:Person) WHERE keys(p) = keys(q) AND p <> q RETURN p.name AS a",
    "MATCH (p:Person) RETURN p.birth_date_precision AS a",
    "MATCH (p:Person) RETURN p['retired_on' + '_precision'] AS a",
)


def list_attempts() -> Iterator[tuple[str, Attempt]]:
    """Each kind with an attempt."""
    for kind, templates in _TEMPLATES.items():
        for template in templates:
            for match, holder, first, rest in _PLACES:
                named = {
                    "v": f"{holder}.{first}{rest}",
                    "k": f"{holder}['{first}' + '{rest}']",
                    "n": holder,
                    "first": first,
                    "rest": rest,
                }
                yield kind, (match + template.format(**named), _build_values(first, rest))
    for kind, texts in (("paths", _PATHS), ("full text", _FULL_TEXT), ("indexes", _INDEXES)):
        for text in texts:
            yield kind, (text, {})


def _build_values(first: str, rest: str) -> Mapping[str, Any]:
    guess: Any = {"birth": dt.date(1961, 2, 3), "id_": "f00dfacecafe"}.get(first, "CERT-4711-0815")
    names = {"first": first, "rest": rest}
    return {"guess": guess, "guesses": [guess], "m": names, **names}
