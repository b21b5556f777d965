"""Layout of a lineage: columns by generation, rows 40 px, few crossings.

Within a column people stand in the order of their mentors, which crosses nothing where nobody has
two; otherwise the barycentre sweeps of Sugiyama, Tagawa and Toda (1981) look for fewer crossings.
(igraph has their method, but 1.0.0 crashes the process on one in twenty random graphs when the
layers are given, and that would end the app for everyone.) Rows are integers: each column keeps its
order and takes the rows nearest to those wished for (isotonic regression, pool adjacent violators).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count as counted
from math import floor

from ui.shell.measures import MEASURES

LAYOUT_ROW_PX = MEASURES.row  # px from one row to the next
MAX_YEAR_PITCH_PX = 48.0  # px a year at most, a third of it at least
YEARS_WIDTH_PX = 720.0  # px that the years should fit in
YEAR_BOX_GAP_PX = 24.0  # px kept free right of a box on a year axis
CROSSING_SWEEPS = 8  # tries at fewer crossings, there and back
LINE_STUB_PX = 7.0  # px that a line runs straight out of a box, and keeps from others
SHARED_GAP_OFFSETS_PX = (0.0, -3.0, 3.0)  # px that lines through one gap between rows stand apart
UNTIED_BOX_WEIGHT = 0.02  # weight of a box tied to nobody beside one that is

Arrow = tuple[str, str]


@dataclass(frozen=True)
class BoxPosition:
    """Where a box stands: its left edge and the middle of its height, px."""

    x: float
    y: float


@dataclass(frozen=True)
class Layout:
    """Every box's place, and the left edge of every column (layer -> px)."""

    places: Mapping[str, BoxPosition]
    columns: Mapping[int, float]


def arrange_by_layer(
    layers: Mapping[str, int],
    arrows: Iterable[Arrow],
    *,
    root: str,
    widths: Mapping[str, float] | None = None,
) -> Layout:
    """Place boxes left to right by layer, with `root` in row 0 of its column.

    `assign_layers` gives each box's column in the order wished for within a column; arrows that do
    not lead to a later column take no part. `widths` are px; a column is as wide as its widest box.
    """
    forward = [(a, b) for a, b in dict.fromkeys(arrows) if layers[a] < layers[b]]
    rows = _find_best_rows(layers, forward, root)
    columns = _compute_column_lefts(layers, widths or {})
    shift = rows[root]
    places = {i: BoxPosition(columns[layers[i]], LAYOUT_ROW_PX * (rows[i] - shift)) for i in layers}
    return Layout(places, columns)


def arrange_in_rows(
    layers: Mapping[str, int], rows: Mapping[str, int], widths: Mapping[str, float], *, root: str
) -> Layout:
    """Place boxes left to right by layer in the rows given, with `root` in row 0."""
    columns = _compute_column_lefts(layers, widths)
    places = {
        i: BoxPosition(columns[layers[i]], LAYOUT_ROW_PX * (rows[i] - rows[root])) for i in layers
    }
    return Layout(places, columns)


def route_between_rows(
    arrows: Iterable[Arrow], layers: Mapping[str, int], layout: Layout
) -> dict[Arrow, list[float]]:
    """Arrow -> the height, px, at which its line passes each column between its ends.

    In the order of the arrow. Heights are half way between two rows, as near to the straight line
    as that allows; lines that share a gap stand a few px apart. Arrows to the next column, and
    within one, pass none.
    """
    order = sorted(layout.columns)
    taken: dict[tuple[int, float], int] = defaultdict(int)
    found: dict[Arrow, list[float]] = {}
    for a, b in arrows:
        low, high = sorted((layers[a], layers[b]))
        between = [layer for layer in order if low < layer < high]
        if layers[a] > layers[b]:
            between.reverse()
        start, end = layout.places[a].y, layout.places[b].y
        heights = []
        for number, layer in enumerate(between, 1):
            wished = start + (end - start) * number / (len(between) + 1)
            gap = LAYOUT_ROW_PX * (floor(wished / LAYOUT_ROW_PX) + 0.5)
            heights.append(
                gap + SHARED_GAP_OFFSETS_PX[taken[layer, gap] % len(SHARED_GAP_OFFSETS_PX)]
            )
            taken[layer, gap] += 1
        if heights:
            found[a, b] = heights
    return found


