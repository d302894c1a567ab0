"""Which circuit is at work, and when: numbers derived from a run's curves.

Source: minegishi2025, tables 1 and 2, for the circuits and the attention that marks them.
The steps at which they begin are ours.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from snippets.icl.training.label_map_training import first_step

Run = Mapping[str, Any]  # what `train` returned, with one head in each layer


# --8<-- [start:derived]
def attention(m: Run, name: str) -> np.ndarray:
    """One curve: there is one head."""
    return m[name][:, 0]


def ncc(m: Run) -> np.ndarray:
    """How much of the non-context circuit: the query to itself, in both layers."""
    return np.minimum(attention(m, "bigram_1"), attention(m, "bigram_2"))


def scc(m: Run) -> np.ndarray:
    """The semi-context circuit: to the labels in layer 1, to itself in layer 2."""
    return np.minimum(attention(m, "label_1"), attention(m, "bigram_2"))


def gap(m: Run) -> np.ndarray:
    """What moving the labels costs."""
    return m["accuracy"] - m["accuracy_moved"]


def begins(m: Run) -> tuple[float, float, float]:
    """The steps at which the first circuit is at its strongest, the second passes one
    half, and moving the labels costs a tenth: the split. Infinity where it does not."""
    first = float(m["step"][ncc(m).argmax()])
    return first, first_step(m, scc(m), 0.5), first_step(m, gap(m), 0.1)


def before_split(m: Run) -> np.ndarray:
    """Whether a step comes before the split, as the very first always does."""
    return m["step"] < max(begins(m)[2], 1)


def strongest(m: Run) -> int:
    """Where, before the split, the second circuit is at its strongest."""
    return int((scc(m) * before_split(m)).argmax())


def second_phase(m: Run) -> float:
    """Steps from the second circuit to the split, or to the end of the run if none
    comes; 0 if the second does not come between the first and the split."""
    first, second, split = begins(m)
    length = min(split, m["step"][-1]) - second
    return float(max(length, 0)) if first < second else 0.0


def has_second(m: Run) -> bool:
    """Whether the second circuit comes between the first and the split."""
    return second_phase(m) > 0


def at_the_end(m: Run, curve: np.ndarray) -> float:
    return float(curve[-5:].mean())


# --8<-- [end:derived]
