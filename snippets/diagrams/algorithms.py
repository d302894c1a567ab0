"""The diagrams of the part's first page: a prompt that becomes residuals, and the layer that makes it do so.

The numbers are those of one prompt: w = 2, points (1, 2) and (3, 6), query 2; steps of size 0.1.
"""

from collections.abc import Sequence

from snippets.diagrams.vocabulary import Drawing

X, Y, QUERY, RATE = (1.0, 3.0), (2.0, 6.0), 2.0, 0.1


def descent(n_steps: int) -> list[float]:
    """w after 0, 1, 2 ... steps from 0 on half the mean squared error."""
    w = [0.0]
    for _ in range(n_steps):
        w.append(w[-1] + RATE * sum(x * (y - w[-1] * x) for x, y in zip(X, Y)) / len(X))
    return w


def shown(number: float) -> str:
    return f"{round(number, 6) + 0:g}".replace("-", "−")


def table(
    d: Drawing, left: float, top: float, rows: Sequence[tuple[float, float]]
) -> None:
    """Tokens as rows: x, and what is left of y. The last one is the query."""
    for place, row in enumerate(rows):
        for column, number in enumerate(row):
            x, y = left + 15 + 32 * column, top + 28 * place
            last = place == len(rows) - 1
            kind = "memory" if column else ""
            d.box(x, y, 30, 24, f"{kind} {'asked' if last else ''}".strip(), round=3)
            d.text(x, y, shown(number), "strong" if column else "")


def tokens() -> Drawing:
    """One table for each layer: x stays, y becomes what is left of it."""
    d = Drawing(height=164)
    for place, w in enumerate(descent(2)):
        left = 62 + 104 * place
        d.text(left + 31, 12, f"w = {shown(w)}", "strong")
        d.text(left + 15, 34, "x", "faint")
        d.text(left + 47, 34, "y" if place == 0 else "left", "faint")
        rows = [(x, y - w * x) for x, y in zip(X, Y)] + [(QUERY, -w * QUERY)]
        table(d, left, 56, rows)
        if place:
            d.arrow(left - 38, 84, left - 6, 84, "write")
            d.text(left - 22, 70, "layer", "write")
    for place, name in enumerate(("example", "example", "query")):
        d.text(54, 56 + 28 * place, name, "faint", anchor="end")
    d.text(172, 150, "the query's entry ends as minus the prediction", "faint")
    return d


def step() -> Drawing:
    """One layer at the query: scores from x, values from y; the sum of their products is the step."""
    d = Drawing(height=178)
    for x, words, kind in (
        (56, "tokens", "faint"),
        (148, "score / n", "read"),
        (232, "value", "write"),
        (312, "product", "faint"),
    ):
        d.text(x, 12, words, kind)
    total = 0.0
    for y, (a, b) in zip((46, 86), zip(X, Y)):
        score, value = QUERY * a / len(X), -RATE * b
        total += score * value
        d.token(56, y, f"{shown(a)}, {shown(b)}", width=54)
        d.text(148, y, f"2 · {shown(a)} / 2 = {shown(score)}", "read")
        d.text(232, y, f"−0.1 · {shown(b)}", "write")
        d.text(312, y, shown(score * value))
    d.token(56, 142, f"{shown(QUERY)}, ?", "asked", width=54)
    d.arrow(44, 129, 44, 100, "read")
    d.arrow(27, 138, 27, 50, "read", bend=15)
    d.line(294, 106, 330, 106)
    d.text(312, 124, shown(total), "strong")
    d.arrow(300, 142, 86, 142, "write")
    d.text(196, 158, "added to what stands for ?", "write")
    return d


DIAGRAMS = {"tokens": tokens, "step": step}
