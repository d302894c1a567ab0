"""The diagrams of the chapter that grows an induction head: the task, and where a key can learn of the token before."""

from snippets.diagrams.vocabulary import Drawing


def task() -> Drawing:
    """One sequence: background, and one segment three times."""
    d = Drawing(height=102)
    d.box(172, 40, 336, 26)
    for x, name in ((66, "first"), (180, "repeat"), (286, "repeat")):
        d.box(x, 40, 68, 26, "memory", round=0)
        d.text(x, 40, "q u 3 e", "code")
        d.text(x, 14, name, "strong" if name == "repeat" else "")
    d.text(172, 74, "outside the boxes: what follows what never changes", "faint")
    d.text(172, 90, "in the boxes: random, and new in each sequence", "faint")
    return d


ROWS = (
    ("one layer", ("u",), "?"),
    ("smeared keys", ("u", "q"), "match"),
    ("two layers", ("u", "q"), "match"),
)


def keys() -> Drawing:
    """The last q looks for the place after the first q. What does that place, u, say of itself?"""
    d = Drawing(height=250)
    for number, (name, key, found) in enumerate(ROWS):
        y = 82 * number
        d.text(2, y + 58, name, "strong", anchor="start")
        for x, word in ((124, "q"), (194, "u"), (258, "\u2026"), (316, "q")):
            if word == "\u2026":
                d.text(x, y + 60, word)
            else:
                d.token(x, y + 60, word, "asked" if x > 300 else "")
        d.bars(
            194,
            y + 40 - 15 * (len(key) - 1),
            ["buffer", "content"][-len(key) :],
            width=34,
            labels=key[::-1],
        )
        d.arrow(306, y + 46, 214, y + 34, "read", bend=-12)
        d.text(262, y + 46 if found == "?" else y + 10, found, "read")
        if name == "smeared keys":
            d.arrow(136, y + 46, 176, y + 28, "write")
            d.text(124, y + 20, "in the key", "write")
        if name == "two layers":
            d.arrow(136, y + 46, 176, y + 28, "write")
            d.text(124, y + 20, "layer 1", "write")
    return d


DIAGRAMS = {"task": task, "keys": keys}
