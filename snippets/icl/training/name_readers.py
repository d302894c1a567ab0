"""Train four small readers side by side: two first weights times two orders of data.

Source: ours. Muon turns the attention matrices (jordan2024), Adam the rest.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Generator

from snippets.icl.networks.two_readers import Shape, TwoReaders
from snippets.icl.streams import streams
from snippets.icl.tasks.repeated_names import Task, World
from snippets.icl.training.muon import even_out
from snippets.progress import steps

MATRICES = ("W_Q", "W_K", "W_V", "W_O")
# which first weights, and which data, each of the four networks gets
FIRST_WEIGHTS, DATA = (0, 0, 1, 1), (0, 1, 0, 1)


@dataclass(frozen=True)
class Config:
    task: Task = field(default_factory=Task)
    d_model: int = 32
    d_head: int = 32
    n_heads: int = 2
    n_steps: int = 850
    batch: int = 64  # prompts of each network at each step
    matrices: float = 0.01  # Muon's rate
    rest: float = 2e-3  # Adam's, for embeddings
    faster: float = 10.0  # the rate of distances, in units of `rest`
    momentum: float = 0.95
    warm_up: int = 50  # steps
    cool_down: float = 0.3  # share of the steps
    n_test: int = 600

    @property
    def shape(self) -> Shape:
        t = self.task
        return Shape(
            t.n_vocab, t.n_names, t.n_tokens, self.d_model, self.d_head, self.n_heads
        )


# --8<-- [start:train]
def train(config: Config, seed: int) -> tuple[TwoReaders, World, Generator]:
    """The four trained networks, their world, and a stream for the exams."""
    hidden, *orders, exam = streams(seed, 4)
    world = World.of(config.task, hidden)
    starts = [streams(seed, 6)[4 + which] for which in FIRST_WEIGHTS]
    networks = TwoReaders(config.shape, starts)
    turner = Turner(networks, config.momentum)
    others = [networks.W_E, networks.W_U]
    optimizer = torch.optim.Adam(
        [
            {"params": others, "lr": config.rest},
            {"params": [networks.by_distance], "lr": config.rest * config.faster},
        ],
        betas=(0.9, 0.98),
        fused=True,
    )
    usual = [group["lr"] for group in optimizer.param_groups]
    for step in steps(config.n_steps):
        left = (config.n_steps - step) / (config.cool_down * config.n_steps)
        share = min(1.0, (step + 1) / config.warm_up, max(left, 0.02))
        for group, rate in zip(optimizer.param_groups, usual):
            group["lr"] = share * rate
        drawn = [world.draw(config.batch, order) for order in orders]
        tokens = torch.stack([drawn[which].tokens for which in DATA])
        answer = torch.stack([drawn[which].answer for which in DATA])
        logits = networks(tokens)
        loss = F.cross_entropy(logits.flatten(0, 1), answer.flatten(), reduction="sum")
        networks.zero_grad()
        (loss / config.batch).backward()  # a sum over networks: none sees another's
        turner.step(share * config.matrices)
        optimizer.step()
    return networks.requires_grad_(False), world, exam


# --8<-- [end:train]


class Turner:
    """Muon for the matrices of all heads of all networks, each turned by itself."""

    def __init__(self, networks: TwoReaders, momentum: float) -> None:
        self.weights = [getattr(networks, name) for name in MATRICES]
        self.momentum = momentum
        self.means = [torch.zeros_like(w) for w in self.weights]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for weight, mean in zip(self.weights, self.means):
            assert weight.grad is not None
            mean.mul_(self.momentum).add_(weight.grad)
            ahead = weight.grad + self.momentum * mean
            turned = even_out(ahead.flatten(0, 2)).view_as(weight)
            weight.sub_(turned, alpha=rate)
