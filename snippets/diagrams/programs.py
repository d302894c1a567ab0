"""The diagrams of the programs: how a jump doubles, and what flows in each program."""

from snippets.diagrams.vocabulary import Drawing

PLACES = (24.0, 66.0, 108.0, 150.0, 192.0, 234.0, 276.0, 318.0)


def doubling() -> Drawing:
    """Eight notes, each pointing to the next: jumps of 1, 2 and 4."""
    drawing = Drawing(height=246)
    rows = ((58, 1, "as given: jumps of 1"), (138, 2, "after layer 1: jumps of 2"))
    for y, jump, words in (*rows, (222, 4, "after layer 2: jumps of 4")):
        for place, x in enumerate(PLACES):
            drawing.token(x, y, "ABCDEFGH"[place], "asked" if place == 0 else "")
            if place + jump < len(PLACES):
                first = place == 0
                drawing.arrow(
                    x, y - 14, PLACES[place + jump], y - 14,
                    "read" if first else "", bend=9 + 3 * jump,
                )  # fmt: skip
        drawing.text(172, y - 32 - 4 * jump, words, "faint")
    return drawing


def flow() -> Drawing:
    """One look: asks, is found, gives, in the fields of two tokens."""
    drawing = Drawing(height=176)
    drawing.text(86, 16, "the token that asks", "faint")
    drawing.text(258, 16, "the token that is found", "faint")
    for x, fields in (
        (86, ("asks: blue", "", "answer: 7")),
        (258, ("key: blue", "value: 7", "")),
    ):
        for row, (words, part) in enumerate(
            zip(fields, ("content", "label", "buffer"), strict=True)
        ):
            y = 48 + 44 * row
            drawing.box(x, y, 110, 26, part if words else "", round=3)
            if words:
                drawing.text(x, y, words, "on-colour")
    drawing.arrow(142, 48, 202, 48, "read", "alike?")
    for x, y, letters, kind in (
        (82, 70, "Q", "read"),
        (254, 70, "K", "read"),
        (154, 101, "VO", "write"),
    ):
        drawing.text(x, y, "W", kind)
        drawing.text(x + 6, y + 4, letters, kind, size=8, anchor="start")
    drawing.arrow(202, 92, 143, 132, "write")
    drawing.text(172, 166, "score β where they are alike, 0 elsewhere", "faint")
    return drawing


DIAGRAMS = {"doubling": doubling, "flow": flow}
