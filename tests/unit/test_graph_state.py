"""What pages read is cached by the graph's state: one key a call, one state a call."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
import streamlit as st

from ui.shell import graph_state
from ui.shell.graph_state import GraphRevision, cache_by_graph_state, fetch_graph_state

calls: list[object] = []


@cache_by_graph_state(max_entries=4)
def list_letters(word: str, *, upper: bool = False) -> list[str]:
    """The letters."""
    calls.append(word)
    return list(word.upper() if upper else word)


@cache_by_graph_state(max_entries=4, resource=True)
def list_shared_letters(word: str, _ignored: object = None, **more: int) -> list[str]:
    """The letters, of which all callers have the same list."""
    calls.append(word)
    return list(word)


@cache_by_graph_state(max_entries=4)
def fetch_states() -> tuple[str, str]:
    """The state as two readings within one call see it."""
    return fetch_graph_state(), fetch_graph_state()


@pytest.fixture(autouse=True)
def revisions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The revisions that the graph is found at, look by look; the last one stays."""
    found = [1]

    def read() -> GraphRevision:
        number = found.pop(0) if len(found) > 1 else found[0]
        return GraphRevision(number, None, None, loads=(f"L{number}",))

    monkeypatch.setattr(graph_state, "_read_graph_revision", read)
    calls.clear()
    st.cache_data.clear()
    st.cache_resource.clear()
    yield found


def test_a_value_is_read_once_a_state(revisions: list[int]) -> None:
    assert list_letters("ab") == list_letters("ab") == ["a", "b"]
    assert calls == ["ab"]
    revisions[:] = [2]
    list_letters("ab")
    assert calls == ["ab", "ab"]


def test_one_key_however_the_arguments_are_given() -> None:
    list_letters("ab")
    list_letters(word="ab")
    list_letters("ab", upper=False)
    list_shared_letters("cd", a=1, b=2)
    list_shared_letters("cd", b=2, a=1)
    assert calls == ["ab", "cd"]
    assert list_letters("ab", upper=True) == ["A", "B"]


def test_each_function_has_values_of_its_own() -> None:
    list_letters("ab")
    list_shared_letters("ab")
    assert calls == ["ab", "ab"]


def test_callers_get_copies_or_the_same_object() -> None:
    list_letters("ab").append("c")
    assert list_letters("ab") == ["a", "b"]
    assert list_shared_letters("ab") is list_shared_letters("ab")


def test_an_argument_of_a_private_name_is_no_part_of_the_key() -> None:
    assert list_shared_letters("ab", object()) is list_shared_letters("ab", object())
    assert list_shared_letters("ab", object()) is list_shared_letters("ab", _ignored=object())


def test_what_is_called_within_sees_the_same_state(revisions: list[int]) -> None:
    revisions[:] = [1, 2]
    first, second = fetch_states()
    assert first == second == "1 L1"


def test_a_decorated_function_looks_as_before() -> None:
    assert list_letters.__name__ == "list_letters"
    assert list_letters.__doc__ == "The letters."
    assert list(inspect.signature(list_letters).parameters) == ["word", "upper"]


def test_what_a_function_does_not_take_is_an_error() -> None:
    with pytest.raises(TypeError):
        list_letters()  # type: ignore[call-arg]
