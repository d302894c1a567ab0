"""The diagram of the posterior: six secret codes, and which are left after one pair."""

from itertools import permutations

from snippets.diagrams.vocabulary import Drawing

CODES = list(permutations("123"))  # of the letters A, B, C
SHOWN = ("A", "2")


def codes() -> Drawing:
    d = Drawing(height=236)
    for x, words in ((58, "six codes"), (172, "after A→2"), (286, "so B→?")):
        d.text(x, 12, words, "strong")
    for row, code in enumerate(CODES):
        y, fits = 42 + 29 * row, code[0] == SHOWN[1]
        words = "A{} B{} C{}".format(*code)
        d.box(58, y, 88, 22, "memory")
        d.text(58, y, words, "code")
        if fits:
            d.box(172, y, 88, 22, "memory")
            d.arrow(104, y, 126, y, "write")
        else:
            d.line(140, y, 204, y, "stream")
        d.text(172, y, words if fits else "", "code")
    for name, y, share in (("1", 71, 0.5), ("2", 114, 0.0), ("3", 158, 0.5)):
        d.text(246, y, name, "strong")
        d.box(258 + 35 * share, y, max(70 * share, 1), 16, "content", round=2)
        d.text(316, y, "½" if share else "0")
    d.text(58, 224, "1/6 each: the prior", "faint")
    d.text(172, 224, "½ each", "faint")
    d.text(286, 224, "the prediction", "faint")
    return d


DIAGRAMS = {"codes": codes}
