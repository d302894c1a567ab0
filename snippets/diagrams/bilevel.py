"""The diagrams of the chapter on learning to learn."""

from snippets.diagrams.vocabulary import Drawing


def two_loops() -> Drawing:
    """The same two loops twice: an inner one of gradient steps, and an inner one that is a forward pass."""
    drawing = Drawing(height=400)
    loops(
        drawing,
        0,
        "Learning by steps",
        "start θ",
        "a step on the task's examples",
        "weights",
    )
    drawing.line(8, 198, 336, 198)
    loops(
        drawing,
        206,
        "Learning in context",
        "weights θ",
        "a forward pass over the examples",
        "state",
    )
    return drawing


def loops(
    drawing: Drawing, top: float, title: str, kept: str, inner: str, result: str
) -> None:
    """One panel: what is kept on the left, what each task makes of it on the right, and the way back."""
    middle = top + 92
    drawing.text(8, top + 14, title, "strong", anchor="start")
    drawing.text(8, top + 34, f"inner loop: {inner}", "write", anchor="start")
    for task in (1, 2, 3):
        y = middle + 34 * (task - 2)
        drawing.arrow(92, middle + 4 * (task - 2), 222, y, "write")
        drawing.token(282, y, f"{result} for task {task}", width=118)
    drawing.head(48, middle, kept, width=84)
    drawing.arrow(282, middle + 48, 48, middle + 15, "read", bend=26)
    drawing.text(
        8,
        top + 180,
        "outer loop: move θ, so that further examples go better",
        "read",
        anchor="start",
    )


DIAGRAMS = {"two-loops": two_loops}
