"""Linear attention without tokens: all that a layer reads of a prompt is one matrix.

In the part's notation (tokens are columns; E are the n examples, z is the query)

    G = E E' / n,    T = I + V G W  with W = K'Q,    z <- T z,    G <- T G T'

is exactly a layer of the simple transformer with linear h. A prompt costs the same
however long it is, and many networks can read the same prompts at once: each tensor of
weights begins with `run`, one entry for each network.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn


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
    if n < 1:
        raise ValueError("n = 0 examples: a prompt needs at least 1 before its query")
    examples = Z[:, :-1]
    return Folded(examples.mT @ examples / n, Z[:, -1])


def layer(
    prompts: Folded,
    V: Float[Tensor, "*run d_and_1 d_and_1"],
    W: Float[Tensor, "*run d_and_1 d_and_1"],
    damping: float = 1.0,
) -> Folded:
    """What one head with linear h and a residual connection makes of the prompts;
    `damping` shrinks what it adds. Raises ValueError where the sizes do not fit."""
    check_sizes(prompts, V, W)
    V, W = V[..., None, :, :], W[..., None, :, :]  # the same for each prompt
    T = torch.eye(V.shape[-1], dtype=V.dtype) + damping * V @ prompts.G @ W
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
        if n_runs < 1 or n_heads < 1:
            raise ValueError(
                f"{n_runs} networks of {n_heads} heads: there must be 1 of each"
            )

        def small(*shape: int) -> nn.Parameter:
            drawn = torch.randn(n_runs, n_heads, *shape, generator=generator)
            return nn.Parameter(std * drawn)

        self.v, self.K, self.Q = small(d + 1), small(d + 1, d + 1), small(d + 1, d + 1)

    @property
    def W(self) -> Float[Tensor, "run head d_and_1 d_and_1"]:
        return self.K.mT @ self.Q

    def forward(self, prompts: Folded) -> Float[Tensor, "run batch"]:
        """The predictions of every network for every query."""
        return predict(prompts, self.v, self.W)


def predict(
    prompts: Folded,
    v: Float[Tensor, "run head d_and_1"],
    W: Float[Tensor, "run head d_and_1 d_and_1"],
) -> Float[Tensor, "run batch"]:
    """- v' G W z, summed over the heads."""
    check_sizes(prompts, v, W)
    (n_runs, n_heads, size), batch = v.shape, prompts.z.shape[0]
    Wz = prompts.z @ W.reshape(-1, size).mT  # one product for all networks and heads
    Gv = prompts.G.reshape(-1, size) @ v.reshape(-1, size).mT
    Wz = Wz.reshape(batch, -1, size)
    Gv = Gv.reshape(batch, size, -1).mT
    by_head = -(Wz * Gv).sum(-1)  # (batch, run * head)
    return by_head.reshape(batch, n_runs, n_heads).sum(-1).mT


def sensitivity(
    prompts: Folded,
    v: Float[Tensor, "run head d_and_1"],
    W: Float[Tensor, "run head d_and_1 d_and_1"],
) -> Float[Tensor, "run batch d"]:
    """The gradient of the prediction by the query's x: - W'G v, without its last entry.
    It is the linear map that the network has read from the examples."""
    check_sizes(prompts, v, W)
    maps = -torch.einsum("rhij,bik,rhk->rbj", W, prompts.G, v)
    return maps[..., :-1]


# --8<-- [end:one]


def check_sizes(prompts: Folded, *weights: Tensor) -> None:
    """Raise ValueError, in words, where prompts and weights do not fit."""
    size = prompts.z.shape[-1]
    for given in weights:
        if given.shape[-1] != size:
            raise ValueError(
                f"tokens have {size} entries, d and one for y; these weights read "
                f"{given.shape[-1]}"
            )
