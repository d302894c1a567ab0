"""The diagrams of the chapter that builds an induction head: four words through two layers, a step at a time."""

from itertools import pairwise

from snippets.diagrams.vocabulary import Drawing

WORDS = ("Ada", "Lovelace", "wrote", "Ada")
COLUMNS = (88.0, 158.0, 228.0, 298.0)
ROW = 15  # from bar to bar


def words_and_parts(d: Drawing, top: float, buffers: tuple[str, ...]) -> None:
    """The four words and, above each, its buffer, position and content."""
    for row, name in enumerate(("buffer", "position", "content")):
        d.text(2, top + ROW * row, name, name, anchor="start")
    for number, (x, word) in enumerate(zip(COLUMNS, WORDS), 1):
        held = buffers[number - 1]
        d.bars(
            x,
            top,
            ["buffer" if held else "empty", "position", "content"],
            width=54,
            labels=[held, str(number), word],
        )
        d.token(x, top + 62, word, "asked" if number == 4 else "", width=60)


def start() -> Drawing:
    d = Drawing(height=92)
    words_and_parts(d, 12, ("", "", "", ""))
    return d


def look_back() -> Drawing:
    """Layer 1: the content of each word goes into the buffer of the next."""
    d = Drawing(height=122)
    d.head(COLUMNS[1] + 35, 14, "layer 1: who stands before me?")
    words_and_parts(d, 44, ("", "Ada", "Lovelace", "wrote"))
    for x, to_x in pairwise(COLUMNS):
        d.arrow(x + 28, 74, to_x - 28, 46, "write")
    return d


def match() -> Drawing:
    """Layer 2: the last word finds the buffer that holds itself, and takes the content that stands there."""
    d = Drawing(height=192)
    words_and_parts(d, 112, ("", "Ada", "Lovelace", "wrote"))
    d.head(COLUMNS[1] - 60, 22, "layer 2: who holds Ada?")
    d.token(COLUMNS[3], 22, "Lovelace", "answer", width=70)
    d.stream(COLUMNS[3], 103, 36)
    side = COLUMNS[3] + 35  # from the content of the last word, up beside its bars
    d.line(COLUMNS[3] + 28, 142, side, 142, "read")
    d.line(side, 142, side, 100, "read")
    d.arrow(side, 100, COLUMNS[1] + 14, 102, "read", bend=-24)
    d.text(232, 94, "match", "read")
    left = COLUMNS[1] - 35  # from the content of the word that matches
    d.line(COLUMNS[1] - 28, 142, left, 142, "write")
    d.line(left, 142, left, 100, "write")
    d.arrow(left, 101, COLUMNS[3] - 38, 24, "write", bend=14)
    d.text(134, 66, "copy", "write")
    return d


DIAGRAMS = {"start": start, "look-back": look_back, "match": match}
