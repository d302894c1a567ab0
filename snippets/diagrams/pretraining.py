"""Next-token prediction: on a text as given, and on a text that the model writes itself."""

from itertools import pairwise

from snippets.diagrams.vocabulary import Drawing

GIVEN = ("of", "the", "whale", "and", "his")
OWN = ("of", "the", "ship", "was", "not")
PLACES = (34.0, 103.0, 172.0, 241.0, 310.0)


def two_readings() -> Drawing:
    drawing = Drawing(height=282)
    drawing.text(6, 14, "as given: each guess meets the text's next token", "strong", anchor="start")  # fmt: skip
    row(drawing, GIVEN, 118)
    for x, to_x in pairwise(PLACES):  # what is compared
        drawing.arrow(to_x, 104, to_x - 22, 68, "read")
        drawing.text(x + 34, 56, "guess", "faint")
        drawing.line(x, 104, x + 20, 66, "stream")
    drawing.text(172, 38, "the loss: how likely was it?", "read")

    drawing.text(6, 164, "its own: a token is drawn from the guess", "strong", anchor="start")  # fmt: skip
    row(drawing, OWN, 250, own=True)
    for x, to_x in pairwise(PLACES):
        drawing.line(x, 236, x + 20, 204, "stream")
        drawing.text(x + 34, 194, "guess", "faint")
        drawing.arrow(to_x - 22, 204, to_x, 236, "write")
    return drawing


def row(drawing: Drawing, words: tuple[str, ...], y: float, own: bool = False) -> None:
    for place, (x, word) in enumerate(zip(PLACES, words, strict=True)):
        drawing.token(x, y, word, "answer" if own and place else "", width=54)


DIAGRAMS = {"two-readings": two_readings}
