"""The diagram of the subcircuits: three parts in a row, each worth something only with the others."""

from snippets.diagrams.vocabulary import Drawing

PROMPT = ("dax", "red", "wug", "blue", "dax")
PLACES = (24.0, 78.0, 132.0, 186.0, 240.0)
ROW = 112.0


def three_parts() -> Drawing:
    d = Drawing(height=206)
    for place, (x, word) in enumerate(zip(PLACES, PROMPT, strict=True)):
        d.token(x, ROW, word, "asked" if place == 4 else "", width=42)
    for label, item in ((1, 0), (3, 2)):
        d.arrow(PLACES[label], ROW + 14, PLACES[item], ROW + 14, "read", bend=12)
    d.text(105, ROW + 50, "1 look back", "strong")
    d.text(105, ROW + 68, "a label takes in its thing", "faint")
    d.arrow(PLACES[4], ROW - 14, PLACES[1], ROW - 14, "read", bend=-26)
    d.text(150, 34, "2 match", "strong")
    d.text(150, 16, "dax seeks what took in a dax", "faint")
    d.arrow(PLACES[4] + 22, ROW, 290, ROW, "write")
    d.token(316, ROW, "red", "answer", width=42)
    d.text(288, ROW + 50, "3 copy", "strong")
    d.text(288, ROW + 68, "red says red", "faint")
    return d


DIAGRAMS = {"three-parts": three_parts}
