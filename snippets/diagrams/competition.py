"""The diagram of competition: one question, two ways to the same name."""

from snippets.diagrams.vocabulary import Drawing

PAIRS = ((60.0, "a dax", "red"), (150.0, "a wug", "blue"))
QUERY = 268.0


def two_ways() -> Drawing:
    drawing = Drawing(height=214)
    for x, item, name in PAIRS:
        drawing.box(x, 107, 76, 62, "memory")
        drawing.bars(x, 93, ["content"], width=64, labels=[item])
        drawing.bars(x, 121, ["label"], width=64, labels=[name])
    drawing.token(QUERY, 107, "a dax?", "asked", width=64)

    drawing.arrow(QUERY, 92, PAIRS[0][0], 83, "read", bend=-22)
    drawing.text(172, 18, "1: which item is like me?", "read")
    drawing.text(172, 36, "learned once for all classes", "faint")

    drawing.arrow(QUERY, 122, PAIRS[0][0], 131, "read", bend=22)
    drawing.text(172, 186, "2: which name do my likes have?", "read")
    drawing.text(172, 204, "learned class by class", "faint")
    drawing.arrow(302, 107, 318, 107, "write")
    drawing.text(331, 107, "red", "strong")
    return drawing


DIAGRAMS = {"two-ways": two_ways}
