"""Next-word prediction on windows of real text, some of which may be shown again."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.text_transformer import TextTransformer, losses
from snippets.icl.tasks.words import Windows, come_round_again
from snippets.progress import steps


@dataclass(frozen=True)
class TextTraining:
    corpus: str = "code"
    n_vocab: int = 256
    context: int = 128  # words that can be read
    d_model: int = 64
    n_heads: int = 2
    n_layers: int = 2
    batch: int = 16  # windows a step
    shown_again: int = 0  # of these: in them a few words come round again and again
    n_steps: int = 760
    learning_rate: float = 6e-3
    look_back: float = 0.0  # where layer 1 begins: 0 looks anywhere, 5 one word back
    weight_decay: float = 0.05  # of matrices; none on distances
    warm_up: int = 50  # steps


def optimiser(network: TextTransformer, c: TextTraining) -> torch.optim.AdamW:
    """AdamW, one rate for all; the numbers for distances do not decay."""
    matrices = [network.W_E, network.W_U, *network.W_QKV, *network.W_O]
    groups = [
        {"params": matrices, "weight_decay": c.weight_decay},
        {"params": [network.by_distance], "weight_decay": 0},
    ]
    return torch.optim.AdamW(groups, c.learning_rate, (0.9, 0.98), fused=True)


# --8<-- [start:train]
def train(
    network: TextTransformer, text: Windows, c: TextTraining, data: Generator
) -> Iterator[tuple[int, float, float]]:
    """Yields how many steps are done, and the last batch's loss on windows as they are
    and on those shown again (infinity where there are none), before it was learned."""
    descent = optimiser(network, c)
    warm_up = torch.optim.lr_scheduler.LambdaLR(
        descent, lambda step: min(1, (step + 1) / c.warm_up)
    )
    now = (math.inf, math.inf)  # before any batch
    for step in steps(c.n_steps):
        batch = come_round_again(text.draw(c.batch, data), c.shown_again, data)
        loss = losses(network, batch)
        now = by_kind(loss.detach().mean(1), c.shown_again)
        yield step, *now
        descent.zero_grad()
        loss.mean().backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        descent.step()
        warm_up.step()
    yield c.n_steps, *now


# --8<-- [end:train]


def by_kind(loss: Float[Tensor, "window"], shown_again: int) -> tuple[float, float]:
    """Mean loss of the windows as they are, and of those shown again."""
    again = float(loss[:shown_again].mean()) if shown_again else math.inf
    return float(loss[shown_again:].mean()), again
