"""The diagram of the cliff: three softmaxes, each fed by what the one before it found."""

from itertools import pairwise

from snippets.diagrams.vocabulary import Drawing

RESULT = 314.0  # where a softmax's result stands
ROWS = (  # y, who, what it asks, (name, logit) of what it chooses among, what it finds
    (46, "layer 1", "whose label", "am I?", (("N others", "0"), ("its item", "β")), "y"),
    (134, "layer 2", "who holds", "my item?", (("2N others", "0"), ("right label", "α y")), "z, z′"),
    (222, "classifier", "which", "label?",
     (("absent", "0"), ("shown", "ξ z′"), ("right label", "ξ z")), "p"),
)  # fmt: skip


def three_softmaxes() -> Drawing:
    drawing = Drawing(height=264)
    for y, who, *question, choices, found in ROWS:
        drawing.text(2, y - 33, who, "strong", anchor="start")
        for line, words in enumerate(question):
            drawing.text(2, y - 8 + 16 * line, words, "faint", anchor="start")
        for place, (name, logit) in enumerate(reversed(choices)):
            x = 235 - 70 * place
            drawing.box(x, y, 66, 42, "asked" if not place else "")
            drawing.text(x, y - 9, name, "faint", size=10.5)
            drawing.text(x, y + 10, logit, "strong", size=13)
        drawing.arrow(269, y, RESULT - 24, y, "write")
        drawing.box(RESULT, y, 46, 26, "head")
        drawing.text(RESULT, y, found, "strong", size=13)
    for (above, *_), (below, *_) in pairwise(ROWS):
        drawing.arrow(RESULT, above + 14, 248, below - 23, "write")
    return drawing


DIAGRAMS = {"three-softmaxes": three_softmaxes}
