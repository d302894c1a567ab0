"""The diagram of the chapter on meaning: three prompts of one form, three answers."""

from snippets.diagrams.vocabulary import Drawing

ROWS = (  # what is said of Ada and Bo, and what to answer of Bo
    ("is married to", "Ada"),
    ("is the mother of", "nobody"),
    ("daxes", "?"),
)


def three_relations() -> Drawing:
    drawing = Drawing(height=214)
    drawing.text(90, 12, "the prompt says", "faint")
    drawing.text(300, 12, "and Bo?", "faint")
    for row, (relation, answer) in enumerate(ROWS):
        y = 50 + 64 * row
        drawing.token(28, y, "Ada", width=44)
        drawing.arrow(52, y, 166, y, "write", relation)
        drawing.token(190, y, "Bo", "asked", width=44)
        drawing.arrow(214, y, 262, y, "read")
        drawing.token(302, y, answer, "answer", width=72)
    return drawing


DIAGRAMS = {"three-relations": three_relations}
