"""The diagram of a preconditioned step: a round bowl, a stretched one, and one step in each."""

from snippets.diagrams.vocabulary import Drawing

START = (-56.0, 56.0)  # w = 0, seen from the bottom of the bowl


def steps(d: Drawing, middle: float, y: float, lam: tuple[float, float]) -> None:
    """From the start, one plain step (dashed) and one that a matrix has turned (solid)."""
    x0, y0 = middle + START[0], y - START[1]
    plain = (middle + START[0] * (1 - 0.9 * lam[0]), y - START[1] * (1 - 0.9 * lam[1]))
    d.arrow(x0, y0, *plain, "read")
    d.dot(x0, y0)
    d.text(x0 - 2, y0 - 12, "w = 0")


def bowls() -> Drawing:
    d = Drawing(height=190)
    d.text(84, 12, "round", "strong")
    d.text(258, 12, "stretched", "strong")
    for size in (34, 72, 110):
        d.ellipse(84, 96, size, size)
        d.ellipse(258, 96, 1.5 * size, 0.75 * size)
    steps(d, 84, 96, (1, 1))
    steps(d, 258, 96, (0.25, 1))
    d.arrow(258 + START[0], 96 - START[1], 258 - 5, 96 - 5, "write")
    for middle in (84, 258):
        d.dot(middle, 96, "write", radius=3)
    d.text(84, 178, "the plain step", "read")
    d.text(258, 178, "the best step turns it", "write")
    return d


DIAGRAMS = {"bowls": bowls}
