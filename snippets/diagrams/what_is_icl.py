"""The diagrams of the chapter *what is in-context learning*."""

from snippets.diagrams.vocabulary import Drawing

PAIR = 46.0  # the width of a pair's two bars


def pair(d: Drawing, x: float, y: float, item: str, label: str) -> None:
    """An item and its label, which are one token; "?" where the label is asked for."""
    if label == "?":
        d.bars(x, y, ["content", "empty"], width=PAIR, labels=[item])
        d.text(x, y + 15, "?", "strong")
    else:
        d.bars(x, y, ["content", "label"], width=PAIR, labels=[item, label])


def prompt(d: Drawing, y: float, dax: str, wug: str) -> None:
    """Three pairs that say what a dax and a wug are, and the question what a dax is."""
    row = ((26, "fep", "green"), (84, "dax", dax), (142, "wug", wug), (208, "dax", "?"))
    for x, item, label in row:
        pair(d, x, y, item, label)


def two_prompts() -> Drawing:
    """A training prompt, what it leaves in the weights, and a prompt that contradicts it."""
    d = Drawing(height=244)
    d.text(2, 10, "one of many training prompts", "faint", anchor="start")
    prompt(d, 34, dax="blue", wug="red")
    d.arrow(236, 42, 274, 42)
    d.token(304, 42, "blue", "answer")

    d.arrow(84, 60, 84, 92, "write")
    d.text(94, 74, "training writes", "write", anchor="start")
    d.memory(100, 107, 184, 28, "weights: a dax is blue")

    d.text(2, 150, "the test", "faint", anchor="start")
    prompt(d, 174, dax="red", wug="blue")
    d.box(84, 181.5, PAIR + 8, 36, "asked frame")
    d.arrow(194, 107, 304, 152, "read", bend=14)
    d.text(212, 92, "as training said", "read", anchor="start")
    d.token(304, 166, "blue?", "asked")
    d.arrow(84, 202, 282, 206, "read", bend=-16)
    d.text(186, 234, "as the prompt says", "read")
    d.token(304, 198, "red?", "asked")
    return d


DIAGRAMS = {"two-prompts": two_prompts}
