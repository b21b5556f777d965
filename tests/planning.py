"""How the tests' Neo4j plans statements: once, and not again.

A statement whose plan is 10 s old is planned anew once the counts of nodes differ much, and by
parameters ten times as long. Tests empty and fill their store every second: of one session's server
that was a third of its life. What a statement answers does not depend on its plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graph.server import configuration

if TYPE_CHECKING:
    from graph.settings import Settings

LINES = "dbms.cypher.min_replan_interval=1h\ninternal.cypher.use_parameter_size=false\n"
_build = configuration.build_neo4j_configuration


def _build_for_tests(settings: Settings, port: int) -> str:
    return _build(settings, port) + LINES


configuration.build_neo4j_configuration = _build_for_tests
