"""A dictionary that answers softly, in a plane: its keys and values, and points by which a browser checks itself."""

import math
from itertools import product
from typing import Any

import numpy as np
import torch

from snippets.icl.networks.self_attention import softmax

NAMES = ("red", "blue", "green")
VALUES = (3.0, 7.0, 5.0)
DEGREES = (90.0, 330.0, 210.0)  # three keys as far apart as a plane allows


def query_at(degrees: float, length: float) -> tuple[float, float]:
    """A vector by its direction and its length."""
    angle = math.radians(degrees)
    return length * math.cos(angle), length * math.sin(angle)


KEYS = tuple(query_at(degrees, 1.0) for degrees in DEGREES)


def attend(query: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, float]:
    """A score for each key, its weight, and the average of the values with these weights."""
    keys, values, asked = (
        torch.tensor(x, dtype=torch.float64) for x in (KEYS, VALUES, query)
    )
    scores = keys @ asked
    weights = softmax(scores)
    return scores.numpy(), weights.numpy(), float(weights @ values)


def data(runs: Any) -> dict[str, Any]:
    """What the figure needs. Nothing in it is measured, so it takes nothing from `runs`."""
    points = []
    for degrees, length in product((0, 75, 210, 330), (0, 0.5, 2, 8)):
        scores, weights, answer = attend(query := query_at(degrees, length))
        points.append(
            {
                "query": query,
                "scores": list(scores),
                "weights": list(weights),
                "answer": answer,
            }
        )
    return {"names": NAMES, "keys": KEYS, "values": VALUES, "reference": points}
