"""Networks that learn a new task by gradient steps on its examples, and how the start of
these steps is trained: for the steps (MAML and its kin), for all tasks at once, or not.

Source: finn2017 (MAML and its first-order variant), raghu2020 (ANIL, whose steps move
the last layer alone). One loop serves regression and classification.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.tasks.few_shot import Weights, network, new_weights
from snippets.progress import steps

Examples = Float[Tensor, "task point d_in"]
Wanted = Float[Tensor, "task point d_out"]  # values, or labels as one-hot rows
Asked = Float[Tensor, "task asked d_in"]
Answers = Float[Tensor, "task asked d_out"]
Loss = Callable[[Tensor, Tensor], Tensor]  # what is said, what is wanted: a task each
STARTS = ("maml", "first order", "pretrained", "random")


def squared(said: Wanted, wanted: Wanted) -> Float[Tensor, " task"]:
    return (said - wanted).square().sum(-1).mean(-1)


def cross_entropy(said: Wanted, wanted: Wanted) -> Float[Tensor, " task"]:
    return -(said.log_softmax(-1) * wanted).sum(-1).mean(-1)


# --8<-- [start:steps]
@dataclass(frozen=True)
class Steps:
    start: str = "maml"  # how the start is trained: one of STARTS
    hidden: int = 40  # width of both hidden layers
    last_only: bool = False  # the steps move the last layer alone
    size: float = 0.01  # of a step on a task's examples
    n_steps: int = 10  # of them, on a new task
    trained_for: int = 1  # so many steps in training
    adam: bool = False  # steps by Adam instead of plain gradient descent
    rate: float = 3e-3  # of the outer loop's Adam


def fit(
    start: Weights, way: Steps, loss: Loss, x: Examples, y: Wanted, n_steps: int
) -> Weights:
    """Steps on each task's examples from one start: a network for each task. The steps
    are in the graph, so that what comes out can be differentiated by the start."""
    w = [part.expand(len(x), *part.shape) for part in start]
    kept = len(w) - 2 if way.last_only else 0
    full = way.start == "maml" and start[0].requires_grad
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in w[kept:]]
    for step in range(1, n_steps + 1):
        if not start[0].requires_grad:
            w = w[:kept] + [part.detach().requires_grad_() for part in w[kept:]]
        error = loss(network(w, x), y).sum()  # each task has weights of its own
        slope = torch.autograd.grad(error, w[kept:], create_graph=full)
        if way.adam:
            slope, moments = by_adam(slope, moments, step)  # type: ignore[assignment]
        moved = [part - way.size * s for part, s in zip(w[kept:], slope)]
        w = w[:kept] + moved
    return w


# --8<-- [end:steps]


def by_adam(
    slope: tuple[Tensor, ...], moments: list[tuple[Tensor, Tensor]], step: int
) -> tuple[list[Tensor], list[tuple[Tensor, Tensor]]]:
    """Adam's direction, with its usual constants, and its two moving means."""
    moments = [
        (0.9 * m + 0.1 * s, 0.999 * v + 0.001 * s.square())
        for s, (m, v) in zip(slope, moments)
    ]
    ways = [
        (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8)
        for m, v in moments
    ]
    return ways, moments


# --8<-- [start:outer]
def outer_loss(
    start: Weights, way: Steps, loss: Loss, x: Examples, y: Wanted, n: int
) -> Float[Tensor, ""]:
    """Learn each task from its first n examples; what counts is the error on the others.
    A pretrained start learns from all of them at once, in no steps."""
    if way.start == "pretrained":
        w = [part.expand(len(x), *part.shape) for part in start]
        return loss(network(w, x), y).mean()
    w = fit(start, way, loss, x[:, :n], y[:, :n], way.trained_for)
    return loss(network(w, x[:, n:]), y[:, n:]).mean()


# --8<-- [end:outer]


# --8<-- [start:train]
def trained_start(
    way: Steps,
    loss: Loss,
    draw: Callable[[], tuple[Tensor, Tensor]],
    n_steps: int,
    weights: Generator,
    splits: Generator,
    **loop,
) -> Weights:
    """A start, trained on a fresh batch of tasks at each step: after the first n examples
    in one step, n from 1 to all but one, drawn anew each time."""
    check(way)
    x, y = draw()
    d_in, d_out = x.shape[-1], y.shape[-1]
    start = new_weights((d_in, way.hidden, way.hidden, d_out), weights)
    if way.start == "random":
        return start
    start = [part.requires_grad_() for part in start]
    optimizer = torch.optim.Adam(start, way.rate, fused=True)
    for step in steps(n_steps, **loop):
        optimizer.param_groups[0]["lr"] = way.rate * share_of_rate(step, n_steps)
        n = int(torch.randint(1, x.shape[1], (1,), generator=splits))
        optimizer.zero_grad()
        outer_loss(start, way, loss, x, y, n).backward()
        nn.utils.clip_grad_norm_(start, 10.0)
        optimizer.step()
        x, y = draw()
    check_start(start, way)
    return [part.detach() for part in start]


def share_of_rate(step: int, n_steps: int) -> float:
    """Up in the first twentieth, down in the last 30 %."""
    up, down = (step + 1) / max(1, 0.05 * n_steps), (n_steps - step) / (0.3 * n_steps)
    return min(1.0, up, down)


# --8<-- [end:train]


# --8<-- [start:answers]
def answers(
    start: Weights,
    way: Steps,
    loss: Loss,
    x: Examples,
    y: Wanted,
    asked: Asked,
    strict: bool = True,
) -> Answers:
    """What the networks say, after their steps on the examples, of what is asked. Raises
    ValueError where steps diverge, unless told not to be strict: then the answers show it.
    """
    check_examples(x)
    w = fit(start, way, loss, x, y, way.n_steps)
    if strict:
        check_fit(start, w, way, loss, x, y)
    return network(w, asked).detach()


# --8<-- [end:answers]


def check(way: Steps) -> None:
    """Raise ValueError for a start that nobody trains, and for no steps."""
    if way.start not in STARTS:
        raise ValueError(f"no start '{way.start}': choose from {', '.join(STARTS)}")
    if min(way.n_steps, way.trained_for) < 1:
        raise ValueError("0 steps on the examples teach nothing: take at least 1")


def check_examples(x: Examples) -> None:
    if x.shape[1] == 0:
        raise ValueError(
            "zero examples: there is nothing to learn from, show 1 or more"
        )


def check_start(start: Weights, way: Steps) -> None:
    """Raise ValueError where training has led out of the numbers."""
    if not all(part.isfinite().all() for part in start):
        raise ValueError(
            f"step size {way.size:g} diverges ({way.start} start, {way.trained_for} "
            "steps) while the start is trained: choose a smaller size"
        )


def check_fit(
    start: Weights, w: Weights, way: Steps, loss: Loss, x: Examples, y: Wanted
) -> None:
    """Raise ValueError where the steps blow up the error of the very examples that they
    follow, on the median task. On a single task they may: its answers say so."""
    before, after = (
        loss(network(weights, x), y).detach().nan_to_num(torch.inf).median().item()
        for weights in ([p.expand(len(x), *p.shape) for p in start], w)
    )
    if not after <= 10 * before + 1e-3:
        raise ValueError(
            f"step size {way.size:g} diverges ({way.start} start): {way.n_steps} steps "
            f"take the median error on the examples from {before:.3g} to {after:.3g}: "
            "choose a smaller size"
        )
