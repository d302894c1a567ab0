"""The diagrams of the chapter *what fits into a memory*.

The two keys are made up; what comes back is computed by the book's own memories.
"""

import numpy as np
import torch

from snippets.diagrams.architectures import PAIRS
from snippets.diagrams.vocabulary import Drawing
from snippets.icl.networks import deltanet, linear_attention, mesa

LEFT, STEP = 145.0, 39.0
KEYS = ((1.0, 0.0), (0.6, 0.8))  # of "dax" and of "wug": length 1, overlap 0.6


def reads() -> dict[str, np.ndarray]:
    """What three memories return for each key once both pairs are stored: (key asked, value)."""
    k, v = (
        torch.tensor(KEYS, dtype=torch.float64),
        torch.eye(2).double(),
    )  # values: red, blue
    asked = k[:, None].expand(2, 2, 2)  # one batch for each key, asked at both tokens
    k, v = k.expand(2, 2, 2), v.expand(2, 2, 2)
    found = {
        "add": linear_attention.recurrent(asked, k, v),
        "look first": deltanet.recurrent(asked, k, v, torch.ones(2, 2).double()),
        "fit": mesa.recurrent(asked, k, v, 1e-9),
    }
    return {name: read[:, -1].clamp(0, 1).numpy() for name, read in found.items()}


def two_keys() -> Drawing:
    """Two keys that overlap, and what a read returns under three rules of writing."""
    d, (x, y), unit = Drawing(height=232), (30, 92), 76
    (_, _), (along, up) = KEYS
    tip = (x + unit * along, y - unit * up)
    d.arrow(x, y, x + unit, y)
    d.text(x + unit + 20, y, "dax", "strong")
    d.arrow(x, y, *tip)
    d.text(tip[0] + 20, tip[1] - 2, "wug", "strong")
    d.line(tip[0], tip[1] + 4, tip[0], y - 3, "read")
    d.line(x, y + 10, tip[0], y + 10, "write")
    d.text(x + unit * along / 2, y + 22, f"overlap {along:g}", "write")
    d.text(336, 34, "stored, in this order:", "faint", anchor="end")
    for row, words in enumerate(("a dax is red", "a wug is blue")):
        d.text(336, 56 + 18 * row, words, anchor="end")

    left, size, top = 76, 34, 162
    for row, words in enumerate(("the dax?", "the wug?")):
        d.text(2, top + size * (row + 0.5), words, "faint", anchor="start")
    for name, read in reads().items():
        d.text(left + size, top - 30, name, "strong")
        for column, value in enumerate(("red", "blue")):
            d.text(left + size * (column + 0.5), top - 11, value, "faint")
        d.cells(left, top, read.round(6), size=size)
        left += 2 * size + 30
    return d


def pairs(d: Drawing, y: float) -> None:
    for place, pair in enumerate(PAIRS):
        d.bars(LEFT + STEP * place, y, ["content", "label"], width=37.5, labels=pair)


def named(d: Drawing, y: float, name: str, how: str) -> None:
    d.text(2, y, name, "strong", anchor="start")
    d.text(2, y + 17, how, "faint", anchor="start")


def asked(d: Drawing, y: float) -> None:
    d.token(LEFT + STEP * 4 + 14, y, "dax?", "asked")


def three_ways() -> Drawing:
    """What decides what a state space, a gated convolution and summary tokens keep."""
    d = Drawing(height=330)
    named(d, 36, "state space", "the token decides")
    pairs(d, 60)
    asked(d, 67)
    for place, size in enumerate((9, 3, 7, 2)):  # how much each token writes
        x = LEFT + STEP * place
        d.dot(x, 28, "write", radius=size)
        if place:
            d.arrow(x - STEP + 11, 28, x - 10, 28, "write")
    d.arrow(LEFT + STEP * 3 + 8, 28, LEFT + STEP * 4 + 10, 52, "write")

    named(d, 146, "long convolution", "distance decides")
    pairs(d, 170)
    asked(d, 177)
    for place, weight in enumerate((0.2, 0.4, 0.7, 1.0)):
        d.arc(
            LEFT + STEP * 4 + 14, LEFT + STEP * place, 160, 16 + 9 * (4 - place), weight
        )

    named(d, 256, "summary tokens", "m places to keep")
    pairs(d, 250)
    asked(d, 312)
    for place in (1, 2):
        x = LEFT + STEP * (place + 0.0)
        d.box(x, 312, 34, 24, "memory")
        d.text(x, 312, f"s{place}")
        for other in range(4):
            d.arrow(x, 294, LEFT + STEP * other, 275, "read")
    x = LEFT + STEP * 1.5
    d.box(x, 312, STEP + 44, 32, "frame")  # the question reads from both
    d.arrow(LEFT + STEP * 4 - 10, 312, x + STEP / 2 + 25, 312, "read")
    return d


DIAGRAMS = {"two-keys": two_keys, "three-ways": three_ways}
