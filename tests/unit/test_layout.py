"""Layout: integer rows, nobody on another, few crossings, quick."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.export.layout import (
    LAYOUT_ROW_PX,
    YEAR_BOX_GAP_PX,
    arrange_by_layer,
    arrange_by_year,
    count_crossings,
    fit_integer_rows,
)
from ui.words.text_width import estimate_text_width

TREE = {"t": 0, "a": 1, "b": 1, "c": 1, "d": 2, "e": 2, "f": 2, "m": -1, "n": -1}
ARROWS = [
    ("t", "a"),
    ("t", "b"),
    ("t", "c"),
    ("a", "d"),
    ("a", "e"),
    ("c", "f"),
    ("m", "t"),
    ("n", "t"),
]


def rows_of(layers: dict[str, int], arrows: list[tuple[str, str]], root: str) -> dict[str, float]:
    return {
        box: place.y / LAYOUT_ROW_PX
        for box, place in arrange_by_layer(layers, arrows, root=root).places.items()
    }


def test_columns_go_left_to_right_and_the_root_is_row_zero() -> None:
    layout = arrange_by_layer(TREE, ARROWS, root="t", widths={"t": 200})
    assert layout.places["t"].y == 0
    xs = [layout.columns[layer] for layer in sorted(layout.columns)]
    assert xs == sorted(xs)
    assert layout.columns[1] - layout.columns[0] == 246  # the widest box and the gap
    assert {layout.places[b].x for b in "abc"} == {layout.columns[1]}


def test_a_tree_crosses_nothing_and_keeps_the_order_given() -> None:
    rows = rows_of(TREE, ARROWS, "t")
    assert count_crossings(rows, TREE, ARROWS) == 0
    assert rows["a"] < rows["b"] < rows["c"]
    assert rows["d"] < rows["e"] < rows["f"]


def test_two_mentors_stand_either_side_of_the_talents_row() -> None:
    rows = rows_of(TREE, ARROWS, "t")
    assert (rows["m"], rows["n"]) == (-1, 1)


def test_sweeps_find_an_order_that_crosses_less() -> None:
    layers = {"t": 0, "a": 1, "b": 1, "x": 2, "y": 2}
    arrows = [("t", "a"), ("t", "b"), ("a", "x"), ("a", "y"), ("b", "x")]
    assert count_crossings(rows_of(layers, arrows, "t"), layers, arrows) == 0


def test_one_alone_and_ties_that_lead_nowhere_forward() -> None:
    assert rows_of({"t": 0}, [], "t") == {"t": 0}
    layers = {"t": 0, "peer": 0, "a": 1, "lost": 2}
    rows = rows_of(layers, [("t", "a"), ("a", "t"), ("peer", "peer"), ("t", "lost")], "t")
    assert rows["peer"] != rows["t"] == 0


@given(st.lists(st.floats(-1e3, 1e3), max_size=30))
def test_whole_rows_keep_the_order_and_never_share_a_row(wanted: list[float]) -> None:
    rows = fit_integer_rows(wanted)
    assert all(b - a >= 1 for a, b in pairwise(rows))


def test_whole_rows_are_those_wanted_where_there_is_room() -> None:
    assert fit_integer_rows([1, 4, 9]) == [1, 4, 9]
    assert fit_integer_rows([5, 5, 5]) == [4, 5, 6]


@given(st.integers(2, 60), st.randoms(use_true_random=False))
def test_nobody_stands_on_another(count: int, chance: random.Random) -> None:
    layers, arrows = {"0": 0}, []
    for number in range(1, count):
        person = str(number)
        mentor = chance.choice(list(layers))
        layers[person] = layers[mentor] + chance.choice((-1, 1, 1, 2))
        arrows.append((mentor, person))
        if chance.random() < 0.3:
            arrows.append((chance.choice(list(layers)), person))
    layout = arrange_by_layer(layers, arrows, root="0")
    assert len({(place.x, place.y) for place in layout.places.values()}) == count
    assert set(layout.places) == set(layers)
    assert all(place.y % LAYOUT_ROW_PX == 0 for place in layout.places.values())


def large(count: int, extra: float) -> tuple[dict[str, int], list[tuple[str, str]]]:
    chance = random.Random(count)
    layers, arrows = {"0": 0}, []
    people = ["0"]
    for number in range(1, count):
        mentor = chance.choice(people)
        while layers[mentor] > 2:
            mentor = chance.choice(people)
        layers[str(number)] = layers[mentor] + 1
        people.append(str(number))
        arrows.append((mentor, str(number)))
    for _ in range(int(count * extra)):
        a, b = chance.sample(people, 2)
        if layers[b] == layers[a] + 1:
            arrows.append((a, b))
    return layers, arrows


@pytest.mark.parametrize(("count", "extra"), [(300, 0.1), (5_000, 0.05)])
def test_large_views_have_a_place_for_everyone(count: int, extra: float) -> None:
    layers, arrows = large(count, extra)
    layout = arrange_by_layer(layers, arrows, root="0")
    assert len(set(layout.places)) == count


def test_a_year_axis_keeps_boxes_apart() -> None:
    chance = random.Random(3)
    years = {str(n): chance.randint(2000, 2010) for n in range(80)}
    rows = {box: float(n % 7 - 3) for n, box in enumerate(years)}
    rows["0"] = 0.0
    widths = dict.fromkeys(years, 90.0)
    layout = arrange_by_year(years, rows, widths, root="0")
    assert layout.places["0"].y == 0
    taken = defaultdict(list)
    for box, place in layout.places.items():
        assert place.x == layout.columns[years[box]]
        taken[place.y].append(place.x)
    for xs in taken.values():
        ordered = sorted(xs)
        assert all(b - a >= 90 + YEAR_BOX_GAP_PX for a, b in pairwise(ordered))


def test_full_width_characters_are_one_em() -> None:
    assert estimate_text_width("杨勇军") == 39
    assert estimate_text_width("abc") == pytest.approx(22.62)
