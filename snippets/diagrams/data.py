"""The diagram of *Weights or context*: two places where an answer can come from."""

from snippets.diagrams.vocabulary import Drawing

PROMPT = ("dax", "red", "wug", "blue", "dax")
PLACES = (28.0, 84.0, 140.0, 196.0, 252.0)
TOKENS = 118.0  # the height of the row


def two_sources() -> Drawing:
    drawing = Drawing(height=206)
    for place, (x, word) in enumerate(zip(PLACES, PROMPT, strict=True)):
        drawing.token(x, TOKENS, word, "asked" if place == 4 else "", width=42)
    drawing.token(318, TOKENS, "red", "answer", width=42)

    # from the weights: what was so in every prompt of training
    drawing.memory(196, 34, 180, 36, "a dax was always red")
    drawing.text(70, 34, "memory", "strong")
    drawing.arrow(PLACES[4], TOKENS - 14, 244, 56, "read")
    drawing.arrow(284, 50, 316, TOKENS - 14, "write", bend=8)

    # from the context: what this prompt says
    drawing.arrow(PLACES[4], TOKENS + 14, PLACES[1], TOKENS + 14, "read", bend=14)
    drawing.arrow(PLACES[1] + 8, TOKENS + 15, 314, TOKENS + 15, "write", bend=-30)
    drawing.text(70, 194, "context", "strong")
    drawing.text(206, 194, "this prompt says: dax, red")
    return drawing


DIAGRAMS = {"two-sources": two_sources}
