"""A selective state-space layer: what a token writes, keeps and reads is its own choice.

    h_t = exp(Delta_t A) h_(t-1) + Delta_t B_t u_t,        y_t = C_t' h_t

for each channel of u, with a state of N numbers and a diagonal A below 0. The step
Delta and the vectors B and C are read off the token. A long step forgets and writes, a
short one passes the token by. With A = 0 and Delta = 1 this is linear attention.

Source: gu2023, its selective layer S6. Here without the short convolution before it.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.shapes import Stream

Steps = Float[Tensor, "pos *rest"]  # positions first: a loop reads them one by one


# --8<-- [start:scan]
def recurrent(keep: Steps, write: Steps) -> Steps:
    """h_t = keep_t h_(t-1) + write_t, token by token, as defined."""
    # --8<-- [start:rule]
    h, states = torch.zeros_like(write[0]), []
    for keep_t, write_t in zip(keep, write):
        h = keep_t * h + write_t
        states.append(h)
    # --8<-- [end:rule]
    return torch.stack(states)


def doubling(keep: Steps, write: Steps) -> Steps:
    """The same in log2(pos) rounds: after round j a state knows its last 2^j tokens.

    Two stretches of text make one: what the first wrote, times what the second keeps,
    plus what the second wrote.
    """
    distance = 1
    while distance < len(keep):
        earlier = torch.zeros_like(write), torch.ones_like(keep)
        earlier[0][distance:], earlier[1][distance:] = (
            write[:-distance],
            keep[:-distance],
        )
        write, keep = keep * earlier[0] + write, keep * earlier[1]
        distance *= 2
    return write


class Scan(torch.autograd.Function):
    """`recurrent`, with a gradient that is the same loop from the end to the start."""

    @staticmethod
    def forward(ctx: Any, keep: Tensor, write: Tensor) -> Tensor:
        states = write.clone()
        for t in range(1, len(states)):
            states[t].addcmul_(keep[t], states[t - 1])
        ctx.save_for_backward(keep, states)
        return states

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        keep, states = ctx.saved_tensors
        grad = grads[0].clone(memory_format=torch.contiguous_format)
        for t in range(len(grad) - 2, -1, -1):
            grad[t].addcmul_(keep[t + 1], grad[t + 1])
        to_keep = torch.zeros_like(keep)
        to_keep[1:] = grad[1:] * states[:-1]
        return to_keep, grad


# --8<-- [end:scan]


# --8<-- [start:layer]
class SelectiveSSM(nn.Module):
    def __init__(
        self,
        d_model: int,
        n_state: int,
        generator: Generator,
        steps: tuple[float, float] = (0.1, 1.0),  # at first, between these
        fastest: float = 0.1,  # -A at first, at most: how fast the state decays
    ) -> None:
        """Raises ValueError for a state without numbers."""
        super().__init__()
        if n_state < 1:
            raise ValueError(f"n_state = {n_state}: a state needs at least one number")
        std, rank = d_model**-0.5, 4
        self.W_in = normal(d_model, 2 * d_model, std=std, generator=generator)
        self.W_BC = normal(d_model, 2 * n_state, std=std, generator=generator)
        self.W_down = normal(d_model, rank, std=std, generator=generator)
        self.W_up = normal(rank, d_model, std=0.15, generator=generator)
        self.W_O = normal(d_model, d_model, std=std, generator=generator)
        share = torch.rand(d_model, generator=generator)
        first = steps[0] * (steps[1] / steps[0]) ** share
        self.b_step = nn.Parameter(first.expm1().log())  # softplus of it is `first`
        decay = torch.arange(1.0, n_state + 1) * (fastest / n_state)
        self.log_decay = nn.Parameter(decay.log().repeat(d_model, 1))  # A = -exp of it
        self.D = nn.Parameter(torch.ones(d_model))  # the token itself

    def forward(self, x: Stream, n_examples: int) -> Stream:
        u, gate = (x @ self.W_in).chunk(2, -1)
        B, C = (x @ self.W_BC).chunk(2, -1)
        step = F.softplus(x @ self.W_down @ self.W_up + self.b_step)
        keep, write = discretised(step, -self.log_decay.exp(), B, u)
        states = Scan.apply(keep, write)  # (pos, batch, d_model, n_state)
        y = (states @ C.transpose(0, 1)[..., None])[..., 0].transpose(0, 1)
        return ((y + self.D * u) * F.silu(gate)) @ self.W_O


def discretised(
    step: Float[Tensor, "batch pos d"],
    A: Float[Tensor, "d n_state"],
    B: Float[Tensor, "batch pos n_state"],
    u: Float[Tensor, "batch pos d"],
) -> tuple[Tensor, Tensor]:
    """What each token keeps of the state and what it writes, (pos, batch, d, n_state)."""
    step, u, B = (value.transpose(0, 1) for value in (step, u, B))
    return (step[..., None] * A).exp(), (step * u)[..., None] * B[..., None, :]


# --8<-- [end:layer]
