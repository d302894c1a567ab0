"""The training loop of part 1: every step sees a batch that was never seen before."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from snippets.progress import steps

Network = TypeVar("Network", bound=nn.Module)


# --8<-- [start:train]
def train(
    network: nn.Module,
    batch_loss: Callable[[], Float[Tensor, ""]],
    n_steps: int,
    learning_rate: float,
    warm_up: int = 50,  # steps
    cool_down: float = 0.3,  # share of the steps
    clip: float | None = None,  # the longest gradient that is followed in full
) -> Iterator[int]:
    """Adam on the loss of a fresh batch at each step, up to the full rate in the first
    steps and down again in the last. Yields how many steps are done, 0 to n_steps, for
    whoever wants to measure in between."""
    weights = list(network.parameters())
    optimizer = torch.optim.Adam(weights, learning_rate, (0.9, 0.98), fused=True)
    for step in steps(n_steps):
        yield step
        left = (n_steps - step) / (cool_down * n_steps)
        share = min(1.0, (step + 1) / warm_up, max(left, 0.02))
        optimizer.param_groups[0]["lr"] = share * learning_rate
        optimizer.zero_grad()
        batch_loss().backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(weights, clip)
        optimizer.step()
    yield n_steps


# --8<-- [end:train]


def trained(network: Network, training: Iterator[int]) -> Network:
    """The network at the end of its training, for whoever measures nothing on the
    way."""
    for _ in training:
        pass
    return network.requires_grad_(False)
