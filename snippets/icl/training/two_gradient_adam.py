"""Adam that takes its direction from one gradient and its scale from another.

Adam divides a running mean of the gradient by the root of a running mean of its square.
On a batch both are noisy. Given apart, the noise can be in either.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from snippets.icl.networks.heads_by_hand import Heads


# --8<-- [start:adam]
@dataclass
class TwoGradientAdam:
    """For many layers at once, whose weights begin with `run`."""

    rate: float
    mean: Heads
    square: Heads
    n_steps: int = 0
    betas: tuple[float, float] = (0.9, 0.98)

    @classmethod
    def new(cls, heads: Heads, rate: float) -> "TwoGradientAdam":
        """Raises ValueError for a rate of 0 or less."""
        if rate <= 0:
            raise ValueError(f"a rate of {rate:g}: choose one above 0")
        mean, square = (Heads(*map(torch.zeros_like, heads)) for _ in range(2))
        return cls(rate, mean, square)

    def only(self, which: Tensor) -> "TwoGradientAdam":
        """A copy that goes on with some of the layers."""
        mean, square = self.mean.only(which), self.square.only(which)
        return TwoGradientAdam(self.rate, mean, square, self.n_steps, self.betas)

    def step(self, heads: Heads, direction: Heads, scale: Heads) -> None:
        """Move the weights. With direction = scale it is Adam as usual."""
        self.n_steps += 1
        one, two = self.betas
        short, long = 1 - one**self.n_steps, 1 - two**self.n_steps
        for w, m, s, g, h in zip(heads, self.mean, self.square, direction, scale):
            m.lerp_(g, 1 - one)
            s.mul_(two).addcmul_(h, h, value=1 - two)
            w.addcdiv_(m, (s / long).sqrt_().add_(1e-8), value=-self.rate / short)


# --8<-- [end:adam]
