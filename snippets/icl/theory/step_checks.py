"""Two checks of a step that is said to be the best: by autograd, and by sampling."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.tasks.shaped_prompts import World
from snippets.icl.theory import best_steps, oracles


# --8<-- [start:stationary]
def gradient_at(A: Float[Tensor, "d d"], world: World) -> Float[Tensor, "d d"]:
    """Of the population loss, by autograd: each entry moves on its own."""
    A = A.clone().requires_grad_()
    loss = best_steps.population_loss(A, world.Sigma, world.T, world.n)
    return torch.autograd.grad(loss, A)[0]


# --8<-- [end:stationary]


# --8<-- [start:monte_carlo]
def monte_carlo(
    A: Float[Tensor, "d d"],
    world: World,
    n_prompts: int,
    nudge: float,
    generator: Generator,
) -> dict[str, float]:
    """The loss of a step with A on many prompts, and by how much it rises when A is
    changed in each of d * d directions, both ways and by `nudge`, on the same prompts.

    Direction (i, j) is u_i u_j' / sqrt(lam_i lam_j): off-diagonal where i is not j.
    """
    at_A, rises = [], []
    n_parts = 10
    whiten = world.U / (world.U.mT @ world.Sigma @ world.U).diagonal().sqrt()
    for _ in range(n_parts):  # in parts, to spare memory
        prompts = world.prompts(n_prompts // n_parts, generator)
        x, query = prompts.x[:, :-1].double(), prompts.x[:, -1].double()
        y, answer = prompts.y[:, :-1].double(), prompts.answer.double()
        average = oracles.averaging(x, y)  # C w
        off = (query @ A * average).sum(-1) - answer
        # (batch, d, d): what direction (i, j) adds to the prediction
        adds = nudge * (query @ whiten)[:, :, None] * (average @ whiten)[:, None]
        at_A.append(off**2)
        ways = [(off[:, None, None] + sign * adds) ** 2 for sign in (1, -1)]
        rises.append(torch.stack(ways, 1) - off[:, None, None, None] ** 2)
    losses, rise = torch.cat(at_A), torch.cat(rises)
    in_errors = rise.mean(0) / standard_error(rise)
    return {
        "loss": losses.mean().item(),
        "error": standard_error(losses).item(),
        "least_rise": rise.mean(0).min().item(),
        "least_rise_in_errors": in_errors.min().item(),
    }


def standard_error(values: Float[Tensor, "batch *rest"]) -> Float[Tensor, "*rest"]:
    return values.std(0) / len(values) ** 0.5


# --8<-- [end:monte_carlo]
