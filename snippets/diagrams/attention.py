"""The diagrams of the chapter on attention: one query over four words, and a dictionary that answers softly.

Keys, values and queries are made up; the rest is computed from them, by the book's own attention.
"""

import math

import numpy as np
import torch

from snippets.diagrams.vocabulary import Drawing
from snippets.icl.networks.self_attention import attention, softmax

WORDS = ("a", "dax", "is", "red")
QUERY = (4.0, 0.0)  # of "red": which thing is it?
WORD_KEYS = ((0.5, 0.0), (1.0, 0.0), (0.0, 0.0), (0.0, 1.0))
WORD_VALUES = ((0.0, 0.0), (2.0, 1.0), (0.0, 1.0), (1.0, 3.0))

NAMES, VALUES, DEGREES = ("red", "blue", "green"), (3.0, 7.0, 5.0), (90.0, 330.0, 210.0)


def four_words(
    order: tuple[int, ...] = (0, 1, 2, 3),
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, weights and what is read by the last word, of the four in some order."""
    q, k, v = (torch.tensor(x).double() for x in ((QUERY,), WORD_KEYS, WORD_VALUES))
    k, v = k[list(order)], v[list(order)]
    read, weights = attention(q, k, v)
    scores = (q @ k.mT / math.sqrt(q.shape[-1]))[0]
    return scores.numpy(), weights[0].numpy(), read[0].numpy()


def vector(numbers: tuple[float, ...] | np.ndarray) -> str:
    return f"({', '.join(short(x) for x in numbers)})"


def short(number: float) -> str:
    """Two decimals at most: .73, 1.51, 2."""
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return text.removeprefix("0") if text.startswith("0.") else text


def one_query() -> Drawing:
    scores, weights, read = four_words()
    d, places = Drawing(height=286), (118, 176, 234, 294)
    d.text(
        6, 14, f"red asks with its query q = {vector(QUERY)}", "read", anchor="start"
    )
    for x, weight in zip(places, weights, strict=True):
        d.arc(places[-1], x, 72, 24 + (places[-1] - x) / 6, weight)
    for x, word in zip(places, WORDS, strict=True):
        d.token(x, 84, word, "asked" if word == "red" else "")
    rows = {116: "key k", 142: "score q·k/√2", 170: "its weight", 204: "value v"}
    for y, name in rows.items():
        d.text(6, y, name, "faint", anchor="start")
    for x, key, score, weight, value in zip(
        places, WORD_KEYS, scores, weights, WORD_VALUES, strict=True
    ):
        d.text(x, 116, vector(key))
        d.text(x, 142, short(score))
        d.cells(x - 13, 157, np.array([weight]), size=26)
        d.text(x, 204, vector(value))
    terms = [
        f"{short(w)}·{vector(v)}" for w, v in zip(weights, WORD_VALUES, strict=True)
    ]
    d.text(
        6, 240, f"weight times value, added up: {terms[0]} + {terms[1]}", anchor="start"
    )
    d.text(6, 258, f"+ {terms[2]} + {terms[3]}", anchor="start")
    d.text(
        6, 276, f"= {vector(read)}, which is what red reads", "write", anchor="start"
    )
    return d


def plane(degrees: float, length: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return length * math.cos(angle), length * math.sin(angle)


def looked_up(query: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, float]:
    """Scores, weights and answer of the soft dictionary whose keys have length 1."""
    keys, asked = (
        torch.tensor(x).double()
        for x in ([plane(angle, 1) for angle in DEGREES], query)
    )
    weights = softmax(keys @ asked).numpy()
    return (keys @ asked).numpy(), weights, float(weights @ np.array(VALUES))


def dictionary() -> Drawing:
    """Three keys in a plane, one query, and the answer: where the figure to touch begins."""
    query = plane(0, 2)
    scores, weights, answer = looked_up(query)
    d, (x, y), unit = Drawing(height=176), (88, 80), 34
    d.box(x, y, 2 * unit, 2 * unit, "empty", round=unit)
    for name, key in zip(NAMES, (plane(angle, 1) for angle in DEGREES), strict=True):
        d.arrow(x, y, x + unit * key[0], y - unit * key[1])
        d.text(x + 1.75 * unit * key[0], y - 1.4 * unit * key[1], name)
    d.arrow(x, y, x + unit * query[0], y - unit * query[1], "write")
    d.text(x + unit * query[0] - 12, y - unit * query[1] - 12, "query", "write")
    columns = {194: "key", 238: "score", 280: "weight", 322: "value"}
    for place, name in columns.items():
        d.text(place, 24, name, "faint")
    for row, name in enumerate(NAMES):
        middle = 52 + 30 * row
        d.text(194, middle, name)
        d.text(238, middle, short(scores[row]).replace("-", "−"))
        d.cells(267, middle - 13, weights[row : row + 1], size=26)
        d.text(322, middle, short(VALUES[row]))
    terms = " + ".join(
        f"{short(w)}·{short(v)}" for w, v in zip(weights, VALUES, strict=True)
    )
    d.text(172, 162, f"answer: {terms} = {answer:.2f}", "strong")
    return d


DIAGRAMS = {"one-query": one_query, "dictionary": dictionary}
