"""The diagrams of the chapter."""

from snippets.diagrams.vocabulary import Drawing


def mean() -> Drawing:
    drawing = Drawing(height=120)
    for place, word in enumerate(("draw 1", "draw 2", "draw 3", "draw 4")):
        x = 50 + 82 * place
        drawing.token(x, 96, word)
        drawing.arrow(x, 82, 172 + 0.2 * (x - 172), 42, "write")
    drawing.memory(172, 26, 70, 26, "their mean")
    return drawing


DIAGRAMS = {"mean": mean}
