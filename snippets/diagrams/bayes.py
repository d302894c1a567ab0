"""The diagrams of the posterior: six secret codes, and which are left after one pair; two ways to a pair of answers."""

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


def coherence() -> Drawing:
    """The same two answers, asked for in either order: the posterior gives one probability."""
    d = Drawing(height=166)
    for x, words in (
        (70, "asked first"),
        (198, "told that, asked next"),
        (312, "both"),
    ):
        d.text(x, 12, words, "strong")
    rows = ((50, "A is 2:  1/3", "B is 1:  1/2"), (98, "B is 1:  1/3", "A is 2:  1/2"))
    for y, first, second in rows:
        d.box(70, y, 96, 26, "memory")
        d.text(70, y, first)
        d.arrow(120, y, 144, y, "write")
        d.box(196, y, 96, 26, "memory")
        d.text(196, y, second)
        d.arrow(246, y, 286, y, "write")
        d.text(312, y, "1/6", "strong")
    d.line(312, 62, 312, 86, "stream")
    d.text(172, 136, "1/3 · 1/2 either way: so it is", "faint")
    d.text(172, 154, "wherever all answers come from one law", "faint")
    return d


DIAGRAMS = {"codes": codes, "coherence": coherence}
