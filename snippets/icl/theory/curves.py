"""What a curve of training shows: when it is half way, and how sharply it bends."""

import numpy as np
from jaxtyping import Float, Shaped


def half_way(
    step: Shaped[np.ndarray, "look"], curve: Float[np.ndarray, "look"]
) -> float:
    """The first step at which a curve is half way from where it began to its end."""
    share = (curve - curve[0]) / (curve[-1] - curve[0])
    return float(step[share >= 0.5][0])


def quickens(curve: Float[np.ndarray, "look"], width: int = 4) -> float:
    """The most by which a curve falls faster over some looks than over as many before
    them, in nats, after the first sixth of training: above zero where it is bent."""
    drops = curve[:-width] - curve[width:]
    gains = drops[width:] - drops[:-width]
    return float(gains[len(curve) // 6 :].max())
