"""The diagrams of the names: two ways to find who the other person is, and the one that was found."""

from snippets.diagrams.vocabulary import Drawing

PROMPT = ("Mary", "met", "John", "at", "John", "gave", "to")
PLACES = (26.0, 75.0, 121.0, 164.0, 207.0, 256.0, 302.0)
ROW = 118.0


def two_ways() -> Drawing:
    d = Drawing(height=226)
    for place, (x, word) in enumerate(zip(PLACES, PROMPT, strict=True)):
        d.token(x, ROW, word, "asked" if place == 6 else "", width=40)
    d.arrow(PLACES[6], ROW - 14, PLACES[0], ROW - 14, "read", bend=-28)
    d.text(170, 14, "copy", "strong")
    d.text(170, 32, "find the name that stands alone, say it", "faint")
    d.arrow(PLACES[4] - 6, ROW + 14, PLACES[2] + 6, ROW + 14, "read", bend=10)
    d.arrow(PLACES[6], ROW + 14, PLACES[4] + 6, ROW + 14, "read", bend=10)
    d.text(170, ROW + 66, "suppress", "strong")
    d.text(170, ROW + 84, "find the name that comes again, rule it out", "faint")
    return d


def count_first() -> Drawing:
    """Layer 1 gathers above the prompt, layer 2 looks below it."""
    d, row = Drawing(height=250), 132.0
    for place, (x, word) in enumerate(zip(PLACES, PROMPT, strict=True)):
        d.token(x, row, word, "asked" if place == 6 else "", width=40)
    d.text(170, 14, "layer 1: gather the names", "strong")
    d.text(170, 32, "2 John + 1 Mary", "content")
    for place, bend in ((0, -30), (2, -20), (4, -11)):
        d.arrow(PLACES[6], row - 14, PLACES[place], row - 14, "read", bend=bend)
    d.arrow(PLACES[6], row + 14, PLACES[0], row + 14, "read", bend=28)
    d.text(170, row + 84, "layer 2: ask for the least, copy what is there", "strong")
    d.text(170, row + 104, "Mary 91 %, John and John 9 % of the attention", "faint")
    return d


DIAGRAMS = {"two-ways": two_ways, "count-first": count_first}
