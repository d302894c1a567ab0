"""The diagram of versus: five points, one question, four ways to an answer."""

import math

from snippets.diagrams.vocabulary import Drawing

PLACES = (-4.2, -2.6, -0.4, 1.1, 3.7)  # the points of the chapter's figure
ASKED = 2.5
WAYS = (
    ("read", "one pass of a trained network"),
    ("step", "gradient steps from a start"),
    ("look up", "take the nearest point's answer"),
    ("solve", "a formula, fitted to the points"),
)


def four_ways() -> Drawing:
    drawing = Drawing(height=236)
    drawing.text(4, 14, "five points, one question", "strong", anchor="start")
    across, up = lambda x: 62 + 11 * x, lambda y: 124 - 11 * y
    drawing.box(62, 124, 116, 96)
    for x in PLACES:
        drawing.dot(across(x), up(3.5 * math.sin(x - 1)), "write")
    drawing.line(across(ASKED), 80, across(ASKED), 168, "read")
    drawing.text(across(ASKED), 184, "?", "strong")
    for row, (name, words) in enumerate(WAYS):
        y = 46 + 52 * row
        drawing.arrow(122, 124 + 6 * (row - 1.5), 148, y, "read")
        drawing.head(184, y, name, width=68)
        drawing.arrow(220, y, 246, y, "write")
        drawing.token(262, y, "y", "answer", width=28)
        drawing.text(148, y + 22, words, "faint", anchor="start")
    return drawing


DIAGRAMS = {"four-ways": four_ways}
