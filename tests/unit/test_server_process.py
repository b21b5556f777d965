"""How the processes of the embedded server are started."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.server import embedded


def test_options_of_one_java_are_not_those_of_the_class_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache serves every later start, whatever its JAVA_TOOL_OPTIONS; a server takes them."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncat > /dev/null\necho "options: $JAVA_TOOL_OPTIONS" > "$3"\n')
    python.chmod(0o700)
    (tmp_path / "logs").mkdir()
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xint")
    monkeypatch.setattr("sys.executable", str(python))
    for task in ("serve", "warm"):
        assert embedded._spawn_child(task, {}, tmp_path).wait() == 0
    assert (tmp_path / "serve").read_text() == "options: -Xint\n"
    assert (tmp_path / "warm").read_text() == "options: \n"
