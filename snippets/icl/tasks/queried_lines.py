"""Prompts of examples (x, y) of a line, then queries x: the task of several chapters.

Source: garg2022, the task; several queries to a prompt are ours.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.tasks.linear_regression import Prompts, draw_prompts


@runtime_checkable
class Sizes(Protocol):
    """What the task needs to know: dimensions, and queries to a prompt."""

    @property
    def d(self) -> int: ...

    @property
    def n_queries(self) -> int: ...


# --8<-- [start:fit]
@dataclass(frozen=True)
class Fit:
    """The task: prompts with n examples, and the squared error at the queries."""

    config: Sizes

    def draw(self, batch: int, n: int, generator: Generator) -> tuple[Prompts, int]:
        inputs = n + self.config.n_queries  # draw_prompts adds one
        return draw_prompts(batch, inputs - 1, self.config.d, generator), n

    def loss(self, network: nn.Module, prompts: tuple[Prompts, int]) -> Tensor:
        """In units of the variance of y, which is d."""
        drawn, n = prompts
        return (network(*prompts) - drawn.y[:, n:]).square().mean() / self.config.d


def error_of(answers: Float[Tensor, "batch m"], prompts: Prompts, n: int) -> float:
    """Mean squared error at the queries as a share of what the answer 0 has there."""
    y = prompts.y[:, n:]
    return ((answers - y).square().mean() / y.square().mean()).item()


# --8<-- [end:fit]
