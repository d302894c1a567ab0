"""The diagram of in-context regression: two prompts, two lines, one query."""

from snippets.diagrams.vocabulary import Drawing


def graph(d: Drawing, middle: float, slope: float, title: str) -> None:
    """A prompt as points on a line, above the tokens that the network reads."""
    left, floor, unit = middle - 72, 94, 22
    d.text(middle, 10, title, "strong")
    d.line(left, floor, left + 144, floor)
    d.line(middle, 30, middle, 158)
    d.line(left, floor + 72 * slope, left + 144, floor - 72 * slope, "read")
    for x in (-2.4, 1.1):
        d.dot(middle + unit * x, floor - unit * x * slope)
    at = middle + unit * 2.4
    d.dot(at, floor - unit * 2.4 * slope, "write", radius=5)
    d.text(
        at + 2, floor - unit * 2.4 * slope - (15 if slope > 0 else -16), "?", "write"
    )
    d.line(at, floor - 3, at, floor + 3)
    for place, word in enumerate(("x₁ y₁", "x₂ y₂", "x ?")):
        d.token(middle - 50 + 50 * place, 182, word, "asked" if place == 2 else "")


def prompts() -> Drawing:
    d = Drawing(height=204)
    graph(d, 86, 0.75, "one prompt")
    graph(d, 258, -0.45, "another")
    return d


DIAGRAMS = {"prompts": prompts}
