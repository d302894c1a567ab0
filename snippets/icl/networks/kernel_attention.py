"""Attention whose weights come from any function h of two transformed points.

One layer adds, to each token (x, y), what it reads from the n examples:

    y_j <- y_j - r sum_i h(B x_j, C x_i) y_i
    x_j <- x_j +   sum_i h(B x_j, C x_i) P x_i

For h of inner products only B'C matters, the W_Q W_K' of a head. An RBF needs B and C.
The query starts with y = 0 and is read by nobody; the prediction is minus its last y.

Source: cheng2024, section 3: the generalised attention module.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.theory import kernels

Inputs = Float[Tensor, "batch n_and_query d"]
Values = Float[Tensor, "batch n_values"]  # one for each x; the query's stands last


# --8<-- [start:h]
def softmax(u: Tensor, v: Tensor) -> Tensor:
    return (u @ v.mT).softmax(-1)


def over_n(kernel: Callable) -> Callable[[Tensor, Tensor], Tensor]:
    """The kernel, divided by the number of examples."""
    return lambda u, v: kernel(u, v) / v.shape[-2]


# points that look, points that are looked at -> weights
ATTENTION = {name: over_n(kernel) for name, kernel in kernels.KERNELS.items()} | {
    "softmax": softmax
}
# --8<-- [end:h]


# --8<-- [start:layer]
class KernelAttention(nn.Module):
    """L such layers. B and C start near the identity, P near 0, r at `step`.

    r is kept as its logarithm: the sizes that suit two h differ a hundredfold, and Adam
    moves a logarithm as fast at either."""

    def __init__(
        self,
        n_layers: int,
        d: int,
        h: str,
        generator: Generator,
        *,
        std: float = 0.01,
        step: float = 1.0,
    ) -> None:
        """Raises ValueError where h is unknown or there is no layer."""
        super().__init__()
        check_choices(h, n_layers)
        self.h = ATTENTION[h]
        eye = torch.eye(d)
        size = (n_layers, d, d)
        self.B = nn.Parameter(eye + normal(*size, std=std, generator=generator))
        self.C = nn.Parameter(eye + normal(*size, std=std, generator=generator))
        self.P = normal(*size, std=std, generator=generator)
        self.log_r = nn.Parameter(torch.full((n_layers,), step).log())

    def forward(self, x: Inputs, y: Values) -> Float[Tensor, "batch"]:
        """The prediction for each query; its y, the last, is not read."""
        check_prompts(x, y, self.B.shape[-1])
        y = torch.cat([y[:, :-1], torch.zeros_like(y[:, -1:])], 1)
        last = len(self.B) - 1
        for layer, (B, C, P) in enumerate(zip(self.B, self.C, self.P)):
            r = self.log_r[layer].exp()
            # --8<-- [start:read]
            examples, residuals = x[:, :-1], y[:, :-1]
            if layer == last:  # only the query is asked
                x, y = x[:, -1:], y[:, -1:]
            weights = self.h(x @ B.mT, examples @ C.mT)  # (batch, n + 1, n)
            y = y - r * (weights @ residuals[..., None])[..., 0]
            x = x + weights @ (examples @ P.mT)
            # --8<-- [end:read]
        return -y[:, -1]


# --8<-- [end:layer]


# --8<-- [start:built]
def construction(h: str, steps: list[float], d: int) -> KernelAttention:
    """The weights of proposition 3.1: B = C = I, P = 0, and r_l the size of step l.
    Raises ValueError for a step that is not positive."""
    check_steps(steps)
    unused = torch.Generator().manual_seed(0)  # every weight is replaced
    network = KernelAttention(len(steps), d, h, unused, std=0.0).double()
    with torch.no_grad():
        network.log_r.copy_(torch.tensor(steps, dtype=torch.float64).log())
    return network


# --8<-- [end:built]


def check_choices(h: str, n_layers: int) -> None:
    """Raise ValueError, in words, where no such network exists."""
    if h not in ATTENTION:
        raise ValueError(f"h = '{h}' is none of {', '.join(ATTENTION)}")
    if n_layers < 1:
        raise ValueError(f"{n_layers} layers: a network needs at least 1")


def check_steps(steps: list[float]) -> None:
    """Raise ValueError, in words, for a step without a logarithm."""
    for size in steps:
        if not size > 0:
            raise ValueError(f"a step of {size:g}: give a size above 0")


def check_prompts(x: Tensor, y: Tensor, d: int) -> None:
    """Raise ValueError, in words, where prompts and weights do not fit."""
    if x.shape[-1] != d:
        raise ValueError(f"x has {x.shape[-1]} entries; the network reads {d}")
    if x.shape[:-1] != y.shape:
        raise ValueError(
            f"x is {tuple(x.shape)} and y is {tuple(y.shape)}: give a y for each x"
        )
    if y.shape[-1] < 2:
        raise ValueError("n = 0 examples: a layer needs at least 1 to read")
