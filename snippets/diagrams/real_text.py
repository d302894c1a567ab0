"""The diagram of the chapter on real text: the rule of the longest earlier match, on a line of code."""

from snippets.diagrams.vocabulary import Drawing

LINE = ("for", "name", "in", "names", "…", "for", "name", "in", "?")
PLACES = (20.0, 60.0, 96.0, 143.0, 184.0, 211.0, 251.0, 287.0, 326.0)
WIDTHS = (30.0, 46.0, 24.0, 60.0, 0.0, 30.0, 46.0, 24.0, 26.0)
ROW = 74.0


def longest_match() -> Drawing:
    d = Drawing(height=140)
    for middle in (56.5, 247.5):  # the words that agree
        d.box(middle, ROW, 109, 34, "frame")
    kinds = {3: "answer", 8: "asked"}
    for place, (x, word) in enumerate(zip(PLACES, LINE, strict=True)):
        if word == "…":
            d.text(x, ROW, word)
        else:
            d.token(x, ROW, word, kinds.get(place, ""), width=WIDTHS[place])
    d.arrow(247, ROW - 19, 56, ROW - 19, "read", bend=-14)
    d.text(152, 14, "three words agree: look there", "read")
    d.arrow(143, ROW + 14, 322, ROW + 14, "write", bend=-14)
    d.text(232, 128, "and guess what came next", "write")
    return d


DIAGRAMS = {"longest-match": longest_match}
