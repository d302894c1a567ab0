"""The diagram of kernels: one layer adds a bump at each example, as high as what is left there."""

import math
from itertools import pairwise

from snippets.diagrams.vocabulary import Drawing

EXAMPLES = ((0.0, 1.0), (1.0, 2.0))  # (x, y) of the chapter's example
QUERY, RATE = 2.0, 0.5  # and its r / n
LEFT, UNIT, BASE, UP = 76.0, 86.0, 128.0, 50.0  # x = 0; a unit of x; y = 0; a unit of y


def bump(x: float, at: float) -> float:
    return math.exp(-((x - at) ** 2) / 2)


def place(x: float, y: float) -> tuple[float, float]:
    return LEFT + UNIT * x, BASE - UP * y


def curve(d: Drawing, heights: list[tuple[float, float]], kind: str) -> None:
    """sum of height times bump, over the whole width"""
    xs = [-0.8 + 0.1 * i for i in range(37)]
    points = [place(x, sum(h * bump(x, at) for at, h in heights)) for x in xs]
    for one, other in pairwise(points):
        d.line(*one, *other, kind)


def step() -> Drawing:
    d = Drawing(height=196)
    d.line(8, BASE, 336, BASE, "stream")
    bumps = [(x, RATE * y) for x, y in EXAMPLES]
    for one in bumps:
        curve(d, [one], "read")
    curve(d, bumps, "write")
    for number, (x, y) in enumerate(EXAMPLES, 1):
        at = place(x, y)
        d.dot(*at)
        if number == 1:  # between the curves
            d.text(at[0] + 9, at[1] - 2, f"y = {y:g}", anchor="start")
        else:
            d.text(at[0], at[1] - 14, f"y = {y:g}")
        d.text(at[0], BASE + 14, f"x = {x:g}", "faint")
    answer = sum(h * bump(QUERY, at) for at, h in bumps)
    d.dot(*place(QUERY, answer), "write")
    d.text(
        place(QUERY, answer)[0] + 8,
        place(QUERY, answer)[1] - 9,
        f"{answer:.2f}",
        "write",
        anchor="start",
    )
    d.text(place(QUERY, 0)[0], BASE + 14, "query, x = 2", "faint")
    d.line(40, 166, 64, 166, "read")
    d.text(70, 166, "what each example adds", "read", anchor="start")
    d.line(40, 184, 64, 184, "write")
    d.text(70, 184, "their sum: the function after one layer", "write", anchor="start")
    return d


DIAGRAMS = {"step": step}
