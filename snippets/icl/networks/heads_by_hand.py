"""The gradient of a layer of linear attention, by hand: half the time of autograd.

Weights are those of icl/networks/folded.OneLayer, many layers side by side:

    prediction = - sum over heads of  v' G W z,    W = K'Q,

so with the error r of a prompt the gradients are, before the mean over prompts,

    by v: - r G W z,    by W: - r (G v) z',    by K: Q (by W)',    by Q: K (by W).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from snippets.icl.networks.folded import Folded, OneLayer
from snippets.icl.theory.best_rate import mean_loss


# --8<-- [start:weights]
class Heads(NamedTuple):
    """The weights of many layers, or their gradients."""

    v: Float[Tensor, "run head d_and_1"]
    K: Float[Tensor, "run head d_and_1 d_and_1"]
    Q: Float[Tensor, "run head d_and_1 d_and_1"]

    def only(self, which: Tensor) -> "Heads":
        """A copy of some of the layers."""
        return Heads(*(weights[which].clone() for weights in self))


def heads_of(network: OneLayer) -> Heads:
    return Heads(*(w.detach().clone() for w in (network.w_V, network.W_K, network.W_Q)))


# --8<-- [end:weights]


# --8<-- [start:batch]
def on_batch(
    heads: Heads, folded: Folded, answer: Float[Tensor, "batch"]
) -> tuple[Float[Tensor, "run"], Heads]:
    """Each layer's loss on these prompts, half the mean squared error, and gradient."""
    v, K, Q = heads
    n_runs, n_heads, size = v.shape
    batch, count = len(answer), n_runs * n_heads
    W = (K.mT @ Q).reshape(count, size, size)
    rows = folded.G.reshape(-1, size)  # the rows of every G: G = G'
    Gv = (rows @ v.reshape(count, size).mT).view(batch, size, count)
    Wz = (folded.z @ W.permute(2, 1, 0).reshape(size, -1)).view(batch, size, count)
    by_head = -(Gv * Wz).sum(1).view(batch, n_runs, n_heads)
    off = by_head.sum(-1) - answer[:, None]  # (batch, run)
    r = (off / batch).repeat_interleave(n_heads, 1)[:, None]  # (batch, 1, count)
    by_v = -(rows.mT @ (r * Wz).reshape(-1, count)).mT
    by_W = -(folded.z.mT @ (r * Gv).reshape(batch, -1)).view(size, size, count)
    by_W = by_W.permute(2, 1, 0).view(K.shape)
    gradient = Heads(by_v.reshape(v.shape), Q @ by_W.mT, K @ by_W)
    return off.square().mean(0) / 2, gradient


# --8<-- [end:batch]


# --8<-- [start:mean]
def on_average(
    heads: Heads, width: float, n: int
) -> tuple[Float[Tensor, "run"], Heads]:
    """The same over all prompts, in closed form. Raises ValueError for two heads."""
    if heads.v.shape[1] != 1:
        raise ValueError(
            f"{heads.v.shape[1]} heads: the mean over all prompts is known for one"
        )
    v, K, Q = (weights[:, 0].requires_grad_() for weights in heads)
    loss = mean_loss(v, K.mT @ Q, width, n)
    gradient = torch.autograd.grad(loss.sum(), (v, K, Q))
    return loss.detach(), Heads(*(by[:, None] for by in gradient))


def curvatures(heads: Heads, width: float, n: int) -> Float[Tensor, "run n_weights"]:
    """The eigenvalues of the mean loss's Hessian by all of a layer's weights, rising."""
    size = heads.v.shape[-1]
    parts = (size, size**2, size**2)

    def loss(weights: Tensor) -> Tensor:
        v, K, Q = weights.split(parts)
        W = K.view(size, size).mT @ Q.view(size, size)
        return mean_loss(v[None], W[None], width, n)[0]

    flat = torch.cat([weights.double().flatten(1) for weights in heads], 1)
    hessians = torch.stack([torch.func.hessian(loss)(one) for one in flat])
    return torch.linalg.eigvalsh(hessians)


# --8<-- [end:mean]
