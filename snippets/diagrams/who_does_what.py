"""The diagram of the chapter on who does what: one tile's stream, and the parts that add to it."""

from snippets.diagrams.vocabulary import Drawing

BEFORE, TILE = (4, 1), (3, 6)  # left and right halves of two neighbours
N_VALUES = 7


def answers() -> dict[str, int]:
    """The four answers at the second tile."""
    return {
        "own half": TILE[1],
        "neighbour's": BEFORE[1],
        "own sum": sum(TILE) % N_VALUES,
        "touching": (BEFORE[1] + TILE[0]) % N_VALUES,
    }


def stream() -> Drawing:
    d, other, here, side = Drawing(height=312), 60, 170, 184
    found = answers()
    d.stream(other, 270, 76)
    d.stream(here, 270, 76)
    for x, tile, kind in ((other, BEFORE, ""), (here, TILE, "asked")):
        d.token(x, 284, f"{tile[0]} | {tile[1]}", kind, width=48)
    d.text(side, 252, f"embedded: {TILE[0]} and {TILE[1]}", anchor="start")
    d.head(115, 204, "heads")
    d.arrow(90, 204, other + 3, 226, "read")
    d.arrow(126, 216, here - 3, 236, "read")
    d.arrow(140, 204, here - 3, 186, "write")
    d.text(side, 186, "+ what heads write", "write", anchor="start")
    d.mlp(292, 138)
    d.arrow(268, 144, here + 4, 160, "read")
    d.arrow(268, 132, here + 4, 116, "write")
    d.text(
        side,
        100,
        "+ what the MLP writes",
        "write",
        anchor="start",
    )
    d.box(here, 62, 108, 24)
    d.text(here, 62, "norm, then W_U")
    d.arrow(here, 50, here, 36)
    d.text(
        172, 22, ", ".join(f"{name} {value}" for name, value in found.items()), "strong"
    )
    d.text(other, 306, "the tile before", "faint")
    d.text(here, 306, "this tile", "faint")
    return d


DIAGRAMS = {"stream": stream}
