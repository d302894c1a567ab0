"""The diagram of the curriculum: what can be learned from labels alone, with absent ones and without."""

from snippets.diagrams.vocabulary import Drawing

SIDE, GAP = 15.0, 2.0


def probabilities(
    drawing: Drawing, x: float, y: float, shown: list[float], absent: list[float]
) -> None:
    """A bar for each label, from x on, standing on y: filled where the context shows it."""
    for place, share in enumerate(shown + absent):
        middle, height = x + (SIDE + GAP) * (place + 0.5), 200 * share
        part = "label" if place < len(shown) else "empty"
        if height:
            drawing.box(middle, y - height / 2, SIDE, height, part, round=1)
    width = (SIDE + GAP) * len(shown + absent)
    drawing.line(x - 2, y, x + width + 2, y)


def lessons() -> Drawing:
    drawing = Drawing(height=222)
    for y, n_absent, name, before, after in (
        (80, 4, "L = 8 labels, 4 of them shown", "ln 8", "ln 4"),
        (192, 0, "L = 4 labels, all of them shown", "ln 4", "ln 4"),
    ):
        drawing.text(8, y - 70, name, "strong", anchor="start")
        even = 1 / (4 + n_absent)
        probabilities(drawing, 8, y, [even] * 4, [even] * n_absent)
        probabilities(drawing, 200, y, [1 / 4] * 4, [0] * n_absent)
        drawing.text(8, y + 14, f"loss {before}", "faint", anchor="start")
        drawing.text(200, y + 14, f"loss {after}", "faint", anchor="start")
        drawing.arrow(156, y - 20, 190, y - 20, "write")
    return drawing


DIAGRAMS = {"lessons": lessons}
