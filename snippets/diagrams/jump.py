"""The diagram of the jump: the two looks back that answer *A dax is red. A wug is blue. A dax is?*"""

from snippets.diagrams.vocabulary import Drawing

PROMPT = ("dax", "red", "wug", "blue", "dax")
PLACES = (28.0, 84.0, 140.0, 196.0, 252.0)
TOKENS, VECTORS = 156.0, 76.0  # the height of the two rows


def two_looks() -> Drawing:
    drawing = Drawing(height=222)
    for place, (x, word) in enumerate(zip(PLACES, PROMPT, strict=True)):
        drawing.token(x, TOKENS, word, "asked" if place == 4 else "", width=42)
        is_label = place in (1, 3)
        held = ["label" if is_label else "content", "buffer" if is_label else "empty"]
        labels = [word, PROMPT[place - 1] if is_label else ""]
        drawing.stream(x, TOKENS - 13, VECTORS + 24)
        drawing.bars(x, VECTORS, held, width=42, labels=labels)

    # the first look: from each label to the item before it
    for label, item in ((1, 0), (3, 2)):
        drawing.arrow(
            PLACES[label], TOKENS + 14, PLACES[item], TOKENS + 14, "read", bend=12
        )
    drawing.text(112, 206, "layer 1: whose name am I?", "read")

    # the second: from the target to the label that holds what the target is
    drawing.arrow(PLACES[4], VECTORS - 9, PLACES[1], VECTORS - 9, "read", bend=-20)
    drawing.text(168, 18, "layer 2: who holds a thing like me?", "read")
    drawing.arrow(PLACES[4] + 23, VECTORS, 293, VECTORS, "write")
    drawing.token(318, VECTORS, "red", "answer", width=42)
    return drawing


DIAGRAMS = {"two-looks": two_looks}
