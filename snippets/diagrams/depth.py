"""The diagram of depth: four blocks that add to one sum, and what each leaves."""

from snippets.diagrams.vocabulary import Drawing

LEFT = ("6", "3", "1.5", "0.75", "0.38")  # of 6, with steps that halve it
WRITES = ("3", "1.5", "0.75", "0.38")


def stack() -> Drawing:
    d = Drawing(height=206)
    places = (40.0, 118.0, 196.0, 274.0)
    d.text(8, 14, "what each block finds left to explain", "faint", anchor="start")
    for number, x in enumerate(places):
        d.text(x, 38, LEFT[number], "read")
        d.arrow(x, 48, x, 76, "read")
        d.head(x, 90, f"block {number + 1}", width=62)
        d.arrow(x, 104, x, 134, "write")
        d.text(x + 10, 118, f"+{WRITES[number]}", "write", anchor="start")
    d.arrow(8, 140, 304, 140)
    d.token(322, 140, "5.6", "answer", width=40)
    d.text(
        8,
        164,
        "the sum that runs through all blocks; 6 is right",
        "faint",
        anchor="start",
    )
    d.text(8, 190, "3 + 1.5 + 0.75 + 0.38 = 5.6", anchor="start")
    return d


DIAGRAMS = {"stack": stack}
