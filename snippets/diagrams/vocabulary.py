"""The book's drawing vocabulary: token, bar, stream, head, read, write, memory. Learn it once, read every diagram.

A diagram is SVG inside the page. Its colours are the page's (classes, see assets/book.css), so it follows the theme.
It is drawn 344 units wide, which on a narrow phone is one unit a pixel: text of 12 units stays readable there.

    d = Drawing(height=120)
    d.token(40, 100, "Ada")                     # a word of the prompt
    d.bars(40, 60, ["content", "position"])     # what its vector holds
    d.arrow(200, 60, 50, 60, "read", "whose?")  # a head at 200 reads from 50
"""

import html
from collections.abc import Sequence

import numpy as np

WIDTH = 344.0
TEXT = 12.0  # the smallest text, in units
# the parts of a vector, each with its colour everywhere in the book
PARTS = ("content", "position", "buffer", "label")


class Drawing:
    """Shapes in the order in which they are drawn. x runs right, y runs down; every shape is centred on (x, y)."""

    def __init__(self, height: float, width: float = WIDTH) -> None:
        self.width, self.height = width, height
        self.shapes: list[str] = []
        self.stepping = False  # is a group of shapes open that appears later?

    def svg(self, alt: str) -> str:
        """The whole diagram on one line; `alt` is what a screen reader says of it."""
        shapes = "".join(self.shapes) + ("</g>" if self.stepping else "")
        size = f'viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" height="{self.height:g}"'
        label = html.escape(alt)
        return f'<svg class="diagram" role="img" aria-label="{label}" {size}>{shapes}</svg>'

    def step(self, number: int) -> None:
        """What follows appears as the picture's step number so many, one after the other, once; 0: at once."""
        if self.stepping:
            self.shapes.append("</g>")
        self.stepping = number > 0
        if self.stepping:
            self.shapes.append(f'<g class="d-step" style="--step:{number}">')

    def text(
        self,
        x: float,
        y: float,
        words: str,
        kind: str = "",
        *,
        size: float = TEXT,
        anchor: str = "middle",
    ) -> None:
        """Words whose middle line is at y. kind: "faint", "strong", "code", or a part's name for its colour."""
        self.shapes.append(
            f'<text class="d-text {kind}" x="{x:g}" y="{y + size * 0.35:g}" font-size="{size:g}" '
            f'text-anchor="{anchor}">{html.escape(words)}</text>'
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        kind: str = "",
        *,
        round: float = 4,
    ) -> None:
        """A rectangle. kind: "head", "memory", "token", "asked", a part's name, or "" for an outline; with "frame"
        it is drawn around what stands there already."""
        self.shapes.append(
            f'<rect class="d-box {kind}" x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width:g}" '
            f'height="{height:g}" rx="{round:g}"/>'
        )

    def token(
        self, x: float, y: float, word: str, kind: str = "", *, width: float = 0
    ) -> None:
        """One token of the prompt. kind: "asked" for the one whose answer is wanted, "answer" for the right one."""
        self.box(
            x, y, width or max(26, 7.4 * len(word) + 10), 24, f"token {kind}", round=12
        )
        self.text(x, y, word, "strong" if kind else "")

    def stream(self, x: float, bottom: float, top: float) -> None:
        """The residual stream of one token, from its embedding up."""
        self.line(x, bottom, x, top, "stream")

    def bars(
        self,
        x: float,
        y: float,
        holds: Sequence[str],
        *,
        width: float = 26,
        labels: Sequence[str] = (),
    ) -> None:
        """What a vector holds, one bar below the other: names from PARTS, or "empty"."""
        for place, part in enumerate(holds):
            middle = y + 15 * place
            self.box(x, middle, width, 13, part, round=2)
            if place < len(labels) and labels[place]:
                self.text(x, middle, labels[place], "on-colour", size=10.5)

    def head(self, x: float, y: float, name: str, *, width: float = 0) -> None:
        """An attention head: it reads at some tokens and writes at one."""
        self.box(x, y, width or 7.4 * len(name) + 14, 24, "head")
        self.text(x, y, name, "strong")

    def mlp(self, x: float, y: float, name: str = "MLP") -> None:
        """A layer that adds to one token and looks at no other."""
        self.box(x, y, 7.4 * len(name) + 14, 24, "mlp", round=0)
        self.text(x, y, name)

    def memory(
        self, x: float, y: float, width: float, height: float, name: str
    ) -> None:
        """Something that keeps what was seen."""
        self.box(x, y, width, height, "memory")
        self.text(x, y, name)

    def line(
        self, x: float, y: float, to_x: float, to_y: float, kind: str = ""
    ) -> None:
        self.shapes.append(
            f'<line class="d-line {kind}" x1="{x:g}" y1="{y:g}" x2="{to_x:g}" y2="{to_y:g}"/>'
        )

    def arrow(
        self,
        x: float,
        y: float,
        to_x: float,
        to_y: float,
        kind: str = "",
        words: str = "",
        *,
        bend: float = 0,
    ) -> None:
        """An arrow, with words at its middle. kind: "read" (dashed: where a head looks), "write" (solid: what it adds).
        `bend` moves its middle sideways, to the left of its way where positive.
        """
        length = float(np.hypot(to_x - x, to_y - y)) or 1.0
        across = ((to_y - y) / length, -(to_x - x) / length)
        middle = (
            (x + to_x) / 2 + 2 * bend * across[0],
            (y + to_y) / 2 + 2 * bend * across[1],
        )
        way = np.array([to_x - middle[0], to_y - middle[1]])
        way = way / (np.linalg.norm(way) or 1)
        side = np.array([-way[1], way[0]])
        tip = np.array([to_x, to_y])
        left, right = tip - 7 * way + 3.5 * side, tip - 7 * way - 3.5 * side
        self.shapes.append(
            f'<path class="d-line {kind}" d="M{x:g} {y:g}Q{middle[0]:.4g} {middle[1]:.4g} {to_x:g} {to_y:g}"/>'
            f'<path class="d-tip {kind}" d="M{to_x:g} {to_y:g}L{left[0]:.4g} {left[1]:.4g}'
            f'L{right[0]:.4g} {right[1]:.4g}Z"/>'
        )
        if words:
            self.text(
                (x + to_x) / 2 + bend * across[0],
                (y + to_y) / 2 + bend * across[1] - 8,
                words,
                kind,
            )

    def arc(
        self, x: float, to_x: float, y: float, height: float, weight: float
    ) -> None:
        """How much the token at x reads from the one at to_x, over both, whose tops are at y: the thicker, the more."""
        way = (
            f"M{x:g} {y:g}C{x:g} {y - height:g} {to_x:g} {y - height:g} {to_x:g} {y:g}"
        )
        if x == to_x:  # a token that reads from itself
            way = f"M{x - 5:g} {y:g}C{x - 14:g} {y - height:g} {x + 14:g} {y - height:g} {x + 5:g} {y:g}"
        self.shapes.append(
            f'<path class="d-line read" style="stroke-dasharray:none;stroke-width:{0.6 + 6 * weight:.2f}" d="{way}"/>'
        )

    def cells(
        self,
        x: float,
        y: float,
        values: np.ndarray,
        *,
        size: float = 22,
        digits: int = 2,
        words: bool = True,
    ) -> None:
        """A table of numbers from 0 to 1 whose top left corner is (x, y); the fuller a cell, the nearer to 1."""
        for row, line in enumerate(np.atleast_2d(values)):
            for column, value in enumerate(line):
                middle = (x + size * (column + 0.5), y + size * (row + 0.5))
                self.shapes.append(
                    f'<rect class="d-cell" x="{middle[0] - size / 2:g}" y="{middle[1] - size / 2:g}" '
                    f'width="{size:g}" height="{size:g}" fill-opacity="{0.75 * float(value):.3f}"/>'
                )
                if words:
                    self.text(
                        *middle,
                        f"{value:.{digits}f}".removeprefix("0") if value < 1 else "1",
                        size=10.5,
                    )
