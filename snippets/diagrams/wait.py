"""The diagram of the wait: among how many tokens each of the two looks has to choose, with two pairs and with four."""

from snippets.diagrams.vocabulary import Drawing

WORDS = ("dax", "red", "wug", "blue", "kip", "pink", "zog", "grey")
STEP = 37.0  # between two tokens


def prompt(drawing: Drawing, y: float, n_pairs: int) -> None:
    """N pairs and the first thing once more; the edges of both looks, those in use drawn in full."""
    shown = (*WORDS[: 2 * n_pairs], "dax")
    places = [24 + STEP * place for place in range(len(shown))]
    for place, (x, word) in enumerate(zip(places, shown, strict=True)):
        drawing.token(x, y, word, "asked" if place == 2 * n_pairs else "", width=34)
    # the first look: each label from its item; only one of them is asked for
    for label in range(1, 2 * n_pairs, 2):
        kind = "read" if label == 1 else ""
        drawing.arrow(places[label], y + 13, places[label - 1], y + 13, kind, bend=10)
    # the second look, from the target
    drawing.arrow(places[-1], y - 13, places[1], y - 13, "read", bend=-18)


def one_in_n() -> Drawing:
    drawing = Drawing(height=218)
    prompt(drawing, 60, 2)
    drawing.text(
        7, 98, "the target looks at 5 tokens, a label at 3 on average", anchor="start"
    )
    prompt(drawing, 164, 4)
    drawing.text(
        7, 204, "the target looks at 9 tokens, a label at 5 on average", anchor="start"
    )
    return drawing


DIAGRAMS = {"one-in-n": one_in_n}
