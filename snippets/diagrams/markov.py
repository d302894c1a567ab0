"""The diagram of the chapter on statistical induction heads: counting what followed the present symbol."""

from snippets.diagrams.vocabulary import Drawing

PROMPT = "abacbabca"
PITCH = 32.0
FIRST = 67.0


def counting() -> Drawing:
    """A prompt; under it what layer 1 writes into each token; above, where the last token looks; below, the counts."""
    d = Drawing(height=232)
    places = [FIRST + PITCH * i for i in range(len(PROMPT))]
    d.text(2, 106, "content", "content", anchor="start")
    d.text(2, 121, "buffer", "buffer", anchor="start")
    for i, (x, symbol) in enumerate(zip(places, PROMPT)):
        last = i == len(PROMPT) - 1
        d.token(x, 82, symbol, "asked" if last else "")
        before = PROMPT[i - 1] if i else ""
        d.bars(
            x,
            106,
            ["content", "buffer" if before else "empty"],
            labels=[symbol, before],
        )
    followers = [i for i in range(1, len(PROMPT) - 1) if PROMPT[i - 1] == PROMPT[-1]]
    for i in followers:
        d.arrow(
            places[-1] - 3,
            68,
            places[i],
            67,
            "read",
            bend=-(places[-1] - places[i]) * 0.11,
        )
    d.text(100, 14, "who came after an a?", "read")
    found = [PROMPT[i] for i in followers]
    for row, symbol in enumerate("abc"):
        y, n = 158 + 28 * row, found.count(symbol)
        d.token(64, y, symbol)
        d.text(86, y, f"came {('never', 'once', 'twice')[n]}", anchor="start")
        d.text(172, y, f"({n}+1)/({len(found)}+3)", "code", anchor="start")
        d.box(264 + 30 * (n + 1) / 6, y, 60 * (n + 1) / 6, 14, "content", round=2)
        d.text(270 + 60 * (n + 1) / 6, y, ("1/6", "2/6", "3/6")[n], anchor="start")
    return d


DIAGRAMS = {"counting": counting}
