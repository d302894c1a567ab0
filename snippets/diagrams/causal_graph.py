"""The diagram of the chapter on who depends on whom: a chain, a graph, and the attention that would be each."""

import numpy as np

from snippets.diagrams.vocabulary import Drawing

CHAIN = (None, 0, 1, 2, 3)
GRAPH = (None, 0, 0, None, 2)
PITCH = 38.0


def parents() -> Drawing:
    """Two graphs, arrows from child to parent; beside each the attention of a layer that has learned it."""
    d = Drawing(height=252)
    for name, graph, top in (("a chain", CHAIN, 8), ("a graph", GRAPH, 134)):
        d.text(2, top + 6, name, "strong", anchor="start")
        places = [20 + PITCH * i for i in range(len(graph))]
        for i, x in enumerate(places):
            d.token(x, top + 82, str(i + 1))
        attention = np.zeros((len(graph), len(graph)))
        for child, parent in enumerate(graph):
            if parent is None:
                attention[child, : child + 1] = 1 / (child + 1)
                continue
            attention[child, parent] = 1
            reach = places[child] - places[parent]
            d.arrow(
                places[child] - 4,
                top + 68,
                places[parent] + (7 if reach == PITCH else 0),
                top + 68,
                "read",
                bend=-reach * 0.25,
            )
        d.text(274, top + 6, "attention", "faint")
        d.cells(226, top + 16, attention, size=19, words=False)
        for i in range(len(graph)):
            d.text(216, top + 16 + 19 * (i + 0.5), str(i + 1), size=10.5)
    return d


DIAGRAMS = {"parents": parents}
