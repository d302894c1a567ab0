"""The map of the book: a diagram of its chapters, drawn from their front matter, in which every chapter is a link.

Chapters stand in reading order, one below the other. An arc joins a chapter to each one that it needs, which is always
above it. There are two drawings, for wide and for narrow screens; the style sheet shows one.
"""

import html
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LINE = 16.0  # units from one line of text to the next; a unit is a pixel where the drawing is not scaled
CHARACTER = 6.6  # units that a character takes at most, on average; in bold letters BOLD
BOLD = 7.8


@dataclass(frozen=True)
class Layout:
    """Where things stand: the chapters' dots, then a column of text, or three side by side."""

    name: str
    width: int
    dots: int
    columns: tuple[tuple[int, int], ...]  # left edge and width of chapter, mechanism, evidence

    @property
    def stacked(self) -> bool:
        return len(self.columns) == 1


LAYOUTS = (
    Layout("wide", 688, 84, ((104, 168), (284, 200), (496, 192))),
    Layout("narrow", 328, 44, ((60, 268),)),
)


@dataclass(frozen=True)
class Node:
    """A chapter: its front matter, and the address that it links to."""

    key: str  # "abrupt-learning/jump"
    meta: dict[str, Any]
    address: str


@dataclass(frozen=True)
class Placed:
    node: Node
    top: float
    height: float
    texts: list[tuple[str, float, float, list[str]]]  # class, x, first baseline, lines

    @property
    def dot(self) -> float:
        return self.top + LINE


def drawing(parts: dict[str, list[Node]], title_of: Callable[[str], str]) -> str:
    """The map as HTML: parts in order, each with its chapters."""
    both = "".join(svg(layout, parts, title_of) for layout in LAYOUTS)
    return f'<nav class="book-map" aria-label="Map of the book">{both}</nav>'


def svg(layout: Layout, parts: dict[str, list[Node]], title_of: Callable[[str], str]) -> str:
    """One drawing."""
    y, placed, heads = 0.0, list[Placed](), []
    if not layout.stacked:
        y += LINE
        for (x, _), name in zip(layout.columns, ("chapter", "mechanism", "evidence"), strict=True):
            heads.append(f'<text class="map-column" x="{x}" y="{y:g}">{name}</text>')
    for part, nodes in parts.items():
        y += 2 * LINE
        heads.append(
            f'<text class="map-part" x="{layout.columns[0][0]}" y="{y:g}">{html.escape(title_of(part))}</text>'
        )
        y += LINE / 2
        for node in nodes:
            placed.append(place(layout, node, y))
            y += placed[-1].height
    where = {one.node.key: one.dot for one in placed}
    rows = "".join(row(layout, one, where) for one in placed)
    return (
        f'<svg class="map-{layout.name}" viewBox="0 0 {layout.width} {y + LINE:g}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(heads)}{rows}</svg>'
    )


def place(layout: Layout, node: Node, top: float) -> Placed:
    """Break the chapter's texts into lines, and find how high its row is."""
    title = f"{node.meta['number']}. {node.meta['title']}"
    said = [("map-title", title), ("map-mechanism", node.meta["mechanism"]), ("map-evidence", node.meta["evidence"])]
    texts, lowest, y = [], top, top + 1.3 * LINE
    for i, (kind, text) in enumerate(said):
        x, width = layout.columns[0 if layout.stacked else i]
        lines = textwrap.wrap(text, int(width / (BOLD if kind == "map-title" else CHARACTER)))
        texts.append((kind, float(x), y, lines))
        lowest = max(lowest, y + (len(lines) - 1) * LINE)
        if layout.stacked:
            y += len(lines) * LINE
    return Placed(node, top, lowest - top + 0.9 * LINE, texts)


def row(layout: Layout, one: Placed, where: dict[str, float]) -> str:
    """A chapter: a link around its dot and its texts, and the arcs from the chapters that it needs."""
    x, y = layout.dots, one.dot
    arcs = "".join(arc(x, where[key], y, layout.dots - 6) for key in one.node.meta.get("needs") or [] if key in where)
    texts = "".join(
        f'<text class="{kind}" x="{left:g}" y="{first:g}">'
        + "".join(
            f'<tspan x="{left:g}" dy="{LINE if i else 0:g}">{html.escape(line)} </tspan>'
            for i, line in enumerate(lines)
        )
        + "</text>"
        for kind, left, first, lines in one.texts
    )
    core = "map-core" if one.node.meta.get("core") else "map-further"
    box = f'<rect x="{x - 8}" y="{one.top + 2:g}" width="{layout.width - x + 8}" height="{one.height - 2:g}" rx="4"/>'
    return (
        f'<g class="map-chapter">{arcs}<a href="{one.node.address}">{box}'
        f'<circle class="{core}" cx="{x}" cy="{y:g}" r="4.5"/>{texts}</a></g>'
    )


def arc(x: float, start: float, end: float, room: float) -> str:
    """A curve from dot to dot that swings out to the left, farther where they are farther apart."""
    swing = min(room * 1.3, 14 + (end - start) * 0.12)
    return f'<path d="M{x:g} {start:g} C{x - swing:.1f} {start:g} {x - swing:.1f} {end:g} {x:g} {end:g}"/>'
