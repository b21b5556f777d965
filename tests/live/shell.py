"""A command line without a process of its own, which would spend a second on starting Python.

Whatever is about the process itself (pipes, signals, a full disk) starts one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

from cli.main import main
from cli.state import CommandState

# `run("load", path, code=2)`: the command with a data folder of its own, which must end so.
Run = Callable[..., subprocess.CompletedProcess[str]]


def run_here(
    arguments: Sequence[str | Path], environment: Mapping[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """What `shicheng` with these arguments prints in a folder, piped, and its exit code."""
    command = ["shicheng", *map(str, arguments)]
    code = 0
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as stderr_file,
        patch.dict(os.environ, environment),
        chdir(folder or Path.cwd()),
        patch.multiple(sys, argv=command, stdout=out, stderr=stderr_file),
        patch.object(CommandState, "standing", None),
        patch.object(CommandState, "settings", CommandState.settings),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        printed = []
        for stream in (out, stderr_file):
            stream.seek(0)
            printed.append(stream.read())
    return subprocess.CompletedProcess(command, code, *printed)
