"""Diagrams of the chapter on prompts: where a front can be put, and the game it steers."""

from snippets.diagrams.vocabulary import Drawing

FRONT, OPENING, ASKED = 150.0, 232.0, 302.0
ROWS = (  # height, what is chosen there, what stands in front, the words' own
    (178.0, "a text", "a word"),
    (130.0, "prompt tuning", "a vector"),
    (82.0, "in each layer", "keys, values"),
    (34.0, "prefix tuning", "keys, values"),
)


def fronts() -> Drawing:
    drawing = Drawing(height=216)
    for number, (y, name, chosen) in enumerate(ROWS):
        drawing.text(4, y, name, "" if number == 2 else "strong", anchor="start")
        drawing.box(FRONT, y, 82, 26, "memory")
        drawing.text(FRONT, y, chosen)
        if number:
            below = ROWS[number - 1][0]
            for x in (FRONT, OPENING, ASKED):
                drawing.arrow(x, below - 14, x, y + 14, "write")
    for x, word in ((OPENING, "say:"), (ASKED, "fep?")):
        drawing.token(x, ROWS[0][0], word, "asked" if x == ASKED else "", width=56)
        drawing.bars(x, ROWS[1][0], ["content"], width=56, labels=["vector"])
        for y in (ROWS[2][0], ROWS[3][0]):
            drawing.box(x, y, 56, 24, "head")
            drawing.text(x, y, "k, v")
    drawing.text(FRONT, 206, "m of these in front", "faint")
    drawing.text(267, 206, "the question", "faint")
    return drawing


DIAGRAMS = {"fronts": fronts}
