"""The steps of a load in words, by the names under which `Progress` reports them."""

from __future__ import annotations

from typing import Final

from graph.messages import Message

_STEPS: Final = {
    "begin to write": Message("writing"),
    "write": Message("writing"),
    "find the same people": Message("finding ids of one person"),
    "undo": Message("undoing"),
    "read the store out": Message("reading the store out"),
    "write the store anew": Message("writing the store anew"),
    "count the figures": Message("counting the figures"),
    "try out": Message("trying the load out"),
    "import": Message("importing"),
    "write the import files": Message("writing the import files"),
    "make the indexes": Message("making the indexes"),
}
_REFERENCES, _CHECKING = "check the references of ", "check "


def describe_load_step(step: str) -> Message:
    """A step of a load, of the reading of a table or of a writing."""
    if step in _STEPS:
        return _STEPS[step]
    if step.startswith(_REFERENCES):
        file = step.removeprefix(_REFERENCES)
        return Message("checking the references of {file}", file=file)
    if step.startswith(_CHECKING):
        return Message("checking {file}", file=step.removeprefix(_CHECKING))
    return Message("reading {table}", table=step)