def route_around_boxes(
    arrows: Iterable[Arrow], places: Mapping[str, BoxPosition], widths: Mapping[str, float]
) -> dict[Arrow, list[BoxPosition]]:
    """Arrow -> the corners of a line that runs between the rows and down where no box stands.

    For boxes that stand anywhere in integer rows, as along an axis of years.
    """
    boxes: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for id, place in places.items():
        boxes[round(place.y / LAYOUT_ROW_PX)].append(
            (place.x - LINE_STUB_PX, place.x + widths[id] + LINE_STUB_PX)
        )
    return {
        (a, b): _trace_corners(places[a], places[a].x + widths[a], places[b], boxes)
        for a, b in arrows
    }


def _trace_corners(
    a: BoxPosition, right: float, b: BoxPosition, boxes: Mapping[int, Sequence[tuple[float, float]]]
) -> list[BoxPosition]:
    """From the right of one box to the left of another."""
    first, last = round(a.y / LAYOUT_ROW_PX), round(b.y / LAYOUT_ROW_PX)
    down = 1 if last >= first else -1
    out, into = right + LINE_STUB_PX, b.x - LINE_STUB_PX
    if first == last and out <= into and _is_span_free(boxes[first], out + 1, into - 1):
        return [BoxPosition(right, a.y), BoxPosition(b.x, b.y)]
    leave = a.y + down * LAYOUT_ROW_PX / 2
    arrive = leave if first == last else b.y - down * LAYOUT_ROW_PX / 2
    rows = range(min(first, last) + 1, max(first, last))
    way = _find_free_x([boxes.get(row, ()) for row in rows], out, into)
    corners = [
        BoxPosition(right, a.y),
        BoxPosition(out, a.y),
        BoxPosition(out, leave),
        BoxPosition(way, leave),
        BoxPosition(way, arrive),
        BoxPosition(into, arrive),
        BoxPosition(into, b.y),
        BoxPosition(b.x, b.y),
    ]
    return [c for n, c in enumerate(corners) if n == 0 or c != corners[n - 1]]


def _find_free_x(rows: Sequence[Sequence[tuple[float, float]]], out: float, into: float) -> float:
    """Where a line can go down through these rows, the least way round."""
    wished = [into, out, *(edge for row in rows for box in row for edge in box)]
    near = sorted(wished, key=lambda x: abs(x - out) + abs(x - into))
    free = (x for x in near if all(not low < x < high for row in rows for low, high in row))
    return next(free, out)


def assign_layers(people: Iterable[str], arrows: Iterable[Arrow]) -> dict[str, int]:
    """Person -> column: right of all who lead there, those of a circle in one column.

    A person nobody leads to stands right before the first of those he or she leads to.
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

    `rows` are integers, 0 = the root's; `columns` of the result are years.
    """
    first, last = min(years.values()), max(years.values())
    pitch = min(MAX_YEAR_PITCH_PX, max(YEARS_WIDTH_PX / (last - first + 1), MAX_YEAR_PITCH_PX / 3))
    columns = {year: pitch * (year - first) for year in range(first, last + 1)}
    taken: dict[int, list[tuple[float, float]]] = defaultdict(list)
    places: dict[str, BoxPosition] = {}
    for box in sorted(years, key=lambda box: (box != root, abs(rows[box]), years[box])):
        left = columns[years[box]]
        right = left + widths[box] + YEAR_BOX_GAP_PX
        wished = round(rows[box])
        row = next(r for r in _list_rows_outwards(wished) if _is_span_free(taken[r], left, right))
        taken[row].append((left, right))
        places[box] = BoxPosition(left, LAYOUT_ROW_PX * row)
    return Layout(places, columns)


def _list_rows_outwards(row: int) -> Iterator[int]:
    yield row
    for step in counted(1):
        yield row + step
        yield row - step


def _is_span_free(taken: Sequence[tuple[float, float]], left: float, right: float) -> bool:
    return all(right <= other_left or left >= other_right for other_left, other_right in taken)


def count_crossings(
    rows: Mapping[str, float], layers: Mapping[str, int], arrows: Iterable[Arrow]
) -> int:
    """How many pairs of arrows between the same two columns cross."""
    between: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for a, b in arrows:
        between[layers[a], layers[b]].append((rows[a], rows[b]))
    return sum(_count_inversions(sorted(pairs)) for pairs in between.values())


