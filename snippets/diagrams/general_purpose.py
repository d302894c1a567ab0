"""The diagrams of the chapter on the general-purpose learner."""

import numpy as np

from snippets.diagrams.vocabulary import Drawing

NOUGHT = (".###.", "#...#", "#...#", "#...#", "#...#", "#...#", ".###.")
ONE = ("..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###.")
TWO = (".###.", "#...#", "....#", "..##.", ".#...", "#....", "#####")
# what the two projections make of the three images: five numbers each
SEEN = (
    ((0.9, 0.2, 0.6, 0.1, 0.7), (0.1, 0.8, 0.3, 0.9, 0.2), (0.5, 0.5, 0.9, 0.3, 0.0)),
    ((0.3, 0.1, 0.2, 0.9, 0.8), (0.7, 0.6, 0.9, 0.0, 0.4), (0.1, 0.9, 0.4, 0.5, 0.6)),
)
NAMES = (("red", "blue", "green"), ("green", "red", "blue"))
COLUMNS = (138, 216, 294)


def two_tasks() -> Drawing:
    """Three images, two tasks made of them, and a sequence of the first."""
    drawing = Drawing(height=292)
    drawing.text(44, 30, "three images", "strong")
    for x, glyph in zip(COLUMNS, (NOUGHT, ONE, TWO), strict=True):
        pixels = np.array([[mark == "#" for mark in row] for row in glyph], float)
        drawing.cells(x - 15, 8, pixels, size=6, words=False)
        drawing.arrow(x, 53, x, 74, "write")
    for mark, top, sight, names in zip("₁₂", (78, 152), SEEN, NAMES, strict=True):
        drawing.text(44, top - 4, "task 1" if mark == "₁" else "task 2", "strong")
        drawing.text(44, top + 14, f"looks: A{mark} x", "faint")
        drawing.text(44, top + 40, f"is called: ρ{mark}", "faint")
        for x, looks, name in zip(COLUMNS, sight, names, strict=True):
            drawing.cells(x - 32.5, top + 6, np.array(looks), size=13, words=False)
            drawing.token(x, top + 40, name, width=46)
    read_in_order(drawing, 258)
    return drawing


def read_in_order(drawing: Drawing, y: float) -> None:
    """A sequence of task 1: what looks like something, then its name; the last name is asked for."""
    drawing.line(8, 214, 336, 214)
    drawing.text(
        8,
        230,
        "A sequence of task 1, as the network reads it",
        "strong",
        anchor="start",
    )
    for place, (which, name) in enumerate(((1, "blue"), (0, "red"), (1, "?"))):
        x = 10 + 110 * place
        drawing.cells(x, y - 5, np.array(SEEN[0][which]), size=11, words=False)
        drawing.token(x + 81, y, name, "asked" if name == "?" else "", width=40)
    drawing.text(340, y + 26, "seen before: it was blue", "faint", anchor="end")


DIAGRAMS = {"two-tasks": two_tasks}
