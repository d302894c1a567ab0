"""Sinusoids to learn from a few points, a small network, and gradient steps on it.

The tasks and the network are those of finn2017, section 5.1.
"""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Generator, Tensor

Weights = list[Tensor]  # W, b, W, b, ...; W: (..., d_in, d_out), b: (..., d_out)


# --8<-- [start:tasks]
LOWEST, HIGHEST = 0.1, 5.0  # of the amplitude
REACH = 5.0  # inputs lie between -REACH and REACH


def sinusoids(
    n_tasks: int, generator: Generator
) -> tuple[Float[Tensor, "task 1 1"], Float[Tensor, "task 1 1"]]:
    """Amplitudes and phases: y = amplitude * sin(x - phase)."""
    amplitude, phase = torch.rand(2, n_tasks, 1, 1, generator=generator)
    return LOWEST + (HIGHEST - LOWEST) * amplitude, math.pi * phase


def points(
    tasks: tuple[Float[Tensor, "task 1 1"], Float[Tensor, "task 1 1"]],
    n_points: int,
    generator: Generator,
    low: float = -REACH,
    high: float = REACH,
) -> tuple[Float[Tensor, "task point 1"], Float[Tensor, "task point 1"]]:
    """Inputs and outputs of each task."""
    amplitude, phase = tasks
    x = torch.rand(len(amplitude), n_points, 1, generator=generator)
    x = low + (high - low) * x
    return x, amplitude * torch.sin(x - phase)


# --8<-- [end:tasks]


# --8<-- [start:network]
def new_weights(widths: tuple[int, ...], generator: Generator) -> Weights:
    """A random start: weights and biases uniform between -1 and 1 over sqrt(d_in)."""
    weights = []
    for d_in, d_out in pairwise(widths):
        for shape in ((d_in, d_out), (d_out,)):
            uniform = 2 * torch.rand(shape, generator=generator) - 1
            weights.append(uniform / math.sqrt(d_in))
    return weights


def network(
    weights: Weights, x: Float[Tensor, "*task point d_in"]
) -> Float[Tensor, "*task point d_out"]:
    """A ReLU network; weights with a leading task dimension are one for each task."""
    for layer in range(0, len(weights), 2):
        x = x @ weights[layer] + weights[layer + 1].unsqueeze(-2)
        if layer + 2 < len(weights):
            x = torch.relu(x)
    return x


def squared_error(
    weights: Weights,
    x: Float[Tensor, "*task point 1"],
    y: Float[Tensor, "*task point 1"],
) -> Float[Tensor, "*task"]:
    """Mean over points, one number a task."""
    return (network(weights, x) - y).square().mean((-2, -1))


# --8<-- [end:network]


# --8<-- [start:adapt]
def adapt(
    weights: Weights,
    x: Float[Tensor, "task point 1"],
    y: Float[Tensor, "task point 1"],
    alpha: float,
    n_steps: int = 1,
    first_order: bool = False,
) -> Weights:
    """Take gradient steps on each task from the same start. Returns a network a task.

    The steps are part of the graph: what is computed from the result can be
    differentiated by `weights`. With `first_order` the gradient in a step counts as a
    constant. Raises ValueError for no step.
    """
    if n_steps < 1:
        raise ValueError(f"{n_steps} inner steps: take at least 1")
    # --8<-- [start:steps]
    w = [part.expand(len(x), *part.shape) for part in weights]
    for _ in range(n_steps):
        loss = squared_error(w, x, y).sum()  # each task has weights of its own
        slope = torch.autograd.grad(loss, w, create_graph=not first_order)
        w = [part - alpha * s for part, s in zip(w, slope)]
    return w
    # --8<-- [end:steps]


# --8<-- [end:adapt]


def errors_after_steps(
    weights: Weights,
    seen: tuple[Float[Tensor, "task shot 1"], Float[Tensor, "task shot 1"]],
    asked: tuple[Float[Tensor, "task point 1"], Float[Tensor, "task point 1"]],
    alpha: float,
    n_steps: int,
    frozen: int = 0,
) -> Float[Tensor, "step_and_0 task"]:
    """Each task's error on the points asked, after 0, 1, ... steps on those seen.

    The first `frozen` weights and biases stay: all but two, and the last layer alone
    takes the steps.
    """
    w = [part.detach().expand(len(seen[0]), *part.shape) for part in weights]
    errors = [squared_error(w, *asked)]
    for _ in range(n_steps):
        w = [part.requires_grad_() for part in w]
        slope = torch.autograd.grad(squared_error(w, *seen).sum(), w[frozen:])
        moved = [part - alpha * s for part, s in zip(w[frozen:], slope)]
        w = [part.detach() for part in w[:frozen] + moved]
        errors.append(squared_error(w, *asked))
    return torch.stack(errors).detach()


def largest_curvatures(
    weights: Weights,
    x: Float[Tensor, "task point 1"],
    y: Float[Tensor, "task point 1"],
    n_rounds: int = 30,
) -> Float[Tensor, " task"]:
    """The largest eigenvalue of each task's Hessian at `weights`: power iteration."""
    w = [part.detach().expand(len(x), *part.shape).requires_grad_() for part in weights]
    slope = torch.autograd.grad(squared_error(w, x, y).sum(), w, create_graph=True)
    direction = [s.detach() for s in slope]
    for _ in range(n_rounds):
        size = total([d.square() for d in direction]).sqrt()
        direction = [d / over(size, d).clamp_min(1e-30) for d in direction]
        product = torch.stack([(s * d).sum() for s, d in zip(slope, direction)]).sum()
        direction = list(torch.autograd.grad(product, w, retain_graph=True))
    return total([d.square() for d in direction]).sqrt()


def total(parts: Weights) -> Float[Tensor, " task"]:
    return torch.stack([part.flatten(1).sum(1) for part in parts]).sum(0)


def over(size: Float[Tensor, " task"], part: Tensor) -> Tensor:
    return size.reshape(-1, *[1] * (part.dim() - 1))
