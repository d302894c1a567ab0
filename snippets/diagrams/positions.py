"""The diagrams of the chapter on positions: a heap without order, where encodings act, and the hands of a clock."""

import math

import numpy as np

from snippets.diagrams.attention import WORDS, four_words, vector
from snippets.diagrams.vocabulary import Drawing

OTHER_ORDER = (2, 1, 0, 3)  # the words before the last, reversed


def heap() -> Drawing:
    """The same words in two orders: the same average."""
    d = Drawing(height=168)
    for top, order in ((18, (0, 1, 2, 3)), (104, OTHER_ORDER)):
        _, weights, read = four_words(order)
        for x, place, weight in zip((34, 88, 142, 196), order, weights, strict=True):
            d.token(x, top, WORDS[place], "asked" if place == 3 else "")
            d.cells(x - 13, top + 18, np.array([weight]), size=26)
        d.text(284, top, "red reads" if top < 50 else "still reads", "faint")
        d.text(284, top + 31, vector(read), "strong")
    return d


def places() -> Drawing:
    """Where an encoding can act, on the way from a token to its weights."""
    d = Drawing(height=146)
    steps = (
        (56, "stream", "+ a vector", ("learned,", "sinusoidal")),
        (172, "q and k", "turned", ("rotary",)),
        (288, "score", "− distance", ("ALiBi",)),
    )
    for x, name, does, encodings in steps:
        d.box(x, 28, 84, 28, "head")
        d.text(x, 28, name, "strong")
        d.arrow(x, 76, x, 44, "write")
        d.text(x, 86, does, "write")
        for row, encoding in enumerate(encodings):
            d.text(x, 110 + 17 * row, encoding)
    for x in (99, 215):
        d.arrow(x, 28, x + 29, 28)
    return d


def dials() -> Drawing:
    """A query and a key, turned by their positions: two pairs at the same distance."""
    d, speed = Drawing(height=142), 0.5
    for left, (key, query) in ((0, (2, 4)), (172, (7, 9))):
        for x, name, position in ((46, "key", key), (126, "query", query)):
            d.box(left + x, 46, 60, 60, round=30)
            angle = speed * position
            d.arrow(
                left + x, 46, left + x + 26 * math.sin(angle), 46 - 26 * math.cos(angle)
            )
            d.text(left + x, 92, f"{name} at {position}", "faint")
        d.text(left + 86, 120, f"turned apart by {speed * (query - key):g}", "strong")
    return d


DIAGRAMS = {"heap": heap, "places": places, "dials": dials}
