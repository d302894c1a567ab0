"""The diagram of the chapter on real text: the rule of the longest earlier match, on a line of code."""

from snippets.diagrams.vocabulary import Drawing

LINE = ("for", "name", "in", "names", ":", "…", "for", "name", "in")
PLACES = (18.0, 58.0, 95.0, 138.0, 174.0, 197.0, 222.0, 262.0, 299.0)
AGREE = 3  # the last words that agree with an earlier place
ROW = 74.0


def longest_match() -> Drawing:
    d = Drawing(height=142)
    d.box(58, ROW, 112, 32, "asked frame")
    d.box(262, ROW, 112, 32, "asked frame")
    for place, (x, word) in enumerate(zip(PLACES, LINE, strict=True)):
        if word == "…":
            d.text(x, ROW, word)
        else:
            width = 6.4 * len(word) + 8
            d.token(x, ROW, word, "answer" if place == 3 else "", width=max(width, 20))
    d.token(332, ROW, "?", "asked", width=20)
    d.arrow(262, ROW - 18, 58, ROW - 18, "read", bend=-18)
    d.text(160, 14, "three words agree: look there", "read")
    d.arrow(138, ROW + 14, 332, ROW + 14, "write", bend=16)
    d.text(235, 130, "and guess what came next", "write")
    return d


DIAGRAMS = {"longest-match": longest_match}
