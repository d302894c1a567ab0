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


def two_prompts() -> Drawing:
    """A training prompt, what it leaves in the weights, and a prompt that contradicts it."""
    d = Drawing(height=244)
    d.text(2, 10, "one of many training prompts", "faint", anchor="start")
    for x, item, label in (
        (26, "fep", "green"),
        (84, "dax", "blue"),
        (142, "wug", "red"),
        (208, "dax", "?"),
    ):
        pair(d, x, 34, item, label)
    d.arrow(236, 42, 274, 42)
    d.token(304, 42, "blue", "answer")

    d.arrow(84, 60, 84, 92, "write")
    d.text(94, 74, "training writes", "write", anchor="start")
    d.memory(100, 107, 184, 28, "weights: a dax is blue")

    d.text(2, 150, "the test", "faint", anchor="start")
    for x, item, label in (
        (26, "fep", "green"),
        (84, "dax", "red"),
        (142, "wug", "blue"),
        (208, "dax", "?"),
    ):
        pair(d, x, 174, item, label)
    d.box(84, 181.5, PAIR + 8, 36, "asked frame")
    d.arrow(194, 107, 304, 152, "read", bend=14)
    d.text(212, 92, "as training said", "read", anchor="start")
    d.token(304, 166, "blue?", "asked")
    d.arrow(84, 202, 282, 206, "read", bend=-16)
    d.text(186, 234, "as the prompt says", "read")
    d.token(304, 198, "red?", "asked")
    return d


DIAGRAMS = {"two-prompts": two_prompts}
