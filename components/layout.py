"""Where people stand in a lineage: columns by generation, rows 40 px, few crossings.

Within a column people stand in the order of their mentors, which crosses nothing where nobody has
two; otherwise the barycentre sweeps of Sugiyama, Tagawa and Toda (1981) look for fewer crossings.
(igraph has their method, but 1.0.0 crashes the process on one in twenty random graphs when the
layers are given, and that would end the app for everyone.) Rows are whole: each column keeps its
order and takes the rows nearest to those wished for (isotonic regression, pool adjacent violators).
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count as counted

ROW = 40.0  # px from one row to the next
GAP = 46.0  # px between a column's widest box and the next column
PITCH = 145.0  # px between columns at least
YEAR_PITCH = 48.0  # px a year at most, a third of it at least
YEARS_ACROSS = 720.0  # px that the years should fit in
YEAR_AIR = 24.0  # px kept free right of a box on a year axis
SWEEPS = 8  # tries at fewer crossings, there and back
HEED = 0.02  # weight of a box tied to nobody beside one that is

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


def layers(people: Iterable[str], arrows: Iterable[Arrow]) -> dict[str, int]:
    """Person -> column: right of all who lead there, those of a circle in one column.

    One whom nobody leads to stands right before the first of those he or she leads to.
    """
    import networkx as nx

    graph = nx.DiGraph(arrows)
    graph.add_nodes_from(people)
    circles = nx.condensation(graph)
    column: dict[int, int] = {}
    for circle in nx.topological_sort(circles):
        column[circle] = 1 + max((column[c] for c in circles.predecessors(circle)), default=-1)
    for circle in circles:
        onward = [column[c] for c in circles.successors(circle)]
        if onward and not circles.pred[circle]:
            column[circle] = min(onward) - 1
    return {person: column[circles.graph["mapping"][person]] for person in graph}


def arrange_by_year(
    years: Mapping[str, int], rows: Mapping[str, float], widths: Mapping[str, float], *, root: str
) -> Layout:
    """Place boxes along an axis of years, each on the free row nearest to its row in `rows`.

    `rows` are whole numbers, 0 = the root's; `columns` of the result are years.
    """
    first, last = min(years.values()), max(years.values())
    pitch = min(YEAR_PITCH, max(YEARS_ACROSS / (last - first + 1), YEAR_PITCH / 3))
    columns = {year: pitch * (year - first) for year in range(first, last + 1)}
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
    for step in counted(1):
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


def whole_rows(wanted: Sequence[float], weights: Sequence[float] | None = None) -> list[int]:
    """The whole, increasing rows nearest to what is wanted (weighted least squares, order kept)."""
    blocks: list[tuple[float, float, int]] = []  # weighted sum of (wanted - place), weight, size
    for place, row in enumerate(wanted):
        weight = weights[place] if weights else 1.0
        total, size = weight * (row - place), 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / weight:
            before, earlier, count = blocks.pop()
            total, weight, size = total + before, weight + earlier, size + count
        blocks.append((total, weight, size))
    starts = [round(total / weight) for total, weight, size in blocks for _ in range(size)]
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
    for layer in sorted(widest):
        columns[layer] = x
        x += max(PITCH, widest[layer] + GAP)
    return columns


def _rows(layers: Mapping[str, int], arrows: list[Arrow], root: str) -> dict[str, float]:
    """Whole rows of the order, among those tried, that crosses least; the first on a tie."""
    best = _snapped(_tree_order(layers, arrows, root), layers, arrows)
    fewest = crossings(best, layers, arrows)
    rows = best
    for sweep in range(SWEEPS if fewest else 0):
        rows = _snapped(_swept(rows, layers, arrows, forward=sweep % 2 == 0), layers, arrows)
        crossed = crossings(rows, layers, arrows)
        if crossed < fewest:
            best, fewest = rows, crossed
    return best


def _tree_order(layers: Mapping[str, int], arrows: list[Arrow], root: str) -> dict[str, float]:
    """The place of each box in a walk of the tree of first mentors, branch by branch.

    Where nobody has two, this order crosses nothing.
    """
    before = {i: layers[root] - n for i, n in layers.items() if i == root or n < layers[root]}
    after = {i: n - layers[root] for i, n in layers.items() if n >= layers[root]}
    order = _walk(before, [(b, a) for a, b in arrows], root)
    order.update(_walk(after, arrows, root))
    return order


def _walk(depths: Mapping[str, int], arrows: list[Arrow], root: str) -> dict[str, float]:
    parent: dict[str, str] = {}
    inside = [(a, b) for a, b in arrows if a in depths and b in depths]
    for a, b in sorted(inside, key=lambda arrow: -depths[arrow[0]]):
        parent.setdefault(b, a)  # the one in the nearest column, or the first one stated
    children: dict[str, list[str]] = defaultdict(list)
    for box, depth in depths.items():
        if depth:
            children[parent.get(box, root)].append(box)
    order: dict[str, float] = {}
    stack = [box for box, depth in depths.items() if not depth][::-1]
    while stack:
        box = stack.pop()
        order[box] = len(order)
        stack.extend(reversed(children[box]))
    return order


def _swept(
    rows: Mapping[str, float], layers: Mapping[str, int], arrows: list[Arrow], *, forward: bool
) -> dict[str, float]:
    """Column after column, each box at the middle of those it is tied to in columns passed."""
    passed: dict[str, list[str]] = defaultdict(list)
    for a, b in arrows:
        if forward:
            passed[b].append(a)
        else:
            passed[a].append(b)
    order = dict(rows)
    for box in sorted(layers, key=lambda box: layers[box] if forward else -layers[box]):
        middle = _middle([order[other] for other in passed[box]])
        order[box] = rows[box] if middle is None else middle
    return order


def _snapped(
    wanted: Mapping[str, float], layers: Mapping[str, int], arrows: list[Arrow]
) -> dict[str, float]:
    """Whole rows in the order wanted: the fullest column without gaps, the others drawn to it."""
    by_layer: dict[int, list[str]] = defaultdict(list)
    for box in sorted(layers, key=lambda box: wanted[box]):  # stable: ties keep the order given
        by_layer[layers[box]].append(box)
    fullest = max(by_layer, key=lambda layer: len(by_layer[layer]))
    towards: dict[str, list[str]] = defaultdict(list)
    for a, b in arrows:
        if layers[a] >= fullest:
            towards[b].append(a)
        if layers[b] <= fullest:
            towards[a].append(b)
    rows: dict[str, float] = {box: row for row, box in enumerate(by_layer.pop(fullest))}
    height = len(rows)
    for layer in sorted(by_layer, key=lambda layer: abs(layer - fullest)):
        _draw_near(by_layer[layer], rows, towards, height)
    return rows


def _draw_near(
    boxes: list[str], rows: dict[str, float], towards: Mapping[str, list[str]], height: int
) -> None:
    """Give one column the whole rows nearest the middle of whom its boxes are tied to.

    A box tied to nobody stands right after the one above it; no box leaves the `height` rows.
    """
    wishes = [_middle([rows[other] for other in towards.get(box, ())]) for box in boxes]
    if len(boxes) == 2 and wishes[0] is not None and wishes[0] == wishes[1] and height > 2:
        first = round(wishes[0]) - 1  # one above, one below: the tied one's own row stays clear
        chosen = [first, first + 2]
    else:
        chosen = whole_rows(_all_wished(wishes), [HEED if w is None else 1.0 for w in wishes])
    slack = height - len(boxes)
    for place, (box, row) in enumerate(zip(boxes, chosen, strict=True)):
        rows[box] = min(max(row, place), place + slack)


def _middle(rows: Sequence[float]) -> float | None:
    return sum(rows) / len(rows) if rows else None


def _all_wished(wishes: Sequence[float | None]) -> list[float]:
    """Every wish, those without one continuing from the box above, or up from the one below."""
    first = next((place for place, wish in enumerate(wishes) if wish is not None), 0)
    row = (wishes[first] or 0.0) - first - 1 if wishes else 0.0
    filled = []
    for wish in wishes:
        row = row + 1 if wish is None else wish
        filled.append(row)
    return filled
