"""The diagrams of the chapter *who can learn in context*."""

import numpy as np

from snippets.diagrams.vocabulary import Drawing

PAIRS = (("dax", "red"), ("wug", "blue"), ("fep", "green"), ("zup", "gold"))
# keys of the four items that overlap a little, and values that do not
KEYS = np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0], [0, 0.6, 0.8, 0], [0.5, 0, 0.5, 0.7]])
VALUES = np.eye(4)
VECTOR = np.array([[0.9, 0.3, 0.6, 0.1, 0.7, 0.4, 0.8, 0.2]])
LEFT, STEP = 115.0, 40.0  # where the first pair stands, and from pair to pair


def pair(d: Drawing, place: int, y: float, kept: bool = True) -> None:
    """The pair at this place of the prompt; an outline where it is not kept."""
    x, width = LEFT + STEP * place, STEP - 2
    if kept:
        d.bars(x, y, ["content", "label"], width=width, labels=PAIRS[place])
    else:
        d.bars(x, y, ["empty", "empty"], width=width)


def row(d: Drawing, y: float, name: str, who: str, says: tuple[str, str]) -> None:
    """The words beside one memory: its name, who has it, and what it says of a dax."""
    d.text(2, y - 8, name, "strong", anchor="start")
    d.text(2, y + 9, who, "faint", anchor="start")
    for line, words in enumerate(says):
        d.text(260, y + (17 * line - 8 if says[1] else 0), words, anchor="start")


def four_memories() -> Drawing:
    """What of four pairs a list, a matrix, a vector and a window keep."""
    d = Drawing(height=312)
    d.text(2, 22, "the prompt", "faint", anchor="start")
    d.text(260, 22, "a dax is ...", "faint", anchor="start")
    for place in range(4):
        pair(d, place, 15)

    row(d, 84, "a list", "attention", ("red", ""))
    for place in range(4):
        pair(d, place, 77)

    row(d, 148, "a matrix", "linear attention", ("red, and bits", "of the others"))
    held = KEYS.T @ VALUES
    d.cells(148, 121, held / held.max(), size=13.5, words=False)

    row(d, 212, "a vector", "LSTM", ("what its", "gates kept"))
    d.cells(119, 205, VECTOR, size=14, words=False)

    row(d, 276, "a window", "convolution", ("out of sight:", "a guess"))
    for place in range(4):
        pair(d, place, 269, kept=place >= 2)
    d.box(LEFT + 2.5 * STEP, 276.5, 2 * STEP, 38, "asked frame")
    return d


CODE = (("dax", "4"), ("wug", "1"), ("fep", "3"))
TEXT = ("fep", "dax", "wug")


def cipher() -> Drawing:
    """A code, a text, and the text in code, backwards; where one answer comes from."""
    d = Drawing(height=214)
    places = [24, 68, 112, 202, 254, 306]  # three lines of the code, three of the text
    d.text(places[1], 112, "the code", "faint")
    d.text(places[4] - 10, 112, "the text", "faint")
    for x, pair_of_code in zip(places, CODE):
        d.bars(x, 72, ["content", "label"], width=38, labels=pair_of_code)
    for x, word in zip(places[3:], TEXT):
        d.token(x, 80, word)
    d.text(places[4], 202, "the answer, last symbol first", "faint")
    becomes = dict(CODE)
    for x, word in zip(places[3:], reversed(TEXT)):
        d.token(x, 176, becomes[word], "answer" if x == places[3] else "")
    d.arrow(places[3] + 4, 162, places[5], 95, "read", bend=-8)
    d.arrow(places[5], 66, places[1], 62, "read", bend=-34)
    d.text(places[3] + 18, 142, "which symbol?", "faint", anchor="end")
    d.text(places[1] + 119, 14, "what does it become?", "faint")
    return d


DIAGRAMS = {"four-memories": four_memories, "cipher": cipher}
