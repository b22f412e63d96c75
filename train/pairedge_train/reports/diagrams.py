"""Diagrams of networks, drawn from the networks themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from pairedge_train.networks.description import TILES, Part, describe
from pairedge_train.networks.variants import get_variant

# Lengths in points, 1/72 inch.
_FONT = 6.5
_ROW = 11.0  # height of a line
_LINK = 18.0  # height of the arrows between two ranks
_HEAD = 4.0  # of an arrow
_PAD = 4.0  # beside a text
_GAP = 10.0  # between the parts of a rank
_MARGIN = 14.0  # around a network
_TILE = 42.0  # width of a tile
_WIDTH = 780.0  # of the whole drawing at most
_HAS_WEIGHTS, _RESHAPES, _OTHER, _EDGE = "#d5e4f0", "#f6e0d3", "#f5f5f5", "#5b6770"


class Column:
    """A part of a network, laid out: two lines of title above a line for each layer."""

    def __init__(self, part: Part) -> None:
        self.input = shape_text(part.input)
        parameters = f"{part.parameters:,} parameters" if part.parameters else "no parameters"
        self.titles = (part.title, f"input {self.input}, {parameters}")
        self.rows = [
            (layer.text, shape_text(layer.shape), bool(layer.parameters)) for layer in part.layers
        ] or [("the branch's output", self.input, False)]
        widths = [text_width(text) + 2 * _PAD + text_width(shape) for text, shape, _ in self.rows]
        self.width = 2 * _PAD + max(*widths, *map(text_width, self.titles), 2 * _TILE + _GAP)
        self.height = _ROW * (len(self.titles) + len(self.rows))

    def draw(self, axes: Axes, left: float, top: float) -> None:
        """Draw it; a shape is shown where it changes."""
        for line, title in enumerate(self.titles):
            write(axes, left + self.width / 2, top + _ROW * (line + 0.5), title, ha="center")
        incoming = self.input
        for line, (text, shape, has_weights) in enumerate(self.rows, len(self.titles)):
            y = top + _ROW * line
            color = _HAS_WEIGHTS if has_weights else _RESHAPES if shape != incoming else _OTHER
            box(axes, left, y, self.width, _ROW, color)
            write(axes, left + _PAD, y + _ROW / 2, text)
            if shape != incoming:
                write(axes, left + self.width - _PAD, y + _ROW / 2, shape, ha="right")
            incoming = shape


class Panel:
    """A variant's network, laid out: its name, both tiles, and its parts rank by rank."""

    def __init__(self, name: str) -> None:
        variant = get_variant(name)
        parts = describe(variant.build())
        compares = {"comparison", "layers"} & {part.name for part in parts}
        self.name = name
        self.about = f"{variant.parameters:,} parameters" + ("" if compares else ", the digits decide")
        self.ranks = [[Column(part) for part in rank] for _, rank in groupby(parts, lambda part: part.rank)]
        widths = map(_rank_width, self.ranks)
        self.width = max(*widths, text_width(self.name, bold=True), text_width(self.about))
        self.height = 4.5 * _ROW + sum(_LINK + _rank_height(rank) for rank in self.ranks)

    def draw(self, axes: Axes, left: float, top: float) -> None:
        """Draw it."""
        middle = left + self.width / 2
        write(axes, middle, top + 0.5 * _ROW, self.name, ha="center", bold=True)
        write(axes, middle, top + 1.5 * _ROW, self.about, ha="center")
        top += 2.5 * _ROW
        apart = (_TILE + _GAP) / 2
        centers = self._centers(self.ranks[0], left)
        tiles = centers if len(centers) == 2 else [middle - apart, middle + apart]
        for x, tile in zip(tiles, TILES, strict=True):
            box(axes, x - _TILE / 2, top, _TILE, 2 * _ROW, "white")
            write(axes, x, top + 0.5 * _ROW, tile, ha="center")
            write(axes, x, top + 1.5 * _ROW, "1x14x14", ha="center")
            link(axes, {x: top + 2 * _ROW}, [x], top + 2 * _ROW + _LINK)
        top += 2 * _ROW + _LINK
        ends: dict[float, float] = {}  # of the columns of the rank above: x and y
        for rank in self.ranks:
            centers = self._centers(rank, left)
            if ends:
                link(axes, ends, centers, top)
            for x, column in zip(centers, rank, strict=True):
                column.draw(axes, x - column.width / 2, top)
            ends = {x: top + column.height for x, column in zip(centers, rank, strict=True)}
            top += _rank_height(rank) + _LINK

    def _centers(self, rank: Sequence[Column], left: float) -> list[float]:
        """The middles of a rank's columns, the rank itself in the middle of the panel."""
        left += (self.width - _rank_width(rank)) / 2
        centers = []
        for column in rank:
            centers.append(left + column.width / 2)
            left += column.width + _GAP
        return centers


def _rank_width(rank: Sequence[Column]) -> float:
    return sum(column.width for column in rank) + _GAP * (len(rank) - 1)


def _rank_height(rank: Sequence[Column]) -> float:
    return max(column.height for column in rank)


def draw_networks(names: Sequence[str]) -> Canvas:
    """The named variants side by side, in as many lines as they need."""
    places: list[tuple[Panel, float, float]] = []
    left = top = bottom = _MARGIN
    for panel in map(Panel, names):
        if left > _MARGIN and left + panel.width + _MARGIN > _WIDTH:
            left, top = _MARGIN, bottom
        places.append((panel, left, top))
        left += panel.width + _MARGIN
        bottom = max(bottom, top + panel.height + _MARGIN)
    width = max(left + panel.width for panel, left, _ in places) + _MARGIN
    canvas = Canvas(figsize=(width / 72, bottom / 72))
    axes = canvas.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(bottom, 0))  # in points, from the top left
    axes.axis("off")
    for panel, left, top in places:
        panel.draw(axes, left, top)
    return canvas


def shape_text(shape: Sequence[int]) -> str:
    """A shape as 16x12x12; a single number as 1."""
    return "x".join(map(str, shape)) or "1"


def text_width(text: str, *, bold: bool = False) -> float:
    """How wide a text is drawn."""
    font = FontProperties(weight="bold" if bold else "normal")
    return float(TextPath((0, 0), text, size=_FONT, prop=font).get_extents().width)


def write(axes: Axes, x: float, y: float, text: str, *, ha: str = "left", bold: bool = False) -> None:
    """Write a line of text, y at its middle."""
    weight = "bold" if bold else "normal"
    axes.text(x, y, text, fontsize=_FONT, weight=weight, ha=ha, va="center_baseline")


def box(axes: Axes, left: float, top: float, width: float, height: float, color: str) -> None:
    """Draw a filled rectangle."""
    axes.add_patch(Rectangle((left, top), width, height, facecolor=color, edgecolor=_EDGE, linewidth=0.5))


def link(axes: Axes, ends: Mapping[float, float], centers: Sequence[float], top: float) -> None:
    """Draw arrows from the lower ends (x and y) of all columns to those below, which begin at `top`."""
    bus = top - _LINK / 2
    lines = [[(x, y), (x, bus)] for x, y in ends.items()]
    lines.append([(min(*ends, *centers), bus), (max(*ends, *centers), bus)])
    lines += [[(x, bus), (x, top - _HEAD)] for x in centers]
    axes.add_collection(LineCollection(lines, colors=_EDGE, linewidths=0.8))
    heads = [[(x - _HEAD / 2, top - _HEAD), (x + _HEAD / 2, top - _HEAD), (x, top)] for x in centers]
    axes.add_collection(PolyCollection(heads, facecolors=_EDGE))
