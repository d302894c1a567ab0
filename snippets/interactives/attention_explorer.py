"""The trained network of the letters, for a reader's own: weights in 16 bits, in base 64."""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np

from snippets.contract import Measurements

PREFIX = "weights_"
ALPHABET = "abcdefghijklmnopqrstuvwxyz "


def data(runs: Callable[[str], list[Measurements]]) -> dict[str, Any]:
    """The weights of the first seed, and what the figure needs to know of them."""
    first = runs("letters")[0]
    weights = {
        name.removeprefix(PREFIX): {
            "shape": list(value.shape),
            "half": base64.b64encode(value.astype("<f2").tobytes()).decode(),
        }
        for name, value in first.items()
        if name.startswith(PREFIX)
    }
    scores = {
        name: np.round(first[name], 3).tolist() for name in ("prefix", "previous")
    }
    heads, positions = weights["by_distance_0"]["shape"]
    return {
        "alphabet": ALPHABET,
        "positions": positions,
        "heads": heads,
        "weights": weights,
        **scores,
    }
