"""What Bayes' rule predicts for a regression task that comes from a pool of M, and for
one that is drawn anew.

Who knows the pool weighs its tasks by how well they fit the examples (the discrete
posterior mean; "dMMSE" in raventos2023). Who only knows that tasks are normal does
ridge regression, with a strength equal to the noise variance.

Source: raventos2023, section 2. Shapes: prompts x (batch, n, d) and y (batch, n), a pool
(task, d).
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.shapes import Inputs, Values
from snippets.icl.tasks.linear_regression import Prompts
from snippets.icl.theory import oracles

Pool = Float[Tensor, "task size"]  # size is d; another name, so that check() can say it


# --8<-- [start:draw]
def draw_pool(n_tasks: int, d: int, generator: Generator) -> Pool:
    """A pool of tasks w ~ N(0, I), drawn once."""
    if n_tasks < 1:
        raise ValueError(f"n_tasks = {n_tasks}: a pool needs at least one task")
    return torch.randn(n_tasks, d, generator=generator)


def draw_from(
    pool: Pool | None, batch: int, n: int, d: int, noise: float, generator: Generator
) -> Prompts:
    """Prompts of n + 1 pairs, each with a task of the pool; without a pool each has a
    task of its own."""
    if pool is not None and pool.shape[-1] != d:
        raise ValueError(f"the pool's tasks have {pool.shape[-1]} numbers; d = {d}")
    x = torch.randn(batch, n + 1, d, generator=generator)
    if pool is None:
        w = torch.randn(batch, d, generator=generator)
    else:
        w = pool[torch.randint(len(pool), (batch,), generator=generator)]
    y = (x @ w[..., None])[..., 0]
    y = y + noise * torch.randn(batch, n + 1, generator=generator)
    return Prompts(x, y, w)


# --8<-- [end:draw]


# --8<-- [start:memory]
def posterior(
    x: Inputs, y: Values, pool: Pool, noise: float
) -> Float[Tensor, "*batch n_and_one task"]:
    """How likely each task of the pool is after k = 0, 1 ... n examples."""
    check(x, y, pool, noise)
    off = y[..., None] - x @ pool.mT  # (batch, n, task): what each task leaves over
    log_likelihood = -(off**2).cumsum(-2) / (2 * noise**2)
    before = torch.zeros_like(log_likelihood[..., :1, :])  # no example: all alike
    return torch.cat([before, log_likelihood], -2).softmax(-1)


def from_memory(x: Inputs, y: Values, pool: Pool, noise: float) -> Values:
    """Its prediction for every x_k, from the examples before: the posterior mean."""
    w = posterior(x, y, pool, noise)[..., :-1, :] @ pool  # (batch, n, d)
    return (w * x).sum(-1)


# --8<-- [end:memory]


# --8<-- [start:ridge]
def from_any_task(x: Inputs, y: Values, noise: float) -> Values:
    """The prediction for every x_k where tasks are normal: ridge regression."""
    check(x, y, None, noise)
    return oracles.at_every_position(lambda x, y: oracles.ridge(x, y, noise**2), x, y)


# --8<-- [end:ridge]


def check(x: Tensor, y: Tensor, pool: Tensor | None, noise: float) -> None:
    """Raise ValueError, in words, for what has no posterior."""
    oracles.check_examples(x, y)
    if noise <= 0:
        raise ValueError(
            f"noise = {noise}: with none, no task of a pool need fit; give a standard "
            "deviation above 0"
        )
    if pool is not None and len(pool) < 1:
        raise ValueError("the pool is empty: give at least one task")
    if pool is not None and pool.shape[-1] != x.shape[-1]:
        raise ValueError(
            f"x has {x.shape[-1]} coordinates and the pool's tasks have "
            f"{pool.shape[-1]}: give as many"
        )
