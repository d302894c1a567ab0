"""Four dice whose chances are known, one of which throws: the dice, and texts by which a browser checks itself."""

from typing import Any

import torch

from snippets.icl.tasks.loaded_sources import DICE, SOURCES
from snippets.icl.theory.known_sources import belief, bets

TEXTS: tuple[list[int], ...] = (
    [],
    [0],
    [5],
    [0, 0, 5],
    [1, 1, 2, 3, 1, 5, 4],
    [5, 5, 5, 5, 5, 0, 5, 5],
)


def believe(text: list[int]) -> tuple[list[float], list[float]]:
    """The belief in each die after these faces, and the bets on the next face."""
    sources, faces = SOURCES["dice"], torch.tensor([text], dtype=torch.long)
    prior = torch.full((len(sources),), 1 / len(sources), dtype=torch.float64)
    one, two = (by(sources, prior, faces)[0, -1].tolist() for by in (belief, bets))
    return one, two


def data(runs: Any) -> dict[str, Any]:
    """What the figure needs. Nothing in it is measured, so it takes nothing from `runs`."""
    reference = []
    for text in TEXTS:
        believed, bet = believe(text)
        reference.append({"text": text, "belief": believed, "bets": bet})
    return {
        "names": list(DICE),
        "chances": [list(row) for row in SOURCES["dice"][:, 0].tolist()],
        "reference": reference,
    }
