"""Where people stand in a lineage: columns by generation, rows 40 px, few crossings.

The order within columns comes from igraph: Reingold and Tilford's tidy tree (1981) when nobody has
two mentors in the view or when that order crosses nothing, otherwise Sugiyama, Tagawa and Toda's
layers (1981), whichever crosses less. The rows are then made whole: each column keeps its order
and takes the nearest whole rows to what was wanted (isotonic regression, pool adjacent violators).
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import igraph

ROW = 40.0  # px from one row to the next
GAP = 46.0  # px between a column's widest box and the next column
PITCH = 145.0  # px between columns at least
YEAR_PITCH = 48.0  # px a year
YEAR_AIR = 24.0  # px kept free right of a box on a year axis
SUGIYAMA_TRIES = 60
REFINEMENTS = 3

Arrow = tuple[str, str]


@dataclass(frozen=True)
class Place:
    """Where a box stands: its left edge and the middle of its height, px."""

    x: float
    y: float


@dataclass(frozen=True)
class Layout:
    """Every box's place, and the left edge of every column (layer -> px)."""

    places: Mapping[str, Place]
    columns: Mapping[int, float]


def text_width(text: str, size: float = 13.0) -> float:
    """About how wide a text is, px: full-width characters one em, the others 0.58."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return size * (wide + 0.58 * (len(text) - wide))


def arrange(
    layers: Mapping[str, int],
    arrows: Iterable[Arrow],
    *,
    root: str,
    widths: Mapping[str, float] | None = None,
) -> Layout:
    """Place boxes left to right by layer, with `root` in row 0 of its column.

    `layers` gives each box's column in the order wished for within a column; arrows that do not
    lead to a later column take no part. `widths` are px; a column is as wide as its widest box.
    """
    forward = [(a, b) for a, b in dict.fromkeys(arrows) if layers[a] < layers[b]]
    rows = _rows(layers, forward, root)
    columns = _columns(layers, widths or {})
    shift = rows[root]
    places = {i: Place(columns[layers[i]], ROW * (rows[i] - shift)) for i in layers}
    return Layout(places, columns)


def arrange_by_year(
    years: Mapping[str, int], rows: Mapping[str, float], widths: Mapping[str, float], *, root: str
) -> Layout:
    """Place boxes along an axis of years, each on the free row nearest to its row in `rows`.

    `rows` are whole numbers, 0 = the root's; `columns` of the result are years.
    """
    first, last = min(years.values()), max(years.values())
    columns = {year: YEAR_PITCH * (year - first) for year in range(first, last + 1)}
    taken: dict[int, list[tuple[float, float]]] = defaultdict(list)
    places: dict[str, Place] = {}
    for box in sorted(years, key=lambda box: (box != root, abs(rows[box]), years[box])):
        left = columns[years[box]]
        right = left + widths[box] + YEAR_AIR
        wished = round(rows[box])
        row = next(r for r in _outwards(wished) if _is_free(taken[r], left, right))
        taken[row].append((left, right))
        places[box] = Place(left, ROW * row)
    return Layout(places, columns)


def _outwards(row: int) -> Iterator[int]:
    yield row
    for step in count(1):
        yield row + step
        yield row - step


def _is_free(taken: Sequence[tuple[float, float]], left: float, right: float) -> bool:
    return all(right <= other_left or left >= other_right for other_left, other_right in taken)


def crossings(rows: Mapping[str, float], layers: Mapping[str, int], arrows: Iterable[Arrow]) -> int:
    """How many pairs of arrows between the same two columns cross."""
    between: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for a, b in arrows:
        between[layers[a], layers[b]].append((rows[a], rows[b]))
    return sum(_inversions(sorted(pairs)) for pairs in between.values())


def whole_rows(wanted: Sequence[float]) -> list[int]:
    """The whole, increasing rows nearest to what is wanted (least squares, in this order)."""
    blocks: list[tuple[float, int]] = []  # sum of (wanted - place in order), size
    for place, row in enumerate(wanted):
        total, size = row - place, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / size:
            before, earlier = blocks.pop()
            total, size = total + before, size + earlier
        blocks.append((total, size))
    starts = [round(total / size) for total, size in blocks for _ in range(size)]
    return [start + place for place, start in enumerate(starts)]


def _inversions(pairs: list[tuple[float, float]]) -> int:
    seen: list[float] = []
    crossed = 0
    for _, target in pairs:
        crossed += len(seen) - bisect_right(seen, target)
        insort(seen, target)
    return crossed


def _columns(layers: Mapping[str, int], widths: Mapping[str, float]) -> dict[int, float]:
    widest: dict[int, float] = defaultdict(float)
    for box, layer in layers.items():
        widest[layer] = max(widest[layer], widths.get(box, 0.0))
    columns: dict[int, float] = {}
    x = 0.0
    for layer in range(min(widest), max(widest) + 1):
        columns[layer] = x
        x += max(PITCH, widest.get(layer, 0.0) + GAP)
    return columns


def _rows(layers: Mapping[str, int], arrows: list[Arrow], root: str) -> dict[str, float]:
    tree = _snapped(_tree_rows(layers, arrows, root), layers, arrows)
    crossed = crossings(tree, layers, arrows)
    if not crossed:
        return tree
    layered = _snapped(_layered_rows(layers, arrows), layers, arrows)
    return layered if crossings(layered, layers, arrows) < crossed else tree


def _tree_rows(layers: Mapping[str, int], arrows: list[Arrow], root: str) -> dict[str, float]:
    """Rows of two tidy trees that meet at the root: those before it and those after it."""
    before = {i: layers[root] - n for i, n in layers.items() if i == root or n < layers[root]}
    after = {i: n - layers[root] for i, n in layers.items() if n >= layers[root]}
    rows = _one_tree(before, [(b, a) for a, b in arrows], root)
    rows.update(_one_tree(after, arrows, root))
    return rows


def _one_tree(depths: Mapping[str, int], arrows: list[Arrow], root: str) -> dict[str, float]:
    """Rows of a tidy forest, 0 at the root; long arrows pass through empty places."""
    parent: dict[str, str] = {}
    inside = [(a, b) for a, b in arrows if a in depths and b in depths]
    for a, b in sorted(inside, key=lambda arrow: -depths[arrow[0]]):
        parent.setdefault(b, a)  # the parent in the nearest column, or the first one stated
    children: dict[str, list[str]] = defaultdict(list)
    for box, depth in depths.items():
        if depth:
            children[parent.get(box, root)].append(box)
    roots = [box for box, depth in depths.items() if not depth]
    numbers, links = _numbered(roots, children, depths)
    graph = igraph.Graph(len(links) + len(roots), links, directed=True)
    points = graph.layout_reingold_tilford(mode="out", root=[numbers[r] for r in roots])
    zero = points[numbers[root]][0]
    return {box: points[number][0] - zero for box, number in numbers.items()}


def _numbered(
    roots: list[str], children: Mapping[str, list[str]], depths: Mapping[str, int]
) -> tuple[dict[str, int], list[tuple[int, int]]]:
    """Vertex numbers in preorder, which is the order igraph keeps among siblings, and links."""
    numbers: dict[str, int] = {}
    links: list[tuple[int, int]] = []
    number = 0
    stack = [(box, -1, -1) for box in reversed(roots)]
    while stack:
        box, above, depth = stack.pop()
        while depth >= 0 and depth < depths[box] - 1:
            links.append((above, number))
            above, number, depth = number, number + 1, depth + 1
        if above >= 0:
            links.append((above, number))
        numbers[box] = number
        below = reversed(children.get(box, ()))
        stack.extend((child, number, depths[box]) for child in below)
        number += 1
    return numbers, links


def _layered_rows(layers: Mapping[str, int], arrows: list[Arrow]) -> dict[str, float]:
    boxes = list(layers)
    number = {box: n for n, box in enumerate(boxes)}
    first = min(layers.values())
    graph = igraph.Graph(len(boxes), [(number[a], number[b]) for a, b in arrows], directed=True)
    points = graph.layout_sugiyama(
        layers=[layers[box] - first for box in boxes], maxiter=SUGIYAMA_TRIES
    )
    return {box: points[n][0] for n, box in enumerate(boxes)}


def _snapped(
    wanted: Mapping[str, float], layers: Mapping[str, int], arrows: list[Arrow]
) -> dict[str, float]:
    """Whole rows, then columns drawn towards the people they are tied to, order kept."""
    by_layer: dict[int, list[str]] = defaultdict(list)
    for box in sorted(layers, key=lambda box: wanted[box]):
        by_layer[layers[box]].append(box)
    ties: dict[str, list[str]] = defaultdict(list)
    for a, b in arrows:
        ties[a].append(b)
        ties[b].append(a)
    rows: dict[str, float] = {}
    for boxes in by_layer.values():
        rows.update(zip(boxes, whole_rows([wanted[b] for b in boxes]), strict=True))
    fullest = max(by_layer, key=lambda layer: len(by_layer[layer]))
    for _ in range(REFINEMENTS):
        for layer in sorted(by_layer, key=lambda layer: abs(layer - fullest)):
            if layer != fullest:
                _draw_together(by_layer[layer], rows, ties)
    return rows


def _draw_together(
    boxes: list[str], rows: dict[str, float], ties: Mapping[str, list[str]]
) -> None:
    """Move one column's boxes to the whole rows nearest the middle of whom they are tied to."""
    middles = []
    for box in boxes:
        tied = [rows[other] for other in ties.get(box, ())]
        middles.append(sum(tied) / len(tied) if tied else rows[box])
    rows.update(zip(boxes, whole_rows(middles), strict=True))
