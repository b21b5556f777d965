"""Some hundred statements that must not run, and some hundred that must: `guard_corpus/`.

Each is judged by the engine's own plan on the shared server, and none is run but a sample.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graph.cypher.guard import tokenize_cypher, validate_statement
from graph.cypher.masking import mask_statement
from graph.cypher.named_queries import run_cypher
from graph.errors import DatabaseError, RefusedError, ShichengError, UsageError
from graph.server.database import Database

pytestmark = pytest.mark.lts
CORPUS = Path(__file__).with_name("guard_corpus")
GIVEN: dict[str, Any] = {"x": "p1", "k": "name", "ids": ["p1", "p2"], "u": "file:///etc/passwd"}
# Of the attacks that many are asked as a user would, the others only judged.
SAMPLE = 25
# What Neo4j 5.26 has no words for.
NEWER = ("CYPHER 25", "OFFSET")


def read_corpus(name: str) -> list[str]:
    lines = (CORPUS / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def judge(database: Database, text: str, *, mask: bool) -> ShichengError | None:
    """What the guard, or the engine's parser, has against a statement; masked it is planned too."""
    try:
        database.read_with(lambda tx: plan_only(tx, text, mask=mask))
    except ShichengError as error:
        return error
    return None


def plan_only(tx: Any, text: str, *, mask: bool) -> None:
    validate_statement(tx, text, GIVEN)
    if mask:
        masked = mask_statement(text, tokenize_cypher(text), GIVEN)
        tx.run(f"EXPLAIN\n{masked}", GIVEN).consume()


def digest(database: Database) -> list[dict[str, Any]]:
    """What would differ if anything had been written."""
    return database.read(
        "MATCH (n) OPTIONAL MATCH (n)-[r]->() WITH n, count(r) AS ties "
        "RETURN labels(n) AS labels, properties(n) AS values, ties ORDER BY elementId(n)"
    ) + database.read("SHOW INDEXES YIELD name RETURN name ORDER BY name")


def test_attacks_are_refused_and_change_nothing(network: Database) -> None:
    attacks = read_corpus("attacks")
    assert len(attacks) >= 400 and len(set(attacks)) == len(attacks)
    before = digest(network)
    passed, odd = [], []
    for text in attacks:
        error = judge(network, text, mask=False)
        if error is None:
            passed.append(text)
        elif not isinstance(error, RefusedError | UsageError):
            odd.append((text, str(error)))
    assert passed == [] and odd == []
    for text in attacks[:: len(attacks) // SAMPLE]:
        with pytest.raises((RefusedError, UsageError)):
            run_cypher(network, text, GIVEN)
    assert digest(network) == before


def test_legal_reads_are_not_refused(network: Database) -> None:
    reads = read_corpus("reads")
    assert len(reads) >= 400 and len(set(reads)) == len(reads)
    old = network.version.startswith("5.")
    refused = {}
    for text in reads:
        if old and any(word in text for word in NEWER):
            continue
        error = judge(network, text, mask=True)
        if error is not None:
            refused[text] = str(error)
    assert refused == {}


def test_a_back_slash_in_a_text_is_no_escape_of_a_key_word(network: Database) -> None:
    for text, found in (
        (r"RETURN 'C:\\users\\x' AS a", r"C:\users\x"),
        (r"RETURN '\u5f20\u4e09' AS a", "张三"),
        (r"RETURN 'a\\u0041' AS a", r"a\u0041"),
    ):
        assert run_cypher(network, text).rows == [[found]]
    with pytest.raises(RefusedError, match="escape"):
        run_cypher(network, r"RETURN '\u0027 AS a //'")
    with pytest.raises((DatabaseError, RefusedError, UsageError)):
        run_cypher(network, r"MATCH (p:Person) RETURN p.birth\u005fdate AS a")
    # What is masked stays so by a name that is spelt with an escape.
    asked = r"MATCH (p:Person) RETURN p['birth_d\u0061te'] AS a LIMIT 3"
    assert {row[0] for row in run_cypher(network, asked).rows} == {None}
    assert {row[0] for row in run_cypher(network, asked, role="steward").rows} != {None}
