"""A linear readout fitted to vectors: how much of an answer can be read off, linearly.

Fitted on some prompts and tried on others, at each depth anew: a *tuned lens*.
"""

import torch
from jaxtyping import Float
from torch import Tensor


# --8<-- [start:lens]
def read_off(
    fit: Float[Tensor, "row width"],
    answers: Float[Tensor, "row"],
    test: Float[Tensor, "other width"],
) -> Float[Tensor, "other"]:
    """What the best weights and bias for `fit` say of `test`. Raises ValueError where
    there are fewer rows than weights."""
    if len(fit) <= fit.shape[1] + 1:
        raise ValueError(
            f"{len(fit)} rows for {fit.shape[1] + 1} weights: fit on more prompts"
        )
    X, T = (torch.cat([a, torch.ones(len(a), 1)], 1).double() for a in (fit, test))
    gram = X.mT @ X + 1e-8 * len(X) * torch.eye(X.shape[1], dtype=X.dtype)
    return T @ torch.linalg.solve(gram, X.mT @ answers.double())


# --8<-- [end:lens]