def fit_integer_rows(wanted: Sequence[float], weights: Sequence[float] | None = None) -> list[int]:
    """The increasing integer rows nearest to those wanted, in order (weighted least squares)."""
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


def _count_inversions(pairs: list[tuple[float, float]]) -> int:
    seen: list[float] = []
    crossed = 0
    for _, target in pairs:
        crossed += len(seen) - bisect_right(seen, target)
        insort(seen, target)
    return crossed


def _compute_column_lefts(
    layers: Mapping[str, int], widths: Mapping[str, float]
) -> dict[int, float]:
    widest: dict[int, float] = defaultdict(float)
    for box, layer in layers.items():
        widest[layer] = max(widest[layer], widths.get(box, 0.0))
    columns: dict[int, float] = {}
    x = 0.0
    for layer in sorted(widest):
        columns[layer] = x
        x += max(MEASURES.column.pitch, widest[layer] + MEASURES.column.gap)
    return columns


def _find_best_rows(layers: Mapping[str, int], arrows: list[Arrow], root: str) -> dict[str, float]:
    """Integer rows of the order, among those tried, that crosses least; the first on a tie."""
    best = _snap_rows(_order_by_tree(layers, arrows, root), layers, arrows)
    fewest = count_crossings(best, layers, arrows)
    rows = best
    for sweep in range(CROSSING_SWEEPS if fewest else 0):
        rows = _snap_rows(_sweep_rows(rows, layers, arrows, forward=sweep % 2 == 0), layers, arrows)
        crossed = count_crossings(rows, layers, arrows)
        if crossed < fewest:
            best, fewest = rows, crossed
    return best


def _order_by_tree(layers: Mapping[str, int], arrows: list[Arrow], root: str) -> dict[str, float]:
    """The place of each box in a walk of the tree of first mentors, branch by branch.

    Where nobody has two, this order crosses nothing.
    """
    before = {i: layers[root] - n for i, n in layers.items() if i == root or n < layers[root]}
    after = {i: n - layers[root] for i, n in layers.items() if n >= layers[root]}
    order = _walk_tree(before, [(b, a) for a, b in arrows], root)
    order.update(_walk_tree(after, arrows, root))
    return order


def _walk_tree(depths: Mapping[str, int], arrows: list[Arrow], root: str) -> dict[str, float]:
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


def _sweep_rows(
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
        middle = _compute_mean_row([order[other] for other in passed[box]])
        order[box] = rows[box] if middle is None else middle
    return order


def _snap_rows(
    wanted: Mapping[str, float], layers: Mapping[str, int], arrows: list[Arrow]
) -> dict[str, float]:
    """Integer rows in the order wanted: the fullest column without gaps, the others drawn to it."""
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
        _align_column(by_layer[layer], rows, towards, height)
    return rows


def _align_column(
    boxes: list[str], rows: dict[str, float], towards: Mapping[str, list[str]], height: int
) -> None:
    """Give one column the integer rows nearest the middle of the boxes its own are tied to.

    A box tied to nobody stands right after the one above it; no box leaves the `height` rows.
    """
    wishes = [_compute_mean_row([rows[other] for other in towards.get(box, ())]) for box in boxes]
    if len(boxes) == 2 and wishes[0] is not None and wishes[0] == wishes[1] and height > 2:
        first = round(wishes[0]) - 1  # one above, one below: the tied one's own row stays clear
        chosen = [first, first + 2]
    else:
        chosen = fit_integer_rows(
            _fill_missing_wishes(wishes), [UNTIED_BOX_WEIGHT if w is None else 1.0 for w in wishes]
        )
    slack = height - len(boxes)
    for place, (box, row) in enumerate(zip(boxes, chosen, strict=True)):
        rows[box] = min(max(row, place), place + slack)


def _compute_mean_row(rows: Sequence[float]) -> float | None:
    return sum(rows) / len(rows) if rows else None


def _fill_missing_wishes(wishes: Sequence[float | None]) -> list[float]:
    """Every wish, those without one continuing from the box above, or up from the one below."""
    first = next((place for place, wish in enumerate(wishes) if wish is not None), 0)
    row = (wishes[first] or 0.0) - first - 1 if wishes else 0.0
    filled = []
    for wish in wishes:
        row = row + 1 if wish is None else wish
        filled.append(row)
    return filled
