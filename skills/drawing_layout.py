"""Layered layout of boxes and arrows: rows by longest path, few crossings, long arrows led around boxes.

After Sugiyama, Tagawa and Toda (IEEE SMC 1981), with barycentre sweeps. Knows sizes and edges, nothing of skills.
Not for: what a box looks like (skills.drawing_shapes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

GAP_X = 26.0
GAP_Y = 34.0
LANE = 14.0  # width left free for an arrow that passes a row
SWEEPS = 8
STRAIGHTENING_SWEEPS = 8

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Where boxes (left, top) and arrows (points from box to box) go, in pixels, and the size of it all."""

    places: Mapping[str, Point]
    arrows: Sequence[Sequence[Point]]
    width: float
    height: float


def lay_out(sizes: Mapping[str, Point], edges: Sequence[tuple[str, str]]) -> Layout:
    """Places boxes of the given sizes (width, height) so that every edge points downwards.

    The edges must be free of cycles. Edges that follow from others are not drawn. What no edge connects stands side
    by side, in the order of `sizes`.
    """
    order: nx.DiGraph[str] = nx.DiGraph()
    order.add_nodes_from(sizes)
    order.add_edges_from(edges)
    position = {name: index for index, name in enumerate(sizes)}
    places: dict[str, Point] = {}
    arrows: list[Sequence[Point]] = []
    width = height = 0.0
    for names in sorted(nx.weakly_connected_components(order), key=lambda part: min(position[n] for n in part)):
        part = order.subgraph(sorted(names, key=position.__getitem__)).copy()
        laid = _lay_out_connected({name: sizes[name] for name in sizes if name in names}, nx.DiGraph(part))
        left = width + GAP_X if places else 0.0
        places |= {name: (x + left, y) for name, (x, y) in laid.places.items()}
        arrows += [[(x + left, y) for x, y in points] for points in laid.arrows]
        width, height = left + laid.width, max(height, laid.height)
    return Layout(places, arrows, width, height)


def _lay_out_connected(sizes: Mapping[str, Point], order: nx.DiGraph[str]) -> Layout:
    needed = nx.transitive_reduction(order)
    rows, chains = _rows(order, [edge for edge in order.edges if needed.has_edge(*edge)])
    widths = {name: sizes[name][0] if name in sizes else LANE for row in rows for name in row}
    links = [link for chain in chains for link in pairwise(chain)]
    _uncross(rows, links)
    return _placed(rows, chains, sizes, widths, _centres(rows, links, widths))


def _rows(order: nx.DiGraph[str], edges: Sequence[tuple[str, str]]) -> tuple[list[list[str]], list[list[str]]]:
    """Rows of names, with a stand-in in every row that an edge passes; and for each edge its chain of names."""
    row_of = {name: row for row, names in enumerate(nx.topological_generations(order)) for name in names}
    for name in reversed(list(nx.topological_sort(order))):  # sources move down to what needs them
        below = [row_of[other] for other in order.successors(name)]
        if below and not list(order.predecessors(name)):
            row_of[name] = min(below) - 1
    rows: list[list[str]] = [[] for _ in range(max(row_of.values()) + 1)]
    for name in order.nodes:
        rows[row_of[name]].append(name)
    chains = []
    for a, b in edges:
        stand_ins = [f"{a}\0{b}\0{row}" for row in range(row_of[a] + 1, row_of[b])]
        for row, name in enumerate(stand_ins, start=row_of[a] + 1):
            rows[row].append(name)
        chains.append([a, *stand_ins, b])
    return rows, chains


def _uncross(rows: list[list[str]], links: Sequence[tuple[str, str]]) -> None:
    """Orders each row by the mean position of its neighbours, downwards and upwards in turn."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for a, b in links:
        above.setdefault(b, []).append(a)
        below.setdefault(a, []).append(b)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        neighbours = above if downwards else below
        for row in rows if downwards else reversed(rows):
            position = {name: index / len(r) for r in rows for index, name in enumerate(r)}
            row.sort(key=lambda name: _mean([position[n] for n in neighbours.get(name, [name])]))


def _centres(rows: list[list[str]], links: Sequence[tuple[str, str]], widths: Mapping[str, float]) -> dict[str, float]:
    """Horizontal centres: as near below what is above, or above what is below, as the row allows; downwards last."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for a, b in links:
        above.setdefault(b, []).append(a)
        below.setdefault(a, []).append(b)
    centres = {name: place for row in rows for name, place in _spread(row, [0.0] * len(row), widths).items()}
    for sweep in range(STRAIGHTENING_SWEEPS):
        upwards = sweep % 2 == 0
        neighbours = below if upwards else above
        for row in reversed(rows) if upwards else rows:
            wanted = [_mean([centres[n] for n in neighbours.get(name, [name])]) for name in row]
            centres.update(_spread(row, wanted, widths))
    return centres


def _spread(row: Sequence[str], wanted: Sequence[float], widths: Mapping[str, float]) -> dict[str, float]:
    """Centres in the row's order without overlap, the mean error to the wanted ones zero."""
    pushed: list[float] = []
    for name, centre in zip(row, wanted, strict=True):
        least = centre
        if pushed:
            least = pushed[-1] + (widths[row[len(pushed) - 1]] + widths[name]) / 2 + GAP_X
        pushed.append(max(centre, least))
    shift = _mean([w - p for w, p in zip(wanted, pushed, strict=True)])
    return {name: centre + shift for name, centre in zip(row, pushed, strict=True)}


def _placed(
    rows: list[list[str]],
    chains: Sequence[Sequence[str]],
    sizes: Mapping[str, Point],
    widths: Mapping[str, float],
    centres: Mapping[str, float],
) -> Layout:
    left = min(centres[name] - widths[name] / 2 for row in rows for name in row)
    right = max(centres[name] + widths[name] / 2 for row in rows for name in row)
    heights = [max((sizes[name][1] for name in row if name in sizes), default=0.0) for row in rows]
    tops = [sum(heights[:i]) + i * GAP_Y for i in range(len(rows))]
    row_of = {name: i for i, row in enumerate(rows) for name in row}
    places = {name: (centres[name] - left - sizes[name][0] / 2, tops[row_of[name]]) for name in sizes}
    arrows = []
    for first, *passed, last in chains:
        points: list[Point] = [(centres[first] - left, tops[row_of[first]] + sizes[first][1])]
        if sizes[first][1] < heights[row_of[first]]:
            points.append((points[0][0], tops[row_of[first]] + heights[row_of[first]]))
        for name in passed:
            x, top = centres[name] - left, tops[row_of[name]]
            points += [(x, top), (x, top + heights[row_of[name]])]
        points.append((centres[last] - left, tops[row_of[last]]))
        arrows.append(points)
    return Layout(places, arrows, right - left, tops[-1] + heights[-1])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
