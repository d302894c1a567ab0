"""The diagrams of the chapter on three phases."""

from snippets.diagrams.vocabulary import Drawing

WORDS = ("dax", "red", "wug", "blue", "fep")
PLACES = (36, 96, 156, 216, 290)
ITEMS, LABELS, QUERY = (0, 2), (1, 3), 4
HEIGHT = 156  # of one circuit


def circuits() -> Drawing:
    """Where the query looks in each of two layers, and what it carries: three circuits, one below the other."""
    drawing = Drawing(height=3 * HEIGHT + 24)
    for place, (name, says) in enumerate(
        (
            ("1  Query alone", "what could a fep be?"),
            ("2  Query and labels", "red and blue occur"),
            ("3  Pairs", "a dax is red, a wug is blue"),
        )
    ):
        panel(drawing, HEIGHT * place, place + 1)
        drawing.text(8, HEIGHT * place + 14, name, "strong", anchor="start")
        drawing.text(336, HEIGHT * place + 14, says, "faint", anchor="end")
    y = 3 * HEIGHT + 12
    for x, part, words in ((60, "content", "an item"), (160, "label", "a label")):
        drawing.bars(x, y, [part])
        drawing.text(x + 20, y, words, anchor="start")
    return drawing


def panel(drawing: Drawing, top: float, circuit: int) -> None:
    """One circuit: tokens below, layer 1 above them, layer 2 at the top."""
    bottom, first, second = top + 138, top + 86, top + 38
    query = PLACES[QUERY]
    for y, layer in ((first, "layer 1"), (second, "layer 2")):
        drawing.text(8, y, layer, "faint", anchor="start")
    for place, word in enumerate(WORDS):
        if place in LABELS:
            drawing.stream(PLACES[place], bottom - 12, first + 8)
        drawing.token(PLACES[place], bottom, word, "asked" if place == QUERY else "")
    drawing.stream(query, bottom - 12, second)
    pairs = circuit == 3
    for label in LABELS:
        if pairs:
            drawing.arrow(
                PLACES[label] - 16,
                first + 8,
                PLACES[label - 1] + 6,
                bottom - 14,
                "read",
            )
            drawing.arrow(query - 15, second + 8, PLACES[label] + 16, first, "read")
        elif circuit == 2:
            drawing.arrow(
                query - 15, first + 14, PLACES[label] + 8, bottom - 14, "read"
            )
        drawing.bars(PLACES[label], first, ["label", "content"] if pairs else ["label"])
    if circuit != 3:
        drawing.arrow(
            query + 15,
            second + (6 if circuit == 1 else 20),
            query + 15,
            first - 8,
            "read",
            bend=-8,
        )
    if circuit == 1:
        drawing.arrow(query + 15, first + 8, query + 15, bottom - 14, "read", bend=-8)
    drawing.bars(query, first, ["content", "label"] if circuit == 2 else ["content"])
    drawing.bars(query, second, ["content"] if circuit == 1 else ["content", "label"])


DIAGRAMS = {"circuits": circuits}
