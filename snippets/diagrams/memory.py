"""The diagrams of the chapter *what fits into a memory*."""

from snippets.diagrams.architectures import PAIRS
from snippets.diagrams.vocabulary import Drawing

LEFT, STEP = 145.0, 39.0


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


DIAGRAMS = {"three-ways": three_ways}
