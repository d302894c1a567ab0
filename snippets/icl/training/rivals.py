"""Ways to learn a new task from its examples that need no training before: the nearest
neighbours, and ridge regression on features. And what each way costs, in FLOPs.

A way is called as predict(x, y, asked), on many tasks at once; labels are one-hot rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from snippets.icl.training.inner_steps import (
    Answers,
    Asked,
    Examples,
    Wanted,
    check_examples,
)

Predict = Callable[[Tensor, Tensor, Tensor], Tensor]


# --8<-- [start:neighbours]
@dataclass(frozen=True)
class Neighbours:
    k: int = 1  # how many of the nearest examples speak
    by_distance: bool = False  # the nearer, the louder: 1 / distance

    def __call__(self, x: Examples, y: Wanted, asked: Asked) -> Answers:
        check_examples(x)
        near = torch.cdist(asked, x).topk(min(self.k, x.shape[1]), -1, largest=False)
        if self.by_distance:
            share = 1 / near.values.clamp_min(1e-6)
        else:
            share = torch.ones_like(near.values)
        share = share / share.sum(-1, keepdim=True)  # (task, asked, k)
        votes = torch.zeros(*asked.shape[:2], x.shape[1]).to(x)
        return votes.scatter(-1, near.indices, share) @ y

    def flops(self, n: int, d_in: int, d_out: int) -> int:
        """For one question: n distances, and the mean of k."""
        return 3 * n * d_in + 2 * self.k * d_out


# --8<-- [end:neighbours]


# --8<-- [start:ridge]
@dataclass(frozen=True)
class Ridge:
    strength: float = 0.1
    scale: float | None = None  # of the random features' kernel; None: raw inputs and 1
    n_features: int = 100

    def features(
        self, x: Float[Tensor, "task some d_in"]
    ) -> Float[Tensor, "task some feature"]:
        if self.scale is None:
            return torch.cat([x, torch.ones_like(x[..., :1])], -1)
        draws = Generator().manual_seed(0)  # the same features for every task
        W = torch.randn(x.shape[-1], self.n_features, generator=draws) / self.scale
        b = 2 * torch.pi * torch.rand(self.n_features, generator=draws)
        return torch.cos(x @ W.to(x) + b.to(x)) * (2 / self.n_features) ** 0.5

    def __call__(self, x: Examples, y: Wanted, asked: Asked) -> Answers:
        """Solved with one unknown for each example: cheap where these are few."""
        check_examples(x)
        shown, questions = self.features(x.double()), self.features(asked.double())
        penalty = self.strength * torch.eye(x.shape[1], dtype=torch.float64)
        share = torch.linalg.solve(shown @ shown.mT + penalty, y.double())
        return (questions @ (shown.mT @ share)).to(y)

    def flops(self, n: int, d_in: int, d_out: int) -> int:
        """For one question: features, their products, a solution of n unknowns."""
        f = d_in + 1 if self.scale is None else self.n_features
        made = 0 if self.scale is None else 2 * (n + 1) * d_in * f
        solved = 2 * n * n * f + 2 * n**3 // 3 + 2 * n * n * d_out
        return made + solved + 2 * n * f * d_out + 2 * f * d_out


# --8<-- [end:ridge]


# --8<-- [start:flops]
def counted(work: Callable[[], object]) -> int:
    """The FLOPs of all matrix products in `work`, counted by PyTorch itself."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


# --8<-- [end:flops]
