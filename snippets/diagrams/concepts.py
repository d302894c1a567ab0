"""The diagram of concepts: a vector is taken out of a prompt with examples and put into one that has none."""

from snippets.diagrams.vocabulary import Drawing

SHOWN = ("3", "→", "4", "9", "→", "10", "7", "→")
PLACES = (20.0, 54.0, 88.0, 136.0, 170.0, 204.0, 256.0, 290.0)


def row(
    drawing: Drawing, words: tuple[str, ...], places: tuple[float, ...], y: float
) -> None:
    for place, (x, word) in enumerate(zip(places, words, strict=True)):
        drawing.token(x, y, word, "asked" if place == len(words) - 1 else "", width=28)


def transplant() -> Drawing:
    drawing = Drawing(height=250)
    row(drawing, SHOWN, PLACES, 76)
    drawing.text(4, 18, "shown: the next hour", "strong", anchor="start")
    drawing.arrow(290, 62, 88, 62, "read", bend=-12)
    drawing.arrow(290, 62, 204, 62, "read", bend=-8)
    drawing.stream(290, 90, 108)
    drawing.bars(290, 116, ("label",), width=64, labels=("next hour",))
    drawing.text(4, 116, "what its last arrow holds", anchor="start")

    drawing.arrow(290, 126, 290, 166, "write")
    drawing.text(276, 147, "put in here", "write", anchor="end")
    drawing.bars(290, 176, ("label",), width=64, labels=("next hour",))
    drawing.stream(290, 185, 202)
    row(drawing, ("5", "→"), (256.0, 290.0), 216)
    drawing.text(4, 216, "no example at all", "strong", anchor="start")
    drawing.arrow(306, 180, 326, 196, "write")
    drawing.token(326, 212, "6?", "answer", width=32)
    return drawing


DIAGRAMS = {"transplant": transplant}
