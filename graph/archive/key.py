"""The key of backups: 64 hexadecimal digits, from the environment, a file or a command."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
from pathlib import Path
from typing import Final

from graph.errors import UsageError
from graph.system_errors import reason_of

KEY_VARIABLE: Final = "SHICHENG_BACKUP_KEY"
KEY_FILE_VARIABLE: Final = "SHICHENG_BACKUP_KEY_FILE"
KEY_COMMAND_VARIABLE: Final = "SHICHENG_BACKUP_KEY_COMMAND"
KEY_VARIABLES: Final = (KEY_VARIABLE, KEY_FILE_VARIABLE, KEY_COMMAND_VARIABLE)
_COMMAND_SECONDS: Final = 60
_KEY_PATTERN: Final = re.compile(r"[0-9a-fA-F]{64}")


def load_backup_key() -> bytes | None:
    """The key that is set; None where none is. Never said in an error.

    Raises UsageError for more than one, and for one that cannot be had or is no key.
    """
    given = [(name, os.environ[name]) for name in KEY_VARIABLES if os.environ.get(name)]
    if not given:
        return None
    if len(given) > 1:
        raise UsageError(
            "{names} are both set: unset all but one of them.",
            names=", ".join(name for name, _ in given),
        )
    ((name, value),) = given
    text = value
    if name == KEY_FILE_VARIABLE:
        text = _read_key_file(Path(value).expanduser())
    if name == KEY_COMMAND_VARIABLE:
        text = _run_key_command(value)
    if not _KEY_PATTERN.fullmatch(text.strip()):
        raise UsageError(
            "{name} gives no key: a key has 64 hexadecimal digits; make one with "
            "`openssl rand -hex 32`, and note it where no backup is.",
            name=name,
        )
    return bytes.fromhex(text.strip())


def _read_key_file(file: Path) -> str:
    try:
        if not _is_private_file(file):
            raise UsageError(
                "Others can read {file}: make it yours alone with `chmod 600 {file}`.", file=file
            )
        return file.read_text("ascii", errors="replace")
    except OSError as error:
        raise UsageError(
            "The key file {file} cannot be read ({why}).", file=file, why=reason_of(error)
        ) from error


def _is_private_file(file: Path) -> bool:
    """Whether its owner alone can read it, or the unit alone to which systemd hands it over.

    systemd gives its unit the right to read by an access list. The mode then shows the list's
    mask in the place of the group's rights: 0440, where no group can read.
    """
    found = file.stat()
    mode = stat.S_IMODE(found.st_mode)
    handed_over = os.environ.get("CREDENTIALS_DIRECTORY")
    if handed_over and file.resolve().parent == Path(handed_over).resolve():
        return found.st_uid in (0, os.geteuid()) and not mode & 0o037
    return not mode & 0o077


def _run_key_command(command: str) -> str:
    """What a command prints. It is started without a shell; what it says is shown to nobody."""
    try:
        done = subprocess.run(
            shlex.split(command), stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UsageError(
            "The command of SHICHENG_BACKUP_KEY_COMMAND failed ({kind}): run it by hand.",
            kind=type(error).__name__,
        ) from error
    return done.stdout.decode("ascii", "replace")
