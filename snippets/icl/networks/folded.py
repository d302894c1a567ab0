"""Linear attention without tokens: all that a layer reads of a prompt is one matrix.

In the part's notation (tokens are columns; E are the n examples, z is the query)

    G = E E' / n,    T = I + V G W  with W = K'Q,    z <- T z,    G <- T G T'

is exactly a layer of the simple transformer with linear h. A prompt costs the same
however long it is, and many networks can read the same prompts at once: each tensor of
weights begins with `run`, one entry for each network.

The code writes W_V, W_K and W_Q for V, K and Q, and W_KQ for W.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal

Matrices = Float[Tensor, "*run d_and_1 d_and_1"]  # one weight for each network
HeadRows = Float[Tensor, "run head d_and_1"]
HeadMatrices = Float[Tensor, "run head d_and_1 d_and_1"]


# --8<-- [start:fold]
@dataclass(frozen=True)
class Folded:
    """Prompts as a layer with linear h sees them. With layers behind it `run` stands
    before `batch`."""

    G: Float[Tensor, "*batch d_and_1 d_and_1"]
    z: Float[Tensor, "*batch d_and_1"]

    @property
    def prediction(self) -> Float[Tensor, "*batch"]:
        return -self.z[..., -1]


def fold(Z: Float[Tensor, "batch n_and_query d_and_1"]) -> Folded:
    """Raises ValueError where a prompt holds a query and no example."""
    n = Z.shape[1] - 1
    at_least_one(examples=n)
    examples = Z[:, :-1]  # the query is attended to by nobody
    return Folded(examples.mT @ examples / n, Z[:, -1])


def layer(
    prompts: Folded, W_V: Matrices, W_KQ: Matrices, damping: float = 1.0
) -> Folded:
    """What one head with linear h and a residual connection makes of the prompts;
    `damping` shrinks what it adds."""
    W_V, W_KQ = W_V[..., None, :, :], W_KQ[..., None, :, :]  # the same for each prompt
    eye = torch.eye(W_V.shape[-1], dtype=W_V.dtype)
    T = eye + damping * W_V @ prompts.G @ W_KQ
    return Folded(T @ prompts.G @ T.mT, (T @ prompts.z[..., None])[..., 0])


# --8<-- [end:fold]


# --8<-- [start:one]
class OneLayer(nn.Module):
    """One layer of linear attention, `n_runs` of them, each with its own first weights.

    The prediction reads the y of the query only, so of V only the last row v matters:

        prediction = - sum over heads of  v' G W z,    W = K'Q
    """

    def __init__(
        self,
        n_runs: int,
        d: int,
        generator: Generator,
        n_heads: int = 1,
        std: float = 0.02,
    ) -> None:
        """Raises ValueError where there is no network or no head."""
        super().__init__()
        at_least_one(networks=n_runs, heads=n_heads)
        size = (n_runs, n_heads, d + 1)
        self.w_V = normal(*size, std=std, generator=generator)
        self.W_K = normal(*size, d + 1, std=std, generator=generator)
        self.W_Q = normal(*size, d + 1, std=std, generator=generator)

    @property
    def W_KQ(self) -> HeadMatrices:
        return self.W_K.mT @ self.W_Q

    def forward(self, prompts: Folded) -> Float[Tensor, "run batch"]:
        """The predictions of every network for every query."""
        return predict(prompts, self.w_V, self.W_KQ)


def predict(
    prompts: Folded, w_V: HeadRows, W_KQ: HeadMatrices
) -> Float[Tensor, "run batch"]:
    """- v' G W z, summed over the heads."""
    n_runs, n_heads, size = w_V.shape
    batch = len(prompts.z)
    # Networks and heads stand side by side in the last axis, so that all of them cost
    # one matrix product with G and one with z.
    Gv = prompts.G @ w_V.reshape(-1, size).mT  # (batch, d + 1, run * head); G = G'
    by_entry = W_KQ.reshape(-1, size, size).permute(2, 1, 0)  # z's entry comes first
    Wz = (prompts.z @ by_entry.reshape(size, -1)).view(batch, size, -1)
    by_head = -(Gv * Wz).sum(1)  # (batch, run * head)
    return by_head.view(batch, n_runs, n_heads).sum(-1).mT


def sensitivity(
    prompts: Folded, w_V: HeadRows, W_KQ: HeadMatrices
) -> Float[Tensor, "run batch d"]:
    """The gradient of the prediction by the query's x: - W'G v, without its last entry.
    It is the linear map that the network has read from the examples."""
    n_runs, n_heads, size = w_V.shape
    Gv = prompts.G @ w_V.reshape(-1, size).mT  # (batch, d + 1, run * head)
    by_head = -(Gv.permute(2, 0, 1) @ W_KQ.reshape(-1, size, size))  # rows v'G times W
    maps = by_head.view(n_runs, n_heads, -1, size).sum(1)
    return maps[..., :-1]


# --8<-- [end:one]


def at_least_one(**counts: int) -> None:
    """Raise ValueError, in words, where there is none of something."""
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{count} {name}: there must be at least 1")
